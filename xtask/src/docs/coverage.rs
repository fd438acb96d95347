//! The coverage page: the names of Kusto's documented language against what works here.
//!
//! The names are our own list, `xtask/data/surface.tsv`: group, folder of the reference, name, and how it deviates or
//! why it is missing. A name counts as supported when its examples run.

use std::fmt::Write;

use anyhow::Context;

use crate::docs::entry::{Entry, Outcome};
use crate::docs::page;

const SURFACE: &str = include_str!("../../data/surface.tsv");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Supported,
    Deviates(&'static str),
    /// Why, where it is no work that is still to be done.
    Missing(&'static str),
}

/// A line of the list.
struct Name {
    group: &'static str,
    folder: &'static str,
    name: &'static str,
    note: &'static str,
}

/// A name with what becomes of it.
struct Covered<'a> {
    name: Name,
    state: State,
    entry: Option<&'a Entry>,
}

/// The page with its counts.
///
/// # Errors
/// A line of the list that cannot be read.
pub fn page(entries: &[Entry]) -> anyhow::Result<String> {
    let mut groups: Vec<(&str, Vec<Covered<'_>>)> = Vec::new();
    for name in names()? {
        let entry = entries.iter().find(|entry| entry.folder.name() == name.folder && entry.name == name.name);
        let works = entry.is_some_and(|entry| matches!(entry.outcome, Outcome::Works(_)));
        let state = match (works, name.note) {
            (true, "") => State::Supported,
            (true, deviation) => State::Deviates(deviation),
            (false, reason) => State::Missing(reason),
        };
        let group = name.group;
        let covered = Covered { name, state, entry };
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, list)) => list.push(covered),
            None => groups.push((group, vec![covered])),
        }
    }
    let mut page = String::from(
        "# Coverage\n\nThe names of Kusto's query language, and what becomes of them here. A name is *supported* when its \
         examples run and give what its page says, *deviates* when a difference is known, and is *missing* when a query with \
         it fails as `unsupported`, or as unknown, at its place. Differences that belong to no single name are in [differences](../differences.md).\n\n\
         | group | names | supported | deviate | missing |\n|---|---|---|---|---|\n",
    );
    let mut total = [0; 4];
    for (group, list) in &groups {
        let counts = counts(list.iter().map(|covered| covered.state));
        let _ = writeln!(page, "| {group} | {} | {} | {} | {} |", counts[0], counts[1], counts[2], counts[3]);
        for (sum, count) in total.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    let _ = writeln!(page, "| **all** | **{}** | **{}** | **{}** | **{}** |", total[0], total[1], total[2], total[3]);
    for (group, list) in &groups {
        section(&mut page, group, list);
    }
    Ok(page)
}

fn section(page: &mut String, group: &str, list: &[Covered<'_>]) {
    let _ = write!(page, "\n## {group}\n");
    let shown = |covered: &Covered<'_>| match covered.entry {
        Some(entry) => page::link(entry, ""),
        None => format!("`{}`", covered.name.name),
    };
    let of =
        |state: State| -> Vec<String> { list.iter().filter(|covered| covered.state == state).map(shown).collect() };
    let supported = of(State::Supported);
    if !supported.is_empty() {
        let _ = write!(page, "\nSupported: {}.\n", supported.join(", "));
    }
    let mut heading = "\nDeviate:\n\n";
    for covered in list {
        if let State::Deviates(how) = covered.state {
            let _ = writeln!(page, "{heading}- {}: {how}", shown(covered));
            heading = "";
        }
    }
    // Names that are missing for one reason share a line.
    let mut reasons: Vec<&str> = Vec::new();
    for covered in list {
        match covered.state {
            State::Missing(reason) if !reasons.contains(&reason) => reasons.push(reason),
            _ => {}
        }
    }
    let mut heading = "\nMissing:\n\n";
    for reason in reasons {
        let names = of(State::Missing(reason)).join(", ");
        let _ = writeln!(page, "{heading}- {names}: {}", if reason.is_empty() { "not done yet" } else { reason });
        heading = "";
    }
}

fn counts(states: impl Iterator<Item = State>) -> [usize; 4] {
    let mut counts = [0; 4];
    for state in states {
        counts[0] += 1;
        counts[match state {
            State::Supported => 1,
            State::Deviates(_) => 2,
            State::Missing(_) => 3,
        }] += 1;
    }
    counts
}

fn names() -> anyhow::Result<Vec<Name>> {
    SURFACE
        .lines()
        .map(|line| {
            let mut fields = line.split('\t');
            let mut next = || fields.next().with_context(|| format!("surface.tsv: too few fields in `{line}`"));
            Ok(Name { group: next()?, folder: next()?, name: next()?, note: fields.next().unwrap_or_default() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::docs::entry::Folder;

    #[test]
    fn every_documented_name_is_listed_once() {
        let names = names().expect("readable");
        let folders: HashSet<&str> = Folder::ALL.iter().map(|folder| folder.name()).collect();
        let mut seen = HashSet::new();
        for name in &names {
            assert!(folders.contains(name.folder), "{}: no folder {}", name.name, name.folder);
            assert!(seen.insert((name.folder, name.name)), "{} is listed twice", name.name);
        }
        let listed: HashSet<&str> = names.iter().map(|name| name.name).collect();
        let Some(path) = testing::shared("conformance/language-surface.json") else { return };
        let text = std::fs::read_to_string(path).expect("readable");
        let surface: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).expect("JSON");
        for (group, list) in surface.iter().filter(|(_, list)| list.is_array()) {
            for item in list.as_array().into_iter().flatten() {
                let name = item["name"].as_str().unwrap_or_default();
                assert!(listed.contains(name), "{name} of {group} is not listed");
            }
        }
    }
}
