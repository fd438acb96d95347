//! Exports as they really come: what tools, portals and spreadsheets make of them.

use crate::support::{column, load_files, load_text};

#[test]
fn results_of_the_query_interface() {
    let text = r#"{"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGenerated","type":"datetime"},{"name":"EventName","type":"string"},
        {"name":"EventSource","type":"string"},{"name":"AWSRegion","type":"string"},{"name":"Type","type":"string"}],
        "rows":[["2026-03-01T00:00:00Z","A","s","r","AWSCloudTrail"],["2026-03-01T00:00:01Z","B","s",null,"AWSCloudTrail"],["short"]]}]}"#;
    let loaded = load_text(text);
    assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A", "B"]);
    assert_eq!(column(&loaded, "AWSCloudTrail", "AWSRegion"), ["r", ""]);
    let source = &loaded.report.sources[0];
    assert_eq!((source.records, source.unreadable["row that does not fit its columns"].count), (3, 1));
    let older = text.replace("tables", "Tables").replace("rows", "Rows").replace("columns", "Columns");
    let older = older.replace(r#""name":"P"#, r#""TableName":"P"#).replace(r#""name""#, r#""ColumnName""#);
    assert_eq!(column(&load_text(&older), "AWSCloudTrail", "EventName"), ["A", "B"]);
}

fn activity(number: u32, minute: u32) -> String {
    format!(
        r#"{{"eventTimestamp":"2026-03-01T{:02}:{:02}:00Z","eventDataId":"e{number}","operationName":{{"value":"A/B/write"}},"status":{{"value":"Succeeded"}},"resourceId":"/subscriptions/s/x","subscriptionId":"s","correlationId":"c"}}"#,
        minute / 60,
        minute % 60
    )
}

#[test]
fn limits_of_exports_are_suspected() {
    let list = |count: u32, step: u32| {
        let records: Vec<String> = (0..count).map(|n| activity(n, n * step)).collect();
        load_text(&format!("[{}]", records.join(","))).report.sources[0].notes.clone()
    };
    let notes = list(50, 1);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("50 events exactly") && notes[0].contains("--max-events"), "{notes:?}");
    assert!(list(51, 1).is_empty());
    let notes = list(60, 6);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("6 hours") && notes[0].contains("--offset"), "{notes:?}");
    assert!(list(60, 7).is_empty());
}

#[test]
fn damage_by_spreadsheets_is_named_by_column() {
    let long = "x".repeat(32_767);
    let csv = format!(
        "TimeGenerated,EventName,EventSource,AWSRegion,RecipientAccountId,RequestParameters\n\
         2026-03-01T00:00:00Z,A,s,r,1.23457E+11,{long}\n2026-03-01T00:00:01Z,B,s,r,123456789012,short\n"
    );
    let loaded = load_files(&[("x.csv", csv.as_bytes())]);
    let notes = &loaded.report.sources[0].notes;
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].starts_with("RecipientAccountId: 1 numbers like 1.23E+11"), "{notes:?}");
    assert!(notes[1].starts_with("RequestParameters: 1 texts of exactly 32767 characters"), "{notes:?}");
    assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A", "B"]);
}

#[test]
fn encodings_and_shapes_of_other_tools() {
    let record = |name: &str, time: &str| {
        format!(r#"{{"eventID":"{name}","eventTime":"{time}","eventName":"{name}","eventSource":"s","awsRegion":"r"}}"#)
    };
    let plain =
        format!("[\r\n{},\r\n{},\r\n]\r\n", record("A", "2026-03-01T00:00:00Z"), record("B", "/Date(1772323200000)/"));
    let utf16 = |big_endian: bool, mark: &[u8]| {
        let units =
            plain.encode_utf16().flat_map(|unit| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() });
        [mark.to_vec(), units.collect()].concat()
    };
    for (what, bytes) in [
        ("carriage returns and a comma at the end", plain.clone().into_bytes()),
        ("a byte order mark", ["\u{feff}".as_bytes(), plain.as_bytes()].concat()),
        ("little endian", utf16(false, b"\xFF\xFE")),
        ("big endian", utf16(true, b"\xFE\xFF")),
        (
            "no separator at all",
            format!("{}{}", record("A", "2026-03-01T00:00:00Z"), record("B", "1772323200")).into_bytes(),
        ),
    ] {
        let loaded = load_files(&[("x.json", &bytes)]);
        assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A", "B"], "{what}");
        let times = column(&loaded, "AWSCloudTrail", "TimeGenerated");
        assert_eq!(times, ["2026-03-01T00:00:00.0000000Z"; 2], "{what}");
    }
}

#[test]
fn sign_ins_downloaded_from_the_portal() {
    let csv = "\u{feff}Date (UTC),Request ID,User agent,Correlation ID,User ID,User,Username,Application,Application ID ,IP address,Location,Status,Sign-in error code,Failure reason,Client app,Device ID,Browser,Operating System,Compliant,Managed,Join Type,Authentication requirement,Conditional Access,Flagged for review\r\n\
        2026-03-01T10:00:00Z,r1,curl/8,c1,u1,Nina,nina@contoso.example,App,a1,203.0.113.9,\"Warsaw, Mazowieckie, PL\",Failure,50126,Bad password,Browser,,Chrome 99,Windows,False,True,,Single-factor authentication,Not Applied,No\r\n\
        2026-03-01T10:01:00Z,r2,curl/8,c2,u1,Nina,nina@contoso.example,App,a1,203.0.113.9,PL,Success,,Other.,Browser,d1,,,,,,Multifactor authentication,Success,No\r\n";
    let loaded = load_files(&[("InteractiveSignIns_2026-03-01.csv", csv.as_bytes())]);
    let of = |name: &str| column(&loaded, "SigninLogs", name);
    assert_eq!(of("TimeGenerated"), ["2026-03-01T10:00:00.0000000Z", "2026-03-01T10:01:00.0000000Z"]);
    assert_eq!(of("UserPrincipalName"), ["nina@contoso.example"; 2]);
    assert_eq!((of("AppId"), of("IPAddress")), (vec!["a1".to_owned(); 2], vec!["203.0.113.9".to_owned(); 2]));
    assert_eq!(of("ResultType"), ["50126", "0"]);
    assert_eq!(of("ResultDescription"), ["Bad password", ""]);
    assert_eq!(of("Location"), ["PL", "PL"]);
    assert_eq!(
        of("LocationDetails"),
        [r#"{"city":"Warsaw","state":"Mazowieckie","countryOrRegion":"PL"}"#, r#"{"countryOrRegion":"PL"}"#]
    );
    assert_eq!(of("ConditionalAccessStatus"), ["notApplied", "success"]);
    assert_eq!(of("AuthenticationRequirement"), ["singleFactorAuthentication", "multiFactorAuthentication"]);
    assert_eq!(
        of("DeviceDetail"),
        [
            r#"{"operatingSystem":"Windows","browser":"Chrome 99","isCompliant":false,"isManaged":true}"#,
            r#"{"deviceId":"d1"}"#
        ]
    );
    let source = &loaded.report.sources[0];
    assert_eq!(source.unmapped.get("Flagged for review"), Some(&2), "{:?}", source.unmapped);
    let others = load_files(&[("NonInteractiveSignIns_2026-03-01.csv", csv.as_bytes())]);
    assert_eq!(column(&others, "AADNonInteractiveUserSignInLogs", "ResultType"), ["50126", "0"]);
}
