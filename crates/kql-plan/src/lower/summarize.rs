//! `summarize`, `distinct`, `count`.
//!
//! `arg_max(by, *)` and `take_any` over several columns give one struct, taken apart afterwards. Inside a sub-pipeline
//! the groups are also by the sub-pipeline, and what its rows have in common is carried through.

use std::sync::Arc;

use datafusion_expr::logical_plan::Aggregate;
use datafusion_expr::{Expr as PlanExpr, LogicalPlan, lit};
use kql_semantics::bound::{AggregateCall, ColumnId, Expr, Rel, SummarizeItem};
use kql_types::ScalarType;

use crate::error::{LowerError, LowerResult};
use crate::function::aggregate::KqlAggregate;
use crate::function::place_union::PlaceUnion;
use crate::function::row_pick::{Pick, Picked, RowPick};
use crate::lower::{
    Hidden, Lowered, Lowering, Scope, column, column_name, has_no_rows, named, no_rows_of, project_plan,
};
use crate::node::{KqlNode, Op};
use kql_semantics::walk::{ColumnSet, columns_of};

/// Aggregates whose result depends on the order of the rows.
const ORDERED: &[&str] = &[
    "make_list",
    "make_list_if",
    "make_list_with_nulls",
    "makelist",
    "make_set",
    "make_set_if",
    "makeset",
    "make_bag",
    "make_bag_if",
    "make_dictionary",
    "take_any",
    "take_anyif",
    "any",
    "anyif",
    "arg_max",
    "arg_min",
];

impl Lowering<'_> {
    pub(super) fn lower_summarize(
        &mut self,
        input: &Rel,
        keys: &[(ColumnId, Expr)],
        items: &[SummarizeItem],
        needed: &ColumnSet,
    ) -> LowerResult<Lowered> {
        let items: Vec<&SummarizeItem> = items.iter().filter(|item| item_is_needed(item, needed)).collect();
        let mut wanted = ColumnSet::default();
        keys.iter().for_each(|(_, expr)| columns_of(expr, &mut wanted));
        items.iter().for_each(|item| item_columns(item, &mut wanted));
        let lowered = self.lower(input, &wanted)?;
        let mut group: Vec<PlanExpr> = Vec::new();
        for (id, expr) in keys {
            group.push(named(self.expr(&lowered, expr)?, &column_name(*id)));
        }
        let live = lowered.hidden.scope.as_ref().and_then(|scope| scope.live.clone());
        let mut aggregates: Vec<PlanExpr> = Vec::new();
        let mut outputs: Vec<PlanExpr> = keys.iter().map(|(id, _)| column(&column_name(*id))).collect();
        for item in &items {
            self.lower_item(&lowered, item, live.as_deref(), &mut aggregates, &mut outputs)?;
        }
        let lowered =
            if lowered.hidden.scope.is_some() && !keys.is_empty() { self.without_ghosts(lowered)? } else { lowered };
        let hidden = self.carry(&lowered, &mut group, &mut aggregates, &mut outputs);
        if group.is_empty() && aggregates.is_empty() {
            // `summarize count()` of which nothing is needed above: one row all the same.
            aggregates.push(self.any_row());
        }
        let sensitive = !lowered.order.is_empty() && items.iter().any(|item| order_matters(item));
        let plan = self.aggregated(lowered, group, aggregates, sensitive)?;
        let plan = if outputs.is_empty() { plan } else { project_plan(plan, outputs)? };
        Ok(Lowered { plan, order: Vec::new(), hidden })
    }

    /// The aggregation itself; over ordered rows in one piece when the order matters.
    pub(crate) fn aggregated(
        &mut self,
        lowered: Lowered,
        group: Vec<PlanExpr>,
        aggregates: Vec<PlanExpr>,
        ordered: bool,
    ) -> LowerResult<LogicalPlan> {
        if !ordered {
            let empty = !group.is_empty() && has_no_rows(&lowered.plan);
            let aggregate = Aggregate::try_new(Arc::new(lowered.plan), group, aggregates)?;
            return Ok(if empty { no_rows_of(aggregate.schema) } else { LogicalPlan::Aggregate(aggregate) });
        }
        let lowered = self.pinned(lowered)?;
        let aggregate = Aggregate::try_new(Arc::new(lowered.plan.clone()), group.clone(), aggregates.clone())?;
        let fields = aggregate.schema.fields().iter();
        let added = fields.map(|field| (field.name().clone(), field.data_type().clone())).collect();
        let op = Op::OrderedAggregate { groups: group.len() };
        let own = group.into_iter().chain(aggregates).collect();
        Ok(KqlNode::plan(op, Some(lowered.plan), Vec::new(), own, added)?)
    }

    /// Carries hidden columns through an aggregation.
    pub(crate) fn carry(
        &mut self,
        lowered: &Lowered,
        group: &mut Vec<PlanExpr>,
        aggregates: &mut Vec<PlanExpr>,
        outputs: &mut Vec<PlanExpr>,
    ) -> Hidden {
        let mut hidden = Hidden::default();
        if let Some(places) = &lowered.hidden.places {
            let name = self.fresh("p");
            aggregates.push(PlaceUnion::call(column(places)).alias(&name));
            outputs.push(column(&name));
            hidden.places = Some(name);
        }
        if let Some(scope) = &lowered.hidden.scope {
            group.push(column(&scope.row));
            outputs.push(column(&scope.row));
            let mut types = Vec::new();
            let mut args = Vec::new();
            let picked = self.fresh("y");
            for name in &scope.carried {
                // A carried column may be a grouping key as well.
                if outputs.iter().any(|output| matches!(output, PlanExpr::Column(known) if known.name == *name)) {
                    continue;
                }
                let ty = self.layout(lowered, name);
                outputs.push(Picked::call(types.len(), ty, column(&picked)).alias(name));
                types.push(ty);
                args.push(column(name));
            }
            if !types.is_empty() {
                aggregates.push(RowPick::new(Pick::Any, types).call(args, None).alias(&picked));
            }
            hidden.scope = Some(Scope { row: scope.row.clone(), live: None, carried: scope.carried.clone() });
        }
        hidden
    }

    fn any_row(&mut self) -> PlanExpr {
        let name = self.fresh("n");
        RowPick::new(Pick::Any, vec![ScalarType::Bool]).call(vec![lit(true)], None).alias(name)
    }

    fn lower_item(
        &mut self,
        lowered: &Lowered,
        item: &SummarizeItem,
        live: Option<&str>,
        aggregates: &mut Vec<PlanExpr>,
        outputs: &mut Vec<PlanExpr>,
    ) -> LowerResult<()> {
        match item {
            SummarizeItem::Aggregate { out, call } => {
                let name = column_name(*out);
                aggregates.push(self.aggregate_call(lowered, call, live)?.0.alias(&name));
                outputs.push(column(&name));
            }
            SummarizeItem::ArgExtreme { max, by, by_out, values } => {
                let pick = if *max { Pick::Max } else { Pick::Min };
                let all: Vec<(ColumnId, &Expr)> =
                    std::iter::once((*by_out, by)).chain(values.iter().map(|(id, expr)| (*id, expr))).collect();
                self.pick(lowered, pick, &all, live, aggregates, outputs)?;
            }
            SummarizeItem::TakeAny { values } => {
                // One column alone has no row to keep together, and the engine prefers a value to null:
                // `datatable(a:long)[long(null), 2] | summarize take_any(a)` is 2.
                if let ([(out, expr)], Some(aggregate)) = (values.as_slice(), kql_functions::aggregate("take_any")) {
                    let call = AggregateCall { aggregate, args: vec![expr.clone()], ty: expr.ty, span: expr.span };
                    let name = column_name(*out);
                    aggregates.push(self.aggregate_call(lowered, &call, live)?.0.alias(&name));
                    outputs.push(column(&name));
                    return Ok(());
                }
                let all: Vec<(ColumnId, &Expr)> = values.iter().map(|(id, expr)| (*id, expr)).collect();
                self.pick(lowered, Pick::Any, &all, live, aggregates, outputs)?;
            }
        }
        Ok(())
    }

    fn pick(
        &mut self,
        lowered: &Lowered,
        pick: Pick,
        all: &[(ColumnId, &Expr)],
        live: Option<&str>,
        aggregates: &mut Vec<PlanExpr>,
        outputs: &mut Vec<PlanExpr>,
    ) -> LowerResult<()> {
        let name = self.fresh("y");
        let types: Vec<ScalarType> = all.iter().map(|(_, expr)| expr.ty).collect();
        let mut args = Vec::with_capacity(all.len());
        for (index, (id, expr)) in all.iter().enumerate() {
            args.push(self.expr(lowered, expr)?);
            outputs.push(Picked::call(index, expr.ty, column(&name)).alias(column_name(*id)));
        }
        aggregates.push(RowPick::new(pick, types).call(args, live.map(column)).alias(name));
        Ok(())
    }

    /// A call of a registry aggregate; also the value that a group without rows has.
    pub(crate) fn aggregate_call(
        &mut self,
        lowered: &Lowered,
        call: &AggregateCall,
        live: Option<&str>,
    ) -> LowerResult<(PlanExpr, KqlAggregate)> {
        if call.aggregate.kernel.is_none() {
            return Err(LowerError::unsupported(call.aggregate.name, call.span));
        }
        let mut types = Vec::with_capacity(call.args.len());
        let mut constants = Vec::with_capacity(call.args.len());
        let mut args = Vec::new();
        for (index, arg) in call.args.iter().enumerate() {
            types.push(arg.ty);
            match self.expr(lowered, arg)? {
                // The first argument is data even when it is constant: `sum(1)`.
                PlanExpr::Literal(value, _) if index > 0 || is_parameter(call, index) => constants.push(Some(value)),
                value => {
                    constants.push(None);
                    args.push(value);
                }
            }
        }
        let aggregate = KqlAggregate::new(call.aggregate, types, constants, call.ty);
        Ok((aggregate.clone().call(args, live.map(column)), aggregate))
    }

    /// The Kusto type with the layout of a column whose Kusto type is not known here.
    pub(crate) fn layout(&self, lowered: &Lowered, name: &str) -> ScalarType {
        use datafusion_common::arrow::datatypes::DataType;
        match lowered.type_of(name) {
            Ok(DataType::Boolean) => ScalarType::Bool,
            Ok(DataType::Int32) => ScalarType::Int,
            Ok(DataType::Int64) => ScalarType::Long,
            Ok(DataType::Float64) => ScalarType::Real,
            Ok(DataType::Decimal256(_, _)) => ScalarType::Decimal,
            _ => ScalarType::Dynamic,
        }
    }

    /// Drops the marked rows: what follows has groups only where rows are.
    pub(crate) fn without_ghosts(&mut self, mut lowered: Lowered) -> LowerResult<Lowered> {
        let live = lowered.hidden.scope.as_mut().and_then(|scope| scope.live.take());
        match live {
            Some(live) => self.filtered(lowered, column(&live)),
            None => Ok(lowered),
        }
    }
}

fn is_parameter(call: &AggregateCall, index: usize) -> bool {
    let params = call.aggregate.overloads.first().map(|overload| overload.params);
    params.and_then(|params| params.get(index)).is_some_and(|param| param.constant)
}

fn item_is_needed(item: &SummarizeItem, needed: &ColumnSet) -> bool {
    match item {
        SummarizeItem::Aggregate { out, .. } => needed.contains(out),
        SummarizeItem::ArgExtreme { by_out, values, .. } => {
            needed.contains(by_out) || values.iter().any(|(id, _)| needed.contains(id))
        }
        SummarizeItem::TakeAny { values } => values.iter().any(|(id, _)| needed.contains(id)),
    }
}

fn item_columns(item: &SummarizeItem, into: &mut ColumnSet) {
    match item {
        SummarizeItem::Aggregate { call, .. } => call.args.iter().for_each(|arg| columns_of(arg, into)),
        SummarizeItem::ArgExtreme { by, values, .. } => {
            columns_of(by, into);
            values.iter().for_each(|(_, expr)| columns_of(expr, into));
        }
        SummarizeItem::TakeAny { values } => values.iter().for_each(|(_, expr)| columns_of(expr, into)),
    }
}

fn order_matters(item: &SummarizeItem) -> bool {
    match item {
        SummarizeItem::Aggregate { call, .. } => ORDERED.contains(&call.aggregate.name),
        SummarizeItem::ArgExtreme { .. } | SummarizeItem::TakeAny { .. } => true,
    }
}
