//! Tasks, missions, files and patch requests in random use.

use std::time::Duration;

use memory_domain::{
    FileSnapshotCursor, FileSnapshotId, Lease, Limit, MissionCursor, MissionFilter, MissionId,
    MissionStatus, NewFileSnapshot, NewMission, NewPatch, NewRelationship, NewTask, NodeId,
    PatchCursor, PatchFilter, PatchId, PatchReview, PatchStatus, Record, RelationshipId,
    RelationshipKind, TaskClaim, TaskCursor, TaskFailure, TaskFilter, TaskId, TaskStatus, TenantId,
    Timestamp,
};
use memory_storage::{MemoryStore, StorageError};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Call;
use super::call::{Outcome, one, records, value};
use super::strategy::{IDS, limit, moment, mostly, uuid};

impl Call {
    pub(super) async fn make_in_activity(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        at: Timestamp,
    ) -> Result<Outcome, StorageError> {
        let task = Record::Task;
        Ok(match self {
            Call::CreateTask(new) => one(store.create_task(tenant, new, at).await?, task),
            Call::Task(id) => records(store.task(tenant, id).await?, task),
            Call::TaskByExternalId(id) => {
                records(store.task_by_external_id(tenant, &id).await?, task)
            }
            Call::Tasks(filter, limit) => records(store.tasks(tenant, filter, limit).await?, task),
            Call::ClaimTask(claim) => records(store.claim_task(tenant, claim, at).await?, task),
            Call::StartTask(id, lease) => one(store.start_task(tenant, id, lease, at).await?, task),
            Call::ExtendLease(id, lease) => {
                one(store.extend_lease(tenant, id, lease, at).await?, task)
            }
            Call::FinishTask(id, worker, result) => {
                let finished = store.finish_task(tenant, id, &worker, result, at).await?;
                one(finished, task)
            }
            Call::FailTask(id, worker, failure) => one(
                store.fail_task(tenant, id, &worker, failure, at).await?,
                task,
            ),
            Call::CancelTask(id) => one(store.cancel_task(tenant, id, at).await?, task),
            Call::DeleteFinishedTasks(age) => {
                value(store.delete_finished_tasks(tenant, age, at).await?)
            }
            other => return other.make_in_missions(store, tenant, at).await,
        })
    }

    async fn make_in_missions(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        at: Timestamp,
    ) -> Result<Outcome, StorageError> {
        let (mission, snapshot) = (Record::Mission, Record::FileSnapshot);
        let (node, patch) = (Record::Node, Record::PatchRequest);
        Ok(match self {
            Call::LogMission(new) => one(store.log_mission(tenant, new, at).await?, mission),
            Call::Mission(key) => records(store.mission(tenant, &key).await?, mission),
            Call::Missions(filter, limit) => {
                records(store.missions(tenant, filter, limit).await?, mission)
            }
            Call::RecordFileSnapshot(new) => {
                one(store.record_file_snapshot(tenant, new, at).await?, snapshot)
            }
            Call::FileHistory(file, limit, after) => {
                let found = store.file_history(tenant, &file, limit, after).await?;
                records(found, snapshot)
            }
            Call::MissionSnapshots(key, limit, after) => {
                let found = store.mission_snapshots(tenant, &key, limit, after).await?;
                records(found, snapshot)
            }
            Call::FilesOfMission(key, limit) => {
                let found = store.files_of_mission(tenant, &key, limit, None).await?;
                records(found, node)
            }
            Call::MissionsOfFile(file, limit) => {
                let found = store.missions_of_file(tenant, &file, limit, None).await?;
                records(found, node)
            }
            Call::RiskyFiles(limit) => value(store.risky_files(tenant, limit).await?),
            Call::KnowledgeStats => value(store.knowledge_stats(tenant).await?),
            Call::RequestPatch(new) => one(store.request_patch(tenant, new, at).await?, patch),
            Call::Patch(id) => records(store.patch(tenant, id).await?, patch),
            Call::Patches(filter, limit) => {
                records(store.patches(tenant, filter, limit).await?, patch)
            }
            Call::ReviewPatch(id, review) => {
                one(store.review_patch(tenant, id, review, at).await?, patch)
            }
            Call::ApplyPatch(id) => one(store.apply_patch(tenant, id, at).await?, patch),
            Call::FailPatch(id, error) => {
                one(store.fail_patch(tenant, id, &error, at).await?, patch)
            }
            other => return other.make_in_goals(store, tenant, at).await,
        })
    }
}

/// What most sequences begin with: tasks and patches to be moved from state to state, and a task that
/// has ended.
pub(super) fn beginnings() -> impl Iterator<Item = Call> {
    let id = |id: &u128| Uuid::from_u128(*id);
    let tasks = IDS[..TASKS].iter().map(id).map(|id| {
        let id = TaskId::from_uuid(id);
        Call::CreateTask(NewTask::new("n", "t").with_id(id).with_max_retries(0))
    });
    let patches = IDS[..PATCHES].iter().map(id).map(|id| {
        let id = PatchId::from_uuid(id);
        Call::RequestPatch(NewPatch::new("f", "a", "t").with_id(id))
    });
    let last = TaskId::from_uuid(Uuid::from_u128(IDS[TASKS - 1]));
    let lease = Lease::new("w", Duration::from_hours(24));
    let ended = [
        Call::StartTask(last, lease),
        Call::FinishTask(last, "w".to_owned(), None),
    ];
    tasks.chain(ended).chain(patches)
}

/// Everything that can be asked of a tenant, whatever it has.
pub(super) fn readings() -> Vec<Call> {
    vec![
        Call::Tasks(TaskFilter::default(), Limit::MAX),
        Call::Missions(MissionFilter::default(), Limit::MAX),
        Call::Patches(PatchFilter::default(), Limit::MAX),
        Call::RiskyFiles(Limit::MAX),
        Call::KnowledgeStats,
    ]
}

/// What can be asked of a record.
pub(super) fn readings_of(record: &Record) -> Vec<Call> {
    match record {
        Record::Task(task) => vec![Call::Task(task.id)],
        Record::Mission(mission) => vec![
            Call::Mission(mission.key.clone()),
            Call::MissionSnapshots(mission.key.clone(), Limit::MAX, None),
            Call::FilesOfMission(mission.key.clone(), Limit::MAX),
        ],
        Record::FileSnapshot(snapshot) => vec![
            Call::FileHistory(snapshot.path.clone(), Limit::MAX, None),
            Call::MissionsOfFile(snapshot.path.clone(), Limit::MAX),
        ],
        Record::PatchRequest(patch) => vec![Call::Patch(patch.id)],
        _ => Vec::new(),
    }
}

const TASKS: usize = 3;
const MISSIONS: usize = 3;
const SNAPSHOTS: usize = 4;
const PATCHES: usize = 2;

fn task() -> impl Strategy<Value = TaskId> {
    mostly(TASKS).prop_map(TaskId::from_uuid)
}

fn patch() -> impl Strategy<Value = PatchId> {
    mostly(PATCHES).prop_map(PatchId::from_uuid)
}

fn word(words: &[&'static str]) -> impl Strategy<Value = String> + use<> {
    select(words.to_vec()).prop_map(str::to_owned)
}

fn worker() -> impl Strategy<Value = String> {
    word(&["v", "w"])
}

fn lease() -> impl Strategy<Value = Lease> {
    (worker(), 1..3_u64).prop_map(|(worker, days)| {
        let day = Duration::from_hours(24);
        Lease::new(worker, day * u32::try_from(days).expect("few"))
    })
}

pub(super) fn tasks() -> BoxedStrategy<Call> {
    let new = (
        uuid(TASKS),
        word(&["t", "u"]),
        select(vec![5_i64, 7]),
        select(vec![0_i64, 2]),
    );
    let new =
        (new, option::of(word(&["e"]))).prop_map(|((id, task_type, priority, retries), e)| {
            NewTask {
                external_id: e,
                ..NewTask::new("n", task_type)
                    .with_id(TaskId::from_uuid(id))
                    .with_priority(priority)
                    .with_max_retries(retries)
            }
        });
    let types = proptest::collection::btree_set(word(&["t", "u"]), 0..2);
    let claim = (lease(), types).prop_map(|(lease, task_types)| TaskClaim { lease, task_types });
    let results: Vec<Value> = vec![json!(1.0), json!({"a": [null]}), json!(null)];
    let failure = (word(&["x", "y"]), option::of(word(&["line"])));
    let failure = failure.prop_map(|(error, traceback)| TaskFailure { error, traceback });
    let ages = vec![Duration::ZERO, Duration::from_hours(24)];
    prop_oneof![
        5 => new.prop_map(Call::CreateTask),
        5 => claim.prop_map(Call::ClaimTask),
        2 => (task(), lease()).prop_map(|(id, lease)| Call::StartTask(id, lease)),
        2 => (task(), lease()).prop_map(|(id, lease)| Call::ExtendLease(id, lease)),
        3 => (task(), worker(), option::of(select(results)))
            .prop_map(|(id, worker, result)| Call::FinishTask(id, worker, result)),
        3 => (task(), worker(), failure)
            .prop_map(|(id, worker, failure)| Call::FailTask(id, worker, failure)),
        2 => task().prop_map(Call::CancelTask),
        1 => select(ages).prop_map(Call::DeleteFinishedTasks),
        1 => task_reads(),
    ]
    .boxed()
}

fn task_reads() -> BoxedStrategy<Call> {
    let after = (moment(), task()).prop_map(|(created_at, id)| TaskCursor { created_at, id });
    let times = (option::of(moment()), option::of(moment()));
    let filter = (
        option::of(select(TaskStatus::ALL.to_vec())),
        times,
        option::of(after),
    );
    let filter = filter.prop_map(|(status, times, after)| TaskFilter {
        status,
        created_from: times.0,
        created_to: times.1,
        after,
    });
    prop_oneof![
        task().prop_map(Call::Task),
        word(&["e", "f"]).prop_map(Call::TaskByExternalId),
        (filter, limit()).prop_map(|(filter, limit)| Call::Tasks(filter, limit)),
    ]
    .boxed()
}

fn key() -> impl Strategy<Value = String> {
    word(&["m", "n"])
}

fn path() -> impl Strategy<Value = String> {
    word(&["a", "é"])
}

/// Numbers whose sums are exact, in whatever order they are added.
fn number() -> impl Strategy<Value = Option<f64>> {
    option::of(select(vec![0.25, 1.5, -2.0]))
}

pub(super) fn missions() -> BoxedStrategy<Call> {
    let ids = (
        uuid(MISSIONS),
        option::of(uuid(4).prop_map(NodeId::from_uuid)),
    );
    let status = select(vec![MissionStatus::SUCCESS, MissionStatus::FAILED]);
    let rest = (option::of(word(&["d"])), number(), number());
    let new = (ids, key(), status, rest).prop_map(|((id, node), key, status, rest)| NewMission {
        domain: rest.0,
        cost_usd: rest.1,
        duration_seconds: rest.2,
        node,
        ..NewMission::new(key, status).with_id(MissionId::from_uuid(id))
    });
    let snapshot = (uuid(SNAPSHOTS), path(), option::of(key()));
    let snapshot = snapshot.prop_map(|(id, path, mission_key)| NewFileSnapshot {
        mission_key,
        ..NewFileSnapshot::new(path).with_id(FileSnapshotId::from_uuid(id))
    });
    let kinds = vec![RelationshipKind::WORKED_ON, RelationshipKind::CAUSED_BUG];
    let ends = (mostly(4), select(kinds), mostly(4), any::<bool>());
    let link = (uuid(5), ends).prop_map(|(id, (from, kind, to, directed))| NewRelationship {
        directed,
        ..NewRelationship::new(NodeId::from_uuid(from), kind, NodeId::from_uuid(to))
            .with_id(RelationshipId::from_uuid(id))
    });
    prop_oneof![
        5 => new.prop_map(Call::LogMission),
        3 => snapshot.prop_map(Call::RecordFileSnapshot),
        2 => link.prop_map(Call::Relate),
        3 => mission_reads(),
    ]
    .boxed()
}

fn mission_reads() -> BoxedStrategy<Call> {
    let id = || uuid(MISSIONS).prop_map(MissionId::from_uuid);
    let after = (moment(), id()).prop_map(|(created_at, id)| MissionCursor { created_at, id });
    let times = (option::of(moment()), option::of(moment()));
    let status = option::of(select(vec![MissionStatus::SUCCESS, MissionStatus::FAILED]));
    let filter = (status, option::of(word(&["d"])), times, option::of(after));
    let filter = filter.prop_map(|(status, domain, times, after)| MissionFilter {
        status,
        domain,
        created_from: times.0,
        created_to: times.1,
        after,
    });
    let after = || {
        let place = (
            moment(),
            uuid(SNAPSHOTS).prop_map(FileSnapshotId::from_uuid),
        );
        option::of(place.prop_map(|(taken_at, id)| FileSnapshotCursor { taken_at, id }))
    };
    prop_oneof![
        key().prop_map(Call::Mission),
        (filter, limit()).prop_map(|(filter, limit)| Call::Missions(filter, limit)),
        (path(), limit(), after())
            .prop_map(|(path, limit, after)| Call::FileHistory(path, limit, after)),
        (key(), limit(), after())
            .prop_map(|(key, limit, after)| Call::MissionSnapshots(key, limit, after)),
        (key(), limit()).prop_map(|(key, limit)| Call::FilesOfMission(key, limit)),
        (path(), limit()).prop_map(|(path, limit)| Call::MissionsOfFile(path, limit)),
        limit().prop_map(Call::RiskyFiles),
        Just(Call::KnowledgeStats),
    ]
    .boxed()
}

pub(super) fn patches() -> BoxedStrategy<Call> {
    let new = (uuid(PATCHES), word(&["a", "b"])).prop_map(|(id, component)| {
        NewPatch::new("f", component, "t").with_id(PatchId::from_uuid(id))
    });
    let review = any::<bool>().prop_map(|approve| PatchReview {
        approve,
        ..PatchReview::approval("eve")
    });
    let after = (moment(), patch()).prop_map(|(created_at, id)| PatchCursor { created_at, id });
    let status = option::of(select(PatchStatus::ALL.to_vec()));
    let filter = (option::of(word(&["a", "b"])), status, option::of(after));
    let filter = filter.prop_map(|(component, status, after)| PatchFilter {
        component,
        status,
        after,
    });
    prop_oneof![
        4 => new.prop_map(Call::RequestPatch),
        3 => (patch(), review).prop_map(|(id, review)| Call::ReviewPatch(id, review)),
        2 => patch().prop_map(Call::ApplyPatch),
        2 => (patch(), word(&["x", "y"])).prop_map(|(id, error)| Call::FailPatch(id, error)),
        1 => patch().prop_map(Call::Patch),
        1 => (filter, limit()).prop_map(|(filter, limit)| Call::Patches(filter, limit)),
    ]
    .boxed()
}
