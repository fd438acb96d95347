//! Hostile text through the built binary: an answer or an exit code, never a signal, and memory within the limit.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::logs::{LAUNCH_RULE, folder_with_launches};
use crate::run::{Folder, Run};

/// What a run may end with: an answer, a refusal, a limit.
fn assert_ends(run: &Run, name: &str) {
    assert!(matches!(run.code, 0 | 1 | 3 | 5), "{name}: exit code {}: {}", run.code, start(&run.err));
    assert!(!run.err.contains("internal error") && !run.err.contains("panicked"), "{name}: {}", start(&run.err));
}

fn start(text: &str) -> String {
    text.chars().take(300).collect()
}

fn texts() -> Vec<(&'static str, String)> {
    let nested = |open: &str, close: &str, n: usize| format!("print {}1{}", open.repeat(n), close.repeat(n));
    let terms: Vec<String> = (0..100_000).map(|n| format!("x == {n}")).collect();
    let lets: String = (0..20_000).map(|n| format!("let a{n} = {n};\n")).collect();
    vec![
        ("100,000 parentheses", nested("(", ")", 100_000)),
        ("100,000 open parentheses", format!("print {}", "(".repeat(100_000))),
        ("50,000 calls", nested("abs(", ")", 50_000)),
        ("50,000 brackets", format!("print dynamic({}{})", "[".repeat(50_000), "]".repeat(50_000))),
        (
            "1,000 nested case",
            format!("print x = 1 | project {}1{}", "case(x == 1, ".repeat(1_000), ", 2)".repeat(1_000)),
        ),
        ("100,000 or", format!("print x = 1 | where {}", terms.join(" or "))),
        ("10,000 pipes", format!("print x = 1{}", " | where x > 0".repeat(10_000))),
        ("5,000 joins", format!("print x = 1{}", " | join (print x = 1) on x".repeat(5_000))),
        ("20,000 nested subqueries", "print toscalar(".repeat(20_000)),
        ("20,000 nested functions", "let f = () { ".repeat(20_000)),
        ("a union of 5,000", format!("union {}", vec!["(print x = 1)"; 5_000].join(", "))),
        ("20,000 lets", format!("{lets}print a7")),
    ]
}

#[test]
fn deep_and_long_texts_end() {
    let folder = Folder::new();
    for (name, text) in texts() {
        folder.write("q.kql", &text);
        let args = ["query", "--file", "q.kql", "--time-limit", "2s", "--memory-limit", "512MB", "--format", "csv"];
        assert_ends(&folder.run(&args), name);
        // Without a limit on time only what is refused, or bound, in a moment.
        if text.matches('|').count() < 1_000 {
            assert_ends(&folder.run(&["check", "q.kql", "--quiet"]), name);
            assert_ends(&folder.run_with_input(&["fmt", "--stdin"], &text), name);
        }
    }
}

#[test]
fn a_hunt_goes_on_beside_a_hostile_rule() {
    let folder = folder_with_launches();
    let endless = "AWSCloudTrail | extend a = strcat('xxxxxxxx', EventName) | extend n = range(1, 1000000, 1) | mv-expand n \
        | extend k = 1 | join kind=inner (range y from 1 to 100000000 step 1 | extend k = 1) on k | summarize count() by y";
    let deep = format!("AWSCloudTrail | where {}true{}", "(".repeat(30_000), ")".repeat(30_000));
    for (name, query) in [("endless", endless), ("deep", deep.as_str())] {
        let id = format!("aaaaaaaa-0000-4000-8000-00000000000{}", name.len());
        let head = LAUNCH_RULE.split_once("query: |").unwrap().0;
        let head = head.replace("5a0c7e64-0000-4000-8000-000000000001", &id);
        let text = format!("{head}query: |\n  {query}\n");
        folder.write(&format!("rules/{name}.yaml"), &text);
    }
    let args = ["hunt", "rules", "--logs", "logs", "--format", "json", "--time-limit", "4s", "--memory-limit", "64MB"];
    let run = folder.run(&args);
    assert!(matches!(run.code, 1 | 5), "{}: {}", run.code, start(&run.err));
    assert!(!run.out.contains("internal error"), "{}", start(&run.out));
    let alerts = run.json()["alerts"].as_array().map_or(0, Vec::len);
    assert!(alerts > 0, "the rule that is none of these raises its alerts");
}

#[test]
fn limits_are_checked_and_kept() {
    let folder = Folder::new();
    let wrong = folder.run(&["query", "print 1", "--memory-limit", "many"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("--memory-limit: `many` is not a size"), "{}", wrong.err);
    let wrong = folder.run(&["query", "print 1", "--time-limit", "soon"]);
    assert_eq!(wrong.code, 2);
    let fits =
        folder.run(&["query", "print x = 1", "--memory-limit", "1.5GB", "--time-limit", "1h", "--format", "csv"]);
    assert_eq!((fits.code, fits.out.as_str()), (0, "x\n1\n"));
    let endless =
        folder.run(&["query", "range x from 1 to 1000000000000000000 step 1 | summarize sum(x)", "--time-limit", "1s"]);
    assert_eq!(endless.code, 5);
    assert!(endless.err.contains("ran longer than 1 s"), "{}", endless.err);
}

/// The most memory that a run ever had, in bytes, and its exit code.
fn peak(folder: &Folder, args: &[&str]) -> (u64, i32) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tidewatch"))
        .env("TIDEWATCH_CACHE", "off")
        .args(args)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut most = 0;
    loop {
        if let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", child.id())) {
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
            most = most.max(kilobytes.unwrap_or(0) << 10);
        }
        if let Some(status) = child.try_wait().unwrap() {
            return (most, status.code().unwrap_or(-1));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The process stays within reach of what the query may hold; each of these would take gigabytes.
#[test]
#[cfg(target_os = "linux")]
fn memory_stays_near_the_limit() {
    let folder = Folder::new();
    for query in [
        "range x from 1 to 1000000000 step 1",
        "range x from 1 to 3000000 step 1 | summarize l = make_list(strcat('some text ', x)) by x % 30 | summarize max(array_length(l))",
        "range x from 1 to 5000 step 1 | extend d = range(x, 1000000, 1) | summarize max(array_length(d))",
        "let a = range x from 1 to 3000000 step 1 | extend s = strcat('some text ', x); a | join kind=inner a on s | summarize max(strlen(s1))",
        &format!("print a = 'xxxxxxxx' {} | project strlen(a)", "| extend a = strcat(a, a)".repeat(40)),
        &format!(
            "range x from 1 to 9 step 1 | extend a = strcat('xxxx', x) {} | summarize max(strlen(a))",
            "| extend a = replace_string(a, 'x', a)".repeat(9)
        ),
    ] {
        let (bytes, code) = peak(&folder, &["query", query, "--memory-limit", "64MB", "--format", "csv"]);
        assert_eq!(code, 5, "{query}");
        assert!(bytes < 900 << 20, "{query}: {} MB", bytes >> 20);
    }
}
