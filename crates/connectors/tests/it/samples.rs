//! Every record of the reference samples is accounted for.

use connectors::{LoadOptions, load};

use crate::support::check_account;

#[test]
fn every_record_of_the_samples_is_accounted_for() {
    let Some(folder) = testing::shared("samples") else { return };
    let loaded = load(&[folder], &LoadOptions::default()).unwrap();
    let mut records = 0;
    check_account(&loaded);
    for source in &loaded.report.sources {
        assert!(source.stopped.is_none(), "{source:#?}");
        records += source.records;
    }
    assert!(records > 1_000, "{records}");
}
