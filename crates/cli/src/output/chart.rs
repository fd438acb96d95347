//! Results drawn in a terminal, as `render` asks: bars for what has labels, dots for what has two numbers.

use std::fmt::Write;

use detections::cell;
use engine::ResultTable;
use kql_types::{Dynamic, ScalarType, Value};

use crate::output::table::cell_text;
use crate::terminal::{safe, short};

/// Bars of one series; the rest is counted.
const BARS_MAX: usize = 60;
const LABEL_CHARACTERS_MAX: usize = 28;
/// Rows of a scatter chart.
const SCATTER_HEIGHT: usize = 16;
const EIGHTHS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// One line of numbers with the labels of its points.
struct Series {
    name: String,
    points: Vec<(String, f64)>,
}

/// The chart of a result; None when it asks for none, or has no numbers to draw.
pub fn render(table: &ResultTable, width: usize) -> Option<String> {
    let kind = table.render.as_ref()?.kind.as_str();
    match kind {
        "timechart" | "barchart" | "columnchart" | "piechart" | "linechart" | "areachart" => bars(table, width),
        "scatterchart" => scatter(table, width),
        _ => None,
    }
}

fn bars(table: &ResultTable, width: usize) -> Option<String> {
    let series = series(table);
    let top = series.iter().flat_map(|one| &one.points).map(|(_, value)| value.abs()).fold(0.0_f64, f64::max);
    if top <= 0.0 {
        return None;
    }
    let label_width = series.iter().flat_map(|one| &one.points).map(|(label, _)| label.chars().count()).max()?;
    let bar_width = width.saturating_sub(label_width + 16).clamp(10, 80);
    let mut out = String::new();
    for one in &series {
        let _ = writeln!(out, "{}", one.name);
        for (label, value) in one.points.iter().take(BARS_MAX) {
            let pad = label_width - label.chars().count();
            let bar = bar(value.abs() / top, bar_width);
            let _ = writeln!(out, "  {label}{} {bar} {}", " ".repeat(pad), kql_types::number::format_real(*value));
        }
        let more = one.points.len().saturating_sub(BARS_MAX);
        if more > 0 {
            let _ = writeln!(out, "  and {more} more");
        }
    }
    Some(out)
}

/// A bar of eighths of characters; what is not zero shows.
fn bar(share: f64, width: usize) -> String {
    let eighths = (share * width as f64 * 8.0).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
    let mut bar = "█".repeat(eighths / 8);
    if let Some(part) = EIGHTHS.get(eighths % 8).filter(|part| **part != ' ') {
        bar.push(*part);
    }
    bar
}

/// The numbers of a result by column, labelled by the first time, or else the texts; arrays of a series are taken apart.
fn series(table: &ResultTable) -> Vec<Series> {
    let rows = table.rows();
    let times = table.columns.iter().position(|column| column.ty == ScalarType::DateTime);
    let labels: Vec<usize> = match times {
        Some(time) => vec![time],
        None => (0..table.columns.len())
            .filter(|index| table.columns.get(*index).is_some_and(|column| column.ty == ScalarType::String))
            .collect(),
    };
    let mut all = Vec::new();
    for (index, column) in table.columns.iter().enumerate() {
        if column.ty.is_number() {
            let points = rows.iter().enumerate().filter_map(|(place, row)| {
                let label = match labels.as_slice() {
                    [] => (place + 1).to_string(),
                    some => some.iter().filter_map(|at| row.get(*at)).map(cell_text).collect::<Vec<_>>().join(" "),
                };
                Some((short(&label, LABEL_CHARACTERS_MAX), number(row.get(index)?)?))
            });
            all.push(Series { name: safe(&column.name).into_owned(), points: points.collect() });
        }
    }
    if all.is_empty() {
        all.extend(rows.iter().flat_map(|row| array_series(table, row)));
    }
    all.retain(|one| !one.points.is_empty());
    all
}

/// The series of a row that `make-series` gave: arrays of numbers beside one of times.
fn array_series(table: &ResultTable, row: &[Value]) -> Vec<Series> {
    let arrays: Vec<(&str, &Vec<Dynamic>)> = table
        .columns
        .iter()
        .zip(row)
        .filter_map(|(column, value)| match value {
            Value::Dynamic(Dynamic::Array(items)) => Some((column.name.as_str(), items)),
            _ => None,
        })
        .collect();
    let is_time =
        |items: &Vec<Dynamic>| items.iter().all(|item| matches!(item, Dynamic::DateTime(_) | Dynamic::String(_)));
    let axis = arrays.iter().find(|(_, items)| !items.is_empty() && is_time(items));
    let groups: Vec<String> =
        row.iter().filter(|value| matches!(value, Value::String(_) | Value::Long(_))).map(cell_text).collect();
    let label = |place: usize| match axis.and_then(|(_, items)| items.get(place)) {
        Some(Dynamic::DateTime(ticks)) => short(&cell_text(&Value::DateTime(*ticks)), LABEL_CHARACTERS_MAX),
        Some(Dynamic::String(text)) => short(&safe(text), LABEL_CHARACTERS_MAX),
        _ => (place + 1).to_string(),
    };
    let mut found = Vec::new();
    for (name, items) in arrays.iter().filter(|(_, items)| !is_time(items)) {
        let points = items.iter().enumerate().filter_map(|(place, item)| match item {
            Dynamic::Long(value) => Some((label(place), *value as f64)),
            Dynamic::Real(value) => Some((label(place), *value)),
            _ => None,
        });
        let name = safe(&format!("{name} {}", groups.join(" "))).trim().to_owned();
        found.push(Series { name, points: points.collect() });
    }
    found
}

fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Int(value) => f64::from(*value),
        Value::Long(value) => *value as f64,
        Value::Real(value) => *value,
        Value::Decimal(_) => cell::text(value).parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// Dots of the first two numbers (a time counts as one).
fn scatter(table: &ResultTable, width: usize) -> Option<String> {
    let value = |value: &Value| match value {
        Value::DateTime(ticks) | Value::TimeSpan(ticks) => Some(*ticks as f64),
        other => number(other),
    };
    let points: Vec<(f64, f64)> = table
        .rows()
        .iter()
        .filter_map(|row| {
            let mut numbers = row.iter().filter_map(value);
            Some((numbers.next()?, numbers.next()?))
        })
        .collect();
    if points.is_empty() {
        return None;
    }
    let width = width.saturating_sub(4).clamp(20, 100);
    let bounds = |of: fn(&(f64, f64)) -> f64| {
        let low = points.iter().map(of).fold(f64::INFINITY, f64::min);
        let high = points.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        (low, if high > low { high - low } else { 1.0 })
    };
    let ((left, across), (low, up)) = (bounds(|point| point.0), bounds(|point| point.1));
    let mut grid = vec![vec![' '; width]; SCATTER_HEIGHT];
    for (x, y) in &points {
        let column = ((x - left) / across * (width - 1) as f64).round() as usize;
        let row = SCATTER_HEIGHT - 1 - ((y - low) / up * (SCATTER_HEIGHT - 1) as f64).round() as usize;
        if let Some(cell) = grid.get_mut(row).and_then(|row| row.get_mut(column)) {
            *cell = '•';
        }
    }
    let lines: Vec<String> =
        grid.into_iter().map(|row| format!("│{}\n", row.into_iter().collect::<String>())).collect();
    Some(format!("{}└{}\n", lines.concat(), "─".repeat(width)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(bar(0.5, 4), "██");
        assert_eq!(bar(0.0001, 4), "▏");
        assert_eq!(bar(0.0, 4), "");
    }
}
