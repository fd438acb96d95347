//! Attack tests on EC2, its snapshots and images, and commands on its instances.

use serde_json::{Value as Json, json};

use crate::aws::{IMAGE, change_state, run_instances};
use crate::stage::Stage;
use crate::{Emulation, Parameter, Source, parameter};

const INSTANCE: Parameter = parameter("instance", "", "id of the first instance");
const SNAPSHOT: Parameter = parameter("snapshot", "", "id of the snapshot");
const VOLUME: Parameter = parameter("volume", "", "id of the volume");
const COUNT: Parameter = parameter("count", "1", "how many instances");
const TYPE: Parameter = parameter("instance_type", "t2.micro", "size of the instances");
const OTHER: Parameter = parameter("other_account", "999900001111", "account that is given access");

const TERMINATED: ((u32, &str), (u32, &str)) = ((16, "running"), (32, "shutting-down"));

pub const TESTS: &[Emulation] = &[
    Emulation {
        name: "aws.ec2-create-instance",
        title: "An instance is launched from the command line",
        source: Source::CloudTrail,
        techniques: &["T1578.002"],
        tests: &["Create AWS EC2 Instance via CLI"],
        operations: &["RunInstances"],
        parameters: &[INSTANCE, COUNT, TYPE],
        act: |stage| {
            launch(stage, None);
        },
    },
    Emulation {
        name: "aws.ec2-gpu-launch",
        title: "Accelerated instances are launched",
        source: Source::CloudTrail,
        techniques: &["T1496.001", "T1578.002"],
        tests: &[],
        operations: &["RunInstances"],
        parameters: &[INSTANCE, COUNT, parameter("instance_type", "p4d.24xlarge", "size of the instances")],
        act: |stage| {
            launch(stage, None);
        },
    },
    Emulation {
        name: "aws.ec2-launch-denied",
        title: "Large instances of several types are asked for and refused",
        source: Source::CloudTrail,
        techniques: &["T1496.001", "T1580"],
        tests: &["stratus: aws.execution.ec2-launch-unusual-instances"],
        operations: &["RunInstances"],
        parameters: &[
            parameter("instance_types", "p2.xlarge,g5.12xlarge,p3.8xlarge", "types that are tried, with commas"),
            parameter("error", "Client.UnauthorizedOperation", "error code with which every call is refused"),
        ],
        act: |stage| {
            for kind in stage.text("instance_types").split(',') {
                let (request, response) = run_instances(&[], kind.trim(), IMAGE, None);
                stage.aws("ec2", "RunInstances", request, response);
                stage.wait(40);
            }
        },
    },
    Emulation {
        name: "aws.snapshot-then-instance",
        title: "A volume and a snapshot of it are made, then an instance that mounts the snapshot",
        source: Source::CloudTrail,
        techniques: &["T1578.001", "T1578.002", "T1074.002"],
        tests: &["Snapshot-then-Create-Instance Data Staging Pattern"],
        operations: &["CreateVolume", "CreateSnapshot", "RunInstances"],
        parameters: &[INSTANCE, SNAPSHOT, VOLUME, COUNT, TYPE],
        act: |stage| {
            let volume = create_volume(stage);
            stage.wait(30);
            let snapshot = create_snapshot(stage, &volume);
            stage.wait(300);
            launch(stage, Some(&snapshot));
        },
    },
    Emulation {
        name: "aws.ec2-snapshot-share",
        title: "A snapshot is taken and shared with another account",
        source: Source::CloudTrail,
        techniques: &["T1537", "T1578.001"],
        tests: &[
            "AWS - Create and Share EC2 Snapshot Cross-Account",
            "stratus: aws.exfiltration.ec2-share-ebs-snapshot",
        ],
        operations: &["CreateSnapshot", "ModifySnapshotAttribute"],
        parameters: &[SNAPSHOT, VOLUME, OTHER],
        act: |stage| {
            let volume = stage.id("volume", "vol-0", 16);
            let snapshot = create_snapshot(stage, &volume);
            stage.wait(120);
            let request = json!({
                "snapshotId": snapshot,
                "createVolumePermission": {"add": {"items": [grantee(&stage.text("other_account"))]}},
                "attributeType": "CREATE_VOLUME_PERMISSION",
            });
            let response = returned(stage);
            stage.aws("ec2", "ModifySnapshotAttribute", request, response);
        },
    },
    Emulation {
        name: "aws.ec2-run-terminate",
        title: "An instance is launched and terminated: evidence is destroyed",
        source: Source::CloudTrail,
        techniques: &["T1578.003", "T1578.002"],
        tests: &["AWS - Terminate Running EC2 Instance (Evidence Destruction)"],
        operations: &["RunInstances", "TerminateInstances"],
        parameters: &[INSTANCE, COUNT, TYPE, parameter("minutes", "10", "how long the instances live")],
        act: |stage| {
            let instances = launch(stage, None);
            stage.wait(stage.count("minutes") as i64 * 60);
            let (request, response) = change_state(&instances, TERMINATED.0, TERMINATED.1);
            stage.aws("ec2", "TerminateInstances", request, response);
        },
    },
    Emulation {
        name: "aws.ec2-snapshot-create",
        title: "A snapshot of a volume is taken, then deleted",
        source: Source::CloudTrail,
        techniques: &["T1578.001"],
        tests: &["atomic: a3c09662-85bb-4ea8-b15b-6dc8a844e236"],
        operations: &["CreateSnapshot", "DeleteSnapshot"],
        parameters: &[SNAPSHOT, VOLUME],
        act: |stage| {
            let volume = stage.id("volume", "vol-0", 16);
            let snapshot = create_snapshot(stage, &volume);
            stage.wait(60);
            let response = returned(stage);
            stage.aws("ec2", "DeleteSnapshot", json!({"snapshotId": snapshot}), response);
        },
    },
    Emulation {
        name: "aws.ec2-launch-template",
        title: "An instance is launched from a template made for it, then terminated; the template stays",
        source: Source::CloudTrail,
        techniques: &["T1578.002"],
        tests: &["atomic: 09186a16-e7f1-4d26-9524-6999a95a2ea5"],
        operations: &["CreateLaunchTemplate", "RunInstances", "TerminateInstances"],
        parameters: &[INSTANCE, TYPE],
        act: |stage| {
            let template = format!("lt-0{}", stage.chance.hex(16));
            let (image, kind) = (IMAGE, stage.text("instance_type"));
            let asked = json!({"LaunchTemplateName": "attack-test", "LaunchTemplateData": {"ImageId": image, "InstanceType": kind}});
            let made = json!({"launchTemplate": {"launchTemplateId": template, "launchTemplateName": "attack-test", "latestVersionNumber": 1}});
            stage.aws(
                "ec2",
                "CreateLaunchTemplate",
                json!({"CreateLaunchTemplateRequest": asked}),
                json!({"CreateLaunchTemplateResponse": made}),
            );
            stage.wait(10);
            let instances = stage.instances(1);
            let (_, response) = run_instances(&instances, &kind, image, None);
            let request = json!({
                "instancesSet": {"items": [{"minCount": 1, "maxCount": 1}]},
                "launchTemplate": {"launchTemplateId": template, "version": "1"},
            });
            stage.aws("ec2", "RunInstances", request, response);
            stage.wait(120);
            let (request, response) = change_state(&instances, TERMINATED.0, TERMINATED.1);
            stage.aws("ec2", "TerminateInstances", request, response);
        },
    },
    Emulation {
        name: "aws.ec2-user-data-launch",
        title: "An instance is launched with a script as user data, then terminated",
        source: Source::CloudTrail,
        techniques: &["T1578.002", "T1059"],
        tests: &["atomic: e0c5c285-8903-4927-a9f8-a7c37eac37e2"],
        operations: &["RunInstances", "TerminateInstances"],
        parameters: &[INSTANCE, TYPE],
        act: |stage| {
            let instances = stage.instances(1);
            let (mut request, response) = run_instances(&instances, &stage.text("instance_type"), IMAGE, None);
            if let Some(fields) = request.as_object_mut() {
                fields.insert("userData".into(), json!("<sensitiveDataRemoved>"));
            }
            stage.aws("ec2", "RunInstances", request, response);
            stage.wait(120);
            let (request, response) = change_state(&instances, TERMINATED.0, TERMINATED.1);
            stage.aws("ec2", "TerminateInstances", request, response);
        },
    },
    Emulation {
        name: "aws.ec2-user-data",
        title: "The start-up script of an instance is replaced while it is stopped",
        source: Source::CloudTrail,
        techniques: &["T1059", "T1578"],
        tests: &["stratus: aws.execution.ec2-user-data"],
        operations: &["StopInstances", "DescribeInstances", "ModifyInstanceAttribute", "StartInstances"],
        parameters: &[INSTANCE],
        act: |stage| {
            let instances = stage.instances(1);
            let (request, response) = change_state(&instances, (16, "running"), (64, "stopping"));
            stage.aws("ec2", "StopInstances", request, response);
            for _ in 0..3 {
                stage.wait(13);
                stage.aws("ec2", "DescribeInstances", one_instance(&instances), Json::Null);
            }
            let request = json!({"instanceId": instances.first(), "userData": "<sensitiveDataRemoved>"});
            let response = returned(stage);
            stage.aws("ec2", "ModifyInstanceAttribute", request, response);
            let (request, response) = change_state(&instances, (80, "stopped"), (0, "pending"));
            stage.aws("ec2", "StartInstances", request, response);
        },
    },
    Emulation {
        name: "aws.ssm-send-command",
        title: "A shell command is run on instances through Systems Manager",
        source: Source::CloudTrail,
        techniques: &["T1651"],
        tests: &["stratus: aws.execution.ssm-send-command", "atomic: a3cc9c95-c160-4b86-af6f-84fba87bfd30"],
        operations: &["SendCommand", "GetCommandInvocation"],
        parameters: &[INSTANCE, COUNT, parameter("document", "AWS-RunShellScript", "document that is run")],
        act: |stage| {
            let instances = stage.instances(stage.count("count"));
            let command = stage.chance.guid();
            send_command(stage, &instances, &command);
            for instance in &instances {
                let request = json!({"commandId": command, "instanceId": instance});
                stage.aws("ssm", "GetCommandInvocation", request, Json::Null);
            }
        },
    },
    Emulation {
        name: "aws.ssm-start-session",
        title: "Shell sessions are opened on instances through Systems Manager",
        source: Source::CloudTrail,
        techniques: &["T1651", "T1021.007"],
        tests: &["stratus: aws.execution.ssm-start-session"],
        operations: &["StartSession", "TerminateSession"],
        parameters: &[INSTANCE, COUNT],
        act: |stage| {
            for instance in stage.instances(stage.count("count")) {
                let user = stage.caller().arn.rsplit('/').next().unwrap_or_default().to_string();
                let session = format!("{user}-0{}", stage.chance.hex(16));
                let response = json!({
                    "sessionId": session,
                    "tokenValue": "Value hidden due to security reasons.",
                    "streamUrl": "wss://ssmmessages.example/v1/data-channel",
                });
                stage.aws("ssm", "StartSession", json!({"target": instance}), response);
                stage.wait(20);
                stage.aws("ssm", "TerminateSession", json!({"sessionId": session}), json!({"sessionId": session}));
            }
        },
    },
    Emulation {
        name: "aws.ssm-create-association",
        title: "A document is bound to instances, which run it now and again",
        source: Source::CloudTrail,
        techniques: &["T1651"],
        tests: &[],
        operations: &["CreateAssociation"],
        parameters: &[INSTANCE, COUNT, parameter("document", "AWS-RunShellScript", "document that is run")],
        act: |stage| {
            let instances = stage.instances(stage.count("count"));
            let request = json!({
                "name": stage.text("document"),
                "targets": [{"key": "InstanceIds", "values": instances}],
                "parameters": "HIDDEN_DUE_TO_SECURITY_REASONS",
            });
            let id = stage.chance.guid();
            let response = json!({"associationDescription": {"associationId": id, "name": stage.text("document")}});
            stage.aws("ssm", "CreateAssociation", request, response);
        },
    },
    Emulation {
        name: "aws.ec2-share-image",
        title: "A machine image is shared with another account",
        source: Source::CloudTrail,
        techniques: &["T1537"],
        tests: &["stratus: aws.exfiltration.ec2-share-ami"],
        operations: &["ModifyImageAttribute"],
        parameters: &[parameter("image", IMAGE, "id of the image"), OTHER],
        act: |stage| {
            let request = json!({
                "imageId": stage.text("image"),
                "launchPermission": {"add": {"items": [grantee(&stage.text("other_account"))]}},
                "attributeType": "launchPermission",
            });
            let response = returned(stage);
            stage.aws("ec2", "ModifyImageAttribute", request, response);
        },
    },
    Emulation {
        name: "aws.rds-share-snapshot",
        title: "A database snapshot is shared with another account",
        source: Source::CloudTrail,
        techniques: &["T1537"],
        tests: &["stratus: aws.exfiltration.rds-share-snapshot"],
        operations: &["ModifyDBSnapshotAttribute"],
        parameters: &[parameter("snapshot", "ledger-2026-01", "name of the snapshot"), OTHER],
        act: |stage| {
            let (snapshot, other) = (stage.text("snapshot"), stage.text("other_account"));
            let request = json!({"dBSnapshotIdentifier": snapshot, "attributeName": "restore", "valuesToAdd": [other]});
            let attributes = json!([{"attributeName": "restore", "attributeValues": [other]}]);
            let response = json!({"dBSnapshotIdentifier": snapshot, "dBSnapshotAttributes": attributes});
            stage.aws("rds", "ModifyDBSnapshotAttribute", request, response);
        },
    },
    Emulation {
        name: "aws.ec2-open-port-22",
        title: "A security group lets the whole internet in on port 22",
        source: Source::CloudTrail,
        techniques: &["T1562.007"],
        tests: &["stratus: aws.exfiltration.ec2-security-group-open-port-22-ingress"],
        operations: &["AuthorizeSecurityGroupIngress"],
        parameters: &[parameter("cidr", "0.0.0.0/0", "who is let in"), parameter("port", "22", "to which port")],
        act: |stage| {
            let group = format!("sg-0{}", stage.chance.hex(16));
            let port = stage.count("port");
            let permission = json!({
                "ipProtocol": "tcp", "fromPort": port, "toPort": port, "groups": {}, "ipv6Ranges": {}, "prefixListIds": {},
                "ipRanges": {"items": [{"cidrIp": stage.text("cidr")}]},
            });
            let request = json!({"groupId": group, "ipPermissions": {"items": [permission]}});
            let response = returned(stage);
            stage.aws("ec2", "AuthorizeSecurityGroupIngress", request, response);
        },
    },
    Emulation {
        name: "aws.ec2-get-password-data",
        title: "Windows passwords of many instances are asked for and refused",
        source: Source::CloudTrail,
        techniques: &["T1552"],
        tests: &["stratus: aws.credential-access.ec2-get-password-data"],
        operations: &["GetPasswordData"],
        parameters: &[
            parameter("count", "30", "how many instances"),
            parameter("error", "Client.UnauthorizedOperation", "error code with which every call is refused"),
        ],
        act: |stage| {
            for instance in stage.instances(stage.count("count")) {
                stage.aws("ec2", "GetPasswordData", json!({"instanceId": instance}), Json::Null);
            }
        },
    },
    Emulation {
        name: "aws.ec2-download-user-data",
        title: "User data of many instances is asked for and refused",
        source: Source::CloudTrail,
        techniques: &["T1552.005", "T1580"],
        tests: &["stratus: aws.discovery.ec2-download-user-data"],
        operations: &["DescribeInstanceAttribute"],
        parameters: &[
            parameter("count", "15", "how many instances"),
            parameter("error", "Client.UnauthorizedOperation", "error code with which every call is refused"),
        ],
        act: |stage| {
            for instance in stage.instances(stage.count("count")) {
                let request = json!({"instanceId": instance, "attribute": "userData"});
                stage.aws("ec2", "DescribeInstanceAttribute", request, Json::Null);
            }
        },
    },
    Emulation {
        name: "aws.ec2-steal-instance-credentials",
        title: "An instance's role credentials are read with a command and used from elsewhere",
        source: Source::CloudTrail,
        techniques: &["T1552.005", "T1078.004"],
        tests: &["stratus: aws.credential-access.ec2-steal-instance-credentials"],
        operations: &["SendCommand", "GetCommandInvocation", "GetCallerIdentity", "DescribeInstances"],
        parameters: &[INSTANCE, parameter("role", "web-server", "role of the instance")],
        act: |stage| {
            let instances = stage.instances(1);
            let command = stage.chance.guid();
            send_command(stage, &instances, &command);
            let request = json!({"commandId": command, "instanceId": instances.first()});
            stage.aws("ssm", "GetCommandInvocation", request, Json::Null);
            stage.wait(60);
            let instance = instances.first().cloned().unwrap_or_default();
            let role = stage.text("role");
            let arn = format!("arn:aws:sts::{}:assumed-role/{role}/{instance}", stage.caller().account);
            let stolen = crate::aws::Caller::new(&arn, &stage.text("account"));
            stage.aws_as(&stolen, "sts", "GetCallerIdentity", Json::Null, Json::Null);
            stage.aws_as(&stolen, "ec2", "DescribeInstances", json!({"instancesSet": {}, "filterSet": {}}), Json::Null);
        },
    },
    Emulation {
        name: "aws.ec2-instance-connect",
        title: "A public key is pushed to an instance",
        source: Source::CloudTrail,
        techniques: &["T1098.004", "T1021.004"],
        tests: &["stratus: aws.lateral-movement.ec2-instance-connect"],
        operations: &["SendSSHPublicKey"],
        parameters: &[INSTANCE],
        act: |stage| push_key(stage, "SendSSHPublicKey"),
    },
    Emulation {
        name: "aws.ec2-serial-console",
        title: "Serial console access is switched on and a public key pushed to a console",
        source: Source::CloudTrail,
        techniques: &["T1021.008"],
        tests: &["stratus: aws.lateral-movement.ec2-serial-console-send-ssh-public-key"],
        operations: &["EnableSerialConsoleAccess", "SendSerialConsoleSSHPublicKey"],
        parameters: &[INSTANCE],
        act: |stage| {
            let request = json!({"EnableSerialConsoleAccessRequest": ""});
            let response = json!({"EnableSerialConsoleAccessResponse": {"serialConsoleAccessEnabled": true}});
            stage.aws("ec2", "EnableSerialConsoleAccess", request, response);
            stage.wait(15);
            push_key(stage, "SendSerialConsoleSSHPublicKey");
        },
    },
];

/// RunInstances with the test's count and type; the ids of the instances.
fn launch(stage: &mut Stage, snapshot: Option<&str>) -> Vec<String> {
    let count = if stage.text("count").is_empty() { 1 } else { stage.count("count") };
    let instances = stage.instances(count);
    let (request, response) = run_instances(&instances, &stage.text("instance_type"), IMAGE, snapshot);
    stage.aws("ec2", "RunInstances", request, response);
    instances
}

fn create_volume(stage: &mut Stage) -> String {
    let volume = stage.id("volume", "vol-0", 16);
    let zone = format!("{}a", stage.text("region"));
    let response = json!({
        "volumeId": volume, "size": "8", "zone": zone, "status": "creating", "createTime": stage.milliseconds(),
        "volumeType": "gp2", "encrypted": false,
    });
    stage.aws("ec2", "CreateVolume", json!({"size": "8", "zone": zone, "volumeType": "gp2"}), response);
    volume
}

fn create_snapshot(stage: &mut Stage, volume: &str) -> String {
    let snapshot = stage.id("snapshot", "snap-0", 16);
    let response = json!({
        "snapshotId": snapshot, "volumeId": volume, "status": "pending", "startTime": stage.milliseconds(),
        "progress": "", "ownerId": stage.caller().account, "volumeSize": "8", "encrypted": false,
    });
    stage.aws("ec2", "CreateSnapshot", json!({"volumeId": volume}), response);
    snapshot
}

fn send_command(stage: &mut Stage, instances: &[String], command: &str) {
    let document = Some(stage.text("document")).filter(|name| !name.is_empty());
    let document = document.unwrap_or_else(|| "AWS-RunShellScript".to_string());
    let hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
    let request =
        json!({"instanceIds": instances, "documentName": document, "parameters": hidden, "interactive": false});
    let answer = json!({"commandId": command, "documentName": document, "instanceIds": instances, "parameters": hidden, "status": "Pending"});
    stage.aws("ssm", "SendCommand", request, json!({"command": answer}));
    stage.wait(4);
}

fn push_key(stage: &mut Stage, name: &str) {
    let instance = stage.id("instance", "i-0", 16);
    let key = format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{}", stage.chance.hex(43));
    let request = json!({"instanceId": instance, "instanceOSUser": "ec2-user", "sSHPublicKey": key});
    let id = stage.chance.guid();
    stage.aws("ec2-instance-connect", name, request, json!({"requestId": id, "success": true}));
}

fn one_instance(instances: &[String]) -> Json {
    json!({"instancesSet": {"items": instances.iter().map(|id| json!({"instanceId": id})).collect::<Vec<_>>()}, "filterSet": {}})
}

/// Who a permission is given to: an account, or everybody by the name `all`.
fn grantee(other: &str) -> Json {
    if other == "all" { json!({"group": "all"}) } else { json!({"userId": other}) }
}

fn returned(stage: &mut Stage) -> Json {
    json!({"requestId": stage.chance.guid(), "_return": true})
}
