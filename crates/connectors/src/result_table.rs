//! Results of query interfaces: `{"tables":[{"name":...,"columns":[{"name":...}],"rows":[[...],...]}]}`, in the spelling
//! of the log interface and of the older one of the cluster (`Tables`, `Columns`, `ColumnName`, `Rows`).
//!
//! The rows are lists; here is where the names come from that make them records.

use std::sync::Arc;

use crate::json::{ScanError, scan, text};

/// Names of columns, shared by the rows of a result.
pub(crate) type Names = Arc<[String]>;

/// Columns that a result may have.
const COLUMNS_MAX: usize = 1_000;

/// The names of the columns and the place of the list of rows, when the object at `start` is a table of a result; Err
/// when the text ends too early to say.
pub(crate) fn find(bytes: &[u8], start: usize) -> Result<Option<(Names, usize)>, ()> {
    let mut names: Option<Names> = None;
    let mut at = scan::skip_space(bytes, start + 1);
    loop {
        let Some((key, value)) = key(bytes, at)? else { return Ok(None) };
        at = value;
        match key {
            b"rows" | b"Rows" => return rows(bytes, at, names),
            b"name" | b"TableName" | b"columns" | b"Columns" => {}
            _ => return Ok(None),
        }
        let end = match scan::skip_value(bytes, at, 8) {
            Ok(end) => end,
            Err(ScanError::Incomplete) => return Err(()),
            Err(_) => return Ok(None),
        };
        if matches!(key, b"columns" | b"Columns") {
            names = bytes.get(at..end).and_then(column_names);
            if names.is_none() {
                return Ok(None);
            }
        }
        at = scan::skip_space(bytes, end);
        match bytes.get(at) {
            None => return Err(()),
            Some(b',') => at = scan::skip_space(bytes, at + 1),
            Some(_) => return Ok(None),
        }
    }
}

fn rows(bytes: &[u8], at: usize, names: Option<Names>) -> Result<Option<(Names, usize)>, ()> {
    match (names, bytes.get(at)) {
        (Some(_), None) => Err(()),
        (Some(names), Some(b'[')) => match bytes.get(scan::skip_space(bytes, at + 1)) {
            None => Err(()),
            Some(b'[' | b']') => Ok(Some((names, at))),
            Some(_) => Ok(None),
        },
        _ => Ok(None),
    }
}

/// The key at `at` and the start of its value; None when there is no key.
fn key(bytes: &[u8], at: usize) -> Result<Option<(&[u8], usize)>, ()> {
    match bytes.get(at) {
        None => return Err(()),
        Some(b'"') => {}
        Some(_) => return Ok(None),
    }
    let Some(length) = bytes.get(at + 1..).and_then(|rest| memchr::memchr(b'"', rest)) else { return Err(()) };
    let colon = scan::skip_space(bytes, at + length + 2);
    match bytes.get(colon) {
        None => Err(()),
        Some(b':') => Ok(bytes.get(at + 1..at + 1 + length).map(|key| (key, scan::skip_space(bytes, colon + 1)))),
        Some(_) => Ok(None),
    }
}

fn column_names(list: &[u8]) -> Option<Names> {
    let list = std::str::from_utf8(list).ok()?;
    let columns = scan::elements(list, 8)?;
    if columns.is_empty() || columns.len() > COLUMNS_MAX {
        return None;
    }
    let name = |column: &&str| {
        let object = crate::sources::Object::of(column)?;
        Some(object.text("name").or_else(|| object.text("ColumnName"))?.into_owned())
    };
    columns.iter().map(name).collect::<Option<Vec<String>>>().map(Names::from)
}

/// A row as the object it stands for; None when it has another number of values than there are columns.
pub(crate) fn as_object(names: &[String], row: &str, depth_max: usize) -> Option<String> {
    let values = scan::elements(row, depth_max)?;
    if values.len() != names.len() {
        return None;
    }
    let mut out = String::with_capacity(row.len() + names.len() * 16);
    for (name, value) in names.iter().zip(values) {
        out.push(if out.is_empty() { '{' } else { ',' });
        out.push_str(&text::quoted(name));
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_told_from_records_and_from_their_beginnings() {
        let table =
            r#"{"name":"PrimaryResult","columns":[{"name":"a","type":"string"},{"name":"b"}],"rows":[["x",1]]}"#;
        let (names, rows) = find(table.as_bytes(), 0).unwrap().unwrap();
        assert_eq!((&*names, &table[rows..rows + 3]), (&["a".to_owned(), "b".to_owned()][..], "[[\""));
        for cut in 1..=rows + 1 {
            assert_eq!(find(&table.as_bytes()[..cut], 0), Err(()), "{cut}");
        }
        for other in [r#"{"name":"x","other":1}"#, r#"{"name":"x","columns":[1],"rows":[[]]}"#, r#"{"rows":[[1]]}"#] {
            assert_eq!(find(other.as_bytes(), 0), Ok(None), "{other}");
        }
    }

    #[test]
    fn rows_become_objects() {
        let names = ["a\"".to_owned(), "b".to_owned()];
        assert_eq!(as_object(&names, r#"["x", {"k":1}]"#, 10).as_deref(), Some(r#"{"a\"":"x","b":{"k":1}}"#));
        assert_eq!(as_object(&names, "[1]", 10), None);
    }
}
