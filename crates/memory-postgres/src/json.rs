//! A JSON array as a value: an array of arrays of different lengths, which SQL arrays cannot be.

use std::io::Write;

use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use memory_diesel::sql_types::Json;
use serde_json::Value;

#[derive(Debug)]
pub(crate) struct JsonArray(pub(crate) Vec<Value>);

/// The version of jsonb's binary form, which is a text behind this byte.
/// Source: PostgreSQL, `jsonb_send` in `jsonb.c`.
const JSONB_VERSION: u8 = 1;

impl ToSql<Json, Pg> for JsonArray {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[JSONB_VERSION])?;
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}
