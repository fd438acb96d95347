//! What was planted: the answer that a hunt is compared with.

use serde::{Deserialize, Serialize};

/// An attack that a built-in detection must report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planted {
    /// The detection, by its folder name under `rules/`.
    pub detection: String,
    pub story: String,
    /// Texts that must all appear in rows of alerts of the detection, in any case.
    pub markers: Vec<String>,
}

/// Something that looks like an attack and must stay silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearMiss {
    pub detection: String,
    /// The condition that tells it from the attack.
    pub because: String,
    /// A text that must not appear in any row of an alert of the detection, in any case.
    pub marker: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    pub planted: Vec<Planted>,
    pub near_misses: Vec<NearMiss>,
}

impl Truth {
    pub(crate) fn plant(&mut self, detection: &str, story: &str, markers: &[&str]) {
        self.planted.push(Planted {
            detection: detection.into(),
            story: story.into(),
            markers: markers.iter().map(|marker| (*marker).to_string()).collect(),
        });
    }

    pub(crate) fn near_miss(&mut self, detection: &str, because: &str, marker: &str) {
        self.near_misses.push(NearMiss { detection: detection.into(), because: because.into(), marker: marker.into() });
    }
}
