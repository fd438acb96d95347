//! Automatic column names: the recorded probes.

use kql_types::Severity;
use serde_json::Value;

use crate::catalog::TestCatalog;
use crate::{bind_with, columns, has_error, recorded_columns};

/// Where the engine's answer is another than the static analyser's: `kind=inner` keeps the common columns alone, and
/// `scan` shows the match id only when asked.
const ENGINE_DIFFERS: &[&str] = &["union kind=inner", "| scan declare"];

/// Runs one probe; the difference, if any.
fn difference(probe: &Value) -> Option<String> {
    let catalog = TestCatalog::of_tables(&probe["schema"]);
    let query = probe["query"].as_str().unwrap();
    let bound = bind_with(query, &catalog, true);
    let ok = probe["ok"].as_bool().unwrap();
    let messages: Vec<String> = bound.diagnostics.iter().map(|d| format!("{}: {}", d.code, d.message)).collect();
    if ok == has_error(&bound) {
        return Some(format!("{query}\n  ok {ok}, here {messages:?}"));
    }
    if ENGINE_DIFFERS.iter().any(|part| query.contains(part)) {
        return None;
    }
    let recorded = recorded_columns(&probe["result"]);
    if !probe["result"].is_null() && recorded != columns(&bound) {
        return Some(format!("{query}\n  expected {recorded:?}\n  here     {:?}\n  {messages:?}", columns(&bound)));
    }
    let open = probe["open"].as_bool().unwrap_or(false);
    if open != bound.open {
        return Some(format!("{query}\n  open {open}, here {}", bound.open));
    }
    for expected in probe["diagnostics"].as_array().into_iter().flatten() {
        let expected = expected.as_str().unwrap_or_default();
        let (severity, message) = match expected.split_once(": ") {
            Some(("Error", message)) => (Severity::Error, message),
            Some(("Warning", message)) => (Severity::Warning, message),
            _ => (Severity::Error, expected),
        };
        let found = bound.diagnostics.iter().any(|d| d.severity == severity && d.message == message);
        if !found {
            return Some(format!("{query}\n  expected {expected:?}, here {messages:?}"));
        }
    }
    None
}

#[test]
fn automatic_names_are_as_recorded() {
    let Some(path) = testing::shared("corpus/autonames.jsonl") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let probes: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let wrong: Vec<String> = probes.iter().filter_map(difference).collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), probes.len(), wrong.join("\n"));
}
