//! What a value must be, run backwards through the functions that make it to the places it is read from.
//!
//! Begin at [`Solver::act`].

use kql_semantics::bound::{AggregateCall, Expr, ExprKind, PathStep};
use kql_types::{ScalarType, Value};

use crate::pattern;
use crate::profile::Def;
use crate::solve::{DEPTH_MAX, PICKS, Solver, THROUGH_FIRST, THROUGH_LAST};
use crate::wish::{Action, Part, text_of};

impl<'a> Solver<'_, 'a> {
    /// Makes an expression what the action says, by wishes for what it reads.
    pub(crate) fn act(&mut self, expr: &Expr, action: &Action) -> bool {
        if self.depth > DEPTH_MAX {
            return false;
        }
        self.depth += 1;
        let done = self.act_here(expr, action);
        self.depth -= 1;
        done
    }

    pub(crate) fn act_here(&mut self, expr: &Expr, action: &Action) -> bool {
        match &expr.kind {
            ExprKind::Literal(value) => agrees(value, action),
            ExprKind::Column(id) => match self.profile.defs.get(id).copied() {
                Some(Def::Value(value)) => agrees(value, action),
                Some(Def::Expr(inner)) => self.act(inner, action),
                Some(Def::Aggregate(call)) => self.act_aggregate(call, action),
                Some(Def::Same(source)) => {
                    let column = Expr { kind: ExprKind::Column(source), ty: expr.ty, span: expr.span };
                    self.act(&column, action)
                }
                Some(_) => self.act_place(expr, action),
                None => false,
            },
            ExprKind::Convert(inner) => self.act(inner, action),
            ExprKind::Coalesce(args) => args.iter().any(|arg| self.act(arg, action)),
            ExprKind::Case { branches, otherwise } => {
                self.chosen(branches, otherwise, &|solver, value| solver.act(value, action))
            }
            ExprKind::Path { base, steps } => match &base.kind {
                ExprKind::Call { function, args } if !THROUGH_FIRST.contains(&function.name) => {
                    self.act_part_of_call(function.name, args, steps, action)
                }
                ExprKind::Column(id) => match self.profile.defs.get(id).copied() {
                    Some(Def::Expr(Expr { kind: ExprKind::Call { function, args }, .. }))
                        if !THROUGH_FIRST.contains(&function.name) =>
                    {
                        self.act_part_of_call(function.name, args, steps, action)
                    }
                    _ => self.act_place(expr, action),
                },
                _ => self.act_place(expr, action),
            },
            ExprKind::Call { function, args } => self.act_call(function.name, args, expr, action),
            ExprKind::IngestionTime => self.act_place(expr, action),
            _ => false,
        }
    }

    pub(crate) fn act_place(&mut self, expr: &Expr, action: &Action) -> bool {
        match self.place(expr) {
            Some(place) => self.wishes.entry(place).or_default().take(action),
            None => false,
        }
    }

    pub(crate) fn act_call(&mut self, name: &str, args: &[Expr], expr: &Expr, action: &Action) -> bool {
        let (first, last) = match args {
            [] => return false,
            [first, .., last] => (first, last),
            [only] => (only, only),
        };
        match name {
            "array_length" | "arraylength" => match (self.aggregate(first), action) {
                (Some(call), Action::Above(_) | Action::Equal(_) | Action::Below(_)) => self.count(call, action, true),
                (_, Action::Above(_) | Action::Filled(true)) => self.act(first, &Action::Filled(true)),
                (_, Action::Equal(value)) => text_of(value) == "1",
                _ => false,
            },
            "strlen" | "string_size" => match action {
                Action::Above(bound) if *bound < 4_000.0 => {
                    let long = "a1b2c3d4".repeat(*bound as usize / 8 + 1);
                    self.act(first, &Action::Text(Part::Inside, long))
                }
                _ => true,
            },
            "extract" => match (args, action) {
                ([pattern, group, source, ..], Action::Equal(_) | Action::Text(..) | Action::Filled(true)) => {
                    let wanted = match action {
                        Action::Equal(value) => Some(text_of(value)),
                        Action::Text(_, text) => Some(text.clone()),
                        _ => None,
                    };
                    let (Some(Value::String(pattern)), Some(group)) = (self.known(pattern), self.known(group)) else {
                        return false;
                    };
                    let group: u32 = text_of(&group).parse().unwrap_or(0);
                    let text = match (&wanted, group) {
                        (Some(wanted), 0) => Some(wanted.clone()),
                        (Some(wanted), _) => pattern::matching(&pattern, Some((group, wanted))),
                        (None, _) => pattern::matching(&pattern, None),
                    };
                    text.is_some_and(|text| self.act(source, &Action::Text(Part::Inside, text)))
                }
                _ => true,
            },
            "strcat" => args.iter().any(|arg| !matches!(arg.kind, ExprKind::Literal(_)) && self.act(arg, action)),
            "+" | "-" => self.act_sum(name, first, last, action),
            "*" | "/" => match (action, self.known(last).map(|value| text_of(&value).parse::<f64>())) {
                (Action::Above(bound), Some(Ok(factor))) if factor > 0.0 => {
                    let bound = if name == "/" { (bound + 1.0) * factor } else { bound / factor };
                    self.act(first, &Action::Above(bound))
                }
                (Action::Above(_), None) => self.act(first, action),
                _ => false,
            },
            "pack_array" | "bag_pack" | "pack" | "pack_dictionary" => match action {
                Action::Text(..) => {
                    args.iter().any(|arg| !matches!(arg.kind, ExprKind::Literal(_)) && self.act(arg, action))
                }
                _ => matches!(action, Action::Filled(true)),
            },
            _ if THROUGH_FIRST.contains(&name) => self.act(first, action),
            _ if THROUGH_LAST.contains(&name) => self.act(last, action),
            _ if expr.ty == ScalarType::Bool => match action {
                Action::Equal(value) => self.hold(expr, text_of(value).eq_ignore_ascii_case("true")),
                Action::NotEqual(value) => self.hold(expr, !text_of(value).eq_ignore_ascii_case("true")),
                _ => false,
            },
            _ => matches!(action, Action::Filled(true) | Action::NotEqual(_) | Action::NoText(_)),
        }
    }

    /// `x + 1d` and `x - y` against a bound.
    pub(crate) fn act_sum(&mut self, name: &str, first: &Expr, last: &Expr, action: &Action) -> bool {
        let sign = if name == "+" { 1.0 } else { -1.0 };
        match (self.known(last), action) {
            (Some(Value::TimeSpan(span)), Action::After(ticks)) => {
                self.act(first, &Action::After(ticks - sign as i64 * span))
            }
            (Some(Value::TimeSpan(span)), Action::Before(ticks)) => {
                self.act(first, &Action::Before(ticks - sign as i64 * span))
            }
            (Some(value), Action::Above(bound)) => match text_of(&value).parse::<f64>() {
                Ok(number) => self.act(first, &Action::Above(bound - sign * number)),
                Err(_) => false,
            },
            (None, Action::Above(_)) => self.act(first, action),
            _ => true,
        }
    }

    /// `split(x, d)[1]`, `parse_url(x).Host`, `extract_all(r, x)[0]`, `parse_xml(x).a`.
    pub(crate) fn act_part_of_call(&mut self, name: &str, args: &[Expr], steps: &[PathStep], action: &Action) -> bool {
        let wanted = match action {
            Action::Equal(value) => text_of(value),
            Action::Text(_, text) => text.clone(),
            Action::Filled(true) => "x1".to_string(),
            _ => return !matches!(action, Action::Filled(false)),
        };
        match (name, args, steps) {
            ("split", [source, delimiter, ..], [PathStep::Index(index)]) => {
                let Some(Value::String(delimiter)) = self.known(delimiter) else { return false };
                match index {
                    0 => self.act(source, &Action::Text(Part::Start, format!("{wanted}{delimiter}"))),
                    -1 => self.act(source, &Action::Text(Part::End, format!("{delimiter}{wanted}"))),
                    1.. => {
                        let before = format!("p{delimiter}").repeat(usize::try_from(*index).unwrap_or(1).min(64));
                        self.act(source, &Action::Text(Part::Start, format!("{before}{wanted}{delimiter}")))
                    }
                    _ => false,
                }
            }
            ("parse_url" | "parseurl", [source], [PathStep::Key(key), ..]) => {
                let url = match key.as_str() {
                    "Host" => format!("https://{wanted}/path"),
                    "Path" => format!("https://site0.example{wanted}"),
                    "Scheme" => format!("{wanted}://site0.example/"),
                    _ => return false,
                };
                self.act(source, &Action::Equal(Value::String(url)))
            }
            ("extract_all" | "extractall", [pattern, .., source], _) => {
                let Some(Value::String(pattern)) = self.known(pattern) else { return false };
                let text = pattern::matching(&pattern, Some((1, &wanted)));
                text.is_some_and(|text| self.act(source, &Action::Text(Part::Inside, text)))
            }
            ("parse_command_line", [source, ..], _) => self.act(source, &Action::Text(Part::Inside, wanted)),
            _ => false,
        }
    }

    pub(crate) fn act_aggregate(&mut self, call: &'a AggregateCall, action: &Action) -> bool {
        let name = call.aggregate.name;
        if let (true, [_, .., condition]) = (name.ends_with("if"), call.args.as_slice())
            && condition.ty == ScalarType::Bool
        {
            self.hold(condition, true);
        }
        match name {
            "countif" => {
                let held = call.args.first().is_some_and(|condition| self.hold(condition, true));
                self.count(call, action, false) && held
            }
            "count" => self.count(call, action, false),
            "dcount" | "dcountif" | "count_distinct" | "count_distinctif" => self.count(call, action, true),
            _ if PICKS.contains(&name) => call.args.first().is_some_and(|arg| self.act(arg, action)),
            _ => false,
        }
    }

    /// Rows enough for a count, each with a value of its own where values are counted.
    pub(crate) fn count(&mut self, call: &'a AggregateCall, action: &Action, distinct: bool) -> bool {
        match action {
            Action::Above(bound) => {
                self.least = self.least.max((bound.max(0.0).floor() as usize).saturating_add(1));
                if distinct && *bound >= 1.0 {
                    return call.args.first().is_some_and(|arg| self.act(arg, &Action::Spread));
                }
            }
            Action::Below(bound) => self.most = self.most.min((bound.ceil() as usize).saturating_sub(1).max(1)),
            Action::Equal(value) => {
                let number: usize = text_of(value).parse().unwrap_or(1);
                self.least = self.least.max(number);
                if !distinct {
                    self.most = self.most.min(number.max(1));
                } else if number > 1 {
                    self.most = self.most.min(number);
                    return call.args.first().is_some_and(|arg| self.act(arg, &Action::Spread));
                }
            }
            _ => {}
        }
        true
    }
}

/// Whether a constant already is what is wanted.
fn agrees(value: &Value, action: &Action) -> bool {
    let text = text_of(value);
    let lower = text.to_lowercase();
    let number = || text.parse::<f64>().ok();
    match action {
        Action::Equal(wanted) => text_of(wanted).eq_ignore_ascii_case(&text),
        Action::NotEqual(other) => !text_of(other).eq_ignore_ascii_case(&text),
        Action::Text(_, part) => lower.contains(&part.to_lowercase()),
        Action::NoText(part) => !lower.contains(&part.to_lowercase()),
        Action::Filled(filled) => *filled != text.is_empty(),
        Action::Above(bound) => number().is_some_and(|number| number > *bound),
        Action::Below(bound) => number().is_some_and(|number| number < *bound),
        Action::After(ticks) => matches!(value, Value::DateTime(time) if time > ticks),
        Action::Before(ticks) => matches!(value, Value::DateTime(time) if time < ticks),
        Action::Regex(_) | Action::Later | Action::Spread => false,
    }
}
