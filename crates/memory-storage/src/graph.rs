use async_trait::async_trait;
use memory_domain::{
    Direction, EntityKey, Graph, Limit, Neighbour, NewNode, NewRelationship, Node, NodeFilter,
    NodeId, NodePatch, Reached, Reinforcement, Relationship, RelationshipFilter, RelationshipId,
    RelationshipKind, Retention, TenantId, Timestamp, TraverseOptions,
};

use crate::StorageError;

/// The knowledge graph: nodes and the relationships between them.
#[async_trait]
pub trait GraphStore: Send + Sync {
    /// Stores up to 1,000 nodes, all or none, and returns the id that stands for each, in the order
    /// given.
    ///
    /// A node whose key is known is merged into the one that stands (see [`Node::merge`]); merging
    /// counts an update, so it is not idempotent. Nodes of one key within the batch are merged in
    /// their order. A node without a key, or whose key is new, is created; if its id stands with
    /// the same content it is the same write.
    ///
    /// # Errors
    /// `Conflict` if an id that is to be created stands with other content or another key;
    /// `Invalid` for a batch over 1,000 or when merging gives more than 64 tags.
    async fn remember(
        &self,
        tenant: &TenantId,
        nodes: Vec<NewNode>,
        at: Timestamp,
    ) -> Result<Vec<NodeId>, StorageError>;

    /// Looks a node up. Reading does not count as access.
    async fn node(&self, tenant: &TenantId, id: NodeId) -> Result<Option<Node>, StorageError>;

    /// Looks a node up by the key that it has outside.
    async fn node_by_key(
        &self,
        tenant: &TenantId,
        key: &EntityKey,
    ) -> Result<Option<Node>, StorageError>;

    /// Lists nodes: newest first, then the greater id.
    async fn nodes(
        &self,
        tenant: &TenantId,
        filter: NodeFilter,
        limit: Limit,
    ) -> Result<Vec<Node>, StorageError>;

    /// Replaces what the patch gives, counts an update and returns the node.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    async fn update_node(
        &self,
        tenant: &TenantId,
        id: NodeId,
        patch: NodePatch,
        at: Timestamp,
    ) -> Result<Node, StorageError>;

    /// Deletes a node and its relationships.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    async fn forget_node(
        &self,
        tenant: &TenantId,
        id: NodeId,
        at: Timestamp,
    ) -> Result<(), StorageError>;

    /// Deletes every node that is old enough, with its relationships, and returns how many nodes
    /// there were.
    async fn forget_older_than(
        &self,
        tenant: &TenantId,
        retention: Retention,
        at: Timestamp,
    ) -> Result<u64, StorageError>;

    /// Counts one access and sets when it was; not idempotent.
    ///
    /// # Errors
    /// `NotFound` if the node is not there.
    async fn record_access(
        &self,
        tenant: &TenantId,
        id: NodeId,
        at: Timestamp,
    ) -> Result<(), StorageError>;

    /// Records a relationship and returns it as it stands. If (from, to, kind, label) is known, the
    /// strength and metadata are replaced and `last_reinforced_at` is set; id, direction and time
    /// of creation stay.
    ///
    /// # Errors
    /// `MissingReference` if an end is not there; `Conflict` if the id stands for another
    /// (from, to, kind, label).
    async fn relate(
        &self,
        tenant: &TenantId,
        relationship: NewRelationship,
        at: Timestamp,
    ) -> Result<Relationship, StorageError>;

    /// Takes one Hebbian step on the undirected relationship of two nodes, which is made if there
    /// is none, and returns it; see [`Reinforcement`]. No update is lost; not idempotent.
    ///
    /// # Errors
    /// `MissingReference` if a node is not there; `Conflict` if the relationship is new and its id
    /// stands for another.
    async fn reinforce(
        &self,
        tenant: &TenantId,
        reinforcement: Reinforcement,
        at: Timestamp,
    ) -> Result<Relationship, StorageError>;

    /// Looks a relationship up.
    async fn relationship(
        &self,
        tenant: &TenantId,
        id: RelationshipId,
    ) -> Result<Option<Relationship>, StorageError>;

    /// Lists relationships: newest first, then the greater id.
    async fn relationships(
        &self,
        tenant: &TenantId,
        filter: RelationshipFilter,
        limit: Limit,
    ) -> Result<Vec<Relationship>, StorageError>;

    /// Deletes a relationship.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    async fn unrelate(
        &self,
        tenant: &TenantId,
        id: RelationshipId,
        at: Timestamp,
    ) -> Result<(), StorageError>;

    /// Deletes every relationship weaker than `min_strength` (0 to 1) and returns how many.
    async fn prune(
        &self,
        tenant: &TenantId,
        min_strength: f64,
        at: Timestamp,
    ) -> Result<u64, StorageError>;

    /// The nodes next to a node, with what joins them: strongest first, then the smaller id of the
    /// relationship. Undirected relationships lead both ways; a node related to itself is listed
    /// once per relationship. Empty for a node that is not there.
    async fn neighbours(
        &self,
        tenant: &TenantId,
        node: NodeId,
        direction: Direction,
        kind: Option<RelationshipKind>,
        limit: Limit,
    ) -> Result<Vec<Neighbour>, StorageError>;

    /// The nodes that relationships lead to from a node, each once and never the node itself: the
    /// least depth first, then the greatest weight, then the smaller id. The depth is that of the
    /// shortest way and the weight that of the best, of at most `depth` relationships. Empty for a
    /// node that is not there.
    ///
    /// It is bounded: from a node its 1,000 strongest relationships are followed each way, and at
    /// each depth those of the 1,000 nodes with the best weight, then the smaller id.
    ///
    /// # Errors
    /// `Invalid` for a depth over 10 or a strength that is not from 0 to 1.
    async fn traverse(
        &self,
        tenant: &TenantId,
        node: NodeId,
        options: TraverseOptions,
    ) -> Result<Vec<Reached>, StorageError>;

    /// What a session starts with: the newest `limit` nodes and all relationships among them, from
    /// one snapshot.
    async fn load(&self, tenant: &TenantId, limit: Limit) -> Result<Graph, StorageError>;
}
