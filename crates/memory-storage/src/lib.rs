//! What a store of an assistant's memory must be able to do: one trait per aggregate, the unit of
//! work, bulk records, schema administration, configuration and errors.
//!
//! Only what an adapter must write is in the traits. Every verb is atomic, takes the tenant first
//! and gets ids and moments as arguments; when it returns `Ok` it is committed or, in a
//! [`UnitOfWork`], part of it. A future may be dropped at any await point: what was running is then
//! committed or not, never half.

mod admin;
mod agency;
mod audit;
mod config;
mod conversations;
mod decisions;
mod error;
mod feedback;
mod files;
mod goals;
mod graph;
mod learning;
mod log;
mod maintenance;
mod missions;
mod patches;
mod records;
mod schema;
mod search;
mod source;
mod sql;
mod store;
mod tasks;
mod tenants;

pub use store::{MemoryStore, Storage, UnitOfWork};

pub use conversations::ConversationStore;
pub use feedback::FeedbackStore;
pub use files::FileStore;
pub use goals::GoalStore;
pub use graph::GraphStore;
pub use learning::LearningStore;
pub use missions::MissionStore;
pub use patches::PatchStore;
pub use search::SearchStore;
pub use tasks::TaskStore;
pub use tenants::TenantStore;

pub use agency::AgencyStore;
pub use audit::AuditStore;
pub use decisions::DecisionStore;

pub use admin::{Health, Info, PoolStats};
pub use config::{
    Config, ConfigOption, ConfigSource, OptionBackend, Password, PoolOptions, PostgresTarget,
    RootCertificates, SchemaPolicy, SqliteLocation, SqliteTarget, Synchronous, Target, TlsMode,
    TlsOptions,
};
pub use error::{BoxError, OpenError, StorageError};
pub use log::StatementLog;
pub use maintenance::{Backup, Maintenance, OptimizeStep, TableSize};
pub use records::{
    InsertOutcome, LedgerEntry, PAGE_BYTES, RecordReader, RecordWriter, RunId, RunStatus, Sealed,
    TransferRun,
};
pub use schema::{MigrationState, SchemaAdmin};
pub use source::{
    Conversion, QuarantinedRow, RawRow, RawValue, RecordSource, RowContext, RuleUse, SourceColumn,
    SourceDescription, SourceError, SourceRow, SourceTable,
};
pub use sql::{
    FromSqlValue, RawSql, ScannedSql, Sql, SqlBatch, SqlDialect, SqlRow, SqlValue, shape,
};
