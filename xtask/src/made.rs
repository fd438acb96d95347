//! A query of the collection, ready to run over rows that are made for it.
//!
//! Begin at [`Made::new`].

use std::time::Duration;

use engine::{Engine, EngineError, Limits, QueryOptions, QueryOutput};
use kql_semantics::BindOptions;
use kql_semantics::bound::BoundQuery;
use kql_types::datetime;
use witness::Rows;

use crate::host;

/// The clock of every run: a fixed moment, so that counts repeat.
pub fn now() -> i64 {
    datetime::parse("2026-03-02T12:00:00Z").unwrap_or(datetime::UNIX_EPOCH)
}

/// How every query is run.
pub fn query_options() -> QueryOptions {
    QueryOptions {
        query_now: now(),
        limits: Limits { time: Some(Duration::from_secs(30)), memory: Some(2 << 30), result_rows: Some(1_000_000) },
        partitions: Some(1),
        ..QueryOptions::default()
    }
}

/// The text with the times of a hunting query filled in: the week before the clock.
pub fn filled(text: String) -> String {
    let week = 7 * datetime::TICKS_PER_DAY;
    match detections::placeholders::has_time_placeholder(&text) {
        true => detections::placeholders::fill(&text, now() - week, now()).text,
        false => text,
    }
}

pub struct Made {
    pub bound: BoundQuery,
    pub rows: Rows,
    pub engine: Engine,
    text: String,
    /// Files that the query reads lie here while it runs.
    _folder: tempfile::TempDir,
}

impl Made {
    /// `bound` as it is over no data.
    pub fn new(text: &str, bound: BoundQuery, catalog: &host::SharedCatalog) -> anyhow::Result<Made> {
        // Over no rows a pattern such as `union Sec*` reads one table; here each that it matches is to have rows.
        let options = BindOptions { query_now: now(), ..BindOptions::default() };
        let whole = kql_semantics::bind(&kql_syntax::parse(text).query, catalog.as_ref(), &options).query;
        let bound = whole.filter(|whole| whole.unsupported.is_empty()).unwrap_or(bound);
        let rows = Rows::of(&bound, now());
        let folder = tempfile::tempdir()?;
        let engine = host::engine(catalog, None).with_witnesses(&bound, &rows, folder.path())?;
        Ok(Made { bound, rows, engine, text: text.to_string(), _folder: folder })
    }

    pub fn run(&self) -> Result<QueryOutput, EngineError> {
        self.engine.run_blocking(&self.text, &query_options())
    }
}
