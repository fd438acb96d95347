//! The engine's rows beside those of the row-by-row evaluator, over the same made-up tables.
//!
//! `cargo xtask corpus --second-opinion` compares every query that the evaluator knows; the test runs a fixed sample.

use engine::ResultTable;
use kql_semantics::bound::BoundQuery;
use witness::Rows;

use crate::made::now;

/// Where the two differ; `Err` says what the evaluator does not know.
pub fn difference(bound: &BoundQuery, rows: &Rows, tables: &[ResultTable]) -> Result<Option<String>, naive::NotDone> {
    let expected = naive::evaluate(bound, rows, now())?;
    if expected.len() != tables.len() {
        return Ok(Some(format!("{} results, expected {}", tables.len(), expected.len())));
    }
    Ok(expected.iter().zip(tables).find_map(|(expected, got)| naive::agree::difference(&got.rows(), &expected.rows)))
}

/// So many of the ids, in the order of the draw: any order of the ids gives the same.
pub fn drawn(ids: &[String], count: usize) -> Vec<&str> {
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    ids.sort_by_key(|id| (draw(id), *id));
    ids.truncate(count);
    ids
}

/// The place of an id in a draw with a fixed seed: FNV-1a, so that it does not depend on a library's hasher.
pub fn draw(id: &str) -> u64 {
    const SEED: u64 = 0x7469_6465_7761_7463;
    let hash = id.bytes().fold(SEED, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    hash ^ (hash >> 29)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::collections::BTreeMap;

    use engine::ResultTable;

    use crate::made::{self, Made};
    use crate::{corpus, host};

    /// One id a line, as `cargo xtask corpus --sample 50` drew them from all queries of the collection that return rows.
    /// After the id of a query that the evaluator does not know stand the rows derived by hand, one a line, indented.
    const SAMPLE: &str = include_str!("../fixtures/checked-queries.txt");

    fn sample() -> BTreeMap<&'static str, Vec<&'static str>> {
        let mut sample: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut last = "";
        for line in SAMPLE.lines().filter(|line| !line.starts_with('#')) {
            match line.strip_prefix("    ") {
                Some(row) => sample.get_mut(last).unwrap().push(row),
                None => {
                    last = line;
                    sample.insert(line, Vec::new());
                }
            }
        }
        sample
    }

    /// What is wrong with the rows of a query, if anything.
    fn verdict(entry: &corpus::Entry, by_hand: &[&str], catalog: &host::SharedCatalog) -> Option<String> {
        let text = made::filled(host::with_parameters(&entry.query, entry.params.as_deref()));
        let bound = host::engine(catalog, None).check(&text, &made::query_options()).bound.unwrap();
        let made = Made::new(&text, bound, catalog).unwrap();
        let output = match made.run() {
            Ok(output) => output,
            Err(error) => return Some(error.to_string()),
        };
        if output.tables.iter().map(ResultTable::row_count).sum::<usize>() == 0 {
            return Some("no rows".to_string());
        }
        match super::difference(&made.bound, &made.rows, &output.tables) {
            Ok(difference) => difference,
            Err(unknown) => {
                let rows = output.tables.iter().flat_map(ResultTable::rows);
                let mut got: Vec<String> = rows.map(|row| naive::agree::line(&row)).collect();
                got.sort();
                let mut wanted = by_hand.to_vec();
                wanted.sort_unstable();
                (got != wanted).then(|| format!("{unknown}; rows:\n    {}", got.join("\n    ")))
            }
        }
    }

    #[test]
    fn a_sample_of_public_rules_gives_the_rows_that_were_derived_apart_from_the_engine() {
        let Some(path) = testing::shared("corpus/sentinel-open.jsonl.gz") else { return };
        let (sample, catalog) = (sample(), host::catalog().unwrap());
        assert_eq!(sample.len(), 50);
        let entries = corpus::read(&path, 1, 0, None).unwrap();
        let mut wrong = Vec::new();
        let mut checked = 0;
        std::thread::scope(|scope| {
            let worker = std::thread::Builder::new().stack_size(256 << 20);
            let run = worker.spawn_scoped(scope, || {
                for entry in &entries {
                    if let Some(by_hand) = sample.get(entry.id.as_str()) {
                        checked += 1;
                        wrong
                            .extend(verdict(entry, by_hand, &catalog).map(|verdict| format!("{} {verdict}", entry.id)));
                    }
                }
            });
            run.unwrap().join().unwrap();
        });
        assert_eq!(checked, 50, "the collection has every query of the sample");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
