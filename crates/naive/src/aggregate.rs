//! Aggregates over the rows of one group.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use kql_semantics::bound::{AggregateCall, ColumnId, Expr, SummarizeItem};
use kql_types::{Dynamic, ScalarType, Value};

use crate::expr::Row;
use crate::value::{convert, element, is_null, key, long, order, real};
use crate::{Context, Done, not_done};

impl Context<'_> {
    /// The outputs of one item of `summarize` over the rows of a group.
    pub fn item(
        &self,
        item: &SummarizeItem,
        places: &HashMap<ColumnId, usize>,
        rows: &[Vec<Value>],
        out: &mut HashMap<ColumnId, Value>,
    ) -> Done<()> {
        match item {
            SummarizeItem::Aggregate { out: id, call } => {
                out.insert(*id, self.aggregate(call, places, rows)?);
            }
            SummarizeItem::ArgExtreme { max, by, by_out, values } => {
                let by = self.column(by, places, rows)?;
                let mut best: Option<usize> = None;
                for at in 0..rows.len() {
                    let better = match best {
                        None => true,
                        Some(known) => match (is_null(&by[known]), is_null(&by[at])) {
                            (known, null) if known != null => known,
                            (true, true) => false,
                            _ => {
                                let wanted = if *max { Ordering::Greater } else { Ordering::Less };
                                order(&by[at], &by[known])? == Some(wanted)
                            }
                        },
                    };
                    if better {
                        best = Some(at);
                    }
                }
                out.insert(*by_out, best.map_or(Value::Null(ScalarType::Long), |at| by[at].clone()));
                for (id, value) in values {
                    let value = match best {
                        Some(at) => self.value(value, Row { places, rows, at })?,
                        None => Value::missing(value.ty),
                    };
                    out.insert(*id, value);
                }
            }
            SummarizeItem::TakeAny { values } => {
                for (id, value) in values {
                    let cell = match rows.is_empty() {
                        true => Value::missing(value.ty),
                        false => self.value(value, Row { places, rows, at: 0 })?,
                    };
                    out.insert(*id, cell);
                }
            }
        }
        Ok(())
    }

    fn column(&self, expr: &Expr, places: &HashMap<ColumnId, usize>, rows: &[Vec<Value>]) -> Done<Vec<Value>> {
        (0..rows.len()).map(|at| self.value(expr, Row { places, rows, at })).collect()
    }

    /// One aggregate: `...if(x, condition)` is the plain one over the rows where the condition holds.
    pub fn aggregate(
        &self,
        call: &AggregateCall,
        places: &HashMap<ColumnId, usize>,
        rows: &[Vec<Value>],
    ) -> Done<Value> {
        let name = call.aggregate.name;
        let arg = |place: usize| match call.args.get(place) {
            Some(expr) => self.column(expr, places, rows),
            None => not_done(name),
        };
        let holds = |place: usize| -> Done<Vec<bool>> {
            Ok(arg(place)?.iter().map(|value| matches!(value, Value::Bool(true))).collect())
        };
        let (plain, condition) = match name {
            "countif" => return Ok(Value::Long(holds(0)?.into_iter().filter(|held| *held).count() as i64)),
            "count" => return Ok(Value::Long(rows.len() as i64)),
            "sumif" | "avgif" | "minif" | "maxif" | "dcountif" | "take_anyif" | "anyif" | "count_distinctif" => {
                (name.trim_end_matches("if"), Some(1))
            }
            "make_set_if" | "make_list_if" => (name.trim_end_matches("_if"), Some(1)),
            other => (other, None),
        };
        let mut values = arg(0)?;
        if let Some(place) = condition {
            let held = holds(place)?;
            values = values.into_iter().zip(held).filter(|(_, held)| *held).map(|(value, _)| value).collect();
        }
        let known: Vec<Value> = values.iter().filter(|value| !is_null(value)).cloned().collect();
        let size = call.args.get(1 + usize::from(condition.is_some()));
        let size = match (plain, size) {
            ("make_set" | "make_list" | "makeset" | "makelist", Some(size)) => {
                let size = self.value(size, Row { places: &HashMap::new(), rows: &[Vec::new()], at: 0 })?;
                usize::try_from(long(&size).unwrap_or(i64::MAX)).unwrap_or(usize::MAX)
            }
            _ => usize::MAX,
        };
        let made = match plain {
            "min" => extreme(&known, Ordering::Less)?,
            "max" => extreme(&known, Ordering::Greater)?,
            "sum" => return total(&known, call.ty),
            "avg" => return mean(&known, call.ty),
            "dcount" | "count_distinct" => {
                let distinct: HashSet<String> = known.iter().map(key).collect();
                Some(Value::Long(distinct.len() as i64))
            }
            "take_any" | "any" => known.first().cloned(),
            "make_set" | "makeset" => {
                let mut seen = HashSet::new();
                let mut set: Vec<Dynamic> = Vec::new();
                for value in elements(&known) {
                    if set.len() < size && seen.insert(value.to_canonical()) {
                        set.push(value);
                    }
                }
                Some(Value::Dynamic(Dynamic::Array(set)))
            }
            "make_list" | "makelist" => {
                Some(Value::Dynamic(Dynamic::Array(elements(&known).into_iter().take(size).collect())))
            }
            "make_bag" | "make_dictionary" => {
                let mut bag: Vec<(String, Dynamic)> = Vec::new();
                for value in known {
                    let Value::Dynamic(Dynamic::Bag(entries)) = value else { continue };
                    for (key, value) in entries {
                        if !bag.iter().any(|(known, _)| *known == key) {
                            bag.push((key, value));
                        }
                    }
                }
                Some(Value::Dynamic(Dynamic::Bag(bag)))
            }
            _ => return not_done(name),
        };
        Ok(made.unwrap_or_else(|| Value::missing(call.ty)))
    }
}

/// The elements that values give a list: of an array, its own.
fn elements(values: &[Value]) -> Vec<Dynamic> {
    let mut all = Vec::new();
    for value in values {
        match value {
            Value::Dynamic(Dynamic::Array(items)) => all.extend(items.iter().cloned()),
            other => all.push(element(other)),
        }
    }
    all
}

fn extreme(values: &[Value], wanted: Ordering) -> Done<Option<Value>> {
    let mut best: Option<&Value> = None;
    for value in values {
        let better = match best {
            None => true,
            Some(known) => order(value, known)? == Some(wanted),
        };
        if better {
            best = Some(value);
        }
    }
    Ok(best.cloned())
}

fn total(values: &[Value], ty: ScalarType) -> Done<Value> {
    match ty {
        ScalarType::Long | ScalarType::Int => {
            let sum = values.iter().filter_map(long).fold(0_i64, i64::wrapping_add);
            convert(&Value::Long(sum), ty)
        }
        ScalarType::Real => Ok(Value::Real(values.iter().filter_map(real).sum())),
        ScalarType::TimeSpan => Ok(Value::TimeSpan(values.iter().filter_map(long).sum())),
        ty => not_done(format!("sum of {ty}")),
    }
}

fn mean(values: &[Value], ty: ScalarType) -> Done<Value> {
    let count = values.len();
    match ty {
        ScalarType::Real => Ok(Value::Real(values.iter().filter_map(real).sum::<f64>() / count as f64)),
        ty => not_done(format!("avg of {ty}")),
    }
}
