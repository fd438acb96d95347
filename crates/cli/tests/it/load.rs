//! `tidewatch load` and `tidewatch sources`.

use crate::logs::folder_with_launches;

#[test]
fn loaded_tables_answer_as_the_logs_do() {
    let folder = folder_with_launches();
    let run = folder.run(&["load", "logs", "--output", "lake"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("AWSCloudTrail: 4 rows"), "{}", run.out);
    let query = "AWSCloudTrail | summarize count(), max(TimeGenerated), make_set(_ItemId) by EventName | order by EventName asc";
    let of = |logs: &str| folder.run(&["query", query, "--logs", logs, "--format", "json"]);
    assert_eq!(of("lake").json(), of("logs").json(), "{}", of("lake").err);
    let hunt = |logs: &str| folder.run(&["hunt", "rules", "--logs", logs, "--format", "json"]).json();
    let (lake, logs) = (hunt("lake"), hunt("logs"));
    assert_eq!(lake["alerts"].as_array().unwrap().len(), 2, "{lake}");
    for (a, b) in lake["alerts"].as_array().unwrap().iter().zip(logs["alerts"].as_array().unwrap()) {
        assert_eq!(a["rows"][0]["values"], b["rows"][0]["values"]);
        assert_eq!(a["rows"][0]["sources"][0]["path"], b["rows"][0]["sources"][0]["path"], "{a}");
        assert_eq!(a["rows"][0]["sources"][0]["record"], b["rows"][0]["sources"][0]["record"]);
    }
}

#[test]
fn sources_tell_what_is_there() {
    let folder = folder_with_launches();
    folder.write("logs/odd.json", "{\"hello\": \"world\"}\n");
    let report = folder.run(&["sources", "logs", "--format", "json"]).json();
    assert_eq!(report["tables"]["AWSCloudTrail"]["rows"], 4);
    assert_eq!(report["tables"]["AWSCloudTrail"]["first"], "2026-03-01T08:00:00.0000000Z");
    assert_eq!(report["tables"]["AWSCloudTrail"]["seen"]["AWSRegion"]["eu-south-2"], 4);
    for source in report["sources"].as_array().unwrap() {
        let sum = |field: &str| {
            source[field].as_object().unwrap().values().map(|t| t["count"].as_u64().unwrap()).sum::<u64>()
        };
        let counted = source["rows"].as_u64().unwrap() + source["duplicates"].as_u64().unwrap();
        assert_eq!(source["records"].as_u64().unwrap(), counted + sum("other") + sum("unreadable"), "{source}");
    }
    let shown = folder.run(&["sources", "logs"]);
    assert!(shown.out.contains("AWSCloudTrail: 4 rows"), "{}", shown.out);
    assert!(shown.out.contains("gap"), "three days without an event: {}", shown.out);
}
