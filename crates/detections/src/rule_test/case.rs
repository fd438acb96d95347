//! The text of a test file as cases. A case that is `like` another takes everything from it that it does not say itself.

use kql_types::datetime;
use serde_json::{Map, Value as Json};

use crate::duration;
use crate::rule::AlertSeverity;
use crate::yaml::{self, Node, NodeKind, Position};

/// Why a test file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestError {
    pub position: Option<Position>,
    pub message: String,
}

/// A test file.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleTest {
    /// The rule's file, relative to the test; None: the file with the test's own name.
    pub rule: Option<String>,
    /// The clock of the run, in ticks.
    pub query_now: i64,
    /// Logs that every case loads, relative to the test.
    pub files: Vec<String>,
    pub watchlists: Vec<Watchlist>,
    pub cases: Vec<Case>,
}

/// A watchlist that every case sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watchlist {
    pub name: String,
    pub headers: Vec<String>,
    /// A text for each header.
    pub rows: Vec<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub name: String,
    pub position: Position,
    pub events: Vec<Event>,
    pub expect: Expect,
    /// Several runs, from and to as distances from the clock in ticks, instead of one.
    pub schedule: Option<(i64, i64)>,
    /// Why the case is expected to fail.
    pub known_gap: Option<String>,
}

/// What a case puts into the logs.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Raw records of a file, moved in time so that the first is at this distance from the clock, with values set.
    Records { file: String, at: Option<i64>, set: Vec<(String, Json)>, arrives: Option<i64> },
    /// Raw records that an attack test leaves, the first at this distance from the clock, with values set.
    Emulation { name: String, with: Vec<(String, String)>, at: i64, set: Vec<(String, Json)>, arrives: Option<i64> },
    /// Rows with the columns of a table. A time may be a distance from the clock: `-3h`.
    Rows { table: String, rows: Vec<Map<String, Json>>, arrives: Option<i64> },
}

impl Event {
    /// How long after they happened its records arrive, in ticks; None: at once, as far as the test says.
    pub fn arrives(&self) -> Option<i64> {
        match self {
            Event::Records { arrives, .. } | Event::Emulation { arrives, .. } | Event::Rows { arrives, .. } => *arrives,
        }
    }
}

/// What must come of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    pub alerts: Option<AlertCount>,
    /// Incidents that the alerts become.
    pub incidents: Option<AlertCount>,
    /// Text of the step that must drop rows.
    pub lost_at: Option<String>,
    pub severity: Option<AlertSeverity>,
    /// Each must be among the entities of the alerts: `type` and identifiers.
    pub entities: Vec<Map<String, Json>>,
    /// Each must be a result row, by the columns stated.
    pub rows: Vec<Map<String, Json>>,
    /// Where the field `rows` stands in the file.
    pub rows_at: Option<Position>,
    /// There are no other rows, and no other columns.
    pub exact: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertCount {
    pub min: usize,
    pub max: Option<usize>,
}

impl Expect {
    /// Whether the case says that the rule must stay silent.
    pub fn is_negative(&self) -> bool {
        self.alerts.is_some_and(|count| count.max == Some(0))
    }
}

type Result<T> = std::result::Result<T, TestError>;

fn error<T>(node: &Node, message: impl Into<String>) -> Result<T> {
    Err(TestError { position: Some(node.position), message: message.into() })
}

/// Reads a test file.
///
/// # Errors
/// Text that is not YAML, fields that are missing, unknown or of another kind, each with its place.
pub fn read(text: &str) -> Result<RuleTest> {
    read_document(&parse(text)?)
}

/// Whether the text of a rule file may have tests of its own: a line begins with `tests:`.
pub fn has_own(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("tests:"))
}

/// Reads the tests inside of a rule file, under `tests`.
///
/// # Errors
/// As [`read`], and a file without the field.
pub fn read_own(text: &str) -> Result<RuleTest> {
    let document = parse(text)?;
    let tests = required(&document, "tests")?;
    if let Some(entry) = tests.entries().iter().find(|entry| entry.key == "rule") {
        return error(&entry.value, "tests inside of a rule's file are of that rule");
    }
    read_document(tests)
}

fn parse(text: &str) -> Result<Node> {
    yaml::parse(text).map_err(|e| TestError { position: e.position, message: format!("not valid YAML: {}", e.message) })
}

fn read_document(document: &Node) -> Result<RuleTest> {
    only(document, &["rule", "query_now", "files", "watchlists", "cases"])?;
    let now = required(document, "query_now")?;
    let Some(query_now) = now.text().and_then(|text| datetime::parse(&text)) else {
        return error(now, "`query_now` is not a time, expected e.g. 2026-03-02T00:00:00Z");
    };
    let mut cases: Vec<Case> = Vec::new();
    for node in required(document, "cases")?.items_of_maps() {
        let case = read_case(node, &cases)?;
        if cases.iter().any(|other| other.name == case.name) {
            return error(node, format!("two cases are named `{}`", case.name));
        }
        cases.push(case);
    }
    if cases.is_empty() {
        return error(document, "`cases` has no case");
    }
    let files = document.get("files").map(Node::items).unwrap_or_default();
    Ok(RuleTest {
        rule: document.get("rule").and_then(Node::text),
        query_now,
        files: files.into_iter().filter_map(Node::text).collect(),
        watchlists: document
            .get("watchlists")
            .map(Node::entries)
            .unwrap_or_default()
            .iter()
            .map(read_watchlist)
            .collect(),
        cases,
    })
}

fn read_watchlist(entry: &yaml::Entry) -> Watchlist {
    let rows: Vec<&Node> = entry.value.items_of_maps();
    let mut headers: Vec<String> = Vec::new();
    for cell in rows.iter().flat_map(|row| row.entries()) {
        if !headers.contains(&cell.key) {
            headers.push(cell.key.clone());
        }
    }
    let text = |row: &Node, header: &String| row.get(header).and_then(Node::text).unwrap_or_default();
    let rows = rows.iter().map(|row| headers.iter().map(|header| text(row, header)).collect()).collect();
    Watchlist { name: entry.key.clone(), headers, rows }
}

fn read_case(node: &Node, before: &[Case]) -> Result<Case> {
    only(node, &["name", "like", "events", "change", "expect", "schedule", "known_gap"])?;
    let Some(name) = node.get("name").and_then(Node::text) else { return error(node, "a case has no `name`") };
    let base = match node.get("like") {
        None => None,
        Some(like) => {
            let wanted = like.text().unwrap_or_default();
            match before.iter().find(|case| case.name == wanted) {
                Some(base) => Some(base),
                None => return error(like, format!("no case above is named `{wanted}`")),
            }
        }
    };
    let mut events = match node.get("events") {
        Some(list) => list.items_of_maps().into_iter().map(read_event).collect::<Result<Vec<Event>>>()?,
        None => base.map(|base| base.events.clone()).unwrap_or_default(),
    };
    if let Some(change) = node.get("change") {
        apply_change(change, &mut events)?;
    }
    let schedule = match node.get("schedule") {
        None => base.and_then(|base| base.schedule),
        Some(schedule) => {
            only(schedule, &["from", "to"])?;
            Some((offset(required(schedule, "from")?)?, offset(required(schedule, "to")?)?))
        }
    };
    let known_gap = node.get("known_gap").and_then(Node::text);
    let expect = read_expect(required(node, "expect")?)?;
    Ok(Case { name, position: node.position, events, expect, schedule, known_gap })
}

fn read_event(node: &Node) -> Result<Event> {
    if let Some(file) = node.get("file").and_then(Node::text) {
        only(node, &["file", "at", "set", "arrives"])?;
        let at = node.get("at").map(offset).transpose()?;
        let arrives = node.get("arrives").map(offset).transpose()?;
        return Ok(Event::Records { file, at, set: read_set(node.get("set")), arrives });
    }
    if let Some(table) = node.get("table").and_then(Node::text) {
        only(node, &["table", "rows", "arrives"])?;
        let rows = required(node, "rows")?.items_of_maps().into_iter().map(map_of).collect();
        return Ok(Event::Rows { table, rows, arrives: node.get("arrives").map(offset).transpose()? });
    }
    if let Some(emulate) = node.get("emulate") {
        return read_emulation(node, emulate);
    }
    error(node, "an event has neither `file` nor `table` nor `emulate`")
}

/// How long before the clock an emulation begins that does not say when.
const EMULATION_AT: i64 = -datetime::TICKS_PER_DAY / 24;

fn read_emulation(node: &Node, emulate: &Node) -> Result<Event> {
    only(node, &["emulate", "with", "at", "set", "arrives"])?;
    let name = emulate.text().unwrap_or_default();
    if emulate::find(&name).is_none() {
        let near = match emulate::near(&name).as_slice() {
            [] => "`tidewatch emulate --list` shows all".to_string(),
            near => format!("near it: {}", near.join(", ")),
        };
        return error(emulate, format!("no emulation is named `{name}`; {near}"));
    }
    let with = read_with(node.get("with"));
    let at = node.get("at").map(offset).transpose()?.unwrap_or(EMULATION_AT);
    let arrives = node.get("arrives").map(offset).transpose()?;
    Ok(Event::Emulation { name, with, at, set: read_set(node.get("set")), arrives })
}

fn read_with(node: Option<&Node>) -> Vec<(String, String)> {
    let entries = node.map(Node::entries).unwrap_or_default();
    entries.iter().map(|entry| (entry.key.clone(), entry.value.text().unwrap_or_default())).collect()
}

fn read_set(node: Option<&Node>) -> Vec<(String, Json)> {
    let entries = node.map(Node::entries).unwrap_or_default();
    entries.iter().map(|entry| (entry.key.clone(), json(&entry.value))).collect()
}

/// One change of the events of another case: `set` values, move `at` another time, or drop the events of a `without`.
fn apply_change(change: &Node, events: &mut Vec<Event>) -> Result<()> {
    only(change, &["event", "set", "with", "at", "without", "arrives"])?;
    if let Some(without) = change.get("without") {
        let index = event_index(without, events.len())?;
        events.remove(index);
        return Ok(());
    }
    let index = match change.get("event") {
        Some(node) => event_index(node, events.len())?,
        None => 0,
    };
    let set = read_set(change.get("set"));
    let at = change.get("at").map(offset).transpose()?;
    let late = change.get("arrives").map(offset).transpose()?;
    match events.get_mut(index) {
        Some(Event::Emulation { with, at: known, set: known_set, arrives, .. }) => {
            *known = at.unwrap_or(*known);
            *arrives = late.or(*arrives);
            known_set.extend(set);
            with.extend(read_with(change.get("with")));
        }
        Some(Event::Records { at: known, set: known_set, arrives, .. }) => {
            *known = at.or(*known);
            *arrives = late.or(*arrives);
            known_set.extend(set);
        }
        Some(Event::Rows { rows, arrives, .. }) => {
            *arrives = late.or(*arrives);
            for row in rows {
                let mut whole = Json::Object(std::mem::take(row));
                set.iter().for_each(|(path, value)| super::events::set(&mut whole, path, value.clone()));
                if let Json::Object(map) = whole {
                    *row = map;
                }
            }
        }
        None => return error(change, "there is no event to change"),
    }
    Ok(())
}

fn event_index(node: &Node, count: usize) -> Result<usize> {
    match node.text().and_then(|text| text.parse::<usize>().ok()).filter(|index| (1..=count).contains(index)) {
        Some(index) => Ok(index - 1),
        None => error(node, format!("expected the number of an event, 1 to {count}")),
    }
}

fn read_expect(node: &Node) -> Result<Expect> {
    let mut expect = Expect {
        alerts: None,
        incidents: None,
        lost_at: None,
        severity: None,
        entities: Vec::new(),
        rows: Vec::new(),
        rows_at: node.entries().iter().find(|entry| entry.key == "rows").map(|entry| entry.key_position),
        exact: false,
    };
    if node.text().as_deref() == Some("none") {
        expect.alerts = Some(AlertCount { min: 0, max: Some(0) });
        return Ok(expect);
    }
    only(node, &["alerts", "incidents", "lost_at", "severity", "entities", "rows", "exact"])?;
    expect.alerts = read_count(node, "alerts")?;
    expect.incidents = read_count(node, "incidents")?;
    expect.lost_at = node.get("lost_at").and_then(Node::text);
    if let Some(severity) = node.get("severity") {
        expect.severity = AlertSeverity::parse(&severity.text().unwrap_or_default());
        if expect.severity.is_none() {
            return error(severity, "not a severity");
        }
    }
    let maps = |key: &str| node.get(key).map(Node::items_of_maps).unwrap_or_default().into_iter().map(map_of).collect();
    expect.entities = maps("entities");
    expect.rows = maps("rows");
    expect.exact = node.get("exact").and_then(Node::boolean).unwrap_or(false);
    let counts = expect.alerts.is_some() || expect.incidents.is_some() || expect.lost_at.is_some();
    if !counts && expect.rows.is_empty() && expect.entities.is_empty() {
        return error(node, "`expect` says nothing: state alerts, incidents, rows or entities");
    }
    Ok(expect)
}

/// A number, or `{min, max}`.
fn read_count(node: &Node, key: &str) -> Result<Option<AlertCount>> {
    let Some(found) = node.get(key) else { return Ok(None) };
    let number = |node: &Node| node.text().and_then(|text| text.parse::<usize>().ok());
    if let Some(count) = number(found) {
        return Ok(Some(AlertCount { min: count, max: Some(count) }));
    }
    if found.entries().is_empty() {
        return error(found, format!("`{key}` is a number or {{min, max}}"));
    }
    only(found, &["min", "max"])?;
    let min = found.get("min").and_then(number).unwrap_or(0);
    Ok(Some(AlertCount { min, max: found.get("max").and_then(number) }))
}

fn required<'n>(node: &'n Node, key: &str) -> Result<&'n Node> {
    match node.get(key) {
        Some(found) => Ok(found),
        None => error(node, format!("the field `{key}` is missing")),
    }
}

fn only(node: &Node, known: &[&str]) -> Result<()> {
    match node.entries().iter().find(|entry| !known.contains(&entry.key.as_str())) {
        None => Ok(()),
        Some(entry) => {
            let message = format!("unknown field `{}`, expected {}", entry.key, known.join(", "));
            Err(TestError { position: Some(entry.key_position), message })
        }
    }
}

fn offset(node: &Node) -> Result<i64> {
    match node.text().as_deref().and_then(distance) {
        Some(ticks) => Ok(ticks),
        None => error(node, "not a distance from the clock, expected e.g. -2h or +10m"),
    }
}

/// `-3h`, `+10m`, `0`: a distance in ticks.
pub(super) fn distance(text: &str) -> Option<i64> {
    let text = text.trim();
    if text == "0" {
        return Some(0);
    }
    match text.split_at_checked(1)? {
        ("-", length) => duration::parse(length).map(|ticks| -ticks),
        ("+", length) => duration::parse(length),
        _ => None,
    }
}

fn map_of(node: &Node) -> Map<String, Json> {
    node.entries().iter().map(|entry| (entry.key.clone(), json(&entry.value))).collect()
}

/// A YAML value as JSON.
fn json(node: &Node) -> Json {
    match &node.kind {
        NodeKind::Null => Json::Null,
        NodeKind::Bool(value) => Json::Bool(*value),
        NodeKind::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone())),
        NodeKind::Text(text) => Json::String(text.clone()),
        NodeKind::List(items) => Json::Array(items.iter().map(json).collect()),
        NodeKind::Map(_) => Json::Object(map_of(node)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_the_case_with_one_change() {
        let text = "query_now: 2026-03-02\ncases:\n  - name: a\n    events:\n      - {file: run.json, at: -1h, set: {x.y: 1}}\n    \
                    expect: {alerts: 1, rows: [{A: b}]}\n  - name: b\n    like: a\n    change: {set: {errorCode: Dry}}\n    expect: none\n";
        let test = read(text).unwrap();
        let Event::Records { at, set, .. } = &test.cases[1].events[0] else { panic!() };
        assert_eq!(*at, Some(-3600 * datetime::TICKS_PER_SECOND));
        assert_eq!(set.len(), 2);
        assert!(test.cases[1].expect.is_negative() && !test.cases[0].expect.is_negative());
    }

    #[test]
    fn mistakes_have_their_place() {
        let wrong = |text: &str| read(text).unwrap_err();
        assert!(wrong("cases: []\n").message.contains("query_now"));
        let head = "query_now: 2026-03-02\ncases:\n  - name: a\n    ";
        assert!(wrong(&format!("{head}events: []\n")).message.contains("expect"));
        let typo = wrong(&format!("{head}expect: {{alert: 1}}\n"));
        assert_eq!((typo.position.unwrap().line, typo.message.contains("`alert`")), (4, true));
        assert!(wrong(&format!("{head}like: z\n    expect: none\n")).message.contains("`z`"));
        let unknown = wrong(&format!("{head}events: [{{emulate: aws.gpu}}]\n    expect: none\n"));
        assert!(unknown.message.contains("aws.ec2-gpu-launch"), "{unknown:?}");
    }

    #[test]
    fn a_near_miss_of_an_emulation_changes_its_parameters() {
        let text = "query_now: 2026-03-02\ncases:\n  - name: a\n    events:\n      - {emulate: aws.ec2-gpu-launch, with: {count: 2}, at: -2h}\n    \
                    expect: {alerts: 2}\n  - name: b\n    like: a\n    change: {with: {error: Client.DryRunOperation}}\n    expect: none\n";
        let test = read(text).unwrap();
        let Event::Emulation { with, at, .. } = &test.cases[1].events[0] else { panic!() };
        let expected =
            [("count".to_string(), "2".to_string()), ("error".to_string(), "Client.DryRunOperation".to_string())];
        assert_eq!((with.as_slice(), *at), (expected.as_slice(), -7200 * datetime::TICKS_PER_SECOND));
    }
}
