//! Operators that bring rows together, take values apart, or look at rows in their order.

use kql_types::ScalarType as T;

use super::grammar::{Grammar, HOSTS, columns_of};
use super::values::Columns;

const JOINS: [&str; 10] = [
    "inner",
    "innerunique",
    "leftouter",
    "rightouter",
    "fullouter",
    "leftsemi",
    "leftanti",
    "rightsemi",
    "rightanti",
    "inner",
];

impl Grammar {
    /// The column that meets the right table's, if there is one.
    fn key(&mut self, columns: &Columns) -> Option<(String, &'static str)> {
        let text = self.column(columns, T::String).map(|name| (name, "User"));
        let number = self.column(columns, T::Long).map(|name| (name, "Id"));
        match (text, number) {
            (Some(text), Some(number)) => Some(if self.chance.one_in(2) { text } else { number }),
            (text, number) => text.or(number),
        }
    }

    pub fn join(&mut self, columns: &mut Columns) -> String {
        let Some((left, right)) = self.key(columns) else {
            return format!("where {}", self.condition(columns, 1));
        };
        let kind = self.chance.pick(&JOINS);
        self.open |= kind == "innerunique";
        let filter = if self.chance.one_in(2) {
            self.host_condition().to_owned()
        } else {
            self.condition(&columns_of(HOSTS), 1)
        };
        let (host, since, key) = (self.fresh(), self.fresh(), self.fresh());
        let made = vec![
            (key.clone(), if right == "Id" { T::Long } else { T::String }),
            (host.clone(), T::String),
            (since.clone(), T::DateTime),
        ];
        let side = format!("(Hosts | where {filter} | project {key} = {right}, {host} = Host, {since} = Since)");
        match kind {
            "leftsemi" | "leftanti" => {}
            "rightsemi" | "rightanti" => *columns = made,
            _ => columns.extend(made),
        }
        format!("join kind={kind} {side} on $left.{left} == $right.{key}")
    }

    pub fn lookup(&mut self, columns: &mut Columns) -> String {
        let Some((left, right)) = self.key(columns) else { return "where true".to_owned() };
        let kind = self.chance.pick(&["leftouter", "inner"]);
        let (host, weight, key) = (self.fresh(), self.fresh(), self.fresh());
        columns.push((host.clone(), T::String));
        columns.push((weight.clone(), T::Real));
        format!(
            "lookup kind={kind} (Hosts | where {} | project {key} = {right}, {host} = Host, {weight} = Weight) on $left.{left} == $right.{key}",
            self.host_condition()
        )
    }

    pub fn union(&mut self, columns: &mut Columns) -> String {
        let name = self.fresh();
        let Some(text) = self.column(columns, T::String) else { return "where true".to_owned() };
        let kind = self.chance.pick(&["outer", "inner"]);
        let filter = self.host_condition();
        if kind == "inner" {
            columns.retain(|(known, _)| *known == text);
            return format!("union kind=inner (Hosts | where {filter} | project {text} = Host, {name} = User)");
        }
        columns.push((name.clone(), T::String));
        format!("union (Hosts | where {filter} | project {text} = Host, {name} = User)")
    }

    pub fn expand(&mut self, columns: &mut Columns) -> String {
        let Some(dynamic) = self.column(columns, T::Dynamic) else { return "where true".to_owned() };
        let name = self.fresh();
        match self.chance.below(5) {
            0 => format!("mv-expand {dynamic}"),
            1 => {
                columns.push((name.clone(), T::String));
                format!("mv-expand {name} = {dynamic}.tags to typeof(string)")
            }
            2 => {
                columns.push((name.clone(), T::Long));
                format!("mv-expand with_itemindex={name} {dynamic} limit {}", self.chance.pick(&["1", "2", "100"]))
            }
            3 => {
                columns.push((name.clone(), T::Long));
                format!("mv-expand bagexpansion=array {dynamic}, {name} = range(1, 3, 1) to typeof(long)")
            }
            _ => {
                let value = self.value(columns, T::Dynamic, 2);
                columns.push((name.clone(), T::Dynamic));
                format!("mv-expand {name} = {value}")
            }
        }
    }

    pub fn apply(&mut self, columns: &mut Columns) -> String {
        let Some(dynamic) = self.column(columns, T::Dynamic) else { return "where true".to_owned() };
        let (name, tag) = (self.fresh(), self.fresh());
        let word = self.literal(T::String);
        match self.chance.below(4) {
            0 => {
                columns.push((name.clone(), T::Long));
                format!(
                    "mv-apply {tag} = {dynamic}.tags to typeof(string) on (summarize {name} = countif({tag} has {word}))"
                )
            }
            1 => {
                columns.push((tag.clone(), T::String));
                format!(
                    "mv-apply {tag} = {dynamic}.tags to typeof(string) on (where {tag} != {word} | sort by {tag} asc)"
                )
            }
            2 => {
                self.open = true;
                columns.push((tag.clone(), T::Dynamic));
                format!("mv-apply {tag} = {dynamic} on (take {})", self.chance.pick(&["1", "2"]))
            }
            _ => {
                columns.push((tag.clone(), T::Long));
                columns.push((name.clone(), T::Long));
                format!("mv-apply {tag} = {dynamic} to typeof(long) on (extend {name} = {tag} * 2 | where {name} > 1)")
            }
        }
    }

    pub fn parse(&mut self, columns: &mut Columns) -> String {
        let Some(text) = self.column(columns, T::String) else { return "where true".to_owned() };
        let (first, second) = (self.fresh(), self.fresh());
        let operator = self.chance.pick(&["parse", "parse-where"]);
        let (pattern, kind) = match self.chance.below(4) {
            0 => (format!("{first} '=' {second}:long"), ""),
            1 => (format!("* 'a' {first} ' ' {second}:long"), ""),
            2 => (format!("{first} '[=a]+' {second}:long"), "kind=regex "),
            _ => (format!("{first} '=' {second}:long *"), "kind=relaxed "),
        };
        columns.push((first, T::String));
        columns.push((second, T::Long));
        format!("{operator} {kind}{text} with {pattern}")
    }

    pub fn parse_kv(&mut self, columns: &mut Columns) -> String {
        let Some(text) = self.column(columns, T::String) else { return "where true".to_owned() };
        if columns.iter().any(|(name, _)| name == "key" || name == "k") {
            return "where true".to_owned();
        }
        columns.push(("key".to_owned(), T::Long));
        columns.push(("k".to_owned(), T::String));
        format!("parse-kv {text} as (key:long, k:string) with (pair_delimiter=' ', kv_delimiter='=')")
    }

    /// Functions of rows in an order.
    pub fn window(&mut self, columns: &mut Columns) -> String {
        let Some(keys) = self.sort_keys(columns) else { return "where true".to_owned() };
        self.open = true;
        let (name, number) = (self.fresh(), self.column(columns, T::Long).unwrap_or_else(|| "1".to_owned()));
        let text = self.column(columns, T::String).unwrap_or_else(|| "'a'".to_owned());
        let (call, ty) = match self.chance.below(6) {
            0 => ("row_number()".to_owned(), T::Long),
            1 => (format!("row_cumsum({number}, {text} != prev({text}))"), T::Long),
            2 => (format!("prev({text}, {})", self.chance.pick(&["1", "2"])), T::String),
            3 => (format!("next({number}, 1, -7)"), T::Long),
            4 => (format!("row_rank_dense({text})"), T::Long),
            _ => (format!("row_rank_min({number}, {text} != prev({text}))"), T::Long),
        };
        columns.push((name.clone(), ty));
        format!("sort by {keys} | extend {name} = {call}")
    }

    pub fn partition(&mut self, columns: &mut Columns) -> String {
        let Some(key) = self.column(columns, T::String) else { return "where true".to_owned() };
        let Some(number) = self.column(columns, T::Long) else { return "where true".to_owned() };
        self.open = true;
        let name = self.fresh();
        match self.chance.below(3) {
            0 => format!("partition hint.strategy=native by {key} (top 2 by {number} desc)"),
            1 => {
                *columns = vec![(key.clone(), T::String), (name.clone(), T::Long)];
                format!("partition hint.strategy=native by {key} (summarize {name} = max({number}) by {key})")
            }
            _ => format!("partition by {key} (where {number} > 0 | take 3)"),
        }
    }

    pub fn scan(&mut self, columns: &mut Columns) -> String {
        let (Some(keys), Some(number)) = (self.sort_keys(columns), self.column(columns, T::Long)) else {
            return "where true".to_owned();
        };
        self.open = true;
        let total = self.fresh();
        columns.push((total.clone(), T::Long));
        format!(
            "sort by {keys} | scan declare ({total}:long = 0) with (step s1: true => {total} = iff(isnull({number}), s1.{total}, s1.{total} + {number} % 100);)"
        )
    }
}
