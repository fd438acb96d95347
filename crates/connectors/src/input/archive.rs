//! The members of zip and tar archives, read in place and in order.
//!
//! Folders, links and what systems add (names that begin with a dot, `__MACOSX`) are left out, as they are in folder
//! trees. Nothing is unpacked to disk.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};

use zip::ZipArchive;

use super::Content;
use super::paths::Input;
use crate::options::SizeLimits;

/// An archive that cannot be sought in (inside another, from standard input) is held in memory up to this size.
const HELD_MAX: u64 = 128 << 20;

/// What a visitor is given of a member: its bytes, or why they cannot be read.
pub(crate) type Member<'m> = Result<Box<dyn Read + 'm>, String>;

/// Visits every member until the visitor says false; the reason when the archive ends early.
pub(crate) fn members(
    content: Content,
    reader: Box<dyn Read + '_>,
    file: Option<&Input>,
    limits: &SizeLimits,
    visit: &mut dyn FnMut(&str, Member<'_>) -> bool,
) -> Result<(), String> {
    match (content, file) {
        (Content::Tar, _) => tar_members(reader, limits, visit),
        (Content::Zip, Some(Input::File(path))) => {
            let file = File::open(path).map_err(|error| error.to_string())?;
            zip_members(io::BufReader::new(file), limits, visit)
        }
        (Content::Zip, _) => {
            let mut held = Vec::new();
            let read = reader.take(HELD_MAX + 1).read_to_end(&mut held).map_err(|error| error.to_string())?;
            if read as u64 > HELD_MAX {
                return Err(format!("an archive of more than {HELD_MAX} bytes that cannot be read in place"));
            }
            zip_members(Cursor::new(held), limits, visit)
        }
        _ => Ok(()),
    }
}

/// Whether a member of this name is read.
fn is_wanted(name: &str) -> bool {
    !name.split(['/', '\\']).any(|part| part == "__MACOSX" || part.starts_with('.') && part != "." && part != "..")
}

fn zip_members(
    source: impl Read + Seek,
    limits: &SizeLimits,
    visit: &mut dyn FnMut(&str, Member<'_>) -> bool,
) -> Result<(), String> {
    let mut archive = ZipArchive::new(source).map_err(|error| error.to_string())?;
    for index in 0..archive.len() {
        if index >= limits.archive_members {
            return Err(format!("more than {} members", limits.archive_members));
        }
        let name = archive.name_for_index(index).and_then(Result::ok).map(std::borrow::Cow::into_owned);
        let name = name.unwrap_or_else(|| format!("member {index}"));
        let go_on = match archive.by_index(index) {
            Ok(member) if member.is_dir() || !is_wanted(&name) => true,
            Ok(member) => visit(&name, Ok(Box::new(member))),
            Err(error) => visit(&name, Err(error.to_string())),
        };
        if !go_on {
            return Ok(());
        }
    }
    Ok(())
}

fn tar_members(
    source: impl Read,
    limits: &SizeLimits,
    visit: &mut dyn FnMut(&str, Member<'_>) -> bool,
) -> Result<(), String> {
    let mut archive = tar::Archive::new(source);
    for (index, entry) in archive.entries().map_err(|error| error.to_string())?.enumerate() {
        if index >= limits.archive_members {
            return Err(format!("more than {} members", limits.archive_members));
        }
        let entry = entry.map_err(|error| error.to_string())?;
        let kind = entry.header().entry_type();
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !is_wanted(&name) {
            continue;
        }
        let go_on = match kind {
            tar::EntryType::Regular | tar::EntryType::Continuous => visit(&name, Ok(Box::new(entry))),
            tar::EntryType::GNUSparse => visit(&name, Err("unsupported: sparse member of a tar archive".to_owned())),
            _ => true,
        };
        if !go_on {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systems_add_is_left_out() {
        assert!(is_wanted("AWSLogs/1/x.json.gz") && is_wanted("./x.json") && is_wanted("../x.json"));
        assert!(!is_wanted("__MACOSX/._x.json") && !is_wanted("logs/.DS_Store") && !is_wanted("a\\.git\\x"));
    }
}
