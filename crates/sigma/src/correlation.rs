//! KQL of correlations: events of several rules, counted, added up or put in order within a time span.
//!
//! Lower bounds of counts and sums slide: any span of that length counts, wherever it starts. Other bounds are asked of spans
//! side by side, counted back from the end of the run. The events of each rule come as rows of `TimeGenerated`, `Rule`, the
//! groups, and `Value` where one is asked for. Start at [`query`].

use crate::condition::Condition;
use crate::document::{Correlation, CorrelationKind};
use crate::kql::quoted;
use crate::search::Order;

/// The events of one rule of a correlation, as a query that gives those rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// As the correlation names it.
    pub name: String,
    pub queries: Vec<String>,
}

/// A correlation's query and what should be known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct CorrelationQuery {
    /// `let` statements that come first.
    pub lets: Vec<String>,
    /// One row for each end of a span that matches: `TimeGenerated`, `StartTime`, the groups and what was counted.
    pub matches: String,
    /// What was counted: (column, how its values of one run are put together).
    pub counted: Vec<(&'static str, &'static str)>,
    /// Any span counts, not only those side by side.
    pub slides: bool,
    pub notes: Vec<String>,
}

/// Writes the query of a correlation over its streams. `prefix` keeps the names of its `let`s apart from others'.
///
/// # Errors
/// A condition that cannot be said.
pub fn query(
    correlation: &Correlation,
    streams: &[Stream],
    groups: &[String],
    prefix: &str,
) -> Result<CorrelationQuery, String> {
    let events = events(streams);
    let writer = Writer { correlation, streams, groups, events, prefix };
    match correlation.kind {
        CorrelationKind::Temporal => writer.temporal(),
        CorrelationKind::TemporalOrdered => writer.ordered(),
        _ => match writer.least() {
            Some(least) if correlation.kind == CorrelationKind::EventCount => Ok(writer.sliding_count(least)),
            Some(_) => Ok(writer.sliding_value()),
            None => Ok(writer.side_by_side()),
        },
    }
}

fn events(streams: &[Stream]) -> String {
    let queries: Vec<&String> = streams.iter().flat_map(|stream| &stream.queries).collect();
    match queries.as_slice() {
        [one] => (*one).clone(),
        several => {
            let parts: Vec<String> = several.iter().map(|query| format!("({query})")).collect();
            format!("union isfuzzy=true {}", parts.join(", "))
        }
    }
}

struct Writer<'a> {
    correlation: &'a Correlation,
    streams: &'a [Stream],
    groups: &'a [String],
    events: String,
    prefix: &'a str,
}

impl Writer<'_> {
    fn span(&self) -> &str {
        &self.correlation.timespan
    }

    /// `a, b, ` in front of more.
    fn groups_then(&self) -> String {
        self.groups.iter().map(|group| format!("{group}, ")).collect()
    }

    fn sorted(&self) -> String {
        let keys: String = self.groups.iter().map(|group| format!("{group} asc, ")).collect();
        format!("sort by {keys}TimeGenerated asc")
    }

    /// The least number of events that makes all bounds hold, where they only have a lower end and what is measured
    /// grows with the span.
    fn least(&self) -> Option<u64> {
        use CorrelationKind::{EventCount, ValueCount, ValueSum};
        if !matches!(self.correlation.kind, EventCount | ValueCount | ValueSum) {
            return None;
        }
        let mut least = 0_u64;
        for (order, number) in &self.correlation.condition.bounds {
            let number = number.parse::<f64>().ok()?.max(0.0);
            least = least.max(match order {
                Order::Gte => number.ceil() as u64,
                Order::Gt => number.floor() as u64 + 1,
                _ => return None,
            });
        }
        Some(least)
    }

    /// The bounds as conditions on a column.
    fn bounds(&self, column: &str) -> String {
        let bounds = &self.correlation.condition.bounds;
        let all: Vec<String> =
            bounds.iter().map(|(order, number)| format!("{column} {} {number}", order.symbol())).collect();
        all.join(" and ")
    }

    /// Events counted over any span: the n-th event before an event of the group is near enough.
    fn sliding_count(&self, least: u64) -> CorrelationQuery {
        let back = least.saturating_sub(1);
        let same: String = self.groups.iter().map(|group| format!(" and prev({group}, {back}) == {group}")).collect();
        let matches = if back == 0 {
            format!("{} | extend StartTime = TimeGenerated", self.events)
        } else {
            format!(
                "{} | {} | extend StartTime = prev(TimeGenerated, {back}), SameGroup = true{same} | where SameGroup and TimeGenerated - StartTime <= {}",
                self.events,
                self.sorted(),
                self.span()
            )
        };
        CorrelationQuery {
            lets: Vec::new(),
            matches,
            counted: vec![("EventCount", "EventCount = count()")],
            slides: true,
            notes: Vec::new(),
        }
        .counting_events(back)
    }

    /// Values over any span: each moment of an event with the events of the span before it.
    fn sliding_value(&self) -> CorrelationQuery {
        let name = format!("{}Events", self.prefix);
        let span = self.span();
        let (measure, column) = self.measure("EarlierValue");
        let keys = self.groups_then();
        let keep: String = self.groups.iter().map(|group| format!(", {group}")).collect();
        let matches = format!(
            "{name} | summarize by {keys}TimeGenerated, Span = bin(TimeGenerated, {span}) \
             | join kind=inner (union ({name} | extend Span = bin(TimeGenerated, {span})), ({name} | extend Span = bin(TimeGenerated, {span}) + {span}) \
             | project Span, Earlier = TimeGenerated, EarlierValue = Value{keep}) on {keys}Span \
             | where Earlier <= TimeGenerated and TimeGenerated - Earlier <= {span} \
             | summarize StartTime = min(Earlier), {column} = {measure} by {keys}TimeGenerated | where {}",
            self.bounds(column)
        );
        CorrelationQuery {
            lets: vec![format!("let {name} = materialize({})", self.events)],
            matches,
            counted: vec![(column, "max")],
            slides: true,
            notes: Vec::new(),
        }
    }

    /// What is measured of the values, and the column that holds it.
    fn measure(&self, value: &str) -> (String, &'static str) {
        let number = format!("todouble({value})");
        match self.correlation.kind {
            CorrelationKind::ValueCount => (format!("count_distinctif({value}, isnotempty({value}))"), "ValueCount"),
            CorrelationKind::ValueSum => (format!("sum({number})"), "ValueSum"),
            CorrelationKind::ValueAvg => (format!("avg({number})"), "ValueAverage"),
            CorrelationKind::ValueMedian => (format!("percentile({number}, 50)"), "ValueMedian"),
            CorrelationKind::ValuePercentile => {
                let percentile = self.correlation.condition.percentile.as_deref().unwrap_or("50");
                (format!("percentile({number}, {percentile})"), "ValuePercentile")
            }
            _ => ("count()".to_string(), "EventCount"),
        }
    }

    fn side_by_side(&self) -> CorrelationQuery {
        let (measure, column) = self.measure("Value");
        let mut notes = vec![format!(
            "spans of {} side by side, counted back from the end of the run; a group without any event in a span is not seen",
            self.span()
        )];
        if self.correlation.kind == CorrelationKind::ValuePercentile && self.correlation.condition.percentile.is_none()
        {
            notes.push("no `percentile` in the condition: the 50th".to_string());
        }
        let matches = format!(
            "{} | summarize StartTime = min(TimeGenerated), EndTime = max(TimeGenerated), {column} = {measure} by {}Span = bin_at(TimeGenerated, {}, now()) | where {} | project-rename TimeGenerated = EndTime | project-away Span",
            self.events,
            self.groups_then(),
            self.span(),
            self.bounds(column)
        );
        CorrelationQuery { lets: Vec::new(), matches, counted: vec![(column, "max")], slides: false, notes }
    }

    /// Rules within one span in any order: the last event of each rule is near enough.
    fn temporal(&self) -> Result<CorrelationQuery, String> {
        let same: Vec<String> = self.groups.iter().map(|group| format!("{group} == seen.{group}")).collect();
        let same = if same.is_empty() { "true".to_string() } else { same.join(" and ") };
        let last = |index: usize| format!("Last{}", index + 1);
        let declared: Vec<String> = (0..self.streams.len()).map(|i| format!("{}:datetime", last(i))).collect();
        let updates: Vec<String> = self
            .streams
            .iter()
            .enumerate()
            .map(|(index, stream)| {
                let last = last(index);
                format!(
                    "{last} = iff(Rule == {}, TimeGenerated, iff({same}, seen.{last}, datetime(null)))",
                    quoted(&stream.name)
                )
            })
            .collect();
        let near = |index: usize| format!("coalesce(TimeGenerated - {} <= {}, false)", last(index), self.span());
        let condition = self.temporal_condition(&near)?;
        let starts: Vec<String> =
            (0..self.streams.len()).map(|i| format!("iff({}, {}, TimeGenerated)", near(i), last(i))).collect();
        let start = if starts.len() == 1 { starts.concat() } else { format!("min_of({})", starts.join(", ")) };
        let matches = format!(
            "{} | {} | scan declare ({}) with (step seen: true => {};) | where {condition} | extend StartTime = {start}",
            self.events,
            self.sorted(),
            declared.join(", "),
            updates.join(", "),
        );
        let mut notes = Vec::new();
        if condition.contains("not(") {
            notes.push("`not` looks at the span before each event, not behind it".to_string());
        }
        Ok(CorrelationQuery {
            lets: Vec::new(),
            matches,
            counted: vec![("Rules", "Rules = make_set(Rule)")],
            slides: true,
            notes,
        })
    }

    fn temporal_condition(&self, near: &dyn Fn(usize) -> String) -> Result<String, String> {
        let all: Vec<String> = (0..self.streams.len()).map(near).collect();
        if let Some(expression) = &self.correlation.condition.expression {
            return self.expression(expression, near);
        }
        if self.correlation.condition.bounds.is_empty() {
            return Ok(all.join(" and "));
        }
        let counts: Vec<String> = all.iter().map(|near| format!("toint({near})")).collect();
        Ok(self.bounds(&format!("({})", counts.join(" + "))))
    }

    fn expression(&self, condition: &Condition, near: &dyn Fn(usize) -> String) -> Result<String, String> {
        let all = |parts: &[Condition], word: &str| -> Result<String, String> {
            let parts = parts.iter().map(|part| self.expression(part, near)).collect::<Result<Vec<_>, _>>()?;
            Ok(format!("({})", parts.join(word)))
        };
        match condition {
            Condition::And(parts) => all(parts, " and "),
            Condition::Or(parts) => all(parts, " or "),
            Condition::Not(part) => Ok(format!("not({})", self.expression(part, near)?)),
            Condition::Name(name) => match self.streams.iter().position(|stream| stream.name == *name) {
                Some(index) => Ok(near(index)),
                None => Err(format!("the condition names `{name}`, which is no rule of the correlation")),
            },
            Condition::Of(..) => Err("the condition of a correlation takes names of rules".to_string()),
        }
    }

    /// Rules in their order: each step within the span of the first.
    fn ordered(&self) -> Result<CorrelationQuery, String> {
        if let Some(expression) = &self.correlation.condition.expression {
            let names: Vec<&str> = match expression {
                Condition::And(parts) => parts
                    .iter()
                    .filter_map(|p| if let Condition::Name(n) = p { Some(n.as_str()) } else { None })
                    .collect(),
                Condition::Name(name) => vec![name.as_str()],
                _ => Vec::new(),
            };
            let same = self.streams.iter().all(|stream| names.contains(&stream.name.as_str()));
            if !same || names.len() != self.streams.len() {
                return Err("an ordered correlation is asked for all of its rules, joined by `and`".to_string());
            }
        }
        let all = self.streams.len() as f64;
        let bounds = &self.correlation.condition.bounds;
        let holds = |(order, number): &(Order, String)| {
            number.parse::<f64>().is_ok_and(|number| match order {
                Order::Gte | Order::Eq => number == all,
                Order::Gt => number == all - 1.0,
                Order::Lte | Order::Lt | Order::Neq => false,
            })
        };
        if !bounds.iter().all(holds) {
            return Err("an ordered correlation is asked for all of its rules, not for a number of them".to_string());
        }
        if self.streams.len() == 1 {
            return Ok(self.sliding_count(1));
        }
        let same: String = self.groups.iter().map(|group| format!(" and {group} == Start.{group}")).collect();
        let last = self.streams.len() - 1;
        let steps: Vec<String> = self
            .streams
            .iter()
            .enumerate()
            .map(|(index, stream)| {
                let rule = quoted(&stream.name);
                let name = if index == 0 { "Start".to_string() } else { format!("Next{index}") };
                let near = if index == 0 {
                    String::new()
                } else {
                    format!("{same} and TimeGenerated - Start.TimeGenerated <= {}", self.span())
                };
                let output = if index == last { "" } else { " output=none" };
                let assign = if index == last { " => StartTime = Start.TimeGenerated" } else { "" };
                format!("step {name}{output}: Rule == {rule}{near}{assign};")
            })
            .collect();
        let order: Vec<String> = self
            .streams
            .iter()
            .enumerate()
            .map(|(i, stream)| format!("Rule == {}, {i}", quoted(&stream.name)))
            .collect();
        let matches = format!(
            "{} | extend RuleOrder = case({}, {}) | {}, RuleOrder asc | scan declare (StartTime:datetime) with ({})",
            self.events,
            order.join(", "),
            self.streams.len(),
            self.sorted(),
            steps.join(" "),
        );
        Ok(CorrelationQuery {
            lets: Vec::new(),
            matches,
            counted: vec![("Matches", "Matches = count()")],
            slides: true,
            notes: Vec::new(),
        })
    }
}

impl CorrelationQuery {
    /// The number of events is that of the matching ends, and those before the first of them.
    fn counting_events(mut self, before: u64) -> CorrelationQuery {
        if before > 0 {
            self.notes.push(format!("EventCount is the number of events that end a span with {} events", before + 1));
        }
        self
    }

    /// The last step: one row for each group.
    pub fn summary(&self, groups: &[String]) -> String {
        let counted: Vec<String> = self
            .counted
            .iter()
            .map(
                |(column, how)| {
                    if how.contains('=') { (*how).to_string() } else { format!("{column} = {how}({column})") }
                },
            )
            .collect();
        let by = if groups.is_empty() { String::new() } else { format!(" by {}", groups.join(", ")) };
        // Without groups there is one row even when nothing matched.
        let nothing = if groups.is_empty() { " | where isnotnull(TimeGenerated)" } else { "" };
        format!(
            "summarize StartTime = min(StartTime), TimeGenerated = max(TimeGenerated), {}{by}{nothing}",
            counted.join(", ")
        )
    }
}
