//! What an operator does, as JSON.

use std::sync::Arc;

use datafusion::common::{DFSchema, Result, ScalarValue, internal_err};
use datafusion::logical_expr::Expr;
use kql_functions::kernels::tabular::{parse, parse_kv};
use kql_plan::node::{Bound, Expand, Op, OrderKey, ParseKvSpec, ParseSpec, Scan, ScanStep, WindowCall, Windows};
use kql_semantics::bound::ScanOutput;
use kql_types::ScalarType;
use serde_json::{Value as Json, json};

use super::{
    field, flag, list, number, read_batches, read_scalar, read_scalars, read_schema, text, write_batches, write_scalar,
    write_scalars, write_schema,
};

pub(super) fn write(op: &Op) -> Result<Json> {
    Ok(match op {
        Op::Rows { batches } => {
            let Some(first) = batches.first() else { return internal_err!("rows without a batch") };
            json!({"is": "rows", "batches": write_batches(&first.schema(), batches)?})
        }
        Op::Range { ty, from, to, step } => {
            json!({"is": "range", "type": ty.name(), "bounds": [bound(*from), bound(*to), bound(*step)]})
        }
        Op::RowId => json!({"is": "row id"}),
        Op::FirstRows { count, ordered, any } => {
            json!({"is": "first rows", "count": count.to_string(), "ordered": ordered, "any": any})
        }
        Op::Pin { keys } => {
            let keys = keys.iter().map(|key| json!([key.column, key.descending, key.nulls_first]));
            json!({"is": "pin", "keys": keys.collect::<Vec<_>>()})
        }
        Op::OrderedAggregate { groups } => json!({"is": "ordered aggregate", "groups": groups}),
        Op::MvExpand(expand) => json!({
            "is": "mv-expand", "types": type_names(&expand.types), "limit": expand.limit.to_string(),
            "bag_as_array": expand.bag_as_array, "index": expand.index, "ghosts": expand.ghosts,
        }),
        Op::Window(windows) => {
            let calls = windows.calls.iter().map(write_call).collect::<Result<Vec<_>>>()?;
            json!({"is": "window", "keys": windows.keys, "calls": calls})
        }
        Op::Scan(scan) => write_scan(scan)?,
        // It sees all rows of a part, so it runs where the parts come together.
        Op::Whole(whole) => return internal_err!("{} runs where its plan was made", whole.name),
        Op::Parse(spec) => json!({
            "is": "parse", "mode": mode_name(spec.mode), "flags": spec.flags, "types": type_names(&spec.types),
            "filter": spec.filter, "parts": spec.parts.iter().map(write_part).collect::<Vec<_>>(),
        }),
        Op::ParseKv(spec) => {
            let options = &spec.options;
            let outputs: Vec<Json> = spec.outputs.iter().map(|(key, ty)| json!([key, ty.name()])).collect();
            json!({
                "is": "parse-kv", "outputs": outputs, "pair": options.pair_delimiter, "kv": options.kv_delimiter,
                "quote": options.quote, "escape": options.escape.map(String::from), "greedy": options.greedy,
                "regex": options.regex,
            })
        }
    })
}

pub(super) fn read(json: &Json) -> Result<Op> {
    Ok(match text(json, "is")? {
        "rows" => Op::Rows { batches: read_batches(field(json, "batches")?)? },
        "range" => {
            let [from, to, step] = list(json, "bounds")? else { return internal_err!("a range without bounds") };
            let ty = type_of(text(json, "type")?)?;
            Op::Range { ty, from: read_bound(from)?, to: read_bound(to)?, step: read_bound(step)? }
        }
        "row id" => Op::RowId,
        "first rows" => {
            Op::FirstRows { count: long(json, "count")?, ordered: flag(json, "ordered")?, any: flag(json, "any")? }
        }
        "pin" => {
            let key = |key: &Json| match (key[0].as_str(), key[1].as_bool(), key[2].as_bool()) {
                (Some(column), Some(descending), Some(nulls_first)) => {
                    Ok(OrderKey { column: column.to_owned(), descending, nulls_first })
                }
                _ => internal_err!("an order without a column"),
            };
            Op::Pin { keys: list(json, "keys")?.iter().map(key).collect::<Result<_>>()? }
        }
        "ordered aggregate" => Op::OrderedAggregate { groups: size(json, "groups")? },
        "mv-expand" => Op::MvExpand(Expand {
            types: types(json)?,
            limit: long(json, "limit")?,
            bag_as_array: flag(json, "bag_as_array")?,
            index: flag(json, "index")?,
            ghosts: flag(json, "ghosts")?,
        }),
        "window" => Op::Window(Windows {
            keys: size(json, "keys")?,
            calls: list(json, "calls")?.iter().map(read_call).collect::<Result<_>>()?,
        }),
        "scan" => Op::Scan(read_scan(json)?),
        "parse" => Op::Parse(ParseSpec {
            mode: mode(text(json, "mode")?)?,
            flags: text(json, "flags")?.to_owned(),
            parts: list(json, "parts")?.iter().map(read_part).collect::<Result<_>>()?,
            types: types(json)?,
            filter: flag(json, "filter")?,
        }),
        "parse-kv" => read_parse_kv(json)?,
        other => return internal_err!("no operator {other}"),
    })
}

fn write_call(call: &WindowCall) -> Result<Json> {
    let constants = call.constants.iter().map(|value| value.as_ref().map(write_scalar).transpose());
    let constants = constants.collect::<Result<Vec<_>>>()?;
    Ok(json!([call.name, type_names(&call.types), call.returns.name(), constants]))
}

fn read_call(json: &Json) -> Result<WindowCall> {
    let (Some(name), Some(returns), Some(constants)) = (json[0].as_str(), json[2].as_str(), json[3].as_array()) else {
        return internal_err!("a window function without a name");
    };
    let constant = |value: &Json| if value.is_null() { Ok(None) } else { read_scalar(value).map(Some) };
    Ok(WindowCall {
        name: name.to_owned(),
        types: types_of(&json[1])?,
        returns: type_of(returns)?,
        constants: constants.iter().map(constant).collect::<Result<_>>()?,
    })
}

fn write_scan(scan: &Scan) -> Result<Json> {
    let step = |step: &ScanStep| {
        let assigned: Vec<usize> = step.assignments.iter().map(|(index, _)| *index).collect();
        json!({"output": output_name(step.output), "assigned": assigned, "optional": step.optional})
    };
    Ok(json!({
        "is": "scan", "keys": scan.keys, "schema": write_schema(scan.schema.as_arrow()), "inputs": scan.inputs,
        "defaults": write_scalars(&scan.defaults)?, "missing": write_scalars(&scan.missing)?,
        "steps": scan.steps.iter().map(step).collect::<Vec<_>>(), "match_id": scan.match_id,
    }))
}

/// The logical expressions of the steps are not needed any more: the node has their physical ones.
fn read_scan(json: &Json) -> Result<Scan> {
    let nothing = || Expr::Literal(ScalarValue::Null, None);
    let mut steps = Vec::new();
    for step in list(json, "steps")? {
        let assigned = list(step, "assigned")?.iter().filter_map(Json::as_u64);
        steps.push(ScanStep {
            condition: nothing(),
            assignments: assigned.map(|index| (index as usize, nothing())).collect(),
            output: output(text(step, "output")?)?,
            optional: flag(step, "optional")?,
        });
    }
    let inputs = list(json, "inputs")?.iter().filter_map(Json::as_str).map(str::to_owned).collect();
    let schema = read_schema(field(json, "schema")?)?;
    Ok(Scan {
        keys: size(json, "keys")?,
        schema: Arc::new(DFSchema::try_from(schema.as_ref().clone())?),
        inputs,
        defaults: read_scalars(list(json, "defaults")?)?,
        missing: read_scalars(list(json, "missing")?)?,
        steps,
        match_id: flag(json, "match_id")?,
    })
}

fn read_parse_kv(json: &Json) -> Result<Op> {
    let option = |name: &str| field(json, name).map(|value| value.as_str().map(str::to_owned));
    let output = |pair: &Json| match (pair[0].as_str(), pair[1].as_str()) {
        (Some(key), Some(ty)) => Ok((key.to_owned(), type_of(ty)?)),
        _ => internal_err!("a key without a type"),
    };
    let options = parse_kv::Options {
        pair_delimiter: option("pair")?,
        kv_delimiter: option("kv")?,
        quote: option("quote")?,
        escape: field(json, "escape")?.as_str().and_then(|text| text.chars().next()),
        greedy: flag(json, "greedy")?,
        regex: option("regex")?,
    };
    let outputs = list(json, "outputs")?.iter().map(output).collect::<Result<_>>()?;
    Ok(Op::ParseKv(ParseKvSpec { options, outputs }))
}

fn write_part(part: &parse::Part) -> Json {
    match part {
        parse::Part::Star => json!("*"),
        parse::Part::Text(text) => json!({"text": text}),
        parse::Part::Column(index) => json!(index),
    }
}

fn read_part(json: &Json) -> Result<parse::Part> {
    Ok(match json {
        Json::String(_) => parse::Part::Star,
        Json::Number(_) => parse::Part::Column(json.as_u64().unwrap_or(0) as usize),
        _ => parse::Part::Text(text(json, "text")?.to_owned()),
    })
}

/// A bound with its kind; a real as its bits, since JSON has no infinities.
fn bound(bound: Bound) -> Json {
    match bound {
        Bound::Long(value) => json!(["long", value.to_string()]),
        Bound::Real(value) => json!(["real", value.to_bits().to_string()]),
    }
}

fn read_bound(json: &Json) -> Result<Bound> {
    let digits = json[1].as_str().unwrap_or_default();
    match (json[0].as_str(), digits.parse::<i64>(), digits.parse::<u64>()) {
        (Some("long"), Ok(value), _) => Ok(Bound::Long(value)),
        (Some("real"), _, Ok(bits)) => Ok(Bound::Real(f64::from_bits(bits))),
        _ => internal_err!("no bound {json}"),
    }
}

fn long(json: &Json, name: &str) -> Result<u64> {
    text(json, name)?.parse().map_or_else(|_| internal_err!("{name} is no number"), Ok)
}

fn size(json: &Json, name: &str) -> Result<usize> {
    Ok(usize::try_from(number(json, name)?).unwrap_or(usize::MAX))
}

fn type_names(types: &[ScalarType]) -> Vec<&'static str> {
    types.iter().map(|ty| ty.name()).collect()
}

fn types(json: &Json) -> Result<Vec<ScalarType>> {
    types_of(field(json, "types")?)
}

fn types_of(json: &Json) -> Result<Vec<ScalarType>> {
    json.as_array().into_iter().flatten().map(|name| type_of(name.as_str().unwrap_or_default())).collect()
}

fn type_of(name: &str) -> Result<ScalarType> {
    if name == ScalarType::Unknown.name() {
        return Ok(ScalarType::Unknown);
    }
    ScalarType::parse(name).map_or_else(|| internal_err!("no type {name}"), Ok)
}

fn mode_name(mode: parse::Mode) -> &'static str {
    match mode {
        parse::Mode::Simple => "simple",
        parse::Mode::Relaxed => "relaxed",
        parse::Mode::Regex => "regex",
    }
}

fn mode(name: &str) -> Result<parse::Mode> {
    let all = [parse::Mode::Simple, parse::Mode::Relaxed, parse::Mode::Regex];
    all.into_iter().find(|mode| mode_name(*mode) == name).map_or_else(|| internal_err!("no mode {name}"), Ok)
}

fn output_name(output: ScanOutput) -> &'static str {
    match output {
        ScanOutput::All => "all",
        ScanOutput::Last => "last",
        ScanOutput::None => "none",
    }
}

fn output(name: &str) -> Result<ScanOutput> {
    let all = [ScanOutput::All, ScanOutput::Last, ScanOutput::None];
    all.into_iter().find(|output| output_name(*output) == name).map_or_else(|| internal_err!("no output {name}"), Ok)
}
