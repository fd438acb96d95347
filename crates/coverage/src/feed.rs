//! Catalogs of rules: JSON, Markdown, and feeds (RSS 2.0, Atom) for those who want to hear of new and changed rules.

use std::fmt::Write;

use kql_types::datetime;
use serde_json::{Value as Json, json};

use crate::markdown::cell;
use crate::{RuleFacts, escaped};

/// What a feed says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    pub title: String,
    /// The address of the rules; entries are linked below it where there is one.
    pub link: Option<String>,
    /// When it was made, in ticks: entries without a time of their own have this one.
    pub now: i64,
}

/// The most entries of a feed: readers keep the rest.
pub const ENTRIES_MAX: usize = 500;

/// One document with every rule.
pub fn json(rules: &[RuleFacts]) -> Json {
    let rules: Vec<Json> = rules
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "name": rule.name,
                "description": rule.description,
                "kind": rule.kind,
                "severity": rule.severity,
                "tactics": rule.tactics,
                "techniques": rule.techniques,
                "tables": rule.tables,
                "version": rule.version,
                "file": rule.file,
                "changed": rule.changed.map(datetime::format),
            })
        })
        .collect();
    json!({"schema": "tidewatch-catalog/1", "rules": rules})
}

/// A table of the rules.
pub fn markdown(rules: &[RuleFacts], title: &str) -> String {
    let mut out = format!("# {}\n\n{} rules.\n\n", cell(title), rules.len());
    out.push_str("| rule | severity | kind | techniques | tables |\n|---|---|---|---|---|\n");
    for rule in rules {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            cell(&rule.name),
            cell(&rule.severity),
            cell(&rule.kind),
            cell(&rule.techniques.join(", ")),
            cell(&rule.tables.join(", "))
        );
    }
    out
}

/// The rules that a feed shows: the last changed first.
fn latest(rules: &[RuleFacts]) -> Vec<&RuleFacts> {
    let mut rules: Vec<&RuleFacts> = rules.iter().collect();
    rules.sort_by(|a, b| b.changed.cmp(&a.changed).then_with(|| a.file.cmp(&b.file)));
    rules.truncate(ENTRIES_MAX);
    rules
}

fn labels(rule: &RuleFacts) -> Vec<String> {
    let severity = Some(&rule.severity).filter(|severity| !severity.is_empty());
    severity.into_iter().chain(&rule.techniques).chain(&rule.tables).cloned().collect()
}

fn entry_link(channel: &Channel, rule: &RuleFacts) -> Option<String> {
    let base = channel.link.as_deref()?.trim_end_matches('/');
    Some(format!("{base}/{}", rule.file.replace(' ', "%20")))
}

/// A name for the rule that stays: its id, and its version, so that a new version is a new entry to readers.
fn name(rule: &RuleFacts) -> String {
    let id: String =
        rule.id.chars().map(|c| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '-' }).collect();
    format!("urn:tidewatch:rule:{id}")
}

/// RSS 2.0.
pub fn rss(rules: &[RuleFacts], channel: &Channel) -> String {
    let link = channel.link.clone().unwrap_or_else(|| "urn:tidewatch:catalog".to_string());
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\">\n<channel>\n<title>{}</title>\n<link>{}</link>\n\
         <description>Detection rules, the last changed first</description>\n<lastBuildDate>{}</lastBuildDate>\n",
        escaped(&channel.title),
        escaped(&link),
        rfc2822(channel.now)
    );
    for rule in latest(rules) {
        let _ = writeln!(out, "<item>\n<title>{}</title>", escaped(&rule.name));
        if let Some(link) = entry_link(channel, rule) {
            let _ = writeln!(out, "<link>{}</link>", escaped(&link));
        }
        let _ = writeln!(out, "<guid isPermaLink=\"false\">{}:{}</guid>", escaped(&name(rule)), escaped(&rule.version));
        let _ = writeln!(out, "<pubDate>{}</pubDate>", rfc2822(rule.changed.unwrap_or(channel.now)));
        for label in labels(rule) {
            let _ = writeln!(out, "<category>{}</category>", escaped(&label));
        }
        let _ = writeln!(out, "<description>{}</description>\n</item>", escaped(&escaped(&rule.description)));
    }
    out.push_str("</channel>\n</rss>\n");
    out
}

/// Atom 1.0.
pub fn atom(rules: &[RuleFacts], channel: &Channel) -> String {
    let rules = latest(rules);
    let updated = rules.iter().filter_map(|rule| rule.changed).max().unwrap_or(channel.now);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n<title>{}</title>\n\
         <id>urn:tidewatch:catalog</id>\n<updated>{}</updated>\n<author><name>Tidewatch</name></author>\n",
        escaped(&channel.title),
        rfc3339(updated)
    );
    if let Some(link) = &channel.link {
        let _ = writeln!(out, "<link rel=\"alternate\" href=\"{}\"/>", escaped(link));
    }
    for rule in rules {
        let _ = writeln!(out, "<entry>\n<title>{}</title>\n<id>{}</id>", escaped(&rule.name), escaped(&name(rule)));
        if let Some(link) = entry_link(channel, rule) {
            let _ = writeln!(out, "<link rel=\"alternate\" href=\"{}\"/>", escaped(&link));
        }
        let _ = writeln!(out, "<updated>{}</updated>", rfc3339(rule.changed.unwrap_or(channel.now)));
        for label in labels(rule) {
            let _ = writeln!(out, "<category term=\"{}\"/>", escaped(&label));
        }
        let _ = writeln!(out, "<content type=\"text\">{}</content>\n</entry>", escaped(&rule.description));
    }
    out.push_str("</feed>\n");
    out
}

/// `2026-03-02T10:00:00Z`.
fn rfc3339(ticks: i64) -> String {
    let text = datetime::format(ticks);
    format!("{}Z", text.split('.').next().unwrap_or_default().trim_end_matches('Z'))
}

/// `Mon, 02 Mar 2026 10:00:00 +0000`.
fn rfc2822(ticks: i64) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = datetime::format(ticks);
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    // Day 0 of the ticks, the first of January of year 1, is a Monday.
    let weekday = DAYS.get(ticks.div_euclid(datetime::TICKS_PER_DAY).rem_euclid(7) as usize).unwrap_or(&"Mon");
    let month = part(5..7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?)).unwrap_or(&"Jan");
    format!("{weekday}, {} {month} {} {} +0000", part(8..10), part(0..4), part(11..19))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use crate::tests::some;

    fn channel() -> Channel {
        let now = datetime::parse("2026-03-04T00:00:00Z").unwrap();
        Channel { title: "Rules & more".to_string(), link: Some("https://rules.example/".to_string()), now }
    }

    /// The names of elements with their texts, as an XML reader sees them; panics on text that is not well formed.
    fn elements(text: &str) -> Vec<(String, String)> {
        use quick_xml::events::Event;
        let mut reader = quick_xml::Reader::from_str(text);
        let (mut found, mut open) = (Vec::new(), Vec::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Start(tag) => {
                    let name = tag.name().as_ref().to_string();
                    open.push((name, String::new()));
                }
                Event::Text(text) => {
                    if let Some((_, known)) = open.last_mut() {
                        known.push_str(&text);
                    }
                }
                Event::End(_) => found.extend(open.pop()),
                Event::Eof => break,
                _ => {}
            }
        }
        assert!(open.is_empty());
        found
    }

    #[test]
    fn feeds_are_well_formed_and_have_what_readers_need() {
        let rss = elements(&rss(&some(), &channel()));
        let count = |found: &[(String, String)], name: &str| found.iter().filter(|(known, _)| known == name).count();
        assert_eq!((count(&rss, "item"), count(&rss, "guid"), count(&rss, "pubDate")), (4, 4, 4));
        assert!(
            rss.iter().any(|(name, text)| name == "pubDate" && text == "Mon, 02 Mar 2026 10:00:00 +0000"),
            "{rss:?}"
        );
        let atom = elements(&atom(&some(), &channel()));
        // The feed itself has a title, an id and a time as well.
        assert_eq!(
            (count(&atom, "entry"), count(&atom, "id"), count(&atom, "updated"), count(&atom, "title")),
            (4, 5, 5, 5)
        );
        assert!(atom.iter().any(|(name, text)| name == "updated" && text == "2026-03-02T10:00:00Z"), "{atom:?}");
    }

    #[test]
    fn catalogs_have_every_rule() {
        let json = json(&some());
        assert_eq!(json["rules"].as_array().unwrap().len(), 4);
        assert_eq!(json["rules"][0]["tables"][0], "AWSCloudTrail");
        assert!(markdown(&some(), "x").contains("| one | High | Scheduled | T1578.002, T1578.002 | AWSCloudTrail |"));
    }
}
