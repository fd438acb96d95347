//! Text for terminals. Logs are written by attackers: nothing of theirs reaches a terminal as a control sequence.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};

/// Makes foreign text harmless and one line: control characters, direction overrides and invisible characters show as
/// escapes.
pub fn safe(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_harmful(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// The same, but line feeds and tabs stay: for texts that are meant to have several lines.
pub fn safe_lines(text: &str) -> String {
    text.split('\n').map(|line| safe(line.trim_end_matches('\r')).replace("\\t", "    ")).collect::<Vec<_>>().join("\n")
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Cuts a text to so many characters, the last of which is then `…`.
pub fn short(text: &str, characters_max: usize) -> String {
    if text.chars().count() <= characters_max {
        return text.to_string();
    }
    let mut out: String = text.chars().take(characters_max.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// `1 row`, `2 rows`.
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Whether colours may be used on standard output.
pub fn stdout_has_colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether colours may be used on standard error.
pub fn stderr_has_colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The width of the terminal, or what a pipe gets.
pub fn width() -> usize {
    const PIPE: usize = 160;
    if !std::io::stdout().is_terminal() {
        return PIPE;
    }
    std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok())
        .or_else(|| Some(console_width()))
        .filter(|columns| *columns >= 40)
        .unwrap_or(PIPE)
}

/// Characters of a line that a reader may lose the end of: as wide as the terminal, whole in a pipe or a file.
pub fn line_width() -> usize {
    if std::io::stdout().is_terminal() { width() } else { usize::MAX }
}

fn console_width() -> usize {
    let mut table = comfy_table::Table::new();
    table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    table.width().map_or(0, usize::from)
}

/// Colours by meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Alarm,
    Warning,
    Good,
    Quiet,
    Strong,
}

/// Paints a text when colours are on.
pub fn paint(text: &str, tone: Tone, colour: bool) -> String {
    if !colour {
        return text.to_string();
    }
    let code = match tone {
        Tone::Alarm => "1;31",
        Tone::Warning => "33",
        Tone::Good => "32",
        Tone::Quiet => "2",
        Tone::Strong => "1",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// A warning on standard error.
pub fn warn(message: &str) {
    let label = paint("warning", Tone::Warning, stderr_has_colour());
    let _ = writeln!(std::io::stderr(), "{label}: {}", safe(message));
}

/// Something worth knowing, on standard error.
pub fn note(message: &str) {
    let _ = writeln!(std::io::stderr(), "{}", safe(message));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_sequences_are_shown_not_sent() {
        assert_eq!(safe("curl\u{1b}[2J\u{1b}]0;x\u{7}"), "curl\\u{1b}[2J\\u{1b}]0;x\\u{7}");
        assert_eq!(safe("a\u{202e}b\nc"), "a\\u{202e}b\\nc");
        assert_eq!(safe("żółć"), "żółć");
        assert_eq!(safe_lines("a\r\nb\u{1b}"), "a\nb\\u{1b}");
    }

    #[test]
    fn cutting_counts_characters() {
        assert_eq!(short("abcdef", 4), "abc…");
        assert_eq!(short("żół", 3), "żół");
    }
}
