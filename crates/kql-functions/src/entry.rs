//! The shape of an entry.

use kql_types::{Overload, ResultName};

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
#[derive(Debug)]
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

/// An aggregate function of `summarize` and `make-series`.
#[derive(Debug)]
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
