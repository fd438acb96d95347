//! What an editor asks about a query: what may stand here, what is this, where does it come from.
//!
//! Works on texts as they are being typed: unfinished, with mistakes. Knows no protocol and no files; the names of tables
//! and functions come from a [`kql_semantics::Catalog`]. Start at [`complete()`], [`hover()`] and [`definition()`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod columns;
mod completion;
mod definition;
mod help;
mod place;

pub use completion::{Completion, CompletionKind, complete};
pub use definition::definition;
pub use help::{Hover, hover};
