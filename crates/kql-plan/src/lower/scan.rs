//! `scan`: steps over ordered rows, with state.
//!
//! The expressions of a step see more than the row: the declared columns, and for each step all columns as the match so
//! far has them. These get names of their own in a schema that only the node knows.

use std::sync::Arc;

use datafusion_common::DFSchema;
use datafusion_common::arrow::datatypes::{Field, Fields, Schema};
use datafusion_expr::LogicalPlan;
use datafusion_expr::logical_plan::EmptyRelation;
use kql_semantics::bound::{ColumnId, Expr, ExprKind, Rel, ScanStep as BoundStep, SortKey};
use kql_types::{ScalarType, Value};

use crate::error::{LowerError, LowerResult};
use crate::lower::sort::pass_all;
use crate::lower::{Lowered, Lowering, column, column_name};
use crate::node::{KqlNode, Op, Scan, ScanStep};
use crate::value::{arrow_type, scalar};
use kql_semantics::walk::{ColumnSet, columns_of, for_each_child_mut};

/// The parts of a bound `scan`.
pub(super) struct ScanParts<'a> {
    pub input: &'a Rel,
    pub partition_by: &'a [Expr],
    pub order_by: &'a [SortKey],
    pub declared: &'a [(ColumnId, Expr)],
    pub steps: &'a [BoundStep],
    pub match_id: Option<ColumnId>,
}

/// A column that steps see, with its type.
struct Seen {
    id: ColumnId,
    name: String,
    ty: ScalarType,
}

/// For each step, the columns of its state with the ids they are read by.
type StateColumns = Vec<Vec<(ColumnId, ColumnId)>>;

impl Lowering<'_> {
    pub(super) fn lower_scan(&mut self, rel: &Rel, parts: &ScanParts<'_>, needed: &ColumnSet) -> LowerResult<Lowered> {
        let mut wanted = needed.clone();
        for step in parts.steps {
            columns_of(&step.condition, &mut wanted);
            step.assignments.iter().for_each(|(_, value)| columns_of(value, &mut wanted));
        }
        parts.partition_by.iter().for_each(|expr| columns_of(expr, &mut wanted));
        parts.order_by.iter().for_each(|key| columns_of(&key.expr, &mut wanted));
        let added = |id: &ColumnId| parts.declared.iter().any(|(own, _)| own == id) || parts.match_id == Some(*id);
        wanted.retain(|id| !added(id));
        let lowered = self.lower(parts.input, &wanted)?;
        let (lowered, own) = self.scan_order(lowered, parts)?;

        let in_plan = |id: &ColumnId| lowered.type_of(&column_name(*id)).is_ok();
        let types = rel.columns.iter().map(|bound| (bound.id, bound.ty));
        let input: Vec<Seen> = types
            .clone()
            .filter(|(id, _)| !added(id) && in_plan(id))
            .map(|(id, ty)| Seen { id, name: column_name(id), ty })
            .collect();
        let mut declared = Vec::new();
        let mut defaults = Vec::new();
        for (id, default) in parts.declared {
            let ty = types.clone().find(|(other, _)| other == id).map_or(ScalarType::Unknown, |(_, ty)| ty);
            declared.push(Seen { id: *id, name: column_name(*id), ty });
            defaults.push(self.constant(default)?);
        }
        let seen: Vec<&Seen> = input.iter().chain(&declared).collect();
        let (schema, states) = self.scan_schema(&lowered, &declared, &seen, parts.steps.len())?;
        let empty = EmptyRelation { produce_one_row: false, schema: Arc::new(schema.clone()) };
        let within = Lowered::new(LogicalPlan::EmptyRelation(empty));
        let mut steps = Vec::with_capacity(parts.steps.len());
        for step in parts.steps {
            let mut condition = step.condition.clone();
            name_states(&mut condition, &states)?;
            let mut assignments = Vec::with_capacity(step.assignments.len());
            for (index, value) in &step.assignments {
                let mut value = value.clone();
                name_states(&mut value, &states)?;
                assignments.push((*index, self.expr(&within, &value)?));
            }
            let condition = self.condition(&within, &condition)?;
            steps.push(ScanStep { condition, assignments, output: step.output, optional: step.optional });
        }
        let missing = input.iter().map(|seen| scalar(&Value::missing(seen.ty))).collect::<Vec<_>>();
        let missing = missing.into_iter().chain(defaults.iter().cloned()).collect();
        let mut output: Vec<_> = declared.iter().map(|seen| (seen.name.clone(), arrow_type(seen.ty))).collect();
        output.extend(parts.match_id.map(|id| (column_name(id), arrow_type(ScalarType::Long))));
        let scan = Scan {
            keys: own.len(),
            schema: Arc::new(schema),
            inputs: input.iter().map(|seen| seen.name.clone()).collect(),
            defaults,
            missing,
            steps,
            match_id: parts.match_id.is_some(),
        };
        let pass = pass_all(&lowered);
        let plan = KqlNode::plan(Op::Scan(scan), Some(lowered.plan), pass, own, output)?;
        Ok(Lowered { plan, ..lowered })
    }

    /// The rows of each part together and in order, and the keys that tell parts apart.
    fn scan_order(
        &mut self,
        lowered: Lowered,
        parts: &ScanParts<'_>,
    ) -> LowerResult<(Lowered, Vec<datafusion_expr::Expr>)> {
        let keys: Vec<SortKey> = parts
            .partition_by
            .iter()
            .map(|expr| SortKey { expr: expr.clone(), descending: false, nulls_first: true })
            .collect();
        let (lowered, partition) = self.order_keys(lowered, &keys)?;
        let (mut lowered, order) = self.order_keys(lowered, parts.order_by)?;
        if !order.is_empty() {
            lowered.order = order;
        }
        let before = lowered.order.clone();
        let inner = before.iter().filter(|key| !partition.iter().any(|known| known.column == key.column));
        lowered.order = partition.iter().cloned().chain(inner.cloned()).collect();
        let mut own: Vec<_> = partition.iter().map(|key| column(&key.column)).collect();
        if let Some(scope) = &lowered.hidden.scope {
            own.push(column(&scope.row));
            own.extend(scope.live.iter().map(|live| column(live)));
        }
        let mut lowered = self.pinned(lowered)?;
        if !before.is_empty() {
            lowered.order = before;
        }
        Ok((lowered, own))
    }

    /// The schema that steps see, and the ids under which they find the state: by step, in the order of `seen`.
    fn scan_schema(
        &mut self,
        lowered: &Lowered,
        declared: &[Seen],
        seen: &[&Seen],
        steps: usize,
    ) -> LowerResult<(DFSchema, StateColumns)> {
        let mut fields: Vec<Field> =
            lowered.plan.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
        fields.extend(declared.iter().map(|seen| Field::new(&seen.name, arrow_type(seen.ty), true)));
        let mut states = Vec::with_capacity(steps);
        for _ in 0..steps {
            let mut state = Vec::with_capacity(seen.len());
            for column in seen {
                // Ids of computed columns count down from the top, where bound ones never come.
                self.next += 1;
                let id = ColumnId(u32::MAX - self.next);
                fields.push(Field::new(column_name(id), arrow_type(column.ty), true));
                state.push((column.id, id));
            }
            states.push(state);
        }
        Ok((DFSchema::try_from(Schema::new(Fields::from(fields)))?, states))
    }
}

/// Puts columns in the place of the state of steps.
fn name_states(expr: &mut Expr, states: &[Vec<(ColumnId, ColumnId)>]) -> LowerResult<()> {
    if let ExprKind::ScanState { step, column } = &expr.kind {
        let state = states.get(*step).and_then(|state| state.iter().find(|(id, _)| id == column));
        let Some((_, id)) = state else { return Err(LowerError::bug("a step without that column")) };
        expr.kind = ExprKind::Column(*id);
    }
    let mut result = Ok(());
    for_each_child_mut(expr, &mut |child| {
        if result.is_ok() {
            result = name_states(child, states);
        }
    });
    result
}
