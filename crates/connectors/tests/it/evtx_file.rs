//! Writes event log files: a header, one chunk, records in the binary form of XML without templates.

/// An element with attributes, and text or elements inside.
pub struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    text: String,
    inner: Vec<Element>,
}

pub fn element(name: &'static str, attributes: &[(&'static str, &str)], text: &str, inner: Vec<Element>) -> Element {
    let attributes = attributes.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Element { name, attributes, text: text.to_owned(), inner }
}

/// An event with its channel, provider, id, computer, time and the values of its data.
pub fn event(channel: &str, provider: &str, id: &str, time: &str, data: &[(&str, &str)]) -> Element {
    let system = vec![
        element("Provider", &[("Name", provider)], "", vec![]),
        element("EventID", &[], id, vec![]),
        element("Level", &[], "0", vec![]),
        element("Task", &[], "12544", vec![]),
        element("Keywords", &[], "0x8020000000000000", vec![]),
        element("TimeCreated", &[("SystemTime", time)], "", vec![]),
        element("EventRecordID", &[], "77", vec![]),
        element("Execution", &[("ProcessID", "4"), ("ThreadID", "8")], "", vec![]),
        element("Channel", &[], channel, vec![]),
        element("Computer", &[], "dc1.contoso.example", vec![]),
    ];
    let values = data.iter().map(|(name, value)| element("Data", &[("Name", name)], value, vec![])).collect();
    element("Event", &[], "", vec![element("System", &[], "", system), element("EventData", &[], "", values)])
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A name where it is first used: its place, the hash that nobody checks, its text.
fn push_name(name: &str, out: &mut Vec<u8>) {
    let here = out.len() as u32 + 4;
    out.extend(here.to_le_bytes());
    out.extend(0_u32.to_le_bytes());
    out.extend(0_u16.to_le_bytes());
    out.extend((name.encode_utf16().count() as u16).to_le_bytes());
    out.extend(utf16(name));
    out.extend([0, 0]);
}

fn push_text(text: &str, out: &mut Vec<u8>) {
    out.extend([5, 1]);
    out.extend((text.encode_utf16().count() as u16).to_le_bytes());
    out.extend(utf16(text));
}

fn push_element(element: &Element, out: &mut Vec<u8>) {
    out.push(if element.attributes.is_empty() { 1 } else { 0x41 });
    let size = out.len();
    out.extend([0; 4]);
    push_name(element.name, out);
    if !element.attributes.is_empty() {
        let list = out.len();
        out.extend([0; 4]);
        for (index, (name, value)) in element.attributes.iter().enumerate() {
            out.push(if index + 1 < element.attributes.len() { 0x46 } else { 6 });
            push_name(name, out);
            push_text(value, out);
        }
        let length = (out.len() - list - 4) as u32;
        out[list..list + 4].copy_from_slice(&length.to_le_bytes());
    }
    out.push(2);
    if !element.text.is_empty() {
        push_text(&element.text, out);
    }
    for inner in &element.inner {
        push_element(inner, out);
    }
    out.push(4);
    let length = (out.len() - size - 4) as u32;
    out[size..size + 4].copy_from_slice(&length.to_le_bytes());
}

/// A file with these events in one chunk.
pub fn file(events: &[Element]) -> Vec<u8> {
    let mut chunk = vec![0_u8; 512];
    let mut last = 0;
    for (index, event) in events.iter().enumerate() {
        let start = chunk.len();
        last = start as u32;
        chunk.extend([0x2A, 0x2A, 0, 0, 0, 0, 0, 0]);
        chunk.extend((index as u64 + 1).to_le_bytes());
        // 2026-03-01 as Windows counts time.
        chunk.extend(134_168_832_000_000_000_u64.to_le_bytes());
        chunk.extend([0x0F, 1, 1, 0]);
        push_element(event, &mut chunk);
        chunk.push(0);
        let length = (chunk.len() - start + 4) as u32;
        chunk.extend(length.to_le_bytes());
        chunk[start + 4..start + 8].copy_from_slice(&length.to_le_bytes());
    }
    let used = chunk.len() as u32;
    let count = events.len() as u64;
    chunk[..8].copy_from_slice(b"ElfChnk\0");
    for (at, value) in [(8, 1), (16, count), (24, 1), (32, count)] {
        chunk[at..at + 8].copy_from_slice(&u64::to_le_bytes(value));
    }
    for (at, value) in [(40, 128), (44, last), (48, used)] {
        chunk[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
    }
    chunk.resize(64 << 10, 0);
    let mut file = vec![0_u8; 4096];
    file[..8].copy_from_slice(b"ElfFile\0");
    file[24..32].copy_from_slice(&(count + 1).to_le_bytes());
    file[32..36].copy_from_slice(&128_u32.to_le_bytes());
    file[36..38].copy_from_slice(&1_u16.to_le_bytes());
    file[38..40].copy_from_slice(&3_u16.to_le_bytes());
    file[40..42].copy_from_slice(&4096_u16.to_le_bytes());
    file[42..44].copy_from_slice(&1_u16.to_le_bytes());
    file.extend(chunk);
    file
}
