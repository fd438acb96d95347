//! `parse-kv`: columns by the keys of `key=value` pairs in a text.
//!
//! Of a key that comes twice the first value counts. Blanks around keys and unquoted values do not belong to them. Without
//! delimiters every character that is neither letter, digit nor underscore separates, and the word after a key is its value.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, StringViewArray};
use kql_types::ScalarType;
use regex::Regex;

use super::super::KernelError;
use super::convert::ColumnBuilder;

/// The `with (...)` of the operator.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    pub pair_delimiter: Option<String>,
    pub kv_delimiter: Option<String>,
    /// One character, or an opening and a closing one.
    pub quote: Option<String>,
    pub escape: Option<char>,
    /// An unquoted value goes on until the last pair delimiter before the next key.
    pub greedy: bool,
    /// Instead of delimiters: a regular expression whose groups are key and value.
    pub regex: Option<String>,
}

/// Keys and delimiters made ready for many rows.
#[derive(Debug)]
pub struct KeyValues {
    outputs: Vec<(String, ScalarType)>,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Regex(Regex),
    Delimited { pair: String, kv: String, greedy: bool, quotes: Quotes },
    Words { quotes: Quotes },
}

#[derive(Debug, Clone, Copy, Default)]
struct Quotes {
    open: Option<char>,
    close: Option<char>,
    escape: Option<char>,
}

impl KeyValues {
    /// # Errors
    /// When a delimiter is empty, quotes are more than two characters, only one delimiter is given, or the regular
    /// expression is none or lacks two groups.
    pub fn new(options: &Options, outputs: &[(String, ScalarType)]) -> Result<KeyValues, KernelError> {
        let refuse = |what: &str| Err(KernelError(format!("parse-kv: {what}")));
        let mut quote = options.quote.as_deref().unwrap_or("").chars();
        let open = quote.next();
        let close = quote.next().or(open);
        if quote.next().is_some() {
            return refuse("quote is one character or two");
        }
        let quotes = Quotes { open, close, escape: options.escape };
        let form = match (&options.regex, &options.pair_delimiter, &options.kv_delimiter) {
            (Some(source), _, _) => match Regex::new(source) {
                Ok(regex) if regex.captures_len() >= 3 => Form::Regex(regex),
                Ok(_) => return refuse("the regex needs a group for the key and one for the value"),
                Err(error) => return refuse(&format!("the regex is none: {error}")),
            },
            (None, Some(pair), Some(kv)) if !pair.is_empty() && !kv.is_empty() => {
                Form::Delimited { pair: pair.clone(), kv: kv.clone(), greedy: options.greedy, quotes }
            }
            (None, None, None) => Form::Words { quotes },
            _ => return refuse("pair_delimiter and kv_delimiter are given both, or none"),
        };
        Ok(KeyValues { outputs: outputs.to_vec(), form })
    }

    /// The output columns for a column of strings.
    pub fn parse(&self, texts: &StringViewArray) -> Result<Vec<ArrayRef>, KernelError> {
        let mut builders: Vec<ColumnBuilder> =
            self.outputs.iter().map(|(_, ty)| ColumnBuilder::new(*ty, texts.len())).collect();
        let mut found: Vec<Option<Cow<'_, str>>> = vec![None; self.outputs.len()];
        for row in 0..texts.len() {
            let text = if texts.is_null(row) { "" } else { texts.value(row) };
            found.fill(None);
            self.find(text, &mut found);
            for (builder, value) in builders.iter_mut().zip(&found) {
                match value {
                    Some(value) => drop(builder.append_text(value)),
                    None => builder.append_missing(),
                }
            }
        }
        builders.into_iter().map(ColumnBuilder::finish).collect()
    }

    fn find<'t>(&self, text: &'t str, found: &mut [Option<Cow<'t, str>>]) {
        let mut note = |key: &str, value: Cow<'t, str>| -> bool {
            let Some(place) = self.outputs.iter().position(|(name, _)| name == key) else { return false };
            if let Some(slot @ None) = found.get_mut(place) {
                *slot = Some(value);
            }
            true
        };
        match &self.form {
            Form::Regex(regex) => {
                for captures in regex.captures_iter(text) {
                    let group = |index| captures.get(index).map_or("", |text: regex::Match<'t>| text.as_str());
                    note(group(1).trim(), Cow::Borrowed(group(2)));
                }
            }
            Form::Delimited { pair, kv, greedy, quotes } => {
                let mut pairs = Pairs { rest: text, pair, kv, greedy: *greedy, quotes: *quotes };
                while let Some((key, value)) = pairs.next_pair() {
                    note(&key, value);
                }
            }
            Form::Words { quotes } => {
                let mut words = Words { rest: text, quotes: *quotes };
                let mut key = words.next();
                while let (Some(name), Some(value)) = (key.take(), words.next()) {
                    // A word after a key is its value; after any other word it may be a key itself.
                    key = if note(&name, value.clone()) { words.next() } else { Some(value) };
                }
            }
        }
    }
}

impl Quotes {
    /// A quoted text at the start, without its quotes, and what follows it.
    fn quoted<'t>(&self, text: &'t str) -> Option<(Cow<'t, str>, &'t str)> {
        let body = text.strip_prefix(self.open?)?;
        let close = self.close?;
        let mut value = String::new();
        let mut escaped = false;
        let mut clean = true;
        for (at, c) in body.char_indices() {
            if escaped {
                escaped = false;
                value.push(c);
            } else if Some(c) == self.escape {
                if clean {
                    value.push_str(body.get(..at)?);
                }
                (escaped, clean) = (true, false);
            } else if c == close {
                let rest = body.get(at + c.len_utf8()..)?;
                return Some((if clean { Cow::Borrowed(body.get(..at)?) } else { Cow::Owned(value) }, rest));
            } else if !clean {
                value.push(c);
            }
        }
        None
    }
}

struct Pairs<'t, 'd> {
    rest: &'t str,
    pair: &'d str,
    kv: &'d str,
    greedy: bool,
    quotes: Quotes,
}

impl<'t> Pairs<'t, '_> {
    fn next_pair(&mut self) -> Option<(Cow<'t, str>, Cow<'t, str>)> {
        let key = self.key()?;
        self.rest = self.rest.trim_start();
        if let Some((value, rest)) = self.quotes.quoted(self.rest) {
            self.rest = rest;
            return Some((key, value));
        }
        let end = if self.greedy { self.greedy_end() } else { self.rest.find(self.pair) };
        let end = end.unwrap_or(self.rest.len());
        let (value, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some((key, Cow::Borrowed(value.trim())))
    }

    /// Reads up to and over the next key delimiter: the key is what stands between the last pair delimiter and it.
    fn key(&mut self) -> Option<Cow<'t, str>> {
        let mut start = self.rest;
        loop {
            start = start.trim_start();
            match start.strip_prefix(self.pair) {
                Some(rest) => start = rest,
                None => break,
            }
        }
        if let Some((key, rest)) = self.quotes.quoted(start)
            && let Some(rest) = rest.trim_start().strip_prefix(self.kv)
        {
            self.rest = rest;
            return Some(key);
        }
        let (before, rest) = start.split_once(self.kv)?;
        self.rest = rest;
        let before = before.trim_end();
        let key = before.rsplit_once(self.pair).map_or(before, |(_, key)| key);
        if let Some((key, "")) = self.quotes.quoted(key.trim()) {
            return Some(key);
        }
        Some(Cow::Borrowed(key.trim()))
    }

    /// The last pair delimiter before the next key delimiter.
    fn greedy_end(&self) -> Option<usize> {
        let next = self.rest.find(self.kv)?;
        self.rest.get(..next)?.trim_end().rfind(self.pair)
    }
}

struct Words<'t> {
    rest: &'t str,
    quotes: Quotes,
}

impl<'t> Iterator for Words<'t> {
    type Item = Cow<'t, str>;

    fn next(&mut self) -> Option<Cow<'t, str>> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        loop {
            let first = self.rest.chars().next()?;
            if let Some((value, rest)) = self.quotes.quoted(self.rest) {
                self.rest = rest;
                return Some(value);
            }
            if is_word(first) {
                let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                return Some(Cow::Borrowed(word));
            }
            self.rest = self.rest.get(first.len_utf8()..)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::elements::Elements;
    use super::*;

    fn parse(options: &Options, outputs: &[(&str, ScalarType)], text: &str) -> Vec<String> {
        let outputs: Vec<(String, ScalarType)> = outputs.iter().map(|(name, ty)| ((*name).to_owned(), *ty)).collect();
        let texts = StringViewArray::from_iter_values(["", text]);
        let columns = KeyValues::new(options, &outputs).unwrap().parse(&texts).unwrap();
        let write = |(column, (_, ty)): (&ArrayRef, &(String, ScalarType))| {
            let mut out = String::new();
            Elements::new(column, *ty).unwrap().write(1, &mut out);
            out
        };
        columns.iter().zip(&outputs).map(write).collect()
    }

    fn options(pair: &str, kv: &str) -> Options {
        Options { pair_delimiter: Some(pair.to_owned()), kv_delimiter: Some(kv.to_owned()), ..Options::default() }
    }

    use ScalarType::{DateTime, Guid, Long, String as Text};

    #[test]
    fn pairs_between_delimiters() {
        let text = "Thread:458, Machine:Node1, Text: all is well, Level: Info";
        assert_eq!(
            parse(&options(",", ":"), &[("Text", Text), ("Thread", Long), ("Absent", Long), ("Gone", Text)], text),
            ["\"all is well\"", "458", "null", "\"\""]
        );
        assert_eq!(parse(&options(";", "="), &[("a", Long), ("b", Text)], "a=1;b=;a=2"), ["1", "\"\""]);
        assert_eq!(parse(&options(";", "="), &[("a", Text), ("b", Text)], "a==x;b=1=2"), ["\"=x\"", "\"1=2\""]);
        assert_eq!(parse(&options(" ", "="), &[("key", Text)], "  key  =  value  "), ["\"value\""]);
        assert_eq!(parse(&options(" ", "="), &[("key", Text)], "no pairs here"), ["\"\""]);
    }

    #[test]
    fn quotes_hide_delimiters() {
        let text = r#"src=10.1.1.1 bytes=125 failure="connection aborted" "event time"=2021-01-01T10:00:54"#;
        let quoted = Options { quote: Some("\"".to_owned()), ..options(" ", "=") };
        assert_eq!(
            parse(&quoted, &[("event time", DateTime), ("failure", Text), ("bytes", Long)], text),
            ["\"\u{E000}d2021-01-01T10:00:54.0000000Z\"", "\"connection aborted\"", "125"]
        );
        let text = "src=1 failure=(connection aborted) (event time)=(2021-01-01 10:00:54)";
        let brackets = Options { quote: Some("()".to_owned()), ..options(" ", "=") };
        assert_eq!(
            parse(&brackets, &[("event time", DateTime), ("failure", Text)], text),
            ["\"\u{E000}d2021-01-01T10:00:54.0000000Z\"", "\"connection aborted\""]
        );
        let escaped = Options { escape: Some('\\'), ..quoted };
        let text = r#"a="he sent \"bye!\"" b=2"#;
        assert_eq!(parse(&escaped, &[("a", Text), ("b", Long)], text), [r#""he sent \"bye!\"""#, "2"]);
    }

    #[test]
    fn greedy_values_reach_to_the_next_key() {
        let greedy = Options { greedy: true, ..options(" ", "=") };
        assert_eq!(
            parse(
                &greedy,
                &[("name", Text), ("phone", Text), ("city", Text)],
                "name=John Doe phone=555 5555 city=New York"
            ),
            ["\"John Doe\"", "\"555 5555\"", "\"New York\""]
        );
    }

    #[test]
    fn words_and_regex() {
        let words = Options { quote: Some("'".to_owned()), escape: Some('\\'), ..Options::default() };
        let text = r"2021-01-01T10:00:34 [INFO] ThreadId:458745723, Machine:Node001, Text: 'The service \' is up'";
        assert_eq!(
            parse(&words, &[("Text", Text), ("ThreadId", Long), ("Machine", Text)], text),
            ["\"The service ' is up\"", "458745723", "\"Node001\""]
        );
        let regex = Options { regex: Some(r#""([\w ]+)\s*:\s*([^"]*)""#.to_owned()), ..Options::default() };
        let text = r#"["referer url: https://h/?d=/?h=1", "advertiser id: 24fefbca-cf27-4d62-a623-249c2ad30c73"]"#;
        assert_eq!(
            parse(&regex, &[("referer url", Text), ("advertiser id", Guid)], text),
            ["\"https://h/?d=/?h=1\"", "\"\u{E000}g24fefbca-cf27-4d62-a623-249c2ad30c73\""]
        );
    }

    #[test]
    fn wrong_options_are_refused() {
        let outputs = [("a".to_owned(), Text)];
        for wrong in [
            Options { pair_delimiter: Some(";".to_owned()), ..Options::default() },
            options("", "="),
            Options { quote: Some("abc".to_owned()), ..options(";", "=") },
            Options { regex: Some("(a)".to_owned()), ..Options::default() },
            Options { regex: Some("(".to_owned()), ..Options::default() },
        ] {
            assert!(KeyValues::new(&wrong, &outputs).is_err(), "{wrong:?}");
        }
    }
}
