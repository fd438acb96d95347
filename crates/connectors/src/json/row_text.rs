//! Structures as Athena writes them into CSV: `{type=IAMUser, arn=x, sessioncontext={attributes={a=b}}}`, to JSON.
//!
//! The form has no quotes: a value ends before `, name=` or where its bracket does. `null` is no value.

use super::text::quoted;

/// Structures may lie this deep in one another.
const DEPTH_MAX: usize = 16;

/// The structure as a JSON object; None when the text is none.
pub(crate) fn as_json(text: &str) -> Option<String> {
    let mut out = String::new();
    let rest = structure(text.trim(), &mut out, 0)?;
    rest.trim().is_empty().then_some(out)
}

/// Writes the structure that `text` begins with; what follows it.
fn structure<'t>(text: &'t str, out: &mut String, depth: usize) -> Option<&'t str> {
    let mut rest = text.strip_prefix('{').filter(|_| depth < DEPTH_MAX)?;
    out.push('{');
    let mut first = true;
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            out.push('}');
            return Some(after);
        }
        let (name, after) = rest.split_once('=')?;
        let name = name.trim();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return None;
        }
        let mut value = String::new();
        rest = match after.starts_with('{') {
            true => structure(after, &mut value, depth + 1)?,
            false => {
                let end = value_end(after)?;
                let plain = after.get(..end)?;
                if plain != "null" {
                    value = quoted(plain);
                }
                after.get(end..)?
            }
        };
        if !value.is_empty() {
            if !std::mem::take(&mut first) {
                out.push(',');
            }
            out.push_str(&quoted(name));
            out.push(':');
            out.push_str(&value);
        }
        rest = rest.strip_prefix(", ").unwrap_or(rest);
    }
}

/// Where a value ends: at the bracket that closes its structure, or before the next name.
fn value_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                let next = text.get(at + 1..)?.strip_prefix(' ').unwrap_or_default();
                let name = next.split('=').next().unwrap_or_default();
                let is_name = !name.is_empty() && name.len() < next.len();
                if is_name && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_become_objects() {
        let text = "{type=AssumedRole, principalid=AROA:x, arn=arn:aws:sts::1:assumed-role/a, b/c, username=null, sessioncontext={attributes={mfaauthenticated=false}, sessionissuer=null}}";
        assert_eq!(
            as_json(text).as_deref(),
            Some(
                r#"{"type":"AssumedRole","principalid":"AROA:x","arn":"arn:aws:sts::1:assumed-role/a, b/c","sessioncontext":{"attributes":{"mfaauthenticated":"false"}}}"#
            )
        );
        assert_eq!(as_json("{}").as_deref(), Some("{}"));
        for text in ["", "{", "{a}", "{a=1", "{a=1} x", "plain", "{\"a\":1}"] {
            assert_eq!(as_json(text), None, "{text}");
        }
        assert_eq!(as_json(&"{a=".repeat(1000)), None);
    }
}
