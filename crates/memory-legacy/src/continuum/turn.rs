use std::rc::Rc;

use memory_domain::{
    InvalidInput, Message, MessageId, Record, RecordKey, RecordKind, Role, free_text,
};
use memory_storage::{Conversion, RawRow, RuleUse, SourceError};
use rusqlite::params;
use serde_json::Value;
use uuid::Uuid;

use super::TURNS;
use super::aside::Aside;
use super::message::{begin_session, context, session_id, stands};
use super::row::Rows;
use crate::catalog::Place;
use crate::cells::{refuse, value};
use crate::converting::Converted;
use crate::ids::TableIds;
use crate::reading::{Sink, Stop};
use crate::rules;

/// Makes messages of the rows of `messages`, each of which is a person's text and the reply.
pub(super) struct Turns<'a> {
    rows: Rows<'a>,
    user: Place,
    reply: Place,
    session: Place,
    created_at: Place,
    metadata: Place,
    session_ids: Rc<TableIds>,
}

impl<'a> Turns<'a> {
    pub(super) fn new(rows: Rows<'a>) -> Self {
        Turns {
            user: rows.place("user_message"),
            reply: rows.place("ai_response"),
            session: rows.place("session_id"),
            created_at: rows.place("created_at"),
            metadata: rows.place("metadata"),
            session_ids: rows.reading.converting.ids.table("sessions"),
            rows,
        }
    }

    /// Finds out which turns stand among the messages, and which messages the others are.
    pub(super) fn judge(&self, aside: &Aside<'_>) -> Result<(), Stop> {
        self.rows.each("", "", |_, rowid, raw| {
            self.rows.note_times(aside, &raw, |cells| {
                let at = cells.time(self.created_at)?;
                Ok((at, at))
            })?;
            let converted =
                stands(&self.rows, self.session, rowid, &raw)?.and_then(|()| self.convert(&raw, 1));
            let conversion = self.rows.judge(aside, rowid, &raw, converted)?;
            let messages = said(&conversion);
            let Some(first) = messages.first() else {
                return Ok(());
            };
            let cells = self.rows.reading.cells(&raw);
            let session = cells.optional_text(self.session).unwrap_or_default();
            if aside.find_turn(rowid, &messages, session)? {
                return Ok(());
            }
            let (tenant, at) = (&first.tenant_id, first.created_at);
            for part in 0_i64.. {
                if usize::try_from(part).is_ok_and(|part| part == messages.len()) {
                    break;
                }
                let row = [self.rows.of_table, rowid, part];
                let session = session.unwrap_or_default();
                aside.add_message(row, tenant, session, at.micros(), at)?;
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
                on m.of_table = {TURNS} and m.row = t.{rowid} and m.part = 0
            left join temp.continuum_turn u on u.row = t.{rowid}",
            rowid = mapped.rowid
        );
        let at = self.rows.more_at();
        let more = ", m.number, m.session, u.uuid";
        self.rows.each(more, &joins, |row, rowid, raw| {
            let number: Option<i64> = reading.get(row, at)?;
            let into: Option<[u8; 16]> = reading.get(row, at + 2)?;
            let converted = stands(&self.rows, self.session, rowid, &raw)?
                .and_then(|()| self.convert(&raw, number.unwrap_or(1)));
            let mut conversion = self.rows.conclude(aside, rowid, &raw, converted)?;
            if let Some(session) = reading.get(row, at + 1)? {
                begin_session(aside, session, &mut conversion)?;
            }
            if let (Some(into), Conversion::Record { record, .. }) = (into, &conversion) {
                conversion = self.merged(Uuid::from_bytes(into), record, &raw);
            }
            let context = context(aside, &self.rows, self.session, &raw)?;
            let mut row = mapped.source_row(rowid, raw, conversion);
            row.context.extend(context);
            sink.push(row)
        })
    }

    /// The first text as the message of that number, and the reply, if there is one too, as the next
    /// one, beyond the row.
    fn convert(&self, raw: &RawRow, number: i64) -> Result<Converted, InvalidInput> {
        let mut cells = self.rows.reading.cells(raw);
        let id = self.rows.uuid(&cells)?;
        let mut texts = Vec::with_capacity(2);
        for (place, role) in [(self.user, Role::USER), (self.reply, Role::ASSISTANT)] {
            if let Some(text) = cells.optional_text(place)? {
                free_text(place.name, text)?;
                texts.push((role, text));
            }
        }
        let session = cells.optional_text(self.session)?;
        if session.is_none() && self.session.at.is_some() {
            cells.rule(rules::NULL_SESSION, self.session, "NULL", "");
        }
        let session = session.unwrap_or_default();
        free_text(self.session.name, session)?;
        let mut metadata = cells.metadata_or_empty(self.metadata)?;
        let tenant_id = self.rows.tenant(&mut cells)?;
        let created_at = cells.time(self.created_at)?;
        let mut messages = (0_i64..).zip(texts).map(|(part, (role, text))| {
            let id = if part == 0 { id } else { reply_id(id) };
            Record::Message(Message {
                tenant_id: tenant_id.clone(),
                id: MessageId::from_uuid(id),
                session_id: session_id(&self.session_ids, session),
                number: number.saturating_add(part),
                role,
                content: text.to_owned(),
                // It is said of the turn, and kept once.
                metadata: std::mem::take(&mut metadata),
                created_at,
            })
        });
        let Some(record) = messages.next() else {
            let problem = "the row has neither a text nor a reply; give one, or drop it";
            return Err(refuse(self.user, value(raw, self.user), problem));
        };
        let beyond = messages.collect();
        Ok(Converted {
            record,
            rules: cells.rules,
            beyond,
        })
    }

    /// What becomes of a row whose texts are messages already.
    fn merged(&self, into: Uuid, record: &Record, raw: &RawRow) -> Conversion {
        let place = match record {
            Record::Message(message) if message.role == Role::ASSISTANT => self.reply,
            _ => self.user,
        };
        let text = self.rows.reading.cells(raw).text(place);
        Conversion::Merged {
            into: RecordKey {
                kind: RecordKind::Message,
                tenant_id: record.tenant_id().clone(),
                id: Some(into),
            },
            rule: RuleUse {
                rule: rules::TURN_STANDS,
                column: place.name.to_owned(),
                from: text.unwrap_or_default().to_owned(),
                to: format!("message {into}"),
            },
        }
    }
}

/// The id of the reply of a turn whose first message has this one.
fn reply_id(id: Uuid) -> Uuid {
    Uuid::new_v5(&id, b"reply")
}

/// The messages that a row becomes.
fn said<'c>(conversion: &'c Conversion) -> Vec<&'c Message> {
    let Conversion::Record { record, beyond, .. } = conversion else {
        return Vec::new();
    };
    let message = |record: &'c Record| match record {
        Record::Message(message) => Some(message),
        _ => None,
    };
    let all = std::iter::once(&**record).chain(beyond);
    all.filter_map(message).collect()
}

impl Aside<'_> {
    /// Looks whether every text of a turn is a message already, and notes it if so.
    fn find_turn(
        &self,
        row: i64,
        messages: &[&Message],
        session: Option<&str>,
    ) -> Result<bool, SourceError> {
        let mut found = Vec::with_capacity(messages.len());
        for message in messages {
            let Message {
                tenant_id,
                role,
                content,
                created_at,
                ..
            } = message;
            match self.text(tenant_id, role, content, *created_at)? {
                Some(text) => found.push(text),
                None => return Ok(false),
            }
        }
        let (Some((into_row, uuid)), Some(first)) = (found.first(), messages.first()) else {
            return Ok(false);
        };
        for (text, _) in &found {
            let sql = "update temp.continuum_text set turn = ?1 where row = ?2";
            self.reading.note(sql, params![row, text])?;
        }
        let metadata =
            (!first.metadata.is_empty()).then(|| Value::Object(first.metadata.clone()).to_string());
        let sql = "insert into temp.continuum_turn values (?1, ?2, ?3, ?4, ?5)";
        let values = params![row, into_row, uuid.as_bytes(), session, metadata];
        self.reading.note(sql, values)?;
        Ok(true)
    }
}
