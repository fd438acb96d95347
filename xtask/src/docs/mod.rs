//! `cargo xtask docs`: writes `docs/reference/` from the registries and the command line and `docs/sources/` from what the
//! sources of logs say of themselves; `--check` compares instead.
//!
//! Each entry of a registry is a page. The result under an example is what the engine gives for it, so that a page cannot
//! promise what does not work; an example that cannot run makes the entry count as missing. Start at [`run`].

mod commands;
mod coverage;
mod entry;
mod page;
mod sources;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

#[derive(Args)]
pub struct Options {
    /// Change nothing; fail when a page differs from what would be written
    #[arg(long)]
    check: bool,
}

/// Fails when a page is stale.
pub fn check() -> anyhow::Result<()> {
    run(&Options { check: true })
}

/// Pages by their path under their folder.
type Pages = BTreeMap<String, String>;

/// Writes or compares the pages.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut stale = 0;
    for (name, pages) in [("docs/reference", pages()?), ("docs/sources", sources::pages())] {
        stale += write(name, &pages, options.check)?;
    }
    if options.check && stale > 0 {
        bail!("{stale} generated pages are stale: run `cargo xtask docs`");
    }
    Ok(())
}

/// Writes the pages of a folder, or compares them; how many differed.
fn write(name: &str, pages: &Pages, check: bool) -> anyhow::Result<usize> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    let stale = stale(&folder, pages)?;
    for path in &stale {
        if check {
            println!("docs: {name}/{path} is not what `cargo xtask docs` writes");
            continue;
        }
        let file = folder.join(path);
        match pages.get(path) {
            Some(text) => {
                fs::create_dir_all(file.parent().unwrap_or(&folder))?;
                fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
            }
            None => fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?,
        }
    }
    println!(
        "docs: {} pages in {name}, {} of them {}",
        pages.len(),
        stale.len(),
        if check { "stale" } else { "changed" }
    );
    Ok(stale.len())
}

fn pages() -> anyhow::Result<Pages> {
    let entries = entry::all()?;
    let mut pages = Pages::new();
    for entry in &entries {
        let path = format!("{}/{}.md", entry.folder.name(), entry.slug());
        if pages.insert(path.clone(), page::of(entry)).is_some() {
            bail!("two entries have the page {path}");
        }
    }
    pages.insert("README.md".to_owned(), page::index(&entries));
    pages.insert("coverage.md".to_owned(), coverage::page(&entries)?);
    pages.insert("commands.md".to_owned(), commands::page());
    let sigma = "# Sigma: modifiers, log sources, fields\n\nWhat of Sigma is read, and where its fields are. How rules run is in [docs/sigma.md](../sigma.md).\n\n";
    pages.insert("sigma.md".to_owned(), format!("{sigma}{}\n[Reference](README.md)\n", cli::sigma_tables()));
    let mut codes = String::from("# Lint codes\n\n`tidewatch lint` reports them; each has a page of its own.\n\n");
    for (code, title, page) in cli::lint_pages() {
        codes.push_str(&format!("- [{code}]({code}.md): {title}\n"));
        pages.insert(
            format!("lint/{code}.md"),
            format!("{page}\n[Lint codes](README.md) · [Reference](../README.md)\n"),
        );
    }
    codes.push_str("\n[Reference](../README.md)\n");
    pages.insert("lint/README.md".to_owned(), codes);
    Ok(pages)
}

/// Paths whose file is missing, differs, or has no page any more.
fn stale(folder: &Path, pages: &Pages) -> anyhow::Result<Vec<String>> {
    let mut stale = Vec::new();
    for (path, text) in pages {
        if fs::read_to_string(folder.join(path)).ok().as_ref() != Some(text) {
            stale.push(path.clone());
        }
    }
    for file in files(folder)? {
        let path = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        if !pages.contains_key(&path) {
            stale.push(path);
        }
    }
    Ok(stale)
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(folder) = pending.pop() {
        let Ok(list) = fs::read_dir(&folder) else { continue };
        for file in list {
            let path = file?.path();
            if path.is_dir() {
                pending.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_differ_or_are_too_many_are_stale() {
        let folder = std::env::temp_dir().join(format!("tidewatch-docs-{}", std::process::id()));
        fs::create_dir_all(folder.join("functions")).expect("a folder");
        for (path, text) in [("README.md", "same"), ("functions/old.md", "gone"), ("functions/a.md", "before")] {
            fs::write(folder.join(path), text).expect("a file");
        }
        let pages: Pages = [("README.md", "same"), ("functions/a.md", "after"), ("functions/new.md", "new")]
            .map(|(path, text)| (path.to_owned(), text.to_owned()))
            .into();
        let found = stale(&folder, &pages).expect("readable");
        fs::remove_dir_all(&folder).expect("removable");
        assert_eq!(found, ["functions/a.md", "functions/new.md", "functions/old.md"]);
    }
}
