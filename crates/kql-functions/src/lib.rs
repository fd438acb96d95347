//! The registry of functions, operators and aggregates: one entry holds all there is to know.
//!
//! Entries (names, signatures, naming, documentation, examples) need no Arrow; their kernels sit behind the
//! feature `kernels`. Families are files under `scalar/` and `aggregates/`; each ends with one slice that the
//! registry joins. To add a function, add an entry (and kernel) to its family: nothing else names it.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod aggregates;
pub mod describe;
pub mod entry;
#[cfg(feature = "kernels")]
pub mod kernels;
pub mod language;
pub mod registry;
pub mod scalar;

pub use entry::{Aggregate, AggregateKernel, Entry, Example, Function, Kernel, Kind};
pub use language::{Form, FormKind};
pub use registry::{
    aggregate, aggregate_families, aggregates, form, form_families, forms, function, function_families, functions,
    operator, operator_families, operators,
};
