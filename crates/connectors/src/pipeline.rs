//! Files in parallel, results in order.
//!
//! Each worker takes the next file and sends what it gives through a short channel of its own; the merging thread drains
//! the channels in the order of the files. A large file is read by one worker and decoded by all: its later stretches
//! are offered as blocks. So the result does not depend on the number of threads, and what waits is bounded: a file that
//! is not the next to be merged waits until the rows in flight leave room.

use std::cell::Cell;
use std::io::Read;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use kql_types::datetime::{self, TICKS_PER_DAY};

use crate::blocks::{BLOCK_BYTES, Block, Stretch};
use crate::cache::{self, Cache, Entry, Keeping, Kept};
use crate::decode::{Decoded, Decoder, Header};
use crate::delimited::{self, Delimited};
use crate::frames::Frames;
use crate::in_place::{self, Footer};
use crate::input::{self, Content, Input, Opened, path_date, transcode};
use crate::lines::{Lines, TextLines};
use crate::merge::Merge;
use crate::options::{LoadOptions, SizeLimits};
use crate::report::{Example, SourceReport, tally};
use crate::schedule::{Schedule, Work};
use crate::sources::{self, Maps, Place};
use crate::store::Keep;
use crate::{LoadError, Loaded, Progress, written};

/// The kind of rows that are not read here.
const ROWS_IN_PLACE: &str = "rows in place";

/// How many archives may lie in one another.
const ARCHIVES_MAX: usize = 4;

/// What a worker tells about a source; in this order, sources of a file one after another.
pub(crate) enum Message {
    /// What follows is to be kept.
    Keep(Box<Keeping>),
    Start {
        plausible_max: i64,
    },
    Decoded {
        decoded: Box<Decoded>,
        bytes: usize,
    },
    /// A stretch of the source that somebody decodes, or whoever needs it.
    Later(Arc<Later>),
    /// The source is a Parquet file of this table, with this many rows.
    InPlace {
        table: String,
        path: PathBuf,
        rows: u64,
    },
    End(Box<SourceReport>),
    /// The load cannot go on.
    Failed(LoadError),
}

/// A stretch that waits for a thread, and its result.
pub(crate) struct Later {
    stretch: Mutex<Option<Stretch>>,
    source: Arc<Named>,
    bytes: usize,
    keep: bool,
    send: SyncSender<Decoded>,
    result: Mutex<Receiver<Decoded>>,
}

/// What decoders need to know of a source.
struct Named {
    path: String,
    modified: Option<i64>,
}

/// What all threads share.
struct Shared<'a> {
    inputs: &'a [Input],
    maps: &'a Maps,
    options: &'a LoadOptions,
    schedule: Schedule,
    cache: Option<Cache>,
    /// Files that were not opened for the date in their path.
    outside: u64,
}

pub(crate) fn load(paths: &[PathBuf], options: &LoadOptions, keep: Keep) -> Result<Loaded, LoadError> {
    let (mut loaded, paths) = written_before(paths)?;
    if paths.is_empty() && !loaded.report.sources.is_empty() {
        return Ok(loaded);
    }
    let (inputs, outside) = within(input::expand(&paths, &options.cloud)?, options);
    let forced = match &options.source {
        Some(name) => Some(sources::known_name(name).ok_or_else(|| LoadError::Source(name.clone()))?),
        None => None,
    };
    if let Some(table) = &options.table
        && options.schemas.get(table).is_none()
        && !sources::exported::is_custom(table)
    {
        return Err(LoadError::Table(table.clone()));
    }
    let maps = Maps::new(options.schemas.clone(), forced, options.zone);
    let threads = options.threads.or_else(|| std::thread::available_parallelism().map(usize::from).ok()).unwrap_or(1);
    let threads = threads.max(1);
    let (order, ordered) = channel();
    let schedule = Schedule::new(inputs.len(), threads);
    let cache = options.cache.as_ref().map(|cache| Cache::new(cache, options));
    let shared = Shared { inputs: &inputs, maps: &maps, options, schedule, cache, outside };
    let merge = Merge::new(keep, options.batch_rows, threads, &options.schemas, std::mem::take(&mut loaded));
    let merged = std::thread::scope(|scope| {
        for _ in 0..threads {
            let (order, shared) = (order.clone(), &shared);
            scope.spawn(move || {
                let buffer = Cell::new(Vec::new());
                while let Some(work) = shared.schedule.take(&order) {
                    match work {
                        Work::File { index, send } => {
                            if let Some(input) = shared.inputs.get(index) {
                                let keep = Cell::new(false);
                                File { shared, index, send, keep, buffer: &buffer }.read(input);
                            }
                            shared.schedule.read();
                        }
                        Work::Block(later) => later.run(shared),
                    }
                }
            });
        }
        drop(order);
        let merged = merged(&ordered, &shared, merge);
        shared.schedule.stop();
        // Workers that still send are let go.
        drop(ordered);
        merged
    });
    let mut loaded = merged?;
    loaded.cache = shared.cache.map(Cache::finish);
    loaded.cloud = options.cloud.clone();
    Ok(loaded)
}

/// The files whose path does not say that they lie outside the times asked for, and how many do.
fn within(inputs: Vec<Input>, options: &LoadOptions) -> (Vec<Input>, u64) {
    let all = inputs.len();
    let kept: Vec<Input> =
        inputs.into_iter().filter(|input| path_date::is_within(&input.name(), options.from, options.to)).collect();
    let outside = (all - kept.len()) as u64;
    (kept, outside)
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

fn merged(ordered: &Receiver<Receiver<Message>>, shared: &Shared<'_>, mut merge: Merge) -> Result<Loaded, LoadError> {
    let mut progress = Progress { files_total: shared.inputs.len(), ..Progress::default() };
    for messages in ordered {
        let mut entry = Recording { cache: shared.cache.as_ref(), keeping: None };
        for message in messages {
            match message {
                Message::Keep(keeping) => entry.keeping = Some(*keeping),
                Message::Start { plausible_max } => {
                    entry.message(|keeping| keeping.start(plausible_max));
                    merge.start(plausible_max);
                }
                Message::Decoded { decoded, bytes } => {
                    entry.message(|keeping| keeping.rows(decoded.kept.as_deref()));
                    merge.decoded(*decoded)?;
                    shared.schedule.landed(bytes);
                }
                Message::Later(later) => {
                    let decoded = later.result(shared)?;
                    entry.message(|keeping| keeping.rows(decoded.kept.as_deref()));
                    merge.decoded(decoded)?;
                    shared.schedule.landed(later.bytes);
                }
                Message::InPlace { table, path, rows } => {
                    // Its rows are as near as an entry would be.
                    entry.keeping = None;
                    merge.in_place(table, path, rows);
                }
                Message::End(report) => {
                    entry.message(|keeping| keeping.source(&report));
                    let (records, bytes) = merge.end(*report);
                    progress.records += records;
                    progress.bytes += bytes;
                }
                Message::Failed(error) => return Err(error),
            }
        }
        entry.end();
        progress.files_done += 1;
        shared.schedule.merged(progress.files_done);
        if let Some(callback) = &shared.options.progress {
            callback(&progress);
        }
    }
    let mut loaded = merge.finish()?;
    loaded.report.outside += shared.outside;
    Ok(loaded)
}

/// The entry of the file being merged, while all goes well with it.
struct Recording<'c> {
    cache: Option<&'c Cache>,
    keeping: Option<Keeping>,
}

impl Recording<'_> {
    fn message(&mut self, write: impl FnOnce(&mut Keeping) -> Option<std::io::Result<()>>) {
        if let Some(cache) = self.cache {
            self.keeping = cache.message(self.keeping.take(), write);
        }
    }

    fn end(self) {
        if let (Some(cache), Some(keeping)) = (self.cache, self.keeping) {
            cache.end(keeping);
        }
    }
}

impl Later {
    fn new(stretch: Stretch, source: &Arc<Named>, keep: bool) -> Later {
        let (send, result) = sync_channel(1);
        // Rows take about as much as the text they come from.
        let bytes = stretch.bytes() * 2;
        Later {
            stretch: Mutex::new(Some(stretch)),
            source: Arc::clone(source),
            bytes,
            keep,
            send,
            result: Mutex::new(result),
        }
    }

    fn claim(&self, shared: &Shared<'_>) -> Option<Decoded> {
        let stretch = self.stretch.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let place = Place::new(&self.source.path, self.source.modified);
        let mut decoder = Decoder::new(shared.maps, shared.options, place);
        decoder.stretch(&stretch);
        let mut decoded = decoder.take();
        if self.keep {
            decoded.kept = cache::written(&decoded);
        }
        Some(decoded)
    }

    /// Decodes the stretch when nobody has begun to.
    fn run(&self, shared: &Shared<'_>) {
        if let Some(decoded) = self.claim(shared) {
            let _ = self.send.send(decoded);
        }
    }

    /// What the stretch gives: decoded here when nobody has begun to.
    fn result(&self, shared: &Shared<'_>) -> Result<Decoded, LoadError> {
        if let Some(decoded) = self.claim(shared) {
            return Ok(decoded);
        }
        let result = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        result.recv().map_err(|_| LoadError::Bug("a thread that decodes ended early".to_owned()))
    }
}

/// A file on its way through a worker.
struct File<'a> {
    shared: &'a Shared<'a>,
    index: usize,
    send: SyncSender<Message>,
    /// True while what is found is kept.
    keep: Cell<bool>,
    /// Memory that the worker uses for one file after another.
    buffer: &'a Cell<Vec<u8>>,
}

impl File<'_> {
    /// A failed send means that the merger gave up; the rest is then read for nobody, and quickly over.
    fn send(&self, message: Message) {
        let _ = self.send.send(message);
    }

    fn send_decoded(&self, mut decoded: Decoded) {
        if self.keep.get() {
            decoded.kept = cache::written(&decoded);
        }
        let bytes = decoded.bytes();
        self.shared.schedule.launch(self.index, bytes);
        self.send(Message::Decoded { decoded: Box::new(decoded), bytes });
    }

    /// Takes what is known of the file from an earlier load, or reads it.
    fn read(&self, input: &Input) {
        if let Some(cache) = &self.shared.cache
            && let Some(known) = cache.known(input)
        {
            if let Some(entry) = cache.open(&known) {
                return self.recall(entry);
            }
            if let Some(keeping) = cache.keep(known) {
                self.keep.set(true);
                self.send(Message::Keep(Box::new(keeping)));
            }
        }
        self.parse(input);
    }

    /// Sends what an entry kept, as it was sent when the file was read.
    fn recall(&self, mut entry: Entry) {
        loop {
            match entry.next(self.shared.maps) {
                Ok(None) => return,
                Ok(Some(Kept::Start { plausible_max })) => self.send(Message::Start { plausible_max }),
                Ok(Some(Kept::Rows(decoded))) => self.send_decoded(*decoded),
                Ok(Some(Kept::End(report))) => self.send(Message::End(report)),
                Err(error) => {
                    let what =
                        format!("the cache changed while it was read: {error}; run again, or with the cache off");
                    return self.send(Message::Failed(LoadError::Bug(what)));
                }
            }
        }
    }

    fn parse(&self, input: &Input) {
        let path = input.name();
        // No log holds events of more than a day after it was written.
        let modified = modified(input);
        let limits = &self.shared.options.limits;
        match input::open(input, limits) {
            Err(error) => {
                self.start(modified);
                let (format, stopped) = ("unreadable".to_owned(), Some(error.to_string()));
                self.end(SourceReport { path, format, stopped, ..SourceReport::default() });
            }
            Ok(opened) => {
                let hash = opened.hash.clone();
                let mut report = match opened.content {
                    content if content.is_archive() => self.archive(opened, input, &path, modified),
                    _ => {
                        self.start(modified);
                        self.source(opened, Some(input), &path, modified)
                    }
                };
                if !report.kinds.contains_key(ROWS_IN_PLACE) {
                    report.sha256 = hash.finish(input);
                }
                report.path = path;
                self.end(report);
            }
        }
    }

    fn start(&self, modified: Option<i64>) {
        let plausible_max = modified.map_or(datetime::MAX, |written| written + TICKS_PER_DAY);
        self.send(Message::Start { plausible_max });
    }

    fn end(&self, report: SourceReport) {
        self.send(Message::End(Box::new(report)));
    }

    /// Reads a source that is no archive; what remains to be said of it.
    fn source(&self, opened: Opened<'_>, file: Option<&Input>, path: &str, modified: Option<i64>) -> SourceReport {
        let format = format_name(name(opened.content), &opened.wrappings);
        let mut report = SourceReport { format, ..SourceReport::default() };
        match (opened.content, file) {
            (Content::Json, _) => self.json(opened.reader, Named { path: path.to_owned(), modified }, &mut report),
            (Content::Text, _) => {
                let separator = delimited::separator(&opened.head);
                report.format = format_name(if separator.is_some() { "csv" } else { "text" }, &opened.wrappings);
                let source = Named { path: path.to_owned(), modified };
                match separator {
                    Some(separator) => self.columns(opened.reader, separator, source, &mut report),
                    None => self.lines(opened.reader, source, &mut report),
                }
            }
            (Content::Empty, _) => {}
            (Content::Parquet, Some(input)) if opened.wrappings.is_empty() && self.shared.options.is_open() => {
                report.path = path.to_owned();
                if !in_place(input, self.shared.maps, &mut report, &self.send) {
                    self.transcoded(opened, file, Named { path: path.to_owned(), modified }, &mut report);
                }
            }
            (Content::Parquet | Content::Avro | Content::Evtx, _) => {
                self.transcoded(opened, file, Named { path: path.to_owned(), modified }, &mut report);
            }
            (other, _) => unsupported(name(other), &mut report),
        }
        report
    }

    /// Reads a binary format as the JSON text that stands for its records.
    fn transcoded(&self, opened: Opened<'_>, file: Option<&Input>, source: Named, report: &mut SourceReport) {
        let file = file.filter(|_| opened.wrappings.is_empty());
        let content = opened.content;
        match transcode::json_text(content, opened.reader, file, &opened.hash, &self.shared.options.limits) {
            Ok(reader) => self.json(reader, source, report),
            Err(reason) => {
                report.records = 1;
                let kind = match reason.starts_with("unsupported: ") {
                    true => reason.clone(),
                    false => format!("damaged {} file: {reason}", name(content)),
                };
                tally(&mut report.unreadable, &kind, Example::default);
                report.stopped = Some(reason);
            }
        }
    }

    /// Reads the members of an archive, each a source of its own; what remains to be said of the archive, which is the
    /// last source of the file.
    fn archive(&self, opened: Opened<'_>, input: &Input, path: &str, modified: Option<i64>) -> SourceReport {
        let format = format_name(name(opened.content), &opened.wrappings);
        let in_place = opened.wrappings.is_empty().then_some(input);
        let left = Cell::new(self.shared.options.limits.inflated(input.size().unwrap_or_default()));
        let walk = Walk { file: self, path, modified, left, outside: Cell::new(0) };
        let stopped = walk.members(opened.content, opened.reader, in_place, "", 0).err();
        self.start(modified);
        SourceReport { format, stopped, outside: walk.outside.get(), ..SourceReport::default() }
    }

    /// Decodes the first stretch here; those that follow are for whoever has time.
    fn json(&self, reader: Box<dyn Read + '_>, source: Named, report: &mut SourceReport) {
        let Shared { maps, options, .. } = self.shared;
        let mut frames = Frames::with_buffer(reader, options.limits, self.buffer.take());
        let source = Arc::new(source);
        let mut decoder = Decoder::new(maps, options, Place::new(&source.path, source.modified));
        let more = decoder.json(&mut frames, BLOCK_BYTES);
        self.send_decoded(decoder.take());
        while more && let Some(block) = Block::read(&mut frames) {
            self.offer(Stretch::Json(block), &source);
        }
        report.bytes = frames.bytes();
        report.stopped = frames.stopped().map(str::to_owned);
        self.buffer.set(frames.into_buffer());
    }

    fn columns(&self, reader: Box<dyn Read + '_>, separator: u8, source: Named, report: &mut SourceReport) {
        let mut file = Delimited::new(reader, separator, self.shared.options.limits.record_bytes);
        let header = Arc::new(Header::new(&file.names, &source.path));
        let read = || file.rows(BLOCK_BYTES).map(|rows| Stretch::Columns(Arc::clone(&header), rows));
        self.stretches(source, read);
        report.bytes = file.bytes();
        report.stopped = file.stopped;
    }

    fn lines(&self, reader: Box<dyn Read + '_>, source: Named, report: &mut SourceReport) {
        let mut lines = TextLines::new(reader, self.shared.options.limits.record_bytes);
        self.stretches(source, || Lines::read(&mut lines, BLOCK_BYTES).map(Stretch::Lines));
        report.bytes = lines.bytes();
        report.stopped = lines.stopped;
    }

    /// As [`File::json`], of stretches of any kind.
    fn stretches(&self, source: Named, mut read: impl FnMut() -> Option<Stretch>) {
        let source = Arc::new(source);
        let Some(first) = read() else { return };
        let place = Place::new(&source.path, source.modified);
        let mut decoder = Decoder::new(self.shared.maps, self.shared.options, place);
        decoder.stretch(&first);
        self.send_decoded(decoder.take());
        drop(first);
        while let Some(stretch) = read() {
            self.offer(stretch, &source);
        }
    }

    fn offer(&self, stretch: Stretch, source: &Arc<Named>) {
        let later = Arc::new(Later::new(stretch, source, self.keep.get()));
        self.shared.schedule.launch(self.index, later.bytes);
        if let Some(later) = self.shared.schedule.offer(Arc::clone(&later)) {
            later.run(self.shared);
        }
        self.send(Message::Later(later));
    }
}

/// The way through an archive and those inside it.
struct Walk<'w> {
    file: &'w File<'w>,
    path: &'w str,
    modified: Option<i64>,
    /// Bytes that its members may still inflate to, together.
    left: Cell<u64>,
    /// Members that were not opened for the date in their name.
    outside: Cell<u64>,
}

impl Walk<'_> {
    fn members(
        &self,
        content: Content,
        reader: Box<dyn Read + '_>,
        in_place: Option<&Input>,
        above: &str,
        depth: usize,
    ) -> Result<(), String> {
        if depth >= ARCHIVES_MAX {
            return Err(format!("more than {ARCHIVES_MAX} archives in one another"));
        }
        let LoadOptions { limits, from, to, .. } = self.file.shared.options;
        let asked = |member: &str| {
            let asked = path_date::is_within(&format!("{above}{member}"), *from, *to);
            self.outside.set(self.outside.get() + u64::from(!asked));
            asked
        };
        input::archive::members(content, reader, in_place, limits, &asked, &mut |member, bytes| {
            self.member(&format!("{above}{member}"), bytes, depth);
            self.left.get() > 0
        })?;
        match self.left.get() {
            0 => Err("more bytes after inflating than an archive of its size may hold".to_owned()),
            _ => Ok(()),
        }
    }

    fn member(&self, member: &str, bytes: Result<Box<dyn Read + '_>, String>, depth: usize) {
        let limits = self.file.shared.options.limits;
        let limits = &SizeLimits { source_bytes: limits.source_bytes.min(self.left.get()), ..limits.inside() };
        let (mut bytes, unreadable) = match bytes {
            Ok(bytes) => (bytes, None),
            Err(reason) => (Box::new(std::io::empty()) as Box<dyn Read + '_>, Some(reason)),
        };
        let opened = |bytes| match unreadable {
            None => input::open_member(bytes, limits).map_err(|error| error.to_string()),
            Some(reason) => Err(reason),
        };
        let (mut report, hash) = match opened(&mut bytes) {
            Ok(opened) => {
                let hash = opened.hash.clone();
                (self.opened_member(opened, member, depth), Some(hash))
            }
            Err(reason) => {
                self.file.start(self.modified);
                let format = "unreadable".to_owned();
                (SourceReport { format, stopped: Some(reason), ..SourceReport::default() }, None)
            }
        };
        let mut read = 0;
        if let Some(hash) = hash {
            let rest = hash.with_rest((&mut bytes).take(limits.source_bytes.saturating_add(1)));
            read = hash.length();
            // What goes on beyond the limit has no hash.
            report.sha256 = if read > limits.source_bytes { String::new() } else { rest };
        }
        self.left.set(self.left.get().saturating_sub(read.max(report.bytes)));
        report.path = self.path.to_owned();
        report.member = Some(member.to_owned());
        self.file.end(report);
    }

    fn opened_member(&self, opened: Opened<'_>, member: &str, depth: usize) -> SourceReport {
        if opened.content.is_archive() {
            let format = format_name(name(opened.content), &opened.wrappings);
            let inner = self.members(opened.content, opened.reader, None, &format!("{member}/"), depth + 1);
            self.file.start(self.modified);
            return SourceReport { format, stopped: inner.err(), ..SourceReport::default() };
        }
        self.file.start(self.modified);
        // Where a member lies says as much of its table as where a file does.
        let path = format!("{}/{member}", self.path);
        self.file.source(opened, None, &path, self.modified)
    }
}

fn unsupported(what: &str, report: &mut SourceReport) {
    report.records = 1;
    tally(&mut report.unreadable, &format!("unsupported: {what}"), Example::default);
}

/// A Parquet file: listed when its rows are a table's, or when its footer cannot be read; false when it is to be read as
/// records.
fn in_place(input: &Input, maps: &Maps, report: &mut SourceReport, send: &SyncSender<Message>) -> bool {
    let Input::File(path) = input else { return false };
    match in_place::footer(path, &report.path, maps) {
        Ok(Footer { rows, table: Some(table) }) => {
            report.records = rows;
            report.rows = rows;
            report.tables.insert(table.clone(), rows);
            report.kinds.insert(ROWS_IN_PLACE.to_owned(), rows);
            let _ = send.send(Message::InPlace { table, path: path.clone(), rows });
            true
        }
        Ok(Footer { table: None, .. }) => false,
        Err(reason) => {
            report.records = 1;
            tally(&mut report.unreadable, &format!("damaged parquet file: {reason}"), Example::default);
            report.stopped = Some(reason);
            true
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
        Content::SevenZip => "7z",
        Content::Avro => "avro",
        Content::Evtx => "evtx",
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
    let seconds = input.modified()?.duration_since(UNIX_EPOCH).ok()?.as_secs() as i64;
    datetime::checked(datetime::UNIX_EPOCH.checked_add(seconds.checked_mul(datetime::TICKS_PER_SECOND)?)?)
}
