//! `scan`: steps over ordered rows, with state.

use kql_syntax::ast::{self, ColumnDecl, Operator, OrderKey};
use kql_types::ScalarType;

use crate::binder::{Binder, literal};
use crate::bound::{BoundColumn, RelKind, ScanOutput, ScanStep};
use crate::scope::Table;

impl Binder<'_> {
    pub(super) fn scan(
        &mut self,
        input: Table,
        order_by: &[OrderKey],
        partition_by: &[ast::Expr],
        declare: &[(ColumnDecl, Option<ast::Expr>)],
        steps: &[ast::ScanStep],
        operator: &Operator,
    ) -> Table {
        let span = operator.span;
        let (input, (partition_by, order_by)) = self.with_row(input, |b, _| {
            let partition: Vec<_> = partition_by.iter().map(|expr| b.scalar(expr)).collect();
            (partition, b.sort_keys(order_by))
        });
        let mut columns = input.rel.columns.clone();
        let mut declared = Vec::new();
        let mut state: Vec<BoundColumn> = Vec::new();
        for (column, default) in declare {
            let ty = self.type_of_name(&column.ty);
            let default = match default {
                Some(default) => {
                    let bound = self.plain_scalar(default);
                    self.convert(bound, ty)
                }
                None => literal(kql_types::Value::missing(ty), column.name.span),
            };
            let bound = self.new_column(column.name.text.as_str(), ty);
            declared.push((bound.id, default));
            state.push(bound);
        }
        columns.extend(state.iter().cloned());
        let shown = self.op_text(operator, "with_match_id");
        let match_id = shown.as_ref().map(|name| self.new_column(name.as_str(), ScalarType::Long));
        let all = Table { open: input.open, ..Table::new(self.empty_rel(columns.clone(), span)) };
        let outer_steps = std::mem::replace(&mut self.scan_steps, steps.iter().map(|s| s.name.text.clone()).collect());
        let outer_columns = std::mem::replace(&mut self.scan_columns, columns.clone());
        let (_, bound_steps) =
            self.with_row(all, |b, _| steps.iter().map(|step| b.scan_step(step, &state)).collect::<Vec<_>>());
        self.scan_steps = outer_steps;
        self.scan_columns = outer_columns;
        columns.extend(match_id.clone());
        let kind = RelKind::Scan {
            input: input.rel,
            partition_by,
            order_by,
            declared,
            steps: bound_steps,
            match_id: match_id.map(|column| column.id),
        };
        Table { open: input.open, ..Table::new(self.rel(kind, columns, true, span)) }
    }

    fn scan_step(&mut self, step: &ast::ScanStep, state: &[BoundColumn]) -> ScanStep {
        let condition = self.condition(&step.condition);
        let mut assignments = Vec::new();
        for assignment in &step.assignments {
            let (names, value) = match &assignment.kind {
                ast::ExprKind::Named { names, value, .. } => (names, value),
                ast::ExprKind::Missing => continue,
                _ => {
                    self.error("KS198", assignment.span, "The incomplete fragment is unexpected.");
                    continue;
                }
            };
            let Some(name) = names.first() else { continue };
            let value = self.scalar(value);
            match state.iter().position(|column| *column.name == *name.text) {
                Some(index) => {
                    let value = self.convert(value, state[index].ty);
                    assignments.push((index, value));
                }
                None => self.error("KS109", name.span, "Column name expected."),
            }
        }
        let output = match step.output.as_deref() {
            Some("last") => ScanOutput::Last,
            Some("none") => ScanOutput::None,
            _ => ScanOutput::All,
        };
        ScanStep { name: step.name.text.clone(), optional: step.optional, output, condition, assignments }
    }
}
