//! CloudTrail records to `AWSCloudTrail`.
//!
//! Recognised: records in `{"Records":[...]}`, in lists and in NDJSON; events of `lookup-events`, whose
//! `CloudTrailEvent` holds the record as text; EventBridge messages with the record in `detail`; rows of CloudTrail Lake
//! with the record in `eventJson`. Digest files, Insight
//! events and S3 notifications share buckets with them and are counted as what they are.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::guide::Guide;
use super::{Mapped, Maps, Place, Record, Source, members, raw_at, string};
use crate::fields::{FieldList, NameCase};
use crate::json::{row_text, scan};
use crate::report::Gap;
use crate::row::Row;
use crate::time;

pub(super) static RECORD: Source =
    Source { name: "aws-cloudtrail", recognise: is_record, map: map_record, guide: Some(&GUIDE) };
pub(super) static WRAPPED: Source =
    Source { name: "aws-cloudtrail-wrapped", recognise: is_wrapped, map: unwrap, guide: None };

const TABLE: &str = "AWSCloudTrail";

static GUIDE: Guide = Guide {
    page: "aws-cloudtrail",
    title: "AWS CloudTrail",
    tables: &["AWSCloudTrail"],
    exports: &[
        (
            "aws s3 sync s3://BUCKET/AWSLogs/ACCOUNT/CloudTrail/ trail/",
            "an organisation trail lies under its organisation's id; data events only when the trail logs them",
        ),
        (
            "aws cloudtrail lookup-events --start-time 2026-03-01T00:00:00Z --max-items 100000 > events.json",
            "management events of one region and 90 days; no data events; 50 a page unless paged",
        ),
        (
            "CloudTrail Lake: query results saved to S3 as CSV",
            "columns chosen by the query; SELECT * keeps structures as text",
        ),
        (
            "Athena: CSV of query results",
            "structures are written as {a=b}: those of userIdentity are read, others stay text",
        ),
    ],
    recognised: "eventName and eventSource with another field of the record; CloudTrailEvent, eventJson or detail with the record inside",
    fields: &[&FIELDS],
    notes: &[
        "Objects are compact JSON text in their columns. AwsEventId and the content tell duplicates.",
        "IpProtocol, SourcePort, DestinationPort and CidrIp are those of the first rule of a security-group request.",
        "Insight events, digests and S3 notifications are counted as such; digests tell the hours that no log file covers.",
        "The ingestion time is the minute in the name of the S3 object.",
    ],
};

pub(crate) static FIELDS: FieldList = FieldList {
    name: "aws-cloudtrail",
    named_like: &[],
    fields: &[
        ("eventTime", "TimeGenerated"),
        ("eventID", "AwsEventId"),
        ("eventVersion", "EventVersion"),
        ("eventSource", "EventSource"),
        ("eventName", "EventName"),
        ("eventType", "EventTypeName"),
        ("awsRegion", "AWSRegion"),
        ("sourceIPAddress", "SourceIpAddress"),
        ("userAgent", "UserAgent"),
        ("errorCode", "ErrorCode"),
        ("errorMessage", "ErrorMessage"),
        ("requestParameters", "RequestParameters"),
        ("responseElements", "ResponseElements"),
        ("additionalEventData", "AdditionalEventData"),
        ("serviceEventDetails", "ServiceEventDetails"),
        ("resources", "Resources"),
        ("requestID", "AwsRequestId_"),
        ("apiVersion", "APIVersion"),
        ("readOnly", "ReadOnly"),
        ("managementEvent", "ManagementEvent"),
        ("recipientAccountId", "RecipientAccountId"),
        ("sharedEventID", "SharedEventId"),
        ("vpcEndpointId", "VpcEndpointId"),
        ("eventCategory", "Category"),
        ("tlsDetails.tlsVersion", "TlsVersion"),
        ("tlsDetails.cipherSuite", "CipherSuite"),
        ("tlsDetails.clientProvidedHostHeader", "ClientProvidedHostHeader"),
        ("userIdentity.type", "UserIdentityType"),
        ("userIdentity.principalId", "UserIdentityPrincipalid"),
        ("userIdentity.arn", "UserIdentityArn"),
        ("userIdentity.accountId", "UserIdentityAccountId"),
        ("userIdentity.invokedBy", "UserIdentityInvokedBy"),
        ("userIdentity.accessKeyId", "UserIdentityAccessKeyId"),
        ("userIdentity.userName", "UserIdentityUserName"),
        ("userIdentity.onBehalfOf.userId", "UserIdentityUserId"),
        ("userIdentity.onBehalfOf.identityStoreArn", "UserIdentityStoreArn"),
        ("userIdentity.sessionContext.attributes.mfaAuthenticated", "SessionMfaAuthenticated"),
        ("userIdentity.sessionContext.attributes.creationDate", "SessionCreationDate"),
        ("userIdentity.sessionContext.sessionIssuer.type", "SessionIssuerType"),
        ("userIdentity.sessionContext.sessionIssuer.principalId", "SessionIssuerPrincipalId"),
        ("userIdentity.sessionContext.sessionIssuer.arn", "SessionIssuerArn"),
        ("userIdentity.sessionContext.sessionIssuer.accountId", "SessionIssuerAccountId"),
        ("userIdentity.sessionContext.sessionIssuer.userName", "SessionIssuerUserName"),
        ("userIdentity.sessionContext.ec2RoleDelivery", "EC2RoleDelivery"),
    ],
};

/// A record, or one of the other things that CloudTrail writes beside them.
fn is_record(record: &Record<'_>) -> bool {
    let named = |name| record.has_either(name);
    let beside =
        ["awsRegion", "userIdentity", "eventVersion", "sourceIPAddress", "requestParameters", "recipientAccountId"];
    named("eventName") && named("eventSource") && beside.into_iter().any(named)
        || named("insightDetails") && named("eventVersion")
        || named("digestS3Bucket") && named("digestStartTime")
}

fn map_record<'r>(record: &Record<'r>, maps: &Maps, place: &Place<'_>) -> Mapped<'r> {
    if record.has_either("digestS3Bucket") {
        return digest(record);
    }
    if record.has_either("insightDetails") || record.text("eventCategory").is_some_and(|category| category == "Insight")
    {
        return Mapped::Other("CloudTrail Insight event".into());
    }
    if record.has("s3") && record.text("eventSource").is_some_and(|source| source == "aws:s3") {
        return Mapped::Other("S3 event notification".into());
    }
    if let Some(text) = with_structures(record) {
        return Mapped::Inner(Cow::Owned(text));
    }
    let Some(spec) = maps.table(TABLE) else { return Mapped::Other(format!("record of {TABLE}").into()) };
    let mut row = Row::new(&spec);
    if maps.fields(&FIELDS, &spec).apply(record.text, record.members, &mut row) == NameCase::Folded {
        row.mended.push("field names in other case");
    }
    row.set("OperationName", "CloudTrail");
    row.set("SourceSystem", "Aws");
    row.set("Type", TABLE);
    if let Some(parameters) = record.raw("requestParameters") {
        security_group_rule(parameters, &mut row);
    }
    row.identified = !row.text("AwsEventId").is_empty();
    row.ingestion = place.delivered;
    Mapped::Row(Box::new(row))
}

/// A digest lists the log files of an hour of one account and region.
fn digest<'r>(record: &Record<'_>) -> Mapped<'r> {
    let kind = "CloudTrail digest";
    let time = |name: &str| record.text(name).and_then(|text| time::parse(&text));
    let (Some(from), Some(to)) = (time("digestStartTime"), time("digestEndTime")) else {
        return Mapped::Other(kind.into());
    };
    let object = record.text("digestS3Object").unwrap_or_default();
    let region = object.split("/CloudTrail-Digest/").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let account = record.text("awsAccountId").unwrap_or_default();
    // Names come from the log: what they may be made of is known.
    let plain =
        |text: &str| text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect::<String>();
    Mapped::Covers { kind, whose: format!("{} {}", plain(&account), plain(region)), span: Gap { from, to } }
}

/// The record with Athena's structures as objects, when it has such.
fn with_structures(record: &Record<'_>) -> Option<String> {
    const NAMES: &[&str] = &["userIdentity", "tlsDetails"];
    let is_text = |name: &&str| record.either(name).is_some_and(|raw| raw.starts_with("\"{") && raw.contains('='));
    if !NAMES.iter().any(is_text) {
        return None;
    }
    let mut any = false;
    let mut members = Vec::with_capacity(record.members.len());
    for (name, member) in record.names().zip(record.members) {
        let raw = record.text.get(member.value.clone())?;
        let structure =
            NAMES.iter().any(|known| known.eq_ignore_ascii_case(name)).then(|| row_text::as_json(&string(raw)?));
        let structure = structure.flatten();
        any |= structure.is_some();
        members.push(format!("\"{name}\":{}", structure.as_deref().unwrap_or(raw)));
    }
    any.then(|| format!("{{{}}}", members.join(",")))
}

/// The columns for the first rule of a security-group request, as far as the request has them.
fn security_group_rule<'r>(parameters: &'r str, row: &mut Row<'r>) {
    static NAMES: LazyLock<[Finder<'static>; 2]> =
        LazyLock::new(|| ["\"ipPermissions\"", "\"cidrIp\""].map(Finder::new));
    if NAMES.iter().all(|name| name.find(parameters.as_bytes()).is_none()) {
        return;
    }
    let first = |raw: &'r str, path: &[&str]| {
        let items = scan::elements(raw_at(raw, path)?, usize::MAX)?;
        items.first().copied()
    };
    let rule = first(parameters, &["ipPermissions", "items"]).unwrap_or(parameters);
    for (name, column) in [("ipProtocol", "IpProtocol"), ("fromPort", "SourcePort"), ("toPort", "DestinationPort")] {
        if let (Some(raw), Some(index)) = (raw_at(rule, &[name]), row.spec.column(column)) {
            row.set_json(index, raw);
        }
    }
    let range = first(rule, &["ipRanges", "items"]).unwrap_or(rule);
    if let Some(cidr) = raw_at(range, &["cidrIp"]).and_then(string) {
        row.set("CidrIp", cidr);
    }
}

/// The minute in the name of an S3 object: `..._CloudTrail_us-east-1_20230710T1145Z_x.json.gz`.
pub(super) fn delivered(path: &str) -> Option<i64> {
    let (_, name) = path.rsplit_once("_CloudTrail")?;
    let stamp = name.split('_').find(|part| part.len() == 14 && part.ends_with('Z') && part.get(8..9) == Some("T"))?;
    let digits: String = stamp.chars().filter(char::is_ascii_digit).collect();
    let part = |range: std::ops::Range<usize>| digits.get(range);
    let (date, time) = (format!("{}-{}-{}", part(0..4)?, part(4..6)?, part(6..8)?), (part(8..10)?, part(10..12)?));
    time::parse(&format!("{date}T{}:{}:00Z", time.0, time.1))
}

fn is_wrapped(record: &Record<'_>) -> bool {
    let holds_record =
        |raw: &str| members(raw).is_some_and(|members| is_record(&Record { text: raw, members: &members }));
    record.raw("CloudTrailEvent").is_some_and(|raw| raw.starts_with('"'))
        || record.either("eventJson").is_some_and(holds_record)
        || record.has("detail-type") && record.raw("detail").is_some_and(holds_record)
}

fn unwrap<'r>(record: &Record<'r>, _maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    if let Some(inner) = record.either("eventJson") {
        return Mapped::Inner(Cow::Borrowed(inner));
    }
    match (record.text("CloudTrailEvent"), record.raw("detail")) {
        (Some(inner), _) => Mapped::Inner(inner),
        (None, Some(detail)) => Mapped::Inner(Cow::Borrowed(detail)),
        (None, None) => Mapped::Other("CloudTrail event without its record".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minute_of_delivery_is_in_the_name() {
        let path = "AWSLogs/1/CloudTrail/us-east-1/2023/07/10/1_CloudTrail_us-east-1_20230710T1145Z_aB3.json.gz";
        assert_eq!(delivered(path), time::parse("2023-07-10T11:45:00Z"));
        assert_eq!(delivered("trail.json"), None);
        assert_eq!(delivered("x_CloudTrail_20239910T1145Z_a.json"), None);
    }
}
