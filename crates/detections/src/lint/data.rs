//! The checks that look at loaded logs: TW308, TW408, TW602, and the values that TW301, TW303 and TW304 compare with.
//!
//! Each column is asked for once, when a rule first needs it. Start at [`DataFacts`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use engine::{Engine, QueryOptions};
use kql_semantics::bound::RelKind;
use kql_types::{Dynamic, ScalarType, Value};

use super::facts::{Facts, Origin, for_each_comparison};
use super::subject::{Finding, Subject};
use crate::cell;
use crate::entity;
use crate::rule::{AggregationKind, RuleKind};

/// Distinct values of a column that are looked at; a column with more is not judged by its values.
const VALUES_MAX: usize = 500;

/// What a column of the loaded logs holds.
#[derive(Debug, Clone, Default, PartialEq)]
struct ColumnFacts {
    rows: u64,
    filled: u64,
    /// All values, unless there are too many.
    values: Option<BTreeSet<String>>,
}

/// The loaded logs, as far as rules asked about them.
#[derive(Debug)]
pub struct DataFacts {
    /// The clock of the data's end, in ticks.
    now: i64,
    columns: Mutex<HashMap<Origin, Arc<ColumnFacts>>>,
}

/// A name as KQL takes it whatever it holds.
fn quoted(name: &str) -> String {
    format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))
}

impl DataFacts {
    /// Facts about data that ends at this moment.
    pub fn new(now: i64) -> DataFacts {
        DataFacts { now, columns: Mutex::new(HashMap::new()) }
    }

    fn column(&self, engine: &Engine, origin: &Origin) -> Arc<ColumnFacts> {
        let known = self.columns.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get(origin).cloned();
        if let Some(known) = known {
            return known;
        }
        let facts = Arc::new(self.ask(engine, origin).unwrap_or_default());
        self.columns.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(origin.clone(), facts.clone());
        facts
    }

    fn ask(&self, engine: &Engine, (table, column): &Origin) -> Option<ColumnFacts> {
        let (table, column) = (quoted(table), quoted(column));
        let query = format!(
            "{table} | extend Value_ = tostring({column}) | summarize count(), countif(isnotempty(Value_)), make_set(Value_, {})",
            VALUES_MAX + 1
        );
        let output = engine.run_blocking(&query, &QueryOptions::at(self.now)).ok()?;
        let rows = output.tables.first()?.rows();
        let [Value::Long(rows), Value::Long(filled), Value::Dynamic(Dynamic::Array(values))] = rows.first()?.as_slice()
        else {
            return None;
        };
        let values = (values.len() <= VALUES_MAX).then(|| {
            values
                .iter()
                .filter_map(|value| if let Dynamic::String(text) = value { Some(text.clone()) } else { None })
                .collect()
        });
        Some(ColumnFacts { rows: u64::try_from(*rows).ok()?, filled: u64::try_from(*filled).ok()?, values })
    }

    /// A value that the column holds and that a literal which it never holds was probably meant to be.
    pub(super) fn near_value(&self, engine: &Engine, origin: &Origin, literal: &str) -> Option<String> {
        let facts = self.column(engine, origin);
        let values = facts.values.as_ref()?;
        if literal.is_empty() || values.contains(literal) {
            return None;
        }
        values.iter().find(|value| super::values::is_sibling(value, literal)).cloned()
    }

    /// A value that holds a literal inside a term, where none holds it as a term.
    pub(super) fn value_with_part(&self, engine: &Engine, origin: &Origin, literal: &str) -> Option<String> {
        let facts = self.column(engine, origin);
        let values = facts.values.as_ref()?;
        let lower = literal.to_lowercase();
        let has_term = |value: &String| terms_contain(&value.to_lowercase(), &lower);
        if lower.is_empty() || values.iter().any(has_term) {
            return None;
        }
        values.iter().find(|value| value.to_lowercase().contains(&lower)).cloned()
    }

    /// A value of one column that equals one of the other only when case is ignored, where none equals exactly.
    pub(super) fn equal_but_for_case(&self, engine: &Engine, one: &Origin, other: &Origin) -> Option<String> {
        let (one, other) = (self.column(engine, one), self.column(engine, other));
        let (one, other) = (one.values.as_ref()?, other.values.as_ref()?);
        if one.iter().any(|value| !value.is_empty() && other.contains(value)) {
            return None;
        }
        let folded: BTreeSet<String> = other.iter().map(|value| value.to_lowercase()).collect();
        one.iter().find(|value| !value.is_empty() && folded.contains(&value.to_lowercase())).cloned()
    }
}

/// Whether a text occurs between characters that end a term.
fn terms_contain(value: &str, wanted: &str) -> bool {
    let ends = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    value.match_indices(wanted).any(|(at, found)| {
        ends(value.get(..at).and_then(|before| before.chars().next_back()))
            && ends(value.get(at + found.len()..).and_then(|after| after.chars().next()))
    })
}

/// TW308, TW408, TW602.
pub(super) fn check(subject: &Subject<'_>, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(data) = subject.context.data else { return };
    empty_columns(subject, data, facts, found);
    contains_for_has(subject, data, facts, found);
    many_entities(subject, data, found);
}

fn empty_columns(subject: &Subject<'_>, data: &DataFacts, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let mut empty: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for origin in facts.mentioned() {
        let column = data.column(subject.context.engine, origin);
        if column.rows > 0 && column.filled == 0 {
            empty.entry(&origin.0).or_default().push(&origin.1);
        }
    }
    for (table, columns) in empty {
        let message = format!("{table}: no loaded row fills {}", columns.join(", "));
        found.extend(subject.at_field("TW308", "query", message));
    }
}

fn contains_for_has(subject: &Subject<'_>, data: &DataFacts, facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for (rel, predicate) in facts.filters() {
        let RelKind::Filter { input, .. } = rel.kind.as_ref() else { continue };
        let RelKind::Table { name, .. } = input.kind.as_ref() else { continue };
        for_each_comparison(predicate, &mut |comparison| {
            let whole_term =
                |literal: &&str| literal.chars().count() >= 3 && literal.chars().all(|c| c.is_ascii_alphanumeric());
            let ([origin], [literal]) = (facts.origins_of(comparison.value), comparison.literals.as_slice()) else {
                return;
            };
            if comparison.operator != "contains" || !whole_term(literal) || origin.0 != *name {
                return;
            }
            let (table, column) = (quoted(&origin.0), quoted(&origin.1));
            let query = format!(
                "{table} | summarize countif(tostring({column}) contains '{literal}'), countif(tostring({column}) has '{literal}')"
            );
            let output = subject.context.engine.run_blocking(&query, &QueryOptions::at(data.now));
            let rows = output.ok().and_then(|output| Some(output.tables.first()?.rows()));
            if let Some([Value::Long(a), Value::Long(b)]) =
                rows.as_ref().and_then(|rows| rows.first()).map(Vec::as_slice)
                && a == b
                && *a > 0
            {
                let message = format!("`has \"{literal}\"` finds the same {a} rows");
                found.extend(subject.at_bound("TW602", comparison.expr.span, message));
            }
        });
    }
}

fn many_entities(subject: &Subject<'_>, data: &DataFacts, found: &mut Vec<Finding>) {
    let rule = subject.rule;
    if rule.kind == RuleKind::Hunting
        || rule.aggregation_kind != AggregationKind::SingleAlert
        || rule.entity_mappings.is_empty()
    {
        return;
    }
    let filled = crate::placeholders::fill(&rule.query, data.now - rule.query_period, data.now);
    let window = engine::Window { from: data.now - rule.query_period, to: data.now, fidelity: false };
    let options = QueryOptions { window: Some(window), ..QueryOptions::at(data.now) };
    let Ok(output) = subject.context.engine.run_blocking(&filled.text, &options) else { return };
    let Some(table) = output.tables.first() else { return };
    let rows = table.rows();
    let room = super::alerts::room_per_mapping(rule);
    for mapping in &rule.entity_mappings {
        let places: Vec<usize> = mapping
            .field_mappings
            .iter()
            .filter_map(|field| {
                table
                    .columns
                    .iter()
                    .position(|column| column.name == field.column_name && column.ty != ScalarType::Dynamic)
            })
            .collect();
        let distinct: BTreeSet<Vec<String>> = rows
            .iter()
            .map(|row| places.iter().filter_map(|place| row.get(*place)).map(cell::text).collect::<Vec<_>>())
            .filter(|values| values.iter().any(|value| entity::address(value).is_some() || !value.is_empty()))
            .collect();
        if distinct.len() > room {
            let message = format!(
                "entity {}: {} values in one run, an alert has room for {room}",
                mapping.entity_type,
                distinct.len()
            );
            found.extend(subject.at_field("TW408", "entityMappings", message));
        }
    }
}
