use std::sync::Arc;

use memory_storage::{Config, OpenError, Storage, Target};

/// Opens the store that a configuration names, without a tenant or a clock: what migrations and
/// other tools of the operator work on. Applications use [`open`](crate::open).
///
/// # Errors
/// `FeatureOff` if the backend was not built in, and whatever keeps the store from being opened.
pub async fn connect(config: &Config) -> Result<Arc<dyn Storage>, OpenError> {
    match &config.target {
        #[cfg(feature = "sqlite")]
        Target::Sqlite(_) => Ok(Arc::new(memory_sqlite::SqliteStorage::open(config).await?)),
        #[cfg(not(feature = "sqlite"))]
        Target::Sqlite(_) => Err(OpenError::FeatureOff {
            backend: "SQLite",
            feature: "sqlite",
        }),
        #[cfg(feature = "postgres")]
        Target::Postgres(_) => Ok(Arc::new(
            memory_postgres::PostgresStorage::open(config).await?,
        )),
        #[cfg(not(feature = "postgres"))]
        Target::Postgres(_) => Err(OpenError::FeatureOff {
            backend: "PostgreSQL",
            feature: "postgres",
        }),
    }
}
