//! Avro container files: what Event Hubs captures, and what BigQuery exports.

use std::io::Read;
use std::sync::Once;

use apache_avro::schema::{Name, RecordSchema, Schema};
use apache_avro::types::Value;
use apache_avro::{Reader, util};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kql_types::datetime::{self, UNIX_EPOCH};

use super::{Blocks, is_capture, push_body};
use crate::json::text::quoted;

/// A block or a value may take this much memory.
const ALLOCATION_MAX: usize = 64 << 20;
/// Lines given at a time.
const LINES: usize = 64;

pub(super) struct Records<'r> {
    reader: Reader<'static, Box<dyn Read + 'r>>,
    capture: bool,
}

impl<'r> Records<'r> {
    pub(super) fn open(reader: Box<dyn Read + 'r>) -> Result<Records<'r>, String> {
        static LIMIT: Once = Once::new();
        LIMIT.call_once(|| {
            util::max_allocation_bytes(ALLOCATION_MAX);
        });
        let reader = Reader::new(reader).map_err(|error| error.to_string())?;
        let schema = reader.writer_schema();
        if recurses(schema, &mut Vec::new()) {
            // The decoder follows such values on its stack, as deep as a file wants it to.
            return Err("unsupported: Avro schema that contains itself".to_owned());
        }
        let capture = match schema {
            Schema::Record(record) => is_capture(record.fields.iter().map(|field| field.name.as_str())),
            _ => false,
        };
        Ok(Records { reader, capture })
    }
}

fn recurses(schema: &Schema, above: &mut Vec<Name>) -> bool {
    match schema {
        Schema::Ref { name } => above.contains(name),
        Schema::Array(array) => recurses(&array.items, above),
        Schema::Map(map) => recurses(&map.types, above),
        Schema::Union(union) => union.variants().iter().any(|variant| recurses(variant, above)),
        Schema::Record(RecordSchema { name, fields, .. }) => {
            above.push(name.clone());
            let found = fields.iter().any(|field| recurses(&field.schema, above));
            above.pop();
            found
        }
        _ => false,
    }
}

impl Blocks for Records<'_> {
    fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, String> {
        for _ in 0..LINES {
            let Some(value) = self.reader.next() else { return Ok(false) };
            let value = value.map_err(|error| error.to_string())?;
            match (self.capture, &value) {
                (true, Value::Record(fields)) => match fields.iter().find(|(name, _)| name == "Body") {
                    Some((_, Value::Bytes(body))) => push_body(body, out),
                    Some((_, Value::Union(_, inner))) => match inner.as_ref() {
                        Value::Bytes(body) => push_body(body, out),
                        _ => write_line(&value, out),
                    },
                    _ => write_line(&value, out),
                },
                _ => write_line(&value, out),
            }
        }
        Ok(true)
    }
}

fn write_line(value: &Value, out: &mut Vec<u8>) {
    let mut line = String::new();
    write(value, &mut line);
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}

fn write(value: &Value, out: &mut String) {
    let ticks =
        |number: i64, per_tick: i64| number.checked_mul(per_tick).and_then(|ticks| ticks.checked_add(UNIX_EPOCH));
    let time = |ticks: Option<i64>| match ticks.and_then(datetime::checked) {
        Some(ticks) => quoted(&datetime::format(ticks)),
        None => "null".to_owned(),
    };
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Long(value) => out.push_str(&value.to_string()),
        Value::Float(value) => real(f64::from(*value), out),
        Value::Double(value) => real(*value, out),
        Value::Bytes(bytes) | Value::Fixed(_, bytes) => out.push_str(&match std::str::from_utf8(bytes) {
            Ok(text) => quoted(text),
            Err(_) => quoted(&STANDARD.encode(bytes)),
        }),
        Value::String(text) | Value::Enum(_, text) => out.push_str(&quoted(text)),
        Value::Union(_, inner) => write(inner, out),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                out.push(if index == 0 { '[' } else { ',' });
                write(item, out);
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Value::Map(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            object(members.into_iter(), out);
        }
        Value::Record(fields) => object(fields.iter().map(|(name, value)| (name, value)), out),
        Value::Date(days) => out.push_str(&time(ticks(i64::from(*days), datetime::TICKS_PER_DAY))),
        Value::TimestampMillis(number) | Value::LocalTimestampMillis(number) => {
            out.push_str(&time(ticks(*number, 10_000)))
        }
        Value::TimestampMicros(number) | Value::LocalTimestampMicros(number) => out.push_str(&time(ticks(*number, 10))),
        Value::TimestampNanos(number) | Value::LocalTimestampNanos(number) => {
            out.push_str(&time(ticks(number / 100, 1)))
        }
        Value::TimeMillis(number) => out.push_str(&number.to_string()),
        Value::TimeMicros(number) => out.push_str(&number.to_string()),
        Value::Uuid(id) => out.push_str(&quoted(&id.to_string())),
        Value::Decimal(_) | Value::BigDecimal(_) | Value::Duration(_) => out.push_str(&quoted(&format!("{value:?}"))),
    }
}

fn real(value: f64, out: &mut String) {
    match value.is_finite() {
        true => out.push_str(&format!("{value:?}")),
        false => out.push_str(&quoted(&value.to_string())),
    }
}

fn object<'v>(members: impl Iterator<Item = (&'v String, &'v Value)>, out: &mut String) {
    out.push('{');
    for (index, (name, value)) in members.enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&quoted(name));
        out.push(':');
        write(value, out);
    }
    out.push('}');
}
