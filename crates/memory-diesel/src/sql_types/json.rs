use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use memory_domain::JsonObject;

use super::Json;

/// Carries a [`Json`] column.
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Json)]
pub struct JsonValue(pub JsonObject);

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::backend::Backend;
    use diesel::deserialize::{self, FromSql};
    use diesel::serialize::{self, IsNull, Output, ToSql};
    use diesel::sql_types::Text;
    use diesel::sqlite::Sqlite;

    use super::{Json, JsonValue};

    impl ToSql<Json, Sqlite> for JsonValue {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(serde_json::to_string(&self.0)?);
            Ok(IsNull::No)
        }
    }

    impl FromSql<Json, Sqlite> for JsonValue {
        fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
            let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
            Ok(JsonValue(serde_json::from_str(&text)?))
        }
    }
}

/// The version of jsonb's binary form, which is a text behind this byte.
/// Source: PostgreSQL, `jsonb_send` in `jsonb.c`.
#[cfg(feature = "postgres")]
pub(super) const JSONB_VERSION: u8 = 1;

#[cfg(feature = "postgres")]
mod postgres {
    use std::io::Write;

    use diesel::deserialize::{self, FromSql};
    use diesel::pg::{Pg, PgValue};
    use diesel::serialize::{self, IsNull, Output, ToSql};

    use super::{JSONB_VERSION, Json, JsonValue};

    impl ToSql<Json, Pg> for JsonValue {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            out.write_all(&[JSONB_VERSION])?;
            serde_json::to_writer(out, &self.0)?;
            Ok(IsNull::No)
        }
    }

    impl FromSql<Json, Pg> for JsonValue {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            match value.as_bytes().split_first() {
                Some((&JSONB_VERSION, text)) => Ok(JsonValue(serde_json::from_slice(text)?)),
                _ => Err("an unknown version of jsonb".into()),
            }
        }
    }
}
