//! `tidewatch demo`: what was planted is found, what only looks like it stays silent, twice the same.

use std::process::Command;

fn demo(folder: &std::path::Path) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tidewatch"))
        .env("TIDEWATCH_CACHE", "off")
        .args(["demo", "--events", "600", "--days", "12", "--out"])
        .arg(folder)
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn planted_attacks_are_found_and_near_misses_stay_silent() {
    let folder = tempfile::tempdir().unwrap();
    let (code, text) = demo(folder.path());
    assert!(text.contains("9 of 9 attacks found, 17 of 17 near misses silent"), "{text}");
    assert_eq!(code, Some(0));
    let truth = std::fs::read_to_string(folder.path().join("truth.json")).unwrap();
    let truth: serde_json::Value = serde_json::from_str(&truth).unwrap();
    assert_eq!(truth["planted"].as_array().map(Vec::len), Some(9));
    // An earlier demo in the folder is replaced.
    assert_eq!(demo(folder.path()).0, Some(0));
}

#[test]
fn a_folder_that_is_not_a_demo_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("logs")).unwrap();
    std::fs::write(folder.path().join("logs/kept.json"), "{}").unwrap();
    assert_ne!(demo(folder.path()).0, Some(0));
    assert!(folder.path().join("logs/kept.json").exists());
}
