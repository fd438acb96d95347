//! Events of CloudWatch Logs: the envelope around whatever was logged.
//!
//! A message that is a JSON object is read as the record it is; any other as a line of text.

use std::borrow::Cow;

use super::{Mapped, Maps, Place, Record, Source};

pub(super) static EVENT: Source = Source { name: "aws-cloudwatch", recognise: is_event, map: unwrap, guide: None };

fn is_event(record: &Record<'_>) -> bool {
    record.raw("message").is_some_and(|raw| raw.starts_with('"'))
        && record.raw("timestamp").is_some_and(|raw| raw.bytes().all(|byte| byte.is_ascii_digit()))
        && ["id", "eventId", "ingestionTime", "logStreamName"].iter().any(|name| record.has(name))
}

fn unwrap<'r>(record: &Record<'r>, _maps: &Maps, _place: &Place<'_>) -> Mapped<'r> {
    match record.text("message") {
        Some(message) if message.trim_start().starts_with('{') => Mapped::Inner(trimmed(message)),
        Some(message) => Mapped::Line(trimmed(message)),
        None => Mapped::Other("CloudWatch event without a message".into()),
    }
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}
