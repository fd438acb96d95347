//! The report of a hunt: its sections, its page, the same bytes twice.

use serde_json::json;

use crate::logs::{LAUNCH_RULE, folder_with_launches, launch, trail};
use crate::run::Folder;

#[test]
fn the_document_has_every_section() {
    let folder = folder_with_launches();
    let report = folder.run(&["hunt", "rules", "--logs", "logs", "--format", "json"]).json();
    let incidents = report["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 2, "each alert of a rule without grouping is an incident");
    assert_eq!(incidents[0]["alerts"], json!([report["alerts"][0]["id"]]), "newest first");
    assert_eq!(report["alerts"][0]["incident"], incidents[0]["number"]);
    assert_eq!(report["entities"][0]["label"], "203.0.113.9");
    assert_eq!(report["entities"][0]["alerts"], json!([report["alerts"][1]["id"], report["alerts"][0]["id"]]));
    assert_eq!(report["timeline"][0]["alert"], report["alerts"][1]["id"], "oldest first");
    let technique = &report["coverage"][0];
    assert_eq!((&technique["technique"], &technique["states"]), (&json!("T1578.002"), &json!({"fired": 1})));
    assert_eq!(technique["name"], "Create Cloud Instance");
    assert_eq!((&technique["rules_with_tests"], &technique["alerts"]), (&json!(0), &json!(2)));
    let table = &report["tables"]["AWSCloudTrail"];
    assert_eq!(
        table["sparkline"]["rows"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum::<u64>(),
        table["rows"]
    );
    assert!(report["rules"][0]["query"].as_str().unwrap().contains("RunInstances"));
    let next = report["alerts"][0]["next"].as_array().unwrap();
    let query = next[0]["query"].as_str().unwrap();
    let run = folder.run(&["query", query, "--logs", "logs", "--format", "ndjson"]);
    assert!(run.code == 0 && run.out.contains("i-0bbb"), "what to ask next runs: {query}\n{}{}", run.out, run.err);
}

#[test]
fn the_page_is_whole_and_the_same_twice() {
    let folder = folder_with_launches();
    let page = |threads: &str| {
        let run = folder.run(&["hunt", "rules", "--logs", "logs", "--format", "html", "--threads", threads]);
        assert_eq!(run.code, 1, "{}", run.err);
        run.out
    };
    let first = page("1");
    assert_eq!(first, page("4"), "the same bytes on any number of threads");
    assert!(first.starts_with("<!doctype html>") && first.trim_end().ends_with("</html>"));
    for part in ["Content-Security-Policy", "default-src 'none'", "i-0bbb", "203.0.113.9", "Instance launched"] {
        assert!(first.contains(part), "{part}");
    }
    for outside in ["src=\"http", "href=\"http", "@import", "url("] {
        assert!(!first.contains(outside), "{outside}");
    }
}

#[test]
fn what_an_attacker_logs_stays_text() {
    let folder = Folder::new();
    folder.write("rules/launch.yaml", LAUNCH_RULE);
    let mut record =
        launch(1, "2026-03-01T12:00:00Z", "</script><script>alert(1)</script>", "i-\u{202e}gpj.exe\"><img src=x>");
    record["userAgent"] = json!("\u{1b}]0;owned\u{7}<!--");
    folder.write("logs/trail.json", &trail(&[record]));
    let clean = folder_with_launches().run(&["hunt", "rules", "--logs", "logs", "--format", "html"]).out;
    let page = folder.run(&["hunt", "rules", "--logs", "logs", "--format", "html"]).out;
    assert_eq!(page.matches("<script").count(), clean.matches("<script").count(), "no element of the log's");
    assert!(!page.contains("<img") && !page.contains(['\u{1b}', '\u{7}', '\u{202e}']));
    assert!(page.contains("\\u003c/script\\u003e\\u003cscript\\u003ealert(1)"), "it is there, as text");
    assert!(page.contains("⟨U+202E⟩gpj.exe"));
}
