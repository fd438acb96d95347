//! The detections that come with Tidewatch, embedded from the folder `rules/`.

use detections::library::{self, RuleLibrary};

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The built-in rules and the stored functions they use.
pub fn library() -> RuleLibrary {
    library::from_texts(RULES.iter().copied())
}

/// The watchlists that the built-in rules read: name and CSV text. One of the user's with the same name stands instead.
pub fn watchlists() -> impl Iterator<Item = (&'static str, &'static str)> {
    WATCHLISTS.iter().map(|(path, text)| {
        let file = path.rsplit('/').next().unwrap_or(path);
        (file.strip_suffix(".csv").unwrap_or(file), *text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_watchlist_that_a_built_in_rule_reads_is_there() {
        let known: Vec<&str> = watchlists().map(|(name, _)| name).collect();
        let quoted = |query: &str| -> Vec<String> {
            let calls = query.split("_GetWatchlist(\"").skip(1);
            calls.filter_map(|rest| rest.split('"').next().map(str::to_string)).collect()
        };
        let read: Vec<String> = library().rules.iter().flat_map(|rule| quoted(&rule.query)).collect();
        assert!(!read.is_empty() && read.iter().all(|name| known.contains(&name.as_str())), "{known:?} {read:?}");
        assert!(known.iter().all(|name| read.iter().any(|read| read == name)), "{known:?} {read:?}");
    }

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
