use std::sync::Arc;

use memory_domain::{
    AgencyMeasures, AgencySnapshot, AuditEvent, Compound, Decision, Digest, Feedback, FileSnapshot,
    Goal, GoalStatus, JsonObject, LearnedTurn, Message, Mission, NewCompound, NewRelationship,
    Node, PatchRequest, PatchStatus, Record, RecordKey, RecordKind, Relationship, RelationshipKind,
    Role, Session, Task, TaskStatus, Tenant, TenantId, Timestamp,
};
use memory_storage::{
    InsertOutcome, LedgerEntry, PAGE_BYTES, RecordWriter, RunId, RunStatus, SourceDescription,
    Storage, StorageError, TransferRun,
};
use serde_json::json;
use uuid::Uuid;

use super::units_of_work::{SHORT, assert_busy_in_time};
use crate::support::{
    ada, at, compound_id, everything, given_nodes, given_session, message_id, mission_id,
    new_agency, new_decision, new_event, new_feedback, new_file, new_goal, new_link, new_message,
    new_mission, new_node, new_patch, new_session, new_snapshot, new_task, node_id, object,
    relationship_id, session_id, tenant, turn_id,
};
use crate::{Backend, StoreOptions};

async fn open(backend: &dyn Backend) -> Arc<dyn Storage> {
    backend.open(StoreOptions::default()).await
}

fn run_id(n: u128) -> RunId {
    RunId(Uuid::from_u128(n))
}

fn new_run(n: u128, seconds: i64) -> TransferRun {
    TransferRun {
        id: run_id(n),
        source_kind: "flux-rag".to_owned(),
        source_name: "talks 🗨".to_owned(),
        source_location: "/tmp/talks.db".to_owned(),
        started_at: at(seconds),
        finished_at: None,
        status: RunStatus::Running,
        report: object(json!({})),
    }
}

fn a_tenant(id: &TenantId) -> Record {
    Record::Tenant(Tenant {
        id: id.clone(),
        created_at: at(-100),
        last_active_at: at(-50),
        metadata: object(json!({"imported": true})),
    })
}

fn a_session(id: u128) -> Session {
    Session {
        tenant_id: ada(),
        id: session_id(id),
        title: format!("session {id}"),
        metadata: object(json!({"n": [1, 0.5]})),
        created_at: at(-90),
        updated_at: at(-80),
        message_count: 2,
    }
}

fn a_message(id: u128, number: i64) -> Message {
    Message {
        tenant_id: ada(),
        id: message_id(id),
        session_id: session_id(1),
        number,
        role: Role::new("narrator").unwrap(),
        content: "안녕 \"you\" \\".to_owned(),
        metadata: object(json!({})),
        created_at: Timestamp::MIN,
    }
}

fn a_node(id: u128) -> Node {
    let mut node = new_file(id, &format!("file {id}"))
        .with_tag("t")
        .into_node(ada(), at(-70));
    node.base_relevance = 0.1;
    node.last_accessed_at = Timestamp::MAX;
    node.access_count = 3_000_000_000;
    node.update_count = i64::MAX;
    node
}

fn a_link(id: u128, from: u128, to: u128) -> Relationship {
    let mut link = NewRelationship::new(node_id(from), RelationshipKind::LED_TO, node_id(to))
        .with_id(relationship_id(id))
        .with_label("l")
        .with_strength(0.3)
        .into_relationship(ada(), at(-60));
    link.last_reinforced_at = at(-10);
    link
}

fn a_compound(id: u128, name: &str, members: [u128; 2]) -> Compound {
    let mut compound = NewCompound::new(name, members.map(node_id))
        .with_id(compound_id(id))
        .into_compound(ada(), at(-30));
    compound.occurrences = 5_000_000_000;
    compound
}

fn a_turn(id: u128) -> LearnedTurn {
    LearnedTurn {
        tenant_id: ada(),
        id: turn_id(id),
        digest: Digest::of(b"what was said"),
        // In their own order, and one that is not there any more.
        concepts: [2, 9, 1].map(node_id).into(),
        learned_at: at(-20),
    }
}

fn feedback(id: u128) -> Feedback {
    new_feedback(id, i64::MIN)
        .on_message(message_id(99))
        .with_correction("\u{feff}")
        .into_feedback(ada(), at(-50))
}

fn a_decision(id: u128) -> Decision {
    new_decision(id, "use \"C\"")
        .with_session("s")
        .with_context("")
        .into_decision(ada(), Timestamp::MAX)
}

fn an_event(id: u128) -> AuditEvent {
    new_event(id, "login", -40)
        .with_actor("bea")
        .with_details(object(json!({"n": [1, 0.5]})))
        .into_event(ada())
}

/// One record of each kind and some more, in the order in which they must be written.
fn batches() -> Vec<Vec<Record>> {
    vec![
        vec![a_tenant(&ada())],
        vec![Record::Session(a_session(1))],
        vec![
            Record::Message(a_message(2, 1)),
            Record::Message(a_message(1, 2)),
        ],
        vec![Record::Node(a_node(1)), Record::Node(a_node(2))],
        vec![
            Record::Relationship(a_link(1, 1, 2)),
            Record::Relationship(a_link(2, 2, 2)),
        ],
        vec![Record::Compound(a_compound(1, "a + b", [2, 1]))],
        vec![Record::LearnedTurn(a_turn(1))],
        vec![Record::Feedback(feedback(1))],
        vec![
            Record::Decision(a_decision(1)),
            Record::Decision(a_decision(2)),
        ],
        vec![Record::AuditEvent(an_event(2))],
        vec![Record::Task(a_task(1)), Record::Task(a_bare_task(2))],
        vec![
            Record::Mission(a_mission(1)),
            Record::Mission(a_bare_mission(2)),
        ],
        vec![
            Record::FileSnapshot(a_snapshot(1)),
            Record::FileSnapshot(new_snapshot(2, "p").into_snapshot(ada(), at(0))),
        ],
        vec![
            Record::PatchRequest(a_patch(1)),
            Record::PatchRequest(new_patch(2, "c").into_patch(ada(), at(0))),
        ],
        vec![
            Record::Goal(a_goal(1)),
            Record::Goal(new_goal(2, "").into_goal(ada(), at(0))),
        ],
        vec![
            Record::AgencySnapshot(an_agency_snapshot(1)),
            Record::AgencySnapshot(new_agency(2, 0.0).into_snapshot(ada(), at(0))),
        ],
    ]
}

fn a_bare_task(id: u128) -> Task {
    new_task(id).into_task(ada(), at(0))
}

fn a_task(id: u128) -> Task {
    Task {
        status: TaskStatus::Running,
        priority: i64::MIN,
        attempts: i64::MAX,
        max_retries: 0,
        arguments: object(json!({"é": [1.5, null]})),
        result: Some(json!(["a", {"b": 0.1}])),
        error: Some("안녕".to_owned()),
        traceback: Some(String::new()),
        external_id: Some("celery".to_owned()),
        claimed_by: Some("w".to_owned()),
        claimed_until: Some(Timestamp::MAX),
        started_at: Some(at(-1)),
        completed_at: Some(Timestamp::MIN),
        ..a_bare_task(id)
    }
}

fn a_bare_mission(id: u128) -> Mission {
    new_mission(id, &format!("m-{id}")).into_mission(ada(), at(0))
}

fn a_mission(id: u128) -> Mission {
    Mission {
        domain: Some(String::new()),
        cost_usd: Some(0.1 + 0.2),
        iterations: Some(i64::MAX),
        duration_seconds: Some(5e-324),
        files_modified: Some(-1),
        metadata: object(json!({"source_null": true})),
        ..a_bare_mission(id)
    }
}

fn a_snapshot(id: u128) -> FileSnapshot {
    FileSnapshot {
        mission_key: Some("gone".to_owned()),
        size_bytes: Some(5_000_000_000),
        lines_of_code: Some(i64::MIN),
        hash: Some("abc".to_owned()),
        metadata: object(json!({"a": 1})),
        ..new_snapshot(id, "src/é.rs").into_snapshot(ada(), Timestamp::MAX)
    }
}

fn a_patch(id: u128) -> PatchRequest {
    let new = new_patch(id, "search")
        .with_change("-a", "b")
        .with_confidence(0.1)
        .with_feedback("z")
        .with_feedback("a\\\"b");
    PatchRequest {
        status: PatchStatus::Failed,
        reviewed_by: Some("eve".to_owned()),
        review_comment: Some(String::new()),
        application_error: Some("x".to_owned()),
        metrics: object(json!({"p": 0.5})),
        reviewed_at: Some(at(1)),
        applied_at: Some(at(2)),
        ..new.into_patch(ada(), at(0))
    }
}

/// Completed without a time of completion, as no verb leaves it, and as another system may.
fn a_goal(id: u128) -> Goal {
    Goal {
        importance: i64::MIN,
        estimated_value: Some(0.1 + 0.2),
        status: GoalStatus::Completed,
        deadline: Some(Timestamp::MAX),
        ..new_goal(id, "안녕 \"you\"").into_goal(ada(), at(-30))
    }
}

fn an_agency_snapshot(id: u128) -> AgencySnapshot {
    AgencySnapshot {
        measures: AgencyMeasures {
            decision_quality: 0.1,
            skill_development: -0.2,
            ai_reliance: 0.1 + 0.2,
            bottleneck_resolution: f64::MAX,
            user_confidence: f64::MIN,
            engagement: 5e-324,
            autonomy_perception: 7.0,
            autonomy_retention: 0.8,
            delta_agency: -1e-9,
        },
        task_description: Some(String::new()),
        task_complexity: Some("hard".to_owned()),
        ..new_agency(id, 0.0).into_snapshot(ada(), Timestamp::MIN)
    }
}

/// How many records [`given_run`] carries.
fn whole_run() -> u64 {
    batches().concat().len() as u64
}

async fn writer(store: &dyn Storage, run: u128) -> Box<dyn RecordWriter> {
    let mut writer = store.writer().await.unwrap();
    writer.open_run(&new_run(run, 0)).await.unwrap();
    writer
}

/// Inserts records that must not be there yet.
async fn insert_new(writer: &mut dyn RecordWriter, run: u128, records: Vec<Record>) {
    for outcome in writer.insert(run_id(run), records).await.unwrap() {
        assert_eq!(outcome, InsertOutcome::Inserted);
    }
}

/// Carries all batches in one run.
async fn given_run(store: &dyn Storage, run: u128) {
    let mut writer = writer(store, run).await;
    for batch in batches() {
        insert_new(&mut *writer, run, batch).await;
    }
    writer.commit().await.unwrap();
}

fn sorted(batches: &[Vec<Record>]) -> Vec<Record> {
    let mut records = batches.concat();
    records.sort_by_key(Record::key);
    records
}

pub(crate) async fn records_are_given_back_as_they_were(backend: &dyn Backend) {
    let store = open(backend).await;
    given_run(&*store, 1).await;
    let found = everything(&*store, None).await;
    let wanted = sorted(&batches());
    assert_eq!(found, wanted);
    for (found, wanted) in found.iter().zip(&wanted) {
        assert_eq!(found.digest(), wanted.digest(), "{}", wanted.key());
    }
    // And the verbs know them.
    let session = store.session(&ada(), session_id(1)).await.unwrap();
    assert_eq!(session, Some(a_session(1)));
    let found = store
        .node_by_key(&ada(), a_node(2).key.as_ref().unwrap())
        .await
        .unwrap();
    assert_eq!(found, Some(a_node(2)));
    let link = store
        .relationship(&ada(), relationship_id(1))
        .await
        .unwrap();
    assert_eq!(link, Some(a_link(1, 1, 2)));
    let batch = vec![new_message(3, "next")];
    let next = store.append(&ada(), session_id(1), batch, at(0)).await;
    assert_eq!(next.unwrap()[0].number, 3);
}

/// The same record of another tenant.
fn of(tenant_id: &TenantId, record: &Record) -> Record {
    let mut copy = record.clone();
    match &mut copy {
        Record::Tenant(tenant) => tenant.id = tenant_id.clone(),
        Record::Session(session) => session.tenant_id = tenant_id.clone(),
        Record::Message(message) => message.tenant_id = tenant_id.clone(),
        Record::Node(node) => node.tenant_id = tenant_id.clone(),
        Record::Relationship(link) => link.tenant_id = tenant_id.clone(),
        Record::Compound(compound) => compound.tenant_id = tenant_id.clone(),
        Record::LearnedTurn(turn) => turn.tenant_id = tenant_id.clone(),
        Record::Feedback(feedback) => feedback.tenant_id = tenant_id.clone(),
        Record::Decision(decision) => decision.tenant_id = tenant_id.clone(),
        Record::AuditEvent(event) => event.tenant_id = tenant_id.clone(),
        Record::Task(task) => task.tenant_id = tenant_id.clone(),
        Record::Mission(mission) => mission.tenant_id = tenant_id.clone(),
        Record::FileSnapshot(snapshot) => snapshot.tenant_id = tenant_id.clone(),
        Record::PatchRequest(patch) => patch.tenant_id = tenant_id.clone(),
        Record::Goal(goal) => goal.tenant_id = tenant_id.clone(),
        Record::AgencySnapshot(snapshot) => snapshot.tenant_id = tenant_id.clone(),
    }
    copy
}

pub(crate) async fn what_verbs_wrote_can_be_carried_to_another_tenant(backend: &dyn Backend) {
    let store = open(backend).await;
    given_session(&*store, &ada()).await;
    let batch = vec![new_message(1, "x"), new_message(2, "y")];
    store
        .append(&ada(), session_id(1), batch, at(1))
        .await
        .unwrap();
    given_nodes(&*store, &ada(), 3).await;
    let link = new_link(1, 3, "attention", 1).undirected();
    store.relate(&ada(), link, at(2)).await.unwrap();
    let bea = tenant("bea");
    let records: Vec<Record> = everything(&*store, None)
        .await
        .iter()
        .map(|record| of(&bea, record))
        .collect();
    let mut writer = writer(&*store, 1).await;
    for record in records.clone() {
        insert_new(&mut *writer, 1, vec![record]).await;
    }
    writer.commit().await.unwrap();
    assert_eq!(everything(&*store, Some(&bea)).await, records);
}

pub(crate) async fn what_stands_is_already_there(backend: &dyn Backend) {
    let store = open(backend).await;
    given_run(&*store, 1).await;
    let before = everything(&*store, None).await;
    let mut writer = writer(&*store, 2).await;
    for batch in batches() {
        let kind = batch[0].kind();
        let outcomes = writer.insert(run_id(2), batch).await.unwrap();
        for outcome in outcomes {
            assert_eq!(outcome, InsertOutcome::AlreadyThere, "{kind}");
        }
        let entries = entries(&mut *writer, run_id(2), kind, 10).await;
        assert_eq!(entries, [], "nothing of {kind} was inserted by this run");
    }
    writer.commit().await.unwrap();
    assert_eq!(everything(&*store, None).await, before);
}

pub(crate) async fn what_stands_with_other_content_is_left_alone(backend: &dyn Backend) {
    let store = open(backend).await;
    given_run(&*store, 1).await;
    let before = everything(&*store, None).await;
    let message = Message {
        content: "other".to_owned(),
        ..a_message(1, 2)
    };
    let link = Relationship {
        strength: 0.300_000_000_000_000_04,
        ..a_link(1, 1, 2)
    };
    let others = [
        Record::Tenant(Tenant {
            id: ada(),
            created_at: at(0),
            last_active_at: at(0),
            metadata: object(json!({})),
        }),
        Record::Session(Session {
            updated_at: at(-79),
            ..a_session(1)
        }),
        Record::Message(message),
        Record::Node(Node {
            access_count: 1,
            ..a_node(1)
        }),
        Record::Relationship(link),
        Record::Feedback(Feedback {
            rating: 0,
            ..feedback(1)
        }),
        Record::Decision(Decision {
            context: None,
            ..a_decision(1)
        }),
        Record::AuditEvent(AuditEvent {
            at: at(-39),
            ..an_event(2)
        }),
        Record::Task(Task {
            claimed_until: Some(at(0)),
            ..a_task(1)
        }),
        Record::Mission(Mission {
            cost_usd: Some(0.3),
            ..a_mission(1)
        }),
        Record::FileSnapshot(FileSnapshot {
            size_bytes: None,
            ..a_snapshot(1)
        }),
        Record::PatchRequest(PatchRequest {
            feedback_ids: Vec::new(),
            ..a_patch(1)
        }),
        Record::Goal(Goal {
            estimated_value: Some(0.3),
            ..a_goal(1)
        }),
        Record::AgencySnapshot(AgencySnapshot {
            task_description: None,
            ..an_agency_snapshot(1)
        }),
    ];
    let mut writer = writer(&*store, 2).await;
    for other in others {
        let key = other.key();
        let outcomes = writer.insert(run_id(2), vec![other]).await.unwrap();
        let [InsertOutcome::Conflict { standing, reason }] = &outcomes[..] else {
            panic!("{key} gave {outcomes:?}");
        };
        assert_eq!(standing, &key);
        assert!(!reason.is_empty());
    }
    writer.commit().await.unwrap();
    assert_eq!(everything(&*store, None).await, before);
}

pub(crate) async fn a_taken_unique_key_is_a_conflict_with_what_stands(backend: &dyn Backend) {
    let store = open(backend).await;
    given_run(&*store, 1).await;
    let mut writer = writer(&*store, 2).await;
    let node = Record::Node(Node {
        id: node_id(9),
        ..a_node(1)
    });
    let link = Record::Relationship(Relationship {
        id: relationship_id(9),
        ..a_link(1, 1, 2)
    });
    let message = Record::Message(Message {
        id: message_id(9),
        ..a_message(1, 2)
    });
    let mission = Record::Mission(Mission {
        id: mission_id(9),
        ..a_mission(1)
    });
    for (other, stands) in [
        (message, Record::Message(a_message(1, 2))),
        (node, Record::Node(a_node(1))),
        (link, Record::Relationship(a_link(1, 1, 2))),
        (mission, Record::Mission(a_mission(1))),
    ] {
        let key = other.key();
        let outcomes = writer.insert(run_id(2), vec![other]).await.unwrap();
        let [InsertOutcome::Conflict { standing, .. }] = &outcomes[..] else {
            panic!("{key} gave {outcomes:?}");
        };
        assert_eq!(standing, &stands.key());
    }
}

pub(crate) async fn a_session_that_stood_before_takes_no_messages(backend: &dyn Backend) {
    // It counts its messages, and what stands is never changed.
    let store = open(backend).await;
    given_run(&*store, 1).await;
    given_session(&*store, &tenant("bea")).await;
    let mut writer = writer(&*store, 2).await;
    let mut of_bea = a_message(9, 3);
    of_bea.tenant_id = tenant("bea");
    for message in [a_message(9, 3), of_bea] {
        let session = RecordKey {
            kind: RecordKind::Session,
            tenant_id: message.tenant_id.clone(),
            id: Some(message.session_id.uuid()),
        };
        let message = vec![Record::Message(message)];
        let outcomes = writer.insert(run_id(2), message).await.unwrap();
        let [InsertOutcome::Conflict { standing, .. }] = &outcomes[..] else {
            panic!("{outcomes:?}");
        };
        assert_eq!(standing, &session);
    }
}

pub(crate) async fn a_record_without_what_it_refers_to_is_not_inserted(backend: &dyn Backend) {
    let store = open(backend).await;
    let mut writer = writer(&*store, 1).await;
    let missing = |outcome: &InsertOutcome| {
        let InsertOutcome::MissingReference { reference } = outcome else {
            panic!("{outcome:?} instead of a missing reference");
        };
        assert!(!reference.is_empty());
    };
    for record in [Record::Session(a_session(1)), Record::Node(a_node(1))] {
        let outcomes = writer.insert(run_id(1), vec![record]).await.unwrap();
        missing(&outcomes[0]);
    }
    let tenants = vec![a_tenant(&ada())];
    insert_new(&mut *writer, 1, tenants).await;
    insert_new(&mut *writer, 1, vec![Record::Session(a_session(1))]).await;
    insert_new(&mut *writer, 1, vec![Record::Node(a_node(1))]).await;
    let elsewhere = Message {
        session_id: session_id(9),
        ..a_message(2, 1)
    };
    // Those around it are inserted.
    let batch = vec![
        Record::Message(a_message(1, 1)),
        Record::Message(elsewhere),
        Record::Message(a_message(3, 3)),
    ];
    let outcomes = writer.insert(run_id(1), batch).await.unwrap();
    assert_eq!(
        (&outcomes[0], &outcomes[2]),
        (&InsertOutcome::Inserted, &InsertOutcome::Inserted)
    );
    missing(&outcomes[1]);
    let batch = [a_link(1, 1, 9), a_link(2, 9, 1), a_link(3, 1, 1)].map(Record::Relationship);
    let outcomes = writer.insert(run_id(1), batch.to_vec()).await.unwrap();
    missing(&outcomes[0]);
    missing(&outcomes[1]);
    assert_eq!(outcomes[2], InsertOutcome::Inserted);
    let batch = vec![Record::Compound(a_compound(1, "a + b", [1, 9]))];
    let outcomes = writer.insert(run_id(1), batch).await.unwrap();
    missing(&outcomes[0]);
    writer.commit().await.unwrap();
    // Tenant, session, two messages, node, relationship.
    assert_eq!(everything(&*store, None).await.len(), 6);
}

pub(crate) async fn a_record_twice_in_one_call_is_inserted_once(backend: &dyn Backend) {
    let store = open(backend).await;
    let mut writer = writer(&*store, 1).await;
    insert_new(&mut *writer, 1, vec![a_tenant(&ada())]).await;
    let other = Node {
        summary: "other".to_owned(),
        ..a_node(1)
    };
    let batch = [a_node(1), a_node(2), a_node(1), other].map(Record::Node);
    let outcomes = writer.insert(run_id(1), batch.to_vec()).await.unwrap();
    let InsertOutcome::Conflict { standing, .. } = &outcomes[3] else {
        panic!("{outcomes:?}");
    };
    assert_eq!(standing, &Record::Node(a_node(1)).key());
    let wanted = [
        InsertOutcome::Inserted,
        InsertOutcome::Inserted,
        InsertOutcome::AlreadyThere,
    ];
    assert_eq!(outcomes[..3], wanted);
    let entries = entries(&mut *writer, run_id(1), RecordKind::Node, 10).await;
    assert_eq!(entries.len(), 2);
}

pub(crate) async fn a_dropped_writer_undoes_everything(backend: &dyn Backend) {
    let store = open(backend).await;
    for _ in 0..3 {
        let mut writer = writer(&*store, 1).await;
        for batch in batches() {
            insert_new(&mut *writer, 1, batch).await;
        }
        assert_eq!(store.tenant(&ada()).await.unwrap(), None);
        drop(writer);
        assert_eq!(everything(&*store, None).await, []);
    }
    let mut writer = store.writer().await.unwrap();
    assert_eq!(writer.run(run_id(1)).await.unwrap(), None);
    drop(writer);
    given_session(&*store, &ada()).await;
}

pub(crate) async fn a_writer_reads_back_by_key(backend: &dyn Backend) {
    let store = open(backend).await;
    let mut writer = writer(&*store, 1).await;
    for batch in batches() {
        let mut keys: Vec<RecordKey> = batch.iter().map(Record::key).collect();
        let mut wanted: Vec<Option<Record>> = batch.iter().cloned().map(Some).collect();
        insert_new(&mut *writer, 1, batch).await;
        let mut absent = keys[0].clone();
        absent.tenant_id = tenant("nobody");
        keys.insert(1, absent);
        wanted.insert(1, None);
        keys.reverse();
        wanted.reverse();
        assert_eq!(writer.fetch(&keys).await.unwrap(), wanted);
    }
    assert_eq!(writer.fetch(&[]).await.unwrap(), []);
}

/// What a run's ledger has of one kind, with what stands, page by page.
async fn pages(
    writer: &mut dyn RecordWriter,
    run: RunId,
    kind: RecordKind,
    limit: u32,
) -> Vec<Vec<(LedgerEntry, Option<Record>)>> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = writer.read_back(run, kind, after.as_ref(), limit).await;
        let page = page.unwrap();
        let Some((last, _)) = page.last() else {
            return pages;
        };
        after = Some(last.key.clone());
        pages.push(page);
    }
}

/// The entries of one kind in a run's ledger, read by so many.
async fn entries(
    writer: &mut dyn RecordWriter,
    run: RunId,
    kind: RecordKind,
    limit: u32,
) -> Vec<LedgerEntry> {
    let pages = pages(writer, run, kind, limit).await;
    pages
        .into_iter()
        .flatten()
        .map(|(entry, _)| entry)
        .collect()
}

pub(crate) async fn a_page_ends_where_it_is_full(backend: &dyn Backend) {
    let store = open(backend).await;
    given_run(&*store, 1).await;
    let mut writer = writer(&*store, 2).await;
    let mut long: Vec<Record> = (11..16)
        .map(|id| {
            let mut node = a_node(id);
            node.content =
                JsonObject::from_iter([("text".to_owned(), "x".repeat(PAGE_BYTES / 2).into())]);
            Record::Node(node)
        })
        .collect();
    insert_new(&mut *writer, 2, long.clone()).await;
    let read = pages(&mut *writer, run_id(2), RecordKind::Node, 100).await;
    let sizes: Vec<usize> = read.iter().map(Vec::len).collect();
    assert!(
        sizes.iter().all(|size| *size <= 2),
        "{sizes:?} records of 2 MiB in pages of 4"
    );
    let found = read.into_iter().flatten().filter_map(|(_, record)| record);
    assert!(
        found.eq(long.iter().cloned()),
        "each comes once, in the order of the keys"
    );
    writer.commit().await.unwrap();

    // Some went since.
    for gone in [12, 14] {
        store
            .forget_node(&ada(), node_id(gone), at(9))
            .await
            .unwrap();
    }
    long.retain(|record| {
        ![12, 14]
            .map(|id| Some(node_id(id).uuid()))
            .contains(&record.key().id)
    });
    let mut writer = store.writer().await.unwrap();
    let read = pages(&mut *writer, run_id(2), RecordKind::Node, 100).await;
    let read: Vec<Option<Record>> = read.into_iter().flatten().map(|(_, it)| it).collect();
    let gone = read.iter().filter(|record| record.is_none()).count();
    let found: Vec<Record> = read.into_iter().flatten().collect();
    assert!(found == long && gone == 2, "{gone} are told to be gone");
    drop(writer);

    let mut reader = store.reader().await.unwrap();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = reader
            .page(RecordKind::Node, None, after.as_ref(), 100)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.iter().filter(|one| long.contains(one)).count() <= 2);
        after = Some(last.key());
        found.extend(page.into_iter().filter(|one| long.contains(one)));
    }
    assert!(found == long, "each comes once, in the order of the keys");
}

pub(crate) async fn the_ledger_lists_what_a_run_inserted(backend: &dyn Backend) {
    let store = open(backend).await;
    given_run(&*store, 1).await;
    let mut writer = writer(&*store, 2).await;
    let more = vec![Record::Node(a_node(3)), Record::Node(a_node(1))];
    writer.insert(run_id(2), more).await.unwrap();
    for batch in batches() {
        let mut wanted: Vec<LedgerEntry> = batch
            .iter()
            .map(|record| LedgerEntry {
                key: record.key(),
                digest: record.digest(),
            })
            .collect();
        wanted.sort_by(|a, b| a.key.cmp(&b.key));
        let kind = batch[0].kind();
        for limit in [1, 2, 100] {
            let found = entries(&mut *writer, run_id(1), kind, limit).await;
            assert_eq!(found, wanted, "{kind} by {limit}");
        }
    }
    let entries = entries(&mut *writer, run_id(2), RecordKind::Node, 10).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].key, Record::Node(a_node(3)).key());
}

pub(crate) async fn deleting_a_run_takes_just_its_records(backend: &dyn Backend) {
    let store = open(backend).await;
    given_session(&*store, &tenant("bea")).await;
    let before = everything(&*store, None).await;
    given_run(&*store, 1).await;
    let mut writer = store.writer().await.unwrap();
    assert_eq!(writer.built_upon(run_id(1), 10).await.unwrap(), []);
    assert_eq!(writer.delete_run(run_id(1)).await.unwrap(), whole_run());
    let report = object(json!({"undone": whole_run()}));
    writer
        .close_run(run_id(1), RunStatus::RolledBack, at(9), report.clone())
        .await
        .unwrap();
    writer.commit().await.unwrap();
    assert_eq!(everything(&*store, None).await, before);
    let mut writer = store.writer().await.unwrap();
    let run = writer.run(run_id(1)).await.unwrap().unwrap();
    let wanted = TransferRun {
        finished_at: Some(at(9)),
        status: RunStatus::RolledBack,
        report,
        ..new_run(1, 0)
    };
    assert_eq!(run, wanted);
}

pub(crate) async fn deleting_a_run_spares_what_was_there_before(backend: &dyn Backend) {
    let store = open(backend).await;
    given_session(&*store, &ada()).await;
    given_nodes(&*store, &ada(), 2).await;
    let before = everything(&*store, None).await;
    let mut writer = writer(&*store, 1).await;
    insert_new(&mut *writer, 1, vec![Record::Session(a_session(5))]).await;
    insert_new(&mut *writer, 1, vec![Record::Node(a_node(5))]).await;
    insert_new(&mut *writer, 1, vec![Record::Relationship(a_link(1, 1, 2))]).await;
    writer.commit().await.unwrap();
    // What is gone already is not counted.
    store.forget_node(&ada(), node_id(5), at(0)).await.unwrap();
    let mut writer = store.writer().await.unwrap();
    assert_eq!(writer.delete_run(run_id(1)).await.unwrap(), 2);
    writer.commit().await.unwrap();
    assert_eq!(everything(&*store, None).await, before);
}

pub(crate) async fn what_was_built_upon_a_run_is_named(backend: &dyn Backend) {
    let store = open(backend).await;
    let mut writer = writer(&*store, 1).await;
    for batch in batches() {
        insert_new(&mut *writer, 1, batch).await;
    }
    writer.commit().await.unwrap();
    let batch = vec![new_message(7, "later")];
    store
        .append(&ada(), session_id(1), batch, at(0))
        .await
        .unwrap();
    store
        .remember(&ada(), vec![new_node(7)], at(0))
        .await
        .unwrap();
    let link = new_link(7, 7, "led_to", 1);
    store.relate(&ada(), link, at(0)).await.unwrap();
    let compound = NewCompound::new("later", [7, 1].map(node_id)).with_id(compound_id(7));
    let recorded = store.record_compound(&ada(), compound, at(0)).await;
    recorded.unwrap();
    let session = new_session(7, "");
    store.create_session(&ada(), session, at(0)).await.unwrap();
    let decision = new_decision(7, "later");
    store
        .record_decision(&ada(), decision, at(0))
        .await
        .unwrap();
    let event = new_event(7, "later", 0);
    store
        .record_events(&ada(), vec![event], at(0))
        .await
        .unwrap();
    let mut writer = store.writer().await.unwrap();
    let mut found = writer.built_upon(run_id(1), 10).await.unwrap();
    found.sort();
    let found: Vec<String> = found.iter().map(RecordKey::to_string).collect();
    let id = "00000000-0000-0000-0000-000000000007";
    let wanted = [
        "sessions",
        "messages",
        "nodes",
        "relationships",
        "compounds",
        "decisions",
        "audit_events",
    ];
    assert_eq!(found, wanted.map(|table| format!("{table} ada/{id}")));
    assert_eq!(writer.built_upon(run_id(1), 2).await.unwrap().len(), 2);
    assert_eq!(writer.built_upon(run_id(9), 2).await.unwrap(), []);
    // Deleting the run takes them along, and counts only its own.
    assert_eq!(writer.delete_run(run_id(1)).await.unwrap(), whole_run());
    writer.commit().await.unwrap();
    assert_eq!(everything(&*store, None).await, []);
}

pub(crate) async fn nobody_writes_while_a_run_is_being_deleted(backend: &dyn Backend) {
    let options = StoreOptions::default().with_acquire_timeout(SHORT);
    let store = backend.open(options).await;
    given_run(&*store, 1).await;
    given_session(&*store, &tenant("bea")).await;
    let mut writer = store.writer().await.unwrap();
    assert_eq!(writer.built_upon(run_id(1), 10).await.unwrap(), []);
    let (ada, bea) = (ada(), tenant("bea"));
    let upon_it = vec![new_message(9, "late")];
    assert_busy_in_time(store.append(&ada, session_id(1), upon_it, at(0))).await;
    let elsewhere = vec![new_message(9, "late")];
    assert_busy_in_time(store.append(&bea, session_id(1), elsewhere, at(0))).await;
    assert_eq!(writer.delete_run(run_id(1)).await.unwrap(), whole_run());
    writer.commit().await.unwrap();
    given_session(&*store, &ada).await;
}

pub(crate) async fn runs_are_listed_newest_first(backend: &dyn Backend) {
    let store = open(backend).await;
    let mut reader = store.reader().await.unwrap();
    assert_eq!(reader.runs(10).await.unwrap(), []);
    drop(reader);
    let mut writer = store.writer().await.unwrap();
    for (n, seconds) in [(1, 10), (2, 30), (3, 20)] {
        writer.open_run(&new_run(n, seconds)).await.unwrap();
    }
    let report = object(json!({"rows": 3, "tables": [{"name": "x"}]}));
    writer
        .close_run(run_id(3), RunStatus::Completed, at(25), report.clone())
        .await
        .unwrap();
    writer.commit().await.unwrap();
    let mut writer = store.writer().await.unwrap();
    let third = TransferRun {
        finished_at: Some(at(25)),
        status: RunStatus::Completed,
        report,
        ..new_run(3, 20)
    };
    let wanted = [new_run(2, 30), third.clone(), new_run(1, 10)];
    let mut reader = store.reader().await.unwrap();
    assert_eq!(reader.runs(10).await.unwrap(), wanted);
    assert_eq!(reader.runs(2).await.unwrap(), wanted[..2]);
    assert_eq!(reader.runs(0).await.unwrap(), []);
    assert_eq!(writer.run(run_id(3)).await.unwrap(), Some(third));
    assert_eq!(writer.run(run_id(4)).await.unwrap(), None);
}

pub(crate) async fn a_checkpoint_lasts_and_what_follows_it_does_not(backend: &dyn Backend) {
    let store = open(backend).await;
    let first = object(json!({"checkpoint": {"done": 1, "digest": "ab"}}));
    let second = object(json!({"checkpoint": {"done": 2, "keys": ["é\"", 0.5]}}));
    let mut held = writer(&*store, 1).await;
    insert_new(&mut *held, 1, vec![a_tenant(&ada())]).await;
    held.checkpoint(run_id(1), &object(json!({})), &first)
        .await
        .unwrap();
    // The run goes on as what it is: a message still goes into its session.
    insert_new(&mut *held, 1, vec![Record::Session(a_session(1))]).await;
    held.checkpoint(run_id(1), &first, &second).await.unwrap();
    insert_new(&mut *held, 1, vec![Record::Message(a_message(1, 1))]).await;
    drop(held);
    let lasting = vec![a_tenant(&ada()), Record::Session(a_session(1))];
    assert_eq!(everything(&*store, None).await, lasting);

    // Another command goes on with it.
    let unfinished = TransferRun {
        report: second.clone(),
        ..new_run(1, 0)
    };
    let mut held = store.writer().await.unwrap();
    assert_eq!(held.unfinished().await.unwrap(), [unfinished]);
    insert_new(&mut *held, 1, vec![Record::Message(a_message(1, 1))]).await;
    let end = object(json!({"end": true}));
    held.close_run(run_id(1), RunStatus::Completed, at(9), end)
        .await
        .unwrap();
    assert_eq!(held.unfinished().await.unwrap(), []);
    held.commit().await.unwrap();
    assert_eq!(everything(&*store, None).await.len(), 3);
}

pub(crate) async fn a_run_that_another_carried_on_makes_no_checkpoint(backend: &dyn Backend) {
    let store = open(backend).await;
    let known = object(json!({"done": 1}));
    let mut held = writer(&*store, 1).await;
    held.checkpoint(run_id(1), &object(json!({})), &known)
        .await
        .unwrap();
    drop(held);
    let is_conflict = |made: Result<(), StorageError>| {
        assert!(
            matches!(&made, Err(StorageError::Conflict { what: "run", .. })),
            "{made:?}"
        );
    };
    let refused = async |from: &JsonObject| {
        let mut held = store.writer().await.unwrap();
        insert_new(&mut *held, 1, vec![a_tenant(&ada())]).await;
        let made = held.checkpoint(run_id(1), from, &object(json!({}))).await;
        is_conflict(made);
        drop(held);
        assert_eq!(everything(&*store, None).await, []);
    };
    // Somebody came further meanwhile, or took the run back.
    refused(&object(json!({"done": 0}))).await;
    let mut other = store.writer().await.unwrap();
    let taken_back = RunStatus::RolledBack;
    other
        .close_run(run_id(1), taken_back, at(1), known.clone())
        .await
        .unwrap();
    other.commit().await.unwrap();
    refused(&known).await;
    let mut late = store.writer().await.unwrap();
    let closed = late
        .close_run(run_id(1), RunStatus::Completed, at(2), known)
        .await;
    is_conflict(closed);
}

pub(crate) async fn who_waited_for_his_turn_sees_what_the_other_made_last(backend: &dyn Backend) {
    waits_for_his_turn(backend, true).await;
}

pub(crate) async fn who_shares_his_turn_waits_for_one_who_does_not(backend: &dyn Backend) {
    waits_for_his_turn(backend, false).await;
}

async fn waits_for_his_turn(backend: &dyn Backend, alone: bool) {
    let store = open(backend).await;
    let source = || SourceDescription {
        kind: "flux-rag".to_owned(),
        name: "talks 🗨".to_owned(),
        location: "/tmp/'talks'.db".to_owned(),
        settings: std::collections::BTreeMap::new(),
    };
    let mut first = store.writer().await.unwrap();
    first.take_turn(&source(), true).await.unwrap();
    assert_eq!(first.unfinished().await.unwrap(), []);
    let second = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let mut second = store.writer().await.unwrap();
            second.take_turn(&source(), alone).await.unwrap();
            second.unfinished().await.unwrap().len()
        }
    });
    tokio::time::sleep(SHORT).await;
    assert!(!second.is_finished());
    first.open_run(&new_run(1, 0)).await.unwrap();
    let nothing = object(json!({}));
    first
        .checkpoint(run_id(1), &nothing, &nothing)
        .await
        .unwrap();
    drop(first);
    assert_eq!(second.await.unwrap(), 1);
}

pub(crate) async fn a_reader_sees_one_frozen_state(backend: &dyn Backend) {
    let store = open(backend).await;
    given_session(&*store, &ada()).await;
    let mut reader = store.reader().await.unwrap();
    let sessions = RecordKind::Session;
    assert_eq!(reader.count(sessions, None).await.unwrap(), 1);
    let later = new_session(2, "later");
    store.create_session(&ada(), later, at(0)).await.unwrap();
    given_nodes(&*store, &tenant("bea"), 2).await;
    store
        .rename_session(&ada(), session_id(1), "other".to_owned(), at(1))
        .await
        .unwrap();
    assert_eq!(reader.count(sessions, None).await.unwrap(), 1);
    assert_eq!(reader.count(RecordKind::Node, None).await.unwrap(), 0);
    assert_eq!(reader.count(RecordKind::Tenant, None).await.unwrap(), 1);
    let page = reader.page(sessions, None, None, 10).await.unwrap();
    let [Record::Session(session)] = &page[..] else {
        panic!("{page:?}");
    };
    assert_eq!(session.title, "talk");
    drop(reader);
    let mut reader = store.reader().await.unwrap();
    assert_eq!(reader.count(sessions, None).await.unwrap(), 2);
}

pub(crate) async fn records_are_read_in_the_order_of_their_keys(backend: &dyn Backend) {
    let store = open(backend).await;
    let names = ["é", "Z", "a", "a-b", "a b", "B", "日本", "_"];
    for name in names {
        let nodes = [3, u128::MAX, 1, 1 << 127, 2].map(new_node).to_vec();
        store.remember(&tenant(name), nodes, at(0)).await.unwrap();
    }
    let mut reader = store.reader().await.unwrap();
    let all: Vec<String> = {
        let mut names = names;
        names.sort_unstable();
        let ids = [1, 2, 3, 1 << 127, u128::MAX].map(Uuid::from_u128);
        let keys = names
            .iter()
            .flat_map(|name| ids.map(|id| format!("nodes {name}/{id}")));
        keys.collect()
    };
    for limit in [1, 3, 5, 1_000] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = reader
                .page(RecordKind::Node, None, after.as_ref(), limit)
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.key());
            found.extend(page.iter().map(|record| record.key().to_string()));
        }
        assert_eq!(found, all, "by {limit}");
    }
    let page = reader.page(RecordKind::Tenant, None, None, 100).await;
    let tenants: Vec<String> = page
        .unwrap()
        .iter()
        .map(|record| record.tenant_id().to_string())
        .collect();
    assert_eq!(tenants, ["B", "Z", "_", "a", "a b", "a-b", "é", "日本"]);
}

pub(crate) async fn one_tenants_records_are_read_apart(backend: &dyn Backend) {
    let store = open(backend).await;
    for (name, count) in [("a", 2), ("b", 3), ("c", 1)] {
        given_nodes(&*store, &tenant(name), count).await;
    }
    let mut reader = store.reader().await.unwrap();
    let b = tenant("b");
    for (kind, all, of_b) in [
        (RecordKind::Tenant, 3, 1),
        (RecordKind::Session, 0, 0),
        (RecordKind::Node, 6, 3),
    ] {
        assert_eq!(reader.count(kind, None).await.unwrap(), all);
        assert_eq!(reader.count(kind, Some(&b)).await.unwrap(), of_b);
        let page = reader.page(kind, Some(&b), None, 100).await.unwrap();
        assert_eq!(page.len() as u64, of_b);
        assert!(page.iter().all(|record| record.tenant_id() == &b));
    }
    let first = reader.page(RecordKind::Node, Some(&b), None, 1).await;
    let key = first.unwrap()[0].key();
    let rest = reader
        .page(RecordKind::Node, Some(&b), Some(&key), 100)
        .await;
    assert_eq!(rest.unwrap().len(), 2);
    assert_eq!(
        reader.page(RecordKind::Node, None, None, 0).await.unwrap(),
        []
    );
    let nobody = tenant("nobody");
    assert_eq!(
        reader.count(RecordKind::Node, Some(&nobody)).await.unwrap(),
        0
    );
}

pub(crate) async fn thousands_of_records_go_in_one_call(backend: &dyn Backend) {
    let store = open(backend).await;
    let mut writer = writer(&*store, 1).await;
    insert_new(&mut *writer, 1, vec![a_tenant(&ada())]).await;
    insert_new(&mut *writer, 1, vec![Record::Session(a_session(1))]).await;
    let messages: Vec<Record> = (1..=2_500)
        .map(|number| {
            let id = u128::try_from(number).unwrap();
            Record::Message(a_message(id, number))
        })
        .collect();
    insert_new(&mut *writer, 1, messages.clone()).await;
    let outcomes = writer.insert(run_id(1), messages.clone()).await.unwrap();
    assert!(
        outcomes
            .iter()
            .all(|outcome| *outcome == InsertOutcome::AlreadyThere)
    );
    let keys: Vec<RecordKey> = messages.iter().map(Record::key).collect();
    let found = writer.fetch(&keys).await.unwrap();
    assert!(found.iter().flatten().eq(&messages));
    writer.commit().await.unwrap();
    assert_eq!(everything(&*store, None).await.len(), 2_502);
}
