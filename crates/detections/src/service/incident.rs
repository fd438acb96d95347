//! Incidents: which alerts belong together, and the rows of `SecurityIncident` that say so.
//!
//! The rows are append-only: one when an incident is made and one for each change; readers take the last of each number.
//! Start at [`IncidentBook::take`].

use kql_types::datetime;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::alert::Alert;
use crate::entity::{self, Entity};
use crate::rule::{AlertSeverity, AnalyticsRule, GroupingConfiguration, MatchingMethod, RuleKind};

/// Alerts of one incident; the next starts another with the same details.
const ALERTS_MAX: usize = 150;
const DESCRIPTION_CHARACTERS_MAX: usize = 5_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentStatus {
    New,
    Active,
    Closed,
}

impl IncidentStatus {
    pub fn name(self) -> &'static str {
        match self {
            IncidentStatus::New => "New",
            IncidentStatus::Active => "Active",
            IncidentStatus::Closed => "Closed",
        }
    }
}

/// One incident as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// From 1, in the order of creation.
    pub number: u32,
    /// A GUID made from the first alert.
    pub name: String,
    pub title: String,
    pub description: String,
    pub severity: AlertSeverity,
    pub status: IncidentStatus,
    pub rule_id: String,
    pub tactics: Vec<String>,
    pub alert_ids: Vec<String>,
    pub first_activity: i64,
    pub last_activity: i64,
    pub created: i64,
    pub last_modified: i64,
    pub closed: Option<i64>,
    /// What its first alert was like: later ones must match it.
    entities: Vec<Entity>,
    custom_details: Vec<(String, Vec<String>)>,
}

/// All incidents, and the rows written for them.
#[derive(Debug, Clone, Default)]
pub struct IncidentBook {
    pub incidents: Vec<Incident>,
    /// Rows of `SecurityIncident`, in the order in which they were written.
    pub rows: Vec<Json>,
}

impl IncidentBook {
    /// Takes the alerts of one run, all of them made, at the moment when the run is finished. Gives the numbers of the
    /// incidents they went to, in the order of the alerts.
    pub fn take(&mut self, rule: &AnalyticsRule, alerts: &[Alert], finished: i64) -> Vec<u32> {
        if !rule.create_incident || rule.kind == RuleKind::Hunting {
            return Vec::new();
        }
        alerts.iter().map(|alert| self.take_one(rule, alert, finished)).collect()
    }

    fn take_one(&mut self, rule: &AnalyticsRule, alert: &Alert, finished: i64) -> u32 {
        let grouping = &rule.grouping;
        let home = self.incidents.iter_mut().rev().find(|incident| {
            grouping.enabled
                && incident.rule_id == rule.id
                && incident.alert_ids.len() < ALERTS_MAX
                && finished - incident.created <= grouping.lookback_duration
                && (incident.status != IncidentStatus::Closed || grouping.reopen_closed_incident)
                && matches(grouping, incident, alert)
        });
        match home {
            Some(incident) => {
                incident.add(alert, finished);
                self.rows.push(incident.row("Incident updated from alert"));
                incident.number
            }
            None => {
                let incident = Incident::of(alert, self.incidents.len() as u32 + 1, finished);
                self.rows.push(incident.row("Incident created from alert"));
                self.incidents.push(incident);
                self.incidents.len() as u32
            }
        }
    }

    /// Closes an incident, as an analyst does. False when there is none of this number.
    pub fn close(&mut self, number: u32, at: i64) -> bool {
        let Some(incident) = self.incidents.iter_mut().find(|incident| incident.number == number) else { return false };
        incident.status = IncidentStatus::Closed;
        incident.closed = Some(at);
        incident.last_modified = at;
        self.rows.push(incident.row("User"));
        true
    }
}

fn matches(grouping: &GroupingConfiguration, incident: &Incident, alert: &Alert) -> bool {
    match grouping.matching_method {
        MatchingMethod::AnyAlert => true,
        // Alerts without entities have nothing that could be equal.
        MatchingMethod::AllEntities => !alert.entities.is_empty() && same_entities(&incident.entities, &alert.entities),
        MatchingMethod::Selected => {
            let of_type = |entities: &[Entity], kind: &str| -> Vec<Entity> {
                let kind = entity::kind_text(kind);
                entities.iter().filter(|entity| entity.kind == kind).cloned().collect()
            };
            let entities = grouping.group_by_entities.iter().all(|kind| {
                let (a, b) = (of_type(&incident.entities, kind), of_type(&alert.entities, kind));
                !b.is_empty() && same_entities(&a, &b)
            });
            let details =
                grouping.group_by_alert_details.iter().all(|detail| match detail.to_ascii_lowercase().as_str() {
                    "displayname" => incident.title == alert.display_name,
                    "severity" => incident.severity == alert.severity,
                    _ => false,
                });
            let value = |details: &[(String, Vec<String>)], key: &str| -> Option<Vec<String>> {
                details.iter().find(|(name, _)| name == key).map(|(_, values)| values.clone())
            };
            let custom = grouping.group_by_custom_details.iter().all(|key| {
                let found = value(&alert.custom_details, key);
                found.is_some() && found == value(&incident.custom_details, key)
            });
            let any = grouping.group_by_entities.len()
                + grouping.group_by_alert_details.len()
                + grouping.group_by_custom_details.len();
            any > 0 && entities && details && custom
        }
    }
}

/// The same things on both sides, in any order.
fn same_entities(a: &[Entity], b: &[Entity]) -> bool {
    let covers = |a: &[Entity], b: &[Entity]| a.iter().all(|one| b.iter().any(|other| one.is_same_as(other)));
    covers(a, b) && covers(b, a)
}

impl Incident {
    fn of(alert: &Alert, number: u32, finished: i64) -> Incident {
        Incident {
            number,
            name: guid_of(&[&alert.id, &number.to_string()]),
            title: alert.display_name.clone(),
            description: alert.description.chars().take(DESCRIPTION_CHARACTERS_MAX).collect(),
            severity: alert.severity,
            status: IncidentStatus::New,
            rule_id: alert.rule_id.clone(),
            tactics: alert.tactics.clone(),
            alert_ids: vec![alert.id.clone()],
            first_activity: alert.start_time,
            last_activity: alert.end_time,
            created: finished,
            last_modified: finished,
            closed: None,
            entities: alert.entities.clone(),
            custom_details: alert.custom_details.clone(),
        }
    }

    fn add(&mut self, alert: &Alert, finished: i64) {
        self.alert_ids.push(alert.id.clone());
        self.first_activity = self.first_activity.min(alert.start_time);
        self.last_activity = self.last_activity.max(alert.end_time);
        self.last_modified = finished;
        for tactic in &alert.tactics {
            if !self.tactics.contains(tactic) {
                self.tactics.push(tactic.clone());
            }
        }
        if self.status == IncidentStatus::Closed {
            self.status = IncidentStatus::Active;
            self.closed = None;
        }
    }

    /// The incident as a row of `SecurityIncident`, as of its last change.
    pub fn row(&self, modified_by: &str) -> Json {
        let time = |ticks: i64| datetime::format(ticks);
        json!({
            "TenantId": "00000000-0000-0000-0000-000000000000",
            "TimeGenerated": time(self.last_modified),
            "IncidentName": self.name,
            "Title": self.title,
            "Description": self.description,
            "Severity": self.severity.name(),
            "Status": self.status.name(),
            "Classification": "",
            "ClassificationComment": "",
            "ClassificationReason": "",
            "Owner": {"objectId": null, "email": null, "assignedTo": null, "userPrincipalName": null},
            "FirstActivityTime": time(self.first_activity),
            "LastActivityTime": time(self.last_activity),
            "FirstModifiedTime": time(self.created),
            "LastModifiedTime": time(self.last_modified),
            "CreatedTime": time(self.created),
            "ClosedTime": self.closed.map(time),
            "IncidentNumber": self.number,
            "RelatedAnalyticRuleIds": [self.rule_id],
            "AlertIds": self.alert_ids,
            "BookmarkIds": [],
            "Comments": [],
            "Labels": [],
            "IncidentUrl": "",
            "AdditionalData": {
                "alertsCount": self.alert_ids.len(),
                "bookmarksCount": 0,
                "commentsCount": 0,
                "alertProductNames": ["Azure Sentinel"],
                "tactics": self.tactics,
            },
            "ModifiedBy": modified_by,
            "SourceSystem": "Azure",
            "Type": "SecurityIncident",
        })
    }
}

/// A GUID that equal parts share.
pub(crate) fn guid_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let hex: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default().to_string();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

#[cfg(test)]
mod tests {
    use kql_types::{Column, ScalarType, Value};

    use super::*;
    use crate::alert::{AlertRow, alerts_of_run};
    use crate::rule_file::{Expectation, FileContent, read};
    use crate::schedule::Run;

    const HOUR: i64 = 3600 * datetime::TICKS_PER_SECOND;
    const ZERO: i64 = 700_000 * 24 * HOUR;

    fn rule(incident: &str) -> AnalyticsRule {
        let text = format!(
            "id: r\nname: n\ndescription: {}\nseverity: Medium\nqueryFrequency: 1h\nqueryPeriod: 1h\nquery: T\n\
             customDetails:\n  Region: Region\nalertDetailsOverride:\n  alertSeverityColumnName: Level\n\
             entityMappings:\n  - entityType: IP\n    fieldMappings: [{{identifier: Address, columnName: Ip}}]\n  - entityType: Account\n    \
             fieldMappings: [{{identifier: FullName, columnName: Who}}]\nincidentConfiguration:\n  {incident}\n",
            "d".repeat(6_000)
        );
        match read("a.yaml", &text, Expectation::Rule) {
            FileContent::Rule(rule) => *rule,
            other => panic!("{other:?}"),
        }
    }

    fn alert(rule: &AnalyticsRule, at: i64, [ip, who, region, level]: [&str; 4]) -> Alert {
        let columns = ["Ip", "Who", "Region", "Level"].map(|name| Column::new(name, ScalarType::String));
        let values = [ip, who, region, level].map(|text| Value::String(text.to_string())).to_vec();
        let row = AlertRow { values, sources: engine::RowSources::default() };
        let run = Run { query_now: at, window_from: at - HOUR, shown_from: at - HOUR };
        alerts_of_run(rule, &columns, vec![row], 0, run).remove(0)
    }

    /// The incidents that alerts an hour apart go to.
    fn numbers(incident: &str, alerts: &[[&str; 4]]) -> Vec<u32> {
        let rule = rule(incident);
        let mut book = IncidentBook::default();
        let times = (0..).map(|hour| ZERO + hour * HOUR);
        times.zip(alerts).flat_map(|(at, values)| book.take(&rule, &[alert(&rule, at, *values)], at)).collect()
    }

    const A: [&str; 4] = ["203.0.113.1", "ann@x.example", "eu", "High"];
    const OTHER_USER: [&str; 4] = ["203.0.113.1", "bob@x.example", "eu", "High"];
    const OTHER_REGION: [&str; 4] = ["203.0.113.1", "ann@x.example", "us", "High"];
    const OTHER_LEVEL: [&str; 4] = ["203.0.113.1", "ann@x.example", "eu", "Low"];

    fn grouping(rest: &str) -> String {
        format!("groupingConfiguration: {{enabled: true, lookbackDuration: 5h, {rest}}}")
    }

    #[test]
    fn a4_without_grouping_each_alert_is_an_incident_and_createincident_may_be_off() {
        assert_eq!(numbers("createIncident: true", &[A, A]), [1, 2]);
        assert!(numbers("createIncident: false", &[A, A]).is_empty());
    }

    #[test]
    fn a4_all_entities_must_be_equal() {
        assert_eq!(numbers(&grouping("matchingMethod: AllEntities"), &[A, OTHER_USER, OTHER_REGION]), [1, 2, 1]);
        // The same account in another writing is one: its strong identifiers agree.
        let written = ["203.0.113.1:5000", "ANN@X.example", "eu", "High"];
        assert_eq!(numbers(&grouping("matchingMethod: AllEntities"), &[A, written]), [1, 1]);
    }

    #[test]
    fn a4_any_alert_of_the_rule() {
        assert_eq!(numbers(&grouping("matchingMethod: AnyAlert"), &[A, OTHER_USER, OTHER_REGION]), [1, 1, 1]);
    }

    #[test]
    fn a4_selected_entities_details_and_custom_details() {
        let by = |lists: &str| {
            numbers(
                &grouping(&format!("matchingMethod: Selected, {lists}")),
                &[A, OTHER_USER, OTHER_REGION, OTHER_LEVEL],
            )
        };
        assert_eq!(by("groupByEntities: [IP]"), [1, 1, 1, 1]);
        assert_eq!(by("groupByEntities: [Account]"), [1, 2, 1, 1]);
        assert_eq!(by("groupByCustomDetails: [Region]"), [1, 1, 2, 1]);
        assert_eq!(by("groupByAlertDetails: [Severity]"), [1, 1, 1, 2]);
        assert_eq!(
            by("groupByEntities: [IP], groupByAlertDetails: [DisplayName, Severity], groupByCustomDetails: [Region]"),
            [1, 1, 2, 3]
        );
    }

    #[test]
    fn a4_the_look_back_counts_from_the_first_alert() {
        let alerts = [A; 8];
        let expected = [1, 1, 1, 1, 1, 1, 2, 2];
        assert_eq!(numbers(&grouping("matchingMethod: AnyAlert"), &alerts), expected);
    }

    #[test]
    fn a4_an_incident_takes_150_alerts() {
        let rule = rule(&grouping("matchingMethod: AnyAlert"));
        let mut book = IncidentBook::default();
        let alerts: Vec<Alert> = (0..151).map(|_| alert(&rule, ZERO, A)).collect();
        book.take(&rule, &alerts, ZERO);
        let sizes: Vec<usize> = book.incidents.iter().map(|incident| incident.alert_ids.len()).collect();
        assert_eq!(sizes, [150, 1]);
        assert_eq!(book.incidents[0].title, book.incidents[1].title);
    }

    #[test]
    fn a4_a_closed_incident_is_reopened_only_when_the_rule_says_so() {
        for (reopen, expected) in [("true", 1), ("false", 2)] {
            let rule = rule(&grouping(&format!("matchingMethod: AnyAlert, reopenClosedIncident: {reopen}")));
            let mut book = IncidentBook::default();
            book.take(&rule, &[alert(&rule, ZERO, A)], ZERO);
            assert!(book.close(1, ZERO + HOUR) && !book.close(9, ZERO));
            let number = book.take(&rule, &[alert(&rule, ZERO + 2 * HOUR, A)], ZERO + 2 * HOUR);
            assert_eq!(number, [expected], "{reopen}");
        }
    }

    #[test]
    fn a12_rows_are_appended_for_creation_and_for_each_change() {
        let rule = rule(&grouping("matchingMethod: AnyAlert, reopenClosedIncident: true"));
        let mut book = IncidentBook::default();
        book.take(&rule, &[alert(&rule, ZERO, A)], ZERO);
        book.take(&rule, &[alert(&rule, ZERO + HOUR, OTHER_USER)], ZERO + HOUR);
        book.close(1, ZERO + 2 * HOUR);
        book.take(&rule, &[alert(&rule, ZERO + 3 * HOUR, A)], ZERO + 3 * HOUR);
        let seen: Vec<(String, u64)> = book
            .rows
            .iter()
            .map(|row| {
                (row["Status"].as_str().unwrap().to_string(), row["AdditionalData"]["alertsCount"].as_u64().unwrap())
            })
            .collect();
        let expected =
            [("New", 1), ("New", 2), ("Closed", 2), ("Active", 3)].map(|(status, count)| (status.to_string(), count));
        assert_eq!(seen, expected);
        assert!(
            book.rows
                .iter()
                .all(|row| row["IncidentNumber"] == 1 && row["IncidentName"] == book.rows[0]["IncidentName"])
        );
        assert_eq!(book.rows[3]["AlertIds"].as_array().unwrap().len(), 3);
        assert!(book.rows[2]["ClosedTime"].is_string() && book.rows[3]["ClosedTime"].is_null());
        assert_eq!(book.rows[0]["Description"].as_str().unwrap().len(), DESCRIPTION_CHARACTERS_MAX);
        let last = book.rows[1]["LastModifiedTime"].as_str().unwrap();
        assert!(last > book.rows[1]["CreatedTime"].as_str().unwrap());
    }
}
