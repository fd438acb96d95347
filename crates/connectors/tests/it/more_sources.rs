//! The sources beyond the clouds' own audit logs: every mapped column, and what each form loses.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use connectors::{LoadError, LoadOptions, Loaded, load, source_guides, source_names};

use crate::binary::parquet_bytes;
use crate::support::{column, load_files, load_files_with, load_text, write_files};

#[track_caller]
fn check(loaded: &Loaded, table: &str, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(column(loaded, table, name), [*value], "{name}");
    }
    let source = &loaded.report.sources[0];
    assert!(source.misfits.is_empty(), "{:?}", source.misfits);
}

#[track_caller]
fn check_all(loaded: &Loaded, table: &str, expected: &[(&str, &str)]) {
    check(loaded, table, expected);
    let source = &loaded.report.sources[0];
    assert!(source.unmapped.is_empty(), "{:?}", source.unmapped);
}

fn forced(name: &str) -> LoadOptions {
    LoadOptions { source: Some(name.to_owned()), ..LoadOptions::default() }
}

#[test]
fn vpc_flow_logs_with_and_without_a_header() {
    let line = "2 123456789012 eni-0a1 10.0.0.5 203.0.113.9 44321 443 6 10 840 1772323200 1772323260 ACCEPT OK";
    let expected = [
        ("TimeGenerated", "2026-03-01T00:01:00.0000000Z"),
        ("Start", "2026-03-01T00:00:00.0000000Z"),
        ("Version", "2"),
        ("AccountId", "123456789012"),
        ("InterfaceId", "eni-0a1"),
        ("SrcAddr", "10.0.0.5"),
        ("DstAddr", "203.0.113.9"),
        ("SrcPort", "44321"),
        ("DstPort", "443"),
        ("Protocol", "6"),
        ("Packets", "10"),
        ("Bytes", "840"),
        ("Action", "ACCEPT"),
        ("LogStatus", "OK"),
    ];
    check_all(&load_files(&[("flow.log", line.as_bytes())]), "AWSVPCFlow", &expected);
    let header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status vpc-id flow-direction";
    let text = format!(
        "{header}\n{line} vpc-1 -\n2 123456789012 eni-0a1 - - - - - - - 1772323200 1772323260 - NODATA vpc-1 -\n"
    );
    let loaded = load_files(&[("AWSVPCFlow/flow.log", text.as_bytes())]);
    assert_eq!(column(&loaded, "AWSVPCFlow", "VpcId"), ["vpc-1", "vpc-1"]);
    assert_eq!(column(&loaded, "AWSVPCFlow", "SrcAddr"), ["10.0.0.5", ""]);
    assert_eq!(column(&loaded, "AWSVPCFlow", "LogStatus"), ["OK", "NODATA"]);
    assert_eq!(column(&loaded, "AWSVPCFlow", "FlowDirection"), ["", ""]);
    assert!(loaded.report.sources[0].misfits.is_empty());
    let cloudwatch = format!(
        r#"{{"events":[{{"logStreamName":"eni-0a1-all","timestamp":1772323200000,"message":"{line}","ingestionTime":1772323300000,"eventId":"1"}}]}}"#
    );
    check_all(&load_text(&cloudwatch), "AWSVPCFlow", &expected);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("version", Arc::new(Int32Array::from(vec![2]))),
        ("account_id", Arc::new(StringArray::from(vec!["123456789012"]))),
        ("interface_id", Arc::new(StringArray::from(vec!["eni-0a1"]))),
        ("srcaddr", Arc::new(StringArray::from(vec!["10.0.0.5"]))),
        ("dstaddr", Arc::new(StringArray::from(vec!["203.0.113.9"]))),
        ("end", Arc::new(Int64Array::from(vec![1_772_323_260]))),
    ];
    let loaded = load_files(&[("vpcflowlogs/x.parquet", &parquet_bytes(columns))]);
    check_all(
        &loaded,
        "AWSVPCFlow",
        &[("TimeGenerated", "2026-03-01T00:01:00.0000000Z"), ("AccountId", "123456789012")],
    );
}

const FINDING: &str = r#"{"schemaVersion":"2.0","accountId":"123456789012","region":"eu-west-1","partition":"aws","id":"f1","arn":"arn:f1",
  "type":"UnauthorizedAccess:EC2/SSHBruteForce","resource":{"resourceType":"Instance"},"service":{"count":3},"severity":8.5,
  "createdAt":"2026-03-01T09:00:00.000Z","updatedAt":"2026-03-01T10:00:00.000Z","title":"T","description":"D"}"#;

#[test]
fn guardduty_findings_of_all_forms() {
    let expected = [
        ("TimeGenerated", "2026-03-01T10:00:00.0000000Z"),
        ("TimeCreated", "2026-03-01T09:00:00.0000000Z"),
        ("Id", "f1"),
        ("ActivityType", "UnauthorizedAccess:EC2/SSHBruteForce"),
        ("Severity", "8"),
        ("ServiceDetails", r#"{"count":3}"#),
        ("ResourceDetails", r#"{"resourceType":"Instance"}"#),
        ("AccountId", "123456789012"),
        ("Title", "T"),
    ];
    check_all(&load_text(FINDING), "AWSGuardDuty", &expected);
    let message =
        format!(r#"{{"version":"0","detail-type":"GuardDuty Finding","source":"aws.guardduty","detail":{FINDING}}}"#);
    check_all(&load_text(&message), "AWSGuardDuty", &expected);
    let api = r#"{"Findings":[{"SchemaVersion":"2.0","AccountId":"123456789012","Region":"eu-west-1","Partition":"aws","Id":"f1","Arn":"arn:f1","Type":"UnauthorizedAccess:EC2/SSHBruteForce","Resource":{"resourceType":"Instance"},
      "Service":{"count":3},"Severity":8,"CreatedAt":"2026-03-01T09:00:00.000Z","UpdatedAt":"2026-03-01T10:00:00.000Z","Title":"T","Description":"D"}]}"#;
    let loaded = load_text(api);
    check_all(&loaded, "AWSGuardDuty", &expected);
    assert!(loaded.report.sources[0].mended.is_empty());
}

const OFFICE: &str = r#"{"CreationTime":"2026-03-01T10:00:00","Id":"o1","Operation":"New-InboxRule","OrganizationId":"t1","RecordType":1,"ResultStatus":"True","UserKey":"k",
  "UserType":2,"Version":1,"Workload":"Exchange","ClientIP":"203.0.113.9:51514","ObjectId":"obj","UserId":"nina@contoso.example","AppId":"a1",
  "Parameters":[{"Name":"ForwardTo","Value":"x@evil.example"}],"LogonType":1,"Surprise":7}"#;

#[test]
fn the_unified_audit_log_of_all_forms() {
    let expected = [
        ("TimeGenerated", "2026-03-01T10:00:00.0000000Z"),
        ("OfficeId", "o1"),
        ("Operation", "New-InboxRule"),
        ("RecordType", "ExchangeAdmin"),
        ("UserType", "Admin"),
        ("Logon_Type", "Admin"),
        ("OfficeWorkload", "Exchange"),
        ("OfficeObjectId", "obj"),
        ("ClientIP", "203.0.113.9:51514"),
        ("UserId", "nina@contoso.example"),
        ("Parameters", r#"[{"Name":"ForwardTo","Value":"x@evil.example"}]"#),
        ("ResultStatus", "True"),
    ];
    let compact: String = OFFICE.split('\n').map(str::trim_start).collect();
    let quoted = serde_json::to_string(&compact).unwrap();
    let csv = format!(
        "RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits\no1,2026-03-01T10:00:00.0000000Z,1,New-InboxRule,nina@contoso.example,\"{}\",\n",
        compact.replace('"', "\"\"")
    );
    for loaded in [
        load_text(OFFICE),
        load_text(&format!(
            r#"[{{"RecordType":"ExchangeAdmin","CreationDate":"/Date(1772359200000)/","AuditData":{quoted}}}]"#
        )),
        load_files(&[("ual.csv", csv.as_bytes())]),
    ] {
        check(&loaded, "OfficeActivity", &expected);
        assert_eq!(loaded.report.sources[0].unmapped.keys().collect::<Vec<_>>(), ["Surprise"]);
    }
}

#[test]
fn hunting_results_and_streamed_events_of_defender() {
    let rows = r#"{"Timestamp":"2026-03-01T10:00:00Z","DeviceId":"d1","DeviceName":"pc1","ActionType":"ProcessCreated","FileName":"cmd.exe","ProcessCommandLine":"cmd /c x",
        "AccountName":"nina","InitiatingProcessFileName":"winword.exe","ReportId":7}"#;
    let csv = "Timestamp,DeviceId,DeviceName,ActionType,FileName,ProcessCommandLine,AccountName,InitiatingProcessFileName,ReportId\n\"Mar 1, 2026 10:00:00 AM\",d1,pc1,ProcessCreated,cmd.exe,cmd /c x,nina,winword.exe,7\n";
    let streamed = format!(
        r#"{{"records":[{{"time":"2026-03-01T10:00:05Z","tenantId":"t1","operationName":"Publish","category":"AdvancedHunting-DeviceProcessEvents","properties":{rows}}}]}}"#
    );
    let graph = format!(r#"{{"schema":[{{"name":"Timestamp","type":"DateTime"}}],"results":[{rows}]}}"#);
    for (name, text) in
        [("x.json", streamed), ("DeviceProcessEvents.csv", csv.to_owned()), ("DeviceProcessEvents/1.json", graph)]
    {
        let loaded = load_files(&[(name, text.as_bytes())]);
        check_all(
            &loaded,
            "DeviceProcessEvents",
            &[
                ("TimeGenerated", "2026-03-01T10:00:00.0000000Z"),
                ("Timestamp", "2026-03-01T10:00:00.0000000Z"),
                ("DeviceName", "pc1"),
                ("ProcessCommandLine", "cmd /c x"),
                ("InitiatingProcessFileName", "winword.exe"),
            ],
        );
    }
}

#[test]
fn graph_activity_and_risk() {
    let activity = r#"{"time":"2026-03-01T10:00:00Z","resourceId":"/TENANTS/T1/PROVIDERS/MICROSOFT.AADIAM","operationName":"Microsoft Graph Activity","category":"MicrosoftGraphActivityLogs",
      "callerIpAddress":"203.0.113.9","location":"West Europe","correlationId":"c1","durationMs":"31","tenantId":"t1","properties":{"requestId":"r1","requestMethod":"GET","responseStatusCode":200,
      "requestUri":"https://graph.microsoft.com/v1.0/users","appId":"a1","userId":"u1","scopes":"User.Read","userAgent":"curl"}}"#;
    check(
        &load_text(activity),
        "MicrosoftGraphActivityLogs",
        &[
            ("TimeGenerated", "2026-03-01T10:00:00.0000000Z"),
            ("IPAddress", "203.0.113.9"),
            ("RequestMethod", "GET"),
            ("ResponseStatusCode", "200"),
            ("RequestUri", "https://graph.microsoft.com/v1.0/users"),
            ("AppId", "a1"),
            ("UserId", "u1"),
            ("Scopes", "User.Read"),
            ("DurationMs", "31"),
            ("AadTenantId", "t1"),
        ],
    );
    let detection = r#"{"@odata.context":"x","value":[{"id":"rd1","requestId":"r1","correlationId":"c1","riskEventType":"unfamiliarFeatures","riskState":"atRisk","riskLevel":"high","riskDetail":"none",
      "source":"IdentityProtection","detectionTimingType":"realtime","activity":"signin","tokenIssuerType":"AzureAD","ipAddress":"203.0.113.9","activityDateTime":"2026-03-01T09:00:00Z",
      "detectedDateTime":"2026-03-01T09:01:00Z","lastUpdatedDateTime":"2026-03-01T09:05:00Z","userId":"u1","userDisplayName":"Nina","userPrincipalName":"nina@contoso.example",
      "additionalInfo":"[{\"Key\":\"k\"}]","location":{"city":"X"}}]}"#;
    check_all(
        &load_text(detection),
        "AADUserRiskEvents",
        &[
            ("TimeGenerated", "2026-03-01T09:05:00.0000000Z"),
            ("DetectedDateTime", "2026-03-01T09:01:00.0000000Z"),
            ("RiskEventType", "unfamiliarFeatures"),
            ("RiskLevel", "high"),
            ("UserPrincipalName", "nina@contoso.example"),
            ("IpAddress", "203.0.113.9"),
            ("AdditionalInfo", r#"[{"Key":"k"}]"#),
        ],
    );
    let user = r#"{"value":[{"id":"u1","isDeleted":false,"isProcessing":false,"riskLevel":"high","riskState":"atRisk","riskDetail":"none","riskLastUpdatedDateTime":"2026-03-01T09:05:00Z",
      "userDisplayName":"Nina","userPrincipalName":"nina@contoso.example"}]}"#;
    check_all(
        &load_text(user),
        "AADRiskyUsers",
        &[("TimeGenerated", "2026-03-01T09:05:00.0000000Z"), ("RiskState", "atRisk"), ("IsDeleted", "false")],
    );
    let pim = r#"{"value":[{"id":"p1","activityDateTime":"2026-03-01T10:00:00Z","activityDisplayName":"Add member to role completed (PIM activation)","category":"RoleManagement",
      "loggedByService":"PIM","result":"success","initiatedBy":{"user":{"userPrincipalName":"nina@contoso.example"}},"targetResources":[]}]}"#;
    check_all(
        &load_text(pim),
        "AuditLogs",
        &[("LoggedByService", "PIM"), ("OperationName", "Add member to role completed (PIM activation)")],
    );
}

const AUDIT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"k1","stage":"ResponseComplete","requestURI":"/api/v1/secrets","verb":"list",
  "user":{"username":"USER","groups":["system:authenticated"],"extra":{"arn":["arn:aws:sts::123456789012:assumed-role/x/y"]}},"sourceIPs":["203.0.113.9"],"userAgent":"kubectl",
  "objectRef":{"resource":"secrets"},"responseStatus":{"code":403},"requestReceivedTimestamp":"2026-03-01T10:00:00.000001Z","stageTimestamp":"2026-03-01T10:00:01.000000Z",
  "annotations":{"authorization.k8s.io/decision":"forbid"}}"#;

#[test]
fn kubernetes_audit_of_the_three_clouds() {
    let compact: String = AUDIT.split('\n').map(str::trim_start).collect();
    let quoted = serde_json::to_string(&compact).unwrap();
    let cloudwatch = format!(
        r#"{{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"/aws/eks/c/cluster","logStream":"s","subscriptionFilters":[],"logEvents":[{{"id":"1","timestamp":1772323200000,"message":{quoted}}}]}}"#
    );
    check_all(
        &load_text(&cloudwatch),
        "AWSEKSLogs",
        &[
            ("TimeGenerated", "2026-03-01T10:00:01.0000000Z"),
            ("Verb", "list"),
            ("User", "USER"),
            ("SourceIPs", r#"["203.0.113.9"]"#),
            ("ObjectRef", r#"{"resource":"secrets"}"#),
            ("ResponseCode", "403"),
            ("AuthDecision", "forbid"),
            ("AwsAccountId", "123456789012"),
            ("Stage", "ResponseComplete"),
        ],
    );
    let plain = compact.replace(r#","extra":{"arn":["arn:aws:sts::123456789012:assumed-role/x/y"]}"#, "");
    let aks = [
        ("TimeGenerated", "2026-03-01T10:00:01.0000000Z"),
        ("AuditId", "k1"),
        ("Verb", "list"),
        ("RequestUri", "/api/v1/secrets"),
        ("ResponseStatus", r#"{"code":403}"#),
        ("RequestReceivedTime", "2026-03-01T10:00:00.0000010Z"),
    ];
    check_all(&load_text(&plain), "AKSAudit", &aks);
    let diagnostic = format!(
        r#"{{"time":"2026-03-01T10:00:01Z","resourceId":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/C","category":"kube-audit","operationName":"Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
           "properties":{{"log":{},"stream":"stdout","pod":"kube-apiserver-1"}}}}"#,
        serde_json::to_string(&plain).unwrap()
    );
    assert_eq!(column(&load_text(&diagnostic), "AzureDiagnostics", "Category"), ["kube-audit"]);
    let loaded = load_files_with(&[("x.json", diagnostic.as_bytes())], &forced("aks-audit"));
    check_all(&loaded, "AKSAudit", &aks);
    assert_eq!(column(&loaded, "AKSAudit", "PodName"), ["kube-apiserver-1"]);
    let entry = r#"{"insertId":"i1","logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","timestamp":"2026-03-01T10:00:00Z","receiveTimestamp":"2026-03-01T10:00:02Z","severity":"NOTICE",
      "resource":{"type":"k8s_cluster"},"labels":{"a":"b"},"protoPayload":{"serviceName":"k8s.io","methodName":"io.k8s.core.v1.secrets.list"}}"#;
    assert_eq!(column(&load_text(entry), "GCPAuditLogs", "ServiceName"), ["k8s.io"]);
    let loaded = load_files_with(&[("x.json", entry.as_bytes())], &forced("gke-audit"));
    check(
        &loaded,
        "GKEAudit",
        &[
            ("TimeGenerated", "2026-03-01T10:00:02.0000000Z"),
            ("InsertId", "i1"),
            ("LogType", "activity"),
            ("Labels", r#"{"a":"b"}"#),
        ],
    );
}

#[test]
fn security_lake_where_nothing_is_lost() {
    let user = StructArray::new(
        Fields::from(vec![
            Field::new("type", DataType::Utf8, true),
            Field::new("name", DataType::Utf8, true),
            Field::new("uid", DataType::Utf8, true),
            Field::new("uid_alt", DataType::Utf8, true),
        ]),
        vec![
            Arc::new(StringArray::from(vec!["IAMUser"])) as ArrayRef,
            Arc::new(StringArray::from(vec!["nina"])),
            Arc::new(StringArray::from(vec!["arn:aws:iam::1:user/nina"])),
            Arc::new(StringArray::from(vec!["AIDA1"])),
        ],
        None,
    );
    let one = |name: &str, value: ArrayRef| {
        let fields = Fields::from(vec![Field::new(name, value.data_type().clone(), true)]);
        Arc::new(StructArray::new(fields, vec![value], None)) as ArrayRef
    };
    let product = one("product", one("name", Arc::new(StringArray::from(vec!["CloudTrail"]))));
    let api = StructArray::new(
        Fields::from(vec![
            Field::new("operation", DataType::Utf8, true),
            Field::new(
                "service",
                one("name", Arc::new(StringArray::from(vec!["iam.amazonaws.com"]))).data_type().clone(),
                true,
            ),
        ]),
        vec![
            Arc::new(StringArray::from(vec!["CreateUser"])) as ArrayRef,
            one("name", Arc::new(StringArray::from(vec!["iam.amazonaws.com"]))),
        ],
        None,
    );
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("class_uid", Arc::new(Int32Array::from(vec![6003]))),
        ("class_name", Arc::new(StringArray::from(vec!["API Activity"]))),
        ("time", Arc::new(Int64Array::from(vec![1_772_323_200_000]))),
        ("metadata", product),
        ("api", Arc::new(api)),
        ("actor", one("user", Arc::new(user))),
        ("cloud", one("region", Arc::new(StringArray::from(vec!["eu-west-1"])))),
        ("src_endpoint", one("ip", Arc::new(StringArray::from(vec!["203.0.113.9"])))),
        ("unmapped", one("recipientAccountId", Arc::new(StringArray::from(vec!["123456789012"])))),
    ];
    let loaded = load_files(&[("lake/x.parquet", &parquet_bytes(columns))]);
    check_all(
        &loaded,
        "AWSCloudTrail",
        &[
            ("TimeGenerated", "2026-03-01T00:00:00.0000000Z"),
            ("EventName", "CreateUser"),
            ("EventSource", "iam.amazonaws.com"),
            ("AWSRegion", "eu-west-1"),
            ("SourceIpAddress", "203.0.113.9"),
            ("UserIdentityType", "IAMUser"),
            ("UserIdentityArn", "arn:aws:iam::1:user/nina"),
            ("UserIdentityPrincipalid", "AIDA1"),
            ("RecipientAccountId", "123456789012"),
        ],
    );
    let flow = r#"{"class_uid":4001,"class_name":"Network Activity","metadata":{"product":{"name":"Amazon VPC","version":"5"}},"start_time":1772323200000,"end_time":1772323260000,"cloud":{"account":{"uid":"123456789012"},"region":"eu-west-1"},
      "src_endpoint":{"ip":"10.0.0.5","port":44321,"interface_uid":"eni-1"},"dst_endpoint":{"ip":"203.0.113.9","port":443},"connection_info":{"protocol_num":6,"direction":"Outbound"},"traffic":{"packets":10,"bytes":840},"disposition":"Allowed","status_code":"OK"}"#;
    check_all(
        &load_text(flow),
        "AWSVPCFlow",
        &[
            ("SrcAddr", "10.0.0.5"),
            ("DstPort", "443"),
            ("Action", "ACCEPT"),
            ("FlowDirection", "egress"),
            ("InterfaceId", "eni-1"),
            ("Bytes", "840"),
        ],
    );
    let dns = r#"{"class_uid":4003,"class_name":"DNS Activity","metadata":{"product":{"name":"Route 53"}}}"#;
    assert_eq!(
        load_text(dns).report.sources[0].other.keys().collect::<Vec<_>>(),
        ["unsupported: OCSF class 4003 DNS Activity of Route 53"]
    );
}

#[test]
fn flow_logs_of_security_groups_become_rows_of_traffic_analytics() {
    let text = r#"{"records":[{"time":"2026-03-01T10:00:00Z","systemId":"s","macAddress":"000D3A","category":"NetworkSecurityGroupFlowEvent","operationName":"NetworkSecurityGroupFlowEvents",
      "resourceId":"/SUBSCRIPTIONS/S1/RESOURCEGROUPS/G1/PROVIDERS/MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/NSG1",
      "properties":{"Version":2,"flows":[{"rule":"AllowSsh","flows":[{"mac":"000D3A","flowTuples":[
        "1772359200,203.0.113.9,10.0.0.4,50001,22,T,I,A,B,,,,",
        "1772359230,203.0.113.9,10.0.0.4,50001,22,T,I,A,E,5,600,4,500",
        "1772359240,203.0.113.9,10.0.0.4,50002,22,T,I,A,E,1,60,1,50",
        "broken",
        "1772359210,10.0.0.4,10.0.0.5,40000,445,T,O,D,B,,,,"]}]}]}},
      {"time":"2026-03-01T10:01:00Z","category":"NetworkSecurityGroupFlowEvent","resourceId":"/SUBSCRIPTIONS/S1","properties":{"Version":2,"flows":[]}}]}"#;
    let loaded = load_text(text);
    let of = |name: &str| column(&loaded, "AzureNetworkAnalytics_CL", name);
    let source = &loaded.report.sources[0];
    assert_eq!((source.records, source.rows, source.other["flow log without flows"].count), (3, 2, 1));
    assert_eq!(source.mended["flow tuples that cannot be read: left out"].count, 1);
    for (name, values) in [
        ("TimeGenerated", ["2026-03-01T10:00:00.0000000Z"; 2]),
        ("FlowStartTime_t", ["2026-03-01T10:00:00.0000000Z", "2026-03-01T10:00:10.0000000Z"]),
        ("FlowEndTime_t", ["2026-03-01T10:00:40.0000000Z", "2026-03-01T10:00:10.0000000Z"]),
        ("SubType_s", ["FlowLog"; 2]),
        ("FASchemaVersion_s", ["2"; 2]),
        ("SrcIP_s", ["", "10.0.0.4"]),
        ("DestIP_s", ["10.0.0.4", "10.0.0.5"]),
        ("SrcPublicIPs_s", ["203.0.113.9|1|2|6|5|660|550", ""]),
        ("DestPort_d", ["22", "445"]),
        ("L4Protocol_s", ["T", "T"]),
        ("FlowDirection_s", ["I", "O"]),
        ("FlowStatus_s", ["A", "D"]),
        ("FlowType_s", ["ExternalPublic", "UnknownPrivate"]),
        ("NSGList_s", ["s1/g1/nsg1"; 2]),
        ("NSGRule_s", ["AllowSsh"; 2]),
        ("AllowedInFlows_d", ["1", "0"]),
        ("DeniedOutFlows_d", ["0", "1"]),
        ("InboundBytes_d", ["660", "0"]),
        ("OutboundBytes_d", ["550", "0"]),
        ("CompletedFlows_d", ["2", "0"]),
    ] {
        assert_eq!(of(name), values, "{name}");
    }
}

#[test]
fn flow_logs_of_virtual_networks() {
    let text = r#"{"records":[{"time":"2026-03-01T10:00:00Z","flowLogVersion":4,"flowLogGUID":"g","macAddress":"000D3A","category":"FlowLogFlowEvent","operationName":"FlowLogFlowEvent",
      "flowLogResourceID":"/SUBSCRIPTIONS/S1/RESOURCEGROUPS/G1/PROVIDERS/MICROSOFT.NETWORK/NETWORKWATCHERS/W/FLOWLOGS/F","targetResourceID":"/subscriptions/s1/resourceGroups/g1/providers/Microsoft.Network/virtualNetworks/v1",
      "flowRecords":{"flows":[{"aclID":"acl-1","flowGroups":[{"rule":"DefaultRule_AllowInternetOutBound","flowTuples":["1772359200000,10.0.0.6,203.0.113.9,23956,443,6,O,B,NX,0,0,0,0","1772359205000,10.0.0.6,203.0.113.9,23956,443,6,O,E,NX,3,767,2,1580"]}]}]}}]}"#;
    check(
        &load_text(text),
        "NTANetAnalytics",
        &[
            ("SubType", "FlowLog"),
            ("FaSchemaVersion", "3"),
            ("SrcIp", "10.0.0.6"),
            ("DestIp", ""),
            ("DestPublicIps", "203.0.113.9|1|1|3|2|767|1580"),
            ("DestPort", "443"),
            ("FlowStatus", "Allowed"),
            ("AclRule", "DefaultRule_AllowInternetOutBound"),
            ("AclGroup", "acl-1"),
            ("AllowedOutFlows", "1"),
            ("BytesSrcToDest", "767"),
            ("BytesDestToSrc", "1580"),
            ("TargetResourceId", "s1/g1/v1"),
        ],
    );
}

#[test]
fn windows_events_as_json_of_three_kinds() {
    let rendered = r##"{"Event":{"#attributes":{"xmlns":"x"},"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Security-Auditing"}},"EventID":4688,"Level":0,"Keywords":"0x8020000000000000",
      "TimeCreated":{"#attributes":{"SystemTime":"2026-03-01T10:00:00Z"}},"EventRecordID":9,"Channel":"Security","Computer":"pc1"},
      "EventData":{"SubjectUserName":"nina","SubjectDomainName":"CONTOSO","NewProcessName":"C:\\Windows\\cmd.exe","CommandLine":"cmd /c x","ParentProcessName":"C:\\Windows\\explorer.exe","TokenElevationType":"%%1936"}}}"##;
    let flat = r##"{"EventID":4688,"Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","Hostname":"pc1","EventTime":"2026-03-01T10:00:00Z","RecordNumber":9,"Keywords":"0x8020000000000000",
      "SubjectUserName":"nina","SubjectDomainName":"CONTOSO","NewProcessName":"C:\\Windows\\cmd.exe","CommandLine":"cmd /c x","ParentProcessName":"C:\\Windows\\explorer.exe","TokenElevationType":"%%1936"}"##;
    let shipped = r##"{"@timestamp":"2026-03-01T10:00:00Z","winlog":{"channel":"Security","event_id":"4688","provider_name":"Microsoft-Windows-Security-Auditing","computer_name":"pc1","record_id":9,"keywords":["Audit Success"],
      "event_data":{"SubjectUserName":"nina","SubjectDomainName":"CONTOSO","NewProcessName":"C:\\Windows\\cmd.exe","CommandLine":"cmd /c x","ParentProcessName":"C:\\Windows\\explorer.exe","TokenElevationType":"%%1936"}},"message":"A new process has been created."}"##;
    for text in [rendered, flat, shipped] {
        check_all(
            &load_text(text),
            "SecurityEvent",
            &[
                ("TimeGenerated", "2026-03-01T10:00:00.0000000Z"),
                ("EventID", "4688"),
                ("Account", r"CONTOSO\nina"),
                ("SubjectAccount", r"CONTOSO\nina"),
                ("Computer", "pc1"),
                ("Process", "cmd.exe"),
                ("NewProcessName", r"C:\Windows\cmd.exe"),
                ("CommandLine", "cmd /c x"),
                ("ParentProcessName", r"C:\Windows\explorer.exe"),
                ("Activity", "4688 - A new process has been created."),
                ("Level", "8"),
            ],
        );
    }
    let sysmon = r##"{"Event":{"System":{"Provider":{"@Name":"Microsoft-Windows-Sysmon"},"EventID":"3","Level":"4","TimeCreated":{"@SystemTime":"2026-03-01T10:00:00Z"},"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"pc1"},
      "EventData":{"Data":[{"@Name":"Image","#text":"C:\\x.exe"},{"@Name":"DestinationIp","#text":"203.0.113.9"}]}}}"##;
    let loaded = load_text(sysmon);
    check_all(
        &loaded,
        "Event",
        &[
            ("Source", "Microsoft-Windows-Sysmon"),
            ("EventID", "3"),
            ("EventLevelName", "Information"),
            ("EventLog", "Microsoft-Windows-Sysmon/Operational"),
        ],
    );
    assert!(column(&loaded, "Event", "EventData")[0].contains(r#"<Data Name="DestinationIp">203.0.113.9</Data>"#));
    assert_eq!(column(&loaded, "Event", "ParameterXml"), [r"<Param>C:\x.exe</Param><Param>203.0.113.9</Param>"]);
}

#[test]
fn windows_events_that_power_shell_lists() {
    let security = r##"[{"Id":4688,"Version":2,"Level":0,"Task":13312,"Opcode":0,"Keywords":-9214364837600034816,"RecordId":9,"ProviderName":"Microsoft-Windows-Security-Auditing","LogName":"Security","ProcessId":4,"ThreadId":8,"MachineName":"pc1","UserId":null,"TimeCreated":"\/Date(1772359200000)\/","Bookmark":{},
      "Properties":[{"Value":{"BinaryLength":12,"AccountDomainSid":null,"Value":"S-1-5-18"}},{"Value":"nina"},{"Value":"CONTOSO"},{"Value":999},{"Value":420},{"Value":"C:\\Windows\\cmd.exe"},{"Value":"%%1936"},{"Value":16},{"Value":"cmd /c x"}],"Message":"A new process has been created."}]"##;
    check_all(
        &load_text(security),
        "SecurityEvent",
        &[
            ("TimeGenerated", "2026-03-01T10:00:00.0000000Z"),
            ("EventID", "4688"),
            ("Account", r"CONTOSO\nina"),
            ("SubjectUserSid", "S-1-5-18"),
            ("SubjectLogonId", "0x3e7"),
            ("NewProcessId", "0x1a4"),
            ("NewProcessName", r"C:\Windows\cmd.exe"),
            ("CommandLine", "cmd /c x"),
            ("Level", "8"),
            ("Computer", "pc1"),
        ],
    );
    let sysmon = r##"{"Id":3,"ProviderName":"Microsoft-Windows-Sysmon","LogName":"Microsoft-Windows-Sysmon/Operational","RecordId":7,"Level":4,"MachineName":"pc1","TimeCreated":"2026-03-01T10:00:00Z","UserId":{"Value":"S-1-5-18"},"Message":"Network connection detected:\r\nRuleName: -\r\nImage: C:\\x.exe\r\nDestinationIp: 203.0.113.9","Properties":["System.Diagnostics.Eventing.Reader.EventProperty"]}"##;
    let loaded = load_text(sysmon);
    let data = &column(&loaded, "Event", "EventData")[0];
    assert!(
        data.contains(r#"<Data Name="Image">C:\x.exe</Data><Data Name="DestinationIp">203.0.113.9</Data>"#),
        "{data}"
    );
    let other = r##"{"Id":7045,"ProviderName":"Service Control Manager","LogName":"System","RecordId":5,"MachineName":"pc1","TimeCreated":"2026-03-01T10:00:00Z","Properties":[{"Value":"svc"},{"Value":"C:\\s.exe"}]}"##;
    assert_eq!(column(&load_text(other), "Event", "ParameterXml"), [r"<Param>svc</Param><Param>C:\s.exe</Param>"]);
}

#[test]
fn syslog_files_and_relayed_lines() {
    let text = "<34>Mar  1 10:00:00 web1 sshd[812]: Failed password for root from 203.0.113.9 port 22\n\
        <165>1 2026-03-01T10:00:01.5Z web2 app 99 ID47 - started\n\
        what is this line\n";
    let folder = write_files(&[("messages.log", text.as_bytes())]);
    let loaded = load(&[folder.path().to_path_buf()], &LoadOptions::default()).unwrap();
    let of = |name: &str| column(&loaded, "Syslog", name);
    assert_eq!(of("Computer"), ["web1", "web2"]);
    assert_eq!(of("Facility"), ["auth", "local4"]);
    assert_eq!(of("SeverityLevel"), ["crit", "notice"]);
    assert_eq!(of("ProcessName"), ["sshd", "app"]);
    assert_eq!(of("ProcessID"), ["812", "99"]);
    assert_eq!(of("SyslogMessage"), ["Failed password for root from 203.0.113.9 port 22", "started"]);
    assert!(of("TimeGenerated")[0].ends_with("-03-01T10:00:00.0000000Z"));
    assert_eq!(of("TimeGenerated")[1], "2026-03-01T10:00:01.5000000Z");
    let source = &loaded.report.sources[0];
    assert_eq!(
        (source.format.as_str(), source.records, source.unreadable["line of no known format"].first.line),
        ("text", 3, 3)
    );
    assert_eq!(
        loaded.raw_record(tables::pack_source(0, 1)).unwrap(),
        "<165>1 2026-03-01T10:00:01.5Z web2 app 99 ID47 - started"
    );
}

#[test]
fn common_event_format() {
    let text = "Mar  1 2026 10:00:00 fw1 CEF:0|Vendor\\|X|Product|1.0|100|Port scan|7|src=203.0.113.9 spt=5555 dst=10.0.0.4 dpt=22 proto=TCP act=blocked msg=a b c\\=d cn1=5 cn1Label=Hits cs1=r 1 cs1Label=Rule deviceDirection=0 request=https://x/?q\\=1 oddKey=v 1 rt=1772359200000\n\
        CEF:0|V|P|1|2|n|5|rt=Mar 01 2026 11:00:00 suser=nina\n";
    let loaded = load_files(&[("cef.log", text.as_bytes())]);
    let of = |name: &str| column(&loaded, "CommonSecurityLog", name);
    for (name, values) in [
        ("TimeGenerated", ["2026-03-01T10:00:00.0000000Z", "2026-03-01T11:00:00.0000000Z"]),
        ("Computer", ["fw1", ""]),
        ("DeviceVendor", ["Vendor|X", "V"]),
        ("DeviceEventClassID", ["100", "2"]),
        ("Activity", ["Port scan", "n"]),
        ("LogSeverity", ["7", "5"]),
        ("SourceIP", ["203.0.113.9", ""]),
        ("SourcePort", ["5555", ""]),
        ("DestinationPort", ["22", ""]),
        ("Protocol", ["TCP", ""]),
        ("DeviceAction", ["blocked", ""]),
        ("Message", ["a b c=d", ""]),
        ("DeviceCustomNumber1", ["5", ""]),
        ("FieldDeviceCustomNumber1", ["5", ""]),
        ("DeviceCustomString1", ["r 1", ""]),
        ("DeviceCustomString1Label", ["Rule", ""]),
        ("CommunicationDirection", ["Inbound", ""]),
        ("RequestURL", ["https://x/?q=1", ""]),
        ("AdditionalExtensions", ["oddKey=v 1", ""]),
        ("SourceUserName", ["", "nina"]),
    ] {
        assert_eq!(of(name), values, "{name}");
    }
}

#[test]
fn okta_gets_the_columns_of_the_collector() {
    let text = r#"[{"uuid":"c7b9a2b0-7a77-11ee-9f4b-0242ac120002","published":"2026-03-01T10:00:00.123Z","eventType":"user.session.start","version":"0","severity":"INFO","displayMessage":"User login to Okta",
      "actor":{"id":"00u1","type":"User","alternateId":"nina@contoso.example","displayName":"Nina"},"client":{"ipAddress":"203.0.113.9","geographicalContext":{"city":"X","country":"Y"}},
      "outcome":{"result":"FAILURE","reason":"INVALID_CREDENTIALS"},"target":[{"id":"t"}],"request":{"ipChain":[]},"securityContext":{"isProxy":false,"asNumber":1}}]"#;
    check_all(
        &load_text(text),
        "Okta_CL",
        &[
            ("TimeGenerated", "2026-03-01T10:00:00.1230000Z"),
            ("eventType_s", "user.session.start"),
            ("actor_alternateId_s", "nina@contoso.example"),
            ("client_ipAddress_s", "203.0.113.9"),
            ("client_geographicalContext_city_s", "X"),
            ("outcome_result_s", "FAILURE"),
            ("outcome_reason_s", "INVALID_CREDENTIALS"),
            ("target_s", r#"[{"id":"t"}]"#),
            ("securityContext_isProxy_b", "false"),
            ("securityContext_asNumber_d", "1"),
            ("uuid_g", "c7b9a2b0-7a77-11ee-9f4b-0242ac120002"),
            ("published_t", "2026-03-01T10:00:00.1230000Z"),
        ],
    );
}

#[test]
fn a_source_or_a_table_can_be_asked_for() {
    let odd = r#"{"eventName":"A","eventTime":"2026-03-01T00:00:00Z"}"#;
    assert!(load_text(odd).tables.is_empty());
    let loaded = load_files_with(&[("x.json", odd.as_bytes())], &forced("aws-cloudtrail"));
    assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A"]);
    let table = |name: &str| LoadOptions { table: Some(name.to_owned()), ..LoadOptions::default() };
    let files: &[(&str, &[u8])] =
        &[("a.json", br#"{"n":1,"when":"2026-03-01T00:00:00Z"}"#), ("b.csv", b"n,flag\n2.5,true\n")];
    let loaded = load_files_with(files, &table("Mine_CL"));
    let types: Vec<_> = loaded.schemas["Mine_CL"].columns.iter().map(|c| format!("{}:{}", c.name, c.ty)).collect();
    assert_eq!(types, ["TimeGenerated:datetime", "n:real", "when:datetime", "flag:bool"]);
    assert_eq!(column(&loaded, "Mine_CL", "n"), ["1", "2.5"]);
    // A known table takes its columns, whatever the record says it is.
    let call = br#"{"Type":"SigninLogs","EventName":"A","TimeGenerated":"2026-03-01T10:00:00Z","more":1}"#;
    let loaded = load_files_with(&[("x.json", call)], &table("AWSCloudTrail"));
    assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A"]);
    assert_eq!(loaded.report.sources[0].unmapped.keys().collect::<Vec<_>>(), ["more"]);
    let folder = write_files(files);
    let with = |options: LoadOptions| load(&[folder.path().to_path_buf()], &options);
    assert!(matches!(with(forced("nobody")), Err(LoadError::Source(_))));
    assert!(matches!(with(table("no name")), Err(LoadError::Table(_))));
    assert!(source_names().contains(&"syslog"));
    assert!(source_guides().iter().any(|guide| guide.page == "okta" && !guide.exports.is_empty()));
}
