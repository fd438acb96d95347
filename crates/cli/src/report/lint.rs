//! Findings of the lint: for people, as JSON, as SARIF 2.1.0, as annotations of a build; and the page of a code.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use anyhow::Result;
use detections::lint::codes::CODES;
use detections::lint::{Example, Finding, Fix, Level, LintCode, Needs};
use detections::yaml::Position;
use serde_json::{Value as Json, json};

use crate::terminal::{Tone, counted, paint, safe, stdout_has_colour};

/// What a run of the lint gave.
#[derive(Debug, Default)]
pub struct LintReport {
    pub findings: Vec<Finding>,
    pub rules: usize,
    /// Safe fixes that were applied.
    pub fixed: usize,
    /// Findings that the baseline knows.
    pub known: usize,
    /// Entries of the baseline that nothing matches any more.
    pub gone: usize,
}

impl LintReport {
    fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.code.level == level).count()
    }
}

pub fn write_text(report: &LintReport, out: &mut dyn Write) -> Result<()> {
    let colour = stdout_has_colour();
    for finding in &report.findings {
        let tone = match finding.code.level {
            Level::Error => Tone::Alarm,
            Level::Warning => Tone::Strong,
            Level::Note => Tone::Quiet,
        };
        let label = paint(&format!("{} {}", finding.code.level.name(), finding.code.code), tone, colour);
        let fixable = if finding.fix.is_some() { " [--fix]" } else { "" };
        writeln!(out, "{}:{}: {label}: {}{fixable}", safe(&finding.file), finding.start, safe(&finding.message))?;
    }
    let parts: Vec<String> = [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Note, "note")]
        .into_iter()
        .map(|(level, noun)| counted(report.count(level) as u64, noun))
        .collect();
    write!(out, "{}: {}", counted(report.rules as u64, "rule"), parts.join(", "))?;
    if report.fixed > 0 {
        write!(out, "; {} fixed", report.fixed)?;
    }
    if report.known + report.gone > 0 {
        write!(out, "; {} in the baseline, {} of its entries are gone", report.known, report.gone)?;
    }
    writeln!(out)?;
    Ok(())
}

pub fn write_json(report: &LintReport, out: &mut dyn Write) -> Result<()> {
    let findings: Vec<Json> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code.code,
                "level": finding.code.level.name(),
                "title": finding.code.title,
                "message": finding.message,
                "file": finding.file,
                "line": finding.start.line,
                "column": finding.start.column,
                "end_line": finding.end.line,
                "end_column": finding.end.column,
                "rule": {"id": finding.rule_id, "name": finding.rule_name},
                "fixable": finding.fix.is_some(),
            })
        })
        .collect();
    let document = json!({
        "schema": "tidewatch-lint-1",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": {
            "rules": report.rules,
            "errors": report.count(Level::Error),
            "warnings": report.count(Level::Warning),
            "notes": report.count(Level::Note),
            "fixed": report.fixed,
            "in_baseline": report.known,
            "gone_from_baseline": report.gone,
        },
        "findings": findings,
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)?;
    Ok(())
}

/// A workflow command has one line; its values and its message escape differently.
pub fn write_github(report: &LintReport, out: &mut dyn Write) -> Result<()> {
    for finding in &report.findings {
        let command = match finding.code.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        writeln!(
            out,
            "::{command} file={},line={},col={},title={}::{}",
            github_value(&finding.file),
            finding.start.line,
            finding.start.column,
            github_value(&format!("{} {}", finding.code.code, finding.code.title)),
            github_text(&finding.message)
        )?;
    }
    Ok(())
}

/// Escapes the message of a workflow command.
pub fn github_text(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a value among the parameters of a workflow command.
pub fn github_value(text: &str) -> String {
    github_text(text).replace(':', "%3A").replace(',', "%2C")
}

/// SARIF of version 2.1.0. Columns count characters, as its `unicodeCodePoints` says.
pub fn write_sarif(report: &LintReport, out: &mut dyn Write) -> Result<()> {
    let index_of: BTreeMap<&str, usize> = CODES.iter().enumerate().map(|(index, code)| (code.code, index)).collect();
    let rules: Vec<Json> = CODES
        .iter()
        .map(|code| {
            json!({
                "id": code.code,
                "shortDescription": {"text": sentence(code.title)},
                "fullDescription": {"text": code.why},
                "help": {"text": page(code), "markdown": page(code)},
                "defaultConfiguration": {"level": code.level.name()},
            })
        })
        .collect();
    let results: Vec<Json> =
        report.findings.iter().map(|finding| sarif_result(finding, index_of.get(finding.code.code).copied())).collect();
    let document = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "tidewatch", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)?;
    Ok(())
}

fn sarif_result(finding: &Finding, index: Option<usize>) -> Json {
    let artifact = json!({"uri": uri(&finding.file)});
    let mut result = json!({
        "ruleId": finding.code.code,
        "ruleIndex": index,
        "level": finding.code.level.name(),
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region(finding.start, finding.end)}}],
        "partialFingerprints": {"ruleAndText/v1": format!("{}:{}:{}", finding.code.code, finding.rule_id, finding.excerpt)},
    });
    if let (Some(fix), Some(object)) = (&finding.fix, result.as_object_mut()) {
        object.insert("fixes".to_string(), json!([sarif_fix(finding, fix)]));
    }
    result
}

fn sarif_fix(finding: &Finding, fix: &Fix) -> Json {
    let replacements: Vec<Json> = fix
        .edits
        .iter()
        .map(|(range, text)| {
            json!({
                "deletedRegion": {"byteOffset": range.start, "byteLength": range.end - range.start},
                "insertedContent": {"text": text},
            })
        })
        .collect();
    json!({
        "description": {"text": sentence(finding.code.title)},
        "artifactChanges": [{"artifactLocation": {"uri": uri(&finding.file)}, "replacements": replacements}],
    })
}

fn region(start: Position, end: Position) -> Json {
    json!({
        "startLine": start.line.max(1),
        "startColumn": start.column.max(1),
        "endLine": end.line.max(start.line).max(1),
        "endColumn": end.column.max(1),
    })
}

/// A path as a reference: separators stay, what has a meaning of its own is escaped.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.replace('\\', "/").trim_start_matches("./").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

fn sentence(title: &str) -> String {
    let mut chars = title.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// The page of a code, in Markdown.
pub fn page(code: &LintCode) -> String {
    let mut page = format!("# {}: {}\n\n", code.code, code.title);
    let _ = write!(page, "Level: {}.", code.level.name());
    if code.fixable {
        page.push_str(" `--fix` mends it.");
    }
    if code.sentinel {
        page.push_str(" Part of `--profile sentinel`.");
    }
    let needs = match code.needs {
        Needs::Nothing => "",
        Needs::Logs => " Needs `--logs`.",
        Needs::Earlier => " Needs `--since REVISION`.",
        Needs::RuleSet => " Judged over all rules of the run.",
        Needs::Tests => " Looks at the tests beside the rule.",
        Needs::Mutation => " Found by `tidewatch test --mutate`.",
    };
    let _ = write!(page, "{needs}\n\n{}\n", code.why);
    let _ = write!(page, "\n## Raises it\n\n{}\n## Does not\n\n{}", example(code.bad), example(code.good));
    let _ = write!(
        page,
        "\n## Silence\n\n`// tidewatch: allow {0} REASON` in the query, `# tidewatch: allow {0} REASON` in the YAML around it; \
        `until 2027-01-31` behind the code makes it expire.\n",
        code.code
    );
    page
}

fn example(example: Example) -> String {
    match example {
        Example::Query(query) => format!("```kql\n{query}\n```\n"),
        Example::Rule(rule) => format!("```yaml\n{rule}```\n"),
        Example::Words(words) => format!("{words}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references_and_commands_have_one_line() {
        assert_eq!(uri("./Analytic Rules/ä#1.yaml"), "Analytic%20Rules/%C3%A4%231.yaml");
        assert_eq!(github_value("a,b:c\n100%"), "a%2Cb%3Ac%0A100%25");
    }

    #[test]
    fn every_code_has_a_page() {
        for code in CODES {
            let page = page(code);
            assert!(page.starts_with(&format!("# {}", code.code)) && page.contains("## Raises it"), "{page}");
        }
    }
}
