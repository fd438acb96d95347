//! Text to tokens: every byte belongs to exactly one token, white space and comments included.
//!
//! The lexer never fails: what fits nothing is a [`SyntaxKind::Bad`] token with an error. Start at [`lex`].

mod numbers;
mod strings;

use crate::SyntaxError;
use crate::ast::Span;
use crate::diagnostics;
use crate::kind::{self, SyntaxKind};

/// A token: its kind and the bytes it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub kind: SyntaxKind,
    pub span: Span,
}

impl Token {
    /// The token's part of the text that it was read from.
    pub fn text(self, text: &str) -> &str {
        text.get(self.span.start as usize..self.span.end as usize).unwrap_or("")
    }
}

/// All tokens of a text in order, without a token for the end.
///
/// Texts above 4 GiB are cut: offsets are 32 bits wide.
pub fn lex(text: &str) -> (Vec<Token>, Vec<SyntaxError>) {
    let mut lexer = Lexer { text, position: 0, errors: Vec::new() };
    let mut tokens = Vec::with_capacity(text.len() / 4 + 1);
    while let Some(token) = lexer.next() {
        tokens.push(token);
    }
    (tokens, lexer.errors)
}

struct Lexer<'a> {
    text: &'a str,
    position: usize,
    errors: Vec<SyntaxError>,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Option<Token> {
        let rest = self.text.get(self.position..)?;
        let first = rest.bytes().next()?;
        let start = offset(self.position)?;
        let (kind, length) = self.scan(rest, first);
        let end = offset(self.position + length)?;
        self.position += length;
        Some(Token { kind, span: Span::new(start, end) })
    }

    /// The kind and length (at least 1, on a character boundary) of the token that `rest` starts with.
    fn scan(&mut self, rest: &str, first: u8) -> (SyntaxKind, usize) {
        if let Some(length) = whitespace(rest) {
            return (SyntaxKind::Whitespace, length);
        }
        if rest.starts_with("//") {
            return (SyntaxKind::Comment, line_length(rest));
        }
        if first.is_ascii_alphabetic() || first == b'_' || first == b'$' {
            return self.word(rest, first);
        }
        if first.is_ascii_digit() {
            return self.number(rest);
        }
        if let Some(found) = strings::scan(rest) {
            return self.string(rest, found);
        }
        if let Some(found) = punctuation(rest.as_bytes()) {
            return found;
        }
        match first {
            b'#' => (SyntaxKind::Directive, line_length(rest)),
            b'!' => negated_keyword(rest).unwrap_or_else(|| self.bad(rest)),
            _ => self.bad(rest),
        }
    }

    fn bad(&mut self, rest: &str) -> (SyntaxKind, usize) {
        let character = rest.chars().next().map_or("", |c| rest.get(..c.len_utf8()).unwrap_or(""));
        let span = self.span(0, character.len());
        self.errors.push(diagnostics::unexpected_character(character, span));
        (SyntaxKind::Bad, character.len().max(1))
    }

    fn span(&self, from: usize, to: usize) -> Span {
        let clamp = |n: usize| offset(n).unwrap_or(u32::MAX);
        Span::new(clamp(self.position + from), clamp(self.position + to))
    }

    fn string(&mut self, rest: &str, found: strings::Scanned) -> (SyntaxKind, usize) {
        let mut length = found.length;
        if let Some(quote) = found.unclosed {
            // The official parser reports the missing quote where the token ends.
            let at = self.span(length, length);
            self.errors.push(diagnostics::missing_text(quote, at));
            length = length.min(rest.len());
        }
        (SyntaxKind::StringLiteral, length)
    }

    fn word(&mut self, rest: &str, first: u8) -> (SyntaxKind, usize) {
        let length = word_length(rest);
        let word = rest.get(..length).unwrap_or("");
        if length == 1
            && (first == b'h' || first == b'H')
            && let Some(found) = strings::scan(rest)
        {
            return self.string(rest, found);
        }
        if word == "hint"
            && let Some(length) = hint_name(rest)
        {
            return (SyntaxKind::HintName, length);
        }
        let goes_on = match rest.as_bytes().get(length) {
            Some(b'-' | b'~') => true,
            Some(b' ') => word == "matches",
            _ => false,
        };
        if goes_on && let Some(found) = kind::compound_keyword(rest, word) {
            return found;
        }
        if let Some(keyword) = kind::keyword(word) {
            if rest.as_bytes().get(length) == Some(&b'(')
                && let Some(literal) = parenthesised_literal(keyword)
            {
                return self.goo(rest, length, literal);
            }
            return (keyword, length);
        }
        if matches!(word, "true" | "True" | "TRUE" | "false" | "False" | "FALSE") {
            return (SyntaxKind::BoolLiteral, length);
        }
        if numbers::raw_guid(rest) {
            return (SyntaxKind::RawGuid, 36);
        }
        (SyntaxKind::Identifier, length)
    }

    /// `long(42)`, `datetime(2020-01-01)`: everything up to the parenthesis or the end of the line is one token.
    fn goo(&mut self, rest: &str, word: usize, literal: SyntaxKind) -> (SyntaxKind, usize) {
        let inside = rest.get(word..).unwrap_or("");
        let stop = inside.find([')', '\r', '\n', '\u{2028}', '\u{2029}']).unwrap_or(inside.len());
        let closed = inside.as_bytes().get(stop) == Some(&b')');
        let length = word + stop + usize::from(closed);
        if !closed {
            let at = self.span(length, length);
            self.errors.push(diagnostics::missing_text(")", at));
        }
        (literal, length)
    }

    fn number(&mut self, rest: &str) -> (SyntaxKind, usize) {
        if numbers::raw_guid(rest) {
            return (SyntaxKind::RawGuid, 36);
        }
        let word = word_length(rest);
        if let Some(keyword) = rest.get(..word).and_then(kind::keyword) {
            return (keyword, word);
        }
        if let Some(length) = numbers::real(rest) {
            return (SyntaxKind::RealLiteral, length);
        }
        if let Some(length) = numbers::timespan(rest) {
            return (SyntaxKind::TimeSpanLiteral, length);
        }
        if let Some(length) = numbers::long(rest) {
            return (SyntaxKind::LongLiteral, length);
        }
        (SyntaxKind::Identifier, word)
    }
}

fn offset(position: usize) -> Option<u32> {
    u32::try_from(position).ok()
}

/// Length of a run of letters, digits, `_`, with a `$` allowed first. The language's letters are ASCII only.
fn word_length(text: &str) -> usize {
    let tail = text.bytes().skip(1).take_while(|b| is_word_byte(*b)).count();
    tail + usize::from(!text.is_empty())
}

pub(crate) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// What the language takes for a space; more than ASCII, and a vertical tab is none.
pub(crate) fn is_space(c: char) -> bool {
    matches!(
        c,
        '\t' | ' ' | '\r' | '\n' | '\u{c}' | '\u{a0}' | '\u{1680}' | '\u{180e}' | '\u{2000}'
            ..='\u{200b}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}'
    )
}

pub(crate) fn is_line_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{2028}' | '\u{2029}')
}

fn whitespace(text: &str) -> Option<usize> {
    let length = text.find(|c| !is_space(c)).unwrap_or(text.len());
    (length > 0).then_some(length)
}

/// Bytes to the end of the line, the line break not included.
fn line_length(text: &str) -> usize {
    text.find(is_line_break).unwrap_or(text.len())
}

/// The names of hints that are one token: `hint.strategy`.
fn hint_name(text: &str) -> Option<usize> {
    const NAMES: &[&str] = &[
        "concurrency",
        "distribution",
        "materialized",
        "num_partitions",
        "pass_filters",
        "pass_filters_column",
        "progressive_top",
        "remote",
        "shufflekey",
        "spread",
        "strategy",
    ];
    let tail = text.strip_prefix("hint.")?;
    let length = word_length(tail);
    NAMES.contains(&tail.get(..length)?).then_some(5 + length)
}

/// `!in~`, `!has_cs`: a negation and a word, without a space.
fn negated_keyword(text: &str) -> Option<(SyntaxKind, usize)> {
    let tail = text.get(1..)?;
    let length = tail.bytes().take_while(|b| is_word_byte(*b)).count() + 1;
    let word = text.get(..length)?;
    kind::compound_keyword(text, word).or_else(|| kind::keyword(word).map(|k| (k, length)))
}

/// The kind of `keyword(...)` written without a space, when that is a literal.
pub(crate) fn parenthesised_literal(keyword: SyntaxKind) -> Option<SyntaxKind> {
    Some(match keyword {
        SyntaxKind::LongKw | SyntaxKind::Int64Kw => SyntaxKind::LongLiteral,
        SyntaxKind::IntKw | SyntaxKind::Int32Kw => SyntaxKind::IntLiteral,
        SyntaxKind::RealKw | SyntaxKind::DoubleKw => SyntaxKind::RealLiteral,
        SyntaxKind::DecimalKw => SyntaxKind::DecimalLiteral,
        SyntaxKind::BoolKw => SyntaxKind::BoolLiteral,
        SyntaxKind::DatetimeKw | SyntaxKind::DateKw => SyntaxKind::DateTimeLiteral,
        SyntaxKind::TimeKw | SyntaxKind::TimespanKw => SyntaxKind::TimeSpanLiteral,
        SyntaxKind::GuidKw => SyntaxKind::GuidLiteral,
        _ => return None,
    })
}

fn punctuation(bytes: &[u8]) -> Option<(SyntaxKind, usize)> {
    use SyntaxKind::*;
    let second = bytes.get(1).copied().unwrap_or(0);
    Some(match (*bytes.first()?, second) {
        (b'(', _) => (OpenParen, 1),
        (b')', _) => (CloseParen, 1),
        (b'[', _) => (OpenBracket, 1),
        (b']', _) => (CloseBracket, 1),
        (b'{', _) => (OpenBrace, 1),
        (b'}', _) => (CloseBrace, 1),
        (b'|', _) => (Bar, 1),
        (b'.', b'.') => (DotDot, 2),
        (b'.', _) => (Dot, 1),
        (b'+', _) => (Plus, 1),
        (b'-', _) => (Minus, 1),
        (b'*', _) => (Star, 1),
        (b'/', _) => (Slash, 1),
        (b'%', _) => (Percent, 1),
        (b'<', b'=') => (LessEqual, 2),
        (b'<', b'|') => (LessBar, 2),
        (b'<', b'>') => (LessGreater, 2),
        (b'<', _) => (Less, 1),
        (b'>', b'=') => (GreaterEqual, 2),
        (b'>', _) => (Greater, 1),
        (b'=', b'=') => (EqualEqual, 2),
        (b'=', b'>') => (FatArrow, 2),
        (b'=', b'~') => (EqualTilde, 2),
        (b'=', _) => (Equal, 1),
        (b'!', b'=') => (BangEqual, 2),
        (b'!', b'~') => (BangTilde, 2),
        (b':', _) => (Colon, 1),
        (b';', _) => (Semicolon, 1),
        (b',', _) => (Comma, 1),
        (b'@', _) => (At, 1),
        (b'?', _) => (Question, 1),
        _ => return None,
    })
}

/// What a string literal means, and whether it is hidden.
pub(crate) fn string_value(literal: &str) -> (String, bool) {
    strings::value(literal)
}

/// Whether the whole text is exactly one closed string literal.
pub(crate) fn is_one_string(text: &str) -> bool {
    strings::scan(text).is_some_and(|s| s.length == text.len() && s.unclosed.is_none())
}
