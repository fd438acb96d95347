//! The typed view as text, short enough to compare in a test: `(and (== a 1) (has b "x"))`.

use kql_syntax::ast::*;

/// The only expression statement of a query without errors.
pub fn query(text: &str) -> String {
    let parse = kql_syntax::parse(text);
    assert_eq!(parse.errors, [], "errors in {text}");
    parse.query.statements.iter().map(statement).collect::<Vec<_>>().join("; ")
}

/// The expression of `print <text>`.
pub fn scalar(text: &str) -> String {
    let parse = kql_syntax::parse(&format!("print {text}"));
    assert_eq!(parse.errors, [], "errors in {text}");
    let [Statement { kind: StatementKind::Expression(Expr { kind: ExprKind::Source(operator), .. }), .. }] =
        &parse.query.statements[..]
    else {
        panic!("no print in {text}")
    };
    let OperatorKind::Print(items) = &operator.kind else { panic!("no print in {text}") };
    list(items)
}

pub fn statement(statement: &Statement) -> String {
    match &statement.kind {
        StatementKind::Let { name, value } => format!("(let {} {})", name.text, expr(value)),
        StatementKind::LetFunction { name, function } => format!("(let {} {})", name.text, self::function(function)),
        StatementKind::Set { name, value } => format!("(set {} {})", name.text, optional(value.as_ref())),
        StatementKind::Alias { name, value } => format!("(alias {} {})", name.text, expr(value)),
        StatementKind::QueryParameters(params) => format!("(declare {})", join(params, param)),
        StatementKind::Pattern(_) => "(pattern)".to_owned(),
        StatementKind::Restrict(entities) => format!("(restrict {})", list(entities)),
        StatementKind::Directive(name) => format!("(directive {})", name.text),
        StatementKind::Command(name) => format!("(command {})", name.text),
        StatementKind::Expression(value) => expr(value),
    }
}

pub fn function(function: &Function) -> String {
    let view = if function.view { "view " } else { "" };
    format!("(fn {view}[{}] {})", join(&function.params, param), join(&function.body, statement))
}

fn param(param: &Param) -> String {
    let ty = match &param.ty {
        ParamType::Scalar(ty) => ty.text.clone(),
        ParamType::Tabular { open: true, .. } => "(*)".to_owned(),
        ParamType::Tabular { columns, .. } => format!("({})", self::columns(columns)),
    };
    let default = param.default.as_ref().map_or(String::new(), |d| format!("={}", expr(d)));
    format!("{}:{ty}{default}", param.name.text)
}

fn columns(columns: &[ColumnDecl]) -> String {
    join(columns, |c| format!("{}:{}", c.name.text, c.ty.text))
}

fn join<T>(items: &[T], write: impl Fn(&T) -> String) -> String {
    items.iter().map(write).collect::<Vec<_>>().join(" ")
}

pub fn list(items: &[Expr]) -> String {
    join(items, expr)
}

fn optional(value: Option<&Expr>) -> String {
    value.map_or("-".to_owned(), expr)
}

fn name(name: &Name) -> String {
    if name.bracketed { format!("['{}']", name.text) } else { name.text.clone() }
}

pub fn expr(value: &Expr) -> String {
    match &value.kind {
        ExprKind::Missing => "?".to_owned(),
        ExprKind::Name(n) => name(n),
        ExprKind::Literal(literal) => self::literal(literal),
        ExprKind::Star => "*".to_owned(),
        ExprKind::Wildcard(text) => format!("<{text}>"),
        ExprKind::Paren(inner) => format!("(paren {})", expr(inner)),
        ExprKind::Named { names, tuple: false, value } => format!("({} = {})", join(names, name), expr(value)),
        ExprKind::Named { names, value, .. } => format!("([{}] = {})", join(names, name), expr(value)),
        ExprKind::Call { name, args } => format!("{}({})", self::name(name), list(args)),
        ExprKind::Member { base, member } => format!("{}.{}", expr(base), name(member)),
        ExprKind::MethodCall { base, name, args } => format!("{}.{}({})", expr(base), self::name(name), list(args)),
        ExprKind::Index { base, index } => format!("{}[{}]", expr(base), expr(index)),
        ExprKind::Unary { op: UnaryOp::Minus, expr: inner } => format!("(neg {})", expr(inner)),
        ExprKind::Unary { expr: inner, .. } => format!("(pos {})", expr(inner)),
        ExprKind::Binary { op, left, right, .. } => format!("({} {} {})", op.symbol(), expr(left), expr(right)),
        ExprKind::In { op, left, items, .. } => format!("({} {} [{}])", op.symbol(), expr(left), list(items)),
        ExprKind::Between { negated, left, low, high, .. } => {
            format!("({}between {} {} {})", if *negated { "!" } else { "" }, expr(left), expr(low), expr(high))
        }
        ExprKind::TypeOf(items) => format!(
            "typeof({})",
            join(items, |i| match i {
                TypeOfItem::Type(ty) => ty.text.clone(),
                TypeOfItem::Column(c) => format!("{}:{}", c.name.text, c.ty.text),
                TypeOfItem::Star => "*".to_owned(),
            })
        ),
        ExprKind::Pipe { input, operators } => format!("{} | {}", expr(input), join_pipes(operators)),
        ExprKind::Source(source) => operator(source),
        ExprKind::Lambda(lambda) => function(lambda),
    }
}

fn join_pipes(operators: &[Operator]) -> String {
    operators.iter().map(operator).collect::<Vec<_>>().join(" | ")
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Bool(text) => format!("bool:{text}"),
        Literal::Long(text) => text.clone(),
        Literal::Real(text) => format!("real:{text}"),
        Literal::TimeSpan(text) => format!("span:{text}"),
        Literal::String { value, hidden } => format!("{}{value:?}", if *hidden { "h" } else { "" }),
        Literal::Typed { type_name, text } => format!("{type_name}:{text}"),
        Literal::Dynamic(text) => format!("dynamic:{text}"),
        Literal::Null => "null".to_owned(),
    }
}

fn key(key: &OrderKey) -> String {
    let direction = match key.descending {
        Some(true) => " desc",
        Some(false) => " asc",
        None => "",
    };
    let nulls = match key.nulls_first {
        Some(true) => " nulls-first",
        Some(false) => " nulls-last",
        None => "",
    };
    format!("{}{direction}{nulls}", expr(&key.expr))
}

fn mv_items(items: &[MvItem]) -> String {
    join(items, |i| match &i.to_type {
        Some(ty) => format!("{}:{}", expr(&i.expr), ty.text),
        None => expr(&i.expr),
    })
}

fn params(params: &[OpParam]) -> String {
    params.iter().map(|p| format!("{}={} ", p.name, expr(&p.value))).collect()
}

fn graph_pattern(parts: &[GraphPart]) -> String {
    parts
        .iter()
        .map(|part| match part {
            GraphPart::Node { name } => format!("({})", name.as_ref().map_or("", |n| &n.text)),
            GraphPart::Edge { name, direction, range } => {
                let name = name.as_ref().map_or("", |n| &n.text);
                let range = range.as_ref().map_or(String::new(), |(a, b)| format!("*{}..{}", expr(a), expr(b)));
                let inside = format!("[{name}{range}]");
                match direction {
                    GraphDirection::Forward => format!("-{inside}->"),
                    GraphDirection::Backward => format!("<-{inside}-"),
                    GraphDirection::Any => format!("-{inside}-"),
                }
            }
        })
        .collect()
}

fn join_clause(clause: &JoinClause) -> String {
    let condition = clause.condition.as_ref().map_or(String::new(), |c| format!(" where {}", expr(c)));
    format!("{} on [{}]{condition}", expr(&clause.right), list(&clause.on))
}

pub fn operator(op: &Operator) -> String {
    let body = operator_body(&op.kind);
    format!("{} {}{body}", op.keyword.text, params(&op.params)).trim_end().to_owned()
}

fn operator_body(kind: &OperatorKind) -> String {
    use OperatorKind::*;
    match kind {
        As(n) => n.text.clone(),
        AssertSchema(c) => columns(c),
        Consume | GetSchema | GraphMarkComponents | Other => String::new(),
        Count { as_name } => as_name.as_ref().map_or(String::new(), |n| format!("as {}", n.text)),
        Datatable { columns, values } => format!("({}) [{}]", self::columns(columns), list(values)),
        Distinct(e) | Extend(e) | Print(e) | Project(e) | ProjectAway(e) | ProjectByNames(e) | ProjectKeep(e)
        | ProjectRename(e) | Serialize(e) | Union(e) | GraphToTable(e) => list(e),
        Evaluate { call, schema, schema_open } => match schema {
            Some(s) => format!("{} : ({}{})", expr(call), if *schema_open { "* " } else { "" }, columns(s)),
            None => expr(call),
        },
        ExternalData { columns, uris, with } => {
            format!("({}) [{}] {}", self::columns(columns), list(uris), params(with))
        }
        Facet { by, with } => {
            format!("{} with ({})", list(by), with.as_ref().map_or(String::new(), |w| join_pipes(w)))
        }
        Find(f) => format!(
            "in [{}] where {} project [{}]{}",
            list(&f.tables),
            optional(f.predicate.as_ref()),
            f.project.as_ref().map_or(String::new(), |p| list(p)),
            if f.project_smart { " smart" } else { "" }
        ),
        Fork(branches) => join(branches, |(n, sub)| {
            format!("{}({})", n.as_ref().map_or(String::new(), |n| format!("{}=", n.text)), join_pipes(sub))
        }),
        GraphMatch(g) | GraphShortestPaths(g) => format!(
            "{} where {} project [{}]",
            g.patterns.iter().map(|p| graph_pattern(p)).collect::<Vec<_>>().join(", "),
            optional(g.condition.as_ref()),
            list(&g.project)
        ),
        GraphWhereNodes(e) | GraphWhereEdges(e) | Invoke(e) | Where(e) | Take(e) | Sample(e) => expr(e),
        Join(c) | Lookup(c) => join_clause(c),
        MacroExpand { scope, body } => format!("{} ({})", expr(scope), join(body, statement)),
        MakeGraph(g) => format!(
            "{} {:?} {} with [{}] id {} partitioned {}",
            expr(&g.source),
            g.direction,
            expr(&g.target),
            join(&g.nodes, |(t, k)| format!("{} on {}", expr(t), k.text)),
            g.with_node_id.as_ref().map_or("-", |n| &n.text),
            optional(g.partitioned_by.as_ref().map(|(key, _)| key))
        ),
        MakeSeries(m) => format!(
            "[{}] on {} {}from {} to {} step {} by [{}]",
            join(&m.aggregates, |(a, d)| match d {
                Some(d) => format!("{} default {}", expr(a), expr(d)),
                None => expr(a),
            }),
            expr(&m.on),
            if m.in_range { "in range " } else { "" },
            optional(m.from.as_ref()),
            optional(m.to.as_ref()),
            optional(m.step.as_ref()),
            list(&m.by)
        ),
        MvApply { items, limit, context_id, subquery } => format!(
            "{} limit {} id {} ({})",
            mv_items(items),
            optional(limit.as_ref()),
            context_id.as_ref().map_or("-", |n| &n.text),
            join_pipes(subquery)
        ),
        MvExpand { items, limit } => format!("{} limit {}", mv_items(items), optional(limit.as_ref())),
        Parse { expr, parts, filter } => format!(
            "{}{} with {}",
            if *filter { "filter " } else { "" },
            self::expr(expr),
            join(parts, |p| match p {
                ParsePart::Star => "*".to_owned(),
                ParsePart::Text(text, _) => format!("{text:?}"),
                ParsePart::Column { name, ty: Some(ty) } => format!("{}:{}", name.text, ty.text),
                ParsePart::Column { name, ty: None } => name.text.clone(),
            })
        ),
        ParseKv { expr, columns, with } => {
            format!("{} as ({}) {}", self::expr(expr), self::columns(columns), params(with))
        }
        Partition { by, scope, subquery, legacy_query } => format!(
            "by {} in {} ({}) {{{}}}",
            expr(by),
            optional(scope.as_ref()),
            join_pipes(subquery),
            optional(legacy_query.as_ref())
        ),
        ProjectReorder(keys) | Sort(keys) => keys.iter().map(key).collect::<Vec<_>>().join(", "),
        Range { name, from, to, step } => format!("{} {} {} {}", name.text, expr(from), expr(to), expr(step)),
        Reduce { by, with } => format!("{} {}", expr(by), params(with)),
        Render { kind, with } => format!("{} {}", kind.text, params(with)),
        SampleDistinct { count, of } => format!("{} of {}", expr(count), expr(of)),
        Scan { order_by, partition_by, declare, steps } => format!(
            "order [{}] partition [{}] declare [{}] steps {}",
            order_by.iter().map(key).collect::<Vec<_>>().join(", "),
            list(partition_by),
            join(declare, |(c, d)| format!("{}:{}={}", c.name.text, c.ty.text, optional(d.as_ref()))),
            join(steps, |s| format!(
                "<{}{}{}: {} => {}>",
                s.name.text,
                if s.optional { " optional" } else { "" },
                s.output.as_ref().map_or(String::new(), |o| format!(" output={o}")),
                expr(&s.condition),
                list(&s.assignments)
            ))
        ),
        Search { tables, predicate } => format!("in [{}] {}", list(tables), expr(predicate)),
        Summarize { aggregates, by } => format!("[{}] by [{}]", list(aggregates), list(by)),
        Top { count, by } => format!("{} by {}", expr(count), key(by)),
        TopHitters { count, of, by } => format!("{} of {} by {}", expr(count), expr(of), optional(by.as_ref())),
        TopNested(clauses) => clauses
            .iter()
            .map(|c| {
                format!(
                    "{} of {} others {} by {}",
                    optional(c.count.as_ref()),
                    expr(&c.expr),
                    optional(c.with_others.as_ref()),
                    key(&c.by)
                )
            })
            .collect::<Vec<_>>()
            .join(", "),
    }
}
