//! Sigma rules, correlations and filters as KQL over Sentinel's tables, and KQL as Sigma.
//!
//! [`document`] reads files, [`mapping`] knows which table a log source is and which column a field, [`kql`] writes queries,
//! [`rule`] makes Sentinel rules of a whole [`Collection`]. [`reverse`] goes the other way. No data, no engine, no files.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use std::fmt;

use rule_forms::yaml::Position;

pub mod condition;
pub mod correlation;
pub mod document;
pub mod kql;
pub mod mapping;
pub mod modifier;
pub mod reverse;
pub mod rule;
pub mod search;
pub mod value;

pub use rule::{Collection, Converted};

/// What is wrong with a document, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigmaError {
    pub position: Position,
    pub message: String,
}

impl SigmaError {
    /// A mistake at a place.
    pub fn at(position: Position, message: String) -> SigmaError {
        SigmaError { position, message }
    }
}

impl fmt::Display for SigmaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.position, self.message)
    }
}

impl std::error::Error for SigmaError {}
