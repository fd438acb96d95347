//! The binary `tidewatch`.

fn main() {}
