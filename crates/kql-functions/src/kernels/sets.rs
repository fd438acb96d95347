//! Dynamic arrays as sets.
//!
//! Elements are the same when their canonical texts are, keys of bags in any order. The first appearance gives the
//! place. What is no array is left out.

use std::collections::HashSet;

use super::access::Text;
use super::arrays::write_items;
use super::canonical::array_items;
use super::dynamic_args::Dynamics;
use super::elements::element_key;
use super::{Args, KernelError, KernelResult};
use kql_types::Dynamic;

fn arrays<'a>(args: &Args<'a>) -> Result<Vec<Text<'a>>, KernelError> {
    (0..args.count()).map(|index| args.text(index)).collect()
}

fn keys(array: &Text<'_>, row: usize) -> Option<HashSet<u128>> {
    Some(array_items(array.opt(row)?)?.map(element_key).collect())
}

/// `set_union(set, ...)`
pub fn set_union(args: &Args<'_>) -> KernelResult {
    let sets = arrays(args)?;
    args.to_dynamics(|row, out| {
        let found: Vec<_> = sets.iter().filter_map(|set| array_items(set.opt(row)?)).collect();
        if found.is_empty() {
            return None;
        }
        let mut seen = HashSet::new();
        write_items(found.into_iter().flatten().filter(|item| seen.insert(element_key(item))), out);
        Some(())
    })
}

/// Distinct elements of the first set for which `keep` holds, given how many of the other sets have them.
fn of_first(args: &Args<'_>, keep: fn(usize, usize) -> bool) -> KernelResult {
    let sets = arrays(args)?;
    args.to_dynamics(|row, out| {
        let (first, others) = sets.split_first()?;
        let others: Vec<HashSet<u128>> = others.iter().map(|set| keys(set, row).unwrap_or_default()).collect();
        let mut seen = HashSet::new();
        let kept = array_items(first.opt(row)?)?.filter(|item| {
            let key = element_key(item);
            keep(others.iter().filter(|set| set.contains(&key)).count(), others.len()) && seen.insert(key)
        });
        write_items(kept, out);
        Some(())
    })
}

/// `set_intersect(set, ...)`
pub fn set_intersect(args: &Args<'_>) -> KernelResult {
    of_first(args, |having, others| having == others)
}

/// `set_difference(set, ...)`
pub fn set_difference(args: &Args<'_>) -> KernelResult {
    of_first(args, |having, _| having == 0)
}

/// `set_has_element(set, value)`
pub fn set_has_element(args: &Args<'_>) -> KernelResult {
    let (set, value) = (args.text(0)?, Dynamics::of(args, 1)?);
    args.to_bools(|row| {
        let value = value.at(row);
        let text = value.to_canonical();
        let key = element_key(&text);
        let number = matches!(value, Dynamic::Long(_) | Dynamic::Real(_));
        let same = |item: &str| {
            element_key(item) == key || (number && Dynamic::parse(item).is_some_and(|item| item.same(&value)))
        };
        Some(array_items(set.opt(row)?)?.any(same))
    })
}

/// `set_equals(set, set)`
pub fn set_equals(args: &Args<'_>) -> KernelResult {
    let (a, b) = (args.text(0)?, args.text(1)?);
    args.to_bools(|row| Some(keys(&a, row)? == keys(&b, row)?))
}

/// `jaccard_index(set1, set2)`: NaN when both are empty.
pub fn jaccard_index(args: &Args<'_>) -> KernelResult {
    let (a, b) = (args.text(0)?, args.text(1)?);
    args.to_reals(|row| {
        let (a, b) = (keys(&a, row)?, keys(&b, row)?);
        Some(a.intersection(&b).count() as f64 / a.union(&b).count() as f64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType;

    #[test]
    fn sets() {
        let cells = [Cell::dynamic(r#"[1,2,1,{"a":1,"b":2}]"#), Cell::dynamic(r#"[{"b":2,"a":1},2,"x"]"#)];
        let dynamic = |kernel| call(kernel, &cells, ScalarType::Dynamic);
        assert_eq!(dynamic(set_union), r#"[1,2,{"a":1,"b":2},"x"]"#.into());
        assert_eq!(dynamic(set_intersect), r#"[2,{"a":1,"b":2}]"#.into());
        assert_eq!(dynamic(set_difference), "[1]".into());
        assert_eq!(call(jaccard_index, &cells, ScalarType::Real), Cell::Real(0.5));
        let has = |value: Cell| call(set_has_element, &[Cell::dynamic(r#"["a",1]"#), value], ScalarType::Bool);
        assert_eq!([has("a".into()), has(1.0.into()), has("1".into())], [true, true, false].map(Cell::Bool));
    }
}
