use async_trait::async_trait;
use memory_domain::{
    JsonObject, Limit, Message, MessageId, MessageRange, NewMessage, NewSession, Session,
    SessionCursor, SessionId, TenantId, Timestamp,
};

use crate::StorageError;

/// Conversations: sessions and their messages.
#[async_trait]
pub trait ConversationStore: Send + Sync {
    /// Creates a session. The same id with the same title and metadata is the same write and
    /// returns the session that stands.
    ///
    /// # Errors
    /// `Conflict` if the id stands with another title or metadata.
    async fn create_session(
        &self,
        tenant: &TenantId,
        session: NewSession,
        at: Timestamp,
    ) -> Result<Session, StorageError>;

    /// Looks a session up.
    async fn session(
        &self,
        tenant: &TenantId,
        id: SessionId,
    ) -> Result<Option<Session>, StorageError>;

    /// Lists sessions: most recently updated first, then the greater id.
    async fn sessions(
        &self,
        tenant: &TenantId,
        limit: Limit,
        after: Option<SessionCursor>,
    ) -> Result<Vec<Session>, StorageError>;

    /// Gives a session another title.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    async fn rename_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
        title: String,
        at: Timestamp,
    ) -> Result<(), StorageError>;

    /// Replaces a session's metadata.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    async fn set_session_metadata(
        &self,
        tenant: &TenantId,
        id: SessionId,
        metadata: JsonObject,
        at: Timestamp,
    ) -> Result<(), StorageError>;

    /// Deletes a session and its messages.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    async fn delete_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
        at: Timestamp,
    ) -> Result<(), StorageError>;

    /// Deletes a session's messages and returns how many there were; numbers start at 1 again.
    ///
    /// # Errors
    /// `NotFound` if the session is not there.
    async fn clear_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
        at: Timestamp,
    ) -> Result<u64, StorageError>;

    /// Appends up to 1,000 messages to a session, all or none, and returns them as they stand, in
    /// the order given. Each new one gets the next number of the session; the session's count and
    /// `updated_at` move with them. A message whose id stands with the same session, role, content
    /// and metadata is the same write: it is returned with the number that it has.
    ///
    /// # Errors
    /// `MissingReference` if the session is not there; `Conflict` if an id stands with other
    /// content (also twice in one batch with different content); `Invalid` for a batch over 1,000.
    async fn append(
        &self,
        tenant: &TenantId,
        session: SessionId,
        messages: Vec<NewMessage>,
        at: Timestamp,
    ) -> Result<Vec<Message>, StorageError>;

    /// Looks a message up.
    async fn message(
        &self,
        tenant: &TenantId,
        id: MessageId,
    ) -> Result<Option<Message>, StorageError>;

    /// The newest `limit` messages of a session whose number is below `before` (of all, without
    /// it), oldest first. Empty for a session that is not there.
    async fn history(
        &self,
        tenant: &TenantId,
        session: SessionId,
        limit: Limit,
        before: Option<i64>,
    ) -> Result<Vec<Message>, StorageError>;

    /// Messages by time, oldest first, then by id; both ends of the range are included.
    async fn messages_between(
        &self,
        tenant: &TenantId,
        range: MessageRange,
        limit: Limit,
    ) -> Result<Vec<Message>, StorageError>;
}
