//! Encoding and sending at once: a thread makes rows of records, a task copies them.

use std::collections::BTreeMap;
use std::sync::Arc;

use memory_domain::{RecordKind, TenantId};
use memory_storage::{Config, RunId, Sealed, StorageError, TransferRun};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{JoinSet, spawn_blocking};
use tokio_postgres::Statement;
use uuid::Uuid;

use super::moment;
use crate::copy::CopyRows;
use crate::index::RecordChunks;
use crate::pool::Bare;
use crate::records::table::Table;

const STEP: &str = "copying records";

/// How many batches, and how many parts, wait at most.
const WAITING: usize = 2;

/// Rows of a table are sent when they have so many bytes.
const PART: usize = 512 * 1024;

/// Where records go in, in the order in which they are to be written.
pub(super) struct Pipeline {
    state: State,
    config: Arc<Config>,
}

enum State {
    /// Nothing runs.
    Resting(Box<Bare>),
    Running {
        batches: Sender<(RunId, Vec<Sealed>)>,
        /// Dropping it ends what it runs, and so the transaction.
        sending: JoinSet<Result<Bare, StorageError>>,
    },
    Failed,
}

/// How many records are made rows of before it is looked whether to send.
const AT_ONCE: usize = 16;

/// What is to be copied.
enum Part {
    Rows {
        into: String,
        bytes: Vec<u8>,
    },
    /// Everything came: without it the last rows may be missing.
    End,
}

impl Pipeline {
    pub(super) fn new(bare: Bare, config: Arc<Config>) -> Pipeline {
        Pipeline {
            state: State::Resting(Box::new(bare)),
            config,
        }
    }

    /// Enters a run before the first records, and says whether it is new.
    pub(super) async fn open_run(&mut self, run: &TransferRun) -> Result<bool, StorageError> {
        const OPEN_RUN: &str = "insert into transfer_runs (
                id, source_kind, source_name, source_location, started_at, status, report
            )
            values (
                $1::text::uuid, $2, $3, $4, $5::text::timestamptz, $6, $7::text::jsonb
            )
            on conflict (id) do nothing
            returning 1";
        let mut bare = self.rest().await?;
        let report = serde_json::to_string(&run.report);
        let report = report.expect("JSON can be written to memory");
        let values = [
            &run.id.to_string(),
            &run.source_kind,
            &run.source_name,
            &run.source_location,
            &moment(run.started_at),
            run.status.as_str(),
            &report,
        ];
        let rows = bare.rows(OPEN_RUN, &values).await;
        let rows = rows.map_err(|failure| failure.in_work("opening a run", &self.config))?;
        self.state = State::Resting(Box::new(bare));
        Ok(!rows.is_empty())
    }

    /// Takes records, all of one kind, that nothing is in the way of.
    pub(super) async fn push(
        &mut self,
        run: RunId,
        records: Vec<Sealed>,
    ) -> Result<(), StorageError> {
        if records.is_empty() {
            return Ok(());
        }
        if let State::Resting(_) = self.state {
            let bare = self.rest().await?;
            let (batches, waiting) = channel(WAITING);
            let (parts, ready) = channel(WAITING);
            spawn_blocking(move || encode(waiting, &parts));
            let mut sending = JoinSet::new();
            sending.spawn(send(bare, ready, Arc::clone(&self.config)));
            self.state = State::Running { batches, sending };
        }
        let State::Running { batches, .. } = &self.state else {
            return Err(gone());
        };
        if batches.send((run, records)).await.is_ok() {
            return Ok(());
        }
        // Nobody takes it any more: sending failed, and says why.
        self.rest().await.map(drop).and(Err(gone()))
    }

    /// Waits until everything is written, and gives the connection back.
    pub(super) async fn end(mut self) -> Result<Bare, StorageError> {
        self.rest().await
    }

    async fn rest(&mut self) -> Result<Bare, StorageError> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Resting(bare) => Ok(*bare),
            State::Running {
                batches,
                mut sending,
            } => {
                drop(batches);
                match sending.join_next().await {
                    Some(Ok(result)) => result,
                    Some(Err(error)) => Err(StorageError::Backend {
                        step: STEP,
                        source: error.into(),
                    }),
                    None => Err(gone()),
                }
            }
            State::Failed => Err(gone()),
        }
    }
}

fn gone() -> StorageError {
    StorageError::WorkAborted {
        reason: format!("{STEP} failed before"),
    }
}

/// Makes rows of records until no more come.
fn encode(mut batches: Receiver<(RunId, Vec<Sealed>)>, parts: &Sender<Part>) {
    let mut rows: BTreeMap<(RecordKind, Place), CopyRows> = BTreeMap::new();
    while let Some((run, batch)) = batches.blocking_recv() {
        let Some(kind) = batch.first().map(|first| first.record().kind()) else {
            continue;
        };
        let table = Table::of(kind);
        for some in batch.chunks(AT_ONCE) {
            let own = rows.entry((kind, Place::Own)).or_default();
            for sealed in some {
                (table.copy)(sealed.record(), own);
            }
            let chunks = rows.entry((kind, Place::Chunks)).or_default();
            RecordChunks::of(some.iter().map(Sealed::record)).copy(kind, chunks);
            let ledger = rows.entry((kind, Place::Ledger)).or_default();
            for sealed in some {
                enter(run, sealed, ledger);
            }
            for ((kind, place), rows) in &mut rows {
                if rows.len() >= PART && !hand_on(*kind, *place, rows, parts) {
                    return;
                }
            }
        }
    }
    for ((kind, place), mut rows) in rows {
        if !hand_on(kind, place, &mut rows, parts) {
            return;
        }
    }
    // If nobody listens any more, sending failed.
    let _ = parts.blocking_send(Part::End);
}

/// Where rows of a kind go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Own,
    Chunks,
    Ledger,
}

fn enter(run: RunId, sealed: &Sealed, ledger: &mut CopyRows) {
    let key = sealed.record().key();
    ledger.begin(5);
    ledger.value(&run.0);
    ledger.value(key.kind.table());
    ledger.value(TenantId::as_str(&key.tenant_id));
    // A tenant has no id beside its name.
    ledger.value(&key.id.unwrap_or(Uuid::nil()));
    ledger.value(sealed.digest().as_bytes());
}

const LEDGER: &str = "transfer_ledger (run_id, table_name, tenant_id, record_id, digest)";

/// Hands rows on, and says whether anybody takes them.
fn hand_on(kind: RecordKind, place: Place, rows: &mut CopyRows, parts: &Sender<Part>) -> bool {
    let Some(bytes) = rows.take() else {
        return true;
    };
    let into = match place {
        Place::Own => {
            let table = Table::of(kind);
            format!("{} ({})", table.name(), table.list())
        }
        Place::Chunks => RecordChunks::copied(kind).unwrap_or_default().to_owned(),
        Place::Ledger => LEDGER.to_owned(),
    };
    parts.blocking_send(Part::Rows { into, bytes }).is_ok()
}

/// Copies what is ready, until all of it is.
async fn send(
    mut bare: Bare,
    mut ready: Receiver<Part>,
    config: Arc<Config>,
) -> Result<Bare, StorageError> {
    let failed = |failure: crate::error::Failure| failure.in_work(STEP, &config);
    let mut statements: BTreeMap<String, Statement> = BTreeMap::new();
    while let Some(part) = ready.recv().await {
        let Part::Rows { into, bytes } = part else {
            return Ok(bare);
        };
        if !statements.contains_key(&into) {
            let sql = format!("copy {into} from stdin (format binary)");
            let prepared = bare.prepare(&sql).await.map_err(failed)?;
            statements.insert(into.clone(), prepared);
        }
        let statement = &statements[&into];
        bare.copy(statement, bytes).await.map_err(failed)?;
    }
    Err(StorageError::Backend {
        step: STEP,
        source: "encoding ended before its end".into(),
    })
}
