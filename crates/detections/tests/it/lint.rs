//! The lint over examples, over files with known mistakes, and over the published corpus.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use detections::attack::Version;
use detections::library::{self, RuleLibrary};
use detections::lint::codes::{self, CODES};
use detections::lint::{
    Allowance, DataFacts, Example, Finding, LintContext, Needs, Profile, TestsBeside, baseline, fix, lint,
};
use engine::{DataSet, Engine, TableCatalog};
use tables::SchemaSet;

use crate::data::{World, day_zero, event};

pub fn engine_with(functions: Vec<kql_semantics::StoredFunction>) -> Engine {
    let schemas = SchemaSet::builtin();
    let known = schemas.names().into_iter().filter_map(|name| schemas.get(name).cloned());
    let catalog = TableCatalog::new().with_schemas(known).with_functions(functions);
    Engine::new(Arc::new(catalog), Arc::new(DataSet::new()))
}

pub fn context(engine: &Engine) -> LintContext<'_> {
    LintContext {
        engine,
        profile: Profile::All,
        attack: Version::V16,
        today: day_zero(),
        earlier: None,
        tests: None,
        data: None,
        allowed: &[],
    }
}

pub fn rule_around(query: &str) -> String {
    let query: String = query.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "id: 6f1d2c3b-0000-4000-8000-000000000001\nname: x\ndescription: d\nseverity: Low\nkind: Scheduled\nrequiredDataConnectors: []\n\
         queryFrequency: 1d\nqueryPeriod: 1d\ntriggerOperator: gt\ntriggerThreshold: 0\ntactics: [Impact]\nversion: 1.0.0\nquery: |\n{query}"
    )
}

pub fn lint_text(engine: &Engine, text: &str) -> Vec<Finding> {
    // A broken file is found in a folder by its look; here it is given by name.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rule.yaml");
    std::fs::write(&path, text).unwrap();
    lint(&library::load(&[path]), &context(engine))
}

pub fn codes_of(findings: &[Finding]) -> Vec<&'static str> {
    let mut codes: Vec<&'static str> = findings.iter().map(|finding| finding.code.code).collect();
    codes.dedup();
    codes
}

#[test]
fn every_example_raises_its_code_and_its_cure_does_not() {
    let engine = engine_with(Vec::new());
    let mut tried = 0;
    let mut wrong = Vec::new();
    for code in CODES {
        let text = |example: Example| match example {
            Example::Query(query) => Some(rule_around(query)),
            Example::Rule(rule) => Some(rule.to_string()),
            Example::Words(_) => None,
        };
        let (Some(bad), Some(good)) = (text(code.bad), text(code.good)) else { continue };
        tried += 1;
        let found = codes_of(&lint_text(&engine, &bad));
        if !found.contains(&code.code) {
            wrong.push(format!("{} is not raised, but {found:?}", code.code));
        }
        if codes_of(&lint_text(&engine, &good)).contains(&code.code) {
            wrong.push(format!("{} is raised by its cure", code.code));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(tried >= 40, "{tried} examples");
}

#[test]
fn fixes_mend_what_they_promise_and_change_nothing_else() {
    let engine = engine_with(Vec::new());
    let fixable: Vec<_> = CODES.iter().filter(|code| code.fixable && code.needs == Needs::Nothing).collect();
    assert!(fixable.len() >= 3);
    for code in fixable {
        let Example::Query(query) = code.bad else { panic!("{}", code.code) };
        let text = rule_around(query);
        let found = lint_text(&engine, &text);
        let own: Vec<&Finding> = found.iter().filter(|finding| finding.code == code).collect();
        let (mended, applied) = fix::apply(&text, &own);
        assert!(applied > 0, "{} has no fix: {own:?}", code.code);
        let after = lint_text(&engine, &mended);
        assert!(!codes_of(&after).contains(&code.code), "{}: {mended}", code.code);
        assert_eq!(text.lines().count(), mended.lines().count());
    }
    let text = rule_around(
        "AzureActivity | join (SigninLogs) on CorrelationId | summarize makeset(Caller), makelist(Caller) by CorrelationId",
    );
    let found = lint_text(&engine, &text);
    let (mended, applied) = fix::apply(&text, &found.iter().collect::<Vec<_>>());
    assert_eq!(applied, 3, "{mended}");
    assert!(
        mended.contains("join kind=innerunique (SigninLogs)") && mended.contains("make_set(Caller), make_list(Caller)"),
        "{mended}"
    );
}

#[test]
fn a_finding_stands_where_the_text_does() {
    let engine = engine_with(Vec::new());
    let found = lint_text(&engine, &rule_around("AzureActivity\n| where OperationNameValue == \"a/b\""));
    let finding = found.iter().find(|finding| finding.code.code == "TW302").unwrap();
    assert_eq!((finding.start.line, finding.start.column), (15, 11), "{finding:?}");
    assert_eq!(finding.excerpt, "OperationNameValue == \"a/b\"");
}

#[test]
fn silences_hold_until_they_expire_or_have_nothing_to_do() {
    let engine = engine_with(Vec::new());
    let query = |comment: &str| {
        rule_around(&format!("// tidewatch: allow {comment}\nAzureActivity | where OperationNameValue == \"a/b\""))
    };
    let codes = |comment: &str| {
        codes_of(&lint_text(&engine, &query(comment))).into_iter().map(str::to_string).collect::<Vec<_>>()
    };
    let has = |comment: &str, code: &str| codes(comment).iter().any(|found| found == code);
    assert!(!has("TW302 exporter is known", "TW302") && !has("TW302 exporter is known", "TW009"));
    assert!(!has("TW302 until 2026-03-01 today counts", "TW302"));
    assert!(has("TW302 until 2026-02-28 over", "TW302") && has("TW302 until 2026-02-28 over", "TW009"));
    assert!(has("TW306 not here", "TW009"));
    assert!(has("TW999 no such code", "TW009"));
    let in_yaml = query("TW302 x").replace("severity: Low", "severity: Low # tidewatch: allow TW402 reviewed");
    assert!(!codes_of(&lint_text(&engine, &in_yaml)).contains(&"TW402"));
    let project = detections::yaml::parse(
        "lint:\n  allow:\n    - {code: TW407, rules: [rule.yaml], reason: known}\n    - {code: TW402, rules: [other], reason: known}\n",
    )
    .unwrap();
    let allowed = Allowance::of_project(&project).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rule.yaml");
    std::fs::write(&path, rule_around("AzureActivity | project Caller")).unwrap();
    let library = library::load(&[path]);
    let found = lint(&library, &LintContext { allowed: &allowed, ..context(&engine) });
    assert!(!codes_of(&found).contains(&"TW407") && codes_of(&found).contains(&"TW402"), "{found:?}");
    assert!(Allowance::of_project(&detections::yaml::parse("lint: {allow: [{reason: x}]}").unwrap()).is_err());
}

#[test]
fn a_baseline_hides_what_was_there_and_nothing_more() {
    let engine = engine_with(Vec::new());
    let one = rule_around("AzureActivity | where OperationNameValue == \"a/b\"");
    let mut found = lint_text(&engine, &one);
    let known = baseline::Baseline::of(&found);
    let read = baseline::Baseline::read(&serde_json::to_string(&known).unwrap()).unwrap();
    let all = found.len();
    assert_eq!(read.apply(&mut found), (all, Vec::new()));
    assert!(found.is_empty());
    // A line more in front changes nothing; one more of the same does.
    let mut moved = lint_text(&engine, &one.replace("severity: Low", "severity: Low\nstatus: Available"));
    read.apply(&mut moved);
    assert!(moved.is_empty(), "{moved:?}");
    let two = rule_around("AzureActivity | where OperationNameValue == \"a/b\" | where OperationNameValue == \"a/b\"");
    let mut found = lint_text(&engine, &two);
    read.apply(&mut found);
    assert_eq!(codes_of(&found), ["TW302"]);
    let (_, gone) = read.apply(&mut Vec::new());
    assert_eq!(gone.len(), known.findings.len());
    assert!(baseline::Baseline::read("[]").is_err());
}

#[test]
fn an_earlier_revision_shows_changed_ids_and_versions_that_did_not_rise() {
    let engine = engine_with(Vec::new());
    let before = rule_around("AzureActivity | take 5");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rule.yaml");
    let after = before.replace("take 5", "take 6").replace("000000000001", "000000000002");
    std::fs::write(&path, &after).unwrap();
    let library = library::load(&[path]);
    let earlier = |_: &str| Some(before.clone());
    let found = lint(&library, &LintContext { earlier: Some(&earlier), ..context(&engine) });
    let codes = codes_of(&found);
    assert!(codes.contains(&"TW005") && codes.contains(&"TW006"), "{codes:?}");
    let raise: Vec<&Finding> = found.iter().filter(|finding| finding.code.code == "TW006").collect();
    let (mended, _) = fix::apply(&after, &raise);
    assert!(mended.contains("version: 1.0.1\n"), "{mended}");
    let same = |_: &str| Some(after.clone());
    let found = lint(&library, &LintContext { earlier: Some(&same), ..context(&engine) });
    assert!(!codes_of(&found).iter().any(|code| *code == "TW005" || *code == "TW006"));
}

#[test]
fn rules_are_judged_together_and_by_their_tests() {
    let engine = engine_with(Vec::new());
    let mut texts: Vec<(String, String)> = (0..9)
        .map(|n| {
            (
                format!("r{n}.yaml"),
                rule_around("AzureActivity | take 5").replace("000000000001", &format!("00000000001{n}")),
            )
        })
        .collect();
    texts[0].1 =
        texts[0].1.replace("queryPeriod: 1d", "queryPeriod: 14d").replace("queryFrequency: 1d", "queryFrequency: 1h");
    texts[1].1 = texts[1].1.replace("take 5", "take 7");
    texts.push(("copy.yaml".to_string(), texts[2].1.replace("take 5", "take 9")));
    let library = library::from_texts(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let tests = |rule: &detections::rule::AnalyticsRule| {
        Some(TestsBeside { positive: rule.place.file != "r3.yaml", negative: rule.place.file != "r4.yaml" })
    };
    let found = lint(&library, &LintContext { tests: Some(&tests), ..context(&engine) });
    let of = |code: &str| {
        found
            .iter()
            .filter(|finding| finding.code.code == code)
            .map(|finding| finding.file.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("TW603"), ["r0.yaml"]);
    assert_eq!(of("TW004"), ["copy.yaml"]);
    assert_eq!(of("TW505"), ["r3.yaml", "r4.yaml"]);
}

#[test]
fn a10_the_profile_of_the_repository_keeps_what_it_refuses() {
    let engine = engine_with(Vec::new());
    let text =
        rule_around("AzureActivity | where OperationNameValue == \"a/b\"").replace("name: x", "name: x\u{2019}s");
    let library = library::from_texts([("a.yaml", text.as_str())]);
    let found = lint(&library, &LintContext { profile: Profile::Sentinel, ..context(&engine) });
    assert_eq!(codes_of(&found), ["TW007"], "{found:?}");
    let many: String = (0..6)
        .map(|n| format!("  - entityType: IP\n    fieldMappings:\n      - {{identifier: Address, columnName: C{n}}}\n"))
        .collect();
    let columns: Vec<String> = (0..6).map(|n| format!("C{n} = CallerIpAddress")).collect();
    let text = rule_around(&format!("AzureActivity | project TimeGenerated, {}", columns.join(", ")))
        + "entityMappings:\n"
        + &many;
    let library = library::from_texts([("a.yaml", text.as_str())]);
    let strict = lint(&library, &LintContext { profile: Profile::Sentinel, ..context(&engine) });
    assert_eq!(codes_of(&strict), ["TW403"], "{strict:?}");
    assert!(!codes_of(&lint(&library, &context(&engine))).contains(&"TW403"));
}

#[test]
fn loaded_logs_show_values_that_never_occur() {
    let events =
        vec![event(0, "ann@corp.example", "CreateInstance", 1), event(1, "bob@corp.example", "DeleteInstance", 2)];
    let world = World::new(&[("A_CL", events)]);
    let facts = DataFacts::new(day_zero() + 60_000_000);
    let run = |query: &str| {
        let text = rule_around(query);
        let library = library::from_texts([("a.yaml", text.as_str())]);
        codes_of(&lint(&library, &LintContext { data: Some(&facts), ..context(&world.engine) }))
    };
    assert!(run("A_CL | where What == 'createinstance'").contains(&"TW301"));
    assert!(!run("A_CL | where What == 'CreateInstance'").contains(&"TW301"));
    assert!(run("A_CL | where What has 'Create'").contains(&"TW303"));
    assert!(!run("A_CL | where Who has 'corp'").contains(&"TW303"));
    assert!(run("A_CL | where Who contains 'corp'").contains(&"TW602"));
    assert!(!run("A_CL | where What contains 'Create'").contains(&"TW602"), "has finds none of these");
}

/// One query in so many.
const EVERY: usize = 12;

#[test]
fn published_queries_are_linted_without_a_panic() {
    let Some(corpus) = testing::shared("corpus/sentinel-open.jsonl.gz") else { return };
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(corpus).unwrap()).read_to_string(&mut text).unwrap();
    let rows: Vec<serde_json::Value> =
        text.lines().step_by(EVERY).map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts: Vec<(String, String)> = rows
        .iter()
        .map(|row| {
            let (id, query) = (row["id"].as_str().unwrap(), row["query"].as_str().unwrap());
            match row["kind"].as_str().unwrap() {
                "scheduled" | "nrt" => (format!("{id}.yaml"), rule_around(query)),
                _ => (format!("{id}.kql"), query.to_string()),
            }
        })
        .collect();
    let library: RuleLibrary = library::from_texts(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    assert!(library.rules.len() > 250, "{}", library.rules.len());
    let engine = engine_with(Vec::new());
    let found = lint(&library, &context(&engine));
    let broken: Vec<&Finding> = found.iter().filter(|finding| finding.message.contains("internal error")).collect();
    assert!(broken.is_empty(), "{broken:?}");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    found.iter().for_each(|finding| *counts.entry(finding.code.code).or_default() += 1);
    assert!(counts.len() > 15, "{counts:?}");
    // What the official parser takes, and whose tables and functions are all known, has no syntax error here.
    let fine = |id: &str| rows.iter().any(|row| row["id"] == id && row["oracle"]["parse_ok"] == true);
    let refused: Vec<_> =
        found.iter().filter(|f| f.code.code == "TW101" && fine(f.file.split('.').next().unwrap())).collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert!(codes::find("TW101").is_some());
}
