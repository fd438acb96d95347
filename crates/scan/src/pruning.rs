//! Filters on plan columns as predicates on the columns of a file, for leaving out files, row groups and pages.
//!
//! A predicate may keep more rows than the filter, never fewer: the filter itself runs again above the scan. What can't
//! be said about a file's columns is left out.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::expressions::{BinaryExpr as PhysicalBinary, Column, Literal};
use kql_types::ScalarType;
use kql_types::datetime::UNIX_EPOCH;

use crate::ScanColumn;
use crate::file::FilePart;
use crate::layout::tick_ratio;

/// A comparison of a plan column with a constant.
struct Comparison<'a> {
    column: &'a ScanColumn,
    op: Operator,
    value: &'a ScalarValue,
}

/// Whether a filter can say anything about files.
pub(crate) fn is_useful(filter: &Expr, columns: &[ScanColumn]) -> bool {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            is_useful(left, columns) || is_useful(right, columns)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            is_useful(left, columns) && is_useful(right, columns)
        }
        Expr::InList(list) if !list.negated => {
            matches!(list.expr.as_ref(), Expr::Column(_))
                && list.list.iter().all(|item| matches!(item, Expr::Literal(..)))
        }
        _ => comparison(filter, columns).is_some(),
    }
}

/// The predicate that all filters together mean for the columns of a file; None when they say nothing.
pub(crate) fn predicate_of_all(
    filters: &[Expr],
    columns: &[ScanColumn],
    file: &FilePart,
    schema: &Schema,
) -> Option<Arc<dyn PhysicalExpr>> {
    let predicates = filters.iter().filter_map(|filter| predicate(filter, columns, file, schema));
    predicates.reduce(|all, one| binary(all, Operator::And, one))
}

/// The predicate that a filter means for the columns of a file.
fn predicate(filter: &Expr, columns: &[ScanColumn], file: &FilePart, schema: &Schema) -> Option<Arc<dyn PhysicalExpr>> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            match (predicate(left, columns, file, schema), predicate(right, columns, file, schema)) {
                (Some(left), Some(right)) => Some(binary(left, Operator::And, right)),
                (one, other) => one.or(other),
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let left = predicate(left, columns, file, schema)?;
            Some(binary(left, Operator::Or, predicate(right, columns, file, schema)?))
        }
        Expr::InList(list) if !list.negated => {
            let column = scan_column(&list.expr, columns)?;
            let mut any: Option<Arc<dyn PhysicalExpr>> = None;
            for item in &list.list {
                let Expr::Literal(value, _) = item else { return None };
                let one = on_file(&Comparison { column, op: Operator::Eq, value }, file, schema)?;
                any = Some(match any {
                    Some(any) => binary(any, Operator::Or, one),
                    None => one,
                });
            }
            any
        }
        _ => on_file(&comparison(filter, columns)?, file, schema),
    }
}

/// Whether no row of a file or a row group can pass a filter, by the spans of its time columns.
pub(crate) fn excludes(filter: &Expr, columns: &[ScanColumn], span: &dyn Fn(&str) -> Option<(i64, i64)>) -> bool {
    if let Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) = filter {
        return excludes(left, columns, span) || excludes(right, columns, span);
    }
    let Some(Comparison { column, op, value: ScalarValue::Int64(Some(ticks)) }) = comparison(filter, columns) else {
        return false;
    };
    if column.ty != ScalarType::DateTime {
        return false;
    }
    let Some((first, last)) = span(&column.name) else { return false };
    match op {
        Operator::Gt => last <= *ticks,
        Operator::GtEq => last < *ticks,
        Operator::Lt => first >= *ticks,
        Operator::LtEq => first > *ticks,
        Operator::Eq => *ticks < first || *ticks > last,
        _ => false,
    }
}

/// Whether a filter bounds a time, by which row groups and pages are left out already.
pub(crate) fn is_time_bound(filter: &Expr, columns: &[ScanColumn]) -> bool {
    comparison(filter, columns).is_some_and(|comparison| comparison.column.ty == ScalarType::DateTime)
}

fn scan_column<'a>(expr: &Expr, columns: &'a [ScanColumn]) -> Option<&'a ScanColumn> {
    let Expr::Column(named) = expr else { return None };
    columns.iter().find(|column| column.plan_name == named.name)
}

fn comparison<'a>(filter: &'a Expr, columns: &'a [ScanColumn]) -> Option<Comparison<'a>> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else { return None };
    let (column, op, value) = match (left.as_ref(), right.as_ref()) {
        (column, Expr::Literal(value, _)) => (scan_column(column, columns)?, *op, value),
        (Expr::Literal(value, _), column) => (scan_column(column, columns)?, op.swap()?, value),
        _ => return None,
    };
    let known = matches!(op, Operator::Eq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq);
    (known && !value.is_null()).then_some(Comparison { column, op, value })
}

fn on_file(comparison: &Comparison<'_>, file: &FilePart, schema: &Schema) -> Option<Arc<dyn PhysicalExpr>> {
    let Comparison { column, op, value } = comparison;
    let known = file.columns.iter().find(|known| known.name == column.name)?;
    if known.ty != column.ty {
        return None;
    }
    let index = schema.index_of(&column.name).ok()?;
    let ty = schema.field(index).data_type();
    let (op, literal) = match (value, ty) {
        (ScalarValue::Int64(Some(ticks)), DataType::Timestamp(unit, zone)) => {
            let (op, number) = time_bound(*op, *ticks, *unit)?;
            let literal = match unit {
                TimeUnit::Second => ScalarValue::TimestampSecond(Some(number), zone.clone()),
                TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(Some(number), zone.clone()),
                TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(Some(number), zone.clone()),
                TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(Some(number), zone.clone()),
            };
            (op, literal)
        }
        // A null in the file is an empty string, so an empty literal says nothing.
        (ScalarValue::Utf8View(Some(text)), DataType::Utf8View) if !text.is_empty() && *op == Operator::Eq => {
            (*op, (*value).clone())
        }
        (ScalarValue::Int64(_), DataType::Int64)
        | (ScalarValue::Int32(_), DataType::Int32)
        | (ScalarValue::Boolean(_), DataType::Boolean) => (*op, (*value).clone()),
        _ => return None,
    };
    let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(&column.name, index));
    Some(binary(column, op, Arc::new(Literal::new(literal))))
}

/// A bound in ticks as a bound in a unit: `t > 15 ticks` is `t > 1 µs`, `t >= 15 ticks` is `t >= 2 µs`.
fn time_bound(op: Operator, ticks: i64, unit: TimeUnit) -> Option<(Operator, i64)> {
    let since_1970 = ticks.checked_sub(UNIX_EPOCH)?;
    let (times, over) = tick_ratio(unit);
    let scaled = since_1970.checked_mul(over)?;
    let floor = scaled.div_euclid(times);
    let exact = scaled.rem_euclid(times) == 0;
    // Where a unit is finer than a tick, several values of it are one tick.
    let last = over - 1;
    Some(match op {
        Operator::Gt => (Operator::Gt, floor.checked_add(if over > 1 { last } else { 0 })?),
        Operator::GtEq => (Operator::GtEq, if exact { floor } else { floor + 1 }),
        Operator::Lt => (Operator::Lt, if exact { floor } else { floor + 1 }),
        Operator::LtEq => (Operator::LtEq, floor.checked_add(if over > 1 { last } else { 0 })?),
        Operator::Eq if over > 1 => return None,
        Operator::Eq if exact => (Operator::Eq, floor),
        // No value of the unit is this tick: nothing can be equal.
        Operator::Eq => (Operator::Lt, i64::MIN),
        _ => return None,
    })
}

fn binary(left: Arc<dyn PhysicalExpr>, op: Operator, right: Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
    Arc::new(PhysicalBinary::new(left, op, right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_in_ticks_keep_every_row() {
        let at = |ticks: i64| UNIX_EPOCH + ticks;
        let micro = TimeUnit::Microsecond;
        assert_eq!(time_bound(Operator::Gt, at(15), micro), Some((Operator::Gt, 1)));
        assert_eq!(time_bound(Operator::GtEq, at(15), micro), Some((Operator::GtEq, 2)));
        assert_eq!(time_bound(Operator::GtEq, at(20), micro), Some((Operator::GtEq, 2)));
        assert_eq!(time_bound(Operator::Lt, at(15), micro), Some((Operator::Lt, 2)));
        assert_eq!(time_bound(Operator::Lt, at(20), micro), Some((Operator::Lt, 2)));
        assert_eq!(time_bound(Operator::LtEq, at(15), micro), Some((Operator::LtEq, 1)));
        assert_eq!(time_bound(Operator::Eq, at(15), micro), Some((Operator::Lt, i64::MIN)));
        assert_eq!(time_bound(Operator::LtEq, at(1), TimeUnit::Nanosecond), Some((Operator::LtEq, 199)));
        assert_eq!(time_bound(Operator::Gt, at(1), TimeUnit::Nanosecond), Some((Operator::Gt, 199)));
        assert_eq!(time_bound(Operator::GtEq, at(-15), micro), Some((Operator::GtEq, -1)));
    }
}
