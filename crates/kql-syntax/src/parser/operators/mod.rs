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

use super::parameters::{Equals, Parameter};
use super::{Parsed, Parser};
use crate::ast::{ExprKind, Name, OpParam, Operator, OperatorKind, SubPipeline};
use crate::kind::NameUse;
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
            ConsumeKw => Self::consume,
            CountKw if self.nth(1) != OpenParen => Self::count,
            DistinctKw => Self::distinct,
            EvaluateKw => Self::evaluate,
            InternalExecuteAndCacheKw => Self::execute_and_cache,
            ExtendKw => Self::extend,
            FacetKw => Self::facet,
            FilterKw | WhereKw => Self::where_operator,
            FindKw => Self::find,
            ForkKw => Self::fork,
            GetschemaKw => Self::getschema,
            GraphMarkComponentsKw => Self::graph_mark_components,
            GraphMatchKw => Self::graph_match,
            GraphShortestPathsKw => Self::graph_shortest_paths,
            GraphToTableKw => Self::graph_to_table,
            GraphWhereEdgesKw => Self::graph_where_edges,
            GraphWhereNodesKw => Self::graph_where_nodes,
            InvokeKw => Self::invoke,
            JoinKw => Self::join,
            LookupKw => Self::lookup,
            MacroExpandKw => Self::macro_expand,
            MakeGraphKw => Self::make_graph,
            MakeSeriesKw => Self::make_series,
            MvApplyKw | MvapplyOldKw => Self::mv_apply,
            MvExpandKw | MvexpandOldKw => Self::mv_expand,
            ParseKw => Self::parse_operator,
            ParseWhereKw => Self::parse_where,
            ParseKvKw => Self::parse_kv,
            InternalPartitionbyKw => Self::partition_by,
            PartitionKw => Self::partition,
            PrintKw => Self::print,
            ProjectKw => Self::project,
            ProjectAwayKw => Self::project_away,
            ProjectByNamesKw => Self::project_by_names,
            ProjectKeepKw => Self::project_keep,
            ProjectRenameKw => Self::project_rename,
            ProjectReorderKw => Self::project_reorder,
            RangeKw if self.nth(1) != OpenParen => Self::range,
            ReduceKw => Self::reduce,
            RenderKw => Self::render,
            SampleKw => Self::sample,
            SampleDistinctKw => Self::sample_distinct,
            ScanKw => Self::scan,
            SearchKw => Self::search,
            SerializeKw => Self::serialize,
            OrderKw | SortKw => Self::sort,
            SummarizeKw => Self::summarize,
            LimitKw | TakeKw => Self::take,
            TopKw => Self::top,
            TopHittersKw => Self::top_hitters,
            TopNestedKw => Self::top_nested,
            UnionKw => Self::union,
            _ => return None,
        })
    }

    /// Whether an operator starts here for certain: its keyword can be no name, or what follows shows it.
    pub(super) fn starts_with_operator(&self) -> bool {
        match self.kind() {
            EvaluateKw => self.name_length(1, false).is_some() || self.is_parameter_name(1, &[]),
            FacetKw => self.nth(1) == ByKw,
            PartitionKw | ReduceKw => self.nth(1) == ByKw || self.is_parameter_name(1, &[]),
            RangeKw => self.name_length(1, false).is_some_and(|length| self.nth(1 + length) == FromKw),
            RenderKw => self.is_chart(1) || Self::is_word(self.nth(1)),
            kind => kind.name_use() != NameUse::Always && self.grammar().is_some(),
        }
    }

    /// `operator | operator ...` inside the parentheses of an operator.
    pub(super) fn subquery(&mut self) -> SubPipeline {
        let start = self.position;
        let result = self.subquery_expression();
        self.node(Subquery, start);
        match result.map(|e| e.kind) {
            Some(ExprKind::Source(first)) => vec![*first],
            Some(ExprKind::Pipe { input, operators }) => match input.kind {
                ExprKind::Source(first) => std::iter::once(*first).chain(operators).collect(),
                _ => operators,
            },
            _ => Vec::new(),
        }
    }

    /// `(subquery)` with its parentheses.
    fn parenthesised_subquery(&mut self) -> SubPipeline {
        if !self.at(OpenParen) {
            self.expected(&["("]);
            let _ = self.missing_expression();
            self.expected(&[")"]);
            return Vec::new();
        }
        self.bump();
        let operators = self.subquery();
        self.expect(CloseParen);
        operators
    }

    /// The name after a clause's keyword.
    fn name_after(&mut self, keyword: SyntaxKind) -> Parsed<Name> {
        self.eat(keyword)?;
        Some(self.name_or_missing())
    }

    /// Parameters that need their `=` to be told from names.
    fn named_parameters(&mut self, own: &[Parameter]) -> Vec<OpParam> {
        self.parameters(own, Equals::Needed)
    }
}
