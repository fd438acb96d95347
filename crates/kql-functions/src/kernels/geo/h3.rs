//! H3 cells, by the crate `h3o`.

use std::collections::HashSet;

use h3o::{CellIndex, LatLng, Resolution};
use kql_types::Dynamic;

use super::LngLat;
use super::geojson::{read_polygons, write_point, write_ring_degrees};
use super::region::{Polygon, contain};
use super::sphere::{Point, interpolate};
use crate::kernels::{Args, KernelResult};

const RESOLUTION_DEFAULT: i64 = 6;
/// Rings around a cell at most.
const RINGS_MAX: i64 = 142;
/// Cells in one result at most; more give null.
const CELLS_MAX: u64 = 350_000;

fn resolution(value: i64) -> Option<Resolution> {
    u8::try_from(value).ok().and_then(|value| Resolution::try_from(value).ok())
}

fn parse(text: &str) -> Option<CellIndex> {
    let bits = u64::from_str_radix(text, 16).ok()?;
    CellIndex::try_from(bits).ok()
}

fn write_tokens(cells: impl IntoIterator<Item = CellIndex>, out: &mut String) {
    out.push('[');
    for (index, cell) in cells.into_iter().enumerate() {
        out.push_str(if index > 0 { ",\"" } else { "\"" });
        out.push_str(&cell.to_string());
        out.push('"');
    }
    out.push(']');
}

/// `geo_point_to_h3cell(longitude, latitude [, resolution])`
pub fn point_to_h3cell(args: &Args<'_>) -> KernelResult {
    let (point, level) = (LngLat::of(args, 0)?, args.long_or(2, RESOLUTION_DEFAULT)?);
    args.to_texts(|row, out| {
        let level = level.opt(row).and_then(resolution);
        let place = point.degrees(row).and_then(|(lng, lat)| LatLng::new(lat, lng).ok());
        if let (Some(place), Some(level)) = (place, level) {
            out.push_str(&place.to_cell(level).to_string());
        }
    })
}

/// `geo_h3cell_to_central_point(h3cell)`
pub fn h3cell_to_central_point(args: &Args<'_>) -> KernelResult {
    let cell = args.text(0)?;
    args.to_dynamics(|row, out| {
        let centre = LatLng::from(parse(cell.at(row))?);
        write_point((centre.lng(), centre.lat()), out);
        Some(())
    })
}

/// `geo_h3cell_to_polygon(h3cell)`
pub fn h3cell_to_polygon(args: &Args<'_>) -> KernelResult {
    let cell = args.text(0)?;
    args.to_dynamics(|row, out| {
        let border: Vec<(f64, f64)> =
            parse(cell.at(row))?.boundary().iter().map(|corner| (corner.lng(), corner.lat())).collect();
        write_ring_degrees(&border, out);
        Some(())
    })
}

/// `geo_h3cell_neighbors(h3cell)`
pub fn h3cell_neighbors(args: &Args<'_>) -> KernelResult {
    let cell = args.text(0)?;
    args.to_dynamics(|row, out| {
        let cell = parse(cell.at(row))?;
        let around: Vec<CellIndex> = cell.grid_disk(1);
        write_tokens(around.into_iter().filter(|other| *other != cell), out);
        Some(())
    })
}

/// `geo_h3cell_children(h3cell [, resolution])`
pub fn h3cell_children(args: &Args<'_>) -> KernelResult {
    let (cell, level) = (args.text(0)?, args.long_or(1, i64::MIN)?);
    args.to_dynamics(|row, out| {
        let cell = parse(cell.at(row))?;
        let level = match level.opt(row)? {
            i64::MIN => cell.resolution().succ()?,
            level => resolution(level)?,
        };
        if level <= cell.resolution() || cell.children_count(level) > CELLS_MAX {
            return None;
        }
        write_tokens(cell.children(level), out);
        Some(())
    })
}

/// `geo_h3cell_parent(h3cell [, resolution])`
pub fn h3cell_parent(args: &Args<'_>) -> KernelResult {
    let (cell, level) = (args.text(0)?, args.long_or(1, i64::MIN)?);
    args.to_texts(|row, out| {
        let parent = parse(cell.at(row)).and_then(|cell| {
            let level = match level.opt(row)? {
                i64::MIN => cell.resolution().pred()?,
                level => resolution(level)?,
            };
            if level < cell.resolution() { cell.parent(level) } else { None }
        });
        if let Some(parent) = parent {
            out.push_str(&parent.to_string());
        }
    })
}

/// `geo_h3cell_rings(h3cell, distance)`
pub fn h3cell_rings(args: &Args<'_>) -> KernelResult {
    let (cell, distance) = (args.text(0)?, args.long(1)?);
    args.to_dynamics(|row, out| {
        let cell = parse(cell.at(row))?;
        let distance = distance.opt(row).filter(|distance| (0..=RINGS_MAX).contains(distance))?;
        let near: Vec<(CellIndex, u32)> = cell.grid_disk_distances(distance as u32);
        out.push('[');
        for ring in 0..=distance as u32 {
            if ring > 0 {
                out.push(',');
            }
            write_tokens(near.iter().filter(|(_, at)| *at == ring).map(|(cell, _)| *cell), out);
        }
        out.push(']');
        Some(())
    })
}

/// `geo_h3cell_level(h3cell)`
pub fn h3cell_level(args: &Args<'_>) -> KernelResult {
    let cell = args.text(0)?;
    args.to_ints(|row| parse(cell.at(row)).map(|cell| i32::from(u8::from(cell.resolution()))))
}

/// `geo_polygon_to_h3cells(polygon [, resolution])`: the cells whose centres lie in the polygon.
pub fn polygon_to_h3cells(args: &Args<'_>) -> KernelResult {
    let (polygon, level) = (args.text(0)?, args.long_or(1, RESOLUTION_DEFAULT)?);
    args.to_dynamics(|row, out| {
        let polygons = read_polygons(&Dynamic::parse(polygon.opt(row)?)?)?;
        write_tokens(fill(&polygons, resolution(level.opt(row)?)?)?, out);
        Some(())
    })
}

fn cell_at(point: Point, level: Resolution) -> Option<CellIndex> {
    let (lng, lat) = point.to_degrees();
    Some(LatLng::new(lat, lng).ok()?.to_cell(level))
}

/// Grows from the borders inwards, from cell to cell.
fn fill(polygons: &[Polygon], level: Resolution) -> Option<Vec<CellIndex>> {
    // Half of a cell's edge: no cell that the border passes through is stepped over by much.
    let step = level.edge_length_rads() / 2.0;
    let mut waiting: Vec<CellIndex> = Vec::new();
    for (a, b) in polygons.iter().flat_map(Polygon::rings).flat_map(|ring| ring.edges().collect::<Vec<_>>()) {
        let steps = (a.angle(b) / step).ceil().max(1.0);
        if steps > CELLS_MAX as f64 {
            return None;
        }
        for index in 0..=steps as u64 {
            waiting.extend(cell_at(interpolate(a, b, index as f64 / steps), level));
        }
    }
    let mut seen: HashSet<CellIndex> = HashSet::new();
    let mut inside = Vec::new();
    let border = waiting.clone();
    for cell in border {
        waiting.extend(cell.grid_disk::<Vec<CellIndex>>(1));
    }
    while let Some(cell) = waiting.pop() {
        if !seen.insert(cell) {
            continue;
        }
        let centre = LatLng::from(cell);
        if contain(polygons, Point::from_degrees(centre.lng(), centre.lat())) {
            inside.push(cell);
            if inside.len() as u64 > CELLS_MAX {
                return None;
            }
            waiting.extend(cell.grid_disk::<Vec<CellIndex>>(1));
        }
    }
    inside.sort_unstable();
    Some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType;

    #[test]
    fn known_cells() {
        let cell = call(
            point_to_h3cell,
            &[Cell::Real(-74.04450446039874), Cell::Real(40.689250859314974), Cell::Long(6)],
            ScalarType::String,
        );
        assert_eq!(cell, Cell::Text("862a1072fffffff".into()));
        let parent = |cell: &str, level: i64| call(h3cell_parent, &[cell.into(), level.into()], ScalarType::String);
        assert_eq!(parent("862a1072fffffff", 1), Cell::Text("812a3ffffffffff".into()));
        assert_eq!(parent("862a1072fffffff", 15), Cell::Text(String::new()));
        assert_eq!(call(h3cell_rings, &["861f8894fffffff".into(), 150.into()], ScalarType::Dynamic), Cell::Null);
        assert_eq!(call(h3cell_children, &["abc".into()], ScalarType::Dynamic), Cell::Null);
    }
}
