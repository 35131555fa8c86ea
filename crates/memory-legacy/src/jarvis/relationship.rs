use std::rc::Rc;

use memory_domain::limits::STRENGTH_DEFAULT;
use memory_domain::{
    InvalidInput, NodeId, Record, Relationship, RelationshipId, RelationshipKind, key_text,
};
use memory_storage::RawRow;

use super::kept_metadata;
use super::mission::metadata;
use crate::catalog::Place;
use crate::converting::Converted;
use crate::ids::TableIds;
use crate::inverse::SourceValue;
use crate::reading::{Mapped, Reading};

/// Makes relationships of rows.
pub(super) struct Relationships<'a> {
    pub(super) reading: &'a Reading<'a>,
    pub(super) mapped: Mapped<'a>,
    pub(super) id: Place,
    from: Place,
    to: Place,
    kind: Place,
    metadata: Place,
    created_at: Place,
    ids: Rc<TableIds>,
    entity_ids: Rc<TableIds>,
}

/// Whether the entities at the two ends are carried; `None` if there is no such entity.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) from_is_carried: Option<bool>,
    pub(super) to_is_carried: Option<bool>,
}

impl<'a> Relationships<'a> {
    pub(super) fn new(reading: &'a Reading<'a>, mapped: Mapped<'a>) -> Self {
        let place = |name| mapped.table.place(name);
        Relationships {
            reading,
            mapped,
            id: place("id"),
            from: place("from_id"),
            to: place("to_id"),
            kind: place("type"),
            metadata: place("metadata"),
            created_at: place("created_at"),
            ids: reading.converting.ids.table("relationships"),
            entity_ids: reading.converting.ids.table("entities"),
        }
    }

    pub(super) fn convert(
        &self,
        raw: &RawRow,
        ends: Ends,
        is_parallel: bool,
    ) -> Result<Converted, InvalidInput> {
        let mut cells = self.reading.cells(raw);
        let id = cells.integer(self.id)?;
        let from = cells.integer(self.from)?;
        self.check_end(self.from, from, ends.from_is_carried)?;
        let to = cells.integer(self.to)?;
        self.check_end(self.to, to, ends.to_is_carried)?;
        let kind = cells.text(self.kind)?;
        key_text(self.kind.name, kind)?;
        let metadata = kept_metadata(&mut cells, self.metadata)?;
        let created_at = cells.time(self.created_at)?;
        let relationship = Relationship {
            tenant_id: self.reading.converting.unnamed.clone(),
            id: RelationshipId::from_uuid(self.ids.integer(id)),
            from: NodeId::from_uuid(self.entity_ids.integer(from)),
            to: NodeId::from_uuid(self.entity_ids.integer(to)),
            kind: RelationshipKind::new(kind)?,
            label: if is_parallel {
                id.to_string()
            } else {
                String::new()
            },
            directed: true,
            strength: STRENGTH_DEFAULT,
            metadata,
            created_at,
            last_reinforced_at: created_at,
        };
        Ok(Converted {
            record: Record::Relationship(relationship),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }

    fn check_end(
        &self,
        place: Place,
        id: i64,
        is_carried: Option<bool>,
    ) -> Result<(), InvalidInput> {
        let problem = match is_carried {
            Some(true) => return Ok(()),
            // It may stand in the target, which says itself if it does not.
            None if self.reading.is_replay => return Ok(()),
            Some(false) => "the entity of this id is quarantined; mend that first",
            None => "no entity of this id is in the file; add it or drop the relationship",
        };
        Err(InvalidInput::new(place.name, id, problem))
    }
}

pub(super) fn inverse(relationship: &Relationship) -> Vec<(&'static str, SourceValue<'_>)> {
    let entity = |id: NodeId| SourceValue::Integer("entities", id.uuid());
    let id = SourceValue::Integer("relationships", relationship.id.uuid());
    vec![
        ("id", id),
        ("from_id", entity(relationship.from)),
        ("to_id", entity(relationship.to)),
        ("type", SourceValue::Text(relationship.kind.as_str())),
        ("metadata", metadata(&relationship.metadata)),
        ("created_at", SourceValue::Time(relationship.created_at)),
    ]
}
