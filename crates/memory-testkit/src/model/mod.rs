//! What a store must do, in plain Rust and in memory: what random use is compared with.

mod agency;
mod audit;
mod conversations;
mod decisions;
mod feedback;
mod files;
mod goals;
mod graph;
mod learning;
mod missions;
mod patches;
mod search;
mod tasks;
mod tenants;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use memory_domain::{
    AgencySnapshot, AgencySnapshotId, AuditEvent, AuditEventId, Compound, CompoundId, Decision,
    DecisionId, Feedback, FeedbackId, FileSnapshot, FileSnapshotId, Goal, GoalId, JsonObject,
    LearnedTurn, Limit, Message, MessageId, Mission, MissionId, Node, NodeId, PatchId,
    PatchRequest, Record, Relationship, RelationshipId, Session, SessionId, Task, TaskId, Tenant,
    TenantId, Timestamp, TurnId,
};
use memory_storage::StorageError;

/// A model of the store: every verb, in memory.
///
/// It says what the contract says, and nothing of how long anything takes.
#[derive(Debug, Default)]
pub struct Model(Mutex<State>);

type State = BTreeMap<TenantId, Belongings>;

/// Everything of one tenant.
#[derive(Debug, Clone, PartialEq)]
struct Belongings {
    tenant: Tenant,
    sessions: BTreeMap<SessionId, Session>,
    messages: BTreeMap<MessageId, Message>,
    nodes: BTreeMap<NodeId, Node>,
    relationships: BTreeMap<RelationshipId, Relationship>,
    compounds: BTreeMap<CompoundId, Compound>,
    turns: BTreeMap<TurnId, LearnedTurn>,
    feedback: BTreeMap<FeedbackId, Feedback>,
    decisions: BTreeMap<DecisionId, Decision>,
    audit_events: BTreeMap<AuditEventId, AuditEvent>,
    tasks: BTreeMap<TaskId, Task>,
    missions: BTreeMap<MissionId, Mission>,
    snapshots: BTreeMap<FileSnapshotId, FileSnapshot>,
    patches: BTreeMap<PatchId, PatchRequest>,
    goals: BTreeMap<GoalId, Goal>,
    agency: BTreeMap<AgencySnapshotId, AgencySnapshot>,
}

/// How seldom activity is noted.
const MINUTE: Duration = Duration::from_mins(1);

impl Belongings {
    fn new(id: &TenantId, at: Timestamp) -> Belongings {
        Belongings {
            tenant: Tenant {
                id: id.clone(),
                created_at: at,
                last_active_at: at,
                metadata: JsonObject::new(),
            },
            sessions: BTreeMap::new(),
            messages: BTreeMap::new(),
            nodes: BTreeMap::new(),
            relationships: BTreeMap::new(),
            compounds: BTreeMap::new(),
            turns: BTreeMap::new(),
            feedback: BTreeMap::new(),
            decisions: BTreeMap::new(),
            audit_events: BTreeMap::new(),
            tasks: BTreeMap::new(),
            missions: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            patches: BTreeMap::new(),
            goals: BTreeMap::new(),
            agency: BTreeMap::new(),
        }
    }
}

impl Model {
    /// A model that holds nothing.
    pub fn new() -> Model {
        Model::default()
    }

    /// Another model that holds the same: for a unit of work, which may be undone.
    pub fn fork(&self) -> Model {
        Model(Mutex::new(self.state().clone()))
    }

    /// Everything of a tenant, in the order in which stores list records.
    pub fn records(&self, tenant: &TenantId) -> Vec<Record> {
        self.read(tenant, |own| {
            let sessions = own.sessions.values().cloned().map(Record::Session);
            let messages = own.messages.values().cloned().map(Record::Message);
            let nodes = own.nodes.values().cloned().map(Record::Node);
            let links = own
                .relationships
                .values()
                .cloned()
                .map(Record::Relationship);
            std::iter::once(Record::Tenant(own.tenant.clone()))
                .chain(sessions)
                .chain(messages)
                .chain(nodes)
                .chain(links)
                .chain(own.compounds.values().cloned().map(Record::Compound))
                .chain(own.turns.values().cloned().map(Record::LearnedTurn))
                .chain(own.feedback.values().cloned().map(Record::Feedback))
                .chain(own.decisions.values().cloned().map(Record::Decision))
                .chain(own.audit_events.values().cloned().map(Record::AuditEvent))
                .chain(own.tasks.values().cloned().map(Record::Task))
                .chain(own.missions.values().cloned().map(Record::Mission))
                .chain(own.snapshots.values().cloned().map(Record::FileSnapshot))
                .chain(own.patches.values().cloned().map(Record::PatchRequest))
                .chain(own.goals.values().cloned().map(Record::Goal))
                .chain(own.agency.values().cloned().map(Record::AgencySnapshot))
                .collect()
        })
        .unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0
            .lock()
            .expect("no verb panics while it holds the lock")
    }

    /// Looks at what a tenant has; `None` if it is not there.
    fn read<T>(&self, tenant: &TenantId, look: impl FnOnce(&Belongings) -> T) -> Option<T> {
        self.state().get(tenant).map(look)
    }

    /// Changes what a tenant has, wholly or not at all. The tenant comes into being if it then has
    /// something, and is active if something changed.
    fn write<T>(
        &self,
        tenant: &TenantId,
        at: Timestamp,
        change: impl FnOnce(&mut Belongings) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let mut state = self.state();
        let before = state.get(tenant).cloned();
        let before = before.unwrap_or_else(|| Belongings::new(tenant, at));
        let mut after = before.clone();
        let value = change(&mut after)?;
        if after != before {
            if at >= after.tenant.last_active_at.after(MINUTE) {
                after.tenant.last_active_at = at;
            }
            state.insert(tenant.clone(), after);
        }
        Ok(value)
    }
}

/// The rows of a listing: those after `after`, in the order of their keys, no more than `limit`.
fn page<T, K: Ord>(
    rows: impl Iterator<Item = T>,
    key: impl Fn(&T) -> K,
    after: Option<K>,
    limit: Limit,
) -> Vec<T> {
    let mut rows: Vec<T> = match after {
        Some(after) => rows.filter(|row| key(row) > after).collect(),
        None => rows.collect(),
    };
    rows.sort_by_key(key);
    rows.truncate(limit.rows() as usize);
    rows
}

/// Whether a moment lies between two, both included.
fn within(at: Timestamp, from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
    from.is_none_or(|from| from <= at) && to.is_none_or(|to| at <= to)
}

fn not_found(what: &'static str, id: impl Display) -> StorageError {
    let id = id.to_string();
    StorageError::NotFound { what, id }
}

fn conflict(what: &'static str, id: impl Display) -> StorageError {
    let id = id.to_string();
    StorageError::Conflict { what, id }
}

fn missing(what: &'static str, id: impl Display) -> StorageError {
    let id = id.to_string();
    StorageError::MissingReference { what, id }
}

/// Refuses a batch of more than 1,000.
fn check_batch(field: &'static str, len: usize) -> Result<(), StorageError> {
    if len <= memory_domain::limits::BATCH_MAX {
        return Ok(());
    }
    let problem = "give at most 1000 in one batch";
    Err(memory_domain::InvalidInput::new(field, len, problem).into())
}

#[cfg(test)]
mod tests {
    use super::Model;
    use crate::run::{Law, runtime, scenarios};

    #[test]
    fn the_model_keeps_every_law_of_verbs() {
        let runtime = runtime();
        for scenario in scenarios() {
            if let Law::OfVerbs(law) = scenario.law {
                println!("{}", scenario.name);
                runtime.block_on(async { law(&Model::new()).await });
            }
        }
    }
}
