//! From paths to text: which files there are, what they are compressed with, what they hold.

pub(crate) mod archive;
mod open;
pub(crate) mod path_date;
mod paths;
mod sniff;
pub(crate) mod transcode;
mod utf16;

pub(crate) use open::{Opened, open, open_member};
pub(crate) use paths::{Input, expand};
pub(crate) use sniff::Content;
