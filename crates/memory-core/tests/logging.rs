//! What is logged, and that no value is ever in it.

#![cfg(all(feature = "sqlite", feature = "postgres"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use memory_core::{
    Config, EntityType, JsonObject, Memory, NewMessage, NewNode, NewSession, SchemaPolicy, SqlValue,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Nothing that is logged may hold it.
const SECRET: &str = "s3cr3t-of-ada";

/// Writes down every event and span, whoever makes it.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<String>>>);

impl Capture {
    fn note(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Fields)) {
        let mut fields = Fields(String::new());
        record(&mut fields);
        let line = format!("{} {}{}", metadata.level(), metadata.target(), fields.0);
        self.0.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Capture {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.note(span.metadata(), |fields| span.record(fields));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.note(event.metadata(), |fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Uses a store, with the secret wherever one can be.
async fn use_with_secrets(memory: &Memory, slow: &str) {
    let ada = memory.tenant(SECRET).unwrap();
    let mut metadata = JsonObject::new();
    metadata.insert(SECRET.to_owned(), SECRET.into());
    ada.create(metadata).await.unwrap();
    let session = ada.create_session(NewSession::new(SECRET)).await.unwrap();
    ada.append(session.id, NewMessage::user(SECRET))
        .await
        .unwrap();
    ada.history(session.id, 10, None).await.unwrap();
    let node = NewNode::entity(EntityType::FILE, SECRET).unwrap();
    ada.remember(node.with_summary(SECRET)).await.unwrap();
    ada.stats().await.unwrap();
    let work = ada.begin().await.unwrap();
    work.rename_session(session.id, format!("{SECRET} again"))
        .await
        .unwrap();
    let text = format!("select '{SECRET}' as a, ? as b -- {SECRET}");
    let rows = work.sql(text).bind(SECRET).fetch().await;
    assert_eq!(rows.unwrap()[0].get::<String>("b").unwrap(), SECRET);
    work.commit().await.unwrap();
    memory
        .sql(slow)
        .bind(SqlValue::from(SECRET))
        .fetch()
        .await
        .unwrap();
    // Errors are logged by whoever gets them, and not by us.
    let text = format!("select '{SECRET}' from nowhere where a = ?");
    memory.sql(text).bind(SECRET).fetch().await.unwrap_err();
    memory.health().await;
}

fn logged(lines: &[String], parts: &[&str]) -> bool {
    lines
        .iter()
        .any(|line| parts.iter().all(|part| line.contains(part)))
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_logged_with_their_shape_and_never_with_a_value() {
    let capture = Capture::default();
    tracing::subscriber::set_global_default(capture.clone()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memory.db").display().to_string();
    let server = std::env::var("MEMORY_TEST_POSTGRES_URL").expect("`cargo xtask test` sets it");
    let mark = if server.contains('?') { '&' } else { '?' };
    let schema = format!("logging_{}", std::process::id());
    let server = format!("{server}{mark}schema={schema}");
    let counting =
        "with recursive c(x) as (select 1 union all select x + 1 from c where x < 400000)
        select count(*) as n from c where cast(x as text) <> ? and 'a' <> 's3cr3t-of-ada'";
    let sleeping = "select pg_sleep(0.2) where 'a' <> ? and 'a' <> 's3cr3t-of-ada'";
    let stores = [
        (
            "sqlite",
            file,
            counting,
            "from c where cast(x as text) <> ? and ? <> ?",
        ),
        (
            "postgres",
            server,
            sleeping,
            "select pg_sleep(?) where ? <> ? and ? <> ?",
        ),
    ];
    for (backend, url, slow, shape) in stores {
        let config = Config::from_url(&url)
            .unwrap()
            .with_schema(SchemaPolicy::Apply)
            .with_statement_timeout(Duration::from_secs(30))
            .with_slow_statement(Some(Duration::from_millis(10)))
            .with_echo(true);
        let memory = Memory::open(&config).await.unwrap();
        use_with_secrets(&memory, slow).await;
        if backend == "postgres" {
            let drop = format!("drop schema {schema} cascade");
            memory.sql(drop).writing().execute().await.unwrap();
        }
        memory.close().await.unwrap();
        let lines = capture.take();
        let of_backend = format!("backend=\"{backend}\"");
        for parts in [
            &["WARN", "memory::slow", &of_backend, "elapsed=", shape][..],
            &["DEBUG", "memory::sql", &of_backend, "messages"],
            &["DEBUG", "memory::sql", &of_backend, "select ? as a, ? as b"],
            &[
                "DEBUG",
                "memory::verb",
                &of_backend,
                "verb=\"appending messages\"",
            ],
            &[
                "DEBUG",
                "memory::verb",
                &of_backend,
                "verb=\"running raw SQL\"",
            ],
        ] {
            assert!(logged(&lines, parts), "{parts:?} is not in {lines:#?}");
        }
        let told: Vec<_> = lines.iter().filter(|line| line.contains(SECRET)).collect();
        assert!(told.is_empty(), "{told:#?}");
    }
}
