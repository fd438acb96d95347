//! How the rows of files are dealt out to partitions.
//!
//! Row groups that no row of a filter can be in are left out first, so that what is left is dealt out evenly: a file by
//! time has the last day in its last row groups. Shares are even by the bytes of the columns read; a row group is cut
//! where that pays.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileGroup;
use datafusion::datasource::physical_plan::ParquetFileMetrics;
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess, RowGroupAccessPlanFilter};
use datafusion::logical_expr::Expr;
use datafusion::parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use datafusion::parquet::file::metadata::RowGroupMetaData;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;

use crate::ScanColumn;
use crate::file::FilePart;
use crate::pruning::predicate_of_all;

/// A row group is not cut into smaller pieces: starting a reader costs as much.
const PIECE_ROWS_MIN: u64 = 4_096;

/// A row group is cut when shares would be uneven by more than this part of them otherwise.
const UNEVEN_PART: u64 = 10;

/// What a scan reads of files that have the same columns.
pub(crate) struct Share<'a> {
    pub(crate) files: &'a [Arc<FilePart>],
    /// Names of the columns read.
    pub(crate) read: HashSet<&'a str>,
    /// What every row of interest passes, over the columns of the table.
    pub(crate) filters: &'a [Expr],
    pub(crate) columns: &'a [ScanColumn],
    /// Rows are numbered by file: files carry their source, and row groups are read whole.
    pub(crate) numbered: bool,
}

/// Files dealt out, and the number of rows in them.
pub(crate) struct Shares {
    pub(crate) groups: Vec<FileGroup>,
    pub(crate) rows: u64,
}

/// A row group that may hold rows of interest.
struct Unit {
    file: usize,
    group: usize,
    rows: u64,
    weight: u64,
}

/// Rows of a row group.
struct Piece {
    file: usize,
    group: usize,
    rows: Range<u64>,
    whole: bool,
}

impl Share<'_> {
    /// At most `partitions` groups of files.
    pub(crate) fn deal(&self, partitions: usize) -> Shares {
        let mut units = Vec::new();
        for (index, file) in self.files.iter().enumerate() {
            let kept = self.kept_groups(file);
            for (group, described) in file.metadata.row_groups().iter().enumerate() {
                if kept.as_ref().is_some_and(|kept| !kept.should_scan(group)) {
                    continue;
                }
                let rows = u64::try_from(described.num_rows()).unwrap_or(0);
                units.push(Unit { file: index, group, rows, weight: self.weight(described).max(rows).max(1) });
            }
        }
        let rows = units.iter().map(|unit| unit.rows).sum();
        let groups = pieces(&units, partitions.max(1), !self.numbered)
            .iter()
            .map(|pieces| FileGroup::new(self.partitioned(pieces)))
            .collect();
        Shares { groups, rows }
    }

    /// The row groups of a file that the filters do not rule out; None when they say nothing. A file of one row group is
    /// left to its reader, which asks the same.
    fn kept_groups(&self, file: &FilePart) -> Option<ParquetAccessPlan> {
        let groups = file.metadata.row_groups();
        if groups.len() < 2 {
            return None;
        }
        let predicate = predicate_of_all(self.filters, self.columns, file, &file.schema)?;
        let pruning = PruningPredicateBuilder::new().with_file_schema(Arc::clone(&file.schema)).build(predicate)?;
        let mut kept = RowGroupAccessPlanFilter::new(ParquetAccessPlan::new_all(groups.len()));
        // What is counted here would be counted again when the file is read.
        let metrics = ParquetFileMetrics::new(0, "", &ExecutionPlanMetricsSet::new());
        let parquet = file.metadata.file_metadata().schema_descr();
        kept.prune_by_statistics(&file.schema, parquet, groups, &pruning, &metrics);
        Some(kept.build())
    }

    /// Bytes of the columns read, unpacked.
    fn weight(&self, group: &RowGroupMetaData) -> u64 {
        let schema = group.schema_descr();
        let bytes = group.columns().iter().enumerate().filter_map(|(leaf, column)| {
            let read = self.read.contains(schema.get_column_root(leaf).name());
            read.then(|| u64::try_from(column.uncompressed_size()).unwrap_or(0))
        });
        bytes.sum()
    }

    /// The pieces of one partition by file.
    fn partitioned(&self, pieces: &[Piece]) -> Vec<PartitionedFile> {
        let mut files = Vec::new();
        let mut rest = pieces;
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|piece| piece.file == first.file).count();
            let (of_file, after) = rest.split_at(count);
            rest = after;
            if let Some(file) = self.files.get(first.file) {
                files.push(self.partitioned_file(file, of_file));
            }
        }
        files
    }

    fn partitioned_file(&self, file: &FilePart, pieces: &[Piece]) -> PartitionedFile {
        let path = file.path.to_string_lossy().into_owned();
        let mut partitioned = PartitionedFile::new(path, file.bytes);
        partitioned.extensions.insert(FilePart::clone(file));
        let groups = file.metadata.row_groups();
        if pieces.len() < groups.len() || pieces.iter().any(|piece| !piece.whole) {
            let mut plan = ParquetAccessPlan::new_none(groups.len());
            for piece in pieces {
                let rows = groups.get(piece.group).map_or(0, |group| u64::try_from(group.num_rows()).unwrap_or(0));
                plan.set(piece.group, access(piece, rows));
            }
            partitioned.extensions.insert(plan);
        }
        if self.numbered {
            let high = tables::pack_source(file.source.unwrap_or(0), 0);
            partitioned.partition_values = vec![ScalarValue::Int64(Some(high))];
        }
        partitioned
    }
}

fn access(piece: &Piece, rows: u64) -> RowGroupAccess {
    if piece.whole {
        return RowGroupAccess::Scan;
    }
    let count = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
    let (from, to) = (piece.rows.start, piece.rows.end);
    let selectors = vec![
        RowSelector::skip(count(from)),
        RowSelector::select(count(to - from)),
        RowSelector::skip(count(rows.saturating_sub(to))),
    ];
    RowGroupAccess::Selection(RowSelection::from(selectors))
}

/// Row groups in order, dealt out to at most `partitions` shares of about equal weight.
fn pieces(units: &[Unit], partitions: usize, cut: bool) -> Vec<Vec<Piece>> {
    let total: u64 = units.iter().map(|unit| unit.weight).sum();
    let mut shares: Vec<Vec<Piece>> = vec![Vec::new()];
    // The weight up to which the current share goes.
    let end_of = |share: usize| (u128::from(total) * share as u128 / partitions as u128) as u64;
    let mut before = 0;
    for unit in units {
        let mut from = 0;
        // Ends of shares that lie in this row group.
        while shares.len() < partitions && end_of(shares.len()) < before + unit.weight {
            let into = end_of(shares.len()).saturating_sub(before);
            let mut row = (u128::from(unit.rows) * u128::from(into) / u128::from(unit.weight)) as u64;
            // Both partitions read all bytes of a row group that is cut.
            let uneven = into.min(unit.weight - into) > total / partitions as u64 / UNEVEN_PART;
            if !cut || !uneven || row < from + PIECE_ROWS_MIN || unit.rows - row < PIECE_ROWS_MIN {
                // The nearer end of the row group; all of it when both are as near.
                row = if row * 2 < unit.rows { from } else { unit.rows };
            }
            push(&mut shares, unit, from..row);
            from = row;
            shares.push(Vec::new());
        }
        push(&mut shares, unit, from..unit.rows);
        before += unit.weight;
    }
    shares.retain(|share| !share.is_empty());
    shares
}

fn push(shares: &mut [Vec<Piece>], unit: &Unit, rows: Range<u64>) {
    if let Some(share) = shares.last_mut().filter(|_| !rows.is_empty()) {
        let whole = rows.start == 0 && rows.end == unit.rows;
        share.push(Piece { file: unit.file, group: unit.group, rows, whole });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(rows: &[u64]) -> Vec<Unit> {
        rows.iter().enumerate().map(|(group, rows)| Unit { file: 0, group, rows: *rows, weight: rows * 10 }).collect()
    }

    /// Per share: row group and rows of each piece.
    fn dealt(rows: &[u64], partitions: usize, cut: bool) -> Vec<Vec<(usize, u64, u64)>> {
        let shares = pieces(&units(rows), partitions, cut);
        let shown = |share: &Vec<Piece>| share.iter().map(|p| (p.group, p.rows.start, p.rows.end)).collect();
        shares.iter().map(shown).collect()
    }

    #[test]
    fn shares_are_even() {
        let k = 10_000;
        assert_eq!(dealt(&[k, k, k, k], 2, true), [[(0, 0, k), (1, 0, k)], [(2, 0, k), (3, 0, k)]]);
        assert_eq!(dealt(&[k, k, k], 2, true), [vec![(0, 0, k), (1, 0, k / 2)], vec![(1, k / 2, k), (2, 0, k)]]);
        assert_eq!(dealt(&[k * 9, k * 9, k], 2, true), [vec![(0, 0, k * 9)], vec![(1, 0, k * 9), (2, 0, k)]]);
        assert_eq!(dealt(&[k, k, k], 2, false), [vec![(0, 0, k), (1, 0, k)], vec![(2, 0, k)]]);
        assert_eq!(dealt(&[k * 4], 4, true).len(), 4);
    }

    #[test]
    fn small_row_groups_stay_whole() {
        assert_eq!(dealt(&[5_000], 2, true), [[(0, 0, 5_000)]]);
        assert_eq!(dealt(&[100, 100, 100], 8, true).len(), 3);
        assert!(dealt(&[], 2, true).is_empty());
        assert!(dealt(&[0], 2, true).is_empty());
    }

    #[test]
    fn every_row_comes_once() {
        for rows in [&[9_000, 1, 130_000, 0, 4_096, 8_192][..], &[1][..], &[50_000, 50_000][..]] {
            for partitions in 1..9 {
                for cut in [false, true] {
                    let mut next = vec![0; rows.len()];
                    for (group, from, to) in dealt(rows, partitions, cut).into_iter().flatten() {
                        assert_eq!(next[group], from);
                        next[group] = to;
                    }
                    assert_eq!(next, rows);
                }
            }
        }
    }
}
