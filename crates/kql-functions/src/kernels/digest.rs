//! The dynamic value that `tdigest` builds: `[[1000],[values],[weights]]`, values in order.
//!
//! 1000 is the number of samples above which neighbours are merged. Values are long, real, datetime or timespan.

use std::fmt::Write;

use kql_types::{Dynamic, ScalarType};

use super::canonical::array_items;
use super::elements::write_real;
use super::samples::Samples;

/// Samples of a digest.
pub(super) const DIGEST_SIZE: usize = 1000;

/// Samples of one kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Digest {
    /// long, datetime or timespan.
    Whole(ScalarType, Samples<i64>),
    Real(Samples<f64>),
}

impl Digest {
    /// Canonical text; compresses. None for no samples.
    pub fn write(&mut self, out: &mut String) -> Option<()> {
        match self {
            Digest::Whole(ty, samples) => {
                let ty = *ty;
                write_samples(samples, out, |value, out| whole(value, ty).write_canonical(out))
            }
            Digest::Real(samples) => write_samples(samples, out, write_real),
        }
    }

    /// Reads what [`Digest::write`] wrote; None for anything else.
    pub fn parse(text: &str) -> Option<Digest> {
        let mut parts = array_items(text)?;
        array_items(parts.next()?)?.next()?.parse::<u64>().ok()?;
        let values = array_items(parts.next()?)?.map(Dynamic::parse);
        let mut weights = array_items(parts.next()?)?.map(|weight| weight.parse::<i64>().ok());
        if parts.next().is_some() {
            return None;
        }
        let mut digest: Option<Digest> = None;
        for value in values {
            let (value, weight) = (value?, weights.next()??);
            let digest = digest.get_or_insert_with(|| Digest::of(&value));
            digest.add(&value, weight)?;
        }
        if weights.next().is_some() { None } else { digest }
    }

    fn of(value: &Dynamic) -> Digest {
        match value {
            Dynamic::Long(_) => Digest::Whole(ScalarType::Long, Samples::default()),
            Dynamic::DateTime(_) => Digest::Whole(ScalarType::DateTime, Samples::default()),
            Dynamic::TimeSpan(_) => Digest::Whole(ScalarType::TimeSpan, Samples::default()),
            _ => Digest::Real(Samples::default()),
        }
    }

    fn add(&mut self, value: &Dynamic, weight: i64) -> Option<()> {
        match (self, value) {
            (Digest::Whole(ScalarType::Long, samples), Dynamic::Long(value))
            | (Digest::Whole(ScalarType::DateTime, samples), Dynamic::DateTime(value))
            | (Digest::Whole(ScalarType::TimeSpan, samples), Dynamic::TimeSpan(value)) => {
                samples.add_weighted(*value, weight);
            }
            (Digest::Real(samples), value) => samples.add_weighted(value.as_real()?, weight),
            _ => return None,
        }
        Some(())
    }

    /// Adds another digest's samples; digests of unlike kinds meet as reals.
    pub fn merge(&mut self, other: Digest) {
        match (&mut *self, other) {
            (Digest::Whole(mine, samples), Digest::Whole(theirs, others)) if *mine == theirs => samples.merge(others),
            (Digest::Real(samples), other) => samples.merge(other.into_reals()),
            (_, other) => {
                let mut reals = std::mem::replace(self, Digest::Real(Samples::default())).into_reals();
                reals.merge(other.into_reals());
                *self = Digest::Real(reals);
            }
        }
    }

    fn into_reals(self) -> Samples<f64> {
        match self {
            Digest::Real(samples) => samples,
            Digest::Whole(_, samples) => {
                let mut reals = Samples::default();
                samples.pairs().for_each(|(value, weight)| reals.add_weighted(value as f64, weight));
                reals
            }
        }
    }

    /// A percentile by nearest rank. A parsed digest is in order; a merged one is not until it is written.
    pub fn percentile(&self, percent: f64) -> Option<Dynamic> {
        Some(match self {
            Digest::Whole(ty, samples) => whole(samples.percentile(percent)?, *ty),
            Digest::Real(samples) => Dynamic::Real(samples.percentile(percent)?),
        })
    }

    /// The weight of the values that are not greater than `value`, a real or ticks.
    pub fn rank(&self, value: f64) -> f64 {
        match self {
            Digest::Whole(_, samples) => {
                samples.pairs().filter(|(other, _)| *other as f64 <= value).map(|(_, weight)| weight as f64).sum()
            }
            Digest::Real(samples) => samples.rank(value),
        }
    }

    pub fn total(&self) -> f64 {
        match self {
            Digest::Whole(_, samples) => samples.total(),
            Digest::Real(samples) => samples.total(),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Digest::Whole(_, samples) => samples.len(),
            Digest::Real(samples) => samples.len(),
        }
    }

    pub fn compress(&mut self) {
        match self {
            Digest::Whole(_, samples) => samples.compress(DIGEST_SIZE),
            Digest::Real(samples) => samples.compress(DIGEST_SIZE),
        }
    }

    pub fn heap(&self) -> usize {
        match self {
            Digest::Whole(_, samples) => samples.heap(),
            Digest::Real(samples) => samples.heap(),
        }
    }
}

fn whole(value: i64, ty: ScalarType) -> Dynamic {
    match ty {
        ScalarType::DateTime => Dynamic::DateTime(value),
        ScalarType::TimeSpan => Dynamic::TimeSpan(value),
        _ => Dynamic::Long(value),
    }
}

fn write_samples<N: super::samples::Sample>(
    samples: &mut Samples<N>,
    out: &mut String,
    write: impl Fn(N, &mut String),
) -> Option<()> {
    if samples.is_empty() {
        return None;
    }
    samples.compress(DIGEST_SIZE);
    samples.sort();
    let _ = write!(out, "[[{DIGEST_SIZE}],[");
    for (index, (value, _)) in samples.pairs().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(value, out);
    }
    out.push_str("],[");
    for (index, (_, weight)) in samples.pairs().enumerate() {
        let _ = write!(out, "{}{weight}", if index > 0 { "," } else { "" });
    }
    out.push_str("]]");
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(values: impl IntoIterator<Item = i64>) -> Digest {
        let mut samples = Samples::default();
        values.into_iter().for_each(|value| samples.add(value));
        Digest::Whole(ScalarType::Long, samples)
    }

    fn text(mut digest: Digest) -> String {
        let mut out = String::new();
        digest.write(&mut out).unwrap();
        out
    }

    #[test]
    fn text_reads_back() {
        assert_eq!(text(digest([3, 1])), "[[1000],[1,3],[1,1]]");
        let parsed = Digest::parse("[[1000],[1,3],[1,1]]").unwrap();
        assert_eq!(parsed.percentile(100.0), Some(Dynamic::Long(3)));
        let times = Digest::parse("[[1000],[\"\u{E000}t00:00:01\"],[4]]").unwrap();
        assert_eq!((times.percentile(50.0), times.total()), (Some(Dynamic::TimeSpan(10_000_000)), 4.0));
        for broken in
            ["[]", "1", "[[1000],[1],[]]", "[[1000],[1],[1,2]]", "[[1000],[1,\"x\"],[1,1]]", "[[1],[2],[3],[4]]"]
        {
            assert_eq!(Digest::parse(broken), None, "{broken}");
        }
        assert_eq!(Digest::Real(Samples::default()).write(&mut String::new()), None);
    }

    #[test]
    fn large_digests_are_bounded() {
        let text = text(digest(0..50_000));
        let parsed = Digest::parse(&text).unwrap();
        assert!(parsed.len() <= 1100);
        let Some(Dynamic::Long(median)) = parsed.percentile(50.0) else { panic!("a long") };
        assert!((median - 25_000).abs() < 200, "{median}");
    }

    #[test]
    fn unlike_kinds_meet_as_reals() {
        let mut mixed = digest([1, 2]);
        mixed.merge(Digest::parse("[[1000],[1.5],[1]]").unwrap());
        let mixed = Digest::parse(&text(mixed)).unwrap();
        assert_eq!((mixed.percentile(60.0), mixed.rank(1.5)), (Some(Dynamic::Real(1.5)), 2.0));
    }
}
