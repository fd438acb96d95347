//! A collection of Sigma documents as Sentinel rules: filters applied, correlations resolved, what cannot match said.
//!
//! A rule becomes a map with the fields of Sentinel's YAML, so that whoever reads those reads this. Rules that a correlation
//! names are not rules of their own unless it says `generate`. Start at [`Collection::convert`].

use std::collections::BTreeSet;

use rule_forms::yaml::{Node, NodeKind, Position};

use crate::correlation::{self, CorrelationQuery, Stream};
use crate::document::{Body, Broken, Correlation, CorrelationKind, Document, FilterScope, LogSource, Meta};
use crate::kql::{self, TableQuery, quoted};
use crate::mapping::{self, Target};
use crate::search::{Predicate, Test};

/// All documents that are read together: references go from any of them to any other.
#[derive(Debug, Clone, Default)]
pub struct Collection {
    pub documents: Vec<Document>,
}

/// A Sigma rule as a Sentinel rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    pub file: String,
    pub position: Position,
    pub title: String,
    /// The query for a run over any span of time, formatted; the rule's own has its schedule's limits besides.
    pub query: String,
    /// The fields of a rule file.
    pub fields: Node,
    pub notes: Vec<String>,
}

/// A rule that no row can match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impossible {
    pub file: String,
    pub position: Position,
    pub title: String,
    /// Why, one thing a line.
    pub reasons: Vec<String>,
}

/// What became of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Rule(Box<Converted>),
    Impossible(Impossible),
}

/// Correlations that name correlations are followed so far.
const DEPTH_MAX: usize = 8;

impl Collection {
    /// Adds the documents of a file; broken ones are given back.
    ///
    /// # Errors
    /// A text that is not YAML.
    pub fn add(&mut self, file: &str, text: &str) -> Result<Vec<Broken>, rule_forms::yaml::YamlError> {
        let mut broken = Vec::new();
        for document in crate::document::read(file, text)? {
            match document {
                Ok(document) => self.documents.push(document),
                Err(error) => broken.push(error),
            }
        }
        Ok(broken)
    }

    /// Every rule and correlation of the collection, in order.
    pub fn convert(&self) -> Vec<Outcome> {
        let parts = self.parts_of_correlations();
        self.documents
            .iter()
            .enumerate()
            .filter(|(index, _)| !parts.contains(index))
            .filter_map(|(_, document)| match &document.body {
                Body::Rule { .. } => Some(self.plain(document)),
                Body::Correlation(correlation) => Some(self.correlated(document, correlation)),
                Body::Filter { .. } => None,
            })
            .map(|outcome| outcome.map_or_else(Outcome::Impossible, |rule| Outcome::Rule(Box::new(rule))))
            .collect()
    }

    /// Filters that are for no rule here, by title and file.
    pub fn idle_filters(&self) -> Vec<(&str, &str)> {
        let idle = self.documents.iter().filter(|filter| {
            matches!(filter.body, Body::Filter { .. }) && !self.documents.iter().any(|rule| applies(filter, rule))
        });
        idle.map(|filter| (filter.meta.title.as_str(), filter.file.as_str())).collect()
    }

    /// Rules that only stand for a correlation.
    fn parts_of_correlations(&self) -> BTreeSet<usize> {
        let mut parts = BTreeSet::new();
        for document in &self.documents {
            if let Body::Correlation(correlation) = &document.body
                && !correlation.generate
            {
                parts.extend(correlation.rules.iter().filter_map(|name| self.find(name)));
            }
        }
        parts
    }

    fn find(&self, name: &str) -> Option<usize> {
        let is = |text: &Option<String>| text.as_deref() == Some(name);
        self.documents
            .iter()
            .position(|d| !matches!(d.body, Body::Filter { .. }) && (is(&d.meta.id) || is(&d.meta.name)))
            .or_else(|| self.documents.iter().position(|d| d.meta.title == name))
    }

    /// What a rule asks, filters included.
    fn test(&self, document: &Document, notes: &mut Vec<String>) -> Result<Test, String> {
        let Body::Rule { detection, .. } = &document.body else { return Err("not a rule".to_string()) };
        let mut test = detection.test().map_err(|error| error.to_string())?;
        for filter in self.documents.iter().filter(|filter| applies(filter, document)) {
            if let Body::Filter { detection, .. } = &filter.body {
                let and = detection.test().map_err(|error| error.to_string())?;
                test = Test::all(vec![test, and]);
                notes.push(format!("the filter `{}` is added", filter.meta.title));
            }
        }
        Ok(test)
    }

    /// The rows of a rule, for each table of its log source.
    fn tables(&self, document: &Document, notes: &mut Vec<String>) -> Result<Vec<TableQuery>, Vec<String>> {
        let Body::Rule { source, .. } = &document.body else { return Err(vec!["not a rule".to_string()]) };
        let found =
            mapping::source_of(source).ok_or_else(|| vec![format!("no table for the log source {}", named(source))])?;
        if !found.note.is_empty() {
            notes.push(found.note.to_string());
        }
        let test = self.test(document, notes).map_err(|error| vec![error])?;
        let mut targets: Vec<&'static Target> = found.targets.to_vec();
        if source.service == "activitylogs" && names_audit_activities(&test) {
            targets.push(&mapping::AUDIT_LOG);
        }
        let mut queries = Vec::new();
        let mut reasons = Vec::new();
        for target in targets {
            match kql::over(&test, target) {
                Ok(query) => queries.push(query),
                Err(never) if never.notes.is_empty() => reasons.push("the condition never holds".to_string()),
                Err(never) => reasons.extend(never.notes),
            }
        }
        if queries.is_empty() {
            reasons.dedup();
            return Err(reasons);
        }
        // What one table lacks is no loss where another has it.
        notes.extend(queries.iter().flat_map(|query| query.notes.clone()));
        notes.extend(reasons.into_iter().map(|reason| format!("{reason}: that table is left out")));
        Ok(queries)
    }

    fn plain(&self, document: &Document) -> Result<Converted, Impossible> {
        let mut notes = document.notes.clone();
        let queries = self.tables(document, &mut notes).map_err(|reasons| impossible(document, reasons))?;
        let texts: Vec<String> = queries
            .iter()
            .map(|query| {
                let mut query = query.clone();
                if !query.target.shown.is_empty() {
                    query.steps.push(format!("extend {}", query.target.shown));
                }
                query.text()
            })
            .collect();
        let text = match texts.as_slice() {
            [one] => one.clone(),
            several => {
                let parts: Vec<String> = several.iter().map(|text| format!("({text})")).collect();
                format!("union isfuzzy=true {}", parts.join(", "))
            }
        };
        let query = formatted(&text);
        let targets: Vec<&Target> = queries.iter().map(|query| query.target).collect();
        let mut fields = fields_of(&document.meta, &mut notes);
        set_schedule(&mut fields, "1h", "1h");
        set_data(&mut fields, &targets, &entities(&targets, None), &query);
        notes.sort();
        notes.dedup();
        Ok(Converted {
            file: document.file.clone(),
            position: document.position,
            title: document.meta.title.clone(),
            query,
            fields,
            notes,
        })
    }

    fn correlated(&self, document: &Document, correlation: &Correlation) -> Result<Converted, Impossible> {
        let mut notes = document.notes.clone();
        let mut build = Build { notes: &mut notes, targets: Vec::new(), lets: Vec::new(), depth: 0 };
        let (parts, groups) =
            self.correlation_query(correlation, &mut build).map_err(|reasons| impossible(document, reasons))?;
        let (targets, lets) = (build.targets, build.lets);
        let head: String = lets.iter().map(|statement| format!("{statement};\n")).collect();
        let group_names: Vec<String> = groups.iter().map(|group| group.column.clone()).collect();
        let summary = parts.summary(&group_names);
        let query = formatted(&format!("{head}{} | {summary}", parts.matches));
        let schedule = Schedule::of(correlation.seconds, parts.slides);
        let limited = match parts.slides {
            // Runs overlap so that no span is cut: each match belongs to the run in which it ends.
            true => formatted(&format!(
                "{head}{} | where TimeGenerated > ago({}) | {summary}",
                parts.matches, schedule.frequency
            )),
            false => query.clone(),
        };
        notes.extend(parts.notes);
        notes.extend(schedule.note);
        let mut fields = fields_of(&document.meta, &mut notes);
        set_schedule(&mut fields, &schedule.frequency, &schedule.period);
        set_data(&mut fields, &targets, &entities(&targets, Some(&group_names)), &limited);
        notes.sort();
        notes.dedup();
        Ok(Converted {
            file: document.file.clone(),
            position: document.position,
            title: document.meta.title.clone(),
            query,
            fields,
            notes,
        })
    }

    /// The query of a correlation, with the columns of its groups.
    fn correlation_query(
        &self,
        correlation: &Correlation,
        build: &mut Build<'_>,
    ) -> Result<(CorrelationQuery, Vec<Group>), Vec<String>> {
        if build.depth > DEPTH_MAX {
            return Err(vec!["correlations name each other in a circle, or too deeply".to_string()]);
        }
        let groups = self.groups(correlation);
        let mut streams = Vec::new();
        for name in &correlation.rules {
            let index = self
                .find(name)
                .ok_or_else(|| vec![format!("the correlation names `{name}`, which is not among the rules read")])?;
            let document = self.documents.get(index).ok_or_else(Vec::new)?;
            let queries = match &document.body {
                Body::Correlation(inner) => vec![self.inner_stream(inner, name, correlation, &groups, build)?],
                _ => self.rule_stream(document, name, correlation, &groups, build)?,
            };
            streams.push(Stream { name: name.clone(), queries });
        }
        let names: Vec<String> = groups.iter().map(|group| group.column.clone()).collect();
        let prefix = if build.depth == 0 { String::new() } else { format!("Inner{}", build.lets.len() + 1) };
        let query = correlation::query(correlation, &streams, &names, &prefix).map_err(|error| vec![error])?;
        build.lets.extend(query.lets.iter().cloned());
        Ok((query, groups))
    }

    fn rule_stream(
        &self,
        document: &Document,
        name: &str,
        correlation: &Correlation,
        groups: &[Group],
        build: &mut Build<'_>,
    ) -> Result<Vec<String>, Vec<String>> {
        let tables = self.tables(document, build.notes).map_err(|reasons| {
            reasons.into_iter().map(|reason| format!("the rule `{name}`: {reason}")).collect::<Vec<_>>()
        })?;
        let mut queries = Vec::new();
        for mut table in tables {
            build.targets.push(table.target);
            let mut columns = vec!["TimeGenerated".to_string(), format!("Rule = {}", quoted(name))];
            for group in groups {
                let field = group.field_for(name, document.meta.id.as_deref(), document.meta.name.as_deref());
                let value = field_text(table.target, field, &mut table.steps).unwrap_or_else(|| {
                    build
                        .notes
                        .push(format!("`{field}` is no field of {}: its events are one group", table.target.table));
                    "\"\"".to_string()
                });
                columns.push(if value == group.column { value } else { format!("{} = {value}", group.column) });
            }
            if needs_value(correlation.kind) {
                let mut values = Vec::new();
                for field in &correlation.condition.fields {
                    values.push(field_text(table.target, field, &mut table.steps).ok_or_else(|| {
                        vec![format!("the rule `{name}`: `{field}` is no field of {}", table.target.table)]
                    })?);
                }
                columns.push(match values.as_slice() {
                    [one] => format!("Value = {one}"),
                    several => format!("Value = strcat_delim(\"\\n\", {})", several.join(", ")),
                });
            }
            table.steps.push(format!("project {}", columns.join(", ")));
            queries.push(table.text());
        }
        Ok(queries)
    }

    /// The matches of a correlation as events of another.
    fn inner_stream(
        &self,
        inner: &Correlation,
        name: &str,
        outer: &Correlation,
        groups: &[Group],
        build: &mut Build<'_>,
    ) -> Result<String, Vec<String>> {
        build.depth += 1;
        let (query, inner_groups) = self.correlation_query(inner, build)?;
        build.depth -= 1;
        let mut columns = vec!["TimeGenerated".to_string(), format!("Rule = {}", quoted(name))];
        for group in groups {
            let field = group.field_for(name, None, None);
            match inner_groups.iter().find(|inner| inner.name == field || inner.name == group.name) {
                Some(inner) if inner.column == group.column => columns.push(inner.column.clone()),
                Some(inner) => columns.push(format!("{} = {}", group.column, inner.column)),
                None => return Err(vec![format!("`{}` is no group of the correlation `{name}`", group.name)]),
            }
        }
        if needs_value(outer.kind) {
            let wanted = outer.condition.fields.first().map(String::as_str).unwrap_or_default();
            match inner_groups.iter().find(|inner| inner.name == wanted) {
                Some(inner) => columns.push(format!("Value = {}", inner.column)),
                None => return Err(vec![format!("`{wanted}` is no group of the correlation `{name}`")]),
            }
        }
        Ok(format!("{} | project {}", query.matches, columns.join(", ")))
    }

    /// The groups of a correlation with their columns: the table's own column where all rules have the same.
    fn groups(&self, correlation: &Correlation) -> Vec<Group> {
        const TAKEN: &[&str] = &["TimeGenerated", "Rule", "Value", "StartTime", "Span", "Earlier", "EarlierValue"];
        let mut groups: Vec<Group> = Vec::new();
        for name in &correlation.group_by {
            let alias = correlation.aliases.iter().find(|(alias, _)| alias == name);
            let mut columns: BTreeSet<Option<String>> = BTreeSet::new();
            for rule in &correlation.rules {
                let Some(document) = self.find(rule).and_then(|index| self.documents.get(index)) else { continue };
                let Body::Rule { source, .. } = &document.body else { continue };
                let targets = mapping::source_of(source).map(|source| source.targets).unwrap_or_default();
                columns.extend(targets.iter().map(|target| target.column_of(name).filter(|_| alias.is_none())));
            }
            let own = if columns.len() == 1 { columns.into_iter().next().flatten() } else { None };
            let mut column = own.unwrap_or_else(|| mapping::column_name(name));
            while TAKEN.contains(&column.as_str()) || groups.iter().any(|group| group.column == column) {
                column.push('_');
            }
            let fields = alias.map(|(_, fields)| fields.clone()).unwrap_or_default();
            groups.push(Group { name: name.clone(), column, fields });
        }
        groups
    }
}

/// What is gathered while a correlation's query is written.
struct Build<'a> {
    notes: &'a mut Vec<String>,
    targets: Vec<&'static Target>,
    lets: Vec<String>,
    depth: usize,
}

/// A group of a correlation.
struct Group {
    name: String,
    column: String,
    /// (rule, field) of an alias.
    fields: Vec<(String, String)>,
}

impl Group {
    /// The field that the group is in a rule's events.
    fn field_for(&self, rule: &str, id: Option<&str>, name: Option<&str>) -> &str {
        let of = |(wanted, _): &&(String, String)| {
            wanted == rule || id == Some(wanted.as_str()) || name == Some(wanted.as_str())
        };
        self.fields.iter().find(of).map_or(self.name.as_str(), |(_, field)| field.as_str())
    }
}

fn needs_value(kind: CorrelationKind) -> bool {
    use CorrelationKind::{EventCount, Temporal, TemporalOrdered};
    !matches!(kind, EventCount | Temporal | TemporalOrdered)
}

/// A field as text, made a column first where it is long.
fn field_text(target: &Target, field: &str, steps: &mut Vec<String>) -> Option<String> {
    let resolved = target.resolve(field)?;
    let has_it = |steps: &[String], name: &str| {
        steps.iter().any(|step| step.starts_with("extend ") && step.contains(&format!("{name} = ")))
    };
    if let Some(made) = resolved.made
        && !has_it(steps, &resolved.expr)
    {
        steps.push(format!("extend {} = {made}", resolved.expr));
    }
    let is_text = resolved.ty == kql_types::ScalarType::String;
    Some(if is_text { resolved.expr } else { format!("tostring({})", resolved.expr) })
}

fn applies(filter: &Document, rule: &Document) -> bool {
    let (Body::Filter { source: wanted, scope, .. }, Body::Rule { source, .. }) = (&filter.body, &rule.body) else {
        return false;
    };
    let fits = |wanted: &str, have: &str| wanted.is_empty() || wanted == have;
    let same = fits(&wanted.product, &source.product)
        && fits(&wanted.category, &source.category)
        && fits(&wanted.service, &source.service);
    let named = |names: &[String]| {
        names.iter().any(|name| {
            rule.meta.id.as_deref() == Some(name) || rule.meta.name.as_deref() == Some(name) || rule.meta.title == *name
        })
    };
    same && match scope {
        FilterScope::Every => true,
        FilterScope::Named(names) => named(names),
    }
}

/// Whether values of operations are names of Entra's audit log: words with blanks.
fn names_audit_activities(test: &Test) -> bool {
    test.fields().iter().any(|(field, _)| {
        let operation = field.field.as_deref().is_some_and(|name| {
            ["operationname", "operationnamevalue", "properties.message"].contains(&name.to_ascii_lowercase().as_str())
        });
        let Predicate::Pattern { pattern, .. } = &field.predicate else { return false };
        let spoken = pattern
            .parts
            .iter()
            .any(|part| matches!(part, crate::value::Part::Text(t) if t.trim().contains(' ') && !t.contains('/')));
        operation && spoken
    })
}

fn named(source: &LogSource) -> String {
    let parts = [("product", &source.product), ("category", &source.category), ("service", &source.service)];
    let said: Vec<String> =
        parts.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| format!("{name} {text}")).collect();
    if said.is_empty() { "(nothing is said)".to_string() } else { said.join(", ") }
}

fn impossible(document: &Document, reasons: Vec<String>) -> Impossible {
    Impossible { file: document.file.clone(), position: document.position, title: document.meta.title.clone(), reasons }
}

fn formatted(text: &str) -> String {
    kql_syntax::format(text, &kql_syntax::FormatOptions::default())
}

/// How often a correlation runs, and over what.
struct Schedule {
    frequency: String,
    period: String,
    note: Option<String>,
}

impl Schedule {
    /// Runs that follow each other closely enough: any span of the length lies in one of them.
    fn of(seconds: u64, slides: bool) -> Schedule {
        const LEAST: u64 = 300;
        const MOST: u64 = 14 * 86_400;
        let frequency = seconds.clamp(LEAST, MOST);
        let wanted = if slides { frequency.saturating_mul(2) } else { frequency };
        let cut = wanted > MOST || seconds > MOST;
        Schedule {
            frequency: short(frequency),
            period: short(wanted.min(MOST)),
            note: cut.then(|| "a rule sees 14 days at most: longer spans are cut".to_string()),
        }
    }
}

fn short(seconds: u64) -> String {
    let units = [(86_400, 'd'), (3600, 'h'), (60, 'm')];
    for (size, unit) in units {
        if seconds.is_multiple_of(size) {
            return format!("{}{unit}", seconds / size);
        }
    }
    // Schedules are in minutes: the next one, so that a span still fits.
    format!("{}m", seconds.div_ceil(60))
}

/// The names Sentinel gives tactics.
const TACTICS: &[(&str, &str)] = &[
    ("reconnaissance", "Reconnaissance"),
    ("resource-development", "ResourceDevelopment"),
    ("initial-access", "InitialAccess"),
    ("execution", "Execution"),
    ("persistence", "Persistence"),
    ("privilege-escalation", "PrivilegeEscalation"),
    ("defense-evasion", "DefenseEvasion"),
    ("stealth", "DefenseEvasion"),
    ("defense-impairment", "DefenseEvasion"),
    ("credential-access", "CredentialAccess"),
    ("discovery", "Discovery"),
    ("lateral-movement", "LateralMovement"),
    ("collection", "Collection"),
    ("command-and-control", "CommandAndControl"),
    ("exfiltration", "Exfiltration"),
    ("impact", "Impact"),
];

/// Sentinel's name of a tactic that a tag names.
pub fn tactic_of_tag(tag: &str) -> Option<&'static str> {
    let name = tag.strip_prefix("attack.")?.replace('_', "-");
    TACTICS.iter().find(|(known, _)| *known == name).map(|(_, tactic)| *tactic)
}

/// The tag of a tactic as Sentinel names it.
pub fn tag_of_tactic(tactic: &str) -> Option<String> {
    TACTICS.iter().find(|(_, known)| known.eq_ignore_ascii_case(tactic)).map(|(name, _)| format!("attack.{name}"))
}

/// `attack.t1078.004` as `T1078.004`.
fn technique_of_tag(tag: &str) -> Option<String> {
    let id = tag.strip_prefix("attack.")?;
    let digits = id.strip_prefix('t')?;
    let (main, sub) = digits.split_once('.').map_or((digits, None), |(main, sub)| (main, Some(sub)));
    let numeric = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    (numeric(main, 4) && sub.is_none_or(|sub| numeric(sub, 3))).then(|| id.to_ascii_uppercase())
}

fn texts(items: impl IntoIterator<Item = String>) -> Node {
    Node::of_list(items.into_iter().map(Node::of_text))
}

/// The fields that do not depend on the query.
fn fields_of(meta: &Meta, notes: &mut Vec<String>) -> Node {
    let mut fields = Node::made(NodeKind::Map(Vec::new()));
    let mut set = |key: &str, value: Node| fields.set(key, value);
    let id = meta.id.clone().or_else(|| meta.name.clone()).unwrap_or_else(|| slug(&meta.title));
    set("id", Node::of_text(id));
    set("name", Node::of_text(if meta.title.is_empty() { "untitled".to_string() } else { meta.title.clone() }));
    if !meta.description.is_empty() {
        set("description", Node::of_text(meta.description.clone()));
    }
    let severity = match meta.level.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("critical" | "high") => "High",
        Some("medium") => "Medium",
        Some("low") => "Low",
        Some("informational") => "Informational",
        other => {
            notes.push(match other {
                Some(level) => format!("`level: {level}` is not known: Medium"),
                None => "no level: Medium".to_string(),
            });
            "Medium"
        }
    };
    set("severity", Node::of_text(severity));
    if meta.status.as_deref().is_some_and(|status| status == "deprecated" || status == "unsupported") {
        set("status", Node::of_text("Deprecated"));
    }
    let mut tactics: Vec<String> = Vec::new();
    let mut others: Vec<String> = Vec::new();
    for tag in meta.tags.iter().map(|tag| tag.to_ascii_lowercase()) {
        if let Some(tactic) = tactic_of_tag(&tag) {
            if !tactics.iter().any(|known| known == tactic) {
                tactics.push(tactic.to_string());
            }
        } else if technique_of_tag(&tag).is_none() {
            others.push(tag);
        }
    }
    let techniques: Vec<String> =
        meta.tags.iter().filter_map(|tag| technique_of_tag(&tag.to_ascii_lowercase())).collect();
    let lists = [
        ("tactics", tactics),
        ("relevantTechniques", techniques),
        ("tags", others),
        ("falsePositives", meta.false_positives.clone()),
        ("references", meta.references.clone()),
    ];
    for (key, items) in lists {
        if !items.is_empty() {
            set(key, texts(items));
        }
    }
    if let Some(author) = &meta.author {
        set("author", Node::of_text(author.clone()));
    }
    set("version", Node::of_text("1.0.0"));
    fields
}

fn slug(title: &str) -> String {
    let words: Vec<String> = title
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() { "sigma-rule".to_string() } else { words.join("-") }
}

fn set_schedule(fields: &mut Node, frequency: &str, period: &str) {
    fields.set("kind", Node::of_text("Scheduled"));
    fields.set("queryFrequency", Node::of_text(frequency));
    fields.set("queryPeriod", Node::of_text(period));
    fields.set("triggerOperator", Node::of_text("gt"));
    fields.set("triggerThreshold", Node::made(NodeKind::Number("0".to_string())));
}

type EntityColumns = (String, Vec<(String, String)>);

fn set_data(fields: &mut Node, targets: &[&Target], entities: &[EntityColumns], query: &str) {
    let mut connectors: Vec<(&str, Vec<&str>)> = Vec::new();
    for target in targets {
        match connectors.iter_mut().find(|(id, _)| *id == target.connector) {
            Some((_, tables)) if !tables.contains(&target.table) => tables.push(target.table),
            Some(_) => {}
            None => connectors.push((target.connector, vec![target.table])),
        }
    }
    let connectors = connectors.into_iter().map(|(id, tables)| {
        let tables = texts(tables.into_iter().map(str::to_string));
        Node::of_map([("connectorId", Node::of_text(id)), ("dataTypes", tables)])
    });
    fields.set("requiredDataConnectors", Node::of_list(connectors));
    fields.set("query", Node::of_text(query));
    if !entities.is_empty() {
        let mappings = entities.iter().map(|(kind, columns)| {
            let columns = columns.iter().map(|(identifier, column)| {
                let (identifier, column) = (Node::of_text(identifier.clone()), Node::of_text(column.clone()));
                Node::of_map([("identifier", identifier), ("columnName", column)])
            });
            Node::of_map([("entityType", Node::of_text(kind.clone())), ("fieldMappings", Node::of_list(columns))])
        });
        fields.set("entityMappings", Node::of_list(mappings));
    }
}

/// The entities of the tables' rows; with groups, only those that are groups.
fn entities(targets: &[&Target], groups: Option<&[String]>) -> Vec<EntityColumns> {
    const MAPPINGS_MAX: usize = 5;
    let mut found: Vec<EntityColumns> = Vec::new();
    for target in targets {
        let mut of_target: Vec<EntityColumns> = Vec::new();
        for (kind, identifier, column) in target.entities {
            if groups.is_some_and(|groups| !groups.iter().any(|group| group == column)) {
                continue;
            }
            let entry = (identifier.to_string(), column.to_string());
            match of_target.iter_mut().find(|(known, _)| known == kind) {
                Some((_, columns)) => columns.push(entry),
                None => of_target.push((kind.to_string(), vec![entry])),
            }
        }
        for entity in of_target {
            if !found.contains(&entity) && found.len() < MAPPINGS_MAX {
                found.push(entity);
            }
        }
    }
    found
}
