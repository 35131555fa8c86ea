//! Missions: pieces of work that an assistant was sent on, what they cost and how they ended.

use serde::{Deserialize, Serialize};

use crate::{
    EntityKey, EntityType, InvalidInput, JsonObject, MissionId, MissionStatus, NewNode, NodeId,
    TenantId, Timestamp, finite, key_text, label_text, normalise_json,
};

/// A piece of work that an assistant was sent on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mission {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id, unique within the tenant.
    pub id: MissionId,
    /// The id that the world outside knows, unique within the tenant.
    pub key: String,
    /// How it ended.
    pub status: MissionStatus,
    /// The field of work.
    pub domain: Option<String>,
    /// What it cost, in US dollars.
    pub cost_usd: Option<f64>,
    /// How many rounds it took.
    pub iterations: Option<i64>,
    /// How long it took, in seconds.
    pub duration_seconds: Option<f64>,
    /// How many files it modified.
    pub files_modified: Option<i64>,
    /// What the application keeps about it.
    pub metadata: JsonObject,
    /// When it was first logged.
    pub created_at: Timestamp,
}

impl Mission {
    /// Where a listing goes on after this mission.
    pub fn cursor(&self) -> MissionCursor {
        MissionCursor {
            created_at: self.created_at,
            id: self.id,
        }
    }
}

/// A mission to be logged. The key is unique: what is logged under a known one replaces what was
/// known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMission {
    /// Made by the caller; kept if the key is new.
    pub id: MissionId,
    /// The id that the world outside knows; a key text.
    pub key: String,
    /// How it ended.
    pub status: MissionStatus,
    /// The field of work; up to 512 bytes.
    pub domain: Option<String>,
    /// What it cost, in US dollars; stored to the bit.
    pub cost_usd: Option<f64>,
    /// How many rounds it took.
    pub iterations: Option<i64>,
    /// How long it took, in seconds; stored to the bit.
    pub duration_seconds: Option<f64>,
    /// How many files it modified.
    pub files_modified: Option<i64>,
    /// What the application keeps about it.
    pub metadata: JsonObject,
    /// The id that its node in the graph gets, if it is to have one and has none yet.
    pub node: Option<NodeId>,
}

impl NewMission {
    /// A mission with a new id, of which nothing more is known.
    pub fn new(key: impl Into<String>, status: MissionStatus) -> NewMission {
        NewMission {
            id: MissionId::generate(),
            key: key.into(),
            status,
            domain: None,
            cost_usd: None,
            iterations: None,
            duration_seconds: None,
            files_modified: None,
            metadata: JsonObject::new(),
            node: None,
        }
    }

    /// Sets the id, for a retry or an import.
    pub fn with_id(mut self, id: MissionId) -> NewMission {
        self.id = id;
        self
    }

    /// Sets the field of work.
    pub fn with_domain(mut self, domain: impl Into<String>) -> NewMission {
        self.domain = Some(domain.into());
        self
    }

    /// Sets what it cost, in US dollars.
    pub fn with_cost_usd(mut self, cost: f64) -> NewMission {
        self.cost_usd = Some(cost);
        self
    }

    /// Sets how long it took, in seconds.
    pub fn with_duration_seconds(mut self, seconds: f64) -> NewMission {
        self.duration_seconds = Some(seconds);
        self
    }

    /// Sets the metadata.
    pub fn with_metadata(mut self, metadata: JsonObject) -> NewMission {
        self.metadata = metadata;
        self
    }

    /// Gives it a node in the graph, with the key (`mission`, key), unless it has one.
    pub fn with_node(mut self, node: NodeId) -> NewMission {
        self.node = Some(node);
        self
    }

    /// Checks and normalises every field.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(mut self) -> Result<NewMission, InvalidInput> {
        key_text("key", &self.key)?;
        if let Some(domain) = &self.domain {
            label_text("domain", domain)?;
        }
        let number = |field, number: Option<f64>| number.map(|n| finite(field, n)).transpose();
        self.cost_usd = number("cost_usd", self.cost_usd)?;
        self.duration_seconds = number("duration_seconds", self.duration_seconds)?;
        normalise_json("metadata", &mut self.metadata)?;
        Ok(self)
    }

    /// The mission that stands when the key was not known before.
    pub fn into_mission(self, tenant_id: TenantId, at: Timestamp) -> Mission {
        Mission {
            tenant_id,
            id: self.id,
            key: self.key,
            status: self.status,
            domain: self.domain,
            cost_usd: self.cost_usd,
            iterations: self.iterations,
            duration_seconds: self.duration_seconds,
            files_modified: self.files_modified,
            metadata: self.metadata,
            created_at: at,
        }
    }

    /// The node that it is to have in the graph.
    ///
    /// # Errors
    /// The key must be a key text.
    pub fn new_node(&self) -> Result<Option<NewNode>, InvalidInput> {
        self.node
            .map(|id| Ok(NewNode::entity(EntityType::MISSION, self.key.clone())?.with_id(id)))
            .transpose()
    }
}

/// The key that a mission's node has in the graph.
///
/// # Errors
/// The key of the mission must be a key text.
pub fn mission_node_key(key: &str) -> Result<EntityKey, InvalidInput> {
    EntityKey::new(EntityType::MISSION.as_str(), key)
}

/// Which missions a listing gives: those that meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MissionFilter {
    /// Only missions that ended so.
    pub status: Option<MissionStatus>,
    /// Only missions of this field of work.
    pub domain: Option<String>,
    /// Only missions logged at this moment or later.
    pub created_from: Option<Timestamp>,
    /// Only missions logged at this moment or earlier.
    pub created_to: Option<Timestamp>,
    /// Only missions that come after this place.
    pub after: Option<MissionCursor>,
}

impl MissionFilter {
    /// Checks every condition.
    ///
    /// # Errors
    /// The first condition that is refused.
    pub fn validated(self) -> Result<MissionFilter, InvalidInput> {
        if let Some(domain) = &self.domain {
            label_text("domain", domain)?;
        }
        Ok(self)
    }
}

/// A place in the listing of missions: newest first, then the greater id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissionCursor {
    /// When the last mission was first logged.
    pub created_at: Timestamp,
    /// The last mission's id.
    pub id: MissionId,
}

#[cfg(test)]
mod tests {
    use super::NewMission;
    use crate::{MissionStatus, NodeId};

    fn new(key: &str) -> NewMission {
        NewMission::new(key, MissionStatus::SUCCESS)
    }

    #[test]
    fn key_and_domain_have_at_most_512_bytes() {
        assert_eq!(new("").validated().unwrap_err().field, "key");
        assert!(new(&"x".repeat(513)).validated().is_err());
        let long = new(&"x".repeat(512)).with_domain("x".repeat(512));
        assert!(long.validated().is_ok());
        let longer = new("k").with_domain("x".repeat(513));
        assert_eq!(longer.validated().unwrap_err().field, "domain");
    }

    #[test]
    fn costs_and_durations_are_finite() {
        let refused = new("k").with_cost_usd(f64::NAN).validated();
        assert_eq!(refused.unwrap_err().field, "cost_usd");
        let refused = new("k").with_duration_seconds(f64::INFINITY).validated();
        assert_eq!(refused.unwrap_err().field, "duration_seconds");
        let zero = new("k").with_cost_usd(-0.0).validated().unwrap();
        assert!(zero.cost_usd.unwrap().is_sign_positive());
    }

    #[test]
    fn its_node_has_the_key_of_the_mission() {
        let id = NodeId::generate();
        let node = new("m-1").with_node(id).new_node().unwrap().unwrap();
        let key = node.key.unwrap();
        assert_eq!((key.system(), key.id(), node.id), ("mission", "m-1", id));
        assert_eq!(new("m-1").new_node().unwrap(), None);
    }
}
