//! `--update`: the rows that came are written where a test expected others.
//!
//! Only `rows:` that begin a line of their own are rewritten, with the columns that the test stated; everything else of the file
//! stays as it is. Start at [`updated`].

use serde_json::{Map, Value as Json};

use super::case::{Case, RuleTest};
use super::run::{CaseResult, Verdict};

/// The file's text with the rows of failed cases; None when there is nothing to write.
pub fn updated(text: &str, test: &RuleTest, results: &[CaseResult]) -> Option<String> {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_string).collect();
    let mut changed = false;
    // From the last case to the first: the lines in front keep their numbers.
    for case in test.cases.iter().rev() {
        let Some(result) = results.iter().find(|result| result.name == case.name) else { continue };
        let differs =
            matches!(&result.verdict, Verdict::Failed(lines) if lines.iter().any(|line| line.starts_with("rows:")));
        if differs && !result.rows.is_empty() && rewrite(&mut lines, case, &result.rows) {
            changed = true;
        }
    }
    changed.then(|| lines.concat())
}

fn rewrite(lines: &mut Vec<String>, case: &Case, rows: &[Map<String, Json>]) -> bool {
    let Some(position) = case.expect.rows_at else { return false };
    let first = position.line.saturating_sub(1) as usize;
    let Some(line) = lines.get(first) else { return false };
    let indent = line.len() - line.trim_start().len();
    if !line.trim_start().starts_with("rows:") {
        return false;
    }
    let deeper = |line: &String| {
        let content = line.trim_start();
        let own = line.len() - content.len();
        content.is_empty() || own > indent || own == indent && content.starts_with("- ")
    };
    let mut end = first + 1 + lines.iter().skip(first + 1).take_while(|line| deeper(line)).count();
    // Blank lines behind the rows belong to what follows.
    while end > first + 1 && lines.get(end - 1).is_some_and(|line| line.trim().is_empty()) {
        end -= 1;
    }
    let columns: Vec<&String> = case.expect.rows.iter().flat_map(|row| row.keys()).collect();
    let mut written = vec![format!("{}rows:\n", " ".repeat(indent))];
    for row in rows {
        let stated: Map<String, Json> = row
            .iter()
            .filter(|(name, _)| columns.contains(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        // JSON is YAML.
        written.push(format!("{}- {}\n", " ".repeat(indent + 2), Json::Object(stated)));
    }
    lines.splice(first..end, written);
    true
}
