//! Finding ASCII text in a haystack without regard to case.
//!
//! Two of the needle's least common bytes are compared at 16 places of the haystack at once; only where both fit is the whole
//! needle compared. Nothing is folded or copied.

/// An ASCII needle in lower case, not empty.
#[derive(Debug, Clone)]
pub struct AsciiNeedle {
    lower: Box<[u8]>,
    /// Where the two bytes to look for stand in the needle, in ascending order (the same for a needle of one byte).
    rare: [usize; 2],
}

impl AsciiNeedle {
    /// None when the needle is empty or not ASCII.
    pub fn new(needle: &str) -> Option<AsciiNeedle> {
        if needle.is_empty() || !needle.is_ascii() {
            return None;
        }
        let lower: Box<[u8]> = needle.bytes().map(|byte| byte.to_ascii_lowercase()).collect();
        let rarest = |except: Option<usize>| {
            let places = lower.iter().enumerate().filter(|(at, _)| Some(*at) != except);
            places.min_by_key(|(_, byte)| commonness(**byte)).map(|(at, _)| at)
        };
        let first = rarest(None)?;
        let second = rarest(Some(first)).unwrap_or(first);
        Some(AsciiNeedle { rare: [first.min(second), first.max(second)], lower })
    }

    pub fn lower(&self) -> &[u8] {
        &self.lower
    }

    /// Where the needle first starts at or after `from`.
    #[inline]
    pub fn find(&self, haystack: &[u8], from: usize) -> Option<usize> {
        let last = haystack.len().checked_sub(self.lower.len())?;
        if from > last {
            return None;
        }
        #[cfg(target_arch = "x86_64")]
        if haystack.len() >= self.rare[1] + BLOCK {
            return self.find_in_blocks(haystack, from, last);
        }
        (from..=last).find(|start| self.starts(haystack, *start))
    }

    #[inline]
    fn starts(&self, haystack: &[u8], start: usize) -> bool {
        let end = start + self.lower.len();
        // One byte first: most places fail there.
        haystack.get(start + self.rare[0]).is_some_and(|byte| byte.eq_ignore_ascii_case(&self.lower[self.rare[0]]))
            && haystack.get(start..end).is_some_and(|part| part.eq_ignore_ascii_case(&self.lower))
    }

    /// As [`AsciiNeedle::find`], for a haystack that a block fits into.
    #[cfg(target_arch = "x86_64")]
    fn find_in_blocks(&self, haystack: &[u8], from: usize, last: usize) -> Option<usize> {
        let [low, high] = self.rare.map(|at| Wanted::new(self.lower[at]));
        // The last place at which a block of the farther byte still lies within the haystack.
        let block_last = haystack.len() - self.rare[1] - BLOCK;
        let mut at = from;
        loop {
            // Places before `at` in the last block have been looked at, or lie before `from`.
            let (block, done) = if at <= block_last { (at, 0) } else { (block_last, at - block_last) };
            if done >= BLOCK {
                // What is left is too near to the end for the needle to end within the haystack.
                return None;
            }
            let near = &haystack[block + self.rare[0]..];
            let far = &haystack[block + self.rare[1]..];
            let mut places = low.places(near) & high.places(far) & (u32::MAX << done);
            while places != 0 {
                let start = block + places.trailing_zeros() as usize;
                if start > last {
                    return None;
                }
                if haystack[start..start + self.lower.len()].eq_ignore_ascii_case(&self.lower) {
                    return Some(start);
                }
                places &= places - 1;
            }
            if block == block_last {
                return None;
            }
            at = block + BLOCK;
        }
    }
}

/// Places compared at once.
#[cfg(target_arch = "x86_64")]
const BLOCK: usize = 16;

/// A byte to compare with, and the bit that case changes in it.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Wanted {
    byte: u8,
    case: u8,
}

#[cfg(target_arch = "x86_64")]
impl Wanted {
    fn new(lower: u8) -> Wanted {
        Wanted { byte: lower, case: if lower.is_ascii_lowercase() { 0x20 } else { 0 } }
    }

    /// A bit for each of the first 16 bytes that is the wanted one.
    #[inline]
    fn places(self, bytes: &[u8]) -> u32 {
        use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8};
        debug_assert!(bytes.len() >= BLOCK);
        let Some(block) = bytes.get(..BLOCK) else { return 0 };
        // SAFETY: SSE2 is part of x86_64; 16 bytes are read from a slice of 16 bytes, at any alignment.
        unsafe {
            let block = _mm_loadu_si128(block.as_ptr().cast());
            let folded = _mm_or_si128(block, _mm_set1_epi8(self.case as i8));
            _mm_movemask_epi8(_mm_cmpeq_epi8(folded, _mm_set1_epi8(self.byte as i8))) as u32
        }
    }
}

/// A rough rank of how often a byte stands in logs.
fn commonness(byte: u8) -> u8 {
    match byte {
        b'e' | b'a' | b'i' | b'o' | b't' | b's' | b'n' | b'r' => 9,
        b'c' | b'l' | b'd' | b'm' | b'p' | b'u' | b' ' | b'.' | b'0' | b'1' => 8,
        b'-' | b'/' | b'"' | b':' | b',' | b'2' | b'h' | b'g' | b'f' | b'b' => 7,
        b'3'..=b'9' | b'y' | b'v' | b'w' | b'_' | b'=' | b'\\' => 6,
        b'k' | b'x' => 5,
        b'j' | b'q' | b'z' => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn near_the_ends_of_blocks() {
        for length in 1..80 {
            for start in 0..length {
                for needle in ["q", "Qx", "abcdefghijklmnopqrst"] {
                    let mut haystack = vec![b'.'; length];
                    let end = (start + needle.len()).min(length);
                    haystack[start..end].copy_from_slice(&needle.as_bytes()[..end - start]);
                    let expected = (end - start == needle.len()).then_some(start);
                    assert_eq!(
                        AsciiNeedle::new(needle).unwrap().find(&haystack, 0),
                        expected,
                        "{length} {start} {needle}"
                    );
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn agrees_with_the_plain_search(haystack in "[aAbB@`._é]{0,70}", needle in "[abAB@._]{1,4}", from in 0usize..20) {
            let folded = haystack.to_ascii_lowercase();
            let from = from.min(haystack.len());
            let expected = folded.as_bytes()[from..]
                .windows(needle.len())
                .position(|window| window == needle.to_ascii_lowercase().as_bytes())
                .map(|at| from + at);
            prop_assert_eq!(AsciiNeedle::new(&needle).unwrap().find(haystack.as_bytes(), from), expected);
        }
    }
}
