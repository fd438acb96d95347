//! Late materialisation: filters over narrow columns run while a file is decoded, so that wide columns are decoded only
//! where rows pass.
//!
//! A filter that is pushed down runs again above the scan; here it only saves work. It pays when it keeps few rows and
//! what it reads is small beside the rest, which is judged by the form of the filter and the bytes of the columns.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, ScalarUDF};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, conjunction, create_physical_expr};
use datafusion::physical_plan::expressions::Column;
use kql_types::ScalarType;

use crate::ScanColumn;
use crate::file::FilePart;
use crate::layout::Shown;
use crate::pruning::is_time_bound;

/// Filters are pushed down whose columns together hold at most one part in so many of the bytes that are read.
const NARROW_PART: u64 = 3;

/// Operators that most rows do not pass.
const SELECTIVE: &[&str] = &[
    "==",
    "=~",
    "in",
    "in~",
    "has",
    "has_cs",
    "has_any",
    "has_all",
    "hasprefix",
    "hasprefix_cs",
    "hassuffix",
    "hassuffix_cs",
    "contains",
    "contains_cs",
    "startswith",
    "startswith_cs",
    "endswith",
    "endswith_cs",
];

/// Further functions that are cheap and never fail.
const SIMPLE: &[&str] =
    &["!=", "!~", "!in", "!in~", "!has", "!contains", "isempty", "isnotempty", "tolower", "toupper", "tostring"];

/// The filters of a scan and the columns it reads.
pub(crate) struct Late<'a> {
    pub(crate) filters: &'a [Expr],
    /// The columns of the table that the scan knows; filters are over `schema`, which has them in this order.
    pub(crate) columns: &'a [ScanColumn],
    pub(crate) schema: &'a SchemaRef,
    /// Names of the columns read from files.
    pub(crate) read: &'a HashSet<&'a str>,
}

/// Whether a filter may be of use while a file is decoded.
pub(crate) fn may_run_late(filter: &Expr, columns: &[ScanColumn]) -> bool {
    conjuncts(filter).into_iter().any(|filter| is_simple(filter) && names_of(filter, columns).is_some())
}

impl Late<'_> {
    /// A predicate over the columns of a file, given as they are in `read_as`; None when it would not pay.
    pub(crate) fn predicate(
        &self,
        session: &dyn Session,
        file: &FilePart,
        read_as: &Schema,
    ) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let total: u64 = self.read.iter().map(|name| column_bytes(file, name)).sum();
        let mut names: HashSet<&str> = HashSet::new();
        let mut chosen = Vec::new();
        for filter in self.filters.iter().flat_map(conjuncts) {
            let Some(wanted) = names_of(filter, self.columns) else { continue };
            let known = |name: &&str| read_as.index_of(name).is_ok() && known_type(file, name).is_some();
            let both = names.union(&wanted).map(|name| column_bytes(file, name)).sum::<u64>();
            let narrow = both <= total / NARROW_PART;
            if !narrow || !is_simple(filter) || is_time_bound(filter, self.columns) || !wanted.iter().all(known) {
                continue;
            }
            names.extend(wanted);
            chosen.push(filter);
        }
        if !chosen.iter().any(|filter| is_selective(filter)) {
            return Ok(None);
        }
        let schema = DFSchema::try_from(self.schema.as_ref().clone())?;
        let mut predicates = Vec::with_capacity(chosen.len());
        for filter in chosen {
            let planning = PhysicalPlanningContext::default();
            let expr = create_physical_expr(filter, &schema, session.execution_props(), &planning)?;
            predicates.push(self.over_file(session, expr, file, read_as)?);
        }
        // One predicate, not one for each part: its columns are decoded together, once. A function around it keeps the
        // reader from taking it apart.
        Ok(Some(shown_as(session, ScalarType::Bool, ScalarType::Bool, "late", conjunction(predicates))))
    }

    /// An expression over the table's columns as one over the file's.
    fn over_file(
        &self,
        session: &dyn Session,
        expr: Arc<dyn PhysicalExpr>,
        file: &FilePart,
        read_as: &Schema,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let replaced = expr.transform_up(|node| {
            let Some(column) = node.downcast_ref::<Column>().and_then(|column| self.columns.get(column.index())) else {
                return Ok(Transformed::no(node));
            };
            let Some(from) = known_type(file, &column.name) else { return Ok(Transformed::no(node)) };
            let read = Arc::new(Column::new(&column.name, read_as.index_of(&column.name)?));
            Ok(Transformed::yes(shown_as(session, from, column.ty, &column.plan_name, read)))
        })?;
        Ok(replaced.data)
    }
}

/// An expression over a file's columns of type `from`, shown as `to`.
pub(crate) fn shown_as(
    session: &dyn Session,
    from: ScalarType,
    to: ScalarType,
    field: &str,
    read: Arc<dyn PhysicalExpr>,
) -> Arc<dyn PhysicalExpr> {
    let function = Arc::new(ScalarUDF::new_from_impl(Shown::new(from, to)));
    let field = Arc::new(Field::new(field, tables::arrow_type(to), true));
    let options = Arc::clone(session.config().options());
    let name = function.name().to_owned();
    Arc::new(ScalarFunctionExpr::new(&name, function, vec![read], field, options))
}

fn known_type(file: &FilePart, name: &str) -> Option<ScalarType> {
    file.columns.iter().find(|known| known.name == name).map(|known| known.ty)
}

/// Bytes of a column in the first row group of a file, unpacked.
fn column_bytes(file: &FilePart, name: &str) -> u64 {
    let Some(group) = file.metadata.row_groups().first() else { return 0 };
    let schema = group.schema_descr();
    let of_column = group.columns().iter().enumerate().filter(|(leaf, _)| schema.get_column_root(*leaf).name() == name);
    of_column.map(|(_, column)| u64::try_from(column.uncompressed_size()).unwrap_or(0)).sum()
}

fn conjuncts(filter: &Expr) -> Vec<&Expr> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => [conjuncts(left), conjuncts(right)].concat(),
        other => vec![other],
    }
}

/// Whether most filters of this form keep few rows.
fn is_selective(filter: &Expr) -> bool {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => is_selective(left) || is_selective(right),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => is_selective(left) && is_selective(right),
        Expr::BinaryExpr(BinaryExpr { op, .. }) => *op == Operator::Eq,
        Expr::InList(list) => !list.negated,
        Expr::IsTrue(inner) => is_selective(inner),
        Expr::ScalarFunction(call) => SELECTIVE.contains(&operator(call.func.name())),
        _ => false,
    }
}

/// The name of a function without its types: `has` of `has(string,string):bool`.
fn operator(name: &str) -> &str {
    name.split_once('(').map_or(name, |(name, _)| name)
}

/// Whether a filter is cheap, and fails on no data.
fn is_simple(filter: &Expr) -> bool {
    let mut simple = true;
    let walked = filter.apply(|node| {
        simple &= match node {
            Expr::ScalarFunction(call) => {
                let name = operator(call.func.name());
                SELECTIVE.contains(&name) || SIMPLE.contains(&name)
            }
            Expr::Column(_)
            | Expr::Literal(..)
            | Expr::BinaryExpr(_)
            | Expr::InList(_)
            | Expr::IsTrue(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::Not(_) => true,
            _ => false,
        };
        Ok(if simple { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    walked.is_ok() && simple
}

/// Names of the table's columns in a filter; None when it has none, or one that is no column of the table.
fn names_of<'a>(filter: &Expr, columns: &'a [ScanColumn]) -> Option<HashSet<&'a str>> {
    let mut names = HashSet::new();
    let mut all_known = true;
    let walked = filter.apply(|node| {
        if let Expr::Column(column) = node {
            match columns.iter().find(|known| known.plan_name == column.name) {
                Some(known) if known.name != tables::SOURCE_COLUMN => drop(names.insert(known.name.as_str())),
                _ => all_known = false,
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    (walked.is_ok() && all_known && !names.is_empty()).then_some(names)
}
