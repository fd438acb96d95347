//! Functions and operators by name, over values.
//!
//! Begin at [`Context::call`].

use kql_semantics::bound::Expr;
use kql_types::{Dynamic, ScalarType, Value, datetime};
use regex::Regex;

use crate::expr::{Row, from_truth, is_in};
use crate::value::{convert, element, equal, is_null, long, order, plain, real, text, truth};
use crate::{Context, Done, calendar, not_done};

fn string(text: impl Into<String>) -> Value {
    Value::String(text.into())
}

fn array(items: Vec<Dynamic>) -> Value {
    Value::Dynamic(Dynamic::Array(items))
}

fn items(value: &Value) -> Option<&[Dynamic]> {
    match value {
        Value::Dynamic(value) => value.as_array(),
        _ => None,
    }
}

/// Texts on the right of `has_any` and the like: an array stands for its elements.
fn needles(values: &[Value]) -> Vec<String> {
    let of = |value: &Value| match items(value) {
        Some(items) => items.iter().map(Dynamic::to_text).collect(),
        None => vec![text(value)],
    };
    values.iter().flat_map(of).collect()
}

/// The groups `\1` of a replacement as `${1}`.
fn rewrite(replacement: &str) -> Done<String> {
    let mut rewritten = String::new();
    let mut chars = replacement.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next().filter(char::is_ascii_digit) {
                Some(digit) => rewritten.push_str(&format!("${{{digit}}}")),
                None => return not_done("a backslash in a replacement"),
            },
            ('$', _) => rewritten.push_str("$$"),
            _ => rewritten.push(c),
        }
    }
    Ok(rewritten)
}

pub fn regex(pattern: &str) -> Done<Regex> {
    Regex::new(pattern).or_else(|_| not_done("a regular expression of another kind"))
}

impl Context<'_> {
    pub fn call(&self, name: &str, args: &[Expr], ty: ScalarType, row: Row<'_>) -> Done<Value> {
        let values: Done<Vec<Value>> = args.iter().map(|arg| self.value(arg, row)).collect();
        let values = values?;
        match (name, values.as_slice()) {
            ("now", []) => return Ok(Value::DateTime(self.now)),
            ("now", [offset]) => return Ok(long(offset).map_or(Value::Null(ty), |o| Value::DateTime(self.now + o))),
            ("ago", [span]) => return Ok(long(span).map_or(Value::Null(ty), |s| Value::DateTime(self.now - s))),
            _ => {}
        }
        if let Some(value) = predicate(name, &values)? {
            return Ok(value);
        }
        if let Some(value) = of_text(name, &values, ty)? {
            return Ok(value);
        }
        if let Some(value) = of_array(name, &values)? {
            return Ok(value);
        }
        if let Some(value) = of_time(name, &values)? {
            return Ok(value);
        }
        match (name, values.as_slice()) {
            ("+" | "-" | "*" | "/" | "%", [left, right]) => arithmetic(name, left, right, ty),
            ("-", [value]) => arithmetic("-", &Value::Long(0), value, ty),
            ("abs", [value]) => match real(value) {
                Some(value) => convert(&Value::Real(value.abs()), ty),
                None => not_done("abs"),
            },
            ("round", [value]) => Ok(real(value).map_or(Value::Null(ty), |value| Value::Real(value.round()))),
            ("round", [value, digits]) => match (real(value), long(digits)) {
                (Some(value), Some(digits)) => {
                    let power = 10_f64.powi(digits as i32);
                    Ok(Value::Real((value * power).round() / power))
                }
                _ => Ok(Value::Null(ty)),
            },
            ("toint" | "tolong" | "toreal" | "todouble" | "tobool" | "toboolean" | "toguid", [value]) => {
                convert(value, ty)
            }
            ("bin" | "floor", [value, size]) => bin(value, size, ty),
            ("max_of" | "min_of", _) => {
                let wanted = if name == "max_of" { std::cmp::Ordering::Greater } else { std::cmp::Ordering::Less };
                let mut best: Option<&Value> = None;
                for value in values.iter().filter(|value| !is_null(value)) {
                    if match best {
                        None => true,
                        Some(known) => order(value, known)? == Some(wanted),
                    } {
                        best = Some(value);
                    }
                }
                best.map_or(Ok(Value::missing(ty)), |best| convert(best, ty))
            }
            _ => not_done(name),
        }
    }
}

/// Comparisons and tests.
fn predicate(name: &str, values: &[Value]) -> Done<Option<Value>> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let ordered = |wanted: &[std::cmp::Ordering]| -> Done<Value> {
        let [left, right] = values else { return not_done(name) };
        if is_null(left) || is_null(right) {
            return Ok(Value::Null(ScalarType::Bool));
        }
        Ok(Value::Bool(order(left, right)?.is_some_and(|order| wanted.contains(&order))))
    };
    let value = match (name, values) {
        ("==", [left, right]) => from_truth(equal(left, right)?),
        ("!=" | "<>", [left, right]) => from_truth(equal(left, right)?.map(|equal| !equal)),
        ("<", _) => ordered(&[Less])?,
        ("<=", _) => ordered(&[Less, Equal])?,
        (">", _) => ordered(&[Greater])?,
        (">=", _) => ordered(&[Greater, Equal])?,
        ("between" | "!between", [value, low, high]) => {
            let inside = match (order(value, low)?, order(value, high)?) {
                (Some(low), Some(high)) => Some(low != Less && high != Greater),
                _ => None,
            };
            from_truth(inside.map(|inside| inside == (name == "between")))
        }
        ("not", [value]) => from_truth(truth(value).map(|value| !value)),
        ("isempty", [value]) => Value::Bool(text(value).is_empty()),
        ("isnotempty" | "notempty", [value]) => Value::Bool(!text(value).is_empty()),
        ("isnull", [value]) => Value::Bool(is_null(value)),
        ("isnotnull" | "notnull", [value]) => Value::Bool(!is_null(value)),
        ("in" | "in~" | "!in" | "!in~", [value, rest @ ..]) => {
            Value::Bool(is_in(value, rest, name.ends_with('~'))? != name.starts_with('!'))
        }
        ("has_any", [value, rest @ ..]) => {
            let value = text(value);
            Value::Bool(needles(rest).iter().any(|needle| crate::text::has(&value, needle, false)))
        }
        ("has_all", [value, rest @ ..]) => {
            let value = text(value);
            Value::Bool(needles(rest).iter().all(|needle| crate::text::has(&value, needle, false)))
        }
        ("matches regex", [value, pattern]) => Value::Bool(regex(&text(pattern))?.is_match(&text(value))),
        ("!~", [left, right]) => Value::Bool(crate::text::fold(&text(left)) != crate::text::fold(&text(right))),
        ("ipv4_is_private", [value]) => match text(value).parse::<std::net::Ipv4Addr>() {
            Ok(address) => Value::Bool(address.is_private()),
            Err(_) if text(value).contains('/') => return not_done("ipv4_is_private of a range"),
            Err(_) => Value::Null(ScalarType::Bool),
        },
        ("ipv4_is_match", [left, right]) => from_truth(same_network(&text(left), &text(right))),
        (_, [value, needle]) => {
            let (plain, wanted) = name.strip_prefix('!').map_or((name, true), |name| (name, false));
            match crate::text::holds(plain, &text(value), &text(needle)) {
                Some(held) => Value::Bool(held == wanted),
                None => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(value))
}

/// Whether two addresses are equal in the bits that the shorter of their prefixes keeps.
fn same_network(left: &str, right: &str) -> Option<bool> {
    let read = |text: &str| -> Option<(u32, u32)> {
        let (address, bits) = text.split_once('/').unwrap_or((text, "32"));
        let bits = bits.parse().ok().filter(|bits| *bits <= 32)?;
        Some((u32::from(address.parse::<std::net::Ipv4Addr>().ok()?), bits))
    };
    let ((left, left_bits), (right, right_bits)) = (read(left)?, read(right)?);
    let mask = u32::MAX.checked_shl(32 - left_bits.min(right_bits)).unwrap_or(0);
    Some(left & mask == right & mask)
}

fn of_text(name: &str, values: &[Value], ty: ScalarType) -> Done<Option<Value>> {
    let at = |place: usize| values.get(place).map(text).unwrap_or_default();
    let number = |place: usize| values.get(place).and_then(long);
    let trimmed = |pattern: String| -> Done<Value> { Ok(string(regex(&pattern)?.replace(&at(1), ""))) };
    Ok(Some(match (name, values.len()) {
        ("tostring", 1) => string(at(0)),
        ("tolower", 1) => string(at(0).to_lowercase()),
        ("toupper", 1) => string(at(0).to_uppercase()),
        ("strlen", 1) => Value::Long(at(0).chars().count() as i64),
        ("strcat", _) => string(values.iter().map(text).collect::<String>()),
        ("strcat_delim", _) => string(values.iter().skip(1).map(text).collect::<Vec<_>>().join(&at(0))),
        ("substring", 2 | 3) => match number(1) {
            Some(start) => string(crate::text::substring(&at(0), start, number(2))),
            None => return not_done("substring at null"),
        },
        ("split", 2) => array(crate::text::split(&at(0), &at(1)).into_iter().map(Dynamic::String).collect()),
        ("split", 3) => {
            let parts = crate::text::split(&at(0), &at(1));
            let part = number(2).and_then(|place| usize::try_from(place).ok()).and_then(|place| parts.get(place));
            match part {
                Some(part) => array(vec![Dynamic::String(part.clone())]),
                None => return not_done("split beyond its parts"),
            }
        }
        ("string_size", 1) => Value::Long(at(0).len() as i64),
        ("reverse", 1) => string(at(0).chars().rev().collect::<String>()),
        ("trim_start", 2) => trimmed(format!("^(?:{})", at(0)))?,
        ("trim_end", 2) => trimmed(format!("(?:{})$", at(0)))?,
        ("trim", 2) => {
            let start = trimmed(format!("^(?:{})", at(0)))?;
            string(regex(&format!("(?:{})$", at(0)))?.replace(&text(&start), ""))
        }
        ("replace_string", 3) if !at(1).is_empty() => string(at(0).replace(&at(1), &at(2))),
        ("replace_string", 3) => string(at(0)),
        ("tohex", 1) => match number(0) {
            Some(value) => string(format!("{value:x}")),
            None => string(""),
        },
        ("tohex", 2) => match (values.first(), number(0), number(1).and_then(|width| usize::try_from(width).ok())) {
            (Some(Value::Int(value)), _, Some(width)) => string(format!("{value:0width$x}")),
            (_, Some(value), Some(width)) => string(format!("{value:0width$x}")),
            _ => string(""),
        },
        ("replace_regex", 3) => string(regex(&at(1))?.replace_all(&at(0), rewrite(&at(2))?)),
        ("replace", 3) => string(regex(&at(0))?.replace_all(&at(2), rewrite(&at(1))?)),
        ("indexof", 2) => Value::Long(match at(0).find(&at(1)) {
            Some(place) => at(0).get(..place).map_or(0, |before| before.chars().count()) as i64,
            None => -1,
        }),
        ("countof", 2) if !at(1).is_empty() => {
            let (value, needle) = (at(0), at(1));
            let found = value.char_indices().filter(|(place, _)| value[*place..].starts_with(&needle));
            Value::Long(found.count() as i64)
        }
        ("extract", 3 | 4) => {
            let group = usize::try_from(number(1).unwrap_or(0)).unwrap_or(0);
            let value = at(2);
            let found =
                regex(&at(0))?.captures(&value).and_then(|found| found.get(group).map(|m| m.as_str().to_string()));
            convert(&string(found.unwrap_or_default()), ty)?
        }
        ("extract_all" | "extractall", 2 | 3) => extract_all(values)?,
        ("parse_json" | "todynamic" | "parsejson" | "toobject", 1) => match values.first() {
            Some(Value::String(text)) if text.is_empty() => Value::Dynamic(Dynamic::Null),
            Some(Value::String(text)) => {
                Value::Dynamic(Dynamic::parse_json(text).unwrap_or_else(|| Dynamic::String(text.clone())))
            }
            Some(Value::Dynamic(Dynamic::String(text))) => {
                Value::Dynamic(Dynamic::parse_json(text).unwrap_or_else(|| Dynamic::String(text.clone())))
            }
            Some(other) => Value::Dynamic(element(other)),
            None => return Ok(None),
        },
        // A path of plain keys, without quotes: `$.a.b`.
        ("extractjson", 2 | 3) => match at(0).strip_prefix("$.") {
            Some(path) if path.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '_') => {
                let document = Dynamic::parse_json(&at(1)).unwrap_or(Dynamic::Null);
                let found = path.split('.').try_fold(document, |here, key| here.get(key).cloned());
                convert(&found.map_or(Value::Dynamic(Dynamic::Null), Value::Dynamic), ty)?
            }
            _ => return not_done("extractjson of another path"),
        },
        ("base64_decode_tostring" | "base64_decodestring", 1) => {
            use base64::Engine as _;
            let decoded = base64::engine::general_purpose::STANDARD.decode(at(0));
            string(decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default())
        }
        _ => return Ok(None),
    }))
}

/// The groups of every match; one group gives texts, several give arrays of texts.
fn extract_all(values: &[Value]) -> Done<Value> {
    let at = |place: usize| values.get(place).map(text).unwrap_or_default();
    let (pattern, value) = (regex(&at(0))?, at(values.len() - 1));
    let wanted: Vec<usize> = match values.get(1).and_then(items).filter(|_| values.len() == 3) {
        None => (1..pattern.captures_len()).collect(),
        Some(chosen) => {
            let numbers = chosen.iter().map(|item| match item {
                Dynamic::Long(group) => usize::try_from(*group).ok().filter(|g| *g < pattern.captures_len()),
                _ => None,
            });
            match numbers.collect::<Option<Vec<usize>>>() {
                Some(numbers) => numbers,
                None => return not_done("extract_all by names"),
            }
        }
    };
    let text =
        |group: Option<regex::Match<'_>>| Dynamic::String(group.map(|m| m.as_str().to_string()).unwrap_or_default());
    let found: Vec<Dynamic> = match wanted.as_slice() {
        [] => return not_done("extract_all without a group"),
        [only] => pattern.captures_iter(&value).map(|found| text(found.get(*only))).collect(),
        _ => {
            let all = |found: regex::Captures<'_>| wanted.iter().map(|group| text(found.get(*group))).collect();
            pattern.captures_iter(&value).map(|found| Dynamic::Array(all(found))).collect()
        }
    };
    Ok(if found.is_empty() { Value::Dynamic(Dynamic::Null) } else { array(found) })
}

fn of_array(name: &str, values: &[Value]) -> Done<Option<Value>> {
    let null = Value::Dynamic(Dynamic::Null);
    Ok(Some(match (name, values) {
        ("pack_array", _) => array(values.iter().map(element).collect()),
        ("bag_pack" | "pack" | "pack_dictionary", _) if values.len().is_multiple_of(2) => {
            let pairs = values.chunks(2).filter_map(|pair| Some((text(pair.first()?), element(pair.get(1)?))));
            Value::Dynamic(Dynamic::Bag(pairs.collect()))
        }
        ("array_length" | "arraylength", [value]) => {
            items(value).map_or(Value::Null(ScalarType::Long), |items| Value::Long(items.len() as i64))
        }
        ("array_slice", [list, start, end]) => match (items(list), long(start), long(end)) {
            (Some(list), Some(start), Some(end)) => {
                let place = |at: i64| if at < 0 { at + list.len() as i64 } else { at };
                let (start, end) = (place(start).max(0), place(end));
                let within = list.iter().enumerate().filter(|(at, _)| (start..=end).contains(&(*at as i64)));
                array(within.map(|(_, item)| item.clone()).collect())
            }
            _ => null,
        },
        ("array_concat", _) => match values.iter().map(items).collect::<Option<Vec<_>>>() {
            Some(all) => array(all.concat()),
            None => return not_done("array_concat of something else"),
        },
        ("array_index_of", [list, value]) => match items(list) {
            Some(list) => {
                let place = list.iter().position(|item| item.same(&element(value)));
                Value::Long(place.map_or(-1, |place| place as i64))
            }
            None => Value::Null(ScalarType::Long),
        },
        ("set_has_element", [list, value]) => match items(list) {
            Some(list) => Value::Bool(list.iter().any(|item| item.same(&element(value)))),
            None => Value::Null(ScalarType::Bool),
        },
        ("set_union" | "set_difference" | "set_intersect", [first, rest @ ..]) => {
            let others: Option<Vec<&[Dynamic]>> = rest.iter().map(items).collect();
            let (Some(first), Some(others)) = (items(first), others) else { return not_done(name) };
            let within = |list: &[Dynamic], item: &Dynamic| list.iter().any(|known| known.same(item));
            let mut set: Vec<Dynamic> = Vec::new();
            let candidates: Vec<Dynamic> = match name {
                "set_union" => std::iter::once(first).chain(others.iter().copied()).flatten().cloned().collect(),
                "set_difference" => first.iter().filter(|i| !others.iter().any(|o| within(o, i))).cloned().collect(),
                _ => first.iter().filter(|i| others.iter().all(|o| within(o, i))).cloned().collect(),
            };
            for item in candidates {
                if !within(&set, &item) {
                    set.push(item);
                }
            }
            array(set)
        }
        ("strcat_array", [list, delimiter]) => match items(list) {
            Some(list) => string(list.iter().map(Dynamic::to_text).collect::<Vec<_>>().join(&text(delimiter))),
            None => string(""),
        },
        ("bag_keys", [value]) => match value {
            Value::Dynamic(Dynamic::Bag(entries)) => {
                array(entries.iter().map(|(key, _)| Dynamic::String(key.clone())).collect())
            }
            _ => null,
        },
        _ => return Ok(None),
    }))
}

fn of_time(name: &str, values: &[Value]) -> Done<Option<Value>> {
    let ticks = |place: usize| values.get(place).and_then(long);
    let moment = |ticks: Option<i64>| ticks.map_or(Value::Null(ScalarType::DateTime), Value::DateTime);
    Ok(Some(match name {
        "startofday" | "startofhour" | "startofweek" | "startofmonth" | "startofyear" => {
            let offset = values.get(1).and_then(long).unwrap_or(0);
            moment(ticks(0).and_then(|at| calendar::start_of(&name[7..], at, offset)))
        }
        "endofday" | "endofweek" | "endofmonth" | "endofyear" => {
            let offset = values.get(1).and_then(long).unwrap_or(0);
            moment(ticks(0).and_then(|at| calendar::start_of(&name[5..], at, offset + 1)).map(|next| next - 1))
        }
        "datetime_diff" => match (values.first().map(text), ticks(1), ticks(2)) {
            (Some(period), Some(later), Some(earlier)) => match calendar::difference(&period, later, earlier) {
                Some(count) => Value::Long(count),
                None => return not_done(format!("datetime_diff of {period}")),
            },
            _ => Value::Null(ScalarType::Long),
        },
        "dayofweek" => match ticks(0) {
            Some(at) => Value::TimeSpan(datetime::day_of_week(at) * datetime::TICKS_PER_DAY),
            None => Value::Null(ScalarType::TimeSpan),
        },
        "hourofday" | "getyear" | "getmonth" | "monthofyear" | "dayofmonth" | "dayofyear" => {
            let part = match name {
                "hourofday" => "hour",
                "getyear" => "year",
                "dayofmonth" => "day",
                "dayofyear" => "dayofyear",
                _ => "month",
            };
            match ticks(0).and_then(|at| calendar::part(part, at)).and_then(|part| i32::try_from(part).ok()) {
                Some(part) => Value::Int(part),
                None => Value::Null(ScalarType::Int),
            }
        }
        "datetime_part" => match (values.first().map(text), ticks(1)) {
            (Some(part), Some(at)) => match calendar::part(&part, at).and_then(|part| i32::try_from(part).ok()) {
                Some(part) => Value::Int(part),
                None => return not_done(format!("datetime_part of {part}")),
            },
            _ => Value::Null(ScalarType::Int),
        },
        "format_datetime" => match (ticks(0), values.get(1).map(text)) {
            (Some(at), Some(pattern)) => match calendar::format(at, &pattern) {
                Some(text) => string(text),
                None => return not_done("a letter of format_datetime"),
            },
            _ => string(""),
        },
        "todatetime" => convert(values.first().unwrap_or(&Value::Null(ScalarType::String)), ScalarType::DateTime)?,
        "totimespan" => convert(values.first().unwrap_or(&Value::Null(ScalarType::String)), ScalarType::TimeSpan)?,
        "unixtime_seconds_todatetime" => moment(after_epoch(values, datetime::TICKS_PER_SECOND)),
        "unixtime_milliseconds_todatetime" => moment(after_epoch(values, datetime::TICKS_PER_MILLISECOND)),
        _ => return Ok(None),
    }))
}

fn after_epoch(values: &[Value], unit: i64) -> Option<i64> {
    Some(datetime::UNIX_EPOCH + (real(values.first()?)? * unit as f64) as i64)
}

/// `+ - * / %`, by the types of the two sides; null where a side is, and where whole numbers are divided by zero.
pub fn arithmetic(name: &str, left: &Value, right: &Value, ty: ScalarType) -> Done<Value> {
    if is_null(left) || is_null(right) {
        return Ok(Value::Null(ty));
    }
    let (left, right) = (plain(left), plain(right));
    Ok(match (name, &left, &right) {
        ("+", Value::DateTime(at), Value::TimeSpan(span)) | ("+", Value::TimeSpan(span), Value::DateTime(at)) => {
            Value::DateTime(at + span)
        }
        ("-", Value::DateTime(at), Value::TimeSpan(span)) => Value::DateTime(at - span),
        ("-", Value::DateTime(later), Value::DateTime(earlier)) => Value::TimeSpan(later - earlier),
        ("+", Value::TimeSpan(left), Value::TimeSpan(right)) => Value::TimeSpan(left + right),
        ("-", Value::TimeSpan(left), Value::TimeSpan(right)) => Value::TimeSpan(left - right),
        ("/", Value::TimeSpan(left), Value::TimeSpan(right)) => Value::Real(*left as f64 / *right as f64),
        ("*", Value::TimeSpan(span), times) | ("*", times, Value::TimeSpan(span)) => match times {
            Value::Long(times) => Value::TimeSpan(span * times),
            Value::Int(times) => Value::TimeSpan(span * i64::from(*times)),
            _ => return not_done("a timespan times something else"),
        },
        (_, Value::Int(_) | Value::Long(_), Value::Int(_) | Value::Long(_)) => {
            let (Some(left), Some(right)) = (long(&left), long(&right)) else { return not_done(name) };
            let made = match name {
                "+" => Some(left.wrapping_add(right)),
                "-" => Some(left.wrapping_sub(right)),
                "*" => Some(left.wrapping_mul(right)),
                "/" if right == 0 => None,
                "%" if right == 0 => None,
                "/" => Some(left.wrapping_div(right)),
                "%" if left >= 0 && right > 0 => Some(left % right),
                _ => return not_done("the rest of a negative number"),
            };
            return made.map_or(Ok(Value::Null(ty)), |made| convert(&Value::Long(made), ty));
        }
        _ => match (real(&left), real(&right)) {
            (Some(left), Some(right)) => Value::Real(match name {
                "+" => left + right,
                "-" => left - right,
                "*" => left * right,
                "/" => left / right,
                _ => return not_done("the rest of a real"),
            }),
            _ => return not_done(format!("{} {name} {}", left.ty(), right.ty())),
        },
    })
}

/// The greatest multiple of a size that is not above the value.
fn bin(value: &Value, size: &Value, ty: ScalarType) -> Done<Value> {
    if is_null(value) || is_null(size) {
        return Ok(Value::Null(ty));
    }
    match (plain(value), plain(size)) {
        (Value::DateTime(at), Value::TimeSpan(size)) if size > 0 => Ok(Value::DateTime(at.div_euclid(size) * size)),
        (Value::TimeSpan(span), Value::TimeSpan(size)) if size > 0 => Ok(Value::TimeSpan(span.div_euclid(size) * size)),
        (value @ (Value::Int(_) | Value::Long(_)), size @ (Value::Int(_) | Value::Long(_))) => {
            match (long(&value), long(&size)) {
                (Some(value), Some(size)) if size > 0 => convert(&Value::Long(value.div_euclid(size) * size), ty),
                _ => Ok(Value::Null(ty)),
            }
        }
        (value, size) => match (real(&value), real(&size)) {
            (Some(value), Some(size)) if size > 0.0 => convert(&Value::Real((value / size).floor() * size), ty),
            _ => not_done("bin of something else"),
        },
    }
}
