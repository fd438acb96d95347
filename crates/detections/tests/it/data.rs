//! Small tables, an engine over them, and hunts with one rule.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::array::{ArrayRef, Int64Array, StringViewArray};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use detections::hunt::{Hunt, HuntInput, HuntOptions, Watcher, hunt};
use detections::library::{self, RuleLibrary};
use detections::profile::{DataProfile, TableProfile};
use detections::schedule::{Mode, TimeSpan};
use detections::selection::Selection;
use engine::{DataSet, Engine, Limits, TableCatalog};
use kql_types::datetime::{TICKS_PER_DAY, TICKS_PER_SECOND};
use kql_types::{Column, ScalarType};
use tables::{TableRole, TableSchema};

/// 2026-03-01, in ticks.
pub fn day_zero() -> i64 {
    kql_types::datetime::parse("2026-03-01").unwrap()
}

pub const MINUTE: i64 = 60 * TICKS_PER_SECOND;
pub const HOUR: i64 = 60 * MINUTE;

/// One row of a test table.
#[derive(Debug, Clone)]
pub struct Event {
    pub time: i64,
    pub who: &'static str,
    pub what: &'static str,
    pub size: i64,
    /// How long after it happened it arrives, in ticks; the smallest number: nothing says when.
    pub arrives: i64,
}

pub fn event(time: i64, who: &'static str, what: &'static str, size: i64) -> Event {
    Event { time: day_zero() + time, who, what, size, arrives: MINUTE }
}

fn columns() -> Vec<Column> {
    vec![
        Column::new("TimeGenerated", ScalarType::DateTime),
        Column::new("Who", ScalarType::String),
        Column::new("What", ScalarType::String),
        Column::new("Size", ScalarType::Long),
    ]
}

fn batch(events: &[Event], source: u32) -> (Vec<Column>, RecordBatch) {
    let all = tables::columns_in_memory(&columns());
    let strings = |part: &dyn Fn(usize, &Event) -> String| -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values(events.iter().enumerate().map(|(i, e)| part(i, e))))
    };
    let longs = |part: &dyn Fn(usize, &Event) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(events.iter().enumerate().map(|(i, e)| part(i, e))))
    };
    let arrays = vec![
        longs(&|_, e| e.time),
        strings(&|_, e| e.who.to_string()),
        strings(&|_, e| e.what.to_string()),
        longs(&|_, e| e.size),
        strings(&|i, _| format!("id-{source}-{i}")),
        Arc::new(Int64Array::from_iter(
            events.iter().map(|e| (e.arrives != i64::MIN).then(|| e.time.saturating_add(e.arrives))),
        )),
        longs(&|i, _| tables::pack_source(source, i as u64)),
    ];
    let fields: Vec<Field> =
        all.iter().map(|c| Field::new(&c.name, tables::arrow_type(c.ty), c.ty != ScalarType::String)).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    (all, batch)
}

/// Known tables: `A_CL` and `B_CL` of events, `R_CL` of reference data; only those with rows have data.
pub struct World {
    pub engine: Engine,
    pub profile: DataProfile,
}

impl World {
    pub fn new(rows: &[(&str, Vec<Event>)]) -> World {
        World::beside(Vec::new(), rows)
    }

    /// The same beside the tables of the service.
    pub fn with_builtin(rows: &[(&str, Vec<Event>)]) -> World {
        let builtin = tables::SchemaSet::builtin();
        World::beside(builtin.names().into_iter().filter_map(|name| builtin.get(name).cloned()).collect(), rows)
    }

    fn beside(known: Vec<TableSchema>, rows: &[(&str, Vec<Event>)]) -> World {
        let schemas = ["A_CL", "B_CL", "R_CL"].map(|name| {
            let mut schema = TableSchema::new(name, columns());
            schema.role = if name == "R_CL" { TableRole::Reference } else { TableRole::Events };
            schema
        });
        let mut data = DataSet::new();
        let mut profile = DataProfile::default();
        for (index, (table, events)) in rows.iter().enumerate() {
            let (columns, batch) = batch(events, index as u32);
            data.add_batches(table, columns, vec![batch]).unwrap();
            let times: Vec<i64> = events.iter().map(|event| event.time).collect();
            let mut hours = BTreeMap::new();
            for time in &times {
                *hours.entry(time - time % HOUR).or_insert(0) += 1;
            }
            let span = times.iter().min().zip(times.iter().max()).map(|(a, b)| TimeSpan { first: *a, last: *b });
            profile.tables.insert(table.to_string(), TableProfile { rows: events.len() as u64, span, hours });
        }
        let catalog = TableCatalog::new().with_schemas(known).with_schemas(schemas).with_data(&data);
        World { engine: Engine::new(Arc::new(catalog), Arc::new(data)), profile }
    }

    pub fn hunt(&self, library: &RuleLibrary, options: &HuntOptions) -> Hunt {
        self.watched(library, options, &AtomicBool::new(false), &())
    }

    /// A hunt with somebody who is told how it goes on.
    pub fn watched(
        &self,
        library: &RuleLibrary,
        options: &HuntOptions,
        interrupted: &AtomicBool,
        watcher: &dyn Watcher,
    ) -> Hunt {
        let input = HuntInput {
            engine: &self.engine,
            library,
            profile: &self.profile,
            is_reference: &|table| table == "R_CL",
            options,
            interrupted,
        };
        hunt(input, watcher)
    }
}

pub fn options() -> HuntOptions {
    HuntOptions {
        mode: Mode::Sweep { from: None, to: None },
        range: TICKS_PER_DAY,
        fidelity: false,
        strict: false,
        threads: 1,
        limits: Limits::default(),
        rule_time: None,
        selection: Selection::default(),
    }
}

/// A library of one scheduled rule.
pub fn scheduled(frequency: &str, period: &str, extra: &str, query: &str) -> RuleLibrary {
    let query: String = query.lines().map(|line| format!("  {line}\n")).collect();
    let text = format!(
        "id: r\nname: r\nseverity: High\nqueryFrequency: {frequency}\nqueryPeriod: {period}\n{extra}query: |\n{query}"
    );
    library::from_texts([("r.yaml", text.as_str())])
}
