//! `invoke FileProfile(SHA1, 1000)`: what Microsoft knows of files by their hash. Nobody knows it here.
//!
//! The columns are there, so that rules that filter by them run: all are empty, and `ProfileAvailability` says `Missing`, as
//! the service does for a file without a profile. The bound query says that nobody answered. A stored function of the name goes first.

use kql_syntax::ast;
use kql_types::{ScalarType, Span, Value};

use crate::binder::{Binder, column_expr, literal};
use crate::bound::RelKind;
use crate::scope::Table;

use ScalarType::{Bool, DateTime, Int, String as Text};

/// Columns of the input that a profile fills, and added where they are not there.
const OF_THE_FILE: &[(&str, ScalarType)] = &[("SHA1", Text), ("SHA256", Text), ("MD5", Text), ("FileSize", Int)];

/// Columns of the profile alone.
const OF_THE_PROFILE: &[(&str, ScalarType)] = &[
    ("GlobalPrevalence", Int),
    ("GlobalFirstSeen", DateTime),
    ("GlobalLastSeen", DateTime),
    ("Signer", Text),
    ("Issuer", Text),
    ("SignerHash", Text),
    ("IsCertificateValid", Bool),
    ("IsRootSignerMicrosoft", Bool),
    ("SignatureState", Text),
    ("IsExecutable", Bool),
    ("ThreatName", Text),
    ("Publisher", Text),
    ("SoftwareName", Text),
];

impl Binder<'_> {
    pub(super) fn file_profile(&mut self, input: Table, args: &[ast::Expr], span: Span) -> Table {
        self.note_absent("FileProfile()");
        // The column of hashes, by its name or as a text, and how many files to ask for.
        let (input, ()) = self.with_row(input, |b, _| {
            for arg in args {
                b.scalar(arg);
            }
        });
        let mut columns = input.rel.columns.clone();
        let mut exprs: Vec<_> = columns.iter().map(|column| (column.id, column_expr(column, span))).collect();
        let known = |columns: &[crate::bound::BoundColumn], name: &str| columns.iter().any(|c| &*c.name == name);
        let availability = Value::String("Missing".to_string());
        let added = OF_THE_FILE.iter().chain(OF_THE_PROFILE).map(|(name, ty)| (*name, Value::missing(*ty)));
        for (name, value) in added.chain([("ProfileAvailability", availability)]) {
            let of_the_file = OF_THE_FILE.iter().any(|(own, _)| *own == name);
            if of_the_file && known(&columns, name) {
                continue;
            }
            let value = literal(value, span);
            let column = self.new_column(name, value.ty);
            exprs.push((column.id, value));
            match columns.iter().position(|other| *other.name == *name) {
                Some(place) => {
                    columns[place] = column;
                    let last = exprs.pop();
                    exprs.splice(place..=place, last);
                }
                None => columns.push(column),
            }
        }
        let (open, serialized) = (input.open, input.rel.serialized);
        let kind = RelKind::Project { input: input.rel, exprs };
        Table { open, ..Table::new(self.rel(kind, columns, serialized, span)) }
    }
}
