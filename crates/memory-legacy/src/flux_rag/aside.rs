use memory_domain::{Message, Session, TenantId};
use memory_storage::{RawValue, SourceError};
use rusqlite::{OptionalExtension, params};

use crate::reading::Reading;
use crate::sqlite_file::Step;

/// What was found out about rows before they are handed out, in temporary tables, so that memory
/// stays bounded whatever the file's size.
pub(super) struct Aside<'a> {
    reading: &'a Reading<'a>,
}

/// The session that a message names.
pub(super) struct Owner {
    pub(super) row: i64,
    /// `None` if the session cannot be carried.
    pub(super) tenant: Option<TenantId>,
}

const TABLES: &str = "
    create temp table flux_session (
        row integer primary key,
        -- NULL for a repeated id
        id blob unique,
        -- NULL for a session that is not carried
        uuid blob unique,
        tenant text
    );
    create temp table flux_message (
        row integer primary key,
        session integer not null,
        at integer not null,
        uuid blob not null unique
    );
    create temp table flux_number (
        session integer not null,
        number integer not null,
        row integer not null,
        primary key (session, number)
    ) without rowid;";

const STEP: &str = "setting rows aside";

impl<'a> Aside<'a> {
    pub(super) fn new(reading: &'a Reading<'a>) -> Result<Self, SourceError> {
        reading.execute(TABLES)?;
        Ok(Aside { reading })
    }

    /// Notes a session, which is `None` if its row is refused; says whether it is carried.
    pub(super) fn add_session(
        &self,
        row: i64,
        id: &RawValue,
        session: Option<&Session>,
    ) -> Result<bool, SourceError> {
        let id = match id {
            RawValue::Text(bytes) => Some(bytes),
            _ => None,
        };
        let location = &self.reading.file.location;
        let connection = &self.reading.file.connection;
        let uuid = session.map(|session| *session.id.uuid().as_bytes());
        let (id_is_taken, uuid_is_taken): (bool, bool) = connection
            .prepare_cached(
                "select exists (select 1 from temp.flux_session where id = ?1),
                    exists (select 1 from temp.flux_session where uuid = ?2)",
            )
            .and_then(|mut statement| {
                statement.query_row(params![id, uuid], |row| Ok((row.get(0)?, row.get(1)?)))
            })
            .step(location, STEP)?;
        let id = id.filter(|_| !id_is_taken);
        let carried = session.filter(|_| !id_is_taken && !uuid_is_taken);
        let tenant = carried.map(|session| session.tenant_id.as_str());
        let uuid = uuid.filter(|_| carried.is_some());
        connection
            .prepare_cached("insert into temp.flux_session values (?1, ?2, ?3, ?4)")
            .and_then(|mut statement| statement.execute(params![row, id, uuid, tenant]))
            .step(location, STEP)?;
        Ok(carried.is_some())
    }

    /// Looks up the session that a message names.
    pub(super) fn owner(&self, session_id: &RawValue) -> Result<Option<Owner>, SourceError> {
        let RawValue::Text(id) = session_id else {
            return Ok(None);
        };
        let found: Option<(i64, Option<String>)> = self
            .reading
            .file
            .connection
            .prepare_cached("select row, tenant from temp.flux_session where id = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()
            })
            .step(&self.reading.file.location, STEP)?;
        Ok(found.map(|(row, tenant)| Owner {
            row,
            tenant: tenant.and_then(|tenant| TenantId::new(tenant).ok()),
        }))
    }

    /// Notes a message that is sound in itself; one whose id a row before it has is left out.
    pub(super) fn add_message(
        &self,
        row: i64,
        session: i64,
        message: &Message,
    ) -> Result<(), SourceError> {
        let uuid = *message.id.uuid().as_bytes();
        let at = message.created_at.micros();
        self.reading
            .file
            .connection
            .prepare_cached("insert or ignore into temp.flux_message values (?1, ?2, ?3, ?4)")
            .and_then(|mut statement| statement.execute(params![row, session, at, uuid]))
            .map(|_| ())
            .step(&self.reading.file.location, STEP)
    }

    /// Numbers the messages that were noted: within their session, by time, then by row.
    pub(super) fn number_messages(&self) -> Result<(), SourceError> {
        self.reading.execute(
            "insert into temp.flux_number
            select session, row_number() over (partition by session order by at, row), row
            from temp.flux_message",
        )
    }
}
