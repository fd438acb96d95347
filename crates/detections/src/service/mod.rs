//! What the service does around a query, as pure steps over time that is passed in: when a rule runs, what a run may see,
//! when it is silenced or switched off, and which incidents its alerts become.
//!
//! Nothing here reads a clock, and only [`replay`] runs queries. Start at [`RuleClock`] and [`IncidentBook`].

mod answers;
mod clock;
mod delays;
mod incident;
mod replay;
#[cfg(test)]
mod simulated;
mod visibility;

pub use answers::Method;
pub use clock::{Ended, FailureKind, RuleClock, Seen, ServiceRun};
pub use delays::default_delays;
pub use incident::{Incident, IncidentBook, IncidentStatus};
pub use replay::{Replay, ReplayOptions, ReplayedRule, replay};
pub use visibility::{Sliding, Visible};
