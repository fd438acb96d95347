//! [`Engine`]: from text to rows.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kql_plan::function::internal::Internal;
use kql_plan::{LowerOptions, WindowClip};
use kql_semantics::bound::{BoundQuery, Compared};
use kql_semantics::{BindOptions, Catalog, TableInfo};
use kql_types::{Diagnostic, Severity};
use scan::DataSet;

use crate::deep::{clock, on_deep_stack, panic_message, runtime};
use crate::discover::{Discovered, Found, PLUGINS_MAX, next_search};
use crate::execute::{Execution, overtime};
use crate::held::Held;
use crate::session::{PlanShape, Planner};
use crate::{AzureDialect, Checked, EngineError, ExternalFiles, PlanTimes, QueryOptions, QueryOutput, Statistics};

/// Tables, functions and data a query runs against. Cheap to clone and to share between threads.
#[derive(Clone)]
pub struct Engine {
    catalog: Arc<dyn Catalog>,
    data: Arc<DataSet>,
    external: Arc<ExternalFiles>,
    geoip: Option<Arc<str>>,
    planners: Arc<Mutex<HashMap<PlanShape, Arc<Planner>>>>,
}

impl Engine {
    /// An engine over a catalog (see [`crate::TableCatalog`]) and data. Tables of the catalog without data are empty.
    pub fn new(catalog: Arc<dyn Catalog>, data: Arc<DataSet>) -> Engine {
        Engine { catalog, data, external: Arc::default(), geoip: None, planners: Arc::default() }
    }

    /// Allows `externaldata` to read files that stand for its addresses.
    #[must_use]
    pub fn with_external(mut self, external: ExternalFiles) -> Engine {
        self.external = Arc::new(external);
        self
    }

    /// Takes the places of addresses, for `geo_info_from_ip_address`, from a database in MaxMind's format. The file is
    /// read now, and kept in memory for all engines that name it.
    ///
    /// # Errors
    /// [`EngineError::Data`]: a file that can't be read or is no such database.
    pub fn with_geoip(mut self, file: &Path) -> Result<Engine, EngineError> {
        let path = file.to_string_lossy();
        kql_functions::kernels::geoip::open(&path).map_err(|error| EngineError::Data(error.0))?;
        self.geoip = Some(path.into());
        Ok(self)
    }

    fn bind_options(&self, options: &QueryOptions) -> BindOptions {
        BindOptions {
            query_now: options.query_now,
            parameters: options.parameters.clone(),
            geoip: self.geoip.as_deref().map(str::to_owned),
            strict: options.strict,
        }
    }

    /// The files that `externaldata` may read.
    pub fn external(&self) -> &ExternalFiles {
        &self.external
    }

    /// The same names over other data.
    #[must_use]
    pub fn with_data(&self, data: Arc<DataSet>) -> Engine {
        Engine { data, ..self.clone() }
    }

    /// The data queries run on.
    pub fn data(&self) -> &Arc<DataSet> {
        &self.data
    }

    /// The names queries may use.
    pub fn catalog(&self) -> &Arc<dyn Catalog> {
        &self.catalog
    }

    /// Parses and binds a query without running it.
    pub fn check(&self, text: &str, options: &QueryOptions) -> Checked {
        let checked = on_deep_stack(|| self.check_here(text, options, &Found::new()).0);
        checked.unwrap_or_else(|error| Checked::failed(&error))
    }

    /// Checks the text of a stored function over its declared parameters: what a call gives, whatever its arguments.
    /// Places are offsets into `body`. The result has no bound query: it cannot be run without arguments.
    pub fn check_function(&self, params: &str, body: &str, options: &QueryOptions) -> Checked {
        let check = || {
            let (function, errors) = kql_syntax::parse_function(params, body);
            let parse_ok = errors.is_empty();
            let mut diagnostics: Vec<Diagnostic> = errors.into_iter().map(Diagnostic::from).collect();
            let bound = kql_semantics::bind_function(&function, self.catalog.as_ref(), &self.bind_options(options));
            diagnostics.extend(bound.diagnostics);
            let azure_dialect = options.azure_dialect.unwrap_or_else(|| self.dialect_of(&[]));
            Checked { parse_ok, diagnostics, columns: bound.columns, open: bound.open, bound: None, azure_dialect }
        };
        on_deep_stack(check).unwrap_or_else(|error| Checked::failed(&error))
    }

    fn check_here(&self, text: &str, options: &QueryOptions, found: &Found) -> (Checked, PlanTimes) {
        let started = Instant::now();
        let parsed = kql_syntax::parse(text);
        let parse = started.elapsed();
        let parse_ok = parsed.errors.is_empty();
        let mut diagnostics: Vec<Diagnostic> = parsed.errors.into_iter().map(Diagnostic::from).collect();
        let catalog =
            Discovered { catalog: Arc::clone(&self.catalog), found: found.clone(), data: Arc::clone(&self.data) };
        let bound = kql_semantics::bind(&parsed.query, &catalog, &self.bind_options(options));
        diagnostics.extend(bound.diagnostics);
        let failed = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        let query = if failed { None } else { bound.query };
        let compared = query.as_ref().map(|query| query.compared.as_slice()).unwrap_or_default();
        let azure_dialect = options.azure_dialect.unwrap_or_else(|| self.dialect_of(compared));
        let times = PlanTimes { parse, bind: started.elapsed() - parse, ..PlanTimes::default() };
        let checked =
            Checked { parse_ok, diagnostics, columns: bound.columns, open: bound.open, bound: query, azure_dialect };
        (checked, times)
    }

    /// Runs a query.
    ///
    /// # Errors
    /// See [`EngineError`]: mistakes in the query, what is not supported, limits, unreadable data.
    pub async fn run(&self, text: &str, options: &QueryOptions) -> Result<QueryOutput, EngineError> {
        let (engine, text, options) = (self.clone(), text.to_owned(), options.clone());
        let time = options.limits.time;
        deep(time, async move { engine.run_here(&text, &options).await }).await
    }

    /// [`Engine::run`] on a thread that is deep enough.
    async fn run_here(&self, text: &str, options: &QueryOptions) -> Result<QueryOutput, EngineError> {
        let mut found = Found::new();
        let check = |found: &Found| tokio::task::block_in_place(|| self.check_here(text, options, found));
        let (mut checked, mut times) = check(&found);
        while let Some(search) = checked.bound.as_ref().and_then(|bound| next_search(bound, &found)) {
            if found.len() >= PLUGINS_MAX {
                return Err(EngineError::Limit(format!("more than {PLUGINS_MAX} plugins in a query")));
            }
            let options_here = QueryOptions { provenance: false, ..options.clone() };
            let output = self.job(search.query.clone(), &options_here)?.await?;
            found.push((search.span, search.columns(output.tables.first())?));
            times.add(&output.statistics.planning);
            let (again, spent) = check(&found);
            times.add(&spent);
            checked = again;
        }
        let Some(bound) = checked.bound else {
            return Err(EngineError::Diagnostics(checked.diagnostics));
        };
        let mut output = self.job(bound, options)?.await?;
        let warnings = std::mem::replace(&mut output.diagnostics, checked.diagnostics);
        output.diagnostics.extend(warnings);
        output.statistics.planning.add(&times);
        Ok(output)
    }

    /// Runs a query that is already bound: one that a caller took from [`Checked::bound`], as it is or changed.
    ///
    /// # Errors
    /// As [`Engine::run`]; of the diagnostics only what running shows. A query with `bag_unpack` or `pivot` is refused:
    /// their columns are known only after [`Engine::run`] has looked at the data and bound the text again.
    pub async fn run_bound(&self, bound: &BoundQuery, options: &QueryOptions) -> Result<QueryOutput, EngineError> {
        let (bound, open) = on_deep_stack(|| (bound.clone(), next_search(bound, &Found::new()).map(|open| open.span)))?;
        if open.is_some() {
            let name = "columns that depend on the data, in a query bound before".to_owned();
            return Err(EngineError::Unsupported { name, span: open });
        }
        deep(options.limits.time, self.job(bound, options)?).await
    }

    /// Runs a query and waits for it; may be called from any thread, also inside an asynchronous runtime.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub fn run_blocking(&self, text: &str, options: &QueryOptions) -> Result<QueryOutput, EngineError> {
        futures::executor::block_on(self.run(text, options))
    }

    /// [`Engine::run_bound`], waited for like [`Engine::run_blocking`].
    ///
    /// # Errors
    /// As [`Engine::run_bound`].
    pub fn run_bound_blocking(&self, bound: &BoundQuery, options: &QueryOptions) -> Result<QueryOutput, EngineError> {
        futures::executor::block_on(self.run_bound(bound, options))
    }

    fn planner(&self, shape: PlanShape) -> Arc<Planner> {
        let mut planners = match self.planners.lock() {
            Ok(planners) => planners,
            Err(poisoned) => poisoned.into_inner(),
        };
        Arc::clone(planners.entry(shape).or_insert_with(|| Arc::new(Planner::new(shape))))
    }

    /// Which tables a window clips: those with a `TimeGenerated` that are not reference data. Watchlists have none.
    fn clipped(&self, fidelity: bool) -> Arc<dyn Fn(&str) -> bool + Send + Sync> {
        let catalog = Arc::clone(&self.catalog);
        Arc::new(move |table| {
            let has_time = |info: Arc<TableInfo>| info.columns.iter().any(|column| column.name == "TimeGenerated");
            catalog.table(table).is_some_and(has_time) && (fidelity || !catalog.is_reference(table))
        })
    }

    /// Partitions for a query: one where there is little data, since starting more costs more than it gives.
    fn partitions(&self, bound: &BoundQuery) -> usize {
        let rows: u64 = bound.tables.iter().filter_map(|table| self.data.row_count(&table.name)).sum();
        let bytes: u64 = bound.tables.iter().map(|table| self.data.file_bytes(&table.name)).sum();
        if rows <= FEW_ROWS && bytes <= FEW_BYTES {
            1
        } else {
            std::thread::available_parallelism().map_or(1, usize::from)
        }
    }

    /// The spelling of status values a query is shown. Rows that were stored as a table elsewhere are shown as they are:
    /// a choice is needed only where a loader mapped records of both dialects.
    fn dialect_of(&self, compared: &[Compared]) -> AzureDialect {
        if self.data.is_stored_elsewhere("AzureActivity") { AzureDialect::Raw } else { dialect_of(compared) }
    }

    /// The whole run of a bound query as a task.
    fn job(
        &self,
        bound: BoundQuery,
        options: &QueryOptions,
    ) -> Result<impl Future<Output = Result<QueryOutput, EngineError>> + Send + 'static, EngineError> {
        if let Some(missing) = bound.unsupported.first() {
            return Err(EngineError::Unsupported { name: missing.name.clone(), span: Some(missing.span) });
        }
        let started = Instant::now();
        let planner = self.planner(PlanShape {
            partitions: options.partitions.unwrap_or_else(|| self.partitions(&bound)),
            batch_rows: options.batch_rows,
            as_lowered: options.as_lowered,
        });
        let fidelity = options.window.is_some_and(|window| window.fidelity);
        let dialect = options.azure_dialect.unwrap_or_else(|| self.dialect_of(&bound.compared));
        let task = Execution::task(&planner, &options.limits)?;
        let mut execution = Execution {
            data: Arc::clone(&self.data),
            clipped: self.clipped(fidelity),
            options: LowerOptions {
                window: options.window.map(|window| WindowClip { from: window.from, to: window.to }),
                arrived: options.arrived.map(|(from, to)| WindowClip { from, to }),
                arrival_delays: options.arrival_delays.clone(),
                provenance: options.provenance,
                azure_status: match dialect {
                    AzureDialect::Raw => None,
                    AzureDialect::Diagnostic => Some(Internal::AzureDiagnostic),
                    AzureDialect::Rest => Some(Internal::AzureRest),
                },
            },
            limits: options.limits.clone(),
            held: Mutex::new(Held::new(task.memory_pool())),
            task,
            planner,
            deadline: options.limits.time.map(|time| started + time),
            ingestion: uses_ingestion_time(&bound),
            materialized: HashMap::new(),
            rows_read: Mutex::default(),
            external: Arc::clone(&self.external),
            external_rows: HashMap::new(),
            made_rows: 0,
            warnings: Vec::new(),
            planning: Mutex::default(),
            plans: options.explain.then(Mutex::default),
        };
        let mut query = bound;
        Ok(async move {
            execution.resolve_query(&mut query).await?;
            let mut tables = Vec::with_capacity(query.results.len());
            for result in &query.results {
                let mut table = execution.table(&result.rel).await?;
                table.name.clone_from(&result.name);
                table.render.clone_from(&result.render);
                tables.push(table);
            }
            let mut rows_read = execution.rows_read.into_inner().unwrap_or_default();
            for table in &query.tables {
                *rows_read.entry(table.name.clone()).or_insert(0) += execution.data.rows_in_memory(&table.name);
            }
            let rows_read = rows_read.into_iter().collect();
            let planning = execution.planning.into_inner().unwrap_or_default();
            let plans = execution.plans.and_then(|plans| plans.into_inner().ok()).unwrap_or_default();
            let statistics = Statistics { rows_read, elapsed: started.elapsed(), planning, plans };
            Ok(QueryOutput { tables, diagnostics: execution.warnings, statistics })
        })
    }
}

/// A query notices the end of its time when it next waits for something. One that computes without waiting (a huge text
/// that is parsed, a plan that is optimised) is given up this much later, and ends by itself.
const UNNOTICED: Duration = Duration::from_millis(500);

/// Runs a task on the threads for queries, which are deep, and ends it when the caller no longer waits or `time` is over.
async fn deep(
    time: Option<Duration>,
    task: impl Future<Output = Result<QueryOutput, EngineError>> + Send + 'static,
) -> Result<QueryOutput, EngineError> {
    let handle = runtime()?.spawn(task);
    let guard = AbortOnDrop(handle.abort_handle());
    let result = match time {
        None => handle.await,
        Some(time) => {
            let end = time.saturating_add(UNNOTICED);
            match clock()?.spawn(async move { tokio::time::timeout(end, handle).await }).await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => return Err(EngineError::Limit(overtime(time))),
                Err(error) => Err(error),
            }
        }
    };
    drop(guard);
    match result {
        Ok(output) => output,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => Err(EngineError::Bug(panic_message(panic.as_ref()))),
            Err(_) => Err(EngineError::Limit("the query was cancelled".to_owned())),
        },
    }
}

/// Rows of all tables of a query together that one partition reads as fast as several.
const FEW_ROWS: u64 = 50_000;
/// The same for bytes of files: few rows may be long documents.
const FEW_BYTES: u64 = 1 << 20;

/// Ends a task whose caller no longer waits.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn uses_ingestion_time(query: &BoundQuery) -> bool {
    query.results.iter().any(|result| kql_semantics::walk::uses_ingestion_time(&result.rel))
}

/// The spelling of status values that a query expects: the one its literals are of, and none when it has both.
fn dialect_of(compared: &[Compared]) -> AzureDialect {
    let mut rest = false;
    let mut diagnostic = false;
    for item in compared {
        if item.table != "AzureActivity" || !matches!(item.column.as_str(), "ActivityStatusValue" | "ActivityStatus") {
            continue;
        }
        match item.literal.to_ascii_lowercase().as_str() {
            "started" | "succeeded" | "accepted" | "failed" => rest = true,
            "start" | "success" | "accept" | "failure" => diagnostic = true,
            _ => {}
        }
    }
    match (rest, diagnostic) {
        (true, false) => AzureDialect::Rest,
        (false, true) => AzureDialect::Diagnostic,
        _ => AzureDialect::Raw,
    }
}
