//! Strings: lengths, parts, joining, replacing. Positions count code points.

use kql_types::{Dynamic, ScalarType};

use super::access::Rewrite;
use super::budget::text_room;
use super::text_match::{Case, Needle, Place};
use super::{Args, KernelResult};

/// Times that `strrep` repeats at most.
const REPETITIONS_MAX: i64 = 1024;

/// `strlen(source)`
pub fn strlen(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    args.to_longs(|row| source.at(row).chars().count() as i64)
}

/// `string_size(source)`
pub fn string_size(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    args.to_longs(|row| source.bytes(row) as i64)
}

/// `tolower(source)`
pub fn tolower(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    args.to_rewrites(&source, |_, text, out| {
        if !text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
            return Rewrite::Part(text);
        }
        push_mapped(text, str::make_ascii_lowercase, |c| single(c.to_lowercase(), c), out);
        Rewrite::Written
    })
}

/// `toupper(source)`
pub fn toupper(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    args.to_rewrites(&source, |_, text, out| {
        if !text.bytes().any(|byte| byte.is_ascii_lowercase() || !byte.is_ascii()) {
            return Rewrite::Part(text);
        }
        push_mapped(text, str::make_ascii_uppercase, |c| single(c.to_uppercase(), c), out);
        Rewrite::Written
    })
}

fn push_mapped(text: &str, ascii: impl Fn(&mut str), other: impl Fn(char) -> char, out: &mut String) {
    if text.is_ascii() {
        out.push_str(text);
        ascii(out.as_mut_str());
    } else {
        out.extend(text.chars().map(other));
    }
}

/// The only character of a case mapping; the original where it has several (`ß` in upper case).
fn single(mut mapped: impl Iterator<Item = char>, original: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(c), None) => c,
        _ => original,
    }
}

/// `substring(source, startingIndex [, length])`
pub fn substring(args: &Args<'_>) -> KernelResult {
    let (source, start) = (args.text(0)?, args.long(1)?);
    let length = args.long_or(2, i64::MAX)?;
    args.to_slices(&source, |row, text| match (start.opt(row), length.opt(row)) {
        (Some(start), Some(length)) => part(text, start, length),
        _ => "",
    })
}

/// The characters from `start` (counted from the end when negative), at most `length` of them.
fn part(text: &str, start: i64, length: i64) -> &str {
    let start = if start >= 0 {
        start
    } else {
        // `substring("abc", -5)` starts before the text: Kusto gives nothing, it does not clamp.
        match start + text.chars().count() as i64 {
            before if before < 0 => return "",
            start => start,
        }
    };
    if length <= 0 {
        return "";
    }
    if text.is_ascii() {
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(text.len());
        let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)).min(text.len());
        return text.get(start..end).unwrap_or_default();
    }
    let from = byte_of(text, start);
    let rest = text.get(from..).unwrap_or_default();
    rest.get(..byte_of(rest, length)).unwrap_or_default()
}

/// The byte at which the character with this index begins; the end when there are fewer.
fn byte_of(text: &str, index: i64) -> usize {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    text.char_indices().nth(index).map_or(text.len(), |(byte, _)| byte)
}

/// `strcat(a, b, ...)`
pub fn strcat(args: &Args<'_>) -> KernelResult {
    let parts = (0..args.count()).map(|index| args.printed(index)).collect::<Result<Vec<_>, _>>()?;
    args.to_texts(|row, out| parts.iter().for_each(|part| part.write(row, out)))
}

/// `strcat_delim(delimiter, a, b, ...)`
pub fn strcat_delim(args: &Args<'_>) -> KernelResult {
    let delimiter = args.printed(0)?;
    let parts = (1..args.count()).map(|index| args.printed(index)).collect::<Result<Vec<_>, _>>()?;
    args.to_texts(|row, out| {
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                delimiter.write(row, out);
            }
            part.write(row, out);
        }
    })
}

/// `strcat_array(array, delimiter)`
pub fn strcat_array(args: &Args<'_>) -> KernelResult {
    let (array, delimiter, room) = (args.text(0)?, args.text(1)?, text_room());
    args.to_texts(|row, out| {
        let Some(Dynamic::Array(items)) = array.opt(row).and_then(Dynamic::parse) else { return };
        for (index, item) in items.iter().enumerate() {
            if out.len() > room {
                break;
            }
            if index > 0 {
                out.push_str(delimiter.at(row));
            }
            item.write_text(out);
        }
    })
}

/// `strcmp(a, b)`
pub fn strcmp(args: &Args<'_>) -> KernelResult {
    let (left, right) = (args.text(0)?, args.text(1)?);
    args.to_longs(|row| left.at(row).cmp(right.at(row)) as i64)
}

/// `strrep(value, multiplier [, delimiter])`
pub fn strrep(args: &Args<'_>) -> KernelResult {
    let (value, times) = (args.printed(0)?, args.long(1)?);
    let delimiter = if args.count() > 2 { Some(args.printed(2)?) } else { None };
    let room = text_room();
    args.to_texts(|row, out| {
        let times = times.opt(row).unwrap_or_default().min(REPETITIONS_MAX);
        for time in 0..times {
            if out.len() > room {
                break;
            }
            if time > 0
                && let Some(delimiter) = &delimiter
            {
                delimiter.write(row, out);
            }
            value.write(row, out);
        }
    })
}

/// `reverse(value)`
pub fn reverse(args: &Args<'_>) -> KernelResult {
    let value = args.printed(0)?;
    let mut buffer = String::new();
    args.to_texts(|row, out| out.extend(value.at(row, &mut buffer).chars().rev()))
}

/// What `indexof` and `indexof_regex` are told besides the texts: start, length and occurrence of a row.
#[derive(Debug, Clone, Copy)]
pub struct SearchRange {
    /// First character that a match may start at.
    start: usize,
    /// The character that no match may start at any more.
    end: usize,
    /// Matches to pass over.
    skip: usize,
}

/// What a negative start means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NegativeStart {
    /// That many characters from the end.
    FromEnd,
    /// A wrong argument: the result is null.
    Wrong,
}

impl SearchRange {
    /// None where the arguments are wrong: the result is null. The length limits where a match may start, not where it
    /// may end: `indexof("abcdefg", "cde", 1, 2)` is 2.
    pub fn of(text: &str, start: i64, length: i64, occurrence: i64, negative: NegativeStart) -> Option<SearchRange> {
        if length < -1 || occurrence < 0 || (start < 0 && negative == NegativeStart::Wrong) {
            return None;
        }
        let start = if start < 0 { (start + text.chars().count() as i64).max(0) } else { start };
        let end = if length == -1 { i64::MAX } else { start.saturating_add(length) };
        let to_usize = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
        Some(SearchRange { start: to_usize(start), end: to_usize(end), skip: to_usize(occurrence.max(1) - 1) })
    }

    /// Applies a search for the starts of matches (bytes, ascending) from a byte on; gives the position in characters, or -1.
    pub fn position(self, text: &str, mut next: impl FnMut(usize) -> Option<usize>) -> i64 {
        let mut from = byte_of(text, self.start as i64);
        if text.chars().count() < self.start {
            return -1;
        }
        let mut skip = self.skip;
        while let Some(found) = next(from) {
            let position = text.get(..found).map_or(0, |head| head.chars().count());
            if position >= self.end {
                return -1;
            }
            if skip == 0 {
                return position as i64;
            }
            skip -= 1;
            from = found;
            match text.get(found..).and_then(|rest| rest.chars().next()) {
                Some(c) => from += c.len_utf8(),
                None => return -1,
            }
        }
        -1
    }
}

/// `indexof(source, lookup [, start [, length [, occurrence]]])`
pub fn indexof(args: &Args<'_>) -> KernelResult {
    let (source, lookup) = (args.printed(0)?, args.printed(1)?);
    let (start, length, occurrence) = (args.long_or(2, 0)?, args.long_or(3, -1)?, args.long_or(4, 1)?);
    let (mut source_buffer, mut lookup_buffer) = (String::new(), String::new());
    args.to_longs(|row| {
        let text = source.at(row, &mut source_buffer);
        let wanted = lookup.at(row, &mut lookup_buffer);
        let range =
            SearchRange::of(text, start.opt(row)?, length.opt(row)?, occurrence.opt(row)?, NegativeStart::FromEnd)?;
        Some(range.position(text, |from| text.get(from..)?.find(wanted).map(|found| from + found)))
    })
}

/// `has_any_index(source, values)`
pub fn has_any_index(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    let lists = (1..args.count()).map(|index| args.text_list(index)).collect::<Result<Vec<_>, _>>()?;
    let mut wanted: Vec<String> = Vec::new();
    let mut needles: Vec<Needle> = Vec::new();
    args.to_longs(|row| {
        let mut now = Vec::new();
        lists.iter().for_each(|list| list.gather(row, &mut now));
        if now != wanted || needles.is_empty() {
            needles = now.iter().map(|needle| Needle::new(needle, Place::Term, Case::Ignored)).collect();
            wanted = now;
        }
        needles.iter().position(|needle| needle.matches(source.at(row))).map_or(-1, |index| index as i64)
    })
}

/// `split(source, delimiter [, requestedIndex])`
pub fn split(args: &Args<'_>) -> KernelResult {
    let (source, delimiter) = (args.text(0)?, args.text(1)?);
    let index = if args.count() > 2 { Some(args.long(2)?) } else { None };
    args.to_dynamics(|row, out| {
        let (text, delimiter) = (source.at(row), delimiter.at(row));
        let parts = Parts { rest: Some(text), delimiter };
        out.push('[');
        match &index {
            Some(index) => {
                let mut parts = parts;
                let wanted = usize::try_from(index.opt(row)?).ok()?;
                kql_types::dynamic::push_json_string(parts.nth(wanted)?, out);
            }
            None => {
                for (number, part) in parts.enumerate() {
                    if number > 0 {
                        out.push(',');
                    }
                    kql_types::dynamic::push_json_string(part, out);
                }
            }
        }
        out.push(']');
        Some(())
    })
}

/// The parts between delimiters; the whole text when the delimiter is empty.
struct Parts<'t> {
    rest: Option<&'t str>,
    delimiter: &'t str,
}

impl<'t> Iterator for Parts<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let rest = self.rest?;
        let cut = if self.delimiter.is_empty() { None } else { rest.split_once(self.delimiter) };
        match cut {
            Some((part, rest)) => {
                self.rest = Some(rest);
                Some(part)
            }
            None => self.rest.take(),
        }
    }
}

/// `replace_string(text, lookup, rewrite)`
pub fn replace_string(args: &Args<'_>) -> KernelResult {
    let (source, lookup, rewrite) = (args.text(0)?, args.text(1)?, args.text(2)?);
    let finder = lookup.constant().map(memchr::memmem::Finder::new);
    let room = text_room();
    args.to_rewrites(&source, |row, text, out| {
        let wanted = lookup.at(row);
        let first = match &finder {
            _ if wanted.is_empty() => None,
            Some(finder) => finder.find(text.as_bytes()),
            None => text.find(wanted),
        };
        let Some(first) = first else { return Rewrite::Part(text) };
        let (head, mut rest) = text.split_at(first);
        out.push_str(head);
        let rewrite = rewrite.at(row);
        while let Some(after) = rest.strip_prefix(wanted).filter(|_| out.len() <= room) {
            out.push_str(rewrite);
            let next = after.find(wanted).unwrap_or(after.len());
            let (kept, found) = after.split_at(next);
            out.push_str(kept);
            rest = found;
        }
        Rewrite::Written
    })
}

/// `replace_strings(text, lookups, rewrites)`
pub fn replace_strings(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    let (lookups, rewrites) = (args.text_list(1)?, args.text_list(2)?);
    let (mut wanted, mut given, room) = (Vec::new(), Vec::new(), text_room());
    args.to_rewrites(&source, |row, text, out| {
        wanted.clear();
        given.clear();
        lookups.gather(row, &mut wanted);
        rewrites.gather(row, &mut given);
        if wanted.len() != given.len() {
            return Rewrite::Part("");
        }
        // Each lookup in turn is replaced in what no earlier one has touched.
        let mut pieces = vec![Piece::Open(text)];
        for (lookup, rewrite) in wanted.iter().zip(&given).filter(|(lookup, _)| !lookup.is_empty()) {
            pieces = pieces.into_iter().flat_map(|piece| piece.replace(lookup, rewrite)).collect();
        }
        for piece in &pieces {
            if out.len() > room {
                break;
            }
            match piece {
                Piece::Open(text) | Piece::Done(text) => out.push_str(text),
            }
        }
        Rewrite::Written
    })
}

/// A part of a text under replacement.
enum Piece<'t> {
    Open(&'t str),
    Done(&'t str),
}

impl<'t> Piece<'t> {
    fn replace(self, lookup: &str, rewrite: &'t str) -> Vec<Piece<'t>> {
        let Piece::Open(text) = self else { return vec![self] };
        let mut pieces = Vec::new();
        for (index, part) in text.split(lookup).enumerate() {
            if index > 0 {
                pieces.push(Piece::Done(rewrite));
            }
            if !part.is_empty() {
                pieces.push(Piece::Open(part));
            }
        }
        pieces
    }
}

/// `translate(searchList, replacementList, source)`
pub fn translate(args: &Args<'_>) -> KernelResult {
    let (search, replacement, source) = (args.text(0)?, args.text(1)?, args.text(2)?);
    args.to_rewrites(&source, |row, text, out| {
        let (search, replacement) = (search.at(row), replacement.at(row));
        let last = replacement.chars().next_back();
        for c in text.chars() {
            match search.chars().position(|wanted| wanted == c) {
                Some(index) => out.extend(replacement.chars().nth(index).or(last)),
                None => out.push(c),
            }
        }
        Rewrite::Written
    })
}

/// `isempty(value)`
pub fn isempty(args: &Args<'_>) -> KernelResult {
    emptiness(args, true)
}

/// `isnotempty(value)`
pub fn isnotempty(args: &Args<'_>) -> KernelResult {
    emptiness(args, false)
}

fn emptiness(args: &Args<'_>, wanted: bool) -> KernelResult {
    match args.ty(0) {
        ScalarType::String => {
            let text = args.text(0)?;
            args.to_flags(|row| (text.bytes(row) == 0) == wanted)
        }
        ScalarType::Dynamic => {
            let text = args.text(0)?;
            args.to_flags(|row| text.opt(row).is_none_or(|text| text == "\"\"") == wanted)
        }
        _ => args.to_flags(|row| args.is_null(0, row) == wanted),
    }
}

/// `isascii(source)`
pub fn isascii(args: &Args<'_>) -> KernelResult {
    let source = args.text(0)?;
    args.to_flags(|row| source.at(row).is_ascii())
}

/// `isutf8(source)`: text is checked when it is read.
pub fn isutf8(args: &Args<'_>) -> KernelResult {
    let _ = args.text(0)?;
    args.to_flags(|_| true)
}

/// Units of sizes, each 1,024 (or the given base) of the one before.
const UNITS: [&str; 7] = ["Bytes", "KB", "MB", "GB", "TB", "PB", "EB"];
/// Digits after the point that `format_bytes` prints at most.
const SIZE_PRECISION_MAX: i64 = 15;

/// `format_bytes(size [, precision [, units [, base]]])`
pub fn format_bytes(args: &Args<'_>) -> KernelResult {
    let (size, precision) = (args.real(0)?, args.long_or(1, 0)?);
    let (units, base) = (args.text_or(2, "")?, args.long_or(3, 1024)?);
    args.to_texts(|row, out| {
        let (Some(size), Some(precision), Some(base)) = (size.opt(row), precision.opt(row), base.opt(row)) else {
            return;
        };
        let base = if base == 1000 { 1000.0 } else { 1024.0f64 };
        let unit = match units.at(row) {
            "" => (0..UNITS.len()).rev().find(|unit| size.abs() >= base.powi(*unit as i32)).unwrap_or(0),
            name => match UNITS.iter().position(|unit| unit.eq_ignore_ascii_case(name)) {
                Some(unit) => unit,
                None => return,
            },
        };
        let precision = precision.clamp(0, SIZE_PRECISION_MAX) as usize;
        let digits = format!("{:.precision$}", size / base.powi(unit as i32));
        let shown = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
        out.push_str(shown);
        out.push(' ');
        out.push_str(UNITS[unit]);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use proptest::prelude::*;

    fn text(kernel: crate::kernels::KernelFn, args: &[Cell]) -> String {
        match call(kernel, args, ScalarType::String) {
            Cell::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn substring_counts_characters() {
        let sub = |s: &str, start: i64, length: i64| text(substring, &[s.into(), start.into(), length.into()]);
        assert_eq!(sub("łódź", 1, 2), "ód");
        assert_eq!(sub("abcdef", -4, 2), "cd");
        assert_eq!(sub("abc", -9, 3), "");
        assert_eq!(sub("abc", 1, 100), "bc");
        assert_eq!(sub("abc", 3, 1), "");
    }

    #[test]
    fn case_mapping_keeps_the_number_of_characters() {
        assert_eq!(text(toupper, &["straße".into()]), "STRAßE");
        assert_eq!(text(tolower, &["ÀÉ Привет".into()]), "àé привет");
        assert_eq!(text(tolower, &["already low".into()]), "already low");
    }

    #[test]
    fn a_search_range_limits_the_start_of_matches() {
        let at = |s: &str, what: &str, rest: &[i64]| {
            let mut cells = vec![Cell::from(s), Cell::from(what)];
            cells.extend(rest.iter().map(|n| Cell::from(*n)));
            call(indexof, &cells, ScalarType::Long)
        };
        assert_eq!(at("abcdefg", "cde", &[1, 2]), Cell::Long(2));
        assert_eq!(at("abcdefg", "cde", &[3, 4]), Cell::Long(-1));
        assert_eq!(at("abcdefg", "cde", &[-5]), Cell::Long(2));
        assert_eq!(at("abcdefgabcdefg", "cde", &[1, 10, 2]), Cell::Long(9));
        assert_eq!(at("żabab", "ab", &[0, -1, 2]), Cell::Long(3));
        assert_eq!(at("abc", "c", &[0, -2]), Cell::Null);
        assert_eq!(at("abc", "", &[9]), Cell::Long(-1));
    }

    #[test]
    fn split_parts() {
        let parts = |s: &str, by: &str| call(split, &[s.into(), by.into()], ScalarType::Dynamic);
        assert_eq!(parts("a,b,,c,", ","), Cell::Text(r#"["a","b","","c",""]"#.into()));
        assert_eq!(parts("", ","), Cell::Text(r#"[""]"#.into()));
        assert_eq!(parts("a\\b", "\\"), Cell::Text(r#"["a","b"]"#.into()));
        assert_eq!(call(split, &["a=b".into(), "=".into(), 2.into()], ScalarType::Dynamic), Cell::Null);
    }

    #[test]
    fn earlier_lookups_shield_what_they_replaced() {
        let replaced =
            |a: &str, b: &str| text(replace_strings, &["This is it".into(), Cell::dynamic(a), Cell::dynamic(b)]);
        assert_eq!(replaced(r#"["This","is"]"#, r#"["This","was"]"#), "This was it");
        assert_eq!(replaced(r#"["is","This"]"#, r#"["was","This"]"#), "Thwas was it");
    }

    #[test]
    fn sizes_in_bytes() {
        let size = |n: f64, precision: i64, unit: &str| text(format_bytes, &[n.into(), precision.into(), unit.into()]);
        assert_eq!(size(564.0, 0, ""), "564 Bytes");
        assert_eq!(size(10332.0, 1, ""), "10.1 KB");
        assert_eq!(size(20_010_332.0, 0, "KB"), "19541 KB");
        assert_eq!(size(1024.0, 2, ""), "1 KB");
        assert_eq!(size(1.0, 0, "furlongs"), "");
    }

    #[test]
    fn emptiness_of_every_type() {
        let empty = |cell: Cell| call(isempty, &[cell], ScalarType::Bool);
        assert_eq!(empty("".into()), Cell::Bool(true));
        assert_eq!(empty(Cell::dynamic("\"\"")), Cell::Bool(true));
        assert_eq!(empty(Cell::dynamic("[]")), Cell::Bool(false));
        assert_eq!(empty(0.into()), Cell::Bool(false));
        assert_eq!(empty(Cell::Null), Cell::Bool(true));
    }

    proptest! {
        #[test]
        fn replacing_agrees_with_the_standard_library(s in "[abé]{0,12}", what in "[abé]{1,2}", with in "[xa]{0,20}") {
            let got = text(replace_string, &[s.as_str().into(), what.as_str().into(), with.as_str().into()]);
            prop_assert_eq!(got, s.replace(&what, &with));
        }

        #[test]
        fn substring_agrees_with_characters(s in "[aé語]{0,8}", start in -10i64..10, length in -1i64..10) {
            let chars: Vec<char> = s.chars().collect();
            let first = if start < 0 { start + chars.len() as i64 } else { start };
            let expected: String = if first < 0 { String::new() } else {
                chars.iter().skip(first as usize).take(length.max(0) as usize).collect()
            };
            prop_assert_eq!(text(substring, &[s.as_str().into(), start.into(), length.into()]), expected);
        }
    }
}
