use std::collections::BTreeSet;
use std::rc::Rc;

use memory_domain::limits::BASE_RELEVANCE_DEFAULT;
use memory_domain::{
    ContextType, EntityKey, EntityType, InvalidInput, JsonObject, Node, NodeId, Record, key_text,
};
use memory_storage::RawRow;

use super::{is_null_metadata, metadata, null_metadata};
use crate::catalog::Place;
use crate::converting::Converted;
use crate::ids::TableIds;
use crate::inverse::SourceValue;
use crate::reading::{Mapped, Reading};

/// Makes nodes of rows.
pub(super) struct Entities<'a> {
    pub(super) reading: &'a Reading<'a>,
    pub(super) mapped: Mapped<'a>,
    pub(super) id: Place,
    kind: Place,
    name: Place,
    metadata: Place,
    created_at: Place,
    updated_at: Place,
    ids: Rc<TableIds>,
}

impl<'a> Entities<'a> {
    pub(super) fn new(reading: &'a Reading<'a>, mapped: Mapped<'a>) -> Self {
        let place = |name| mapped.table.place(name);
        Entities {
            reading,
            mapped,
            id: place("id"),
            kind: place("type"),
            name: place("name"),
            metadata: place("metadata"),
            created_at: place("created_at"),
            updated_at: place("updated_at"),
            ids: reading.converting.ids.table("entities"),
        }
    }

    pub(super) fn convert(&self, raw: &RawRow) -> Result<Converted, InvalidInput> {
        let mut cells = self.reading.cells(raw);
        let id = cells.integer(self.id)?;
        let kind = cells.text(self.kind)?;
        key_text(self.kind.name, kind)?;
        let name = cells.text(self.name)?;
        key_text(self.name.name, name)?;
        let content = metadata(&mut cells, self.metadata)?;
        let created_at = cells.time(self.created_at)?;
        let updated_at = cells.time(self.updated_at)?;
        let node = Node {
            tenant_id: self.reading.converting.unnamed.clone(),
            id: NodeId::from_uuid(self.ids.integer(id)),
            context_type: ContextType::DomainEntity,
            key: Some(EntityKey::new(kind, name)?),
            entity_type: Some(EntityType::new(kind)?),
            name: Some(name.to_owned()),
            metadata: match content {
                Some(_) => JsonObject::new(),
                None => null_metadata(),
            },
            content: content.unwrap_or_default(),
            summary: String::new(),
            tags: BTreeSet::new(),
            base_relevance: BASE_RELEVANCE_DEFAULT,
            created_at,
            updated_at,
            last_accessed_at: updated_at,
            access_count: 1,
            update_count: 0,
        };
        Ok(Converted {
            record: Record::Node(node),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }
}

pub(super) fn inverse(node: &Node) -> Vec<(&'static str, SourceValue<'_>)> {
    let metadata = if is_null_metadata(&node.metadata) {
        SourceValue::Null
    } else {
        SourceValue::Json(&node.content)
    };
    vec![
        ("id", SourceValue::Integer("entities", node.id.uuid())),
        (
            "type",
            text(node.entity_type.as_ref().map(EntityType::as_str)),
        ),
        ("name", text(node.name.as_deref())),
        ("metadata", metadata),
        ("created_at", SourceValue::Time(node.created_at)),
        ("updated_at", SourceValue::Time(node.updated_at)),
    ]
}

fn text(text: Option<&str>) -> SourceValue<'_> {
    text.map_or(SourceValue::Null, SourceValue::Text)
}
