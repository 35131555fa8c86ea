//! What the tests open stores with.

use std::sync::Arc;

use async_trait::async_trait;
use memory_sqlite::SqliteStorage;
use memory_storage::{Config, PoolOptions, SqliteTarget, Storage, Target};
use memory_testkit::{Backend, StoreOptions};
use tempfile::TempDir;

/// Stores in files of their own, deleted with it.
pub(crate) struct Sqlite {
    folder: TempDir,
}

impl Sqlite {
    pub(crate) fn start() -> Sqlite {
        let folder = tempfile::tempdir().unwrap();
        Sqlite { folder }
    }

    /// A configuration for a file that is not there yet.
    pub(crate) fn config(&self) -> Config {
        let made = tempfile::Builder::new()
            .suffix(".db")
            .tempfile_in(&self.folder)
            .unwrap();
        let path = made.path().to_owned();
        made.close().unwrap();
        Config::new(Target::Sqlite(SqliteTarget::file(path)))
    }
}

#[async_trait]
impl Backend for Sqlite {
    async fn open(&self, options: StoreOptions) -> Arc<dyn Storage> {
        let pool = PoolOptions {
            min_idle: PoolOptions::default().min_idle.min(options.max_connections),
            max_size: options.max_connections,
            acquire_timeout: options.acquire_timeout,
            ..PoolOptions::default()
        };
        let config = self
            .config()
            .with_pool(pool)
            .with_idle_work_timeout(options.idle_work_timeout);
        Arc::new(SqliteStorage::open(&config).await.unwrap())
    }

    fn single_writer(&self) -> bool {
        true
    }
}
