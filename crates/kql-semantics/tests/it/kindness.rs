//! The table "Kinder than the official parser" of `docs/differences.md`: every example is a warning with the code it names,
//! and an error of this code with `strict`; no other code of the binder is a kindness.

use std::collections::BTreeSet;
use std::path::Path;

use kql_types::Severity;
use serde_json::json;

use crate::bind_with;
use crate::catalog::TestCatalog;

const SECTION: &str = "## Kinder than the official parser";

/// (code, example) of each row.
fn listed() -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/differences.md");
    let text = std::fs::read_to_string(page).unwrap();
    let section = text.split(SECTION).nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| KS"));
    let cells = rows.map(|row| row.replace("\\|", "\u{1}"));
    cells
        .map(|row| {
            let cells: Vec<String> = row.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect();
            (cells[1].clone(), cells[3].trim_matches('`').to_string())
        })
        .collect()
}

#[test]
fn every_kindness_is_a_warning_and_an_error_when_asked_for() {
    let tables = json!({"AWSCloudTrail": {"TimeGenerated": "datetime", "AWSRegion": "string"}});
    let catalog = TestCatalog::of_tables(&tables).with_alias("AWSCloudTrail", "AwsRegion", "AWSRegion");
    let listed = listed();
    assert!(listed.len() >= 7, "{listed:?}");
    for (code, example) in &listed {
        let found = |strict: bool| -> Vec<(String, Severity)> {
            let diagnostics = bind_with(example, &catalog, strict).diagnostics;
            diagnostics.into_iter().map(|d| (d.code.to_string(), d.severity)).collect()
        };
        assert_eq!(found(false), [(code.clone(), Severity::Warning)], "{example}");
        assert!(found(true).contains(&(code.clone(), Severity::Error)), "{example}: {:?}", found(true));
    }
}

/// A kindness added to the binder is added to the page: the codes in the calls of `kindness` are those listed.
#[test]
fn every_kindness_of_the_binder_is_listed() {
    fn codes(folder: &Path, into: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                codes(&path, into);
            } else {
                let text = std::fs::read_to_string(path).unwrap();
                for call in text.split(".kindness(").skip(1) {
                    into.insert(call.trim_start().trim_start_matches('"').chars().take(5).collect());
                }
            }
        }
    }
    let mut written = BTreeSet::new();
    codes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut written);
    // A missing table is excused by its severity, not by a call.
    written.insert("KS204".to_string());
    assert_eq!(written, listed().into_iter().map(|(code, _)| code).collect());
}
