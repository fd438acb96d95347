//! [`Engine`]: from text to rows.

use std::sync::Arc;

use kql_semantics::bound::BoundQuery;
use kql_semantics::{BindOptions, Catalog};
use kql_types::{Diagnostic, Severity};
use scan::DataSet;

use crate::{AzureDialect, Checked, EngineError, QueryOptions, QueryOutput};

/// Tables, functions and data a query runs against. Cheap to clone and to share between threads.
#[derive(Clone)]
pub struct Engine {
    catalog: Arc<dyn Catalog>,
    data: Arc<DataSet>,
}

impl Engine {
    /// An engine over a catalog (see [`crate::TableCatalog`]) and data. Tables of the catalog without data are empty.
    pub fn new(catalog: Arc<dyn Catalog>, data: Arc<DataSet>) -> Engine {
        Engine { catalog, data }
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
        let parsed = kql_syntax::parse(text);
        let parse_ok = parsed.errors.is_empty();
        let mut diagnostics: Vec<Diagnostic> = parsed.errors.into_iter().map(Diagnostic::from).collect();
        let bind_options = BindOptions {
            query_now: options.query_now,
            parameters: options.parameters.clone(),
            strict: options.strict,
        };
        let bound = kql_semantics::bind(&parsed.query, self.catalog.as_ref(), &bind_options);
        diagnostics.extend(bound.diagnostics);
        let failed = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        Checked {
            parse_ok,
            diagnostics,
            columns: bound.columns,
            open: bound.open,
            bound: if failed { None } else { bound.query },
            azure_dialect: options.azure_dialect.unwrap_or(AzureDialect::Raw),
        }
    }

    /// Runs a query.
    ///
    /// # Errors
    /// See [`EngineError`]: mistakes in the query, what is not supported, limits, unreadable data.
    pub async fn run(&self, text: &str, options: &QueryOptions) -> Result<QueryOutput, EngineError> {
        let checked = self.check(text, options);
        let Some(bound) = checked.bound else {
            return Err(EngineError::Diagnostics(checked.diagnostics));
        };
        self.run_bound(&bound, options).await
    }

    /// Runs a query that is already bound: one that a caller took from [`Checked::bound`], as it is or changed.
    ///
    /// # Errors
    /// As [`Engine::run`], without diagnostics.
    pub async fn run_bound(&self, _bound: &BoundQuery, _options: &QueryOptions) -> Result<QueryOutput, EngineError> {
        Err(EngineError::Unsupported { name: "running a query".to_owned(), span: None })
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
}
