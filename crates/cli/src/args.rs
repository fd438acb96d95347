//! The command line: every command and option with its documentation, declared once.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Microsoft Sentinel's detections, anywhere: KQL and Sentinel rules over raw cloud logs.
#[derive(Debug, Parser)]
#[command(name = "tidewatch", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 nothing to report, 1 alerts (hunt) or mistakes (check), 2 wrong usage, \
3 an invalid or unsupported query, or rules of that kind with --strict, 4 input that could not be read, 5 a limit or an interrupt.")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run rules and hunting queries over raw logs, each on its own schedule
    Hunt(HuntArgs),
    /// Run one KQL query over raw logs
    Query(QueryArgs),
    /// Check queries and rules without data: diagnostics and result columns
    Check(CheckArgs),
    /// Show what is in logs: formats, tables, spans, gaps, accounts, duplicates, what could not be read
    Sources(SourcesArgs),
    /// Write the tables found in logs as Parquet, so that later runs need not parse again
    Load(LoadArgs),
    /// Format KQL files
    Fmt(FmtArgs),
    /// Answer queries at a prompt, with completion, history and charts
    Shell(ShellArgs),
    /// Serve an editor over standard input and output: diagnostics, completion, help, definitions, formatting
    Lsp(LspArgs),
    /// Run the unit tests beside rules: events, and what must come of them
    Test(TestArgs),
    /// Show which ATT&CK techniques rules cover: by rules, by rules with data, by rules whose tests pass
    Coverage(CoverageArgs),
    /// List rules with what they are about, as a table, a document or a feed
    Catalog(CatalogArgs),
    /// Say what is probably wrong with rules, mend what can be mended safely
    Lint(LintArgs),
    /// Show what an actor, address, key, session or resource did, over all clouds in one order
    Pivot(PivotArgs),
    /// Show what happened, over all clouds in one order
    Timeline(TimelineArgs),
    /// Look for a list of indicators in all logs
    Iocs(IocsArgs),
    /// Turn rules from one form into another: Sentinel YAML, ARM templates, Terraform, Sigma, KQL
    Convert(ConvertArgs),
    /// Show how many rows each step of a rule lets through, and why the nearest one fails
    Explain(ExplainArgs),
    /// Write the raw events that an attack test leaves, as their source writes them; nothing is run anywhere
    Emulate(EmulateArgs),
    /// Write a made-up company's raw logs with planted attacks, hunt them, and compare
    Demo(DemoArgs),
    /// Show where rows of logs are kept between runs and how much that takes, or remove them
    Cache(CacheArgs),
}

/// What names in queries may refer to.
#[derive(Debug, Clone, Default, Args)]
pub struct NameArgs {
    /// Stored functions: parser YAML, .kql files, a folder of these, or the JSON form {name: {params, body}}
    #[arg(long, value_name = "PATH")]
    pub functions: Vec<PathBuf>,
    /// Further tables, in the JSON form {table: {column: type}}
    #[arg(long, value_name = "PATH")]
    pub schemas: Vec<PathBuf>,
    /// A folder of CSV files, each a watchlist named after its file
    #[arg(long, value_name = "DIR")]
    pub watchlists: Vec<PathBuf>,
    /// A folder of files that stand for the addresses of externaldata: for https://host/a/b.csv the file host/a/b.csv, or
    /// b.csv. Nothing is ever fetched; an address without a file has no rows
    #[arg(long, value_name = "DIR")]
    pub external: Vec<PathBuf>,
    /// A database in MaxMind's format (such as GeoLite2-City.mmdb) with the places of addresses, for
    /// geo_info_from_ip_address; without one that function knows nothing
    #[arg(long, value_name = "FILE")]
    pub geoip: Option<PathBuf>,
}

/// How logs are read.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Read every record as one of this source (docs/sources lists them), whatever it looks like
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Zone of times for which an export names only the viewer's: an IANA name or its city
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// Where rows are kept so that a later run parses only files that are new or changed; off: nowhere [default: the
    /// variable TIDEWATCH_CACHE, or tidewatch in the user's folder for caches]
    #[arg(long, value_name = "DIR|off")]
    pub cache: Option<PathBuf>,
    /// How much the cache may take; what was not used for longest goes first
    #[arg(long, value_name = "SIZE", default_value = "5GB")]
    pub cache_limit: String,
}

/// Which logs are read, and into which table.
#[derive(Debug, Args, Default)]
pub struct FileArgs {
    /// Read every JSON record or CSV row as a row of this table; a name ending in _CL gets the columns its rows have
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
    /// Leave out files and archive members whose path gives a date before this, by more than a day
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Leave out files and archive members whose path gives a date after this, by more than a day
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// As --from, also as a length such as 7d before --to, or before the present
    #[arg(long, value_name = "LENGTH|TIME", conflicts_with = "from")]
    pub since: Option<String>,
}

#[derive(Debug, Args)]
pub struct HuntArgs {
    /// Sentinel YAML rules, .kql files, and folders of them, such as a clone of a rule repository [default: the built-in rules]
    pub rules: Vec<PathBuf>,
    /// Raw logs: files, folders, globs, or - for standard input
    #[arg(long, short, value_name = "PATH", required = true, num_args = 1..)]
    pub logs: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: LogArgs,
    /// First moment at which a rule runs; events before it stay visible as look-back
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Last moment at which a rule runs
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Run each rule once instead of sweeping the whole span
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub once: bool,
    /// Go on where an interrupted run stopped: what it had read is not read again. Until this run ends, everything is kept in
    /// the cache, beyond its limit
    #[arg(long)]
    pub resume: bool,
    /// With --once: the moment of the run [default: the end of the data]
    #[arg(long, value_name = "TIME", requires = "once")]
    pub as_of: Option<String>,
    /// Leave out files and archive members whose path gives a date before this, by more than a day, also as look-back; a
    /// time, or a length such as 30d before --to, --as-of or the present
    #[arg(long, value_name = "LENGTH|TIME")]
    pub since: Option<String>,
    /// Run the rules as the service would have: thresholds, suppression, alerts of each run, incidents, rows that come late
    #[arg(long, conflicts_with = "once")]
    pub replay: bool,
    /// With --replay: how late the records of a table arrive that do not say so themselves, such as SigninLogs=2h
    #[arg(long, value_name = "TABLE=LENGTH", value_delimiter = ',', requires = "replay")]
    pub arrival: Vec<String>,
    /// Invalid and unsupported rules make the exit code 3, and spellings that only Tidewatch accepts are errors
    #[arg(long)]
    pub strict: bool,
    /// Clip reference tables (identities, watchlists, indicators) to the window, as the service does
    #[arg(long)]
    pub fidelity: bool,
    /// Only rules of these severities
    #[arg(long, value_name = "SEVERITY", value_delimiter = ',')]
    pub severity: Vec<SeverityArg>,
    /// Only rules of these ATT&CK techniques; T1578 takes its sub-techniques as well
    #[arg(long, value_name = "TECHNIQUE", value_delimiter = ',')]
    pub technique: Vec<String>,
    /// Only rules that read one of these tables
    #[arg(long, value_name = "TABLE", value_delimiter = ',')]
    pub table: Vec<String>,
    /// Only rules with one of these ids or names, or in files whose path has one of these parts
    #[arg(long, value_name = "ID")]
    pub id: Vec<String>,
    /// Leave out rules with one of these ids or names, or in files whose path has one of these parts
    #[arg(long, value_name = "ID")]
    pub exclude: Vec<String>,
    /// Length of the range of hunting queries
    #[arg(long, value_name = "LENGTH", default_value = "1d")]
    pub range: String,
    /// The least severity of an alert that makes the exit code 1 [default: any alert]
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<SeverityArg>,
    /// Form of the report
    #[arg(long, value_enum, default_value_t = HuntFormat::Table)]
    pub format: HuntFormat,
    /// An earlier report in JSON: say what is new, still there and gone since
    #[arg(long, value_name = "REPORT")]
    pub baseline: Option<PathBuf>,
    /// Also list every rule with its state, not only those that need attention
    #[arg(long)]
    pub all: bool,
    /// With machine-readable formats: add wall times, which differ from run to run
    #[arg(long)]
    pub times: bool,
    #[command(flatten)]
    pub names: NameArgs,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Limit on the time of one rule, all its runs together
    #[arg(long, value_name = "LENGTH", default_value = "10m")]
    pub time_limit: String,
    /// Limit on the memory that one run of a rule may hold beside the logs, such as 512MB or 2GB [default: none]
    #[arg(long, value_name = "SIZE")]
    pub memory_limit: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SeverityArg {
    Informational,
    Low,
    Medium,
    High,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HuntFormat {
    /// For people
    Table,
    /// One document with everything
    Json,
    /// The same as one page for a browser, with nothing beside it
    Html,
    /// One line for each alert and each rule
    Ndjson,
    /// One line for each alert
    Csv,
}

#[derive(Debug, Args)]
pub struct QueryArgs {
    /// The query
    #[arg(value_name = "KQL", required_unless_present = "file", conflicts_with = "file")]
    pub query: Option<String>,
    /// Read the query from a file (- for standard input)
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Raw logs: files, folders, globs, or - for standard input
    #[arg(long, short, value_name = "PATH", num_args = 1..)]
    pub logs: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: LogArgs,
    #[command(flatten)]
    pub files: FileArgs,
    /// What now() is [default: the end of the data, or the present without data]
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    /// Value of a declared query parameter; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub param: Vec<String>,
    /// Form of the result
    #[arg(long, value_enum, default_value_t = QueryFormat::Table)]
    pub format: QueryFormat,
    /// Write the result here instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Spellings that only Tidewatch accepts are errors
    #[arg(long)]
    pub strict: bool,
    /// Length of the range that {{StartTimeISO}} and {{EndTimeISO}} stand for, before now
    #[arg(long, value_name = "LENGTH", default_value = "1d")]
    pub range: String,
    #[command(flatten)]
    pub names: NameArgs,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Limit on the time of the query, such as 30s or 5m [default: none]
    #[arg(long, value_name = "LENGTH")]
    pub time_limit: Option<String>,
    /// Limit on the memory that the query may hold beside the logs, such as 512MB or 2GB [default: none]
    #[arg(long, value_name = "SIZE")]
    pub memory_limit: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QueryFormat {
    /// For people
    Table,
    /// One array of objects
    Json,
    /// One object a line
    Ndjson,
    Csv,
    Parquet,
    /// The frames of Kusto's REST interface, version 2
    Kusto,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Rules, .kql files, folders of them (- for a query on standard input)
    #[arg(required_unless_present = "jsonl")]
    pub files: Vec<PathBuf>,
    /// Read {"id", "query"} lines from standard input and write one verdict a line
    #[arg(long, conflicts_with = "files")]
    pub jsonl: bool,
    /// Spellings that only Tidewatch accepts are errors
    #[arg(long)]
    pub strict: bool,
    /// Show only mistakes, not the result columns
    #[arg(long, short)]
    pub quiet: bool,
    /// Form of the verdicts on files
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub format: CheckFormat,
    #[command(flatten)]
    pub names: NameArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people
    Text,
    /// One verdict a line, as with --jsonl
    Json,
}

#[derive(Debug, Args)]
pub struct SourcesArgs {
    /// Raw logs: files, folders, globs, or - for standard input
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: LogArgs,
    #[command(flatten)]
    pub files: FileArgs,
    /// Form of the report
    #[arg(long, value_enum, default_value_t = SourcesFormat::Table)]
    pub format: SourcesFormat,
    /// Show every file, not only those with something to say
    #[arg(long)]
    pub all: bool,
    /// Further tables, in the JSON form {table: {column: type}}
    #[arg(long, value_name = "PATH")]
    pub schemas: Vec<PathBuf>,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SourcesFormat {
    /// For people
    Table,
    /// One document with everything
    Json,
}

#[derive(Debug, Args)]
pub struct LoadArgs {
    /// Raw logs: files, folders, globs, or - for standard input
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: LogArgs,
    #[command(flatten)]
    pub files: FileArgs,
    /// Folder to write to; made when it does not exist
    #[arg(long, short, value_name = "DIR")]
    pub output: PathBuf,
    /// Go on where an interrupted load stopped: what it had read is not read again. Until this load ends, everything is kept in
    /// the cache, beyond its limit
    #[arg(long)]
    pub resume: bool,
    /// Further tables, in the JSON form {table: {column: type}}
    #[arg(long, value_name = "PATH")]
    pub schemas: Vec<PathBuf>,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

#[derive(Debug, Args)]
pub struct CacheArgs {
    /// The folder [default: the variable TIDEWATCH_CACHE, or tidewatch in the user's folder for caches]
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Remove everything that is kept; nothing else in the folder is touched
    #[arg(long)]
    pub clear: bool,
}

#[derive(Debug, Args)]
pub struct FmtArgs {
    /// .kql files, and folders of them
    #[arg(required_unless_present = "stdin")]
    pub files: Vec<PathBuf>,
    /// Change nothing; exit code 1 when a file is not formatted
    #[arg(long)]
    pub check: bool,
    /// Change nothing; show what would change
    #[arg(long)]
    pub diff: bool,
    /// Format standard input to standard output
    #[arg(long, conflicts_with = "files")]
    pub stdin: bool,
}

#[derive(Debug, Args)]
pub struct TestArgs {
    /// Rules, their tests (NAME.test.yaml), and folders of them
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Only cases with this text in their name
    #[arg(long, value_name = "TEXT")]
    pub only: Option<String>,
    /// Fail rules that lack a test of this kind
    #[arg(long, value_enum, value_name = "KIND", value_delimiter = ',')]
    pub require: Vec<RequireArg>,
    /// Fail rules with fewer cases
    #[arg(long, value_name = "N")]
    pub min_tests: Option<usize>,
    /// Only rules that changed since this git revision: their file, their tests, or a file beside them
    #[arg(long, value_name = "REVISION")]
    pub changed: Option<String>,
    /// Write the rows that came into failing `rows:` of the test files
    #[arg(long)]
    pub update: bool,
    /// Run again whenever a file below the paths changes, until interrupted
    #[arg(long)]
    pub watch: bool,
    /// Also change each rule in small ways, and report the changes that no case notices
    #[arg(long)]
    pub mutate: bool,
    /// With --mutate: raw logs over which a change must make no difference either, to count as equivalent
    #[arg(long, short, value_name = "PATH", num_args = 1.., requires = "mutate")]
    pub logs: Vec<PathBuf>,
    /// Form of the result
    #[arg(long, value_enum, default_value_t = TestFormat::Text)]
    pub format: TestFormat,
    #[command(flatten)]
    pub names: NameArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RequireArg {
    /// A case that must raise an alert
    Positive,
    /// A case that must stay silent
    Negative,
    /// With --mutate: every change of the rule that changes a row is noticed by a case
    Mutation,
}

impl RequireArg {
    pub fn name(self) -> &'static str {
        match self {
            RequireArg::Positive => "positive",
            RequireArg::Negative => "negative",
            RequireArg::Mutation => "mutation-proof",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TestFormat {
    /// For people
    Text,
    /// One document with everything
    Json,
    /// JUnit XML, as build servers read it
    Junit,
    /// The Test Anything Protocol
    Tap,
    /// Annotations of a GitHub workflow
    Github,
}

/// What `pivot` and `timeline` read, and how they show it.
#[derive(Debug, Args)]
pub struct EventArgs {
    /// Raw logs: files, folders, globs, or - for standard input
    #[arg(long, short, value_name = "PATH", required = true, num_args = 1..)]
    pub logs: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: LogArgs,
    #[command(flatten)]
    pub files: FileArgs,
    /// Only these tables
    #[arg(long = "only-table", value_name = "TABLE", value_delimiter = ',')]
    pub tables: Vec<String>,
    /// Form of the result
    #[arg(long, value_enum, default_value_t = EventFormat::Table)]
    pub format: EventFormat,
    #[command(flatten)]
    pub names: NameArgs,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

#[derive(Debug, Args)]
pub struct PivotArgs {
    /// An account, address, access key, ARN, session, instance, object id; a role means its sessions too
    pub entity: String,
    /// Only what happened within this length of --at; without --at, before the last time it is seen
    #[arg(long, value_name = "LENGTH")]
    pub around: Option<String>,
    /// The moment around which to look, by an hour unless --around says otherwise
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    #[command(flatten)]
    pub over: EventArgs,
}

#[derive(Debug, Args)]
pub struct TimelineArgs {
    /// Only what names this account, address, key or the like; may be given several times
    #[arg(long, value_name = "ENTITY")]
    pub entity: Vec<String>,
    #[command(flatten)]
    pub over: EventArgs,
}

#[derive(Debug, Args)]
pub struct IocsArgs {
    /// The list: one indicator a line, CSV with a heading, or STIX (- for standard input)
    pub file: PathBuf,
    /// Raw logs: files, folders, globs
    #[arg(long, short, value_name = "PATH", required = true, num_args = 1..)]
    pub logs: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: LogArgs,
    #[command(flatten)]
    pub files: FileArgs,
    /// Form of the result
    #[arg(long, value_enum, default_value_t = EventFormat::Table)]
    pub format: EventFormat,
    #[command(flatten)]
    pub names: NameArgs,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EventFormat {
    /// For people
    Table,
    /// One document with everything
    Json,
    /// One object a line
    Ndjson,
    Csv,
}

#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// Rules in any form (.yaml, .yml, .kql, .json for ARM templates, .tf), and folders of them
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The form to write
    #[arg(long, value_enum)]
    pub to: ConvertTo,
    /// Write a file for each rule into this folder, instead of all to standard output
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConvertTo {
    /// YAML as in the public rule repository
    Sentinel,
    /// An ARM template, as the portal exports and imports
    Arm,
    /// Resources of Terraform's azurerm provider
    Terraform,
    /// Sigma rules, with correlations for counts
    Sigma,
    /// The query alone
    Kql,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A rule or .kql file
    pub rule: PathBuf,
    /// Raw logs: files, folders, globs, or - for standard input
    #[arg(long, short, value_name = "PATH", required = true, num_args = 1..)]
    pub logs: Vec<PathBuf>,
    /// What now() is [default: the end of the data]
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    #[command(flatten)]
    pub reading: LogArgs,
    /// Show the rule all events before now, not only those of its period
    #[arg(long)]
    pub whole: bool,
    /// Form of the result
    #[arg(long, value_enum, default_value_t = SourcesFormat::Table)]
    pub format: SourcesFormat,
    #[command(flatten)]
    pub names: NameArgs,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

#[derive(Debug, Args)]
pub struct LintArgs {
    /// Rules, .kql files, and folders of them
    #[arg(required_unless_present = "explain")]
    pub paths: Vec<PathBuf>,
    /// Print the page of a code and end
    #[arg(long, value_name = "CODE", conflicts_with = "paths")]
    pub explain: Option<String>,
    /// Raw logs: also judge values, columns and entities by what they hold
    #[arg(long, short, value_name = "PATH", num_args = 1..)]
    pub logs: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: LogArgs,
    /// Apply safe fixes to the files
    #[arg(long)]
    pub fix: bool,
    /// Only these codes; TW3 takes all that begin so
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub select: Vec<String>,
    /// Leave out these codes; TW3 takes all that begin so
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// The least level that is shown
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = LevelArg::Note)]
    pub level: LevelArg,
    /// The least level that makes the exit code 1
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = LevelArg::Warning)]
    pub fail_on: LevelArg,
    /// Leave out the findings that this file knows
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write all findings to this file, as a baseline for later runs
    #[arg(long, value_name = "FILE")]
    pub write_baseline: Option<PathBuf>,
    /// Compare ids and versions with this git revision
    #[arg(long, value_name = "REVISION")]
    pub since: Option<String>,
    /// Which findings count
    #[arg(long, value_enum, default_value_t = LintProfileArg::All)]
    pub profile: LintProfileArg,
    /// The version of ATT&CK that techniques are judged by
    #[arg(long, value_enum, value_name = "VERSION", default_value_t = AttackArg::V16)]
    pub attack: AttackArg,
    /// Form of the findings
    #[arg(long, value_enum, default_value_t = LintFormat::Text)]
    pub format: LintFormat,
    #[command(flatten)]
    pub names: NameArgs,
    /// Threads for reading logs [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LevelArg {
    Note,
    Warning,
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LintProfileArg {
    All,
    /// Only what the checks of Microsoft's rule repository refuse, with its limits
    Sentinel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AttackArg {
    /// The version that the checks of Microsoft's rule repository use
    #[value(name = "16")]
    V16,
    /// Defense Evasion is split into Stealth and Defense Impairment
    #[value(name = "19")]
    V19,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LintFormat {
    /// For people
    Text,
    /// One document with everything
    Json,
    /// SARIF 2.1.0, as code scanning reads it
    Sarif,
    /// Annotations of a GitHub workflow
    Github,
}

#[derive(Debug, Args)]
pub struct ShellArgs {
    /// Raw logs: files, folders and globs
    #[arg(long, short, value_name = "PATH", num_args = 1..)]
    pub logs: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: LogArgs,
    #[command(flatten)]
    pub files: FileArgs,
    /// What now() is [default: the end of the data, or the present without data]
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    #[command(flatten)]
    pub names: NameArgs,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

#[derive(Debug, Args)]
pub struct LspArgs {
    /// Spellings that only Tidewatch accepts are errors
    #[arg(long)]
    pub strict: bool,
    /// Standard input and output are the only way; editors that name it may
    #[arg(long, hide = true)]
    pub stdio: bool,
    #[command(flatten)]
    pub names: NameArgs,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder for the logs and `truth.json`; logs of an earlier demo in it are replaced
    #[arg(long, value_name = "DIR", default_value = "tidewatch-demo")]
    pub out: PathBuf,
    /// Days of logs
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u32).range(10..=90))]
    pub days: u32,
    /// Ordinary events among which the attacks hide
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub events: u32,
    /// The same seed gives the same logs
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

#[derive(Debug, Args)]
pub struct EmulateArgs {
    /// The test
    #[arg(required_unless_present = "list")]
    pub name: Option<String>,
    /// List the tests, or the parameters of one, and end
    #[arg(long)]
    pub list: bool,
    /// Who acts: a user's name or an ARN on AWS, a user principal name on Azure, an e-mail address on Google Cloud
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
    /// From which address
    #[arg(long, value_name = "ADDRESS")]
    pub ip: Option<String>,
    /// When the first event happens: a time, or a distance from the present such as -2h [default: the present]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub at: Option<String>,
    /// In which region
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// In which account, subscription or project
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// Another parameter of the test; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Write the events here instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// With --list: form of the list
    #[arg(long, value_enum, default_value_t = SourcesFormat::Table, requires = "list")]
    pub format: SourcesFormat,
}

#[derive(Debug, Args)]
pub struct CoverageArgs {
    /// Rules, .kql files, and folders of them [default: the built-in rules]
    pub paths: Vec<PathBuf>,
    /// Raw logs: also show which rules have data at hand
    #[arg(long, short, value_name = "PATH", num_args = 1..)]
    pub logs: Vec<PathBuf>,
    /// Run the tests of the rules: also show which rules have tests that pass
    #[arg(long, requires = "paths")]
    pub tests: bool,
    /// The version of ATT&CK
    #[arg(long, value_enum, value_name = "VERSION", default_value_t = AttackArg::V16)]
    pub attack: AttackArg,
    /// With --format navigator: score by the rules of one layer [default: by how many layers hold]
    #[arg(long, value_enum, value_name = "LAYER")]
    pub layer: Option<LayerArg>,
    /// Show what changed since a git revision, or between two: OLD or OLD..NEW
    #[arg(long, value_name = "REVISIONS", requires = "paths", conflicts_with_all = ["logs", "tests", "layer"])]
    pub diff: Option<String>,
    /// Form of the result
    #[arg(long, value_enum, default_value_t = CoverageFormat::Markdown)]
    pub format: CoverageFormat,
    /// Title of the layer or page
    #[arg(long, value_name = "TEXT", default_value = "Coverage")]
    pub title: String,
    /// Write the result here instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub names: NameArgs,
    /// Threads for reading logs [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LayerArg {
    /// Rules that name the technique
    Rules,
    /// Those of which a table has rows
    Data,
    /// Those whose tests pass
    Tested,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CoverageFormat {
    Markdown,
    /// The matrix as one page without scripts
    Html,
    /// A layer for the ATT&CK Navigator, format 4.5
    Navigator,
    /// One document with everything
    Json,
}

#[derive(Debug, Args)]
pub struct CatalogArgs {
    /// Rules, .kql files, and folders of them [default: the built-in rules]
    pub paths: Vec<PathBuf>,
    /// Only rules of these severities
    #[arg(long, value_name = "SEVERITY", value_delimiter = ',')]
    pub severity: Vec<SeverityArg>,
    /// Only rules of these ATT&CK techniques; T1578 takes its sub-techniques as well
    #[arg(long, value_name = "TECHNIQUE", value_delimiter = ',')]
    pub technique: Vec<String>,
    /// Only rules of these tactics, under their names in any version of ATT&CK
    #[arg(long, value_name = "TACTIC", value_delimiter = ',')]
    pub tactic: Vec<String>,
    /// Only rules that read one of these tables
    #[arg(long, value_name = "TABLE", value_delimiter = ',')]
    pub table: Vec<String>,
    /// Only rules of these kinds
    #[arg(long, value_enum, value_name = "KIND", value_delimiter = ',')]
    pub kind: Vec<KindArg>,
    /// Only rules with this text in their name or description
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// Only rules with one of these ids or names, or in files whose path has one of these parts
    #[arg(long, value_name = "ID")]
    pub id: Vec<String>,
    /// Leave out rules with one of these ids or names, or in files whose path has one of these parts
    #[arg(long, value_name = "ID")]
    pub exclude: Vec<String>,
    /// Form of the catalog
    #[arg(long, value_enum, default_value_t = CatalogFormat::Table)]
    pub format: CatalogFormat,
    /// With feeds: their title
    #[arg(long, value_name = "TEXT", default_value = "Detection rules")]
    pub title: String,
    /// With feeds: the address of the rules' folder, which entries link to
    #[arg(long, value_name = "URL")]
    pub link: Option<String>,
    /// Write the result here instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub names: NameArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindArg {
    Scheduled,
    Nrt,
    Hunting,
}

impl KindArg {
    /// As rule files name it.
    pub fn name(self) -> &'static str {
        match self {
            KindArg::Scheduled => "Scheduled",
            KindArg::Nrt => "NRT",
            KindArg::Hunting => "Hunting",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CatalogFormat {
    /// For people
    Table,
    Markdown,
    /// One document with every rule
    Json,
    /// A feed, RSS 2.0
    Rss,
    /// A feed, Atom 1.0
    Atom,
}
