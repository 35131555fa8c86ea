use std::ops::Deref;
use std::time::Duration;

use memory_domain::{
    AgeFrom, ContextType, Direction, EntityKey, Graph, Limit, Neighbour, NewNode, NewRelationship,
    Node, NodeFilter, NodeId, NodePatch, Reached, Reinforcement, Relationship, RelationshipFilter,
    RelationshipId, RelationshipKind, Retention, TraverseOptions,
};
use memory_storage::{GraphStore, MemoryStore, StorageError};

use super::Scoped;

/// The knowledge graph: see [`GraphStore`](crate::GraphStore) for what each verb promises.
impl<S: Deref<Target: MemoryStore>> Scoped<S> {
    /// Stores a node, or merges it into the one that its key names, and returns the id that stands.
    ///
    /// # Errors
    /// `Conflict` if its id stands with other content.
    pub async fn remember(&self, node: NewNode) -> Result<NodeId, StorageError> {
        let mut ids = self.remember_many(vec![node]).await?;
        Ok(ids
            .pop()
            .expect("a store returns one id for each node that was given"))
    }

    /// Remembers up to 1,000 nodes, all or none.
    ///
    /// # Errors
    /// As [`Scoped::remember`].
    pub async fn remember_many(&self, nodes: Vec<NewNode>) -> Result<Vec<NodeId>, StorageError> {
        self.store.remember(&self.id, nodes, self.now()).await
    }

    /// Looks a node up. Reading does not count as access.
    pub async fn node(&self, id: NodeId) -> Result<Option<Node>, StorageError> {
        self.store.node(&self.id, id).await
    }

    /// Looks a node up by the key that it has outside.
    pub async fn node_by_key(&self, key: &EntityKey) -> Result<Option<Node>, StorageError> {
        self.store.node_by_key(&self.id, key).await
    }

    /// Lists nodes: newest first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000 or a condition that breaks a rule.
    pub async fn nodes(&self, filter: NodeFilter, limit: u32) -> Result<Vec<Node>, StorageError> {
        self.store.nodes(&self.id, filter, Limit::new(limit)?).await
    }

    /// Replaces what the patch gives, and returns the node.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    pub async fn update_node(&self, id: NodeId, patch: NodePatch) -> Result<Node, StorageError> {
        self.store
            .update_node(&self.id, id, patch, self.now())
            .await
    }

    /// Deletes a node and its relationships.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    pub async fn forget_node(&self, id: NodeId) -> Result<(), StorageError> {
        self.store.forget_node(&self.id, id, self.now()).await
    }

    /// Deletes every node of these context types (of any, if none is named) that is older than
    /// `age`, with its relationships, and returns how many nodes there were.
    pub async fn forget_older_than(
        &self,
        age: Duration,
        age_from: AgeFrom,
        context_types: &[ContextType],
    ) -> Result<u64, StorageError> {
        let now = self.now();
        let retention = Retention {
            age_from,
            before: now.before(age),
            context_types: context_types.iter().copied().collect(),
        };
        self.store.forget_older_than(&self.id, retention, now).await
    }

    /// How relevant a node is now, from 0.05 to 1: see [`Node::relevance`].
    pub fn relevance(&self, node: &Node) -> f64 {
        node.relevance(self.now())
    }

    /// Counts one access.
    ///
    /// # Errors
    /// `NotFound` if the node is not there.
    pub async fn record_access(&self, id: NodeId) -> Result<(), StorageError> {
        self.store.record_access(&self.id, id, self.now()).await
    }

    /// Records a relationship, or sets the strength and metadata of the one that stands.
    ///
    /// # Errors
    /// `MissingReference` if an end is not there.
    pub async fn relate(
        &self,
        relationship: NewRelationship,
    ) -> Result<Relationship, StorageError> {
        self.store.relate(&self.id, relationship, self.now()).await
    }

    /// Takes one Hebbian step on the relationship of two nodes, and returns it.
    ///
    /// # Errors
    /// `MissingReference` if a node is not there.
    pub async fn reinforce(
        &self,
        reinforcement: Reinforcement,
    ) -> Result<Relationship, StorageError> {
        self.store
            .reinforce(&self.id, reinforcement, self.now())
            .await
    }

    /// Looks a relationship up.
    pub async fn relationship(
        &self,
        id: RelationshipId,
    ) -> Result<Option<Relationship>, StorageError> {
        self.store.relationship(&self.id, id).await
    }

    /// Lists relationships: newest first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000 or a condition that breaks a rule.
    pub async fn relationships(
        &self,
        filter: RelationshipFilter,
        limit: u32,
    ) -> Result<Vec<Relationship>, StorageError> {
        self.store
            .relationships(&self.id, filter, Limit::new(limit)?)
            .await
    }

    /// Deletes a relationship.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    pub async fn unrelate(&self, id: RelationshipId) -> Result<(), StorageError> {
        self.store.unrelate(&self.id, id, self.now()).await
    }

    /// Deletes every relationship weaker than `min_strength`, and returns how many.
    ///
    /// # Errors
    /// `Invalid` if the strength is not from 0 to 1.
    pub async fn prune(&self, min_strength: f64) -> Result<u64, StorageError> {
        self.store.prune(&self.id, min_strength, self.now()).await
    }

    /// The nodes next to a node, strongest first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn neighbours(
        &self,
        node: NodeId,
        direction: Direction,
        kind: Option<RelationshipKind>,
        limit: u32,
    ) -> Result<Vec<Neighbour>, StorageError> {
        self.store
            .neighbours(&self.id, node, direction, kind, Limit::new(limit)?)
            .await
    }

    /// The nodes that relationships lead to from a node: nearest first, then by the weight of the
    /// best way.
    ///
    /// # Errors
    /// `Invalid` for a depth over 10 or a strength that is not from 0 to 1.
    pub async fn traverse(
        &self,
        node: NodeId,
        options: TraverseOptions,
    ) -> Result<Vec<Reached>, StorageError> {
        self.store.traverse(&self.id, node, options).await
    }

    /// The newest `limit` nodes and the relationships among them: what a session starts with.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn load(&self, limit: u32) -> Result<Graph, StorageError> {
        self.store.load(&self.id, Limit::new(limit)?).await
    }
}
