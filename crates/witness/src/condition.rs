//! What must be true, run backwards into what the values in it must be.
//!
//! Begin at [`Solver::hold`].

use kql_semantics::bound::{Expr, ExprKind};
use kql_types::{Dynamic, ScalarType, Value};

use crate::profile::Def;
use crate::solve::{DEPTH_MAX, Solver};
use crate::wish::{Action, Part, text_of};

impl<'a> Solver<'_, 'a> {
    pub(crate) fn hold(&mut self, expr: &Expr, wanted: bool) -> bool {
        if self.depth > DEPTH_MAX {
            return false;
        }
        self.depth += 1;
        let held = self.hold_here(expr, wanted);
        self.depth -= 1;
        held
    }

    pub(crate) fn hold_here(&mut self, expr: &Expr, wanted: bool) -> bool {
        match &expr.kind {
            ExprKind::Literal(Value::Bool(value)) => *value == wanted,
            ExprKind::And(parts) if wanted => every(parts, |part| self.hold(part, true)),
            ExprKind::Or(parts) if !wanted => every(parts, |part| self.hold(part, false)),
            ExprKind::And(parts) | ExprKind::Or(parts) => {
                let count = parts.len();
                (0..count).any(|offset| {
                    let before = self.wishes.clone();
                    let held = self.hold(&parts[(offset + self.variant) % count], wanted);
                    if !held {
                        self.wishes = before;
                    }
                    held
                })
            }
            ExprKind::Not(inner) => self.hold(inner, !wanted),
            ExprKind::Convert(inner) if inner.ty == ScalarType::Bool => self.hold(inner, wanted),
            ExprKind::In { value, items, negated, .. } => {
                let items: Vec<Value> = items.iter().flat_map(literals).collect();
                self.among(value, &items, wanted != *negated)
            }
            ExprKind::Case { branches, otherwise } => {
                self.chosen(branches, otherwise, &|solver, value| solver.hold(value, wanted))
            }
            ExprKind::Column(id) => match self.profile.defs.get(id).copied() {
                Some(Def::Expr(inner)) => self.hold(inner, wanted),
                Some(Def::Aggregate(_)) | None => false,
                _ => self.act(expr, &Action::Equal(Value::Bool(wanted))),
            },
            ExprKind::Call { function, args } => self.hold_call(function.name, args, wanted),
            ExprKind::Path { .. } | ExprKind::Convert(_) => self.act(expr, &Action::Equal(Value::Bool(wanted))),
            _ => false,
        }
    }

    /// One branch of a case is taken: its condition holds, and what is wanted of its value.
    pub(crate) fn chosen(
        &mut self,
        branches: &[(Expr, Expr)],
        otherwise: &Expr,
        wanted: &dyn Fn(&mut Self, &Expr) -> bool,
    ) -> bool {
        for (index, (condition, value)) in branches.iter().enumerate() {
            let before = self.wishes.clone();
            let earlier = every(branches.get(..index).unwrap_or_default(), |(earlier, _)| self.hold(earlier, false));
            if earlier && wanted(self, value) && self.hold(condition, true) {
                return true;
            }
            self.wishes = before;
        }
        let before = self.wishes.clone();
        if wanted(self, otherwise) {
            branches.iter().for_each(|(condition, _)| {
                self.hold(condition, false);
            });
            return true;
        }
        self.wishes = before;
        false
    }

    pub(crate) fn among(&mut self, value: &Expr, items: &[Value], wanted: bool) -> bool {
        if !wanted {
            return every(items, |item| self.act(value, &Action::NotEqual(item.clone())));
        }
        (0..items.len()).any(|offset| {
            let item = items[(offset + self.variant) % items.len()].clone();
            self.act(value, &Action::Equal(item))
        })
    }

    pub(crate) fn hold_call(&mut self, name: &str, args: &[Expr], wanted: bool) -> bool {
        if let Some(positive) = name.strip_prefix('!').filter(|name| !name.starts_with(['=', '~'])) {
            return self.hold_call(positive, args, !wanted);
        }
        let Some(first) = args.first() else { return false };
        let rest: Vec<Value> = args.iter().skip(1).flat_map(|arg| self.values(arg)).collect();
        match name {
            "==" | "=~" => self.equal(args, wanted),
            "!=" | "<>" | "!~" => self.equal(args, !wanted),
            "<" | "<=" | ">" | ">=" => self.order(name, args, wanted),
            "between" => match args {
                [value, low, high] if wanted => self.order_of(value, ">=", low) && self.order_of(value, "<=", high),
                _ => false,
            },
            "in" | "in~" => self.among(first, &rest, wanted),
            "has_any" | "has_any_ipv4" | "has_any_ipv4_prefix" if wanted => (0..rest.len()).any(|offset| {
                let text = text_of(&rest[(offset + self.variant) % rest.len()]);
                self.act(first, &Action::Text(Part::Inside, text))
            }),
            "has_all" if wanted => every(&rest, |item| self.act(first, &Action::Text(Part::Inside, text_of(item)))),
            "has_any" | "has_all" => every(&rest, |item| self.act(first, &Action::NoText(text_of(item)))),
            "has" | "has_cs" | "contains" | "contains_cs" | "hasprefix" | "hasprefix_cs" | "hassuffix"
            | "hassuffix_cs" | "startswith" | "startswith_cs" | "endswith" | "endswith_cs" | "has_ipv4"
            | "has_ipv4_prefix" | ":" => {
                let Some(text) = rest.first().map(text_of) else { return false };
                let part = match name {
                    "startswith" | "startswith_cs" => Part::Start,
                    "endswith" | "endswith_cs" => Part::End,
                    _ => Part::Inside,
                };
                if wanted { self.act(first, &Action::Text(part, text)) } else { self.act(first, &Action::NoText(text)) }
            }
            "matches regex" => match rest.first().map(text_of) {
                Some(pattern) if wanted => self.act(first, &Action::Regex(pattern)),
                _ => !wanted,
            },
            "isnotempty" | "notempty" | "isnotnull" | "notnull" => self.act(first, &Action::Filled(wanted)),
            "isempty" | "isnull" => self.act(first, &Action::Filled(!wanted)),
            "ipv4_is_private" => {
                let address = if wanted { "10.0.0.7" } else { "203.0.113.7" };
                self.act(first, &Action::Equal(Value::String(address.into())))
            }
            "ipv4_is_in_range" | "ipv4_is_match" | "ipv4_is_in_any_range" | "ipv6_is_match" if wanted => {
                let range = rest.first().map(text_of).unwrap_or_default();
                let address = range.split('/').next().unwrap_or_default().to_string();
                self.act(first, &Action::Equal(Value::String(address)))
            }
            "set_has_element" if wanted => {
                rest.first().is_some_and(|item| self.act(first, &Action::Text(Part::Inside, text_of(item))))
            }
            "tobool" | "toboolean" => self.hold(first, wanted),
            _ => false,
        }
    }

    /// The literals on the right of a comparison, through columns of constants.
    pub(crate) fn values(&mut self, expr: &Expr) -> Vec<Value> {
        match self.known(expr) {
            Some(Value::Dynamic(Dynamic::Array(items))) => items.iter().filter_map(scalar_of).collect(),
            Some(value) => vec![value],
            None => literals(expr),
        }
    }

    pub(crate) fn equal(&mut self, args: &[Expr], wanted: bool) -> bool {
        let [left, right] = args else { return false };
        let action = |value: Value| if wanted { Action::Equal(value) } else { Action::NotEqual(value) };
        if let ExprKind::Literal(value) = &right.kind {
            return self.act(left, &action(value.clone()));
        }
        if let ExprKind::Literal(value) = &left.kind {
            return self.act(right, &action(value.clone()));
        }
        if wanted {
            return self.same(left, right);
        }
        match self.known(left) {
            Some(value) => self.act(right, &Action::NotEqual(value)),
            None => {
                let value = Value::String(format!("other{}", self.salt));
                left.ty == ScalarType::String && self.act(left, &Action::Equal(value))
            }
        }
    }

    pub(crate) fn order(&mut self, name: &str, args: &[Expr], wanted: bool) -> bool {
        let [left, right] = args else { return false };
        let name = match (name, wanted) {
            ("<", false) => ">=",
            ("<=", false) => ">",
            (">", false) => "<=",
            (">=", false) => "<",
            (name, _) => name,
        };
        self.order_of(left, name, right)
    }

    pub(crate) fn order_of(&mut self, left: &Expr, name: &str, right: &Expr) -> bool {
        let greater = name.starts_with('>');
        let or_equal = name.ends_with('=');
        if let Some(bound) = self.known(right).as_ref().and_then(|value| bound(value, greater, or_equal)) {
            return self.act(left, &bound);
        }
        if let Some(bound) = self.known(left).as_ref().and_then(|value| bound(value, !greater, or_equal)) {
            return self.act(right, &bound);
        }
        if left.ty == ScalarType::DateTime && right.ty == ScalarType::DateTime {
            return or_equal || self.act(if greater { left } else { right }, &Action::Later);
        }
        if left.ty.is_number() && !or_equal {
            return self.act(if greater { left } else { right }, &Action::Above(100.0));
        }
        or_equal
    }
}

/// Whether all hold; each is tried, also after one that does not.
fn every<T>(items: &[T], mut holds: impl FnMut(&T) -> bool) -> bool {
    let mut all = true;
    for item in items {
        all &= holds(item);
    }
    all
}

/// A bound of an order as an action.
fn bound(value: &Value, above: bool, or_equal: bool) -> Option<Action> {
    let slack = if or_equal { 1 } else { 0 };
    Some(match (value, above) {
        (Value::DateTime(ticks), true) => Action::After(ticks - slack),
        (Value::DateTime(ticks), false) => Action::Before(ticks + slack),
        (Value::TimeSpan(_), _) => return None,
        (value, above) => {
            let number: f64 = text_of(value).parse().ok()?;
            let slack = if !or_equal {
                0.0
            } else if number.fract() == 0.0 {
                1.0
            } else {
                1e-6
            };
            if above { Action::Above(number - slack) } else { Action::Below(number + slack) }
        }
    })
}

/// The literals in an expression that stands on the right of a comparison.
fn literals(expr: &Expr) -> Vec<Value> {
    match &expr.kind {
        ExprKind::Literal(Value::Dynamic(Dynamic::Array(items))) => items.iter().filter_map(scalar_of).collect(),
        ExprKind::Literal(value) => vec![value.clone()],
        ExprKind::Convert(inner) => literals(inner),
        ExprKind::Call { function, args } if function.name == "pack_array" => args.iter().flat_map(literals).collect(),
        _ => Vec::new(),
    }
}

fn scalar_of(item: &Dynamic) -> Option<Value> {
    Some(match item {
        Dynamic::String(text) => Value::String(text.clone()),
        Dynamic::Long(number) => Value::Long(*number),
        Dynamic::Real(number) => Value::Real(*number),
        Dynamic::Bool(flag) => Value::Bool(*flag),
        _ => return None,
    })
}
