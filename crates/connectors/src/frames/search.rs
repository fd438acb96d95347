//! The way from a broken record to the next one that can be read.
//!
//! Two signs are looked for: a line that begins with `{` at the same indentation as the broken record did, and, inside a
//! line, `,{` where the object that follows is valid and begins with the key that the broken record or the last one read
//! began with. When no such key is known the object must lie outside what the broken record opened.
//!
//! A search goes on where it stopped when more text comes, and looks at most a few times at the same bytes: what damage
//! costs grows with its length alone. It never decides by where the text at hand happens to end.

use crate::json::{ScanError, scan};

/// Braces that are tried; behind them the broken record ends.
const TRIES_MAX: usize = 10_000;
/// Bytes of objects that turn out to be broken too; behind them only lines are a sign.
const SCANNED_MAX: usize = 32 << 20;

/// Offsets are from the broken record's beginning.
pub(super) struct Search {
    /// The blanks before the broken record in its line; None when something else stands there.
    indent: Option<Vec<u8>>,
    /// Up to where the text was looked at.
    passed: usize,
    /// Where the line of `passed` begins, when it is not the broken record's own.
    line: Option<usize>,
    /// The last byte before `passed` that is no blank.
    solid: u8,
    /// Brackets opened less brackets closed.
    depth: i64,
    in_string: bool,
    escaped: bool,
    tries: usize,
    scanned: usize,
}

impl Search {
    pub(super) fn new(indent: Option<Vec<u8>>) -> Search {
        Search {
            indent,
            passed: 0,
            line: None,
            solid: 0,
            depth: 0,
            in_string: false,
            escaped: false,
            tries: 0,
            scanned: 0,
        }
    }

    /// Where the next record begins, or the limit when that comes first; None when only more text may tell. `text` is all
    /// that is at hand from the broken record's beginning on.
    pub(super) fn advance(
        &mut self,
        text: &[u8],
        limit: Option<usize>,
        depth_max: usize,
        ended: bool,
        last_key: &[u8],
    ) -> Option<usize> {
        let key = match text.first() {
            Some(b'{') => match first_key(text, 0) {
                Err(()) if !ended => return None,
                key => key.unwrap_or_default(),
            },
            _ => None,
        };
        if self.passed == 0 {
            self.pass(text, 1);
        }
        loop {
            let next = text.get(self.passed..).and_then(|rest| memchr::memchr(b'{', rest));
            let at = next.map_or(text.len(), |length| self.passed + length);
            if limit.is_some_and(|limit| at >= limit) {
                return limit;
            }
            self.pass(text, at);
            next?;
            if self.begins_line(text) {
                return Some(at);
            }
            if self.solid == b',' && self.scanned <= SCANNED_MAX {
                let found = match first_key(text, at) {
                    Err(()) if !ended => return None,
                    found => found.unwrap_or_default(),
                };
                let known = key.is_some() || !last_key.is_empty();
                let alike = match known {
                    true => found.is_some() && (found == key || found == Some(last_key)),
                    false => self.depth <= 0,
                };
                if alike {
                    match scan::object(text, at, depth_max, &mut Vec::new()) {
                        Ok(_) => return Some(at),
                        Err(ScanError::Incomplete) if !ended => return None,
                        Err(ScanError::Incomplete) => self.scanned += text.len() - at,
                        Err(ScanError::Invalid { at: end, .. } | ScanError::TooDeep { at: end }) => {
                            self.scanned += end.saturating_sub(at);
                        }
                    }
                }
            }
            self.pass(text, at + 1);
            self.tries += 1;
            if self.tries >= TRIES_MAX {
                return Some(self.passed);
            }
        }
    }

    /// True when `passed` is where a line begins like the broken record's.
    fn begins_line(&self, text: &[u8]) -> bool {
        match (&self.indent, self.line) {
            (Some(indent), Some(line)) => text.get(line..self.passed) == Some(indent.as_slice()),
            _ => false,
        }
    }

    fn pass(&mut self, text: &[u8], to: usize) {
        let bytes = text.get(self.passed..to).unwrap_or_default();
        if let Some(line) = memchr::memrchr(b'\n', bytes) {
            self.line = Some(self.passed + line + 1);
        }
        if let Some(solid) = bytes.trim_ascii_end().last() {
            self.solid = *solid;
        }
        for byte in bytes {
            match (self.in_string, byte) {
                (true, _) if self.escaped => self.escaped = false,
                (true, b'\\') => self.escaped = true,
                (_, b'"') => self.in_string = !self.in_string,
                (false, b'{' | b'[') => self.depth += 1,
                (false, b'}' | b']') => self.depth -= 1,
                _ => {}
            }
        }
        self.passed = self.passed.max(to.min(text.len()));
    }
}

/// The bytes of the first key of the object at `start`; Err when the text ends before it can be told.
fn first_key(text: &[u8], start: usize) -> Result<Option<&[u8]>, ()> {
    let quote = scan::skip_space(text, start + 1);
    match text.get(quote) {
        None => Err(()),
        Some(b'"') => {
            let rest = text.get(quote + 1..).unwrap_or_default();
            let length = memchr::memchr(b'"', rest).ok_or(())?;
            Ok(rest.get(..length))
        }
        Some(_) => Ok(None),
    }
}
