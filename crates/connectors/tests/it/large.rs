//! Logs larger than memory may hold, and files larger than one thread should decode.

use std::fs::File;

use connectors::{LoadOptions, Loaded, load, load_into};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::{batch_rows, rows, write_files};

fn record(number: usize, time: &str) -> String {
    let filler = "x".repeat(900);
    format!(
        r#"{{"eventID":"{number}","eventTime":"{time}","eventName":"N{}","eventSource":"s","awsRegion":"r","requestParameters":{{"n":{number},"filler":"{filler}"}}}}"#,
        number % 50
    )
}

/// Rows of a table in memory, then those in files.
fn all_rows(loaded: &Loaded, table: &str) -> Vec<Vec<String>> {
    let mut all = rows(loaded, table);
    for file in loaded.parquet.iter().filter(|file| file.table == table) {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&file.path).unwrap()).unwrap();
        let mut count = 0;
        for batch in reader.build().unwrap() {
            let batch = batch.unwrap();
            count += batch.num_rows() as u64;
            all.extend(batch_rows(&batch, &loaded.schemas[table]));
        }
        assert_eq!(count, file.rows);
    }
    all
}

/// Several tables, one of them custom, with rows that repeat.
fn logs() -> tempfile::TempDir {
    let trail: Vec<String> = (0..3_000).map(|n| record(n % 2_900, "2026-03-01T00:00:00Z")).collect();
    let custom: Vec<String> = (0..2_000)
        .map(|n| format!(r#"{{"TimeGenerated":"2026-03-01T00:00:01Z","Type":"Own_CL","n":{},"s":"{n}"}}"#, n % 3))
        .collect();
    let same =
        r#"{"time":"2026-03-01T00:00:00Z","category":"Administrative","operationName":"A/B/write","resourceId":"/x"}"#;
    write_files(&[
        ("a.json", format!("{{\"Records\":[{}]}}", trail.join(",")).as_bytes()),
        ("b.json", custom.join("\n").as_bytes()),
        ("c.json", format!("{same}\n{same}\n").as_bytes()),
        ("d.json", format!("{same}\n").as_bytes()),
    ])
}

#[test]
fn rows_beyond_the_memory_allowed_are_in_files_and_are_the_same() {
    let folder = logs();
    let paths = [folder.path().to_path_buf()];
    let held = load(&paths, &LoadOptions::default()).unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let spill_folder = Some(temporary.path().to_path_buf());
    let options = LoadOptions { memory_bytes: 0, spill_folder, ..LoadOptions::default() };
    let spilled = load(&paths, &options).unwrap();
    assert!(spilled.parquet.iter().any(|file| file.table == "AWSCloudTrail"), "{:?}", spilled.parquet);
    assert_eq!(spilled.report, held.report);
    assert_eq!(spilled.schemas, held.schemas);
    for (table, expected) in [("AWSCloudTrail", 2_900), ("Own_CL", 2_000), ("AzureActivity", 2)] {
        let found = all_rows(&spilled, table);
        assert_eq!(found.len(), expected, "{table}");
        assert_eq!(found, all_rows(&held, table), "{table}");
    }
    drop(spilled);
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "the folder goes with the load");
}

#[test]
fn loading_into_a_folder_gives_what_saving_gives() {
    let folder = logs();
    let paths = [folder.path().to_path_buf()];
    let (streamed, saved) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let written = load_into(&paths, &LoadOptions::default(), streamed.path()).unwrap();
    assert!(written.tables.is_empty());
    load(&paths, &LoadOptions::default()).unwrap().save(saved.path()).unwrap();
    let again = |folder: &tempfile::TempDir| load(&[folder.path().to_path_buf()], &LoadOptions::default()).unwrap();
    let (streamed_again, saved_again) = (again(&streamed), again(&saved));
    assert_eq!(streamed_again.report, saved_again.report);
    assert_eq!(written.parquet, streamed_again.parquet);
    for table in ["AWSCloudTrail", "Own_CL", "AzureActivity"] {
        assert_eq!(all_rows(&streamed_again, table), all_rows(&saved_again, table), "{table}");
    }
    // A second load into the same folder replaces what the first wrote.
    let other = write_files(&[("e.json", record(1, "2026-03-01T00:00:00Z").as_bytes())]);
    load_into(&[other.path().to_path_buf()], &LoadOptions::default(), streamed.path()).unwrap();
    let mut names: Vec<String> = std::fs::read_dir(streamed.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["AWSCloudTrail.parquet", "tidewatch-load.json"]);
}

#[test]
fn files_do_not_depend_on_the_number_of_threads() {
    let folder = logs();
    let bytes = |threads| {
        let out = tempfile::tempdir().unwrap();
        let options = LoadOptions { threads: Some(threads), ..LoadOptions::default() };
        load_into(&[folder.path().to_path_buf()], &options, out.path()).unwrap();
        let mut files: Vec<_> = std::fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.iter().map(|path| std::fs::read(path).unwrap()).collect::<Vec<_>>()
    };
    assert!(bytes(1) == bytes(4));
}

#[test]
fn times_that_nanoseconds_cannot_hold_are_written_apart() {
    let times =
        ["2026-03-01T00:00:00.1234567Z", "0001-01-01T00:00:01Z", "9999-12-31T23:59:59Z", "2026-03-02T00:00:00Z"];
    let text: Vec<String> = times.iter().enumerate().map(|(number, time)| record(number, time)).collect();
    let logs = write_files(&[("a.json", text.join("\n").as_bytes())]);
    let paths = [logs.path().to_path_buf()];
    let out = tempfile::tempdir().unwrap();
    let written = load_into(&paths, &LoadOptions::default(), out.path()).unwrap();
    let mut expected = rows(&load(&paths, &LoadOptions::default()).unwrap(), "AWSCloudTrail");
    let mut found = all_rows(&written, "AWSCloudTrail");
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(written.parquet.iter().map(|file| file.rows).collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn a_large_file_is_one_source_whoever_decodes_it() {
    let mut text = String::new();
    for number in 0..20_000 {
        if number % 3_000 == 2_999 {
            text.push_str("no record at all\n");
        }
        text.push_str(&record(number % 19_000, "2026-03-01T00:00:00Z"));
        text.push('\n');
    }
    let repeated =
        r#"{"time":"2026-03-01T00:00:00Z","category":"Administrative","operationName":"A/B/write","resourceId":"/x"}"#;
    text.push_str(&format!("{repeated}\n").repeat(3));
    let folder = write_files(&[("a.json", text.as_bytes())]);
    let with = |threads| {
        let options = LoadOptions { threads: Some(threads), ..LoadOptions::default() };
        load(&[folder.path().to_path_buf()], &options).unwrap()
    };
    let (one, four) = (with(1), with(4));
    assert_eq!(one.report, four.report);
    assert_eq!(one.tables, four.tables);
    let source = &one.report.sources[0];
    assert!(source.adds_up(), "{source:#?}");
    assert_eq!((source.records, source.duplicates, source.bytes), (20_009, 1_000, text.len() as u64));
    let bad = &source.unreadable["not JSON"];
    assert_eq!((bad.count, bad.first.line, bad.first.record), (6, 3_000, 2_999));
    assert_eq!(rows(&one, "AzureActivity").len(), 3, "equal lines of one file are events of their own");
    // A record of a later stretch is found again at its place.
    let (place, name) = crate::support::place_of(&one, "AWSCloudTrail", 18_500);
    assert!(one.raw_record(place).unwrap().contains(&format!("\"eventName\":\"{name}\"")));
    let found = one.rows_at(&[place].into(), &|_| true).unwrap();
    assert_eq!((found[0].place, found[0].table.as_str(), found.len()), (place, "AWSCloudTrail", 1));
    assert!(found[0].time.is_some() && found[0].item_id.is_some());
}

/// The same load on one thread and on four.
fn on_one_and_four(name: &str, text: &str) -> Loaded {
    let folder = write_files(&[(name, text.as_bytes())]);
    let with = |threads| {
        let options = LoadOptions { threads: Some(threads), ..LoadOptions::default() };
        load(&[folder.path().to_path_buf()], &options).unwrap()
    };
    let (one, four) = (with(1), with(4));
    assert_eq!(one.report, four.report);
    assert_eq!(one.tables, four.tables);
    let source = &one.report.sources[0];
    assert!(source.adds_up() && source.bytes == text.len() as u64, "{source:#?}");
    for row in [0, one.report.tables["AWSCloudTrail"].rows as usize - 1] {
        let (place, name) = crate::support::place_of(&one, "AWSCloudTrail", row);
        assert!(one.raw_record(place).unwrap().contains(&name));
    }
    one
}

#[test]
fn a_large_file_of_columns_is_one_source_whoever_decodes_it() {
    let mut text = String::from("TimeGenerated [UTC],Type,EventName,RequestParameters,Own\n");
    for number in 0..40_000 {
        match number % 9_000 {
            8_999 => text.push_str("\"3/1/2026 10:00\",AWSCloudTrail,too,many,cells,of,a,row\n"),
            4_000 => text.push_str("3/1/2026 10:00,AWSCloudTrail,E,,1.23E+11\n"),
            _ => {}
        }
        let filler = "x".repeat(300);
        text.push_str(&format!(
            "\"3/1/2026, 10:00:00.000 AM\",AWSCloudTrail,N{number},\"{{\"\"n\"\":{number},\n\"\"f\"\":\"\"{filler}\"\"}}\",\n"
        ));
    }
    text.push_str("2026-03-01T00:00:00Z,AWSCloudTrail,Last,,\n");
    assert!(text.len() > 12 << 20);
    let loaded = on_one_and_four("rows.csv", &text);
    let source = &loaded.report.sources[0];
    assert_eq!((source.records, source.rows, source.unreadable_count()), (40_009, 40_005, 4), "{source:#?}");
    let bad = &source.unreadable["8 cells where the first row names 5"];
    assert_eq!((bad.first.line, bad.first.record), (2 * 8_999 + 3, 9_000));
    assert!(source.notes.iter().any(|note| note.starts_with("Own: 4 numbers")), "{:?}", source.notes);
}

#[test]
fn a_large_file_of_lines_is_one_source_whoever_decodes_it() {
    let mut text = String::new();
    for number in 0..60_000 {
        let filler = "y".repeat(200);
        text.push_str(&format!("<34>Mar  1 10:00:{:02} host{number} sshd[812]: Failed {filler}\n\n", number % 60));
        if number % 25_000 == 24_999 {
            text.push_str("words of no format\n");
        }
    }
    let folder = write_files(&[("x.log", text.as_bytes())]);
    let with = |threads| {
        let options = LoadOptions { threads: Some(threads), ..LoadOptions::default() };
        load(&[folder.path().to_path_buf()], &options).unwrap()
    };
    let (one, four) = (with(1), with(4));
    assert_eq!(one.report, four.report);
    assert_eq!(one.tables, four.tables);
    let source = &one.report.sources[0];
    assert_eq!((source.records, source.rows, source.bytes), (60_002, 60_000, text.len() as u64));
    assert_eq!(source.unreadable["line of no known format"].first.line, 50_001);
}
