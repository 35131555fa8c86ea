use std::time::Duration;

use memory_domain::{
    ActiveGoalCursor, AgencyFilter, AuditFilter, CompoundFilter, DecisionFilter, DecisionId,
    Direction, EntityKey, FeedbackFilter, FileSnapshotCursor, GoalFilter, GoalId, GoalStatus,
    JsonObject, Lease, Limit, MessageId, MessageRange, MissionFilter, NewAgencySnapshot,
    NewAuditEvent, NewCompound, NewDecision, NewFeedback, NewFileSnapshot, NewGoal, NewMessage,
    NewMission, NewNode, NewPatch, NewRelationship, NewSession, NewTask, NodeFilter, NodeId,
    NodePatch, PatchFilter, PatchId, PatchReview, Record, Reinforcement, RelationshipFilter,
    RelationshipId, RelationshipKind, Retention, SearchQuery, SessionCursor, SessionId, TaskClaim,
    TaskFailure, TaskFilter, TaskId, Tenant, TenantId, Timestamp, TraverseOptions, Turn, TurnId,
};
use memory_storage::{MemoryStore, StorageError};
use serde_json::Value;

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
    EraseTenant,
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
    ForgetOlderThan(Retention),
    RecordAccess(NodeId),
    Relate(NewRelationship),
    Reinforce(Reinforcement),
    Relationship(RelationshipId),
    Relationships(RelationshipFilter, Limit),
    Unrelate(RelationshipId),
    Prune(f64),
    Neighbours(NodeId, Direction, Option<RelationshipKind>, Limit),
    Traverse(NodeId, TraverseOptions),
    Load(Limit),
    RecordCompound(NewCompound),
    Compounds(CompoundFilter, Limit),
    Learn(Turn),
    Turn(TurnId),
    RecordFeedback(NewFeedback),
    Feedback(FeedbackFilter, Limit),
    RecordDecision(NewDecision),
    Decision(DecisionId),
    Decisions(DecisionFilter, Limit),
    RecordEvents(Vec<NewAuditEvent>),
    AuditEvents(AuditFilter, Limit),
    CreateTask(NewTask),
    Task(TaskId),
    TaskByExternalId(String),
    Tasks(TaskFilter, Limit),
    ClaimTask(TaskClaim),
    StartTask(TaskId, Lease),
    ExtendLease(TaskId, Lease),
    FinishTask(TaskId, String, Option<Value>),
    FailTask(TaskId, String, TaskFailure),
    CancelTask(TaskId),
    DeleteFinishedTasks(Duration),
    LogMission(NewMission),
    Mission(String),
    Missions(MissionFilter, Limit),
    RecordFileSnapshot(NewFileSnapshot),
    FileHistory(String, Limit, Option<FileSnapshotCursor>),
    MissionSnapshots(String, Limit, Option<FileSnapshotCursor>),
    FilesOfMission(String, Limit),
    MissionsOfFile(String, Limit),
    RiskyFiles(Limit),
    KnowledgeStats,
    RequestPatch(NewPatch),
    Patch(PatchId),
    Patches(PatchFilter, Limit),
    ReviewPatch(PatchId, PatchReview),
    ApplyPatch(PatchId),
    FailPatch(PatchId, String),
    SaveGoal(NewGoal),
    Goal(GoalId),
    Goals(GoalFilter, Limit),
    ActiveGoals(Limit, Option<ActiveGoalCursor>),
    SetGoalStatus(GoalId, GoalStatus),
    RecordAgencySnapshot(NewAgencySnapshot),
    LatestAgencySnapshot,
    AgencySnapshots(AgencyFilter, Limit),
    Recall(String, Limit),
    Search(SearchQuery, Limit),
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
            Call::EraseTenant => value(store.erase_tenant(tenant).await?),
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
            Call::ForgetOlderThan(retention) => {
                value(store.forget_older_than(tenant, retention, at).await?)
            }
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
            Call::Traverse(id, options) => {
                let reached = store.traverse(tenant, id, options).await?;
                let reached = reached.iter();
                value(
                    reached
                        .map(|one| (one.node.id, one.depth, one.weight))
                        .collect::<Vec<_>>(),
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
            Call::RecordCompound(new) => one(
                store.record_compound(tenant, new, at).await?,
                Record::Compound,
            ),
            Call::Compounds(filter, limit) => records(
                store.compounds(tenant, filter, limit).await?,
                Record::Compound,
            ),
            Call::Learn(turn) => one(store.learn(tenant, turn, at).await?, Record::LearnedTurn),
            Call::Recall(text, limit) => {
                let recalled = store.recall(tenant, &text, limit).await?;
                let recalled = recalled.iter().map(|one| (one.node.id, one.score));
                value(recalled.collect::<Vec<_>>())
            }
            Call::Turn(id) => records(store.turn(tenant, id).await?, Record::LearnedTurn),
            Call::Search(query, limit) => {
                let hits = store.search(tenant, query, limit).await?;
                value(
                    hits.iter()
                        .map(|hit| (hit.cursor(), &hit.places))
                        .collect::<Vec<_>>(),
                )
            }
            other => return other.make_in_activity(store, tenant, at).await,
        })
    }
}

fn done((): ()) -> Outcome {
    Outcome::Done
}

pub(super) fn value(value: impl std::fmt::Debug) -> Outcome {
    Outcome::Value(format!("{value:?}"))
}

pub(super) fn one<T>(row: T, record: impl Fn(T) -> Record) -> Outcome {
    Outcome::Records(vec![record(row)])
}

pub(super) fn records<T>(
    rows: impl IntoIterator<Item = T>,
    record: impl Fn(T) -> Record,
) -> Outcome {
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
