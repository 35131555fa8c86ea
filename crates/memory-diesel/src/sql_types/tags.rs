use std::collections::BTreeSet;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;

use super::Tags;

/// Carries a [`Tags`] column.
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Tags)]
pub struct TagsValue(pub BTreeSet<String>);

#[cfg(feature = "sqlite")]
mod sqlite {

    use diesel::backend::Backend;
    use diesel::deserialize::{self, FromSql};
    use diesel::serialize::{self, IsNull, Output, ToSql};
    use diesel::sql_types::Text;
    use diesel::sqlite::Sqlite;

    use super::{Tags, TagsValue};

    impl ToSql<Tags, Sqlite> for TagsValue {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(serde_json::to_string(&self.0)?);
            Ok(IsNull::No)
        }
    }

    impl FromSql<Tags, Sqlite> for TagsValue {
        fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
            let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
            Ok(TagsValue(serde_json::from_str(&text)?))
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {

    use diesel::deserialize::{self, FromSql};
    use diesel::pg::{Pg, PgValue};
    use diesel::serialize::{self, Output, ToSql};
    use diesel::sql_types::{Array, Text};

    use super::{Tags, TagsValue};

    impl ToSql<Tags, Pg> for TagsValue {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            let tags: Vec<&str> = self.0.iter().map(String::as_str).collect();
            <Vec<&str> as ToSql<Array<Text>, Pg>>::to_sql(&tags, &mut out.reborrow())
        }
    }

    impl FromSql<Tags, Pg> for TagsValue {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            let tags = <Vec<String> as FromSql<Array<Text>, Pg>>::from_sql(value)?;
            Ok(TagsValue(tags.into_iter().collect()))
        }
    }
}
