//! `sort`, `take` and the order of rows.
//!
//! A sort does not sort: it says which order the rows have. The sort happens where the order is used, so that
//! operators between keep it without DataFusion knowing.

use std::sync::Arc;

use datafusion_common::ScalarValue;
use datafusion_common::arrow::datatypes::DataType;
use datafusion_expr::expr::Sort as SortExpr;
use datafusion_expr::logical_plan::{Limit, Sort};
use datafusion_expr::{Expr as PlanExpr, LogicalPlan};
use kql_semantics::bound::{Expr, ExprKind, Rel, SortKey};
use kql_types::ScalarType;

use crate::error::{LowerError, LowerResult};
use crate::function::internal::Internal;
use crate::lower::{Lowered, Lowering, column, column_name, has_no_rows, no_rows_of, project_plan};
use crate::node::{KqlNode, Op, OrderKey};
use kql_semantics::walk::{ColumnSet, columns_of};

/// How the names of columns begin by which no two rows are equal, or only rows that `mv-expand` made of one, which it
/// numbers.
pub(crate) const ORDINAL: &str = "o";

impl Lowering<'_> {
    pub(super) fn lower_sort(&mut self, input: &Rel, keys: &[SortKey], needed: &ColumnSet) -> LowerResult<Lowered> {
        let mut wanted = needed.clone();
        keys.iter().for_each(|key| columns_of(&key.expr, &mut wanted));
        let lowered = self.lower(input, &wanted)?;
        let (lowered, order) = self.order_keys(lowered, keys)?;
        // A sort keeps the rows that tie in the order they had.
        let mut all = order;
        for key in &lowered.order {
            if !all.iter().any(|known| known.column == key.column) {
                all.push(key.clone());
            }
        }
        Ok(Lowered { order: all, ..lowered })
    }

    /// The keys as columns of the plan, computed ones added to it.
    pub(crate) fn order_keys(&mut self, lowered: Lowered, keys: &[SortKey]) -> LowerResult<(Lowered, Vec<OrderKey>)> {
        let mut order: Vec<OrderKey> = Vec::new();
        let mut computed: Vec<PlanExpr> = Vec::new();
        for key in keys {
            if matches!(key.expr.kind, ExprKind::Literal(_)) {
                continue;
            }
            let name = match &key.expr.kind {
                ExprKind::Column(id) => column_name(*id),
                _ => {
                    let name = self.fresh("k");
                    let value = self.expr(&lowered, &key.expr)?;
                    computed.push(value.alias(&name));
                    name
                }
            };
            if key.expr.ty == ScalarType::Real {
                // NaN sorts beside null: `datatable(x:real)[1, real(nan), real(null)] | sort by x asc`
                // gives null, NaN, 1.
                let class = self.fresh("k");
                let value = match &key.expr.kind {
                    ExprKind::Column(_) => column(&name),
                    _ => self.expr(&lowered, &key.expr)?,
                };
                computed.push(Internal::RealClass.call(vec![value]).alias(&class));
                order.push(OrderKey { column: class, descending: !key.nulls_first, nulls_first: key.nulls_first });
            }
            order.push(OrderKey { column: name, descending: key.descending, nulls_first: key.nulls_first });
        }
        let lowered = self.extended(lowered, computed)?;
        Ok((lowered, order))
    }

    /// The plan with more columns.
    pub(crate) fn extended(&mut self, mut lowered: Lowered, added: Vec<PlanExpr>) -> LowerResult<Lowered> {
        if added.is_empty() {
            return Ok(lowered);
        }
        let mut outputs: Vec<PlanExpr> =
            lowered.plan.schema().fields().iter().map(|field| column(field.name())).collect();
        outputs.extend(added);
        lowered.plan = project_plan(lowered.plan, outputs)?;
        Ok(lowered)
    }

    pub(super) fn lower_take(&mut self, input: &Rel, count: &Expr, needed: &ColumnSet) -> LowerResult<Lowered> {
        let lowered = self.lower(input, needed)?;
        let count = self.count(count)?;
        self.taken(lowered, count)
    }

    /// A constant number of rows.
    pub(crate) fn count(&mut self, count: &Expr) -> LowerResult<u64> {
        match self.constant(count)? {
            ScalarValue::Int64(Some(count)) => Ok(count.max(0) as u64),
            ScalarValue::Int32(Some(count)) => Ok(count.max(0) as u64),
            ScalarValue::Float64(Some(count)) if count >= 0.0 => Ok(count as u64),
            _ => Ok(0),
        }
    }

    /// The first rows: of each sub-pipeline inside one, of all otherwise.
    pub(crate) fn taken(&mut self, lowered: Lowered, count: u64) -> LowerResult<Lowered> {
        if lowered.hidden.scope.is_some() {
            return self.first_rows(lowered, Vec::new(), count, false);
        }
        if has_no_rows(&lowered.plan) {
            return Ok(lowered);
        }
        if count == 0 {
            let plan = no_rows_of(Arc::clone(lowered.plan.schema()));
            return Ok(Lowered { plan, ..lowered });
        }
        if lowered.order.is_empty() {
            let limit = Limit {
                skip: None,
                fetch: Some(Box::new(datafusion_expr::lit(count as i64))),
                input: Arc::new(lowered.plan),
            };
            return Ok(Lowered { plan: LogicalPlan::Limit(limit), ..lowered });
        }
        let lowered = self.bounded(lowered, count)?;
        self.sorted(lowered, Some(usize::try_from(count).unwrap_or(usize::MAX)))
    }

    /// The first rows of a whole table, `T | top 10 by TimeGenerated`, lie where the files say that the column is great:
    /// a filter on it leaves the other row groups unread.
    fn bounded(&mut self, lowered: Lowered, count: u64) -> LowerResult<Lowered> {
        let (LogicalPlan::TableScan(scan), Some(key)) = (&lowered.plan, lowered.order.first()) else {
            return Ok(lowered);
        };
        if !scan.filters.is_empty() || scan.fetch.is_some() {
            return Ok(lowered);
        }
        let Some(bound) = self.tables.bound_of_first(&scan.source, key, count) else { return Ok(lowered) };
        let (column, bound) = (column(&key.column), datafusion_expr::lit(bound));
        let keep = if key.descending { column.gt_eq(bound) } else { column.lt_eq(bound) };
        self.filtered(lowered, keep)
    }

    /// The first `count` rows for each value of `keys`, and of each sub-pipeline.
    pub(crate) fn first_rows(
        &mut self,
        lowered: Lowered,
        keys: Vec<PlanExpr>,
        count: u64,
        any: bool,
    ) -> LowerResult<Lowered> {
        let ordered = !lowered.order.is_empty();
        let lowered = if ordered { self.pinned(lowered)? } else { lowered };
        let mut own = keys;
        let mut ghosts = None;
        if let Some(scope) = &lowered.hidden.scope {
            own.push(column(&scope.row));
            ghosts = scope.live.clone();
        }
        if let Some(live) = ghosts {
            // Marked rows are not counted: they form a group of their own in each sub-pipeline.
            own.push(column(&live));
        }
        let pass = pass_all(&lowered);
        let plan = KqlNode::plan(Op::FirstRows { count, ordered, any }, Some(lowered.plan), pass, own, Vec::new())?;
        Ok(Lowered { plan, ..lowered })
    }

    /// Rows that are equal by all keys stay in the order they come, also when partitions are sorted apart.
    fn ties_settled(&mut self, mut lowered: Lowered) -> LowerResult<Lowered> {
        // Ordinals settle ties already.
        if lowered.order.is_empty() || lowered.order.iter().any(|key| key.column.starts_with(ORDINAL)) {
            return Ok(lowered);
        }
        let ordinal = self.numbered(&mut lowered)?;
        lowered.order.push(ordinal);
        Ok(lowered)
    }

    /// Adds the place of each row as it comes.
    fn numbered(&mut self, lowered: &mut Lowered) -> LowerResult<OrderKey> {
        let name = self.fresh(ORDINAL);
        let pass = pass_all(lowered);
        let added = vec![(name.clone(), DataType::Int64)];
        lowered.plan = KqlNode::plan(Op::RowId, Some(lowered.plan.clone()), pass, Vec::new(), added)?;
        Ok(crate::lower::rows::ascending(name))
    }

    /// The rows in their order, in one partition, for an operator that looks at them one after another.
    pub(crate) fn pinned(&mut self, lowered: Lowered) -> LowerResult<Lowered> {
        let mut lowered = self.ties_settled(lowered)?;
        let mut keys = Vec::new();
        if let Some(scope) = &lowered.hidden.scope {
            keys.push(crate::lower::rows::ascending(scope.row.clone()));
            // Marked rows come last in their sub-pipeline.
            let live = scope.live.iter().cloned();
            keys.extend(live.map(|column| OrderKey { column, descending: true, nulls_first: false }));
        }
        keys.extend(lowered.order.iter().cloned());
        if keys.is_empty() {
            return Ok(lowered);
        }
        if lowered.order.is_empty() {
            keys.push(self.numbered(&mut lowered)?);
        }
        let pass = pass_all(&lowered);
        let op = Op::Pin { keys };
        let plan = KqlNode::plan(op, Some(lowered.plan), pass, Vec::new(), Vec::new())?;
        Ok(Lowered { plan, ..lowered })
    }

    /// The rows sorted where they have an order.
    pub(crate) fn sorted(&mut self, lowered: Lowered, fetch: Option<usize>) -> LowerResult<Lowered> {
        if lowered.order.is_empty() || has_no_rows(&lowered.plan) {
            return Ok(lowered);
        }
        let lowered = self.ties_settled(lowered)?;
        let expr = lowered.order.iter().map(sort_expr).collect();
        let plan = LogicalPlan::Sort(Sort { expr, input: Arc::new(lowered.plan), fetch });
        Ok(Lowered { plan, ..lowered })
    }

    /// The value of a constant expression.
    pub(crate) fn constant(&mut self, expr: &Expr) -> LowerResult<ScalarValue> {
        let nothing = Lowered::new(LogicalPlan::EmptyRelation(datafusion_expr::logical_plan::EmptyRelation {
            produce_one_row: true,
            schema: Arc::new(datafusion_common::DFSchema::empty()),
        }));
        match self.expr(&nothing, expr)? {
            PlanExpr::Literal(value, _) => Ok(value),
            _ => Err(LowerError::unsupported("a value that is not constant here", expr.span)),
        }
    }
}

pub(crate) fn sort_expr(key: &OrderKey) -> SortExpr {
    SortExpr { expr: column(&key.column), asc: !key.descending, nulls_first: key.nulls_first }
}

/// All columns of a plan passed through a node.
pub(crate) fn pass_all(lowered: &Lowered) -> Vec<(String, datafusion_common::arrow::datatypes::DataType, PlanExpr)> {
    let fields = lowered.plan.schema().fields();
    fields.iter().map(|field| (field.name().clone(), field.data_type().clone(), column(field.name()))).collect()
}
