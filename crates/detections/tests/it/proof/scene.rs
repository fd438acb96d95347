//! Raw logs of a test: records in files of the forms their sources write.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};

/// How a file holds its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `{"Records": [...]}`, as CloudTrail delivers.
    Trail,
    /// `{"value": [...]}`, as Microsoft Graph answers.
    Graph,
    /// A bare array, as command lines print.
    Array,
    /// One record a line, as blobs and sinks hold.
    Lines,
}

/// Files of records. A record is addressed as `FILE/INDEX`, a part of it as `FILE/INDEX/json/pointer`.
#[derive(Debug, Clone, Default)]
pub struct Scene {
    files: BTreeMap<&'static str, (Form, Vec<Json>)>,
}

impl Scene {
    pub fn new() -> Scene {
        Scene::default()
    }

    /// Adds a record to a file.
    pub fn with(mut self, file: &'static str, form: Form, record: Json) -> Scene {
        self.push(file, form, record);
        self
    }

    pub fn push(&mut self, file: &'static str, form: Form, record: Json) {
        self.files.entry(file).or_insert_with(|| (form, Vec::new())).1.push(record);
    }

    pub fn record(&mut self, place: &str) -> &mut Json {
        let (file, rest) = place.split_once('/').unwrap();
        let index: usize = rest.parse().unwrap();
        self.files.get_mut(file).and_then(|(_, records)| records.get_mut(index)).unwrap_or_else(|| panic!("{place}"))
    }

    /// Changes one value that is there.
    pub fn set(&mut self, place: &str, value: Json) {
        let mut parts = place.splitn(3, '/');
        let (file, index, pointer) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        let record = self.record(&format!("{file}/{index}"));
        let found = record.pointer_mut(&format!("/{pointer}")).unwrap_or_else(|| panic!("nothing at {place}"));
        *found = value;
    }

    /// Changes one value of every record of a file.
    pub fn set_all(&mut self, file: &str, pointer: &str, value: &Json) {
        for index in 0..self.files[file].1.len() {
            self.set(&format!("{file}/{index}/{pointer}"), value.clone());
        }
    }

    /// Adds a field to a record or takes it away.
    pub fn field(&mut self, place: &str, name: &str, value: Option<Json>) {
        let object = self.record(place).as_object_mut().unwrap();
        match value {
            Some(value) => object.insert(name.to_string(), value),
            None => object.shift_remove(name),
        };
    }

    /// The record again, changed.
    pub fn repeat(&mut self, place: &str, change: impl FnOnce(&mut Json)) {
        let (file, _) = place.split_once('/').unwrap();
        let mut copy = self.record(place).clone();
        change(&mut copy);
        self.files.iter_mut().find(|(name, _)| **name == file).unwrap().1.1.push(copy);
    }

    pub fn remove(&mut self, place: &str) {
        let (file, index) = place.split_once('/').unwrap();
        self.files.iter_mut().find(|(name, _)| **name == file).unwrap().1.1.remove(index.parse().unwrap());
    }

    pub fn write(&self, folder: &Path) {
        for (file, (form, records)) in &self.files {
            let text = match form {
                Form::Trail => json!({ "Records": records }).to_string(),
                Form::Graph => json!({ "value": records }).to_string(),
                Form::Array => serde_json::to_string_pretty(records).unwrap(),
                Form::Lines => records.iter().map(|record| format!("{record}\n")).collect(),
            };
            let extension = if *form == Form::Lines { "ndjson" } else { "json" };
            std::fs::write(folder.join(format!("{file}.{extension}")), text).unwrap();
        }
    }
}
