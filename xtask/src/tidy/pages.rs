//! Rules of the Markdown pages: links lead somewhere, and nothing speaks of one machine.

use std::path::Path;

use anyhow::Context;

use crate::tidy::texts;

/// Longer, and nobody reads the map.
const ARCHITECTURE_LINES_MAX: usize = 300;

/// What breaks the rules in the pages.
pub fn breaches(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut pages = texts(root, &["docs", "rules"], "md")?;
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        let text = std::fs::read_to_string(root.join(name)).with_context(|| format!("reading {name}"))?;
        if name == "ARCHITECTURE.md" && text.lines().count() > ARCHITECTURE_LINES_MAX {
            pages.push((format!("{name} (over {ARCHITECTURE_LINES_MAX} lines)"), String::new()));
        }
        pages.push((name.to_owned(), text));
    }
    let mut breaches = Vec::new();
    for (shown, text) in &pages {
        if text.is_empty() {
            breaches.push(format!("{shown}: too long, or empty"));
        }
        let folder = root.join(shown).parent().map_or_else(|| root.to_path_buf(), Path::to_path_buf);
        for (line, target) in links(text) {
            if !folder.join(&target).exists() {
                breaches.push(format!("{shown}:{line}: the link to {target} leads nowhere"));
            }
        }
        for (index, line) in text.lines().enumerate() {
            if ["/home/", "/root/", "/Users/", "C:\\Users"].iter().any(|path| line.contains(path)) {
                breaches.push(format!("{shown}:{}: a path of one machine", index + 1));
            }
        }
    }
    Ok(breaches)
}

/// The files that a page links to, without addresses and anchors, each with its line.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code {
            continue;
        }
        // What stands between backticks is code.
        let prose: String = line.split('`').step_by(2).collect();
        let mut rest = prose.as_str();
        while let Some(start) = rest.find("](") {
            let Some(target) = rest[start + 2..].split(')').next() else { break };
            let file = target.split('#').next().unwrap_or(target);
            if !file.is_empty() && !file.contains("://") && !file.contains(' ') {
                links.push((index + 1, file.to_owned()));
            }
            rest = &rest[start + 2..];
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_are_found_with_their_lines() {
        let text = "See [a](a.md) and [b](docs/b.md#part).\n```\n[no](no.md)\n```\n[c](https://example.com/c) [d](#here) [`e`](e/) `x[1](y)`\n";
        let found = links(text);
        assert_eq!(found, [(1, "a.md".to_owned()), (1, "docs/b.md".to_owned()), (5, "e/".to_owned())]);
    }
}
