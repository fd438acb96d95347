//! Bound query to DataFusion logical plan, and our optimizer rules.
//!
//! Fourth stage of the pipeline. Needs only DataFusion's expression crates; knows neither files nor rules.

pub mod value;

pub use value::value_at;
