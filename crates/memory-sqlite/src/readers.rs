//! The readers' connections, which bb8 keeps.

use std::sync::Arc;

use bb8::{ErrorSink, ManageConnection};
use memory_storage::PoolOptions;
use tokio::task::spawn_blocking;
use tracing::warn;

use crate::connection::{ConnectError, Connection, Place, Role};

/// Makes the connections of the pool.
pub(crate) struct Readers(Arc<Place>);

impl ManageConnection for Readers {
    type Connection = Connection;
    type Error = ConnectError;

    async fn connect(&self) -> Result<Connection, ConnectError> {
        let place = self.0.clone();
        spawn_blocking(move || place.connect(Role::Reader))
            .await
            .unwrap_or_else(|error| Err(ConnectError::new(&error)))
    }

    async fn is_valid(&self, _: &mut Connection) -> Result<(), ConnectError> {
        // A file does not go away like a server does.
        Ok(())
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.broken
    }
}

/// Opens the pool, with as many connections as it keeps.
pub(crate) async fn readers(
    options: &PoolOptions,
    place: Arc<Place>,
) -> Result<bb8::Pool<Readers>, ConnectError> {
    bb8::Pool::builder()
        .min_idle(options.min_idle)
        .max_size(options.max_size)
        .connection_timeout(options.acquire_timeout)
        .max_lifetime(options.max_lifetime)
        .idle_timeout(options.idle_timeout)
        .test_on_check_out(false)
        // The most recently used one has its pages cached.
        .queue_strategy(bb8::QueueStrategy::Lifo)
        .retry_connection(false)
        .error_sink(Box::new(Log))
        .build(Readers(place))
        .await
}

/// Logs what went wrong with a connection that nobody in particular waited for.
#[derive(Debug, Clone, Copy)]
struct Log;

impl ErrorSink<ConnectError> for Log {
    fn sink(&self, error: ConnectError) {
        warn!(%error, "a reader's connection could not be opened");
    }

    fn boxed_clone(&self) -> Box<dyn ErrorSink<ConnectError>> {
        Box::new(*self)
    }
}
