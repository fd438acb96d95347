//! Events as rows of `Event` and of `WindowsEvent`.

use super::{Parsed, escaped, event_data_xml, level_name};
use crate::json::text::quoted;
use crate::row::Row;
use crate::sources::Maps;

/// As the agent writes them.
pub(super) fn event<'r>(parsed: &Parsed<'r>, maps: &Maps) -> Option<Row<'r>> {
    let spec = maps.table("Event")?;
    let mut row = Row::new(&spec);
    row.set("TimeGenerated", parsed.time.clone());
    row.set("Source", parsed.provider.clone());
    row.set("EventLog", parsed.channel.clone());
    row.set("Computer", parsed.computer.clone());
    row.set("EventLevel", parsed.level.clone());
    row.set("EventLevelName", level_name(&parsed.level));
    row.set("EventID", parsed.event_id.clone());
    row.set("EventCategory", parsed.task.clone());
    row.set("UserName", parsed.user_id.clone());
    row.set("RenderedDescription", parsed.message.clone());
    let item = format!(
        r#"<DataItem type="System.XmlData" time="{}">{}</DataItem>"#,
        escaped(&parsed.time),
        event_data_xml(parsed)
    );
    row.set("EventData", item);
    let values: String = parsed.data.iter().map(|(_, value)| format!("<Param>{}</Param>", escaped(value))).collect();
    row.set("ParameterXml", values);
    row.set("SourceSystem", "OpsManager");
    row.set("Type", "Event");
    Some(row)
}

/// As forwarded events are kept.
pub(super) fn windows_event<'r>(parsed: &Parsed<'r>, maps: &Maps) -> Option<Row<'r>> {
    let spec = maps.table("WindowsEvent")?;
    let mut row = Row::new(&spec);
    row.set("TimeGenerated", parsed.time.clone());
    row.set("Provider", parsed.provider.clone());
    row.set("Channel", parsed.channel.clone());
    row.set("Computer", parsed.computer.clone());
    row.set("Task", parsed.task.clone());
    row.set("EventLevel", parsed.level.clone());
    row.set("EventLevelName", level_name(&parsed.level));
    row.set("EventID", parsed.event_id.clone());
    row.set("SystemUserId", parsed.user_id.clone());
    row.set("Version", parsed.version.clone());
    row.set("Opcode", parsed.opcode.clone());
    row.set("Keywords", parsed.keywords.clone());
    row.set("Correlation", parsed.activity_id.clone());
    row.set("SystemProcessId", parsed.process_id.clone());
    row.set("SystemThreadId", parsed.thread_id.clone());
    row.set("EventRecordId", parsed.record_id.clone());
    let mut members = Vec::new();
    for (index, (name, value)) in parsed.data.iter().enumerate() {
        let name = if name.is_empty() { quoted(&format!("Data{index}")) } else { quoted(name) };
        members.push(format!("{name}:{}", quoted(value)));
    }
    row.set("EventData", format!("{{{}}}", members.join(",")));
    row.set("Type", "WindowsEvent");
    Some(row)
}
