//! `tidewatch fmt`: the one layout of KQL files.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kql_syntax::FormatOptions;

use crate::args::FmtArgs;
use crate::exit::{Exit, Failure};
use crate::terminal::{self, Tone, paint, safe};

/// Formats files in place, or shows what would change.
pub fn run(args: &FmtArgs) -> Result<Exit> {
    if args.stdin {
        return format_standard_input(args);
    }
    let mut exit = Exit::Clean;
    for file in files(&args.files)? {
        let text = std::fs::read_to_string(&file).map_err(|e| Failure::input(format!("{}: {e}", file.display())))?;
        exit = exit.max(format_file(args, &file, &text)?);
    }
    Ok(exit)
}

fn format_standard_input(args: &FmtArgs) -> Result<Exit> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).context("reading standard input")?;
    let formatted = kql_syntax::format(&text, &FormatOptions::default());
    let mut out = io::stdout().lock();
    if !args.check && !args.diff {
        write!(out, "{formatted}")?;
        return Ok(Exit::Clean);
    }
    if text == formatted {
        return Ok(Exit::Clean);
    }
    if args.diff {
        write!(out, "{}", diff("standard input", &text, &formatted))?;
    }
    Ok(Exit::Found)
}

fn format_file(args: &FmtArgs, file: &Path, text: &str) -> Result<Exit> {
    let formatted = kql_syntax::format(text, &FormatOptions::default());
    if formatted == text {
        return Ok(Exit::Clean);
    }
    let mut out = io::stdout().lock();
    let name = file.display().to_string();
    if args.diff {
        write!(out, "{}", diff(&name, text, &formatted))?;
    } else if args.check {
        writeln!(out, "not formatted: {}", safe(&name))?;
    } else {
        std::fs::write(file, &formatted).with_context(|| format!("writing {name}"))?;
        writeln!(out, "formatted: {}", safe(&name))?;
        return Ok(Exit::Clean);
    }
    Ok(Exit::Found)
}

/// The files named, and the KQL files below the folders named.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in paths {
        if path.is_dir() {
            collect(path, &mut all)?;
        } else {
            all.push(path.clone());
        }
    }
    Ok(all)
}

fn collect(folder: &Path, all: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|e| Failure::input(format!("{}: {e}", folder.display())))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() && !path.is_symlink() && !hidden {
            collect(&path, all)?;
        } else if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("kql") || e.eq_ignore_ascii_case("csl")) {
            all.push(path);
        }
    }
    Ok(())
}

/// Lines around a change that are shown.
const CONTEXT: usize = 2;

/// A line of either text, as a difference shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Same(&'a str),
    Old(&'a str),
    New(&'a str),
}

fn diff(name: &str, old: &str, new: &str) -> String {
    let colour = terminal::stdout_has_colour();
    let lines = compare(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    let changed: Vec<usize> =
        (0..lines.len()).filter(|i| !matches!(lines.get(*i), Some(Line::Same(_)) | None)).collect();
    let mut out = format!("--- {}\n+++ {}\n", safe(name), safe(name));
    let mut last_shown: Option<usize> = None;
    for (index, line) in lines.iter().enumerate() {
        if !changed.iter().any(|at| at.abs_diff(index) <= CONTEXT) {
            continue;
        }
        if last_shown.is_some_and(|last| last + 1 < index) {
            out.push_str("...\n");
        }
        last_shown = Some(index);
        let shown = match line {
            Line::Same(text) => format!("  {}", safe(text)),
            Line::Old(text) => paint(&format!("- {}", safe(text)), Tone::Alarm, colour),
            Line::New(text) => paint(&format!("+ {}", safe(text)), Tone::Good, colour),
        };
        out.push_str(&shown);
        out.push('\n');
    }
    out
}

/// The shortest difference by lines; for very long texts, everything between the common ends is replaced.
fn compare<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    const CELLS_MAX: usize = 4_000_000;
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let a = old_rest.get(..old_rest.len() - tail).unwrap_or_default();
    let b = new_rest.get(..new_rest.len() - tail).unwrap_or_default();
    let mut lines: Vec<Line<'a>> = old.iter().take(head).map(|line| Line::Same(line)).collect();
    if a.len().saturating_mul(b.len()) > CELLS_MAX {
        lines.extend(a.iter().map(|line| Line::Old(line)));
        lines.extend(b.iter().map(|line| Line::New(line)));
    } else {
        lines.extend(longest_common(a, b));
    }
    lines.extend(old.iter().skip(old.len() - tail).map(|line| Line::Same(line)));
    lines
}

fn longest_common<'a>(a: &[&'a str], b: &[&'a str]) -> Vec<Line<'a>> {
    let width = b.len() + 1;
    let mut lengths = vec![0_u32; (a.len() + 1) * width];
    let at = |lengths: &[u32], i: usize, j: usize| lengths.get(i * width + j).copied().unwrap_or(0);
    for (i, line_a) in a.iter().enumerate().rev() {
        for (j, line_b) in b.iter().enumerate().rev() {
            let length = if line_a == line_b {
                at(&lengths, i + 1, j + 1) + 1
            } else {
                at(&lengths, i + 1, j).max(at(&lengths, i, j + 1))
            };
            if let Some(cell) = lengths.get_mut(i * width + j) {
                *cell = length;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while let (Some(line_a), Some(line_b)) = (a.get(i), b.get(j)) {
        if line_a == line_b {
            lines.push(Line::Same(line_a));
            (i, j) = (i + 1, j + 1);
        } else if at(&lengths, i + 1, j) >= at(&lengths, i, j + 1) {
            lines.push(Line::Old(line_a));
            i += 1;
        } else {
            lines.push(Line::New(line_b));
            j += 1;
        }
    }
    lines.extend(a.iter().skip(i).map(|line| Line::Old(line)));
    lines.extend(b.iter().skip(j).map(|line| Line::New(line)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_what_changed_and_little_else() {
        let old = "a\nb\nc\nd\ne\nf\ng";
        let new = "a\nb\nc\nD\ne\nf\ng";
        let shown = diff("q.kql", old, new);
        assert_eq!(shown, "--- q.kql\n+++ q.kql\n  b\n  c\n- d\n+ D\n  e\n  f\n");
    }

    #[test]
    fn differences_put_together_give_both_texts() {
        let (old, new) = (["x", "a", "b", "c"], ["a", "c", "y"]);
        let lines = compare(&old, &new);
        let side = |keep: fn(&Line<'_>) -> bool| -> Vec<&str> {
            lines
                .iter()
                .filter(|l| keep(l))
                .map(|l| match l {
                    Line::Same(t) | Line::Old(t) | Line::New(t) => *t,
                })
                .collect()
        };
        assert_eq!(side(|l| !matches!(l, Line::New(_))), old);
        assert_eq!(side(|l| !matches!(l, Line::Old(_))), new);
    }
}
