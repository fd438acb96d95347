//! The aggregates that `make-series` ends in: values by bin, gathered to arrays with the gaps filled.
//!
//! `make-series` first aggregates by key and bin, then gathers each aggregate by key with `$series` and the axis with
//! `$series_axis`. Bins are numbered from 0 at `from`, or on the grid of `bin()` when there is no `from`; the first and the last
//! bin of a series are those given, else the least and greatest of its own. So nothing but the gaps needs the default.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BinaryViewBuilder, Float64Array, Int64Array, StringViewBuilder,
};
use arrow::datatypes::DataType;
use kql_types::ScalarType;

use super::aggregate_state::{HeapEstimate, bug, column, constant_long, downcast, grow_with, partial, take_first};
use super::elements::Elements;
use super::{AggregateCall, Args, GroupState, KernelError, KernelResult};

/// Bins of one series; more is an error, as in Kusto's own arrays.
const BINS_MAX: i64 = 1_048_576;

/// `$series(bin, value, default, first, last)`: an array of the values of bins `first` to `last`, each null for the group's own.
pub fn series(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    let gap = match call.constants.get(2) {
        Some(Some(default)) => {
            let mut text = String::new();
            Elements::new(default, call.types.get(2).copied().unwrap_or(ScalarType::Unknown))?.write(0, &mut text);
            text
        }
        _ => return Err(bug("the default of a series is not constant")),
    };
    let span = Span { first: constant_long(call, 3), last: constant_long(call, 4) };
    Ok(Box::new(Gather { span, output: Output::Values { gap }, groups: Vec::new(), heap: HeapEstimate::default() }))
}

/// `$series_axis(bin, origin, step, first, last)`: an array of the starts of bins `first` to `last`.
pub fn series_axis(call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    let constant = |index: usize| match call.constants.get(index) {
        Some(Some(value)) => Ok(Arc::clone(value)),
        _ => Err(bug("the grid of a series is not constant")),
    };
    let ty = call.types.get(1).copied().unwrap_or(ScalarType::Unknown);
    let span = Span { first: constant_long(call, 3), last: constant_long(call, 4) };
    let output = Output::Axis { ty, origin: constant(1)?, step: constant(2)? };
    Ok(Box::new(Gather { span, output, groups: Vec::new(), heap: HeapEstimate::default() }))
}

/// The bins of every series; None is each group's own.
#[derive(Debug, Clone, Copy)]
struct Span {
    first: Option<i64>,
    last: Option<i64>,
}

#[derive(Debug)]
enum Output {
    /// `gap` is the default as canonical text.
    Values {
        gap: String,
    },
    Axis {
        ty: ScalarType,
        origin: ArrayRef,
        step: ArrayRef,
    },
}

/// Bins and values of one group as they came.
#[derive(Debug, Default)]
struct Bins {
    /// Bin and the end of its value in `text`; the value begins where the one before ends.
    ends: Vec<(i64, u32)>,
    text: String,
}

impl Bins {
    /// Bin and value in the order of the bins; the first value of a bin that comes twice.
    fn sorted(&self) -> Vec<(i64, &str)> {
        let mut start = 0;
        let mut out = Vec::with_capacity(self.ends.len());
        for (bin, end) in &self.ends {
            let end = *end as usize;
            out.push((*bin, self.text.get(start..end).unwrap_or("null")));
            start = end;
        }
        out.sort_by_key(|(bin, _)| *bin);
        out.dedup_by_key(|(bin, _)| *bin);
        out
    }
}

#[derive(Debug)]
struct Gather {
    span: Span,
    output: Output,
    groups: Vec<Bins>,
    heap: HeapEstimate,
}

impl Gather {
    fn note(&mut self, rows: usize) {
        self.heap
            .note(rows, &self.groups, |bins| bins.text.capacity() + bins.ends.capacity() * size_of::<(i64, u32)>());
    }

    /// Appends a group's array; None for a group without bins when the span is its own.
    fn write(&self, bins: &Bins, out: &mut String) -> Result<Option<()>, KernelError> {
        let values = bins.sorted();
        let own = |value: Option<&(i64, &str)>| value.map(|(bin, _)| *bin);
        let (Some(first), Some(last)) =
            (self.span.first.or(own(values.first())), self.span.last.or(own(values.last())))
        else {
            return Ok(None);
        };
        if last.saturating_sub(first) >= BINS_MAX {
            return Err(KernelError(format!("a series has more than {BINS_MAX} bins")));
        }
        out.push('[');
        let mut values = values.into_iter().peekable();
        for bin in first..=last {
            if bin > first {
                out.push(',');
            }
            match &self.output {
                Output::Axis { ty, origin, step } => write_start(*ty, origin, step, bin, out)?,
                Output::Values { gap } => {
                    while values.next_if(|(other, _)| *other < bin).is_some() {}
                    match values.next_if(|(other, _)| *other == bin) {
                        Some((_, value)) => out.push_str(value),
                        None => out.push_str(gap),
                    }
                }
            }
        }
        out.push(']');
        Ok(Some(()))
    }
}

/// Appends `origin + bin * step`.
fn write_start(
    ty: ScalarType,
    origin: &ArrayRef,
    step: &ArrayRef,
    bin: i64,
    out: &mut String,
) -> Result<(), KernelError> {
    let start: ArrayRef = match ty {
        ScalarType::Real => {
            let (origin, step) = (downcast::<Float64Array>(origin)?, downcast::<Float64Array>(step)?);
            Arc::new(Float64Array::from(vec![origin.value(0) + bin as f64 * step.value(0)]))
        }
        _ => {
            let (origin, step) = (downcast::<Int64Array>(origin)?, downcast::<Int64Array>(step)?);
            Arc::new(Int64Array::from(vec![origin.value(0).wrapping_add(bin.wrapping_mul(step.value(0)))]))
        }
    };
    Elements::new(&start, ty)?.write(0, out);
    Ok(())
}

impl GroupState for Gather {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow_with(&mut self.groups, total, Bins::default);
        let (numbers, constant) = column(args, 0)?;
        let numbers = downcast::<Int64Array>(numbers)?;
        let values = match self.output {
            Output::Axis { .. } => None,
            Output::Values { .. } => {
                let (values, constant) = column(args, 1)?;
                Some((Elements::new(values, args.ty(1))?, constant))
            }
        };
        for (row, group) in groups.iter().enumerate() {
            let at = if constant { 0 } else { row };
            if numbers.is_null(at) {
                continue;
            }
            let bins = &mut self.groups[*group];
            if let Some((values, constant)) = &values {
                values.write(if *constant { 0 } else { row }, &mut bins.text);
            }
            bins.ends.push((numbers.value(at), u32::try_from(bins.text.len()).map_err(bug)?));
        }
        self.note(groups.len());
        Ok(())
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        grow_with(&mut self.groups, count, Bins::default);
        let mut texts = StringViewBuilder::with_capacity(count);
        let mut ends = BinaryViewBuilder::with_capacity(count);
        for bins in take_first(&mut self.groups, count) {
            texts.try_append_value(&bins.text).map_err(bug)?;
            let bytes: Vec<u8> = bins
                .ends
                .iter()
                .flat_map(|(bin, end)| [bin.to_le_bytes(), i64::from(*end).to_le_bytes()].concat())
                .collect();
            ends.try_append_value(bytes).map_err(bug)?;
        }
        self.note(usize::MAX);
        Ok(vec![Arc::new(texts.finish()), Arc::new(ends.finish())])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![DataType::Utf8View, DataType::BinaryView]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow_with(&mut self.groups, total, Bins::default);
        let texts = partial(columns, 0)?.as_string_view();
        let ends = downcast::<BinaryViewArray>(partial(columns, 1)?)?;
        for (row, group) in groups.iter().enumerate() {
            let bins = &mut self.groups[*group];
            let start = bins.text.len();
            bins.text.push_str(texts.value(row));
            for pair in ends.value(row).as_chunks::<16>().0 {
                let (bin, end) = pair.split_at(8);
                let read = |bytes: &[u8]| bytes.try_into().map(i64::from_le_bytes).map_err(bug);
                let end = u32::try_from(start as i64 + read(end)?).map_err(bug)?;
                bins.ends.push((read(bin)?, end));
            }
        }
        self.note(groups.len());
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        grow_with(&mut self.groups, count, Bins::default);
        let mut builder = StringViewBuilder::with_capacity(count);
        let mut text = String::new();
        for bins in take_first(&mut self.groups, count) {
            text.clear();
            match self.write(&bins, &mut text)? {
                Some(()) => builder.try_append_value(&text).map_err(bug)?,
                None => builder.append_null(),
            }
        }
        self.note(usize::MAX);
        Ok(Arc::new(builder.finish()))
    }

    fn size(&self) -> usize {
        self.groups.capacity() * size_of::<Bins>() + self.heap.bytes()
    }
}

/// `$series_bin(axis, origin, step)`: the number of the bin that a value of the axis falls in, counted from `origin`; null for null
/// and for a step that is not positive.
pub fn series_bin(args: &Args<'_>) -> KernelResult {
    if args.ty(0) == ScalarType::Real {
        let (values, origin, step) = (args.real(0)?, args.real(1)?, args.real(2)?);
        return args.to_longs(|row| {
            let step = step.opt(row).filter(|step| *step > 0.0)?;
            let bin = ((values.opt(row)? - origin.opt(row)?) / step).floor();
            (bin.abs() < 9e18).then_some(bin as i64)
        });
    }
    let (values, origin, step) = (args.long(0)?, args.long(1)?, args.long(2)?);
    args.to_longs(|row| {
        let step = step.opt(row).filter(|step| *step > 0)?;
        Some(values.opt(row)?.checked_sub(origin.opt(row)?)?.div_euclid(step))
    })
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Int64Type;

    use super::*;

    fn long(value: Option<i64>) -> ArrayRef {
        Arc::new(Int64Array::from(vec![value]))
    }

    /// Series of groups 0 and 1, made in one piece and of merged halves.
    fn gathered(make: super::super::AggregateFn, columns: &[(ArrayRef, ScalarType, bool)]) -> Vec<Option<String>> {
        let types: Vec<ScalarType> = columns.iter().map(|column| column.1).collect();
        let constant: Vec<bool> = columns.iter().map(|column| column.2).collect();
        let constants: Vec<Option<ArrayRef>> =
            columns.iter().map(|column| column.2.then(|| column.0.clone())).collect();
        let call = AggregateCall { types: &types, returns: ScalarType::Dynamic, constants: &constants };
        let groups = [0, 1, 0, 1, 0];
        let update = |state: &mut dyn GroupState, from: usize, len: usize| {
            let batch: Vec<ArrayRef> = columns
                .iter()
                .map(|column| if column.2 { column.0.clone() } else { column.0.slice(from, len) })
                .collect();
            let args =
                Args { columns: &batch, constant: &constant, types: &types, returns: ScalarType::Dynamic, rows: len };
            state.update(&args, &groups[from..from + len], 2).unwrap();
        };
        let mut whole = make(&call).unwrap();
        update(&mut *whole, 0, 5);
        let mut merged = make(&call).unwrap();
        for (from, len) in [(0, 2), (2, 3)] {
            let mut part = make(&call).unwrap();
            update(&mut *part, from, len);
            merged.merge(&part.take_partial(2).unwrap(), &[0, 1], 2).unwrap();
        }
        let text = |array: ArrayRef| {
            array.as_string_view().iter().map(|text| text.map(str::to_owned)).collect::<Vec<Option<String>>>()
        };
        let out = text(whole.take_final(2).unwrap());
        assert_eq!(out, text(merged.take_final(2).unwrap()));
        out
    }

    fn bins() -> (ArrayRef, ScalarType, bool) {
        (Arc::new(Int64Array::from(vec![Some(2), Some(1), Some(0), None, Some(4)])), ScalarType::Long, false)
    }

    #[test]
    fn gaps_are_filled_with_the_default() {
        let values: ArrayRef = Arc::new(Int64Array::from(vec![Some(20), Some(10), None, Some(99), Some(40)]));
        let call = |first, last| {
            [
                bins(),
                (values.clone(), ScalarType::Long, false),
                (long(Some(-1)), ScalarType::Long, true),
                (long(first), ScalarType::Long, true),
                (long(last), ScalarType::Long, true),
            ]
        };
        let some = |texts: [&str; 2]| texts.map(|text| Some(text.to_owned())).to_vec();
        assert_eq!(gathered(series, &call(Some(0), Some(4))), some(["[null,-1,20,-1,40]", "[-1,10,-1,-1,-1]"]));
        assert_eq!(gathered(series, &call(None, None)), some(["[null,-1,20,-1,40]", "[10]"]));
        assert_eq!(gathered(series, &call(Some(1), Some(2))), some(["[-1,20]", "[10,-1]"]));
        assert_eq!(gathered(series, &call(Some(1), Some(0))), some(["[]", "[]"]));
    }

    #[test]
    fn the_axis_steps_from_the_origin() {
        let call = |ty, origin: i64, step: i64, first, last| {
            [
                bins(),
                (long(Some(origin)), ty, true),
                (long(Some(step)), ty, true),
                (long(first), ScalarType::Long, true),
                (long(last), ScalarType::Long, true),
            ]
        };
        let got = gathered(series_axis, &call(ScalarType::Long, 100, 10, Some(0), Some(2)));
        assert_eq!(got, [Some("[100,110,120]".to_owned()), Some("[100,110,120]".to_owned())]);
        let got = gathered(series_axis, &call(ScalarType::TimeSpan, 0, 10_000_000, None, None));
        assert_eq!(got[1], Some("[\"\u{E000}t00:00:01\"]".to_owned()));
    }

    #[test]
    fn bins_of_long_and_real() {
        let run = |columns: [ArrayRef; 3], ty| {
            let args = Args {
                columns: &columns,
                constant: &[false, true, true],
                types: &[ty; 3],
                returns: ScalarType::Long,
                rows: 4,
            };
            series_bin(&args).unwrap().as_primitive::<Int64Type>().clone()
        };
        let longs: ArrayRef = Arc::new(Int64Array::from(vec![Some(10), Some(19), Some(9), None]));
        let got = run([longs.clone(), long(Some(10)), long(Some(5))], ScalarType::Long);
        assert_eq!(got, Int64Array::from(vec![Some(0), Some(1), Some(-1), None]));
        assert_eq!(run([longs, long(Some(10)), long(Some(0))], ScalarType::Long).null_count(), 4);
        let real = |value| -> ArrayRef { Arc::new(Float64Array::from(vec![value])) };
        let reals: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.0), Some(0.99), Some(-0.1), Some(f64::NAN)]));
        let got = run([reals, real(0.0), real(0.5)], ScalarType::Real);
        assert_eq!(got, Int64Array::from(vec![Some(0), Some(1), Some(-1), None]));
    }

    #[test]
    fn too_many_bins_are_refused() {
        let columns = [bins().0, long(Some(1)), long(Some(0)), long(Some(0)), long(Some(BINS_MAX))];
        let types = [ScalarType::Long; 5];
        let constants: Vec<Option<ArrayRef>> =
            columns.iter().enumerate().map(|(index, column)| (index > 1).then(|| column.clone())).collect();
        let call = AggregateCall { types: &types, returns: ScalarType::Dynamic, constants: &constants };
        let mut state = series(&call).unwrap();
        assert!(state.take_final(1).is_err());
    }
}
