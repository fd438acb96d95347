//! [`ViewMemo`]: what was computed for a text is remembered by the view that shows it.
//!
//! Equal views show equal text as long as they point into the same buffers. Dictionary pages of Parquet give the same
//! view for the same text through a whole row group, and text of up to 12 bytes is in its view. The memo keeps the
//! buffers its views point into, so that no other text can come to lie there.

use arrow::array::StringViewArray;
use arrow::buffer::Buffer;

/// After so many questions a memo that seldom knew the answer gives up.
const TRIAL: u32 = 4_096;
/// Larger buffers are not kept alive: the memo then lasts for one batch.
const KEPT_BYTES_MAX: usize = 4 << 20;

#[derive(Debug, Clone, Copy)]
struct Slot<V> {
    view: u128,
    /// The set of buffers the view points into; 0 for a slot never used.
    buffers: u32,
    value: V,
}

/// Values by view. Begin each batch with [`ViewMemo::start`].
#[derive(Debug)]
pub(super) struct ViewMemo<V> {
    slots: Vec<Slot<V>>,
    /// Slots are 2 to the power of this.
    bits: u32,
    buffers: Vec<Buffer>,
    generation: u32,
    asked: u32,
    known: u32,
    off: bool,
}

impl<V: Copy + Default> ViewMemo<V> {
    /// A memo of 2 to the power of `bits` values; it takes memory when it is first asked.
    pub(super) fn new(bits: u32) -> ViewMemo<V> {
        ViewMemo { slots: Vec::new(), bits, buffers: Vec::new(), generation: 0, asked: 0, known: 0, off: false }
    }

    /// The next questions are about views of this array.
    pub(super) fn start(&mut self, array: &StringViewArray) {
        if self.off {
            return;
        }
        let buffers = array.data_buffers();
        let same = self.generation > 0
            && self.buffers.len() == buffers.len()
            && self.buffers.iter().zip(buffers).all(|(kept, buffer)| kept.ptr_eq(buffer));
        if same {
            return;
        }
        match self.generation.checked_add(1) {
            Some(next) => self.generation = next,
            None => self.stop(),
        }
        let bytes: usize = buffers.iter().map(Buffer::capacity).sum();
        self.buffers.clear();
        if bytes <= KEPT_BYTES_MAX {
            self.buffers.extend_from_slice(buffers);
        } else {
            // Marks that the next batch is another one: no array has this buffer.
            self.buffers.push(Buffer::from_vec(vec![0_u8]));
        }
    }

    /// The value of a view, computed when it is not known.
    #[inline]
    pub(super) fn get(&mut self, view: u128, compute: impl FnOnce() -> V) -> V {
        if self.off {
            return compute();
        }
        if self.slots.is_empty() {
            let empty = Slot { view: 0, buffers: 0, value: V::default() };
            self.slots = vec![empty; 1 << self.bits];
        }
        let mixed = ((view as u64) ^ ((view >> 64) as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F))
            .wrapping_mul(0x9E37_79B1_85EB_CA87);
        let Some(slot) = self.slots.get_mut((mixed >> (64 - self.bits)) as usize) else { return compute() };
        self.asked += 1;
        if slot.view == view && slot.buffers == self.generation {
            self.known += 1;
            return slot.value;
        }
        let value = compute();
        *slot = Slot { view, buffers: self.generation, value };
        if self.asked >= TRIAL {
            if self.known < TRIAL / 2 {
                self.stop();
            }
            self.asked = 0;
            self.known = 0;
        }
        value
    }

    fn stop(&mut self) {
        self.off = true;
        self.slots = Vec::new();
        self.buffers = Vec::new();
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        self.slots.capacity() * size_of::<Slot<V>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Array;

    fn ask(memo: &mut ViewMemo<usize>, array: &StringViewArray) -> (Vec<usize>, usize) {
        let mut computed = 0;
        memo.start(array);
        let answers = (0..array.len())
            .map(|row| {
                memo.get(array.views()[row], || {
                    computed += 1;
                    array.value(row).len()
                })
            })
            .collect();
        (answers, computed)
    }

    #[test]
    fn a_text_is_computed_once() {
        let values = ["short", "a text that is longer than a view", "short"];
        let array: StringViewArray = values.iter().map(Some).collect();
        let expected: Vec<usize> = values.iter().map(|value| value.len()).collect();
        let mut memo = ViewMemo::new(10);
        assert_eq!(ask(&mut memo, &array), (expected.clone(), 2));
        // The same buffers again.
        assert_eq!(ask(&mut memo, &array.slice(0, 3)), (expected, 0));
    }

    #[test]
    fn other_buffers_are_other_texts() {
        let long = |n: usize| -> StringViewArray { [Some(format!("{:>20}", "x".repeat(n)))].into_iter().collect() };
        let mut memo = ViewMemo::new(4);
        for n in 1..20 {
            let array = long(n);
            let mut count = 0;
            memo.start(&array);
            let answer = memo.get(array.views()[0], || {
                count += 1;
                n
            });
            assert_eq!((answer, count), (n, 1));
        }
    }

    #[test]
    fn a_memo_that_does_not_help_stops() {
        let values: Vec<String> = (0..3 * TRIAL).map(|i| format!("value {i}")).collect();
        let array: StringViewArray = values.iter().map(Some).collect();
        let mut memo = ViewMemo::new(6);
        let (answers, _) = ask(&mut memo, &array);
        assert!(memo.off && memo.size() == 0);
        assert!(answers.iter().zip(&values).all(|(answer, value)| *answer == value.len()));
    }
}
