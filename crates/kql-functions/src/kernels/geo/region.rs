//! Lines and polygons on the sphere.

use super::sphere::{Point, edges_cross, normal, signed_triangle_area};

/// A line of two or more points, neighbours distinct.
pub type Line = Vec<Point>;

/// A closed ring of three or more points, the last one joined to the first. The area left of it is at most a hemisphere.
#[derive(Debug, Clone, PartialEq)]
pub struct Ring {
    pub points: Vec<Point>,
}

/// An outer ring and the holes in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    pub outer: Ring,
    pub holes: Vec<Ring>,
}

/// Edges from each point to the next one.
pub fn edges(points: &[Point]) -> impl Iterator<Item = (Point, Point)> + Clone + '_ {
    points.windows(2).filter_map(|pair| if let [a, b] = pair { Some((*a, *b)) } else { None })
}

impl Ring {
    /// The ring through points, the last of which may repeat the first. None when it has under three points, repeats a
    /// point or crosses itself. The ring is turned round when its left side is more than a hemisphere.
    pub fn new(mut points: Vec<Point>) -> Option<Ring> {
        if points.len() > 1 && points.first().zip(points.last()).is_some_and(|(first, last)| first.same(*last)) {
            points.pop();
        }
        let ring = Ring { points };
        if ring.points.len() < 3 || ring.edges().any(|(a, b)| a.same(b)) || ring.crosses_itself() {
            return None;
        }
        Some(if ring.signed_area() < 0.0 { ring.reversed() } else { ring })
    }

    pub fn reversed(mut self) -> Ring {
        self.points.reverse();
        self
    }

    pub fn edges(&self) -> impl Iterator<Item = (Point, Point)> + Clone + '_ {
        let close = self.points.last().zip(self.points.first()).map(|(a, b)| (*a, *b));
        edges(&self.points).chain(close)
    }

    fn crosses_itself(&self) -> bool {
        let edges: Vec<(Point, Point)> = self.edges().collect();
        edges.iter().enumerate().any(|(index, (a, b))| {
            edges.iter().skip(index + 2).any(|(c, d)| edges_cross(*a, *b, *c, *d) || (a.same(*c) || b.same(*d)))
        })
    }

    /// Triangles from the first point: signed, they add up to the ring.
    pub fn triangles(&self) -> impl Iterator<Item = (Point, Point, Point)> + '_ {
        let first = self.points.first().copied().unwrap_or(Point::ZERO);
        edges(self.points.get(1..).unwrap_or_default()).map(move |(b, c)| (first, b, c))
    }

    /// The area on the left, or minus the area on the right, whichever is smaller. Square radians.
    fn signed_area(&self) -> f64 {
        let area: f64 = self.triangles().map(|(a, b, c)| signed_triangle_area(a, b, c)).sum();
        let sphere = 4.0 * std::f64::consts::PI;
        if area > sphere / 2.0 {
            area - sphere
        } else if area < -sphere / 2.0 {
            area + sphere
        } else {
            area
        }
    }

    /// Square radians.
    pub fn area(&self) -> f64 {
        self.signed_area().abs()
    }

    /// Whether a point is inside: the ring goes round it once, to the left.
    pub fn contains(&self, p: Point) -> bool {
        let mut turned = 0.0;
        for (a, b) in self.edges() {
            let (to_a, to_b) = (p.cross(a), p.cross(b));
            turned += p.dot(to_a.cross(to_b)).atan2(to_a.dot(to_b));
        }
        turned > std::f64::consts::PI
    }
}

impl Polygon {
    pub fn contains(&self, p: Point) -> bool {
        self.outer.contains(p) && !self.holes.iter().any(|hole| hole.contains(p))
    }

    pub fn rings(&self) -> impl Iterator<Item = &Ring> {
        std::iter::once(&self.outer).chain(&self.holes)
    }

    /// Square radians.
    pub fn area(&self) -> f64 {
        self.outer.area() - self.holes.iter().map(Ring::area).sum::<f64>()
    }
}

/// Whether any polygon contains the point.
pub fn contain(polygons: &[Polygon], p: Point) -> bool {
    polygons.iter().any(|polygon| polygon.contains(p))
}

/// A plane that touches the sphere, on which every geodesic is a straight line.
#[derive(Debug, Clone, Copy)]
pub struct Plane {
    centre: Point,
    east: Point,
    north: Point,
}

impl Plane {
    /// The plane in the middle of the points; None when they do not fit on one side of the sphere.
    pub fn around(points: impl Iterator<Item = Point> + Clone) -> Option<Plane> {
        let centre = points.clone().fold(Point::ZERO, |sum, point| sum + point).unit();
        // Far from the middle lengths grow without bounds: at 84 degrees they are tenfold.
        if centre == Point::ZERO || points.clone().any(|point| point.dot(centre) < 0.1) {
            return None;
        }
        let east = normal(Point::new(0.0, 0.0, 1.0), centre);
        let east = if east.norm() < 0.5 { centre.ortho() } else { east };
        Some(Plane { centre, east, north: centre.cross(east) })
    }

    pub fn flat(&self, point: Point) -> [f64; 2] {
        let depth = point.dot(self.centre);
        [point.dot(self.east) / depth, point.dot(self.north) / depth]
    }

    pub fn round(&self, [x, y]: [f64; 2]) -> Point {
        (self.centre + self.east * x + self.north * y).unit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(points: &[(f64, f64)]) -> Option<Ring> {
        Ring::new(points.iter().map(|(lng, lat)| Point::from_degrees(*lng, *lat)).collect())
    }

    #[test]
    fn rings_turn_left() {
        let right = ring(&[(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0)]).unwrap();
        let left = ring(&[(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]).unwrap();
        assert!((right.area() - left.area()).abs() < 1e-15);
        for ring in [&right, &left] {
            assert!(ring.contains(Point::from_degrees(0.2, 0.2)));
            assert!(!ring.contains(Point::from_degrees(0.8, 0.8)));
            assert!(!ring.contains(Point::from_degrees(180.2, -0.2)), "the antipode is outside");
        }
    }

    #[test]
    fn what_is_no_ring() {
        assert!(ring(&[(0.0, 0.0), (10.0, 10.0), (10.0, 10.0), (0.0, 0.0)]).is_none(), "a repeated point");
        assert!(ring(&[(0.0, 0.0), (1.0, 1.0), (0.0, 0.0)]).is_none());
        assert!(ring(&[(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)]).is_none(), "a crossing");
    }

    #[test]
    fn a_plane_keeps_points_and_straight_lines() {
        let points: Vec<Point> =
            [(0.0, 50.0), (10.0, 55.0), (5.0, 40.0)].iter().map(|(x, y)| Point::from_degrees(*x, *y)).collect();
        let plane = Plane::around(points.iter().copied()).unwrap();
        for point in &points {
            assert!(plane.round(plane.flat(*point)).angle(*point) < 1e-14);
        }
        let middle = plane.flat((points[0] + points[1]).unit());
        let (a, b) = (plane.flat(points[0]), plane.flat(points[1]));
        let area = (b[0] - a[0]) * (middle[1] - a[1]) - (b[1] - a[1]) * (middle[0] - a[0]);
        assert!(area.abs() < 1e-15);
    }
}
