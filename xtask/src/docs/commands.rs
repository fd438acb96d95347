//! The page of the program's commands, from the declaration of its command line.

use std::fmt::Write;

use clap::{Arg, Command, CommandFactory};
use cli::args::Cli;

/// Every command with its usage and options.
pub fn page() -> String {
    let mut root = Cli::command();
    root.build();
    let mut page = String::from("# Commands\n\n");
    let _ = writeln!(page, "{}.\n", root.get_about().map(ToString::to_string).unwrap_or_default());
    if let Some(text) = root.get_after_help() {
        let _ = writeln!(page, "{text}\n");
    }
    for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
        page.push_str(&section(command));
    }
    page.push_str("[Reference](README.md)\n");
    page
}

fn section(command: &Command) -> String {
    let mut out = format!("## {}\n\n", command.get_name());
    let _ = writeln!(out, "{}.\n", command.get_about().map(ToString::to_string).unwrap_or_default());
    let usage = command.clone().render_usage().to_string();
    let _ = writeln!(out, "```\n{}\n```\n", usage.trim_start_matches("Usage: ").trim());
    let shown: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version"))
        .collect();
    if !shown.is_empty() {
        out.push_str("| | |\n|---|---|\n");
        for arg in shown {
            let _ = writeln!(out, "| {} | {} |", spelled(arg), explained(arg));
        }
        out.push('\n');
    }
    if let Some(text) = command.get_after_help() {
        let _ = writeln!(out, "{text}\n");
    }
    out
}

fn spelled(arg: &Arg) -> String {
    let mut names = Vec::new();
    if let Some(short) = arg.get_short() {
        names.push(format!("-{short}"));
    }
    if let Some(long) = arg.get_long() {
        names.push(format!("--{long}"));
    }
    let takes_value = arg.get_action().takes_values();
    let value = arg.get_value_names().into_iter().flatten().map(|name| name.as_str()).collect::<Vec<_>>().join(" ");
    match (names.is_empty(), takes_value) {
        (true, _) => format!("`{value}`"),
        (false, true) => format!("`{} {value}`", names.join(", ")),
        (false, false) => format!("`{}`", names.join(", ")),
    }
}

fn explained(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|_| arg.get_action().takes_values())
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({})", value.get_name(), lower_first(&help.to_string())),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if !values.is_empty() {
        let _ = write!(text, ": {}", values.join(", "));
    }
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if !defaults.is_empty() && arg.get_action().takes_values() {
        let _ = write!(text, " [default: {}]", defaults.join(" "));
    }
    text.replace('|', "\\|").replace('\n', " ")
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_option_is_described() {
        let page = page();
        let mut root = Cli::command();
        root.build();
        for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
            assert!(page.contains(&format!("\n## {}\n", command.get_name())), "{}", command.get_name());
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{} of {} has no help", arg.get_id(), command.get_name());
            }
        }
        assert!(page.contains("Exit codes:"), "{page}");
    }
}
