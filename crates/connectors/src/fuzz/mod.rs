//! What fuzzers call: one target for each decoder, with what must hold for any bytes.
//!
//! Built for tests and with the feature `fuzz` alone. A target panics when an invariant breaks; begin at [`TARGETS`].

mod formats;
mod records;
mod texts;

/// A decoder and what it is tried with.
pub struct Target {
    pub name: &'static str,
    /// Bytes that an input has at most.
    pub largest: usize,
    /// Inputs to begin with, besides well-formed files of every format.
    pub seeds: &'static [&'static str],
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "json-records", largest: 8 << 10, seeds: texts::JSON, run: texts::json_records },
    Target { name: "json-value", largest: 4 << 10, seeds: texts::JSON, run: texts::json_value },
    Target { name: "query-result", largest: 4 << 10, seeds: texts::RESULTS, run: texts::query_result },
    Target { name: "columns", largest: 8 << 10, seeds: texts::COLUMNS, run: texts::columns },
    Target { name: "times", largest: 128, seeds: texts::TIMES, run: texts::times },
    Target { name: "records", largest: 8 << 10, seeds: records::RECORDS, run: records::records },
    Target { name: "nested", largest: 4 << 10, seeds: records::NESTED, run: records::nested },
    Target { name: "flow-tuples", largest: 1 << 10, seeds: records::FLOWS, run: records::flow_tuples },
    Target { name: "syslog", largest: 2 << 10, seeds: records::SYSLOG, run: records::lines },
    Target { name: "cef", largest: 2 << 10, seeds: records::CEF, run: records::cef },
    Target { name: "compressed", largest: 8 << 10, seeds: &[], run: formats::compressed },
    Target { name: "zip", largest: 8 << 10, seeds: &[], run: formats::zip },
    Target { name: "tar", largest: 8 << 10, seeds: &[], run: formats::tar },
    Target { name: "7z", largest: 4 << 10, seeds: &[], run: formats::seven_zip },
    Target { name: "avro", largest: 4 << 10, seeds: &[], run: formats::avro },
    Target { name: "parquet", largest: 8 << 10, seeds: &[], run: formats::parquet },
    Target { name: "evtx", largest: 72 << 10, seeds: &[], run: formats::evtx },
    Target { name: "file", largest: 8 << 10, seeds: records::RECORDS, run: records::file },
];

/// Names that logs are made of, each in quotes: a fuzzer's dictionary.
pub fn words() -> Vec<String> {
    let mut words: Vec<String> =
        ["Records", "records", "value", "tables", "columns", "rows", "message", "data", "$table"]
            .into_iter()
            .map(str::to_owned)
            .collect();
    for guide in crate::source_guides() {
        let parts = guide.fields.iter().flat_map(|(_, fields, _)| fields.iter());
        words.extend(parts.flat_map(|(path, _)| path.split('.')).map(str::to_owned));
    }
    words.sort();
    words.dedup();
    words.retain(|word| word.len() > 2 && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-$".contains(c)));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A generator that is the same everywhere.
    fn roll(state: &mut u64, sides: usize) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state % sides.max(1) as u64) as usize
    }

    #[test]
    fn every_target_holds_for_its_seeds_and_near_them() {
        for target in TARGETS {
            let mut dice = 0x9E37_79B9_7F4A_7C15;
            (target.run)(b"");
            for seed in target.seeds {
                (target.run)(seed.as_bytes());
                for _ in 0..12 {
                    let mut bytes = seed.as_bytes().to_vec();
                    for _ in 0..=roll(&mut dice, 3) {
                        let at = roll(&mut dice, bytes.len());
                        match (roll(&mut dice, 4), bytes.get_mut(at)) {
                            (0, Some(byte)) => *byte = b"\"{}[],:\\\n\0 9-\xFF"[roll(&mut dice, 14)],
                            (1, Some(_)) => bytes.truncate(at),
                            (2, Some(_)) => bytes.extend_from_within(at..),
                            (_, Some(_)) => drop(bytes.remove(at)),
                            (_, None) => {}
                        }
                    }
                    bytes.truncate(target.largest);
                    (target.run)(&bytes);
                }
            }
        }
    }

    #[test]
    fn the_dictionary_has_names_of_fields() {
        let words = words();
        assert!(words.len() > 300 && words.contains(&"eventTime".to_owned()), "{}", words.len());
    }
}
