//! Bound query to DataFusion logical plan, and our optimizer rules.
//!
//! Fourth stage of the pipeline. Needs only DataFusion's expression crates; knows neither files nor rules. Begin at
//! [`lower::Lowering`]. Every bound column has one name in the plan, `c` and its id; strings are never null in a plan,
//! which the Kusto types know and the Arrow fields do not say (every field is nullable).

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod error;
pub mod function;
pub mod lower;
pub mod node;
pub mod places;
pub mod value;

pub use error::{KernelFailure, LowerError, LowerResult};
pub use lower::{ArrivalDelays, LowerOptions, Lowered, Lowering, Tables, WindowClip};
pub use value::value_at;
