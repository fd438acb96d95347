//! The five attacks, each with the near misses that differ from it in one condition.

use serde_json::{Value as Json, json};

use crate::people::{
    AMARA, AWS_ACCOUNT, GCLOUD, GCP_PROJECT, JONAS, LEILA, MEI, NADIA, OWEN, Person, ROSA, SUBSCRIPTION, TENANT, TOMAS,
    USER_AGENT,
};
use crate::{Company, Options, sentinel};
use emulate::azure::{Event, Status};
use emulate::chance::{Chance, DAY, HOUR, MINUTE, SECOND};
use emulate::{aws, azure, gcp};

const INSTANCE_CREATION: &str = "instance-creation";
const AFTER_ALERT: &str = "instance-creation-after-alert";
const MODIFICATION: &str = "compute-modification";
const RUN_COMMAND: &str = "run-command-after-rare-sign-in";
const RISING: &str = "rising-resource-creation";

pub fn add(company: &mut Company, options: &Options) {
    let mut scene = Scene { company, chance: Chance::new(options.seed.wrapping_add(1)), end: options.end };
    scene.stolen_key_launches();
    scene.snapshot_then_instance();
    scene.azure_machines();
    scene.gcp_machine();
    scene.instance_after_alert();
    scene.compute_modified();
    scene.run_commands();
    scene.rising_resources();
}

struct Scene<'a> {
    company: &'a mut Company,
    chance: Chance,
    end: i64,
}

/// Where, by whom and when an Azure operation happens.
struct Operation<'a> {
    ticks: i64,
    person: &'a Person,
    address: &'a str,
    name: &'a str,
    group: &'a str,
    resource: &'a str,
    /// The last event: success with this substatus, or failure.
    outcome: Result<&'a str, ()>,
}

impl Scene<'_> {
    fn ec2(&mut self, ticks: i64, name: &str, user: &str, address: &str, error: Option<&str>, bodies: (Json, Json)) {
        let call = aws::Call {
            ticks,
            service: "ec2",
            name,
            caller: &aws::Caller::new(user, AWS_ACCOUNT),
            address,
            region: "sa-east-1",
            user_agent: USER_AGENT,
            error,
            request: bodies.0,
            response: bodies.1,
        };
        let record = aws::record(&mut self.chance, call);
        self.company.cloudtrail.push(record);
    }

    /// Start, Accept and the outcome, all with one correlation id.
    fn azure(&mut self, operation: &Operation<'_>, rest: bool) {
        let correlation = self.chance.guid();
        let (last, substatus) = match operation.outcome {
            Ok(substatus) => (Status::Success, substatus),
            Err(()) => (Status::Failure, "Conflict"),
        };
        for (offset, status, substatus) in
            [(0, Status::Start, ""), (3, Status::Accept, substatus), (55, last, substatus)]
        {
            let upn = operation.person.upn();
            let event = Event {
                ticks: operation.ticks + offset * SECOND,
                tenant: TENANT,
                subscription: SUBSCRIPTION,
                caller: &upn,
                address: operation.address,
                operation: operation.name,
                group: operation.group,
                resource: operation.resource,
                status,
                substatus,
                correlation: &correlation,
                properties: &[],
            };
            if rest {
                let record = azure::rest(&mut self.chance, &event);
                self.company.activity_rest.push(record);
            } else {
                let record = azure::diagnostic(&mut self.chance, &event);
                self.company.activity.push(record);
            }
        }
    }

    fn gcp_insert(&mut self, ticks: i64, principal: &str, address: &str, name: &str, error: Option<&str>) {
        let zone = "europe-north1-a";
        let id = format!("operation-{}", self.chance.hex(12));
        let call = gcp::Call {
            ticks,
            service: "compute.googleapis.com",
            method: "v1.compute.instances.insert",
            permission: "compute.instances.create",
            principal,
            address,
            user_agent: GCLOUD,
            project: GCP_PROJECT,
            resource: &format!("projects/{GCP_PROJECT}/zones/{zone}/instances/{name}"),
            kind: (
                "gce_instance",
                json!({"project_id": GCP_PROJECT, "zone": zone, "instance_id": self.chance.below(1 << 50).to_string()}),
            ),
            payload: Some(gcp::insert(GCP_PROJECT, zone, name, "n2-standard-8", None, None)),
            operation: Some((&id, true)),
            error,
        };
        let record = gcp::entry(&mut self.chance, call);
        self.company.gcp.push(record);
    }

    fn stolen_key_launches(&mut self) {
        let ticks = self.end - 9 * HOUR;
        let instances: Vec<String> = (0..3).map(|_| aws::instance_id(&mut self.chance)).collect();
        let bodies = aws::run_instances(&instances, "p4d.24xlarge", aws::IMAGE, None);
        self.ec2(ticks, "RunInstances", "build-bot", "203.0.113.66", None, bodies);
        let markers: Vec<&str> = instances.iter().map(String::as_str).collect();
        let story =
            "A stolen access key launches three accelerated instances in one call, in a region never used before.";
        self.company.truth.plant(INSTANCE_CREATION, story, &markers);

        let refused = aws::run_instances(&[], "p4d.24xlarge", aws::IMAGE, None);
        let dry = Some("Client.DryRunOperation");
        self.ec2(ticks - HOUR, "RunInstances", "plan-checker", "198.51.100.30", dry, refused.clone());
        self.company.truth.near_miss(INSTANCE_CREATION, "a dry run creates nothing", "plan-checker");
        let denied = Some("Client.UnauthorizedOperation");
        self.ec2(ticks - 2 * HOUR, "RunInstances", "denied-launcher", "198.51.100.31", denied, refused);
        self.company.truth.near_miss(INSTANCE_CREATION, "a denied launch creates nothing", "denied-launcher");
    }

    fn snapshot_then_instance(&mut self) {
        let ticks = self.end - 7 * HOUR;
        let (snapshot, instance) = (format!("snap-0{}", self.chance.hex(16)), aws::instance_id(&mut self.chance));
        let bodies =
            (json!({"volumeId": "vol-0aa11bb22cc33dd44"}), json!({"snapshotId": snapshot, "status": "pending"}));
        self.ec2(ticks, "CreateSnapshot", "backup-audit", "203.0.113.68", None, bodies);
        let bodies = aws::run_instances(std::slice::from_ref(&instance), "t3.large", aws::IMAGE, Some(&snapshot));
        self.ec2(ticks + 20 * MINUTE, "RunInstances", "backup-audit", "203.0.113.68", None, bodies);
        let story = "A snapshot of a production volume is taken, then mounted in a new instance by the same actor.";
        self.company.truth.plant(INSTANCE_CREATION, story, &[&snapshot, &instance]);
    }

    fn azure_machines(&mut self) {
        let operation = |ticks, resource, outcome| Operation {
            ticks,
            person: &OWEN,
            address: "203.0.113.67",
            name: "Microsoft.Compute/virtualMachines/write",
            group: "rg-helpdesk",
            resource,
            outcome,
        };
        let at = self.end - 5 * HOUR;
        self.azure(&operation(at, "virtualMachines/vm-shadow-1", Ok("Created")), false);
        self.azure(&operation(at + HOUR, "virtualMachines/vm-shadow-2", Ok("Created")), true);
        let truth = &mut self.company.truth;
        truth.plant(INSTANCE_CREATION, "A help-desk account creates a virtual machine.", &["vm-shadow-1"]);
        truth.plant(INSTANCE_CREATION, "The same, in the form of the command line.", &["vm-shadow-2"]);
        truth.near_miss(INSTANCE_CREATION, "the creation failed", "vm-no-capacity");
        truth.near_miss(INSTANCE_CREATION, "an update of tags creates nothing", "vm-tagged");
        self.azure(&operation(at + 10 * MINUTE, "virtualMachines/vm-no-capacity", Err(())), false);
        self.azure(&operation(at + 20 * MINUTE, "virtualMachines/vm-tagged", Ok("OK")), false);
    }

    fn gcp_machine(&mut self) {
        let at = self.end - 4 * HOUR;
        self.gcp_insert(at, &TOMAS.upn(), "203.0.113.69", "gce-shadow-1", None);
        self.gcp_insert(at + MINUTE, &TOMAS.upn(), "203.0.113.69", "gce-refused", Some("QUOTA_EXCEEDED"));
        let truth = &mut self.company.truth;
        truth.plant(INSTANCE_CREATION, "A finance account creates a Compute Engine instance.", &["gce-shadow-1"]);
        truth.near_miss(INSTANCE_CREATION, "the quota refused it", "gce-refused");
    }

    fn alert(&mut self, ticks: i64, severity: &str, person: &Person, address: &str) {
        let title = "Sign-in from an unfamiliar place";
        let record = sentinel::graph_alert(&mut self.chance, ticks, title, severity, person, address);
        self.company.alerts.push(record);
    }

    fn instance_after_alert(&mut self) {
        let at = self.end - 10 * HOUR;
        let user = MEI.upn();
        self.alert(at, "high", &MEI, "203.0.113.80");
        self.gcp_insert(at + 2 * HOUR, &user, "203.0.113.80", "gce-miner-7", None);
        self.alert(at, "low", &MEI, "203.0.113.81");
        self.gcp_insert(at + HOUR, &user, "203.0.113.81", "gce-low-severity", None);
        self.alert(self.end - 9 * DAY, "high", &MEI, "203.0.113.82");
        self.gcp_insert(at + HOUR, &user, "203.0.113.82", "gce-week-later", None);
        self.gcp_insert(at + HOUR, &user, MEI.address, "gce-usual-address", None);
        let agent = "service-4711@compute-system.iam.gserviceaccount.com";
        self.gcp_insert(at + HOUR, agent, "203.0.113.80", "gce-by-agent", None);
        self.gcp_insert(at + HOUR, &user, "private", "gce-private-caller", None);
        let truth = &mut self.company.truth;
        let story = "An account with a risky sign-in creates an instance from the address of the alert.";
        truth.plant(AFTER_ALERT, story, &["gce-miner-7", "203.0.113.80"]);
        truth.near_miss(AFTER_ALERT, "the alert has low severity", "gce-low-severity");
        truth.near_miss(AFTER_ALERT, "the alert is more than a week older", "gce-week-later");
        truth.near_miss(AFTER_ALERT, "the address is in no alert", "gce-usual-address");
        truth.near_miss(AFTER_ALERT, "the provider's own agent", "gce-by-agent");
        truth.near_miss(AFTER_ALERT, "no caller address", "gce-private-caller");
    }

    fn compute_modified(&mut self) {
        let at = self.end - 6 * HOUR;
        let operation = |minutes, person, name, group, resource, outcome| Operation {
            ticks: at + minutes * MINUTE,
            person,
            address: "203.0.113.90",
            name,
            group,
            resource,
            outcome,
        };
        let delete = "Microsoft.Compute/virtualMachines/delete";
        let capture = "Microsoft.Compute/virtualMachines/capture/action";
        let group = "rg-evidence";
        self.azure(&operation(0, &ROSA, capture, group, "virtualMachines/vm-ledger-1", Ok("OK")), false);
        self.azure(&operation(9, &ROSA, delete, group, "virtualMachines/vm-ledger-1", Ok("OK")), false);
        self.azure(&operation(12, &ROSA, delete, group, "virtualMachines/vm-ledger-2", Ok("OK")), false);
        let write = "Microsoft.Compute/virtualMachines/write";
        self.azure(&operation(1, &JONAS, write, "rg-small", "virtualMachines/vm-resized", Ok("OK")), false);
        self.azure(&operation(2, &JONAS, delete, "rg-failed", "virtualMachines/vm-kept-1", Err(())), false);
        self.azure(&operation(3, &JONAS, delete, "rg-failed", "virtualMachines/vm-kept-2", Err(())), false);
        let stop = "Microsoft.Compute/virtualMachines/deallocate/action";
        for minute in 0..5 {
            let machine = if minute % 2 == 0 { "virtualMachines/vm-night-1" } else { "virtualMachines/vm-night-2" };
            self.azure(&operation(20 + minute, &LEILA, stop, "rg-nightly", machine, Ok("OK")), false);
        }
        let truth = &mut self.company.truth;
        let story = "A machine is captured, then it and its twin are deleted, from an address never used before.";
        truth.plant(MODIFICATION, story, &["rg-evidence", "rosa.silva@harborline.example"]);
        truth.near_miss(MODIFICATION, "one change scores too little", "rg-small");
        truth.near_miss(MODIFICATION, "the deletions failed", "rg-failed");
        truth.near_miss(MODIFICATION, "five stops of two machines are not bulk", "rg-nightly");
    }

    fn run_commands(&mut self) {
        let at = self.end - 8 * HOUR;
        let name = "Microsoft.Compute/virtualMachines/runCommand/action";
        let operation = |ticks, person: &'static Person, resource, outcome| Operation {
            ticks,
            person,
            address: "203.0.113.95",
            name,
            group: "rg-core",
            resource,
            outcome,
        };
        self.azure(&operation(at, &OWEN, "virtualMachines/vm-domain-1", Ok("OK")), false);
        self.azure(&operation(at, &JONAS, "virtualMachines/vm-too-late", Ok("OK")), false);
        self.azure(&operation(at, &AMARA, "virtualMachines/vm-usual", Ok("OK")), false);
        self.azure(&operation(at, &NADIA, "virtualMachines/vm-failed-command", Err(())), false);
        for (ticks, person, uncommon) in [
            (at - 2 * HOUR, &OWEN, true),
            (at - 8 * HOUR, &JONAS, true),
            (at - 2 * HOUR, &AMARA, false),
            (at - 2 * HOUR, &NADIA, true),
        ] {
            let record = sentinel::behavior(&mut self.chance, ticks, person, "203.0.113.95", uncommon);
            self.company.behavior.push(record);
        }
        let truth = &mut self.company.truth;
        let story = "A command runs on a domain controller two hours after a sign-in that is rare for its caller.";
        truth.plant(RUN_COMMAND, story, &["vm-domain-1", "owen.price@harborline.example"]);
        truth.near_miss(RUN_COMMAND, "the rare sign-in is eight hours older", "vm-too-late");
        truth.near_miss(RUN_COMMAND, "the sign-in is usual", "vm-usual");
        truth.near_miss(RUN_COMMAND, "the command failed", "vm-failed-command");
    }

    /// A network security group of one name is written in more resource groups each day.
    fn rising_resources(&mut self) {
        let midnight = self.end - self.end.rem_euclid(DAY);
        for (day, count) in (0_i64..).zip([1_i64, 2, 3, 4, 5, 6, 9]) {
            let base = midnight - (6 - day) * DAY + 9 * HOUR;
            for number in 0..count {
                let group = format!("rg-edge-{number}");
                self.nsg_write(base + number * MINUTE, &NADIA, &group, "networkSecurityGroups/nsg-edge");
            }
            for number in 0..3 {
                let group = format!("rg-steady-{number}");
                self.nsg_write(base + number * MINUTE, &AMARA, &group, "networkSecurityGroups/nsg-steady");
            }
        }
        for hour in 0..6 {
            let ticks = midnight + (10 + hour) * HOUR;
            let record = sentinel::flow(&mut self.chance, ticks, "rg-edge-0", "nsg-edge", "192.0.2.200");
            self.company.traffic.push(record);
        }
        let truth = &mut self.company.truth;
        let story = "Network security groups of one name appear in more resource groups every day, and carry traffic.";
        truth.plant(RISING, story, &["nsg-edge", "nadia.popescu@harborline.example", "192.0.2.200"]);
        truth.near_miss(RISING, "three a day, every day", "nsg-steady");
    }

    fn nsg_write(&mut self, ticks: i64, person: &Person, group: &str, resource: &str) {
        let operation = Operation {
            ticks,
            person,
            address: "203.0.113.97",
            name: "Microsoft.Network/networkSecurityGroups/write",
            group,
            resource,
            outcome: Ok("Created"),
        };
        self.azure(&operation, false);
    }
}
