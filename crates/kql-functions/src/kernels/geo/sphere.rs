//! Points and edges on the unit sphere.

use std::ops::{Add, Mul, Neg, Sub};

/// Metres.
pub const EARTH_RADIUS: f64 = 6_371_010.0;

/// A vector; a point when its length is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
    pub z: f64,
}

impl Add for Point {
    type Output = Point;
    fn add(self, other: Point) -> Point {
        Point { x: self.x + other.x, y: self.y + other.y, z: self.z + other.z }
    }
}

impl Sub for Point {
    type Output = Point;
    fn sub(self, other: Point) -> Point {
        Point { x: self.x - other.x, y: self.y - other.y, z: self.z - other.z }
    }
}

impl Neg for Point {
    type Output = Point;
    fn neg(self) -> Point {
        self * -1.0
    }
}

impl Mul<f64> for Point {
    type Output = Point;
    fn mul(self, factor: f64) -> Point {
        Point { x: self.x * factor, y: self.y * factor, z: self.z * factor }
    }
}

impl Point {
    pub const ZERO: Point = Point { x: 0.0, y: 0.0, z: 0.0 };

    pub fn new(x: f64, y: f64, z: f64) -> Point {
        Point { x, y, z }
    }

    pub fn from_degrees(lng: f64, lat: f64) -> Point {
        let (theta, phi) = (lng.to_radians(), lat.to_radians());
        let across = phi.cos();
        Point { x: theta.cos() * across, y: theta.sin() * across, z: phi.sin() }
    }

    /// Longitude and latitude.
    pub fn to_degrees(self) -> (f64, f64) {
        let lat = self.z.atan2((self.x * self.x + self.y * self.y).sqrt());
        (self.y.atan2(self.x).to_degrees(), lat.to_degrees())
    }

    pub fn dot(self, other: Point) -> f64 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    pub fn cross(self, other: Point) -> Point {
        Point {
            x: self.y * other.z - self.z * other.y,
            y: self.z * other.x - self.x * other.z,
            z: self.x * other.y - self.y * other.x,
        }
    }

    pub fn norm(self) -> f64 {
        self.dot(self).sqrt()
    }

    /// The vector of length 1 in this direction; zero for zero.
    pub fn unit(self) -> Point {
        let norm = self.norm();
        if norm == 0.0 { self } else { self * (1.0 / norm) }
    }

    /// The angle to another vector, in radians.
    pub fn angle(self, other: Point) -> f64 {
        self.cross(other).norm().atan2(self.dot(other))
    }

    /// A point at a right angle to this one, always the same for the same point.
    pub fn ortho(self) -> Point {
        let (x, y, z) = (self.x.abs(), self.y.abs(), self.z.abs());
        let other = if x > y && x > z {
            Point::new(0.012, 0.0053, 1.0)
        } else if y > z {
            Point::new(1.0, 0.0053, 0.00457)
        } else {
            Point::new(0.012, 1.0, 0.00457)
        };
        self.cross(other).unit()
    }

    /// The point at an angle from here towards a direction at a right angle.
    pub fn towards(self, direction: Point, angle: f64) -> Point {
        (self * angle.cos() + direction * angle.sin()).unit()
    }

    /// The same point to within rounding.
    pub fn same(self, other: Point) -> bool {
        let difference = self - other;
        difference.dot(difference) < 1e-29
    }
}

/// The normal of the great circle through two points, left of the edge from one to the other.
pub fn normal(a: Point, b: Point) -> Point {
    // The sum and the difference keep digits when the points are close: (a + b) x (b - a) is 2 (a x b).
    (a + b).cross(b - a).unit()
}

/// The point on the edge that is nearest to `p`.
pub fn closest_on_edge(p: Point, a: Point, b: Point) -> Point {
    let n = normal(a, b);
    let on_circle = (p - n * p.dot(n)).unit();
    let inside = n.cross(a).dot(on_circle) >= 0.0 && b.cross(n).dot(on_circle) >= 0.0;
    let inside = inside && n.cross(a).dot(on_circle).is_finite() && on_circle.norm() > 0.0;
    if inside && on_circle.dot(a + b) > 0.0 {
        on_circle
    } else if p.angle(a) <= p.angle(b) {
        a
    } else {
        b
    }
}

/// Positive when `p` is left of the edge, negative when right. Short edges near each other keep their digits.
fn side(a: Point, b: Point, p: Point) -> f64 {
    (a + b).cross(b - a).dot(p - a)
}

/// Whether the insides of two edges cross.
pub fn edges_cross(a: Point, b: Point, c: Point, d: Point) -> bool {
    if [a, b].iter().any(|p| p.same(c) || p.same(d)) {
        return false;
    }
    let (c_side, d_side) = (side(a, b, c), side(a, b, d));
    if c_side * d_side >= 0.0 {
        return false;
    }
    let (a_side, b_side) = (side(c, d, a), side(c, d, b));
    // On both sides of each other, and each on the same half of the sphere: `d` left of ab where `a` is right of cd.
    a_side * b_side < 0.0 && d_side * a_side > 0.0 && c_side * b_side > 0.0
}

/// Where two crossing edges meet.
pub fn crossing(a: Point, b: Point, c: Point, d: Point) -> Point {
    let meeting = normal(a, b).cross(normal(c, d)).unit();
    if meeting.dot(a + b + c + d) < 0.0 { -meeting } else { meeting }
}

/// The point at a fraction of the way from `a` to `b`.
pub fn interpolate(a: Point, b: Point, fraction: f64) -> Point {
    let direction = normal(a, b).cross(a);
    a.towards(direction, a.angle(b) * fraction)
}

/// The area left of the triangle a, b, c: negative when they turn right.
pub fn signed_triangle_area(a: Point, b: Point, c: Point) -> f64 {
    let turn = a.dot((b - a).cross(c - a));
    2.0 * turn.atan2(1.0 + a.dot(b) + b.dot(c) + c.dot(a))
}

/// The centroid of a triangle times its area, negative when the points turn right.
pub fn triangle_centroid(a: Point, b: Point, c: Point) -> Point {
    let ratio = |angle: f64| if angle == 0.0 { 1.0 } else { angle / angle.sin() };
    let (ra, rb, rc) = (ratio(b.angle(c)), ratio(c.angle(a)), ratio(a.angle(b)));
    let x = Point::new(a.x, b.x - a.x, c.x - a.x);
    let y = Point::new(a.y, b.y - a.y, c.y - a.y);
    let z = Point::new(a.z, b.z - a.z, c.z - a.z);
    let r = Point::new(ra, rb - ra, rc - ra);
    Point::new(y.cross(z).dot(r), z.cross(x).dot(r), x.cross(y).dot(r)) * 0.5
}

/// The centroid of an edge times its length.
pub fn edge_centroid(a: Point, b: Point) -> Point {
    let (difference, sum) = (a - b, a + b);
    let cos2 = sum.dot(sum);
    if cos2 == 0.0 { Point::ZERO } else { sum * (difference.dot(difference) / cos2).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point() -> impl Strategy<Value = Point> {
        (-179.0..179.0, -85.0..85.0).prop_map(|(lng, lat)| Point::from_degrees(lng, lat))
    }

    #[test]
    fn an_octant_has_an_eighth_of_the_area() {
        let (a, b, c) = (Point::new(1.0, 0.0, 0.0), Point::new(0.0, 1.0, 0.0), Point::new(0.0, 0.0, 1.0));
        assert!((signed_triangle_area(a, b, c) - std::f64::consts::FRAC_PI_2).abs() < 1e-12);
        assert!((signed_triangle_area(c, b, a) + std::f64::consts::FRAC_PI_2).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn degrees_come_back(lng in -179.0..179.0, lat in -89.0..89.0) {
            let (a, b) = Point::from_degrees(lng, lat).to_degrees();
            prop_assert!((a - lng).abs() < 1e-9 && (b - lat).abs() < 1e-9);
        }

        #[test]
        fn no_point_of_the_edge_is_nearer(p in point(), a in point(), b in point()) {
            prop_assume!(a.angle(b) > 1e-3 && a.angle(b) < 3.0);
            let closest = p.angle(closest_on_edge(p, a, b));
            for step in 0..=20 {
                let on_edge = interpolate(a, b, f64::from(step) / 20.0);
                prop_assert!(closest <= p.angle(on_edge) + 1e-9);
            }
        }

        #[test]
        fn a_crossing_is_on_both_edges(a in point(), b in point(), c in point(), d in point()) {
            if edges_cross(a, b, c, d) {
                let x = crossing(a, b, c, d);
                prop_assert!(x.angle(closest_on_edge(x, a, b)) < 1e-6);
                prop_assert!(x.angle(closest_on_edge(x, c, d)) < 1e-6);
            }
        }

        #[test]
        fn diagonals_cross(lng in -170.0..170.0, lat in -80.0..70.0, side in 1e-6..5.0) {
            let corner = |x: f64, y: f64| Point::from_degrees(lng + x * side, lat + y * side);
            let (a, b, c, d) = (corner(0.0, 0.0), corner(1.0, 0.0), corner(1.0, 1.0), corner(0.0, 1.0));
            prop_assert!(edges_cross(a, c, b, d) && edges_cross(c, a, b, d) && edges_cross(a, c, d, b));
            prop_assert!(!edges_cross(a, b, c, d) && !edges_cross(a, b, b, c) && !edges_cross(-a, -c, b, d));
        }
    }
}
