//! Bound query to DataFusion logical plan, and our optimizer rules.
