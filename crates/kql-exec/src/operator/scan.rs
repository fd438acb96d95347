//! `scan`: matches sequences of rows to steps.
//!
//! Every row is tried against the steps from the last to the first. A row that satisfies a step's condition either moves
//! the match of the step before into this step, or takes the place of this step's row in its match; a match of the first
//! step begins a new one. Optional steps may be left out. The state of a step holds the rows of all steps up to it. Rows are looked at one by one: the state
//! that a condition sees depends on the row before.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, new_empty_array};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::physical_expr::PhysicalExpr;
use kql_functions::kernels::tabular::window::part_starts;
use kql_plan::error::kernel_failure;
use kql_plan::node::Scan;
use kql_semantics::bound::ScanOutput;

use super::{Stage, StageInput};

/// One row of some columns: arrays of length one.
type Row = Vec<ArrayRef>;

/// A row that leaves the operator: what passes through, the declared columns, the number of its match.
#[derive(Clone)]
struct Found {
    pass: Row,
    declared: Row,
    match_id: i64,
}

/// A match as far as a step: for each step up to it the row's columns and declared columns, and the number of the match.
#[derive(Clone)]
struct Match {
    rows: Vec<Row>,
    id: i64,
}

pub(super) struct ScanStage {
    scan: Scan,
    /// Condition and assigned values of each step, in one row.
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    schema: SchemaRef,
    /// The places of [`Scan::inputs`] among the columns that pass through.
    inputs: Vec<usize>,
    defaults: Row,
    missing: Row,
    matches: Vec<Option<Match>>,
    /// For steps that give only their last row.
    pending: Vec<Option<Found>>,
    matched: i64,
    last: Vec<ArrayRef>,
    found: Vec<Found>,
    ready: Option<(Vec<ArrayRef>, usize)>,
}

impl ScanStage {
    /// `exprs` are, for each step, its condition and its assigned values, over the columns of [`Scan::schema`].
    pub(super) fn new(scan: &Scan, exprs: Vec<Arc<dyn PhysicalExpr>>, columns: &[String]) -> Result<ScanStage> {
        let place = |name: &String| columns.iter().position(|column| column == name);
        let Some(inputs) = scan.inputs.iter().map(place).collect::<Option<Vec<usize>>>() else {
            return internal_err!("scan lacks a column of its steps");
        };
        let row = |values: &[ScalarValue]| values.iter().map(|value| value.to_array()).collect::<Result<Row>>();
        let steps = scan.steps.len();
        Ok(ScanStage {
            schema: Arc::clone(scan.schema.inner()),
            inputs,
            defaults: row(&scan.defaults)?,
            missing: row(&scan.missing)?,
            scan: scan.clone(),
            exprs,
            matches: vec![None; steps],
            pending: vec![None; steps],
            matched: -1,
            last: Vec::new(),
            found: Vec::new(),
            ready: None,
        })
    }

    /// A new part begins: nothing is seen of the rows before.
    fn begin_part(&mut self) {
        self.matches.fill(None);
        for pending in &mut self.pending {
            self.found.extend(pending.take());
        }
    }

    /// Tries a row against all steps.
    fn row(&mut self, pass: &Row) -> Result<()> {
        let mut first_expr = self.exprs.len();
        for step in (0..self.scan.steps.len()).rev() {
            first_expr -= 1 + self.scan.steps.get(step).map_or(0, |step| step.assignments.len());
            if let Some((from, before)) = self.before(step)
                && let Some(declared) = self.try_step(step, first_expr, pass, Some(&before))?
            {
                self.advance(from, step, pass, declared, before);
                continue;
            }
            let here = self.matches.get(step).cloned().flatten();
            if (here.is_some() || self.may_skip(0, step))
                && let Some(declared) = self.try_step(step, first_expr, pass, here.as_ref())?
            {
                self.replace(step, pass, declared, here);
            }
        }
        Ok(())
    }

    /// The nearest match before a step, with only optional steps between.
    fn before(&self, step: usize) -> Option<(usize, Match)> {
        let found = |from: usize| Some((from, self.matches.get(from)?.clone()?));
        (0..step).rev().find_map(found).filter(|(from, _)| self.may_skip(from + 1, step))
    }

    /// Whether all steps from one up to another may be left out.
    fn may_skip(&self, from: usize, to: usize) -> bool {
        self.scan.steps.get(from..to).unwrap_or_default().iter().all(|step| step.optional)
    }

    /// The declared columns of a row if it satisfies the step's condition.
    fn try_step(&self, step: usize, first: usize, pass: &Row, state: Option<&Match>) -> Result<Option<Row>> {
        let mut columns = pass.clone();
        columns.extend(self.defaults.iter().cloned());
        for index in 0..self.scan.steps.len() {
            let row = state.and_then(|state| state.rows.get(index)).unwrap_or(&self.missing);
            columns.extend(row.iter().cloned());
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        let value = |offset: usize| match self.exprs.get(first + offset) {
            Some(expr) => expr.evaluate(&batch)?.into_array(1),
            None => internal_err!("a scan step lacks an expression"),
        };
        let condition = value(0)?;
        if !condition.as_boolean_opt().is_some_and(|holds| holds.is_valid(0) && holds.value(0)) {
            return Ok(None);
        }
        let mut declared = self.defaults.clone();
        let assignments = self.scan.steps.get(step).map_or(&[][..], |step| &step.assignments);
        for (offset, (index, _)) in assignments.iter().enumerate() {
            if let Some(slot) = declared.get_mut(*index) {
                *slot = value(offset + 1)?;
            }
        }
        Ok(Some(declared))
    }

    /// The columns that the state keeps of a row.
    fn kept(&self, pass: &Row, declared: &Row) -> Row {
        let inputs = self.inputs.iter().filter_map(|place| pass.get(*place));
        inputs.chain(declared).cloned().collect()
    }

    /// The match of a step before comes to this step.
    fn advance(&mut self, from: usize, step: usize, pass: &Row, declared: Row, mut state: Match) {
        if let Some(slot) = self.matches.get_mut(from) {
            *slot = None;
        }
        // The sequence that ends here, and the step that it leaves, have had their last rows.
        self.flush(from);
        self.flush(step);
        state.rows.truncate(from + 1);
        state.rows.resize(step, self.missing.clone());
        state.rows.push(self.kept(pass, &declared));
        let id = state.id;
        if let Some(slot) = self.matches.get_mut(step) {
            *slot = Some(state);
        }
        self.give(step, pass, declared, id);
    }

    /// The row takes the place of this step's in its match, or begins a match.
    fn replace(&mut self, step: usize, pass: &Row, declared: Row, state: Option<Match>) {
        let kept = self.kept(pass, &declared);
        let state = match state.filter(|_| step > 0) {
            Some(mut state) => {
                state.rows.truncate(step);
                state.rows.push(kept);
                state
            }
            None => {
                self.matched += 1;
                let mut rows = vec![self.missing.clone(); step];
                rows.push(kept);
                Match { rows, id: self.matched }
            }
        };
        let id = state.id;
        if let Some(slot) = self.matches.get_mut(step) {
            *slot = Some(state);
        }
        self.give(step, pass, declared, id);
    }

    fn give(&mut self, step: usize, pass: &Row, declared: Row, match_id: i64) {
        let found = Found { pass: pass.clone(), declared, match_id };
        match self.scan.steps.get(step).map(|step| step.output) {
            Some(ScanOutput::All) => self.found.push(found),
            Some(ScanOutput::Last) => {
                if let Some(slot) = self.pending.get_mut(step) {
                    *slot = Some(found);
                }
            }
            _ => {}
        }
    }

    fn flush(&mut self, step: usize) {
        self.found.extend(self.pending.get_mut(step).and_then(Option::take));
    }

    /// Joins the rows found to columns.
    fn release(&mut self) -> Result<()> {
        let found = std::mem::take(&mut self.found);
        let Some(first) = found.first() else { return Ok(()) };
        let (passed, declared) = (first.pass.len(), first.declared.len());
        let mut columns = Vec::with_capacity(passed + declared + 1);
        for index in 0..passed {
            columns.push(joined(found.iter().filter_map(|row| row.pass.get(index)))?);
        }
        for index in 0..declared {
            columns.push(joined(found.iter().filter_map(|row| row.declared.get(index)))?);
        }
        if self.scan.match_id {
            columns.push(Arc::new(found.iter().map(|row| row.match_id).collect::<Int64Array>()) as ArrayRef);
        }
        self.ready = Some((columns, found.len()));
        Ok(())
    }
}

fn joined<'a>(rows: impl Iterator<Item = &'a ArrayRef>) -> Result<ArrayRef> {
    let parts: Vec<&dyn Array> = rows.map(|row| row.as_ref()).collect();
    match parts.as_slice() {
        [] => Ok(new_empty_array(&datafusion::arrow::datatypes::DataType::Null)),
        parts => {
            let column = concat(parts)?;
            // Each row brought the buffers of its whole batch; kept, they would multiply from scan to scan.
            Ok(match column.as_string_view_opt() {
                Some(texts) if texts.data_buffers().len() > 1 => Arc::new(texts.gc()),
                _ => column,
            })
        }
    }
}

impl Stage for ScanStage {
    fn push(&mut self, input: StageInput) -> Result<()> {
        let rows = input.rows;
        let keys = (0..self.scan.keys).map(|index| input.own_array(index)).collect::<Result<Vec<ArrayRef>>>()?;
        let starts = match keys.is_empty() {
            true => None,
            false => Some(part_starts(&keys, &mut self.last, rows).map_err(kernel_failure)?),
        };
        for row in 0..rows {
            if starts.as_ref().is_some_and(|starts| starts.value(row)) {
                self.begin_part();
            }
            let pass: Row = input.pass.iter().map(|column| column.slice(row, 1)).collect();
            self.row(&pass)?;
        }
        self.release()
    }

    fn finish(&mut self) -> Result<()> {
        self.begin_part();
        self.release()
    }

    fn pull(&mut self) -> Result<Option<(Vec<ArrayRef>, usize)>> {
        Ok(self.ready.take())
    }

    fn size(&self) -> usize {
        // States hold slices of batches; count each kept row as a page.
        let rows: usize = self.matches.iter().flatten().map(|state| state.rows.len()).sum();
        (rows + self.pending.iter().flatten().count()) * 4096
    }
}
