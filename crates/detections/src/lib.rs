//! Rules: loading, schedule, runs, entities, alerts.
//!
//! The stage between the engine and the edges. Knows no HTTP and no terminal, and reads no clock: time is passed in.
//! Rule files become a
//! [`library::RuleLibrary`]; [`hunt::hunt`] runs it over data and gives an outcome for each rule, and alerts.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod alert;
mod alert_details;
pub mod cell;
pub mod entity;
pub mod entity_types;
mod focus;
pub mod function_file;
pub mod hunt;
pub mod library;
pub mod lint;
pub mod loaded_data;
pub mod outcome;
pub mod placeholders;
pub mod profile;
pub mod query_shape;
mod raised;
pub mod rule;
pub mod rule_file;
mod rule_run;
pub mod rule_test;
pub mod run_groups;
pub mod schedule;
mod scratch;
pub mod security_alert;
pub mod selection;
pub mod service;
pub mod steps;
mod time_bound;
pub mod tuning;

pub use rule_forms::{duration, yaml};

pub use coverage::attack;
