//! Conditions of KQL as searches and a condition of Sigma.

use std::collections::BTreeMap;

use kql_syntax::ast::{BinaryOp, Expr, ExprKind, InOp, Literal, Span};
use rule_forms::yaml::{Node, NodeKind};

use super::{Refusal, field};
use crate::mapping::Target;
use crate::value::escaped;

/// A condition in Sigma's terms.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Clause {
    /// `field|modifiers` with its values.
    Item {
        key: String,
        values: Vec<Node>,
    },
    All(Vec<Clause>),
    Any(Vec<Clause>),
    Not(Box<Clause>),
}

pub(super) struct Reader<'a> {
    pub target: &'static Target,
    pub constants: &'a BTreeMap<String, Expr>,
    /// Bounds on time that were left out.
    pub times: Vec<Span>,
}

fn item(field: &str, modifiers: &str, values: Vec<Node>) -> Clause {
    Clause::Item { key: format!("{field}{modifiers}"), values }
}

fn number(text: &str) -> Node {
    Node::made(NodeKind::Number(text.to_string()))
}

impl Reader<'_> {
    /// A condition; None: it says nothing that Sigma has to.
    pub(super) fn read(&mut self, expr: &Expr) -> Result<Option<Clause>, Refusal> {
        match &expr.kind {
            ExprKind::Paren(inner) => self.read(inner),
            ExprKind::Binary { op: BinaryOp::And, left, right, .. } => {
                let parts: Vec<Clause> = [self.read(left)?, self.read(right)?].into_iter().flatten().collect();
                Ok(joined(parts, true))
            }
            ExprKind::Binary { op: BinaryOp::Or, left, right, op_span } => {
                match (self.read(left)?, self.read(right)?) {
                    (Some(left), Some(right)) => Ok(joined(vec![left, right], false)),
                    _ => Err(Refusal::new("a bound on time under `or`", *op_span)),
                }
            }
            ExprKind::Call { name, args } if name.text == "not" && args.len() == 1 => {
                let inner = args.first().map(|inner| self.read(inner)).transpose()?.flatten();
                match inner {
                    Some(inner) => Ok(Some(Clause::Not(Box::new(inner)))),
                    None => Err(Refusal::new("a bound on time under `not`", name.span)),
                }
            }
            ExprKind::Binary { op, left, right, op_span } => {
                if is_time_bound(left, right) {
                    self.times.push(expr.span);
                    return Ok(None);
                }
                self.compare(*op, left, right, *op_span).map(Some)
            }
            ExprKind::In { op, left, items, op_span } => self.list(*op, left, items, *op_span).map(Some),
            ExprKind::Between { negated, left, low, high, op_span } => {
                if matches!(&left.kind, ExprKind::Name(name) if name.text == "TimeGenerated") && !negated {
                    self.times.push(expr.span);
                    return Ok(None);
                }
                let field = self.field(left)?;
                let (Some(low), Some(high)) = (self.number(low), self.number(high)) else {
                    return Err(Refusal::new("`between` of what are no numbers", *op_span));
                };
                let both = Clause::All(vec![item(&field, "|gte", vec![low]), item(&field, "|lte", vec![high])]);
                Ok(Some(if *negated { Clause::Not(Box::new(both)) } else { both }))
            }
            ExprKind::Call { name, args } => self.function(&name.text, args, name.span).map(Some),
            ExprKind::Literal(Literal::Bool(text)) if text.eq_ignore_ascii_case("true") => Ok(None),
            // A bool column alone.
            ExprKind::Name(_) => {
                let field = self.field(expr)?;
                Ok(Some(item(&field, "", vec![Node::made(NodeKind::Bool(true))])))
            }
            _ => Err(Refusal::new("a condition of another form", expr.span)),
        }
    }

    fn field(&self, expr: &Expr) -> Result<String, Refusal> {
        field::name_of(self.target, expr).ok_or_else(|| match &expr.kind {
            ExprKind::Call { name, .. } => Refusal::new(format!("`{}`, which computes a value,", name.text), expr.span),
            ExprKind::Name(name) => {
                Refusal::new(format!("`{}`, which is no field of the log source,", name.text), expr.span)
            }
            _ => Refusal::new("a value that is no field", expr.span),
        })
    }

    /// A constant, through parentheses and names of `let`.
    fn constant<'e>(&'e self, expr: &'e Expr) -> Option<&'e Literal> {
        match &expr.kind {
            ExprKind::Literal(literal) => Some(literal),
            ExprKind::Paren(inner) => self.constant(inner),
            ExprKind::Name(name) => match &self.constants.get(&name.text)?.kind {
                ExprKind::Literal(literal) => Some(literal),
                _ => None,
            },
            _ => None,
        }
    }

    fn number(&self, expr: &Expr) -> Option<Node> {
        if let ExprKind::Unary { expr: inner, .. } = &expr.kind {
            return self.number(inner).and_then(|node| node.text()).map(|text| number(&format!("-{text}")));
        }
        match self.constant(expr)? {
            Literal::Long(text) | Literal::Real(text) => Some(number(text)),
            _ => None,
        }
    }

    fn text(&self, expr: &Expr) -> Option<String> {
        match self.constant(expr)? {
            Literal::String { value, .. } => Some(value.clone()),
            _ => None,
        }
    }

    fn compare(&mut self, op: BinaryOp, left: &Expr, right: &Expr, span: Span) -> Result<Clause, Refusal> {
        use BinaryOp::*;
        let no = |clause: Clause| Clause::Not(Box::new(clause));
        if let Some(positive) = positive_of(op) {
            return Ok(no(self.compare(positive, left, right, span)?));
        }
        let field = self.field(left)?;
        let lowered =
            matches!(&left.kind, ExprKind::Call { name, .. } if name.text == "tolower" || name.text == "toupper");
        if let Ok(other) = self.field(right)
            && matches!(op, Eq | EqCi)
            && self.constant(right).is_none()
        {
            let modifiers = if op == Eq && !lowered { "|fieldref|cased" } else { "|fieldref" };
            return Ok(item(&field, modifiers, vec![Node::of_text(other)]));
        }
        if let Some(value) = self.number(right) {
            return Ok(match op {
                Eq | EqCi => item(&field, "", vec![value]),
                Lt => item(&field, "|lt", vec![value]),
                Le => item(&field, "|lte", vec![value]),
                Gt => item(&field, "|gt", vec![value]),
                Ge => item(&field, "|gte", vec![value]),
                _ => return Err(Refusal::new(format!("`{}` with a number", op.symbol()), span)),
            });
        }
        if let Some(Literal::Bool(value)) = self.constant(right)
            && op == Eq
        {
            return Ok(item(&field, "", vec![Node::made(NodeKind::Bool(value.eq_ignore_ascii_case("true")))]));
        }
        let Some(text) = self.text(right) else {
            return Err(Refusal::new(format!("`{}` with what is no constant", op.symbol()), span));
        };
        let plain = || vec![Node::of_text(escaped(&text))];
        Ok(match op {
            Eq if text.is_empty() => item(&field, "", vec![Node::of_text("")]),
            Eq if !lowered && text.chars().any(char::is_alphabetic) => item(&field, "|cased", plain()),
            Eq | EqCi => item(&field, "", plain()),
            Contains => item(&field, "|contains", plain()),
            ContainsCs => item(&field, "|contains|cased", plain()),
            StartsWith => item(&field, "|startswith", plain()),
            StartsWithCs => item(&field, "|startswith|cased", plain()),
            EndsWith => item(&field, "|endswith", plain()),
            EndsWithCs => item(&field, "|endswith|cased", plain()),
            Has => item(&field, "|re|i", vec![Node::of_text(term(&text, true, true))]),
            HasCs => item(&field, "|re", vec![Node::of_text(term(&text, true, true))]),
            HasPrefix => item(&field, "|re|i", vec![Node::of_text(term(&text, true, false))]),
            HasPrefixCs => item(&field, "|re", vec![Node::of_text(term(&text, true, false))]),
            HasSuffix => item(&field, "|re|i", vec![Node::of_text(term(&text, false, true))]),
            HasSuffixCs => item(&field, "|re", vec![Node::of_text(term(&text, false, true))]),
            MatchesRegex => {
                let (modifiers, source) = regex(&text);
                item(&field, &modifiers, vec![Node::of_text(source)])
            }
            _ => return Err(Refusal::new(format!("`{}`", op.symbol()), span)),
        })
    }

    fn list(&mut self, op: InOp, left: &Expr, items: &[Expr], span: Span) -> Result<Clause, Refusal> {
        let field = self.field(left)?;
        let mut values: Vec<Node> = Vec::new();
        for value in items {
            match self.constant(value) {
                Some(Literal::String { value, .. }) => values.push(Node::of_text(value.clone())),
                Some(Literal::Long(text) | Literal::Real(text)) => values.push(number(text)),
                Some(Literal::Dynamic(text)) => {
                    let list = rule_forms::yaml::parse(text).ok();
                    let list = list.filter(|list| matches!(list.kind, NodeKind::List(_)));
                    let Some(list) = list else {
                        return Err(Refusal::new(format!("`{}` with what is no list of constants", op.symbol()), span));
                    };
                    values.extend(list.items().into_iter().cloned());
                }
                _ => return Err(Refusal::new(format!("`{}` with what is no list of constants", op.symbol()), span)),
            }
        }
        let lowered =
            matches!(&left.kind, ExprKind::Call { name, .. } if name.text == "tolower" || name.text == "toupper");
        let texts = |change: &dyn Fn(&str) -> String| -> Vec<Node> {
            let one = |node: &Node| match &node.kind {
                NodeKind::Text(text) => Node::of_text(change(text)),
                other => Node::made(other.clone()),
            };
            values.iter().map(one).collect()
        };
        let has_letters =
            values.iter().any(|v| matches!(&v.kind, NodeKind::Text(t) if t.chars().any(char::is_alphabetic)));
        let whole = |text: &str| term(text, true, true);
        let clause = match op {
            InOp::In | InOp::NotIn if has_letters && !lowered => item(&field, "|cased", texts(&escaped)),
            InOp::In | InOp::InCi | InOp::NotIn | InOp::NotInCi => item(&field, "", texts(&escaped)),
            InOp::HasAny => item(&field, "|re|i", texts(&whole)),
            InOp::HasAll if values.len() > 1 => item(&field, "|re|i|all", texts(&whole)),
            InOp::HasAll => item(&field, "|re|i", texts(&whole)),
        };
        Ok(if matches!(op, InOp::NotIn | InOp::NotInCi) { Clause::Not(Box::new(clause)) } else { clause })
    }

    fn function(&mut self, name: &str, args: &[Expr], span: Span) -> Result<Clause, Refusal> {
        let refused = || Refusal::new(format!("`{name}`"), span);
        let first = args.first().ok_or_else(refused)?;
        let null = || Node::made(NodeKind::Null);
        match name {
            "isempty" | "isnull" => Ok(item(&self.field(first)?, "", vec![null()])),
            "isnotempty" | "notempty" => Ok(item(&self.field(first)?, "", vec![Node::of_text("*")])),
            "isnotnull" | "notnull" => Ok(item(&self.field(first)?, "|exists", vec![Node::made(NodeKind::Bool(true))])),
            "ipv4_is_in_range" | "ipv6_is_in_range" | "ipv4_is_in_any_range" => {
                let field = self.field(first)?;
                let mut networks = Vec::new();
                for network in args.iter().skip(1) {
                    networks.push(Node::of_text(self.text(network).ok_or_else(refused)?));
                }
                if networks.is_empty() { Err(refused()) } else { Ok(item(&field, "|cidr", networks)) }
            }
            _ => Err(refused()),
        }
    }
}

/// The operator that `!` turns round; None for one that says what is.
fn positive_of(op: BinaryOp) -> Option<BinaryOp> {
    use BinaryOp::*;
    Some(match op {
        Ne => Eq,
        NeCi => EqCi,
        NotHas => Has,
        NotHasCs => HasCs,
        NotHasPrefix => HasPrefix,
        NotHasPrefixCs => HasPrefixCs,
        NotHasSuffix => HasSuffix,
        NotHasSuffixCs => HasSuffixCs,
        NotContains => Contains,
        NotContainsCs => ContainsCs,
        NotStartsWith => StartsWith,
        NotStartsWithCs => StartsWithCs,
        NotEndsWith => EndsWith,
        NotEndsWithCs => EndsWithCs,
        _ => return None,
    })
}

fn is_time_bound(left: &Expr, right: &Expr) -> bool {
    let is_time = |expr: &Expr| matches!(&expr.kind, ExprKind::Name(name) if name.text == "TimeGenerated");
    is_time(left) || is_time(right)
}

/// A term of a text as a regular expression: what Kusto's `has` finds.
fn term(text: &str, start: bool, end: bool) -> String {
    let before = if start { "(^|[^A-Za-z0-9])" } else { "" };
    let behind = if end { "($|[^A-Za-z0-9])" } else { "" };
    format!("{before}{}{behind}", regex_syntax::escape(text))
}

/// A regular expression with its leading flags as modifiers.
fn regex(text: &str) -> (String, String) {
    let flags = text.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
    match flags.filter(|(flags, _)| !flags.is_empty() && flags.chars().all(|c| "ims".contains(c))) {
        Some((flags, rest)) => {
            let modifiers: String = flags.chars().map(|flag| format!("|{flag}")).collect();
            (format!("|re{modifiers}"), rest.to_string())
        }
        None => ("|re".to_string(), text.to_string()),
    }
}

fn joined(parts: Vec<Clause>, all: bool) -> Option<Clause> {
    let mut flat = Vec::new();
    for part in parts {
        match part {
            Clause::All(inner) if all => flat.extend(inner),
            Clause::Any(inner) if !all => flat.extend(inner),
            part => flat.push(part),
        }
    }
    match flat.len() {
        0 => None,
        1 => flat.pop(),
        _ if all => Some(Clause::All(flat)),
        _ => Some(Clause::Any(flat)),
    }
}

/// The searches and the condition of clauses that all have to hold.
pub(super) fn detection(clauses: &[Clause]) -> Node {
    let mut names = Names { searches: Vec::new() };
    let all = joined(clauses.to_vec(), true);
    let condition = match all {
        None => {
            // Every row of the log source: a field that is always there.
            names.searches.push((
                "selection".to_string(),
                Node::of_map([("TimeGenerated|exists", Node::made(NodeKind::Bool(true)))]),
            ));
            "selection".to_string()
        }
        Some(clause) => names.condition(&clause, "selection", true),
    };
    let mut detection = Node::of_map(names.searches);
    detection.set("condition", Node::of_text(condition));
    detection
}

struct Names {
    searches: Vec<(String, Node)>,
}

impl Names {
    fn add(&mut self, base: &str, search: Node) -> String {
        let taken = |name: &str| self.searches.iter().any(|(known, _)| known == name);
        let mut name = base.to_string();
        let mut number = 1;
        while taken(&name) {
            number += 1;
            name = format!("{base}_{number}");
        }
        self.searches.push((name.clone(), search));
        name
    }

    /// The condition of a clause; its items become searches.
    fn condition(&mut self, clause: &Clause, base: &str, outermost: bool) -> String {
        match clause {
            Clause::Item { .. } => self.add(base, search_of(&[clause])),
            Clause::Not(inner) => format!("not {}", self.condition(inner, "filter", false)),
            Clause::All(parts) => {
                // Items of different fields are one search.
                let mut together: Vec<&Clause> = Vec::new();
                let mut apart: Vec<&Clause> = Vec::new();
                for part in parts {
                    let fits = match part {
                        Clause::Item { key, .. } => {
                            !together.iter().any(|c| matches!(c, Clause::Item { key: k, .. } if k == key))
                        }
                        _ => false,
                    };
                    if fits { together.push(part) } else { apart.push(part) }
                }
                let mut said = Vec::new();
                if !together.is_empty() {
                    said.push(self.add(base, search_of(&together)));
                }
                for part in apart {
                    said.push(self.condition(part, base, false));
                }
                grouped(said, " and ", outermost)
            }
            Clause::Any(parts) => {
                let said: Vec<String> = parts.iter().map(|part| self.condition(part, base, false)).collect();
                grouped(said, " or ", outermost)
            }
        }
    }
}

fn grouped(parts: Vec<String>, between: &str, outermost: bool) -> String {
    match parts.len() {
        1 => parts.concat(),
        _ if outermost => parts.join(between),
        _ => format!("({})", parts.join(between)),
    }
}

fn search_of(items: &[&Clause]) -> Node {
    Node::of_map(items.iter().filter_map(|item| match item {
        Clause::Item { key, values } => Some((
            key.clone(),
            match values.as_slice() {
                [one] => one.clone(),
                several => Node::of_list(several.iter().cloned()),
            },
        )),
        _ => None,
    }))
}
