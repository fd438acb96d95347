//! What tests of several crates share. Development only.

pub mod mmdb;

use std::path::PathBuf;

/// The root of the workspace.
pub fn workspace_root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file or folder of the reference data that may lie beside the project; None (with a note on standard error) when
/// it is not there, so that a test can say it was skipped.
pub fn shared(path: &str) -> Option<PathBuf> {
    let full = workspace_root().join("../shared").join(path);
    if full.exists() {
        return Some(full);
    }
    #[allow(clippy::print_stderr)]
    {
        eprintln!("skipped: reference data {path} is not beside the project");
    }
    None
}
