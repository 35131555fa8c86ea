#![doc = include_str!("../README.md")]

mod check;
mod connect;
mod environment;
#[cfg(all(doctest, feature = "sqlite"))]
mod guide;
mod memory;
mod tenant;

pub use check::{CheckReport, CheckStep, check_round};
pub use connect::connect;
pub use environment::{DEFAULT_URL, UrlSource, config_from_env, memory_variables, url_from_env};
pub use memory::{Memory, open, open_from_env};
pub use tenant::{Scoped, Tenant, Work};

pub use memory_domain::{
    ActiveGoalCursor, AgeFrom, AgencyCursor, AgencyFilter, AgencyMeasures, AgencyOrder,
    AgencySnapshot, AgencySnapshotId, AuditCursor, AuditEvent, AuditEventId, AuditFilter,
    AuditSeverity, Clock, Compound, CompoundCursor, CompoundFilter, CompoundId, Concept,
    ContextType, Decision, DecisionCursor, DecisionFilter, DecisionId, Digest, DigestChain,
    Direction, EntityKey, EntityType, Feedback, FeedbackCursor, FeedbackFilter, FeedbackId,
    FileSnapshot, FileSnapshotCursor, FileSnapshotId, Goal, GoalCursor, GoalFilter, GoalId,
    GoalStatus, Graph, InvalidInput, JsonObject, KnowledgeStats, LearnedTurn, Lease, Limit,
    ManualClock, Message, MessageCursor, MessageId, MessageRange, Mission, MissionCursor,
    MissionFilter, MissionId, MissionStatus, Neighbour, NewAgencySnapshot, NewAuditEvent,
    NewCompound, NewDecision, NewFeedback, NewFileSnapshot, NewGoal, NewMessage, NewMission,
    NewNode, NewPatch, NewRelationship, NewSession, NewTask, Node, NodeCursor, NodeFilter, NodeId,
    NodePatch, PatchCursor, PatchFilter, PatchId, PatchRequest, PatchReview, PatchStatus, Reached,
    RecallTerms, Recalled, Record, RecordKey, RecordKind, Reinforcement, Relationship,
    RelationshipCursor, RelationshipFilter, RelationshipId, RelationshipKind, Retention, RiskyFile,
    Role, Session, SessionCursor, SessionId, SystemClock, Task, TaskClaim, TaskCursor, TaskFailure,
    TaskFilter, TaskId, TaskStatus, Tenant as TenantRecord, TenantCursor, TenantErasure, TenantId,
    TenantStats, TenantUsage, Timestamp, TraverseOptions, Turn, TurnDecision, TurnId, TurnPlan,
    WrongState, file_node_key, limits, mission_node_key,
};
pub use memory_storage::{
    AgencyStore, AuditStore, Backup, BoxError, Config, ConfigOption, ConfigSource,
    ConversationStore, DecisionStore, FeedbackStore, FileStore, FromSqlValue, GoalStore,
    GraphStore, Health, Info, InsertOutcome, LearningStore, LedgerEntry, Maintenance, MemoryStore,
    MigrationState, MissionStore, OpenError, OptimizeStep, OptionBackend, Password, PatchStore,
    PoolOptions, PoolStats, PostgresTarget, RawSql, RecordReader, RecordWriter, RootCertificates,
    RunId, RunStatus, SchemaAdmin, SchemaPolicy, Sql, SqlBatch, SqlRow, SqlValue, SqliteLocation,
    SqliteTarget, Storage, StorageError, Synchronous, TableSize, Target, TaskStore, TenantStore,
    TlsMode, TlsOptions, TransferRun, UnitOfWork,
};

pub use memory_domain::{
    Found, SearchCursor, SearchFilter, SearchHit, SearchMode, SearchPlace, SearchQuery, SearchScope,
};
/// Putting a backup of a SQLite store in the place of a store, and writing files that are there whole
/// or not at all.
#[cfg(feature = "sqlite")]
pub use memory_sqlite::{
    NewFile, NewFileError, RestoreError, Restored, is_same_file, restore as restore_sqlite,
};
pub use memory_storage::SearchStore;

/// Moving memory between stores: schema, transfer, verification, rollback.
#[cfg(feature = "migrate")]
pub use memory_migrate as migrate;

/// Connecting to a server on which another system keeps its memory, for `legacy::open_server`.
#[cfg(all(feature = "legacy", feature = "postgres"))]
pub use memory_postgres::connect_bare;

/// Reading the files of the systems that memory takes over.
#[cfg(feature = "legacy")]
pub use memory_legacy as legacy;

/// Runs the snippets of the project's README as tests.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../../../README.md")]
struct ReadmeOfTheProject;

/// Runs the snippets of the page on configuration as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/configuration.md")]
struct ConfigurationPage;
