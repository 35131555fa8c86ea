//! Audit events are held by the database itself: what raw SQL may do to them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beside;
mod support;

use beside::{connect, path};
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use memory_domain::{
    AuditEventId, AuditFilter, AuditSeverity, Limit, NewAuditEvent, TenantId, Timestamp,
};
use memory_sqlite::SqliteStorage;
use memory_storage::AuditStore;
use support::Sqlite;
use uuid::Uuid;

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

/// Two tenants with two events each, and a connection beside the store.
async fn with_events(backend: &Sqlite) -> (SqliteStorage, SqliteConnection) {
    let config = backend.config();
    let store = SqliteStorage::open(&config).await.unwrap();
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
    (store, connect(&path(&config)))
}

async fn count(store: &SqliteStorage, name: &str) -> usize {
    let tenant = tenant(name);
    let listed = store.audit_events(&tenant, AuditFilter::default(), Limit::MAX);
    listed.await.unwrap().len()
}

fn assert_refused(connection: &mut SqliteConnection, sql: &str) {
    let error = connection.batch_execute(sql).unwrap_err().to_string();
    assert!(error.contains("audit events are "), "{sql}: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_sql_neither_changes_nor_deletes_events() {
    let backend = Sqlite::start();
    let (store, mut connection) = with_events(&backend).await;
    for sql in [
        "update audit_events set actor = 'nobody'",
        "update or replace audit_events set id = zeroblob(16) where tenant_id = 'ada'",
        "delete from audit_events where tenant_id = 'ada'",
        "delete from tenants where id = 'ada'",
        "delete from audit_events",
        // Permits of others.
        "begin; insert into tenants_being_erased values ('bea');
            delete from audit_events where tenant_id = 'ada'",
        "rollback; begin; insert into transfers_being_taken_back values (zeroblob(16));
            delete from audit_events",
    ] {
        assert_refused(&mut connection, sql);
    }
    connection.batch_execute("rollback").unwrap();
    let before = store
        .audit_events(&tenant("ada"), AuditFilter::default(), Limit::MAX)
        .await
        .unwrap();
    assert_eq!(before.len(), 2);
    // What stands is not replaced either: the insertion does nothing.
    let replace = "insert or replace into audit_events
        select tenant_id, id, 'other', severity, session_id, actor, component, action, details,
            result, ip_address, resource, at
        from audit_events";
    connection.batch_execute(replace).unwrap();
    let after = store
        .audit_events(&tenant("ada"), AuditFilter::default(), Limit::MAX)
        .await
        .unwrap();
    assert_eq!(after, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn erasure_takes_the_events_of_its_tenant_and_ends_with_its_permit() {
    let backend = Sqlite::start();
    let (store, mut connection) = with_events(&backend).await;
    let erase = "begin immediate; insert into tenants_being_erased values ('ada');
        delete from tenants where id = 'ada'; delete from tenants_being_erased; commit";
    connection.batch_execute(erase).unwrap();
    assert_eq!(
        (count(&store, "ada").await, count(&store, "bea").await),
        (0, 2)
    );
    assert_refused(&mut connection, "delete from tenants where id = 'bea'");
    assert_eq!(count(&store, "bea").await, 2);
}
