use std::cmp::Reverse;

use async_trait::async_trait;
use memory_domain::{
    InvalidInput, JsonObject, Limit, Message, MessageId, MessageRange, NewMessage, NewSession,
    Session, SessionCursor, SessionId, TenantId, Timestamp, free_text, normalise_json,
};
use memory_storage::{ConversationStore, StorageError};

use super::{Belongings, Model, check_batch, conflict, missing, not_found, page};

#[async_trait]
impl ConversationStore for Model {
    async fn create_session(
        &self,
        tenant: &TenantId,
        session: NewSession,
        at: Timestamp,
    ) -> Result<Session, StorageError> {
        let new = session.validated()?;
        self.write(tenant, at, |own| {
            let stands = own.sessions.entry(new.id).or_insert_with(|| Session {
                tenant_id: tenant.clone(),
                id: new.id,
                title: new.title.clone(),
                metadata: new.metadata.clone(),
                created_at: at,
                updated_at: at,
                message_count: 0,
            });
            if new.is_same_write(stands) {
                Ok(stands.clone())
            } else {
                Err(conflict("session", new.id))
            }
        })
    }

    async fn session(
        &self,
        tenant: &TenantId,
        id: SessionId,
    ) -> Result<Option<Session>, StorageError> {
        Ok(self
            .read(tenant, |own| own.sessions.get(&id).cloned())
            .flatten())
    }

    async fn sessions(
        &self,
        tenant: &TenantId,
        limit: Limit,
        after: Option<SessionCursor>,
    ) -> Result<Vec<Session>, StorageError> {
        let listed = self.read(tenant, |own| {
            page(
                own.sessions.values().cloned(),
                |session| (Reverse(session.updated_at), Reverse(session.id)),
                after.map(|after| (Reverse(after.updated_at), Reverse(after.id))),
                limit,
            )
        });
        Ok(listed.unwrap_or_default())
    }

    async fn rename_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
        title: String,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        free_text("title", &title)?;
        self.write(tenant, at, |own| {
            the_session(own, id, at)?.title = title;
            Ok(())
        })
    }

    async fn set_session_metadata(
        &self,
        tenant: &TenantId,
        id: SessionId,
        mut metadata: JsonObject,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        normalise_json("metadata", &mut metadata)?;
        self.write(tenant, at, |own| {
            the_session(own, id, at)?.metadata = metadata;
            Ok(())
        })
    }

    async fn delete_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        self.write(tenant, at, |own| {
            own.sessions
                .remove(&id)
                .ok_or_else(|| not_found("session", id))?;
            own.messages.retain(|_, message| message.session_id != id);
            Ok(())
        })
    }

    async fn clear_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        self.write(tenant, at, |own| {
            the_session(own, id, at)?.message_count = 0;
            let before = own.messages.len();
            own.messages.retain(|_, message| message.session_id != id);
            Ok((before - own.messages.len()) as u64)
        })
    }

    async fn append(
        &self,
        tenant: &TenantId,
        session: SessionId,
        messages: Vec<NewMessage>,
        at: Timestamp,
    ) -> Result<Vec<Message>, StorageError> {
        check_batch("messages", messages.len())?;
        let messages: Vec<NewMessage> = messages
            .into_iter()
            .map(NewMessage::validated)
            .collect::<Result<_, InvalidInput>>()?;
        self.write(tenant, at, |own| {
            if !own.sessions.contains_key(&session) {
                return Err(missing("session", session));
            }
            messages
                .into_iter()
                .map(|new| append_one(own, session, new, at))
                .collect()
        })
    }

    async fn message(
        &self,
        tenant: &TenantId,
        id: MessageId,
    ) -> Result<Option<Message>, StorageError> {
        Ok(self
            .read(tenant, |own| own.messages.get(&id).cloned())
            .flatten())
    }

    async fn history(
        &self,
        tenant: &TenantId,
        session: SessionId,
        limit: Limit,
        before: Option<i64>,
    ) -> Result<Vec<Message>, StorageError> {
        let newest_first = self.read(tenant, |own| {
            let messages = own.messages.values();
            page(
                messages
                    .filter(|message| message.session_id == session)
                    .cloned(),
                |message| Reverse(message.number),
                before.map(Reverse),
                limit,
            )
        });
        let mut messages = newest_first.unwrap_or_default();
        messages.reverse();
        Ok(messages)
    }

    async fn messages_between(
        &self,
        tenant: &TenantId,
        range: MessageRange,
        limit: Limit,
    ) -> Result<Vec<Message>, StorageError> {
        let within = |message: &&Message| {
            range.from <= message.created_at
                && message.created_at <= range.to
                && range
                    .session
                    .is_none_or(|session| session == message.session_id)
        };
        let listed = self.read(tenant, |own| {
            page(
                own.messages.values().filter(within).cloned(),
                |message| (message.created_at, message.id),
                range.after.map(|after| (after.created_at, after.id)),
                limit,
            )
        });
        Ok(listed.unwrap_or_default())
    }
}

/// A session that is about to change.
fn the_session(
    own: &mut Belongings,
    id: SessionId,
    at: Timestamp,
) -> Result<&mut Session, StorageError> {
    let session = own.sessions.get_mut(&id);
    let session = session.ok_or_else(|| not_found("session", id))?;
    session.updated_at = session.updated_at.max(at);
    Ok(session)
}

pub(super) fn append_one(
    own: &mut Belongings,
    session: SessionId,
    new: NewMessage,
    at: Timestamp,
) -> Result<Message, StorageError> {
    if let Some(stands) = own.messages.get(&new.id) {
        if new.is_same_write(session, stands) {
            return Ok(stands.clone());
        }
        return Err(conflict("message", new.id));
    }
    let tenant_id = own.tenant.id.clone();
    let session = the_session(own, session, at)?;
    session.message_count += 1;
    let message = Message {
        tenant_id,
        id: new.id,
        session_id: session.id,
        number: session.message_count,
        role: new.role,
        content: new.content,
        metadata: new.metadata,
        created_at: at,
    };
    own.messages.insert(message.id, message.clone());
    Ok(message)
}
