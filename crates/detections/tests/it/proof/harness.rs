//! Loads a scene, runs one rule over it, and compares with what a proof says.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use connectors::{LoadOptions, Loaded};
use detections::alert::Alert;
use detections::hunt::{Hunt, HuntInput, hunt};
use detections::library::{self, RuleLibrary};
use detections::outcome::RuleState;
use detections::profile::DataProfile;
use detections::schedule::Mode;
use detections::{cell, entity, placeholders};
use engine::{DataSet, Engine, QueryOptions, TableCatalog};
use kql_types::datetime;
use serde_json::{Value as Json, json};
use tables::{SchemaSet, TableRole};

use super::conditions::{self, Conditions};
use super::scene::Scene;

/// Everything that shows a rule to be right.
pub struct Proof {
    /// Path of the rule's file, or of one that is not here.
    pub rule: Option<PathBuf>,
    pub now: &'static str,
    pub bases: Vec<Base>,
    /// Changes after which the same rows are still found, but for the values given.
    pub found: Vec<Found>,
    /// Changes that take the rows away, each by one condition.
    pub silent: Vec<NearMiss>,
    /// For a list in a condition: puts a member in the scene. Every member must then be found.
    pub lists: Vec<List>,
    /// Conditions that no record can break by itself, and why.
    pub implied: Vec<(&'static str, &'static str)>,
}

/// Logs in which the rule must find these rows and no others.
pub struct Base {
    pub scene: Scene,
    pub rows: Vec<Row>,
    /// Rows that earlier runs of a sweep find besides.
    pub earlier: usize,
}

/// Logs of which no earlier run finds anything else.
pub fn base(scene: Scene, rows: Vec<Row>) -> Base {
    Base { scene, rows, earlier: 0 }
}

/// A result row, some of its values, the entities of its alert, and the records behind it.
#[derive(Clone)]
pub struct Row {
    pub values: Json,
    pub entities: Json,
    /// `FILE/INDEX`.
    pub sources: Vec<&'static str>,
    /// Severity and title of the alert.
    pub severity: &'static str,
    pub title: &'static str,
}

pub struct Found {
    pub name: &'static str,
    pub base: usize,
    pub change: fn(&mut Scene),
    /// Values of the first row that differ from the base, or that it does not state.
    pub values: Json,
    /// The condition that is broken for a part of the row only, if one is.
    pub breaks: Option<&'static str>,
}

pub struct NearMiss {
    /// A condition of the query, or `window: ...`, `group: ...` for what its text does not say as one.
    pub breaks: &'static str,
    pub base: usize,
    pub change: fn(&mut Scene),
}

pub struct List {
    pub condition: &'static str,
    pub base: usize,
    pub put: fn(&mut Scene, &str),
    /// Values of the first row with each member; None: a member keeps the rule silent.
    pub values: Option<Json>,
}

pub fn found(name: &'static str, base: usize, values: Json, change: fn(&mut Scene)) -> Found {
    Found { name, base, change, values, breaks: None }
}

pub fn silent(breaks: &'static str, base: usize, change: fn(&mut Scene)) -> NearMiss {
    NearMiss { breaks, base, change }
}

/// One rule over one scene.
pub struct Outcome {
    pub hunt: Hunt,
    pub loaded: Loaded,
}

struct Bench {
    library: RuleLibrary,
    now: i64,
    /// The tables that the rule reads, and those that the scenes hold.
    schemas: Arc<SchemaSet>,
}

impl Bench {
    fn run(&self, scene: &Scene, mode: Mode) -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        scene.write(folder.path());
        let options = LoadOptions { threads: Some(1), ..LoadOptions::default() };
        let loaded = connectors::load(&[folder.path().to_path_buf()], &options).unwrap();
        let unread: u64 = loaded.report.sources.iter().filter(|s| s.stopped.is_some()).count() as u64;
        assert_eq!(unread, 0, "every file of a scene is readable");
        let engine = engine(&loaded, &self.schemas);
        let profile = DataProfile::of_load(&loaded.report);
        let interrupted = AtomicBool::new(false);
        let is_reference = |table: &str| self.schemas.get(table).is_some_and(|t| t.role == TableRole::Reference);
        let options = detections::hunt::HuntOptions { mode, ..crate::data::options() };
        let input = HuntInput {
            engine: &engine,
            library: &self.library,
            profile: &profile,
            is_reference: &is_reference,
            options: &options,
            interrupted: &interrupted,
        };
        let hunt = hunt(input, &());
        Outcome { hunt, loaded }
    }

    fn once(&self, scene: &Scene) -> Outcome {
        self.run(scene, Mode::Once { as_of: Some(self.now) })
    }

    /// The conditions of the rule's query.
    fn conditions(&self) -> Conditions {
        let rule = &self.library.rules[0];
        let catalog =
            TableCatalog::new().with_schemas(self.schemas.names().iter().filter_map(|n| self.schemas.get(n).cloned()));
        let engine = Engine::new(Arc::new(catalog), Arc::new(DataSet::new()));
        let filled = placeholders::fill(&rule.query, self.now - datetime::TICKS_PER_DAY, self.now);
        let checked = engine.check(&filled.text, &QueryOptions::at(self.now));
        assert!(
            checked.diagnostics.iter().all(|d| d.severity != kql_types::Severity::Error),
            "{:?}",
            checked.diagnostics
        );
        conditions::of(&filled.text, &checked.bound.unwrap())
    }
}

fn engine(loaded: &Loaded, schemas: &SchemaSet) -> Engine {
    let mut data = DataSet::new();
    for (table, batches) in &loaded.tables {
        let Some(schema) = loaded.schemas.get(table) else { continue };
        let columns = tables::columns_in_memory(&schema.columns);
        data.add_batches(table, columns, batches.clone()).unwrap();
    }
    let known = schemas.names().into_iter().filter_map(|name| schemas.get(name).cloned());
    let catalog = TableCatalog::new().with_schemas(known).with_data(&data);
    Engine::new(Arc::new(catalog), Arc::new(data))
}

/// The tables of the sources that the five detections are about.
const TABLES: [&str; 8] = [
    "AWSCloudTrail",
    "AzureActivity",
    "GCPAuditLogs",
    "SecurityAlert",
    "IdentityInfo",
    "BehaviorAnalytics",
    "AzureNetworkAnalytics_CL",
    "SigninLogs",
];

/// Checks a proof from end to end. Without the rule's file there is nothing to check.
pub fn prove(proof: &Proof) {
    let Some(path) = &proof.rule else { return };
    let builtin = SchemaSet::builtin();
    let mut schemas = SchemaSet::empty();
    TABLES.iter().filter_map(|name| builtin.get(name)).for_each(|table| schemas.add(table.clone()));
    let library = library::load(std::slice::from_ref(path));
    assert_eq!(library.rules.len(), 1, "{:?}", library.broken);
    let bench = Bench { library, now: datetime::parse(proof.now).unwrap(), schemas: Arc::new(schemas) };
    every_condition_is_tried(proof, &bench.conditions());
    for base in &proof.bases {
        check_rows(&bench.once(&base.scene), &base.rows, 0, "as planted");
        let sweep = bench.run(&base.scene, Mode::Sweep { from: None, to: Some(bench.now) });
        check_rows(&sweep, &base.rows, base.earlier, "as planted, swept");
    }
    for found in &proof.found {
        let base = &proof.bases[found.base];
        let mut scene = base.scene.clone();
        (found.change)(&mut scene);
        let outcome = bench.once(&scene);
        let name = found.breaks.unwrap_or(found.name);
        assert_eq!(outcome.hunt.outcomes[0].state, RuleState::Fired, "{name}: {:?}", outcome.hunt.outcomes[0]);
        let rows = rows(&outcome);
        assert_eq!(rows.len(), base.rows.len(), "{name}: {rows:#?}");
        assert_subset(&found.values, &rows[0].0, name);
    }
    for list in &proof.lists {
        let of_query = bench.conditions().lists;
        let members = of_query.iter().find(|(condition, _)| condition == list.condition).map(|(_, members)| members);
        for member in members.unwrap_or_else(|| panic!("no list {:?} in {of_query:#?}", list.condition)) {
            let base = &proof.bases[list.base];
            let mut scene = base.scene.clone();
            (list.put)(&mut scene, member);
            let outcome = bench.once(&scene);
            let name = format!("{} with {member}", list.condition);
            let fired = outcome.hunt.outcomes[0].state == RuleState::Fired;
            assert_eq!(fired, list.values.is_some(), "{name}: {:?}", outcome.hunt.outcomes[0]);
            if let Some(values) = &list.values {
                assert_subset(values, &rows(&outcome)[0].0, &name);
            }
        }
    }
    for miss in &proof.silent {
        let mut scene = proof.bases[miss.base].scene.clone();
        (miss.change)(&mut scene);
        let outcome = bench.once(&scene);
        let state = outcome.hunt.outcomes[0].state;
        assert!(
            matches!(state, RuleState::Silent | RuleState::Partial | RuleState::OutOfWindow),
            "{}: {state:?} {:#?}",
            miss.breaks,
            rows(&outcome)
        );
    }
}

/// Every condition has a near miss, every list is walked, and nothing is claimed that the query does not ask.
fn every_condition_is_tried(proof: &Proof, conditions: &Conditions) {
    let asked: BTreeSet<&str> = conditions.texts.iter().map(String::as_str).collect();
    let partly = proof.found.iter().filter_map(|found| found.breaks);
    let implied = proof.implied.iter().map(|(condition, _)| *condition);
    let tried: BTreeSet<&str> = proof.silent.iter().map(|miss| miss.breaks).chain(partly).chain(implied).collect();
    let forgotten: Vec<&&str> = asked.difference(&tried).collect();
    assert!(forgotten.is_empty(), "conditions without a near miss: {forgotten:#?}");
    let beyond = |text: &str| ["window: ", "group: "].iter().any(|prefix| text.starts_with(prefix));
    let unknown: Vec<&&str> = tried.difference(&asked).filter(|text| !beyond(text)).collect();
    assert!(unknown.is_empty(), "not in the query: {unknown:#?}\nit asks: {asked:#?}");
    let walked: BTreeSet<&str> = proof.lists.iter().map(|list| list.condition).collect();
    let lists: BTreeSet<&str> = conditions.lists.iter().map(|(condition, _)| condition.as_str()).collect();
    assert_eq!(walked, lists, "lists whose members are all tried");
    for window in ["window: before it", "window: after the clock"] {
        assert!(tried.contains(window), "{window}");
    }
}

/// Rows with their alerts, in the order of the alerts.
fn rows(outcome: &Outcome) -> Vec<(Json, Alert, Vec<String>)> {
    let mut all = Vec::new();
    for alert in &outcome.hunt.alerts {
        for row in &alert.rows {
            let values = alert.columns.iter().zip(&row.values).map(|(c, v)| (c.name.clone(), cell::json(v)));
            let mut sources: Vec<String> =
                row.sources.places.iter().map(|place| label(&outcome.loaded, *place)).collect();
            sources.sort();
            all.push((Json::Object(values.collect()), alert.clone(), sources));
        }
    }
    all
}

/// `FILE/INDEX` of a record.
fn label(loaded: &Loaded, packed: i64) -> String {
    let (source, record) = tables::unpack_source(packed);
    let path = PathBuf::from(&loaded.report.sources[source as usize].path);
    format!("{}/{record}", path.file_stem().unwrap().to_string_lossy())
}

fn check_rows(outcome: &Outcome, expected: &[Row], more: usize, what: &str) {
    let rule = &outcome.hunt.outcomes[0];
    assert_eq!(rule.state, RuleState::Fired, "{what}: {rule:?}");
    let rows = rows(outcome);
    assert_eq!(rows.len(), expected.len() + more, "{what}: {:#?}", rows.iter().map(|row| &row.0).collect::<Vec<_>>());
    for expected in expected {
        // Alerts of one moment come in the order of their ids.
        let stated = expected.values.as_object().unwrap();
        let matches = |found: &Json| stated.iter().all(|(name, value)| found.get(name) == Some(value));
        let (_, alert, sources) = rows.iter().find(|(values, _, _)| matches(values)).unwrap_or_else(|| {
            panic!("{what}: no row {stated:#?} in {:#?}", rows.iter().map(|r| &r.0).collect::<Vec<_>>())
        });
        let entities: Vec<Json> = match entity::entities_json(&alert.entities) {
            Json::Array(items) => items.into_iter().map(without_reference).collect(),
            other => vec![other],
        };
        assert_eq!(Json::Array(entities), expected.entities, "{what}: entities");
        assert_eq!(sources, &expected.sources, "{what}: source records");
        assert_eq!((alert.severity.name(), alert.display_name.as_str()), (expected.severity, expected.title), "{what}");
    }
}

fn without_reference(mut entity: Json) -> Json {
    entity.as_object_mut().unwrap().shift_remove("$id");
    entity
}

/// Every value stated is there.
fn assert_subset(stated: &Json, found: &Json, what: &str) {
    for (name, value) in stated.as_object().unwrap() {
        assert_eq!(found.get(name).unwrap_or(&json!("no such column")), value, "{what}: {name} in {found:#}");
    }
}

/// A built-in rule.
pub fn built_in(name: &str) -> Option<PathBuf> {
    Some(testing::workspace_root().join("rules").join(name).join("rule.yaml"))
}

/// A published rule as it stands, where the reference data is beside the project.
pub fn published(name: &str) -> Option<PathBuf> {
    testing::shared(&format!("seeds/{name}.yaml"))
}
