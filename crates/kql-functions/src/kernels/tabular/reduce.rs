//! `reduce by`: texts put together by what they have in common.
//!
//! A text is cut into words at what is neither letter nor digit, and at `characters`. A word is frequent when enough texts
//! have it in the same place; a text's pattern is its frequent words, with `*` for the others. Patterns that too few texts
//! have, and texts without a frequent word, are `others`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewArray};

use super::super::KernelError;
use super::whole::{Made, WholeTable, column};

/// What stands for texts that are like no others.
const OTHERS: &str = "others";

/// How texts are put together.
#[derive(Debug, Clone)]
pub struct Reduce {
    /// The part of the rows that a pattern must have, from 0 to 1.
    pub threshold: f64,
    /// Characters that cut words besides the usual ones.
    pub characters: String,
    /// `kind=source`: each row with its pattern.
    pub source: bool,
}

/// A piece of a text: a word, or what stands between words.
enum Piece<'t> {
    Word(&'t str),
    Between(&'t str),
}

impl Reduce {
    fn pieces<'t>(&self, text: &'t str) -> Vec<Piece<'t>> {
        let is_word = |character: char| character.is_alphanumeric() && !self.characters.contains(character);
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let word = is_word(first);
            let end = rest.find(|character| is_word(character) != word).unwrap_or(rest.len());
            let (piece, after) = rest.split_at(end);
            pieces.push(if word { Piece::Word(piece) } else { Piece::Between(piece) });
            rest = after;
        }
        pieces
    }

    /// The pattern of a text, None without a frequent word.
    fn pattern(&self, text: &str, frequent: &dyn Fn(usize, &str) -> bool) -> Option<String> {
        let mut pattern = String::new();
        let mut place = 0;
        let mut any = false;
        // A character of `characters` beside `*` is part of it: "fooZ1" and "fooZ2" give "foo*".
        let beside = |between: &str| between.replace(|character| self.characters.contains(character), "");
        let mut pending = String::new();
        for piece in self.pieces(text) {
            match piece {
                Piece::Between(between) => between.clone_into(&mut pending),
                Piece::Word(word) => {
                    let known = frequent(place, word);
                    let between = if known && !pattern.ends_with('*') { pending } else { beside(&pending) };
                    pattern.push_str(&between);
                    if known {
                        pattern.push_str(word);
                        any = true;
                    } else if !pattern.ends_with('*') {
                        pattern.push('*');
                    }
                    pending = String::new();
                    place += 1;
                }
            }
        }
        pattern.push_str(&if pattern.ends_with('*') { beside(&pending) } else { pending });
        any.then_some(pattern)
    }
}

impl WholeTable for Reduce {
    fn make(&self, columns: &[ArrayRef], rows: usize) -> Result<Made, KernelError> {
        let Some(texts) = column(columns, 0)?.as_string_view_opt() else { return Ok(Made::default()) };
        let text = |row: usize| if texts.is_null(row) { "" } else { texts.value(row) };
        let least = (self.threshold * rows as f64).ceil().max(2.0) as usize;
        let mut words: HashMap<(usize, &str), usize> = HashMap::new();
        for row in 0..rows {
            let mut place = 0;
            for piece in self.pieces(text(row)) {
                if let Piece::Word(word) = piece {
                    *words.entry((place, word)).or_insert(0) += 1;
                    place += 1;
                }
            }
        }
        let frequent = |place: usize, word: &str| words.get(&(place, word)).is_some_and(|count| *count >= least);
        let mut groups: Vec<(String, i64, u32)> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut of_row: Vec<Option<usize>> = Vec::with_capacity(rows);
        for row in 0..rows {
            of_row.push(self.pattern(text(row), &frequent).map(|pattern| {
                let group = *known.entry(pattern.clone()).or_insert_with(|| {
                    groups.push((pattern, 0, row as u32));
                    groups.len() - 1
                });
                if let Some((_, count, _)) = groups.get_mut(group) {
                    *count += 1;
                }
                group
            }));
        }
        let kept = |group: &usize| groups.get(*group).is_some_and(|(_, count, _)| *count as usize >= least);
        let strings = |values: Vec<&str>| -> ArrayRef { Arc::new(StringViewArray::from_iter_values(values)) };
        if self.source {
            let pattern = |group: &Option<usize>| {
                let group = group.filter(kept).and_then(|group| groups.get(group));
                group.map_or(OTHERS, |(pattern, _, _)| pattern.as_str())
            };
            let patterns = strings(of_row.iter().map(pattern).collect());
            return Ok(Made { rows: (0..rows as u32).collect(), columns: vec![patterns] });
        }
        let mut shown: Vec<(&str, i64, u32, &str)> = groups
            .iter()
            .filter(|(_, count, _)| *count as usize >= least)
            .map(|(pattern, count, row)| (pattern.as_str(), *count, *row, text(*row as usize)))
            .collect();
        let mut others = of_row.iter().enumerate().filter(|(_, group)| !group.as_ref().is_some_and(kept));
        if let Some((first, _)) = others.next() {
            shown.push((OTHERS, 1 + others.count() as i64, first as u32, ""));
        }
        shown.sort_by_key(|(_, count, _, _)| std::cmp::Reverse(*count));
        Ok(Made {
            rows: shown.iter().map(|(_, _, row, _)| *row).collect(),
            columns: vec![
                strings(shown.iter().map(|(pattern, _, _, _)| *pattern).collect()),
                Arc::new(Int64Array::from_iter_values(shown.iter().map(|(_, count, _, _)| *count))),
                strings(shown.iter().map(|(_, _, _, text)| *text).collect()),
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::Int64Type;

    fn reduced(texts: &[&str], characters: &str) -> Vec<(String, i64, String)> {
        let column: ArrayRef = Arc::new(StringViewArray::from_iter_values(texts));
        let reduce = Reduce { threshold: 0.1, characters: characters.to_owned(), source: false };
        let made = reduce.make(&[column], texts.len()).unwrap();
        let text = |place: usize, row: usize| made.columns[place].as_string_view().value(row).to_owned();
        let counts = made.columns[1].as_primitive::<Int64Type>();
        (0..counts.len()).map(|row| (text(0, row), counts.value(row), text(2, row))).collect()
    }

    #[test]
    fn words_that_differ_become_stars() {
        let texts = ["foo.a1 failed", "foo.b2 failed", "foo.c3 failed", "else"];
        let expected =
            [("foo.* failed".to_owned(), 3, "foo.a1 failed".to_owned()), ("others".to_owned(), 1, String::new())];
        assert_eq!(reduced(&texts, ""), expected);
    }

    #[test]
    fn further_characters_cut_words() {
        let texts = ["fooZ1", "fooZ2", "fooZ3"];
        assert_eq!(reduced(&texts, ""), [("others".to_owned(), 3, String::new())]);
        assert_eq!(reduced(&texts, "Z"), [("foo*".to_owned(), 3, "fooZ1".to_owned())]);
    }
}
