use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use uuid::Uuid;

use super::Ids;

/// Carries a [`Ids`] column.
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Ids)]
pub struct IdsValue(pub Vec<Uuid>);

#[cfg(feature = "sqlite")]
mod sqlite {

    use diesel::backend::Backend;
    use diesel::deserialize::{self, FromSql};
    use diesel::serialize::{self, IsNull, Output, ToSql};
    use diesel::sql_types::Text;
    use diesel::sqlite::Sqlite;

    use super::{Ids, IdsValue};

    impl ToSql<Ids, Sqlite> for IdsValue {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(serde_json::to_string(&self.0)?);
            Ok(IsNull::No)
        }
    }

    impl FromSql<Ids, Sqlite> for IdsValue {
        fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
            let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
            Ok(IdsValue(serde_json::from_str(&text)?))
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {

    use diesel::deserialize::{self, FromSql};
    use diesel::pg::{Pg, PgValue};
    use diesel::serialize::{self, Output, ToSql};
    use diesel::sql_types::Array;

    use super::{Ids, IdsValue};
    use crate::sql_types::{Id, IdValue};

    impl ToSql<Ids, Pg> for IdsValue {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            let ids: Vec<IdValue> = self.0.iter().copied().map(IdValue).collect();
            <Vec<IdValue> as ToSql<Array<Id>, Pg>>::to_sql(&ids, &mut out.reborrow())
        }
    }

    impl FromSql<Ids, Pg> for IdsValue {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            let ids = <Vec<IdValue> as FromSql<Array<Id>, Pg>>::from_sql(value)?;
            Ok(IdsValue(ids.into_iter().map(|id| id.0).collect()))
        }
    }
}
