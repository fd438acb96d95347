//! Lines of syslog to `Syslog`: as daemons write them to files, and as they travel (with a priority), old form and new.
//!
//! The old form has no year and no zone: the year is the latest for which the time is no more than a day after the file was
//! written, the zone UTC.

use chrono::Datelike;
use kql_types::datetime::{self, TICKS_PER_DAY};

use super::guide::Guide;
use super::{LineSource, Mapped, Maps, Place};
use crate::row::{Cell, Row};
use crate::time;

pub(super) static LINE: LineSource = LineSource { name: "syslog", recognise, map, guide: Some(&GUIDE) };

const TABLE: &str = "Syslog";

static GUIDE: Guide = Guide {
    page: "syslog",
    title: "Syslog",
    tables: &[TABLE],
    exports: &[
        (
            "cp /var/log/auth.log* logs/",
            "rotated files are deleted after four weeks unless set; keep the files' times: the year comes from them",
        ),
        ("journalctl -o short-iso --since 2026-03-01 > journal.log", "facility and severity are not in the lines"),
    ],
    recognised: "lines that begin with a priority, with `Mar  1 10:00:00 host tag:`, or with an ISO time, a host and a tag",
    fields: &[],
    notes: &[
        "`<PRI>` gives Facility and SeverityLevel; files without it leave both empty, except that auth.log and secure are `auth`.",
        "Without a year the latest that the file's own time allows is taken; on standard input such lines are undated.",
        "Structured data of the new form stays in front of the message.",
    ],
};

const FACILITIES: &[&str] = &[
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
const SEVERITIES: &[&str] = &["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
const MONTHS: &[&str] = &["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What stands before the message.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Header<'l> {
    pub(super) priority: Option<u16>,
    pub(super) time: Option<When>,
    pub(super) host: &'l str,
    pub(super) tag: &'l str,
    pub(super) process_id: &'l str,
    pub(super) message: &'l str,
}

#[derive(Debug, PartialEq, Clone, Copy)]
pub(super) enum When {
    Ticks(i64),
    /// Month, day, seconds of the day.
    Yearless(u32, u32, i64),
}

impl When {
    /// The time in ticks; None when nothing tells the year.
    pub(super) fn ticks(self, place: &Place<'_>) -> Option<i64> {
        match self {
            When::Ticks(ticks) => Some(ticks),
            When::Yearless(month, day, seconds) => {
                let latest = place.modified? + TICKS_PER_DAY;
                let days = latest.div_euclid(TICKS_PER_DAY) as i32 + 1;
                let year = chrono::NaiveDate::from_num_days_from_ce_opt(days)?.year();
                (0..5).find_map(|back| {
                    let date = chrono::NaiveDate::from_ymd_opt(year - back, month, day)?;
                    let days = i64::from(date.num_days_from_ce()) - 1;
                    let ticks = datetime::checked(days * TICKS_PER_DAY + seconds * datetime::TICKS_PER_SECOND)?;
                    (ticks <= latest).then_some(ticks)
                })
            }
        }
    }
}

/// The header of a line; None when the line is none of syslog.
pub(super) fn header(line: &str) -> Option<Header<'_>> {
    let (priority, rest) = priority(line);
    if priority.is_some()
        && let Some(rest) = rest.strip_prefix("1 ")
    {
        return new_form(priority, rest);
    }
    let (when, rest) = when(rest)?;
    let (host, rest) = rest.split_once(' ')?;
    if host.is_empty() || host.contains(['"', '{', '=', '[']) {
        return None;
    }
    let rest = rest.trim_start();
    let (tag, process_id, message) = tag(rest).unwrap_or(("", "", rest));
    (priority.is_some() || !tag.is_empty() || message.contains("CEF:")).then_some(Header {
        priority,
        time: Some(when),
        host,
        tag,
        process_id,
        message,
    })
}

fn priority(line: &str) -> (Option<u16>, &str) {
    let found = line.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    match found.and_then(|(number, rest)| Some((number.parse::<u16>().ok().filter(|number| *number < 192)?, rest))) {
        Some((number, rest)) => (Some(number), rest),
        None => (None, line),
    }
}

/// `2026-03-01T10:00:00Z host app 12 id [data] message`
fn new_form(priority: Option<u16>, rest: &str) -> Option<Header<'_>> {
    let mut parts = rest.splitn(6, ' ');
    let mut next = || parts.next().map(|part| if part == "-" { "" } else { part });
    let (time, host, tag, process_id) = (next()?, next()?, next()?, next()?);
    let (_, message) = (next()?, next().unwrap_or_default());
    let message = message.strip_prefix("- ").unwrap_or(message).trim_start_matches('\u{feff}');
    Some(Header { priority, time: time::parse(time).map(When::Ticks), host, tag, process_id, message })
}

fn when(text: &str) -> Option<(When, &str)> {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        let (stamp, rest) = text.split_once(' ')?;
        if stamp.len() < 19 || !stamp.contains('T') {
            return None;
        }
        return Some((When::Ticks(time::parse(stamp)?), rest));
    }
    let month = MONTHS.iter().position(|month| text.get(..3) == Some(*month))? as u32 + 1;
    let rest = text.get(3..)?.strip_prefix(' ')?.trim_start();
    let (day, rest) = rest.split_once(' ')?;
    let (clock, rest) = rest.split_once(' ')?;
    // Some devices put the year behind the day.
    let (year, clock, rest) = match clock.len() == 4 && clock.bytes().all(|byte| byte.is_ascii_digit()) {
        true => {
            let (time, rest) = rest.split_once(' ')?;
            (Some(clock), time, rest)
        }
        false => (None, clock, rest),
    };
    let mut parts = clock.trim_end_matches(':').split(':');
    let mut number = || parts.next().and_then(|part| part.split('.').next()?.parse::<i64>().ok());
    let (hour, minute, second) = (number()?, number()?, number()?);
    let day = day.parse::<u32>().ok().filter(|day| (1..=31).contains(day))?;
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..=60).contains(&second) {
        return None;
    }
    let when = match year {
        Some(year) => {
            When::Ticks(time::parse(&format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))?)
        }
        None => When::Yearless(month, day, hour * 3600 + minute * 60 + second),
    };
    Some((when, rest.trim_start()))
}

/// `sshd[12]: message`
fn tag(text: &str) -> Option<(&str, &str, &str)> {
    let end = text.find(|c: char| c == ':' || c.is_whitespace())?;
    let (tag, rest) = (text.get(..end)?, text.get(end..)?);
    let message = rest.strip_prefix(':')?.trim_start();
    let tag = tag.strip_prefix('%').unwrap_or(tag);
    if tag.is_empty() || tag == "CEF" || tag.len() > 64 {
        return None;
    }
    match tag.split_once('[').and_then(|(name, id)| Some((name, id.strip_suffix(']')?))) {
        Some((name, id)) => Some((name, id, message)),
        None => Some((tag, "", message)),
    }
}

fn recognise(line: &str) -> bool {
    header(line).is_some()
}

fn map<'r>(line: &'r str, maps: &Maps, place: &Place<'_>) -> Mapped<'r> {
    let (Some(spec), Some(header)) = (maps.table(TABLE), header(line)) else {
        return Mapped::Other("line that is no syslog".into());
    };
    let mut row = Row::new(&spec);
    if let (Some(time), Some(ticks)) = (row.spec.time, header.time.and_then(|when| when.ticks(place))) {
        row.put(time, Cell::Long(ticks));
        if let Some(event) = row.spec.column("EventTime") {
            row.put(event, Cell::Long(ticks));
        }
    }
    row.set("Computer", header.host);
    row.set("HostName", header.host);
    row.set("ProcessName", header.tag);
    row.set("ProcessID", header.process_id);
    row.set("SyslogMessage", header.message);
    let file = place.path.rsplit('/').next().unwrap_or_default();
    match header.priority {
        Some(priority) => {
            row.set("Facility", FACILITIES.get(usize::from(priority / 8)).copied().unwrap_or_default());
            row.set("SeverityLevel", SEVERITIES.get(usize::from(priority % 8)).copied().unwrap_or_default());
        }
        None if file.starts_with("auth.log") || file.starts_with("secure") => row.set("Facility", "auth"),
        None => {}
    }
    row.set("SourceSystem", "Linux");
    row.set("Type", TABLE);
    Mapped::Row(Box::new(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_headers() {
        let of = |line: &'static str| header(line).map(|h| (h.priority, h.host, h.tag, h.process_id, h.message));
        assert_eq!(
            of("Mar  1 10:00:00 web1 sshd[812]: Failed password for root"),
            Some((None, "web1", "sshd", "812", "Failed password for root"))
        );
        assert_eq!(
            of("<34>Oct 11 22:14:15 mymachine su: 'su root' failed"),
            Some((Some(34), "mymachine", "su", "", "'su root' failed"))
        );
        assert_eq!(
            of("<165>1 2026-03-01T10:00:00.003Z web1 app - ID47 - started"),
            Some((Some(165), "web1", "app", "", "started"))
        );
        assert_eq!(of("2026-03-01T10:00:00+01:00 web1 cron[1]: x"), Some((None, "web1", "cron", "1", "x")));
        for line in ["", "plain words here: x", "2026-03-01 10:00:00 INFO x", "Mar 1", "<999>x", "March of time: x"] {
            assert_eq!(of(line), None, "{line}");
        }
    }

    #[test]
    fn the_year_is_the_latest_that_the_file_allows() {
        let written = time::parse("2026-01-02T00:00:00Z").unwrap();
        let place = Place::new("x", Some(written));
        assert_eq!(When::Yearless(12, 31, 0).ticks(&place), time::parse("2025-12-31T00:00:00Z"));
        assert_eq!(When::Yearless(1, 1, 60).ticks(&place), time::parse("2026-01-01T00:01:00Z"));
        assert_eq!(When::Yearless(2, 29, 0).ticks(&place), time::parse("2024-02-29T00:00:00Z"));
        assert_eq!(When::Yearless(1, 1, 0).ticks(&Place::new("-", None)), None);
    }
}
