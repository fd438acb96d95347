//! `union`: the inputs one after another, under the ids of the output.

use std::sync::Arc;

use datafusion_common::arrow::datatypes::{Field, Fields, Schema};
use datafusion_common::{DFSchema, ScalarValue};
use datafusion_expr::logical_plan::Union;
use datafusion_expr::{Expr as PlanExpr, LogicalPlan};
use kql_semantics::bound::Rel;
use kql_types::{ScalarType, Value};

use crate::error::LowerResult;
use crate::function::internal::Internal;
use crate::lower::expr::literal;
use crate::lower::{Hidden, Lowered, Lowering, column, column_name, has_no_rows, named, no_rows_of, project_plan};
use kql_semantics::walk::ColumnSet;

impl Lowering<'_> {
    pub(super) fn lower_union(&mut self, rel: &Rel, inputs: &[Rel], needed: &ColumnSet) -> LowerResult<Lowered> {
        let mut positions: Vec<usize> = Vec::new();
        for (index, bound) in rel.columns.iter().enumerate() {
            if needed.contains(&bound.id) {
                positions.push(index);
            }
        }
        if positions.is_empty() && !rel.columns.is_empty() {
            positions.push(0);
        }
        let mut branches: Vec<Lowered> = Vec::with_capacity(inputs.len());
        for input in inputs {
            let wanted: ColumnSet =
                positions.iter().filter_map(|index| input.columns.get(*index)).map(|bound| bound.id).collect();
            branches.push(self.lower(input, &wanted)?);
        }
        let mut hidden = self.union_hidden(&branches);
        // Rows of ordered inputs keep their order, input after input.
        let ordered = branches.iter().all(|branch| branch.order.len() == 1 && self.is_long(branch));
        let order = if ordered && !branches.is_empty() { Some((self.fresh("o"), self.fresh("o"))) } else { None };
        let mut plans: Vec<Arc<LogicalPlan>> = Vec::with_capacity(branches.len());
        for (number, (branch, input)) in branches.into_iter().zip(inputs).enumerate() {
            let mut outputs: Vec<PlanExpr> = Vec::new();
            for index in &positions {
                let (Some(out), Some(from)) = (rel.columns.get(*index), input.columns.get(*index)) else { continue };
                let value = match (from.ty, out.ty) {
                    (ScalarType::Unknown, ty) if ty != ScalarType::Unknown => literal(&Value::missing(ty), ty),
                    _ => column(&column_name(from.id)),
                };
                outputs.push(named(value, &column_name(out.id)));
            }
            union_carried(&branch, &hidden, &mut outputs);
            if let Some((branch_number, ordinal)) = &order {
                let number = PlanExpr::Literal(ScalarValue::Int64(Some(number as i64)), None);
                if let Some(key) = branch.order.first() {
                    // A plain constant would let DataFusion think that the union as a whole is sorted by it.
                    let number = Internal::Branch.call(vec![column(&key.column), number]);
                    outputs.push(number.alias(branch_number));
                    // Nor may it know the ordinal to equal a column that the union does not sort by.
                    let key = column(&key.column);
                    outputs.push(Internal::Branch.call(vec![key.clone(), key]).alias(ordinal));
                }
            }
            plans.push(Arc::new(project_plan(branch.plan, outputs)?));
        }
        let order = order.map(|(branch, ordinal)| {
            vec![crate::lower::rows::ascending(branch), crate::lower::rows::ascending(ordinal)]
        });
        if plans.is_empty() {
            return self.no_rows(&self.used_columns(rel, needed));
        }
        // Inputs without rows add nothing; all have the same columns.
        if let Some(schema) = plans.iter().find(|plan| has_no_rows(plan)).map(|plan| Arc::clone(plan.schema())) {
            plans.retain(|plan| !has_no_rows(plan));
            if plans.is_empty() {
                plans.push(Arc::new(no_rows_of(schema)));
            }
        }
        let plan = if plans.len() == 1 {
            plans.pop().map(Arc::unwrap_or_clone).unwrap_or_default()
        } else {
            let schema = Arc::new(union_schema(&plans)?);
            LogicalPlan::Union(Union { inputs: plans, schema })
        };
        hidden.scope = hidden.scope.take();
        Ok(Lowered { plan, order: order.unwrap_or_default(), hidden })
    }

    fn is_long(&self, branch: &Lowered) -> bool {
        branch.order.iter().all(|key| {
            !key.descending
                && matches!(branch.type_of(&key.column), Ok(datafusion_common::arrow::datatypes::DataType::Int64))
        })
    }

    /// Hidden columns of the whole: those that any input has.
    fn union_hidden(&mut self, branches: &[Lowered]) -> Hidden {
        let mut hidden = Hidden::default();
        if branches.iter().any(|branch| branch.hidden.places.is_some()) {
            hidden.places = Some(self.fresh("p"));
        }
        if branches.iter().any(|branch| branch.hidden.ingestion.is_some()) {
            hidden.ingestion = Some(self.fresh("g"));
        }
        // In a sub-pipeline every input comes from the same rows, so the scopes have the same columns.
        let scopes: Vec<_> = branches.iter().filter_map(|branch| branch.hidden.scope.clone()).collect();
        if scopes.len() == branches.len() {
            hidden.scope = scopes.into_iter().next().map(|mut scope| {
                if branches.iter().any(|b| b.hidden.scope.as_ref().is_some_and(|s| s.live.is_some())) {
                    scope.live = Some(self.fresh("l"));
                }
                scope
            });
        }
        hidden
    }
}

/// The columns of the first input; each may be null, whichever input it is null in.
fn union_schema(plans: &[Arc<LogicalPlan>]) -> LowerResult<DFSchema> {
    let fields = plans.first().map(|plan| plan.schema().fields().iter()).into_iter().flatten();
    let fields: Fields = fields.map(|field| Field::new(field.name(), field.data_type().clone(), true)).collect();
    Ok(DFSchema::try_from(Schema::new(fields))?)
}

fn union_carried(branch: &Lowered, hidden: &Hidden, outputs: &mut Vec<PlanExpr>) {
    if let Some(name) = &hidden.places {
        let none = PlanExpr::Literal(ScalarValue::Binary(Some(vec![0])), None);
        outputs.push(branch.hidden.places.as_ref().map_or(none, |from| column(from)).alias(name));
    }
    if let Some(name) = &hidden.ingestion {
        let none = PlanExpr::Literal(ScalarValue::Int64(None), None);
        outputs.push(branch.hidden.ingestion.as_ref().map_or(none, |from| column(from)).alias(name));
    }
    if let (Some(out), Some(from)) = (&hidden.scope, &branch.hidden.scope) {
        outputs.push(column(&from.row));
        if let Some(live) = &out.live {
            let always = datafusion_expr::lit(true);
            outputs.push(from.live.as_ref().map_or(always, |live| column(live)).alias(live));
        }
        outputs.extend(out.carried.iter().map(|name| column(name)));
    }
}
