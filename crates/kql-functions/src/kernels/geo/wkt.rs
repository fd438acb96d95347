//! Well-known text to GeoJSON.

use super::geojson::write_position;
use crate::kernels::{Args, KernelResult};

/// Collections within collections at most.
const DEPTH_MAX: usize = 16;

/// `geo_from_wkt(wkt)`
pub fn from_wkt(args: &Args<'_>) -> KernelResult {
    let wkt = args.text(0)?;
    args.to_dynamics(|row, out| {
        let mut reader = Reader { rest: wkt.at(row).trim() };
        reader.geometry(0, out)?;
        reader.rest.is_empty().then_some(())
    })
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn take(&mut self, token: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(token)?.trim_start();
        Some(())
    }

    fn word(&mut self) -> String {
        let text = self.rest.trim_start();
        let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest.trim_start();
        word.to_ascii_uppercase()
    }

    fn number(&mut self) -> Option<f64> {
        let text = self.rest.trim_start();
        let end = text.find(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')')).unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        self.rest = rest.trim_start();
        number.parse().ok().filter(|value: &f64| value.is_finite())
    }

    fn position(&mut self, out: &mut String) -> Option<()> {
        write_position((self.number()?, self.number()?), out);
        Some(())
    }

    /// `(item, item, ...)` as an array.
    fn list(&mut self, out: &mut String, item: &mut dyn FnMut(&mut Self, &mut String) -> Option<()>) -> Option<()> {
        self.take('(')?;
        out.push('[');
        loop {
            item(self, out)?;
            if self.take(',').is_none() {
                break;
            }
            out.push(',');
        }
        out.push(']');
        self.take(')')
    }

    fn positions(&mut self, out: &mut String) -> Option<()> {
        self.list(out, &mut |reader, out| reader.position(out))
    }

    fn rings(&mut self, out: &mut String) -> Option<()> {
        self.list(out, &mut |reader, out| reader.positions(out))
    }

    fn geometry(&mut self, depth: usize, out: &mut String) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        let kind = self.word();
        let name = match kind.as_str() {
            "POINT" => "Point",
            "LINESTRING" => "LineString",
            "POLYGON" => "Polygon",
            "MULTIPOINT" => "MultiPoint",
            "MULTILINESTRING" => "MultiLineString",
            "MULTIPOLYGON" => "MultiPolygon",
            "GEOMETRYCOLLECTION" => "GeometryCollection",
            _ => return None,
        };
        out.push_str("{\"type\":\"");
        out.push_str(name);
        out.push_str(if name == "GeometryCollection" { "\",\"geometries\":" } else { "\",\"coordinates\":" });
        match name {
            "Point" => {
                self.take('(')?;
                self.position(out)?;
                self.take(')')?;
            }
            "LineString" => self.positions(out)?,
            "Polygon" | "MultiLineString" => self.rings(out)?,
            // Points may stand in parentheses of their own.
            "MultiPoint" => self.list(out, &mut |reader, out| {
                let own = reader.take('(').is_some();
                reader.position(out)?;
                if own { reader.take(')') } else { Some(()) }
            })?,
            "MultiPolygon" => self.list(out, &mut |reader, out| reader.rings(out))?,
            _ => self.list(out, &mut |reader, out| reader.geometry(depth + 1, out))?,
        }
        out.push('}');
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType;

    #[test]
    fn every_kind() {
        let json = |text: &str| call(from_wkt, &[text.into()], ScalarType::Dynamic);
        for (wkt, expected) in [
            ("POINT (1 -2.5)", r#"{"type":"Point","coordinates":[1.0,-2.5]}"#),
            ("multipoint ((1 1), 2 2)", r#"{"type":"MultiPoint","coordinates":[[1.0,1.0],[2.0,2.0]]}"#),
            ("LINESTRING(1 1,2 2)", r#"{"type":"LineString","coordinates":[[1.0,1.0],[2.0,2.0]]}"#),
            (
                "POLYGON ((0 0, 1 0, 1 1, 0 0))",
                r#"{"type":"Polygon","coordinates":[[[0.0,0.0],[1.0,0.0],[1.0,1.0],[0.0,0.0]]]}"#,
            ),
            (
                "GEOMETRYCOLLECTION (POINT (1 1),LINESTRING (2 2, 3 3))",
                r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1.0,1.0]},{"type":"LineString","coordinates":[[2.0,2.0],[3.0,3.0]]}]}"#,
            ),
        ] {
            assert_eq!(json(wkt), Cell::Text(expected.into()), "{wkt}");
        }
        for wrong in ["", "POINT", "POINT (1)", "POINT (1 2", "CIRCLE (1 2)", "POINT (1 2) x"] {
            assert_eq!(json(wrong), Cell::Null, "{wrong}");
        }
        assert_eq!(json(&"GEOMETRYCOLLECTION (".repeat(10_000)), Cell::Null);
    }
}
