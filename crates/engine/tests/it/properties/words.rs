//! `has` and its relatives, where words end: letters and digits of any script are of a word, all else is between words.

use kql_types::{ScalarType, Value};
use proptest::prelude::*;

use super::{Row, Table, ask, cases, engine, shown};

/// Pieces that texts and needles are made of; the marks and the joiner are neither letters nor digits.
const PIECES: [&str; 24] = [
    "cmd", "Cmd", "CMD", "é", "É", "7", "_", " ", ".", "-", "ß", "日", "本", "/", "x", "Ω", "ω", "\u{430}", "\u{661}",
    "\u{301}", "😀", "\u{200d}", "k", "\u{a0}",
];

fn text(pieces: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES.to_vec()), pieces).prop_map(|pieces| pieces.concat())
}

/// The characters in lower case, one for one.
fn folded(text: &str) -> Vec<char> {
    text.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect()
}

/// Whether the needle stands somewhere with a word's end where one is asked for.
fn stands(text: &[char], needle: &[char], starts: bool, ends: bool) -> bool {
    if needle.is_empty() {
        return true;
    }
    let of_word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric());
    (0..=text.len().saturating_sub(needle.len())).any(|at| {
        text[at..].starts_with(needle)
            && !(starts && of_word(needle.first()) && at > 0 && of_word(text.get(at - 1)))
            && !(ends && of_word(needle.last()) && of_word(text.get(at + needle.len())))
    })
}

const OPERATORS: [&str; 12] = [
    "has",
    "!has",
    "hasprefix",
    "hassuffix",
    "contains",
    "startswith",
    "endswith",
    "has_cs",
    "hasprefix_cs",
    "hassuffix_cs",
    "contains_cs",
    "!hasprefix",
];

fn holds(operator: &str, text: &str, needle: &str) -> bool {
    let (text, needle) = if operator.ends_with("_cs") {
        (text.chars().collect(), needle.chars().collect())
    } else {
        (folded(text), folded(needle))
    };
    match operator.trim_start_matches('!').trim_end_matches("_cs") {
        "has" => stands(&text, &needle, true, true) != operator.starts_with('!'),
        "hasprefix" => stands(&text, &needle, true, false) != operator.starts_with('!'),
        "hassuffix" => stands(&text, &needle, false, true),
        "contains" => stands(&text, &needle, false, false),
        "startswith" => text.starts_with(&needle),
        _ => text.ends_with(&needle),
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn words_end_where_letters_and_digits_do(texts in prop::collection::vec(text(0..=6), 1..24), needle in text(0..=3)) {
        let rows = texts.iter().map(|text| vec![Value::String(text.clone()), Value::String(needle.clone())]).collect();
        let engine = engine(vec![Table("T", &[("s", ScalarType::String), ("n", ScalarType::String)], rows)]);
        let list = |right: &str| OPERATORS.map(|operator| format!("s {operator} {right}")).join(", ");
        let expected: Vec<Row> = texts
            .iter()
            .map(|text| OPERATORS.iter().map(|operator| Value::Bool(holds(operator, text, &needle))).collect())
            .collect();
        let constant = ask(&engine, &format!("T | project {}", list(&format!("'{needle}'"))));
        prop_assert_eq!(shown(&constant), shown(&expected), "{:?} in {:?}", needle, texts);
        let column = ask(&engine, &format!("T | project {}", list("n")));
        prop_assert_eq!(shown(&column), shown(&expected), "{:?} in {:?}, as a column", needle, texts);
        let kept = ask(&engine, &format!("T | where s has '{needle}' or s has_any ('{needle}', 'no such word') | count"));
        let count = texts.iter().filter(|text| holds("has", text, &needle)).count() as i64;
        prop_assert_eq!(&kept, &[[Value::Long(count)]], "{:?} in {:?}", needle, texts);
    }
}
