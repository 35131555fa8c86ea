use std::ops::Deref;

use memory_domain::{
    JsonObject, Limit, Message, MessageId, MessageRange, NewMessage, NewSession, Session,
    SessionCursor, SessionId,
};
use memory_storage::{ConversationStore, MemoryStore, StorageError};

use super::Scoped;

/// Conversations: see [`ConversationStore`](crate::ConversationStore) for what each verb promises.
impl<S: Deref<Target: MemoryStore>> Scoped<S> {
    /// Creates a session; the same id with the same content again is the same write.
    ///
    /// # Errors
    /// `Conflict` if the id stands with other content.
    pub async fn create_session(&self, session: NewSession) -> Result<Session, StorageError> {
        self.store
            .create_session(&self.id, session, self.now())
            .await
    }

    /// Looks a session up.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>, StorageError> {
        self.store.session(&self.id, id).await
    }

    /// Lists sessions: most recently updated first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn sessions(
        &self,
        limit: u32,
        after: Option<SessionCursor>,
    ) -> Result<Vec<Session>, StorageError> {
        self.store
            .sessions(&self.id, Limit::new(limit)?, after)
            .await
    }

    /// Gives a session another title.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    pub async fn rename_session(
        &self,
        id: SessionId,
        title: impl Into<String>,
    ) -> Result<(), StorageError> {
        self.store
            .rename_session(&self.id, id, title.into(), self.now())
            .await
    }

    /// Replaces a session's metadata.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    pub async fn set_session_metadata(
        &self,
        id: SessionId,
        metadata: JsonObject,
    ) -> Result<(), StorageError> {
        self.store
            .set_session_metadata(&self.id, id, metadata, self.now())
            .await
    }

    /// Deletes a session and its messages.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    pub async fn delete_session(&self, id: SessionId) -> Result<(), StorageError> {
        self.store.delete_session(&self.id, id, self.now()).await
    }

    /// Deletes a session's messages and returns how many there were; numbers start at 1 again.
    ///
    /// # Errors
    /// `NotFound` if the session is not there.
    pub async fn clear_session(&self, id: SessionId) -> Result<u64, StorageError> {
        self.store.clear_session(&self.id, id, self.now()).await
    }

    /// Appends a message and returns it with its number; the same id with the same content again is
    /// the same message.
    ///
    /// # Errors
    /// `MissingReference` if the session is not there; `Conflict` if the id stands with other
    /// content.
    pub async fn append(
        &self,
        session: SessionId,
        message: NewMessage,
    ) -> Result<Message, StorageError> {
        let mut appended = self.append_many(session, vec![message]).await?;
        Ok(appended
            .pop()
            .expect("a store returns one message for each that was given"))
    }

    /// Appends up to 1,000 messages, all or none.
    ///
    /// # Errors
    /// As [`Scoped::append`].
    pub async fn append_many(
        &self,
        session: SessionId,
        messages: Vec<NewMessage>,
    ) -> Result<Vec<Message>, StorageError> {
        self.store
            .append(&self.id, session, messages, self.now())
            .await
    }

    /// Looks a message up.
    pub async fn message(&self, id: MessageId) -> Result<Option<Message>, StorageError> {
        self.store.message(&self.id, id).await
    }

    /// The newest `limit` messages whose number is below `before` (of all, without it), oldest
    /// first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn history(
        &self,
        session: SessionId,
        limit: u32,
        before: Option<i64>,
    ) -> Result<Vec<Message>, StorageError> {
        self.store
            .history(&self.id, session, Limit::new(limit)?, before)
            .await
    }

    /// Messages between two moments, both included, oldest first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn messages_between(
        &self,
        range: MessageRange,
        limit: u32,
    ) -> Result<Vec<Message>, StorageError> {
        self.store
            .messages_between(&self.id, range, Limit::new(limit)?)
            .await
    }
}
