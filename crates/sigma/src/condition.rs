//! The condition of a rule: `selection and not 1 of filter_*`.
//!
//! `or` binds least, then `and`, then `not`. Names are those of the rule's searches; `*` in a name stands for any text, and
//! `them` for all names that do not start with `_`. Start at [`parse`].

use crate::SigmaError;
use crate::search::Test;
use rule_forms::yaml::Position;

/// A condition as read, before names are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    Name(String),
    /// `1 of x*`: at least so many; None: all.
    Of(Option<usize>, String),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
}

/// Conditions nested deeper than this are refused.
const DEPTH_MAX: usize = 64;

/// Reads a condition.
///
/// # Errors
/// What is not a condition, with the word that does not belong there.
pub fn parse(text: &str, at: Position) -> Result<Condition, SigmaError> {
    let words = words(text);
    if let Some(pipe) = words.iter().position(|word| word == "|") {
        let rest = words.get(pipe + 1..).unwrap_or_default().join(" ");
        return Err(SigmaError::at(at, format!("`| {rest}`: counting in a condition is done by a correlation rule")));
    }
    let mut reader = Reader { words: &words, next: 0, depth: 0, at };
    let condition = reader.or()?;
    match reader.peek() {
        None => Ok(condition),
        Some(word) => Err(reader.wrong(word)),
    }
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        if c.is_whitespace() || matches!(c, '(' | ')' | '|') {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if !c.is_whitespace() {
                words.push(c.to_string());
            }
        } else {
            word.push(c);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

struct Reader<'a> {
    words: &'a [String],
    next: usize,
    depth: usize,
    at: Position,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).map(String::as_str)
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    fn wrong(&self, word: &str) -> SigmaError {
        SigmaError::at(self.at, format!("`{word}` does not belong there in the condition"))
    }

    fn or(&mut self) -> Result<Condition, SigmaError> {
        let mut parts = vec![self.and()?];
        while self.takes("or") {
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Or(parts) })
    }

    fn and(&mut self) -> Result<Condition, SigmaError> {
        let mut parts = vec![self.not()?];
        while self.takes("and") {
            parts.push(self.not()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::And(parts) })
    }

    fn not(&mut self) -> Result<Condition, SigmaError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(SigmaError::at(self.at, "the condition is nested too deeply".to_string()));
        }
        let found = if self.takes("not") {
            Ok(Condition::Not(Box::new(self.not()?)))
        } else if self.takes("(") {
            let inner = self.or()?;
            if self.takes(")") {
                Ok(inner)
            } else {
                Err(SigmaError::at(self.at, "a `)` is missing in the condition".to_string()))
            }
        } else {
            self.name()
        };
        self.depth -= 1;
        found
    }

    fn name(&mut self) -> Result<Condition, SigmaError> {
        let Some(word) = self.peek() else {
            return Err(SigmaError::at(self.at, "the condition ends too early".to_string()));
        };
        let is_keyword = ["and", "or", "not", "of", ")", "("].iter().any(|k| k.eq_ignore_ascii_case(word));
        if is_keyword {
            return Err(self.wrong(word));
        }
        self.next += 1;
        let count = match word {
            word if word.eq_ignore_ascii_case("all") => Some(None),
            word if word.eq_ignore_ascii_case("any") => Some(Some(1)),
            word => word.parse::<usize>().ok().map(Some),
        };
        if let Some(count) = count
            && self.takes("of")
        {
            let Some(pattern) = self.peek() else {
                return Err(SigmaError::at(self.at, "`of` what is missing in the condition".to_string()));
            };
            self.next += 1;
            return Ok(Condition::Of(count, pattern.to_string()));
        }
        Ok(Condition::Name(word.to_string()))
    }
}

/// Puts the searches in the places of their names.
///
/// # Errors
/// A name that no search has.
pub fn resolve(condition: &Condition, searches: &[(String, Test)], at: Position) -> Result<Test, SigmaError> {
    let all = |parts: &[Condition]| parts.iter().map(|part| resolve(part, searches, at)).collect::<Result<Vec<_>, _>>();
    Ok(match condition {
        Condition::And(parts) => Test::all(all(parts)?),
        Condition::Or(parts) => Test::any(all(parts)?),
        Condition::Not(part) => resolve(part, searches, at)?.negated(),
        Condition::Name(name) => match searches.iter().find(|(known, _)| known == name) {
            Some((_, test)) => test.clone(),
            None => {
                return Err(SigmaError::at(at, format!("the condition names `{name}`, which the rule does not have")));
            }
        },
        Condition::Of(count, pattern) => {
            let them = pattern.eq_ignore_ascii_case("them");
            let chosen = |name: &str| if them { !name.starts_with('_') } else { is_like(name, pattern) };
            let tests: Vec<Test> =
                searches.iter().filter(|(name, _)| chosen(name)).map(|(_, test)| test.clone()).collect();
            if tests.is_empty() {
                return Err(SigmaError::at(
                    at,
                    format!("the condition's `{pattern}` is the name of nothing in the rule"),
                ));
            }
            match count {
                None => Test::all(tests),
                Some(count) => Test::at_least(*count, tests),
            }
        }
    })
}

/// Whether a name is matched by a pattern in which `*` is any text.
fn is_like(name: &str, pattern: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else { return false };
    if !pattern.contains('*') {
        return rest.is_empty();
    }
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Condition {
        parse(text, Position::START).unwrap()
    }

    fn name(name: &str) -> Condition {
        Condition::Name(name.to_string())
    }

    #[test]
    fn not_binds_more_than_and_and_and_more_than_or() {
        let and = Condition::And(vec![name("b"), Condition::Not(Box::new(name("c")))]);
        assert_eq!(read("a or b and not c"), Condition::Or(vec![name("a"), and]));
        let or = Condition::Or(vec![name("a"), name("b")]);
        assert_eq!(read("(a OR b) And c"), Condition::And(vec![or, name("c")]));
        let filters = Condition::Not(Box::new(Condition::Of(Some(1), "filter_*".into())));
        assert_eq!(
            read("all of them and not 1 of filter_*"),
            Condition::And(vec![Condition::Of(None, "them".into()), filters])
        );
    }

    #[test]
    fn mistakes_are_told() {
        let error = |text: &str| parse(text, Position::START).unwrap_err().to_string();
        assert!(error("a and").contains("too early"));
        assert!(error("a b").contains("`b` does not belong"));
        assert!(error("(a").contains("`)` is missing"));
        assert!(error("a | count() by b > 5").contains("correlation rule"));
        assert!(error(&"not ".repeat(100)).contains("too deeply"));
        let missing = resolve(&read("a and 1 of x*"), &[("a".to_string(), Test::Always)], Position::START);
        assert!(missing.unwrap_err().to_string().contains("`x*`"));
    }

    #[test]
    fn them_leaves_out_what_starts_with_an_underscore() {
        let searches = [("a".to_string(), Test::Always), ("_b".to_string(), Test::Never)];
        assert_eq!(resolve(&read("all of them"), &searches, Position::START), Ok(Test::Always));
        assert_eq!(resolve(&read("all of *"), &searches, Position::START), Ok(Test::Never));
    }

    #[test]
    fn stars_stand_anywhere_in_a_name() {
        for (pattern, name, like) in [
            ("selection*", "selection_1", true),
            ("*_main", "sel_main", true),
            ("sel*main", "selmain", true),
            ("sel*main*x", "sel_main_x", true),
            ("sel*main", "sel_main_x", false),
            ("selection", "selection_1", false),
        ] {
            assert_eq!(is_like(name, pattern), like, "{pattern} {name}");
        }
    }
}
