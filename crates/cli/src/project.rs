//! The project file `tidewatch.yaml`: where it is, what it says, and what became of what it says.

use std::path::{Path, PathBuf};

use anyhow::Result;
use detections::hunt::Hunt;
use detections::library::RuleLibrary;
use detections::lint::Allowance;
use detections::outcome::RuleState;
use detections::placeholders;
use detections::rule::AnalyticsRule;
use detections::selection::Selection;
use detections::tuning::{self, Standing, Tuning, TuningEntry};
use detections::yaml;
use engine::QueryOptions;
use kql_types::Severity;
use kql_types::datetime::TICKS_PER_DAY;

use crate::exit::Failure;
use crate::session::{self, Session};
use crate::terminal::warn;

const NAME: &str = "tidewatch.yaml";

/// The project file of some rules.
#[derive(Debug, Default)]
pub struct Project {
    /// None: there is no project file.
    pub file: Option<PathBuf>,
    pub tuning: Tuning,
    /// What its `lint:` allows.
    pub silences: Vec<Allowance>,
    /// What became of its `rules:`.
    pub entries: Vec<TuningEntry>,
}

/// The project file of a path: in its folder or in the nearest one above.
fn find(path: &Path) -> Option<PathBuf> {
    let start = path.canonicalize().ok()?;
    start.ancestors().map(|folder| folder.join(NAME)).find(|file| file.is_file())
}

impl Project {
    /// The project of the first of these rules, or of the current folder.
    ///
    /// # Errors
    /// A project file that is not what it should be.
    pub fn of(rules: &[PathBuf]) -> Result<Project> {
        let Some(file) = find(rules.first().map_or(Path::new("."), PathBuf::as_path)) else {
            return Ok(Project::default());
        };
        let shown = file.display();
        let text = std::fs::read_to_string(&file).map_err(|e| Failure::input(format!("{shown}: {e}")))?;
        let document = yaml::parse(&text).map_err(|e| Failure::input(format!("{shown}: {}", e.message)))?;
        let wrong = |message: String| Failure::input(format!("{shown}: {message}"));
        let tuning = Tuning::read(&document, file.parent().unwrap_or(Path::new("."))).map_err(wrong)?;
        let silences = Allowance::of_project(&document).map_err(wrong)?;
        Ok(Project { file: Some(file), tuning, silences, entries: Vec::new() })
    }

    /// Changes rules as the file says, today.
    pub fn apply(&mut self, library: &mut RuleLibrary) {
        self.entries = self.tuning.apply(library, session::present());
        // Watchlists beside the project file; those beside the rules win.
        for file in self.watchlists() {
            let same = |known: &PathBuf| known.file_stem() == file.file_stem();
            if !library.watchlist_files.iter().any(same) {
                library.watchlist_files.push(file);
            }
        }
    }

    /// Says on standard error which entries are over, for commands whose results have no place for it.
    pub fn warn_of_expired(&self) {
        for entry in self.entries.iter().filter(|entry| entry.standing == Standing::Expired) {
            warn(&format!("{NAME}: the entry of {} has expired ({})", entry.tuning.rule, entry.tuning.what()));
        }
    }

    fn watchlists(&self) -> Vec<PathBuf> {
        let Some(folder) = self.file.as_ref().and_then(|file| file.parent()) else { return Vec::new() };
        session::csv_files(&folder.join("watchlists")).unwrap_or_default()
    }

    /// Takes out exclusions that do not fit the result of their rule.
    pub fn check(&mut self, session: &Session, library: &mut RuleLibrary) {
        let message = |_: &AnalyticsRule, query: &str| {
            let now = session.default_now();
            let filled = placeholders::fill(query, now.saturating_sub(TICKS_PER_DAY), now);
            let checked = session.engine.check(&filled.text, &QueryOptions::at(now));
            let error = checked.diagnostics.iter().find(|d| d.severity == Severity::Error).map(|d| d.message.clone());
            error.or_else(|| checked.bound.is_none().then(|| "it does not bind".to_string()))
        };
        tuning::check_exclusions(library, &mut self.entries, &message);
    }

    /// What the file chooses, beside what the command line does.
    pub fn selection(&self, selection: Selection) -> Selection {
        Selection { select: self.tuning.select.clone(), ignore: self.tuning.ignore.clone(), ..selection }
    }

    /// Why the file leaves a rule out, its tables aside.
    pub fn leaves_out(&self, rule: &AnalyticsRule) -> Option<String> {
        self.selection(Selection::default()).leaves_out(rule).or_else(|| rule.switched_off.clone())
    }

    /// Counts what exclusions kept from alerts: one that met nothing, in a rule that ran, is unused.
    pub fn count(&mut self, found: &Hunt) {
        for entry in self.entries.iter_mut().filter(|entry| entry.standing == Standing::Applied) {
            let outcome = found.outcomes.iter().find(|outcome| outcome.rule.is_some() && outcome.rule == entry.rule);
            let Some(outcome) = outcome else { continue };
            entry.excluded = outcome.excluded;
            let ran = matches!(outcome.state, RuleState::Fired | RuleState::Silent | RuleState::Partial);
            let only_excludes = entry.tuning.enabled.or(entry.tuning.severity.map(|_| true)).is_none()
                && entry.tuning.threshold.is_none();
            if ran && only_excludes && entry.tuning.exclude.is_some() && outcome.excluded == 0 {
                entry.standing = Standing::Unused;
            }
        }
    }
}
