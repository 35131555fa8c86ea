//! Many records into a store that holds none: what comes off goes back, whatever happens, and what
//! becomes of each record is the same as one by one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::{Duration, Instant};

use common::{Fresh, client};
use memory_domain::{
    EntityType, JsonObject, Message, MessageId, NewNode, NewRelationship, NodeId, Record,
    RecordKey, RecordKind, RelationshipId, RelationshipKind, Role, Session, SessionId, Tenant,
    TenantId, Timestamp,
};
use memory_postgres::PostgresStorage;
use memory_storage::{
    GraphStore, InsertOutcome, LedgerEntry, PAGE_BYTES, PoolOptions, RecordWriter, RunId,
    RunStatus, Storage, TransferRun,
};
use memory_testkit::use_at_random;
use uuid::Uuid;

/// So many that constraints and indexes come off.
const MANY: u64 = 1_000_000;

const RUN: RunId = RunId(Uuid::from_u128(1));

fn ada() -> TenantId {
    TenantId::new("ada").unwrap()
}

fn now() -> Timestamp {
    "2026-11-21T03:41:19Z".parse().unwrap()
}

async fn writer(store: &PostgresStorage, expected: u64) -> Box<dyn RecordWriter> {
    let mut writer = store.writer().await.unwrap();
    writer.expect(expected).await.unwrap();
    let run = TransferRun {
        id: RUN,
        source_kind: "memory".to_owned(),
        source_name: "test \"1\"".to_owned(),
        source_location: "here".to_owned(),
        started_at: now(),
        finished_at: None,
        status: RunStatus::Running,
        report: JsonObject::new(),
    };
    writer.open_run(&run).await.unwrap();
    writer
}

async fn close_run(writer: &mut Box<dyn RecordWriter>) {
    let closed = writer.close_run(RUN, RunStatus::Completed, now(), JsonObject::new());
    closed.await.unwrap();
}

async fn lines(fresh: &Fresh, sql: &str) -> Vec<String> {
    let sql = sql.replace("{schema}", &fresh.schema);
    let rows = client().await.query(&sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Every constraint and index of the schema, and whether it holds.
async fn catalog(fresh: &Fresh) -> Vec<String> {
    let sql = "
        select concat_ws(' ', conrelid::regclass, conname, convalidated, condeferrable,
            pg_get_constraintdef(oid))
        from pg_constraint where connamespace = '{schema}'::regnamespace
        union all
        select concat_ws(' ', i.indisvalid, i.indisready, i.indislive, pg_get_indexdef(i.indexrelid))
        from pg_index as i join pg_class as x on x.oid = i.indexrelid
        where x.relnamespace = '{schema}'::regnamespace
        union all
        select concat_ws(' ', tgrelid::regclass, tgname, tgenabled) from pg_trigger
        where not tgisinternal
            and tgrelid in (select oid from pg_class where relnamespace = '{schema}'::regnamespace)
        order by 1";
    lines(fresh, sql).await
}

/// Every chunk, with its terms and trigrams, every member of a compound and the ledger.
async fn beside(fresh: &Fresh) -> Vec<String> {
    let sql = "select 'message ' || c::text from {schema}.message_chunks as c
        union all select 'node ' || c::text from {schema}.node_chunks as c
        union all select 'member ' || c::text from {schema}.compound_members as c
        union all select 'ledger ' || c::text from {schema}.transfer_ledger as c
        union all select 'run ' || c::text from {schema}.transfer_runs as c
        order by 1";
    lines(fresh, sql).await
}

async fn all_records(store: &PostgresStorage) -> Vec<Vec<Record>> {
    let mut reader = store.reader().await.unwrap();
    let mut records = Vec::new();
    for kind in RecordKind::ALL {
        let (mut of_kind, mut after) = (Vec::new(), None);
        loop {
            let page = reader.page(kind, None, after.as_ref(), 1_000).await;
            let page = page.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.key());
            of_kind.extend(page);
        }
        records.push(of_kind);
    }
    records
}

/// What a run inserted of a kind, page by page, and how many records each page had.
async fn read_back(
    writer: &mut dyn RecordWriter,
    kind: RecordKind,
) -> (Vec<(LedgerEntry, Option<Record>)>, Vec<usize>) {
    let (mut back, mut sizes, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let page = writer.read_back(RUN, kind, after.as_ref(), 1_000).await;
        let page = page.unwrap();
        let Some((last, _)) = page.last() else { break };
        after = Some(last.key.clone());
        sizes.push(page.len());
        back.extend(page);
    }
    (back, sizes)
}

#[tokio::test]
async fn long_records_that_were_copied_come_back_in_small_pages() {
    let fresh = Fresh::new();
    let store = fresh.open().await;
    let mut writer = writer(&store, MANY).await;
    let long: Vec<Record> = (1..6)
        .map(|id| {
            let Record::Node(mut node) = node(id, &format!("node {id}")) else {
                panic!("a node is a node");
            };
            let text = "x".repeat(PAGE_BYTES / 2);
            node.content = JsonObject::from_iter([("text".to_owned(), text.into())]);
            Record::Node(node)
        })
        .collect();
    writer.insert(RUN, vec![tenant()]).await.unwrap();
    writer.insert(RUN, long.clone()).await.unwrap();
    let (back, sizes) = read_back(&mut *writer, RecordKind::Node).await;
    assert!(sizes.iter().all(|size| *size <= 2), "{sizes:?}");
    let found = back.into_iter().filter_map(|(_, record)| record);
    assert!(found.eq(long));
    writer.commit().await.unwrap();
}

fn tenant() -> Record {
    Record::Tenant(Tenant {
        id: ada(),
        created_at: now(),
        last_active_at: now(),
        metadata: JsonObject::new(),
    })
}

fn node_id(n: u128) -> NodeId {
    NodeId::from_uuid(Uuid::from_u128(n))
}

fn node(n: u128, name: &str) -> Record {
    let node = NewNode::entity(EntityType::FILE, name).unwrap();
    Record::Node(node.with_id(node_id(n)).into_node(ada(), now()))
}

fn link(n: u128, from: u128, to: u128) -> Record {
    let link = NewRelationship::new(node_id(from), RelationshipKind::LED_TO, node_id(to))
        .with_id(RelationshipId::from_uuid(Uuid::from_u128(n)));
    Record::Relationship(link.into_relationship(ada(), now()))
}

fn session(n: u128) -> Record {
    Record::Session(Session {
        tenant_id: ada(),
        id: SessionId::from_uuid(Uuid::from_u128(n)),
        title: String::new(),
        metadata: JsonObject::new(),
        created_at: now(),
        updated_at: now(),
        message_count: 2,
    })
}

fn message(n: u128, session: u128, number: i64) -> Record {
    Record::Message(Message {
        tenant_id: ada(),
        id: MessageId::from_uuid(Uuid::from_u128(n)),
        session_id: SessionId::from_uuid(Uuid::from_u128(session)),
        number,
        role: Role::USER,
        content: "\u{feff}안녕 \\N\t".to_owned(),
        metadata: JsonObject::new(),
        created_at: Timestamp::MIN,
    })
}

#[tokio::test]
async fn what_is_copied_is_what_is_inserted_and_everything_is_back() {
    let mut kinds = 0;
    for seed in 0..3 {
        let source = Fresh::new();
        let used = source.open().await;
        use_at_random(&used, seed).await;
        let records = all_records(&used).await;
        kinds = kinds.max(records.iter().filter(|of| !of.is_empty()).count());

        let (copied, inserted) = (Fresh::new(), Fresh::new());
        for (fresh, expected) in [(&copied, MANY), (&inserted, 1)] {
            let store = fresh.open().await;
            let before = catalog(fresh).await;
            let mut writer = writer(&store, expected).await;
            for of_kind in &records {
                for some in of_kind.chunks(7) {
                    let outcomes = writer.insert(RUN, some.to_vec()).await.unwrap();
                    assert!(outcomes.iter().all(|it| *it == InsertOutcome::Inserted));
                }
            }
            for (kind, of_kind) in std::iter::zip(RecordKind::ALL, &records) {
                let (back, _) = read_back(&mut *writer, kind).await;
                let (entries, found): (Vec<_>, Vec<_>) = back.into_iter().unzip();
                assert!(found.into_iter().flatten().eq(of_kind.iter().cloned()));
                let digests = entries.into_iter().map(|entry| entry.digest);
                assert!(digests.eq(of_kind.iter().map(Record::digest)));
            }
            close_run(&mut writer).await;
            writer.commit().await.unwrap();
            assert_eq!(all_records(&store).await, records);
            let after = catalog(fresh).await;
            assert!(after.len() > 100, "{after:?}");
            assert_eq!(after, before);
        }
        assert_eq!(
            beside(&copied).await,
            beside(&inserted).await,
            "seed {seed}"
        );
    }
    assert!(kinds >= 9, "{kinds}");
}

/// Batches in which records are in each other's way.
fn hostile() -> Vec<Vec<Record>> {
    vec![
        // Before its tenant.
        vec![node(1, "early")],
        vec![tenant()],
        vec![node(1, "a"), node(2, "b"), node(3, "c")],
        vec![session(1)],
        vec![message(1, 1, 1), message(2, 9, 1)],
        // Ends that are not there, then once more what stands.
        vec![link(1, 1, 2), link(2, 1, 8), link(3, 9, 2), link(1, 1, 2)],
        // Other content under an id, a key that is taken, the ends and kind of another.
        vec![node(2, "other"), node(4, "a"), node(5, "e")],
        vec![link(4, 1, 2), link(5, 5, 5), link(6, 4, 4)],
        vec![message(3, 1, 1), message(4, 1, 2), message(1, 1, 1)],
        vec![tenant()],
    ]
}

#[tokio::test]
async fn what_is_in_a_records_way_is_told_alike() {
    use InsertOutcome::{AlreadyThere, Inserted};
    let (copied, inserted) = (Fresh::new(), Fresh::new());
    let mut told = Vec::new();
    for (fresh, expected) in [(&copied, MANY), (&inserted, 1)] {
        let store = fresh.open().await;
        let before = catalog(fresh).await;
        let mut writer = writer(&store, expected).await;
        let mut outcomes = Vec::new();
        for batch in hostile() {
            outcomes.push(writer.insert(RUN, batch).await.unwrap());
        }
        close_run(&mut writer).await;
        writer.commit().await.unwrap();
        assert_eq!(catalog(fresh).await, before);
        told.push((outcomes, all_records(&store).await));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(beside(&copied).await, beside(&inserted).await);
    let uuid = |n| Uuid::from_u128(n);
    let missing = |reference: String| InsertOutcome::MissingReference { reference };
    let conflict = |kind, id, reason: &str| InsertOutcome::Conflict {
        standing: RecordKey {
            kind,
            tenant_id: ada(),
            id: Some(uuid(id)),
        },
        reason: reason.to_owned(),
    };
    let (nodes, links) = (RecordKind::Node, RecordKind::Relationship);
    let expected = [
        vec![missing("tenant ada".to_owned())],
        vec![Inserted],
        vec![Inserted, Inserted, Inserted],
        vec![Inserted],
        vec![Inserted, missing(format!("session {}", uuid(9)))],
        vec![
            Inserted,
            missing(format!("node {}", uuid(8))),
            missing(format!("node {}", uuid(9))),
            AlreadyThere,
        ],
        vec![
            conflict(nodes, 2, "same id, other content"),
            conflict(nodes, 1, "the entity key is taken"),
            Inserted,
        ],
        vec![
            conflict(links, 1, "the same ends, kind and label stand"),
            Inserted,
            missing(format!("node {}", uuid(4))),
        ],
        vec![
            conflict(RecordKind::Message, 1, "the number in the session is taken"),
            Inserted,
            AlreadyThere,
        ],
        vec![AlreadyThere],
    ];
    assert_eq!(told[0].0, expected);
}

#[tokio::test]
async fn a_run_that_does_not_commit_leaves_everything_as_it_was() {
    let fresh = Fresh::new();
    let store = fresh.open().await;
    let before = catalog(&fresh).await;
    // While records are being copied, and after everything was put back, as in a dry run.
    for is_whole in [false, true] {
        let mut writer = writer(&store, MANY).await;
        writer.insert(RUN, vec![tenant()]).await.unwrap();
        let nodes = (1..=2_000).map(|n| node(n, &n.to_string())).collect();
        writer.insert(RUN, nodes).await.unwrap();
        if is_whole {
            close_run(&mut writer).await;
        }
        drop(writer);
        // It is waited for by its locks.
        assert_eq!(catalog(&fresh).await, before);
        assert_eq!(beside(&fresh).await, [""; 0]);
        assert!(all_records(&store).await.into_iter().flatten().eq([]));
    }
    // A record that the database refuses fails the run, and says why.
    let mut writer = writer(&store, MANY).await;
    writer.insert(RUN, vec![tenant()]).await.unwrap();
    let Record::Node(mut refused) = node(1, "a") else {
        unreachable!("it is made as a node")
    };
    refused.base_relevance = 2.0;
    let inserted = writer.insert(RUN, vec![Record::Node(refused)]).await;
    assert_eq!(inserted.unwrap(), [InsertOutcome::Inserted]);
    let failure = writer.read_back(RUN, RecordKind::Node, None, 10).await;
    let failure = failure.unwrap_err();
    let cause = std::error::Error::source(&failure).unwrap().to_string();
    assert!(cause.contains("nodes_base_relevance_check"), "{cause}");
    assert!(writer.commit().await.is_err());
    assert_eq!(catalog(&fresh).await, before);
    assert!(all_records(&store).await.into_iter().flatten().eq([]));
    store.close(Duration::from_secs(10)).await.unwrap();
}

#[tokio::test]
async fn who_writes_meanwhile_waits_and_loses_nothing() {
    let fresh = Fresh::new();
    let store = fresh.open().await;
    let other = fresh.open().await;
    let before = catalog(&fresh).await;
    let mut writer = writer(&store, MANY).await;
    writer.insert(RUN, vec![tenant()]).await.unwrap();
    let writing = tokio::spawn(async move {
        let new = NewNode::entity(EntityType::FILE, "b").unwrap();
        let new = vec![new.with_id(node_id(2))];
        let stands = other.remember(&ada(), new, now()).await;
        (stands, other)
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!writing.is_finished());
    writer.insert(RUN, vec![node(1, "a")]).await.unwrap();
    close_run(&mut writer).await;
    assert!(!writing.is_finished());
    writer.commit().await.unwrap();
    let (stands, other) = writing.await.unwrap();
    assert_eq!(stands.unwrap(), [node_id(2)]);
    assert_eq!(catalog(&fresh).await, before);
    let both = all_records(&other).await[3].clone();
    assert_eq!(both.len(), 2, "{both:?}");
    for store in [store, other] {
        store.close(Duration::from_secs(10)).await.unwrap();
    }
}

/// Whether somebody else can read nodes at once.
async fn can_be_read(fresh: &Fresh) -> bool {
    let sql = format!(
        "set lock_timeout = '100ms'; select count(*) from {}.nodes",
        fresh.schema
    );
    client().await.batch_execute(&sql).await.is_ok()
}

#[tokio::test]
async fn a_store_that_holds_rows_or_is_written_to_keeps_everything_on() {
    let fresh = Fresh::new();
    let config = fresh.config().with_pool(PoolOptions {
        min_idle: 0,
        ..PoolOptions::default()
    });
    let store = PostgresStorage::open(&config).await.unwrap();
    // An empty one, to know that the question tells the difference.
    let alone = writer(&store, MANY).await;
    assert!(!can_be_read(&fresh).await);
    drop(alone);
    // Few records are not worth it.
    let few = writer(&store, 10).await;
    assert!(can_be_read(&fresh).await);
    drop(few);
    // Somebody writes, and is not waited for long.
    let mut client = client().await;
    let writing = client.transaction().await.unwrap();
    let set = format!("set local search_path = {}", fresh.schema);
    writing.batch_execute(&set).await.unwrap();
    writing
        .execute("select touch_tenant('bob', now())", &[])
        .await
        .unwrap();
    let started = Instant::now();
    let mut beside_it = writer(&store, MANY).await;
    assert!(started.elapsed() < Duration::from_secs(10));
    let outcomes = beside_it.insert(RUN, vec![tenant()]).await.unwrap();
    assert_eq!(outcomes, [InsertOutcome::Inserted]);
    assert!(can_be_read(&fresh).await);
    drop(beside_it);
    writing.commit().await.unwrap();
    // It holds a row now.
    let mut beside_it = writer(&store, MANY).await;
    let outcomes = beside_it.insert(RUN, vec![tenant()]).await.unwrap();
    assert_eq!(outcomes, [InsertOutcome::Inserted]);
    assert!(can_be_read(&fresh).await);
    beside_it.commit().await.unwrap();
}
