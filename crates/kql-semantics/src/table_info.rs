//! [`TableInfo`]: a table of the catalog, with what all reads of it share.
//!
//! `union *` reads over a thousand tables: their names are made once for a catalog, not once for each read.

use std::sync::{Arc, OnceLock};

use kql_types::Column;

/// A table and its column.
pub(crate) type Origin = (Arc<str>, Arc<str>);

/// A table a query may name.
#[derive(Debug, Clone, PartialEq)]
pub struct TableInfo {
    pub name: String,
    /// In order. Hidden columns (`_ItemId`, ...) that the table has are listed too.
    pub columns: Vec<Column>,
    /// Accepted spellings that are not the table's own: (alias, column), e.g. `AwsRegion` for `AWSRegion`.
    pub aliases: Vec<(String, String)>,
    shared: Shared,
}

impl TableInfo {
    /// A table of these columns. Change it before it is shared with a catalog: what reads share is made once.
    pub fn new(name: impl Into<String>, columns: Vec<Column>, aliases: Vec<(String, String)>) -> TableInfo {
        TableInfo { name: name.into(), columns, aliases, shared: Shared::default() }
    }

    pub(crate) fn shared(&self) -> &TableColumns {
        self.shared.0.get_or_init(|| {
            let name: Arc<str> = self.name.as_str().into();
            let names: Vec<Arc<str>> = self.columns.iter().map(|column| column.name.as_str().into()).collect();
            let origins = names.iter().map(|column| Arc::from([(name.clone(), column.clone())])).collect();
            let source = self.columns.iter().map(|column| column.name.clone()).collect();
            TableColumns { name, names, origins, source }
        })
    }
}

/// What every read of a table shares, in the order of its columns.
#[derive(Debug)]
pub(crate) struct TableColumns {
    pub name: Arc<str>,
    pub names: Vec<Arc<str>>,
    /// Each column as its own origin.
    pub origins: Vec<Arc<[Origin]>>,
    pub source: Arc<[String]>,
}

/// Made when first asked for. It says nothing that the table does not say, and is not copied with it.
#[derive(Debug, Default)]
struct Shared(OnceLock<TableColumns>);

impl Clone for Shared {
    fn clone(&self) -> Shared {
        Shared::default()
    }
}

impl PartialEq for Shared {
    fn eq(&self, _: &Shared) -> bool {
        true
    }
}
