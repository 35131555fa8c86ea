//! The one writer: a thread with a connection, to which every write goes.

mod claim;
mod group;
mod job;
mod lease;
mod serving;
mod thread;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::sqlite::SqliteConnection;
use memory_storage::StorageError;
use tokio::sync::oneshot;

pub(crate) use lease::Lease;

use crate::connection::{Connection, Place};
use crate::error::Failure;
use crate::gate::Pass;
use crate::meter::Meter;
use job::{Job, Pending, job};
use lease::Request;
use serving::Current;
use thread::WriterThread;

/// What the writer is asked to do, in the order in which it was asked.
enum Message {
    /// Run a job in a transaction, together with those that wait behind it.
    Write(Box<dyn Job>),
    /// Run a job outside of any transaction: it looks after its own.
    Alone(Box<dyn Job>),
    /// Serve one unit of work.
    Lease(Request),
    /// Close the connection and end.
    Stop(oneshot::Sender<()>),
}

/// The way to the writer. Dropping the last one ends its thread.
pub(crate) struct Writer {
    messages: Mutex<Sender<Message>>,
    leases: Arc<Current>,
    /// Whether the thread is at work.
    busy: Arc<AtomicBool>,
    limits: Limits,
    meter: Arc<Meter>,
}

/// How long callers wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Until the writer begins with what they want.
    pub(crate) acquire: Duration,
    /// Until what they want is done.
    pub(crate) statement: Duration,
}

/// Longer than anything takes, and short enough to be added to a moment.
const UNBOUNDED: Duration = Duration::from_hours(24 * 365);

impl Writer {
    /// Starts the thread with a connection that is open already.
    pub(crate) fn start(
        place: Arc<Place>,
        connection: Connection,
        limits: Limits,
    ) -> std::io::Result<Writer> {
        let (messages, inbox) = mpsc::channel();
        let leases = Arc::<Current>::default();
        let meter = place.meter.clone();
        let busy = Arc::<AtomicBool>::default();
        let thread = WriterThread::new(place, connection, inbox, leases.clone(), busy.clone());
        std::thread::Builder::new()
            .name("memory-sqlite-writer".to_owned())
            .spawn(move || thread.run())?;
        Ok(Writer {
            messages: Mutex::new(messages),
            leases,
            busy,
            limits,
            meter,
        })
    }

    /// Runs a body in a transaction, and returns when it is committed.
    pub(crate) async fn write<T, F>(&self, step: &'static str, body: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        let (job, pending) = job(step, body);
        self.send(Message::Write(job))?;
        self.wait(pending).await
    }

    /// Runs a body between transactions, with nothing else going on.
    pub(crate) async fn alone<T, F>(&self, step: &'static str, body: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        let (job, pending) = job(step, body);
        self.send(Message::Alone(job))?;
        self.wait(pending).await
    }

    /// Waits for a turn of one's own, which lasts until the lease ends. With an idle deadline it
    /// is a unit of work, whose verbs are bounded too; without one nothing of it is.
    pub(crate) async fn lease(
        &self,
        pass: Pass,
        idle: Option<Duration>,
    ) -> Result<Lease, StorageError> {
        let statement = match idle {
            Some(_) => self.limits.statement,
            None => UNBOUNDED,
        };
        let limits = Limits {
            statement,
            ..self.limits
        };
        let (request, pending) = Request::new(pass, idle, limits);
        self.send(Message::Lease(request))?;
        self.wait(pending).await
    }

    /// Cuts off what is under way.
    pub(crate) fn cut(&self) {
        self.leases.cut();
    }

    /// Asks the thread to close its connection and end; the receiver hears when it has.
    pub(crate) fn stop(&self) -> oneshot::Receiver<()> {
        let (done, stopped) = oneshot::channel();
        // If it has ended before, the receiver hears that at once.
        let _ = self.send(Message::Stop(done));
        stopped
    }

    fn send(&self, message: Message) -> Result<(), StorageError> {
        self.meter.hop();
        self.messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .send(message)
            .map_err(|_| StorageError::Closed)
    }

    async fn wait<T>(&self, pending: Pending<T>) -> Result<T, StorageError> {
        let asked = Instant::now();
        let behind_others = self.busy.load(Relaxed);
        let claim = pending.ticket.0.clone();
        let result = pending.within(self.limits).await;
        if let Err(StorageError::Busy { .. }) = &result {
            self.meter.timed_out(asked.elapsed());
        } else if let Some(started) = claim.started().filter(|_| behind_others) {
            self.meter.waited(started.saturating_duration_since(asked));
        }
        result
    }
}

#[cfg(test)]
mod tests;
