//! What a source's page in the documentation says: how to export the logs, what is recognised, which field goes where.
//!
//! A guide stands in the file of its source, beside the field map it shows.

use super::{LINE_SOURCES, SOURCES};
use crate::fields::FieldList;

/// Of one page; sources that read forms of the same logs share one.
pub(crate) struct Guide {
    /// The page's name.
    pub(crate) page: &'static str,
    pub(crate) title: &'static str,
    pub(crate) tables: &'static [&'static str],
    /// How the logs are got: a command or a way through a portal, and what it leaves out unless told otherwise.
    pub(crate) exports: &'static [(&'static str, &'static str)],
    pub(crate) recognised: &'static str,
    pub(crate) fields: &'static [&'static FieldList],
    /// Columns that are worked out rather than copied, and what is lost.
    pub(crate) notes: &'static [&'static str],
}

/// A page on a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceGuide {
    pub page: &'static str,
    pub title: &'static str,
    /// Names for `LoadOptions::source`.
    pub names: Vec<&'static str>,
    pub tables: &'static [&'static str],
    pub exports: Vec<Export>,
    pub recognised: &'static str,
    /// By form: its name, the fields with their columns (empty: known, and on purpose in no column), and the paths under
    /// which fields go to the columns named like them (`""`: the record itself).
    pub fields: Vec<FieldTable>,
    pub notes: &'static [&'static str],
}

/// A field map: its name, its lines, the paths whose fields go to the columns named like them.
pub type FieldTable = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

/// A way to get logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// A command, or a way through a portal.
    pub how: &'static str,
    /// What it leaves out unless told otherwise; empty: nothing known.
    pub limits: &'static str,
}

/// All guides by page.
pub(crate) fn all() -> Vec<SourceGuide> {
    let guided = SOURCES.iter().map(|source| (source.name, source.guide));
    let guided = guided.chain(LINE_SOURCES.iter().map(|source| (source.name, source.guide)));
    let mut pages: Vec<SourceGuide> = Vec::new();
    for (name, guide) in guided.filter_map(|(name, guide)| guide.map(|guide| (name, guide))) {
        match pages.iter_mut().find(|page| page.page == guide.page) {
            Some(page) => page.names.push(name),
            None => pages.push(SourceGuide {
                page: guide.page,
                title: guide.title,
                names: vec![name],
                tables: guide.tables,
                exports: guide.exports.iter().map(|(how, limits)| Export { how, limits }).collect(),
                recognised: guide.recognised,
                fields: guide.fields.iter().map(|list| (list.name, list.fields, list.named_like)).collect(),
                notes: guide.notes,
            }),
        }
    }
    pages.sort_by_key(|page| page.page);
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_and_column_of_a_guide_is_known() {
        let schemas = tables::SchemaSet::builtin();
        for page in all() {
            assert!(!page.exports.is_empty() && !page.recognised.is_empty(), "{}", page.page);
            let known: Vec<_> = page.tables.iter().filter_map(|table| schemas.get(table)).collect();
            assert_eq!(known.len(), page.tables.len(), "{}: {:?}", page.page, page.tables);
            for (list, fields, _) in &page.fields {
                for (field, column) in fields.iter().filter(|(_, column)| !column.is_empty()) {
                    let found = known.iter().any(|table| table.column(column).is_some());
                    assert!(found, "{list}: {field} goes to {column}, which no table of {} has", page.page);
                }
            }
        }
    }

    #[test]
    fn names_are_told_apart() {
        let mut names: Vec<&str> = super::super::names().collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    }
}
