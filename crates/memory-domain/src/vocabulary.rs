use std::borrow::Cow;
use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use crate::{InvalidInput, key_text};

/// Gives an open vocabulary (a key text with some well-known words) its conversions.
macro_rules! vocabulary {
    ($name:ident) => {
        impl $name {
            /// Accepts a word of one's own.
            ///
            /// # Errors
            /// The word must be a key text: 1 to 512 bytes, no U+0000.
            pub fn new(word: impl Into<String>) -> Result<Self, InvalidInput> {
                let word = word.into();
                key_text(Self::FIELD, &word)?;
                Ok(Self(Cow::Owned(word)))
            }

            /// The word itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidInput;

            fn try_from(word: String) -> Result<Self, InvalidInput> {
                Self::new(word)
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> String {
                word.0.into_owned()
            }
        }
    };
}

/// Who speaks in a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Role(Cow<'static, str>);
vocabulary!(Role);

impl Role {
    const FIELD: &'static str = "role";
    /// The person.
    pub const USER: Role = Role(Cow::Borrowed("user"));
    /// The model.
    pub const ASSISTANT: Role = Role(Cow::Borrowed("assistant"));
    /// The instructions.
    pub const SYSTEM: Role = Role(Cow::Borrowed("system"));
    /// A tool's answer.
    pub const TOOL: Role = Role(Cow::Borrowed("tool"));
    /// The model's reasoning.
    pub const THINKING: Role = Role(Cow::Borrowed("thinking"));
}

/// What kind of thing a node stands for: `file`, `concept`, `Account`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntityType(Cow<'static, str>);
vocabulary!(EntityType);

impl EntityType {
    const FIELD: &'static str = "entity_type";
    /// An idea or topic.
    pub const CONCEPT: EntityType = EntityType(Cow::Borrowed("concept"));
    /// A file of a project.
    pub const FILE: EntityType = EntityType(Cow::Borrowed("file"));
    /// A piece of work that an assistant was sent on.
    pub const MISSION: EntityType = EntityType(Cow::Borrowed("mission"));
}

/// How two nodes are related.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelationshipKind(Cow<'static, str>);
vocabulary!(RelationshipKind);

impl RelationshipKind {
    const FIELD: &'static str = "kind";
    /// One thing brought about the other.
    pub const LED_TO: RelationshipKind = RelationshipKind(Cow::Borrowed("led_to"));
    /// The two have to do with each other.
    pub const RELATES_TO: RelationshipKind = RelationshipKind(Cow::Borrowed("relates_to"));
    /// One thing needs the other.
    pub const DEPENDS_ON: RelationshipKind = RelationshipKind(Cow::Borrowed("depends_on"));
    /// One thing makes the other.
    pub const PRODUCES: RelationshipKind = RelationshipKind(Cow::Borrowed("produces"));
    /// One thing is part of the other.
    pub const BELONGS_TO: RelationshipKind = RelationshipKind(Cow::Borrowed("belongs_to"));
    /// The two cannot both hold.
    pub const CONTRADICTS: RelationshipKind = RelationshipKind(Cow::Borrowed("contradicts"));
    /// One thing makes the other more exact.
    pub const REFINES: RelationshipKind = RelationshipKind(Cow::Borrowed("refines"));
    /// One thing answers the other.
    pub const ANSWERS: RelationshipKind = RelationshipKind(Cow::Borrowed("answers"));
    /// One thing changed the other.
    pub const UPDATED: RelationshipKind = RelationshipKind(Cow::Borrowed("updated"));
    /// The two were attended to together; undirected, strengthened by use.
    pub const ATTENTION: RelationshipKind = RelationshipKind(Cow::Borrowed("attention"));
    /// A mission worked on a file.
    pub const WORKED_ON: RelationshipKind = RelationshipKind(Cow::Borrowed("worked_on"));
    /// A mission caused a bug.
    pub const CAUSED_BUG: RelationshipKind = RelationshipKind(Cow::Borrowed("caused_bug"));
    /// A mission fixed a bug.
    pub const FIXED_BUG: RelationshipKind = RelationshipKind(Cow::Borrowed("fixed_bug"));
}

/// How a mission ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MissionStatus(Cow<'static, str>);
vocabulary!(MissionStatus);

impl MissionStatus {
    const FIELD: &'static str = "status";
    /// It reached its goal.
    pub const SUCCESS: MissionStatus = MissionStatus(Cow::Borrowed("success"));
    /// It did not.
    pub const FAILED: MissionStatus = MissionStatus(Cow::Borrowed("failed"));
    /// It was broken off.
    pub const ABORTED: MissionStatus = MissionStatus(Cow::Borrowed("aborted"));
}

#[cfg(test)]
mod tests {
    use super::{RelationshipKind, Role};

    #[test]
    fn a_word_of_ones_own_equals_the_constant() {
        assert_eq!(Role::new("user").unwrap(), Role::USER);
    }

    #[test]
    fn an_empty_word_is_refused() {
        assert_eq!(RelationshipKind::new("").unwrap_err().field, "kind");
        assert!(serde_json::from_str::<Role>(r#""""#).is_err());
    }
}
