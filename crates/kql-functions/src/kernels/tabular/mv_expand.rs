//! `mv-expand`: a row for every element.
//!
//! An array gives its elements, a bag its entries (each a bag of one key, or `[key, value]`), a scalar itself, null one null;
//! an empty array or bag gives nothing. Several columns are expanded side by side: the longest decides the number of rows and the
//! others are filled up with nulls.
//!
//! ```kusto
//! datatable(d:dynamic)[dynamic([1, 2]), dynamic([]), dynamic(null)] | mv-expand d   // 1, 2, null
//! ```

use arrow::array::{Array, ArrayRef, Int64Array, StringViewArray, UInt32Array};
use kql_types::ScalarType;

use super::super::KernelError;
use super::super::aggregate_state::{bug, downcast};
use super::super::canonical::{Entries, Items, array_items, bag_entries};
use super::super::parts::Parts;
use super::convert::ColumnBuilder;

/// How to expand.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The type of each expanded column.
    pub types: Vec<ScalarType>,
    /// The most rows that one row is expanded to.
    pub limit: u64,
    /// `kind=array`: an entry of a bag is `[key, value]`.
    pub bag_as_array: bool,
}

/// A batch of expanded rows.
#[derive(Debug)]
pub struct Expanded {
    /// The input row of each output row, rising.
    pub rows: UInt32Array,
    /// The expanded columns.
    pub columns: Vec<ArrayRef>,
    /// The place of each element in its row, from 0.
    pub index: Int64Array,
}

/// Expands one input batch into batches of bounded size.
#[derive(Debug)]
pub struct Expander {
    spec: Spec,
    columns: Vec<StringViewArray>,
    rows: usize,
    row: usize,
    /// Elements of the current row already given, and the byte each column's text is read to.
    given: u64,
    offsets: Vec<usize>,
}

impl Expander {
    /// `columns` are the dynamic columns to expand, canonical text, of `rows` rows each.
    pub fn new(spec: &Spec, columns: &[ArrayRef], rows: usize) -> Result<Expander, KernelError> {
        if columns.len() != spec.types.len() || columns.iter().any(|column| column.len() != rows) {
            return Err(bug("mv-expand was given other columns than it was made for"));
        }
        let columns = columns.iter().map(|column| downcast(column).cloned()).collect::<Result<Vec<_>, _>>()?;
        let offsets = vec![0; columns.len()];
        Ok(Expander { spec: spec.clone(), columns, rows, row: 0, given: 0, offsets })
    }

    /// The next batch of at most about `rows_max` rows; None when all is given.
    pub fn next_batch(&mut self, rows_max: usize) -> Result<Option<Expanded>, KernelError> {
        let mut rows: Vec<u32> = Vec::new();
        let mut index: Vec<i64> = Vec::new();
        let source = self.columns.iter().zip(&self.spec.types);
        let mut outputs: Vec<Output<'_>> =
            source.map(|(column, ty)| Output::new(*ty, column, rows_max.min(8192))).collect();
        let mut text = String::new();
        while self.row < self.rows && rows.len() < rows_max {
            let mut elements: Vec<Elements<'_>> = self
                .columns
                .iter()
                .zip(&self.offsets)
                .map(|(column, offset)| Elements::new(column, self.row, *offset, self.given))
                .collect();
            while rows.len() < rows_max && self.given < self.spec.limit && elements.iter().any(Elements::has_more) {
                for (elements, output) in elements.iter_mut().zip(&mut outputs) {
                    elements.append_next(output, self.spec.bag_as_array, &mut text)?;
                }
                rows.push(u32::try_from(self.row).map_err(bug)?);
                index.push(i64::try_from(self.given).map_err(bug)?);
                self.given += 1;
            }
            if self.given < self.spec.limit && elements.iter().any(Elements::has_more) {
                self.offsets = elements.iter().map(Elements::offset).collect();
            } else {
                self.offsets.fill(0);
                self.given = 0;
                self.row += 1;
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let columns = outputs.into_iter().map(Output::finish).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(Expanded { rows: rows.into(), columns, index: index.into() }))
    }
}

/// An expanded column in the making.
enum Output<'a> {
    /// Dynamic elements are parts of the text they stand in.
    Shared(Parts<'a>),
    Converted(ColumnBuilder),
}

impl<'a> Output<'a> {
    fn new(ty: ScalarType, column: &'a StringViewArray, rows: usize) -> Output<'a> {
        match ty {
            ScalarType::Dynamic => Output::Shared(Parts::new(column, rows)),
            _ => Output::Converted(ColumnBuilder::new(ty, rows)),
        }
    }

    /// An element that stands in the text of a view of the source.
    fn append_part(&mut self, whole: &Whole<'_>, element: &str) -> Result<(), KernelError> {
        match self {
            Output::Shared(parts) if element == "null" => parts.push_null(),
            Output::Shared(parts) => return parts.push_part(whole.view, whole.text, element),
            Output::Converted(builder) => builder.append_element(element),
        }
        Ok(())
    }

    fn append_new(&mut self, element: &str) -> Result<(), KernelError> {
        match self {
            Output::Shared(parts) => return parts.push_new(element),
            Output::Converted(builder) => builder.append_element(element),
        }
        Ok(())
    }

    fn append_missing(&mut self) {
        match self {
            Output::Shared(parts) => parts.push_null(),
            Output::Converted(builder) => builder.append_missing(),
        }
    }

    fn finish(self) -> Result<ArrayRef, KernelError> {
        match self {
            Output::Shared(parts) => parts.finish(),
            Output::Converted(builder) => builder.finish(),
        }
    }
}

/// A value to expand: its text and the view that shows it.
#[derive(Clone, Copy)]
struct Whole<'a> {
    text: &'a str,
    view: u128,
}

/// What is left of one value.
enum Elements<'a> {
    Items {
        whole: Whole<'a>,
        rest: Items<'a>,
    },
    Entries {
        whole: Whole<'a>,
        rest: Entries<'a>,
    },
    /// A scalar or null (None); given once.
    Single(Option<Whole<'a>>),
    Done,
}

impl<'a> Elements<'a> {
    /// The value of a row, from a byte of its text on; `given` elements are out.
    fn new(column: &'a StringViewArray, row: usize, offset: usize, given: u64) -> Elements<'a> {
        let text = if column.is_null(row) { None } else { Some(column.value(row)) };
        let Some(text) = text.filter(|text| *text != "null") else {
            return if given == 0 { Elements::Single(None) } else { Elements::Done };
        };
        let whole = Whole { text, view: column.views().get(row).copied().unwrap_or_default() };
        if let Some(mut rest) = array_items(text) {
            rest.skip_to(offset);
            Elements::Items { whole, rest }
        } else if let Some(mut rest) = bag_entries(text) {
            rest.skip_to(offset);
            Elements::Entries { whole, rest }
        } else if given == 0 {
            Elements::Single(Some(whole))
        } else {
            Elements::Done
        }
    }

    fn has_more(&self) -> bool {
        match self {
            Elements::Items { rest, .. } => !rest.is_done(),
            Elements::Entries { rest, .. } => !rest.is_done(),
            Elements::Single(_) => true,
            Elements::Done => false,
        }
    }

    /// The byte that [`Elements::new`] goes on from.
    fn offset(&self) -> usize {
        match self {
            Elements::Items { whole, rest } => rest.offset_in(whole.text),
            Elements::Entries { whole, rest } => rest.offset_in(whole.text),
            _ => 0,
        }
    }

    fn append_next(
        &mut self,
        output: &mut Output<'_>,
        bag_as_array: bool,
        buffer: &mut String,
    ) -> Result<(), KernelError> {
        match self {
            Elements::Items { whole, rest } => match rest.next() {
                Some(item) => return output.append_part(whole, item),
                None => output.append_missing(),
            },
            Elements::Entries { rest, .. } => match rest.next() {
                Some((key, value)) => {
                    buffer.clear();
                    let (open, middle, close) = if bag_as_array { ('[', ',', ']') } else { ('{', ':', '}') };
                    buffer.push(open);
                    buffer.push_str(key);
                    buffer.push(middle);
                    buffer.push_str(value);
                    buffer.push(close);
                    return output.append_new(buffer);
                }
                None => output.append_missing(),
            },
            Elements::Single(value) => {
                let value = value.take();
                *self = Elements::Done;
                match value {
                    Some(whole) => return output.append_part(&whole, whole.text),
                    None => output.append_missing(),
                }
            }
            Elements::Done => output.append_missing(),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    use kql_types::Dynamic;
    use proptest::prelude::*;

    fn column(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(values.iter().collect::<StringViewArray>())
    }

    fn spec(types: &[ScalarType]) -> Spec {
        Spec { types: types.to_vec(), limit: u64::MAX, bag_as_array: false }
    }

    /// Rows as (input row, index, values), in batches of the given size.
    fn expand(spec: &Spec, columns: &[ArrayRef], rows_max: usize) -> Vec<(u32, i64, Vec<Option<String>>)> {
        let mut expander = Expander::new(spec, columns, columns[0].len()).unwrap();
        let mut out = Vec::new();
        while let Some(batch) = expander.next_batch(rows_max).unwrap() {
            assert!(batch.rows.len() <= rows_max);
            for row in 0..batch.rows.len() {
                let values = batch.columns.iter().map(|column| match column.data_type() {
                    arrow::datatypes::DataType::Utf8View => {
                        let column = column.as_string_view();
                        column.is_valid(row).then(|| column.value(row).to_owned())
                    }
                    _ => {
                        let column = column.as_primitive::<Int64Type>();
                        column.is_valid(row).then(|| column.value(row).to_string())
                    }
                });
                out.push((batch.rows.value(row), batch.index.value(row), values.collect()));
            }
        }
        out
    }

    fn first(rows: Vec<(u32, i64, Vec<Option<String>>)>) -> Vec<(u32, i64, String)> {
        rows.into_iter().map(|(row, index, values)| (row, index, values[0].clone().unwrap_or("-".into()))).collect()
    }

    #[test]
    fn arrays_bags_scalars_and_nulls() {
        let values = column(&[Some("[1,\"a\"]"), Some("[]"), None, Some("{\"k\":1,\"l\":[2]}"), Some("7"), Some("{}")]);
        let expected: Vec<(u32, i64, String)> =
            [(0, 0, "1"), (0, 1, "\"a\""), (2, 0, "-"), (3, 0, "{\"k\":1}"), (3, 1, "{\"l\":[2]}"), (4, 0, "7")]
                .map(|(row, index, value)| (row, index, value.to_owned()))
                .into();
        for rows_max in 1..8 {
            assert_eq!(first(expand(&spec(&[ScalarType::Dynamic]), std::slice::from_ref(&values), rows_max)), expected);
        }
        let pairs = Spec { bag_as_array: true, ..spec(&[ScalarType::Dynamic]) };
        let rows = first(expand(&pairs, &[column(&[Some("{\"k\":1,\"l\":null}")])], 10));
        assert_eq!(rows.iter().map(|row| row.2.as_str()).collect::<Vec<_>>(), ["[\"k\",1]", "[\"l\",null]"]);
    }

    #[test]
    fn columns_side_by_side_are_filled_with_nulls() {
        let columns =
            [column(&[Some("[1,2,3]"), Some("5"), Some("[]")]), column(&[Some("{\"a\":1}"), Some("[7,8]"), None])];
        let rows = expand(&spec(&[ScalarType::Long, ScalarType::Dynamic]), &columns, 2);
        let shown: Vec<String> = rows
            .iter()
            .map(|(row, _, values)| {
                format!("{row} {} {}", values[0].as_deref().unwrap_or("-"), values[1].as_deref().unwrap_or("-"))
            })
            .collect();
        assert_eq!(shown, ["0 1 {\"a\":1}", "0 2 -", "0 3 -", "1 5 7", "1 - 8", "2 - -"]);
    }

    #[test]
    fn the_limit_counts_per_row() {
        let limited = Spec { limit: 2, ..spec(&[ScalarType::Dynamic]) };
        let rows = first(expand(&limited, &[column(&[Some("[1,2,3]"), Some("[4]"), Some("[5,6,7]")])], 2));
        assert_eq!(rows.iter().map(|row| row.2.as_str()).collect::<Vec<_>>(), ["1", "2", "4", "5", "6"]);
    }

    #[test]
    fn elements_are_converted() {
        let values = [column(&[Some("[1,\"2\",2.9,true,null,\"x\",[1]]")])];
        let longs = first(expand(&spec(&[ScalarType::Long]), &values, 100));
        assert_eq!(longs.iter().map(|row| row.2.as_str()).collect::<Vec<_>>(), ["1", "2", "2", "1", "-", "-", "-"]);
        let texts = first(expand(&spec(&[ScalarType::String]), &values, 100));
        assert_eq!(
            texts.iter().map(|row| row.2.as_str()).collect::<Vec<_>>(),
            ["1", "2", "2.9", "true", "", "x", "[1]"]
        );
        let times = [column(&[Some("[\"\u{E000}d0001-01-01T00:00:00.0000001Z\",\"0001-01-01 00:00:01\"]")])];
        let ticks = first(expand(&spec(&[ScalarType::DateTime]), &times, 100));
        assert_eq!(ticks.iter().map(|row| row.2.as_str()).collect::<Vec<_>>(), ["1", "10000000"]);
    }

    proptest! {
        /// Against the elements of the parsed value, for any batch size.
        #[test]
        fn every_element_comes_once(rows in prop::collection::vec(prop::option::of("[a-c\\[\\]{}\",]{0,4}"), 0..6), size in 1usize..5) {
            let values: Vec<Dynamic> = rows
                .iter()
                .enumerate()
                .map(|(row, text)| match (text, row % 3) {
                    (None, _) => Dynamic::Null,
                    (Some(text), 0) => Dynamic::Array(text.chars().map(|c| Dynamic::String(c.to_string())).collect()),
                    (Some(text), 1) => Dynamic::Bag(text.char_indices().map(|(i, c)| (format!("{c}{i}"), Dynamic::String(c.into()))).collect()),
                    (Some(text), _) => Dynamic::String(text.clone()),
                })
                .collect();
            let column: ArrayRef = Arc::new(values.iter().map(|v| (!v.is_null()).then(|| v.to_canonical())).collect::<StringViewArray>());
            let mut expected = Vec::new();
            for (row, value) in values.iter().enumerate() {
                let elements: Vec<Dynamic> = match value {
                    Dynamic::Array(items) => items.clone(),
                    Dynamic::Bag(entries) => entries.iter().map(|entry| Dynamic::Bag(vec![entry.clone()])).collect(),
                    other => vec![other.clone()],
                };
                for (index, element) in elements.iter().enumerate() {
                    let text = if element.is_null() { "-".to_owned() } else { element.to_canonical() };
                    expected.push((row as u32, index as i64, text));
                }
            }
            prop_assert_eq!(first(expand(&spec(&[ScalarType::Dynamic]), &[column], size)), expected);
        }
    }
}
