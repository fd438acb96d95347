//! Many needles at once, for `has_any` and `has_all`.
//!
//! ASCII needles share one automaton that ignores case; an occurrence counts when no term goes on beyond its ends. Occurrences
//! overlap: in `ab-cd`, `b-c` is no term although `ab-cd` is one. Needles outside ASCII are looked for one by one.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::KernelError;
use super::text_match::{Case, Needle, Place, term_after, term_before};

/// From this many needles on, one automaton is faster than one search after another.
const AUTOMATON_FROM: usize = 8;
/// Bytes that the needles of one list may have together.
const LIST_BYTES_MAX: usize = 16 << 20;
/// Up to this many bytes the automaton may be a (large, fast) table.
const TABLE_BYTES_MAX: usize = 20_000;

/// The prepared needles of one list.
#[derive(Debug)]
pub struct Needles {
    /// All needles, for `all`; those that are not in the automaton come first.
    single: Vec<Needle>,
    /// How many of `single` the automaton does not know.
    apart: usize,
    automaton: Option<Automaton>,
}

#[derive(Debug)]
struct Automaton {
    search: AhoCorasick,
    /// Per needle: whether its start and its end lie in a term.
    ends: Vec<(bool, bool)>,
}

impl Needles {
    /// # Errors
    /// A list that is too large.
    pub fn new<S: AsRef<str>>(list: &[S]) -> Result<Needles, KernelError> {
        let bytes: usize = list.iter().map(|needle| needle.as_ref().len()).sum();
        if bytes > LIST_BYTES_MAX {
            return Err(KernelError(format!("a list of {bytes} bytes is over the limit of {LIST_BYTES_MAX}")));
        }
        let mut sorted: Vec<&str> = list.iter().map(AsRef::as_ref).collect();
        // Outside ASCII and empty ones first: false sorts before true.
        sorted.sort_by_key(|needle| !needle.is_empty() && needle.is_ascii());
        let apart = sorted.iter().filter(|needle| needle.is_empty() || !needle.is_ascii()).count();
        let single = sorted.iter().map(|needle| Needle::new(needle, Place::Term, Case::Ignored)).collect();
        let known = sorted.get(apart..).unwrap_or_default();
        let automaton = if known.len() < AUTOMATON_FROM { None } else { Some(Automaton::new(known, bytes)?) };
        let apart = if automaton.is_some() { apart } else { sorted.len() };
        Ok(Needles { single, apart, automaton })
    }

    /// Whether the text has at least one of the needles as a term; false for no needles.
    pub fn any(&self, text: &str) -> bool {
        self.automaton.as_ref().is_some_and(|automaton| automaton.any(text))
            || self.single.iter().take(self.apart).any(|needle| needle.matches(text))
    }

    /// Whether the text has all of the needles as terms; true for no needles.
    pub fn all(&self, text: &str) -> bool {
        self.single.iter().all(|needle| needle.matches(text))
    }
}

impl Automaton {
    fn new(needles: &[&str], bytes: usize) -> Result<Automaton, KernelError> {
        let kind = if bytes <= TABLE_BYTES_MAX { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(kind))
            .build(needles)
            .map_err(|error| KernelError(format!("this list cannot be searched for: {error}")))?;
        let in_term = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let ends = needles.iter().map(|n| (in_term(n.as_bytes().first()), in_term(n.as_bytes().last()))).collect();
        Ok(Automaton { search, ends })
    }

    fn any(&self, text: &str) -> bool {
        // Most texts have no needle at all, and asking that is the fastest way through the automaton.
        self.search.is_match(text)
            && self.search.find_overlapping_iter(text).any(|found| {
                let (starts, ends) = self.ends.get(found.pattern().as_usize()).copied().unwrap_or((true, true));
                !(starts && term_before(text, found.start()) || ends && term_after(text, found.end()))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn overlapping_needles_are_judged_each() {
        let needles = Needles::new(&["b-c", "ab-cd", "1", "2", "3", "4", "5", "zz"]).unwrap();
        assert!(needles.automaton.is_some());
        assert!(needles.any("x AB-CD y"));
        assert!(!needles.any("xab-cdy"));
    }

    #[test]
    fn no_needles() {
        let none = Needles::new::<&str>(&[]).unwrap();
        assert!(!none.any("a"));
        assert!(none.all("a"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn the_automaton_agrees_with_single_searches(
            text in "[aAbB1-_ éÉ]{0,14}",
            list in prop::collection::vec("[abB1-_é]{0,3}", 0..14),
        ) {
            let needles = Needles::new(&list).unwrap();
            let mut single = list.iter().map(|n| Needle::new(n, Place::Term, Case::Ignored).matches(&text));
            prop_assert_eq!(needles.any(&text), single.clone().any(|m| m));
            prop_assert_eq!(needles.all(&text), single.all(|m| m));
        }
    }
}
