//! Safe fixes: the changes that findings carry, applied to a file's text.
//!
//! Changes never overlap: of two that do, the first in the file wins and the other waits for the next run.

use super::subject::{Finding, Fix};

/// The text with the fixes of these findings, and how many were applied. All findings must be of this text's file.
pub fn apply(text: &str, findings: &[&Finding]) -> (String, usize) {
    let mut edits: Vec<(&Fix, std::ops::Range<usize>, &str)> = findings
        .iter()
        .filter_map(|finding| finding.fix.as_ref())
        .flat_map(|fix| fix.edits.iter().map(move |(range, new)| (fix, range.clone(), new.as_str())))
        .collect();
    edits.sort_by_key(|(_, range, _)| (range.start, range.end));
    let mut out = String::with_capacity(text.len() + 64);
    let mut done = 0;
    let mut applied = 0;
    for (_, range, new) in edits {
        let Some(before) =
            text.get(done..range.start).filter(|_| range.start >= done && text.is_char_boundary(range.end))
        else {
            continue;
        };
        out.push_str(before);
        out.push_str(new);
        done = range.end;
        applied += 1;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    (out, applied)
}
