//! Raw SQL: an escape hatch for what no verb does.

mod batch;
mod row;
mod scan;
mod value;

use async_trait::async_trait;

pub use batch::SqlBatch;
pub use row::SqlRow;
pub use scan::{ScannedSql, SqlDialect, shape};
pub use value::{FromSqlValue, SqlValue};

use crate::StorageError;

/// Runs SQL of the caller's own. A store and a unit of work both do.
///
/// It stands outside the law of tenants: a statement sees and changes every tenant's rows, and
/// nothing that the verbs hold (numbers of messages, digests, search) is held for it. Names are those
/// of the schema; on PostgreSQL they are found without a prefix.
#[async_trait]
pub trait RawSql: Send + Sync {
    /// Runs the statement once for each set of values and returns all rows, in that order.
    ///
    /// # Errors
    /// `Invalid` for a text that is refused or does not fit its values; `ReadOnly` if it writes and
    /// was not said to. In a unit of work an error of the database undoes the work; a column of
    /// PostgreSQL whose type has no [`SqlValue`] is `Backend` too, but undoes only the statement.
    async fn sql_rows(&self, batch: SqlBatch) -> Result<Vec<SqlRow>, StorageError>;

    /// Runs the statement once for each set of values and returns how many rows it changed, which is
    /// none if it makes or drops a table, or only looks. All sets take effect together or not at all.
    ///
    /// # Errors
    /// As [`RawSql::sql_rows`].
    async fn sql_count(&self, batch: SqlBatch) -> Result<u64, StorageError>;
}

/// A statement that is being put together.
///
/// A `?` outside literals, comments, quoted names and dollar quotes is a parameter. PostgreSQL's
/// operators with a question mark are written `??`, `??|` and `??&`. One statement, without `begin`,
/// `set`, `pragma` and their like: transactions and connections are the store's own business.
#[must_use = "nothing runs before `fetch` or `execute`"]
pub struct Sql<'a> {
    runner: &'a dyn RawSql,
    text: String,
    writing: bool,
    values: Vec<SqlValue>,
    many: Option<Vec<Vec<SqlValue>>>,
}

impl<'a> Sql<'a> {
    /// Begins with the statement's text.
    pub fn new(runner: &'a dyn RawSql, text: impl Into<String>) -> Sql<'a> {
        Sql {
            runner,
            text: text.into(),
            writing: false,
            values: Vec::new(),
            many: None,
        }
    }

    /// Gives the next parameter its value.
    pub fn bind(mut self, value: impl Into<SqlValue>) -> Sql<'a> {
        self.values.push(value.into());
        self
    }

    /// Runs it once for each of these sets of values, which follow those given with
    /// [`Sql::bind`].
    pub fn bind_many(mut self, sets: impl IntoIterator<Item = Vec<SqlValue>>) -> Sql<'a> {
        self.many.get_or_insert_default().extend(sets);
        self
    }

    /// Allows it to write. Without this the database itself refuses to.
    pub fn writing(mut self) -> Sql<'a> {
        self.writing = true;
        self
    }

    /// Runs it and returns its rows.
    ///
    /// # Errors
    /// See [`RawSql::sql_rows`].
    pub async fn fetch(self) -> Result<Vec<SqlRow>, StorageError> {
        let (runner, batch) = self.batch();
        runner.sql_rows(batch).await
    }

    /// Runs it and returns how many rows it changed.
    ///
    /// # Errors
    /// See [`RawSql::sql_count`].
    pub async fn execute(self) -> Result<u64, StorageError> {
        let (runner, batch) = self.batch();
        runner.sql_count(batch).await
    }

    fn batch(self) -> (&'a dyn RawSql, SqlBatch) {
        let Sql {
            runner,
            text,
            writing,
            values,
            many,
        } = self;
        let sets = match many {
            None => vec![values],
            Some(sets) => sets
                .into_iter()
                .map(|set| [values.clone(), set].concat())
                .collect(),
        };
        let batch = SqlBatch {
            text,
            sets,
            writing,
        };
        (runner, batch)
    }
}
