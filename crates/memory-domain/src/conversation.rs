//! Conversations: sessions and their numbered messages.

use serde::{Deserialize, Serialize};

use crate::{
    InvalidInput, JsonObject, MessageId, Role, SessionId, TenantId, Timestamp, free_text,
    normalise_json,
};

/// A conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id, unique within the tenant.
    pub id: SessionId,
    /// Its title, which may be empty.
    pub title: String,
    /// What the application keeps about it.
    pub metadata: JsonObject,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it, or its messages, last changed.
    pub updated_at: Timestamp,
    /// How many messages it has; also the number of the last one.
    pub message_count: i64,
}

impl Session {
    /// Where a listing goes on after this session.
    pub fn cursor(&self) -> SessionCursor {
        SessionCursor {
            updated_at: self.updated_at,
            id: self.id,
        }
    }
}

/// A session to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSession {
    /// Made by the caller, so that a retry is the same session and not a second one.
    pub id: SessionId,
    /// The title, which may be empty.
    pub title: String,
    /// What the application keeps about it.
    pub metadata: JsonObject,
}

impl NewSession {
    /// A session of that title with a new id and no metadata.
    pub fn new(title: impl Into<String>) -> NewSession {
        NewSession {
            id: SessionId::generate(),
            title: title.into(),
            metadata: JsonObject::new(),
        }
    }

    /// Sets the id, for a retry or an import.
    pub fn with_id(mut self, id: SessionId) -> NewSession {
        self.id = id;
        self
    }

    /// Sets the metadata.
    pub fn with_metadata(mut self, metadata: JsonObject) -> NewSession {
        self.metadata = metadata;
        self
    }

    /// Checks and normalises every field.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(mut self) -> Result<NewSession, InvalidInput> {
        free_text("title", &self.title)?;
        normalise_json("metadata", &mut self.metadata)?;
        Ok(self)
    }

    /// Whether `stored` is what creating this session gives: the same write, not another one.
    pub fn is_same_write(&self, stored: &Session) -> bool {
        self.id == stored.id && self.title == stored.title && self.metadata == stored.metadata
    }
}

/// A place in the listing of sessions: most recently updated first, then the greater id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionCursor {
    /// The last session's time.
    pub updated_at: Timestamp,
    /// The last session's id.
    pub id: SessionId,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id, unique within the tenant.
    pub id: MessageId,
    /// The conversation that it belongs to.
    pub session_id: SessionId,
    /// Its place in the conversation: 1, 2, 3, … without a gap, given by the store.
    pub number: i64,
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
    /// What the application keeps about it.
    pub metadata: JsonObject,
    /// When it was appended.
    pub created_at: Timestamp,
}

impl Message {
    /// Where a listing by time goes on after this message.
    pub fn cursor(&self) -> MessageCursor {
        MessageCursor {
            created_at: self.created_at,
            id: self.id,
        }
    }
}

/// A message to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMessage {
    /// Made by the caller, so that a retry is the same message and not a second one.
    pub id: MessageId,
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
    /// What the application keeps about it.
    pub metadata: JsonObject,
}

impl NewMessage {
    /// A message with a new id and no metadata.
    pub fn new(role: Role, content: impl Into<String>) -> NewMessage {
        NewMessage {
            id: MessageId::generate(),
            role,
            content: content.into(),
            metadata: JsonObject::new(),
        }
    }

    /// What the person says.
    pub fn user(content: impl Into<String>) -> NewMessage {
        NewMessage::new(Role::USER, content)
    }

    /// What the model says.
    pub fn assistant(content: impl Into<String>) -> NewMessage {
        NewMessage::new(Role::ASSISTANT, content)
    }

    /// Sets the id, for a retry or an import.
    pub fn with_id(mut self, id: MessageId) -> NewMessage {
        self.id = id;
        self
    }

    /// Sets the metadata.
    pub fn with_metadata(mut self, metadata: JsonObject) -> NewMessage {
        self.metadata = metadata;
        self
    }

    /// Checks and normalises every field.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(mut self) -> Result<NewMessage, InvalidInput> {
        free_text("content", &self.content)?;
        normalise_json("metadata", &mut self.metadata)?;
        Ok(self)
    }

    /// Whether `stored` is what appending this message to `session` gives.
    pub fn is_same_write(&self, session: SessionId, stored: &Message) -> bool {
        self.id == stored.id
            && session == stored.session_id
            && self.role == stored.role
            && self.content == stored.content
            && self.metadata == stored.metadata
    }
}

/// Which messages a listing by time gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageRange {
    /// The earliest moment, inclusive.
    pub from: Timestamp,
    /// The latest moment, inclusive.
    pub to: Timestamp,
    /// Only messages of this session.
    pub session: Option<SessionId>,
    /// Only messages that come after this place.
    pub after: Option<MessageCursor>,
}

impl MessageRange {
    /// All messages from `from` to `to`, both inclusive.
    pub const fn between(from: Timestamp, to: Timestamp) -> MessageRange {
        MessageRange {
            from,
            to,
            session: None,
            after: None,
        }
    }
}

/// A place in the listing of messages by time: oldest first, then by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageCursor {
    /// The last message's time.
    pub created_at: Timestamp,
    /// The last message's id.
    pub id: MessageId,
}
