//! What a bare name means in a scalar place, and which known name was probably meant.
//!
//! The order is Kusto's: columns of the row, columns of the right side of a join, variables, functions without
//! arguments, tables. A name nobody knows in an open table becomes a column of it.

use kql_syntax::ast::Name;
use kql_types::{Diagnostic, ScalarType};

use super::{Bound, Side};
use crate::binder::{Binder, Context, column_expr};
use crate::bound::BoundColumn;
use crate::rel::Official;
use crate::scope::Variable;
use crate::suggest::nearest;

impl Binder<'_> {
    pub(crate) fn bind_name(&mut self, name: &Name) -> Bound {
        match name.text.as_str() {
            "$left" if self.row.is_some() && self.right_row.is_some() => return Bound::Side(Side::Left),
            "$right" if self.right_row.is_some() => return Bound::Side(Side::Right),
            _ => {}
        }
        if let Some(column) = self.known_column(name) {
            return Bound::Scalar(column_expr(&column, name.span));
        }
        if let Some(step) = self.scan_steps.iter().position(|step| *step == name.text) {
            return Bound::Step(step);
        }
        if let Some(variable) = self.scope.find(&name.text).cloned() {
            return self.bind_variable(variable, name);
        }
        if let Some(function) = self.stored_function(&name.text)
            && function.required() == 0
            && !self.table_hides(&function)
        {
            return self.call_user_function(&function, &[], name.span, name.span);
        }
        if self.row.is_none() && self.catalog.table(&name.text).is_some() {
            return Bound::Table(self.named_table(name));
        }
        if let Some(column) = self.inferred_column(name) {
            return Bound::Scalar(column_expr(&column, name.span));
        }
        let aggregate = self.context == Context::Aggregate && kql_functions::aggregate(&name.text).is_some();
        if aggregate || kql_functions::function(&name.text).is_some() {
            self.error("KS117", name.span, format!("The function '{}' requires an argument list.", name.text));
            return Bound::Scalar(self.error_expr(name.span));
        }
        self.report_unknown_name(name);
        Bound::Scalar(self.error_expr(name.span))
    }

    fn bind_variable(&mut self, variable: Variable, name: &Name) -> Bound {
        match variable {
            Variable::Scalar(expr) => Bound::Scalar(self.copy_expr(&expr, name.span)),
            Variable::Piped(piped) => Bound::Table(self.piped_table(&piped, name.span)),
            Variable::Table(table) => Bound::Table(self.copy_table(&table, name.span)),
            Variable::Function(function) if function.required() == 0 => {
                self.call_user_function(&function, &[], name.span, name.span)
            }
            Variable::Function(_) => {
                self.error("KS117", name.span, format!("The function '{}' requires an argument list.", name.text));
                Bound::Scalar(self.error_expr(name.span))
            }
            Variable::Entity(entity) => Bound::Entity(entity),
            Variable::Error | Variable::Pattern(_) => Bound::Scalar(self.error_expr(name.span)),
        }
    }

    /// A column of the row (or of the right side of a join) by its name or by an accepted other spelling.
    pub(crate) fn known_column(&mut self, name: &Name) -> Option<BoundColumn> {
        let found = [&self.row, &self.right_row].into_iter().flatten().find_map(|row| row.find(&name.text)).cloned();
        if found.is_some() {
            return found;
        }
        if let Some(column) = self.split_column(&name.text) {
            return Some(column);
        }
        let (column, table, proper) = self.aliased_column(&name.text)?;
        self.kindness(
            "KS142",
            name.span,
            unknown_name(&name.text),
            format!("read as '{proper}', the column of {table} that this spelling stands for"),
        );
        Some(column)
    }

    /// `Port` where a union made `Port_int` and `Port_string`, and the official parser knows only the first as `Port`.
    fn split_column(&self, name: &str) -> Option<BoundColumn> {
        let row = self.row.as_ref()?;
        row.all()
            .find(|column| match self.official.get(&column.id) {
                Some((split, Official::Named(shown))) => **shown == *name && *split == column.name,
                _ => false,
            })
            .cloned()
    }

    /// A column of the row whose table lists `name` as another spelling of it.
    fn aliased_column(&self, name: &str) -> Option<(BoundColumn, String, String)> {
        if self.scope.find(name).is_some() {
            return None;
        }
        let row = self.row.as_ref()?;
        for column in row.all() {
            for (table, source) in self.origins.get(column.id).iter().flat_map(|origins| origins.iter()) {
                if column.name != *source {
                    continue;
                }
                let Some(info) = self.catalog.table(table) else { continue };
                if info.aliases.iter().any(|(alias, proper)| alias == name && **proper == **source) {
                    return Some((column.clone(), table.to_string(), source.to_string()));
                }
            }
        }
        None
    }

    /// An unknown name as a column of an open table.
    pub(crate) fn inferred_column(&mut self, name: &Name) -> Option<BoundColumn> {
        let open = |row: &Option<crate::scope::Row>| row.as_ref().is_some_and(|row| row.open);
        let in_left = open(&self.row);
        if !in_left && !open(&self.right_row) {
            return None;
        }
        let column = self.new_column(name.text.as_str(), ScalarType::Unknown);
        let row = if in_left { &mut self.row } else { &mut self.right_row };
        row.as_mut()?.inferred.push(column.clone());
        Some(column)
    }

    pub(crate) fn report_unknown_name(&mut self, name: &Name) {
        let mut candidates: Vec<String> = Vec::new();
        for row in [&self.row, &self.right_row].into_iter().flatten() {
            candidates.extend(row.all().map(|column| column.name.to_string()));
        }
        candidates.extend(self.scope.names().into_iter().map(|(name, _)| name.to_string()));
        let mut diagnostic = Diagnostic::error("KS142", name.span, unknown_name(&name.text));
        if let Some(near) = nearest(&name.text, candidates.iter().map(String::as_str)) {
            diagnostic = diagnostic.with_help(format!("did you mean '{near}'?"));
        }
        self.report(diagnostic);
    }
}

pub(crate) fn unknown_name(name: &str) -> String {
    format!("The name '{name}' does not refer to any known column, table, variable or function.")
}
