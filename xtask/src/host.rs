//! What the runners give the engine: the known tables, stored functions, and made-up rows.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use connectors::LoadOptions;
use engine::{Engine, TableCatalog};
use kql_semantics::{Catalog, StoredFunction};
use kql_syntax::ast::ParamType;
use kql_types::ScalarType;
use scan::DataSet;
use tables::SchemaSet;

/// A catalog shared by all runs.
pub type SharedCatalog = Arc<dyn Catalog>;

/// All built-in tables, and the stored functions of the reference collection.
pub fn catalog() -> anyhow::Result<SharedCatalog> {
    let schemas = SchemaSet::builtin();
    let tables: Vec<_> = schemas.names().into_iter().filter_map(|name| schemas.get(name).cloned()).collect();
    let mut catalog = TableCatalog::new().with_schemas(tables);
    if let Some(path) = testing::shared("corpus/functions.json") {
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        catalog = catalog.with_functions(stored_functions(&text)?);
    }
    Ok(Arc::new(catalog))
}

fn stored_functions(text: &str) -> anyhow::Result<Vec<StoredFunction>> {
    let entries: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).context("reading stored functions")?;
    let field = |entry: &serde_json::Value, name: &str| entry[name].as_str().unwrap_or_default().to_string();
    Ok(entries
        .into_iter()
        .filter(|(_, entry)| entry["body"].is_string())
        .map(|(name, entry)| StoredFunction { name, params: field(&entry, "params"), body: field(&entry, "body") })
        .collect())
}

/// An engine over the given data, or over empty tables.
pub fn engine(catalog: &SharedCatalog, data: Option<Arc<DataSet>>) -> Engine {
    Engine::new(Arc::clone(catalog), data.unwrap_or_default())
}

/// A parser function with parameters is run as a call: with its defaults, and empty values for the other parameters.
pub fn with_parameters(query: &str, params: Option<&str>) -> String {
    let Some(params) = params.filter(|params| !params.trim().is_empty()) else { return query.to_string() };
    let (function, _) = kql_syntax::parse_function(params, "");
    let required = function.params.iter().take_while(|param| param.default.is_none());
    let arguments: Vec<String> = required.map(|param| empty_argument(&param.ty)).collect();
    format!("let __function = ({params}) {{\n{query}\n}};\n__function({})", arguments.join(", "))
}

fn empty_argument(ty: &ParamType) -> String {
    match ty {
        ParamType::Scalar(ty) => match ScalarType::parse(&ty.text) {
            Some(ScalarType::String) | None => "''".to_string(),
            Some(ScalarType::Dynamic) => "dynamic([])".to_string(),
            Some(ty) => format!("{ty}(null)"),
        },
        ParamType::Tabular { columns, .. } => {
            let columns: Vec<String> =
                columns.iter().map(|column| format!("['{}']:{}", column.name.text, column.ty.text)).collect();
            if columns.is_empty() { "print".to_string() } else { format!("datatable({})[]", columns.join(", ")) }
        }
    }
}

/// Loads raw logs and writes their tables as Parquet; gives the number of rows.
pub fn ingest(raw: &Path, out: &Path, threads: usize) -> anyhow::Result<usize> {
    let options = LoadOptions { threads: Some(threads), ..LoadOptions::default() };
    let loaded = connectors::load_into(&[raw.to_path_buf()], &options, out);
    let loaded = loaded.map_err(|error| anyhow::anyhow!("{error}"))?;
    let rows: u64 = loaded.parquet.iter().map(|file| file.rows).sum();
    Ok(usize::try_from(rows)?)
}
