//! The report of a hunt: its form, what follows from it, and the page that shows it.
//!
//! Pure: a [`Report`] in, text out. Knows no engine, no rules and no files, so that a report written elsewhere, or by an
//! earlier version, is read and shown in the same way. The form is described in `docs/report.md`. Start at
//! [`model::Report`], then [`html::page`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod changes;
pub mod coverage;
pub mod entities;
pub mod harmless;
pub mod html;
pub mod model;
pub mod next;
mod page_data;
pub mod timeline;

pub use model::Report;
