//! Dynamic arrays: making, cutting, moving.
//!
//! Elements are parts of the canonical text and are moved as they stand. What is no array gives null.

use kql_types::{Dynamic, ScalarType, datetime};

use super::access::{Numbers, Text};
use super::budget::text_room;
use super::canonical::array_items;
use super::dynamic_args::{Dynamics, Scalar, scalar};
use super::elements::write_real;
use super::{Args, KernelResult};
use arrow::datatypes::Int64Type;

/// `range` makes no more elements: the result of a longer one is cut.
const RANGE_MAX: usize = 1_048_576;

/// Appends an array of canonical texts.
pub fn write_items<'a>(items: impl IntoIterator<Item = &'a str>, out: &mut String) {
    out.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(item);
    }
    out.push(']');
}

fn items_at<'a>(array: &Text<'a>, row: usize) -> Option<Vec<&'a str>> {
    Some(array_items(array.opt(row)?)?.collect())
}

/// `array_length(array)`
pub fn array_length(args: &Args<'_>) -> KernelResult {
    let array = args.text(0)?;
    args.to_longs(|row| Some(array_items(array.opt(row)?)?.count() as i64))
}

/// `array_concat(array, ...)`: what is no array is left out, null when none is one.
pub fn array_concat(args: &Args<'_>) -> KernelResult {
    let arrays = (0..args.count()).map(|index| args.text(index)).collect::<Result<Vec<_>, _>>()?;
    args.to_dynamics(|row, out| {
        let found: Vec<_> = arrays.iter().filter_map(|array| array_items(array.opt(row)?)).collect();
        if found.is_empty() {
            return None;
        }
        write_items(found.into_iter().flatten(), out);
        Some(())
    })
}

/// `array_iff(condition, when_true, when_false)`: a scalar stands for each element, a missing element is null.
pub fn array_iff(args: &Args<'_>) -> KernelResult {
    let condition = args.text(0)?;
    let (yes, no) = (Dynamics::of(args, 1)?, Dynamics::of(args, 2)?);
    args.to_dynamics(|row, out| {
        let condition = array_items(condition.opt(row)?)?;
        let (mut yes_text, mut no_text) = (String::new(), String::new());
        yes.write(row, &mut yes_text);
        no.write(row, &mut no_text);
        let (yes, no) = (Choice::of(&yes_text), Choice::of(&no_text));
        let chosen = condition.enumerate().map(|(index, item)| match scalar(item) {
            Scalar::Bool(true) => yes.at(index),
            Scalar::Bool(false) => no.at(index),
            Scalar::Long(value) => {
                if value != 0 {
                    yes.at(index)
                } else {
                    no.at(index)
                }
            }
            Scalar::Real(value) => {
                if value != 0.0 {
                    yes.at(index)
                } else {
                    no.at(index)
                }
            }
            _ => "null",
        });
        write_items(chosen, out);
        Some(())
    })
}

/// What `array_iff` takes an element from.
enum Choice<'a> {
    Array(Vec<&'a str>),
    Same(&'a str),
}

impl<'a> Choice<'a> {
    fn of(text: &'a str) -> Choice<'a> {
        match array_items(text) {
            Some(items) => Choice::Array(items.collect()),
            None => Choice::Same(text),
        }
    }

    fn at(&self, index: usize) -> &'a str {
        match self {
            Choice::Array(items) => items.get(index).copied().unwrap_or("null"),
            Choice::Same(text) => text,
        }
    }
}

/// `array_index_of(array, value, start, length, occurrence)`: -1 when it is not there.
pub fn array_index_of(args: &Args<'_>) -> KernelResult {
    let (array, value) = (args.text(0)?, Dynamics::of(args, 1)?);
    let (start, length, occurrence) = (args.long_or(2, 0)?, args.long_or(3, -1)?, args.long_or(4, 1)?);
    args.to_longs(|row| {
        let items = items_at(&array, row)?;
        let start = from_end(start.opt(row)?, items.len());
        let length = usize::try_from(length.opt(row)?).unwrap_or(usize::MAX);
        let occurrence = usize::try_from(occurrence.opt(row)?).ok()?.checked_sub(1)?;
        let value = value.at(row);
        let mut text = String::new();
        value.write_canonical(&mut text);
        let is_number = matches!(value, Dynamic::Long(_) | Dynamic::Real(_));
        let equal =
            |item: &str| item == text || (is_number && Dynamic::parse(item).is_some_and(|item| item.same(&value)));
        let places = items.iter().enumerate().skip(start).take(length);
        let mut found = places.filter(|(_, item)| equal(item)).map(|(index, _)| index as i64);
        Some(found.nth(occurrence).unwrap_or(-1))
    })
}

/// A place counted from the end when negative, never before the start.
fn from_end(place: i64, length: usize) -> usize {
    let place = if place < 0 { place.saturating_add(length as i64) } else { place };
    usize::try_from(place).unwrap_or(0)
}

/// `array_slice(array, start, end)`: both places are included.
pub fn array_slice(args: &Args<'_>) -> KernelResult {
    let (array, start, end) = (args.text(0)?, args.long(1)?, args.long(2)?);
    args.to_dynamics(|row, out| {
        let items = items_at(&array, row)?;
        let length = items.len() as i64;
        let place = |place: i64| if place < 0 { place.saturating_add(length) } else { place };
        let start = place(start.opt(row)?).clamp(0, length) as usize;
        let end = place(end.opt(row)?).saturating_add(1).clamp(0, length) as usize;
        write_items(items.get(start..end.max(start))?.iter().copied(), out);
        Some(())
    })
}

/// `array_split(array, index)`: one place or an array of places.
pub fn array_split(args: &Args<'_>) -> KernelResult {
    let (array, index) = (args.text(0)?, Dynamics::of(args, 1)?);
    args.to_dynamics(|row, out| {
        let items = items_at(&array, row)?;
        let places = match index.at(row) {
            Dynamic::Long(place) => vec![place],
            Dynamic::Array(places) => {
                places.iter().map(|place| place.as_real().map(|place| place as i64)).collect::<Option<_>>()?
            }
            _ => return None,
        };
        let mut start = 0;
        let mut pieces = Vec::with_capacity(places.len() + 1);
        for place in places {
            let place = from_end(place, items.len()).clamp(start, items.len());
            pieces.push(items.get(start..place)?);
            start = place;
        }
        pieces.push(items.get(start..)?);
        out.push('[');
        for (index, piece) in pieces.into_iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            write_items(piece.iter().copied(), out);
        }
        out.push(']');
        Some(())
    })
}

fn shift(args: &Args<'_>, sign: i64) -> KernelResult {
    let (array, by, fill) = (args.text(0)?, args.long(1)?, Dynamics::of(args, 2)?);
    args.to_dynamics(|row, out| {
        let items = items_at(&array, row)?;
        let by = by.opt(row)?.saturating_mul(sign);
        let mut filler = String::new();
        fill.write(row, &mut filler);
        let shifted = (0..items.len()).map(|index| {
            let from = usize::try_from((index as i64).saturating_add(by)).ok();
            from.and_then(|from| items.get(from)).copied().unwrap_or(&filler)
        });
        write_items(shifted, out);
        Some(())
    })
}

/// `array_shift_left(array, shift, fill)`
pub fn array_shift_left(args: &Args<'_>) -> KernelResult {
    shift(args, 1)
}

/// `array_shift_right(array, shift, fill)`
pub fn array_shift_right(args: &Args<'_>) -> KernelResult {
    shift(args, -1)
}

fn rotate(args: &Args<'_>, sign: i64) -> KernelResult {
    let (array, by) = (args.text(0)?, args.long(1)?);
    args.to_dynamics(|row, out| {
        let mut items = items_at(&array, row)?;
        let by = by.opt(row)?.wrapping_mul(sign);
        if !items.is_empty() {
            let places = by.rem_euclid(items.len() as i64) as usize;
            items.rotate_left(places);
        }
        write_items(items, out);
        Some(())
    })
}

/// `array_rotate_left(array, rotate)`
pub fn array_rotate_left(args: &Args<'_>) -> KernelResult {
    rotate(args, 1)
}

/// `array_rotate_right(array, rotate)`
pub fn array_rotate_right(args: &Args<'_>) -> KernelResult {
    rotate(args, -1)
}

/// `array_reverse(array)`
pub fn array_reverse(args: &Args<'_>) -> KernelResult {
    let array = args.text(0)?;
    args.to_dynamics(|row, out| {
        write_items(items_at(&array, row)?.into_iter().rev(), out);
        Some(())
    })
}

/// `repeat(value, count)`
pub fn repeat(args: &Args<'_>) -> KernelResult {
    let (value, count, room) = (Dynamics::of(args, 0)?, args.long(1)?, text_room());
    args.to_dynamics(|row, out| {
        // A count below zero gives null.
        let count = usize::try_from(count.opt(row)?).ok()?.min(RANGE_MAX);
        let mut text = String::new();
        value.write(row, &mut text);
        // One more than there is room for: the call fails.
        let count = count.min(room / text.len().max(1) + 1);
        write_items(std::iter::repeat_n(text.as_str(), count), out);
        Some(())
    })
}

/// `zip(array, array, ...)`
pub fn zip(args: &Args<'_>) -> KernelResult {
    let arrays = (0..args.count()).map(|index| args.text(index)).collect::<Result<Vec<_>, _>>()?;
    args.to_dynamics(|row, out| {
        let columns = arrays.iter().map(|array| items_at(array, row)).collect::<Option<Vec<_>>>()?;
        let length = columns.iter().map(Vec::len).max().unwrap_or(0);
        out.push('[');
        for index in 0..length {
            if index > 0 {
                out.push(',');
            }
            write_items(columns.iter().map(|column| column.get(index).copied().unwrap_or("null")), out);
        }
        out.push(']');
        Some(())
    })
}

/// `pack_array(value, ...)`
pub fn pack_array(args: &Args<'_>) -> KernelResult {
    let values = Dynamics::from(args, 0)?;
    args.to_dynamics(|row, out| {
        out.push('[');
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            value.write(row, out);
        }
        out.push(']');
        Some(())
    })
}

/// `range(start, stop, step)`: null for a step of zero, empty when it leads away.
pub fn range(args: &Args<'_>) -> KernelResult {
    if args.ty(0) == ScalarType::Real {
        let (start, stop, step) = (args.real(0)?, args.real(1)?, args.real_or(2, 1.0)?);
        return args.to_dynamics(|row, out| {
            let (start, stop, step) = (start.opt(row)?, stop.opt(row)?, step.opt(row)?);
            let count = steps(((stop - start) / step + 1e-9).floor())?;
            out.push('[');
            for index in 0..count {
                if index > 0 {
                    out.push(',');
                }
                write_real(start + index as f64 * step, out);
            }
            out.push(']');
            Some(())
        });
    }
    let time = matches!(args.ty(0), ScalarType::DateTime | ScalarType::TimeSpan);
    let (start, stop) = (args.long(0)?, args.long(1)?);
    let step = args.long_or(2, if time { datetime::TICKS_PER_HOUR } else { 1 })?;
    let value: fn(i64) -> Dynamic = match args.ty(0) {
        ScalarType::DateTime => Dynamic::DateTime,
        ScalarType::TimeSpan => Dynamic::TimeSpan,
        _ => Dynamic::Long,
    };
    args.to_dynamics(|row, out| write_range(&start, &stop, step.opt(row)?, row, value, out))
}

fn write_range(
    start: &Numbers<'_, Int64Type>,
    stop: &Numbers<'_, Int64Type>,
    step: i64,
    row: usize,
    value: fn(i64) -> Dynamic,
    out: &mut String,
) -> Option<()> {
    let (start, stop) = (start.opt(row)?, stop.opt(row)?);
    let distance = i128::from(stop) - i128::from(start);
    let count = steps(distance.checked_div(i128::from(step))? as f64)?;
    let ends = (distance < 0) != (step < 0) && distance != 0;
    out.push('[');
    for index in 0..if ends { 0 } else { count } {
        if index > 0 {
            out.push(',');
        }
        value(start.wrapping_add(step.wrapping_mul(index as i64))).write_canonical(out);
    }
    out.push(']');
    Some(())
}

/// Elements of a range by the number of its steps.
fn steps(count: f64) -> Option<usize> {
    if count.is_nan() {
        return None;
    }
    if count < 0.0 { Some(0) } else { Some((count as usize).saturating_add(1).min(RANGE_MAX)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::KernelFn;
    use crate::kernels::testing::{Cell, call};

    fn dynamic(kernel: KernelFn, cells: &[Cell]) -> Cell {
        call(kernel, cells, ScalarType::Dynamic)
    }

    fn array(json: &str) -> Cell {
        Cell::dynamic(json)
    }

    #[test]
    fn cutting() {
        let numbers = array("[1,2,3,4,5]");
        let slice = |a: i64, b: i64| dynamic(array_slice, &[numbers.clone(), a.into(), b.into()]);
        assert_eq!(slice(1, 2), "[2,3]".into());
        assert_eq!(slice(2, -1), "[3,4,5]".into());
        assert_eq!(slice(-3, -2), "[3,4]".into());
        assert_eq!(slice(3, 1), "[]".into());
        assert_eq!(slice(-100, 100), "[1,2,3,4,5]".into());
        assert_eq!(dynamic(array_split, &[numbers.clone(), array("[1,-2]")]), "[[1],[2,3],[4,5]]".into());
        assert_eq!(dynamic(array_split, &[numbers, Cell::Long(9)]), "[[1,2,3,4,5],[]]".into());
        assert_eq!(dynamic(array_slice, &[array("{}"), 0.into(), 1.into()]), Cell::Null);
    }

    #[test]
    fn moving() {
        let numbers = array("[1,2,3,4,5]");
        assert_eq!(dynamic(array_shift_left, &[numbers.clone(), 2.into(), (-1).into()]), "[3,4,5,-1,-1]".into());
        assert_eq!(dynamic(array_shift_right, &[numbers.clone(), 1.into()]), "[null,1,2,3,4]".into());
        assert_eq!(dynamic(array_rotate_left, &[numbers.clone(), (-2).into()]), "[4,5,1,2,3]".into());
        assert_eq!(dynamic(array_rotate_right, &[numbers.clone(), 2.into()]), "[4,5,1,2,3]".into());
        assert_eq!(dynamic(array_rotate_right, &[array("[]"), 2.into()]), "[]".into());
        assert_eq!(dynamic(array_reverse, &[numbers]), "[5,4,3,2,1]".into());
    }

    #[test]
    fn making() {
        assert_eq!(dynamic(range, &[1.into(), 8.into(), 3.into()]), "[1,4,7]".into());
        assert_eq!(dynamic(range, &[1.into(), 0.into(), 1.into()]), "[]".into());
        assert_eq!(dynamic(range, &[1.into(), 0.into(), 0.into()]), Cell::Null);
        assert_eq!(dynamic(range, &[1.0.into(), 2.0.into(), 0.5.into()]), "[1.0,1.5,2.0]".into());
        assert_eq!(dynamic(repeat, &["x".into(), 2.into()]), "[\"x\",\"x\"]".into());
        assert_eq!(dynamic(pack_array, &[1.into(), "a\"".into(), Cell::Null]), "[1,\"a\\\"\",null]".into());
        assert_eq!(dynamic(zip, &[array("[1,2]"), array("[\"a\"]")]), "[[1,\"a\"],[2,null]]".into());
        assert_eq!(dynamic(array_concat, &[array("[1]"), array("null"), array("[2]")]), "[1,2]".into());
        assert_eq!(
            dynamic(array_iff, &[array("[true,0,2,null]"), array("[1,2]"), "no".into()]),
            "[1,\"no\",null,null]".into()
        );
    }

    #[test]
    fn places() {
        let place = |cells: &[Cell]| call(array_index_of, cells, ScalarType::Long);
        let words = array(r#"["this","is","an","is"]"#);
        assert_eq!(place(&[words.clone(), "is".into()]), Cell::Long(1));
        assert_eq!(place(&[words.clone(), "is".into(), 2.into()]), Cell::Long(3));
        assert_eq!(place(&[words.clone(), "is".into(), 0.into(), (-1).into(), 2.into()]), Cell::Long(3));
        assert_eq!(place(&[words.clone(), "is".into(), 2.into(), 1.into()]), Cell::Long(-1));
        assert_eq!(place(&[words, "is".into(), (-1).into()]), Cell::Long(3));
        assert_eq!(place(&[array("[5,15]"), 15.0.into()]), Cell::Long(1));
        assert_eq!(call(array_length, &[array("{\"a\":1}")], ScalarType::Long), Cell::Null);
    }
}
