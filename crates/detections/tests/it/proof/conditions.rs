//! The conditions a query makes, listed from its bound tree, so that no test can forget one.

use std::collections::BTreeMap;

use kql_semantics::bound::{BoundQuery, Expr, ExprKind, Rel, RelKind, SummarizeItem};
use kql_semantics::walk::{conjuncts, for_each_rel, operands};
use kql_types::{ScalarType, Span, Value};

/// What a query asks of its rows.
#[derive(Debug, Default)]
pub struct Conditions {
    /// In the order of the text: every part of every predicate, every join key, every expansion, every range of a series.
    /// The second of two equal texts ends in ` #2`.
    pub texts: Vec<String>,
    /// The members of the lists in them: (condition, members).
    pub lists: Vec<(String, Vec<String>)>,
}

pub fn of(text: &str, query: &BoundQuery) -> Conditions {
    let mut found: BTreeMap<(u32, u32), (String, Vec<String>)> = BTreeMap::new();
    let mut note = |span: Span, condition: String, members: Vec<String>| {
        found.entry((span.start, span.end)).or_insert((condition, members));
    };
    for result in &query.results {
        for_each_rel(&result.rel, &mut |rel| of_rel(text, rel, &mut note));
    }
    let mut conditions = Conditions::default();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (condition, members) in found.into_values() {
        let count = seen.entry(condition.clone()).or_default();
        *count += 1;
        let name = if *count == 1 { condition } else { format!("{condition} #{count}") };
        if !members.is_empty() {
            conditions.lists.push((name.clone(), members));
        }
        conditions.texts.push(name);
    }
    conditions
}

fn of_rel(text: &str, rel: &Rel, note: &mut dyn FnMut(Span, String, Vec<String>)) {
    match rel.kind.as_ref() {
        RelKind::Filter { predicate, .. } => {
            conjuncts(predicate).into_iter().for_each(|part| of_predicate(text, part, note));
        }
        RelKind::Join { keys, condition, .. } => {
            for (left, right) in keys {
                let (left_text, right_text) = (words(text, left.span), words(text, right.span));
                let name = if left_text == right_text { left_text } else { format!("{left_text} == {right_text}") };
                note(left.span, format!("join on {name}"), Vec::new());
            }
            condition.iter().for_each(|condition| of_predicate(text, condition, note));
        }
        RelKind::Summarize { items, .. } => {
            // What `countif` and its kin count.
            let calls = items.iter().filter_map(|item| match item {
                SummarizeItem::Aggregate { call, .. } => Some(call),
                SummarizeItem::ArgExtreme { .. } | SummarizeItem::TakeAny { .. } => None,
            });
            let predicates = calls.flat_map(|call| &call.args).filter(|arg| arg.ty == ScalarType::Bool);
            predicates
                .filter(|arg| !matches!(arg.kind, ExprKind::Column(_)))
                .for_each(|arg| of_predicate(text, arg, note));
        }
        RelKind::MvExpand { items, .. } | RelKind::MvApply { items, .. } => {
            for item in items {
                note(item.expr.span, format!("expand {}", words(text, item.expr.span)), Vec::new());
            }
        }
        RelKind::MakeSeries { axis, from, to, .. } => {
            for (side, bound) in [("from", from), ("to", to)] {
                let Some(bound) = bound else { continue };
                let name = format!("{} {side} {}", words(text, axis.span), words(text, bound.span));
                note(bound.span, name, Vec::new());
            }
        }
        _ => {}
    }
}

fn of_predicate(text: &str, predicate: &Expr, note: &mut dyn FnMut(Span, String, Vec<String>)) {
    match &predicate.kind {
        ExprKind::Or(parts) | ExprKind::And(parts) => parts.iter().for_each(|part| of_predicate(text, part, note)),
        _ => note(predicate.span, words(text, predicate.span), members(predicate)),
    }
}

/// The literals of a list, where the predicate is one about a list.
fn members(predicate: &Expr) -> Vec<String> {
    let items: Vec<&Expr> = match &predicate.kind {
        ExprKind::In { items, .. } => items.iter().collect(),
        ExprKind::Call { function, args } if function.name.starts_with("has_any") => args.iter().skip(1).collect(),
        _ => return Vec::new(),
    };
    items.into_iter().flat_map(literals).collect()
}

fn literals(expr: &Expr) -> Vec<String> {
    match &expr.kind {
        ExprKind::Literal(Value::String(text)) => vec![text.clone()],
        ExprKind::Literal(Value::Dynamic(list)) => {
            let list: serde_json::Value = serde_json::from_str(&list.to_text()).unwrap();
            let items = list.as_array().into_iter().flatten();
            items.map(|item| item.as_str().map_or(item.to_string(), str::to_string)).collect()
        }
        _ => operands(expr).into_iter().flat_map(literals).collect(),
    }
}

/// The text of a span without its line breaks and comments.
fn words(text: &str, span: Span) -> String {
    let part = text.get(span.start as usize..span.end as usize).unwrap_or_default();
    let lines = part.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}
