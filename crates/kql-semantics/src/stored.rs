//! The parsed text of stored functions, kept between queries.
//!
//! Rules that call the same parser function parse it once. The cache is bounded and keyed by the whole text.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use kql_syntax::ast;

use crate::StoredFunction;

/// Functions kept; beyond this the cache starts over.
const CAPACITY: usize = 4096;

/// Parameters and body, and what they say.
type Cache = HashMap<(String, String), Arc<ast::Function>>;

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(|| Mutex::new(HashMap::new()));

/// The declaration that a stored function's text says.
pub(crate) fn parsed(stored: &StoredFunction) -> Arc<ast::Function> {
    let key = (stored.params.clone(), stored.body.clone());
    if let Ok(cache) = CACHE.lock()
        && let Some(found) = cache.get(&key)
    {
        return found.clone();
    }
    let (function, _) = kql_syntax::parse_function(&stored.params, &stored.body);
    let function = Arc::new(function);
    if let Ok(mut cache) = CACHE.lock() {
        if cache.len() >= CAPACITY {
            cache.clear();
        }
        cache.insert(key, function.clone());
    }
    function
}
