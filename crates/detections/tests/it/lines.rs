//! What the service and Microsoft's repository say of rules, line by line, where it takes a lint or a run to show.

use std::sync::atomic::AtomicBool;

use detections::hunt::HuntInput;
use detections::library;
use detections::lint::{Finding, LintContext, Profile, lint};
use detections::schedule::TimeSpan;
use detections::security_alert;
use detections::service::{ReplayOptions, replay};
use engine::QueryOptions;
use kql_types::Value;
use serde_json::Value as Json;
use tables::SchemaSet;

use crate::data::{HOUR, MINUTE, World, day_zero, event, options, scheduled};
use crate::lint::{context, engine_with, lint_text, rule_around};

/// Messages of one code.
fn messages(found: &[Finding], code: &str) -> Vec<String> {
    found.iter().filter(|finding| finding.code.code == code).map(|finding| finding.message.clone()).collect()
}

#[test]
fn a1_schedules_and_thresholds_outside_the_limits_are_refused() {
    let engine = engine_with(Vec::new());
    let refused = |frequency: &str, period: &str, threshold: &str| {
        let text = rule_around("AzureActivity")
            .replace("queryFrequency: 1d", &format!("queryFrequency: {frequency}"))
            .replace("queryPeriod: 1d", &format!("queryPeriod: {period}"))
            .replace("triggerThreshold: 0", &format!("triggerThreshold: {threshold}"));
        !messages(&lint_text(&engine, &text), "TW002").is_empty()
    };
    for fits in [("5m", "5m", "0"), ("14d", "14d", "10000"), ("1h", "14d", "0"), ("5m", "47h", "1")] {
        assert!(!refused(fits.0, fits.1, fits.2), "{fits:?}");
    }
    let outside =
        [("4m", "4m", "0"), ("15d", "15d", "0"), ("2h", "1h", "0"), ("30m", "2d", "0"), ("1h", "1h", "10001")];
    for outside in outside {
        assert!(refused(outside.0, outside.1, outside.2), "{outside:?}");
    }
}

#[test]
fn a1_query_text_has_10000_characters_and_no_search_over_everything() {
    let engine = engine_with(Vec::new());
    let refused = |query: &str| !messages(&lint_text(&engine, &rule_around(query)), "TW106").is_empty();
    let padded = |length: usize| format!("AzureActivity // {}", "x".repeat(length - "AzureActivity // ".len() - 1));
    assert!(!refused(&padded(10_000)) && refused(&padded(10_001)));
    assert!(refused("search *") && refused("union * | take 1"));
    assert!(!refused("union AzureActivity, SigninLogs"));
    let unpacked = "AzureActivity | evaluate bag_unpack(Properties_d)";
    assert!(refused(&format!("{unpacked} | project Odd")));
    assert!(!refused(&format!("{unpacked} | project Odd = column_ifexists('Odd', '')")));
}

#[test]
fn a3_the_query_of_an_alert_for_one_result_gives_the_row_back() {
    let world =
        World::new(&[("A_CL", vec![event(MINUTE, "ann", "it's \"odd\"", 7), event(2 * MINUTE, "bob", "ü", 8)])]);
    let each = "eventGroupingSettings: {aggregationKind: AlertPerResult}\n";
    let library = scheduled("1h", "1h", each, "A_CL | extend Bag = pack('a', Size, 'b', Who)");
    let options = options();
    let input = HuntInput {
        engine: &world.engine,
        library: &library,
        profile: &world.profile,
        is_reference: &|_| false,
        options: &options,
        interrupted: &AtomicBool::new(false),
    };
    let span = TimeSpan { first: day_zero(), last: day_zero() + HOUR };
    let found = replay(input, &SchemaSet::builtin(), &ReplayOptions::over(span));
    assert_eq!(found.alerts.len(), 2);
    for alert in &found.alerts {
        let made = alert.made.unwrap();
        let row = security_alert::row_at(alert, &library.rules[0], made);
        let properties: Json = serde_json::from_str(row["ExtendedProperties"].as_str().unwrap()).unwrap();
        let output = world.engine.run_blocking(properties["Query"].as_str().unwrap(), &QueryOptions::at(made)).unwrap();
        let table = &output.tables[0];
        let rows = table.rows();
        assert_eq!(rows.len(), 1);
        let cell = |name: &str| rows[0][table.columns.iter().position(|column| column.name == name).unwrap()].clone();
        assert_eq!(cell("Who"), alert.rows[0].values[1]);
        assert_eq!(cell("What"), alert.rows[0].values[2]);
        assert_eq!(cell("Size"), alert.rows[0].values[3]);
        let time = Value::String(kql_types::datetime::format(alert.start_time));
        assert_eq!(cell("TimeGenerated"), time);
        // The rule's own text runs as well, as of the run.
        let original = properties["OriginalQuery"].as_str().unwrap();
        assert_eq!(world.engine.run_blocking(original, &QueryOptions::at(0)).unwrap().tables[0].rows().len(), 2);
    }
}

/// Messages of the repository's profile about a rule with these lines at its end.
fn of_repository(query: &str, lines: &str) -> Vec<String> {
    let engine = engine_with(Vec::new());
    let text = rule_around(query) + lines;
    let library = library::from_texts([("Detections/a.yaml", text.as_str())]);
    let found = lint(&library, &LintContext { profile: Profile::Sentinel, ..context(&engine) });
    found.into_iter().map(|finding| finding.message).collect()
}

const QUERY: &str = "AzureActivity | project TimeGenerated, Ip = CallerIpAddress, Caller, Level";

fn mapping(kind: &str, fields: &str) -> String {
    format!("entityMappings:\n  - entityType: {kind}\n    fieldMappings: [{fields}]\n")
}

#[test]
fn a10_mappings_have_one_to_three_identifiers_of_the_type() {
    let refused = |kind: &str, fields: &str| of_repository(QUERY, &mapping(kind, fields));
    assert_eq!(refused("IP", "{identifier: Address, columnName: Ip}"), Vec::<String>::new());
    for (kind, fields) in [
        ("IP", "{identifier: Adress, columnName: Ip}"),
        ("Address", "{identifier: Address, columnName: Ip}"),
        ("FileHash", "{identifier: Value, columnName: Ip}"),
        ("IP", "{identifier: Address, columnName: Ip}, {identifier: Address, columnName: Caller}"),
        ("IP", "{identifier: Address, columnName: 'Ip x'}"),
        ("IP", ""),
        (
            "Account",
            "{identifier: Name, columnName: Caller}, {identifier: Sid, columnName: Ip}, {identifier: PUID, columnName: Ip}, \
             {identifier: ObjectGuid, columnName: Ip}",
        ),
    ] {
        assert!(!refused(kind, fields).is_empty(), "{kind}: {fields}");
    }
}

#[test]
fn a10_the_old_columns_of_entities_need_a_mapping() {
    let query = "AzureActivity | project TimeGenerated, IPCustomEntity = CallerIpAddress";
    assert!(!of_repository(query, "").is_empty());
    assert!(of_repository(query, &mapping("IP", "{identifier: Address, columnName: IPCustomEntity}")).is_empty());
    for column in ["Account", "Host", "URL", "Process", "FileHash"] {
        let query = format!("AzureActivity | project TimeGenerated, {column}CustomEntity = Caller");
        assert!(!of_repository(&query, "").is_empty(), "{column}");
    }
}

#[test]
fn a10_details_names_and_formats_keep_their_limits() {
    let refused = |lines: &str| !of_repository(QUERY, lines).is_empty();
    assert!(!refused("customDetails:\n  Who_1: Caller\n"));
    for key in ["1st", "with space", "a23456789012345678901"] {
        assert!(refused(&format!("customDetails:\n  '{key}': Caller\n")), "{key}");
    }
    assert!(refused("customDetails:\n  Who: 'Caller Name'\n"));
    let details: String = (0..21).map(|n| format!("  K{n}: Caller\n")).collect();
    assert!(refused(&format!("customDetails:\n{details}")));
    let format = |text: &str| refused(&format!("alertDetailsOverride:\n  alertDisplayNameFormat: '{text}'\n"));
    assert!(!format("{{Caller}} {{Ip}} {{Level}}") && format("{{Caller}} {{Ip}} {{Level}} {{Ip}}"));
    assert!(!format(&"x".repeat(256)) && format(&"x".repeat(257)));
    let description = |text: &str| refused(&format!("alertDetailsOverride:\n  alertDescriptionFormat: '{text}'\n"));
    assert!(!description(&"x".repeat(5_000)) && description(&"x".repeat(5_001)));
}

#[test]
fn a10_a_technique_cut_at_its_dot_belongs_to_a_listed_tactic() {
    let refused = |lines: &str| !of_repository(QUERY, lines).is_empty();
    // The rule lists Impact.
    assert!(!refused("relevantTechniques: [T1496]\n") && !refused("relevantTechniques: [T1496.999]\n"));
    assert!(refused("relevantTechniques: [T1059]\n") && refused("relevantTechniques: [T99999]\n"));
}

#[test]
fn a10_files_are_yaml_by_name_and_ascii() {
    let engine = engine_with(Vec::new());
    let found = |name: &str, text: &str| {
        let library = library::from_texts([(name, text)]);
        lint(&library, &LintContext { profile: Profile::Sentinel, ..context(&engine) }).len()
    };
    let text = rule_around(QUERY);
    assert_eq!((found("a.yaml", &text), found("a.yml", &text)), (0, 1));
    assert_eq!(found("a.yaml", &text.replace("description: d", "description: d\u{2019}")), 1);
}
