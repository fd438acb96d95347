//! How a query's answer depends on the clock and on which rows it sees.
//!
//! A query reads its tables through *local* parts: filters, projections and unions, which judge each row on its own.
//! Where the clock is used only to bound `TimeGenerated` there, two runs that see the same rows of the local parts give
//! the same answer, so a sweep need not run both. The proof: the query is bound at two clocks; every literal that moved
//! exactly with the clock in such a bound is taken out, and what is left must be equal. Start at [`QueryShape::of`].

use std::collections::HashSet;
use std::sync::Arc;

use kql_functions::Kind;
use kql_semantics::Catalog;
use kql_semantics::bound::{BoundColumn, BoundQuery, BoundResult, ColumnId, Expr, ExprKind, JoinKind, Rel, RelKind};
use kql_semantics::walk::{any_expr, conjuncts, expressions, for_each_subquery, inputs};
use kql_types::{ScalarType, Span, Value, datetime};

use crate::time_bound::{Bound, mirrored, moment_of};

/// One reading of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    pub table: String,
    /// `TimeGenerated` of the rows used lies in `[now + low, now + high]`; None: not bounded by the query.
    pub low: Option<i64>,
    pub high: Option<i64>,
    /// Nothing but time decides which of its rows are used.
    pub unfiltered: bool,
    /// Reference data: a run's window does not clip it, only the query's own bounds do.
    pub always_visible: bool,
}

/// A query that lists the rows which the local parts let through at any clock, with the columns of [`CARRIED`].
#[derive(Debug, Clone)]
pub struct Probe {
    pub query: BoundQuery,
    /// Indexes into [`QueryShape::leaves`].
    pub leaves: Vec<usize>,
}

/// What running a query at many moments needs to know.
#[derive(Debug, Clone)]
pub struct QueryShape {
    /// The tables that have times, once for each reading.
    pub leaves: Vec<Leaf>,
    pub probes: Vec<Probe>,
    /// The clock is used for something other than bounding the times of rows read.
    pub clock_elsewhere: bool,
    /// Without any row in the leaves there is no result, whatever the clock.
    pub empty_without_rows: bool,
    /// Some reading of a table bounds the time of its rows itself.
    pub own_time_filter: bool,
    /// Only for a query that is local as a whole.
    pub single_pass: Option<SinglePass>,
}

/// The whole query for all runs at once: its columns, then those of [`CARRIED`] for each row behind a result row.
#[derive(Debug, Clone)]
pub struct SinglePass {
    pub query: BoundQuery,
    pub leaves: Vec<Leaf>,
    /// Rows behind each result row: more than one where rows are joined.
    pub sources: usize,
}

/// What is known of a row behind a result row: its `TimeGenerated`, the index of its leaf, the first and the last
/// clock at which bounds on other times let it through, and when it arrived (only where that is asked for).
pub const CARRIED: usize = 5;

/// What is asked of a shape besides what a sweep needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Rows say when they arrived.
    pub arrivals: bool,
    /// Inner joins may be part of a single pass: a result row is there when all rows behind it are.
    pub joins: bool,
}

/// The same query, bound at two clocks.
#[derive(Debug, Clone, Copy)]
pub struct TwoClocks<'a> {
    pub first: &'a BoundQuery,
    pub first_now: i64,
    pub second: &'a BoundQuery,
    pub second_now: i64,
}

/// A distance between two clocks that no calendar function keeps: not a multiple of anything.
pub const CLOCK_DISTANCE: i64 = 9 * datetime::TICKS_PER_DAY + 7 * 3600 * datetime::TICKS_PER_SECOND + 1_234_567_891;

impl QueryShape {
    /// `always_visible` names the tables that are not clipped to the window.
    pub fn of(
        clocks: TwoClocks<'_>,
        catalog: &dyn Catalog,
        always_visible: &dyn Fn(&str) -> bool,
        wanted: Wanted,
    ) -> QueryShape {
        let reader = |joins: bool| Reader {
            clocks,
            catalog,
            always_visible,
            wanted: Wanted { joins, ..wanted },
            leaves: Vec::new(),
            probes: Vec::new(),
            bounds: Vec::new(),
            own_time_filter: false,
            materialized: HashSet::new(),
            next_id: 1 << 30,
        };
        let mut single_pass = None;
        if wanted.joins {
            let mut joining = reader(true);
            single_pass = joining.whole().1.filter(|pass| pass.sources > 1);
        }
        let mut reader = reader(false);
        let (clock_elsewhere, own) = reader.whole();
        QueryShape {
            single_pass: own.or(single_pass),
            clock_elsewhere,
            empty_without_rows: clocks
                .first
                .results
                .first()
                .is_some_and(|r| empty_without_rows(&r.rel, always_visible)),
            own_time_filter: reader.own_time_filter,
            leaves: reader.leaves,
            probes: reader.probes,
        }
    }
}

/// Whether an operator gives nothing when no table of events has a row.
pub(crate) fn empty_without_rows(rel: &Rel, always_visible: &dyn Fn(&str) -> bool) -> bool {
    let empty = |rel: &Rel| empty_without_rows(rel, always_visible);
    match rel.kind.as_ref() {
        RelKind::Empty => true,
        RelKind::Table { name, .. } => !always_visible(name),
        RelKind::Datatable { rows } => rows.is_empty(),
        RelKind::Filter { input, .. }
        | RelKind::Project { input, .. }
        | RelKind::Sort { input, .. }
        | RelKind::Take { input, .. }
        | RelKind::Serialize { input }
        | RelKind::Sample { input, .. }
        | RelKind::MvExpand { input, .. }
        | RelKind::MvApply { input, .. }
        | RelKind::Parse { input, .. }
        | RelKind::ParseKv { input, .. }
        | RelKind::Scan { input, .. }
        | RelKind::Partition { input, .. }
        | RelKind::TopNested { input, .. }
        | RelKind::Reduce { input, .. }
        | RelKind::Materialize { input, .. } => empty(input),
        RelKind::Plugin { name, input: Some(input), .. } => {
            let of_rows = ["bag_unpack", "pivot", "narrow", "ipv4_lookup", "ipv6_lookup", "autocluster", "basket"];
            of_rows.contains(&name.as_str()) && empty(input)
        }
        RelKind::Summarize { input, keys, .. } | RelKind::MakeSeries { input, keys, .. } => {
            !keys.is_empty() && empty(input)
        }
        RelKind::Union { inputs } => inputs.iter().all(empty),
        RelKind::Join { left, right, kind, .. } => match kind {
            JoinKind::InnerUnique | JoinKind::Inner => empty(left) || empty(right),
            JoinKind::LeftOuter | JoinKind::LeftAnti => empty(left),
            JoinKind::RightOuter | JoinKind::RightAnti => empty(right),
            JoinKind::LeftSemi | JoinKind::RightSemi => empty(left) || empty(right),
            JoinKind::FullOuter => empty(left) && empty(right),
        },
        _ => false,
    }
}

/// A query like another, with another tree as its only result.
fn with_result(query: &BoundQuery, rel: Rel) -> BoundQuery {
    let mut query = query.clone();
    query.results = vec![BoundResult { name: None, rel, render: None }];
    query
}

/// A part that judges each row on its own, or each pair of rows where rows are joined.
struct Local {
    /// The part with the columns of [`CARRIED`] at the end, once for each group.
    carried: Rel,
    rows: Vec<CarriedColumns>,
    /// The leaves below, with the columns that are their `TimeGenerated` here: a row comes from one leaf of each group.
    groups: Vec<LeafGroup>,
    /// Columns whose value depends on the clock or on other rows; null in `carried`.
    impure: HashSet<ColumnId>,
    /// `carried` gives exactly the rows of the part, but for the bounds on time.
    exact: bool,
}

/// Leaves whose rows share columns, each with the columns that are its `TimeGenerated` here.
type LeafGroup = Vec<(usize, Vec<ColumnId>)>;

/// What is known of the rows of an operator.
enum Part {
    Local(Local),
    /// Each row comes from one row of a leaf of each group and keeps its time, so that a filter on that time might as
    /// well stand at the leaf.
    Rowwise(Vec<LeafGroup>),
}

/// The ids of the columns of [`CARRIED`].
#[derive(Clone, Copy)]
struct CarriedColumns {
    time: ColumnId,
    leaf: ColumnId,
    from: ColumnId,
    until: ColumnId,
    arrived: ColumnId,
}

impl CarriedColumns {
    fn columns(self) -> [BoundColumn; CARRIED] {
        [
            column(self.time, "TimeGenerated (of the row)", ScalarType::DateTime),
            column(self.leaf, "Leaf (of the row)", ScalarType::Long),
            column(self.from, "From (of the row)", ScalarType::DateTime),
            column(self.until, "Until (of the row)", ScalarType::DateTime),
            column(self.arrived, "Arrived (of the row)", ScalarType::DateTime),
        ]
    }

    /// Passes the columns on.
    fn exprs(self, span: Span) -> impl Iterator<Item = (ColumnId, Expr)> {
        self.columns().into_iter().map(move |c| (c.id, column_expr(c.id, c.ty, span)))
    }
}

struct Reader<'a> {
    clocks: TwoClocks<'a>,
    catalog: &'a dyn Catalog,
    always_visible: &'a dyn Fn(&str) -> bool,
    wanted: Wanted,
    leaves: Vec<Leaf>,
    probes: Vec<Probe>,
    /// The bounds on time that were taken out, printed at either clock.
    bounds: Vec<(String, String)>,
    own_time_filter: bool,
    materialized: HashSet<u32>,
    next_id: u32,
}

impl Reader<'_> {
    /// Reads the whole query: whether the clock is used elsewhere, and its single pass.
    fn whole(&mut self) -> (bool, Option<SinglePass>) {
        let clocks = self.clocks;
        let mut pass = None;
        if let (Some(a), Some(b)) = (clocks.first.results.first(), clocks.second.results.first())
            && let Some(Part::Local(local)) = self.visit(&a.rel, &b.rel)
        {
            if local.exact {
                pass = Some((with_result(clocks.first, local.carried.clone()), local.rows.len()));
            }
            self.add_probe(local);
        }
        let clock_elsewhere = self.clock_elsewhere();
        let pass = pass.filter(|_| !clock_elsewhere);
        let leaves = self.leaves.clone();
        (clock_elsewhere, pass.map(|(query, sources)| SinglePass { query, leaves, sources }))
    }

    fn fresh(&mut self) -> ColumnId {
        self.next_id += 1;
        ColumnId(self.next_id)
    }

    /// Walks both trees in step. A part whose rows keep their own time is handed up; below anything else, the local
    /// parts are kept as probes.
    fn visit(&mut self, a: &Rel, b: &Rel) -> Option<Part> {
        for (x, y) in expressions(a).into_iter().zip(expressions(b)) {
            self.visit_subqueries(x, y);
        }
        match (a.kind.as_ref(), b.kind.as_ref()) {
            (RelKind::Table { name, source }, RelKind::Table { .. }) => {
                self.visit_table(a, name, source).map(Part::Local)
            }
            (RelKind::Filter { input, predicate }, RelKind::Filter { input: input_b, predicate: predicate_b }) => {
                let below = self.visit(input, input_b)?;
                if looks_around(predicate) {
                    self.keep(Some(below));
                    return None;
                }
                Some(match below {
                    Part::Local(below) => Part::Local(self.filter(a, below, predicate, predicate_b)),
                    Part::Rowwise(groups) => {
                        self.filter_rowwise(&groups, predicate, predicate_b);
                        Part::Rowwise(groups)
                    }
                })
            }
            (RelKind::Project { input, exprs }, RelKind::Project { input: input_b, exprs: exprs_b }) => {
                let below = self.visit(input, input_b)?;
                if exprs.iter().any(|(_, expr)| looks_around(expr)) {
                    self.keep(Some(below));
                    return None;
                }
                Some(match below {
                    Part::Local(below) => Part::Local(self.project(a, below, exprs, exprs_b)),
                    Part::Rowwise(groups) => {
                        Part::Rowwise(groups.iter().map(|group| passed_on(group, exprs)).collect())
                    }
                })
            }
            (RelKind::Union { inputs }, RelKind::Union { inputs: inputs_b }) => {
                self.union(a, inputs, inputs_b).map(Part::Local)
            }
            (RelKind::Sort { input, keys }, RelKind::Sort { input: input_b, .. }) => {
                let below = self.visit(input, input_b)?;
                match below {
                    Part::Local(below) if keys.iter().all(|k| self.is_pure(&k.expr, &k.expr, &below.impure)) => {
                        Some(Part::Local(rebuilt(a, below, |input| RelKind::Sort { input, keys: keys.clone() })))
                    }
                    below => Some(Part::Rowwise(self.rowwise(below))),
                }
            }
            (RelKind::Serialize { input }, RelKind::Serialize { input: input_b }) => {
                Some(match self.visit(input, input_b)? {
                    Part::Local(below) => Part::Local(rebuilt(a, below, |input| RelKind::Serialize { input })),
                    rowwise => rowwise,
                })
            }
            (RelKind::Materialize { id, input }, RelKind::Materialize { input: input_b, .. }) => {
                if self.materialized.insert(*id) {
                    let below = self.visit(input, input_b);
                    self.keep(below);
                }
                None
            }
            (RelKind::Join { left, right, kind, .. }, RelKind::Join { left: left_b, right: right_b, .. }) => {
                let (left, right) = (self.visit(left, left_b), self.visit(right, right_b));
                match (left, right) {
                    (Some(Part::Local(left)), Some(Part::Local(right)))
                        if self.wanted.joins && *kind == JoinKind::Inner && self.is_pure_join(a, b) =>
                    {
                        Some(Part::Local(joined(a, left, right)))
                    }
                    (left, right) => self.join(left, right, *kind),
                }
            }
            _ => {
                let mut parts: Vec<Option<Part>> =
                    inputs(a).into_iter().zip(inputs(b)).map(|(x, y)| self.visit(x, y)).collect();
                let first = if is_rowwise(&a.kind) && !parts.is_empty() { parts.remove(0) } else { None };
                parts.into_iter().for_each(|part| self.keep(part));
                first.map(|part| Part::Rowwise(self.rowwise(part)))
            }
        }
    }

    /// A part that goes no further: its probe is kept.
    fn keep(&mut self, part: Option<Part>) {
        if let Some(Part::Local(local)) = part {
            self.add_probe(local);
        }
    }

    /// The part below an operator that is not local but treats each row on its own.
    fn rowwise(&mut self, part: Part) -> Vec<LeafGroup> {
        match part {
            Part::Rowwise(groups) => groups,
            Part::Local(local) => {
                let groups = local.groups.clone();
                self.add_probe(local);
                groups
            }
        }
    }

    /// A filter on a column of one side may be applied before the join where that side's rows are not made up.
    fn join(&mut self, left: Option<Part>, right: Option<Part>, kind: JoinKind) -> Option<Part> {
        let (keeps_left, keeps_right) = match kind {
            JoinKind::Inner => (true, true),
            JoinKind::LeftOuter | JoinKind::LeftSemi | JoinKind::LeftAnti => (true, false),
            JoinKind::RightOuter | JoinKind::RightSemi | JoinKind::RightAnti => (false, true),
            // The first left row of each key is another one after a filter.
            JoinKind::InnerUnique => (false, true),
            JoinKind::FullOuter => (false, false),
        };
        let mut groups = Vec::new();
        for (part, keeps) in [(left, keeps_left), (right, keeps_right)] {
            match part {
                Some(part) if keeps => groups.extend(self.rowwise(part)),
                part => self.keep(part),
            }
        }
        (!groups.is_empty()).then_some(Part::Rowwise(groups))
    }

    /// Queries inside expressions read tables of their own.
    fn visit_subqueries(&mut self, a: &Expr, b: &Expr) {
        let mut left = Vec::new();
        let mut right = Vec::new();
        for_each_subquery(a, &mut |rel| left.push(rel));
        for_each_subquery(b, &mut |rel| right.push(rel));
        for (x, y) in left.into_iter().zip(right) {
            let part = self.visit(x, y);
            self.keep(part);
        }
    }

    /// A filter above operators that treat each row on its own: a bound on the time of a leaf's rows is one below them.
    fn filter_rowwise(&mut self, groups: &[LeafGroup], a: &Expr, b: &Expr) {
        let parts_b = conjuncts(b);
        for (part, part_b) in conjuncts(a).into_iter().zip(parts_b) {
            let of_events: Vec<&LeafGroup> = groups.iter().filter(|group| self.has_events(group)).collect();
            let is_time = |id: ColumnId| of_events.iter().copied().flatten().any(|(_, times)| times.contains(&id));
            let own_time = any_expr(part, &|e| matches!(e.kind, ExprKind::Column(id) if is_time(id)));
            self.own_time_filter |= own_time;
            let Some((subject, bound)) = self.time_bound(part, part_b, &HashSet::new()) else { continue };
            let ExprKind::Column(id) = subject.kind else { continue };
            for group in groups.iter().filter(|group| group.iter().all(|(_, times)| times.contains(&id))) {
                self.bounds.push((format!("{part:?}"), format!("{part_b:?}")));
                for (leaf, _) in group {
                    if let Some(leaf) = self.leaves.get_mut(*leaf) {
                        bound.narrow(leaf);
                    }
                }
            }
        }
    }

    fn visit_table(&mut self, rel: &Rel, name: &str, source: &[String]) -> Option<Local> {
        let known = self.catalog.table(name);
        let has_time =
            known.is_some_and(|t| t.columns.iter().any(|c| c.name == "TimeGenerated" && c.ty == ScalarType::DateTime));
        if !has_time {
            return None;
        }
        let mut table = rel.clone();
        let existing = source.iter().position(|column| column == "TimeGenerated");
        let read = match existing.and_then(|index| rel.columns.get(index)) {
            Some(column) => column.id,
            None => {
                let id = self.fresh();
                table.columns.push(column(id, "TimeGenerated", ScalarType::DateTime));
                if let RelKind::Table { source, .. } = table.kind.as_mut() {
                    *source = source.iter().cloned().chain(["TimeGenerated".to_string()]).collect();
                }
                id
            }
        };
        let index = self.leaves.len();
        let always_visible = (self.always_visible)(name);
        self.leaves.push(Leaf { table: name.to_string(), low: None, high: None, unfiltered: true, always_visible });
        let row = self.fresh_row();
        let mut exprs: Vec<(ColumnId, Expr)> =
            rel.columns.iter().map(|c| (c.id, column_expr(c.id, c.ty, rel.span))).collect();
        exprs.push((row.time, column_expr(read, ScalarType::DateTime, rel.span)));
        exprs.push((row.leaf, literal(Value::Long(index as i64), rel.span)));
        exprs.push((row.from, literal(Value::DateTime(datetime::MIN), rel.span)));
        exprs.push((row.until, literal(Value::DateTime(datetime::MAX), rel.span)));
        let arrived = match self.wanted.arrivals {
            true => ExprKind::IngestionTime,
            false => ExprKind::Literal(Value::missing(ScalarType::DateTime)),
        };
        exprs.push((row.arrived, Expr { kind: arrived, ty: ScalarType::DateTime, span: rel.span }));
        let carried = Rel {
            kind: Box::new(RelKind::Project { input: table, exprs }),
            columns: extended(rel, &[row]),
            serialized: false,
            span: rel.span,
        };
        let groups = vec![vec![(index, vec![read])]];
        Some(Local { carried, rows: vec![row], groups, impure: HashSet::new(), exact: true })
    }

    /// Some of these leaves are tables of events.
    fn has_events(&self, group: &LeafGroup) -> bool {
        group.iter().any(|(leaf, _)| self.leaves.get(*leaf).is_some_and(|leaf| !leaf.always_visible))
    }

    fn fresh_row(&mut self) -> CarriedColumns {
        let [time, leaf, from, until, arrived] = std::array::from_fn(|_| self.fresh());
        CarriedColumns { time, leaf, from, until, arrived }
    }

    fn filter(&mut self, rel: &Rel, mut below: Local, a: &Expr, b: &Expr) -> Local {
        let mut kept = Vec::new();
        // Bounds on other times than `TimeGenerated`.
        let mut moving: Vec<(Expr, Bound)> = Vec::new();
        let parts_b = conjuncts(b);
        for (index, part) in conjuncts(a).into_iter().enumerate() {
            let Some(part_b) = parts_b.get(index) else {
                below.exact = false;
                continue;
            };
            let has_time = |group: &LeafGroup, id: ColumnId| group.iter().all(|(_, times)| times.contains(&id));
            let on_time = |id: ColumnId| below.groups.iter().any(|group| has_time(group, id));
            let of_events = below.groups.iter().any(|group| self.has_events(group));
            self.own_time_filter |=
                of_events && any_expr(part, &|e| matches!(e.kind, ExprKind::Column(id) if on_time(id)));
            if let Some((subject, bound)) = self.time_bound(part, part_b, &below.impure) {
                self.bounds.push((format!("{part:?}"), format!("{part_b:?}")));
                self.own_time_filter |= of_events;
                let ExprKind::Column(id) = subject.kind else {
                    moving.push((subject.clone(), bound));
                    continue;
                };
                if !on_time(id) {
                    moving.push((subject.clone(), bound));
                    continue;
                }
                for (leaf, _) in below.groups.iter().filter(|group| has_time(group, id)).flatten() {
                    if let Some(leaf) = self.leaves.get_mut(*leaf) {
                        bound.narrow(leaf);
                    }
                }
                continue;
            }
            for (leaf, _) in below.groups.iter().flatten() {
                if let Some(leaf) = self.leaves.get_mut(*leaf) {
                    leaf.unfiltered = false;
                }
            }
            if self.is_pure(part, part_b, &below.impure) {
                kept.push(part.clone());
            } else {
                below.exact = false;
            }
        }
        for (subject, bound) in moving {
            let Some(not_null) = kql_functions::function("isnotnull") else {
                below.exact = false;
                continue;
            };
            let call = ExprKind::Call { function: not_null, args: vec![subject.clone()] };
            kept.push(Expr { kind: call, ty: ScalarType::Bool, span: a.span });
            let narrowed = narrowed(below, rel, &subject, bound);
            below = narrowed;
        }
        if kept.is_empty() {
            below.carried.span = rel.span;
            return below;
        }
        let predicate = Expr { kind: ExprKind::And(kept), ty: ScalarType::Bool, span: a.span };
        rebuilt(rel, below, |input| RelKind::Filter { input, predicate })
    }

    fn project(&mut self, rel: &Rel, below: Local, a: &[(ColumnId, Expr)], b: &[(ColumnId, Expr)]) -> Local {
        let mut impure = HashSet::new();
        let mut exact = below.exact;
        let mut exprs = Vec::new();
        let groups = below.groups.iter().map(|group| passed_on(group, a)).collect();
        for (index, (id, expr)) in a.iter().enumerate() {
            let same = b.get(index).is_some_and(|(_, other)| self.is_pure(expr, other, &below.impure));
            if same {
                exprs.push((*id, expr.clone()));
            } else {
                impure.insert(*id);
                exact = false;
                let kind = ExprKind::Literal(Value::missing(expr.ty));
                exprs.push((*id, Expr { kind, ty: expr.ty, span: expr.span }));
            }
        }
        exprs.extend(below.rows.iter().flat_map(|row| row.exprs(rel.span)));
        let columns = extended(rel, &below.rows);
        let kind = Box::new(RelKind::Project { input: below.carried, exprs });
        let carried = Rel { kind, columns, serialized: rel.serialized, span: rel.span };
        Local { carried, rows: below.rows, groups, impure, exact }
    }

    fn union(&mut self, rel: &Rel, inputs: &[Rel], inputs_b: &[Rel]) -> Option<Local> {
        let mut locals = Vec::new();
        let mut all = inputs.len() == inputs_b.len();
        for (a, b) in inputs.iter().zip(inputs_b) {
            if matches!(a.kind.as_ref(), RelKind::Empty) {
                continue;
            }
            match self.visit(a, b) {
                Some(Part::Local(local)) => {
                    // Rows of one branch come from as many rows as those of the next.
                    all &= local.rows.len() == 1;
                    locals.push((a, local));
                }
                _ => all = false,
            }
        }
        if !all || locals.is_empty() {
            for (_, local) in locals {
                self.add_probe(local);
            }
            return None;
        }
        let row = self.fresh_row();
        let mut impure = HashSet::new();
        let mut leaves = Vec::new();
        let mut exact = true;
        for (input, local) in &locals {
            exact &= local.exact;
            // Column by column, an output is what the inputs at its position are.
            let outputs = rel.columns.iter().zip(&input.columns);
            impure.extend(outputs.clone().filter(|(_, c)| local.impure.contains(&c.id)).map(|(out, _)| out.id));
            for (index, times) in local.groups.iter().flatten() {
                let here = outputs.clone().filter(|(_, c)| times.contains(&c.id)).map(|(out, _)| out.id).collect();
                leaves.push((*index, here));
            }
        }
        let kind = RelKind::Union { inputs: locals.into_iter().map(|(_, local)| local.carried).collect() };
        let columns = extended(rel, &[row]);
        let carried = Rel { kind: Box::new(kind), columns, serialized: rel.serialized, span: rel.span };
        Some(Local { carried, rows: vec![row], groups: vec![leaves], impure, exact })
    }

    fn add_probe(&mut self, local: Local) {
        let span = local.carried.span;
        // Joined rows are for a single pass alone.
        let [row] = local.rows.as_slice() else { return };
        let columns = row.columns().to_vec();
        let exprs = row.exprs(span).collect();
        let input = without_sort(local.carried);
        let rel = Rel { kind: Box::new(RelKind::Project { input, exprs }), columns, serialized: false, span };
        let leaves = local.groups.into_iter().flatten().map(|(index, _)| index).collect();
        self.probes.push(Probe { query: with_result(self.clocks.first, rel), leaves });
    }

    /// The value does not depend on the clock, on other rows, or on chance.
    fn is_pure(&self, a: &Expr, b: &Expr, impure: &HashSet<ColumnId>) -> bool {
        let unsteady = any_expr(a, &|e| match &e.kind {
            ExprKind::Column(id) => impure.contains(id),
            ExprKind::Call { function, .. } => matches!(function.kind, Kind::Volatile | Kind::Window),
            ExprKind::Window { .. }
            | ExprKind::ScanState { .. }
            | ExprKind::InRel { .. }
            | ExprKind::HasRel { .. }
            | ExprKind::Scalar(_)
            | ExprKind::Error => true,
            _ => false,
        });
        !unsteady && format!("{a:?}") == format!("{b:?}")
    }

    /// Whether keys and condition of a join judge each pair of rows by these rows alone.
    fn is_pure_join(&self, a: &Rel, b: &Rel) -> bool {
        let none = HashSet::new();
        let (a, b) = (expressions(a), expressions(b));
        a.len() == b.len() && a.into_iter().zip(b).all(|(x, y)| self.is_pure(x, y, &none))
    }

    /// A comparison of a time of the row with a moment that moves with the clock: the time, and the bound on its
    /// distance from the clock.
    fn time_bound<'e>(&self, a: &'e Expr, b: &Expr, impure: &HashSet<ColumnId>) -> Option<(&'e Expr, Bound)> {
        let (ExprKind::Call { function, args }, ExprKind::Call { args: args_b, .. }) = (&a.kind, &b.kind) else {
            return None;
        };
        let ([left, right], [left_b, right_b]) = (args.as_slice(), args_b.as_slice()) else { return None };
        let is_time = |e: &Expr, other: &Expr| {
            e.ty == ScalarType::DateTime && moment_of(e).is_none() && self.is_pure(e, other, impure)
        };
        let (operator, subject, moment, moment_b) = if is_time(left, left_b) {
            (function.name, left, right, right_b)
        } else if is_time(right, right_b) {
            (mirrored(function.name)?, right, left, left_b)
        } else {
            return None;
        };
        let (moment, moment_b) = (moment_of(moment)?, moment_of(moment_b)?);
        let moved = self.clocks.second_now.checked_sub(self.clocks.first_now)?;
        if moment_b.checked_sub(moment)? != moved {
            return None;
        }
        let offset = moment.checked_sub(self.clocks.first_now)?;
        let bound = match operator {
            ">" => Bound { low: Some(offset.checked_add(1)?), high: None },
            ">=" => Bound { low: Some(offset), high: None },
            "<" => Bound { low: None, high: Some(offset.checked_sub(1)?) },
            "<=" => Bound { low: None, high: Some(offset) },
            "==" => Bound { low: Some(offset), high: Some(offset) },
            _ => return None,
        };
        Some((subject, bound))
    }

    /// Whether the two bindings differ in anything but the bounds that were taken out.
    fn clock_elsewhere(&self) -> bool {
        let mut a = format!("{:?}", self.clocks.first.results);
        let mut b = format!("{:?}", self.clocks.second.results);
        if a == b {
            return false;
        }
        for (bound_a, bound_b) in &self.bounds {
            a = a.replace(bound_a, "bound");
            b = b.replace(bound_b, "bound");
        }
        a != b
    }
}

/// The columns that are still a leaf's time behind a projection.
fn passed_on(group: &LeafGroup, exprs: &[(ColumnId, Expr)]) -> LeafGroup {
    let times = |below: &Vec<ColumnId>| {
        let passed = exprs.iter().filter(|(_, e)| matches!(&e.kind, ExprKind::Column(read) if below.contains(read)));
        passed.map(|(id, _)| *id).collect()
    };
    group.iter().map(|(leaf, below)| (*leaf, times(below))).collect()
}

/// A value that other rows decide (`prev`, `row_number`): a filter on time does not commute with it.
fn looks_around(expr: &Expr) -> bool {
    any_expr(expr, &|e| matches!(e.kind, ExprKind::Window { .. }))
}

/// Operators that make the rows of each row of their first input from that row alone, and keep its columns.
fn is_rowwise(kind: &RelKind) -> bool {
    match kind {
        RelKind::MvExpand { .. } | RelKind::MvApply { .. } | RelKind::Parse { .. } | RelKind::ParseKv { .. } => true,
        RelKind::Plugin { name, .. } => matches!(name.as_str(), "bag_unpack" | "ipv4_lookup" | "ipv6_lookup"),
        _ => false,
    }
}

fn column(id: ColumnId, name: &str, ty: ScalarType) -> BoundColumn {
    BoundColumn { id, name: Arc::from(name), ty }
}

fn column_expr(id: ColumnId, ty: ScalarType, span: Span) -> Expr {
    Expr { kind: ExprKind::Column(id), ty, span }
}

fn literal(value: Value, span: Span) -> Expr {
    let ty = value.ty();
    Expr { kind: ExprKind::Literal(value), ty, span }
}

/// The columns of an operator, then those of [`CARRIED`].
fn extended(rel: &Rel, rows: &[CarriedColumns]) -> Vec<BoundColumn> {
    let mut columns = rel.columns.clone();
    columns.extend(rows.iter().flat_map(|row| row.columns()));
    columns
}

/// An inner join of two parts: a row of it is there when both rows behind it are.
fn joined(rel: &Rel, left: Local, right: Local) -> Local {
    let rows: Vec<CarriedColumns> = left.rows.into_iter().chain(right.rows).collect();
    let exact = left.exact && right.exact && left.impure.is_empty() && right.impure.is_empty();
    let both = left.carried.columns.iter().chain(&right.carried.columns).cloned().collect();
    let mut kind = rel.kind.clone();
    if let RelKind::Join { left: l, right: r, .. } = kind.as_mut() {
        *l = left.carried;
        *r = right.carried;
    }
    let join = Rel { kind, columns: both, serialized: rel.serialized, span: rel.span };
    let own = rel.columns.iter().map(|c| (c.id, column_expr(c.id, c.ty, rel.span)));
    let exprs = own.chain(rows.iter().flat_map(|row| row.exprs(rel.span))).collect();
    let columns = extended(rel, &rows);
    let kind = Box::new(RelKind::Project { input: join, exprs });
    let carried = Rel { kind, columns, serialized: rel.serialized, span: rel.span };
    let groups = left.groups.into_iter().chain(right.groups).collect();
    let impure = left.impure.into_iter().chain(right.impure).collect();
    Local { carried, rows, groups, impure, exact }
}

/// Narrows the clocks at which rows are let through: `subject >= now + low` holds until `subject - low`, and
/// `subject <= now + high` from `subject - high` on.
fn narrowed(below: Local, rel: &Rel, subject: &Expr, bound: Bound) -> Local {
    let span = rel.span;
    // All rows behind a result row must be let through: whichever carries the bound.
    let Some(row) = below.rows.first().copied() else { return Local { exact: false, ..below } };
    let operator = |name: &str, args: Vec<Expr>, ty: ScalarType| {
        kql_functions::operator(name).map(|function| Expr { kind: ExprKind::Call { function, args }, ty, span })
    };
    let shifted = |offset: i64| {
        let args = vec![subject.clone(), literal(Value::TimeSpan(offset), span)];
        operator("-", args, ScalarType::DateTime)
    };
    // The tighter of the bound so far and the new one.
    let tighter = |id: ColumnId, offset: Option<i64>, comparison: &str| -> Option<Expr> {
        let known = column_expr(id, ScalarType::DateTime, span);
        let Some(offset) = offset else { return Some(known) };
        let new = shifted(offset)?;
        let condition = operator(comparison, vec![new.clone(), known.clone()], ScalarType::Bool)?;
        let kind = ExprKind::Case { branches: vec![(condition, new)], otherwise: Box::new(known) };
        Some(Expr { kind, ty: ScalarType::DateTime, span })
    };
    let (Some(from), Some(until)) = (tighter(row.from, bound.high, ">"), tighter(row.until, bound.low, "<")) else {
        return Local { exact: false, ..below };
    };
    let carried = below.carried;
    let moved = [(row.from, from), (row.until, until)];
    let exprs = carried.columns.iter().map(|column| {
        let moved = moved.iter().find(|(id, _)| *id == column.id).map(|(_, expr)| expr.clone());
        (column.id, moved.unwrap_or_else(|| column_expr(column.id, column.ty, span)))
    });
    let exprs: Vec<(ColumnId, Expr)> = exprs.collect();
    let columns = carried.columns.clone();
    let serialized = carried.serialized;
    let kind = Box::new(RelKind::Project { input: carried, exprs });
    Local { carried: Rel { kind, columns, serialized, span }, ..below }
}

/// The same operator over the carried input; it passes every column on.
fn rebuilt(rel: &Rel, below: Local, kind: impl FnOnce(Rel) -> RelKind) -> Local {
    let columns = extended(rel, &below.rows);
    let carried = Rel { kind: Box::new(kind(below.carried)), columns, serialized: rel.serialized, span: rel.span };
    Local { carried, ..below }
}

/// A probe needs no order.
fn without_sort(rel: Rel) -> Rel {
    match *rel.kind {
        RelKind::Sort { input, .. } | RelKind::Serialize { input } => without_sort(input),
        kind => Rel { kind: Box::new(kind), ..rel },
    }
}
