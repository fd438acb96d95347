//! The rows of a file as the columns that `externaldata` declares.
//!
//! Text formats go by position and JSON by name, unless a mapping says otherwise. A cell that can't be read as its
//! column's type is null, as everywhere in Kusto; a file that is not what it should be is an error.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Fields, Schema};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use kql_functions::kernels::tabular::convert::ColumnBuilder;
use kql_semantics::bound::BoundColumn;
use kql_types::{Dynamic, ScalarType, Value};

use crate::EngineError;

/// Bytes of a file at most, inflated.
const BYTES_MAX: u64 = 512 * 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Fields between delimiters, with quotes.
    Delimited(u8),
    /// Tabs, with backslash escapes and no quotes.
    Escaped,
    /// A line is one value.
    Lines,
    /// The file is one value.
    Whole,
    /// JSON objects, one after another or in arrays.
    Json,
    /// A Parquet file: columns by name.
    Parquet,
}

/// How a file is read.
struct Plan {
    format: Format,
    skip_first: bool,
    /// For each column where its value is found.
    places: Vec<Place>,
}

enum Place {
    Position(usize),
    /// Keys and indexes from the top of the object.
    Path(Vec<String>),
}

/// Reads the rows of a file.
///
/// # Errors
/// A format that is not supported, a file that can't be read or is too large, a wrong mapping.
pub(crate) fn read(
    file: &Path,
    address: &str,
    options: &[(String, Value)],
    columns: &[BoundColumn],
) -> Result<RecordBatch, EngineError> {
    let plan = plan(address, options, columns)?;
    let bytes = bytes_of(file)?;
    if plan.format == Format::Parquet {
        return super::parquet::read(bytes, columns, file);
    }
    let text = text_of(&bytes);
    let mut builders: Vec<ColumnBuilder> = columns.iter().map(|column| ColumnBuilder::new(column.ty, 0)).collect();
    let rows = match plan.format {
        Format::Delimited(delimiter) => delimited(&text, delimiter, &plan, columns, &mut builders, file)?,
        Format::Escaped => {
            let lines = text.lines().filter(|line| !line.is_empty()).skip(usize::from(plan.skip_first));
            lines.fold(0, |rows, line| {
                let fields: Vec<String> = line.split('\t').map(unescaped).collect();
                add_fields(&|place| fields.get(place).map(String::as_str), &plan, columns, &mut builders);
                rows + 1
            })
        }
        Format::Lines => {
            let lines = text.lines().filter(|line| !line.is_empty()).skip(usize::from(plan.skip_first));
            lines.fold(0, |rows, line| {
                add_fields(&|place| (place == 0).then_some(line), &plan, columns, &mut builders);
                rows + 1
            })
        }
        Format::Whole => {
            add_fields(&|place| (place == 0).then_some(text.as_str()), &plan, columns, &mut builders);
            1
        }
        Format::Json => json(&text, &plan, &mut builders, file)?,
        Format::Parquet => 0,
    };
    batch_of(columns, builders, rows)
}

/// The rows that builders of the declared columns hold.
pub(super) fn batch_of(
    columns: &[BoundColumn],
    builders: Vec<ColumnBuilder>,
    rows: usize,
) -> Result<RecordBatch, EngineError> {
    let fields: Fields = columns
        .iter()
        .map(|column| Field::new(column.name.as_ref(), kql_plan::value::arrow_type(column.ty), true))
        .collect();
    let arrays = builders
        .into_iter()
        .map(|builder| builder.finish().map_err(|error| EngineError::Data(error.0)))
        .collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(|error| EngineError::Bug(error.to_string()))
}

fn plan(address: &str, options: &[(String, Value)], columns: &[BoundColumn]) -> Result<Plan, EngineError> {
    let option = |name: &str| options.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let name = match option("format") {
        Some(Value::String(name)) => name.to_ascii_lowercase(),
        _ => extension(address),
    };
    let format = match name.as_str() {
        "" | "csv" => Format::Delimited(b','),
        "tsv" => Format::Delimited(b'\t'),
        "psv" => Format::Delimited(b'|'),
        "scsv" => Format::Delimited(b';'),
        "sohsv" => Format::Delimited(1),
        "tsve" => Format::Escaped,
        "txt" => Format::Lines,
        "raw" => Format::Whole,
        "json" | "multijson" | "singlejson" => Format::Json,
        "parquet" => Format::Parquet,
        "avro" | "orc" | "apacheavro" | "w3clogfile" | "sstream" => {
            return Err(EngineError::Unsupported { name: format!("externaldata of format {name}"), span: None });
        }
        // An extension that says nothing.
        _ if option("format").is_none() => Format::Delimited(b','),
        _ => return Err(EngineError::Data(format!("externaldata: '{name}' is not a known format"))),
    };
    let skip_first = match option("ignoreFirstRecord") {
        Some(Value::Bool(skip)) => *skip,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    let mut places: Vec<Place> = match format {
        Format::Json => columns.iter().map(|column| Place::Path(vec![column.name.to_string()])).collect(),
        _ => (0..columns.len()).map(Place::Position).collect(),
    };
    if let Some(Value::String(mapping)) = option("ingestionMapping") {
        map(mapping, columns, &mut places)?;
    }
    Ok(Plan { format, skip_first, places })
}

/// The extension of an address, without that of a compression.
fn extension(address: &str) -> String {
    let plain = address.split([';', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let last = plain.rsplit('/').next().unwrap_or_default();
    let last = last.strip_suffix(".gz").or_else(|| last.strip_suffix(".zip")).unwrap_or(last);
    last.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_owned())
}

/// Takes the places from `[{"Column": "a", "Properties": {"Path": "$.x.y"}}]`, or with `"Ordinal"`.
fn map(mapping: &str, columns: &[BoundColumn], places: &mut [Place]) -> Result<(), EngineError> {
    let wrong = || EngineError::Data("externaldata: the mapping is not a JSON array of columns".to_owned());
    let entries = Dynamic::parse_json(mapping).ok_or_else(wrong)?;
    let field = |entry: &Dynamic, name: &str| {
        let find = |bag: &Dynamic| {
            let entries = bag.as_bag()?;
            entries.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
        };
        find(entry).or_else(|| {
            find(
                entry
                    .as_bag()?
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case("properties"))
                    .map(|(_, value)| value)?,
            )
        })
    };
    for entry in entries.as_array().ok_or_else(wrong)? {
        let Some(Dynamic::String(name)) = field(entry, "column").or_else(|| field(entry, "name")) else { continue };
        let Some(at) = columns.iter().position(|column| *column.name == *name) else { continue };
        let Some(slot) = places.get_mut(at) else { continue };
        if let Some(Dynamic::String(path)) = field(entry, "path") {
            *slot = Place::Path(steps(&path));
        } else if let Some(ordinal) = field(entry, "ordinal") {
            let ordinal = ordinal.to_text().parse().map_err(|_| wrong())?;
            *slot = Place::Position(ordinal);
        }
    }
    Ok(())
}

/// The steps of `$.a['b c'][0]`.
fn steps(path: &str) -> Vec<String> {
    let path = path.trim().trim_start_matches('$');
    let parts = path.split(['.', '[', ']']).map(|part| part.trim_matches(['\'', '"']));
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The bytes of a file, inflated: gzip, or the one file of a zip archive.
fn bytes_of(file: &Path) -> Result<Vec<u8>, EngineError> {
    let unreadable = |error: std::io::Error| EngineError::Data(format!("{}: {error}", file.display()));
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    opened.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut inflated = Vec::new();
        let gzip = flate2::read::MultiGzDecoder::new(bytes.as_slice());
        gzip.take(BYTES_MAX + 1).read_to_end(&mut inflated).map_err(unreadable)?;
        bytes = inflated;
    }
    if bytes.starts_with(b"PK\x03\x04") {
        bytes = of_archive(&bytes, file)?;
    }
    if bytes.len() as u64 > BYTES_MAX {
        return Err(EngineError::Limit(format!("{}: more than {BYTES_MAX} bytes", file.display())));
    }
    Ok(bytes)
}

/// The first file of a zip archive, as the service takes it.
fn of_archive(bytes: &[u8], file: &Path) -> Result<Vec<u8>, EngineError> {
    let unreadable = |error: &dyn std::fmt::Display| EngineError::Data(format!("{}: {error}", file.display()));
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(|error| unreadable(&error))?;
        if member.is_file() {
            let mut inflated = Vec::new();
            member.take(BYTES_MAX + 1).read_to_end(&mut inflated).map_err(|error| unreadable(&error))?;
            return Ok(inflated);
        }
    }
    Err(unreadable(&"an archive without files"))
}

fn text_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()
}

fn delimited(
    text: &str,
    delimiter: u8,
    plan: &Plan,
    columns: &[BoundColumn],
    builders: &mut [ColumnBuilder],
    file: &Path,
) -> Result<usize, EngineError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(plan.skip_first)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut rows = 0;
    while reader.read_record(&mut record).map_err(|error| EngineError::Data(format!("{}: {error}", file.display())))? {
        add_fields(&|place| record.get(place), plan, columns, builders);
        rows += 1;
    }
    Ok(rows)
}

fn add_fields<'t>(
    field: &dyn Fn(usize) -> Option<&'t str>,
    plan: &Plan,
    columns: &[BoundColumn],
    builders: &mut [ColumnBuilder],
) {
    for ((builder, place), column) in builders.iter_mut().zip(&plan.places).zip(columns) {
        let text = match place {
            Place::Position(position) => field(*position),
            Place::Path(_) => None,
        };
        match text {
            Some(text) if column.ty == ScalarType::String || !text.is_empty() => {
                builder.append_text(text);
            }
            _ => builder.append_missing(),
        }
    }
}

fn unescaped(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        match (character, characters.as_str().chars().next()) {
            ('\\', Some(next)) => {
                characters.next();
                text.push(match next {
                    't' => '\t',
                    'n' => '\n',
                    'r' => '\r',
                    other => other,
                });
            }
            _ => text.push(character),
        }
    }
    text
}

fn json(text: &str, plan: &Plan, builders: &mut [ColumnBuilder], file: &Path) -> Result<usize, EngineError> {
    let mut rows = 0;
    for document in serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>() {
        let document = document.map_err(|error| EngineError::Data(format!("{}: {error}", file.display())))?;
        let records = match document {
            serde_json::Value::Array(items) => items,
            other => vec![other],
        };
        for record in records {
            let record = Dynamic::parse_json(&record.to_string()).unwrap_or(Dynamic::Null);
            for (builder, place) in builders.iter_mut().zip(&plan.places) {
                let value = match place {
                    Place::Path(steps) => steps.iter().try_fold(&record, |value, step| {
                        value.get(step).or_else(|| step.parse().ok().and_then(|index| value.at(index)))
                    }),
                    Place::Position(_) => None,
                };
                match value.filter(|value| !value.is_null()) {
                    Some(value) => builder.append_element(&value.to_canonical()),
                    None => builder.append_missing(),
                }
            }
            rows += 1;
        }
    }
    Ok(rows)
}
