//! Exit codes, in one place. When several hold, the highest is given.

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// It ran, and there is nothing to act on.
    Clean = 0,
    /// Alerts at or above the severity asked for, mistakes in checked files, files that are not formatted.
    Found = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Rules that could not be judged, with `--strict`.
    Rules = 3,
    /// Input that could not be read at all.
    Input = 4,
    /// A limit was hit, or the user interrupted.
    Limit = 5,
}

impl Exit {
    pub fn code(self) -> std::process::ExitCode {
        std::process::ExitCode::from(self as u8)
    }
}

/// An error that has an exit code of its own.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub message: String,
}

impl Failure {
    pub fn usage(message: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Failure { exit: Exit::Usage, message: message.into() })
    }

    pub fn input(message: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Failure { exit: Exit::Input, message: message.into() })
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The code of an error: its own, or that of unreadable input.
pub fn of_error(error: &anyhow::Error) -> Exit {
    error.downcast_ref::<Failure>().map_or(Exit::Input, |failure| failure.exit)
}
