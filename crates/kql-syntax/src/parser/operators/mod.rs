//! The query operators: which keyword starts which, and the shape that they share.
//!
//! Each group of operators has a file. Start at [`Parser::operator`].

mod columns;
mod expand;
mod graph;
mod join;
mod partition;
mod pattern;
mod render;
mod rows;
mod scan;
mod search;
mod series;
mod summarize;
mod tables;
mod top;

use super::parameters::Equals;
use super::{Parsed, Parser, expr};
use crate::ast::{Expr, ExprKind, Name, OpParam, Operator, OperatorKind, SubPipeline};
use crate::kind::SyntaxKind::{self, *};

/// What an operator's grammar gives: its kind and the parameters after its keyword.
type Body = (OperatorKind, Vec<OpParam>);

/// An operator without parameters.
fn plain(kind: OperatorKind) -> Body {
    (kind, Vec::new())
}

impl Parser<'_> {
    /// The operator whose keyword stands here.
    pub(super) fn operator(&mut self) -> Parsed<Operator> {
        let parse = self.grammar()?;
        let start = self.position;
        let keyword = self.bump_as_name();
        let (kind, params) = parse(self);
        Some(self.operator_node(start, keyword, kind, params))
    }

    fn operator_node(&mut self, start: usize, keyword: Name, kind: OperatorKind, params: Vec<OpParam>) -> Operator {
        self.node(SyntaxKind::Operator, start);
        Operator { kind, keyword, params, span: self.span_from(start) }
    }

    /// The grammar of what follows the keyword at this place.
    fn grammar(&self) -> Option<fn(&mut Self) -> Body> {
        Some(match self.kind() {
            AsKw => Self::as_operator,
            AssertSchemaKw => Self::assert_schema,
            ConsumeKw if !self.is_name_here() => Self::consume,
            CountKw if self.nth(1) != OpenParen && !self.is_name_here() => Self::count,
            DistinctKw if !self.is_name_here() => Self::distinct,
            EvaluateKw if !self.is_name_here() => Self::evaluate,
            InternalExecuteAndCacheKw => Self::execute_and_cache,
            ExtendKw if !self.is_name_here() => Self::extend,
            FacetKw if !self.is_name_here() => Self::facet,
            FilterKw | WhereKw if !self.is_name_here() => Self::where_operator,
            FindKw => Self::find,
            ForkKw if !self.is_name_here() => Self::fork,
            GetschemaKw if !self.is_name_here() => Self::getschema,
            GraphMarkComponentsKw => Self::graph_mark_components,
            GraphMatchKw => Self::graph_match,
            GraphShortestPathsKw => Self::graph_shortest_paths,
            GraphToTableKw => Self::graph_to_table,
            GraphWhereEdgesKw => Self::graph_where_edges,
            GraphWhereNodesKw => Self::graph_where_nodes,
            InvokeKw => Self::invoke,
            JoinKw if !self.is_name_here() => Self::join,
            LookupKw if !self.is_name_here() => Self::lookup,
            MacroExpandKw => Self::macro_expand,
            MakeGraphKw => Self::make_graph,
            MakeSeriesKw => Self::make_series,
            MvApplyKw | MvapplyOldKw if !self.is_name_here() => Self::mv_apply,
            MvExpandKw | MvexpandOldKw if !self.is_name_here() => Self::mv_expand,
            ParseKw if !self.is_name_here() => Self::parse_operator,
            ParseWhereKw => Self::parse_where,
            ParseKvKw => Self::parse_kv,
            InternalPartitionbyKw => Self::partition_by,
            PartitionKw if !self.is_name_here() => Self::partition,
            PrintKw => Self::print,
            ProjectKw => Self::project,
            ProjectAwayKw => Self::project_away,
            ProjectByNamesKw => Self::project_by_names,
            ProjectKeepKw => Self::project_keep,
            ProjectRenameKw => Self::project_rename,
            ProjectReorderKw => Self::project_reorder,
            RangeKw if self.nth(1) != OpenParen && !self.is_name_here() => Self::range,
            ReduceKw if !self.is_name_here() => Self::reduce,
            RenderKw if !self.is_name_here() => Self::render,
            SampleKw => Self::sample,
            SampleDistinctKw => Self::sample_distinct,
            ScanKw if !self.is_name_here() => Self::scan,
            SearchKw => Self::search,
            SerializeKw if !self.is_name_here() => Self::serialize,
            OrderKw | SortKw if !self.is_name_here() => Self::sort,
            SummarizeKw if !self.is_name_here() => Self::summarize,
            LimitKw | TakeKw if !self.is_name_here() => Self::take,
            TopKw if !self.is_name_here() => Self::top,
            TopHittersKw => Self::top_hitters,
            TopNestedKw => Self::top_nested,
            UnionKw => Self::union,
            _ => return None,
        })
    }

    /// A keyword that may be a name and is used as one: `take == 1`, `order.id`.
    fn is_name_here(&self) -> bool {
        false
    }

    /// `( | operators )` inside an operator: an operator and what is piped from it. Something else at the start is an
    /// expression, kept apart.
    fn subquery(&mut self) -> (SubPipeline, Option<Expr>) {
        let start = self.position;
        let result = self.nested(|p| p.pipe_expression(), |p| Some(p.missing_here()));
        self.node(Subquery, start);
        match result {
            None => {
                let missing = self.missing_expression();
                (Vec::new(), Some(missing))
            }
            Some(Expr { kind: ExprKind::Source(first), .. }) => (vec![*first], None),
            Some(Expr { kind: ExprKind::Pipe { input, operators }, span }) => match input.kind {
                ExprKind::Source(first) => (std::iter::once(*first).chain(operators).collect(), None),
                kind => {
                    let input = Box::new(expr(kind, input.span));
                    (Vec::new(), Some(expr(ExprKind::Pipe { input, operators }, span)))
                }
            },
            Some(other) => (Vec::new(), Some(other)),
        }
    }

    /// `(subquery)` with its parentheses. An expression in place of operators becomes an operator of kind
    /// [`OperatorKind::Other`], which a binder refuses by name.
    fn parenthesised_subquery(&mut self) -> SubPipeline {
        if !self.at(OpenParen) {
            self.expected(&["("]);
            let _ = self.missing_expression();
            self.expected(&[")"]);
            return Vec::new();
        }
        self.bump();
        let (operators, expression) = self.subquery();
        self.expect(CloseParen);
        match expression {
            Some(Expr { kind: ExprKind::Missing, .. }) | None => operators,
            Some(expression) => {
                let span = expression.span;
                let text = self.slice(span).to_owned();
                let keyword = Name { text, span, bracketed: false };
                vec![Operator { kind: OperatorKind::Other, keyword, params: Vec::new(), span }]
            }
        }
    }

    /// The name after a clause's keyword.
    fn name_after(&mut self, keyword: SyntaxKind) -> Parsed<Name> {
        self.eat(keyword)?;
        Some(self.name_or_missing())
    }

    /// Parameters that need their `=` to be told from names.
    fn named_parameters(&mut self, own: &[&str]) -> Vec<OpParam> {
        self.parameters(own, Equals::Needed)
    }
}
