//! The built binary on small logs: what a user types and what comes out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod cache;
mod check;
mod convert;
mod coverage;
mod damage;
mod demo;
mod drop_in;
mod emulate;
mod explain;
mod fmt;
mod hostile;
mod hunt;
mod hunt_flags;
mod investigate;
mod lint;
mod load;
mod logs;
mod lsp;
mod names;
mod query;
mod real_logs;
mod real_rules;
mod replay;
mod report;
mod rule_tests;
mod run;
mod shell;
mod sources;
mod tuning;
