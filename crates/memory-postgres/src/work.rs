//! The unit of work: a transaction on a connection of its own, under an idle deadline.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use memory_storage::{StorageError, UnitOfWork};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};
use tokio::task::AbortHandle;
use tracing::Instrument;

use crate::connection::Row;
use crate::error::chain;
use crate::executor::{Executor, Postgres};
use crate::pool::{Lease, Phase, Pool};
use crate::sql::{RawDone, RawRun, STEP};
use crate::statement::Statement;

/// Begins a unit of work: one round trip.
pub(crate) async fn begin(pool: &Arc<Pool>) -> Result<Postgres<Work>, StorageError> {
    let mut lease = pool.lend().await?;
    lease
        .begin("begin")
        .await
        .map_err(|failure| failure.in_work("beginning", pool.config()))?;
    let inner = Arc::new(Inner {
        state: Mutex::new(State::Active {
            lease,
            since: Instant::now(),
        }),
        pool: Arc::clone(pool),
    });
    let watched = watch_idle(Arc::clone(&inner), pool.phase());
    let watch = tokio::spawn(watched).abort_handle();
    Ok(Postgres(Work { inner, watch }))
}

/// What a unit of work runs its verbs on.
///
/// Whoever runs something takes the connection out of the state and leaves there what holds if he
/// never comes back; so a verb that is dropped half way undoes the work.
pub struct Work {
    inner: Arc<Inner>,
    watch: AbortHandle,
}

struct Inner {
    state: Mutex<State>,
    /// Keeps the store open, should it be dropped before the work.
    pool: Arc<Pool>,
}

enum State {
    Active { lease: Lease, since: Instant },
    Aborted { reason: String },
}

impl State {
    /// Takes the connection out; if it is not put back, the work was undone for `reason`.
    fn take(&mut self, reason: &str) -> Result<Lease, StorageError> {
        let reason = reason.to_owned();
        match mem::replace(self, State::Aborted { reason }) {
            State::Active { lease, .. } => Ok(lease),
            State::Aborted { reason } => {
                *self = State::Aborted {
                    reason: reason.clone(),
                };
                Err(StorageError::WorkAborted { reason })
            }
        }
    }
}

impl Executor for Work {
    fn rows<'a>(
        &'a self,
        statement: &'a Statement<'a>,
    ) -> BoxFuture<'a, Result<Vec<Row>, StorageError>> {
        let run = async move {
            let mut state = self.inner.state.lock().await;
            let mut lease = state.take("a verb was dropped before it ended")?;
            match lease.run(statement).await {
                Ok(rows) => {
                    let since = Instant::now();
                    *state = State::Active { lease, since };
                    Ok(rows)
                }
                Err(failure) => {
                    let error = failure.in_work(statement.step(), self.inner.pool.config());
                    let reason = format!("{} failed: {}", statement.step(), chain(&error));
                    *state = State::Aborted { reason };
                    undo(lease).await;
                    Err(error)
                }
            }
        };
        run.instrument(statement.span()).boxed()
    }

    fn raw<'a>(&'a self, run: &'a RawRun<'a>) -> BoxFuture<'a, Result<RawDone, StorageError>> {
        let running = async move {
            let mut state = self.inner.state.lock().await;
            let mut lease = state.take("raw SQL was dropped before it ended")?;
            match run.within(&mut lease).await {
                Ok(done) => {
                    let since = Instant::now();
                    *state = State::Active { lease, since };
                    done.map_err(|failure| RawRun::error(failure, self.inner.pool.config()))
                }
                Err(failure) => {
                    let error = RawRun::error(failure, self.inner.pool.config());
                    let reason = format!("{STEP} failed: {}", chain(&error));
                    *state = State::Aborted { reason };
                    undo(lease).await;
                    Err(error)
                }
            }
        };
        running.boxed()
    }
}

#[async_trait]
impl UnitOfWork for Postgres<Work> {
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        let inner = &self.0.inner;
        let mut lease = inner.state.lock().await.take("it was committed")?;
        lease
            .commit()
            .await
            .map_err(|failure| failure.of_commit(inner.pool.config()))
    }

    async fn rollback(self: Box<Self>) -> Result<(), StorageError> {
        let taken = self.0.inner.state.lock().await.take("it was rolled back");
        if let Ok(lease) = taken {
            undo(lease).await;
        }
        Ok(())
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.watch.abort();
        // No verb runs any more, and if the watch has the state, the connection closes with it.
        if let Ok(mut state) = self.inner.state.try_lock()
            && let Ok(lease) = state.take("it was dropped")
        {
            undo_later(lease);
        }
    }
}

/// Undoes what was dropped, without anybody waiting for it.
pub(crate) fn undo_later(mut lease: Lease) {
    lease.no_longer_in_use();
    // Without a runtime the connection closes, and the server undoes the transaction.
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(undo(lease));
    }
}

/// Rolls back and gives the connection back; one that cannot roll back closes, which undoes too.
async fn undo(mut lease: Lease) {
    if let Err(failure) = lease.rollback().await {
        tracing::debug!(?failure, "rolling back failed; the connection is closed");
    }
}

/// Undoes a work that has been idle for too long, or that outlives its store.
async fn watch_idle(inner: Arc<Inner>, mut phase: watch::Receiver<Phase>) {
    let limit = inner.pool.config().idle_work_timeout;
    let mut idle = Duration::ZERO;
    loop {
        let sleeping = tokio::time::sleep(limit.saturating_sub(idle));
        let cut = tokio::select! {
            () = sleeping => false,
            _ = phase.wait_for(|phase| *phase == Phase::Cut) => true,
        };
        // While a verb runs, this waits for it to end.
        let mut state = inner.state.lock().await;
        let State::Active { since, .. } = &*state else {
            return;
        };
        idle = since.elapsed();
        let reason = match cut {
            true => "the store was closed".to_owned(),
            false if idle >= limit => format!("it was idle for longer than {limit:?}"),
            false => continue,
        };
        let taken = state.take(&reason);
        drop(state);
        if let Ok(lease) = taken {
            undo(lease).await;
        }
        return;
    }
}
