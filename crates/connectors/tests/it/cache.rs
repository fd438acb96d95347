//! A load with a cache gives what a load without one gives, and parses only what is new.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use connectors::{CacheOptions, CacheUse, LoadOptions, Loaded, cache_state, clear_cache, load, load_into};

use crate::packed::{gzip, tarred, zipped};
use crate::support::{check_account, write_files};

fn record(name: &str, day: u32) -> String {
    format!(
        r#"{{"eventID":"{name}","eventTime":"2026-03-{day:02}T00:00:00Z","eventName":"{name}","eventSource":"s","awsRegion":"r"}}"#
    )
}

fn lines(records: impl IntoIterator<Item = String>) -> Vec<u8> {
    records.into_iter().map(|record| record + "\n").collect::<String>().into_bytes()
}

/// Logs of several kinds, with duplicates over files, equal lines, things that cannot be read, archives and drafts.
fn logs() -> tempfile::TempDir {
    let many = (0..9_000).map(|n| record(&format!("Many{n}"), n % 28 + 1));
    let same =
        r#"{"time":"2026-03-01T00:00:00Z","category":"Administrative","operationName":"A/B/write","resourceId":"/x"}"#;
    let own =
        (0..40).map(|n| format!(r#"{{"TimeGenerated":"2026-03-01T00:00:01Z","Type":"Own_CL","n":{n},"d":{{}}}}"#));
    write_files(&[
        ("a/many.json", &lines(many)),
        ("a/again.json.gz", &gzip(&lines((0..50).map(|n| record(&format!("Many{}", n * 3), n * 3 % 28 + 1))))),
        ("b/same.json", format!("{same}\n{same}\nno record\n").as_bytes()),
        ("b/same2.json", format!("{same}\n").as_bytes()),
        ("c/own.json", &lines(own)),
        ("c/rows.csv", b"TimeGenerated [UTC],Type,EventName\n\"3/1/2026, 10:00:00.000 AM\",AWSCloudTrail,FromCsv\n"),
        ("d/x.zip", &zipped(&[("2026/03/01/a.json", record("Zipped", 1).as_bytes()), ("b.bin", b"\x01\x02\x03\x04")])),
        ("d/y.tgz", &gzip(&tarred(&[("in.zip", &zipped(&[("z.json", record("Deep", 2).as_bytes())]))]))),
        ("e/empty.json", b""),
        ("e/foreign.bin", b"\x00\x01\x02\x03\x04\x05"),
    ])
}

/// The present of a load that begins well after the files were written.
fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(60)
}

fn with_cache(folder: &Path) -> LoadOptions {
    let cache = CacheOptions { folder: folder.to_path_buf(), bytes_max: 1 << 30, keep_all: false, now: later() };
    LoadOptions { cache: Some(cache), ..LoadOptions::default() }
}

fn used(loaded: &Loaded) -> CacheUse {
    loaded.cache.clone().unwrap()
}

/// (reused, kept, damaged)
fn counts(loaded: &Loaded) -> (u64, u64, u64) {
    let used = used(loaded);
    assert_eq!(used.failed, None);
    (used.reused, used.kept, used.damaged)
}

#[track_caller]
fn assert_same(found: &Loaded, fresh: &Loaded) {
    assert_eq!(found.report, fresh.report);
    assert_eq!(found.tables, fresh.tables);
    assert_eq!(found.schemas, fresh.schemas);
    assert_eq!(found.parquet, fresh.parquet);
    check_account(found);
}

#[test]
fn the_second_load_parses_nothing_and_gives_the_same() {
    let (logs, cache) = (logs(), tempfile::tempdir().unwrap());
    let paths = [logs.path().to_path_buf()];
    let fresh = load(&paths, &LoadOptions::default()).unwrap();
    assert!(fresh.report.sources.iter().any(|source| source.duplicates > 0));
    let options = with_cache(cache.path());
    let first = load(&paths, &options).unwrap();
    assert_same(&first, &fresh);
    assert_eq!(counts(&first), (0, 10, 0));
    for threads in [1, 4] {
        let second = load(&paths, &LoadOptions { threads: Some(threads), ..options.clone() }).unwrap();
        assert_same(&second, &fresh);
        assert_eq!(counts(&second), (10, 0, 0));
    }
    // What is written is the same to the byte, also where rows do not fit memory.
    let bytes = |options: &LoadOptions| {
        let out = tempfile::tempdir().unwrap();
        load_into(&paths, options, out.path()).unwrap();
        let mut files: Vec<_> = std::fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.iter().map(|path| std::fs::read(path).unwrap()).collect::<Vec<_>>()
    };
    assert!(bytes(&options) == bytes(&LoadOptions::default()));
    // The raw records are found as before.
    let second = load(&paths, &options).unwrap();
    let place = crate::support::place_of(&second, "AWSCloudTrail", 100).0;
    assert_eq!(second.raw_record(place).unwrap(), fresh.raw_record(place).unwrap());
}

#[test]
fn only_what_changed_is_parsed_again() {
    let (logs, cache) = (logs(), tempfile::tempdir().unwrap());
    let paths = [logs.path().to_path_buf()];
    let options = with_cache(cache.path());
    load(&paths, &options).unwrap();
    let check = |expected: (u64, u64, u64), what: &str| {
        let found = load(&paths, &options).unwrap();
        assert_same(&found, &load(&paths, &LoadOptions::default()).unwrap());
        assert_eq!(counts(&found), expected, "{what}");
    };
    let at = |name: &str| logs.path().join(name);
    let before = std::fs::read(at("b/same2.json")).unwrap();
    std::fs::write(at("b/same2.json"), [&before[..], &lines([record("More", 3)])].concat()).unwrap();
    check((9, 1, 0), "a file that grew");
    let mut changed = std::fs::read(at("a/many.json")).unwrap();
    changed[12] = b'X';
    let modified = at("a/many.json").metadata().unwrap().modified().unwrap();
    std::fs::write(at("a/many.json"), changed).unwrap();
    File::options().append(true).open(at("a/many.json")).unwrap().set_modified(modified).unwrap();
    if cfg!(unix) {
        check((9, 1, 0), "other bytes of the same number, with the old time put back");
    }
    std::fs::remove_file(at("a/many.json")).unwrap();
    check((9, 0, 0), "a file that went, and with it what made others duplicates");
    std::fs::write(at("a/new.json"), lines([record("New", 4), record("More", 3)])).unwrap();
    check((9, 1, 0), "a file that came, before one that says the same");
    std::fs::rename(at("c"), at("a/c")).unwrap();
    check((8, 2, 0), "a folder that moved: paths are part of what is reported");
}

#[test]
fn what_decides_the_rows_decides_the_entry() {
    let (logs, cache) = (logs(), tempfile::tempdir().unwrap());
    let paths = [logs.path().to_path_buf()];
    let options = with_cache(cache.path());
    load(&paths, &options).unwrap();
    let mut schemas = tables::SchemaSet::builtin();
    schemas.add_json(r#"{"Own_CL": {"TimeGenerated": "datetime", "n": "string"}}"#).unwrap();
    for other in [
        LoadOptions { zone: connectors::zone("Europe/Warsaw"), ..options.clone() },
        LoadOptions { table: Some("All_CL".to_owned()), ..options.clone() },
        LoadOptions { source: Some("okta".to_owned()), ..options.clone() },
        LoadOptions { schemas, ..options.clone() },
        LoadOptions { batch_rows: 100, ..options.clone() },
    ] {
        let found = load(&paths, &other).unwrap();
        assert_eq!(counts(&found).0, 0, "{other:?}");
        assert_same(&found, &load(&paths, &LoadOptions { cache: None, ..other.clone() }).unwrap());
        assert_same(&load(&paths, &other).unwrap(), &found);
    }
    // Times leave out a member of the one archive whose members have dates, and nothing of the others.
    let day = |text: &str| kql_types::datetime::parse(text);
    for (from, outside) in [("2026-03-01", 0), ("2026-03-09", 1)] {
        let timed = LoadOptions { from: day(from), ..options.clone() };
        for _ in 0..2 {
            let found = load(&paths, &timed).unwrap();
            assert_eq!((counts(&found).0, found.report.outside), (9, outside), "{from}");
            assert_same(&found, &load(&paths, &LoadOptions { cache: None, ..timed.clone() }).unwrap());
        }
    }
    assert_eq!(counts(&load(&paths, &options).unwrap()), (10, 0, 0), "the whole archive is still known");
}

#[test]
fn damaged_entries_are_counted_and_made_again() {
    let (logs, cache) = (logs(), tempfile::tempdir().unwrap());
    let paths = [logs.path().to_path_buf()];
    let options = with_cache(cache.path());
    let fresh = load(&paths, &options).unwrap();
    let damage: [fn(&mut Vec<u8>); 5] = [
        |bytes| bytes.clear(),
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes.truncate(bytes.len() - 1),
        |bytes| *bytes = b"TWROWS1\n\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
        },
    ];
    for (number, damage) in damage.iter().enumerate() {
        let entries = entries(cache.path());
        assert_eq!(entries.len(), 10);
        for path in &entries[..3] {
            let mut bytes = std::fs::read(path).unwrap();
            damage(&mut bytes);
            std::fs::write(path, bytes).unwrap();
        }
        let found = load(&paths, &options).unwrap();
        assert_same(&found, &fresh);
        assert_eq!(counts(&found), (7, 3, 3), "damage {number}");
        assert_eq!(counts(&load(&paths, &options).unwrap()), (10, 0, 0));
    }
}

fn entries(cache: &Path) -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(cache)
        .unwrap()
        .map(|shard| shard.unwrap().path())
        .filter(|shard| shard.is_dir())
        .flat_map(|shard| std::fs::read_dir(shard).unwrap().map(|entry| entry.unwrap().path()))
        .collect();
    found.sort();
    found
}

#[test]
fn files_that_cannot_be_told_from_a_later_state_are_not_kept() {
    let (logs, cache) = (logs(), tempfile::tempdir().unwrap());
    let paths = [logs.path().to_path_buf()];
    let mut options = with_cache(cache.path());
    if let Some(cache) = &mut options.cache {
        cache.now = SystemTime::now();
    }
    assert_eq!(counts(&load(&paths, &options).unwrap()), (0, 0, 0));
    // A file that is read in part is read again.
    let torn = gzip(&lines((0..200).map(|n| record(&format!("Torn{n}"), 1))));
    std::fs::write(logs.path().join("torn.json.gz"), &torn[..torn.len() / 2]).unwrap();
    let options = with_cache(cache.path());
    assert_eq!(counts(&load(&paths, &options).unwrap()), (0, 10, 0));
    assert_eq!(counts(&load(&paths, &options).unwrap()), (10, 0, 0));
}

#[test]
fn several_loads_share_a_folder() {
    let (logs, cache) = (logs(), tempfile::tempdir().unwrap());
    let paths = [logs.path().to_path_buf()];
    let fresh = load(&paths, &LoadOptions::default()).unwrap();
    let options = with_cache(cache.path());
    std::thread::scope(|scope| {
        let loads: Vec<_> = (0..6)
            .map(|number| {
                let (paths, options) = (&paths, LoadOptions { threads: Some(number % 3 + 1), ..options.clone() });
                scope.spawn(move || load(paths, &options).unwrap())
            })
            .collect();
        for load in loads {
            assert_same(&load.join().unwrap(), &fresh);
        }
    });
    assert_eq!(counts(&load(&paths, &options).unwrap()), (10, 0, 0));
    assert_eq!(cache_state(cache.path()).entries, 10);
}

#[test]
fn the_limit_holds_and_the_oldest_go_first() {
    let (logs, cache) = (logs(), tempfile::tempdir().unwrap());
    let paths = [logs.path().to_path_buf()];
    let options = with_cache(cache.path());
    let limited = |bytes_max, keep_all| {
        let cache = options.cache.clone().map(|cache| CacheOptions { bytes_max, keep_all, ..cache });
        load(&paths, &LoadOptions { cache, ..options.clone() }).unwrap()
    };
    // The one large file does not fit; what does is kept.
    let fresh = limited(20_000, false);
    let state = cache_state(cache.path());
    assert!(state.bytes < 20_000 && state.entries > 0 && state.entries < 10, "{state:?}");
    assert_same(&limited(20_000, false), &fresh);
    assert!(cache_state(cache.path()).bytes < 20_000);
    // A load that is to be resumed keeps all; afterwards the limit holds again.
    let all = limited(1 << 30, true);
    assert_eq!(used(&all).kept + used(&all).reused, 10);
    let before = entries(cache.path());
    for (days, entry) in before.iter().enumerate() {
        let used = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * (20 - days as u64));
        File::options().append(true).open(entry).unwrap().set_modified(used).unwrap();
    }
    let kept = cache_state(cache.path()).bytes;
    std::fs::write(logs.path().join("new.json"), lines([record("New", 4)])).unwrap();
    let of_new = options.cache.clone().map(|cache| CacheOptions { bytes_max: kept, ..cache });
    let of_new = LoadOptions { cache: of_new, ..options.clone() };
    assert_eq!(counts(&load(&[logs.path().join("new.json")], &of_new).unwrap()), (0, 1, 0));
    let after = entries(cache.path());
    assert!(after.contains(&before[0]) && !after.contains(&before[9]), "the one not used for longest went");
    assert!(cache_state(cache.path()).bytes <= kept);
    // What a load uses becomes the newest.
    limited(1 << 30, false);
    let touched = before[0].metadata().unwrap().modified().unwrap();
    assert!(touched > SystemTime::now() - Duration::from_secs(3_600));
    // Nothing but entries is ever removed.
    std::fs::write(cache.path().join("ab.txt"), "mine").unwrap();
    std::fs::create_dir_all(cache.path().join("ab")).unwrap();
    std::fs::write(cache.path().join("ab/mine.json"), "mine").unwrap();
    assert!(clear_cache(cache.path()).unwrap().bytes > 0);
    assert_eq!(cache_state(cache.path()), connectors::CacheState::default());
    assert!(cache.path().join("ab.txt").is_file() && cache.path().join("ab/mine.json").is_file());
}

#[test]
fn a_folder_that_cannot_be_written_costs_no_load() {
    let logs = logs();
    let paths = [logs.path().to_path_buf()];
    let blocked = logs.path().join("e/empty.json");
    let options = with_cache(&blocked);
    let found = load(&paths, &options).unwrap();
    assert!(used(&found).failed.is_some());
    assert_same(&found, &load(&paths, &LoadOptions::default()).unwrap());
}
