//! What the service does around a query, as pure steps over time that is passed in: when a rule runs, what a run may see,
//! when it is silenced or switched off, and which incidents its alerts become.
//!
//! Nothing here reads a clock, and only [`replay`] runs queries. Start at [`RuleClock`] and [`IncidentBook`].

mod clock;
mod incident;
mod replay;

pub use clock::{Ended, FailureKind, RuleClock, Seen, ServiceRun};
pub use incident::{Incident, IncidentBook, IncidentStatus};
pub use replay::{Replay, ReplayedRule, replay};
