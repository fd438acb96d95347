//! `schema_merge`: rows of `getschema` put together, one for each column name.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringViewArray};
use arrow::datatypes::Int64Type;
use kql_types::ScalarType;

use super::super::KernelError;
use super::whole::{Made, WholeTable, column};

/// Columns: name, ordinal, .NET type, type. With `preserve_order` a name must have one ordinal.
#[derive(Debug)]
pub struct SchemaMerge {
    pub preserve_order: bool,
}

struct Merged {
    name: String,
    row: u32,
    ordinals: Vec<i64>,
    systems: Vec<String>,
    types: Vec<String>,
}

impl WholeTable for SchemaMerge {
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError> {
        let text = |place: usize, row: usize| -> Result<String, KernelError> {
            Ok(column(columns, place)?
                .as_string_view_opt()
                .map_or(String::new(), |column| column.value(row).to_owned()))
        };
        let mut all: Vec<Merged> = Vec::new();
        for row in 0..rows {
            let name = text(0, row)?;
            let ordinal = column(columns, 1)?.as_primitive_opt::<Int64Type>().map_or(0, |column| column.value(row));
            let at = all.iter().position(|known| known.name == name).unwrap_or_else(|| {
                let row = row as u32;
                let (ordinals, systems, types) = (Vec::new(), Vec::new(), Vec::new());
                all.push(Merged { name, row, ordinals, systems, types });
                all.len() - 1
            });
            if let Some(merged) = all.get_mut(at) {
                merged.ordinals.push(ordinal);
                merged.systems.push(text(2, row)?);
                merged.types.push(text(3, row)?);
            }
        }
        // Where ordinals differ, the greatest is the column's place.
        all.sort_by_key(|merged| merged.ordinals.iter().copied().max());
        let mut names = Vec::new();
        let mut ordinals = Vec::new();
        let (mut systems, mut types) = (Vec::new(), Vec::new());
        for (place, merged) in all.iter().enumerate() {
            let moved = self.preserve_order && merged.ordinals.windows(2).any(|pair| pair.first() != pair.last());
            names.push(merged.name.clone());
            let common = common(&merged.types);
            let wrong = match common {
                _ if moved => Some("ERROR(columns are out of order)"),
                None => Some("ERROR(column types are different)"),
                Some(_) => None,
            };
            ordinals.push(if moved { -1 } else { place as i64 });
            let kept = common.and_then(|ty| merged.types.iter().position(|own| own == ty)).unwrap_or(0);
            systems.push(match wrong {
                Some(error) => format!("ERROR(unknown CSL type:{error})"),
                None => merged.systems.get(kept).cloned().unwrap_or_default(),
            });
            types.push(wrong.or(common).unwrap_or_default().to_owned());
        }
        let strings = |values: Vec<String>| -> ArrayRef { Arc::new(StringViewArray::from_iter_values(values)) };
        Ok(Made {
            rows: all.iter().map(|merged| merged.row).collect(),
            columns: vec![strings(names), Arc::new(Int64Array::from(ordinals)), strings(systems), strings(types)],
        })
    }
}

/// The type among these that holds the values of all.
fn common(types: &[String]) -> Option<&str> {
    let holds = |wide: &str, narrow: &str| {
        wide == narrow
            || matches!(
                (ScalarType::parse(wide), ScalarType::parse(narrow)),
                (Some(ScalarType::Long), Some(ScalarType::Int))
                    | (Some(ScalarType::Real), Some(ScalarType::Int | ScalarType::Long))
            )
    };
    types.iter().map(String::as_str).find(|wide| types.iter().all(|narrow| holds(wide, narrow)))
}
