//! One statement with its values: written out, and prepared once per connection.

use std::borrow::Cow;
use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::query_dsl::RunQueryDsl;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Double, HasSqlType, Nullable, Text, Untyped};
use diesel::sqlite::{Sqlite, SqliteConnection};
use memory_diesel::sql_types::{Id, IdValue, Instant, InstantValue, Json, JsonValue};
use memory_domain::{JsonObject, Timestamp};
use uuid::Uuid;

/// A statement and its values, which stand for the `?` in its text in their order.
///
/// Diesel caches prepared statements by their text unless a part of the query says otherwise, as
/// `sql_query`, `update` and `on_conflict().do_update()` do; this one does not. Texts are few: a
/// constant per verb, or per combination of conditions of a listing.
pub(crate) struct Statement<'a> {
    sql: Cow<'static, str>,
    values: Vec<Box<dyn Value + 'a>>,
}

impl<'a> Statement<'a> {
    pub(crate) fn new(sql: impl Into<Cow<'static, str>>) -> Statement<'a> {
        Statement {
            sql: sql.into(),
            values: Vec::new(),
        }
    }

    /// Goes on with more text.
    pub(crate) fn then(mut self, sql: &str) -> Statement<'a> {
        self.sql.to_mut().push_str(sql);
        self
    }

    /// Gives the next `?` its value.
    pub(crate) fn bind<S, V>(mut self, value: V) -> Statement<'a>
    where
        S: 'a,
        V: ToSql<S, Sqlite> + 'a,
        Sqlite: HasSqlType<S>,
    {
        let sql_type = PhantomData::<S>;
        self.values.push(Box::new(Bound { value, sql_type }));
        self
    }

    pub(crate) fn text(self, text: &'a str) -> Statement<'a> {
        self.bind::<Text, _>(text)
    }

    pub(crate) fn owned_text(self, text: String) -> Statement<'a> {
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

    pub(crate) fn json(self, object: JsonObject) -> Statement<'a> {
        self.bind::<Json, _>(JsonValue(object))
    }

    pub(crate) fn double(self, number: f64) -> Statement<'a> {
        self.bind::<Double, _>(number)
    }

    pub(crate) fn number(self, number: i64) -> Statement<'a> {
        self.bind::<BigInt, _>(number)
    }

    /// Runs it and says how many rows it changed.
    pub(crate) fn run(self, connection: &mut SqliteConnection) -> QueryResult<usize> {
        self.execute(connection)
    }
}

impl QueryFragment<Sqlite> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let mut texts = self.sql.split('?');
        out.push_sql(texts.next().unwrap_or_default());
        let mut values = self.values.iter();
        for text in texts {
            let value = values.next().ok_or_else(|| self.miscounted())?;
            value.push(out.reborrow())?;
            out.push_sql(text);
        }
        match values.next() {
            None => Ok(()),
            Some(_) => Err(self.miscounted()),
        }
    }
}

impl Statement<'_> {
    fn miscounted(&self) -> diesel::result::Error {
        let values = self.values.len();
        let problem = format!("{values} values do not fit: {}", self.sql);
        diesel::result::Error::QueryBuilderError(problem.into())
    }
}

/// By the text, as there is no static one.
impl QueryId for Statement<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// Rows are read by the names of their columns.
impl Query for Statement<'_> {
    type SqlType = Untyped;
}

impl RunQueryDsl<SqliteConnection> for Statement<'_> {}

/// A value of any type.
trait Value {
    fn push<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()>;
}

struct Bound<S, V> {
    value: V,
    sql_type: PhantomData<S>,
}

impl<S, V> Value for Bound<S, V>
where
    V: ToSql<S, Sqlite>,
    Sqlite: HasSqlType<S>,
{
    fn push<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_bind_param::<S, V>(&self.value)
    }
}

#[cfg(test)]
mod tests {
    use diesel::query_builder::{QueryBuilder, QueryFragment};
    use diesel::sqlite::Sqlite;
    use diesel::sqlite::query_builder::SqliteQueryBuilder;

    use super::Statement;

    fn written(statement: &Statement<'_>) -> diesel::QueryResult<String> {
        let mut builder = SqliteQueryBuilder::new();
        statement.to_sql(&mut builder, &Sqlite)?;
        Ok(builder.finish())
    }

    #[test]
    fn it_is_cached_and_its_text_stays_as_it_is_written() {
        let statement = Statement::new("select ?, ?").text("a").number(1);
        assert_eq!(written(&statement).unwrap(), "select ?, ?");
        assert!(statement.is_safe_to_cache_prepared(&Sqlite).unwrap());
    }

    #[test]
    fn too_many_or_too_few_values_are_an_error() {
        assert!(written(&Statement::new("select ?")).is_err());
        assert!(written(&Statement::new("select 1").number(1)).is_err());
    }
}
