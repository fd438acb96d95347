//! `array_sort_asc` and `array_sort_desc`: one array gives the order, further ones follow.

use std::cmp::Ordering;

use kql_types::{Dynamic, ScalarType};

use super::arrays::write_items;
use super::canonical::array_items;
use super::dynamic_args::Dynamics;
use super::{Args, KernelResult};

/// `array_sort_asc(array, ..., nulls_last)`
pub fn array_sort_asc(args: &Args<'_>) -> KernelResult {
    sort(args, false)
}

/// `array_sort_desc(array, ..., nulls_last)`
pub fn array_sort_desc(args: &Args<'_>) -> KernelResult {
    sort(args, true)
}

/// Kinds in the order they are sorted: numbers and times, strings, guids, all else.
fn kind(value: &Dynamic) -> u8 {
    match value {
        Dynamic::Long(_) | Dynamic::Real(_) | Dynamic::Decimal(_) | Dynamic::DateTime(_) | Dynamic::TimeSpan(_) => 0,
        Dynamic::String(_) => 1,
        Dynamic::Guid(_) => 2,
        _ => 3,
    }
}

fn order(a: &Dynamic, b: &Dynamic) -> Ordering {
    kind(a).cmp(&kind(b)).then_with(|| match (a, b) {
        // Values of the last kind keep their places.
        _ if kind(a) == 3 => Ordering::Equal,
        (Dynamic::DateTime(a) | Dynamic::TimeSpan(a), Dynamic::DateTime(b) | Dynamic::TimeSpan(b)) => a.cmp(b),
        _ => a.order(b),
    })
}

/// The places of the elements in sorted order.
fn sorted_places(items: &[&str], descending: bool, nulls_last: bool) -> Vec<usize> {
    let values: Vec<Option<Dynamic>> =
        items.iter().map(|item| Dynamic::parse(item).filter(|value| !value.is_null())).collect();
    let mut places: Vec<usize> = (0..items.len()).collect();
    places.sort_by(|&a, &b| match (values.get(a).and_then(Option::as_ref), values.get(b).and_then(Option::as_ref)) {
        (Some(a), Some(b)) if descending => order(b, a),
        (Some(a), Some(b)) => order(a, b),
        (None, None) => Ordering::Equal,
        (None, Some(_)) => {
            if nulls_last {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        (Some(_), None) => {
            if nulls_last {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
    });
    places
}

fn sort(args: &Args<'_>, descending: bool) -> KernelResult {
    let dynamic = |index: &usize| args.ty(*index) == ScalarType::Dynamic;
    let arrays = (0..args.count()).filter(dynamic).map(|index| args.text(index)).collect::<Result<Vec<_>, _>>()?;
    let nulls_last = match (0..args.count()).find(|index| args.ty(*index) == ScalarType::Bool) {
        Some(index) => Dynamics::of(args, index)?,
        None => Dynamics::Absent,
    };
    args.to_dynamics(|row, out| {
        let nulls_last = nulls_last.at(row) != Dynamic::Bool(false);
        let (first, rest) = arrays.split_first()?;
        let keys: Option<Vec<&str>> = first.opt(row).and_then(array_items).map(Iterator::collect);
        let places = keys.as_deref().map(|keys| sorted_places(keys, descending, nulls_last));
        if rest.is_empty() {
            let keys = keys?;
            write_items(places?.into_iter().filter_map(|place| keys.get(place).copied()), out);
            return Some(());
        }
        out.push('[');
        for (index, array) in arrays.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            let items: Option<Vec<&str>> = array.opt(row).and_then(array_items).map(Iterator::collect);
            match (items, &places) {
                (Some(items), Some(places)) if items.len() == places.len() => {
                    write_items(places.iter().filter_map(|place| items.get(*place).copied()), out);
                }
                _ => out.push_str("null"),
            }
        }
        out.push(']');
        Some(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};

    fn asc(cells: &[Cell]) -> Cell {
        call(array_sort_asc, cells, ScalarType::Dynamic)
    }

    #[test]
    fn nulls_stand_last_unless_told() {
        let words = Cell::dynamic(r#"[null,"blue","yellow","green",null]"#);
        assert_eq!(asc(std::slice::from_ref(&words)), r#"["blue","green","yellow",null,null]"#.into());
        assert_eq!(asc(&[words.clone(), Cell::Bool(false)]), r#"[null,null,"blue","green","yellow"]"#.into());
        assert_eq!(
            call(array_sort_desc, &[words], ScalarType::Dynamic),
            r#"["yellow","green","blue",null,null]"#.into()
        );
    }

    #[test]
    fn further_arrays_follow() {
        let (a, b) = (Cell::dynamic("[1,3,4,5,2]"), Cell::dynamic(r#"["a","b","c","d","e"]"#));
        assert_eq!(asc(&[a.clone(), b]), r#"[[1,2,3,4,5],["a","e","b","c","d"]]"#.into());
        assert_eq!(asc(&[a, Cell::dynamic("[1]")]), "[[1,2,3,4,5],null]".into());
    }

    #[test]
    fn kinds() {
        assert_eq!(asc(&[Cell::dynamic(r#"["b",2,{"x":1},1.5,"a",true]"#)]), r#"[1.5,2,"a","b",{"x":1},true]"#.into());
        assert_eq!(asc(&[Cell::dynamic("{}")]), Cell::Null);
    }
}
