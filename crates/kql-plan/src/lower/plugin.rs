//! `evaluate bag_unpack`, `evaluate pivot` and lookups.
//!
//! The columns of the first two depend on the data and are known by the time the query is bound for running; then the
//! one is a projection of paths into the bag, and the other an aggregation with a filter for each value. A lookup is a
//! join by a condition.

use datafusion_common::ScalarValue;
use datafusion_expr::{Expr as PlanExpr, lit};
use kql_functions::Aggregate;
use kql_semantics::bound::{
    AggregateCall, BoundColumn, ColumnId, Expr, ExprKind, JoinKind, PathStep, PluginArg, Rel, RelKind,
};
use kql_types::{Overload, Return, ScalarType, Span, Value};

use crate::error::{LowerError, LowerResult};
use crate::lower::whole::Called;
use crate::lower::{Lowered, Lowering, column, column_name, named, project_plan};
use kql_semantics::walk::ColumnSet;

/// The arguments of `bag_unpack`.
#[derive(Debug, Clone, PartialEq)]
pub struct BagUnpack {
    /// The bag column.
    pub bag: ColumnId,
    /// Stands before the keys in the names of the new columns.
    pub prefix: String,
    /// A key that is also a column of the input.
    pub conflict: Conflict,
    /// Keys that give no column.
    pub ignored: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    Error,
    KeepSource,
    ReplaceSource,
}

impl BagUnpack {
    /// None when the first argument is no column.
    pub fn of(args: &[PluginArg]) -> Option<BagUnpack> {
        let PluginArg::Expr(Expr { kind: ExprKind::Column(bag), .. }) = args.first()? else { return None };
        let text = |name: &str, place: usize| match argument(args, name, place) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        let conflict = match text("columnsConflict", 2).as_deref() {
            Some("keep_source") => Conflict::KeepSource,
            Some("replace_source") => Conflict::ReplaceSource,
            _ => Conflict::Error,
        };
        let ignored = match argument(args, "ignoredProperties", 3) {
            Some(Value::Dynamic(kql_types::Dynamic::Array(items))) => items.iter().map(|item| item.to_text()).collect(),
            _ => Vec::new(),
        };
        Some(BagUnpack { bag: *bag, prefix: text("OutputColumnPrefix", 1).unwrap_or_default(), conflict, ignored })
    }
}

/// A constant argument by name, or at its place.
fn argument<'a>(args: &'a [PluginArg], name: &str, place: usize) -> Option<&'a Value> {
    let value = |arg: &'a PluginArg| match arg {
        PluginArg::Value(value) => Some(value),
        _ => None,
    };
    let by_name = args.iter().find_map(|arg| match arg {
        PluginArg::Named(own, inner) if own.eq_ignore_ascii_case(name) => value(inner),
        _ => None,
    });
    by_name.or_else(|| args.get(place).and_then(value))
}

/// The arguments of `pivot`.
#[derive(Debug, Clone)]
pub struct Pivot {
    /// Its values become columns.
    pub by: ColumnId,
    pub aggregate: &'static Aggregate,
    /// The aggregate's argument; None for `count()`.
    pub of: Option<BoundColumn>,
    /// Columns that the rows are grouped by.
    pub keys: Vec<BoundColumn>,
}

impl Pivot {
    /// None when the arguments are other than columns and one aggregate.
    pub fn of(args: &[PluginArg], input: &[BoundColumn]) -> Option<Pivot> {
        let column_of = |arg: &PluginArg| match arg {
            PluginArg::Expr(Expr { kind: ExprKind::Column(id), .. }) => input.iter().find(|bound| bound.id == *id),
            _ => None,
        };
        let by = column_of(args.first()?)?.id;
        let (name, of) = match args.get(1) {
            Some(PluginArg::Value(Value::String(text))) => {
                let (name, rest) = text.split_once('(')?;
                let of = rest.strip_suffix(')')?;
                (name, input.iter().find(|bound| *bound.name == *of).cloned())
            }
            _ => ("count", None),
        };
        let named: Vec<BoundColumn> = args.iter().skip(2).filter_map(column_of).cloned().collect();
        let aggregated = of.as_ref().map(|bound| bound.id);
        let rest = input.iter().filter(|bound| bound.id != by && Some(bound.id) != aggregated);
        let keys = if named.is_empty() { rest.cloned().collect() } else { named };
        Some(Pivot { by, aggregate: kql_functions::aggregate(name)?, of, keys })
    }

    /// The type of the columns that the values become.
    pub fn returns(&self) -> ScalarType {
        let types: Vec<ScalarType> = self.of.iter().map(|bound| bound.ty).collect();
        let first = types.first().copied().unwrap_or(ScalarType::Long);
        match self.aggregate.overloads.first() {
            Some(Overload { returns: Return::Type(ty), .. }) => *ty,
            Some(Overload { returns: Return::Widened(_), .. }) if first == ScalarType::Int => ScalarType::Long,
            Some(Overload { returns: Return::Custom(f), .. }) => f(&types),
            _ => first,
        }
    }
}

impl Lowering<'_> {
    pub(super) fn lower_plugin(
        &mut self,
        rel: &Rel,
        name: &str,
        input: Option<&Rel>,
        args: &[PluginArg],
        needed: &ColumnSet,
    ) -> LowerResult<Lowered> {
        let unsupported = || LowerError::unsupported(name, rel.span);
        let input = input.ok_or_else(unsupported)?;
        match name {
            "bag_unpack" => {
                let unpack = BagUnpack::of(args).ok_or_else(unsupported)?;
                let mut exprs = Vec::with_capacity(rel.columns.len());
                for bound in &rel.columns {
                    exprs.push((bound.id, unpacked(bound, input, &unpack, rel.span).ok_or_else(unsupported)?));
                }
                self.lower_project(input, &exprs, needed)
            }
            "pivot" => {
                let pivot = Pivot::of(args, &input.columns).ok_or_else(unsupported)?;
                self.lower_pivot(rel, input, &pivot)
            }
            "ipv4_lookup" => {
                let join =
                    lookup(rel, input, args, Looked { by: "ipv4_is_match", values: 1 }).ok_or_else(unsupported)?;
                self.lower(&join, needed)
            }
            "ipv6_lookup" => {
                let join =
                    lookup(rel, input, args, Looked { by: "ipv6_is_match", values: 1 }).ok_or_else(unsupported)?;
                self.lower(&join, needed)
            }
            "geo_polygon_lookup" | "geo_line_lookup" => {
                let join = geo_lookup(rel, name, input, args).ok_or_else(unsupported)?;
                self.lower(&join, needed)
            }
            "dcount_intersect" => {
                let exprs = intersections(rel, input, args).ok_or_else(unsupported)?;
                self.lower_project(input, &exprs, needed)
            }
            "identity" | "identity_v3" => self.lower(input, needed),
            "preview" => {
                let Some(PluginArg::Value(count)) = args.first() else { return Err(unsupported()) };
                let count = Expr { kind: ExprKind::Literal(count.clone()), ty: count.ty(), span: rel.span };
                self.lower_take(input, &count, needed)
            }
            _ => match self.lower_whole_plugin(&Called { rel, name, input, args })? {
                Some(lowered) => Ok(lowered),
                None => Err(unsupported()),
            },
        }
    }

    fn lower_pivot(&mut self, rel: &Rel, input: &Rel, pivot: &Pivot) -> LowerResult<Lowered> {
        let mut wanted: ColumnSet = pivot.keys.iter().chain(&pivot.of).map(|bound| bound.id).collect();
        wanted.insert(pivot.by);
        let lowered = self.lower(input, &wanted)?;
        let mut lowered = self.without_ghosts(lowered)?;
        let by = input.columns.iter().find(|bound| bound.id == pivot.by);
        let by = by.ok_or_else(|| LowerError::bug("pivot by a column that is not there"))?;
        let text = to_text(Expr { kind: ExprKind::Column(by.id), ty: by.ty, span: rel.span })?;
        let text = self.expr(&lowered, &text)?;
        let (mut group, mut outputs, mut flags, mut calls) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for bound in &rel.columns {
            let name = column_name(bound.id);
            outputs.push(column(&name));
            if let Some(key) = pivot.keys.iter().find(|key| key.name == bound.name) {
                group.push(named(column(&column_name(key.id)), &name));
                continue;
            }
            let flag = self.fresh("v");
            let value = PlanExpr::Literal(ScalarValue::Utf8View(Some(bound.name.to_string())), None);
            flags.push(text.clone().eq(value).alias(&flag));
            calls.push((name, flag, bound.ty));
        }
        lowered = self.extended(lowered, flags)?;
        let mut aggregates = Vec::with_capacity(calls.len());
        for (name, flag, ty) in calls {
            let args = pivot.of.iter();
            let args = args.map(|bound| Expr { kind: ExprKind::Column(bound.id), ty: bound.ty, span: rel.span });
            let call = AggregateCall { aggregate: pivot.aggregate, args: args.collect(), ty, span: rel.span };
            aggregates.push(self.aggregate_call(&lowered, &call, Some(&flag))?.0.alias(&name));
        }
        let hidden = self.carry(&lowered, &mut group, &mut aggregates, &mut outputs);
        if group.is_empty() && aggregates.is_empty() {
            return self.filtered(lowered, lit(false));
        }
        let plan = self.aggregated(lowered, group, aggregates, false)?;
        Ok(Lowered { plan: project_plan(plan, outputs)?, order: Vec::new(), hidden })
    }
}

/// How a row finds its partners in the table of a lookup.
struct Looked {
    /// The function that holds of the row's values and the table's key.
    by: &'static str,
    /// Values of the row, which come before the key in the function.
    values: usize,
}

/// A lookup as a join: `ipv4_lookup(Table, value, key, extra keys..., return_unmatched)`. An extra key is a column of both
/// sides.
fn lookup(rel: &Rel, input: &Rel, args: &[PluginArg], looked: Looked) -> Option<Rel> {
    let span = rel.span;
    let PluginArg::Rel(table) = args.first()? else { return None };
    let expr = |arg: &PluginArg| match arg {
        PluginArg::Expr(expr) => Some(expr.clone()),
        _ => None,
    };
    let given = args.get(1..looked.values + 2)?.iter().map(expr).collect::<Option<Vec<Expr>>>()?;
    let mut keys = Vec::new();
    let mut unmatched = false;
    for arg in args.get(looked.values + 2..).unwrap_or_default() {
        match arg {
            PluginArg::Value(Value::Bool(all)) => unmatched = *all,
            PluginArg::Named(name, value) if name == "return_unmatched" => {
                unmatched = matches!(**value, PluginArg::Value(Value::Bool(true)));
            }
            PluginArg::Expr(Expr { kind: ExprKind::Column(id), .. }) => {
                let sides = [&input.columns, &table.columns];
                let named = sides.iter().find_map(|columns| columns.iter().find(|column| column.id == *id))?;
                let side = |columns: &[BoundColumn]| {
                    let column = columns.iter().find(|column| column.name == named.name)?;
                    Some(Expr { kind: ExprKind::Column(column.id), ty: column.ty, span })
                };
                keys.push((side(&input.columns)?, side(&table.columns)?));
            }
            _ => return None,
        }
    }
    let function = kql_functions::function(looked.by)?;
    let condition = Expr { kind: ExprKind::Call { function, args: given }, ty: ScalarType::Bool, span };
    let kind = RelKind::Join {
        left: input.clone(),
        right: table.clone(),
        kind: if unmatched { JoinKind::LeftOuter } else { JoinKind::Inner },
        keys,
        condition: Some(condition),
    };
    Some(Rel { kind: Box::new(kind), columns: rel.columns.clone(), serialized: false, span })
}

/// `geo_polygon_lookup(Table, polygon, longitude, latitude, radius, return_unmatched)` and `geo_line_lookup` as a join. The
/// shape may stand before or after the place: it is the column of the table.
fn geo_lookup(rel: &Rel, name: &str, input: &Rel, args: &[PluginArg]) -> Option<Rel> {
    let span = rel.span;
    let PluginArg::Rel(table) = args.first()? else { return None };
    let mut shape = None;
    let mut place = Vec::new();
    let mut constants = Vec::new();
    let mut unmatched = None;
    for arg in args.get(1..)? {
        match arg {
            PluginArg::Expr(expr) => match expr.kind {
                ExprKind::Column(id) if table.columns.iter().any(|column| column.id == id) => {
                    shape = Some(expr.clone())
                }
                _ => place.push(expr.clone()),
            },
            PluginArg::Value(value) => constants.push(value.clone()),
            PluginArg::Named(own, value) => match (own.as_str(), value.as_ref()) {
                ("radius", PluginArg::Value(value)) => constants.insert(0, value.clone()),
                ("return_unmatched", PluginArg::Value(Value::Bool(all))) => unmatched = Some(*all),
                _ => {}
            },
            PluginArg::Rel(_) => return None,
        }
    }
    let radius = constants.iter().find(|value| !matches!(value, Value::Bool(_)));
    let all = constants.iter().find_map(|value| match value {
        Value::Bool(all) => Some(*all),
        _ => None,
    });
    let [longitude, latitude] = place.as_slice() else { return None };
    let args = vec![longitude.clone(), latitude.clone(), shape?];
    let call = |name: &str, args: Vec<Expr>, ty: ScalarType| {
        Some(Expr { kind: ExprKind::Call { function: kql_functions::function(name)?, args }, ty, span })
    };
    let condition = match radius {
        None if name == "geo_line_lookup" => return None,
        None => call("geo_point_in_polygon", args, ScalarType::Bool)?,
        Some(radius) => {
            let meters = match radius {
                Value::Long(meters) => *meters as f64,
                Value::Int(meters) => f64::from(*meters),
                Value::Real(meters) => *meters,
                _ => return None,
            };
            let to =
                if name == "geo_line_lookup" { "geo_distance_point_to_line" } else { "geo_distance_point_to_polygon" };
            let distance = call(to, args, ScalarType::Real)?;
            let limit = Expr { kind: ExprKind::Literal(Value::Real(meters)), ty: ScalarType::Real, span };
            let function = kql_functions::operator("<=")?;
            Expr { kind: ExprKind::Call { function, args: vec![distance, limit] }, ty: ScalarType::Bool, span }
        }
    };
    let kind = RelKind::Join {
        left: input.clone(),
        right: table.clone(),
        kind: if unmatched.or(all).unwrap_or(false) { JoinKind::LeftOuter } else { JoinKind::Inner },
        keys: Vec::new(),
        condition: Some(condition),
    };
    Some(Rel { kind: Box::new(kind), columns: rel.columns.clone(), serialized: false, span })
}

/// Sketches that `dcount_intersect` takes: their subsets are counted one by one.
const SKETCHES_MAX: usize = 8;

/// `dcount_intersect(a, b, c)`: the columns of the input, then the sizes of `a`, of `a` and `b`, and of all three, by
/// inclusion and exclusion over merged sketches.
fn intersections(rel: &Rel, input: &Rel, args: &[PluginArg]) -> Option<Vec<(ColumnId, Expr)>> {
    let span = rel.span;
    let sketches: Vec<Expr> = args
        .iter()
        .map(|arg| match arg {
            PluginArg::Expr(expr) => Some(expr.clone()),
            _ => None,
        })
        .collect::<Option<_>>()?;
    if sketches.len() > SKETCHES_MAX {
        return None;
    }
    let call = |function, args: Vec<Expr>, ty| Expr { kind: ExprKind::Call { function, args }, ty, span };
    let (merge, count) = (kql_functions::function("hll_merge")?, kql_functions::function("dcount_hll")?);
    let (plus, minus) = (kql_functions::operator("+")?, kql_functions::operator("-")?);
    let greatest = kql_functions::function("max_of")?;
    let zero = Expr { kind: ExprKind::Literal(Value::Long(0)), ty: ScalarType::Long, span };
    let mut exprs: Vec<(ColumnId, Expr)> = Vec::with_capacity(rel.columns.len());
    for bound in &input.columns {
        exprs.push((bound.id, Expr { kind: ExprKind::Column(bound.id), ty: bound.ty, span }));
    }
    for (depth, bound) in rel.columns.iter().skip(input.columns.len()).enumerate() {
        let mut size = zero.clone();
        for subset in 1_u32..1 << (depth + 1) {
            let chosen: Vec<Expr> = sketches
                .iter()
                .enumerate()
                .filter(|(index, _)| subset >> index & 1 == 1)
                .map(|(_, s)| s.clone())
                .collect();
            let sign = if subset.count_ones() % 2 == 1 { plus } else { minus };
            let merged = match chosen.as_slice() {
                [one] => one.clone(),
                _ => call(merge, chosen, ScalarType::Dynamic),
            };
            size = call(sign, vec![size, call(count, vec![merged], ScalarType::Long)], ScalarType::Long);
        }
        exprs.push((bound.id, call(greatest, vec![size, zero.clone()], ScalarType::Long)));
    }
    Some(exprs)
}

/// An output column of `bag_unpack`: a column of the input, or a key of the bag as its type.
fn unpacked(bound: &BoundColumn, input: &Rel, unpack: &BagUnpack, span: Span) -> Option<Expr> {
    let source = input.columns.iter().find(|column| column.name == bound.name && column.id != unpack.bag);
    if let Some(source) = source.filter(|_| unpack.conflict != Conflict::ReplaceSource) {
        return Some(Expr { kind: ExprKind::Column(source.id), ty: source.ty, span });
    }
    let key = bound.name.strip_prefix(unpack.prefix.as_str())?;
    let base = Box::new(Expr { kind: ExprKind::Column(unpack.bag), ty: ScalarType::Dynamic, span });
    let kind = ExprKind::Path { base, steps: vec![PathStep::Key(key.to_owned())] };
    let value = Expr { kind, ty: ScalarType::Dynamic, span };
    let converter = match bound.ty {
        ScalarType::Dynamic | ScalarType::Unknown => return Some(value),
        ScalarType::Bool => "tobool",
        ScalarType::Int => "toint",
        ScalarType::Long => "tolong",
        ScalarType::Real => "todouble",
        ScalarType::Decimal => "todecimal",
        ScalarType::DateTime => "todatetime",
        ScalarType::TimeSpan => "totimespan",
        ScalarType::Guid => "toguid",
        ScalarType::String => "tostring",
    };
    let function = kql_functions::function(converter)?;
    Some(Expr { kind: ExprKind::Call { function, args: vec![value] }, ty: bound.ty, span })
}

pub(super) fn to_text(value: Expr) -> LowerResult<Expr> {
    if value.ty == ScalarType::String {
        return Ok(value);
    }
    let function = kql_functions::function("tostring").ok_or_else(|| LowerError::bug("no tostring"))?;
    let span = value.span;
    Ok(Expr { kind: ExprKind::Call { function, args: vec![value] }, ty: ScalarType::String, span })
}
