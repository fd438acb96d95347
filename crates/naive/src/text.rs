//! Text looked at character by character.

/// Lower case without changing the number of characters.
pub fn fold(text: &str) -> String {
    text.chars()
        .map(|c| {
            let mut lower = c.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(only), None) if only.is_ascii() == c.is_ascii() => only,
                _ => c,
            }
        })
        .collect()
}

/// Where a term may begin and end: `has`, `hasprefix`, `hassuffix`. Terms are letters and digits.
pub fn has_term(text: &str, needle: &str, cased: bool, open_before: bool, open_after: bool) -> bool {
    let chars = |text: &str| -> Vec<char> { if cased { text.to_string() } else { fold(text) }.chars().collect() };
    let (text, needle) = (chars(text), chars(needle));
    let (Some(first), Some(last)) = (needle.first(), needle.last()) else { return true };
    let in_term = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(|c| c.is_alphanumeric());
    (0..=text.len().saturating_sub(needle.len())).any(|at| {
        text.get(at..at + needle.len()) == Some(&needle[..])
            && (open_before || !first.is_alphanumeric() || !in_term(at.checked_sub(1)))
            && (open_after || !last.is_alphanumeric() || !in_term(Some(at + needle.len())))
    })
}

pub fn has(text: &str, needle: &str, cased: bool) -> bool {
    has_term(text, needle, cased, false, false)
}

/// `has`, `contains`, `startswith`, ... by name without `!`; None for another name.
pub fn holds(name: &str, text: &str, needle: &str) -> Option<bool> {
    let (plain, cased) = match name.strip_suffix("_cs") {
        Some(plain) => (plain, true),
        None => (name, false),
    };
    let same = |text: &str| if cased { text.to_string() } else { fold(text) };
    Some(match plain {
        "has" | ":" => has(text, needle, cased),
        "hasprefix" => has_term(text, needle, cased, false, true),
        "hassuffix" => has_term(text, needle, cased, true, false),
        "contains" => same(text).contains(&same(needle)),
        "startswith" => same(text).starts_with(&same(needle)),
        "endswith" => same(text).ends_with(&same(needle)),
        "=~" => fold(text) == fold(needle),
        _ => return None,
    })
}

/// Characters `start..` of a text, at most `length`.
pub fn substring(text: &str, start: i64, length: Option<i64>) -> String {
    let count = text.chars().count() as i64;
    let start = if start < 0 { count + start } else { start };
    if start < 0 && length.is_some() {
        return String::new();
    }
    let rest = text.chars().skip(usize::try_from(start).unwrap_or(0));
    match length {
        Some(length) => rest.take(usize::try_from(length).unwrap_or(0)).collect(),
        None => rest.collect(),
    }
}

/// The pieces between delimiters.
pub fn split(text: &str, delimiter: &str) -> Vec<String> {
    if delimiter.is_empty() {
        return vec![text.to_string()];
    }
    text.split(delimiter).map(str::to_string).collect()
}
