//! `mv-expand`.

use datafusion_common::arrow::datatypes::DataType;
use datafusion_expr::Expr as PlanExpr;
use kql_semantics::bound::{ColumnId, MvExpandItem, Rel};
use kql_types::ScalarType;

use crate::error::LowerResult;
use crate::lower::{Lowered, Lowering, column, column_name};
use crate::node::{Expand, KqlNode, Op};
use crate::value::arrow_type;
use kql_semantics::walk::{ColumnSet, columns_of};

/// How rows are expanded.
pub(crate) struct Expansion<'e> {
    pub items: &'e [MvExpandItem],
    pub index: Option<ColumnId>,
    pub limit: Option<u64>,
    pub bag_as_array: bool,
    /// A row without elements still gives one, marked in this column.
    pub live: Option<String>,
}

impl Lowering<'_> {
    pub(super) fn lower_mv_expand(
        &mut self,
        input: &Rel,
        expansion: &Expansion<'_>,
        needed: &ColumnSet,
    ) -> LowerResult<Lowered> {
        let mut wanted: ColumnSet =
            input.columns.iter().map(|bound| bound.id).filter(|id| needed.contains(id)).collect();
        expansion.items.iter().for_each(|item| columns_of(&item.expr, &mut wanted));
        let lowered = self.lower(input, &wanted)?;
        let keep: Vec<String> = input
            .columns
            .iter()
            .filter(|bound| needed.contains(&bound.id))
            .map(|bound| column_name(bound.id))
            .collect();
        let ordered = !lowered.order.is_empty();
        self.expanded(lowered, expansion, &keep, ordered)
    }

    /// The rows expanded; of the columns those in `keep` and the carried ones stay. With `numbered` the place of each
    /// element continues the order.
    pub(crate) fn expanded(
        &mut self,
        lowered: Lowered,
        expansion: &Expansion<'_>,
        keep: &[String],
        numbered: bool,
    ) -> LowerResult<Lowered> {
        let mut own: Vec<PlanExpr> = Vec::with_capacity(expansion.items.len());
        let mut added: Vec<(String, DataType)> = Vec::new();
        let mut types: Vec<ScalarType> = Vec::with_capacity(expansion.items.len());
        for item in expansion.items {
            own.push(self.expr(&lowered, &item.expr)?);
            added.push((column_name(item.out), arrow_type(item.ty)));
            types.push(item.ty);
        }
        let index = match expansion.index {
            Some(id) => Some(column_name(id)),
            None if numbered => Some(self.fresh("i")),
            None => None,
        };
        added.extend(index.iter().map(|name| (name.clone(), DataType::Int64)));
        added.extend(expansion.live.iter().map(|name| (name.clone(), DataType::Boolean)));
        let mut pass: Vec<(String, DataType, PlanExpr)> = Vec::new();
        for name in keep.iter().cloned().chain(lowered.carried()) {
            let known = pass.iter().any(|(known, _, _)| *known == name);
            if !known && !added.iter().any(|(added, _)| *added == name) {
                let ty = lowered.type_of(&name)?;
                let value = column(&name);
                pass.push((name, ty, value));
            }
        }
        let op = Op::MvExpand(Expand {
            types,
            limit: expansion.limit.unwrap_or(u64::MAX),
            bag_as_array: expansion.bag_as_array,
            index: index.is_some(),
            ghosts: expansion.live.is_some(),
        });
        let plan = KqlNode::plan(op, Some(lowered.plan), pass, own, added)?;
        let mut order = lowered.order;
        if let Some(index) = index.filter(|_| numbered) {
            order.push(crate::lower::rows::ascending(index));
        }
        Ok(Lowered { plan, order, hidden: lowered.hidden })
    }
}
