//! VPC flow logs to `AWSVPCFlow`: files with a header as S3 gets them, lines without one as CloudWatch Logs keeps them,
//! and Parquet files.
//!
//! A value of `-` is none. `TimeGenerated` is the end of the interval that the record is of.

use std::borrow::Cow;

use super::guide::Guide;
use super::{LineSource, Mapped, Maps, Place, Record, Source};
use crate::fields::FieldList;
use crate::row::{Cell, Row};

pub(super) static RECORD: Source =
    Source { name: "aws-vpc-flow", recognise: is_record, map: map_record, guide: Some(&GUIDE) };
pub(super) static LINE: LineSource =
    LineSource { name: "aws-vpc-flow-line", recognise: is_line, map: map_line, guide: Some(&GUIDE) };

const TABLE: &str = "AWSVPCFlow";

static GUIDE: Guide = Guide {
    page: "aws-vpc-flow",
    title: "AWS VPC flow logs",
    tables: &[TABLE],
    exports: &[
        (
            "aws s3 sync s3://BUCKET/AWSLogs/ACCOUNT/vpcflowlogs/ flow/",
            "custom formats name their fields in the header, which must stay",
        ),
        (
            "aws logs filter-log-events --log-group-name GROUP --start-time MS --end-time MS > flow.json",
            "lines have no header: only the default format of version 2 is told by its order",
        ),
    ],
    recognised: "a header or columns with srcaddr and dstaddr; lines of 14 fields that begin with a version, an account and an interface",
    fields: &[&FIELDS],
    notes: &[
        "TimeGenerated is the interval's end.",
        "Records with log-status NODATA and SKIPDATA are rows without addresses.",
    ],
};

static FIELDS: FieldList = FieldList {
    name: "aws-vpc-flow",
    named_like: &[],
    fields: &[
        ("version", "Version"),
        ("account-id", "AccountId"),
        ("interface-id", "InterfaceId"),
        ("srcaddr", "SrcAddr"),
        ("dstaddr", "DstAddr"),
        ("srcport", "SrcPort"),
        ("dstport", "DstPort"),
        ("protocol", "Protocol"),
        ("packets", "Packets"),
        ("bytes", "Bytes"),
        ("start", "Start"),
        ("end", "End"),
        ("action", "Action"),
        ("log-status", "LogStatus"),
        ("vpc-id", "VpcId"),
        ("subnet-id", "SubnetId"),
        ("instance-id", "InstanceId"),
        ("tcp-flags", "TcpFlags"),
        ("type", "TrafficType"),
        ("pkt-srcaddr", "PktSrcAddr"),
        ("pkt-dstaddr", "PktDstAddr"),
        ("region", "Region"),
        ("az-id", "AzId"),
        ("sublocation-type", "SublocationType"),
        ("sublocation-id", "SublocationId"),
        ("pkt-src-aws-service", "PktSrcAwsService"),
        ("pkt-dst-aws-service", "PktDstAwsService"),
        ("flow-direction", "FlowDirection"),
        ("traffic-path", "TrafficPath"),
        ("ecs-cluster-arn", "EcsClusterArn"),
        ("ecs-cluster-name", "EcsClusterName"),
        ("ecs-container-instance-arn", "EcsContainerInstanceArn"),
        ("ecs-container-instance-id", "EcsContainerInstanceId"),
        ("ecs-container-id", "EcsContainerId"),
        ("ecs-second-container-id", "EcsSecondContainerId"),
        ("ecs-service-name", "EcsServiceName"),
        ("ecs-task-definition-arn", "EcsTaskDefinitionArn"),
        ("ecs-task-arn", "EcsTaskArn"),
        ("ecs-task-id", "EcsTaskId"),
    ],
};

/// The default format's fields, in their order.
const DEFAULT_FIELDS: &[&str] = &[
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
];

/// Parquet files and Athena have `_` where headers have `-`.
fn is_record(record: &Record<'_>) -> bool {
    record.has("srcaddr")
        && record.has("dstaddr")
        && ["interface-id", "interface_id", "log-status", "log_status", "action", "account-id", "account_id"]
            .iter()
            .any(|name| record.has(name))
}

fn map_record<'r>(record: &Record<'r>, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let Some(spec) = maps.table(TABLE) else { return Mapped::Other(format!("record of {TABLE}").into()) };
    let mut row = Row::new(&spec);
    for member in record.members {
        let (Some(name), Some(raw)) = (record.text.get(member.key.clone()), record.text.get(member.value.clone()))
        else {
            continue;
        };
        match column(&name.replace('_', "-")).and_then(|column| row.spec.column(column)) {
            _ if matches!(raw, "\"-\"" | "null") => {}
            Some(column) => row.set_json(column, raw),
            None => row.unmapped.push((Cow::Borrowed(name), raw)),
        }
    }
    finish(&mut row);
    Mapped::Row(Box::new(row))
}

fn column(field: &str) -> Option<&'static str> {
    FIELDS.fields.iter().find(|(name, _)| *name == field).map(|(_, column)| *column)
}

fn is_line(line: &str) -> bool {
    let mut fields = line.split(' ');
    let version = fields.next().unwrap_or_default();
    let account = fields.next().unwrap_or_default();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(version)
        && version.len() <= 2
        && (account.len() == 12 && digits(account) || account == "unknown")
        && fields.next().is_some_and(|interface| interface.starts_with("eni-") || interface == "-")
        && fields.count() == DEFAULT_FIELDS.len() - 3
}

fn map_line<'r>(line: &'r str, maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    let Some(spec) = maps.table(TABLE) else { return Mapped::Other(format!("record of {TABLE}").into()) };
    let mut row = Row::new(&spec);
    for (name, value) in DEFAULT_FIELDS.iter().zip(line.split(' ')).filter(|(_, value)| *value != "-") {
        if let Some(column) = column(name) {
            row.set(column, value);
        }
    }
    finish(&mut row);
    Mapped::Row(Box::new(row))
}

fn finish(row: &mut Row<'_>) {
    row.set("Type", TABLE);
    row.set("SourceSystem", "AWS");
    let ended = row.spec.column("End").and_then(|column| row.ticks(column));
    let began = row.spec.column("Start").and_then(|column| row.ticks(column));
    if let (Some(time), Some(ticks)) = (row.spec.time, ended.or(began)) {
        row.put(time, Cell::Long(ticks));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time;

    #[test]
    fn lines_of_the_default_format() {
        assert!(is_line("2 123456789012 eni-0a 10.0.0.1 10.0.0.2 443 5000 6 10 840 1772323200 1772323260 ACCEPT OK"));
        assert!(is_line("2 123456789012 eni-0a - - - - - - - 1772323200 1772323260 - NODATA"));
        assert!(!is_line("2 123456789012 eni-0a 10.0.0.1"));
        assert!(!is_line("20 files were found in eni-1"));
        assert_eq!(time::from_epoch("1772323260"), time::parse("2026-03-01T00:01:00Z"));
    }
}
