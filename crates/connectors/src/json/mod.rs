//! JSON as it lies in logs: finding where values end, and turning raw values into cells without building trees.
//!
//! Begin at [`scan`]: it validates a record and gives the places of its members in one pass.

pub(crate) mod canonical;
pub(crate) mod compact;
pub(crate) mod mend;
pub(crate) mod row_text;
pub(crate) mod scan;
pub(crate) mod text;

pub(crate) use scan::{Member, ScanError};
