//! Entra ID's logs, from diagnostic settings and from Microsoft Graph.

pub(super) mod audit;
pub(super) mod other;
pub(crate) mod portal;
pub(super) mod risk;
pub(super) mod sign_in;

use super::Record;
use crate::row::Row;
use crate::sources::azure::ResourceId;

/// True for a diagnostic record of the directory.
fn is_directory(record: &Record<'_>) -> bool {
    record.text("resourceId").is_some_and(|id| id.to_lowercase().contains("/providers/microsoft.aadiam"))
}

/// What all tables of Entra share.
fn finish(row: &mut Row<'_>, record: &Record<'_>) {
    let table = row.spec.name().to_owned();
    row.set("Type", table);
    row.set("SourceSystem", "Azure AD");
    let id = record.text("resourceId").filter(|_| is_directory(record)).unwrap_or_default();
    let parts = ResourceId::parse(&id);
    row.fill("Resource", parts.name.to_owned());
    row.fill("ResourceGroup", parts.name.to_owned());
}
