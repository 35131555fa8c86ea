use std::cell::RefCell;

use memory_domain::{JsonObject, Record, Session, SessionId, Tenant, TenantId, Timestamp};
use memory_storage::SourceError;
use rusqlite::{OptionalExtension, Row, ToSql, params};
use uuid::Uuid;

use crate::reading::Reading;
use crate::sqlite_file::Step;

/// What was found out about rows, in temporary tables, so that memory stays bounded.
pub(super) struct Aside<'a> {
    pub(super) reading: &'a Reading<'a>,
    /// The tenant that was asked for last, because most rows are of one.
    last_tenant: RefCell<Option<(TenantId, Option<Tenant>)>>,
}

const TABLES: &str = "
    create temp table continuum_id (
        of_table integer not null, id integer not null, row integer not null,
        primary key (of_table, id)
    ) without rowid;
    -- the rows of tenants
    create temp table continuum_tenant (id text primary key, is_carried integer not null);
    -- how long tenants last by their other rows
    create temp table continuum_span (
        tenant text primary key, first integer not null, last integer not null
    );
    create temp table continuum_concept (
        tenant text not null,
        -- in lower case
        name text not null,
        type text not null,
        -- NULL for an entity that is quarantined
        uuid blob,
        spelling text not null,
        -- NULL for one that is no row
        row integer,
        -- when one that is no row was named first
        made_at integer,
        primary key (tenant, name, type)
    ) without rowid;
    -- rows that another row became, of entities and of compound concepts
    create temp table continuum_merged (
        of_table integer not null, row integer not null, into_row integer not null,
        uuid blob not null, primary key (of_table, row)
    ) without rowid;
    create index temp.continuum_merged_into on continuum_merged (of_table, into_row);
    create temp table continuum_link (
        tenant text not null, a text not null, b text not null, type text not null,
        count integer not null, primary key (tenant, a, b, type)
    ) without rowid;
    create temp table continuum_compound (
        tenant text not null, name text not null, row integer not null, uuid blob not null,
        primary key (tenant, name)
    ) without rowid;
    create temp table continuum_session (
        id integer primary key, tenant text not null, name text not null,
        first integer, last integer, count integer not null default 0,
        is_taken integer not null default false, unique (tenant, name)
    );
    create temp table continuum_message (
        of_table integer not null, row integer not null,
        -- 0, or 1 for the reply of a turn
        part integer not null,
        session integer not null,
        -- where it stands among the messages of its table
        place integer not null,
        at integer not null,
        number integer,
        primary key (of_table, row, part)
    ) without rowid;
    -- the texts of auto_messages, where there are turns to be found among them
    create temp table continuum_text (
        row integer primary key, tenant text not null, role text not null, digest blob not null,
        at integer not null, uuid blob not null, turn integer
    );
    create index temp.continuum_text_digest on continuum_text (digest, at);
    -- turns that are merged
    create temp table continuum_turn (
        row integer primary key, into_row integer not null unique, uuid blob not null,
        session text, metadata text
    );";

const STEP: &str = "setting rows aside";

impl<'a> Aside<'a> {
    pub(super) fn new(reading: &'a Reading<'a>) -> Result<Self, SourceError> {
        reading.execute(TABLES)?;
        Ok(Aside {
            reading,
            last_tenant: RefCell::default(),
        })
    }

    /// The first row of a statement.
    pub(super) fn ask<T>(
        &self,
        sql: &str,
        values: &[&dyn ToSql],
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, SourceError> {
        self.reading
            .file
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(values, read).optional())
            .step(&self.reading.file.location, STEP)
    }

    /// Notes a tenant's own row; says whether it is the first.
    pub(super) fn add_tenant(&self, id: &str, is_carried: bool) -> Result<bool, SourceError> {
        let sql = "insert or ignore into temp.continuum_tenant values (?1, ?2)";
        self.reading.note(sql, params![id, is_carried])
    }

    /// Whether a tenant's own row is quarantined.
    pub(super) fn is_refused(&self, tenant: &TenantId) -> Result<bool, SourceError> {
        let sql = "select not is_carried from temp.continuum_tenant where id = ?1";
        let refused = self.ask(sql, params![tenant.as_str()], |row| row.get(0))?;
        Ok(refused.unwrap_or(false))
    }

    /// Notes that a tenant lasts from `first` to `last` at least.
    pub(super) fn note_tenant(
        &self,
        tenant: &TenantId,
        first: Timestamp,
        last: Timestamp,
    ) -> Result<(), SourceError> {
        let sql = "insert into temp.continuum_span values (?1, ?2, ?3)
            on conflict do update set first = min(first, excluded.first),
                last = max(last, excluded.last)";
        let values = params![tenant.as_str(), first.micros(), last.micros()];
        self.reading.note(sql, values).map(drop)
    }

    /// A tenant that has no row of its own; to be asked once every row was judged.
    pub(super) fn tenant(&self, id: &TenantId) -> Result<Option<Record>, SourceError> {
        let mut last = self.last_tenant.borrow_mut();
        if let Some((known, tenant)) = &*last
            && known == id
        {
            return Ok(tenant.clone().map(Record::Tenant));
        }
        let sql = "select first, last from temp.continuum_span where tenant = ?1
            and not exists (select 1 from temp.continuum_tenant where id = ?1)";
        let span: Option<(i64, i64)> = self.ask(sql, params![id.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        let tenant = span.and_then(|(first, last)| {
            Some(Tenant {
                id: id.clone(),
                created_at: Timestamp::from_micros(first).ok()?,
                last_active_at: Timestamp::from_micros(last).ok()?,
                metadata: JsonObject::new(),
            })
        });
        *last = Some((id.clone(), tenant.clone()));
        Ok(tenant.map(Record::Tenant))
    }

    /// Notes that one row of a table became another row's record.
    pub(super) fn merge(
        &self,
        of_table: i64,
        row: i64,
        into_row: i64,
        uuid: Uuid,
    ) -> Result<(), SourceError> {
        let sql = "insert into temp.continuum_merged values (?1, ?2, ?3, ?4)";
        let values = params![of_table, row, into_row, uuid.as_bytes()];
        self.reading.note(sql, values).map(drop)
    }

    /// Notes a message that is sound in itself.
    pub(super) fn add_message(
        &self,
        [of_table, row, part]: [i64; 3],
        tenant: &TenantId,
        session: &str,
        place: i64,
        at: Timestamp,
    ) -> Result<(), SourceError> {
        let sql = "insert or ignore into temp.continuum_session (tenant, name) values (?1, ?2)";
        self.reading.note(sql, params![tenant.as_str(), session])?;
        let sql = "insert into temp.continuum_message
            select ?1, ?2, ?3, id, ?4, ?5, null from temp.continuum_session
            where tenant = ?6 and name = ?7";
        let values = params![
            of_table,
            row,
            part,
            place,
            at.micros(),
            tenant.as_str(),
            session
        ];
        self.reading.note(sql, values).map(drop)
    }

    /// Numbers the messages that were noted, session by session. Those of a table keep their order;
    /// those of another come among them where the time fits.
    pub(super) fn number_messages(&self) -> Result<(), SourceError> {
        self.reading.execute(
            "create temp table continuum_number as
            select of_table, row, part,
                row_number() over (
                    partition by session order by moment, of_table, place, at, row, part
                ) as number
            from (
                select *, max(at) over (
                    partition by session, of_table order by place, at, row, part
                    rows unbounded preceding
                ) as moment
                from temp.continuum_message
            );
            update temp.continuum_message as m set number = n.number from temp.continuum_number n
            where n.of_table = m.of_table and n.row = m.row and n.part = m.part;
            drop table temp.continuum_number;
            update temp.continuum_session as s set first = m.first, last = m.last, count = m.count
            from (
                select session, min(at) as first, max(at) as last, count(*) as count
                from temp.continuum_message group by session
            ) m
            where m.session = s.id;",
        )
    }

    /// The session of a message that is noted, at the first of those that are handed out.
    pub(super) fn take_session(
        &self,
        number: i64,
        tenant: &TenantId,
        id: SessionId,
    ) -> Result<Option<Record>, SourceError> {
        let sql = "update temp.continuum_session set is_taken = true
            where id = ?1 and not is_taken returning name, first, last, count";
        let session = self.ask(sql, params![number], |row| {
            let moment = |at| -> rusqlite::Result<Timestamp> {
                Ok(Timestamp::from_micros(row.get(at)?).unwrap_or(Timestamp::MIN))
            };
            Ok(Session {
                tenant_id: tenant.clone(),
                id,
                title: row.get(0)?,
                metadata: JsonObject::new(),
                created_at: moment(1)?,
                updated_at: moment(2)?,
                message_count: row.get(3)?,
            })
        })?;
        Ok(session.map(Record::Session))
    }

    /// Whether messages of a session are carried.
    pub(super) fn is_session_carried(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<bool, SourceError> {
        let sql = "select 1 from temp.continuum_session where tenant = ?1 and name = ?2";
        let found = self.ask(sql, params![tenant.as_str(), name], |_| Ok(()))?;
        Ok(found.is_some())
    }
}
