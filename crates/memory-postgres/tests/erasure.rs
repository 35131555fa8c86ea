//! What an erasure reaches.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Fresh, client};
use memory_domain::{JsonObject, Record, Tenant, TenantId, Timestamp};
use memory_storage::{RunId, RunStatus, Storage, TenantStore, TransferRun};
use memory_testkit::given;

/// How many rows of a tenant each table has that says whose its rows are.
async fn rows_of(fresh: &Fresh, tenant: &str) -> Vec<(String, i64)> {
    let client = client().await;
    let tables = client
        .query(
            "select c.relname::text from pg_attribute as a join pg_class as c on c.oid = a.attrelid
             where c.relnamespace = $1::text::regnamespace and c.relkind in ('r', 'p')
                 and a.attname = 'tenant_id' and not a.attisdropped
             order by 1",
            &[&fresh.schema],
        )
        .await
        .unwrap();
    let mut counts = Vec::new();
    for table in tables {
        let table: String = table.get(0);
        let sql = format!(
            "select count(*) from {}.{table} where tenant_id = $1",
            fresh.schema
        );
        let row = client.query_one(&sql, &[&tenant]).await.unwrap();
        counts.push((table, row.get(0)));
    }
    counts
}

/// Enters a tenant in the ledger of a transfer.
async fn carry(store: &dyn Storage, tenant: &TenantId) {
    let at = Timestamp::UNIX_EPOCH;
    let run = TransferRun {
        id: RunId(uuid::Uuid::from_u128(1)),
        source_kind: "memory".to_owned(),
        source_name: "memory".to_owned(),
        source_location: "a.db".to_owned(),
        started_at: at,
        finished_at: None,
        status: RunStatus::Running,
        report: JsonObject::new(),
    };
    let record = Record::Tenant(Tenant {
        id: tenant.clone(),
        created_at: at,
        last_active_at: at,
        metadata: JsonObject::new(),
    });
    let mut writer = store.writer().await.unwrap();
    writer.open_run(&run).await.unwrap();
    writer.insert(run.id, vec![record]).await.unwrap();
    writer.commit().await.unwrap();
}

#[tokio::test]
async fn every_table_that_says_whose_its_rows_are_is_reached() {
    let fresh = Fresh::new();
    let store = fresh.open().await;
    let (ada, bea) = (TenantId::new("ada").unwrap(), TenantId::new("bea").unwrap());
    carry(&store, &ada).await;
    given(&store, &ada).await;
    given(&store, &bea).await;
    let before = rows_of(&fresh, "ada").await;
    assert!(before.len() >= 5, "{before:?}");
    for (table, rows) in before {
        assert!(
            rows > 0,
            "{table} is empty, so nothing is shown: have `given` of memory-testkit fill it"
        );
    }
    let others = rows_of(&fresh, "bea").await;
    store.erase_tenant(&ada).await.unwrap();
    for (table, rows) in rows_of(&fresh, "ada").await {
        assert_eq!(rows, 0, "{table} keeps rows of an erased tenant");
    }
    assert_eq!(rows_of(&fresh, "bea").await, others);
}
