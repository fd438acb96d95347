//! Results for people: a table as wide as the terminal, long cells cut.

use std::io::Write;

use anyhow::Result;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent};
use detections::cell;
use engine::ResultTable;
use kql_types::{ScalarType, Value};

use crate::terminal::{counted, safe, short, width};

/// Rows shown; the rest is counted.
const ROWS_MAX: usize = 1_000;
/// Characters of one cell.
const CELL_MAX: usize = 160;

pub fn write(tables: &[ResultTable], out: &mut dyn Write) -> Result<()> {
    for (index, table) in tables.iter().enumerate() {
        if tables.len() > 1 {
            let name = table.name.clone().unwrap_or_else(|| format!("result {}", index + 1));
            writeln!(out, "{}", safe(&name))?;
        }
        write!(out, "{}", render(table))?;
    }
    Ok(())
}

/// The table and a line with the number of rows.
pub fn render(table: &ResultTable) -> String {
    let total = table.row_count();
    let mut shown = Table::new();
    shown.load_preset(UTF8_HORIZONTAL_ONLY);
    for line in [TableComponent::HorizontalLines, TableComponent::MiddleIntersections] {
        shown.remove_style(line);
    }
    for border in [TableComponent::LeftBorderIntersections, TableComponent::RightBorderIntersections] {
        shown.remove_style(border);
    }
    shown.set_content_arrangement(ContentArrangement::Dynamic);
    shown.set_width(u16::try_from(width()).unwrap_or(u16::MAX));
    shown.set_header(table.columns.iter().map(|column| safe(&column.name).into_owned()));
    for row in table.rows().into_iter().take(ROWS_MAX) {
        shown.add_row(row.iter().map(cell_text));
    }
    for (index, column) in table.columns.iter().enumerate() {
        let number = column.ty.is_number() || column.ty == ScalarType::TimeSpan;
        if number && let Some(column) = shown.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let rows = counted(total as u64, "row");
    let cut = if total > ROWS_MAX { format!(", the first {ROWS_MAX} shown") } else { String::new() };
    format!("{shown}\n{rows}{cut}\n")
}

/// A cell on one line; times without the digits that are zero.
pub fn cell_text(value: &Value) -> String {
    let text = match value {
        Value::DateTime(_) => short_time(&cell::text(value)),
        other => cell::text(other),
    };
    short(&safe(&text), CELL_MAX)
}

/// `2026-03-02T10:00:00.0000000Z` without empty fractions.
fn short_time(text: &str) -> String {
    match text.strip_suffix('Z').and_then(|t| t.split_once('.')) {
        Some((seconds, fraction)) => {
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() { format!("{seconds}Z") } else { format!("{seconds}.{fraction}Z") }
        }
        None => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_short_and_harmless() {
        assert_eq!(cell_text(&Value::String("a\u{1b}[31m".into())), "a\\u{1b}[31m");
        assert_eq!(cell_text(&Value::String("x".repeat(500))).chars().count(), CELL_MAX);
        assert_eq!(short_time("2026-03-02T10:00:00.0000000Z"), "2026-03-02T10:00:00Z");
        assert_eq!(short_time("2026-03-02T10:00:00.1200000Z"), "2026-03-02T10:00:00.12Z");
    }
}
