//! Embeds the files of the folder `rules/` at the root of the workspace as lists of (path, text): rules, and watchlists.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../rules");
    #[allow(clippy::print_stdout)]
    {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
    let mut files = Vec::new();
    if folder.is_dir() {
        collect(&folder, &mut files)?;
    }
    files.sort();
    let (watchlists, rules): (Vec<_>, Vec<_>) =
        files.iter().partition(|file| file.extension().is_some_and(|extension| extension == "csv"));
    let mut code = String::new();
    for (name, what, files) in [("RULES", "rule file", rules), ("WATCHLISTS", "watchlist", watchlists)] {
        let _ = writeln!(code, "/// (path, text) of every {what}.\npub const {name}: &[(&str, &str)] = &[");
        for file in files {
            let name = Path::new("rules").join(file.strip_prefix(&folder).unwrap_or(file));
            let name = name.to_string_lossy().replace('\\', "/");
            let full = file.canonicalize()?;
            let _ = writeln!(code, "    ({name:?}, include_str!({:?})),", full.to_string_lossy());
        }
        code.push_str("];\n");
    }
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("rules.rs"), code)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            let is = |wanted: &str| path.extension().is_some_and(|extension| extension == wanted);
            let is_watchlist = is("csv") && path.parent().is_some_and(|parent| parent.ends_with("watchlists"));
            if is_watchlist || (is("yaml") || is("kql")) && !path.to_string_lossy().ends_with(".test.yaml") {
                files.push(path);
            }
        }
    }
    Ok(())
}
