//! Functions that queries can't name: they keep the layout (strings never null), map status dialects, and carry the
//! places of source records.

use std::sync::Arc;

use datafusion_common::arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, Int32Array, Int64Array, StringViewArray, StringViewBuilder,
};
use datafusion_common::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion_common::{Result, ScalarValue, exec_err};
use datafusion_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::places::{Places, PlacesRef};

/// An internal scalar function; told apart by its variant alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Internal {
    /// `nn(string)`: a null becomes `""`.
    NonNull,
    /// `place(long)`: one packed place as a set of places.
    Place,
    /// `places(a, b)`: the union of two sets of places.
    Places,
    /// `real_class(real)`: 0 for null, 1 for NaN, 2 for a number.
    RealClass,
    /// `branch(long, long)`: the second argument, a number DataFusion must not know to be constant.
    Branch,
    /// `azure_rest(string)`: `Success` as `Succeeded` and so on.
    AzureRest,
    /// `azure_diagnostic(string)`: `Succeeded` as `Success` and so on.
    AzureDiagnostic,
}

impl Internal {
    pub const ALL: [Internal; 7] = [
        Internal::NonNull,
        Internal::Place,
        Internal::Places,
        Internal::RealClass,
        Internal::Branch,
        Internal::AzureRest,
        Internal::AzureDiagnostic,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Internal::NonNull => "nn",
            Internal::Place => "place",
            Internal::Places => "places",
            Internal::RealClass => "real_class",
            Internal::Branch => "branch",
            Internal::AzureRest => "azure_rest",
            Internal::AzureDiagnostic => "azure_diagnostic",
        }
    }

    fn returns(self) -> DataType {
        match self {
            Internal::NonNull | Internal::AzureRest | Internal::AzureDiagnostic => DataType::Utf8View,
            Internal::Place | Internal::Places => DataType::Binary,
            Internal::RealClass => DataType::Int32,
            Internal::Branch => DataType::Int64,
        }
    }

    /// A call of the function.
    pub fn call(self, args: Vec<Expr>) -> Expr {
        Arc::new(ScalarUDF::new_from_impl(InternalFunction::from(self))).call(args)
    }
}

/// An [`Internal`] with the signature DataFusion asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InternalFunction {
    function: Internal,
    signature: Signature,
}

impl From<Internal> for InternalFunction {
    fn from(function: Internal) -> InternalFunction {
        InternalFunction { function, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for InternalFunction {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.function.returns())
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect::<Result<Vec<ArrayRef>>>()?;
        let result = match (self.function, arrays.as_slice()) {
            (Internal::NonNull, [strings]) => non_null_strings(Arc::clone(strings)),
            (Internal::Place, [packed]) => place(packed),
            (Internal::Places, [left, right]) => places(left, right),
            (Internal::Branch, [_, number]) => Arc::clone(number),
            (Internal::RealClass, [reals]) => real_class(reals),
            (Internal::AzureRest, [status]) => map_status(status, rest_status),
            (Internal::AzureDiagnostic, [status]) => map_status(status, diagnostic_status),
            (function, _) => return exec_err!("{} with {} arguments", function.name(), arrays.len()),
        };
        Ok(ColumnarValue::Array(result))
    }
}

/// The same column with nulls as `""`; not copied when it has none.
///
/// DataFusion asks what a filter gives for a column of type Null, to know whether an outer join can do without the rows that it
/// fills: those hold `""` here.
pub fn non_null_strings(array: ArrayRef) -> ArrayRef {
    if *array.data_type() == DataType::Null {
        return Arc::new(StringViewArray::from(vec![""; array.len()]));
    }
    if array.null_count() == 0 {
        return array;
    }
    let strings = array.as_string_view();
    // An empty inline view is all zeros, so a null slot may keep its view only when it is empty already.
    let mut views = strings.views().to_vec();
    for (row, view) in views.iter_mut().enumerate() {
        if strings.is_null(row) {
            *view = 0;
        }
    }
    let buffers = strings.data_buffers().to_vec();
    match StringViewArray::try_new(views.into(), buffers, None) {
        Ok(array) => Arc::new(array),
        Err(_) => {
            let mut builder = StringViewBuilder::with_capacity(strings.len());
            (0..strings.len()).for_each(|row| {
                builder.append_value(if strings.is_null(row) { "" } else { strings.value(row) });
            });
            Arc::new(builder.finish())
        }
    }
}

fn place(packed: &ArrayRef) -> ArrayRef {
    let packed: &Int64Array = packed.as_primitive::<Int64Type>();
    let mut builder = BinaryBuilder::with_capacity(packed.len(), packed.len() * 9);
    for row in 0..packed.len() {
        if packed.is_null(row) {
            builder.append_value(Places::default().encode());
        } else {
            builder.append_value(Places::one(packed.value(row)).encode());
        }
    }
    Arc::new(builder.finish())
}

fn places(left: &ArrayRef, right: &ArrayRef) -> ArrayRef {
    let (left, right) = (left.as_binary::<i32>(), right.as_binary::<i32>());
    let mut builder = BinaryBuilder::with_capacity(left.len(), left.len() * 17);
    for row in 0..left.len() {
        let mut union = Places::default();
        for side in [left, right] {
            if !side.is_null(row) {
                union.add(PlacesRef::new(side.value(row)));
            }
        }
        builder.append_value(union.encode());
    }
    Arc::new(builder.finish())
}

fn real_class(reals: &ArrayRef) -> ArrayRef {
    let class = |value: Option<f64>| match value {
        None => 0,
        Some(value) if value.is_nan() => 1,
        Some(_) => 2,
    };
    Arc::new(reals.as_primitive::<Float64Type>().iter().map(|value| Some(class(value))).collect::<Int32Array>())
}

fn map_status(status: &ArrayRef, map: fn(&str) -> &str) -> ArrayRef {
    let status = status.as_string_view();
    let mut builder = StringViewBuilder::with_capacity(status.len());
    for row in 0..status.len() {
        builder.append_value(if status.is_null(row) { "" } else { map(status.value(row)) });
    }
    Arc::new(builder.finish())
}

fn rest_status(status: &str) -> &str {
    match status {
        "Start" => "Started",
        "Accept" => "Accepted",
        "Success" => "Succeeded",
        "Failure" => "Failed",
        other => other,
    }
}

fn diagnostic_status(status: &str) -> &str {
    match status {
        "Started" => "Start",
        "Accepted" => "Accept",
        "Succeeded" => "Success",
        "Failed" => "Failure",
        other => other,
    }
}

/// `nn(expr)`; a non-null literal stays as it is.
pub fn non_null(expr: Expr) -> Expr {
    match &expr {
        Expr::Literal(ScalarValue::Utf8View(Some(_)), _) => expr,
        _ => Internal::NonNull.call(vec![expr]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_string_becomes_empty() {
        let array: ArrayRef =
            Arc::new(StringViewArray::from(vec![Some("a string longer than twelve bytes"), None, Some("b")]));
        let strings = non_null_strings(array);
        let strings = strings.as_string_view();
        assert_eq!(strings.null_count(), 0);
        assert_eq!(strings.iter().flatten().collect::<Vec<_>>(), ["a string longer than twelve bytes", "", "b"]);
    }
}
