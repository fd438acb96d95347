//! Microsoft Graph: security alerts and users. (Its sign-ins and audits are with Entra's.)

pub(super) mod alerts;
mod entities;
pub(super) mod users;
