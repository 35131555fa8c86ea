#![doc = include_str!("../README.md")]

mod connect;
mod environment;
mod memory;
mod tenant;

pub use connect::connect;
pub use environment::{DEFAULT_URL, UrlSource, url_from_env};
pub use memory::{Memory, open};
pub use tenant::{Scoped, Tenant, Work};

pub use memory_domain::{
    Clock, ContextType, Digest, DigestChain, Direction, EntityKey, EntityType, Graph, InvalidInput,
    JsonObject, Limit, ManualClock, Message, MessageCursor, MessageId, MessageRange, Neighbour,
    NewMessage, NewNode, NewRelationship, NewSession, Node, NodeCursor, NodeFilter, NodeId,
    NodePatch, Record, RecordKey, RecordKind, Reinforcement, Relationship, RelationshipCursor,
    RelationshipFilter, RelationshipId, RelationshipKind, Role, Session, SessionCursor, SessionId,
    SystemClock, Tenant as TenantRecord, TenantCursor, TenantId, TenantStats, Timestamp, limits,
};
pub use memory_storage::{
    BoxError, Config, ConversationStore, GraphStore, Health, Info, InsertOutcome, LedgerEntry,
    MemoryStore, MigrationState, OpenError, Password, PoolOptions, PoolStats, PostgresTarget,
    RecordReader, RecordWriter, RunId, RunStatus, SchemaAdmin, SchemaPolicy, SqliteLocation,
    SqliteTarget, Storage, StorageError, Synchronous, Target, TenantStore, TransferRun, UnitOfWork,
};

/// Moving memory between stores: schema, transfer, verification, rollback.
#[cfg(feature = "migrate")]
pub use memory_migrate as migrate;

/// Reading the files of the systems that memory takes over.
#[cfg(feature = "legacy")]
pub use memory_legacy as legacy;

/// Runs the snippets of the project's README as tests.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../../../README.md")]
struct ReadmeOfTheProject;
