use std::rc::Rc;

use memory_domain::{
    Digest, InvalidInput, JsonObject, Message, MessageId, Record, Role, SessionId, TenantId,
    Timestamp, free_text, key_text,
};
use memory_storage::{Conversion, RawRow, SourceError};
use rusqlite::params;
use serde_json::Value;
use uuid::Uuid;

use super::aside::Aside;
use super::row::Rows;
use super::{MESSAGES, TURNS};
use crate::catalog::Place;
use crate::cells::Cells;
use crate::converting::Converted;
use crate::ids::TableIds;
use crate::inverse::{SourceValue, spells};
use crate::reading::{Sink, Stop};
use crate::rules;

/// Makes messages of the rows of `auto_messages`.
pub(super) struct Messages<'a> {
    rows: Rows<'a>,
    session: Place,
    timestamp: Place,
    number: Place,
    role: Place,
    content: Place,
    metadata: Place,
    session_ids: Rc<TableIds>,
    /// Whether there are turns, some of which may be these messages.
    has_turns: bool,
}

/// What a turn that is merged into a message says beyond its texts.
struct Turn {
    session: Option<String>,
    metadata: Option<String>,
}

/// The key of a message's metadata under which that is kept.
const TURN: &str = "turn";

/// The name under which a row's session is kept for a replay, if messages of it are carried.
const SESSION: &str = "session";

impl<'a> Messages<'a> {
    pub(super) fn new(rows: Rows<'a>) -> Self {
        let format = rows.reading.converting.format;
        Messages {
            session: rows.place("instance_id"),
            timestamp: rows.place("timestamp"),
            number: rows.place("message_number"),
            role: rows.place("role"),
            content: rows.place("content"),
            metadata: rows.place("metadata"),
            session_ids: rows.reading.converting.ids.table("sessions"),
            has_turns: rows
                .reading
                .catalog
                .table(format.tables()[TURNS].name)
                .is_some(),
            rows,
        }
    }

    /// Finds out which messages there are.
    pub(super) fn judge(&self, aside: &Aside<'_>) -> Result<(), Stop> {
        self.rows.each("", "", |_, rowid, raw| {
            self.rows.note_times(aside, &raw, |cells| {
                let at = cells.epoch(self.timestamp)?;
                Ok((at, at))
            })?;
            let converted = stands(&self.rows, self.session, rowid, &raw)?
                .and_then(|()| self.convert(&raw, 1, None));
            if let Conversion::Record { record, .. } =
                self.rows.judge(aside, rowid, &raw, converted)?
                && let Record::Message(message) = &*record
                && let Ok(place) = self.rows.reading.cells(&raw).integer(self.number)
                && let Ok(session) = self.rows.reading.cells(&raw).text(self.session)
            {
                let row = [self.rows.of_table, rowid, 0];
                let (tenant, at) = (&message.tenant_id, message.created_at);
                aside.add_message(row, tenant, session, place, at)?;
                if self.has_turns {
                    aside.add_text(message, rowid)?;
                }
            }
            Ok(())
        })
    }

    pub(super) fn read(&self, aside: &Aside<'_>, sink: &mut Sink) -> Result<(), Stop> {
        let Rows {
            reading, mapped, ..
        } = self.rows;
        let joins = format!(
            "left join temp.continuum_message m
                on m.of_table = {MESSAGES} and m.row = t.{rowid} and m.part = 0
            left join temp.continuum_turn u on u.into_row = t.{rowid}",
            rowid = mapped.rowid
        );
        let at = self.rows.more_at();
        let more = ", m.number, m.session, u.session, u.metadata";
        self.rows.each(more, &joins, |row, rowid, raw| {
            let number: Option<i64> = reading.get(row, at)?;
            let turn = Turn {
                session: reading.get(row, at + 2)?,
                metadata: reading.get(row, at + 3)?,
            };
            let converted = stands(&self.rows, self.session, rowid, &raw)?
                .and_then(|()| self.convert(&raw, number.unwrap_or(1), Some(turn)));
            let mut conversion = self.rows.conclude(aside, rowid, &raw, converted)?;
            if let Some(session) = reading.get(row, at + 1)? {
                begin_session(aside, session, &mut conversion)?;
            }
            let context = context(aside, &self.rows, self.session, &raw)?;
            let mut row = mapped.source_row(rowid, raw, conversion);
            row.context.extend(context);
            sink.push(row)
        })
    }

    fn convert(
        &self,
        raw: &RawRow,
        number: i64,
        turn: Option<Turn>,
    ) -> Result<Converted, InvalidInput> {
        let mut cells = self.rows.reading.cells(raw);
        let id = MessageId::from_uuid(self.rows.uuid(&cells)?);
        let session = cells.text(self.session)?;
        free_text(self.session.name, session)?;
        let role = cells.text(self.role)?;
        key_text(self.role.name, role)?;
        let content = cells.text(self.content)?;
        free_text(self.content.name, content)?;
        let there = cells.integer(self.number)?;
        if there != number {
            let (from, to) = (there.to_string(), number.to_string());
            cells.rule(rules::MESSAGE_RENUMBERED, self.number, from, to);
        }
        let mut metadata = cells.metadata_or_empty(self.metadata)?;
        if let Some(turn) = turn {
            self.keep_turn(&mut cells, &mut metadata, session, turn);
        }
        let message = Message {
            tenant_id: self.rows.tenant(&mut cells)?,
            id,
            session_id: session_id(&self.session_ids, session),
            number,
            role: Role::new(role)?,
            content: content.to_owned(),
            metadata,
            created_at: cells.epoch(self.timestamp)?,
        };
        Ok(Converted {
            record: Record::Message(message),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }

    /// Keeps what the turn of a message says beyond its texts, and beyond what the message says.
    fn keep_turn(
        &self,
        cells: &mut Cells<'_>,
        metadata: &mut JsonObject,
        session: &str,
        turn: Turn,
    ) {
        let mut kept = JsonObject::new();
        if let Some(other) = turn.session.filter(|other| other != session) {
            kept.insert("session_id".to_owned(), other.into());
        }
        let own = turn
            .metadata
            .and_then(|text| serde_json::from_str(&text).ok());
        if let Some(own) = own.filter(|own: &JsonObject| !own.is_empty() && own != metadata) {
            kept.insert("metadata".to_owned(), own.into());
        }
        if !kept.is_empty() {
            let value = Value::Object(kept);
            let (from, to) = ("", value.to_string());
            cells.rule(rules::TURN_KEPT, self.metadata, from, to);
            metadata.insert(TURN.to_owned(), value);
        }
    }
}

impl Aside<'_> {
    /// Notes what a message says, for turns to be found.
    fn add_text(&self, message: &Message, row: i64) -> Result<(), SourceError> {
        // A message whose metadata has a place of that name taken can keep no turn.
        if message.metadata.contains_key(TURN) {
            return Ok(());
        }
        let sql = "insert into temp.continuum_text values (?1, ?2, ?3, ?4, ?5, ?6, null)";
        let (digest, uuid) = (Digest::of(message.content.as_bytes()), message.id.uuid());
        let values = params![
            row,
            message.tenant_id.as_str(),
            message.role.as_str(),
            digest.as_bytes(),
            message.created_at.micros(),
            uuid.as_bytes()
        ];
        self.reading.note(sql, values).map(drop)
    }

    /// The message that says this, within two seconds, and that no turn was found to be yet.
    pub(super) fn text(
        &self,
        tenant: &TenantId,
        role: &Role,
        content: &str,
        at: Timestamp,
    ) -> Result<Option<(i64, Uuid)>, SourceError> {
        let sql = "select row, uuid from temp.continuum_text
            where tenant = ?1 and role = ?2 and digest = ?3 and turn is null
                and at between ?4 - 2000000 and ?4 + 2000000
            order by abs(at - ?4), row limit 1";
        let digest = Digest::of(content.as_bytes());
        let values = params![
            tenant.as_str(),
            role.as_str(),
            digest.as_bytes(),
            at.micros()
        ];
        self.ask(sql, values, |row| {
            let uuid: [u8; 16] = row.get(1)?;
            Ok((row.get(0)?, Uuid::from_bytes(uuid)))
        })
    }
}

/// The id of a conversation: its name if that is a UUID, else made from it.
pub(super) fn session_id(ids: &TableIds, name: &str) -> SessionId {
    let uuid = Uuid::try_parse(name)
        .ok()
        .filter(|uuid| spells(name, *uuid));
    SessionId::from_uuid(uuid.unwrap_or_else(|| ids.id(name)))
}

/// Adds the session to the first of its messages that is handed out.
pub(super) fn begin_session(
    aside: &Aside<'_>,
    session: i64,
    conversion: &mut Conversion,
) -> Result<(), SourceError> {
    if let Conversion::Record { record, beyond, .. } = conversion
        && let Record::Message(message) = &**record
    {
        beyond.extend(aside.take_session(session, &message.tenant_id, message.session_id)?);
    }
    Ok(())
}

/// The session of a row, by its tenant and name, if messages of it are carried: no transfer adds to
/// it later.
pub(super) fn context(
    aside: &Aside<'_>,
    rows: &Rows<'_>,
    session: Place,
    raw: &RawRow,
) -> Result<Option<(&'static str, String)>, SourceError> {
    let mut cells = rows.reading.cells(raw);
    let (Ok(tenant), Ok(name)) = (rows.tenant(&mut cells), cells.optional_text(session)) else {
        return Ok(None);
    };
    let name = name.unwrap_or_default();
    let is_carried = aside.is_session_carried(&tenant, name)?;
    Ok(is_carried.then(|| (SESSION, name.to_owned())))
}

/// Refuses a row whose session an earlier run carried without it.
pub(super) fn stands(
    rows: &Rows<'_>,
    session: Place,
    row: i64,
    raw: &RawRow,
) -> Result<Result<(), InvalidInput>, SourceError> {
    let carried = rows.reading.context(&rows.mapped, row, SESSION)?;
    let cells = rows.reading.cells(raw);
    let name = cells.optional_text(session).unwrap_or_default();
    let name = name.unwrap_or_default();
    if carried.as_deref() != Some(name) {
        return Ok(Ok(()));
    }
    let problem = "its session was carried without it, and a transfer never changes a session that \
        stands; take the run back and carry a mended copy of the source";
    Ok(Err(InvalidInput::new(session.name, name, problem)))
}

/// The columns of both tables: a message of `auto_messages`, or the first one of a turn.
pub(super) fn inverse(message: &Message) -> Vec<(&'static str, SourceValue<'_>)> {
    let said = |role: &Role| {
        if message.role == *role {
            SourceValue::Text(&message.content)
        } else {
            SourceValue::Null
        }
    };
    let session = SourceValue::Name("sessions", message.session_id.uuid());
    let mut values = vec![
        (
            "id",
            SourceValue::IntegerOfEither(["auto_messages", "messages"], message.id.uuid()),
        ),
        ("instance_id", session),
        ("session_id", session),
        ("timestamp", SourceValue::Epoch(message.created_at)),
        ("created_at", SourceValue::Time(message.created_at)),
        ("message_number", SourceValue::Number(message.number)),
        ("role", SourceValue::Text(message.role.as_str())),
        ("content", SourceValue::Text(&message.content)),
        ("metadata", SourceValue::Json(&message.metadata)),
        ("tenant_id", SourceValue::Text(message.tenant_id.as_str())),
        ("user_message", said(&Role::USER)),
    ];
    if message.role == Role::ASSISTANT {
        // The reply after a text is a message of its own.
        values.push(("ai_response", said(&Role::ASSISTANT)));
    }
    values
}
