//! What the runners give the engine: the known tables, stored functions, and made-up rows.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use connectors::LoadOptions;
use datafusion::arrow::record_batch::RecordBatch;
use engine::{Engine, ExternalFiles, TableCatalog};
use kql_semantics::bound::BoundQuery;
use kql_semantics::{Catalog, StoredFunction};
use kql_syntax::ast::ParamType;
use kql_types::{Column, ScalarType, Value};
use scan::DataSet;
use tables::SchemaSet;

use crate::synthetic::{External, Hints};

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

/// Rows for every table of a query, shaped by its literals.
pub fn synthetic_data(bound: &BoundQuery, hints: &Hints, rows: usize, now: i64) -> anyhow::Result<DataSet> {
    let schemas = SchemaSet::builtin();
    let mut data = DataSet::new();
    for used in &bound.tables {
        let Some(schema) = schemas.get(&used.name) else { continue };
        let columns: Vec<Column> = schema
            .columns
            .iter()
            .filter(|column| {
                let wanted = used.columns.contains(&column.name) || column.name == "TimeGenerated";
                wanted && column.ty != ScalarType::Unknown
            })
            .cloned()
            .collect();
        let mut arrays = Vec::new();
        for column in &columns {
            let values: Vec<_> = (0..rows).map(|row| hints.cell(&used.name, column, row, now)).collect();
            arrays.push((column.name.as_str(), kql_plan::value::array(column.ty, &values.iter().collect::<Vec<_>>())?));
        }
        if arrays.is_empty() {
            continue;
        }
        let batch = RecordBatch::try_from_iter(arrays)?;
        data.add_batches(&used.name, columns.clone(), vec![batch])?;
    }
    Ok(data)
}

/// Loads raw logs and writes their tables as Parquet; gives the number of rows.
pub fn ingest(raw: &Path, out: &Path, threads: usize) -> anyhow::Result<usize> {
    let options = LoadOptions { threads: Some(threads), ..LoadOptions::default() };
    let loaded = connectors::load_into(&[raw.to_path_buf()], &options, out);
    let loaded = loaded.map_err(|error| anyhow::anyhow!("{error}"))?;
    let rows: u64 = loaded.parquet.iter().map(|file| file.rows).sum();
    Ok(usize::try_from(rows)?)
}

/// Files for every `externaldata` of a query, shaped like the rows of tables, in a folder of their own.
pub fn external_files(hints: &Hints, rows: usize, now: i64) -> anyhow::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir().context("a folder for external files")?;
    for external in hints.externals() {
        let option = |name: &str| {
            external.options.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        };
        let json = matches!(option("format"), Some(Value::String(format)) if format.contains("json"));
        let headed = matches!(option("ignoreFirstRecord"), Some(Value::Bool(true)));
        let mut text = String::new();
        if headed {
            text.push_str(&external.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(","));
            text.push('\n');
        }
        for row in 0..rows {
            let cells = external.columns.iter().map(|column| hints.cell(&external.table, column, row, now));
            let cells: Vec<Value> = cells.collect();
            text.push_str(&if json { json_line(external, &cells) } else { csv_line(&cells) });
            text.push('\n');
        }
        for place in external.addresses.iter().filter_map(|address| ExternalFiles::place(address)) {
            let path = folder.path().join(place);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            if !path.exists() {
                std::fs::write(&path, &text).with_context(|| format!("writing {}", path.display()))?;
            }
        }
    }
    Ok(folder)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null(_) => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Long(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::Decimal(text) | Value::Guid(text) | Value::String(text) => text.clone(),
        Value::DateTime(ticks) => kql_types::datetime::format(*ticks),
        Value::TimeSpan(ticks) => kql_types::timespan::format(*ticks),
        Value::Dynamic(value) => value.to_display_json(),
    }
}

fn csv_line(cells: &[Value]) -> String {
    let quoted = |text: String| match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    };
    cells.iter().map(|cell| quoted(plain(cell))).collect::<Vec<_>>().join(",")
}

fn json_line(external: &External, cells: &[Value]) -> String {
    let entries = external.columns.iter().zip(cells);
    let entries = entries.map(|(column, cell)| (column.name.clone(), serde_json::Value::String(plain(cell))));
    serde_json::Value::Object(entries.collect()).to_string()
}
