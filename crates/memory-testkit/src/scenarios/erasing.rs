use std::collections::BTreeMap;

use memory_domain::{Record, RecordKind, Tenant, TenantErasure, TenantId};
use memory_storage::{RunId, RunStatus, Storage, TransferRun};
use serde_json::json;
use uuid::Uuid;

use crate::support::{ada, at, everything, object, tenant};
use crate::verbs::given;
use crate::{Backend, StoreOptions};

pub(crate) async fn erasing_a_tenant_takes_everything_and_counts_it(backend: &dyn Backend) {
    let store = backend.open(StoreOptions::default()).await;
    let (bea, ad) = (tenant("bea"), tenant("ad"));
    for id in [&ada(), &bea, &ad] {
        given(&*store, id).await;
    }
    let others = [
        everything(&*store, Some(&bea)).await,
        everything(&*store, Some(&ad)).await,
    ];
    let wanted = TenantErasure {
        tenant_id: ada(),
        records: BTreeMap::from([
            (RecordKind::Tenant, 1),
            (RecordKind::Session, 1),
            (RecordKind::Message, 2),
            (RecordKind::Node, 4),
            (RecordKind::Relationship, 2),
        ]),
        ledger_entries: 0,
    };
    let mut found = store.erase_tenant(&ada()).await.unwrap();
    // What else belongs to a tenant is counted by the laws of its own aggregate.
    found
        .records
        .retain(|kind, _| wanted.records.contains_key(kind));
    assert_eq!(found, wanted);
    assert_eq!(everything(&*store, Some(&ada())).await, []);
    assert_eq!(everything(&*store, Some(&bea)).await, others[0]);
    assert_eq!(everything(&*store, Some(&ad)).await, others[1]);
}

pub(crate) async fn an_erasure_in_a_work_that_is_dropped_leaves_everything(backend: &dyn Backend) {
    let store = backend.open(StoreOptions::default()).await;
    given(&*store, &ada()).await;
    let before = everything(&*store, None).await;
    let work = store.begin().await.unwrap();
    work.erase_tenant(&ada()).await.unwrap();
    assert_eq!(work.tenant(&ada()).await.unwrap(), None);
    work.rollback().await.unwrap();
    assert_eq!(everything(&*store, None).await, before);
}

fn carried(id: &TenantId) -> Record {
    Record::Tenant(Tenant {
        id: id.clone(),
        created_at: at(0),
        last_active_at: at(0),
        metadata: object(json!({})),
    })
}

/// Carries tenants into a store by a run whose report says some words.
async fn carry(store: &dyn Storage, run: u128, tenants: &[TenantId], said: &str) {
    let run = TransferRun {
        id: RunId(Uuid::from_u128(run)),
        source_kind: "memory".to_owned(),
        source_name: "memory".to_owned(),
        source_location: "a.db".to_owned(),
        started_at: at(0),
        finished_at: None,
        status: RunStatus::Running,
        report: object(json!({})),
    };
    let mut writer = store.writer().await.unwrap();
    writer.open_run(&run).await.unwrap();
    let records = tenants.iter().map(carried).collect();
    writer.insert(run.id, records).await.unwrap();
    let report = object(json!({"said": said}));
    writer
        .close_run(run.id, RunStatus::Completed, at(1), report)
        .await
        .unwrap();
    writer.commit().await.unwrap();
}

pub(crate) async fn erasing_takes_the_ledger_and_the_reports_of_transfers_along(
    backend: &dyn Backend,
) {
    let store = backend.open(StoreOptions::default()).await;
    let (bea, odd) = (tenant("bea"), tenant("o\"dd"));
    carry(
        &*store,
        1,
        &[ada(), bea.clone()],
        "quotes something of ada's",
    )
    .await;
    carry(&*store, 2, &[tenant("cy")], "nodes ada/0198 was put aside").await;
    carry(&*store, 5, &[tenant("cy2")], "tenants ada: it stands").await;
    carry(&*store, 6, &[tenant("cy3")], "tenants ada").await;
    // Another's, whose name ends alike.
    carry(
        &*store,
        7,
        &[tenant("granada")],
        "nodes granada/0198, tenants adam",
    )
    .await;
    carry(&*store, 3, &[tenant("dan"), odd.clone()], "nothing").await;
    carry(&*store, 4, &[tenant("eve")], "says o\"dd").await;
    let erasure = store.erase_tenant(&ada()).await.unwrap();
    assert_eq!(erasure.ledger_entries, 1);
    assert_eq!(erasure.records, BTreeMap::from([(RecordKind::Tenant, 1)]));
    let other = "nodes granada/0198, tenants adam";
    let says = "says o\"dd";
    let after = ["", "", "nothing", says, "", "", other];
    assert_eq!(reports(&*store).await, after);
    store.erase_tenant(&odd).await.unwrap();
    let after = ["", "", "", says, "", "", other];
    assert_eq!(reports(&*store).await, after);
    // The run can still be taken back: it has only the other tenant's record to take.
    let run = RunId(Uuid::from_u128(1));
    let mut writer = store.writer().await.unwrap();
    let ledger = writer.read_back(run, RecordKind::Tenant, None, 10).await;
    let ledger: Vec<TenantId> = ledger
        .unwrap()
        .into_iter()
        .map(|(entry, _)| entry.key.tenant_id)
        .collect();
    assert_eq!(ledger, [bea]);
    assert_eq!(writer.delete_run(run).await.unwrap(), 1);
}

/// What the reports of runs 1 to 7 say.
async fn reports(store: &dyn Storage) -> Vec<String> {
    let mut writer = store.writer().await.unwrap();
    let mut reports = Vec::new();
    for run in 1..=7 {
        let run = writer
            .run(RunId(Uuid::from_u128(run)))
            .await
            .unwrap()
            .unwrap();
        let said = run.report.get("said").and_then(|said| said.as_str());
        reports.push(said.unwrap_or_default().to_owned());
    }
    reports
}
