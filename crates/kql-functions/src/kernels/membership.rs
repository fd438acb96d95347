//! `in`, `!in`, `in~`, `!in~` over values, where a dynamic array stands for its elements.
//!
//! A null is in no list. Lists of literals beside a column of the same type never come here: plans have a form of
//! their own for these.

use std::collections::HashSet;

use kql_types::Dynamic;

use super::dynamic_args::Dynamics;
use super::printed::Printed;
use super::{Args, KernelResult};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Sensitive,
    Ignored,
}

impl Case {
    fn fold(self, text: &str) -> String {
        match self {
            Case::Sensitive => text.to_owned(),
            Case::Ignored => text.to_lowercase(),
        }
    }
}

pub fn is_in(args: &Args<'_>) -> KernelResult {
    eval(args, Case::Sensitive, true)
}

pub fn not_in(args: &Args<'_>) -> KernelResult {
    eval(args, Case::Sensitive, false)
}

pub fn is_in_ignoring_case(args: &Args<'_>) -> KernelResult {
    eval(args, Case::Ignored, true)
}

pub fn not_in_ignoring_case(args: &Args<'_>) -> KernelResult {
    eval(args, Case::Ignored, false)
}

/// The right side of a row.
enum List {
    /// Folded texts.
    Texts(HashSet<String>),
    Values(Vec<Dynamic>),
}

impl List {
    fn of(items: &[Dynamics<'_>], row: usize, case: Case) -> List {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            match item.at(row) {
                Dynamic::Array(elements) => values.extend(elements),
                value => values.push(value),
            }
        }
        let text = |value: &Dynamic| match value {
            Dynamic::String(text) | Dynamic::Guid(text) => Some(case.fold(text)),
            _ => None,
        };
        match values.iter().map(text).collect() {
            Some(texts) => List::Texts(texts),
            None => List::Values(values),
        }
    }
}

fn eval(args: &Args<'_>, case: Case, wanted: bool) -> KernelResult {
    let items = Dynamics::from(args, 1)?;
    let (value, printed) = (Dynamics::of(args, 0)?, args.printed(0)?);
    let mut find = Finder { value, printed, case, buffer: String::new() };
    if args.constant.iter().skip(1).all(|constant| *constant) {
        let list = List::of(&items, 0, case);
        return args.to_flags(|row| find.is_in(&list, args.is_null(0, row), row) == wanted);
    }
    args.to_flags(|row| find.is_in(&List::of(&items, row, case), args.is_null(0, row), row) == wanted)
}

struct Finder<'a> {
    value: Dynamics<'a>,
    printed: Printed<'a>,
    case: Case,
    buffer: String,
}

impl Finder<'_> {
    fn is_in(&mut self, list: &List, null: bool, row: usize) -> bool {
        match list {
            _ if null => false,
            List::Texts(texts) => match (self.case, &self.value) {
                // A dynamic bool prints in lower case, and equals "True" as well.
                (Case::Sensitive, Dynamics::Dynamic(_)) => match self.value.at(row) {
                    Dynamic::Bool(value) => texts.iter().any(|text| text.eq_ignore_ascii_case(bool_text(value))),
                    _ => texts.contains(self.printed.at(row, &mut self.buffer)),
                },
                (Case::Sensitive, _) => texts.contains(self.printed.at(row, &mut self.buffer)),
                (Case::Ignored, _) => texts.contains(&self.case.fold(self.printed.at(row, &mut self.buffer))),
            },
            List::Values(values) => {
                let value = self.value.at(row);
                values.iter().any(|item| equal(&value, item, self.case))
            }
        }
    }
}

fn bool_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// As `==` over two values: the same, or one prints as the text that the other is.
fn equal(value: &Dynamic, item: &Dynamic, case: Case) -> bool {
    match (value, item) {
        (Dynamic::Null, _) | (_, Dynamic::Null) => false,
        (Dynamic::Bool(value), Dynamic::String(text)) | (Dynamic::String(text), Dynamic::Bool(value)) => {
            text.eq_ignore_ascii_case(bool_text(*value))
        }
        (Dynamic::String(text), other) | (other, Dynamic::String(text)) => {
            case.fold(text) == case.fold(&other.to_text())
        }
        _ => value.same(item),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::KernelFn;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType::Bool;

    fn holds(kernel: KernelFn, cells: &[Cell]) -> bool {
        call(kernel, cells, Bool) == Cell::Bool(true)
    }

    #[test]
    fn texts() {
        let list = ["a".into(), "B".into()];
        let with = |value: Cell| [&[value], list.as_slice()].concat();
        assert!(holds(is_in, &with("a".into())) && !holds(is_in, &with("b".into())));
        assert!(holds(is_in_ignoring_case, &with("b".into())) && holds(not_in, &with("b".into())));
        assert!(holds(is_in, &with(Cell::dynamic("\"a\""))) && !holds(is_in, &with(Cell::dynamic("1"))));
        assert!(!holds(is_in, &with(Cell::Dynamic(None))) && holds(not_in_ignoring_case, &with(Cell::Dynamic(None))));
    }

    #[test]
    fn arrays_stand_for_their_elements() {
        let list = Cell::dynamic(r#"[1,2.5,"x"]"#);
        assert!(holds(is_in, &[1.into(), list.clone()]) && holds(is_in, &[2.5.into(), list.clone()]));
        assert!(holds(is_in, &["x".into(), list.clone()]) && !holds(is_in, &["y".into(), list]));
        assert!(holds(is_in, &[7.into(), 1.into(), 7.into()]) && !holds(is_in, &[Cell::Null, 1.into()]));
        assert!(holds(is_in, &[Cell::dynamic("true"), "True".into()]));
    }
}
