//! Attack tests on Azure, as the Activity log shows them.

use serde_json::{Value as Json, json};

use crate::stage::Stage;
use crate::{Emulation, Parameter, Source, parameter};

const MACHINE: Parameter = parameter("machine", "vm-attack-test", "name of the virtual machine");
const SIZE: Parameter = parameter("size", "Standard_B1s", "size of the virtual machine");
const DISK: Parameter = parameter("disk", "vm-attack-test_OsDisk_1", "name of the disk");
const SNAPSHOT: Parameter = parameter("snapshot", "snap-attack-test", "name of the snapshot");

/// An emulation of the Activity log.
const fn test(
    name: &'static str,
    title: &'static str,
    techniques: &'static [&'static str],
    tests: &'static [&'static str],
    operations: &'static [&'static str],
    parameters: &'static [Parameter],
    act: fn(&mut Stage),
) -> Emulation {
    Emulation { name, title, source: Source::Activity, techniques, tests, operations, parameters, act }
}

pub const TESTS: &[Emulation] = &[
    test(
        "azure.vm-create",
        "A resource group is made, then a virtual machine in it",
        &["T1578.002"],
        &["Create Azure Virtual Machine via CLI"],
        &["Microsoft.Resources/subscriptions/resourceGroups/write", "Microsoft.Compute/virtualMachines/write"],
        &[MACHINE, SIZE],
        |stage| {
            let place = json!({"location": stage.text("region")});
            stage.azure("Microsoft.Resources/subscriptions/resourceGroups/write", "", "Created", Some(&place));
            stage.wait(20);
            let machine = stage.text("machine");
            create_machine(stage, &machine);
        },
    ),
    test(
        "azure.gpu-vm",
        "Virtual machines with accelerators are made",
        &["T1496.001", "T1578.002"],
        &[],
        &["Microsoft.Compute/virtualMachines/write"],
        &[
            MACHINE,
            parameter("size", "Standard_ND96asr_v4", "size of the virtual machines"),
            parameter("count", "1", "how many"),
        ],
        |stage| {
            for number in 0..stage.count("count") {
                let machine = numbered(&stage.text("machine"), number);
                create_machine(stage, &machine);
            }
        },
    ),
    test(
        "azure.vm-quota",
        "Machines of several sizes are asked for and refused for want of quota",
        &["T1496.001"],
        &[],
        &["Microsoft.Compute/virtualMachines/write"],
        &[
            MACHINE,
            parameter(
                "sizes",
                "Standard_NC24ads_A100_v4,Standard_ND96asr_v4,Standard_NV36ads_A10_v5",
                "sizes that are tried, with commas",
            ),
            parameter("error", "QuotaExceeded", "substatus with which every operation fails"),
        ],
        |stage| {
            for (number, size) in (0..).zip(stage.text("sizes").split(',')) {
                let machine = numbered(&stage.text("machine"), number);
                let body = machine_body(&stage.text("region"), size.trim());
                stage.azure(
                    "Microsoft.Compute/virtualMachines/write",
                    &format!("virtualMachines/{machine}"),
                    "Created",
                    Some(&body),
                );
            }
        },
    ),
    test(
        "azure.vm-snapshot-capture",
        "A snapshot of a machine's disk is taken, then the machine is captured as an image",
        &["T1578", "T1578.001"],
        &["Azure - Create VM Snapshot and Capture VM Image"],
        &["Microsoft.Compute/snapshots/write", "Microsoft.Compute/virtualMachines/capture/action"],
        &[MACHINE, DISK, SNAPSHOT],
        |stage| {
            create_snapshot(stage);
            stage.wait(60);
            let machine = format!("virtualMachines/{}", stage.text("machine"));
            stage.azure("Microsoft.Compute/virtualMachines/capture/action", &machine, "OK", None);
        },
    ),
    test(
        "azure.vm-delete",
        "Virtual machines are deleted",
        &["T1578.003", "T1485"],
        &[],
        &["Microsoft.Compute/virtualMachines/delete"],
        &[MACHINE, parameter("count", "1", "how many")],
        |stage| {
            for number in 0..stage.count("count") {
                let machine = numbered(&stage.text("machine"), number);
                stage.azure(
                    "Microsoft.Compute/virtualMachines/delete",
                    &format!("virtualMachines/{machine}"),
                    "OK",
                    None,
                );
            }
        },
    ),
    test(
        "azure.snapshot-create",
        "A snapshot is taken, then deleted",
        &["T1578.001"],
        &["atomic: 89e69b4b-3458-4ec6-b819-b3008debc1bc"],
        &["Microsoft.Compute/snapshots/write", "Microsoft.Compute/snapshots/delete"],
        &[DISK, SNAPSHOT],
        |stage| {
            create_snapshot(stage);
            stage.wait(60);
            let snapshot = format!("snapshots/{}", stage.text("snapshot"));
            stage.azure("Microsoft.Compute/snapshots/delete", &snapshot, "OK", None);
        },
    ),
    test(
        "azure.snapshot-then-vm",
        "A snapshot is taken, a disk is made from it, and a machine is made with the disk",
        &["T1578.001", "T1578.002", "T1074.002"],
        &[],
        &[
            "Microsoft.Compute/snapshots/write",
            "Microsoft.Compute/disks/write",
            "Microsoft.Compute/virtualMachines/write",
        ],
        &[MACHINE, SIZE, parameter("disk", "disk-staged", "name of the disk made from the snapshot"), SNAPSHOT],
        |stage| {
            create_snapshot(stage);
            stage.wait(120);
            let source = resource_id(stage, &format!("snapshots/{}", stage.text("snapshot")));
            let body = json!({
                "location": stage.text("region"),
                "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": source}},
            });
            let disk = format!("disks/{}", stage.text("disk"));
            stage.azure("Microsoft.Compute/disks/write", &disk, "Created", Some(&body));
            stage.wait(30);
            let mut body = machine_body(&stage.text("region"), &stage.text("size"));
            let managed =
                json!([{"lun": 0, "createOption": "Attach", "managedDisk": {"id": resource_id(stage, &disk)}}]);
            if let Some(storage) = body.pointer_mut("/properties/storageProfile").and_then(Json::as_object_mut) {
                storage.insert("dataDisks".into(), managed);
            }
            let machine = format!("virtualMachines/{}", stage.text("machine"));
            stage.azure("Microsoft.Compute/virtualMachines/write", &machine, "Created", Some(&body));
        },
    ),
    test(
        "azure.runbook",
        "An automation account and a runbook in it are made, and the runbook is deleted",
        &["T1078.004"],
        &["atomic: 348f4d14-4bd3-4f6b-bd8a-61237f78b3ac"],
        &[
            "Microsoft.Automation/automationAccounts/write",
            "Microsoft.Automation/automationAccounts/runbooks/write",
            "Microsoft.Automation/automationAccounts/runbooks/delete",
        ],
        &[],
        |stage| {
            let account = "automationAccounts/attack-test";
            stage.azure("Microsoft.Automation/automationAccounts/write", account, "Created", None);
            let runbook = format!("{account}/runbooks/attack-test");
            stage.azure("Microsoft.Automation/automationAccounts/runbooks/write", &runbook, "Created", None);
            stage.azure("Microsoft.Automation/automationAccounts/runbooks/delete", &runbook, "OK", None);
        },
    ),
    test(
        "azure.vm-run-command",
        "A command is run on virtual machines",
        &["T1651"],
        &["stratus: azure.execution.vm-run-command"],
        &["Microsoft.Compute/virtualMachines/runCommand/action"],
        &[MACHINE, parameter("count", "1", "how many machines")],
        |stage| {
            for number in 0..stage.count("count") {
                let machine = numbered(&stage.text("machine"), number);
                let resource = format!("virtualMachines/{machine}");
                stage.azure("Microsoft.Compute/virtualMachines/runCommand/action", &resource, "OK", None);
            }
        },
    ),
    test(
        "azure.vm-custom-script-extension",
        "A script is run on a virtual machine by an extension",
        &["T1651", "T1059"],
        &["stratus: azure.execution.vm-custom-script-extension"],
        &["Microsoft.Compute/virtualMachines/extensions/write"],
        &[MACHINE, parameter("extension", "CustomScriptExtension", "type of the extension")],
        |stage| {
            let (machine, kind) = (stage.text("machine"), stage.text("extension"));
            let body =
                json!({"properties": {"publisher": "Microsoft.Compute", "type": kind, "typeHandlerVersion": "1.10"}});
            let resource = format!("virtualMachines/{machine}/extensions/{kind}");
            stage.azure("Microsoft.Compute/virtualMachines/extensions/write", &resource, "Created", Some(&body));
        },
    ),
    test(
        "azure.disk-export",
        "A link to download a disk is made",
        &["T1537"],
        &["stratus: azure.exfiltration.disk-export"],
        &["Microsoft.Compute/disks/beginGetAccess/action"],
        &[DISK],
        |stage| {
            let disk = format!("disks/{}", stage.text("disk"));
            stage.azure("Microsoft.Compute/disks/beginGetAccess/action", &disk, "OK", None);
        },
    ),
    test(
        "azure.resource-lock",
        "A lock that protects resources is removed",
        &["T1562", "T1490"],
        &["stratus: azure.impact.resource-lock"],
        &["Microsoft.Authorization/locks/delete"],
        &[],
        |stage| stage.azure("Microsoft.Authorization/locks/delete", "locks/do-not-delete", "OK", None),
    ),
    test(
        "azure.bastion-shareable-link",
        "A link is made with which anybody reaches a machine through a bastion",
        &["T1133"],
        &["stratus: azure.persistence.create-bastion-shareable-link"],
        &[
            "Microsoft.Network/bastionHosts/createshareablelinks/action",
            "Microsoft.Network/bastionHosts/getShareablelinks/action",
        ],
        &[],
        |stage| {
            let host = "bastionHosts/bastion-1";
            stage.azure("Microsoft.Network/bastionHosts/createshareablelinks/action", host, "OK", None);
            stage.azure("Microsoft.Network/bastionHosts/getShareablelinks/action", host, "OK", None);
        },
    ),
    test(
        "azure.elevate-access",
        "A directory administrator takes the rights to all subscriptions",
        &["T1548.005", "T1098.003"],
        &["stratus: azure.privilege-escalation.root-user-access-administrator"],
        &["Microsoft.Authorization/elevateAccess/action"],
        &[],
        |stage| stage.azure_in("Microsoft.Authorization/elevateAccess/action", "", "", "OK", None),
    ),
    test(
        "azure.storage-public-access",
        "A storage account allows public access",
        &["T1537", "T1530"],
        &["stratus: azure.exfiltration.storage-public-access"],
        &["Microsoft.Storage/storageAccounts/write"],
        &[],
        |stage| {
            let body = json!({"properties": {"allowBlobPublicAccess": true}});
            stage.azure("Microsoft.Storage/storageAccounts/write", "storageAccounts/stattacktest", "OK", Some(&body));
        },
    ),
    test(
        "azure.storage-sas-export",
        "Keys of a storage account are listed, to sign links with",
        &["T1537", "T1552"],
        &["stratus: azure.exfiltration.storage-sas-export"],
        &["Microsoft.Storage/storageAccounts/listKeys/action"],
        &[],
        |stage| {
            stage.azure("Microsoft.Storage/storageAccounts/listKeys/action", "storageAccounts/stattacktest", "OK", None)
        },
    ),
];

fn numbered(name: &str, number: u64) -> String {
    if number == 0 { name.to_string() } else { format!("{name}-{number}") }
}

fn machine_body(region: &str, size: &str) -> Json {
    json!({
        "location": region,
        "properties": {
            "hardwareProfile": {"vmSize": size},
            "storageProfile": {"osDisk": {"createOption": "FromImage"}},
        },
    })
}

fn create_machine(stage: &mut Stage, machine: &str) {
    let body = machine_body(&stage.text("region"), &stage.text("size"));
    let resource = format!("virtualMachines/{machine}");
    stage.azure("Microsoft.Compute/virtualMachines/write", &resource, "Created", Some(&body));
}

fn resource_id(stage: &Stage, resource: &str) -> String {
    let (subscription, group) = (stage.text("account"), stage.text("group"));
    format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/{resource}")
}

fn create_snapshot(stage: &mut Stage) {
    // Where the disk is made from the snapshot, the snapshot is of another one.
    let disk =
        Some(stage.text("disk")).filter(|name| name != "disk-staged").unwrap_or_else(|| "disk-ledger".to_string());
    let source = resource_id(stage, &format!("disks/{disk}"));
    let body = json!({
        "location": stage.text("region"),
        "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": source}},
    });
    let snapshot = format!("snapshots/{}", stage.text("snapshot"));
    stage.azure("Microsoft.Compute/snapshots/write", &snapshot, "Created", Some(&body));
}
