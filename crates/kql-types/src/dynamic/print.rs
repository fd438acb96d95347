//! Dynamic values to text: canonical (for columns) and display (for output and `tostring`).

use std::fmt::Write;

use super::{Dynamic, PRIVATE_PREFIX};
use crate::{datetime, number, timespan};

/// How the scalars that JSON has not are written.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// Strings with the private prefix.
    Canonical,
    /// Plain strings.
    Display,
}

impl Dynamic {
    /// Compact JSON with the private prefix where a scalar is no JSON value: the text of columns.
    pub fn to_canonical(&self) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out);
        out
    }

    /// Appends what [`Dynamic::to_canonical`] gives.
    pub fn write_canonical(&self, out: &mut String) {
        self.write(Form::Canonical, out);
    }

    /// Compact JSON where datetime, timespan, guid, decimal, NaN and infinities are plain strings: what users see.
    pub fn to_display_json(&self) -> String {
        let mut out = String::new();
        self.write_display_json(&mut out);
        out
    }

    /// Appends what [`Dynamic::to_display_json`] gives.
    pub fn write_display_json(&self, out: &mut String) {
        self.write(Form::Display, out);
    }

    /// What `tostring` gives: a string as it is, null as `""`, a bool as `true`, arrays and bags as JSON.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write_text(&mut out);
        out
    }

    /// Appends what [`Dynamic::to_text`] gives.
    pub fn write_text(&self, out: &mut String) {
        match self {
            Dynamic::Null => {}
            Dynamic::String(text) | Dynamic::Guid(text) | Dynamic::Decimal(text) => out.push_str(text),
            Dynamic::DateTime(ticks) => datetime::format_into(*ticks, out),
            Dynamic::TimeSpan(ticks) => timespan::format_into(*ticks, out),
            Dynamic::Real(value) => number::format_real_into(*value, out),
            other => other.write(Form::Display, out),
        }
    }

    fn write(&self, form: Form, out: &mut String) {
        match self {
            Dynamic::Null => out.push_str("null"),
            Dynamic::Bool(true) => out.push_str("true"),
            Dynamic::Bool(false) => out.push_str("false"),
            Dynamic::Long(value) => {
                let _ = write!(out, "{value}");
            }
            Dynamic::Real(value) if value.is_finite() => number::format_real_into(*value, out),
            Dynamic::Real(value) => write_scalar(form, 'r', out, |out| {
                out.push_str(match (value.is_nan(), *value > 0.0) {
                    (true, _) => "NaN",
                    (false, true) => "Infinity",
                    (false, false) => "-Infinity",
                })
            }),
            Dynamic::Decimal(text) => write_scalar(form, 'm', out, |out| out.push_str(text)),
            Dynamic::Guid(text) => write_scalar(form, 'g', out, |out| out.push_str(text)),
            Dynamic::DateTime(ticks) => write_scalar(form, 'd', out, |out| datetime::format_into(*ticks, out)),
            Dynamic::TimeSpan(ticks) => write_scalar(form, 't', out, |out| timespan::format_into(*ticks, out)),
            Dynamic::String(text) if form == Form::Canonical => push_json_string(text, out),
            Dynamic::String(text) => push_display_string(text, out),
            Dynamic::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(form, out);
                }
                out.push(']');
            }
            Dynamic::Bag(entries) => {
                out.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    push_display_string(key, out);
                    out.push(':');
                    value.write(form, out);
                }
                out.push('}');
            }
        }
    }
}

fn write_scalar(form: Form, letter: char, out: &mut String, write: impl FnOnce(&mut String)) {
    out.push('"');
    if form == Form::Canonical {
        out.push(PRIVATE_PREFIX);
        out.push(letter);
    }
    write(out);
    out.push('"');
}

/// Appends a string value as canonical text has it: quoted, a private prefix at its start doubled.
pub fn push_json_string(text: &str, out: &mut String) {
    if text.starts_with(PRIVATE_PREFIX) {
        out.push('"');
        out.push(PRIVATE_PREFIX);
        push_escaped(text, out);
        out.push('"');
    } else {
        push_display_string(text, out);
    }
}

/// Appends a quoted JSON string.
pub fn push_display_string(text: &str, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('"');
    push_escaped(text, out);
    out.push('"');
}

fn push_escaped(text: &str, out: &mut String) {
    let mut start = 0;
    for (index, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0x00..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[start..index]);
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
        start = index + 1;
    }
    out.push_str(&text[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamic::arbitrary;
    use proptest::prelude::*;

    #[test]
    fn scalars_that_json_has_not() {
        let value = Dynamic::Array(vec![
            Dynamic::DateTime(0),
            Dynamic::TimeSpan(36_000_000_000),
            Dynamic::Real(f64::NAN),
            Dynamic::Real(f64::NEG_INFINITY),
            Dynamic::String("\u{E000}x".to_owned()),
        ]);
        assert_eq!(
            value.to_display_json(),
            "[\"0001-01-01T00:00:00.0000000Z\",\"01:00:00\",\"NaN\",\"-Infinity\",\"\u{E000}x\"]"
        );
        assert_eq!(
            value.to_canonical(),
            "[\"\u{E000}d0001-01-01T00:00:00.0000000Z\",\"\u{E000}t01:00:00\",\"\u{E000}rNaN\",\"\u{E000}r-Infinity\",\
             \"\u{E000}\u{E000}x\"]"
        );
    }

    #[test]
    fn tostring() {
        assert_eq!(Dynamic::String("a\"b".to_owned()).to_text(), "a\"b");
        assert_eq!(Dynamic::Null.to_text(), "");
        assert_eq!(Dynamic::Bool(true).to_text(), "true");
        assert_eq!(Dynamic::Array(vec![Dynamic::String("a\"\u{1}".to_owned())]).to_text(), "[\"a\\\"\\u0001\"]");
    }

    proptest! {
        #[test]
        fn canonical_text_reads_back(value in arbitrary::value()) {
            prop_assert_eq!(Dynamic::parse(&value.to_canonical()), Some(value));
        }

        #[test]
        fn display_text_is_json(value in arbitrary::value()) {
            prop_assert!(Dynamic::parse_json(&value.to_display_json()).is_some());
        }
    }
}
