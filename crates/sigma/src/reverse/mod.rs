//! KQL as Sigma: filters of one table, and counts of them by groups and time as correlations.
//!
//! What Sigma cannot say is refused with the operator and its place; what it need not say (columns, order, time bounds) is left
//! out with a note. Start at [`to_sigma`].

mod condition;
mod field;

use std::collections::BTreeMap;

use kql_syntax::ast::{BinaryOp, Expr, ExprKind, Literal, Operator, OperatorKind, Span, StatementKind};
use rule_forms::fields::{Kind, kind_of};
use rule_forms::yaml::{Node, NodeKind};

use crate::mapping::{self, Source, Target};
use crate::rule::tag_of_tactic;
use condition::{Clause, Reader};

/// Why a query is no Sigma rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotExpressible {
    /// What stands in the way, as the query writes it.
    pub because: String,
    /// Where it stands in the query: line and column from 1.
    pub line: usize,
    pub column: usize,
}

impl std::fmt::Display for NotExpressible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not expressible in Sigma because of {} at {}:{}", self.because, self.line, self.column)
    }
}

impl std::error::Error for NotExpressible {}

/// A rule as Sigma documents: the rule, and the correlation over it where rows are counted.
#[derive(Debug, Clone, PartialEq)]
pub struct SigmaText {
    pub documents: Vec<Node>,
    /// What was left out.
    pub notes: Vec<String>,
}

/// What is refused, before its place is worked out.
pub(crate) struct Refusal {
    because: String,
    span: Span,
}

impl Refusal {
    pub(crate) fn new(because: impl Into<String>, span: Span) -> Refusal {
        Refusal { because: because.into(), span }
    }
}

/// A rule's query as Sigma, with the rule's other fields.
///
/// # Errors
/// The first thing in the query that Sigma cannot say.
pub fn to_sigma(rule: &Node) -> Result<SigmaText, NotExpressible> {
    let query = rule.get("query").and_then(Node::text).unwrap_or_default();
    let parse = kql_syntax::parse(&query);
    let refused = |refusal: Refusal| {
        let (line, column) = place(&query, refusal.span.start as usize);
        NotExpressible { because: refusal.because, line, column }
    };
    if let Some(error) = parse.errors.first() {
        return Err(refused(Refusal::new(format!("a mistake in the query ({})", error.message), error.span)));
    }
    let mut work = Work { rule, text: &query, notes: Vec::new(), constants: BTreeMap::new() };
    let mut result = None;
    for statement in &parse.query.statements {
        match &statement.kind {
            StatementKind::Let { name, value } if is_constant(value) => {
                work.constants.insert(name.text.clone(), value.clone());
            }
            StatementKind::Expression(expr) => result = Some(expr),
            StatementKind::Set { .. } => {}
            _ => return Err(refused(Refusal::new(format!("`{}`", work.first_word(statement.span)), statement.span))),
        }
    }
    let Some(expr) = result else {
        return Err(refused(Refusal::new("a query without a result", Span::new(0, 0))));
    };
    let documents = work.documents(expr).map_err(refused)?;
    Ok(SigmaText { documents, notes: work.notes })
}

/// Line and column of an offset, from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) => true,
        ExprKind::Paren(inner) => is_constant(inner),
        _ => false,
    }
}

struct Work<'a> {
    rule: &'a Node,
    text: &'a str,
    notes: Vec<String>,
    constants: BTreeMap<String, Expr>,
}

/// A column that `summarize` made: its name, the kind of correlation that measures it, the field.
type Aggregate = (String, &'static str, Option<String>);

/// What was counted, and the bounds on it.
struct Counted {
    kind: &'static str,
    field: Option<String>,
    group_by: Vec<String>,
    timespan: Option<String>,
    bounds: Vec<(&'static str, String)>,
}

impl Work<'_> {
    fn first_word(&self, span: Span) -> String {
        let text = self.text.get(span.start as usize..span.end as usize).unwrap_or_default();
        text.split_whitespace().next().unwrap_or_default().to_string()
    }

    fn left_out(&mut self, what: &str, span: Span) {
        let (line, column) = place(self.text, span.start as usize);
        self.notes.push(format!("{what} at {line}:{column} is left out"));
    }

    fn documents(&mut self, expr: &Expr) -> Result<Vec<Node>, Refusal> {
        let (table, operators) = pipeline(expr)?;
        let ExprKind::Name(name) = &table.kind else {
            return Err(Refusal::new(format!("`{}`, which is no table,", self.first_word(table.span)), table.span));
        };
        let Some((source, target)) = source_of_table(&name.text) else {
            return Err(Refusal::new(
                format!("the table `{}`, which no log source is known for,", name.text),
                table.span,
            ));
        };
        let mut clauses: Vec<Clause> = Vec::new();
        let mut counted: Option<Counted> = None;
        let mut aggregates: Vec<Aggregate> = Vec::new();
        for operator in operators {
            match (&operator.kind, &mut counted) {
                (OperatorKind::Where(condition), None) => {
                    let mut reader = Reader { target, constants: &self.constants, times: Vec::new() };
                    let clause = reader.read(condition)?;
                    for span in reader.times {
                        self.left_out("the bound on time", span);
                    }
                    clauses.extend(clause);
                }
                (OperatorKind::Where(condition), Some(counted)) => bounds(condition, &aggregates, counted)?,
                (OperatorKind::Summarize { aggregates: measures, by }, None) => {
                    let (found, made) = self.summarize(target, measures, by)?;
                    aggregates = made;
                    counted = Some(found);
                }
                (kind, _) => self.harmless(kind, operator)?,
            }
        }
        if counted.as_ref().is_some_and(|counted| counted.bounds.is_empty()) {
            counted = None;
            self.notes.push("`summarize` without a bound on what it counts is left out".to_string());
        }
        let counted = self.with_threshold(counted);
        Ok(self.write(source, &clauses, counted))
    }

    /// Operators that choose and order columns change nothing of what is found.
    fn harmless(&mut self, kind: &OperatorKind, operator: &Operator) -> Result<(), Refusal> {
        let keyword = &operator.keyword;
        match kind {
            OperatorKind::Project(_)
            | OperatorKind::ProjectAway(_)
            | OperatorKind::ProjectKeep(_)
            | OperatorKind::ProjectReorder(_)
            | OperatorKind::Extend(_)
            | OperatorKind::Sort(_)
            | OperatorKind::Distinct(_)
            | OperatorKind::Serialize(_)
            | OperatorKind::Render { .. }
            | OperatorKind::As(_) => {
                self.left_out(&format!("`{}`", keyword.text), keyword.span);
                Ok(())
            }
            _ => Err(Refusal::new(format!("`{}`", keyword.text), keyword.span)),
        }
    }

    fn summarize(
        &mut self,
        target: &'static Target,
        measures: &[Expr],
        by: &[Expr],
    ) -> Result<(Counted, Vec<Aggregate>), Refusal> {
        let mut counted =
            Counted { kind: "event_count", field: None, group_by: Vec::new(), timespan: None, bounds: Vec::new() };
        for key in by {
            let key = match &key.kind {
                ExprKind::Named { value, .. } => value,
                _ => key,
            };
            match &key.kind {
                ExprKind::Call { name, args } if name.text == "bin" => match args.as_slice() {
                    [column, size] if is_time(column) => counted.timespan = timespan(size, &self.constants),
                    _ => return Err(Refusal::new("`bin` of what is no time", key.span)),
                },
                _ => counted.group_by.push(
                    field::name_of(target, key).ok_or_else(|| Refusal::new("a group that is no field", key.span))?,
                ),
            }
        }
        let mut made = Vec::new();
        for measure in measures {
            let (name, value) = match &measure.kind {
                ExprKind::Named { names, value, .. } => (names.first().map(|name| name.text.clone()), value.as_ref()),
                _ => (None, measure),
            };
            let ExprKind::Call { name: function, args } = &value.kind else { continue };
            let (kind, prefix) = match function.text.as_str() {
                "count" if args.is_empty() => ("event_count", "count_"),
                "dcount" => ("value_count", "dcount_"),
                "count_distinct" => ("value_count", "count_distinct_"),
                "sum" => ("value_sum", "sum_"),
                "avg" => ("value_avg", "avg_"),
                _ => {
                    self.left_out(&format!("`{}`", function.text), value.span);
                    continue;
                }
            };
            let argument = args.first();
            let field = argument.and_then(|argument| field::name_of(target, argument));
            let column =
                argument.map(|a| self.text.get(a.span.start as usize..a.span.end as usize).unwrap_or_default());
            made.push((name.unwrap_or_else(|| format!("{prefix}{}", column.unwrap_or_default())), kind, field));
        }
        Ok((counted, made))
    }

    /// A rule that asks for more than one row counts its rows.
    fn with_threshold(&self, counted: Option<Counted>) -> Option<Counted> {
        let text = |key: &str| self.rule.get(key).and_then(Node::text);
        let period = text("queryPeriod");
        let timespan =
            || period.as_deref().and_then(rule_forms::duration::parse).map(rule_forms::duration::format_short);
        if let Some(mut counted) = counted {
            counted.timespan = counted.timespan.or_else(timespan).or_else(|| Some("1h".to_string()));
            return Some(counted);
        }
        let threshold: u64 = text("triggerThreshold").and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        let operator = text("triggerOperator").unwrap_or_else(|| "gt".to_string()).to_ascii_lowercase();
        let bound = match operator.as_str() {
            "gt" | "greaterthan" if threshold == 0 => return None,
            "ne" | "notequal" if threshold == 0 => return None,
            "gt" | "greaterthan" => "gt",
            "lt" | "lessthan" => "lt",
            "eq" | "equal" => "eq",
            _ => "neq",
        };
        if kind_of(self.rule) != Kind::Scheduled {
            return None;
        }
        Some(Counted {
            kind: "event_count",
            field: None,
            group_by: Vec::new(),
            timespan: timespan().or_else(|| Some("1h".to_string())),
            bounds: vec![(bound, threshold.to_string())],
        })
    }

    fn write(&self, source: &Source, clauses: &[Clause], counted: Option<Counted>) -> Vec<Node> {
        let mut log_source = Node::made(NodeKind::Map(Vec::new()));
        for (key, value) in [("product", source.product), ("category", source.category), ("service", source.service)] {
            if !value.is_empty() {
                log_source.set(key, Node::of_text(value));
            }
        }
        let detection = condition::detection(clauses);
        let Some(counted) = counted else {
            let mut document = self.head(true);
            document.set("logsource", log_source);
            document.set("detection", detection);
            self.tail(&mut document);
            return vec![document];
        };
        let mut correlation = self.head(true);
        let mut inner =
            Node::of_map([("type", Node::of_text(counted.kind)), ("rules", Node::of_list([Node::of_text("events")]))]);
        if !counted.group_by.is_empty() {
            inner.set("group-by", Node::of_list(counted.group_by.iter().map(Node::of_text)));
        }
        inner.set("timespan", Node::of_text(counted.timespan.unwrap_or_else(|| "1h".to_string())));
        let mut bound = Node::made(NodeKind::Map(Vec::new()));
        if let Some(field) = counted.field {
            bound.set("field", Node::of_text(field));
        }
        for (order, number) in counted.bounds {
            bound.set(order, Node::made(NodeKind::Number(number)));
        }
        inner.set("condition", bound);
        correlation.set("correlation", inner);
        self.tail(&mut correlation);
        let mut events = self.head(false);
        events.set("name", Node::of_text("events"));
        events.set("logsource", log_source);
        events.set("detection", detection);
        vec![correlation, events]
    }

    fn head(&self, whole: bool) -> Node {
        let text =
            |key: &str| self.rule.get(key).and_then(Node::text).map(|t| t.trim().to_string()).filter(|t| !t.is_empty());
        let mut document = Node::made(NodeKind::Map(Vec::new()));
        let title = text("name").unwrap_or_else(|| "untitled".to_string());
        if !whole {
            document.set("title", Node::of_text(format!("Events of: {title}")));
            return document;
        }
        document.set("title", Node::of_text(title));
        if let Some(id) = text("id") {
            document.set("id", Node::of_text(id));
        }
        document.set(
            "status",
            Node::of_text(if text("status").is_some_and(|s| s.eq_ignore_ascii_case("deprecated")) {
                "deprecated"
            } else {
                "test"
            }),
        );
        if let Some(description) = text("description") {
            document.set("description", Node::of_text(description));
        }
        if let Some(references) = self.rule.get("references") {
            document.set("references", references.clone());
        }
        if let Some(author) = text("author") {
            document.set("author", Node::of_text(author));
        }
        let list =
            |key: &str| self.rule.get(key).map(Node::items).unwrap_or_default().into_iter().filter_map(Node::text);
        let tactics = list("tactics").filter_map(|tactic| tag_of_tactic(&tactic));
        let techniques =
            list("relevantTechniques").map(|technique| format!("attack.{}", technique.to_ascii_lowercase()));
        let tags: Vec<Node> = tactics.chain(techniques).chain(list("tags")).map(Node::of_text).collect();
        if !tags.is_empty() {
            document.set("tags", Node::of_list(tags));
        }
        document
    }

    fn tail(&self, document: &mut Node) {
        if let Some(false_positives) = self.rule.get("falsePositives") {
            document.set("falsepositives", false_positives.clone());
        }
        let severity = self.rule.get("severity").and_then(Node::text).unwrap_or_default().to_ascii_lowercase();
        let level = ["informational", "low", "medium", "high"].into_iter().find(|level| *level == severity);
        document.set("level", Node::of_text(level.unwrap_or("medium")));
    }
}

fn pipeline(expr: &Expr) -> Result<(&Expr, &[Operator]), Refusal> {
    match &expr.kind {
        ExprKind::Pipe { input, operators } => Ok((input, operators)),
        ExprKind::Name(_) => Ok((expr, &[])),
        ExprKind::Source(operator) => Err(Refusal::new(format!("`{}`", operator.keyword.text), operator.keyword.span)),
        _ => Err(Refusal::new("a query that starts with no table", expr.span)),
    }
}

/// The log source that is all of a table.
fn source_of_table(table: &str) -> Option<(&'static Source, &'static Target)> {
    mapping::sources().find_map(|source| {
        let target = source.targets.iter().find(|target| target.table == table && target.rows.is_empty())?;
        let says = !source.category.is_empty() || !source.service.is_empty();
        says.then_some((source, *target))
    })
}

fn is_time(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Name(name) if name.text == "TimeGenerated")
}

/// A length of time as Sigma writes it.
fn timespan(expr: &Expr, constants: &BTreeMap<String, Expr>) -> Option<String> {
    let text = match &expr.kind {
        ExprKind::Literal(Literal::TimeSpan(text)) => text.clone(),
        ExprKind::Name(name) => return timespan(constants.get(&name.text)?, &BTreeMap::new()),
        ExprKind::Paren(inner) => return timespan(inner, constants),
        _ => return None,
    };
    rule_forms::duration::parse(&text).map(rule_forms::duration::format_short)
}

/// Bounds on what was counted.
fn bounds(condition: &Expr, aggregates: &[Aggregate], counted: &mut Counted) -> Result<(), Refusal> {
    match &condition.kind {
        ExprKind::Paren(inner) => bounds(inner, aggregates, counted),
        ExprKind::Binary { op: BinaryOp::And, left, right, .. } => {
            bounds(left, aggregates, counted)?;
            bounds(right, aggregates, counted)
        }
        ExprKind::Binary { op, left, right, op_span } => {
            let order = match op {
                BinaryOp::Gt => "gt",
                BinaryOp::Ge => "gte",
                BinaryOp::Lt => "lt",
                BinaryOp::Le => "lte",
                BinaryOp::Eq => "eq",
                BinaryOp::Ne => "neq",
                _ => return Err(Refusal::new(format!("`{}` after `summarize`", op.symbol()), *op_span)),
            };
            let (ExprKind::Name(name), ExprKind::Literal(Literal::Long(number) | Literal::Real(number))) =
                (&left.kind, &right.kind)
            else {
                return Err(Refusal::new("a condition on what `summarize` made that is no bound", condition.span));
            };
            let Some((_, kind, field)) = aggregates.iter().find(|(known, ..)| *known == name.text) else {
                return Err(Refusal::new(format!("a bound on `{}`, which is not counted,", name.text), left.span));
            };
            if !counted.bounds.is_empty() && counted.kind != *kind {
                return Err(Refusal::new("bounds on two things that are counted", condition.span));
            }
            if *kind != "event_count" && field.is_none() {
                return Err(Refusal::new("what is counted, which is no field,", left.span));
            }
            counted.kind = kind;
            counted.field.clone_from(field);
            counted.bounds.push((order, number.clone()));
            Ok(())
        }
        _ => Err(Refusal::new("a condition after `summarize` that is no bound", condition.span)),
    }
}
