//! `parse` and `parse-where`: columns cut out of a text by a pattern of constants and columns.
//!
//! In the modes simple and relaxed the constants are looked for one after the other, each at its first place after the one
//! before; what lies between belongs to the columns and `*` there. The text has to begin with the pattern's first constant
//! unless a column or `*` comes before it; it may go on after the last. A value that is not of its column's type makes the
//! whole row fail in mode simple, and only that column null in mode relaxed.
//!
//! In mode regex the pattern becomes one regular expression that is searched anywhere in the text: string columns are `(.*)`,
//! greedy as recorded, although the documentation shows `(.*?)`:
//!
//! ```kusto
//! print s = "a=1, b=2, c" | parse kind=regex s with "a=" x "," *   // x is `1, b=2`
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, StringViewArray, builder::make_view};
use arrow::buffer::ScalarBuffer;
use kql_types::ScalarType;
use memchr::memmem::Finder;
use regex::Regex;

use super::super::KernelError;
use super::super::aggregate_state::bug;
use super::convert::{ColumnBuilder, reads_as};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Simple,
    Relaxed,
    Regex,
}

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// `*`: anything.
    Star,
    /// A constant; a regular expression in mode regex.
    Text(String),
    /// Captures into the output with this index.
    Column(usize),
}

/// A pattern made ready for many rows.
#[derive(Debug)]
pub struct Pattern {
    types: Vec<ScalarType>,
    matcher: Matcher,
}

#[derive(Debug)]
enum Matcher {
    Cuts { relaxed: bool, head: Gap, cuts: Vec<(Finder<'static>, Gap)> },
    Regex { regex: Regex, groups: Vec<usize> },
}

/// What stands between two constants: at most one column, with `*` before or after it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Gap {
    before: bool,
    column: Option<usize>,
    after: bool,
}

impl Gap {
    fn is_empty(self) -> bool {
        self == Gap::default()
    }
}

/// The outputs of a batch.
#[derive(Debug)]
pub struct Parsed {
    pub columns: Vec<ArrayRef>,
    /// Which rows matched: those `parse-where` keeps.
    pub matched: BooleanArray,
}

impl Pattern {
    /// `types` are those of the outputs; `flags` are those of mode regex (`i`, `m`, `s`, `U`).
    ///
    /// # Errors
    /// When two columns stand side by side, or a constant of mode regex is no regular expression.
    pub fn new(mode: Mode, flags: &str, parts: &[Part], types: &[ScalarType]) -> Result<Pattern, KernelError> {
        let beside = |pair: &[Part]| matches!(pair, [Part::Column(_), Part::Column(_)]);
        if parts.windows(2).any(beside) {
            return Err(KernelError("two columns of a parse pattern need a constant between them".to_owned()));
        }
        if parts.iter().any(|part| matches!(part, Part::Column(index) if *index >= types.len())) {
            return Err(bug("a parse pattern names an output that is not there"));
        }
        let matcher = match mode {
            Mode::Regex => regex_matcher(flags, parts, types)?,
            Mode::Simple | Mode::Relaxed => cut_matcher(mode == Mode::Relaxed, parts),
        };
        Ok(Pattern { types: types.to_vec(), matcher })
    }

    /// Parses every row of a column of strings. The outputs of a row that does not match are missing.
    pub fn parse(&self, texts: &StringViewArray) -> Result<Parsed, KernelError> {
        let mut outputs: Vec<Output<'_>> = self.types.iter().map(|ty| Output::new(*ty, texts)).collect();
        let mut found: Vec<Option<&str>> = vec![None; self.types.len()];
        let mut matched = Vec::with_capacity(texts.len());
        for row in 0..texts.len() {
            let text = if texts.is_null(row) { "" } else { texts.value(row) };
            found.fill(None);
            let mut ok = match &self.matcher {
                Matcher::Cuts { relaxed, head, cuts } => self.cut(text, *relaxed, *head, cuts, &mut found),
                Matcher::Regex { regex, groups } => capture(text, regex, groups, &mut found),
            };
            let relaxed = matches!(self.matcher, Matcher::Cuts { relaxed: true, .. });
            if ok {
                for (index, (output, text)) in outputs.iter_mut().zip(&found).enumerate() {
                    let read = output.append(row, *text)?;
                    if !read && !relaxed {
                        // Strict: the row fails as a whole; the outputs before are taken back.
                        ok = false;
                        outputs.iter_mut().take(index + 1).for_each(Output::take_back);
                        break;
                    }
                }
            }
            if !ok {
                outputs.iter_mut().for_each(Output::append_missing);
            }
            matched.push(ok);
        }
        let columns = outputs.into_iter().map(Output::finish).collect::<Result<Vec<_>, _>>()?;
        Ok(Parsed { columns, matched: matched.into() })
    }

    /// Finds the constants one after the other.
    fn cut<'t>(
        &self,
        text: &'t str,
        relaxed: bool,
        head: Gap,
        cuts: &[(Finder<'static>, Gap)],
        found: &mut [Option<&'t str>],
    ) -> bool {
        let (mut gap, mut rest) = (head, text);
        for (constant, next) in cuts {
            let place = if gap.is_empty() {
                rest.as_bytes().starts_with(constant.needle()).then_some(0)
            } else {
                constant.find(rest.as_bytes())
            };
            let Some(place) = place else { return false };
            let (between, after) = rest.split_at(place);
            if !self.fill(gap, between, relaxed, found) {
                return false;
            }
            rest = after.get(constant.needle().len()..).unwrap_or("");
            gap = *next;
        }
        gap.is_empty() || self.fill(gap, rest, relaxed, found)
    }

    /// Gives the text of a gap to its column.
    fn fill<'t>(&self, gap: Gap, text: &'t str, relaxed: bool, found: &mut [Option<&'t str>]) -> bool {
        let Some(index) = gap.column else { return true };
        let ty = self.types.get(index).copied().unwrap_or(ScalarType::String);
        let value = if ty == ScalarType::String || !(gap.before || gap.after) {
            Some(text)
        } else if gap.after {
            leading(text, ty)
        } else {
            trailing(text, ty)
        };
        if let Some(slot) = found.get_mut(index) {
            *slot = value;
        }
        value.is_some() || relaxed
    }
}

fn cut_matcher(relaxed: bool, parts: &[Part]) -> Matcher {
    let mut gaps = vec![Gap::default()];
    let mut constants = Vec::new();
    for part in parts {
        let Some(gap) = gaps.last_mut() else { break };
        match part {
            Part::Star if gap.column.is_some() => gap.after = true,
            Part::Star => gap.before = true,
            Part::Column(index) => gap.column = Some(*index),
            Part::Text(text) if text.is_empty() => {}
            Part::Text(text) => {
                constants.push(Finder::new(text.as_bytes()).into_owned());
                gaps.push(Gap::default());
            }
        }
    }
    let mut gaps = gaps.into_iter();
    let head = gaps.next().unwrap_or_default();
    Matcher::Cuts { relaxed, head, cuts: constants.into_iter().zip(gaps).collect() }
}

/// The longest start of the text that is a value of the type.
fn leading(text: &str, ty: ScalarType) -> Option<&str> {
    let text = text.trim_start();
    ends(text).map(|end| &text[..end]).find(|start| !start.is_empty() && reads_as(start, ty))
}

/// The longest end of the text that is a value of the type.
fn trailing(text: &str, ty: ScalarType) -> Option<&str> {
    let text = text.trim_end();
    let mut starts: Vec<usize> = ends(text).map(|end| text.len() - end).collect();
    starts.retain(|start| text.is_char_boundary(*start));
    starts.into_iter().map(|start| &text[start..]).find(|end| !end.is_empty() && reads_as(end, ty))
}

/// No value is longer.
const VALUE_MAX: usize = 64;

fn ends(text: &str) -> impl Iterator<Item = usize> {
    (0..=text.len().min(VALUE_MAX)).rev().filter(|end| text.is_char_boundary(*end))
}

fn regex_matcher(flags: &str, parts: &[Part], types: &[ScalarType]) -> Result<Matcher, KernelError> {
    let mut source = String::new();
    if !flags.is_empty() {
        source.push_str(&format!("(?{flags})"));
    }
    let ungreedy = flags.contains('U');
    let mut columns = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        match part {
            Part::Star => source.push_str(".*?"),
            Part::Text(text) => {
                source.push_str("(?:");
                source.push_str(text);
                source.push(')');
            }
            Part::Column(index) => {
                let ty = types.get(*index).copied().unwrap_or(ScalarType::String);
                // A last string column takes the rest of the text even when the rest of the pattern is ungreedy.
                let last = place + 1 == parts.len();
                let group = match ty {
                    ScalarType::Int | ScalarType::Long => r"-?\d+",
                    ScalarType::Real | ScalarType::Decimal => r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?",
                    _ if last && ungreedy => ".*?",
                    _ => ".*",
                };
                source.push_str(&format!("(?P<column{index}>{group})"));
                columns.push(*index);
            }
        }
    }
    let regex = Regex::new(&source).map_err(|error| KernelError(format!("the parse pattern is no regex: {error}")))?;
    let mut groups = vec![0; types.len()];
    for (group, name) in regex.capture_names().enumerate() {
        let index = name.and_then(|name| name.strip_prefix("column")).and_then(|index| index.parse::<usize>().ok());
        if let Some(slot) = index.and_then(|index| groups.get_mut(index)) {
            *slot = group;
        }
    }
    Ok(Matcher::Regex { regex, groups })
}

fn capture<'t>(text: &'t str, regex: &Regex, groups: &[usize], found: &mut [Option<&'t str>]) -> bool {
    let Some(captures) = regex.captures(text) else { return false };
    for (slot, group) in found.iter_mut().zip(groups) {
        *slot = captures.get(*group).map(|text| text.as_str());
    }
    true
}

/// An output column in the making. Strings are parts of the source and share its bytes.
enum Output<'a> {
    Slices { source: &'a StringViewArray, views: Vec<u128> },
    Typed { ty: ScalarType, builder: Vec<Option<&'a str>> },
}

impl<'a> Output<'a> {
    fn new(ty: ScalarType, source: &'a StringViewArray) -> Output<'a> {
        match ty {
            ScalarType::String => Output::Slices { source, views: Vec::with_capacity(source.len()) },
            _ => Output::Typed { ty, builder: Vec::with_capacity(source.len()) },
        }
    }

    /// Appends a text cut from `row`; whether it is a value of the type.
    fn append(&mut self, row: usize, text: Option<&'a str>) -> Result<bool, KernelError> {
        match self {
            Output::Slices { source, views } => {
                views.push(view_of(source, row, text.unwrap_or(""))?);
                Ok(true)
            }
            Output::Typed { ty, builder } => {
                let text = text.filter(|text| reads_as(text, *ty));
                builder.push(text);
                Ok(text.is_some())
            }
        }
    }

    fn append_missing(&mut self) {
        match self {
            Output::Slices { views, .. } => views.push(0),
            Output::Typed { builder, .. } => builder.push(None),
        }
    }

    fn take_back(&mut self) {
        match self {
            Output::Slices { views, .. } => drop(views.pop()),
            Output::Typed { builder, .. } => drop(builder.pop()),
        }
    }

    fn finish(self) -> Result<ArrayRef, KernelError> {
        match self {
            Output::Slices { source, views } => {
                let buffers = source.data_buffers().to_vec();
                Ok(Arc::new(StringViewArray::try_new(ScalarBuffer::from(views), buffers, None).map_err(bug)?))
            }
            Output::Typed { ty, builder: texts } => {
                let mut builder = ColumnBuilder::new(ty, texts.len());
                for text in texts {
                    match text {
                        Some(text) => drop(builder.append_text(text)),
                        None => builder.append_missing(),
                    }
                }
                builder.finish()
            }
        }
    }
}

/// The view of a part of a row's text.
fn view_of(source: &StringViewArray, row: usize, part: &str) -> Result<u128, KernelError> {
    if part.len() <= 12 {
        return Ok(make_view(part.as_bytes(), 0, 0));
    }
    let whole = source.value(row);
    let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
    if start > whole.len() || part.len() > whole.len() - start {
        return Err(bug("parse gave text that is no part of its source"));
    }
    // More than 12 bytes, so the whole is not inline and its view says where it lies.
    let view = arrow::array::ByteView::from(source.views()[row]);
    Ok(make_view(part.as_bytes(), view.buffer_index, view.offset + start as u32))
}

#[cfg(test)]
mod tests {
    use super::super::super::elements::Elements;
    use super::*;

    /// Parses one text; the outputs as canonical text, and whether it matched.
    fn parse(mode: Mode, flags: &str, parts: &[Part], types: &[ScalarType], text: &str) -> (Vec<String>, bool) {
        let pattern = Pattern::new(mode, flags, parts, types).unwrap();
        // A neighbour before and after shows that rows do not mix.
        let texts = StringViewArray::from_iter_values(["", text, "zzz, a text of more than twelve bytes"]);
        let parsed = pattern.parse(&texts).unwrap();
        let write = |(column, ty): (&ArrayRef, &ScalarType)| {
            let mut out = String::new();
            Elements::new(column, *ty).unwrap().write(1, &mut out);
            out
        };
        (parsed.columns.iter().zip(types).map(write).collect(), parsed.matched.value(1))
    }

    fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    const TRACE: &str = "Event: Release (name=Scheduler, total=27, slice=23, lock=02/17/2016 08:40:01, end=x)";

    #[test]
    fn simple_cuts_at_the_first_place_of_each_constant() {
        let parts = [Part::Column(0), text(" "), Part::Column(1), text(" "), Part::Column(2)];
        let types = [ScalarType::String; 3];
        assert_eq!(
            parse(Mode::Simple, "", &parts, &types, "one two three, and a long rest"),
            (vec!["\"one\"".into(), "\"two\"".into(), "\"three, and a long rest\"".into()], true)
        );
        assert!(!parse(Mode::Simple, "", &parts, &types, "one two").1);
        let parts = [
            Part::Star,
            text("name="),
            Part::Column(0),
            text(","),
            Part::Star,
            text("lock="),
            Part::Column(1),
            text(", end="),
            Part::Star,
        ];
        let types = [ScalarType::String, ScalarType::DateTime];
        let (values, matched) = parse(Mode::Simple, "", &parts, &types, TRACE);
        assert!(matched);
        assert_eq!(values, ["\"Scheduler\"", "\"\u{E000}d2016-02-17T08:40:01.0000000Z\""]);
    }

    #[test]
    fn the_start_is_fixed_and_the_end_is_not() {
        let parts = [text("a="), Part::Column(0), text(";")];
        let types = [ScalarType::Long];
        assert_eq!(parse(Mode::Simple, "", &parts, &types, "a=5; and more"), (vec!["5".into()], true));
        assert_eq!(parse(Mode::Simple, "", &parts, &types, " a=5;"), (vec!["null".into()], false));
    }

    #[test]
    fn strict_fails_as_a_whole_and_relaxed_by_column() {
        let parts = [text("n="), Part::Column(0), text(", t="), Part::Column(1), text(", m="), Part::Column(2)];
        let types = [ScalarType::String, ScalarType::Long, ScalarType::Long];
        let row = "n=x, t=bad, m=3";
        assert_eq!(
            parse(Mode::Simple, "", &parts, &types, row),
            (vec!["\"\"".into(), "null".into(), "null".into()], false)
        );
        assert_eq!(
            parse(Mode::Relaxed, "", &parts, &types, row),
            (vec!["\"x\"".into(), "null".into(), "3".into()], true)
        );
    }

    #[test]
    fn a_star_beside_a_typed_column_leaves_it_its_value() {
        let parts = [
            Part::Star,
            text("total="),
            Part::Column(0),
            Part::Star,
            text("slice="),
            Part::Column(1),
            Part::Star,
            text("lock="),
            Part::Star,
        ];
        let types = [ScalarType::Long; 2];
        assert_eq!(parse(Mode::Simple, "", &parts, &types, TRACE), (vec!["27".into(), "23".into()], true));
        let bad = TRACE.replace("23", "bad");
        assert_eq!(parse(Mode::Simple, "", &parts, &types, &bad), (vec!["null".into(), "null".into()], false));
        assert_eq!(parse(Mode::Relaxed, "", &parts, &types, &bad), (vec!["27".into(), "null".into()], true));
        let parts = [Part::Star, Part::Column(0), text("%")];
        assert_eq!(parse(Mode::Simple, "", &parts, &[ScalarType::Real], "about 7.5%"), (vec!["7.5".into()], true));
    }

    #[test]
    fn regex_is_greedy_unless_told() {
        let parts = [Part::Star, text("name="), Part::Column(0), text(","), Part::Star];
        let types = [ScalarType::String];
        let (greedy, _) = parse(Mode::Regex, "", &parts, &types, TRACE);
        assert_eq!(greedy, ["\"Scheduler, total=27, slice=23, lock=02/17/2016 08:40:01\""]);
        assert_eq!(parse(Mode::Regex, "U", &parts, &types, TRACE).0, ["\"Scheduler\""]);
        let upper = [Part::Star, text("NAME="), Part::Column(0), text(","), Part::Star];
        assert_eq!(parse(Mode::Regex, "Ui", &upper, &types, TRACE).0, ["\"Scheduler\""]);
        assert_eq!(parse(Mode::Regex, "", &upper, &types, TRACE), (vec!["\"\"".into()], false));
    }

    #[test]
    fn regex_groups_of_the_user_do_not_count() {
        let parts =
            [text("(.*?)[a-z]*="), Part::Column(0), text(r", total=\s*\d+.*?slice="), Part::Column(1), text("(x|,) ")];
        let types = [ScalarType::String, ScalarType::Long];
        assert_eq!(parse(Mode::Regex, "", &parts, &types, TRACE), (vec!["\"Scheduler\"".into(), "23".into()], true));
        let parts = [Part::Column(0), text("[0-9]+"), Part::Column(1)];
        let types = [ScalarType::String; 2];
        assert_eq!(parse(Mode::Regex, "", &parts, &types, "MixedCASE123end").0, ["\"MixedCASE12\"", "\"end\""]);
        let parts = [text("[a-z]"), Part::Column(0), text("[a-z]"), Part::Column(1)];
        assert_eq!(parse(Mode::Regex, "", &parts, &[ScalarType::Int; 2], "a1b2c3").0, ["1", "2"]);
    }

    #[test]
    fn wrong_patterns_are_refused() {
        let types = [ScalarType::String, ScalarType::Long];
        assert!(Pattern::new(Mode::Simple, "", &[Part::Column(0), Part::Column(1)], &types).is_err());
        assert!(Pattern::new(Mode::Regex, "", &[text("("), Part::Column(0)], &types).is_err());
        assert!(Pattern::new(Mode::Regex, "q", &[text("a"), Part::Column(0)], &types).is_err());
        assert!(Pattern::new(Mode::Simple, "", &[Part::Column(2)], &types).is_err());
    }
}
