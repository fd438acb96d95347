//! `top-nested` `with others`: a further row for the groups that are not among the greatest.
//!
//! Put together from plain operators: the greatest groups without others, and for each level that has others the rows that
//! its groups leave out, aggregated as one group, beside the levels above. Levels below show others of the same rows where
//! they have others themselves, and nothing where they have not.

use kql_types::{ScalarType, Span, Value};

use crate::binder::{Binder, bool_expr, column_expr, literal};
use crate::bound::{
    AggregateCall, BoundColumn, ColumnId, Expr, ExprKind, JoinKind, Rel, RelKind, SummarizeItem, TopNestedLevel,
};
use crate::scope::Table;
use crate::walk::rename;

impl Binder<'_> {
    /// The levels over an input, of which some have others. `columns` are those of the result.
    pub(super) fn top_nested_with_others(
        &mut self,
        input: Table,
        levels: &[TopNestedLevel],
        columns: Vec<BoundColumn>,
        span: Span,
    ) -> Table {
        let open = input.open;
        let own = input.rel.columns.clone();
        let shared = self.materialized(input, span);
        let (rows, plain) = self.levels_over_copy(&shared, &own, levels, span);
        let mut inputs = vec![self.greatest(rows.rel, plain, span)];
        for depth in 0..levels.len() {
            if levels.get(depth).is_some_and(|level| level.others.is_some()) {
                inputs.push(self.others_of(&shared, &own, levels, depth, span));
            }
        }
        Table { open, ..Table::new(self.rel(RelKind::Union { inputs }, columns, false, span)) }
    }

    /// A copy of the rows, and the levels over it with outputs of their own and without others.
    fn levels_over_copy(
        &mut self,
        shared: &Table,
        own: &[BoundColumn],
        levels: &[TopNestedLevel],
        span: Span,
    ) -> (Table, Vec<TopNestedLevel>) {
        let copy = self.copy_table(shared, span);
        let ids = own.iter().zip(&copy.rel.columns).map(|(own, copy)| (own.id, copy.id)).collect();
        let mut renamed = Vec::with_capacity(levels.len());
        for level in levels {
            let mut level = level.clone();
            level.others = None;
            rename(&mut level.expr, &ids);
            let mut outs = ids.clone();
            outs.clear();
            for (out, call) in &mut level.calls {
                call.args.iter_mut().for_each(|arg| rename(arg, &ids));
                let fresh = self.new_id();
                outs.insert(*out, fresh);
                *out = fresh;
            }
            rename(&mut level.rank, &outs);
            level.out = self.new_id();
            level.aggregate_out = self.new_id();
            renamed.push(level);
        }
        (copy, renamed)
    }

    fn greatest(&mut self, input: Rel, levels: Vec<TopNestedLevel>, span: Span) -> Rel {
        let mut columns = Vec::with_capacity(levels.len() * 2);
        for level in &levels {
            columns.push(BoundColumn { id: level.out, name: "$key".into(), ty: level.expr.ty });
            columns.push(BoundColumn { id: level.aggregate_out, name: "$rank".into(), ty: level.rank.ty });
        }
        self.rel(RelKind::TopNested { input, levels }, columns, false, span)
    }

    /// What the groups of the level at `depth` leave out, as rows of the whole.
    fn others_of(
        &mut self,
        shared: &Table,
        own: &[BoundColumn],
        levels: &[TopNestedLevel],
        depth: usize,
        span: Span,
    ) -> Rel {
        let (rows, over_rows) = self.levels_over_copy(shared, own, levels, span);
        let (keyed, keys) = self.keyed(rows.rel, over_rows.get(..=depth).unwrap_or_default(), span);
        let (chosen, chosen_levels) =
            self.levels_over_copy(shared, own, levels.get(..=depth).unwrap_or_default(), span);
        let pairs = pairs(&keys, &chosen_levels, span);
        let chosen = self.greatest(chosen.rel, chosen_levels, span);
        let columns = keyed.columns.clone();
        let kind = RelKind::Join { left: keyed, right: chosen, kind: JoinKind::LeftAnti, keys: pairs, condition: None };
        let mut left_out = self.rel(kind, columns, false, span);
        let above_keys = keys.get(..depth).unwrap_or_default();
        let mut above = Vec::new();
        if depth > 0 {
            let (upper, upper_levels) =
                self.levels_over_copy(shared, own, levels.get(..depth).unwrap_or_default(), span);
            let on = self::pairs(above_keys, &upper_levels, span);
            let upper = self.greatest(upper.rel, upper_levels, span);
            above = upper.columns.iter().skip(1).step_by(2).cloned().collect();
            let mut columns = left_out.columns.clone();
            columns.extend(upper.columns.iter().cloned());
            let kind = RelKind::Join { left: left_out, right: upper, kind: JoinKind::Inner, keys: on, condition: None };
            left_out = self.rel(kind, columns, false, span);
        }
        self.as_others(left_out, above_keys, &above, levels, &over_rows, depth, span)
    }

    /// The rows with the keys of levels as columns.
    fn keyed(&mut self, rows: Rel, levels: &[TopNestedLevel], span: Span) -> (Rel, Vec<BoundColumn>) {
        let mut columns = rows.columns.clone();
        let mut exprs: Vec<(ColumnId, Expr)> =
            columns.iter().map(|column| (column.id, column_expr(column, span))).collect();
        let mut keys = Vec::with_capacity(levels.len());
        for level in levels {
            let key = self.new_column("$key", level.expr.ty);
            exprs.push((key.id, level.expr.clone()));
            columns.push(key.clone());
            keys.push(key);
        }
        (self.rel(RelKind::Project { input: rows, exprs }, columns, false, span), keys)
    }

    /// Rows that were left out, one for each group above, as rows of the whole.
    #[allow(clippy::too_many_arguments)]
    fn as_others(
        &mut self,
        rows: Rel,
        keys: &[BoundColumn],
        ranks: &[BoundColumn],
        levels: &[TopNestedLevel],
        over_rows: &[TopNestedLevel],
        depth: usize,
        span: Span,
    ) -> Rel {
        let mut grouped = Vec::new();
        let mut group = Vec::new();
        for column in keys.iter().zip(ranks).flat_map(|(key, rank)| [key, rank]) {
            let out = self.new_column("$above", column.ty);
            group.push((out.id, column_expr(column, span)));
            grouped.push(out);
        }
        let mut shown: Vec<Expr> = grouped.iter().map(|column| column_expr(column, span)).collect();
        let mut items = Vec::new();
        for (level, over) in levels.iter().zip(over_rows).skip(depth) {
            let Some(others) = &level.others else {
                shown.push(literal(Value::missing(level.expr.ty), span));
                shown.push(literal(Value::missing(level.rank.ty), span));
                continue;
            };
            for (out, call) in &over.calls {
                items.push(SummarizeItem::Aggregate { out: *out, call: call.clone() });
                grouped.push(BoundColumn { id: *out, name: "$call".into(), ty: call.ty });
            }
            shown.push(others.clone());
            shown.push(over.rank.clone());
        }
        let count = self.new_column("$count", ScalarType::Long);
        if let Some(aggregate) = kql_functions::aggregate("count") {
            let call = AggregateCall { aggregate, args: Vec::new(), ty: ScalarType::Long, span };
            items.push(SummarizeItem::Aggregate { out: count.id, call });
            grouped.push(count.clone());
        }
        let sums = self.rel(RelKind::Summarize { input: rows, keys: group, items }, grouped.clone(), false, span);
        // Without keys there is a row even where nothing was left out.
        let any = match kql_functions::operator(">") {
            Some(function) => {
                let args = vec![column_expr(&count, span), literal(Value::Long(0), span)];
                bool_expr(ExprKind::Call { function, args }, span)
            }
            None => self.error_expr(span),
        };
        let sums = self.rel(RelKind::Filter { input: sums, predicate: any }, grouped, false, span);
        let mut columns = Vec::with_capacity(shown.len());
        let mut exprs = Vec::with_capacity(shown.len());
        for expr in shown {
            let column = self.new_column("$shown", expr.ty);
            exprs.push((column.id, expr));
            columns.push(column);
        }
        self.rel(RelKind::Project { input: sums, exprs }, columns, false, span)
    }
}

/// Keys of rows and of groups, level by level.
fn pairs(keys: &[BoundColumn], levels: &[TopNestedLevel], span: Span) -> Vec<(Expr, Expr)> {
    let group = |level: &TopNestedLevel| Expr { kind: ExprKind::Column(level.out), ty: level.expr.ty, span };
    keys.iter().zip(levels).map(|(key, level)| (column_expr(key, span), group(level))).collect()
}
