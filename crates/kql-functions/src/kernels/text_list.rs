//! Arguments that hold several texts: a value of any type, or a dynamic array of them.

use kql_types::Dynamic;

use super::printed::Printed;
use super::{Args, KernelError};

/// One such argument.
#[derive(Debug, Clone, Copy)]
pub struct TextList<'a> {
    argument: Printed<'a>,
}

impl<'a> Args<'a> {
    /// An argument that is a text, or an array of texts.
    pub fn text_list(&self, index: usize) -> Result<TextList<'a>, KernelError> {
        Ok(TextList { argument: self.printed(index)? })
    }

    /// The arguments from an index on.
    pub fn text_lists(&self, from: usize) -> Result<Vec<TextList<'a>>, KernelError> {
        (from..self.count()).map(|index| self.text_list(index)).collect()
    }

    /// Whether all arguments from an index on are constant.
    pub fn all_constant(&self, from: usize) -> bool {
        self.constant.iter().skip(from).all(|constant| *constant)
    }
}

impl TextList<'_> {
    /// Appends the texts of a row. Nulls are passed over, arrays within arrays count element by element.
    pub fn gather(&self, row: usize, out: &mut Vec<String>) {
        match &self.argument {
            Printed::Dynamic(text) => {
                if let Some(value) = text.opt(row).and_then(Dynamic::parse) {
                    gather_dynamic(&value, out);
                }
            }
            argument => {
                let mut text = String::new();
                argument.write(row, &mut text);
                out.push(text);
            }
        }
    }
}

fn gather_dynamic(value: &Dynamic, out: &mut Vec<String>) {
    match value {
        Dynamic::Array(items) => items.iter().for_each(|item| gather_dynamic(item, out)),
        Dynamic::Null => {}
        scalar => out.push(scalar.to_text()),
    }
}
