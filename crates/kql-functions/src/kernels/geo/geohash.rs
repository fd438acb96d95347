//! Geohash cells: base 32 digits, each halving longitude and latitude in turn.

use super::LngLat;
use super::geojson::{write_point, write_ring_degrees};
use crate::kernels::{Args, KernelResult};

const DIGITS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
const LENGTH_MAX: usize = 18;
const LENGTH_DEFAULT: i64 = 5;

/// A cell: its place in a grid of `2^lng_bits` by `2^lat_bits` cells.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cell {
    lng: u64,
    lat: u64,
    length: usize,
}

impl Cell {
    fn bits(length: usize) -> (u32, u32) {
        let bits = length as u32 * 5;
        (bits.div_ceil(2), bits / 2)
    }

    fn of(lng: f64, lat: f64, length: usize) -> Cell {
        let (lng_bits, lat_bits) = Cell::bits(length);
        let place = |value: f64, span: f64, bits: u32| {
            let cells = (1u64 << bits) as f64;
            (((value / span + 0.5) * cells).floor().clamp(0.0, cells - 1.0)) as u64
        };
        Cell { lng: place(lng, 360.0, lng_bits), lat: place(lat, 180.0, lat_bits), length }
    }

    fn parse(text: &str) -> Option<Cell> {
        if text.is_empty() || text.len() > LENGTH_MAX {
            return None;
        }
        let mut cell = Cell { lng: 0, lat: 0, length: text.len() };
        let mut east = true;
        for byte in text.bytes() {
            let digit = DIGITS.iter().position(|digit| *digit == byte.to_ascii_lowercase())? as u64;
            for bit in (0..5).rev() {
                let axis = if east { &mut cell.lng } else { &mut cell.lat };
                *axis = *axis << 1 | (digit >> bit & 1);
                east = !east;
            }
        }
        Some(cell)
    }

    fn write(self, out: &mut String) {
        let (mut lng_bits, mut lat_bits) = Cell::bits(self.length);
        let mut east = true;
        for _ in 0..self.length {
            let mut digit = 0;
            for _ in 0..5 {
                let (axis, bits) = if east { (self.lng, &mut lng_bits) } else { (self.lat, &mut lat_bits) };
                *bits -= 1;
                digit = digit << 1 | (axis >> *bits & 1) as usize;
                east = !east;
            }
            out.push(char::from(DIGITS[digit]));
        }
    }

    /// West, south, east and north border in degrees.
    fn borders(self) -> (f64, f64, f64, f64) {
        let (lng_bits, lat_bits) = Cell::bits(self.length);
        let place = |index: u64, span: f64, bits: u32| (index as f64 / (1u64 << bits) as f64 - 0.5) * span;
        (
            place(self.lng, 360.0, lng_bits),
            place(self.lat, 180.0, lat_bits),
            place(self.lng + 1, 360.0, lng_bits),
            place(self.lat + 1, 180.0, lat_bits),
        )
    }
}

/// `geo_point_to_geohash(longitude, latitude [, accuracy])`
pub fn point_to_geohash(args: &Args<'_>) -> KernelResult {
    let (point, accuracy) = (LngLat::of(args, 0)?, args.long_or(2, LENGTH_DEFAULT)?);
    args.to_texts(|row, out| {
        let length = accuracy.opt(row).and_then(|length| usize::try_from(length).ok());
        if let (Some((lng, lat)), Some(length @ 1..=LENGTH_MAX)) = (point.degrees(row), length) {
            Cell::of(lng, lat, length).write(out);
        }
    })
}

/// `geo_geohash_to_central_point(geohash)`
pub fn geohash_to_central_point(args: &Args<'_>) -> KernelResult {
    let geohash = args.text(0)?;
    args.to_dynamics(|row, out| {
        let (west, south, east, north) = Cell::parse(geohash.at(row))?.borders();
        write_point(((west + east) / 2.0, (south + north) / 2.0), out);
        Some(())
    })
}

/// `geo_geohash_to_polygon(geohash)`
pub fn geohash_to_polygon(args: &Args<'_>) -> KernelResult {
    let geohash = args.text(0)?;
    args.to_dynamics(|row, out| {
        let (west, south, east, north) = Cell::parse(geohash.at(row))?.borders();
        write_ring_degrees(&[(west, south), (east, south), (east, north), (west, north)], out);
        Some(())
    })
}

/// `geo_geohash_neighbors(geohash)`: the cells around; none beyond the poles.
pub fn geohash_neighbors(args: &Args<'_>) -> KernelResult {
    let geohash = args.text(0)?;
    args.to_dynamics(|row, out| {
        let cell = Cell::parse(geohash.at(row))?;
        let (lng_bits, lat_bits) = Cell::bits(cell.length);
        let (columns, rows) = (1i128 << lng_bits, 1i128 << lat_bits);
        out.push('[');
        for (east, north) in [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)] {
            let lat = i128::from(cell.lat) + north;
            if !(0..rows).contains(&lat) {
                continue;
            }
            let lng = (i128::from(cell.lng) + east).rem_euclid(columns);
            if out.len() > 1 {
                out.push(',');
            }
            out.push('"');
            Cell { lng: lng as u64, lat: lat as u64, length: cell.length }.write(out);
            out.push('"');
        }
        out.push(']');
        Some(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(cell: Cell) -> String {
        let mut out = String::new();
        cell.write(&mut out);
        out
    }

    #[test]
    fn known_cells() {
        assert_eq!(name(Cell::of(-80.195829, 25.802215, 8)), "dhwfz15h");
        assert_eq!(name(Cell::of(139.806115, 35.554128, 5)), "xn76m");
        assert_eq!(Cell::parse("dr5ru").unwrap().borders(), (-74.00390625, 40.7373046875, -73.9599609375, 40.78125));
        assert_eq!(Cell::parse("a"), None);
    }

    proptest! {
        #[test]
        fn names_come_back(lng in -180.0..180.0, lat in -90.0..90.0, length in 1usize..=LENGTH_MAX) {
            let cell = Cell::of(lng, lat, length);
            prop_assert_eq!(Cell::parse(&name(cell)), Some(cell));
            let (west, south, east, north) = cell.borders();
            prop_assert!(west - 1e-9 <= lng && lng <= east + 1e-9 && south - 1e-9 <= lat && lat <= north + 1e-9);
        }
    }
}
