//! Rows shaped so that a query's own literals can match: for each table a query reads, values are drawn from the
//! literals it compares each column (or a path into it) with.
//!
//! [`Hints::collect`] walks the bound query; [`Hints::cell`] gives the value of one cell. Values of unhinted columns come
//! from a small pool chosen by the kind of name (account, address, host), the same in every table, so that joins meet.

use std::collections::{BTreeMap, HashMap};

use kql_semantics::bound::{ColumnId, Expr, ExprKind, PathStep, Rel, RelKind, SummarizeItem};
use kql_types::{Column, Dynamic, ScalarType, Value, datetime};

/// How the name of a table begins that stands for an `externaldata`.
const EXTERNAL: &str = "externaldata(";

/// Rows made for each table.
pub const ROWS: usize = 96;

/// One comparison of a column, or of a path into it, with a literal.
#[derive(Debug, Clone, PartialEq)]
struct Hint {
    path: Vec<Step>,
    operator: String,
    value: Value,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

#[derive(Debug, Clone)]
struct Origin {
    table: String,
    column: String,
    path: Vec<Step>,
}

/// What a query compares the columns of its tables with.
#[derive(Debug, Default)]
pub struct Hints {
    by_column: BTreeMap<(String, String), Vec<Hint>>,
    origins: HashMap<ColumnId, Origin>,
    /// Columns that are a part of a column.
    sources: HashMap<ColumnId, Origin>,
    externals: Vec<External>,
}

/// An `externaldata`, whose rows are made as those of a table.
#[derive(Debug, Clone)]
pub struct External {
    pub table: String,
    pub addresses: Vec<String>,
    pub options: Vec<(String, Value)>,
    pub columns: Vec<Column>,
}

impl Hints {
    pub fn collect(results: &[&Rel]) -> Hints {
        let mut hints = Hints::default();
        for rel in results {
            hints.rel(rel);
        }
        hints
    }

    fn rel(&mut self, rel: &Rel) {
        match rel.kind.as_ref() {
            RelKind::Table { name, source } => {
                for (column, source) in rel.columns.iter().zip(source.iter()) {
                    let origin = Origin { table: name.clone(), column: source.clone(), path: Vec::new() };
                    self.origins.insert(column.id, origin);
                }
            }
            RelKind::ExternalData { uris, options } => self.external(rel, uris, options),
            RelKind::Filter { input, predicate } => {
                self.rel(input);
                self.expr(predicate);
            }
            RelKind::Project { input, exprs } => {
                self.rel(input);
                for (id, expr) in exprs {
                    self.define(*id, expr);
                }
            }
            RelKind::Summarize { input, keys, items } => {
                self.rel(input);
                for (id, expr) in keys {
                    self.define(*id, expr);
                }
                for item in items {
                    self.item(item);
                }
            }
            RelKind::Union { inputs } => {
                for input in inputs {
                    self.rel(input);
                    for (output, column) in rel.columns.iter().zip(&input.columns) {
                        if let Some(origin) = self.origins.get(&column.id).cloned() {
                            self.origins.entry(output.id).or_insert(origin);
                        }
                    }
                }
            }
            RelKind::Join { left, right, keys, condition, .. } => {
                self.rel(left);
                self.rel(right);
                keys.iter().for_each(|(left, right)| {
                    self.expr(left);
                    self.expr(right);
                    self.meet(self.source(left), self.source(right));
                });
                if let Some(condition) = condition {
                    self.expr(condition);
                }
            }
            RelKind::Materialize { input, .. } => {
                self.rel(input);
                for (output, column) in rel.columns.iter().zip(&input.columns) {
                    for map in [&mut self.origins, &mut self.sources] {
                        if let Some(origin) = map.get(&column.id).cloned() {
                            map.insert(output.id, origin);
                        }
                    }
                }
            }
            RelKind::MvExpand { input, items, .. } => {
                self.rel(input);
                for item in items {
                    self.element(item.out, &item.expr);
                }
            }
            RelKind::MvApply { input, items, subquery, .. } => {
                self.rel(input);
                for item in items {
                    self.element(item.out, &item.expr);
                }
                self.rel(subquery);
            }
            RelKind::Partition { input, subquery, .. } => {
                self.rel(input);
                self.rel(subquery);
            }
            RelKind::MakeSeries { input, keys, .. } => {
                self.rel(input);
                for (id, expr) in keys {
                    self.define(*id, expr);
                }
            }
            RelKind::Sort { input, .. }
            | RelKind::Take { input, .. }
            | RelKind::Serialize { input }
            | RelKind::Sample { input, .. }
            | RelKind::Parse { input, .. }
            | RelKind::ParseKv { input, .. }
            | RelKind::TopNested { input, .. }
            | RelKind::Scan { input, .. }
            | RelKind::Reduce { input, .. } => self.rel(input),
            RelKind::Plugin { input: Some(input), .. } => self.rel(input),
            _ => {}
        }
    }

    fn external(&mut self, rel: &Rel, uris: &[String], options: &[(String, Value)]) {
        let table = format!("{EXTERNAL}{}", uris.join(" "));
        for column in &rel.columns {
            let origin = Origin { table: table.clone(), column: column.name.to_string(), path: Vec::new() };
            self.origins.insert(column.id, origin);
        }
        if !self.externals.iter().any(|known| known.table == table) {
            let columns = rel.columns.iter().map(|column| Column::new(column.name.as_ref(), column.ty));
            let (addresses, options) = (uris.to_vec(), options.to_vec());
            self.externals.push(External { table, addresses, options, columns: columns.collect() });
        }
    }

    fn item(&mut self, item: &SummarizeItem) {
        match item {
            SummarizeItem::Aggregate { call, .. } => call.args.iter().for_each(|arg| self.expr(arg)),
            SummarizeItem::ArgExtreme { by, by_out, values, .. } => {
                self.define(*by_out, by);
                values.iter().for_each(|(id, expr)| self.define(*id, expr));
            }
            SummarizeItem::TakeAny { values } => values.iter().for_each(|(id, expr)| self.define(*id, expr)),
        }
    }

    /// As [`Hints::origin`], also through functions that keep a part of a text.
    fn source(&self, expr: &Expr) -> Option<Origin> {
        let parts =
            ["extract", "split", "trim_start", "trim_end", "replace", "replace_string", "replace_regex", "substring"];
        match &expr.kind {
            ExprKind::Column(id) => self.origins.get(id).or_else(|| self.sources.get(id)).cloned(),
            ExprKind::Call { function, args } if parts.contains(&function.name) => {
                args.iter().rev().find_map(|arg| self.source(arg))
            }
            ExprKind::Path { base, .. } if matches!(base.kind, ExprKind::Call { .. }) => self.source(base),
            _ => self.origin(expr),
        }
    }

    fn first_source(&self, rel: &Rel) -> Option<Origin> {
        let id = rel.columns.first()?.id;
        self.origins.get(&id).or_else(|| self.sources.get(&id)).cloned()
    }

    /// Two values that a query matches: those of a file outside are values that the column of the table has.
    fn meet(&mut self, a: Option<Origin>, b: Option<Origin>) {
        let (Some(a), Some(b)) = (a, b) else { return };
        let (outside, inside) = match (a.table.starts_with(EXTERNAL), b.table.starts_with(EXTERNAL)) {
            (true, false) => (a, b),
            (false, true) => (b, a),
            _ => return,
        };
        let hints = self.by_column.get(&(inside.table, inside.column.clone())).cloned().unwrap_or_default();
        let of_path: Vec<Hint> = hints.into_iter().filter(|hint| hint.path == inside.path).collect();
        let name = if inside.path.is_empty() { inside.column.as_str() } else { "value" };
        for row in 0..4 {
            let value = Value::String(text(&of_path, name, row));
            let hint = Hint { path: Vec::new(), operator: "==".to_string(), value };
            let own = self.by_column.entry((outside.table.clone(), outside.column.clone())).or_default();
            if !own.contains(&hint) {
                own.push(hint);
            }
        }
    }

    /// What a query reads from outside.
    pub fn externals(&self) -> &[External] {
        &self.externals
    }

    fn define(&mut self, id: ColumnId, expr: &Expr) {
        if let Some(source) = self.source(expr) {
            self.sources.insert(id, source);
        }
        if let Some(origin) = self.origin(expr) {
            self.origins.insert(id, origin);
        }
        self.expr(expr);
    }

    /// An element of an array is what `[0]` of it is.
    fn element(&mut self, id: ColumnId, expr: &Expr) {
        if let Some(mut origin) = self.origin(expr) {
            origin.path.push(Step::Index(0));
            self.origins.insert(id, origin);
        }
    }

    /// Where the value of an expression comes from, through conversions and paths.
    fn origin(&self, expr: &Expr) -> Option<Origin> {
        match &expr.kind {
            ExprKind::Column(id) => self.origins.get(id).cloned(),
            ExprKind::Convert(inner) => self.origin(inner),
            ExprKind::Call { function, args } => {
                let through = ["tostring", "tolower", "toupper", "parse_json", "todynamic", "toint", "tolong", "trim"];
                through.contains(&function.name).then(|| args.iter().rev().find_map(|arg| self.origin(arg))).flatten()
            }
            ExprKind::Path { base, steps } => {
                let mut origin = self.origin(base)?;
                for step in steps {
                    origin.path.push(match step {
                        PathStep::Key(key) => Step::Key(key.clone()),
                        PathStep::Index(index) => Step::Index(usize::try_from(*index).unwrap_or(0)),
                        PathStep::Computed(_) => return None,
                    });
                }
                Some(origin)
            }
            _ => None,
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Call { function, args } => {
                if let [left, right @ ..] = args.as_slice() {
                    for literal in right.iter().flat_map(literals) {
                        self.note(left, function.name, literal);
                    }
                }
                args.iter().for_each(|arg| self.expr(arg));
            }
            ExprKind::In { value, items, negated, .. } => {
                let operator = if *negated { "!in" } else { "==" };
                for literal in items.iter().flat_map(literals) {
                    self.note(value, operator, literal);
                }
            }
            ExprKind::And(parts) | ExprKind::Or(parts) | ExprKind::Coalesce(parts) => {
                parts.iter().for_each(|part| self.expr(part));
            }
            ExprKind::Not(inner) | ExprKind::Convert(inner) => self.expr(inner),
            ExprKind::Case { branches, otherwise } => {
                for (condition, value) in branches {
                    self.expr(condition);
                    self.expr(value);
                }
                self.expr(otherwise);
            }
            ExprKind::InRel { value, rel, negated, .. } => {
                self.rel(rel);
                if !*negated {
                    self.meet(self.source(value), self.first_source(rel));
                }
                if let (false, RelKind::Datatable { rows }) = (*negated, rel.kind.as_ref()) {
                    for row in rows {
                        if let Some(literal) = row.first() {
                            self.note(value, "==", literal.clone());
                        }
                    }
                }
            }
            ExprKind::HasRel { value, rel, .. } => {
                self.rel(rel);
                self.meet(self.source(value), self.first_source(rel));
                if let RelKind::Datatable { rows } = rel.kind.as_ref() {
                    rows.iter().filter_map(|row| row.first()).for_each(|row| self.note(value, "has", row.clone()));
                }
            }
            ExprKind::Scalar(rel) => self.rel(rel),
            _ => {}
        }
    }

    fn note(&mut self, place: &Expr, operator: &str, value: Value) {
        if operator.starts_with('!') || ["-", "+", "*", "/"].contains(&operator) {
            return;
        }
        if let Some(origin) = self.origin(place) {
            let hint = Hint { path: origin.path, operator: operator.to_string(), value };
            let hints = self.by_column.entry((origin.table, origin.column)).or_default();
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
    }

    /// The value of a cell of a synthetic row.
    pub fn cell(&self, table: &str, column: &Column, row: usize, now: i64) -> Value {
        let hints = self.by_column.get(&(table.to_string(), column.name.clone()));
        let hints = hints.map(Vec::as_slice).unwrap_or_default();
        let has_paths = hints.iter().any(|hint| !hint.path.is_empty());
        match column.ty {
            ScalarType::Dynamic => Value::Dynamic(document(hints, row)),
            ScalarType::String if has_paths => Value::String(document(hints, row).to_display_json()),
            ScalarType::String => Value::String(text(hints, &column.name, row)),
            ScalarType::DateTime => Value::DateTime(time(row, now)),
            ScalarType::Long => Value::Long(number(hints, row)),
            ScalarType::Int => Value::Int(i32::try_from(number(hints, row)).unwrap_or(i32::MAX)),
            ScalarType::Real => Value::Real(number(hints, row) as f64),
            ScalarType::Bool => Value::Bool(boolean(hints, row)),
            ScalarType::TimeSpan => Value::TimeSpan((row as i64 + 1) * 600_000_000),
            ScalarType::Guid => Value::Guid(format!("00000000-0000-4000-8000-{:012x}", row % 4)),
            ScalarType::Decimal => Value::Decimal(number(hints, row).to_string()),
            ScalarType::Unknown => Value::String(String::new()),
        }
    }
}

/// The literals in an expression that stands on the right of a comparison.
fn literals(expr: &Expr) -> Vec<Value> {
    match &expr.kind {
        ExprKind::Literal(Value::Dynamic(Dynamic::Array(items))) => items
            .iter()
            .filter_map(|item| match item {
                Dynamic::String(text) => Some(Value::String(text.clone())),
                Dynamic::Long(number) => Some(Value::Long(*number)),
                _ => None,
            })
            .collect(),
        ExprKind::Literal(value) => vec![value.clone()],
        ExprKind::Convert(inner) => literals(inner),
        _ => Vec::new(),
    }
}

/// Half of the rows lie within the last hours, the other half over two weeks.
fn time(row: usize, now: i64) -> i64 {
    let minute = 60 * datetime::TICKS_PER_SECOND;
    let row_ticks = row as i64;
    if row.is_multiple_of(2) { now - (row_ticks + 1) * minute } else { now - (row_ticks + 1) * 200 * minute }
}

fn text(hints: &[Hint], name: &str, row: usize) -> String {
    let texts = |operators: &[&str]| -> Vec<String> {
        hints
            .iter()
            .filter(|hint| operators.contains(&hint.operator.as_str()))
            .filter_map(|hint| match &hint.value {
                Value::String(text) => Some(text.clone()),
                Value::Long(number) => Some(number.to_string()),
                Value::Bool(flag) => Some(flag.to_string()),
                _ => None,
            })
            .filter(|text| !text.is_empty())
            .collect()
    };
    let equal = texts(&["==", "=~", "in", "in~"]);
    let inner = texts(&["has", "has_cs", "contains", "contains_cs", "has_any", "has_all", "hasprefix", "hassuffix"]);
    let starts = texts(&["startswith", "startswith_cs"]);
    let ends = texts(&["endswith", "endswith_cs"]);
    if !equal.is_empty() && (inner.is_empty() || !row.is_multiple_of(3)) {
        return equal[row % equal.len()].clone();
    }
    if inner.is_empty() && starts.is_empty() && ends.is_empty() {
        return pool(name, row);
    }
    let middle = if row.is_multiple_of(4) { inner.join(" ") } else { pick(&inner, row) };
    let mut parts = vec![pick(&starts, row)];
    if !middle.is_empty() {
        parts.push(format!(" {middle} "));
    }
    parts.push(pick(&ends, row));
    parts.concat().trim().to_string()
}

fn pick(items: &[String], row: usize) -> String {
    if items.is_empty() { String::new() } else { items[row % items.len()].clone() }
}

/// Values that columns of one kind share in all tables.
fn pool(name: &str, row: usize) -> String {
    let lower = name.to_ascii_lowercase();
    let number = row % 4;
    if lower.contains("ip") && !lower.contains("type") && !lower.contains("description") {
        format!("203.0.113.{}", 7 + number)
    } else if lower.contains("user") || lower.contains("account") || lower.contains("caller") || lower.contains("upn") {
        format!("user{number}@contoso.example")
    } else if lower.contains("computer") || lower.contains("host") || lower.contains("device") {
        format!("host{number}")
    } else if lower.contains("url") {
        format!("https://site{number}.example/path")
    } else {
        format!("value{number}")
    }
}

fn number(hints: &[Hint], row: usize) -> i64 {
    let candidates: Vec<i64> = hints
        .iter()
        .filter_map(|hint| {
            let value = match &hint.value {
                Value::Int(number) => i64::from(*number),
                Value::Long(number) => *number,
                Value::Real(number) => *number as i64,
                _ => return None,
            };
            Some(match hint.operator.as_str() {
                ">" => value.saturating_add(1),
                "<" => value.saturating_sub(1),
                _ => value,
            })
        })
        .collect();
    if candidates.is_empty() { (row % 4) as i64 + 1 } else { candidates[row % candidates.len()] }
}

fn boolean(hints: &[Hint], row: usize) -> bool {
    let wanted: Vec<bool> = hints
        .iter()
        .filter_map(|hint| match &hint.value {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        })
        .collect();
    if wanted.is_empty() { row.is_multiple_of(2) } else { wanted[row % wanted.len()] }
}

/// A JSON document in which every hinted path has a value that its comparison accepts.
fn document(hints: &[Hint], row: usize) -> Dynamic {
    let mut root = Dynamic::Null;
    let mut paths: Vec<&Vec<Step>> = Vec::new();
    for hint in hints {
        if !hint.path.is_empty() && !paths.contains(&&hint.path) {
            paths.push(&hint.path);
        }
    }
    for path in paths {
        let of_path: Vec<Hint> = hints.iter().filter(|hint| hint.path == *path).cloned().collect();
        let all_numbers =
            of_path.iter().all(|hint| matches!(hint.value, Value::Long(_) | Value::Int(_) | Value::Real(_)));
        let leaf = if all_numbers {
            Dynamic::Long(number(&of_path, row))
        } else {
            Dynamic::String(text(&of_path, "value", row))
        };
        place(&mut root, path, leaf);
    }
    if root == Dynamic::Null {
        let own: Vec<Hint> = hints.to_vec();
        root = if own.is_empty() {
            Dynamic::Bag(vec![("name".into(), Dynamic::String(pool("name", row)))])
        } else {
            Dynamic::String(text(&own, "value", row))
        };
    }
    root
}

fn place(node: &mut Dynamic, path: &[Step], leaf: Dynamic) {
    let Some((step, rest)) = path.split_first() else {
        if *node == Dynamic::Null {
            *node = leaf;
        }
        return;
    };
    match step {
        Step::Key(key) => {
            if *node == Dynamic::Null {
                *node = Dynamic::Bag(Vec::new());
            }
            if let Dynamic::Bag(items) = node {
                if !items.iter().any(|(name, _)| name == key) {
                    items.push((key.clone(), Dynamic::Null));
                }
                if let Some((_, child)) = items.iter_mut().find(|(name, _)| name == key) {
                    place(child, rest, leaf);
                }
            }
        }
        Step::Index(index) => {
            if *node == Dynamic::Null {
                *node = Dynamic::Array(Vec::new());
            }
            if let Dynamic::Array(items) = node {
                while items.len() <= *index && items.len() < 16 {
                    items.push(Dynamic::Null);
                }
                if let Some(child) = items.get_mut(*index) {
                    place(child, rest, leaf);
                }
            }
        }
    }
}
