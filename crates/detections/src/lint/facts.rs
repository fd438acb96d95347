//! What is known of a bound query's columns: the table column behind each, the expression that computes it, the times
//! that bound a table's rows. Start at [`Facts::of`].

use std::collections::{BTreeSet, HashMap};

use kql_semantics::bound::{BoundQuery, ColumnId, Expr, ExprKind, JoinKind, Rel, RelKind, SummarizeItem};
use kql_types::Value;

use crate::time_bound::{mirrored, moment_of};
use kql_semantics::walk::{conjuncts, expressions, for_each_subquery, inputs};

/// A column of a table: (table, column).
pub type Origin = (String, String);

/// The clock at which queries are bound for the lint: so far from any date a rule names that a moment near it can only
/// come from `now()` or `ago()`. In ticks.
pub const CLOCK: i64 = 820_000 * kql_types::datetime::TICKS_PER_DAY + 123_456_789_123;
/// Moments within this distance of [`CLOCK`] come from the clock.
const NEAR: i64 = 40 * 366 * kql_types::datetime::TICKS_PER_DAY;

/// Distance of a moment from the clock, negative before it; None for a date that was written out.
pub fn from_clock(moment: i64) -> Option<i64> {
    let distance = moment - CLOCK;
    (distance.abs() < NEAR).then_some(distance)
}

/// What is known of the columns of one query.
pub struct Facts<'q> {
    /// The table columns whose values a column holds unchanged.
    pub origins: HashMap<ColumnId, Vec<Origin>>,
    /// What computes a column.
    pub definitions: HashMap<ColumnId, &'q Expr>,
    /// Every operator, inputs before what reads them.
    pub rels: Vec<&'q Rel>,
}

impl<'q> Facts<'q> {
    /// Reads a query.
    pub fn of(query: &'q BoundQuery) -> Facts<'q> {
        let mut facts = Facts { origins: HashMap::new(), definitions: HashMap::new(), rels: Vec::new() };
        query.results.iter().for_each(|result| facts.visit(&result.rel));
        facts
    }

    fn visit(&mut self, rel: &'q Rel) {
        for input in inputs(rel) {
            self.visit(input);
        }
        for expr in expressions(rel) {
            let mut inner = Vec::new();
            for_each_subquery(expr, &mut |rel| inner.push(rel));
            inner.into_iter().for_each(|rel| self.visit(rel));
        }
        self.rels.push(rel);
        match rel.kind.as_ref() {
            RelKind::Table { name, source } => {
                for (column, source) in rel.columns.iter().zip(source.iter()) {
                    self.origins.insert(column.id, vec![(name.clone(), source.clone())]);
                }
            }
            RelKind::Project { exprs, .. } => exprs.iter().for_each(|(id, expr)| self.define(*id, expr)),
            RelKind::Summarize { keys, items, .. } => {
                keys.iter().for_each(|(id, expr)| self.define(*id, expr));
                items.iter().for_each(|item| self.define_item(item));
            }
            RelKind::Union { inputs } => {
                for (index, column) in rel.columns.iter().enumerate() {
                    let of_input =
                        |input: &Rel| input.columns.get(index).and_then(|c| self.origins.get(&c.id)).cloned();
                    let all: Vec<Origin> = inputs.iter().filter_map(of_input).flatten().collect();
                    self.origins.insert(column.id, all);
                }
            }
            RelKind::Materialize { input, .. } => {
                for (column, inner) in rel.columns.iter().zip(&input.columns) {
                    if let Some(origins) = self.origins.get(&inner.id).cloned() {
                        self.origins.insert(column.id, origins);
                    }
                    if let Some(definition) = self.definitions.get(&inner.id).copied() {
                        self.definitions.insert(column.id, definition);
                    }
                }
            }
            _ => {}
        }
    }

    fn define(&mut self, id: ColumnId, expr: &'q Expr) {
        match carried(expr) {
            Some(from) if from == id => {}
            Some(from) => {
                if let Some(origins) = self.origins.get(&from).cloned() {
                    self.origins.insert(id, origins);
                }
                if let Some(definition) = self.definitions.get(&from).copied() {
                    self.definitions.insert(id, definition);
                }
            }
            None => {
                self.definitions.insert(id, expr);
            }
        }
    }

    fn define_item(&mut self, item: &'q SummarizeItem) {
        match item {
            SummarizeItem::Aggregate { out, call } => {
                if matches!(call.aggregate.name, "min" | "max" | "take_any" | "any")
                    && let Some(arg) = call.args.first()
                {
                    self.define(*out, arg);
                }
            }
            SummarizeItem::ArgExtreme { by, by_out, values, .. } => {
                self.define(*by_out, by);
                values.iter().for_each(|(id, expr)| self.define(*id, expr));
            }
            SummarizeItem::TakeAny { values } => values.iter().for_each(|(id, expr)| self.define(*id, expr)),
        }
    }

    /// The table columns whose values an expression holds unchanged (a conversion to text changes nothing).
    pub fn origins_of(&self, expr: &Expr) -> &[Origin] {
        carried(expr).and_then(|id| self.origins.get(&id)).map(Vec::as_slice).unwrap_or_default()
    }

    /// What an expression comes to when columns stand for what computes them; at most a few steps.
    pub fn resolved<'e>(&'e self, expr: &'e Expr) -> &'e Expr {
        let mut expr = expr;
        for _ in 0..8 {
            match carried(expr).and_then(|id| self.definitions.get(&id)) {
                Some(definition) => expr = definition,
                None => return expr,
            }
        }
        expr
    }

    /// The table columns that some expression reads; passing a column on is no reading.
    pub fn mentioned(&self) -> BTreeSet<&Origin> {
        let mut found = BTreeSet::new();
        for rel in &self.rels {
            let passes_on = matches!(rel.kind.as_ref(), RelKind::Project { .. });
            for expr in expressions(rel).into_iter().filter(|expr| !passes_on || carried(expr).is_none()) {
                let mut pending = vec![expr];
                while let Some(expr) = pending.pop() {
                    if let ExprKind::Column(id) = &expr.kind {
                        found.extend(self.origins.get(id).into_iter().flatten());
                    }
                    pending.extend(kql_semantics::walk::operands(expr));
                }
            }
        }
        found
    }

    /// All filters with their conditions.
    pub fn filters(&self) -> impl Iterator<Item = (&'q Rel, &'q Expr)> {
        self.rels.iter().filter_map(|rel| match rel.kind.as_ref() {
            RelKind::Filter { predicate, .. } => Some((*rel, predicate)),
            _ => None,
        })
    }

    /// All joins: (the operator, left, right, kind, keys).
    pub fn joins(&self) -> impl Iterator<Item = Join<'q>> {
        self.rels.iter().filter_map(|rel| match rel.kind.as_ref() {
            RelKind::Join { left, right, kind, keys, .. } => Some(Join { rel, left, right, kind: *kind, keys }),
            _ => None,
        })
    }
}

/// A join with its parts.
pub struct Join<'q> {
    pub rel: &'q Rel,
    pub left: &'q Rel,
    pub right: &'q Rel,
    pub kind: JoinKind,
    pub keys: &'q [(Expr, Expr)],
}

/// The column that an expression passes on.
pub fn carried(expr: &Expr) -> Option<ColumnId> {
    match &expr.kind {
        ExprKind::Column(id) => Some(*id),
        ExprKind::Convert(inner) => carried(inner),
        ExprKind::Call { function, args } if function.name == "tostring" => carried(args.first()?),
        _ => None,
    }
}

/// A comparison of a scalar with text literals.
pub struct Comparison<'e> {
    pub value: &'e Expr,
    /// The operator as the registry spells it; `in`, `!in`, `in~`, `!in~` for lists.
    pub operator: &'e str,
    pub literals: Vec<&'e str>,
    pub expr: &'e Expr,
}

/// Calls a function with every comparison of a scalar with text inside an expression.
pub fn for_each_comparison<'e>(expr: &'e Expr, visit: &mut dyn FnMut(Comparison<'e>)) {
    match &expr.kind {
        ExprKind::Call { function, args } => {
            if let [value, literal] = args.as_slice()
                && let Some(text) = text_of(literal)
            {
                visit(Comparison { value, operator: function.name, literals: vec![text], expr });
            } else if let [literal, value] = args.as_slice()
                && matches!(function.name, "==" | "=~" | "!=" | "!~")
                && let Some(text) = text_of(literal)
            {
                visit(Comparison { value, operator: function.name, literals: vec![text], expr });
            }
        }
        ExprKind::In { value, items, case_insensitive, negated } => {
            let operator = match (case_insensitive, negated) {
                (false, false) => "in",
                (false, true) => "!in",
                (true, false) => "in~",
                (true, true) => "!in~",
            };
            visit(Comparison { value, operator, literals: items.iter().filter_map(text_of).collect(), expr });
        }
        _ => {}
    }
    for operand in kql_semantics::walk::operands(expr) {
        for_each_comparison(operand, visit);
    }
}

/// The text of a literal.
pub fn text_of(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Literal(Value::String(text)) => Some(text),
        ExprKind::Convert(inner) => text_of(inner),
        _ => None,
    }
}

/// The times of a table's rows that a tree reads, as distances from the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub table: String,
    pub low: Option<i64>,
    pub high: Option<i64>,
    /// A filter on a time stands above it.
    pub bounded: bool,
}

/// The readings of tables below an operator.
pub fn readings(rel: &Rel, facts: &Facts<'_>) -> Vec<Reading> {
    let mut found = Vec::new();
    collect(rel, facts, (None, None, false), &mut found);
    found
}

type Bounds = (Option<i64>, Option<i64>, bool);

fn collect(rel: &Rel, facts: &Facts<'_>, bounds: Bounds, found: &mut Vec<Reading>) {
    match rel.kind.as_ref() {
        RelKind::Table { name, .. } => {
            let (low, high, bounded) = bounds;
            found.push(Reading { table: name.clone(), low, high, bounded });
        }
        RelKind::Filter { input, predicate } => collect(input, facts, tightened(bounds, predicate, facts), found),
        // What stands above these says nothing about single rows below.
        RelKind::Summarize { .. } | RelKind::MakeSeries { .. } | RelKind::Join { .. } => {
            for input in inputs(rel) {
                collect(input, facts, (None, None, false), found);
            }
        }
        _ => {
            for input in inputs(rel) {
                collect(input, facts, bounds, found);
            }
        }
    }
    // A series bounds its rows itself.
    if let RelKind::MakeSeries { from: Some(_), .. } = rel.kind.as_ref() {
        found.iter_mut().for_each(|reading| reading.bounded = true);
    }
}

fn tightened((mut low, mut high, mut bounded): Bounds, predicate: &Expr, facts: &Facts<'_>) -> Bounds {
    for condition in conjuncts(predicate) {
        for (operator, moment) in time_comparisons(condition, facts) {
            bounded = true;
            let Some(distance) = moment.and_then(from_clock) else { continue };
            match operator {
                ">" | ">=" => low = Some(low.map_or(distance, |known: i64| known.max(distance))),
                "<" | "<=" => high = Some(high.map_or(distance, |known: i64| known.min(distance))),
                _ => {}
            }
        }
    }
    (low, high, bounded)
}

/// Comparisons of the row's time in a condition: the operator and the constant moment, if it is one.
fn time_comparisons<'e>(condition: &'e Expr, facts: &Facts<'_>) -> Vec<(&'e str, Option<i64>)> {
    let ExprKind::Call { function, args } = &condition.kind else { return Vec::new() };
    let is_time = |expr: &Expr| {
        facts.origins_of(expr).iter().any(|(_, column)| column == "TimeGenerated" || column == "Timestamp")
            || expr.ty == kql_types::ScalarType::DateTime && moment_of(expr).is_none()
    };
    match (function.name, args.as_slice()) {
        ("between", [value, low, high]) if is_time(value) => {
            vec![(">=", moment_of(low)), ("<=", moment_of(high))]
        }
        (operator, [value, limit]) if mirrored(operator).is_some() && is_time(value) => {
            vec![(operator, moment_of(limit))]
        }
        (operator, [limit, value]) if is_time(value) => match mirrored(operator) {
            Some(operator) => vec![(operator, moment_of(limit))],
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}
