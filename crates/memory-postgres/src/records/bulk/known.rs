//! What a run wrote so far, in place of the indexes that would know it.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

use memory_domain::{Record, RecordKey, RecordKind};

/// The keys and unique keys of records, each as 64 bits of a hash that nobody can aim at.
///
/// If a record is not in it, it was not written: nothing is ever missing. That something is in it
/// which was not written happens less than once in 700,000 transfers of the most keys. Where it is a
/// record's own key, the database looks; where it is a reference, it is found out when the constraints
/// go back.
pub(super) struct Known {
    keys: HashSet<u64, BuildHasherDefault<AsItIs>>,
    hasher: RandomState,
    most: usize,
}

/// What is to be done about a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing is in its way.
    New,
    /// What it refers to is not there.
    Missing(RecordKey),
    /// Its id or unique key was written, or there are too many to know: the database must look.
    Unclear,
}

/// The most keys that are known, before the database has to. The table of so many takes 75 MB, and
/// half as much again while it grows.
const MOST: usize = 7_000_000;

impl Known {
    pub(super) fn new() -> Known {
        Known::at_most(MOST)
    }

    fn at_most(most: usize) -> Known {
        Known {
            keys: HashSet::default(),
            hasher: RandomState::new(),
            most,
        }
    }

    /// Looks at a record, and knows it from then on if nothing is in its way.
    pub(super) fn take(&mut self, record: &Record) -> Verdict {
        let hash = |key: &RecordKey| self.hasher.hash_one(key);
        let id = hash(&record.key());
        if self.keys.len() >= self.most || self.keys.contains(&id) {
            return Verdict::Unclear;
        }
        let mut references = record.references().into_iter();
        if let Some(missing) = references.find(|key| !self.keys.contains(&hash(key))) {
            return Verdict::Missing(missing);
        }
        let unique = record.unique_key();
        let unique = unique.map(|key| (record.kind(), record.tenant_id(), key));
        let unique = unique.map(|key| self.hasher.hash_one(key));
        if unique.is_some_and(|key| self.keys.contains(&key)) {
            return Verdict::Unclear;
        }
        self.keys.insert(id);
        self.keys.extend(unique);
        Verdict::New
    }
}

/// What was hashed is not hashed again.
#[derive(Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are numbers of 64 bits");
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// How the reference to something missing is told.
pub(super) fn told(key: &RecordKey) -> String {
    match (key.kind, key.id) {
        (RecordKind::Tenant, _) | (_, None) => format!("{} {}", key.kind.noun(), key.tenant_id),
        (kind, Some(id)) => format!("{} {id}", kind.noun()),
    }
}

#[cfg(test)]
mod tests {
    use memory_domain::{EntityType, NewNode};
    use memory_domain::{
        JsonObject, NewRelationship, Node, NodeId, Record, RelationshipKind, Tenant, TenantId,
        Timestamp,
    };
    use uuid::Uuid;

    use super::{Known, Verdict, told};

    fn ada() -> TenantId {
        TenantId::new("ada").unwrap()
    }

    fn tenant() -> Record {
        Record::Tenant(Tenant {
            id: ada(),
            created_at: Timestamp::UNIX_EPOCH,
            last_active_at: Timestamp::UNIX_EPOCH,
            metadata: JsonObject::new(),
        })
    }

    fn node(id: u128, name: &str) -> Record {
        let node: Node = NewNode::entity(EntityType::FILE, name)
            .unwrap()
            .with_id(NodeId::from_uuid(Uuid::from_u128(id)))
            .into_node(ada(), Timestamp::UNIX_EPOCH);
        Record::Node(node)
    }

    fn link(from: u128, to: u128) -> Record {
        let end = |id| NodeId::from_uuid(Uuid::from_u128(id));
        let link = NewRelationship::new(end(from), RelationshipKind::LED_TO, end(to));
        Record::Relationship(link.into_relationship(ada(), Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn what_comes_again_by_id_or_key_is_unclear_and_what_is_referred_to_must_be_there() {
        let mut known = Known::new();
        let Verdict::Missing(missing) = known.take(&node(1, "a")) else {
            panic!("its tenant is not there");
        };
        assert_eq!(told(&missing), "tenant ada");
        assert_eq!(known.take(&tenant()), Verdict::New);
        assert_eq!(known.take(&tenant()), Verdict::Unclear);
        assert_eq!(known.take(&node(1, "a")), Verdict::New);
        assert_eq!(known.take(&node(1, "b")), Verdict::Unclear);
        assert_eq!(known.take(&node(2, "a")), Verdict::Unclear);
        // What was refused is not there.
        assert_eq!(known.take(&node(2, "b")), Verdict::New);
        assert_eq!(known.take(&link(1, 2)), Verdict::New);
        assert_eq!(known.take(&link(1, 2)), Verdict::Unclear);
        let Verdict::Missing(missing) = known.take(&link(2, 3)) else {
            panic!("one end is not there");
        };
        assert_eq!(told(&missing), "node 00000000-0000-0000-0000-000000000003");
    }

    #[test]
    fn no_more_is_known_than_there_is_room_for() {
        let mut known = Known::at_most(3);
        assert_eq!(known.take(&tenant()), Verdict::New);
        assert_eq!(known.take(&node(1, "a")), Verdict::New);
        assert_eq!(known.take(&node(2, "b")), Verdict::Unclear);
    }
}
