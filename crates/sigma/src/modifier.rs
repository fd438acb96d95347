//! Modifiers: from `field|mod|mod: values` to tests.
//!
//! Modifiers are applied in the order written, to each value; what a later one does depends on what an earlier one made of
//! the value (`wide|base64offset|contains`). Every modifier of specification 2.1 is in [`MODIFIERS`]. Start at [`item`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rule_forms::yaml::{Node, NodeKind, Position};

use crate::SigmaError;
use crate::search::{FieldTest, Likeness, Order, Predicate, Test, TimePart};
use crate::value::{DASHES, Part, Pattern};

/// Every modifier with what it does, in the order of the specification.
pub const MODIFIERS: &[(&str, &str)] = &[
    ("all", "every value has to match, not any"),
    ("startswith", "the field starts with the value"),
    ("endswith", "the field ends with the value"),
    ("contains", "the value is somewhere in the field"),
    ("exists", "the field is there (`true`) or not (`false`)"),
    ("cased", "upper and lower case count"),
    ("neq", "the field has none of the values"),
    ("windash", "the dash of an option in any of its five forms"),
    ("re", "a regular expression, found anywhere in the field; case counts"),
    ("i", "after `re`: case does not count"),
    ("m", "after `re`: `^` and `$` also match at lines"),
    ("s", "after `re`: `.` also matches the end of a line"),
    ("base64", "the value in Base64"),
    ("base64offset", "the value within a Base64 text, at any of three offsets"),
    ("utf16le", "the value as UTF-16, low byte first"),
    ("utf16be", "the value as UTF-16, high byte first"),
    ("utf16", "the value as UTF-16 with its byte order mark"),
    ("wide", "another name of `utf16le`"),
    ("lt", "less than"),
    ("lte", "at most"),
    ("gt", "greater than"),
    ("gte", "at least"),
    ("minute", "the minute of the field's time"),
    ("hour", "the hour of the field's time"),
    ("day", "the day of the month"),
    ("week", "the week of the year"),
    ("month", "the month"),
    ("year", "the year"),
    ("cidr", "an address of the network, IPv4 or IPv6"),
    ("expand", "`%name%` is any value of the watchlist of that name"),
    ("fieldref", "the value is the name of another field"),
];

/// A value on its way through the modifiers.
#[derive(Debug, Clone)]
enum Value {
    /// As read, with the text it was read from.
    Text {
        raw: String,
        pattern: Pattern,
    },
    /// Encoded as bytes that are no text yet.
    Bytes(Vec<u8>),
    /// Any of these, also under `all`.
    AnyOf(Vec<Value>),
    Number(String),
    Bool(bool),
    Null,
}

/// What the modifiers said besides changing values.
#[derive(Debug, Default)]
struct Flags {
    all: bool,
    cased: bool,
    neq: bool,
    exists: bool,
    regex: bool,
    regex_flags: String,
    /// Of a regular expression: `^` before, `$` behind.
    anchors: (bool, bool),
    cidr: bool,
    reference: bool,
    likeness: Option<Likeness>,
    order: Option<Order>,
    time: Option<TimePart>,
}

/// The test of one entry of a detection. `key` is `field|modifier|...`; an empty field is a search of the whole event.
///
/// # Errors
/// Unknown modifiers, and values that a modifier cannot take, with their places.
pub fn item(key: &str, at: Position, value: &Node) -> Result<Test, SigmaError> {
    let mut names = key.split('|');
    let field = names.next().unwrap_or_default().trim();
    let field = (!field.is_empty()).then(|| field.to_string());
    let mut flags = Flags::default();
    let mut values = read_values(value)?;
    for name in names {
        apply(name.trim(), &mut flags, &mut values, at)?;
    }
    let tests = values
        .into_iter()
        .map(|value| predicates(value, &flags, at).map(|found| tests_of(&field, found, at)))
        .collect::<Result<Vec<Test>, SigmaError>>()?;
    let test = if flags.all && !flags.neq { Test::all(tests) } else { Test::any(tests) };
    Ok(if flags.neq { test.negated() } else { test })
}

fn tests_of(field: &Option<String>, found: Vec<(Predicate, bool)>, position: Position) -> Test {
    let one = |(predicate, holds): (Predicate, bool)| {
        let test = Test::Field(FieldTest { field: field.clone(), predicate, position });
        if holds { test } else { test.negated() }
    };
    Test::any(found.into_iter().map(one).collect())
}

fn read_values(node: &Node) -> Result<Vec<Value>, SigmaError> {
    let one = |node: &Node| {
        Ok(match &node.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(value) => Value::Bool(*value),
            NodeKind::Number(text) => Value::Number(text.clone()),
            NodeKind::Text(text) => Value::Text { raw: text.clone(), pattern: Pattern::parse(text) },
            NodeKind::List(_) | NodeKind::Map(_) => {
                return Err(SigmaError::at(node.position, format!("{} is no value of a field", node.kind_name())));
            }
        })
    };
    match &node.kind {
        NodeKind::List(items) => items.iter().map(one).collect(),
        _ => Ok(vec![one(node)?]),
    }
}

fn apply(name: &str, flags: &mut Flags, values: &mut [Value], at: Position) -> Result<(), SigmaError> {
    if let Some(order) = Order::parse(name).filter(|o| !matches!(o, Order::Eq | Order::Neq)) {
        flags.order = Some(order);
        return Ok(());
    }
    if let Some(part) = TimePart::parse(name) {
        flags.time = Some(part);
        return Ok(());
    }
    match name {
        "all" => flags.all = true,
        "cased" => flags.cased = true,
        "neq" => flags.neq = true,
        "exists" => flags.exists = true,
        "cidr" => flags.cidr = true,
        "fieldref" => flags.reference = true,
        "re" => flags.regex = true,
        "i" | "m" | "s" if flags.regex => flags.regex_flags.push_str(name),
        "i" | "m" | "s" => return Err(SigmaError::at(at, format!("the modifier `{name}` only stands after `re`"))),
        "contains" | "startswith" | "endswith" if flags.regex => {
            flags.anchors = (flags.anchors.0 || name == "startswith", flags.anchors.1 || name == "endswith");
        }
        "contains" => {
            flags.likeness = Some(Likeness::Contains);
            change_patterns(values, &|pattern| pattern.after_anything().before_anything());
        }
        "startswith" => {
            flags.likeness = Some(Likeness::StartsWith);
            change_patterns(values, &Pattern::before_anything);
        }
        "endswith" => {
            flags.likeness = Some(Likeness::EndsWith);
            change_patterns(values, &Pattern::after_anything);
        }
        "windash" => change_patterns(values, &Pattern::with_dashes),
        "expand" => change_patterns(values, &Pattern::with_placeholders),
        "base64" | "base64offset" | "utf16le" | "utf16be" | "utf16" | "wide" => {
            for value in values.iter_mut() {
                *value = encoded(name, value, at)?;
            }
        }
        other => return Err(SigmaError::at(at, format!("the modifier `{other}` is not known"))),
    }
    Ok(())
}

/// Applies a change to each text, numbers and bytes read as texts.
fn change_patterns(values: &mut [Value], change: &dyn Fn(Pattern) -> Pattern) {
    for value in values {
        match value {
            Value::Text { pattern, .. } => *pattern = change(std::mem::take(pattern)),
            Value::Number(text) => {
                *value = Value::Text { raw: text.clone(), pattern: change(Pattern::literal(text.clone())) };
            }
            Value::Bytes(bytes) => {
                let text = text_of(bytes);
                *value = Value::Text { raw: text.clone(), pattern: change(Pattern::literal(text)) };
            }
            Value::AnyOf(inner) => change_patterns(inner, change),
            Value::Bool(_) | Value::Null => {}
        }
    }
}

/// Bytes as text: UTF-8 where they are that, else a character a byte.
fn text_of(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| bytes.iter().map(|b| char::from(*b)).collect())
}

fn encoded(name: &str, value: &Value, at: Position) -> Result<Value, SigmaError> {
    if let Value::AnyOf(inner) = value {
        return Ok(Value::AnyOf(inner.iter().map(|v| encoded(name, v, at)).collect::<Result<_, _>>()?));
    }
    if let Value::Text { pattern, .. } = value
        && pattern.parts.contains(&Part::Dash)
    {
        return encoded(name, &Value::AnyOf(each_dash(pattern, at)?), at);
    }
    let bytes = match value {
        Value::Text { pattern, .. } => match pattern.text() {
            Some(text) => text.as_bytes().to_vec(),
            None => return Err(SigmaError::at(at, format!("`{name}` takes no value with wildcards"))),
        },
        Value::Number(text) => text.as_bytes().to_vec(),
        Value::Bytes(bytes) => bytes.clone(),
        Value::AnyOf(_) | Value::Bool(_) | Value::Null => {
            return Err(SigmaError::at(at, format!("`{name}` takes texts")));
        }
    };
    let text = |text: String| Value::Text { raw: text.clone(), pattern: Pattern::literal(text) };
    Ok(match name {
        "base64" => text(STANDARD.encode(bytes)),
        "base64offset" => Value::AnyOf((0..3).map(|offset| text(at_offset(&bytes, offset))).collect()),
        _ => {
            let source = text_of(&bytes);
            let mark: &[u8] = if name == "utf16" { &[0xff, 0xfe] } else { &[] };
            let unit = |unit: u16| if name == "utf16be" { unit.to_be_bytes() } else { unit.to_le_bytes() };
            Value::Bytes(mark.iter().copied().chain(source.encode_utf16().flat_map(unit)).collect())
        }
    })
}

/// What is certain of the Base64 of a longer text that holds these bytes at an offset of this many bytes (modulo 3).
fn at_offset(bytes: &[u8], offset: usize) -> String {
    let padded: Vec<u8> = std::iter::repeat_n(b' ', offset).chain(bytes.iter().copied()).collect();
    let encoded = STANDARD.encode(&padded);
    // Characters that also hold bits of what stands before or behind are cut.
    let start = [0, 2, 3].get(offset).copied().unwrap_or(0);
    let cut = [0, 3, 2].get(padded.len() % 3).copied().unwrap_or(0);
    encoded.get(start..encoded.len().saturating_sub(cut)).unwrap_or_default().to_string()
}

/// Each way to write a pattern's dashes.
fn each_dash(pattern: &Pattern, at: Position) -> Result<Vec<Value>, SigmaError> {
    const DASHES_MAX: usize = 4;
    if pattern.parts.iter().filter(|part| **part == Part::Dash).count() > DASHES_MAX {
        return Err(SigmaError::at(at, format!("more than {DASHES_MAX} dashes to encode in every form")));
    }
    let mut all = vec![Pattern::default()];
    for part in &pattern.parts {
        let choices: Vec<Part> = match part {
            Part::Dash => DASHES.iter().map(|dash| Part::Text(dash.to_string())).collect(),
            other => vec![other.clone()],
        };
        all = all
            .iter()
            .flat_map(|before| {
                choices.iter().map(|choice| {
                    let mut pattern = before.clone();
                    pattern.push(choice.clone());
                    pattern
                })
            })
            .collect();
    }
    Ok(all.into_iter().map(|pattern| Value::Text { raw: String::new(), pattern }).collect())
}

/// What a value asks once all modifiers are applied: predicates, any of which is enough, and whether each has to hold.
fn predicates(value: Value, flags: &Flags, at: Position) -> Result<Vec<(Predicate, bool)>, SigmaError> {
    let plain = |predicate| Ok(vec![(predicate, true)]);
    let wrong = |what: &str| Err(SigmaError::at(at, what.to_string()));
    if let Value::AnyOf(inner) = value {
        let mut found = Vec::new();
        for value in inner {
            found.extend(predicates(value, flags, at)?);
        }
        return Ok(found);
    }
    if flags.exists {
        return match value {
            Value::Bool(wanted) => Ok(vec![(Predicate::Exists, wanted)]),
            Value::Text { raw, .. } if raw.eq_ignore_ascii_case("true") => plain(Predicate::Exists),
            Value::Text { raw, .. } if raw.eq_ignore_ascii_case("false") => Ok(vec![(Predicate::Exists, false)]),
            _ => wrong("`exists` takes true or false"),
        };
    }
    if flags.order.is_some() || flags.time.is_some() {
        let number = match &value {
            Value::Number(text) => text.clone(),
            Value::Text { raw, .. } if raw.trim().parse::<f64>().is_ok() => raw.trim().to_string(),
            _ => return wrong("comparisons take numbers"),
        };
        let order = flags.order.unwrap_or(Order::Eq);
        return plain(match flags.time {
            Some(part) => Predicate::Time { part, order, number },
            None => Predicate::Compare { order, number },
        });
    }
    if flags.regex {
        return plain(Predicate::Regex { source: regex(value, flags, at)?, flags: flags.regex_flags.clone() });
    }
    if flags.reference {
        let Value::Text { raw, .. } = value else { return wrong("`fieldref` takes the name of a field") };
        let likeness = flags.likeness.unwrap_or(Likeness::Equal);
        return plain(Predicate::OtherField { field: raw, likeness, cased: flags.cased });
    }
    if flags.cidr {
        let Value::Text { raw, .. } = value else { return wrong("`cidr` takes a network such as 10.0.0.0/8") };
        return if is_network(&raw) {
            plain(Predicate::Cidr(raw))
        } else {
            wrong("`cidr` takes a network such as 10.0.0.0/8")
        };
    }
    plain(match value {
        Value::Text { pattern, .. } => Predicate::Pattern { pattern, cased: flags.cased },
        Value::Bytes(bytes) => Predicate::Pattern { pattern: Pattern::literal(text_of(&bytes)), cased: flags.cased },
        Value::Number(text) => Predicate::Number(text),
        Value::Bool(value) => Predicate::Bool(value),
        Value::Null | Value::AnyOf(_) => Predicate::Null,
    })
}

fn regex(value: Value, flags: &Flags, at: Position) -> Result<String, SigmaError> {
    let raw = match value {
        Value::Text { raw, .. } | Value::Number(raw) => raw,
        _ => return Err(SigmaError::at(at, "`re` takes a regular expression".to_string())),
    };
    let source = match flags.anchors {
        (false, false) => raw,
        (start, end) => format!("{}(?:{raw}){}", if start { "^" } else { "" }, if end { "$" } else { "" }),
    };
    match regex_syntax::parse(&source) {
        Ok(_) => Ok(source),
        Err(_) => {
            let why = ["(?=", "(?!", "(?<=", "(?<!", "(?>"].iter().find(|group| source.contains(**group));
            let why = why.map_or_else(String::new, |group| format!(": `{group}` is not among what Kusto's have"));
            Err(SigmaError::at(at, format!("the regular expression cannot be run{why}")))
        }
    }
}

fn is_network(text: &str) -> bool {
    let (address, bits) = text.split_once('/').unwrap_or((text, ""));
    let Ok(address) = address.trim().parse::<std::net::IpAddr>() else { return false };
    let most = if address.is_ipv4() { 32 } else { 128 };
    bits.is_empty() || bits.trim().parse::<u8>().is_ok_and(|bits| bits <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(key: &str, value: &str) -> Vec<String> {
        let node = rule_forms::yaml::parse(value).unwrap();
        let test = item(key, Position::START, &node).unwrap();
        let text = |test: &FieldTest| match &test.predicate {
            Predicate::Pattern { pattern, .. } => pattern.regex("*", &|t| t.to_string()).replace('\\', ""),
            other => format!("{other:?}"),
        };
        test.fields().into_iter().map(|(test, _)| text(test)).collect()
    }

    #[test]
    fn encodings_follow_one_another() {
        assert_eq!(texts("c|base64", "'/bin/sh'"), ["L2Jpbi9zaA=="]);
        assert_eq!(
            texts("c|wide|base64offset|contains", "whoami"),
            ["*dwBoAG8AYQBtAGkA*", "*cAaABvAGEAbQBpA*", "*3AGgAbwBhAG0AaQ*"]
        );
        assert_eq!(texts("c|utf16|base64", "hi"), ["//5oAGkA"]);
        assert_eq!(texts("c|utf16be|base64", "hi"), ["AGgAaQ=="]);
        // Each part is in the encoding of a longer text, wherever it stands there.
        for before in ["", "a", "ab", "abc"] {
            let whole = STANDARD.encode(format!("{before}attack!behind"));
            let parts = texts("c|base64offset", "attack!");
            assert!(parts.iter().any(|part| whole.contains(part.as_str())), "{before}: {whole} {parts:?}");
        }
    }

    #[test]
    fn what_a_modifier_cannot_take_is_told() {
        let error = |key: &str, value: &str| {
            let node = rule_forms::yaml::parse(value).unwrap();
            item(key, Position { line: 3, column: 9 }, &node).unwrap_err().to_string()
        };
        assert_eq!(error("a|shout", "x"), "3:9: the modifier `shout` is not known");
        assert!(error("a|base64", "x*").contains("wildcards"));
        assert!(error("a|cidr", "10.0.0.0/40").contains("network"));
        assert!(error("a|gt", "many").contains("numbers"));
        assert!(error("a|re", "'(?=x)y'").contains("`(?=`"));
        assert!(error("a|exists", "maybe").contains("true or false"));
        assert!(error("a|i", "x").contains("after `re`"));
    }

    #[test]
    fn each_modifier_is_known() {
        for (name, _) in MODIFIERS {
            let key = match *name {
                "i" | "m" | "s" => format!("f|re|{name}"),
                name => format!("f|{name}"),
            };
            let value = match *name {
                "exists" => "true",
                "cidr" => "10.0.0.0/8",
                "lt" | "lte" | "gt" | "gte" | "minute" | "hour" | "day" | "week" | "month" | "year" => "5",
                _ => "x",
            };
            let node = rule_forms::yaml::parse(value).unwrap();
            item(&key, Position::START, &node).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }
}
