use super::{Entity, KeyPart, Kind, UniqueKey, keyed};
use crate::canonical::ObjectEncoder;
use crate::{FileSnapshot, InvalidInput, Mission, key_text, label_text, path_text};

impl Kind for Mission {
    const NOUN: &'static str = "mission";
}

impl Entity for Mission {
    keyed!();

    fn unique_key(&self) -> Option<UniqueKey<'_>> {
        Some(UniqueKey {
            columns: vec![("key", KeyPart::Text(&self.key))],
            taken: "the mission's key is taken",
        })
    }

    fn check(&self) -> Result<(), InvalidInput> {
        key_text("key", &self.key)?;
        match &self.domain {
            Some(domain) => label_text("domain", domain),
            None => Ok(()),
        }
    }

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        out.optional_double("cost_usd", self.cost_usd);
        out.plain("created_at", self.created_at);
        out.optional_text("domain", self.domain.as_deref());
        out.optional_double("duration_seconds", self.duration_seconds);
        out.optional_integer("files_modified", self.files_modified);
        out.plain("id", self.id);
        out.optional_integer("iterations", self.iterations);
        out.text("key", &self.key);
        out.json("metadata", &self.metadata);
        out.text("status", self.status.as_str());
        out.text("tenant_id", self.tenant_id.as_str());
    }
}

impl Kind for FileSnapshot {
    const NOUN: &'static str = "file snapshot";
}

impl Entity for FileSnapshot {
    keyed!();

    fn check(&self) -> Result<(), InvalidInput> {
        path_text("path", &self.path)?;
        match &self.mission_key {
            Some(key) => key_text("mission_key", key),
            None => Ok(()),
        }
    }

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        out.optional_text("hash", self.hash.as_deref());
        out.plain("id", self.id);
        out.optional_integer("lines_of_code", self.lines_of_code);
        out.json("metadata", &self.metadata);
        out.optional_text("mission_key", self.mission_key.as_deref());
        out.text("path", &self.path);
        out.optional_integer("size_bytes", self.size_bytes);
        out.plain("taken_at", self.taken_at);
        out.text("tenant_id", self.tenant_id.as_str());
    }
}
