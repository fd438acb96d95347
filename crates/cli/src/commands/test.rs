//! `tidewatch test`: the unit tests beside rules.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use detections::library::{self, RuleLibrary};
use detections::rule_test::{self, CaseResult, Names, RuleTest, TestError, Verdict};

use crate::args::{RequireArg, TestArgs, TestFormat};
use crate::exit::{Exit, Failure};
use crate::report::rule_tests::{self, RuleTests, TestReport};
use crate::session;

/// Runs the tests of all rules under the paths.
pub fn run(args: &TestArgs) -> Result<Exit> {
    let report = collect(args)?;
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        TestFormat::Text => rule_tests::write_text(&report, &mut out)?,
        TestFormat::Json => rule_tests::write_json(&report, &mut out)?,
        TestFormat::Junit => rule_tests::write_junit(&report, &mut out)?,
        TestFormat::Tap => rule_tests::write_tap(&report, &mut out)?,
    }
    out.flush()?;
    Ok(if report.is_good() { Exit::Clean } else { Exit::Found })
}

fn collect(args: &TestArgs) -> Result<TestReport> {
    let (test_files, rule_paths) = sort_paths(&args.paths)?;
    let library = library::load(&rule_paths);
    let mut names = Names { schemas: session::read_schemas(&args.names.schemas)?, functions: Vec::new() };
    for path in &args.names.functions {
        names.functions.extend(library::load_functions(path).map_err(Failure::input)?);
    }
    let mut report = TestReport::default();
    let mut tested = vec![false; library.rules.len()];
    for file in &test_files {
        report.rules.push(run_file(file, &library, &names, args.only.as_deref(), &mut tested));
    }
    for (rule, tested) in library.rules.iter().zip(&tested) {
        if !tested {
            report.untested.push((rule.name.clone(), rule.place.file.clone()));
        }
    }
    if args.only.is_none() {
        for rule in &report.rules {
            let lacks = args.require.iter().filter(|kind| match kind {
                RequireArg::Positive => !rule.has_positive,
                RequireArg::Negative => !rule.has_negative,
            });
            report.lacking.extend(lacks.map(|kind| (rule.name.clone(), kind.name())));
        }
        if !args.require.is_empty() {
            report.lacking.extend(report.untested.iter().map(|(name, _)| (name.clone(), "any")));
        }
    }
    if report.rules.is_empty() && report.untested.is_empty() {
        return Err(Failure::input("no rules and no tests there"));
    }
    Ok(report)
}

/// Test files, and the paths where rules are looked for: those named, and the folders of the tests named.
fn sort_paths(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut tests, mut rules) = (Vec::new(), Vec::new());
    for path in paths {
        if path.is_dir() {
            find_tests(path, 0, &mut tests)?;
            rules.push(path.clone());
        } else if !path.exists() {
            return Err(Failure::input(format!("{}: no such file", path.display())));
        } else if is_test(path) {
            tests.push(path.clone());
            rules.extend(named_rule(path));
        } else {
            let beside = test_of(path);
            tests.extend(beside.filter(|test| test.exists()));
            rules.push(path.clone());
        }
    }
    tests.sort();
    tests.dedup();
    Ok((tests, rules))
}

fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| rule_test::is_test_file(&name.to_string_lossy()))
}

/// Folders below this depth are not entered: a loop of links ends.
const DEPTH_MAX: usize = 32;

fn find_tests(folder: &Path, depth: usize, tests: &mut Vec<PathBuf>) -> Result<()> {
    if depth > DEPTH_MAX {
        return Ok(());
    }
    let entries = std::fs::read_dir(folder).map_err(|e| Failure::input(format!("{}: {e}", folder.display())))?;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if entry.file_name() != ".git" {
                find_tests(&path, depth + 1, tests)?;
            }
        } else if is_test(&path) {
            tests.push(path);
        }
    }
    Ok(())
}

/// `a/b.yaml` has its tests in `a/b.test.yaml`.
fn test_of(rule: &Path) -> Option<PathBuf> {
    Some(rule.with_file_name(format!("{}.test.yaml", rule.file_stem()?.to_string_lossy())))
}

/// The rule's file that a test names, or the one with the test's own name.
fn named_rule(test: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(test).ok()?;
    let named = rule_test::read(&text).ok()?.rule;
    let path = match named {
        Some(name) => test.with_file_name(name),
        None => own_rule(test)?,
    };
    path.is_file().then_some(path)
}

fn own_rule(test: &Path) -> Option<PathBuf> {
    let name = test.file_name()?.to_string_lossy().into_owned();
    let stem = name.get(..name.len().checked_sub(".test.yaml".len())?).unwrap_or(&name);
    let stem = stem.trim_end_matches(".test");
    ["yaml", "yml", "kql"]
        .iter()
        .map(|extension| test.with_file_name(format!("{stem}.{extension}")))
        .find(|p| p.is_file())
}

fn run_file(file: &Path, library: &RuleLibrary, names: &Names, only: Option<&str>, tested: &mut [bool]) -> RuleTests {
    let shown = file.display().to_string();
    let mut result =
        RuleTests { name: shown.clone(), file: shown, has_positive: false, has_negative: false, cases: Vec::new() };
    let mut test = match read(file) {
        Ok(test) => test,
        Err(reason) => {
            result.cases.push(CaseResult { name: "the test file".to_string(), verdict: Verdict::Error(reason) });
            return result;
        }
    };
    result.has_negative = test.cases.iter().any(|case| case.expect.is_negative());
    result.has_positive = test.cases.iter().any(|case| !case.expect.is_negative());
    let Some(index) = rule_of(&test, file, library) else {
        let reason = "no rule of this file, name or id".to_string();
        result.cases.push(CaseResult { name: "the rule".to_string(), verdict: Verdict::Error(reason) });
        return result;
    };
    if let (Some(rule), Some(tested)) = (library.rules.get(index), tested.get_mut(index)) {
        result.name.clone_from(&rule.name);
        *tested = true;
    }
    if let Some(only) = only {
        test.cases.retain(|case| case.name.to_lowercase().contains(&only.to_lowercase()));
    }
    let beside = file.parent().unwrap_or(Path::new("."));
    result.cases = rule_test::run(&test, library, index, beside, names);
    result
}

fn read(file: &Path) -> Result<RuleTest, String> {
    let text = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
    rule_test::read(&text).map_err(|TestError { position, message }| match position {
        Some(position) => format!("{position}: {message}"),
        None => message,
    })
}

/// The rule that a test is about: the file it names, a rule of that id, or the file with its own name.
fn rule_of(test: &RuleTest, file: &Path, library: &RuleLibrary) -> Option<usize> {
    let of_file = |path: &Path| {
        let wanted = path.canonicalize().ok()?;
        library
            .rules
            .iter()
            .position(|rule| Path::new(&rule.place.file).canonicalize().is_ok_and(|found| found == wanted))
    };
    match &test.rule {
        Some(name) => of_file(&file.with_file_name(name))
            .or_else(|| library.rules.iter().position(|rule| rule.id.eq_ignore_ascii_case(name))),
        None => of_file(&own_rule(file)?),
    }
}
