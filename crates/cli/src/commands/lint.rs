//! `tidewatch lint`: what is probably wrong with rules.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use detections::attack::Version;
use detections::library::{self, RuleLibrary};
use detections::lint::baseline::Baseline;
use detections::lint::codes::{self, CODES, LintCode};
use detections::lint::{DataFacts, Finding, Level, LintContext, Profile, TestsBeside, fix, lint};
use detections::rule::AnalyticsRule;
use detections::rule_test;
use detections::selection::Selection;
use engine::QueryOptions;

use crate::args::{AttackArg, FileArgs, LevelArg, LintArgs, LintFormat, LintProfileArg};
use crate::exit::{Exit, Failure};
use crate::git;
use crate::project::Project;
use crate::report::lint::{self as report, LintReport};
use crate::session::{self, Reading, Session, SessionInput};

/// Lints the rules of all paths.
pub fn run(args: &LintArgs) -> Result<Exit> {
    if let Some(code) = &args.explain {
        return explain(code);
    }
    let mut library = library::load(&args.paths);
    let mut project = Project::of(&args.paths)?;
    project.apply(&mut library);
    project.warn_of_expired();
    if library.rules.is_empty() && library.broken.is_empty() && library.unreadable.is_empty() {
        return Err(Failure::input("no rules there"));
    }
    check_names(args.select.iter().chain(&args.ignore))?;
    if let Some(revision) = &args.since {
        let folder = args.paths.first().map(|path| git::folder_of(path));
        if !folder.is_some_and(|folder| git::has_revision(&folder, revision)) {
            return Err(Failure::usage(format!("--since: `{revision}` is no revision of the rules' repository")));
        }
    }
    let mut found = find(args, &library, &project)?;
    let mut fixed = 0;
    if args.fix {
        fixed = apply_fixes(&library, &found)?;
        if fixed > 0 {
            library = library::load(&args.paths);
            project.apply(&mut library);
            found = find(args, &library, &project)?;
        }
    }
    if let Some(path) = &args.write_baseline {
        let text = serde_json::to_string_pretty(&Baseline::of(&found))?;
        std::fs::write(path, text + "\n").with_context(|| format!("writing {}", path.display()))?;
    }
    let mut report = LintReport { rules: library.rules.len(), fixed, ..LintReport::default() };
    if let Some(path) = &args.baseline {
        let text = std::fs::read_to_string(path).map_err(|e| Failure::input(format!("{}: {e}", path.display())))?;
        let baseline = Baseline::read(&text).map_err(|e| Failure::input(format!("{}: {e}", path.display())))?;
        let (known, gone) = baseline.apply(&mut found);
        (report.known, report.gone) = (known, gone.len());
    }
    report.findings = found;
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        LintFormat::Text => report::write_text(&report, &mut out)?,
        LintFormat::Json => report::write_json(&report, &mut out)?,
        LintFormat::Sarif => report::write_sarif(&report, &mut out)?,
        LintFormat::Github => report::write_github(&report, &mut out)?,
    }
    out.flush()?;
    let least = level(args.fail_on);
    let fails = report.findings.iter().any(|finding| finding.code.level >= least);
    Ok(if fails { Exit::Found } else { Exit::Clean })
}

fn explain(code: &str) -> Result<Exit> {
    let known = codes::find(code).ok_or_else(|| Failure::usage(format!("--explain: `{code}` is no code")))?;
    write!(io::stdout().lock(), "{}", report::page(known))?;
    Ok(Exit::Clean)
}

fn level(arg: LevelArg) -> Level {
    match arg {
        LevelArg::Note => Level::Note,
        LevelArg::Warning => Level::Warning,
        LevelArg::Error => Level::Error,
    }
}

/// A code, or the beginning of some.
fn names(given: &str, code: &LintCode) -> bool {
    code.code.get(..given.len()).is_some_and(|start| start.eq_ignore_ascii_case(given))
}

fn check_names<'a>(given: impl Iterator<Item = &'a String>) -> Result<()> {
    for given in given {
        if given.is_empty() || !CODES.iter().any(|code| names(given, code)) {
            return Err(Failure::usage(format!("`{given}` is no code and begins none")));
        }
    }
    Ok(())
}

fn find(args: &LintArgs, library: &RuleLibrary, project: &Project) -> Result<Vec<Finding>> {
    let session = Session::open(SessionInput {
        reading: Reading::new(&args.reading, &FileArgs::default())?,
        logs: &args.logs,
        names: &args.names,
        functions: library.functions.clone(),
        watchlists: library.watchlist_files.clone(),
        threads: args.threads.map(usize::from),
    })?;
    let facts = (!args.logs.is_empty()).then(|| DataFacts::new(session.default_now()));
    let earlier = |file: &str| git::show(args.since.as_deref()?, Path::new(file));
    let tests = TestFiles::of(library);
    let beside = |rule: &AnalyticsRule| tests.beside(rule);
    let context = LintContext {
        engine: &session.engine,
        profile: match args.profile {
            LintProfileArg::All => Profile::All,
            LintProfileArg::Sentinel => Profile::Sentinel,
        },
        attack: match args.attack {
            AttackArg::V16 => Version::V16,
            AttackArg::V19 => Version::V19,
        },
        today: session::present(),
        earlier: args.since.is_some().then_some(&earlier),
        tests: Some(&beside),
        data: facts.as_ref(),
        allowed: &project.silences,
    };
    let mut found = lint(library, &context);
    let left_out: Vec<(&str, &str)> = library
        .rules
        .iter()
        .filter(|rule| is_left_out(&session, project, rule))
        .map(|rule| (rule.place.file.as_str(), rule.id.as_str()))
        .collect();
    found.retain(|finding| {
        !left_out.contains(&(finding.file.as_str(), finding.rule_id.as_str()))
            && finding.code.level >= level(args.level)
            && (args.select.is_empty() || args.select.iter().any(|given| names(given, finding.code)))
            && !args.ignore.iter().any(|given| names(given, finding.code))
    });
    Ok(found)
}

/// The kinds of tests that stand beside rules; rules are judged by them only where any rule has some.
struct TestFiles {
    by_rule: HashMap<PathBuf, TestsBeside>,
}

impl TestFiles {
    fn of(library: &RuleLibrary) -> TestFiles {
        let mut by_rule = HashMap::new();
        for rule in &library.rules {
            let file = PathBuf::from(&rule.place.file);
            let Some(stem) = file.file_stem() else { continue };
            let test = file.with_file_name(format!("{}.test.yaml", stem.to_string_lossy()));
            let own =
                rule_test::has_own(&rule.place.text).then(|| rule_test::read_own(&rule.place.text).ok()).flatten();
            let test = std::fs::read_to_string(test).ok().and_then(|text| rule_test::read(&text).ok());
            if own.is_none() && test.is_none() {
                continue;
            }
            let any = |negative: bool| {
                let mut cases = own.iter().chain(&test).flat_map(|test| &test.cases);
                cases.any(|case| case.expect.is_negative() == negative)
            };
            let beside = TestsBeside { positive: any(false), negative: any(true) };
            by_rule.insert(file, beside);
        }
        TestFiles { by_rule }
    }

    fn beside(&self, rule: &AnalyticsRule) -> Option<TestsBeside> {
        if self.by_rule.is_empty() {
            return None;
        }
        Some(self.by_rule.get(Path::new(&rule.place.file)).copied().unwrap_or_default())
    }
}

/// Whether the project file leaves a rule out: by what it is, or by the tables it reads.
fn is_left_out(session: &Session, project: &Project, rule: &AnalyticsRule) -> bool {
    if project.leaves_out(rule).is_some() {
        return true;
    }
    let tuning = &project.tuning;
    if tuning.select.tables.is_empty() && tuning.ignore.tables.is_empty() {
        return false;
    }
    let checked = session.engine.check(&rule.query, &QueryOptions::at(session.default_now()));
    let tables: Vec<String> =
        checked.bound.iter().flat_map(|bound| &bound.tables).map(|table| table.name.clone()).collect();
    project.selection(Selection::default()).leaves_out_tables(&tables).is_some()
}

/// Writes the safe fixes of all findings; gives how many were applied.
fn apply_fixes(library: &RuleLibrary, found: &[Finding]) -> Result<usize> {
    let mut by_file: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in found.iter().filter(|finding| finding.fix.is_some()) {
        by_file.entry(&finding.file).or_default().push(finding);
    }
    let mut applied = 0;
    for (file, findings) in by_file {
        let Some(rule) = library.rules.iter().find(|rule| rule.place.file == file) else { continue };
        let bytes = std::fs::read(file).map_err(|e| Failure::input(format!("{file}: {e}")))?;
        let text = String::from_utf8_lossy(&bytes);
        let (mark, body) = match text.strip_prefix('\u{feff}') {
            Some(body) => ("\u{feff}", body),
            None => ("", text.as_ref()),
        };
        // A file that is not UTF-8, or changed since it was read, is left alone.
        if body != rule.place.text.as_ref() || text.as_bytes() != bytes {
            continue;
        }
        let (mended, count) = fix::apply(body, &findings);
        std::fs::write(file, format!("{mark}{mended}")).with_context(|| format!("writing {file}"))?;
        applied += count;
    }
    Ok(applied)
}
