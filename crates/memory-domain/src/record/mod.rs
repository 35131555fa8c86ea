//! Whole records of every kind: their keys, canonical encoding and digests.

mod activity;
mod check;
mod conversations;
mod goals;
mod graph;
mod learning;
mod missions;
mod patches;
mod tasks;
mod tenants;

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::canonical::ObjectEncoder;
use crate::{
    AgencySnapshot, AuditEvent, Compound, Decision, Digest, Feedback, FileSnapshot, Goal,
    InvalidInput, LearnedTurn, Message, Mission, Node, PatchRequest, Relationship, Session, Task,
    Tenant, TenantId,
};

/// Defines the kinds of records with the list of all of them.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident in $table:literal)*) => {
        /// A kind of record, in the order in which records must be written: what is referred to
        /// first.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum RecordKind {
            $(
                #[doc = concat!("A [`", stringify!($kind), "`].")]
                $kind,
            )*
        }

        impl RecordKind {
            /// Every kind, in the order in which records must be written.
            pub const ALL: [RecordKind; [$($table),*].len()] = [$(RecordKind::$kind),*];

            /// The name of its table.
            pub const fn table(self) -> &'static str {
                match self {
                    $(RecordKind::$kind => $table,)*
                }
            }

            /// What it is called in a message: `session`.
            pub fn noun(self) -> &'static str {
                match self {
                    $(RecordKind::$kind => $kind::NOUN,)*
                }
            }

            /// What its records refer to: the column that names it, and its kind. A record that
            /// refers to another one than its tenant has the same tenant by that.
            pub fn references(self) -> &'static [(&'static str, RecordKind)] {
                match self {
                    $(RecordKind::$kind => $kind::REFERENCES,)*
                }
            }
        }

        /// One stored thing of any kind, whole: what transfers carry and digests cover.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "record", rename_all = "snake_case")]
        pub enum Record {
            $($(#[$doc])* $kind($kind),)*
        }

        impl Record {
            /// What kind of record it is.
            pub const fn kind(&self) -> RecordKind {
                match self {
                    $(Record::$kind(_) => RecordKind::$kind,)*
                }
            }

            fn entity(&self) -> &dyn Entity {
                match self {
                    $(Record::$kind(entity) => entity,)*
                }
            }
        }

        $(
            impl From<$kind> for Record {
                fn from(entity: $kind) -> Record {
                    Record::$kind(entity)
                }
            }

            impl TryFrom<Record> for $kind {
                type Error = Record;

                /// Gives the record back if it is of another kind.
                fn try_from(record: Record) -> Result<$kind, Record> {
                    match record {
                        Record::$kind(entity) => Ok(entity),
                        other => Err(other),
                    }
                }
            }
        )*
    };
}

kinds! {
    /// A tenant.
    Tenant in "tenants"
    /// A conversation.
    Session in "sessions"
    /// A message.
    Message in "messages"
    /// A node of the graph.
    Node in "nodes"
    /// A relationship of the graph.
    Relationship in "relationships"
    /// Concepts that occur together.
    Compound in "compounds"
    /// A turn that was learned.
    LearnedTurn in "turns"
    /// Feedback on an answer.
    Feedback in "feedback"
    /// A decision.
    Decision in "decisions"
    /// An audit event.
    AuditEvent in "audit_events"
    /// Work that is queued.
    Task in "tasks"
    /// A mission.
    Mission in "missions"
    /// A snapshot of a file.
    FileSnapshot in "file_snapshots"
    /// A patch request.
    PatchRequest in "patch_requests"
    /// A goal.
    Goal in "goals"
    /// A snapshot of agency.
    AgencySnapshot in "agency_snapshots"
}

/// What a kind of record says of itself.
trait Kind {
    const NOUN: &'static str;
    const REFERENCES: &'static [(&'static str, RecordKind)] = &[("tenant_id", RecordKind::Tenant)];
}

/// What is stored under a key, and goes into digests.
trait Entity {
    fn tenant_id(&self) -> &TenantId;

    /// Its id within the tenant; `None` for the tenant itself.
    fn id(&self) -> Option<Uuid>;

    /// The keys of what it refers to, in the order of [`Kind::REFERENCES`].
    fn references(&self) -> Vec<RecordKey> {
        vec![RecordKey {
            kind: RecordKind::Tenant,
            tenant_id: self.tenant_id().clone(),
            id: None,
        }]
    }

    /// What no other record of its kind and tenant may have, beside the id.
    fn unique_key(&self) -> Option<UniqueKey<'_>> {
        None
    }

    /// Refuses what no verb would have stored, beyond what holds for every kind.
    fn check(&self) -> Result<(), InvalidInput> {
        Ok(())
    }

    /// Every field, sorted by name.
    fn encode(&self, out: &mut ObjectEncoder<'_>);
}

/// The key of what has a tenant and an id of its own.
macro_rules! keyed {
    () => {
        fn tenant_id(&self) -> &crate::TenantId {
            &self.tenant_id
        }

        fn id(&self) -> Option<uuid::Uuid> {
            Some(self.id.uuid())
        }
    };
}
use keyed;

/// What no other record of a kind and a tenant may have, beside the id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UniqueKey<'a> {
    /// The columns, with their values.
    pub columns: Vec<(&'static str, KeyPart<'a>)>,
    /// What there is to say if another record has it.
    pub taken: &'static str,
}

/// The value of one column of a unique key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPart<'a> {
    /// A text.
    Text(&'a str),
    /// An id.
    Id(Uuid),
    /// A number.
    Integer(i64),
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

impl Record {
    /// Whose it is.
    pub fn tenant_id(&self) -> &TenantId {
        self.entity().tenant_id()
    }

    /// Its kind, tenant and id.
    pub fn key(&self) -> RecordKey {
        RecordKey {
            kind: self.kind(),
            tenant_id: self.tenant_id().clone(),
            id: self.entity().id(),
        }
    }

    /// The keys of what must be there before it: what it refers to, in the order of
    /// [`RecordKind::references`].
    pub fn references(&self) -> Vec<RecordKey> {
        self.entity().references()
    }

    /// What no other record of its kind and tenant may have beside the id, if it has such a key.
    pub fn unique_key(&self) -> Option<UniqueKey<'_>> {
        self.entity().unique_key()
    }

    /// Refuses what no verb would have stored: for records that come from where anybody may have
    /// written them. What carries a rule in its type is valid already.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn check(&self) -> Result<(), InvalidInput> {
        check::check_fields(self)?;
        self.entity().check()
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
        self.entity().encode(&mut encoder);
        encoder.end();
        out
    }
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
