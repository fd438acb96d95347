//! `tidewatch fmt`.

use crate::run::Folder;

const UGLY: &str = "T|where a==1 and b<2|take 5";

#[test]
fn files_are_formatted_once_and_for_all() {
    let folder = Folder::new();
    folder.write("q/a.kql", UGLY);
    folder.write("q/notes.txt", UGLY);
    assert_eq!(folder.run(&["fmt", "--check", "q"]).code, 1);
    let diff = folder.run(&["fmt", "--diff", "q"]);
    assert!(diff.code == 1 && diff.out.contains("+ | take 5"), "{}", diff.out);
    assert_eq!(std::fs::read_to_string(folder.path().join("q/a.kql")).unwrap(), UGLY, "nothing is written");
    assert_eq!(folder.run(&["fmt", "q"]).code, 0);
    let formatted = std::fs::read_to_string(folder.path().join("q/a.kql")).unwrap();
    assert_eq!(formatted, "T\n| where a == 1 and b < 2\n| take 5\n");
    assert_eq!(folder.run(&["fmt", "--check", "q"]).code, 0);
    assert_eq!(std::fs::read_to_string(folder.path().join("q/notes.txt")).unwrap(), UGLY);
    assert_eq!(folder.run_with_input(&["fmt", "--stdin"], UGLY).out, formatted);
}

#[test]
fn standard_input_is_formatted_checked_and_compared() {
    let folder = Folder::new();
    let piped = |args: &[&str], text: &str| folder.run_with_input(&[&["fmt", "--stdin"], args].concat(), text);
    let pretty = piped(&[], UGLY).out;
    assert_eq!(pretty, "T\n| where a == 1 and b < 2\n| take 5\n");
    assert_eq!(piped(&[], &pretty).out, pretty);
    let unformatted = piped(&["--check"], UGLY);
    assert_eq!((unformatted.code, unformatted.out.as_str()), (1, ""));
    assert_eq!(piped(&["--check"], &pretty).code, 0);
    let diff = piped(&["--diff"], UGLY);
    assert!(diff.code == 1 && diff.out.contains("- T|where") && diff.out.contains("+ | take 5"), "{}", diff.out);
    assert_eq!(piped(&["--diff"], &pretty).out, "");
}

#[test]
fn what_does_not_parse_keeps_its_words_and_comments() {
    let folder = Folder::new();
    let text = "T | where ( // half a thought\n| take";
    let formatted = folder.run_with_input(&["fmt", "--stdin"], text);
    assert_eq!(formatted.code, 0, "{}", formatted.err);
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&formatted.out), words(text));
    assert_eq!(folder.run(&["fmt", "nowhere.kql"]).code, 4);
}
