//! What a source's numbers say of how it was made: limits of the tool that exported it, and spreadsheets it went
//! through.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kql_types::datetime::{self, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE};

use crate::report::SourceReport;

/// A limit of an export: how many events it gives unless told otherwise.
struct Limit {
    /// Of the records; see `SourceReport::kinds`.
    kind: &'static str,
    /// The format begins with this.
    format: &'static str,
    records: u64,
    what: &'static str,
}

const LIMITS: &[Limit] = &[
    Limit {
        kind: "azure-activity-rest",
        format: "json",
        records: 50,
        what: "`az monitor activity-log list` gives no more unless --max-events is given",
    },
    Limit {
        kind: "azure-activity-rest",
        format: "json",
        records: 1_000,
        what: "`Get-AzActivityLog` gives no more unless -MaxRecord is given",
    },
    Limit {
        kind: "exported rows",
        format: "csv",
        records: 30_000,
        what: "the portal shows no more; export a shorter time at once, or ask the query interface",
    },
    Limit { kind: "m365-audit", format: "csv", records: 100, what: AUDIT_PAGE },
    Limit { kind: "m365-audit", format: "csv", records: 5_000, what: AUDIT_PAGE },
    Limit {
        kind: "m365-audit",
        format: "csv",
        records: 50_000,
        what: "a search of the audit log gives no more: search a shorter time at once",
    },
    Limit {
        kind: "exported rows",
        format: "json",
        records: 500_000,
        what: "the query interface gives no more; ask for a shorter time at once",
    },
];

/// Limits of searches in the unified audit log.
const AUDIT_PAGE: &str = "`Search-UnifiedAuditLog` gives no more at once: page with -SessionCommand ReturnLargeSet";

/// Spans that exports have unless told otherwise.
const SPANS: &[(&str, i64, &str)] = &[
    (
        "azure-activity-rest",
        6,
        "`az monitor activity-log list` takes the last 6 hours unless --offset or --start-time is given",
    ),
    ("gcp-audit", 24, "`gcloud logging read` takes the last day unless --freshness is given"),
];

/// Fewer events than this say nothing by their span.
const SPAN_RECORDS_MIN: u64 = 20;

/// What is suspicious about a source.
pub(crate) fn of(report: &SourceReport) -> Vec<String> {
    let mut notes = Vec::new();
    let count = |kind: &str| report.kinds.get(kind).copied().unwrap_or_default();
    for limit in LIMITS {
        let all = count(limit.kind);
        if all == limit.records && report.records == all && report.format.starts_with(limit.format) {
            notes.push(format!("{all} events exactly, probably cut off: {}", limit.what));
        }
    }
    for (kind, hours, what) in SPANS {
        let (Some(first), Some(last)) = (report.first, report.last) else { continue };
        let (least, most) = (hours * TICKS_PER_HOUR - 15 * TICKS_PER_MINUTE, hours * TICKS_PER_HOUR);
        // A file of one calendar day spans a day because somebody cut it so.
        let midnight = (first - datetime::UNIX_EPOCH).rem_euclid(TICKS_PER_DAY) < 15 * TICKS_PER_MINUTE;
        if *hours == 24 && midnight {
            continue;
        }
        if count(kind) >= SPAN_RECORDS_MIN && count(kind) == report.records && (least..=most).contains(&(last - first))
        {
            notes.push(format!("the events span {hours} hours, probably cut off: {what}"));
        }
    }
    notes
}

/// What spreadsheets do to the cells of a file that was opened and saved.
#[derive(Default)]
pub(crate) struct Spreadsheet {
    /// By place and name of the column: texts cut at the most a cell holds, numbers in scientific notation, times without
    /// seconds.
    seen: BTreeMap<(usize, String), [u64; 3]>,
}

/// Characters that a spreadsheet's cell holds at most.
const CELL_MAX: usize = 32_767;

impl Spreadsheet {
    pub(crate) fn see(&mut self, names: &[Cow<'_, str>], cells: &[Cow<'_, str>]) {
        for (column, cell) in cells.iter().enumerate() {
            let kind = if cell.len() >= CELL_MAX && cell.chars().count() == CELL_MAX {
                0
            } else if is_scientific(cell) {
                1
            } else if is_minute(cell) {
                2
            } else {
                continue;
            };
            let name = names.get(column).map_or("", |name| name.as_ref());
            if let Some(count) = self.seen.entry((column, name.to_owned())).or_default().get_mut(kind) {
                *count += 1;
            }
        }
    }

    /// What was seen, to be written.
    pub(crate) fn counts(&self) -> Vec<(&(usize, String), &[u64; 3])> {
        self.seen.iter().collect()
    }

    /// From what [`Spreadsheet::counts`] gave.
    pub(crate) fn of(counts: Vec<((usize, String), [u64; 3])>) -> Spreadsheet {
        Spreadsheet { seen: counts.into_iter().collect() }
    }

    /// Adds what was seen in another stretch of the file.
    pub(crate) fn add(&mut self, other: Spreadsheet) {
        for (column, counts) in other.seen {
            for (sum, count) in self.seen.entry(column).or_default().iter_mut().zip(counts) {
                *sum += count;
            }
        }
    }

    /// One note for each column and kind of damage.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for ((_, name), [cut, rounded, minutes]) in &self.seen {
            if *cut > 0 {
                notes.push(format!(
                    "{name}: {cut} texts of exactly {CELL_MAX} characters, probably cut by a spreadsheet"
                ));
            }
            if *rounded > 0 {
                notes.push(format!("{name}: {rounded} numbers like 1.23E+11, probably rounded by a spreadsheet"));
            }
            if *minutes > 0 {
                notes.push(format!("{name}: {minutes} times without seconds, probably cut by a spreadsheet"));
            }
        }
        notes
    }
}

/// `1.23E+11`, as spreadsheets show long numbers.
fn is_scientific(cell: &str) -> bool {
    let Some((mantissa, exponent)) = cell.split_once("E+") else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    whole.len() == 1 && digits(whole) && digits(fraction) && digits(exponent) && exponent.len() <= 3
}

/// `3/1/2026 10:05`, as spreadsheets show times.
fn is_minute(cell: &str) -> bool {
    let Some((date, clock)) = cell.split_once(' ') else { return false };
    let number =
        |text: &str, most: usize| !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
    let dated = |separator: char| {
        let parts: Vec<&str> = date.split(separator).collect();
        matches!(parts.as_slice(), [a, b, c] if number(a, 2) && number(b, 2) && number(c, 4))
    };
    let clock = clock.strip_suffix(" AM").or_else(|| clock.strip_suffix(" PM")).unwrap_or(clock);
    let timed =
        clock.split_once(':').is_some_and(|(hour, minute)| number(hour, 2) && minute.len() == 2 && number(minute, 2));
    timed && (dated('/') || dated('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_spreadsheets_cut() {
        assert!(is_minute("3/1/2026 10:05") && is_minute("01.03.2026 9:05") && is_minute("3/1/26 9:05 PM"));
        assert!(
            !is_minute("3/1/2026 10:05:00")
                && !is_minute("2026-03-01 10:05")
                && !is_minute("1/2 10:05")
                && !is_minute("x")
        );
    }

    #[test]
    fn numbers_that_spreadsheets_rounded() {
        assert!(is_scientific("1.23457E+11") && is_scientific("1E+11"));
        assert!(
            !is_scientific("12E+11") && !is_scientific("1.2E-3") && !is_scientific("E+1") && !is_scientific("aE+b")
        );
    }
}
