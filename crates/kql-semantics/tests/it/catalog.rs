//! A catalog from the reference data: tables, overlay aliases, stored functions.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use kql_semantics::{Catalog, CatalogMemo, StoredFunction, TableInfo};
use kql_types::{Column, ScalarType};
use serde_json::Value;

#[derive(Default)]
pub struct TestCatalog {
    tables: BTreeMap<String, Arc<TableInfo>>,
    functions: BTreeMap<String, Arc<StoredFunction>>,
    memo: CatalogMemo,
}

impl TestCatalog {
    /// Tables as `{name: {column: type}}`.
    pub fn of_tables(schemas: &Value) -> TestCatalog {
        let mut catalog = TestCatalog::default();
        for (name, columns) in schemas.as_object().into_iter().flatten() {
            let columns = columns.as_object().into_iter().flatten().map(|(name, ty)| {
                let ty = ty.as_str().and_then(ScalarType::parse).expect("a known type");
                Column::new(name.clone(), ty)
            });
            let info = TableInfo::new(name, columns.collect(), Vec::new());
            catalog.tables.insert(name.clone(), Arc::new(info));
        }
        catalog
    }

    pub fn with_functions(mut self, functions: &Value) -> TestCatalog {
        for (name, function) in functions.as_object().into_iter().flatten() {
            if function["body"].is_null() {
                continue;
            }
            let text = |key: &str| function[key].as_str().unwrap_or_default().to_string();
            let stored = StoredFunction { name: name.clone(), params: text("params"), body: text("body") };
            self.functions.insert(name.clone(), Arc::new(stored));
        }
        self
    }

    pub fn with_alias(mut self, table: &str, alias: &str, column: &str) -> TestCatalog {
        if let Some(info) = self.tables.get(table) {
            let mut info = TableInfo::clone(info);
            info.aliases.push((alias.to_string(), column.to_string()));
            self.tables.insert(table.to_string(), Arc::new(info));
        }
        self
    }
}

impl Catalog for TestCatalog {
    fn table(&self, name: &str) -> Option<Arc<TableInfo>> {
        self.tables.get(name).cloned()
    }
    fn table_names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }
    fn has_rows(&self, _: &str) -> bool {
        false
    }
    fn memo(&self) -> Option<&CatalogMemo> {
        Some(&self.memo)
    }
    fn function(&self, name: &str) -> Option<Arc<StoredFunction>> {
        self.functions.get(name).cloned()
    }
    fn function_names(&self) -> Vec<String> {
        self.functions.keys().cloned().collect()
    }
}

/// JSON of the reference data; None when it is not there.
pub fn json(path: &str) -> Option<Value> {
    let text = std::fs::read_to_string(testing::shared(path)?).expect("readable reference data");
    Some(serde_json::from_str(&text).expect("JSON reference data"))
}

/// All tables and functions of the reference data.
pub fn reference() -> Option<&'static TestCatalog> {
    static CATALOG: OnceLock<Option<TestCatalog>> = OnceLock::new();
    CATALOG
        .get_or_init(|| {
            let tables = json("schemas/sentinel-tables.json")?;
            let functions = json("corpus/functions.json")?;
            let catalog = TestCatalog::of_tables(&tables).with_functions(&functions);
            Some(catalog.with_alias("AWSCloudTrail", "AwsRegion", "AWSRegion"))
        })
        .as_ref()
}
