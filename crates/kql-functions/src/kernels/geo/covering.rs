//! The S2 cells of one level that touch a shape.

use kql_types::Dynamic;

use super::geojson::{read_lines, read_polygons};
use super::region::{Polygon, contain, edges};
use super::reshape;
use super::s2::{CellId, level, write_tokens};
use super::sphere::{Point, closest_on_edge, edges_cross};
use crate::kernels::{Args, KernelResult};

const LEVEL_DEFAULT: i64 = 11;
/// Cells in one result at most; more give null.
const CELLS_MAX: usize = 65_536;

/// An edge along the border of a cell touches the cells on both sides, in spite of rounding. Radians.
const TOUCH: f64 = 1e-13;

type Edge = (Point, Point);

/// `geo_polygon_to_s2cells(polygon [, level [, radius]])`
pub fn polygon_to_s2cells(args: &Args<'_>) -> KernelResult {
    let (polygon, wanted, radius) = (args.text(0)?, args.long_or(1, LEVEL_DEFAULT)?, args.real_or(2, 0.0)?);
    args.to_dynamics(|row, out| {
        let mut polygons = read_polygons(&Dynamic::parse(polygon.opt(row)?)?)?;
        let radius = radius.opt(row)?;
        if radius > 0.0 {
            polygons = reshape::around_polygons(&polygons, radius, radius / 100.0)?;
        }
        write_tokens(&cover_polygons(&polygons, level(wanted.opt(row)?)?)?, out);
        Some(())
    })
}

/// `geo_line_to_s2cells(line [, level [, radius]])`
pub fn line_to_s2cells(args: &Args<'_>) -> KernelResult {
    let (line, wanted, radius) = (args.text(0)?, args.long_or(1, LEVEL_DEFAULT)?, args.real_or(2, 0.0)?);
    args.to_dynamics(|row, out| {
        let lines = read_lines(&Dynamic::parse(line.opt(row)?)?)?;
        let (radius, level) = (radius.opt(row)?, level(wanted.opt(row)?)?);
        let cells = if radius > 0.0 {
            cover_polygons(&reshape::around_lines(&lines, radius, radius / 100.0)?, level)?
        } else {
            let all: Vec<Edge> = lines.iter().flat_map(|line| edges(line)).collect();
            cover(all, |_| false, level)?
        };
        write_tokens(&cells, out);
        Some(())
    })
}

fn cover_polygons(polygons: &[Polygon], level: u8) -> Option<Vec<CellId>> {
    let all: Vec<Edge> =
        polygons.iter().flat_map(Polygon::rings).flat_map(|ring| ring.edges().collect::<Vec<_>>()).collect();
    cover(all, |point| contain(polygons, point), level)
}

/// The cells of a level that an edge touches or that lie inside; None when they are too many.
fn cover(all: Vec<Edge>, inside: impl Fn(Point) -> bool, level: u8) -> Option<Vec<CellId>> {
    let mut found = Vec::new();
    let mut waiting: Vec<(CellId, Vec<Edge>)> = CellId::faces().map(|face| (face, all.clone())).collect();
    while let Some((cell, edges)) = waiting.pop() {
        let touching: Vec<Edge> = edges.into_iter().filter(|edge| touches(cell, *edge)).collect();
        // Without a border in it a cell is all inside or all outside.
        if touching.is_empty() && !inside(cell.centre()) {
            continue;
        }
        if cell.level() == level {
            found.push(cell);
            if found.len() > CELLS_MAX {
                return None;
            }
            continue;
        }
        if touching.is_empty() {
            let deeper = u32::from(level - cell.level());
            if deeper > 8 {
                return None;
            }
        }
        waiting.extend(cell.children().map(|child| (child, touching.clone())));
    }
    found.sort_unstable();
    Some(found)
}

fn touches(cell: CellId, (a, b): Edge) -> bool {
    if cell.contains(a) || cell.contains(b) {
        return true;
    }
    let corners = cell.corners();
    (0..4).any(|side| {
        let (from, to) = (corners[side], corners[(side + 1) % 4]);
        let near = |p: Point, x: Point, y: Point| p.angle(closest_on_edge(p, x, y)) < TOUCH;
        edges_cross(a, b, from, to) || near(from, a, b) || near(a, from, to) || near(b, from, to)
    })
}

#[cfg(test)]
mod tests {
    use super::super::geojson;
    use super::*;

    #[test]
    fn a_polygon_is_covered() {
        let polygons =
            geojson::polygons(r#"{"type":"Polygon","coordinates":[[[0,0],[0,50],[100,50],[0,0]]]}"#).unwrap();
        assert_eq!(cover_polygons(&polygons, 5).unwrap().len(), 286);
        assert!(cover_polygons(&polygons, 30).is_none());
        let cells = cover_polygons(&polygons, 4).unwrap();
        for (lng, lat) in [(1.0, 1.5), (40.0, 45.0), (50.0, 55.0)] {
            let point = Point::from_degrees(lng, lat);
            assert_eq!(contain(&polygons, point), cells.iter().any(|cell| cell.contains(point)), "{lng} {lat}");
        }
    }
}
