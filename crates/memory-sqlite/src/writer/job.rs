//! A verb's body on its way to the writer, and its answer on the way back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::sqlite::SqliteConnection;
use memory_storage::StorageError;
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use tracing::Span;

use super::Limits;
use super::claim::{Claim, Ticket};
use crate::connection::Connection;
use crate::error::{Failure, panicked, storage_error};

/// What the writer does with a job, whatever it returns.
pub(crate) trait Job: Send {
    /// What is being done, for an error.
    fn step(&self) -> &'static str;

    /// Begins, unless the caller gave up.
    fn start(&self) -> bool;

    /// Runs the body and keeps its result for the answer. A panic becomes an error.
    fn run(&mut self, connection: &mut Connection) -> Ran;

    /// Whether what the body did may stay: not if the caller gave up meanwhile.
    fn keep(&self) -> bool;

    /// What the body failed of, in words.
    fn problem(&self) -> Option<String>;

    /// Gives the caller the result.
    fn answer(self: Box<Self>);

    /// Gives the caller an error: the body did not run, or what it did is undone. A job whose own
    /// body failed keeps its own error, which says more.
    fn fail(self: Box<Self>, error: StorageError);
}

/// How a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ran {
    /// What it did is to stay.
    Well,
    /// The store itself refused: what it did is to be undone.
    Refused,
    /// The database failed, or the code panicked: what it did is to be undone.
    Failed,
}

/// A body, and the way back to its caller.
struct Errand<T, F> {
    step: &'static str,
    /// Of the verb, which is left on the way to the writer's thread.
    span: Span,
    claim: Arc<Claim>,
    body: Option<F>,
    result: Option<Result<T, StorageError>>,
    reply: oneshot::Sender<Result<T, StorageError>>,
}

/// The caller's end of a job.
pub(crate) struct Pending<T> {
    pub(crate) ticket: Ticket,
    pub(crate) answer: oneshot::Receiver<Result<T, StorageError>>,
}

impl<T> Pending<T> {
    /// Waits for the answer: for so long until the writer begins, and for so long until it is done.
    /// `Busy` and `Timeout` mean that nothing was written and nothing will be.
    pub(crate) async fn within(self, limits: Limits) -> Result<T, StorageError> {
        let Pending { ticket, mut answer } = self;
        let claim = &ticket.0;
        let asked = Instant::now();
        loop {
            let deadline = match claim.started() {
                // It may begin at any moment, and then has less time left than until here.
                None => (asked + limits.acquire).min(Instant::now() + limits.statement),
                Some(started) => started + limits.statement,
            };
            if let Ok(answered) = timeout_at(deadline.into(), &mut answer).await {
                return answered.unwrap_or(Err(StorageError::Closed));
            }
            match claim.started() {
                None if asked.elapsed() >= limits.acquire && claim.withdraw() => {
                    let waited = asked.elapsed();
                    return Err(StorageError::Busy { waited });
                }
                Some(started) if started.elapsed() >= limits.statement => {
                    if claim.undo() {
                        let limit = limits.statement;
                        return Err(StorageError::Timeout { limit });
                    }
                    // What it did is kept: the commit alone is left, and decides.
                    return answer.await.unwrap_or(Err(StorageError::Closed));
                }
                // It began meanwhile.
                _ => {}
            }
        }
    }
}

/// Makes a job of a body.
pub(crate) fn job<T, F>(step: &'static str, body: F) -> (Box<dyn Job>, Pending<T>)
where
    T: Send + 'static,
    F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
{
    let ticket = Ticket::default();
    let (reply, answer) = oneshot::channel();
    let errand = Errand {
        step,
        span: Span::current(),
        claim: ticket.0.clone(),
        body: Some(body),
        result: None,
        reply,
    };
    (Box::new(errand), Pending { ticket, answer })
}

impl<T, F> Job for Errand<T, F>
where
    T: Send,
    F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send,
{
    fn step(&self) -> &'static str {
        self.step
    }

    fn start(&self) -> bool {
        self.claim.start()
    }

    fn run(&mut self, connection: &mut Connection) -> Ran {
        let Some(body) = self.body.take() else {
            return Ran::Failed;
        };
        let begun = Instant::now();
        let _entered = self.span.enter();
        // A statement cut short by a panic is reset as it unwinds, and the writer undoes what the
        // body did, so nothing is seen of a state that was left half way.
        let (ran, result) = match catch_unwind(AssertUnwindSafe(|| body(connection))) {
            Ok(Ok(value)) => (Ran::Well, Ok(value)),
            Ok(Err(Failure::Refused(error))) if error.is_refusal() => (Ran::Refused, Err(error)),
            Ok(Err(failure)) => {
                let error = failure.into_error(self.step, begun.elapsed());
                (Ran::Failed, Err(error))
            }
            Err(panic) => (Ran::Failed, Err(panicked(self.step, &*panic))),
        };
        self.result = Some(result);
        ran
    }

    fn keep(&self) -> bool {
        self.claim.keep()
    }

    fn problem(&self) -> Option<String> {
        let error = self.result.as_ref()?.as_ref().err()?;
        let cause = std::error::Error::source(error);
        Some(cause.map_or_else(|| error.to_string(), ToString::to_string))
    }

    fn answer(self: Box<Self>) {
        if let Some(result) = self.result {
            // Who went away does not want to know.
            let _ = self.reply.send(result);
        }
    }

    fn fail(self: Box<Self>, error: StorageError) {
        let result = match self.result {
            Some(Err(own)) if !own.is_refusal() => Err(own),
            _ => Err(error),
        };
        let _ = self.reply.send(result);
    }
}

/// Why a whole transaction came to nothing; each of its callers gets an error of their own.
#[derive(Debug)]
pub(crate) struct Undone {
    step: &'static str,
    message: String,
    /// Whether it may have been written all the same: the commit failed in a way that does not
    /// tell.
    unknown: bool,
}

impl Undone {
    pub(crate) fn new(step: &'static str, message: &impl ToString) -> Undone {
        Undone {
            step,
            message: message.to_string(),
            unknown: false,
        }
    }

    pub(crate) fn unknown(message: &impl ToString) -> Undone {
        Undone {
            unknown: true,
            ..Undone::new("committing", message)
        }
    }

    pub(crate) fn error(&self) -> StorageError {
        let source = self.message.clone().into();
        if self.unknown {
            StorageError::OutcomeUnknown { source }
        } else {
            let step = self.step;
            StorageError::Backend { step, source }
        }
    }
}

/// The error of a transaction that could not begin.
pub(crate) fn not_begun(error: diesel::result::Error, waited: Duration) -> StorageError {
    storage_error(error, "beginning a transaction", waited)
}
