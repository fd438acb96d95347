//! The source records behind alerts: file, archive member, record, `_ItemId`.

use std::collections::{BTreeSet, HashMap};

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use connectors::Loaded;
use detections::alert::Alert;
use serde_json::{Value as Json, json};
use tables::unpack_source;

/// Where one record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub path: String,
    pub member: Option<String>,
    /// From 0 within the file or member.
    pub record: u64,
    pub item_id: Option<String>,
    pub table: Option<String>,
    /// `TimeGenerated`, in ticks.
    pub time: Option<i64>,
}

/// The places of all records behind a hunt's alerts.
#[derive(Debug, Default)]
pub struct Places {
    by_packed: HashMap<i64, Place>,
}

impl Places {
    /// Looks up the records behind these alerts: one pass over the rows in memory.
    pub fn of_alerts(alerts: &[Alert], loaded: &Loaded) -> Places {
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
        for (table, batches) in &loaded.tables {
            for batch in batches {
                let Some(sources) = batch.column_by_name(tables::SOURCE_COLUMN) else { continue };
                let Some(sources) = sources.as_primitive_opt::<Int64Type>() else { continue };
                let times = batch.column_by_name("TimeGenerated").and_then(|c| c.as_primitive_opt::<Int64Type>());
                let ids = batch.column_by_name(tables::ITEM_ID_COLUMN).and_then(|ids| ids.as_string_view_opt());
                for (row, packed) in sources.values().iter().enumerate() {
                    let Some(place) = by_packed.get_mut(packed) else { continue };
                    place.table = Some(table.clone());
                    place.time = times.filter(|times| times.is_valid(row)).map(|times| times.value(row));
                    place.item_id = ids.filter(|ids| ids.is_valid(row)).map(|ids| ids.value(row).to_string());
                }
            }
        }
        Places { by_packed }
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
    pub fn json(&self, packed: i64) -> Json {
        let Some(place) = self.get(packed) else { return Json::Null };
        json!({
            "path": place.path,
            "member": place.member,
            "record": place.record,
            "table": place.table,
            "item_id": place.item_id,
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
