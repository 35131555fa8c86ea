use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::canonical::ObjectEncoder;
use crate::{Digest, InvalidInput, Message, Node, Relationship, Session, Tenant, TenantId};

/// A kind of record, in the order in which records must be written: what is referred to first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// A [`Tenant`].
    Tenant,
    /// A [`Session`].
    Session,
    /// A [`Message`].
    Message,
    /// A [`Node`].
    Node,
    /// A [`Relationship`].
    Relationship,
}

impl RecordKind {
    /// Every kind, in the order in which records must be written.
    pub const ALL: [RecordKind; 5] = [
        RecordKind::Tenant,
        RecordKind::Session,
        RecordKind::Message,
        RecordKind::Node,
        RecordKind::Relationship,
    ];

    /// The name of its table.
    pub const fn table(self) -> &'static str {
        match self {
            RecordKind::Tenant => "tenants",
            RecordKind::Session => "sessions",
            RecordKind::Message => "messages",
            RecordKind::Node => "nodes",
            RecordKind::Relationship => "relationships",
        }
    }
}

impl Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.table())
    }
}

impl FromStr for RecordKind {
    type Err = InvalidInput;

    fn from_str(table: &str) -> Result<RecordKind, InvalidInput> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.table() == table)
            .ok_or_else(|| {
                let tables = Self::ALL.map(RecordKind::table).join(", ");
                InvalidInput::new("table", table, format!("give one of {tables}"))
            })
    }
}

/// Which record: its kind, its tenant and its id there. Ordered as stores list them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// What kind of record it is.
    pub kind: RecordKind,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id within the tenant; `None` for the tenant itself.
    pub id: Option<Uuid>,
}

impl Display for RecordKey {
    /// `nodes ada/0198…`, and `tenants ada`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.tenant_id)?;
        match self.id {
            Some(id) => write!(f, "/{id}"),
            None => Ok(()),
        }
    }
}

/// One stored thing of any kind, whole: what transfers carry and digests cover.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// A tenant.
    Tenant(Tenant),
    /// A conversation.
    Session(Session),
    /// A message.
    Message(Message),
    /// A node of the graph.
    Node(Node),
    /// A relationship of the graph.
    Relationship(Relationship),
}

impl Record {
    /// What kind of record it is.
    pub const fn kind(&self) -> RecordKind {
        match self {
            Record::Tenant(_) => RecordKind::Tenant,
            Record::Session(_) => RecordKind::Session,
            Record::Message(_) => RecordKind::Message,
            Record::Node(_) => RecordKind::Node,
            Record::Relationship(_) => RecordKind::Relationship,
        }
    }

    /// Whose it is.
    pub const fn tenant_id(&self) -> &TenantId {
        match self {
            Record::Tenant(tenant) => &tenant.id,
            Record::Session(session) => &session.tenant_id,
            Record::Message(message) => &message.tenant_id,
            Record::Node(node) => &node.tenant_id,
            Record::Relationship(relationship) => &relationship.tenant_id,
        }
    }

    /// Its kind, tenant and id.
    pub fn key(&self) -> RecordKey {
        let id = match self {
            Record::Tenant(_) => None,
            Record::Session(session) => Some(session.id.uuid()),
            Record::Message(message) => Some(message.id.uuid()),
            Record::Node(node) => Some(node.id.uuid()),
            Record::Relationship(relationship) => Some(relationship.id.uuid()),
        };
        RecordKey {
            kind: self.kind(),
            tenant_id: self.tenant_id().clone(),
            id,
        }
    }

    /// The BLAKE3 digest of the canonical encoding: equal exactly when every field is.
    pub fn digest(&self) -> Digest {
        Digest::of(self.canonical().as_bytes())
    }

    /// The canonical encoding: the table's name, then every field, sorted by name.
    ///
    /// Like JSON without spaces; texts have only `"` and `\` escaped, doubles are `d` and the 16
    /// hexadecimal digits of their bits, so nothing depends on a printer of numbers.
    pub fn canonical(&self) -> String {
        let mut out = String::with_capacity(256);
        out.push_str(self.kind().table());
        let mut encoder = ObjectEncoder::begin(&mut out);
        match self {
            Record::Tenant(tenant) => encode_tenant(&mut encoder, tenant),
            Record::Session(session) => encode_session(&mut encoder, session),
            Record::Message(message) => encode_message(&mut encoder, message),
            Record::Node(node) => encode_node(&mut encoder, node),
            Record::Relationship(relationship) => encode_relationship(&mut encoder, relationship),
        }
        encoder.end();
        out
    }
}

fn encode_tenant(out: &mut ObjectEncoder<'_>, tenant: &Tenant) {
    out.plain("created_at", tenant.created_at);
    out.text("id", tenant.id.as_str());
    out.plain("last_active_at", tenant.last_active_at);
    out.json("metadata", &tenant.metadata);
}

fn encode_session(out: &mut ObjectEncoder<'_>, session: &Session) {
    out.plain("created_at", session.created_at);
    out.plain("id", session.id);
    out.integer("message_count", session.message_count);
    out.json("metadata", &session.metadata);
    out.text("tenant_id", session.tenant_id.as_str());
    out.text("title", &session.title);
    out.plain("updated_at", session.updated_at);
}

fn encode_message(out: &mut ObjectEncoder<'_>, message: &Message) {
    out.text("content", &message.content);
    out.plain("created_at", message.created_at);
    out.plain("id", message.id);
    out.json("metadata", &message.metadata);
    out.integer("number", message.number);
    out.text("role", message.role.as_str());
    out.plain("session_id", message.session_id);
    out.text("tenant_id", message.tenant_id.as_str());
}

fn encode_node(out: &mut ObjectEncoder<'_>, node: &Node) {
    out.integer("access_count", node.access_count);
    out.double("base_relevance", node.base_relevance);
    out.json("content", &node.content);
    out.plain("context_type", node.context_type);
    out.plain("created_at", node.created_at);
    out.optional_text(
        "entity_type",
        node.entity_type.as_ref().map(crate::EntityType::as_str),
    );
    out.plain("id", node.id);
    out.optional_text("key_id", node.key.as_ref().map(crate::EntityKey::id));
    out.optional_text(
        "key_system",
        node.key.as_ref().map(crate::EntityKey::system),
    );
    out.plain("last_accessed_at", node.last_accessed_at);
    out.json("metadata", &node.metadata);
    out.optional_text("name", node.name.as_deref());
    out.text("summary", &node.summary);
    out.texts("tags", node.tags.iter().map(String::as_str));
    out.text("tenant_id", node.tenant_id.as_str());
    out.integer("update_count", node.update_count);
    out.plain("updated_at", node.updated_at);
}

fn encode_relationship(out: &mut ObjectEncoder<'_>, relationship: &Relationship) {
    out.plain("created_at", relationship.created_at);
    out.boolean("directed", relationship.directed);
    out.plain("from", relationship.from);
    out.plain("id", relationship.id);
    out.text("kind", relationship.kind.as_str());
    out.text("label", &relationship.label);
    out.plain("last_reinforced_at", relationship.last_reinforced_at);
    out.json("metadata", &relationship.metadata);
    out.double("strength", relationship.strength);
    out.text("tenant_id", relationship.tenant_id.as_str());
    out.plain("to", relationship.to);
}

#[cfg(test)]
mod tests {
    use super::{Record, RecordKind};
    use crate::{JsonObject, Message, MessageId, Role, SessionId, TenantId, Timestamp};
    use uuid::Uuid;

    fn message() -> Message {
        Message {
            tenant_id: TenantId::new("ada").unwrap(),
            id: MessageId::from_uuid(Uuid::from_u128(1)),
            session_id: SessionId::from_uuid(Uuid::from_u128(2)),
            number: 3,
            role: Role::USER,
            content: "안녕 \"you\"".into(),
            metadata: JsonObject::from_iter([("a".into(), 0.5.into())]),
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_canonical_encoding_never_changes() {
        assert_eq!(
            Record::Message(message()).canonical(),
            concat!(
                r#"messages{"content":"안녕 \"you\"","created_at":"1970-01-01T00:00:00.000000Z","#,
                r#""id":"00000000-0000-0000-0000-000000000001","metadata":{"a":d3fe0000000000000},"#,
                r#""number":3,"role":"user","session_id":"00000000-0000-0000-0000-000000000002","#,
                r#""tenant_id":"ada"}"#
            )
        );
    }

    #[test]
    fn a_microsecond_changes_the_digest() {
        let record = Record::Message(message());
        let mut later = message();
        later.created_at = Timestamp::from_micros(1).unwrap();
        assert_ne!(record.digest(), Record::Message(later).digest());
        assert_eq!(record.digest(), Record::Message(message()).digest());
    }

    #[test]
    fn every_kind_reads_back() {
        for kind in RecordKind::ALL {
            assert_eq!(kind.table().parse::<RecordKind>().unwrap(), kind);
        }
    }
}
