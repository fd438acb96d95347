//! What a user agent says of the browser, the operating system and the device: `parse_user_agent`.
//!
//! Kusto uses the rules of the ua-parser project, thousands of them; the tables here name the same families for what is common in
//! logs: browsers, their engines on phones, libraries, tools and crawlers. What no rule knows is `Other`.

use std::collections::HashMap;
use std::sync::LazyLock;

use kql_types::dynamic::push_json_string;
use regex::{Captures, Regex};

use super::{Args, KernelError, KernelResult};

/// Families with the pattern that finds them; groups of the pattern are the parts of the version. The first match wins.
const BROWSERS: &[(&str, &str)] = &[
    ("Googlebot", r"Googlebot(?:-\w+)?(?:/(\d+)(?:\.(\d+))?)?"),
    ("bingbot", r"(?i)bingbot(?:/(\d+)(?:\.(\d+))?)?"),
    ("AdobeAIR", r"AdobeAIR/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Edge Mobile", r"(?:EdgA|EdgiOS)/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Edge", r"Edge?/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Opera Mini", r"Opera Mini/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Opera", r"OPR/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Opera", r"Opera.*Version/(\d+)(?:\.(\d+))?"),
    ("Opera", r"Opera[ /](\d+)(?:\.(\d+))?"),
    ("Samsung Internet", r"SamsungBrowser/(\d+)(?:\.(\d+))?"),
    ("Yandex Browser", r"YaBrowser/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Vivaldi", r"Vivaldi/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Electron", r"Electron/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("HeadlessChrome", r"HeadlessChrome(?:/(\d+)(?:\.(\d+)(?:\.(\d+))?)?)?"),
    ("Firefox iOS", r"FxiOS/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Firefox Mobile", r"(?:Mobile|Tablet);.*Firefox/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Firefox", r"Firefox/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Chrome Mobile iOS", r"CriOS/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Chrome Mobile WebView", r"; wv\).+Chrome/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Chrome Mobile", r"Android.*Chrome/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Chromium", r"Chromium/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Chrome", r"Chrome/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("IE Mobile", r"IEMobile[ /](\d+)(?:\.(\d+))?"),
    ("IE", r"MSIE (\d+)(?:\.(\d+))?"),
    ("IE", r"Trident/.*rv[: ](\d+)(?:\.(\d+))?"),
    ("Nokia OSS Browser", r"SymbianOS.*Series60/(\d+)(?:\.(\d+))?"),
    ("Mobile Safari", r"(?:iPhone|iPad|iPod).*Version/(\d+)(?:\.(\d+)(?:\.(\d+))?)?.*Safari"),
    ("Mobile Safari UI/WKWebView", r"(?:iPhone|iPad|iPod).*AppleWebKit"),
    ("Android", r"Android (\d+)(?:\.(\d+)(?:\.(\d+))?)?.*Version/[\d.]+.*Safari"),
    ("Safari", r"Version/(\d+)(?:\.(\d+)(?:\.(\d+))?)?.*Safari/"),
    ("Apple Mail", r"Macintosh.*AppleWebKit/\d[\d.]+ \(KHTML, like Gecko\)$"),
    ("Python Requests", r"python-requests/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Python-urllib", r"Python-urllib/(\d+)(?:\.(\d+))?"),
    ("aiohttp", r"aiohttp/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Boto3", r"Boto3/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("aws-cli", r"aws-cli/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("curl", r"curl/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Wget", r"Wget/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Go-http-client", r"Go-http-client/(\d+)(?:\.(\d+))?"),
    ("okhttp", r"okhttp/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Apache-HttpClient", r"Apache-HttpClient/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Java", r"\bJava/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("axios", r"axios/(\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
];

/// As for browsers; a version after the family stands for the groups that the pattern has not.
const SYSTEMS: &[(&str, &str, &str)] = &[
    ("Windows Phone", "", r"Windows Phone(?: OS)?[ /](\d+)(?:\.(\d+))?"),
    ("Windows", "10", r"Windows NT (?:10\.0|6\.4)"),
    ("Windows", "8.1", r"Windows NT 6\.3"),
    ("Windows", "8", r"Windows NT 6\.2"),
    ("Windows", "7", r"Windows NT 6\.1"),
    ("Windows", "Vista", r"Windows NT 6\.0"),
    ("Windows", "XP", r"Windows (?:NT 5\.[12]|XP)"),
    ("Windows", "2000", r"Windows (?:NT 5\.0|2000)"),
    ("Windows", "", r"\bWindows\b|\bWin(?:32|64)\b"),
    ("Symbian OS", "", r"Symbian(?:OS)?/(\d+)(?:\.(\d+))?"),
    ("Android", "", r"Android[ -/](\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Android", "", r"\bAndroid\b"),
    ("iOS", "", r"(?:CPU OS|CPU iPhone OS|iPhone OS|iOS)[ /](\d+)(?:[_.](\d+)(?:[_.](\d+))?)?"),
    ("iOS", "", r"\b(?:iPhone|iPad|iPod)\b"),
    ("Mac OS X", "", r"Mac OS X (\d+)[_.](\d+)(?:[_.](\d+))?"),
    ("Mac OS X", "", r"Macintosh|Darwin|macOS"),
    ("Chrome OS", "", r"CrOS \w+ (\d+)(?:\.(\d+)(?:\.(\d+))?)?"),
    ("Ubuntu", "", r"Ubuntu(?:[ /](\d+)(?:\.(\d+)(?:\.(\d+))?)?)?"),
    ("Fedora", "", r"Fedora"),
    ("FreeBSD", "", r"FreeBSD"),
    ("Linux", "", r"Linux(?:[ /](\d+)(?:\.(\d+)(?:\.(\d+))?)?)?"),
];

/// Family, brand and model; `$1` stands for the pattern's group.
const DEVICES: &[(&str, &str, &str, &str)] = &[
    ("Spider", "Spider", "Desktop", r"(?i)\b(?:\w*bot|crawler|spider|slurp)\b"),
    ("Nokia $1", "Nokia", "$1$2", r"Nokia([A-Za-z]*\d+)([\w-]*)"),
    ("iPhone", "Apple", "iPhone", r"\biPhone\b"),
    ("iPad", "Apple", "iPad", r"\biPad\b"),
    ("iPod", "Apple", "iPod", r"\biPod\b"),
    ("Samsung $1", "Samsung", "$1", r"; *(?:SAMSUNG )?(SM-[\w-]+)"),
    ("$1", "Google", "$1", r"; *(Pixel [\w ]+?|Nexus \w+)(?: Build|\))"),
    ("$1", "Generic_Android", "$1", r"Android[^;]*; *(?:\w\w[-_]\w\w; *)?([^;)]+?)(?: Build|\))"),
    ("Mac", "Apple", "Mac", r"Macintosh"),
];

struct Rule<T> {
    pattern: Regex,
    names: T,
}

struct Rules {
    browsers: Vec<Rule<&'static str>>,
    systems: Vec<Rule<(&'static str, &'static str)>>,
    devices: Vec<Rule<[&'static str; 3]>>,
}

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    fn rule<T>(pattern: &str, names: T) -> Option<Rule<T>> {
        Regex::new(pattern).ok().map(|pattern| Rule { pattern, names })
    }
    Rules {
        browsers: BROWSERS.iter().filter_map(|(family, pattern)| rule(pattern, *family)).collect(),
        systems: SYSTEMS.iter().filter_map(|(family, version, pattern)| rule(pattern, (*family, *version))).collect(),
        devices: DEVICES
            .iter()
            .filter_map(|(family, brand, model, pattern)| rule(pattern, [*family, *brand, *model]))
            .collect(),
    }
});

fn first_match<'r, 't, T>(rules: &'r [Rule<T>], agent: &'t str) -> Option<(&'r T, Captures<'t>)> {
    rules.iter().find_map(|rule| rule.pattern.captures(agent).map(|captures| (&rule.names, captures)))
}

fn group<'t>(captures: &Captures<'t>, index: usize) -> &'t str {
    captures.get(index).map_or("", |found| found.as_str())
}

fn write_entries(entries: &[(&str, &str)], out: &mut String) {
    out.push('{');
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_json_string(key, out);
        out.push(':');
        push_json_string(value, out);
    }
    out.push('}');
}

fn write_browser(agent: &str, out: &mut String) {
    let (family, version) = match first_match(&RULES.browsers, agent) {
        Some((family, captures)) => (*family, [1, 2, 3].map(|index| group(&captures, index))),
        None => ("Other", [""; 3]),
    };
    let [major, minor, patch] = version;
    write_entries(&[("Family", family), ("MajorVersion", major), ("MinorVersion", minor), ("Patch", patch)], out);
}

fn write_system(agent: &str, out: &mut String) {
    let (family, [major, minor, patch]) = match first_match(&RULES.systems, agent) {
        Some(((family, ""), captures)) => (*family, [1, 2, 3].map(|index| group(&captures, index))),
        Some(((family, version), _)) => {
            let (major, minor) = version.split_once('.').unwrap_or((version, ""));
            (*family, [major, minor, ""])
        }
        None => ("Other", [""; 3]),
    };
    let entries =
        [("Family", family), ("MajorVersion", major), ("MinorVersion", minor), ("Patch", patch), ("PatchMinor", "")];
    write_entries(&entries, out);
}

fn write_device(agent: &str, out: &mut String) {
    let [family, brand, model] = match first_match(&RULES.devices, agent) {
        Some((names, captures)) => {
            names.map(|name| name.replace("$1", group(&captures, 1)).replace("$2", group(&captures, 2)))
        }
        None => ["Other".to_owned(), String::new(), String::new()],
    };
    write_entries(&[("Family", &family), ("Brand", &brand), ("Model", &model)], out);
}

/// Writes what was asked for; None when that is nothing known.
fn write_agent(agent: &str, asked: &[String], out: &mut String) -> Option<()> {
    out.push('{');
    let mut first = true;
    for (part, key, write) in [
        ("browser", "\"Browser\":", write_browser as fn(&str, &mut String)),
        ("os", "\"OperatingSystem\":", write_system),
        ("device", "\"Device\":", write_device),
    ] {
        if asked.iter().any(|asked| asked.eq_ignore_ascii_case(part)) {
            if !first {
                out.push(',');
            }
            first = false;
            out.push_str(key);
            write(agent, out);
        }
    }
    out.push('}');
    (!first).then_some(())
}

/// `parse_user_agent(user_agent, look_for)`
pub fn parse_user_agent(args: &Args<'_>) -> KernelResult {
    let (agent, parts) = (args.text(0)?, args.text_list(1)?);
    if !args.all_constant(1) {
        return Err(KernelError("parse_user_agent() looks for constant parts".into()));
    }
    let mut asked = Vec::new();
    parts.gather(0, &mut asked);
    // Agents repeat: each distinct one is taken apart once a batch.
    let mut known: HashMap<&str, Option<String>> = HashMap::new();
    args.to_dynamics(|row, out| {
        let agent = agent.at(row);
        let parsed = known.entry(agent).or_insert_with(|| {
            let mut text = String::new();
            write_agent(agent, &asked, &mut text).map(|()| text)
        });
        out.push_str(parsed.as_deref()?);
        Some(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(agent: &str, part: &str) -> String {
        let mut out = String::new();
        write_agent(agent, &[part.to_owned()], &mut out).unwrap();
        out
    }

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(RULES.browsers.len(), BROWSERS.len());
        assert_eq!(RULES.systems.len(), SYSTEMS.len());
        assert_eq!(RULES.devices.len(), DEVICES.len());
    }

    #[test]
    fn common_agents() {
        let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.71 Safari/537.36";
        assert_eq!(
            parse(chrome, "browser"),
            r#"{"Browser":{"Family":"Chrome","MajorVersion":"120","MinorVersion":"0","Patch":"6099"}}"#
        );
        assert_eq!(
            parse(chrome, "os"),
            r#"{"OperatingSystem":{"Family":"Windows","MajorVersion":"10","MinorVersion":"","Patch":"","PatchMinor":""}}"#
        );
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1";
        assert!(parse(phone, "browser").contains(r#""Family":"Mobile Safari","MajorVersion":"17""#));
        assert!(parse(phone, "OS").contains(r#""Family":"iOS","MajorVersion":"17","MinorVersion":"2""#));
        assert!(parse(phone, "device").contains(r#""Family":"iPhone","Brand":"Apple","Model":"iPhone""#));
        assert!(parse("curl/8.4.0", "browser").contains(r#""Family":"curl","MajorVersion":"8""#));
        assert!(parse("", "browser").contains(r#""Family":"Other""#));
        let mut out = String::new();
        assert_eq!(write_agent(chrome, &["engine".to_owned()], &mut out), None);
    }
}
