//! `tidewatch catalog`: what rules are about, as a table, a document or a feed.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::Result;
use coverage::{RuleFacts, feed};
use detections::attack::{self, Version};
use detections::selection::Selection;
use kql_types::datetime;

use super::{check, coverage as layers, hunt};
use crate::args::{CatalogArgs, CatalogFormat};
use crate::exit::Exit;
use crate::git;
use crate::session;
use crate::terminal::{Tone, counted, paint, safe, stdout_has_colour};

/// Lists the rules that the filters leave.
pub fn run(args: &CatalogArgs) -> Result<Exit> {
    let mut library = layers::load(&args.paths)?;
    let selection = Selection {
        severities: args.severity.iter().copied().map(hunt::severity).collect(),
        techniques: args.technique.clone(),
        tables: args.table.clone(),
        ids: args.id.clone(),
        excluded: args.exclude.clone(),
        ..Selection::default()
    };
    library.rules.retain(|rule| selection.leaves_out(rule).is_none());
    let engine = check::engine_for(&args.names, &library)?;
    let mut rules = layers::facts(&library, &engine);
    rules.retain(|rule| selection.leaves_out_tables(&rule.tables).is_none() && is_asked_for(rule, args));
    if matches!(args.format, CatalogFormat::Json | CatalogFormat::Rss | CatalogFormat::Atom) {
        date(&mut rules, &args.paths);
    }
    let channel = feed::Channel { title: args.title.clone(), link: args.link.clone(), now: session::present() };
    let text = match args.format {
        CatalogFormat::Table => table(&rules, args.output.is_none() && stdout_has_colour()),
        CatalogFormat::Markdown => feed::markdown(&rules, &args.title),
        CatalogFormat::Json => layers::pretty(&feed::json(&rules))?,
        CatalogFormat::Rss => feed::rss(&rules, &channel),
        CatalogFormat::Atom => feed::atom(&rules, &channel),
    };
    layers::write(args.output.as_deref(), &text)
}

fn is_asked_for(rule: &RuleFacts, args: &CatalogArgs) -> bool {
    let ids = |name: &str| -> Vec<&str> { attack::tactics_named(Version::V16, name).iter().map(|t| t.id).collect() };
    let tactic = args.tactic.is_empty()
        || rule.tactics.iter().any(|own| {
            let own = ids(own);
            args.tactic.iter().any(|asked| ids(asked).iter().any(|id| own.contains(id)))
        });
    let kind = args.kind.is_empty() || args.kind.iter().any(|kind| kind.name() == rule.kind);
    let text = args.text.as_deref().is_none_or(|text| {
        let text = text.to_lowercase();
        rule.name.to_lowercase().contains(&text) || rule.description.to_lowercase().contains(&text)
    });
    tactic && kind && text
}

/// Dates each rule by the last commit of its file, or by the file itself.
fn date(rules: &mut [RuleFacts], paths: &[PathBuf]) {
    let mut changes: HashMap<PathBuf, i64> = HashMap::new();
    for path in paths {
        changes.extend(git::last_changes(&git::folder_of(path)));
    }
    for rule in rules {
        let file = Path::new(&rule.file);
        let committed = file.canonicalize().ok().and_then(|file| changes.get(&file).copied());
        let written = || {
            let time = std::fs::metadata(file).ok()?.modified().ok()?;
            i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
        };
        rule.changed = committed
            .or_else(written)
            .map(|seconds| datetime::UNIX_EPOCH.saturating_add(seconds.saturating_mul(datetime::TICKS_PER_SECOND)));
    }
}

fn table(rules: &[RuleFacts], colour: bool) -> String {
    let mut out = String::new();
    let mut by_severity: BTreeMap<&str, u64> = BTreeMap::new();
    for rule in rules {
        let severity = if rule.severity.is_empty() { "-" } else { &rule.severity };
        *by_severity.entry(severity).or_default() += 1;
        let tone = if severity == "High" { Tone::Alarm } else { Tone::Quiet };
        let head = paint(&format!("{severity:<13}"), tone, colour);
        let _ = writeln!(out, "{head} {}", paint(&safe(&rule.name), Tone::Strong, colour));
        let _ = writeln!(
            out,
            "              {}; {}; {}",
            rule.kind,
            safe(&rule.techniques.join(", ")),
            safe(&rule.tables.join(", "))
        );
        let _ = writeln!(out, "              {}", safe(&rule.file));
    }
    let counts: Vec<String> = by_severity.iter().map(|(severity, count)| format!("{count} {severity}")).collect();
    let _ = writeln!(out, "{}: {}", counted(rules.len() as u64, "rule"), counts.join(", "));
    out
}
