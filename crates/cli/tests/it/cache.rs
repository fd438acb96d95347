//! Rows kept between runs: the same output, less parsing, and going on after an interruption.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use crate::logs::{folder_with_launches, record, trail};
use crate::run::Folder;

/// Files just written could still change within the same moment, and would not be kept.
fn settle(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let hour_ago = SystemTime::now() - Duration::from_secs(3_600);
        File::options().append(true).open(path).unwrap().set_modified(hour_ago).unwrap();
    }
}

#[test]
fn the_second_run_says_the_same_and_shows_what_was_kept() {
    let folder = folder_with_launches();
    folder.write("logs/more.json", &trail(&[record(9, "2026-03-02T08:00:00Z", "DescribeInstances", "ann")]));
    settle(&folder.path().join("logs"));
    let query = "AWSCloudTrail | order by TimeGenerated asc, _ItemId asc | project TimeGenerated, EventName, _ItemId";
    for args in [
        &["query", query, "--logs", "logs", "--format", "json"][..],
        &["sources", "logs", "--format", "json"],
        &["hunt", "rules", "--logs", "logs", "--format", "json"],
    ] {
        let fresh = folder.run(args);
        for _ in 0..2 {
            let cached = folder.run(&[args, &["--cache", "kept"]].concat());
            let plain = cached.out.replace(",\n      \"--cache\",\n      \"kept\"", "");
            let plain = plain.replace(",\n    \"--cache\",\n    \"kept\"", "");
            assert_eq!((cached.code, plain), (fresh.code, fresh.out.clone()), "{}", cached.err);
        }
    }
    let shown = folder.run(&["sources", "logs", "--cache", "kept"]);
    assert!(shown.out.contains("cache: 2 files taken from it, 0 added; kept holds "), "{}", shown.out);
    let shown = folder.run(&["load", "logs", "-o", "lake", "--cache", "kept"]);
    assert!(shown.out.contains("cache: 2 files taken from it"), "{}", shown.out);
    let shown = folder.run(&["sources", "logs"]);
    assert!(!shown.out.contains("cache"), "{}", shown.out);
    let state = folder.run(&["cache", "--cache", "kept"]);
    assert!(state.code == 0 && state.out.starts_with("kept: rows of 2 files, "), "{}", state.out);
    let cleared = folder.run(&["cache", "--cache", "kept", "--clear"]);
    assert!(cleared.out.starts_with("kept: removed 2 files, "), "{}", cleared.out);
    assert!(folder.run(&["cache", "--cache", "kept"]).out.starts_with("kept: rows of 0 files, 0 B"));
    assert!(folder.run(&["cache"]).out.starts_with("off"));
    let refused = folder.run(&["load", "logs", "-o", "lake", "--resume"]);
    assert!(refused.code == 2 && refused.err.contains("the cache is off"), "{}", refused.err);
    let refused = folder.run(&["sources", "logs", "--cache-limit", "much"]);
    assert!(refused.code == 2 && refused.err.contains("is not a size"), "{}", refused.err);
}

#[test]
fn the_usual_folder_is_the_platforms() {
    let folder = folder_with_launches();
    settle(&folder.path().join("logs"));
    let run = |variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidewatch"));
        command.args(["sources", "logs"]).current_dir(folder.path()).env_remove("TIDEWATCH_CACHE");
        command.env_remove("XDG_CACHE_HOME").env("HOME", folder.path());
        let output = command.envs(variables.iter().copied()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    #[cfg(target_os = "linux")]
    {
        let home = folder.path().join(".cache/tidewatch");
        assert!(run(&[]).contains(&format!("0 files taken from it, 1 added; {} holds", home.display())));
        assert!(home.join("CACHEDIR.TAG").is_file());
        let private = std::os::unix::fs::PermissionsExt::mode(&home.metadata().unwrap().permissions());
        assert_eq!(private & 0o777, 0o700);
        let xdg = folder.path().join("xdg");
        assert!(run(&[("XDG_CACHE_HOME", xdg.to_str().unwrap())]).contains("xdg/tidewatch holds"));
    }
    assert!(!run(&[("TIDEWATCH_CACHE", "off")]).contains("cache"));
    assert!(run(&[("TIDEWATCH_CACHE", "here")]).contains("; here holds"));
}

/// Logs of which the last is a pipe that nobody writes to: a run reads all others, and waits.
fn logs_that_never_end() -> Folder {
    let folder = Folder::new();
    for number in 0..30_u32 {
        let records: Vec<_> =
            (0..20).map(|n| record(number * 15 + n, "2026-03-01T08:00:00Z", "DescribeInstances", "ann")).collect();
        folder.write(&format!("logs/{number:02}.json"), &trail(&records));
    }
    settle(&folder.path().join("logs"));
    let pipe = folder.path().join("logs/zz.json");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    folder.write("rules/launch.yaml", crate::logs::LAUNCH_RULE);
    folder
}

fn entries(folder: &Path) -> usize {
    let shards = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = shards.flat_map(|shard| std::fs::read_dir(shard.path()).into_iter().flatten().flatten());
    files.filter(|file| !file.file_name().to_string_lossy().starts_with('.')).count()
}

/// Runs until all but the last file were read, and kills the process.
fn interrupted(folder: &Folder, args: &[&str]) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tidewatch"))
        .args(args)
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while entries(&folder.path().join("kept")) < 30 {
        assert!(began.elapsed() < Duration::from_secs(120) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
#[cfg(unix)]
fn a_killed_load_goes_on_where_it_stopped() {
    let folder = logs_that_never_end();
    let load = ["load", "logs", "-o", "lake", "--resume", "--cache", "kept", "--cache-limit", "1KB"];
    interrupted(&folder, &load);
    assert!(!folder.path().join("lake/tidewatch-load.json").exists(), "an interrupted load leaves no half a lake");
    std::fs::remove_file(folder.path().join("logs/zz.json")).unwrap();
    folder.write("logs/zz.json", &trail(&[record(900, "2026-03-02T08:00:00Z", "StopInstances", "ann")]));
    let run = folder.run(&load);
    assert!(run.out.contains("resumed: 30 files had been read before"), "{} {}", run.out, run.err);
    let fresh = folder.run(&["load", "logs", "-o", "fresh"]);
    assert_eq!(run.out.lines().next(), fresh.out.lines().next());
    assert!(run.out.starts_with("AWSCloudTrail: 456 rows\n"), "{}", run.out);
    for name in ["AWSCloudTrail.parquet", "tidewatch-load.json"] {
        let of = |lake: &str| std::fs::read(folder.path().join(lake).join(name)).unwrap();
        assert!(of("lake") == of("fresh"), "{name}: nothing is lost and nothing is there twice");
    }
    assert_eq!(entries(&folder.path().join("kept")), 0, "the limit holds once the load is over");
}

#[test]
#[cfg(unix)]
fn a_killed_hunt_goes_on_where_it_stopped() {
    let folder = logs_that_never_end();
    let hunt = ["hunt", "rules", "--logs", "logs", "--format", "json", "--cache", "kept", "--resume"];
    interrupted(&folder, &hunt);
    std::fs::remove_file(folder.path().join("logs/zz.json")).unwrap();
    folder.write("logs/zz.json", &trail(&[crate::logs::launch(901, "2026-03-02T08:00:00Z", "mallory", "i-0aaa")]));
    let run = folder.run(&hunt);
    assert!(run.err.contains("resumed: 30 files had been read before"), "{}", run.err);
    let fresh = folder.run(&["hunt", "rules", "--logs", "logs", "--format", "json"]).json();
    let found = run.json();
    assert_eq!((&found["alerts"], &found["sources"]), (&fresh["alerts"], &fresh["sources"]));
    assert_eq!((run.code, found["alerts"].as_array().unwrap().len()), (1, 1));
}
