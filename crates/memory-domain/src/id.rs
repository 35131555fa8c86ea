use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::InvalidInput;

/// Makes a UUID of version 7: unique without asking anybody, and roughly in order of time.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that makes ids; verbs take them as arguments"
)]
fn new_uuid() -> Uuid {
    Uuid::now_v7()
}

macro_rules! id {
    ($name:ident) => {
        impl $name {
            /// Makes a new id (UUID v7).
            pub fn generate() -> Self {
                Self(new_uuid())
            }

            /// Takes over an id that exists already.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidInput;

            fn from_str(text: &str) -> Result<Self, InvalidInput> {
                Uuid::from_str(text)
                    .map(Self)
                    .map_err(|_| InvalidInput::new("id", text, "give a UUID"))
            }
        }
    };
}

/// The id of a [`Session`](crate::Session).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(Uuid);
id!(SessionId);

/// The id of a [`Message`](crate::Message).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(Uuid);
id!(MessageId);

/// The id of a [`Node`](crate::Node).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(Uuid);
id!(NodeId);

/// The id of a [`Relationship`](crate::Relationship).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RelationshipId(Uuid);
id!(RelationshipId);

/// The id of a [`Compound`](crate::Compound).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CompoundId(Uuid);
id!(CompoundId);

/// The id of a [`Turn`](crate::Turn).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TurnId(Uuid);
id!(TurnId);
/// The id of a [`Decision`](crate::Decision).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DecisionId(Uuid);
id!(DecisionId);

/// The id of a [`Feedback`](crate::Feedback).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeedbackId(Uuid);
id!(FeedbackId);

/// The id of an [`AuditEvent`](crate::AuditEvent).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuditEventId(Uuid);
id!(AuditEventId);
/// The id of a [`Task`](crate::Task).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(Uuid);
id!(TaskId);

/// The id of a [`Mission`](crate::Mission).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MissionId(Uuid);
id!(MissionId);

/// The id of a [`FileSnapshot`](crate::FileSnapshot).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileSnapshotId(Uuid);
id!(FileSnapshotId);

/// The id of a [`PatchRequest`](crate::PatchRequest).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PatchId(Uuid);
id!(PatchId);

/// The id of a [`Goal`](crate::Goal).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GoalId(Uuid);
id!(GoalId);

/// The id of an [`AgencySnapshot`](crate::AgencySnapshot).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgencySnapshotId(Uuid);
id!(AgencySnapshotId);
