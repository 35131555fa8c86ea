use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use memory_domain::{JsonObject, Record, RecordKey, RecordKind, Timestamp};
use memory_storage::{
    InsertOutcome, LedgerEntry, RecordWriter, RunId, RunStatus, Sealed, SourceDescription,
    StorageError, TransferRun,
};

use super::insertion::{self, Sessions};
use super::page::{self, Room};
use super::{ledger, runs};
use crate::writer::Lease;

/// Writes whole records on a lease of the writer: one transaction, and nobody else writes until it
/// ends.
pub(crate) struct Writer {
    lease: Lease,
    /// Of which run, and which sessions it brought.
    brought: Arc<Mutex<Option<(RunId, Sessions)>>>,
}

impl Writer {
    pub(crate) fn new(lease: Lease) -> Writer {
        Writer {
            lease,
            brought: Arc::default(),
        }
    }
}

#[async_trait]
impl RecordWriter for Writer {
    /// Nothing is done about it: what is looked after row by row costs little within the process.
    async fn expect(&mut self, _: u64) -> Result<(), StorageError> {
        Ok(())
    }

    /// Nothing is left to do: who has the writer is alone.
    async fn take_turn(&mut self, _: &SourceDescription, _: bool) -> Result<(), StorageError> {
        Ok(())
    }

    async fn open_run(&mut self, run: &TransferRun) -> Result<(), StorageError> {
        let run = run.clone();
        self.lease
            .run("entering a run", move |connection| {
                runs::open(connection, run)
            })
            .await
    }

    async fn insert_sealed(
        &mut self,
        run: RunId,
        records: Vec<Sealed>,
    ) -> Result<Vec<InsertOutcome>, StorageError> {
        one_kind(records.iter().map(|sealed| sealed.record().kind()))?;
        let brought = self.brought.clone();
        self.lease
            .run_unguarded("inserting records", move |connection| {
                let mut brought = brought.lock().unwrap_or_else(PoisonError::into_inner);
                let mut sessions = match brought.take() {
                    Some((of, sessions)) if of == run => sessions,
                    _ => Sessions::new(),
                };
                let outcomes = insertion::insert_all(connection, run, &records, &mut sessions)?;
                *brought = Some((run, sessions));
                Ok(outcomes)
            })
            .await
    }

    async fn fetch(&mut self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StorageError> {
        one_kind(keys.iter().map(|key| key.kind))?;
        let keys = keys.to_vec();
        self.lease
            .run("reading records back", move |connection| {
                keys.iter().map(|key| page::one(connection, key)).collect()
            })
            .await
    }

    async fn read_back(
        &mut self,
        run: RunId,
        kind: RecordKind,
        after: Option<&RecordKey>,
        limit: u32,
    ) -> Result<Vec<(LedgerEntry, Option<Record>)>, StorageError> {
        let after = after.cloned();
        self.lease
            .run("reading records back", move |connection| {
                let entries = ledger::entries(connection, run, kind, after.as_ref(), limit)?;
                let mut read = Vec::with_capacity(entries.len());
                let mut room = Room::new();
                for entry in entries {
                    let record = page::one(connection, &entry.key)?;
                    if let Some(record) = &record {
                        room.take(record);
                    }
                    read.push((entry, record));
                    if room.is_full() {
                        break;
                    }
                }
                Ok(read)
            })
            .await
    }

    async fn built_upon(&mut self, run: RunId, limit: u32) -> Result<Vec<RecordKey>, StorageError> {
        self.lease
            .run("looking for what was built upon a run", move |connection| {
                ledger::built_upon(connection, run, limit)
            })
            .await
    }

    async fn delete_run(&mut self, run: RunId) -> Result<u64, StorageError> {
        *self.brought.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.lease
            .run("deleting a run's records", move |connection| {
                ledger::delete(connection, run)
            })
            .await
    }

    async fn close_run(
        &mut self,
        run: RunId,
        status: RunStatus,
        at: Timestamp,
        report: JsonObject,
    ) -> Result<(), StorageError> {
        self.lease
            .run("closing a run", move |connection| {
                runs::close(connection, run, status, at, report)
            })
            .await
    }

    async fn run(&mut self, run: RunId) -> Result<Option<TransferRun>, StorageError> {
        self.lease
            .run("looking a run up", move |connection| {
                runs::one(connection, run)
            })
            .await
    }

    async fn unfinished(&mut self) -> Result<Vec<TransferRun>, StorageError> {
        self.lease
            .run("looking for unfinished runs", runs::unfinished)
            .await
    }

    async fn checkpoint(
        &mut self,
        run: RunId,
        from: &JsonObject,
        to: &JsonObject,
    ) -> Result<(), StorageError> {
        let (from, to) = (from.clone(), to.clone());
        self.lease
            .run("entering a checkpoint", move |connection| {
                runs::checkpoint(connection, run, &from, to)
            })
            .await?;
        self.lease.checkpoint().await
    }

    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        self.lease.commit().await
    }
}

fn one_kind(kinds: impl Iterator<Item = RecordKind>) -> Result<(), StorageError> {
    let mut kinds = kinds;
    let first = kinds.next();
    if kinds.any(|kind| Some(kind) != first) {
        return Err(StorageError::Unsupported {
            what: "records of several kinds in one call".to_owned(),
        });
    }
    Ok(())
}
