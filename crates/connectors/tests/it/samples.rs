//! Every record of the reference samples is accounted for.

use connectors::{LoadOptions, load};

#[test]
fn every_record_of_the_samples_is_accounted_for() {
    let Some(folder) = testing::shared("samples") else { return };
    let loaded = load(&[folder], &LoadOptions::default()).unwrap();
    let mut records = 0;
    for source in &loaded.report.sources {
        assert!(source.adds_up(), "{source:#?}");
        assert!(source.stopped.is_none(), "{source:#?}");
        records += source.records;
    }
    assert!(records > 1_000, "{records}");
    let rows: u64 = loaded.report.sources.iter().map(|source| source.rows).sum();
    let held: usize = loaded.tables.values().flatten().map(|batch| batch.num_rows()).sum();
    assert_eq!(rows, held as u64);
}
