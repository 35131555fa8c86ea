use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::limits::{COMPOUND_MEMBERS, KEY_TEXT_BYTES};
use crate::{CompoundId, Digest, InvalidInput, NodeId, TenantId, Timestamp, key_text};

/// Concepts that occur together, and how often. It is deleted with any of its members, as a
/// relationship is with either of its ends: what it says is about all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compound {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id, unique within the tenant.
    pub id: CompoundId,
    /// Its name, unique within the tenant.
    pub name: String,
    /// The nodes that occur together, at least two.
    pub members: BTreeSet<NodeId>,
    /// How often they did; starts at 1.
    pub occurrences: i64,
    /// When they did last.
    pub last_seen_at: Timestamp,
}

impl Compound {
    /// Where a listing goes on after this compound.
    pub fn cursor(&self) -> CompoundCursor {
        CompoundCursor {
            occurrences: self.occurrences,
            id: self.id,
        }
    }

    /// Counts one more occurrence. Members that are not in it yet are added.
    pub fn occur(&mut self, members: &BTreeSet<NodeId>, at: Timestamp) {
        self.members.extend(members);
        self.occurrences += 1;
        self.last_seen_at = self.last_seen_at.max(at);
    }
}

/// Concepts that occurred together once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCompound {
    /// Made by the caller; kept if the compound is new.
    pub id: CompoundId,
    /// The name, by which the compound is known again.
    pub name: String,
    /// The nodes, at least two and at most 64.
    pub members: BTreeSet<NodeId>,
}

impl NewCompound {
    /// A compound of that name with a new id.
    pub fn new(name: impl Into<String>, members: impl IntoIterator<Item = NodeId>) -> NewCompound {
        NewCompound {
            id: CompoundId::generate(),
            name: name.into(),
            members: members.into_iter().collect(),
        }
    }

    /// A compound that is named after its concepts, given as nodes and their names, in whatever
    /// order: the names lower-cased, sorted and joined by ` + `. One that is over 512 bytes is cut,
    /// and ends in a digest.
    pub fn of<'n>(concepts: impl IntoIterator<Item = (NodeId, &'n str)>) -> NewCompound {
        let (members, names): (Vec<NodeId>, Vec<&str>) = concepts.into_iter().unzip();
        NewCompound::new(NewCompound::name_of(names), members)
    }

    /// The name of a compound of concepts of these names, as [`NewCompound::of`] gives it.
    pub fn name_of<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
        let mut names: Vec<String> = names.into_iter().map(str::to_lowercase).collect();
        names.sort();
        let name = names.join(" + ");
        if name.len() <= KEY_TEXT_BYTES {
            return name;
        }
        let digest = Digest::of(name.as_bytes()).to_string();
        let tail = format!("… {}", &digest[..DIGEST_DIGITS]);
        let end = name.floor_char_boundary(KEY_TEXT_BYTES - tail.len());
        format!("{}{tail}", &name[..end])
    }

    /// Sets the id, for an import.
    pub fn with_id(mut self, id: CompoundId) -> NewCompound {
        self.id = id;
        self
    }

    /// Checks the name and how many members there are.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(self) -> Result<NewCompound, InvalidInput> {
        key_text("name", &self.name)?;
        let count = self.members.len();
        if !(2..=COMPOUND_MEMBERS).contains(&count) {
            let problem = format!("give 2 to {COMPOUND_MEMBERS} different nodes");
            let given = format!("{count} nodes");
            return Err(InvalidInput::new("members", given, problem));
        }
        Ok(self)
    }

    /// The compound that stands when there was none before.
    pub fn into_compound(self, tenant_id: TenantId, at: Timestamp) -> Compound {
        Compound {
            tenant_id,
            id: self.id,
            name: self.name,
            members: self.members,
            occurrences: 1,
            last_seen_at: at,
        }
    }
}

/// How many digits of a digest tell names apart that were cut.
const DIGEST_DIGITS: usize = 16;

/// Which compounds a listing gives: those that meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompoundFilter {
    /// Only the compound of this name.
    pub name: Option<String>,
    /// Only compounds that have this member.
    pub member: Option<NodeId>,
    /// Only compounds that come after this place.
    pub after: Option<CompoundCursor>,
}

impl CompoundFilter {
    /// Checks the name.
    ///
    /// # Errors
    /// The name must be a key text.
    pub fn validated(self) -> Result<CompoundFilter, InvalidInput> {
        if let Some(name) = &self.name {
            key_text("name", name)?;
        }
        Ok(self)
    }
}

/// A place in the listing of compounds: most frequent first, then the greater id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompoundCursor {
    /// The last compound's number of occurrences.
    pub occurrences: i64,
    /// The last compound's id.
    pub id: CompoundId,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::NewCompound;
    use crate::NodeId;

    fn node(n: u128) -> NodeId {
        NodeId::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn a_compound_is_named_after_its_concepts_in_any_order() {
        let one = NewCompound::of([(node(2), "Rust"), (node(1), "async")]);
        let other = NewCompound::of([(node(1), "Async"), (node(2), "RUST")]);
        assert_eq!(one.name, "async + rust");
        assert_eq!((&one.name, &one.members), (&other.name, &other.members));
    }

    #[test]
    fn a_long_name_is_cut_and_still_tells_compounds_apart() {
        let (x, y) = ("é".repeat(256), "y".repeat(512));
        let one = NewCompound::name_of([x.as_str(), "a"]);
        let other = NewCompound::name_of([x.as_str(), y.as_str(), "a"]);
        assert!(one.len() <= 512 && other.len() <= 512);
        assert!(one.starts_with("a + é") && one.contains("… "));
        assert_ne!(one, other);
        assert_eq!(NewCompound::name_of([&y[..509], ""]).len(), 512);
    }

    #[test]
    fn a_compound_has_2_to_64_members() {
        let new = |count: u128| NewCompound::new("n", (0..count).map(node));
        assert!(new(2).validated().is_ok());
        assert!(new(64).validated().is_ok());
        for count in [0, 1, 65] {
            assert_eq!(new(count).validated().unwrap_err().field, "members");
        }
        let nameless = NewCompound::new("", [node(1), node(2)]);
        assert_eq!(nameless.validated().unwrap_err().field, "name");
    }
}
