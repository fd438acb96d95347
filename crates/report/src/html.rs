//! The report as one page for a browser: nothing beside it is loaded, nothing in it is run but its own script.
//!
//! Log text is written by attackers. It reaches the page in one place only, as JSON inside an element that no browser
//! runs, with every character escaped that could end it; the script puts it on the page as text, never as markup. Should
//! that fail, the policy in the head lets only this script and this style run, known by their hashes, and no request
//! leave. Start at [`page`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::harmless;
use crate::model::{Report, severity_rank};
use crate::page_data;

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");

/// The whole page.
pub fn page(report: &Report) -> String {
    let data = harmless::json_in_script(&page_data::of(report));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        digest(SCRIPT),
        digest(STYLE)
    );
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<noscript>{}</noscript>\n<div id=\"app\"></div>\n\
         <script type=\"application/json\" id=\"data\">{data}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        harmless::html(&title(report)),
        without_script(report)
    )
}

fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

fn title(report: &Report) -> String {
    let alerts = match report.alerts.len() {
        1 => "1 alert".to_string(),
        count => format!("{count} alerts"),
    };
    let day = |time: &str| time.get(..10).unwrap_or(time).to_string();
    match &report.span {
        Some(span) => format!("{alerts}, {} to {} · Tidewatch hunt", day(&span.first), day(&span.last)),
        None => format!("{alerts} · Tidewatch hunt"),
    }
}

/// What a reader sees whose viewer runs no script: the counts and the newest alerts.
fn without_script(report: &Report) -> String {
    const ALERTS_MAX: usize = 200;
    let mut out = String::from("<main class=\"plain\"><h1>Hunt report</h1><p>");
    out.push_str(&harmless::html(&title(report)));
    out.push_str(". Details need a viewer that runs scripts.</p><ul>");
    for (state, count) in &report.summary.states {
        out.push_str(&format!("<li>{} rules {}</li>", harmless::html(&count.to_string()), harmless::html(state)));
    }
    out.push_str("</ul><table><thead><tr><th>Time</th><th>Severity</th><th>Alert</th></tr></thead><tbody>");
    let mut alerts: Vec<_> = report.alerts.iter().collect();
    alerts.sort_by_key(|alert| std::cmp::Reverse(severity_rank(&alert.severity)));
    for alert in alerts.iter().take(ALERTS_MAX) {
        let cells =
            [alert.begins(), &alert.severity, &alert.name].map(|text| format!("<td>{}</td>", harmless::html(text)));
        out.push_str(&format!("<tr>{}</tr>", cells.concat()));
    }
    out.push_str("</tbody></table>");
    if alerts.len() > ALERTS_MAX {
        out.push_str(&format!("<p>and {} more alerts</p>", alerts.len() - ALERTS_MAX));
    }
    out.push_str("</main>");
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value as Json, json};

    use super::*;
    use crate::model::{Alert, AlertRow, EntityPage, Incident, NextQuery, Rule, RuleName, Source, SourceRecord, Table};

    /// What an attacker may write into a log, each marked to be found again.
    const HOSTILE: [&str; 9] = [
        "HOSTILE<script>alert(1)</script>",
        "HOSTILE</script><script>alert(2)</script>",
        "HOSTILE\"><img src=x onerror=alert(3)>",
        "HOSTILE' onmouseover='alert(4)",
        "HOSTILE<!--<script>",
        "HOSTILE\u{1b}[2J\u{1b}]0;owned\u{7}",
        "HOSTILEuser\u{202e}gpj.exe\u{2066}",
        "HOSTILE\\u003cscript\\u003e\u{2028}alert(5)",
        "HOSTILE]]>&lt;script&gt;{{constructor.constructor('alert(6)')()}}",
    ];

    /// A report with one text in every place that logs, rules and file names reach.
    fn report_of(text: &str) -> Report {
        let t = || text.to_string();
        let values: serde_json::Map<String, Json> = [(t(), json!({t(): [t()]}))].into_iter().collect();
        let source = SourceRecord { path: t(), member: Some(t()), record: 1, table: Some(t()), item_id: Some(t()) };
        Report {
            version: t(),
            command_line: vec![t()],
            rule_set_commit: Some(t()),
            alerts: vec![Alert {
                id: t(),
                rule: RuleName { id: t(), name: t(), file: Some(t()) },
                name: t(),
                description: t(),
                severity: t(),
                tactics: vec![t()],
                techniques: vec![t()],
                start: t(),
                end: t(),
                entities: vec![serde_json::from_value(json!({"Type": text, "Name": text})).unwrap()],
                custom_details: BTreeMap::from([(t(), vec![t()])]),
                columns: vec![(t(), t())],
                rows: vec![AlertRow { values, sources: vec![Some(source)], sources_truncated: true }],
                notes: vec![t()],
                query: Some(t()),
                next: vec![NextQuery { title: t(), query: t() }],
                guidance: Some(BTreeMap::from([(t(), t())])),
                ..Alert::default()
            }],
            rules: vec![Rule {
                id: t(),
                name: t(),
                file: t(),
                state: t(),
                reason: t(),
                query: Some(t()),
                ..Rule::default()
            }],
            incidents: vec![Incident { title: t(), ..Incident::default() }],
            entities: vec![EntityPage { kind: t(), label: t(), ..EntityPage::default() }],
            sources: vec![Source { path: t(), notes: vec![t()], stopped: Some(t()), ..Source::default() }],
            tables: BTreeMap::from([(t(), Table::default())]),
            ..Report::default()
        }
    }

    /// The text between the tags of the data.
    fn data_of(page: &str) -> &str {
        let start = page.find("id=\"data\">").unwrap() + "id=\"data\">".len();
        &page[start..start + page[start..].find("</script>").unwrap()]
    }

    #[test]
    fn no_text_of_a_log_becomes_markup() {
        let clean = page(&report_of("plain"));
        let tags = |page: &str| page.matches('<').count();
        for text in HOSTILE {
            let page = page(&report_of(text));
            assert_eq!(tags(&page), tags(&clean), "{text} opened a tag");
            let data: Json = serde_json::from_str(data_of(&page)).unwrap();
            assert_eq!(data["alerts"][0]["name"], json!(harmless::shown(text)), "the text is shown as it is");
            assert!(!page.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{2066}', '\u{2028}']), "{text}");
            for attribute in page.split("HOSTILE").skip(1) {
                let rest = attribute.split(['<', '\n']).next().unwrap();
                assert!(!rest.contains("<img"), "{rest}");
            }
        }
    }

    #[test]
    fn only_this_script_may_run_and_it_writes_text_alone() {
        let page = page(&Report::default());
        assert!(page.contains("default-src 'none'"));
        assert!(page.contains(&format!("'sha256-{}'", digest(SCRIPT))));
        assert!(!page.contains("unsafe-inline"));
        for writer in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
            "srcdoc",
            "cssText",
        ] {
            assert!(!SCRIPT.contains(writer), "{writer} in the script");
        }
        for outside in ["http://", "https://", "//cdn", "@import", "url(", "fetch(", "XMLHttpRequest", "WebSocket"] {
            assert!(!SCRIPT.contains(outside) && !STYLE.contains(outside), "{outside}");
        }
        assert!(!SCRIPT.contains("</script") && !STYLE.contains("</style"));
        assert!(!page.contains(" style=\""), "the policy allows no style but that of the head");
    }

    #[test]
    fn texts_that_repeat_are_said_once() {
        let guidance = BTreeMap::from([("response".to_string(), "Look closely. ".repeat(40))]);
        let query = "AWSCloudTrail | where EventName == 'x'\n".repeat(20);
        let rule = Rule { id: "r".into(), query: Some(query.clone()), guidance: guidance.clone(), ..Rule::default() };
        let alert = |n: usize| Alert {
            id: n.to_string(),
            rule: RuleName { id: "r".into(), name: "R".into(), file: Some(String::new()) },
            query: Some(query.clone()),
            guidance: Some(guidance.clone()),
            ..Alert::default()
        };
        let report = Report { rules: vec![rule], alerts: (0..5_000).map(alert).collect(), ..Report::default() };
        let bytes = page(&report).len();
        assert!(bytes < 5_000 * 600, "{bytes} bytes for 5,000 small alerts");
    }
}
