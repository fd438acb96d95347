//! A text that a regular expression matches, made from its syntax tree.
//!
//! The first alternative, the fewest repetitions (but one of what a capture holds), letters and digits before signs.
//! Looks and anchors are taken for granted: the caller places the text. Begin at [`matching`].

use regex_syntax::hir::{Class, Hir, HirKind};

/// Characters of a made-up text beyond which it is left out.
const MAX: usize = 2_000;

/// A text that `pattern` matches; `capture` gives the text that a numbered group shall hold.
pub fn matching(pattern: &str, capture: Option<(u32, &str)>) -> Option<String> {
    let hir = regex_syntax::ParserBuilder::new().build().parse(pattern).ok()?;
    let mut text = String::new();
    write(&hir, capture, &mut text)?;
    (text.len() <= MAX).then_some(text)
}

fn write(hir: &Hir, capture: Option<(u32, &str)>, out: &mut String) -> Option<()> {
    if out.len() > MAX {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => out.push(member(class)?),
        HirKind::Repetition(repetition) => {
            let times = if repetition.min == 0 { u32::from(repetition.max != Some(0)) } else { repetition.min };
            for _ in 0..times {
                write(&repetition.sub, capture, out)?;
            }
        }
        HirKind::Capture(group) => match capture {
            Some((index, text)) if index == group.index => out.push_str(text),
            _ => write(&group.sub, capture, out)?,
        },
        HirKind::Concat(parts) => {
            for part in parts {
                write(part, capture, out)?;
            }
        }
        HirKind::Alternation(branches) => write(branches.first()?, capture, out)?,
    }
    Some(())
}

/// A character of a class: a digit, a letter, a sign of ASCII, or whatever comes first.
fn member(class: &Class) -> Option<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.ranges().iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => {
            class.ranges().iter().map(|range| (char::from(range.start()), char::from(range.end()))).collect()
        }
    };
    let within = |wanted: char| ranges.iter().any(|(start, end)| (*start..=*end).contains(&wanted));
    let preferred = ('1'..='9').chain('a'..='z').chain('A'..='Z').chain(['0', '-', '_', '.', '/', ' ']);
    preferred.into_iter().find(|wanted| within(*wanted)).or_else(|| ranges.first().map(|(start, _)| *start))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::matching;

    #[test]
    fn a_made_up_text_matches() {
        for pattern in [
            r"^cmd\.exe\s+/c",
            r"(\d{1,3}\.){3}\d{1,3}",
            r"[^a-z0-9]{2}x+",
            r"(?i)foo|bar",
            r"a{3,5}b?",
            r"\bT1\d{3}\b",
        ] {
            let text = matching(pattern, None).unwrap();
            assert!(text.len() < 64);
            let again = matching(&regex_syntax::escape(&text), None).unwrap();
            assert_eq!(again, text, "{pattern}");
        }
        assert_eq!(matching(r"user=(\w+);", Some((1, "eve"))).unwrap(), "user=eve;");
    }
}
