//! flux-rag: conversations, in the tables `sessions` and `messages`.
//!
//! Both shapes are read: with `user_id`, which is the tenant (empty: the tenant of rows that name
//! none), and without. Times without a zone are UTC, as the system writes them. Messages are
//! numbered within their session by time, then by row, counting those that are carried. A message
//! whose session is not there, or is quarantined, is quarantined.

mod aside;
pub(crate) mod feedback;
mod message;
mod session;

use std::collections::HashMap;

use memory_domain::{InvalidInput, JsonObject, Record, Tenant, TenantId, Timestamp};
use memory_storage::{Conversion, RawRow};

use crate::catalog::Place;
use crate::cells::refuse;
use crate::converting::Converted;
use crate::format::{Format, MappedColumn, MappedTable};
use crate::inverse::SourceValue;
use crate::reading::{Reading, Sink, Stop};
use crate::{SourceTimezone, cells};

use aside::Aside;
use message::Messages;
use session::Sessions;

/// The reader of flux-rag's files.
pub(crate) struct FluxRag;

const SESSIONS: usize = 0;
const MESSAGES: usize = 1;

static TABLES: [MappedTable; 2] = [
    MappedTable {
        name: "sessions",
        columns: &[
            MappedColumn::required("id", "sessions.id"),
            MappedColumn::optional("user_id", "sessions.tenant_id"),
            MappedColumn::required("title", "sessions.title"),
            MappedColumn::required("created_at", "sessions.created_at"),
            MappedColumn::required("updated_at", "sessions.updated_at"),
            MappedColumn::required("metadata", "sessions.metadata"),
        ],
    },
    MappedTable {
        name: "messages",
        columns: &[
            MappedColumn::required("id", "messages.id"),
            MappedColumn::required("session_id", "messages.session_id"),
            MappedColumn::required("role", "messages.role"),
            MappedColumn::required("content", "messages.content"),
            MappedColumn::required("metadata", "messages.metadata"),
            MappedColumn::required("created_at", "messages.created_at"),
        ],
    },
];

impl Format for FluxRag {
    fn tables(&self) -> &'static [MappedTable] {
        &TABLES
    }

    fn documented_zone(&self) -> Option<SourceTimezone> {
        Some(SourceTimezone::UTC)
    }

    fn read(&self, reading: &Reading<'_>, sink: &mut Sink) -> Result<(), Stop> {
        let sessions = Sessions::new(reading, reading.table(SESSIONS)?);
        let messages = Messages::new(reading, reading.table(MESSAGES)?);
        let aside = Aside::new(reading)?;
        // A session's count and a message's number are known only when every message was judged,
        // so all rows are converted twice and none is held.
        let mut tenants = judge_sessions(&sessions, &aside)?;
        judge_messages(&messages, &aside)?;
        aside.number_messages()?;
        read_sessions(&sessions, &mut tenants, sink)?;
        read_messages(&messages, &aside, sink)
    }

    fn inverse<'r>(
        &self,
        record: &'r Record,
        unnamed: &TenantId,
    ) -> Vec<(&'static str, SourceValue<'r>)> {
        match record {
            Record::Session(session) => session::inverse(session, unnamed),
            Record::Message(message) => message::inverse(message),
            _ => Vec::new(),
        }
    }
}

/// When the first session of a tenant was created and the last one changed.
type Tenants = HashMap<TenantId, (Timestamp, Timestamp)>;

fn judge_sessions(sessions: &Sessions<'_>, aside: &Aside<'_>) -> Result<Tenants, Stop> {
    let Sessions {
        reading, mapped, ..
    } = *sessions;
    let mut tenants = Tenants::new();
    reading.each_row(&mapped, "", "", |_, rowid, raw| {
        let session = match reading.conclude(&mapped, &raw, sessions.convert(&raw, 0)) {
            Conversion::Record { record, .. } => match *record {
                Record::Session(session) => Some(session),
                _ => None,
            },
            _ => None,
        };
        let id = cells::value(&raw, sessions.id);
        if aside.add_session(rowid, id, session.as_ref())?
            && let Some(session) = session
        {
            let times = (session.created_at, session.updated_at);
            let known = tenants.entry(session.tenant_id).or_insert(times);
            *known = (known.0.min(times.0), known.1.max(times.1));
        }
        Ok(())
    })?;
    Ok(tenants)
}

fn judge_messages(messages: &Messages<'_>, aside: &Aside<'_>) -> Result<(), Stop> {
    let Messages {
        reading, mapped, ..
    } = *messages;
    reading.each_row(&mapped, "", "", |_, rowid, raw| {
        let owner = aside.owner(cells::value(&raw, messages.session_id))?;
        let converted = messages.convert(&raw, owner.as_ref(), 1);
        if let (Some(owner), Conversion::Record { record, .. }) =
            (owner, reading.conclude(&mapped, &raw, converted))
            && let Record::Message(message) = *record
        {
            aside.add_message(rowid, owner.row, &message)?;
        }
        Ok(())
    })
}

fn read_sessions(
    sessions: &Sessions<'_>,
    tenants: &mut Tenants,
    sink: &mut Sink,
) -> Result<(), Stop> {
    let Sessions {
        reading, mapped, ..
    } = *sessions;
    let more = format!(
        ", (select coalesce(max(n.number), 0) from temp.flux_number n where n.session = t.{rowid}),
            (select s.uuid is not null from temp.flux_session s where s.row = t.{rowid})",
        rowid = mapped.rowid
    );
    reading.each_row(&mapped, &more, "", |row, rowid, raw| {
        let count = reading.get(row, mapped.rowid_at() + 1)?;
        let is_first = reading.get::<bool>(row, mapped.rowid_at() + 2)?;
        let converted = sessions
            .convert(&raw, count)
            .and_then(|converted| unless_repeated(is_first, converted, &raw, sessions.id));
        let mut conversion = reading.conclude(&mapped, &raw, converted);
        if let Conversion::Record { record, beyond, .. } = &mut conversion {
            let tenant_id = record.tenant_id();
            let tenant = tenants.remove_entry(tenant_id);
            beyond.extend(tenant.map(|(id, (created_at, last_active_at))| {
                Record::Tenant(Tenant {
                    id,
                    created_at,
                    last_active_at,
                    metadata: JsonObject::new(),
                })
            }));
        }
        sink.push(mapped.source_row(rowid, raw, conversion))
    })
}

fn read_messages(messages: &Messages<'_>, aside: &Aside<'_>, sink: &mut Sink) -> Result<(), Stop> {
    let Messages {
        reading, mapped, ..
    } = *messages;
    let list = mapped.select_list("t");
    let table = mapped.table.sql();
    let rowid = mapped.rowid;
    let carried = format!(
        "select {list}, n.number from temp.flux_number n cross join {table} t on t.{rowid} = n.row
        order by n.session, n.number"
    );
    let refused = format!(
        "select {list}, null from {table} t
        where not exists (select 1 from temp.flux_message m where m.row = t.{rowid})
        order by t.{rowid}"
    );
    for sql in [carried, refused] {
        reading.each(&sql, |row| {
            let raw = mapped.raw(row);
            let rowid = reading.get(row, mapped.rowid_at())?;
            let number = reading.get::<Option<i64>>(row, mapped.rowid_at() + 1)?;
            let owner = aside.owner(cells::value(&raw, messages.session_id))?;
            let converted = messages
                .convert(&raw, owner.as_ref(), number.unwrap_or_default())
                .and_then(|converted| {
                    unless_repeated(number.is_some(), converted, &raw, messages.id)
                });
            let conversion = reading.conclude(&mapped, &raw, converted);
            sink.push(mapped.source_row(rowid, raw, conversion))
        })?;
    }
    Ok(())
}

/// Refuses a row that is sound in itself but has the id of one before it.
fn unless_repeated(
    is_first: bool,
    converted: Converted,
    raw: &RawRow,
    id: Place,
) -> Result<Converted, InvalidInput> {
    if is_first {
        return Ok(converted);
    }
    let problem = "a row before it has the same id, or the same UUID in another spelling; keep one";
    Err(refuse(id, cells::value(raw, id), problem))
}
