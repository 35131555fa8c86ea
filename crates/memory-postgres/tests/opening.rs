//! What opening says when it cannot, within its time, without a secret.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::error::Error;
use std::time::{Duration, Instant};

use common::{Fresh, client, migrations, server};
use memory_postgres::PostgresStorage;
use memory_storage::{
    Config, OpenError, Password, PostgresTarget, SchemaPolicy, Storage, Target, TlsMode,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

async fn refusal(config: &Config) -> OpenError {
    let error = PostgresStorage::open(config).await.unwrap_err();
    let mut shown = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        shown = format!("{shown} {cause} {cause:?}");
        source = cause.source();
    }
    assert!(!shown.contains(SECRET), "{shown}");
    error
}

/// A password that no URL takes as it is.
const SECRET: &str = "p@ss/w:rd %41 '\\\" 🔑";

/// A role whose password is asked for, and which goes with this value.
struct Role(String);

impl Role {
    async fn new(name: &str) -> Role {
        let role = format!("{name}_{}", std::process::id());
        let password = SECRET.replace('\'', "''");
        let sql = format!("create role {role} superuser login password '{password}'");
        client().await.batch_execute(&sql).await.unwrap();
        Role(role)
    }

    async fn gone(self) {
        let sql = format!("drop owned by {0}; drop role {0}", self.0);
        client().await.batch_execute(&sql).await.unwrap();
    }
}

fn target(config: &mut Config) -> &mut PostgresTarget {
    match &mut config.target {
        Target::Postgres(target) => target,
        other @ Target::Sqlite(_) => panic!("{other}"),
    }
}

#[tokio::test]
async fn any_password_opens_and_a_wrong_one_is_refused() {
    let fresh = Fresh::new();
    let role = Role::new("guarded").await;
    let mut config = fresh.config();
    target(&mut config).user.clone_from(&role.0);
    target(&mut config).password = Some(Password::new(SECRET));
    let store = PostgresStorage::open(&config).await.unwrap();
    let shown = format!("{store:?} {:?}", store.info().await.unwrap());
    assert!(!shown.contains(SECRET), "{shown}");
    store.close(Duration::from_secs(5)).await.unwrap();

    target(&mut config).password = Some(Password::new(format!("{SECRET}!")));
    let error = refusal(&config).await;
    let OpenError::Refused { user, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*user, role.0);

    target(&mut config).password = None;
    let error = refusal(&config).await;
    assert!(matches!(error, OpenError::Refused { .. }), "{error:?}");
    drop(fresh);
    role.gone().await;
}

#[tokio::test]
async fn an_unknown_database_or_user_is_refused() {
    let fresh = Fresh::new();
    let mut config = fresh.config();
    target(&mut config).database = "nowhere".to_owned();
    let error = refusal(&config).await;
    assert!(matches!(error, OpenError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("/nowhere"), "{error}");
    let mut config = fresh.config();
    target(&mut config).user = "nobody".to_owned();
    let error = refusal(&config).await;
    assert!(matches!(error, OpenError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let mut config = Fresh::new().config();
    // Bound and not listened to by anybody else in the meantime.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    target(&mut config).port = listener.local_addr().unwrap().port();
    drop(listener);
    let started = Instant::now();
    let error = refusal(&config).await;
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(3));
    target(&mut config).host = "no-such-host.invalid".to_owned();
    let error = refusal(&config).await;
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    target(&mut config).host = "/no/such/directory".to_owned();
    let error = refusal(&config).await;
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unreachable_within_the_connect_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = Fresh::new().config();
    target(&mut config).port = listener.local_addr().unwrap().port();
    target(&mut config).connect_timeout = Duration::from_millis(400);
    let accepting = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            open.push(socket);
        }
    });
    let started = Instant::now();
    let error = refusal(&config).await;
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    let took = started.elapsed();
    assert!(
        (Duration::from_millis(350)..Duration::from_secs(3)).contains(&took),
        "{took:?}"
    );
    accepting.abort();
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = Fresh::new().config();
    target(&mut config).port = listener.local_addr().unwrap().port();
    target(&mut config).tls.mode = TlsMode::Disable;
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let length = socket.read_u32().await.unwrap() as usize;
        let mut startup = vec![0; length - 4];
        socket.read_exact(&mut startup).await.unwrap();
        // Signed in, version 13.9, ready.
        let mut answer = b"R\0\0\0\x08\0\0\0\0".to_vec();
        let version = b"server_version\x0013.9\0";
        answer.push(b'S');
        answer.extend(u32::try_from(version.len() + 4).unwrap().to_be_bytes());
        answer.extend(version);
        answer.extend(b"Z\0\0\0\x05I");
        socket.write_all(&answer).await.unwrap();
        let _ = socket.read_u8().await;
    });
    let error = refusal(&config).await;
    let OpenError::ServerTooOld { found, needed, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!((found.as_str(), *needed), ("13.9", "14"));
}

#[tokio::test]
async fn options_that_do_not_fit_are_named() {
    let sqlite = Config::from_url("memory.db").unwrap();
    let error = refusal(&sqlite).await;
    assert!(error.to_string().contains("postgres://"), "{error}");
    for schema in [
        "",
        "a b",
        "a;drop",
        "Memory",
        "pg_own",
        "1a",
        &"a".repeat(64),
    ] {
        let mut config = Fresh::new().config();
        target(&mut config).schema = schema.to_owned();
        let error = refusal(&config).await;
        let OpenError::InvalidOption { option, .. } = &error else {
            panic!("{schema}: {error:?}");
        };
        assert_eq!(option, "schema");
    }
    let mut config = Fresh::new().config();
    target(&mut config).application_name = "a\0b".to_owned();
    assert!(
        refusal(&config)
            .await
            .to_string()
            .contains("application_name")
    );
    let mut config = Fresh::new().config();
    config.pool.max_size = 0;
    assert!(refusal(&config).await.to_string().contains("pool_max_size"));
}

#[tokio::test]
async fn a_session_is_set_up_as_configured() {
    let fresh = Fresh::new();
    let mut config = fresh.config();
    target(&mut config).application_name = format!("it's {}", fresh.schema);
    config.statement_timeout = Duration::from_millis(1_234);
    let store = PostgresStorage::open(&config).await.unwrap();
    let client = client().await;
    let name = format!("it's {}", fresh.schema);
    let sql = "select count(*) from pg_stat_activity where application_name = $1";
    let sessions: i64 = client.query_one(sql, &[&name]).await.unwrap().get(0);
    assert!(sessions >= 1);
    let info = store.info().await.unwrap();
    assert_eq!(info.backend, "postgres");
    assert!(
        info.server_version
            .starts_with(|c: char| c.is_ascii_digit()),
        "{info:?}"
    );
    assert_eq!(info.schema_version.as_ref(), migrations().last());
    assert_eq!(info.options["schema"], fresh.schema);
    assert_eq!(info.options["statement_timeout"], "1234ms");
    assert!(!server().is_empty());
}

#[tokio::test]
async fn a_store_may_be_opened_whatever_its_schema_to_look_at_it() {
    let fresh = Fresh::new();
    let config = fresh.config().with_schema(SchemaPolicy::Ignore);
    let store = PostgresStorage::open(&config).await.unwrap();
    let states = store.schema().status().await.unwrap();
    assert!(
        states.iter().all(|state| state.known && !state.applied),
        "{states:?}"
    );
    assert!(store.health(Duration::from_secs(5)).await.healthy);
}
