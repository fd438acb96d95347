//! Attack tests on Google Cloud, as its audit log shows them.

use serde_json::{Value as Json, json};

use crate::gcp::{insert, started};
use crate::stage::{Asked, Stage};
use crate::{Emulation, Parameter, Source, parameter};

const INSTANCE: Parameter = parameter("instance", "gce-attack-test", "name of the instance");
const MACHINE: Parameter = parameter("machine_type", "e2-micro", "type of the instance");
const DISK: Parameter = parameter("disk", "disk-ledger", "name of the disk");
const SNAPSHOT: Parameter = parameter("snapshot", "snap-attack-test", "name of the snapshot");
const MEMBER: Parameter = parameter("member", "user:outsider@elsewhere.example", "who is given access");
const ACCOUNT: Parameter = parameter("service_account", "attack-test", "name of the service account");

/// An emulation of the audit log.
const fn test(
    name: &'static str,
    title: &'static str,
    techniques: &'static [&'static str],
    tests: &'static [&'static str],
    operations: &'static [&'static str],
    parameters: &'static [Parameter],
    act: fn(&mut Stage),
) -> Emulation {
    Emulation { name, title, source: Source::GcpAudit, techniques, tests, operations, parameters, act }
}

pub const TESTS: &[Emulation] = &[
    test(
        "gcp.instance-create",
        "A Compute Engine instance is made",
        &["T1578.002"],
        &["Create GCP Compute Engine Instance via gcloud CLI"],
        &["v1.compute.instances.insert"],
        &[INSTANCE, MACHINE],
        |stage| {
            let (name, zone) = (stage.text("instance"), stage.zone());
            create(stage, &name, &zone, None, None);
        },
    ),
    test(
        "gcp.gpu-vm",
        "An instance with accelerators is made",
        &["T1496.001", "T1578.002"],
        &["stratus: gcp.impact.create-gpu-vm"],
        &["v1.compute.instances.insert"],
        &[
            INSTANCE,
            parameter("machine_type", "n1-standard-8", "type of the instance"),
            parameter("accelerator", "nvidia-tesla-t4", "type of the accelerator; empty for none"),
            parameter("accelerators", "4", "how many accelerators"),
        ],
        |stage| {
            let (name, zone, kind) = (stage.text("instance"), stage.zone(), stage.text("accelerator"));
            let count = stage.count("accelerators");
            create(stage, &name, &zone, Some((kind.as_str(), count)).filter(|_| !kind.is_empty()), None);
        },
    ),
    test(
        "gcp.instances-in-zones",
        "Instances are made in several zones",
        &["T1496.001", "T1578.002"],
        &["stratus: gcp.impact.create-instances-in-multiple-zones"],
        &["v1.compute.instances.insert"],
        &[
            INSTANCE,
            MACHINE,
            parameter("zones", "us-central1-a,us-west1-b,europe-west4-a,asia-east1-a", "zones, with commas"),
        ],
        |stage| {
            for (number, zone) in (1..).zip(stage.text("zones").split(',')) {
                let name = format!("{}-{number}", stage.text("instance"));
                create(stage, &name, zone.trim(), None, None);
            }
        },
    ),
    test(
        "gcp.snapshot-create",
        "A snapshot of a disk is taken, then deleted",
        &["T1578.001"],
        &["atomic: e6fbc036-91e7-4ad3-b9cb-f7210f40dd5d"],
        &["v1.compute.disks.createSnapshot", "v1.compute.snapshots.delete"],
        &[DISK, SNAPSHOT],
        |stage| {
            create_snapshot(stage);
            stage.wait(60);
            let resource = format!("projects/{}/global/snapshots/{}", stage.text("account"), stage.text("snapshot"));
            let request = json!({"@type": "type.googleapis.com/compute.snapshots.delete"});
            let response = started(&resource, "delete");
            stage.compute("v1.compute.snapshots.delete", "compute.snapshots.delete", &resource, (request, response));
        },
    ),
    test(
        "gcp.snapshot-then-instance",
        "A snapshot is taken, a disk is made from it, and an instance is made that boots from the snapshot",
        &["T1578.001", "T1578.002", "T1074.002"],
        &[],
        &["v1.compute.disks.createSnapshot", "v1.compute.disks.insert", "v1.compute.instances.insert"],
        &[INSTANCE, MACHINE, DISK, SNAPSHOT],
        |stage| {
            create_snapshot(stage);
            stage.wait(120);
            let (project, zone, snapshot) = (stage.text("account"), stage.zone(), stage.text("snapshot"));
            let resource = format!("projects/{project}/zones/{zone}/disks/disk-staged");
            let request = json!({
                "@type": "type.googleapis.com/compute.disks.insert",
                "name": "disk-staged",
                "sourceSnapshot": format!("projects/{project}/global/snapshots/{snapshot}"),
            });
            let response = started(&resource, "insert");
            stage.compute("v1.compute.disks.insert", "compute.disks.create", &resource, (request, response));
            stage.wait(30);
            let name = stage.text("instance");
            create(stage, &name, &zone, None, Some(&snapshot));
        },
    ),
    test(
        "gcp.share-disk",
        "Somebody outside is given access to a disk",
        &["T1537"],
        &["stratus: gcp.exfiltration.share-compute-disk"],
        &["v1.compute.disks.setIamPolicy"],
        &[DISK, MEMBER],
        |stage| {
            let resource =
                format!("projects/{}/zones/{}/disks/{}", stage.text("account"), stage.zone(), stage.text("disk"));
            share(stage, "disks", &resource);
        },
    ),
    test(
        "gcp.share-image",
        "Somebody outside is given access to an image",
        &["T1537"],
        &["stratus: gcp.exfiltration.share-compute-image"],
        &["v1.compute.images.setIamPolicy"],
        &[parameter("image", "image-ledger", "name of the image"), MEMBER],
        |stage| {
            let resource = format!("projects/{}/global/images/{}", stage.text("account"), stage.text("image"));
            share(stage, "images", &resource);
        },
    ),
    test(
        "gcp.share-snapshot",
        "Somebody outside is given access to a snapshot",
        &["T1537"],
        &["stratus: gcp.exfiltration.share-compute-snapshot"],
        &["v1.compute.snapshots.setIamPolicy"],
        &[SNAPSHOT, MEMBER],
        |stage| {
            let resource = format!("projects/{}/global/snapshots/{}", stage.text("account"), stage.text("snapshot"));
            share(stage, "snapshots", &resource);
        },
    ),
    test(
        "gcp.instance-delete",
        "Instances are deleted",
        &["T1578.003", "T1485"],
        &[],
        &["v1.compute.instances.delete"],
        &[INSTANCE, parameter("count", "1", "how many")],
        |stage| {
            for number in 0..stage.count("count") {
                let name =
                    if number == 0 { stage.text("instance") } else { format!("{}-{number}", stage.text("instance")) };
                let resource = format!("projects/{}/zones/{}/instances/{name}", stage.text("account"), stage.zone());
                let request = json!({"@type": "type.googleapis.com/compute.instances.delete"});
                let response = started(&resource, "delete");
                stage.compute(
                    "v1.compute.instances.delete",
                    "compute.instances.delete",
                    &resource,
                    (request, response),
                );
            }
        },
    ),
    test(
        "gcp.add-ssh-key",
        "A key is put into the metadata of an instance",
        &["T1098.004"],
        &["stratus: gcp.lateral-movement.add-sshkey-instance-metadata"],
        &["v1.compute.instances.setMetadata"],
        &[INSTANCE],
        |stage| {
            let resource = format!(
                "projects/{}/zones/{}/instances/{}",
                stage.text("account"),
                stage.zone(),
                stage.text("instance")
            );
            let request =
                json!({"@type": "type.googleapis.com/compute.instances.setMetadata", "items": [{"key": "ssh-keys"}]});
            let response = started(&resource, "setMetadata");
            stage.compute(
                "v1.compute.instances.setMetadata",
                "compute.instances.setMetadata",
                &resource,
                (request, response),
            );
        },
    ),
    test(
        "gcp.compute-account-outside",
        "The service account of an instance is used from outside of Google Cloud",
        &["T1078.004", "T1552.005"],
        &["stratus: gcp.initial-access.use-compute-sa-outside-gcp"],
        &["v1.compute.instances.list"],
        &[parameter("actor", "471100000000-compute@developer.gserviceaccount.com", "the instance's service account")],
        |stage| {
            let resource = format!("projects/{}", stage.text("account"));
            let call = Asked {
                service: "compute.googleapis.com",
                method: "v1.compute.instances.list",
                permission: "compute.instances.list",
                resource: &resource,
            };
            let labels = json!({"project_id": stage.text("account")});
            stage.google(&call, "project", labels, (json!({}), Json::Null));
        },
    ),
    test(
        "gcp.vertex-notebook-startup",
        "The start-up script of a notebook is replaced",
        &["T1059", "T1578"],
        &["stratus: gcp.execution.modify-vertex-notebook-startup"],
        &["google.cloud.notebooks.v2.NotebookService.UpdateInstance"],
        &[],
        |stage| {
            let resource =
                format!("projects/{}/locations/{}/instances/notebook-1", stage.text("account"), stage.zone());
            let request =
                json!({"instance": {"gceSetup": {"metadata": {"post-startup-script": "gs://bucket/script.sh"}}}});
            let call = Asked {
                service: "notebooks.googleapis.com",
                method: "google.cloud.notebooks.v2.NotebookService.UpdateInstance",
                permission: "notebooks.instances.update",
                resource: &resource,
            };
            let labels = json!({"project_id": stage.text("account"), "service": "notebooks.googleapis.com"});
            stage.google(&call, "audited_resource", labels, (request, json!({})));
        },
    ),
    test(
        "gcp.service-account-key",
        "A service account and a key for it are made",
        &["T1078.004", "T1098.001", "T1136.003"],
        &["atomic: 9fdd83fd-bd53-46e5-a716-9dec89c8ae8e", "stratus: gcp.persistence.create-service-account-key"],
        &["google.iam.admin.v1.CreateServiceAccount", "google.iam.admin.v1.CreateServiceAccountKey"],
        &[ACCOUNT],
        |stage| {
            create_account(stage);
            let email = account_email(stage);
            let request = json!({"name": format!("projects/-/serviceAccounts/{email}"), "private_key_type": 2});
            let response = json!({"name": format!("projects/-/serviceAccounts/{email}/keys/{}", stage.chance.hex(40))});
            iam(stage, "CreateServiceAccountKey", "iam.serviceAccountKeys.create", &email, (request, response));
        },
    ),
    test(
        "gcp.admin-service-account",
        "A service account is made and becomes owner of the project",
        &["T1136.003", "T1098.003"],
        &["stratus: gcp.persistence.create-admin-service-account"],
        &["google.iam.admin.v1.CreateServiceAccount", "SetIamPolicy"],
        &[ACCOUNT],
        |stage| {
            create_account(stage);
            let member = format!("serviceAccount:{}", account_email(stage));
            let deltas =
                json!({"policyDelta": {"bindingDeltas": [{"action": "ADD", "role": "roles/owner", "member": member}]}});
            let resource = format!("projects/{}", stage.text("account"));
            let call = Asked {
                service: "cloudresourcemanager.googleapis.com",
                method: "SetIamPolicy",
                permission: "resourcemanager.projects.setIamPolicy",
                resource: &resource,
            };
            let request = json!({"policy": {"bindings": [{"role": "roles/owner", "members": [member]}]}});
            let labels = json!({"project_id": stage.text("account")});
            stage.google(&call, "project", labels, (request, json!({})));
            service_data(stage, deltas);
        },
    ),
    test(
        "gcp.backdoor-service-account",
        "Somebody outside may act as a service account",
        &["T1098.001"],
        &["stratus: gcp.persistence.backdoor-service-account-policy"],
        &["google.iam.admin.v1.SetIAMPolicy"],
        &[ACCOUNT, MEMBER],
        |stage| {
            let email = account_email(stage);
            let (role, member) = ("roles/iam.serviceAccountTokenCreator", stage.text("member"));
            let request = json!({"policy": {"bindings": [{"role": role, "members": [member]}]}});
            iam(stage, "SetIAMPolicy", "iam.serviceAccounts.setIamPolicy", &email, (request, json!({})));
            service_data(
                stage,
                json!({"policyDelta": {"bindingDeltas": [{"action": "ADD", "role": role, "member": member}]}}),
            );
        },
    ),
    test(
        "gcp.custom-role",
        "A custom role is made",
        &["T1078.004"],
        &["atomic: 3a159042-69e6-4398-9a69-3308a4841c85"],
        &["google.iam.admin.v1.CreateRole"],
        &[],
        |stage| {
            let request =
                json!({"role_id": "attackTest", "role": {"included_permissions": ["resourcemanager.projects.get"]}});
            iam(stage, "CreateRole", "iam.roles.create", "attackTest", (request, json!({})));
        },
    ),
];

fn create(stage: &mut Stage, name: &str, zone: &str, accelerator: Option<(&str, u64)>, snapshot: Option<&str>) {
    let project = stage.text("account");
    let payload = insert(&project, zone, name, &stage.text("machine_type"), accelerator, snapshot);
    let resource = format!("projects/{project}/zones/{zone}/instances/{name}");
    stage.compute("v1.compute.instances.insert", "compute.instances.create", &resource, payload);
}

fn create_snapshot(stage: &mut Stage) {
    let resource = format!("projects/{}/zones/{}/disks/{}", stage.text("account"), stage.zone(), stage.text("disk"));
    let request = json!({"@type": "type.googleapis.com/compute.disks.createSnapshot", "name": stage.text("snapshot")});
    let response = started(&resource, "createSnapshot");
    stage.compute("v1.compute.disks.createSnapshot", "compute.disks.createSnapshot", &resource, (request, response));
}

/// `setIamPolicy` on a resource of Compute Engine: over at once.
fn share(stage: &mut Stage, kind: &str, resource: &str) {
    let member = stage.text("member");
    let role = "roles/compute.storageAdmin";
    let request = json!({
        "@type": format!("type.googleapis.com/compute.{kind}.setIamPolicy"),
        "policy": {"bindings": [{"role": role, "members": [member]}]},
    });
    let method = format!("v1.compute.{kind}.setIamPolicy");
    let permission = format!("compute.{kind}.setIamPolicy");
    let call = Asked { service: "compute.googleapis.com", method: &method, permission: &permission, resource };
    let monitored = format!("gce_{}", kind.trim_end_matches('s'));
    let labels = json!({"project_id": stage.text("account")});
    stage.google(&call, &monitored, labels, (request, json!({})));
    service_data(stage, json!({"policyDelta": {"bindingDeltas": [{"action": "ADD", "role": role, "member": member}]}}));
}

/// What changed, beside the request of the last record.
fn service_data(stage: &mut Stage, data: Json) {
    if let Some(payload) = stage.records.last_mut().and_then(|r| r.json.get_mut("protoPayload")?.as_object_mut()) {
        payload.insert("serviceData".into(), data);
    }
}

fn account_email(stage: &Stage) -> String {
    format!("{}@{}.iam.gserviceaccount.com", stage.text("service_account"), stage.text("account"))
}

fn create_account(stage: &mut Stage) {
    let email = account_email(stage);
    let request = json!({"account_id": stage.text("service_account"), "service_account": {}});
    iam(
        stage,
        "CreateServiceAccount",
        "iam.serviceAccounts.create",
        &email.clone(),
        (request, json!({"email": email})),
    );
}

fn iam(stage: &mut Stage, method: &str, permission: &str, name: &str, payload: (Json, Json)) {
    let method = format!("google.iam.admin.v1.{method}");
    let resource = format!("projects/{}/serviceAccounts/{name}", stage.text("account"));
    let call = Asked { service: "iam.googleapis.com", method: &method, permission, resource: &resource };
    let labels = json!({"project_id": stage.text("account"), "email_id": name});
    stage.google(&call, "service_account", labels, payload);
}
