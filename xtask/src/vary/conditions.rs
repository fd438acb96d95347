//! Predicates over the columns at hand, in the shapes that rules have.

use kql_types::ScalarType as T;

use super::grammar::Grammar;
use super::values::Columns;

const ORDERED: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];
const WORDS: [&str; 20] = [
    "==",
    "!=",
    "=~",
    "!~",
    "has",
    "!has",
    "has_cs",
    "contains",
    "!contains",
    "contains_cs",
    "startswith",
    "!startswith",
    "startswith_cs",
    "endswith",
    "endswith_cs",
    "hasprefix",
    "hassuffix",
    "!hasprefix",
    "hasprefix_cs",
    "!endswith",
];
const REGEXES: [&str; 6] = ["'^a'", "@'\\d'", "'(?i)alpha'", "'a.*a$'", "'[é日]'", "''"];

impl Grammar {
    /// A predicate; `depth` bounds how it nests.
    pub fn condition(&mut self, columns: &Columns, depth: usize) -> String {
        if depth > 0 && self.chance.one_in(4) {
            let (left, right) = (self.condition(columns, depth - 1), self.condition(columns, depth - 1));
            return match self.chance.below(4) {
                0 => format!("({left}) and ({right})"),
                1 => format!("({left}) or ({right})"),
                2 => format!("iff({left}, {right}, true)"),
                _ => format!("not({left})"),
            };
        }
        let ty = self.chance.pick(&[
            T::String,
            T::String,
            T::String,
            T::Long,
            T::Long,
            T::Int,
            T::Real,
            T::DateTime,
            T::Bool,
            T::Dynamic,
            T::TimeSpan,
        ]);
        let inner = depth.min(1);
        match ty {
            T::String => self.text_condition(columns, inner),
            T::DateTime => self.time_condition(columns, inner),
            T::Bool => match self.column(columns, T::Bool) {
                Some(column) => match self.chance.below(3) {
                    0 => format!("{column} == true"),
                    1 => format!("not({column})"),
                    _ => column,
                },
                None => "1 == 1".to_owned(),
            },
            T::Dynamic => self.dynamic_condition(columns),
            _ => self.number_condition(columns, ty, inner),
        }
    }

    fn number_condition(&mut self, columns: &Columns, ty: T, depth: usize) -> String {
        let value = self.value(columns, ty, depth);
        match self.chance.below(6) {
            0 => format!("{value} in ({}, {}, {})", self.literal(ty), self.literal(ty), self.literal(ty)),
            1 => format!("{value} between ({} .. {})", self.literal(ty), self.literal(ty)),
            2 => format!("{}({value})", self.chance.pick(&["isnull", "isnotnull"])),
            _ => {
                let other = if self.chance.one_in(3) { self.value(columns, ty, 0) } else { self.literal(ty) };
                format!("{value} {} {other}", self.chance.pick(&ORDERED))
            }
        }
    }

    fn time_condition(&mut self, columns: &Columns, depth: usize) -> String {
        let value = self.value(columns, T::DateTime, depth);
        match self.chance.below(5) {
            0 => format!("{value} > ago({})", self.chance.pick(&["1h", "1d", "10d"])),
            1 => format!("{value} between (ago(7d) .. ago({}))", self.chance.pick(&["1h", "2d"])),
            2 => format!("{value} between (datetime(2026-02-20) .. {})", self.chance.pick(&["2d", "10d"])),
            3 => format!("isnull({value})"),
            _ => format!("{value} {} {}", self.chance.pick(&ORDERED), self.value(columns, T::DateTime, 0)),
        }
    }

    fn text_condition(&mut self, columns: &Columns, depth: usize) -> String {
        let value = self.value(columns, T::String, depth);
        let (one, two, three) = (self.literal(T::String), self.literal(T::String), self.literal(T::String));
        match self.chance.below(12) {
            0 => format!("{value} in ({one}, {two}, {three})"),
            1 => format!("{value} !in ({one}, {two})"),
            2 => format!("{value} {} ({one}, {two})", self.chance.pick(&["in~", "!in~", "has_any", "has_all"])),
            3 => format!("{value} in ((Hosts | where {} | project User))", self.host_condition()),
            4 => format!("{}({value})", self.chance.pick(&["isempty", "isnotempty"])),
            5 => format!("{value} {} regex {}", "matches", self.chance.pick(&REGEXES)),
            6 => format!("{value} in (dynamic(['alpha', 'beta', '']))"),
            7 => format!("{value} {} {}", self.chance.pick(&["==", "!=", "=~"]), self.value(columns, T::String, 0)),
            8 => format!("strcmp({value}, {one}) {} 0", self.chance.pick(&ORDERED)),
            _ => format!("{value} {} {one}", self.chance.pick(&WORDS)),
        }
    }

    fn dynamic_condition(&mut self, columns: &Columns) -> String {
        let Some(column) = self.column(columns, T::Dynamic) else { return "1 == 1".to_owned() };
        match self.chance.below(9) {
            0 => format!("tostring({column}.name) == {}", self.literal(T::String)),
            1 => format!("toint({column}.size) {} 2", self.chance.pick(&ORDERED)),
            2 => format!("array_length({column}.tags) >= {}", self.chance.pick(&["0", "1", "2"])),
            3 => format!("{column}.name has {}", self.literal(T::String)),
            4 => format!("{column} has {}", self.literal(T::String)),
            5 => format!("{}({column}.size)", self.chance.pick(&["isnull", "isnotnull", "isempty", "isnotempty"])),
            6 => format!("{column}.size {} {}", self.chance.pick(&ORDERED), self.chance.pick(&["2", "2.5"])),
            7 => format!("set_has_element({column}.tags, {})", self.literal(T::String)),
            _ => format!("{column}.tags contains {}", self.literal(T::String)),
        }
    }

    /// A predicate of the table on the right, whose columns are known without looking.
    pub fn host_condition(&mut self) -> &'static str {
        self.chance.pick(&["Weight > 1", "Id % 2 == 0", "isnotempty(Host)", "Since > ago(8d)", "true", "Host has 'h1'"])
    }
}
