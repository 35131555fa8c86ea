use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use serde_json::Value;

use super::AnyJson;

/// Carries an [`AnyJson`] column.
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = AnyJson)]
pub struct AnyJsonValue(pub Value);

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::backend::Backend;
    use diesel::deserialize::{self, FromSql};
    use diesel::serialize::{self, IsNull, Output, ToSql};
    use diesel::sql_types::Text;
    use diesel::sqlite::Sqlite;

    use super::{AnyJson, AnyJsonValue};

    impl ToSql<AnyJson, Sqlite> for AnyJsonValue {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(serde_json::to_string(&self.0)?);
            Ok(IsNull::No)
        }
    }

    impl FromSql<AnyJson, Sqlite> for AnyJsonValue {
        fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
            let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
            Ok(AnyJsonValue(serde_json::from_str(&text)?))
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use std::io::Write;

    use diesel::deserialize::{self, FromSql};
    use diesel::pg::{Pg, PgValue};
    use diesel::serialize::{self, IsNull, Output, ToSql};

    use super::{AnyJson, AnyJsonValue};
    use crate::sql_types::json::JSONB_VERSION;

    impl ToSql<AnyJson, Pg> for AnyJsonValue {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            out.write_all(&[JSONB_VERSION])?;
            serde_json::to_writer(out, &self.0)?;
            Ok(IsNull::No)
        }
    }

    impl FromSql<AnyJson, Pg> for AnyJsonValue {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            match value.as_bytes().split_first() {
                Some((&JSONB_VERSION, text)) => Ok(AnyJsonValue(serde_json::from_slice(text)?)),
                _ => Err("an unknown version of jsonb".into()),
            }
        }
    }
}
