use memory_domain::{
    Direction, EntityKey, JsonObject, Limit, MessageId, MessageRange, NewMessage, NewNode,
    NewRelationship, NewSession, NodeFilter, NodeId, NodePatch, Record, Reinforcement,
    RelationshipFilter, RelationshipId, RelationshipKind, SessionCursor, SessionId, Tenant,
    TenantId, Timestamp,
};
use memory_storage::{MemoryStore, StorageError};

/// One step of random use.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Which of the tenants does it.
    pub tenant: usize,
    /// How many days have passed since the step before.
    pub days: i64,
    /// What it does.
    pub call: Call,
}

/// A verb with its arguments, or the beginning or end of a unit of work.
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "each is the verb of its name, with that verb's arguments"
)]
pub enum Call {
    Begin,
    Commit,
    Rollback,
    Drop,
    CreateTenant(JsonObject),
    Tenant,
    SetTenantMetadata(JsonObject),
    TenantStats,
    CreateSession(NewSession),
    Session(SessionId),
    Sessions(Limit, Option<SessionCursor>),
    RenameSession(SessionId, String),
    SetSessionMetadata(SessionId, JsonObject),
    DeleteSession(SessionId),
    ClearSession(SessionId),
    Append(SessionId, Vec<NewMessage>),
    Message(MessageId),
    History(SessionId, Limit, Option<i64>),
    MessagesBetween(MessageRange, Limit),
    Remember(Vec<NewNode>),
    Node(NodeId),
    NodeByKey(EntityKey),
    Nodes(NodeFilter, Limit),
    UpdateNode(NodeId, NodePatch),
    ForgetNode(NodeId),
    RecordAccess(NodeId),
    Relate(NewRelationship),
    Reinforce(Reinforcement),
    Relationship(RelationshipId),
    Relationships(RelationshipFilter, Limit),
    Unrelate(RelationshipId),
    Prune(f64),
    Neighbours(NodeId, Direction, Option<RelationshipKind>, Limit),
    Load(Limit),
}

/// What a verb gave, in a form that can be compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// `()`.
    Done,
    /// A number, an id or counts.
    Value(String),
    /// What was read or written, in its order.
    Records(Vec<Record>),
}

impl Call {
    /// Makes the call.
    pub(crate) async fn make(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        at: Timestamp,
    ) -> Result<Outcome, StorageError> {
        Ok(match self {
            Call::Begin | Call::Commit | Call::Rollback | Call::Drop => Outcome::Done,
            Call::CreateTenant(metadata) => {
                one(store.create_tenant(tenant, metadata, at).await?, of_tenant)
            }
            Call::Tenant => records(store.tenant(tenant).await?, of_tenant),
            Call::SetTenantMetadata(metadata) => {
                done(store.set_tenant_metadata(tenant, metadata, at).await?)
            }
            Call::TenantStats => value(store.tenant_stats(tenant).await?),
            other => return other.make_in_conversations(store, tenant, at).await,
        })
    }

    async fn make_in_conversations(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        at: Timestamp,
    ) -> Result<Outcome, StorageError> {
        let (session, message) = (Record::Session, Record::Message);
        Ok(match self {
            Call::CreateSession(new) => one(store.create_session(tenant, new, at).await?, session),
            Call::Session(id) => records(store.session(tenant, id).await?, session),
            Call::Sessions(limit, after) => {
                records(store.sessions(tenant, limit, after).await?, session)
            }
            Call::RenameSession(id, title) => {
                done(store.rename_session(tenant, id, title, at).await?)
            }
            Call::SetSessionMetadata(id, metadata) => {
                done(store.set_session_metadata(tenant, id, metadata, at).await?)
            }
            Call::DeleteSession(id) => done(store.delete_session(tenant, id, at).await?),
            Call::ClearSession(id) => value(store.clear_session(tenant, id, at).await?),
            Call::Append(id, batch) => records(store.append(tenant, id, batch, at).await?, message),
            Call::Message(id) => records(store.message(tenant, id).await?, message),
            Call::History(id, limit, before) => {
                records(store.history(tenant, id, limit, before).await?, message)
            }
            Call::MessagesBetween(range, limit) => {
                records(store.messages_between(tenant, range, limit).await?, message)
            }
            other => return other.make_in_graph(store, tenant, at).await,
        })
    }

    async fn make_in_graph(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        at: Timestamp,
    ) -> Result<Outcome, StorageError> {
        let (node, link) = (Record::Node, Record::Relationship);
        Ok(match self {
            Call::Remember(nodes) => value(store.remember(tenant, nodes, at).await?),
            Call::Node(id) => records(store.node(tenant, id).await?, node),
            Call::NodeByKey(key) => records(store.node_by_key(tenant, &key).await?, node),
            Call::Nodes(filter, limit) => records(store.nodes(tenant, filter, limit).await?, node),
            Call::UpdateNode(id, patch) => {
                one(store.update_node(tenant, id, patch, at).await?, node)
            }
            Call::ForgetNode(id) => done(store.forget_node(tenant, id, at).await?),
            Call::RecordAccess(id) => done(store.record_access(tenant, id, at).await?),
            Call::Relate(new) => one(store.relate(tenant, new, at).await?, link),
            Call::Reinforce(step) => one(store.reinforce(tenant, step, at).await?, link),
            Call::Relationship(id) => records(store.relationship(tenant, id).await?, link),
            Call::Relationships(filter, limit) => {
                records(store.relationships(tenant, filter, limit).await?, link)
            }
            Call::Unrelate(id) => done(store.unrelate(tenant, id, at).await?),
            Call::Prune(least) => value(store.prune(tenant, least, at).await?),
            Call::Neighbours(id, direction, kind, limit) => {
                let found = store.neighbours(tenant, id, direction, kind, limit).await?;
                let found = found.into_iter();
                Outcome::Records(
                    found
                        .flat_map(|next| [link(next.relationship), node(next.node)])
                        .collect(),
                )
            }
            Call::Load(limit) => {
                let graph = store.load(tenant, limit).await?;
                let nodes = graph.nodes.into_iter().map(node);
                Outcome::Records(
                    nodes
                        .chain(graph.relationships.into_iter().map(link))
                        .collect(),
                )
            }
            other => unreachable!("{other:?} is handled before"),
        })
    }
}

fn done((): ()) -> Outcome {
    Outcome::Done
}

fn value(value: impl std::fmt::Debug) -> Outcome {
    Outcome::Value(format!("{value:?}"))
}

fn one<T>(row: T, record: impl Fn(T) -> Record) -> Outcome {
    Outcome::Records(vec![record(row)])
}

fn records<T>(rows: impl IntoIterator<Item = T>, record: impl Fn(T) -> Record) -> Outcome {
    Outcome::Records(rows.into_iter().map(record).collect())
}

/// A tenant without its time of activity, which is compared apart: whether a repetition that
/// changes nothing counts as activity is the store's affair.
pub(crate) fn of_tenant(tenant: Tenant) -> Record {
    Record::Tenant(Tenant {
        last_active_at: tenant.created_at,
        ..tenant
    })
}
