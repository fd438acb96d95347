//! The tables known from the start, read from `data/tables.tsv` one at a time as they are asked for.
//!
//! The file's lines are sorted by name, so that looking up a table is a search and the rest stays text.

use std::sync::OnceLock;

use kql_types::{Column, ScalarType};

use crate::TableSchema;

static DATA: &str = include_str!("../data/tables.tsv");

/// One line of the data, and the schema once somebody asked for it.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    columns: &'static str,
    schema: OnceLock<TableSchema>,
}

impl Entry {
    pub(crate) fn schema(&'static self) -> &'static TableSchema {
        self.schema.get_or_init(|| TableSchema::new(self.name, self.columns().collect()))
    }

    fn columns(&self) -> impl Iterator<Item = Column> {
        self.columns.split('\t').map(|text| match text.rsplit_once(':') {
            Some((name, letter)) => Column::new(name, type_of_letter(letter)),
            None => Column::new(text, ScalarType::String),
        })
    }

    /// The names of the columns, without making a schema.
    pub(crate) fn column_names(&self) -> impl Iterator<Item = &'static str> {
        self.columns.split('\t').map(|text| text.rsplit_once(':').map_or(text, |(name, _)| name))
    }
}

fn type_of_letter(letter: &str) -> ScalarType {
    match letter {
        "b" => ScalarType::Bool,
        "i" => ScalarType::Int,
        "l" => ScalarType::Long,
        "r" => ScalarType::Real,
        "m" => ScalarType::Decimal,
        "t" => ScalarType::DateTime,
        "n" => ScalarType::TimeSpan,
        "g" => ScalarType::Guid,
        "d" => ScalarType::Dynamic,
        _ => ScalarType::String,
    }
}

/// All entries, sorted by name.
pub(crate) fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        DATA.lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once('\t'))
            .map(|(name, columns)| Entry { name, columns, schema: OnceLock::new() })
            .collect()
    })
}

pub(crate) fn get(name: &str) -> Option<&'static TableSchema> {
    let entries = entries();
    let at = entries.binary_search_by(|entry| entry.name.cmp(name)).ok()?;
    entries.get(at).map(Entry::schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_sorted_and_unique() {
        assert_eq!(entries().len(), 1214);
        assert!(entries().windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn every_type_letter_is_known() {
        for entry in entries() {
            for text in entry.columns.split('\t') {
                if let Some((_, letter)) = text.rsplit_once(':') {
                    assert!("birlmtngd".contains(letter) && letter.len() == 1, "{}: {text}", entry.name);
                }
            }
        }
    }
}
