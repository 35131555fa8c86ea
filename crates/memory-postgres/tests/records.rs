//! Whole records in bulk: set by set, and from one frozen state.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::{Duration, Instant};

use common::Fresh;
use common::proxy::Proxy;
use memory_domain::{
    EntityType, JsonObject, NewNode, NewRelationship, NodeId, Record, RecordKey, RecordKind,
    RelationshipId, RelationshipKind, Tenant, TenantId, Timestamp,
};
use memory_postgres::PostgresStorage;
use memory_storage::{InsertOutcome, PoolOptions, RunId, RunStatus, Storage, TransferRun};
use uuid::Uuid;

fn ada() -> TenantId {
    TenantId::new("ada").unwrap()
}

fn now() -> Timestamp {
    "2026-11-21T03:41:19Z".parse().unwrap()
}

fn run() -> TransferRun {
    TransferRun {
        id: RunId(Uuid::from_u128(1)),
        source_kind: "memory".to_owned(),
        source_name: "test".to_owned(),
        source_location: "here".to_owned(),
        started_at: now(),
        finished_at: None,
        status: RunStatus::Running,
        report: JsonObject::new(),
    }
}

fn tenant() -> Record {
    Record::Tenant(Tenant {
        id: ada(),
        created_at: now(),
        last_active_at: now(),
        metadata: JsonObject::new(),
    })
}

fn node(n: u128) -> Record {
    let node = NewNode::entity(EntityType::FILE, format!("file {n}"))
        .unwrap()
        .with_id(NodeId::from_uuid(Uuid::from_u128(n)))
        .with_content(JsonObject::from_iter([("n".to_owned(), 1.into())]))
        .with_tag("carried");
    Record::Node(node.into_node(ada(), now()))
}

fn link(n: u128) -> Record {
    let end = |n| NodeId::from_uuid(Uuid::from_u128(n));
    let link = NewRelationship::new(end(n), RelationshipKind::LED_TO, end(1 + n / 2))
        .with_id(RelationshipId::from_uuid(Uuid::from_u128(n)));
    Record::Relationship(link.into_relationship(ada(), now()))
}

#[tokio::test]
async fn twenty_thousand_records_take_seconds_and_a_trip_per_thousand() {
    let fresh = Fresh::new();
    let config = fresh.config().with_pool(PoolOptions {
        min_idle: 0,
        ..PoolOptions::default()
    });
    let proxy = Proxy::start(&config).await;
    let store = PostgresStorage::open(&proxy.in_front_of(config))
        .await
        .unwrap();
    let mut writer = store.writer().await.unwrap();
    writer.open_run(&run()).await.unwrap();
    writer.insert(run().id, vec![tenant()]).await.unwrap();
    proxy.take();
    let started = Instant::now();
    for record in [node, link] {
        for batch in 0..10 {
            let records = (1 + batch * 1_000..=(batch + 1) * 1_000)
                .map(record)
                .collect();
            let outcomes = writer.insert(run().id, records).await.unwrap();
            assert!(
                outcomes
                    .iter()
                    .all(|outcome| *outcome == InsertOutcome::Inserted)
            );
        }
    }
    let written = started.elapsed();
    // Ten batches of each kind and ten of what is searched of nodes, each form parsed once.
    let sent = proxy.take();
    assert_eq!((sent[&'E'], sent[&'P']), (30, 3), "{sent:?}");
    let started = Instant::now();
    for record in [node, link] {
        for batch in 0..10 {
            let wanted: Vec<Record> = (1 + batch * 1_000..=(batch + 1) * 1_000)
                .map(record)
                .collect();
            let keys: Vec<RecordKey> = wanted.iter().map(Record::key).collect();
            let found = writer.fetch(&keys).await.unwrap();
            assert!(found.into_iter().flatten().eq(wanted));
        }
    }
    let fetched = started.elapsed();
    writer.commit().await.unwrap();
    let started = Instant::now();
    let mut reader = store.reader().await.unwrap();
    let mut count = 0;
    for kind in RecordKind::ALL {
        let mut after = None;
        loop {
            let page = reader
                .page(kind, None, after.as_ref(), 1_000)
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.key());
            count += page.len();
        }
    }
    assert_eq!(count, 20_001);
    drop(reader);
    store.close(Duration::from_secs(5)).await.unwrap();
    println!(
        "written in {written:?}, read back in {fetched:?}, paged in {:?}",
        started.elapsed()
    );
    // Two seconds on an idle machine, without optimisation; the rest is for a busy one.
    let took = written + fetched;
    assert!(took < Duration::from_secs(20), "{took:?}");
}
