//! The binder: names, `let`, types, automatic column names; syntax in, [`bound::BoundQuery`] out.
//!
//! Third stage of the pipeline. Knows neither Arrow nor DataFusion; the clock is passed in.

mod binder;
pub mod bound;
mod constant;
mod entity;
mod expr;
mod naming;
pub mod parts;
mod projection;
mod rel;
mod scope;
mod statements;
mod stored;
mod suggest;
mod table_info;
mod usage;
mod user_function;
pub mod walk;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bound::BoundQuery;
use kql_types::{Column, Diagnostic, Value};
pub use table_info::TableInfo;

/// A stored function: text, bound at each call.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFunction {
    pub name: String,
    /// Parameters as written between the parentheses, without these.
    pub params: String,
    pub body: String,
}

/// What the names of a query may refer to.
pub trait Catalog: Send + Sync {
    fn table(&self, name: &str) -> Option<Arc<TableInfo>>;
    /// Names for `union Sec*`, `search`, "did you mean".
    fn table_names(&self) -> Vec<String>;
    fn function(&self, name: &str) -> Option<Arc<StoredFunction>>;
    fn function_names(&self) -> Vec<String>;
    /// Whether the table may have rows. Patterns (`union Sec*`, `search`) take the columns of all tables that match but
    /// read only those with rows.
    fn has_rows(&self, _table: &str) -> bool {
        true
    }
    /// Columns of a watchlist beyond the standard ones, in order.
    fn watchlist_columns(&self, _name: &str) -> Vec<String> {
        Vec::new()
    }
    /// Whether a table is reference data (identities, indicators): visible in every window unless fidelity is asked for.
    fn is_reference(&self, _table: &str) -> bool {
        false
    }
    /// Where binding keeps what it found out about stored functions; it must be a new one when tables or functions change.
    /// None: it is found out again for each query.
    fn memo(&self) -> Option<&CatalogMemo> {
        None
    }
    /// Columns that `evaluate bag_unpack` and similar will find in this run, known only with data, by the span of the
    /// operator. None: not known.
    fn open_columns(&self, _operator: kql_types::Span) -> Option<Vec<Column>> {
        None
    }
}

/// What was found out about the stored functions of a catalog, for all queries over it.
#[derive(Debug, Default)]
pub struct CatalogMemo {
    /// Whether a function binds without errors, by name.
    sound: Mutex<BTreeMap<String, bool>>,
}

/// What binding is told besides the text.
#[derive(Debug, Clone, Default)]
pub struct BindOptions {
    /// `now()` in ticks.
    pub query_now: i64,
    /// Values of declared query parameters.
    pub parameters: Vec<(String, Value)>,
    /// The file of a database that knows the places of addresses, for `geo_info_from_ip_address`.
    pub geoip: Option<String>,
    /// Kindnesses (aliases, a missing table behind `isfuzzy`, `todynamic(dynamic)`) are errors.
    pub strict: bool,
}

/// What binding gives: always diagnostics; a query when there was no error.
#[derive(Debug, Clone)]
pub struct Bound {
    pub query: Option<BoundQuery>,
    pub diagnostics: Vec<Diagnostic>,
    /// Columns of the last result as far as they are known, also when there were errors: as the official parser shows
    /// them. The columns that a run gives are those of `query`; they differ where a union splits a name by type.
    pub columns: Vec<Column>,
    /// Columns are complete only at run time (`bag_unpack`, `pivot` and the like).
    pub open: bool,
}

/// Binds the body of a function over its declared parameters, as if it were a query: what a stored function gives.
/// The result is for checking; it cannot be run.
pub fn bind_function(function: &kql_syntax::ast::Function, catalog: &dyn Catalog, options: &BindOptions) -> Bound {
    binder::Binder::new(catalog, options).bind_declared(function)
}

/// Binds a parsed query. Syntax errors are not repeated here.
pub fn bind(query: &kql_syntax::ast::Query, catalog: &dyn Catalog, options: &BindOptions) -> Bound {
    binder::Binder::new(catalog, options).bind_query(query)
}
