//! The parts of tabular operators that are plain functions over columns.
//!
//! No plans and no execution here: `kql-exec` feeds batches in and passes results on. Rows come in order where the order
//! matters, and states carry over from batch to batch, so that how the input is cut into batches changes nothing.

pub mod bag_unpack;
pub mod convert;
pub mod mv_expand;
pub mod parse;
pub mod parse_kv;
pub mod window;
