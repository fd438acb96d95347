//! [`Parts`]: a text column in the making whose values are parts of a source column, or new text.
//!
//! Parts share the bytes of the source: a value is a view into the source's buffers.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::builder::make_view;
use arrow::array::{Array, ArrayRef, ByteView, NullBufferBuilder, StringViewArray, UInt32Array};
use arrow::buffer::{Buffer, ScalarBuffer};

use super::access::Text;
use super::aggregate_state::bug;
use super::{Args, KernelError};

/// Views of at most so many bytes hold their text.
const INLINE_BYTES: usize = 12;

/// See the module.
#[derive(Debug)]
pub struct Parts<'a> {
    source: &'a StringViewArray,
    views: Vec<u128>,
    nulls: NullBufferBuilder,
    /// New text, in the buffer after those of the source.
    added: Vec<u8>,
}

impl<'a> Parts<'a> {
    /// A column of about `rows` values out of `source`.
    pub fn new(source: &'a StringViewArray, rows: usize) -> Parts<'a> {
        Parts { source, views: Vec::with_capacity(rows), nulls: NullBufferBuilder::new(rows), added: Vec::new() }
    }

    /// One value for each row of a call, which depends on the row's text of `base` alone; None is null. A borrowed value
    /// is best a part of that text. Dictionary pages show the same text by the same view, which is computed once.
    ///
    /// # Errors
    /// As [`Parts::collect`].
    pub fn collect_by_text<'t>(
        args: &Args<'_>,
        base: &Text<'t>,
        mut f: impl FnMut(usize) -> Option<Cow<'t, str>>,
    ) -> Result<ArrayRef, KernelError> {
        let mut parts = Parts::new(base.array(), args.rows);
        let mut last = None;
        for row in 0..args.rows {
            let text = (base.key(row), base.opt(row).is_none());
            match last.filter(|(known, _)| *known == text) {
                Some((_, Some(view))) => parts.push_view(view),
                Some((_, None)) => parts.push_null(),
                None => {
                    let value = f(row);
                    let null = value.is_none();
                    parts.push(base, row, value)?;
                    last = Some((text, parts.views.last().copied().filter(|_| !null)));
                }
            }
        }
        parts.finish()
    }

    /// One value for each row of a call; None is null. A borrowed value is best a part of the row's text of `base`.
    ///
    /// # Errors
    /// When new text is longer than a column can hold.
    pub fn collect<'t>(
        args: &Args<'_>,
        base: &Text<'t>,
        mut f: impl FnMut(usize) -> Option<Cow<'t, str>>,
    ) -> Result<ArrayRef, KernelError> {
        let constant = args.constant.iter().all(|constant| *constant);
        let rows = if constant { args.rows.min(1) } else { args.rows };
        let mut parts = Parts::new(base.array(), rows);
        for row in 0..rows {
            parts.push(base, row, f(row))?;
        }
        let array = parts.finish()?;
        if rows == args.rows {
            return Ok(array);
        }
        let first = UInt32Array::from(vec![0_u32; args.rows]);
        arrow::compute::take(&array, &first, None).map_err(bug)
    }

    /// Values so far.
    pub fn len(&self) -> usize {
        self.views.len()
    }

    /// Whether there is no value yet.
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    fn push(&mut self, base: &Text<'_>, row: usize, value: Option<Cow<'_, str>>) -> Result<(), KernelError> {
        match value {
            None => {
                self.push_null();
                Ok(())
            }
            Some(Cow::Borrowed(part)) => self.push_part(base.key(row), base.at(row), part),
            Some(Cow::Owned(text)) => self.push_new(&text),
        }
    }

    fn push_view(&mut self, view: u128) {
        self.nulls.append_non_null();
        self.views.push(view);
    }

    pub fn push_null(&mut self) {
        self.views.push(0);
        self.nulls.append_null();
    }

    /// A part of the text `whole`, which the view `key` of the source shows; text from elsewhere is copied.
    ///
    /// # Errors
    /// As [`Parts::push_new`].
    #[inline]
    pub fn push_part(&mut self, key: u128, whole: &str, part: &str) -> Result<(), KernelError> {
        let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        if part.len() <= INLINE_BYTES || start > whole.len() || part.len() > whole.len() - start {
            return self.push_new(part);
        }
        // More than 12 bytes, so the whole is not inline and its view says where it lies.
        let view = ByteView::from(key);
        self.push_view(make_view(part.as_bytes(), view.buffer_index, view.offset + start as u32));
        Ok(())
    }

    /// Text of its own.
    ///
    /// # Errors
    /// When all of it is longer than a column can hold.
    pub fn push_new(&mut self, text: &str) -> Result<(), KernelError> {
        if text.len() <= INLINE_BYTES {
            self.push_view(if text.is_empty() { 0 } else { make_view(text.as_bytes(), 0, 0) });
            return Ok(());
        }
        let buffer = u32::try_from(self.source.data_buffers().len()).map_err(bug)?;
        let offset = u32::try_from(self.added.len()).map_err(bug)?;
        self.added.extend_from_slice(text.as_bytes());
        self.push_view(make_view(text.as_bytes(), buffer, offset));
        Ok(())
    }

    /// The column.
    ///
    /// # Errors
    /// Never: every view was made from text.
    pub fn finish(mut self) -> Result<ArrayRef, KernelError> {
        let mut buffers = self.source.data_buffers().to_vec();
        buffers.push(Buffer::from_vec(std::mem::take(&mut self.added)));
        let nulls = self.nulls.finish();
        let array = StringViewArray::try_new(ScalarBuffer::from(self.views), buffers, nulls).map_err(bug)?;
        Ok(Arc::new(array))
    }
}

/// Texts with an empty text in place of each null, over the same bytes: a string is never null.
pub fn without_nulls(texts: &StringViewArray) -> StringViewArray {
    let Some(nulls) = texts.nulls().filter(|nulls| nulls.null_count() > 0) else { return texts.clone() };
    if nulls.null_count() == texts.len() {
        return StringViewArray::new(ScalarBuffer::from(vec![0_u128; texts.len()]), Vec::new(), None);
    }
    // What a null's view shows is not said.
    let views = texts.views().iter().zip(nulls.iter());
    let views: Vec<u128> = views.map(|(view, known)| if known { *view } else { 0 }).collect();
    StringViewArray::new(ScalarBuffer::from(views), texts.data_buffers().to_vec(), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;

    #[test]
    fn nulls_become_empty_over_the_same_bytes() {
        let texts = [Some("a text that is longer than a view"), None, Some("short"), Some("")];
        let texts: StringViewArray = texts.into_iter().collect();
        let whole = without_nulls(&texts);
        let expected = ["a text that is longer than a view", "", "short", ""];
        assert_eq!(whole.iter().flatten().collect::<Vec<_>>(), expected);
        assert_eq!(whole.null_count(), 0);
        assert!(std::ptr::eq(whole.value(0), texts.value(0)));
        let nothing: StringViewArray = [None::<&str>, None].into_iter().collect();
        assert_eq!(without_nulls(&nothing).iter().collect::<Vec<_>>(), [Some(""), Some("")]);
        assert_eq!(without_nulls(&texts.slice(1, 2)).iter().collect::<Vec<_>>(), [Some(""), Some("short")]);
    }

    #[test]
    fn parts_share_and_other_text_is_copied() {
        let source: StringViewArray = [Some("a text that is longer than a view"), Some("short")].into_iter().collect();
        let whole = source.value(0);
        let mut parts = Parts::new(&source, 4);
        parts.push_part(source.views()[0], whole, &whole[7..]).unwrap();
        parts.push_part(source.views()[1], source.value(1), "text from somewhere else").unwrap();
        parts.push_null();
        parts.push_new("sh").unwrap();
        assert_eq!(parts.len(), 4);
        let array = parts.finish().unwrap();
        let values: Vec<Option<&str>> = array.as_string_view().iter().collect();
        assert_eq!(values, [Some("that is longer than a view"), Some("text from somewhere else"), None, Some("sh")]);
    }
}
