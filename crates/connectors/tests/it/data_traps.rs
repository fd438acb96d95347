//! The traps that lie in real exports, one test each: what is done about it, and that it is said.

use connectors::{LoadOptions, Loaded, load};
use kql_types::datetime;

use crate::binary::seven_zip;
use crate::support::{column, load_files, load_files_with, load_text, rows, write_files};

fn trail(id: &str, name: &str, time: &str) -> String {
    format!(
        r#"{{"eventID":"{id}","eventTime":"{time}","eventName":"{name}","eventSource":"s","awsRegion":"r","recipientAccountId":"1"}}"#
    )
}

const AT: &str = "2026-03-01T10:00:00Z";

fn names(loaded: &Loaded) -> Vec<String> {
    column(loaded, "AWSCloudTrail", "EventName")
}

#[test]
fn portal_csv_with_a_zone_in_its_headers() {
    let header = "\u{feff}TenantId,\"TimeGenerated [Jerusalem]\",AlertName,IsIncident,\"$table\"\r\n";
    let row = |time: &str| format!("w,\"{time}\",a,TRUE,SecurityAlert\r\n");
    let text = format!("{header}{}{}", row("7/1/2021, 2:32:14.029\u{202f}PM"), row("10/31/2021, 1:30:00.000 AM"));
    let loaded = load_files(&[("query_data.csv", text.as_bytes())]);
    assert_eq!(
        column(&loaded, "SecurityAlert", "TimeGenerated"),
        ["2021-07-01T11:32:14.0290000Z", "2021-10-30T22:30:00.0000000Z"]
    );
    assert_eq!(column(&loaded, "SecurityAlert", "IsIncident"), ["true", "true"]);
    assert_eq!(loaded.report.sources[0].mended["local hour that comes twice: the earlier taken"].count, 1);
    // A zone that only the viewer knew is asked for, and taken when it is given.
    let local = text.replace("Jerusalem", "Local Time");
    let loaded = load_files(&[("x.csv", local.as_bytes())]);
    assert_eq!(loaded.report.sources[0].undated, 2);
    assert_eq!(
        loaded.report.sources[0].mended["time in a zone that is not known: left empty (--tz gives it)"].count,
        2
    );
    let options = LoadOptions { zone: connectors::zone("Jerusalem"), ..LoadOptions::default() };
    let loaded = load_files_with(&[("x.csv", local.as_bytes())], &options);
    assert_eq!(column(&loaded, "SecurityAlert", "TimeGenerated")[0], "2021-07-01T11:32:14.0290000Z");
}

#[test]
fn spreadsheet_round_trip() {
    let long = "x".repeat(32_767);
    let text = format!(
        "TimeGenerated,EventName,EventSource,AWSRegion,RecipientAccountId,RequestParameters\n3/1/2026 10:00,A,s,r,1.23457E+11,{long}\n"
    );
    let loaded = load_files(&[("x.csv", text.as_bytes())]);
    let notes = loaded.report.sources[0].notes.join("\n");
    for expected in [
        "TimeGenerated: 1 times without seconds",
        "RecipientAccountId: 1 numbers like",
        "RequestParameters: 1 texts of exactly 32767",
    ] {
        assert!(notes.contains(expected), "{notes}");
    }
    assert_eq!(column(&loaded, "AWSCloudTrail", "TimeGenerated"), ["2026-03-01T10:00:00.0000000Z"]);
}

#[test]
fn result_limits_of_portals_and_tools() {
    let entry = |minute: u32| {
        format!(
            r#"{{"insertId":"i{minute}","timestamp":"2026-03-{:02}T{:02}:{:02}:00Z","receiveTimestamp":"2026-03-{:02}T{:02}:{:02}:00Z","protoPayload":{{"methodName":"m"}}}}"#,
            1 + (minute + 700) / 1440,
            (minute + 700) / 60 % 24,
            (minute + 700) % 60,
            1 + (minute + 700) / 1440,
            (minute + 700) / 60 % 24,
            (minute + 700) % 60
        )
    };
    let notes = |step: u32, count: u32| {
        let list: Vec<String> = (0..count).map(|n| entry(n * step)).collect();
        load_text(&format!("[{}]", list.join(","))).report.sources[0].notes.clone()
    };
    let found = notes(60, 25);
    assert!(found.len() == 1 && found[0].contains("24 hours") && found[0].contains("--freshness"), "{found:?}");
    assert!(notes(50, 25).is_empty());
    let record = r#"{""CreationTime"":""2026-03-01T10:00:00"",""Id"":""ID"",""Operation"":""O"",""Workload"":""Exchange"",""UserType"":0}"#;
    let csv: String = (0..100).map(|n| format!("x,\"{}\"\n", record.replace("ID", &n.to_string()))).collect();
    let loaded = load_files(&[("ual.csv", format!("RecordType,AuditData\n{csv}").as_bytes())]);
    let notes = &loaded.report.sources[0].notes;
    assert!(
        notes.len() == 1 && notes[0].starts_with("100 events exactly") && notes[0].contains("ReturnLargeSet"),
        "{notes:?}"
    );
}

#[test]
fn downloads_of_the_entra_and_activity_portals() {
    let details = "Request ID,Date (UTC),Authentication method,Authentication method detail,Succeeded,Result detail\nr1,2026-03-01T10:00:00Z,Password,,true,\n";
    let activity = "Correlation id,Operation name,Status,Event category,Level,Time,Subscription,Event initiated by,Resource type,Resource group,Resource\n\
        c1,Create or Update Virtual Machine,Succeeded,Administrative,Informational,2026-03-01T10:00:00.123Z,s1,nina@contoso.example,Microsoft.Compute/virtualMachines,g1,vm1\n";
    let loaded = load_files(&[
        ("QueryResult.csv", activity.as_bytes()),
        ("InteractiveSignIns_AuthDetails.csv", details.as_bytes()),
    ]);
    for (name, value) in [
        ("TimeGenerated", "2026-03-01T10:00:00.1230000Z"),
        ("OperationNameValue", "Create or Update Virtual Machine"),
        ("ActivityStatusValue", "Succeeded"),
        ("Caller", "nina@contoso.example"),
        ("ResourceGroup", "g1"),
        ("Resource", "vm1"),
        ("ResourceId", ""),
    ] {
        assert_eq!(column(&loaded, "AzureActivity", name), [value], "{name}");
    }
    let said: Vec<&String> = loaded.report.sources.iter().flat_map(|source| source.mended.keys()).collect();
    assert!(said.iter().any(|what| what.contains("az monitor activity-log list")), "{said:?}");
    let other: Vec<&String> = loaded.report.sources.iter().flat_map(|source| source.other.keys()).collect();
    assert!(other[0].starts_with("authentication details of the Entra portal"), "{other:?}");
}

#[test]
fn redirections_concatenations_and_archives() {
    let text = format!("[{},\r\n{},]\r\n", trail("1", "A", "/Date(1772359200000)/"), trail("2", "B", AT));
    let units: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let joined = format!("{}{}", trail("3", "C", AT), trail("4", "D", AT));
    let bytes = seven_zip(&[("1.json", &units), ("2.json", joined.as_bytes())]);
    let loaded = load_files(&[("x.7z", &bytes)]);
    assert_eq!(names(&loaded), ["A", "B", "C", "D"]);
    assert_eq!(column(&loaded, "AWSCloudTrail", "TimeGenerated"), ["2026-03-01T10:00:00.0000000Z"; 4]);
}

#[test]
fn json_in_strings() {
    let body = serde_json::to_string(&serde_json::json!({"properties": {"vmId": "v"}}).to_string()).unwrap();
    let properties = serde_json::to_string(&format!(r#"{{"statusCode":"OK","responseBody":{body}}}"#)).unwrap();
    let activity = format!(
        r#"{{"time":"{AT}","operationName":"A.B/C/WRITE","category":"Administrative","resultType":"Success","resourceId":"/subscriptions/s/x","properties":{properties}}}"#
    );
    let loaded = load_text(&activity);
    // Text stays text; the dynamic column is decoded once, what is text inside it stays text.
    let text = &column(&loaded, "AzureActivity", "Properties")[0];
    let dynamic = &column(&loaded, "AzureActivity", "Properties_d")[0];
    assert_eq!(text, dynamic);
    let parsed: serde_json::Value = serde_json::from_str(dynamic).unwrap();
    let inner: serde_json::Value = serde_json::from_str(parsed["responseBody"].as_str().unwrap()).unwrap();
    assert_eq!(inner["properties"]["vmId"], "v");
    let google = r#"{"insertId":"i","protoPayload":{"methodName":"m","request":"{\"name\":\"vm\"}","requestMetadata":"{\"callerIp\":\"1.2.3.4\"}"}}"#;
    let loaded = load_text(google);
    assert_eq!(column(&loaded, "GCPAuditLogs", "Request"), [r#"{"name":"vm"}"#]);
    assert_eq!(column(&loaded, "GCPAuditLogs", "RequestMetadata"), [r#"{"callerIp":"1.2.3.4"}"#]);
    let csv = "TimeGenerated,UserName,ActivityInsights,Type\n2026-03-01T10:00:00Z,n,\"{\"\"a\"\":\"\"True\"\"}\",BehaviorAnalytics\n";
    assert_eq!(
        column(&load_files(&[("x.csv", csv.as_bytes())]), "BehaviorAnalytics", "ActivityInsights"),
        [r#"{"a":"True"}"#]
    );
    let quoted = serde_json::to_string(&trail("1", "A", AT)).unwrap();
    assert_eq!(names(&load_text(&format!(r#"{{"Events":[{{"EventId":"1","CloudTrailEvent":{quoted}}}]}}"#))), ["A"]);
}

#[test]
fn one_envelope_with_many_tables() {
    let record = |category: &str, operation: &str, id: &str| {
        format!(
            r#"{{"time":"{AT}","category":"{category}","operationName":"{operation}","resourceId":"/subscriptions/s/resourceGroups/g/providers/{id}","properties":{{}}}}"#
        )
    };
    let text = format!(
        r#"{{"records":[{},{},{},{}]}}"#,
        record("StorageRead", "GetBlob", "Microsoft.Storage/storageAccounts/a/blobServices/default"),
        record("AuditEvent", "SecretGet", "Microsoft.KeyVault/vaults/v"),
        record("kube-audit", "x", "Microsoft.ContainerService/managedClusters/c"),
        record("Administrative", "Microsoft.Compute/virtualMachines/write", "Microsoft.Compute/virtualMachines/vm"),
    );
    let loaded = load_text(&text);
    let counts: Vec<(&str, usize)> =
        loaded.tables.keys().map(|table| (table.as_str(), rows(&loaded, table).len())).collect();
    assert_eq!(counts, [("AzureActivity", 1), ("AzureDiagnostics", 2), ("StorageBlobLogs", 1)]);
}

#[test]
fn names_that_lost_their_case_and_names_of_bigquery() {
    let lower = r#"{"insertid":"i1","logname":"projects/p/logs/x","timestamp":"2026-03-01T10:00:00Z","protopayload":{"methodname":"m1"}}"#;
    let bigquery = r#"{"insertId":"i2","timestamp":"2026-03-01T10:00:00Z","protopayload_auditlog":{"methodName":"m2","requestJson":"{\"a\":1}"}}"#;
    let loaded = load_text(&format!("{lower}\n{bigquery}"));
    assert_eq!(column(&loaded, "GCPAuditLogs", "MethodName"), ["m1", "m2"]);
    assert_eq!(column(&loaded, "GCPAuditLogs", "Request"), ["", r#"{"a":1}"#]);
    assert_eq!(loaded.report.sources[0].mended["field names in other case"].count, 1);
}

#[test]
fn organisation_and_account_trails() {
    let own = trail("1", "A", AT);
    let shared = own.replace("\"1\"}", "\"2\",\"sharedEventID\":\"x\"}");
    let reused = trail("1", "B", AT);
    let loaded = load_files(&[
        ("account/1.json", format!("{own}\n{reused}").as_bytes()),
        ("organisation/1.json", format!("{own}\n{shared}").as_bytes()),
        ("replica/1.json", own.as_bytes()),
    ]);
    // Only equal content of one id is one event; the other account's copy, and an id used again, are events.
    assert_eq!(names(&loaded), ["A", "B", "A"]);
    assert_eq!(column(&loaded, "AWSCloudTrail", "RecipientAccountId"), ["1", "1", "2"]);
    assert_eq!(loaded.report.sources.iter().map(|source| source.duplicates).collect::<Vec<_>>(), [0, 1, 1]);
}

#[test]
fn copies_of_activity_in_both_dialects() {
    let diagnostic = r#"{"time":"2026-03-01T10:00:00Z","operationName":"A.B/C/WRITE","category":"Administrative","resultType":"STATUS","resourceId":"/SUBSCRIPTIONS/S/X","callerIpAddress":"1.2.3.4","identity":{"claims":{"upn":"nina@x"}},"properties":{"eventDataId":"e1"}}"#;
    let rest = r#"{"eventTimestamp":"2026-03-01T10:00:00Z","eventDataId":"e1","operationName":{"value":"A.B/c/write"},"status":{"value":"Succeeded"},"resourceId":"/subscriptions/s/x","caller":"nina@x"}"#;
    let success = diagnostic.replace("STATUS", "Success");
    let start = diagnostic.replace("STATUS", "Start");
    let loaded = load_files(&[
        ("1.json", format!("{start}\n{success}").as_bytes()),
        ("2.json", success.as_bytes()),
        ("3.json", rest.as_bytes()),
    ]);
    assert_eq!(column(&loaded, "AzureActivity", "ActivityStatusValue"), ["Start", "Success"]);
    assert_eq!(loaded.report.sources.iter().map(|source| source.duplicates).collect::<Vec<_>>(), [0, 1, 1]);
}

#[test]
fn lake_and_athena_csv() {
    let quoted = trail("1", "A", AT).replace('"', "\"\"");
    let lake = format!("eventJson,event_time\n\"{quoted}\",x\n");
    assert_eq!(names(&load_files(&[("lake.csv", lake.as_bytes())])), ["A"]);
    let athena = "\"eventversion\",\"useridentity\",\"eventtime\",\"eventsource\",\"eventname\",\"awsregion\",\"sourceipaddress\",\"requestparameters\",\"eventid\",\"readonly\",\"recipientaccountid\"\n\
        \"1.08\",\"{type=AssumedRole, principalid=AROA1:nina, arn=arn:aws:sts::1:assumed-role/r/nina, accountid=123456789012, sessioncontext={attributes={mfaauthenticated=true}, sessionissuer={type=Role, username=r}}}\",\"2026-03-01T10:00:00Z\",\"iam.amazonaws.com\",\"CreateUser\",\"us-east-1\",\"203.0.113.9\",\"{\"\"userName\"\":\"\"x\"\"}\",\"e1\",\"false\",\"123456789012\"\n";
    let loaded = load_files(&[("athena.csv", athena.as_bytes())]);
    for (name, value) in [
        ("EventName", "CreateUser"),
        ("TimeGenerated", "2026-03-01T10:00:00.0000000Z"),
        ("UserIdentityType", "AssumedRole"),
        ("UserIdentityPrincipalid", "AROA1:nina"),
        ("UserIdentityAccountId", "123456789012"),
        ("SessionMfaAuthenticated", "true"),
        ("SessionIssuerUserName", "r"),
        ("RequestParameters", r#"{"userName":"x"}"#),
        ("ReadOnly", "false"),
    ] {
        assert_eq!(column(&loaded, "AWSCloudTrail", name), [value], "{name}");
    }
}

#[test]
fn foreign_files_in_a_bucket_and_dates_in_its_paths() {
    let at = |day: u32| {
        format!("AWSLogs/1/CloudTrail/eu-west-1/2026/03/{day:02}/1_CloudTrail_eu-west-1_202603{day:02}T1005Z_x.json")
    };
    let flow = "version account-id interface-id srcaddr dstaddr action\n2 1 eni-1 10.0.0.1 10.0.0.2 ACCEPT\n";
    let config =
        r#"{"fileVersion":"1.0","configSnapshotId":"c","configurationItems":[{"resourceType":"AWS::EC2::Instance"}]}"#;
    let digest = r#"{"awsAccountId":"1","digestStartTime":"2026-03-01T00:00:00Z","digestS3Bucket":"b","logFiles":[]}"#;
    let balancer = "https 2026-03-01T10:00:00.186641Z app/lb/1 203.0.113.9:2817 10.0.0.1:80 0.0 0.0 0.0 200 200 34 366 \"GET https://x:443/ HTTP/1.1\" \"curl\"\n";
    let files: Vec<(String, String)> = vec![
        (at(1), trail("1", "A", "2026-03-01T10:00:00Z")),
        (at(5), trail("5", "E", "2026-03-05T10:00:00Z")),
        (at(9), trail("9", "I", "2026-03-09T10:00:00Z")),
        ("AWSLogs/1/Config/config.json".to_owned(), config.to_owned()),
        ("AWSLogs/1/CloudTrail-Digest/d.json".to_owned(), digest.to_owned()),
        ("AWSLogs/1/vpcflowlogs/f.log".to_owned(), flow.to_owned()),
        ("AWSLogs/1/elasticloadbalancing/l.log".to_owned(), balancer.to_owned()),
    ];
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let loaded = load_files(&files);
    assert_eq!(names(&loaded), ["A", "E", "I"]);
    assert_eq!(column(&loaded, "AWSVPCFlow", "SrcAddr"), ["10.0.0.1"]);
    let mut other: Vec<&str> =
        loaded.report.sources.iter().flat_map(|source| source.other.keys().map(String::as_str)).collect();
    other.sort_unstable();
    assert_eq!(other, ["AWS Config", "CloudTrail digest", "line of a load balancer's access log"]);
    let options = LoadOptions {
        from: datetime::parse("2026-03-04T12:00:00Z"),
        to: datetime::parse("2026-03-06T00:00:00Z"),
        ..LoadOptions::default()
    };
    let loaded = load_files_with(&files, &options);
    assert_eq!((names(&loaded), loaded.report.outside), (vec!["E".to_owned()], 2));
}

#[test]
fn torn_last_lines_and_blobs_that_overlap() {
    let record = |minute: u32| {
        format!(
            r#"{{"time":"2026-03-01T10:{minute:02}:00Z","operationName":"A.B/C/WRITE","category":"Administrative","resultType":"Success","resourceId":"/SUBSCRIPTIONS/S/X","correlationId":"c{minute}","properties":{{"eventDataId":"e{minute}"}}}}"#
        )
    };
    let early = format!("{}\n{}\n{}", record(0), record(1), &record(2)[..80]);
    let late = format!("{}\n{}\n{}\n", record(0), record(1), record(2));
    let loaded = load_files(&[("a/PT1H.json", early.as_bytes()), ("b/PT1H.json", late.as_bytes())]);
    assert_eq!(column(&loaded, "AzureActivity", "EventDataId"), ["e0", "e1", "e2"]);
    let first = &loaded.report.sources[0];
    assert_eq!(first.unreadable.keys().collect::<Vec<_>>(), ["incomplete: the text ends inside the record"]);
    assert_eq!(loaded.report.sources[1].duplicates, 2);
}

#[test]
fn times_of_all_kinds_and_none() {
    let times = ["1772359200", "1772359200000", "1772359200000000", "1772359200000000000"]
        .map(|number| format!("\"{number}\""));
    let mut text: Vec<String> = Vec::new();
    for (index, time) in times
        .iter()
        .chain([
            &"\"2026-03-01T10:00:00\"".to_owned(),
            &"\"2026-03-01T10:00:00.123456789Z\"".to_owned(),
            &"null".to_owned(),
        ])
        .enumerate()
    {
        text.push(trail(&index.to_string(), &format!("n{index}"), "T").replace("\"T\"", time));
    }
    let loaded = load_text(&text.join("\n"));
    let mut expected = vec!["2026-03-01T10:00:00.0000000Z"; 5];
    expected.extend(["2026-03-01T10:00:00.1234567Z", ""]);
    assert_eq!(column(&loaded, "AWSCloudTrail", "TimeGenerated"), expected);
    let source = &loaded.report.sources[0];
    assert_eq!((source.rows, source.undated), (7, 1));
}

#[test]
fn entries_without_a_time_of_receipt_and_operations_in_pairs() {
    let entry = |id: &str, part: &str| {
        format!(
            r#"{{"insertId":"{id}","timestamp":"{AT}","operation":{{"id":"op1","{part}":true}},"protoPayload":{{"methodName":"v1.compute.instances.insert","requestMetadata":{{"callerIp":"private"}}}}}}"#
        )
    };
    let loaded = load_text(&format!("{}\n{}", entry("i1", "first"), entry("i2", "last")));
    assert_eq!(column(&loaded, "GCPAuditLogs", "InsertId"), ["i1", "i2"]);
    assert_eq!(column(&loaded, "GCPAuditLogs", "TimeGenerated"), ["2026-03-01T10:00:00.0000000Z"; 2]);
    assert_eq!(column(&loaded, "GCPAuditLogs", "RequestMetadata"), [r#"{"callerIp":"private"}"#; 2]);
    assert_eq!(loaded.report.sources[0].mended["no receiveTimestamp: timestamp taken"].count, 2);
}

#[test]
fn addresses_stay_as_they_were_written() {
    for address in [
        "203.0.113.9:51514",
        "[2001:db8::1]:443",
        "::ffff:203.0.113.9",
        "fe80::1%eth0",
        "AWS Internal",
        "ec2.amazonaws.com",
        "0.0.0.0",
    ] {
        let record =
            trail("1", "A", AT).replace("\"awsRegion\"", &format!("\"sourceIPAddress\":\"{address}\",\"awsRegion\""));
        assert_eq!(column(&load_text(&record), "AWSCloudTrail", "SourceIpAddress"), [address]);
    }
}

#[test]
fn delivery_is_the_time_of_ingestion() {
    let name = "x/1_CloudTrail_eu-west-1_20260301T1015Z_a.json";
    let google = r#"{"insertId":"i","timestamp":"2026-03-01T09:00:00Z","receiveTimestamp":"2026-03-01T10:20:00Z","protoPayload":{"methodName":"m"}}"#;
    let loaded = load_files(&[(name, trail("1", "A", AT).as_bytes()), ("g.json", google.as_bytes())]);
    assert!(rows(&loaded, "AWSCloudTrail")[0].contains(&"__ingestion=2026-03-01T10:15:00.0000000Z".to_owned()));
    assert!(rows(&loaded, "GCPAuditLogs")[0].contains(&"__ingestion=2026-03-01T10:20:00.0000000Z".to_owned()));
}

#[test]
fn identities_without_a_time_are_stamped() {
    let text = r#"{"value":[{"id":"u1","userPrincipalName":"nina@contoso.example","displayName":"Nina","accountEnabled":true}]}"#;
    let loaded = load_text(text);
    assert_ne!(column(&loaded, "IdentityInfo", "TimeGenerated"), [""]);
    assert_eq!(loaded.report.sources[0].undated, 0);
}

#[test]
fn fields_without_a_column_are_counted_and_reachable() {
    let record = trail("1", "A", AT).replace(
        "\"awsRegion\"",
        "\"sessionCredentialFromConsole\":\"true\",\"vpcEndpointAccountId\":\"2\",\"awsRegion\"",
    );
    let folder = write_files(&[("x.json", record.as_bytes())]);
    let loaded = load(&[folder.path().to_path_buf()], &LoadOptions::default()).unwrap();
    let unmapped: Vec<(&str, u64)> =
        loaded.report.sources[0].unmapped.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(unmapped, [("sessionCredentialFromConsole", 1), ("vpcEndpointAccountId", 1)]);
    assert_eq!(loaded.raw_record(tables::pack_source(0, 0)).unwrap(), record);
}

#[test]
fn text_of_attackers_stays_in_its_cell_and_examples_are_harmless() {
    let record = trail("1", "A", AT)
        .replace("\"awsRegion\"", "\"userAgent\":\"\\u001b]0;x\\u0007=cmd|' /C calc'!A0<script>\",\"awsRegion\"");
    let loaded = load_text(&format!("{record}\n\u{1b}[2J no json\n"));
    assert_eq!(column(&loaded, "AWSCloudTrail", "UserAgent"), ["\u{1b}]0;x\u{7}=cmd|' /C calc'!A0<script>"]);
    let example = &loaded.report.sources[0].unreadable["not JSON"].first.text;
    assert!(!example.contains('\u{1b}') && example.contains("no json"), "{example}");
}

#[test]
fn digests_tell_the_hours_that_no_file_covers() {
    let digest = |from: u32, to: u32, region: &str| {
        format!(
            r#"{{"awsAccountId":"1","digestStartTime":"2026-03-01T{from:02}:00:00Z","digestEndTime":"2026-03-01T{to:02}:00:00Z","digestS3Bucket":"b","digestS3Object":"AWSLogs/1/CloudTrail-Digest/{region}/2026/03/01/x.json.gz","logFiles":[]}}"#
        )
    };
    let files = [(1, 2, "eu-west-1"), (2, 3, "eu-west-1"), (5, 6, "eu-west-1"), (1, 2, "us-east-1")];
    let files: Vec<(String, String)> = files
        .iter()
        .enumerate()
        .map(|(n, (from, to, region))| (format!("{n}.json"), digest(*from, *to, region)))
        .collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let loaded = load_files(&files);
    let shown: Vec<String> = loaded
        .report
        .uncovered()
        .into_iter()
        .map(|(whose, gaps)| {
            let gaps: Vec<String> =
                gaps.iter().map(|gap| format!("{} {}", datetime::format(gap.from), datetime::format(gap.to))).collect();
            format!("{whose}: {}", gaps.join(", "))
        })
        .collect();
    assert_eq!(shown, ["1 eu-west-1: 2026-03-01T03:00:00.0000000Z 2026-03-01T05:00:00.0000000Z", "1 us-east-1: "]);
}
