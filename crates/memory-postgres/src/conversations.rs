use std::collections::HashMap;

use async_trait::async_trait;
use diesel::sql_types::{BigInt, Nullable, Text};
use memory_diesel::sql_types::{Id, IdValue, Instant, InstantValue, Json, JsonValue};
use memory_diesel::{MessageRow, SessionRow};
use memory_domain::limits::BATCH_MAX;
use memory_domain::{
    InvalidInput, JsonObject, Limit, Message, MessageId, MessageRange, NewMessage, NewSession,
    Session, SessionCursor, SessionId, TenantId, Timestamp, free_text, normalise_json,
};
use memory_storage::{ConversationStore, StorageError};
use uuid::Uuid;

use crate::columns::{Messages, Sessions, message_columns, session_columns};
use crate::executor::{Executor, Postgres};
use crate::index::MessageChunks;
use crate::statement::Statement;

// The row that was there before the statement began, if it was; one that came in between is met by
// the insertion but not seen by the selection, and the statement is sent again.
const CREATE: &str = concat!(
    "with written as (
        insert into sessions as s
            (tenant_id, id, title, metadata, created_at, updated_at, message_count)
        values ($1, $2, $3, $4, $5, $5, 0)
        on conflict (tenant_id, id) do nothing
        returning ",
    session_columns!("s"),
    ")
    select ",
    session_columns!("w"),
    ", touch_tenant($1, $5) from written as w
    union all
    select ",
    session_columns!("s"),
    ", true from sessions as s where s.tenant_id = $1 and s.id = $2"
);

const ONE: &str = concat!(
    "select ",
    session_columns!("s"),
    " from sessions as s where s.tenant_id = $1 and s.id = $2"
);

const NEWEST: &str = concat!(
    "select ",
    session_columns!("s"),
    " from sessions as s where s.tenant_id = $1
    order by s.updated_at desc, s.id desc limit $2"
);

const AFTER: &str = concat!(
    "select ",
    session_columns!("s"),
    " from sessions as s where s.tenant_id = $1 and (s.updated_at, s.id) < ($2, $3)
    order by s.updated_at desc, s.id desc limit $4"
);

const RENAME: &str = "with written as (
        update sessions set title = $1, updated_at = greatest(updated_at, $2)
        where tenant_id = $3 and id = $4
        returning id
    )
    select touch_tenant($3, $2) from written";

const SET_METADATA: &str = "with written as (
        update sessions set metadata = $1, updated_at = greatest(updated_at, $2)
        where tenant_id = $3 and id = $4
        returning id
    )
    select touch_tenant($3, $2) from written";

const DELETE: &str = "with gone as (
        delete from sessions where tenant_id = $1 and id = $2 returning id
    )
    select touch_tenant($1, $3) from gone";

const CLEAR: &str = "select clear_session($1, $2, $3)";

// What is there already is indexed already. The reference to the message is checked at the end of
// the statement, when the function has written it.
const APPEND: &str = "with appended as materialized (
        select outcome, message_id, message_number, message_at
        from append_messages($1, $2, $3, $4, $5, $6, $7)
    ), indexed as (
        insert into message_chunks (tenant_id, message_id, part, created_at, text, words, grams)
        select $1, new.message_id, new.part, message_at, new.text, new.words,
            ($8::integer[])[new.gram_end - new.gram_count + 1 : new.gram_end]
        from unnest($9, $10, $11, $12, $13, $14)
            as new (message_id, part, text, words, gram_count, gram_end)
        join appended on appended.message_id = new.message_id and outcome = 'stands'
        on conflict do nothing
    )
    select outcome, message_id, message_number, message_at from appended";

const MESSAGE: &str = concat!(
    "select ",
    message_columns!("m"),
    " from messages as m where m.tenant_id = $1 and m.id = $2"
);

const HISTORY: &str = concat!(
    "select ",
    message_columns!("m"),
    " from (
        select * from messages
        where tenant_id = $1 and session_id = $2 and number < $3
        order by number desc limit $4
    ) as m order by m.number"
);

const BETWEEN: &str = concat!(
    "select ",
    message_columns!("m"),
    " from messages as m where m.tenant_id = $1 and m.created_at between $2 and $3"
);

#[async_trait]
impl<E: Executor> ConversationStore for Postgres<E> {
    async fn create_session(
        &self,
        tenant: &TenantId,
        session: NewSession,
        at: Timestamp,
    ) -> Result<Session, StorageError> {
        let session = session.validated()?;
        let stands: Session = self
            .standing(|| {
                let statement = Statement::writing("creating a session", CREATE)
                    .text(tenant.as_str())
                    .id(session.id.uuid())
                    .text(&session.title)
                    .json(&session.metadata)
                    .at(at);
                self.entities::<Sessions, SessionRow, _>(statement)
            })
            .await?;
        if session.is_same_write(&stands) {
            Ok(stands)
        } else {
            Err(StorageError::Conflict {
                what: "session",
                id: session.id.to_string(),
            })
        }
    }

    async fn session(
        &self,
        tenant: &TenantId,
        id: SessionId,
    ) -> Result<Option<Session>, StorageError> {
        let statement = Statement::reading("looking a session up", ONE)
            .text(tenant.as_str())
            .id(id.uuid());
        let sessions = self.entities::<Sessions, SessionRow, _>(statement).await?;
        Ok(sessions.into_iter().next())
    }

    async fn sessions(
        &self,
        tenant: &TenantId,
        limit: Limit,
        after: Option<SessionCursor>,
    ) -> Result<Vec<Session>, StorageError> {
        let statement = match after {
            None => Statement::reading("listing sessions", NEWEST).text(tenant.as_str()),
            Some(after) => Statement::reading("listing sessions", AFTER)
                .text(tenant.as_str())
                .at(after.updated_at)
                .id(after.id.uuid()),
        };
        self.entities::<Sessions, SessionRow, _>(statement.limit(limit))
            .await
    }

    async fn rename_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
        title: String,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        free_text("title", &title)?;
        let statement = Statement::writing("renaming a session", RENAME)
            .text(&title)
            .at(at)
            .text(tenant.as_str())
            .id(id.uuid());
        self.changed(statement, "session", id).await
    }

    async fn set_session_metadata(
        &self,
        tenant: &TenantId,
        id: SessionId,
        mut metadata: JsonObject,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        normalise_json("metadata", &mut metadata)?;
        let statement = Statement::writing("setting a session's metadata", SET_METADATA)
            .json(&metadata)
            .at(at)
            .text(tenant.as_str())
            .id(id.uuid());
        self.changed(statement, "session", id).await
    }

    async fn delete_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let statement = Statement::writing("deleting a session", DELETE)
            .text(tenant.as_str())
            .id(id.uuid())
            .at(at);
        self.changed(statement, "session", id).await
    }

    async fn clear_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        let statement = Statement::writing("clearing a session", CLEAR)
            .text(tenant.as_str())
            .at(at)
            .id(id.uuid());
        match self
            .first::<(Nullable<BigInt>,), (Option<i64>,)>(statement)
            .await?
        {
            Some((Some(gone),)) => Ok(gone.unsigned_abs()),
            _ => Err(StorageError::NotFound {
                what: "session",
                id: id.to_string(),
            }),
        }
    }

    async fn append(
        &self,
        tenant: &TenantId,
        session: SessionId,
        messages: Vec<NewMessage>,
        at: Timestamp,
    ) -> Result<Vec<Message>, StorageError> {
        let (messages, order) = distinct(messages)?;
        let texts = messages.iter().map(|m| (m.id.uuid(), m.content.as_str()));
        let chunks = MessageChunks::of(tenant, texts);
        let statement = Statement::writing("appending messages", APPEND)
            .text(tenant.as_str())
            .at(at)
            .id(session.uuid())
            .array::<Id, _>(messages.iter().map(|m| IdValue(m.id.uuid())).collect())
            .array::<Text, _>(messages.iter().map(|m| m.role.as_str()).collect())
            .array::<Text, _>(messages.iter().map(|m| m.content.as_str()).collect())
            .array::<Json, _>(
                messages
                    .iter()
                    .map(|m| JsonValue(m.metadata.clone()))
                    .collect(),
            );
        let statement = chunks.bind_to(statement);
        let rows = self.load::<AppendedSql, Appended>(statement).await?;
        let mut standing = HashMap::with_capacity(rows.len());
        for row in rows {
            match row {
                (outcome, id, Some(number), Some(created_at)) if outcome == "stands" => {
                    standing.insert(id.0, (number, created_at.0));
                }
                (outcome, id, ..) if outcome == "missing" => {
                    return Err(StorageError::MissingReference {
                        what: "session",
                        id: id.0.to_string(),
                    });
                }
                (_, id, ..) => return Err(conflict(id.0)),
            }
        }
        order
            .into_iter()
            .map(|index| {
                let new = &messages[index];
                let (number, created_at) = *standing
                    .get(&new.id.uuid())
                    .ok_or_else(|| conflict(new.id.uuid()))?;
                Ok(Message {
                    tenant_id: tenant.clone(),
                    id: new.id,
                    session_id: session,
                    number,
                    role: new.role.clone(),
                    content: new.content.clone(),
                    metadata: new.metadata.clone(),
                    created_at,
                })
            })
            .collect()
    }

    async fn message(
        &self,
        tenant: &TenantId,
        id: MessageId,
    ) -> Result<Option<Message>, StorageError> {
        let statement = Statement::reading("looking a message up", MESSAGE)
            .text(tenant.as_str())
            .id(id.uuid());
        let messages = self.entities::<Messages, MessageRow, _>(statement).await?;
        Ok(messages.into_iter().next())
    }

    async fn history(
        &self,
        tenant: &TenantId,
        session: SessionId,
        limit: Limit,
        before: Option<i64>,
    ) -> Result<Vec<Message>, StorageError> {
        let statement = Statement::reading("reading a session's history", HISTORY)
            .text(tenant.as_str())
            .id(session.uuid())
            // No message has this number.
            .number(before.unwrap_or(i64::MAX))
            .limit(limit);
        self.entities::<Messages, MessageRow, _>(statement).await
    }

    async fn messages_between(
        &self,
        tenant: &TenantId,
        range: MessageRange,
        limit: Limit,
    ) -> Result<Vec<Message>, StorageError> {
        let mut statement = Statement::reading("listing messages by time", BETWEEN)
            .text(tenant.as_str())
            .at(range.from)
            .at(range.to);
        if let Some(session) = range.session {
            statement = statement.then(" and m.session_id = ").parameter();
            statement = statement.id(session.uuid());
        }
        if let Some(after) = range.after {
            statement = statement.then(" and (m.created_at, m.id) > (").parameter();
            statement = statement.at(after.created_at).then(", ").parameter();
            statement = statement.id(after.id.uuid()).then(")");
        }
        let statement = statement
            .then(" order by m.created_at, m.id limit ")
            .parameter()
            .limit(limit);
        self.entities::<Messages, MessageRow, _>(statement).await
    }
}

type AppendedSql = (Text, Id, Nullable<BigInt>, Nullable<Instant>);
type Appended = (String, IdValue, Option<i64>, Option<InstantValue>);

fn conflict(id: Uuid) -> StorageError {
    StorageError::Conflict {
        what: "message",
        id: id.to_string(),
    }
}

/// Checks a batch and takes each message once: also where each of the batch is found then.
pub(crate) fn distinct(
    batch: Vec<NewMessage>,
) -> Result<(Vec<NewMessage>, Vec<usize>), StorageError> {
    if batch.len() > BATCH_MAX {
        let problem = format!("append at most {BATCH_MAX} messages at once");
        return Err(InvalidInput::new("messages", batch.len(), problem).into());
    }
    let mut messages: Vec<NewMessage> = Vec::with_capacity(batch.len());
    let mut order = Vec::with_capacity(batch.len());
    let mut places = HashMap::with_capacity(batch.len());
    for message in batch {
        let message = message.validated()?;
        let place = *places.entry(message.id.uuid()).or_insert(messages.len());
        match messages.get(place) {
            None => messages.push(message),
            Some(first) if *first == message => {}
            Some(_) => return Err(conflict(message.id.uuid())),
        }
        order.push(place);
    }
    Ok((messages, order))
}
