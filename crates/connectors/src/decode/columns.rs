//! Rows of a file of columns to rows of tables.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{Decoder, Event};
use crate::delimited::{self, CellTypes, Line, Rows};
use crate::report::Example;
use crate::sources::entra::portal::Download;
use crate::sources::exported::{self, Plan, Target, Values};

/// What the first row of a file says of the others.
pub(crate) struct Header {
    names: Vec<Cow<'static, str>>,
    /// A file of the Entra portal, whose columns have names of their own.
    download: Option<Download>,
    /// The column that names the table.
    table: Option<usize>,
    /// Rows are those of a table, not raw records that look like it when case is ignored.
    of_table: bool,
}

impl Header {
    pub(crate) fn new(names: &[Cow<'static, str>], path: &str) -> Header {
        let download = Download::of(names, path);
        let names = download.as_ref().map_or_else(|| names.to_vec(), |download| download.names.clone());
        let called = |wanted: &str| names.iter().position(|name| name == wanted);
        let table = called("$table").or_else(|| called("Type"));
        let marked = called("$table").is_some() || names.iter().any(|name| exported::is_time_column(name));
        Header { of_table: marked || !is_raw(&names), table, download, names }
    }
}

/// True for the names of raw records.
fn is_raw(names: &[Cow<'_, str>]) -> bool {
    const RAW: &[&str] = &[
        "eventJson",
        "eventName",
        "eventname",
        "protoPayload",
        "protopayload_auditlog",
        "operationName",
        "srcaddr",
        "AuditData",
    ];
    names.iter().any(|name| RAW.contains(&name.as_ref()))
}

impl Decoder<'_> {
    pub(super) fn columns(&mut self, header: &Header, rows: &Rows) {
        let mut plans: HashMap<String, Plan> = HashMap::new();
        for (record, line) in rows.lines(header.names.len(), self.options.limits.record_bytes) {
            self.report.records += 1;
            let (offset, at_line) = (line.offset, line.line);
            let shown = if line.lossy || line.content.is_err() { delimited::shown(&line) } else { String::new() };
            if line.lossy {
                self.events.push(Event::Mended("invalid UTF-8"));
            }
            self.columns_row(record, line, header, &mut plans);
            if !self.events.is_empty() {
                self.count_events(&Example { record, offset, line: at_line, text: shown });
            }
        }
    }

    fn columns_row(&mut self, record: u64, line: Line<'_>, header: &Header, plans: &mut HashMap<String, Plan>) {
        let cells = match line.content {
            Ok(cells) => cells,
            Err(reason) => return self.events.push(Event::Unreadable(reason)),
        };
        let Header { names, download, table, of_table } = header;
        self.damage.see(names, &cells);
        let named = match download {
            Some(download) => download.table,
            None => table.and_then(|index| cells.get(index)).map_or("", |cell| cell.as_ref()),
        };
        if !plans.contains_key(named) {
            plans.insert(named.to_owned(), exported::plan(names, named, self.place.path, self.maps));
        }
        match plans.get(named).map(|plan| (plan, &plan.target)) {
            Some((plan, Target::Known(spec))) if self.options.is_open() && *of_table => {
                self.count_kind("exported rows");
                let mut row = exported::row(plan, spec, names, Values::Text(&cells));
                if let Some(download) = download {
                    download.complete(&cells, &mut row);
                }
                self.row(record, row);
            }
            found => {
                let custom = matches!(found, Some((_, Target::Custom(_)))) || self.options.table.is_some();
                let types = if custom { CellTypes::ByForm } else { CellTypes::Texts };
                self.text(record, &delimited::as_json(names, &cells, types));
            }
        }
    }
}
