//! Lists: where they end, and what a missing comma or element means.

use super::{Parsed, Parser};
use crate::kind::SyntaxKind::*;

/// Whether a list ends at the place of the parser, besides the places that end every list.
type End = fn(&Parser<'_>) -> bool;

/// How a list ends, and whether it may be empty.
#[derive(Clone, Copy)]
pub(super) struct ListRules {
    /// None: the list ends at the first token that is no comma.
    end: Option<End>,
    one_or_more: bool,
    trailing_comma: bool,
}

impl ListRules {
    /// Ends at a bracket, `|`, `;` or the end; a missing comma in between is reported and the list goes on.
    pub(super) const COMMON: ListRules = ListRules { end: Some(|_| false), one_or_more: false, trailing_comma: false };

    /// Ends where no comma follows.
    pub(super) const OPEN: ListRules = ListRules { end: None, one_or_more: true, trailing_comma: false };

    /// As [`Self::COMMON`], and where `end` says so.
    pub(super) fn until(end: End) -> ListRules {
        ListRules { end: Some(end), ..ListRules::COMMON }
    }

    pub(super) fn one_or_more(self) -> ListRules {
        ListRules { one_or_more: true, ..self }
    }

    pub(super) fn trailing_comma(self) -> ListRules {
        ListRules { trailing_comma: true, ..self }
    }
}

impl Parser<'_> {
    /// The tokens that end every list: a closing bracket, `|`, `;` and the end of the text.
    pub(super) fn ends_any_list(&self) -> bool {
        self.ends_any_list_at(0)
    }

    pub(super) fn ends_any_list_at(&self, ahead: usize) -> bool {
        matches!(self.nth(ahead), CloseParen | CloseBracket | CloseBrace | Bar | Semicolon | End)
    }

    fn ends_list(&self, rules: ListRules) -> bool {
        rules.end.is_some_and(|end| self.ends_any_list() || end(self))
    }

    /// Elements separated by commas. `missing` reports an element that should stand where only a comma or the end is.
    pub(super) fn comma_list<T>(
        &mut self,
        rules: ListRules,
        mut element: impl FnMut(&mut Self) -> Parsed<T>,
        mut missing: impl FnMut(&mut Self) -> T,
    ) -> Vec<T> {
        let mut list = Vec::new();
        let mut element = |p: &mut Self| {
            let outer = p.start_height();
            let found = element(p);
            p.end_height(outer);
            found
        };
        let mut next = if self.ends_list(rules) { None } else { element(self) };
        if next.is_none() && self.at(Comma) {
            next = Some(missing(self));
        }
        while let Some(item) = next {
            list.push(item);
            if self.at_end() || self.ends_list(rules) {
                break;
            }
            if self.eat(Comma).is_some() {
                next = if self.ends_list(rules) { None } else { element(self) };
                if next.is_none() {
                    if rules.trailing_comma {
                        break;
                    }
                    list.push(missing(self));
                    break;
                }
            } else if rules.end.is_some() {
                let errors = self.errors.len();
                let span = self.missing_token_span();
                let before = self.position;
                next = element(self).filter(|_| self.position > before);
                if next.is_some() {
                    let error = crate::diagnostics::expected(&[","], span);
                    self.errors.insert(errors.min(self.errors.len()), error);
                }
            } else {
                break;
            }
        }
        if list.is_empty() && rules.one_or_more {
            list.push(missing(self));
        }
        list
    }
}
