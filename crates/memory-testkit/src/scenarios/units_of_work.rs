use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use memory_domain::NodePatch;
use memory_storage::{Storage, StorageError};
use tokio::time::sleep;

use crate::support::{
    ada, assert_refused, at, everything, given_nodes, given_session, new_link, new_message,
    new_node, new_session, node_id, session_id, tenant,
};
use crate::{Backend, StoreOptions};

/// Short enough to wait for, long enough that a slow machine gets other things done in it.
pub(crate) const SHORT: Duration = Duration::from_secs(1);

async fn patient(backend: &dyn Backend) -> Arc<dyn Storage> {
    backend.open(StoreOptions::default()).await
}

async fn impatient(backend: &dyn Backend) -> Arc<dyn Storage> {
    let options = StoreOptions::default().with_acquire_timeout(SHORT);
    backend.open(options).await
}

/// Asserts that a call ended in `Busy`, about when the acquire timeout had passed.
pub(crate) async fn assert_busy_in_time<T: Debug>(
    call: impl Future<Output = Result<T, StorageError>>,
) {
    let start = Instant::now();
    assert_refused!(call.await, Busy);
    let waited = start.elapsed();
    let range = SHORT.mul_f64(0.8)..SHORT + Duration::from_secs(3);
    assert!(
        range.contains(&waited),
        "busy after {waited:?}, not {SHORT:?}"
    );
}

/// Whether session 1 of ada is there.
async fn stands(store: &dyn Storage) -> bool {
    let session = store.session(&ada(), session_id(1)).await.unwrap();
    session.is_some()
}

pub(crate) async fn only_the_work_sees_its_writes_until_it_commits(backend: &dyn Backend) {
    let store = patient(backend).await;
    let work = store.begin().await.unwrap();
    given_session(&*work, &ada()).await;
    let messages = vec![new_message(1, "x")];
    work.append(&ada(), session_id(1), messages, at(1))
        .await
        .unwrap();
    let inside = work.session(&ada(), session_id(1)).await.unwrap();
    assert_eq!(inside.unwrap().message_count, 1);
    assert!(work.tenant(&ada()).await.unwrap().is_some());
    assert!(!stands(&*store).await);
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
    work.commit().await.unwrap();
    let outside = store.session(&ada(), session_id(1)).await.unwrap();
    assert_eq!(outside.unwrap().message_count, 1);
}

pub(crate) async fn dropping_a_work_undoes_it(backend: &dyn Backend) {
    let store = patient(backend).await;
    for _ in 0..20 {
        let work = store.begin().await.unwrap();
        given_session(&*work, &ada()).await;
        drop(work);
        assert!(!stands(&*store).await);
    }
    assert_eq!(everything(&*store, None).await, []);
    given_session(&*store, &ada()).await;
    assert!(stands(&*store).await);
}

pub(crate) async fn rolling_back_undoes_what_replaced_and_deleted(backend: &dyn Backend) {
    let store = patient(backend).await;
    given_session(&*store, &ada()).await;
    given_nodes(&*store, &ada(), 2).await;
    let link = new_link(1, 1, "led_to", 2);
    store.relate(&ada(), link, at(0)).await.unwrap();
    let before = everything(&*store, None).await;
    let work = store.begin().await.unwrap();
    work.delete_session(&ada(), session_id(1), at(90))
        .await
        .unwrap();
    work.forget_node(&ada(), node_id(1), at(90)).await.unwrap();
    let patch = NodePatch::default();
    work.update_node(&ada(), node_id(2), patch, at(90))
        .await
        .unwrap();
    given_nodes(&*work, &tenant("bea"), 1).await;
    work.rollback().await.unwrap();
    assert_eq!(everything(&*store, None).await, before);
}

pub(crate) async fn an_unused_work_commits_and_rolls_back(backend: &dyn Backend) {
    let store = patient(backend).await;
    store.begin().await.unwrap().commit().await.unwrap();
    store.begin().await.unwrap().rollback().await.unwrap();
    drop(store.begin().await.unwrap());
    let work = store.begin().await.unwrap();
    assert!(work.node(&ada(), node_id(1)).await.unwrap().is_none());
    work.commit().await.unwrap();
    given_session(&*store, &ada()).await;
}

pub(crate) async fn a_refusal_leaves_the_work_usable(backend: &dyn Backend) {
    let store = patient(backend).await;
    let work = store.begin().await.unwrap();
    given_session(&*work, &ada()).await;
    given_nodes(&*work, &ada(), 1).await;
    let bad = new_session(2, "a\0");
    assert_refused!(work.create_session(&ada(), bad, at(1)).await, Invalid);
    let other = new_session(1, "other");
    assert_refused!(work.create_session(&ada(), other, at(1)).await, Conflict);
    let title = "x".to_owned();
    let result = work
        .rename_session(&ada(), session_id(9), title, at(1))
        .await;
    assert_refused!(result, NotFound);
    let batch = vec![new_message(1, "x")];
    let result = work.append(&ada(), session_id(9), batch, at(1)).await;
    assert_refused!(result, MissingReference);
    let batch = vec![new_message(1, "x"), new_message(1, "y")];
    let result = work.append(&ada(), session_id(1), batch, at(1)).await;
    assert_refused!(result, Conflict);
    let link = new_link(1, 1, "led_to", 9);
    assert_refused!(work.relate(&ada(), link, at(1)).await, MissingReference);
    let nodes = vec![new_node(2), new_node(1).with_summary("other")];
    assert_refused!(work.remember(&ada(), nodes, at(1)).await, Conflict);
    assert_refused!(work.forget_node(&ada(), node_id(2), at(1)).await, NotFound);
    let batch = vec![new_message(2, "fine")];
    let appended = work.append(&ada(), session_id(1), batch, at(2)).await;
    assert_eq!(appended.unwrap()[0].number, 1);
    work.commit().await.unwrap();
    // Tenant, session, message and node; nothing of what was refused.
    assert_eq!(everything(&*store, None).await.len(), 4);
}

pub(crate) async fn two_open_works_end_as_documented(backend: &dyn Backend) {
    let store = impatient(backend).await;
    let first = store.begin().await.unwrap();
    given_session(&*first, &ada()).await;
    if backend.single_writer() {
        let second = async { store.begin().await.map(drop) };
        assert_busy_in_time(second).await;
    } else {
        let second = store.begin().await.unwrap();
        given_session(&*second, &tenant("bea")).await;
        second.commit().await.unwrap();
    }
    first.commit().await.unwrap();
    assert!(stands(&*store).await);
    let again = store.begin().await.unwrap();
    given_nodes(&*again, &ada(), 1).await;
    again.commit().await.unwrap();
}

pub(crate) async fn a_waiting_work_begins_when_the_first_ends(backend: &dyn Backend) {
    let store = patient(backend).await;
    let first = store.begin().await.unwrap();
    given_session(&*first, &ada()).await;
    let others = store.clone();
    let waiting = tokio::spawn(async move {
        let second = others.begin().await.unwrap();
        given_session(&*second, &ada()).await;
        second.commit().await.unwrap();
    });
    sleep(Duration::from_millis(100)).await;
    first.commit().await.unwrap();
    waiting.await.unwrap();
    assert!(stands(&*store).await);
}

pub(crate) async fn a_plain_write_during_a_work_ends_as_documented(backend: &dyn Backend) {
    let store = impatient(backend).await;
    given_session(&*store, &ada()).await;
    given_session(&*store, &tenant("bea")).await;
    let work = store.begin().await.unwrap();
    let rename = |title: &str| title.to_owned();
    work.rename_session(&ada(), session_id(1), rename("in the work"), at(1))
        .await
        .unwrap();
    let (ada, bea) = (ada(), tenant("bea"));
    let same_row = store.rename_session(&ada, session_id(1), rename("plain"), at(2));
    assert_busy_in_time(same_row).await;
    let other_row = store.rename_session(&bea, session_id(1), rename("plain"), at(2));
    if backend.single_writer() {
        assert_busy_in_time(other_row).await;
    } else {
        other_row.await.unwrap();
    }
    // Reading waits for nobody, and the work goes on.
    let read = store.session(&ada, session_id(1)).await.unwrap();
    assert_eq!(read.unwrap().title, "talk");
    work.commit().await.unwrap();
    let read = store.session(&ada, session_id(1)).await.unwrap();
    assert_eq!(read.unwrap().title, "in the work");
    store
        .rename_session(&ada, session_id(1), rename("after"), at(3))
        .await
        .unwrap();
}

pub(crate) async fn a_work_that_met_a_lock_is_aborted(backend: &dyn Backend) {
    if backend.single_writer() {
        return; // There is never a second work whose lock could be met.
    }
    let store = impatient(backend).await;
    given_session(&*store, &ada()).await;
    let rename = || "x".to_owned();
    let first = store.begin().await.unwrap();
    first
        .rename_session(&ada(), session_id(1), rename(), at(1))
        .await
        .unwrap();
    let second = store.begin().await.unwrap();
    let ada = ada();
    let busy = second.rename_session(&ada, session_id(1), rename(), at(1));
    assert_busy_in_time(busy).await;
    let after = second.session(&ada, session_id(1)).await;
    assert_refused!(after, WorkAborted);
    assert_refused!(second.commit().await, WorkAborted);
    first.commit().await.unwrap();
}

async fn with_idle_timeout(backend: &dyn Backend) -> Arc<dyn Storage> {
    let options = StoreOptions::default().with_idle_work_timeout(SHORT);
    backend.open(options).await
}

pub(crate) async fn a_work_left_idle_is_undone_and_says_so(backend: &dyn Backend) {
    let store = with_idle_timeout(backend).await;
    given_session(&*store, &ada()).await;
    let work = store.begin().await.unwrap();
    let rename = |title: &str| title.to_owned();
    work.rename_session(&ada(), session_id(1), rename("idle"), at(1))
        .await
        .unwrap();
    // The work is still held, but what it locked is free once its time has passed.
    let start = Instant::now();
    store
        .rename_session(&ada(), session_id(1), rename("plain"), at(2))
        .await
        .unwrap();
    let waited = start.elapsed();
    assert!(
        waited < SHORT + Duration::from_secs(3),
        "free after {waited:?}"
    );
    sleep(SHORT).await;
    let read = work.session(&ada(), session_id(1)).await;
    assert_refused!(read, WorkAborted);
    let write = work
        .rename_session(&ada(), session_id(1), rename("late"), at(3))
        .await;
    assert_refused!(write, WorkAborted);
    assert_refused!(work.commit().await, WorkAborted);
    let session = store.session(&ada(), session_id(1)).await.unwrap();
    assert_eq!(session.unwrap().title, "plain");
}

pub(crate) async fn an_idle_work_cannot_be_committed(backend: &dyn Backend) {
    let store = with_idle_timeout(backend).await;
    let work = store.begin().await.unwrap();
    given_session(&*work, &ada()).await;
    sleep(SHORT * 3).await;
    assert_refused!(work.commit().await, WorkAborted);
    assert!(!stands(&*store).await);
    // One that did nothing at all is undone too, and its rollback is in order.
    let unused = store.begin().await.unwrap();
    sleep(SHORT * 3).await;
    unused.rollback().await.unwrap();
    given_session(&*store, &ada()).await;
}

pub(crate) async fn a_work_in_use_is_not_idle(backend: &dyn Backend) {
    let store = with_idle_timeout(backend).await;
    let work = store.begin().await.unwrap();
    for id in 1..=10 {
        let node = vec![new_node(id)];
        work.remember(&ada(), node, at(0)).await.unwrap();
        sleep(SHORT / 4).await;
    }
    work.commit().await.unwrap();
    assert_eq!(store.tenant_stats(&ada()).await.unwrap().nodes, 10);
}

pub(crate) async fn concurrent_works_all_commit(backend: &dyn Backend) {
    let store = patient(backend).await;
    given_session(&*store, &ada()).await;
    let tasks: Vec<_> = (1..=8_u128)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for round in 0..3 {
                    let id = task * 100 + round;
                    let work = store.begin().await.unwrap();
                    let node = vec![new_node(id)];
                    work.remember(&ada(), node, at(0)).await.unwrap();
                    let batch = vec![new_message(id, "x")];
                    work.append(&ada(), session_id(1), batch, at(0))
                        .await
                        .unwrap();
                    work.commit().await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let stats = store.tenant_stats(&ada()).await.unwrap();
    assert_eq!((stats.nodes, stats.messages), (24, 24));
    let session = store.session(&ada(), session_id(1)).await.unwrap();
    assert_eq!(session.unwrap().message_count, 24);
}

pub(crate) async fn nobody_sees_half_of_a_work(backend: &dyn Backend) {
    let store = patient(backend).await;
    let others = store.clone();
    let watching = tokio::spawn(async move {
        loop {
            let stats = others.tenant_stats(&ada()).await.unwrap();
            assert_eq!(stats.nodes % 10, 0, "half of a work is visible");
            assert_eq!(stats.sessions, stats.nodes / 10);
            if stats.nodes == 50 {
                return;
            }
        }
    });
    for round in 0..5_u128 {
        let work = store.begin().await.unwrap();
        for id in 1..=10 {
            let node = vec![new_node(round * 10 + id)];
            work.remember(&ada(), node, at(0)).await.unwrap();
        }
        let session = new_session(round + 1, "");
        work.create_session(&ada(), session, at(0)).await.unwrap();
        work.commit().await.unwrap();
    }
    watching.await.unwrap();
}
