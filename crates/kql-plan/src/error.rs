//! Why a bound query could not be lowered or its plan could not run.

use datafusion_common::DataFusionError;
use kql_types::Span;

/// Why lowering failed.
#[derive(Debug)]
pub enum LowerError {
    /// A part of the language that is not done yet.
    Unsupported { name: String, span: Option<Span> },
    /// A constant that can never work, such as a regular expression that does not compile.
    Constant { message: String, span: Span },
    /// A limit was passed or DataFusion refused the plan.
    Plan(DataFusionError),
    /// An invariant of the bound query was broken.
    Bug(String),
}

impl LowerError {
    pub fn unsupported(name: impl Into<String>, span: Span) -> LowerError {
        LowerError::Unsupported { name: name.into(), span: Some(span) }
    }

    pub fn bug(message: impl Into<String>) -> LowerError {
        LowerError::Bug(message.into())
    }
}

impl From<DataFusionError> for LowerError {
    fn from(error: DataFusionError) -> LowerError {
        LowerError::Plan(error)
    }
}

pub type LowerResult<T> = Result<T, LowerError>;

/// A kernel's refusal on its way through DataFusion: a constant argument that can never work, or a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelFailure(pub String);

impl KernelFailure {
    /// The limit of the caller that was passed, if it is that.
    pub fn limit(&self) -> Option<&str> {
        self.0.strip_prefix(kql_functions::kernels::KernelError::LIMIT)
    }
}

impl std::fmt::Display for KernelFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KernelFailure {}

/// Wraps a kernel's refusal so that the façade finds it again.
pub fn kernel_failure(error: kql_functions::kernels::KernelError) -> DataFusionError {
    DataFusionError::External(Box::new(KernelFailure(error.0)))
}
