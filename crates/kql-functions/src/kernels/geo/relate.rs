//! Whether shapes meet, what they share, and their unions.

use kql_types::Dynamic;

use super::LngLat;
use super::geojson::{Mixed, lines, polygons, read_lines, read_polygons, write_lines, write_polygons};
use super::overlay::{self, on_border, on_lines};
use super::region::{Line, Polygon, contain, edges};
use super::sphere::{Point, crossing, edges_cross};
use crate::kernels::{Args, KernelError, KernelResult};

type Edge = (Point, Point);

fn line_edges(lines: &[Line]) -> Vec<Edge> {
    lines.iter().flat_map(|line| edges(line)).collect()
}

fn border(polygons: &[Polygon]) -> Vec<Edge> {
    polygons.iter().flat_map(Polygon::rings).flat_map(|ring| ring.edges()).collect()
}

fn cross(a: &[Edge], b: &[Edge]) -> bool {
    a.iter().any(|(a, b_end)| b.iter().any(|(c, d)| edges_cross(*a, *b_end, *c, *d)))
}

/// `geo_point_in_polygon(lng, lat, polygon)`
pub fn point_in_polygon(args: &Args<'_>) -> KernelResult {
    let (point, polygon) = (LngLat::of(args, 0)?, args.text(2)?);
    let constant = polygon.constant().map(polygons);
    args.to_bools(|row| {
        let point = point.at(row)?;
        match &constant {
            Some(known) => Some(contain(known.as_ref()?, point)),
            None => Some(contain(&polygons(polygon.opt(row)?)?, point)),
        }
    })
}

/// `geo_intersects_2lines(a, b)`
pub fn intersects_2lines(args: &Args<'_>) -> KernelResult {
    let (a, b) = (args.text(0)?, args.text(1)?);
    args.to_bools(|row| {
        let (a, b) = (lines(a.opt(row)?)?, lines(b.opt(row)?)?);
        let touch = a.iter().flatten().any(|p| on_lines(*p, &b)) || b.iter().flatten().any(|p| on_lines(*p, &a));
        Some(touch || cross(&line_edges(&a), &line_edges(&b)))
    })
}

/// `geo_intersects_line_with_polygon(line, polygon)`
pub fn intersects_line_with_polygon(args: &Args<'_>) -> KernelResult {
    let (line, polygon) = (args.text(0)?, args.text(1)?);
    args.to_bools(|row| {
        let (lines, polygons) = (lines(line.opt(row)?)?, polygons(polygon.opt(row)?)?);
        let touch = lines.iter().flatten().any(|p| contain(&polygons, *p) || on_border(*p, &polygons));
        Some(touch || cross(&line_edges(&lines), &border(&polygons)))
    })
}

/// `geo_intersects_2polygons(a, b)`
pub fn intersects_2polygons(args: &Args<'_>) -> KernelResult {
    let (a, b) = (args.text(0)?, args.text(1)?);
    args.to_bools(|row| {
        let (a, b) = (polygons(a.opt(row)?)?, polygons(b.opt(row)?)?);
        let (border_a, border_b) = (border(&a), border(&b));
        let reaches =
            |edges: &[Edge], other: &[Polygon]| edges.iter().any(|(p, _)| contain(other, *p) || on_border(*p, other));
        Some(reaches(&border_a, &b) || reaches(&border_b, &a) || cross(&border_a, &border_b))
    })
}

/// `geo_intersection_2lines(a, b)`
pub fn intersection_2lines(args: &Args<'_>) -> KernelResult {
    let (a, b) = (args.text(0)?, args.text(1)?);
    args.to_dynamics(|row, out| {
        let (a, b) = (lines(a.opt(row)?)?, lines(b.opt(row)?)?);
        shared_by_lines(&a, &b).write(out);
        Some(())
    })
}

fn shared_by_lines(a: &[Line], b: &[Line]) -> Mixed {
    let mut mixed = Mixed::default();
    for (x, y) in line_edges(a) {
        if [x, y, (x + y).unit()].iter().all(|p| on_lines(*p, b)) {
            mixed.lines.push(vec![x, y]);
        }
    }
    mixed.lines = overlay::join(mixed.lines);
    let mut candidates: Vec<Point> = Vec::new();
    for (x, y) in line_edges(a) {
        for (c, d) in line_edges(b) {
            if edges_cross(x, y, c, d) {
                candidates.push(crossing(x, y, c, d));
            }
        }
    }
    candidates.extend(a.iter().flatten().filter(|p| on_lines(**p, b)));
    candidates.extend(b.iter().flatten().filter(|p| on_lines(**p, a)));
    for p in candidates {
        if !on_lines(p, &mixed.lines) && !mixed.points.iter().any(|known| known.angle(p) < 1e-11) {
            mixed.points.push(p);
        }
    }
    mixed
}

/// `geo_intersection_line_with_polygon(line, polygon)`
pub fn intersection_line_with_polygon(args: &Args<'_>) -> KernelResult {
    let (line, polygon) = (args.text(0)?, args.text(1)?);
    args.to_dynamics(|row, out| {
        let (lines, polygons) = (lines(line.opt(row)?)?, polygons(polygon.opt(row)?)?);
        clip(&lines, &polygons).write(out);
        Some(())
    })
}

/// The parts of lines that lie in polygons.
fn clip(lines: &[Line], polygons: &[Polygon]) -> Mixed {
    let border = border(polygons);
    let mut pieces: Vec<Line> = Vec::new();
    for line in lines {
        let mut current: Line = Vec::new();
        for (a, b) in edges(line) {
            for (x, y) in split(a, b, &border) {
                let middle = (x + y).unit();
                if contain(polygons, middle) || on_border(middle, polygons) {
                    if current.is_empty() {
                        current.push(x);
                    }
                    current.push(y);
                } else if !current.is_empty() {
                    pieces.push(std::mem::take(&mut current));
                }
            }
        }
        if !current.is_empty() {
            pieces.push(current);
        }
    }
    let touching = lines.iter().flatten().filter(|p| on_border(**p, polygons) && !on_lines(**p, &pieces));
    Mixed { points: touching.copied().collect(), lines: pieces, ..Mixed::default() }
}

/// An edge cut where others cross it or end on it.
fn split(a: Point, b: Point, others: &[Edge]) -> Vec<Edge> {
    let mut cuts: Vec<Point> = others
        .iter()
        .filter(|(c, d)| edges_cross(a, b, *c, *d))
        .map(|(c, d)| crossing(a, b, *c, *d))
        .chain(others.iter().flat_map(|(c, d)| [*c, *d]).filter(|p| on_lines(*p, &[vec![a, b]])))
        .filter(|p| !p.same(a) && !p.same(b))
        .collect();
    cuts.push(b);
    cuts.sort_by(|p, q| a.angle(*p).total_cmp(&a.angle(*q)));
    cuts.dedup_by(|p, q| p.angle(*q) < 1e-11);
    let mut from = a;
    cuts.into_iter()
        .map(|to| {
            let edge = (from, to);
            from = to;
            edge
        })
        .collect()
}

/// `geo_intersection_2polygons(a, b)`
pub fn intersection_2polygons(args: &Args<'_>) -> KernelResult {
    let (a, b) = (args.text(0)?, args.text(1)?);
    args.to_dynamics(|row, out| {
        let (a, b) = (polygons(a.opt(row)?)?, polygons(b.opt(row)?)?);
        overlay::intersect(&a, &b)?.write(out);
        Some(())
    })
}

/// The shapes of an array of GeoJSON values, one after the other; null elements are passed over.
fn gathered<T>(text: &str, read: impl Fn(&Dynamic) -> Option<Vec<T>>) -> Option<Vec<T>> {
    let mut all = Vec::new();
    for value in Dynamic::parse(text)?.as_array()?.iter().filter(|value| !value.is_null()) {
        all.extend(read(value)?);
    }
    (!all.is_empty()).then_some(all)
}

/// The polygons of an array of GeoJSON values.
pub fn gathered_polygons(text: &str) -> Option<Vec<Polygon>> {
    gathered(text, read_polygons)
}

/// `geo_union_polygons_array(polygons)`
pub fn union_polygons_array(args: &Args<'_>) -> KernelResult {
    let array = args.text(0)?;
    args.to_dynamics(|row, out| {
        write_polygons(&overlay::merge(gathered_polygons(array.opt(row)?)?)?, out);
        Some(())
    })
}

/// `geo_union_lines_array(lines)`
pub fn union_lines_array(args: &Args<'_>) -> KernelResult {
    let array = args.text(0)?;
    args.to_dynamics(|row, out| {
        let lines = gathered(array.opt(row)?, read_lines)?;
        write_lines(&merge_lines(&lines).ok()?, out);
        Some(())
    })
}

/// Edges in one result at most.
const EDGES_MAX: usize = 10_000;

/// All edges once, cut where they cross, joined where two meet.
fn merge_lines(lines: &[Line]) -> Result<Vec<Line>, KernelError> {
    let all = line_edges(lines);
    if all.len() > EDGES_MAX {
        return Err(KernelError(format!("lines of over {EDGES_MAX} edges are not united")));
    }
    let mut kept: Vec<Edge> = Vec::new();
    for (index, (a, b)) in all.iter().enumerate() {
        let others: Vec<Edge> =
            all.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, edge)| *edge).collect();
        for (x, y) in split(*a, *b, &others) {
            let near = |p: Point, q: Point| p.angle(q) < 1e-11;
            if !kept.iter().any(|(c, d)| (near(*c, x) && near(*d, y)) || (near(*c, y) && near(*d, x))) {
                kept.push((x, y));
            }
        }
    }
    Ok(overlay::join(kept.into_iter().map(|(a, b)| vec![a, b]).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType;

    fn json(kernel: crate::kernels::KernelFn, a: &str, b: &str) -> String {
        match call(kernel, &[Cell::dynamic(a), Cell::dynamic(b)], ScalarType::Dynamic) {
            Cell::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    const ACROSS: &str = r#"{"type":"LineString","coordinates":[[-1,0],[1,0]]}"#;
    const UP: &str = r#"{"type":"LineString","coordinates":[[0,-1],[0,1]]}"#;
    const SQUARE: &str = r#"{"type":"Polygon","coordinates":[[[0,-1],[2,-1],[2,1],[0,1],[0,-1]]]}"#;

    #[test]
    fn lines_that_cross() {
        assert_eq!(json(intersection_2lines, ACROSS, UP), r#"{"type":"Point","coordinates":[0.0,0.0]}"#);
        let same = json(intersection_2lines, UP, UP);
        assert!(same.starts_with(r#"{"type":"LineString""#), "{same}");
        let clipped = lines(&json(intersection_line_with_polygon, ACROSS, SQUARE)).unwrap();
        assert!(clipped[0][0].angle(Point::from_degrees(0.0, 0.0)) < 1e-12, "{clipped:?}");
        assert_eq!(
            call(intersects_line_with_polygon, &[Cell::dynamic(ACROSS), Cell::dynamic(SQUARE)], ScalarType::Bool),
            Cell::Bool(true)
        );
    }

    #[test]
    fn lines_are_united() {
        let joined = merge_lines(&[lines(ACROSS).unwrap().remove(0), lines(ACROSS).unwrap().remove(0)]).unwrap();
        assert_eq!(joined.len(), 1);
        let crossed = merge_lines(&[lines(ACROSS).unwrap().remove(0), lines(UP).unwrap().remove(0)]).unwrap();
        assert_eq!(crossed.len(), 4, "four arms meet");
    }
}
