use std::sync::Arc;

use diesel::backend::Backend;
use diesel::deserialize::{self, QueryableByName};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::{BigInt, Binary, Bool, Double, Nullable, Text, Untyped};
use diesel::sqlite::{Sqlite, SqliteConnection, SqliteType};
use memory_diesel::sql_types::{Id, IdValue, Instant, InstantValue};
use memory_storage::{SqlRow, SqlValue};

/// SQL of the caller's own with one set of values.
pub(super) struct RawStatement<'a> {
    pieces: &'a [String],
    values: Vec<Bound<'a>>,
}

impl<'a> RawStatement<'a> {
    pub(super) fn new(pieces: &'a [String], values: &'a [SqlValue]) -> RawStatement<'a> {
        let values = values.iter().map(Bound::of).collect();
        RawStatement { pieces, values }
    }
}

/// A value, as diesel takes it.
enum Bound<'a> {
    Null(Option<i64>),
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    Json(String),
    Time(InstantValue),
    Id(IdValue),
}

impl<'a> Bound<'a> {
    fn of(value: &'a SqlValue) -> Bound<'a> {
        match value {
            SqlValue::Null => Bound::Null(None),
            SqlValue::Bool(value) => Bound::Bool(*value),
            SqlValue::Int(value) => Bound::Int(*value),
            SqlValue::Float(value) => Bound::Float(*value),
            SqlValue::Text(value) => Bound::Text(value),
            SqlValue::Bytes(value) => Bound::Bytes(value),
            SqlValue::Json(value) => Bound::Json(value.to_string()),
            SqlValue::Time(value) => Bound::Time(InstantValue(*value)),
            SqlValue::Uuid(value) => Bound::Id(IdValue(*value)),
        }
    }

    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        match self {
            Bound::Null(value) => out.push_bind_param::<Nullable<BigInt>, _>(value),
            Bound::Bool(value) => out.push_bind_param::<Bool, _>(value),
            Bound::Int(value) => out.push_bind_param::<BigInt, _>(value),
            Bound::Float(value) => out.push_bind_param::<Double, _>(value),
            Bound::Text(value) => out.push_bind_param::<Text, _>(value),
            Bound::Bytes(value) => out.push_bind_param::<Binary, _>(value),
            Bound::Json(value) => out.push_bind_param::<Text, _>(value),
            Bound::Time(value) => out.push_bind_param::<Instant, _>(value),
            Bound::Id(value) => out.push_bind_param::<Id, _>(value),
        }
    }
}

impl QueryFragment<Sqlite> for RawStatement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        // Texts without number would fill the cache.
        out.unsafe_to_cache_prepared();
        let mut values = self.values.iter();
        for (number, piece) in self.pieces.iter().enumerate() {
            if number > 0
                && let Some(value) = values.next()
            {
                value.push(&mut out)?;
            }
            out.push_sql(piece);
        }
        Ok(())
    }
}

impl QueryId for RawStatement<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for RawStatement<'_> {
    type SqlType = Untyped;
}

impl RunQueryDsl<SqliteConnection> for RawStatement<'_> {}

/// A row, with the kinds that SQLite says its values have.
pub(super) struct RawRow {
    columns: Vec<String>,
    values: Vec<SqlValue>,
}

impl QueryableByName<Sqlite> for RawRow {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        let mut built = RawRow {
            columns: Vec::new(),
            values: Vec::new(),
        };
        for at in 0..row.field_count() {
            if let Some(field) = Row::get(row, at) {
                let name = field.field_name().unwrap_or_default();
                built.columns.push(name.to_owned());
                built
                    .values
                    .push(field.value().map_or(SqlValue::Null, value));
            }
        }
        Ok(built)
    }
}

fn value(mut value: <Sqlite as Backend>::RawValue<'_>) -> SqlValue {
    match value.value_type() {
        None => SqlValue::Null,
        Some(SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long) => {
            SqlValue::Int(value.read_long())
        }
        Some(SqliteType::Float | SqliteType::Double) => SqlValue::Float(value.read_double()),
        Some(SqliteType::Text) => SqlValue::Text(value.read_text().to_owned()),
        Some(SqliteType::Binary) => SqlValue::Bytes(value.read_blob().to_vec()),
    }
}

/// Gives the rows of one answer the names of their columns, once for all.
pub(super) fn named(rows: Vec<RawRow>) -> Vec<SqlRow> {
    let columns: Option<Arc<[String]>> = rows.first().map(|row| row.columns.clone().into());
    let with_names = |row: RawRow| Some(SqlRow::new(columns.clone()?, row.values));
    rows.into_iter().filter_map(with_names).collect()
}
