//! Pass counts that must never fall: `ratchets.json` at the root.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};

/// Group, then name, then the least count that must be reached.
type Ratchets = BTreeMap<String, BTreeMap<String, u64>>;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../ratchets.json")
}

fn read() -> anyhow::Result<Ratchets> {
    let file = path();
    if !file.exists() {
        return Ok(Ratchets::new());
    }
    let text = fs::read_to_string(&file).context("reading ratchets.json")?;
    serde_json::from_str(&text).context("reading ratchets.json")
}

/// Fails when a count of the group is below what is kept.
pub fn enforce(group: &str, counts: &BTreeMap<String, u64>) -> anyhow::Result<()> {
    let kept = read()?;
    let mut fallen = Vec::new();
    for (name, least) in kept.get(group).into_iter().flatten() {
        let count = counts.get(name).copied().unwrap_or(0);
        if count < *least {
            fallen.push(format!("{group}.{name}: {count}, was {least}"));
        }
    }
    if !fallen.is_empty() {
        bail!("ratchets fell: {}", fallen.join("; "));
    }
    println!("ratchets of {group} hold");
    Ok(())
}

/// Raises the kept counts of the group to these; never lowers one.
pub fn raise(group: &str, counts: &BTreeMap<String, u64>) -> anyhow::Result<()> {
    let mut kept = read()?;
    let group = kept.entry(group.to_string()).or_default();
    for (name, count) in counts {
        let least = group.entry(name.clone()).or_default();
        *least = (*least).max(*count);
    }
    let text = serde_json::to_string_pretty(&kept).context("writing ratchets.json")?;
    fs::write(path(), text + "\n").context("writing ratchets.json")
}
