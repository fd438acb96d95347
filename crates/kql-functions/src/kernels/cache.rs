//! Compiled patterns, kept between batches.
//!
//! A kernel holds no state, so what is costly to build (a regex, an automaton) is looked up here by its text. The caches
//! are bounded: when one is full it forgets everything, which costs one compilation per live pattern.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::{Regex, RegexBuilder};

use super::access::Text;
use super::{Args, KernelError};

/// Entries a cache holds.
const CAPACITY: usize = 512;
/// Bytes a compiled regex may take.
const REGEX_BYTES_MAX: usize = 32 << 20;

/// A bounded map from a key to something compiled.
#[derive(Debug)]
pub struct Cache<K, V> {
    entries: Mutex<HashMap<K, Arc<V>>>,
}

impl<K: Eq + Hash, V> Default for Cache<K, V> {
    fn default() -> Cache<K, V> {
        Cache { entries: Mutex::new(HashMap::new()) }
    }
}

impl<K: Eq + Hash, V> Cache<K, V> {
    /// The entry of `key`, built when it is not there. Failures are not kept.
    pub fn get_or_build<Q>(
        &self,
        key: &Q,
        build: impl FnOnce() -> Result<V, KernelError>,
    ) -> Result<Arc<V>, KernelError>
    where
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        K: std::borrow::Borrow<Q>,
    {
        if let Some(value) = self.entries.lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Ok(Arc::clone(value));
        }
        let value = Arc::new(build()?);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CAPACITY {
            entries.clear();
        }
        entries.insert(key.to_owned(), Arc::clone(&value));
        Ok(value)
    }
}

static REGEXES: LazyLock<Cache<String, Regex>> = LazyLock::new(Cache::default);

/// The compiled form of a pattern.
///
/// Kusto once took RE2 patterns, and published rules still have some that only RE2 accepts: a pattern that does not
/// compile is tried again with the braces and brackets escaped that RE2 takes as plain characters, and `\<` and `\>` as these.
///
/// # Errors
/// A pattern that does not compile, or is too large.
pub fn regex(pattern: &str) -> Result<Arc<Regex>, KernelError> {
    REGEXES.get_or_build(pattern, || {
        let build = |pattern: &str| RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).build();
        build(pattern)
            .or_else(|error| build(&escaped_as_re2(pattern)).map_err(|_| error))
            .map_err(|error| KernelError(format!("invalid regular expression: {error}")))
    })
}

/// The pattern with `\{` for a `{` that begins no repetition (`a{1.3}`), and `\[` for a `[` within brackets (`[[]`).
fn escaped_as_re2(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    let mut in_brackets = false;
    while let Some(c) = rest.chars().next() {
        let (taken, after) = rest.split_at(c.len_utf8());
        rest = after;
        match c {
            '\\' => {
                // An escape and the character after it; the braces of `\p{L}` and `\x{41}` belong to it.
                let next = rest.chars().next().map_or(0, char::len_utf8);
                let (escaped, after) = rest.split_at(next);
                if !matches!(escaped, "<" | ">") {
                    out.push('\\');
                }
                out.push_str(escaped);
                rest = after;
                if matches!(escaped, "p" | "P" | "x" | "u" | "U")
                    && let Some(end) = rest.strip_prefix('{').and_then(|inner| inner.find('}'))
                {
                    let (braces, after) = rest.split_at(end + 2);
                    out.push_str(braces);
                    rest = after;
                }
                continue;
            }
            '[' if in_brackets && !rest.starts_with(':') => out.push('\\'),
            '[' if !in_brackets => {
                in_brackets = true;
                // A bracket that closes nothing yet is a plain character.
                let head = rest.len() - rest.trim_start_matches('^').len();
                let head = if rest[head..].starts_with(']') { head + 1 } else { head };
                let (start, after) = rest.split_at(head);
                out.push('[');
                out.push_str(start);
                rest = after;
                continue;
            }
            ']' => in_brackets = false,
            '{' if !in_brackets && !begins_repetition(rest) => out.push('\\'),
            _ => {}
        }
        out.push_str(taken);
    }
    out
}

/// Whether the text after `{` is `n}`, `n,}` or `n,m}`.
fn begins_repetition(after: &str) -> bool {
    let Some((inner, _)) = after.split_once('}') else { return false };
    let (low, high) = inner.split_once(',').unwrap_or((inner, "1"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !low.is_empty() && digits(low) && digits(high)
}

/// The regexes of a pattern argument, compiled once per distinct pattern of the batch.
#[derive(Debug)]
pub struct Regexes {
    compiled: Vec<Arc<Regex>>,
    /// Per row the index into `compiled`; empty when the pattern is constant.
    rows: Vec<u32>,
}

impl Regexes {
    /// # Errors
    /// A pattern that does not compile.
    pub fn of(args: &Args<'_>, pattern: &Text<'_>) -> Result<Regexes, KernelError> {
        Regexes::of_form(args, pattern, regex)
    }

    /// As [`Regexes::of`], with each pattern brought into a form (anchored, say) by `compile`.
    pub fn of_form(
        args: &Args<'_>,
        pattern: &Text<'_>,
        compile: impl Fn(&str) -> Result<Arc<Regex>, KernelError>,
    ) -> Result<Regexes, KernelError> {
        if let Some(pattern) = pattern.constant() {
            return Ok(Regexes { compiled: vec![compile(pattern)?], rows: Vec::new() });
        }
        let mut known: HashMap<&str, u32> = HashMap::new();
        let (mut compiled, mut rows) = (Vec::new(), Vec::with_capacity(args.rows));
        for row in 0..args.rows {
            let text = pattern.at(row);
            let index = match known.get(text) {
                Some(index) => *index,
                None => {
                    compiled.push(compile(text)?);
                    let index = compiled.len() as u32 - 1;
                    known.insert(text, index);
                    index
                }
            };
            rows.push(index);
        }
        if compiled.is_empty() {
            compiled.push(compile("")?);
        }
        Ok(Regexes { compiled, rows })
    }

    /// The regex of a row.
    #[inline]
    pub fn at(&self, row: usize) -> &Regex {
        &self.compiled[self.rows.get(row).map_or(0, |index| *index as usize)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_compiled_once() {
        let first = regex("a+b").unwrap();
        assert!(Arc::ptr_eq(&first, &regex("a+b").unwrap()));
        assert!(regex("a(").is_err());
    }

    #[test]
    fn what_only_re2_accepts() {
        for (pattern, text) in [
            (r"\d{1.3}", "7{1.3}"),
            (r"^[[]$", "["),
            (r#"[[",\]]"#, "]"),
            (r"\s{\d+}\:", " {12}:"),
            (r"[0-9]{1-3}+", "5{1-3}"),
            (r"[^[{]{\p{L}", "a{é"),
            (r"^[\w\<\>\?]+$", "<a?>"),
        ] {
            assert!(regex(pattern).unwrap().is_match(text), "{pattern} on {text}: {}", escaped_as_re2(pattern));
        }
        for pattern in [r"\p{L}{2,3}[[:alpha:]]\x{41}", r"[]a]{2}", "a{3}"] {
            assert_eq!(escaped_as_re2(pattern), pattern);
        }
        assert!(regex("(").is_err() && regex("[a").is_err());
    }

    #[test]
    fn a_full_cache_forgets() {
        let cache: Cache<String, usize> = Cache::default();
        for i in 0..2 * CAPACITY {
            assert_eq!(*cache.get_or_build(i.to_string().as_str(), || Ok(i)).unwrap(), i);
        }
        assert!(cache.entries.lock().unwrap().len() <= CAPACITY);
    }
}
