//! The source records behind alerts: file, archive member, record, `_ItemId`.

use std::collections::{BTreeSet, HashMap};

use ::report::model::SourceRecord;
use anyhow::Result;
use connectors::Loaded;
use detections::alert::Alert;
use tables::{TableRole, TableSchema, unpack_source};

use crate::exit::Failure;

/// Where one record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub path: String,
    pub member: Option<String>,
    /// From 0 within the file or member.
    pub record: u64,
    pub item_id: Option<String>,
    pub table: Option<String>,
    /// `TimeGenerated`, in ticks; None for rows of reference tables.
    pub time: Option<i64>,
}

/// The places of all records behind a hunt's alerts.
#[derive(Debug, Default)]
pub struct Places {
    by_packed: HashMap<i64, Place>,
}

impl Places {
    /// Looks up the records behind these alerts: one pass over the places of the rows.
    ///
    /// # Errors
    /// When a file of the load can no longer be read.
    pub fn of_alerts(alerts: &[Alert], loaded: &Loaded) -> Result<Places> {
        Places::in_tables(alerts, loaded, &|_| true)
    }

    /// [`Places::of_alerts`] for alerts whose records are in certain tables.
    ///
    /// # Errors
    /// When a file of the load can no longer be read.
    pub fn in_tables(alerts: &[Alert], loaded: &Loaded, may_hold: &dyn Fn(&str) -> bool) -> Result<Places> {
        let rows = alerts.iter().flat_map(|alert| &alert.rows);
        let wanted: BTreeSet<i64> = rows.flat_map(|row| row.sources.places.iter().copied()).collect();
        let mut by_packed = HashMap::with_capacity(wanted.len());
        for packed in &wanted {
            let (source, record) = unpack_source(*packed);
            let Some(report) = loaded.report.sources.get(source as usize) else { continue };
            let place = Place {
                path: report.path.clone(),
                member: report.member.clone(),
                record,
                item_id: None,
                table: None,
                time: None,
            };
            by_packed.insert(*packed, place);
        }
        for row in loaded.rows_at(&wanted, may_hold).map_err(|error| Failure::input(error.to_string()))? {
            let Some(place) = by_packed.get_mut(&row.place) else { continue };
            // Rows that say how things are, such as identities, are stamped when they are loaded: nothing happened then.
            let happened = TableSchema::new(row.table.as_str(), Vec::new()).role != TableRole::Reference;
            (place.table, place.time, place.item_id) = (Some(row.table), row.time.filter(|_| happened), row.item_id);
        }
        Ok(Places { by_packed })
    }

    /// The times of the first and the last record behind an alert.
    pub fn times(&self, alert: &Alert) -> Option<(i64, i64)> {
        let packed = alert.rows.iter().flat_map(|row| &row.sources.places);
        let times = packed.filter_map(|packed| self.get(*packed)?.time);
        times.fold(None, |span, time| match span {
            None => Some((time, time)),
            Some((first, last)) => Some((time.min(first), time.max(last))),
        })
    }

    pub fn get(&self, packed: i64) -> Option<&Place> {
        self.by_packed.get(&packed)
    }

    /// A place as the report shows it.
    pub fn record(&self, packed: i64) -> Option<SourceRecord> {
        let place = self.get(packed)?;
        Some(SourceRecord {
            path: place.path.clone(),
            member: place.member.clone(),
            record: place.record,
            table: place.table.clone(),
            item_id: place.item_id.clone(),
        })
    }
}

impl Place {
    /// `logs/trail.json.gz record 12`.
    pub fn label(&self) -> String {
        let member = self.member.as_ref().map(|member| format!(" in {member}")).unwrap_or_default();
        format!("{}{member} record {}", self.path, self.record)
    }
}
