//! The two tables, full of what is easily got wrong, and the ways in which they are stored and read.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, TimestampMicrosecondArray};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use engine::{Engine, TableCatalog};
use kql_types::{Column, Dynamic, ScalarType as T, Value, datetime};
use scan::DataSet;
use tables::TableSchema;

use super::chance::Chance;
use super::grammar::{EVENTS, HOSTS};

/// Rows of the left and of the right table.
const EVENT_ROWS: usize = 90;
const HOST_ROWS: usize = 24;
/// Rows of the batches of odd length, in turn.
const ODD_ROWS: [usize; 5] = [1, 7, 2, 13, 5];
/// Rows of a row group of the second Parquet form.
const GROUP_ROWS: usize = 17;

/// How the rows of one way compare with those of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alike {
    /// The same rows in the same order: the engine promises this for any number of partitions.
    InOrder,
    /// The same rows where the language says which they are, and as many where it does not.
    ByClass,
}

/// One way to run a query.
pub struct Way {
    pub name: &'static str,
    pub engine: Engine,
    pub partitions: usize,
    pub batch_rows: Option<usize>,
    pub as_lowered: bool,
    pub alike: Alike,
}

/// The clock of every run.
pub fn now() -> i64 {
    datetime::parse("2026-03-02T12:00:00Z").unwrap_or(datetime::UNIX_EPOCH)
}

/// All ways; the first is the one that the others are compared with.
pub fn ways(folder: &Path) -> anyhow::Result<Vec<Way>> {
    let (mut whole, mut odd, mut stored, mut groups) = (DataSet::new(), DataSet::new(), DataSet::new(), DataSet::new());
    for (name, columns, rows, seed) in [("Events", EVENTS, EVENT_ROWS, 11), ("Hosts", HOSTS, HOST_ROWS, 5)] {
        let batch = batch(columns, rows, seed)?;
        let known = || columns.iter().map(|(name, ty)| Column::new(*name, *ty)).collect::<Vec<_>>();
        whole.add_batches(name, known(), vec![batch.clone()])?;
        odd.add_batches(name, known(), pieces(&batch))?;
        let path = folder.join(format!("{name}.parquet"));
        write(&path, columns, &batch, rows)?;
        stored.add_parquet(name, &path)?;
        let path = folder.join(format!("{name}.groups.parquet"));
        write(&path, columns, &batch, GROUP_ROWS)?;
        groups.add_parquet(name, &path)?;
    }
    let [whole, odd, stored, groups] = [whole, odd, stored, groups].map(engine);
    let way = |name, engine: &Engine, partitions, batch_rows, as_lowered, alike| Way {
        name,
        engine: engine.clone(),
        partitions,
        batch_rows,
        as_lowered,
        alike,
    };
    Ok(vec![
        way("memory, 1 partition", &whole, 1, None, false, Alike::InOrder),
        way("memory, as lowered", &whole, 1, None, true, Alike::ByClass),
        way("memory, 2 partitions", &whole, 2, None, false, Alike::InOrder),
        way("Parquet, 1 partition", &stored, 1, None, false, Alike::ByClass),
        way("batches of 1", &whole, 1, Some(1), false, Alike::ByClass),
        way("odd batches, 2 partitions, batches of 7", &odd, 2, Some(7), false, Alike::ByClass),
        way("Parquet in row groups, 2 partitions, as lowered", &groups, 2, Some(8_192), true, Alike::ByClass),
    ])
}

fn engine(data: DataSet) -> Engine {
    let columns = |table: &[(&str, T)]| table.iter().map(|(name, ty)| Column::new(*name, *ty)).collect();
    let schemas = [TableSchema::new("Events", columns(EVENTS)), TableSchema::new("Hosts", columns(HOSTS))];
    Engine::new(Arc::new(TableCatalog::new().with_schemas(schemas)), Arc::new(data))
}

fn batch(columns: &[(&str, T)], rows: usize, seed: u64) -> anyhow::Result<RecordBatch> {
    let mut chance = Chance::new(seed);
    let mut arrays = Vec::new();
    for (name, ty) in columns {
        let values: Vec<Value> = (0..rows)
            .map(|row| if *name == "Id" { Value::Long(row as i64 / 2) } else { value(*ty, &mut chance) })
            .collect();
        arrays.push((*name, kql_plan::value::array(*ty, &values.iter().collect::<Vec<_>>())?));
    }
    Ok(RecordBatch::try_from_iter(arrays)?)
}

fn pieces(batch: &RecordBatch) -> Vec<RecordBatch> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    for length in ODD_ROWS.into_iter().cycle() {
        if start >= batch.num_rows() {
            break;
        }
        let length = length.min(batch.num_rows() - start);
        pieces.push(batch.slice(start, length));
        start += length;
    }
    pieces
}

fn value(ty: T, chance: &mut Chance) -> Value {
    const TEXTS: [&str; 14] = [
        "alpha",
        "beta",
        "Alpha",
        "",
        "a",
        "key=7",
        "é",
        "straße",
        "zeta",
        "x y",
        "alpha beta",
        "k=12 tail",
        "10.1.2.3",
        "h1",
    ];
    const LONGS: [i64; 10] = [0, 1, 5, -3, 40, 7, i64::MAX, i64::MIN, 12, -1];
    const REALS: [f64; 9] = [0.5, -1.25, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 2.0, 1e300];
    if ty != T::String && chance.one_in(8) {
        return Value::Null(ty);
    }
    match ty {
        T::Long => Value::Long(chance.pick(&LONGS)),
        T::Int => Value::Int(chance.pick(&[0, 1, 5, -3, i32::MAX, i32::MIN])),
        T::Real => Value::Real(chance.pick(&REALS)),
        T::Bool => Value::Bool(chance.one_in(2)),
        T::DateTime if chance.one_in(20) => Value::DateTime(0),
        T::DateTime => {
            let micros = chance.below(14 * 86_400) as i64 * 1_000_000 + chance.below(1_000_000) as i64;
            Value::DateTime(now() - micros * 10)
        }
        T::Dynamic => Value::Dynamic(document(chance)),
        _ => Value::String(chance.pick(&TEXTS).to_owned()),
    }
}

fn document(chance: &mut Chance) -> Dynamic {
    let text = |chance: &mut Chance| Dynamic::String(chance.pick(&["alpha", "a", "beta", ""]).to_owned());
    match chance.below(8) {
        0 => Dynamic::Array(vec![Dynamic::Long(1), text(chance), Dynamic::Null]),
        1 => Dynamic::Array(Vec::new()),
        2 => Dynamic::Bag(Vec::new()),
        3 => Dynamic::Long(chance.below(4) as i64),
        _ => {
            let tags = (0..chance.below(4)).map(|_| text(chance)).collect();
            let mut items = vec![("name".into(), text(chance)), ("tags".into(), Dynamic::Array(tags))];
            if chance.one_in(2) {
                items.push(("size".into(), Dynamic::Long(chance.below(6) as i64)));
            }
            Dynamic::Bag(items)
        }
    }
}

/// The batch as another tool would store it: times as microseconds in UTC.
fn write(path: &Path, columns: &[(&str, T)], batch: &RecordBatch, group_rows: usize) -> anyhow::Result<()> {
    let mut arrays: Vec<(&str, ArrayRef, bool)> = Vec::new();
    for ((name, ty), array) in columns.iter().zip(batch.columns()) {
        let array: ArrayRef = if *ty == T::DateTime {
            let micros = (0..batch.num_rows()).map(|row| match kql_plan::value_at(array, *ty, row) {
                Value::DateTime(ticks) => Some((ticks - datetime::UNIX_EPOCH) / 10),
                _ => None,
            });
            Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        } else {
            Arc::clone(array)
        };
        arrays.push((name, array, true));
    }
    let batch = RecordBatch::try_from_iter_with_nullable(arrays)?;
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group_rows)).build();
    let mut writer = ArrowWriter::try_new(File::create(path)?, batch.schema(), Some(properties))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}
