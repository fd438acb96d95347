//! Where queries run: threads with deep stacks, behind a guard against panics.
//!
//! A query is a tree as deep as its pipeline is long, and so are its plans; two thousand operators must not end the
//! process. All stages therefore run on the threads of one runtime whose stacks are large (reserved, not used memory).

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

use crate::EngineError;

/// Stack of each thread in bytes.
const STACK_BYTES: usize = 512 << 20;

static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();

/// The runtime of all queries.
pub(crate) fn runtime() -> Result<&'static Runtime, EngineError> {
    let made = RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .thread_name("tidewatch-query")
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()
            .ok()
    });
    made.as_ref().ok_or_else(|| EngineError::Bug("the threads for queries could not be started".to_owned()))
}

static CLOCK: OnceLock<Option<Runtime>> = OnceLock::new();

/// A thread of its own that ends waiting: the threads of queries may all be busy.
pub(crate) fn clock() -> Result<&'static Runtime, EngineError> {
    let made = CLOCK.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("tidewatch-clock").enable_time().build().ok()
    });
    made.as_ref().ok_or_else(|| EngineError::Bug("the thread for time limits could not be started".to_owned()))
}

/// Runs a function on a thread with a deep stack; a panic is a bug with its message.
pub(crate) fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, EngineError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        match thread.map(|thread| thread.join()) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(panic)) => Err(EngineError::Bug(panic_message(panic.as_ref()))),
            Err(error) => Err(EngineError::Bug(format!("a thread could not be started: {error}"))),
        }
    })
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a message".to_owned())
}
