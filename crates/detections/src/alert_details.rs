//! What an alert says beside its rows: custom details, and the properties that a rule's overrides take from columns.
//!
//! The limits are the service's. A field that customises more than 50 values over the rows of a run returns to its default in
//! every alert of that run; a value over its size, of another form, or without text returns to the default as well. Start at
//! [`Overridden::of`].

use std::collections::HashSet;

use kql_types::{Column, Value};

use crate::attack;
use crate::cell;
use crate::rule::{AlertSeverity, AnalyticsRule};

/// Values of one custom detail, and values of one overridden field over the rows of a run.
const VALUES_MAX: usize = 50;
const CUSTOM_DETAILS_MAX: usize = 20;
const CUSTOM_DETAILS_BYTES_MAX: usize = 2 << 10;
/// Columns that a name or a description may show.
const PLACEHOLDERS_MAX: usize = 3;
/// Bytes of the name and of properties with one value.
const VALUE_BYTES_MAX: usize = 256;
/// Bytes of the description and of properties that are collections.
const COLLECTION_BYTES_MAX: usize = 5 << 10;
const COLLECTIONS: &[&str] = &["ExtendedLinks", "RemediationSteps"];

/// The distinct texts of a column, in order, at most one more than [`VALUES_MAX`]; None when the column is absent.
fn column_texts(columns: &[Column], rows: &[&[Value]], name: &str) -> Option<Vec<String>> {
    let index = columns.iter().position(|column| column.name == name)?;
    let mut texts: Vec<String> = Vec::new();
    for row in rows {
        let Some(value) = row.get(index).filter(|value| !cell::is_empty(value)) else { continue };
        let text = cell::text(value);
        if !texts.contains(&text) {
            texts.push(text);
        }
        if texts.len() > VALUES_MAX {
            break;
        }
    }
    Some(texts)
}

/// The custom details of an alert: a list of values for each, over all rows.
pub(crate) fn custom_details(
    rule: &AnalyticsRule,
    columns: &[Column],
    rows: &[&[Value]],
    notes: &mut Vec<String>,
) -> Vec<(String, Vec<String>)> {
    let mut details = Vec::new();
    let mut bytes = 0;
    for (key, column) in rule.custom_details.iter().take(CUSTOM_DETAILS_MAX) {
        let Some(mut values) = column_texts(columns, rows, column) else {
            notes.push(format!("custom detail {key}: no column {column} in the result"));
            continue;
        };
        values.truncate(VALUES_MAX);
        bytes += key.len() + values.iter().map(String::len).sum::<usize>();
        if bytes > CUSTOM_DETAILS_BYTES_MAX {
            notes.push(format!("custom details: cut at {key}, over 2 KB"));
            break;
        }
        if !values.is_empty() {
            details.push((key.clone(), values));
        }
    }
    if rule.custom_details.len() > CUSTOM_DETAILS_MAX {
        let count = rule.custom_details.len();
        notes.push(format!("{count} custom details: only the first {CUSTOM_DETAILS_MAX} count"));
    }
    details
}

/// The overrides of a rule over the rows of one run.
pub(crate) struct Overrides<'a> {
    pub rule: &'a AnalyticsRule,
    pub columns: &'a [Column],
    /// Columns with more values over the run than a field may customise.
    too_many: HashSet<&'a str>,
}

impl<'a> Overrides<'a> {
    pub fn of_run(rule: &'a AnalyticsRule, columns: &'a [Column], rows: &[&[Value]]) -> Overrides<'a> {
        let overrides = &rule.alert_details_override;
        let formats = [&overrides.alert_display_name_format, &overrides.alert_description_format];
        let shown = formats.into_iter().flatten().flat_map(|format| placeholders(format));
        let named = [&overrides.alert_severity_column_name, &overrides.alert_tactics_column_name];
        let named = named.into_iter().flatten().map(String::as_str);
        let properties = overrides.alert_dynamic_properties.iter().map(|(_, column)| column.as_str());
        let over = |name: &&str| column_texts(columns, rows, name).is_some_and(|texts| texts.len() > VALUES_MAX);
        let too_many = shown.chain(named).chain(properties).filter(over).collect();
        Overrides { rule, columns, too_many }
    }

    /// The values that a column gives a field; none where the run has too many of them.
    fn texts(&self, rows: &[&[Value]], column: &str, notes: &mut Vec<String>) -> Vec<String> {
        if self.too_many.contains(column) {
            notes.push(format!("alert details: more than {VALUES_MAX} values of {column} in the run"));
            return Vec::new();
        }
        column_texts(self.columns, rows, column).unwrap_or_else(|| {
            notes.push(format!("alert details: no column {column} in the result"));
            Vec::new()
        })
    }

    /// Fills `{{Column}}`; None when any column has no value, so that the rule's own text stays.
    fn filled(&self, format: &str, rows: &[&[Value]], notes: &mut Vec<String>) -> Option<String> {
        if placeholders(format).count() > PLACEHOLDERS_MAX {
            notes.push(format!("alert details: more than {PLACEHOLDERS_MAX} columns in `{format}`"));
            return None;
        }
        let mut text = String::new();
        let mut rest = format;
        while let Some(open) = rest.find("{{") {
            let after = rest.get(open + 2..)?;
            let close = after.find("}}")?;
            let values = self.texts(rows, after.get(..close)?.trim(), notes);
            if values.is_empty() {
                return None;
            }
            text.push_str(rest.get(..open)?);
            text.push_str(&values.join(", "));
            rest = after.get(close + 2..)?;
        }
        text.push_str(rest);
        Some(text)
    }
}

/// The columns named in double braces.
fn placeholders(format: &str) -> impl Iterator<Item = &str> {
    format.split("{{").skip(1).filter_map(|part| part.split_once("}}")).map(|(name, _)| name.trim())
}

/// What the rule's overrides take from the rows of one alert; None keeps the rule's own value.
pub(crate) struct Overridden {
    pub name: Option<String>,
    pub description: Option<String>,
    pub severity: Option<AlertSeverity>,
    pub tactics: Option<Vec<String>>,
    /// Techniques and sub-techniques, those of the rule where they are not overridden.
    pub techniques: Vec<String>,
    pub properties: Vec<(String, String)>,
}

impl Overridden {
    pub fn of(overrides: &Overrides<'_>, rows: &[&[Value]], notes: &mut Vec<String>) -> Overridden {
        let rule = overrides.rule;
        let settings = &rule.alert_details_override;
        let mut format = |text: &Option<String>, bytes: usize| {
            let filled = text.as_ref().and_then(|text| overrides.filled(text, rows, notes))?;
            sized("the text", filled, bytes, notes)
        };
        let name = format(&settings.alert_display_name_format, VALUE_BYTES_MAX);
        let description = format(&settings.alert_description_format, COLLECTION_BYTES_MAX);
        let mut of_column = |column: &Option<String>| match column {
            Some(column) => overrides.texts(rows, column, notes),
            None => Vec::new(),
        };
        let severities = of_column(&settings.alert_severity_column_name);
        let severity = severities.iter().filter_map(|text| AlertSeverity::parse(text)).max();
        let tactics = list_of(of_column(&settings.alert_tactics_column_name), attack::is_tactic);
        let is_sub = |id: &String| id.contains('.');
        let mut parents: Vec<String> = rule.relevant_techniques.iter().filter(|id| !is_sub(id)).cloned().collect();
        let mut subs: Vec<String> = rule.relevant_techniques.iter().filter(|id| is_sub(id)).cloned().collect();
        let mut properties = Vec::new();
        for (property, column) in &settings.alert_dynamic_properties {
            let values = overrides.texts(rows, column, notes);
            if values.is_empty() {
                continue;
            }
            match property.as_str() {
                "Techniques" => parents = list_of(values, is_technique).unwrap_or(parents),
                "SubTechniques" => subs = list_of(values, is_sub_technique).unwrap_or(subs),
                _ => properties.extend(property_value(property, values, notes).map(|text| (property.clone(), text))),
            }
        }
        // The order of the rule where nothing is overridden.
        let mut techniques: Vec<String> =
            rule.relevant_techniques.iter().filter(|id| parents.contains(id) || subs.contains(id)).cloned().collect();
        for id in parents.into_iter().chain(subs) {
            if !techniques.contains(&id) {
                techniques.push(id);
            }
        }
        Overridden { name, description, severity, tactics, techniques, properties }
    }
}

/// The value of a dynamic property; None where the values have not its form.
fn property_value(property: &str, values: Vec<String>, notes: &mut Vec<String>) -> Option<String> {
    let first = |fits: &dyn Fn(&str) -> bool| values.iter().map(|text| text.trim()).find(|text| fits(text));
    match property {
        "ConfidenceLevel" => first(&|text| matches!(text, "Low" | "High" | "Unknown")).map(str::to_string),
        "ConfidenceScore" => {
            first(&|text| text.parse::<f64>().is_ok_and(|score| (0.0..=1.0).contains(&score))).map(str::to_string)
        }
        _ => {
            let most = if COLLECTIONS.contains(&property) { COLLECTION_BYTES_MAX } else { VALUE_BYTES_MAX };
            sized(property, values.join(", "), most, notes)
        }
    }
}

/// A text that is not over its size; a longer one is dropped, not cut.
fn sized(what: &str, text: String, bytes: usize, notes: &mut Vec<String>) -> Option<String> {
    if text.len() > bytes {
        notes.push(format!("alert details: {what} has more than {bytes} bytes"));
        return None;
    }
    Some(text)
}

/// `T` and four digits.
fn is_technique(text: &str) -> bool {
    text.len() == 5 && text.strip_prefix('T').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
}

fn is_sub_technique(text: &str) -> bool {
    let digits = |text: &str| text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
    text.split_once('.').is_some_and(|(parent, sub)| is_technique(parent) && digits(sub))
}

/// The items of texts that may themselves be lists (JSON arrays or comma lists) that have the right form.
fn list_of(texts: Vec<String>, fits: impl Fn(&str) -> bool) -> Option<Vec<String>> {
    let mut items: Vec<String> = Vec::new();
    for text in texts {
        let parsed: Vec<String> = serde_json::from_str(&text)
            .unwrap_or_else(|_| text.split(',').map(|item| item.trim().to_string()).collect());
        for item in parsed {
            if fits(&item) && !items.contains(&item) {
                items.push(item);
            }
        }
    }
    (!items.is_empty()).then_some(items)
}

#[cfg(test)]
mod tests {
    use kql_types::ScalarType;

    use super::*;
    use crate::alert::{Alert, AlertRow, alerts_of_run};
    use crate::rule_file::{Expectation, FileContent, read};
    use crate::schedule::Run;

    fn rule(extra: &str) -> AnalyticsRule {
        let text = format!(
            "id: a\nname: Odd key\ndescription: Own text\nseverity: Low\nqueryFrequency: 1h\nquery: T\ntactics: [Impact]\n\
             relevantTechniques: [T1496, T1578.002]\n{extra}"
        );
        match read("a.yaml", &text, Expectation::Rule) {
            FileContent::Rule(rule) => *rule,
            other => panic!("{other:?}"),
        }
    }

    /// The alerts of a run with these values in the columns `A` and `B`.
    fn alerts(rule: &AnalyticsRule, rows: &[(&str, &str)]) -> Vec<Alert> {
        let columns = ["A", "B"].map(|name| Column::new(name, ScalarType::String));
        let rows = rows.iter().map(|(a, b)| AlertRow {
            values: vec![Value::String(a.to_string()), Value::String(b.to_string())],
            sources: engine::RowSources::default(),
        });
        let run = Run { query_now: 1000, window_from: 100, shown_from: 100 };
        alerts_of_run(rule, &columns, rows.collect(), 0, run)
    }

    fn alert(extra: &str, rows: &[(&str, &str)]) -> Alert {
        alerts(&rule(extra), rows).remove(0)
    }

    #[test]
    fn a6_custom_details_are_lists_over_all_rows() {
        let found = alert("customDetails:\n  Actor: A\n  Gone: Nope\n", &[("eve", ""), ("mallory", ""), ("eve", "")]);
        assert_eq!(found.custom_details, [("Actor".to_string(), vec!["eve".to_string(), "mallory".to_string()])]);
        assert_eq!(found.notes, ["custom detail Gone: no column Nope in the result"]);
    }

    #[test]
    fn a6_custom_details_are_20_of_50_values_and_2_kb() {
        let many: String = (0..21).map(|n| format!("  K{n}: A\n")).collect();
        let found = alert(&format!("customDetails:\n{many}"), &[("x", "")]);
        assert_eq!(found.custom_details.len(), 20);
        let texts: Vec<String> = (0..60).map(|n| format!("v{n}")).collect();
        let rows: Vec<(&str, &str)> = texts.iter().map(|text| (text.as_str(), "")).collect();
        assert_eq!(alert("customDetails:\n  K: A\n", &rows).custom_details[0].1.len(), 50);
        let long = "x".repeat(1_500);
        let found = alert("customDetails:\n  K: A\n  L: B\n", &[(&long, &long)]);
        let kept: Vec<&str> = found.custom_details.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(kept, ["K"], "{:?}", found.notes);
    }

    #[test]
    fn a6_formats_are_filled_and_fall_back_without_a_value() {
        let extra = "alertDetailsOverride:\n  alertDisplayNameFormat: 'Key of {{A}} abused'\n  \
            alertDescriptionFormat: '{{Missing}}'\n";
        let found = alert(extra, &[("eve", "High")]);
        assert_eq!((found.display_name.as_str(), found.description.as_str()), ("Key of eve abused", "Own text"));
        assert_eq!(alert(extra, &[("", "")]).display_name, "Odd key", "no value: the rule's name");
    }

    #[test]
    fn a6_a_format_shows_up_to_three_columns() {
        let name = |format: &str| {
            alert(&format!("alertDetailsOverride:\n  alertDisplayNameFormat: '{format}'\n"), &[("x", "y")]).display_name
        };
        assert_eq!(name("{{A}} {{B}} {{A}}"), "x y x");
        assert_eq!(name("{{A}} {{B}} {{A}} {{B}}"), "Odd key");
    }

    #[test]
    fn a6_severities_are_the_four_and_return_to_the_rules_own() {
        let severity =
            |text: &str| alert("alertDetailsOverride:\n  alertSeverityColumnName: A\n", &[(text, "")]).severity;
        let named: Vec<&str> =
            ["Informational", "Low", "Medium", "High"].iter().map(|text| severity(text).name()).collect();
        assert_eq!(named, ["Informational", "Low", "Medium", "High"]);
        assert_eq!((severity(""), severity("Dire")), (AlertSeverity::Low, AlertSeverity::Low));
    }

    #[test]
    fn a6_tactics_come_from_a_column_and_return_to_the_rules_own() {
        let tactics = |text: &str| alert("alertDetailsOverride:\n  alertTacticsColumnName: A\n", &[(text, "")]).tactics;
        assert_eq!(tactics(r#"["Execution","Discovery"]"#), ["Execution", "Discovery"]);
        assert_eq!(tactics("PreAttack, nonsense"), ["PreAttack"]);
        assert_eq!(tactics("nonsense"), ["Impact"]);
        assert_eq!(tactics(""), ["Impact"]);
    }

    #[test]
    fn a6_dynamic_properties_have_their_forms() {
        let property = |name: &str, text: &str| {
            let extra = format!(
                "alertDetailsOverride:\n  alertDynamicProperties:\n    - {{alertProperty: {name}, value: A}}\n"
            );
            let found = alert(&extra, &[(text, "")]);
            (found.properties.into_iter().next().map(|(_, value)| value), found.techniques)
        };
        let value = |name: &str, text: &str| property(name, text).0;
        assert_eq!(value("ConfidenceLevel", "High").as_deref(), Some("High"));
        assert_eq!(value("ConfidenceLevel", "Certain"), None);
        assert_eq!(value("ConfidenceScore", "0.75").as_deref(), Some("0.75"));
        assert_eq!(value("ConfidenceScore", "75"), None);
        for name in
            ["AlertLink", "ExtendedLinks", "ProductComponentName", "ProductName", "ProviderName", "RemediationSteps"]
        {
            assert_eq!(value(name, "text").as_deref(), Some("text"), "{name}");
            assert_eq!(value(name, ""), None, "{name}");
        }
        assert_eq!(property("Techniques", "T1059, T1, T1078").1, ["T1578.002", "T1059", "T1078"]);
        assert_eq!(property("Techniques", "t1059").1, ["T1496", "T1578.002"], "the form is T and four digits");
        assert_eq!(property("SubTechniques", "T1059.001").1, ["T1496", "T1059.001"]);
    }

    #[test]
    fn a6_over_50_values_in_a_run_all_alerts_return_to_the_default() {
        let extra = "eventGroupingSettings: {aggregationKind: AlertPerResult}\nalertDetailsOverride:\n  \
            alertDisplayNameFormat: 'Key of {{A}}'\n  alertDescriptionFormat: 'By {{B}}'\n";
        let rule = rule(extra);
        let names = |count: usize| {
            let texts: Vec<String> = (0..count).map(|n| format!("u{n}")).collect();
            let rows: Vec<(&str, &str)> = texts.iter().map(|text| (text.as_str(), "same")).collect();
            alerts(&rule, &rows)
        };
        assert!(names(50).iter().enumerate().all(|(n, alert)| alert.display_name == format!("Key of u{n}")));
        let over = names(51);
        assert!(over.iter().all(|alert| alert.display_name == "Odd key"));
        assert!(over.iter().all(|alert| alert.description == "By same"), "the other field has one value");
    }

    #[test]
    fn a6_names_and_single_values_have_256_bytes_and_collections_5_kb() {
        let extra = "alertDetailsOverride:\n  alertDisplayNameFormat: '{{A}}'\n  alertDescriptionFormat: '{{A}}'\n  \
            alertDynamicProperties:\n    - {alertProperty: ProductName, value: A}\n    - {alertProperty: ExtendedLinks, value: A}\n";
        let of = |length: usize| alert(extra, &[("x".repeat(length).as_str(), "")]);
        let fits = of(256);
        assert_eq!((fits.display_name.len(), fits.description.len(), fits.properties.len()), (256, 256, 2));
        let longer = of(257);
        assert_eq!((longer.display_name.as_str(), longer.description.len()), ("Odd key", 257));
        assert_eq!(longer.properties.len(), 1, "the collection stays: {:?}", longer.notes);
        let longest = of(5 * 1024 + 1);
        assert_eq!((longest.description.as_str(), longest.properties.len()), ("Own text", 0));
    }
}
