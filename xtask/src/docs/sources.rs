//! The pages on sources of logs, from what each source says of itself.

use std::fmt::Write;

use connectors::{SourceGuide, source_guides};

use super::Pages;

/// One page a source, and their index.
pub fn pages() -> Pages {
    let guides = source_guides();
    let mut pages: Pages = guides.iter().map(|guide| (format!("{}.md", guide.page), page(guide))).collect();
    pages.insert("README.md".to_owned(), index(&guides));
    pages
}

const INTRODUCTION: &str = "\
# Sources: what is recognised, and what the format loses

Files, folder trees, globs and `-`; plain, gzip, zstd and UTF-16; zip, tar and 7z archives in place; JSON in any layout (lists,
NDJSON, concatenated, the envelopes `Records`, `records`, `value`, `Events`, `events`, `entries`, `logEvents`, `Findings`, `Results`,
results of query interfaces), CSV with commas, semicolons or tabs, lines of text, Avro, Windows event logs, Parquet (in place
when its rows are a table's, else read as records). Recognised by content; the name of a file matters only for rows that do not
name their table.

Every record is counted once: as a row, a duplicate, something of another kind, or unreadable with its reason and the place of the
first. A bad record leaves its neighbours alone. Commas before closing brackets, control characters in strings and bytes that are
no UTF-8 are mended and counted. Fields without a column are counted by name. A file may inflate to a thousand times its size
beyond 1 GB, an archive's members together; JSON may be 1,000 deep, a record 16 MB.

`--source NAME` reads every record as one of the source of that name; `--table NAME_CL` reads any JSON or CSV as rows of a custom
table, whose columns and types `tidewatch sources` shows; `--tz ZONE` gives the zone of a viewer's times; `--from` and `--to` leave
out files by the date in their path.

Besides the sources below: rows as a workspace exports them (`TimeGenerated`, `$table`, `Type`, or a file named after the table) go
to their table, custom tables `NAME_CL` get the columns that their rows have.

Whatever its name: gzip, zstd, xz and bzip2, in one another, and zip, tar and 7z archives are opened in place. Logs in S3, Blob Storage
and Google Cloud Storage are read by builds with `--features cloud`.

Not read: ORC (export Parquet or JSON), and LEEF (its lines are rows of `Syslog` when they have a syslog header).

";

fn index(guides: &[SourceGuide]) -> String {
    let mut out = INTRODUCTION.to_owned();
    out.push_str("| source | tables |\n|---|---|\n");
    for guide in guides {
        let tables = match guide.tables {
            tables if tables.len() > 4 => format!("{} and {} more", tables[..3].join(", "), tables.len() - 3),
            tables => tables.join(", "),
        };
        let _ = writeln!(out, "| [{}]({}.md) | {tables} |", guide.title, guide.page);
    }
    out
}

fn page(guide: &SourceGuide) -> String {
    let mut out = format!("# {}\n\n", guide.title);
    let names: Vec<String> = guide.names.iter().map(|name| format!("`{name}`")).collect();
    let _ = writeln!(out, "To {}. For `--source`: {}.\n", guide.tables.join(", "), names.join(", "));
    out.push_str("## How to export it\n\n");
    for export in &guide.exports {
        let _ = writeln!(out, "- `{}`", export.how);
        if !export.limits.is_empty() {
            let _ = writeln!(out, "  Limits: {}.", export.limits);
        }
    }
    let _ = writeln!(out, "\n## What is recognised\n\n{}.\n", capital(guide.recognised));
    if !guide.notes.is_empty() {
        out.push_str("## What to know\n\n");
        for note in guide.notes {
            let _ = writeln!(out, "- {note}");
        }
        out.push('\n');
    }
    for (name, fields, named_like) in &guide.fields {
        let _ = writeln!(out, "## Fields: {name}\n");
        for path in named_like.iter() {
            let place = if path.is_empty() { "the record".to_owned() } else { format!("`{path}`") };
            let _ = writeln!(out, "Fields of {place} that are not listed go to the column named like them.\n");
        }
        out.push_str("| field | column |\n|---|---|\n");
        for (field, column) in fields.iter() {
            let column = if column.is_empty() { "(worked into others, or left out)" } else { column };
            let _ = writeln!(out, "| `{field}` | {column} |");
        }
        out.push('\n');
    }
    out.push_str("[Sources](README.md)\n");
    out
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_has_a_page_that_the_index_names() {
        let pages = pages();
        let index = &pages["README.md"];
        assert!(pages.len() > 20);
        for (path, text) in &pages {
            assert!(path == "README.md" || index.contains(&format!("({path})")), "{path}");
            assert!(path == "README.md" || text.contains("## How to export it\n\n- `"), "{path}");
        }
    }
}
