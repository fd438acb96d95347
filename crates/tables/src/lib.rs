//! Known tables as data: schemas, aliases, which tables are reference data, and the Arrow layout of their rows.
//!
//! Knows no sources: connectors fill these tables, the binder and the scan read them. Start at [`SchemaSet`]:
//!
//! ```
//! let schemas = tables::SchemaSet::builtin();
//! let trail = schemas.get("AWSCloudTrail").expect("a known table");
//! assert_eq!(trail.column("AWSRegion").map(|c| c.ty.name()), Some("string"));
//! assert_eq!(trail.resolve_alias("AwsRegion"), Some("AWSRegion"));
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod builtin;
mod layout;
mod recognise;
mod roles;
mod schema_set;

use kql_types::Column;

pub use layout::{
    INGESTION_COLUMN, ITEM_ID_COLUMN, SOURCE_COLUMN, arrow_schema, arrow_type, columns_in_memory, pack_source,
    unpack_source,
};
pub use recognise::Recognised;
pub use schema_set::{SchemaError, SchemaSet};

/// How a run's window treats a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableRole {
    /// Clipped to the window on `TimeGenerated`.
    Events,
    /// Identities, watchlists, indicators: visible in every window unless fidelity is asked for.
    Reference,
}

/// A table as queries see it.
#[derive(Debug, Clone, PartialEq)]
pub struct TableSchema {
    pub name: String,
    /// In the order `getschema` prints, hidden ones (`_ItemId`, `_ResourceId`, ...) at the end.
    pub columns: Vec<Column>,
    pub role: TableRole,
    /// (alias, column): spellings that published rules use and the real table does not have.
    pub aliases: Vec<(String, String)>,
}

impl TableSchema {
    /// A table of these columns, with the role and the aliases its name is known for.
    pub fn new(name: impl Into<String>, columns: Vec<Column>) -> TableSchema {
        let name = name.into();
        let role = roles::role_of(&name);
        let aliases = roles::aliases_of(&name, &columns);
        TableSchema { name, columns, role, aliases }
    }

    /// The column of exactly this name; aliases are not followed.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The real column that `name` is another spelling of. A column of the table wins over an alias.
    pub fn resolve_alias(&self, name: &str) -> Option<&str> {
        let (_, column) = self.aliases.iter().find(|(alias, _)| alias == name)?;
        self.column(name).is_none().then_some(column.as_str())
    }
}
