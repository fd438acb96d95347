//! Rules: loading, schedule, runs, entities, alerts.
//!
//! The stage between the engine and the edges. Knows no HTTP and no terminal, and reads no clock: time is passed in.
//! Start at [`library::load`], which reads rule files and folders.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod duration;
pub mod function_file;
pub mod library;
pub mod rule;
pub mod rule_file;
pub mod yaml;
