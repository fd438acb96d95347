//! Items of a layout to text: decides which groups fit on a line, and writes white space only between two texts.

use super::FormatOptions;

/// A piece of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item<'a> {
    Text(&'a str),
    Space,
    /// A space, or a new line when the innermost group is broken.
    Line,
    /// A space, or a new line when the innermost group is broken and what follows does not fit on the line.
    Fill,
    /// Nothing, or a new line when the innermost group is broken.
    Soft,
    /// A new line; breaks the groups around it.
    Hard,
    /// A new line after an empty one; breaks the groups around it.
    Blank,
    /// A comment right behind the text before it; a new line follows.
    Trailing(&'a str),
    /// A comment on its own line; a new line follows.
    Comment(&'a str),
    /// Starts a group: on one line when it fits, else broken.
    Open,
    Close,
    Indent,
    Dedent,
}

/// What is due before the next text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Nothing,
    Space,
    Newline,
    BlankLine,
}

struct Printer<'o> {
    out: String,
    options: &'o FormatOptions,
    due: Due,
    /// The indentation of the line that is due.
    due_level: usize,
    level: usize,
    /// Characters on the current line.
    column: usize,
}

pub(super) fn print(items: &[Item<'_>], options: &FormatOptions) -> String {
    let measures = measure(items);
    let mut printer = Printer { out: String::new(), options, due: Due::Nothing, due_level: 0, level: 0, column: 0 };
    let mut broken: Vec<bool> = Vec::new();
    for (item, measure) in items.iter().zip(&measures) {
        let is_broken = broken.last().copied().unwrap_or(true);
        match item {
            Item::Text(text) => printer.text(text),
            Item::Space => printer.due(Due::Space),
            Item::Line => printer.due(if is_broken { Due::Newline } else { Due::Space }),
            Item::Fill => {
                let fits = !is_broken || measure.is_some_and(|width| printer.column + 1 + width <= options.width);
                printer.due(if fits { Due::Space } else { Due::Newline });
            }
            Item::Soft => printer.due(if is_broken { Due::Newline } else { Due::Nothing }),
            Item::Hard => printer.due(Due::Newline),
            Item::Blank => printer.due(Due::BlankLine),
            Item::Trailing(text) => {
                printer.out.push(' ');
                printer.out.push_str(text);
                printer.due = Due::Nothing;
                printer.due(Due::Newline);
            }
            Item::Comment(text) => {
                printer.due(Due::Newline);
                printer.text(text);
                printer.due(Due::Newline);
            }
            Item::Open => {
                let fits = is_flat(&broken) || measure.is_some_and(|width| printer.fits(width));
                broken.push(!fits);
            }
            Item::Close => {
                broken.pop();
            }
            Item::Indent => printer.level += 1,
            Item::Dedent => printer.level = printer.level.saturating_sub(1),
        }
    }
    if !printer.out.is_empty() {
        printer.out.push('\n');
    }
    printer.out
}

/// Inside a group that fits, everything fits.
fn is_flat(broken: &[bool]) -> bool {
    broken.last() == Some(&false)
}

impl Printer<'_> {
    fn due(&mut self, due: Due) {
        self.due = self.due.max(due);
        if due >= Due::Newline {
            self.due_level = self.level;
        }
    }

    fn start_column(&self) -> usize {
        match self.due {
            Due::Nothing => self.column,
            Due::Space => self.column + 1,
            Due::Newline | Due::BlankLine => self.due_level * self.options.indent,
        }
    }

    fn fits(&self, width: usize) -> bool {
        self.start_column() + width <= self.options.width
    }

    fn text(&mut self, text: &str) {
        if !self.out.is_empty() {
            match self.due {
                Due::Nothing => {}
                Due::Space => self.out.push(' '),
                Due::Newline => self.out.push('\n'),
                Due::BlankLine => self.out.push_str("\n\n"),
            }
            if self.due >= Due::Newline {
                self.column = self.due_level * self.options.indent;
                self.out.extend(std::iter::repeat_n(' ', self.column));
            } else {
                self.column += usize::from(self.due == Due::Space);
            }
        }
        self.due = Due::Nothing;
        self.out.push_str(text);
        match text.rsplit_once('\n') {
            Some((_, last)) => self.column = last.chars().count(),
            None => self.column += text.chars().count(),
        }
    }
}

/// For each [`Item::Open`] the width of its group on one line, with what follows up to the next place to break; None
/// when the group cannot be on one line. For each [`Item::Fill`] the width up to the next place to break. Meaningless
/// for other items.
fn measure(items: &[Item<'_>]) -> Vec<Option<usize>> {
    let mut measures = vec![None; items.len()];
    // Width from here to the next place where a line may end.
    let mut tail = 0usize;
    // Of each open group, walking backwards: width so far, whether it must break, the tail behind it.
    let mut groups: Vec<(usize, bool, usize)> = Vec::new();
    for (item, measure) in items.iter().zip(&mut measures).rev() {
        let width = match item {
            Item::Text(text) => text.lines().next().map_or(0, |line| line.chars().count()),
            Item::Space | Item::Line | Item::Fill => 1,
            _ => 0,
        };
        let hard = matches!(item, Item::Hard | Item::Blank | Item::Trailing(_) | Item::Comment(_));
        match item {
            Item::Close => groups.push((0, false, tail)),
            Item::Open => {
                if let Some((inside, must_break, behind)) = groups.pop() {
                    *measure = (!must_break).then_some(inside + behind);
                    if let Some(outer) = groups.last_mut() {
                        outer.0 += inside;
                        outer.1 |= must_break;
                    }
                }
            }
            _ => {
                if let Some(group) = groups.last_mut() {
                    group.0 += width;
                    group.1 |= hard;
                }
            }
        }
        if *item == Item::Fill {
            *measure = Some(tail);
        }
        tail = if hard || matches!(item, Item::Line | Item::Fill | Item::Soft) { 0 } else { tail + width };
    }
    measures
}
