//! The raw events that attack tests leave, as their source writes them.
//!
//! An [`Emulation`] plays one test with an actor, an address, a time and a region that the caller chooses, and gives the
//! records that a cloud would have logged: nothing is run anywhere. The same parameters give the same bytes. The record makers
//! ([`aws`], [`azure`], [`gcp`], [`entra`]) are used by the made-up company as well. Start at [`find`] and [`Emulation::play`].

mod aws_account;
mod aws_compute;
mod azure_tests;
mod entra_tests;
mod gcp_tests;
mod stage;

pub mod aws;
pub mod azure;
pub mod chance;
pub mod entra;
pub mod gcp;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use stage::Stage;

/// A record with its time in ticks, so that files can be cut by hour.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub ticks: i64,
    pub json: Json,
}

/// Whose log the records of an emulation belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    CloudTrail,
    /// Azure Activity.
    Activity,
    /// Cloud Audit Logs of Google.
    GcpAudit,
    /// The audit log of Entra ID.
    EntraAudit,
}

impl Source {
    /// As people know it.
    pub fn name(self) -> &'static str {
        match self {
            Source::CloudTrail => "CloudTrail",
            Source::Activity => "Azure Activity",
            Source::GcpAudit => "Google Cloud audit",
            Source::EntraAudit => "Entra audit",
        }
    }

    /// Parameters that every emulation of this source has: (name, default, what it is).
    pub fn parameters(self) -> &'static [Parameter] {
        match self {
            Source::CloudTrail => aws::PARAMETERS,
            Source::Activity => azure::PARAMETERS,
            Source::GcpAudit => gcp::PARAMETERS,
            Source::EntraAudit => entra::PARAMETERS,
        }
    }
}

/// What a test can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    pub name: &'static str,
    /// Empty: made up from the time and the other parameters, or absent.
    pub default: &'static str,
    pub about: &'static str,
}

/// Declares a parameter.
pub const fn parameter(name: &'static str, default: &'static str, about: &'static str) -> Parameter {
    Parameter { name, default, about }
}

/// One attack test.
#[derive(Debug, Clone, Copy)]
pub struct Emulation {
    /// `aws.ec2-gpu-launch`.
    pub name: &'static str,
    pub title: &'static str,
    pub source: Source,
    /// ATT&CK techniques.
    pub techniques: &'static [&'static str],
    /// Tests of public collections that leave the same events.
    pub tests: &'static [&'static str],
    /// Operations as the source names them, in the order in which they are first logged.
    pub operations: &'static [&'static str],
    /// Parameters of this test, beside those of its source.
    pub parameters: &'static [Parameter],
    act: fn(&mut Stage),
}

/// Why an emulation cannot be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mistake {
    UnknownParameter { name: String, known: Vec<&'static str> },
    NotANumber { name: String, value: String },
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Mistake::UnknownParameter { name, known } => {
                write!(f, "there is no parameter `{name}`, expected one of {}", known.join(", "))
            }
            Mistake::NotANumber { name, value } => {
                write!(f, "`{name}` is `{value}`, expected a number up to {COUNT_MAX}")
            }
        }
    }
}

impl std::error::Error for Mistake {}

/// The most of anything that a count may ask for.
pub const COUNT_MAX: u64 = 10_000;

/// Every emulation, by name.
pub fn all() -> Vec<&'static Emulation> {
    let lists = [aws_compute::TESTS, aws_account::TESTS, azure_tests::TESTS, gcp_tests::TESTS, entra_tests::TESTS];
    let mut all: Vec<&Emulation> = lists.into_iter().flatten().collect();
    all.sort_by_key(|emulation| emulation.name);
    all
}

/// The emulation of a name.
pub fn find(name: &str) -> Option<&'static Emulation> {
    all().into_iter().find(|emulation| emulation.name == name)
}

/// The names nearest to one that does not exist: those that share most of its words.
pub fn near(name: &str) -> Vec<&'static str> {
    let words: Vec<&str> = name.split(['.', '-', '_']).filter(|word| !word.is_empty()).collect();
    let score = |emulation: &Emulation| words.iter().filter(|word| emulation.name.contains(**word)).count();
    let best = all().iter().map(|emulation| score(emulation)).max().unwrap_or(0);
    all().into_iter().filter(|emulation| best > 0 && score(emulation) == best).map(|e| e.name).take(5).collect()
}

impl Emulation {
    /// All parameters: those of the source, then its own. One of its own replaces the source's default.
    pub fn all_parameters(&self) -> Vec<Parameter> {
        let own = |name: &str| self.parameters.iter().any(|parameter| parameter.name == name);
        let common = self.source.parameters().iter().filter(|parameter| !own(parameter.name));
        common.chain(self.parameters).copied().collect()
    }

    /// The records of the test, the first at `at` (ticks).
    ///
    /// # Errors
    /// A parameter that the test does not have, or a count that is none.
    pub fn play(&self, at: i64, given: &BTreeMap<String, String>) -> Result<Vec<Record>, Mistake> {
        let known = self.all_parameters();
        let mut values: BTreeMap<&'static str, String> =
            known.iter().map(|parameter| (parameter.name, parameter.default.to_string())).collect();
        for (name, value) in given {
            let name = match name.as_str() {
                "subscription" | "project" => "account",
                "location" => "region",
                other => other,
            };
            let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
                let known = known.iter().map(|parameter| parameter.name).collect();
                return Err(Mistake::UnknownParameter { name: name.to_string(), known });
            };
            // Account ids are digits as well, and longer.
            let is_count = parameter.default.parse::<u64>().is_ok_and(|number| number <= COUNT_MAX);
            if is_count && value.parse::<u64>().ok().is_none_or(|number| number > COUNT_MAX) {
                return Err(Mistake::NotANumber { name: name.to_string(), value: value.clone() });
            }
            values.insert(parameter.name, value.clone());
        }
        let mut stage = Stage::new(self, at, values);
        (self.act)(&mut stage);
        Ok(stage.records)
    }

    /// Records as a file of the source: one document for CloudTrail and the command line of Azure, else one record a line.
    pub fn file(&self, records: &[Record]) -> String {
        let jsons: Vec<&Json> = records.iter().map(|record| &record.json).collect();
        let lines = || jsons.iter().map(|record| format!("{record}\n")).collect();
        match self.source {
            Source::CloudTrail => format!("{}\n", json!({ "Records": jsons })),
            Source::Activity if jsons.iter().any(|record| record.get("eventTimestamp").is_some()) => {
                format!("{}\n", json!(jsons))
            }
            Source::Activity | Source::GcpAudit | Source::EntraAudit => lines(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

    use super::*;

    const AT: i64 = 639_000_000_000_000_000;

    fn played(name: &str, with: &[(&str, &str)]) -> Vec<Record> {
        let given = with.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect();
        find(name).unwrap_or_else(|| panic!("{name}")).play(AT, &given).unwrap()
    }

    fn operation(record: &Record) -> String {
        let json = &record.json;
        let text = json["eventName"].as_str().or(json["protoPayload"]["methodName"].as_str());
        text.or(json["operationName"]["value"].as_str()).or(json["operationName"].as_str()).unwrap().to_string()
    }

    #[test]
    fn every_emulation_leaves_the_operations_that_it_names() {
        for emulation in all() {
            let records = played(emulation.name, &[]);
            let mut found: Vec<String> = Vec::new();
            for record in &records {
                let operation = operation(record).to_lowercase();
                if !found.contains(&operation) {
                    found.push(operation);
                }
            }
            let named: Vec<String> = emulation.operations.iter().map(|name| name.to_lowercase()).collect();
            assert_eq!(found, named, "{}", emulation.name);
            assert!(records.iter().all(|record| record.ticks >= AT), "{}", emulation.name);
            assert!(records.is_sorted_by_key(|record| record.ticks), "{}", emulation.name);
            assert!(!emulation.techniques.is_empty() && !emulation.title.is_empty(), "{}", emulation.name);
            assert!(!emulation.file(&records).is_empty());
        }
        let names: Vec<&str> = all().iter().map(|emulation| emulation.name).collect();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    }

    #[test]
    fn every_record_carries_actor_address_and_region() {
        for emulation in all() {
            let actor = match emulation.source {
                Source::CloudTrail => "wanda",
                _ => "wanda@quay.example",
            };
            let with: Vec<(&str, &str)> = [("actor", actor), ("ip", "192.0.2.77"), ("region", "south-7")]
                .into_iter()
                .filter(|(name, _)| emulation.all_parameters().iter().any(|p| p.name == *name))
                .collect();
            for record in played(emulation.name, &with) {
                let text = record.json.to_string().to_lowercase();
                for (name, value) in &with {
                    let placed = *name != "region" || matches!(emulation.source, Source::CloudTrail);
                    let own = *name == "actor" && text.contains("\"assumedrole\"");
                    assert!(!placed || own || text.contains(value), "{} {name}: {text}", emulation.name);
                }
            }
        }
    }

    #[test]
    fn the_same_parameters_give_the_same_bytes() {
        for emulation in all() {
            let text = |with: &[(&str, &str)]| emulation.file(&played(emulation.name, with));
            assert_eq!(text(&[]), text(&[]), "{}", emulation.name);
            assert_ne!(text(&[]), text(&[("ip", "192.0.2.1")]), "{}", emulation.name);
        }
    }

    #[test]
    fn ids_are_carried_from_step_to_step() {
        let records = played("aws.snapshot-then-instance", &[]);
        let [volume, snapshot, run] = records.as_slice() else { panic!("{records:?}") };
        assert_eq!(volume.json["responseElements"]["volumeId"], snapshot.json["requestParameters"]["volumeId"]);
        let id = snapshot.json["responseElements"]["snapshotId"].clone();
        assert_eq!(run.json["requestParameters"]["blockDeviceMapping"]["items"][0]["ebs"]["snapshotId"], id);
        assert!(id.as_str().unwrap().starts_with("snap-0"));
        assert_eq!(volume.json["userIdentity"], run.json["userIdentity"]);
        let named = played("aws.snapshot-then-instance", &[("snapshot", "snap-0abc")]);
        assert_eq!(named[1].json["responseElements"]["snapshotId"], "snap-0abc");
    }

    #[test]
    fn refusals_have_no_answer() {
        let denied = played("aws.ec2-gpu-launch", &[("error", "Client.VcpuLimitExceeded")]);
        assert_eq!(denied[0].json["errorCode"], "Client.VcpuLimitExceeded");
        assert!(denied[0].json["responseElements"].is_null());
        let failed = played("azure.vm-create", &[("error", "Conflict"), ("form", "rest")]);
        assert!(failed.iter().any(|record| record.json["status"]["value"] == "Failed"));
        assert!(!failed.iter().any(|record| record.json["status"]["value"] == "Succeeded"));
        let quota = played("gcp.instance-create", &[("error", "QUOTA_EXCEEDED")]);
        assert_eq!((quota.len(), &quota[0].json["protoPayload"]["status"]["code"]), (1, &json!(8)));
    }

    #[test]
    fn mistakes_name_what_is_known() {
        let given = BTreeMap::from([("instance".to_string(), "x".to_string())]);
        let mistake = find("gcp.custom-role").unwrap().play(AT, &given).unwrap_err();
        assert!(mistake.to_string().contains("actor"), "{mistake}");
        let given = BTreeMap::from([("count".to_string(), "many".to_string())]);
        assert!(find("aws.ec2-gpu-launch").unwrap().play(AT, &given).unwrap_err().to_string().contains("number"));
        assert!(near("aws.gpu-launch").contains(&"aws.ec2-gpu-launch"));
    }

    #[test]
    fn assumed_roles_and_users_are_told_apart() {
        let role = "arn:aws:sts::123456789012:assumed-role/deploy/ci";
        let identity = &played("aws.ec2-create-instance", &[("actor", role)])[0].json["userIdentity"];
        assert_eq!((&identity["type"], &identity["accountId"]), (&json!("AssumedRole"), &json!("123456789012")));
        assert_eq!(identity["sessionContext"]["sessionIssuer"]["arn"], "arn:aws:iam::123456789012:role/deploy");
        assert!(identity["principalId"].as_str().unwrap().ends_with(":ci"));
    }
}
