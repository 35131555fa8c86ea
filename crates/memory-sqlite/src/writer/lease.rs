//! A turn of one's own on the writer, for a unit of work: it waits in the queue like a job, and
//! then the writer serves nobody else until it ends.

use std::fmt::{self, Debug};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::sqlite::SqliteConnection;
use memory_storage::StorageError;
use tokio::sync::oneshot;

use super::Limits;
use super::claim::{Claim, Ticket};
use super::job::{Job, Pending, job};
use crate::error::Failure;
use crate::gate::Pass;
use crate::meter::Meter;

/// The holder's side. Dropping it undoes what was done.
pub(crate) struct Lease {
    pub(super) commands: Mutex<Sender<Command>>,
    pub(super) end: Arc<End>,
    pub(super) limits: Limits,
    pub(super) meter: Arc<Meter>,
}

/// What the holder wants.
pub(super) enum Command {
    /// Run a verb: what a refusal undoes is its own part alone, or all of the work.
    Run(Box<dyn Job>, Undo),
    Commit(oneshot::Sender<Result<(), StorageError>>),
    /// Commit, and go on in a new transaction.
    Checkpoint(oneshot::Sender<Result<(), StorageError>>),
    Rollback(Option<oneshot::Sender<()>>),
    /// Undo it, for the reason that `End` has.
    Abort,
}

/// What is undone where a verb is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undo {
    Verb,
    Work,
}

/// Why a lease ended before its holder ended it.
#[derive(Debug, Default)]
pub(super) struct End(Mutex<Option<Reason>>);

#[derive(Debug, Clone)]
pub(super) enum Reason {
    Aborted(String),
    Closed,
}

impl End {
    /// Sets the reason; the first one counts.
    pub(super) fn set(&self, reason: Reason) {
        let mut end = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        end.get_or_insert(reason);
    }

    pub(super) fn aborted(&self, reason: impl Into<String>) {
        self.set(Reason::Aborted(reason.into()));
    }

    pub(super) fn is_set(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    fn check(&self) -> Result<(), StorageError> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(Reason::Closed) => Err(StorageError::Closed),
            Some(Reason::Aborted(reason)) => {
                let reason = reason.clone();
                Err(StorageError::WorkAborted { reason })
            }
        }
    }

    /// The error for a holder whom the writer no longer answers.
    pub(super) fn error(&self) -> StorageError {
        self.check().err().unwrap_or(StorageError::Closed)
    }
}

impl Lease {
    /// Runs a body in the work. A refusal undoes the body and leaves the work usable.
    pub(crate) async fn run<T, F>(&self, step: &'static str, body: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        self.run_undoing(Undo::Verb, step, body).await
    }

    /// Runs a body in the work, without the savepoint that a refusal would go back to: SQLite copies
    /// every page that a savepoint sees changed for the first time. A refusal undoes the whole work.
    pub(crate) async fn run_unguarded<T, F>(
        &self,
        step: &'static str,
        body: F,
    ) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        self.run_undoing(Undo::Work, step, body).await
    }

    async fn run_undoing<T, F>(
        &self,
        undo: Undo,
        step: &'static str,
        body: F,
    ) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        self.end.check()?;
        let (job, pending) = job(step, body);
        self.send(Command::Run(job, undo))?;
        self.meter.hop();
        let mut unanswered = Unanswered { lease: Some(self) };
        // Another verb of the same work may be before it; nobody else can be.
        let patience = Limits {
            acquire: self.limits.statement,
            ..self.limits
        };
        let result = pending.within(patience).await;
        match result {
            Err(StorageError::Closed) => {
                unanswered.lease = None;
                Err(self.end.error())
            }
            Err(StorageError::Busy { .. } | StorageError::Timeout { .. }) => {
                self.end.aborted(format!(
                    "a verb took longer than {:?}",
                    self.limits.statement
                ));
                result
            }
            _ => {
                unanswered.lease = None;
                result
            }
        }
    }

    /// Makes what was done last.
    pub(crate) async fn commit(&self) -> Result<(), StorageError> {
        self.ask(Command::Commit).await
    }

    /// Makes what was done last, and goes on in a new transaction. Callers that wait for the writer
    /// wait on; another process may come in between.
    pub(crate) async fn checkpoint(&self) -> Result<(), StorageError> {
        self.ask(Command::Checkpoint).await
    }

    async fn ask(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<(), StorageError>>) -> Command,
    ) -> Result<(), StorageError> {
        self.end.check()?;
        let (reply, answer) = oneshot::channel();
        self.send(command(reply))?;
        answer.await.unwrap_or_else(|_| Err(self.end.error()))
    }

    /// Undoes what was done, and returns when it is.
    pub(crate) async fn roll_back(&self) {
        let (reply, answer) = oneshot::channel();
        if self.send(Command::Rollback(Some(reply))).is_ok() {
            // Without an answer it was undone before.
            let _ = answer.await;
        }
    }

    fn send(&self, command: Command) -> Result<(), StorageError> {
        self.commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .send(command)
            .map_err(|_| self.end.error())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Fails if it has ended already.
        let _ = self.send(Command::Rollback(None));
    }
}

impl Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// A verb that was sent. If its future is dropped before the answer, nobody knows whether it is
/// part of the work, so the work is undone.
struct Unanswered<'a> {
    lease: Option<&'a Lease>,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some(lease) = self.lease {
            lease.end.aborted("a verb was dropped half way");
            let _ = lease.send(Command::Abort);
        }
    }
}

/// A lease that is asked for.
pub(super) struct Request {
    pub(super) claim: Arc<Claim>,
    /// The store waits with closing until the work has ended, not until its holder drops it.
    pub(super) pass: Pass,
    pub(super) idle: Option<Duration>,
    pub(super) limits: Limits,
    pub(super) grant: oneshot::Sender<Result<Lease, StorageError>>,
}

impl Request {
    pub(super) fn new(
        pass: Pass,
        idle: Option<Duration>,
        limits: Limits,
    ) -> (Request, Pending<Lease>) {
        let ticket = Ticket::default();
        let (grant, answer) = oneshot::channel();
        let claim = ticket.0.clone();
        let request = Request {
            claim,
            pass,
            idle,
            limits,
            grant,
        };
        (request, Pending { ticket, answer })
    }
}
