//! `buildschema`: the least schema that covers all values.
//!
//! A scalar is described by its type name, an array by ``{"`indexer`": schema of its elements}``, a bag by the schemas of
//! its keys. Several possibilities stand in an array: the bag, the array, then the scalars as they appeared.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringViewArray, StringViewBuilder};
use arrow::datatypes::DataType;
use kql_types::Dynamic;

use super::aggregate_state::{bug, downcast, each_text, grow_with, partial, take_first};
use super::{AggregateCall, Args, GroupState, KernelError, KernelResult};

const INDEXER: &str = "`indexer`";

/// `buildschema(expr)`.
pub fn buildschema(_call: &AggregateCall<'_>) -> Result<Box<dyn GroupState>, KernelError> {
    Ok(Box::new(Schemas { schemas: Vec::new() }))
}

/// What values were seen at one place.
#[derive(Debug, Clone, Default, PartialEq)]
struct Schema {
    scalars: Vec<String>,
    array: Option<Box<Schema>>,
    bag: Option<Vec<(String, Schema)>>,
}

impl Schema {
    fn is_empty(&self) -> bool {
        self.scalars.is_empty() && self.array.is_none() && self.bag.is_none()
    }

    fn add_scalar(&mut self, name: &str) {
        if !self.scalars.iter().any(|scalar| scalar == name) {
            self.scalars.push(name.to_owned());
        }
    }

    fn key(&mut self, name: &str) -> &mut Schema {
        let bag = self.bag.get_or_insert_default();
        let place = bag.iter().position(|(key, _)| key == name).unwrap_or_else(|| {
            bag.push((name.to_owned(), Schema::default()));
            bag.len() - 1
        });
        &mut bag[place].1
    }

    fn add(&mut self, value: &Dynamic) {
        match value {
            Dynamic::Null => {}
            Dynamic::Array(items) => {
                let array = self.array.get_or_insert_default();
                items.iter().for_each(|item| array.add(item));
            }
            Dynamic::Bag(entries) => {
                self.bag.get_or_insert_default();
                entries.iter().for_each(|(key, value)| self.key(key).add(value));
            }
            scalar => self.add_scalar(scalar.type_name()),
        }
    }

    /// As the dynamic value; None when nothing was seen.
    fn to_dynamic(&self) -> Option<Dynamic> {
        let mut parts = Vec::new();
        if let Some(entries) = &self.bag {
            let entry = |(key, schema): &(String, Schema)| Some((key.clone(), schema.to_dynamic()?));
            parts.push(Dynamic::Bag(entries.iter().filter_map(entry).collect()));
        }
        if let Some(array) = &self.array {
            let items = array.to_dynamic().unwrap_or_else(|| Dynamic::Array(Vec::new()));
            parts.push(Dynamic::Bag(vec![(INDEXER.to_owned(), items)]));
        }
        parts.extend(self.scalars.iter().cloned().map(Dynamic::String));
        match parts.len() {
            0 => None,
            1 => parts.pop(),
            _ => Some(Dynamic::Array(parts)),
        }
    }

    /// Adds a schema given as its dynamic value.
    fn add_schema(&mut self, schema: &Dynamic) {
        match schema {
            Dynamic::String(name) => self.add_scalar(name),
            Dynamic::Array(parts) => parts.iter().for_each(|part| self.add_schema(part)),
            Dynamic::Bag(entries) => match entries.as_slice() {
                [(key, items)] if key == INDEXER => self.array.get_or_insert_default().add_schema(items),
                _ => {
                    self.bag.get_or_insert_default();
                    entries.iter().for_each(|(key, schema)| self.key(key).add_schema(schema));
                }
            },
            _ => {}
        }
    }

    fn size(&self) -> usize {
        let scalars: usize = self.scalars.iter().map(|name| name.len() + size_of::<String>()).sum();
        let bag = |entries: &Vec<(String, Schema)>| {
            entries.iter().map(|(key, schema)| key.len() + size_of::<String>() + schema.size()).sum::<usize>()
        };
        size_of::<Schema>()
            + scalars
            + self.array.as_ref().map_or(0, |schema| schema.size())
            + self.bag.as_ref().map_or(0, bag)
    }
}

#[derive(Debug)]
struct Schemas {
    schemas: Vec<Schema>,
}

impl Schemas {
    fn take(&mut self, count: usize) -> KernelResult {
        grow_with(&mut self.schemas, count, Schema::default);
        let mut builder = StringViewBuilder::with_capacity(count);
        for schema in take_first(&mut self.schemas, count) {
            match schema.to_dynamic() {
                Some(value) => builder.try_append_value(value.to_canonical()).map_err(bug)?,
                None => builder.append_null(),
            }
        }
        Ok(Arc::new(builder.finish()))
    }
}

impl GroupState for Schemas {
    fn update(&mut self, args: &Args<'_>, groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow_with(&mut self.schemas, total, Schema::default);
        each_text(args, 0, groups, |group, text| {
            if let Some(value) = Dynamic::parse(text) {
                self.schemas[group].add(&value);
            }
            Ok(())
        })
    }

    fn take_partial(&mut self, count: usize) -> Result<Vec<ArrayRef>, KernelError> {
        Ok(vec![self.take(count)?])
    }

    fn partial_types(&self) -> Vec<DataType> {
        vec![DataType::Utf8View]
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: &[usize], total: usize) -> Result<(), KernelError> {
        grow_with(&mut self.schemas, total, Schema::default);
        for (group, text) in groups.iter().zip(downcast::<StringViewArray>(partial(columns, 0)?)?) {
            if let Some(schema) = text.and_then(Dynamic::parse) {
                self.schemas[*group].add_schema(&schema);
            }
        }
        Ok(())
    }

    fn take_final(&mut self, count: usize) -> KernelResult {
        self.take(count)
    }

    fn size(&self) -> usize {
        self.schemas.iter().filter(|schema| !schema.is_empty()).map(Schema::size).sum()
    }
}
