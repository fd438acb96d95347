//! JSON text: `extract_json`, `dynamic_to_json`.

use std::borrow::Cow;

use kql_types::{Dynamic, ScalarType};

use super::dynamic_args::Dynamics;
use super::json_scan::Step;
use super::path::{Form, emit};
use super::{Args, KernelResult};

/// Reads a path: `$.a[0].b`, `$['a']["b"]`. None when it is none.
pub fn parse_path(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.trim().strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, next) = after.split_at(end);
            if name.is_empty() {
                return None;
            }
            steps.push(Step::key(name));
            rest = next;
            continue;
        }
        let inner = rest.strip_prefix('[')?;
        if let Some(quote) = inner.chars().next().filter(|c| matches!(c, '\'' | '"')) {
            let inner = inner.get(1..)?;
            let end = inner.find(quote)?;
            steps.push(Step::key(inner.get(..end)?));
            rest = inner.get(end + 1..)?.strip_prefix(']')?;
        } else {
            let end = inner.find(']')?;
            let (index, next) = inner.split_at(end);
            steps.push(index.trim().parse().map_or_else(|_| Step::key(index.trim()), Step::Index));
            rest = next.strip_prefix(']')?;
        }
    }
    Some(steps)
}

/// `extract_json(path, source, type)`
pub fn extract_json(args: &Args<'_>) -> KernelResult {
    let (path, source) = (args.text(0)?, args.text(1)?);
    let form = if args.ty(1) == ScalarType::String { Form::Raw } else { Form::Canonical };
    let constant = path.constant().map(parse_path);
    emit(args, &source, constant.is_some(), |row| {
        let steps = match &constant {
            Some(steps) => Cow::Borrowed(steps.as_deref()?),
            None => Cow::Owned(parse_path(path.at(row))?),
        };
        form.find(source.opt(row)?, &steps).filter(|found| found != "null")
    })
}

/// `dynamic_to_json(value)`: keys are sorted, so that the order of keys makes no difference.
pub fn dynamic_to_json(args: &Args<'_>) -> KernelResult {
    let value = Dynamics::of(args, 0)?;
    args.to_texts(|row, out| match value.at(row) {
        Dynamic::Null => {}
        value => value.sorted_keys().write_display_json(out),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};

    #[test]
    fn paths() {
        let keys = |steps: &[&str]| {
            steps.iter().map(|s| s.parse().map_or_else(|_| Step::key(s), Step::Index)).collect::<Vec<_>>()
        };
        assert_eq!(parse_path("$"), Some(vec![]));
        assert_eq!(parse_path("$.a[0].b"), Some(keys(&["a", "0", "b"])));
        assert_eq!(parse_path("$['a.b'][\"c\"]"), Some(keys(&["a.b", "c"])));
        for path in ["", "a", "$a", "$.", "$..a", "$[", "$['a"] {
            assert_eq!(parse_path(path), None, "{path}");
        }
    }

    #[test]
    fn values() {
        let json = r#"{"a": [{"b": "x", "n": 7}], "g": "0F8FAD5B-D9CB-469F-A165-70867728950E"}"#;
        let get = |path: &str, ty| call(extract_json, &[path.into(), json.into()], ty);
        assert_eq!(get("$.a[0].b", ScalarType::String), "x".into());
        assert_eq!(get("$.a[0].n", ScalarType::Long), Cell::Long(7));
        assert_eq!(get("$.a[1]", ScalarType::String), "".into());
        assert_eq!(get("$.a[0]", ScalarType::Dynamic), r#"{"b":"x","n":7}"#.into());
        assert_eq!(get("$.g", ScalarType::Guid), "0f8fad5b-d9cb-469f-a165-70867728950e".into());
        assert_eq!(get("$..", ScalarType::String), "".into());
        let sorted = call(dynamic_to_json, &[Cell::dynamic(r#"{"b":{"z":1,"y":2},"a":"x"}"#)], ScalarType::String);
        assert_eq!(sorted, r#"{"a":"x","b":{"y":2,"z":1}}"#.into());
    }
}
