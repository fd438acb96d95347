//! What a measurement turns off to see what it gives. Everything is on otherwise; answers are the same either way.

use std::sync::atomic::{AtomicBool, Ordering};

static MEMO: AtomicBool = AtomicBool::new(true);
static LAZY_PATHS: AtomicBool = AtomicBool::new(true);

/// Predicates of texts remember their answers within a batch.
pub fn memo() -> bool {
    MEMO.load(Ordering::Relaxed)
}

/// Paths find their value without parsing the whole text.
pub fn lazy_paths() -> bool {
    LAZY_PATHS.load(Ordering::Relaxed)
}

/// Turns the memo and the lazy paths on or off, for the whole process.
pub fn set(memo: bool, lazy_paths: bool) {
    MEMO.store(memo, Ordering::Relaxed);
    LAZY_PATHS.store(lazy_paths, Ordering::Relaxed);
}
