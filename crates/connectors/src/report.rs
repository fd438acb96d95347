//! What a load found, and what became of every record.
//!
//! For every source `records` = `rows` + `duplicates` + `other` + `unreadable`; `undated` and `implausible` count rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Names that are counted one by one; what comes later is counted together as `…`.
pub(crate) const NAMES_MAX: usize = 1_000;

/// The whole load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadReport {
    /// Indexed by the source number of `tables::unpack_source`.
    pub sources: Vec<SourceReport>,
    /// By table name.
    pub tables: BTreeMap<String, TableReport>,
    /// Bytes after inflating.
    pub bytes: u64,
    /// Files and members of archives that were not opened: the date in their path lies outside the times asked for.
    #[serde(default)]
    pub outside: u64,
}

/// One file or archive member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceReport {
    pub path: String,
    /// The name inside an archive.
    pub member: Option<String>,
    /// `json`, `csv`, `parquet`..., with the compression: `json, gzip`.
    pub format: String,
    /// The kinds of records recognised, by name of the source that maps them.
    pub kinds: BTreeMap<String, u64>,
    /// Rows by table, duplicates included.
    pub tables: BTreeMap<String, u64>,
    /// Everything the source holds, whatever became of it.
    pub records: u64,
    pub rows: u64,
    pub duplicates: u64,
    /// Rows without a time of their own: visible to queries, in no window.
    pub undated: u64,
    /// Rows with a time before 2006 or more than a day after the file was written.
    pub implausible: u64,
    /// Records that are nobody's row, by kind (`resource log of StorageBlobLogs`, `CloudTrail digest`).
    pub other: BTreeMap<String, Tally>,
    /// Records that could not be read, by reason.
    pub unreadable: BTreeMap<String, Tally>,
    /// Records that were mended on the way to a row, by what was mended (`invalid UTF-8`, `lower-case field names`).
    pub mended: BTreeMap<String, Tally>,
    /// Fields that no column takes, by path.
    pub unmapped: BTreeMap<String, u64>,
    /// Values that did not fit their column's type, by `table.column`.
    pub misfits: BTreeMap<String, Tally>,
    /// Times that CloudTrail's digests cover, by account and region.
    #[serde(default)]
    pub covered: BTreeMap<String, Vec<Gap>>,
    /// Members of the archive that were not opened: the date in their name lies outside the times asked for.
    #[serde(default)]
    pub outside: u64,
    /// Why reading stopped before the end: a truncated gzip, a size limit, an I/O error.
    pub stopped: Option<String>,
    /// Things worth knowing that are no record's fault (`50 events exactly: probably cut by a limit`).
    pub notes: Vec<String>,
    /// Of the bytes as they lie on disk, in hexadecimal; empty for a file that is not read here.
    pub sha256: String,
    /// Bytes after inflating.
    pub bytes: u64,
    /// Ticks of the first and last row, implausible ones left out.
    pub first: Option<i64>,
    pub last: Option<i64>,
}

/// A count with the first thing that was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub count: u64,
    pub first: Example,
}

/// Where the first of many was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// From 0.
    pub record: u64,
    /// Bytes after inflating, from 0.
    pub offset: u64,
    /// From 1.
    pub line: u64,
    /// What stood there, shortened; control characters escaped.
    pub text: String,
}

/// The rows of one table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TableReport {
    pub rows: u64,
    pub undated: u64,
    pub implausible: u64,
    /// Ticks of the first and last row, implausible ones left out.
    pub first: Option<i64>,
    pub last: Option<i64>,
    /// Times of more than an hour without a row.
    pub gaps: Vec<Gap>,
    /// Rows by hour (ticks of the hour's start).
    pub hours: BTreeMap<i64, u64>,
    /// Accounts, tenants, subscriptions, projects and regions seen, by column, with their rows.
    pub seen: BTreeMap<String, BTreeMap<String, u64>>,
}

/// A stretch of time in ticks; of a table without rows: from the last row before to the first after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub from: i64,
    pub to: i64,
}

impl LoadReport {
    /// Times between CloudTrail's digests that no digest covers, by account and region: their log files are missing, or were
    /// never written.
    pub fn uncovered(&self) -> BTreeMap<String, Vec<Gap>> {
        let mut covered: BTreeMap<&str, Vec<Gap>> = BTreeMap::new();
        for (whose, spans) in self.sources.iter().flat_map(|source| &source.covered) {
            covered.entry(whose).or_default().extend(spans);
        }
        let gaps = |mut spans: Vec<Gap>| {
            spans.sort_by_key(|span| (span.from, span.to));
            let mut end = None;
            let mut gaps = Vec::new();
            for span in spans {
                if let Some(end) = end.filter(|end| *end < span.from) {
                    gaps.push(Gap { from: end, to: span.from });
                }
                end = end.max(Some(span.to));
            }
            gaps
        };
        covered.into_iter().map(|(whose, spans)| (whose.to_owned(), gaps(spans))).collect()
    }
}

impl TableReport {
    /// Adds rows of the same table that were gathered apart. Gaps are those that neither part fills.
    pub(crate) fn add(&mut self, other: TableReport) {
        self.rows += other.rows;
        self.undated += other.undated;
        self.implausible += other.implausible;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.gaps.retain(|gap| !other.hours.keys().any(|hour| (gap.from..gap.to).contains(hour)));
        for (hour, rows) in other.hours {
            *self.hours.entry(hour).or_default() += rows;
        }
        for (column, values) in other.seen {
            let seen = self.seen.entry(column).or_default();
            for (value, rows) in values {
                *seen.entry(value).or_default() += rows;
            }
        }
    }
}

impl SourceReport {
    /// Records of other kinds.
    pub fn other_count(&self) -> u64 {
        self.other.values().map(|tally| tally.count).sum()
    }

    /// Records that could not be read.
    pub fn unreadable_count(&self) -> u64 {
        self.unreadable.values().map(|tally| tally.count).sum()
    }

    /// Adds what was found further on in the same source.
    pub(crate) fn absorb(&mut self, later: SourceReport) {
        if !later.path.is_empty() {
            (self.path, self.member, self.format) = (later.path, later.member, later.format);
            self.sha256 = later.sha256;
        }
        for (sums, counts) in
            [(&mut self.kinds, later.kinds), (&mut self.tables, later.tables), (&mut self.unmapped, later.unmapped)]
        {
            for (name, count) in counts {
                let known = sums.contains_key(&name) || sums.len() < NAMES_MAX;
                *sums.entry(if known { name } else { "…".to_owned() }).or_default() += count;
            }
        }
        for (whose, spans) in later.covered {
            self.covered.entry(whose).or_default().extend(spans);
        }
        self.records += later.records;
        self.rows += later.rows;
        self.bytes += later.bytes;
        self.outside += later.outside;
        for (tallies, more) in [
            (&mut self.other, later.other),
            (&mut self.unreadable, later.unreadable),
            (&mut self.mended, later.mended),
            (&mut self.misfits, later.misfits),
        ] {
            for (kind, tally) in more {
                tallies.entry(kind).and_modify(|before| before.count += tally.count).or_insert(tally);
            }
        }
        self.stopped = self.stopped.take().or(later.stopped);
        self.notes.extend(later.notes);
    }

    /// True when every record is accounted for.
    pub fn adds_up(&self) -> bool {
        self.records == self.rows + self.duplicates + self.other_count() + self.unreadable_count()
    }
}

/// Counts one more of a kind and keeps the first as an example.
pub(crate) fn tally(map: &mut BTreeMap<String, Tally>, kind: &str, first: impl FnOnce() -> Example) {
    match map.get_mut(kind) {
        Some(tally) => tally.count += 1,
        None => {
            map.insert(kind.to_owned(), Tally { count: 1, first: first() });
        }
    }
}

/// Foreign text, short and harmless to print.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const LENGTH_MAX: usize = 120;
    let head = bytes.get(..bytes.len().min(LENGTH_MAX * 4)).unwrap_or_default();
    let mut out = String::new();
    for character in String::from_utf8_lossy(head).chars().take(LENGTH_MAX) {
        match character {
            control if control.is_control() => out.extend(control.escape_default()),
            other => out.push(other),
        }
    }
    if bytes.len() > head.len() || head.len() > LENGTH_MAX {
        out.push('…');
    }
    out
}
