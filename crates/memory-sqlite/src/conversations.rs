use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_diesel::schema::{messages, sessions};
use memory_diesel::sql_types::IdValue;
use memory_diesel::{MessageRow, SessionRow};
use memory_domain::limits::BATCH_MAX;
use memory_domain::{
    InvalidInput, JsonObject, Limit, Message, MessageId, MessageRange, NewMessage, NewSession,
    Session, SessionCursor, SessionId, TenantId, Timestamp, free_text, normalise_json,
};
use memory_storage::{ConversationStore, StorageError};

use crate::error::Failure;
use crate::executor::{Executor, Reading, Sqlite};
use crate::index::index_message;
use crate::statement::Statement;
use crate::tenants::{entities, found, touch};

#[async_trait]
impl<E: Executor> ConversationStore for Sqlite<E> {
    async fn create_session(
        &self,
        tenant: &TenantId,
        session: NewSession,
        at: Timestamp,
    ) -> Result<Session, StorageError> {
        let new = session.validated()?;
        let tenant = tenant.clone();
        self.0
            .write("creating a session", move |connection| {
                create(connection, tenant, new, at)
            })
            .await
    }

    async fn session(
        &self,
        tenant: &TenantId,
        id: SessionId,
    ) -> Result<Option<Session>, StorageError> {
        let tenant = tenant.clone();
        self.0
            .read(Reading::of("looking a session up"), move |connection| {
                one_session(connection, &tenant, id)
            })
            .await
    }

    async fn sessions(
        &self,
        tenant: &TenantId,
        limit: Limit,
        after: Option<SessionCursor>,
    ) -> Result<Vec<Session>, StorageError> {
        let tenant = tenant.clone();
        self.0
            .read(Reading::of("listing sessions"), move |connection| {
                list(connection, &tenant, limit, after)
            })
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
        let tenant = tenant.clone();
        self.0
            .write("renaming a session", move |connection| {
                let changed = Statement::new(
                    "update sessions set title = ?, updated_at = max(updated_at, ?)
                     where tenant_id = ? and id = ?",
                )
                .text(&title)
                .at(at)
                .text(tenant.as_str())
                .id(id.uuid())
                .run(connection)?;
                found("session", &id, changed)?;
                touch(connection, &tenant, at)
            })
            .await
    }

    async fn set_session_metadata(
        &self,
        tenant: &TenantId,
        id: SessionId,
        mut metadata: JsonObject,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        normalise_json("metadata", &mut metadata)?;
        let tenant = tenant.clone();
        self.0
            .write("setting a session's metadata", move |connection| {
                let changed = Statement::new(
                    "update sessions set metadata = ?, updated_at = max(updated_at, ?)
                     where tenant_id = ? and id = ?",
                )
                .json(metadata)
                .at(at)
                .text(tenant.as_str())
                .id(id.uuid())
                .run(connection)?;
                found("session", &id, changed)?;
                touch(connection, &tenant, at)
            })
            .await
    }

    async fn delete_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let tenant = tenant.clone();
        self.0
            .write("deleting a session", move |connection| {
                let changed =
                    diesel::delete(sessions::table.find((tenant.as_str(), IdValue(id.uuid()))))
                        .execute(connection)?;
                found("session", &id, changed)?;
                touch(connection, &tenant, at)
            })
            .await
    }

    async fn clear_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        let tenant = tenant.clone();
        self.0
            .write("clearing a session", move |connection| {
                let changed = set_count(connection, &tenant, id, 0, at)?;
                found("session", &id, changed)?;
                let gone = diesel::delete(
                    messages::table
                        .filter(messages::tenant_id.eq(tenant.as_str()))
                        .filter(messages::session_id.eq(IdValue(id.uuid()))),
                )
                .execute(connection)?;
                touch(connection, &tenant, at)?;
                Ok(gone as u64)
            })
            .await
    }

    async fn append(
        &self,
        tenant: &TenantId,
        session: SessionId,
        messages: Vec<NewMessage>,
        at: Timestamp,
    ) -> Result<Vec<Message>, StorageError> {
        if messages.len() > BATCH_MAX {
            let problem = format!("append at most {BATCH_MAX} messages at once");
            return Err(InvalidInput::new("messages", messages.len(), problem).into());
        }
        let messages = messages
            .into_iter()
            .map(NewMessage::validated)
            .collect::<Result<Vec<_>, _>>()?;
        let tenant = tenant.clone();
        self.0
            .write("appending messages", move |connection| {
                append(connection, &tenant, session, messages, at)
            })
            .await
    }

    async fn message(
        &self,
        tenant: &TenantId,
        id: MessageId,
    ) -> Result<Option<Message>, StorageError> {
        let tenant = tenant.clone();
        self.0
            .read(Reading::of("looking a message up"), move |connection| {
                one_message(connection, &tenant, id)
            })
            .await
    }

    async fn history(
        &self,
        tenant: &TenantId,
        session: SessionId,
        limit: Limit,
        before: Option<i64>,
    ) -> Result<Vec<Message>, StorageError> {
        let tenant = tenant.clone();
        let reading = Reading::of("reading a session's history");
        self.0
            .read(reading, move |connection| {
                let mut rows: Vec<MessageRow> = messages::table
                    .filter(messages::tenant_id.eq(tenant.as_str()))
                    .filter(messages::session_id.eq(IdValue(session.uuid())))
                    // No message has the greatest number.
                    .filter(messages::number.lt(before.unwrap_or(i64::MAX)))
                    .select(MessageRow::as_select())
                    .order(messages::number.desc())
                    .limit(limit.rows().into())
                    .load(connection)?;
                rows.reverse();
                entities(rows)
            })
            .await
    }

    async fn messages_between(
        &self,
        tenant: &TenantId,
        range: MessageRange,
        limit: Limit,
    ) -> Result<Vec<Message>, StorageError> {
        let tenant = tenant.clone();
        let reading = Reading::of("listing messages by time");
        self.0
            .read(reading, move |connection| {
                between(connection, &tenant, range, limit)
            })
            .await
    }
}

pub(crate) fn create(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    new: NewSession,
    at: Timestamp,
) -> Result<Session, Failure> {
    if let Some(stands) = one_session(connection, &tenant, new.id)? {
        if new.is_same_write(&stands) {
            return Ok(stands);
        }
        return Err(Failure::Refused(StorageError::Conflict {
            what: "session",
            id: new.id.to_string(),
        }));
    }
    touch(connection, &tenant, at)?;
    let session = Session {
        tenant_id: tenant,
        id: new.id,
        title: new.title,
        metadata: new.metadata,
        created_at: at,
        updated_at: at,
        message_count: 0,
    };
    diesel::insert_into(sessions::table)
        .values(SessionRow::from(session.clone()))
        .execute(connection)?;
    Ok(session)
}

fn list(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    limit: Limit,
    after: Option<SessionCursor>,
) -> Result<Vec<Session>, Failure> {
    let statement = Statement::new("select * from sessions where tenant_id = ?");
    let mut statement = statement.text(tenant.as_str());
    if let Some(SessionCursor { updated_at, id }) = after {
        // The one spelling with which SQLite begins in the middle of an index over both columns,
        // however many rows share the first.
        statement = statement.then(" and (updated_at, id) < (?, ?)");
        statement = statement.at(updated_at).id(id.uuid());
    }
    let rows: Vec<SessionRow> = statement
        .then(" order by updated_at desc, id desc limit ?")
        .number(limit.rows().into())
        .load(connection)?;
    entities(rows)
}

pub(crate) fn append(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    session: SessionId,
    new: Vec<NewMessage>,
    at: Timestamp,
) -> Result<Vec<Message>, Failure> {
    let count: Option<i64> = sessions::table
        .find((tenant.as_str(), IdValue(session.uuid())))
        .select(sessions::message_count)
        .first(connection)
        .optional()?;
    let Some(before) = count else {
        return Err(Failure::Refused(StorageError::MissingReference {
            what: "session",
            id: session.to_string(),
        }));
    };
    let mut count = before;
    let mut stand = Vec::with_capacity(new.len());
    for new in new {
        let message = Message {
            tenant_id: tenant.clone(),
            id: new.id,
            session_id: session,
            number: count + 1,
            role: new.role.clone(),
            content: new.content.clone(),
            metadata: new.metadata.clone(),
            created_at: at,
        };
        let inserted = diesel::insert_into(messages::table)
            .values(MessageRow::from(message.clone()))
            .on_conflict((messages::tenant_id, messages::id))
            .do_nothing()
            .execute(connection)?;
        if inserted == 1 {
            index_message(connection, &message)?;
            count += 1;
            stand.push(message);
            continue;
        }
        let same = one_message(connection, tenant, new.id)?
            .filter(|stands| new.is_same_write(session, stands));
        stand.push(same.ok_or_else(|| StorageError::Conflict {
            what: "message",
            id: new.id.to_string(),
        })?);
    }
    if count > before {
        set_count(connection, tenant, session, count, at)?;
        touch(connection, tenant, at)?;
    }
    Ok(stand)
}

fn between(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    range: MessageRange,
    limit: Limit,
) -> Result<Vec<Message>, Failure> {
    let statement = match range.session {
        None => Statement::new("select * from messages where tenant_id = ?").text(tenant.as_str()),
        // Named, because without statistics SQLite takes the other index by time, which is
        // narrower, and reads past the messages of every other session.
        Some(session) => Statement::new(
            "select * from messages indexed by messages_by_session_time
             where tenant_id = ? and session_id = ?",
        )
        .text(tenant.as_str())
        .id(session.uuid()),
    };
    // One lower bound only, so that the index begins at the right one.
    let statement = match range.after {
        Some(place) if place.created_at >= range.from => statement
            .then(" and (created_at, id) > (?, ?)")
            .at(place.created_at)
            .id(place.id.uuid()),
        _ => statement.then(" and created_at >= ?").at(range.from),
    };
    let rows: Vec<MessageRow> = statement
        .then(" and created_at <= ? order by created_at, id limit ?")
        .at(range.to)
        .number(limit.rows().into())
        .load(connection)?;
    entities(rows)
}

fn set_count(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    session: SessionId,
    count: i64,
    at: Timestamp,
) -> QueryResult<usize> {
    Statement::new(
        "update sessions set message_count = ?, updated_at = max(updated_at, ?)
         where tenant_id = ? and id = ?",
    )
    .number(count)
    .at(at)
    .text(tenant.as_str())
    .id(session.uuid())
    .run(connection)
}

pub(crate) fn one_session(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: SessionId,
) -> Result<Option<Session>, Failure> {
    let row: Option<SessionRow> = sessions::table
        .find((tenant.as_str(), IdValue(id.uuid())))
        .select(SessionRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(Session::try_from).transpose()?)
}

pub(crate) fn one_message(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: MessageId,
) -> Result<Option<Message>, Failure> {
    let row: Option<MessageRow> = messages::table
        .find((tenant.as_str(), IdValue(id.uuid())))
        .select(MessageRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(Message::try_from).transpose()?)
}
