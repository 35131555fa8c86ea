//! The words that an assistant's memory is made of: tenants, conversations and a knowledge graph,
//! with their ids, limits, validation, canonical encoding and digests.
//!
//! Nothing here does I/O or knows a database. Values that carry their own rule are valid by
//! construction ([`TenantId`], [`EntityKey`], [`Role`], [`Limit`], [`Timestamp`]); the inputs of
//! verbs ([`NewSession`], [`NewMessage`], [`NewNode`], …) are plain structs that a store checks and
//! normalises with their `validated` method before it touches a database.

mod canonical;
mod clock;
mod conversation;
mod digest;
mod graph;
mod id;
mod invalid;
mod json;
pub mod limits;
mod number;
mod page;
mod record;
mod tenant;
mod text;
mod timestamp;
mod vocabulary;

pub use clock::{Clock, ManualClock, SystemClock};
pub use conversation::{
    Message, MessageCursor, MessageRange, NewMessage, NewSession, Session, SessionCursor,
};
pub use digest::{Digest, DigestChain};
pub use graph::{
    ContextType, Direction, EntityKey, Graph, Neighbour, NewNode, NewRelationship, Node,
    NodeCursor, NodeFilter, NodePatch, Reinforcement, Relationship, RelationshipCursor,
    RelationshipFilter, decayed_strength,
};
pub use id::{MessageId, NodeId, RelationshipId, SessionId};
pub use invalid::InvalidInput;
pub use json::{JsonObject, contains as json_contains, normalise as normalise_json};
pub use number::{finite, unit_interval};
pub use page::Limit;
pub use record::{Record, RecordKey, RecordKind};
pub use tenant::{Tenant, TenantCursor, TenantId, TenantStats};
pub use text::{free_text, key_text, label_text};
pub use timestamp::Timestamp;
pub use vocabulary::{EntityType, RelationshipKind, Role};
