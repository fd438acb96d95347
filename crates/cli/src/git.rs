//! What git knows of the files at hand, asked of the program `git`.
//!
//! Nothing is changed; where there is no repository or no git, there is no answer. Start at [`show`].

use std::path::{Path, PathBuf};
use std::process::Command;

fn git(folder: &Path, args: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new("git").arg("-C").arg(folder).args(args).output().ok()?;
    output.status.success().then_some(output.stdout)
}

/// A folder itself, or the one that a file is in.
pub fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        _ if path.is_dir() => path.to_path_buf(),
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// The text of a file at a revision; None where it was not there.
pub fn show(revision: &str, file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    let text = git(&folder_of(file), &["show", &format!("{revision}:./{name}")])?;
    String::from_utf8(text).ok()
}

/// Whether a revision exists in the repository of a folder.
pub fn has_revision(folder: &Path, revision: &str) -> bool {
    git(folder, &["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")]).is_some()
}

/// The files that differ from a revision, below a folder: changed, new, and not yet known to git.
pub fn changed(folder: &Path, revision: &str) -> Option<Vec<PathBuf>> {
    let root = String::from_utf8(git(folder, &["rev-parse", "--show-toplevel"])?).ok()?;
    let root = PathBuf::from(root.trim_end());
    let tracked = git(folder, &["diff", "--name-only", "-z", revision, "--"])?;
    let new = git(&root, &["ls-files", "--others", "--exclude-standard", "-z"])?;
    let names = tracked.split(|b| *b == 0).chain(new.split(|b| *b == 0)).filter(|name| !name.is_empty());
    Some(names.map(|name| root.join(String::from_utf8_lossy(name).as_ref())).collect())
}

/// The commit of a folder's repository, with `+` where files differ from it.
pub fn commit(folder: &Path) -> Option<String> {
    let head = String::from_utf8(git(folder, &["rev-parse", "HEAD"])?).ok()?;
    let dirty = git(folder, &["status", "--porcelain", "--", "."]).is_some_and(|text| !text.is_empty());
    Some(format!("{}{}", head.trim(), if dirty { "+" } else { "" }))
}
