//! The SQL types of our columns, each with its spelling in both databases, and the value that
//! carries it: a newtype, because neither the domain's types nor diesel's traits are ours.

mod any_json;
mod id;
mod ids;
mod instant;
mod json;
mod tags;

pub use any_json::AnyJsonValue;
pub use id::IdValue;
pub use ids::IdsValue;
pub use instant::InstantValue;
pub use json::JsonValue;
pub use tags::TagsValue;

use diesel::query_builder::QueryId;
use diesel::sql_types::SqlType;

/// A moment: microseconds in a SQLite integer, `timestamptz` in PostgreSQL. Carried by
/// [`InstantValue`].
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Long"))]
pub struct Instant;

/// An id: 16 bytes in SQLite, `uuid` in PostgreSQL. Carried by [`IdValue`].
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Binary"))]
pub struct Id;

/// A JSON object: text in SQLite, `jsonb` in PostgreSQL. Carried by [`JsonValue`].
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Json;

/// Sorted tags: a JSON array in a SQLite text, `text[]` in PostgreSQL. Carried by [`TagsValue`].
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1009, array_oid = 1009))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Tags;

/// Ids: a JSON array of texts in a SQLite text, `uuid[]` in PostgreSQL. Carried by [`IdsValue`].
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 2951, array_oid = 2951))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Ids;
/// Any JSON value: text in SQLite, `jsonb` in PostgreSQL. Carried by [`AnyJsonValue`].
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807))]
#[diesel(sqlite_type(name = "Text"))]
pub struct AnyJson;
