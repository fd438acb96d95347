//! Coverage as Markdown: totals, then each tactic with its covered techniques.

use std::fmt::Write;

use crate::{Coverage, Layer};

/// The page.
pub fn write(coverage: &Coverage, title: &str) -> String {
    let mut out =
        format!("# {}\n\nATT&CK {}, {} rules.\n\n", cell(title), coverage.version.number(), coverage.rules.len());
    let (data, tests) = coverage.looked();
    out.push_str("| layer | techniques | of |\n|---|---:|---:|\n");
    for layer in Layer::ALL {
        let (covered, all) = coverage.totals(layer);
        let looked = match layer {
            Layer::Rules => true,
            Layer::Data => data,
            Layer::Tested => tests,
        };
        let covered = if looked { covered.to_string() } else { "not looked at".to_string() };
        let _ = writeln!(out, "| {} | {covered} | {all} |", layer.name());
    }
    for tactic in coverage.version.tactics() {
        let column = coverage.column(&tactic);
        let covered: Vec<_> = column.iter().filter_map(|(technique, covered)| Some((technique, (*covered)?))).collect();
        let _ = writeln!(out, "\n## {} ({} of {})\n", tactic.name, covered.len(), column.len());
        if covered.is_empty() {
            out.push_str("Nothing.\n");
            continue;
        }
        out.push_str("| technique | rules | with data | tested | which |\n|---|---:|---:|---:|---|\n");
        for (technique, covered) in covered {
            let names: Vec<String> = covered
                .rules
                .iter()
                .filter_map(|index| coverage.rules.get(*index))
                .map(|rule| cell(&rule.name))
                .collect();
            let counts = Layer::ALL.map(|layer| coverage.count(covered, layer).to_string()).join(" | ");
            let _ = writeln!(out, "| {} {} | {counts} | {} |", technique.id, cell(technique.name), names.join(", "));
        }
    }
    let unknown: Vec<&str> = coverage
        .techniques
        .iter()
        .filter(|covered| covered.technique.is_none())
        .map(|covered| covered.id.as_str())
        .collect();
    if !unknown.is_empty() {
        let _ = writeln!(out, "\n{} are no techniques of this version.", cell(&unknown.join(", ")));
    }
    if !coverage.without.is_empty() {
        let _ = writeln!(out, "\n{} rules name no technique.", coverage.without.len());
    }
    out
}

/// Text of a cell: on one line, without markup.
pub(crate) fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::Version;
    use crate::tests::some;

    #[test]
    fn tactics_show_their_techniques() {
        let page = write(&Coverage::of(some(), Version::V16), "Rules | mine");
        assert!(page.starts_with("# Rules \\| mine\n\nATT&CK 16, 4 rules."), "{page}");
        assert!(page.contains("## Defense Evasion (2 of "), "{page}");
        assert!(page.contains("| T1578.002 Create Cloud Instance | 2 | 2 | 1 | one, two |"), "{page}");
        assert!(page.contains("T9999 are no techniques") && page.contains("1 rules name no technique"), "{page}");
        let later = write(&Coverage::of(some(), Version::V19), "x");
        assert!(later.contains("## Stealth (1 of ") && later.contains("## Defense Impairment (1 of "), "{later}");
    }
}
