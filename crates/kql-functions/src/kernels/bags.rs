//! Dynamic bags: making, joining, keys.
//!
//! What is no bag gives null. A key that begins with `$` is a path: `$.a.b`, `$['a']['b']`.

use kql_types::Dynamic;
use kql_types::dynamic::push_display_string;

use super::canonical::bag_entries;
use super::dynamic_args::Dynamics;
use super::json::parse_path;
use super::json_scan::{Step, find_canonical};
use super::{Args, KernelResult};

/// Sets a key in order of first appearance.
fn set(entries: &mut Vec<(String, Dynamic)>, key: String, value: Dynamic) {
    match entries.iter_mut().find(|(name, _)| *name == key) {
        Some(entry) => entry.1 = value,
        None => entries.push((key, value)),
    }
}

/// `bag_pack(key, value, ...)`: of equal keys the last value counts.
pub fn bag_pack(args: &Args<'_>) -> KernelResult {
    let mut pairs = Vec::with_capacity(args.count() / 2);
    for index in (0..args.count().saturating_sub(1)).step_by(2) {
        pairs.push((args.printed(index)?, Dynamics::of(args, index + 1)?));
    }
    let keys_constant = (0..args.count()).step_by(2).all(|index| args.constant.get(index).copied().unwrap_or(false));
    let mut names: Vec<String> = Vec::new();
    if keys_constant && args.rows > 0 {
        for (key, _) in &pairs {
            let mut name = String::new();
            key.write(0, &mut name);
            if names.contains(&name) {
                names.clear();
                break;
            }
            names.push(name);
        }
    }
    // Constant distinct keys, the usual case: the text is written at once.
    if names.len() == pairs.len() {
        return args.to_dynamics(|row, out| {
            out.push('{');
            for (index, (name, (_, value))) in names.iter().zip(&pairs).enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push_display_string(name, out);
                out.push(':');
                value.write(row, out);
            }
            out.push('}');
            Some(())
        });
    }
    args.to_dynamic_values(|row| {
        let mut entries = Vec::with_capacity(pairs.len());
        for (key, value) in &pairs {
            let mut name = String::new();
            key.write(row, &mut name);
            set(&mut entries, name, value.at(row));
        }
        Some(Dynamic::Bag(entries))
    })
}

/// `pack_all(ignoreNullEmpty, key, value, ...)`: with true, nulls and empty strings are left out. The binder has put the
/// names and values of the columns behind the argument.
pub fn pack_all(args: &Args<'_>) -> KernelResult {
    let ignore = args.boolean(0)?;
    let mut pairs = Vec::with_capacity(args.count() / 2);
    for index in (1..args.count().saturating_sub(1)).step_by(2) {
        pairs.push((args.text(index)?, Dynamics::of(args, index + 1)?));
    }
    args.to_dynamic_values(|row| {
        let ignore = ignore.opt(row) == Some(true);
        let empty = |value: &Dynamic| match value {
            Dynamic::Null => true,
            Dynamic::String(text) => text.is_empty(),
            _ => false,
        };
        let entries = pairs.iter().map(|(key, value)| (key.at(row).to_owned(), value.at(row)));
        Some(Dynamic::Bag(entries.filter(|(_, value)| !(ignore && empty(value))).collect()))
    })
}

/// `bag_keys(bag)`
pub fn bag_keys(args: &Args<'_>) -> KernelResult {
    let bag = args.text(0)?;
    args.to_dynamics(|row, out| {
        super::arrays::write_items(bag_entries(bag.opt(row)?)?.map(|(key, _)| key), out);
        Some(())
    })
}

/// The steps of a key: a path when it begins with `$`.
fn steps(key: &str) -> Option<Vec<Step>> {
    if key.starts_with('$') { parse_path(key) } else { Some(vec![Step::key(key)]) }
}

/// `bag_has_key(bag, key)`
pub fn bag_has_key(args: &Args<'_>) -> KernelResult {
    let (bag, key) = (args.text(0)?, args.text(1)?);
    args.to_bools(|row| {
        let text = bag.opt(row)?;
        bag_entries(text)?;
        Some(steps(key.at(row)).is_some_and(|steps| find_canonical(text, &steps).is_some()))
    })
}

/// `bag_merge(bag, bag, ...)`: of equal keys the first value counts; what is no bag is left out.
pub fn bag_merge(args: &Args<'_>) -> KernelResult {
    let bags = (0..args.count()).map(|index| args.text(index)).collect::<Result<Vec<_>, _>>()?;
    args.to_dynamics(|row, out| {
        let found: Vec<_> = bags.iter().filter_map(|bag| bag_entries(bag.opt(row)?)).collect();
        if found.is_empty() {
            return None;
        }
        let mut seen = std::collections::HashSet::new();
        out.push('{');
        for (key, value) in found.into_iter().flatten().filter(|(key, _)| seen.insert(*key)) {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(key);
            out.push(':');
            out.push_str(value);
        }
        out.push('}');
        Some(())
    })
}

/// `bag_remove_keys(bag, keys)`
pub fn bag_remove_keys(args: &Args<'_>) -> KernelResult {
    let (bag, keys) = (Dynamics::of(args, 0)?, Dynamics::of(args, 1)?);
    args.to_dynamic_values(|row| {
        let mut value = bag.at(row);
        value.as_bag()?;
        for key in keys.at(row).as_array()? {
            if let Dynamic::String(key) = key
                && let Some(steps) = steps(key)
            {
                remove(&mut value, &steps);
            }
        }
        Some(value)
    })
}

fn remove(value: &mut Dynamic, steps: &[Step]) {
    match (value, steps) {
        (Dynamic::Bag(entries), [Step::Key { name, .. }]) => entries.retain(|(key, _)| key != name),
        (Dynamic::Bag(entries), [Step::Key { name, .. }, rest @ ..]) => {
            if let Some((_, inner)) = entries.iter_mut().find(|(key, _)| key == name) {
                remove(inner, rest);
            }
        }
        (Dynamic::Array(items), [Step::Index(index), rest @ ..]) if !rest.is_empty() => {
            if let Some(inner) = usize::try_from(*index).ok().and_then(|index| items.get_mut(index)) {
                remove(inner, rest);
            }
        }
        _ => {}
    }
}

/// `bag_set_key(bag, key, value)`: bags on the way are made; null when something else stands there.
pub fn bag_set_key(args: &Args<'_>) -> KernelResult {
    let (bag, key, value) = (Dynamics::of(args, 0)?, args.text(1)?, Dynamics::of(args, 2)?);
    args.to_dynamic_values(|row| {
        let mut target = bag.at(row);
        target.as_bag()?;
        put(&mut target, &steps(key.at(row))?, value.at(row))?;
        Some(target)
    })
}

fn put(target: &mut Dynamic, steps: &[Step], value: Dynamic) -> Option<()> {
    let Dynamic::Bag(entries) = target else { return None };
    match steps {
        [Step::Key { name, .. }] => set(entries, name.clone(), value),
        [Step::Key { name, .. }, rest @ ..] => {
            if !entries.iter().any(|(key, _)| key == name) {
                entries.push((name.clone(), Dynamic::Bag(Vec::new())));
            }
            let (_, inner) = entries.iter_mut().find(|(key, _)| key == name)?;
            put(inner, rest, value)?;
        }
        _ => return None,
    }
    Some(())
}

/// `bag_zip(keys, values)`: a key that is no string is left out with its value; a missing value is null.
pub fn bag_zip(args: &Args<'_>) -> KernelResult {
    let (keys, values) = (Dynamics::of(args, 0)?, Dynamics::of(args, 1)?);
    args.to_dynamic_values(|row| {
        let (keys, values) = (keys.at(row), values.at(row));
        let values = values.as_array().unwrap_or(&[]);
        let mut entries = Vec::new();
        for (index, key) in keys.as_array()?.iter().enumerate() {
            if let Dynamic::String(key) = key {
                set(&mut entries, key.clone(), values.get(index).cloned().unwrap_or(Dynamic::Null));
            }
        }
        Some(Dynamic::Bag(entries))
    })
}

/// `treepath(value)`: the paths of all parts; the elements of an array share one.
pub fn treepath(args: &Args<'_>) -> KernelResult {
    let value = Dynamics::of(args, 0)?;
    args.to_dynamic_values(|row| {
        let mut paths = Vec::new();
        gather_paths(&value.at(row), "", &mut paths);
        Some(Dynamic::Array(paths.into_iter().map(Dynamic::String).collect()))
    })
}

fn gather_paths(value: &Dynamic, path: &str, paths: &mut Vec<String>) {
    let mut visit = |inner: &Dynamic, path: String| {
        if !paths.contains(&path) {
            paths.push(path.clone());
        }
        gather_paths(inner, &path, paths);
    };
    match value {
        Dynamic::Bag(entries) => {
            entries.iter().for_each(|(key, inner)| visit(inner, format!("{path}['{key}']")));
        }
        Dynamic::Array(items) => items.iter().for_each(|inner| visit(inner, format!("{path}[0]"))),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::KernelFn;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType;

    fn dynamic(kernel: KernelFn, cells: &[Cell]) -> Cell {
        call(kernel, cells, ScalarType::Dynamic)
    }

    #[test]
    fn making() {
        assert_eq!(
            dynamic(bag_pack, &["a".into(), 1.into(), "b\"".into(), Cell::Null]),
            r#"{"a":1,"b\"":null}"#.into()
        );
        assert_eq!(dynamic(bag_pack, &["a".into(), 1.into(), "a".into(), 2.into()]), r#"{"a":2}"#.into());
        assert_eq!(
            dynamic(
                bag_merge,
                &[Cell::dynamic(r#"{"a":1}"#), Cell::dynamic("null"), Cell::dynamic(r#"{"a":2,"b":3}"#)]
            ),
            r#"{"a":1,"b":3}"#.into()
        );
        assert_eq!(dynamic(bag_merge, &[Cell::dynamic("{}"), Cell::dynamic("{}")]), "{}".into());
        assert_eq!(
            dynamic(bag_zip, &[Cell::dynamic(r#"["a",8,"b"]"#), Cell::dynamic("[1,2]")]),
            r#"{"a":1,"b":null}"#.into()
        );
        assert_eq!(dynamic(bag_zip, &[Cell::dynamic("\"a\""), Cell::dynamic("[1]")]), Cell::Null);
    }

    #[test]
    fn keys() {
        let bag = Cell::dynamic(r#"{"a":1,"b":{"c":2,"d":3},"e.f":4}"#);
        assert_eq!(dynamic(bag_keys, std::slice::from_ref(&bag)), r#"["a","b","e.f"]"#.into());
        let has = |key: &str| call(bag_has_key, &[bag.clone(), key.into()], ScalarType::Bool);
        assert_eq!([has("a"), has("e.f"), has("$.b.c"), has("$['b']['x']")], [true, true, true, false].map(Cell::Bool));
        assert_eq!(
            dynamic(bag_remove_keys, &[bag.clone(), Cell::dynamic(r#"["a","$.b.c"]"#)]),
            r#"{"b":{"d":3},"e.f":4}"#.into()
        );
        assert_eq!(
            dynamic(bag_set_key, &[Cell::dynamic(r#"{"a":1}"#), "$.b.c".into(), "x".into()]),
            r#"{"a":1,"b":{"c":"x"}}"#.into()
        );
        assert_eq!(dynamic(bag_set_key, &[Cell::dynamic(r#"{"a":1}"#), "$.a.c".into(), "x".into()]), Cell::Null);
        assert_eq!(dynamic(bag_keys, &[Cell::dynamic("[]")]), Cell::Null);
    }

    #[test]
    fn paths() {
        assert_eq!(
            dynamic(treepath, &[Cell::dynamic(r#"{"list":[1,{"x":"y"}]}"#)]),
            r#"["['list']","['list'][0]","['list'][0]['x']"]"#.into()
        );
    }
}
