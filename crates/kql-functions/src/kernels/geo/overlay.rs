//! Union and intersection of polygons.
//!
//! Geodesics are straight lines on a plane that touches the sphere, so the work is done there and brought back. Shapes that
//! reach round more than one side of the sphere have no such plane: their result is null.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::float::overlay::{FloatOverlay, OverlayOptions};

use super::geojson::Mixed;
use super::region::{Line, Plane, Polygon, Ring};
use super::sphere::{Point, closest_on_edge};

/// Points nearer than this (radians, below a millimetre) touch.
const TOUCH: f64 = 1e-11;
/// The part of the extent to which the plane's grid is exact.
const GRID: f64 = 4e-9;
/// Rings of less area (square radians, a square millimetre) are left by rounding.
const AREA_MIN: f64 = 2.5e-20;

type Contour = Vec<[f64; 2]>;

/// What is inside counts how rings go round it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    /// Rings in any direction, at least once in total.
    NonZero,
    /// To the left, at least once in total.
    Left,
}

struct Flat {
    plane: Plane,
    /// The points of the input, to which those of the output snap.
    known: Vec<(Point, [f64; 2])>,
    snap: f64,
}

impl Flat {
    fn of(points: impl Iterator<Item = Point> + Clone) -> Option<Flat> {
        let plane = Plane::around(points.clone())?;
        let known: Vec<(Point, [f64; 2])> = points.map(|point| (point, plane.flat(point))).collect();
        let extent = known.iter().flat_map(|(_, flat)| *flat).fold(0.0f64, |most, value| most.max(value.abs()));
        Some(Flat { plane, known, snap: extent * GRID })
    }

    fn contours(&self, polygons: &[Polygon]) -> Vec<Contour> {
        let contour = |ring: &Ring| ring.points.iter().map(|point| self.plane.flat(*point)).collect::<Contour>();
        let mut contours = Vec::new();
        for polygon in polygons {
            contours.push(contour(&polygon.outer));
            contours.extend(polygon.holes.iter().map(|hole| contour(&hole.clone().reversed())));
        }
        contours
    }

    fn round(&self, flat: [f64; 2]) -> Point {
        let near = |known: &[f64; 2]| (known[0] - flat[0]).abs().max((known[1] - flat[1]).abs()) <= self.snap;
        match self.known.iter().find(|(_, known)| near(known)) {
            Some((point, _)) => *point,
            None => self.plane.round(flat),
        }
    }

    fn ring(&self, contour: &Contour) -> Option<Ring> {
        let mut points: Vec<Point> = contour.iter().map(|flat| self.round(*flat)).collect();
        points.dedup_by(|a, b| a.same(*b));
        while points.len() > 1 && points.first().zip(points.last()).is_some_and(|(a, b)| a.same(*b)) {
            points.pop();
        }
        let ring = Ring { points };
        (ring.points.len() >= 3 && ring.area() > AREA_MIN).then_some(ring)
    }

    fn combine(&self, subject: &[Contour], clip: &[Contour], rule: OverlayRule, fill: FillRule) -> Vec<Polygon> {
        let mut options = OverlayOptions::<f64, i32>::default();
        // Points in the middle of a straight border stay, as they do in Kusto.
        options.preserve_input_collinear = true;
        options.preserve_output_collinear = true;
        let subject: Vec<Vec<[f64; 2]>> = subject.to_vec();
        let clip: Vec<Vec<[f64; 2]>> = clip.to_vec();
        let mut overlay =
            FloatOverlay::<[f64; 2], i32>::from_subj_and_clip_custom(&subject, &clip, options, Default::default());
        let mut polygons = Vec::new();
        for shape in overlay.overlay(rule, fill) {
            let mut rings = shape.iter().map(|contour| self.ring(contour));
            let Some(Some(outer)) = rings.next() else { continue };
            let holes = rings.flatten().map(|hole| if turns_left(&hole) { hole } else { hole.reversed() }).collect();
            polygons.push(Polygon { outer, holes });
        }
        polygons
    }
}

fn turns_left(ring: &Ring) -> bool {
    ring.triangles().map(|(a, b, c)| super::sphere::signed_triangle_area(a, b, c)).sum::<f64>() >= 0.0
}

fn points(polygons: &[Polygon]) -> impl Iterator<Item = Point> + Clone + '_ {
    polygons.iter().flat_map(|polygon| {
        std::iter::once(&polygon.outer).chain(&polygon.holes).flat_map(|ring| ring.points.iter().copied())
    })
}

/// The polygons without overlaps; None when they do not fit on a plane.
pub fn merge(polygons: Vec<Polygon>) -> Option<Vec<Polygon>> {
    if polygons.len() < 2 {
        return Some(polygons);
    }
    let flat = Flat::of(points(&polygons))?;
    Some(flat.combine(&flat.contours(&polygons), &[], OverlayRule::Subject, FillRule::NonZero))
}

/// What closed paths go round, paths that may cross themselves and each other.
pub fn fill(paths: &[Vec<Point>], inside: Inside) -> Option<Vec<Polygon>> {
    let flat = Flat::of(paths.iter().flatten().copied())?;
    let contours: Vec<Contour> =
        paths.iter().map(|path| path.iter().map(|point| flat.plane.flat(*point)).collect()).collect();
    let rule = if inside == Inside::Left { FillRule::Positive } else { FillRule::NonZero };
    Some(flat.combine(&contours, &[], OverlayRule::Subject, rule))
}

/// What two shapes share, borders and single points included.
pub fn intersect(a: &[Polygon], b: &[Polygon]) -> Option<Mixed> {
    let flat = Flat::of(points(a).chain(points(b)))?;
    let polygons = flat.combine(&flat.contours(a), &flat.contours(b), OverlayRule::Intersect, FillRule::NonZero);
    let mut mixed = Mixed { polygons, ..Mixed::default() };
    let on_result = |p: Point, mixed: &Mixed| on_border(p, &mixed.polygons);
    for (x, y) in borders(a) {
        let middle = (x + y).unit();
        let shared = [x, y, middle].iter().all(|p| on_border(*p, b));
        if shared && !on_result(middle, &mixed) {
            mixed.lines.push(vec![x, y]);
        }
    }
    mixed.lines = join(mixed.lines);
    for (p, other) in points(a).map(|p| (p, b)).chain(points(b).map(|p| (p, a))) {
        let on_line = mixed.lines.iter().flatten().any(|q| q.angle(p) < TOUCH);
        let known = mixed.points.iter().any(|q| q.angle(p) < TOUCH);
        if !known && !on_line && on_border(p, other) && !on_result(p, &mixed) {
            mixed.points.push(p);
        }
    }
    Some(mixed)
}

fn borders(polygons: &[Polygon]) -> impl Iterator<Item = (Point, Point)> + '_ {
    polygons.iter().flat_map(Polygon::rings).flat_map(|ring| ring.edges())
}

/// Whether a point lies on the border.
pub fn on_border(p: Point, polygons: &[Polygon]) -> bool {
    borders(polygons).any(|(a, b)| p.angle(closest_on_edge(p, a, b)) < TOUCH)
}

/// Whether a point lies on one of the lines.
pub fn on_lines(p: Point, lines: &[Line]) -> bool {
    lines.iter().flat_map(|line| super::region::edges(line)).any(|(a, b)| p.angle(closest_on_edge(p, a, b)) < TOUCH)
}

/// Joins lines end to end where exactly two ends meet.
pub fn join(mut lines: Vec<Line>) -> Vec<Line> {
    let near = |a: Option<&Point>, b: Option<&Point>| a.zip(b).is_some_and(|(a, b)| a.angle(*b) < TOUCH);
    let mut at = 0;
    while at < lines.len() {
        let end = lines[at].last().copied();
        let meeting: Vec<usize> = (0..lines.len())
            .filter(|other| near(lines[*other].first(), end.as_ref()) || near(lines[*other].last(), end.as_ref()))
            .collect();
        let next = meeting.iter().copied().find(|other| *other != at);
        match next {
            Some(next) if meeting.len() == 2 => {
                let mut tail = lines[next].clone();
                if !near(tail.first(), end.as_ref()) {
                    tail.reverse();
                }
                lines[at].extend(tail.into_iter().skip(1));
                lines.remove(next);
                at -= usize::from(next < at);
            }
            _ => at += 1,
        }
    }
    // What ends where another line starts has been joined; what starts where another one starts has not.
    for index in 0..lines.len() {
        let start = lines[index].first().copied();
        let meeting: Vec<usize> = (0..lines.len())
            .filter(|other| near(lines[*other].first(), start.as_ref()) || near(lines[*other].last(), start.as_ref()))
            .collect();
        if let [one, two] = meeting.as_slice()
            && one != two
        {
            let other = if *one == index { *two } else { *one };
            if near(lines[other].first(), start.as_ref()) {
                let mut head = lines[other].clone();
                head.reverse();
                head.extend(lines[index].iter().copied().skip(1));
                lines[index.min(other)] = head;
                lines.remove(index.max(other));
                return join(lines);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, y: f64, side: f64) -> Polygon {
        let corners = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)];
        let outer = Ring::new(corners.iter().map(|(lng, lat)| Point::from_degrees(*lng, *lat)).collect()).unwrap();
        Polygon { outer, holes: Vec::new() }
    }

    fn area(polygons: &[Polygon]) -> f64 {
        polygons.iter().map(Polygon::area).sum()
    }

    #[test]
    fn areas_add_up() {
        let (a, b) = (square(0.0, 50.0, 1.0), square(0.5, 50.5, 1.0));
        let union = merge(vec![a.clone(), b.clone()]).unwrap();
        let shared = intersect(std::slice::from_ref(&a), std::slice::from_ref(&b)).unwrap();
        assert_eq!((union.len(), shared.polygons.len()), (1, 1));
        assert!(shared.points.is_empty() && shared.lines.is_empty());
        let difference = a.area() + b.area() - area(&union) - area(&shared.polygons);
        assert!(difference.abs() < 1e-12, "{difference}");
    }

    #[test]
    fn polygons_that_touch() {
        let corner = intersect(&[square(0.0, 0.0, 1.0)], &[square(1.0, 1.0, 1.0)]).unwrap();
        assert_eq!((corner.points.len(), corner.lines.len(), corner.polygons.len()), (1, 0, 0));
        let side = intersect(&[square(0.0, 0.0, 1.0)], &[square(1.0, 0.0, 1.0)]).unwrap();
        assert_eq!((side.points.len(), side.lines.len(), side.polygons.len()), (0, 1, 0));
        let apart = intersect(&[square(0.0, 0.0, 1.0)], &[square(3.0, 0.0, 1.0)]).unwrap();
        assert!(apart.points.is_empty() && apart.lines.is_empty() && apart.polygons.is_empty());
    }

    #[test]
    fn straight_points_stay() {
        let union = merge(vec![square(0.0, 0.0, 1.0), square(1.0, 0.0, 1.0)]).unwrap();
        assert_eq!(union.len(), 1);
        assert_eq!(union[0].outer.points.len(), 6);
    }
}
