//! KQL of a rule's test over one table.
//!
//! A test on a field that the table does not have never holds, and says so in a note; what is certain falls away before
//! anything is written. Matching follows Sigma: texts without case unless `cased`, `null` and absent are one. Start at [`over`].

use kql_types::ScalarType;

use crate::mapping::{ListMember, Resolved, Target};
use crate::search::{FieldTest, Likeness, Order, Predicate, Test};
use crate::value::{Part, Pattern, Shape};

/// A rule's rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableQuery {
    pub target: &'static Target,
    /// The operators behind the table's name, without pipes.
    pub steps: Vec<String>,
    /// Fields that the table does not have, and other things that differ from what the rule says.
    pub notes: Vec<String>,
}

impl TableQuery {
    /// The whole query, on one line.
    pub fn text(&self) -> String {
        let steps: String = self.steps.iter().map(|step| format!(" | {step}")).collect();
        format!("{}{steps}", self.target.table)
    }
}

/// Why no row of a table can match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeverMatches {
    pub notes: Vec<String>,
}

/// The rows of a table that a test finds.
///
/// # Errors
/// The test can never hold over this table: which fields it lacks.
pub fn over(test: &Test, target: &'static Target) -> Result<TableQuery, NeverMatches> {
    let mut notes: Vec<String> = Vec::new();
    let mut note = |text: String| {
        if !notes.contains(&text) {
            notes.push(text);
        }
    };
    let bound = test.map(&mut |field| known(field, target, &mut note));
    let mut writer = Writer { target, made: Vec::new() };
    let parts = match &bound {
        Test::Never => return Err(NeverMatches { notes }),
        Test::Always => Vec::new(),
        Test::All(parts) => parts.iter().map(|part| writer.test(part, false)).collect(),
        other => vec![writer.test(other, false)],
    };
    let mut steps = Vec::new();
    if !target.rows.is_empty() {
        steps.push(format!("where {}", target.rows));
    }
    if !writer.made.is_empty() {
        let columns: Vec<String> = writer.made.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        steps.push(format!("extend {}", columns.join(", ")));
    }
    steps.extend(parts.into_iter().map(|part| format!("where {}", without_parentheses(part))));
    Ok(TableQuery { target, steps, notes })
}

/// The test, or what is certain of it because the table lacks a field.
fn known(test: &FieldTest, target: &Target, note: &mut dyn FnMut(String)) -> Test {
    let Some(field) = &test.field else { return Test::Field(test.clone()) };
    let Some(resolved) = target.resolve(field) else {
        note(format!("`{field}` is no field of {}", target.table));
        return if test.predicate == Predicate::Null { Test::Always } else { Test::Never };
    };
    let in_list = resolved.member.is_some();
    match &test.predicate {
        Predicate::OtherField { field: other, .. } if target.resolve(other).is_none() => {
            note(format!("`{other}` is no field of {}", target.table));
            Test::Never
        }
        Predicate::Pattern { pattern, .. } if !is_one_placeholder(pattern) && has_placeholder(pattern) => {
            note(format!("`{field}`: a placeholder within other text cannot be looked up"));
            Test::Never
        }
        Predicate::Cidr(_) | Predicate::Compare { .. } | Predicate::Time { .. } | Predicate::OtherField { .. }
            if in_list =>
        {
            note(format!("`{field}` is in a list in {}: only texts are looked for there", target.table));
            Test::Never
        }
        _ => Test::Field(test.clone()),
    }
}

fn has_placeholder(pattern: &Pattern) -> bool {
    pattern.parts.iter().any(|part| matches!(part, Part::Placeholder(_)))
}

fn is_one_placeholder(pattern: &Pattern) -> bool {
    matches!(pattern.parts.as_slice(), [Part::Placeholder(_)])
}

struct Writer {
    target: &'static Target,
    /// Columns that are made first: name and value.
    made: Vec<(String, String)>,
}

/// What several values of one field can be asked for at once.
#[derive(PartialEq)]
struct Choice {
    expr: String,
    operator: &'static str,
}

impl Writer {
    /// A test as a condition; parenthesised where it needs to be. Under `not`, what is unknown has to be false.
    fn test(&mut self, test: &Test, negated: bool) -> String {
        match test {
            Test::Always => "true".to_string(),
            Test::Never => "false".to_string(),
            Test::All(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.test(part, negated)).collect();
                format!("({})", parts.join(" and "))
            }
            Test::Any(parts) => self.any(parts, negated),
            Test::AtLeast(count, parts) => {
                let parts: Vec<String> =
                    parts.iter().map(|part| format!("toint({})", without_parentheses(self.test(part, true)))).collect();
                format!("({} >= {count})", parts.join(" + "))
            }
            Test::Not(part) => format!("not({})", without_parentheses(self.test(part, true))),
            Test::Field(field) => self.field(field, negated),
        }
    }

    /// Any of these, with the values of one field in one list.
    fn any(&mut self, parts: &[Test], negated: bool) -> String {
        let mut found: Vec<(Option<Choice>, Vec<String>)> = Vec::new();
        for part in parts {
            let choice = match part {
                Test::Field(field) => self.choice(field),
                _ => None,
            };
            match choice {
                Some((choice, value)) => match found.iter_mut().find(|(c, _)| c.as_ref() == Some(&choice)) {
                    Some((_, values)) => values.push(value),
                    None => found.push((Some(choice), vec![value])),
                },
                None => {
                    let text = self.test(part, negated);
                    found.push((None, vec![text]));
                }
            }
        }
        let texts: Vec<String> = found
            .into_iter()
            .map(|(choice, values)| match (choice, values.as_slice()) {
                (Some(Choice { expr, operator }), [value]) => {
                    format!("{expr} {} {value}", if operator == "in~" { "=~" } else { "==" })
                }
                (Some(Choice { expr, operator }), values) => format!("{expr} {operator} ({})", values.join(", ")),
                (None, values) => values.concat(),
            })
            .collect();
        match texts.as_slice() {
            [one] => one.clone(),
            several => format!("({})", several.join(" or ")),
        }
    }

    /// A test that is one of a list of values: the field and the operator, and the value.
    fn choice(&mut self, test: &FieldTest) -> Option<(Choice, String)> {
        let resolved = self.target.resolve(test.field.as_deref()?).filter(|r| r.member.is_none())?;
        let is_text = resolved.ty == ScalarType::String;
        let (operator, value) = match &test.predicate {
            Predicate::Pattern { pattern, cased } => {
                let text = pattern.text().filter(|text| !text.is_empty())?;
                match (is_text, cased) {
                    (true, true) => ("in", quoted(text)),
                    (true, false) => ("in~", quoted(text)),
                    _ => ("in", number_for(resolved.ty, text)?),
                }
            }
            Predicate::Number(number) if is_text => ("in~", quoted(number)),
            Predicate::Number(number) => ("in", number_for(resolved.ty, number)?),
            _ => return None,
        };
        Some((Choice { expr: self.value(resolved), operator }, value))
    }

    /// The expression of a field, made a column first where it is long.
    fn value(&mut self, resolved: Resolved) -> String {
        if let Some(made) = resolved.made
            && !self.made.iter().any(|(name, _)| *name == resolved.expr)
        {
            self.made.push((resolved.expr.clone(), made));
        }
        resolved.expr
    }

    fn field(&mut self, test: &FieldTest, negated: bool) -> String {
        let Some(field) = &test.field else { return self.anywhere(&test.predicate) };
        let Some(resolved) = self.target.resolve(field) else { return "false".to_string() };
        let (ty, exists, member) = (resolved.ty, resolved.exists.clone(), resolved.member.clone());
        let expr = self.value(resolved);
        if let Some(member) = member {
            return in_list(&expr, &member, &test.predicate);
        }
        let text = if ty == ScalarType::String { expr.clone() } else { format!("tostring({expr})") };
        // A condition that can be unknown: nothing is not a match.
        let certain = |condition: String| if negated { format!("coalesce({condition}, false)") } else { condition };
        match &test.predicate {
            Predicate::Pattern { pattern, .. } if is_one_placeholder(pattern) => {
                format!("{text} in~ ({})", watchlist(pattern))
            }
            Predicate::Pattern { pattern, cased } => match number_of(ty, pattern) {
                Some(number) => format!("{expr} == {number}"),
                None => like(&text, pattern, *cased),
            },
            Predicate::Number(number) => match number_for(ty, number) {
                Some(number) => format!("{expr} == {number}"),
                None => format!("{text} =~ {}", quoted(number)),
            },
            Predicate::Bool(value) if ty == ScalarType::Bool => format!("{expr} == {value}"),
            Predicate::Bool(value) => format!("{text} =~ \"{value}\""),
            Predicate::Regex { source, flags } => format!("{text} matches regex {}", regex_text(source, flags)),
            Predicate::Cidr(network) => {
                let function = if network.contains(':') { "ipv6_is_in_range" } else { "ipv4_is_in_range" };
                certain(format!("{function}({text}, {})", quoted(network)))
            }
            Predicate::Compare { order, number } => {
                let number_expr = if is_number(ty) { expr } else { format!("todouble({text})") };
                certain(format!("{number_expr} {} {number}", order.symbol()))
            }
            Predicate::Time { part, order, number } => {
                let moment = if ty == ScalarType::DateTime { expr } else { format!("todatetime({text})") };
                let operator = if *order == Order::Eq { "==" } else { order.symbol() };
                certain(format!("datetime_part(\"{}\", {moment}) {operator} {number}", part.kql_name()))
            }
            Predicate::Null if ty == ScalarType::String => format!("isempty({expr})"),
            Predicate::Null => format!("isnull({expr})"),
            Predicate::Exists => exists.unwrap_or_else(|| {
                if ty == ScalarType::String { format!("isnotempty({expr})") } else { format!("isnotnull({expr})") }
            }),
            Predicate::OtherField { field: other, likeness, cased } => {
                let Some(other) = self.target.resolve(other).filter(|r| r.member.is_none()) else {
                    return "false".to_string();
                };
                let other_text = other.ty == ScalarType::String;
                let other = self.value(other);
                let other = if other_text { other } else { format!("tostring({other})") };
                let operator = match (likeness, cased) {
                    (Likeness::Equal, false) => "=~",
                    (Likeness::Equal, true) => "==",
                    (Likeness::StartsWith, false) => "startswith",
                    (Likeness::StartsWith, true) => "startswith_cs",
                    (Likeness::EndsWith, false) => "endswith",
                    (Likeness::EndsWith, true) => "endswith_cs",
                    (Likeness::Contains, false) => "contains",
                    (Likeness::Contains, true) => "contains_cs",
                };
                format!("(isnotempty({other}) and {text} {operator} {other})")
            }
        }
    }

    /// A search of the whole event.
    fn anywhere(&mut self, predicate: &Predicate) -> String {
        let (pattern, cased) = match predicate {
            Predicate::Pattern { pattern, cased } => (pattern.clone(), *cased),
            Predicate::Number(number) => (Pattern::literal(number.clone()), false),
            Predicate::Bool(value) => (Pattern::literal(value.to_string()), false),
            Predicate::Regex { source, flags } => {
                return self
                    .anywhere_in(&|column| format!("{column} matches regex {}", regex_text(source, flags)), None);
            }
            _ => return "false".to_string(),
        };
        let inner = Pattern {
            parts: pattern
                .parts
                .iter()
                .skip_while(|part| **part == Part::Many)
                .cloned()
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .skip_while(|part| *part == Part::Many)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect(),
        };
        match inner.text() {
            Some(text) => {
                let operator = if cased { "contains_cs" } else { "contains" };
                let said = format!("{operator} {}", quoted(text));
                self.anywhere_in(&|column| format!("{column} {said}"), Some(&format!("* {said}")))
            }
            None => {
                let regex = quoted(&format!("{}{}", if cased { "(?s)" } else { "(?is)" }, regex_of(&inner, ".*")));
                self.anywhere_in(&|column| format!("{column} matches regex {regex}"), None)
            }
        }
    }

    /// A condition on any column that a search reads; `whole` is its form for all columns at once.
    fn anywhere_in(&self, condition: &dyn Fn(&str) -> String, whole: Option<&str>) -> String {
        let columns: Vec<String> = self
            .target
            .keywords
            .iter()
            .map(|name| {
                let ty = self.target.schema().and_then(|s| s.column(name)).map(|c| c.ty);
                if ty == Some(ScalarType::String) { (*name).to_string() } else { format!("tostring({name})") }
            })
            .collect();
        match (columns.as_slice(), whole) {
            ([], Some(whole)) => whole.to_string(),
            ([], None) => condition("tostring(pack_all())"),
            ([column], _) => condition(column),
            (columns, _) => {
                let all: Vec<String> = columns.iter().map(|column| condition(column)).collect();
                format!("({})", all.join(" or "))
            }
        }
    }
}

/// The watchlist of a placeholder.
fn watchlist(pattern: &Pattern) -> String {
    let name = match pattern.parts.as_slice() {
        [Part::Placeholder(name)] => name.as_str(),
        _ => "",
    };
    format!("(_GetWatchlist({}) | project SearchKey)", quoted(name))
}

fn in_list(expr: &str, member: &ListMember, predicate: &Predicate) -> String {
    let found = |pattern: Option<&Pattern>, cased: bool| {
        let flags = if cased { "(?s)" } else { "(?is)" };
        format!("{expr} matches regex {}", quoted(&format!("{flags}{}", member.regex(pattern))))
    };
    match predicate {
        Predicate::Pattern { pattern, cased } => found(Some(pattern).filter(|p| p.shape() != Shape::Anything), *cased),
        Predicate::Number(number) => found(Some(&Pattern::literal(number.clone())), false),
        Predicate::Bool(value) => found(Some(&Pattern::literal(value.to_string())), false),
        Predicate::Exists => found(None, false),
        Predicate::Null => format!("not({})", found(None, false)),
        Predicate::Regex { source, flags } => format!("{expr} matches regex {}", regex_text(source, flags)),
        _ => "false".to_string(),
    }
}

/// A pattern by the operator that says it.
fn like(text: &str, pattern: &Pattern, cased: bool) -> String {
    let suffix = if cased { "_cs" } else { "" };
    match pattern.shape() {
        Shape::Exactly("") => format!("isempty({text})"),
        Shape::Exactly(value) => format!("{text} {} {}", if cased { "==" } else { "=~" }, quoted(value)),
        Shape::StartsWith(value) => format!("{text} startswith{suffix} {}", quoted(value)),
        Shape::EndsWith(value) => format!("{text} endswith{suffix} {}", quoted(value)),
        Shape::Contains(value) => format!("{text} contains{suffix} {}", quoted(value)),
        Shape::Anything => format!("isnotempty({text})"),
        Shape::Other => {
            let flags = if cased { "(?s)" } else { "(?is)" };
            format!("{text} matches regex {}", quoted(&format!("{flags}^{}$", regex_of(pattern, ".*"))))
        }
    }
}

fn regex_of(pattern: &Pattern, many: &str) -> String {
    pattern.regex(many, &|text| text.to_string())
}

fn regex_text(source: &str, flags: &str) -> String {
    let mut unique: Vec<char> = flags.chars().collect();
    unique.sort_unstable();
    unique.dedup();
    let flags: String = unique.into_iter().collect();
    quoted(&if flags.is_empty() { source.to_string() } else { format!("(?{flags}){source}") })
}

fn is_number(ty: ScalarType) -> bool {
    matches!(ty, ScalarType::Int | ScalarType::Long | ScalarType::Real | ScalarType::Decimal)
}

/// A text as a literal of a column that is not text: numbers and truth values, where the text is one.
fn number_for(ty: ScalarType, text: &str) -> Option<String> {
    let text = text.trim();
    match ty {
        ScalarType::Int | ScalarType::Long => {
            let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
            let number = match hex {
                Some(digits) => i64::from_str_radix(digits, 16).ok()?,
                None => text.parse::<i64>().ok()?,
            };
            Some(number.to_string())
        }
        ScalarType::Real | ScalarType::Decimal => text.parse::<f64>().ok().map(|_| text.to_string()),
        ScalarType::Bool if text.eq_ignore_ascii_case("true") => Some("true".to_string()),
        ScalarType::Bool if text.eq_ignore_ascii_case("false") => Some("false".to_string()),
        _ => None,
    }
}

fn number_of(ty: ScalarType, pattern: &Pattern) -> Option<String> {
    number_for(ty, pattern.text()?)
}

/// Takes off the parentheses around a whole condition.
fn without_parentheses(text: String) -> String {
    let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) else { return text };
    match closes_early(inner) {
        true => text,
        false => inner.to_string(),
    }
}

/// Whether a parenthesis in a text closes one that was opened before it; texts in quotes do not count.
fn closes_early(text: &str) -> bool {
    let mut depth = 0_i32;
    let (tokens, _) = kql_syntax::lex(text);
    for token in tokens {
        match token.text(text) {
            "(" => depth += 1,
            ")" => {
                depth -= 1;
                if depth < 0 {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// A text as a KQL literal: verbatim where that spares escapes.
pub fn quoted(text: &str) -> String {
    let plain = !text.chars().any(char::is_control);
    if text.contains('\\') && plain {
        return format!("@\"{}\"", text.replace('"', "\"\""));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Body, read};
    use crate::mapping::source_of;

    /// The steps of a rule over the first table of its log source.
    fn steps(source: &str, detection: &str) -> Vec<String> {
        let detection: String = detection.lines().map(|line| format!("  {line}\n")).collect();
        let text = format!("title: T\nlogsource: {source}\ndetection:\n{detection}");
        let document = read("a.yml", &text).unwrap().remove(0).unwrap();
        let Body::Rule { source, detection } = document.body else { panic!() };
        let target = source_of(&source).unwrap().targets[0];
        match over(&detection.test().unwrap(), target) {
            Ok(query) => {
                assert!(kql_syntax::parse(&query.text()).errors.is_empty(), "{}", query.text());
                query.steps.into_iter().chain(query.notes.iter().map(|note| format!("note: {note}"))).collect()
            }
            Err(never) => never.notes,
        }
    }

    const AWS: &str = "{product: aws, service: cloudtrail}";

    fn one(field: &str) -> String {
        let found = steps(AWS, &format!("s:\n  {field}\ncondition: s"));
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].strip_prefix("where ").unwrap().to_string()
    }

    #[test]
    fn values_become_the_simplest_operator() {
        assert_eq!(one("eventName: RunInstances"), "EventName =~ \"RunInstances\"");
        assert_eq!(one("eventName: [A, 'B', 5]"), "EventName in~ (\"A\", \"B\", \"5\")");
        assert_eq!(one("eventName|cased: [A, B]"), "EventName in (\"A\", \"B\")");
        assert_eq!(
            one("eventName: ['Run*', A, '*x', '*y*']"),
            "EventName startswith \"Run\" or EventName =~ \"A\" or EventName endswith \"x\" or EventName contains \"y\""
        );
        let all = steps(AWS, "s:\n  eventName|contains|all: [a, b]\ncondition: s");
        assert_eq!(all, ["where EventName contains \"a\"", "where EventName contains \"b\""]);
    }

    #[test]
    fn special_values_have_their_functions() {
        assert_eq!(one("errorCode: null"), "isempty(ErrorCode)");
        assert_eq!(one("errorCode: ''"), "isempty(ErrorCode)");
        assert_eq!(one("errorCode: '*'"), "isnotempty(ErrorCode)");
        assert_eq!(one("errorCode|exists: false"), "not(isnotempty(ErrorCode))");
        assert_eq!(one("requestParameters.a|exists: true"), "isnotnull(parse_json(RequestParameters).a)");
        assert_eq!(one("readOnly: 'false'"), "ReadOnly == false");
        assert_eq!(one("sourceIPAddress|cidr: '10.0.0.0/8'"), "ipv4_is_in_range(SourceIpAddress, \"10.0.0.0/8\")");
        assert_eq!(one("eventTime|hour|gte: 22"), "datetime_part(\"hour\", TimeGenerated) >= 22");
        assert_eq!(one("requestParameters.n|lt: 5"), "todouble(tostring(parse_json(RequestParameters).n)) < 5");
        assert_eq!(
            one("userAgent|fieldref: eventName"),
            "isnotempty(EventName) and UserAgent =~ EventName",
            "a field that is not there is equal to nothing"
        );
        assert_eq!(
            one("userAgent|expand: '%Tools%'"),
            "UserAgent in~ ((_GetWatchlist(\"Tools\") | project SearchKey))"
        );
    }

    #[test]
    fn what_is_unknown_is_no_match_under_not() {
        let found = steps(AWS, "s:\n  sourceIPAddress|cidr: '10.0.0.0/8'\ncondition: not s");
        assert_eq!(found, ["where not(coalesce(ipv4_is_in_range(SourceIpAddress, \"10.0.0.0/8\"), false))"]);
        assert_eq!(one("eventName|neq: [A, B]"), "not(EventName in~ (\"A\", \"B\"))");
    }

    #[test]
    fn fields_that_a_table_lacks_are_noted() {
        let found = steps(AWS, "a:\n  eventName: X\nb:\n  nope: Y\ncondition: a or b");
        assert_eq!(found, ["where EventName =~ \"X\"", "note: `nope` is no field of AWSCloudTrail"]);
        assert_eq!(steps(AWS, "b:\n  nope: Y\ncondition: b"), ["`nope` is no field of AWSCloudTrail"]);
        let excluded = steps(AWS, "a:\n  eventName: X\nb:\n  nope: Y\ncondition: a and not b");
        assert_eq!(excluded[0], "where EventName =~ \"X\"");
    }

    #[test]
    fn keywords_search_the_event() {
        let linux = "{product: linux, service: sshd}";
        let found = steps(linux, "keywords: [abc, 'x*y']\ncondition: keywords");
        assert_eq!(found[1], "where SyslogMessage contains \"abc\" or SyslogMessage matches regex \"(?is)x.*y\"");
        assert_eq!(steps(AWS, "k: [abc]\ncondition: k"), ["where * contains \"abc\""]);
        let all = steps(linux, "k:\n  '|all': [a, b]\ncondition: k");
        assert_eq!(all[1..], ["where SyslogMessage contains \"a\"", "where SyslogMessage contains \"b\""]);
    }

    #[test]
    fn literals_read_back() {
        for text in ["a\"b", r"C:\x", "line\nbreak", r#"a\"b"#, "nul\u{0}", "–"] {
            let literal = quoted(text);
            let parse = kql_syntax::parse(&format!("print {literal}"));
            assert!(parse.errors.is_empty(), "{literal}");
            assert!(format!("{:?}", parse.query).contains(&format!("{text:?}")), "{literal}");
        }
    }
}
