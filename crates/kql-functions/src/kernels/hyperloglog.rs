//! The HyperLogLog sketch of `dcount`, `hll` and `hll_merge`.
//!
//! Up to [`SPARSE_MAX`] distinct hashes are kept as they are, so that small counts are exact; above that, one byte per
//! register. As a dynamic value: `[[1024,14],["hash",...],[]]` while sparse, `[[1024,14],[],["registers"]]` after, where the
//! registers are base64. Values hash by XXH64 of their bytes (integers, datetimes and timespans as 8 bytes, little endian).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kql_types::Dynamic;
use std::fmt::Write;

/// So many hashes are kept before registers are made.
const SPARSE_MAX: usize = 1024;
/// Up to so many hashes are searched one by one.
const LINEAR_MAX: usize = 16;

/// Registers are 2 to the power of this, by the accuracy 0 to 4 of `dcount`.
const BITS: [u8; 5] = [12, 14, 16, 17, 18];

/// The bits of an accuracy; None for one that Kusto does not have.
pub(super) fn bits_of(accuracy: i64) -> Option<u8> {
    usize::try_from(accuracy).ok().and_then(|accuracy| BITS.get(accuracy).copied())
}

/// XXH64 of eight bytes with seed 0.
#[inline]
pub(super) fn hash_long(value: i64) -> u64 {
    const P1: u64 = 0x9E37_79B1_85EB_CA87;
    const P2: u64 = 0xC2B2_AE3D_27D4_EB4F;
    const P3: u64 = 0x1656_67B1_9E37_79F9;
    const P4: u64 = 0x85EB_CA77_C2B2_AE63;
    const P5: u64 = 0x27D4_EB2F_1656_67C5;
    let lane = (value as u64).wrapping_mul(P2).rotate_left(31).wrapping_mul(P1);
    let mut hash = P5.wrapping_add(8) ^ lane;
    hash = hash.rotate_left(27).wrapping_mul(P1).wrapping_add(P4);
    hash = (hash ^ (hash >> 33)).wrapping_mul(P2);
    hash = (hash ^ (hash >> 29)).wrapping_mul(P3);
    hash ^ (hash >> 32)
}

/// XXH64 with seed 0.
#[inline]
pub(super) fn hash_bytes(bytes: &[u8]) -> u64 {
    twox_hash::XxHash64::oneshot(0, bytes)
}

#[derive(Debug, Clone, PartialEq)]
enum Registers {
    /// Distinct hashes in the order of their coming.
    Few(Vec<u64>),
    /// Distinct hashes in an open-addressing table (0 is a free slot) with their number; the hash 0 is kept as 1.
    Table(Box<[u64]>, usize),
    Dense(Box<[u8]>),
}

/// A sketch; the empty one holds no memory but itself.
#[derive(Debug, Clone, PartialEq)]
pub struct HyperLogLog {
    bits: u8,
    registers: Registers,
}

impl HyperLogLog {
    pub fn new(bits: u8) -> HyperLogLog {
        HyperLogLog { bits, registers: Registers::Few(Vec::new()) }
    }

    pub fn is_empty(&self) -> bool {
        matches!(&self.registers, Registers::Few(hashes) if hashes.is_empty())
    }

    #[inline]
    pub fn add(&mut self, hash: u64) {
        match &mut self.registers {
            Registers::Dense(registers) => raise(registers, self.bits, hash),
            Registers::Table(slots, count) => {
                if insert(slots, hash.max(1)) {
                    *count += 1;
                    if *count * 2 > slots.len() {
                        self.enlarge();
                    }
                }
            }
            Registers::Few(hashes) => {
                let hash = hash.max(1);
                if !hashes.contains(&hash) {
                    hashes.push(hash);
                    if hashes.len() > LINEAR_MAX {
                        self.enlarge();
                    }
                }
            }
        }
    }

    /// Moves the hashes to the next larger form.
    #[cold]
    fn enlarge(&mut self) {
        let hashes: Vec<u64> = self.hashes().collect();
        self.registers = if hashes.len() > SPARSE_MAX {
            let mut registers = vec![0; 1 << self.bits].into_boxed_slice();
            hashes.iter().for_each(|hash| raise(&mut registers, self.bits, *hash));
            Registers::Dense(registers)
        } else {
            let mut slots = vec![0; (hashes.len() * 4).next_power_of_two()].into_boxed_slice();
            hashes.iter().for_each(|hash| {
                insert(&mut slots, *hash);
            });
            Registers::Table(slots, hashes.len())
        };
    }

    /// The hashes while sparse.
    fn hashes(&self) -> impl Iterator<Item = u64> {
        let hashes: &[u64] = match &self.registers {
            Registers::Few(hashes) => hashes,
            Registers::Table(slots, _) => slots,
            Registers::Dense(_) => &[],
        };
        hashes.iter().copied().filter(|hash| *hash != 0)
    }

    /// Adds what another sketch has seen. Registers of unequal number fold to the fewer.
    pub fn merge(&mut self, other: &HyperLogLog) {
        if other.bits < self.bits {
            self.fold(other.bits);
        }
        match &other.registers {
            Registers::Dense(theirs) => {
                let mut mine = self.grow_dense();
                let shift = other.bits - self.bits;
                for (index, rank) in theirs.iter().enumerate().filter(|(_, rank)| **rank > 0) {
                    let (index, rank) = folded(index, *rank, shift);
                    mine[index] = mine[index].max(rank);
                }
                self.registers = Registers::Dense(mine);
            }
            _ => other.hashes().for_each(|hash| self.add(hash)),
        }
    }

    fn grow_dense(&mut self) -> Box<[u8]> {
        match &mut self.registers {
            Registers::Dense(registers) => std::mem::take(registers),
            _ => {
                let mut registers = vec![0; 1 << self.bits].into_boxed_slice();
                self.hashes().for_each(|hash| raise(&mut registers, self.bits, hash));
                registers
            }
        }
    }

    fn fold(&mut self, bits: u8) {
        if let Registers::Dense(old) = &self.registers {
            let mut registers = vec![0u8; 1 << bits].into_boxed_slice();
            for (index, rank) in old.iter().enumerate().filter(|(_, rank)| **rank > 0) {
                let (index, rank) = folded(index, *rank, self.bits - bits);
                registers[index] = registers[index].max(rank);
            }
            self.registers = Registers::Dense(registers);
        }
        self.bits = bits;
    }

    /// The estimated number of distinct values; exact while sparse.
    pub fn count(&self) -> i64 {
        match &self.registers {
            Registers::Few(hashes) => hashes.len() as i64,
            Registers::Table(_, count) => *count as i64,
            Registers::Dense(registers) => estimate(registers),
        }
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        match &self.registers {
            Registers::Few(hashes) => hashes.capacity() * size_of::<u64>(),
            Registers::Table(slots, _) => size_of_val(&**slots),
            Registers::Dense(registers) => registers.len(),
        }
    }

    /// For partial states: the bits, a form byte, then hashes or registers.
    pub fn to_bytes(&self, out: &mut Vec<u8>) {
        out.push(self.bits);
        match &self.registers {
            Registers::Dense(registers) => {
                out.push(1);
                out.extend_from_slice(registers);
            }
            _ => {
                out.push(0);
                self.hashes().for_each(|hash| out.extend_from_slice(&hash.to_le_bytes()));
            }
        }
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<HyperLogLog> {
        let (&[bits, form], body) = bytes.split_first_chunk::<2>()?;
        if !BITS.contains(&bits) {
            return None;
        }
        let mut sketch = HyperLogLog::new(bits);
        if form == 1 {
            if body.len() != 1 << bits {
                return None;
            }
            sketch.registers = Registers::Dense(body.into());
        } else {
            body.as_chunks::<8>().0.iter().for_each(|hash| sketch.add(u64::from_le_bytes(*hash)));
        }
        Some(sketch)
    }

    /// Canonical text of the dynamic value.
    pub fn write_dynamic(&self, out: &mut String) {
        let _ = write!(out, "[[{SPARSE_MAX},{}],[", self.bits);
        for (index, hash) in self.hashes().enumerate() {
            let _ = write!(out, "{}\"{}\"", if index > 0 { "," } else { "" }, hash as i64);
        }
        out.push_str("],[");
        if let Registers::Dense(registers) = &self.registers {
            out.push('"');
            STANDARD.encode_string(registers, out);
            out.push('"');
        }
        out.push_str("]]");
    }

    /// Reads what [`HyperLogLog::write_dynamic`] wrote; None for anything else.
    pub fn from_dynamic(text: &str) -> Option<HyperLogLog> {
        let value = Dynamic::parse(text)?;
        let [head, hashes, registers] = value.as_array()? else { return None };
        let [Dynamic::Long(_), Dynamic::Long(bits)] = head.as_array()? else { return None };
        let bits = u8::try_from(*bits).ok().filter(|bits| BITS.contains(bits))?;
        let mut sketch = HyperLogLog::new(bits);
        match registers.as_array()? {
            [] => {
                for hash in hashes.as_array()? {
                    let Dynamic::String(hash) = hash else { return None };
                    sketch.add(hash.parse::<i64>().ok()? as u64);
                }
            }
            [Dynamic::String(encoded)] => {
                let registers = STANDARD.decode(encoded).ok().filter(|registers| registers.len() == 1 << bits)?;
                sketch.registers = Registers::Dense(registers.into());
            }
            _ => return None,
        }
        Some(sketch)
    }
}

/// The register and the rank of a hash: its top bits, and the place of the first one among the others.
fn raise(registers: &mut [u8], bits: u8, hash: u64) {
    let index = (hash >> (64 - bits)) as usize;
    let rank = ((hash << bits) | (1 << (bits - 1))).leading_zeros() as u8 + 1;
    registers[index] = registers[index].max(rank);
}

/// Register and rank with `shift` fewer bits of index: the bits dropped from the index come first in the rest.
fn folded(index: usize, rank: u8, shift: u8) -> (usize, u8) {
    let dropped = index & ((1 << shift) - 1);
    let rank = match dropped {
        0 => rank + shift,
        dropped => shift - (usize::BITS - dropped.leading_zeros()) as u8 + 1,
    };
    (index >> shift, rank)
}

fn insert(slots: &mut [u64], hash: u64) -> bool {
    let mask = slots.len() - 1;
    let mut at = (hash >> 7) as usize & mask;
    loop {
        match slots[at] {
            0 => {
                slots[at] = hash;
                return true;
            }
            found if found == hash => return false,
            _ => at = (at + 1) & mask,
        }
    }
}

/// Ertl's improved estimator ("New cardinality estimation algorithms for HyperLogLog sketches", 2017): no bias
/// tables, good over the whole range.
fn estimate(registers: &[u8]) -> i64 {
    let count = registers.len() as f64;
    let bits = registers.len().trailing_zeros() as usize;
    let most = 64 - bits + 1;
    let mut histogram = [0f64; 65];
    registers.iter().for_each(|rank| histogram[usize::from(*rank).min(most)] += 1.0);
    let mut z = count * tau(1.0 - histogram[most] / count);
    for rank in (1..most).rev() {
        z = 0.5 * (z + histogram[rank]);
    }
    z += count * sigma(histogram[0] / count);
    let alpha = 0.5 / std::f64::consts::LN_2;
    (alpha * count * count / z).round() as i64
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(bits: u8, values: std::ops::Range<i64>) -> HyperLogLog {
        let mut sketch = HyperLogLog::new(bits);
        values.for_each(|value| sketch.add(hash_long(value)));
        sketch
    }

    #[test]
    fn hashes_are_xxh64() {
        // The hash of 0 that the documentation of `hll` prints.
        assert_eq!(hash_long(0), 3_803_688_792_395_291_579);
        for value in [0, 1, -1, i64::MIN, 123_456_789] {
            assert_eq!(hash_long(value), hash_bytes(&value.to_le_bytes()));
        }
    }

    #[test]
    fn small_counts_are_exact() {
        for n in [0, 1, 16, 17, 100, 513, 1024] {
            assert_eq!(sketch(14, 0..n).count(), n);
        }
    }

    #[test]
    fn large_counts_are_within_the_stated_error() {
        for (accuracy, error) in [(0, 0.016), (1, 0.008), (2, 0.004), (3, 0.0028), (4, 0.002)] {
            let bits = bits_of(accuracy).unwrap();
            for n in [1025, 5_000, 40_000, 500_000] {
                let count = sketch(bits, 0..n).count() as f64;
                // Three standard errors.
                assert!((count / n as f64 - 1.0).abs() < 3.0 * error, "{n} at {accuracy}: {count}");
            }
        }
        assert_eq!(bits_of(5), None);
    }

    #[test]
    fn merging_equals_adding() {
        for (left, right) in [(10, 20), (10, 2000), (2000, 10), (3000, 4000), (900, 1800)] {
            let mut merged = sketch(14, 0..left);
            merged.merge(&sketch(14, left / 2..right));
            assert_eq!(merged.count(), sketch(14, 0..left.max(right)).count(), "{left} {right}");
        }
    }

    #[test]
    fn unequal_accuracies_fold() {
        let mut merged = sketch(16, 0..5000);
        merged.merge(&sketch(12, 2000..7000));
        assert_eq!(merged, {
            let mut all = sketch(12, 0..7000);
            all.fold(12);
            all
        });
        let mut merged = sketch(12, 2000..7000);
        merged.merge(&sketch(16, 0..5000));
        assert_eq!(merged, sketch(12, 0..7000));
    }

    #[test]
    fn bytes_and_dynamic_read_back() {
        for n in [0, 5, 500, 5000] {
            let sketch = sketch(14, 0..n);
            let mut bytes = Vec::new();
            sketch.to_bytes(&mut bytes);
            assert_eq!(HyperLogLog::from_bytes(&bytes).map(|s| s.count()), Some(sketch.count()));
            let mut text = String::new();
            sketch.write_dynamic(&mut text);
            assert_eq!(HyperLogLog::from_dynamic(&text).map(|s| s.count()), Some(sketch.count()));
        }
        assert_eq!(HyperLogLog::from_dynamic("[[1024,40],[],[]]"), None);
        assert_eq!(HyperLogLog::from_dynamic("[1,2]"), None);
        assert_eq!(HyperLogLog::from_bytes(&[14, 1, 0]), None);
        assert_eq!(HyperLogLog::from_bytes(&[]), None);
    }
}
