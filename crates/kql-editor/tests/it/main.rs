//! Queries as they are being typed, with `^` where the editor asks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;

use kql_editor::{CompletionKind, complete, definition, hover};
use kql_semantics::{Catalog, StoredFunction, TableInfo};
use kql_types::{Column, ScalarType};

/// Two tables and a function.
struct Names(BTreeMap<String, Arc<TableInfo>>);

impl Names {
    fn new() -> Names {
        let table = |name: &str, columns: &[(&str, ScalarType)]| {
            let columns = columns.iter().map(|(name, ty)| Column::new(*name, *ty)).collect();
            (name.to_owned(), Arc::new(TableInfo::new(name, columns, Vec::new())))
        };
        Names(BTreeMap::from([
            table(
                "SigninLogs",
                &[
                    ("TimeGenerated", ScalarType::DateTime),
                    ("UserId", ScalarType::String),
                    ("ResultType", ScalarType::String),
                    ("Location", ScalarType::Dynamic),
                ],
            ),
            table("AuditLogs", &[("TimeGenerated", ScalarType::DateTime), ("OperationName", ScalarType::String)]),
        ]))
    }
}

impl Catalog for Names {
    fn table(&self, name: &str) -> Option<Arc<TableInfo>> {
        self.0.get(name).cloned()
    }

    fn table_names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn function(&self, name: &str) -> Option<Arc<StoredFunction>> {
        (name == "Failures").then(|| {
            Arc::new(StoredFunction {
                name: "Failures".to_owned(),
                params: "since:timespan=1d".to_owned(),
                body: "SigninLogs | where ResultType != '0'".to_owned(),
            })
        })
    }

    fn function_names(&self) -> Vec<String> {
        vec!["Failures".to_owned()]
    }
}

fn marked(text: &str) -> (String, usize) {
    (text.replace('^', ""), text.find('^').unwrap())
}

fn labels(text: &str) -> Vec<String> {
    let (text, offset) = marked(text);
    complete(&text, offset, &Names::new()).into_iter().map(|completion| completion.label).collect()
}

#[track_caller]
fn offers(text: &str, wanted: &[&str], unwanted: &[&str]) {
    let found = labels(text);
    for name in wanted {
        assert!(found.iter().any(|label| label == name), "{name} is not offered at {text}: {found:?}");
    }
    for name in unwanted {
        assert!(!found.iter().any(|label| label == name), "{name} is offered at {text}");
    }
}

#[test]
fn tables_and_functions_stand_at_the_start() {
    offers("^", &["SigninLogs", "AuditLogs", "Failures", "print", "union", "let"], &["UserId", "where", "strlen"]);
    offers("let Mine = SigninLogs; My^", &[], &["Mine"]);
    offers("let Mine = SigninLogs; ^", &["Mine", "SigninLogs"], &[]);
    offers("SigninLogs | join kind=inner (Au^", &["AuditLogs"], &["SigninLogs"]);
    assert_eq!(labels("Sign^"), ["SigninLogs"]);
}

#[test]
fn operators_stand_behind_a_pipe() {
    offers(
        "SigninLogs | ^",
        &["where", "summarize", "project-away", "evaluate", "union"],
        &["print", "SigninLogs", "UserId"],
    );
    assert_eq!(labels("SigninLogs | project-r^"), ["project-rename", "project-reorder"]);
    offers("SigninLogs | evaluate ^", &["bag_unpack", "pivot"], &["where"]);
}

#[test]
fn columns_are_those_of_the_pipeline_so_far() {
    offers("SigninLogs | where ^", &["UserId", "ResultType", "strlen"], &["OperationName", "count", "where"]);
    offers("SigninLogs | project Who = UserId, ResultType | where ^", &["Who", "ResultType"], &["UserId"]);
    offers("SigninLogs | summarize n = count() by UserId | where ^", &["n", "UserId"], &["ResultType"]);
    offers("SigninLogs | summarize ^", &["count", "dcount", "UserId"], &[]);
    offers("let Bad = SigninLogs | project Who = UserId; Bad | extend x = strlen(^", &["Who"], &["UserId"]);
    offers("SigninLogs | join (AuditLogs | where ^", &["OperationName"], &["UserId"]);
    offers("let f = (least:long) { SigninLogs | where ^ }", &["least", "UserId"], &[]);
    offers("Failures() | where ^", &["ResultType"], &[]);
    offers("SigninLogs | mv-apply x = Location on (where ^", &["UserId"], &[]);
    offers("SigninLogs | where Res^ult == 1 | take 5", &["ResultType"], &["UserId"]);
}

#[test]
fn words_stand_between_values_and_nothing_in_texts() {
    offers("SigninLogs | where UserId ^", &["has", "==", "startswith", "in~", "between"], &["strlen", "UserId"]);
    offers("SigninLogs | summarize count() ^", &["by"], &[]);
    offers("SigninLogs | sort by UserId ^", &["asc", "desc"], &[]);
    for text in ["SigninLogs | where UserId == 'a ^b'", "SigninLogs // wh^", "print 12^"] {
        assert_eq!(labels(text), [""; 0], "{text}");
    }
}

#[test]
fn completions_say_what_they_are() {
    let (text, offset) = marked("SigninLogs | where User^");
    let found = complete(&text, offset, &Names::new());
    let user = found.iter().find(|completion| completion.label == "UserId").unwrap();
    assert_eq!((user.kind, user.detail.as_str()), (CompletionKind::Column, "string"));
    assert_eq!((user.replaces.start, user.replaces.end), (19, 23));
}

fn help(text: &str) -> String {
    let (text, offset) = marked(text);
    hover(&text, offset, &Names::new()).map(|hover| hover.markdown).unwrap_or_default()
}

#[test]
fn help_comes_from_the_registry_and_the_catalog() {
    assert!(help("print strl^en('a')").contains("strlen(source: string | dynamic) → long"));
    assert!(help("SigninLogs | summ^arize count()").contains("Groups rows"));
    assert!(help("SigninLogs | summarize cou^nt()").contains("count("));
    assert!(help("SigninLogs | where UserId ha^s 'a'").contains("whole term"));
    assert!(help("SigninLogs | where User^Id == 'a'").contains("UserId: string"));
    assert!(help("Signin^Logs | take 1").contains("`ResultType`: string"));
    assert!(help("SigninLogs | evaluate bag_un^pack(Location)").contains("bag_unpack(BAG"));
    assert!(help("Fail^ures()").contains("where ResultType != '0'"));
    assert!(help("let Limit = 5; print Li^mit").contains("Limit = 5"));
    assert_eq!(help("print 'strl^en'"), "");
}

#[test]
fn names_lead_to_where_they_are_declared() {
    let find = |text: &str| {
        let (text, offset) = marked(text);
        definition(&text, offset).map(|span| (span.start, span.end))
    };
    assert_eq!(find("let Limit = 5; print Lim^it"), Some((4, 9)));
    assert_eq!(find("let f = (who:string) { SigninLogs | where UserId == wh^o }; f('a')"), Some((9, 12)));
    assert_eq!(find("let a = 1; let a = 2; print ^a"), Some((15, 16)));
    assert_eq!(find("SigninLogs | as L | union (^L)"), Some((16, 17)));
    assert_eq!(find("Signin^Logs"), None);
}

#[test]
fn no_place_of_a_broken_text_panics() {
    let text = "let f = (a:long, b { SigninLogs | where (((a[ == 'ż😀 | join (AuditLogs | on $left.x == ;; | summarize by | } )";
    for offset in 0..=text.len() {
        if text.is_char_boundary(offset) {
            complete(text, offset, &Names::new());
            hover(text, offset, &Names::new());
            definition(text, offset);
        }
    }
}
