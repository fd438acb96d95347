//! Remembers which string literals a query compares with which columns of tables.
//!
//! Some choices depend on them: the two dialects of status values in `AzureActivity` are told apart by what a rule
//! compares.

use kql_types::{Dynamic, Value};

use crate::binder::Binder;
use crate::bound::{Compared, Expr, ExprKind};

impl Binder<'_> {
    /// Records `column OP literals` where the left side is plainly a column of a table, also through `tostring` and
    /// other conversions.
    pub(crate) fn record_comparison(&mut self, _symbol: &str, left: &Expr, right: &[Expr]) {
        if self.quiet > 0 {
            return;
        }
        let (column, literals) = match (plain_column(left), right) {
            (Some(id), right) => (id, literals(right)),
            (None, [right]) => match plain_column(right) {
                Some(id) => (id, literals(std::slice::from_ref(left))),
                None => return,
            },
            _ => return,
        };
        for (table, source) in self.origins.get(column).iter().flat_map(|origins| origins.iter()) {
            for literal in &literals {
                let entry = Compared { table: table.to_string(), column: source.to_string(), literal: literal.clone() };
                if self.known_compared.insert(entry.clone()) {
                    self.compared.push(entry);
                }
            }
        }
    }
}

/// The column that an expression passes on unchanged but for its type.
pub(crate) fn plain_column(expr: &Expr) -> Option<crate::bound::ColumnId> {
    match &expr.kind {
        ExprKind::Column(id) => Some(*id),
        ExprKind::Convert(inner) => plain_column(inner),
        ExprKind::Call { function, args } if matches!(function.name, "tostring" | "tolower" | "toupper") => {
            args.first().and_then(plain_column)
        }
        _ => None,
    }
}

fn literals(exprs: &[Expr]) -> Vec<String> {
    fn add(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::String(text) | Value::Dynamic(Dynamic::String(text)) => out.push(text.clone()),
            Value::Dynamic(Dynamic::Array(items)) => {
                items.iter().for_each(|item| add(&Value::Dynamic(item.clone()), out));
            }
            _ => {}
        }
    }
    let mut out = Vec::new();
    for expr in exprs {
        match &expr.kind {
            ExprKind::Literal(value) => add(value, &mut out),
            ExprKind::Convert(inner) => out.extend(literals(std::slice::from_ref(inner))),
            ExprKind::Call { function, args } if function.name == "pack_array" => out.extend(literals(args)),
            _ => {}
        }
    }
    out
}
