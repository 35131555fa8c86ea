//! The words that an assistant's memory is made of: tenants, conversations and a knowledge graph,
//! with their ids, limits, validation, canonical encoding and digests.
//!
//! Nothing here does I/O or knows a database. Values that carry their own rule are valid by
//! construction ([`TenantId`], [`EntityKey`], [`Role`], [`Limit`], [`Timestamp`]); the inputs of
//! verbs ([`NewSession`], [`NewMessage`], [`NewNode`], …) are plain structs that a store checks and
//! normalises with their `validated` method before it touches a database.

mod agency;
mod audit;
mod canonical;
mod clock;
mod conversation;
mod decision;
mod digest;
mod feedback;
mod file;
mod goal;
mod graph;
mod id;
mod invalid;
mod json;
mod learning;
pub mod limits;
mod mission;
mod number;
mod page;
mod patch;
mod record;
mod search;
mod state;
mod task;
mod tenant;
mod text;
mod timestamp;
mod vocabulary;

pub use agency::{
    AgencyCursor, AgencyFilter, AgencyMeasures, AgencyOrder, AgencySnapshot, NewAgencySnapshot,
};
pub use audit::{AuditCursor, AuditEvent, AuditFilter, AuditSeverity, NewAuditEvent};
pub use clock::{Clock, ManualClock, SystemClock};
pub use conversation::{
    Message, MessageCursor, MessageRange, NewMessage, NewSession, Session, SessionCursor,
};
pub use decision::{Decision, DecisionCursor, DecisionFilter, NewDecision};
pub use digest::{Digest, DigestChain};
pub use feedback::{Feedback, FeedbackCursor, FeedbackFilter, NewFeedback};
pub use file::{
    FileSnapshot, FileSnapshotCursor, KnowledgeStats, NewFileSnapshot, RiskyFile, file_node_key,
};
pub use goal::{ActiveGoalCursor, Goal, GoalCursor, GoalFilter, GoalStatus, NewGoal};
pub use graph::{
    AgeFrom, ContextType, Direction, EntityKey, Graph, Neighbour, NewNode, NewRelationship, Node,
    NodeCursor, NodeFilter, NodePatch, Reached, Reinforcement, Relationship, RelationshipCursor,
    RelationshipFilter, Retention, TraverseOptions, decayed_strength, path_weight,
};
pub use id::{
    AgencySnapshotId, AuditEventId, CompoundId, DecisionId, FeedbackId, FileSnapshotId, GoalId,
    MessageId, MissionId, NodeId, PatchId, RelationshipId, SessionId, TaskId, TurnId,
};
pub use invalid::InvalidInput;
pub use json::{JsonObject, contains as json_contains, normalise as normalise_json};
pub use learning::{
    Compound, CompoundCursor, CompoundFilter, Concept, LearnedTurn, NewCompound, RECALL_FADES,
    RECALL_NAME, RECALL_PART, RecallTerms, Recalled, Turn, TurnDecision, TurnPlan, compound_score,
};
pub use mission::{Mission, MissionCursor, MissionFilter, NewMission, mission_node_key};
pub use number::{finite, unit_interval};
pub use page::Limit;
pub use patch::{NewPatch, PatchCursor, PatchFilter, PatchRequest, PatchReview, PatchStatus};
pub use record::{KeyPart, Record, RecordKey, RecordKind, UniqueKey};
pub use state::WrongState;
pub use task::{
    Lease, NewTask, Task, TaskClaim, TaskCursor, TaskFailure, TaskFilter, TaskStatus, task_result,
};

pub use search::{
    ALL_ENTITY_DATA, FieldId, Found, IndexChunk, IndexPlace, Indexed, Requirement, SEPARATOR,
    Search, SearchCursor, SearchFilter, SearchHit, SearchMode, SearchPlace, SearchQuery,
    SearchScope, TenantTerms, Terms, Wanted, fold, message_chunks, message_values, node_chunks,
    node_values, replaced_fields,
};
pub use tenant::{Tenant, TenantCursor, TenantErasure, TenantId, TenantStats, TenantUsage};
pub use text::{free_text, key_text, label_text, path_text};
pub use timestamp::Timestamp;
pub use vocabulary::{EntityType, MissionStatus, RelationshipKind, Role};
