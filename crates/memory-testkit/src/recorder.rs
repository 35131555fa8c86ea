mod agency;
mod audit;
mod decisions;
mod feedback;
mod goals;
mod missions;
mod patches;
mod tasks;

use std::sync::Mutex;

use async_trait::async_trait;
use memory_domain::{
    Compound, CompoundFilter, Direction, EntityKey, Graph, JsonObject, LearnedTurn, Limit, Message,
    MessageId, MessageRange, Neighbour, NewCompound, NewMessage, NewNode, NewRelationship,
    NewSession, Node, NodeFilter, NodeId, NodePatch, Reached, Recalled, Reinforcement,
    Relationship, RelationshipFilter, RelationshipId, RelationshipKind, Retention, SearchHit,
    SearchQuery, Session, SessionCursor, SessionId, Tenant, TenantCursor, TenantErasure, TenantId,
    TenantStats, TenantUsage, Timestamp, TraverseOptions, Turn, TurnId,
};
use memory_storage::{
    ConversationStore, GraphStore, LearningStore, MemoryStore, SearchStore, StorageError,
    TenantStore,
};

use crate::Verb;

/// A store that notes which verbs reach it and passes them on.
pub struct Recorder<'a> {
    store: &'a dyn MemoryStore,
    verbs: Mutex<Vec<Verb>>,
}

impl<'a> Recorder<'a> {
    /// Stands before a store.
    pub fn new(store: &'a dyn MemoryStore) -> Recorder<'a> {
        let verbs = Mutex::default();
        Recorder { store, verbs }
    }

    /// The verbs that came since it was asked last, in their order.
    pub fn take(&self) -> Vec<Verb> {
        std::mem::take(&mut *self.verbs.lock().expect("noting never panics"))
    }

    fn note(&self, verb: Verb) {
        self.verbs.lock().expect("noting never panics").push(verb);
    }
}

#[async_trait]
impl TenantStore for Recorder<'_> {
    async fn create_tenant(
        &self,
        tenant: &TenantId,
        metadata: JsonObject,
        at: Timestamp,
    ) -> Result<Tenant, StorageError> {
        self.note(Verb::CreateTenant);
        self.store.create_tenant(tenant, metadata, at).await
    }

    async fn tenant(&self, tenant: &TenantId) -> Result<Option<Tenant>, StorageError> {
        self.note(Verb::Tenant);
        self.store.tenant(tenant).await
    }

    async fn tenants(
        &self,
        limit: Limit,
        after: Option<TenantCursor>,
    ) -> Result<Vec<Tenant>, StorageError> {
        self.note(Verb::Tenants);
        self.store.tenants(limit, after).await
    }

    async fn set_tenant_metadata(
        &self,
        tenant: &TenantId,
        metadata: JsonObject,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        self.note(Verb::SetTenantMetadata);
        self.store.set_tenant_metadata(tenant, metadata, at).await
    }

    async fn tenant_stats(&self, tenant: &TenantId) -> Result<TenantStats, StorageError> {
        self.note(Verb::TenantStats);
        self.store.tenant_stats(tenant).await
    }

    async fn tenant_usage(
        &self,
        since: Timestamp,
        limit: Limit,
        after: Option<TenantCursor>,
    ) -> Result<Vec<TenantUsage>, StorageError> {
        self.note(Verb::TenantUsage);
        self.store.tenant_usage(since, limit, after).await
    }

    async fn erase_tenant(&self, tenant: &TenantId) -> Result<TenantErasure, StorageError> {
        self.note(Verb::EraseTenant);
        self.store.erase_tenant(tenant).await
    }
}

#[async_trait]
impl ConversationStore for Recorder<'_> {
    async fn create_session(
        &self,
        tenant: &TenantId,
        session: NewSession,
        at: Timestamp,
    ) -> Result<Session, StorageError> {
        self.note(Verb::CreateSession);
        self.store.create_session(tenant, session, at).await
    }

    async fn session(
        &self,
        tenant: &TenantId,
        id: SessionId,
    ) -> Result<Option<Session>, StorageError> {
        self.note(Verb::Session);
        self.store.session(tenant, id).await
    }

    async fn sessions(
        &self,
        tenant: &TenantId,
        limit: Limit,
        after: Option<SessionCursor>,
    ) -> Result<Vec<Session>, StorageError> {
        self.note(Verb::Sessions);
        self.store.sessions(tenant, limit, after).await
    }

    async fn rename_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
        title: String,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        self.note(Verb::RenameSession);
        self.store.rename_session(tenant, id, title, at).await
    }

    async fn set_session_metadata(
        &self,
        tenant: &TenantId,
        id: SessionId,
        metadata: JsonObject,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        self.note(Verb::SetSessionMetadata);
        self.store
            .set_session_metadata(tenant, id, metadata, at)
            .await
    }

    async fn delete_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        self.note(Verb::DeleteSession);
        self.store.delete_session(tenant, id, at).await
    }

    async fn clear_session(
        &self,
        tenant: &TenantId,
        id: SessionId,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        self.note(Verb::ClearSession);
        self.store.clear_session(tenant, id, at).await
    }

    async fn append(
        &self,
        tenant: &TenantId,
        session: SessionId,
        messages: Vec<NewMessage>,
        at: Timestamp,
    ) -> Result<Vec<Message>, StorageError> {
        self.note(Verb::Append);
        self.store.append(tenant, session, messages, at).await
    }

    async fn message(
        &self,
        tenant: &TenantId,
        id: MessageId,
    ) -> Result<Option<Message>, StorageError> {
        self.note(Verb::Message);
        self.store.message(tenant, id).await
    }

    async fn history(
        &self,
        tenant: &TenantId,
        session: SessionId,
        limit: Limit,
        before: Option<i64>,
    ) -> Result<Vec<Message>, StorageError> {
        self.note(Verb::History);
        self.store.history(tenant, session, limit, before).await
    }

    async fn messages_between(
        &self,
        tenant: &TenantId,
        range: MessageRange,
        limit: Limit,
    ) -> Result<Vec<Message>, StorageError> {
        self.note(Verb::MessagesBetween);
        self.store.messages_between(tenant, range, limit).await
    }
}

#[async_trait]
impl GraphStore for Recorder<'_> {
    async fn remember(
        &self,
        tenant: &TenantId,
        nodes: Vec<NewNode>,
        at: Timestamp,
    ) -> Result<Vec<NodeId>, StorageError> {
        self.note(Verb::Remember);
        self.store.remember(tenant, nodes, at).await
    }

    async fn node(&self, tenant: &TenantId, id: NodeId) -> Result<Option<Node>, StorageError> {
        self.note(Verb::Node);
        self.store.node(tenant, id).await
    }

    async fn node_by_key(
        &self,
        tenant: &TenantId,
        key: &EntityKey,
    ) -> Result<Option<Node>, StorageError> {
        self.note(Verb::NodeByKey);
        self.store.node_by_key(tenant, key).await
    }

    async fn nodes(
        &self,
        tenant: &TenantId,
        filter: NodeFilter,
        limit: Limit,
    ) -> Result<Vec<Node>, StorageError> {
        self.note(Verb::Nodes);
        self.store.nodes(tenant, filter, limit).await
    }

    async fn update_node(
        &self,
        tenant: &TenantId,
        id: NodeId,
        patch: NodePatch,
        at: Timestamp,
    ) -> Result<Node, StorageError> {
        self.note(Verb::UpdateNode);
        self.store.update_node(tenant, id, patch, at).await
    }

    async fn forget_node(
        &self,
        tenant: &TenantId,
        id: NodeId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        self.note(Verb::ForgetNode);
        self.store.forget_node(tenant, id, at).await
    }

    async fn forget_older_than(
        &self,
        tenant: &TenantId,
        retention: Retention,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        self.note(Verb::ForgetOlderThan);
        self.store.forget_older_than(tenant, retention, at).await
    }

    async fn record_access(
        &self,
        tenant: &TenantId,
        id: NodeId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        self.note(Verb::RecordAccess);
        self.store.record_access(tenant, id, at).await
    }

    async fn relate(
        &self,
        tenant: &TenantId,
        relationship: NewRelationship,
        at: Timestamp,
    ) -> Result<Relationship, StorageError> {
        self.note(Verb::Relate);
        self.store.relate(tenant, relationship, at).await
    }

    async fn reinforce(
        &self,
        tenant: &TenantId,
        reinforcement: Reinforcement,
        at: Timestamp,
    ) -> Result<Relationship, StorageError> {
        self.note(Verb::Reinforce);
        self.store.reinforce(tenant, reinforcement, at).await
    }

    async fn relationship(
        &self,
        tenant: &TenantId,
        id: RelationshipId,
    ) -> Result<Option<Relationship>, StorageError> {
        self.note(Verb::Relationship);
        self.store.relationship(tenant, id).await
    }

    async fn relationships(
        &self,
        tenant: &TenantId,
        filter: RelationshipFilter,
        limit: Limit,
    ) -> Result<Vec<Relationship>, StorageError> {
        self.note(Verb::Relationships);
        self.store.relationships(tenant, filter, limit).await
    }

    async fn unrelate(
        &self,
        tenant: &TenantId,
        id: RelationshipId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        self.note(Verb::Unrelate);
        self.store.unrelate(tenant, id, at).await
    }

    async fn prune(
        &self,
        tenant: &TenantId,
        min_strength: f64,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        self.note(Verb::Prune);
        self.store.prune(tenant, min_strength, at).await
    }

    async fn neighbours(
        &self,
        tenant: &TenantId,
        node: NodeId,
        direction: Direction,
        kind: Option<RelationshipKind>,
        limit: Limit,
    ) -> Result<Vec<Neighbour>, StorageError> {
        self.note(Verb::Neighbours);
        self.store
            .neighbours(tenant, node, direction, kind, limit)
            .await
    }

    async fn traverse(
        &self,
        tenant: &TenantId,
        node: NodeId,
        options: TraverseOptions,
    ) -> Result<Vec<Reached>, StorageError> {
        self.note(Verb::Traverse);
        self.store.traverse(tenant, node, options).await
    }

    async fn load(&self, tenant: &TenantId, limit: Limit) -> Result<Graph, StorageError> {
        self.note(Verb::Load);
        self.store.load(tenant, limit).await
    }
}

#[async_trait]
impl LearningStore for Recorder<'_> {
    async fn record_compound(
        &self,
        tenant: &TenantId,
        compound: NewCompound,
        at: Timestamp,
    ) -> Result<Compound, StorageError> {
        self.note(Verb::RecordCompound);
        self.store.record_compound(tenant, compound, at).await
    }

    async fn compounds(
        &self,
        tenant: &TenantId,
        filter: CompoundFilter,
        limit: Limit,
    ) -> Result<Vec<Compound>, StorageError> {
        self.note(Verb::Compounds);
        self.store.compounds(tenant, filter, limit).await
    }

    async fn learn(
        &self,
        tenant: &TenantId,
        turn: Turn,
        at: Timestamp,
    ) -> Result<LearnedTurn, StorageError> {
        self.note(Verb::Learn);
        self.store.learn(tenant, turn, at).await
    }

    async fn turn(
        &self,
        tenant: &TenantId,
        id: TurnId,
    ) -> Result<Option<LearnedTurn>, StorageError> {
        self.note(Verb::Turn);
        self.store.turn(tenant, id).await
    }

    async fn recall(
        &self,
        tenant: &TenantId,
        text: &str,
        limit: Limit,
    ) -> Result<Vec<Recalled>, StorageError> {
        self.note(Verb::Recall);
        self.store.recall(tenant, text, limit).await
    }
}

#[async_trait]
impl SearchStore for Recorder<'_> {
    async fn search(
        &self,
        tenant: &TenantId,
        query: SearchQuery,
        limit: Limit,
    ) -> Result<Vec<SearchHit>, StorageError> {
        self.note(Verb::Search);
        self.store.search(tenant, query, limit).await
    }
}
