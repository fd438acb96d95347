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
