//! Sigma rules run by the engine: for each construct events made of the rule's own values, and near misses.

use std::path::Path;

use detections::library::{self, RuleLibrary};
use detections::rule_test::{self, Names, Verdict};

/// A detection with rows that it must find, one at a time, and rows that it must not.
struct Example {
    what: &'static str,
    source: &'static str,
    detection: &'static str,
    table: &'static str,
    found: &'static [&'static str],
    missed: &'static [&'static str],
}

const AWS: &str = "{product: aws, service: cloudtrail}";
const PROCESS: &str = "{product: windows, category: process_creation}";
const SSHD: &str = "{product: linux, service: sshd}";

const fn aws(
    what: &'static str,
    detection: &'static str,
    found: &'static [&'static str],
    missed: &'static [&'static str],
) -> Example {
    Example { what, source: AWS, detection, table: "AWSCloudTrail", found, missed }
}

const fn process(
    what: &'static str,
    detection: &'static str,
    found: &'static [&'static str],
    missed: &'static [&'static str],
) -> Example {
    Example { what, source: PROCESS, detection, table: "DeviceProcessEvents", found, missed }
}

const EXAMPLES: &[Example] = &[
    aws(
        "a value without case",
        "s: {eventName: StopLogging}\ncondition: s",
        &["EventName: StopLogging", "EventName: stoplogging"],
        &["EventName: StopLogging2", "EventName: ''"],
    ),
    aws(
        "a list is or, a map is and",
        "s: {eventName: [A, B], errorCode: X}\ncondition: s",
        &["EventName: A, ErrorCode: x", "EventName: b, ErrorCode: X"],
        &["EventName: A, ErrorCode: Y", "EventName: C, ErrorCode: X"],
    ),
    aws(
        "a list of maps is or",
        "s:\n  - eventName: A\n  - errorCode: X\ncondition: s",
        &["EventName: A", "ErrorCode: X"],
        &["EventName: X"],
    ),
    aws(
        "wildcards",
        "s: {eventName: ['Get*', '*Key', 'a*b?d']}\ncondition: s",
        &["EventName: GetObject", "EventName: CreateAccessKey", "EventName: a--bcd"],
        &["EventName: PutGet", "EventName: a--bd", "EventName: xa-bcd"],
    ),
    aws("escaped wildcards", "s: {eventName: 'a\\*b'}\ncondition: s", &["EventName: 'a*b'"], &["EventName: a-b"]),
    aws(
        "contains",
        "s: {userAgent|contains: [curl, WGET]}\ncondition: s",
        &["UserAgent: my-curl/1", "UserAgent: wget"],
        &["UserAgent: firefox"],
    ),
    aws("all", "s: {userAgent|contains|all: [a1, b2]}\ncondition: s", &["UserAgent: b2a1"], &["UserAgent: a1"]),
    aws(
        "startswith and endswith",
        "s: {eventName|startswith: Create, eventSource|endswith: .amazonaws.com}\ncondition: s",
        &["EventName: createuser, EventSource: iam.amazonaws.com"],
        &["EventName: ReCreate, EventSource: iam.amazonaws.com", "EventName: Create, EventSource: amazonaws.com.evil"],
    ),
    aws(
        "cased",
        "s: {eventName|cased: Ab, userAgent|contains|cased: Xy}\ncondition: s",
        &["EventName: Ab, UserAgent: oXyo"],
        &["EventName: ab, UserAgent: oXyo", "EventName: Ab, UserAgent: oxyo"],
    ),
    aws(
        "neq",
        "s: {eventName|neq: [A, B]}\ncondition: s",
        &["EventName: C", "EventName: ''"],
        &["EventName: A", "EventName: b"],
    ),
    aws(
        "re",
        "s: {eventName|re: '^Get[A-Z]'}\ncondition: s",
        &["EventName: GetX"],
        &["EventName: getX", "EventName: aGetX"],
    ),
    aws(
        "re with i, m, s",
        "s: {eventName|re|i: '^get', userAgent|re|m: '^second', errorMessage|re|s: 'a.b'}\ncondition: s",
        &["EventName: GET, UserAgent: \"first\\nsecond\", ErrorMessage: \"a\\nb\""],
        &[
            "EventName: forget, UserAgent: \"first\\nsecond\", ErrorMessage: \"a\\nb\"",
            "EventName: GET, UserAgent: \"first second\", ErrorMessage: \"a\\nb\"",
            "EventName: GET, UserAgent: \"first\\nsecond\", ErrorMessage: ab",
        ],
    ),
    aws(
        "cidr",
        "s: {sourceIPAddress|cidr: [10.0.0.0/8, '2001:db8::/32']}\ncondition: s",
        &["SourceIpAddress: 10.200.1.1", "SourceIpAddress: '2001:db8::7'"],
        &["SourceIpAddress: 11.0.0.1", "SourceIpAddress: '2001:db9::7'", "SourceIpAddress: ec2.amazonaws.com"],
    ),
    aws(
        "not cidr takes what is no address",
        "s: {eventName: A}\nf: {sourceIPAddress|cidr: 10.0.0.0/8}\ncondition: s and not f",
        &["EventName: A, SourceIpAddress: 11.0.0.1", "EventName: A, SourceIpAddress: ''"],
        &["EventName: A, SourceIpAddress: 10.0.0.1"],
    ),
    process(
        "base64",
        "s: {CommandLine|base64|contains: whoami}\ncondition: s",
        &["ProcessCommandLine: 'x d2hvYW1p y'"],
        &["ProcessCommandLine: whoami"],
    ),
    process(
        "base64offset",
        "s: {CommandLine|base64offset|contains: http://}\ncondition: s",
        &[
            "ProcessCommandLine: aHR0cDovL2E=",
            "ProcessCommandLine: eGh0dHA6Ly9h",
            "ProcessCommandLine: eHhodHRwOi8vYQ==",
        ],
        &["ProcessCommandLine: 'http://'"],
    ),
    process(
        "wide base64offset",
        "s: {CommandLine|wide|base64offset|contains: IEX}\ncondition: s",
        &["ProcessCommandLine: 'powershell -e SQBFAFgAIAA='", "ProcessCommandLine: 'powershell -e IABJAEUAWAAgAA=='"],
        &["ProcessCommandLine: IEX"],
    ),
    process(
        "utf16 and utf16be",
        "a: {CommandLine|utf16|base64: hi}\nb: {CommandLine|utf16be|base64: hi}\ncondition: 1 of them",
        &["ProcessCommandLine: //5oAGkA", "ProcessCommandLine: AGgAaQ=="],
        &["ProcessCommandLine: aGk="],
    ),
    process(
        "windash",
        "s: {CommandLine|windash|contains: ' -enc'}\ncondition: s",
        &[
            "ProcessCommandLine: 'p -enc x'",
            "ProcessCommandLine: 'p /enc x'",
            "ProcessCommandLine: \"p \\u2013enc x\"",
            "ProcessCommandLine: \"p \\u2014enc x\"",
            "ProcessCommandLine: \"p \\u2015enc x\"",
        ],
        &["ProcessCommandLine: 'p +enc x'"],
    ),
    process(
        "backslashes",
        "s: {Image|endswith: '\\cmd.exe', ParentImage: 'C:\\\\Temp\\\\*'}\ncondition: s",
        &["FolderPath: 'C:\\Windows\\CMD.exe', InitiatingProcessFolderPath: 'c:\\temp\\a.exe'"],
        &[
            "FolderPath: 'C:\\Windows\\xcmd.exe', InitiatingProcessFolderPath: 'c:\\temp\\a.exe'",
            "FolderPath: 'C:\\cmd.exe', InitiatingProcessFolderPath: 'c:\\temp2\\a.exe'",
        ],
    ),
    aws(
        "exists",
        "s: {eventName: A, requestParameters.x|exists: true, errorCode|exists: false}\ncondition: s",
        &["EventName: A, RequestParameters: '{\"x\":0}'"],
        &["EventName: A, RequestParameters: '{\"y\":0}'", "EventName: A, RequestParameters: '{\"x\":0}', ErrorCode: E"],
    ),
    aws(
        "null and empty",
        "s: {eventName: A, errorCode: null, userAgent: ''}\ncondition: s",
        &["EventName: A"],
        &["EventName: A, ErrorCode: E", "EventName: A, UserAgent: u"],
    ),
    aws(
        "fieldref",
        "s: {userIdentity.userName|fieldref: requestParameters.userName}\ncondition: s",
        &["UserIdentityUserName: Ann, RequestParameters: '{\"userName\":\"ann\"}'"],
        &["UserIdentityUserName: Ann, RequestParameters: '{\"userName\":\"bob\"}'", "EventName: A"],
    ),
    aws(
        "fieldref with neq and endswith",
        "a: {userAgent|fieldref|neq: eventName}\nb: {userAgent|fieldref|endswith: eventSource}\ncondition: a and b",
        &["UserAgent: my.iam, EventName: X, EventSource: IAM"],
        &[
            "UserAgent: my.iam, EventName: my.iam, EventSource: iam",
            "UserAgent: iam.my, EventName: X, EventSource: iam",
        ],
    ),
    aws(
        "numbers",
        "s: {requestParameters.n|gte: 5, requestParameters.m|lt: 2.5}\ncondition: s",
        &["RequestParameters: '{\"n\":5,\"m\":2}'", "RequestParameters: '{\"n\":\"17\",\"m\":-1}'"],
        &[
            "RequestParameters: '{\"n\":4,\"m\":2}'",
            "RequestParameters: '{\"n\":5,\"m\":2.5}'",
            "RequestParameters: '{\"n\":5}'",
        ],
    ),
    aws(
        "gt and lte",
        "s: {requestParameters.n|gt: 5}\nt: {requestParameters.n|lte: 9}\ncondition: s and t",
        &["RequestParameters: '{\"n\":6}'", "RequestParameters: '{\"n\":9}'"],
        &["RequestParameters: '{\"n\":5}'", "RequestParameters: '{\"n\":10}'"],
    ),
    aws(
        "parts of a time",
        "s: {requestParameters.t|minute: 7, requestParameters.t|hour: 5, requestParameters.t|day: 4, requestParameters.t|week: 10, requestParameters.t|month: 3, requestParameters.t|year: 2024}\ncondition: s",
        &["RequestParameters: '{\"t\":\"2024-03-04T05:07:00Z\"}'"],
        &[
            "RequestParameters: '{\"t\":\"2024-03-04T06:07:00Z\"}'",
            "RequestParameters: '{\"t\":\"2024-03-04T05:08:00Z\"}'",
            "RequestParameters: '{\"t\":\"2023-03-04T05:07:00Z\"}'",
        ],
    ),
    aws(
        "booleans",
        "s: {readOnly: false, userIdentity.sessionContext.attributes.mfaAuthenticated: 'true'}\ncondition: s",
        &["ReadOnly: false, SessionMfaAuthenticated: true"],
        &["ReadOnly: true, SessionMfaAuthenticated: true", "ReadOnly: false"],
    ),
    aws(
        "members of lists",
        "s: {requestParameters.ipPermissions.items.ipRanges.items.cidrIp: 0.0.0.0/0}\ncondition: s",
        &[
            "RequestParameters: '{\"ipPermissions\":{\"items\":[{\"ipRanges\":{\"items\":[{\"cidrIp\":\"1.0.0.0/8\"},{\"cidrIp\":\"0.0.0.0/0\"}]}}]}}'",
        ],
        &[
            "RequestParameters: '{\"ipPermissions\":{\"items\":[{\"ipRanges\":{\"items\":[{\"cidrIp\":\"10.0.0.0/0\"}]}}]}}'",
        ],
    ),
    aws(
        "conditions",
        "a: {eventName: A}\nb1: {errorCode: X}\nb2: {userAgent: Y}\nf_x: {awsRegion: R}\ncondition: a and 1 of b* and not 1 of f_*",
        &["EventName: A, ErrorCode: X", "EventName: A, UserAgent: Y"],
        &["EventName: A", "EventName: A, ErrorCode: X, AWSRegion: R", "ErrorCode: X"],
    ),
    aws(
        "all of a pattern, parentheses, any of several conditions",
        "a1: {eventName: A}\na2: {errorCode: X}\nb: {userAgent: Y}\ncondition:\n  - all of a*\n  - (a1 or a2) and b",
        &["EventName: A, ErrorCode: X", "ErrorCode: X, UserAgent: Y"],
        &["EventName: A", "UserAgent: Y"],
    ),
    aws(
        "two of three",
        "a1: {eventName: A}\na2: {errorCode: X}\na3: {userAgent: Y}\ncondition: 2 of a*",
        &["EventName: A, ErrorCode: X", "ErrorCode: X, UserAgent: Y"],
        &["EventName: A", "UserAgent: Y"],
    ),
    aws(
        "keywords in any column",
        "k: [needle]\ncondition: k",
        &["ErrorMessage: a NEEDLE here", "RequestParameters: '{\"x\":\"needle\"}'"],
        &["ErrorMessage: need"],
    ),
    Example {
        what: "keywords of a log",
        source: SSHD,
        detection: "k: [invalid user, 'port * ssh2']\nf: [root]\ncondition: k and not f",
        table: "Syslog",
        found: &[
            "ProcessName: sshd, SyslogMessage: Invalid user bob",
            "ProcessName: sshd-session, SyslogMessage: from x port 22 ssh2",
        ],
        missed: &[
            "ProcessName: sshd, SyslogMessage: Invalid user root",
            "ProcessName: cron, SyslogMessage: Invalid user bob",
        ],
    },
    Example {
        what: "all keywords",
        source: SSHD,
        detection: "k: {'|all': [one, two]}\ncondition: k",
        table: "Syslog",
        found: &["ProcessName: sshd, SyslogMessage: two one"],
        missed: &["ProcessName: sshd, SyslogMessage: two"],
    },
    Example {
        what: "numbers of columns",
        source: "{product: windows, service: security}",
        detection: "s: {EventID: [4720, 4722], TargetUserName|endswith: $}\ncondition: s",
        table: "SecurityEvent",
        found: &["EventID: 4720, TargetUserName: pc$"],
        missed: &["EventID: 4721, TargetUserName: pc$", "EventID: 4720, TargetUserName: pc"],
    },
    Example {
        what: "values in XML",
        source: "{product: windows, category: process_access}",
        detection: "s: {TargetImage|endswith: '\\lsass.exe', CallTrace|contains: 'a&b'}\ncondition: s",
        table: "Event",
        found: &[
            "Source: Microsoft-Windows-Sysmon, EventID: 10, EventData: '<DataItem><EventData><Data Name=\"TargetImage\">C:\\lsass.exe</Data><Data Name=\"CallTrace\">x a&amp;b</Data></EventData></DataItem>'",
        ],
        missed: &[
            "Source: Microsoft-Windows-Sysmon, EventID: 11, EventData: '<DataItem><EventData><Data Name=\"TargetImage\">C:\\lsass.exe</Data><Data Name=\"CallTrace\">x a&amp;b</Data></EventData></DataItem>'",
            "Source: Microsoft-Windows-Sysmon, EventID: 10, EventData: '<DataItem><EventData><Data Name=\"SourceImage\">C:\\lsass.exe</Data><Data Name=\"CallTrace\">x a&amp;b</Data></EventData></DataItem>'",
        ],
    },
    Example {
        what: "the same values as an object",
        source: "{product: windows, category: process_access}",
        detection: "s: {TargetImage|endswith: '\\lsass.exe'}\ncondition: s",
        table: "WindowsEvent",
        found: &["Provider: Microsoft-Windows-Sysmon, EventID: 10, EventData: {TargetImage: 'C:\\lsass.exe'}"],
        missed: &["Provider: Microsoft-Windows-Sysmon, EventID: 10, EventData: {TargetImage: 'C:\\x.exe'}"],
    },
    Example {
        what: "pairs in a text",
        source: "{product: linux, service: auditd}",
        detection: "s: {type: EXECVE, a0: rm, key: 'x y'}\ncondition: s",
        table: "Syslog",
        found: &["ProcessName: audispd, SyslogMessage: 'type=EXECVE a0=\"rm\" a1=\"-rf\" key=\"x y\"'"],
        missed: &["ProcessName: audispd, SyslogMessage: 'type=EXECVE a0=\"rmdir\" key=\"x y\"'"],
    },
    Example {
        what: "an Azure operation",
        source: "{product: azure, service: activitylogs}",
        detection: "s: {operationName: MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE, status: success}\ncondition: s",
        table: "AzureActivity",
        found: &["OperationNameValue: Microsoft.Compute/virtualMachines/write, ActivityStatusValue: Success"],
        missed: &["OperationNameValue: Microsoft.Compute/virtualMachines/delete, ActivityStatusValue: Success"],
    },
    Example {
        what: "an audit activity filed under the Activity Log",
        source: "{product: azure, service: activitylogs}",
        detection: "s: {properties.message: Delete device}\ncondition: s",
        table: "AuditLogs",
        found: &["OperationName: Delete device"],
        missed: &["OperationName: Add device"],
    },
    Example {
        what: "Entra audit, who and what",
        source: "{product: azure, service: auditlogs}",
        detection: "s: {properties.message|contains: member to role, UserPrincipalName|endswith: '@example.org', TargetResources|contains: Global}\ncondition: s",
        table: "AuditLogs",
        found: &[
            "OperationName: Add member to role, InitiatedBy: {user: {userPrincipalName: ann@example.org}}, TargetResources: [{displayName: Global Admin}]",
        ],
        missed: &[
            "OperationName: Add member to role, InitiatedBy: {user: {userPrincipalName: ann@example.com}}, TargetResources: [{displayName: Global Admin}]",
        ],
    },
    Example {
        what: "a sign-in",
        source: "{product: azure, service: signinlogs}",
        detection: "s: {ResultType: 50126, Status: Failure, DeviceDetail.trusttype: ''}\ncondition: s",
        table: "SigninLogs",
        found: &["ResultType: '50126', DeviceDetail: {trustType: ''}"],
        missed: &[
            "ResultType: '0', DeviceDetail: {trustType: ''}",
            "ResultType: '50126', DeviceDetail: {trustType: Hybrid}",
        ],
    },
    Example {
        what: "a Google Cloud method",
        source: "{product: gcp, service: gcp.audit}",
        detection: "s: {gcp.audit.method_name|endswith: .instances.insert, data.protoPayload.authorizationInfo.permission: compute.instances.create, data.protoPayload.request.name: x}\ncondition: s",
        table: "GCPAuditLogs",
        found: &[
            "MethodName: v1.compute.instances.insert, AuthorizationInfo: [{permission: a}, {permission: compute.instances.create}], Request: {name: x}",
        ],
        missed: &[
            "MethodName: v1.compute.instances.insert, AuthorizationInfo: [{permission: compute.instances.created}], Request: {name: x}",
            "MethodName: v1.compute.instances.insert, AuthorizationInfo: [{permission: compute.instances.create}], Request: {name: y}",
        ],
    },
    Example {
        what: "a Microsoft 365 alert",
        source: "{product: m365, service: threat_management}",
        detection: "s: {eventSource: SecurityComplianceCenter, eventName: Impossible travel, status: success}\ncondition: s",
        table: "OfficeActivity",
        found: &[
            "OfficeWorkload: SecurityComplianceCenter, Operation: AlertTriggered, Name: Impossible travel, ResultStatus: Succeeded",
        ],
        missed: &[
            "OfficeWorkload: SecurityComplianceCenter, Operation: AlertTriggered, Name: Other, ResultStatus: Succeeded",
        ],
    },
    Example {
        what: "risk",
        source: "{product: azure, service: riskdetection}",
        detection: "s: {riskEventType: unfamiliarFeatures}\ncondition: s",
        table: "AADUserRiskEvents",
        found: &["RiskEventType: unfamiliarFeatures"],
        missed: &["RiskEventType: leakedCredentials"],
    },
    Example {
        what: "an Okta event",
        source: "{product: okta, service: okta}",
        detection: "s: {eventtype: user.mfa.attempt, outcome.result: FAILURE}\ncondition: s",
        table: "Okta_CL",
        found: &["eventType_s: user.mfa.attempt, outcome_result_s: FAILURE"],
        missed: &["eventType_s: user.mfa.attempt, outcome_result_s: SUCCESS"],
    },
    Example {
        what: "a GitHub action",
        source: "{product: github, service: audit}",
        detection: "s: {action: repo.destroy}\ncondition: s",
        table: "GitHubAuditLogPolling_CL",
        found: &["action_s: repo.destroy"],
        missed: &["action_s: repo.create"],
    },
    Example {
        what: "a web request",
        source: "{category: webserver}",
        detection: "s: {cs-uri-query|contains: '../', sc-status: 200}\ncondition: s",
        table: "W3CIISLog",
        found: &["csUriQuery: 'f=../../etc', scStatus: '200'"],
        missed: &["csUriQuery: 'f=../../etc', scStatus: '404'"],
    },
    Example {
        what: "a registry value",
        source: "{product: windows, category: registry_set}",
        detection: "s: {TargetObject|contains: '\\Run\\', Details|contains: evil}\ncondition: s",
        table: "DeviceRegistryEvents",
        found: &[
            "ActionType: RegistryValueSet, RegistryKey: 'HKLM\\Run', RegistryValueName: x, RegistryValueData: evil.exe",
        ],
        missed: &[
            "ActionType: RegistryValueSet, RegistryKey: 'HKLM\\Ran', RegistryValueName: x, RegistryValueData: evil.exe",
        ],
    },
    Example {
        what: "a Kubernetes request",
        source: "{product: kubernetes, service: audit}",
        detection: "s: {verb: create, objectRef.resource: pods, objectRef.subresource: exec}\ncondition: s",
        table: "AKSAudit",
        found: &["Verb: create, ObjectRef: {resource: pods, subresource: exec}"],
        missed: &["Verb: create, ObjectRef: {resource: pods}"],
    },
];

fn rule(source: &str, detection: &str) -> String {
    let detection: String = detection.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "title: T\nid: 7d4f1f2e-0000-4000-8000-000000000001\nlevel: high\nlogsource: {source}\ndetection:\n{detection}"
    )
}

fn library_of(text: &str) -> RuleLibrary {
    let library = library::from_texts([("r.yml", text)]);
    assert!(library.broken.is_empty(), "{:?}", library.broken);
    library
}

/// Runs cases of (name, events, expected alerts as YAML) on the first rule.
fn run(library: &RuleLibrary, watchlists: &str, cases: &[(String, String, &str)]) {
    let mut text = format!("query_now: 2026-03-02T00:00:00Z\n{watchlists}cases:\n");
    for (name, events, alerts) in cases {
        let name = name.replace('"', "'").replace('\\', "/");
        text.push_str(&format!("  - name: \"{name}\"\n    events: [{events}]\n    expect: {{alerts: {alerts}}}\n"));
    }
    let test = rule_test::read(&text).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    let names = Names { schemas: tables::SchemaSet::builtin(), ..Names::default() };
    let prepared = rule_test::prepare(&test, library, Path::new("."), &names);
    let rule = library.rules.first().unwrap();
    let failed: Vec<String> = prepared
        .run(rule)
        .into_iter()
        .filter(|result| result.verdict != Verdict::Passed)
        .map(|result| format!("{}: {:?}", result.name, result.verdict))
        .collect();
    assert!(failed.is_empty(), "{}\n{}", rule.query, failed.join("\n"));
}

fn event(table: &str, row: &str) -> String {
    format!("{{table: {table}, rows: [{{TimeGenerated: -10m, {row}}}]}}")
}

#[test]
fn every_construct_finds_its_own_values_and_no_near_miss() {
    for example in EXAMPLES {
        let library = library_of(&rule(example.source, example.detection));
        let cases: Vec<(String, String, &str)> = example
            .found
            .iter()
            .map(|row| (row, "1"))
            .chain(example.missed.iter().map(|row| (row, "0")))
            .map(|(row, alerts)| (format!("{}: {row}", example.what), event(example.table, row), alerts))
            .collect();
        assert!(!example.found.is_empty() && !example.missed.is_empty(), "{}", example.what);
        run(&library, "", &cases);
    }
}

#[test]
fn placeholders_are_watchlists() {
    let library = library_of(&rule(AWS, "s: {userIdentity.userName|expand: '%Admins%'}\ncondition: not s"));
    let watchlists = "watchlists: {Admins: [{SearchKey: ann}, {SearchKey: bob}]}\n";
    let case = |name: &str, alerts| {
        (name.to_string(), event("AWSCloudTrail", &format!("UserIdentityUserName: {name}")), alerts)
    };
    run(&library, watchlists, &[case("eve", "1"), case("Ann", "0"), case("bob", "0")]);
}

/// Events of one user: (minutes before the clock, event name, user, value).
fn trail(events: &[(i64, &str, &str, &str)]) -> String {
    let rows: Vec<String> = events
        .iter()
        .map(|(minutes, name, user, value)| {
            format!(
                "{{TimeGenerated: -{minutes}m, EventName: {name}, UserIdentityUserName: {user}, RequestParameters: '{{\"v\":\"{value}\"}}'}}"
            )
        })
        .collect();
    format!("{{table: AWSCloudTrail, rows: [{}]}}", rows.join(", "))
}

fn correlation(parts: &str, rest: &str) -> String {
    let rule = |name: &str| {
        format!(
            "---\ntitle: {name}\nname: {name}\nlogsource: {AWS}\ndetection: {{s: {{eventName: {name}}}, condition: s}}\n"
        )
    };
    format!(
        "title: C\nid: 7d4f1f2e-0000-4000-8000-000000000002\nlevel: high\ncorrelation:\n{parts}{}{}{}{rest}",
        rule("a"),
        rule("b"),
        rule("c")
    )
}

/// A case: its name, its events, the alerts.
type Correlated<'a> = (&'a str, &'a [(i64, &'a str, &'a str, &'a str)], &'a str);

fn correlated(parts: &str, rest: &str, cases: &[Correlated<'_>]) {
    let library = library_of(&correlation(parts, rest));
    assert!(library.rules.iter().all(|rule| rule.name != "a"), "the rules of a correlation are none of their own");
    let cases: Vec<_> = cases.iter().map(|(name, rows, alerts)| (name.to_string(), trail(rows), *alerts)).collect();
    run(&library, "", &cases);
}

const GROUP: &str = "  group-by: [userIdentity.userName]\n  timespan: 10m\n";

#[test]
fn events_are_counted_in_any_span() {
    correlated(
        &format!("  type: event_count\n  rules: [a]\n{GROUP}  condition: {{gte: 3}}\n"),
        "",
        &[
            ("three within ten minutes", &[(9, "a", "u", ""), (5, "a", "u", ""), (1, "a", "u", "")], "1"),
            ("across any border", &[(8, "a", "u", ""), (4, "a", "u", ""), (2, "a", "u", ""), (19, "a", "u", "")], "1"),
            ("two are too few", &[(9, "a", "u", ""), (1, "a", "u", "")], "0"),
            ("too far apart", &[(15, "a", "u", ""), (9, "a", "u", ""), (1, "a", "u", "")], "0"),
            ("of two users", &[(9, "a", "u", ""), (5, "a", "v", ""), (1, "a", "u", "")], "0"),
            ("of another rule", &[(9, "a", "u", ""), (5, "b", "u", ""), (1, "a", "u", "")], "0"),
        ],
    );
    correlated(
        "  type: event_count\n  rules: [a, b]\n  timespan: 10m\n  condition: {gt: 1}\n",
        "",
        &[
            ("without groups, of both rules", &[(9, "a", "u", ""), (5, "b", "v", "")], "1"),
            ("one is too few", &[(9, "a", "u", "")], "0"),
        ],
    );
}

#[test]
fn other_bounds_are_of_spans_side_by_side() {
    correlated(
        &format!("  type: event_count\n  rules: [a]\n{GROUP}  condition: {{gt: 1, lte: 3}}\n"),
        "",
        &[
            ("two", &[(9, "a", "u", ""), (1, "a", "u", "")], "1"),
            ("four", &[(9, "a", "u", ""), (4, "a", "u", ""), (3, "a", "u", ""), (1, "a", "u", "")], "0"),
            ("one", &[(1, "a", "u", "")], "0"),
        ],
    );
    correlated(
        &format!("  type: event_count\n  rules: [a]\n{GROUP}  condition: {{eq: 2}}\n"),
        "",
        &[
            ("two", &[(9, "a", "u", ""), (1, "a", "u", "")], "1"),
            ("three", &[(9, "a", "u", ""), (2, "a", "u", ""), (1, "a", "u", "")], "0"),
        ],
    );
}

#[test]
fn values_are_counted_and_measured() {
    let of = |kind: &str, condition: &str| {
        format!("  type: {kind}\n  rules: [a]\n{GROUP}  condition: {{field: requestParameters.v, {condition}}}\n")
    };
    correlated(
        &of("value_count", "gte: 3"),
        "",
        &[
            ("three values", &[(9, "a", "u", "1"), (5, "a", "u", "2"), (1, "a", "u", "3")], "1"),
            ("three events of two values", &[(9, "a", "u", "1"), (5, "a", "u", "2"), (1, "a", "u", "2")], "0"),
            ("too far apart", &[(15, "a", "u", "1"), (5, "a", "u", "2"), (1, "a", "u", "3")], "0"),
            ("of two users", &[(9, "a", "u", "1"), (5, "a", "v", "2"), (1, "a", "u", "3")], "0"),
        ],
    );
    correlated(
        &of("value_sum", "gt: 100"),
        "",
        &[
            ("enough together", &[(9, "a", "u", "60"), (5, "a", "u", "41")], "1"),
            ("exactly is not more", &[(9, "a", "u", "60"), (5, "a", "u", "40")], "0"),
            ("too far apart", &[(18, "a", "u", "60"), (5, "a", "u", "41")], "0"),
        ],
    );
    correlated(
        &of("value_avg", "lt: 10"),
        "",
        &[
            ("small", &[(9, "a", "u", "5"), (5, "a", "u", "11")], "1"),
            ("large", &[(9, "a", "u", "9"), (5, "a", "u", "11")], "0"),
        ],
    );
    correlated(
        &of("value_median", "gte: 10"),
        "",
        &[
            ("most are large", &[(9, "a", "u", "1"), (5, "a", "u", "10"), (4, "a", "u", "11")], "1"),
            ("most are small", &[(9, "a", "u", "1"), (5, "a", "u", "2"), (4, "a", "u", "100")], "0"),
        ],
    );
    correlated(
        &of("value_percentile", "percentile: 90, gt: 50"),
        "",
        &[
            ("the upper end", &[(9, "a", "u", "1"), (5, "a", "u", "60")], "1"),
            ("not there", &[(9, "a", "u", "1"), (5, "a", "u", "50")], "0"),
        ],
    );
}

#[test]
fn rules_come_together_in_time() {
    correlated(
        &format!("  type: temporal\n  rules: [a, b]\n{GROUP}"),
        "",
        &[
            ("in either order", &[(9, "b", "u", ""), (1, "a", "u", "")], "1"),
            ("one rule twice", &[(9, "a", "u", ""), (1, "a", "u", "")], "0"),
            ("too far apart", &[(15, "b", "u", ""), (1, "a", "u", "")], "0"),
            ("of two users", &[(9, "b", "v", ""), (1, "a", "u", "")], "0"),
        ],
    );
    correlated(
        &format!("  type: temporal\n  rules: [a, b, c]\n{GROUP}  condition: {{gte: 2}}\n"),
        "",
        &[("two of three", &[(9, "c", "u", ""), (1, "a", "u", "")], "1"), ("one of three", &[(9, "c", "u", "")], "0")],
    );
    correlated(
        &format!("  type: temporal\n  rules: [a, b, c]\n{GROUP}  condition: a and b and not c\n"),
        "",
        &[
            ("without the third", &[(9, "a", "u", ""), (1, "b", "u", "")], "1"),
            ("after the third", &[(9, "c", "u", ""), (8, "a", "u", ""), (1, "b", "u", "")], "0"),
        ],
    );
    correlated(
        &format!("  type: temporal_ordered\n  rules: [a, b, c]\n{GROUP}"),
        "",
        &[
            ("in order", &[(9, "a", "u", ""), (5, "b", "u", ""), (1, "c", "u", "")], "1"),
            (
                "with others between",
                &[(9, "a", "u", ""), (8, "c", "u", ""), (5, "b", "v", ""), (4, "b", "u", ""), (1, "c", "u", "")],
                "1",
            ),
            ("out of order", &[(9, "b", "u", ""), (5, "a", "u", ""), (1, "c", "u", "")], "0"),
            ("too far apart", &[(12, "a", "u", ""), (5, "b", "u", ""), (1, "c", "u", "")], "0"),
            ("of two users", &[(9, "a", "u", ""), (5, "b", "v", ""), (1, "c", "u", "")], "0"),
        ],
    );
}

#[test]
fn correlations_of_correlations_and_aliases() {
    let inner = "---\ntitle: many\nname: many\ncorrelation:\n  type: event_count\n  rules: [a]\n  group-by: [userIdentity.userName]\n  timespan: 10m\n  condition: {gte: 2}\n";
    correlated(
        &format!("  type: temporal_ordered\n  rules: [many, b]\n{GROUP}"),
        inner,
        &[
            ("two and then the other", &[(9, "a", "u", ""), (8, "a", "u", ""), (1, "b", "u", "")], "1"),
            ("one and then the other", &[(9, "a", "u", ""), (1, "b", "u", "")], "0"),
            ("the other first", &[(9, "b", "u", ""), (8, "a", "u", ""), (1, "a", "u", "")], "0"),
        ],
    );
    let alias = "  type: temporal\n  rules: [a, b]\n  group-by: [who]\n  timespan: 10m\n  aliases: {who: {a: userIdentity.userName, b: requestParameters.v}}\n";
    correlated(
        alias,
        "",
        &[
            ("the same in both fields", &[(9, "a", "u", "x"), (1, "b", "y", "u")], "1"),
            ("different", &[(9, "a", "u", "x"), (1, "b", "u", "y")], "0"),
        ],
    );
}

#[test]
fn filters_and_collections_reach_over_files() {
    let rule = rule(AWS, "s: {eventName: A}\ncondition: s");
    let filter = format!(
        "title: F\nlogsource: {AWS}\nfilter:\n  rules: [7d4f1f2e-0000-4000-8000-000000000001]\n  ours: {{userAgent|startswith: ours}}\n  condition: not ours\n"
    );
    let library = library::from_texts([("f.yml", filter.as_str()), ("r.yml", rule.as_str())]);
    assert_eq!((library.rules.len(), library.broken.len()), (1, 0));
    assert!(library.rules[0].notes.iter().any(|note| note == "the filter `F` is added"));
    let case = |name: &str, alerts| {
        (name.to_string(), event("AWSCloudTrail", &format!("EventName: A, UserAgent: {name}")), alerts)
    };
    run(&library, "", &[case("theirs", "1"), case("ours/2", "0")]);
}

#[test]
fn a_rule_has_sentinels_fields() {
    let text = format!(
        "{}tags: [attack.initial-access, attack.t1078.004, cve.2024-1]\nfalsepositives: [Admins]\nstatus: test\ndescription: D\nreferences: ['https://example.org']\n",
        rule(AWS, "s: {eventName: A}\ncondition: s")
    );
    let library = library_of(&text);
    let rule = &library.rules[0];
    assert_eq!(rule.id, "7d4f1f2e-0000-4000-8000-000000000001");
    assert_eq!((rule.name.as_str(), rule.description.as_str()), ("T", "D"));
    assert_eq!(rule.severity, Some(detections::rule::AlertSeverity::High));
    assert_eq!(
        (rule.tactics.as_slice(), rule.relevant_techniques.as_slice()),
        (["InitialAccess".to_string()].as_slice(), ["T1078.004".to_string()].as_slice())
    );
    assert_eq!(rule.tags, ["cve.2024-1"]);
    assert!(rule.guidance.contains(&("falsePositives".to_string(), "- Admins".to_string())), "{:?}", rule.guidance);
    assert_eq!(rule.required_data_connectors[0].data_types, ["AWSCloudTrail"]);
    let kinds: Vec<&str> = rule.entity_mappings.iter().map(|mapping| mapping.entity_type.as_str()).collect();
    assert_eq!(kinds, ["Account", "IP"]);
    assert!(rule.unknown_fields.is_empty() && rule.notes.is_empty(), "{:?} {:?}", rule.unknown_fields, rule.notes);
}

#[test]
fn what_cannot_match_says_why() {
    let of = |source: &str, detection: &str| {
        let library = library::from_texts([("r.yml", rule(source, detection).as_str())]);
        assert!(library.rules.is_empty() && library.broken[0].unsupported);
        library.broken[0].message.clone()
    };
    assert!(of("{product: django}", "k: [x]\ncondition: k").contains("no table for the log source product django"));
    assert!(of(AWS, "s: {nope: x}\ncondition: s").contains("`nope` is no field of AWSCloudTrail"));
    let missing = library::from_texts([(
        "r.yml",
        "title: C\ncorrelation: {type: event_count, rules: gone, timespan: 1h, condition: {gte: 2}}\n",
    )]);
    assert!(missing.broken[0].message.contains("`gone`"), "{:?}", missing.broken);
}

/// Every expression of the registry is one that the engine binds.
#[test]
fn every_expression_of_the_registry_binds() {
    let mut rules = 0;
    for source in sigma::mapping::sources() {
        for target in source.targets {
            let fields: Vec<String> = target
                .fields
                .iter()
                .map(|(field, _)| format!("    '{}': x\n", field.replace('*', "some.member")))
                .collect();
            let text = format!(
                "title: T\nlogsource: {{product: '{}', category: '{}', service: '{}'}}\ndetection:\n  s:\n{}    another.field: y\n  condition: 1 of s*\n",
                source.product,
                source.category,
                source.service,
                fields.concat()
            );
            let document = sigma::document::read("r.yml", &text).unwrap().remove(0).unwrap();
            let sigma::document::Body::Rule { detection, .. } = document.body else { panic!() };
            // Any of them, so that an unknown one hides none.
            let tests = detection
                .test()
                .unwrap()
                .fields()
                .into_iter()
                .map(|(f, _)| sigma::search::Test::Field(f.clone()))
                .collect();
            let Ok(mut query) = sigma::kql::over(&sigma::search::Test::any(tests), target) else { continue };
            if !target.shown.is_empty() {
                query.steps.push(format!("extend {}", target.shown));
            }
            rules += 1;
            let checked = crate::lint::engine_with(Vec::new())
                .check(&query.text(), &engine::QueryOptions::at(crate::data::day_zero()));
            let errors: Vec<_> =
                checked.diagnostics.iter().filter(|d| d.severity == kql_types::Severity::Error).collect();
            assert!(errors.is_empty(), "{}: {errors:?}\n{}", target.table, query.text());
        }
    }
    assert!(rules > 100, "{rules}");
}
