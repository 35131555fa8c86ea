use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::NewCompound;
use crate::canonical::ObjectEncoder;
use crate::limits::{BATCH_MAX, TURN_CONCEPTS, TURN_DECISIONS};
use crate::{
    CompoundId, ContextType, DecisionId, Digest, EntityKey, EntityType, InvalidInput, NewDecision,
    NewMessage, NewNode, NodeId, Reinforcement, RelationshipId, SessionId, TenantId, Timestamp,
    TurnId,
};

/// One turn of a conversation, with what there is to be learned from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Made by the caller, so that a retry is the same turn, which counts once.
    pub id: TurnId,
    /// The conversation, which is created without a title if it is not there.
    pub session: SessionId,
    /// What was said, at most 1,000 messages.
    pub messages: Vec<NewMessage>,
    /// What it was about, at most 64 concepts.
    pub concepts: Vec<Concept>,
    /// What was settled in it, at most 64 decisions.
    pub decisions: Vec<TurnDecision>,
    /// How much strength the attention between each two concepts gains, from 0 to 1, by default
    /// 0.1; see [`Reinforcement`].
    pub step: f64,
    /// What remains of that strength after a day, over 0 and up to 1, by default 0.95.
    pub decay: f64,
}

/// Something that a turn is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concept {
    /// What it is called. It is known again by this, whatever the case.
    pub name: String,
    /// What kind of thing it is, by default [`EntityType::CONCEPT`].
    pub entity_type: EntityType,
}

impl Concept {
    /// An idea or topic.
    pub fn new(name: impl Into<String>) -> Concept {
        Concept {
            name: name.into(),
            entity_type: EntityType::CONCEPT,
        }
    }

    /// Says what kind of thing it is.
    pub fn of_type(mut self, entity_type: EntityType) -> Concept {
        self.entity_type = entity_type;
        self
    }

    /// The key of its node: the type, and the name lower-cased.
    ///
    /// # Errors
    /// The name must be a key text.
    pub fn key(&self) -> Result<EntityKey, InvalidInput> {
        EntityKey::new(self.entity_type.as_str(), self.name.to_lowercase())
    }
}

/// Something that was settled in a turn: a decision of the turn's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnDecision {
    /// What was decided.
    pub text: String,
    /// What it was about.
    pub context: Option<String>,
    /// The words from which it was taken.
    pub extracted_from: Option<String>,
}

impl TurnDecision {
    /// A decision with nothing but its text.
    pub fn new(text: impl Into<String>) -> TurnDecision {
        TurnDecision {
            text: text.into(),
            context: None,
            extracted_from: None,
        }
    }

    /// Sets what it was about.
    pub fn with_context(mut self, context: impl Into<String>) -> TurnDecision {
        self.context = Some(context.into());
        self
    }

    /// Sets the words from which it was taken.
    pub fn with_extracted_from(mut self, words: impl Into<String>) -> TurnDecision {
        self.extracted_from = Some(words.into());
        self
    }
}

impl Turn {
    /// A turn of a conversation with a new id, in which nothing was said.
    pub fn new(session: SessionId) -> Turn {
        // The defaults of a single step.
        let nil = NodeId::from_uuid(Uuid::nil());
        let Reinforcement { step, decay, .. } = Reinforcement::new(nil, nil);
        Turn {
            id: TurnId::generate(),
            session,
            messages: Vec::new(),
            concepts: Vec::new(),
            decisions: Vec::new(),
            step,
            decay,
        }
    }

    /// Sets the id, for a retry.
    pub fn with_id(mut self, id: TurnId) -> Turn {
        self.id = id;
        self
    }

    /// Adds a message.
    pub fn saying(mut self, message: NewMessage) -> Turn {
        self.messages.push(message);
        self
    }

    /// Adds a concept.
    pub fn about(mut self, concept: Concept) -> Turn {
        self.concepts.push(concept);
        self
    }

    /// Adds a decision.
    pub fn deciding(mut self, decision: TurnDecision) -> Turn {
        self.decisions.push(decision);
        self
    }

    /// Checks and normalises every field, and says what the turn writes.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn plan(self) -> Result<TurnPlan, InvalidInput> {
        if self.messages.len() > BATCH_MAX {
            let problem = format!("append at most {BATCH_MAX} messages at once");
            return Err(InvalidInput::new("messages", self.messages.len(), problem));
        }
        if self.concepts.len() > TURN_CONCEPTS {
            let problem = format!("a turn has at most {TURN_CONCEPTS} concepts");
            return Err(InvalidInput::new("concepts", self.concepts.len(), problem));
        }
        if self.decisions.len() > TURN_DECISIONS {
            let problem = format!("a turn has at most {TURN_DECISIONS} decisions");
            return Err(InvalidInput::new(
                "decisions",
                self.decisions.len(),
                problem,
            ));
        }
        let messages = self.messages.into_iter().map(NewMessage::validated);
        let messages = messages.collect::<Result<Vec<_>, _>>()?;
        // Checked as each step will be, between whichever nodes.
        let [a, b] = [0, 1].map(|n| NodeId::from_uuid(Uuid::from_u128(n)));
        let Reinforcement { step, decay, .. } = Reinforcement::new(a, b)
            .with_step(self.step)
            .with_decay(self.decay)
            .validated()?;
        let mut plan = TurnPlan {
            id: self.id,
            digest: Digest::of(&[]),
            session: self.session,
            messages,
            concepts: concepts(self.id, self.concepts)?,
            decisions: decisions(self.id, self.session, self.decisions)?,
            compound: None,
            step,
            decay,
        };
        if plan.concepts.len() > 1 {
            let names = plan.concepts.iter().filter_map(|node| node.name.as_deref());
            let id = CompoundId::from_uuid(derived(self.id, "compound"));
            plan.compound = Some((id, NewCompound::name_of(names)));
        }
        plan.digest = plan.digest();
        Ok(plan)
    }
}

/// The nodes of concepts, each key once: the first of a key gives the name.
fn concepts(turn: TurnId, concepts: Vec<Concept>) -> Result<Vec<NewNode>, InvalidInput> {
    let mut known = HashSet::with_capacity(concepts.len());
    let mut nodes = Vec::with_capacity(concepts.len());
    for concept in concepts {
        let key = concept.key()?;
        if known.insert(key.clone()) {
            let id = NodeId::from_uuid(derived(turn, &format!("node {}", nodes.len())));
            let mut node = NewNode::new(ContextType::DomainEntity)
                .with_id(id)
                .with_key(key);
            node.entity_type = Some(concept.entity_type);
            node.name = Some(concept.name);
            nodes.push(node.validated()?);
        }
    }
    Ok(nodes)
}

/// The decisions, each by its place, so that the same words may be settled twice.
fn decisions(
    turn: TurnId,
    session: SessionId,
    decisions: Vec<TurnDecision>,
) -> Result<Vec<NewDecision>, InvalidInput> {
    let new = decisions.into_iter().enumerate().map(|(place, decision)| {
        let id = DecisionId::from_uuid(derived(turn, &format!("decision {place}")));
        let mut new = NewDecision::new(decision.text).with_id(id);
        new.session_id = Some(session.to_string());
        new.context = decision.context;
        new.extracted_from = decision.extracted_from;
        new.validated()
    });
    new.collect()
}

/// An id for something that a turn makes, which a retry makes again.
fn derived(turn: TurnId, what: &str) -> Uuid {
    Uuid::new_v5(&turn.uuid(), what.as_bytes())
}

/// What a turn writes, checked and normalised, with the ids of what is new.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnPlan {
    /// The turn.
    pub id: TurnId,
    /// Tells another turn under the same id from a retry.
    pub digest: Digest,
    /// The conversation.
    pub session: SessionId,
    /// The messages to be appended.
    pub messages: Vec<NewMessage>,
    /// The nodes to be remembered, each with another key.
    pub concepts: Vec<NewNode>,
    /// The decisions to be recorded.
    pub decisions: Vec<NewDecision>,
    /// The id and the name of the compound of all concepts, if there are two at least.
    pub compound: Option<(CompoundId, String)>,
    /// How much strength each link gains.
    pub step: f64,
    /// What remains of a link's strength after a day.
    pub decay: f64,
}

impl TurnPlan {
    /// The links between each two concepts: their places in `concepts`, and the id if it is new.
    pub fn links(&self) -> impl Iterator<Item = (usize, usize, RelationshipId)> {
        let (turn, count) = (self.id, self.concepts.len());
        (0..count).flat_map(move |a| {
            (a + 1..count).map(move |b| {
                let id = derived(turn, &format!("link {a} {b}"));
                (a, b, RelationshipId::from_uuid(id))
            })
        })
    }

    /// What remains of the turn once it is learned; `concepts` are the nodes that stand.
    pub fn learned(
        &self,
        tenant_id: TenantId,
        concepts: Vec<NodeId>,
        at: Timestamp,
    ) -> LearnedTurn {
        LearnedTurn {
            tenant_id,
            id: self.id,
            digest: self.digest,
            concepts,
            learned_at: at,
        }
    }

    fn digest(&self) -> Digest {
        let mut out = String::new();
        for message in &self.messages {
            let mut encoder = ObjectEncoder::begin(&mut out);
            encoder.text("content", &message.content);
            encoder.plain("id", message.id);
            encoder.json("metadata", &message.metadata);
            encoder.text("role", message.role.as_str());
            encoder.end();
        }
        for concept in &self.concepts {
            let mut encoder = ObjectEncoder::begin(&mut out);
            let entity_type = concept.entity_type.as_ref().map(EntityType::as_str);
            encoder.optional_text("entity_type", entity_type);
            encoder.optional_text("name", concept.name.as_deref());
            encoder.end();
        }
        for decision in &self.decisions {
            let mut encoder = ObjectEncoder::begin(&mut out);
            encoder.optional_text("context", decision.context.as_deref());
            encoder.optional_text("extracted_from", decision.extracted_from.as_deref());
            encoder.text("text", &decision.text);
            encoder.end();
        }
        let mut encoder = ObjectEncoder::begin(&mut out);
        encoder.double("decay", self.decay);
        encoder.plain("session_id", self.session);
        encoder.double("step", self.step);
        encoder.end();
        Digest::of(out.as_bytes())
    }
}

/// A turn that was learned: it is kept so that it counts once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnedTurn {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id, unique within the tenant.
    pub id: TurnId,
    /// Tells another turn under the same id from a retry.
    pub digest: Digest,
    /// The nodes of its concepts, each once, in the order in which they were given.
    pub concepts: Vec<NodeId>,
    /// When it was learned.
    pub learned_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{Concept, Turn, TurnDecision};
    use crate::{EntityType, MessageId, NewMessage, SessionId, TurnId};

    fn turn() -> Turn {
        let message = NewMessage::user("About Rust").with_id(MessageId::from_uuid(Uuid::max()));
        Turn::new(SessionId::from_uuid(Uuid::nil()))
            .with_id(TurnId::from_uuid(Uuid::nil()))
            .saying(message)
            .about(Concept::new("Rust"))
            .about(Concept::new("async"))
            .about(Concept::new("RUST"))
            .about(Concept::new("rust").of_type(EntityType::FILE))
            .deciding(TurnDecision::new("Use tokio").with_context("runtime"))
    }

    #[test]
    fn concepts_are_known_by_type_and_lower_cased_name() {
        let plan = turn().plan().unwrap();
        let keys: Vec<String> = plan
            .concepts
            .iter()
            .map(|node| node.key.as_ref().unwrap().to_string())
            .collect();
        assert_eq!(keys, ["concept:rust", "concept:async", "file:rust"]);
        assert_eq!(plan.concepts[0].name.as_deref(), Some("Rust"));
        assert_eq!(plan.compound.unwrap().1, "async + rust + rust");
    }

    #[test]
    fn each_two_concepts_are_linked() {
        let plan = turn().plan().unwrap();
        let pairs: Vec<(usize, usize)> = plan.links().map(|(a, b, _)| (a, b)).collect();
        assert_eq!(pairs, [(0, 1), (0, 2), (1, 2)]);
        let mut alone = turn();
        alone.concepts.truncate(1);
        let plan = alone.plan().unwrap();
        assert_eq!((plan.links().count(), plan.compound), (0, None));
    }

    #[test]
    fn decisions_are_of_the_session_and_each_has_an_id_of_the_turn() {
        let plan = turn()
            .deciding(TurnDecision::new("Use tokio"))
            .plan()
            .unwrap();
        let [first, second] = &plan.decisions[..] else {
            panic!("{:?}", plan.decisions)
        };
        let nil = "00000000-0000-0000-0000-000000000000";
        assert_eq!(first.session_id.as_deref(), Some(nil));
        assert_eq!(first.context.as_deref(), Some("runtime"));
        assert_eq!(first.id.uuid().get_version_num(), 5);
        assert_ne!(first.id, second.id);
        assert_eq!(
            plan,
            turn()
                .deciding(TurnDecision::new("Use tokio"))
                .plan()
                .unwrap()
        );
    }

    #[test]
    fn a_retry_has_the_same_plan_and_another_turn_another_digest() {
        assert_eq!(turn().plan().unwrap(), turn().plan().unwrap());
        let digest = turn().plan().unwrap().digest;
        let mut others = vec![
            turn(),
            turn(),
            turn(),
            turn(),
            turn(),
            turn(),
            turn(),
            turn(),
        ];
        others[0].session = SessionId::from_uuid(Uuid::max());
        others[1].messages[0].content = "About rust".into();
        others[2].concepts.pop();
        others[3].step = 0.2;
        others[4].decay = 0.5;
        others[5].decisions.pop();
        others[6].decisions[0].context = None;
        others[7].decisions[0].extracted_from = Some("tokio then".into());
        for other in others {
            assert_ne!(other.plan().unwrap().digest, digest);
        }
    }

    #[test]
    fn what_breaks_a_rule_is_refused() {
        let refused = |turn: Turn| turn.plan().unwrap_err().field;
        let mut long = turn();
        long.concepts = (0..65).map(|n| Concept::new(n.to_string())).collect();
        assert_eq!(refused(long), "concepts");
        assert_eq!(refused(turn().about(Concept::new(""))), "key.id");
        let mut settled = turn();
        settled.decisions = vec![TurnDecision::new(""); 64];
        assert_eq!(settled.clone().plan().unwrap().decisions.len(), 64);
        settled.decisions.push(TurnDecision::new(""));
        assert_eq!(refused(settled), "decisions");
        let nul = TurnDecision::new("x").with_extracted_from("\0");
        assert_eq!(refused(turn().deciding(nul)), "extracted_from");
        let mut turn = turn();
        turn.step = 2.0;
        assert_eq!(refused(turn), "step");
    }
}
