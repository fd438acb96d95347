//! [`KqlNode`]: the operators of Kusto that DataFusion does not have, as one extension node.
//!
//! A node has at most one input. Its output is the expressions listed first (`pass`), evaluated over the input row
//! that an output row came from, and then the columns that [`Op`] adds. What each operator's other expressions mean is
//! said at its variant. `kql-exec` gives each operator its execution.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion_common::arrow::datatypes::{DataType, Field, Fields, Schema};
use datafusion_common::arrow::record_batch::RecordBatch;
use datafusion_common::{DFSchema, DFSchemaRef, Result, ScalarValue, internal_err};
use datafusion_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use kql_functions::kernels::tabular::whole::WholeTable;
use kql_functions::kernels::tabular::{parse, parse_kv};
use kql_semantics::bound::ScanOutput;
use kql_types::ScalarType;

/// What a [`KqlNode`] does.
#[derive(Debug, Clone)]
pub enum Op {
    /// Rows in memory; no input. `columns` of the batches are the output in order.
    Rows { batches: Vec<RecordBatch> },
    /// `range`: no input. Values from `from` by `step` up to `to`, in ticks for datetime and timespan.
    Range { ty: ScalarType, from: Bound, to: Bound, step: Bound },
    /// Numbers the input rows: adds one Int64 column, unique over all partitions, rising in the order of the rows.
    RowId,
    /// The first `count` rows for each value of the key expressions (all expressions after `pass`); when `ordered`, of
    /// the rows in the order they come in one partition.
    /// With `any`, it does not matter which rows of a key stay, so a filter may come first.
    FirstRows { count: u64, ordered: bool, any: bool },
    /// Holds the input in one partition, sorted by `keys`: what reads it sees the rows in this order.
    Pin { keys: Vec<OrderKey> },
    /// An aggregation in one piece over rows in order. The expressions are the `groups` grouping ones and then the
    /// aggregate calls; all are output.
    OrderedAggregate { groups: usize },
    /// `mv-expand`: the expressions are the values to expand; adds the elements, then the place of the element if
    /// asked for, then whether the row is live if there are ghosts.
    MvExpand(Expand),
    /// Window functions over the rows of one partition as they come; adds one column for each call. The expressions
    /// are the keys of independent parts and then the arguments of the calls that are not constant.
    Window(Windows),
    /// `scan` over the rows of one partition as they come; adds the declared columns and then the match id if asked
    /// for. The expressions are the keys of independent parts; those of the steps are in [`Scan`], as they are
    /// evaluated over more than the input row.
    Scan(Scan),
    /// `parse` and `parse-where`: the expression is the text; adds the outputs.
    Parse(ParseSpec),
    /// `parse-kv`: the expression is the text; adds the outputs.
    ParseKv(ParseKvSpec),
    /// An operator that sees all rows of a part before it gives any; rows come in order and parts one after another. The
    /// expressions are the keys of independent parts and then the operator's own.
    Whole(Whole),
}

/// The work of an [`Op::Whole`].
#[derive(Debug, Clone)]
pub struct Whole {
    pub name: &'static str,
    /// Expressions that tell independent parts apart.
    pub keys: usize,
    pub table: Arc<dyn WholeTable>,
}

/// The steps of an [`Op::Scan`].
#[derive(Debug, Clone)]
pub struct Scan {
    /// Expressions that tell independent parts apart: no match goes across.
    pub keys: usize,
    /// What the steps' expressions see: the columns of the input, the declared columns, and for each step `inputs` and the
    /// declared columns again, as the match so far has them.
    pub schema: DFSchemaRef,
    /// Those columns of the input that steps can refer to.
    pub inputs: Vec<String>,
    /// The values of the declared columns before any assignment.
    pub defaults: Vec<ScalarValue>,
    /// What `inputs` and then the declared columns are in the state of a step that no row has matched.
    pub missing: Vec<ScalarValue>,
    pub steps: Vec<ScanStep>,
    pub match_id: bool,
}

/// A step of an [`Op::Scan`].
#[derive(Debug, Clone)]
pub struct ScanStep {
    pub condition: Expr,
    /// Index of the declared column and its value.
    pub assignments: Vec<(usize, Expr)>,
    pub output: ScanOutput,
    /// A sequence may go on without it.
    pub optional: bool,
}

/// The pattern of an [`Op::Parse`].
#[derive(Debug, Clone, PartialEq)]
pub struct ParseSpec {
    pub mode: parse::Mode,
    pub flags: String,
    pub parts: Vec<parse::Part>,
    pub types: Vec<ScalarType>,
    /// Keeps only rows that match.
    pub filter: bool,
}

/// The keys of an [`Op::ParseKv`].
#[derive(Debug, Clone, PartialEq)]
pub struct ParseKvSpec {
    pub options: parse_kv::Options,
    /// Key and type of each output.
    pub outputs: Vec<(String, ScalarType)>,
}

/// How `mv-expand` expands.
#[derive(Debug, Clone, PartialEq)]
pub struct Expand {
    /// Types of the element columns.
    pub types: Vec<ScalarType>,
    /// Elements of one row at most.
    pub limit: u64,
    /// An entry of a bag is `[key, value]`.
    pub bag_as_array: bool,
    /// Adds the place of the element in its row, from 0.
    pub index: bool,
    /// A row without elements gives one row that is not live; adds the column that says so.
    pub ghosts: bool,
}

/// The calls of an [`Op::Window`].
#[derive(Debug, Clone, PartialEq)]
pub struct Windows {
    /// Expressions that tell independent parts apart: nothing is seen across.
    pub keys: usize,
    pub calls: Vec<WindowCall>,
}

/// One call of a window function.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowCall {
    pub name: String,
    pub types: Vec<ScalarType>,
    pub returns: ScalarType,
    /// The values of constant arguments.
    pub constants: Vec<Option<ScalarValue>>,
}

/// A bound of `range`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    Long(i64),
    Real(f64),
}

/// An order over a column of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderKey {
    pub column: String,
    pub descending: bool,
    pub nulls_first: bool,
}

/// An operator of Kusto in a DataFusion plan.
#[derive(Clone)]
pub struct KqlNode {
    pub op: Arc<Op>,
    pub input: Option<Arc<LogicalPlan>>,
    /// Expressions over the input: first those passed through, then the operator's own.
    pub exprs: Vec<Expr>,
    /// How many of `exprs` are passed through.
    pub pass: usize,
    schema: DFSchemaRef,
}

impl KqlNode {
    /// A node whose output is `pass` (column expressions with their names and types) and then `added`.
    ///
    /// # Errors
    /// When two output columns have one name.
    pub fn plan(
        op: Op,
        input: Option<LogicalPlan>,
        pass: Vec<(String, DataType, Expr)>,
        own: Vec<Expr>,
        added: Vec<(String, DataType)>,
    ) -> Result<LogicalPlan> {
        let names = pass.iter().map(|(name, ty, _)| (name, ty)).chain(added.iter().map(|(name, ty)| (name, ty)));
        let fields: Fields = names.map(|(name, ty)| Field::new(name, ty.clone(), true)).collect();
        let schema = Arc::new(DFSchema::try_from(Schema::new(fields))?);
        // Over no rows no operator gives any, but for an aggregation without keys and, it may be, what sees a whole table.
        let may_give = matches!(op, Op::OrderedAggregate { groups: 0 } | Op::Whole(_));
        if !may_give && input.as_ref().is_some_and(crate::lower::has_no_rows) {
            return Ok(crate::lower::no_rows_of(schema));
        }
        let count = pass.len();
        let exprs = pass.into_iter().map(|(_, _, expr)| expr).chain(own).collect();
        let node = KqlNode { op: Arc::new(op), input: input.map(Arc::new), exprs, pass: count, schema };
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
    }
}

impl fmt::Debug for KqlNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_for_explain(f)
    }
}

impl PartialEq for KqlNode {
    fn eq(&self, other: &KqlNode) -> bool {
        Arc::ptr_eq(&self.op, &other.op)
            && self.exprs == other.exprs
            && self.pass == other.pass
            && self.input == other.input
    }
}

impl Eq for KqlNode {}

impl PartialOrd for KqlNode {
    fn partial_cmp(&self, other: &KqlNode) -> Option<Ordering> {
        if self == other { Some(Ordering::Equal) } else { None }
    }
}

impl Hash for KqlNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.op).hash(state);
        self.exprs.hash(state);
        self.input.hash(state);
    }
}

impl Op {
    pub fn name(&self) -> &'static str {
        match self {
            Op::Rows { .. } => "Rows",
            Op::Range { .. } => "Range",
            Op::RowId => "RowId",
            Op::FirstRows { .. } => "FirstRows",
            Op::Pin { .. } => "Pin",
            Op::OrderedAggregate { .. } => "OrderedAggregate",
            Op::MvExpand(_) => "MvExpand",
            Op::Scan(_) => "Scan",
            Op::Window(_) => "Window",
            Op::Parse(_) => "Parse",
            Op::ParseKv(_) => "ParseKv",
            Op::Whole(whole) => whole.name,
        }
    }
}

impl UserDefinedLogicalNodeCore for KqlNode {
    fn name(&self) -> &str {
        self.op.name()
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        self.input.iter().map(Arc::as_ref).collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.exprs.clone()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        if matches!(*self.op, Op::FirstRows { any: true, .. } | Op::Pin { .. }) {
            return HashSet::new();
        }
        // A filter above must stay above: it would change which rows come first or what a number means.
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.op.name())?;
        let (pass, own) = self.exprs.split_at(self.pass.min(self.exprs.len()));
        if !own.is_empty() {
            let own: Vec<String> = own.iter().map(ToString::to_string).collect();
            write!(f, " [{}]", own.join(", "))?;
        }
        let pass: Vec<String> = pass.iter().map(ToString::to_string).collect();
        write!(f, " pass [{}]", pass.join(", "))
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<KqlNode> {
        if exprs.len() != self.exprs.len() || inputs.len() != usize::from(self.input.is_some()) {
            return internal_err!("{} rebuilt with other operands", self.op.name());
        }
        Ok(KqlNode {
            op: Arc::clone(&self.op),
            input: inputs.into_iter().next().map(Arc::new),
            exprs,
            pass: self.pass,
            schema: Arc::clone(&self.schema),
        })
    }

    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        None
    }
}
