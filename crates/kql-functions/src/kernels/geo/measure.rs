//! Distances, angles, lengths, areas, centroids, nearest points.

use super::LngLat;
use super::geojson::{lines, polygons, write_point};
use super::overlay;
use super::region::{Line, Polygon, contain, edges};
use super::sphere::{EARTH_RADIUS, Point, closest_on_edge, edge_centroid, interpolate, normal, triangle_centroid};
use crate::kernels::{Args, KernelResult};

/// `geo_distance_2points(lng1, lat1, lng2, lat2)`
pub fn distance_2points(args: &Args<'_>) -> KernelResult {
    let (a, b) = (LngLat::of(args, 0)?, LngLat::of(args, 2)?);
    args.to_reals(|row| Some(a.at(row)?.angle(b.at(row)?) * EARTH_RADIUS))
}

/// `geo_point_in_circle(lng, lat, centre_lng, centre_lat, radius)`
pub fn point_in_circle(args: &Args<'_>) -> KernelResult {
    let (a, b, radius) = (LngLat::of(args, 0)?, LngLat::of(args, 2)?, args.real(4)?);
    args.to_bools(|row| {
        let radius = radius.opt(row).filter(|radius| radius.is_finite() && *radius >= 0.0)?;
        Some(a.at(row)?.angle(b.at(row)?) * EARTH_RADIUS <= radius)
    })
}

/// The angle from north at `a` to the direction of `b`, clockwise.
fn azimuth(a: Point, b: Point) -> f64 {
    let east = normal(Point::new(0.0, 0.0, 1.0), a);
    let north = a.cross(east);
    let angle = b.dot(east).atan2(b.dot(north));
    if angle < 0.0 { angle + std::f64::consts::TAU } else { angle }
}

/// `geo_azimuth(lng1, lat1, lng2, lat2)`
pub fn azimuth_of(args: &Args<'_>) -> KernelResult {
    let (a, b) = (LngLat::of(args, 0)?, LngLat::of(args, 2)?);
    args.to_reals(|row| {
        let (a, b) = (a.at(row)?, b.at(row)?);
        (!a.same(b) && !a.same(-b)).then(|| azimuth(a, b))
    })
}

/// `geo_angle(lng1, lat1, lng2, lat2, lng3, lat3)`: clockwise at the second point.
pub fn angle(args: &Args<'_>) -> KernelResult {
    let (a, b, c) = (LngLat::of(args, 0)?, LngLat::of(args, 2)?, LngLat::of(args, 4)?);
    args.to_reals(|row| {
        let (a, b, c) = (a.at(row)?, b.at(row)?, c.at(row)?);
        if [a, c].iter().any(|end| end.same(b) || end.same(-b)) {
            return None;
        }
        let turn = azimuth(b, c) - azimuth(b, a);
        Some(if turn < 0.0 { turn + std::f64::consts::TAU } else { turn })
    })
}

fn all_edges(lines: &[Line]) -> impl Iterator<Item = (Point, Point)> + Clone + '_ {
    lines.iter().flat_map(|line| edges(line))
}

fn border_edges(polygons: &[Polygon]) -> impl Iterator<Item = (Point, Point)> + '_ {
    polygons.iter().flat_map(Polygon::rings).flat_map(|ring| ring.edges())
}

fn closest(p: Point, edges: impl Iterator<Item = (Point, Point)>) -> Option<Point> {
    edges.map(|(a, b)| closest_on_edge(p, a, b)).min_by(|a, b| p.angle(*a).total_cmp(&p.angle(*b)))
}

/// `geo_distance_point_to_line(lng, lat, line)`
pub fn distance_point_to_line(args: &Args<'_>) -> KernelResult {
    let (point, line) = (LngLat::of(args, 0)?, args.text(2)?);
    args.to_reals(|row| {
        let point = point.at(row)?;
        Some(point.angle(closest(point, all_edges(&lines(line.opt(row)?)?))?) * EARTH_RADIUS)
    })
}

/// `geo_closest_point_on_line(lng, lat, line)`
pub fn closest_point_on_line(args: &Args<'_>) -> KernelResult {
    let (point, line) = (LngLat::of(args, 0)?, args.text(2)?);
    args.to_dynamics(|row, out| {
        let nearest = closest(point.at(row)?, all_edges(&lines(line.opt(row)?)?))?;
        write_point(nearest.to_degrees(), out);
        Some(())
    })
}

/// `geo_distance_point_to_polygon(lng, lat, polygon)`: 0 inside.
pub fn distance_point_to_polygon(args: &Args<'_>) -> KernelResult {
    let (point, polygon) = (LngLat::of(args, 0)?, args.text(2)?);
    args.to_reals(|row| {
        let (point, polygons) = (point.at(row)?, polygons(polygon.opt(row)?)?);
        if contain(&polygons, point) {
            return Some(0.0);
        }
        Some(point.angle(closest(point, border_edges(&polygons))?) * EARTH_RADIUS)
    })
}

/// `geo_closest_point_on_polygon(lng, lat, polygon)`: the point itself inside.
pub fn closest_point_on_polygon(args: &Args<'_>) -> KernelResult {
    let (point, polygon) = (LngLat::of(args, 0)?, args.text(2)?);
    args.to_dynamics(|row, out| {
        let (degrees, polygons) = (point.degrees(row)?, polygons(polygon.opt(row)?)?);
        let point = point.at(row)?;
        if contain(&polygons, point) {
            write_point(degrees, out);
        } else {
            write_point(closest(point, border_edges(&polygons))?.to_degrees(), out);
        }
        Some(())
    })
}

/// `geo_line_length(line)`
pub fn line_length(args: &Args<'_>) -> KernelResult {
    let line = args.text(0)?;
    args.to_reals(|row| {
        let lines = lines(line.opt(row)?)?;
        Some(all_edges(&lines).map(|(a, b)| a.angle(b)).sum::<f64>() * EARTH_RADIUS)
    })
}

/// `geo_line_centroid(line)`
pub fn line_centroid(args: &Args<'_>) -> KernelResult {
    let line = args.text(0)?;
    args.to_dynamics(|row, out| {
        let lines = lines(line.opt(row)?)?;
        let sum = all_edges(&lines).fold(Point::ZERO, |sum, (a, b)| sum + edge_centroid(a, b));
        write_point(sum.unit().to_degrees(), out);
        Some(())
    })
}

/// `geo_line_interpolate_point(line, fraction)`
pub fn line_interpolate_point(args: &Args<'_>) -> KernelResult {
    let (line, fraction) = (args.text(0)?, args.real(1)?);
    args.to_dynamics(|row, out| {
        let lines = lines(line.opt(row)?)?;
        let fraction = fraction.opt(row).filter(|fraction| (0.0..=1.0).contains(fraction))?;
        let edges = all_edges(&lines);
        let mut left = fraction * edges.clone().map(|(a, b)| a.angle(b)).sum::<f64>();
        let mut place = None;
        for (a, b) in edges {
            let length = a.angle(b);
            if left <= length {
                place = Some(interpolate(a, b, left / length));
                break;
            }
            left -= length;
            place = Some(b);
        }
        write_point(place?.to_degrees(), out);
        Some(())
    })
}

/// `geo_line_locate_point(line, lng, lat)`
pub fn line_locate_point(args: &Args<'_>) -> KernelResult {
    let (line, point) = (args.text(0)?, LngLat::of(args, 1)?);
    args.to_reals(|row| {
        let (lines, point) = (lines(line.opt(row)?)?, point.at(row)?);
        let mut before = 0.0;
        let mut nearest: Option<(f64, f64)> = None;
        for (a, b) in all_edges(&lines) {
            let on_edge = closest_on_edge(point, a, b);
            let distance = point.angle(on_edge);
            if nearest.is_none_or(|(known, _)| distance < known) {
                nearest = Some((distance, before + a.angle(on_edge)));
            }
            before += a.angle(b);
        }
        Some((nearest?.1 / before).clamp(0.0, 1.0))
    })
}

/// The polygons of a text as one shape without overlaps.
fn merged(text: Option<&str>) -> Option<Vec<Polygon>> {
    overlay::merge(polygons(text?)?)
}

/// `geo_polygon_area(polygon)`
pub fn polygon_area(args: &Args<'_>) -> KernelResult {
    let polygon = args.text(0)?;
    args.to_reals(|row| {
        let area: f64 = merged(polygon.opt(row))?.iter().map(Polygon::area).sum();
        Some(area * EARTH_RADIUS * EARTH_RADIUS)
    })
}

/// `geo_polygon_perimeter(polygon)`
pub fn polygon_perimeter(args: &Args<'_>) -> KernelResult {
    let polygon = args.text(0)?;
    args.to_reals(|row| {
        let polygons = merged(polygon.opt(row))?;
        Some(border_edges(&polygons).map(|(a, b)| a.angle(b)).sum::<f64>() * EARTH_RADIUS)
    })
}

/// `geo_polygon_centroid(polygon)`
pub fn polygon_centroid(args: &Args<'_>) -> KernelResult {
    let polygon = args.text(0)?;
    args.to_dynamics(|row, out| {
        let mut sum = Point::ZERO;
        for polygon in merged(polygon.opt(row))? {
            sum = polygon.outer.triangles().fold(sum, |sum, (a, b, c)| sum + triangle_centroid(a, b, c));
            let holes = polygon.holes.iter().flat_map(|hole| hole.triangles());
            sum = holes.fold(sum, |sum, (a, b, c)| sum - triangle_centroid(a, b, c));
        }
        write_point(sum.unit().to_degrees(), out);
        Some(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType;

    fn real(cell: Cell) -> f64 {
        if let Cell::Real(value) = cell { value } else { f64::NAN }
    }

    #[test]
    fn known_distances() {
        let cells = [-122.407628, 47.578557, -118.275287, 34.019056].map(Cell::Real);
        let distance = real(call(distance_2points, &cells, ScalarType::Real));
        assert!((distance - 1_546_754.3519738095).abs() < 1e-3, "{distance}");
        let wrong = [300.0, 0.0, 0.0, 0.0].map(Cell::Real);
        assert_eq!(call(distance_2points, &wrong, ScalarType::Real), Cell::Null);
    }

    #[test]
    fn known_angles() {
        let cells = [5.0, 10.0, 10.0, -40.0].map(Cell::Real);
        let turn = real(call(azimuth_of, &cells, ScalarType::Real)).to_degrees();
        assert!((turn - 175.01565360656755).abs() < 1e-9, "{turn}");
        let cells = [0.0, 10.0, 0.0, 5.0, 3.0, -10.0].map(Cell::Real);
        let turn = real(call(angle, &cells, ScalarType::Real)).to_degrees();
        assert!((turn - 168.73254319800884).abs() < 1e-9, "{turn}");
    }

    #[test]
    fn overlapping_polygons_count_once() {
        let square = "[[[0,0],[1,0],[1,1],[0,1],[0,0]]]";
        let area = |json: String| real(call(polygon_area, &[Cell::Dynamic(Some(json))], ScalarType::Real));
        let one = area(format!(r#"{{"type":"Polygon","coordinates":{square}}}"#));
        let two = area(format!(r#"{{"type":"MultiPolygon","coordinates":[{square},{square}]}}"#));
        assert!((one / two - 1.0).abs() < 1e-9, "{one} {two}");
    }
}
