//! Runs the cases of a rule's test and compares.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use connectors::{LoadOptions, Loaded};
use engine::{DataSet, Engine, Limits, TableCatalog};
use kql_semantics::StoredFunction;
use kql_types::datetime;
use serde_json::{Map, Value as Json};
use tables::{SchemaSet, TableRole};

use super::case::{Case, RuleTest};
use super::events;
use crate::alert::Alert;
use crate::hunt::{self, Hunt, HuntInput, HuntOptions};
use crate::library::RuleLibrary;
use crate::outcome::RuleState;
use crate::profile::DataProfile;
use crate::schedule::Mode;
use crate::selection::Selection;
use crate::{cell, entity};

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    /// What was expected and what came, one line each.
    Failed(Vec<String>),
    /// It fails as its `known_gap` says.
    KnownGap(Vec<String>),
    /// It could not be run.
    Error(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    pub name: String,
    pub verdict: Verdict,
}

/// What names in rules may refer to.
#[derive(Debug, Clone, Default)]
pub struct Names {
    pub schemas: SchemaSet,
    pub functions: Vec<StoredFunction>,
}

/// Runs all cases of a test against the rule with this index. `beside` is the folder of the test file.
pub fn run(test: &RuleTest, library: &RuleLibrary, rule: usize, beside: &Path, names: &Names) -> Vec<CaseResult> {
    let Some(rule) = library.rules.get(rule) else { return Vec::new() };
    let library =
        RuleLibrary { rules: vec![rule.clone()], functions: library.functions.clone(), ..RuleLibrary::default() };
    let runner = Runner { test, library: &library, beside, names };
    let verdicts = test.cases.iter().map(|case| CaseResult { name: case.name.clone(), verdict: runner.verdict(case) });
    verdicts.collect()
}

struct Runner<'a> {
    test: &'a RuleTest,
    library: &'a RuleLibrary,
    beside: &'a Path,
    names: &'a Names,
}

impl Runner<'_> {
    fn verdict(&self, case: &Case) -> Verdict {
        let found = match self.hunt(case) {
            Ok(found) => found,
            Err(reason) => return Verdict::Error(reason),
        };
        let Some(outcome) = found.outcomes.first() else { return Verdict::Error("the rule did not run".to_string()) };
        if matches!(outcome.state, RuleState::Invalid | RuleState::Unsupported | RuleState::Failed | RuleState::Skipped)
        {
            return Verdict::Error(format!("{}: {}", outcome.state.name(), outcome.reason));
        }
        let problems = problems(case, &found.alerts);
        match (&case.known_gap, problems.is_empty()) {
            (None, true) => Verdict::Passed,
            (None, false) => Verdict::Failed(problems),
            (Some(_), false) => Verdict::KnownGap(problems),
            (Some(gap), true) => Verdict::Failed(vec![format!("the known gap is closed: {gap}")]),
        }
    }

    fn hunt(&self, case: &Case) -> Result<Hunt, String> {
        let folder = ScratchFolder::new().map_err(|e| format!("a folder for the events: {e}"))?;
        for (number, event) in (1..).zip(&case.events) {
            let into = folder.0.join(format!("event-{number}"));
            events::write(event, self.test.query_now, self.beside, &into, &self.names.schemas)?;
        }
        let mut paths: Vec<PathBuf> = self.test.files.iter().map(|file| self.beside.join(file)).collect();
        paths.push(folder.0.clone());
        let options = LoadOptions { threads: Some(1), schemas: self.names.schemas.clone(), ..LoadOptions::default() };
        let loaded = connectors::load(&paths, &options).map_err(|e| e.to_string())?;
        let engine = self.engine(&loaded)?;
        let profile = DataProfile::of_load(&loaded.report);
        let now = self.test.query_now;
        let mode = match case.schedule {
            None => Mode::Once { as_of: Some(now) },
            Some((from, to)) => Mode::Sweep { from: Some(now.saturating_add(from)), to: Some(now.saturating_add(to)) },
        };
        let options = HuntOptions {
            mode,
            range: datetime::TICKS_PER_DAY,
            fidelity: false,
            strict: false,
            threads: 1,
            limits: Limits::default(),
            rule_time: None,
            selection: Selection::default(),
        };
        let schemas = &self.names.schemas;
        let is_reference = |table: &str| schemas.get(table).is_some_and(|t| t.role == TableRole::Reference);
        let input = HuntInput {
            engine: &engine,
            library: self.library,
            profile: &profile,
            is_reference: &is_reference,
            options: &options,
            interrupted: &AtomicBool::new(false),
        };
        Ok(hunt::hunt(input, &()))
    }

    fn engine(&self, loaded: &Loaded) -> Result<Engine, String> {
        let mut data = DataSet::new();
        for (table, batches) in &loaded.tables {
            let Some(schema) = loaded.schemas.get(table) else { continue };
            let columns = tables::columns_in_memory(&schema.columns);
            data.add_batches(table, columns, batches.clone()).map_err(|e| e.to_string())?;
        }
        let known = self.names.schemas.names().into_iter().filter_map(|name| self.names.schemas.get(name).cloned());
        let functions = self.library.functions.iter().chain(&self.names.functions).cloned();
        let catalog =
            TableCatalog::new().with_schemas(known).with_functions(functions.collect::<Vec<_>>()).with_data(&data);
        Ok(Engine::new(Arc::new(catalog), Arc::new(data)))
    }
}

/// A folder that goes away with its value.
struct ScratchFolder(PathBuf);

impl ScratchFolder {
    fn new() -> std::io::Result<ScratchFolder> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("tidewatch-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(ScratchFolder(path))
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // Left behind at worst; there is nobody to tell.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where a case and what it gave differ.
fn problems(case: &Case, alerts: &[Alert]) -> Vec<String> {
    let expect = &case.expect;
    let mut problems = Vec::new();
    if let Some(count) = expect.alerts
        && !(count.min <= alerts.len() && count.max.is_none_or(|max| alerts.len() <= max))
    {
        let wanted = match count.max {
            Some(max) if max == count.min => max.to_string(),
            Some(max) => format!("{} to {max}", count.min),
            None => format!("{} or more", count.min),
        };
        problems.push(format!("alerts: expected {wanted}, got {}", alerts.len()));
    }
    if let Some(severity) = expect.severity
        && let Some(other) = alerts.iter().find(|alert| alert.severity != severity)
    {
        problems.push(format!("severity: expected {}, got {}", severity.name(), other.severity.name()));
    }
    let entities: Vec<Map<String, Json>> = alerts.iter().flat_map(entities_of).collect();
    for wanted in &expect.entities {
        if !entities.iter().any(|entity| has_entity(entity, wanted)) {
            problems.push(format!(
                "entities: no {} among {}",
                Json::from(wanted.clone()),
                Json::from(entities.clone())
            ));
        }
    }
    let rows: Vec<Map<String, Json>> = alerts.iter().flat_map(rows_of).collect();
    for wanted in &expect.rows {
        let same = |row: &&Map<String, Json>| {
            wanted.iter().all(|(name, value)| row.get(name).is_some_and(|found| same_value(found, value)))
                && (!expect.exact || row.len() == wanted.len())
        };
        if !rows.iter().any(|row| same(&row)) {
            problems.push(format!("rows: no {} among {}", Json::from(wanted.clone()), Json::from(rows.clone())));
        }
    }
    if expect.exact && rows.len() != expect.rows.len() {
        problems.push(format!("rows: expected {}, got {}", expect.rows.len(), rows.len()));
    }
    problems
}

fn entities_of(alert: &Alert) -> Vec<Map<String, Json>> {
    match entity::entities_json(&alert.entities) {
        Json::Array(items) => items.into_iter().filter_map(|item| item.as_object().cloned()).collect(),
        _ => Vec::new(),
    }
}

/// `{type: IP, Address: ...}`; the type in any case.
fn has_entity(entity: &Map<String, Json>, wanted: &Map<String, Json>) -> bool {
    wanted.iter().all(|(name, value)| {
        let is_type = name.eq_ignore_ascii_case("type");
        let found = entity.get(if is_type { "Type" } else { name.as_str() });
        match (found, value) {
            (Some(Json::String(found)), Json::String(value)) if is_type => found.eq_ignore_ascii_case(value),
            (Some(found), value) => same_value(found, value),
            (None, _) => false,
        }
    })
}

fn rows_of(alert: &Alert) -> Vec<Map<String, Json>> {
    let rows = alert.rows.iter();
    rows.map(|row| alert.columns.iter().zip(&row.values).map(|(c, v)| (c.name.clone(), cell::json(v))).collect())
        .collect()
}

/// Equal, or equal moments in different writing, or equal numbers.
fn same_value(found: &Json, wanted: &Json) -> bool {
    match (found, wanted) {
        (Json::String(found), Json::String(wanted)) => {
            found == wanted || datetime::parse(found).is_some_and(|time| datetime::parse(wanted) == Some(time))
        }
        (Json::Number(found), Json::Number(wanted)) => found == wanted || found.as_f64() == wanted.as_f64(),
        _ => found == wanted,
    }
}
