use std::io::Write;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, Bool, Double, Nullable, SqlType, Text, Untyped};
use memory_diesel::sql_types::{Id, IdValue, Instant, InstantValue, Json};
use memory_storage::{ScannedSql, SqlValue};

/// SQL of the caller's own with one set of values.
pub(crate) struct RawStatement<'a> {
    scanned: &'a ScannedSql,
    values: Vec<Bound<'a>>,
}

impl<'a> RawStatement<'a> {
    pub(super) fn new(scanned: &'a ScannedSql, values: &'a [SqlValue]) -> RawStatement<'a> {
        let values = values.iter().map(Bound::of).collect();
        RawStatement { scanned, values }
    }

    /// The text without its literals.
    pub(crate) fn shape(&self) -> &str {
        &self.scanned.shape
    }
}

/// A value, as diesel takes it.
enum Bound<'a> {
    Null(Option<Nothing>),
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    Json(AnyJson<'a>),
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
            SqlValue::Json(value) => Bound::Json(AnyJson(value)),
            SqlValue::Time(value) => Bound::Time(InstantValue(*value)),
            SqlValue::Uuid(value) => Bound::Id(IdValue(*value)),
        }
    }

    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self {
            Bound::Null(value) => out.push_bind_param::<Nullable<Unknown>, _>(value),
            Bound::Bool(value) => out.push_bind_param::<Bool, _>(value),
            Bound::Int(value) => out.push_bind_param::<BigInt, _>(value),
            Bound::Float(value) => out.push_bind_param::<Double, _>(value),
            Bound::Text(value) => out.push_bind_param::<Text, _>(value),
            Bound::Bytes(value) => out.push_bind_param::<Binary, _>(value),
            Bound::Json(value) => out.push_bind_param::<Json, _>(value),
            Bound::Time(value) => out.push_bind_param::<Instant, _>(value),
            Bound::Id(value) => out.push_bind_param::<Id, _>(value),
        }
    }
}

impl QueryFragment<Pg> for RawStatement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // Texts without number would fill the cache.
        out.unsafe_to_cache_prepared();
        let mut values = self.values.iter();
        for (number, piece) in self.scanned.pieces.iter().enumerate() {
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

/// A type that the server finds out: a null fits any.
#[derive(Debug, Clone, Copy, SqlType)]
#[diesel(postgres_type(oid = 0, array_oid = 0))]
struct Unknown;

/// What is never there.
#[derive(Debug)]
enum Nothing {}

impl ToSql<Unknown, Pg> for Nothing {
    fn to_sql<'b>(&'b self, _: &mut Output<'b, '_, Pg>) -> serialize::Result {
        Ok(IsNull::Yes)
    }
}

/// JSON of any kind; our own columns hold objects only.
#[derive(Debug)]
struct AnyJson<'a>(&'a serde_json::Value);

/// The version of jsonb's binary form, which is a text behind this byte.
pub(super) const JSONB_VERSION: u8 = 1;

impl ToSql<Json, Pg> for AnyJson<'_> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[JSONB_VERSION])?;
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}
