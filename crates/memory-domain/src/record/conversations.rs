use super::check::at_least;
use super::{Entity, KeyPart, Kind, RecordKey, RecordKind, UniqueKey, keyed};
use crate::canonical::ObjectEncoder;
use crate::{InvalidInput, Message, Session};

impl Kind for Session {
    const NOUN: &'static str = "session";
}

impl Entity for Session {
    keyed!();

    fn check(&self) -> Result<(), InvalidInput> {
        at_least("message_count", self.message_count, 0)
    }

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        out.plain("created_at", self.created_at);
        out.plain("id", self.id);
        out.integer("message_count", self.message_count);
        out.json("metadata", &self.metadata);
        out.text("tenant_id", self.tenant_id.as_str());
        out.text("title", &self.title);
        out.plain("updated_at", self.updated_at);
    }
}

impl Kind for Message {
    const NOUN: &'static str = "message";
    const REFERENCES: &'static [(&'static str, RecordKind)] =
        &[("session_id", RecordKind::Session)];
}

impl Entity for Message {
    keyed!();

    fn references(&self) -> Vec<RecordKey> {
        vec![RecordKey {
            kind: RecordKind::Session,
            tenant_id: self.tenant_id.clone(),
            id: Some(self.session_id.uuid()),
        }]
    }

    fn unique_key(&self) -> Option<UniqueKey<'_>> {
        Some(UniqueKey {
            columns: vec![
                ("session_id", KeyPart::Id(self.session_id.uuid())),
                ("number", KeyPart::Integer(self.number)),
            ],
            taken: "the number in the session is taken",
        })
    }

    fn check(&self) -> Result<(), InvalidInput> {
        at_least("number", self.number, 1)
    }

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        out.text("content", &self.content);
        out.plain("created_at", self.created_at);
        out.plain("id", self.id);
        out.json("metadata", &self.metadata);
        out.integer("number", self.number);
        out.text("role", self.role.as_str());
        out.plain("session_id", self.session_id);
        out.text("tenant_id", self.tenant_id.as_str());
    }
}
