//! Expressions over one row.
//!
//! Begin at [`Context::value`].

use std::collections::HashMap;
use std::rc::Rc;

use kql_semantics::bound::{ColumnId, Expr, ExprKind, PathStep, Rel};
use kql_types::{Dynamic, ScalarType, Value};

use crate::value::{convert, equal, is_null, long, plain, text, truth};
use crate::{Context, Done, Table, not_done};

/// A row among the others of its table.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub places: &'a HashMap<ColumnId, usize>,
    pub rows: &'a [Vec<Value>],
    pub at: usize,
}

impl Row<'_> {
    fn column(&self, id: ColumnId) -> Done<Value> {
        let cell = self.places.get(&id).and_then(|place| self.rows.get(self.at)?.get(*place));
        cell.map_or_else(|| not_done(format!("column {id:?} of another row")), |cell| Ok(cell.clone()))
    }
}

pub fn from_truth(value: Option<bool>) -> Value {
    value.map_or(Value::Null(ScalarType::Bool), Value::Bool)
}

impl Context<'_> {
    pub fn is_true(&self, expr: &Expr, row: Row<'_>) -> Done<bool> {
        Ok(truth(&self.value(expr, row)?) == Some(true))
    }

    pub fn value(&self, expr: &Expr, row: Row<'_>) -> Done<Value> {
        match &expr.kind {
            ExprKind::Literal(value) => Ok(value.clone()),
            ExprKind::Column(id) => row.column(*id),
            ExprKind::And(parts) => self.all(parts, row, false),
            ExprKind::Or(parts) => self.all(parts, row, true),
            ExprKind::Not(inner) => Ok(from_truth(truth(&self.value(inner, row)?).map(|value| !value))),
            ExprKind::Case { branches, otherwise } => {
                for (condition, value) in branches {
                    if self.is_true(condition, row)? {
                        return self.value(value, row);
                    }
                }
                self.value(otherwise, row)
            }
            ExprKind::Coalesce(args) => {
                for arg in args {
                    let value = self.value(arg, row)?;
                    if !is_null(&value) && value != Value::String(String::new()) {
                        return Ok(value);
                    }
                }
                Ok(Value::missing(expr.ty))
            }
            ExprKind::Convert(inner) => convert(&self.value(inner, row)?, expr.ty),
            ExprKind::Path { base, steps } => self.path(base, steps, row),
            ExprKind::In { value, items, case_insensitive, negated } => {
                let value = self.value(value, row)?;
                let items: Done<Vec<Value>> = items.iter().map(|item| self.value(item, row)).collect();
                Ok(Value::Bool(is_in(&value, &items?, *case_insensitive)? != *negated))
            }
            ExprKind::InRel { value, rel, case_insensitive, negated } => {
                let value = self.value(value, row)?;
                let items = self.first_column(rel)?;
                Ok(Value::Bool(is_in(&value, &items, *case_insensitive)? != *negated))
            }
            ExprKind::HasRel { value, rel, all } => {
                let value = text(&self.value(value, row)?);
                let needles = self.first_column(rel)?;
                let mut found = needles.iter().map(|needle| crate::text::has(&value, &text(needle), false));
                Ok(Value::Bool(if *all { found.all(|found| found) } else { found.any(|found| found) }))
            }
            ExprKind::Scalar(rel) => {
                let table = self.nested(rel)?;
                Ok(table.rows.first().and_then(|row| row.first()).cloned().unwrap_or(Value::missing(expr.ty)))
            }
            ExprKind::Call { function, args } => self.call(function.name, args, expr.ty, row),
            ExprKind::Window { function, args } => self.window(function.name, args, expr.ty, row),
            ExprKind::IngestionTime => row.column(crate::INGESTION),
            ExprKind::ScanState { .. } => not_done("scan"),
            ExprKind::Error => not_done("an expression with a mistake"),
        }
    }

    /// `and`, and with `decisive` true `or`: the decisive value wins, then null.
    fn all(&self, parts: &[Expr], row: Row<'_>, decisive: bool) -> Done<Value> {
        let mut unknown = false;
        for part in parts {
            match truth(&self.value(part, row)?) {
                Some(value) if value == decisive => return Ok(Value::Bool(decisive)),
                Some(_) => {}
                None => unknown = true,
            }
        }
        Ok(from_truth((!unknown).then_some(!decisive)))
    }

    fn path(&self, base: &Expr, steps: &[PathStep], row: Row<'_>) -> Done<Value> {
        let mut here = match self.value(base, row)? {
            Value::Dynamic(value) => value,
            other if is_null(&other) => Dynamic::Null,
            other => return not_done(format!("a path into {}", other.ty())),
        };
        for step in steps {
            let next = match step {
                PathStep::Key(key) => here.get(key),
                PathStep::Index(index) => here.at(*index),
                PathStep::Computed(expr) => match plain(&self.value(expr, row)?) {
                    Value::String(key) => here.get(&key),
                    other => long(&other).and_then(|index| here.at(index)),
                },
            };
            here = next.cloned().unwrap_or(Dynamic::Null);
        }
        Ok(Value::Dynamic(here))
    }

    fn nested(&self, rel: &Rel) -> Done<Rc<Table>> {
        let place = std::ptr::from_ref(rel) as usize;
        if let Some(known) = self.nested.borrow().get(&place) {
            return Ok(Rc::clone(known));
        }
        let table = Rc::new(self.table(rel)?);
        if self.scopes.borrow().is_empty() {
            self.nested.borrow_mut().insert(place, Rc::clone(&table));
        }
        Ok(table)
    }

    fn first_column(&self, rel: &Rel) -> Done<Vec<Value>> {
        Ok(self.nested(rel)?.rows.iter().filter_map(|row| row.first().cloned()).collect())
    }

    /// `prev`, `row_number` and the like look at the other rows.
    fn window(&self, name: &str, args: &[Expr], ty: ScalarType, row: Row<'_>) -> Done<Value> {
        let constant = |place: usize, default: i64| match args.get(place) {
            Some(arg) => Ok(long(&self.value(arg, row)?).unwrap_or(default)),
            None => Ok(default),
        };
        let restarts = |place: usize, at: usize| match args.get(place) {
            Some(arg) => self.is_true(arg, Row { at, ..row }),
            None => Ok(false),
        };
        // The first row of the run that this row is in.
        let begin = |place: usize| -> Done<usize> {
            for at in (0..=row.at).rev() {
                if restarts(place, at)? {
                    return Ok(at);
                }
            }
            Ok(0)
        };
        match name {
            "prev" | "next" => {
                let Some(arg) = args.first() else { return not_done(name) };
                let distance = constant(1, 1)?;
                let at = row.at as i64 + if name == "prev" { -distance } else { distance };
                match usize::try_from(at).ok().filter(|at| *at < row.rows.len()) {
                    Some(at) => self.value(arg, Row { at, ..row }),
                    None => match args.get(2) {
                        Some(default) => convert(&self.value(default, row)?, ty),
                        None => Ok(Value::missing(ty)),
                    },
                }
            }
            "row_number" => {
                let first = constant(0, 1)?;
                Ok(Value::Long(first + (row.at - begin(1)?) as i64))
            }
            "row_cumsum" => {
                let Some(arg) = args.first() else { return not_done(name) };
                let mut sum = Value::Long(0);
                for at in begin(1)?..=row.at {
                    let value = self.value(arg, Row { at, ..row })?;
                    if !is_null(&value) {
                        sum = crate::function::arithmetic("+", &sum, &value, ty)?;
                    }
                }
                convert(&sum, ty)
            }
            _ => not_done(name),
        }
    }
}

/// Whether a value is in a list, where an array stands for its elements; a null is in none.
pub fn is_in(value: &Value, items: &[Value], case_insensitive: bool) -> Done<bool> {
    if is_null(value) {
        return Ok(false);
    }
    for item in items {
        let found = match item {
            Value::Dynamic(Dynamic::Array(elements)) => {
                let elements: Vec<Value> = elements.iter().cloned().map(Value::Dynamic).collect();
                is_in(value, &elements, case_insensitive)?
            }
            // A column that nobody knows, beside a text: no text is null.
            Value::Null(ScalarType::Unknown) if value.ty() == ScalarType::String => text(value).is_empty(),
            item if case_insensitive => {
                crate::text::fold(&text(value)) == crate::text::fold(&text(item)) && !is_null(item)
            }
            item => match (plain(value), plain(item)) {
                (Value::String(left), right) | (right, Value::String(left)) if !is_null(&right) => left == text(&right),
                _ => equal(value, item)? == Some(true),
            },
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}
