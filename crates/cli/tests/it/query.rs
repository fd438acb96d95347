//! `tidewatch query`: results in every form, mistakes with their place.

use serde_json::json;

use crate::logs::folder_with_launches;
use crate::run::Folder;

#[test]
fn results_in_every_text_form() {
    let folder = folder_with_launches();
    let query = "AWSCloudTrail | summarize Calls = count() by EventName | order by Calls desc, EventName asc";
    let run = |format: &str| folder.run(&["query", query, "--logs", "logs", "--format", format]);
    let expected = json!([{"EventName": "RunInstances", "Calls": 3}, {"EventName": "DescribeInstances", "Calls": 1}]);
    assert_eq!(run("json").json(), expected);
    assert_eq!(json!(run("ndjson").lines()), expected);
    assert_eq!(run("csv").out, "EventName,Calls\nRunInstances,3\nDescribeInstances,1\n");
    let table = run("table").out;
    assert!(table.contains("RunInstances") && table.contains("2 rows"), "{table}");
}

#[test]
fn kusto_frames_carry_types_and_values() {
    let folder = Folder::new();
    let query = "print i = int(1), l = 2, r = 1.5, n = real(nan), b = true, t = datetime(2026-03-02T01:02:03.0000001Z), \
        s = 1d + 1s, x = 'a', d = dynamic({\"k\": [1, null]}), m = decimal(1.5)";
    let run = folder.run(&["query", query, "--format", "kusto"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let frames = run.json();
    let kinds: Vec<&str> = frames.as_array().unwrap().iter().map(|f| f["FrameType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["DataSetHeader", "DataTable", "DataTable", "DataTable", "DataSetCompletion"]);
    let primary = &frames[2];
    assert_eq!(primary["TableKind"], "PrimaryResult");
    let types: Vec<&str> =
        primary["Columns"].as_array().unwrap().iter().map(|c| c["ColumnType"].as_str().unwrap()).collect();
    assert_eq!(types, ["int", "long", "real", "real", "bool", "datetime", "timespan", "string", "dynamic", "decimal"]);
    let row = json!([
        1, 2, 1.5, "NaN", true, "2026-03-02T01:02:03.0000001Z", "1.00:00:01", "a", {"k": [1, null]}, "1.5"
    ]);
    assert_eq!(primary["Rows"][0], row);
    assert_eq!(frames[4]["HasErrors"], false);
}

#[test]
fn mistakes_show_their_place_and_are_json_for_programs() {
    let folder = Folder::new();
    let query = "AWSCloudTrail\n| where 'ż😀' == Token";
    let run = folder.run(&["query", query]);
    assert_eq!(run.code, 3);
    assert!(run.err.contains("query:2:17") && run.err.contains("^^^^^"), "{}", run.err);
    assert!(run.out.is_empty());
    let error = &folder.run(&["query", query, "--format", "kusto"]).json()["error"];
    assert_eq!(error["@permanent"], true);
    assert!(error["@message"].as_str().unwrap().contains("Token"), "{error}");
    assert_eq!(error["innererror"]["diagnostics"][0]["line"], 2);
    assert_eq!(error["innererror"]["diagnostics"][0]["start"], 31);
    let file = folder.write("q.kql", "print 1 +");
    let run = folder.run(&["query", "--file", file.to_str().unwrap()]);
    assert!(run.err.contains("q.kql:1:"), "{}", run.err);
}

#[test]
fn the_clock_and_parameters_are_passed_in() {
    let folder = folder_with_launches();
    let now = folder.run(&["query", "print now()", "--as-of", "2026-01-02T03:04:05Z", "--format", "csv"]);
    assert_eq!(now.out, "print_0\n2026-01-02T03:04:05.0000000Z\n");
    let end = folder.run(&[
        "query",
        "AWSCloudTrail | where TimeGenerated > ago(1d) | count",
        "--logs",
        "logs",
        "--format",
        "csv",
    ]);
    assert_eq!(end.out, "Count\n1\n", "now() is the end of the data");
    let query = "declare query_parameters(who:string, least:long = 1);\n\
        AWSCloudTrail | where UserIdentityUserName == who | summarize n = count() | where n >= least";
    let run = folder.run(&[
        "query",
        query,
        "--logs",
        "logs",
        "--param",
        "who=mallory",
        "--param",
        "least=3",
        "--format",
        "csv",
    ]);
    assert_eq!(run.out, "n\n3\n", "{}", run.err);
}

#[test]
fn known_tables_without_data_are_empty_and_schemas_can_be_added() {
    let folder = Folder::new();
    folder.write("tables.json", r#"{"Mine_CL": {"TimeGenerated": "datetime", "Who": "string"}}"#);
    let empty = folder.run(&["query", "SigninLogs | count", "--format", "csv"]);
    assert_eq!(empty.out, "Count\n0\n", "{}", empty.err);
    let mine = folder.run(&["query", "Mine_CL | project Who | count", "--schemas", "tables.json", "--format", "csv"]);
    assert_eq!(mine.out, "Count\n0\n", "{}", mine.err);
    assert_eq!(folder.run(&["query", "Mine_CL | count"]).code, 3);
}

#[test]
fn parquet_output_is_parquet() {
    let folder = folder_with_launches();
    let query = "AWSCloudTrail | project TimeGenerated, EventName, D = dynamic({'a': datetime(2026-01-01)})";
    let run = folder.run(&["query", query, "--logs", "logs", "--format", "parquet", "--output", "out.parquet"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let bytes = std::fs::read(folder.path().join("out.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
}

#[test]
fn parameters_must_be_declared_given_and_of_their_type() {
    let folder = Folder::new();
    let query = "declare query_parameters(n:long, since:datetime = datetime(2026-01-01), span:timespan = 1h); \
        print n = n, since = since, span = span";
    let run = |params: &[&str]| {
        let given = params.iter().flat_map(|param| ["--param", *param]);
        folder.run(&["query", query, "--format", "csv"].into_iter().chain(given).collect::<Vec<_>>())
    };
    let good = run(&["n=5", "since=2026-03-01", "span=2d"]);
    assert_eq!(good.out, "n,since,span\n5,2026-03-01T00:00:00.0000000Z,2.00:00:00\n", "{}", good.err);
    for (params, message) in [
        (vec![], "the parameter `n` of the query has no value: give --param n=VALUE"),
        (vec!["n=five"], "--param n: `five` is not a long"),
        (vec!["n=5", "since=someday"], "--param since: `someday` is not a datetime"),
        (vec!["n=5", "m=1"], "declares no parameter `m`"),
        (vec!["n"], "`n` is not NAME=VALUE"),
    ] {
        let run = run(&params);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{params:?}");
        assert!(run.err.contains(message), "{params:?}: {}", run.err);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = folder_with_launches();
    let query = "range x from 1 to 300000 step 1 | extend y = strcat('value ', x)";
    for format in ["table", "json", "ndjson", "csv", "kusto", "parquet"] {
        let (code, err) = folder.run_with_closed_output(&["query", query, "--format", format]);
        assert_eq!((code, err.as_str()), (0, ""), "{format}");
    }
    for args in [&["sources", "logs"][..], &["check", "rules"], &["--help"], &["query", "--help"]] {
        let (code, err) = folder.run_with_closed_output(args);
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
    }
}

#[test]
fn several_results_are_all_shown_or_told() {
    let folder = Folder::new();
    let query = "range x from 1 to 3 step 1 | fork (count) (where x > 1)";
    let shown = folder.run(&["query", query]);
    assert!(shown.out.contains("Count") && shown.out.contains("2 rows"), "{}", shown.out);
    let frames = folder.run(&["query", query, "--format", "kusto"]).json();
    let results = frames.as_array().unwrap().iter().filter(|frame| frame["TableKind"] == "PrimaryResult");
    assert_eq!(results.count(), 2);
    let first = folder.run(&["query", query, "--format", "csv"]);
    assert_eq!(first.out, "Count\n3\n");
    assert!(first.err.contains("warning: the query has 2 results, csv holds the first"), "{}", first.err);
}

#[test]
fn a_pipe_gets_no_progress_and_no_colour() {
    let folder = folder_with_launches();
    let run = folder.run(&["query", "AWSCloudTrail | count", "--logs", "logs", "--format", "csv"]);
    assert_eq!((run.out.as_str(), run.err.as_str()), ("Count\n4\n", ""));
    let wrong = folder.run(&["query", "AWSCloudTrail | where Nope == 1", "--logs", "logs"]);
    assert!(!wrong.err.contains('\u{1b}') && !wrong.out.contains('\u{1b}'), "{}", wrong.err);
}

#[test]
fn a_column_that_unpacked_data_did_not_bring_is_null() {
    let folder = Folder::new();
    let bags = "datatable(Bag:dynamic)[dynamic({'a': 1}), dynamic({'a': 53})] | evaluate bag_unpack(Bag)";
    let rows = |rest: &str| {
        let run = folder.run(&["query", &format!("{bags} | {rest}"), "--format", "json"]);
        assert_eq!(run.code, 0, "{rest}: {}", run.err);
        run.json().as_array().unwrap().len()
    };
    assert_eq!(rows("extend Port = tolong(port) | where isnull(Port)"), 2);
    assert_eq!(rows("where port == 53"), 0);
    assert_eq!(rows("where a == 53"), 1);
}
