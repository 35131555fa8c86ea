//! What a store of an assistant's memory must be able to do: one trait per aggregate, the unit of
//! work, bulk records, schema administration, configuration and errors.
//!
//! Only what an adapter must write is in the traits. Every verb is atomic, takes the tenant first
//! and gets ids and moments as arguments; when it returns `Ok` it is committed or, in a
//! [`UnitOfWork`], part of it. A future may be dropped at any await point: what was running is then
//! committed or not, never half.

mod admin;
mod config;
mod conversations;
mod error;
mod graph;
mod records;
mod schema;
mod source;
mod store;
mod tenants;

pub use store::{MemoryStore, Storage, UnitOfWork};

pub use conversations::ConversationStore;
pub use graph::GraphStore;
pub use tenants::TenantStore;

pub use admin::{Health, Info, PoolStats};
pub use config::{
    Config, Password, PoolOptions, PostgresTarget, SchemaPolicy, SqliteLocation, SqliteTarget,
    Synchronous, Target,
};
pub use error::{BoxError, OpenError, StorageError};
pub use records::{
    InsertOutcome, LedgerEntry, RecordReader, RecordWriter, RunId, RunStatus, TransferRun,
};
pub use schema::{MigrationState, SchemaAdmin};
pub use source::{
    Conversion, RawRow, RawValue, RecordSource, RuleUse, SourceColumn, SourceDescription,
    SourceError, SourceRow, SourceTable,
};
