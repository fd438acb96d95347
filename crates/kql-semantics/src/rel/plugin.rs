//! `evaluate`: plugins, by name, with the columns they give.
//!
//! Columns that depend on the data (`bag_unpack`, `pivot`) come from [`crate::Catalog::open_columns`] when it knows
//! them, from a schema written after the call, or stay open.

use kql_syntax::ast::{self, ColumnDecl, Name};
use kql_types::{ScalarType, Span, Value};

use crate::binder::{Binder, Context};
use crate::bound::{BoundColumn, Expr, ExprKind, PluginArg, RelKind};
use crate::expr::{Bound, unwrapped};
use crate::scope::{Row, Table};

/// How the columns of a plugin come about.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// Known columns, then those of the input.
    Before(&'static [(&'static str, ScalarType)]),
    /// Known columns alone.
    Only(&'static [(&'static str, ScalarType)]),
    /// Columns named by arguments from this index on (and the one before it, if any), then known ones.
    Named {
        timeline: Option<usize>,
        dimensions: usize,
        then: &'static [(&'static str, ScalarType)],
    },
    Input,
    /// The columns of the input, then `s0`, `s1`, ... for each argument.
    Intersections,
    BagUnpack,
    Pivot,
    Lookup,
    RollingPercentile,
    NewActivity,
    FunnelSequence,
    FunnelCompletion,
    /// Known columns, then those of the input but the one that splits it.
    Split(&'static [(&'static str, ScalarType)]),
    /// Dimensions, then the time of each step, then the duration.
    SequenceDetect,
    /// Known only at run time.
    Open,
}

use ScalarType::{Dynamic, Long, Real, String as Text, TimeSpan};

const SEGMENTS: &[(&str, ScalarType)] = &[("SegmentId", Long), ("Count", Long), ("Percent", Real)];

static PLUGINS: &[(&str, Shape)] = &[
    ("active_users_count", Shape::Named { timeline: Some(1), dimensions: 8, then: &[("dcount", Long)] }),
    (
        "activity_counts_metrics",
        Shape::Named {
            timeline: Some(1),
            dimensions: 5,
            then: &[("count", Long), ("dcount", Long), ("new_dcount", Long), ("aggregated_dcount", Long)],
        },
    ),
    (
        "activity_engagement",
        Shape::Named {
            timeline: Some(1),
            dimensions: 2,
            then: &[("dcount_activities_inner", Long), ("dcount_activities_outer", Long), ("activity_ratio", Real)],
        },
    ),
    (
        "activity_metrics",
        Shape::Named {
            timeline: Some(1),
            dimensions: 2,
            then: &[
                ("dcount_values", Long),
                ("dcount_newvalues", Long),
                ("retention_rate", Real),
                ("churn_rate", Real),
            ],
        },
    ),
    ("ai_chat_completion", Shape::Open),
    ("ai_chat_completion_prompt", Shape::Open),
    ("ai_embed_text", Shape::Open),
    ("ai_embeddings", Shape::Open),
    ("autocluster", Shape::Before(SEGMENTS)),
    ("autocluster_v2", Shape::Before(SEGMENTS)),
    ("azure_digital_twins_query_request", Shape::Open),
    ("bag_unpack", Shape::BagUnpack),
    ("basket", Shape::Before(SEGMENTS)),
    ("cosmosdb_sql_request", Shape::Open),
    ("csharp", Shape::Open),
    ("dax_request", Shape::Open),
    ("dcount_intersect", Shape::Intersections),
    (
        "diffpatterns",
        Shape::Split(&[
            ("SegmentId", Long),
            ("CountA", Long),
            ("CountB", Long),
            ("PercentA", Real),
            ("PercentB", Real),
            ("PercentDiffAB", Real),
        ]),
    ),
    ("estimate_rows_count", Shape::Only(&[("EstimatedRowsCount", Long)])),
    ("execute_query", Shape::Open),
    ("execute_show_command", Shape::Open),
    ("external_datatable", Shape::Open),
    ("funnel_sequence", Shape::FunnelSequence),
    ("funnel_sequence_completion", Shape::FunnelCompletion),
    ("geo_line_lookup", Shape::Lookup),
    ("geo_polygon_lookup", Shape::Lookup),
    ("http_request", Shape::Only(&[("ResponseHeaders", Dynamic), ("ResponseBody", Dynamic)])),
    ("http_request_post", Shape::Only(&[("ResponseHeaders", Dynamic), ("ResponseBody", Dynamic)])),
    ("identity", Shape::Input),
    ("identity_v3", Shape::Input),
    ("infer_storage_schema", Shape::Only(&[("CslSchema", Text)])),
    ("infer_storage_schema_with_suggestions", Shape::Only(&[("CslSchema", Text)])),
    ("ipv4_lookup", Shape::Lookup),
    ("ipv6_lookup", Shape::Lookup),
    ("mysql_request", Shape::Open),
    ("narrow", Shape::Only(&[("Row", Long), ("Column", Text), ("Value", Text)])),
    ("new_activity_metrics", Shape::NewActivity),
    ("pivot", Shape::Pivot),
    ("postgresql_request", Shape::Open),
    ("preview", Shape::Input),
    ("python", Shape::Open),
    ("r", Shape::Open),
    ("rolling_percentile", Shape::RollingPercentile),
    ("rows_near", Shape::Input),
    (
        "schema_merge",
        Shape::Only(&[("ColumnName", Text), ("ColumnOrdinal", Long), ("DataType", Text), ("ColumnType", Text)]),
    ),
    ("sequence_detect", Shape::SequenceDetect),
    ("session_count", Shape::Named { timeline: Some(1), dimensions: 6, then: &[("count_sessions", Long)] }),
    (
        "sliding_window_counts",
        Shape::Named { timeline: Some(1), dimensions: 6, then: &[("Count", Long), ("Dcount", Long)] },
    ),
    ("sql_request", Shape::Open),
];

/// Whether there is a plugin of this name.
pub(crate) fn is_plugin(name: &str) -> bool {
    PLUGINS.iter().any(|(known, _)| *known == name)
}

/// One bound argument, as the shapes need it.
struct Argument {
    expr: Option<Expr>,
    /// The column of the input that it plainly is.
    column: Option<BoundColumn>,
    table: Option<Table>,
    /// The column inside an aggregate: `any(x)`.
    aggregated: Option<BoundColumn>,
    /// `name = value`.
    name: Option<String>,
}

impl Binder<'_> {
    pub(super) fn evaluate(
        &mut self,
        input: Option<Table>,
        call: &ast::Expr,
        schema: Option<&[ColumnDecl]>,
        schema_open: bool,
        span: Span,
    ) -> Table {
        let (name, args): (&Name, &[ast::Expr]) = match &unwrapped(call).kind {
            ast::ExprKind::Call { name, args } => (name, args),
            ast::ExprKind::Name(name) => (name, &[]),
            _ => {
                self.error("KS128", call.span, "A function is expected.");
                return self.no_table(span);
            }
        };
        let Some((plugin, shape)) = PLUGINS.iter().find(|(known, _)| *known == name.text) else {
            self.error("KS124", name.span, format!("The plug-in function '{}' is not defined.", name.text));
            return self.no_table(span);
        };
        let has_input = input.is_some();
        let input = input.unwrap_or_else(|| Table::new(self.rel(RelKind::OneRow, Vec::new(), false, span)));
        let (input, arguments) =
            self.with_row(input, |b, input| b.plugin_arguments(args, matches!(shape, Shape::Lookup), input));
        let (mut columns, mut open) = self.plugin_columns(plugin, *shape, &input, &arguments);
        if let Some(schema) = schema {
            let declared = self.declared_columns(schema);
            columns = if schema_open { with_declared(columns, declared) } else { declared };
            open = false;
        } else if open && let Some(found) = self.catalog.open_columns(span) {
            // Still open: a name that this run's data does not have is null, as in an empty table.
            columns = found.into_iter().map(|column| self.new_column(column.name, column.ty)).collect();
        }
        let open = open || (input.open && matches!(shape, Shape::Input | Shape::Before(_) | Shape::Split(_)));
        let bound_args =
            args.iter().zip(arguments).map(|(written, argument)| bound_argument(written, argument)).collect();
        let input = has_input.then_some(input.rel);
        let kind = RelKind::Plugin { name: (*plugin).to_string(), input, args: bound_args };
        Table { open, ..Table::new(self.rel(kind, columns, false, span)) }
    }

    /// The arguments; those of a lookup may name columns of its table.
    fn plugin_arguments(&mut self, args: &[ast::Expr], lookup: bool, input: &Table) -> Vec<Argument> {
        let mut bound = Vec::with_capacity(args.len());
        for (index, arg) in args.iter().enumerate() {
            let argument = self.plugin_argument(arg, input);
            if lookup && index == 0 {
                self.right_row = argument.table.as_ref().map(Row::of);
            }
            bound.push(argument);
        }
        bound
    }

    fn plugin_argument(&mut self, arg: &ast::Expr, input: &Table) -> Argument {
        let (value, name) = match &arg.kind {
            ast::ExprKind::Named { value, names, .. } => (&**value, names.first().map(|name| name.text.clone())),
            _ => (arg, None),
        };
        let mut argument = Argument { expr: None, column: None, table: None, aggregated: None, name };
        if let ast::ExprKind::TypeOf(items) = &unwrapped(value).kind {
            if let [ast::TypeOfItem::Type(_)] = items.as_slice() {
                argument.expr = Some(self.bind_typeof(items, value.span));
            }
            return argument;
        }
        let outer = std::mem::take(&mut self.aggregates);
        let names_table = match &unwrapped(value).kind {
            ast::ExprKind::Name(name) => {
                let is_column = input.rel.columns.iter().any(|column| *column.name == *name.text);
                !is_column && self.scope.find(&name.text).is_none() && self.catalog.table(&name.text).is_some()
            }
            _ => false,
        };
        let bound = if names_table {
            Bound::Table(self.without_row(|b| b.table(value)))
        } else {
            self.in_context(Context::Aggregate, |b| b.bind(value))
        };
        let aggregates = std::mem::replace(&mut self.aggregates, outer);
        match bound {
            Bound::Scalar(expr) => {
                if let ExprKind::Column(id) = expr.kind {
                    argument.column = input
                        .rel
                        .columns
                        .iter()
                        .chain(self.row.iter().flat_map(|row: &Row| &row.inferred))
                        .find(|column| column.id == id)
                        .cloned();
                }
                argument.expr = Some(expr);
            }
            Bound::Table(table) => argument.table = Some(table),
            Bound::Tuple(tuple) => argument.expr = Some(tuple.first(self, value.span)),
            _ => {}
        }
        if let Some(crate::bound::SummarizeItem::Aggregate { call, .. }) = aggregates.first() {
            if let Some(ExprKind::Column(id)) = call.args.first().map(|arg| &arg.kind) {
                argument.aggregated = input.rel.columns.iter().find(|column| column.id == *id).cloned();
            }
            // The aggregate travels as text: the plugin computes it over its own groups.
            argument.expr = Some(aggregate_name(call.aggregate.name, argument.aggregated.as_ref(), value.span));
        }
        argument
    }

    fn plugin_columns(
        &mut self,
        plugin: &str,
        shape: Shape,
        input: &Table,
        args: &[Argument],
    ) -> (Vec<BoundColumn>, bool) {
        let of_input = || input.rel.columns.clone();
        let column = |index: usize| args.get(index).and_then(|arg| arg.column.clone());
        let columns = match shape {
            Shape::Before(known) => {
                let mut columns = self.new_columns(known);
                columns.extend(of_input());
                crate::rel::join::unique_names(columns)
            }
            Shape::Split(known) => {
                let split = column(0).map(|column| column.id);
                let mut columns = self.new_columns(known);
                columns.extend(of_input().into_iter().filter(|column| Some(column.id) != split));
                crate::rel::join::unique_names(columns)
            }
            Shape::SequenceDetect => self.sequence_columns(args),
            Shape::Only(known) => self.new_columns(known),
            Shape::Input => of_input(),
            Shape::Intersections => {
                let mut columns = of_input();
                columns.extend((0..args.len()).map(|index| self.new_column(format!("s{index}"), Long)));
                columns
            }
            Shape::Named { timeline, dimensions, then } => {
                let mut columns: Vec<BoundColumn> = timeline.and_then(column).into_iter().collect();
                columns.extend(args.iter().skip(dimensions).filter_map(|arg| arg.column.clone()));
                columns.extend(self.new_columns(then));
                columns
            }
            Shape::BagUnpack => {
                let bag = column(0).map(|column| column.id);
                return (of_input().into_iter().filter(|column| Some(column.id) != bag).collect(), true);
            }
            Shape::Pivot => {
                let named: Vec<BoundColumn> = args.iter().skip(2).filter_map(|arg| arg.column.clone()).collect();
                if !named.is_empty() {
                    return (named, true);
                }
                let pivot = column(0).map(|column| column.id);
                let aggregated = args.get(1).and_then(|arg| arg.aggregated.as_ref()).map(|column| column.id);
                let rest = of_input()
                    .into_iter()
                    .filter(|column| Some(column.id) != pivot && Some(column.id) != aggregated)
                    .collect();
                return (rest, true);
            }
            Shape::Lookup => {
                let mut columns = of_input();
                let geospatial = hides_key(plugin, args);
                if let Some(table) = args.first().and_then(|arg| arg.table.as_ref()) {
                    // `return_lookup_key` of the geospatial lookups; the others show the key.
                    let key = |column: &BoundColumn| {
                        let is = |arg: &Argument| {
                            arg.expr
                                .as_ref()
                                .is_some_and(|expr| matches!(expr.kind, ExprKind::Column(id) if id == column.id))
                        };
                        geospatial && args.iter().any(is)
                    };
                    columns.extend(table.rel.columns.iter().filter(|column| !key(column)).cloned());
                    return (crate::rel::join::unique_names(columns), table.open || input.open);
                }
                columns
            }
            Shape::RollingPercentile => self.rolling_percentile_columns(args),
            Shape::NewActivity => self.new_activity_columns(args),
            Shape::FunnelSequence => {
                let mut columns: Vec<BoundColumn> = column(1).into_iter().collect();
                if let Some(state) = column(6) {
                    columns.push(self.new_column("prev", state.ty));
                    columns.push(self.new_column("next", state.ty));
                }
                columns.extend(self.new_columns(&[("dcount", Long), ("samples", Dynamic)]));
                columns
            }
            Shape::FunnelCompletion => {
                let mut columns: Vec<BoundColumn> = column(1).into_iter().collect();
                if let Some(state) = column(5) {
                    columns.push(self.new_column(state.name, Text));
                }
                columns.extend(self.new_columns(&[("Period", TimeSpan), ("dcount", Long)]));
                columns
            }
            Shape::Open => return (Vec::new(), true),
        };
        (columns, false)
    }

    /// The bounds of a step, the dimensions, and the counts of what is new and stays.
    fn new_activity_columns(&mut self, args: &[Argument]) -> Vec<BoundColumn> {
        let mut columns = Vec::new();
        if let Some(time) = args.get(1).and_then(|arg| arg.column.clone()) {
            columns.push(self.new_column(format!("from_{}", time.name), time.ty));
            columns.push(self.new_column(format!("to_{}", time.name), time.ty));
        }
        columns.extend(args.iter().skip(5).filter_map(|arg| arg.column.clone()));
        columns.extend(self.new_columns(&[
            ("dcount_new_values", Long),
            ("dcount_retained_values", Long),
            ("dcount_churn_values", Long),
            ("retention_rate", Real),
            ("churn_rate", Real),
        ]));
        columns
    }

    /// The dimensions, `NAME_TIMELINE` for each condition, then `Duration`.
    fn sequence_columns(&mut self, args: &[Argument]) -> Vec<BoundColumn> {
        let Some(timeline) = args.first().and_then(|arg| arg.column.clone()) else { return Vec::new() };
        let is_step = |arg: &&Argument| arg.expr.as_ref().is_some_and(|expr| expr.ty == ScalarType::Bool);
        let mut columns: Vec<BoundColumn> =
            args.iter().skip(3).filter(|arg| !is_step(arg)).filter_map(|arg| arg.column.clone()).collect();
        for (index, step) in args.iter().skip(3).filter(is_step).enumerate() {
            let name = step.name.clone().unwrap_or_else(|| format!("Step{}", index + 1));
            columns.push(self.new_column(format!("{name}_{}", timeline.name), timeline.ty));
        }
        let span = if timeline.ty == ScalarType::DateTime { TimeSpan } else { timeline.ty };
        columns.push(self.new_column("Duration", span));
        columns
    }

    /// The bin and dimension columns, then `rolling_BINS_percentile_VALUE_PERCENTILE`.
    fn rolling_percentile_columns(&mut self, args: &[Argument]) -> Vec<BoundColumn> {
        let column = |index: usize| args.get(index).and_then(|arg| arg.column.clone());
        let text = |index: usize| {
            args.get(index).and_then(|arg| arg.expr.as_ref()).and_then(crate::constant::value).map(
                |value| match value {
                    Value::Long(n) => n.to_string(),
                    Value::Real(x) => x.to_string(),
                    _ => "0".to_string(),
                },
            )
        };
        let value = column(0);
        let value_name = value.as_ref().map_or("value".to_string(), |column| column.name.to_string());
        let ty = value.map_or(Long, |column| column.ty);
        let mut columns: Vec<BoundColumn> = column(2).into_iter().collect();
        columns.extend(args.iter().skip(5).filter_map(|arg| arg.column.clone()));
        let bins = text(4).unwrap_or_else(|| "0".to_string());
        let percentile = text(1).unwrap_or_else(|| "0".to_string());
        columns.push(self.new_column(format!("rolling_{bins}_percentile_{value_name}_{percentile}"), ty));
        columns
    }

    fn new_columns(&mut self, known: &[(&str, ScalarType)]) -> Vec<BoundColumn> {
        known.iter().map(|(name, ty)| self.new_column(*name, *ty)).collect()
    }
}

/// Whether a lookup leaves out the column that it matched by.
fn hides_key(plugin: &str, args: &[Argument]) -> bool {
    let shown = args.iter().any(|arg| {
        let value = arg.expr.as_ref().and_then(crate::constant::value);
        arg.name.as_deref() == Some("return_lookup_key") && matches!(value, Some(Value::Bool(true)))
    });
    plugin.starts_with("geo_") && !shown
}

/// `any(Value)` as the text `any(Value)`.
fn aggregate_name(name: &str, column: Option<&BoundColumn>, span: Span) -> Expr {
    let text = format!("{name}({})", column.map_or("", |column| &*column.name));
    crate::binder::literal(Value::String(text), span)
}

fn bound_argument(written: &ast::Expr, argument: Argument) -> PluginArg {
    let arg = match (argument.table, argument.expr) {
        (Some(table), _) => PluginArg::Rel(table.rel),
        (None, Some(Expr { kind: ExprKind::Literal(value), .. })) => PluginArg::Value(value),
        (None, Some(expr)) => PluginArg::Expr(expr),
        (None, None) => PluginArg::Value(Value::Null(ScalarType::Dynamic)),
    };
    match &written.kind {
        ast::ExprKind::Named { names, .. } => match names.first() {
            Some(name) => PluginArg::Named(name.text.clone(), Box::new(arg)),
            None => arg,
        },
        _ => arg,
    }
}

/// `(*, a:long)`: the plugin's own columns, then declared ones.
fn with_declared(mut columns: Vec<BoundColumn>, declared: Vec<BoundColumn>) -> Vec<BoundColumn> {
    for column in declared {
        match columns.iter_mut().find(|known| known.name == column.name) {
            Some(known) => *known = column,
            None => columns.push(column),
        }
    }
    columns
}
