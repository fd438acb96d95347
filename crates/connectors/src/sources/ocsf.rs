//! Security Lake's OCSF events, as far as their origin can be told and nothing is lost: CloudTrail to `AWSCloudTrail`, VPC
//! flow logs to `AWSVPCFlow`. Other classes are named and counted.

use std::borrow::Cow;

use super::aws_cloudtrail;
use super::guide::Guide;
use super::{Mapped, Maps, Object, Place, Record, Source, raw_at, row_of, string};
use crate::fields::FieldList;
use crate::row::Row;

pub(super) static EVENT: Source = Source { name: "ocsf", recognise: is_event, map, guide: Some(&GUIDE) };

static GUIDE: Guide = Guide {
    page: "ocsf",
    title: "Security Lake (OCSF)",
    tables: &["AWSCloudTrail", "AWSVPCFlow"],
    exports: &[(
        "aws s3 sync s3://aws-security-data-lake-REGION-.../aws/CLOUD_TRAIL_MGMT/ lake/",
        "Parquet; names lost in the mapping to OCSF do not come back",
    )],
    recognised: "class_uid with metadata.product, as JSON or Parquet",
    fields: &[&CLOUDTRAIL_FIELDS, &VPC_FIELDS],
    notes: &[
        "Only events that CloudTrail and VPC flow logs gave; any other class is counted as `unsupported: OCSF class`.",
        "What OCSF keeps in `unmapped` under CloudTrail's own names goes to the columns of those names.",
        "The session's issuer has its ARN alone; account ids of the issuer and the web identity are lost.",
    ],
};

static CLOUDTRAIL_FIELDS: FieldList = FieldList {
    name: "ocsf-cloudtrail",
    named_like: &[],
    fields: &[
        ("time", "TimeGenerated"),
        ("metadata.uid", "AwsEventId"),
        ("metadata.product.version", "EventVersion"),
        ("metadata.event_code", "EventTypeName"),
        ("api.operation", "EventName"),
        ("api.service.name", "EventSource"),
        ("api.version", "APIVersion"),
        ("api.request.uid", "AwsRequestId_"),
        ("api.request.data", "RequestParameters"),
        ("api.response.data", "ResponseElements"),
        ("api.response.error", "ErrorCode"),
        ("api.response.message", "ErrorMessage"),
        ("cloud.region", "AWSRegion"),
        ("src_endpoint.ip", "SourceIpAddress"),
        ("http_request.user_agent", "UserAgent"),
        ("actor.user.type", "UserIdentityType"),
        ("actor.user.uid_alt", "UserIdentityPrincipalid"),
        ("actor.user.credential_uid", "UserIdentityAccessKeyId"),
        ("actor.user.name", "UserIdentityUserName"),
        ("actor.user.account.uid", "UserIdentityAccountId"),
        ("actor.user.account_uid", "UserIdentityAccountId"),
        ("actor.invoked_by", "UserIdentityInvokedBy"),
        ("actor.session.issuer", "SessionIssuerArn"),
        ("actor.session.is_mfa", "SessionMfaAuthenticated"),
        ("actor.session.created_time", "SessionCreationDate"),
        ("resources", "Resources"),
    ],
};

static VPC_FIELDS: FieldList = FieldList {
    name: "ocsf-vpc-flow",
    named_like: &[],
    fields: &[
        ("end_time", "TimeGenerated"),
        ("start_time", "Start"),
        ("end_time", "End"),
        ("metadata.product.version", "Version"),
        ("cloud.account.uid", "AccountId"),
        ("cloud.account_uid", "AccountId"),
        ("cloud.region", "Region"),
        ("cloud.zone", "AzId"),
        ("connection_info.protocol_num", "Protocol"),
        ("connection_info.tcp_flags", "TcpFlags"),
        ("traffic.packets", "Packets"),
        ("traffic.bytes", "Bytes"),
        ("status_code", "LogStatus"),
    ],
};

fn is_event(record: &Record<'_>) -> bool {
    record.has("class_uid") && record.object("metadata").is_some_and(|metadata| metadata.has("product"))
}

fn map<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let text = |path: &[&str]| raw_at(record.text, path).and_then(string).unwrap_or_default();
    let product = text(&["metadata", "product", "name"]);
    let class = record.raw("class_uid").unwrap_or_default();
    let mapped = match (product.as_ref(), class) {
        ("CloudTrail", _) if raw_at(record.text, &["api", "operation"]).is_some() => cloudtrail(record, maps),
        ("Amazon VPC", "4001") => vpc_flow(record, maps),
        _ => {
            let name = record.text("class_name").unwrap_or_default();
            let kind = format!("unsupported: OCSF class {class} {name} of {product}");
            Err(Mapped::Other(Cow::Owned(kind.chars().filter(|c| !c.is_control()).take(120).collect())))
        }
    };
    match mapped {
        Ok(row) => Mapped::Row(Box::new(row)),
        Err(other) => other,
    }
}

fn cloudtrail<'r>(record: &Record<'r>, maps: &Maps) -> Result<Row<'r>, Mapped<'r>> {
    let mut row = row_of(record, maps, "AWSCloudTrail", &CLOUDTRAIL_FIELDS, "Aws")?;
    // Classification that OCSF adds says nothing that the record did not.
    row.unmapped.retain(|(path, _)| path.starts_with("unmapped"));
    row.set("OperationName", "CloudTrail");
    if let Some(domain) = raw_at(record.text, &["src_endpoint", "domain"]).and_then(string) {
        row.fill("SourceIpAddress", domain);
    }
    if let Some(service) = raw_at(record.text, &["src_endpoint", "svc_name"]).and_then(string) {
        row.fill("SourceIpAddress", service);
    }
    // Older versions have the principal in uid, newer ones the ARN.
    let uid = raw_at(record.text, &["actor", "user", "uid"]).and_then(string).unwrap_or_default();
    match uid.starts_with("arn:") {
        true => row.set("UserIdentityArn", uid),
        false => row.fill("UserIdentityPrincipalid", uid),
    }
    if let Some(arn) = raw_at(record.text, &["actor", "user", "uuid"]).and_then(string) {
        row.fill("UserIdentityArn", arn);
    }
    if let Some(event_type) = raw_at(record.text, &["metadata", "event_code"]).and_then(string) {
        row.set("EventTypeName", event_type);
    }
    own_names(record, &mut row);
    row.identified = !row.text("AwsEventId").is_empty();
    Ok(row)
}

/// What is kept under CloudTrail's own names: an object, or a list of keys and values.
fn own_names<'r>(record: &Record<'r>, row: &mut Row<'r>) {
    let Some(left) = record.raw("unmapped") else { return };
    row.unmapped.retain(|(path, _)| path != "unmapped");
    row.unmapped.retain(|(path, _)| !path.starts_with("unmapped."));
    let Some(object) = Object::of(left) else {
        row.unmapped.push((Cow::Borrowed("unmapped"), left));
        return;
    };
    for (name, raw) in object.entries() {
        let column = aws_cloudtrail::FIELDS.fields.iter().find(|(path, _)| *path == name).map(|(_, column)| *column);
        match column.and_then(|column| row.spec.column(column)) {
            Some(column) => row.set_json(column, raw),
            None => row.unmapped.push((Cow::Owned(format!("unmapped.{name}")), raw)),
        }
    }
}

fn vpc_flow<'r>(record: &Record<'r>, maps: &Maps) -> Result<Row<'r>, Mapped<'r>> {
    let mut row = row_of(record, maps, "AWSVPCFlow", &VPC_FIELDS, "AWS")?;
    row.unmapped.clear();
    for (side, address, port) in [("src_endpoint", "SrcAddr", "SrcPort"), ("dst_endpoint", "DstAddr", "DstPort")] {
        for (name, column) in [
            ("ip", address),
            ("port", port),
            ("interface_uid", "InterfaceId"),
            ("vpc_uid", "VpcId"),
            ("subnet_uid", "SubnetId"),
            ("instance_uid", "InstanceId"),
        ] {
            if let (Some(raw), Some(column)) = (raw_at(record.text, &[side, name]), row.spec.column(column))
                && row.is_empty(column)
            {
                row.set_json(column, raw);
            }
        }
    }
    let action = match record.text("disposition").or_else(|| record.text("action")).as_deref() {
        Some("Allowed") => "ACCEPT",
        Some("Blocked" | "Denied") => "REJECT",
        _ => "",
    };
    row.set("Action", action);
    let direction = raw_at(record.text, &["connection_info", "direction"]).and_then(string).unwrap_or_default();
    row.set(
        "FlowDirection",
        match direction.to_lowercase().as_str() {
            "inbound" => "ingress",
            "outbound" => "egress",
            _ => "",
        },
    );
    Ok(row)
}
