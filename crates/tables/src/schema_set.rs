//! The tables one run knows: the built-in ones and those the user supplied.
//!
//! A user's table wins over the built-in one of the same name; nothing here knows whether a table has data.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use kql_types::{Column, ScalarType};
use serde_json::Value;

use crate::{TableSchema, builtin};

/// Known tables by name. Cheap to clone; the built-in part is shared and read on demand.
#[derive(Debug, Clone, Default)]
pub struct SchemaSet {
    builtin: bool,
    added: BTreeMap<String, Arc<TableSchema>>,
}

/// Why supplied schemas could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaError {
    /// Not JSON at all.
    Json(String),
    /// JSON, but not `{table: {column: type}}`.
    Form { at: String, found: String },
    /// A type name that Kusto does not have.
    Type { table: String, column: String, name: String },
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SchemaError::Json(reason) => write!(f, "schemas are not JSON: {reason}"),
            SchemaError::Form { at, found } => {
                write!(f, "schemas must read {{table: {{column: type}}}}; at {at} there is {found}")
            }
            SchemaError::Type { table, column, name } => {
                write!(f, "column {column} of {table} has no known type: {name}")
            }
        }
    }
}

impl std::error::Error for SchemaError {}

impl SchemaSet {
    /// The 1,214 tables known from the start.
    pub fn builtin() -> SchemaSet {
        SchemaSet { builtin: true, added: BTreeMap::new() }
    }

    /// No table at all.
    pub fn empty() -> SchemaSet {
        SchemaSet::default()
    }

    /// The table of exactly this name: table names are case-sensitive.
    pub fn get(&self, name: &str) -> Option<&TableSchema> {
        match self.added.get(name) {
            Some(table) => Some(table),
            None if self.builtin => builtin::get(name),
            None => None,
        }
    }

    /// All names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let known: &[builtin::Entry] = if self.builtin { builtin::entries() } else { &[] };
        let mut names: Vec<&str> = known.iter().map(|entry| entry.name).collect();
        names
            .extend(self.added.keys().map(String::as_str).filter(|name| !self.builtin || builtin::get(name).is_none()));
        names.sort_unstable();
        names
    }

    /// (name, column names) of every table, for recognition; makes no schema of a built-in table.
    pub(crate) fn column_names(&self) -> Vec<(&str, Vec<&str>)> {
        let known: &[builtin::Entry] = if self.builtin { builtin::entries() } else { &[] };
        let shared = known.iter().filter(|entry| !self.added.contains_key(entry.name));
        let mut all: Vec<(&str, Vec<&str>)> =
            shared.map(|entry| (entry.name, entry.column_names().collect())).collect();
        all.extend(
            self.added
                .iter()
                .map(|(name, table)| (name.as_str(), table.columns.iter().map(|c| c.name.as_str()).collect())),
        );
        all
    }

    /// Adds a table, in place of one of the same name.
    pub fn add(&mut self, table: TableSchema) {
        self.added.insert(table.name.clone(), Arc::new(table));
    }

    /// Adds tables given as `{"table": {"column": "type"}}` and says how many there were.
    ///
    /// A definition that repeats no column of the table known under its name adds its columns to that table; any other
    /// replaces it.
    pub fn add_json(&mut self, text: &str) -> Result<usize, SchemaError> {
        let json: Value = serde_json::from_str(text).map_err(|error| SchemaError::Json(error.to_string()))?;
        let tables = json.as_object().ok_or_else(|| form("the top", &json))?;
        let mut read = Vec::with_capacity(tables.len());
        for (name, columns) in tables {
            read.push((name, read_columns(name, columns)?));
        }
        let count = read.len();
        for (name, columns) in read {
            let mut all = match self.get(name) {
                Some(known) if columns.iter().all(|column| known.column(&column.name).is_none()) => {
                    known.columns.clone()
                }
                _ => Vec::new(),
            };
            all.extend(columns);
            self.add(TableSchema::new(name, all));
        }
        Ok(count)
    }
}

fn read_columns(table: &str, columns: &Value) -> Result<Vec<Column>, SchemaError> {
    let columns = columns.as_object().ok_or_else(|| form(table, columns))?;
    let mut read = Vec::with_capacity(columns.len());
    for (column, ty) in columns {
        let name = ty.as_str().ok_or_else(|| form(&format!("{table}.{column}"), ty))?;
        let ty = ScalarType::parse(name).ok_or_else(|| SchemaError::Type {
            table: table.to_owned(),
            column: column.clone(),
            name: name.to_owned(),
        })?;
        read.push(Column::new(column, ty));
    }
    Ok(read)
}

fn form(at: &str, found: &Value) -> SchemaError {
    let kind = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    SchemaError::Form { at: at.to_owned(), found: kind.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_tables_have_their_columns_and_types() {
        let set = SchemaSet::builtin();
        let activity = set.get("AzureActivity").unwrap();
        assert_eq!(activity.column("Properties_d").unwrap().ty, ScalarType::Dynamic);
        assert_eq!(activity.column("TimeGenerated").unwrap().ty, ScalarType::DateTime);
        assert_eq!(activity.columns.first().unwrap().name, "OperationName");
        assert!(set.get("azureactivity").is_none());
        assert_eq!(set.names().len(), 1214);
    }

    #[test]
    fn an_overlay_adds_and_a_definition_replaces() {
        let mut set = SchemaSet::builtin();
        assert_eq!(set.add_json(r#"{"AWSCloudTrail": {"AwsRegion": "string"}, "Own_CL": {"n_d": "double"}}"#), Ok(2));
        let trail = set.get("AWSCloudTrail").unwrap();
        assert!(trail.column("AwsRegion").is_some() && trail.column("AWSRegion").is_some());
        assert_eq!(trail.resolve_alias("AwsRegion"), None, "a column wins over an alias");
        assert_eq!(set.get("Own_CL").unwrap().columns, [Column::new("n_d", ScalarType::Real)]);
        set.add_json(r#"{"AWSCloudTrail": {"TimeGenerated": "datetime"}}"#).unwrap();
        assert_eq!(set.get("AWSCloudTrail").unwrap().columns.len(), 1);
        assert_eq!(set.names().len(), 1215);
    }

    #[test]
    fn bad_schemas_are_refused_whole() {
        let mut set = SchemaSet::empty();
        let wrong = set.add_json(r#"{"A": {"x": "int"}, "B": {"y": "integer"}}"#).unwrap_err();
        assert_eq!(wrong.to_string(), "column y of B has no known type: integer");
        assert!(set.get("A").is_none());
        assert!(matches!(set.add_json("[]"), Err(SchemaError::Form { .. })));
        assert!(matches!(set.add_json("{"), Err(SchemaError::Json(_))));
    }
}
