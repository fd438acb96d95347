//! Who does what next, and how much may be in flight.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::pipeline::{Later, Message};

/// Files a worker may be ahead of the one being merged.
const AHEAD_PER_THREAD: usize = 16;
/// Bytes of rows that may wait to be merged, over all files but the one being merged.
const IN_FLIGHT_MAX: usize = 128 << 20;

/// The files and blocks that wait for a worker.
pub(crate) struct Schedule {
    state: Mutex<State>,
    moved: Condvar,
    files: usize,
    threads: usize,
}

struct State {
    /// The next file to read.
    next: usize,
    /// Files merged so far: the one being merged has this number.
    merged: usize,
    /// Files being read.
    reading: usize,
    in_flight: usize,
    blocks: VecDeque<Arc<Later>>,
    stopped: bool,
}

/// Something for a worker to do.
pub(crate) enum Work {
    File { index: usize, send: SyncSender<Message> },
    Block(Arc<Later>),
}

impl Schedule {
    pub(crate) fn new(files: usize, threads: usize) -> Schedule {
        let state = State { next: 0, merged: 0, reading: 0, in_flight: 0, blocks: VecDeque::new(), stopped: false };
        Schedule { state: Mutex::new(state), moved: Condvar::new(), files, threads }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, state: MutexGuard<'g, State>) -> MutexGuard<'g, State> {
        self.moved.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// The next thing for a worker; None when all is done. A file is announced to the merger under the same lock, so
    /// that both agree on the order.
    pub(crate) fn take(&self, order: &Sender<Receiver<Message>>) -> Option<Work> {
        let mut state = self.state();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(block) = state.blocks.pop_front() {
                return Some(Work::Block(block));
            }
            if state.next < self.files && state.next < state.merged + self.threads * AHEAD_PER_THREAD {
                let index = state.next;
                state.next += 1;
                state.reading += 1;
                let (send, receive) = sync_channel(self.threads + 2);
                order.send(receive).ok()?;
                return Some(Work::File { index, send });
            }
            if state.next >= self.files && state.reading == 0 {
                return None;
            }
            state = self.wait(state);
        }
    }

    /// A worker has read its file.
    pub(crate) fn read(&self) {
        self.state().reading -= 1;
        self.moved.notify_all();
    }

    /// Takes a block for whoever has time; gives it back when enough wait already.
    pub(crate) fn offer(&self, later: Arc<Later>) -> Option<Arc<Later>> {
        let mut state = self.state();
        if self.threads == 1 || state.blocks.len() >= self.threads {
            return Some(later);
        }
        state.blocks.push_back(later);
        drop(state);
        self.moved.notify_all();
        None
    }

    /// Waits until there is room for rows of this file. The file being merged never waits.
    pub(crate) fn launch(&self, file: usize, bytes: usize) {
        let mut state = self.state();
        while !state.stopped && file != state.merged && state.in_flight + bytes > IN_FLIGHT_MAX {
            state = self.wait(state);
        }
        state.in_flight += bytes;
    }

    /// Rows have reached the merger.
    pub(crate) fn landed(&self, bytes: usize) {
        self.state().in_flight -= bytes;
        self.moved.notify_all();
    }

    pub(crate) fn merged(&self, files: usize) {
        self.state().merged = files;
        self.moved.notify_all();
    }

    /// Nothing more is wanted.
    pub(crate) fn stop(&self) {
        self.state().stopped = true;
        self.moved.notify_all();
    }
}
