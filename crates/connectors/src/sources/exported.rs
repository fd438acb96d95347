//! Rows as a workspace exports them: JSON, NDJSON or files of columns whose names are those of a table.
//!
//! The table is, in this order: the one that `$table` or `Type` names, the one the file or its folder is named after,
//! the one whose columns these are. Names lose the time zone that the portal puts behind them
//! (`TimeGenerated [UTC]`). A table whose name ends in `_CL` is a custom one: when no schema is known for it, or the known
//! one lacks most of the names, its columns are worked out once all its rows were seen (see `crate::custom`).

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use chrono_tz::Tz;

use super::azure::activity;
use super::{Maps, Object, Record, string};
use crate::json::text;
use crate::row::{Cell, Row, TableSpec};
use crate::time::Zone;

/// Columns that tell one event from another wherever a row is found.
const ID_COLUMNS: &[&str] =
    &["_ItemId", "AwsEventId", "SystemAlertId", "EventDataId", "InsertId", "IncidentName", "SourceRecordId"];
/// The least share of names that must be columns of the table a file is named after.
const NAMED_SHARE_MIN: f64 = 0.5;

/// Where rows of one shape go.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) target: Target,
    /// By the position of the name.
    columns: Vec<Slot>,
}

#[derive(Debug)]
pub(crate) enum Target {
    Known(Arc<TableSpec>),
    /// A custom table without a schema so far.
    Custom(Arc<TableSpec>),
    None,
}

#[derive(Debug, Clone, PartialEq)]
enum Slot {
    Column {
        index: usize,
        zone: Zone,
    },
    /// A field of a custom table that gets the suffix of its value's type.
    Suffixed(String),
    /// When the row reached the workspace.
    Ingestion,
    Ignored,
    Unmapped,
}

/// Plans by the names of a row, for one source.
#[derive(Default)]
pub(crate) struct Plans {
    known: HashMap<u64, Rc<Plan>>,
}

/// A name with the zone that the portal put behind it: `EventTime [UTC]`.
pub(crate) fn split_zone(name: &str) -> (&str, Zone) {
    let name = name.trim();
    match name.strip_suffix(']').and_then(|rest| rest.rsplit_once(" [")) {
        Some((name, zone)) if !zone.contains('[') => (name.trim_end(), Zone::named(zone)),
        _ => (name, Zone::Utc),
    }
}

/// True when the names alone say that this is a row of a table, not a raw record.
pub(crate) fn is_exported(record: &Record<'_>) -> bool {
    record.names().any(is_time_column) || record.has("$table")
}

pub(crate) fn is_time_column(name: &str) -> bool {
    name == "TimeGenerated" || name.starts_with("TimeGenerated [")
}

impl Plans {
    /// The plan for a record's names as columns of a table.
    pub(crate) fn of_table(&mut self, record: &Record<'_>, spec: &Arc<TableSpec>, maps: &Maps) -> Rc<Plan> {
        let mut hasher = DefaultHasher::new();
        for name in record.names() {
            name.hash(&mut hasher);
        }
        if self.known.len() > 10_000 {
            self.known.clear();
        }
        let plan = self.known.entry(hasher.finish()).or_insert_with(|| {
            let names: Vec<Cow<'_, str>> = record.names().map(text::unescape).collect();
            Rc::new(plan_for(&names, spec, maps))
        });
        Rc::clone(plan)
    }

    /// The plan for a record's names and the table it names itself.
    pub(crate) fn of(&mut self, record: &Record<'_>, path: &str, maps: &Maps) -> Rc<Plan> {
        let named = record.text("$table").or_else(|| record.raw("Type").and_then(string)).unwrap_or_default();
        let mut hasher = DefaultHasher::new();
        for name in record.names() {
            name.hash(&mut hasher);
        }
        named.hash(&mut hasher);
        let plans = &mut self.known;
        if plans.len() > 10_000 {
            plans.clear();
        }
        let plan = plans.entry(hasher.finish()).or_insert_with(|| {
            let names: Vec<Cow<'_, str>> = record.names().map(text::unescape).collect();
            Rc::new(plan(&names, &named, path, maps))
        });
        Rc::clone(plan)
    }
}

/// The plan for rows of a table that was asked for.
fn plan_for(names: &[Cow<'_, str>], spec: &Arc<TableSpec>, maps: &Maps) -> Plan {
    let columns = names.iter().map(|name| with_zone(slot(name, spec), maps.zone)).collect();
    Plan { target: Target::Known(Arc::clone(spec)), columns }
}

/// The plan for rows with these names.
pub(crate) fn plan(names: &[Cow<'_, str>], named: &str, path: &str, maps: &Maps) -> Plan {
    let plain: Vec<&str> = names.iter().map(|name| split_zone(name).0).collect();
    let target = target(&plain, named, path, maps);
    let columns = match &target {
        Target::Known(spec) => names.iter().map(|name| with_zone(slot(name, spec), maps.zone)).collect(),
        Target::Custom(_) | Target::None => Vec::new(),
    };
    Plan { target, columns }
}

fn target(names: &[&str], named: &str, path: &str, maps: &Maps) -> Target {
    let exported = names.contains(&"TimeGenerated") || names.contains(&"$table");
    // What is known of a custom table is what somebody saw of it: it may have more columns.
    let known = |spec: Arc<TableSpec>, share: f64| match is_custom(spec.name()) && share < 1.0 {
        true => Target::Custom(maps.custom(spec.name())),
        false => Target::Known(spec),
    };
    if let Some(spec) = maps.table(named)
        && let share = share(names, &spec)
        && share > 0.0
    {
        return known(spec, share);
    }
    if exported && is_custom(named) {
        return Target::Custom(maps.custom(named));
    }
    // From here on the row does not name its table itself.
    let stems = names_in_path(path);
    for stem in &stems {
        if let Some(spec) = maps.table(stem)
            && let share = share(names, &spec)
            && share >= NAMED_SHARE_MIN
        {
            return known(spec, share);
        }
    }
    if let Some(stem) = stems.iter().find(|stem| is_custom(stem)) {
        return Target::Custom(maps.custom(stem));
    }
    match maps.recognise(names) {
        Some(spec) => {
            let share = share(names, &spec);
            known(spec, share)
        }
        None => Target::None,
    }
}

pub(crate) fn is_custom(name: &str) -> bool {
    name.len() > 3 && name.ends_with("_CL") && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The share of names that are columns of the table, `TimeGenerated` and its like not counted.
fn share(names: &[&str], spec: &TableSpec) -> f64 {
    const EVERYWHERE: &[&str] = &["TimeGenerated", "TenantId", "Type", "SourceSystem", "$table", ""];
    let telling: Vec<&&str> = names.iter().filter(|name| !EVERYWHERE.contains(*name)).collect();
    let found = telling.iter().filter(|name| column(name, spec).is_some() || suffixed(name, spec)).count();
    if telling.is_empty() { 0.0 } else { found as f64 / telling.len() as f64 }
}

/// What a file may be named after: its name without endings, the parts between `__`, and the folders it lies in.
pub(crate) fn names_in_path(path: &str) -> Vec<String> {
    let mut segments = path.rsplit('/');
    let file = segments.next().unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    let mut names: Vec<String> = stem.rsplit("__").map(str::to_owned).collect();
    if names.len() > 1 {
        names.push(stem.to_owned());
    }
    // `Table_CL_more` and `Table_CL (2)` are copies of exports.
    if let Some(at) = stem.find("_CL").filter(|at| stem.len() > at + 3) {
        let name = stem.get(..at + 3).unwrap_or_default();
        names.push(name.rsplit("__").next().unwrap_or(name).to_owned());
    }
    names.extend(segments.take(2).map(str::to_owned));
    names
}

fn column(name: &str, spec: &TableSpec) -> Option<usize> {
    spec.column(name).or_else(|| spec.column_folded(name))
}

/// What the collector of custom logs puts behind names, by the type of the value.
pub(crate) const SUFFIXES: &[&str] = &["_s", "_d", "_b", "_t", "_g"];

fn suffixed(name: &str, spec: &TableSpec) -> bool {
    spec.name().ends_with("_CL") && SUFFIXES.iter().any(|suffix| spec.column(&format!("{name}{suffix}")).is_some())
}

fn slot(name: &str, spec: &TableSpec) -> Slot {
    let (plain, zone) = split_zone(name);
    if plain == "$table" || plain.is_empty() {
        return Slot::Ignored;
    }
    if plain == "_TimeReceived" && spec.column(plain).is_none() {
        return Slot::Ingestion;
    }
    match column(plain, spec) {
        Some(index) => Slot::Column { index, zone },
        None if suffixed(plain, spec) => Slot::Suffixed(plain.to_owned()),
        None => Slot::Unmapped,
    }
}

/// A zone that only the viewer knew is the one that was asked for.
fn with_zone(slot: Slot, zone: Option<Tz>) -> Slot {
    match (slot, zone) {
        (Slot::Column { index, zone: Zone::Unknown }, Some(zone)) => Slot::Column { index, zone: Zone::Named(zone) },
        (slot, _) => slot,
    }
}

/// Values of one row, in the order of the names the plan was made for.
pub(crate) enum Values<'v, 'r> {
    Json(&'v Record<'r>),
    Text(&'v [Cow<'r, str>]),
}

/// A row of a known table.
pub(crate) fn row<'r>(plan: &Plan, spec: &Arc<TableSpec>, names: &[Cow<'r, str>], values: Values<'_, 'r>) -> Row<'r> {
    let mut row = Row::new(spec);
    for (index, slot) in plan.columns.iter().enumerate() {
        match &values {
            Values::Json(record) => {
                let Some(member) = record.members.get(index) else { continue };
                let (Some(name), Some(raw)) =
                    (record.text.get(member.key.clone()), record.text.get(member.value.clone()))
                else {
                    continue;
                };
                put_json(slot, name, raw, &mut row);
            }
            Values::Text(cells) => {
                let (Some(name), Some(value)) = (names.get(index), cells.get(index)) else { continue };
                put_text(slot, name, value.clone(), &mut row);
            }
        }
    }
    row.fill("Type", spec.name().to_owned());
    // Hunting results have their time in a column of another name.
    if let (Some(time), Some(column)) = (spec.time, spec.column("Timestamp"))
        && row.ticks(time).is_none()
        && let Some(ticks) = row.ticks(column)
    {
        row.put(time, Cell::Long(ticks));
    }
    if spec.name() == "AzureActivity" {
        activity::complete(&mut row);
    }
    row.identified = ID_COLUMNS.iter().any(|column| !row.text(column).is_empty());
    row
}

fn put_json<'r>(slot: &Slot, name: &'r str, raw: &'r str, row: &mut Row<'r>) {
    match slot {
        Slot::Column { index, zone } => row.set_json_in(*index, raw, *zone),
        Slot::Suffixed(name) => put_suffixed(name, raw, row),
        Slot::Ingestion => row.ingestion = string(raw).and_then(|text| crate::time::parse(&text)),
        Slot::Ignored => {}
        Slot::Unmapped if matches!(raw, "null" | "\"\"") => {}
        Slot::Unmapped => row.unmapped.push((Cow::Borrowed(name), raw)),
    }
}

fn put_text<'r>(slot: &Slot, name: &str, value: Cow<'r, str>, row: &mut Row<'r>) {
    match slot {
        _ if value.is_empty() => {}
        Slot::Column { index, zone } => row.set_text_in(*index, value, *zone),
        Slot::Suffixed(name) => {
            let column = SUFFIXES.iter().find_map(|suffix| row.spec.column(&format!("{name}{suffix}")));
            if let Some(column) = column {
                row.set_text(column, value);
            }
        }
        Slot::Ingestion => row.ingestion = crate::time::parse(&value),
        Slot::Ignored => {}
        Slot::Unmapped => row.unmapped.push((Cow::Owned(name.to_owned()), "")),
    }
}

/// A field as the collector of custom logs names it: `name_s`, and `a_b_s` for what lies inside `a`.
fn put_suffixed<'r>(name: &str, raw: &'r str, row: &mut Row<'r>) {
    if let Some(object) = Object::of(raw) {
        for (inner, value) in object.entries() {
            put_suffixed(&format!("{name}_{inner}"), value, row);
        }
        return;
    }
    let by_value = match raw.as_bytes().first() {
        Some(b't' | b'f') => "_b",
        Some(b'-' | b'0'..=b'9') => "_d",
        _ => "_s",
    };
    let mut suffixes = std::iter::once(by_value).chain(SUFFIXES.iter().copied());
    match suffixes.find_map(|suffix| row.spec.column(&format!("{name}{suffix}"))) {
        Some(column) => row.set_json(column, raw),
        None if matches!(raw, "null" | "\"\"") => {}
        None => row.unmapped.push((Cow::Owned(name.to_owned()), raw)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_zone() {
        assert_eq!(split_zone("TimeGenerated [UTC]"), ("TimeGenerated", Zone::Utc));
        assert_eq!(split_zone("plain"), ("plain", Zone::Utc));
        assert_eq!(split_zone("a[0]").0, "a[0]");
    }

    #[test]
    fn files_are_named_after_tables_in_several_ways() {
        let names = names_in_path("export/SigninLogs/2026.03/Custom__Zoom_CL.json.gz");
        assert_eq!(names, ["Zoom_CL", "Custom", "Custom__Zoom_CL", "2026.03", "SigninLogs"]);
        assert!(names_in_path("x/Own_CL_part2.csv").contains(&"Own_CL".to_owned()));
        assert!(is_custom("Zoom_CL") && !is_custom("_CL") && !is_custom("a b_CL") && !is_custom("Zoom"));
    }
}
