//! The form of a hunt's report, as it is written and read.
//!
//! Field by field what `docs/report.md` describes; the order of the fields is the order of the document. A field that
//! changes its meaning or goes away makes a new [`SCHEMA`]; fields that are added have defaults, so that earlier reports
//! still can be read. Times are ISO 8601 in UTC with seven digits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// The version of the form.
pub const SCHEMA: &str = "tidewatch-hunt/1";

/// The whole document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    pub schema: String,
    /// Of Tidewatch.
    pub version: String,
    pub command_line: Vec<String>,
    pub rule_set_commit: Option<String>,
    pub attack_version: String,
    pub mode: Mode,
    pub span: Option<Span>,
    pub rules_from: String,
    pub reference_tables: String,
    pub summary: Summary,
    pub sources: Vec<Source>,
    pub tables: BTreeMap<String, Table>,
    pub rules: Vec<Rule>,
    /// Newest first.
    pub alerts: Vec<Alert>,
    /// Newest first.
    pub incidents: Vec<Incident>,
    /// What the alerts are about, the most wanted first.
    pub entities: Vec<EntityPage>,
    /// The alerts by their last record, oldest first.
    pub timeline: Vec<Moment>,
    pub coverage: Vec<TechniqueCoverage>,
    /// What differs from an earlier report, where one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    pub library: Library,
    /// The project file, and what became of its entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuning: Option<Json>,
    /// How each rule fared when the service's runs were replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<Json>,
    /// Wall time; only when asked for, since it differs from run to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// When the rules ran; None: not given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Mode {
    Sweep { from: Option<String>, to: Option<String> },
    Replay { from: Option<String>, to: Option<String> },
    Once { as_of: Option<String> },
}

impl Default for Mode {
    fn default() -> Self {
        Mode::Sweep { from: None, to: None }
    }
}

/// First and last moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub first: String,
    pub last: String,
}

/// A stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub from: String,
    pub to: String,
}

/// Counts over the whole hunt.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    pub rules: usize,
    /// By state; they add up to `rules`.
    pub states: Map<String, Json>,
    pub alerts: usize,
    /// The highest severity first.
    pub alerts_by_severity: Map<String, Json>,
    pub runs: RunTotals,
}

/// Runs of all rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunTotals {
    pub scheduled: u64,
    pub executed: u64,
    pub shared: u64,
    pub empty: u64,
}

/// Runs of one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunCounts {
    pub scheduled: u64,
    pub executed: u64,
    pub shared: u64,
    pub empty: u64,
    pub single_pass: bool,
}

/// One file or archive member, and what became of every record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    pub path: String,
    pub member: Option<String>,
    pub format: String,
    /// Records by the source that recognised them.
    pub kinds: BTreeMap<String, u64>,
    pub tables: BTreeMap<String, u64>,
    pub records: u64,
    pub rows: u64,
    pub duplicates: u64,
    pub undated: u64,
    pub implausible: u64,
    pub other: BTreeMap<String, Tally>,
    pub unreadable: BTreeMap<String, Tally>,
    pub mended: BTreeMap<String, Tally>,
    /// Fields that no column takes.
    pub unmapped: BTreeMap<String, u64>,
    pub misfits: BTreeMap<String, Tally>,
    /// Members that were not opened: the date in their path lies outside the times asked for.
    pub outside: u64,
    /// Why reading stopped before the end.
    pub stopped: Option<String>,
    pub notes: Vec<String>,
    pub sha256: String,
    pub bytes: u64,
    pub first: Option<String>,
    pub last: Option<String>,
}

/// A count with the first thing that was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub count: u64,
    pub first: Example,
}

/// Where the first of many was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Example {
    pub record: u64,
    pub offset: u64,
    pub line: u64,
    pub text: String,
}

/// A table that has rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Table {
    pub rows: u64,
    pub undated: u64,
    pub implausible: u64,
    pub first: Option<String>,
    pub last: Option<String>,
    /// Times of more than an hour without a row.
    pub gaps: Vec<Window>,
    /// Rows over time: at most 60 stretches of equal length.
    pub sparkline: Option<Sparkline>,
    /// Accounts, tenants, projects and regions, by column, with their rows.
    pub seen: Option<BTreeMap<String, BTreeMap<String, u64>>>,
    /// Columns with their types, where no schema was known.
    pub columns: Option<Map<String, Json>>,
}

/// Rows over time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sparkline {
    /// The start of the first stretch.
    pub from: String,
    pub hours_each: u64,
    pub rows: Vec<u64>,
}

/// A rule with its one state, or a file that should have held one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    pub id: String,
    pub name: String,
    pub file: String,
    pub kind: Option<String>,
    pub severity: Option<String>,
    pub techniques: Vec<String>,
    pub state: String,
    pub reason: String,
    pub runs: RunCounts,
    pub tables: Vec<TableRead>,
    pub rows: u64,
    /// Result rows that the project file excludes, each counted once.
    pub suppressed_rows: u64,
    pub alerts: usize,
    pub azure_status_dialect: Option<String>,
    pub diagnostics: Vec<Diagnostic>,
    pub notes: Vec<String>,
    pub description: String,
    pub query: Option<String>,
    /// Texts by heading: false positives, tuning, response.
    pub guidance: BTreeMap<String, String>,
    /// Whether tests lie beside the rule.
    pub has_tests: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// A table that a rule reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableRead {
    pub name: String,
    pub rows: u64,
    pub rows_in_windows: bool,
}

/// A mistake or a warning.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Diagnostic {
    pub code: String,
    pub severity: String,
    pub message: String,
    pub help: Option<String>,
    pub line: usize,
    pub column: usize,
    /// `file` or `query`.
    pub of: String,
}

/// One alert with everything behind it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alert {
    /// Derived from the rule and the rows.
    pub id: String,
    pub rule: RuleName,
    pub kind: String,
    pub name: String,
    pub description: String,
    pub severity: String,
    pub tactics: Vec<String>,
    pub techniques: Vec<String>,
    pub start: String,
    pub end: String,
    pub query_now: String,
    pub window: Window,
    pub runs: u64,
    pub last_query_now: String,
    pub first_record: Option<String>,
    pub last_record: Option<String>,
    /// As `SecurityAlert` has them, without numbers.
    pub entities: Vec<Map<String, Json>>,
    /// Number of the incident; hunting queries make none.
    pub incident: Option<u32>,
    /// When it was made, in a replay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<String>,
    pub custom_details: BTreeMap<String, Vec<String>>,
    pub properties: BTreeMap<String, String>,
    /// (name, type) of the result.
    pub columns: Vec<(String, String)>,
    pub rows: Vec<AlertRow>,
    pub rows_repeated: u64,
    pub notes: Vec<String>,
    /// With the clock of the run in front.
    pub query: Option<String>,
    /// What to ask next, ready to paste.
    pub next: Vec<NextQuery>,
    pub guidance: Option<BTreeMap<String, String>>,
    /// The alert as a row of `SecurityAlert`.
    pub security_alert: Option<Json>,
}

/// Which rule raised an alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleName {
    pub id: String,
    pub name: String,
    pub file: Option<String>,
}

/// A result row with the records behind it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertRow {
    pub values: Map<String, Json>,
    /// None for a place that is no longer known.
    pub sources: Vec<Option<SourceRecord>>,
    pub sources_truncated: bool,
}

/// One record of the logs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceRecord {
    pub path: String,
    pub member: Option<String>,
    /// From 0 within the file or member.
    pub record: u64,
    pub table: Option<String>,
    pub item_id: Option<String>,
}

/// A query that follows from an alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextQuery {
    pub title: String,
    pub query: String,
}

/// Alerts that belong together, by the grouping of their rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Incident {
    /// From 1, in the order of creation.
    pub number: u32,
    /// A GUID made from the first alert.
    pub name: String,
    pub title: String,
    pub severity: String,
    pub status: String,
    pub rule_id: String,
    pub tactics: Vec<String>,
    /// Ids of alerts, oldest first.
    pub alerts: Vec<String>,
    pub first_activity: String,
    pub last_activity: String,
    pub created: String,
}

/// One actor, address, key or resource over all alerts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EntityPage {
    pub kind: String,
    pub label: String,
    /// All identifiers that alerts gave, by name.
    pub identifiers: BTreeMap<String, Vec<String>>,
    /// The highest of its alerts.
    pub severity: String,
    pub first: String,
    pub last: String,
    /// Ids of alerts, oldest first.
    pub alerts: Vec<String>,
    /// What it did, oldest first, over all tables; cut at a limit.
    pub events: Vec<Event>,
    /// How many there are.
    pub events_total: u64,
}

/// Something that happened, in the words of every cloud.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    pub time: String,
    pub table: String,
    /// How the thing asked for took part: `actor`, `address`, `key`, `session`, `target` or `mentioned`.
    pub role: String,
    pub actor: String,
    pub address: String,
    pub action: String,
    pub target: String,
    pub outcome: String,
    pub scope: String,
    pub source: Option<SourceRecord>,
}

/// A point of the timeline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Moment {
    /// The first record behind it.
    pub time: String,
    /// The last one.
    pub until: String,
    pub alert: String,
    pub severity: String,
    pub name: String,
    pub entities: Vec<String>,
}

/// One ATT&CK technique and the rules that name it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TechniqueCoverage {
    pub technique: String,
    pub name: String,
    pub tactics: Vec<String>,
    /// Rules by state.
    pub states: BTreeMap<String, usize>,
    pub rules: usize,
    pub rules_with_tests: usize,
    pub alerts: usize,
}

/// What differs from an earlier report. Ids are of this report's alerts, for `gone` of the earlier one's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Changes {
    pub baseline_span: Option<Span>,
    pub baseline_rule_set_commit: Option<String>,
    pub new: Vec<String>,
    pub still: Vec<String>,
    pub gone: Vec<GoneAlert>,
    pub rule_states: Vec<StateChange>,
}

/// An alert of the earlier report that is not there any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GoneAlert {
    pub id: String,
    pub name: String,
    pub severity: String,
    pub time: String,
    pub rule: RuleName,
    /// The state of its rule now, where the rule is still there: why it may be gone.
    pub rule_state: Option<String>,
}

/// A rule that ended otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StateChange {
    pub rule: RuleName,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What was found beside the rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Library {
    pub rules: usize,
    pub functions: usize,
    pub watchlists: usize,
    pub broken: Vec<BrokenFile>,
    pub duplicates: Vec<DuplicateId>,
    /// Files that hold no rule.
    pub passed_over: u64,
    pub unreadable: Vec<UnreadablePath>,
}

/// A file that should have held a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BrokenFile {
    pub file: String,
    pub line: Option<u32>,
    pub column: Option<u32>,
    pub message: String,
}

/// Two rules of one id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DuplicateId {
    pub id: String,
    pub first: Option<String>,
    pub second: Option<String>,
    pub same_query: bool,
}

/// A path of rules that could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnreadablePath {
    pub path: String,
    pub reason: String,
}

impl Alert {
    /// When it happened: of the records, else of the result.
    pub fn begins(&self) -> &str {
        self.first_record.as_deref().unwrap_or(&self.start)
    }

    pub fn ends(&self) -> &str {
        self.last_record.as_deref().unwrap_or(&self.end)
    }
}

/// Severities in order; unknown ones count least.
pub fn severity_rank(name: &str) -> u8 {
    match name {
        "High" => 4,
        "Medium" => 3,
        "Low" => 2,
        "Informational" => 1,
        _ => 0,
    }
}
