//! `geo_info_from_ip_address` with a database that the test writes itself.

use std::sync::Arc;

use engine::{DataSet, Engine, EngineError, QueryOptions, TableCatalog};
use testing::mmdb::{Place, mmdb};

use crate::examples::check;

const QUERY: &str = "datatable(ip:string)['203.0.113.77', '2001:db8::7', '198.51.100.1', 'nowhere', ''] \
                     | extend g = geo_info_from_ip_address(ip) \
                     | project country = tostring(g.country), state = tostring(g.state), city = tostring(g.city), \
                       latitude = toreal(g.latitude), longitude = toreal(g.longitude), known = isnotnull(g)";

fn engine() -> Engine {
    Engine::new(Arc::new(TableCatalog::new()), Arc::new(DataSet::new()))
}

#[test]
fn places_come_from_the_database_that_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("places.mmdb");
    let town = Place { country: "Ruritania", state: "Hentzau", city: "Strelsau", location: Some((47.5, -3.25)) };
    let land = Place { country: "Graustark", state: "", city: "", location: None };
    std::fs::write(&file, mmdb(&[("203.0.113.0/24", town), ("2001:db8::/32", land)]).unwrap()).unwrap();
    let engine = engine().with_geoip(&file).unwrap();
    let output = engine.run_blocking(QUERY, &QueryOptions::at(0)).unwrap();
    let expected = "country:string,state:string,city:string,latitude:real,longitude:real,known:bool\n\
                    \"Ruritania\",\"Hentzau\",\"Strelsau\",47.5,-3.25,true\n\
                    \"Graustark\",\"\",\"\",null,null,true\n\
                    \"\",\"\",\"\",null,null,true\n\
                    \"\",\"\",\"\",null,null,false\n\
                    \"\",\"\",\"\",null,null,false";
    check(&output.tables[0], expected).unwrap();
}

#[test]
fn without_a_database_the_answer_is_empty() {
    let count = format!("{QUERY} | where isnotempty(country) | count");
    let output = engine().run_blocking(&count, &QueryOptions::at(0)).unwrap();
    check(&output.tables[0], "Count:long\n0").unwrap();
}

#[test]
fn what_is_no_database_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("places.mmdb");
    std::fs::write(&file, "country,city").unwrap();
    assert!(matches!(engine().with_geoip(&file), Err(EngineError::Data(_))));
}
