use diesel::prelude::*;
use memory_domain::{
    EntityKey, EntityType, Node, NodeId, Relationship, RelationshipId, RelationshipKind,
};
use memory_storage::StorageError;

use super::Place;
use crate::schema::{nodes, relationships};
use crate::sql_types::{IdValue, InstantValue, JsonValue, TagsValue};

/// A row of `nodes`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = nodes)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct NodeRow {
    pub tenant_id: String,
    pub id: IdValue,
    pub context_type: String,
    pub key_system: Option<String>,
    pub key_id: Option<String>,
    pub entity_type: Option<String>,
    pub name: Option<String>,
    pub content: JsonValue,
    pub summary: String,
    pub tags: TagsValue,
    pub metadata: JsonValue,
    pub base_relevance: f64,
    pub created_at: InstantValue,
    pub updated_at: InstantValue,
    pub last_accessed_at: InstantValue,
    pub access_count: i64,
    pub update_count: i64,
}

impl From<Node> for NodeRow {
    fn from(node: Node) -> NodeRow {
        NodeRow {
            tenant_id: node.tenant_id.into(),
            id: IdValue(node.id.uuid()),
            context_type: node.context_type.as_str().to_owned(),
            key_system: node.key.as_ref().map(|key| key.system().to_owned()),
            key_id: node.key.as_ref().map(|key| key.id().to_owned()),
            entity_type: node.entity_type.map(Into::into),
            name: node.name,
            content: JsonValue(node.content),
            summary: node.summary,
            tags: TagsValue(node.tags),
            metadata: JsonValue(node.metadata),
            base_relevance: node.base_relevance,
            created_at: InstantValue(node.created_at),
            updated_at: InstantValue(node.updated_at),
            last_accessed_at: InstantValue(node.last_accessed_at),
            access_count: node.access_count,
            update_count: node.update_count,
        }
    }
}

impl TryFrom<NodeRow> for Node {
    type Error = StorageError;

    fn try_from(row: NodeRow) -> Result<Node, StorageError> {
        let place = Place {
            table: "nodes",
            id: &row.id.0,
        };
        let key = row
            .key_system
            .zip(row.key_id)
            .map(|(system, id)| EntityKey::new(system, id))
            .transpose();
        let entity_type = row.entity_type.map(EntityType::new).transpose();
        Ok(Node {
            tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
            id: NodeId::from_uuid(row.id.0),
            context_type: place.check("context_type", row.context_type.parse())?,
            key: place.check("key_system", key)?,
            entity_type: place.check("entity_type", entity_type)?,
            name: row.name,
            content: row.content.0,
            summary: row.summary,
            tags: row.tags.0,
            metadata: row.metadata.0,
            base_relevance: row.base_relevance,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
            last_accessed_at: row.last_accessed_at.0,
            access_count: row.access_count,
            update_count: row.update_count,
        })
    }
}

/// A row of `relationships`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = relationships)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct RelationshipRow {
    pub tenant_id: String,
    pub id: IdValue,
    pub from_id: IdValue,
    pub to_id: IdValue,
    pub kind: String,
    pub label: String,
    pub directed: bool,
    pub strength: f64,
    pub metadata: JsonValue,
    pub created_at: InstantValue,
    pub last_reinforced_at: InstantValue,
}

impl From<Relationship> for RelationshipRow {
    fn from(relationship: Relationship) -> RelationshipRow {
        RelationshipRow {
            tenant_id: relationship.tenant_id.into(),
            id: IdValue(relationship.id.uuid()),
            from_id: IdValue(relationship.from.uuid()),
            to_id: IdValue(relationship.to.uuid()),
            kind: relationship.kind.into(),
            label: relationship.label,
            directed: relationship.directed,
            strength: relationship.strength,
            metadata: JsonValue(relationship.metadata),
            created_at: InstantValue(relationship.created_at),
            last_reinforced_at: InstantValue(relationship.last_reinforced_at),
        }
    }
}

impl TryFrom<RelationshipRow> for Relationship {
    type Error = StorageError;

    fn try_from(row: RelationshipRow) -> Result<Relationship, StorageError> {
        let place = Place {
            table: "relationships",
            id: &row.id.0,
        };
        Ok(Relationship {
            tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
            id: RelationshipId::from_uuid(row.id.0),
            from: NodeId::from_uuid(row.from_id.0),
            to: NodeId::from_uuid(row.to_id.0),
            kind: place.check("kind", RelationshipKind::new(row.kind))?,
            label: row.label,
            directed: row.directed,
            strength: row.strength,
            metadata: row.metadata.0,
            created_at: row.created_at.0,
            last_reinforced_at: row.last_reinforced_at.0,
        })
    }
}
