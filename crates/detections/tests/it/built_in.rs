//! The built-in rules: their tests pass, what they declare is what they read, and their guidance can be followed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use detections::library;
use detections::rule::AnalyticsRule;
use detections::rule_test::{self, Names, Verdict};
use engine::{Checked, DataSet, Engine, QueryOptions, TableCatalog};
use kql_types::{Severity, datetime};
use tables::SchemaSet;

struct BuiltIn {
    folder: PathBuf,
    rule: AnalyticsRule,
}

fn rules() -> Vec<BuiltIn> {
    let root = testing::workspace_root().join("rules");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir() && !path.ends_with("watchlists"));
    folders.sort();
    let read = |folder: PathBuf| {
        let library = library::load(&[folder.join("rule.yaml")]);
        assert_eq!(library.rules.len(), 1, "{}: {:?}", folder.display(), library.broken);
        BuiltIn { folder, rule: library.rules[0].clone() }
    };
    let rules: Vec<BuiltIn> = folders.into_iter().map(read).collect();
    assert!(rules.len() >= 5);
    rules
}

fn engine() -> Engine {
    let schemas = SchemaSet::builtin();
    let known: Vec<_> = schemas.names().into_iter().filter_map(|name| schemas.get(name).cloned()).collect();
    Engine::new(Arc::new(TableCatalog::new().with_schemas(known)), Arc::new(DataSet::new()))
}

fn check(engine: &Engine, query: &str, what: &str) -> Checked {
    let checked = engine.check(query, &QueryOptions::at(datetime::parse("2026-03-02").unwrap()));
    let wrong: Vec<_> = checked.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
    assert!(wrong.is_empty(), "{what}: {wrong:#?} in {query}");
    let unsupported = checked.bound.as_ref().map(|bound| bound.unsupported.len());
    assert_eq!(unsupported, Some(0), "{what}: {query}");
    checked
}

#[test]
fn every_rule_has_tests_that_pass() {
    // The tables that the tests fill and the rules read: a catalog of all would only be slower.
    let all = SchemaSet::builtin();
    let mut schemas = SchemaSet::empty();
    for name in sources_of_all().keys() {
        schemas.add(all.get(name).unwrap().clone());
    }
    for BuiltIn { folder, rule } in rules() {
        let path = folder.join("rule.test.yaml");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let test = rule_test::read(&text).unwrap_or_else(|e| panic!("{}: {e:?}", path.display()));
        let named = test.rule.as_deref().unwrap_or("rule.yaml");
        let library = library::load(&[folder.join(named)]);
        let negative = test.cases.iter().filter(|case| case.expect.is_negative()).count();
        assert!(negative >= 2 && test.cases.len() > negative, "{}: positive and negative cases", rule.name);
        let names = Names { schemas: schemas.clone(), functions: Vec::new(), geoip: None };
        for result in rule_test::run(&test, &library, 0, &folder, &names) {
            assert_eq!(result.verdict, Verdict::Passed, "{}: {}", rule.name, result.name);
        }
    }
}

/// Table and columns of every rule, as its bound query uses them.
fn sources(engine: &Engine, rule: &AnalyticsRule) -> BTreeMap<String, BTreeSet<String>> {
    let checked = check(engine, &rule.query, &rule.name);
    let mut sources: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for table in &checked.bound.unwrap().tables {
        sources.entry(table.name.clone()).or_default().extend(table.columns.iter().cloned());
    }
    sources
}

fn sources_of_all() -> BTreeMap<String, BTreeSet<String>> {
    let engine = engine();
    rules().iter().flat_map(|built_in| sources(&engine, &built_in.rule)).collect()
}

#[test]
fn declared_sources_are_those_that_the_query_reads() {
    let engine = engine();
    let mut wrong = Vec::new();
    for BuiltIn { rule, .. } in rules() {
        let sources = sources(&engine, &rule);
        let list = |columns: &BTreeSet<String>| columns.iter().cloned().collect::<Vec<_>>().join(", ");
        let derived: Vec<String> =
            sources.iter().map(|(table, columns)| format!("- {table}({})", list(columns))).collect();
        let declared = rule.guidance.iter().find(|(heading, _)| heading == "dataSources").map(|(_, text)| text.clone());
        if declared.unwrap_or_default() != derived.join("\n") {
            wrong.push(format!("{}\ndataSources:\n{}", rule.place.file, derived.join("\n")));
        }
        let connected: BTreeSet<&str> = rule
            .required_data_connectors
            .iter()
            .flat_map(|connector| &connector.data_types)
            .map(String::as_str)
            .collect();
        assert_eq!(connected, sources.keys().map(String::as_str).collect(), "{}: requiredDataConnectors", rule.name);
    }
    assert!(wrong.is_empty(), "the queries read:\n{}", wrong.join("\n"));
}

/// Rules without investigation, hunting queries and a word on Sigma.
const PACKAGES_TO_COME: &[&str] = &[
    "compute-modification",
    "instance-creation",
    "instance-creation-after-alert",
    "rising-resource-creation",
    "run-command-after-rare-sign-in",
];

/// The texts between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn guidance_is_complete_and_its_queries_bind() {
    let engine = engine();
    for BuiltIn { folder, rule } in rules() {
        for heading in ["hypothesis", "falsePositives", "tuning", "response", "limits", "dataSources"] {
            let text = rule.guidance.iter().find(|(known, _)| known == heading).map(|(_, text)| text.as_str());
            assert!(text.is_some_and(|text| text.len() > 40), "{}: {heading}", rule.name);
        }
        assert!(!rule.tactics.is_empty() && !rule.relevant_techniques.is_empty(), "{}", rule.name);
        for technique in &rule.relevant_techniques {
            let digits = technique.strip_prefix('T').map(|rest| rest.replacen('.', "", 1)).unwrap_or_default();
            let shaped = matches!(digits.len(), 4 | 7) && digits.bytes().all(|byte| byte.is_ascii_digit());
            assert!(shaped, "{}: {technique}", rule.name);
        }
        let has = |heading: &str| rule.guidance.iter().any(|(known, _)| known == heading);
        for heading in ["investigation", "hunting"].into_iter().filter(|heading| has(heading)) {
            let text = rule.guidance.iter().find(|(known, _)| known == heading).map_or("", |(_, text)| text);
            assert!(quoted(text).len() >= 2, "{}: queries of {heading}", rule.name);
            quoted(text).into_iter().for_each(|query| {
                check(&engine, query, &rule.name);
            });
        }
        let package = has("investigation") && has("hunting") && has("sigma");
        assert!(
            package || PACKAGES_TO_COME.iter().any(|name| folder.ends_with(name)),
            "{}: a whole package",
            rule.name
        );
        let response = rule.guidance.iter().find(|(heading, _)| heading == "response").unwrap();
        let queries = quoted(&response.1);
        assert!(queries.len() >= 2, "{}: ready queries in the response", rule.name);
        for query in queries {
            check(&engine, query, &rule.name);
        }
        assert!(Path::new(&folder).join("rule.test.yaml").exists());
    }
}
