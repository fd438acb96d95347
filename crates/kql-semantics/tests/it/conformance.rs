//! Recorded answers of a real engine: their columns are known from the query alone.

use serde_json::Value;

use crate::catalog::TestCatalog;
use crate::{bind, has_error, recorded_columns};

/// Cases that bind with other columns than recorded, or not at all; the number may only fall.
const KNOWN_DIFFERENCES: usize = 13;

fn difference(case: &Value, catalog: &TestCatalog) -> Option<String> {
    let query = case["query"].as_str()?;
    let tags = case["tags"].as_array().cloned().unwrap_or_default();
    let tagged = |tag: &str| tags.iter().any(|t| t == tag);
    let bound = bind(query, catalog);
    if has_error(&bound) {
        let error = bound.diagnostics.first().map(|d| format!("{} {}", d.code, d.message));
        return Some(format!("{}: refused: {error:?}", case["id"]));
    }
    if bound.open || tagged("data-dependent-schema") {
        return None;
    }
    let recorded = recorded_columns(&case["columns"]);
    let result = bound.query.as_ref()?.results.last()?;
    let mut here: Vec<(String, String)> =
        result.rel.columns.iter().map(|column| (column.name.to_string(), column.ty.name().to_string())).collect();
    if tagged("int-or-long") {
        for ((_, recorded), (_, here)) in recorded.iter().zip(&mut here) {
            if ["int", "long"].contains(&recorded.as_str()) && ["int", "long"].contains(&here.as_str()) {
                *here = recorded.clone();
            }
        }
    }
    (recorded != here).then(|| format!("{}: expected {recorded:?}\n  here {here:?}\n  {query}", case["id"]))
}

#[test]
fn recorded_answers_have_the_columns_of_the_bound_query() {
    let Some(path) = testing::shared("conformance/kql-open.jsonl") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let cases: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let catalog = TestCatalog::default();
    let rows: Vec<&Value> = cases.iter().filter(|case| case["expect"] == "rows").collect();
    let wrong: Vec<String> = rows.iter().filter_map(|case| difference(case, &catalog)).collect();
    assert!(wrong.len() <= KNOWN_DIFFERENCES, "{} of {} differ:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}
