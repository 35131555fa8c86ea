//! Values of columns that nobody has named a type for, by the type that the server names.

use std::fmt::Write;
use std::sync::Arc;

use diesel::deserialize::{self, FromSql};
use diesel::pg::data_types::PgNumeric;
use diesel::pg::{Pg, PgValue};
use diesel::row::{Field, Row as _};
use diesel::sql_types::{
    BigInt, Binary, Bool, Double, Float, Integer, Numeric, Oid, SmallInt, Text,
};
use memory_diesel::sql_types::{Id, IdValue, Instant, InstantValue};
use memory_storage::{SqlRow, SqlValue};

use super::statement::JSONB_VERSION;
use crate::connection::Row;
use crate::error::Failure;

/// Reads rows. What has a type of no kind here is an error that says how to cast it.
pub(super) fn decoded(rows: &[Row]) -> Result<Vec<SqlRow>, Failure> {
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let columns: Arc<[String]> = (0..first.field_count())
        .map(|at| {
            let field = first.get(at);
            let name = field.as_ref().and_then(|field| field.field_name());
            name.unwrap_or_default().to_owned()
        })
        .collect();
    rows.iter()
        .map(|row| {
            let values = columns.iter().enumerate().map(|(at, column)| {
                let Some(field) = row.get(at) else {
                    return Ok(SqlValue::Null);
                };
                let value = field.value().map_or(Ok(SqlValue::Null), value);
                value.map_err(|error| Failure::of_column(column, &*error))
            });
            Ok(SqlRow::new(
                Arc::clone(&columns),
                values.collect::<Result<_, _>>()?,
            ))
        })
        .collect()
}

/// Reads a value by its type. Source of the numbers: PostgreSQL, `pg_type.dat`.
fn value(value: PgValue<'_>) -> deserialize::Result<SqlValue> {
    Ok(match value.get_oid().get() {
        16 => SqlValue::Bool(FromSql::<Bool, Pg>::from_sql(value)?),
        21 => SqlValue::Int(<i16 as FromSql<SmallInt, Pg>>::from_sql(value)?.into()),
        23 => SqlValue::Int(<i32 as FromSql<Integer, Pg>>::from_sql(value)?.into()),
        20 => SqlValue::Int(FromSql::<BigInt, Pg>::from_sql(value)?),
        26 => SqlValue::Int(<u32 as FromSql<Oid, Pg>>::from_sql(value)?.into()),
        // As a sum of integers has it; SQLite has no such type.
        1700 => numeric(&FromSql::<Numeric, Pg>::from_sql(value)?)?,
        700 => SqlValue::Float(<f32 as FromSql<Float, Pg>>::from_sql(value)?.into()),
        701 => SqlValue::Float(FromSql::<Double, Pg>::from_sql(value)?),
        // text, name, varchar, bpchar, and what a literal is before it is anything
        25 | 19 | 1043 | 1042 | 705 => SqlValue::Text(FromSql::<Text, Pg>::from_sql(value)?),
        17 => SqlValue::Bytes(FromSql::<Binary, Pg>::from_sql(value)?),
        114 => SqlValue::Json(serde_json::from_slice(value.as_bytes())?),
        3802 => match value.as_bytes().split_first() {
            Some((&JSONB_VERSION, text)) => SqlValue::Json(serde_json::from_slice(text)?),
            _ => return Err("an unknown version of jsonb".into()),
        },
        1184 => {
            let InstantValue(moment) = FromSql::<Instant, Pg>::from_sql(value)?;
            SqlValue::Time(moment)
        }
        2950 => {
            let IdValue(id) = FromSql::<Id, Pg>::from_sql(value)?;
            SqlValue::Uuid(id)
        }
        // void: what a function without a result returns
        2278 => SqlValue::Null,
        other => {
            let problem = format!(
                "it is of a type (oid {other}) that has no value here; cast it, as to ::text, \
                 ::bigint or ::double precision"
            );
            return Err(problem.into());
        }
    })
}

/// A whole number that fits 64 bits as that, and any other as the nearest double.
fn numeric(number: &PgNumeric) -> deserialize::Result<SqlValue> {
    let (sign, weight, digits) = match number {
        PgNumeric::NaN => return Ok(SqlValue::Float(f64::NAN)),
        PgNumeric::Positive { weight, digits, .. } => ("", *weight, digits),
        PgNumeric::Negative { weight, digits, .. } => ("-", *weight, digits),
    };
    // Each digit is one of base 10,000; the first counts 10,000 to the weight.
    let last = i32::try_from(digits.len())? - 1;
    let shift = 4 * (i32::from(weight) - last);
    let mut text = String::from(sign);
    for digit in digits {
        write!(text, "{digit:04}")?;
    }
    text.push_str(if digits.is_empty() { "0" } else { "" });
    if (0..=20).contains(&shift) {
        let whole = text.clone() + &"0".repeat(shift.unsigned_abs() as usize);
        if let Ok(whole) = whole.parse() {
            return Ok(SqlValue::Int(whole));
        }
    }
    Ok(SqlValue::Float(format!("{text}e{shift}").parse()?))
}
