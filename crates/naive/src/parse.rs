//! `parse`: in the modes simple and relaxed constants found one after the other, in mode regex one expression.

use kql_semantics::bound::{ParseMode, ParsePart};
use kql_types::{ScalarType, Value};

use crate::value::convert;
use crate::{Done, not_done};

/// The values that a pattern cuts out of a text; None when the text does not match.
pub fn cut(text: &str, parts: &[ParsePart], types: &[ScalarType], mode: ParseMode) -> Done<Option<Vec<Value>>> {
    let mut cuts: Vec<Option<String>> = vec![None; types.len()];
    let mut rest = text;
    let mut open: Vec<usize> = Vec::new();
    let mut skipping = false;
    for part in parts {
        match part {
            ParsePart::Star => skipping = true,
            ParsePart::Column(output) => open.push(*output),
            ParsePart::Text(constant) => {
                let place = match open.is_empty() && !skipping {
                    true => rest.starts_with(constant.as_str()).then_some(0),
                    false => rest.find(constant.as_str()),
                };
                let Some(place) = place else { return Ok(None) };
                let between = rest.get(..place).unwrap_or_default();
                give(&mut cuts, &open, between, skipping)?;
                rest = rest.get(place + constant.len()..).unwrap_or_default();
                (open, skipping) = (Vec::new(), false);
            }
        }
    }
    give(&mut cuts, &open, rest, skipping)?;
    let mut values = Vec::new();
    for (cut, ty) in cuts.into_iter().zip(types) {
        let Some(cut) = cut else { return not_done("parse: a column without a text") };
        let value = convert(&Value::String(cut), *ty)?;
        if matches!(value, Value::Null(_)) && mode == ParseMode::Simple {
            return Ok(None);
        }
        values.push(value);
    }
    Ok(Some(values))
}

/// Mode regex: one expression that is searched anywhere; columns are texts, `(.*)`.
pub fn match_whole(text: &str, parts: &[ParsePart], types: &[ScalarType]) -> Done<Option<Vec<Value>>> {
    let mut pattern = String::from("(?s)");
    for part in parts {
        match part {
            ParsePart::Star => pattern.push_str(".*"),
            ParsePart::Text(constant) => pattern.push_str(constant),
            ParsePart::Column(output) if types.get(*output) == Some(&ScalarType::String) => {
                pattern.push_str(&format!("(?P<c{output}>.*)"));
            }
            ParsePart::Column(_) => return not_done("parse kind=regex of a typed column"),
        }
    }
    let Some(found) = crate::function::regex(&pattern)?.captures(text) else { return Ok(None) };
    let cut = |output: usize| found.name(&format!("c{output}")).map_or("", |found| found.as_str()).to_string();
    Ok(Some((0..types.len()).map(|output| Value::String(cut(output))).collect()))
}

fn give(cuts: &mut [Option<String>], open: &[usize], text: &str, skipping: bool) -> Done<()> {
    match open {
        [] => Ok(()),
        [only] if !skipping => {
            if let Some(cut) = cuts.get_mut(*only) {
                *cut = Some(text.to_string());
            }
            Ok(())
        }
        _ => not_done("parse: two columns side by side"),
    }
}
