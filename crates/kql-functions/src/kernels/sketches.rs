//! Functions over the dynamic values of `hll` and `tdigest`.

use kql_types::{Dynamic, ScalarType};

use super::aggregate_state::bug;
use super::digest::Digest;
use super::hyperloglog::HyperLogLog;
use super::{Args, KernelError, KernelResult};

/// `dcount_hll(hll)`.
pub fn dcount_hll(args: &Args<'_>) -> KernelResult {
    let sketches = args.text(0)?;
    args.to_longs(|row| Some(HyperLogLog::from_dynamic(sketches.opt(row)?)?.count()))
}

/// `hll_isvalid(hll)`.
pub fn hll_isvalid(args: &Args<'_>) -> KernelResult {
    let sketches = args.text(0)?;
    args.to_flags(|row| sketches.opt(row).and_then(HyperLogLog::from_dynamic).is_some())
}

/// `hll_merge(hll, ...)`: values that are no sketches are passed over.
pub fn hll_merge(args: &Args<'_>) -> KernelResult {
    let sketches = (0..args.count()).map(|index| args.text(index)).collect::<Result<Vec<_>, _>>()?;
    args.to_dynamics(|row, out| {
        let mut each = sketches.iter().filter_map(|sketch| HyperLogLog::from_dynamic(sketch.opt(row)?));
        let mut merged = each.next()?;
        each.for_each(|other| merged.merge(&other));
        merged.write_dynamic(out);
        Some(())
    })
}

/// `tdigest_isvalid(tdigest)`.
pub fn tdigest_isvalid(args: &Args<'_>) -> KernelResult {
    let digests = args.text(0)?;
    args.to_flags(|row| digests.opt(row).and_then(Digest::parse).is_some())
}

/// `tdigest_merge(tdigest, ...)`: values that are no digests are passed over.
pub fn tdigest_merge(args: &Args<'_>) -> KernelResult {
    let digests = (0..args.count()).map(|index| args.text(index)).collect::<Result<Vec<_>, _>>()?;
    args.to_dynamics(|row, out| {
        let mut each = digests.iter().filter_map(|digest| Digest::parse(digest.opt(row)?));
        let mut merged = each.next()?;
        each.for_each(|other| merged.merge(other));
        merged.write(out)
    })
}

/// `percentile_tdigest(tdigest, percentile, typeof(T))`.
pub fn percentile_tdigest(args: &Args<'_>) -> KernelResult {
    let digests = args.text(0)?;
    let percents = Reals::new(args, 1)?;
    let value = |row| Digest::parse(digests.opt(row)?)?.percentile(percents.at(row)?);
    match args.returns {
        ScalarType::Dynamic => args.to_dynamics(|row, out| {
            value(row)?.write_canonical(out);
            Some(())
        }),
        ScalarType::Int => args.to_ints(|row| i32::try_from(whole(&value(row)?)?).ok()),
        ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan => args.to_longs(|row| whole(&value(row)?)),
        ScalarType::Real => args.to_reals(|row| real(&value(row)?)),
        other => Err(KernelError(format!("a percentile cannot be given as {other}"))),
    }
}

/// `percentiles_array_tdigest(tdigest, percentiles, typeof(T))`.
pub fn percentiles_array_tdigest(args: &Args<'_>) -> KernelResult {
    let digests = args.text(0)?;
    let lists = args.text(1)?;
    let asked = args.ty(2);
    args.to_dynamics(|row, out| {
        let digest = Digest::parse(digests.opt(row)?)?;
        let percents = Dynamic::parse(lists.opt(row)?)?;
        let value = |percent: &Dynamic| {
            let value = percent.as_real().and_then(|percent| digest.percentile(percent))?;
            Some(match asked {
                ScalarType::Int | ScalarType::Long => Dynamic::Long(whole(&value)?),
                ScalarType::Real => Dynamic::Real(real(&value)?),
                _ => value,
            })
        };
        let values = percents.as_array()?.iter().map(|percent| value(percent).unwrap_or(Dynamic::Null));
        Dynamic::Array(values.collect()).write_canonical(out);
        Some(())
    })
}

/// `rank_tdigest(tdigest, value)`.
pub fn rank_tdigest(args: &Args<'_>) -> KernelResult {
    let digests = args.text(0)?;
    let values = Reals::new(args, 1)?;
    args.to_reals(|row| Some(Digest::parse(digests.opt(row)?)?.rank(values.at(row)?)))
}

/// `percentrank_tdigest(tdigest, value)`.
pub fn percentrank_tdigest(args: &Args<'_>) -> KernelResult {
    let digests = args.text(0)?;
    let values = Reals::new(args, 1)?;
    args.to_reals(|row| {
        let digest = Digest::parse(digests.opt(row)?)?;
        Some(digest.rank(values.at(row)?) * 100.0 / digest.total())
    })
}

fn whole(value: &Dynamic) -> Option<i64> {
    match value {
        Dynamic::Long(value) | Dynamic::DateTime(value) | Dynamic::TimeSpan(value) => Some(*value),
        Dynamic::Real(value) => Some(*value as i64),
        _ => None,
    }
}

fn real(value: &Dynamic) -> Option<f64> {
    match value {
        Dynamic::DateTime(value) | Dynamic::TimeSpan(value) => Some(*value as f64),
        other => other.as_real(),
    }
}

/// A summable argument read as real; datetime and timespan as ticks.
enum Reals<'a> {
    Int(super::access::Numbers<'a, arrow::datatypes::Int32Type>),
    Long(super::access::Numbers<'a, arrow::datatypes::Int64Type>),
    Real(super::access::Numbers<'a, arrow::datatypes::Float64Type>),
    Decimal(super::access::Numbers<'a, arrow::datatypes::Decimal256Type>),
}

impl<'a> Reals<'a> {
    fn new(args: &Args<'a>, index: usize) -> Result<Reals<'a>, KernelError> {
        Ok(match args.ty(index) {
            ScalarType::Int => Reals::Int(args.int(index)?),
            ScalarType::Long | ScalarType::DateTime | ScalarType::TimeSpan => Reals::Long(args.long(index)?),
            ScalarType::Real => Reals::Real(args.real(index)?),
            ScalarType::Decimal => Reals::Decimal(args.decimal(index)?),
            other => return Err(bug(format!("{other} where a number was expected"))),
        })
    }

    fn at(&self, row: usize) -> Option<f64> {
        match self {
            Reals::Int(values) => values.opt(row).map(f64::from),
            Reals::Long(values) => values.opt(row).map(|value| value as f64),
            Reals::Real(values) => values.opt(row),
            Reals::Decimal(values) => values.opt(row).map(super::aggregate_spread::decimal_to_real),
        }
    }
}
