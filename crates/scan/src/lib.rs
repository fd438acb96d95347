//! The data a query reads: rows in memory and Parquet files in place, clipped and pruned by time.
//!
//! Knows tables, files and Arrow; knows neither queries nor rules. Begin at [`DataSet`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod counted;
mod dataset;
mod file;
mod late;
mod layout;
mod memory;
mod provider;
mod pruning;
mod reader;
mod split;

pub use counted::rows_read;
pub use dataset::{DataError, DataSet, ScanColumn};
pub use provider::{bound_of_first, set_late_reading};
