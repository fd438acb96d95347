//! Sets of places of source records, as they travel through a plan in a Binary column.
//!
//! Encoding: one byte (1 when places were left out), then the places sorted as little-endian Int64.

/// At most this many places are kept for one row.
pub const PLACES_MAX: usize = 1_000;

/// A set of packed places (`tables::pack_source`) with a cap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    sorted: Vec<i64>,
    truncated: bool,
}

impl Places {
    pub fn one(place: i64) -> Places {
        Places { sorted: vec![place], truncated: false }
    }

    /// Adds another set; past the cap the smallest places stay.
    pub fn add(&mut self, other: PlacesRef<'_>) {
        self.truncated |= other.truncated();
        let full = self.sorted.len() >= PLACES_MAX;
        for place in other.iter() {
            if full && self.sorted.last().is_some_and(|last| place > *last) {
                self.truncated = true;
                break;
            }
            if let Err(at) = self.sorted.binary_search(&place) {
                self.sorted.insert(at, place);
            }
        }
        if self.sorted.len() > PLACES_MAX {
            self.sorted.truncate(PLACES_MAX);
            self.truncated = true;
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + self.sorted.len() * 8);
        bytes.push(u8::from(self.truncated));
        for place in &self.sorted {
            bytes.extend_from_slice(&place.to_le_bytes());
        }
        bytes
    }

    /// The places, sorted, and whether some were left out.
    pub fn into_parts(self) -> (Vec<i64>, bool) {
        (self.sorted, self.truncated)
    }

    /// Bytes held on the heap.
    pub fn size(&self) -> usize {
        self.sorted.capacity() * 8
    }
}

/// An encoded set, read in place.
#[derive(Debug, Clone, Copy)]
pub struct PlacesRef<'a> {
    bytes: &'a [u8],
}

impl<'a> PlacesRef<'a> {
    pub fn new(bytes: &'a [u8]) -> PlacesRef<'a> {
        PlacesRef { bytes }
    }

    pub fn truncated(&self) -> bool {
        self.bytes.first() == Some(&1)
    }

    pub fn iter(&self) -> impl Iterator<Item = i64> + 'a {
        let rest = self.bytes.get(1..).unwrap_or_default();
        rest.chunks_exact(8).filter_map(|chunk| chunk.try_into().ok().map(i64::from_le_bytes))
    }

    pub fn to_places(self) -> Places {
        Places { sorted: self.iter().collect(), truncated: self.truncated() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_is_sorted_without_repeats_and_capped() {
        let mut places = Places::one(7);
        places.add(PlacesRef::new(&Places::one(3).encode()));
        places.add(PlacesRef::new(&Places::one(7).encode()));
        assert_eq!(places.clone().into_parts(), (vec![3, 7], false));
        for place in 0..2_000 {
            places.add(PlacesRef::new(&Places::one(place).encode()));
        }
        let (kept, truncated) = places.into_parts();
        assert_eq!((kept.len(), truncated), (PLACES_MAX, true));
    }
}
