//! Archives of exports, read in place: every member is a source of its own.

use connectors::{LoadOptions, load};

use crate::packed::{self, gzip, tarred};
use crate::support::{column, load_files, load_files_with, write_files};

fn record(name: &str) -> String {
    format!(
        r#"{{"eventID":"{name}","eventTime":"2026-03-01T00:00:00Z","eventName":"{name}","eventSource":"s","awsRegion":"r"}}"#
    )
}

/// A zip archive with a directory before its members.
fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    packed::zipped(&[&[("logs/", &b""[..])], members].concat())
}

#[test]
fn members_of_every_kind_of_archive_are_sources() {
    let (a, b, c) = (record("A"), record("B"), gzip(record("C").as_bytes()));
    let members: Vec<(&str, &[u8])> = vec![
        ("logs/a.json", a.as_bytes()),
        ("__MACOSX/._a.json", b"junk"),
        ("logs/b.json", b.as_bytes()),
        ("c.json.gz", &c),
        ("d.bin", b"\x01\x02\x03\x04\x05"),
    ];
    for (name, bytes) in [
        ("x.zip", zipped(&members)),
        ("x.tar", tarred(&members)),
        ("x.tgz", gzip(&tarred(&members))),
        ("outer.zip", zipped(&[("inner.zip", &zipped(&members))])),
        ("outer.tar.gz", gzip(&tarred(&[("inner.tar", &tarred(&members))]))),
    ] {
        let loaded = load_files(&[(name, &bytes)]);
        assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A", "B", "C"], "{name}");
        let sources = &loaded.report.sources;
        let names: Vec<&str> = sources.iter().filter_map(|source| source.member.as_deref()).collect();
        let inner = if name.starts_with("outer") { "inner." } else { "" };
        assert!(names[0].starts_with(inner) && names[0].ends_with("logs/a.json"), "{name}: {names:?}");
        assert_eq!(sources.last().unwrap().member, None, "the archive itself comes last");
        let shown =
            |index: usize| (sources[index].format.as_str(), sources[index].rows, sources[index].unreadable_count());
        assert_eq!([shown(0), shown(2), shown(3)], [("json", 1, 0), ("json, gzip", 1, 0), ("binary", 0, 1)]);
        assert!(sources.iter().all(|source| source.sha256.len() == 64 && source.stopped.is_none()), "{sources:#?}");
    }
}

#[test]
fn members_outside_the_times_are_not_opened() {
    let (a, b, c) = (record("A"), record("B"), record("C"));
    let members: Vec<(&str, &[u8])> = vec![
        ("AWSLogs/1/CloudTrail/2026/02/20/a.json", a.as_bytes()),
        ("AWSLogs/1/CloudTrail/2026/03/01/b.json", b.as_bytes()),
        ("notes/c.json", c.as_bytes()),
        // Would be counted as unreadable.
        ("AWSLogs/1/CloudTrail/2026/04/01/d.json", b"no log"),
    ];
    let day = |text: &str| Some(kql_types::datetime::parse(text).unwrap());
    let options = LoadOptions { from: day("2026-03-01"), to: day("2026-03-03"), ..LoadOptions::default() };
    for (name, bytes) in [
        ("x.zip", zipped(&members)),
        ("x.tgz", gzip(&tarred(&members))),
        ("x.7z", crate::binary::seven_zip(&members)),
        ("outer.tar", tarred(&[("inner.zip", &zipped(&members))])),
    ] {
        let loaded = load_files_with(&[(name, &bytes)], &options);
        assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["B", "C"], "{name}");
        let archive = loaded.report.sources.last().unwrap();
        assert_eq!((archive.outside, loaded.report.outside, archive.stopped.as_deref()), (2, 2, None), "{name}");
        assert!(loaded.report.sources.iter().all(|source| source.unreadable_count() == 0), "{name}");
        assert_eq!(load_files(&[(name, &bytes)]).report.outside, 0);
    }
}

#[test]
fn raw_records_of_members_are_found_again() {
    let inner = zipped(&[("b.json", format!("{}\n{}", record("A"), record("B")).as_bytes())]);
    let bytes = gzip(&tarred(&[("a.json", record("C").as_bytes()), ("deep/inner.zip", &inner)]));
    let folder = write_files(&[("x.tar.gz", &bytes)]);
    let loaded = load(&[folder.path().to_path_buf()], &LoadOptions::default()).unwrap();
    assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["C", "A", "B"]);
    let places = column(&loaded, "AWSCloudTrail", "__source");
    let raw: Vec<String> = places.iter().map(|place| loaded.raw_record(place.parse().unwrap()).unwrap()).collect();
    assert_eq!(raw, [record("C"), record("A"), record("B")]);
    assert_eq!(loaded.report.sources[1].member.as_deref(), Some("deep/inner.zip/b.json"));
}

#[test]
fn damaged_archives_are_reported_and_hurt_nobody() {
    let members: Vec<(&str, &[u8])> =
        vec![("a.json", b"{\"eventName\":\"A\",\"eventSource\":\"s\",\"awsRegion\":\"r\"}")];
    let (zip, tar) = (zipped(&members), tarred(&members));
    for cut in (5..zip.len()).step_by(7) {
        let loaded = load_files(&[("x.zip", &zip[..cut]), ("y.json", record("B").as_bytes())]);
        assert!(column(&loaded, "AWSCloudTrail", "EventName").contains(&"B".to_owned()));
        assert!(loaded.report.sources.iter().any(|source| source.stopped.is_some()), "cut at {cut}");
    }
    for cut in (262..tar.len()).step_by(97) {
        let loaded = load_files(&[("x.tar", &tar[..cut]), ("y.json", record("B").as_bytes())]);
        assert!(column(&loaded, "AWSCloudTrail", "EventName").contains(&"B".to_owned()), "cut at {cut}");
    }
    let mut nested = zipped(&members);
    for _ in 0..6 {
        nested = zipped(&[("x.zip", &nested)]);
    }
    let loaded = load_files(&[("x.zip", &nested)]);
    let stopped: Vec<&str> = loaded.report.sources.iter().filter_map(|source| source.stopped.as_deref()).collect();
    assert_eq!(stopped, ["more than 4 archives in one another"]);
}

#[test]
fn threads_and_the_written_form_keep_members() {
    let bytes = zipped(&[("a.json", record("A").as_bytes()), ("b.json", record("B").as_bytes())]);
    let folder = write_files(&[("x.zip", &bytes), ("z.json", record("A").as_bytes())]);
    let with = |threads| {
        let options = LoadOptions { threads: Some(threads), ..LoadOptions::default() };
        load(&[folder.path().to_path_buf()], &options).unwrap()
    };
    let (one, four) = (with(1), with(4));
    assert_eq!((one.report.clone(), &one.tables), (four.report, &four.tables));
    let out = tempfile::tempdir().unwrap();
    one.save(out.path()).unwrap();
    let again = load(&[out.path().to_path_buf()], &LoadOptions::default()).unwrap();
    assert_eq!(again.report, one.report);
    assert_eq!(again.raw_record(tables::pack_source(1, 0)).unwrap(), record("B"));
}
