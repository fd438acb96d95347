//! The bound query: every name resolved, every expression typed, every column with an identity.
//!
//! What the binder makes and `kql-plan` lowers. Sugar is gone: `extend` is a [`RelKind::Project`], `distinct` a
//! [`RelKind::Summarize`], `count` a summarize, `top` a sort and a take, `lookup` a join. A column is known by its
//! [`ColumnId`] alone: ids are unique in a query and a table read twice has two sets of ids.

use std::sync::Arc;

use kql_functions::{Aggregate, Function};
use kql_types::{ScalarType, Span, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnId(pub u32);

#[derive(Debug, Clone, PartialEq)]
pub struct BoundColumn {
    pub id: ColumnId,
    pub name: Arc<str>,
    pub ty: ScalarType,
}

/// A whole query after binding.
#[derive(Debug, Clone)]
pub struct BoundQuery {
    /// The results in order: one for each expression statement, and the branches of `fork` and `facet`.
    pub results: Vec<BoundResult>,
    /// Every table the query reads, once each: name and the columns used.
    pub tables: Vec<TableUse>,
    /// String literals compared with columns, for choices that depend on them: (table, column, literal).
    pub compared: Vec<Compared>,
    /// Query options from `set` statements: name and value as text.
    pub options: Vec<(String, Option<Value>)>,
    /// What the query asks for and the binder cannot express yet; a query with any of these binds (its columns are
    /// right) but must not be run: report `unsupported: NAME` at the span.
    pub unsupported: Vec<Unsupported>,
    /// Calls whose answer comes from outside and is not there, as `FileProfile()`: they give nothing, and whoever judges
    /// an empty result has to know. Each once.
    pub absent: Vec<String>,
}

/// A known part of the language without a bound form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// An operator, plugin or function by its name in the language.
    pub name: String,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub struct BoundResult {
    pub name: Option<String>,
    pub rel: Rel,
    pub render: Option<Render>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Render {
    pub kind: String,
    pub properties: Vec<(String, Value)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TableUse {
    pub name: String,
    pub columns: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Compared {
    pub table: String,
    pub column: String,
    pub literal: String,
}

/// A tabular expression. `columns` are the visible output columns in order.
///
/// A column that an operator passes on keeps its id; a computed column has a fresh one. A column of type
/// [`ScalarType::Unknown`] exists only below `union isfuzzy=true` over a missing table: it holds nulls.
#[derive(Debug, Clone)]
pub struct Rel {
    pub kind: Box<RelKind>,
    pub columns: Vec<BoundColumn>,
    /// The rows have a meaningful order here (after sort, top, range, serialize, ...).
    pub serialized: bool,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JoinKind {
    /// First left row per key.
    InnerUnique,
    Inner,
    LeftOuter,
    RightOuter,
    FullOuter,
    LeftSemi,
    RightSemi,
    LeftAnti,
    RightAnti,
}

#[derive(Debug, Clone)]
pub struct SortKey {
    pub expr: Expr,
    pub descending: bool,
    pub nulls_first: bool,
}

#[derive(Debug, Clone)]
pub struct AggregateCall {
    pub aggregate: &'static Aggregate,
    /// After conversion to the overload's types.
    pub args: Vec<Expr>,
    pub ty: ScalarType,
    pub span: Span,
}

/// One output of `arg_max`/`arg_min`/`take_any` with several columns: these aggregates give one column each.
#[derive(Debug, Clone)]
pub enum SummarizeItem {
    Aggregate {
        out: ColumnId,
        call: AggregateCall,
    },
    /// `arg_max(by, a, b, *)`: the row with the greatest `by` (least for min) gives all outputs at once.
    ArgExtreme {
        max: bool,
        by: Expr,
        by_out: ColumnId,
        values: Vec<(ColumnId, Expr)>,
    },
    /// `take_any(a, b)`: all outputs from one row.
    TakeAny {
        values: Vec<(ColumnId, Expr)>,
    },
}

#[derive(Debug, Clone)]
pub struct MvExpandItem {
    /// dynamic array or bag to expand.
    pub expr: Expr,
    pub out: ColumnId,
    /// Type of the output column; dynamic unless `to typeof(T)` says otherwise.
    pub ty: ScalarType,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ParsePart {
    Star,
    Text(String),
    /// Captures into the output with this index in `outputs`.
    Column(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseMode {
    Simple,
    Relaxed,
    Regex,
}

#[derive(Debug, Clone)]
pub struct ScanStep {
    pub name: String,
    pub optional: bool,
    /// all (default), last or none.
    pub output: ScanOutput,
    pub condition: Expr,
    /// Assignments to declared columns: index into `declared`.
    pub assignments: Vec<(usize, Expr)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanOutput {
    All,
    Last,
    None,
}

#[derive(Debug, Clone)]
pub enum RelKind {
    /// One row, no columns: the input of `print`.
    OneRow,
    /// No rows of the given columns: a known table that is absent, or what followed an error.
    Empty,
    /// A table of the catalog. `source` names the columns in it, same order as `Rel::columns`.
    Table {
        name: String,
        source: Arc<[String]>,
    },
    /// Rows of literals, each as long as the columns.
    Datatable {
        rows: Vec<Vec<Value>>,
    },
    /// Constant expressions.
    Range {
        from: Expr,
        to: Expr,
        step: Expr,
    },
    Filter {
        input: Rel,
        predicate: Expr,
    },
    /// Exactly the output columns, in order; a column carried through is `Expr::Column`.
    Project {
        input: Rel,
        exprs: Vec<(ColumnId, Expr)>,
    },
    /// Grouping keys first, then the items: the order of `Rel::columns` is decided by the binder.
    Summarize {
        input: Rel,
        keys: Vec<(ColumnId, Expr)>,
        items: Vec<SummarizeItem>,
    },
    Sort {
        input: Rel,
        keys: Vec<SortKey>,
    },
    /// First `count` rows (constant).
    Take {
        input: Rel,
        count: Expr,
    },
    /// Marks the order as meaningful, changes nothing.
    Serialize {
        input: Rel,
    },
    Sample {
        input: Rel,
        count: Expr,
    },
    /// Inputs are already projected to the same columns (same count, same types, in order); ids of the outputs are new.
    Union {
        inputs: Vec<Rel>,
    },
    /// Columns: those of the left, then those of the right (semi and anti: one side). Right ids are as in `right`.
    /// `keys` pairs expressions over left and right columns; `condition` is over both.
    Join {
        left: Rel,
        right: Rel,
        kind: JoinKind,
        keys: Vec<(Expr, Expr)>,
        condition: Option<Expr>,
    },
    /// `Rel::columns`: the input's columns, where an item's `out` (always a fresh id) stands in the place of the column
    /// that it replaces or at the end, then the index. Items expand side by side, the shorter ones padded with nulls.
    MvExpand {
        input: Rel,
        items: Vec<MvExpandItem>,
        /// `with_itemindex=`.
        index: Option<ColumnId>,
        /// Expand each row to at most this many.
        limit: Option<u64>,
        /// `kind=array`: a bag becomes `[key, value]` pairs.
        bag_as_array: bool,
    },
    /// `subquery` reads one [`RelKind::ApplyInput`] of the same `scope`, which stands for the rows expanded from one
    /// input row: its columns are the input's, with the items' `out` as in [`RelKind::MvExpand`], and the index.
    /// `Rel::columns` lists what is visible: columns of the input (their ids) and outputs of the subquery. A column
    /// of the input that the subquery passes on has one id in both.
    MvApply {
        input: Rel,
        scope: u32,
        items: Vec<MvExpandItem>,
        index: Option<ColumnId>,
        limit: Option<u64>,
        context: Option<ColumnId>,
        subquery: Rel,
    },
    /// The leaf of a sub-pipeline; `scope` tells which operator it belongs to when these nest.
    ApplyInput {
        scope: u32,
    },
    /// The subquery runs once per distinct `by`; it reads [`RelKind::ApplyInput`] with the input's columns.
    Partition {
        input: Rel,
        by: Expr,
        scope: u32,
        subquery: Rel,
    },
    MakeSeries {
        input: Rel,
        keys: Vec<(ColumnId, Expr)>,
        /// Output, aggregate, default value.
        aggregates: Vec<(ColumnId, AggregateCall, Expr)>,
        axis: Expr,
        axis_out: ColumnId,
        from: Option<Expr>,
        to: Option<Expr>,
        step: Expr,
        /// The form `in range(a, b, c)`: the stop is included.
        stop_inclusive: bool,
    },
    Parse {
        input: Rel,
        expr: Expr,
        mode: ParseMode,
        flags: String,
        parts: Vec<ParsePart>,
        outputs: Vec<(ColumnId, ScalarType)>,
        filter: bool,
    },
    ParseKv {
        input: Rel,
        expr: Expr,
        options: Vec<(String, Value)>,
        outputs: Vec<(ColumnId, String, ScalarType)>,
    },
    TopNested {
        input: Rel,
        levels: Vec<TopNestedLevel>,
    },
    Scan {
        input: Rel,
        partition_by: Vec<Expr>,
        order_by: Vec<SortKey>,
        /// Declared columns and their defaults.
        declared: Vec<(ColumnId, Expr)>,
        steps: Vec<ScanStep>,
        match_id: Option<ColumnId>,
    },
    /// `evaluate`: a plugin by name; `args` are constants, column references or tabular arguments.
    Plugin {
        name: String,
        input: Option<Rel>,
        args: Vec<PluginArg>,
    },
    /// Evaluated once, shared by every node with the same id: these nodes have equal inputs (down to the ids inside),
    /// while `Rel::columns` has fresh ids in each, in the order of the input's columns.
    Materialize {
        id: u32,
        input: Rel,
    },
    ExternalData {
        uris: Vec<String>,
        options: Vec<(String, Value)>,
    },
    Reduce {
        input: Rel,
        by: Expr,
        options: Vec<(String, Value)>,
    },
    /// `_GetWatchlist` and other tables that the host provides by name and arguments.
    HostTable {
        name: String,
        args: Vec<Value>,
    },
}

#[derive(Debug, Clone)]
pub struct TopNestedLevel {
    pub count: Option<Expr>,
    pub out: ColumnId,
    pub expr: Expr,
    pub others: Option<Expr>,
    /// What ranks the groups, over the outputs of `calls`.
    pub aggregate_out: ColumnId,
    pub rank: Expr,
    pub calls: Vec<(ColumnId, AggregateCall)>,
    pub descending: bool,
}

#[derive(Debug, Clone)]
pub enum PluginArg {
    Value(Value),
    Expr(Expr),
    Rel(Rel),
    /// `name = value` arguments keep their name.
    Named(String, Box<PluginArg>),
}

#[derive(Debug, Clone)]
pub struct Expr {
    pub kind: ExprKind,
    pub ty: ScalarType,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub enum PathStep {
    Key(String),
    /// Negative counts from the end.
    Index(i64),
    /// Computed: string key or long index.
    Computed(Expr),
}

#[derive(Debug, Clone)]
pub enum ExprKind {
    Literal(Value),
    Column(ColumnId),
    /// A registry function or operator (`==`, `has`, `+`): arguments already converted to the overload's types.
    Call {
        function: &'static Function,
        args: Vec<Expr>,
    },
    /// Flattened; empty is true.
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    /// `iff`, `case`: conditions (bool) with values of the result type.
    Case {
        branches: Vec<(Expr, Expr)>,
        otherwise: Box<Expr>,
    },
    /// First non-null (for strings: first non-empty).
    Coalesce(Vec<Expr>),
    /// A silent conversion: int to long, long to real, dynamic to string and the like.
    Convert(Box<Expr>),
    /// A path into a dynamic value. The base is dynamic; `parse_json(x).a.b` keeps the call as base.
    Path {
        base: Box<Expr>,
        steps: Vec<PathStep>,
    },
    /// `x in (literals)`: `items` are literals of the type of `value` (or of comparable types).
    In {
        value: Box<Expr>,
        items: Vec<Expr>,
        case_insensitive: bool,
        negated: bool,
    },
    /// `x in (tabular)`: compares with the first column.
    InRel {
        value: Box<Expr>,
        rel: Box<Rel>,
        case_insensitive: bool,
        negated: bool,
    },
    /// `x has_any (tabular)`, `x has_all (tabular)`: the needles are the first column.
    HasRel {
        value: Box<Expr>,
        rel: Box<Rel>,
        all: bool,
    },
    /// `toscalar(tabular)`: first column of the first row, or null.
    Scalar(Box<Rel>),
    /// A window function over serialized rows: `row_number`, `prev`, `next`, `row_cumsum`, ...
    Window {
        function: &'static Function,
        args: Vec<Expr>,
    },
    /// `ingestion_time()` of the row's table.
    IngestionTime,
    /// In `scan`: `step.column` of the state of a step (index of step, index of declared or input column).
    ScanState {
        step: usize,
        column: ColumnId,
    },
    /// After an error, already reported.
    Error,
}
