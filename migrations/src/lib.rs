//! The SQL of both backends, embedded: the same migrations by name, each with its way back.
//!
//! A migration, once merged, never changes; `migrations.lock` holds their digests.

use diesel_migrations::EmbeddedMigrations;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use diesel_migrations::embed_migrations;

/// The migrations of a SQLite store.
#[cfg(feature = "sqlite")]
pub const SQLITE: EmbeddedMigrations = embed_migrations!("sqlite");

/// The migrations of a PostgreSQL store.
#[cfg(feature = "postgres")]
pub const POSTGRES: EmbeddedMigrations = embed_migrations!("postgres");

/// The indexes that the migrations of a SQLite store make: their names, and the statements.
#[cfg(feature = "sqlite")]
pub const SQLITE_INDEXES: &[(&str, &str)] =
    include!(concat!(env!("OUT_DIR"), "/sqlite_indexes.rs"));

/// The indexes that the migrations of a PostgreSQL store make: their names, and the statements.
#[cfg(feature = "postgres")]
pub const POSTGRES_INDEXES: &[(&str, &str)] =
    include!(concat!(env!("OUT_DIR"), "/postgres_indexes.rs"));
