//! Raw logs in, rows and an account of every record out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cloudtrail;
mod samples;
mod support;
