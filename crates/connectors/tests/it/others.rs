//! Google Cloud, Entra and Graph: every mapped column.

use crate::support::{column, load_text};

#[track_caller]
fn check(text: &str, table: &str, expected: &[(&str, &str)]) {
    let loaded = load_text(text);
    for (name, value) in expected {
        assert_eq!(column(&loaded, table, name), [*value], "{name}");
    }
    let source = &loaded.report.sources[0];
    assert!(source.unmapped.is_empty(), "{:?}", source.unmapped);
    assert!(source.misfits.is_empty(), "{:?}", source.misfits);
}

const ENTRY: &str = r#"{"insertId":"i1","logName":"projects/acme-1/logs/cloudaudit.googleapis.com%2Factivity","severity":"NOTICE",
  "timestamp":"2026-03-01T09:59:58.123456789Z","receiveTimestamp":"2026-03-01T10:00:00Z",
  "resource":{"type":"gce_instance","labels":{"project_id":"acme-1"}},
  "protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","methodName":"v1.compute.instances.insert","serviceName":"compute.googleapis.com",
   "resourceName":"projects/acme-1/zones/z/instances/vm1","numResponseItems":"3",
   "authenticationInfo":{"principalEmail":"nina@acme.example"},"authorizationInfo":[{"granted":true}],"requestMetadata":{"callerIp":"203.0.113.5"},
   "request":{"name":"vm1"},"response":"{\"status\":\"RUNNING\"}","status":{"code":7,"message":"denied"},"metadata":{"m":1},
   "serviceData":{"s":1},"resourceLocation":{"currentLocations":["z"]},"resourceOriginalState":{"o":1}}}"#;

const ENTRY_ROW: &[(&str, &str)] = &[
    ("TimeGenerated", "2026-03-01T10:00:00.0000000Z"),
    ("Timestamp", "2026-03-01T09:59:58.1234567Z"),
    ("InsertId", "i1"),
    ("LogName", "projects/acme-1/logs/cloudaudit.googleapis.com%2Factivity"),
    ("Severity", "NOTICE"),
    ("GCPResourceType", "gce_instance"),
    ("ProjectId", "acme-1"),
    ("MethodName", "v1.compute.instances.insert"),
    ("ServiceName", "compute.googleapis.com"),
    ("GCPResourceName", "projects/acme-1/zones/z/instances/vm1"),
    ("NumResponseItems", "3"),
    ("PrincipalEmail", "nina@acme.example"),
    ("AuthenticationInfo", r#"{"principalEmail":"nina@acme.example"}"#),
    ("AuthorizationInfo", r#"[{"granted":true}]"#),
    ("RequestMetadata", r#"{"callerIp":"203.0.113.5"}"#),
    ("Request", r#"{"name":"vm1"}"#),
    ("Response", r#"{"status":"RUNNING"}"#),
    ("Status", r#"{"code":7,"message":"denied"}"#),
    ("StatusMessage", "denied"),
    ("Metadata", r#"{"m":1}"#),
    ("ServiceData", r#"{"s":1}"#),
    ("ResourceLocation", r#"{"currentLocations":["z"]}"#),
    ("ResourceOriginalState", r#"{"o":1}"#),
    ("Type", "GCPAuditLogs"),
];

#[test]
fn google_audit_entries() {
    check(ENTRY, "GCPAuditLogs", ENTRY_ROW);
    let loaded = load_text(ENTRY);
    assert_eq!(column(&loaded, "GCPAuditLogs", "__ingestion").len(), 1);
}

#[test]
fn google_entries_from_pubsub_and_with_lost_case() {
    // {"protoPayload":{"methodName":"m1"},"insertId":"i2","timestamp":"2026-03-01T00:00:00Z"}
    let data = "eyJwcm90b1BheWxvYWQiOnsibWV0aG9kTmFtZSI6Im0xIn0sImluc2VydElkIjoiaTIiLCJ0aW1lc3RhbXAiOiIyMDI2LTAzLTAxVDAwOjAwOjAwWiJ9";
    let loaded = load_text(&format!(r#"{{"message":{{"data":"{data}","messageId":"1"}},"subscription":"s"}}"#));
    assert_eq!(column(&loaded, "GCPAuditLogs", "MethodName"), ["m1"]);
    assert_eq!(column(&loaded, "GCPAuditLogs", "TimeGenerated"), ["2026-03-01T00:00:00.0000000Z"]);
    assert_eq!(loaded.report.sources[0].mended.keys().collect::<Vec<_>>(), ["no receiveTimestamp: timestamp taken"]);
    let lost = ENTRY.replace("insertId", "insertid").replace("receiveTimestamp", "receivetimestamp");
    let loaded = load_text(&lost);
    assert_eq!(column(&loaded, "GCPAuditLogs", "InsertId"), ["i1"]);
    assert!(loaded.report.sources[0].mended.contains_key("field names in other case"));
}

const SIGN_IN: &str = r#"{"time":"2026-03-01T10:00:05Z","resourceId":"/tenants/t1/providers/Microsoft.aadiam","operationName":"Sign-in activity","operationVersion":"1.0",
  "category":"SignInLogs","tenantId":"t1","resultType":"50126","resultSignature":"None","resultDescription":"Invalid username or password","durationMs":7,
  "callerIpAddress":"203.0.113.9","correlationId":"c1","identity":"Nina","Level":4,"location":"PL",
  "properties":{"id":"id1","createdDateTime":"2026-03-01T10:00:00Z","userDisplayName":"Nina","userPrincipalName":"nina@contoso.example","userId":"u1",
   "appId":"a1","appDisplayName":"App","ipAddress":"203.0.113.9","status":{"errorCode":50126,"failureReason":"bad"},
   "deviceDetail":{"operatingSystem":"Linux"},"location":{"city":"Łódź","countryOrRegion":"PL"},"appliedConditionalAccessPolicies":[{"id":"p"}],
   "authenticationDetails":[{"succeeded":false}],"riskEventTypes_v2":[],"isInteractive":true,"processingTimeInMilliseconds":12,"tenantId":"t1","resourceId":"r1"}}"#;

#[test]
fn sign_ins_go_to_the_table_of_their_category() {
    check(
        SIGN_IN,
        "SigninLogs",
        &[
            ("TimeGenerated", "2026-03-01T10:00:05.0000000Z"),
            ("CreatedDateTime", "2026-03-01T10:00:00.0000000Z"),
            ("OperationName", "Sign-in activity"),
            ("Category", "SignInLogs"),
            ("ResultType", "50126"),
            ("ResultDescription", "Invalid username or password"),
            ("DurationMs", "7"),
            ("CorrelationId", "c1"),
            ("Identity", "Nina"),
            ("Level", "4"),
            ("Location", "PL"),
            ("IPAddress", "203.0.113.9"),
            ("UserPrincipalName", "nina@contoso.example"),
            ("AppDisplayName", "App"),
            ("Status", r#"{"errorCode":50126,"failureReason":"bad"}"#),
            ("LocationDetails", r#"{"city":"Łódź","countryOrRegion":"PL"}"#),
            ("ConditionalAccessPolicies", r#"[{"id":"p"}]"#),
            ("AuthenticationDetails", r#"[{"succeeded":false}]"#),
            ("RiskEventTypes_V2", "[]"),
            ("IsInteractive", "true"),
            ("ProcessingTimeInMilliseconds", "12"),
            ("ResourceIdentity", "r1"),
            ("AADTenantId", "t1"),
            ("Resource", "Microsoft.aadiam"),
        ],
    );
    for (category, table) in [
        ("NonInteractiveUserSignInLogs", "AADNonInteractiveUserSignInLogs"),
        ("ServicePrincipalSignInLogs", "AADServicePrincipalSignInLogs"),
        ("ManagedIdentitySignInLogs", "AADManagedIdentitySignInLogs"),
    ] {
        let loaded = load_text(&SIGN_IN.replace("\"SignInLogs\"", &format!("\"{category}\"")));
        assert_eq!(column(&loaded, table, "ResultType"), ["50126"], "{category}");
        assert_eq!(column(&loaded, table, "LocationDetails"), [r#"{"city":"Łódź","countryOrRegion":"PL"}"#]);
    }
}

#[test]
fn sign_ins_of_graph() {
    check(
        r#"{"@odata.context":"x","value":[{"id":"id1","createdDateTime":"2026-03-01T10:00:00Z","userDisplayName":"Nina","userPrincipalName":"nina@contoso.example",
          "userId":"u1","appId":"a1","appDisplayName":"App","ipAddress":"203.0.113.9","clientAppUsed":"Browser","correlationId":"c1","conditionalAccessStatus":"success",
          "isInteractive":true,"riskState":"none","resourceDisplayName":"R","resourceId":"r1","status":{"errorCode":0,"failureReason":"Other."},
          "location":{"countryOrRegion":"PL"},"appliedConditionalAccessPolicies":[]}]}"#,
        "SigninLogs",
        &[
            ("TimeGenerated", "2026-03-01T10:00:00.0000000Z"),
            ("ResultType", "0"),
            ("Location", "PL"),
            ("Identity", "Nina"),
            ("UserDisplayName", "Nina"),
            ("OperationName", "Sign-in activity"),
            ("Category", "SignInLogs"),
            ("ConditionalAccessPolicies", "[]"),
            ("ClientAppUsed", "Browser"),
        ],
    );
}

#[test]
fn audit_records_of_both_forms() {
    let inner = r#""id":"d1","activityDateTime":"2026-03-01T10:00:00Z","activityDisplayName":"Add member to role","category":"RoleManagement","correlationId":"c1",
        "initiatedBy":{"user":{"userPrincipalName":"nina@contoso.example"}},"loggedByService":"Core Directory","operationType":"Assign","result":"success","resultReason":"",
        "targetResources":[{"modifiedProperties":[{"newValue":"\"Global\""}]}],"additionalDetails":[{"key":"k","value":"v"}]"#;
    let expected: &[(&str, &str)] = &[
        ("TimeGenerated", "2026-03-01T10:00:00.0000000Z"),
        ("ActivityDateTime", "2026-03-01T10:00:00.0000000Z"),
        ("OperationName", "Add member to role"),
        ("ActivityDisplayName", "Add member to role"),
        ("Category", "RoleManagement"),
        ("Id", "d1"),
        ("CorrelationId", "c1"),
        ("InitiatedBy", r#"{"user":{"userPrincipalName":"nina@contoso.example"}}"#),
        ("LoggedByService", "Core Directory"),
        ("AADOperationType", "Assign"),
        ("Result", "success"),
        ("TargetResources", r#"[{"modifiedProperties":[{"newValue":"\"Global\""}]}]"#),
        ("AdditionalDetails", r#"[{"key":"k","value":"v"}]"#),
    ];
    check(&format!(r#"{{"value":[{{{inner}}}]}}"#), "AuditLogs", expected);
    let diagnostic = format!(
        r#"{{"time":"2026-03-01T10:00:01Z","resourceId":"/tenants/t1/providers/Microsoft.aadiam","category":"AuditLogs","operationName":"Add member to role",
           "correlationId":"c1","tenantId":"t1","Level":"4","properties":{{{inner}}}}}"#
    );
    check(&diagnostic, "AuditLogs", expected);
}

#[test]
fn graph_alerts_become_security_alerts() {
    check(
        r##"{"value":[{"id":"al1","providerAlertId":"pa1","title":"Impossible travel","description":"d","severity":"high","status":"inProgress","category":"InitialAccess",
          "serviceSource":"azureAdIdentityProtection","detectionSource":"azureAdIdentityProtection","detectorId":"det1","incidentId":"17","mitreTechniques":["T1078"],
          "createdDateTime":"2026-03-01T10:00:00Z","firstActivityDateTime":"2026-03-01T09:00:00Z","lastActivityDateTime":"2026-03-01T09:30:00Z",
          "alertWebUrl":"https://x","recommendedActions":"act",
          "evidence":[{"@odata.type":"#microsoft.graph.security.ipEvidence","ipAddress":"203.0.113.9"},
           {"@odata.type":"#microsoft.graph.security.userEvidence","userAccount":{"accountName":"nina","azureAdUserId":"u1"}}]}]}"##,
        "SecurityAlert",
        &[
            ("TimeGenerated", "2026-03-01T10:00:00.0000000Z"),
            ("StartTime", "2026-03-01T09:00:00.0000000Z"),
            ("EndTime", "2026-03-01T09:30:00.0000000Z"),
            ("ProcessingEndTime", "2026-03-01T10:00:00.0000000Z"),
            ("AlertName", "Impossible travel"),
            ("DisplayName", "Impossible travel"),
            ("AlertSeverity", "High"),
            ("Status", "New"),
            ("Tactics", "InitialAccess"),
            ("Techniques", r#"["T1078"]"#),
            ("VendorOriginalId", "al1"),
            ("ProductName", "Azure Active Directory Identity Protection"),
            ("ProviderName", "IPC"),
            ("AlertLink", "https://x"),
            ("RemediationSteps", "act"),
            ("IsIncident", "false"),
            (
                "Entities",
                r#"[{"$id":"2","Address":"203.0.113.9","Type":"ip"},{"$id":"3","Name":"nina","AadUserId":"u1","Type":"account"}]"#,
            ),
            (
                "ExtendedProperties",
                r#"{"detectorId":"det1","detectionSource":"azureAdIdentityProtection","serviceSource":"azureAdIdentityProtection","incidentId":"17"}"#,
            ),
        ],
    );
}

#[test]
fn graph_users_become_identities() {
    let text = r##"{"value":[{"id":"u1","userPrincipalName":"nina@contoso.example","displayName":"Nina","givenName":"Nina","surname":"Nowak","mail":"n@contoso.example",
      "jobTitle":"Dev","department":"IT","employeeId":"7","companyName":"C","streetAddress":"S","city":"Łódź","state":"Ł","country":"PL","businessPhones":["+48 1"],
      "accountEnabled":true,"createdDateTime":"2020-01-01T00:00:00Z","onPremisesSecurityIdentifier":"S-1-5","securityIdentifier":"S-1-12","userType":"Member",
      "otherMails":["o@x"],"manager":{"userPrincipalName":"boss@contoso.example"},
      "memberOf":[{"@odata.type":"#microsoft.graph.group","displayName":"Admins"},{"@odata.type":"#microsoft.graph.directoryRole","displayName":"Global Administrator"}]}]}"##;
    check(
        text,
        "IdentityInfo",
        &[
            ("AccountObjectId", "u1"),
            ("AccountUPN", "nina@contoso.example"),
            ("AccountName", "nina"),
            ("AccountDomain", "contoso.example"),
            ("AccountDisplayName", "Nina"),
            ("MailAddress", "n@contoso.example"),
            ("JobTitle", "Dev"),
            ("Department", "IT"),
            ("EmployeeId", "7"),
            ("City", "Łódź"),
            ("Phone", "+48 1"),
            ("IsAccountEnabled", "true"),
            ("AccountCreationTime", "2020-01-01T00:00:00.0000000Z"),
            ("AccountSID", "S-1-5"),
            ("AccountCloudSID", "S-1-12"),
            ("Manager", "boss@contoso.example"),
            ("GroupMembership", r#"["Admins"]"#),
            ("AssignedRoles", r#"["Global Administrator"]"#),
            ("AdditionalMailAddresses", r#"["o@x"]"#),
        ],
    );
    let loaded = load_text(text);
    assert_ne!(column(&loaded, "IdentityInfo", "TimeGenerated"), [""], "stamped with the time of the export");
    assert_eq!(loaded.report.sources[0].undated, 0);
}
