//! Developer commands: `cargo xtask check | conformance | corpus | bench | docs`.

fn main() {}
