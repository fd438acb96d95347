//! Text of logs and rules for a page and for queries. Logs are written by attackers: what steers a reader's eye or a
//! parser is shown, never obeyed.

use serde_json::Value as Json;

/// Whether a character moves, hides or reverses what stands around it. Line feeds and tabs are not meant.
pub fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with each harmful character shown by its number: `⟨U+202E⟩`.
pub fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match is_harmful(c) {
            true if c == '\r' => {}
            true => out.push_str(&format!("⟨U+{:04X}⟩", u32::from(c))),
            false => out.push(c),
        }
    }
    out
}

/// Every text inside a value, keys too, made harmless.
pub fn shown_json(value: &Json) -> Json {
    match value {
        Json::String(text) => Json::String(shown(text)),
        Json::Array(items) => Json::Array(items.iter().map(shown_json).collect()),
        Json::Object(map) => Json::Object(map.iter().map(|(key, value)| (shown(key), shown_json(value))).collect()),
        other => other.clone(),
    }
}

/// Text between tags, or in an attribute with quotes around it.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// JSON that can stand inside a `script` element: no text of it ends the element or begins a comment.
pub fn json_in_script(value: &Json) -> String {
    // These characters stand only inside texts of JSON, where an escape means the same.
    value.to_string().replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

/// A KQL string literal of any text.
pub fn kql_literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_harmful(c) => {
                let mut units = [0; 2];
                c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_steers_the_eye_is_shown() {
        assert_eq!(shown("user\u{202e}gnp.exe"), "user⟨U+202E⟩gnp.exe");
        assert_eq!(shown("a\u{1b}[2Jb\r\nc\td"), "a⟨U+001B⟩[2Jb\nc\td");
        assert_eq!(shown("żółć 日本語 עברית"), "żółć 日本語 עברית", "letters of any script stay");
        assert_eq!(shown_json(&json!({"k\u{200b}": ["v\u{feff}", 1]})), json!({"k⟨U+200B⟩": ["v⟨U+FEFF⟩", 1]}));
    }

    #[test]
    fn nothing_leaves_its_place_in_markup() {
        assert_eq!(html("\"><img src=x onerror='a()'>&"), "&quot;&gt;&lt;img src=x onerror=&#39;a()&#39;&gt;&amp;");
        let value = json!({"</script><script>alert(1)</script>": "<!-- \u{2028} & ]]>"});
        let text = json_in_script(&value);
        assert!(!text.contains(['<', '>', '&']), "{text}");
        assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), value);
    }

    #[test]
    fn a_literal_means_its_text() {
        assert_eq!(kql_literal("a\"b\\c\n\u{202e}😀"), "\"a\\\"b\\\\c\\n\\u202e😀\"");
        assert_eq!(kql_literal("\u{e0041}"), "\"\\udb40\\udc41\"");
    }
}
