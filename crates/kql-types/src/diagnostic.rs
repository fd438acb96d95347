//! What is wrong with a query or rule: a code, a place, a message, and what to do.

use crate::Span;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    Information,
    Suggestion,
    Warning,
    Error,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Severity::Information => "Information",
            Severity::Suggestion => "Suggestion",
            Severity::Warning => "Warning",
            Severity::Error => "Error",
        }
    }
}

/// A diagnostic about what the user wrote. `code` is the official parser's (`KS142`) where the case is
/// the same, else ours (`TW...`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: &'static str,
    pub severity: Severity,
    pub message: String,
    pub span: Span,
    /// What to do: the nearest name, the form expected.
    pub help: Option<String>,
}

impl Diagnostic {
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { code, severity: Severity::Error, message: message.into(), span, help: None }
    }

    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { code, severity: Severity::Warning, message: message.into(), span, help: None }
    }

    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }
}

impl From<kql_syntax::SyntaxError> for Diagnostic {
    fn from(error: kql_syntax::SyntaxError) -> Diagnostic {
        Diagnostic::error(error.code, error.span, error.message)
    }
}
