//! What an investigator asks after an alert: what did this one do, and which of these indicators are in the logs.
//!
//! Pure: rows of any table become events in the words of every cloud ([`event`]); names of one actor, address or key in
//! their many spellings are one ([`subject`]); lists of indicators are read and found in texts ([`indicator`]). Knows no
//! engine and no files. Start at [`subject::Subject`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod address;
pub mod event;
pub mod indicator;
pub mod subject;
