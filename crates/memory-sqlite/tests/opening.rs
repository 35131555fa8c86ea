//! Opening: each file that is no store of ours, or cannot be used, is told apart, and the error
//! says what to do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod beside;
mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;

use beside::{connect, path};
use diesel::connection::SimpleConnection;
use memory_domain::{JsonObject, Limit, NewSession, TenantId, Timestamp};
use memory_sqlite::{APPLICATION_ID, SqliteStorage};
use memory_storage::{
    Config, ConversationStore, OpenError, SchemaPolicy, SqliteLocation, SqliteTarget, Storage,
    StorageError, Target, TenantStore,
};
use support::Sqlite;

async fn open(url: &str) -> Result<SqliteStorage, OpenError> {
    SqliteStorage::open(&Config::from_url(url).unwrap()).await
}

async fn refusal(path: &Path) -> OpenError {
    open(path.to_str().unwrap()).await.map(drop).unwrap_err()
}

fn sql(path: &Path, sql: &str) {
    connect(path).batch_execute(sql).unwrap();
}

/// What the file holds must not have been touched by being refused.
async fn refused_and_untouched(path: &Path) -> OpenError {
    let before = fs::read(path).unwrap();
    let error = refusal(path).await;
    assert_eq!(
        fs::read(path).unwrap(),
        before,
        "a refused file was changed"
    );
    let folder = path.parent().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            !name.ends_with("-wal") && !name.ends_with("-journal"),
            "{name} was left"
        );
    }
    error
}

fn ada() -> TenantId {
    TenantId::new("ada").unwrap()
}

async fn write(store: &SqliteStorage) -> Result<(), StorageError> {
    let session = NewSession::new("x");
    let created = store
        .create_session(&ada(), session, Timestamp::UNIX_EPOCH)
        .await;
    created.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    for content in [
        "x".to_owned(),
        "Dear diary,\n".repeat(500),
        "SQLite format 2\0 and more".to_owned(),
        // The right beginning, and nothing of what must follow.
        format!("SQLite format 3\0{}", "\u{7f}".repeat(5_000)),
    ] {
        fs::write(&path, &content).unwrap();
        let error = refused_and_untouched(&path).await;
        assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
        assert!(error.to_string().contains("notes.db"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_or_cut_file_is_refused() {
    let backend = Sqlite::start();
    let config = backend.config();
    let store = SqliteStorage::open(&config).await.unwrap();
    write(&store).await.unwrap();
    store.close(Duration::from_secs(5)).await.unwrap();
    drop(store);
    let Target::Sqlite(SqliteTarget {
        location: SqliteLocation::File(path),
        ..
    }) = config.target
    else {
        unreachable!()
    };
    let whole = fs::read(&path).unwrap();
    let encrypted: Vec<u8> = whole.iter().map(|byte| byte ^ 0x5a).collect();
    for content in [encrypted, whole[..5_000].to_vec()] {
        fs::write(&path, content).unwrap();
        let error = refused_and_untouched(&path).await;
        assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_becomes_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.db");
    fs::write(&path, "").unwrap();
    let store = open(path.to_str().unwrap()).await.unwrap();
    write(&store).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photos.db");
    sql(&path, "create table photos (id integer)");
    let error = refused_and_untouched(&path).await;
    let OpenError::ForeignFile { hint, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(!hint.contains("--from"), "{hint}");
    // One without tables, but marked as another's.
    let path = folder.path().join("marked.db");
    sql(
        &path,
        "pragma application_id = 7; create table t (c); drop table t",
    );
    let error = refused_and_untouched(&path).await;
    assert!(matches!(error, OpenError::ForeignFile { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legacy_file_is_refused_with_the_way_to_carry_it() {
    let folder = tempfile::tempdir().unwrap();
    for (tables, system) in [
        (
            "create table sessions (id); create table messages (id)",
            "flux-rag",
        ),
        (
            "create table entities (id); create table relationships (id)",
            "JARVIS",
        ),
    ] {
        let path = folder.path().join(format!("{system}.db"));
        sql(&path, tables);
        let error = refused_and_untouched(&path).await.to_string();
        let wanted = format!("memory migrate --from {}", path.display());
        assert!(error.contains(&wanted) && error.contains(system), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_folder_or_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = refusal(&folder.path().join("none/memory.db")).await;
    let OpenError::Inaccessible { problem, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(problem.contains("create the folder"), "{problem}");

    let error = refusal(folder.path()).await;
    assert!(error.to_string().contains("it is a folder"), "{error}");

    let path = folder.path().join("none.db");
    for mode in ["rw", "ro"] {
        let url = format!("sqlite://{}?mode={mode}", path.display());
        let error = open(&url).await.map(drop).unwrap_err();
        assert!(matches!(error, OpenError::Inaccessible { .. }), "{error:?}");
        assert!(error.to_string().contains("does not exist"), "{error}");
        assert!(!path.exists(), "looking for a file made it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "a b.db",
        "ü 日本.db",
        "q?mode=ro.db",
        "h#x%20.db",
        "file:x.db",
        ":memory:",
    ] {
        let path = folder.path().join(name);
        let target = SqliteTarget::file(&path);
        let config = Config::new(Target::Sqlite(target));
        let store = SqliteStorage::open(&config).await.unwrap();
        write(&store).await.unwrap();
        assert!(path.exists(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_is_marked_as_ours_and_in_wal_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.db");
    let store = open(path.to_str().unwrap()).await.unwrap();
    store.close(Duration::from_secs(5)).await.unwrap();
    // Closing moved everything into the file.
    assert!(!folder.path().join("memory.db-wal").exists());
    let header = fs::read(&path).unwrap();
    // Source: sqlite.org/fileformat2.html: the write and read versions are 2 for WAL; the
    // application id stands at 68, big-endian.
    assert_eq!(header[18..20], [2, 2]);
    assert_eq!(header[68..72], APPLICATION_ID.to_be_bytes());
    assert_eq!(&header[68..72], b"MEM1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_store_reads_and_refuses_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.db");
    let writing = open(path.to_str().unwrap()).await.unwrap();
    write(&writing).await.unwrap();
    let reading = open(&format!("sqlite://{}?mode=ro", path.display()))
        .await
        .unwrap();
    let none = JsonObject::new();
    let at = Timestamp::UNIX_EPOCH;
    let refused = [
        write(&reading).await,
        reading.begin().await.map(drop),
        reading.writer().await.map(drop),
        reading.create_tenant(&ada(), none, at).await.map(drop),
        reading.schema().up().await.map(drop),
        reading.schema().down(1).await.map(drop),
    ];
    for result in refused {
        assert!(matches!(result, Err(StorageError::ReadOnly)), "{result:?}");
    }
    assert_eq!(
        reading
            .sessions(&ada(), Limit::MAX, None)
            .await
            .unwrap()
            .len(),
        1
    );
    // It sees what another store writes meanwhile.
    write(&writing).await.unwrap();
    assert_eq!(
        reading
            .sessions(&ada(), Limit::MAX, None)
            .await
            .unwrap()
            .len(),
        2
    );
    assert!(
        reading
            .schema()
            .status()
            .await
            .unwrap()
            .iter()
            .all(|state| state.applied)
    );
    reading.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_store_cannot_be_opened_for_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.db");
    fs::write(&path, "").unwrap();
    let url = format!("sqlite://{}?mode=ro", path.display());
    let error = open(&url).await.map(drop).unwrap_err();
    assert!(
        matches!(error, OpenError::SchemaMismatch { .. }),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_newer_than_the_program_is_refused() {
    let backend = Sqlite::start();
    let config = backend.config();
    drop(SqliteStorage::open(&config).await.unwrap());
    let path = &path(&config);
    sql(
        path,
        "insert into __diesel_schema_migrations (version) values ('99990101000000')",
    );
    for policy in [
        SchemaPolicy::Backend,
        SchemaPolicy::Apply,
        SchemaPolicy::Require,
    ] {
        let config = config.clone().with_schema(policy);
        let error = SqliteStorage::open(&config).await.map(drop).unwrap_err();
        assert!(
            matches!(error, OpenError::SchemaMismatch { .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains("newer program"), "{error}");
    }
    // Whoever wants to look at it may, and cannot change it.
    let looking = config.with_schema(SchemaPolicy::Ignore);
    let store = SqliteStorage::open(&looking).await.unwrap();
    let newest = store.schema().status().await.unwrap().pop().unwrap();
    assert!(newest.applied && !newest.known);
    for result in [store.schema().up().await, store.schema().down(1).await] {
        assert!(
            matches!(result, Err(StorageError::SchemaMismatch { .. })),
            "{result:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_policy_says_is_done_about_pending_migrations() {
    let backend = Sqlite::start();
    let config = backend.config();
    let require = config.clone().with_schema(SchemaPolicy::Require);
    let error = SqliteStorage::open(&require).await.map(drop).unwrap_err();
    assert!(
        matches!(error, OpenError::SchemaMismatch { .. }),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains("memory migrate up --url sqlite://"),
        "{error}"
    );

    let ignore = config.clone().with_schema(SchemaPolicy::Ignore);
    let store = SqliteStorage::open(&ignore).await.unwrap();
    let result = store.tenant(&ada()).await;
    assert!(
        matches!(result, Err(StorageError::SchemaMismatch { .. })),
        "{result:?}"
    );
    let done = store.schema().up().await.unwrap();
    let known: Vec<_> = store.schema().status().await.unwrap();
    let names: Vec<_> = known.into_iter().map(|state| state.name).collect();
    assert_eq!(done, names);
    assert_eq!(store.schema().up().await.unwrap(), [""; 0]);
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);

    let store = SqliteStorage::open(&require).await.unwrap();
    write(&store).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn options_that_do_not_fit_are_refused_before_anything_is_opened() {
    let backend = Sqlite::start();
    let mut config = backend.config();
    config.pool.max_size = 0;
    let error = SqliteStorage::open(&config).await.map(drop).unwrap_err();
    assert!(
        matches!(error, OpenError::InvalidOption { .. }),
        "{error:?}"
    );
    let error = open("postgres://localhost/db").await.map(drop).unwrap_err();
    assert!(
        matches!(error, OpenError::InvalidOption { .. }),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_store_is_private() {
    let one = open("sqlite::memory:").await.unwrap();
    let other = open("sqlite::memory:").await.unwrap();
    write(&one).await.unwrap();
    assert!(other.tenant(&ada()).await.unwrap().is_none());
    // It lies in a folder of its own, of which `info` says nothing: nobody is to rely on it.
    assert_eq!(one.info().await.unwrap().location, "sqlite::memory:");
    one.close(Duration::from_secs(5)).await.unwrap();
    assert!(matches!(
        one.tenant(&ada()).await,
        Err(StorageError::Closed)
    ));
    drop(other);
}
