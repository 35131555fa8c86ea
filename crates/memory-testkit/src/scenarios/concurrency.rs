use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use memory_domain::{Limit, Message, NewNode, Reinforcement, RelationshipFilter};
use memory_storage::{Storage, StorageError};
use serde_json::{Value, json};

use crate::support::{
    ada, assert_refused, at, everything, given_nodes, given_session, new_file, new_link,
    new_message, new_node, new_session, node_id, object, relationship_id, session_id, tenant,
    the_node,
};
use crate::{Backend, StoreOptions};

async fn open(backend: &dyn Backend) -> Arc<dyn Storage> {
    backend.open(StoreOptions::default()).await
}

/// Runs that many tasks at once, each with its number from 1 on, and returns what they gave.
async fn at_once<T, F>(
    store: &Arc<dyn Storage>,
    tasks: u128,
    task: impl Fn(Arc<dyn Storage>, u128) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (1..=tasks)
        .map(|number| tokio::spawn(task(store.clone(), number)))
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

async fn history(store: &dyn Storage, session: u128) -> Vec<Message> {
    store
        .history(&ada(), session_id(session), Limit::MAX, None)
        .await
        .unwrap()
}

/// Asserts that a session has that many messages, numbered 1, 2, 3, …
async fn assert_numbered(store: &dyn Storage, session: u128, count: i64) {
    let numbers: Vec<i64> = history(store, session)
        .await
        .iter()
        .map(|message| message.number)
        .collect();
    assert_eq!(
        numbers,
        (1..=count).collect::<Vec<_>>(),
        "session {session}"
    );
    let found = store.session(&ada(), session_id(session)).await.unwrap();
    assert_eq!(found.unwrap().message_count, count);
}

pub(crate) async fn sixteen_tasks_append_to_one_session(backend: &dyn Backend) {
    let store = open(backend).await;
    given_session(&*store, &ada()).await;
    let appended = at_once(&store, 16, async |store: Arc<dyn Storage>, task| {
        let mut numbers = Vec::new();
        for round in 0..6 {
            let batch = (0..=round % 2)
                .map(|n| new_message(task * 100 + round * 10 + n, "x"))
                .collect();
            let messages = store.append(&ada(), session_id(1), batch, at(0)).await;
            numbers.extend(messages.unwrap().iter().map(|message| message.number));
        }
        assert!(numbers.is_sorted(), "one task's messages keep their order");
        numbers
    })
    .await;
    let all: BTreeSet<i64> = appended.concat().into_iter().collect();
    assert_eq!(all, (1..=16 * 9).collect());
    assert_numbered(&*store, 1, 16 * 9).await;
}

pub(crate) async fn sixteen_tasks_append_to_sixteen_sessions(backend: &dyn Backend) {
    let store = open(backend).await;
    at_once(&store, 16, async |store: Arc<dyn Storage>, task| {
        let session = new_session(task, "");
        store.create_session(&ada(), session, at(0)).await.unwrap();
        for round in 1..=8_u128 {
            let batch = vec![new_message(task * 100 + round, "x")];
            let messages = store.append(&ada(), session_id(task), batch, at(0)).await;
            assert_eq!(messages.unwrap()[0].number, i64::try_from(round).unwrap());
        }
    })
    .await;
    for session in 1..=16 {
        assert_numbered(&*store, session, 8).await;
    }
}

pub(crate) async fn sixteen_tasks_retry_one_message(backend: &dyn Backend) {
    let store = open(backend).await;
    given_session(&*store, &ada()).await;
    for message in 1..=5_u128 {
        let results = at_once(&store, 16, move |store: Arc<dyn Storage>, _| async move {
            let batch = vec![new_message(message, "once")];
            store.append(&ada(), session_id(1), batch, at(0)).await
        })
        .await;
        for result in results {
            let number = i64::try_from(message).unwrap();
            assert_eq!(result.unwrap()[0].number, number);
        }
    }
    assert_numbered(&*store, 1, 5).await;
}

pub(crate) async fn batches_that_share_messages_leave_no_gap(backend: &dyn Backend) {
    let store = open(backend).await;
    given_session(&*store, &ada()).await;
    // Each task appends five of twenty messages, in another order.
    at_once(&store, 16, async |store: Arc<dyn Storage>, task| {
        let ids = (0..5).map(|n| 1 + (task * 7 + n * 13) % 20);
        let batch: Vec<_> = ids.clone().map(|id| new_message(id, "shared")).collect();
        let messages = store
            .append(&ada(), session_id(1), batch, at(0))
            .await
            .unwrap();
        let found = messages.iter().map(|message| message.id.uuid().as_u128());
        assert!(found.eq(ids));
    })
    .await;
    assert_numbered(&*store, 1, 20).await;
}

pub(crate) async fn thirty_two_tasks_merge_into_one_node(backend: &dyn Backend) {
    let store = open(backend).await;
    let ids = at_once(&store, 32, async |store: Arc<dyn Storage>, task| {
        let key = format!("key {task}");
        let content = json!({"entity_data": {&key: task}, &key: task});
        let node = new_file(task, "shared")
            .with_content(object(content))
            .with_metadata(object(json!({&key: task})))
            .with_tag(key);
        store.remember(&ada(), vec![node], at(0)).await.unwrap()[0]
    })
    .await;
    let stands = ids[0];
    assert!(ids.iter().all(|id| *id == stands), "one id stands: {ids:?}");
    let node = store.node(&ada(), stands).await.unwrap().unwrap();
    for task in 1..=32_u128 {
        let (key, value) = (format!("key {task}"), json!(task));
        assert_eq!(node.content["entity_data"][&key], value);
        assert_eq!(
            (&node.content[&key], &node.metadata[&key]),
            (&value, &value)
        );
        assert!(node.tags.contains(&key), "{key}");
    }
    assert_eq!(node.update_count, 31);
    assert_eq!(store.tenant_stats(&ada()).await.unwrap().nodes, 1);
}

pub(crate) async fn batches_that_share_keys_do_not_deadlock(backend: &dyn Backend) {
    let store = open(backend).await;
    at_once(&store, 12, async |store: Arc<dyn Storage>, task| {
        let mut nodes: Vec<NewNode> = (0..20_u128)
            .map(|n| new_file(task * 100 + n, &format!("file {n}")))
            .collect();
        if task % 2 == 0 {
            nodes.reverse();
        }
        nodes.rotate_left(usize::try_from(task).unwrap());
        store.remember(&ada(), nodes, at(0)).await.unwrap();
    })
    .await;
    let graph = store.load(&ada(), Limit::MAX).await.unwrap();
    assert_eq!(graph.nodes.len(), 20);
    for node in graph.nodes {
        assert_eq!(node.update_count, 11, "{:?}", node.key);
    }
}

pub(crate) async fn no_reinforcement_is_lost(backend: &dyn Backend) {
    let store = open(backend).await;
    given_nodes(&*store, &ada(), 2).await;
    let ids = at_once(&store, 16, async |store: Arc<dyn Storage>, task| {
        let mut id = relationship_id(0);
        for _ in 0..8 {
            // Sums of 1/1024 are exact, in whatever order they are added.
            let step = Reinforcement {
                id: relationship_id(task),
                ..Reinforcement::new(node_id(1), node_id(2))
            };
            let step = step.with_decay(1.0).with_step(1.0 / 1_024.0);
            id = store.reinforce(&ada(), step, at(0)).await.unwrap().id;
        }
        id
    })
    .await;
    assert!(ids.iter().all(|id| *id == ids[0]), "one stands: {ids:?}");
    let found = store.relationship(&ada(), ids[0]).await.unwrap().unwrap();
    assert_eq!(found.strength.to_bits(), 0.125_f64.to_bits());
}

pub(crate) async fn no_access_is_lost(backend: &dyn Backend) {
    let store = open(backend).await;
    given_nodes(&*store, &ada(), 1).await;
    at_once(&store, 16, async |store: Arc<dyn Storage>, task| {
        for _ in 0..8 {
            let moment = at(i64::try_from(task).unwrap());
            store
                .record_access(&ada(), node_id(1), moment)
                .await
                .unwrap();
        }
    })
    .await;
    assert_eq!(the_node(&*store, &ada(), 1).await.access_count, 129);
}

/// Counts the successes, and asserts that all others failed in the same documented way.
fn successes<T>(
    results: &[Result<T, StorageError>],
    documented: impl Fn(&StorageError) -> bool,
) -> usize {
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(documented(error), "{error:?}");
    }
    results.iter().filter(|result| result.is_ok()).count()
}

pub(crate) async fn one_of_many_creates_and_one_deletes(backend: &dyn Backend) {
    let store = open(backend).await;
    let same = at_once(&store, 16, async |store: Arc<dyn Storage>, _| {
        let session = new_session(1, "same");
        store.create_session(&ada(), session, at(0)).await
    })
    .await;
    assert_eq!(successes(&same, |_| false), 16);
    let different = at_once(&store, 16, async |store: Arc<dyn Storage>, task| {
        let session = new_session(2, &task.to_string());
        store.create_session(&ada(), session, at(0)).await
    })
    .await;
    let conflict = |error: &StorageError| matches!(error, StorageError::Conflict { .. });
    assert_eq!(successes(&different, conflict), 1);
    let deleted = at_once(&store, 16, async |store: Arc<dyn Storage>, _| {
        store.delete_session(&ada(), session_id(1), at(0)).await
    })
    .await;
    let not_found = |error: &StorageError| matches!(error, StorageError::NotFound { .. });
    assert_eq!(successes(&deleted, not_found), 1);
}

pub(crate) async fn one_of_many_nodes_of_one_id_is_stored(backend: &dyn Backend) {
    let store = open(backend).await;
    let conflict = |error: &StorageError| matches!(error, StorageError::Conflict { .. });
    let without_key = at_once(&store, 16, async |store: Arc<dyn Storage>, task| {
        let node = new_node(1).with_summary(task.to_string());
        store.remember(&ada(), vec![node], at(0)).await
    })
    .await;
    assert_eq!(successes(&without_key, conflict), 1);
    let keyed = at_once(&store, 16, async |store: Arc<dyn Storage>, task| {
        let node = new_file(2, &task.to_string());
        store.remember(&ada(), vec![node], at(0)).await
    })
    .await;
    assert_eq!(successes(&keyed, conflict), 1);
}

pub(crate) async fn a_refused_batch_among_others_leaves_nothing(backend: &dyn Backend) {
    let store = open(backend).await;
    given_session(&*store, &ada()).await;
    let first = vec![new_message(1, "first")];
    store
        .append(&ada(), session_id(1), first, at(0))
        .await
        .unwrap();
    store
        .remember(&ada(), vec![new_node(1)], at(0))
        .await
        .unwrap();
    at_once(&store, 16, async |store: Arc<dyn Storage>, task| {
        for round in 1..=4 {
            let id = task * 100 + round * 10;
            let good = new_message(id, "good");
            if task % 2 == 0 {
                let batch = vec![good];
                let result = store.append(&ada(), session_id(1), batch, at(0)).await;
                result.unwrap();
                continue;
            }
            // What comes before the refused one is written first, and must go again.
            let batch = vec![good, new_message(1, "other")];
            let result = store.append(&ada(), session_id(1), batch, at(0)).await;
            assert_refused!(result, Conflict);
            let batch = vec![new_file(id, "good"), new_node(1).with_summary("other")];
            let result = store.remember(&ada(), batch, at(0)).await;
            assert_refused!(result, Conflict);
        }
    })
    .await;
    assert_numbered(&*store, 1, 1 + 8 * 4).await;
    assert_eq!(store.tenant_stats(&ada()).await.unwrap().nodes, 1);
}

pub(crate) async fn sixteen_tasks_relate_the_same_nodes(backend: &dyn Backend) {
    let store = open(backend).await;
    given_nodes(&*store, &ada(), 2).await;
    let ids = at_once(&store, 16, async |store: Arc<dyn Storage>, task| {
        let link = new_link(task, 1, "led_to", 2);
        store.relate(&ada(), link, at(0)).await.unwrap().id
    })
    .await;
    assert!(ids.iter().all(|id| *id == ids[0]), "one stands: {ids:?}");
    let any = RelationshipFilter::default();
    let all = store.relationships(&ada(), any, Limit::MAX).await.unwrap();
    assert_eq!(all.len(), 1);
}

pub(crate) async fn the_first_writes_of_a_tenant_may_come_at_once(backend: &dyn Backend) {
    let store = open(backend).await;
    at_once(&store, 16, async |store: Arc<dyn Storage>, task| {
        let id = tenant(&format!("tenant {}", task % 4));
        let (session, node) = (new_session(task, ""), vec![new_node(task)]);
        if task % 2 == 0 {
            store.create_session(&id, session, at(0)).await.unwrap();
        } else {
            store.remember(&id, node, at(0)).await.unwrap();
        }
    })
    .await;
    let tenants = store.tenants(Limit::MAX, None).await.unwrap();
    assert_eq!(tenants.len(), 4);
}

pub(crate) async fn writing_to_what_is_being_deleted_is_refused_or_deleted(backend: &dyn Backend) {
    let store = open(backend).await;
    for _ in 0..5 {
        given_session(&*store, &ada()).await;
        given_nodes(&*store, &ada(), 2).await;
        let results = at_once(
            &store,
            12,
            async |store: Arc<dyn Storage>, task| match task {
                5 => store.delete_session(&ada(), session_id(1), at(0)).await,
                6 => store.forget_node(&ada(), node_id(1), at(0)).await,
                task if task % 2 == 0 => {
                    let batch = vec![new_message(task, "x")];
                    let result = store.append(&ada(), session_id(1), batch, at(0)).await;
                    result.map(drop)
                }
                task => {
                    let link = new_link(task, 1, "led_to", 2).with_label(task.to_string());
                    store.relate(&ada(), link, at(0)).await.map(drop)
                }
            },
        )
        .await;
        let missing = |error: &StorageError| matches!(error, StorageError::MissingReference { .. });
        assert!(successes(&results, missing) >= 2);
        // The tenant and node 2 are left; no message and no relationship without its end.
        assert_eq!(everything(&*store, None).await.len(), 2);
    }
}

pub(crate) async fn more_tasks_than_connections_all_succeed(backend: &dyn Backend) {
    let options = StoreOptions::default().with_max_connections(2);
    let store = backend.open(options).await;
    given_session(&*store, &ada()).await;
    at_once(&store, 64, async |store: Arc<dyn Storage>, task| {
        let batch = vec![new_message(task, "x")];
        store
            .append(&ada(), session_id(1), batch, at(0))
            .await
            .unwrap();
        let node = vec![new_node(task)];
        store.remember(&ada(), node, at(0)).await.unwrap();
        let found = history(&*store, 1).await;
        assert!(
            found
                .iter()
                .any(|message| message.id.uuid().as_u128() == task)
        );
        store.load(&ada(), Limit::MAX).await.unwrap();
    })
    .await;
    assert_numbered(&*store, 1, 64).await;
}

pub(crate) async fn a_batch_is_seen_whole_or_not_at_all(backend: &dyn Backend) {
    let store = open(backend).await;
    given_session(&*store, &ada()).await;
    let others = store.clone();
    let watching = tokio::spawn(async move {
        loop {
            let messages = history(&*others, 1).await;
            assert_eq!(messages.len() % 20, 0, "half of a batch is visible");
            if messages.len() == 200 {
                return;
            }
        }
    });
    for round in 0..10_u128 {
        let batch = (1..=20).map(|n| new_message(round * 20 + n, "x")).collect();
        store
            .append(&ada(), session_id(1), batch, at(0))
            .await
            .unwrap();
    }
    watching.await.unwrap();
}

pub(crate) async fn loading_is_one_snapshot(backend: &dyn Backend) {
    let store = open(backend).await;
    // Nodes come and go together with what joins them, so a snapshot has both or neither.
    let others = store.clone();
    let watching = tokio::spawn(async move {
        for _ in 0..60 {
            let graph = others.load(&ada(), Limit::MAX).await.unwrap();
            let joined = usize::from(graph.nodes.len() == 2);
            assert_eq!(graph.relationships.len(), joined, "{graph:?}");
        }
    });
    while !watching.is_finished() {
        let work = store.begin().await.unwrap();
        given_nodes(&*work, &ada(), 2).await;
        let link = new_link(1, 1, "led_to", 2);
        work.relate(&ada(), link, at(0)).await.unwrap();
        work.commit().await.unwrap();
        store.forget_node(&ada(), node_id(1), at(0)).await.unwrap();
        store.forget_node(&ada(), node_id(2), at(0)).await.unwrap();
    }
    watching.await.unwrap();
}

pub(crate) async fn merges_of_one_task_keep_their_order(backend: &dyn Backend) {
    let store = open(backend).await;
    at_once(&store, 8, async |store: Arc<dyn Storage>, task| {
        let key = format!("task {task}");
        for round in 0..6 {
            let node = new_file(task, "shared").with_content(object(json!({&key: round})));
            store.remember(&ada(), vec![node], at(0)).await.unwrap();
        }
    })
    .await;
    let node = store
        .load(&ada(), Limit::MAX)
        .await
        .unwrap()
        .nodes
        .remove(0);
    for (key, value) in &node.content {
        assert_eq!(value, &Value::from(5), "{key}");
    }
    assert_eq!((node.content.len(), node.update_count), (8, 47));
}
