//! `join` and `lookup`: every left row against every right row.

use std::collections::{HashMap, HashSet};

use kql_semantics::bound::{Expr, JoinKind, Rel};
use kql_types::Value;

use crate::expr::Row;
use crate::value::key;
use crate::{Context, Done, Table};

impl Context<'_> {
    pub fn join(
        &self,
        rel: &Rel,
        sides: (&Rel, &Rel),
        kind: JoinKind,
        keys: &[(Expr, Expr)],
        condition: Option<&Expr>,
    ) -> Done<Table> {
        let (left, right) = (self.table(sides.0)?, self.table(sides.1)?);
        let left_keys = self.keys(&left, keys.iter().map(|(left, _)| left))?;
        let right_keys = self.keys(&right, keys.iter().map(|(_, right)| right))?;
        let mut by_key: HashMap<&[String], Vec<usize>> = HashMap::new();
        for (at, key) in right_keys.iter().enumerate() {
            by_key.entry(key).or_default().push(at);
        }
        let both = Table { columns: left.columns.iter().chain(&right.columns).cloned().collect(), rows: Vec::new() };
        let places = both.places();
        let missing =
            |table: &Table| -> Vec<Value> { table.columns.iter().map(|column| Value::missing(column.ty)).collect() };
        let mut rows: Vec<Vec<Value>> = Vec::new();
        let (mut seen, mut matched) = (HashSet::new(), HashSet::new());
        for (at, own) in left.rows.iter().enumerate() {
            if kind == JoinKind::InnerUnique && !seen.insert(left_keys[at].clone()) {
                continue;
            }
            let mut met = false;
            for place in by_key.get(left_keys[at].as_slice()).map(Vec::as_slice).unwrap_or_default() {
                let pair: Vec<Value> = own.iter().chain(&right.rows[*place]).cloned().collect();
                if let Some(condition) = condition
                    && !self.is_true(condition, Row { places: &places, rows: std::slice::from_ref(&pair), at: 0 })?
                {
                    continue;
                }
                met = true;
                matched.insert(*place);
                if !matches!(kind, JoinKind::LeftSemi | JoinKind::LeftAnti | JoinKind::RightSemi | JoinKind::RightAnti)
                {
                    rows.push(pair);
                }
            }
            match kind {
                JoinKind::LeftOuter | JoinKind::FullOuter if !met => {
                    rows.push(own.iter().cloned().chain(missing(&right)).collect());
                }
                JoinKind::LeftSemi if met => rows.push(own.clone()),
                JoinKind::LeftAnti if !met => rows.push(own.clone()),
                _ => {}
            }
        }
        for (at, own) in right.rows.iter().enumerate() {
            let met = matched.contains(&at);
            match kind {
                JoinKind::RightOuter | JoinKind::FullOuter if !met => {
                    rows.push(missing(&left).into_iter().chain(own.iter().cloned()).collect());
                }
                JoinKind::RightSemi if met => rows.push(own.clone()),
                JoinKind::RightAnti if !met => rows.push(own.clone()),
                _ => {}
            }
        }
        let columns = match kind {
            JoinKind::LeftSemi | JoinKind::LeftAnti => left.columns,
            JoinKind::RightSemi | JoinKind::RightAnti => right.columns,
            _ => both.columns,
        };
        self.pick(Table { columns, rows }, rel)
    }

    /// The keys of every row.
    pub fn keys<'e>(&self, table: &Table, exprs: impl Iterator<Item = &'e Expr> + Clone) -> Done<Vec<Vec<String>>> {
        let places = table.places();
        (0..table.rows.len())
            .map(|at| {
                let row = Row { places: &places, rows: &table.rows, at };
                exprs.clone().map(|expr| Ok(key(&self.value(expr, row)?))).collect()
            })
            .collect()
    }
}
