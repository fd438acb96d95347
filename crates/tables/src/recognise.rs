//! Which known table a set of column names belongs to.
//!
//! Columns that few tables have say much, columns that all have say nothing. When two tables fit equally well the
//! answer is none: a guess would put rows where no rule expects them.

use std::collections::{HashMap, HashSet};

use crate::{SchemaSet, TableSchema};

/// A table that fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Recognised<'a> {
    pub table: &'a TableSchema,
    /// 0 to 1: how much of what the names say the table explains.
    pub score: f64,
}

/// The least share of the names' weight that must be the table's.
const SCORE_MIN: f64 = 0.7;
/// How much better than the runner-up the best must be.
const MARGIN: f64 = 0.02;
/// The least number of names that are the table's own rather than those of a large part of all tables.
const TELLING_MIN: usize = 2;
/// A name that more than this share of all tables has tells nothing.
const COMMON_SHARE: f64 = 0.1;

impl SchemaSet {
    /// The table whose columns these names are, when there is one that fits clearly best.
    pub fn recognise(&self, names: &[&str]) -> Option<Recognised<'_>> {
        let names: HashSet<&str> = names.iter().copied().filter(|name| !name.is_empty()).collect();
        let tables = self.column_names();
        let total = tables.len() as f64;
        let mut spread: HashMap<&str, f64> = names.iter().map(|name| (*name, 0.0)).collect();
        let mut hits: Vec<(usize, Vec<&str>)> = Vec::new();
        for (index, (_, columns)) in tables.iter().enumerate() {
            let found: Vec<&str> = columns.iter().copied().filter(|column| names.contains(column)).collect();
            for name in &found {
                *spread.entry(name).or_default() += 1.0;
            }
            if !found.is_empty() {
                hits.push((index, found));
            }
        }
        let weight = |name: &str| (total / spread.get(name).copied().unwrap_or(0.0).max(1.0)).ln();
        let telling = |name: &str| spread.get(name).is_some_and(|count| *count <= (total * COMMON_SHARE).max(1.0));
        let all: f64 = names.iter().map(|name| weight(name)).sum();
        let mut ranked: Vec<(f64, f64, usize)> = Vec::new();
        for (index, found) in &hits {
            let explained: f64 = found.iter().map(|name| weight(name)).sum();
            let score = if all > 0.0 { explained / all } else { 0.0 };
            let (_, columns) = &tables[*index];
            let every = found.len() == columns.len() && found.len() == names.len();
            let own = found.iter().filter(|name| telling(name)).count();
            if score >= SCORE_MIN && (own >= TELLING_MIN || every) {
                ranked.push((score, found.len() as f64 / columns.len() as f64, *index));
            }
        }
        ranked.sort_by(|a, b| (b.0 + b.1 * MARGIN).total_cmp(&(a.0 + a.1 * MARGIN)));
        let (score, share, index) = *ranked.first()?;
        // Equal names of columns in two tables: the one that is used more fully wins, and only clearly so.
        let exact = |score: f64, share: f64| score >= 1.0 - f64::EPSILON && share >= 1.0 - f64::EPSILON;
        if let Some((next, next_share, _)) = ranked.get(1)
            && score - next < MARGIN
            && share - next_share < 0.1
            && (!exact(score, share) || exact(*next, *next_share))
        {
            return None;
        }
        let (name, _) = tables.get(index)?;
        self.get(name).map(|table| Recognised { table, score })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognised(names: &[&str]) -> Option<String> {
        SchemaSet::builtin().recognise(names).map(|found| found.table.name.clone())
    }

    #[test]
    fn telling_columns_find_their_table() {
        let names = ["TimeGenerated", "EventName", "AWSRegion", "UserIdentityArn", "ErrorCode"];
        assert_eq!(recognised(&names).as_deref(), Some("AWSCloudTrail"));
        let names = ["TimeGenerated", "AccountUPN", "AccountObjectId", "BlastRadius", "RiskLevel"];
        assert_eq!(recognised(&names).as_deref(), Some("IdentityInfo"));
    }

    #[test]
    fn every_known_table_with_columns_of_its_own_is_found_by_all_of_them() {
        let set = SchemaSet::builtin();
        let (mut right, mut none, mut wrong) = (0, Vec::new(), Vec::new());
        for name in set.names() {
            let table = set.get(name).unwrap();
            let columns: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
            match set.recognise(&columns) {
                Some(found) if found.table.name == name => right += 1,
                Some(found) => wrong.push((name.to_owned(), found.table.name.clone())),
                None => none.push(name.to_owned()),
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
        assert!(right > 950, "{right} right, undecided: {none:?}");
    }

    #[test]
    fn common_or_foreign_columns_name_no_table() {
        assert_eq!(recognised(&["TimeGenerated", "TenantId", "Type"]), None);
        assert_eq!(recognised(&["foo", "bar", "baz"]), None);
        assert_eq!(recognised(&["TimeGenerated", "EventName", "what", "is", "this", "and", "that"]), None);
    }
}
