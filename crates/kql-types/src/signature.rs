//! Function signatures as data: what arguments a function takes, what it returns, how its result is named.

use crate::{ScalarType, Value};

/// What a parameter accepts. int converts to long, and integers to real and decimal, without a word;
/// a dynamic value is accepted where [`ParamType`] says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamType {
    /// Any scalar, passed as it is.
    Any,
    /// Exactly this type, or one that converts to it silently (int to long or real, long to real, ...).
    Type(ScalarType),
    /// string or dynamic, passed as it is.
    StringOrDynamic,
    /// string, or dynamic converted to string (`strcat`, `tolower`...: use where the engine converts).
    TextLike,
    /// int or long, passed as long.
    Integer,
    /// int, long, real or decimal, passed as it is.
    Number,
    /// A number, timespan or datetime, passed as it is.
    Summable,
    /// Anything with an order: no dynamic.
    Orderable,
    /// Any scalar, converted to the common type of all arguments that are marked so.
    Common,
    /// A dynamic array or bag.
    Dynamic,
    /// A tabular expression (binder handles it).
    Table,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    pub name: &'static str,
    pub ty: ParamType,
    /// May be left out.
    pub optional: bool,
    /// May stand zero or more times (only the last group of parameters).
    pub repeat: bool,
    /// Must be a literal or a constant expression.
    pub constant: bool,
}

impl Param {
    pub const fn new(name: &'static str, ty: ParamType) -> Param {
        Param { name, ty, optional: false, repeat: false, constant: false }
    }

    pub const fn optional(mut self) -> Param {
        self.optional = true;
        self
    }

    pub const fn repeat(mut self) -> Param {
        self.repeat = true;
        self.optional = true;
        self
    }

    pub const fn constant(mut self) -> Param {
        self.constant = true;
        self
    }
}

/// The type of a result.
#[derive(Debug, Clone, Copy)]
pub enum Return {
    Type(ScalarType),
    /// The type of the argument with this index.
    Argument(usize),
    /// The common type of the [`ParamType::Common`] arguments (or of all, when there are none).
    Common,
    /// int becomes long, other types stay: the type of `sum` and of arithmetic.
    Widened(usize),
    /// Computed from the argument types, after conversion.
    Custom(fn(&[ScalarType]) -> ScalarType),
    /// Several named values (`series_fit_line`, `series_stats`): the kernel returns them as one dynamic array in this
    /// order; the binder takes it apart. A column of the result is named `FUNCTION_ARGUMENT_NAME`.
    Columns(&'static [(&'static str, ScalarType)]),
    /// The common type of the [`ParamType::Common`] arguments that are not dynamic; dynamic when all are, or when
    /// they have none in common (`iff(c, dynamic_value, "x")` is a string).
    CommonNonDynamic,
    /// Computed from the argument types and the values of constant arguments (None for others):
    /// `datetime_diff("week", a, b)` is a real, `datetime_diff("day", a, b)` a long.
    FromConstants(fn(&[ScalarType], &[Option<&Value>]) -> ScalarType),
    /// With one dynamic argument a dynamic value. With more, a tuple with one dynamic field for each dynamic argument,
    /// named by the argument and `_sorted`: `print array_sort_asc(a, b)` gives `a_sorted` and `b_sorted`.
    /// An index picks a field: `array_sort_asc(a, b)[1]`.
    SortedArguments,
}

/// One way to call a function. The first overload that fits wins; one that fits without conversions is preferred.
#[derive(Debug, Clone, Copy)]
pub struct Overload {
    pub params: &'static [Param],
    pub returns: Return,
}

impl Overload {
    pub const fn new(params: &'static [Param], returns: Return) -> Overload {
        Overload { params, returns }
    }
}

/// How the result column of an unnamed call is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultName {
    /// No name of its own: `Column1`, `print_0`.
    None,
    /// The name of the first argument: `tostring(a)` is `a`.
    FirstArgument,
    /// The function's name and the first argument's: `strlen_a`.
    NameAndFirstArgument,
    /// A prefix and the first argument's name: `max_t`, `count_`.
    PrefixAndFirstArgument(&'static str),
    /// The prefix alone.
    PrefixOnly(&'static str),
    /// A prefix and the names of the first two arguments: `covariance_x_y`.
    PrefixAndTwoArguments(&'static str),
    /// One output column for each value of the last, repeated parameter; each is named by the prefix, the first
    /// argument and the value: `percentiles(a, 5, 50)` gives `percentile_a_5` and `percentile_a_50`. Each output is
    /// a call of its own with that one value.
    PrefixFirstArgumentAndValue(&'static str),
    /// The name of the only argument, when there is just one.
    OnlyArgument,
    /// The first argument's value if that is a literal naming a column, as in `column_ifexists`.
    FirstArgumentValueIfColumn,
}
