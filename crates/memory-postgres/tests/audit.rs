//! Audit events are held by the database itself: what raw SQL may do to them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Fresh, client};
use memory_domain::{
    AuditEventId, AuditFilter, AuditSeverity, Limit, NewAuditEvent, TenantId, Timestamp,
};
use memory_postgres::PostgresStorage;
use memory_storage::AuditStore;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

/// Two tenants with two events each.
async fn with_events(fresh: &Fresh) -> (PostgresStorage, Client) {
    let store = fresh.open().await;
    for name in ["ada", "bea"] {
        let events = [1, 2].map(|id| {
            let id = AuditEventId::from_uuid(Uuid::from_u128(id));
            NewAuditEvent::new("login", AuditSeverity::Info, Timestamp::UNIX_EPOCH).with_id(id)
        });
        store
            .record_events(&tenant(name), events.into(), Timestamp::UNIX_EPOCH)
            .await
            .unwrap();
    }
    let client = client().await;
    let path = format!("set search_path = {}", fresh.schema);
    client.batch_execute(&path).await.unwrap();
    (store, client)
}

async fn count(store: &PostgresStorage, name: &str) -> usize {
    let tenant = tenant(name);
    let listed = store.audit_events(&tenant, AuditFilter::default(), Limit::MAX);
    listed.await.unwrap().len()
}

async fn assert_refused(client: &Client, sql: &str) {
    let error = client.batch_execute(sql).await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::RESTRICT_VIOLATION), "{sql}");
}

#[tokio::test]
async fn raw_sql_neither_changes_nor_deletes_events() {
    let fresh = Fresh::new();
    let (store, client) = with_events(&fresh).await;
    for sql in [
        "update audit_events set actor = 'nobody'",
        "update audit_events set at = at where tenant_id = 'ada'",
        "delete from audit_events where tenant_id = 'ada'",
        "delete from tenants where id = 'ada'",
        "truncate audit_events",
        "truncate tenants cascade",
        "insert into audit_events select * from audit_events
            on conflict (tenant_id, id) do update set actor = 'nobody'",
        // Permits of others, and what is no permit.
        "begin; select set_config('memory.erased_tenant', 'bea', true);
            delete from audit_events where tenant_id = 'ada'",
        "rollback; begin; select set_config('memory.erased_tenant', '', true);
            delete from audit_events",
        "rollback; begin;
            select set_config('memory.taken_back_run', gen_random_uuid()::text, true);
            delete from audit_events",
    ] {
        assert_refused(&client, sql).await;
    }
    client.batch_execute("rollback").await.unwrap();
    assert_eq!(
        (count(&store, "ada").await, count(&store, "bea").await),
        (2, 2)
    );
}

#[tokio::test]
async fn erasure_takes_the_events_of_its_tenant_and_ends_with_its_transaction() {
    let fresh = Fresh::new();
    let (store, client) = with_events(&fresh).await;
    let erase = "begin; select set_config('memory.erased_tenant', 'ada', true);
        delete from tenants where id = 'ada'; commit";
    client.batch_execute(erase).await.unwrap();
    assert_eq!(
        (count(&store, "ada").await, count(&store, "bea").await),
        (0, 2)
    );
    assert_refused(&client, "delete from tenants where id = 'bea'").await;
    assert_eq!(count(&store, "bea").await, 2);
}
