use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{InvalidInput, key_text};

/// What a node is, which decides how fast it loses relevance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContextType {
    /// Something that a search found.
    SearchResult,
    /// Something that the person chose.
    UserSelection,
    /// What a tool gave back.
    ToolOutput,
    /// A thing of the world that is talked about.
    DomainEntity,
    /// Something that was done.
    CompletedAction,
    /// Something that was said to be so.
    ConversationFact,
    /// Something that holds for the moment only.
    TemporaryState,
}

impl ContextType {
    /// Every context type, in the order of the definition.
    pub const ALL: [ContextType; 7] = [
        ContextType::SearchResult,
        ContextType::UserSelection,
        ContextType::ToolOutput,
        ContextType::DomainEntity,
        ContextType::CompletedAction,
        ContextType::ConversationFact,
        ContextType::TemporaryState,
    ];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            ContextType::SearchResult => "search_result",
            ContextType::UserSelection => "user_selection",
            ContextType::ToolOutput => "tool_output",
            ContextType::DomainEntity => "domain_entity",
            ContextType::CompletedAction => "completed_action",
            ContextType::ConversationFact => "conversation_fact",
            ContextType::TemporaryState => "temporary_state",
        }
    }
}

impl Display for ContextType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ContextType {
    type Err = InvalidInput;

    fn from_str(word: &str) -> Result<ContextType, InvalidInput> {
        Self::ALL
            .into_iter()
            .find(|context_type| context_type.as_str() == word)
            .ok_or_else(|| {
                let words = Self::ALL.map(ContextType::as_str).join(", ");
                InvalidInput::new("context_type", word, format!("give one of {words}"))
            })
    }
}

/// What a node is called in the world outside: a system and an id there, unique within a tenant.
///
/// For local knowledge the system is the entity type, such as `file` or `concept`. Both parts are
/// key texts and always present, so deduplication has no hole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "KeyParts")]
pub struct EntityKey {
    system: String,
    id: String,
}

/// What is read before it is checked.
#[derive(Deserialize)]
struct KeyParts {
    system: String,
    id: String,
}

impl TryFrom<KeyParts> for EntityKey {
    type Error = InvalidInput;

    fn try_from(parts: KeyParts) -> Result<EntityKey, InvalidInput> {
        EntityKey::new(parts.system, parts.id)
    }
}

impl EntityKey {
    /// Accepts a key.
    ///
    /// # Errors
    /// Both parts must be key texts: 1 to 512 bytes, no U+0000.
    pub fn new(system: impl Into<String>, id: impl Into<String>) -> Result<Self, InvalidInput> {
        let (system, id) = (system.into(), id.into());
        key_text("key.system", &system)?;
        key_text("key.id", &id)?;
        Ok(EntityKey { system, id })
    }

    /// The system that knows the thing.
    pub fn system(&self) -> &str {
        &self.system
    }

    /// Its id there.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.system, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::{ContextType, EntityKey};

    #[test]
    fn every_context_type_reads_back() {
        for context_type in ContextType::ALL {
            assert_eq!(
                context_type.as_str().parse::<ContextType>().unwrap(),
                context_type
            );
            let json = serde_json::to_string(&context_type).unwrap();
            assert_eq!(json, format!("{:?}", context_type.as_str()));
        }
        assert!("nonsense".parse::<ContextType>().is_err());
    }

    #[test]
    fn no_part_of_a_key_may_be_empty() {
        assert!(EntityKey::new("file", "src/lib.rs").is_ok());
        assert_eq!(EntityKey::new("", "x").unwrap_err().field, "key.system");
        assert_eq!(EntityKey::new("x", "").unwrap_err().field, "key.id");
    }
}
