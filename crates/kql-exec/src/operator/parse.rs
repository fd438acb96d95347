//! `parse`, `parse-where` and `parse-kv`: columns cut out of a text.

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::compute::filter;
use datafusion::common::Result;
use kql_functions::kernels::tabular::parse::Pattern;
use kql_functions::kernels::tabular::parse_kv::KeyValues;
use kql_plan::error::kernel_failure;
use kql_plan::node::{ParseKvSpec, ParseSpec};

use super::{Stage, StageInput};

pub(super) struct ParseStage {
    pattern: Pattern,
    filter: bool,
    ready: Option<(Vec<ArrayRef>, usize)>,
}

impl ParseStage {
    pub(super) fn new(spec: &ParseSpec) -> Result<ParseStage> {
        let pattern = Pattern::new(spec.mode, &spec.flags, &spec.parts, &spec.types).map_err(kernel_failure)?;
        Ok(ParseStage { pattern, filter: spec.filter, ready: None })
    }
}

impl Stage for ParseStage {
    fn push(&mut self, input: StageInput) -> Result<()> {
        let text = input.own_array(0)?;
        let parsed = self.pattern.parse(text.as_string_view()).map_err(kernel_failure)?;
        let mut columns = input.pass;
        columns.extend(parsed.columns);
        let mut rows = input.rows;
        if self.filter {
            rows = parsed.matched.true_count();
            columns = columns.iter().map(|column| Ok(filter(column, &parsed.matched)?)).collect::<Result<Vec<_>>>()?;
        }
        self.ready = Some((columns, rows));
        Ok(())
    }

    fn pull(&mut self) -> Result<Option<(Vec<ArrayRef>, usize)>> {
        Ok(self.ready.take())
    }
}

pub(super) struct ParseKvStage {
    keys: KeyValues,
    ready: Option<(Vec<ArrayRef>, usize)>,
}

impl ParseKvStage {
    pub(super) fn new(spec: &ParseKvSpec) -> Result<ParseKvStage> {
        let keys = KeyValues::new(&spec.options, &spec.outputs).map_err(kernel_failure)?;
        Ok(ParseKvStage { keys, ready: None })
    }
}

impl Stage for ParseKvStage {
    fn push(&mut self, input: StageInput) -> Result<()> {
        let text = input.own_array(0)?;
        let mut columns = input.pass;
        columns.extend(self.keys.parse(text.as_string_view()).map_err(kernel_failure)?);
        self.ready = Some((columns, input.rows));
        Ok(())
    }

    fn pull(&mut self) -> Result<Option<(Vec<ArrayRef>, usize)>> {
        Ok(self.ready.take())
    }
}
