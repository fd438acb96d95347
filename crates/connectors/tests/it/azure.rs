//! The Azure Activity Log in both forms, resource logs beside it, and one event delivered twice.

use crate::support::{column, load_files, load_text, rows};

const DIAGNOSTIC: &str = r#"{"records":[{
  "time":"2026-03-01T10:00:00.1234567Z",
  "resourceId":"/SUBSCRIPTIONS/AAAA0000-0000-0000-0000-000000000001/RESOURCEGROUPS/RG1/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/VM1",
  "operationName":"MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE","category":"Write","resultType":"Success",
  "resultSignature":"Succeeded.Created","durationMs":12,"callerIpAddress":"203.0.113.8","correlationId":"corr-1",
  "identity":{"authorization":{"scope":"/subscriptions/aaaa0000-0000-0000-0000-000000000001/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/vm1","action":"Microsoft.Compute/virtualMachines/write"},
    "claims":{"name":"Nina","http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"nina@contoso.example"}},
  "level":"Information","location":"global","tenantId":"t1",
  "properties":{"eventCategory":"Administrative","eventDataId":"ED-1","operationId":"op-1","hierarchy":"h/1","responseBody":"{\"a\":1}"}}]}"#;

#[test]
fn diagnostic_records() {
    let loaded = load_text(DIAGNOSTIC);
    let properties = r#"{"eventCategory":"Administrative","eventDataId":"ED-1","operationId":"op-1","hierarchy":"h/1","responseBody":"{\"a\":1}"}"#;
    let scope = "/subscriptions/aaaa0000-0000-0000-0000-000000000001/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/vm1";
    let authorization = format!(r#"{{"scope":"{scope}","action":"Microsoft.Compute/virtualMachines/write"}}"#);
    let claims =
        r#"{"name":"Nina","http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"nina@contoso.example"}"#;
    let id = "/SUBSCRIPTIONS/AAAA0000-0000-0000-0000-000000000001/RESOURCEGROUPS/RG1/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/VM1";
    assert_eq!(
        rows(&loaded, "AzureActivity"),
        [[
            "OperationNameValue=MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE".to_owned(),
            "Level=Informational".to_owned(),
            "ActivityStatusValue=Success".to_owned(),
            "ActivitySubstatusValue=Created".to_owned(),
            "ResourceGroup=RG1".to_owned(),
            "SubscriptionId=AAAA0000-0000-0000-0000-000000000001".to_owned(),
            "CorrelationId=corr-1".to_owned(),
            "Caller=nina@contoso.example".to_owned(),
            "CallerIpAddress=203.0.113.8".to_owned(),
            "CategoryValue=Administrative".to_owned(),
            format!("Properties={properties}"),
            "EventSubmissionTimestamp=2026-03-01T10:00:00.1234567Z".to_owned(),
            format!("Authorization={authorization}"),
            format!("ResourceId={id}"),
            "OperationId=op-1".to_owned(),
            "ResourceProviderValue=MICROSOFT.COMPUTE".to_owned(),
            "Resource=VM1".to_owned(),
            "EventDataId=ED-1".to_owned(),
            "TimeGenerated=2026-03-01T10:00:00.1234567Z".to_owned(),
            "SourceSystem=Azure".to_owned(),
            format!("Authorization_d={authorization}"),
            format!("Claims={claims}"),
            format!("Claims_d={claims}"),
            format!("Properties_d={properties}"),
            "Hierarchy=h/1".to_owned(),
            "Type=AzureActivity".to_owned(),
            format!("_ResourceId={}", id.to_lowercase()),
            "_SubscriptionId=aaaa0000-0000-0000-0000-000000000001".to_owned(),
        ]]
    );
    assert!(loaded.report.sources[0].unmapped.is_empty(), "{:?}", loaded.report.sources[0].unmapped);
}

const REST: &str = r#"{"value":[{
  "authorization":{"action":"Microsoft.Compute/virtualMachines/write","scope":"/subscriptions/aaaa0000-0000-0000-0000-000000000001/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/vm1"},
  "caller":"nina@contoso.example","channels":"Operation","claims":{"aud":"x"},"correlationId":"corr-1","description":"",
  "eventDataId":"ed-1","eventName":{"value":"EndRequest","localizedValue":"End request"},
  "category":{"value":"Administrative","localizedValue":"Administrative"},
  "httpRequest":{"clientRequestId":"c1","clientIpAddress":"203.0.113.8","method":"PUT"},
  "id":"/subscriptions/aaaa0000-0000-0000-0000-000000000001/events/ed-1/ticks/1","level":"Informational",
  "resourceGroupName":"rg1","resourceProviderName":{"value":"Microsoft.Compute","localizedValue":"Microsoft Compute"},
  "resourceId":"/subscriptions/aaaa0000-0000-0000-0000-000000000001/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/vm1",
  "operationId":"op-1","operationName":{"value":"Microsoft.Compute/virtualMachines/write","localizedValue":"Create or Update Virtual Machine"},
  "properties":{"statusCode":"Created"},"status":{"value":"Succeeded","localizedValue":"Succeeded"},
  "subStatus":{"value":"Created","localizedValue":"Created (HTTP Status Code: 201)"},
  "eventTimestamp":"2026-03-01T10:00:00.1234567Z","submissionTimestamp":"2026-03-01T10:02:00Z",
  "subscriptionId":"aaaa0000-0000-0000-0000-000000000001","tenantId":"t1"}]}"#;

#[test]
fn rest_records() {
    let loaded = load_text(REST);
    for (name, expected) in [
        ("TimeGenerated", "2026-03-01T10:00:00.1234567Z"),
        ("EventSubmissionTimestamp", "2026-03-01T10:02:00.0000000Z"),
        ("OperationNameValue", "Microsoft.Compute/virtualMachines/write"),
        ("ActivityStatusValue", "Succeeded"),
        ("ActivitySubstatusValue", "Created"),
        ("CategoryValue", "Administrative"),
        ("Caller", "nina@contoso.example"),
        ("CallerIpAddress", "203.0.113.8"),
        ("HTTPRequest", r#"{"clientRequestId":"c1","clientIpAddress":"203.0.113.8","method":"PUT"}"#),
        ("Level", "Informational"),
        ("CorrelationId", "corr-1"),
        ("EventDataId", "ed-1"),
        ("OperationId", "op-1"),
        ("SubscriptionId", "aaaa0000-0000-0000-0000-000000000001"),
        ("ResourceGroup", "rg1"),
        ("Resource", "vm1"),
        ("ResourceProviderValue", "Microsoft.Compute"),
        ("Claims_d", r#"{"aud":"x"}"#),
        ("Properties", r#"{"statusCode":"Created"}"#),
    ] {
        assert_eq!(column(&loaded, "AzureActivity", name), [expected], "{name}");
    }
    assert!(loaded.report.sources[0].unmapped.is_empty(), "{:?}", loaded.report.sources[0].unmapped);
}

#[test]
fn one_event_in_both_forms_is_one_row() {
    let started = REST.replace("\"Succeeded\"", "\"Started\"").replace("ed-1", "ed-2");
    let loaded = load_files(&[
        ("a.json", DIAGNOSTIC.as_bytes()),
        ("b.json", REST.as_bytes()),
        ("c.json", DIAGNOSTIC.as_bytes()),
        ("d.json", started.as_bytes()),
    ]);
    assert_eq!(column(&loaded, "AzureActivity", "ActivityStatusValue"), ["Success", "Started"]);
    let duplicates: Vec<u64> = loaded.report.sources.iter().map(|source| source.duplicates).collect();
    assert_eq!(duplicates, [0, 1, 1, 0]);
}

#[test]
fn equal_ids_with_other_content_stay() {
    let other = DIAGNOSTIC.replace("nina@contoso.example", "oleg@contoso.example");
    let loaded = load_files(&[("a.json", DIAGNOSTIC.as_bytes()), ("b.json", other.as_bytes())]);
    assert_eq!(column(&loaded, "AzureActivity", "Caller"), ["nina@contoso.example", "oleg@contoso.example"]);
}

#[test]
fn properties_as_text_and_what_is_missing() {
    let loaded = load_text(
        r#"{"time":"2026-03-01T10:00:00Z","operationName":"Microsoft.Authorization/locks/delete","category":"Administrative","resultType":"Start",
          "identity":{"authorization":{"scope":"/subscriptions/s1/resourceGroups/g1/providers/Microsoft.Network/virtualNetworks/v1"}},
          "properties":"{\"resource\": \"v1\", \"eventCategory\":\"Security\"}"}"#,
    );
    assert_eq!(column(&loaded, "AzureActivity", "Properties"), [r#"{"resource":"v1","eventCategory":"Security"}"#]);
    assert_eq!(column(&loaded, "AzureActivity", "CategoryValue"), ["Security"]);
    assert_eq!(column(&loaded, "AzureActivity", "Resource"), ["v1"]);
    assert_eq!(column(&loaded, "AzureActivity", "ResourceGroup"), ["g1"]);
    assert_eq!(column(&loaded, "AzureActivity", "ResourceProviderValue"), ["Microsoft.Network"]);
}

#[test]
fn resource_logs_go_to_their_own_tables() {
    let loaded = load_text(
        r#"{"records":[
        {"time":"2026-03-01T10:00:00Z","category":"StorageRead","operationName":"GetBlob","statusCode":200,"callerIpAddress":"203.0.113.8:4444",
         "resourceId":"/subscriptions/s1/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/acct/blobServices/default",
         "identity":{"type":"OAuth","requester":{"upn":"nina@contoso.example"}},"properties":{"userAgentHeader":"curl","serverLatencyMs":4}},
        {"time":"2026-03-01T10:00:01Z","category":"AuditEvent","operationName":"SecretGet","resultType":"Success","callerIpAddress":"203.0.113.8",
         "resourceId":"/SUBSCRIPTIONS/S1/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/KV1",
         "identity":{"claim":{"appid":"a1"}},"properties":{"httpStatusCode":200,"id":"https://kv1/secrets/x","new":{"odd":1}}}]}"#,
    );
    assert!(!loaded.tables.contains_key("AzureActivity"));
    for (name, expected) in [
        ("AccountName", "acct"),
        ("StatusCode", "200"),
        ("RequesterUpn", "nina@contoso.example"),
        ("AuthenticationType", "OAuth"),
        ("UserAgentHeader", "curl"),
        ("ServerLatencyMs", "4"),
        ("CallerIpAddress", "203.0.113.8:4444"),
    ] {
        assert_eq!(column(&loaded, "StorageBlobLogs", name), [expected], "{name}");
    }
    for (name, expected) in [
        ("ResourceType", "VAULTS"),
        ("Resource", "KV1"),
        ("ResourceProvider", "MICROSOFT.KEYVAULT"),
        ("OperationName", "SecretGet"),
        ("httpStatusCode_d", "200"),
        ("id_s", "https://kv1/secrets/x"),
        ("identity_claim_appid_g", "a1"),
        ("ResultType", "Success"),
    ] {
        assert_eq!(column(&loaded, "AzureDiagnostics", name), [expected], "{name}");
    }
}
