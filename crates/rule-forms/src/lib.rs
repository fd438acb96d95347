//! Rule files in the forms that Sentinel's rules are written in, from one to another.
//!
//! [`yaml`] reads YAML with places. A rule is a map with the fields of Sentinel's YAML, whatever it came from: nothing that a
//! form holds is lost on the way, and what a form cannot hold is said field by field. [`arm`], [`terraform`] and [`sentinel`] are
//! the forms.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod arm;
pub mod duration;
pub mod fields;
pub mod sentinel;
pub mod terraform;
pub mod yaml;
