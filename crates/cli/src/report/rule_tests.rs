//! What the unit tests of rules gave: for people, as JSON, and as JUnit and TAP for build servers.

use std::io::Write;

use anyhow::Result;
use detections::rule_test::{CaseResult, Mutant, Mutants, Verdict};
use serde_json::{Value as Json, json};

use super::lint::{github_text, github_value};
use crate::terminal::{Tone, paint, safe, stdout_has_colour};

/// The tests of one file.
#[derive(Debug, Clone)]
pub struct RuleTests {
    /// The rule's name, or the file where there is no rule.
    pub name: String,
    pub file: String,
    /// The file of the rule; empty where there is none.
    pub rule_file: String,
    pub has_positive: bool,
    pub has_negative: bool,
    pub cases: Vec<CaseResult>,
    /// Of a mutation run.
    pub mutants: Option<Mutants>,
}

#[derive(Debug, Clone, Default)]
pub struct TestReport {
    pub rules: Vec<RuleTests>,
    /// Name and file of rules without a test: these have not passed.
    pub untested: Vec<(String, String)>,
    /// Rules that lack a kind of test that is required.
    pub lacking: Vec<(String, &'static str)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    passed: usize,
    failed: usize,
    gaps: usize,
    errors: usize,
}

impl TestReport {
    /// Nothing failed and nothing required is missing.
    pub fn is_good(&self) -> bool {
        let counts = self.counts();
        counts.failed + counts.errors == 0 && self.lacking.is_empty()
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for case in self.rules.iter().flat_map(|rule| &rule.cases) {
            match case.verdict {
                Verdict::Passed => counts.passed += 1,
                Verdict::Failed(_) => counts.failed += 1,
                Verdict::KnownGap(_) => counts.gaps += 1,
                Verdict::Error(_) => counts.errors += 1,
            }
        }
        counts
    }

    fn cases(&self) -> impl Iterator<Item = (&RuleTests, &CaseResult)> {
        self.rules.iter().flat_map(|rule| rule.cases.iter().map(move |case| (rule, case)))
    }
}

fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed(_) => "failed",
        Verdict::KnownGap(_) => "known gap",
        Verdict::Error(_) => "error",
    }
}

fn details(verdict: &Verdict) -> &[String] {
    match verdict {
        Verdict::Passed => &[],
        Verdict::Failed(lines) | Verdict::KnownGap(lines) => lines,
        Verdict::Error(reason) => std::slice::from_ref(reason),
    }
}

/// One line a case, and below it what was expected and what came.
pub fn write_text(report: &TestReport, out: &mut dyn Write) -> Result<()> {
    let colour = stdout_has_colour();
    for (rule, case) in report.cases() {
        let tone = match case.verdict {
            Verdict::Passed => Tone::Good,
            Verdict::KnownGap(_) => Tone::Warning,
            Verdict::Failed(_) | Verdict::Error(_) => Tone::Alarm,
        };
        let verdict = paint(&format!("{:<9}", name(&case.verdict)), tone, colour);
        writeln!(out, "{verdict} {}: {}", safe(&rule.name), safe(&case.name))?;
        for line in details(&case.verdict) {
            writeln!(out, "            {}", safe(line))?;
        }
    }
    for (rule, mutants) in report.rules.iter().filter_map(|rule| Some((rule, rule.mutants.as_ref()?))) {
        let tone = if mutants.survived.is_empty() { Tone::Good } else { Tone::Warning };
        let label = paint("mutants  ", tone, colour);
        writeln!(
            out,
            "{label} {}: {} killed, {} survived, {} equivalent",
            safe(&rule.name),
            mutants.killed(),
            mutants.survived.len(),
            mutants.equivalent.len()
        )?;
        let change = |mutant: &Mutant| format!("{}: {} -> {}", mutant.mutation.name(), mutant.before, mutant.after);
        for mutant in &mutants.equivalent {
            writeln!(out, "            equivalent {}", safe(&change(mutant)))?;
        }
        for mutant in &mutants.survived {
            let change = change(mutant);
            writeln!(out, "            TW506 {}; missing: {}", safe(&change), safe(&mutant.near_miss()))?;
        }
    }
    for (name, file) in &report.untested {
        writeln!(out, "{} {} ({})", paint("untested ", Tone::Quiet, colour), safe(name), safe(file))?;
    }
    for (name, kind) in &report.lacking {
        writeln!(out, "{} {}: no {kind} test", paint("lacking  ", Tone::Alarm, colour), safe(name))?;
    }
    let counts = report.counts();
    writeln!(
        out,
        "{} passed, {} failed, {} known gaps, {} errors; {} rules untested",
        counts.passed,
        counts.failed,
        counts.gaps,
        counts.errors,
        report.untested.len()
    )?;
    Ok(())
}

/// One document.
pub fn write_json(report: &TestReport, out: &mut dyn Write) -> Result<()> {
    let counts = report.counts();
    let rules: Vec<Json> = report
        .rules
        .iter()
        .map(|rule| {
            let case = |case: &CaseResult| json!({"name": case.name, "verdict": name(&case.verdict), "details": details(&case.verdict)});
            let mut entry = json!({"name": rule.name, "file": rule.file, "cases": rule.cases.iter().map(case).collect::<Vec<_>>()});
            if let (Some(mutants), Some(object)) = (&rule.mutants, entry.as_object_mut()) {
                let list = |mutants: &[Mutant]| mutants.iter().map(mutant_json).collect::<Vec<Json>>();
                let (survived, equivalent) = (list(&mutants.survived), list(&mutants.equivalent));
                let counts = json!({"killed": mutants.killed(), "survived": survived, "equivalent": equivalent});
                object.insert("mutants".to_string(), counts);
            }
            entry
        })
        .collect();
    let untested: Vec<Json> = report.untested.iter().map(|(name, file)| json!({"name": name, "file": file})).collect();
    let lacking: Vec<Json> = report.lacking.iter().map(|(name, kind)| json!({"name": name, "test": kind})).collect();
    let document = json!({
        "schema": "tidewatch-test/1",
        "summary": {
            "passed": counts.passed, "failed": counts.failed, "known_gaps": counts.gaps, "errors": counts.errors,
            "untested": untested.len(),
        },
        "rules": rules,
        "untested": untested,
        "lacking": lacking,
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)?;
    Ok(())
}

fn mutant_json(mutant: &Mutant) -> Json {
    json!({
        "mutation": mutant.mutation.name(),
        "start": mutant.span.start,
        "end": mutant.span.end,
        "before": mutant.before,
        "after": mutant.after,
        "near_miss": mutant.near_miss(),
    })
}

/// An annotation for each case that failed and each rule that lacks tests.
pub fn write_github(report: &TestReport, out: &mut dyn Write) -> Result<()> {
    for (rule, case) in report.cases() {
        if matches!(case.verdict, Verdict::Failed(_) | Verdict::Error(_)) {
            let title = github_value(&format!("{}: {}", rule.name, case.name));
            let text = github_text(&details(&case.verdict).join("\n"));
            writeln!(out, "::error file={},title={title}::{text}", github_value(&rule.file))?;
        }
    }
    for (name, kind) in &report.lacking {
        writeln!(out, "::error title={}::no {kind} test", github_value(name))?;
    }
    Ok(())
}

/// JUnit XML: a suite for each test file.
pub fn write_junit(report: &TestReport, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tidewatch\">")?;
    for rule in &report.rules {
        let count = |wanted: &str| rule.cases.iter().filter(|case| name(&case.verdict) == wanted).count();
        writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
            xml(&rule.name),
            rule.cases.len(),
            count("failed"),
            count("error"),
            count("known gap")
        )?;
        for case in &rule.cases {
            write!(out, "    <testcase name=\"{}\" classname=\"{}\"", xml(&case.name), xml(&rule.file))?;
            let text = xml(&details(&case.verdict).join("\n"));
            match case.verdict {
                Verdict::Passed => writeln!(out, "/>")?,
                Verdict::Failed(_) => writeln!(out, "><failure message=\"failed\">{text}</failure></testcase>")?,
                Verdict::KnownGap(_) => writeln!(out, "><skipped message=\"known gap\"/></testcase>")?,
                Verdict::Error(_) => writeln!(out, "><error message=\"error\">{text}</error></testcase>")?,
            }
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")?;
    Ok(())
}

/// Text for XML: markup is escaped, characters that XML cannot hold are replaced.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The Test Anything Protocol, version 14.
pub fn write_tap(report: &TestReport, out: &mut dyn Write) -> Result<()> {
    let count = report.cases().count();
    writeln!(out, "TAP version 14\n1..{count}")?;
    for (number, (rule, case)) in (1..).zip(report.cases()) {
        let good = matches!(case.verdict, Verdict::Passed);
        let todo = if matches!(case.verdict, Verdict::KnownGap(_)) { " # TODO known gap" } else { "" };
        let title = safe(&format!("{}: {}", rule.name, case.name)).replace('#', "\\#");
        writeln!(out, "{} {number} - {title}{todo}", if good { "ok" } else { "not ok" })?;
        for line in details(&case.verdict) {
            writeln!(out, "# {}", safe(line))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_logs_stays_text_in_xml() {
        assert_eq!(xml("a<b>&\"\u{1b}\n"), "a&lt;b&gt;&amp;&quot;\u{fffd}\n");
    }
}
