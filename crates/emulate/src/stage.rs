//! Where an emulation acts: its parameters, the time that passes, and the records it has left.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::azure::Status;
use crate::chance::{Chance, SECOND};
use crate::{COUNT_MAX, Emulation, Record, aws, azure, entra, gcp};

pub struct Stage {
    pub records: Vec<Record>,
    pub chance: Chance,
    now: i64,
    values: BTreeMap<&'static str, String>,
}

impl Stage {
    pub fn new(emulation: &Emulation, at: i64, values: BTreeMap<&'static str, String>) -> Stage {
        let seed = format!("{} {at} {values:?}", emulation.name);
        Stage { records: Vec::new(), chance: Chance::of_text(&seed), now: at, values }
    }

    /// A parameter's value; empty where there is none.
    pub fn text(&self, name: &str) -> String {
        self.values.get(name).cloned().unwrap_or_default()
    }

    /// A parameter that is a count.
    pub fn count(&self, name: &str) -> u64 {
        self.text(name).parse::<u64>().unwrap_or(1).min(COUNT_MAX)
    }

    /// An id that was given, or one that is made up: the prefix and hex digits.
    pub fn id(&mut self, name: &str, prefix: &str, digits: usize) -> String {
        match self.text(name) {
            given if !given.is_empty() => given,
            _ => format!("{prefix}{}", self.chance.hex(digits)),
        }
    }

    /// So many instances of EC2, the first with the id that was given.
    pub fn instances(&mut self, count: u64) -> Vec<String> {
        (0..count)
            .map(|number| match number {
                0 => self.id("instance", "i-0", 16),
                _ => aws::instance_id(&mut self.chance),
            })
            .collect()
    }

    /// Lets time pass.
    pub fn wait(&mut self, seconds: i64) {
        self.now += seconds * SECOND;
    }

    /// The moment, in milliseconds since 1970.
    pub fn milliseconds(&self) -> i64 {
        (self.now - 621_355_968_000_000_000) / 10_000
    }

    fn given_error(&self) -> Option<String> {
        Some(self.text("error")).filter(|error| !error.is_empty())
    }

    pub fn caller(&self) -> aws::Caller {
        aws::Caller::new(&self.text("actor"), &self.text("account"))
    }

    /// A call by the actor.
    pub fn aws(&mut self, service: &str, name: &str, request: Json, response: Json) {
        let caller = self.caller();
        self.aws_as(&caller, service, name, request, response);
    }

    /// A call by somebody else, from the same address.
    pub fn aws_as(&mut self, caller: &aws::Caller, service: &str, name: &str, request: Json, response: Json) {
        let (address, region, user_agent) = (self.text("ip"), self.text("region"), self.text("user_agent"));
        let error = self.given_error();
        let call = aws::Call {
            ticks: self.now,
            service,
            name,
            caller,
            address: &address,
            region: &region,
            user_agent: &user_agent,
            error: error.as_deref(),
            request,
            response,
        };
        let record = aws::record(&mut self.chance, call);
        self.records.push(record);
        self.wait(2);
    }

    /// An Azure operation on a resource of the group: Start, Accept and the outcome with one correlation id.
    /// `substatus` is that of success; `body` is the text of the request.
    pub fn azure(&mut self, operation: &str, resource: &str, substatus: &str, body: Option<&Json>) {
        let group = self.text("group");
        self.azure_in(operation, &group, resource, substatus, body);
    }

    pub fn azure_in(&mut self, operation: &str, group: &str, resource: &str, substatus: &str, body: Option<&Json>) {
        let error = self.given_error();
        let correlation = self.chance.guid();
        let (tenant, subscription, caller) = (self.text("tenant"), self.text("account"), self.text("actor"));
        let address = self.text("ip");
        let rest = self.text("form") == "rest";
        let last = if error.is_some() { Status::Failure } else { Status::Success };
        let (accepted, ended) = match &error {
            Some(error) => ("", error.as_str()),
            None => (if substatus == "Created" { "Created" } else { "Accepted" }, substatus),
        };
        for (after, status, substatus) in [(0, Status::Start, ""), (3, Status::Accept, accepted), (27, last, ended)] {
            let text = body.map(Json::to_string);
            let properties: Vec<(&str, String)> = match (status, text) {
                (Status::Start, Some(text)) => vec![("requestbody", text)],
                (Status::Accept, Some(text)) => vec![("responseBody", text)],
                _ => Vec::new(),
            };
            self.wait(after);
            let event = azure::Event {
                ticks: self.now,
                tenant: &tenant,
                subscription: &subscription,
                caller: &caller,
                address: &address,
                operation,
                group,
                resource,
                status,
                substatus,
                correlation: &correlation,
                properties: &properties,
            };
            let made = if rest { azure::rest } else { azure::diagnostic };
            let record = made(&mut self.chance, &event);
            self.records.push(record);
        }
        self.wait(5);
    }

    /// Zone a of the region.
    pub fn zone(&self) -> String {
        format!("{}-a", self.text("region"))
    }

    /// A call of Compute Engine that begins an operation: its first entry, and its last one unless it is refused.
    pub fn compute(&mut self, method: &str, permission: &str, resource: &str, payload: (Json, Json)) {
        let id = format!("operation-{}", self.chance.hex(12));
        let kind = match resource.split('/').nth_back(1) {
            Some("disks") => "gce_disk",
            Some("snapshots") => "gce_snapshot",
            Some("images") => "gce_image",
            _ => "gce_instance",
        };
        let label = format!("{}_id", kind.trim_start_matches("gce_"));
        let number = Chance::of_text(resource).below(1 << 50).to_string();
        let labels = json!({"project_id": self.text("account"), "zone": self.zone(), label: number});
        let call = Asked { service: "compute.googleapis.com", method, permission, resource };
        self.gcp(&call, (kind, labels.clone()), Some(payload), Some((&id, true)));
        if self.given_error().is_none() {
            self.wait(18);
            self.gcp(&call, (kind, labels), None, Some((&id, false)));
        }
        self.wait(4);
    }

    /// A call of another service, which is over at once.
    pub fn google(&mut self, call: &Asked<'_>, kind: &str, labels: Json, payload: (Json, Json)) {
        self.gcp(call, (kind, labels), Some(payload), None);
        self.wait(4);
    }

    fn gcp(
        &mut self,
        asked: &Asked<'_>,
        kind: (&str, Json),
        payload: Option<(Json, Json)>,
        operation: Option<(&str, bool)>,
    ) {
        let (principal, address, project) = (self.text("actor"), self.text("ip"), self.text("account"));
        let user_agent = self.text("user_agent");
        let error = self.given_error();
        let call = gcp::Call {
            ticks: self.now,
            service: asked.service,
            method: asked.method,
            permission: asked.permission,
            principal: &principal,
            address: &address,
            user_agent: &user_agent,
            project: &project,
            resource: asked.resource,
            kind,
            payload,
            operation,
            error: error.as_deref(),
        };
        let record = gcp::entry(&mut self.chance, call);
        self.records.push(record);
    }

    /// A change of the directory.
    pub fn entra(&mut self, operation: &str, category: &str, target: (&str, &str), modified: &[(&str, String)]) {
        let (tenant, actor, address) = (self.text("tenant"), self.text("actor"), self.text("ip"));
        let error = self.given_error();
        let change = entra::Change {
            ticks: self.now,
            tenant: &tenant,
            actor: &actor,
            address: &address,
            operation,
            category,
            target,
            modified,
            error: error.as_deref(),
        };
        let record = entra::record(&mut self.chance, &change);
        self.records.push(record);
        self.wait(6);
    }
}

/// What a Google call asks for.
pub struct Asked<'a> {
    pub service: &'a str,
    pub method: &'a str,
    pub permission: &'a str,
    pub resource: &'a str,
}
