//! `tidewatch load`, and Parquet files read in place.

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
fn parquet_named_after_a_table_is_read_in_place() {
    let folder = folder_with_launches();
    let rows = "AWSCloudTrail | project TimeGenerated, EventName, UserIdentityUserName";
    let written =
        folder.run(&["query", rows, "--logs", "logs", "--format", "parquet", "--output", "lake/AWSCloudTrail.parquet"]);
    assert_eq!(written.code, 4, "a folder that is not there is told: {}", written.err);
    std::fs::create_dir(folder.path().join("lake")).unwrap();
    let written =
        folder.run(&["query", rows, "--logs", "logs", "--format", "parquet", "--output", "lake/AWSCloudTrail.parquet"]);
    assert_eq!((written.code, written.out.as_str()), (0, ""), "{}", written.err);
    let ask = |query: &str| {
        let run = folder.run(&["query", query, "--logs", "lake", "--format", "csv"]);
        assert_eq!(run.code, 0, "{}", run.err);
        run.out
    };
    let late = "AWSCloudTrail | where TimeGenerated > datetime(2026-03-02) | project EventName, TimeGenerated";
    assert_eq!(ask(late), "EventName,TimeGenerated\nRunInstances,2026-03-04T12:30:00.0000000Z\n");
    assert_eq!(ask("AWSCloudTrail | where UserIdentityUserName =~ 'MALLORY' | count"), "Count\n3\n");
    assert_eq!(
        ask("AWSCloudTrail | where isempty(ErrorCode) | count"),
        "Count\n4\n",
        "columns of the table that are not in the file are empty"
    );
    let report = folder.run(&["sources", "lake", "--format", "json"]).json();
    assert_eq!(report["tables"]["AWSCloudTrail"]["rows"], 4);
    assert_eq!(report["tables"]["AWSCloudTrail"]["last"], "2026-03-04T12:30:00.0000000Z");
}

#[test]
fn a_lake_can_be_loaded_again() {
    let folder = folder_with_launches();
    for (from, to) in [("logs", "lake"), ("lake", "second")] {
        let run = folder.run(&["load", from, "-o", to]);
        assert_eq!(run.code, 0, "{}", run.err);
        assert!(run.out.contains("AWSCloudTrail: 4 rows"), "{}", run.out);
    }
    let query = "AWSCloudTrail | summarize count(), make_set(_ItemId)";
    let of = |logs: &str| folder.run(&["query", query, "--logs", logs, "--format", "json"]).json();
    assert_eq!(of("second"), of("logs"));
}

#[test]
fn custom_tables_keep_their_types_and_rows_their_places() {
    let folder = folder_with_launches();
    let line = |n: u32| {
        format!(r#"{{"TimeGenerated":"2026-03-01T00:00:0{n}Z","Type":"Own_CL","d":{{"k":[{n}]}},"s":"x{n}"}}"#)
    };
    folder.write("own/own.json", &format!("{}\n{}\n", line(1), line(2)));
    assert_eq!(folder.run(&["load", "own", "-o", "lake"]).code, 0);
    let query = "Own_CL | project s, t = gettype(d), k = d.k[0] | order by s asc";
    let of = |logs: &str| folder.run(&["query", query, "--logs", logs, "--format", "json"]);
    assert!(of("own").out.contains("dictionary"), "{}", of("own").out);
    assert_eq!(of("lake").json(), of("own").json(), "{}", of("lake").err);
    assert_eq!(folder.run(&["load", "logs", "-o", "trail"]).code, 0);
    let sources = |logs: &str| {
        let hunt = folder.run(&["hunt", "rules", "--logs", logs, "--format", "json"]).json();
        hunt["alerts"].as_array().unwrap().iter().map(|alert| alert["rows"][0]["sources"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(sources("trail"), sources("logs"), "the table and the id of the records as well");
}

#[test]
fn standard_input_globs_and_folders_give_the_same_rows() {
    let folder = folder_with_launches();
    let query = "AWSCloudTrail | summarize n = count(), ids = array_sort_asc(make_set(_ItemId))";
    let of = |logs: &str, input: &str| {
        let run = folder.run_with_input(&["query", query, "--logs", logs, "--format", "json"], input);
        assert_eq!(run.code, 0, "{logs}: {}", run.err);
        run.out
    };
    let from_folder = of("logs", "");
    assert!(from_folder.contains("\"n\":4"), "{from_folder}");
    assert_eq!(of("logs/*", ""), from_folder);
    let mut texts: Vec<_> =
        std::fs::read_dir(folder.path().join("logs")).unwrap().map(|file| file.unwrap().path()).collect();
    texts.sort();
    let all: String = texts.iter().map(|path| std::fs::read_to_string(path).unwrap() + "\n").collect();
    assert_eq!(of("-", &all), from_folder);
}
