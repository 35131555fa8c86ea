use std::cmp::Reverse;
use std::collections::BTreeMap;

use async_trait::async_trait;
use memory_domain::{
    AgeFrom, Direction, EntityKey, Graph, InvalidInput, Limit, Neighbour, NewNode, NewRelationship,
    Node, NodeFilter, NodeId, NodePatch, Reached, Reinforcement, Relationship, RelationshipFilter,
    RelationshipId, RelationshipKind, Retention, TenantId, Timestamp, TraverseOptions,
    json_contains, path_weight, unit_interval,
};
use memory_storage::{GraphStore, StorageError};

use super::{Belongings, Model, check_batch, conflict, missing, not_found, page};

#[async_trait]
impl GraphStore for Model {
    async fn remember(
        &self,
        tenant: &TenantId,
        nodes: Vec<NewNode>,
        at: Timestamp,
    ) -> Result<Vec<NodeId>, StorageError> {
        check_batch("nodes", nodes.len())?;
        let nodes: Vec<NewNode> = nodes
            .into_iter()
            .map(NewNode::validated)
            .collect::<Result<_, InvalidInput>>()?;
        self.write(tenant, at, |own| {
            nodes
                .into_iter()
                .map(|new| remember_one(own, new, at))
                .collect()
        })
    }

    async fn node(&self, tenant: &TenantId, id: NodeId) -> Result<Option<Node>, StorageError> {
        Ok(self
            .read(tenant, |own| own.nodes.get(&id).cloned())
            .flatten())
    }

    async fn node_by_key(
        &self,
        tenant: &TenantId,
        key: &EntityKey,
    ) -> Result<Option<Node>, StorageError> {
        let found = self.read(tenant, |own| {
            let mut nodes = own.nodes.values();
            nodes.find(|node| node.key.as_ref() == Some(key)).cloned()
        });
        Ok(found.flatten())
    }

    async fn nodes(
        &self,
        tenant: &TenantId,
        filter: NodeFilter,
        limit: Limit,
    ) -> Result<Vec<Node>, StorageError> {
        let filter = filter.validated()?;
        let after = filter
            .after
            .map(|after| (Reverse(after.created_at), Reverse(after.id)));
        let listed = self.read(tenant, |own| {
            let nodes = own.nodes.values().filter(|node| meets(node, &filter));
            page(nodes.cloned(), newest_node, after, limit)
        });
        Ok(listed.unwrap_or_default())
    }

    async fn update_node(
        &self,
        tenant: &TenantId,
        id: NodeId,
        patch: NodePatch,
        at: Timestamp,
    ) -> Result<Node, StorageError> {
        let patch = patch.validated()?;
        self.write(tenant, at, |own| {
            let node = the_node(own, id)?;
            node.apply(patch, at);
            Ok(node.clone())
        })
    }

    async fn forget_node(
        &self,
        tenant: &TenantId,
        id: NodeId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        self.write(tenant, at, |own| {
            the_node(own, id)?;
            forget(own, id);
            Ok(())
        })
    }

    async fn forget_older_than(
        &self,
        tenant: &TenantId,
        retention: Retention,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        let types = &retention.context_types;
        let is_old = |node: &&Node| {
            let since = match retention.age_from {
                AgeFrom::LastAccess => node.last_accessed_at,
                AgeFrom::Creation => node.created_at,
            };
            since < retention.before && (types.is_empty() || types.contains(&node.context_type))
        };
        self.write(tenant, at, |own| {
            let old: Vec<NodeId> = own
                .nodes
                .values()
                .filter(is_old)
                .map(|node| node.id)
                .collect();
            for id in &old {
                forget(own, *id);
            }
            Ok(old.len() as u64)
        })
    }

    async fn record_access(
        &self,
        tenant: &TenantId,
        id: NodeId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        self.write(tenant, at, |own| {
            let node = the_node(own, id)?;
            node.access_count += 1;
            node.last_accessed_at = node.last_accessed_at.max(at);
            Ok(())
        })
    }

    async fn relate(
        &self,
        tenant: &TenantId,
        relationship: NewRelationship,
        at: Timestamp,
    ) -> Result<Relationship, StorageError> {
        let new = relationship.validated()?;
        self.write(tenant, at, |own| {
            check_ends(own, new.from, new.to)?;
            let same = |link: &&mut Relationship| {
                (link.from, link.to) == (new.from, new.to)
                    && (&link.kind, &link.label) == (&new.kind, &new.label)
            };
            let taken = own.relationships.contains_key(&new.id);
            if let Some(link) = own.relationships.values_mut().find(same) {
                if taken && link.id != new.id {
                    return Err(conflict("relationship", new.id));
                }
                link.strength = new.strength;
                link.metadata = new.metadata;
                link.last_reinforced_at = link.last_reinforced_at.max(at);
                return Ok(link.clone());
            }
            let tenant_id = own.tenant.id.clone();
            insert(own, new.into_relationship(tenant_id, at))
        })
    }

    async fn reinforce(
        &self,
        tenant: &TenantId,
        reinforcement: Reinforcement,
        at: Timestamp,
    ) -> Result<Relationship, StorageError> {
        let step = reinforcement.validated()?;
        self.write(tenant, at, |own| reinforce_one(own, step, at))
    }

    async fn relationship(
        &self,
        tenant: &TenantId,
        id: RelationshipId,
    ) -> Result<Option<Relationship>, StorageError> {
        let found = self.read(tenant, |own| own.relationships.get(&id).cloned());
        Ok(found.flatten())
    }

    async fn relationships(
        &self,
        tenant: &TenantId,
        filter: RelationshipFilter,
        limit: Limit,
    ) -> Result<Vec<Relationship>, StorageError> {
        let filter = filter.validated()?;
        let meets = |link: &&Relationship| {
            filter.from.is_none_or(|from| from == link.from)
                && filter.to.is_none_or(|to| to == link.to)
                && filter.kind.as_ref().is_none_or(|kind| *kind == link.kind)
                && filter
                    .min_strength
                    .is_none_or(|least| link.strength >= least)
        };
        let after = filter
            .after
            .map(|after| (Reverse(after.created_at), Reverse(after.id)));
        let listed = self.read(tenant, |own| {
            let links = own.relationships.values().filter(meets);
            page(links.cloned(), newest_link, after, limit)
        });
        Ok(listed.unwrap_or_default())
    }

    async fn unrelate(
        &self,
        tenant: &TenantId,
        id: RelationshipId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        self.write(tenant, at, |own| {
            let gone = own.relationships.remove(&id);
            gone.map(drop).ok_or_else(|| not_found("relationship", id))
        })
    }

    async fn prune(
        &self,
        tenant: &TenantId,
        min_strength: f64,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        let least = unit_interval("min_strength", min_strength)?;
        self.write(tenant, at, |own| {
            let before = own.relationships.len();
            own.relationships.retain(|_, link| link.strength >= least);
            Ok((before - own.relationships.len()) as u64)
        })
    }

    async fn neighbours(
        &self,
        tenant: &TenantId,
        node: NodeId,
        direction: Direction,
        kind: Option<RelationshipKind>,
        limit: Limit,
    ) -> Result<Vec<Neighbour>, StorageError> {
        let next = |own: &Belongings, link: &Relationship| {
            let other = other_end(link, node, direction)?;
            if kind.as_ref().is_some_and(|kind| *kind != link.kind) {
                return None;
            }
            Some(Neighbour {
                relationship: link.clone(),
                node: own.nodes[&other].clone(),
            })
        };
        // Strengths are not negative, so their bits are ordered as they are.
        let strongest = |next: &Neighbour| {
            let link = &next.relationship;
            (Reverse(link.strength.to_bits()), link.id)
        };
        let listed = self.read(tenant, |own| {
            let links = own.relationships.values();
            page(
                links.filter_map(|link| next(own, link)),
                strongest,
                None,
                limit,
            )
        });
        Ok(listed.unwrap_or_default())
    }

    async fn traverse(
        &self,
        tenant: &TenantId,
        node: NodeId,
        options: TraverseOptions,
    ) -> Result<Vec<Reached>, StorageError> {
        let options = options.validated()?;
        let found = self.read(tenant, |own| walk(own, node, &options));
        Ok(found.unwrap_or_default())
    }

    async fn load(&self, tenant: &TenantId, limit: Limit) -> Result<Graph, StorageError> {
        let graph = self.read(tenant, |own| {
            let nodes = page(own.nodes.values().cloned(), newest_node, None, limit);
            let loaded = |id: NodeId| nodes.iter().any(|node| node.id == id);
            let mut relationships: Vec<Relationship> = own
                .relationships
                .values()
                .filter(|link| loaded(link.from) && loaded(link.to))
                .cloned()
                .collect();
            relationships.sort_by_key(newest_link);
            Graph {
                nodes,
                relationships,
            }
        });
        Ok(graph.unwrap_or_default())
    }
}

/// Every way of at most so many relationships, without the bounds, which are scenarios of their own.
fn walk(own: &Belongings, start: NodeId, options: &TraverseOptions) -> Vec<Reached> {
    let follows = |link: &&Relationship| {
        options.kind.as_ref().is_none_or(|kind| *kind == link.kind)
            && options
                .min_strength
                .is_none_or(|least| link.strength >= least)
    };
    let mut found: BTreeMap<NodeId, (u32, f64)> = BTreeMap::new();
    let mut here = BTreeMap::from([(start, 1.0_f64)]);
    for depth in 1..=options.depth {
        let mut there: BTreeMap<NodeId, f64> = BTreeMap::new();
        for (node, weight) in &here {
            for link in own.relationships.values().filter(follows) {
                let Some(other) = other_end(link, *node, options.direction) else {
                    continue;
                };
                if other != start {
                    let best = there.entry(other).or_default();
                    *best = best.max(path_weight(*weight, link.strength));
                }
            }
        }
        for (node, weight) in &there {
            let best = found.entry(*node).or_insert((depth, *weight));
            best.1 = best.1.max(*weight);
        }
        here = there;
    }
    let reached = found.into_iter().map(|(id, (depth, weight))| Reached {
        node: own.nodes[&id].clone(),
        depth,
        weight,
    });
    let order = |one: &Reached| (one.depth, Reverse(one.weight.to_bits()), one.node.id);
    page(reached, order, None, options.limit)
}

fn newest_node(node: &Node) -> (Reverse<Timestamp>, Reverse<NodeId>) {
    (Reverse(node.created_at), Reverse(node.id))
}

fn newest_link(link: &Relationship) -> (Reverse<Timestamp>, Reverse<RelationshipId>) {
    (Reverse(link.created_at), Reverse(link.id))
}

pub(super) fn remember_one(
    own: &mut Belongings,
    new: NewNode,
    at: Timestamp,
) -> Result<NodeId, StorageError> {
    let known = |node: &&mut Node| new.key.is_some() && node.key == new.key;
    if let Some(node) = own.nodes.values_mut().find(known) {
        node.merge(new, at)?;
        return Ok(node.id);
    }
    let id = new.id;
    match own.nodes.get(&id) {
        None => {
            let node = new.into_node(own.tenant.id.clone(), at);
            own.nodes.insert(id, node);
            Ok(id)
        }
        Some(stands) if new.is_same_write(stands) => Ok(id),
        Some(_) => Err(conflict("node", id)),
    }
}

pub(super) fn reinforce_one(
    own: &mut Belongings,
    step: Reinforcement,
    at: Timestamp,
) -> Result<Relationship, StorageError> {
    check_ends(own, step.a, step.b)?;
    let same = |link: &&mut Relationship| {
        (link.from, link.to, &link.kind) == (step.a, step.b, &step.kind) && link.label.is_empty()
    };
    if let Some(link) = own.relationships.values_mut().find(same) {
        step.apply(link, at);
        return Ok(link.clone());
    }
    let tenant_id = own.tenant.id.clone();
    insert(own, step.into_relationship(tenant_id, at))
}

fn meets(node: &Node, filter: &NodeFilter) -> bool {
    let NodeFilter {
        context_type,
        entity_type,
        tag,
        metadata_contains,
        content_contains,
        created_from,
        created_to,
        after: _,
    } = filter;
    context_type.is_none_or(|wanted| wanted == node.context_type)
        && (entity_type.is_none() || *entity_type == node.entity_type)
        && tag.as_ref().is_none_or(|tag| node.tags.contains(tag))
        && metadata_contains
            .as_ref()
            .is_none_or(|part| json_contains(&node.metadata, part))
        && content_contains
            .as_ref()
            .is_none_or(|part| json_contains(&node.content, part))
        && created_from.is_none_or(|from| from <= node.created_at)
        && created_to.is_none_or(|to| node.created_at <= to)
}

fn forget(own: &mut Belongings, id: NodeId) {
    own.nodes.remove(&id);
    own.relationships
        .retain(|_, link| link.from != id && link.to != id);
    own.compounds
        .retain(|_, compound| !compound.members.contains(&id));
}

fn the_node(own: &mut Belongings, id: NodeId) -> Result<&mut Node, StorageError> {
    let node = own.nodes.get_mut(&id);
    node.ok_or_else(|| not_found("node", id))
}

pub(super) fn check_ends(own: &Belongings, from: NodeId, to: NodeId) -> Result<(), StorageError> {
    for end in [from, to] {
        if !own.nodes.contains_key(&end) {
            return Err(missing("node", end));
        }
    }
    Ok(())
}

fn insert(own: &mut Belongings, link: Relationship) -> Result<Relationship, StorageError> {
    if own.relationships.contains_key(&link.id) {
        return Err(conflict("relationship", link.id));
    }
    own.relationships.insert(link.id, link.clone());
    Ok(link)
}

/// Where a relationship leads from a node, if it may be followed in that direction.
pub(super) fn other_end(link: &Relationship, node: NodeId, direction: Direction) -> Option<NodeId> {
    let outgoing = direction != Direction::Incoming || !link.directed;
    let incoming = direction != Direction::Outgoing || !link.directed;
    if link.from == node && outgoing {
        Some(link.to)
    } else if link.to == node && incoming {
        Some(link.from)
    } else {
        None
    }
}
