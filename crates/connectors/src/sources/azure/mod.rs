//! Azure's logs: the Activity Log in both its forms, and the resource logs that travel in the same envelope.
//!
//! A diagnostic record says by category and operation whose it is; what is not the Activity Log never lands in
//! `AzureActivity`.

pub(super) mod activity;
pub(super) mod flow;
pub(super) mod portal;
pub(super) mod resource_logs;

use std::borrow::Cow;

use crate::json::{compact, text};

/// The parts of a resource id, as far as it has them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ResourceId<'a> {
    pub(crate) subscription: &'a str,
    pub(crate) group: &'a str,
    /// `Microsoft.Compute`: the last one named.
    pub(crate) provider: &'a str,
    /// `virtualMachines`, `virtualMachines/extensions`.
    pub(crate) kind: String,
    /// The last segment.
    pub(crate) name: &'a str,
}

impl<'a> ResourceId<'a> {
    pub(crate) fn parse(id: &'a str) -> ResourceId<'a> {
        let mut parts = ResourceId::default();
        let segments: Vec<&str> = id.split('/').filter(|segment| !segment.is_empty()).collect();
        let mut at = 0;
        while let Some(segment) = segments.get(at) {
            let value = segments.get(at + 1).copied().unwrap_or_default();
            if segment.eq_ignore_ascii_case("subscriptions") && parts.subscription.is_empty() {
                parts.subscription = value;
            } else if segment.eq_ignore_ascii_case("resourcegroups") && parts.group.is_empty() {
                parts.group = value;
            } else if segment.eq_ignore_ascii_case("providers") {
                parts.provider = value;
                parts.kind.clear();
            } else if !parts.provider.is_empty() {
                if !parts.kind.is_empty() {
                    parts.kind.push('/');
                }
                parts.kind.push_str(segment);
            }
            at += 2;
        }
        parts.name = segments.last().copied().unwrap_or_default();
        parts
    }
}

/// The text of a value that may be a localised pair: `{"value":"x","localizedValue":"X"}` is `x`.
pub(crate) fn pair_value(raw: &str) -> Option<Cow<'_, str>> {
    match super::Object::of(raw) {
        Some(pair) => pair.text("value").or_else(|| pair.text("Value")),
        None => super::string(raw),
    }
}

/// A value as compact JSON text, whether it is logged as JSON or as text that holds JSON.
pub(crate) fn json_text(raw: &str) -> Cow<'_, str> {
    let Some(inner) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return if raw == "null" { Cow::Borrowed("") } else { compact::compact(raw) };
    };
    let plain = text::unescape(inner);
    if plain.starts_with(['{', '[']) && super::is_json(&plain) {
        return match plain {
            Cow::Borrowed(plain) => compact::compact(plain),
            Cow::Owned(plain) => Cow::Owned(compact::compact(&plain).into_owned()),
        };
    }
    plain
}

/// An operation as the Activity Log names them: `Provider/type/verb`.
pub(crate) fn is_operation(name: &str) -> bool {
    let Some((provider, rest)) = name.split_once('/') else { return false };
    provider.contains('.') && rest.contains('/') && !name.contains(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_ids() {
        let id = "/SUBSCRIPTIONS/S1/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/VM/EXTENSIONS/E";
        let parts = ResourceId::parse(id);
        assert_eq!(
            (parts.subscription, parts.group, parts.provider, parts.name),
            ("S1", "G", "MICROSOFT.COMPUTE", "E")
        );
        assert_eq!(parts.kind, "VIRTUALMACHINES/EXTENSIONS");
        let parts = ResourceId::parse("/subscriptions/s/resourceGroups/g");
        assert_eq!((parts.group, parts.provider, parts.name), ("g", "", "g"));
        assert_eq!(ResourceId::parse(""), ResourceId::default());
        let parts = ResourceId::parse("/subscriptions/s/providers/A.B/c/d/providers/Microsoft.Authorization/locks/l");
        assert_eq!((parts.provider, parts.kind.as_str()), ("Microsoft.Authorization", "locks"));
    }

    #[test]
    fn json_as_json_and_as_text_reads_the_same() {
        assert_eq!(json_text(r#"{ "a": 1 }"#), r#"{"a":1}"#);
        assert_eq!(json_text(r#""{ \"a\": 1 }""#), r#"{"a":1}"#);
        assert_eq!(json_text(r#""plain""#), "plain");
        assert_eq!(json_text("null"), "");
    }

    #[test]
    fn operations() {
        assert!(is_operation("MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE"));
        assert!(!is_operation("GetBlob") && !is_operation("Sign-in activity") && !is_operation("a/b"));
    }
}
