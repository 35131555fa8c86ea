//! How verbs run: one hop each, on whatever runtime.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use memory_domain::{NewNode, TenantId, Timestamp};
use memory_sqlite::SqliteStorage;
use memory_storage::{Config, GraphStore, Storage};
use memory_testkit::{Verb, given};
use support::Sqlite;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

fn tenant(verb: Verb) -> TenantId {
    TenantId::new(format!("{verb:?}")).unwrap()
}

/// Calls every verb on a store, each as a tenant for whom everything stands, and asserts what it
/// costs.
async fn call_every_verb(config: &Config) {
    let store = SqliteStorage::open(config).await.unwrap();
    let at = Timestamp::UNIX_EPOCH;
    for verb in Verb::ALL {
        let tenant = tenant(*verb);
        let given = given(&store, &tenant).await;
        let before = store.hops();
        verb.call(&store, &tenant, &given, at).await.unwrap();
        assert_eq!(store.hops() - before, 1, "{verb:?}");
    }
    // In a unit of work a verb goes to the writer alone, which the work has already.
    let work = store.begin().await.unwrap();
    for verb in Verb::ALL {
        let tenant = TenantId::new(format!("{verb:?} in a work")).unwrap();
        let given = given(&*work, &tenant).await;
        let before = store.hops();
        verb.call(&*work, &tenant, &given, at).await.unwrap();
        assert_eq!(store.hops() - before, 1, "{verb:?} in a work");
    }
    work.commit().await.unwrap();
    let node = NewNode::new(memory_domain::ContextType::ToolOutput);
    store
        .remember(&tenant(Verb::Node), vec![node], at)
        .await
        .unwrap();
}

#[test]
fn every_verb_is_one_hop_on_several_threads() {
    let backend = Sqlite::start();
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(call_every_verb(&backend.config()));
    let config = backend.config();
    runtime.block_on(async move {
        tokio::spawn(async move { call_every_verb(&config).await })
            .await
            .unwrap();
    });
}

#[test]
fn every_verb_is_one_hop_on_one_thread() {
    let backend = Sqlite::start();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(call_every_verb(&backend.config()));
}

#[test]
fn every_verb_is_one_hop_where_tasks_are_bound_to_their_thread() {
    let backend = Sqlite::start();
    for mut builder in [Builder::new_multi_thread(), Builder::new_current_thread()] {
        let runtime = builder.enable_all().build().unwrap();
        let config = backend.config();
        // Blocking in place is refused here, though the runtime has several threads.
        LocalSet::new().block_on(&runtime, async move {
            tokio::task::spawn_local(async move { call_every_verb(&config).await })
                .await
                .unwrap();
        });
    }
}
