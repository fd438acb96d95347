//! The façade: check or run a query over a data set, with limits, a clock and a window passed in.
//!
//! Knows nothing of HTTP or terminals. Start at [`Engine`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod alternatives;
mod bounded;
mod catalog;
mod deep;
mod discover;
mod execute;
mod external;
mod graph;
mod growing;
mod held;
mod made;
mod many;
mod result;
mod run;
mod session;
mod subquery;

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::record_batch::RecordBatch;
use kql_semantics::bound::{BoundQuery, Render};
use kql_types::{Column, Diagnostic, Span, Value};

pub use catalog::TableCatalog;
pub use external::ExternalFiles;
pub use kql_plan::ArrivalDelays;
pub use many::{Clocks, ROWS_MIN};
pub use run::Engine;
pub use scan::{DataError, DataSet};

/// The span of time a run may see. Both ends included, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from: i64,
    pub to: i64,
    /// Clip reference tables (identities, watchlists, indicators) as well, as the service does.
    pub fidelity: bool,
}

/// Which spelling of status values `AzureActivity` rows show (see `docs/`): the diagnostic-settings one
/// (`Start`, `Success`), the REST one (`Started`, `Succeeded`), or whatever the record had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AzureDialect {
    Raw,
    Diagnostic,
    Rest,
}

/// Bounds of one query; None is no bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    pub time: Option<Duration>,
    /// Bytes of memory a query may hold: its operators, and the rows it has collected. A batch under way comes on top, as
    /// do the tables it reads.
    pub memory: Option<usize>,
    /// Rows of a result; more is [`EngineError::Limit`].
    pub result_rows: Option<usize>,
}

/// How a query is run. [`QueryOptions::at`] gives the plain options for a clock.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueryOptions {
    /// `now()`, in ticks.
    pub query_now: i64,
    pub window: Option<Window>,
    /// Only rows whose ingestion time lies in this span, both ends included, in ticks; rows without one count as arrived.
    pub arrived: Option<(i64, i64)>,
    /// When rows without an ingestion time are taken to have arrived; None: they have none.
    pub arrival_delays: Option<Arc<ArrivalDelays>>,
    pub parameters: Vec<(String, Value)>,
    pub strict: bool,
    /// Carry the places of the source records through the plan (costs memory).
    pub provenance: bool,
    /// None: chosen from the literals the query compares `ActivityStatusValue` with.
    pub azure_dialect: Option<AzureDialect>,
    pub limits: Limits,
    /// Partitions of the plan; None: the number of cores.
    pub partitions: Option<usize>,
    /// Rows of a batch between operators; None: the usual number. The rows of a result do not depend on it.
    pub batch_rows: Option<usize>,
    /// Run plans as they were lowered: without the rules that only make them faster. To compare with.
    pub as_lowered: bool,
    /// Give the plans that ran in [`Statistics::plans`].
    pub explain: bool,
}

impl QueryOptions {
    /// Options with the given `now()` in ticks, and everything else off.
    pub fn at(query_now: i64) -> QueryOptions {
        QueryOptions { query_now, ..QueryOptions::default() }
    }
}

/// The result of [`Engine::check`].
#[derive(Debug, Clone)]
pub struct Checked {
    /// False when the text does not parse.
    pub parse_ok: bool,
    pub diagnostics: Vec<Diagnostic>,
    pub columns: Vec<Column>,
    /// Columns are complete only at run time.
    pub open: bool,
    pub bound: Option<BoundQuery>,
    /// What an [`AzureDialect`] left to the engine would be.
    pub azure_dialect: AzureDialect,
}

impl Checked {
    /// What is left when checking itself failed.
    pub(crate) fn failed(error: &EngineError) -> Checked {
        Checked {
            parse_ok: false,
            diagnostics: vec![Diagnostic::error("TW001", kql_types::Span::default(), error.to_string())],
            columns: Vec::new(),
            open: false,
            bound: None,
            azure_dialect: AzureDialect::Raw,
        }
    }
}

/// One result. `batches` have exactly the visible columns, in the Arrow layout of `kql_types::ScalarType`.
#[derive(Debug, Clone)]
pub struct ResultTable {
    pub name: Option<String>,
    pub columns: Vec<Column>,
    pub batches: Vec<RecordBatch>,
    pub render: Option<Render>,
    /// Per row, when provenance was asked for: packed places (`tables::unpack_source`) with the table's name.
    pub sources: Option<Vec<RowSources>>,
}

/// Where the records behind one result row are.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RowSources {
    /// Sorted, without repeats, at most a cap of places.
    pub places: Vec<i64>,
    /// More records contributed than `places` lists.
    pub truncated: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Statistics {
    /// Rows read, by table.
    pub rows_read: Vec<(String, u64)>,
    pub elapsed: Duration,
    pub planning: PlanTimes,
    /// When asked for: the plans that ran, with what each operator did.
    pub plans: Vec<String>,
}

/// Time from the text to a plan that can run, by stage; of all parts of a query together.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlanTimes {
    pub parse: Duration,
    pub bind: Duration,
    /// From the bound query to a logical plan.
    pub lower: Duration,
    /// The optimizer's rules.
    pub optimize: Duration,
    /// From the logical plan to one that can run.
    pub physical: Duration,
}

impl PlanTimes {
    /// All stages.
    pub fn total(&self) -> Duration {
        self.parse + self.bind + self.lower + self.optimize + self.physical
    }

    pub(crate) fn add(&mut self, other: &PlanTimes) {
        self.parse += other.parse;
        self.bind += other.bind;
        self.lower += other.lower;
        self.optimize += other.optimize;
        self.physical += other.physical;
    }
}

#[derive(Debug, Clone)]
pub struct QueryOutput {
    pub tables: Vec<ResultTable>,
    /// Warnings.
    pub diagnostics: Vec<Diagnostic>,
    pub statistics: Statistics,
}

/// Why a query gave no answer.
#[derive(Debug, Clone)]
pub enum EngineError {
    /// What the user wrote is wrong.
    Diagnostics(Vec<Diagnostic>),
    /// Valid KQL that is not done yet: `unsupported: NAME`.
    Unsupported { name: String, span: Option<Span> },
    /// A limit on time, memory or rows was hit.
    Limit(String),
    /// The data could not be read.
    Data(String),
    /// An invariant broke: to be reported.
    Bug(String),
}

impl std::fmt::Display for EngineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EngineError::Diagnostics(diagnostics) => {
                for (index, diagnostic) in diagnostics.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "; " };
                    write!(f, "{separator}{}: {}", diagnostic.code, diagnostic.message)?;
                }
                Ok(())
            }
            EngineError::Unsupported { name, .. } => write!(f, "unsupported: {name}"),
            EngineError::Limit(message) => write!(f, "limit reached: {message}"),
            EngineError::Data(message) => write!(f, "the data could not be read: {message}"),
            EngineError::Bug(message) => write!(f, "internal error, please report: {message}"),
        }
    }
}

impl std::error::Error for EngineError {}
