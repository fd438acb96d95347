//! Functions with several named values: `series_fit_line(x)`, `percentiles(x, 5, 95)`.

use kql_types::{ScalarType, Span};

use super::path::with_step;
use crate::binder::Binder;
use crate::bound::{Expr, PathStep};

/// One value of a tuple and the name it has as a column.
#[derive(Debug, Clone)]
pub(crate) struct TupleValue {
    pub name: String,
    pub expr: Expr,
    /// Set where the value is plainly a column of the row: it is not added twice.
    pub source: Option<crate::bound::ColumnId>,
}

#[derive(Debug, Clone)]
pub(crate) struct Tuple {
    pub values: Vec<TupleValue>,
}

impl Tuple {
    /// The values of a call that returns them as one dynamic array.
    pub fn of_array(
        binder: &mut Binder<'_>,
        call: &Expr,
        names: impl IntoIterator<Item = (String, ScalarType)>,
    ) -> Tuple {
        let span = call.span;
        let values = names
            .into_iter()
            .enumerate()
            .map(|(index, (name, ty))| {
                let element = with_step(call.clone(), PathStep::Index(index as i64), span);
                TupleValue { name, expr: binder.convert(element, ty), source: None }
            })
            .collect();
        Tuple { values }
    }

    /// In a scalar place a tuple is its first value.
    pub fn first(self, binder: &mut Binder<'_>, span: Span) -> Expr {
        self.nth(binder, 0, span)
    }

    pub fn nth(self, binder: &mut Binder<'_>, index: usize, span: Span) -> Expr {
        match self.values.into_iter().nth(index) {
            Some(value) => Expr { span, ..value.expr },
            None => binder.error_expr(span),
        }
    }
}
