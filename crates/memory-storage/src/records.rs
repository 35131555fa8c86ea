use std::fmt::{self, Display};
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use memory_domain::{
    Digest, InvalidInput, JsonObject, Record, RecordKey, RecordKind, TenantId, Timestamp,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{SourceDescription, StorageError};

/// A page of records ends where it holds so many bytes, so that long texts need no more memory than
/// short ones. The last record of a page may go beyond it.
pub const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Reads whole records from one frozen state of a store.
#[async_trait]
pub trait RecordReader: Send {
    /// Counts the records of a kind, of one tenant or of all.
    async fn count(
        &mut self,
        kind: RecordKind,
        tenant: Option<&TenantId>,
    ) -> Result<u64, StorageError>;

    /// The next records of a kind in the order of their keys (tenant, then id, compared by bytes),
    /// after `after`: at most `limit`, fewer where they may fill [`PAGE_BYTES`], none only at the end.
    async fn page(
        &mut self,
        kind: RecordKind,
        tenant: Option<&TenantId>,
        after: Option<&RecordKey>,
        limit: u32,
    ) -> Result<Vec<Record>, StorageError>;

    /// Lists the transfers into the store, newest first.
    async fn runs(&mut self, limit: u32) -> Result<Vec<TransferRun>, StorageError>;
}

/// Writes whole records in one transaction; dropping it undoes everything since its beginning or the
/// last checkpoint.
///
/// What stands is never changed. Every record that is inserted is entered in the ledger of its run,
/// in the same transaction, which is what makes a later rollback exact.
#[async_trait]
pub trait RecordWriter: Send {
    /// Says, before anything is written, that a transfer writes about so many records in this one
    /// transaction. A store that holds none yet may then keep everybody else out, take its
    /// constraints and indexes off, and put them back, checked, before the first thing is read back
    /// or the run is closed. What becomes of each record is the same. For a moment it may give up the
    /// turn that was taken.
    async fn expect(&mut self, records: u64) -> Result<(), StorageError>;

    /// Waits for other transactions that took their turn with this source, and keeps others waiting
    /// until this one ends, be it by a checkpoint. Who wants it `alone` waits for all of them and they
    /// for him, the others wait only for such. So of two resumable transfers from one source that
    /// begin at once the second sees what the first made last.
    async fn take_turn(
        &mut self,
        source: &SourceDescription,
        alone: bool,
    ) -> Result<(), StorageError>;

    /// Enters a run in the list of runs.
    async fn open_run(&mut self, run: &TransferRun) -> Result<(), StorageError>;

    /// Inserts records, and says of each, in the order given, what became of it. The records of one
    /// call are of one kind, and what they refer to was inserted before or is there. A message goes
    /// only into a session that the same run inserted: in one that stands it would break the count,
    /// and that is a `Conflict` with the session.
    async fn insert_sealed(
        &mut self,
        run: RunId,
        records: Vec<Sealed>,
    ) -> Result<Vec<InsertOutcome>, StorageError>;

    /// Reads records back by key, in the order given; `None` where there is none. The keys of one
    /// call are of one kind.
    async fn fetch(&mut self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StorageError>;

    /// The next entries of one kind in a run's ledger, in the order of their keys, after `after`, each
    /// with what stands under its key: at most `limit`, fewer where the records may fill
    /// [`PAGE_BYTES`], none only at the end.
    async fn read_back(
        &mut self,
        run: RunId,
        kind: RecordKind,
        after: Option<&RecordKey>,
        limit: u32,
    ) -> Result<Vec<(LedgerEntry, Option<Record>)>, StorageError>;

    /// Up to `limit` records that would go with the run's although it did not bring them: what was
    /// built upon its records since, and what had gone and a run that began later, and stands, brought
    /// again under the same key. From then on nobody else writes to the store until this transaction
    /// ends, so that the answer stays true while the run is deleted.
    async fn built_upon(&mut self, run: RunId, limit: u32) -> Result<Vec<RecordKey>, StorageError>;

    /// Deletes every record in the ledger of a run, with what depends on it, and returns how many
    /// of the ledger's records were there.
    async fn delete_run(&mut self, run: RunId) -> Result<u64, StorageError>;

    /// Sets a run's end, status and report. A run that was taken back stays so: that is a `Conflict`.
    async fn close_run(
        &mut self,
        run: RunId,
        status: RunStatus,
        at: Timestamp,
        report: JsonObject,
    ) -> Result<(), StorageError>;

    /// Looks a run up.
    async fn run(&mut self, run: RunId) -> Result<Option<TransferRun>, StorageError>;

    /// The runs that are under way as far as it lasts, newest first: those whose checkpoints were
    /// made to last, and whose end was not.
    async fn unfinished(&mut self) -> Result<Vec<TransferRun>, StorageError>;

    /// Sets the report of a run that is under way, makes everything so far last, and goes on in a new
    /// transaction.
    ///
    /// `from` is the report as the caller knows it. If another one stands, or the run ended, somebody
    /// else has carried the run on or taken it back meanwhile: that is a `Conflict`, and nothing of
    /// this transaction lasts.
    async fn checkpoint(
        &mut self,
        run: RunId,
        from: &JsonObject,
        to: &JsonObject,
    ) -> Result<(), StorageError>;

    /// Makes everything last.
    async fn commit(self: Box<Self>) -> Result<(), StorageError>;
}

impl dyn RecordWriter + '_ {
    /// Inserts records whose digests nobody has computed yet; see [`RecordWriter::insert_sealed`].
    ///
    /// # Errors
    /// The store failed, or the records are of several kinds.
    pub async fn insert(
        &mut self,
        run: RunId,
        records: Vec<Record>,
    ) -> Result<Vec<InsertOutcome>, StorageError> {
        let sealed = records.into_iter().map(Sealed::from).collect();
        self.insert_sealed(run, sealed).await
    }
}

/// A record with its digest, which is computed once. Cloning it copies neither.
#[derive(Debug, Clone)]
pub struct Sealed {
    record: Arc<Record>,
    digest: Digest,
}

impl Sealed {
    /// A record whose canonical encoding is at hand.
    pub fn new(record: Record, canonical: &str) -> Sealed {
        Sealed {
            record: Arc::new(record),
            digest: Digest::of(canonical.as_bytes()),
        }
    }

    /// The record.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Its digest.
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

impl From<Record> for Sealed {
    fn from(record: Record) -> Sealed {
        let canonical = record.canonical();
        Sealed::new(record, &canonical)
    }
}

/// What became of a record that was to be inserted.
#[derive(Debug, Clone, PartialEq)]
pub enum InsertOutcome {
    /// It was not there and is now.
    Inserted,
    /// It stands with the same content.
    AlreadyThere,
    /// Its id, or a key that must be unique, stands with other content, which was left alone.
    Conflict {
        /// What stands, by its key.
        standing: RecordKey,
        /// Why both cannot be: `same id, other content`, `the entity key is taken`.
        reason: String,
    },
    /// What it refers to is not there.
    MissingReference {
        /// What is missing: `session 0198…`.
        reference: String,
    },
}

/// The id of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub Uuid);

impl Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RunId {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<RunId, InvalidInput> {
        let problem = "give the UUID that `memory migrate runs` lists";
        Uuid::from_str(text)
            .map(RunId)
            .map_err(|_| InvalidInput::new("run", text, problem))
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Under way.
    Running,
    /// Committed.
    Completed,
    /// Taken back.
    RolledBack,
}

impl RunStatus {
    /// Every status.
    pub const ALL: [RunStatus; 3] = [
        RunStatus::Running,
        RunStatus::Completed,
        RunStatus::RolledBack,
    ];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            RunStatus::Running => "running",
            RunStatus::Completed => "completed",
            RunStatus::RolledBack => "rolled_back",
        }
    }
}

/// A transfer into a store, as that store remembers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransferRun {
    /// Its id.
    pub id: RunId,
    /// The kind of source: `flux-rag`, `jarvis`, `memory`.
    pub source_kind: String,
    /// The name under which the source's ids were made ours.
    pub source_name: String,
    /// Where the source was, without a password.
    pub source_location: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How far it is.
    pub status: RunStatus,
    /// The report, once it ended; before, what its last checkpoint says.
    pub report: JsonObject,
}

/// One record that a run inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Which record.
    pub key: RecordKey,
    /// Its digest, computed from the source.
    pub digest: Digest,
}
