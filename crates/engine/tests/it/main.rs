//! Tests of the engine as its users see it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod examples;
mod external;
mod fixtures;
mod geoip;
mod graphs;
mod hostile;
mod many;
mod operators;
mod options;
mod order;
mod parquet;
mod patterns;
mod plugins;
mod properties;
mod runs;
