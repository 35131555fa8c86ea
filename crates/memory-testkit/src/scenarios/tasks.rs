use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use memory_domain::{
    Lease, Limit, NewTask, Task, TaskClaim, TaskFailure, TaskFilter, TaskStatus, TenantId,
};
use memory_storage::{MemoryStore, Storage, StorageError};
use serde_json::json;

use crate::support::{ada, assert_refused, at, limit, new_task, object, task_id, tenant};
use crate::{Backend, StoreOptions};

const TEN_SECONDS: Duration = Duration::from_secs(10);

fn lease(worker: &str) -> Lease {
    Lease::new(worker, TEN_SECONDS)
}

fn claim(worker: &str) -> TaskClaim {
    TaskClaim::new(worker, TEN_SECONDS)
}

async fn create(store: &dyn MemoryStore, new: NewTask, seconds: i64) -> Task {
    store.create_task(&ada(), new, at(seconds)).await.unwrap()
}

async fn the_task(store: &dyn MemoryStore, id: u128) -> Task {
    store.task(&ada(), task_id(id)).await.unwrap().unwrap()
}

/// The id of the task that a worker gets, or 0.
async fn claimed(store: &dyn MemoryStore, claim: TaskClaim, seconds: i64) -> u128 {
    let task = store.claim_task(&ada(), claim, at(seconds)).await.unwrap();
    task.map_or(0, |task| task.id.uuid().as_u128())
}

fn states(result: Result<Task, StorageError>) -> (String, String) {
    match result {
        Err(StorageError::WrongState(error)) => (error.state, error.wanted),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn creating_a_task_returns_it(store: &dyn MemoryStore) {
    let new = NewTask::new("summarise", "text")
        .with_id(task_id(1))
        .with_arguments(object(json!({"args": [1, "é"], "kwargs": {"deep": null}})))
        .with_external_id("celery-1");
    let created = create(store, new, 7).await;
    let wanted = Task {
        tenant_id: ada(),
        id: task_id(1),
        name: "summarise".into(),
        task_type: "text".into(),
        status: TaskStatus::Pending,
        priority: 5,
        attempts: 0,
        max_retries: 3,
        arguments: object(json!({"args": [1, "é"], "kwargs": {"deep": null}})),
        result: None,
        error: None,
        traceback: None,
        external_id: Some("celery-1".into()),
        claimed_by: None,
        claimed_until: None,
        created_at: at(7),
        started_at: None,
        completed_at: None,
    };
    assert_eq!(created, wanted);
    assert_eq!(the_task(store, 1).await, wanted);
    assert_eq!(store.task(&ada(), task_id(2)).await.unwrap(), None);
}

pub(crate) async fn creating_the_same_task_again_is_the_same_write(store: &dyn MemoryStore) {
    create(store, new_task(1), 0).await;
    claimed(store, claim("w"), 1).await;
    let again = create(store, new_task(1), 2).await;
    assert_eq!(again, the_task(store, 1).await);
    assert_eq!(
        (again.status, again.created_at),
        (TaskStatus::Running, at(0))
    );
}

pub(crate) async fn a_task_with_other_content_is_a_conflict(store: &dyn MemoryStore) {
    create(store, new_task(1), 0).await;
    let others = [
        new_task(1).with_priority(6),
        new_task(1).with_max_retries(2),
        new_task(1).with_external_id("e"),
        new_task(1).with_arguments(object(json!({"a": 1}))),
        NewTask::new("other", "search").with_id(task_id(1)),
        NewTask::new("index", "other").with_id(task_id(1)),
    ];
    for other in others {
        assert_refused!(store.create_task(&ada(), other, at(1)).await, Conflict);
    }
    assert_eq!(the_task(store, 1).await.priority, 5);
}

pub(crate) async fn a_task_is_found_by_its_external_id(store: &dyn MemoryStore) {
    create(store, new_task(1).with_external_id("e"), 1).await;
    create(store, new_task(3).with_external_id("e"), 2).await;
    create(store, new_task(2).with_external_id("e"), 2).await;
    create(store, new_task(4).with_external_id("E"), 9).await;
    let found = store.task_by_external_id(&ada(), "e").await.unwrap();
    assert_eq!(found.unwrap().id, task_id(3));
    let found = store.task_by_external_id(&ada(), "é").await.unwrap();
    assert_eq!(found, None);
    let found = store
        .task_by_external_id(&tenant("bea"), "e")
        .await
        .unwrap();
    assert_eq!(found, None);
}

async fn pages(store: &dyn MemoryStore, filter: TaskFilter, rows: u32) -> Vec<u128> {
    let mut filter = filter;
    let mut ids = Vec::new();
    loop {
        let page = store.tasks(&ada(), filter, limit(rows)).await.unwrap();
        let Some(last) = page.last() else { return ids };
        filter.after = Some(last.cursor());
        ids.extend(page.iter().map(|task| task.id.uuid().as_u128()));
        assert!(ids.len() <= 100, "the listing does not end: {ids:?}");
    }
}

pub(crate) async fn tasks_are_listed_newest_first_then_the_greater_id(store: &dyn MemoryStore) {
    for (id, seconds) in [(1, 10), (2, 30), (3, 10), (4, 20), (5, 10)] {
        create(store, new_task(id), seconds).await;
    }
    for id in [1, 4, 5] {
        store
            .cancel_task(&ada(), task_id(id), at(40))
            .await
            .unwrap();
    }
    let any = TaskFilter::default();
    let cancelled = TaskFilter::of_status(TaskStatus::Cancelled);
    for rows in [1, 2, 1_000] {
        assert_eq!(pages(store, any, rows).await, [2, 4, 5, 3, 1]);
        assert_eq!(pages(store, cancelled, rows).await, [4, 5, 1]);
        let between = TaskFilter {
            created_from: Some(at(10)),
            created_to: Some(at(20)),
            ..any
        };
        assert_eq!(pages(store, between, rows).await, [4, 5, 3, 1]);
        let late = TaskFilter {
            created_from: Some(at(11)),
            ..cancelled
        };
        assert_eq!(pages(store, late, rows).await, [4]);
    }
    assert_eq!(store.tasks(&ada(), any, limit(0)).await.unwrap(), []);
}

pub(crate) async fn tasks_are_listed_by_50_when_nothing_is_said(store: &dyn MemoryStore) {
    for id in 1..=51 {
        create(store, new_task(id), 0).await;
    }
    let any = TaskFilter::default();
    let page = store.tasks(&ada(), any, Limit::default()).await.unwrap();
    assert_eq!(page.len(), 50);
}

pub(crate) async fn the_highest_priority_is_claimed_first_then_the_oldest(store: &dyn MemoryStore) {
    let tasks = [
        (1, 5, 10),
        (2, 5, 5),
        (3, 9, 20),
        (4, -1, 0),
        (6, 5, 5),
        (5, i64::MAX, 30),
    ];
    for (id, priority, seconds) in tasks {
        create(store, new_task(id).with_priority(priority), seconds).await;
    }
    let mut order = Vec::new();
    loop {
        match claimed(store, claim("w"), 40).await {
            0 => break,
            id => order.push(id),
        }
    }
    assert_eq!(order, [5, 3, 2, 6, 1, 4]);
    let task = the_task(store, 3).await;
    assert_eq!(task.status, TaskStatus::Running);
    assert_eq!(task.claimed_by.as_deref(), Some("w"));
    assert_eq!(
        (task.claimed_until, task.started_at, task.attempts),
        (Some(at(50)), Some(at(40)), 1)
    );
    let nobody = store.claim_task(&tenant("bea"), claim("w"), at(99)).await;
    assert_eq!(nobody.unwrap(), None);
}

pub(crate) async fn a_claim_takes_only_its_types(store: &dyn MemoryStore) {
    for (id, task_type) in [(1, "a"), (2, "b"), (3, "c")] {
        let task = NewTask::new("n", task_type).with_id(task_id(id));
        create(store, task, 0).await;
    }
    let of_types = || claim("w").of_type("c").of_type("b").of_type("x\"'");
    assert_eq!(claimed(store, of_types(), 1).await, 2);
    assert_eq!(claimed(store, of_types(), 1).await, 3);
    assert_eq!(claimed(store, of_types(), 1).await, 0);
    assert_eq!(claimed(store, claim("w"), 1).await, 1);
}

pub(crate) async fn a_lease_that_ran_out_can_be_claimed_again(store: &dyn MemoryStore) {
    create(store, new_task(1), 0).await;
    assert_eq!(claimed(store, claim("dead"), 0).await, 1);
    assert_eq!(claimed(store, claim("w"), 9).await, 0);
    assert_eq!(claimed(store, claim("w"), 10).await, 1);
    let task = the_task(store, 1).await;
    assert_eq!((task.attempts, task.claimed_by.as_deref()), (2, Some("w")));
    // The one who lost it can do nothing to it any more.
    let (id, now) = (task_id(1), at(11));
    let finish = store.finish_task(&ada(), id, "dead", None, now).await;
    let wanted = (
        "running, of worker \"w\"".to_owned(),
        "completed by worker \"dead\"".to_owned(),
    );
    assert_eq!(states(finish), wanted);
    let failure = TaskFailure::new("late");
    let fail = store.fail_task(&ada(), id, "dead", failure, now).await;
    assert_eq!(states(fail).1, "failed by worker \"dead\"");
    let extend = store.extend_lease(&ada(), id, lease("dead"), now).await;
    assert_eq!(states(extend).1, "running by worker \"dead\"");
    let start = store.start_task(&ada(), id, lease("dead"), now).await;
    assert_eq!(states(start).0, "running, of worker \"w\"");
    assert_eq!(the_task(store, 1).await, task);
}

pub(crate) async fn a_lease_is_extended_by_its_worker(store: &dyn MemoryStore) {
    create(store, new_task(1), 0).await;
    claimed(store, claim("w"), 0).await;
    let extended = store
        .extend_lease(&ada(), task_id(1), lease("w"), at(9))
        .await;
    assert_eq!(extended.unwrap().claimed_until, Some(at(19)));
    assert_eq!(claimed(store, claim("other"), 18).await, 0);
    // It ran out, but nobody took the task.
    let extended = store
        .extend_lease(&ada(), task_id(1), lease("w"), at(30))
        .await;
    assert_eq!(extended.unwrap().claimed_until, Some(at(40)));
    let finished = store
        .finish_task(&ada(), task_id(1), "w", None, at(99))
        .await;
    let finished = finished.unwrap();
    assert_eq!(
        (finished.status, finished.claimed_until, finished.attempts),
        (TaskStatus::Completed, None, 1)
    );
}

pub(crate) async fn a_task_can_be_started_by_its_id(store: &dyn MemoryStore) {
    create(store, new_task(1), 0).await;
    let started = store
        .start_task(&ada(), task_id(1), lease("w"), at(1))
        .await;
    let started = started.unwrap();
    assert_eq!(
        (started.status, started.attempts, started.claimed_until),
        (TaskStatus::Running, 1, Some(at(11)))
    );
    // Who has it has it for as long as before.
    let again = store
        .start_task(&ada(), task_id(1), lease("w"), at(5))
        .await;
    assert_eq!(again.unwrap(), started);
    let other = store
        .start_task(&ada(), task_id(1), lease("v"), at(10))
        .await;
    assert_refused!(other, WrongState);
    let other = store
        .start_task(&ada(), task_id(1), lease("v"), at(11))
        .await;
    assert_eq!(other.unwrap().attempts, 2);
}

pub(crate) async fn a_failed_task_is_retried_until_no_attempt_is_left(store: &dyn MemoryStore) {
    create(store, new_task(1).with_max_retries(2), 0).await;
    let failure = |n: i64| TaskFailure::new(format!("error {n}")).with_traceback("line 7");
    for attempt in 1..=3_i64 {
        assert_eq!(claimed(store, claim("w"), attempt).await, 1);
        let fail = store
            .fail_task(&ada(), task_id(1), "w", failure(attempt), at(attempt))
            .await;
        let task = fail.unwrap();
        assert_eq!(task.attempts, attempt);
        assert_eq!(task.error, Some(format!("error {attempt}")));
        assert_eq!(task.traceback.as_deref(), Some("line 7"));
        assert_eq!(task.claimed_until, None);
        let wanted = if attempt < 3 {
            (TaskStatus::Pending, None)
        } else {
            (TaskStatus::Failed, Some(at(3)))
        };
        assert_eq!((task.status, task.completed_at), wanted);
        assert_eq!(the_task(store, 1).await, task);
    }
    assert_eq!(claimed(store, claim("w"), 99).await, 0);
    create(store, new_task(2).with_max_retries(0), 0).await;
    claimed(store, claim("w"), 1).await;
    let failed = store
        .fail_task(&ada(), task_id(2), "w", TaskFailure::new(""), at(1))
        .await;
    assert_eq!(failed.unwrap().status, TaskStatus::Failed);
}

pub(crate) async fn finishing_keeps_the_result_and_forgets_the_error(store: &dyn MemoryStore) {
    let results = [
        (
            json!({"deep": [1, 2.5, null]}),
            json!({"deep": [1, 2.5, null]}),
        ),
        (json!([]), json!([])),
        (json!("é 🦀"), json!("é 🦀")),
        (json!(3.0), json!(3)),
        (json!(false), json!(false)),
    ];
    for (id, (given, wanted)) in (1..).zip(results) {
        create(store, new_task(id), 0).await;
        claimed(store, claim("w"), 1).await;
        let failure = TaskFailure::new("once").with_traceback("there");
        let fail = store
            .fail_task(&ada(), task_id(id), "w", failure, at(1))
            .await;
        fail.unwrap();
        claimed(store, claim("w"), 2).await;
        let finish = store
            .finish_task(&ada(), task_id(id), "w", Some(given), at(3))
            .await;
        let task = finish.unwrap();
        assert_eq!(task.result, Some(wanted));
        assert_eq!((&task.error, &task.traceback), (&None, &None));
        assert_eq!((task.completed_at, task.attempts), (Some(at(3)), 2));
        assert_eq!(the_task(store, id).await, task);
    }
    create(store, new_task(9), 0).await;
    claimed(store, claim("w"), 1).await;
    let finish = store
        .finish_task(&ada(), task_id(9), "w", Some(json!(null)), at(2))
        .await;
    assert_eq!(finish.unwrap().result, None);
}

pub(crate) async fn a_wrong_transition_names_both_states(store: &dyn MemoryStore) {
    for id in 1..=4 {
        create(store, new_task(id).with_max_retries(0), 0).await;
    }
    let now = at(1);
    for id in [2, 3] {
        let start = store.start_task(&ada(), task_id(id), lease("w"), now).await;
        start.unwrap();
    }
    store
        .finish_task(&ada(), task_id(2), "w", None, now)
        .await
        .unwrap();
    let failure = || TaskFailure::new("broken");
    store
        .fail_task(&ada(), task_id(3), "w", failure(), now)
        .await
        .unwrap();
    store.cancel_task(&ada(), task_id(4), now).await.unwrap();
    for (id, state) in [
        (1, "pending"),
        (2, "completed"),
        (3, "failed"),
        (4, "cancelled"),
    ] {
        let id_of = task_id(id);
        let before = the_task(store, id).await;
        if id > 1 {
            let start = store.start_task(&ada(), id_of, lease("v"), now).await;
            assert_eq!(
                states(start),
                (state.into(), "running by worker \"v\"".into())
            );
        }
        let extend = store.extend_lease(&ada(), id_of, lease("v"), now).await;
        assert_eq!(states(extend).0, state);
        let finish = store.finish_task(&ada(), id_of, "v", None, now).await;
        assert_eq!(
            states(finish),
            (state.into(), "completed by worker \"v\"".into())
        );
        let fail = store.fail_task(&ada(), id_of, "v", failure(), now).await;
        assert_eq!(
            states(fail),
            (state.into(), "failed by worker \"v\"".into())
        );
        if id == 2 || id == 3 {
            let cancel = store.cancel_task(&ada(), id_of, now).await;
            assert_eq!(states(cancel), (state.into(), "cancelled".into()));
        }
        assert_eq!(the_task(store, id).await, before);
    }
    let finish = store.finish_task(&ada(), task_id(1), "v", None, now).await;
    let shown = finish.unwrap_err().to_string();
    assert_eq!(
        shown,
        "task 00000000-0000-0000-0000-000000000001 is pending, so it cannot become completed by \
         worker \"v\""
    );
}

pub(crate) async fn a_repeated_transition_is_the_same_write(store: &dyn MemoryStore) {
    for id in 1..=3 {
        create(store, new_task(id), 0).await;
        let start = store
            .start_task(&ada(), task_id(id), lease("w"), at(1))
            .await;
        start.unwrap();
    }
    let result = || Some(json!({"n": 1}));
    let failure = || TaskFailure::new("broken");
    let mut seen = Vec::new();
    for seconds in [2, 3] {
        let now = at(seconds);
        let finished = store
            .finish_task(&ada(), task_id(1), "w", result(), now)
            .await;
        let failed = store
            .fail_task(&ada(), task_id(2), "w", failure(), now)
            .await;
        let cancelled = store.cancel_task(&ada(), task_id(3), now).await;
        seen.push([finished.unwrap(), failed.unwrap(), cancelled.unwrap()]);
    }
    assert_eq!(seen[0], seen[1]);
    let other = store
        .finish_task(&ada(), task_id(1), "w", None, at(4))
        .await;
    assert_refused!(other, WrongState);
    let other = store
        .fail_task(&ada(), task_id(2), "w", TaskFailure::new("x"), at(4))
        .await;
    assert_refused!(other, WrongState);
}

pub(crate) async fn changing_a_task_that_is_not_there_is_not_found(store: &dyn MemoryStore) {
    let (id, now) = (task_id(1), at(0));
    assert_refused!(
        store.start_task(&ada(), id, lease("w"), now).await,
        NotFound
    );
    assert_refused!(
        store.extend_lease(&ada(), id, lease("w"), now).await,
        NotFound
    );
    assert_refused!(
        store.finish_task(&ada(), id, "w", None, now).await,
        NotFound
    );
    let failure = TaskFailure::new("");
    assert_refused!(
        store.fail_task(&ada(), id, "w", failure, now).await,
        NotFound
    );
    assert_refused!(store.cancel_task(&ada(), id, now).await, NotFound);
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
}

pub(crate) async fn finished_tasks_are_deleted_by_age(store: &dyn MemoryStore) {
    for id in 1..=6 {
        create(store, new_task(id).with_max_retries(0), 0).await;
    }
    let ada: TenantId = ada();
    for (id, seconds) in [(1, 10), (2, 20), (3, 30)] {
        let start = store
            .start_task(&ada, task_id(id), lease("w"), at(seconds))
            .await;
        start.unwrap();
    }
    store
        .finish_task(&ada, task_id(1), "w", None, at(10))
        .await
        .unwrap();
    store
        .fail_task(&ada, task_id(2), "w", TaskFailure::new(""), at(20))
        .await
        .unwrap();
    store.cancel_task(&ada, task_id(4), at(30)).await.unwrap();
    let delete = |age, seconds| {
        let age = Duration::from_secs(age);
        store.delete_finished_tasks(&ada, age, at(seconds))
    };
    assert_eq!(delete(100, 110).await.unwrap(), 0, "just as old is kept");
    assert_eq!(delete(100, 111).await.unwrap(), 1);
    assert_eq!(delete(0, 1_000).await.unwrap(), 2);
    assert_eq!(delete(0, 1_000).await.unwrap(), 0);
    assert_eq!(pages(store, TaskFilter::default(), 1_000).await, [6, 5, 3]);
    // More than all time.
    let forever = store
        .delete_finished_tasks(&ada, Duration::MAX, at(0))
        .await;
    assert_eq!(forever.unwrap(), 0);
}

pub(crate) async fn a_bad_task_is_refused(store: &dyn MemoryStore) {
    let long = "x".repeat(513);
    let bad = [
        NewTask::new("", "t"),
        NewTask::new("n", &long),
        NewTask::new("n", "t").with_external_id(&long),
        NewTask::new("n", "t").with_max_retries(-1),
        NewTask::new("n", "t").with_arguments(object(json!({"a": "\u{0}"}))),
    ];
    for new in bad {
        assert_refused!(store.create_task(&ada(), new, at(0)).await, Invalid);
    }
    let longest = "x".repeat(512);
    let good = NewTask::new(&longest, &longest)
        .with_id(task_id(1))
        .with_external_id(&longest)
        .with_priority(i64::MIN);
    create(store, good, 0).await;
    let (id, now) = (task_id(1), at(0));
    assert_refused!(store.claim_task(&ada(), claim(&long), now).await, Invalid);
    let never = Lease::new("w", Duration::ZERO);
    assert_refused!(store.start_task(&ada(), id, never, now).await, Invalid);
    let start = store.start_task(&ada(), id, lease(&longest), now).await;
    start.unwrap();
    assert_refused!(store.finish_task(&ada(), id, "", None, now).await, Invalid);
    let failure = TaskFailure::new("\u{0}");
    assert_refused!(
        store.fail_task(&ada(), id, &longest, failure, now).await,
        Invalid
    );
    let bad = Some(json!(["\u{0}"]));
    assert_refused!(
        store.finish_task(&ada(), id, &longest, bad, now).await,
        Invalid
    );
    assert_refused!(store.task_by_external_id(&ada(), "").await, Invalid);
    // What a lease adds never leaves the calendar.
    let forever = Lease::new(&longest, Duration::MAX);
    let task = store.extend_lease(&ada(), id, forever, now).await.unwrap();
    assert_eq!(task.claimed_until, Some(memory_domain::Timestamp::MAX));
}

/// What all workers share: a clock that moves when nothing is left to claim, so that the leases of
/// the dead run out, and who finished what.
#[derive(Default)]
struct Shop {
    seconds: AtomicI64,
    finished: AtomicUsize,
    dead: std::sync::Mutex<Vec<(Task, String)>>,
    done: std::sync::Mutex<BTreeMap<u128, u32>>,
}

const TASKS: usize = 1_000;

async fn work(store: Arc<dyn Storage>, shop: Arc<Shop>, worker: u128) {
    let mut lives = 0;
    let mut name = format!("worker {worker}");
    while shop.finished.load(Ordering::SeqCst) < TASKS {
        let now = at(shop.seconds.load(Ordering::SeqCst));
        let task = store.claim_task(&ada(), claim(&name), now).await.unwrap();
        let Some(task) = task else {
            shop.seconds.fetch_add(11, Ordering::SeqCst);
            tokio::task::yield_now().await;
            continue;
        };
        let id = task.id.uuid().as_u128();
        if id.is_multiple_of(10) && task.attempts == 1 {
            // It dies with the task in hand; another takes its place.
            shop.dead.lock().unwrap().push((task, name));
            lives += 1;
            name = format!("worker {worker}, life {lives}");
            continue;
        }
        match store.finish_task(&ada(), task.id, &name, None, now).await {
            Ok(_) => {
                *shop.done.lock().unwrap().entry(id).or_default() += 1;
                shop.finished.fetch_add(1, Ordering::SeqCst);
            }
            // The clock moved meanwhile, and another took it.
            Err(StorageError::WrongState(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

pub(crate) async fn sixteen_workers_finish_each_task_exactly_once(backend: &dyn Backend) {
    let store = backend.open(StoreOptions::default()).await;
    for id in 1..=TASKS as u128 {
        let task = new_task(id).with_priority(i64::try_from(id % 7).unwrap());
        store.create_task(&ada(), task, at(0)).await.unwrap();
    }
    let shop = Arc::new(Shop::default());
    let workers: Vec<_> = (1..=16)
        .map(|worker| tokio::spawn(work(store.clone(), shop.clone(), worker)))
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let done = shop.done.lock().unwrap().clone();
    assert_eq!(done.len(), TASKS);
    assert!(done.values().all(|times| *times == 1), "{done:?}");
    let dead = std::mem::take(&mut *shop.dead.lock().unwrap());
    assert_eq!(dead.len(), TASKS / 10, "one in ten died with its task");
    for (task, name) in dead {
        let late = store.finish_task(&ada(), task.id, &name, None, at(0)).await;
        assert_refused!(late, WrongState);
    }
    let completed = TaskFilter::of_status(TaskStatus::Completed);
    let listed = store.tasks(&ada(), completed, Limit::MAX).await.unwrap();
    assert_eq!(listed.len(), TASKS);
}
