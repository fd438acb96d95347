//! Geospatial functions.
//!
//! Earth is a sphere of radius [`sphere::EARTH_RADIUS`]; points are unit vectors and edges are geodesics, as in Kusto (which
//! uses S2). [`geojson`] reads and writes shapes, [`sphere`] has the vectors; then come lines and polygons ([`region`]), what is measured
//! on them ([`measure`]), set operations ([`overlay`]), shapes made of shapes ([`reshape`]), and the grids ([`geohash`], [`h3`], [`s2`]).

pub mod covering;
pub mod geohash;
pub mod geojson;
pub mod h3;
pub mod measure;
pub mod overlay;
pub mod region;
pub mod relate;
pub mod reshape;
pub mod s2;
pub mod sphere;
pub mod wkt;

use arrow::datatypes::Float64Type;

use super::access::Numbers;
use super::{Args, KernelError};

/// A longitude and a latitude argument next to each other.
pub struct LngLat<'a> {
    lng: Numbers<'a, Float64Type>,
    lat: Numbers<'a, Float64Type>,
}

impl<'a> LngLat<'a> {
    /// The arguments `index` and `index + 1`.
    pub fn of(args: &Args<'a>, index: usize) -> Result<LngLat<'a>, KernelError> {
        Ok(LngLat { lng: args.real(index)?, lat: args.real(index + 1)? })
    }

    /// Degrees; None when null or out of range.
    pub fn degrees(&self, row: usize) -> Option<(f64, f64)> {
        let (lng, lat) = (self.lng.opt(row)?, self.lat.opt(row)?);
        (lng.abs() <= 180.0 && lat.abs() <= 90.0).then_some((lng, lat))
    }

    /// The point; None when null or out of range.
    pub fn at(&self, row: usize) -> Option<sphere::Point> {
        self.degrees(row).map(|(lng, lat)| sphere::Point::from_degrees(lng, lat))
    }
}
