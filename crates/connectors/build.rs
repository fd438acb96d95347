//! Names what decides which rows a log gives: the code and the data of this crate and of those it maps with, and the
//! versions of the libraries. Rows kept by another program are never taken for this one's.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Beside this crate's manifest.
const PLACES: &[&str] = &["src", "build.rs", "../tables/src", "../tables/data", "../kql-types/src", "../../Cargo.lock"];

#[allow(clippy::print_stdout)]
fn main() -> io::Result<()> {
    let crate_folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    for place in PLACES {
        let path = crate_folder.join(place);
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
            hash.path(&path, &crate_folder)?;
        }
    }
    println!("cargo::rustc-env=TIDEWATCH_ROWS={:016x}", hash.0);
    Ok(())
}

/// FNV-1a: the same on every machine.
struct Fnv(u64);

impl Fnv {
    fn path(&mut self, path: &Path, root: &Path) -> io::Result<()> {
        if path.is_dir() {
            let mut entries: Vec<PathBuf> = fs::read_dir(path)?.flatten().map(|entry| entry.path()).collect();
            entries.sort();
            return entries.iter().try_for_each(|entry| self.path(entry, root));
        }
        self.bytes(path.strip_prefix(root).unwrap_or(path).to_string_lossy().as_bytes());
        self.bytes(&fs::read(path)?);
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(&[0]) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
