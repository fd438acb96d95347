//! Expressions of ARM templates: `[concat(parameters('workspace'), '/x')]`, with the functions that rules are written with.
//!
//! Evaluation is over the parameters' defaults and the variables of a template and those around it; what needs a deployment
//! (`resourceId`, `subscription`) or is not known has no value. Start at [`Scope::value`].

use serde_json::{Map, Value as Json};

/// The names that a template's expressions may use, innermost first.
pub(super) struct Scope<'a> {
    pub template: &'a Json,
    pub outer: Option<&'a Scope<'a>>,
    /// A parameter without a default is an empty text: for names, of which only the end is asked.
    pub blank: bool,
}

/// Variables that name variables are followed so far.
const DEPTH_MAX: usize = 24;

impl Scope<'_> {
    /// A value with its expressions evaluated; Err: the expression that cannot be.
    pub fn value(&self, json: &Json) -> Result<Json, String> {
        self.at_depth(json, 0)
    }

    fn at_depth(&self, json: &Json, depth: usize) -> Result<Json, String> {
        if depth > DEPTH_MAX {
            return Err("an expression that goes in circles".to_string());
        }
        match json {
            Json::String(text) => match expression_of(text) {
                Some(expression) => {
                    let found = Parser { text: expression, at: 0, scope: self, depth }.whole();
                    found.ok_or_else(|| text.clone())
                }
                None => Ok(Json::String(unescaped(text))),
            },
            Json::Array(items) => {
                Ok(Json::Array(items.iter().map(|item| self.at_depth(item, depth + 1)).collect::<Result<_, _>>()?))
            }
            Json::Object(members) => {
                let mut all = Map::new();
                for (key, value) in members {
                    all.insert(key.clone(), self.at_depth(value, depth + 1)?);
                }
                Ok(Json::Object(all))
            }
            other => Ok(other.clone()),
        }
    }

    fn named(&self, section: &str, name: &str, depth: usize) -> Option<Json> {
        let of = self.template.get(section).and_then(Json::as_object);
        let found = of.and_then(|names| names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)));
        match found {
            Some((_, value)) => {
                let given = if section == "parameters" { value.get("defaultValue") } else { Some(value) };
                match given {
                    Some(value) => self.at_depth(value, depth + 1).ok(),
                    None => self.blank.then(|| Json::String(String::new())),
                }
            }
            None => self.outer?.named(section, name, depth + 1),
        }
    }
}

/// The inside of `[...]`; `[[` starts a text.
fn expression_of(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    (!inner.starts_with('[')).then_some(inner)
}

fn unescaped(text: &str) -> String {
    match text.strip_prefix("[[") {
        Some(rest) => format!("[{rest}"),
        None => text.to_string(),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    scope: &'a Scope<'a>,
    depth: usize,
}

impl Parser<'_> {
    fn whole(&mut self) -> Option<Json> {
        let value = self.value()?;
        self.blanks();
        (self.at == self.text.len()).then_some(value)
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn takes(&mut self, c: char) -> bool {
        self.blanks();
        let found = self.rest().starts_with(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn value(&mut self) -> Option<Json> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        self.blanks();
        let mut value = match self.rest().chars().next()? {
            '\'' => Json::String(self.text_literal()?),
            c if c.is_ascii_digit() || c == '-' => self.number()?,
            _ => self.call()?,
        };
        loop {
            if self.takes('.') {
                let name = self.name()?;
                value = member(&value, &name)?;
            } else if self.takes('[') {
                let key = self.value()?;
                if !self.takes(']') {
                    return None;
                }
                value = match &key {
                    Json::String(name) => member(&value, name)?,
                    other => value.get(usize::try_from(other.as_u64()?).ok()?)?.clone(),
                };
            } else {
                self.depth -= 1;
                return Some(value);
            }
        }
    }

    /// `'it''s'`
    fn text_literal(&mut self) -> Option<String> {
        let mut out = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            if c != '\'' {
                out.push(c);
            } else if chars.peek().is_some_and(|(_, next)| *next == '\'') {
                chars.next();
                out.push('\'');
            } else {
                self.at += at + 1;
                return Some(out);
            }
        }
        None
    }

    fn number(&mut self) -> Option<Json> {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(rest.len());
        let number = rest.get(..length)?.parse::<i64>().ok()?;
        self.at += length;
        Some(Json::from(number))
    }

    fn name(&mut self) -> Option<String> {
        self.blanks();
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = rest.get(..length).filter(|name| !name.is_empty())?.to_string();
        self.at += length;
        Some(name)
    }

    fn call(&mut self) -> Option<Json> {
        let name = self.name()?.to_ascii_lowercase();
        if !self.takes('(') {
            return None;
        }
        let mut arguments = Vec::new();
        if !self.takes(')') {
            loop {
                arguments.push(self.value()?);
                if self.takes(')') {
                    break;
                }
                if !self.takes(',') {
                    return None;
                }
            }
        }
        self.apply(&name, &arguments)
    }

    fn apply(&self, name: &str, arguments: &[Json]) -> Option<Json> {
        let text = |index: usize| arguments.get(index).map(text_of);
        let first = arguments.first();
        Some(match name {
            "parameters" | "variables" => self.scope.named(name, &text(0)?, self.depth)?,
            "concat" if arguments.iter().all(Json::is_array) && !arguments.is_empty() => {
                Json::Array(arguments.iter().filter_map(Json::as_array).flatten().cloned().collect())
            }
            "concat" => Json::String(arguments.iter().map(text_of).collect()),
            "format" => {
                let mut out = text(0)?;
                for (index, argument) in arguments.iter().skip(1).enumerate() {
                    out = out.replace(&format!("{{{index}}}"), &text_of(argument));
                }
                Json::String(out)
            }
            "tolower" => Json::String(text(0)?.to_lowercase()),
            "toupper" => Json::String(text(0)?.to_uppercase()),
            "trim" => Json::String(text(0)?.trim().to_string()),
            "replace" => Json::String(text(0)?.replace(&text(1)?, &text(2)?)),
            "string" => Json::String(text(0)?),
            "int" => Json::from(text(0)?.trim().parse::<i64>().ok()?),
            "bool" => Json::Bool(text(0)?.eq_ignore_ascii_case("true")),
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            "null" => Json::Null,
            "json" => serde_json::from_str(&text(0)?).ok()?,
            "createarray" => Json::Array(arguments.to_vec()),
            "createobject" => {
                let pairs = arguments.chunks(2).filter_map(|pair| Some((text_of(pair.first()?), pair.get(1)?.clone())));
                Json::Object(pairs.collect())
            }
            "first" => first?.as_array()?.first()?.clone(),
            "last" => first?.as_array()?.last()?.clone(),
            "length" => Json::from(
                first?
                    .as_array()
                    .map_or_else(|| text_of(arguments.first().unwrap_or(&Json::Null)).chars().count(), Vec::len),
            ),
            "empty" => Json::Bool(match first? {
                Json::Null => true,
                Json::Array(items) => items.is_empty(),
                Json::Object(members) => members.is_empty(),
                other => text_of(other).is_empty(),
            }),
            "split" => Json::Array(text(0)?.split(&text(1)?).map(Json::from).collect()),
            "join" => Json::String(first?.as_array()?.iter().map(text_of).collect::<Vec<_>>().join(&text(1)?)),
            "substring" => {
                let start = usize::try_from(arguments.get(1)?.as_u64()?).ok()?;
                let rest = text(0)?.chars().skip(start).collect::<String>();
                match arguments.get(2).and_then(Json::as_u64) {
                    Some(length) => Json::String(rest.chars().take(usize::try_from(length).ok()?).collect()),
                    None => Json::String(rest),
                }
            }
            "equals" => Json::Bool(first? == arguments.get(1)?),
            "not" => Json::Bool(!first?.as_bool()?),
            "and" => Json::Bool(arguments.iter().all(|value| value.as_bool() == Some(true))),
            "or" => Json::Bool(arguments.iter().any(|value| value.as_bool() == Some(true))),
            "if" => arguments.get(if first?.as_bool()? { 1 } else { 2 })?.clone(),
            "coalesce" => arguments.iter().find(|value| !value.is_null())?.clone(),
            _ => return None,
        })
    }
}

fn member(value: &Json, name: &str) -> Option<Json> {
    let members = value.as_object()?;
    members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
}

fn text_of(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions_are_evaluated_through_the_templates_around() {
        let outer = json!({"variables": {"o": {"Id1": "g", "n": "[concat('a', variables('x'))]"}, "x": "it''s"}});
        let inner = json!({"parameters": {"w": {"defaultValue": "ws"}, "none": {}}});
        let outer = Scope { template: &outer, outer: None, blank: false };
        let scope = Scope { template: &inner, outer: Some(&outer), blank: false };
        let value = |text: &str| scope.value(&json!(text));
        assert_eq!(value("[concat(parameters('w'), '/', variables('o').Id1)]"), Ok(json!("ws/g")));
        assert_eq!(value("[variables('o')['n']]"), Ok(json!("ait''s")));
        assert_eq!(value("[format('{0}-{1}', 1, toUpper('b'))]"), Ok(json!("1-B")));
        assert_eq!(value("[if(equals(1, 1), split('a,b', ','), 'x')]"), Ok(json!(["a", "b"])));
        assert_eq!(value("[last(split('a/b', '/'))]"), Ok(json!("b")));
        assert_eq!(value("[[not an expression]"), Ok(json!("[not an expression]")));
        for text in ["[parameters('none')]", "[resourceGroup().id]", "[concat('a']", "['a' b]"] {
            assert_eq!(value(text), Err(text.to_string()));
        }
    }

    #[test]
    fn circles_end() {
        let template = json!({"variables": {"a": "[variables('b')]", "b": "[variables('a')]"}});
        let scope = Scope { template: &template, outer: None, blank: false };
        assert!(scope.value(&json!("[variables('a')]")).is_err());
    }
}
