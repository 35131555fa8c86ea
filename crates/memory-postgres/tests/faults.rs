//! What a caller hears, and what stands, when the network, the server or another caller is in the
//! way.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::{Duration, Instant};

use common::proxy::{Fault, Proxy};
use common::{Fresh, client};
use memory_domain::{JsonObject, NewMessage, NewSession, Session, SessionId, TenantId, Timestamp};
use memory_postgres::PostgresStorage;
use memory_storage::{
    Config, ConversationStore, PoolOptions, SchemaPolicy, Sql, Storage, StorageError, Target,
    TenantStore,
};
use tokio::time::{sleep, timeout};

fn ada() -> TenantId {
    TenantId::new("ada").unwrap()
}

fn now() -> Timestamp {
    "2026-11-21T03:41:19Z".parse().unwrap()
}

fn one_connection(fresh: &Fresh) -> Config {
    fresh.config().with_pool(PoolOptions {
        min_idle: 0,
        max_size: 1,
        ..PoolOptions::default()
    })
}

async fn through_a_proxy(config: Config) -> (Proxy, PostgresStorage) {
    let proxy = Proxy::start(&config).await;
    let store = PostgresStorage::open(&proxy.in_front_of(config)).await;
    (proxy, store.unwrap())
}

async fn given_session(store: &PostgresStorage) -> Session {
    let session = NewSession::new("talk");
    store.create_session(&ada(), session, now()).await.unwrap()
}

/// Holds the session's row until it is dropped.
async fn lock(fresh: &Fresh, session: SessionId) -> tokio_postgres::Client {
    let holder = client().await;
    let sql = format!(
        "begin; select from {}.sessions where id = '{session}' for update",
        fresh.schema
    );
    holder.batch_execute(&sql).await.unwrap();
    holder
}

/// How many of the store's connections wait for a lock.
async fn waiting(fresh: &Fresh) -> i64 {
    let sql = "select count(*) from pg_locks as l join pg_stat_activity as a using (pid)
        where not l.granted and a.query like $1";
    let client = client().await;
    client
        .batch_execute(&format!("set search_path = {}", fresh.schema))
        .await
        .unwrap();
    let row = client
        .query_one(sql, &[&"%append_messages%"])
        .await
        .unwrap();
    row.get(0)
}

async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let patience = async {
        while !holds().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(10), patience).await.unwrap();
}

#[tokio::test]
async fn a_connection_lost_in_a_write_leaves_the_outcome_unknown() {
    for (fault, written) in [(Fault::CutBefore, false), (Fault::CutAfter, true)] {
        let fresh = Fresh::new();
        let (proxy, store) = through_a_proxy(one_connection(&fresh)).await;
        // Prepares the statement, so the next message is the call itself.
        given_session(&store).await;
        proxy.fault(Some(fault));
        let new = NewSession::new("lost");
        let error = store
            .create_session(&ada(), new.clone(), now())
            .await
            .unwrap_err();
        assert!(
            matches!(error, StorageError::OutcomeUnknown { .. }),
            "{error:?}"
        );
        proxy.fault(None);
        if written {
            until(async || store.session(&ada(), new.id).await.unwrap().is_some()).await;
        } else {
            assert_eq!(store.session(&ada(), new.id).await.unwrap(), None);
        }
        // The same write again ends the doubt.
        store.create_session(&ada(), new, now()).await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_lost_in_a_read_may_be_retried() {
    let fresh = Fresh::new();
    let (proxy, store) = through_a_proxy(one_connection(&fresh)).await;
    let session = given_session(&store).await;
    proxy.fault(Some(Fault::CutBefore));
    let error = store.session(&ada(), session.id).await.unwrap_err();
    assert!(
        matches!(error, StorageError::Unavailable { .. }),
        "{error:?}"
    );
    proxy.fault(None);
    assert_eq!(
        store.session(&ada(), session.id).await.unwrap(),
        Some(session)
    );
}

#[tokio::test]
async fn a_connection_lost_in_a_commit_leaves_the_outcome_unknown() {
    for (fault, written) in [(Fault::CutBefore, false), (Fault::CutAfter, true)] {
        let fresh = Fresh::new();
        let (proxy, store) = through_a_proxy(one_connection(&fresh)).await;
        let work = store.begin().await.unwrap();
        let new = NewSession::new("lost");
        work.create_session(&ada(), new.clone(), now())
            .await
            .unwrap();
        proxy.fault(Some(fault));
        let error = work.commit().await.unwrap_err();
        assert!(
            matches!(error, StorageError::OutcomeUnknown { .. }),
            "{error:?}"
        );
        proxy.fault(None);
        if written {
            until(async || store.session(&ada(), new.id).await.unwrap().is_some()).await;
        } else {
            assert_eq!(store.session(&ada(), new.id).await.unwrap(), None);
        }
    }
}

#[tokio::test]
async fn a_connection_lost_in_a_work_undoes_it() {
    let fresh = Fresh::new();
    let (proxy, store) = through_a_proxy(one_connection(&fresh)).await;
    let session = given_session(&store).await;
    let work = store.begin().await.unwrap();
    work.rename_session(&ada(), session.id, "other".to_owned(), now())
        .await
        .unwrap();
    proxy.fault(Some(Fault::CutBefore));
    let error = work
        .rename_session(&ada(), session.id, "third".to_owned(), now())
        .await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, StorageError::Unavailable { .. }),
        "{error:?}"
    );
    proxy.fault(None);
    let error = work.session(&ada(), session.id).await.unwrap_err();
    assert!(
        matches!(error, StorageError::WorkAborted { .. }),
        "{error:?}"
    );
    let error = work.commit().await.unwrap_err();
    assert!(
        matches!(error, StorageError::WorkAborted { .. }),
        "{error:?}"
    );
    assert_eq!(
        store.session(&ada(), session.id).await.unwrap(),
        Some(session)
    );
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up_and_leaves_the_outcome_unknown() {
    let fresh = Fresh::new();
    let mut config = one_connection(&fresh);
    config.statement_timeout = Duration::from_millis(300);
    let (proxy, store) = through_a_proxy(config).await;
    given_session(&store).await;
    proxy.fault(Some(Fault::Silence));
    let started = Instant::now();
    let error = store
        .create_session(&ada(), NewSession::new("lost"), now())
        .await
        .unwrap_err();
    assert!(
        matches!(error, StorageError::OutcomeUnknown { .. }),
        "{error:?}"
    );
    let took = started.elapsed();
    assert!(
        (Duration::from_secs(5)..Duration::from_secs(8)).contains(&took),
        "{took:?}"
    );
    proxy.fault(None);
    given_session(&store).await;
}

#[tokio::test]
async fn a_server_that_is_down_is_said_to_be_at_once_and_found_again() {
    let fresh = Fresh::new();
    let mut config = one_connection(&fresh);
    config.pool.acquire_timeout = Duration::from_secs(5);
    let (proxy, store) = through_a_proxy(config).await;
    let session = given_session(&store).await;
    proxy.fault(Some(Fault::Down));
    let error = store.session(&ada(), session.id).await.unwrap_err();
    assert!(
        matches!(error, StorageError::Unavailable { .. }),
        "{error:?}"
    );
    let started = Instant::now();
    let error = store.session(&ada(), session.id).await.unwrap_err();
    assert!(
        matches!(error, StorageError::Unavailable { .. }),
        "{error:?}"
    );
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    let health = store.health(Duration::from_secs(3)).await;
    assert!(!health.healthy && health.problem.is_some(), "{health:?}");
    proxy.fault(None);
    until(async || store.session(&ada(), session.id).await.is_ok()).await;
    assert!(store.health(Duration::from_secs(3)).await.healthy);
}

#[tokio::test]
async fn connections_that_the_server_ended_are_replaced_unseen() {
    let fresh = Fresh::new();
    let store = fresh.open().await;
    let session = given_session(&store).await;
    let sql = format!(
        "select pg_terminate_backend(pid) from pg_stat_activity
        where pid <> pg_backend_pid() and query like '%{}%' or application_name = '{0}'",
        fresh.schema
    );
    // By a name of its own, so that the tests beside this one keep theirs.
    let mut config = fresh.config();
    if let Target::Postgres(target) = &mut config.target {
        target.application_name.clone_from(&fresh.schema);
    }
    drop(store);
    let store = PostgresStorage::open(&config).await.unwrap();
    for _ in 0..3 {
        store.session(&ada(), session.id).await.unwrap();
        let ended = client().await.query(&sql, &[]).await.unwrap();
        assert!(!ended.is_empty());
        sleep(Duration::from_millis(100)).await;
        store
            .rename_session(&ada(), session.id, "still".to_owned(), now())
            .await
            .unwrap();
    }
    let stats = store.pool_stats();
    assert!(
        stats.closed >= 3 && stats.opened == stats.closed + u64::from(stats.open),
        "{stats:?}"
    );
}

#[tokio::test]
async fn a_connection_is_checked_only_after_it_lay_idle() {
    let fresh = Fresh::new();
    for (check_after_idle, checks) in [(Duration::from_secs(30), 0), (Duration::ZERO, 1)] {
        let mut config = one_connection(&fresh);
        config.pool.check_after_idle = check_after_idle;
        let (proxy, store) = through_a_proxy(config).await;
        store.tenant(&ada()).await.unwrap();
        proxy.take();
        store.tenant(&ada()).await.unwrap();
        let sent = proxy.take();
        assert_eq!(
            sent.get(&'Q').copied().unwrap_or_default(),
            checks,
            "{sent:?}"
        );
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_a_timeout() {
    let fresh = Fresh::new();
    let mut config = fresh.config();
    config.statement_timeout = Duration::from_millis(400);
    let store = PostgresStorage::open(&config).await.unwrap();
    let session = given_session(&store).await;
    let holder = lock(&fresh, session.id).await;
    let batch = vec![NewMessage::user("late")];
    let error = store
        .append(&ada(), session.id, batch, now())
        .await
        .unwrap_err();
    holder.batch_execute("rollback").await.unwrap();
    let StorageError::Timeout { limit } = error else {
        panic!("{error:?}");
    };
    assert_eq!(limit, Duration::from_millis(400));
    assert_eq!(
        store.session(&ada(), session.id).await.unwrap(),
        Some(session)
    );
}

/// Longer than the client waits for a server that is to answer within a second.
const LONG: Duration = Duration::from_millis(7_500);

#[tokio::test]
async fn what_an_operator_asks_for_takes_as_long_as_it_takes() {
    let fresh = Fresh::new();
    let mut config = fresh.config();
    config.statement_timeout = Duration::from_secs(1);
    let store = PostgresStorage::open(&config).await.unwrap();
    given_session(&store).await;
    let holder = client().await;
    let path = format!("set search_path = {}", fresh.schema);
    for sql in [
        path.as_str(),
        "drop index sessions_by_update",
        "begin; lock table sessions in access exclusive mode",
    ] {
        holder.batch_execute(sql).await.unwrap();
    }
    let releasing = async {
        sleep(LONG).await;
        holder.batch_execute("commit").await.unwrap();
    };
    let maintenance = store.maintenance();
    let (sizes, steps, ()) = tokio::join!(
        maintenance.table_sizes(),
        maintenance.optimize(false),
        releasing
    );
    let sizes = sizes.unwrap();
    let sessions = sizes.iter().find(|size| size.table == "sessions").unwrap();
    assert_eq!(sessions.rows, 1);
    assert_eq!(steps.unwrap()[0].step, "make the index sessions_by_update");
    let valid = "select indisvalid from pg_index
        where indexrelid = 'sessions_by_update'::regclass";
    let row = holder.query_one(valid, &[]).await.unwrap();
    assert!(row.get::<_, bool>(0));
}

#[tokio::test]
async fn a_row_that_is_held_is_busy_after_the_acquire_timeout() {
    let fresh = Fresh::new();
    let mut config = fresh.config();
    config.pool.acquire_timeout = Duration::from_millis(400);
    let store = PostgresStorage::open(&config).await.unwrap();
    let session = given_session(&store).await;
    let holder = lock(&fresh, session.id).await;
    let started = Instant::now();
    let batch = vec![NewMessage::user("late")];
    let error = store
        .append(&ada(), session.id, batch.clone(), now())
        .await
        .unwrap_err();
    assert!(matches!(error, StorageError::Busy { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(3));
    // In a work it is an error of the database, which undoes the work.
    let work = store.begin().await.unwrap();
    let error = work
        .append(&ada(), session.id, batch.clone(), now())
        .await
        .unwrap_err();
    assert!(matches!(error, StorageError::Busy { .. }), "{error:?}");
    let error = work.commit().await.unwrap_err();
    assert!(
        matches!(error, StorageError::WorkAborted { .. }),
        "{error:?}"
    );
    holder.batch_execute("rollback").await.unwrap();
    store
        .append(&ada(), session.id, batch, now())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_dropped_verb_stops_waiting_and_leaves_its_connection_to_nobody() {
    let fresh = Fresh::new();
    let store = PostgresStorage::open(&one_connection(&fresh))
        .await
        .unwrap();
    let session = given_session(&store).await;
    let holder = lock(&fresh, session.id).await;
    let batch = vec![NewMessage::user("dropped")];
    let ada = ada();
    let appending = store.append(&ada, session.id, batch, now());
    let waited = timeout(Duration::from_millis(300), appending).await;
    assert!(waited.is_err(), "{waited:?}");
    // The next one does not wait behind it, though there is but one connection.
    let next = store.create_session(&ada, NewSession::new("next"), now());
    timeout(Duration::from_secs(3), next)
        .await
        .unwrap()
        .unwrap();
    until(async || waiting(&fresh).await == 0).await;
    holder.batch_execute("rollback").await.unwrap();
    assert_eq!(
        store.session(&ada, session.id).await.unwrap(),
        Some(session)
    );
    assert_eq!(store.pool_stats().in_use, 0);
}

#[tokio::test]
async fn a_dropped_work_frees_its_rows_and_its_connection() {
    let fresh = Fresh::new();
    let store = PostgresStorage::open(&one_connection(&fresh))
        .await
        .unwrap();
    let session = given_session(&store).await;
    let opened = store.pool_stats().opened;
    for _ in 0..20 {
        let work = store.begin().await.unwrap();
        work.rename_session(&ada(), session.id, "undone".to_owned(), now())
            .await
            .unwrap();
        drop(work);
    }
    assert_eq!(
        store.session(&ada(), session.id).await.unwrap(),
        Some(session)
    );
    // Rolled back, not thrown away.
    assert_eq!(store.pool_stats().opened, opened);
}

#[tokio::test]
async fn a_work_outlives_the_store_that_was_dropped() {
    let fresh = Fresh::new();
    let store = fresh.open().await;
    let work = store.begin().await.unwrap();
    drop(store);
    let new = NewSession::new("kept");
    work.create_session(&ada(), new.clone(), now())
        .await
        .unwrap();
    work.commit().await.unwrap();
    let store = fresh.open().await;
    assert!(store.session(&ada(), new.id).await.unwrap().is_some());
}

/// On one thread, which sleeps: so the client cannot undo the work itself.
#[tokio::test]
async fn a_work_whose_client_sleeps_is_undone_by_the_server() {
    let fresh = Fresh::new();
    let mut config = fresh.config();
    config.idle_work_timeout = Duration::from_millis(100);
    let store = PostgresStorage::open(&config).await.unwrap();
    let session = given_session(&store).await;
    let work = store.begin().await.unwrap();
    work.rename_session(&ada(), session.id, "undone".to_owned(), now())
        .await
        .unwrap();
    let url = common::server();
    let (schema, id) = (fresh.schema.clone(), session.id);
    let other = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
                .await
                .unwrap();
            tokio::spawn(connection);
            let sql = format!("update {schema}.sessions set title = 'free' where id = '{id}'");
            let update = client.batch_execute(&sql);
            timeout(Duration::from_secs(20), update)
                .await
                .unwrap()
                .unwrap();
        });
    });
    other.join().unwrap();
    let error = work.commit().await.unwrap_err();
    assert!(
        matches!(error, StorageError::WorkAborted { .. }),
        "{error:?}"
    );
    let title = store
        .session(&ada(), session.id)
        .await
        .unwrap()
        .unwrap()
        .title;
    assert_eq!(title, "free");
}

/// Without the session's lock it would meet the number that the other has taken, which is an error
/// of the database.
#[tokio::test]
async fn a_work_that_appends_waits_for_another_and_numbers_after_it() {
    let fresh = Fresh::new();
    let store = fresh.open().await;
    let session = given_session(&store).await.id;
    let (one, two) = (store.begin().await.unwrap(), store.begin().await.unwrap());
    let batch = || vec![NewMessage::user("x")];
    one.append(&ada(), session, batch(), now()).await.unwrap();
    let (appended, ()) = tokio::join!(
        async { two.append(&ada(), session, batch(), now()).await },
        async {
            until(async || waiting(&fresh).await == 1).await;
            one.commit().await.unwrap();
        }
    );
    assert_eq!(appended.unwrap()[0].number, 2);
    two.commit().await.unwrap();
}

#[tokio::test]
async fn works_that_lock_crosswise_end_and_one_of_them_commits() {
    let fresh = Fresh::new();
    let store = fresh.open().await;
    let (a, b) = (
        given_session(&store).await.id,
        given_session(&store).await.id,
    );
    let (one, two) = (store.begin().await.unwrap(), store.begin().await.unwrap());
    let rename = |title: &str| title.to_owned();
    one.rename_session(&ada(), a, rename("one"), now())
        .await
        .unwrap();
    two.rename_session(&ada(), b, rename("two"), now())
        .await
        .unwrap();
    let (first, second) = tokio::join!(
        async { one.rename_session(&ada(), b, rename("one"), now()).await },
        async {
            let result = two.rename_session(&ada(), a, rename("two"), now()).await;
            if result.is_err() {
                two.rollback().await.unwrap();
            } else {
                two.commit().await.unwrap();
            }
            result
        }
    );
    one.rollback().await.unwrap();
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let error = first.err().or(second.err()).unwrap();
    assert!(matches!(error, StorageError::Busy { .. }), "{error:?}");
}

#[tokio::test]
async fn a_touched_tenant_keeps_nobody_waiting() {
    let fresh = Fresh::new();
    let mut config = fresh.config();
    config.pool.acquire_timeout = Duration::from_millis(500);
    let store = PostgresStorage::open(&config).await.unwrap();
    store
        .create_tenant(&ada(), JsonObject::new(), now())
        .await
        .unwrap();
    // Both find the tenant idle for long; the second does not wait for the first to end.
    let later = now().after(Duration::from_hours(1));
    let work = store.begin().await.unwrap();
    work.create_session(&ada(), NewSession::new("in it"), later)
        .await
        .unwrap();
    store
        .create_session(&ada(), NewSession::new("beside"), later)
        .await
        .unwrap();
    work.commit().await.unwrap();
    let tenant = store.tenant(&ada()).await.unwrap().unwrap();
    assert_eq!(tenant.last_active_at, later);
}

#[tokio::test]
async fn a_role_that_may_only_read_is_told_so() {
    let fresh = Fresh::new();
    drop(fresh.open().await);
    let role = format!("reader_{}", fresh.schema);
    let sql = format!(
        "create role {role} superuser login password 'secret';
        alter role {role} set default_transaction_read_only = on"
    );
    client().await.batch_execute(&sql).await.unwrap();
    let mut config = fresh.config().with_schema(SchemaPolicy::Require);
    if let Target::Postgres(target) = &mut config.target {
        target.user.clone_from(&role);
        target.password = Some(memory_storage::Password::new("secret"));
    }
    let store = PostgresStorage::open(&config).await.unwrap();
    let error = store
        .create_session(&ada(), NewSession::new("x"), now())
        .await
        .unwrap_err();
    assert!(matches!(error, StorageError::ReadOnly), "{error:?}");
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
    store.close(Duration::from_secs(5)).await.unwrap();
    client()
        .await
        .batch_execute(&format!("drop role {role}"))
        .await
        .unwrap();
}

#[tokio::test]
async fn closing_cuts_off_a_verb_that_waits() {
    let fresh = Fresh::new();
    let store = std::sync::Arc::new(fresh.open().await);
    let session = given_session(&store).await;
    let holder = lock(&fresh, session.id).await;
    let appending = {
        let store = std::sync::Arc::clone(&store);
        tokio::spawn(async move {
            let batch = vec![NewMessage::user("waiting")];
            store.append(&ada(), session.id, batch, now()).await
        })
    };
    until(async || waiting(&fresh).await == 1).await;
    let started = Instant::now();
    let closed = store.close(Duration::from_millis(300)).await;
    assert!(
        matches!(closed, Err(StorageError::Busy { .. })),
        "{closed:?}"
    );
    let error = appending.await.unwrap().unwrap_err();
    assert!(
        matches!(error, StorageError::OutcomeUnknown { .. }),
        "{error:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(3));
    let error = store.session(&ada(), session.id).await.unwrap_err();
    assert!(matches!(error, StorageError::Closed), "{error:?}");
    until(async || waiting(&fresh).await == 0).await;
    let stats = store.pool_stats();
    assert_eq!((stats.open, stats.in_use), (0, 0), "{stats:?}");
    holder.batch_execute("rollback").await.unwrap();
}

#[tokio::test]
async fn a_value_that_has_no_type_here_undoes_its_statement_and_not_the_work() {
    let fresh = Fresh::new();
    let store = fresh.open().await;
    let session = given_session(&store).await;
    let work = store.begin().await.unwrap();
    work.rename_session(&ada(), session.id, "renamed".to_owned(), now())
        .await
        .unwrap();
    let look = "select '1 day'::interval as long";
    let error = Sql::new(&*work, look).fetch().await.unwrap_err();
    assert!(matches!(error, StorageError::Backend { .. }), "{error:?}");
    assert!(format!("{error:?}").contains("column long"), "{error:?}");
    let write = "update sessions set title = 'lost' returning '1 day'::interval as long";
    let error = Sql::new(&*work, write).writing().fetch().await.unwrap_err();
    assert!(format!("{error:?}").contains("column long"), "{error:?}");
    let session = work.session(&ada(), session.id).await.unwrap().unwrap();
    assert_eq!(session.title, "renamed");
    // One that can be read is part of the work as before.
    let write = "update sessions set title = title || ' twice' returning title";
    let rows = Sql::new(&*work, write).writing().fetch().await.unwrap();
    assert_eq!(rows[0].get::<String>("title").unwrap(), "renamed twice");
    work.commit().await.unwrap();
    let session = store.session(&ada(), session.id).await.unwrap().unwrap();
    assert_eq!(session.title, "renamed twice");
}
