//! Signatures as text, for the reference and for editors.

use std::fmt::Write;

use kql_types::{Overload, Param, ParamType, ResultName, Return};

use crate::{Aggregate, Function};

/// One line for each way to call a function: `substring(source: string, start: long [, length: long]) → string`.
pub fn signatures(function: &Function) -> Vec<String> {
    function.overloads.iter().map(|overload| call(function.name, overload)).collect()
}

/// The same for an aggregate.
pub fn aggregate_signatures(aggregate: &Aggregate) -> Vec<String> {
    aggregate.overloads.iter().map(|overload| call(aggregate.name, overload)).collect()
}

/// One line for each way to write an operator: `text: string has search: string → bool`.
pub fn operator_signatures(operator: &Function) -> Vec<String> {
    operator.overloads.iter().map(|overload| infix(operator.name, overload)).collect()
}

/// How a column is named that has a call for its value and no name. None: by place (`Column1`, `print_0`).
pub fn result_name(name: &str, rule: ResultName) -> Option<String> {
    match rule {
        ResultName::None => None,
        ResultName::FirstArgument => Some("the name of the first argument".to_owned()),
        ResultName::NameAndFirstArgument => Some(format!("`{name}_` and the name of the first argument")),
        ResultName::PrefixAndFirstArgument(prefix) => Some(format!("`{prefix}` and the name of the first argument")),
        ResultName::PrefixOnly(prefix) => Some(format!("`{prefix}`")),
        ResultName::PrefixAndTwoArguments(prefix) => {
            Some(format!("`{prefix}` and the names of the first two arguments"))
        }
        ResultName::PrefixFirstArgumentAndValue(prefix) => {
            Some(format!("`{prefix}`, the name of the first argument, and the value"))
        }
        ResultName::OnlyArgument => Some("the name of the argument, when there is just one".to_owned()),
        ResultName::FirstArgumentValueIfColumn => Some("the column that the first argument names".to_owned()),
    }
}

fn call(name: &str, overload: &Overload) -> String {
    let mut out = format!("{name}(");
    let mut open = 0;
    for (place, param) in overload.params.iter().enumerate() {
        let separator = if place == 0 { "" } else { ", " };
        if param.repeat {
            let _ = write!(out, "{separator}...");
        } else if param.optional {
            let _ = write!(out, "{}[{separator}{}", if place == 0 { "" } else { " " }, parameter(param));
            open += 1;
        } else {
            let _ = write!(out, "{separator}{}", parameter(param));
        }
    }
    if overload.params.first().is_some_and(|param| param.repeat) {
        // Nothing but repeated parameters: say what they are.
        let named: Vec<String> = overload.params.iter().map(parameter).collect();
        out = format!("{name}({}, ...", named.join(", "));
    }
    out.push_str(&"]".repeat(open));
    let _ = write!(out, ") → {}", returned(overload));
    out
}

fn infix(symbol: &str, overload: &Overload) -> String {
    let result = returned(overload);
    match overload.params {
        [only] => format!("{symbol}{} → {result}", parameter(only)),
        [left, right] if right.repeat => format!("{} {symbol} ({}, ...) → {result}", parameter(left), parameter(right)),
        [left, right] => format!("{} {symbol} {} → {result}", parameter(left), parameter(right)),
        [value, low, high] if symbol.ends_with("between") => {
            format!("{} {symbol} ({} .. {}) → {result}", parameter(value), parameter(low), parameter(high))
        }
        _ => call(symbol, overload),
    }
}

fn parameter(param: &Param) -> String {
    let constant = if param.constant { "constant " } else { "" };
    format!("{}: {constant}{}", param.name, accepted(param.ty))
}

fn accepted(ty: ParamType) -> String {
    match ty {
        ParamType::Any => "any".to_owned(),
        ParamType::Type(ty) => ty.to_string(),
        ParamType::StringOrDynamic | ParamType::TextLike => "string | dynamic".to_owned(),
        ParamType::Integer => "int | long".to_owned(),
        ParamType::Number => "number".to_owned(),
        ParamType::Summable => "number | timespan | datetime".to_owned(),
        ParamType::Orderable => "any but dynamic".to_owned(),
        ParamType::Common => "T".to_owned(),
        ParamType::Dynamic => "dynamic".to_owned(),
        ParamType::Table => "table".to_owned(),
    }
}

fn returned(overload: &Overload) -> String {
    let name = |index: usize| overload.params.get(index).map_or("the argument", |param| param.name);
    match overload.returns {
        Return::Type(ty) => ty.to_string(),
        Return::Argument(index) => format!("type of {}", name(index)),
        Return::Common | Return::CommonNonDynamic => "T".to_owned(),
        Return::Widened(index) => format!("type of {}, int as long", name(index)),
        Return::Custom(_) | Return::FromConstants(_) => "by the arguments".to_owned(),
        Return::Columns(columns) => {
            let fields: Vec<String> = columns.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
            format!("({})", fields.join(", "))
        }
        Return::SortedArguments => "dynamic, one for each array".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_read_as_they_are_written() {
        let show = |name| signatures(crate::function(name).unwrap()).join("\n");
        assert_eq!(show("strlen"), "strlen(source: string | dynamic) → long");
        assert_eq!(
            show("substring"),
            "substring(source: string | dynamic, startingIndex: int | long [, length: int | long]) → string"
        );
        assert_eq!(show("strcat"), "strcat(arg: any, ...) → string");
        let show = |name| operator_signatures(crate::operator(name).unwrap()).join("\n");
        assert_eq!(show("in"), "value: any in (item: any, ...) → bool");
        assert_eq!(show("has"), "text: string | dynamic has search: string | dynamic → bool");
    }
}
