//! Window functions: `row_number()`, `prev(x)` and the like become columns computed below the expression they stand in.

use datafusion_expr::Expr as PlanExpr;
use kql_semantics::bound::{ColumnId, Expr, ExprKind};

use crate::error::{LowerError, LowerResult};
use crate::lower::sort::pass_all;
use crate::lower::{Lowered, Lowering, column, column_name};
use crate::node::{KqlNode, Op, WindowCall, Windows};
use crate::value::arrow_type;
use kql_semantics::walk::{any_expr, for_each_child_mut};

impl Lowering<'_> {
    /// Computes the window functions of expressions as columns of the plan, and gives the expressions over these.
    pub(crate) fn lower_windows(
        &mut self,
        mut lowered: Lowered,
        mut exprs: Vec<Expr>,
    ) -> LowerResult<(Lowered, Vec<Expr>)> {
        let is_window = |expr: &Expr| matches!(expr.kind, ExprKind::Window { .. });
        if !exprs.iter().any(|expr| any_expr(expr, &is_window)) {
            return Ok((lowered, exprs));
        }
        lowered = self.pinned(lowered)?;
        // A window function may be an argument of another: the inner ones come first.
        while exprs.iter().any(|expr| any_expr(expr, &is_window)) {
            let mut calls: Vec<(ColumnId, Expr)> = Vec::new();
            for expr in &mut exprs {
                self.take_innermost(expr, &mut calls);
            }
            lowered = self.window_node(lowered, calls)?;
        }
        Ok((lowered, exprs))
    }

    /// Puts columns in the place of window functions without window functions inside.
    fn take_innermost(&mut self, expr: &mut Expr, calls: &mut Vec<(ColumnId, Expr)>) {
        let mut inner = false;
        for_each_child_mut(expr, &mut |child| {
            inner |= any_expr(child, &|expr| matches!(expr.kind, ExprKind::Window { .. }));
            self.take_innermost(child, calls);
        });
        if !inner && matches!(expr.kind, ExprKind::Window { .. }) {
            // Ids of computed columns count down from the top, where bound ones never come.
            self.next += 1;
            let id = ColumnId(u32::MAX - self.next);
            let kind = std::mem::replace(&mut expr.kind, ExprKind::Column(id));
            calls.push((id, Expr { kind, ty: expr.ty, span: expr.span }));
        }
    }

    fn window_node(&mut self, lowered: Lowered, calls: Vec<(ColumnId, Expr)>) -> LowerResult<Lowered> {
        let mut own: Vec<PlanExpr> = Vec::new();
        if let Some(scope) = &lowered.hidden.scope {
            own.push(column(&scope.row));
            own.extend(scope.live.iter().map(|live| column(live)));
        }
        let mut windows = Windows { keys: own.len(), calls: Vec::new() };
        let mut added = Vec::new();
        for (id, expr) in &calls {
            let ExprKind::Window { function, args } = &expr.kind else {
                return Err(LowerError::bug("not a window function"));
            };
            let mut call = WindowCall {
                name: function.name.to_owned(),
                types: Vec::with_capacity(args.len()),
                returns: expr.ty,
                constants: Vec::with_capacity(args.len()),
            };
            for arg in args {
                call.types.push(arg.ty);
                match self.expr(&lowered, arg)? {
                    PlanExpr::Literal(value, _) => call.constants.push(Some(value)),
                    value => {
                        call.constants.push(None);
                        own.push(value);
                    }
                }
            }
            windows.calls.push(call);
            added.push((column_name(*id), arrow_type(expr.ty)));
        }
        let pass = pass_all(&lowered);
        let plan = KqlNode::plan(Op::Window(windows), Some(lowered.plan), pass, own, added)?;
        Ok(Lowered { plan, ..lowered })
    }
}
