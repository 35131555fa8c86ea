use std::rc::Rc;

use memory_domain::{InvalidInput, Record, Session, SessionId, TenantId, free_text};
use memory_storage::RawRow;

use crate::catalog::Place;
use crate::cells::Cells;
use crate::converting::Converted;
use crate::ids::TableIds;
use crate::inverse::SourceValue;
use crate::reading::{Mapped, Reading};
use crate::rules;

/// Makes sessions of rows.
pub(super) struct Sessions<'a> {
    pub(super) reading: &'a Reading<'a>,
    pub(super) mapped: Mapped<'a>,
    pub(super) id: Place,
    user_id: Place,
    title: Place,
    created_at: Place,
    updated_at: Place,
    metadata: Place,
    ids: Rc<TableIds>,
}

impl<'a> Sessions<'a> {
    pub(super) fn new(reading: &'a Reading<'a>, mapped: Mapped<'a>) -> Self {
        let place = |name| mapped.table.place(name);
        Sessions {
            reading,
            mapped,
            id: place("id"),
            user_id: place("user_id"),
            title: place("title"),
            created_at: place("created_at"),
            updated_at: place("updated_at"),
            metadata: place("metadata"),
            ids: reading.converting.ids.table("sessions"),
        }
    }

    pub(super) fn convert(
        &self,
        raw: &RawRow,
        message_count: i64,
    ) -> Result<Converted, InvalidInput> {
        let mut cells = self.reading.cells(raw);
        let session = Session {
            id: SessionId::from_uuid(cells.uuid(self.id, &self.ids)?),
            tenant_id: self.tenant(&mut cells)?,
            title: self.title(&mut cells)?,
            metadata: cells.metadata_or_empty(self.metadata)?,
            created_at: cells.time(self.created_at)?,
            updated_at: cells.time(self.updated_at)?,
            message_count,
        };
        Ok(Converted {
            record: Record::Session(session),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }

    fn tenant(&self, cells: &mut Cells<'_>) -> Result<TenantId, InvalidInput> {
        let unnamed = self.reading.converting.unnamed;
        if self.user_id.at.is_none() {
            return Ok(unnamed.clone());
        }
        let Some(user) = cells.optional_text(self.user_id)? else {
            cells.rule(rules::NULL_USER, self.user_id, "NULL", unnamed.as_str());
            return Ok(unnamed.clone());
        };
        if user.is_empty() {
            return Ok(unnamed.clone());
        }
        if user == unnamed.as_str() {
            cells.rule(rules::USER_SHARES_UNNAMED, self.user_id, user, user);
        }
        TenantId::new(user)
            .map_err(|error| InvalidInput::new(self.user_id.name, user, error.problem))
    }

    fn title(&self, cells: &mut Cells<'_>) -> Result<String, InvalidInput> {
        let Some(title) = cells.optional_text(self.title)? else {
            cells.rule(rules::NULL_TITLE, self.title, "NULL", "");
            return Ok(String::new());
        };
        free_text(self.title.name, title)?;
        Ok(title.to_owned())
    }
}

pub(super) fn inverse<'r>(
    session: &'r Session,
    unnamed: &TenantId,
) -> Vec<(&'static str, SourceValue<'r>)> {
    let user = if session.tenant_id == *unnamed {
        ""
    } else {
        session.tenant_id.as_str()
    };
    vec![
        ("id", SourceValue::Uuid(session.id.uuid())),
        ("user_id", SourceValue::Text(user)),
        ("title", SourceValue::Text(&session.title)),
        ("created_at", SourceValue::Time(session.created_at)),
        ("updated_at", SourceValue::Time(session.updated_at)),
        ("metadata", SourceValue::Json(&session.metadata)),
    ]
}
