//! What scenarios write with: ids, moments and objects in a word, and everything that is stored.

use memory_domain::{
    AgencyMeasures, AgencySnapshotId, AuditEventId, AuditSeverity, CompoundId, DecisionId,
    EntityKey, EntityType, FeedbackId, FileSnapshotId, GoalId, JsonObject, Limit, MessageId,
    MissionId, MissionStatus, NewAgencySnapshot, NewAuditEvent, NewDecision, NewFeedback,
    NewFileSnapshot, NewGoal, NewMessage, NewMission, NewNode, NewPatch, NewRelationship,
    NewSession, NewTask, Node, NodeId, PatchId, Record, RecordKind, RelationshipId,
    RelationshipKind, SessionId, TaskId, TenantId, Timestamp, TurnId,
};
use memory_storage::{MemoryStore, Storage};
use serde_json::Value;
use uuid::Uuid;

/// Asserts that a verb was refused with one variant of `StorageError`.
macro_rules! assert_refused {
    ($result:expr, $variant:ident) => {
        match $result {
            Err(memory_storage::StorageError::$variant { .. }) => {}
            other => panic!(
                "{} gave {other:?} instead of {}",
                stringify!($result),
                stringify!($variant)
            ),
        }
    };
}
pub(crate) use assert_refused;

/// 2026-01-01T00:00:00Z, the moment zero of the scenarios.
const ZERO_MICROS: i64 = 1_767_225_600_000_000;

/// The moment that lies so many seconds after zero.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(ZERO_MICROS + seconds * 1_000_000).unwrap()
}

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

/// The tenant of scenarios that need only one.
pub(crate) fn ada() -> TenantId {
    tenant("ada")
}

pub(crate) fn limit(rows: u32) -> Limit {
    Limit::new(rows).unwrap()
}

/// An object written with `json!`.
pub(crate) fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

pub(crate) fn session_id(n: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn message_id(n: u128) -> MessageId {
    MessageId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn node_id(n: u128) -> NodeId {
    NodeId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn relationship_id(n: u128) -> RelationshipId {
    RelationshipId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn compound_id(n: u128) -> CompoundId {
    CompoundId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn turn_id(n: u128) -> TurnId {
    TurnId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn decision_id(n: u128) -> DecisionId {
    DecisionId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn feedback_id(n: u128) -> FeedbackId {
    FeedbackId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn event_id(n: u128) -> AuditEventId {
    AuditEventId::from_uuid(Uuid::from_u128(n))
}

/// A decision with a small id.
pub(crate) fn new_decision(id: u128, text: &str) -> NewDecision {
    NewDecision::new(text).with_id(decision_id(id))
}

/// Feedback with a small id.
pub(crate) fn new_feedback(id: u128, rating: i64) -> NewFeedback {
    NewFeedback::new(rating).with_id(feedback_id(id))
}

/// An event with a small id, so many seconds after zero.
pub(crate) fn new_event(id: u128, event_type: &str, seconds: i64) -> NewAuditEvent {
    NewAuditEvent::new(event_type, AuditSeverity::Info, at(seconds)).with_id(event_id(id))
}

pub(crate) fn task_id(n: u128) -> TaskId {
    TaskId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn mission_id(n: u128) -> MissionId {
    MissionId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn snapshot_id(n: u128) -> FileSnapshotId {
    FileSnapshotId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn patch_id(n: u128) -> PatchId {
    PatchId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn goal_id(n: u128) -> GoalId {
    GoalId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn agency_id(n: u128) -> AgencySnapshotId {
    AgencySnapshotId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn kind(word: &str) -> RelationshipKind {
    RelationshipKind::new(word).unwrap()
}

/// A session with a small id.
pub(crate) fn new_session(id: u128, title: &str) -> NewSession {
    NewSession::new(title).with_id(session_id(id))
}

/// A user's message with a small id.
pub(crate) fn new_message(id: u128, content: &str) -> NewMessage {
    NewMessage::user(content).with_id(message_id(id))
}

/// A node without a key, with a small id.
pub(crate) fn new_node(id: u128) -> NewNode {
    NewNode::new(memory_domain::ContextType::ConversationFact).with_id(node_id(id))
}

/// A node that is known outside as (`file`, `name`), with a small id.
pub(crate) fn new_file(id: u128, name: &str) -> NewNode {
    NewNode::entity(EntityType::FILE, name)
        .unwrap()
        .with_id(node_id(id))
}

/// A task with a small id.
pub(crate) fn new_task(id: u128) -> NewTask {
    NewTask::new("index", "search").with_id(task_id(id))
}

/// A mission with a small id.
pub(crate) fn new_mission(id: u128, key: &str) -> NewMission {
    NewMission::new(key, MissionStatus::SUCCESS).with_id(mission_id(id))
}

/// A snapshot with a small id.
pub(crate) fn new_snapshot(id: u128, path: &str) -> NewFileSnapshot {
    NewFileSnapshot::new(path).with_id(snapshot_id(id))
}

/// A patch with a small id.
pub(crate) fn new_patch(id: u128, component: &str) -> NewPatch {
    NewPatch::new("src/lib.rs", component, "speed").with_id(patch_id(id))
}

/// An active goal of importance 5 with a small id.
pub(crate) fn new_goal(id: u128, description: &str) -> NewGoal {
    NewGoal::new(description, 5, "medium").with_id(goal_id(id))
}

/// A snapshot with a small id, in which nothing but the change of agency was measured.
pub(crate) fn new_agency(id: u128, delta_agency: f64) -> NewAgencySnapshot {
    let measures = AgencyMeasures {
        delta_agency,
        ..AgencyMeasures::default()
    };
    NewAgencySnapshot::new(measures).with_id(agency_id(id))
}

pub(crate) fn file_key(name: &str) -> EntityKey {
    EntityKey::new("file", name).unwrap()
}

/// A directed relationship of full strength with a small id.
pub(crate) fn new_link(id: u128, from: u128, word: &str, to: u128) -> NewRelationship {
    NewRelationship::new(node_id(from), kind(word), node_id(to)).with_id(relationship_id(id))
}

/// Creates session 1 of a tenant.
pub(crate) async fn given_session(store: &dyn MemoryStore, tenant: &TenantId) {
    store
        .create_session(tenant, new_session(1, "talk"), at(0))
        .await
        .unwrap();
}

/// Remembers nodes without keys, with the ids `1..=count`.
pub(crate) async fn given_nodes(store: &dyn MemoryStore, tenant: &TenantId, count: u128) {
    let nodes = (1..=count).map(new_node).collect();
    store.remember(tenant, nodes, at(0)).await.unwrap();
}

/// Looks up a node that must be there.
pub(crate) async fn the_node(store: &dyn MemoryStore, tenant: &TenantId, id: u128) -> Node {
    let node = store.node(tenant, node_id(id)).await.unwrap();
    node.unwrap_or_else(|| panic!("node {id} of {tenant} is not there"))
}

/// Compares two doubles that a formula gave.
pub(crate) fn assert_close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
}

/// Everything that a store holds, of one tenant or of all, read from one frozen state.
pub(crate) async fn everything(storage: &dyn Storage, tenant: Option<&TenantId>) -> Vec<Record> {
    let mut reader = storage.reader().await.unwrap();
    let mut records = Vec::new();
    for kind in RecordKind::ALL {
        let mut after = None;
        loop {
            let page = reader
                .page(kind, tenant, after.as_ref(), 500)
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.key());
            records.extend(page);
        }
    }
    records
}

/// Everything of one tenant in canonical encoding, the tenant's name left out, so that tenants who
/// did the same compare as equal. The name must occur in nothing that is stored.
pub(crate) async fn export(storage: &dyn Storage, tenant: &TenantId) -> Vec<String> {
    let records = everything(storage, Some(tenant)).await;
    let name = tenant.as_str();
    records
        .iter()
        .map(|record| record.canonical().replace(name, "TENANT"))
        .collect()
}
