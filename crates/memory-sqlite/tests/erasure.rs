//! What an erasure reaches.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beside;
mod support;

use std::path::Path;

use beside::{connect, path};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use memory_domain::{JsonObject, Record, Tenant, TenantId, Timestamp};
use memory_sqlite::SqliteStorage;
use memory_storage::TransferRun;
use memory_storage::{RunId, RunStatus, Storage, TenantStore};
use memory_testkit::given;
use support::Sqlite;

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many rows of a tenant each table has that says whose its rows are.
fn rows_of(path: &Path, tenant: &str) -> Vec<(String, i64)> {
    let mut connection = connect(path);
    let tables: Vec<Named> = diesel::sql_query(
        "select m.name from sqlite_schema as m, pragma_table_info(m.name) as c
         where m.type = 'table' and c.name = 'tenant_id'
             -- Says which erasure is under way, and is empty at all other times.
             and m.name <> 'tenants_being_erased'
         order by m.name",
    )
    .load(&mut connection)
    .unwrap();
    let count = |table: Named| {
        let sql = format!(
            "select count(*) as count from {} where tenant_id = ?",
            table.name
        );
        let found: Counted = diesel::sql_query(sql)
            .bind::<Text, _>(tenant)
            .get_result(&mut connection)
            .unwrap();
        (table.name, found.count)
    };
    tables.into_iter().map(count).collect()
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

#[tokio::test(flavor = "multi_thread")]
async fn every_table_that_says_whose_its_rows_are_is_reached() {
    let backend = Sqlite::start();
    let config = backend.config();
    let store = SqliteStorage::open(&config).await.unwrap();
    let (ada, bea) = (TenantId::new("ada").unwrap(), TenantId::new("bea").unwrap());
    carry(&store, &ada).await;
    given(&store, &ada).await;
    given(&store, &bea).await;
    let before = rows_of(&path(&config), "ada");
    assert!(before.len() >= 6, "{before:?}");
    for (table, rows) in before {
        assert!(
            rows > 0,
            "{table} is empty, so nothing is shown: have `given` of memory-testkit fill it"
        );
    }
    let others = rows_of(&path(&config), "bea");
    store.erase_tenant(&ada).await.unwrap();
    for (table, rows) in rows_of(&path(&config), "ada") {
        assert_eq!(rows, 0, "{table} keeps rows of an erased tenant");
    }
    assert_eq!(rows_of(&path(&config), "bea"), others);
}
