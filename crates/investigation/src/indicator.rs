//! Lists of indicators: read from text, CSV and STIX, and found in the texts of rows.
//!
//! An address is found whatever port stands behind it, a domain also in its subdomains and addresses of pages, anything
//! else where nothing continues it. Defanged spellings (`hxxp`, `[.]`, `(at)`) are brought back. Start at [`read`], then
//! [`Matcher`].

use std::collections::BTreeMap;
use std::net::IpAddr;

use aho_corasick::AhoCorasick;
use serde_json::Value as Json;

use crate::address;

/// What an indicator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IndicatorKind {
    Address,
    Domain,
    Url,
    Email,
    Hash,
    /// Keys, user agents, names.
    Text,
}

impl IndicatorKind {
    pub fn name(self) -> &'static str {
        match self {
            IndicatorKind::Address => "address",
            IndicatorKind::Domain => "domain",
            IndicatorKind::Url => "url",
            IndicatorKind::Email => "email",
            IndicatorKind::Hash => "hash",
            IndicatorKind::Text => "text",
        }
    }
}

/// One thing to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indicator {
    pub value: String,
    pub kind: IndicatorKind,
    /// What the list says of it: the rest of its line, the name of the STIX object.
    pub note: String,
}

/// A list, and what of it could not be used, with reasons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndicatorList {
    /// Each value once, in the order of the list.
    pub indicators: Vec<Indicator>,
    pub passed_over: Vec<String>,
}

/// Shorter texts would be found everywhere.
const LENGTH_MIN: usize = 4;

/// Reads a list in whatever form it has: a STIX bundle, CSV with a heading, one indicator a line.
pub fn read(text: &str) -> IndicatorList {
    let text = text.trim_start_matches('\u{feff}');
    let mut list = Reader::default();
    match serde_json::from_str::<Json>(text) {
        Ok(json @ (Json::Object(_) | Json::Array(_))) => list.stix(&json),
        _ if has_heading(text) => list.csv(text),
        _ => list.lines(text),
    }
    list.done
}

#[derive(Default)]
struct Reader {
    done: IndicatorList,
    seen: BTreeMap<(IndicatorKind, String), ()>,
}

impl Reader {
    fn add(&mut self, raw: &str, note: &str) {
        let value = refanged(raw.trim().trim_matches(['"', '\'']));
        if value.is_empty() {
            return;
        }
        let kind = kind_of(&value);
        if value.chars().count() < LENGTH_MIN {
            self.done.passed_over.push(format!("`{value}` is too short to look for"));
            return;
        }
        if kind == IndicatorKind::Text
            && value.contains('/')
            && value.split('/').next().is_some_and(|net| address::parse(net).is_some())
        {
            self.done.passed_over.push(format!("`{value}` is a network: networks are not looked for"));
            return;
        }
        if self.seen.insert((kind, value.to_lowercase()), ()).is_none() {
            self.done.indicators.push(Indicator { value, kind, note: note.trim().to_string() });
        }
    }

    fn lines(&mut self, text: &str) {
        for line in text.lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || line.starts_with("//") {
                continue;
            }
            let (value, note) = line.split_once(" #").or_else(|| line.split_once('\t')).unwrap_or((line, ""));
            // `value, note` on one line of a list without a heading.
            let (value, rest) = value.split_once(',').unwrap_or((value, ""));
            self.add(value, if note.is_empty() { rest } else { note });
        }
    }

    fn csv(&mut self, text: &str) {
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
        let Ok(heads) = reader.headers().cloned() else { return };
        let Some(column) = heads.iter().position(is_value_heading) else { return };
        for record in reader.records() {
            match record {
                Ok(record) => {
                    let value = record.get(column).unwrap_or_default().to_string();
                    let others = heads
                        .iter()
                        .zip(record.iter())
                        .enumerate()
                        .filter(|(at, (_, cell))| *at != column && !cell.is_empty());
                    let note: Vec<String> = others.map(|(_, (head, cell))| format!("{head}: {cell}")).collect();
                    self.add(&value, &note.join(", "));
                }
                Err(error) => self.done.passed_over.push(error.to_string()),
            }
        }
    }

    fn stix(&mut self, json: &Json) {
        match json {
            Json::Array(items) => items.iter().for_each(|item| self.stix(item)),
            Json::Object(object) => {
                let text = |key: &str| object.get(key).and_then(Json::as_str).unwrap_or_default();
                let name = if text("name").is_empty() { text("description") } else { text("name") };
                match text("type") {
                    "indicator" if matches!(text("pattern_type"), "" | "stix") => {
                        let values = pattern_values(text("pattern"));
                        if values.is_empty() {
                            self.done
                                .passed_over
                                .push(format!("`{}`: its pattern compares no value for equality", text("id")));
                        }
                        values.iter().for_each(|value| self.add(value, name));
                    }
                    "indicator" => {
                        self.done.passed_over.push(format!("`{}`: a pattern of {}", text("id"), text("pattern_type")))
                    }
                    "ipv4-addr" | "ipv6-addr" | "domain-name" | "url" | "email-addr" => self.add(text("value"), name),
                    "file" => {
                        let hashes = object.get("hashes").and_then(Json::as_object);
                        let texts = hashes.into_iter().flatten().filter_map(|(_, hash)| hash.as_str());
                        texts.for_each(|hash| self.add(hash, name));
                    }
                    _ => {}
                }
                for key in ["objects", "indicators", "value", "data"] {
                    match object.get(key) {
                        Some(inner @ (Json::Array(_) | Json::Object(_))) => self.stix(inner),
                        _ => continue,
                    }
                }
            }
            Json::String(value) => self.add(value, ""),
            _ => {}
        }
    }
}

fn is_value_heading(head: &str) -> bool {
    let head = head.trim().trim_start_matches('\u{feff}').to_lowercase().replace([' ', '-'], "_");
    matches!(
        head.as_str(),
        "indicator"
            | "indicator_value"
            | "value"
            | "ioc"
            | "ioc_value"
            | "observable"
            | "ip"
            | "ip_address"
            | "ipaddress"
            | "domain"
            | "url"
            | "hash"
            | "sha256"
            | "sha1"
            | "md5"
            | "email"
            | "networkip"
            | "domainname"
            | "address"
    )
}

fn has_heading(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    first.contains(',') && first.split(',').any(|head| is_value_heading(head.trim_matches('"')))
        || is_value_heading(first)
}

/// The texts that a STIX pattern compares for equality: `[ipv4-addr:value = '203.0.113.9']`, `IN ('a', 'b')`.
fn pattern_values(pattern: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut rest = pattern;
    while let Some(open) = rest.find('\'') {
        let before = rest.get(..open).unwrap_or_default().trim_end();
        let tail = rest.get(open + 1..).unwrap_or_default();
        let mut value = String::new();
        let mut escaped = false;
        let mut end = tail.len();
        for (at, c) in tail.char_indices() {
            match c {
                _ if escaped => {
                    value.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '\'' => {
                    end = at + 1;
                    break;
                }
                c => value.push(c),
            }
        }
        // `file:hashes.'SHA-256'` quotes a name, not a value.
        let compares = before.ends_with(['=', '(', ',']) && !before.ends_with("!=");
        if compares {
            values.push(value);
        }
        rest = tail.get(end..).unwrap_or_default();
    }
    values
}

/// The plain spelling of a defanged one.
fn refanged(text: &str) -> String {
    let mut text = text.to_string();
    for (defanged, plain) in [
        ("[.]", "."),
        ("(.)", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        ("[:]", ":"),
        ("[@]", "@"),
        ("[at]", "@"),
        ("(at)", "@"),
        ("[://]", "://"),
    ] {
        text = text.replace(defanged, plain);
    }
    let lower = text.to_lowercase();
    for (defanged, plain) in [("hxxps://", "https://"), ("hxxp://", "http://"), ("fxp://", "ftp://")] {
        if lower.starts_with(defanged) {
            return format!("{plain}{}", text.get(defanged.len()..).unwrap_or_default());
        }
    }
    text
}

fn kind_of(value: &str) -> IndicatorKind {
    let is_name = |text: &str| {
        text.contains('.')
            && !text.starts_with('.')
            && text
                .split('.')
                .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_'))
            && text
                .rsplit('.')
                .next()
                .is_some_and(|top| top.len() >= 2 && top.chars().all(|c| c.is_alphabetic() || c == '-'))
    };
    if address::parse(value).is_some() {
        IndicatorKind::Address
    } else if value.contains("://") {
        IndicatorKind::Url
    } else if value.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && is_name(domain)) {
        IndicatorKind::Email
    } else if matches!(value.len(), 32 | 40 | 64 | 128) && value.chars().all(|c| c.is_ascii_hexdigit()) {
        IndicatorKind::Hash
    } else if is_name(value) {
        IndicatorKind::Domain
    } else {
        IndicatorKind::Text
    }
}

/// Finds the indicators of a list in texts, all of them in one pass.
pub struct Matcher {
    indicators: Vec<Indicator>,
    /// By the index of their spelling in `spellings`.
    automaton: AhoCorasick,
    /// The indicator of each spelling.
    spellings: Vec<usize>,
    addresses: BTreeMap<IpAddr, usize>,
}

impl Matcher {
    /// None when the list is empty or too large to search for.
    pub fn new(indicators: Vec<Indicator>) -> Option<Matcher> {
        let mut words: Vec<String> = Vec::new();
        let mut spellings = Vec::new();
        let mut addresses = BTreeMap::new();
        for (index, indicator) in indicators.iter().enumerate() {
            match address::parse(&indicator.value).filter(|_| indicator.kind == IndicatorKind::Address) {
                Some(address) => {
                    addresses.insert(address, index);
                }
                None => {
                    words.push(indicator.value.clone());
                    spellings.push(index);
                }
            }
        }
        if indicators.is_empty() {
            return None;
        }
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(&words).ok()?;
        Some(Matcher { indicators, automaton, spellings, addresses })
    }

    pub fn indicators(&self) -> &[Indicator] {
        &self.indicators
    }

    /// The indexes of the indicators that a text names, each once, in order.
    pub fn found_in(&self, text: &str) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        if !self.addresses.is_empty() && text.contains(['.', ':']) {
            found.extend(address::named_in(text).filter_map(|address| self.addresses.get(&address)));
        }
        for hit in self.automaton.find_overlapping_iter(text) {
            let Some(index) = self.spellings.get(hit.pattern().as_usize()).copied() else { continue };
            let Some(indicator) = self.indicators.get(index) else { continue };
            if stands_alone(text, hit.start(), hit.end(), indicator.kind) {
                found.push(index);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Whether nothing before or behind makes another thing of what was found.
fn stands_alone(text: &str, start: usize, end: usize, kind: IndicatorKind) -> bool {
    let before = text.get(..start).and_then(|head| head.chars().next_back());
    let mut tail = text.get(end..).unwrap_or_default().chars();
    let (after, beyond) = (tail.next(), tail.next());
    let continues = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    let is_longer_name = after == Some('.') && beyond.is_some_and(char::is_alphanumeric);
    let continued = continues(before) || continues(after);
    match kind {
        // A subdomain belongs to its domain; `evil.example.org` does not belong to `evil.example`.
        IndicatorKind::Domain => !continued && !is_longer_name,
        IndicatorKind::Email => !continued && !is_longer_name && before != Some('.'),
        _ => !continued,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, &'static str)> {
        read(text).indicators.into_iter().map(|i| (i.value, i.kind.name())).collect()
    }

    fn pair(value: &str, kind: &'static str) -> (String, &'static str) {
        (value.to_string(), kind)
    }

    #[test]
    fn lists_of_lines() {
        let text = "# from the case\n203[.]0[.]113[.]9\nhxxps://evil[.]example/a  # dropper\nevil.example\n\nEVIL.example\n\
            AKIAEXAMPLE123456789, the leaked key\nabc\n10.0.0.0/8\neve[at]corp.example\n";
        assert_eq!(
            values(text),
            [
                pair("203.0.113.9", "address"),
                pair("https://evil.example/a", "url"),
                pair("evil.example", "domain"),
                pair("AKIAEXAMPLE123456789", "text"),
                pair("eve@corp.example", "email"),
            ]
        );
        let list = read(text);
        assert_eq!(list.indicators[1].note, "dropper");
        assert_eq!(list.indicators[3].note, "the leaked key");
        assert_eq!(list.passed_over.len(), 2, "too short, and a network: {:?}", list.passed_over);
    }

    #[test]
    fn csv_and_stix() {
        let csv = "\u{feff}Type,Indicator,Source\nip,203.0.113.9,case 7\nhash,d41d8cd98f00b204e9800998ecf8427e,\n";
        assert_eq!(values(csv), [pair("203.0.113.9", "address"), pair("d41d8cd98f00b204e9800998ecf8427e", "hash")]);
        assert_eq!(read(csv).indicators[0].note, "Type: ip, Source: case 7");
        let stix = r#"{"type":"bundle","objects":[
            {"type":"indicator","name":"C2","pattern":"[ipv4-addr:value = '203.0.113.9' OR domain-name:value IN ('a.example', 'b.example')]"},
            {"type":"indicator","id":"indicator--2","pattern":"[file:hashes.'SHA-256' = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855']"},
            {"type":"indicator","id":"indicator--3","pattern_type":"yara","pattern":"rule x {}"},
            {"type":"url","value":"http://c.example/x"},{"type":"malware","name":"x"}]}"#;
        let kinds: Vec<&str> = values(stix).iter().map(|(_, kind)| *kind).collect();
        assert_eq!(kinds, ["address", "domain", "domain", "hash", "url"]);
        assert_eq!(read(stix).passed_over, ["`indicator--3`: a pattern of yara"]);
    }

    #[test]
    fn what_is_found_is_the_thing_itself() {
        let list = read("203.0.113.9\nevil.example\nAKIAEXAMPLE123456789\neve@corp.example\nhttp://x.example/p");
        let matcher = Matcher::new(list.indicators).unwrap();
        let found = |text: &str| -> Vec<&str> {
            matcher.found_in(text).into_iter().map(|index| matcher.indicators()[index].value.as_str()).collect()
        };
        assert_eq!(found("{\"callerIp\":\"203.0.113.9:51000\"}"), ["203.0.113.9"]);
        assert_eq!(found("203.0.113.90 1203.0.113.9"), Vec::<&str>::new());
        assert_eq!(found("GET https://cdn.EVIL.example/x"), ["evil.example"]);
        assert_eq!(found("notevil.example evil.example.org evil.examples"), Vec::<&str>::new());
        assert_eq!(found("by evil.example."), ["evil.example"], "the end of a sentence");
        assert_eq!(found("key AKIAEXAMPLE123456789\""), ["AKIAEXAMPLE123456789"]);
        assert_eq!(found("steve@corp.example x.eve@corp.example"), Vec::<&str>::new());
        assert_eq!(found("Eve@Corp.example http://x.example/p?q=1"), ["eve@corp.example", "http://x.example/p"]);
        assert!(Matcher::new(Vec::new()).is_none());
    }
}
