//! The state of one binding: ids, scopes, diagnostics, limits, and what is remembered about columns.
//!
//! Everything else in this crate is `impl Binder` in the file of its subject. Invariant: a function that binds always
//! returns something usable; what is wrong is in the diagnostics, and the thing itself is an error value that causes
//! no further reports.

use foldhash::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use kql_syntax::ast;
use kql_types::{Diagnostic, ScalarType, Severity, Span, Value};

use crate::bound::{BoundColumn, ColumnId, Compared, Expr, ExprKind, Rel, RelKind, Render, Unsupported};
use crate::scope::{Graph, Row, Scope, Table, UserFunction};
use crate::table_info::Origin;
use crate::walk;
use crate::{BindOptions, Catalog};

/// Nesting of expressions, pipelines and calls beyond which binding stops with a diagnostic.
const MAX_DEPTH: u32 = 400;
/// Nodes that uses of `let` and functions may copy in one query, against exponential growth.
const MAX_COPIED: usize = 400_000;
/// Columns that the operators of one query may have together: ten thousand times `extend` is fifty million.
const MAX_COLUMNS: usize = 8_000_000;
/// The stack that must be left before going one level deeper, and what is added when it is not.
const STACK_RED_ZONE: usize = 256 * 1024;
const STACK_SEGMENT: usize = 4 * 1024 * 1024;

/// What a bare call may refer to where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    Scalar,
    /// In the list of `summarize` and the like: aggregates are allowed and hide functions of the same name.
    Aggregate,
}

/// Where columns come from, for as long as they are plainly a column of a table; by id.
#[derive(Debug, Default)]
pub(crate) struct Origins(Vec<Option<Arc<[Origin]>>>);

impl Origins {
    pub fn get(&self, id: ColumnId) -> Option<&Arc<[Origin]>> {
        self.0.get(id.0 as usize)?.as_ref()
    }

    pub fn insert(&mut self, id: ColumnId, origins: Arc<[Origin]>) {
        let at = id.0 as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, None);
        }
        if let Some(slot) = self.0.get_mut(at) {
            *slot = Some(origins);
        }
    }

    /// `new` is `old` under another id.
    pub fn pass_on(&mut self, old: ColumnId, new: ColumnId) {
        if let Some(origins) = self.get(old).cloned() {
            self.insert(new, origins);
        }
    }
}

pub(crate) struct Binder<'a> {
    pub catalog: &'a dyn Catalog,
    pub options: &'a BindOptions,
    /// Kindnesses are errors: asked for, or to see whether the official parser would take a stored function.
    pub strict: bool,
    /// The stored function whose text is searched for errors: also in the functions it declares.
    pub judging: Option<String>,
    pub diagnostics: Vec<Diagnostic>,
    reported: HashSet<(&'static str, Span, String)>,
    pub next_column: u32,
    pub next_scope: u32,
    pub next_materialize: u32,
    depth: u32,
    copied: usize,
    columns: usize,
    pub scope: Scope,
    /// Nesting of function bodies.
    pub level: u32,
    pub row: Option<Row>,
    pub right_row: Option<Row>,
    pub context: Context,
    /// Aggregates met while binding the list of a `summarize`.
    pub aggregates: Vec<crate::bound::SummarizeItem>,
    /// Steps of the `scan` at hand: name and the columns of its state.
    pub scan_steps: Vec<String>,
    pub scan_columns: Vec<BoundColumn>,
    /// The pattern of the `graph-match` at hand.
    pub graph: Option<Box<crate::rel::GraphScope>>,
    /// Declarations of user functions being expanded (by address), to stop recursion.
    pub expanding: Vec<usize>,
    /// Inside the body of a stored function a table hides a stored function of the same name.
    pub in_stored: bool,
    /// Binding a declaration over parameters without values: nothing of it is run.
    pub declaring: bool,
    /// Inside an operand of `union isfuzzy=true`.
    pub fuzzy: bool,
    /// Missing tables met since the statement or operand at hand began: the place of each report, if it is an error.
    pub missing: Vec<Option<usize>>,
    /// Reports of missing tables that a use behind `isfuzzy` excuses.
    pub excused: HashSet<usize>,
    /// Reports of missing tables that were needed.
    pub needed: HashSet<usize>,
    pub origins: Origins,
    /// Columns that the official parser shows otherwise: the name here, and what it shows.
    pub official: HashMap<ColumnId, (Arc<str>, crate::rel::Official)>,
    /// Types that the official parser shows otherwise.
    pub official_types: HashMap<ColumnId, ScalarType>,
    /// Columns that are a dynamic string in one branch of an `iff` or `case`: the official parser refuses `[0]` on them.
    pub dynamic_texts: HashSet<ColumnId>,
    /// The same for expressions that read an existing column in the place of a default of another type.
    pub retyped: HashMap<Span, ScalarType>,
    pub compared: Vec<Compared>,
    pub known_compared: HashSet<Compared>,
    pub unsupported: Vec<Unsupported>,
    pub render: Option<Render>,
    pub set_options: Vec<(String, Option<Value>)>,
    /// `now()` in ticks: that of the options, until the query sets it.
    pub query_now: i64,
    /// Calls that have no answer here: see [`crate::bound::BoundQuery::absent`].
    pub absent: Vec<String>,
    /// What `restrict access to` leaves to read: patterns of names.
    pub restricted: Option<Rc<[String]>>,
    pub stored_functions: HashMap<String, Rc<UserFunction>>,
    /// Whether stored functions that share their name with a table bind without errors.
    pub sound_functions: HashMap<String, bool>,
    /// Results that `fork` and `facet` add.
    pub extra_results: Vec<(Option<String>, Table)>,
    /// Above zero, diagnostics are not reported: a function body is bound again for a call.
    pub quiet: u32,
    pub quiet_errors: Vec<Diagnostic>,
}

impl<'a> Binder<'a> {
    pub fn new(catalog: &'a dyn Catalog, options: &'a BindOptions) -> Binder<'a> {
        Binder {
            catalog,
            options,
            strict: options.strict,
            judging: None,
            diagnostics: Vec::new(),
            reported: HashSet::default(),
            next_column: 0,
            next_scope: 0,
            next_materialize: 0,
            depth: 0,
            copied: 0,
            columns: 0,
            scope: Scope::default(),
            level: 0,
            row: None,
            right_row: None,
            context: Context::Scalar,
            aggregates: Vec::new(),
            scan_steps: Vec::new(),
            scan_columns: Vec::new(),
            graph: None,
            expanding: Vec::new(),
            in_stored: false,
            declaring: false,
            fuzzy: false,
            missing: Vec::new(),
            excused: HashSet::default(),
            needed: HashSet::default(),
            origins: Origins::default(),
            official: HashMap::default(),
            official_types: HashMap::default(),
            dynamic_texts: HashSet::default(),
            retyped: HashMap::default(),
            compared: Vec::new(),
            known_compared: HashSet::default(),
            unsupported: Vec::new(),
            render: None,
            set_options: Vec::new(),
            stored_functions: HashMap::default(),
            sound_functions: HashMap::default(),
            query_now: options.query_now,
            absent: Vec::new(),
            restricted: None,
            extra_results: Vec::new(),
            quiet: 0,
            quiet_errors: Vec::new(),
        }
    }

    // --- reports ---

    pub fn report(&mut self, diagnostic: Diagnostic) {
        if self.quiet > 0 {
            if diagnostic.severity == Severity::Error {
                self.quiet_errors.push(diagnostic);
            }
            return;
        }
        if self.reported.insert((diagnostic.code, diagnostic.span, diagnostic.message.clone())) {
            self.diagnostics.push(diagnostic);
        }
    }

    pub fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.report(Diagnostic::error(code, span, message));
    }

    /// A kindness: a warning, or an error with `strict`.
    pub fn kindness(&mut self, code: &'static str, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let diagnostic =
            if self.strict { Diagnostic::error(code, span, message) } else { Diagnostic::warning(code, span, message) };
        self.report(diagnostic.with_help(help));
    }

    /// Notes a call that has no answer here.
    pub fn note_absent(&mut self, call: &str) {
        if !self.declaring && !self.absent.iter().any(|known| known == call) {
            self.absent.push(call.to_string());
        }
    }

    pub fn unsupported(&mut self, name: impl Into<String>, span: Span) {
        let entry = Unsupported { name: name.into(), span };
        if !self.unsupported.contains(&entry) {
            self.unsupported.push(entry);
        }
    }

    // --- depth and size ---

    /// Runs `body` one level deeper, or reports that the query is too deep and gives `otherwise`.
    pub fn deeper<T>(
        &mut self,
        span: Span,
        otherwise: impl FnOnce(&mut Self) -> T,
        body: impl FnOnce(&mut Self) -> T,
    ) -> T {
        if self.depth >= MAX_DEPTH {
            self.error("TW001", span, format!("The query is nested more than {MAX_DEPTH} levels deep."));
            return otherwise(self);
        }
        self.depth += 1;
        let result = stacker::maybe_grow(STACK_RED_ZONE, STACK_SEGMENT, || body(self));
        self.depth -= 1;
        result
    }

    /// Counts copied nodes; false when the query has grown too large.
    fn count_copied(&mut self, nodes: usize, span: Span) -> bool {
        self.copied += nodes;
        if self.copied > MAX_COPIED {
            self.error("TW002", span, "The query grows too large when its variables and functions are put in place.");
            return false;
        }
        true
    }

    /// Counts the columns of an operator; false when the query has grown too large.
    pub(crate) fn count_columns(&mut self, columns: usize, span: Span) -> bool {
        self.columns += columns;
        if self.columns > MAX_COLUMNS {
            self.error("TW002", span, "The operators of the query have too many columns together.");
            return false;
        }
        true
    }

    // --- ids and copies ---

    pub fn new_id(&mut self) -> ColumnId {
        self.next_column += 1;
        ColumnId(self.next_column - 1)
    }

    /// A column that is another one under a new id.
    pub fn same_source(&mut self, old: ColumnId, new: ColumnId) {
        self.origins.pass_on(old, new);
        if let Some(ty) = self.official_types.get(&old).copied() {
            self.official_types.insert(new, ty);
        }
        if let Some(official) = self.official.get(&old).cloned() {
            self.official.insert(new, official);
        }
    }

    pub fn new_scope(&mut self) -> u32 {
        self.next_scope += 1;
        self.next_scope - 1
    }

    pub fn new_column(&mut self, name: impl Into<Arc<str>>, ty: ScalarType) -> BoundColumn {
        BoundColumn { id: self.new_id(), name: name.into(), ty }
    }

    /// A use of a table kept in a variable: a copy with ids of its own.
    pub fn copy_table(&mut self, table: &Table, span: Span) -> Table {
        let mut copy = table.clone();
        copy.rel.span = span;
        if let Some(graph) = &table.graph {
            let (nodes, edges) = (self.copy_table(&graph.nodes, span), self.copy_table(&graph.edges, span));
            copy.graph = Some(std::rc::Rc::new(Graph { nodes, edges, ..(**graph).clone() }));
        }
        self.missing.extend(table.missing.iter().copied());
        let (nodes, ids) = walk::renumber(&mut copy.rel, &mut self.next_column, &mut self.next_scope);
        for (old, new) in ids {
            self.same_source(old, new);
        }
        if self.count_copied(nodes, span) { copy } else { self.no_table(span) }
    }

    /// A use of a scalar kept in a variable.
    pub fn copy_expr(&mut self, expr: &Expr, span: Span) -> Expr {
        let mut copy = expr.clone();
        copy.span = span;
        let nodes = walk::expr_size(&copy);
        if nodes == 1 || self.count_copied(nodes, span) { copy } else { self.error_expr(span) }
    }

    // --- error values ---

    pub fn error_expr(&self, span: Span) -> Expr {
        Expr { kind: ExprKind::Error, ty: ScalarType::Unknown, span }
    }

    /// What stands for a table after an error: no known columns, any name accepted.
    pub fn no_table(&mut self, span: Span) -> Table {
        Table { open: true, ..Table::new(self.empty_rel(Vec::new(), span)) }
    }

    pub fn empty_rel(&self, columns: Vec<BoundColumn>, span: Span) -> Rel {
        Rel { kind: Box::new(RelKind::Empty), columns, serialized: false, span }
    }

    // --- scopes ---

    pub fn declare(&mut self, name: &str, variable: crate::scope::Variable) {
        self.scope = self.scope.with(name, variable, self.level);
    }

    /// Runs `body` with the columns of `input` in scope. Columns that were inferred for unknown names of an open
    /// table are added to it as nulls.
    pub fn with_row<T>(&mut self, input: Table, body: impl FnOnce(&mut Self, &Table) -> T) -> (Table, T) {
        let row = Row::of(&input);
        let outer = self.row.replace(row);
        let outer_right = self.right_row.take();
        let result = body(self, &input);
        self.right_row = outer_right;
        let row = std::mem::replace(&mut self.row, outer).unwrap_or_default();
        (self.with_inferred(input, row.inferred), result)
    }

    /// Adds columns of nulls for names that an open table was found to need.
    pub fn with_inferred(&mut self, input: Table, inferred: Vec<BoundColumn>) -> Table {
        if inferred.is_empty() {
            return input;
        }
        let span = input.rel.span;
        let mut exprs: Vec<(ColumnId, Expr)> =
            input.rel.columns.iter().map(|column| (column.id, column_expr(column, span))).collect();
        let mut columns = input.rel.columns.clone();
        for column in inferred {
            let null = Expr { kind: ExprKind::Literal(Value::Null(column.ty)), ty: column.ty, span };
            exprs.push((column.id, null));
            columns.push(column);
        }
        let serialized = input.rel.serialized;
        let rel = Rel { kind: Box::new(RelKind::Project { input: input.rel, exprs }), columns, serialized, span };
        Table { rel, ..input }
    }

    /// Runs `body` with no row in scope: tables do not see the columns of the operator they stand in.
    pub fn without_row<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> T {
        let row = self.row.take();
        let right = self.right_row.take();
        let context = std::mem::replace(&mut self.context, Context::Scalar);
        let result = body(self);
        self.row = row;
        self.right_row = right;
        self.context = context;
        result
    }

    pub fn in_context<T>(&mut self, context: Context, body: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.context, context);
        let result = body(self);
        self.context = outer;
        result
    }

    /// Reads a type name, reporting an unknown one.
    pub fn type_of_name(&mut self, name: &ast::TypeName) -> ScalarType {
        ScalarType::parse(&name.text).unwrap_or_else(|| {
            self.error("KS160", name.span, format!("The name '{}' is not a valid type name.", name.text));
            ScalarType::Unknown
        })
    }
}

pub(crate) fn column_expr(column: &BoundColumn, span: Span) -> Expr {
    Expr { kind: ExprKind::Column(column.id), ty: column.ty, span }
}

pub(crate) fn literal(value: Value, span: Span) -> Expr {
    Expr { ty: value.ty(), kind: ExprKind::Literal(value), span }
}

pub(crate) fn bool_expr(kind: ExprKind, span: Span) -> Expr {
    Expr { kind, ty: ScalarType::Bool, span }
}
