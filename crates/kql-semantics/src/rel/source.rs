//! Operators that start a pipeline with rows of their own: `print`, `range`, `datatable`, `externaldata`.

use kql_syntax::ast::{self, ColumnDecl, Name};
use kql_types::{ScalarType, Span, Value};

use super::items::Style;
use crate::binder::Binder;
use crate::bound::{BoundColumn, ExprKind, RelKind};
use crate::expr::types::{common, is_summable};
use crate::projection::Projection;
use crate::scope::{Row, Table};

impl Binder<'_> {
    pub(super) fn print(&mut self, items: &[ast::Expr], span: Span) -> Table {
        let input = self.rel(RelKind::OneRow, Vec::new(), false, span);
        let outer = self.row.replace(Row::default());
        let mut projection = Projection::new();
        for (index, item) in items.iter().enumerate() {
            self.add_item(item, &mut projection, Style::Print(index), None);
        }
        self.row = outer;
        Table::new(self.projected(input, projection, span))
    }

    pub(super) fn range(
        &mut self,
        name: &Name,
        from: &ast::Expr,
        to: &ast::Expr,
        step: &ast::Expr,
        span: Span,
    ) -> Table {
        let mut bounds = Vec::new();
        for written in [from, to, step] {
            let bound = self.plain_scalar(written);
            if !is_summable(bound.ty) && bound.ty != ScalarType::Unknown {
                let message = "The argument value must be summable: a number, timespan or datetime.";
                self.error("KS138", written.span, message);
            }
            bounds.push(bound);
        }
        // A timespan steps through datetimes.
        let ends = common([bounds[0].ty, bounds[1].ty]);
        let ty = match (ends, bounds[2].ty) {
            (Some(ScalarType::DateTime), ScalarType::TimeSpan) => ScalarType::DateTime,
            (Some(ends), step) => common([ends, step]).unwrap_or(ScalarType::Unknown),
            (None, _) => ScalarType::Unknown,
        };
        // Steps of int are taken in long and shown as int.
        let shown = ty;
        let ty = if ty == ScalarType::Int { ScalarType::Long } else { ty };
        let column = self.new_column(name.text.as_str(), ty);
        let step_ty = if ty == ScalarType::DateTime { ScalarType::TimeSpan } else { ty };
        let mut bounds = bounds.into_iter();
        let (Some(from), Some(to), Some(step)) = (bounds.next(), bounds.next(), bounds.next()) else {
            return self.no_table(span);
        };
        let kind = RelKind::Range {
            from: self.convert(from, ty),
            to: self.convert(to, ty),
            step: self.convert(step, step_ty),
        };
        let table = Table::new(self.rel(kind, vec![column.clone()], true, span));
        if shown == ty {
            return table;
        }
        let value = crate::binder::column_expr(&column, span);
        let value = self.convert(value, shown);
        let out = self.new_column(column.name, shown);
        let exprs = vec![(out.id, value)];
        Table::new(self.rel(RelKind::Project { input: table.rel, exprs }, vec![out], true, span))
    }

    /// The columns of a written schema, with a report for a name that stands twice.
    pub(crate) fn declared_columns(&mut self, columns: &[ColumnDecl]) -> Vec<BoundColumn> {
        let mut declared: Vec<BoundColumn> = Vec::new();
        for column in columns {
            let ty = self.type_of_name(&column.ty);
            if declared.iter().any(|known| *known.name == *column.name.text) {
                self.duplicate_column(&column.name.text, column.name.span);
                continue;
            }
            declared.push(self.new_column(column.name.text.as_str(), ty));
        }
        declared
    }

    pub(super) fn datatable(&mut self, columns: &[ColumnDecl], values: &[ast::Expr], span: Span) -> Table {
        let declared = self.declared_columns(columns);
        let width = declared.len();
        if width == 0 || !values.len().is_multiple_of(width) {
            if width > 0 {
                let message =
                    format!("Incorrect number of data values. The values should appear in multiples of {width}.");
                self.error("KS173", span, message);
            }
            return Table::new(self.empty_rel(declared, span));
        }
        let mut rows = Vec::with_capacity(values.len() / width);
        for row in values.chunks(width) {
            let cells = row.iter().zip(&declared).map(|(value, column)| self.cell(value, column.ty)).collect();
            rows.push(cells);
        }
        Table::new(self.rel(RelKind::Datatable { rows }, declared, true, span))
    }

    /// A constant of a `datatable` as a value of its column's type.
    fn cell(&mut self, written: &ast::Expr, ty: ScalarType) -> Value {
        let bound = self.plain_scalar(written);
        let missing = Value::missing(ty);
        if matches!(bound.kind, ExprKind::Error) {
            return missing;
        }
        let folded = match &bound.kind {
            ExprKind::Literal(value) => crate::constant::converted(value, ty),
            _ => crate::constant::value(&bound).and_then(|value| crate::constant::converted(&value, ty)),
        };
        match folded {
            Some(value) => value,
            None => {
                if matches!(bound.kind, ExprKind::Literal(_)) {
                    self.error("KS107", written.span, format!("A value of type {ty} expected."));
                } else if crate::expr::overload::is_constant(&bound) {
                    self.unsupported("computed values in datatable", written.span);
                } else {
                    self.error("KS131", written.span, "The expression must be a literal.");
                }
                missing
            }
        }
    }

    pub(super) fn external_data(
        &mut self,
        columns: &[ColumnDecl],
        uris: &[ast::Expr],
        with: &[ast::OpParam],
        span: Span,
    ) -> Table {
        let declared = self.declared_columns(columns);
        let mut texts = Vec::new();
        for uri in uris {
            let bound = self.plain_scalar(uri);
            match crate::constant::value(&bound) {
                Some(Value::String(text)) => texts.push(text),
                _ if bound.ty == ScalarType::Unknown => {}
                _ => self.unsupported("externaldata with a computed address", uri.span),
            }
        }
        let options = self.constant_options(with);
        Table::new(self.rel(RelKind::ExternalData { uris: texts, options }, declared, false, span))
    }

    /// `getschema`: one row for each column of the input.
    pub(super) fn getschema(&mut self, input: Table, operator: &ast::Operator) -> Table {
        let span = operator.span;
        if self.op_text(operator, "kind").as_deref() == Some("csl") {
            let parts: Vec<String> = input.rel.columns.iter().map(|c| format!("{}:{}", c.name, c.ty)).collect();
            let column = self.new_column("Schema", ScalarType::String);
            let rows = vec![vec![Value::String(parts.join(","))]];
            return Table::new(self.rel(RelKind::Datatable { rows }, vec![column], false, span));
        }
        let columns = vec![
            self.new_column("ColumnName", ScalarType::String),
            self.new_column("ColumnOrdinal", ScalarType::Long),
            self.new_column("DataType", ScalarType::String),
            self.new_column("ColumnType", ScalarType::String),
        ];
        let rows = input.rel.columns.iter().enumerate().map(|(ordinal, column)| {
            vec![
                Value::String(column.name.to_string()),
                Value::Long(ordinal as i64),
                Value::String(system_type(column.ty).to_string()),
                Value::String(column.ty.name().to_string()),
            ]
        });
        let rows = rows.collect();
        Table::new(self.rel(RelKind::Datatable { rows }, columns, false, span))
    }
}

/// The .NET type that `getschema` shows.
fn system_type(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Bool => "System.SByte",
        ScalarType::Int => "System.Int32",
        ScalarType::Long => "System.Int64",
        ScalarType::Real => "System.Double",
        ScalarType::Decimal => "System.Data.SqlTypes.SqlDecimal",
        ScalarType::DateTime => "System.DateTime",
        ScalarType::TimeSpan => "System.TimeSpan",
        ScalarType::Guid => "System.Guid",
        ScalarType::String => "System.String",
        ScalarType::Dynamic | ScalarType::Unknown => "System.Object",
    }
}
