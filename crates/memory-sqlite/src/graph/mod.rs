//! The knowledge graph.

mod neighbours;
mod nodes;
mod relationships;
mod remember;
mod traversal;

pub(crate) use nodes::require as require_node;
pub(crate) use relationships::reinforce;
pub(crate) use remember::remember;
pub(crate) use traversal::Ways;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_diesel::RelationshipRow;
use memory_diesel::schema::relationships as table;
use memory_domain::limits::BATCH_MAX;
use memory_domain::{
    Direction, EntityKey, Graph, InvalidInput, Limit, Neighbour, NewNode, NewRelationship, Node,
    NodeFilter, NodeId, NodePatch, Reached, Reinforcement, Relationship, RelationshipFilter,
    RelationshipId, RelationshipKind, Retention, TenantId, Timestamp, TraverseOptions,
    unit_interval,
};
use memory_storage::{GraphStore, StorageError};

use crate::error::Failure;
use crate::executor::{Executor, Reading, Sqlite};
use crate::tenants::entities;

pub(crate) use nodes::one as one_node;

/// The trait is one, so its verbs are handed on from here to where they are.
#[async_trait]
impl<E: Executor> GraphStore for Sqlite<E> {
    async fn remember(
        &self,
        tenant: &TenantId,
        nodes: Vec<NewNode>,
        at: Timestamp,
    ) -> Result<Vec<NodeId>, StorageError> {
        if nodes.len() > BATCH_MAX {
            let problem = format!("remember at most {BATCH_MAX} nodes at once");
            return Err(InvalidInput::new("nodes", nodes.len(), problem).into());
        }
        let nodes = nodes
            .into_iter()
            .map(NewNode::validated)
            .collect::<Result<Vec<_>, _>>()?;
        let tenant = tenant.clone();
        self.0
            .write("remembering nodes", move |connection| {
                remember::remember(connection, &tenant, nodes, at)
            })
            .await
    }

    async fn node(&self, tenant: &TenantId, id: NodeId) -> Result<Option<Node>, StorageError> {
        let tenant = tenant.clone();
        self.0
            .read(Reading::of("looking a node up"), move |connection| {
                nodes::one(connection, &tenant, id)
            })
            .await
    }

    async fn node_by_key(
        &self,
        tenant: &TenantId,
        key: &EntityKey,
    ) -> Result<Option<Node>, StorageError> {
        let (tenant, key) = (tenant.clone(), key.clone());
        self.0
            .read(Reading::of("looking a node up by key"), move |connection| {
                nodes::by_key(connection, &tenant, &key)
            })
            .await
    }

    async fn nodes(
        &self,
        tenant: &TenantId,
        filter: NodeFilter,
        limit: Limit,
    ) -> Result<Vec<Node>, StorageError> {
        let filter = filter.validated()?;
        let tenant = tenant.clone();
        let reading = Reading::of("listing nodes").scan(nodes::scans(&filter));
        self.0
            .read(reading, move |connection| {
                nodes::list(connection, &tenant, &filter, limit)
            })
            .await
    }

    async fn update_node(
        &self,
        tenant: &TenantId,
        id: NodeId,
        patch: NodePatch,
        at: Timestamp,
    ) -> Result<Node, StorageError> {
        let patch = patch.validated()?;
        let tenant = tenant.clone();
        self.0
            .write("updating a node", move |connection| {
                nodes::update(connection, &tenant, id, patch, at)
            })
            .await
    }

    async fn forget_node(
        &self,
        tenant: &TenantId,
        id: NodeId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let tenant = tenant.clone();
        self.0
            .write("forgetting a node", move |connection| {
                nodes::forget(connection, &tenant, id, at)
            })
            .await
    }

    async fn forget_older_than(
        &self,
        tenant: &TenantId,
        retention: Retention,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        let tenant = tenant.clone();
        self.0
            .write("forgetting old nodes", move |connection| {
                nodes::forget_older_than(connection, &tenant, &retention, at)
            })
            .await
    }

    async fn record_access(
        &self,
        tenant: &TenantId,
        id: NodeId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let tenant = tenant.clone();
        self.0
            .write("recording an access", move |connection| {
                nodes::record_access(connection, &tenant, id, at)
            })
            .await
    }

    async fn relate(
        &self,
        tenant: &TenantId,
        relationship: NewRelationship,
        at: Timestamp,
    ) -> Result<Relationship, StorageError> {
        let new = relationship.validated()?;
        let tenant = tenant.clone();
        self.0
            .write("relating two nodes", move |connection| {
                relationships::relate(connection, &tenant, new, at)
            })
            .await
    }

    async fn reinforce(
        &self,
        tenant: &TenantId,
        reinforcement: Reinforcement,
        at: Timestamp,
    ) -> Result<Relationship, StorageError> {
        let step = reinforcement.validated()?;
        let tenant = tenant.clone();
        self.0
            .write("reinforcing a relationship", move |connection| {
                relationships::reinforce(connection, &tenant, &step, at)
            })
            .await
    }

    async fn relationship(
        &self,
        tenant: &TenantId,
        id: RelationshipId,
    ) -> Result<Option<Relationship>, StorageError> {
        let tenant = tenant.clone();
        let reading = Reading::of("looking a relationship up");
        self.0
            .read(reading, move |connection| {
                relationships::one(connection, &tenant, id)
            })
            .await
    }

    async fn relationships(
        &self,
        tenant: &TenantId,
        filter: RelationshipFilter,
        limit: Limit,
    ) -> Result<Vec<Relationship>, StorageError> {
        let filter = filter.validated()?;
        let tenant = tenant.clone();
        let reading = Reading::of("listing relationships").scan(relationships::scans(&filter));
        self.0
            .read(reading, move |connection| {
                relationships::list(connection, &tenant, &filter, limit)
            })
            .await
    }

    async fn unrelate(
        &self,
        tenant: &TenantId,
        id: RelationshipId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let tenant = tenant.clone();
        self.0
            .write("deleting a relationship", move |connection| {
                relationships::unrelate(connection, &tenant, id, at)
            })
            .await
    }

    async fn prune(
        &self,
        tenant: &TenantId,
        min_strength: f64,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        let min_strength = unit_interval("min_strength", min_strength)?;
        let tenant = tenant.clone();
        self.0
            .write("pruning relationships", move |connection| {
                relationships::prune(connection, &tenant, min_strength, at)
            })
            .await
    }

    async fn neighbours(
        &self,
        tenant: &TenantId,
        node: NodeId,
        direction: Direction,
        kind: Option<RelationshipKind>,
        limit: Limit,
    ) -> Result<Vec<Neighbour>, StorageError> {
        let tenant = tenant.clone();
        let reading = Reading::of("listing neighbours").snapshot();
        self.0
            .read(reading, move |connection| {
                neighbours::list(connection, &tenant, node, direction, kind.as_ref(), limit)
            })
            .await
    }

    async fn traverse(
        &self,
        tenant: &TenantId,
        node: NodeId,
        options: TraverseOptions,
    ) -> Result<Vec<Reached>, StorageError> {
        let options = options.validated()?;
        let tenant = tenant.clone();
        let reading = Reading::of("traversing the graph").snapshot().scan(true);
        self.0
            .read(reading, move |connection| {
                traversal::traverse(connection, &tenant, node, &options)
            })
            .await
    }

    async fn load(&self, tenant: &TenantId, limit: Limit) -> Result<Graph, StorageError> {
        let tenant = tenant.clone();
        // A node may have any number of relationships.
        let reading = Reading::of("loading the graph").snapshot().scan(true);
        self.0
            .read(reading, move |connection| load(connection, &tenant, limit))
            .await
    }
}

fn load(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    limit: Limit,
) -> Result<Graph, Failure> {
    let newest = || nodes::newest(tenant, limit);
    let rows: Vec<RelationshipRow> = table::table
        .filter(table::tenant_id.eq(tenant.as_str()))
        .filter(table::from_id.eq_any(newest()))
        .filter(table::to_id.eq_any(newest()))
        .select(RelationshipRow::as_select())
        .order((table::created_at.desc(), table::id.desc()))
        .load(connection)?;
    Ok(Graph {
        nodes: nodes::list(connection, tenant, &NodeFilter::default(), limit)?,
        relationships: entities(rows)?,
    })
}
