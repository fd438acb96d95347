//! Rows are made from the public way in: a text, bound over a small catalog, and what its tables then hold.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use kql_semantics::{BindOptions, Catalog, StoredFunction, TableInfo};
use kql_types::{Column, ScalarType, Value, datetime};
use witness::{OutsideSource, Rows};

struct Tables;

impl Catalog for Tables {
    fn table(&self, name: &str) -> Option<Arc<TableInfo>> {
        let columns: &[(&str, ScalarType)] = match name {
            "SigninLogs" => &[
                ("TimeGenerated", ScalarType::DateTime),
                ("UserPrincipalName", ScalarType::String),
                ("IPAddress", ScalarType::String),
                ("ResultType", ScalarType::String),
                ("DeviceDetail", ScalarType::Dynamic),
            ],
            "AuditLogs" => &[
                ("TimeGenerated", ScalarType::DateTime),
                ("Identity", ScalarType::String),
                ("Text", ScalarType::String),
            ],
            _ => return None,
        };
        let columns = columns.iter().map(|(name, ty)| Column::new(*name, *ty)).collect();
        Some(Arc::new(TableInfo::new(name, columns, Vec::new())))
    }

    fn table_names(&self) -> Vec<String> {
        vec!["SigninLogs".into(), "AuditLogs".into()]
    }

    fn function(&self, _: &str) -> Option<Arc<StoredFunction>> {
        None
    }

    fn function_names(&self) -> Vec<String> {
        Vec::new()
    }
}

const NOW: i64 = 638_000_000_000_000_000;

fn made(query: &str) -> Rows {
    let options = BindOptions { query_now: NOW, ..BindOptions::default() };
    let bound = kql_semantics::bind(&kql_syntax::parse(query).query, &Tables, &options).query;
    Rows::of(&bound.expect("the query binds"), NOW)
}

fn texts(rows: &Rows, table: &str, column: &str) -> Vec<String> {
    rows.column(table, &Column::new(column, ScalarType::String)).iter().map(witness::text_of).collect()
}

#[test]
fn literals_of_conditions_are_values_of_rows() {
    let rows = made(
        r#"SigninLogs
        | where UserPrincipalName =~ "eve@contoso.example" and ResultType in ("50126", "50053")
        | where tostring(DeviceDetail.os) startswith "Windows""#,
    );
    assert!(texts(&rows, "SigninLogs", "UserPrincipalName").iter().all(|text| text == "eve@contoso.example"));
    let codes = texts(&rows, "SigninLogs", "ResultType");
    assert!(codes.contains(&"50126".to_string()) && codes.contains(&"50053".to_string()));
    let devices = rows.column("SigninLogs", &Column::new("DeviceDetail", ScalarType::Dynamic));
    assert!(devices.iter().all(|device| witness::text_of(device).contains(r#""os":"Windows"#)), "{devices:?}");
}

#[test]
fn a_threshold_makes_rows_enough() {
    let rows = made("SigninLogs | summarize n = count() by UserPrincipalName | where n > 7");
    let users = texts(&rows, "SigninLogs", "UserPrincipalName");
    assert!(users.iter().filter(|user| **user == users[0]).count() >= 8);
    let rows = made("SigninLogs | summarize n = dcount(IPAddress) by UserPrincipalName | where n >= 5");
    let users = texts(&rows, "SigninLogs", "UserPrincipalName");
    let addresses = texts(&rows, "SigninLogs", "IPAddress");
    let mut of_first: Vec<_> = users.iter().zip(&addresses).filter(|(user, _)| **user == users[0]).collect();
    of_first.sort();
    of_first.dedup();
    assert!(of_first.len() >= 5, "{of_first:?}");
}

#[test]
fn both_sides_of_a_join_share_its_keys() {
    let rows = made(
        r#"SigninLogs | where UserPrincipalName startswith "adm"
        | join kind=inner (AuditLogs | where Text has "delete") on $left.UserPrincipalName == $right.Identity"#,
    );
    let users = texts(&rows, "SigninLogs", "UserPrincipalName");
    let identities = texts(&rows, "AuditLogs", "Identity");
    assert!(users[0].starts_with("adm"));
    assert!(identities.contains(&users[0]), "{users:?} {identities:?}");
}

#[test]
fn times_lie_in_the_window_that_is_asked_for() {
    let rows = made("SigninLogs | where TimeGenerated between (ago(5d) .. ago(3d))");
    let times = rows.column("SigninLogs", &Column::new("TimeGenerated", ScalarType::DateTime));
    let (from, to) = (NOW - 5 * datetime::TICKS_PER_DAY, NOW - 3 * datetime::TICKS_PER_DAY);
    assert!(!times.is_empty());
    assert!(times.iter().all(|time| matches!(time, Value::DateTime(at) if (from..=to).contains(at))), "{times:?}");
}

#[test]
fn a_parsed_text_has_what_is_asked_of_its_parts() {
    let rows = made(r#"AuditLogs | parse Text with "user=" User " from " Place | where User == "eve""#);
    assert!(texts(&rows, "AuditLogs", "Text").iter().any(|text| text.starts_with("user=eve from ")));
    let rows = made(r#"AuditLogs | where extract("id=([a-z]+);", 1, Text) == "abc""#);
    assert!(texts(&rows, "AuditLogs", "Text").iter().any(|text| text.contains("id=abc;")));
}

#[test]
fn files_and_watchlists_have_rows_that_meet_the_tables() {
    let rows = made(
        r#"let bad = externaldata(address:string)["https://lists.example/bad.csv"];
        let vips = _GetWatchlist("vips") | project SearchKey;
        SigninLogs | where IPAddress in (bad) and UserPrincipalName in (vips)"#,
    );
    let [file, watchlist] = rows.outside() else { panic!("{:?}", rows.outside()) };
    assert!(matches!(&file.source, OutsideSource::External { .. }));
    assert_eq!(watchlist.name, "_GetWatchlist(vips)");
    let addresses = texts(&rows, "SigninLogs", "IPAddress");
    assert!(texts(&rows, &file.name, "address").iter().any(|address| addresses.contains(address)));
    let users = texts(&rows, "SigninLogs", "UserPrincipalName");
    assert!(texts(&rows, &watchlist.name, "SearchKey").iter().any(|user| users.contains(user)));
}

#[test]
fn rows_are_the_same_in_every_run() {
    let query = "SigninLogs | where ResultType != 0 | summarize dcount(IPAddress) by UserPrincipalName";
    let columns = ["UserPrincipalName", "IPAddress", "ResultType"];
    let (once, again) = (made(query), made(query));
    for column in columns {
        assert_eq!(texts(&once, "SigninLogs", column), texts(&again, "SigninLogs", column));
    }
}
