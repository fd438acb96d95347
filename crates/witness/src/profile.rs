//! The ways in which a query can see a row: one for each choice of branches of its unions.
//!
//! A [`Profile`] has the tables that must have a row together, what each column is made of, and what must hold. The
//! walk goes from the tables up, so that the filters next to a table come first. Begin at [`Builder::expand`].

use std::borrow::Cow;
use std::collections::HashMap;

use kql_semantics::bound::{
    AggregateCall, ColumnId, Expr, ExprKind, JoinKind, ParsePart, Rel, RelKind, ScanStep, SummarizeItem,
};
use kql_semantics::parts::{Part, of_expr};
use kql_types::{Column, ScalarType, Value};

/// Ways kept for one tabular expression.
const WAYS_MAX: usize = 24;

/// What a column is.
#[derive(Debug, Clone, Copy)]
pub enum Def<'a> {
    /// A column of the table at this place of [`Profile::leaves`].
    Leaf(usize, &'a str, ScalarType),
    Same(ColumnId),
    Expr(&'a Expr),
    Value(&'a Value),
    /// An element of an array; sites that expand the same array take different elements.
    Element(&'a Expr, usize),
    /// What a pattern of `parse` captured.
    Capture(usize, usize),
    Aggregate(&'a AggregateCall),
}

/// What must hold.
#[derive(Debug, Clone, Copy)]
pub enum Want<'a> {
    Holds(&'a Expr),
    Equal(&'a Expr, &'a Expr),
    EqualColumn(&'a Expr, ColumnId),
}

/// A pattern of `parse` over a text.
#[derive(Debug, Clone, Copy)]
pub struct Parse<'a> {
    pub expr: &'a Expr,
    pub parts: &'a [ParsePart],
    pub outputs: &'a [(ColumnId, ScalarType)],
    pub regex: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Profile<'a> {
    pub leaves: Vec<Cow<'a, str>>,
    pub defs: HashMap<ColumnId, Def<'a>>,
    pub wants: Vec<Want<'a>>,
    pub parses: Vec<Parse<'a>>,
    pub sites: usize,
    /// Rows spread over the whole window, with a burst near its end.
    pub series: bool,
}

impl<'a> Profile<'a> {
    /// Both together; the places of the other come after the own ones.
    fn with(mut self, other: &Profile<'a>) -> Profile<'a> {
        let (leaves, parses, sites) = (self.leaves.len(), self.parses.len(), self.sites);
        for (id, def) in &other.defs {
            let moved = match *def {
                Def::Leaf(leaf, column, ty) => Def::Leaf(leaf + leaves, column, ty),
                Def::Capture(parse, index) => Def::Capture(parse + parses, index),
                Def::Element(expr, site) => Def::Element(expr, site + sites),
                def => def,
            };
            self.defs.insert(*id, moved);
        }
        self.leaves.extend(other.leaves.iter().cloned());
        self.wants.extend(&other.wants);
        self.parses.extend(&other.parses);
        self.sites += other.sites;
        self.series |= other.series;
        self
    }

    fn define(&mut self, id: ColumnId, expr: &'a Expr) {
        if !matches!(expr.kind, ExprKind::Column(source) if source == id) {
            self.defs.insert(id, Def::Expr(expr));
        }
    }
}

/// A file, a watchlist or another table that the host provides; its rows are made like those of a table.
#[derive(Debug, Clone)]
pub struct Outside {
    /// Under this name it is in [`crate::Rows`]; for a table of the host also in the data of a run.
    pub name: String,
    pub columns: Vec<Column>,
    pub source: OutsideSource,
}

#[derive(Debug, Clone)]
pub enum OutsideSource {
    /// `externaldata`, with its addresses and the options after them.
    External { addresses: Vec<String>, options: Vec<(String, Value)> },
    /// `_GetWatchlist("name")` and the like.
    Host,
}

/// The name that the engine looks up for a table of the host: a watchlist is known by its first argument alone.
fn host_table_name(name: &str, args: &[Value]) -> String {
    let known = if name == "_GetWatchlist" { args.get(..1).unwrap_or_default() } else { args };
    let texts = known.iter().map(|arg| match arg {
        Value::String(text) => text.clone(),
        other => format!("{other:?}"),
    });
    format!("{name}({})", texts.collect::<Vec<_>>().join(","))
}

#[derive(Debug, Default)]
pub struct Builder<'a> {
    /// Which of several choices is taken; every third leaves out the right side of an outer join.
    pub variant: usize,
    /// Ways of tables inside expressions that need not meet the rows around them.
    pub beside: Vec<Profile<'a>>,
    /// What is read from outside of the tables, once each.
    pub outside: Vec<Outside>,
}

impl<'a> Builder<'a> {
    /// The ways to a row of a tabular expression.
    pub fn expand(&mut self, rel: &'a Rel) -> Vec<Profile<'a>> {
        let mut ways = self.ways(rel);
        ways.truncate(WAYS_MAX);
        ways
    }

    fn ways(&mut self, rel: &'a Rel) -> Vec<Profile<'a>> {
        match rel.kind.as_ref() {
            RelKind::OneRow | RelKind::Range { .. } | RelKind::ApplyInput { .. } => vec![Profile::default()],
            RelKind::Empty => Vec::new(),
            RelKind::ExternalData { uris, options } => {
                let source = OutsideSource::External { addresses: uris.clone(), options: options.clone() };
                self.outside(rel, format!("externaldata({})", uris.join(" ")), source)
            }
            RelKind::HostTable { name, args } => self.outside(rel, host_table_name(name, args), OutsideSource::Host),
            RelKind::Table { name, source } => {
                let mut profile = Profile { leaves: vec![name.into()], ..Profile::default() };
                for (column, source) in rel.columns.iter().zip(source.iter()) {
                    profile.defs.insert(column.id, Def::Leaf(0, source, column.ty));
                }
                vec![profile]
            }
            RelKind::Datatable { rows } => {
                let Some(row) = rows.get(self.variant % rows.len().max(1)) else { return Vec::new() };
                let defs = rel.columns.iter().zip(row).map(|(column, value)| (column.id, Def::Value(value)));
                vec![Profile { defs: defs.collect(), ..Profile::default() }]
            }
            RelKind::Filter { input, predicate } => self.each(input, |builder, way| builder.filter(way, predicate)),
            RelKind::Project { input, exprs } => self.each(input, |builder, mut way| {
                for (id, expr) in exprs {
                    way.define(*id, expr);
                    builder.look_inside(expr);
                }
                way
            }),
            RelKind::Summarize { input, keys, items } => self.each(input, |_, mut way| {
                keys.iter().for_each(|(id, key)| way.define(*id, key));
                items.iter().for_each(|item| summarized(&mut way, item));
                way
            }),
            RelKind::Union { inputs } => self.union(rel, inputs),
            RelKind::Join { left, right, kind, keys, condition } => {
                self.join(left, right, *kind, keys, condition.as_ref())
            }
            RelKind::MvExpand { input, items, .. } => self.each(input, |_, mut way| {
                for item in items {
                    way.defs.insert(item.out, Def::Element(&item.expr, way.sites));
                    way.sites += 1;
                }
                way
            }),
            RelKind::MvApply { input, items, subquery, .. } => {
                let inner = self.expand(subquery);
                self.each(input, |builder, mut way| {
                    for item in items {
                        way.defs.insert(item.out, Def::Element(&item.expr, way.sites));
                        way.sites += 1;
                    }
                    let index = builder.variant % inner.len().max(1);
                    inner.get(index).map_or_else(|| way.clone(), |inner| way.clone().with(inner))
                })
            }
            RelKind::Partition { input, subquery, .. } => {
                let inner = self.expand(subquery);
                self.each(input, |_, way| inner.first().map_or_else(|| way.clone(), |inner| way.clone().with(inner)))
            }
            RelKind::Parse { input, expr, parts, outputs, mode, .. } => self.each(input, |_, mut way| {
                for (index, (id, _)) in outputs.iter().enumerate() {
                    way.defs.insert(*id, Def::Capture(way.parses.len(), index));
                }
                let regex = *mode == kql_semantics::bound::ParseMode::Regex;
                way.parses.push(Parse { expr, parts, outputs, regex });
                way
            }),
            RelKind::Scan { input, steps, .. } => self.each(input, |_, way| scanned(way, steps)),
            RelKind::MakeSeries { input, keys, aggregates, axis, axis_out, .. } => self.each(input, |_, mut way| {
                keys.iter().for_each(|(id, key)| way.define(*id, key));
                for (id, call, _) in aggregates {
                    way.defs.insert(*id, Def::Aggregate(call));
                }
                way.define(*axis_out, axis);
                way.series = true;
                way
            }),
            RelKind::Materialize { input, .. } => self.each(input, |_, mut way| {
                for (output, source) in rel.columns.iter().zip(&input.columns) {
                    way.defs.insert(output.id, Def::Same(source.id));
                }
                way
            }),
            RelKind::TopNested { input, levels } => self.each(input, |_, mut way| {
                levels.iter().for_each(|level| way.define(level.out, &level.expr));
                way
            }),
            RelKind::Sort { input, .. }
            | RelKind::Take { input, .. }
            | RelKind::Serialize { input }
            | RelKind::Sample { input, .. }
            | RelKind::ParseKv { input, .. }
            | RelKind::Reduce { input, .. }
            | RelKind::Plugin { input: Some(input), .. } => self.expand(input),
            RelKind::Plugin { input: None, .. } => Vec::new(),
        }
    }

    fn each(
        &mut self,
        input: &'a Rel,
        mut change: impl FnMut(&mut Builder<'a>, Profile<'a>) -> Profile<'a>,
    ) -> Vec<Profile<'a>> {
        let ways = self.expand(input);
        ways.into_iter().map(|way| change(self, way)).collect()
    }

    fn outside(&mut self, rel: &'a Rel, name: String, source: OutsideSource) -> Vec<Profile<'a>> {
        if !self.outside.iter().any(|known| known.name == name) {
            let columns = rel.columns.iter().map(|column| Column::new(column.name.as_ref(), column.ty)).collect();
            self.outside.push(Outside { name: name.clone(), columns, source });
        }
        let defs = rel.columns.iter().map(|column| (column.id, Def::Leaf(0, &column.name, column.ty)));
        vec![Profile { defs: defs.collect(), leaves: vec![name.into()], ..Profile::default() }]
    }

    fn union(&mut self, rel: &'a Rel, inputs: &'a [Rel]) -> Vec<Profile<'a>> {
        let mut all = Vec::new();
        for input in inputs {
            for mut way in self.expand(input) {
                for (output, column) in rel.columns.iter().zip(&input.columns) {
                    way.defs.insert(output.id, Def::Same(column.id));
                }
                all.push(way);
            }
        }
        all
    }

    fn join(
        &mut self,
        left: &'a Rel,
        right: &'a Rel,
        kind: JoinKind,
        keys: &'a [(Expr, Expr)],
        condition: Option<&'a Expr>,
    ) -> Vec<Profile<'a>> {
        match kind {
            JoinKind::LeftAnti => return self.expand(left),
            JoinKind::RightAnti => return self.expand(right),
            JoinKind::LeftOuter if self.variant % 3 == 2 => return self.expand(left),
            JoinKind::RightOuter if self.variant % 3 == 2 => return self.expand(right),
            _ => {}
        }
        let (lefts, rights) = (self.expand(left), self.expand(right));
        if rights.is_empty() && kind == JoinKind::LeftOuter {
            return lefts;
        }
        if lefts.is_empty() || rights.is_empty() {
            return Vec::new();
        }
        // Every way of either side takes part in some pair.
        let pairs = lefts.len().max(rights.len());
        let pair = |index: usize| {
            let mut way = lefts[index % lefts.len()].clone().with(&rights[(index + self.variant) % rights.len()]);
            way.wants.extend(keys.iter().map(|(left, right)| Want::Equal(left, right)));
            way.wants.extend(condition.map(Want::Holds));
            way
        };
        (0..pairs).map(pair).collect()
    }

    fn filter(&mut self, mut way: Profile<'a>, predicate: &'a Expr) -> Profile<'a> {
        let parts: Vec<&Expr> = match &predicate.kind {
            ExprKind::And(parts) => parts.iter().collect(),
            _ => vec![predicate],
        };
        for part in parts {
            match &part.kind {
                ExprKind::InRel { value, rel, negated: false, .. } => {
                    let inner = self.expand(rel);
                    let chosen = inner.get(self.variant % inner.len().max(1));
                    if let (Some(inner), Some(column)) = (chosen, rel.columns.first()) {
                        way = way.with(inner);
                        way.wants.push(Want::EqualColumn(value, column.id));
                    }
                }
                ExprKind::InRel { negated: true, .. } => {}
                _ => {
                    self.look_inside(part);
                    way.wants.push(Want::Holds(part));
                }
            }
        }
        way
    }

    /// Tables inside an expression get rows of their own.
    fn look_inside(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Scalar(rel) | ExprKind::HasRel { rel, .. } => {
                let ways = self.expand(rel);
                self.beside.extend(ways);
            }
            ExprKind::InRel { value, rel, negated, .. } => {
                self.look_inside(value);
                if !negated {
                    let ways = self.expand(rel);
                    self.beside.extend(ways);
                }
            }
            _ => of_expr(expr, &mut |part| {
                if let Part::Expr(part) = part {
                    self.look_inside(part);
                }
            }),
        }
    }
}

fn summarized<'a>(way: &mut Profile<'a>, item: &'a SummarizeItem) {
    match item {
        SummarizeItem::Aggregate { out, call } => {
            way.defs.insert(*out, Def::Aggregate(call));
        }
        SummarizeItem::ArgExtreme { by, by_out, values, .. } => {
            way.define(*by_out, by);
            values.iter().for_each(|(id, value)| way.define(*id, value));
        }
        SummarizeItem::TakeAny { values } => values.iter().for_each(|(id, value)| way.define(*id, value)),
    }
}

/// The first step must be met.
fn scanned<'a>(mut way: Profile<'a>, steps: &'a [ScanStep]) -> Profile<'a> {
    way.wants.extend(steps.first().map(|step| Want::Holds(&step.condition)));
    way
}
