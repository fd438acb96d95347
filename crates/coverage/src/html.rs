//! Coverage as a self-contained page: the matrix, a colour for each depth, the rules behind a technique on request.

use std::fmt::Write;

use crate::{Coverage, Covered, Layer, escaped};

const STYLE: &str = "
:root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --line: #d0d7de; --quiet: #57606a;
  --d1: #dceaf7; --d2: #9ecae1; --d3: #2171b5; --on3: #fff; }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --text: #e6edf3; --line: #30363d; --quiet: #9198a1;
  --d1: #12304d; --d2: #1f5a8c; --d3: #79b8f0; --on3: #06203a; } }
body { margin: 1rem; font: 14px/1.4 system-ui, sans-serif; background: var(--back); color: var(--text); }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; } p { color: var(--quiet); margin: .3rem 0; }
.matrix { display: flex; gap: .4rem; overflow-x: auto; align-items: flex-start; padding: .5rem 0; }
.tactic { flex: 0 0 12rem; } .tactic h2 { font-size: .95rem; margin: 0 0 .3rem; }
.tactic ul { list-style: none; margin: 0; padding: 0; }
.t { border: 1px solid var(--line); border-radius: 3px; padding: .15rem .35rem; margin: 0 0 .2rem; font-size: .82rem; }
.sub { margin-left: .8rem; } .d0 { color: var(--quiet); } .d1 { background: var(--d1); } .d2 { background: var(--d2); }
.d3 { background: var(--d3); color: var(--on3); } summary { cursor: pointer; } summary:focus-visible { outline: 2px solid; }
.t ul { margin: .2rem 0 .2rem 1rem; list-style: disc; } .n { float: right; }
label { margin-right: 1rem; } #all:not(:checked) ~ .matrix .d0 { display: none; }
table { border-collapse: collapse; margin: .5rem 0; } th, td { border: 1px solid var(--line); padding: .2rem .5rem; text-align: left; }
";

/// The page. Nothing is fetched and no script runs; text of rules stays text.
pub fn write(coverage: &Coverage, title: &str) -> String {
    let title = escaped(title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p>ATT&amp;CK {}, {} rules.</p>\n",
        coverage.version.number(),
        coverage.rules.len()
    );
    totals(coverage, &mut out);
    out.push_str("<input type=\"checkbox\" id=\"all\" checked><label for=\"all\">techniques without rules</label>\n");
    out.push_str("<div class=\"matrix\" role=\"region\" aria-label=\"Matrix\" tabindex=\"0\">\n");
    for tactic in coverage.version.tactics() {
        let column = coverage.column(&tactic);
        let covered = column.iter().filter(|(_, covered)| covered.is_some()).count();
        let _ = writeln!(
            out,
            "<section class=\"tactic\"><h2>{} <small>{covered}/{}</small></h2><ul>",
            escaped(tactic.name),
            column.len()
        );
        for (technique, covered) in column {
            let depth = covered.map_or(0, |covered| coverage.depth(covered));
            let sub = if technique.id.contains('.') { " sub" } else { "" };
            let label = format!("{} {}", technique.id, escaped(technique.name));
            let _ = write!(out, "<li class=\"t d{depth}{sub}\">");
            match covered {
                None => out.push_str(&label),
                Some(covered) => technique_with_rules(coverage, covered, &label, &mut out),
            }
            out.push_str("</li>\n");
        }
        out.push_str("</ul></section>\n");
    }
    out.push_str("</div>\n");
    left_over(coverage, &mut out);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn totals(coverage: &Coverage, out: &mut String) {
    let (data, tests) = coverage.looked();
    out.push_str("<table><thead><tr><th>layer</th><th>techniques</th><th>of</th></tr></thead><tbody>\n");
    for (layer, looked) in Layer::ALL.into_iter().zip([true, data, tests]) {
        let (covered, all) = coverage.totals(layer);
        let covered = if looked { covered.to_string() } else { "not looked at".to_string() };
        let _ = writeln!(out, "<tr><td>{}</td><td>{covered}</td><td>{all}</td></tr>", layer.name());
    }
    out.push_str("</tbody></table>\n<p>The deeper the colour, the more holds: rules, rules with data, rules with passing tests.</p>\n");
}

fn technique_with_rules(coverage: &Coverage, covered: &Covered, label: &str, out: &mut String) {
    let counts = Layer::ALL.map(|layer| coverage.count(covered, layer).to_string()).join("/");
    let _ = write!(out, "<details><summary>{label} <span class=\"n\">{counts}</span></summary><ul>");
    for rule in covered.rules.iter().filter_map(|index| coverage.rules.get(*index)) {
        let marks = [(Layer::Data, "data"), (Layer::Tested, "tested")];
        let marks: Vec<&str> = marks.iter().filter(|(layer, _)| layer.holds(rule)).map(|(_, mark)| *mark).collect();
        let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
        let _ = write!(out, "<li>{}{marks}</li>", escaped(&rule.name));
    }
    out.push_str("</ul></details>");
}

fn left_over(coverage: &Coverage, out: &mut String) {
    let unknown: Vec<String> =
        coverage.techniques.iter().filter(|c| c.technique.is_none()).map(|c| escaped(&c.id)).collect();
    if !unknown.is_empty() {
        let _ = writeln!(out, "<p>No techniques of this version: {}.</p>", unknown.join(", "));
    }
    if !coverage.without.is_empty() {
        let _ = writeln!(out, "<p>{} rules name no technique.</p>", coverage.without.len());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::attack::Version;
    use crate::tests::some;

    #[test]
    fn the_page_is_whole_and_text_stays_text() {
        let mut rules = some();
        rules[0].name = "<script>alert(1)</script>".to_string();
        let page = write(&Coverage::of(rules, Version::V19), "a & b");
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "no script");
        assert!(page.contains("<h1>a &amp; b</h1>") && page.contains("class=\"t d3 sub\""));
        assert!(!page.contains("http"), "nothing is fetched");
        let mut reader = quick_xml::Reader::from_str(&page);
        reader.config_mut().check_end_names = false;
        let mut depth = 0_i64;
        loop {
            use quick_xml::events::Event;
            match reader.read_event().unwrap() {
                Event::Start(tag) if !matches!(tag.name().as_ref(), "meta" | "input") => depth += 1,
                Event::End(_) => depth -= 1,
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(depth, 0, "every element is closed");
    }
}
