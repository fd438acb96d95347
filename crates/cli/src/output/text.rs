//! JSON, NDJSON and CSV.

use std::io::Write;

use anyhow::Result;
use detections::cell;
use engine::ResultTable;
use kql_types::Value;
use serde_json::{Map, Value as Json};

/// A row as an object. Of columns with one name the last stays, as in any JSON object; the engine names columns apart.
pub fn object(table: &ResultTable, row: &[Value]) -> Json {
    let entries = table.columns.iter().zip(row).map(|(column, value)| (column.name.clone(), cell::json(value)));
    Json::Object(entries.collect::<Map<_, _>>())
}

pub fn write_json(tables: &[ResultTable], out: &mut dyn Write) -> Result<()> {
    let Some(table) = tables.first() else {
        writeln!(out, "[]")?;
        return Ok(());
    };
    out.write_all(b"[")?;
    for (index, row) in table.rows().iter().enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &object(table, row))?;
    }
    out.write_all(b"\n]\n")?;
    Ok(())
}

pub fn write_ndjson(tables: &[ResultTable], out: &mut dyn Write) -> Result<()> {
    let Some(table) = tables.first() else { return Ok(()) };
    for row in table.rows() {
        serde_json::to_writer(&mut *out, &object(table, &row))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

pub fn write_csv(tables: &[ResultTable], out: &mut dyn Write) -> Result<()> {
    let Some(table) = tables.first() else { return Ok(()) };
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(table.columns.iter().map(|column| without_formula(&column.name)))?;
    for row in table.rows() {
        writer.write_record(row.iter().map(csv_cell))?;
    }
    writer.flush()?;
    Ok(())
}

/// A cell for spreadsheets: text that would be run as a formula is set in quotes.
pub fn csv_cell(value: &Value) -> String {
    match value {
        Value::String(text) => without_formula(text),
        Value::Dynamic(_) => without_formula(&cell::text(value)),
        other => cell::text(other),
    }
}

/// Text that a spreadsheet would take for a formula gets an apostrophe in front: logs are written by attackers.
pub fn without_formula(text: &str) -> String {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    if risky { format!("'{text}") } else { text.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_numbers_stay() {
        assert_eq!(without_formula("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(without_formula("@SUM(1)"), "'@SUM(1)");
        assert_eq!(without_formula("-5.2"), "-5.2");
        assert_eq!(without_formula("a=b"), "a=b");
    }
}
