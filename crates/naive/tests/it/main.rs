//! The row-by-row evaluator against rows recorded from the reference engine, and small queries over made-up tables.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use kql_semantics::{BindOptions, Catalog, StoredFunction, TableInfo};
use kql_types::{Column, Dynamic, ScalarType, Value, datetime, timespan};
use serde_json::Value as Json;
use witness::Rows;

struct Tables;

impl Catalog for Tables {
    fn table(&self, name: &str) -> Option<Arc<TableInfo>> {
        let columns = vec![
            Column::new("TimeGenerated", ScalarType::DateTime),
            Column::new("Computer", ScalarType::String),
            Column::new("Address", ScalarType::String),
        ];
        (name == "Syslog").then(|| Arc::new(TableInfo::new(name, columns, Vec::new())))
    }

    fn table_names(&self) -> Vec<String> {
        vec!["Syslog".into()]
    }

    fn function(&self, _: &str) -> Option<Arc<StoredFunction>> {
        None
    }

    fn function_names(&self) -> Vec<String> {
        Vec::new()
    }
}

const NOW: i64 = 638_000_000_000_000_000;

fn bound(query: &str) -> Option<kql_semantics::bound::BoundQuery> {
    let options = BindOptions { query_now: NOW, ..BindOptions::default() };
    let parsed = kql_syntax::parse(query);
    let bound = kql_semantics::bind(&parsed.query, &Tables, &options);
    let sound = parsed.errors.is_empty() && bound.diagnostics.iter().all(|d| d.severity != kql_types::Severity::Error);
    bound.query.filter(|query| sound && query.unsupported.is_empty())
}

/// The cells of the only result of a query over rows made for it.
fn rows_of(query: &str) -> Vec<String> {
    let bound = bound(query).expect("the query binds");
    let rows = Rows::of(&bound, NOW);
    let tables = naive::evaluate(&bound, &rows, NOW).expect("the query is known");
    tables.iter().flat_map(|table| table.rows.iter().map(|row| naive::agree::line(row))).collect()
}

#[test]
fn operators_over_literals() {
    let data = "datatable(u:string, n:long)['a', 1, 'b', 2, 'a', 3]";
    assert_eq!(rows_of(&format!("{data} | summarize s = sum(n), c = count() by u")), ["a | 4 | 2", "b | 2 | 1"]);
    assert_eq!(rows_of(&format!("{data} | where n > 1 | top 1 by n desc | project n")), ["3"]);
    assert_eq!(rows_of(&format!("{data} | join kind=leftanti (print u = 'a') on u")), ["b | 2"]);
    assert_eq!(rows_of(&format!("{data} | summarize l = make_list(n) by u | mv-expand l | where l == 3")), ["a | 3"]);
    assert_eq!(rows_of("print s = 'user=eve from x' | parse s with 'user=' who ' from ' place | project who"), ["eve"]);
    assert_eq!(rows_of(&format!("{data} | where u in ((print dynamic(['b', 'c']))) | project n")), ["2"]);
}

#[test]
fn tables_of_the_host_are_read_like_others() {
    let query = "let d = (_GetWatchlist('x') | where LastUpdatedTimeUTC > ago(9d) | project SearchKey);
        Syslog | where Computer in (d) | summarize count() by Computer";
    assert!(!rows_of(query).is_empty());
}

/// A recorded cell as a value of its column's type; None for a form that is not read here.
fn recorded(cell: &Json, ty: &str) -> Option<Value> {
    let ty = ScalarType::parse(ty)?;
    Some(match (ty, cell) {
        (ScalarType::Dynamic, cell) => Value::Dynamic(Dynamic::parse_json(&cell.to_string())?),
        (ty, Json::Null) => Value::missing(ty),
        (ScalarType::String, Json::String(text)) => Value::String(text.clone()),
        (ScalarType::Guid, Json::String(text)) => Value::Guid(text.clone()),
        (ScalarType::DateTime, Json::String(text)) => Value::DateTime(datetime::parse(text)?),
        (ScalarType::TimeSpan, Json::String(text)) => Value::TimeSpan(timespan::parse(text)?),
        (ScalarType::Bool, Json::Bool(flag)) => Value::Bool(*flag),
        (ScalarType::Int | ScalarType::Long, Json::Number(number)) => Value::Long(number.as_i64()?),
        (ScalarType::Real, Json::Number(number)) => Value::Real(number.as_f64()?),
        _ => return None,
    })
}

#[test]
fn recorded_rows_of_the_reference_engine() {
    let Some(path) = testing::shared("conformance/kql-open.jsonl") else { return };
    let (mut agreed, mut differences) = (0, Vec::new());
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let (Some(columns), Some(rows)) = (case["columns"].as_array(), case["rows"].as_array()) else { continue };
        if case["trust"] != "engine" || case["check"] != "rows" || !case["tolerance"].is_null() {
            continue;
        }
        let query = case["query"].as_str().unwrap();
        let Some(bound) = bound(query) else { continue };
        let Ok(tables) = naive::evaluate(&bound, &Rows::of(&bound, NOW), NOW) else { continue };
        let types: Vec<&str> = columns.iter().map(|column| column[1].as_str().unwrap()).collect();
        let expected: Option<Vec<Vec<Value>>> = rows
            .iter()
            .map(|row| row.as_array()?.iter().zip(&types).map(|(cell, ty)| recorded(cell, ty)).collect())
            .collect();
        let (Some(expected), [table]) = (expected, tables.as_slice()) else { continue };
        match naive::agree::difference(&table.rows, &expected) {
            None => agreed += 1,
            Some(difference) => differences.push(format!("{query}\n  {difference}")),
        }
    }
    let few = differences.len() * 100 <= agreed * 3;
    assert!(agreed >= 700 && few, "{agreed} agree; these do not:\n{}", differences.join("\n"));
}
