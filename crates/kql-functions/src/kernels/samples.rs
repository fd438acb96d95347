//! Weighted samples of a group, from which percentiles are read.
//!
//! All values are kept up to a limit; above it, neighbours in order are merged to one of them with their joint weight,
//! fewer at both ends than in the middle (the scale of a t-digest), so that a percentile is always one of the values.

use std::cmp::Ordering;

use arrow::datatypes::i256;

/// A value that has percentiles.
pub(super) trait Sample: Copy + Default + std::fmt::Debug + Send + Sync + 'static {
    fn order(&self, other: &Self) -> Ordering;
    fn push_bytes(&self, out: &mut Vec<u8>);
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl Sample for i64 {
    fn order(&self, other: &i64) -> Ordering {
        self.cmp(other)
    }

    fn push_bytes(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }

    fn from_bytes(bytes: &[u8]) -> Option<i64> {
        bytes.try_into().ok().map(i64::from_le_bytes)
    }
}

impl Sample for f64 {
    fn order(&self, other: &f64) -> Ordering {
        self.total_cmp(other)
    }

    fn push_bytes(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }

    fn from_bytes(bytes: &[u8]) -> Option<f64> {
        bytes.try_into().ok().map(f64::from_le_bytes)
    }
}

impl Sample for i256 {
    fn order(&self, other: &i256) -> Ordering {
        self.cmp(other)
    }

    fn push_bytes(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }

    fn from_bytes(bytes: &[u8]) -> Option<i256> {
        bytes.try_into().ok().map(i256::from_le_bytes)
    }
}

/// Values with weights; every weight is at least 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Samples<N> {
    values: Vec<N>,
    /// Empty as long as every weight is 1.
    weights: Vec<i64>,
}

impl<N> Default for Samples<N> {
    fn default() -> Self {
        Samples { values: Vec::new(), weights: Vec::new() }
    }
}

impl<N: Sample> Samples<N> {
    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    #[inline]
    pub fn add(&mut self, value: N) {
        self.values.push(value);
        if !self.weights.is_empty() {
            self.weights.push(1);
        }
    }

    /// Adds a value that stands for `weight` of them; none for a weight below 1.
    pub fn add_weighted(&mut self, value: N, weight: i64) {
        if weight < 1 {
            return;
        }
        if weight == 1 {
            return self.add(value);
        }
        if self.weights.is_empty() {
            self.weights = vec![1; self.values.len()];
        }
        self.values.push(value);
        self.weights.push(weight);
    }

    pub fn merge(&mut self, other: Samples<N>) {
        if other.weights.is_empty() && self.weights.is_empty() {
            self.values.extend(other.values);
        } else {
            other.pairs().for_each(|(value, weight)| self.add_weighted(value, weight));
        }
    }

    /// Values with their weights.
    pub fn pairs(&self) -> impl Iterator<Item = (N, i64)> {
        self.values.iter().enumerate().map(|(index, value)| (*value, self.weights.get(index).copied().unwrap_or(1)))
    }

    pub fn total(&self) -> f64 {
        if self.weights.is_empty() { self.values.len() as f64 } else { self.weights.iter().map(|w| *w as f64).sum() }
    }

    /// Puts the values in order.
    pub fn sort(&mut self) {
        if self.weights.is_empty() {
            self.values.sort_unstable_by(N::order);
        } else {
            let mut pairs: Vec<_> = self.pairs().collect();
            pairs.sort_unstable_by(|a, b| a.0.order(&b.0));
            self.values = pairs.iter().map(|pair| pair.0).collect();
            self.weights = pairs.iter().map(|pair| pair.1).collect();
        }
    }

    /// Merges neighbours until about `size` samples are left.
    pub fn compress(&mut self, size: usize) {
        if self.values.len() <= size {
            return;
        }
        self.sort();
        let total = self.total();
        let scale = size as f64;
        // k(q) = scale / pi * asin(2q - 1): steep at both ends.
        let next = |q: f64| {
            let k = scale / std::f64::consts::PI * (2.0 * q - 1.0).clamp(-1.0, 1.0).asin() + 1.0;
            let angle = (k * std::f64::consts::PI / scale).min(std::f64::consts::FRAC_PI_2);
            (angle.sin() + 1.0) / 2.0
        };
        let mut out = Samples::default();
        let mut cluster: Vec<(N, i64)> = Vec::new();
        let (mut before, mut weight) = (0.0, 0.0);
        let mut limit = next(0.0);
        for (value, w) in self.pairs() {
            if !cluster.is_empty() && (before + weight + w as f64) / total > limit {
                out.push_cluster(&cluster);
                before += weight;
                weight = 0.0;
                cluster.clear();
                limit = next(before / total);
            }
            cluster.push((value, w));
            weight += w as f64;
        }
        out.push_cluster(&cluster);
        *self = out;
    }

    /// Adds the middle value of a run of samples with the weight of all.
    fn push_cluster(&mut self, cluster: &[(N, i64)]) {
        let total = cluster.iter().fold(0i64, |sum, (_, weight)| sum.saturating_add(*weight));
        let mut seen = 0i64;
        for (value, weight) in cluster {
            seen = seen.saturating_add(*weight);
            if seen >= total - total / 2 {
                self.add_weighted(*value, total);
                return;
            }
        }
    }

    /// The percentile by nearest rank: the least value with at least `percent` % of the weight at or below it. The samples
    /// are sorted.
    pub fn percentile(&self, percent: f64) -> Option<N> {
        let rank = percent / 100.0 * self.total();
        // 99.9 % of 1000 is the 999th value, whatever the product's last bit says.
        let rank = rank * (1.0 - 1e-12);
        if self.weights.is_empty() {
            let place = (rank.ceil() as usize).clamp(1, self.values.len().max(1));
            return self.values.get(place - 1).copied();
        }
        let mut seen = 0.0;
        for (value, weight) in self.pairs() {
            seen += weight as f64;
            if seen >= rank {
                return Some(value);
            }
        }
        self.values.last().copied()
    }

    /// One percentile of samples in any order.
    pub fn select(&mut self, percent: f64) -> Option<N> {
        if self.weights.is_empty() && !self.values.is_empty() {
            let rank = percent / 100.0 * self.total() * (1.0 - 1e-12);
            let place = (rank.ceil() as usize).clamp(1, self.values.len());
            return Some(*self.values.select_nth_unstable_by(place - 1, N::order).1);
        }
        self.sort();
        self.percentile(percent)
    }

    /// The weight of the values that are not greater than `value`.
    pub fn rank(&self, value: N) -> f64 {
        self.pairs()
            .filter(|(other, _)| other.order(&value) != Ordering::Greater)
            .map(|(_, weight)| weight as f64)
            .sum()
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.values.capacity() * size_of::<N>() + self.weights.capacity() * size_of::<i64>()
    }

    /// For partial states: the number of values, the values, the weights if they differ from 1.
    pub fn to_bytes(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.values.len() as u64).to_le_bytes());
        self.values.iter().for_each(|value| value.push_bytes(out));
        self.weights.iter().for_each(|weight| out.extend_from_slice(&weight.to_le_bytes()));
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Samples<N>> {
        let (count, body) = bytes.split_first_chunk::<8>()?;
        let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
        let (values, weights) = body.split_at_checked(count.checked_mul(size_of::<N>())?)?;
        let values = values.chunks_exact(size_of::<N>()).map(N::from_bytes).collect::<Option<Vec<_>>>()?;
        let weights: Vec<i64> = weights.as_chunks::<8>().0.iter().map(|weight| i64::from_le_bytes(*weight)).collect();
        (weights.is_empty() || weights.len() == values.len()).then_some(Samples { values, weights })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: impl IntoIterator<Item = i64>) -> Samples<i64> {
        let mut samples = Samples::default();
        values.into_iter().for_each(|value| samples.add(value));
        samples
    }

    #[test]
    fn nearest_rank() {
        let mut ten = samples((0..10).rev());
        for (percent, value) in [(0.0, 0), (10.0, 0), (10.1, 1), (50.0, 4), (51.0, 5), (99.0, 9), (100.0, 9)] {
            assert_eq!(ten.clone().select(percent), Some(value), "{percent}");
            ten.sort();
            assert_eq!(ten.percentile(percent), Some(value), "{percent}");
        }
        assert_eq!(samples(1..=1000).select(99.9), Some(999));
        assert_eq!(Samples::<i64>::default().select(50.0), None);
        assert_eq!(Samples::<i64>::default().percentile(50.0), None);
    }

    #[test]
    fn weights_stand_for_repeated_values() {
        let mut weighted = Samples::default();
        for (value, weight) in [(10, 8), (20, 6), (30, 3), (40, 1), (99, 0), (99, -5)] {
            weighted.add_weighted(value, weight);
        }
        let mut repeated = samples([10; 8].into_iter().chain([20; 6]).chain([30; 3]).chain([40]));
        repeated.sort();
        for percent in [0.0, 10.0, 44.4, 44.5, 50.0, 75.0, 77.8, 95.0, 99.9, 100.0] {
            assert_eq!(weighted.percentile(percent), repeated.percentile(percent), "{percent}");
        }
        assert_eq!((weighted.rank(20), weighted.rank(9), weighted.total()), (14.0, 0.0, 18.0));
    }

    #[test]
    fn compression_keeps_ranks_and_weight() {
        let n = 200_000i64;
        let mut all = samples((0..n).map(|i| i * 7919 % n));
        all.compress(1000);
        assert!(all.len() <= 1100, "{}", all.len());
        assert_eq!(all.total(), n as f64);
        for percent in [0.0, 0.01, 1.0, 25.0, 50.0, 90.0, 99.0, 99.99, 100.0] {
            let found = all.percentile(percent).unwrap() as f64;
            let q: f64 = percent / 100.0;
            let allowed = 2.0 + 4.0 * (q * (1.0 - q)).sqrt() * n as f64 / 1000.0;
            assert!((found - q * n as f64).abs() <= allowed, "{percent}: {found}");
        }
    }

    #[test]
    fn bytes_read_back() {
        let mut weighted = samples([3, 1]);
        weighted.add_weighted(5, 9);
        for sample in [samples([]), samples([1, -2]), weighted] {
            let mut bytes = Vec::new();
            sample.to_bytes(&mut bytes);
            assert_eq!(Samples::from_bytes(&bytes), Some(sample));
        }
        assert_eq!(Samples::<i64>::from_bytes(&[1, 2]), None);
        assert_eq!(Samples::<i64>::from_bytes(&[9, 0, 0, 0, 0, 0, 0, 0, 1]), None);
    }
}
