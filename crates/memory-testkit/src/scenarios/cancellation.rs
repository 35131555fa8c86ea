use std::sync::Arc;
use std::time::Duration;

use memory_domain::{Limit, TenantId};
use memory_storage::{Storage, StorageError};

use crate::poll::{DropAt, poll_and_drop};
use crate::support::{
    ada, assert_refused, at, everything, export, given_session, message_id, new_message, new_node,
    new_session, session_id, tenant,
};
use crate::verbs::{Given, Verb, given};
use crate::{Backend, StoreOptions};

async fn open(backend: &dyn Backend) -> Arc<dyn Storage> {
    backend.open(StoreOptions::default()).await
}

/// A tenant for whom everything of [`given`] stands.
async fn prepared(store: &dyn Storage, name: &str) -> (TenantId, Given) {
    let id = tenant(name);
    let given = given(store, &id).await;
    (id, given)
}

/// Asserts that whoever comes next, to read or to write, finds connections in order.
async fn assert_next_verb_works(store: &dyn Storage) {
    let next = tenant("next");
    let node = memory_domain::NewNode::new(memory_domain::ContextType::ToolOutput);
    let id = store.remember(&next, vec![node], at(0)).await.unwrap()[0];
    assert!(store.node(&next, id).await.unwrap().is_some());
}

/// Drops a verb at each point that it reaches, on a tenant of its own each time, and asserts that
/// it happened or did not. Returns at how many points it was waiting.
async fn drop_everywhere(store: &dyn Storage, verb: Verb, attempt: u32) -> usize {
    let prefix = format!("{verb:?}-{attempt}");
    let (twin, ids) = prepared(store, &format!("{prefix}-twin")).await;
    let before = export(store, &twin).await;
    verb.call(store, &twin, &ids, at(5)).await.unwrap();
    let after = export(store, &twin).await;
    assert_eq!(
        before != after,
        verb.changes() && verb != Verb::CreateTenant
    );
    for drop_at in DropAt::points() {
        let name = format!("{prefix}-{}-{}", drop_at.polls, drop_at.woken);
        let (id, ids) = prepared(store, &name).await;
        let call = verb.call(store, &id, &ids, at(5));
        let ended = poll_and_drop(call, drop_at).await;
        for _ in 0..2 {
            let found = export(store, &id).await;
            let whole = found == before || found == after;
            assert!(whole, "{verb:?} dropped at {drop_at:?} left {found:#?}");
            assert_next_verb_works(store).await;
        }
        if let Some(result) = ended {
            result.unwrap();
            assert_eq!(export(store, &id).await, after);
            return drop_at.polls - 1;
        }
        // The same call again works, or finds that it has been done.
        match verb.call(store, &id, &ids, at(5)).await {
            Ok(_) | Err(StorageError::NotFound { .. }) => {}
            Err(error) => panic!("{verb:?} after being dropped at {drop_at:?}: {error:?}"),
        }
    }
    unreachable!("the points have no end")
}

pub(crate) async fn a_dropped_write_happened_or_did_not(backend: &dyn Backend) {
    let store = open(backend).await;
    for verb in Verb::ALL.iter().filter(|verb| verb.changes()) {
        let mut attempts = 0;
        // A machine that is quick at the wrong moment answers before the first poll returns.
        while drop_everywhere(&*store, *verb, attempts).await == 0 {
            attempts += 1;
            assert!(attempts < 20, "{verb:?} never waited, so nothing was tried");
        }
    }
}

pub(crate) async fn a_dropped_read_leaves_connections_in_order(backend: &dyn Backend) {
    let store = open(backend).await;
    for verb in Verb::ALL.iter().filter(|verb| !verb.changes()) {
        drop_everywhere(&*store, *verb, 0).await;
    }
    assert_eq!(store.pool_stats().in_use, 0);
}

/// What became of a verb that was to be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Ended,
    NeverStarted,
    AbortedItsWork,
}

/// Drops a verb at one point inside a unit of work that wrote before.
async fn drop_in_work(store: &dyn Storage, verb: Verb, drop_at: DropAt) -> Fate {
    let name = format!("{verb:?}-{}-{}", drop_at.polls, drop_at.woken);
    let (id, ids) = prepared(store, &name).await;
    let before = export(store, &id).await;
    let work = store.begin().await.unwrap();
    let first = new_session(50, "first");
    work.create_session(&id, first, at(1)).await.unwrap();
    let call = verb.call(&*work, &id, &ids, at(5));
    let ended = poll_and_drop(call, drop_at).await;
    let next = work.session(&id, session_id(50)).await;
    let fate = match (&ended, next) {
        (Some(result), next) => {
            assert!(result.is_ok(), "{verb:?} gave {result:?}");
            // What was written before is there, unless that is what the verb takes away.
            let erased = verb == Verb::EraseTenant;
            assert_eq!(next.unwrap().is_some(), !erased);
            work.commit().await.unwrap();
            Fate::Ended
        }
        (None, Err(StorageError::WorkAborted { .. })) => {
            assert!(drop_at.polls > 0, "{verb:?} never started");
            assert_refused!(work.commit().await, WorkAborted);
            let found = export(store, &id).await;
            assert_eq!(
                found, before,
                "{verb:?} at {drop_at:?}: an aborted work left something"
            );
            Fate::AbortedItsWork
        }
        (None, next) => {
            // The verb never started, so the work holds just what was written before.
            assert!(next.unwrap().is_some());
            work.commit().await.unwrap();
            let mut found = export(store, &id).await;
            found.retain(|record| !before.contains(record));
            assert_eq!(found.len(), 1, "{verb:?} at {drop_at:?} left {found:#?}");
            Fate::NeverStarted
        }
    };
    assert_next_verb_works(store).await;
    fate
}

pub(crate) async fn a_verb_dropped_in_a_work_aborts_it_or_never_started(backend: &dyn Backend) {
    let store = open(backend).await;
    // A dropped read aborts a work just as a write does; two of them will do.
    let reads = [Verb::Node, Verb::Load];
    let tried = |verb: &&Verb| verb.changes() || reads.contains(verb);
    let mut aborted = 0;
    for verb in Verb::ALL.iter().filter(tried) {
        for drop_at in DropAt::points() {
            match drop_in_work(&*store, *verb, drop_at).await {
                Fate::Ended => break,
                Fate::NeverStarted => {}
                Fate::AbortedItsWork => aborted += 1,
            }
        }
    }
    assert!(
        aborted >= 1,
        "no verb was dropped half way, so nothing was tried"
    );
}

pub(crate) async fn a_dropped_beginning_leaves_nothing_behind(backend: &dyn Backend) {
    let store = open(backend).await;
    for drop_at in DropAt::points() {
        let begun = poll_and_drop(store.begin(), drop_at).await;
        let ended = begun.is_some();
        drop(begun);
        let read = poll_and_drop(store.reader(), drop_at).await;
        drop(read);
        let written = poll_and_drop(store.writer(), drop_at).await;
        drop(written);
        poll_and_drop(store.health(Duration::from_secs(5)), drop_at).await;
        assert_next_verb_works(&*store).await;
        let work = store.begin().await.unwrap();
        given_session(&*work, &ada()).await;
        work.rollback().await.unwrap();
        if ended && drop_at.polls > 3 {
            break;
        }
    }
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
    store.close(Duration::from_secs(10)).await.unwrap();
}

pub(crate) async fn a_dropped_end_of_a_work_is_whole(backend: &dyn Backend) {
    let store = open(backend).await;
    for commit in [true, false] {
        for drop_at in DropAt::points() {
            let id = tenant(&format!("{commit}-{}-{}", drop_at.polls, drop_at.woken));
            let work = store.begin().await.unwrap();
            given_session(&*work, &id).await;
            work.remember(&id, vec![new_node(1)], at(0)).await.unwrap();
            let end = if commit {
                work.commit()
            } else {
                work.rollback()
            };
            let ended = poll_and_drop(end, drop_at).await;
            assert_next_verb_works(&*store).await;
            let found = everything(&*store, Some(&id)).await.len();
            match ended {
                Some(result) => {
                    result.unwrap();
                    assert_eq!(found, if commit { 3 } else { 0 });
                    break;
                }
                None if commit => assert!(found == 0 || found == 3, "{found} of 3 records"),
                None => assert_eq!(found, 0, "what was rolled back stands"),
            }
        }
    }
}

pub(crate) async fn tasks_that_are_aborted_lose_and_halve_nothing(backend: &dyn Backend) {
    let store = open(backend).await;
    given_session(&*store, &ada()).await;
    let tasks: Vec<_> = (1..=120_u128)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                let batch = vec![
                    new_message(task * 10, "first"),
                    new_message(task * 10 + 1, "second"),
                ];
                let messages = store.append(&ada(), session_id(1), batch, at(0)).await;
                messages.unwrap().len()
            })
        })
        .collect();
    let mut known = Vec::new();
    for (number, task) in (1..=120_u128).zip(tasks) {
        if number % 3 == 0 {
            task.abort();
        } else if number % 3 == 1 {
            tokio::task::yield_now().await;
            task.abort();
        }
        if task.await.is_ok() {
            known.push(number);
        }
    }
    assert!(known.len() >= 40, "those that were not aborted succeeded");
    let history = store
        .history(&ada(), session_id(1), Limit::MAX, None)
        .await
        .unwrap();
    for (number, message) in (1..).zip(&history) {
        assert_eq!(message.number, number, "numbers have no gap");
    }
    assert_eq!(history.len() % 2, 0, "half of a batch is there");
    for number in known {
        let message = message_id(number * 10 + 1);
        assert!(store.message(&ada(), message).await.unwrap().is_some());
    }
}
