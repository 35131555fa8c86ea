//! Many records into a store that holds none: constraints and indexes come off, records are copied,
//! and everything goes back, checked, in the one transaction.
//!
//! What would be in a record's way is known from what was written before. Where that does not
//! decide, the keys go back at once, and from there on the database looks at each record.

mod known;
mod off;
mod pipeline;

use std::sync::Arc;

use memory_domain::Timestamp;
use memory_storage::{InsertOutcome, RunId, Sealed, StorageError, TransferRun};

use self::known::{Known, Verdict, told};
use self::off::Off;
use self::pipeline::Pipeline;
use super::transaction::Transaction;
use crate::pool::Pool;

/// From how many records on it is worth it: taking everything off an empty store and putting it back
/// takes about as long as writing so many.
const WORTH_IT: u64 = 5_000;

/// Whether copying is to be tried for so many records.
pub(super) fn is_worth_it(records: u64) -> bool {
    records >= WORTH_IT
}

/// A transaction that copies records.
pub(super) struct Bulk {
    pool: Arc<Pool>,
    run: Option<RunId>,
    pipeline: Pipeline,
    known: Known,
    off: Off,
}

/// What is still to be put back, as statements; none if nothing.
pub(super) type StillOff = Vec<String>;

impl Bulk {
    /// Begins, if the store holds nothing.
    pub(super) async fn begin(pool: &Arc<Pool>) -> Result<Option<Bulk>, StorageError> {
        let mut bare = pool.bare().await?;
        let off = match off::take_off(&mut bare).await {
            Ok(Some(off)) => off,
            Ok(None) => return Ok(None),
            Err(failure) => {
                // Somebody writes, somebody else's table refers to one of ours, or the tables
                // belong to another role: there is another way, which reports what is in its way.
                let error = failure.in_work("taking constraints off", pool.config());
                tracing::debug!(%error, "constraints and indexes stay on");
                return Ok(None);
            }
        };
        Ok(Some(Bulk {
            pool: Arc::clone(pool),
            run: None,
            pipeline: Pipeline::new(bare, Arc::clone(pool.config())),
            known: Known::new(),
            off,
        }))
    }

    /// Enters a run in the list of runs, and says whether it is new.
    pub(super) async fn open_run(&mut self, run: &TransferRun) -> Result<bool, StorageError> {
        self.run.get_or_insert(run.id);
        self.pipeline.open_run(run).await
    }

    /// Takes the first records, up to one that the database must look at, and says what became of
    /// them.
    pub(super) async fn insert(
        &mut self,
        run: RunId,
        records: &[Sealed],
    ) -> Result<Vec<InsertOutcome>, StorageError> {
        if self.run != Some(run) {
            return Ok(Vec::new());
        }
        let mut outcomes = Vec::with_capacity(records.len());
        let mut taken = Vec::with_capacity(records.len());
        for sealed in records {
            outcomes.push(match self.known.take(sealed.record()) {
                Verdict::New => {
                    taken.push(sealed.clone());
                    InsertOutcome::Inserted
                }
                Verdict::Missing(key) => InsertOutcome::MissingReference {
                    reference: told(&key),
                },
                Verdict::Unclear => break,
            });
        }
        self.pipeline.push(run, taken).await?;
        Ok(outcomes)
    }

    /// Puts the keys back and goes on statement by statement. The rest is still to be put back.
    pub(super) async fn with_keys(self) -> Result<(Transaction, StillOff), StorageError> {
        let Bulk {
            pool,
            pipeline,
            off,
            known,
            ..
        } = self;
        // It is known no more, and the indexes need the memory.
        drop(known);
        let bare = pipeline.end().await?;
        let lease = bare.into_lease().await.map_err(|error| error.on_use())?;
        let mut transaction = Transaction::going_on(&pool, lease);
        transaction
            .long_batch("putting keys back", &off.keys.join("; "))
            .await?;
        Ok((transaction, off.others))
    }
}

/// Puts back what is still off.
pub(super) async fn put_back(
    transaction: &mut Transaction,
    still_off: StillOff,
) -> Result<(), StorageError> {
    if still_off.is_empty() {
        return Ok(());
    }
    let back = still_off.join("; ");
    let sql = format!("{}; {back}; {}", off::BY_HASHING, off::AS_USUAL);
    transaction
        .long_batch("putting constraints and indexes back", &sql)
        .await
}

/// A moment as PostgreSQL reads it.
fn moment(at: Timestamp) -> String {
    at.to_string()
}
