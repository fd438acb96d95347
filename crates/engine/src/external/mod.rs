//! Files that stand for the addresses of `externaldata`.
//!
//! Nothing is fetched: an address is answered by a file of a folder that the caller allows, or it has no rows. Begin at
//! [`ExternalFiles::find`]; [`read`] makes rows of a file.

mod parquet;
mod read;

use std::path::{Path, PathBuf};

pub(crate) use read::read;

/// The folders from which `externaldata` may read. Without folders no address has rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExternalFiles {
    folders: Vec<PathBuf>,
}

impl ExternalFiles {
    pub fn new() -> ExternalFiles {
        ExternalFiles::default()
    }

    /// Adds a folder. For `https://host/a/b.csv` a folder is asked for `host/a/b.csv` and then for `b.csv`; earlier
    /// folders win. A local path is read when it lies in a folder.
    pub fn with_folder(mut self, folder: impl Into<PathBuf>) -> ExternalFiles {
        self.folders.push(folder.into());
        self
    }

    /// Where in a folder the file of a remote address lies: `host/a/b.csv`.
    pub fn place(address: &str) -> Option<PathBuf> {
        match Address::parse(address) {
            Address::Remote(parts) => Some(parts.iter().collect()),
            Address::Local(_) | Address::Refused => None,
        }
    }

    /// The file that stands for an address.
    pub fn find(&self, address: &str) -> Option<PathBuf> {
        let named = Address::parse(address);
        for folder in &self.folders {
            match &named {
                Address::Local(path) => {
                    let inside = path.canonicalize().ok()?;
                    if folder.canonicalize().is_ok_and(|folder| inside.starts_with(folder)) && inside.is_file() {
                        return Some(inside);
                    }
                }
                Address::Remote(parts) => {
                    let whole: PathBuf = parts.iter().collect();
                    let last = parts.last().map(PathBuf::from);
                    let found = [Some(whole), last].into_iter().flatten().map(|path| folder.join(path));
                    if let Some(file) = found.into_iter().find(|path| path.is_file()) {
                        return Some(file);
                    }
                }
                Address::Refused => return None,
            }
        }
        None
    }
}

/// What an address of `externaldata` names.
#[derive(Debug, PartialEq, Eq)]
enum Address {
    /// Host and segments of the path, decoded.
    Remote(Vec<String>),
    Local(PathBuf),
    /// A path that leads out of where it begins.
    Refused,
}

impl Address {
    /// Secrets after `;`, queries and fragments are no part of the name.
    fn parse(text: &str) -> Address {
        let plain = text.trim().split([';', '?', '#']).next().unwrap_or_default();
        let (scheme, rest) = match plain.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => ("file".to_owned(), plain),
        };
        let decoded = percent_decoded(rest);
        let parts: Vec<String> =
            decoded.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect();
        if parts.is_empty() || parts.iter().any(|part| part == ".." || part.contains(':') || part.contains('\0')) {
            return Address::Refused;
        }
        if scheme == "file" { Address::Local(Path::new(&decoded).to_path_buf()) } else { Address::Remote(parts) }
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code =
            after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match (first, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_give_host_and_path_without_secrets() {
        let parts = |text: &str| match Address::parse(text) {
            Address::Remote(parts) => parts.join("|"),
            other => format!("{other:?}"),
        };
        assert_eq!(parts("https://example.org/a%20b/c.csv?sv=1&sig=x"), "example.org|a b|c.csv");
        assert_eq!(parts("https://example.org/list/;secret"), "example.org|list");
        assert_eq!(parts("https://example.org/../../etc/passwd"), "Refused");
        assert_eq!(parts("https://example.org/%2e%2e/x"), "Refused");
        assert_eq!(Address::parse("file:///data/x.csv"), Address::Local(PathBuf::from("/data/x.csv")));
    }

    #[test]
    fn only_files_of_the_folders_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("example.org/a")).unwrap();
        std::fs::write(folder.path().join("example.org/a/x.csv"), "1").unwrap();
        std::fs::write(folder.path().join("x.csv"), "2").unwrap();
        std::fs::write(outside.path().join("y.csv"), "3").unwrap();
        let files = ExternalFiles::new().with_folder(folder.path());
        assert_eq!(files.find("https://example.org/a/x.csv").unwrap(), folder.path().join("example.org/a/x.csv"));
        assert_eq!(files.find("https://elsewhere.net/q/x.csv").unwrap(), folder.path().join("x.csv"));
        assert_eq!(files.find("https://elsewhere.net/q/z.csv"), None);
        assert_eq!(files.find(&outside.path().join("y.csv").to_string_lossy()), None);
        assert!(files.find(&folder.path().join("x.csv").to_string_lossy()).is_some());
    }
}
