//! `tidewatch convert`: rules from one form into another.
//!
//! Every file is read into the fields of Sentinel's YAML, and written from them. What a form cannot say is told for each
//! field on standard error; a rule that cannot be written at all makes the exit code 1.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rule_forms::fields::{ReadRule, Written, name_of};
use rule_forms::yaml::{Node, parse_all};
use rule_forms::{arm, sentinel, terraform};
use sigma::Collection;
use sigma::reverse::to_sigma;
use sigma::rule::Outcome;

use crate::args::{ConvertArgs, ConvertTo};
use crate::exit::{Exit, Failure};
use crate::terminal::{Tone, paint, safe, stderr_has_colour};

/// A rule that was read.
struct Item {
    file: PathBuf,
    rule: Node,
    /// The query for use outside of a schedule, where it is another.
    query: Option<String>,
}

/// What was read, and what was said of it.
#[derive(Default)]
struct Reading {
    items: Vec<Item>,
    sigma: Collection,
    failed: usize,
}

/// Converts what was asked for.
pub fn run(args: &ConvertArgs) -> Result<Exit> {
    let mut reading = Reading::default();
    for path in &args.files {
        for (file, named) in files(path)? {
            reading.read(&file, named)?;
        }
    }
    reading.finish_sigma(args.to);
    if reading.items.is_empty() && reading.failed == 0 {
        return Err(Failure::input("no rule there"));
    }
    let written = match &args.out {
        Some(folder) => write_files(&reading.items, args.to, folder)?,
        None => write_all(&reading.items, args.to)?,
    };
    let failed = reading.failed + written;
    Ok(if failed > 0 { Exit::Found } else { Exit::Clean })
}

/// The file, or the files below a folder that may hold rules; and whether it was named itself.
fn files(path: &Path) -> Result<Vec<(PathBuf, bool)>> {
    if !path.is_dir() {
        return Ok(vec![(path.to_path_buf(), true)]);
    }
    let mut found = Vec::new();
    let entries = std::fs::read_dir(path).map_err(|e| Failure::input(format!("{}: {e}", path.display())))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() && !path.is_symlink() && !hidden {
            found.extend(files(&path)?);
        } else if ["yaml", "yml", "kql", "csl", "kusto", "json", "tf"].contains(&extension(&path).as_str()) {
            found.push((path, false));
        }
    }
    Ok(found)
}

fn extension(path: &Path) -> String {
    path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase()
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{} {}", paint("note:", Tone::Quiet, stderr_has_colour()), safe(text));
}

fn note(file: &Path, text: &str) {
    say(&format!("{}: {text}", file.display()));
}

fn error(file: &Path, text: &str) {
    let label = paint("error:", Tone::Alarm, stderr_has_colour());
    let _ = writeln!(io::stderr(), "{label} {}: {}", safe(&file.display().to_string()), safe(text));
}

impl Reading {
    /// Reads the rules of a file. A file found in a folder may be anything; one that was named has to hold a rule.
    fn read(&mut self, file: &Path, named: bool) -> Result<()> {
        let bytes = std::fs::read(file).map_err(|e| Failure::input(format!("{}: {e}", file.display())))?;
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let before = (self.items.len(), self.sigma.documents.len(), self.failed);
        match extension(file).as_str() {
            "kql" | "csl" | "kusto" => {
                let name = Node::of_text(stem(file));
                let fields = [("id", name.clone()), ("name", name), ("query", Node::of_text(text))];
                self.items.push(Item { file: file.to_path_buf(), rule: Node::of_map(fields), query: None });
            }
            "json" if named || arm::looks_like_arm(text) => self.add_read(file, arm::read(text), named),
            "tf" if named || terraform::looks_like_terraform(text) => self.add_read(file, terraform::read(text), named),
            "json" | "tf" => {}
            _ if sigma::document::looks_like_sigma(text) => match self.sigma.add(&file.to_string_lossy(), text) {
                Ok(broken) => {
                    for broken in broken {
                        self.fail(file, &format!("the Sigma rule `{}`: {}", broken.title, broken.error));
                    }
                }
                Err(broken) => self.fail(file, &format!("not valid YAML: {}", broken.message)),
            },
            _ => match parse_all(text) {
                Ok(documents) => {
                    let rules = documents.into_iter().filter(|document| document.get("query").is_some());
                    self.items.extend(rules.map(|rule| Item { file: file.to_path_buf(), rule, query: None }));
                }
                Err(broken) if named => self.fail(file, &format!("not valid YAML: {}", broken.message)),
                Err(_) => {}
            },
        }
        let after = (self.items.len(), self.sigma.documents.len(), self.failed);
        if named && before == after {
            self.fail(file, "no rule there");
        }
        Ok(())
    }

    fn fail(&mut self, file: &Path, text: &str) {
        self.failed += 1;
        error(file, text);
    }

    fn add_read(&mut self, file: &Path, read: Result<Vec<ReadRule>, String>, named: bool) {
        let found = match read {
            Ok(found) => found,
            Err(reason) if named => return self.fail(file, &reason),
            Err(_) => return,
        };
        for ReadRule { rule, notes } in found {
            let name = name_of(&rule);
            if rule.get("query").is_none() {
                self.fail(file, &format!("{name}: {}", notes.join("; ")));
                continue;
            }
            notes.iter().for_each(|text| note(file, &format!("{name}: {text}")));
            self.items.push(Item { file: file.to_path_buf(), rule, query: None });
        }
    }

    /// Sigma documents become rules together: correlations and filters reach over files.
    fn finish_sigma(&mut self, to: ConvertTo) {
        let collection = std::mem::take(&mut self.sigma);
        for (title, file) in collection.idle_filters() {
            note(Path::new(file), &format!("the filter `{title}` is for no rule here"));
        }
        for outcome in collection.convert() {
            match outcome {
                Outcome::Rule(rule) => {
                    let file = PathBuf::from(&rule.file);
                    if to == ConvertTo::Sigma {
                        note(&file, &format!("{}: a Sigma rule already", rule.title));
                        continue;
                    }
                    rule.notes.iter().for_each(|text| note(&file, &format!("{}: {text}", rule.title)));
                    self.items.push(Item { file, query: Some(rule.query), rule: rule.fields });
                }
                Outcome::Impossible(rule) => {
                    let text = format!("the Sigma rule `{}` matches nothing: {}", rule.title, rule.reasons.join("; "));
                    self.fail(Path::new(&rule.file), &text);
                }
            }
        }
    }
}

/// One rule in a form that holds one at a time; Err: why it cannot be written.
fn one(item: &Item, to: ConvertTo) -> Result<Written, String> {
    let plain = |text: String| Ok(Written { text, notes: Vec::new() });
    match to {
        ConvertTo::Sentinel => sentinel::write(&item.rule).and_then(plain),
        ConvertTo::Arm => Ok(arm::write(std::slice::from_ref(&item.rule))),
        ConvertTo::Terraform => Ok(terraform::write(std::slice::from_ref(&item.rule))),
        ConvertTo::Kql => {
            let query = item.query.clone().or_else(|| item.rule.get("query").and_then(Node::text)).unwrap_or_default();
            let end = if query.ends_with('\n') { "" } else { "\n" };
            plain(format!("{query}{end}"))
        }
        ConvertTo::Sigma => {
            let found = to_sigma(&item.rule).map_err(|reason| reason.to_string())?;
            let texts = found.documents.iter().map(sentinel::text_of).collect::<Result<Vec<_>, _>>()?;
            Ok(Written { text: texts.join("---\n"), notes: found.notes })
        }
    }
}

/// Writes everything to standard output; how many rules could not be.
fn write_all(items: &[Item], to: ConvertTo) -> Result<usize> {
    let mut out = io::stdout().lock();
    if matches!(to, ConvertTo::Arm | ConvertTo::Terraform) {
        let rules: Vec<Node> = items.iter().map(|item| item.rule.clone()).collect();
        let written = if to == ConvertTo::Arm { arm::write(&rules) } else { terraform::write(&rules) };
        written.notes.iter().for_each(|text| say(text));
        write!(out, "{}", written.text)?;
        return Ok(0);
    }
    let mut failed = 0;
    let mut first = true;
    for item in items {
        match one(item, to) {
            Ok(written) => {
                written.notes.iter().for_each(|text| note(&item.file, &format!("{}: {text}", name_of(&item.rule))));
                match to {
                    ConvertTo::Kql if items.len() > 1 => {
                        let between = if first { "" } else { "\n" };
                        writeln!(out, "{between}// {}", name_of(&item.rule).replace('\n', " "))?;
                    }
                    _ if !first => writeln!(out, "---")?,
                    _ => {}
                }
                write!(out, "{}", written.text)?;
                first = false;
            }
            Err(reason) => {
                failed += 1;
                error(&item.file, &format!("{}: {reason}", name_of(&item.rule)));
            }
        }
    }
    Ok(failed)
}

/// Writes a file for each rule; how many could not be.
fn write_files(items: &[Item], to: ConvertTo, folder: &Path) -> Result<usize> {
    std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let ending = match to {
        ConvertTo::Sentinel => "yaml",
        ConvertTo::Arm => "json",
        ConvertTo::Terraform => "tf",
        ConvertTo::Sigma => "yml",
        ConvertTo::Kql => "kql",
    };
    let mut names = BTreeSet::new();
    let mut failed = 0;
    for item in items {
        match one(item, to) {
            Ok(written) => {
                let alone = items.iter().filter(|other| other.file == item.file).count() == 1;
                let base = if alone { stem(&item.file) } else { file_name(&name_of(&item.rule)) };
                let mut name = base.clone();
                let mut number = 1;
                while !names.insert(name.to_lowercase()) {
                    number += 1;
                    name = format!("{base}-{number}");
                }
                let path = folder.join(format!("{name}.{ending}"));
                written.notes.iter().for_each(|text| note(&path, text));
                std::fs::write(&path, written.text).with_context(|| format!("writing {}", path.display()))?;
            }
            Err(reason) => {
                failed += 1;
                error(&item.file, &format!("{}: {reason}", name_of(&item.rule)));
            }
        }
    }
    writeln!(io::stdout(), "{} written to {}", names.len(), safe(&folder.display().to_string()))?;
    Ok(failed)
}

/// A rule's name as the name of a file.
fn file_name(name: &str) -> String {
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(100).collect();
    if name.is_empty() { "rule".to_string() } else { name }
}
