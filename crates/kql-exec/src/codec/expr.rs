//! Expressions of operators as JSON: columns, constants, comparisons, logic and functions by name.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, Literal, NotExpr, in_list,
};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use kql_plan::function::by_name::scalar_by_name;
use serde_json::{Value as Json, json};

use super::{field, flag, list, number, read_scalar, text, write_scalar};

/// The operators that lowering uses.
const OPERATORS: [Operator; 13] = [
    Operator::Eq,
    Operator::NotEq,
    Operator::Lt,
    Operator::LtEq,
    Operator::Gt,
    Operator::GtEq,
    Operator::Plus,
    Operator::Minus,
    Operator::Multiply,
    Operator::And,
    Operator::Or,
    Operator::IsDistinctFrom,
    Operator::IsNotDistinctFrom,
];

type Expr = Arc<dyn PhysicalExpr>;

pub(super) fn write_all(exprs: &[Expr]) -> Result<Json> {
    exprs.iter().map(write).collect()
}

pub(super) fn read_all(json: &Json, schema: &Schema) -> Result<Vec<Expr>> {
    json.as_array().into_iter().flatten().map(|expr| read(expr, schema)).collect()
}

fn write(expr: &Expr) -> Result<Json> {
    if let Some(column) = expr.downcast_ref::<Column>() {
        return Ok(json!({"is": "column", "name": column.name(), "index": column.index()}));
    }
    if let Some(literal) = expr.downcast_ref::<Literal>() {
        return Ok(json!({"is": "constant", "value": write_scalar(literal.value())?}));
    }
    if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
        let (left, right) = (write(binary.left())?, write(binary.right())?);
        return Ok(json!({"is": "binary", "op": binary.op().to_string(), "left": left, "right": right}));
    }
    if let Some(not) = expr.downcast_ref::<NotExpr>() {
        return Ok(json!({"is": "not", "of": write(not.arg())?}));
    }
    if let Some(null) = expr.downcast_ref::<IsNullExpr>() {
        return Ok(json!({"is": "null", "of": write(null.arg())?}));
    }
    if let Some(null) = expr.downcast_ref::<IsNotNullExpr>() {
        return Ok(json!({"is": "not null", "of": write(null.arg())?}));
    }
    if let Some(case) = expr.downcast_ref::<CaseExpr>() {
        let branches = case.when_then_expr().iter().map(|(when, then)| Ok(json!([write(when)?, write(then)?])));
        let branches = branches.collect::<Result<Vec<Json>>>()?;
        let base = case.expr().map(write).transpose()?;
        let otherwise = case.else_expr().map(write).transpose()?;
        return Ok(json!({"is": "case", "base": base, "branches": branches, "else": otherwise}));
    }
    if let Some(within) = expr.downcast_ref::<InListExpr>() {
        let (of, items) = (write(within.expr())?, write_all(within.list())?);
        return Ok(json!({"is": "in", "of": of, "items": items, "negated": within.negated()}));
    }
    if let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>() {
        let returns = call.return_type().to_string();
        let (name, args) = (call.fun().name(), write_all(call.args())?);
        if scalar_by_name(name).is_none() {
            return internal_err!("the function {name} has no name that it can be made from");
        }
        return Ok(json!({"is": "call", "name": name, "args": args, "returns": returns}));
    }
    internal_err!("no form for the expression {expr}")
}

fn read(json: &Json, schema: &Schema) -> Result<Expr> {
    let of = |name: &str| read(field(json, name)?, schema);
    let option = |name: &str| match field(json, name)? {
        Json::Null => Ok(None),
        expr => read(expr, schema).map(Some),
    };
    Ok(match text(json, "is")? {
        "column" => {
            let index = usize::try_from(number(json, "index")?).unwrap_or(usize::MAX);
            Arc::new(Column::new(text(json, "name")?, index))
        }
        "constant" => Arc::new(Literal::new(read_scalar(field(json, "value")?)?)),
        "binary" => {
            let name = text(json, "op")?;
            let Some(op) = OPERATORS.into_iter().find(|op| op.to_string() == name) else {
                return internal_err!("no operator {name}");
            };
            Arc::new(BinaryExpr::new(of("left")?, op, of("right")?))
        }
        "not" => Arc::new(NotExpr::new(of("of")?)),
        "null" => Arc::new(IsNullExpr::new(of("of")?)),
        "not null" => Arc::new(IsNotNullExpr::new(of("of")?)),
        "case" => {
            let mut branches = Vec::new();
            for branch in list(json, "branches")? {
                branches.push((read(&branch[0], schema)?, read(&branch[1], schema)?));
            }
            Arc::new(CaseExpr::try_new(option("base")?, branches, option("else")?)?)
        }
        "in" => in_list(of("of")?, read_all(field(json, "items")?, schema)?, &flag(json, "negated")?, schema)?,
        "call" => {
            let name = text(json, "name")?;
            let Some(function) = scalar_by_name(name) else { return internal_err!("no function {name}") };
            let returns = Arc::new(Field::new(name, text(json, "returns")?.parse::<DataType>()?, true));
            let args = read_all(field(json, "args")?, schema)?;
            Arc::new(ScalarFunctionExpr::new(name, function, args, returns, Arc::new(ConfigOptions::default())))
        }
        other => return internal_err!("no expression {other}"),
    })
}
