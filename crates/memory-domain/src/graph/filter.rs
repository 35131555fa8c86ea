use crate::{
    ContextType, EntityType, InvalidInput, JsonObject, NodeId, RelationshipId, RelationshipKind,
    Timestamp, key_text, normalise_json, unit_interval,
};

/// Which nodes a listing gives: those that meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NodeFilter {
    /// Only nodes of this context type.
    pub context_type: Option<ContextType>,
    /// Only nodes of this entity type.
    pub entity_type: Option<EntityType>,
    /// Only nodes with this tag, in any case.
    pub tag: Option<String>,
    /// Only nodes whose metadata contains this, in the sense of `jsonb @>`.
    pub metadata_contains: Option<JsonObject>,
    /// Only nodes whose content contains this, in the sense of `jsonb @>`.
    pub content_contains: Option<JsonObject>,
    /// Only nodes created at this moment or later.
    pub created_from: Option<Timestamp>,
    /// Only nodes created at this moment or earlier.
    pub created_to: Option<Timestamp>,
    /// Only nodes that come after this place.
    pub after: Option<NodeCursor>,
}

impl NodeFilter {
    /// Checks and normalises every condition; the tag is lower-cased.
    ///
    /// # Errors
    /// The first condition that is refused.
    pub fn validated(mut self) -> Result<NodeFilter, InvalidInput> {
        self.tag = self.tag.map(|tag| tag.to_lowercase());
        if let Some(tag) = &self.tag {
            key_text("tag", tag)?;
        }
        if let Some(part) = &mut self.metadata_contains {
            normalise_json("metadata_contains", part)?;
        }
        if let Some(part) = &mut self.content_contains {
            normalise_json("content_contains", part)?;
        }
        Ok(self)
    }
}

/// A place in the listing of nodes: newest first, then the greater id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeCursor {
    /// The last node's time of creation.
    pub created_at: Timestamp,
    /// The last node's id.
    pub id: NodeId,
}

/// Which way relationships are followed. Undirected ones lead both ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// From the node on.
    Outgoing,
    /// To the node.
    Incoming,
    /// Either way.
    #[default]
    Both,
}

/// Which relationships a listing gives: those that meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RelationshipFilter {
    /// Only relationships that start here.
    pub from: Option<NodeId>,
    /// Only relationships that end here.
    pub to: Option<NodeId>,
    /// Only relationships of this kind.
    pub kind: Option<RelationshipKind>,
    /// Only relationships at least this strong, from 0 to 1.
    pub min_strength: Option<f64>,
    /// Only relationships that come after this place.
    pub after: Option<RelationshipCursor>,
}

impl RelationshipFilter {
    /// Checks every condition.
    ///
    /// # Errors
    /// The first condition that is refused.
    pub fn validated(mut self) -> Result<RelationshipFilter, InvalidInput> {
        self.min_strength = self
            .min_strength
            .map(|strength| unit_interval("min_strength", strength))
            .transpose()?;
        Ok(self)
    }
}

/// A place in the listing of relationships: newest first, then the greater id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelationshipCursor {
    /// The last relationship's time of creation.
    pub created_at: Timestamp,
    /// The last relationship's id.
    pub id: RelationshipId,
}
