use std::rc::Rc;

use memory_domain::{
    InvalidInput, JsonObject, Mission, MissionId, MissionStatus, Record, finite, key_text,
    label_text,
};
use memory_storage::RawRow;

use super::{Rows, is_null_metadata, kept_metadata};
use crate::catalog::Place;
use crate::converting::Converted;
use crate::ids::TableIds;
use crate::inverse::SourceValue;
use crate::reading::{Mapped, Reading};

/// Makes missions of rows.
pub(super) struct Missions<'a> {
    reading: &'a Reading<'a>,
    mapped: Mapped<'a>,
    id: Place,
    key: Place,
    status: Place,
    domain: Place,
    cost_usd: Place,
    iterations: Place,
    duration_seconds: Place,
    files_modified: Place,
    metadata: Place,
    created_at: Place,
    ids: Rc<TableIds>,
}

impl<'a> Missions<'a> {
    pub(super) fn new(reading: &'a Reading<'a>, mapped: Mapped<'a>) -> Self {
        let place = |name| mapped.table.place(name);
        Missions {
            reading,
            mapped,
            id: place("id"),
            key: place("mission_id"),
            status: place("status"),
            domain: place("domain"),
            cost_usd: place("cost_usd"),
            iterations: place("iterations"),
            duration_seconds: place("duration_seconds"),
            files_modified: place("files_modified"),
            metadata: place("metadata"),
            created_at: place("created_at"),
            ids: reading.converting.ids.table("mission_history"),
        }
    }
}

impl<'a> Rows<'a> for Missions<'a> {
    fn reading(&self) -> &'a Reading<'a> {
        self.reading
    }

    fn mapped(&self) -> Mapped<'a> {
        self.mapped
    }

    fn id(&self) -> Place {
        self.id
    }

    fn convert(&self, raw: &RawRow) -> Result<Converted, InvalidInput> {
        let mut cells = self.reading.cells(raw);
        let id = cells.integer(self.id)?;
        let key = cells.text(self.key)?;
        key_text(self.key.name, key)?;
        let status = cells.text(self.status)?;
        key_text(self.status.name, status)?;
        let domain = cells.optional_text(self.domain)?;
        if let Some(domain) = domain {
            label_text(self.domain.name, domain)?;
        }
        let mut number = |place: Place| -> Result<Option<f64>, InvalidInput> {
            let number = cells.optional_real(place)?;
            number.map(|number| finite(place.name, number)).transpose()
        };
        let cost_usd = number(self.cost_usd)?;
        let duration_seconds = number(self.duration_seconds)?;
        let mission = Mission {
            tenant_id: self.reading.converting.unnamed.clone(),
            id: MissionId::from_uuid(self.ids.integer(id)),
            key: key.to_owned(),
            status: MissionStatus::new(status)?,
            domain: domain.map(str::to_owned),
            cost_usd,
            iterations: cells.optional_integer(self.iterations)?,
            duration_seconds,
            files_modified: cells.optional_integer(self.files_modified)?,
            metadata: kept_metadata(&mut cells, self.metadata)?,
            created_at: cells.time(self.created_at)?,
        };
        Ok(Converted {
            record: Record::Mission(mission),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }
}

pub(super) fn inverse(mission: &Mission) -> Vec<(&'static str, SourceValue<'_>)> {
    let real = |number: Option<f64>| number.map_or(SourceValue::Null, SourceValue::Real);
    vec![
        (
            "id",
            SourceValue::Integer("mission_history", mission.id.uuid()),
        ),
        ("mission_id", SourceValue::Text(&mission.key)),
        ("status", SourceValue::Text(mission.status.as_str())),
        ("domain", text(mission.domain.as_deref())),
        ("cost_usd", real(mission.cost_usd)),
        ("iterations", integer(mission.iterations)),
        ("duration_seconds", real(mission.duration_seconds)),
        ("files_modified", integer(mission.files_modified)),
        ("metadata", metadata(&mission.metadata)),
        ("created_at", SourceValue::Time(mission.created_at)),
    ]
}

pub(super) fn text(text: Option<&str>) -> SourceValue<'_> {
    text.map_or(SourceValue::Null, SourceValue::Text)
}

pub(super) fn integer(integer: Option<i64>) -> SourceValue<'static> {
    integer.map_or(SourceValue::Null, SourceValue::Number)
}

pub(super) fn metadata(metadata: &JsonObject) -> SourceValue<'_> {
    if is_null_metadata(metadata) {
        SourceValue::Null
    } else {
        SourceValue::Json(metadata)
    }
}
