//! A baseline: findings that were there when the lint was introduced, and are not shown again.
//!
//! A finding is known by its code, its rule and the text it points at, not by its line: edits elsewhere in the file do not
//! bring it back. Each entry counts how often it occurs, so that one more of the same is new.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::subject::Finding;

/// Known findings with how often each occurs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    pub version: u32,
    pub findings: Vec<Known>,
}

/// One known finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Known {
    pub code: String,
    /// The rule's id, or the file where there is none.
    pub rule: String,
    pub excerpt: String,
    pub count: u32,
}

const VERSION: u32 = 1;

fn key(finding: &Finding) -> (String, String, String) {
    let rule = if finding.rule_id.is_empty() { &finding.file } else { &finding.rule_id };
    (finding.code.code.to_string(), rule.clone(), finding.excerpt.clone())
}

impl Baseline {
    /// A baseline of these findings.
    pub fn of(findings: &[Finding]) -> Baseline {
        let mut counts: BTreeMap<(String, String, String), u32> = BTreeMap::new();
        findings.iter().for_each(|finding| *counts.entry(key(finding)).or_default() += 1);
        let findings =
            counts.into_iter().map(|((code, rule, excerpt), count)| Known { code, rule, excerpt, count }).collect();
        Baseline { version: VERSION, findings }
    }

    /// Reads a baseline file.
    ///
    /// # Errors
    /// Text that is no baseline, or one of a later version.
    pub fn read(text: &str) -> Result<Baseline, String> {
        let baseline: Baseline = serde_json::from_str(text).map_err(|e| format!("not a baseline: {e}"))?;
        if baseline.version != VERSION {
            return Err(format!("a baseline of version {}, expected {VERSION}", baseline.version));
        }
        Ok(baseline)
    }

    /// Takes out what is known; gives the number taken out and the entries that nothing matches any more.
    pub fn apply(&self, findings: &mut Vec<Finding>) -> (usize, Vec<Known>) {
        let mut left: BTreeMap<(String, String, String), u32> = self
            .findings
            .iter()
            .map(|known| ((known.code.clone(), known.rule.clone(), known.excerpt.clone()), known.count))
            .collect();
        let before = findings.len();
        findings.retain(|finding| match left.get_mut(&key(finding)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        });
        let gone = left
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|((code, rule, excerpt), count)| Known { code, rule, excerpt, count })
            .collect();
        (before - findings.len(), gone)
    }
}
