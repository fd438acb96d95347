//! Raw logs in, rows and an account of every record out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod archives;
mod azure;
mod cloudtrail;
mod damage;
mod exported;
mod large;
mod others;
mod samples;
mod support;
mod traps;
