//! Files in parallel, results in order.
//!
//! Each worker takes the next file and sends what it gives through a short channel of its own; the merging thread drains
//! the channels in the order of the files. So the result does not depend on the number of threads, and nobody runs
//! further ahead than the channels hold.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use kql_types::datetime::{self, TICKS_PER_DAY};

use crate::batch::RowBatch;
use crate::decode::Decoder;
use crate::delimited;
use crate::in_place::{self, Footer};
use crate::input::{self, Content, Input};
use crate::merge::Merge;
use crate::options::LoadOptions;
use crate::report::{Example, SourceReport, Tally, tally};
use crate::sources::{Maps, Place};
use crate::{LoadError, Loaded, Progress, written};

/// Messages a file may have waiting.
const WAITING_MAX: usize = 2;
/// Files a worker may be ahead of the one being merged.
const AHEAD_PER_THREAD: usize = 8;

/// What a worker tells about a source; in this order, sources of a file one after another.
pub(crate) enum Message {
    Start {
        plausible_max: i64,
    },
    Rows(RowBatch),
    /// The source is a Parquet file of this table, with this many rows.
    InPlace {
        table: String,
        path: PathBuf,
        rows: u64,
    },
    End(Box<SourceReport>),
}

pub(crate) fn load(paths: &[PathBuf], options: &LoadOptions) -> Result<Loaded, LoadError> {
    let (mut loaded, paths) = written_before(paths)?;
    if paths.is_empty() && !loaded.report.sources.is_empty() {
        return Ok(loaded);
    }
    let inputs = input::expand(&paths)?;
    let maps = Maps::new(options.schemas.clone());
    let threads = options.threads.or_else(|| std::thread::available_parallelism().map(usize::from).ok()).unwrap_or(1);
    let threads = threads.clamp(1, inputs.len().max(1));
    let (order, ordered) = channel();
    let queue = Queue {
        state: Mutex::new(State { next: 0, merged: 0, stopped: false }),
        moved: Condvar::new(),
        ahead: threads * AHEAD_PER_THREAD,
    };
    let base = std::mem::take(&mut loaded);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let order = order.clone();
            let (queue, inputs, maps) = (&queue, &inputs, &maps);
            scope.spawn(move || work(queue, inputs, maps, options, &order));
        }
        drop(order);
        let merged = merge(&ordered, &queue, options, inputs.len(), base);
        queue.stop();
        merged
    })
}

/// A folder that an earlier load wrote comes first, so that its places stay what they are; the other paths remain.
///
/// Places are numbers into one list of sources, so only one such folder can be read.
fn written_before(paths: &[PathBuf]) -> Result<(Loaded, Vec<PathBuf>), LoadError> {
    let (written, others): (Vec<PathBuf>, Vec<PathBuf>) =
        paths.iter().cloned().partition(|path| path.join(written::MANIFEST).is_file());
    match written.as_slice() {
        [] => Ok((Loaded::default(), others)),
        [folder] => Ok((written::load(folder)?, others)),
        [_, second, ..] => Err(LoadError::Written {
            path: second.clone(),
            reason: "only one folder of loaded tables can be read at a time".to_owned(),
        }),
    }
}

struct Queue {
    state: Mutex<State>,
    moved: Condvar,
    ahead: usize,
}

struct State {
    next: usize,
    merged: usize,
    stopped: bool,
}

impl Queue {
    /// The next file for a worker, announced to the merger under the same lock so that both agree on the order.
    fn take(&self, count: usize, order: &Sender<Receiver<Message>>) -> Option<(usize, SyncSender<Message>)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.stopped && state.next >= state.merged + self.ahead {
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped || state.next >= count {
            return None;
        }
        let index = state.next;
        state.next += 1;
        let (send, receive) = sync_channel(WAITING_MAX);
        order.send(receive).ok()?;
        Some((index, send))
    }

    fn merged(&self, count: usize) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).merged = count;
        self.moved.notify_all();
    }

    fn stop(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
        self.moved.notify_all();
    }
}

fn work(queue: &Queue, inputs: &[Input], maps: &Maps, options: &LoadOptions, order: &Sender<Receiver<Message>>) {
    while let Some((index, send)) = queue.take(inputs.len(), order) {
        if let Some(input) = inputs.get(index) {
            read(input, maps, options, &send);
        }
    }
}

fn merge(
    ordered: &Receiver<Receiver<Message>>,
    queue: &Queue,
    options: &LoadOptions,
    files_total: usize,
    base: Loaded,
) -> Result<Loaded, LoadError> {
    let mut merge = Merge::new(options.batch_rows, base);
    let mut progress = Progress { files_total, ..Progress::default() };
    for messages in ordered {
        for message in messages {
            match message {
                Message::Start { plausible_max } => merge.start(plausible_max),
                Message::Rows(batch) => merge.rows(batch)?,
                Message::InPlace { table, path, rows } => merge.in_place(table, path, rows),
                Message::End(report) => {
                    progress.records += report.records;
                    progress.bytes += report.bytes;
                    merge.end(*report);
                }
            }
        }
        progress.files_done += 1;
        queue.merged(progress.files_done);
        if let Some(callback) = &options.progress {
            callback(&progress);
        }
    }
    merge.finish(&options.schemas)
}

/// Reads one file. A failed send means that the merger gave up; the rest is then read for nobody, and quickly over.
fn read(input: &Input, maps: &Maps, options: &LoadOptions, send: &SyncSender<Message>) {
    let path = input.name();
    let mut report = SourceReport { path: path.clone(), ..SourceReport::default() };
    // No log holds events of more than a day after it was written.
    let modified = modified(input);
    let plausible_max = modified.map_or(datetime::MAX, |written| written + TICKS_PER_DAY);
    let _ = send.send(Message::Start { plausible_max });
    match input::open(input, &options.limits) {
        Err(error) => {
            report.format = "unreadable".to_owned();
            report.stopped = Some(error.to_string());
        }
        Ok(opened) => {
            report.format = format_name(name(opened.content), &opened.wrappings);
            let hash = opened.hash.clone();
            match opened.content {
                Content::Json => {
                    let mut give = |batch| {
                        let _ = send.send(Message::Rows(batch));
                    };
                    let mut decoder = Decoder::new(maps, options, Place { path: &path, modified }, report, &mut give);
                    decoder.json(opened.reader);
                    report = decoder.finish();
                }
                Content::Text => {
                    let mut give = |batch| {
                        let _ = send.send(Message::Rows(batch));
                    };
                    let separator = delimited::separator(&opened.head);
                    report.format = format_name(if separator.is_some() { "csv" } else { "text" }, &opened.wrappings);
                    let mut decoder = Decoder::new(maps, options, Place { path: &path, modified }, report, &mut give);
                    match separator {
                        Some(separator) => decoder.delimited(opened.reader, separator),
                        None => decoder.lines(opened.reader),
                    }
                    report = decoder.finish();
                }
                Content::Empty => {}
                Content::Parquet => in_place(input, maps, &mut report, send),
                other => {
                    report.records = 1;
                    let reason = format!("unsupported: {}", name(other));
                    tally(&mut report.unreadable, &reason, Example::default);
                }
            }
            if opened.content != Content::Parquet {
                report.sha256 = hash.finish(input);
            }
        }
    }
    let _ = send.send(Message::End(Box::new(report)));
}

/// A Parquet file: listed when it is on disk and holds a table's rows.
fn in_place(input: &Input, maps: &Maps, report: &mut SourceReport, send: &SyncSender<Message>) {
    let Input::File(path) = input else {
        report.records = 1;
        tally(&mut report.unreadable, "unsupported: parquet from standard input", Example::default);
        return;
    };
    match in_place::footer(path, &report.path, maps) {
        Ok(Footer { rows, table: Some(table) }) => {
            report.records = rows;
            report.rows = rows;
            report.tables.insert(table.clone(), rows);
            report.kinds.insert("rows in place".to_owned(), rows);
            let _ = send.send(Message::InPlace { table, path: path.clone(), rows });
        }
        Ok(Footer { rows, table: None }) => {
            report.records = rows;
            if rows > 0 {
                let kind = "row of a Parquet file of no known table".to_owned();
                report.other.insert(kind, Tally { count: rows, first: Example::default() });
            }
        }
        Err(reason) => {
            report.records = 1;
            tally(&mut report.unreadable, &format!("damaged Parquet file: {reason}"), Example::default);
            report.stopped = Some(reason);
        }
    }
}

fn name(content: Content) -> &'static str {
    match content {
        Content::Empty => "empty",
        Content::Json => "json",
        Content::Text => "text",
        Content::Parquet => "parquet",
        Content::Zip => "zip",
        Content::Tar => "tar",
        Content::Avro => "avro",
        Content::Orc => "orc",
        Content::Binary => "binary",
    }
}

fn format_name(content: &str, wrappings: &[&str]) -> String {
    let mut parts = vec![content];
    parts.extend(wrappings);
    parts.join(", ")
}

/// Ticks at which a file was last written.
fn modified(input: &Input) -> Option<i64> {
    let Input::File(path) = input else { return None };
    let time = path.metadata().and_then(|metadata| metadata.modified()).ok()?;
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs() as i64;
    datetime::checked(datetime::UNIX_EPOCH.checked_add(seconds.checked_mul(datetime::TICKS_PER_SECOND)?)?)
}
