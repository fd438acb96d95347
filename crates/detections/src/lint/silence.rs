//! Silences: comments in rules, and lines of the project file, that say why a finding is meant to stay.
//!
//! `// tidewatch: allow TW303 reason` in a query, `# tidewatch: allow TW402 reason` in the YAML around it; `until 2027-01-31` behind
//! the code makes it expire. One that silences nothing any more is a finding itself (TW009).

use kql_types::datetime;

use super::subject::{Finding, Subject, position_of};
use crate::rule::AnalyticsRule;
use crate::yaml::{Node, Position};

/// A code that is allowed, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    pub code: String,
    /// Only these rules: ids, or parts of paths; none is all rules.
    pub rules: Vec<String>,
    /// Ticks; the silence ends with this day.
    pub until: Option<i64>,
    pub reason: String,
    /// Where a comment stands in the rule's file.
    pub position: Option<Position>,
}

impl Allowance {
    /// Whether the silence has ended.
    pub fn is_over(&self, today: i64) -> bool {
        self.until.is_some_and(|until| today >= until + datetime::TICKS_PER_DAY)
    }

    /// Whether it silences a finding today.
    pub fn silences(&self, finding: &Finding, today: i64) -> bool {
        let of_rule = self.rules.is_empty()
            || self
                .rules
                .iter()
                .any(|rule| rule.eq_ignore_ascii_case(&finding.rule_id) || finding.file.contains(rule.as_str()));
        self.code.eq_ignore_ascii_case(finding.code.code) && of_rule && !self.is_over(today)
    }

    /// Reads the silences of a project file: `lint: {allow: [{code, rules, until, reason}]}`.
    ///
    /// # Errors
    /// A line without a code, or with a date that is none.
    pub fn of_project(document: &Node) -> Result<Vec<Allowance>, String> {
        let lines =
            document.get("lint").and_then(|lint| lint.get("allow")).map(Node::items_of_maps).unwrap_or_default();
        lines
            .into_iter()
            .map(|line| {
                let text = |key: &str| line.get(key).and_then(Node::text);
                let code = text("code").ok_or_else(|| format!("{}: a silence without `code`", line.position))?;
                let until = text("until").map(|date| {
                    datetime::parse(&date).ok_or_else(|| format!("{}: `{date}` is no date", line.position))
                });
                let rules =
                    line.get("rules").map(Node::items).unwrap_or_default().into_iter().filter_map(Node::text).collect();
                Ok(Allowance {
                    code,
                    rules,
                    until: until.transpose()?,
                    reason: text("reason").unwrap_or_default(),
                    position: None,
                })
            })
            .collect()
    }
}

/// The silences that a rule's file writes itself.
pub(super) fn of_rule(rule: &AnalyticsRule) -> impl Iterator<Item = Allowance> {
    let text = &rule.place.text;
    let mut offset = 0;
    text.split_inclusive('\n')
        .flat_map(move |line| {
            let start = offset;
            offset += line.len();
            of_line(line).into_iter().map(move |(at, allowance)| (start + at, allowance)).collect::<Vec<_>>()
        })
        .map(|(at, allowance)| Allowance { position: Some(position_of(text, at)), ..allowance })
        .collect::<Vec<_>>()
        .into_iter()
}

fn of_line(line: &str) -> Option<(usize, Allowance)> {
    let mark = "tidewatch: allow ";
    let at = line.find(mark)?;
    let comment = line.get(..at)?.trim_end();
    if !comment.ends_with("//") && !comment.ends_with('#') {
        return None;
    }
    let rest = line.get(at + mark.len()..)?.trim();
    let (code, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let rest = rest.trim();
    let (until, reason) = match rest.strip_prefix("until ") {
        Some(after) => {
            let (date, reason) = after.trim().split_once(char::is_whitespace).unwrap_or((after.trim(), ""));
            (datetime::parse(date), reason)
        }
        None => (None, rest),
    };
    let allowance = Allowance {
        code: code.to_string(),
        rules: Vec::new(),
        until,
        reason: reason.trim().to_string(),
        position: None,
    };
    Some((at, allowance))
}

/// Takes out what is silenced and adds TW009 for silences that are over or have nothing to do.
pub(super) fn apply(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let today = subject.context.today;
    let own: Vec<Allowance> = of_rule(subject.rule).collect();
    let mut used = vec![false; own.len()];
    found.retain(|finding| {
        if subject.context.allowed.iter().any(|allowance| allowance.silences(finding, today)) {
            return false;
        }
        let hit = own.iter().position(|allowance| allowance.silences(finding, today));
        if let Some(slot) = hit.and_then(|index| used.get_mut(index)) {
            *slot = true;
        }
        hit.is_none()
    });
    for (allowance, used) in own.iter().zip(used) {
        // Codes that are judged over all rules, or need what this run was not given, cannot be called unused here.
        let known = super::codes::find(&allowance.code);
        let judged = known.is_some_and(|code| code.needs == super::Needs::Nothing);
        let message = if allowance.is_over(today) {
            format!("the silence of {} has expired", allowance.code)
        } else if known.is_none() {
            format!("`{}` is no code", allowance.code)
        } else if !used && judged {
            format!("nothing here raises {} any more", allowance.code)
        } else {
            continue;
        };
        found.extend(subject.at_position("TW009", allowance.position.unwrap_or_default(), message));
    }
}
