//! What a hunt says of each rule: exactly one state, with the reason, the runs and the tables.

use kql_types::Diagnostic;

use crate::rule::{AlertSeverity, RuleKind};

/// How a rule ended. `Silent` and `NoData` are never added together: only the first is a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RuleState {
    /// Raised at least one alert.
    Fired,
    /// No alert, and all its tables had rows in its windows.
    Silent,
    /// No alert, and some of its tables had no rows.
    Partial,
    /// None of its tables had rows.
    NoData,
    /// Its tables had rows, but none in its windows.
    OutOfWindow,
    /// Its query uses something that is not done yet.
    Unsupported,
    /// Its file or its query is wrong.
    Invalid,
    /// A limit was hit, or data could not be read.
    Failed,
    /// Deprecated, disabled, or not asked for.
    Skipped,
}

impl RuleState {
    pub const ALL: [RuleState; 9] = [
        RuleState::Fired,
        RuleState::Silent,
        RuleState::Partial,
        RuleState::NoData,
        RuleState::OutOfWindow,
        RuleState::Unsupported,
        RuleState::Invalid,
        RuleState::Failed,
        RuleState::Skipped,
    ];

    pub fn name(self) -> &'static str {
        match self {
            RuleState::Fired => "fired",
            RuleState::Silent => "silent",
            RuleState::Partial => "partial",
            RuleState::NoData => "no-data",
            RuleState::OutOfWindow => "out-of-window",
            RuleState::Unsupported => "unsupported",
            RuleState::Invalid => "invalid",
            RuleState::Failed => "failed",
            RuleState::Skipped => "skipped",
        }
    }
}

/// How the runs of a schedule were answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Runs of the schedule.
    pub scheduled: u64,
    /// Queries that were really run for them.
    pub executed: u64,
    /// Runs answered by another run that provably sees the same rows.
    pub shared: u64,
    /// Runs that see no row that could matter.
    pub empty: u64,
    /// All runs were answered by one pass over the data.
    pub single_pass: bool,
}

/// A table that a rule reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRead {
    pub name: String,
    /// Rows of the table in all data.
    pub rows: u64,
    /// The table had rows in the rule's windows.
    pub in_windows: bool,
}

/// One rule, or one file that should have held one.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleOutcome {
    /// Index into the library's rules; None for a broken file.
    pub rule: Option<usize>,
    pub id: String,
    pub name: String,
    pub file: String,
    pub kind: Option<RuleKind>,
    pub severity: Option<AlertSeverity>,
    pub techniques: Vec<String>,
    pub state: RuleState,
    /// Why, in one line; empty where the state says it all.
    pub reason: String,
    pub runs: RunCounts,
    pub tables: Vec<TableRead>,
    /// Result rows of all runs, each counted once.
    pub rows: u64,
    /// Result rows that the project file excludes, each counted once.
    pub excluded: u64,
    pub alerts: usize,
    /// Mistakes and warnings; places are in the query as the file has it.
    pub diagnostics: Vec<Diagnostic>,
    /// Which spelling of `AzureActivity` status values the rule was shown, if it reads that table.
    pub azure_dialect: Option<&'static str>,
    /// Wall time, which differs from run to run.
    pub elapsed: std::time::Duration,
    /// Defaults that were filled in, unknown fields, limits that were hit.
    pub notes: Vec<String>,
}

impl RuleOutcome {
    /// The tables that had no rows in the rule's windows.
    pub fn empty_tables(&self) -> impl Iterator<Item = &TableRead> {
        self.tables.iter().filter(|table| !table.in_windows)
    }
}
