//! Runs a query in several ways and compares what came of it.

use std::time::Duration;

use engine::{EngineError, Limits, QueryOptions, QueryOutput};
use kql_types::Value;

use super::data::{Alike, Way, now};
use super::grammar::{Decided, Made};

/// What came of a query.
pub enum Judgement {
    Equal {
        rows: bool,
    },
    /// A diagnostic.
    Refused(String),
    /// A limit, data that cannot be read, or what is not supported.
    Failed(String),
    Internal(String),
    Differs(String),
}

impl Judgement {
    pub fn name(&self) -> &'static str {
        match self {
            Judgement::Equal { rows: true } => "equal, with rows",
            Judgement::Equal { rows: false } => "equal",
            Judgement::Refused(_) => "refused",
            Judgement::Failed(_) => "failed",
            Judgement::Internal(_) => "internal error",
            Judgement::Differs(_) => "differs",
        }
    }
}

/// Runs the query in all ways given.
pub fn judge(made: &Made, ways: &[&Way]) -> Judgement {
    let mut first: Option<Vec<String>> = None;
    for way in ways {
        let options = QueryOptions {
            partitions: Some(way.partitions),
            batch_rows: way.batch_rows,
            as_lowered: way.as_lowered,
            limits: Limits {
                time: Some(Duration::from_secs(120)),
                memory: Some(1 << 30),
                result_rows: Some(1_000_000),
            },
            ..QueryOptions::at(now())
        };
        let rows = match way.engine.run_blocking(&made.text, &options) {
            Ok(output) => rows_of(&output),
            Err(error) => {
                let text = format!("{}: {}", way.name, error.to_string().lines().next().unwrap_or_default());
                return match &error {
                    // Also behind a way that accepts it: a regex in the data that does not compile is found where it is
                    // evaluated, and plans differ in what they need not evaluate.
                    EngineError::Diagnostics(_) => Judgement::Refused(error.to_string()),
                    EngineError::Bug(_) => Judgement::Internal(text),
                    _ => Judgement::Failed(text),
                };
            }
        };
        let Some(known) = &first else {
            first = Some(rows);
            continue;
        };
        if let Some(difference) = difference(known, &rows, way.alike, made.decided) {
            return Judgement::Differs(format!("{}: {difference}", way.name));
        }
    }
    Judgement::Equal { rows: first.is_some_and(|rows| !rows.is_empty()) }
}

/// How the rows differ, if they do.
fn difference(known: &[String], rows: &[String], alike: Alike, decided: Decided) -> Option<String> {
    if known == rows || alike == Alike::ByClass && decided == Decided::Nothing {
        return None;
    }
    if known.len() != rows.len() {
        return Some(format!("{} rows against {}", rows.len(), known.len()));
    }
    if alike == Alike::ByClass && decided == Decided::Number {
        return None;
    }
    let (mut one, mut other) = (known.to_vec(), rows.to_vec());
    one.sort_unstable();
    other.sort_unstable();
    if one == other {
        return (alike == Alike::InOrder).then(|| "the same rows in another order".to_owned());
    }
    let missing = one.iter().find(|row| other.binary_search(row).is_err());
    let extra = other.iter().find(|row| one.binary_search(row).is_err());
    Some(format!("\n// {missing:?}\n// {extra:?}"))
}

/// The rows as texts; reals to nine digits, as the last ones depend on how a sum was parted.
fn rows_of(output: &QueryOutput) -> Vec<String> {
    let mut rows = Vec::new();
    for table in &output.tables {
        for batch in &table.batches {
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter().zip(&table.columns);
                let cells = cells.map(|(array, column)| match kql_plan::value_at(array, column.ty, row) {
                    Value::Real(number) => format!("{:.9e}", number + 0.0),
                    other => format!("{other:?}"),
                });
                rows.push(cells.collect::<Vec<String>>().join(" | "));
            }
        }
    }
    rows
}
