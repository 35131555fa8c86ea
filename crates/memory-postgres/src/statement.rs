//! One statement with its values: written out, prepared once per connection, one round trip.

use std::borrow::Cow;
use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{
    Array, BigInt, Double, HasSqlType, Nullable, SqlType, Text, Untyped, is_nullable,
};
use memory_diesel::sql_types::{Id, IdValue, Instant, InstantValue, Json, JsonValue};
use memory_domain::{JsonObject, Limit, Timestamp};
use uuid::Uuid;

/// A statement and its values.
///
/// The text has `$1`, `$2`, … where the values go. Diesel numbers parameters as it meets them, so
/// the first mention of each must come in that order; further mentions may stand anywhere.
///
/// Diesel caches prepared statements by their text unless a part of the query says otherwise, as
/// `sql_query`, `update` and `on_conflict().do_update()` do; this one does not. Texts are few: a
/// constant per verb, or per combination of conditions of a listing.
pub(crate) struct Statement<'a> {
    step: &'static str,
    writes: bool,
    sql: Cow<'static, str>,
    values: Vec<Box<dyn Value + 'a>>,
}

impl<'a> Statement<'a> {
    /// A statement that changes nothing; `step` says in an error what was being done.
    pub(crate) fn reading(step: &'static str, sql: impl Into<Cow<'static, str>>) -> Statement<'a> {
        Statement {
            step,
            writes: false,
            sql: sql.into(),
            values: Vec::new(),
        }
    }

    /// A statement that writes: if the connection is lost under it, nobody knows what stands.
    pub(crate) fn writing(step: &'static str, sql: impl Into<Cow<'static, str>>) -> Statement<'a> {
        Statement {
            writes: true,
            ..Statement::reading(step, sql)
        }
    }

    /// What is being done, for errors and logs.
    pub(crate) fn step(&self) -> &'static str {
        self.step
    }

    /// The text, in which no values stand.
    pub(crate) fn sql(&self) -> &str {
        &self.sql
    }

    /// The span of the verb that runs it.
    pub(crate) fn span(&self) -> tracing::Span {
        tracing::debug_span!(target: "memory::verb", "verb", backend = "postgres", verb = self.step)
    }

    /// Whether it may have written when its answer is lost.
    pub(crate) fn writes(&self) -> bool {
        self.writes
    }

    /// Goes on with more text.
    pub(crate) fn then(mut self, sql: &str) -> Statement<'a> {
        self.sql.to_mut().push_str(sql);
        self
    }

    /// Goes on with the number of the next value, for a text that is put together.
    pub(crate) fn parameter(mut self) -> Statement<'a> {
        let number = self.values.len() + 1;
        let sql = self.sql.to_mut();
        sql.push('$');
        sql.push_str(&number.to_string());
        self
    }

    /// Gives the next parameter its value.
    pub(crate) fn bind<S, V>(mut self, value: V) -> Statement<'a>
    where
        S: Send + Sync + 'a,
        V: ToSql<S, Pg> + Send + Sync + 'a,
        Pg: HasSqlType<S>,
    {
        let sql_type = PhantomData::<S>;
        self.values.push(Box::new(Bound { value, sql_type }));
        self
    }

    pub(crate) fn text(self, text: &'a str) -> Statement<'a> {
        self.bind::<Text, _>(text)
    }

    pub(crate) fn optional_text(self, text: Option<&'a str>) -> Statement<'a> {
        self.bind::<Nullable<Text>, _>(text)
    }

    pub(crate) fn id(self, id: Uuid) -> Statement<'a> {
        self.bind::<Id, _>(IdValue(id))
    }

    pub(crate) fn at(self, moment: Timestamp) -> Statement<'a> {
        self.bind::<Instant, _>(InstantValue(moment))
    }

    pub(crate) fn json(self, object: &JsonObject) -> Statement<'a> {
        self.bind::<Json, _>(JsonValue(object.clone()))
    }

    pub(crate) fn double(self, number: f64) -> Statement<'a> {
        self.bind::<Double, _>(number)
    }

    pub(crate) fn number(self, number: i64) -> Statement<'a> {
        self.bind::<BigInt, _>(number)
    }

    pub(crate) fn limit(self, limit: Limit) -> Statement<'a> {
        self.number(limit.rows().into())
    }

    /// An array of what is never null.
    pub(crate) fn array<S, V>(self, values: Vec<V>) -> Statement<'a>
    where
        S: SqlType<IsNull = is_nullable::NotNull> + Send + Sync + 'static,
        V: ToSql<S, Pg> + std::fmt::Debug + Send + Sync + 'a,
        Pg: HasSqlType<S>,
    {
        self.bind::<Array<S>, _>(values)
    }

    /// An array of texts that may be absent.
    pub(crate) fn optional_texts<T>(self, texts: Vec<Option<T>>) -> Statement<'a>
    where
        T: ToSql<Text, Pg> + std::fmt::Debug + Send + Sync + 'a,
    {
        self.bind::<Array<Nullable<Text>>, Vec<Option<T>>>(texts)
    }
}

impl QueryFragment<Pg> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut values = self.values.iter().enumerate();
        let mut next = values.next();
        let mut rest = self.sql.as_ref();
        while let Some(at) = rest.find('$') {
            let digits = rest[at + 1..]
                .find(|c: char| !c.is_ascii_digit())
                .map_or(rest.len(), |length| at + 1 + length);
            match next {
                Some((index, value)) if rest[at + 1..digits].parse() == Ok(index + 1) => {
                    out.push_sql(&rest[..at]);
                    value.push(out.reborrow())?;
                    next = values.next();
                }
                _ => out.push_sql(&rest[..digits]),
            }
            rest = &rest[digits..];
        }
        out.push_sql(rest);
        match next {
            None => Ok(()),
            Some((index, _)) => Err(diesel::result::Error::QueryBuilderError(
                format!(
                    "${} is first mentioned out of order in: {}",
                    index + 1,
                    self.sql
                )
                .into(),
            )),
        }
    }
}

/// By the text, as there is no static one.
impl QueryId for Statement<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// The executor reads rows by the SQL types that the verb names.
impl Query for Statement<'_> {
    type SqlType = Untyped;
}

/// A value of any type.
trait Value: Send + Sync {
    fn push<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()>;
}

struct Bound<S, V> {
    value: V,
    sql_type: PhantomData<S>,
}

impl<S, V> Value for Bound<S, V>
where
    S: Send + Sync,
    V: ToSql<S, Pg> + Send + Sync,
    Pg: HasSqlType<S>,
{
    fn push<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<S, V>(&self.value)
    }
}

#[cfg(test)]
mod tests {
    use diesel::pg::{Pg, PgQueryBuilder};
    use diesel::query_builder::{QueryBuilder, QueryFragment};

    use super::Statement;

    fn written(statement: &Statement<'_>) -> diesel::QueryResult<String> {
        let mut builder = PgQueryBuilder::new();
        statement.to_sql(&mut builder, &Pg)?;
        Ok(builder.finish())
    }

    #[test]
    fn the_text_reaches_the_server_as_it_is_written() {
        let sql = "select $1, $2, $1 where $3 = $10 + $2";
        let statement = Statement::reading("testing", sql)
            .text("a")
            .number(1)
            .number(2);
        // $10 is not $1, nor is it a value.
        assert_eq!(written(&statement).unwrap(), sql);
        assert!(statement.is_safe_to_cache_prepared(&Pg).unwrap());
    }

    #[test]
    fn a_value_that_the_text_does_not_take_in_order_is_an_error() {
        let statement = Statement::reading("testing", "select $2, $1")
            .number(1)
            .number(2);
        assert!(written(&statement).is_err());
        let statement = Statement::reading("testing", "select $1")
            .number(1)
            .number(2);
        assert!(written(&statement).is_err());
    }
}
