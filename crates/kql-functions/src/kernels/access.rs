//! Typed access to the arguments of a kernel, and the arrays it gives back.
//!
//! A kernel takes its inputs once per batch (`args.text(0)?`), then makes one output from a closure over row numbers:
//!
//! ```
//! use kql_functions::kernels::{Args, KernelResult};
//!
//! /// `strlen(source)`
//! fn strlen(args: &Args<'_>) -> KernelResult {
//!     let source = args.text(0)?;
//!     args.to_longs(|row| source.at(row).chars().count() as i64)
//! }
//! ```
//!
//! A constant argument is read at row 0 whatever the row asked for; a call with constant arguments only is
//! computed once and repeated. Strings are never null: a missing one reads as `""`.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, BooleanBuilder, Decimal256Array, NullBufferBuilder, PrimitiveArray, StringViewArray,
    StringViewBuilder, UInt32Array, builder::make_view,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowPrimitiveType, Decimal256Type, Float64Type, Int32Type, Int64Type, i256};
use kql_types::ScalarType;

use super::budget::Meter;
use super::{Args, KernelError, KernelResult};

/// A string or dynamic argument.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    array: &'a StringViewArray,
    /// All ones for a column, zero for a constant: `row & mask` is the row to read.
    mask: usize,
}

impl<'a> Text<'a> {
    /// The string of a row; `""` for a missing one.
    #[inline]
    pub fn at(&self, row: usize) -> &'a str {
        let row = row & self.mask;
        if self.array.is_null(row) { "" } else { self.array.value(row) }
    }

    /// The text of a row; None when it is null (dynamic and guid arguments).
    #[inline]
    pub fn opt(&self, row: usize) -> Option<&'a str> {
        let row = row & self.mask;
        if self.array.is_null(row) { None } else { Some(self.array.value(row)) }
    }

    /// The only value, when the argument is constant.
    pub fn constant(&self) -> Option<&'a str> {
        if self.mask == 0 { Some(self.at(0)) } else { None }
    }

    /// The length of the row's text in bytes.
    #[inline]
    pub fn bytes(&self, row: usize) -> usize {
        let row = row & self.mask;
        if self.array.is_null(row) { 0 } else { self.array.views()[row] as u32 as usize }
    }

    /// A key of the row's text: equal keys mean equal text within this batch (not the other way round).
    #[inline]
    pub fn key(&self, row: usize) -> u128 {
        let row = row & self.mask;
        if self.array.is_null(row) { 0 } else { self.array.views()[row] }
    }

    pub fn array(&self) -> &'a StringViewArray {
        self.array
    }
}

/// An argument of a primitive type.
#[derive(Debug)]
pub struct Numbers<'a, T: ArrowPrimitiveType> {
    values: &'a [T::Native],
    nulls: Option<&'a NullBuffer>,
    mask: usize,
}

impl<T: ArrowPrimitiveType> Clone for Numbers<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ArrowPrimitiveType> Copy for Numbers<'_, T> {}

impl<T: ArrowPrimitiveType> Numbers<'_, T> {
    /// The value of a row; None when it is null.
    #[inline]
    pub fn opt(&self, row: usize) -> Option<T::Native> {
        let row = row & self.mask;
        match self.nulls {
            Some(nulls) if nulls.is_null(row) => None,
            _ => self.values.get(row).copied(),
        }
    }

    /// The only value, when the argument is constant; `Some(None)` is a constant null.
    pub fn constant(&self) -> Option<Option<T::Native>> {
        if self.mask == 0 { Some(self.opt(0)) } else { None }
    }
}

/// A bool argument.
#[derive(Debug, Clone, Copy)]
pub struct Booleans<'a> {
    array: &'a BooleanArray,
    mask: usize,
}

impl Booleans<'_> {
    /// The value of a row; None when it is null.
    #[inline]
    pub fn opt(&self, row: usize) -> Option<bool> {
        let row = row & self.mask;
        if self.array.is_null(row) { None } else { Some(self.array.value(row)) }
    }
}

/// An argument that may be left out: the value of a call without it is the default.
#[derive(Debug, Clone, Copy)]
pub struct Optional<A, D>(Option<A>, D);

impl<T: ArrowPrimitiveType> Optional<Numbers<'_, T>, T::Native> {
    /// The value of a row, the default when the argument was left out; None when it is null.
    #[inline]
    pub fn opt(&self, row: usize) -> Option<T::Native> {
        match &self.0 {
            Some(numbers) => numbers.opt(row),
            None => Some(self.1),
        }
    }
}

impl Optional<Booleans<'_>, bool> {
    /// The value of a row, the default when the argument was left out; None when it is null.
    #[inline]
    pub fn opt(&self, row: usize) -> Option<bool> {
        match &self.0 {
            Some(booleans) => booleans.opt(row),
            None => Some(self.1),
        }
    }
}

impl<'a> Optional<Text<'a>, &'a str> {
    /// The string of a row; the default when the argument was left out.
    #[inline]
    pub fn at(&self, row: usize) -> &'a str {
        match &self.0 {
            Some(text) => text.at(row),
            None => self.1,
        }
    }
}

impl<'a> Args<'a> {
    /// Number of arguments given.
    pub fn count(&self) -> usize {
        self.columns.len()
    }

    /// The Kusto type of an argument; Unknown when it was left out.
    pub fn ty(&self, index: usize) -> ScalarType {
        self.types.get(index).copied().unwrap_or(ScalarType::Unknown)
    }

    /// A string argument, or the canonical JSON of a dynamic one, or a guid.
    pub fn text(&self, index: usize) -> Result<Text<'a>, KernelError> {
        let (array, mask) = self.typed::<StringViewArray>(index)?;
        Ok(Text { array, mask })
    }

    /// A string argument that may be left out.
    pub fn text_or(&self, index: usize, default: &'a str) -> Result<Optional<Text<'a>, &'a str>, KernelError> {
        Ok(Optional(self.given(index, Self::text)?, default))
    }

    /// A long, datetime or timespan argument.
    pub fn long(&self, index: usize) -> Result<Numbers<'a, Int64Type>, KernelError> {
        self.primitive(index)
    }

    /// A long argument that may be left out.
    pub fn long_or(&self, index: usize, default: i64) -> Result<Optional<Numbers<'a, Int64Type>, i64>, KernelError> {
        Ok(Optional(self.given(index, Self::long)?, default))
    }

    /// An int argument.
    pub fn int(&self, index: usize) -> Result<Numbers<'a, Int32Type>, KernelError> {
        self.primitive(index)
    }

    /// A real argument.
    pub fn real(&self, index: usize) -> Result<Numbers<'a, Float64Type>, KernelError> {
        self.primitive(index)
    }

    /// A real argument that may be left out.
    pub fn real_or(&self, index: usize, default: f64) -> Result<Optional<Numbers<'a, Float64Type>, f64>, KernelError> {
        Ok(Optional(self.given(index, Self::real)?, default))
    }

    /// A decimal argument, as units of 1e-38.
    pub fn decimal(&self, index: usize) -> Result<Numbers<'a, Decimal256Type>, KernelError> {
        self.primitive(index)
    }

    /// A bool argument.
    pub fn boolean(&self, index: usize) -> Result<Booleans<'a>, KernelError> {
        let (array, mask) = self.typed::<BooleanArray>(index)?;
        Ok(Booleans { array, mask })
    }

    /// A bool argument that may be left out.
    pub fn boolean_or(&self, index: usize, default: bool) -> Result<Optional<Booleans<'a>, bool>, KernelError> {
        Ok(Optional(self.given(index, Self::boolean)?, default))
    }

    /// Whether the argument is null in a row, whatever its type. Strings are never null.
    pub fn is_null(&self, index: usize, row: usize) -> bool {
        let constant = self.constant.get(index).copied().unwrap_or(false);
        self.ty(index) != ScalarType::String
            && self.columns.get(index).is_some_and(|column| column.is_null(if constant { 0 } else { row }))
    }

    fn primitive<T: ArrowPrimitiveType>(&self, index: usize) -> Result<Numbers<'a, T>, KernelError> {
        let (array, mask) = self.typed::<PrimitiveArray<T>>(index)?;
        Ok(Numbers { values: array.values(), nulls: array.nulls(), mask })
    }

    fn given<T>(
        &self,
        index: usize,
        get: impl Fn(&Self, usize) -> Result<T, KernelError>,
    ) -> Result<Option<T>, KernelError> {
        if index < self.columns.len() { get(self, index).map(Some) } else { Ok(None) }
    }

    fn typed<T: Array + 'static>(&self, index: usize) -> Result<(&'a T, usize), KernelError> {
        let column = self.columns.get(index).ok_or_else(|| {
            KernelError(format!("bug: a kernel asked for argument {index} of {}", self.columns.len()))
        })?;
        let array = column.as_any().downcast_ref::<T>().ok_or_else(|| {
            KernelError(format!(
                "bug: argument {index} is {}, a kernel expected {}",
                column.data_type(),
                std::any::type_name::<T>()
            ))
        })?;
        let constant = self.constant.get(index).copied().unwrap_or(false);
        let needed = if constant { 1.min(self.rows) } else { self.rows };
        if array.len() < needed {
            return Err(KernelError(format!("bug: argument {index} has {} rows of {needed}", array.len())));
        }
        Ok((array, if constant { 0 } else { usize::MAX }))
    }
}

/// Outputs. Each closure gets a row number and gives that row's value.
impl Args<'_> {
    /// Rows to compute: one when all arguments are constant.
    fn distinct_rows(&self) -> usize {
        let all_constant = self.constant.len() == self.columns.len() && self.constant.iter().all(|c| *c);
        if all_constant && !self.columns.is_empty() { self.rows.min(1) } else { self.rows }
    }

    /// Repeats the only row of an all-constant call.
    fn finish(&self, array: ArrayRef) -> KernelResult {
        if array.len() == self.rows {
            return Ok(array);
        }
        let first = UInt32Array::from(vec![0u32; self.rows]);
        arrow::compute::take(&array, &first, None).map_err(|error| KernelError(format!("bug: {error}")))
    }

    /// bool without nulls: the fast way for predicates.
    pub fn to_flags(&self, f: impl FnMut(usize) -> bool) -> KernelResult {
        let bits = BooleanBuffer::collect_bool(self.distinct_rows(), f);
        self.finish(Arc::new(BooleanArray::new(bits, None)))
    }

    /// A predicate of one text column, evaluated about once per distinct value: see [`TextMemo`].
    pub fn to_flags_of(&self, text: &Text<'_>, mut f: impl FnMut(&str) -> bool) -> KernelResult {
        let mut memo = TextMemo { off: !super::switches::memo(), ..TextMemo::default() };
        self.to_flags(|row| memo.get(text.key(row), || f(text.at(row))))
    }

    /// bool; None is null.
    pub fn to_bools<V: Into<Option<bool>>>(&self, mut f: impl FnMut(usize) -> V) -> KernelResult {
        let rows = self.distinct_rows();
        let mut builder = BooleanBuilder::with_capacity(rows);
        for row in 0..rows {
            builder.append_option(f(row).into());
        }
        self.finish(Arc::new(builder.finish()))
    }

    /// long, datetime or timespan; None is null.
    pub fn to_longs<V: Into<Option<i64>>>(&self, f: impl FnMut(usize) -> V) -> KernelResult {
        let (values, nulls) = self.collect(f);
        self.finish(Arc::new(PrimitiveArray::<Int64Type>::new(values, nulls)))
    }

    /// int; None is null.
    pub fn to_ints<V: Into<Option<i32>>>(&self, f: impl FnMut(usize) -> V) -> KernelResult {
        let (values, nulls) = self.collect(f);
        self.finish(Arc::new(PrimitiveArray::<Int32Type>::new(values, nulls)))
    }

    /// real; None is null.
    pub fn to_reals<V: Into<Option<f64>>>(&self, f: impl FnMut(usize) -> V) -> KernelResult {
        let (values, nulls) = self.collect(f);
        self.finish(Arc::new(PrimitiveArray::<Float64Type>::new(values, nulls)))
    }

    /// decimal in units of 1e-38; None is null.
    pub fn to_decimals<V: Into<Option<i256>>>(&self, f: impl FnMut(usize) -> V) -> KernelResult {
        let (values, nulls) = self.collect(f);
        let array = Decimal256Array::new(values, nulls)
            .with_precision_and_scale(76, 38)
            .map_err(|error| KernelError(format!("bug: {error}")))?;
        self.finish(Arc::new(array))
    }

    /// string: the closure appends the row's text to the (empty) buffer.
    pub fn to_texts(&self, mut f: impl FnMut(usize, &mut String)) -> KernelResult {
        let rows = self.distinct_rows();
        let mut builder = StringViewBuilder::with_capacity(rows);
        let (mut buffer, mut meter) = (String::new(), Meter::start());
        for row in 0..rows {
            buffer.clear();
            f(row, &mut buffer);
            meter.text(buffer.len())?;
            builder.append_value(&buffer);
        }
        self.finish(Arc::new(builder.finish()))
    }

    /// dynamic or guid: the closure appends the row's text to the (empty) buffer, or gives None for null.
    pub fn to_dynamics(&self, mut f: impl FnMut(usize, &mut String) -> Option<()>) -> KernelResult {
        let rows = self.distinct_rows();
        let mut builder = StringViewBuilder::with_capacity(rows);
        let (mut buffer, mut meter) = (String::new(), Meter::start());
        for row in 0..rows {
            buffer.clear();
            match f(row, &mut buffer) {
                Some(()) => {
                    meter.text(buffer.len())?;
                    builder.append_value(&buffer);
                }
                None => builder.append_null(),
            }
        }
        self.finish(Arc::new(builder.finish()))
    }

    /// string that is a part of the row's `source` (or `""`): shares the bytes instead of copying them.
    pub fn to_slices<'t>(&self, source: &Text<'t>, mut f: impl FnMut(usize, &'t str) -> &'t str) -> KernelResult {
        self.to_rewrites(source, |row, whole, _| Rewrite::Part(f(row, whole)))
    }

    /// string made from the row's `source`: a part of it, whose bytes are shared, or text that the closure has appended
    /// to the (empty) buffer.
    pub fn to_rewrites<'t>(
        &self,
        source: &Text<'t>,
        mut f: impl FnMut(usize, &'t str, &mut String) -> Rewrite<'t>,
    ) -> KernelResult {
        let rows = self.distinct_rows();
        let array = source.array;
        let mut views = Vec::with_capacity(rows);
        let mut buffers = array.data_buffers().to_vec();
        let mut block: Vec<u8> = Vec::new();
        let (mut buffer, mut meter) = (String::new(), Meter::start());
        for row in 0..rows {
            buffer.clear();
            let whole = source.at(row);
            match f(row, whole, &mut buffer) {
                Rewrite::Part(part) if part.len() <= INLINE_BYTES => views.push(make_view(part.as_bytes(), 0, 0)),
                Rewrite::Part(part) => {
                    let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
                    if start > whole.len() || part.len() > whole.len() - start {
                        return Err(KernelError("bug: a kernel gave text that is no part of its source".into()));
                    }
                    // The part is too long to be inline, so the whole is not inline: its view says where it lies.
                    let view = arrow::array::ByteView::from(array.views()[row & source.mask]);
                    views.push(make_view(part.as_bytes(), view.buffer_index, view.offset + start as u32));
                }
                Rewrite::Written if buffer.len() <= INLINE_BYTES => views.push(make_view(buffer.as_bytes(), 0, 0)),
                Rewrite::Written => {
                    meter.text(buffer.len())?;
                    if block.len() + buffer.len() > block.capacity() {
                        if !block.is_empty() {
                            buffers.push(std::mem::take(&mut block).into());
                        }
                        block.reserve_exact(buffer.len().max(BLOCK_BYTES));
                    }
                    views.push(make_view(buffer.as_bytes(), buffers.len() as u32, block.len() as u32));
                    block.extend_from_slice(buffer.as_bytes());
                }
            }
        }
        buffers.push(block.into());
        // SAFETY: every view is inline, or points at the bytes of a `&str` within a buffer: a part of a string of `source`
        // (checked above), or the text just appended to `block`, whose buffer gets the index `buffers.len()` had then.
        let array = unsafe { StringViewArray::new_unchecked(ScalarBuffer::from(views), buffers, None) };
        self.finish(Arc::new(array))
    }

    fn collect<N: arrow::datatypes::ArrowNativeType, V: Into<Option<N>>>(
        &self,
        mut f: impl FnMut(usize) -> V,
    ) -> (ScalarBuffer<N>, Option<NullBuffer>) {
        let rows = self.distinct_rows();
        let mut nulls = NullBufferBuilder::new(rows);
        let mut values = Vec::with_capacity(rows);
        for row in 0..rows {
            match f(row).into() {
                Some(value) => {
                    values.push(value);
                    nulls.append_non_null();
                }
                None => {
                    values.push(N::default());
                    nulls.append_null();
                }
            }
        }
        (ScalarBuffer::from(values), nulls.finish())
    }
}

/// What [`Args::to_rewrites`] makes of a row.
#[derive(Debug, Clone, Copy)]
pub enum Rewrite<'t> {
    /// A part of the row's source, or `""`.
    Part(&'t str),
    /// The text in the buffer.
    Written,
}

/// Strings up to this length are kept in their view.
const INLINE_BYTES: usize = 12;
/// Size of the blocks that new text is collected in.
const BLOCK_BYTES: usize = 256 << 10;

const MEMO_SLOTS: usize = 512;
const MEMO_TRIAL: u32 = 1024;

/// Remembers a predicate's answer per text view within one batch.
///
/// Views of equal text are equal when the text is at most 12 bytes long or comes from one dictionary page of Parquet.
/// The memo looks at the first rows and gives up when fewer than half of them repeat.
#[derive(Debug, Default)]
pub struct TextMemo {
    slots: Vec<(u128, u8)>,
    asked: u32,
    hits: u32,
    off: bool,
}

impl TextMemo {
    /// The remembered answer of `key`, or the computed one.
    #[inline]
    pub fn get(&mut self, key: u128, compute: impl FnOnce() -> bool) -> bool {
        if self.off {
            return compute();
        }
        self.look_up(key, compute)
    }

    fn look_up(&mut self, key: u128, compute: impl FnOnce() -> bool) -> bool {
        if self.slots.is_empty() {
            self.slots = vec![(0, u8::MAX); MEMO_SLOTS];
        }
        self.asked += 1;
        if self.asked == MEMO_TRIAL && self.hits < MEMO_TRIAL / 2 {
            self.off = true;
        }
        let mixed = ((key as u64) ^ ((key >> 64) as u64)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let Some(slot) = self.slots.get_mut((mixed >> 55) as usize) else { return compute() };
        if slot.0 == key && slot.1 != u8::MAX {
            self.hits = self.hits.saturating_add(1);
            return slot.1 == 1;
        }
        let answer = compute();
        *slot = (key, u8::from(answer));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{AsArray, Int64Array};

    fn strings(values: &[&str]) -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values(values))
    }

    #[test]
    fn a_constant_is_read_in_every_row() {
        let columns = [strings(&["ab", "c"]), strings(&["x"])];
        let args = Args {
            columns: &columns,
            constant: &[false, true],
            types: &[ScalarType::String; 2],
            returns: ScalarType::String,
            rows: 2,
        };
        let (left, right) = (args.text(0).unwrap(), args.text(1).unwrap());
        assert_eq!(right.constant(), Some("x"));
        assert_eq!(left.constant(), None);
        let out = args
            .to_texts(|row, out| {
                out.push_str(left.at(row));
                out.push_str(right.at(row));
            })
            .unwrap();
        assert_eq!(out.as_string_view().iter().flatten().collect::<Vec<_>>(), ["abx", "cx"]);
    }

    #[test]
    fn an_all_constant_call_is_computed_once_and_repeated() {
        let columns = [strings(&["abc"])];
        let args = Args {
            columns: &columns,
            constant: &[true],
            types: &[ScalarType::String],
            returns: ScalarType::Long,
            rows: 3,
        };
        let text = args.text(0).unwrap();
        let mut calls = 0;
        let out = args
            .to_longs(|row| {
                calls += 1;
                text.at(row).len() as i64
            })
            .unwrap();
        assert_eq!(calls, 1);
        assert_eq!(out.as_primitive::<Int64Type>(), &Int64Array::from(vec![3, 3, 3]));
    }

    #[test]
    fn nulls_come_through_and_wrong_types_are_errors() {
        let columns: [ArrayRef; 1] = [Arc::new(Int64Array::from(vec![Some(1), None]))];
        let args = Args {
            columns: &columns,
            constant: &[false],
            types: &[ScalarType::Long],
            returns: ScalarType::Long,
            rows: 2,
        };
        let numbers = args.long(0).unwrap();
        let out = args.to_longs(|row| numbers.opt(row).map(|n| n + 1)).unwrap();
        assert_eq!(out.as_primitive::<Int64Type>(), &Int64Array::from(vec![Some(2), None]));
        assert!(args.text(0).is_err());
        assert!(args.long(1).is_err());
        assert_eq!(args.long_or(1, 7).unwrap().opt(0), Some(7));
        assert!(args.is_null(0, 1) && !args.is_null(0, 0));
    }

    #[test]
    fn slices_share_the_source() {
        let columns = [strings(&["  a long enough text  ", " b ", ""])];
        let args = Args {
            columns: &columns,
            constant: &[false],
            types: &[ScalarType::String],
            returns: ScalarType::String,
            rows: 3,
        };
        let text = args.text(0).unwrap();
        let out = args.to_slices(&text, |_, s| s.trim()).unwrap();
        assert_eq!(out.as_string_view().iter().flatten().collect::<Vec<_>>(), ["a long enough text", "b", ""]);
        assert!(args.to_slices(&text, |_, _| "foreign text of some length").is_err());
    }

    #[test]
    fn the_memo_gives_the_same_answers() {
        let values: Vec<String> = (0..5000).map(|i| format!("value {}", i % 40)).collect();
        let columns: [ArrayRef; 1] = [Arc::new(StringViewArray::from_iter_values(&values))];
        let args = Args {
            columns: &columns,
            constant: &[false],
            types: &[ScalarType::String],
            returns: ScalarType::Bool,
            rows: values.len(),
        };
        let text = args.text(0).unwrap();
        let mut calls = 0;
        let out = args
            .to_flags_of(&text, |s| {
                calls += 1;
                s.ends_with('7')
            })
            .unwrap();
        assert!(calls < 200, "{calls}");
        assert!(out.as_boolean().iter().zip(&values).all(|(got, v)| got == Some(v.ends_with('7'))));
    }
}
