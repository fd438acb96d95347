//! The members of zip, tar and 7z archives, read in place and in order.
//!
//! Folders, links and what systems add (names that begin with a dot, `__MACOSX`) are left out, as they are in folder
//! trees. No member is unpacked to disk; a large archive that comes as a stream and has to be sought in is copied there while
//! it is read.

use std::fs::File;
use std::io::{self, Read, Seek};

use sevenz_rust2::{Archive, ArchiveReader, EncoderMethod, Password};
use zip::ZipArchive;

use super::Content;
use super::held::Held;
use super::paths::Input;
use crate::options::SizeLimits;

/// What a visitor is given of a member: its bytes, or why they cannot be read.
pub(crate) type Member<'m> = Result<Box<dyn Read + 'm>, String>;

/// Visits every member whose name is asked for until the visitor says false; the reason when the archive ends early.
pub(crate) fn members(
    content: Content,
    reader: Box<dyn Read + '_>,
    file: Option<&Input>,
    limits: &SizeLimits,
    asked: &dyn Fn(&str) -> bool,
    visit: &mut dyn FnMut(&str, Member<'_>) -> bool,
) -> Result<(), String> {
    match (content, file) {
        (Content::Tar, _) => tar_members(reader, limits, asked, visit),
        (Content::Zip | Content::SevenZip, Some(Input::File(path))) => {
            let file = File::open(path).map_err(|error| error.to_string())?;
            sought_members(content, io::BufReader::new(file), limits, asked, visit)
        }
        (Content::Zip | Content::SevenZip, _) => {
            sought_members(content, Held::of(reader)?.sought(), limits, asked, visit)
        }
        _ => Ok(()),
    }
}

fn sought_members(
    content: Content,
    source: impl Read + Seek,
    limits: &SizeLimits,
    asked: &dyn Fn(&str) -> bool,
    visit: &mut dyn FnMut(&str, Member<'_>) -> bool,
) -> Result<(), String> {
    match content {
        Content::SevenZip => seven_zip_members(source, limits, asked, visit),
        _ => zip_members(source, limits, asked, visit),
    }
}

/// Whether a member of this name is read.
fn is_wanted(name: &str) -> bool {
    !name.split(['/', '\\']).any(|part| part == "__MACOSX" || part.starts_with('.') && part != "." && part != "..")
}

fn zip_members(
    source: impl Read + Seek,
    limits: &SizeLimits,
    asked: &dyn Fn(&str) -> bool,
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
            Ok(member) if member.is_dir() || !is_wanted(&name) || !asked(&name) => true,
            Ok(member) => visit(&name, Ok(Box::new(member))),
            Err(error) => visit(&name, Err(error.to_string())),
        };
        if !go_on {
            return Ok(());
        }
    }
    Ok(())
}

fn seven_zip_members(
    mut source: impl Read + Seek,
    limits: &SizeLimits,
    asked: &dyn Fn(&str) -> bool,
    visit: &mut dyn FnMut(&str, Member<'_>) -> bool,
) -> Result<(), String> {
    let password = Password::empty();
    let archive = Archive::read(&mut source, &password).map_err(|error| error.to_string())?;
    let coders = archive.blocks.iter().flat_map(|block| &block.coders);
    let needed = coders.map(|coder| dictionary(coder.encoder_method_id(), coder.properties())).max();
    if needed.is_some_and(|needed| needed > limits.dictionary) {
        return Err(format!("a dictionary of more than {} bytes", limits.dictionary));
    }
    let mut reader = ArchiveReader::from_archive(archive, source, password);
    let (mut index, mut stopped) = (0, None);
    let walked = reader.for_each_entries(|entry, bytes| {
        if index >= limits.archive_members {
            stopped = Some(format!("more than {} members", limits.archive_members));
            return Ok(false);
        }
        index += 1;
        if entry.is_directory() || !is_wanted(entry.name()) || !asked(entry.name()) {
            // Members lie one behind another in one stream.
            let passed = io::copy(&mut bytes.take(limits.inflated_free + 1), &mut io::sink())?;
            if passed > limits.inflated_free {
                stopped = Some(
                    "more bytes after inflating, in a member that is not asked for, than are passed over".to_owned(),
                );
            }
            return Ok(passed <= limits.inflated_free);
        }
        Ok(visit(entry.name(), Ok(Box::new(bytes))))
    });
    walked.map_err(|error| error.to_string())?;
    stopped.map_or(Ok(()), Err)
}

/// Bytes of memory that a coder needs for what it has given out.
fn dictionary(method: &[u8], properties: &[u8]) -> u64 {
    match (method, properties) {
        (EncoderMethod::ID_LZMA, [_, a, b, c, d, ..]) => u64::from(u32::from_le_bytes([*a, *b, *c, *d])),
        (EncoderMethod::ID_LZMA2, [bits, ..]) if *bits < 40 => u64::from(2 | bits & 1) << (bits / 2 + 11),
        (EncoderMethod::ID_LZMA2, [_, ..]) => u64::from(u32::MAX),
        _ => 0,
    }
}

fn tar_members(
    source: impl Read,
    limits: &SizeLimits,
    asked: &dyn Fn(&str) -> bool,
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
        let is_file = matches!(kind, tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse);
        if !is_file || !asked(&name) {
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
    fn dictionaries_are_known_before_they_are_made() {
        assert_eq!(dictionary(EncoderMethod::ID_LZMA2, &[22]), 8 << 20);
        assert_eq!(dictionary(EncoderMethod::ID_LZMA2, &[40]), u64::from(u32::MAX));
        assert_eq!(dictionary(EncoderMethod::ID_LZMA, &[0x5D, 0, 0, 0, 4]), 64 << 20);
        assert_eq!(dictionary(EncoderMethod::ID_COPY, &[]), 0);
    }

    #[test]
    fn what_systems_add_is_left_out() {
        assert!(is_wanted("AWSLogs/1/x.json.gz") && is_wanted("./x.json") && is_wanted("../x.json"));
        assert!(!is_wanted("__MACOSX/._x.json") && !is_wanted("logs/.DS_Store") && !is_wanted("a\\.git\\x"));
    }
}
