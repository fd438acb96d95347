//! The detections that come with Tidewatch, embedded from the folder `rules/`.

use detections::library::{self, RuleLibrary};

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The built-in rules and the stored functions they use.
pub fn library() -> RuleLibrary {
    library::from_texts(RULES.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_rule_reads_without_a_note() {
        let library = library();
        assert!(library.broken.is_empty(), "{:?}", library.broken);
        assert!(library.duplicates.is_empty(), "{:?}", library.duplicates);
        for rule in &library.rules {
            assert!(rule.notes.is_empty() && rule.unknown_fields.is_empty(), "{}: {:?}", rule.place.file, rule.notes);
        }
    }
}
