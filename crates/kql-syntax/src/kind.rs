//! The kinds of tokens and nodes of the lossless tree, and the table of keywords.
//!
//! A word is a keyword by its spelling alone (case counts). Most keywords may still be names somewhere:
//! [`NameUse`] says where. Start at [`SyntaxKind`].

/// Where a keyword may stand as a name without brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameUse {
    /// Wherever a name may stand.
    Always,
    /// Only where a name is declared: left of `=` in a list, as a column or parameter declared with a type.
    Sometimes,
    /// Never: it needs `['...']`.
    Never,
}

macro_rules! syntax_kinds {
    (tokens { $($token:ident,)* } keywords { $($keyword:ident = $text:literal, $use:ident;)* } nodes { $($node:ident,)* }) => {
        /// Kind of a token or of a node of the lossless tree.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum SyntaxKind {
            $($token,)*
            $($keyword,)*
            $($node,)*
            /// Never produced; bounds the range of valid numbers.
            Last,
        }

        /// Every kind at the index of its number.
        const KINDS: &[SyntaxKind] = &[$(SyntaxKind::$token,)* $(SyntaxKind::$keyword,)* $(SyntaxKind::$node,)*];

        /// Every keyword with its spelling, in the order of the bytes of the spelling.
        const KEYWORDS: &[(&str, SyntaxKind, NameUse)] = &[$(($text, SyntaxKind::$keyword, NameUse::$use),)*];
    };
}

syntax_kinds! {
    tokens {
        // Trivia.
        Whitespace, Comment,
        // Names and literals.
        Identifier, HintName, StringLiteral, BoolLiteral, LongLiteral, IntLiteral, RealLiteral, DecimalLiteral,
        DateTimeLiteral, TimeSpanLiteral, GuidLiteral, RawGuid,
        // Punctuation.
        OpenParen, CloseParen, OpenBracket, CloseBracket, OpenBrace, CloseBrace, Bar, LessBar, Dot, DotDot, Plus,
        Minus, Star, Slash, Percent, Less, LessEqual, Greater, GreaterEqual, Equal, EqualEqual, BangEqual,
        LessGreater, EqualTilde, BangTilde, FatArrow, Colon, Semicolon, Comma, At, Question,
        // Others.
        Directive, Bad, End,
    }
    keywords {
        NotBetweenKw = "!between", Never;
        NotContainsKw = "!contains", Never;
        NotContainsCsKw = "!contains_cs", Never;
        NotEndswithKw = "!endswith", Never;
        NotEndswithCsKw = "!endswith_cs", Never;
        NotHasKw = "!has", Never;
        NotHasCsKw = "!has_cs", Never;
        NotHasprefixKw = "!hasprefix", Never;
        NotHasprefixCsKw = "!hasprefix_cs", Never;
        NotHassuffixKw = "!hassuffix", Never;
        NotHassuffixCsKw = "!hassuffix_cs", Never;
        NotInKw = "!in", Never;
        NotInCiKw = "!in~", Never;
        NotStartswithKw = "!startswith", Never;
        NotStartswithCsKw = "!startswith_cs", Never;
        ThreeDChartKw = "3Dchart", Never;
        InternalContextualDatatableKw = "__contextual_datatable", Never;
        InternalCrossClusterKw = "__crossCluster", Never;
        InternalCrossDBKw = "__crossDB", Never;
        InternalExecuteAndCacheKw = "__executeAndCache", Never;
        InternalIdKw = "__id", Never;
        InternalIsFuzzyKw = "__isFuzzy", Never;
        InternalNoWithSourceKw = "__noWithSource", Never;
        InternalPackedColumnKw = "__packedColumn", Never;
        InternalPartitionbyKw = "__partitionby", Always;
        InternalProjectAwayKw = "__projectAway", Never;
        InternalSourceColumnIndexKw = "__sourceColumnIndex", Never;
        AccessKw = "access", Always;
        AccumulateKw = "accumulate", Sometimes;
        AliasKw = "alias", Always;
        AndKw = "and", Never;
        AnomalychartKw = "anomalychart", Never;
        AreachartKw = "areachart", Never;
        AsKw = "as", Sometimes;
        AscKw = "asc", Never;
        AssertSchemaKw = "assert-schema", Never;
        BagexpansionKw = "bagexpansion", Never;
        BarchartKw = "barchart", Never;
        BestEffortKw = "best_effort", Always;
        BetweenKw = "between", Never;
        BinKw = "bin", Always;
        BinLegacyKw = "bin_legacy", Never;
        BoolKw = "bool", Always;
        BooleanKw = "boolean", Never;
        ByKw = "by", Sometimes;
        ByteKw = "byte", Never;
        CachingpolicyKw = "cachingpolicy", Never;
        CalloutKw = "callout", Never;
        CancelKw = "cancel", Never;
        CardKw = "card", Never;
        CharKw = "char", Never;
        ColumnchartKw = "columnchart", Never;
        CommandsAndQueriesKw = "commands-and-queries", Never;
        ConsumeKw = "consume", Always;
        ContainsKw = "contains", Sometimes;
        ContainsCsKw = "contains_cs", Never;
        ContainscsOldKw = "containscs", Never;
        CountKw = "count", Always;
        CyclesKw = "cycles", Never;
        DatabaseKw = "database", Always;
        DataexportKw = "dataexport", Never;
        DataformatKw = "dataformat", Always;
        DatascopeKw = "datascope", Never;
        DatatableKw = "datatable", Sometimes;
        DateKw = "date", Never;
        DatetimeKw = "datetime", Never;
        DatetimePatternKw = "datetime_pattern", Always;
        DecimalKw = "decimal", Never;
        DeclareKw = "declare", Always;
        DecodeblocksKw = "decodeblocks", Never;
        DefaultKw = "default", Always;
        DescKw = "desc", Never;
        DistinctKw = "distinct", Always;
        DoubleKw = "double", Never;
        DynamicKw = "dynamic", Never;
        EarliestKw = "earliest", Sometimes;
        EdgesKw = "edges", Always;
        EncodingpolicyKw = "encodingpolicy", Never;
        EndswithKw = "endswith", Never;
        EndswithCsKw = "endswith_cs", Never;
        EntityGroupKw = "entity_group", Always;
        EvaluateKw = "evaluate", Always;
        ExpandoutputKw = "expandoutput", Never;
        ExtendKw = "extend", Always;
        ExtentTagsRetentionKw = "extent_tags_retention", Never;
        ExternalDataOldKw = "external_data", Never;
        ExternaldataKw = "externaldata", Sometimes;
        FacetKw = "facet", Always;
        FilterKw = "filter", Always;
        FindKw = "find", Sometimes;
        FirstKw = "first", Never;
        FlagsKw = "flags", Never;
        FloatKw = "float", Never;
        ForceRemoteKw = "force_remote", Never;
        ForkKw = "fork", Always;
        FromKw = "from", Always;
        GetschemaKw = "getschema", Always;
        GrannyAscKw = "granny-asc", Never;
        GrannyDescKw = "granny-desc", Never;
        GraphKw = "graph", Always;
        GraphMarkComponentsKw = "graph-mark-components", Never;
        GraphMatchKw = "graph-match", Never;
        GraphShortestPathsKw = "graph-shortest-paths", Never;
        GraphToTableKw = "graph-to-table", Never;
        GraphWhereEdgesKw = "graph-where-edges", Never;
        GraphWhereNodesKw = "graph-where-nodes", Never;
        GuidKw = "guid", Always;
        HarddeleteKw = "harddelete", Never;
        HardretentionKw = "hardretention", Never;
        HasKw = "has", Sometimes;
        HasAllKw = "has_all", Never;
        HasAnyKw = "has_any", Never;
        HasCsKw = "has_cs", Never;
        HasprefixKw = "hasprefix", Never;
        HasprefixCsKw = "hasprefix_cs", Never;
        HassuffixKw = "hassuffix", Never;
        HassuffixCsKw = "hassuffix_cs", Never;
        HotcacheKw = "hotcache", Never;
        IdKw = "id", Always;
        InKw = "in", Sometimes;
        InlineExternalTableKw = "inline_external_table", Always;
        IntKw = "int", Never;
        Int16Kw = "int16", Never;
        Int32Kw = "int32", Never;
        Int64Kw = "int64", Never;
        Int8Kw = "int8", Never;
        InvokeKw = "invoke", Sometimes;
        InCiKw = "in~", Never;
        IsfuzzyKw = "isfuzzy", Never;
        JoinKw = "join", Always;
        JournalKw = "journal", Never;
        KindKw = "kind", Never;
        LadderchartKw = "ladderchart", Never;
        LastKw = "last", Never;
        LatestKw = "latest", Sometimes;
        LetKw = "let", Always;
        LikeKw = "like", Never;
        LikecsKw = "likecs", Never;
        LimitKw = "limit", Always;
        LinechartKw = "linechart", Never;
        LongKw = "long", Never;
        LookupKw = "lookup", Always;
        MacroExpandKw = "macro-expand", Never;
        MakeGraphKw = "make-graph", Never;
        MakeSeriesKw = "make-series", Never;
        MatchesRegexKw = "matches regex", Never;
        MaterializeKw = "materialize", Sometimes;
        MaterializedViewCombineKw = "materialized-view-combine", Never;
        MaterializedViewsKw = "materialized-views", Never;
        MdmKw = "mdm", Sometimes;
        MissingKw = "missing", Never;
        MvApplyKw = "mv-apply", Never;
        MvExpandKw = "mv-expand", Never;
        MvapplyOldKw = "mvapply", Always;
        MvexpandOldKw = "mvexpand", Always;
        NodesKw = "nodes", Always;
        NooptimizationKw = "nooptimization", Never;
        NotcontainsOldKw = "notcontains", Never;
        NotcontainscsOldKw = "notcontainscs", Never;
        NotlikeKw = "notlike", Never;
        NotlikecsKw = "notlikecs", Never;
        NullKw = "null", Always;
        NullsKw = "nulls", Always;
        OfKw = "of", Sometimes;
        OnKw = "on", Always;
        OptionalKw = "optional", Always;
        OrKw = "or", Never;
        OrderKw = "order", Always;
        OthersKw = "others", Never;
        OutputKw = "output", Always;
        PackKw = "pack", Always;
        ParseKw = "parse", Always;
        ParseKvKw = "parse-kv", Never;
        ParseWhereKw = "parse-where", Never;
        PartitionKw = "partition", Always;
        PartitionedByKw = "partitioned-by", Never;
        PathformatKw = "pathformat", Never;
        PatternKw = "pattern", Always;
        PiechartKw = "piechart", Never;
        PivotchartKw = "pivotchart", Never;
        PlotlyKw = "plotly", Always;
        PrintKw = "print", Sometimes;
        ProjectKw = "project", Never;
        ProjectAwayKw = "project-away", Never;
        ProjectByNamesKw = "project-by-names", Never;
        ProjectKeepKw = "project-keep", Never;
        ProjectRenameKw = "project-rename", Never;
        ProjectReorderKw = "project-reorder", Never;
        ProjectSmartKw = "project-smart", Never;
        QueriesKw = "queries", Never;
        QueryParametersKw = "query_parameters", Always;
        QueryResultsKw = "query_results", Never;
        RangeKw = "range", Always;
        RealKw = "real", Never;
        ReduceKw = "reduce", Always;
        RegexKw = "regex", Always;
        RelaxedKw = "relaxed", Never;
        RenderKw = "render", Always;
        RestrictKw = "restrict", Always;
        RestrictedViewAccessKw = "restricted_view_access", Never;
        RowLevelSecurityKw = "row_level_security", Never;
        RowstoreKw = "rowstore", Never;
        RowstoreReferencesKw = "rowstore_references", Never;
        RowstoreSealinfoKw = "rowstore_sealinfo", Never;
        RowstorepolicyKw = "rowstorepolicy", Never;
        RowstoresKw = "rowstores", Never;
        SampleKw = "sample", Sometimes;
        SampleDistinctKw = "sample-distinct", Sometimes;
        ScanKw = "scan", Always;
        ScatterchartKw = "scatterchart", Never;
        SealKw = "seal", Never;
        SealsKw = "seals", Never;
        SearchKw = "search", Sometimes;
        SerializeKw = "serialize", Always;
        SetKw = "set", Sometimes;
        SetOrAppendKw = "set-or-append", Never;
        SetOrReplaceKw = "set-or-replace", Never;
        ShardsKw = "shards", Never;
        SimpleKw = "simple", Never;
        SoftdeleteKw = "softdelete", Never;
        SoftretentionKw = "softretention", Never;
        SortKw = "sort", Always;
        SqlKw = "sql", Sometimes;
        StackedareachartKw = "stackedareachart", Never;
        StartswithKw = "startswith", Never;
        StartswithCsKw = "startswith_cs", Never;
        StatisticsKw = "statistics", Never;
        StepKw = "step", Always;
        StoredqueryresultcontainersKw = "storedqueryresultcontainers", Never;
        StringKw = "string", Never;
        SummarizeKw = "summarize", Always;
        TablepurgeKw = "tablepurge", Never;
        TakeKw = "take", Always;
        TimeKw = "time", Never;
        TimechartKw = "timechart", Never;
        TimelineKw = "timeline", Never;
        TimepivotKw = "timepivot", Never;
        TimespanKw = "timespan", Never;
        TitleKw = "title", Sometimes;
        ToKw = "to", Sometimes;
        TopKw = "top", Always;
        TopHittersKw = "top-hitters", Sometimes;
        TopNestedKw = "top-nested", Sometimes;
        ToscalarKw = "toscalar", Sometimes;
        TotableKw = "totable", Sometimes;
        TreemapKw = "treemap", Never;
        TypeofKw = "typeof", Always;
        UintKw = "uint", Never;
        Uint16Kw = "uint16", Never;
        Uint32Kw = "uint32", Never;
        Uint64Kw = "uint64", Never;
        Uint8Kw = "uint8", Never;
        UlongKw = "ulong", Never;
        UnionKw = "union", Never;
        UniqueidKw = "uniqueid", Never;
        UnrestrictedviewersKw = "unrestrictedviewers", Never;
        UuidKw = "uuid", Always;
        VerboseKw = "verbose", Sometimes;
        ViewKw = "view", Always;
        ViewersKw = "viewers", Sometimes;
        ViewsKw = "views", Never;
        WhereKw = "where", Sometimes;
        WithKw = "with", Always;
        WithItemindexKw = "with_itemindex", Never;
        WithMatchIdKw = "with_match_id", Never;
        WithNodeIdKw = "with_node_id", Always;
        WithUnderscoreSourceKw = "with_source", Never;
        WithStepNameKw = "with_step_name", Never;
        WithsourceKw = "withsource", Never;
        WriteaheadlogKw = "writeaheadlog", Never;
    }
    nodes {
        Root, Command, DirectiveLine, LetStatement, SetStatement, AliasStatement, QueryParametersStatement, PatternStatement,
        RestrictStatement, ExpressionStatement, FunctionDeclaration, ParameterList, Parameter, FunctionBody,
        PatternMatch, ColumnList, Column, Pipeline, Operator, OperatorParameter, ByClause, WithClause, OnClause,
        WhereClause, ProjectClause, InClause, ToTypeClause, LimitClause, RangeClause, DefaultClause, OrderKey, Subquery,
        TopNestedClause, ScanStep, ScanDeclare, GraphNode, GraphEdge, GraphTable, ForkBranch, NameNode, BracketedName,
        BracedName, WildcardName, Literal, DynamicLiteral, JsonArray, JsonObject, JsonPair, TypeOf, StarExpression,
        ParenExpression, NamedExpression, Call, ArgumentList, Path, Index, Unary, Binary, InExpression,
        BetweenExpression, Skipped,
    }
}

impl SyntaxKind {
    /// The kind with this number, if there is one.
    pub fn from_number(number: u16) -> Option<SyntaxKind> {
        KINDS.get(usize::from(number)).copied()
    }

    /// White space or a comment: no meaning, kept for printing.
    pub fn is_trivia(self) -> bool {
        matches!(self, SyntaxKind::Whitespace | SyntaxKind::Comment)
    }

    pub fn is_keyword(self) -> bool {
        let first = KEYWORDS.first().map_or(SyntaxKind::Last, |k| k.1);
        let last = KEYWORDS.last().map_or(SyntaxKind::Last, |k| k.1);
        (first..=last).contains(&self)
    }

    fn entry(self) -> Option<&'static (&'static str, SyntaxKind, NameUse)> {
        let first = KEYWORDS.first()?.1 as u16;
        KEYWORDS.get(usize::from((self as u16).checked_sub(first)?))
    }

    /// Where a keyword may be a name; [`NameUse::Never`] for what is no keyword.
    pub fn name_use(self) -> NameUse {
        self.entry().map_or(NameUse::Never, |k| k.2)
    }

    /// The only spelling of a keyword or punctuation; None for kinds with many.
    pub fn text(self) -> Option<&'static str> {
        use SyntaxKind::*;
        Some(match self {
            OpenParen => "(",
            CloseParen => ")",
            OpenBracket => "[",
            CloseBracket => "]",
            OpenBrace => "{",
            CloseBrace => "}",
            Bar => "|",
            LessBar => "<|",
            Dot => ".",
            DotDot => "..",
            Plus => "+",
            Minus => "-",
            Star => "*",
            Slash => "/",
            Percent => "%",
            Less => "<",
            LessEqual => "<=",
            Greater => ">",
            GreaterEqual => ">=",
            Equal => "=",
            EqualEqual => "==",
            BangEqual => "!=",
            LessGreater => "<>",
            EqualTilde => "=~",
            BangTilde => "!~",
            FatArrow => "=>",
            Colon => ":",
            Semicolon => ";",
            Comma => ",",
            At => "@",
            Question => "?",
            _ => return self.entry().map(|k| k.0),
        })
    }
}

/// The keyword with exactly this spelling.
pub fn keyword(text: &str) -> Option<SyntaxKind> {
    KEYWORDS.binary_search_by(|k| k.0.cmp(text)).ok().and_then(|i| KEYWORDS.get(i)).map(|k| k.1)
}

/// The longest keyword at the start of `text` whose first word is `word` and that goes on with `-` or `~` or, for
/// `matches regex`, a space: `mv-expand`, `in~`. None when there is only the word.
pub fn compound_keyword(text: &str, word: &str) -> Option<(SyntaxKind, usize)> {
    let first = KEYWORDS.partition_point(|k| k.0 <= word);
    let rest = KEYWORDS.get(first..)?;
    rest.iter()
        .take_while(|k| k.0.starts_with(word))
        .filter(|k| matches!(k.0.as_bytes().get(word.len()), Some(b'-' | b'~' | b' ')) && text.starts_with(k.0))
        .filter(|k| !text.as_bytes().get(k.0.len()).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_'))
        .map(|k| (k.1, k.0.len()))
        .max_by_key(|k| k.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted_and_found_by_their_text() {
        assert!(KEYWORDS.windows(2).all(|w| w[0].0 < w[1].0));
        for (text, kind, _) in KEYWORDS {
            assert_eq!(keyword(text), Some(*kind));
            assert_eq!(kind.text(), Some(*text));
            assert!(kind.is_keyword());
            assert_eq!(SyntaxKind::from_number(*kind as u16), Some(*kind));
        }
        assert!(!SyntaxKind::Identifier.is_keyword());
        assert!(!SyntaxKind::Root.is_keyword());
    }

    #[test]
    fn compound_keywords_take_the_longest() {
        assert_eq!(compound_keyword("project-away x", "project"), Some((SyntaxKind::ProjectAwayKw, 12)));
        assert_eq!(compound_keyword("project-awayx", "project"), None);
        assert_eq!(compound_keyword("in~(", "in"), Some((SyntaxKind::InCiKw, 3)));
        assert_eq!(compound_keyword("matches regex 'a'", "matches"), Some((SyntaxKind::MatchesRegexKw, 13)));
        assert_eq!(compound_keyword("where x", "where"), None);
    }
}
