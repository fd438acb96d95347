//! Physical operators of Kusto that DataFusion does not have, and their codecs.
//!
//! Fifth stage of the pipeline: [`planner::KqlPlanner`] turns the extension nodes of `kql-plan` into
//! [`operator::OperatorExec`], which streams batches through a [`operator::Stage`]. Knows neither files nor rules.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod codec;
pub mod in_order;
pub mod operator;
pub mod outer_side;
pub mod planner;
pub mod range;
