//! Mutation testing: small changes of a rule that its tests should notice.
//!
//! Comparisons are turned round, `and` arms and list items left out, numbers and thresholds moved by one, join keys left out. A
//! change that every case survives shows what no case tests. Start at [`survivors`].

use engine::Engine;
use kql_syntax::{SyntaxKind, SyntaxNode, SyntaxToken};
use kql_types::Span;

use super::equivalence::is_equivalent;
use super::run::Prepared;
use crate::rule::{AnalyticsRule, RuleKind};

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    Comparison,
    AndArm,
    ListItem,
    Number,
    JoinKey,
    Threshold,
}

impl Mutation {
    pub fn name(self) -> &'static str {
        match self {
            Mutation::Comparison => "comparison",
            Mutation::AndArm => "and arm",
            Mutation::ListItem => "list item",
            Mutation::Number => "number",
            Mutation::JoinKey => "join key",
            Mutation::Threshold => "threshold",
        }
    }
}

/// One change of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    pub mutation: Mutation,
    /// Its place in the query; empty for the rule's threshold.
    pub span: Span,
    /// What was written, and what stands there instead.
    pub before: String,
    pub after: String,
}

impl Mutant {
    /// The rule with the change.
    pub fn apply(&self, rule: &AnalyticsRule) -> AnalyticsRule {
        let mut changed = rule.clone();
        if self.mutation == Mutation::Threshold {
            changed.trigger_threshold = self.after.parse().unwrap_or(rule.trigger_threshold);
        } else {
            let range = self.span.start as usize..self.span.end as usize;
            if rule.query.get(range.clone()).is_some() {
                changed.query.replace_range(range, &self.after);
            }
        }
        changed
    }

    /// Rules for which rows can be made over which the change would show. None where made rows say nothing: keys that
    /// are left out agree in them, and a threshold is no part of the query.
    fn probes(&self, rule: &AnalyticsRule) -> Vec<AnalyticsRule> {
        let changed = self.apply(rule);
        match self.mutation {
            Mutation::Comparison | Mutation::Number => vec![rule.clone(), changed],
            Mutation::AndArm => {
                let range = self.span.start as usize..self.span.end as usize;
                let arm = rule.query.get(range).unwrap_or_default();
                let negated = Mutant { after: format!("not(\n{arm}\n)"), ..self.clone() };
                vec![rule.clone(), changed, negated.apply(rule)]
            }
            Mutation::ListItem | Mutation::JoinKey | Mutation::Threshold => Vec::new(),
        }
    }

    /// A case that would notice the change, in words.
    pub fn near_miss(&self) -> String {
        match self.mutation {
            Mutation::Comparison => format!("a case in which only `{}` decides", self.before),
            Mutation::AndArm => format!("a near miss that fails `{}` and nothing else", self.before),
            Mutation::ListItem => format!("a case whose value is {}", self.before),
            Mutation::Number => format!("a case on either side of {}", self.before),
            Mutation::JoinKey => format!("a near miss that agrees in all keys but {}", self.before),
            Mutation::Threshold => format!("a case with {} rows and one with more", self.before),
        }
    }
}

/// Every change of a rule.
pub fn mutants(rule: &AnalyticsRule) -> Vec<Mutant> {
    let mut found = Vec::new();
    for node in kql_syntax::parse_tree(&rule.query).root().descendants() {
        match node.kind() {
            SyntaxKind::Binary => of_binary(&node, &mut found),
            SyntaxKind::InExpression => of_list(&node, &mut found),
            SyntaxKind::OnClause => of_keys(&node, &mut found),
            _ => {}
        }
    }
    if rule.kind == RuleKind::Scheduled {
        found.push(Mutant {
            mutation: Mutation::Threshold,
            span: Span::default(),
            before: rule.trigger_threshold.to_string(),
            after: (rule.trigger_threshold + 1).to_string(),
        });
    }
    found
}

/// What came of all changes of a rule. A change that no longer binds counts as noticed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mutants {
    /// How many were tried.
    pub tried: usize,
    /// Those that no case notices.
    pub survived: Vec<Mutant>,
    /// Those that change no row at all: there is nothing to notice.
    pub equivalent: Vec<Mutant>,
}

impl Mutants {
    pub fn killed(&self) -> usize {
        self.tried.saturating_sub(self.survived.len() + self.equivalent.len())
    }
}

/// Tries every change. `logs` is further data over which an equivalent change must change nothing, with its clock.
pub fn survivors(prepared: &Prepared<'_>, rule: &AnalyticsRule, logs: Option<(&Engine, i64)>) -> Mutants {
    let all = mutants(rule);
    let tried = all.len();
    let over: Vec<(&Engine, i64)> = prepared.engines().chain(logs).collect();
    let left = all.into_iter().filter(|mutant| prepared.passes(&mutant.apply(rule)));
    let (equivalent, survived) = left.partition(|mutant| {
        let probes = mutant.probes(rule);
        !probes.is_empty() && is_equivalent(rule, &mutant.apply(rule), &probes, &over)
    });
    Mutants { tried, survived, equivalent }
}

/// (operator, its opposite).
const OPPOSITES: &[(&str, &str)] = &[
    ("==", "!="),
    ("=~", "!~"),
    ("<", ">="),
    ("<=", ">"),
    ("has", "!has"),
    ("has_cs", "!has_cs"),
    ("contains", "!contains"),
    ("contains_cs", "!contains_cs"),
    ("startswith", "!startswith"),
    ("startswith_cs", "!startswith_cs"),
    ("endswith", "!endswith"),
    ("endswith_cs", "!endswith_cs"),
    ("hasprefix", "!hasprefix"),
    ("hassuffix", "!hassuffix"),
    ("in", "!in"),
    ("in~", "!in~"),
];

fn opposite(operator: &str) -> Option<&'static str> {
    OPPOSITES.iter().find_map(|(a, b)| match operator {
        operator if operator == *a => Some(*b),
        operator if operator == *b => Some(*a),
        _ => None,
    })
}

fn span_of(range: rowan::TextRange) -> Span {
    Span::new(range.start().into(), range.end().into())
}

/// The tokens directly in a node that mean something.
fn tokens(node: &SyntaxNode) -> Vec<SyntaxToken> {
    node.children_with_tokens().filter_map(|element| element.into_token()).filter(|t| !t.kind().is_trivia()).collect()
}

/// A comparison with the opposite of its operator, when the token is one.
fn turned_round(node: &SyntaxNode, token: &SyntaxToken) -> Option<Mutant> {
    Some(Mutant {
        mutation: Mutation::Comparison,
        span: span_of(token.text_range()),
        before: folded(&node.text().to_string()),
        after: opposite(token.text())?.to_string(),
    })
}

fn of_binary(node: &SyntaxNode, found: &mut Vec<Mutant>) {
    // `$left.a == $right.b` names a key: turned round it does not bind.
    if node.ancestors().any(|ancestor| ancestor.kind() == SyntaxKind::OnClause) {
        return;
    }
    for token in tokens(node) {
        if let Some(turned) = turned_round(node, &token) {
            found.push(turned);
            if matches!(token.text(), "<" | "<=" | ">" | ">=") {
                numbers(node, found);
            }
        }
        if token.text() == "and" {
            // `a and b and c` is one node with two of these tokens.
            let known = |arm: &SyntaxNode| {
                found.iter().any(|m| m.mutation == Mutation::AndArm && m.span == span_of(arm.text_range()))
            };
            for arm in node.children().filter(|arm| !known(arm)).collect::<Vec<_>>() {
                found.push(Mutant {
                    mutation: Mutation::AndArm,
                    span: span_of(arm.text_range()),
                    before: folded(&arm.text().to_string()),
                    after: "true".to_string(),
                });
            }
        }
    }
}

/// A number on one side of a comparison, one higher.
fn numbers(node: &SyntaxNode, found: &mut Vec<Mutant>) {
    for child in node.children().filter(|child| child.kind() == SyntaxKind::Literal) {
        let text = child.text().to_string();
        if let Ok(number) = text.trim().parse::<i64>() {
            found.push(Mutant {
                mutation: Mutation::Number,
                span: span_of(child.text_range()),
                before: folded(&node.text().to_string()),
                after: (number + 1).to_string(),
            });
        }
    }
}

/// `x in (a, b)`: the operator turned round, each item left out.
fn of_list(node: &SyntaxNode, found: &mut Vec<Mutant>) {
    for token in tokens(node) {
        found.extend(turned_round(node, &token));
    }
    let items: Vec<SyntaxNode> = node
        .descendants()
        .filter(|item| item.kind() == SyntaxKind::Literal)
        .filter(|item| {
            item.ancestors().skip(1).find(|a| matches!(a.kind(), SyntaxKind::InExpression | SyntaxKind::Call)).as_ref()
                == Some(node)
        })
        .collect();
    // The first literal may be what is compared; a list of one has nothing to leave out.
    let items: Vec<SyntaxNode> = items.into_iter().filter(|item| Some(item) != node.first_child().as_ref()).collect();
    if items.len() < 2 {
        return;
    }
    for item in items {
        found.push(Mutant {
            mutation: Mutation::ListItem,
            span: span_of(item.text_range()),
            before: folded(&item.text().to_string()),
            // A value that no log has keeps the list's form.
            after: "\"tidewatch-no-such-value\"".to_string(),
        });
    }
}

/// `on a, b`: each key left out.
fn of_keys(node: &SyntaxNode, found: &mut Vec<Mutant>) {
    let keys: Vec<SyntaxNode> = node.children().collect();
    if keys.len() < 2 {
        return;
    }
    for (index, key) in keys.iter().enumerate() {
        // With the comma behind it, or in front of the last.
        let (start, end) = match (keys.get(index + 1), index.checked_sub(1).and_then(|before| keys.get(before))) {
            (Some(next), _) => (key.text_range().start(), next.text_range().start()),
            (None, Some(before)) => (before.text_range().end(), key.text_range().end()),
            (None, None) => continue,
        };
        found.push(Mutant {
            mutation: Mutation::JoinKey,
            span: Span::new(start.into(), end.into()),
            before: folded(&key.text().to_string()),
            after: String::new(),
        });
    }
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule_file::{Expectation, FileContent, read};

    #[test]
    fn every_kind_of_change_is_made_and_the_query_still_parses() {
        let query =
            "T | where A == 'x' and B > 5 | where C in~ ('p', 'q') | join kind=inner (U | where D has 'y') on K, L";
        let text = format!("id: a\nname: a\nqueryFrequency: 1h\nqueryPeriod: 1h\nquery: |\n  {query}\n");
        let FileContent::Rule(rule) = read("a.yaml", &text, Expectation::Rule) else { panic!() };
        let all = mutants(&rule);
        let made: Vec<(&str, String)> =
            all.iter().map(|mutant| (mutant.mutation.name(), mutant.apply(&rule).query.trim().to_string())).collect();
        let expect = |kind: &str, part: &str| {
            assert!(made.iter().any(|(name, query)| *name == kind && query.contains(part)), "{kind} {part}: {made:#?}");
        };
        expect("comparison", "A != 'x'");
        expect("comparison", "B <= 5");
        expect("comparison", "C !in~ ('p', 'q')");
        expect("comparison", "D !has 'y'");
        expect("and arm", "where true and B > 5");
        expect("and arm", "where A == 'x' and true");
        expect("number", "B > 6");
        expect("list item", "(\"tidewatch-no-such-value\", 'q')");
        expect("join key", "on L");
        expect("join key", "on K");
        assert_eq!(all.iter().filter(|mutant| mutant.mutation == Mutation::Threshold).count(), 1);
        assert_eq!(all.last().unwrap().apply(&rule).trigger_threshold, 1);
        for mutant in &all {
            let changed = mutant.apply(&rule).query;
            assert!(kql_syntax::parse(&changed).errors.is_empty(), "{changed}");
            assert!(!mutant.near_miss().is_empty());
        }
    }
}
