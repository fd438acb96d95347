//! `summarize`, `make-series` and their aggregates.
//!
//! A sum of reals depends on how rows were parted, in its last digits. Such results are rounded where they are shown and
//! never used again: they are no columns of what follows.

use kql_types::ScalarType as T;

use super::grammar::Grammar;
use super::values::Columns;

impl Grammar {
    pub fn summarize(&mut self, columns: &mut Columns) -> String {
        let (mut items, mut after) = (Vec::new(), Columns::new());
        for _ in 0..=self.chance.below(3) {
            let name = self.fresh();
            let (text, ty) = self.aggregate(columns);
            items.push(format!("{name} = {text}"));
            if let Some(ty) = ty {
                after.push((name, ty));
            }
        }
        let (keys, mut grouped) = self.keys(columns);
        if self.chance.one_in(10) && !keys.is_empty() {
            items.clear();
            after.clear();
        }
        grouped.append(&mut after);
        *columns = grouped;
        let by = if keys.is_empty() { String::new() } else { format!(" by {}", keys.join(", ")) };
        format!("summarize {}{by}", items.join(", "))
    }

    fn keys(&mut self, columns: &Columns) -> (Vec<String>, Columns) {
        let (mut keys, mut grouped) = (Vec::new(), Columns::new());
        for _ in 0..self.chance.below(4) {
            let ty = self.chance.pick(&[T::String, T::DateTime, T::Int, T::Long, T::Bool, T::Real, T::TimeSpan]);
            let value = match self.column(columns, ty) {
                Some(column) if !self.chance.one_in(4) => column,
                _ => self.value(columns, ty, 1),
            };
            let name = self.fresh();
            let key = match ty {
                T::DateTime => format!("bin({value}, {})", self.chance.pick(&["1h", "1d", "7m"])),
                T::Long | T::Int => format!("bin({value}, {})", self.chance.pick(&["2", "10", "3"])),
                T::Real => format!("bin({value}, 0.5)"),
                _ => value,
            };
            let ty = if ty == T::Int { T::Long } else { ty };
            keys.push(format!("{name} = {key}"));
            grouped.push((name, ty));
        }
        (keys, grouped)
    }

    /// An aggregate, and its type when it may be used again.
    fn aggregate(&mut self, columns: &Columns) -> (String, Option<T>) {
        let any = self.chance.pick(&[T::Long, T::String, T::DateTime, T::Real, T::Bool, T::Int, T::TimeSpan]);
        let value = self.value(columns, any, 1);
        let number = self.value(columns, T::Long, 1);
        let text = self.value(columns, T::String, 1);
        let condition = self.condition(columns, 1);
        let (call, ty) = match self.chance.below(26) {
            0 | 1 => ("count()".to_owned(), T::Long),
            2 => (format!("countif({condition})"), T::Long),
            3 => (format!("dcount({value})"), T::Long),
            4 => (format!("dcountif({text}, {condition})"), T::Long),
            5 => (format!("sum({number})"), T::Long),
            6 => (format!("sumif({number}, {condition})"), T::Long),
            7 => (format!("max({value})"), any),
            8 => (format!("min({value})"), any),
            9 => (format!("{}({value}, {condition})", self.chance.pick(&["maxif", "minif"])), any),
            10 => (format!("array_sort_asc(make_set({text}))"), T::Dynamic),
            11 => (self.ordered_list("make_set", &value), T::Dynamic),
            12 => (self.ordered_list("make_list", &value), T::Dynamic),
            13 => (self.ordered_list("make_list_with_nulls", &value), T::Dynamic),
            14 => (format!("count_distinct({value})"), T::Long),
            15 => (format!("count_distinctif({text}, {condition})"), T::Long),
            16 => {
                self.open = true;
                (format!("take_any({value})"), any)
            }
            17 => {
                self.open = true;
                (format!("take_anyif({value}, {condition})"), any)
            }
            18 => (
                format!("{}({number})", self.chance.pick(&["binary_all_or", "binary_all_and", "binary_all_xor"])),
                T::Long,
            ),
            19 => {
                self.open = true;
                let bag = self.value(columns, T::Dynamic, 1);
                (format!("{}({bag})", self.chance.pick(&["make_bag", "buildschema"])), T::Dynamic)
            }
            20 => return (format!("dcount_hll(hll({value}))"), Some(T::Long)),
            _ => return self.rough_aggregate(columns, &condition),
        };
        (call, Some(ty))
    }

    fn ordered_list(&mut self, name: &str, value: &str) -> String {
        self.open = true;
        match self.chance.below(3) {
            0 => format!("{name}({value}, {})", self.chance.pick(&["1", "3", "100"])),
            _ => format!("{name}({value})"),
        }
    }

    fn rough_aggregate(&mut self, columns: &Columns, condition: &str) -> (String, Option<T>) {
        let ty = self.chance.pick(&[T::Long, T::Int]);
        let whole = self.column(columns, ty).unwrap_or_else(|| "1".to_owned());
        let real = if columns.iter().any(|(name, _)| name == "Share") { "Share" } else { "0.5" };
        // A sum in which the greatest numbers cancel out has no right digits at all.
        let small = format!("{whole} % 100");
        let call = match self.chance.below(7) {
            0 => format!("avg({whole})"),
            1 => format!("avgif({real}, {condition})"),
            2 => format!("stdev({small})"),
            3 => format!("variance({small})"),
            4 => format!("sum(({small}) * 0.25)"),
            5 => format!("sum({real})"),
            // The weights of a digest depend on how rows were parted only beyond the rows that these tables have.
            _ => format!("percentile({whole}, {})", self.chance.pick(&["50", "95", "5"])),
        };
        (call, None)
    }

    /// `arg_max`, `arg_min` of all or some columns: a shape of its own, as its columns keep their names.
    pub fn arg_extreme(&mut self, columns: &mut Columns) -> String {
        let ty = self.chance.pick(&[T::DateTime, T::Long, T::Real, T::String]);
        let (Some(by), Some(key)) = (self.column(columns, ty), self.column(columns, T::String)) else {
            return "where true".to_owned();
        };
        self.open = true;
        let name = self.chance.pick(&["arg_max", "arg_min"]);
        let other =
            self.chance.pick(columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().as_slice()).to_owned();
        let everything = self.chance.one_in(2);
        if !everything {
            let other_ty = columns.iter().find(|(name, _)| *name == other).map_or(T::Long, |(_, ty)| *ty);
            if other == key || other == by || by == key {
                return "where true".to_owned();
            }
            *columns = vec![(key.clone(), columns_type(columns, &key)), (by.clone(), ty), (other.clone(), other_ty)];
            return format!("summarize {name}({by}, {other}) by {key}");
        }
        if by == key {
            return "where true".to_owned();
        }
        format!("summarize {name}({by}, *) by {key}")
    }

    pub fn make_series(&mut self, columns: &mut Columns) -> String {
        let Some(time) = self.column(columns, T::DateTime) else { return "where true".to_owned() };
        let (series, axis) = (self.fresh(), self.fresh());
        let number = self.column(columns, T::Long).unwrap_or_else(|| "1".to_owned());
        let condition = self.condition(columns, 1);
        let aggregate = match self.chance.below(4) {
            0 => "count()".to_owned(),
            1 => format!("countif({condition})"),
            2 => format!("max({number}) default={}", self.chance.pick(&["0", "-1", "long(null)"])),
            _ => format!("dcount({number})"),
        };
        let (mut by, mut after) = (String::new(), Columns::new());
        if let Some(key) = self.column(columns, T::String).filter(|_| self.chance.one_in(2)) {
            by = format!(" by {key}");
            after.push((key, T::String));
        }
        after.push((series.clone(), T::Dynamic));
        after.push((axis.clone(), T::Dynamic));
        *columns = after;
        let step = self.chance.pick(&["1d", "6h", "3d"]);
        format!("make-series {series} = {aggregate} on {axis} = {time} from ago(9d) to now() step {step}{by}")
    }
}

fn columns_type(columns: &Columns, name: &str) -> T {
    columns.iter().find(|(known, _)| known == name).map_or(T::String, |(_, ty)| *ty)
}
