use super::{Entity, KeyPart, Kind, RecordKey, RecordKind, UniqueKey, keyed};
use crate::canonical::ObjectEncoder;
use crate::limits::TAGS;
use crate::{
    EntityKey, EntityType, InvalidInput, Node, Relationship, key_text, label_text, unit_interval,
};

impl Kind for Node {
    const NOUN: &'static str = "node";
}

impl Entity for Node {
    keyed!();

    fn unique_key(&self) -> Option<UniqueKey<'_>> {
        self.key.as_ref().map(|key| UniqueKey {
            columns: vec![
                ("key_system", KeyPart::Text(key.system())),
                ("key_id", KeyPart::Text(key.id())),
            ],
            taken: "the entity key is taken",
        })
    }

    fn check(&self) -> Result<(), InvalidInput> {
        if let Some(name) = &self.name {
            key_text("name", name)?;
        }
        for tag in &self.tags {
            key_text("tags", tag)?;
        }
        if self.tags.len() > TAGS {
            let problem = format!("a node has at most {TAGS} tags");
            return Err(InvalidInput::new("tags", self.tags.len(), problem));
        }
        unit_interval("base_relevance", self.base_relevance).map(drop)
    }

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        out.integer("access_count", self.access_count);
        out.double("base_relevance", self.base_relevance);
        out.json("content", &self.content);
        out.plain("context_type", self.context_type);
        out.plain("created_at", self.created_at);
        let entity_type = self.entity_type.as_ref().map(EntityType::as_str);
        out.optional_text("entity_type", entity_type);
        out.plain("id", self.id);
        out.optional_text("key_id", self.key.as_ref().map(EntityKey::id));
        out.optional_text("key_system", self.key.as_ref().map(EntityKey::system));
        out.plain("last_accessed_at", self.last_accessed_at);
        out.json("metadata", &self.metadata);
        out.optional_text("name", self.name.as_deref());
        out.text("summary", &self.summary);
        out.texts("tags", self.tags.iter().map(String::as_str));
        out.text("tenant_id", self.tenant_id.as_str());
        out.integer("update_count", self.update_count);
        out.plain("updated_at", self.updated_at);
    }
}

impl Kind for Relationship {
    const NOUN: &'static str = "relationship";
    const REFERENCES: &'static [(&'static str, RecordKind)] =
        &[("from_id", RecordKind::Node), ("to_id", RecordKind::Node)];
}

impl Entity for Relationship {
    keyed!();

    fn references(&self) -> Vec<RecordKey> {
        [self.from, self.to]
            .map(|node| RecordKey {
                kind: RecordKind::Node,
                tenant_id: self.tenant_id.clone(),
                id: Some(node.uuid()),
            })
            .into()
    }

    fn unique_key(&self) -> Option<UniqueKey<'_>> {
        Some(UniqueKey {
            columns: vec![
                ("from_id", KeyPart::Id(self.from.uuid())),
                ("to_id", KeyPart::Id(self.to.uuid())),
                ("kind", KeyPart::Text(self.kind.as_str())),
                ("label", KeyPart::Text(&self.label)),
            ],
            taken: "the same ends, kind and label stand",
        })
    }

    fn check(&self) -> Result<(), InvalidInput> {
        label_text("label", &self.label)?;
        unit_interval("strength", self.strength)?;
        if !self.directed && self.to < self.from {
            let problem = "what leads both ways starts at the smaller id";
            return Err(InvalidInput::new("from", self.from, problem));
        }
        Ok(())
    }

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        out.plain("created_at", self.created_at);
        out.boolean("directed", self.directed);
        out.plain("from", self.from);
        out.plain("id", self.id);
        out.text("kind", self.kind.as_str());
        out.text("label", &self.label);
        out.plain("last_reinforced_at", self.last_reinforced_at);
        out.json("metadata", &self.metadata);
        out.double("strength", self.strength);
        out.text("tenant_id", self.tenant_id.as_str());
        out.plain("to", self.to);
    }
}
