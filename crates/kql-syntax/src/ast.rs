//! The typed view of a parsed query: plain owned values that say what was written, with spans.
//!
//! The lossless tree keeps every byte; this view keeps only meaning. It is `Send`, holds no
//! names resolved and no types. Errors in the text become [`ExprKind::Missing`], so a binder
//! can go on after the parser reported the mistake. Start at [`Query`].

/// A half-open range of byte offsets into the query text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(start: u32, end: u32) -> Span {
        Span { start, end }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A name as the query means it: `['a b']` and `a` both give their inner text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub text: String,
    pub span: Span,
    /// Written as `['x']` or `["x"]`.
    pub bracketed: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub kind: StatementKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    /// `let name = expr`, with a tabular or scalar value.
    Let { name: Name, value: Expr },
    /// `let name = [view] (params) { body }`.
    LetFunction { name: Name, function: Function },
    /// `set name [= value]`.
    Set { name: Name, value: Option<Expr> },
    /// `alias database name = cluster(..).database(..)`.
    Alias { name: Name, value: Expr },
    /// `declare query_parameters (a:long = 1, ...)`.
    QueryParameters(Vec<Param>),
    /// `declare pattern name = (columns)[path] { (values).[path] = { body }; ... }`.
    Pattern(PatternClause),
    /// `restrict access to (...)`.
    Restrict(Vec<Expr>),
    /// `#name ...` at the start of the text: for the client that sends the query. The name is without the `#`.
    Directive(Name),
    /// A management command (`.create table ...`): its verb; kept whole, not analysed.
    Command(Name),
    /// The expression that yields a result.
    Expression(Expr),
}

/// A pattern: queries by the constants that it is called with.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternClause {
    pub name: Name,
    pub columns: Vec<ColumnDecl>,
    pub path: Option<ColumnDecl>,
    pub matches: Vec<PatternMatch>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PatternMatch {
    pub values: Vec<Expr>,
    pub path: Option<Expr>,
    pub body: Vec<Statement>,
}

/// The value of a `let` that declares a function; also the form of a stored function.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    pub view: bool,
    pub params: Vec<Param>,
    /// Statements of the body; the last one is normally an expression.
    pub body: Vec<Statement>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    pub name: Name,
    pub ty: ParamType,
    pub default: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ParamType {
    /// `x:long`.
    Scalar(TypeName),
    /// `T:(a:long, b:string)`; `T:(*)` has `open` and no columns.
    Tabular { columns: Vec<ColumnDecl>, open: bool },
}

/// A type as written: `long`, `int64`, `string`... (not checked here).
#[derive(Debug, Clone, PartialEq)]
pub struct TypeName {
    pub text: String,
    pub span: Span,
}

/// `name:type` in `datatable`, `externaldata`, parameters and plugin schemas.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDecl {
    pub name: Name,
    pub ty: TypeName,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// Something was expected here and is not (already reported).
    Missing,
    Name(Name),
    Literal(Literal),
    /// `*` where a list of columns may stand.
    Star,
    /// `prefix*`, `*suffix`, `a*b` as a column or table pattern (text as written).
    Wildcard(String),
    Paren(Box<Expr>),
    /// `name = expr` or `(a, b) = expr` in a list or an argument.
    Named {
        names: Vec<Name>,
        tuple: bool,
        value: Box<Expr>,
    },
    /// `f(args)`.
    Call {
        name: Name,
        args: Vec<Expr>,
    },
    /// `base.member`. In a pattern of tables (`database('d').T*`) the member keeps its `*`.
    Member {
        base: Box<Expr>,
        member: Name,
    },
    /// `base.f(args)`, as in `cluster('c').database('d').T`.
    MethodCall {
        base: Box<Expr>,
        name: Name,
        args: Vec<Expr>,
    },
    /// `base[index]`. In `[index]` alone the base is [`ExprKind::Missing`], and nothing is reported: the parser
    /// accepts it, a binder does not.
    Index {
        base: Box<Expr>,
        index: Box<Expr>,
    },
    Unary {
        op: UnaryOp,
        expr: Box<Expr>,
    },
    Binary {
        op: BinaryOp,
        op_span: Span,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `x in (a, b)`, `x !in~ (T)`, `x has_any (..)`, `x has_all (..)`.
    In {
        op: InOp,
        op_span: Span,
        left: Box<Expr>,
        items: Vec<Expr>,
    },
    /// `x between (a .. b)`.
    Between {
        negated: bool,
        op_span: Span,
        left: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
    },
    /// `typeof(long)` or `typeof(a:long, b:string)`.
    TypeOf(Vec<TypeOfItem>),
    /// `input | operator | operator ...`: never empty, in the order written.
    Pipe {
        input: Box<Expr>,
        operators: Vec<Operator>,
    },
    /// An operator that starts a pipeline: `print`, `range`, `union`, `search`, `find`,
    /// `datatable`, `externaldata`, `evaluate`, a leading operator in a sub-pipeline.
    Source(Box<Operator>),
    /// `{ statements }` or an inline lambda passed as an argument, rare.
    Lambda(Box<Function>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum TypeOfItem {
    Type(TypeName),
    Column(ColumnDecl),
    Star,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    Minus,
    Plus,
}

/// Operators between two scalar expressions, except the list forms of [`InOp`] and `between`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    /// `=~`
    EqCi,
    /// `!~`
    NeCi,
    Has,
    NotHas,
    HasCs,
    NotHasCs,
    HasPrefix,
    NotHasPrefix,
    HasPrefixCs,
    NotHasPrefixCs,
    HasSuffix,
    NotHasSuffix,
    HasSuffixCs,
    NotHasSuffixCs,
    Contains,
    NotContains,
    ContainsCs,
    NotContainsCs,
    StartsWith,
    NotStartsWith,
    StartsWithCs,
    NotStartsWithCs,
    EndsWith,
    NotEndsWith,
    EndsWithCs,
    NotEndsWithCs,
    MatchesRegex,
    /// `like`, `notlike`, `likecs`, `notlikecs`: old spellings.
    Like,
    NotLike,
    LikeCs,
    NotLikeCs,
    /// `:` in a `search` predicate (`Column : "term"`).
    SearchColumn,
}

impl BinaryOp {
    /// The canonical spelling; also the name of the operator's entry in the function registry.
    pub fn symbol(self) -> &'static str {
        use BinaryOp::*;
        match self {
            Or => "or",
            And => "and",
            Eq => "==",
            Ne => "!=",
            Lt => "<",
            Le => "<=",
            Gt => ">",
            Ge => ">=",
            Add => "+",
            Sub => "-",
            Mul => "*",
            Div => "/",
            Mod => "%",
            EqCi => "=~",
            NeCi => "!~",
            Has => "has",
            NotHas => "!has",
            HasCs => "has_cs",
            NotHasCs => "!has_cs",
            HasPrefix => "hasprefix",
            NotHasPrefix => "!hasprefix",
            HasPrefixCs => "hasprefix_cs",
            NotHasPrefixCs => "!hasprefix_cs",
            HasSuffix => "hassuffix",
            NotHasSuffix => "!hassuffix",
            HasSuffixCs => "hassuffix_cs",
            NotHasSuffixCs => "!hassuffix_cs",
            Contains => "contains",
            NotContains => "!contains",
            ContainsCs => "contains_cs",
            NotContainsCs => "!contains_cs",
            StartsWith => "startswith",
            NotStartsWith => "!startswith",
            StartsWithCs => "startswith_cs",
            NotStartsWithCs => "!startswith_cs",
            EndsWith => "endswith",
            NotEndsWith => "!endswith",
            EndsWithCs => "endswith_cs",
            NotEndsWithCs => "!endswith_cs",
            MatchesRegex => "matches regex",
            Like => "like",
            NotLike => "notlike",
            LikeCs => "likecs",
            NotLikeCs => "notlikecs",
            SearchColumn => ":",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InOp {
    In,
    NotIn,
    InCi,
    NotInCi,
    HasAny,
    HasAll,
}

impl InOp {
    pub fn symbol(self) -> &'static str {
        match self {
            InOp::In => "in",
            InOp::NotIn => "!in",
            InOp::InCi => "in~",
            InOp::NotInCi => "!in~",
            InOp::HasAny => "has_any",
            InOp::HasAll => "has_all",
        }
    }
}

/// A literal as written; values are computed by the binder.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `true`, `false`, `True`..., and `bool(x)` / `boolean(x)`: inner text.
    Bool(String),
    /// `42`, `0x2A`: no type suffix, becomes long.
    Long(String),
    /// `1.5`, `1e3`.
    Real(String),
    /// `1d`, `2.5h`, `100ms`, `1tick`, `3microseconds`...
    TimeSpan(String),
    /// Any string form with its escapes resolved; `h"..."` sets `hidden`.
    String { value: String, hidden: bool },
    /// `int(5)`, `long(null)`, `real(nan)`, `decimal(1.5)`, `datetime(2020-01-01)`, `time(1.00:00:00)`,
    /// `timespan(1d)`, `guid(...)`, `datetime(null)`: the type's name and the raw text inside,
    /// trimmed, quotes removed when it is one string literal.
    Typed { type_name: String, text: String },
    /// `dynamic(...)`: the raw text inside the parentheses.
    Dynamic(String),
    /// `null` where the grammar allows it bare.
    Null,
}

/// `name=value`, `hint.name=value`, `kind=inner`: the parameters after an operator's keyword.
#[derive(Debug, Clone, PartialEq)]
pub struct OpParam {
    /// Lower case is not applied: as written, e.g. `kind`, `hint.strategy`, `isfuzzy`, `withsource`.
    pub name: String,
    /// A name or a literal; names stay names (`kind=inner`). Several names (`ycolumns=a, b`) are the arguments of a
    /// call with an empty name.
    pub value: Expr,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Operator {
    pub kind: OperatorKind,
    /// The keyword, e.g. `mv-expand` (for messages: spelled as in the text).
    pub keyword: Name,
    pub params: Vec<OpParam>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct OrderKey {
    pub expr: Expr,
    /// None: the operator's default (desc for sort and top, asc for project-reorder).
    pub descending: Option<bool>,
    pub nulls_first: Option<bool>,
}

/// A pipeline inside an operator (mv-apply, partition, fork, facet, scan): a chain of operators
/// over an implicit input.
pub type SubPipeline = Vec<Operator>;

#[derive(Debug, Clone, PartialEq)]
pub struct MvItem {
    /// `expr` or `name = expr` (as [`ExprKind::Named`]).
    pub expr: Expr,
    /// `to typeof(T)`.
    pub to_type: Option<TypeName>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ParsePart {
    /// `*`
    Star,
    /// `"text"` between columns.
    Text(String, Span),
    /// `Name[:type]`.
    Column { name: Name, ty: Option<TypeName> },
}

#[derive(Debug, Clone, PartialEq)]
pub struct JoinClause {
    pub right: Expr,
    /// After `on`: names, `$left.a == $right.b`, or `and`s of these. Empty with no `on`.
    pub on: Vec<Expr>,
    /// After `where`, the other condition form.
    pub condition: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct MakeSeriesClause {
    /// Each aggregate with its `default = value`.
    pub aggregates: Vec<(Expr, Option<Expr>)>,
    pub on: Expr,
    /// `from a to b step c`: parts may be absent.
    pub from: Option<Expr>,
    pub to: Option<Expr>,
    pub step: Option<Expr>,
    /// `in range(a, b, c)`: then the three above are filled and this is true.
    pub in_range: bool,
    pub by: Vec<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ScanStep {
    pub name: Name,
    pub optional: bool,
    /// `output = all | last | none`, as written.
    pub output: Option<String>,
    pub condition: Expr,
    pub assignments: Vec<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TopNestedClause {
    pub count: Option<Expr>,
    pub expr: Expr,
    pub with_others: Option<Expr>,
    pub by: OrderKey,
}

#[derive(Debug, Clone, PartialEq)]
pub struct FindClause {
    /// `in (T1, T2, ...)`; empty: all tables.
    pub tables: Vec<Expr>,
    pub predicate: Option<Expr>,
    /// `project a, b:type, pack(*)`, `project-smart`, `project-away`.
    pub project: Option<Vec<Expr>>,
    pub project_smart: bool,
    pub project_away: Option<Vec<Expr>>,
}

/// One edge or node of a graph pattern.
#[derive(Debug, Clone, PartialEq)]
pub enum GraphPart {
    Node { name: Option<Name> },
    Edge { name: Option<Name>, direction: GraphDirection, range: Option<(Expr, Expr)> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphDirection {
    Forward,
    Backward,
    Any,
}

#[derive(Debug, Clone, PartialEq)]
pub struct MakeGraphClause {
    pub source: Expr,
    pub target: Expr,
    pub direction: GraphDirection,
    /// `with T1 on a, T2 on b` (tables of nodes with their key).
    pub nodes: Vec<(Expr, Name)>,
    pub with_node_id: Option<Name>,
    /// `partitioned-by Key (operators over the graph of each key)`.
    pub partitioned_by: Option<(Expr, SubPipeline)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct GraphMatchClause {
    pub patterns: Vec<Vec<GraphPart>>,
    pub condition: Option<Expr>,
    pub project: Vec<Expr>,
    pub output: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum OperatorKind {
    As(Name),
    AssertSchema(Vec<ColumnDecl>),
    Consume,
    Count {
        as_name: Option<Name>,
    },
    Datatable {
        columns: Vec<ColumnDecl>,
        values: Vec<Expr>,
    },
    Distinct(Vec<Expr>),
    Evaluate {
        call: Expr,
        schema: Option<Vec<ColumnDecl>>,
        schema_open: bool,
    },
    Extend(Vec<Expr>),
    ExternalData {
        columns: Vec<ColumnDecl>,
        uris: Vec<Expr>,
        with: Vec<OpParam>,
    },
    Facet {
        by: Vec<Expr>,
        with: Option<SubPipeline>,
    },
    Find(FindClause),
    Fork(Vec<(Option<Name>, SubPipeline)>),
    GetSchema,
    GraphMatch(GraphMatchClause),
    GraphShortestPaths(GraphMatchClause),
    GraphMarkComponents,
    GraphToTable(Vec<Expr>),
    GraphWhereNodes(Expr),
    GraphWhereEdges(Expr),
    Invoke(Expr),
    Join(JoinClause),
    Lookup(JoinClause),
    MacroExpand {
        scope: Expr,
        body: Vec<Statement>,
    },
    MakeGraph(MakeGraphClause),
    MakeSeries(MakeSeriesClause),
    MvApply {
        items: Vec<MvItem>,
        limit: Option<Expr>,
        context_id: Option<Name>,
        subquery: SubPipeline,
    },
    MvExpand {
        items: Vec<MvItem>,
        limit: Option<Expr>,
    },
    /// `parse`, `parse-where` (`filter`), `kind=` and `flags=` among the params.
    Parse {
        expr: Expr,
        parts: Vec<ParsePart>,
        filter: bool,
    },
    ParseKv {
        expr: Expr,
        columns: Vec<ColumnDecl>,
        with: Vec<OpParam>,
    },
    Partition {
        by: Expr,
        scope: Option<Expr>,
        subquery: SubPipeline,
        legacy_query: Option<Expr>,
    },
    Print(Vec<Expr>),
    Project(Vec<Expr>),
    ProjectAway(Vec<Expr>),
    ProjectByNames(Vec<Expr>),
    ProjectKeep(Vec<Expr>),
    ProjectRename(Vec<Expr>),
    ProjectReorder(Vec<OrderKey>),
    Range {
        name: Name,
        from: Expr,
        to: Expr,
        step: Expr,
    },
    Reduce {
        by: Expr,
        with: Vec<OpParam>,
    },
    Render {
        kind: Name,
        with: Vec<OpParam>,
    },
    Sample(Expr),
    SampleDistinct {
        count: Expr,
        of: Expr,
    },
    Scan {
        order_by: Vec<OrderKey>,
        partition_by: Vec<Expr>,
        declare: Vec<(ColumnDecl, Option<Expr>)>,
        steps: Vec<ScanStep>,
    },
    /// `search [kind=...] [in (T, ...)] predicate`.
    Search {
        tables: Vec<Expr>,
        predicate: Expr,
    },
    Serialize(Vec<Expr>),
    Sort(Vec<OrderKey>),
    Summarize {
        aggregates: Vec<Expr>,
        by: Vec<Expr>,
    },
    Take(Expr),
    Top {
        count: Expr,
        by: OrderKey,
    },
    TopHitters {
        count: Expr,
        of: Expr,
        by: Option<Expr>,
    },
    TopNested(Vec<TopNestedClause>),
    Union(Vec<Expr>),
    Where(Expr),
    /// An operator the grammar knows and the view does not model.
    Other,
}
