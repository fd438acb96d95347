//! ATT&CK as data: enterprise techniques with their names and tactics, by version.
//!
//! The table has what version 15 and version 17 have; version 16 is read as both together. Version 19 retired the tactic Defense
//! Evasion: its id is now Stealth, and Defense Impairment is new beside it. Which of the two a technique went to is not in
//! the table: either name is accepted for a technique of the old tactic, and the old name for both; a matrix shows the
//! sub-techniques of Impair Defenses under Defense Impairment and all others under Stealth. Start at [`technique`].

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A version of ATT&CK that rules are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Version {
    /// The one that the checks of Microsoft's repository use.
    #[default]
    V16,
    V19,
}

impl Version {
    /// The number, as it is written into layers and reports.
    pub fn number(self) -> &'static str {
        match self {
            Version::V16 => "16",
            Version::V19 => "19",
        }
    }

    /// The tactics in the order of the matrix: (name as rules write it, short name, id).
    pub fn tactics(self) -> Vec<Tactic> {
        TACTICS.iter().filter(|tactic| tactic.versions.contains(&self)).copied().collect()
    }
}

/// A column of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tactic {
    pub id: &'static str,
    /// As the matrix shows it.
    pub name: &'static str,
    /// As the table of techniques names it.
    pub short: &'static str,
    versions: &'static [Version],
}

const BOTH: &[Version] = &[Version::V16, Version::V19];

const fn tactic(id: &'static str, name: &'static str, short: &'static str, versions: &'static [Version]) -> Tactic {
    Tactic { id, name, short, versions }
}

const TACTICS: &[Tactic] = &[
    tactic("TA0043", "Reconnaissance", "reconnaissance", BOTH),
    tactic("TA0042", "Resource Development", "resource-development", BOTH),
    tactic("TA0001", "Initial Access", "initial-access", BOTH),
    tactic("TA0002", "Execution", "execution", BOTH),
    tactic("TA0003", "Persistence", "persistence", BOTH),
    tactic("TA0004", "Privilege Escalation", "privilege-escalation", BOTH),
    tactic("TA0005", "Defense Evasion", "defense-evasion", &[Version::V16]),
    tactic("TA0005", "Stealth", "stealth", &[Version::V19]),
    tactic("TA0112", "Defense Impairment", "defense-impairment", &[Version::V19]),
    tactic("TA0006", "Credential Access", "credential-access", BOTH),
    tactic("TA0007", "Discovery", "discovery", BOTH),
    tactic("TA0008", "Lateral Movement", "lateral-movement", BOTH),
    tactic("TA0009", "Collection", "collection", BOTH),
    tactic("TA0011", "Command and Control", "command-and-control", BOTH),
    tactic("TA0010", "Exfiltration", "exfiltration", BOTH),
    tactic("TA0040", "Impact", "impact", BOTH),
];

/// Tactics that rules may name and that the enterprise matrix lacks.
const OTHER_TACTICS: &[&str] = &["preattack", "impairprocesscontrol", "inhibitresponsefunction"];

/// One technique or sub-technique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Technique {
    pub id: &'static str,
    pub name: &'static str,
    /// Short names of its tactics in the old naming.
    pub tactics: Vec<&'static str>,
    /// It is gone from later versions.
    pub gone: bool,
}

/// The technique that went to Defense Impairment with its sub-techniques, as a matrix shows it.
const IMPAIRMENT: &str = "T1562";

impl Technique {
    /// Whether a version has it. Version 16 is read as all that versions 15 and 17 have.
    pub fn is_in(&self, version: Version) -> bool {
        version == Version::V16 || !self.gone
    }

    /// The columns of a version's matrix in which it stands.
    pub fn tactics_in(&self, version: Version) -> Vec<Tactic> {
        let impairs = self.id.starts_with(IMPAIRMENT);
        let of_version = |short: &&str| match (*short, version) {
            ("defense-evasion", Version::V19) if impairs => "defense-impairment",
            ("defense-evasion", Version::V19) => "stealth",
            (short, _) => TACTICS.iter().find(|tactic| tactic.short == short).map_or("", |tactic| tactic.short),
        };
        let names: Vec<&str> = self.tactics.iter().map(of_version).collect();
        version.tactics().into_iter().filter(|tactic| names.contains(&tactic.short)).collect()
    }
}

static TECHNIQUES: OnceLock<BTreeMap<&'static str, Technique>> = OnceLock::new();

fn techniques() -> &'static BTreeMap<&'static str, Technique> {
    TECHNIQUES.get_or_init(|| {
        let lines = include_str!("../data/attack.tsv").lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| {
                let mut fields = line.split('\t');
                let (id, name, tactics) = (fields.next()?, fields.next()?, fields.next()?);
                let gone = fields.nth(1).is_some_and(|last| !last.is_empty());
                Some((id, Technique { id, name, tactics: tactics.split(',').collect(), gone }))
            })
            .collect()
    })
}

/// The technique of an id such as `T1578.002`.
pub fn technique(id: &str) -> Option<&'static Technique> {
    techniques().get(id.trim().to_ascii_uppercase().as_str())
}

/// All techniques in the order of their ids.
pub fn all() -> impl Iterator<Item = &'static Technique> {
    techniques().values()
}

/// Letters alone, lower case: `DefenseEvasion` and `Defense Evasion` are one.
fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The tactics of a version that a name means, by name in any spelling or by id: none for an unknown name, two where a
/// tactic was split. A name of either version is understood in both.
pub fn tactics_named(version: Version, name: &str) -> Vec<Tactic> {
    let wanted = folded(name);
    let names = |tactic: &&Tactic| {
        folded(tactic.name) == wanted || folded(tactic.short) == wanted || folded(tactic.id) == wanted
    };
    let direct: Vec<Tactic> = TACTICS.iter().filter(|t| t.versions.contains(&version)).filter(names).copied().collect();
    if !direct.is_empty() {
        return direct;
    }
    let Some(other) = TACTICS.iter().find(names) else { return Vec::new() };
    let successors: &[&str] = match other.short {
        "defense-evasion" => &["stealth", "defense-impairment"],
        "stealth" | "defense-impairment" => &["defense-evasion"],
        _ => &[],
    };
    version.tactics().into_iter().filter(|tactic| successors.contains(&tactic.short)).collect()
}

/// Whether rules may name this tactic at all.
pub fn is_tactic(name: &str) -> bool {
    OTHER_TACTICS.contains(&folded(name).as_str()) || !tactics_named(Version::V16, name).is_empty()
}

/// Whether a technique belongs to a tactic, whichever version either is named in.
pub fn is_under(technique: &Technique, tactic: &str) -> bool {
    let old = tactics_named(Version::V16, tactic);
    old.iter().any(|tactic| technique.tactics.contains(&tactic.short))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn techniques_have_names_and_known_tactics() {
        let found = technique("t1578.002").unwrap();
        assert_eq!((found.name, found.tactics.as_slice()), ("Create Cloud Instance", ["defense-evasion"].as_slice()));
        assert!(all().count() > 600);
        for technique in all() {
            for tactic in &technique.tactics {
                assert!(!tactics_named(Version::V16, tactic).is_empty(), "{tactic}");
            }
        }
        assert_eq!(technique("T9999"), None);
    }

    #[test]
    fn a_matrix_shows_each_technique_in_the_columns_of_its_version() {
        let columns =
            |id: &str, version| technique(id).unwrap().tactics_in(version).iter().map(|t| t.short).collect::<Vec<_>>();
        assert_eq!(columns("T1562.008", Version::V16), ["defense-evasion"]);
        assert_eq!(columns("T1562.008", Version::V19), ["defense-impairment"]);
        assert_eq!(columns("T1578.002", Version::V19), ["stealth"]);
        assert_eq!(
            columns("T1078.004", Version::V19),
            ["initial-access", "persistence", "privilege-escalation", "stealth"]
        );
    }

    #[test]
    fn a_split_tactic_is_understood_under_all_its_names() {
        let names = |version, name| tactics_named(version, name).iter().map(|t| t.name).collect::<Vec<_>>();
        assert_eq!(names(Version::V16, "DefenseEvasion"), ["Defense Evasion"]);
        assert_eq!(names(Version::V19, "DefenseEvasion"), ["Stealth", "Defense Impairment"]);
        assert_eq!(names(Version::V16, "Stealth"), ["Defense Evasion"]);
        assert_eq!(names(Version::V19, "TA0005"), ["Stealth"]);
        assert!(names(Version::V16, "Sneaking").is_empty() && is_tactic("PreAttack"));
        let technique = technique("T1578").unwrap();
        assert!(["DefenseEvasion", "Stealth", "DefenseImpairment"].iter().all(|name| is_under(technique, name)));
        assert!(!is_under(technique, "Impact"));
    }
}
