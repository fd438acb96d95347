//! Where a name comes from: `let`, `as`, a function's parameter.

use kql_syntax::{Span, SyntaxKind, Token};

use crate::place::Place;

/// The place of the name that the word at an offset refers to.
pub fn definition(text: &str, offset: usize) -> Option<Span> {
    let (word, tokens) = word_at(text, offset)?;
    let name = word.text(text);
    let places = declarations(text, &tokens);
    let of_name = || places.iter().filter(|place| place.text(text) == name);
    // The nearest one above; else (a parameter used in a later part) the first.
    let above = of_name().rfind(|place| place.span.start <= word.span.start);
    above.or_else(|| of_name().next()).map(|place| place.span)
}

/// The word at an offset, also just behind it, and all tokens of the text without blanks and comments.
pub(crate) fn word_at(text: &str, offset: usize) -> Option<(Token, Vec<Token>)> {
    let offset = u32::try_from(offset).ok()?;
    let (mut tokens, _) = kql_syntax::lex(text);
    tokens.retain(|token| !matches!(token.kind, SyntaxKind::Whitespace | SyntaxKind::Comment | SyntaxKind::End));
    let word = tokens
        .iter()
        .filter(|token| token.span.start <= offset && offset <= token.span.end)
        .find(|token| {
            let first = token.text(text).chars().next().unwrap_or(' ');
            first.is_alphabetic() || matches!(first, '_' | '$' | '!' | '=' | '<' | '>')
        })
        .copied()?;
    Some((word, tokens))
}

/// Names that are declared before a place.
pub(crate) fn declared(text: &str, before: &[Token]) -> Vec<String> {
    declarations(text, before).into_iter().map(|token| token.text(text).to_owned()).collect()
}

/// The statement that declares a name, from its `let` to its `;`.
pub(crate) fn statement(text: &str, name: Span) -> &str {
    let rest = text.get(name.start as usize..).unwrap_or_default();
    rest.split(';').next().unwrap_or_default()
}

/// The tokens that declare names.
fn declarations(text: &str, tokens: &[Token]) -> Vec<Token> {
    let spelled = |index: usize| tokens.get(index).map_or("", |token| token.text(text));
    let mut names = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).map_or("", spelled);
        let is_let = before == "let" && spelled(index + 1) == "=";
        let is_as = before == "as" && index >= 2 && spelled(index - 2) == "|";
        let is_parameter = matches!(before, "(" | ",")
            && spelled(index + 1) == ":"
            && in_parameters(text, tokens, index)
            && matches!(token.kind, SyntaxKind::Identifier);
        if is_let || is_as || is_parameter {
            names.push(*token);
        }
    }
    names
}

/// Whether the bracket around a token is a list of parameters: it follows `=` of a `let`, or `query_parameters`.
fn in_parameters(text: &str, tokens: &[Token], index: usize) -> bool {
    let mut depth = 0;
    for at in (0..index).rev() {
        match tokens.get(at).map_or("", |token| token.text(text)) {
            ")" => depth += 1,
            "(" if depth == 0 => {
                let before =
                    at.checked_sub(1).and_then(|before| tokens.get(before)).map_or("", |token| token.text(text));
                return matches!(before, "=" | "query_parameters");
            }
            "(" => depth -= 1,
            ";" | "{" => return false,
            _ => {}
        }
    }
    false
}

/// The name at a place of a text, without looking at what it refers to.
pub(crate) fn is_declared(place: &Place<'_>, name: &str) -> bool {
    declared(place.text, &place.before).iter().any(|known| known == name)
}
