//! Statements that stand before a query: `set` options that change the answer, `restrict access to`.

use std::sync::Arc;

use engine::{DataSet, Engine, EngineError, QueryOptions, TableCatalog};
use kql_types::datetime;

use crate::examples::check_unordered;

/// An engine with the known tables, all of them empty.
fn engine() -> Engine {
    let known = tables::SchemaSet::builtin();
    let known = known.names().into_iter().filter_map(|name| known.get(name).cloned());
    Engine::new(Arc::new(TableCatalog::new().with_schemas(known)), Arc::new(DataSet::new()))
}

/// The first result of a query over empty tables is what the text says (see `kql_functions::Example`), in any order.
#[track_caller]
pub(crate) fn answers(query: &str, expected: &str) {
    let output = engine().run_blocking(query, &QueryOptions::at(datetime::UNIX_EPOCH));
    let output = output.unwrap_or_else(|error| panic!("{query}: {error}"));
    check_unordered(&output.tables[0], expected).unwrap_or_else(|wrong| panic!("{query}: {wrong}"));
}

pub(crate) fn error_code(query: &str) -> String {
    match engine().run_blocking(query, &QueryOptions::at(datetime::UNIX_EPOCH)) {
        Err(EngineError::Diagnostics(diagnostics)) => diagnostics[0].code.to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn the_clock_of_a_query_can_be_set() {
    answers(
        "set query_now = datetime(2024-05-06 07:00); print y = getyear(now()), d = ago(1d), h = hourofday(now(-2h))",
        "y:int,d:datetime,h:int\n2024,2024-05-05T07:00:00.0000000Z,5",
    );
    answers("print early = now() < datetime(2024-01-01); set query_now = datetime(2024-05-06)", "early:bool\ntrue");
    assert_eq!(error_code("set query_now = 'soon'; print now()"), "KS107");
}

#[test]
fn results_can_be_cut() {
    answers("set query_take_max_records = 2; range x from 1 to 9 step 1", "x:long\n1\n2");
    answers("set query_take_max_records = 2; range x from 1 to 9 step 1 | count", "Count:long\n9");
}

#[test]
fn bins_follow_the_options() {
    answers(
        "set query_bin_auto_size = 1h; set query_bin_auto_at = datetime(2024-01-01 00:05); \
         range t from datetime(2024-01-01 00:05) to datetime(2024-01-01 02:00) step 1m \
         | summarize n = count() by bin_auto(t) | project m = datetime_part('minute', t), n",
        "m:int,n:long\n5,60\n5,56",
    );
    answers("set query_bin_auto_size = 5; print b = bin_auto(-3)", "b:long\n-5");
    assert_eq!(error_code("print bin_auto(3)"), "TW014");
}

#[test]
fn what_is_restricted_cannot_be_read() {
    answers("restrict access to (SigninLogs); SigninLogs | count", "Count:long\n0");
    assert_eq!(error_code("restrict access to (SigninLogs); AuditLogs | count"), "KS204");
    assert_eq!(error_code("restrict access to (SigninLogs); union SigninLogs, AuditLogs | count"), "KS204");
    answers(
        "restrict access to (Sign*, database('d').AuditLogs); union SigninLogs, AuditLogs | count",
        "Count:long\n0",
    );
    answers("restrict access to (database('d').*); AuditLogs | count", "Count:long\n0");
    assert_eq!(error_code("restrict access to (SigninLogs); union Aud*, SigninLogs | count"), "KS142");
    // A view shows what it reads, and hides what it reads it from.
    let view = "let Few = () { range x from 1 to 3 step 1 }; let Other = datatable(y:long)[1]; let least = 2;";
    answers(&format!("{view} restrict access to (Few); Few | where x >= least"), "x:long\n2\n3");
    assert_eq!(error_code(&format!("{view} restrict access to (Few); Other")), "KS142");
    answers(&format!("{view} restrict access to (Few); let Later = Few | take 1; Later | count"), "Count:long\n1");
}

#[test]
fn tables_are_cut_to_the_time_scope() {
    answers(
        "set query_datetimescope_column = 'TimeGenerated'; set query_datetimescope_from = datetime(2024-01-01); \
         SigninLogs | count",
        "Count:long\n0",
    );
}

#[test]
fn names_may_be_computed_from_constants() {
    answers("let part = 'Signin'; table(strcat(part, 'Logs')) | count", "Count:long\n0");
    answers("datatable(a:long)[7] | project b = column_ifexists(strcat('', 'a'), 0)", "b:long\n7");
    answers("datatable(a:long)[7] | project b = column_ifexists(tolower('B'), 0)", "b:long\n0");
}

#[test]
fn bags_of_columns() {
    let rows = "datatable(a:long, b:string, c:dynamic)[1,'x',dynamic([2]), long(null),'',dynamic(null)]";
    answers(
        &format!("{rows} | project p = bag_pack_columns(b, a)"),
        "p:dynamic\n{\"b\":\"x\",\"a\":1}\n{\"b\":\"\",\"a\":null}",
    );
    answers(&format!("{rows} | project p = pack_all(true)"), "p:dynamic\n{\"a\":1,\"b\":\"x\",\"c\":[2]}\n{}");
    assert_eq!(error_code(&format!("{rows} | project bag_pack_columns(a + 1)")), "KS109");
}

#[test]
fn file_profiles_are_missing_but_have_their_columns() {
    answers(
        "datatable(SHA1:string, Signer:string)['0a', 'x'] | invoke FileProfile(SHA1, 100) \
         | where ProfileAvailability !~ 'Error' and isempty(GlobalPrevalence) | project SHA1, Signer, ThreatName, FileSize",
        "SHA1:string,Signer:string,ThreatName:string,FileSize:int\n\"0a\",\"\",\"\",null",
    );
    answers("DeviceFileEvents | invoke FileProfile('SHA1') | where GlobalPrevalence < 10 | count", "Count:long\n0");
}
