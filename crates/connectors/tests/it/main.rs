//! Raw logs in, rows and an account of every record out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod archives;
mod azure;
mod binary;
mod cache;
#[cfg(feature = "cloud")]
mod cloud;
mod cloudtrail;
mod damage;
mod data_traps;
mod evtx_file;
mod exported;
mod hostile;
mod large;
#[cfg(target_os = "linux")]
mod memory;
mod more_sources;
mod others;
mod packed;
mod samples;
mod support;
mod traps;
