use std::rc::Rc;

use memory_domain::{
    InvalidInput, Message, MessageId, Record, Role, SessionId, free_text, key_text,
};
use memory_storage::RawRow;

use super::aside::Owner;
use crate::catalog::Place;
use crate::cells::{refuse, value};
use crate::converting::Converted;
use crate::ids::TableIds;
use crate::inverse::SourceValue;
use crate::reading::{Mapped, Reading};

/// Makes messages of rows.
pub(super) struct Messages<'a> {
    pub(super) reading: &'a Reading<'a>,
    pub(super) mapped: Mapped<'a>,
    pub(super) id: Place,
    pub(super) session_id: Place,
    role: Place,
    content: Place,
    metadata: Place,
    created_at: Place,
    ids: Rc<TableIds>,
    session_ids: Rc<TableIds>,
}

impl<'a> Messages<'a> {
    pub(super) fn new(reading: &'a Reading<'a>, mapped: Mapped<'a>) -> Self {
        let place = |name| mapped.table.place(name);
        Messages {
            reading,
            mapped,
            id: place("id"),
            session_id: place("session_id"),
            role: place("role"),
            content: place("content"),
            metadata: place("metadata"),
            created_at: place("created_at"),
            ids: reading.converting.ids.table("messages"),
            session_ids: reading.converting.ids.table("sessions"),
        }
    }

    pub(super) fn convert(
        &self,
        raw: &RawRow,
        owner: Option<&Owner>,
        number: i64,
    ) -> Result<Converted, InvalidInput> {
        let mut cells = self.reading.cells(raw);
        let id = MessageId::from_uuid(cells.uuid(self.id, &self.ids)?);
        let session_id = SessionId::from_uuid(cells.uuid(self.session_id, &self.session_ids)?);
        let refuse_session =
            |problem| refuse(self.session_id, value(raw, self.session_id), problem);
        let owner = owner.ok_or_else(|| {
            refuse_session(if self.reading.is_replay {
                "its session was carried without it, and a transfer never changes a session that \
                stands; take the run back and carry a mended copy of the source"
            } else {
                "no session of this id is in the file; add it or drop the message"
            })
        })?;
        let tenant_id = owner
            .tenant
            .clone()
            .ok_or_else(|| refuse_session("its session is quarantined; mend that first"))?;
        let role = cells.text(self.role)?;
        key_text(self.role.name, role)?;
        let content = cells.text(self.content)?;
        free_text(self.content.name, content)?;
        let message = Message {
            tenant_id,
            id,
            session_id,
            number,
            role: Role::new(role)?,
            content: content.to_owned(),
            metadata: cells.metadata_or_empty(self.metadata)?,
            created_at: cells.time(self.created_at)?,
        };
        Ok(Converted {
            record: Record::Message(message),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }
}

pub(super) fn inverse(message: &Message) -> Vec<(&'static str, SourceValue<'_>)> {
    vec![
        ("id", SourceValue::Uuid(message.id.uuid())),
        ("session_id", SourceValue::Uuid(message.session_id.uuid())),
        ("role", SourceValue::Text(message.role.as_str())),
        ("content", SourceValue::Text(&message.content)),
        ("metadata", SourceValue::Json(&message.metadata)),
        ("created_at", SourceValue::Time(message.created_at)),
    ]
}
