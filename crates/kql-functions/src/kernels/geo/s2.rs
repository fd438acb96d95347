//! S2 cells: quadrilaterals on the six faces of a cube around the sphere, numbered along a Hilbert curve.

use super::LngLat;
use super::geojson::{write_point, write_ring_degrees};
use super::sphere::Point;
use crate::kernels::{Args, KernelResult};

pub const LEVEL_MAX: u8 = 30;
const LEVEL_DEFAULT: i64 = 11;
/// Leaf cells along the side of a face.
const SIDE: i64 = 1 << LEVEL_MAX;

const IJ_TO_POSITION: [[u64; 4]; 4] = [[0, 1, 3, 2], [0, 3, 1, 2], [2, 3, 1, 0], [2, 1, 3, 0]];
const POSITION_TO_IJ: [[u64; 4]; 4] = [[0, 1, 3, 2], [0, 2, 3, 1], [3, 2, 0, 1], [3, 1, 0, 2]];
/// How the orientation of the curve changes in the quarter at each position.
const TURN: [usize; 4] = [1, 0, 0, 3];

/// The number of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId(u64);

/// A cell's face and its square of leaf cells.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Square {
    face: u8,
    i: i64,
    j: i64,
    size: i64,
}

/// Face coordinates of a point: the face of the cube it is under, and where on it, from -1 to 1.
fn face_uv(p: Point) -> (u8, f64, f64) {
    let (x, y, z) = (p.x.abs(), p.y.abs(), p.z.abs());
    let (axis, value) = if x > y {
        if x > z { (0, p.x) } else { (2, p.z) }
    } else if y > z {
        (1, p.y)
    } else {
        (2, p.z)
    };
    let face = if value < 0.0 { axis + 3 } else { axis };
    let (u, v) = match face {
        0 => (p.y / p.x, p.z / p.x),
        1 => (-p.x / p.y, p.z / p.y),
        2 => (-p.x / p.z, -p.y / p.z),
        3 => (p.z / p.x, p.y / p.x),
        4 => (p.z / p.y, -p.x / p.y),
        _ => (-p.y / p.z, -p.x / p.z),
    };
    (face, u, v)
}

fn from_face_uv(face: u8, u: f64, v: f64) -> Point {
    match face {
        0 => Point::new(1.0, u, v),
        1 => Point::new(-u, 1.0, v),
        2 => Point::new(-u, -v, 1.0),
        3 => Point::new(-1.0, -v, -u),
        4 => Point::new(v, -1.0, -u),
        _ => Point::new(v, u, -1.0),
    }
}

/// Stretches a face so that cells have nearly equal areas.
fn st_of_uv(u: f64) -> f64 {
    if u >= 0.0 { 0.5 * (1.0 + 3.0 * u).sqrt() } else { 1.0 - 0.5 * (1.0 - 3.0 * u).sqrt() }
}

fn uv_of_st(s: f64) -> f64 {
    if s >= 0.5 { (4.0 * s * s - 1.0) / 3.0 } else { (1.0 - 4.0 * (1.0 - s) * (1.0 - s)) / 3.0 }
}

fn leaf_of_st(s: f64) -> i64 {
    ((SIDE as f64 * s).floor() as i64).clamp(0, SIDE - 1)
}

impl CellId {
    /// The leaf cell that holds a point.
    pub fn of(p: Point) -> CellId {
        let (face, u, v) = face_uv(p);
        CellId::leaf(face, leaf_of_st(st_of_uv(u)), leaf_of_st(st_of_uv(v)))
    }

    fn leaf(face: u8, i: i64, j: i64) -> CellId {
        let mut orientation = usize::from(face & 1);
        let mut id = u64::from(face);
        for bit in (0..LEVEL_MAX).rev() {
            let ij = ((i >> bit & 1) << 1 | (j >> bit & 1)) as usize;
            let position = IJ_TO_POSITION[orientation][ij];
            id = id << 2 | position;
            orientation ^= TURN[position as usize];
        }
        CellId(id << 1 | 1)
    }

    /// The leaf cell at a place that may lie one step beyond the face.
    fn leaf_beyond(face: u8, i: i64, j: i64) -> CellId {
        if (0..SIDE).contains(&i) && (0..SIDE).contains(&j) {
            return CellId::leaf(face, i, j);
        }
        // Only the neighbourhood matters, so that the plain projection does.
        let coordinate = |index: i64| {
            let limit = 1.0 + f64::EPSILON;
            ((2 * index.clamp(-1, SIDE) + 1 - SIDE) as f64 / SIDE as f64).clamp(-limit, limit)
        };
        let (face, u, v) = face_uv(from_face_uv(face, coordinate(i), coordinate(j)));
        CellId::leaf(face, leaf_of_st(0.5 * (u + 1.0)), leaf_of_st(0.5 * (v + 1.0)))
    }

    /// Reads hexadecimal digits; the zeros at the end may be left out.
    pub fn parse(token: &str) -> Option<CellId> {
        if token.is_empty() || token.len() > 16 {
            return None;
        }
        let bits = u64::from_str_radix(token, 16).ok()? << (4 * (16 - token.len()));
        let id = CellId(bits);
        (bits >> 61 < 6 && id.lowest() & 0x1555_5555_5555_5555 != 0).then_some(id)
    }

    pub fn write(self, out: &mut String) {
        out.push_str(format!("{:016x}", self.0).trim_end_matches('0'));
    }

    fn lowest(self) -> u64 {
        self.0 & self.0.wrapping_neg()
    }

    pub fn level(self) -> u8 {
        LEVEL_MAX - (self.0.trailing_zeros() / 2) as u8
    }

    pub fn parent(self, level: u8) -> CellId {
        let lowest = 1u64 << (2 * (LEVEL_MAX - level));
        CellId(self.0 & lowest.wrapping_neg() | lowest)
    }

    /// The six faces.
    pub fn faces() -> impl Iterator<Item = CellId> {
        (0..6u64).map(|face| CellId(face << 61 | 1 << 60))
    }

    /// The four cells of the next level.
    pub fn children(self) -> impl Iterator<Item = CellId> {
        let quarter = self.lowest() >> 2;
        (0..4u64).map(move |child| CellId(self.0 - self.lowest() + (2 * child + 1) * quarter))
    }

    fn square(self) -> Square {
        let face = (self.0 >> 61) as u8;
        let mut orientation = usize::from(face & 1);
        let (mut i, mut j) = (0i64, 0i64);
        for bit in (0..LEVEL_MAX).rev() {
            let position = (self.0 >> (2 * bit + 1) & 3) as usize;
            let ij = POSITION_TO_IJ[orientation][position];
            i = i << 1 | (ij >> 1) as i64;
            j = j << 1 | (ij & 1) as i64;
            orientation ^= TURN[position];
        }
        let size = 1i64 << (LEVEL_MAX - self.level());
        Square { face, i: i & -size, j: j & -size, size }
    }

    pub fn centre(self) -> Point {
        let square = self.square();
        square.at(square.i as f64 + square.size as f64 / 2.0, square.j as f64 + square.size as f64 / 2.0)
    }

    /// The corners, turning left.
    pub fn corners(self) -> [Point; 4] {
        let Square { i, j, size, .. } = self.square();
        let square = self.square();
        let (i, j, to_i, to_j) = (i as f64, j as f64, (i + size) as f64, (j + size) as f64);
        [square.at(i, j), square.at(to_i, j), square.at(to_i, to_j), square.at(i, to_j)]
    }

    pub fn contains(self, p: Point) -> bool {
        CellId::of(p).parent(self.level()) == self
    }

    /// The cells of the same level that share a corner.
    pub fn neighbors(self) -> Vec<CellId> {
        let Square { face, i, j, size } = self.square();
        let level = self.level();
        let (middle_i, middle_j) = (i + size / 2, j + size / 2);
        let mut around = Vec::with_capacity(8);
        for (i, j) in [
            (middle_i, j - 1),
            (i + size, middle_j),
            (middle_i, j + size),
            (i - 1, middle_j),
            (i - 1, j - 1),
            (i + size, j - 1),
            (i + size, j + size),
            (i - 1, j + size),
        ] {
            let cell = CellId::leaf_beyond(face, i, j).parent(level);
            if cell != self && !around.contains(&cell) {
                around.push(cell);
            }
        }
        around
    }
}

impl Square {
    fn at(self, i: f64, j: f64) -> Point {
        from_face_uv(self.face, uv_of_st(i / SIDE as f64), uv_of_st(j / SIDE as f64)).unit()
    }
}

/// A level within 0 to 30.
pub fn level(value: i64) -> Option<u8> {
    u8::try_from(value).ok().filter(|level| *level <= LEVEL_MAX)
}

/// `geo_point_to_s2cell(longitude, latitude [, level])`
pub fn point_to_s2cell(args: &Args<'_>) -> KernelResult {
    let (point, wanted) = (LngLat::of(args, 0)?, args.long_or(2, LEVEL_DEFAULT)?);
    args.to_texts(|row, out| {
        if let (Some(point), Some(level)) = (point.at(row), wanted.opt(row).and_then(level)) {
            CellId::of(point).parent(level).write(out);
        }
    })
}

/// `geo_s2cell_to_central_point(s2cell)`
pub fn s2cell_to_central_point(args: &Args<'_>) -> KernelResult {
    let cell = args.text(0)?;
    args.to_dynamics(|row, out| {
        write_point(CellId::parse(cell.at(row))?.centre().to_degrees(), out);
        Some(())
    })
}

/// `geo_s2cell_to_polygon(s2cell)`
pub fn s2cell_to_polygon(args: &Args<'_>) -> KernelResult {
    let cell = args.text(0)?;
    args.to_dynamics(|row, out| {
        write_ring_degrees(&CellId::parse(cell.at(row))?.corners().map(Point::to_degrees), out);
        Some(())
    })
}

/// `geo_s2cell_neighbors(s2cell)`
pub fn s2cell_neighbors(args: &Args<'_>) -> KernelResult {
    let cell = args.text(0)?;
    args.to_dynamics(|row, out| {
        write_tokens(&CellId::parse(cell.at(row))?.neighbors(), out);
        Some(())
    })
}

/// Writes an array of tokens.
pub fn write_tokens(cells: &[CellId], out: &mut String) {
    out.push('[');
    for (index, cell) in cells.iter().enumerate() {
        out.push_str(if index > 0 { ",\"" } else { "\"" });
        cell.write(out);
        out.push('"');
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(cell: CellId) -> String {
        let mut out = String::new();
        cell.write(&mut out);
        out
    }

    #[test]
    fn known_cells() {
        assert_eq!(token(CellId::of(Point::from_degrees(10.1234, 53.0)).parent(8)), "47b1d");
        assert_eq!(token(CellId::of(Point::from_degrees(10.6842, 53.0)).parent(8)), "47ae3");
        let (lng, lat) = CellId::parse("1234567").unwrap().centre().to_degrees();
        assert!((lng - 9.86830731850408).abs() < 1e-12 && (lat - 27.468392925827605).abs() < 1e-12);
        assert_eq!(CellId::parse("a"), None);
        let mut around: Vec<String> = CellId::parse("89c259").unwrap().neighbors().into_iter().map(token).collect();
        around.sort();
        assert_eq!(around, ["89c251", "89c257", "89c25b", "89c25d", "89c25f", "89c2f5", "89c2f7", "89c2f9"]);
    }

    proptest! {
        #[test]
        fn cells_hold_their_points(lng in -180.0..180.0, lat in -90.0..90.0, level in 0u8..=30) {
            let point = Point::from_degrees(lng, lat);
            let cell = CellId::of(point).parent(level);
            prop_assert_eq!(cell.level(), level);
            prop_assert!(cell.contains(point));
            prop_assert_eq!(CellId::parse(&token(cell)), Some(cell));
            prop_assert!(level == 30 || cell.contains(cell.centre()));
            if level < 30 {
                prop_assert_eq!(cell.children().filter(|child| child.contains(point)).count(), 1);
            }
        }

        #[test]
        fn neighbours_are_mutual(lng in -180.0..180.0, lat in -90.0..90.0, level in 1u8..=20) {
            let cell = CellId::of(Point::from_degrees(lng, lat)).parent(level);
            let around = cell.neighbors();
            prop_assert!(around.len() == 8 || around.len() == 7);
            for neighbor in around {
                prop_assert!(neighbor.neighbors().contains(&cell));
            }
        }
    }
}
