//! How many bytes one call may fill.
//!
//! Texts grow without rows growing: ten calls of `strcat(a, a)` make a thousand times as much of every row. Whoever runs
//! kernels under a limit on memory says so with [`within`]; the outputs of kernels count what they write with a [`Meter`],
//! and a kernel whose output can be the product of its inputs stops at [`text_room`]. Begin at [`within`].

use std::cell::Cell;

use super::KernelError;

/// Bytes of one text, whatever the limit: Arrow's views hold lengths of 32 bits.
const TEXT_BYTES_MAX: usize = 1 << 30;

thread_local! {
    static ROOM: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Runs work in which a single call may fill so many bytes.
pub fn within<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    struct Restore(usize);
    impl Drop for Restore {
        fn drop(&mut self) {
            ROOM.set(self.0);
        }
    }
    let _restore = Restore(ROOM.replace(bytes));
    work()
}

/// Bytes after which a text is not worth going on with: its call will fail.
pub fn text_room() -> usize {
    ROOM.get().min(TEXT_BYTES_MAX)
}

/// Counts what one call writes.
#[derive(Debug)]
pub(super) struct Meter {
    left: usize,
}

impl Meter {
    pub(super) fn start() -> Meter {
        Meter { left: ROOM.get() }
    }

    /// One text has been written.
    #[inline]
    pub(super) fn text(&mut self, bytes: usize) -> Result<(), KernelError> {
        match self.left.checked_sub(bytes) {
            Some(left) if bytes <= TEXT_BYTES_MAX => {
                self.left = left;
                Ok(())
            }
            _ => Err(over()),
        }
    }
}

#[cold]
fn over() -> KernelError {
    KernelError::limit("the texts that one call makes are larger than the memory that the query may use")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_counts_within_the_room_of_its_thread() {
        let refused = |bytes: usize| Meter::start().text(bytes).is_err();
        assert!(!refused(TEXT_BYTES_MAX) && refused(TEXT_BYTES_MAX + 1));
        within(100, || {
            assert!(!refused(100) && refused(101));
            assert_eq!(text_room(), 100);
            let mut meter = Meter::start();
            assert!(meter.text(60).is_ok() && meter.text(60).is_err());
        });
        assert!(!refused(101));
    }
}
