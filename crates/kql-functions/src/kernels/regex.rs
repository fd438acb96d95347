//! Regular expressions: extracting, replacing, trimming, counting.
//!
//! The syntax is that of the `regex` crate, as it is in Kusto: `\d`, `\w`, `\s` and `(?i)` know Unicode, and `.` does not match
//! a line feed.

use std::sync::Arc;

use kql_types::dynamic::push_json_string;
use kql_types::{Dynamic, ScalarType, datetime, guid, number, timespan};
use regex::{Captures, Regex};

use super::access::Rewrite;
use super::budget::text_room;
use super::cache::{self, Regexes};
use super::string::{NegativeStart, SearchRange};
use super::{Args, KernelError, KernelResult};

/// `extract(regex, captureGroup, source [, typeof(T)])`
pub fn extract(args: &Args<'_>) -> KernelResult {
    let (group, source) = (args.long(1)?, args.text(2)?);
    let regexes = Regexes::of(args, &args.text(0)?)?;
    let find = |row: usize| -> Option<&str> {
        let group = usize::try_from(group.opt(row)?).ok()?;
        let text = source.at(row);
        let regex = regexes.at(row);
        if group == 0 {
            return regex.find(text).map(|found| found.as_str());
        }
        regex.captures(text)?.get(group).map(|found| found.as_str())
    };
    match args.returns {
        ScalarType::String => args.to_slices(&source, |row, _| find(row).unwrap_or_default()),
        ScalarType::Int => args.to_ints(|row| number::parse_int(find(row)?)),
        ScalarType::Long => args.to_longs(|row| number::parse_long(find(row)?)),
        ScalarType::Real => args.to_reals(|row| number::parse_real(find(row)?)),
        ScalarType::DateTime => args.to_longs(|row| datetime::parse(find(row)?)),
        ScalarType::TimeSpan => args.to_longs(|row| timespan::parse(find(row)?)),
        ScalarType::Bool => args.to_bools(|row| parse_bool(find(row)?)),
        ScalarType::Guid => args.to_dynamics(|row, out| {
            out.push_str(&guid::parse(find(row)?)?);
            Some(())
        }),
        ScalarType::Decimal => args.to_decimals(|row| super::printed::parse_decimal(find(row)?)),
        ScalarType::Dynamic | ScalarType::Unknown => args.to_dynamics(|row, out| {
            let text = find(row)?;
            match Dynamic::parse_json(text) {
                Some(Dynamic::Null) => return None,
                Some(value) => value.write_canonical(out),
                None => push_json_string(text, out),
            }
            Some(())
        }),
    }
}

/// What `tobool` reads: `true`, `false` in any case, or a number.
fn parse_bool(text: &str) -> Option<bool> {
    match text.trim() {
        text if text.eq_ignore_ascii_case("true") => Some(true),
        text if text.eq_ignore_ascii_case("false") => Some(false),
        text => number::parse_long(text).map(|value| value != 0),
    }
}

/// `extract_all(regex [, captureGroups], source)`
pub fn extract_all(args: &Args<'_>) -> KernelResult {
    let source = args.text(args.count().saturating_sub(1))?;
    let groups = if args.count() > 2 { Some(args.text(1)?) } else { None };
    let regexes = Regexes::of(args, &args.text(0)?)?;
    let mut known: Option<(&str, *const Regex, Vec<usize>)> = None;
    args.to_dynamics(|row, out| {
        let regex = regexes.at(row);
        let asked = groups.as_ref().map_or("", |groups| groups.at(row));
        if known.as_ref().is_none_or(|(text, of, _)| *text != asked || !std::ptr::eq(*of, regex)) {
            known = Some((asked, regex, wanted_groups(regex, asked)));
        }
        let (_, _, wanted) = known.as_ref()?;
        let mut any = false;
        for captures in regex.captures_iter(source.at(row)) {
            out.push(if any { ',' } else { '[' });
            any = true;
            push_captures(&captures, wanted, out);
        }
        if any {
            out.push(']');
        }
        any.then_some(())
    })
}

/// The groups that a list of numbers and names chooses; all groups without a list, the whole match when there are none.
fn wanted_groups(regex: &Regex, list: &str) -> Vec<usize> {
    let chosen: Vec<usize> = match Dynamic::parse(list) {
        Some(Dynamic::Array(items)) => items
            .iter()
            .filter_map(|item| match item {
                Dynamic::Long(number) => usize::try_from(*number).ok(),
                Dynamic::String(name) => regex.capture_names().position(|known| known == Some(name)),
                _ => None,
            })
            .filter(|group| *group < regex.captures_len())
            .collect(),
        _ => (1..regex.captures_len()).collect(),
    };
    if chosen.is_empty() { vec![0] } else { chosen }
}

fn push_captures(captures: &Captures<'_>, wanted: &[usize], out: &mut String) {
    let text = |group: &usize| captures.get(*group).map_or("", |found| found.as_str());
    if let [group] = wanted {
        return push_json_string(text(group), out);
    }
    for (index, group) in wanted.iter().enumerate() {
        out.push(if index == 0 { '[' } else { ',' });
        push_json_string(text(group), out);
    }
    out.push(']');
}

/// `replace_regex(source, regex, rewrite)`
pub fn replace_regex(args: &Args<'_>) -> KernelResult {
    rewrite(args, 0, 1, 2)
}

/// `replace(regex, rewrite, source)`
pub fn replace(args: &Args<'_>) -> KernelResult {
    rewrite(args, 2, 0, 1)
}

fn rewrite(args: &Args<'_>, source: usize, pattern: usize, with: usize) -> KernelResult {
    let (source, with) = (args.text(source)?, args.text(with)?);
    let regexes = Regexes::of(args, &args.text(pattern)?)?;
    let room = text_room();
    args.to_rewrites(&source, |row, text, out| {
        let (regex, with) = (regexes.at(row), with.at(row));
        let mut last = 0;
        if with.contains('\\') {
            for captures in regex.captures_iter(text) {
                let Some(whole) = captures.get(0).filter(|_| out.len() <= room) else { break };
                out.push_str(text.get(last..whole.start()).unwrap_or_default());
                push_rewrite(&captures, with, out);
                last = whole.end();
            }
        } else {
            for found in regex.find_iter(text) {
                if out.len() > room {
                    break;
                }
                out.push_str(text.get(last..found.start()).unwrap_or_default());
                out.push_str(with);
                last = found.end();
            }
        }
        if last == 0 && out.is_empty() {
            return Rewrite::Part(text);
        }
        out.push_str(text.get(last..).unwrap_or_default());
        Rewrite::Written
    })
}

/// Appends the new text, with `\0` to `\9` replaced by what the groups matched and `\\` by one backslash.
fn push_rewrite(captures: &Captures<'_>, with: &str, out: &mut String) {
    let mut chars = with.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some(digit) if digit.is_ascii_digit() => {
                let group = digit as usize - '0' as usize;
                out.push_str(captures.get(group).map_or("", |found| found.as_str()));
            }
            Some('\\') => out.push('\\'),
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
            None => out.push('\\'),
        }
    }
}

/// `trim(regex, source)`: one match at each end.
pub fn trim(args: &Args<'_>) -> KernelResult {
    let (pattern, source) = (args.text(0)?, args.text(1)?);
    let (starts, ends) = (Regexes::of_form(args, &pattern, at_start)?, Regexes::of_form(args, &pattern, at_end)?);
    args.to_slices(&source, |row, text| trim_after(ends.at(row), trim_before(starts.at(row), text)))
}

/// `trim_start(regex, source)`
pub fn trim_start(args: &Args<'_>) -> KernelResult {
    let (pattern, source) = (args.text(0)?, args.text(1)?);
    let starts = Regexes::of_form(args, &pattern, at_start)?;
    args.to_slices(&source, |row, text| trim_before(starts.at(row), text))
}

/// `trim_end(regex, source)`
pub fn trim_end(args: &Args<'_>) -> KernelResult {
    let (pattern, source) = (args.text(0)?, args.text(1)?);
    let ends = Regexes::of_form(args, &pattern, at_end)?;
    args.to_slices(&source, |row, text| trim_after(ends.at(row), text))
}

fn at_start(pattern: &str) -> Result<Arc<Regex>, KernelError> {
    cache::regex(pattern)?;
    cache::regex(&format!(r"\A(?:{pattern})"))
}

fn at_end(pattern: &str) -> Result<Arc<Regex>, KernelError> {
    cache::regex(pattern)?;
    cache::regex(&format!(r"(?:{pattern})\z"))
}

fn trim_before<'t>(regex: &Regex, text: &'t str) -> &'t str {
    regex.find(text).and_then(|found| text.get(found.end()..)).unwrap_or(text)
}

fn trim_after<'t>(regex: &Regex, text: &'t str) -> &'t str {
    regex.find(text).and_then(|found| text.get(..found.start())).unwrap_or(text)
}

/// `countof(source, search [, kind])`
pub fn countof(args: &Args<'_>) -> KernelResult {
    let (source, search) = (args.text(0)?, args.text(1)?);
    let kind = args.text_or(2, "normal")?;
    match kind.at(0) {
        "regex" => {
            let regexes = Regexes::of(args, &search)?;
            args.to_longs(|row| regexes.at(row).find_iter(source.at(row)).count() as i64)
        }
        "normal" | "" => args.to_longs(|row| count_overlapping(source.at(row), search.at(row))),
        other => Err(KernelError(format!("countof() knows the kinds normal and regex, not '{other}'"))),
    }
}

/// Plain occurrences may overlap: `countof("aaaa", "aa")` is 3.
fn count_overlapping(text: &str, wanted: &str) -> i64 {
    if wanted.is_empty() {
        return 0;
    }
    let finder = memchr::memmem::Finder::new(wanted);
    let (mut from, mut count) = (0, 0);
    while let Some(found) = text.as_bytes().get(from..).and_then(|rest| finder.find(rest)) {
        count += 1;
        from += found + 1;
    }
    count
}

/// `indexof_regex(source, regex [, start [, length [, occurrence]]])`
pub fn indexof_regex(args: &Args<'_>) -> KernelResult {
    let source = args.printed(0)?;
    let regexes = Regexes::of(args, &args.text(1)?)?;
    let (start, length, occurrence) = (args.long_or(2, 0)?, args.long_or(3, -1)?, args.long_or(4, 1)?);
    let mut buffer = String::new();
    args.to_longs(|row| {
        let text = source.at(row, &mut buffer);
        let range =
            SearchRange::of(text, start.opt(row)?, length.opt(row)?, occurrence.opt(row)?, NegativeStart::Wrong)?;
        // Matches do not overlap: the next one starts where the last one ended.
        let mut free = 0;
        Some(range.position(text, |from| {
            let found = regexes.at(row).find_at(text, from.max(free))?;
            free = found.end();
            Some(found.start())
        }))
    })
}

/// `regex_quote(text)`
pub fn regex_quote(args: &Args<'_>) -> KernelResult {
    let text = args.text(0)?;
    args.to_texts(|row, out| out.push_str(&regex::escape(text.at(row))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::KernelFn;
    use crate::kernels::testing::{Cell, call, try_call};

    fn text(kernel: KernelFn, args: &[&str]) -> String {
        let cells: Vec<Cell> = args.iter().map(|arg| Cell::from(*arg)).collect();
        match call(kernel, &cells, ScalarType::String) {
            Cell::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn trim_takes_one_match_at_each_end() {
        assert_eq!(text(trim, &["x", "xxabcxx"]), "xabcx");
        assert_eq!(text(trim, &["x", "x"]), "");
        assert_eq!(text(trim, &[r"\s+", "  a b\t\n"]), "a b");
        assert_eq!(text(trim, &["a*", "aaatestaaaa"]), "test");
        assert_eq!(text(trim_end, &["b+", "abb"]), "a");
        assert_eq!(text(trim_start, &["a|ab", "abc"]), "bc");
        assert_eq!(text(trim, &[r"\s", "\u{a0}x\u{a0}"]), "x", "blanks are those of Unicode");
    }

    #[test]
    fn rewriting() {
        assert_eq!(text(replace_regex, &["one two", r"(\w)(\w)", r"\2\1"]), "noe wto");
        assert_eq!(text(replace_regex, &["a.b", r"\.", r"\\"]), r"a\b");
        assert_eq!(text(replace_regex, &["abc", "x", "y"]), "abc");
        assert_eq!(text(replace_regex, &["abc", ".", ""]), "");
        assert_eq!(text(replace, &[r"(\d+)", r"<\0>", "a12"]), "a<12>");
    }

    #[test]
    fn extracting() {
        let at = |regex: &str, group: i64, s: &str, ty| call(extract, &[regex.into(), group.into(), s.into()], ty);
        assert_eq!(at(r"x=(\d+)", 1, "a x=42", ScalarType::String), Cell::Text("42".into()));
        assert_eq!(at(r"x=(\d+)", 0, "a x=42", ScalarType::String), Cell::Text("x=42".into()));
        assert_eq!(at(r"x=(\d+)", 7, "a x=42", ScalarType::String), Cell::Text(String::new()));
        assert_eq!(at(r"x=(\d+)", 1, "a x=42", ScalarType::Long), Cell::Long(42));
        assert_eq!(at(r"x=(\w+)", 1, "a x=no", ScalarType::Long), Cell::Null);
        assert_eq!(at("(?i)USER=(.*)", 1, "user=a\nb", ScalarType::String), Cell::Text("a".into()), "no line feed");
        assert!(try_call(extract, &["(".into(), 1.into(), "x".into()], ScalarType::String).is_err());
    }

    #[test]
    fn extracting_all() {
        let all = |cells: &[Cell]| call(extract_all, cells, ScalarType::Dynamic);
        assert_eq!(all(&[r"(\d)".into(), "a1b2".into()]), Cell::Text(r#"["1","2"]"#.into()));
        assert_eq!(all(&[r"(\w)(\d)".into(), "a1b2".into()]), Cell::Text(r#"[["a","1"],["b","2"]]"#.into()));
        assert_eq!(
            all(&[r"(\w)(?P<n>\d)".into(), Cell::dynamic(r#"["n"]"#), "a1b2".into()]),
            Cell::Text(r#"["1","2"]"#.into())
        );
        assert_eq!(all(&[r"(\d)".into(), "none".into()]), Cell::Null);
    }

    #[test]
    fn counting() {
        let count = |cells: &[Cell]| call(countof, cells, ScalarType::Long);
        assert_eq!(count(&["aaaa".into(), "aa".into()]), Cell::Long(3));
        assert_eq!(count(&["aaaa".into(), "aa".into(), "regex".into()]), Cell::Long(2));
        assert_eq!(count(&["ééé".into(), "é".into()]), Cell::Long(3));
        assert!(try_call(countof, &["a".into(), "a".into(), "wild".into()], ScalarType::Long).is_err());
    }

    #[test]
    fn positions_of_matches() {
        let at = |s: &str, regex: &str, rest: &[i64]| {
            let mut cells = vec![Cell::from(s), Cell::from(regex)];
            cells.extend(rest.iter().map(|n| Cell::from(*n)));
            call(indexof_regex, &cells, ScalarType::Long)
        };
        assert_eq!(at("abcabc", "a.c", &[]), Cell::Long(0));
        assert_eq!(at("abcabcdefg", "a.c", &[0, 9, 2]), Cell::Long(3));
        assert_eq!(at("abcabc", "a.c", &[1, -1, 2]), Cell::Long(-1));
        assert_eq!(at("ababaa", "a.a", &[0, -1, 2]), Cell::Long(-1));
        assert_eq!(at("abcabc", "a|ab", &[-1]), Cell::Null);
    }
}
