//! The parts of tabular operators that are plain functions over columns.
//!
//! No plans and no execution here: `kql-exec` feeds batches in and passes results on. Rows come in order where the order
//! matters, and states carry over from batch to batch, so that how the input is cut into batches changes nothing.

pub mod activity;
pub mod bag_unpack;
pub mod convert;
pub mod graph;
pub mod mv_expand;
pub mod parse;
pub mod parse_kv;
mod patterns;
pub mod reduce;
pub mod schema_merge;
pub mod segments;
pub mod timeline;
pub mod whole;
pub mod window;
