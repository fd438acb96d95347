//! Taking apart texts of well-known forms: URLs, paths, CSV, versions, command lines. XML is in [`super::xml`].

use arrow::datatypes::i256;
use kql_types::dynamic::push_json_string;

use super::printed::decimal_units;
use super::{Args, KernelError, KernelResult};

/// Writes a bag of strings, key by key.
struct BagWriter<'o> {
    out: &'o mut String,
    first: bool,
}

impl<'o> BagWriter<'o> {
    fn new(out: &'o mut String) -> BagWriter<'o> {
        out.push('{');
        BagWriter { out, first: true }
    }

    fn key(&mut self, key: &str) -> &mut String {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        push_json_string(key, self.out);
        self.out.push(':');
        self.out
    }

    fn text(&mut self, key: &str, value: &str) {
        let out = self.key(key);
        push_json_string(value, out);
    }

    fn finish(self) {
        self.out.push('}');
    }
}

/// `parse_url(url)`
pub fn parse_url(args: &Args<'_>) -> KernelResult {
    let url = args.text(0)?;
    args.to_dynamics(|row, out| {
        let parts = Url::split(url.at(row));
        let mut bag = BagWriter::new(out);
        bag.text("Scheme", parts.scheme);
        bag.text("Host", parts.host);
        bag.text("Port", parts.port);
        bag.text("Path", parts.path);
        bag.text("Username", parts.user);
        bag.text("Password", parts.password);
        write_query(parts.query, bag.key("Query Parameters"));
        bag.text("Fragment", parts.fragment);
        bag.finish();
        Some(())
    })
}

/// The parts of a URL as written; empty where missing.
#[derive(Debug, Default, PartialEq)]
struct Url<'t> {
    scheme: &'t str,
    user: &'t str,
    password: &'t str,
    host: &'t str,
    port: &'t str,
    path: &'t str,
    query: &'t str,
    fragment: &'t str,
}

impl<'t> Url<'t> {
    fn split(text: &'t str) -> Url<'t> {
        let mut url = Url::default();
        let text = text.trim();
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (text, query) = text.split_once('?').unwrap_or((text, ""));
        url.fragment = fragment;
        url.query = query;
        // Without a scheme there is no host and no path: only an absolute URL has these.
        let Some((scheme, rest)) = text.split_once("://") else { return url };
        url.scheme = scheme;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        url.path = path;
        let (user_info, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        (url.user, url.password) = user_info.split_once(':').unwrap_or((user_info, ""));
        // The colons of an IPv6 address stand in brackets.
        let port_from = address.rfind(']').map_or(0, |bracket| bracket + 1);
        match address.get(port_from..).and_then(|rest| rest.find(':')) {
            Some(colon) => {
                let (host, port) = address.split_at(port_from + colon);
                url.host = host;
                url.port = port.get(1..).unwrap_or_default();
            }
            None => url.host = address,
        }
        url
    }
}

/// Writes the pairs of a query as a bag. A repeated key keeps its last value.
fn write_query(query: &str, out: &mut String) {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match pairs.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None => pairs.push((key, value)),
        }
    }
    let mut bag = BagWriter::new(out);
    pairs.into_iter().for_each(|(key, value)| bag.text(key, value));
    bag.finish();
}

/// `parse_urlquery(query)`
pub fn parse_urlquery(args: &Args<'_>) -> KernelResult {
    let query = args.text(0)?;
    args.to_dynamics(|row, out| {
        let query = query.at(row);
        let mut bag = BagWriter::new(out);
        write_query(query.strip_prefix('?').unwrap_or(query), bag.key("Query Parameters"));
        bag.finish();
        Some(())
    })
}

/// `parse_path(path)`
pub fn parse_path(args: &Args<'_>) -> KernelResult {
    let path = args.text(0)?;
    args.to_dynamics(|row, out| {
        let parts = FilePath::split(path.at(row));
        let mut bag = BagWriter::new(out);
        bag.text("Scheme", parts.scheme);
        bag.text("RootPath", parts.root);
        bag.text("DirectoryPath", parts.directory);
        bag.text("DirectoryName", parts.directory_name);
        bag.text("Filename", parts.file);
        bag.text("Extension", parts.extension);
        bag.text("AlternateDataStreamName", parts.stream);
        bag.finish();
        Some(())
    })
}

/// The parts of a file path of Windows or Unix; empty where missing.
#[derive(Debug, Default, PartialEq)]
struct FilePath<'t> {
    scheme: &'t str,
    /// `C:\`
    root: &'t str,
    directory: &'t str,
    directory_name: &'t str,
    file: &'t str,
    extension: &'t str,
    stream: &'t str,
}

impl<'t> FilePath<'t> {
    fn split(text: &'t str) -> FilePath<'t> {
        const SEPARATORS: [char; 2] = ['/', '\\'];
        let mut path = FilePath::default();
        let mut rest = text;
        if let Some((scheme, after)) = text.split_once("://")
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            (path.scheme, rest) = (scheme, after);
        }
        let drive = rest.as_bytes();
        let has_root = drive.first().is_some_and(u8::is_ascii_alphabetic)
            && drive.get(1) == Some(&b':')
            && drive.get(2).is_some_and(|byte| matches!(byte, b'/' | b'\\'));
        if has_root {
            path.root = rest.get(..3).unwrap_or_default();
        }
        let mut file = rest;
        if let Some(separator) = rest.rfind(SEPARATORS) {
            file = rest.get(separator + 1..).unwrap_or_default();
            path.directory = rest.get(..separator.max(path.root.len())).unwrap_or_default();
            if path.directory.len() > path.root.len() {
                path.directory_name = path.directory.rsplit(SEPARATORS).next().unwrap_or_default();
            }
        }
        (path.file, path.stream) = file.split_once(':').unwrap_or((file, ""));
        path.extension = path.file.rsplit_once('.').map_or("", |(_, extension)| extension);
        path
    }
}

/// `parse_csv(csv_text)`: the fields of the first record.
pub fn parse_csv(args: &Args<'_>) -> KernelResult {
    let text = args.text(0)?;
    let mut field = String::new();
    args.to_dynamics(|row, out| {
        out.push('[');
        let mut rest = text.at(row);
        let mut first = true;
        loop {
            if !first {
                out.push(',');
            }
            first = false;
            field.clear();
            let (end, after) = csv_field(rest, &mut field);
            push_json_string(&field, out);
            match end {
                FieldEnd::Comma => rest = after,
                FieldEnd::Record => break,
            }
        }
        out.push(']');
        Some(())
    })
}

/// What ended a field.
enum FieldEnd {
    Comma,
    Record,
}

/// Reads one field; gives what ended it and the text after that.
fn csv_field<'t>(text: &'t str, field: &mut String) -> (FieldEnd, &'t str) {
    let mut rest = text;
    if let Some(quoted) = text.strip_prefix('"') {
        rest = quoted;
        loop {
            let Some((inside, after)) = rest.split_once('"') else {
                field.push_str(rest);
                return (FieldEnd::Record, "");
            };
            field.push_str(inside);
            match after.strip_prefix('"') {
                Some(after) => {
                    field.push('"');
                    rest = after;
                }
                None => {
                    rest = after;
                    break;
                }
            }
        }
    }
    let end = rest.find([',', '\n', '\r']).unwrap_or(rest.len());
    let (plain, after) = rest.split_at(end);
    field.push_str(plain);
    match after.strip_prefix(',') {
        Some(after) => (FieldEnd::Comma, after),
        None => (FieldEnd::Record, after),
    }
}

/// `parse_version(version)`
pub fn parse_version(args: &Args<'_>) -> KernelResult {
    let version = args.text(0)?;
    args.to_decimals(|row| version_number(version.at(row)))
}

/// One to four parts of up to eight digits, as one number.
fn version_number(text: &str) -> Option<i256> {
    let mut digits = String::with_capacity(32);
    let mut parts = 0;
    for part in text.split('.') {
        parts += 1;
        let long = part.is_empty() || part.len() > 8;
        if parts > 4 || long || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.extend(std::iter::repeat_n('0', 8 - part.len()));
        digits.push_str(part);
    }
    digits.extend(std::iter::repeat_n('0', 8 * (4 - parts)));
    decimal_units(&digits)
}

/// `parse_command_line(command_line, parser_type)`
pub fn parse_command_line(args: &Args<'_>) -> KernelResult {
    let (line, parser) = (args.text(0)?, args.text(1)?);
    if let Some(parser) = parser.constant()
        && !parser.eq_ignore_ascii_case("windows")
    {
        return Err(KernelError(format!("parse_command_line() knows the parser 'windows', not '{parser}'")));
    }
    args.to_dynamics(|row, out| {
        let arguments = windows_arguments(line.at(row));
        if arguments.is_empty() {
            return None;
        }
        for (index, argument) in arguments.iter().enumerate() {
            out.push(if index == 0 { '[' } else { ',' });
            push_json_string(argument, out);
        }
        out.push(']');
        Some(())
    })
}

const BLANKS: [char; 2] = [' ', '\t'];

/// Splits as Windows' `CommandLineToArgvW` does: the program's name knows no backslash escapes; after it, backslashes before a
/// quote count in pairs, and a third quote in a row is a quote.
fn windows_arguments(line: &str) -> Vec<String> {
    let line = line.trim_start_matches(BLANKS);
    let mut arguments = Vec::new();
    let rest = match line.strip_prefix('"') {
        Some(quoted) => {
            let (program, rest) = quoted.split_once('"').unwrap_or((quoted, ""));
            arguments.push(program.to_owned());
            rest
        }
        None if line.is_empty() => return arguments,
        None => {
            let (program, rest) = line.split_at(line.find(BLANKS).unwrap_or(line.len()));
            arguments.push(program.to_owned());
            rest
        }
    };
    let mut chars = rest.trim_start_matches(BLANKS).chars().peekable();
    let mut argument: Option<String> = if chars.peek().is_some() { Some(String::new()) } else { None };
    let (mut quotes, mut backslashes) = (0u32, 0usize);
    while let Some(c) = chars.next() {
        let text = argument.get_or_insert_default();
        match c {
            ' ' | '\t' if quotes == 0 => {
                arguments.extend(argument.take());
                while chars.next_if(|next| BLANKS.contains(next)).is_some() {}
                if chars.peek().is_some() {
                    argument = Some(String::new());
                }
                backslashes = 0;
            }
            '\\' => {
                text.push('\\');
                backslashes += 1;
            }
            '"' => {
                let escaped = backslashes % 2 == 1;
                // Half of the backslashes before a quote go away.
                text.truncate(text.len() - backslashes.div_ceil(2));
                backslashes = 0;
                if escaped {
                    text.push('"');
                } else {
                    quotes += 1;
                }
                while chars.next_if_eq(&'"').is_some() {
                    quotes += 1;
                    if quotes == 3 {
                        text.push('"');
                        quotes = 0;
                    }
                }
                if quotes == 2 {
                    quotes = 0;
                }
            }
            other => {
                text.push(other);
                backslashes = 0;
            }
        }
    }
    arguments.extend(argument);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call};
    use kql_types::ScalarType;

    fn json(kernel: crate::kernels::KernelFn, text: &str) -> String {
        match call(kernel, &[text.into()], ScalarType::Dynamic) {
            Cell::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn urls() {
        assert_eq!(
            json(parse_url, "scheme://username:password@host:1234/this/is/a/path?k1=v1&k2=v2#fragment"),
            concat!(
                r#"{"Scheme":"scheme","Host":"host","Port":"1234","Path":"/this/is/a/path","Username":"username","#,
                r#""Password":"password","Query Parameters":{"k1":"v1","k2":"v2"},"Fragment":"fragment"}"#
            )
        );
        let six = Url::split("http://[::1]:80/");
        assert_eq!((six.host, six.port, six.path), ("[::1]", "80", "/"));
        assert_eq!(Url::split("example.com/a").host, "", "not absolute");
        assert_eq!(json(parse_urlquery, "?a=1&b&a=2"), r#"{"Query Parameters":{"a":"2","b":""}}"#);
    }

    #[test]
    fn paths() {
        let split = |text| {
            let p = FilePath::split(text);
            [p.root, p.directory, p.directory_name, p.file, p.extension, p.stream]
        };
        assert_eq!(split(r"C:\temp\file.txt"), [r"C:\", r"C:\temp", "temp", "file.txt", "txt", ""]);
        assert_eq!(split(r"C:\file"), [r"C:\", r"C:\", "", "file", "", ""]);
        assert_eq!(split(r"temp\file.txt"), ["", "temp", "temp", "file.txt", "txt", ""]);
        assert_eq!(split(r"\\srv\users\f.txt.gz"), ["", r"\\srv\users", "users", "f.txt.gz", "gz", ""]);
        assert_eq!(split("/usr/lib/file.txt"), ["", "/usr/lib", "lib", "file.txt", "txt", ""]);
        assert_eq!(
            split("file://C:/temp/file.txt:some.exe"),
            ["C:/", "C:/temp", "temp", "file.txt", "txt", "some.exe"]
        );
        assert_eq!(split(""), [""; 6]);
    }

    #[test]
    fn csv_records() {
        assert_eq!(json(parse_csv, r#"a,"b,""c""",,d"#), r#"["a","b,\"c\"","","d"]"#);
        assert_eq!(json(parse_csv, "r1,a\nr2,b"), r#"["r1","a"]"#);
        assert_eq!(json(parse_csv, "a,"), r#"["a",""]"#);
        assert_eq!(json(parse_csv, "\"open"), r#"["open"]"#);
    }

    #[test]
    fn versions() {
        let number = |text: &str| call(parse_version, &[text.into()], ScalarType::Decimal);
        assert_eq!(number("1.2.3.4"), Cell::Decimal("1000000020000000300000004".into()));
        assert_eq!(number("0.2"), Cell::Decimal("20000000000000000".into()));
        for wrong in ["", "1.2.3.4.5", "1.a", "1..2", "123456789", "-1"] {
            assert_eq!(number(wrong), Cell::Null, "{wrong}");
        }
    }

    #[test]
    fn command_lines() {
        let split = |line| windows_arguments(line);
        assert_eq!(split(r#"echo "hello world!""#), ["echo", "hello world!"]);
        assert_eq!(split(r#""C:\a b\x.exe" -p "c:\d\\" e"#), [r"C:\a b\x.exe", "-p", r"c:\d\", "e"]);
        assert_eq!(split(r#"x a\\\"b c\d"#), ["x", r#"a\"b"#, r"c\d"]);
        assert_eq!(split(r#"x "a""b" c"#), ["x", "a\"b c"]);
        assert_eq!(split(r#"x """a""" "" "#), ["x", "\"a\"", ""]);
        assert_eq!(split("  "), Vec::<String>::new());
    }
}
