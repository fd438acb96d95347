//! The columns that an expression at a place can use: those of the pipeline so far.

use kql_semantics::{BindOptions, Catalog};
use kql_types::Column;

use crate::place::{Place, is_operator, is_source};

/// The columns of the rows that reach the operator at the place.
pub fn at(place: &Place<'_>, catalog: &dyn Catalog) -> Vec<Column> {
    let Some(query) = input(place, place.pipeline()) else { return Vec::new() };
    let text = format!("{}\n{query}", prelude(place));
    kql_semantics::bind(&kql_syntax::parse(&text).query, catalog, &BindOptions::default()).columns
}

/// The pipeline up to the operator at the place; None at its start.
fn input(place: &Place<'_>, index: usize) -> Option<String> {
    let frame = place.frames.get(index)?;
    let first = place.token(frame.start);
    let own = frame.pipes.last().map(|pipe| between(place, frame.start, *pipe));
    if is_operator(first) && !is_source(first) {
        // A subquery over the rows of the operator around it.
        let outer =
            (0..index).rev().find(|outer| place.frames.get(*outer).is_some_and(|frame| !frame.pipes.is_empty()))?;
        let outer = input(place, outer)?;
        return Some(match own {
            Some(own) => format!("{outer} | {own}"),
            None => outer,
        });
    }
    own.map(str::to_owned)
}

/// The statements before the place, of the text and of the function bodies around it, with the functions' parameters.
fn prelude(place: &Place<'_>) -> String {
    let mut out = String::new();
    for frame in &place.frames {
        match frame.opener {
            None => out.push_str(between(place, 0, frame.statement)),
            Some(opener) if place.token(opener) == "{" => {
                out.push_str(&parameters(place, opener));
                out.push_str(between(place, opener + 1, frame.statement));
            }
            Some(_) => {}
        }
    }
    out
}

/// The text from one token to another.
fn between<'t>(place: &Place<'t>, from: usize, to: usize) -> &'t str {
    let Some(start) = place.before.get(from).map(|token| token.span.start) else { return "" };
    let end = place.before.get(to).map_or(place.word.start, |token| token.span.start);
    place.text.get(start as usize..end as usize).unwrap_or_default()
}

/// The scalar parameters before a function's body, as statements that give them their types.
fn parameters(place: &Place<'_>, brace: usize) -> String {
    let mut out = String::new();
    let Some(close) = brace.checked_sub(1).filter(|close| place.token(*close) == ")") else { return out };
    let mut depth = 0;
    let mut open = close;
    for index in (0..=close).rev() {
        match place.token(index) {
            ")" => depth += 1,
            "(" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            open = index;
            break;
        }
    }
    for index in open..close {
        if place.token(index + 1) == ":" && kql_types::ScalarType::parse(place.token(index + 2)).is_some() {
            let null = match place.token(index + 2) {
                "string" => "''".to_owned(),
                ty => format!("{ty}(null)"),
            };
            out.push_str(&format!("let {} = {null};\n", place.token(index)));
        }
    }
    out
}
