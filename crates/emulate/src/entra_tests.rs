//! Attack tests on Entra ID, as its audit log shows them.

use crate::stage::Stage;
use crate::{Emulation, Parameter, Source, parameter};

const APPLICATION: Parameter = parameter("application", "Payroll Sync", "name of the application");
const USER: Parameter = parameter("user", "new.person@harborline.example", "user that is made or changed");
const ROLE: Parameter = parameter("role", "Global Administrator", "role that is given");

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
    Emulation { name, title, source: Source::EntraAudit, techniques, tests, operations, parameters, act }
}

pub const TESTS: &[Emulation] = &[
    test(
        "entra.backdoor-application",
        "A credential is added to an application that exists",
        &["T1098.001"],
        &["stratus: entra-id.persistence.backdoor-application"],
        &["Update application – Certificates and secrets management"],
        &[APPLICATION],
        |stage| {
            let name = stage.text("application");
            let key = vec![("KeyDescription", "[KeyType=Password,KeyUsage=Verify]".to_string())];
            let operation = "Update application – Certificates and secrets management";
            stage.entra(operation, "ApplicationManagement", ("Application", &name), &key);
        },
    ),
    test(
        "entra.backdoor-service-principal",
        "A credential is added to a service principal that exists",
        &["T1098.001"],
        &["stratus: entra-id.persistence.backdoor-application-sp"],
        &["Add service principal credentials"],
        &[APPLICATION],
        |stage| {
            let name = stage.text("application");
            let key = vec![("KeyDescription", "[KeyType=Password,KeyUsage=Verify]".to_string())];
            stage.entra(
                "Add service principal credentials",
                "ApplicationManagement",
                ("ServicePrincipal", &name),
                &key,
            );
        },
    ),
    test(
        "entra.guest-user",
        "A guest is invited",
        &["T1136.003"],
        &["stratus: entra-id.persistence.guest-user"],
        &["Invite external user"],
        &[USER],
        |stage| {
            let user = stage.text("user");
            stage.entra("Invite external user", "UserManagement", ("User", &user), &[]);
        },
    ),
    test(
        "entra.hidden-administrative-unit",
        "An account is hidden in an administrative unit that few may change",
        &["T1098", "T1564"],
        &["stratus: entra-id.persistence.hidden-au", "stratus: entra-id.persistence.restricted-au"],
        &["Add administrative unit", "Add member to restricted management administrative unit"],
        &[USER],
        |stage| {
            let unit = ("AdministrativeUnit", "Special projects");
            let hidden = vec![
                ("Visibility", "HiddenMembership".to_string()),
                ("IsMemberManagementRestricted", "true".to_string()),
            ];
            stage.entra("Add administrative unit", "AdministrativeUnit", unit, &hidden);
            let user = stage.text("user");
            let operation = "Add member to restricted management administrative unit";
            stage.entra(operation, "AdministrativeUnit", ("User", &user), &[]);
        },
    ),
    test(
        "entra.new-application",
        "An application with a credential and a powerful role is made",
        &["T1098.001", "T1098.003", "T1136.003"],
        &["stratus: entra-id.persistence.new-application"],
        &["Add application", "Add service principal", "Add service principal credentials", "Add member to role"],
        &[APPLICATION, ROLE],
        |stage| {
            let name = stage.text("application");
            stage.entra("Add application", "ApplicationManagement", ("Application", &name), &[]);
            stage.entra("Add service principal", "ApplicationManagement", ("ServicePrincipal", &name), &[]);
            stage.entra("Add service principal credentials", "ApplicationManagement", ("ServicePrincipal", &name), &[]);
            let role = vec![("Role.DisplayName", stage.text("role"))];
            stage.entra("Add member to role", "RoleManagement", ("ServicePrincipal", &name), &role);
        },
    ),
    test(
        "entra.admin-user",
        "A user is made and given a powerful role",
        &["T1136.003", "T1098.003"],
        &[],
        &["Add user", "Add member to role"],
        &[USER, ROLE],
        |stage| {
            let user = stage.text("user");
            stage.entra("Add user", "UserManagement", ("User", &user), &[]);
            let role = vec![("Role.DisplayName", stage.text("role"))];
            stage.entra("Add member to role", "RoleManagement", ("User", &user), &role);
        },
    ),
];
