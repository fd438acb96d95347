//! What a command works with: logs loaded into tables, names for queries, and the engine over both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use connectors::{CacheOptions, CloudSettings, LoadError, LoadOptions, Loaded};
use detections::library;
use detections::loaded_data;
use detections::profile::DataProfile;
use detections::schedule::TimeSpan;
use engine::{Engine, ExternalFiles, QueryOptions, TableCatalog};
use kql_semantics::StoredFunction;
use kql_types::{Value, datetime};
use tables::{SchemaSet, TableRole};

use crate::args::{FileArgs, LogArgs, NameArgs};
use crate::cache;
use crate::exit::Failure;
use crate::progress;
use crate::terminal::warn;

/// Logs and names, ready to be queried.
pub struct Session {
    pub engine: Engine,
    pub loaded: Loaded,
    pub profile: DataProfile,
    pub schemas: SchemaSet,
}

/// How logs are to be read: the times of a command line in ticks.
#[derive(Debug, Default, Clone)]
pub struct Reading {
    pub source: Option<String>,
    pub table: Option<String>,
    pub zone: Option<String>,
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub cache: Option<CacheOptions>,
}

impl Reading {
    /// # Errors
    /// Times that are none.
    pub fn new(logs: &LogArgs, files: &FileArgs) -> Result<Reading> {
        let time =
            |option: &str, text: &Option<String>| text.as_deref().map(|text| parse_time(option, text)).transpose();
        let (from, to) = (time("--from", &files.from)?, time("--to", &files.to)?);
        let since = files.since.as_deref().map(|text| parse_since(text, to)).transpose()?;
        let from = from.or(since);
        let cache = cache::of_args(logs)?;
        Ok(Reading { source: logs.source.clone(), table: files.table.clone(), zone: logs.tz.clone(), from, to, cache })
    }

    /// Goes on where an interrupted run stopped.
    ///
    /// # Errors
    /// When nothing is kept between runs.
    pub fn resumed(mut self, resume: bool) -> Result<Reading> {
        match (&mut self.cache, resume) {
            (Some(cache), _) => cache.keep_all = resume,
            (None, true) => {
                return Err(Failure::usage("--resume goes on with what the cache keeps, and the cache is off"));
            }
            (None, false) => {}
        }
        Ok(self)
    }

    fn options(&self, options: LoadOptions) -> Result<LoadOptions> {
        let zone = match &self.zone {
            Some(name) => Some(connectors::zone(name).ok_or_else(|| {
                Failure::usage(format!("--tz: `{name}` is no zone, expected e.g. Europe/Warsaw, or its city alone"))
            })?),
            None => None,
        };
        let cloud = CloudSettings::of(
            std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok())),
        );
        let (source, table) = (self.source.clone(), self.table.clone());
        Ok(LoadOptions {
            source,
            table,
            zone,
            from: self.from,
            to: self.to,
            cache: self.cache.clone(),
            cloud,
            ..options
        })
    }
}

/// Everything a session is made from.
pub struct SessionInput<'a> {
    pub logs: &'a [PathBuf],
    pub reading: Reading,
    pub names: &'a NameArgs,
    /// Functions found beside the rules; those of `names` win.
    pub functions: Vec<StoredFunction>,
    /// Watchlists found beside the rules; those of `names` win.
    pub watchlists: Vec<PathBuf>,
    pub threads: Option<usize>,
}

impl Session {
    /// Loads the logs and builds the engine.
    ///
    /// # Errors
    /// Paths that do not exist, schemas and functions that cannot be read.
    pub fn open(input: SessionInput<'_>) -> Result<Session> {
        let schemas = read_schemas(&input.names.schemas)?;
        let loaded = load(input.logs, &input.reading, &schemas, input.threads)?;
        let mut data = loaded_data::data_of(&loaded, &schemas).map_err(unreadable)?;
        let mut functions = input.functions;
        for path in &input.names.functions {
            functions.extend(library::load_functions(path).map_err(Failure::input)?);
        }
        let known = schemas.names().into_iter().filter_map(|name| schemas.get(name).cloned());
        let mut catalog = TableCatalog::new().with_schemas(known).with_functions(functions).with_data(&data);
        let mut watchlists = input.watchlists;
        for folder in &input.names.watchlists {
            watchlists.extend(csv_files(folder)?);
        }
        for file in &watchlists {
            catalog = crate::watchlists::add(catalog, &mut data, file)?;
        }
        catalog = crate::watchlists::add_built_in(catalog, &mut data)?;
        let mut profile = DataProfile::of_load(&loaded.report);
        let external =
            input.names.external.iter().fold(ExternalFiles::new(), |files, folder| files.with_folder(folder));
        let mut engine = Engine::new(Arc::new(catalog), Arc::new(data)).with_external(external);
        if let Some(file) = &input.names.geoip {
            engine = engine.with_geoip(file).map_err(|error| Failure::input(error.to_string()))?;
        }
        profile_parquet(&engine, &loaded, &mut profile)?;
        Ok(Session { engine, loaded, profile, schemas })
    }

    /// Opens logs for queries of the user, with the clock at `as_of` or at the end of the data; files that gave nothing
    /// are told on standard error, even when only results are asked for.
    ///
    /// # Errors
    /// As [`Session::open`], and a text that is no time.
    pub fn for_queries(
        logs: &[PathBuf],
        reading: Reading,
        names: &NameArgs,
        as_of: Option<&str>,
        threads: Option<u16>,
    ) -> Result<(Session, QueryOptions)> {
        let threads = threads.map(usize::from);
        let (functions, watchlists) = (Vec::new(), Vec::new());
        let session = Session::open(SessionInput { logs, reading, names, functions, watchlists, threads })?;
        for source in &session.loaded.report.sources {
            if let Some(reason) = &source.stopped {
                warn(&format!("{}: read only in part: {reason}", source.path));
            }
            let unreadable = source.unreadable_count();
            if unreadable > 0 {
                warn(&format!("{}: {unreadable} records could not be read", source.path));
            }
        }
        let now = as_of.map_or_else(|| Ok(session.default_now()), |time| parse_time("--as-of", time))?;
        Ok((session, QueryOptions { partitions: threads, ..QueryOptions::at(now) }))
    }

    /// Whether a table is visible in every window.
    pub fn is_reference(&self, table: &str) -> bool {
        self.loaded
            .schemas
            .get(table)
            .or_else(|| self.schemas.get(table))
            .is_some_and(|schema| schema.role == TableRole::Reference)
    }

    /// First and last plausible time of the events.
    pub fn span(&self) -> Option<TimeSpan> {
        self.profile.span(|table| !self.is_reference(table)).or_else(|| self.profile.span(|_| true))
    }

    /// What `now()` is when nobody says: the end of the data, or the present.
    pub fn default_now(&self) -> i64 {
        self.span().map_or_else(present, |span| detections::schedule::clock_after(span.last))
    }
}

fn unreadable(error: engine::DataError) -> anyhow::Error {
    Failure::input(error.to_string())
}

/// The present, in ticks.
pub fn present() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    datetime::UNIX_EPOCH + (since.as_nanos() / 100) as i64
}

/// Reads a time of the command line: any form `todatetime` accepts.
pub fn parse_time(option: &str, text: &str) -> Result<i64> {
    datetime::parse(text)
        .ok_or_else(|| Failure::usage(format!("{option}: `{text}` is not a time, expected e.g. 2026-03-02T10:00:00Z")))
}

/// Reads `--since`: a length of time before a moment, which is the present when there is none, or a time.
pub fn parse_since(text: &str, until: Option<i64>) -> Result<i64> {
    match detections::duration::parse(text) {
        Some(length) => Ok(until.unwrap_or_else(present).saturating_sub(length)),
        None => datetime::parse(text).ok_or_else(|| {
            Failure::usage(format!(
                "--since: `{text}` is neither a length of time nor a time, expected e.g. 7d or 2026-03-02"
            ))
        }),
    }
}

/// Reads a length of time of the command line.
pub fn parse_length(option: &str, text: &str) -> Result<i64> {
    let ticks = detections::duration::parse(text).filter(|ticks| *ticks > 0);
    ticks
        .ok_or_else(|| Failure::usage(format!("{option}: `{text}` is not a length of time, expected e.g. 7d, 6h, 30m")))
}

/// A length of time of the command line, as a limit.
pub fn parse_time_limit(option: &str, text: &str) -> Result<Duration> {
    let ticks = parse_length(option, text)?;
    Ok(Duration::from_nanos(u64::try_from(ticks).unwrap_or(u64::MAX).saturating_mul(100)))
}

/// Bytes of the command line: a number with `KB`, `MB` or `GB`, which are powers of 1,024.
pub fn parse_size(option: &str, text: &str) -> Result<usize> {
    let plain = text.trim().to_ascii_uppercase();
    let digits = plain.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let scale = match plain.strip_prefix(digits).unwrap_or_default().trim() {
        "" | "B" => Some(1),
        "K" | "KB" | "KIB" => Some(1_usize << 10),
        "M" | "MB" | "MIB" => Some(1 << 20),
        "G" | "GB" | "GIB" => Some(1 << 30),
        _ => None,
    };
    let bytes = digits.parse::<f64>().ok().filter(|number| *number > 0.0).zip(scale);
    bytes
        .map(|(number, scale)| (number * scale as f64) as usize)
        .ok_or_else(|| Failure::usage(format!("{option}: `{text}` is not a size, expected e.g. 512MB or 2GB")))
}

/// The built-in tables and those of the user.
pub fn read_schemas(paths: &[PathBuf]) -> Result<SchemaSet> {
    let mut schemas = SchemaSet::builtin();
    for path in paths {
        let text = std::fs::read_to_string(path).map_err(|e| Failure::input(format!("{}: {e}", path.display())))?;
        schemas.add_json(&text).map_err(|e| Failure::input(format!("{}: {e}", path.display())))?;
    }
    Ok(schemas)
}

/// Reads logs with a progress display.
pub fn load(paths: &[PathBuf], reading: &Reading, schemas: &SchemaSet, threads: Option<usize>) -> Result<Loaded> {
    if paths.is_empty() {
        return Ok(Loaded::default());
    }
    let options = reading.options(LoadOptions::default())?;
    let display = progress::Loading::start();
    let options = LoadOptions {
        threads,
        schemas: schemas.clone(),
        progress: Some(display.callback()),
        spill_folder: Some(std::env::temp_dir()),
        ..options
    };
    let loaded = connectors::load(paths, &options).map_err(refused);
    display.finish();
    loaded
}

/// Writes the tables found in logs to a folder, with a progress display.
pub fn load_into(
    paths: &[PathBuf],
    reading: &Reading,
    schemas: &SchemaSet,
    threads: Option<usize>,
    folder: &Path,
) -> Result<Loaded> {
    let options = reading.options(LoadOptions::default())?;
    let display = progress::Loading::start();
    let options = LoadOptions { threads, schemas: schemas.clone(), progress: Some(display.callback()), ..options };
    let loaded = connectors::load_into(paths, &options, folder).map_err(refused);
    display.finish();
    loaded
}

/// A name that is none is a mistake of the command line, anything else one of the logs.
fn refused(error: LoadError) -> anyhow::Error {
    match error {
        LoadError::Source(_) => Failure::usage(format!("--source: {error}")),
        LoadError::Table(_) => Failure::usage(format!("--table: {error}")),
        other => Failure::input(other.to_string()),
    }
}

pub fn csv_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")));
    files.sort();
    Ok(files)
}

/// Rows and times of Parquet files are asked of the engine: only their footers were read so far.
fn profile_parquet(engine: &Engine, loaded: &Loaded, profile: &mut DataProfile) -> Result<()> {
    let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
    // What a load wrote itself was counted then.
    for file in loaded.parquet.iter().filter(|file| file.source.is_some()) {
        *rows.entry(&file.table).or_default() += file.rows;
    }
    for (table, rows) in rows {
        let known = profile.tables.entry(table.to_string()).or_default();
        known.rows = known.rows.max(rows);
        let quoted = format!("['{}']", table.replace('\\', "\\\\").replace('\'', "\\'"));
        let query = format!("{quoted} | summarize min(TimeGenerated), max(TimeGenerated)");
        let Ok(output) = engine.run_blocking(&query, &QueryOptions::at(present())) else { continue };
        let values = output.tables.first().map(|t| t.rows()).unwrap_or_default();
        if let Some([Value::DateTime(first), Value::DateTime(last)]) = values.first().map(Vec::as_slice) {
            let plausible = TimeSpan { first: (*first).max(plausible_from()), last: (*last).min(present()) };
            let span = known.span.map_or(plausible, |span| TimeSpan {
                first: span.first.min(plausible.first),
                last: span.last.max(plausible.last),
            });
            known.span = (span.first <= span.last).then_some(span);
            known.hours.clear();
        }
    }
    Ok(())
}

/// Times before 2006 are no events of a cloud.
fn plausible_from() -> i64 {
    datetime::parse("2006-01-01").unwrap_or(datetime::UNIX_EPOCH)
}
