//! From paths to text: which files there are, what they are compressed with, what they hold.

pub(crate) mod archive;
mod held;
#[cfg(feature = "cloud")]
mod object;
mod open;
pub(crate) mod path_date;
mod paths;
mod sniff;
pub(crate) mod transcode;
mod url;
mod utf16;

pub(crate) use open::{Opened, open, open_member};
pub(crate) use paths::{Input, expand, of_name};
pub(crate) use sniff::Content;
