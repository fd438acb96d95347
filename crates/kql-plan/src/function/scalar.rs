//! [`KqlFunction`]: a scalar function of the registry as a DataFusion function.
//!
//! Its identity is the name with the Kusto types of its arguments and its result (`bin(datetime,timespan):datetime`),
//! because Arrow types no longer tell datetime, timespan and long apart, and one path may be read as several types.
//! It holds no other state, so it can be made again from its name.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion_common::arrow::array::{Array, ArrayRef};
use datafusion_common::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{DataFusionError, Result, ScalarValue, internal_err};
use datafusion_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use kql_functions::kernels::Args;
use kql_functions::{Function, Kind};
use kql_types::ScalarType;

use crate::error::kernel_failure;
use crate::function::internal::non_null_strings;
use crate::value::arrow_type;

/// A function or operator of the registry, called with arguments of fixed Kusto types.
#[derive(Debug, Clone)]
pub struct KqlFunction {
    function: &'static Function,
    types: Vec<ScalarType>,
    returns: ScalarType,
    name: String,
    signature: Signature,
}

impl KqlFunction {
    pub fn new(function: &'static Function, types: Vec<ScalarType>, returns: ScalarType) -> KqlFunction {
        let list: Vec<&str> = types.iter().map(|ty| ty.name()).collect();
        let name = format!("{}({}):{}", function.name, list.join(","), returns.name());
        let volatility = if function.kind == Kind::Volatile { Volatility::Volatile } else { Volatility::Immutable };
        KqlFunction { function, types, returns, name, signature: Signature::user_defined(volatility) }
    }

    /// The function again from the name it gave itself.
    pub fn from_name(name: &str) -> Option<KqlFunction> {
        let (call, returns) = name.rsplit_once("):")?;
        let returns = named_type(returns)?;
        let (base, list) = call.rsplit_once('(')?;
        let types: Option<Vec<ScalarType>> = list.split(',').filter(|ty| !ty.is_empty()).map(named_type).collect();
        let function = kql_functions::function(base).or_else(|| kql_functions::operator(base))?;
        Some(KqlFunction::new(function, types?, returns))
    }

    /// The Kusto type of the result.
    pub fn returns(&self) -> ScalarType {
        self.returns
    }

    /// A call with arguments of the types this was made for.
    pub fn call(self, args: Vec<Expr>) -> Expr {
        Arc::new(ScalarUDF::new_from_impl(self)).call(args)
    }

    /// Runs the kernel; constant arguments travel as one row.
    pub fn evaluate(&self, args: &[ColumnarValue], rows: usize) -> Result<ColumnarValue> {
        let Some(kernel) = self.function.kernel else {
            return internal_err!("{} has no kernel", self.function.name);
        };
        let constant: Vec<bool> = args.iter().map(|arg| matches!(arg, ColumnarValue::Scalar(_))).collect();
        let all_constant = self.function.kind != Kind::Volatile && constant.iter().all(|c| *c);
        let rows = if all_constant { 1 } else { rows };
        let columns = args
            .iter()
            .map(|arg| match arg {
                ColumnarValue::Array(array) => Ok(Arc::clone(array)),
                ColumnarValue::Scalar(scalar) => scalar.to_array(),
            })
            .collect::<Result<Vec<ArrayRef>>>()?;
        let args = Args { columns: &columns, constant: &constant, types: &self.types, returns: self.returns, rows };
        let result = kernel(&args).map_err(kernel_failure)?;
        self.check(&result, rows)?;
        let result = if self.returns == ScalarType::String { non_null_strings(result) } else { result };
        if all_constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }

    fn check(&self, result: &ArrayRef, rows: usize) -> Result<()> {
        if *result.data_type() != arrow_type(self.returns) {
            return internal_err!("{} gave {} for {}", self.name, result.data_type(), self.returns);
        }
        if result.len() != rows {
            return internal_err!("{} gave {} rows for {rows}", self.name, result.len());
        }
        Ok(())
    }
}

fn named_type(name: &str) -> Option<ScalarType> {
    if name == ScalarType::Unknown.name() { Some(ScalarType::Unknown) } else { ScalarType::parse(name) }
}

impl PartialEq for KqlFunction {
    fn eq(&self, other: &KqlFunction) -> bool {
        self.name == other.name
    }
}

impl Eq for KqlFunction {}

impl Hash for KqlFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for KqlFunction {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(arrow_type(self.returns))
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(&self.name, arrow_type(self.returns), true)))
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.evaluate(&args.args, args.number_rows)
    }
}

/// The value of a call whose arguments are all constant.
pub fn fold(call: &KqlFunction, args: &[ScalarValue]) -> Result<ScalarValue, DataFusionError> {
    let args: Vec<ColumnarValue> = args.iter().cloned().map(ColumnarValue::Scalar).collect();
    match call.evaluate(&args, 1)? {
        ColumnarValue::Scalar(scalar) => Ok(scalar),
        ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0),
    }
}
