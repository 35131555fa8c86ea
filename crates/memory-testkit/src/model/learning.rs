use std::cmp::Reverse;
use std::collections::BTreeMap;

use async_trait::async_trait;
use memory_domain::{
    Compound, CompoundFilter, Direction, LearnedTurn, Limit, NewCompound, NodeId, RecallTerms,
    Recalled, Reinforcement, Session, TenantId, Timestamp, Turn, TurnId, TurnPlan, compound_score,
    fold, path_weight,
};
use memory_storage::{LearningStore, StorageError};

use super::conversations::append_one;
use super::graph::{check_ends, other_end, reinforce_one, remember_one};
use super::{Belongings, Model, conflict, decisions, page};

#[async_trait]
impl LearningStore for Model {
    async fn record_compound(
        &self,
        tenant: &TenantId,
        compound: NewCompound,
        at: Timestamp,
    ) -> Result<Compound, StorageError> {
        let new = compound.validated()?;
        self.write(tenant, at, |own| record(own, new, at))
    }

    async fn compounds(
        &self,
        tenant: &TenantId,
        filter: CompoundFilter,
        limit: Limit,
    ) -> Result<Vec<Compound>, StorageError> {
        let filter = filter.validated()?;
        let meets = |compound: &&Compound| {
            filter
                .name
                .as_ref()
                .is_none_or(|name| *name == compound.name)
                && filter
                    .member
                    .is_none_or(|member| compound.members.contains(&member))
        };
        let after = filter
            .after
            .map(|after| (Reverse(after.occurrences), Reverse(after.id)));
        let listed = self.read(tenant, |own| {
            page(
                own.compounds.values().filter(meets).cloned(),
                |compound| (Reverse(compound.occurrences), Reverse(compound.id)),
                after,
                limit,
            )
        });
        Ok(listed.unwrap_or_default())
    }

    async fn learn(
        &self,
        tenant: &TenantId,
        turn: Turn,
        at: Timestamp,
    ) -> Result<LearnedTurn, StorageError> {
        let plan = turn.plan()?;
        self.write(tenant, at, |own| learn(own, &plan, at))
    }

    async fn turn(
        &self,
        tenant: &TenantId,
        id: TurnId,
    ) -> Result<Option<LearnedTurn>, StorageError> {
        let found = self.read(tenant, |own| own.turns.get(&id).cloned());
        Ok(found.flatten())
    }

    async fn recall(
        &self,
        tenant: &TenantId,
        text: &str,
        limit: Limit,
    ) -> Result<Vec<Recalled>, StorageError> {
        let terms = RecallTerms::of(text)?;
        let found = self.read(tenant, |own| recall(own, &terms));
        let order = |one: &Recalled| (Reverse(one.score.to_bits()), one.node.id);
        Ok(page(
            found.unwrap_or_default().into_iter(),
            order,
            None,
            limit,
        ))
    }
}

fn record(own: &mut Belongings, new: NewCompound, at: Timestamp) -> Result<Compound, StorageError> {
    for member in &new.members {
        check_ends(own, *member, *member)?;
    }
    let same = |compound: &&mut Compound| compound.name == new.name;
    if let Some(stands) = own.compounds.values_mut().find(same) {
        stands.occur(&new.members, at);
        return Ok(stands.clone());
    }
    if own.compounds.contains_key(&new.id) {
        return Err(conflict("compound", new.id));
    }
    let compound = new.into_compound(own.tenant.id.clone(), at);
    own.compounds.insert(compound.id, compound.clone());
    Ok(compound)
}

fn learn(
    own: &mut Belongings,
    plan: &TurnPlan,
    at: Timestamp,
) -> Result<LearnedTurn, StorageError> {
    if let Some(stands) = own.turns.get(&plan.id) {
        if stands.digest == plan.digest {
            return Ok(stands.clone());
        }
        return Err(conflict("turn", plan.id));
    }
    let tenant_id = own.tenant.id.clone();
    if !plan.messages.is_empty() {
        own.sessions.entry(plan.session).or_insert_with(|| Session {
            tenant_id: tenant_id.clone(),
            id: plan.session,
            title: String::new(),
            metadata: memory_domain::JsonObject::new(),
            created_at: at,
            updated_at: at,
            message_count: 0,
        });
    }
    for message in plan.messages.clone() {
        append_one(own, plan.session, message, at)?;
    }
    let mut concepts = Vec::new();
    for node in plan.concepts.clone() {
        concepts.push(remember_one(own, node, at)?);
    }
    for (a, b, id) in plan.links() {
        let step = Reinforcement {
            id,
            ..Reinforcement::new(concepts[a], concepts[b])
        };
        let step = step.with_step(plan.step).with_decay(plan.decay);
        reinforce_one(own, step.validated()?, at)?;
    }
    if let Some((id, name)) = plan.compound.clone() {
        let new = NewCompound::new(name, concepts.iter().copied()).with_id(id);
        record(own, new, at)?;
    }
    for decision in &plan.decisions {
        decisions::record(own, decision, at)?;
    }
    let learned = plan.learned(tenant_id, concepts, at);
    own.turns.insert(learned.id, learned.clone());
    Ok(learned)
}

/// Without the bounds, which are scenarios of their own.
fn recall(own: &Belongings, terms: &RecallTerms) -> Vec<Recalled> {
    let mut scores: BTreeMap<NodeId, f64> = BTreeMap::new();
    for node in own.nodes.values() {
        let name = node.name.as_deref().map(fold).unwrap_or_default();
        if terms.names.contains(&name) {
            scores.insert(node.id, 1.0);
        } else if terms.parts.iter().any(|part| name.contains(part)) {
            scores.insert(node.id, 0.7);
        }
    }
    let seeds: Vec<NodeId> = scores.keys().copied().collect();
    let add = |scores: &mut BTreeMap<NodeId, f64>, id, score: f64| {
        let best = scores.entry(id).or_insert(score);
        *best = best.max(score);
    };
    let mut here: BTreeMap<NodeId, f64> = seeds.iter().map(|id| (*id, 1.0)).collect();
    for fade in [0.6, 0.36] {
        let mut there: BTreeMap<NodeId, f64> = BTreeMap::new();
        for (node, weight) in &here {
            for link in own.relationships.values() {
                if let Some(other) = other_end(link, *node, Direction::Both) {
                    add(&mut there, other, path_weight(*weight, link.strength));
                }
            }
        }
        for (node, weight) in &there {
            add(&mut scores, *node, weight * fade);
        }
        here = there;
    }
    for compound in own.compounds.values() {
        for seed in seeds.iter().filter(|seed| compound.members.contains(seed)) {
            for member in compound.members.iter().filter(|member| *member != seed) {
                add(&mut scores, *member, compound_score(compound.occurrences));
            }
        }
    }
    let recalled = scores.into_iter().map(|(id, score)| Recalled {
        node: own.nodes[&id].clone(),
        score,
    });
    recalled.collect()
}
