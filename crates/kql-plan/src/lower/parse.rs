//! `parse`, `parse-where`, `parse-kv`.

use kql_functions::kernels::tabular::{parse, parse_kv};
use kql_semantics::bound::{BoundColumn, ColumnId, Expr, ParseMode, ParsePart, Rel};
use kql_types::{ScalarType, Value};

use crate::error::{LowerError, LowerResult};
use crate::lower::{Lowered, Lowering, column, column_name};
use crate::node::{KqlNode, Op, ParseKvSpec, ParseSpec};
use crate::value::arrow_type;
use kql_semantics::walk::{ColumnSet, columns_of};

/// A `parse` as it was bound.
pub(super) struct Parse<'p> {
    pub expr: &'p Expr,
    pub mode: ParseMode,
    pub flags: &'p str,
    pub parts: &'p [ParsePart],
    pub outputs: &'p [(ColumnId, ScalarType)],
    pub filter: bool,
}

impl Lowering<'_> {
    pub(super) fn lower_parse(&mut self, input: &Rel, parse: &Parse<'_>, needed: &ColumnSet) -> LowerResult<Lowered> {
        let spec = ParseSpec {
            mode: match parse.mode {
                ParseMode::Simple => parse::Mode::Simple,
                ParseMode::Relaxed => parse::Mode::Relaxed,
                ParseMode::Regex => parse::Mode::Regex,
            },
            flags: parse.flags.to_owned(),
            parts: parse
                .parts
                .iter()
                .map(|part| match part {
                    ParsePart::Star => parse::Part::Star,
                    ParsePart::Text(text) => parse::Part::Text(text.clone()),
                    ParsePart::Column(index) => parse::Part::Column(*index),
                })
                .collect(),
            types: parse.outputs.iter().map(|(_, ty)| *ty).collect(),
            filter: parse.filter,
        };
        let checked = parse::Pattern::new(spec.mode, &spec.flags, &spec.parts, &spec.types);
        checked.map_err(|error| LowerError::Constant { message: error.0, span: parse.expr.span })?;
        let outputs = parse.outputs.iter().map(|(id, ty)| (*id, *ty)).collect();
        self.cut(input, parse.expr, Op::Parse(spec), outputs, needed)
    }

    pub(super) fn lower_parse_kv(
        &mut self,
        input: &Rel,
        expr: &Expr,
        options: &[(String, Value)],
        outputs: &[(ColumnId, String, ScalarType)],
        needed: &ColumnSet,
    ) -> LowerResult<Lowered> {
        let mut spec = ParseKvSpec {
            options: parse_kv::Options::default(),
            outputs: outputs.iter().map(|(_, name, ty)| (name.clone(), *ty)).collect(),
        };
        for (name, value) in options {
            let text = || match value {
                Value::String(text) => Some(text.clone()),
                _ => None,
            };
            match name.as_str() {
                "pair_delimiter" => spec.options.pair_delimiter = text(),
                "kv_delimiter" => spec.options.kv_delimiter = text(),
                "quote" => spec.options.quote = text(),
                "escape" => spec.options.escape = text().and_then(|text| text.chars().next()),
                "regex" => spec.options.regex = text(),
                "greedy" => spec.options.greedy = matches!(value, Value::Bool(true)),
                _ => {}
            }
        }
        let checked = parse_kv::KeyValues::new(&spec.options, &spec.outputs);
        checked.map_err(|error| LowerError::Constant { message: error.0, span: expr.span })?;
        let outputs = outputs.iter().map(|(id, _, ty)| (*id, *ty)).collect();
        self.cut(input, expr, Op::ParseKv(spec), outputs, needed)
    }

    /// An operator that adds columns made of one text.
    fn cut(
        &mut self,
        input: &Rel,
        expr: &Expr,
        op: Op,
        outputs: Vec<(ColumnId, ScalarType)>,
        needed: &ColumnSet,
    ) -> LowerResult<Lowered> {
        let passes =
            |bound: &&BoundColumn| needed.contains(&bound.id) && !outputs.iter().any(|(id, _)| *id == bound.id);
        let keep: Vec<&BoundColumn> = input.columns.iter().filter(passes).collect();
        let mut wanted: ColumnSet = keep.iter().map(|bound| bound.id).collect();
        columns_of(expr, &mut wanted);
        let lowered = self.lower(input, &wanted)?;
        let text = self.expr(&lowered, expr)?;
        let text = if expr.ty == ScalarType::String {
            text
        } else {
            self.call_named("tostring", vec![text], vec![expr.ty], ScalarType::String, expr.span)?
        };
        let mut names: Vec<String> = Vec::new();
        for name in keep.iter().map(|bound| column_name(bound.id)).chain(lowered.carried()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let mut pass = Vec::with_capacity(names.len());
        for name in names {
            let ty = lowered.type_of(&name)?;
            let value = column(&name);
            pass.push((name, ty, value));
        }
        let added = outputs.iter().map(|(id, ty)| (column_name(*id), arrow_type(*ty))).collect();
        let plan = KqlNode::plan(op, Some(lowered.plan), pass, vec![text], added)?;
        Ok(Lowered { plan, ..lowered })
    }
}
