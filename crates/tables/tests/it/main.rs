//! The project's own table data against the reference schemas it was written from.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;

#[test]
fn every_reference_table_and_column_is_known() {
    let Some(path) = testing::shared("schemas/sentinel-tables.json") else { return };
    let reference: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let set = tables::SchemaSet::builtin();
    let reference = reference.as_object().unwrap();
    assert_eq!(set.names().len(), reference.len());
    for (name, columns) in reference {
        let table = set.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        let ours: Vec<_> = table.columns.iter().map(|c| (c.name.as_str(), c.ty.name())).collect();
        let theirs: Vec<_> =
            columns.as_object().unwrap().iter().map(|(c, t)| (c.as_str(), t.as_str().unwrap())).collect();
        assert_eq!(ours, theirs, "{name}");
    }
}

#[test]
fn the_first_look_up_is_fast() {
    let start = std::time::Instant::now();
    assert!(tables::SchemaSet::builtin().get("SigninLogs").is_some());
    let took = start.elapsed();
    assert!(took.as_millis() < 50, "{took:?}");
}
