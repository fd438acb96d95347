//! The commands, one per file.

pub mod cache;
pub mod catalog;
pub mod check;
pub mod convert;
pub mod coverage;
pub mod demo;
pub mod emulate;
pub mod explain;
pub mod fmt;
pub mod hunt;
pub mod iocs;
pub mod lint;
pub mod load;
pub mod lsp;
pub mod pivot;
pub mod query;
mod replay;
pub mod shell;
pub mod sources;
pub mod test;
