//! What the project file did: its entries, what they kept from alerts, and those that are expired or have nothing to do.

use std::io::Write;

use anyhow::Result;
use detections::tuning::{Standing, TuningEntry};
use kql_types::datetime;
use serde_json::{Value as Json, json};

use crate::project::Project;
use crate::terminal::{Tone, paint, safe, short, width};

/// The part of the report; None without a project file.
pub fn json(project: &Project) -> Option<Json> {
    let file = project.file.as_ref()?;
    let entry = |entry: &TuningEntry| {
        json!({
            "rule": entry.tuning.rule,
            "change": entry.tuning.what(),
            "reason": entry.tuning.reason,
            "until": entry.tuning.until.map(datetime::format),
            "standing": entry.standing.name(),
            "message": match &entry.standing {
                Standing::Invalid(message) => Some(message),
                _ => None,
            },
            "suppressed_rows": entry.excluded,
        })
    };
    Some(json!({
        "file": file.display().to_string(),
        "suppressed_rows": project.entries.iter().map(|entry| entry.excluded).sum::<u64>(),
        "entries": project.entries.iter().map(entry).collect::<Vec<_>>(),
    }))
}

/// The part of the report for people.
pub fn write(project: &Project, all: bool, colour: bool, out: &mut dyn Write) -> Result<()> {
    let Some(file) = &project.file else { return Ok(()) };
    if project.entries.is_empty() {
        return Ok(());
    }
    let count = |name: &str| project.entries.iter().filter(|entry| entry.standing.name() == name).count();
    let counts: Vec<String> = ["applied", "unused", "expired", "invalid"]
        .into_iter()
        .filter(|name| count(name) > 0)
        .map(|name| format!("{} {name}", count(name)))
        .collect();
    let rows: u64 = project.entries.iter().map(|entry| entry.excluded).sum();
    let head = paint("Tuning", Tone::Strong, colour);
    let suppressed = if rows > 0 { format!("; {rows} result rows suppressed") } else { String::new() };
    writeln!(out, "{head}: {} ({}){suppressed}", safe(&file.display().to_string()), counts.join(", "))?;
    for entry in &project.entries {
        let quiet = entry.standing == Standing::Applied && entry.excluded == 0;
        if quiet && !all {
            continue;
        }
        let tone = if entry.standing == Standing::Applied { Tone::Quiet } else { Tone::Warning };
        let standing = paint(&format!("{:<8}", entry.standing.name()), tone, colour);
        let mut text = format!("{}: {}", entry.tuning.rule, entry.tuning.what());
        if entry.excluded > 0 {
            text.push_str(&format!(", {} rows suppressed", entry.excluded));
        }
        if let Standing::Invalid(message) = &entry.standing {
            text.push_str(&format!(": {message}"));
        }
        if !entry.tuning.reason.is_empty() {
            text.push_str(&format!(" ({})", entry.tuning.reason));
        }
        writeln!(out, "  {standing} {}", short(&safe(&text), width().saturating_sub(12)))?;
    }
    writeln!(out)?;
    Ok(())
}
