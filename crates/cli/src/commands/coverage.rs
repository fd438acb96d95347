//! `tidewatch coverage`: which ATT&CK techniques rules cover, in three layers; and what changed between two revisions.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use coverage::{Coverage, Data, Layer, RuleFacts, Tests, diff};
use detections::attack::Version;
use detections::library::{self, RuleLibrary};
use detections::profile::DataProfile;
use detections::rule::AnalyticsRule;
use detections::rule_test::Verdict;
use engine::Engine;

use super::{check, test};
use crate::args::{AttackArg, CoverageArgs, CoverageFormat, LayerArg};
use crate::builtin;
use crate::exit::{Exit, Failure};
use crate::git;
use crate::session::{Reading, Session, SessionInput};

/// Judges the rules and writes the layers.
pub fn run(args: &CoverageArgs) -> Result<Exit> {
    let version = match args.attack {
        AttackArg::V16 => Version::V16,
        AttackArg::V19 => Version::V19,
    };
    if let Some(revisions) = &args.diff {
        let text = difference(args, revisions, version)?;
        return write(args.output.as_deref(), &text);
    }
    let library = load(&args.paths)?;
    let session = Session::open(SessionInput {
        logs: &args.logs,
        reading: Reading::default(),
        names: &args.names,
        functions: library.functions.clone(),
        watchlists: library.watchlist_files.clone(),
        threads: args.threads.map(usize::from),
    })?;
    let mut facts = facts(&library, &session.engine);
    if !args.logs.is_empty() {
        facts.iter_mut().for_each(|rule| rule.data = data_of(rule, &session.profile));
    }
    if args.tests {
        add_tests(&mut facts, args)?;
    }
    let coverage = Coverage::of(facts, version);
    let layer = args.layer.map(|layer| match layer {
        LayerArg::Rules => Layer::Rules,
        LayerArg::Data => Layer::Data,
        LayerArg::Tested => Layer::Tested,
    });
    let text = match args.format {
        CoverageFormat::Markdown => coverage::markdown(&coverage, &args.title),
        CoverageFormat::Html => coverage::html(&coverage, &args.title),
        CoverageFormat::Navigator => pretty(&coverage::navigator(&coverage, layer, &args.title))?,
        CoverageFormat::Json => pretty(&coverage.json())?,
    };
    write(args.output.as_deref(), &text)
}

/// Rules of the paths, or the built-in ones.
pub fn load(paths: &[PathBuf]) -> Result<RuleLibrary> {
    if paths.is_empty() {
        return Ok(builtin::library());
    }
    let library = library::load(paths);
    match library.unreadable.first() {
        Some((path, reason)) if library.rules.is_empty() => Err(Failure::input(format!("{path}: {reason}"))),
        _ if library.rules.is_empty() => Err(Failure::input("no rules there")),
        _ => Ok(library),
    }
}

pub fn pretty(document: &serde_json::Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}

/// Writes a text to a file or to standard output.
pub fn write(path: Option<&Path>, text: &str) -> Result<Exit> {
    match path {
        Some(path) => std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?,
        None => io::stdout().lock().write_all(text.as_bytes())?,
    }
    Ok(Exit::Clean)
}

/// What is known of every rule without data, with the tables that its query reads.
pub fn facts(library: &RuleLibrary, engine: &Engine) -> Vec<RuleFacts> {
    let tables = |rule: &AnalyticsRule| -> Vec<String> {
        let (checked, _) = check::check_text(engine, &rule.query, false, Vec::new());
        let tables = checked.bound.map(|bound| bound.tables).unwrap_or_default();
        let names: BTreeSet<String> = tables.into_iter().map(|table| table.name).collect();
        names.into_iter().collect()
    };
    library.rules.iter().map(|rule| of_rule(rule, tables(rule))).collect()
}

fn of_rule(rule: &AnalyticsRule, tables: Vec<String>) -> RuleFacts {
    RuleFacts {
        id: rule.id.clone(),
        name: rule.name.clone(),
        description: rule.description.trim().to_string(),
        kind: rule.kind.name().to_string(),
        severity: rule.severity.map(|severity| severity.name().to_string()).unwrap_or_default(),
        tactics: rule.tactics.clone(),
        techniques: rule.relevant_techniques.clone(),
        tables,
        version: rule.version.clone().unwrap_or_default(),
        file: rule.place.file.clone(),
        changed: None,
        data: Data::Unknown,
        tests: Tests::Unknown,
    }
}

fn data_of(rule: &RuleFacts, profile: &DataProfile) -> Data {
    let with_rows = rule.tables.iter().filter(|table| profile.rows(table) > 0).count();
    match with_rows {
        0 => Data::None,
        some if some < rule.tables.len() => Data::Some,
        _ => Data::All,
    }
}

/// Runs the tests of the paths: a rule whose every case ends well has passed.
fn add_tests(facts: &mut [RuleFacts], args: &CoverageArgs) -> Result<()> {
    let report = test::of_paths(&args.paths, &args.names)?;
    let mut ended: HashMap<&str, bool> = HashMap::new();
    for rule in &report.rules {
        let good =
            |case: &detections::rule_test::CaseResult| matches!(case.verdict, Verdict::Passed | Verdict::KnownGap(_));
        let passed = !rule.cases.is_empty() && rule.cases.iter().all(good);
        let known = ended.entry(&rule.rule_file).or_insert(true);
        *known &= passed;
    }
    for rule in facts {
        rule.tests = match ended.get(rule.file.as_str()) {
            None => Tests::None,
            Some(true) => Tests::Passed,
            Some(false) => Tests::Failed,
        };
    }
    Ok(())
}

/// What changed in the layer of rules since a revision, or between two.
fn difference(args: &CoverageArgs, revisions: &str, version: Version) -> Result<String> {
    let (old, new) = match revisions.split_once("..") {
        Some((old, new)) => (old, Some(new).filter(|new| !new.is_empty())),
        None => (revisions, None),
    };
    let before = Coverage::of(at_revision(args, old)?, version);
    let after = match new {
        Some(new) => at_revision(args, new)?,
        None => load(&args.paths)?.rules.iter().map(|rule| of_rule(rule, Vec::new())).collect(),
    };
    let changes = diff::changes(&before, &Coverage::of(after, version));
    let to = new.unwrap_or("the files");
    match args.format {
        CoverageFormat::Json => pretty(&diff::json(&changes, old, to)),
        CoverageFormat::Markdown => Ok(diff::markdown(&changes, old, to)),
        CoverageFormat::Html | CoverageFormat::Navigator => {
            Err(Failure::usage("--diff is written as markdown or json"))
        }
    }
}

fn at_revision(args: &CoverageArgs, revision: &str) -> Result<Vec<RuleFacts>> {
    let mut facts = Vec::new();
    for path in &args.paths {
        let folder = git::folder_of(path);
        let unknown = || Failure::usage(format!("--diff: `{revision}` is no revision of the rules' repository"));
        if !git::has_revision(&folder, revision) {
            return Err(unknown());
        }
        let files = git::files_at(&folder, revision, &["yaml", "yml", "kql"]).ok_or_else(unknown)?;
        let named = |file: &str| path.is_dir() || path.file_name().is_some_and(|name| name == file);
        let texts = files.iter().filter(|(file, _)| named(file)).map(|(file, text)| (file.as_str(), text.as_str()));
        facts.extend(library::from_texts(texts).rules.iter().map(|rule| of_rule(rule, Vec::new())));
    }
    Ok(facts)
}
