use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ContextType, EntityKey, NodeCursor};
use crate::limits::{BASE_RELEVANCE_DEFAULT, TAGS};
use crate::{
    EntityType, InvalidInput, JsonObject, NodeId, TenantId, Timestamp, free_text, key_text,
    normalise_json, unit_interval,
};

/// One piece of knowledge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id, unique within the tenant.
    pub id: NodeId,
    /// What it is, which decides how fast it loses relevance.
    pub context_type: ContextType,
    /// What it is called outside, unique within the tenant.
    pub key: Option<EntityKey>,
    /// What kind of thing it stands for.
    pub entity_type: Option<EntityType>,
    /// The name that is shown and that recall matches.
    pub name: Option<String>,
    /// The knowledge itself.
    pub content: JsonObject,
    /// The knowledge in a sentence, which may be empty.
    pub summary: String,
    /// Lower-cased key texts, at most 64.
    pub tags: BTreeSet<String>,
    /// What the application keeps about it.
    pub metadata: JsonObject,
    /// How relevant it is before age and access are counted, from 0 to 1.
    pub base_relevance: f64,
    /// When it was first remembered.
    pub created_at: Timestamp,
    /// When its content last changed.
    pub updated_at: Timestamp,
    /// When it was last accessed; reading does not count by itself.
    pub last_accessed_at: Timestamp,
    /// How often it was accessed; starts at 1.
    pub access_count: i64,
    /// How often it was merged into or updated; starts at 0.
    pub update_count: i64,
}

impl Node {
    /// Where a listing goes on after this node.
    pub fn cursor(&self) -> NodeCursor {
        NodeCursor {
            created_at: self.created_at,
            id: self.id,
        }
    }

    /// Merges newly remembered knowledge about the same thing into this node.
    ///
    /// `content.entity_data` of both sides is merged key by key; the other keys of the new content
    /// and metadata are added or replace what they name; tags are united; summary, name and entity
    /// type are filled where given. What came first keeps its id, context type, relevance and
    /// times of creation and access. The update is counted.
    ///
    /// # Errors
    /// The united tags may be too many.
    pub fn merge(&mut self, new: NewNode, at: Timestamp) -> Result<(), InvalidInput> {
        merge_content(&mut self.content, new.content);
        self.metadata.extend(new.metadata);
        self.tags.extend(new.tags);
        check_tag_count(&self.tags)?;
        if !new.summary.is_empty() {
            self.summary = new.summary;
        }
        self.name = new.name.or(self.name.take());
        self.entity_type = new.entity_type.or(self.entity_type.take());
        self.touch(at);
        Ok(())
    }

    /// Applies a validated patch; the update is counted.
    pub fn apply(&mut self, patch: NodePatch, at: Timestamp) {
        macro_rules! replace {
            ($field:ident) => {
                if let Some(value) = patch.$field {
                    self.$field = value;
                }
            };
        }
        replace!(context_type);
        replace!(entity_type);
        replace!(name);
        replace!(content);
        replace!(summary);
        replace!(tags);
        replace!(metadata);
        replace!(base_relevance);
        self.touch(at);
    }

    fn touch(&mut self, at: Timestamp) {
        self.updated_at = self.updated_at.max(at);
        self.update_count += 1;
    }
}

/// The key of a node's content under which both sides of a merge are merged once more.
const ENTITY_DATA: &str = "entity_data";

fn merge_content(old: &mut JsonObject, mut new: JsonObject) {
    if let (Some(Value::Object(old)), Some(Value::Object(new))) =
        (old.get_mut(ENTITY_DATA), new.get_mut(ENTITY_DATA))
    {
        // The merged object goes into `new`, whose keys then replace those of `old`.
        let mut merged = std::mem::take(old);
        merged.extend(std::mem::take(new));
        *new = merged;
    }
    old.extend(new);
}

/// A node to be remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct NewNode {
    /// Made by the caller, so that a retry is the same node and not a second one.
    pub id: NodeId,
    /// What it is.
    pub context_type: ContextType,
    /// What it is called outside: what is remembered under a key already known is merged.
    pub key: Option<EntityKey>,
    /// What kind of thing it stands for.
    pub entity_type: Option<EntityType>,
    /// The name that is shown and that recall matches.
    pub name: Option<String>,
    /// The knowledge itself.
    pub content: JsonObject,
    /// The knowledge in a sentence, which may be empty.
    pub summary: String,
    /// Tags, lower-cased when stored.
    pub tags: BTreeSet<String>,
    /// What the application keeps about it.
    pub metadata: JsonObject,
    /// How relevant it is before age and access are counted, from 0 to 1; by default 0.5.
    pub base_relevance: f64,
}

impl NewNode {
    /// A node without key, name or content, with a new id.
    pub fn new(context_type: ContextType) -> NewNode {
        NewNode {
            id: NodeId::generate(),
            context_type,
            key: None,
            entity_type: None,
            name: None,
            content: JsonObject::new(),
            summary: String::new(),
            tags: BTreeSet::new(),
            metadata: JsonObject::new(),
            base_relevance: BASE_RELEVANCE_DEFAULT,
        }
    }

    /// A thing of local knowledge: the entity type is also the key's system.
    ///
    /// # Errors
    /// The name must be a key text.
    pub fn entity(
        entity_type: EntityType,
        name: impl Into<String>,
    ) -> Result<NewNode, InvalidInput> {
        let name = name.into();
        let key = EntityKey::new(entity_type.as_str(), name.clone())?;
        Ok(NewNode {
            key: Some(key),
            entity_type: Some(entity_type),
            name: Some(name),
            ..NewNode::new(ContextType::DomainEntity)
        })
    }

    /// Sets the id, for a retry or an import.
    pub fn with_id(mut self, id: NodeId) -> NewNode {
        self.id = id;
        self
    }

    /// Sets the key under which the world outside knows the thing.
    pub fn with_key(mut self, key: EntityKey) -> NewNode {
        self.key = Some(key);
        self
    }

    /// Sets the content.
    pub fn with_content(mut self, content: JsonObject) -> NewNode {
        self.content = content;
        self
    }

    /// Sets the summary.
    pub fn with_summary(mut self, summary: impl Into<String>) -> NewNode {
        self.summary = summary.into();
        self
    }

    /// Adds a tag.
    pub fn with_tag(mut self, tag: impl Into<String>) -> NewNode {
        self.tags.insert(tag.into());
        self
    }

    /// Sets the metadata.
    pub fn with_metadata(mut self, metadata: JsonObject) -> NewNode {
        self.metadata = metadata;
        self
    }

    /// Checks and normalises every field; tags are lower-cased.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(mut self) -> Result<NewNode, InvalidInput> {
        if let Some(name) = &self.name {
            key_text("name", name)?;
        }
        normalise_json("content", &mut self.content)?;
        free_text("summary", &self.summary)?;
        self.tags = normalise_tags(self.tags)?;
        normalise_json("metadata", &mut self.metadata)?;
        self.base_relevance = unit_interval("base_relevance", self.base_relevance)?;
        Ok(self)
    }

    /// Whether `stored` is what remembering this node gives: the same write, not another one.
    pub fn is_same_write(&self, stored: &Node) -> bool {
        self.id == stored.id
            && self.context_type == stored.context_type
            && self.key == stored.key
            && self.entity_type == stored.entity_type
            && self.name == stored.name
            && self.content == stored.content
            && self.summary == stored.summary
            && self.tags == stored.tags
            && self.metadata == stored.metadata
            && self.base_relevance.to_bits() == stored.base_relevance.to_bits()
    }

    /// The node that stands when nothing was known before.
    pub fn into_node(self, tenant_id: TenantId, at: Timestamp) -> Node {
        Node {
            tenant_id,
            id: self.id,
            context_type: self.context_type,
            key: self.key,
            entity_type: self.entity_type,
            name: self.name,
            content: self.content,
            summary: self.summary,
            tags: self.tags,
            metadata: self.metadata,
            base_relevance: self.base_relevance,
            created_at: at,
            updated_at: at,
            last_accessed_at: at,
            access_count: 1,
            update_count: 0,
        }
    }
}

/// A change of a node: what is `None` stays as it is; what is given replaces.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NodePatch {
    /// The new context type.
    pub context_type: Option<ContextType>,
    /// The new entity type; `Some(None)` takes it away.
    pub entity_type: Option<Option<EntityType>>,
    /// The new name; `Some(None)` takes it away.
    pub name: Option<Option<String>>,
    /// The whole new content.
    pub content: Option<JsonObject>,
    /// The new summary.
    pub summary: Option<String>,
    /// All new tags.
    pub tags: Option<BTreeSet<String>>,
    /// The whole new metadata.
    pub metadata: Option<JsonObject>,
    /// The new relevance, from 0 to 1.
    pub base_relevance: Option<f64>,
}

impl NodePatch {
    /// Checks and normalises every field that is given.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(mut self) -> Result<NodePatch, InvalidInput> {
        if let Some(Some(name)) = &self.name {
            key_text("name", name)?;
        }
        if let Some(content) = &mut self.content {
            normalise_json("content", content)?;
        }
        if let Some(summary) = &self.summary {
            free_text("summary", summary)?;
        }
        self.tags = self.tags.map(normalise_tags).transpose()?;
        if let Some(metadata) = &mut self.metadata {
            normalise_json("metadata", metadata)?;
        }
        self.base_relevance = self
            .base_relevance
            .map(|number| unit_interval("base_relevance", number))
            .transpose()?;
        Ok(self)
    }
}

fn normalise_tags(tags: BTreeSet<String>) -> Result<BTreeSet<String>, InvalidInput> {
    let tags: BTreeSet<String> = tags.into_iter().map(|tag| tag.to_lowercase()).collect();
    for tag in &tags {
        key_text("tags", tag)?;
    }
    check_tag_count(&tags)?;
    Ok(tags)
}

fn check_tag_count(tags: &BTreeSet<String>) -> Result<(), InvalidInput> {
    if tags.len() <= TAGS {
        return Ok(());
    }
    let problem = format!("a node has at most {TAGS} tags");
    Err(InvalidInput::new(
        "tags",
        format!("{} tags", tags.len()),
        problem,
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ContextType, NewNode, Node};
    use crate::{EntityType, JsonObject, TenantId, Timestamp};

    fn object(value: Value) -> JsonObject {
        match value {
            Value::Object(object) => object,
            other => panic!("{other} is no object"),
        }
    }

    fn account(content: Value) -> NewNode {
        NewNode::entity(EntityType::new("Account").unwrap(), "A-1")
            .unwrap()
            .with_content(object(content))
    }

    #[test]
    fn merging_keeps_what_both_sides_know() {
        let at = Timestamp::UNIX_EPOCH;
        let later = Timestamp::from_micros(5).unwrap();
        let tenant = TenantId::new("t").unwrap();
        let first = json!({"entity_data": {"a": 1, "b": 1}, "x": 1, "y": 1});
        let mut node: Node = account(first)
            .with_summary("first")
            .with_tag("one")
            .into_node(tenant, at);
        let second = json!({"entity_data": {"b": 2, "c": 2}, "y": 2, "z": 2});
        node.merge(account(second).with_tag("two"), later).unwrap();
        let wanted = json!({"entity_data": {"a": 1, "b": 2, "c": 2}, "x": 1, "y": 2, "z": 2});
        assert_eq!(Value::Object(node.content.clone()), wanted);
        assert_eq!(node.summary, "first");
        assert_eq!(node.tags.iter().collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(
            (node.update_count, node.updated_at, node.created_at),
            (1, later, at)
        );
    }

    #[test]
    fn entity_data_that_is_no_object_is_replaced() {
        let tenant = TenantId::new("t").unwrap();
        let mut node = account(json!({"entity_data": 1})).into_node(tenant, Timestamp::UNIX_EPOCH);
        node.merge(
            account(json!({"entity_data": {"a": 1}})),
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        assert_eq!(
            Value::Object(node.content),
            json!({"entity_data": {"a": 1}})
        );
    }

    #[test]
    fn tags_are_lower_cased_and_at_most_64() {
        let node = NewNode::new(ContextType::ToolOutput)
            .with_tag("Rust")
            .with_tag("RUST");
        assert_eq!(
            node.validated()
                .unwrap()
                .tags
                .into_iter()
                .collect::<Vec<_>>(),
            ["rust"]
        );
        let mut node = NewNode::new(ContextType::ToolOutput);
        node.tags = (0..64).map(|n| n.to_string()).collect();
        assert!(node.clone().validated().is_ok());
        assert_eq!(node.with_tag("64").validated().unwrap_err().field, "tags");
    }
}
