//! DataFusion functions made from the registry, and the few of our own that queries can't name.

pub mod aggregate;
pub mod by_name;
pub mod internal;
pub mod place_union;
pub mod row_pick;
pub mod scalar;
