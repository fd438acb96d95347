//! How text is compared with a needle: equality, prefix, suffix, substring and whole terms, with or without case.
//!
//! A [`Needle`] is prepared once and asked per row; asking allocates nothing and folds no haystack as a whole. A *term* is a
//! maximal run of letters and digits (Unicode); everything else, `_` included, separates terms.
//!
//! Without case, two characters are the same when their simple lower-case forms are. A character outside ASCII never equals
//! one inside (the Kelvin sign is no `k`), so that an ASCII needle can be looked for byte by byte.

use memchr::memmem;

use super::ascii_search::AsciiNeedle;

/// Whether letters that differ only in case are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Case {
    Sensitive,
    Ignored,
}

/// Where the needle must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// `=~`
    Whole,
    /// `startswith`
    Start,
    /// `endswith`
    End,
    /// `contains`
    Anywhere,
    /// `has`: no term goes on beyond either end of the needle.
    Term,
    /// `hasprefix`: no term goes on before the needle.
    TermStart,
    /// `hassuffix`: no term goes on after the needle.
    TermEnd,
}

/// A prepared needle.
#[derive(Debug)]
pub struct Needle {
    place: Place,
    search: Search,
    /// The needle begins (ends) inside a term, so the neighbour in the haystack matters.
    starts_in_term: bool,
    ends_in_term: bool,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one needle a batch: its size does not matter, its place does")]
enum Search {
    Empty,
    Exact {
        finder: memmem::Finder<'static>,
    },
    AsciiFolded(AsciiNeedle),
    /// Folded characters, at least one of them outside ASCII.
    Folded {
        chars: Box<[char]>,
    },
}

impl Needle {
    pub fn new(needle: &str, place: Place, case: Case) -> Needle {
        let search = match (case, AsciiNeedle::new(needle)) {
            _ if needle.is_empty() => Search::Empty,
            (Case::Sensitive, _) => Search::Exact { finder: memmem::Finder::new(needle).into_owned() },
            (Case::Ignored, Some(ascii)) => Search::AsciiFolded(ascii),
            (Case::Ignored, None) => Search::Folded { chars: needle.chars().map(fold).collect() },
        };
        Needle {
            place,
            search,
            starts_in_term: needle.chars().next().is_some_and(char::is_alphanumeric),
            ends_in_term: needle.chars().next_back().is_some_and(char::is_alphanumeric),
        }
    }

    /// The length in bytes of every haystack equal to this needle; None when lengths may differ.
    pub fn whole_bytes(&self) -> Option<usize> {
        match (&self.search, self.place) {
            (Search::Empty, Place::Whole) => Some(0),
            (Search::Exact { finder }, Place::Whole) => Some(finder.needle().len()),
            (Search::AsciiFolded(ascii), Place::Whole) => Some(ascii.lower().len()),
            _ => None,
        }
    }

    /// Whether the haystack has the needle at the place asked for. An empty needle is everywhere, even in an empty
    /// haystack: `"" has ""` is true.
    #[inline]
    pub fn matches(&self, haystack: &str) -> bool {
        match self.place {
            Place::Whole => self.starts(haystack) == Some(haystack.len()),
            Place::Start => self.starts(haystack).is_some(),
            Place::End => self.ends(haystack),
            Place::Anywhere => self.find(haystack, 0).is_some(),
            Place::Term => self.has(haystack, self.starts_in_term, self.ends_in_term),
            Place::TermStart => self.has(haystack, self.starts_in_term, false),
            Place::TermEnd => self.has(haystack, false, self.ends_in_term),
        }
    }

    fn has(&self, haystack: &str, check_before: bool, check_after: bool) -> bool {
        let mut from = 0;
        while let Some((start, end)) = self.find(haystack, from) {
            let goes_on = check_before && term_before(haystack, start) || check_after && term_after(haystack, end);
            if !goes_on {
                return true;
            }
            from = start + haystack.get(start..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        }
        false
    }

    /// The first occurrence at or after byte `from` (a character boundary), as start and end.
    fn find(&self, haystack: &str, from: usize) -> Option<(usize, usize)> {
        let bytes = haystack.as_bytes();
        match &self.search {
            Search::Empty => (from <= bytes.len()).then_some((from, from)),
            Search::Exact { finder } => {
                let start = from + finder.find(bytes.get(from..)?)?;
                Some((start, start + finder.needle().len()))
            }
            Search::AsciiFolded(ascii) => {
                let start = ascii.find(bytes, from)?;
                Some((start, start + ascii.lower().len()))
            }
            Search::Folded { chars } => {
                if haystack.is_ascii() {
                    return None;
                }
                haystack.get(from..)?.char_indices().find_map(|(offset, _)| {
                    let start = from + offset;
                    let length = folded_prefix(haystack.get(start..)?, chars)?;
                    Some((start, start + length))
                })
            }
        }
    }

    /// The end of the needle at the start of the haystack.
    #[inline]
    fn starts(&self, haystack: &str) -> Option<usize> {
        let bytes = haystack.as_bytes();
        match &self.search {
            Search::Empty => Some(0),
            Search::Exact { finder } => bytes.starts_with(finder.needle()).then_some(finder.needle().len()),
            Search::AsciiFolded(ascii) => {
                let lower = ascii.lower();
                bytes.get(..lower.len())?.eq_ignore_ascii_case(lower).then_some(lower.len())
            }
            Search::Folded { chars } => folded_prefix(haystack, chars),
        }
    }

    #[inline]
    fn ends(&self, haystack: &str) -> bool {
        let bytes = haystack.as_bytes();
        match &self.search {
            Search::Empty => true,
            Search::Exact { finder } => bytes.ends_with(finder.needle()),
            Search::AsciiFolded(ascii) => {
                let lower = ascii.lower();
                bytes.len() >= lower.len() && bytes[bytes.len() - lower.len()..].eq_ignore_ascii_case(lower)
            }
            Search::Folded { chars } => {
                let mut given = haystack.chars().rev();
                chars.iter().rev().all(|wanted| given.next().map(fold) == Some(*wanted))
            }
        }
    }
}

/// The length of the folded characters at the start of the text.
fn folded_prefix(text: &str, chars: &[char]) -> Option<usize> {
    let mut given = text.char_indices();
    for wanted in chars {
        let (_, c) = given.next()?;
        if fold(c) != *wanted {
            return None;
        }
    }
    Some(given.next().map_or(text.len(), |(offset, _)| offset))
}

/// Whether the character that ends at byte `at` belongs to a term.
#[inline]
pub fn term_before(text: &str, at: usize) -> bool {
    match text.as_bytes().get(at.wrapping_sub(1)) {
        None => false,
        Some(byte) if byte.is_ascii() => byte.is_ascii_alphanumeric(),
        Some(_) => text.get(..at).and_then(|head| head.chars().next_back()).is_some_and(char::is_alphanumeric),
    }
}

/// Whether the character that begins at byte `at` belongs to a term.
#[inline]
pub fn term_after(text: &str, at: usize) -> bool {
    match text.as_bytes().get(at) {
        None => false,
        Some(byte) if byte.is_ascii() => byte.is_ascii_alphanumeric(),
        Some(_) => text.get(at..).and_then(|tail| tail.chars().next()).is_some_and(char::is_alphanumeric),
    }
}

/// The simple lower-case form of a character; itself when that form has several characters or crosses into ASCII.
#[inline]
pub fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) if !single.is_ascii() => single,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn has(haystack: &str, needle: &str) -> bool {
        Needle::new(needle, Place::Term, Case::Ignored).matches(haystack)
    }

    #[test]
    fn terms_are_whole() {
        assert!(has("user-created by admin", "ADMIN"));
        assert!(has("snake_case", "case"));
        assert!(!has("administrator", "admin"));
        assert!(!has("admin2 xadmin", "admin"));
        assert!(has("xadmin admin", "admin"), "a later occurrence counts");
    }

    #[test]
    fn a_needle_with_punctuation_is_bounded_where_it_ends_in_a_term() {
        assert!(has("GET /a/b?c=1", "a/b"));
        assert!(!has("GET /a/bc", "a/b"));
        assert!(has("GET /a/bc", "/a/"));
        assert!(!has("x2.34", "2.3"));
        assert!(has("a b", " ") && !has("ab", " "));
    }

    #[test]
    fn letters_of_other_scripts_are_terms() {
        assert!(has("ПРИВЕТ мир", "МИР"));
        assert!(!has("мирный", "мир"));
        assert!(!has("éa", "a"), "é goes on before the needle");
        assert!(has("l’été", "ÉTÉ"));
    }

    #[test]
    fn empty_needles_are_everywhere() {
        for place in [Place::Start, Place::End, Place::Anywhere, Place::Term, Place::TermStart, Place::TermEnd] {
            assert!(Needle::new("", place, Case::Ignored).matches(""));
            assert!(Needle::new("", place, Case::Sensitive).matches("x"));
        }
        assert!(!Needle::new("", Place::Whole, Case::Ignored).matches("x"));
    }

    #[test]
    fn folding_stays_on_its_side_of_ascii() {
        assert!(!Needle::new("k", Place::Whole, Case::Ignored).matches("\u{212A}"));
        assert!(Needle::new("Σ", Place::Whole, Case::Ignored).matches("σ"));
        assert!(!Needle::new("full", Place::Whole, Case::Ignored).matches("ＦＵＬＬ"));
    }

    /// The plain reading of the definitions, on vectors of characters.
    fn naive(haystack: &str, needle: &str, place: Place, case: Case) -> bool {
        let prepare = |text: &str| -> Vec<char> {
            text.chars().map(|c| if case == Case::Ignored { fold(c) } else { c }).collect()
        };
        let (given, wanted) = (prepare(haystack), prepare(needle));
        let plain: Vec<char> = haystack.chars().collect();
        let inside = |index: Option<usize>| index.and_then(|i| plain.get(i)).is_some_and(|c| c.is_alphanumeric());
        let first = needle.chars().next().is_some_and(char::is_alphanumeric);
        let last = needle.chars().last().is_some_and(char::is_alphanumeric);
        (0..=given.len().saturating_sub(wanted.len())).filter(|_| given.len() >= wanted.len()).any(|start| {
            let end = start + wanted.len();
            if given[start..end] != wanted[..] {
                return false;
            }
            let free_before = !(first && inside(start.checked_sub(1)));
            let free_after = !(last && inside(Some(end)));
            match place {
                Place::Whole => start == 0 && end == given.len(),
                Place::Start => start == 0,
                Place::End => end == given.len(),
                Place::Anywhere => true,
                Place::Term => free_before && free_after,
                Place::TermStart => free_before,
                Place::TermEnd => free_after,
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn every_place_agrees_with_the_plain_reading(
            haystack in "[abAB1._ éÉñΣσıİ\u{212A}ß語\u{301}]{0,12}",
            needle in "[abAB1._ éÉñΣσ語]{0,4}",
        ) {
            for case in [Case::Sensitive, Case::Ignored] {
                for place in [Place::Whole, Place::Start, Place::End, Place::Anywhere, Place::Term, Place::TermStart, Place::TermEnd] {
                    prop_assert_eq!(
                        Needle::new(&needle, place, case).matches(&haystack),
                        naive(&haystack, &needle, place, case),
                        "{:?} {:?} {:?} {:?}", haystack, needle, place, case
                    );
                }
            }
        }
    }
}
