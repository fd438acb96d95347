//! The five detections, as published and built in: planted records are found, and a record that differs in one condition
//! is not. Every condition that a query makes must be tried; the list comes from its bound tree.

mod after_alert;
mod conditions;
mod harness;
mod instances;
mod modification;
mod raw;
mod rising;
mod run_command;
mod scene;
