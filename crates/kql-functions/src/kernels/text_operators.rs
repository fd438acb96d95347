//! The operators over text: `=~`, `has`, `contains`, `startswith`..., `matches regex`, `has_any`, `has_all`, `like`.
//!
//! A constant needle is prepared once a batch; searches run about once per distinct value of the column.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use super::cache::{self, Cache};
use super::needles::Needles;
use super::text_match::{Case, Needle, Place};
use super::{Args, KernelResult};

/// Whether the operator is written with `!`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sense {
    Plain,
    Negated,
}

macro_rules! text_operators {
    ($($(#[$doc:meta])* $name:ident: $place:ident, $case:ident, $sense:ident;)*) => {
        $($(#[$doc])*
        pub fn $name(args: &Args<'_>) -> KernelResult {
            compare(args, Place::$place, Case::$case, Sense::$sense)
        })*
    };
}

text_operators! {
    equals_ci: Whole, Ignored, Plain;
    not_equals_ci: Whole, Ignored, Negated;
    has: Term, Ignored, Plain;
    not_has: Term, Ignored, Negated;
    has_cs: Term, Sensitive, Plain;
    not_has_cs: Term, Sensitive, Negated;
    hasprefix: TermStart, Ignored, Plain;
    not_hasprefix: TermStart, Ignored, Negated;
    hasprefix_cs: TermStart, Sensitive, Plain;
    not_hasprefix_cs: TermStart, Sensitive, Negated;
    hassuffix: TermEnd, Ignored, Plain;
    not_hassuffix: TermEnd, Ignored, Negated;
    hassuffix_cs: TermEnd, Sensitive, Plain;
    not_hassuffix_cs: TermEnd, Sensitive, Negated;
    contains: Anywhere, Ignored, Plain;
    not_contains: Anywhere, Ignored, Negated;
    contains_cs: Anywhere, Sensitive, Plain;
    not_contains_cs: Anywhere, Sensitive, Negated;
    startswith: Start, Ignored, Plain;
    not_startswith: Start, Ignored, Negated;
    startswith_cs: Start, Sensitive, Plain;
    not_startswith_cs: Start, Sensitive, Negated;
    endswith: End, Ignored, Plain;
    not_endswith: End, Ignored, Negated;
    endswith_cs: End, Sensitive, Plain;
    not_endswith_cs: End, Sensitive, Negated;
}

fn compare(args: &Args<'_>, place: Place, case: Case, sense: Sense) -> KernelResult {
    let (text, right) = (args.text(0)?, args.text(1)?);
    let negated = sense == Sense::Negated;
    let Some(needle) = right.constant() else {
        return args.to_flags(|row| Needle::new(right.at(row), place, case).matches(text.at(row)) != negated);
    };
    let needle = Needle::new(needle, place, case);
    match place {
        Place::Whole if needle.whole_bytes().is_some() => {
            let bytes = needle.whole_bytes().unwrap_or_default();
            args.to_flags(|row| (text.bytes(row) == bytes && needle.matches(text.at(row))) != negated)
        }
        Place::Whole | Place::Start | Place::End => args.to_flags(|row| needle.matches(text.at(row)) != negated),
        Place::Anywhere | Place::Term | Place::TermStart | Place::TermEnd => {
            args.to_flags_of(&text, |value| needle.matches(value) != negated)
        }
    }
}

/// `text matches regex pattern`
pub fn matches_regex(args: &Args<'_>) -> KernelResult {
    let (text, pattern) = (args.text(0)?, args.text(1)?);
    match pattern.constant() {
        Some(pattern) => {
            let regex = cache::regex(pattern)?;
            args.to_flags_of(&text, |value| regex.is_match(value))
        }
        None => {
            let regexes = cache::Regexes::of(args, &pattern)?;
            args.to_flags(|row| regexes.at(row).is_match(text.at(row)))
        }
    }
}

/// `column : "term"` in `search`: `has`, where `*` at an end of the term stands for the rest of a word.
pub fn search_column(args: &Args<'_>) -> KernelResult {
    let (text, term) = (args.text(0)?, args.text(1)?);
    let needle = |term: &str| {
        let (open_start, open_end) = (term.starts_with('*'), term.len() > 1 && term.ends_with('*'));
        let inner = term.strip_prefix('*').unwrap_or(term);
        let inner = inner.strip_suffix('*').unwrap_or(inner);
        let place = match (open_start, open_end) {
            (false, false) => Place::Term,
            (false, true) => Place::TermStart,
            (true, false) => Place::TermEnd,
            (true, true) => Place::Anywhere,
        };
        Needle::new(inner, place, Case::Ignored)
    };
    match term.constant() {
        Some(term) => {
            let needle = needle(term);
            args.to_flags_of(&text, |value| needle.matches(value))
        }
        None => args.to_flags(|row| needle(term.at(row)).matches(text.at(row))),
    }
}

macro_rules! like_operators {
    ($($name:ident: $case:ident, $sense:ident;)*) => {
        $(pub fn $name(args: &Args<'_>) -> KernelResult {
            like_pattern(args, Case::$case, Sense::$sense)
        })*
    };
}

like_operators! {
    like: Ignored, Plain;
    notlike: Ignored, Negated;
    likecs: Sensitive, Plain;
    notlikecs: Sensitive, Negated;
}

/// `%` stands for any text, `_` for any character.
fn like_pattern(args: &Args<'_>, case: Case, sense: Sense) -> KernelResult {
    let (text, pattern) = (args.text(0)?, args.text(1)?);
    let negated = sense == Sense::Negated;
    let regex = |pattern: &str| {
        let mut source = String::from(if case == Case::Ignored { "(?is)^" } else { "(?s)^" });
        for c in pattern.chars() {
            match c {
                '%' => source.push_str(".*"),
                '_' => source.push('.'),
                other => source.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
            }
        }
        source.push('$');
        cache::regex(&source)
    };
    match pattern.constant() {
        Some(pattern) => {
            let regex = regex(pattern)?;
            args.to_flags_of(&text, |value| regex.is_match(value) != negated)
        }
        None => {
            let mut failed = None;
            let flags = args.to_flags(|row| match regex(pattern.at(row)) {
                Ok(regex) => regex.is_match(text.at(row)) != negated,
                Err(error) => {
                    failed = Some(error);
                    false
                }
            })?;
            failed.map_or(Ok(flags), Err)
        }
    }
}

/// `text has_any (needles)`
pub fn has_any(args: &Args<'_>) -> KernelResult {
    has_list(args, Quantity::Any)
}

/// `text has_all (needles)`
pub fn has_all(args: &Args<'_>) -> KernelResult {
    has_list(args, Quantity::All)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quantity {
    Any,
    All,
}

static NEEDLES: LazyLock<Cache<ListKey, Needles>> = LazyLock::new(Cache::default);

/// The needles of a constant list, with a hash that does not depend on how they were passed.
#[derive(Clone, PartialEq, Eq)]
struct ListKey(Vec<String>);

impl Hash for ListKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for needle in &self.0 {
            state.write(needle.as_bytes());
            state.write_u8(0xff);
        }
    }
}

fn has_list(args: &Args<'_>, quantity: Quantity) -> KernelResult {
    let text = args.text(0)?;
    let lists = args.text_lists(1)?;
    let ask = |needles: &Needles, value: &str| match quantity {
        Quantity::Any => needles.any(value),
        Quantity::All => needles.all(value),
    };
    let gather = |row: usize| {
        let mut out = Vec::new();
        for list in &lists {
            list.gather(row, &mut out);
        }
        ListKey(out)
    };
    if args.all_constant(1) {
        let key = gather(0);
        let needles = NEEDLES.get_or_build(&key, || Needles::new(&key.0))?;
        return args.to_flags_of(&text, |value| ask(&needles, value));
    }
    let mut last: Option<(ListKey, Arc<Needles>)> = None;
    let mut failed = None;
    let flags = args.to_flags(|row| {
        let key = gather(row);
        if last.as_ref().is_none_or(|(known, _)| *known != key) {
            match Needles::new(&key.0) {
                Ok(needles) => last = Some((key, Arc::new(needles))),
                Err(error) => failed = Some(error),
            }
        }
        last.as_ref().is_some_and(|(_, needles)| ask(needles, text.at(row)))
    })?;
    failed.map_or(Ok(flags), Err)
}
