//! The data a query reads: rows in memory and Parquet files in place, clipped and pruned by time.
//!
//! Knows tables, files and Arrow; knows neither queries nor rules. Begin at [`DataSet`].

mod dataset;
mod memory;

pub use dataset::{DataError, DataSet, ScanColumn};
