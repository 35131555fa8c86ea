//! The writer's thread: takes what it is asked in order, and looks after its connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Instant;

use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use memory_storage::StorageError;
use tracing::warn;

use super::Message;
use super::job::{Job, Ran, Undone, not_begun};
use super::serving::Current;
use crate::connection::{Connection, Place, Role};
use crate::error::Trouble;
use crate::meter::Meter;
use crate::statement::Statement;

pub(super) struct WriterThread {
    place: Arc<Place>,
    /// `None` after a fault that leaves the state of the transaction in doubt, until the next
    /// transaction begins.
    connection: Option<Connection>,
    inbox: Receiver<Message>,
    /// What was taken out of the inbox too early.
    ahead: Option<Message>,
    pub(super) leases: Arc<Current>,
    busy: Arc<AtomicBool>,
}

impl WriterThread {
    pub(super) fn new(
        place: Arc<Place>,
        connection: Connection,
        inbox: Receiver<Message>,
        leases: Arc<Current>,
        busy: Arc<AtomicBool>,
    ) -> WriterThread {
        WriterThread {
            place,
            connection: Some(connection),
            inbox,
            ahead: None,
            leases,
            busy,
        }
    }

    pub(super) fn run(mut self) {
        while let Some(message) = self.next() {
            self.busy.store(true, Relaxed);
            match message {
                Message::Write(job) => self.group(job),
                Message::Alone(job) => self.alone(job),
                Message::Lease(request) => self.lease(request),
                Message::Stop(done) => {
                    self.checkpoint();
                    self.connection = None;
                    // What still waits is dropped with the inbox, and hears that it is closed.
                    drop(self);
                    let _ = done.send(());
                    return;
                }
            }
            self.busy.store(false, Relaxed);
        }
    }

    fn next(&mut self) -> Option<Message> {
        self.ahead.take().or_else(|| self.inbox.recv().ok())
    }

    pub(super) fn meter(&self) -> Arc<Meter> {
        self.place.meter.clone()
    }

    /// The next job, if one waits already and nothing else comes before it.
    pub(super) fn next_write(&mut self) -> Option<Box<dyn Job>> {
        if self.ahead.is_some() {
            return None;
        }
        match self.inbox.try_recv() {
            Ok(Message::Write(job)) => Some(job),
            Ok(other) => {
                self.ahead = Some(other);
                None
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
        }
    }

    /// Runs a job that looks after its own transactions.
    fn alone(&mut self, mut job: Box<dyn Job>) {
        if let Err(error) = self.connected() {
            return job.fail(error);
        }
        let Some(connection) = &mut self.connection else {
            return;
        };
        // Kept beforehand, because it commits for itself: the caller waits for its end.
        if job.start() && job.keep() {
            if job.run(connection) == Ran::Failed {
                self.connection = None;
            }
            job.answer();
        }
    }

    /// Begins a transaction that may write at once, so that it never fails to become one.
    pub(super) fn begin(&mut self) -> Result<(), StorageError> {
        self.connected()?;
        let begun = Instant::now();
        self.execute("begin immediate")
            .map_err(|error| not_begun(error, begun.elapsed()))
    }

    pub(super) fn commit(&mut self) -> Result<(), Undone> {
        self.execute("commit").map_err(|error| {
            // The connection goes, so that the next transaction finds no trace of this one.
            self.connection = None;
            match Trouble::of_error(&error) {
                Trouble::Full | Trouble::Locked => Undone::new("committing", &error),
                // An error of the disk may come after the last byte was written.
                _ => Undone::unknown(&error),
            }
        })
    }

    /// Undoes the whole transaction. If SQLite has undone it before, or fails to, the connection
    /// goes, and the transaction with it.
    pub(super) fn roll_back(&mut self) {
        if let Err(error) = self.execute("rollback") {
            warn!(%error, "the writer's connection is opened anew");
            self.connection = None;
        }
    }

    /// Drops the connection, and with it whatever its transaction did.
    pub(super) fn discard(&mut self) {
        self.connection = None;
    }

    pub(super) fn run_job(&mut self, job: &mut dyn Job) -> Ran {
        match &mut self.connection {
            Some(connection) => job.run(connection),
            None => Ran::Failed,
        }
    }

    /// Runs a statement without values, which is prepared once.
    pub(super) fn execute(&mut self, sql: &'static str) -> QueryResult<()> {
        match &mut self.connection {
            Some(connection) => Statement::new(sql).run(connection).map(drop),
            // Whoever dropped it has told the callers why.
            None => Err(diesel::result::Error::NotInTransaction),
        }
    }

    fn connected(&mut self) -> Result<(), StorageError> {
        if self.connection.is_none() {
            let connection = self.place.connect(Role::Writer).map_err(|error| {
                let source = error.into();
                let step = "opening the writer's connection";
                StorageError::Unavailable { step, source }
            })?;
            self.connection = Some(connection);
        }
        Ok(())
    }

    /// Moves everything into the database file, so that it is whole without its side files.
    fn checkpoint(&mut self) {
        if let Some(connection) = &mut self.connection {
            // A reader in another process may be in the way; then the next opening does it.
            let sql = "pragma busy_timeout = 0; pragma wal_checkpoint(truncate)";
            if let Err(error) = connection.batch_execute(sql) {
                warn!(%error, "the log was not moved into the file");
            }
        }
    }
}
