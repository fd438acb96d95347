//! The shape of an entry.

use std::fmt;

use kql_types::{Overload, Param, ParamType, ResultName, Return, ScalarType};

/// A query and the result it must give; run as a test and printed in the reference.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// A whole query, e.g. `print n = strlen("abc")`.
    pub query: &'static str,
    /// Header `name:type` separated by commas, then one row a line, values separated by commas, strings in quotes.
    pub result: &'static str,
}

/// Who gives the function its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A kernel over columns: total (null, never an error on data), deterministic.
    Scalar,
    /// A kernel whose value differs per call: `rand`, `new_guid`.
    Volatile,
    /// The binder replaces the call: `now`, `ago`, `iff`, `case`, `coalesce`, `column_ifexists`, `toscalar`...
    Binder,
    /// Needs serialized rows: `row_number`, `prev`, `next`, `row_cumsum`, `row_rank_dense`, `row_window_session`...
    Window,
}

#[cfg(feature = "kernels")]
pub type Kernel = Option<crate::kernels::KernelFn>;
/// Without the feature `kernels` an entry holds no code.
#[cfg(not(feature = "kernels"))]
pub type Kernel = Option<std::convert::Infallible>;

#[cfg(feature = "kernels")]
pub type AggregateKernel = Option<crate::kernels::AggregateFn>;
#[cfg(not(feature = "kernels"))]
pub type AggregateKernel = Option<std::convert::Infallible>;

/// Names a kernel in an entry: `kernel!(crate::kernels::string::strlen)`; nothing without the feature.
#[macro_export]
macro_rules! kernel {
    ($path:expr) => {{
        #[cfg(feature = "kernels")]
        {
            Some($path)
        }
        #[cfg(not(feature = "kernels"))]
        {
            None
        }
    }};
}

/// A scalar function or an operator (operators are named by their symbol: `==`, `has_any`, `+`).
pub struct Function {
    pub name: &'static str,
    pub summary: &'static str,
    pub details: &'static str,
    pub overloads: &'static [Overload],
    pub result_name: ResultName,
    pub kind: Kind,
    /// The successor of an obsolete name.
    pub obsolete: Option<&'static str>,
    pub examples: &'static [Example],
    /// None for [`Kind::Binder`] and [`Kind::Window`], and for a known function that is not done yet:
    /// calling that one is `unsupported: NAME`.
    pub kernel: Kernel,
}

/// What every function states; rare properties are methods of [`Function`], chained on [`Function::new`].
///
/// ```
/// use kql_functions::entry::{Entry, Function, ex, string, takes};
/// use kql_types::{ResultName, ScalarType::Long};
///
/// static STRLEN: Function = Function::new(Entry {
///     name: "strlen",
///     summary: "Counts the characters of a string.",
///     details: "Counts code points, not bytes.",
///     overloads: &[takes(&[string("source")], Long)],
///     result_name: ResultName::NameAndFirstArgument,
///     examples: &[ex("print n = strlen('abc')", "n:long\n3")],
///     kernel: None,
/// });
/// # assert_eq!(STRLEN.name, "strlen");
/// ```
#[derive(Debug)]
pub struct Entry {
    pub name: &'static str,
    pub summary: &'static str,
    pub details: &'static str,
    pub overloads: &'static [Overload],
    pub result_name: ResultName,
    pub examples: &'static [Example],
    pub kernel: Kernel,
}

/// The name alone: bound queries are printed for debugging and compared by what they print.
impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The name alone, as for [`Function`].
impl fmt::Debug for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Function {
    /// A deterministic scalar function or operator.
    pub const fn new(entry: Entry) -> Function {
        Function {
            name: entry.name,
            summary: entry.summary,
            details: entry.details,
            overloads: entry.overloads,
            result_name: entry.result_name,
            kind: Kind::Scalar,
            obsolete: None,
            examples: entry.examples,
            kernel: entry.kernel,
        }
    }

    /// Marks an old name; `successor` is what to write instead.
    pub const fn obsolete(mut self, successor: &'static str) -> Function {
        self.obsolete = Some(successor);
        self
    }

    /// Marks a function whose value differs per call.
    pub const fn volatile(mut self) -> Function {
        self.kind = Kind::Volatile;
        self
    }

    /// Marks a function that the binder replaces.
    pub const fn by_binder(mut self) -> Function {
        self.kind = Kind::Binder;
        self
    }

    /// Marks a function over serialized rows.
    pub const fn over_window(mut self) -> Function {
        self.kind = Kind::Window;
        self
    }
}

/// One way to call a function, with a fixed type of result.
pub const fn takes(params: &'static [Param], returns: ScalarType) -> Overload {
    Overload::new(params, Return::Type(returns))
}

/// An example: a query and its result (see [`Example`]).
pub const fn ex(query: &'static str, result: &'static str) -> Example {
    Example { query, result }
}

/// Defines parameters by type: `string("source")`, `long("start").optional()`.
macro_rules! params {
    ($($(#[$doc:meta])* $name:ident => $ty:expr;)*) => {
        $($(#[$doc])*
        pub const fn $name(name: &'static str) -> Param {
            Param::new(name, $ty)
        })*
    };
}

params! {
    /// A parameter of any scalar type.
    any => ParamType::Any;
    /// A bool parameter.
    boolean => ParamType::Type(ScalarType::Bool);
    /// A long parameter; ints convert.
    long => ParamType::Type(ScalarType::Long);
    /// An int or long, passed as long.
    integer => ParamType::Integer;
    /// A real parameter; integers convert.
    real => ParamType::Type(ScalarType::Real);
    /// Any number, passed as it is.
    number => ParamType::Number;
    /// A decimal parameter.
    decimal => ParamType::Type(ScalarType::Decimal);
    /// A datetime parameter.
    datetime => ParamType::Type(ScalarType::DateTime);
    /// A timespan parameter.
    timespan => ParamType::Type(ScalarType::TimeSpan);
    /// A guid parameter.
    guid => ParamType::Type(ScalarType::Guid);
    /// A string parameter: nothing else is accepted.
    string => ParamType::Type(ScalarType::String);
    /// A string, or a dynamic that the call converts to string.
    text => ParamType::TextLike;
    /// A string or a dynamic, passed as it is.
    string_or_dynamic => ParamType::StringOrDynamic;
    /// A dynamic array or bag.
    dynamic => ParamType::Dynamic;
}

/// An aggregate function of `summarize` and `make-series`.
pub struct Aggregate {
    pub name: &'static str,
    pub summary: &'static str,
    pub details: &'static str,
    pub overloads: &'static [Overload],
    pub result_name: ResultName,
    pub obsolete: Option<&'static str>,
    pub examples: &'static [Example],
    pub kernel: AggregateKernel,
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        self.name == other.name
    }
}

impl PartialEq for Aggregate {
    fn eq(&self, other: &Aggregate) -> bool {
        self.name == other.name
    }
}
