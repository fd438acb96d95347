//! What the binder promises whatever the query: limits, kindnesses, and what it remembers for its users.

use kql_semantics::Bound;
use kql_semantics::bound::{BoundQuery, ExprKind, RelKind};
use kql_types::Severity;
use serde_json::json;

use crate::catalog::TestCatalog;
use crate::{bind, bind_with, columns, has_error};

fn catalog() -> TestCatalog {
    TestCatalog::of_tables(&json!({
        "Activity": {"TimeGenerated": "datetime", "Status": "string", "Caller": "string", "Size": "long", "Props": "dynamic"},
        "Other": {"TimeGenerated": "datetime", "Caller": "string"},
    }))
    .with_alias("Activity", "Callr", "Caller")
}

fn query(text: &str) -> BoundQuery {
    let bound = bind(text, &catalog());
    assert!(!has_error(&bound), "{:?}", bound.diagnostics);
    bound.query.unwrap()
}

fn codes(bound: &Bound) -> Vec<(&'static str, Severity)> {
    bound.diagnostics.iter().map(|d| (d.code, d.severity)).collect()
}

#[test]
fn deep_and_long_queries_end_in_a_diagnostic_or_bind() {
    let chain = format!("Activity | where {} Size > 1", "Size > 1 and ".repeat(150));
    let bound = bind(&chain, &catalog());
    assert!(!has_error(&bound), "{:?}", bound.diagnostics.first());
    let deep = format!("print x = {}1{}", "tolong(".repeat(390), ")".repeat(390));
    bind(&deep, &catalog());
    let deeper = format!("print x = {}1{}", "(1 + ".repeat(5_000), ")".repeat(5_000));
    assert!(has_error(&bind(&deeper, &catalog())));
}

#[test]
fn variables_that_double_are_stopped() {
    let mut text = "let a0 = Activity | union Other;\n".to_string();
    for i in 1..60 {
        text.push_str(&format!("let a{i} = union a{}, a{};\n", i - 1, i - 1));
    }
    text.push_str("a59 | count");
    assert!(bind(&text, &catalog()).diagnostics.iter().any(|d| d.code == "TW002"));
}

#[test]
fn materialized_variables_that_double_are_stopped() {
    let mut text = "let a0 = Activity | union Other;\n".to_string();
    for i in 1..60 {
        text.push_str(&format!("let a{i} = materialize(union a{}, a{});\n", i - 1, i - 1));
    }
    text.push_str("a59 | count");
    assert!(bind(&text, &catalog()).diagnostics.iter().any(|d| d.code == "TW002"));
}

#[test]
fn functions_cannot_call_themselves() {
    let bound = bind("let f = (x:long) { f(x) }; print f(1)", &catalog());
    assert!(has_error(&bound));
}

#[test]
fn another_spelling_of_a_column_is_read_with_a_warning() {
    let text = "Activity | project Callr";
    let bound = bind(text, &catalog());
    assert_eq!(codes(&bound), [("KS142", Severity::Warning)]);
    assert_eq!(columns(&bound), [("Callr".to_string(), "string".to_string())]);
    assert_eq!(codes(&bind_with(text, &catalog(), true)), [("KS142", Severity::Error)]);
}

#[test]
fn a_missing_table_behind_isfuzzy_is_a_warning_also_through_let() {
    let text = "let m = Missing | where x > 1; union isfuzzy=true m, Activity | count";
    let bound = bind(text, &catalog());
    assert_eq!(codes(&bound), [("KS204", Severity::Warning)]);
    assert!(bound.query.is_some());
    assert!(has_error(&bind_with(text, &catalog(), true)));
    assert!(has_error(&bind("let m = Missing | where x > 1; union m, Activity", &catalog())));
}

#[test]
fn comparisons_of_table_columns_are_remembered_through_renames() {
    let text = "Activity | extend S = Status | where S =~ 'Started' or S in ('Succeeded', 'Failed') | where Size == 1";
    let compared: Vec<(String, String, String)> =
        query(text).compared.into_iter().map(|c| (c.table, c.column, c.literal)).collect();
    let expected = ["Started", "Succeeded", "Failed"]
        .map(|literal| ("Activity".to_string(), "Status".to_string(), literal.to_string()));
    assert_eq!(compared, expected);
}

/// A pass that many queries share keeps the columns that are used, and no others.
#[test]
fn columns_read_by_sub_pipelines_and_plugins_count_as_used() {
    let used = |text: &str| -> Vec<(String, Vec<String>)> {
        query(text).tables.into_iter().map(|t| (t.name, t.columns)).collect()
    };
    let named = |table: &str, columns: &[&str]| (table.to_string(), columns.iter().map(|c| c.to_string()).collect());
    let partition = used("Activity | partition hint.strategy=native by Caller (where Size > 1 | project Status)");
    assert_eq!(partition, [named("Activity", &["Status", "Caller", "Size"])]);
    let apply = used("Activity | mv-apply p = Props on (where Size > 1) | project Status");
    assert_eq!(apply, [named("Activity", &["Status", "Size", "Props"])]);
    let lookup = used("Activity | evaluate ipv4_lookup(Other, Caller, Caller) | project Status");
    assert!(lookup.contains(&named("Other", &["TimeGenerated", "Caller"])), "{lookup:?}");
}

#[test]
fn only_needed_columns_count_as_used() {
    let tables = query("Activity | where Size > 1 | extend x = 1 | join (Other) on Caller | project Status, x").tables;
    let used: Vec<(String, Vec<String>)> = tables.into_iter().map(|t| (t.name, t.columns)).collect();
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
    assert_eq!(
        used,
        [("Activity".to_string(), names(&["Status", "Caller", "Size"])), ("Other".to_string(), names(&["Caller"]))]
    );
}

#[test]
fn not_goes_to_the_leaves_and_paths_are_one() {
    let bound = query("Activity | where not(Status == 'a' or Size > 1) | extend p = parse_json(Status).a.b[0]");
    let RelKind::Project { input, exprs } = &*bound.results[0].rel.kind else { panic!("a projection") };
    let RelKind::Filter { predicate, .. } = &*input.kind else { panic!("a filter") };
    let ExprKind::And(terms) = &predicate.kind else { panic!("a conjunction: {predicate:?}") };
    assert!(matches!(&terms[0].kind, ExprKind::Call { function, .. } if function.name == "!="));
    assert!(matches!(&terms[1].kind, ExprKind::Not(_)));
    let (_, path) = exprs.last().unwrap();
    assert!(matches!(&path.kind, ExprKind::Path { steps, .. } if steps.len() == 3));
}

#[test]
fn what_has_no_bound_form_is_named_and_keeps_its_columns() {
    let bound = bind("Activity | top-nested 2 of Status by most = take_any(Size, Caller)", &catalog());
    let names: Vec<String> = columns(&bound).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Status", "most"]);
    let names: Vec<String> = bound.query.unwrap().unsupported.into_iter().map(|u| u.name).collect();
    assert_eq!(names, ["top-nested by values of other columns"]);
}

#[test]
fn a_near_name_is_suggested() {
    let bound = bind("Activity | where Statsu == 'a'", &catalog());
    assert_eq!(bound.diagnostics[0].help.as_deref(), Some("did you mean 'Status'?"));
}

#[test]
fn a_stored_function_that_does_not_bind_leaves_its_name_to_the_table() {
    let text = "Activity | project Status";
    let broken = json!({"Activity": {"params": "", "body": "Other | extend Caller = nothing"}});
    assert!(!has_error(&bind(text, &catalog().with_functions(&broken))));
    let itself = json!({"Activity": {"params": "", "body": "let f = () { Activity | extend Status = 1 }; f"}});
    assert_eq!(columns(&bind(text, &catalog().with_functions(&itself)))[0].1, "string");
    let sound = json!({"Activity": {"params": "", "body": "Other | extend Status = 1"}});
    assert_eq!(columns(&bind(text, &catalog().with_functions(&sound)))[0].1, "long");
}

#[test]
fn a_parsed_column_that_takes_a_taken_name_is_shown_again_with_a_number() {
    let bound = bind("Other | parse Caller with * '/' Caller '@' Domain", &catalog());
    let names: Vec<String> = columns(&bound).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["TimeGenerated", "Caller", "Caller1", "Domain"]);
    // In its old place with the type it had there, with a number as the text it is.
    let bound = bind("Other | project d = parse_json(Caller) | parse d with * '/' d '@' *", &catalog());
    assert_eq!(columns(&bound), [("d".to_string(), "dynamic".to_string()), ("d1".to_string(), "string".to_string())]);
}

#[test]
fn a_wrong_call_still_gives_the_columns_of_the_function() {
    let functions = json!({"F": {"params": "a:string", "body": "Other | extend A = a"}});
    let bound = bind("F(1, 2, 3) | project A", &catalog().with_functions(&functions));
    assert_eq!(codes(&bound).len(), 1, "{:?}", bound.diagnostics);
}

/// A default of another type decides what the official parser shows; the value keeps its own type, also where it is chosen
/// among others and where a column has it under a second name.
#[test]
fn the_type_of_a_default_is_shown_wherever_the_value_goes() {
    let text = "Activity | extend a = coalesce(column_ifexists('Size', int(null)), int(1))\n\
        | extend b = iff(Status == 'x', a, int(null)), c = a, d = case(Status == 'x', a, todynamic(''))\n\
        | project a, b, c, d, e = a + 1";
    let bound = bind(text, &catalog());
    let shown: Vec<(String, String)> = columns(&bound);
    let types: Vec<&str> = shown.iter().map(|(_, ty)| ty.as_str()).collect();
    assert_eq!(types, ["int", "int", "int", "int", "long"], "{shown:?}");
    let rel = &bound.query.unwrap().results[0].rel;
    assert!(rel.columns.iter().all(|column| column.ty == kql_types::ScalarType::Long));
}

#[test]
fn elements_of_what_may_be_a_string_are_a_kindness() {
    let text = "Other | extend d = iff(Caller == '', split(Caller, '/'), dynamic('')) | project d[0]";
    assert_eq!(codes(&bind(text, &catalog())), [("KS147", Severity::Warning)]);
    assert!(has_error(&bind_with(text, &catalog(), true)));
}
