//! Whatever is wrong with what a user gives, the error names it and says what to do.
#![cfg(all(feature = "sqlite", feature = "postgres"))]

use std::error::Error;
use std::fs;
use std::path::Path;

use memory_core::{
    Config, ContextType, EntityKey, JsonObject, Memory, NewMessage, NewNode, NewRelationship,
    NewSession, NodeId, OpenError, RelationshipKind, SchemaPolicy, SessionId, StorageError, Tenant,
    Timestamp, limits,
};
use serde_json::json;

fn server() -> String {
    std::env::var("MEMORY_TEST_POSTGRES_URL").expect(
        "MEMORY_TEST_POSTGRES_URL names no server; run `cargo xtask test`, which starts one",
    )
}

/// The error of opening `url`, with all its causes, as a user would read it.
async fn open_error(url: &str) -> (OpenError, String) {
    let error = memory_core::open(url)
        .await
        .expect_err("the store must not open");
    let told = chain(&error);
    (error, told)
}

fn chain(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told.push_str(": ");
        told.push_str(&error.to_string());
        cause = error.source();
    }
    told
}

/// A tenant on each backend, in a store of its own that is taken down at the end.
async fn on_both(check: impl AsyncFn(&Tenant)) {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let file = folder.path().join("memory.db").display().to_string();
    let schema = format!("bad_input_{}", NodeId::generate().uuid().simple());
    for url in [file, format!("{}?schema={schema}", server())] {
        let config = Config::from_url(&url)
            .expect("a sound URL")
            .with_schema(SchemaPolicy::Apply);
        let memory = Memory::open(&config).await.expect("the store opens");
        check(&memory.tenant("ada").expect("a sound name")).await;
        memory
            .storage()
            .schema()
            .down(u32::MAX)
            .await
            .expect("the schema goes down");
        memory.close().await.expect("nothing is under way");
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, StorageError>, field: &str, told: &str) {
    match result {
        Err(StorageError::Invalid(invalid)) => {
            assert_eq!(invalid.field, field, "{invalid}");
            assert!(invalid.to_string().contains(told), "{invalid}");
        }
        other => panic!("{field} should be refused, but: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_scheme_lists_the_known_ones() {
    let (error, told) = open_error("mysql://host/database").await;
    assert!(matches!(error, OpenError::UnknownScheme { .. }), "{told}");
    assert!(
        told.contains("mysql") && told.contains("postgres://"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_server_is_named_without_the_password() {
    let (error, told) = open_error("postgres://ada:secret@127.0.0.1:1/db?connect_timeout=2").await;
    assert!(matches!(error, OpenError::Unreachable { .. }), "{told}");
    assert!(told.contains("127.0.0.1:1"), "{told}");
    assert!(
        !told.contains("secret") && !format!("{error:?}").contains("secret"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_names_the_user_and_not_the_password() {
    let url = server();
    let (front, host) = url.rsplit_once('@').expect("the URL has a user");
    let (user, _) = front.rsplit_once(':').expect("the user has a password");
    let (error, told) = open_error(&format!("{user}:wr%40ng@{host}")).await;
    assert!(matches!(error, OpenError::Refused { .. }), "{told}");
    assert!(told.contains("memory") && !told.contains("wr@ng") && !told.contains("wr%40ng"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_is_named() {
    let (front, _) = server()
        .rsplit_once('/')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let (_, told) = open_error(&format!("{front}/nowhere")).await;
    assert!(told.contains("nowhere"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_does_not_do_where_it_is_required() {
    let mark = if server().contains('?') { '&' } else { '?' };
    let (error, told) = open_error(&format!("{}{mark}sslmode=require", server())).await;
    assert!(matches!(error, OpenError::Tls { .. }), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_our_schema_says_how_to_make_it() {
    let schema = format!("pending_{}", NodeId::generate().uuid().simple());
    let (error, told) = open_error(&format!("{}?schema={schema}", server())).await;
    assert!(matches!(error, OpenError::SchemaMismatch { .. }), "{told}");
    assert!(told.contains("memory migrate up"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "These are notes, and no database at all. ".repeat(100);
    fs::write(&path, &text).unwrap();
    let (error, told) = open_error(&path.display().to_string()).await;
    assert!(matches!(error, OpenError::NotADatabase { .. }), "{told}");
    assert!(told.contains("notes.txt"), "{told}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_file_is_refused_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    other_file(&path, "create table invoices (id integer primary key)");
    let before = fs::read(&path).unwrap();
    let (error, told) = open_error(&path.display().to_string()).await;
    assert!(matches!(error, OpenError::ForeignFile { .. }), "{told}");
    assert!(told.contains("other.db"), "{told}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legacy_file_is_pointed_to_its_way_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    other_file(
        &path,
        "create table sessions (id text primary key, title text, created_at text not null,
             updated_at text not null, metadata text);
         create table messages (id text primary key, session_id text, role text, content text,
             metadata text, created_at text)",
    );
    let (_, told) = open_error(&path.display().to_string()).await;
    assert!(told.contains("--from"), "{told}");
}

fn other_file(path: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(path).expect("the file can be made");
    connection.execute_batch(sql).expect("sound SQL");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_file_refuses_writes_and_serves_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.db").display().to_string();
    let memory = memory_core::open(&path).await.unwrap();
    let session = memory
        .tenant("ada")
        .unwrap()
        .create_session(NewSession::new("kept"))
        .await;
    let session = session.unwrap().id;
    memory.close().await.unwrap();

    let memory = memory_core::open(&format!("sqlite://{path}?mode=ro"))
        .await
        .unwrap();
    let ada = memory.tenant("ada").unwrap();
    assert_eq!(ada.session(session).await.unwrap().unwrap().title, "kept");
    let error = ada.rename_session(session, "changed").await.unwrap_err();
    assert!(matches!(error, StorageError::ReadOnly), "{error}");
    memory.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder
        .path()
        .join("missing")
        .join("memory.db")
        .display()
        .to_string();
    let (error, told) = open_error(&path).await;
    assert!(matches!(error, OpenError::Inaccessible { .. }), "{told}");
    assert!(told.contains("missing"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_newer_than_the_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.db");
    let url = path.display().to_string();
    memory_core::open(&url)
        .await
        .unwrap()
        .close()
        .await
        .unwrap();
    other_file(
        &path,
        "insert into __diesel_schema_migrations (version) values ('29991231000000')",
    );
    let (error, told) = open_error(&url).await;
    assert!(matches!(error, OpenError::SchemaMismatch { .. }), "{told}");
    assert!(told.contains("29991231000000"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_tenant_is_refused() {
    let memory = memory_core::open("sqlite::memory:").await.unwrap();
    assert_eq!(memory.tenant("").unwrap_err().field, "tenant");
    assert!(
        memory
            .tenant(&"x".repeat(256))
            .unwrap_err()
            .problem
            .contains("255")
    );
    memory.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn text_with_u0000_is_refused() {
    on_both(async |ada| {
        let session = ada.create_session(NewSession::new("ok")).await.unwrap().id;
        refused(
            ada.append(session, NewMessage::user("a\0b")).await,
            "content",
            "U+0000",
        );
        refused(
            ada.create_session(NewSession::new("\0")).await,
            "title",
            "U+0000",
        );
        let metadata = JsonObject::from_iter([("a".to_owned(), json!(["\0"]))]);
        let message = NewMessage::user("ok").with_metadata(metadata);
        refused(
            ada.append(session, message).await,
            "metadata.a[0]",
            "U+0000",
        );
        assert_eq!(ada.history(session, 10, None).await.unwrap(), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_key_is_refused_and_one_at_the_limit_is_kept() {
    on_both(async |ada| {
        let longest = "k".repeat(limits::KEY_TEXT_BYTES);
        assert!(EntityKey::new("system", format!("{longest}k")).is_err());
        let key = EntityKey::new(longest.clone(), longest).unwrap();
        let node = NewNode::new(ContextType::DomainEntity).with_key(key.clone());
        let id = ada.remember(node).await.unwrap();
        assert_eq!(ada.node_by_key(&key).await.unwrap().unwrap().id, id);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strength_out_of_range_is_refused() {
    on_both(async |ada| {
        let node = ada
            .remember(NewNode::new(ContextType::ToolOutput))
            .await
            .unwrap();
        for strength in [1.5, -0.1, f64::NAN, f64::INFINITY] {
            let link = NewRelationship::new(node, RelationshipKind::LED_TO, node);
            refused(
                ada.relate(link.with_strength(strength)).await,
                "strength",
                "0 to 1",
            );
        }
        refused(ada.prune(f64::NAN).await, "min_strength", "0 to 1");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_deep_json_is_refused() {
    on_both(async |ada| {
        let deep = (0..64).fold(json!(1), |inner, _| json!([inner]));
        let content = JsonObject::from_iter([("a".to_owned(), deep)]);
        let node = NewNode::new(ContextType::ToolOutput).with_content(content);
        refused(ada.remember(node).await, "content", "64");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_session_is_named() {
    on_both(async |ada| {
        let session = SessionId::generate();
        let error = ada
            .append(session, NewMessage::user("hello"))
            .await
            .unwrap_err();
        assert!(
            matches!(error, StorageError::MissingReference { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(&session.to_string()), "{error}");
        let error = ada.rename_session(session, "x").await.unwrap_err();
        assert!(matches!(error, StorageError::NotFound { .. }), "{error}");
    })
    .await;
}

#[test]
fn a_time_out_of_range_is_refused() {
    assert!(
        Timestamp::from_micros(i64::MAX)
            .unwrap_err()
            .to_string()
            .contains("9999")
    );
}
