use std::time::{Duration, Instant};

use crate::support::{
    ada, assert_refused, at, everything, given_nodes, given_session, new_node, new_session,
    node_id, session_id,
};
use crate::verbs::{Given, Verb, given};
use crate::{Backend, StoreOptions};

const SECOND: Duration = Duration::from_secs(1);

pub(crate) async fn health_is_a_round_trip(backend: &dyn Backend) {
    let store = backend.open(StoreOptions::default()).await;
    let health = store.health(SECOND * 10).await;
    assert!(health.healthy && health.problem.is_none(), "{health:?}");
    assert!(health.latency > Duration::ZERO && health.latency < SECOND * 10);
}

pub(crate) async fn health_never_takes_longer_than_its_timeout(backend: &dyn Backend) {
    let options = StoreOptions::default().with_max_connections(1);
    let store = backend.open(options).await;
    // The only connection is taken, so there is none to go to the database with.
    let mut reader = store.reader().await.unwrap();
    let kind = memory_domain::RecordKind::Tenant;
    reader.count(kind, None).await.unwrap();
    let start = Instant::now();
    let health = store.health(SECOND / 5).await;
    assert!(start.elapsed() < SECOND * 3, "{:?}", start.elapsed());
    assert_eq!(health.healthy, health.problem.is_none(), "{health:?}");
}

pub(crate) async fn info_names_backend_and_versions(backend: &dyn Backend) {
    let store = backend.open(StoreOptions::default()).await;
    let info = store.info().await.unwrap();
    assert!(["sqlite", "postgres"].contains(&info.backend), "{info:?}");
    assert!(
        info.server_version
            .starts_with(|first: char| first.is_ascii_digit())
    );
    let newest = store.schema().status().await.unwrap().pop().unwrap();
    assert_eq!(info.schema_version, Some(newest.name));
    assert!(!info.location.is_empty() && !info.options.is_empty());
}

pub(crate) async fn every_migration_is_applied_and_known(backend: &dyn Backend) {
    let store = backend.open(StoreOptions::default()).await;
    let states = store.schema().status().await.unwrap();
    assert!(!states.is_empty());
    for state in &states {
        assert!(state.applied && state.known, "{state:?}");
    }
    assert!(states.is_sorted_by_key(|state| &state.name), "{states:?}");
    assert_eq!(store.schema().up().await.unwrap(), [""; 0]);
}

pub(crate) async fn the_pool_counts_what_it_does(backend: &dyn Backend) {
    let options = StoreOptions::default()
        .with_max_connections(2)
        .with_acquire_timeout(SECOND);
    let store = backend.open(options).await;
    given_session(&*store, &ada()).await;
    let mut readers = Vec::new();
    for _ in 0..2 {
        let mut reader = store.reader().await.unwrap();
        let kind = memory_domain::RecordKind::Tenant;
        reader.count(kind, None).await.unwrap();
        readers.push(reader);
    }
    let start = Instant::now();
    let result = store.session(&ada(), session_id(1)).await;
    assert_refused!(result, PoolTimeout);
    assert!((SECOND * 3 / 4..SECOND * 4).contains(&start.elapsed()));
    let stats = store.pool_stats();
    assert_eq!(stats.most_in_use, 2, "{stats:?}");
    assert_eq!(stats.in_use, 2, "{stats:?}");
    assert!(stats.opened >= 2 && stats.open >= 2, "{stats:?}");
    assert!(stats.waits >= 1 && stats.timeouts >= 1, "{stats:?}");
    assert!(stats.total_wait >= SECOND * 3 / 4, "{stats:?}");
    drop(readers);
    // What was dropped comes back, or is replaced.
    for _ in 0..20 {
        store.session(&ada(), session_id(1)).await.unwrap();
    }
    let stats = store.pool_stats();
    assert_eq!(stats.in_use, 0, "{stats:?}");
    assert!(stats.open <= 2 && stats.idle <= stats.open, "{stats:?}");
    assert_eq!(
        stats.opened - stats.closed,
        u64::from(stats.open),
        "{stats:?}"
    );
}

pub(crate) async fn after_closing_every_verb_says_so(backend: &dyn Backend) {
    let store = backend.open(StoreOptions::default()).await;
    given(&*store, &ada()).await;
    store.close(SECOND * 5).await.unwrap();
    for verb in Verb::ALL {
        let result = verb.call(&*store, &ada(), &Given::default(), at(1)).await;
        assert_refused!(result, Closed);
    }
    assert_refused!(store.begin().await.map(drop), Closed);
    assert_refused!(store.reader().await.map(drop), Closed);
    assert_refused!(store.writer().await.map(drop), Closed);
    let health = store.health(SECOND).await;
    assert!(!health.healthy && health.problem.is_some(), "{health:?}");
    store.close(SECOND).await.unwrap();
}

pub(crate) async fn closing_waits_for_what_is_under_way(backend: &dyn Backend) {
    let store = backend.open(StoreOptions::default()).await;
    let work = store.begin().await.unwrap();
    given_nodes(&*work, &ada(), 3).await;
    let closing = {
        let store = store.clone();
        tokio::spawn(async move { store.close(SECOND * 10).await })
    };
    tokio::time::sleep(SECOND / 5).await;
    assert!(!closing.is_finished(), "it waits for the work");
    let late = store
        .create_session(&ada(), new_session(1, ""), at(0))
        .await;
    assert_refused!(late, Closed);
    work.commit().await.unwrap();
    closing.await.unwrap().unwrap();
}

pub(crate) async fn closing_cuts_off_what_does_not_end(backend: &dyn Backend) {
    let store = backend.open(StoreOptions::default()).await;
    let work = store.begin().await.unwrap();
    given_nodes(&*work, &ada(), 3).await;
    let start = Instant::now();
    assert_refused!(store.close(SECOND / 3).await, Busy);
    assert!((SECOND / 4..SECOND * 4).contains(&start.elapsed()));
    let result = work.node(&ada(), node_id(1)).await;
    assert!(result.is_err(), "what was cut off goes on: {result:?}");
    let result = work.commit().await;
    assert!(result.is_err(), "what was cut off is committed: {result:?}");
    assert_refused!(store.node(&ada(), node_id(1)).await, Closed);
}

pub(crate) async fn idle_connections_serve_again(backend: &dyn Backend) {
    let store = backend.open(StoreOptions::default()).await;
    for id in 1..=50 {
        store
            .remember(&ada(), vec![new_node(id)], at(0))
            .await
            .unwrap();
        store.node(&ada(), node_id(id)).await.unwrap().unwrap();
    }
    let stats = store.pool_stats();
    assert!(
        stats.opened <= 6,
        "one task opens few connections: {stats:?}"
    );
    assert_eq!(everything(&*store, None).await.len(), 51);
}
