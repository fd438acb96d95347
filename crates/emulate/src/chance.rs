//! Repeatable chance: SplitMix64, so that a seed gives the same logs on every platform and version.

use kql_types::datetime::{TICKS_PER_DAY, TICKS_PER_SECOND};

pub const SECOND: i64 = TICKS_PER_SECOND;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = TICKS_PER_DAY;

#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// Seeded by a text: equal texts give equal chances (FNV-1a).
    pub fn of_text(text: &str) -> Chance {
        let hash = text
            .bytes()
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
        Chance::new(hash)
    }

    pub fn new(seed: u64) -> Chance {
        Chance(seed ^ 0x5DEE_CE66_D1CE_4E5B)
    }

    fn advance(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 when the limit is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 { 0 } else { self.advance() % limit }
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from_digit(self.below(16) as u32, 16).unwrap_or('0')).collect()
    }

    pub fn guid(&mut self) -> String {
        let (a, b, c, d) = (self.hex(8), self.hex(4), self.hex(3), self.hex(3));
        format!("{a}-{b}-4{c}-8{d}-{}", self.hex(12))
    }

    /// A moment of a working day between two, in ticks; whole seconds.
    pub fn moment(&mut self, from: i64, to: i64) -> i64 {
        let seconds = ((to - from) / SECOND).max(1) as u64;
        from + self.below(seconds) as i64 * SECOND
    }
}
