//! What one place (a column, or a path into it) must hold for a query to see a row, and the value that does.
//!
//! Wishes are gathered one by one; one that contradicts what is there is turned down. Begin at [`Wish::take`] and
//! [`Wish::value`].

use kql_types::{Dynamic, ScalarType, Value, datetime};

use crate::pattern;

/// Where a text must stand in a longer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Start,
    End,
    Inside,
}

/// One thing that a place must be.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Equal(Value),
    NotEqual(Value),
    Text(Part, String),
    NoText(String),
    Regex(String),
    /// Greater than this; a time in ticks.
    Above(f64),
    Below(f64),
    After(i64),
    Before(i64),
    /// A moment later than the other times of the row.
    Later,
    Filled(bool),
    /// Another value in every row.
    Spread,
}

#[derive(Debug, Clone, Default)]
pub struct Wish {
    pub equal: Option<Value>,
    starts: Option<String>,
    ends: Option<String>,
    parts: Vec<String>,
    avoided: Vec<String>,
    above: Option<f64>,
    below: Option<f64>,
    pub after: Option<i64>,
    pub before: Option<i64>,
    pub later: i64,
    filled: Option<bool>,
    pub spread: bool,
}

/// What a value is made for.
pub struct Cell<'a> {
    pub name: &'a str,
    /// Told apart between groups of rows that must not meet.
    pub salt: usize,
    pub row: usize,
    /// The time of the row, in ticks.
    pub time: i64,
}

impl Wish {
    /// Adds a wish; false when it contradicts an earlier one.
    pub fn take(&mut self, action: &Action) -> bool {
        match action {
            Action::Equal(value) => self.take_equal(value),
            Action::NotEqual(value) => self.take_avoided(text_of(value)),
            Action::NoText(text) => self.take_avoided(text.clone()),
            Action::Text(part, text) => self.take_text(*part, text),
            Action::Regex(pattern) => match pattern::matching(pattern, None) {
                Some(text) => self.take_regex(pattern, text),
                None => false,
            },
            Action::Above(bound) => {
                self.above = Some(self.above.map_or(*bound, |known| known.max(*bound)));
                self.number_fits()
            }
            Action::Below(bound) => {
                self.below = Some(self.below.map_or(*bound, |known| known.min(*bound)));
                self.number_fits()
            }
            Action::After(ticks) => {
                self.after = Some(self.after.map_or(*ticks, |known| known.max(*ticks)));
                true
            }
            Action::Before(ticks) => {
                self.before = Some(self.before.map_or(*ticks, |known| known.min(*ticks)));
                true
            }
            Action::Later => {
                self.later += 60 * datetime::TICKS_PER_SECOND;
                true
            }
            Action::Filled(filled) => {
                if self.filled.is_some_and(|known| known != *filled) || (!filled && self.has_text()) {
                    return false;
                }
                self.filled = Some(*filled);
                true
            }
            Action::Spread => {
                self.spread = true;
                true
            }
        }
    }

    fn has_text(&self) -> bool {
        self.equal.is_some() || self.starts.is_some() || self.ends.is_some() || !self.parts.is_empty()
    }

    /// Whether texts were asked for that stand somewhere inside.
    pub fn has_parts(&self) -> bool {
        self.equal.is_none() && (self.starts.is_some() || self.ends.is_some() || !self.parts.is_empty())
    }

    fn take_equal(&mut self, value: &Value) -> bool {
        let text = text_of(value);
        if let Some(known) = &self.equal {
            return text_of(known).eq_ignore_ascii_case(&text);
        }
        let lower = text.to_lowercase();
        let holds = |part: &String| lower.contains(&part.to_lowercase());
        if self.avoided.iter().any(|avoided| avoided.eq_ignore_ascii_case(&text))
            || self.filled == Some(false) && !text.is_empty()
            || !self.parts.iter().chain(&self.starts).chain(&self.ends).all(holds)
        {
            return false;
        }
        self.equal = Some(value.clone());
        true
    }

    fn take_avoided(&mut self, text: String) -> bool {
        if self.equal.as_ref().is_some_and(|known| text_of(known).eq_ignore_ascii_case(&text)) {
            return false;
        }
        self.avoided.push(text);
        true
    }

    fn take_text(&mut self, part: Part, text: &str) -> bool {
        let lower = text.to_lowercase();
        if let Some(known) = &self.equal {
            return text_of(known).to_lowercase().contains(&lower);
        }
        if self.filled == Some(false) {
            return text.is_empty();
        }
        let all = self.text().to_lowercase();
        match part {
            Part::Inside if all.contains(&lower) => {}
            Part::Inside => self.parts.push(text.to_string()),
            Part::Start => match &self.starts {
                Some(known) => return known.to_lowercase().starts_with(&lower),
                None => self.starts = Some(text.to_string()),
            },
            Part::End => match &self.ends {
                Some(known) => return known.to_lowercase().ends_with(&lower),
                None => self.ends = Some(text.to_string()),
            },
        }
        true
    }

    fn take_regex(&mut self, pattern: &str, text: String) -> bool {
        let (start, end) = (pattern.starts_with('^'), pattern.ends_with('$'));
        match (start, end) {
            (true, true) if !self.has_text() => self.take_equal(&Value::String(text)),
            (true, _) => self.take_text(Part::Start, &text),
            (false, true) => self.take_text(Part::End, &text),
            (false, false) => self.take_text(Part::Inside, &text),
        }
    }

    fn number_fits(&self) -> bool {
        match (self.above, self.below) {
            (Some(above), Some(below)) => above < below,
            _ => true,
        }
    }

    /// The text that the wishes for parts make.
    fn text(&self) -> String {
        let mut pieces: Vec<&str> = Vec::new();
        pieces.extend(self.starts.as_deref());
        pieces.extend(self.parts.iter().map(String::as_str));
        let mut text = pieces.join(" ");
        if let Some(end) = &self.ends {
            if !text.is_empty() && !text.ends_with(end.as_str()) {
                text.push(' ');
            }
            if !text.ends_with(end.as_str()) {
                text.push_str(end);
            }
        }
        text
    }

    fn is_avoided(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        self.avoided.iter().any(|avoided| !avoided.is_empty() && lower.contains(&avoided.to_lowercase()))
    }

    /// The value as text.
    pub fn string(&self, cell: &Cell<'_>) -> String {
        if let Some(value) = &self.equal {
            return text_of(value);
        }
        if self.filled == Some(false) {
            return String::new();
        }
        if self.above.is_some() || self.below.is_some() {
            return (self.number(cell).ceil() as i64).to_string();
        }
        let wished = self.text();
        if !wished.is_empty() {
            return if self.spread && self.ends.is_none() { format!("{wished} {}", cell.row) } else { wished };
        }
        let number = if self.spread { cell.row } else { cell.salt };
        let usual = pool(cell.name, number);
        if !self.is_avoided(&usual) {
            return usual;
        }
        let other = format!("qz{number}");
        if self.is_avoided(&other) { format!("{}", 7_000 + number) } else { other }
    }

    fn number(&self, cell: &Cell<'_>) -> f64 {
        let base = if self.spread { cell.row as f64 + 1.0 } else { 1.0 };
        let number = match (self.above, self.below) {
            (Some(above), Some(below)) if above + 1.0 < below => above + 1.0,
            (Some(above), Some(below)) => (above + below) / 2.0,
            (Some(above), None) => above.max(0.0).floor() + base,
            (None, Some(below)) if below > 1.0 => (below - 1.0).min(1.0),
            (None, Some(below)) => below - 1.0,
            (None, None) => base,
        };
        let avoided = |number: f64| self.avoided.iter().any(|avoided| avoided.parse() == Ok(number));
        if avoided(number) {
            (1..100).map(|step| number + f64::from(step)).find(|n| !avoided(*n)).unwrap_or(number)
        } else {
            number
        }
    }

    /// The time that the wishes allow, near to `time`.
    pub fn moment(&self, time: i64) -> i64 {
        const HOUR: i64 = 3_600 * datetime::TICKS_PER_SECOND;
        if let Some(Value::DateTime(ticks)) = &self.equal {
            return *ticks;
        }
        let inside = |ticks: i64| {
            self.after.is_none_or(|after| ticks > after) && self.before.is_none_or(|before| ticks < before)
        };
        let moment = match (self.after, self.before) {
            _ if inside(time) => time,
            (Some(after), Some(before)) => {
                let middle = after + (before - after) / 2;
                let early = middle - middle % HOUR + HOUR / 12;
                if inside(early) { early } else { middle }
            }
            (Some(after), None) => after + datetime::TICKS_PER_SECOND,
            (None, Some(before)) => before - HOUR,
            (None, None) => time,
        };
        moment + self.later
    }

    /// The value of a whole column.
    pub fn value(&self, ty: ScalarType, cell: &Cell<'_>) -> Value {
        let number = || match &self.equal {
            Some(value) => text_of(value).parse::<f64>().unwrap_or(1.0),
            None => self.number(cell),
        };
        if self.filled == Some(false) {
            return Value::missing(ty);
        }
        match ty {
            ScalarType::String | ScalarType::Unknown => Value::String(self.string(cell)),
            ScalarType::Dynamic => Value::Dynamic(self.leaf(cell)),
            ScalarType::DateTime => Value::DateTime(self.moment(cell.time)),
            ScalarType::TimeSpan => match &self.equal {
                Some(Value::TimeSpan(ticks)) => Value::TimeSpan(*ticks),
                _ => Value::TimeSpan((cell.row as i64 + 1) * 600_000_000),
            },
            ScalarType::Long => Value::Long(number() as i64),
            ScalarType::Int => Value::Int(number() as i32),
            ScalarType::Real => Value::Real(number()),
            ScalarType::Decimal => Value::Decimal((number() as i64).to_string()),
            ScalarType::Bool => match &self.equal {
                Some(value) => Value::Bool(matches!(text_of(value).to_lowercase().as_str(), "true" | "1")),
                None => Value::Bool(!self.avoided.iter().any(|avoided| avoided == "true")),
            },
            ScalarType::Guid => match &self.equal {
                Some(value) => Value::Guid(text_of(value).to_lowercase()),
                None => Value::Guid(format!(
                    "00000000-0000-4000-8000-{:012x}",
                    if self.spread { cell.row } else { cell.salt }
                )),
            },
        }
    }

    /// The value at the end of a path.
    pub fn leaf(&self, cell: &Cell<'_>) -> Dynamic {
        match &self.equal {
            Some(Value::Bool(flag)) => Dynamic::Bool(*flag),
            Some(Value::Int(number)) => Dynamic::Long(i64::from(*number)),
            Some(Value::Long(number)) => Dynamic::Long(*number),
            Some(Value::Real(number)) => Dynamic::Real(*number),
            Some(Value::DateTime(ticks)) => Dynamic::DateTime(*ticks),
            Some(Value::Dynamic(value)) => value.clone(),
            _ if self.above.is_some() || self.below.is_some() => Dynamic::Long(self.number(cell).ceil() as i64),
            _ if self.after.is_some() || self.before.is_some() => Dynamic::DateTime(self.moment(cell.time)),
            _ => Dynamic::String(self.string(cell)),
        }
    }
}

/// A value as text, as `tostring` gives it.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) | Value::Guid(text) | Value::Decimal(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Long(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Dynamic(Dynamic::String(text)) => text.clone(),
        Value::Dynamic(value) => value.to_display_json(),
        Value::DateTime(ticks) => datetime::format(*ticks),
        Value::TimeSpan(ticks) => kql_types::timespan::format(*ticks),
        Value::Null(_) => String::new(),
    }
}

/// Values that columns of one kind share in all tables.
fn pool(name: &str, number: usize) -> String {
    let lower = name.to_ascii_lowercase();
    if lower.contains("ip")
        && !["type", "description", "script", "recipient", "subscription"].iter().any(|no| lower.contains(no))
    {
        format!("203.0.{}.{}", 113 + number / 200 % 100, 7 + number % 200)
    } else if ["user", "account", "caller", "upn", "mail", "recipient", "sender"]
        .iter()
        .any(|part| lower.contains(part))
    {
        format!("user{number}@contoso.example")
    } else if ["computer", "host", "device"].iter().any(|part| lower.contains(part)) {
        format!("host{number}")
    } else if lower.contains("url") || lower.contains("uri") {
        format!("https://site{number}.example/path")
    } else if lower.contains("domain") {
        format!("site{number}.example")
    } else if lower.contains("sha256") {
        format!("{number:064x}")
    } else {
        format!("value{number}")
    }
}
