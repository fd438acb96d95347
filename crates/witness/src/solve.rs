//! Turns what must hold into wishes for columns of tables, by running expressions backwards.
//!
//! `tolower(extract(r, 1, Text)) == "x"` becomes a wish that `Text` holds a match of `r` whose group is `x`. What cannot
//! be turned around is left: the query may still see the row by chance. Begin at [`Solver::solve`].

use std::collections::{BTreeMap, HashMap};

use kql_semantics::bound::{AggregateCall, ColumnId, Expr, ExprKind, ParsePart, PathStep};
use kql_types::{ScalarType, Value};

use crate::pattern;
use crate::profile::{Def, Parse, Profile, Want};
use crate::wish::{Action, Cell, Part, Wish, text_of};

/// Steps backwards in one expression.
pub(crate) const DEPTH_MAX: usize = 60;
/// Rows made for one way at most.
const ROWS_MAX: usize = 600;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Key(String),
    Index(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Root {
    Column(usize, String),
    Capture(usize, usize),
}

type Place = (Root, Vec<Step>);

/// Functions that pass on their first argument as far as this goes.
pub(crate) const THROUGH_FIRST: &[&str] = &[
    "tostring",
    "tolower",
    "toupper",
    "toint",
    "tolong",
    "toreal",
    "todouble",
    "todecimal",
    "toguid",
    "tobool",
    "toboolean",
    "todatetime",
    "totimespan",
    "parse_json",
    "parsejson",
    "todynamic",
    "toobject",
    "bin",
    "floor",
    "bin_at",
    "startofday",
    "startofhour",
    "startofweek",
    "startofmonth",
    "endofday",
    "round",
    "abs",
    "url_decode",
    "replace_string",
    "replace_strings",
    "array_sort_asc",
    "array_sort_desc",
    "substring",
    "array_slice",
    "parse_ipv4",
    "isnan",
    "set_union",
    "array_concat",
    "format_datetime",
    "strcat_array",
    "bag_keys",
    "unixtime_seconds_todatetime",
];
/// And those that pass on the last.
pub(crate) const THROUGH_LAST: &[&str] = &["trim", "trim_start", "trim_end", "replace_regex", "replace", "translate"];
/// Aggregates whose value is one of those they saw.
pub(crate) const PICKS: &[&str] = &[
    "max",
    "min",
    "any",
    "take_any",
    "anyif",
    "take_anyif",
    "maxif",
    "minif",
    "avg",
    "avgif",
    "sum",
    "sumif",
    "percentile",
    "make_set",
    "make_list",
    "makeset",
    "makelist",
    "make_set_if",
    "make_list_if",
    "percentilew",
];

pub struct Solver<'p, 'a> {
    pub(crate) profile: &'p Profile<'a>,
    pub(crate) variant: usize,
    pub(crate) salt: usize,
    /// The time of rows that nothing else is asked of.
    usual_time: i64,
    pub wishes: BTreeMap<Place, Wish>,
    /// At least so many rows.
    pub least: usize,
    /// At most so many.
    pub most: usize,
    elements: HashMap<usize, usize>,
    taken: BTreeMap<Place, usize>,
    pub(crate) depth: usize,
}

impl<'p, 'a> Solver<'p, 'a> {
    pub(crate) fn solve(profile: &'p Profile<'a>, variant: usize, salt: usize, usual_time: i64) -> Solver<'p, 'a> {
        let mut solver = Solver {
            profile,
            variant,
            salt,
            usual_time,
            wishes: BTreeMap::new(),
            least: 2,
            most: ROWS_MAX,
            elements: HashMap::new(),
            taken: BTreeMap::new(),
            depth: 0,
        };
        // What a literal decides goes before what only relates two places.
        for want in &profile.wants {
            if let Want::Holds(expr) = want {
                solver.hold(expr, true);
            }
        }
        for want in &profile.wants {
            match want {
                Want::Equal(left, right) => {
                    solver.same(left, right);
                }
                Want::EqualColumn(expr, id) => {
                    let column = Expr { kind: ExprKind::Column(*id), ty: expr.ty, span: expr.span };
                    solver.same(expr, &column);
                }
                Want::Holds(_) => {}
            }
        }
        for (index, parse) in profile.parses.iter().enumerate().rev() {
            solver.write_parsed(index, parse);
        }
        solver
    }

    /// Rows to make.
    pub fn rows(&self) -> usize {
        self.least.min(self.most).clamp(1, ROWS_MAX)
    }

    pub(crate) fn value_here(&self, ty: ScalarType, name: &str, wish: &Wish) -> Value {
        wish.value(ty, &Cell { name, salt: self.salt, row: 0, time: self.usual_time })
    }

    pub(crate) fn known(&mut self, expr: &Expr) -> Option<Value> {
        match &expr.kind {
            ExprKind::Literal(value) => return Some(value.clone()),
            ExprKind::Convert(inner) => return self.known(inner),
            ExprKind::Column(id) => match self.profile.defs.get(id).copied() {
                Some(Def::Value(value)) => return Some(value.clone()),
                Some(Def::Expr(inner)) => return self.known(inner),
                _ => {}
            },
            _ => {}
        }
        let place = self.place(expr)?;
        self.wishes.get(&place)?.equal.clone()
    }

    /// Makes two expressions equal.
    pub(crate) fn same(&mut self, left: &Expr, right: &Expr) -> bool {
        if left.ty == ScalarType::DateTime {
            return true;
        }
        if let Some(value) = self.known(left) {
            return self.act(right, &Action::Equal(value));
        }
        if let Some(value) = self.known(right) {
            return self.act(left, &Action::Equal(value));
        }
        let mut value = None;
        for expr in [left, right] {
            if let Some((root, path)) = self.place(expr) {
                let name = match (&root, path.last()) {
                    (_, Some(Step::Key(key))) => key.clone(),
                    (Root::Column(_, name), _) => name.clone(),
                    _ => String::new(),
                };
                if let Some(wish) = self.wishes.get(&(root, path)) {
                    value = Some(self.value_here(expr.ty, &name, wish));
                    break;
                }
                value.get_or_insert_with(|| self.value_here(expr.ty, &name, &Wish::default()));
            }
        }
        let value = value.unwrap_or_else(|| Value::String(format!("key{}", self.salt)));
        let left = self.act(left, &Action::Equal(value.clone()));
        self.act(right, &Action::Equal(value)) && left
    }

    /// The column, or the path into it, that an expression reads.
    pub(crate) fn place(&mut self, expr: &Expr) -> Option<Place> {
        if self.depth > DEPTH_MAX {
            return None;
        }
        self.depth += 1;
        let place = self.place_of(expr);
        self.depth -= 1;
        place
    }

    pub(crate) fn place_of(&mut self, expr: &Expr) -> Option<Place> {
        match &expr.kind {
            ExprKind::Column(id) => self.place_of_column(*id),
            ExprKind::IngestionTime => Some((Root::Column(0, crate::INGESTION_TIME.to_string()), Vec::new())),
            ExprKind::Convert(inner) => self.place(inner),
            ExprKind::Coalesce(args) => args.iter().find_map(|arg| self.place(arg)),
            ExprKind::Case { branches, otherwise } => {
                branches.iter().map(|(_, value)| value).chain([&**otherwise]).find_map(|value| self.place(value))
            }
            ExprKind::Call { function, args } if THROUGH_FIRST.contains(&function.name) => self.place(args.first()?),
            ExprKind::Call { function, args } if THROUGH_LAST.contains(&function.name) => self.place(args.last()?),
            ExprKind::Path { base, steps } => {
                if matches!(&base.kind, ExprKind::Call { function, .. } if !THROUGH_FIRST.contains(&function.name)) {
                    return None;
                }
                let (root, mut path) = self.place(base)?;
                for step in steps {
                    path.push(match step {
                        PathStep::Key(key) => Step::Key(key.clone()),
                        PathStep::Index(index) => Step::Index(usize::try_from(*index).unwrap_or(0)),
                        PathStep::Computed(_) => return None,
                    });
                }
                Some((root, path))
            }
            _ => None,
        }
    }

    pub(crate) fn place_of_column(&mut self, id: ColumnId) -> Option<Place> {
        match *self.profile.defs.get(&id)? {
            Def::Leaf(leaf, column, _) => Some((Root::Column(leaf, column.to_string()), Vec::new())),
            Def::Same(id) => self.place_of_column(id),
            Def::Expr(expr) => self.place(expr),
            Def::Capture(parse, index) => Some((Root::Capture(parse, index), Vec::new())),
            Def::Value(_) => None,
            Def::Element(array, site) => self.element(array, site),
            Def::Aggregate(call) if PICKS.contains(&call.aggregate.name) => self.place(call.args.first()?),
            Def::Aggregate(_) => None,
        }
    }

    /// The element that a site takes of an array. The elements of a list that an aggregate made are what it saw.
    pub(crate) fn element(&mut self, array: &Expr, site: usize) -> Option<Place> {
        let listed = self.aggregate(array).filter(|call| call.aggregate.name.starts_with("make"));
        if let Some(call) = listed {
            return self.place(call.args.first()?);
        }
        let (root, mut path) = self.place(array)?;
        let next = self.taken.entry((root.clone(), path.clone())).or_default();
        let index = *self.elements.entry(site).or_insert_with(|| {
            *next += 1;
            *next - 1
        });
        path.push(Step::Index(index));
        Some((root, path))
    }

    /// The aggregate that an expression plainly is.
    pub(crate) fn aggregate(&self, expr: &Expr) -> Option<&'a AggregateCall> {
        let mut id = match &expr.kind {
            ExprKind::Column(id) => *id,
            ExprKind::Convert(inner) => return self.aggregate(inner),
            ExprKind::Call { function, args } if THROUGH_FIRST.contains(&function.name) => {
                return self.aggregate(args.first()?);
            }
            _ => return None,
        };
        for _ in 0..DEPTH_MAX {
            match self.profile.defs.get(&id)? {
                Def::Same(source) => id = *source,
                Def::Expr(expr) => return self.aggregate(expr),
                Def::Aggregate(call) => return Some(call),
                _ => return None,
            }
        }
        None
    }

    /// Writes the text that a pattern of `parse` takes apart, from what its captures must be.
    pub(crate) fn write_parsed(&mut self, index: usize, parse: &Parse<'_>) {
        let mut text = String::new();
        for part in parse.parts {
            match part {
                ParsePart::Star => {}
                ParsePart::Text(literal) if parse.regex => {
                    text.push_str(&pattern::matching(literal, None).unwrap_or_default());
                }
                ParsePart::Text(literal) => text.push_str(literal),
                ParsePart::Column(output) => {
                    let Some((_, ty)) = parse.outputs.get(*output) else { continue };
                    let wish = self.wishes.get(&(Root::Capture(index, *output), Vec::new())).cloned();
                    let paths = self.paths_of(&Root::Capture(index, *output));
                    if paths.is_empty() {
                        text.push_str(&text_of(&self.value_here(*ty, "", &wish.unwrap_or_default())));
                    } else {
                        let cell = Cell { name: "", salt: self.salt, row: 0, time: self.usual_time };
                        text.push_str(&crate::document(&paths, &cell).to_display_json());
                    }
                }
            }
        }
        let part = match (parse.parts.first(), parse.parts.last()) {
            (Some(ParsePart::Star), Some(ParsePart::Star)) => Part::Inside,
            (Some(ParsePart::Star), _) => Part::End,
            _ => Part::Start,
        };
        self.act(parse.expr, &Action::Text(part, text));
    }

    /// Wishes for paths into a place.
    pub fn paths_of(&self, root: &Root) -> Vec<(&[Step], &Wish)> {
        let of_root = self.wishes.iter().filter(|((other, path), _)| other == root && !path.is_empty());
        of_root.map(|((_, path), wish)| (path.as_slice(), wish)).collect()
    }
}
