//! Graph users to `IdentityInfo`.
//!
//! A user has no time: rows carry the time at which the export was written, and are reference data.

use std::borrow::Cow;

use crate::fields::FieldList;
use crate::json::{canonical, scan, text};
use crate::row::{Cell, Row};
use crate::sources::guide::Guide;
use crate::sources::{Mapped, Maps, Object, Place, Record, Source, raw_at, string};

pub(in crate::sources) static USER: Source =
    Source { name: "graph-user", recognise: is_user, map, guide: Some(&GUIDE) };

const TABLE: &str = "IdentityInfo";

static GUIDE: Guide = Guide {
    page: "graph-users",
    title: "Users of Microsoft Graph",
    tables: &["IdentityInfo"],
    exports: &[(
        "GET https://graph.microsoft.com/v1.0/users?$select=...&$expand=manager,memberOf",
        "100 a page; few properties unless $select names them",
    )],
    recognised: "userPrincipalName and id without an address",
    fields: &[],
    notes: &["The export has no time: TimeGenerated is the file's own, and the table is visible in every window."],
};

static FIELDS: FieldList = FieldList {
    name: "graph-user",
    named_like: &[],
    fields: &[
        ("id", "AccountObjectId"),
        ("userPrincipalName", "AccountUPN"),
        ("userPrincipalName", "AccountUpn"),
        ("displayName", "AccountDisplayName"),
        ("givenName", "GivenName"),
        ("surname", "Surname"),
        ("mail", "MailAddress"),
        ("jobTitle", "JobTitle"),
        ("department", "Department"),
        ("employeeId", "EmployeeId"),
        ("companyName", "CompanyName"),
        ("streetAddress", "StreetAddress"),
        ("city", "City"),
        ("state", "State"),
        ("country", "Country"),
        ("mobilePhone", "Phone"),
        ("businessPhones", ""),
        ("accountEnabled", "IsAccountEnabled"),
        ("createdDateTime", "AccountCreationTime"),
        ("deletedDateTime", "DeletedDateTime"),
        ("onPremisesSecurityIdentifier", "AccountSID"),
        ("securityIdentifier", "AccountCloudSID"),
        ("onPremisesSamAccountName", "SAMAccountName"),
        ("onPremisesDistinguishedName", "OnPremisesDistinguishedName"),
        ("onPremisesExtensionAttributes", "OnPremisesExtensionAttributes"),
        ("onPremisesDomainName", "AccountDomain"),
        ("userType", "UserType"),
        ("externalUserState", "UserState"),
        ("externalUserStateChangeDateTime", "UserStateChangedOn"),
        ("otherMails", "AdditionalMailAddresses"),
        ("signInActivity.lastSignInDateTime", "LastSeenDate"),
        ("manager", ""),
        ("memberOf", ""),
        ("transitiveMemberOf", ""),
        ("@odata.type", ""),
        ("@odata.id", ""),
    ],
};

fn is_user(record: &Record<'_>) -> bool {
    record.has("userPrincipalName")
        && record.has("id")
        && (record.has("displayName") || record.has("accountEnabled") || record.has("mail"))
        && !record.has("ipAddress")
        && !record.has("activityDateTime")
}

fn map<'r>(record: &Record<'r>, maps: &Maps, place: &Place<'_>) -> Mapped<'r> {
    let Some(spec) = maps.table(TABLE) else { return Mapped::Other(format!("record of {TABLE}").into()) };
    let mut row = Row::new(&spec);
    let _ = maps.fields(&FIELDS, &spec).apply(record.text, record.members, &mut row);
    let principal = row.text("AccountUPN").to_owned();
    let (name, domain) = principal.split_once('@').unwrap_or((&principal, ""));
    row.fill("AccountName", name.to_owned());
    row.fill("AccountDomain", domain.to_owned());
    if let Some(first) = record.raw("businessPhones").and_then(|raw| scan::elements(raw, usize::MAX)) {
        row.fill("Phone", first.first().and_then(|raw| string(raw)).unwrap_or_default());
    }
    row.set("Manager", record.raw("manager").and_then(name_of).unwrap_or_default());
    memberships(record, &mut row);
    row.set("Type", TABLE);
    row.set("SourceSystem", "AzureActiveDirectory");
    row.identified = true;
    row.stamp = place.modified;
    Mapped::Row(Box::new(row))
}

/// The principal name of a manager, else the display name or id.
fn name_of(raw: &str) -> Option<Cow<'_, str>> {
    let object = Object::of(raw)?;
    ["userPrincipalName", "displayName", "id"].iter().find_map(|name| object.text(name))
}

/// Groups and directory roles by their display names.
fn memberships(record: &Record<'_>, row: &mut Row<'_>) {
    let (mut groups, mut roles) = (Vec::new(), Vec::new());
    for name in ["memberOf", "transitiveMemberOf"] {
        for raw in record.raw(name).and_then(|raw| scan::elements(raw, usize::MAX)).unwrap_or_default() {
            let shown = raw_at(raw, &["displayName"]).and_then(string);
            let Some(shown) = shown.map(|shown| text::quoted(&shown)) else { continue };
            let kind = raw_at(raw, &["@odata.type"]).and_then(string).unwrap_or_default();
            let list = if kind.ends_with("directoryRole") { &mut roles } else { &mut groups };
            if !list.contains(&shown) {
                list.push(shown);
            }
        }
    }
    for (list, column) in [(groups, "GroupMembership"), (roles, "AssignedRoles")] {
        if let (Some(column), false) = (row.spec.column(column), list.is_empty()) {
            let json = format!("[{}]", list.join(","));
            let canonical = canonical::canonical(&json).map(Cow::into_owned);
            row.put(column, canonical.map_or(Cell::Missing, |text| Cell::Dynamic(text.into())));
        }
    }
}
