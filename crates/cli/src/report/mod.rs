//! The reports of a hunt and of tests: for people on a terminal, complete for programs.

pub mod json;
pub mod lines;
pub mod lint;
pub mod places;
pub mod replay;
pub mod rule_tests;
pub mod sigma;
pub mod sources;
pub mod terminal;
pub mod tuning;

use detections::hunt::Hunt;
use detections::library::RuleLibrary;
use detections::schedule::Mode;

use crate::project::Project;
use crate::session::Session;
use places::Places;

/// Everything a report is made from.
pub struct ReportInput<'a> {
    pub hunt: &'a Hunt,
    pub library: &'a RuleLibrary,
    pub session: &'a Session,
    pub places: &'a Places,
    pub mode: Mode,
    /// No rules were given: the built-in ones ran.
    pub builtin: bool,
    pub project: &'a Project,
    /// What a replay says besides alerts.
    pub replay: Option<&'a replay::Replayed>,
    pub fidelity: bool,
    /// What was typed, without what changes no byte of the report.
    pub command_line: Vec<String>,
    /// The commit of the rules' repository, with `+` where files differ from it.
    pub rule_set_commit: Option<String>,
    /// Wall time in seconds, when asked for: it differs from run to run.
    pub seconds: Option<f64>,
}

impl ReportInput<'_> {
    /// The tables that have rows, and times to find them by.
    pub fn tables(&self) -> Vec<&str> {
        tables_with_times(self.session)
    }
}

/// The tables that have rows, and times to find them by.
pub fn tables_with_times(session: &Session) -> Vec<&str> {
    let tables = session.profile.tables.iter().filter(|(_, table)| table.rows > 0 && table.span.is_some());
    tables.map(|(name, _)| name.as_str()).collect()
}
