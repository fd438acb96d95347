//! The company's ordinary days: reads, deployments, scaling, sign-ins, flows. Nothing here may satisfy a detection.

use serde_json::{Value as Json, json};

use crate::azure::{Event, Status};
use crate::chance::{Chance, DAY, MINUTE, SECOND};
use crate::people::{AWS_ACCOUNT, PEOPLE};
use crate::{Company, Options, aws, azure, gcp, sentinel};

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
        name,
        arn: &arn,
        address: if service { "config.amazonaws.com" } else { person.address },
        region,
        error: denied.then_some("Client.UnauthorizedOperation"),
        request: json!({"maxResults": 100, "filterSet": {}}),
        response: Json::Null,
        read_only: true,
    };
    let record = aws::record(chance, call);
    company.cloudtrail.push(record);
}

fn read_gcp(company: &mut Company, chance: &mut Chance, ticks: i64) {
    let person = *chance.pick(&PEOPLE);
    let call = gcp::Call {
        ticks,
        method: "v1.compute.instances.setLabels",
        principal: &person.upn(),
        address: person.address,
        zone: "europe-north1-a",
        resource: "etl-worker",
        payload: None,
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
            caller: &person.upn(),
            address: person.address,
            operation: "Microsoft.Compute/virtualMachines/restart/action",
            group: "rg-app",
            resource: &machine,
            status,
            substatus,
            correlation: &correlation,
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
