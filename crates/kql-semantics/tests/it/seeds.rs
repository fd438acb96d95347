//! The five published detections: result columns, names and types.

use crate::catalog::{json, reference};
use crate::{bind, columns, has_error, recorded_columns};

#[test]
fn published_detections_have_their_columns() {
    let Some(catalog) = reference() else { return };
    for name in [
        "anomalous-resource-creation",
        "create-cloud-instance",
        "modify-cloud-compute",
        "run-command-ueba",
        "suspicious-vm-creation",
    ] {
        let query = std::fs::read_to_string(testing::shared(&format!("seeds/{name}.kql")).unwrap()).unwrap();
        let schema = json(&format!("seeds/{name}.schema.json")).unwrap();
        let bound = bind(&query, catalog);
        assert!(!has_error(&bound), "{name}: {:#?}", bound.diagnostics);
        assert_eq!(columns(&bound), recorded_columns(&schema["result"]), "{name}");
        assert!(bound.query.is_some_and(|query| query.unsupported.is_empty()), "{name}");
    }
}
