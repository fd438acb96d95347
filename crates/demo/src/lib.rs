//! A made-up company's raw logs of three clouds, with attacks planted in them and near misses beside these.
//!
//! [`Company::build`] makes the records from a seed, [`Company::write`] lays them out as the clouds export them, and
//! [`Truth`] says what was planted and what must stay silent. The same options give the same bytes.

mod attacks;
mod layout;
mod noise;
mod people;
mod sentinel;
mod truth;

use std::path::Path;

pub use truth::{NearMiss, Planted, Truth};

use emulate::Record;
use serde_json::Value as Json;

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// End of the logs, in ticks.
    pub end: i64,
    /// Days of logs, at least 10.
    pub days: u32,
    /// Background events over all clouds.
    pub events: u32,
    pub seed: u64,
}

/// The logs before they are written.
#[derive(Debug, Clone, Default)]
pub struct Company {
    pub(crate) cloudtrail: Vec<Record>,
    /// Azure Activity as diagnostic settings write it.
    pub(crate) activity: Vec<Record>,
    /// Azure Activity as the REST interface gives it.
    pub(crate) activity_rest: Vec<Record>,
    pub(crate) gcp: Vec<Record>,
    pub(crate) signins: Vec<Record>,
    /// Microsoft Graph alerts.
    pub(crate) alerts: Vec<Record>,
    /// Microsoft Graph users.
    pub(crate) users: Vec<Json>,
    /// Rows exported from BehaviorAnalytics.
    pub(crate) behavior: Vec<Record>,
    /// Rows exported from AzureNetworkAnalytics_CL.
    pub(crate) traffic: Vec<Record>,
    pub truth: Truth,
}

impl Company {
    /// Makes all records: background, attacks, near misses.
    pub fn build(options: &Options) -> Company {
        let mut company = Company { users: people::graph_users(), ..Company::default() };
        noise::add(&mut company, options);
        attacks::add(&mut company, options);
        company.sort();
        company
    }

    /// Writes the logs under a folder as the clouds export them, and `truth.json` beside them.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn write(&self, folder: &Path) -> std::io::Result<Written> {
        layout::write(self, folder)
    }

    fn sort(&mut self) {
        let lists = [
            &mut self.cloudtrail,
            &mut self.activity,
            &mut self.activity_rest,
            &mut self.gcp,
            &mut self.signins,
            &mut self.alerts,
            &mut self.behavior,
            &mut self.traffic,
        ];
        for list in lists {
            list.sort_by_key(|record| record.ticks);
        }
    }
}

/// How much was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    pub files: usize,
    pub records: usize,
    /// Bytes on disk.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(seed: u64) -> Options {
        Options { end: kql_types::datetime::parse("2026-03-02T18:00:00Z").unwrap_or(0), days: 14, events: 500, seed }
    }

    #[test]
    fn the_same_seed_gives_the_same_records() {
        let (left, right, other) =
            (Company::build(&options(1)), Company::build(&options(1)), Company::build(&options(2)));
        let texts = |company: &Company| company.cloudtrail.iter().map(|r| r.json.to_string()).collect::<Vec<_>>();
        assert_eq!(texts(&left), texts(&right));
        assert_ne!(texts(&left), texts(&other));
    }

    #[test]
    fn every_record_lies_in_the_span() {
        let options = options(3);
        let company = Company::build(&options);
        let start = options.end - i64::from(options.days) * kql_types::datetime::TICKS_PER_DAY;
        let lists = [&company.cloudtrail, &company.activity, &company.activity_rest, &company.gcp, &company.signins];
        for record in lists.into_iter().flatten() {
            assert!((start..=options.end).contains(&record.ticks), "{}", record.json);
        }
    }
}
