//! Queries as text files: `queries/*.kqlt`.
//!
//! A file holds cases. Each begins with a line `== ` and its title, then the query, then a line `--` and the result in the
//! form of the registry's examples: a header `name:type,...` and one row a line. `-- unordered` says that rows may come in
//! any order. Every case runs on one partition and on three.

use std::path::Path;
use std::sync::Arc;

use engine::{DataSet, Engine, QueryOptions, TableCatalog};
use kql_types::datetime;

use crate::examples::{check, check_unordered};

struct Case {
    title: String,
    query: String,
    expected: String,
    unordered: bool,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for part in text.split("\n== ").skip(1) {
        let (title, rest) = part.split_once('\n').expect("a title and a query");
        let (query, result) = rest.split_once("\n--").expect("a query and its result");
        let (mark, expected) = result.split_once('\n').expect("a result");
        cases.push(Case {
            title: title.to_owned(),
            query: query.to_owned(),
            expected: expected.trim_end().to_owned(),
            unordered: mark.trim() == "unordered",
        });
    }
    cases
}

#[test]
fn queries_give_what_their_files_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/queries");
    let engine = Engine::new(Arc::new(TableCatalog::new()), Arc::new(DataSet::new()));
    let (mut run, mut wrong) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).expect("the folder of queries") {
        let path = entry.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("a text file");
        for case in cases(&format!("\n{text}")) {
            for partitions in [1, 3] {
                run += 1;
                let options = QueryOptions {
                    partitions: Some(partitions),
                    ..QueryOptions::at(datetime::parse("2026-01-02 03:04:05").expect("a time"))
                };
                let outcome = match engine.run_blocking(&case.query, &options) {
                    Ok(output) => {
                        let table = output.tables.first().expect("a result");
                        if case.unordered {
                            check_unordered(table, &case.expected)
                        } else {
                            check(table, &case.expected)
                        }
                    }
                    Err(error) => Err(error.to_string()),
                };
                if let Err(reason) = outcome {
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    wrong.push(format!("{name}: {} ({partitions} partitions)\n  {reason}", case.title));
                }
            }
        }
    }
    assert!(run > 40, "only {run} runs");
    assert!(wrong.is_empty(), "{} of {run} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
