//! Expressions of a wanted type over the columns at hand: columns, literals, forms of the language, and calls of every
//! scalar function of the registry.

use std::sync::LazyLock;

use kql_functions::{Function, Kind};
use kql_types::{Param, ParamType, Return, ScalarType};

use super::grammar::Grammar;
use super::literals;

/// What a pipeline has at a place: names and types.
pub type Columns = Vec<(String, ScalarType)>;

/// The types that expressions are made of.
pub const TYPES: [ScalarType; 10] = [
    ScalarType::Long,
    ScalarType::String,
    ScalarType::Real,
    ScalarType::Bool,
    ScalarType::DateTime,
    ScalarType::Dynamic,
    ScalarType::Int,
    ScalarType::TimeSpan,
    ScalarType::Decimal,
    ScalarType::Guid,
];

/// Functions that fail on purpose, that ask about the place of a row, or that cannot be called by their signature.
const LEFT_OUT: [&str; 8] = [
    "assert",
    "estimate_data_size",
    "toscalar",
    "bag_pack_columns",
    "row_id",
    "range",
    "repeat",
    "geo_info_from_ip_address",
];

/// Every function that a call with fitting arguments runs.
static CALLABLE: LazyLock<Vec<&'static Function>> = LazyLock::new(|| {
    let fits = |function: &&'static Function| {
        function.kind == Kind::Scalar
            && function.kernel.is_some()
            && !LEFT_OUT.contains(&function.name)
            && !function.overloads.iter().any(|o| o.params.iter().any(|p| p.ty == ParamType::Table))
    };
    kql_functions::functions().filter(fits).collect()
});

/// How many functions calls are made of.
pub fn callable() -> usize {
    CALLABLE.len()
}

impl Grammar {
    /// A column of a type.
    pub fn column(&mut self, columns: &Columns, ty: ScalarType) -> Option<String> {
        let fitting: Vec<&str> = columns.iter().filter(|(_, t)| *t == ty).map(|(name, _)| name.as_str()).collect();
        (!fitting.is_empty()).then(|| self.chance.pick(&fitting).to_owned())
    }

    pub fn literal(&mut self, ty: ScalarType) -> String {
        self.chance.pick(literals::of(ty)).to_owned()
    }

    /// An expression of a type.
    pub fn value(&mut self, columns: &Columns, ty: ScalarType, depth: usize) -> String {
        if depth == 0 || self.chance.one_in(3) {
            let column = if self.chance.one_in(5) { None } else { self.column(columns, ty) };
            return column.unwrap_or_else(|| self.literal(ty));
        }
        match self.chance.below(8) {
            0..=2 => self.form(columns, ty, depth - 1),
            3 => self.choice(columns, ty, depth - 1),
            _ => self.call(columns, ty, depth - 1),
        }
    }

    /// `iff`, `case`, `coalesce`, `max_of`...: any type.
    fn choice(&mut self, columns: &Columns, ty: ScalarType, depth: usize) -> String {
        let (one, other) = (self.value(columns, ty, depth), self.value(columns, ty, 0));
        match self.chance.below(4) {
            0 => format!("iff({}, {one}, {other})", self.condition(columns, 1)),
            1 => {
                let (first, second) = (self.condition(columns, 1), self.condition(columns, 0));
                format!("case({first}, {one}, {second}, {other}, {})", self.value(columns, ty, 0))
            }
            2 if ty != ScalarType::Dynamic => format!("coalesce({one}, {other})"),
            3 if matches!(ty, ScalarType::Long | ScalarType::Real | ScalarType::DateTime | ScalarType::TimeSpan) => {
                format!("{}({one}, {other})", self.chance.pick(&["max_of", "min_of"]))
            }
            _ => one,
        }
    }

    /// The forms that each type has in the language.
    fn form(&mut self, columns: &Columns, ty: ScalarType, depth: usize) -> String {
        use ScalarType as T;
        let a = |grammar: &mut Self, ty| grammar.value(columns, ty, depth);
        match ty {
            T::Long => match self.chance.below(5) {
                0 => format!("strlen({})", a(self, T::String)),
                1 => format!("bin({}, {})", a(self, T::Long), self.chance.pick(&["2", "10", "3", "7"])),
                2 => format!("tolong({})", a(self, T::String)),
                _ => {
                    let operator = self.chance.pick(&["+", "-", "*", "%", "/"]);
                    format!("({} {operator} {})", a(self, T::Long), a(self, T::Long))
                }
            },
            T::Int => format!("toint({})", a(self, T::Long)),
            T::Real => match self.chance.below(4) {
                0 => format!("todouble({})", a(self, T::Long)),
                1 => format!("bin({}, 0.5)", a(self, T::Real)),
                2 => format!("({} / 4.0)", a(self, T::Long)),
                _ => {
                    let operator = self.chance.pick(&["+", "-", "*", "/"]);
                    format!("({} {operator} {})", a(self, T::Real), a(self, T::Real))
                }
            },
            T::Decimal => format!("todecimal({})", a(self, T::Long)),
            T::Bool => self.condition(columns, depth.min(2)),
            T::DateTime => match self.chance.below(4) {
                0 => {
                    format!("startof{}({})", self.chance.pick(&["day", "week", "month", "year"]), a(self, T::DateTime))
                }
                1 => format!("bin({}, {})", a(self, T::DateTime), self.chance.pick(&["1h", "1d", "7m", "3d"])),
                2 => format!("({} + {})", a(self, T::DateTime), a(self, T::TimeSpan)),
                _ => format!("({} - {})", a(self, T::DateTime), a(self, T::TimeSpan)),
            },
            T::TimeSpan => match self.chance.below(3) {
                0 => format!("({} - {})", a(self, T::DateTime), a(self, T::DateTime)),
                1 => format!("(now() - {})", a(self, T::DateTime)),
                _ => format!("({} * 2)", a(self, T::TimeSpan)),
            },
            T::Guid => format!("toguid({})", a(self, T::String)),
            T::String | T::Unknown => self.text_form(columns, depth),
            T::Dynamic => match self.chance.below(6) {
                0 => format!("split({}, {})", a(self, T::String), self.literal(T::String)),
                1 => {
                    format!("bag_pack('name', {}, 'tags', {})", self.value(columns, T::String, 0), a(self, T::Dynamic))
                }
                2 => format!("parse_json({})", a(self, T::String)),
                3 => format!("{}.{}", self.dynamic_column(columns), self.chance.pick(&["tags", "name", "b.c", "none"])),
                4 => format!("{}[{}]", self.dynamic_column(columns), self.chance.pick(&["0", "-1", "5", "'name'"])),
                _ => format!("pack_array({}, {})", self.value(columns, T::Long, 0), a(self, T::String)),
            },
        }
    }

    fn dynamic_column(&mut self, columns: &Columns) -> String {
        self.column(columns, ScalarType::Dynamic).unwrap_or_else(|| "parse_json('{\"name\": \"a\"}')".to_owned())
    }

    fn text_form(&mut self, columns: &Columns, depth: usize) -> String {
        let text = self.value(columns, ScalarType::String, depth);
        match self.chance.below(7) {
            0 => {
                let ty = self.chance.pick(&TYPES);
                format!("strcat({text}, '-', {})", self.value(columns, ty, 0))
            }
            1 => format!("tolower({text})"),
            2 => format!("substring({text}, {}, 3)", self.chance.pick(&["1", "0", "-2"])),
            3 => {
                let ty = self.chance.pick(&TYPES);
                format!("tostring({})", self.value(columns, ty, depth))
            }
            4 => format!("extract('([a-z]+)', 1, {text})"),
            5 => format!("tostring({}.name)", self.dynamic_column(columns)),
            _ => format!("replace_string({text}, 'a', {})", self.literal(ScalarType::String)),
        }
    }

    /// A call of any function of the registry, converted to the wanted type.
    fn call(&mut self, columns: &Columns, ty: ScalarType, depth: usize) -> String {
        let function = self.chance.pick(&CALLABLE);
        let overload = &function.overloads[self.chance.below(function.overloads.len())];
        let common = self.chance.pick(&TYPES[..8]);
        let mut arguments = Vec::new();
        for param in overload.params {
            if param.optional && self.chance.one_in(2) {
                break;
            }
            arguments.push(self.argument(columns, function, param, common, depth));
        }
        let call = format!("{}({})", function.name, arguments.join(", "));
        match overload.returns {
            Return::Type(returned) if returned == ty => call,
            // Several values: the text of any one would do.
            Return::Columns(_) | Return::SortedArguments => convert(&format!("{call}[0]"), ty),
            _ => convert(&call, ty),
        }
    }

    fn argument(
        &mut self,
        columns: &Columns,
        function: &Function,
        param: &Param,
        common: ScalarType,
        depth: usize,
    ) -> String {
        if let Some(values) = literals::named(function.name, param.name)
            && (param.constant || literals::is_choice(param.name) || !self.chance.one_in(5))
        {
            return self.chance.pick(values).to_owned();
        }
        let ty = match param.ty {
            ParamType::Type(ty) => ty,
            ParamType::TextLike => ScalarType::String,
            ParamType::StringOrDynamic => self.chance.pick(&[ScalarType::String, ScalarType::Dynamic]),
            ParamType::Integer => self.chance.pick(&[ScalarType::Long, ScalarType::Int]),
            ParamType::Number => self.chance.pick(&[ScalarType::Long, ScalarType::Real, ScalarType::Int]),
            ParamType::Summable => self.chance.pick(&[ScalarType::Long, ScalarType::Real, ScalarType::TimeSpan]),
            ParamType::Dynamic => ScalarType::Dynamic,
            ParamType::Common => common,
            ParamType::Any => self.chance.pick(&TYPES),
            ParamType::Orderable | ParamType::Table => ScalarType::Long,
        };
        if param.constant { self.literal(ty) } else { self.value(columns, ty, depth) }
    }
}

/// An expression as another type.
fn convert(expression: &str, ty: ScalarType) -> String {
    match ty {
        ScalarType::Bool => format!("tobool({expression})"),
        ScalarType::Int => format!("toint({expression})"),
        ScalarType::Long => format!("tolong({expression})"),
        ScalarType::Real => format!("toreal({expression})"),
        ScalarType::Decimal => format!("todecimal({expression})"),
        ScalarType::DateTime => format!("todatetime({expression})"),
        ScalarType::TimeSpan => format!("totimespan({expression})"),
        ScalarType::Guid => format!("toguid({expression})"),
        ScalarType::String | ScalarType::Unknown => format!("tostring({expression})"),
        ScalarType::Dynamic => format!("pack_array({expression})"),
    }
}
