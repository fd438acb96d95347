//! `join` and `lookup`: kinds, conditions, and the names of clashing columns.
//!
//! `T | join U on a`: a column of the right side whose name is taken gets the least free number after it (`a1`).

use foldhash::{HashMap, HashSet};
use std::sync::Arc;

use kql_syntax::ast::{self, BinaryOp, JoinClause, Operator};
use kql_types::{ScalarType, Span};

use crate::binder::{Binder, column_expr};
use crate::bound::{BoundColumn, ColumnId, Expr, ExprKind, JoinKind, RelKind};
use crate::expr::{Bound, unwrapped};
use crate::scope::{Row, Table};

/// What a condition was found to be.
#[derive(Default)]
struct Condition {
    keys: Vec<(Expr, Expr)>,
    /// Right columns equated with a left one.
    equated: HashSet<ColumnId>,
    other: Vec<Expr>,
}

impl Binder<'_> {
    fn join_kind(&mut self, operator: &Operator, default: JoinKind) -> JoinKind {
        let Some(value) = self.op_param(operator, "kind") else { return default };
        match super::param_text(value).unwrap_or_default().to_ascii_lowercase().as_str() {
            "innerunique" => JoinKind::InnerUnique,
            "inner" => JoinKind::Inner,
            "leftouter" => JoinKind::LeftOuter,
            "rightouter" => JoinKind::RightOuter,
            "fullouter" | "outer" => JoinKind::FullOuter,
            "leftsemi" => JoinKind::LeftSemi,
            "rightsemi" => JoinKind::RightSemi,
            "anti" | "leftanti" | "leftantisemi" => JoinKind::LeftAnti,
            "rightanti" | "rightantisemi" => JoinKind::RightAnti,
            _ => {
                let span = value.span;
                let message = "The expression must be one of the values: innerunique, inner, leftouter, rightouter, \
                               fullouter, leftsemi, rightsemi, leftanti, rightanti";
                self.error("KS140", span, message);
                default
            }
        }
    }

    pub(super) fn join(&mut self, left: Table, clause: &JoinClause, operator: &Operator) -> Table {
        let span = operator.span;
        let right = self.without_row(|b| b.table(&clause.right));
        let kind = self.join_kind(operator, JoinKind::InnerUnique);
        let (left, right, condition) = self.with_both_rows(left, right, |b| b.join_condition(clause));
        let right_only = matches!(kind, JoinKind::RightSemi | JoinKind::RightAnti);
        let left_only = matches!(kind, JoinKind::LeftSemi | JoinKind::LeftAnti);
        let mut columns = Vec::new();
        if !right_only {
            columns.extend(left.rel.columns.iter().cloned());
        }
        if !left_only {
            columns.extend(right.rel.columns.iter().cloned());
        }
        let columns = unique_names(columns);
        let open = (!right_only && left.open) || (!left_only && right.open);
        let condition_expr = all_of(condition.other, span);
        let join =
            RelKind::Join { left: left.rel, right: right.rel, kind, keys: condition.keys, condition: condition_expr };
        Table { open, ..Table::new(self.rel(join, columns, false, span)) }
    }

    /// `lookup`: a left outer join without the right columns that were equated.
    pub(super) fn lookup(&mut self, left: Table, clause: &JoinClause, operator: &Operator) -> Table {
        let span = operator.span;
        let right = self.without_row(|b| b.table(&clause.right));
        let kind = self.join_kind(operator, JoinKind::LeftOuter);
        let (left, right, condition) = self.with_both_rows(left, right, |b| b.join_condition(clause));
        let open = left.open || right.open;
        let all: Vec<BoundColumn> = left.rel.columns.iter().chain(&right.rel.columns).cloned().collect();
        let visible = all.iter().filter(|column| !condition.equated.contains(&column.id)).cloned().collect();
        let visible = unique_names(visible);
        let condition_expr = all_of(condition.other, span);
        let join =
            RelKind::Join { left: left.rel, right: right.rel, kind, keys: condition.keys, condition: condition_expr };
        let joined = Table { open, ..Table::new(self.rel(join, unique_names(all), false, span)) };
        self.columns_only(joined, visible, span)
    }

    /// Binds a condition with both sides in scope.
    fn with_both_rows(
        &mut self,
        left: Table,
        right: Table,
        body: impl FnOnce(&mut Self) -> Condition,
    ) -> (Table, Table, Condition) {
        let outer_row = self.row.replace(Row::of(&left));
        let outer_right = self.right_row.replace(Row::of(&right));
        let condition = body(self);
        let left_row = std::mem::replace(&mut self.row, outer_row).unwrap_or_default();
        let right_row = std::mem::replace(&mut self.right_row, outer_right).unwrap_or_default();
        let left = self.with_inferred(left, left_row.inferred);
        let right = self.with_inferred(right, right_row.inferred);
        (left, right, condition)
    }

    fn join_condition(&mut self, clause: &JoinClause) -> Condition {
        let mut condition = Condition::default();
        for on in &clause.on {
            self.join_term(on, &mut condition);
        }
        if let Some(written) = &clause.condition {
            let bound = self.condition(written);
            condition.other.push(bound);
        }
        condition
    }

    /// A name common to both sides, `$left.a == $right.b`, or an `and` of these.
    fn join_term(&mut self, term: &ast::Expr, condition: &mut Condition) {
        match &unwrapped(term).kind {
            ast::ExprKind::Missing => {}
            ast::ExprKind::Name(name) => self.common_column(name, condition),
            ast::ExprKind::Binary { op: BinaryOp::And, left, right, .. } => {
                self.join_term(left, condition);
                self.join_term(right, condition);
            }
            ast::ExprKind::Binary { op: BinaryOp::Eq, left, right, .. } => self.equality(left, right, condition),
            _ => {
                let message = "The join condition must be either the name of a column common to both tables or in the \
                               form $left.<column> == $right.<column>.";
                self.error("KS182", term.span, message);
            }
        }
    }

    fn common_column(&mut self, name: &ast::Name, condition: &mut Condition) {
        let left = self.side_column(true, name);
        let right = self.side_column(false, name);
        match (left, right) {
            (Some(left), Some(right)) => {
                if left.ty != right.ty && left.ty != ScalarType::Unknown && right.ty != ScalarType::Unknown {
                    let message =
                        format!("The common column '{}' must have the same type on both sides of the join.", name.text);
                    self.error("KS227", name.span, message);
                }
                self.add_key(column_expr(&left, name.span), column_expr(&right, name.span), condition);
            }
            (None, None) => {
                self.error("KS109", name.span, "Column name expected.");
                self.report_unknown_name(name);
            }
            _ => {
                let message = format!("The column '{}' must exist on both sides of the join.", name.text);
                self.error("KS145", name.span, message);
            }
        }
    }

    /// A column of one side; an open side gets it when it has none.
    fn side_column(&mut self, left: bool, name: &ast::Name) -> Option<BoundColumn> {
        let row = if left { &self.row } else { &self.right_row };
        let row = row.as_ref()?;
        if let Some(column) = row.find(&name.text) {
            return Some(column.clone());
        }
        if !row.open {
            return None;
        }
        let column = self.new_column(name.text.as_str(), ScalarType::Unknown);
        let row = if left { &mut self.row } else { &mut self.right_row };
        row.as_mut()?.inferred.push(column.clone());
        Some(column)
    }

    fn equality(&mut self, left: &ast::Expr, right: &ast::Expr, condition: &mut Condition) {
        let sides = [self.is_side(left), self.is_side(right)];
        // The engine takes the two sides in either order.
        let (left, right) = match sides {
            [Some("$right"), Some("$left")] => {
                self.swapped_sides(left, right);
                (right, left)
            }
            [Some("$left"), Some("$right")] => (left, right),
            _ => {
                if sides[0] != Some("$left") {
                    self.error("KS183", left.span, "The join condition operand must be: $left.<column>");
                }
                if sides[1] != Some("$right") {
                    self.error("KS183", right.span, "The join condition operand must be: $right.<column>");
                }
                return;
            }
        };
        let (Bound::Scalar(left_key), Bound::Scalar(right_key)) = (self.bind(left), self.bind(right)) else { return };
        for (key, written) in [(&left_key, left), (&right_key, right)] {
            if !matches!(key.kind, ExprKind::Column(_) | ExprKind::Error) && key.ty != ScalarType::Unknown {
                self.error("KS109", written.span, "Column name expected.");
            }
        }
        self.add_key(left_key, right_key, condition);
    }

    fn swapped_sides(&mut self, left: &ast::Expr, right: &ast::Expr) {
        self.error("KS183", left.span, "The join condition operand must be: $left.<column>");
        self.error("KS183", right.span, "The join condition operand must be: $right.<column>");
    }

    fn is_side(&self, operand: &ast::Expr) -> Option<&'static str> {
        let base = match &unwrapped(operand).kind {
            ast::ExprKind::Member { base, .. } | ast::ExprKind::Index { base, .. } => base,
            _ => return None,
        };
        match &unwrapped(base).kind {
            ast::ExprKind::Name(name) if name.text == "$left" => Some("$left"),
            ast::ExprKind::Name(name) if name.text == "$right" => Some("$right"),
            ast::ExprKind::Member { .. } | ast::ExprKind::Index { .. } => self.is_side(base),
            _ => None,
        }
    }

    fn add_key(&mut self, left: Expr, right: Expr, condition: &mut Condition) {
        if left.ty == ScalarType::Unknown && matches!(left.kind, ExprKind::Error) {
            return;
        }
        if matches!(right.kind, ExprKind::Error) {
            return;
        }
        if let ExprKind::Column(id) = right.kind {
            condition.equated.insert(id);
        }
        let known = |ty: ScalarType| ty != ScalarType::Unknown;
        if left.ty != right.ty && known(left.ty) && known(right.ty) {
            let numbers = left.ty.is_integer() && right.ty.is_integer();
            let dynamic = left.ty == ScalarType::Dynamic || right.ty == ScalarType::Dynamic;
            if !numbers && !dynamic {
                let message = format!("Inconsistent data types for join keys: ({}, {})", left.ty, right.ty);
                self.error("KS242", left.span.to(right.span), message);
            }
        }
        let pair = self.same_number(left, right);
        condition.keys.push(pair);
    }
}

fn all_of(mut terms: Vec<Expr>, span: Span) -> Option<Expr> {
    match terms.len() {
        0 => None,
        1 => terms.pop(),
        _ => Some(Expr { kind: ExprKind::And(terms), ty: ScalarType::Bool, span }),
    }
}

/// Gives later columns of a taken name a number, without touching names that stand first: `c, c, c1` are
/// `c, c2, c1`.
pub(crate) fn unique_names(columns: Vec<BoundColumn>) -> Vec<BoundColumn> {
    let mut first: HashMap<Arc<str>, usize> = HashMap::default();
    for (index, column) in columns.iter().enumerate() {
        first.entry(column.name.clone()).or_insert(index);
    }
    let mut used: HashSet<Arc<str>> = first.keys().cloned().collect();
    columns
        .into_iter()
        .enumerate()
        .map(|(index, column)| {
            if first.get(&column.name) == Some(&index) {
                return column;
            }
            let mut number = 1;
            let name = loop {
                let name: Arc<str> = format!("{}{number}", column.name).into();
                if used.insert(name.clone()) {
                    break name;
                }
                number += 1;
            };
            BoundColumn { name, ..column }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renamed_columns_do_not_push_others() {
        let columns = ["c", "c", "c1", "c"]
            .into_iter()
            .enumerate()
            .map(|(i, name)| BoundColumn { id: ColumnId(i as u32), name: name.into(), ty: ScalarType::Long })
            .collect();
        let names: Vec<String> = unique_names(columns).iter().map(|c| c.name.to_string()).collect();
        assert_eq!(names, ["c", "c2", "c1", "c3"]);
    }
}
