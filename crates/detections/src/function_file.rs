//! Stored functions from the files people keep them in: parser YAML, bare queries, create commands, JSON.
//!
//! A file that defines a function under several names (an alias, the service's own name for it) gives one function per
//! name. Start at [`load`].

use std::collections::BTreeMap;

use kql_semantics::StoredFunction;
use serde::Deserialize;

use crate::yaml::{self, Node};

/// Reads the functions of one file by its extension; None when it holds none.
///
/// # Errors
/// A file that should hold functions and cannot be read, in words.
pub fn load(file: &str, text: &str) -> Result<Option<Vec<StoredFunction>>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lower = file.to_ascii_lowercase();
    if lower.ends_with(".json") {
        return from_json(text);
    }
    if lower.ends_with(".yaml") || lower.ends_with(".yml") {
        let document = yaml::parse(text).map_err(|e| match e.position {
            Some(position) => format!("not valid YAML at {position}: {}", e.message),
            None => format!("not valid YAML: {}", e.message),
        })?;
        return Ok(from_yaml(&document));
    }
    if [".kql", ".csl", ".kusto", ".txt"].iter().any(|extension| lower.ends_with(extension)) {
        if let Some(functions) = from_commands(text) {
            return Ok(Some(functions));
        }
        let name = crate::rule_file::stem(file);
        let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !text.trim().is_empty();
        return Ok(is_name.then(|| vec![StoredFunction { name, params: String::new(), body: text.to_string() }]));
    }
    Ok(None)
}

/// Parser YAML of the rule repositories: `ParserName`/`ParserQuery` or `FunctionName`/`FunctionQuery`.
pub(crate) fn from_yaml(document: &Node) -> Option<Vec<StoredFunction>> {
    let text =
        |key: &str| document.get(key).and_then(Node::text).map(|t| t.trim().to_string()).filter(|t| !t.is_empty());
    let body = text("ParserQuery").or_else(|| text("FunctionQuery"))?;
    let params = document.get("ParserParams").or_else(|| document.get("FunctionParams"));
    let params = params.map(|list| list.items().into_iter().filter_map(param_text).collect::<Vec<_>>().join(", "));
    let mut names: Vec<String> =
        ["ParserName", "FunctionName", "FunctionAlias", "EquivalentBuiltInParser", "EquivalentBuiltInFunction"]
            .iter()
            .filter_map(|key| text(key))
            .collect();
    let mut seen = Vec::new();
    names.retain(|name| {
        let new = !seen.contains(name);
        seen.push(name.clone());
        new
    });
    if names.is_empty() {
        return None;
    }
    let params = params.unwrap_or_default();
    Some(names.into_iter().map(|name| StoredFunction { name, params: params.clone(), body: body.clone() }).collect())
}

/// One parameter as KQL writes it. A string's default stands without quotes in YAML.
fn param_text(node: &Node) -> Option<String> {
    let name = node.get("Name")?.text()?;
    let ty = node.get("Type")?.text()?;
    let Some(default) = node.get("Default").and_then(Node::text) else { return Some(format!("{name}:{ty}")) };
    let quoted = default.starts_with(['\'', '"', '@']);
    let default = if ty == "string" && !quoted {
        format!("'{}'", default.replace('\\', "\\\\").replace('\'', "\\'"))
    } else {
        default
    };
    Some(format!("{name}:{ty}={default}"))
}

#[derive(Deserialize)]
struct JsonFunction {
    #[serde(default)]
    params: Option<String>,
    /// Missing where only the name of a function is known.
    #[serde(default)]
    body: Option<String>,
}

/// `{"name": {"params": "...", "body": "..."}}`; other keys are passed over.
fn from_json(text: &str) -> Result<Option<Vec<StoredFunction>>, String> {
    let functions: BTreeMap<String, JsonFunction> =
        serde_json::from_str(text).map_err(|e| format!("not a JSON object of functions: {e}"))?;
    let functions = functions
        .into_iter()
        .filter_map(|(name, f)| Some(StoredFunction { name, params: f.params.unwrap_or_default(), body: f.body? }));
    Ok(Some(functions.collect()))
}

/// `.create-or-alter function with (...) Name(params) { body }`, once or several times in a text.
pub(crate) fn from_commands(text: &str) -> Option<Vec<StoredFunction>> {
    let mut functions = Vec::new();
    let mut rest = skip_blank(text);
    while let Some(after) = command_head(rest) {
        let (function, remaining) = command_body(after)?;
        functions.push(function);
        rest = skip_blank(remaining);
    }
    (!functions.is_empty()).then_some(functions)
}

/// Skips blanks, comment lines and semicolons.
fn skip_blank(mut text: &str) -> &str {
    loop {
        text = text.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
        if !text.starts_with("//") {
            return text;
        }
        text = text.split_once('\n').map_or("", |(_, rest)| rest);
    }
}

/// The text after `.create function` and the like.
fn command_head(text: &str) -> Option<&str> {
    let rest = [".create-or-alter", ".create", ".alter"].iter().find_map(|verb| text.strip_prefix(verb))?;
    let rest = rest.trim_start().strip_prefix("function")?.trim_start();
    let rest = rest.strip_prefix("ifnotexists").unwrap_or(rest).trim_start();
    match rest.strip_prefix("with") {
        Some(properties) if properties.trim_start().starts_with('(') => {
            let (_, rest) = enclosed(properties.trim_start(), '(', ')')?;
            Some(rest.trim_start())
        }
        _ => Some(rest),
    }
}

fn command_body(text: &str) -> Option<(StoredFunction, &str)> {
    let open = text.find('(')?;
    let name = text.get(..open)?.trim().trim_matches(['[', ']', '\'', '"']).to_string();
    let (params, rest) = enclosed(text.get(open..)?, '(', ')')?;
    let (body, rest) = enclosed(rest.trim_start(), '{', '}')?;
    Some((StoredFunction { name, params: params.trim().to_string(), body: body.trim().to_string() }, rest))
}

/// The text between a bracket and its partner, and what follows; quoted text and comments hide brackets.
fn enclosed(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    let mut verbatim = false;
    let mut comment = false;
    let mut previous = ' ';
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if comment {
            comment = c != '\n';
        } else if let Some(q) = quote {
            if c == '\\' && !verbatim {
                chars.next();
            } else if c == q || c == '\n' {
                quote = None;
            }
        } else if c == '\'' || c == '"' {
            quote = Some(c);
            verbatim = previous == '@';
        } else if c == '/' && chars.peek().is_some_and(|(_, next)| *next == '/') {
            comment = true;
        } else if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some((text.get(open.len_utf8()..at)?, text.get(at + c.len_utf8()..)?));
            }
        } else if depth == 0 {
            return None;
        }
        previous = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parser_yaml_gives_every_name() {
        let text = "Parser:\n  Title: x\nParserName: vimThing\nEquivalentBuiltInParser: _Im_Thing\nParserParams:\n\
            \x20 - Name: starttime\n    Type: datetime\n    Default: datetime(null)\n  - Name: who\n    Type: string\n    Default: '*'\n\
            ParserQuery: |\n  T | where A == who\n";
        let functions = load("x/vimThing.yaml", text).unwrap().unwrap();
        assert_eq!(functions.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["vimThing", "_Im_Thing"]);
        assert_eq!(functions[0].params, "starttime:datetime=datetime(null), who:string='*'");
        assert_eq!(functions[0].body, "T | where A == who");
    }

    #[test]
    fn commands_are_cut_at_their_own_brackets() {
        let text = "// two functions\n.create-or-alter function with (folder='a(b') F(x:long) {\n  print '}' // }\n  , x\n}\n\
            .create function G() { T }";
        let functions = load("all.kql", text).unwrap().unwrap();
        assert_eq!(functions.len(), 2);
        assert_eq!((functions[0].name.as_str(), functions[0].params.as_str()), ("F", "x:long"));
        assert_eq!(functions[0].body, "print '}' // }\n  , x");
        assert_eq!(functions[1].body, "T");
    }

    #[test]
    fn json_and_bare_queries() {
        let functions = load(
            "f.json",
            r#"{"A": {"params": "x:int", "body": "print x", "source": "s"}, "B": {"params": null, "body": null}}"#,
        )
        .unwrap()
        .unwrap();
        assert_eq!(functions[0], StoredFunction { name: "A".into(), params: "x:int".into(), body: "print x".into() });
        let functions = load("dir/MyParser.kql", "T | take 1").unwrap().unwrap();
        assert_eq!(functions[0].name, "MyParser");
        assert!(load("f.json", "[]").is_err());
        assert_eq!(load("dir/readme.md", "T").unwrap(), None);
    }
}
