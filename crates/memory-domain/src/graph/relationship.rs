use serde::{Deserialize, Serialize};

use super::RelationshipCursor;
use crate::limits::STRENGTH_DEFAULT;
use crate::{
    InvalidInput, JsonObject, NodeId, RelationshipId, RelationshipKind, TenantId, Timestamp,
    label_text, normalise_json, unit_interval,
};

/// How two nodes of one tenant are related. It is deleted with either of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relationship {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id, unique within the tenant.
    pub id: RelationshipId,
    /// Where it starts; the smaller id where it is undirected.
    pub from: NodeId,
    /// Where it ends; the greater id where it is undirected.
    pub to: NodeId,
    /// How the two are related.
    pub kind: RelationshipKind,
    /// Tells parallel relationships of one kind apart; usually empty.
    pub label: String,
    /// Whether it leads one way only.
    pub directed: bool,
    /// How strong it is, from 0 to 1.
    pub strength: f64,
    /// What the application keeps about it.
    pub metadata: JsonObject,
    /// When it was first recorded.
    pub created_at: Timestamp,
    /// When its strength was last set or reinforced.
    pub last_reinforced_at: Timestamp,
}

impl Relationship {
    /// Where a listing goes on after this relationship.
    pub fn cursor(&self) -> RelationshipCursor {
        RelationshipCursor {
            created_at: self.created_at,
            id: self.id,
        }
    }
}

/// A relationship to be recorded. (from, to, kind, label) is unique within a tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRelationship {
    /// Made by the caller; kept if the relationship is new.
    pub id: RelationshipId,
    /// Where it starts.
    pub from: NodeId,
    /// Where it ends.
    pub to: NodeId,
    /// How the two are related.
    pub kind: RelationshipKind,
    /// Tells parallel relationships of one kind apart; by default empty.
    pub label: String,
    /// Whether it leads one way only, which is the default.
    pub directed: bool,
    /// How strong it is, from 0 to 1, by default 1.
    pub strength: f64,
    /// What the application keeps about it.
    pub metadata: JsonObject,
}

impl NewRelationship {
    /// A directed relationship of full strength with a new id.
    pub fn new(from: NodeId, kind: RelationshipKind, to: NodeId) -> NewRelationship {
        NewRelationship {
            id: RelationshipId::generate(),
            from,
            to,
            kind,
            label: String::new(),
            directed: true,
            strength: STRENGTH_DEFAULT,
            metadata: JsonObject::new(),
        }
    }

    /// Sets the id, for an import.
    pub fn with_id(mut self, id: RelationshipId) -> NewRelationship {
        self.id = id;
        self
    }

    /// Sets the label.
    pub fn with_label(mut self, label: impl Into<String>) -> NewRelationship {
        self.label = label.into();
        self
    }

    /// Sets the strength, from 0 to 1.
    pub fn with_strength(mut self, strength: f64) -> NewRelationship {
        self.strength = strength;
        self
    }

    /// Sets the metadata.
    pub fn with_metadata(mut self, metadata: JsonObject) -> NewRelationship {
        self.metadata = metadata;
        self
    }

    /// Makes it lead both ways.
    pub fn undirected(mut self) -> NewRelationship {
        self.directed = false;
        self
    }

    /// Checks and normalises every field; an undirected one starts at the smaller id.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(mut self) -> Result<NewRelationship, InvalidInput> {
        label_text("label", &self.label)?;
        self.strength = unit_interval("strength", self.strength)?;
        normalise_json("metadata", &mut self.metadata)?;
        if !self.directed && self.to < self.from {
            std::mem::swap(&mut self.from, &mut self.to);
        }
        Ok(self)
    }

    /// The relationship that stands when there was none before.
    pub fn into_relationship(self, tenant_id: TenantId, at: Timestamp) -> Relationship {
        Relationship {
            tenant_id,
            id: self.id,
            from: self.from,
            to: self.to,
            kind: self.kind,
            label: self.label,
            directed: self.directed,
            strength: self.strength,
            metadata: self.metadata,
            created_at: at,
            last_reinforced_at: at,
        }
    }
}

/// One Hebbian step on the undirected relationship between two nodes: what fires together wires
/// together. The strength becomes `min(1, old × decay^days + step)`, where `days` have passed since
/// it was last reinforced; a new relationship starts at `step`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reinforcement {
    /// The id that the relationship gets if it is new.
    pub id: RelationshipId,
    /// The one node.
    pub a: NodeId,
    /// The other node.
    pub b: NodeId,
    /// The kind of relationship, by default [`RelationshipKind::ATTENTION`].
    pub kind: RelationshipKind,
    /// How much strength is added, from 0 to 1, by default 0.1.
    pub step: f64,
    /// What remains of the strength after a day, over 0 and up to 1, by default 0.95.
    pub decay: f64,
}

impl Reinforcement {
    /// A step of 0.1 with a decay of 0.95 a day on the attention between two nodes.
    pub fn new(a: NodeId, b: NodeId) -> Reinforcement {
        Reinforcement {
            id: RelationshipId::generate(),
            a,
            b,
            kind: RelationshipKind::ATTENTION,
            step: 0.1,
            decay: 0.95,
        }
    }

    /// Sets the step, from 0 to 1.
    pub fn with_step(mut self, step: f64) -> Reinforcement {
        self.step = step;
        self
    }

    /// Sets what remains after a day, over 0 and up to 1.
    pub fn with_decay(mut self, decay: f64) -> Reinforcement {
        self.decay = decay;
        self
    }

    /// Checks every field and puts the smaller id first.
    ///
    /// # Errors
    /// The first field that is refused; a node cannot be paired with itself.
    pub fn validated(mut self) -> Result<Reinforcement, InvalidInput> {
        self.step = unit_interval("step", self.step)?;
        self.decay = unit_interval("decay", self.decay)?;
        if self.decay == 0.0 {
            return Err(InvalidInput::new(
                "decay",
                self.decay,
                "give a number over 0, up to 1",
            ));
        }
        if self.a == self.b {
            return Err(InvalidInput::new("b", self.b, "give two different nodes"));
        }
        if self.b < self.a {
            std::mem::swap(&mut self.a, &mut self.b);
        }
        Ok(self)
    }

    /// The relationship that stands when there was none before.
    pub fn into_relationship(self, tenant_id: TenantId, at: Timestamp) -> Relationship {
        NewRelationship::new(self.a, self.kind, self.b)
            .with_id(self.id)
            .with_strength(self.step)
            .undirected()
            .into_relationship(tenant_id, at)
    }

    /// Reinforces a relationship that stands.
    pub fn apply(&self, relationship: &mut Relationship, at: Timestamp) {
        let days = at.days_since(relationship.last_reinforced_at);
        relationship.strength =
            (decayed_strength(relationship.strength, self.decay, days) + self.step).min(1.0);
        relationship.last_reinforced_at = relationship.last_reinforced_at.max(at);
    }
}

/// What remains of `strength` after `days`: `strength × decay^days`.
///
/// Where the power would leave the normal range of doubles (below about e⁻⁷⁰⁰) it is zero, because
/// PostgreSQL refuses an underflow.
pub fn decayed_strength(strength: f64, decay: f64, days: f64) -> f64 {
    if days * decay.ln() < -700.0 {
        0.0
    } else {
        strength * decay.powf(days)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{NewRelationship, Reinforcement, decayed_strength};
    use crate::{NodeId, RelationshipKind, TenantId, Timestamp};

    #[test]
    fn an_undirected_relationship_starts_at_the_smaller_id() {
        let (a, b) = (NodeId::generate(), NodeId::generate());
        let (smaller, greater) = (a.min(b), a.max(b));
        let new = NewRelationship::new(greater, RelationshipKind::ATTENTION, smaller).undirected();
        let new = new.validated().unwrap();
        assert_eq!((new.from, new.to), (smaller, greater));
    }

    #[test]
    fn a_directed_relationship_keeps_its_ends() {
        let (a, b) = (NodeId::generate(), NodeId::generate());
        let (smaller, greater) = (a.min(b), a.max(b));
        let new = NewRelationship::new(greater, RelationshipKind::LED_TO, smaller);
        assert_eq!(new.validated().unwrap().from, greater);
    }

    #[test]
    fn strength_stays_within_0_and_1() {
        let new = |strength| {
            NewRelationship::new(
                NodeId::generate(),
                RelationshipKind::LED_TO,
                NodeId::generate(),
            )
            .with_strength(strength)
            .validated()
        };
        assert!(new(1.0).is_ok());
        assert!(new(1.5).is_err());
        assert!(new(f64::NAN).is_err());
    }

    #[test]
    fn reinforcing_decays_first_and_then_adds() {
        let step = Reinforcement::new(NodeId::generate(), NodeId::generate())
            .with_step(0.25)
            .with_decay(0.5)
            .validated()
            .unwrap();
        let start = Timestamp::UNIX_EPOCH;
        let mut link = step
            .clone()
            .into_relationship(TenantId::new("t").unwrap(), start);
        assert!((link.strength - 0.25).abs() < 1e-12);
        step.apply(&mut link, start.after(Duration::from_hours(48)));
        assert!((link.strength - 0.3125).abs() < 1e-12);
        for _ in 0..9 {
            step.apply(&mut link, start);
        }
        assert!((link.strength - 1.0).abs() < 1e-12);
    }

    #[test]
    fn decay_never_underflows() {
        assert!(decayed_strength(1.0, 1e-300, 100.0) == 0.0);
        assert!((decayed_strength(1.0, 1.0, 1e9) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_node_is_not_paired_with_itself() {
        let node = NodeId::generate();
        assert_eq!(
            Reinforcement::new(node, node)
                .validated()
                .unwrap_err()
                .field,
            "b"
        );
    }
}
