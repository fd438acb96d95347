//! Valid queries by chance: pipelines over two small tables whose columns are followed, so that every name and type fits.
//!
//! The shapes are those of real rules: `let`s, filters, extends, groupings, joins, unions, expansions, parses, sorts and
//! windows, with the weights that they have there. Begin at [`Grammar::query`].

use kql_types::ScalarType as T;

use super::chance::Chance;
use super::values::{Columns, TYPES};

/// The columns of the left table, `Events`.
pub const EVENTS: &[(&str, T)] = &[
    ("Id", T::Long),
    ("TimeGenerated", T::DateTime),
    ("User", T::String),
    ("Text", T::String),
    ("Size", T::Long),
    ("Code", T::Int),
    ("Share", T::Real),
    ("Ok", T::Bool),
    ("Props", T::Dynamic),
];
/// And of the right one, `Hosts`.
pub const HOSTS: &[(&str, T)] =
    &[("Id", T::Long), ("User", T::String), ("Host", T::String), ("Since", T::DateTime), ("Weight", T::Real)];

/// What the language says of a query's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// Which they are.
    Rows,
    /// How many there are: `take`, `take_any`, the order of `make_list`.
    Number,
    /// Neither: rows that a `take` chose were filtered.
    Nothing,
}

/// A query, and what the language says of its rows.
#[derive(Debug)]
pub struct Made {
    pub text: String,
    pub decided: Decided,
}

pub struct Grammar {
    pub chance: Chance,
    /// Set by an operator whose rows or values are open, though not their number.
    pub open: bool,
    names: usize,
}

pub fn columns_of(table: &[(&str, T)]) -> Columns {
    table.iter().map(|(name, ty)| ((*name).to_owned(), *ty)).collect()
}

impl Grammar {
    pub fn new(seed: u64) -> Grammar {
        Grammar { chance: Chance::new(seed), open: false, names: 0 }
    }

    /// A name that no column has.
    pub fn fresh(&mut self) -> String {
        self.names += 1;
        format!("c{}", self.names)
    }

    /// A whole query.
    pub fn query(mut self) -> Made {
        let mut columns = columns_of(EVENTS);
        let mut text = String::new();
        text.push_str(&match self.chance.below(12) {
            0 => "let kept = Events | where Size > 3;\nkept".to_owned(),
            1 => {
                columns.push(("Doubled".to_owned(), T::Long));
                "let both = materialize(Events | extend Doubled = Size * 2);\nboth".to_owned()
            }
            2 => {
                let least = self.literal(T::Long);
                format!("let f = (t:(*), least:long) {{ t | where tolong(least) > 3 }};\nf(Events, {least})")
            }
            3 => {
                columns.push(("Most".to_owned(), T::Long));
                "let most = toscalar(Hosts | summarize max(Id));\nEvents | extend Most = most".to_owned()
            }
            4 => {
                let condition = self.condition(&columns, 1);
                columns.push(("Part".to_owned(), T::Long));
                format!("union (Events | where {condition} | extend Part = 1), (Events | extend Part = 2)")
            }
            5 => {
                columns = vec![("x".to_owned(), T::Long), ("s".to_owned(), T::String), ("d".to_owned(), T::Dynamic)];
                "range x from -5 to 30 step 1 | extend s = strcat('k', x % 4), d = pack_array(x, x % 3, 'a')".to_owned()
            }
            _ => "Events".to_owned(),
        });
        let mut decided = Decided::Rows;
        for _ in 0..=self.chance.below(5) {
            let step = self.operator(&mut columns);
            decided = self.decided_after(decided, &step);
            text.push_str("\n| ");
            text.push_str(&step);
        }
        if self.chance.one_in(12) {
            let last = self.last(&columns);
            decided = self.decided_after(decided, &last);
            text.push_str("\n| ");
            text.push_str(&last);
        }
        Made { text, decided }
    }

    /// What is decided behind an operator, given what was before it.
    fn decided_after(&mut self, before: Decided, step: &str) -> Decided {
        const KEEPING: [&str; 7] = ["extend ", "project", "sort ", "as ", "serialize", "render ", "getschema"];
        let opens = std::mem::take(&mut self.open);
        match before {
            Decided::Rows if opens => Decided::Number,
            Decided::Rows => Decided::Rows,
            _ if KEEPING.iter().any(|operator| step.starts_with(operator)) && !step.contains("evaluate") => before,
            _ => Decided::Nothing,
        }
    }

    fn operator(&mut self, columns: &mut Columns) -> String {
        match self.chance.below(40) {
            0..=8 => format!("where {}", self.condition(columns, 2)),
            9..=13 => self.extend(columns),
            14..=18 => self.summarize(columns),
            19..=21 => self.join(columns),
            22 => self.lookup(columns),
            23 => self.distinct(columns),
            24 | 25 => self.expand(columns),
            26 => self.apply(columns),
            27 => self.parse(columns),
            28 => self.parse_kv(columns),
            29 | 30 => self.project(columns),
            31 => self.union(columns),
            32 | 33 => self.top(columns),
            34 => self.window(columns),
            35 => self.make_series(columns),
            36 => self.arg_extreme(columns),
            37 => self.partition(columns),
            38 => self.scan(columns),
            _ => self.take(columns),
        }
    }

    fn extend(&mut self, columns: &mut Columns) -> String {
        let mut items = Vec::new();
        let mut made = Columns::new();
        for _ in 0..=self.chance.below(2) {
            let ty = self.chance.pick(&TYPES);
            let value = self.value(columns, ty, 3);
            let replaced = self.column(columns, ty).filter(|_| self.chance.one_in(5));
            let replaced =
                replaced.filter(|name| !items.iter().any(|item: &String| item.starts_with(&format!("{name} ="))));
            let name = replaced.unwrap_or_else(|| {
                let name = self.fresh();
                made.push((name.clone(), ty));
                name
            });
            items.push(format!("{name} = {value}"));
        }
        columns.append(&mut made);
        format!("extend {}", items.join(", "))
    }

    fn project(&mut self, columns: &mut Columns) -> String {
        let (kept, rest): (Columns, Columns) = columns.iter().cloned().partition(|_| self.chance.below(4) > 0);
        if kept.is_empty() {
            *columns = vec![("Count".to_owned(), T::Long)];
            return "count".to_owned();
        }
        let names = |columns: &Columns| columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let text = match self.chance.below(5) {
            0 if !rest.is_empty() => format!("project-away {}", names(&rest)),
            1 => {
                let text = format!("project-reorder {} asc", kept[0].0);
                return text;
            }
            2 => {
                let (old, ty) = kept[self.chance.below(kept.len())].clone();
                let new = self.fresh();
                columns.retain(|(name, _)| *name != old);
                columns.push((new.clone(), ty));
                return format!("project-rename {new} = {old}");
            }
            3 => format!("project-keep {}", names(&kept)),
            _ => {
                let name = self.fresh();
                let ty = self.chance.pick(&TYPES);
                let value = self.value(columns, ty, 2);
                let text = format!("project {}, {name} = {value}", names(&kept));
                *columns = kept;
                columns.push((name, ty));
                return text;
            }
        };
        *columns = kept;
        text
    }

    /// Columns that an order can be given by.
    pub fn orderable(columns: &Columns) -> Vec<&str> {
        columns.iter().filter(|(_, ty)| !matches!(ty, T::Dynamic)).map(|(name, _)| name.as_str()).collect()
    }

    /// Keys to sort by; the order is whole when every column is one.
    pub fn sort_keys(&mut self, columns: &Columns) -> Option<String> {
        let names = Self::orderable(columns);
        if names.is_empty() {
            return None;
        }
        let count = if self.chance.one_in(2) { names.len() } else { 1 + self.chance.below(2).min(names.len() - 1) };
        let start = if count == names.len() { 0 } else { self.chance.below(names.len() - count + 1) };
        let keys: Vec<String> = names[start..start + count]
            .iter()
            .map(|name| format!("{name} {}", self.chance.pick(&["asc", "desc", "asc nulls last", "desc nulls first"])))
            .collect();
        Some(keys.join(", "))
    }

    fn top(&mut self, columns: &mut Columns) -> String {
        let Some(keys) = self.sort_keys(columns) else { return "where true".to_owned() };
        let count = 1 + self.chance.below(20);
        let way = self.chance.below(3);
        // Columns that are not followed may differ where all that are agree.
        self.open = way > 0;
        match way {
            0 => format!("sort by {keys}"),
            1 => format!("sort by {keys} | take {count}"),
            _ => {
                let first = keys.split(',').next().unwrap_or_default().to_owned();
                format!("top {count} by {first}")
            }
        }
    }

    fn take(&mut self, columns: &mut Columns) -> String {
        match self.chance.below(4) {
            0 => {
                *columns = vec![("Count".to_owned(), T::Long)];
                "count".to_owned()
            }
            1 => format!("as {}", self.fresh()),
            2 => "serialize".to_owned(),
            _ => {
                self.open = true;
                format!("take {}", self.chance.below(30))
            }
        }
    }

    fn distinct(&mut self, columns: &mut Columns) -> String {
        let kept: Columns =
            columns.iter().filter(|(_, ty)| *ty != T::Dynamic && self.chance.one_in(2)).take(3).cloned().collect();
        if kept.is_empty() {
            return "where true".to_owned();
        }
        let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
        let text = format!("distinct {}", names.join(", "));
        *columns = kept;
        text
    }

    fn last(&mut self, columns: &Columns) -> String {
        let text = self.column(columns, T::String);
        let number = self.column(columns, T::Long);
        match (self.chance.below(5), text, number) {
            (0, Some(text), Some(_)) => {
                self.open = true;
                format!("top-nested 3 of {text} by count()")
            }
            (1, Some(text), _) => {
                self.open = true;
                format!("top-hitters 3 of {text}")
            }
            (2, _, _) => "getschema".to_owned(),
            (3, Some(text), Some(number)) => format!("evaluate pivot({text}, sum({number}))"),
            _ => match self.column(columns, T::Dynamic) {
                Some(bag) => format!("project {bag} | evaluate bag_unpack({bag}, 'u_')"),
                None => "render table".to_owned(),
            },
        }
    }
}
