//! Our physical operators as bytes and back, for plans that run in another process.
//!
//! [`encode`] writes a node without its inputs; [`decode`] makes it again over inputs. The form is JSON; rows and
//! constants in it are Arrow IPC streams in hexadecimal. Functions travel as their names (`kql_plan::function::by_name`),
//! so a node that was decoded holds nothing that its bytes do not say.

mod expr;
mod op;

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err};
use datafusion::physical_plan::ExecutionPlan;
use kql_plan::function::by_name::{from_hex, hex};
use serde_json::{Value as Json, json};

use crate::in_order::InOrderExec;
use crate::operator::OperatorExec;
use crate::outer_side::OuterSideExec;
use crate::range::RangeExec;

/// A node of ours, without its inputs; None for another node.
///
/// # Errors
/// When the node has an expression that no operator of ours is given.
pub fn encode(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<Vec<u8>>> {
    let described = if let Some(node) = plan.downcast_ref::<OperatorExec>() {
        let (pass, own, steps) = node.expressions();
        json!({
            "node": "operator", "op": op::write(node.op())?, "schema": write_schema(&node.schema()),
            "pass": expr::write_all(pass)?, "own": expr::write_all(own)?, "steps": expr::write_all(steps)?,
        })
    } else if let Some(node) = plan.downcast_ref::<RangeExec>() {
        json!({"node": "range", "op": op::write(node.op())?, "schema": write_schema(&node.schema())})
    } else if let Some(node) = plan.downcast_ref::<InOrderExec>() {
        json!({"node": "in order", "fetch": node.rows_max()})
    } else if plan.downcast_ref::<OuterSideExec>().is_some() {
        json!({"node": "outer side"})
    } else {
        return Ok(None);
    };
    serde_json::to_vec(&described).map(Some).map_err(|error| DataFusionError::External(Box::new(error)))
}

/// The node that [`encode`] wrote, over inputs.
///
/// # Errors
/// When the bytes are not those of a node, or it has another number of inputs.
pub fn decode(bytes: &[u8], inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Arc<dyn ExecutionPlan>> {
    let node: Json = serde_json::from_slice(bytes).map_err(|error| DataFusionError::External(Box::new(error)))?;
    match (text(&node, "node")?, inputs) {
        ("operator", [input]) => {
            let list = |name: &str| expr::read_all(field(&node, name)?, &input.schema());
            let op = Arc::new(op::read(field(&node, "op")?)?);
            let steps = match op.as_ref() {
                kql_plan::node::Op::Scan(scan) => expr::read_all(field(&node, "steps")?, scan.schema.inner())?,
                _ => Vec::new(),
            };
            let schema = read_schema(field(&node, "schema")?)?;
            Ok(Arc::new(OperatorExec::try_new(op, Arc::clone(input), list("pass")?, list("own")?, steps, schema)?))
        }
        ("range", []) => {
            let op = Arc::new(op::read(field(&node, "op")?)?);
            Ok(Arc::new(RangeExec::try_new(op, read_schema(field(&node, "schema")?)?)?))
        }
        ("in order", [input]) => {
            let fetch = field(&node, "fetch")?.as_u64().and_then(|fetch| usize::try_from(fetch).ok());
            Ok(Arc::new(InOrderExec::new(Arc::clone(input), fetch)))
        }
        ("outer side", [input]) => Ok(Arc::new(OuterSideExec::new(Arc::clone(input)))),
        (name, inputs) => internal_err!("no node {name} with {} inputs", inputs.len()),
    }
}

fn field<'a>(json: &'a Json, name: &str) -> Result<&'a Json> {
    json.get(name).map_or_else(|| internal_err!("a node without {name}"), Ok)
}

fn text<'a>(json: &'a Json, name: &str) -> Result<&'a str> {
    field(json, name)?.as_str().map_or_else(|| internal_err!("{name} is no text"), Ok)
}

fn number(json: &Json, name: &str) -> Result<u64> {
    field(json, name)?.as_u64().map_or_else(|| internal_err!("{name} is no number"), Ok)
}

fn flag(json: &Json, name: &str) -> Result<bool> {
    field(json, name)?.as_bool().map_or_else(|| internal_err!("{name} is no truth value"), Ok)
}

fn list<'a>(json: &'a Json, name: &str) -> Result<&'a [Json]> {
    field(json, name)?.as_array().map_or_else(|| internal_err!("{name} is no list"), |list| Ok(list.as_slice()))
}

fn write_schema(schema: &Schema) -> Json {
    schema.fields().iter().map(|field| json!([field.name(), field.data_type().to_string()])).collect()
}

fn read_schema(json: &Json) -> Result<SchemaRef> {
    let mut fields = Vec::new();
    for pair in json.as_array().into_iter().flatten() {
        let (Some(name), Some(ty)) = (pair[0].as_str(), pair[1].as_str()) else {
            return internal_err!("a column without a name and a type");
        };
        fields.push(Field::new(name, ty.parse::<DataType>()?, true));
    }
    Ok(Arc::new(Schema::new(Fields::from(fields))))
}

fn write_batches(schema: &Schema, batches: &[RecordBatch]) -> Result<Json> {
    let mut writer = StreamWriter::try_new(Vec::new(), schema)?;
    for batch in batches {
        writer.write(batch)?;
    }
    Ok(Json::String(hex(&writer.into_inner()?)))
}

fn read_batches(json: &Json) -> Result<Vec<RecordBatch>> {
    let Some(bytes) = json.as_str().and_then(from_hex) else { return internal_err!("rows that are no hexadecimal") };
    Ok(StreamReader::try_new(bytes.as_slice(), None)?.collect::<std::result::Result<Vec<_>, _>>()?)
}

/// A constant, with its type.
fn write_scalar(value: &ScalarValue) -> Result<Json> {
    let array: ArrayRef = value.to_array()?;
    let field = Field::new("value", array.data_type().clone(), true);
    let schema = Arc::new(Schema::new(vec![field]));
    write_batches(&schema, &[RecordBatch::try_new(Arc::clone(&schema), vec![array])?])
}

fn read_scalar(json: &Json) -> Result<ScalarValue> {
    match read_batches(json)?.first().and_then(|batch| batch.columns().first().cloned()) {
        Some(array) if array.len() == 1 => ScalarValue::try_from_array(&array, 0),
        _ => internal_err!("a constant without a value"),
    }
}

fn write_scalars(values: &[ScalarValue]) -> Result<Json> {
    values.iter().map(write_scalar).collect()
}

fn read_scalars(values: &[Json]) -> Result<Vec<ScalarValue>> {
    values.iter().map(read_scalar).collect()
}
