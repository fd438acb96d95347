//! Shapes made of shapes: buffers, densified and simplified lines and polygons.

use super::LngLat;
use super::geojson::{line_degrees, lines, polygons, ring_degrees, write_lines, write_polygons};
use super::overlay::{self, Inside};
use super::region::{Line, Polygon, Ring};
use super::relate::gathered_polygons;
use super::sphere::{EARTH_RADIUS, Point, closest_on_edge, interpolate, normal};
use crate::kernels::{Args, KernelResult};

/// Metres that a result may be off, where the call does not say.
const TOLERANCE_DEFAULT: f64 = 10.0;
/// Points in one result at most; more give null.
const POINTS_MAX: usize = 100_000;

/// A length in metres as an angle; None unless positive and at most `max`.
fn positive_angle(metres: f64) -> Option<f64> {
    (metres.is_finite() && metres > 0.0).then_some(metres / EARTH_RADIUS)
}

/// The step between points on a circle that keeps the chords within the tolerance; None when a circle would have more
/// points than a result may have: beside a huge radius a tolerance vanishes, and so would the step.
fn circle_step(radius: f64, tolerance: f64) -> Option<f64> {
    let ratio = tolerance / radius;
    let step = (ratio > 0.0).then(|| 2.0 * (1.0 - ratio.min(1.0)).acos());
    step.filter(|step| *step * POINTS_MAX as f64 >= std::f64::consts::TAU)
}

/// `geo_point_buffer(lng, lat, radius [, tolerance])`
pub fn point_buffer(args: &Args<'_>) -> KernelResult {
    let (point, radius, tolerance) = (LngLat::of(args, 0)?, args.real(2)?, args.real_or(3, TOLERANCE_DEFAULT)?);
    args.to_dynamics(|row, out| {
        let (point, radius, tolerance) = (point.at(row)?, positive_angle(radius.opt(row)?)?, tolerance.opt(row)?);
        let step = circle_step(radius * EARTH_RADIUS, tolerance)?;
        let count = (std::f64::consts::TAU / step).ceil().max(3.0);
        let (start, left) = (point.ortho(), point.cross(point.ortho()));
        let points = (0..count as usize)
            .map(|index| {
                let angle = std::f64::consts::TAU * index as f64 / count;
                point.towards(start * angle.cos() + left * angle.sin(), radius)
            })
            .collect();
        write_polygons(&[Polygon { outer: Ring { points }, holes: Vec::new() }], out);
        Some(())
    })
}

/// Adds the arc around `centre` from one direction to another, turning left.
fn push_arc(centre: Point, from: Point, to: Point, radius: f64, step: f64, path: &mut Vec<Point>) {
    let left = centre.cross(from);
    let mut span = left.dot(to).atan2(from.dot(to));
    if span < 0.0 {
        span += std::f64::consts::TAU;
    }
    let mut angle = 0.0f64;
    loop {
        path.push(centre.towards(from * angle.cos() + left * angle.sin(), radius));
        angle += step;
        if angle >= span {
            break;
        }
    }
    path.push(centre.towards(to, radius));
}

/// The path at a distance on the right of closed points: arcs at left turns, through the point itself at right turns,
/// so that what the path goes round to the left is the wider shape.
fn offset_path(points: &[Point], radius: f64, step: f64) -> Vec<Point> {
    let mut path = Vec::new();
    let count = points.len();
    for index in 0..count {
        // Too many: the result is null.
        if path.len() > POINTS_MAX {
            break;
        }
        let before = points[(index + count - 1) % count];
        let (here, after) = (points[index], points[(index + 1) % count]);
        let (from, to) = (-normal(before, here), -normal(here, after));
        let turn = here.dot(before.cross(after));
        let reversal = before.same(after);
        if reversal || -turn >= 0.0 {
            push_arc(here, from, to, radius, step, &mut path);
        } else {
            path.push(here.towards(from, radius));
            path.push(here);
            path.push(here.towards(to, radius));
        }
    }
    path
}

/// The polygons within a distance in metres of lines.
pub fn around_lines(lines: &[Line], radius: f64, tolerance: f64) -> Option<Vec<Polygon>> {
    let (angle, step) = (positive_angle(radius)?, circle_step(radius, tolerance)?);
    let mut paths = Vec::new();
    for line in lines {
        let back = line.iter().rev().skip(1).take(line.len().saturating_sub(2));
        let there_and_back: Vec<Point> = line.iter().chain(back).copied().collect();
        paths.push(offset_path(&there_and_back, angle, step));
    }
    limited(paths)
}

/// The polygons within a distance in metres of polygons.
pub fn around_polygons(polygons: &[Polygon], radius: f64, tolerance: f64) -> Option<Vec<Polygon>> {
    let (angle, step) = (positive_angle(radius)?, circle_step(radius, tolerance)?);
    let mut paths = Vec::new();
    for polygon in polygons {
        paths.push(offset_path(&polygon.outer.points, angle, step));
        paths.extend(polygon.holes.iter().map(|hole| offset_path(&hole.clone().reversed().points, angle, step)));
    }
    limited(paths)
}

fn limited(paths: Vec<Vec<Point>>) -> Option<Vec<Polygon>> {
    if paths.iter().map(Vec::len).sum::<usize>() > POINTS_MAX {
        return None;
    }
    overlay::fill(&paths, Inside::Left).filter(|polygons| !polygons.is_empty())
}

/// `geo_line_buffer(line, radius [, tolerance])`
pub fn line_buffer(args: &Args<'_>) -> KernelResult {
    let (line, radius, tolerance) = (args.text(0)?, args.real(1)?, args.real_or(2, TOLERANCE_DEFAULT)?);
    args.to_dynamics(|row, out| {
        let lines = lines(line.opt(row)?)?;
        write_polygons(&around_lines(&lines, radius.opt(row)?, tolerance.opt(row)?)?, out);
        Some(())
    })
}

/// `geo_polygon_buffer(polygon, radius [, tolerance])`
pub fn polygon_buffer(args: &Args<'_>) -> KernelResult {
    let (polygon, radius, tolerance) = (args.text(0)?, args.real(1)?, args.real_or(2, TOLERANCE_DEFAULT)?);
    args.to_dynamics(|row, out| {
        let polygons = polygons(polygon.opt(row)?)?;
        write_polygons(&around_polygons(&polygons, radius.opt(row)?, tolerance.opt(row)?)?, out);
        Some(())
    })
}

/// The tolerance of densifying, in metres: from 0.1 to 10,000.
fn densify_tolerance(metres: f64) -> Option<f64> {
    (0.1..=10_000.0).contains(&metres).then_some(metres / EARTH_RADIUS)
}

/// A point of a map in degrees, not brought into range, and on the sphere.
type Place = ((f64, f64), Point);

/// `geo_line_densify(line [, tolerance [, preserve_crossing]])`
pub fn line_densify(args: &Args<'_>) -> KernelResult {
    let (line, tolerance) = (args.text(0)?, args.real_or(1, TOLERANCE_DEFAULT)?);
    args.to_dynamics(|row, out| {
        let (lines, tolerance) = (line_degrees(line.opt(row)?)?, densify_tolerance(tolerance.opt(row)?)?);
        let mut parts: Vec<Line> = Vec::new();
        for line in &lines {
            parts.extend(cut_at_antimeridian(&densified(line, tolerance)?));
        }
        write_lines(&parts, out);
        Some(())
    })
}

/// `geo_polygon_densify(polygon [, tolerance [, preserve_crossing]])`
pub fn polygon_densify(args: &Args<'_>) -> KernelResult {
    let (polygon, tolerance) = (args.text(0)?, args.real_or(1, TOLERANCE_DEFAULT)?);
    args.to_dynamics(|row, out| {
        let tolerance = densify_tolerance(tolerance.opt(row)?)?;
        let dense_ring = |ring: &Vec<(f64, f64)>| {
            let mut closed = ring.clone();
            closed.extend(ring.first().copied());
            let mut points: Line = densified(&closed, tolerance)?.into_iter().map(|(_, point)| point).collect();
            points.pop();
            Some(Ring { points })
        };
        let mut polygons = Vec::new();
        for rings in ring_degrees(polygon.opt(row)?)? {
            let mut rings = rings.iter().map(dense_ring).collect::<Option<Vec<Ring>>>()?.into_iter();
            polygons.push(Polygon { outer: rings.next()?, holes: rings.collect() });
        }
        write_polygons(&polygons, out);
        Some(())
    })
}

/// Adds points on the straight lines of a flat map until these and the geodesics between the points differ by no more
/// than the tolerance (radians). The line goes as it is drawn, also round the long way.
fn densified(line: &[(f64, f64)], tolerance: f64) -> Option<Vec<Place>> {
    let place = |(lng, lat): (f64, f64)| ((lng, lat), Point::from_degrees(lng, lat));
    let mut out: Vec<Place> = line.first().map(|first| place(*first)).into_iter().collect();
    for pair in line.windows(2) {
        let [from, to] = pair else { continue };
        // Pieces still to do, the next one last.
        let mut waiting = vec![(place(*from), place(*to))];
        while let Some((from, to)) = waiting.pop() {
            if edge_error(from, to) <= 0.838_299_925_698_885_1 * tolerance {
                out.push(to);
            } else {
                let middle = place(((from.0.0 + to.0.0) * 0.5, (from.0.1 + to.0.1) * 0.5));
                waiting.push((middle, to));
                waiting.push((from, middle));
            }
            if out.len() + waiting.len() > POINTS_MAX {
                return None;
            }
        }
    }
    Some(out)
}

/// How far a straight line of the map is from the geodesic, measured where the difference is largest for most edges.
fn edge_error((from, a): Place, (to, b): Place) -> f64 {
    const PLACE: f64 = 0.312_156_910_822_482_5;
    if a.dot(b) < -1e-14 {
        return f64::INFINITY;
    }
    let error = |fraction: f64| {
        let flat = (from.0 + (to.0 - from.0) * fraction, from.1 + (to.1 - from.1) * fraction);
        interpolate(a, b, fraction).angle(Point::from_degrees(flat.0, flat.1))
    };
    error(PLACE).max(error(1.0 - PLACE))
}

/// A map ends at the antimeridian: a line that crosses it is cut there.
fn cut_at_antimeridian(line: &[Place]) -> Vec<Line> {
    // Just inside the map on either side.
    const BORDER: f64 = 179.999_999_999_999;
    let sheet = |lng: f64| ((lng + 180.0) / 360.0).floor();
    let mut parts: Vec<Line> = vec![Vec::new()];
    for (index, (degrees, point)) in line.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| line.get(index));
        if let Some((before, last)) = before
            && sheet(before.0) != sheet(degrees.0)
            && before.0.rem_euclid(360.0) != 180.0
            && degrees.0.rem_euclid(360.0) != 180.0
        {
            let n = normal(*last, *point);
            let meeting = n.cross(Point::new(0.0, 1.0, 0.0)).unit();
            let lat = if meeting.x > 0.0 { -meeting } else { meeting }.to_degrees().1;
            let (end, start) = if degrees.0 > before.0 { (BORDER, -BORDER) } else { (-BORDER, BORDER) };
            if let Some(part) = parts.last_mut() {
                part.push(Point::from_degrees(end, lat));
            }
            parts.push(vec![Point::from_degrees(start, lat)]);
        }
        if let Some(part) = parts.last_mut() {
            part.push(*point);
        }
    }
    parts
}

/// A tolerance of simplifying, in metres: not negative.
fn simplify_tolerance(metres: f64) -> Option<f64> {
    (metres.is_finite() && metres >= 0.0).then_some(metres / EARTH_RADIUS)
}

/// Leaves out points that are nearer than the tolerance to the edge that replaces them (Douglas and Peucker).
fn thinned(line: &[Point], tolerance: f64) -> Line {
    let mut keep = vec![false; line.len()];
    let mut waiting = vec![(0, line.len().saturating_sub(1))];
    while let Some((first, last)) = waiting.pop() {
        keep[first] = true;
        keep[last] = true;
        let far = (first + 1..last)
            .map(|index| (index, line[index].angle(closest_on_edge(line[index], line[first], line[last]))))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((index, distance)) = far
            && distance > tolerance
        {
            waiting.push((first, index));
            waiting.push((index, last));
        }
    }
    line.iter().zip(keep).filter(|(_, keep)| *keep).map(|(point, _)| *point).collect()
}

/// `geo_line_simplify(line [, tolerance])`
pub fn line_simplify(args: &Args<'_>) -> KernelResult {
    let (line, tolerance) = (args.text(0)?, args.real_or(1, TOLERANCE_DEFAULT)?);
    args.to_dynamics(|row, out| {
        let (lines, tolerance) = (lines(line.opt(row)?)?, simplify_tolerance(tolerance.opt(row)?)?);
        let thin: Vec<Line> = lines.iter().map(|line| thinned(line, tolerance)).collect();
        write_lines(&thin, out);
        Some(())
    })
}

/// A ring without the points that the tolerance allows to leave out; None when it vanishes.
fn thinned_ring(ring: &Ring, tolerance: f64) -> Option<Ring> {
    let first = *ring.points.first()?;
    // The ring is cut at its first point and the one that is farthest from there.
    let far =
        (1..ring.points.len()).max_by(|a, b| first.angle(ring.points[*a]).total_cmp(&first.angle(ring.points[*b])))?;
    let mut there = thinned(ring.points.get(..=far)?, tolerance);
    let mut back: Line = ring.points.get(far..)?.to_vec();
    back.push(first);
    let back = thinned(&back, tolerance);
    there.extend(back.iter().skip(1).take(back.len().saturating_sub(2)));
    let points = there;
    let flat = points.len() < 3
        || points.iter().all(|point| {
            let far = ring.points[far];
            point.angle(closest_on_edge(*point, first, far)) <= tolerance
        });
    if flat { None } else { Ring::new(points) }
}

fn thinned_polygons(polygons: &[Polygon], tolerance: f64) -> Option<Vec<Polygon>> {
    let thin: Vec<Polygon> = polygons
        .iter()
        .filter_map(|polygon| {
            let holes = polygon.holes.iter().filter_map(|hole| thinned_ring(hole, tolerance)).collect();
            Some(Polygon { outer: thinned_ring(&polygon.outer, tolerance)?, holes })
        })
        .collect();
    (!thin.is_empty()).then_some(thin)
}

/// `geo_polygon_simplify(polygon [, tolerance])`
pub fn polygon_simplify(args: &Args<'_>) -> KernelResult {
    let (polygon, tolerance) = (args.text(0)?, args.real_or(1, TOLERANCE_DEFAULT)?);
    args.to_dynamics(|row, out| {
        let tolerance = simplify_tolerance(tolerance.opt(row)?)?;
        write_polygons(&thinned_polygons(&polygons(polygon.opt(row)?)?, tolerance)?, out);
        Some(())
    })
}

/// `geo_simplify_polygons_array(polygons [, tolerance])`
pub fn simplify_polygons_array(args: &Args<'_>) -> KernelResult {
    let (array, tolerance) = (args.text(0)?, args.real_or(1, TOLERANCE_DEFAULT)?);
    args.to_dynamics(|row, out| {
        let tolerance = simplify_tolerance(tolerance.opt(row)?)?;
        let polygons = thinned_polygons(&gathered_polygons(array.opt(row)?)?, tolerance)?;
        out.push('[');
        for (index, polygon) in polygons.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            write_polygons(std::slice::from_ref(polygon), out);
        }
        out.push(']');
        Some(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType;

    #[test]
    fn a_point_buffer_is_a_circle() {
        let cells = [-115.1745008278, 36.1497251277, 20000.0].map(Cell::Real);
        let Cell::Text(json) = call(point_buffer, &cells, ScalarType::Dynamic) else { panic!() };
        let ring = &polygons(&json).unwrap()[0].outer;
        assert_eq!(ring.points.len(), 100);
        let centre = Point::from_degrees(-115.1745008278, 36.1497251277);
        for point in &ring.points {
            assert!((centre.angle(*point) * EARTH_RADIUS - 20_000.0).abs() < 1e-3);
        }
        let (lng, lat) = ring.points[0].to_degrees();
        assert!((lng + 115.23572342504431).abs() < 1e-9 && (lat - 36.32267760568711).abs() < 1e-9, "{lng} {lat}");
    }

    #[test]
    fn a_line_buffer_has_round_ends() {
        let line = lines(r#"{"type":"LineString","coordinates":[[0,0],[0.01,0]]}"#).unwrap();
        let around = around_lines(&line, 100.0, 1.0).unwrap();
        assert_eq!(around.len(), 1);
        for point in &around[0].outer.points {
            let distance = point.angle(closest_on_edge(*point, line[0][0], line[0][1])) * EARTH_RADIUS;
            assert!((distance - 100.0).abs() < 1e-2, "{distance}");
        }
        let bent = lines(r#"{"type":"LineString","coordinates":[[0,0],[0.01,0],[0.01,0.01]]}"#).unwrap();
        assert_eq!(around_lines(&bent, 100.0, 1.0).unwrap().len(), 1);
    }

    #[test]
    fn a_polygon_buffer_grows_and_holes_shrink() {
        let json = r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]],[[0.4,0.4],[0.6,0.4],[0.6,0.6],[0.4,0.6],[0.4,0.4]]]}"#;
        let polygons = polygons(json).unwrap();
        let around = around_polygons(&polygons, 1000.0, 10.0).unwrap();
        assert!(around[0].outer.area() > polygons[0].outer.area());
        assert_eq!(around[0].holes.len(), 1);
        assert!(around[0].holes[0].area() < polygons[0].holes[0].area());
    }

    #[test]
    fn too_many_points_are_none() {
        let shape = polygons(r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}"#).unwrap();
        for (radius, tolerance) in
            [(1e300, 52.5), (1e6, 1e-9), (f64::MIN_POSITIVE, 1e-320), (1e4, 0.0), (1e4, f64::NAN)]
        {
            assert!(around_polygons(&shape, radius, tolerance).is_none(), "{radius} {tolerance}");
            let cells = [0.0, 0.0, radius, tolerance].map(Cell::Real);
            assert_eq!(call(point_buffer, &cells, ScalarType::Dynamic), Cell::Null);
        }
    }

    #[test]
    fn straight_maps_bend() {
        let count = |line: &[(f64, f64)]| densified(line, 10.0 / EARTH_RADIUS).unwrap().len();
        assert_eq!(count(&[(50.0, 50.0), (51.0, 51.0)]), 9);
        assert_eq!(count(&[(0.0, 0.0), (10.0, 0.0)]), 2, "the equator is a geodesic");
        let long = densified(&[(300.0, 1.0), (1.0, 1.0)], 10.0 / EARTH_RADIUS).unwrap();
        let parts = cut_at_antimeridian(&long);
        assert_eq!([parts[0].len(), parts[1].len()], [104, 155], "as drawn, the long way");
    }

    #[test]
    fn simplifying_keeps_the_shape() {
        let line: Line = (0..50).map(|i| Point::from_degrees(f64::from(i) * 1e-4, 0.0)).collect();
        assert_eq!(thinned(&line, 1e-9).len(), 2);
        let tiny = polygons(r#"{"type":"Polygon","coordinates":[[[5,48],[0,50],[0,47],[4,47],[5,48]]]}"#).unwrap();
        assert!(thinned_polygons(&tiny, 1_000_000.0 / EARTH_RADIUS).is_none());
    }
}
