//! Tests of the syntax layer as a whole: against the reference data, on hostile text, on meaning and on layout.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation is a failed test")]

mod errors;
mod formatting;
mod hostile;
mod lexing;
mod meaning;
mod reference;
mod sexp;
