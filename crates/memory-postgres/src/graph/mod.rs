//! The knowledge graph.

mod nodes;
mod relationships;
mod remember;
mod traversal;

use std::cmp::Reverse;

use async_trait::async_trait;
use diesel::sql_types::Nullable;
use memory_diesel::{NodeRow, RelationshipRow};
use memory_domain::{
    Direction, EntityKey, Graph, Limit, Neighbour, NewNode, NewRelationship, Node, NodeFilter,
    NodeId, NodePatch, Reached, Reinforcement, Relationship, RelationshipFilter, RelationshipId,
    RelationshipKind, Retention, TenantId, Timestamp, TraverseOptions,
};
use memory_storage::{GraphStore, StorageError};

use crate::columns::{Nodes, Relationships, node_columns, relationship_columns};
use crate::executor::{Executor, Postgres};
use crate::statement::Statement;

// One statement, so that nodes and relationships are of one snapshot: each row is one of the two.
const LOAD: &str = concat!(
    "with newest as materialized (
        select * from nodes where tenant_id = $1 order by created_at desc, id desc limit $2
    )
    select ",
    node_columns!("n"),
    ", ",
    relationship_columns!("r"),
    " from newest as n left join relationships as r on false
    union all
    select ",
    node_columns!("n"),
    ", ",
    relationship_columns!("r"),
    " from newest as a
    join relationships as r on r.tenant_id = $1 and r.from_id = a.id
    left join nodes as n on false
    where r.to_id in (select id from newest)"
);

/// The trait is one, so its verbs are handed on from here to where they are.
#[async_trait]
impl<E: Executor> GraphStore for Postgres<E> {
    async fn remember(
        &self,
        tenant: &TenantId,
        nodes: Vec<NewNode>,
        at: Timestamp,
    ) -> Result<Vec<NodeId>, StorageError> {
        remember::remember(self, tenant, nodes, at).await
    }

    async fn node(&self, tenant: &TenantId, id: NodeId) -> Result<Option<Node>, StorageError> {
        nodes::one(self, tenant, id).await
    }

    async fn node_by_key(
        &self,
        tenant: &TenantId,
        key: &EntityKey,
    ) -> Result<Option<Node>, StorageError> {
        nodes::by_key(self, tenant, key).await
    }

    async fn nodes(
        &self,
        tenant: &TenantId,
        filter: NodeFilter,
        limit: Limit,
    ) -> Result<Vec<Node>, StorageError> {
        nodes::list(self, tenant, filter, limit).await
    }

    async fn update_node(
        &self,
        tenant: &TenantId,
        id: NodeId,
        patch: NodePatch,
        at: Timestamp,
    ) -> Result<Node, StorageError> {
        nodes::update(self, tenant, id, patch, at).await
    }

    async fn forget_node(
        &self,
        tenant: &TenantId,
        id: NodeId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        nodes::forget(self, tenant, id, at).await
    }

    async fn forget_older_than(
        &self,
        tenant: &TenantId,
        retention: Retention,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        nodes::forget_older_than(self, tenant, &retention, at).await
    }

    async fn record_access(
        &self,
        tenant: &TenantId,
        id: NodeId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        nodes::record_access(self, tenant, id, at).await
    }

    async fn relate(
        &self,
        tenant: &TenantId,
        relationship: NewRelationship,
        at: Timestamp,
    ) -> Result<Relationship, StorageError> {
        relationships::relate(self, tenant, relationship, at).await
    }

    async fn reinforce(
        &self,
        tenant: &TenantId,
        reinforcement: Reinforcement,
        at: Timestamp,
    ) -> Result<Relationship, StorageError> {
        relationships::reinforce(self, tenant, reinforcement, at).await
    }

    async fn relationship(
        &self,
        tenant: &TenantId,
        id: RelationshipId,
    ) -> Result<Option<Relationship>, StorageError> {
        relationships::one(self, tenant, id).await
    }

    async fn relationships(
        &self,
        tenant: &TenantId,
        filter: RelationshipFilter,
        limit: Limit,
    ) -> Result<Vec<Relationship>, StorageError> {
        relationships::list(self, tenant, filter, limit).await
    }

    async fn unrelate(
        &self,
        tenant: &TenantId,
        id: RelationshipId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        relationships::unrelate(self, tenant, id, at).await
    }

    async fn prune(
        &self,
        tenant: &TenantId,
        min_strength: f64,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        relationships::prune(self, tenant, min_strength, at).await
    }

    async fn neighbours(
        &self,
        tenant: &TenantId,
        node: NodeId,
        direction: Direction,
        kind: Option<RelationshipKind>,
        limit: Limit,
    ) -> Result<Vec<Neighbour>, StorageError> {
        relationships::neighbours(self, tenant, node, direction, kind, limit).await
    }

    async fn traverse(
        &self,
        tenant: &TenantId,
        node: NodeId,
        options: TraverseOptions,
    ) -> Result<Vec<Reached>, StorageError> {
        traversal::traverse(self, tenant, node, options).await
    }

    async fn load(&self, tenant: &TenantId, limit: Limit) -> Result<Graph, StorageError> {
        let statement = Statement::reading("loading the graph", LOAD)
            .text(tenant.as_str())
            .limit(limit);
        let mut graph = Graph::default();
        for (node, relationship) in self.load::<LoadedSql, Loaded>(statement).await? {
            if let Some(node) = node {
                graph.nodes.push(node.try_into()?);
            }
            if let Some(relationship) = relationship {
                graph.relationships.push(relationship.try_into()?);
            }
        }
        graph
            .nodes
            .sort_unstable_by_key(|one| Reverse((one.created_at, one.id)));
        graph
            .relationships
            .sort_unstable_by_key(|one| Reverse((one.created_at, one.id)));
        Ok(graph)
    }
}

type LoadedSql = (Nullable<Nodes>, Nullable<Relationships>);
type Loaded = (Option<NodeRow>, Option<RelationshipRow>);
