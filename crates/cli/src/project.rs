//! The project file `tidewatch.yaml`: where it is.

use std::path::{Path, PathBuf};

const NAME: &str = "tidewatch.yaml";

/// The project file of a path: in its folder or in the nearest one above.
pub fn find(path: &Path) -> Option<PathBuf> {
    let start = path.canonicalize().ok()?;
    start.ancestors().map(|folder| folder.join(NAME)).find(|file| file.is_file())
}
