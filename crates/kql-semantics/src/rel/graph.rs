//! Graph operators: known, not run. What they give is known where they project.

use kql_syntax::ast::{self, Operator, OperatorKind};
use kql_types::ScalarType;

use crate::binder::Binder;
use crate::scope::Table;

impl Binder<'_> {
    pub(super) fn graph_operator(&mut self, input: Table, operator: &Operator) -> Table {
        let span = operator.span;
        self.unsupported(operator.keyword.text.clone(), operator.keyword.span);
        match &operator.kind {
            OperatorKind::MakeGraph(clause) => {
                let (_, ()) = self.with_row(input, |b, _| {
                    b.scalar(&clause.source);
                    b.scalar(&clause.target);
                });
                for (table, _) in &clause.nodes {
                    self.without_row(|b| b.table(table));
                }
                self.no_table(span)
            }
            OperatorKind::GraphMatch(clause) | OperatorKind::GraphShortestPaths(clause) => {
                let mut columns = Vec::new();
                for (index, item) in clause.project.iter().enumerate() {
                    let name = match &item.kind {
                        ast::ExprKind::Named { names, .. } => names.first().map(|name| name.text.clone()),
                        _ => self.name_of(item),
                    };
                    let name = name.unwrap_or_else(|| format!("Column{}", index + 1));
                    columns.push(self.new_column(name, ScalarType::Unknown));
                }
                let open = columns.is_empty();
                Table { open, ..Table::new(self.empty_rel(columns, span)) }
            }
            _ => self.no_table(span),
        }
    }
}
