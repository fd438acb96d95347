//! New guids, assertions and the size of values.

use kql_types::ScalarType;

use super::{Args, KernelError, KernelResult};

/// `new_guid()`
pub fn new_guid(args: &Args<'_>) -> KernelResult {
    args.to_dynamics(|_, out| {
        out.push_str(uuid::Uuid::new_v4().as_hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()));
        Some(())
    })
}

/// `assert(condition, message)`: fails where the condition is not true.
pub fn assert(args: &Args<'_>) -> KernelResult {
    let (condition, message) = (args.boolean(0)?, args.text(1)?);
    let mut failed = None;
    let flags = args.to_flags(|row| {
        let holds = condition.opt(row) == Some(true);
        if !holds && failed.is_none() {
            failed = Some(KernelError(format!("assertion failed: {}", message.at(row))));
        }
        holds
    })?;
    failed.map_or(Ok(flags), Err)
}

/// `current_principal_is_member_of(group, ...)`: there are no principals.
pub fn no_member(args: &Args<'_>) -> KernelResult {
    args.to_flags(|_| false)
}

/// `estimate_data_size(values...)`
pub fn estimate_data_size(args: &Args<'_>) -> KernelResult {
    let mut fixed = 0;
    let mut texts = Vec::new();
    for index in 0..args.count() {
        fixed += match args.ty(index) {
            ScalarType::Bool => 1,
            ScalarType::Int => 4,
            ScalarType::Long | ScalarType::Real | ScalarType::DateTime | ScalarType::TimeSpan => 8,
            ScalarType::Decimal | ScalarType::Guid => 16,
            ScalarType::String | ScalarType::Dynamic | ScalarType::Unknown => {
                texts.push(args.text(index)?);
                0
            }
        };
    }
    args.to_longs(|row| fixed + texts.iter().map(|text| text.bytes(row) as i64).sum::<i64>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Cell, call, try_call};

    #[test]
    fn sizes() {
        let size = |cells: &[Cell]| call(estimate_data_size, cells, ScalarType::Long);
        assert_eq!(size(&[Cell::Long(1), "1234567890".into()]), Cell::Long(18));
    }

    #[test]
    fn assertions() {
        let check = |holds| try_call(assert, &[Cell::Bool(holds), "why".into()], ScalarType::Bool);
        assert!(check(true).is_ok());
        assert_eq!(check(false).unwrap_err(), KernelError("assertion failed: why".into()));
    }

    #[test]
    fn every_row_gets_its_own_guid() {
        let args = Args { columns: &[], constant: &[], types: &[], returns: ScalarType::Guid, rows: 50 };
        let array = new_guid(&args).unwrap();
        let texts: std::collections::HashSet<&str> =
            arrow::array::AsArray::as_string_view(&array).iter().flatten().collect();
        assert_eq!(texts.len(), 50);
    }
}
