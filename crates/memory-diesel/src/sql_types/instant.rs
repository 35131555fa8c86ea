use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use memory_domain::Timestamp;

use super::Instant;

/// Carries an [`Instant`] column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = Instant)]
pub struct InstantValue(pub Timestamp);

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::backend::Backend;
    use diesel::deserialize::{self, FromSql};
    use diesel::serialize::{self, IsNull, Output, ToSql};
    use diesel::sql_types::BigInt;
    use diesel::sqlite::Sqlite;
    use memory_domain::Timestamp;

    use super::{Instant, InstantValue};

    impl ToSql<Instant, Sqlite> for InstantValue {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(self.0.micros());
            Ok(IsNull::No)
        }
    }

    impl FromSql<Instant, Sqlite> for InstantValue {
        fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
            let micros = <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?;
            Ok(InstantValue(Timestamp::from_micros(micros)?))
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::deserialize::{self, FromSql};
    use diesel::pg::{Pg, PgValue};
    use diesel::serialize::{self, Output, ToSql};
    use diesel::sql_types::BigInt;
    use memory_domain::Timestamp;

    use super::{Instant, InstantValue};

    /// 2000-01-01T00:00:00Z in microseconds since 1970: where `timestamptz` counts from.
    /// Source: PostgreSQL, `POSTGRES_EPOCH_JDATE` in `datatype/timestamp.h`.
    const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

    impl ToSql<Instant, Pg> for InstantValue {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            let micros = self.0.micros() - POSTGRES_EPOCH;
            <i64 as ToSql<BigInt, Pg>>::to_sql(&micros, &mut out.reborrow())
        }
    }

    impl FromSql<Instant, Pg> for InstantValue {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            let micros = <i64 as FromSql<BigInt, Pg>>::from_sql(value)?;
            // PostgreSQL's infinities are the ends of 64 bits.
            let micros = micros.checked_add(POSTGRES_EPOCH).ok_or("infinite")?;
            Ok(InstantValue(Timestamp::from_micros(micros)?))
        }
    }
}
