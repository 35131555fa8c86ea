use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::{
    AgencyStore, AuditStore, ConversationStore, DecisionStore, FeedbackStore, FileStore, GoalStore,
    GraphStore, Health, Info, LearningStore, Maintenance, MissionStore, PatchStore, PoolStats,
    RawSql, RecordReader, RecordWriter, SchemaAdmin, SearchStore, StorageError, TaskStore,
    TenantStore,
};

/// Every verb on what is remembered. A store and a unit of work both have them.
pub trait MemoryStore:
    TenantStore
    + ConversationStore
    + FeedbackStore
    + GraphStore
    + LearningStore
    + DecisionStore
    + TaskStore
    + MissionStore
    + FileStore
    + GoalStore
    + AgencyStore
    + AuditStore
    + PatchStore
    + SearchStore
{
}

impl<S> MemoryStore for S where
    S: ?Sized
        + TenantStore
        + ConversationStore
        + FeedbackStore
        + GraphStore
        + LearningStore
        + DecisionStore
        + TaskStore
        + MissionStore
        + FileStore
        + GoalStore
        + AgencyStore
        + AuditStore
        + PatchStore
        + SearchStore
{
}

/// An open store.
#[async_trait]
pub trait Storage: MemoryStore + RawSql + Debug {
    /// Begins a unit of work: several verbs that take effect together.
    ///
    /// On SQLite it holds the one writer, on PostgreSQL a connection, until it is committed or
    /// dropped or has been idle for too long.
    ///
    /// # Errors
    /// `Busy` (SQLite) or `PoolTimeout` (PostgreSQL) if it cannot begin in time.
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StorageError>;

    /// Goes to the database and back, never longer than `timeout`.
    async fn health(&self, timeout: Duration) -> Health;

    /// What this store is and how it is configured, without secrets.
    async fn info(&self) -> Result<Info, StorageError>;

    /// What the pool has done so far.
    fn pool_stats(&self) -> PoolStats;

    /// Refuses new work, waits up to `deadline` for what is under way, and closes. Every verb after
    /// it returns `Closed`; closing again does nothing.
    ///
    /// # Errors
    /// `Busy` if work was still under way at the deadline; it is cut off.
    async fn close(&self, deadline: Duration) -> Result<(), StorageError>;

    /// The schema's administration.
    fn schema(&self) -> &dyn SchemaAdmin;

    /// What keeps the store in order.
    fn maintenance(&self) -> &dyn Maintenance;

    /// Reads whole records from one frozen state, whatever is written meanwhile.
    async fn reader(&self) -> Result<Box<dyn RecordReader>, StorageError>;

    /// Writes whole records in one transaction.
    async fn writer(&self) -> Result<Box<dyn RecordWriter>, StorageError>;
}

/// Several verbs that take effect together, or not at all: dropping it undoes it.
///
/// Reads see what was written in it. After a refusal of the store itself (`Invalid`, `NotFound`,
/// `Conflict`, `WrongState`, `MissingReference`) it goes on; after an error of the database, a verb dropped half
/// way or the idle deadline, every verb and the commit return `WorkAborted`.
#[async_trait]
pub trait UnitOfWork: MemoryStore + RawSql {
    /// Makes everything that was done in it last.
    ///
    /// # Errors
    /// `WorkAborted` if it was undone before; `OutcomeUnknown` if the connection was lost.
    async fn commit(self: Box<Self>) -> Result<(), StorageError>;

    /// Undoes it and waits until that is done. Dropping does the same without waiting.
    async fn rollback(self: Box<Self>) -> Result<(), StorageError>;
}
