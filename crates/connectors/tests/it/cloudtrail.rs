//! CloudTrail: every column, every envelope.

use crate::support::{column, load_files, load_text, rows};

/// A record in which every mapped field has a value of its own.
const FULL: &str = r#"{
  "eventVersion": "1.09",
  "userIdentity": {
    "type": "AssumedRole", "principalId": "AROAEXAMPLE:nina", "arn": "arn:aws:sts::100000000001:assumed-role/ops/nina",
    "accountId": "100000000001", "accessKeyId": "ASIAEXAMPLE", "userName": "nina", "invokedBy": "ec2.amazonaws.com",
    "sessionContext": {
      "sessionIssuer": {"type": "Role", "principalId": "AROAEXAMPLE", "arn": "arn:aws:iam::100000000001:role/ops",
        "accountId": "100000000002", "userName": "ops"},
      "attributes": {"mfaAuthenticated": "true", "creationDate": "2026-03-01T08:00:00Z"},
      "ec2RoleDelivery": "2.0"
    },
    "onBehalfOf": {"userId": "u-1", "identityStoreArn": "arn:aws:identitystore::100000000001:identitystore/d-1"}
  },
  "eventTime": "2026-03-01T09:30:01Z", "eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress",
  "awsRegion": "eu-north-1", "sourceIPAddress": "203.0.113.7", "userAgent": "aws-cli/2.15 md\/Botocore",
  "errorCode": "Client.DryRunOperation", "errorMessage": "would have worked",
  "requestParameters": {"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 23,
     "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}},
  "responseElements": {"_return": true}, "additionalEventData": {"x": 1.50}, "serviceEventDetails": {"s": []},
  "resources": [{"ARN": "arn:r", "type": "AWS::EC2::SecurityGroup"}],
  "requestID": "req-1", "eventID": "0f1e2d3c-0000-4000-8000-000000000001", "readOnly": false, "eventType": "AwsApiCall",
  "apiVersion": "2016-11-15", "managementEvent": true, "recipientAccountId": "000000000003", "sharedEventID": "shared-1",
  "vpcEndpointId": "vpce-1", "eventCategory": "Management",
  "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": "ec2.example"},
  "sessionCredentialFromConsole": "true"
}"#;

const FULL_ROW: &[&str] = &[
    "TimeGenerated=2026-03-01T09:30:01.0000000Z",
    "AwsEventId=0f1e2d3c-0000-4000-8000-000000000001",
    "EventVersion=1.09",
    "EventSource=ec2.amazonaws.com",
    "EventTypeName=AwsApiCall",
    "EventName=AuthorizeSecurityGroupIngress",
    "UserIdentityType=AssumedRole",
    "UserIdentityPrincipalid=AROAEXAMPLE:nina",
    "UserIdentityArn=arn:aws:sts::100000000001:assumed-role/ops/nina",
    "UserIdentityAccountId=100000000001",
    "UserIdentityInvokedBy=ec2.amazonaws.com",
    "UserIdentityAccessKeyId=ASIAEXAMPLE",
    "UserIdentityUserName=nina",
    "SessionMfaAuthenticated=true",
    "SessionCreationDate=2026-03-01T08:00:00.0000000Z",
    "SessionIssuerType=Role",
    "SessionIssuerPrincipalId=AROAEXAMPLE",
    "SessionIssuerArn=arn:aws:iam::100000000001:role/ops",
    "SessionIssuerAccountId=100000000002",
    "SessionIssuerUserName=ops",
    "AWSRegion=eu-north-1",
    "SourceIpAddress=203.0.113.7",
    "UserAgent=aws-cli/2.15 md/Botocore",
    "ErrorCode=Client.DryRunOperation",
    "ErrorMessage=would have worked",
    r#"RequestParameters={"groupId":"sg-1","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":23,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}"#,
    r#"ResponseElements={"_return":true}"#,
    r#"AdditionalEventData={"x":1.50}"#,
    "AwsRequestId_=req-1",
    r#"Resources=[{"ARN":"arn:r","type":"AWS::EC2::SecurityGroup"}]"#,
    "APIVersion=2016-11-15",
    "ReadOnly=false",
    "RecipientAccountId=000000000003",
    r#"ServiceEventDetails={"s":[]}"#,
    "SharedEventId=shared-1",
    "VpcEndpointId=vpce-1",
    "ManagementEvent=true",
    "SourceSystem=Aws",
    "OperationName=CloudTrail",
    "Category=Management",
    "EC2RoleDelivery=2.0",
    "TlsVersion=TLSv1.3",
    "CipherSuite=TLS_AES_128_GCM_SHA256",
    "ClientProvidedHostHeader=ec2.example",
    "IpProtocol=tcp",
    "SourcePort=22",
    "DestinationPort=23",
    "CidrIp=0.0.0.0/0",
    "UserIdentityUserId=u-1",
    "UserIdentityStoreArn=arn:aws:identitystore::100000000001:identitystore/d-1",
    "Type=AWSCloudTrail",
];

#[test]
fn every_field_reaches_its_column() {
    let loaded = load_text(&format!("{{\"Records\":[{FULL}]}}"));
    assert_eq!(rows(&loaded, "AWSCloudTrail"), [FULL_ROW]);
    let source = &loaded.report.sources[0];
    assert_eq!(source.unmapped.keys().collect::<Vec<_>>(), ["sessionCredentialFromConsole"]);
    assert_eq!((source.format.as_str(), source.records, source.rows), ("json", 1, 1));
    assert_eq!(source.sha256.len(), 64);
}

#[test]
fn absent_and_null_fields_are_empty_not_null() {
    let text = r#"{"eventName":"ConsoleLogin","eventSource":"signin.amazonaws.com","awsRegion":"us-east-1","eventTime":"2026-03-01T09:30:01Z",
        "errorMessage":"Failed authentication","requestParameters":null,"responseElements":{"ConsoleLogin":"Failure"}}"#;
    let loaded = load_text(text);
    for name in ["ErrorCode", "RequestParameters", "UserIdentityArn"] {
        assert_eq!(column(&loaded, "AWSCloudTrail", name), [""]);
        let batch = &loaded.tables["AWSCloudTrail"][0];
        assert_eq!(batch.column_by_name(name).unwrap().null_count(), 0, "{name}");
    }
    assert_eq!(column(&loaded, "AWSCloudTrail", "ResponseElements"), [r#"{"ConsoleLogin":"Failure"}"#]);
    assert_eq!(loaded.tables["AWSCloudTrail"][0].column_by_name("ReadOnly").unwrap().null_count(), 1);
}

#[test]
fn all_forms_give_the_same_row_with_the_same_id() {
    let compact: String = FULL.split('\n').map(str::trim_start).collect();
    let quoted = serde_json::to_string(&FULL).unwrap();
    let forms = [
        format!("{{\"Records\":[{compact}]}}"),
        format!("[{FULL}]"),
        compact.clone(),
        format!(
            "{{\"Events\":[{{\"EventId\":\"1\",\"EventName\":\"x\",\"CloudTrailEvent\":{quoted}}}],\"NextToken\":\"t\"}}"
        ),
        format!(
            "{{\"version\":\"0\",\"detail-type\":\"AWS API Call via CloudTrail\",\"source\":\"aws.ec2\",\"detail\":{compact}}}"
        ),
        format!("\u{feff}{FULL}\n"),
    ];
    let mut ids = Vec::new();
    for form in &forms {
        let loaded = load_text(form);
        assert_eq!(rows(&loaded, "AWSCloudTrail"), [FULL_ROW], "{form}");
        ids.push(column(&loaded, "AWSCloudTrail", "_ItemId"));
    }
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
    let named: Vec<(String, &[u8])> =
        forms.iter().enumerate().map(|(index, form)| (format!("{index}.json"), form.as_bytes())).collect();
    let files: Vec<(&str, &[u8])> = named.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    let loaded = load_files(&files);
    assert_eq!(rows(&loaded, "AWSCloudTrail").len(), 1);
    let duplicates: Vec<u64> = loaded.report.sources.iter().map(|source| source.duplicates).collect();
    assert_eq!(duplicates, [0, 1, 1, 1, 1, 1]);
}

#[test]
fn one_id_with_other_content_stays() {
    let with = |id: &str, name: &str| {
        format!(r#"{{"eventID":"{id}","eventName":"{name}","eventSource":"s3.amazonaws.com","awsRegion":"eu-west-1"}}"#)
    };
    let loaded = load_text(&[with("1", "A"), with("1", "B"), with("1", "A"), with("2", "A")].join("\n"));
    assert_eq!(column(&loaded, "AWSCloudTrail", "EventName"), ["A", "B", "A"]);
    let source = &loaded.report.sources[0];
    assert_eq!((source.records, source.rows, source.duplicates, source.undated), (4, 3, 1, 3));
}

#[test]
fn what_lies_beside_records_is_counted_as_what_it_is() {
    let loaded = load_text(
        r#"{"Records":[
        {"eventVersion":"1.09","eventCategory":"Insight","eventName":"x","eventSource":"ec2.amazonaws.com","insightDetails":{},"awsRegion":"a"},
        {"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put","awsRegion":"eu-west-1","s3":{}},
        {"what":"ever"}]}
        {"awsAccountId":"1","digestStartTime":"2026-03-01T00:00:00Z","digestS3Bucket":"b","logFiles":[]}"#,
    );
    let source = &loaded.report.sources[0];
    let kinds: Vec<_> =
        source.other.iter().map(|(kind, tally)| (kind.as_str(), tally.count, tally.first.line)).collect();
    assert_eq!(
        kinds,
        [
            ("CloudTrail Insight event", 1, 2),
            ("CloudTrail digest", 1, 5),
            ("S3 event notification", 1, 3),
            ("record of no known kind", 1, 4)
        ]
    );
    assert!(loaded.tables.is_empty());
}

#[test]
fn places_point_at_records_and_delivery_is_read_from_the_name() {
    let record = |n: u32| format!(r#"{{"eventID":"{n}","eventName":"A","eventSource":"s","awsRegion":"r"}}"#);
    let one = format!("{{\"Records\":[{},{}]}}", record(1), record(2));
    let two = format!("{{\"Records\":[{{}},{}]}}", record(3));
    let name =
        "AWSLogs/100000000001/CloudTrail/eu-west-1/2026/03/01/100000000001_CloudTrail_eu-west-1_20260301T0935Z_x.json";
    let loaded = load_files(&[("1.json", one.as_bytes()), (name, two.as_bytes())]);
    let places: Vec<(u32, u64)> = column(&loaded, "AWSCloudTrail", "__source")
        .iter()
        .map(|place| tables::unpack_source(place.parse().unwrap()))
        .collect();
    assert_eq!(places, [(0, 0), (0, 1), (1, 1)]);
    let rows = rows(&loaded, "AWSCloudTrail");
    assert!(!rows[0].iter().any(|cell| cell.starts_with("__ingestion")));
    assert_eq!(rows[2].last().unwrap(), "__ingestion=2026-03-01T09:35:00.0000000Z");
}
