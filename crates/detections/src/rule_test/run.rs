//! Runs the cases of a rule's test and compares.
//!
//! The events of a case are loaded once; the rule, or a changed copy of it, runs over them as often as wanted. Start at [`run`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use connectors::LoadOptions;
use engine::{DataSet, Engine, Limits, QueryOptions, TableCatalog, Window};
use kql_semantics::StoredFunction;
use kql_types::datetime;
use serde_json::{Map, Value as Json};
use tables::{SchemaSet, TableRole};

use super::case::{AlertCount, Case, Expect, RuleTest};
use super::events;
use crate::alert::Alert;
use crate::hunt::{self, HuntInput, HuntOptions};
use crate::library::RuleLibrary;
use crate::outcome::RuleState;
use crate::profile::DataProfile;
use crate::rule::{AnalyticsRule, RuleKind};
use crate::schedule::{Mode, TimeSpan};
use crate::selection::Selection;
use crate::service::{self, IncidentBook};
use crate::steps::{self, Step};
use crate::{cell, entity, loaded_data, placeholders, scratch};

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

#[derive(Debug, Clone, PartialEq)]
pub struct CaseResult {
    pub name: String,
    pub verdict: Verdict,
    /// The result rows, by column; what `--update` writes.
    pub rows: Vec<Map<String, Json>>,
}

/// What names in rules may refer to.
#[derive(Debug, Clone, Default)]
pub struct Names {
    pub schemas: SchemaSet,
    pub functions: Vec<StoredFunction>,
    /// A database with the places of addresses.
    pub geoip: Option<PathBuf>,
}

/// A test with everything loaded that its cases need.
pub struct Prepared<'a> {
    test: &'a RuleTest,
    names: &'a Names,
    cases: Vec<Result<Loaded, String>>,
}

/// The events of one case, ready to be queried.
struct Loaded {
    engine: Engine,
    profile: DataProfile,
}

/// What a rule gave on a case.
struct Found {
    alerts: Vec<Alert>,
    incidents: usize,
}

/// Runs all cases of a test against the rule with this index. `beside` is the folder of the test file.
pub fn run(test: &RuleTest, library: &RuleLibrary, rule: usize, beside: &Path, names: &Names) -> Vec<CaseResult> {
    let Some(rule) = library.rules.get(rule) else { return Vec::new() };
    prepare(test, library, beside, names).run(rule)
}

/// Loads the events of all cases.
pub fn prepare<'a>(test: &'a RuleTest, library: &RuleLibrary, beside: &Path, names: &'a Names) -> Prepared<'a> {
    let cases = test.cases.iter().map(|case| load(test, case, library, beside, names)).collect();
    Prepared { test, names, cases }
}

fn load(test: &RuleTest, case: &Case, library: &RuleLibrary, beside: &Path, names: &Names) -> Result<Loaded, String> {
    let folder = scratch::Folder::new().map_err(|e| format!("a folder for the events: {e}"))?;
    let mut paths: Vec<PathBuf> = test.files.iter().map(|file| beside.join(file)).collect();
    let mut late: Vec<(PathBuf, i64)> = Vec::new();
    for (number, event) in (1..).zip(&case.events) {
        let into = folder.path().join(format!("event-{number}"));
        events::write(event, test.query_now, beside, &into, &names.schemas)?;
        match event.arrives() {
            Some(after) => late.push((into, after)),
            None => paths.push(into),
        }
    }
    let options = LoadOptions { threads: Some(1), schemas: names.schemas.clone(), ..LoadOptions::default() };
    let read = |paths: &[PathBuf]| connectors::load(paths, &options).map_err(|e| e.to_string());
    // A case without events of its own still runs, over empty tables.
    paths.push(folder.path().join("nothing"));
    std::fs::create_dir_all(folder.path().join("nothing")).map_err(|e| e.to_string())?;
    let loaded = read(&paths)?;
    let mut profile = DataProfile::of_load(&loaded.report);
    let mut data = loaded_data::data_of(&loaded, &names.schemas).map_err(|e| e.to_string())?;
    for (path, after) in late {
        let loaded = loaded_data::arriving(read(&[path])?, after);
        profile.add(DataProfile::of_load(&loaded.report));
        loaded_data::add_loaded(&mut data, &loaded, &names.schemas).map_err(|e| e.to_string())?;
    }
    let engine = engine(test, data, library, names)?;
    Ok(Loaded { engine, profile })
}

fn engine(test: &RuleTest, mut data: DataSet, library: &RuleLibrary, names: &Names) -> Result<Engine, String> {
    let known = names.schemas.names().into_iter().filter_map(|name| names.schemas.get(name).cloned());
    let functions: Vec<StoredFunction> = library.functions.iter().chain(&names.functions).cloned().collect();
    let mut catalog = TableCatalog::new().with_schemas(known).with_functions(functions).with_data(&data);
    for list in &test.watchlists {
        catalog = loaded_data::add_watchlist(catalog, &mut data, &list.name, &list.headers, &list.rows)?;
    }
    let engine = Engine::new(Arc::new(catalog), Arc::new(data));
    match &names.geoip {
        Some(file) => engine.with_geoip(file).map_err(|error| error.to_string()),
        None => Ok(engine),
    }
}

impl Prepared<'_> {
    /// Runs a rule over all cases.
    pub fn run(&self, rule: &AnalyticsRule) -> Vec<CaseResult> {
        let results = self.test.cases.iter().zip(&self.cases).map(|(case, loaded)| match loaded {
            Ok(loaded) => self.case(case, loaded, rule),
            Err(reason) => {
                CaseResult { name: case.name.clone(), verdict: Verdict::Error(reason.clone()), rows: Vec::new() }
            }
        });
        results.collect()
    }

    /// The data of every case, with the clock.
    pub(super) fn engines(&self) -> impl Iterator<Item = (&Engine, i64)> {
        self.cases.iter().flatten().map(|loaded| (&loaded.engine, self.test.query_now))
    }

    /// Whether every case ends well for a rule; ends at the first that does not.
    pub fn passes(&self, rule: &AnalyticsRule) -> bool {
        let good = |verdict: &Verdict| matches!(verdict, Verdict::Passed | Verdict::KnownGap(_));
        self.test.cases.iter().zip(&self.cases).all(|(case, loaded)| match loaded {
            Ok(loaded) => good(&self.verdict(case, loaded, rule).0),
            Err(_) => false,
        })
    }

    fn case(&self, case: &Case, loaded: &Loaded, rule: &AnalyticsRule) -> CaseResult {
        let (mut verdict, rows) = self.verdict(case, loaded, rule);
        if let Verdict::Failed(problems) = &mut verdict
            && case.expect.alerts.is_some_and(|count| count.min > 0)
            && rows.is_empty()
        {
            problems.push("rows in -> out, step by step:".to_string());
            problems.extend(match self.steps(loaded, rule) {
                Ok(found) => steps::lines(&found),
                Err(reason) => vec![reason],
            });
        }
        CaseResult { name: case.name.clone(), verdict, rows }
    }

    fn verdict(&self, case: &Case, loaded: &Loaded, rule: &AnalyticsRule) -> (Verdict, Vec<Map<String, Json>>) {
        let found = match self.hunt(case, loaded, rule) {
            Ok(found) => found,
            Err(reason) => return (Verdict::Error(reason), Vec::new()),
        };
        let mut problems = problems(&case.expect, &found);
        if let Some(wanted) = &case.expect.lost_at {
            problems.extend(self.not_lost_at(loaded, rule, wanted));
        }
        let verdict = match (&case.known_gap, problems.is_empty()) {
            (None, true) => Verdict::Passed,
            (None, false) => Verdict::Failed(problems),
            (Some(_), false) => Verdict::KnownGap(problems),
            (Some(gap), true) => Verdict::Failed(vec![format!("the known gap is closed: {gap}")]),
        };
        (verdict, found.alerts.iter().flat_map(rows_of).collect())
    }

    fn hunt(&self, case: &Case, loaded: &Loaded, rule: &AnalyticsRule) -> Result<Found, String> {
        let library = RuleLibrary { rules: vec![rule.clone()], ..RuleLibrary::default() };
        let now = self.test.query_now;
        let span = case.schedule.map(|(from, to)| (now.saturating_add(from), now.saturating_add(to)));
        let options = HuntOptions {
            mode: match span {
                None => Mode::Once { as_of: Some(now) },
                Some((from, to)) => Mode::Sweep { from: Some(from), to: Some(to) },
            },
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
            engine: &loaded.engine,
            library: &library,
            profile: &loaded.profile,
            is_reference: &is_reference,
            options: &options,
            interrupted: &AtomicBool::new(false),
        };
        // Where the test says when records arrive, runs see what had arrived by then, as in the service.
        if case.events.iter().any(|event| event.arrives().is_some()) && rule.kind != RuleKind::Hunting {
            let (first, last) = span.unwrap_or((now, now));
            let options = service::ReplayOptions::over(TimeSpan { first, last });
            let replay = service::replay(input, schemas, &options);
            return match replay.rules.first() {
                None => Err("invalid: the query does not bind".to_string()),
                Some(run) if run.failures > 0 => Err(format!("failed: {}", run.reason)),
                Some(_) => Ok(Found { incidents: replay.incidents.incidents.len(), alerts: replay.alerts }),
            };
        }
        let found = hunt::hunt(input, &());
        let outcome = found.outcomes.first().ok_or("the rule did not run")?;
        let state = outcome.state;
        if matches!(state, RuleState::Invalid | RuleState::Unsupported | RuleState::Failed | RuleState::Skipped) {
            return Err(format!("{}: {}", state.name(), outcome.reason));
        }
        let mut in_time: Vec<&Alert> = found.alerts.iter().collect();
        in_time.sort_by_key(|alert| alert.run.query_now);
        let mut book = IncidentBook::default();
        for alert in in_time {
            book.take(rule, std::slice::from_ref(alert), alert.run.query_now);
        }
        Ok(Found { alerts: found.alerts, incidents: book.incidents.len() })
    }

    fn steps(&self, loaded: &Loaded, rule: &AnalyticsRule) -> Result<Vec<Step>, String> {
        let now = self.test.query_now;
        let filled = placeholders::fill(&rule.filtered_query(), now - datetime::TICKS_PER_DAY, now);
        let mut options = QueryOptions::at(now);
        if rule.kind != RuleKind::Hunting {
            options.window = Some(Window { from: now - rule.query_period, to: now, fidelity: false });
        }
        let checked = loaded.engine.check(&filled.text, &options);
        let bound = checked.bound.ok_or("the query does not bind")?;
        steps::steps(&loaded.engine, &filled.text, &bound, &options).map_err(|e| e.to_string())
    }

    /// What is wrong when no step with this text drops a row.
    fn not_lost_at(&self, loaded: &Loaded, rule: &AnalyticsRule, wanted: &str) -> Vec<String> {
        let found = match self.steps(loaded, rule) {
            Ok(found) => found,
            Err(reason) => return vec![format!("lost_at: {reason}")],
        };
        let folded = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let wanted = folded(wanted);
        if found.iter().any(|step| step.drops() && step.text.contains(&wanted)) {
            return Vec::new();
        }
        let known = found.iter().any(|step| step.text.contains(&wanted));
        let problem = if known { "drops no row" } else { "is no step of the query" };
        let mut lines = vec![format!("lost_at: `{wanted}` {problem}; rows in -> out, step by step:")];
        lines.extend(steps::lines(&found));
        lines
    }
}

fn wrong_count(what: &str, wanted: Option<AlertCount>, got: usize) -> Option<String> {
    let count = wanted?;
    if count.min <= got && count.max.is_none_or(|max| got <= max) {
        return None;
    }
    let wanted = match count.max {
        Some(max) if max == count.min => max.to_string(),
        Some(max) => format!("{} to {max}", count.min),
        None => format!("{} or more", count.min),
    };
    Some(format!("{what}: expected {wanted}, got {got}"))
}

/// Where a case and what it gave differ.
fn problems(expect: &Expect, found: &Found) -> Vec<String> {
    let alerts = &found.alerts;
    let mut problems = Vec::new();
    problems.extend(wrong_count("alerts", expect.alerts, alerts.len()));
    problems.extend(wrong_count("incidents", expect.incidents, found.incidents));
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
