//! XML to dynamic: `parse_xml`.
//!
//! An element becomes null, a string or a bag; attributes are keys with `@`, text beside them is `#text`, repeated elements are
//! an array. Reading keeps its own stack, so depth costs no recursion; size and depth are limited.

use kql_types::Dynamic;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{Args, KernelResult};

/// Longer texts give null.
const XML_BYTES_MAX: usize = 1_048_576;
/// Deeper documents give null.
const DEPTH_MAX: usize = 256;

/// `parse_xml(xml)`
pub fn parse_xml(args: &Args<'_>) -> KernelResult {
    let text = args.text(0)?;
    args.to_dynamics(|row, out| {
        parse(text.at(row))?.write_canonical(out);
        Some(())
    })
}

/// None when the text is no XML document of one element.
fn parse(text: &str) -> Option<Dynamic> {
    if text.len() > XML_BYTES_MAX {
        return None;
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if open.len() >= DEPTH_MAX || (open.is_empty() && root.is_some()) {
                    return None;
                }
                open.push(Element::start(&start)?);
            }
            Event::Empty(start) => {
                let element = Element::start(&start)?;
                close(element, &mut open, &mut root)?;
            }
            Event::End(_) => {
                let element = open.pop()?;
                close(element, &mut open, &mut root)?;
            }
            Event::Text(text) => {
                let text: &str = &text;
                match open.last_mut() {
                    Some(element) => element.text.push_str(text),
                    None if text.trim().is_empty() => {}
                    None => return None,
                }
            }
            Event::GeneralRef(reference) => {
                let element = open.last_mut()?;
                match reference.resolve_char_ref().ok()? {
                    Some(c) => element.text.push(c),
                    None => {
                        element.text.push_str(quick_xml::escape::resolve_predefined_entity(&reference)?);
                    }
                }
            }
            Event::Eof => break,
            // Everything else is skipped: declarations, comments, CDATA, instructions.
            _ => {}
        }
    }
    if !open.is_empty() {
        return None;
    }
    let root = root?;
    Some(Dynamic::Bag(vec![(root.name.clone(), root.into_value())]))
}

/// An element as far as it has been read.
struct Element {
    name: String,
    /// Attributes and finished children, in order of first appearance.
    entries: Vec<(String, Dynamic)>,
    /// Text read since the last child.
    text: String,
}

impl Element {
    fn start(start: &BytesStart<'_>) -> Option<Element> {
        let name = start.name().as_ref().to_owned();
        let mut element = Element { name, entries: Vec::new(), text: String::new() };
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            let value = quick_xml::escape::unescape(&attribute.value).ok()?;
            element.add(format!("@{}", attribute.key.as_ref()), Dynamic::String(value.into_owned()));
        }
        Some(element)
    }

    /// Adds a value; a key that is there already becomes an array.
    fn add(&mut self, key: String, value: Dynamic) {
        match self.entries.iter_mut().find(|(known, _)| *known == key) {
            Some((_, Dynamic::Array(values))) => values.push(value),
            Some((_, known)) => *known = Dynamic::Array(vec![std::mem::replace(known, Dynamic::Null), value]),
            None => self.entries.push((key, value)),
        }
    }

    fn flush_text(&mut self) {
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        if !text.is_empty() {
            self.add("#text".to_owned(), Dynamic::String(text.to_owned()));
        }
    }

    fn into_value(mut self) -> Dynamic {
        self.flush_text();
        match self.entries.as_mut_slice() {
            [] => Dynamic::Null,
            [(key, value)] if key == "#text" => std::mem::replace(value, Dynamic::Null),
            _ => Dynamic::Bag(self.entries),
        }
    }
}

/// Puts a finished element into the one around it, or makes it the root.
fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Option<()> {
    match open.last_mut() {
        Some(parent) => {
            parent.flush_text();
            let name = element.name.clone();
            parent.add(name, element.into_value());
        }
        None if root.is_none() => *root = Some(element),
        None => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(xml: &str) -> Option<String> {
        parse(xml).map(|value| value.to_canonical())
    }

    #[test]
    fn forms_of_elements() {
        for (xml, expected) in [
            ("<e/>", r#"{"e":null}"#),
            ("<e></e>", r#"{"e":null}"#),
            ("<e>text</e>", r#"{"e":"text"}"#),
            (r#"<e name="value" />"#, r#"{"e":{"@name":"value"}}"#),
            (r#"<e name="value">text</e>"#, r##"{"e":{"@name":"value","#text":"text"}}"##),
            ("<e> <a>text</a> <b>text</b> </e>", r#"{"e":{"a":"text","b":"text"}}"#),
            ("<e> <a>text</a> <a>text</a> </e>", r#"{"e":{"a":["text","text"]}}"#),
            ("<e> text <a>text</a> </e>", r##"{"e":{"#text":"text","a":"text"}}"##),
            ("<?xml version='1.0'?>\n<e><!-- c --><a>1 &lt; 2 &#x41;</a></e>", r#"{"e":{"a":"1 < 2 A"}}"#),
        ] {
            assert_eq!(json(xml).as_deref(), Some(expected), "{xml}");
        }
    }

    #[test]
    fn windows_event_data() {
        let xml = r#"<EventData xmlns="http://x"><Data Name="A">1</Data><Data Name="B"></Data></EventData>"#;
        let expected = r##"{"EventData":{"@xmlns":"http://x","Data":[{"@Name":"A","#text":"1"},{"@Name":"B"}]}}"##;
        assert_eq!(json(xml).as_deref(), Some(expected));
    }

    #[test]
    fn what_is_no_document() {
        for wrong in ["", "text", "<a>", "<a></b>", "<a/><b/>", "<a>&unknown;</a>", "<a b></a>", "x<a/>"] {
            assert_eq!(json(wrong), None, "{wrong}");
        }
        assert_eq!(json(&"<a>".repeat(100_000)), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(xml in "[<>/a&;\"= !\\-\\[\\]?#]{0,40}") {
            let _ = parse(&xml);
        }
    }
}
