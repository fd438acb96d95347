//! Where a query that returns nothing loses its rows: the first operator without rows over inputs that have some.
//!
//! Begin at [`loss`].

use engine::{Engine, QueryOptions, ResultTable};
use kql_semantics::bound::{BoundQuery, BoundResult, Rel, RelKind};
use kql_semantics::parts::{Part, of_rel};

/// The operator that loses the rows, as its text and its kind.
pub fn loss(engine: &Engine, bound: &BoundQuery, text: &str, options: &QueryOptions) -> String {
    let Some(result) = bound.results.last() else { return "no result".to_string() };
    let runner = Runner { engine, bound, options };
    let rel = runner.deepest(&result.rel);
    let kind = format!("{:?}", rel.kind);
    let kind: String = kind.chars().take_while(|letter| letter.is_alphanumeric()).collect();
    let (from, to) = (rel.span.start as usize, rel.span.end as usize);
    let shown = text.get(from..to).unwrap_or_default();
    let last: String = shown.chars().rev().take(300).collect::<Vec<_>>().into_iter().rev().collect();
    format!("{kind}: …{}", last.replace('\n', " "))
}

struct Runner<'a> {
    engine: &'a Engine,
    bound: &'a BoundQuery,
    options: &'a QueryOptions,
}

impl Runner<'_> {
    fn deepest<'r>(&self, rel: &'r Rel) -> &'r Rel {
        for input in inputs(rel) {
            if !self.has_rows(input) {
                return self.deepest(input);
            }
        }
        rel
    }

    fn has_rows(&self, rel: &Rel) -> bool {
        let results = vec![BoundResult { name: None, rel: rel.clone(), render: None }];
        let part = BoundQuery { results, ..self.bound.clone() };
        let output = self.engine.run_bound_blocking(&part, self.options);
        output.is_ok_and(|output| output.tables.iter().map(ResultTable::row_count).sum::<usize>() > 0)
    }
}

/// The inputs without whose rows an operator has none: of a union the last stands for all, and the sub-pipeline of an
/// operator reads nothing by itself.
fn inputs(rel: &Rel) -> Vec<&Rel> {
    let mut inputs = Vec::new();
    of_rel(rel, &mut |part| {
        if let Part::Input(input) = part {
            inputs.push(input);
        }
    });
    match rel.kind.as_ref() {
        RelKind::Union { .. } => inputs.split_off(inputs.len().saturating_sub(1)),
        RelKind::MvApply { .. } | RelKind::Partition { .. } => inputs.into_iter().take(1).collect(),
        _ => inputs,
    }
}
