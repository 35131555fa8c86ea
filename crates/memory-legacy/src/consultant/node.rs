use std::rc::Rc;

use memory_domain::limits::BASE_RELEVANCE_DEFAULT;
use memory_domain::{
    ContextType, EntityKey, EntityType, InvalidInput, JsonObject, Node, NodeId, Record, free_text,
    key_text, unit_interval,
};
use memory_storage::{RawRow, RawValue};

use super::tags::tags;
use super::thread::tenant;
use crate::catalog::{Place, Table};
use crate::cells::{Cells, Metadata, refuse};
use crate::converting::{Converted, Converting};
use crate::ids::TableIds;
use crate::inverse::SourceValue;
use crate::rules;

/// Makes nodes of rows.
pub(crate) struct Nodes<'a> {
    converting: &'a Converting<'a>,
    pub(crate) table: &'a Table,
    pub(crate) id: Place,
    pub(crate) tenant: Place,
    content: Place,
    context_type: Place,
    summary: Place,
    pub(crate) created_at: Place,
    pub(crate) last_accessed: Place,
    access_count: Place,
    base_relevance: Place,
    tags: Place,
    metadata: Place,
    entity_id: Place,
    entity_type: Place,
    entity_system: Place,
    ids: Rc<TableIds>,
}

/// What the system counts where nothing is said.
const ACCESS_COUNT_DEFAULT: i64 = 1;

impl<'a> Nodes<'a> {
    pub(crate) fn new(
        converting: &'a Converting<'a>,
        table: &'a Table,
        tenant: &'static str,
    ) -> Self {
        let place = |name| table.place(name);
        Nodes {
            converting,
            table,
            id: place("node_id"),
            tenant: place(tenant),
            content: place("content"),
            context_type: place("context_type"),
            summary: place("summary"),
            created_at: place("created_at"),
            last_accessed: place("last_accessed"),
            access_count: place("access_count"),
            base_relevance: place("base_relevance"),
            tags: place("tags"),
            metadata: place("metadata"),
            entity_id: place("entity_id"),
            entity_type: place("entity_type"),
            entity_system: place("entity_system"),
            ids: converting.ids.table("memory_nodes"),
        }
    }

    /// Makes a node, unless the row of its tenant is refused.
    pub(crate) fn convert(
        &self,
        raw: &RawRow,
        is_tenant_refused: bool,
    ) -> Result<Converted, InvalidInput> {
        let mut cells = self.converting.cells(raw);
        let id = NodeId::from_uuid(cells.uuid(self.id, &self.ids)?);
        let tenant_id = tenant(&cells, self.tenant)?;
        if is_tenant_refused {
            let problem = "the row of this tenant is quarantined; mend that first";
            return Err(InvalidInput::new(self.tenant.name, tenant_id, problem));
        }
        let content = self.content(&mut cells)?;
        let context_type = cells.text(self.context_type)?.parse::<ContextType>()?;
        let mut metadata = cells.metadata_or_empty(self.metadata)?;
        let key = self.key(&mut cells, &mut metadata)?;
        let created_at = cells.time(self.created_at)?;
        let node = Node {
            tenant_id,
            id,
            context_type,
            key,
            entity_type: self.entity_type(&cells)?,
            name: None,
            content,
            summary: self.summary(&mut cells)?,
            tags: tags(&mut cells, self.tags)?,
            metadata,
            base_relevance: share(&mut cells, self.base_relevance, BASE_RELEVANCE_DEFAULT)?,
            created_at,
            updated_at: created_at,
            last_accessed_at: cells.time(self.last_accessed)?,
            access_count: self.access_count(&mut cells)?,
            update_count: 0,
        };
        Ok(Converted {
            record: Record::Node(node),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }

    fn content(&self, cells: &mut Cells<'_>) -> Result<JsonObject, InvalidInput> {
        match cells.metadata(self.content)? {
            Metadata::Object(object) => Ok(object),
            Metadata::Null => Err(refuse(self.content, &RawValue::Null, "give an object")),
        }
    }

    /// The key, of two halves; a half alone is no key, and is kept in the metadata.
    fn key(
        &self,
        cells: &mut Cells<'_>,
        metadata: &mut JsonObject,
    ) -> Result<Option<EntityKey>, InvalidInput> {
        let system = cells.optional_text(self.entity_system)?;
        let id = cells.optional_text(self.entity_id)?;
        let (place, half) = match (system, id) {
            (None, None) => return Ok(None),
            (Some(system), Some(id)) => {
                key_text(self.entity_system.name, system)?;
                key_text(self.entity_id.name, id)?;
                return EntityKey::new(system, id).map(Some);
            }
            (Some(system), None) => (self.entity_system, system),
            (None, Some(id)) => (self.entity_id, id),
        };
        free_text(place.name, half)?;
        if metadata.contains_key(place.name) {
            let problem = "it has no other half and so is no key, and its place in the metadata is \
                taken; give the other half, or rename the key of the metadata";
            return Err(InvalidInput::new(place.name, half, problem));
        }
        metadata.insert(place.name.to_owned(), half.into());
        let kept = format!("metadata.{}", place.name);
        cells.rule(rules::HALF_KEY, place, half, kept.clone());
        // The metadata is no longer what the source has.
        cells.rule(rules::HALF_KEY, self.metadata, half, kept);
        Ok(None)
    }

    fn entity_type(&self, cells: &Cells<'_>) -> Result<Option<EntityType>, InvalidInput> {
        let Some(word) = cells.optional_text(self.entity_type)? else {
            return Ok(None);
        };
        key_text(self.entity_type.name, word)?;
        EntityType::new(word).map(Some)
    }

    fn summary(&self, cells: &mut Cells<'_>) -> Result<String, InvalidInput> {
        let Some(summary) = cells.optional_text(self.summary)? else {
            cells.rule(rules::NULL_SUMMARY, self.summary, "NULL", "");
            return Ok(String::new());
        };
        free_text(self.summary.name, summary)?;
        Ok(summary.to_owned())
    }

    fn access_count(&self, cells: &mut Cells<'_>) -> Result<i64, InvalidInput> {
        if *cells.value(self.access_count) == RawValue::Null {
            let default = ACCESS_COUNT_DEFAULT;
            cells.rule(
                rules::NULL_DEFAULT,
                self.access_count,
                "NULL",
                default.to_string(),
            );
            return Ok(default);
        }
        cells.integer(self.access_count)
    }
}

/// A number from 0 to 1; NULL is what the system itself puts where nothing is said.
pub(crate) fn share(
    cells: &mut Cells<'_>,
    place: Place,
    default: f64,
) -> Result<f64, InvalidInput> {
    if let Some(number) = cells.optional_real(place)? {
        return unit_interval(place.name, number);
    }
    cells.rule(rules::NULL_DEFAULT, place, "NULL", default.to_string());
    Ok(default)
}

pub(crate) fn inverse(node: &Node) -> Vec<(&'static str, SourceValue<'_>)> {
    let key = node.key.as_ref();
    let entity_type = node.entity_type.as_ref();
    vec![
        ("node_id", SourceValue::Uuid(node.id.uuid())),
        ("thread_id", SourceValue::Text(node.tenant_id.as_str())),
        ("user_id", SourceValue::Text(node.tenant_id.as_str())),
        ("content", SourceValue::Json(&node.content)),
        (
            "context_type",
            SourceValue::Text(node.context_type.as_str()),
        ),
        ("summary", SourceValue::Text(&node.summary)),
        ("created_at", SourceValue::Time(node.created_at)),
        ("last_accessed", SourceValue::Time(node.last_accessed_at)),
        ("access_count", SourceValue::Number(node.access_count)),
        ("base_relevance", SourceValue::Real(node.base_relevance)),
        ("tags", SourceValue::Texts(&node.tags)),
        ("metadata", SourceValue::Json(&node.metadata)),
        ("entity_id", text(key.map(EntityKey::id))),
        ("entity_type", text(entity_type.map(EntityType::as_str))),
        ("entity_system", text(key.map(EntityKey::system))),
    ]
}

fn text(text: Option<&str>) -> SourceValue<'_> {
    text.map_or(SourceValue::Null, SourceValue::Text)
}
