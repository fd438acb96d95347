//! The frames of Kusto's REST interface, version 2, and its error body.

use std::io::Write;

use anyhow::Result;
use detections::cell;
use engine::ResultTable;
use kql_types::{Diagnostic, ScalarType, Severity, Value, datetime};
use serde_json::{Value as Json, json};

use crate::diagnostics::line_and_column;

const NO_ID: &str = "00000000-0000-0000-0000-000000000000";

/// Writes the whole data set: header, properties, results, completion information, completion.
///
/// Ids and times are constant, so that equal results are equal bytes.
pub fn write(tables: &[ResultTable], out: &mut dyn Write) -> Result<()> {
    let mut frames = vec![json!({"FrameType": "DataSetHeader", "IsProgressive": false, "Version": "v2.0"})];
    frames.push(properties(tables));
    for (index, table) in tables.iter().enumerate() {
        frames.push(primary(index + 1, table));
    }
    frames.push(completion(tables.len() + 1));
    frames.push(json!({"FrameType": "DataSetCompletion", "HasErrors": false, "Cancelled": false}));
    out.write_all(b"[")?;
    for (index, frame) in frames.iter().enumerate() {
        out.write_all(if index == 0 { b"" } else { b"," })?;
        serde_json::to_writer(&mut *out, frame)?;
    }
    out.write_all(b"]\n")?;
    Ok(())
}

fn columns(list: &[(&str, &str)]) -> Json {
    list.iter().map(|(name, ty)| json!({"ColumnName": name, "ColumnType": ty})).collect()
}

/// The visualisation of each result.
fn properties(tables: &[ResultTable]) -> Json {
    let rows: Vec<Json> = tables
        .iter()
        .enumerate()
        .map(|(index, table)| {
            let mut chart = serde_json::Map::new();
            let kind = table.render.as_ref().map(|render| Json::from(render.kind.clone())).unwrap_or(Json::Null);
            chart.insert("Visualization".to_string(), kind);
            for (name, value) in table.render.iter().flat_map(|render| &render.properties) {
                chart.insert(name.clone(), cell::json(value));
            }
            json!([index + 1, "Visualization", Json::Object(chart).to_string()])
        })
        .collect();
    json!({
        "FrameType": "DataTable",
        "TableId": 0,
        "TableKind": "QueryProperties",
        "TableName": "@ExtendedProperties",
        "Columns": columns(&[("TableId", "int"), ("Key", "string"), ("Value", "dynamic")]),
        "Rows": rows,
    })
}

fn primary(id: usize, table: &ResultTable) -> Json {
    let columns: Vec<Json> = table
        .columns
        .iter()
        .map(|column| json!({"ColumnName": column.name, "ColumnType": type_name(column.ty)}))
        .collect();
    let rows: Vec<Json> = table.rows().iter().map(|row| row.iter().map(value).collect()).collect();
    json!({
        "FrameType": "DataTable",
        "TableId": id,
        "TableKind": "PrimaryResult",
        "TableName": table.name.clone().unwrap_or_else(|| "PrimaryResult".to_string()),
        "Columns": columns,
        "Rows": rows,
    })
}

fn type_name(ty: ScalarType) -> &'static str {
    if ty == ScalarType::Unknown { "string" } else { ty.name() }
}

fn value(value: &Value) -> Json {
    cell::json(value)
}

fn completion(id: usize) -> Json {
    let time = datetime::format(datetime::UNIX_EPOCH);
    let row = |level: i32, level_name: &str, event: i32, event_name: &str, payload: &str| {
        json!([time, "unspecified;", NO_ID, NO_ID, NO_ID, level, level_name, 0, "S_OK (0)", event, event_name, payload])
    };
    json!({
        "FrameType": "DataTable",
        "TableId": id,
        "TableKind": "QueryCompletionInformation",
        "TableName": "QueryCompletionInformation",
        "Columns": columns(&[
            ("Timestamp", "datetime"), ("ClientRequestId", "string"), ("ActivityId", "guid"),
            ("SubActivityId", "guid"), ("ParentActivityId", "guid"), ("Level", "int"), ("LevelName", "string"),
            ("StatusCode", "int"), ("StatusCodeName", "string"), ("EventType", "int"), ("EventTypeName", "string"),
            ("Payload", "string"),
        ]),
        "Rows": [
            row(4, "Info", 4, "QueryInfo", r#"{"Count":1,"Text":"Query completed successfully"}"#),
            row(6, "Stats", 0, "QueryResourceConsumption", "{}"),
        ],
    })
}

/// The body of an error answer. The first mistake is the message; all are in `innererror`.
pub fn error_body(code: &str, message: &str, diagnostics: &[Diagnostic], text: &str) -> Json {
    let details: Vec<Json> = diagnostics
        .iter()
        .map(|diagnostic| {
            let (line, column) = line_and_column(text, diagnostic.span.start as usize);
            let mut detail = json!({
                "code": diagnostic.code,
                "severity": diagnostic.severity.name(),
                "message": diagnostic.message,
                "line": line,
                "pos": column,
                "start": crate::diagnostics::utf16_offset(text, diagnostic.span.start as usize),
                "end": crate::diagnostics::utf16_offset(text, diagnostic.span.end as usize),
            });
            if let (Some(help), Some(detail)) = (&diagnostic.help, detail.as_object_mut()) {
                detail.insert("help".to_string(), Json::from(help.clone()));
            }
            detail
        })
        .collect();
    let syntax = diagnostics.iter().any(|d| d.severity == Severity::Error && d.code.starts_with("KS0"));
    let kind = if syntax { "Kusto.Data.Exceptions.SyntaxException" } else { "Kusto.Data.Exceptions.SemanticException" };
    let mut error = json!({
        "code": code,
        "message": if diagnostics.is_empty() { message } else { "Request is invalid and cannot be executed." },
        "@type": if diagnostics.is_empty() { "Kusto.Data.Exceptions.KustoServiceException" } else { kind },
        "@message": message,
        "@context": {"clientRequestId": "unspecified;", "activityId": NO_ID, "subActivityId": NO_ID, "parentActivityId": NO_ID},
        "@permanent": true,
    });
    if !details.is_empty()
        && let Some(error) = error.as_object_mut()
    {
        error.insert("innererror".to_string(), json!({"diagnostics": details}));
    }
    json!({ "error": error })
}
