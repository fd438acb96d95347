//! Text values with wildcards: `*`, `?`, and the backslash that escapes them.
//!
//! A pattern is a sequence of literal texts and wildcards; two literals never stand side by side. Start at
//! [`Pattern::parse`].

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Text(String),
    /// `*`: any number of characters.
    Many,
    /// `?`: one character.
    One,
    /// A dash of a command line's option, in any of the forms that Windows takes.
    Dash,
    /// `%name%` under the modifier `expand`.
    Placeholder(String),
}

/// The characters that Windows takes for the dash of an option.
pub const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// What a field's text is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pattern {
    pub parts: Vec<Part>,
}

/// A pattern by the operator that says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape<'a> {
    /// No wildcard.
    Exactly(&'a str),
    StartsWith(&'a str),
    EndsWith(&'a str),
    Contains(&'a str),
    /// Wildcards alone: any text that is not empty.
    Anything,
    /// What only a regular expression can say.
    Other,
}

impl Pattern {
    /// Reads a value as rules write it. A backslash escapes a wildcard or another backslash, and is itself before
    /// anything else.
    pub fn parse(text: &str) -> Pattern {
        let mut pattern = Pattern::default();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.peek() {
                    Some(&next @ ('*' | '?' | '\\')) => {
                        chars.next();
                        pattern.push_char(next);
                    }
                    _ => pattern.push_char('\\'),
                },
                '*' => pattern.push(Part::Many),
                '?' => pattern.push(Part::One),
                other => pattern.push_char(other),
            }
        }
        pattern
    }

    /// A text without wildcards.
    pub fn literal(text: impl Into<String>) -> Pattern {
        let text = text.into();
        Pattern { parts: if text.is_empty() { Vec::new() } else { vec![Part::Text(text)] } }
    }

    fn push_char(&mut self, c: char) {
        match self.parts.last_mut() {
            Some(Part::Text(text)) => text.push(c),
            _ => self.parts.push(Part::Text(c.to_string())),
        }
    }

    /// Adds a part; texts beside each other become one, and so do wildcards of any length.
    pub fn push(&mut self, part: Part) {
        match (self.parts.last_mut(), part) {
            (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&text),
            (Some(Part::Many), Part::Many) => {}
            (_, Part::Text(text)) if text.is_empty() => {}
            (_, part) => self.parts.push(part),
        }
    }

    /// The text of a pattern without wildcards.
    pub fn text(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// With any text in front.
    pub fn after_anything(mut self) -> Pattern {
        if self.parts.first() != Some(&Part::Many) {
            self.parts.insert(0, Part::Many);
        }
        self
    }

    /// With any text behind.
    pub fn before_anything(mut self) -> Pattern {
        self.push(Part::Many);
        self
    }

    /// The operator that says the pattern.
    pub fn shape(&self) -> Shape<'_> {
        match self.parts.as_slice() {
            [] => Shape::Exactly(""),
            [Part::Text(text)] => Shape::Exactly(text),
            [Part::Text(text), Part::Many] => Shape::StartsWith(text),
            [Part::Many, Part::Text(text)] => Shape::EndsWith(text),
            [Part::Many, Part::Text(text), Part::Many] => Shape::Contains(text),
            [Part::Many] => Shape::Anything,
            _ => Shape::Other,
        }
    }

    /// The regular expression that says the pattern, without anchors; `many` stands for `*`, `escape` is applied to texts
    /// first.
    pub fn regex(&self, many: &str, escape: &dyn Fn(&str) -> String) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(&regex_syntax::escape(&escape(text))),
                Part::Many => out.push_str(many),
                Part::One | Part::Placeholder(_) => out.push('.'),
                Part::Dash => {
                    out.push_str("[-/");
                    out.extend(DASHES.iter().skip(2));
                    out.push(']');
                }
            }
        }
        out
    }

    /// With each option's dash as the part [`Part::Dash`]: one that no word stands before and a word stands behind.
    pub fn with_dashes(self) -> Pattern {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut out = Pattern::default();
        for part in self.parts {
            let Part::Text(text) = part else {
                out.push(part);
                continue;
            };
            let mut before: Option<char> = None;
            let mut chars = text.chars().peekable();
            while let Some(c) = chars.next() {
                let option = DASHES.contains(&c)
                    && !before.is_some_and(is_word)
                    && chars.peek().is_some_and(|next| is_word(*next));
                if option {
                    out.parts.push(Part::Dash);
                } else {
                    out.push_char(c);
                }
                before = Some(c);
            }
        }
        out
    }

    /// With `%name%` as placeholders; `\%` is a percent sign.
    pub fn with_placeholders(self) -> Pattern {
        let mut out = Pattern::default();
        for part in self.parts {
            let Part::Text(text) = part else {
                out.push(part);
                continue;
            };
            let mut rest = text.as_str();
            while let Some(at) = rest.find('%') {
                let (before, from) = rest.split_at(at);
                if let Some(before) = before.strip_suffix('\\') {
                    out.push(Part::Text(format!("{before}%")));
                    rest = from.get(1..).unwrap_or_default();
                    continue;
                }
                let name = from.get(1..).and_then(|inner| inner.split_once('%'));
                match name.filter(|(name, _)| !name.is_empty() && name.chars().all(is_name_char)) {
                    Some((name, behind)) => {
                        out.push(Part::Text(before.to_string()));
                        out.push(Part::Placeholder(name.to_string()));
                        rest = behind;
                    }
                    None => {
                        out.push(Part::Text(format!("{before}%")));
                        rest = from.get(1..).unwrap_or_default();
                    }
                }
            }
            out.push(Part::Text(rest.to_string()));
        }
        out
    }
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// A text as a rule's value that means exactly it.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' | '?' => {
                out.push('\\');
                out.push(c);
            }
            // A lone backslash is itself; one before a wildcard or another backslash has to be escaped.
            '\\' if matches!(chars.peek(), Some('*' | '?' | '\\')) || out.ends_with('\\') => out.push_str("\\\\"),
            '\\' if chars.peek().is_none() => out.push_str("\\\\"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Part {
        Part::Text(text.to_string())
    }

    #[test]
    fn backslashes_escape_wildcards_and_themselves() {
        let parts = |value: &str| Pattern::parse(value).parts;
        assert_eq!(parts(r"C:\Windows\cmd.exe"), [text(r"C:\Windows\cmd.exe")]);
        assert_eq!(parts(r"C:\\Windows"), [text(r"C:\Windows")]);
        assert_eq!(parts(r"a\*b"), [text("a*b")]);
        assert_eq!(parts(r"a\\*b"), [text(r"a\"), Part::Many, text("b")]);
        assert_eq!(parts(r"a\\\*b"), [text(r"a\*b")]);
        assert_eq!(parts(r"\\\\srv"), [text(r"\\srv")]);
        assert_eq!(parts("a?**"), [text("a"), Part::One, Part::Many]);
    }

    #[test]
    fn patterns_have_the_simplest_operator() {
        assert_eq!(Pattern::parse("x*").shape(), Shape::StartsWith("x"));
        assert_eq!(Pattern::parse("*x").shape(), Shape::EndsWith("x"));
        assert_eq!(Pattern::parse("*x*").shape(), Shape::Contains("x"));
        assert_eq!(Pattern::parse("*").shape(), Shape::Anything);
        assert_eq!(Pattern::parse("a*b").shape(), Shape::Other);
        assert_eq!(Pattern::parse("x").after_anything().before_anything().shape(), Shape::Contains("x"));
    }

    #[test]
    fn only_the_dash_of_an_option_is_one() {
        let pattern = Pattern::parse("cmd -enc well-known /x").with_dashes();
        assert_eq!(pattern.parts, [text("cmd "), Part::Dash, text("enc well-known "), Part::Dash, text("x")]);
    }

    #[test]
    fn placeholders_are_names_between_percent_signs() {
        let pattern = Pattern::parse(r"\%plain%Name% 5%").with_placeholders();
        assert_eq!(pattern.parts, [text("%plain"), Part::Placeholder("Name".into()), text(" 5%")]);
    }

    #[test]
    fn escaping_is_undone_by_reading() {
        for value in [r"C:\a\b", r"a\*b", r"\\srv\c$", "50% of?*", r"ends\", r"a\\", r"\\\", "", r"\?\\*"] {
            assert_eq!(Pattern::parse(&escaped(value)).text(), Some(value), "{value} as {}", escaped(value));
        }
    }
}
