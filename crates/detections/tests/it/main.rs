//! Hunts over small tables held in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod built_in;
mod data;
mod lines;
mod lint;
mod proof;
mod replay;
mod sigma;
mod states;
mod stream;
mod sweep;
