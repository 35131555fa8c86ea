//! Every verb is one round trip, and is parsed once per connection.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;

use common::Fresh;
use common::proxy::Proxy;
use memory_domain::{NewSession, TenantId, Timestamp};
use memory_postgres::PostgresStorage;
use memory_storage::{ConversationStore, PoolOptions, Storage};
use memory_testkit::{Given, Verb, given};

/// Bind, execute and ask for the answer: once each.
fn one_round_trip() -> BTreeMap<char, u32> {
    BTreeMap::from([('B', 1), ('E', 1), ('S', 1)])
}

async fn one_connection(fresh: &Fresh) -> (Proxy, PostgresStorage) {
    let config = fresh.config().with_pool(PoolOptions {
        min_idle: 1,
        max_size: 1,
        ..PoolOptions::default()
    });
    let proxy = Proxy::start(&config).await;
    let store = PostgresStorage::open(&proxy.in_front_of(config)).await;
    (proxy, store.unwrap())
}

fn now() -> Timestamp {
    "2026-11-21T03:41:19Z".parse().unwrap()
}

#[tokio::test]
async fn every_verb_is_one_round_trip_and_is_not_parsed_again() {
    let fresh = Fresh::new();
    let (proxy, store) = one_connection(&fresh).await;
    let mut first_calls = 0;
    for verb in Verb::ALL {
        for call in ["first", "second"] {
            let tenant = TenantId::new(format!("{verb:?} {call}")).unwrap();
            let ids: Given = given(&store, &tenant).await;
            proxy.take();
            verb.call(&store, &tenant, &ids, now()).await.unwrap();
            let sent = proxy.take();
            if call == "second" {
                assert_eq!(sent, one_round_trip(), "{verb:?}");
            } else {
                first_calls += sent.get(&'P').copied().unwrap_or_default();
            }
        }
    }
    // Some were parsed while writing what the others need; the counting itself is not blind.
    assert!(first_calls >= 20, "{first_calls} statements were parsed");
}

#[tokio::test]
async fn a_verb_in_a_unit_of_work_is_one_round_trip_too() {
    let fresh = Fresh::new();
    let (proxy, store) = one_connection(&fresh).await;
    let tenant = TenantId::new("ada").unwrap();
    let session = |title| NewSession::new(title);
    store
        .create_session(&tenant, session("plain"), now())
        .await
        .unwrap();
    proxy.take();
    let work = store.begin().await.unwrap();
    assert_eq!(proxy.take(), BTreeMap::from([('Q', 1)]), "begin");
    work.create_session(&tenant, session("in it"), now())
        .await
        .unwrap();
    assert_eq!(proxy.take(), one_round_trip(), "a verb");
    work.commit().await.unwrap();
    assert_eq!(proxy.take(), BTreeMap::from([('Q', 1)]), "commit");
}

#[tokio::test]
async fn a_verb_that_is_refused_is_one_round_trip() {
    let fresh = Fresh::new();
    let (proxy, store) = one_connection(&fresh).await;
    let tenant = TenantId::new("ada").unwrap();
    let ids = given(&store, &tenant).await;
    let stranger = TenantId::new("bea").unwrap();
    for verb in Verb::ALL {
        // Prepares it, if it was not.
        let _ = verb.call(&store, &stranger, &ids, now()).await;
        proxy.take();
        if verb.call(&store, &stranger, &ids, now()).await.is_err() {
            assert_eq!(proxy.take(), one_round_trip(), "{verb:?}");
        }
    }
}

#[tokio::test]
async fn to_expect_fewer_records_than_are_copied_is_no_round_trip() {
    let fresh = Fresh::new();
    let (proxy, store) = one_connection(&fresh).await;
    let mut writer = store.writer().await.unwrap();
    proxy.take();
    writer.expect(10).await.unwrap();
    assert_eq!(proxy.take(), BTreeMap::new());
}
