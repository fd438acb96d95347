//! What lies in the same buckets as CloudTrail's files and is no table's: told apart by content and counted by kind.

use super::{LineSource, Mapped, Maps, Place, Record, Source};

pub(super) static CONFIG: Source =
    Source { name: "aws-config", recognise: is_config, map: |_, _, _| Mapped::Other("AWS Config".into()), guide: None };
pub(super) static LOAD_BALANCER: LineSource =
    LineSource { name: "aws-elb", recognise: is_load_balancer, map: load_balancer, guide: None };
pub(super) static BUCKET: LineSource =
    LineSource { name: "aws-s3-access", recognise: is_bucket, map: bucket, guide: None };

fn is_config(record: &Record<'_>) -> bool {
    record.has("configurationItems") && (record.has("configSnapshotId") || record.has("fileVersion"))
        || record.has("configurationItem") && record.has("messageType")
        || record.has("configurationItemCaptureTime") && record.has("resourceType")
}

/// `https 2026-03-01T10:00:00.186641Z app/name/id 203.0.113.9:2817 10.0.0.1:80 0.0 0.0 0.0 200 200 ...`
fn is_load_balancer(line: &str) -> bool {
    const KINDS: &[&str] = &["http", "https", "h2", "grpcs", "ws", "wss", "tls"];
    let mut parts = line.split(' ');
    let kind = parts.next().unwrap_or_default();
    let time = if KINDS.contains(&kind) { parts.next().unwrap_or_default() } else { kind };
    let is_time = time.len() >= 20 && time.ends_with('Z') && time.as_bytes().get(10) == Some(&b'T');
    is_time && parts.count() >= 10 && line.contains('"')
}

fn load_balancer<'r>(_line: &'r str, _maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    Mapped::Other("line of a load balancer's access log".into())
}

/// `OWNER bucket [01/Mar/2026:10:00:00 +0000] 203.0.113.9 ...`
fn is_bucket(line: &str) -> bool {
    let mut parts = line.splitn(4, ' ');
    let (owner, _, time) = (parts.next().unwrap_or_default(), parts.next(), parts.next().unwrap_or_default());
    owner.len() == 64 && owner.bytes().all(|byte| byte.is_ascii_hexdigit()) && time.starts_with('[')
}

fn bucket<'r>(_line: &'r str, _maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    Mapped::Other("line of a bucket's access log".into())
}
