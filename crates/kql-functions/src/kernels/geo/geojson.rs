//! Shapes as GeoJSON in dynamic values.

use std::fmt::Write;

use kql_types::{Dynamic, number};

use super::region::{Line, Polygon, Ring};
use super::sphere::Point;

/// A ring as longitudes and latitudes.
pub type DegreeRing = Vec<(f64, f64)>;

/// Reads a point of two numbers; a latitude beyond a pole is none.
fn position(value: &Dynamic) -> Option<Point> {
    match value.as_array()? {
        [lng, lat, ..] => {
            let (lng, lat) = (lng.as_real()?, lat.as_real()?);
            (lng.is_finite() && lat.abs() <= 90.0).then(|| Point::from_degrees(lng, lat))
        }
        _ => None,
    }
}

/// Reads the numbers of a list of points as they are written.
fn degrees(value: &Dynamic) -> Option<Vec<(f64, f64)>> {
    let pair = |value: &Dynamic| match value.as_array()? {
        [lng, lat, ..] => Some((lng.as_real()?, lat.as_real()?)),
        _ => None,
    };
    value.as_array()?.iter().map(pair).collect()
}

/// The coordinates of valid lines in degrees, not brought into range.
pub fn line_degrees(text: &str) -> Option<Vec<Vec<(f64, f64)>>> {
    let value = Dynamic::parse(text)?;
    read_lines(&value)?;
    let value = geometry(&value);
    let coordinates = value.get("coordinates")?;
    if type_of(value) == "LineString" { Some(vec![degrees(coordinates)?]) } else { all(coordinates, degrees) }
}

/// The rings of valid polygons in degrees, not closed, turning left; not brought into range.
pub fn ring_degrees(text: &str) -> Option<Vec<Vec<DegreeRing>>> {
    let value = Dynamic::parse(text)?;
    let polygons = read_polygons(&value)?;
    let value = geometry(&value);
    let coordinates = value.get("coordinates")?;
    let written = if type_of(value) == "Polygon" {
        vec![all(coordinates, degrees)?]
    } else {
        all(coordinates, |p| all(p, degrees))?
    };
    let mut turned = Vec::new();
    for (rings, polygon) in written.into_iter().zip(&polygons) {
        let turn = |(mut ring, read): (Vec<(f64, f64)>, &Ring)| {
            ring.pop();
            let first = ring.first().map(|(lng, lat)| Point::from_degrees(*lng, *lat));
            if first != read.points.first().copied() {
                ring.reverse();
            }
            ring
        };
        turned.push(rings.into_iter().zip(polygon.rings()).map(turn).collect());
    }
    Some(turned)
}

fn positions(value: &Dynamic) -> Option<Vec<Point>> {
    value.as_array()?.iter().map(position).collect()
}

fn line(value: &Dynamic) -> Option<Line> {
    let points = positions(value)?;
    let valid = points.len() >= 2 && super::region::edges(&points).all(|(a, b)| !a.same(b));
    valid.then_some(points)
}

fn polygon(value: &Dynamic) -> Option<Polygon> {
    let mut rings = Vec::new();
    for ring in value.as_array()? {
        let points = positions(ring)?;
        let closed = points.first().zip(points.last()).is_some_and(|(first, last)| first.same(*last));
        if points.len() < 4 || !closed {
            return None;
        }
        rings.push(Ring::new(points)?);
    }
    let mut rings = rings.into_iter();
    Some(Polygon { outer: rings.next()?, holes: rings.collect() })
}

fn all<T>(values: &Dynamic, read: impl Fn(&Dynamic) -> Option<T>) -> Option<Vec<T>> {
    let items: Vec<T> = values.as_array()?.iter().map(read).collect::<Option<_>>()?;
    (!items.is_empty()).then_some(items)
}

/// The geometry of a feature, the geometry itself otherwise.
fn geometry(value: &Dynamic) -> &Dynamic {
    value.get("geometry").unwrap_or(value)
}

fn type_of(value: &Dynamic) -> &str {
    match value.get("type") {
        Some(Dynamic::String(name)) => name,
        _ => "",
    }
}

/// Reads a `LineString` or `MultiLineString`; None when it is none or not valid.
pub fn read_lines(value: &Dynamic) -> Option<Vec<Line>> {
    let value = geometry(value);
    let coordinates = value.get("coordinates")?;
    match type_of(value) {
        "LineString" => Some(vec![line(coordinates)?]),
        "MultiLineString" => all(coordinates, line),
        _ => None,
    }
}

/// Reads a `Polygon` or `MultiPolygon`; None when it is none or not valid.
pub fn read_polygons(value: &Dynamic) -> Option<Vec<Polygon>> {
    let value = geometry(value);
    let coordinates = value.get("coordinates")?;
    match type_of(value) {
        "Polygon" => Some(vec![polygon(coordinates)?]),
        "MultiPolygon" => all(coordinates, polygon),
        _ => None,
    }
}

/// A line or a polygon.
pub enum Shape {
    Lines(Vec<Line>),
    Polygons(Vec<Polygon>),
}

/// Reads a canonical dynamic text.
pub fn shape(text: &str) -> Option<Shape> {
    let value = Dynamic::parse(text)?;
    read_lines(&value).map(Shape::Lines).or_else(|| read_polygons(&value).map(Shape::Polygons))
}

/// Reads a canonical dynamic text that must be lines.
pub fn lines(text: &str) -> Option<Vec<Line>> {
    read_lines(&Dynamic::parse(text)?)
}

/// Reads a canonical dynamic text that must be polygons.
pub fn polygons(text: &str) -> Option<Vec<Polygon>> {
    read_polygons(&Dynamic::parse(text)?)
}

/// Writes coordinates as they are: longitude, latitude.
pub fn write_position((lng, lat): (f64, f64), out: &mut String) {
    out.push('[');
    // Adding zero makes 0 of -0.
    number::format_real_into(lng + 0.0, out);
    out.push(',');
    number::format_real_into(lat + 0.0, out);
    out.push(']');
}

fn write_list<T>(items: impl IntoIterator<Item = T>, out: &mut String, mut write: impl FnMut(T, &mut String)) {
    out.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

fn write_points<'p>(points: impl IntoIterator<Item = &'p Point>, out: &mut String) {
    write_list(points, out, |point, out| write_position(point.to_degrees(), out));
}

fn write_rings(polygon: &Polygon, out: &mut String) {
    let holes = polygon.holes.iter().map(|hole| hole.clone().reversed());
    let rings: Vec<Ring> = std::iter::once(polygon.outer.clone()).chain(holes).collect();
    write_list(&rings, out, |ring, out| write_points(ring.points.iter().chain(ring.points.first()), out));
}

fn open(kind: &str, out: &mut String) {
    let _ = write!(out, "{{\"type\":\"{kind}\",\"coordinates\":");
}

/// Writes `{"type":"Point","coordinates":[lng,lat]}`.
pub fn write_point(degrees: (f64, f64), out: &mut String) {
    open("Point", out);
    write_position(degrees, out);
    out.push('}');
}

/// Writes a polygon of one ring given in degrees, not closed.
pub fn write_ring_degrees(ring: &[(f64, f64)], out: &mut String) {
    open("Polygon", out);
    out.push('[');
    write_list(ring.iter().chain(ring.first()), out, |position, out| write_position(*position, out));
    out.push_str("]}");
}

/// Writes a `LineString`, or a `MultiLineString` of several.
pub fn write_lines(lines: &[Line], out: &mut String) {
    match lines {
        [line] => {
            open("LineString", out);
            write_points(line, out);
        }
        lines => {
            open("MultiLineString", out);
            write_list(lines, out, write_points);
        }
    }
    out.push('}');
}

/// Writes a `Polygon`, or a `MultiPolygon` of several.
pub fn write_polygons(polygons: &[Polygon], out: &mut String) {
    match polygons {
        [polygon] => {
            open("Polygon", out);
            write_rings(polygon, out);
        }
        polygons => {
            open("MultiPolygon", out);
            write_list(polygons, out, write_rings);
        }
    }
    out.push('}');
}

/// What a set operation leaves, by dimension.
#[derive(Debug, Default)]
pub struct Mixed {
    pub points: Vec<Point>,
    pub lines: Vec<Line>,
    pub polygons: Vec<Polygon>,
}

impl Mixed {
    /// Writes the only kind there is, or a `GeometryCollection` (an empty one for nothing).
    pub fn write(&self, out: &mut String) {
        let mut parts: Vec<String> = Vec::new();
        let mut part = |write: &dyn Fn(&mut String)| {
            let mut text = String::new();
            write(&mut text);
            parts.push(text);
        };
        match self.points.as_slice() {
            [] => {}
            [point] => part(&|out| write_point(point.to_degrees(), out)),
            points => part(&|out| {
                open("MultiPoint", out);
                write_points(points, out);
                out.push('}');
            }),
        }
        if !self.lines.is_empty() {
            part(&|out| write_lines(&self.lines, out));
        }
        if !self.polygons.is_empty() {
            part(&|out| write_polygons(&self.polygons, out));
        }
        match parts.as_slice() {
            [single] => out.push_str(single),
            parts => {
                out.push_str("{\"type\":\"GeometryCollection\",\"geometries\":");
                write_list(parts, out, |part, out| out.push_str(part));
                out.push('}');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_checked() {
        assert!(lines(r#"{"type":"LineString","coordinates":[[1,1],[2,2]]}"#).is_some());
        for wrong in [
            r#"{"type":"LineString"}"#,
            r#"{"type":"LineString","coordinates":[[1,1]]}"#,
            r#"{"type":"LineString","coordinates":[[[0,0],[0,0]]]}"#,
            r#"{"type":"LineString","coordinates":[[1,91],[2,2]]}"#,
        ] {
            assert!(lines(wrong).is_none(), "{wrong}");
        }
        assert!(polygons(r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}"#).is_some());
        for wrong in [
            r#"{"type":"Polygon","coordinates":[]}"#,
            r#"{"type":"Polygon","coordinates":[[[0,0],[1,1]]]}"#,
            r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1]]]}"#,
            r#"{"type":"Polygon"}"#,
        ] {
            assert!(polygons(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn mixtures_are_collections() {
        let mut out = String::new();
        Mixed::default().write(&mut out);
        assert_eq!(out, r#"{"type":"GeometryCollection","geometries":[]}"#);
    }
}
