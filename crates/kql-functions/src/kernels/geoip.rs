//! The places of addresses, from a database in MaxMind's format that the user gives.
//!
//! The path of the database stands behind the address as a constant argument: a plan can be made again in another process
//! that has the file. Databases stay open, by path; [`open`] reads one anew.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use kql_types::Dynamic;
use maxminddb::{Reader, path};

use super::{Args, KernelError, KernelResult};

type Database = Reader<Vec<u8>>;

static DATABASES: LazyLock<Mutex<HashMap<String, Arc<Database>>>> = LazyLock::new(Mutex::default);

/// Reads a database, also when it was read before.
///
/// # Errors
/// A file that can't be read or is no database.
pub fn open(path: &str) -> Result<(), KernelError> {
    let failed = |error: &dyn std::fmt::Display| KernelError(format!("{path}: {error}"));
    let bytes = std::fs::read(path).map_err(|error| failed(&error))?;
    let database = Reader::from_source(bytes).map_err(|error| failed(&error))?;
    DATABASES.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), Arc::new(database));
    Ok(())
}

fn database(path: &str) -> Result<Arc<Database>, KernelError> {
    let known = || DATABASES.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
    if let Some(database) = known() {
        return Ok(database);
    }
    open(path)?;
    known().ok_or_else(|| KernelError(format!("{path} is not open")))
}

/// `geo_info_from_ip_address(address [, database])`: null for what is no address, and a bag without entries where nothing
/// is known.
pub fn geo_info_from_ip_address(args: &Args<'_>) -> KernelResult {
    let address = args.text(0)?;
    let database = match args.count() > 1 && args.rows > 0 {
        true => Some(database(args.text(1)?.at(0))?),
        false => None,
    };
    args.to_dynamic_values(|row| {
        let address: IpAddr = address.at(row).trim().parse().ok()?;
        Some(Dynamic::Bag(database.as_deref().map(|database| place(database, address)).unwrap_or_default()))
    })
}

/// What a database knows of an address, under the names that Kusto gives it. A damaged record counts as unknown.
fn place(database: &Database, address: IpAddr) -> Vec<(String, Dynamic)> {
    let Ok(record) = database.lookup(address) else { return Vec::new() };
    let text = |found: Result<Option<&str>, _>| found.ok().flatten().map(|text| Dynamic::String(text.to_owned()));
    let real = |found: Result<Option<f64>, _>| found.ok().flatten().map(Dynamic::Real);
    let fields = [
        ("country", text(record.decode_path(&path!["country", "names", "en"]))),
        ("state", text(record.decode_path(&path!["subdivisions", 0, "names", "en"]))),
        ("city", text(record.decode_path(&path!["city", "names", "en"]))),
        ("latitude", real(record.decode_path(&path!["location", "latitude"]))),
        ("longitude", real(record.decode_path(&path!["location", "longitude"]))),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType;

    #[test]
    fn without_a_database_nothing_is_known() {
        let info = |text: &str| call(geo_info_from_ip_address, &[text.into()], ScalarType::Dynamic);
        assert_eq!(info("192.0.2.7"), Cell::Text("{}".into()));
        assert_eq!(info("2001:db8::1"), Cell::Text("{}".into()));
        assert_eq!(info("not an address"), Cell::Null);
    }

    #[test]
    fn a_file_that_is_no_database_is_refused() {
        assert!(open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).is_err());
        assert!(open("/no/such/file.mmdb").is_err());
    }
}
