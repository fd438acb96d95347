//! [`TableCatalog`]: names a query may use, from table schemas, stored functions and the columns found in data.
//!
//! A column present in the data wins over an alias of the schema, and a column that only the data has is visible.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use kql_semantics::{Catalog, CatalogMemo, StoredFunction, TableInfo};
use scan::DataSet;
use tables::{TableRole, TableSchema};

/// Tables and functions by name. Build it with the `with_*` methods, then share it.
#[derive(Debug, Clone, Default)]
pub struct TableCatalog {
    tables: BTreeMap<String, Arc<TableInfo>>,
    reference: HashSet<String>,
    functions: BTreeMap<String, Arc<StoredFunction>>,
    watchlists: HashMap<String, Vec<String>>,
    memo: Memo,
}

/// What binding found out about this catalog; a copy starts without, since it may be given other tables.
#[derive(Debug, Default)]
struct Memo(CatalogMemo);

impl Clone for Memo {
    fn clone(&self) -> Memo {
        Memo::default()
    }
}

impl TableCatalog {
    pub fn new() -> TableCatalog {
        TableCatalog::default()
    }

    /// Adds schemas; a later schema of the same name replaces an earlier one.
    pub fn with_schemas(mut self, schemas: impl IntoIterator<Item = TableSchema>) -> TableCatalog {
        for schema in schemas {
            if schema.role == TableRole::Reference {
                self.reference.insert(schema.name.clone());
            } else {
                self.reference.remove(&schema.name);
            }
            let info = TableInfo::new(&schema.name, schema.columns, schema.aliases);
            self.tables.insert(schema.name, Arc::new(info));
        }
        self
    }

    /// Adds stored functions; a later one of the same name replaces an earlier one.
    pub fn with_functions(mut self, functions: impl IntoIterator<Item = StoredFunction>) -> TableCatalog {
        for function in functions {
            self.functions.insert(function.name.clone(), Arc::new(function));
        }
        self
    }

    /// Adds a watchlist with its columns beyond the standard ones.
    pub fn with_watchlist(mut self, name: impl Into<String>, columns: Vec<String>) -> TableCatalog {
        self.watchlists.insert(name.into(), columns);
        self
    }

    /// Adds the tables and columns found in data: call it after [`TableCatalog::with_schemas`]. A column that is also
    /// in the schema keeps the schema's type.
    pub fn with_data(mut self, data: &DataSet) -> TableCatalog {
        for name in data.table_names() {
            let Some(found) = data.columns(&name) else { continue };
            let mut info = match self.tables.get(&name) {
                Some(info) => TableInfo::clone(info),
                None => TableInfo::new(&name, Vec::new(), Vec::new()),
            };
            for column in found {
                info.aliases.retain(|(alias, _)| *alias != column.name);
                let hidden = column.name == tables::SOURCE_COLUMN || column.name == tables::INGESTION_COLUMN;
                if !hidden && !info.columns.iter().any(|known| known.name == column.name) {
                    info.columns.push(column);
                }
            }
            self.tables.insert(name, Arc::new(info));
        }
        self
    }

    /// How the window treats a table. A table of unknown schema holds events.
    pub fn role(&self, table: &str) -> TableRole {
        if self.reference.contains(table) { TableRole::Reference } else { TableRole::Events }
    }
}

impl Catalog for TableCatalog {
    fn table(&self, name: &str) -> Option<Arc<TableInfo>> {
        self.tables.get(name).cloned()
    }

    fn table_names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }

    fn function(&self, name: &str) -> Option<Arc<StoredFunction>> {
        self.functions.get(name).cloned()
    }

    fn function_names(&self) -> Vec<String> {
        self.functions.keys().cloned().collect()
    }

    fn memo(&self) -> Option<&CatalogMemo> {
        Some(&self.memo.0)
    }

    fn is_reference(&self, table: &str) -> bool {
        self.role(table) == TableRole::Reference
    }

    fn watchlist_columns(&self, name: &str) -> Vec<String> {
        self.watchlists.get(name).cloned().unwrap_or_default()
    }
}
