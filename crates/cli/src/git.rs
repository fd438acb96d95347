//! What git knows of the files at hand, asked of the program `git`.
//!
//! Nothing is changed; where there is no repository or no git, there is no answer. Start at [`show`].

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

/// The files of these extensions below a folder at a revision: path below the folder, and text. None without such a revision.
pub fn files_at(folder: &Path, revision: &str, extensions: &[&str]) -> Option<Vec<(String, String)>> {
    let listed = git(folder, &["ls-tree", "-r", "-z", revision, "--", "."])?;
    let entries: Vec<(String, String)> = listed
        .split(|byte| *byte == 0)
        .filter_map(|entry| {
            // MODE TYPE ID<tab>PATH
            let entry = String::from_utf8_lossy(entry).into_owned();
            let (head, path) = entry.split_once('\t')?;
            let id = head.split(' ').nth(2)?.to_string();
            let extension = Path::new(path).extension()?.to_str()?.to_ascii_lowercase();
            extensions.contains(&extension.as_str()).then(|| (id, path.to_string()))
        })
        .collect();
    let mut child = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let (mut asked, mut answers) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
    let mut files = Vec::with_capacity(entries.len());
    for (id, path) in entries {
        writeln!(asked, "{id}").ok()?;
        asked.flush().ok()?;
        let mut head = String::new();
        answers.read_line(&mut head).ok()?;
        let size: usize = head.trim_end().rsplit(' ').next()?.parse().ok()?;
        let mut bytes = vec![0; size + 1];
        answers.read_exact(&mut bytes).ok()?;
        bytes.pop();
        files.push((path, String::from_utf8_lossy(&bytes).into_owned()));
    }
    drop(asked);
    child.wait().ok()?;
    Some(files)
}

/// When the files below a folder last changed in its history, in seconds since 1970, by their full paths.
pub fn last_changes(folder: &Path) -> HashMap<PathBuf, i64> {
    let mut found = HashMap::new();
    let root = git(folder, &["rev-parse", "--show-toplevel"]).and_then(|root| String::from_utf8(root).ok());
    let Some(root) = root.map(|root| PathBuf::from(root.trim_end())) else { return found };
    let root = root.canonicalize().unwrap_or(root);
    let log = git(folder, &["-c", "core.quotepath=off", "log", "--format=%x01%ct", "--name-only", "--", "."]);
    let log = log.unwrap_or_default();
    let mut time = 0;
    for line in String::from_utf8_lossy(&log).lines() {
        match line.strip_prefix('\u{1}') {
            Some(seconds) => time = seconds.parse().unwrap_or(0),
            // The newest commit of a file comes first.
            None if !line.is_empty() => {
                found.entry(root.join(line)).or_insert(time);
            }
            None => {}
        }
    }
    found
}
