//! Rules: loading, schedule, runs, entities, alerts.
//!
//! The stage between the engine and the edges. Knows no HTTP and no terminal, and reads no clock: time is passed in.
//! Start at [`library::load`], which reads rule files and folders.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod alert;
pub mod bound_tree;
pub mod cell;
pub mod duration;
pub mod entity;
pub mod function_file;
pub mod library;
pub mod placeholders;
pub mod query_shape;
pub mod rule;
pub mod rule_file;
pub mod schedule;
pub mod security_alert;
pub mod yaml;
