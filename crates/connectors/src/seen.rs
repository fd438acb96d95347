//! The keys of all rows so far, in bounded memory.
//!
//! Keys gather in a set; when it is full they are sorted and written to a file, of which memory keeps a filter (10 bits
//! a key) and the first key of every block. A key that a filter does not rule out is looked up in its file.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::LoadError;
use crate::batch::RowKey;

/// Keys held as a set: the largest number that fits a table of 2^23 places.
const FRESH_MAX: usize = 7_000_000;
/// Keys in a block of a file.
const BLOCK_KEYS: usize = 256;
/// Bits of a filter's block: one cache line.
const FILTER_BLOCK_BITS: usize = 512;
const FILTER_BITS_PER_KEY: usize = 10;
/// Bits set for a key.
const FILTER_PROBES: u32 = 6;

/// Keys are hashes already: their first bytes serve.
#[derive(Default, Clone)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(Ok(first)) = bytes.get(..8).map(<[u8; 8]>::try_from) {
            self.0 = u64::from_le_bytes(first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}
}

/// A set of keys.
pub(crate) struct Seen {
    fresh: HashSet<RowKey, BuildHasherDefault<FirstBytes>>,
    fresh_max: usize,
    runs: Vec<Run>,
    /// Where files may be made; None: everything stays in memory.
    folder: Option<PathBuf>,
    /// Of the files, to tell the sets of one load apart.
    name: &'static str,
}

impl Seen {
    pub(crate) fn new(folder: Option<&Path>, name: &'static str) -> Seen {
        let folder = folder.map(Path::to_path_buf);
        Seen { fresh: HashSet::default(), fresh_max: FRESH_MAX, runs: Vec::new(), folder, name }
    }

    /// Adds a key; false when it was there before.
    pub(crate) fn insert(&mut self, key: RowKey) -> Result<bool, LoadError> {
        for run in &mut self.runs {
            if run.filter.may_hold(&key) && run.holds(&key)? {
                return Ok(false);
            }
        }
        let new = self.fresh.insert(key);
        if self.fresh.len() >= self.fresh_max
            && let Some(folder) = &self.folder
        {
            let path = folder.join(format!("{}-{}.keys", self.name, self.runs.len()));
            let mut keys: Vec<RowKey> = self.fresh.drain().collect();
            keys.sort_unstable();
            self.runs.push(Run::write(path, &keys)?);
        }
        Ok(new)
    }

    /// Forgets all keys.
    pub(crate) fn clear(&mut self) {
        if self.fresh.capacity() > 100_000 {
            self.fresh = HashSet::default();
        }
        self.fresh.clear();
        self.runs.clear();
    }
}

/// Sorted keys in a file, which goes when the run does.
struct Run {
    path: PathBuf,
    file: File,
    filter: Filter,
    /// The first key of each block.
    firsts: Vec<RowKey>,
    count: usize,
    block: Vec<u8>,
}

impl Run {
    fn write(path: PathBuf, keys: &[RowKey]) -> Result<Run, LoadError> {
        let mut filter = Filter::new(keys.len());
        for key in keys {
            filter.add(key);
        }
        let firsts = keys.iter().step_by(BLOCK_KEYS).copied().collect();
        let written = || -> io::Result<File> {
            let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
            let mut out = BufWriter::with_capacity(1 << 20, file);
            for key in keys {
                out.write_all(key)?;
            }
            out.into_inner().map_err(io::IntoInnerError::into_error)
        };
        let file = written().map_err(|source| LoadError::Io { path: path.clone(), source })?;
        Ok(Run { path, file, filter, firsts, count: keys.len(), block: Vec::new() })
    }

    fn holds(&mut self, key: &RowKey) -> Result<bool, LoadError> {
        let Some(block) = self.firsts.partition_point(|first| first <= key).checked_sub(1) else { return Ok(false) };
        let start = block * BLOCK_KEYS;
        let length = BLOCK_KEYS.min(self.count - start) * size_of::<RowKey>();
        self.block.resize(length, 0);
        let mut read = || {
            self.file.seek(SeekFrom::Start((start * size_of::<RowKey>()) as u64))?;
            self.file.read_exact(&mut self.block)
        };
        read().map_err(|source| LoadError::Io { path: self.path.clone(), source })?;
        let (keys, _) = self.block.as_chunks::<16>();
        Ok(keys.binary_search(key).is_ok())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // The folder it lies in is removed as a whole later; a file that stays until then does no harm.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A Bloom filter whose bits for one key lie in one cache line.
struct Filter {
    words: Vec<u64>,
    blocks: u64,
}

impl Filter {
    fn new(keys: usize) -> Filter {
        let blocks = (keys * FILTER_BITS_PER_KEY).div_ceil(FILTER_BLOCK_BITS).max(1);
        Filter { words: vec![0; blocks * FILTER_BLOCK_BITS / 64], blocks: blocks as u64 }
    }

    /// Words and bits of a key: the first half of the key chooses the block, the second the bits.
    fn places(&self, key: &RowKey) -> impl Iterator<Item = (usize, u64)> + use<> {
        let half = |at: usize| {
            let mut bytes = [0; 8];
            bytes.iter_mut().zip(key.iter().skip(at)).for_each(|(to, from)| *to = *from);
            u64::from_le_bytes(bytes)
        };
        let (first, second) = (half(0), half(8));
        let block = (u128::from(first) * u128::from(self.blocks)) >> 64;
        let start = block as usize * (FILTER_BLOCK_BITS / 64);
        (0..FILTER_PROBES).map(move |probe| {
            let bit = (second >> (probe * 9)) & 511;
            (start + (bit / 64) as usize, 1 << (bit % 64))
        })
    }

    fn add(&mut self, key: &RowKey) {
        for (word, bit) in self.places(key) {
            if let Some(word) = self.words.get_mut(word) {
                *word |= bit;
            }
        }
    }

    fn may_hold(&self, key: &RowKey) -> bool {
        self.places(key).all(|(word, bit)| self.words.get(word).is_some_and(|word| word & bit != 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::key_of;

    #[test]
    fn keys_on_disk_are_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut seen = Seen::new(Some(folder.path()), "test");
        seen.fresh_max = 1_000;
        let key = |number: usize| key_of(&[&number.to_string()]);
        for number in 0..10_500 {
            assert!(seen.insert(key(number)).unwrap(), "{number}");
        }
        assert_eq!((seen.runs.len(), seen.fresh.len()), (10, 500));
        for number in (0..10_500).step_by(7) {
            assert!(!seen.insert(key(number)).unwrap(), "{number}");
        }
        let wrong = (20_000..30_000).filter(|number| seen.runs[0].filter.may_hold(&key(*number))).count();
        assert!(wrong < 500, "{wrong} of 10000 keys pass a filter that does not hold them");
        seen.clear();
        assert!(seen.insert(key(3)).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn without_a_folder_all_stays_in_memory() {
        let mut seen = Seen::new(None, "test");
        seen.fresh_max = 10;
        for number in 0..100 {
            assert!(seen.insert(key_of(&[&number.to_string()])).unwrap());
        }
        assert!(!seen.insert(key_of(&["5"])).unwrap());
    }
}
