//! `tidewatch test`: the unit tests beside rules.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Result;
use detections::library::{self, RuleLibrary};
use detections::rule_test::{self, CaseResult, Names, RuleTest, TestError, Verdict};

use crate::args::{NameArgs, RequireArg, TestArgs, TestFormat};
use crate::exit::{Exit, Failure};
use crate::git;
use crate::project::Project;
use crate::report::rule_tests::{self, RuleTests, TestReport};
use crate::session::{self, Reading, Session, SessionInput};
use crate::terminal::{counted, safe_lines};

/// Runs the tests of all rules under the paths.
pub fn run(args: &TestArgs) -> Result<Exit> {
    if !args.watch {
        return once(args);
    }
    let mut seen = watched(&args.paths);
    loop {
        // A file that is torn while an editor writes it is told and read again.
        if let Err(error) = once(args) {
            writeln!(io::stderr(), "{}", safe_lines(&format!("{error:#}")))?;
        }
        writeln!(io::stdout(), "watching {}", counted(seen.len() as u64, "file"))?;
        seen = until_changed(&args.paths, seen);
    }
}

/// The files below paths, with their times and sizes.
fn watched(paths: &[PathBuf]) -> Vec<(PathBuf, Option<SystemTime>, u64)> {
    let mut files = Vec::new();
    let mut folders: Vec<(PathBuf, usize)> = paths.iter().map(|path| (path.clone(), 0)).collect();
    while let Some((path, depth)) = folders.pop() {
        let Ok(metadata) = std::fs::metadata(&path) else { continue };
        if metadata.is_file() {
            files.push((path, metadata.modified().ok(), metadata.len()));
        } else if depth <= DEPTH_MAX && path.file_name().is_none_or(|name| name != ".git") {
            let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
            folders.extend(entries.map(|entry| (entry.path(), depth + 1)));
        }
    }
    files.sort();
    files
}

/// Waits for a file to change, and then for the writing to end.
fn until_changed(
    paths: &[PathBuf],
    seen: Vec<(PathBuf, Option<SystemTime>, u64)>,
) -> Vec<(PathBuf, Option<SystemTime>, u64)> {
    const STEP: Duration = Duration::from_millis(200);
    let mut known = seen;
    let mut changed = false;
    loop {
        std::thread::sleep(STEP);
        let now = watched(paths);
        if now != known {
            (known, changed) = (now, true);
        } else if changed {
            return known;
        }
    }
}

/// Runs the tests of rules, and nothing else.
pub fn of_paths(paths: &[PathBuf], names: &NameArgs) -> Result<TestReport> {
    collect(&TestArgs {
        paths: paths.to_vec(),
        only: None,
        require: Vec::new(),
        min_tests: None,
        changed: None,
        update: false,
        watch: false,
        mutate: false,
        logs: Vec::new(),
        format: TestFormat::Text,
        names: names.clone(),
    })
}

fn once(args: &TestArgs) -> Result<Exit> {
    let report = collect(args)?;
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        TestFormat::Text => rule_tests::write_text(&report, &mut out)?,
        TestFormat::Json => rule_tests::write_json(&report, &mut out)?,
        TestFormat::Junit => rule_tests::write_junit(&report, &mut out)?,
        TestFormat::Tap => rule_tests::write_tap(&report, &mut out)?,
        TestFormat::Github => rule_tests::write_github(&report, &mut out)?,
    }
    out.flush()?;
    Ok(if report.is_good() { Exit::Clean } else { Exit::Found })
}

fn collect(args: &TestArgs) -> Result<TestReport> {
    let (test_files, rule_paths) = sort_paths(&args.paths)?;
    let mut library = library::load(&rule_paths);
    let mut project = Project::of(&args.paths)?;
    project.apply(&mut library);
    project.warn_of_expired();
    let mut names = Names {
        schemas: session::read_schemas(&args.names.schemas)?,
        functions: Vec::new(),
        geoip: args.names.geoip.clone(),
    };
    for path in &args.names.functions {
        names.functions.extend(library::load_functions(path).map_err(Failure::input)?);
    }
    let mut report = TestReport::default();
    let mut tested = vec![false; library.rules.len()];
    let changed = changed_files(args)?;
    let open = || {
        Session::open(SessionInput {
            logs: &args.logs,
            reading: Reading::default(),
            names: &args.names,
            functions: library.functions.clone(),
            watchlists: library.watchlist_files.clone(),
            threads: None,
        })
    };
    let logs = if args.logs.is_empty() { None } else { Some(open()?) };
    // Tests inside of rule files.
    let own = library.rules.iter().filter(|rule| rule_test::has_own(&rule.place.text));
    let test_files: Vec<PathBuf> =
        test_files.into_iter().chain(own.map(|rule| PathBuf::from(&rule.place.file))).collect();
    for file in &test_files {
        // A rule that is left out is tested all the same, only not now.
        let chosen = |rule: usize| library.rules.get(rule).is_none_or(|rule| project.leaves_out(rule).is_none());
        let runs = changed.as_ref().is_none_or(|changed| is_touched(file, changed));
        let runs = runs && read(file).ok().and_then(|test| rule_of(&test, file, &library)).is_none_or(chosen);
        if runs {
            report.rules.push(run_file(file, &library, &names, args, logs.as_ref(), &mut tested));
        } else {
            let index = read(file).ok().and_then(|test| rule_of(&test, file, &library));
            if let Some(tested) = index.and_then(|index| tested.get_mut(index)) {
                *tested = true;
            }
        }
    }
    for (rule, tested) in library.rules.iter().zip(&tested) {
        let touched = changed.as_ref().is_none_or(|changed| is_touched(Path::new(&rule.place.file), changed));
        if !tested && touched && project.leaves_out(rule).is_none() {
            report.untested.push((rule.name.clone(), rule.place.file.clone()));
        }
    }
    if args.only.is_none() {
        for rule in &report.rules {
            let lacks = args.require.iter().filter(|kind| match kind {
                RequireArg::Positive => !rule.has_positive,
                RequireArg::Negative => !rule.has_negative,
                RequireArg::Mutation => rule.mutants.as_ref().is_none_or(|mutants| !mutants.survived.is_empty()),
            });
            report.lacking.extend(lacks.map(|kind| (rule.name.clone(), kind.name())));
        }
        if let Some(least) = args.min_tests {
            let few = report.rules.iter().filter(|rule| rule.cases.len() < least);
            report.lacking.extend(few.map(|rule| (rule.name.clone(), "further")));
        }
        if !args.require.is_empty() || args.min_tests.is_some_and(|least| least > 0) {
            report.lacking.extend(report.untested.iter().map(|(name, _)| (name.clone(), "any")));
        }
    }
    if report.rules.is_empty() && report.untested.is_empty() && changed.is_none() {
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

/// The files that differ from the revision of `--changed`, by their full paths.
fn changed_files(args: &TestArgs) -> Result<Option<Vec<PathBuf>>> {
    let Some(revision) = &args.changed else { return Ok(None) };
    let folder = args.paths.first().map(|path| git::folder_of(path)).unwrap_or_default();
    let files = git::changed(&folder, revision)
        .ok_or_else(|| Failure::usage(format!("--changed: `{revision}` is no revision of the rules' repository")))?;
    Ok(Some(files.into_iter().map(|file| file.canonicalize().unwrap_or(file)).collect()))
}

/// Whether a file changed, or anything in the folders below its own: fixtures lie there.
fn is_touched(file: &Path, changed: &[PathBuf]) -> bool {
    let Ok(file) = file.canonicalize() else { return true };
    let Some(folder) = file.parent() else { return true };
    let stem = |path: &Path| path.file_name().and_then(|name| name.to_str()?.split('.').next().map(str::to_string));
    changed.iter().any(|other| {
        let deeper = other.parent().is_some_and(|parent| parent != folder && parent.starts_with(folder));
        let is_rule = other.extension().is_some_and(|e| ["yaml", "yml", "kql"].iter().any(|known| e == *known));
        deeper || other.parent() == Some(folder) && (!is_rule || stem(other) == stem(&file))
    })
}

fn run_file(
    file: &Path,
    library: &RuleLibrary,
    names: &Names,
    args: &TestArgs,
    logs: Option<&Session>,
    tested: &mut [bool],
) -> RuleTests {
    let shown = file.display().to_string();
    let mut result = RuleTests {
        name: shown.clone(),
        file: shown,
        rule_file: String::new(),
        has_positive: false,
        has_negative: false,
        cases: Vec::new(),
        mutants: None,
    };
    let error = |name: &str, reason: String| CaseResult {
        name: name.to_string(),
        verdict: Verdict::Error(reason),
        rows: Vec::new(),
    };
    let mut test = match read(file) {
        Ok(test) => test,
        Err(reason) => {
            result.cases.push(error("the test file", reason));
            return result;
        }
    };
    result.has_negative = test.cases.iter().any(|case| case.expect.is_negative());
    result.has_positive = test.cases.iter().any(|case| !case.expect.is_negative());
    let found =
        rule_of(&test, file, library).and_then(|index| Some((library.rules.get(index)?, tested.get_mut(index)?)));
    let Some((rule, tested)) = found else {
        result.cases.push(error("the rule", "no rule of this file, name or id".to_string()));
        return result;
    };
    result.name.clone_from(&rule.name);
    result.rule_file.clone_from(&rule.place.file);
    *tested = true;
    if let Some(only) = args.only.as_deref() {
        test.cases.retain(|case| case.name.to_lowercase().contains(&only.to_lowercase()));
    }
    let beside = file.parent().unwrap_or(Path::new("."));
    let prepared = rule_test::prepare(&test, library, beside, names);
    result.cases = prepared.run(rule);
    let good = |case: &CaseResult| matches!(case.verdict, Verdict::Passed | Verdict::KnownGap(_));
    if args.update
        && let Some(text) =
            std::fs::read_to_string(file).ok().and_then(|text| rule_test::updated(&text, &test, &result.cases))
        && std::fs::write(file, text).is_ok()
        && let Ok(again) = read(file)
    {
        result.cases = rule_test::prepare(&again, library, beside, names).run(rule);
    }
    // Tests that fail notice nothing.
    if args.mutate && result.cases.iter().all(good) {
        let logs = logs.map(|session| (&session.engine, session.default_now()));
        result.mutants = Some(rule_test::survivors(&prepared, rule, logs));
    }
    result
}

fn read(file: &Path) -> Result<RuleTest, String> {
    let text = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
    let read = if is_test(file) { rule_test::read(&text) } else { rule_test::read_own(&text) };
    read.map_err(|TestError { position, message }| match position {
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
        None if is_test(file) => of_file(&own_rule(file)?),
        None => of_file(file),
    }
}
