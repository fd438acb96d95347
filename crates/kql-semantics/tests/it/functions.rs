//! Stored functions: their bodies give the columns that the official parser says.

use crate::catalog::{json, reference};
use crate::{bind_function, columns, has_error, recorded_columns};

#[test]
fn stored_functions_have_their_columns() {
    let (Some(catalog), Some(functions)) = (reference(), json("corpus/functions.json")) else { return };
    let mut same = 0;
    let mut wrong = Vec::new();
    for (name, function) in functions.as_object().unwrap() {
        let (Some(body), Some(params)) = (function["body"].as_str(), function["params"].as_str()) else { continue };
        let ok = function["ok"].as_bool().unwrap_or(true);
        let bound = bind_function(params, body, catalog, !ok);
        let recorded = recorded_columns(&function["result"]);
        if ok == has_error(&bound) {
            wrong.push(format!("{name}: ok {ok}, here {:?}", bound.diagnostics.first()));
        } else if !function["result"].is_null() && recorded != columns(&bound) {
            let here = columns(&bound);
            let at = recorded.iter().zip(&here).position(|(a, b)| a != b).unwrap_or(recorded.len().min(here.len()));
            wrong.push(format!(
                "{name}: ok {ok} at {at} of {}/{}: expected {:?}, here {:?}",
                recorded.len(),
                here.len(),
                recorded.get(at),
                here.get(at)
            ));
        } else {
            same += 1;
        }
    }
    // A ratchet: differences are known, and the number may only fall.
    assert!(wrong.len() <= 48, "{same} same, {} differ:\n{}", wrong.len(), wrong.join("\n"));
}
