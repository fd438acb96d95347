//! A query step by step: how many rows each operator lets through, and why the nearest row of the last one did not pass.
//!
//! Every prefix of the bound query is counted on the same data at the same clock; conditions joined by `and` are steps of their
//! own. What joins and unions read is listed before them, one level deeper. Start at [`steps`].

use engine::{Engine, EngineError, QueryOptions};
use kql_semantics::bound::{
    AggregateCall, BoundColumn, BoundQuery, BoundResult, ColumnId, Expr, ExprKind, Rel, RelKind, SummarizeItem,
};
use kql_types::{ScalarType, Span, Value};

use crate::cell;
use kql_semantics::walk::{conjuncts, inputs, operands};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// 0 for the query's main line; what a join or union reads stands deeper.
    pub depth: usize,
    /// The step as the query writes it, blanks folded.
    pub text: String,
    /// None for what reads a table.
    pub rows_in: Option<u64>,
    pub rows_out: u64,
    /// Where a condition let no row through: the row that came nearest.
    pub nearest: Option<NearestRow>,
}

/// The row that passed most conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearestRow {
    /// The first condition that it failed.
    pub condition: String,
    /// The columns of that condition.
    pub values: Vec<(String, String)>,
}

impl Step {
    /// Whether the step let some rows in and none out.
    pub fn loses_all(&self) -> bool {
        self.rows_in.is_some_and(|rows| rows > 0) && self.rows_out == 0
    }

    /// Whether the step dropped any row.
    pub fn drops(&self) -> bool {
        self.rows_in.is_some_and(|rows| rows > self.rows_out)
    }
}

/// Rows that are looked at for the nearest one.
const ROWS_MAX: i64 = 10_000;

/// Counts the steps of a bound query; `text` is what it was bound from.
///
/// # Errors
/// A part of the query that cannot be run.
pub fn steps(
    engine: &Engine,
    text: &str,
    bound: &BoundQuery,
    options: &QueryOptions,
) -> Result<Vec<Step>, EngineError> {
    let mut counter = Counter { engine, text, bound, options, found: Vec::new(), shared: Vec::new(), next_id: 1 << 29 };
    if let Some(result) = bound.results.first() {
        counter.visit(&result.rel, 0)?;
    }
    Ok(counter.found)
}

/// The steps as lines of a table: rows in, rows out, the step.
pub fn lines(steps: &[Step]) -> Vec<String> {
    let mut lines = Vec::new();
    for step in steps {
        let rows_in = step.rows_in.map_or_else(|| "-".to_string(), |rows| rows.to_string());
        let mark = if step.loses_all() { "  <- loses all" } else { "" };
        let indent = "  ".repeat(step.depth);
        lines.push(format!("{rows_in:>10} -> {:<10} {indent}{}{mark}", step.rows_out, step.text));
        if let Some(nearest) = &step.nearest {
            let values: Vec<String> = nearest.values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            lines.push(format!("{:>24} {indent}nearest row fails `{}`: {}", "", nearest.condition, values.join(", ")));
        }
    }
    lines
}

struct Counter<'a> {
    engine: &'a Engine,
    text: &'a str,
    bound: &'a BoundQuery,
    options: &'a QueryOptions,
    found: Vec<Step>,
    /// Shared parts that were listed: (id, rows).
    shared: Vec<(u32, u64)>,
    next_id: u32,
}

impl Counter<'_> {
    /// Lists what leads to a relation and gives the number of its rows.
    fn visit(&mut self, rel: &Rel, depth: usize) -> Result<u64, EngineError> {
        match rel.kind.as_ref() {
            RelKind::Filter { input, predicate } => {
                let rows_in = self.visit(input, depth)?;
                self.conditions(input, predicate, depth, rows_in)
            }
            // One row for one row: nothing to tell.
            RelKind::Project { input, .. } | RelKind::Sort { input, .. } | RelKind::Serialize { input } => {
                self.visit(input, depth)
            }
            RelKind::Materialize { id, input } => {
                if let Some((_, rows)) = self.shared.iter().find(|(known, _)| known == id) {
                    return Ok(*rows);
                }
                let rows = self.visit(input, depth)?;
                self.shared.push((*id, rows));
                Ok(rows)
            }
            RelKind::Join { .. } | RelKind::Union { .. } => {
                let mut rows_in = Vec::new();
                for input in inputs(rel) {
                    rows_in.push(self.visit(input, depth + 1)?);
                }
                let rows_in = match rel.kind.as_ref() {
                    RelKind::Join { .. } => rows_in.first().copied(),
                    _ => Some(rows_in.iter().sum()),
                };
                self.operator(rel, depth, rows_in)
            }
            _ => {
                let rows_in = match inputs(rel).first() {
                    Some(input) => Some(self.visit(input, depth)?),
                    None => None,
                };
                self.operator(rel, depth, rows_in)
            }
        }
    }

    fn operator(&mut self, rel: &Rel, depth: usize, rows_in: Option<u64>) -> Result<u64, EngineError> {
        let rows_out = self.count(rel)?;
        self.found.push(Step { depth, text: self.text_of(rel), rows_in, rows_out, nearest: None });
        Ok(rows_out)
    }

    /// Each condition of a filter as a step of its own.
    fn conditions(&mut self, input: &Rel, predicate: &Expr, depth: usize, rows_in: u64) -> Result<u64, EngineError> {
        let parts = conjuncts(predicate);
        let mut rows = rows_in;
        for count in 1..=parts.len() {
            let some: Vec<Expr> = parts.iter().take(count).map(|part| Expr::clone(part)).collect();
            let span = parts.get(count - 1).map_or(predicate.span, |part| part.span);
            let condition = Expr { kind: ExprKind::And(some), ty: ScalarType::Bool, span };
            let kind = Box::new(RelKind::Filter { input: input.clone(), predicate: condition });
            let rows_out = self.count(&Rel { kind, ..input.clone() })?;
            let text = format!("where {}", self.slice(span));
            let mut step = Step { depth, text, rows_in: Some(rows), rows_out, nearest: None };
            if step.loses_all() {
                step.nearest = self.nearest(input, &parts).ok().flatten();
            }
            self.found.push(step);
            rows = rows_out;
        }
        Ok(rows)
    }

    fn fresh(&mut self, ty: ScalarType, name: &str) -> BoundColumn {
        self.next_id += 1;
        BoundColumn { id: ColumnId(self.next_id), name: name.into(), ty }
    }

    fn run(&self, rel: Rel) -> Result<Vec<Vec<Value>>, EngineError> {
        let query = BoundQuery { results: vec![BoundResult { name: None, rel, render: None }], ..self.bound.clone() };
        let output = self.engine.run_bound_blocking(&query, self.options)?;
        Ok(output.tables.first().map(|table| table.rows()).unwrap_or_default())
    }

    fn count(&mut self, rel: &Rel) -> Result<u64, EngineError> {
        let Some(aggregate) = kql_functions::aggregate("count") else { return Ok(0) };
        let out = self.fresh(ScalarType::Long, "count_");
        let call = AggregateCall { aggregate, args: Vec::new(), ty: ScalarType::Long, span: rel.span };
        let items = vec![SummarizeItem::Aggregate { out: out.id, call }];
        let kind = Box::new(RelKind::Summarize { input: rel.clone(), keys: Vec::new(), items });
        let rows = self.run(Rel { kind, columns: vec![out], serialized: false, span: rel.span })?;
        match rows.first().and_then(|row| row.first()) {
            Some(Value::Long(count)) => Ok(u64::try_from(*count).unwrap_or(0)),
            _ => Ok(0),
        }
    }

    /// Of the rows that come in, the one that satisfies most conditions.
    fn nearest(&mut self, input: &Rel, parts: &[&Expr]) -> Result<Option<NearestRow>, EngineError> {
        let taken = Expr { kind: ExprKind::Literal(Value::Long(ROWS_MAX)), ty: ScalarType::Long, span: input.span };
        let kind = Box::new(RelKind::Take { input: input.clone(), count: taken });
        let input = Rel { kind, ..input.clone() };
        let mut columns = Vec::new();
        let mut exprs = Vec::new();
        for part in parts {
            let column = self.fresh(ScalarType::Bool, "holds");
            exprs.push((column.id, Expr::clone(part)));
            columns.push(column);
        }
        // The columns of each condition, behind the verdicts.
        let mut shown: Vec<(usize, BoundColumn)> = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            for id in columns_in(part) {
                let Some(known) = input.columns.iter().find(|column| column.id == id) else { continue };
                let column = self.fresh(known.ty, &known.name);
                exprs.push((column.id, Expr { kind: ExprKind::Column(id), ty: known.ty, span: part.span }));
                columns.push(column.clone());
                shown.push((index, column));
            }
        }
        let span = input.span;
        let kind = Box::new(RelKind::Project { input, exprs });
        let rows = self.run(Rel { kind, columns, serialized: false, span })?;
        let holds = |row: &Vec<Value>, index: usize| row.get(index) == Some(&Value::Bool(true));
        let passed = |row: &&Vec<Value>| (0..parts.len()).filter(|index| holds(row, *index)).count();
        // The first of those that come nearest, so that the same data shows the same row.
        let best = rows.iter().rev().max_by_key(passed);
        Ok(best.and_then(|row| {
            let failed = (0..parts.len()).find(|index| !holds(row, *index))?;
            let values = shown.iter().zip(row.iter().skip(parts.len())).filter(|((index, _), _)| *index == failed);
            Some(NearestRow {
                condition: self.slice(parts.get(failed)?.span),
                values: values.map(|((_, column), value)| (column.name.to_string(), shown_value(value))).collect(),
            })
        }))
    }

    fn slice(&self, span: Span) -> String {
        let text = self.text.get(span.start as usize..span.end as usize).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// An operator as it is written, without what it reads.
    fn text_of(&self, rel: &Rel) -> String {
        if let RelKind::Table { name, .. } = rel.kind.as_ref() {
            return name.clone();
        }
        let mut span = rel.span;
        if let Some(input) = inputs(rel).first()
            && input.span.end > span.start
            && input.span.end < span.end
        {
            span.start = input.span.end;
        }
        let text = self.slice(span);
        let text = text.trim_start_matches(['|', ' ']);
        let mut short: String = text.chars().take(TEXT_MAX).collect();
        if short.len() < text.len() {
            short.push_str("...");
        }
        short
    }
}

/// Characters of a step that are shown.
const TEXT_MAX: usize = 120;
/// Characters of a value that are shown.
const VALUE_MAX: usize = 80;

fn shown_value(value: &Value) -> String {
    let text = if cell::is_empty(value) { "(empty)".to_string() } else { cell::text(value) };
    let mut short: String = text.chars().take(VALUE_MAX).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

/// The columns that an expression reads, each once.
fn columns_in(expr: &Expr) -> Vec<ColumnId> {
    let mut found = Vec::new();
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        if let ExprKind::Column(id) = &expr.kind
            && !found.contains(id)
        {
            found.push(*id);
        }
        pending.extend(operands(expr));
    }
    found
}
