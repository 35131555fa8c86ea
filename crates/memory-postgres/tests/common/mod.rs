//! A schema of one's own on the server that the test command started.

#![expect(dead_code, reason = "each test binary uses its part")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

pub(crate) mod proxy;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use memory_postgres::PostgresStorage;
use memory_storage::{Config, PoolOptions, SchemaPolicy, Storage};
use memory_testkit::{Backend, StoreOptions};
use tokio_postgres::NoTls;

/// The server's URL.
pub(crate) fn server() -> String {
    std::env::var("MEMORY_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!(
            "MEMORY_TEST_POSTGRES_URL names no server; run the tests with `cargo xtask test`, which \
             starts one"
        )
    })
}

/// The names of all migrations, oldest first.
pub(crate) fn migrations() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/postgres");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A schema that is dropped with this value.
pub(crate) struct Fresh {
    pub(crate) schema: String,
}

impl Fresh {
    /// Chooses a name that nobody else has; opening a store makes the schema.
    pub(crate) fn new() -> Fresh {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let schema = format!("test_{}_{number}", std::process::id());
        Fresh { schema }
    }

    /// The URL of a store in it.
    pub(crate) fn url(&self) -> String {
        let server = server();
        let mark = if server.contains('?') { '&' } else { '?' };
        format!("{server}{mark}schema={}", self.schema)
    }

    /// A store in it that brings its schema up when it is opened.
    pub(crate) fn config(&self) -> Config {
        Config::from_url(&self.url())
            .unwrap()
            .with_schema(SchemaPolicy::Apply)
    }

    pub(crate) async fn open(&self) -> PostgresStorage {
        PostgresStorage::open(&self.config()).await.unwrap()
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // Whoever still holds something in it fails the test instead of keeping it for ever.
        let sql = format!(
            "set lock_timeout = '20s'; drop schema if exists {} cascade",
            self.schema
        );
        // On a thread of its own, because a runtime may be running on this one.
        let dropping = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(async move { client().await.batch_execute(&sql).await })
        });
        let dropped = dropping.join();
        if !std::thread::panicking() {
            dropped.unwrap().unwrap();
        }
    }
}

/// A connection beside the adapter.
pub(crate) async fn client() -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(&server(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[async_trait]
impl Backend for Fresh {
    async fn open(&self, options: StoreOptions) -> Arc<dyn Storage> {
        let mut config = self.config().with_pool(PoolOptions {
            acquire_timeout: options.acquire_timeout,
            max_size: options.max_connections,
            min_idle: options.max_connections.min(1),
            ..PoolOptions::default()
        });
        config.idle_work_timeout = options.idle_work_timeout;
        Arc::new(PostgresStorage::open(&config).await.unwrap())
    }

    fn single_writer(&self) -> bool {
        false
    }
}
