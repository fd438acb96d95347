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

/// The compiled form of a pattern in RE2 syntax.
///
/// # Errors
/// A pattern that does not compile, or is too large.
pub fn regex(pattern: &str) -> Result<Arc<Regex>, KernelError> {
    REGEXES.get_or_build(pattern, || {
        RegexBuilder::new(pattern)
            .size_limit(REGEX_BYTES_MAX)
            .build()
            .map_err(|error| KernelError(format!("invalid regular expression: {error}")))
    })
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
    fn a_full_cache_forgets() {
        let cache: Cache<String, usize> = Cache::default();
        for i in 0..2 * CAPACITY {
            assert_eq!(*cache.get_or_build(i.to_string().as_str(), || Ok(i)).unwrap(), i);
        }
        assert!(cache.entries.lock().unwrap().len() <= CAPACITY);
    }
}
