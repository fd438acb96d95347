//! Tests of the physical operators in whole plans.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod codec;
