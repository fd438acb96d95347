//! The company's ordinary days: reads, deployments, scaling, sign-ins, flows. Nothing here may satisfy a detection.

use serde_json::{Value as Json, json};

use crate::people::{AWS_ACCOUNT, GCLOUD, GCP_PROJECT, PEOPLE, SUBSCRIPTION, TENANT, USER_AGENT};
use crate::{Company, Options, sentinel};
use emulate::azure::{Event, Status};
use emulate::chance::{Chance, DAY, MINUTE, SECOND};
use emulate::{aws, azure, gcp};

const REGIONS: [&str; 2] = ["eu-north-1", "eu-west-1"];
const READS: [&str; 6] =
    ["DescribeInstances", "DescribeVolumes", "DescribeImages", "DescribeSubnets", "DescribeVpcs", "DescribeTags"];

pub fn add(company: &mut Company, options: &Options) {
    let mut chance = Chance::new(options.seed);
    let start = options.end - i64::from(options.days) * DAY;
    for number in 0..options.events {
        let ticks = chance.moment(start, options.end - 10 * MINUTE);
        match number % 10 {
            0..=3 => read_aws(company, &mut chance, ticks),
            4..=5 => read_gcp(company, &mut chance, ticks),
            6..=7 => restart_azure(company, &mut chance, ticks),
            8 => sign_in(company, &mut chance, ticks),
            _ => traffic(company, &mut chance, ticks),
        }
    }
}

fn read_aws(company: &mut Company, chance: &mut Chance, ticks: i64) {
    let person = *chance.pick(&PEOPLE);
    let service = chance.below(4) == 0;
    let arn =
        if service { format!("arn:aws:sts::{AWS_ACCOUNT}:assumed-role/inventory/session") } else { person.aws_arn() };
    let name = *chance.pick(&READS);
    let region = *chance.pick(&REGIONS);
    let denied = chance.below(40) == 0;
    let call = aws::Call {
        ticks,
        service: "ec2",
        name,
        caller: &aws::Caller::new(&arn, AWS_ACCOUNT),
        address: if service { "config.amazonaws.com" } else { person.address },
        region,
        user_agent: USER_AGENT,
        error: denied.then_some("Client.UnauthorizedOperation"),
        request: json!({"maxResults": 100, "filterSet": {}}),
        response: Json::Null,
    };
    let record = aws::record(chance, call);
    company.cloudtrail.push(record);
}

fn read_gcp(company: &mut Company, chance: &mut Chance, ticks: i64) {
    let person = *chance.pick(&PEOPLE);
    let zone = "europe-north1-a";
    let number = chance.below(1 << 50).to_string();
    let call = gcp::Call {
        ticks,
        service: "compute.googleapis.com",
        method: "v1.compute.instances.setLabels",
        permission: "compute.instances.setLabels",
        principal: &person.upn(),
        address: person.address,
        user_agent: GCLOUD,
        project: GCP_PROJECT,
        resource: &format!("projects/{GCP_PROJECT}/zones/{zone}/instances/etl-worker"),
        kind: ("gce_instance", json!({"project_id": GCP_PROJECT, "zone": zone, "instance_id": number})),
        payload: None,
        operation: None,
        error: None,
    };
    let record = gcp::entry(chance, call);
    company.gcp.push(record);
}

/// A restart leaves three events and scores nothing.
fn restart_azure(company: &mut Company, chance: &mut Chance, ticks: i64) {
    let person = *chance.pick(&PEOPLE);
    let correlation = chance.guid();
    let machine = format!("virtualMachines/vm-app-{}", chance.below(6));
    for (offset, status, substatus) in
        [(0, Status::Start, ""), (2, Status::Accept, "Accepted"), (40, Status::Success, "")]
    {
        let event = Event {
            ticks: ticks + offset * SECOND,
            tenant: TENANT,
            subscription: SUBSCRIPTION,
            caller: &person.upn(),
            address: person.address,
            operation: "Microsoft.Compute/virtualMachines/restart/action",
            group: "rg-app",
            resource: &machine,
            status,
            substatus,
            correlation: &correlation,
            properties: &[],
        };
        let record = azure::diagnostic(chance, &event);
        company.activity.push(record);
    }
}

fn sign_in(company: &mut Company, chance: &mut Chance, ticks: i64) {
    let person = *chance.pick(&PEOPLE);
    let error = if chance.below(12) == 0 { 50126 } else { 0 };
    let record = sentinel::sign_in(chance, ticks, &person, person.address, error);
    company.signins.push(record);
    if error == 0 && chance.below(3) == 0 {
        let record = sentinel::behavior(chance, ticks, &person, person.address, false);
        company.behavior.push(record);
    }
}

fn traffic(company: &mut Company, chance: &mut Chance, ticks: i64) {
    let address = format!("192.0.2.{}", 10 + chance.below(40));
    let record = sentinel::flow(chance, ticks, "rg-app", "nsg-app", &address);
    company.traffic.push(record);
}
