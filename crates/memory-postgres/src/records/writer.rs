use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use diesel::sql_types::{BigInt, Nullable, Text};
use memory_diesel::sql_types::{Id, IdValue, Instant, InstantValue};
use memory_diesel::{LedgerRow, TransferRunRow};
use memory_domain::{JsonObject, Record, RecordKey, RecordKind, TenantId, Timestamp};
use memory_storage::{
    InsertOutcome, LedgerEntry, RecordWriter, RunId, RunStatus, Sealed, SourceDescription,
    StorageError, TransferRun,
};
use uuid::Uuid;

use super::bulk::{self, Bulk, StillOff};
use super::insertion::insertion;
use super::page_size::PageSize;
use super::reader::{page, records, select_by_key};
use super::transaction::Transaction;
use super::{diagnosis, rollback};
use crate::columns::{Ledger, Runs, ledger_columns, run_columns};
use crate::connection::Row;
use crate::executor::read;
use crate::index::RecordChunks;
use crate::pool::Pool;
use crate::statement::Statement;

// The caller may take as long as it likes between two batches.
const BEGIN: &str = "begin; set local idle_in_transaction_session_timeout = 0";

/// A turn with a source. Whoever writes without one goes on. `%L` puts each part in quotes, so no two
/// sources are spelled alike.
macro_rules! turn {
    ($lock:literal) => {
        concat!(
            "select ",
            $lock,
            "(hashtextextended(
                format(
                    'memory transfer %L %L %L %L', current_schema(), $1::text, $2::text, $3::text
                ), 0
            ))::text"
        )
    };
}

const TAKE_TURN_ALONE: &str = turn!("pg_advisory_xact_lock");
const TAKE_TURN: &str = turn!("pg_advisory_xact_lock_shared");

const OPEN_RUN: &str = "insert into transfer_runs (
        id, source_kind, source_name, source_location, started_at, finished_at, status, report
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8)
    on conflict (id) do nothing
    returning id";

const CLOSE_RUN: &str = "update transfer_runs set status = $1, finished_at = $2, report = $3
    where id = $4 and status <> 'rolled_back'
    returning id";

// Waits for whoever else writes to the run, and looks at what he left.
const CHECKPOINT: &str = "update transfer_runs set report = $1
    where id = $2 and status = 'running' and report = $3
    returning id";

const UNFINISHED: &str = concat!(
    "select ",
    run_columns!("r"),
    " from transfer_runs as r where r.status = 'running' order by r.started_at desc, r.id desc"
);

const RUN: &str = concat!(
    "select ",
    run_columns!("r"),
    " from transfer_runs as r where r.id = $1"
);

const LEDGER: &str = concat!(
    "select ",
    ledger_columns!("l"),
    " from transfer_ledger as l where l.run_id = $1 and l.table_name = $2"
);

/// Writes whole records in one transaction, on a connection of its own.
pub(crate) struct Writer {
    pool: Arc<Pool>,
    hand: Hand,
    page_size: PageSize,
    /// The turn that was taken.
    turn: Option<(SourceDescription, bool)>,
    /// Whether the store held no records when the transaction began, and others are kept out.
    is_alone: bool,
}

/// How records are written at the moment.
enum Hand {
    /// By statements.
    Statements(Transaction, StillOff),
    /// By copying, into a store that held none.
    Bulk(Box<Bulk>),
    /// It failed half way, or a call was dropped: everything is undone.
    Gone,
}

impl Writer {
    pub(crate) async fn begin(pool: &Arc<Pool>) -> Result<Writer, StorageError> {
        let transaction = Transaction::begin(pool, BEGIN).await?;
        Ok(Writer {
            pool: Arc::clone(pool),
            hand: Hand::Statements(transaction, StillOff::new()),
            page_size: PageSize::new(),
            turn: None,
            is_alone: false,
        })
    }

    /// Takes what copies, if anything does; unless it is put back, everything is undone.
    fn take_bulk(&mut self) -> Option<Box<Bulk>> {
        match std::mem::replace(&mut self.hand, Hand::Gone) {
            Hand::Bulk(bulk) => Some(bulk),
            other => {
                self.hand = other;
                None
            }
        }
    }

    /// Runs a statement over tables of which each record has its keys.
    async fn rows(&mut self, statement: &Statement<'_>) -> Result<Vec<Row>, StorageError> {
        if let Hand::Statements(transaction, _) = &mut self.hand {
            return transaction.run(statement).await;
        }
        let (mut transaction, still_off) = match std::mem::replace(&mut self.hand, Hand::Gone) {
            Hand::Bulk(bulk) => bulk.with_keys().await?,
            Hand::Statements(transaction, still_off) => (transaction, still_off),
            Hand::Gone => return Err(gone()),
        };
        let rows = transaction.run(statement).await;
        self.hand = Hand::Statements(transaction, still_off);
        rows
    }

    /// Runs a statement over the whole schema.
    async fn run_whole(&mut self, statement: &Statement<'_>) -> Result<Vec<Row>, StorageError> {
        self.make_whole().await?;
        self.rows(statement).await
    }

    /// Puts back what is off.
    async fn make_whole(&mut self) -> Result<(), StorageError> {
        if matches!(&self.hand, Hand::Statements(_, still_off) if still_off.is_empty()) {
            return Ok(());
        }
        let (mut transaction, still_off) = match std::mem::replace(&mut self.hand, Hand::Gone) {
            Hand::Bulk(bulk) => bulk.with_keys().await?,
            Hand::Statements(transaction, still_off) => (transaction, still_off),
            Hand::Gone => return Ok(()),
        };
        bulk::put_back(&mut transaction, still_off).await?;
        self.hand = Hand::Statements(transaction, StillOff::new());
        Ok(())
    }

    /// Those of the keys, all of one kind, that stand.
    async fn standing(
        &mut self,
        kind: RecordKind,
        keys: &[RecordKey],
    ) -> Result<HashMap<RecordKey, Record>, StorageError> {
        let statement = by_keys(kind, keys);
        let rows = self.rows(&statement).await?;
        Ok(by_key(records(kind, statement.step(), &rows)?))
    }

    /// The next entries of one kind in a run's ledger, in the order of their keys.
    async fn ledger(
        &mut self,
        run: RunId,
        kind: RecordKind,
        after: Option<&RecordKey>,
        limit: u32,
    ) -> Result<Vec<LedgerEntry>, StorageError> {
        let mut statement = Statement::reading("reading a run's ledger", LEDGER)
            .id(run.0)
            .text(kind.table());
        if let Some(after) = after {
            statement = statement
                .then(" and (l.tenant_id, l.record_id) > (")
                .parameter()
                .text(after.tenant_id.as_str())
                .then(", ")
                .parameter()
                .id(id(after))
                .then(")");
        }
        let statement = statement
            .then(" order by l.tenant_id, l.record_id limit ")
            .parameter()
            .number(limit.into());
        let rows = self.run_whole(&statement).await?;
        read::<Ledger, LedgerRow>(statement.step(), &rows)?
            .into_iter()
            .map(LedgerEntry::try_from)
            .collect()
    }

    async fn taking_back(&mut self, run: &str) -> Result<(), StorageError> {
        let step = "saying which run is being taken back";
        let statement = Statement::writing(step, rollback::TAKEN_BACK).text(run);
        self.rows(&statement).await?;
        Ok(())
    }

    async fn insert_by_statements(
        &mut self,
        run: RunId,
        kind: RecordKind,
        records: &[Sealed],
    ) -> Result<Vec<InsertOutcome>, StorageError> {
        // Each key once; what comes again is compared with what came first.
        let mut firsts: HashMap<RecordKey, &Record> = HashMap::with_capacity(records.len());
        let mut given: Vec<&Sealed> = Vec::with_capacity(records.len());
        for sealed in records {
            firsts.entry(sealed.record().key()).or_insert_with(|| {
                given.push(sealed);
                sealed.record()
            });
        }
        let statement = insertion(run, kind, &given);
        let given: Vec<&Record> = given.into_iter().map(Sealed::record).collect();
        let rows = self.rows(&statement).await?;
        let inserted: HashSet<(String, Uuid)> =
            read::<(Text, Id), (String, IdValue)>(statement.step(), &rows)?
                .into_iter()
                .map(|(tenant, id)| (tenant, id.0))
                .collect();
        let is_inserted =
            |key: &RecordKey| inserted.contains(&(key.tenant_id.as_str().to_owned(), id(key)));
        let chunks = RecordChunks::of(given.iter().copied().filter(|one| is_inserted(&one.key())));
        if let Some(statement) = chunks.statement(kind) {
            self.rows(&statement).await?;
        }
        let refused: Vec<&Record> = given
            .iter()
            .filter(|record| !is_inserted(&record.key()))
            .copied()
            .collect();
        let refusals = if refused.is_empty() {
            Vec::new()
        } else {
            self.refusals(run, kind, &refused).await?
        };
        let mut refusals: HashMap<RecordKey, InsertOutcome> = refused
            .iter()
            .map(|record| record.key())
            .zip(refusals)
            .collect();
        let mut seen = HashSet::with_capacity(records.len());
        let outcomes = records.iter().map(|sealed| {
            let key = sealed.record().key();
            let first = seen.insert(key.clone());
            match refusals.get_mut(&key) {
                Some(refusal) => refusal.clone(),
                None if first => InsertOutcome::Inserted,
                None => against(sealed.record(), firsts[&key]),
            }
        });
        Ok(outcomes.collect())
    }

    /// Why records were not inserted, in the order given.
    async fn refusals(
        &mut self,
        run: RunId,
        kind: RecordKind,
        refused: &[&Record],
    ) -> Result<Vec<InsertOutcome>, StorageError> {
        let keys: Vec<RecordKey> = refused.iter().map(|record| record.key()).collect();
        let standing = self.standing(kind, &keys).await?;
        let absent: Vec<&Record> = std::iter::zip(refused, &keys)
            .filter(|(_, key)| !standing.contains_key(key))
            .map(|(record, _)| *record)
            .collect();
        let mut absent = match diagnosis::question(run, kind, &absent) {
            Some(statement) if !absent.is_empty() => {
                let rows = self.rows(&statement).await?;
                diagnosis::outcomes(&absent, &rows)?.into_iter()
            }
            _ => Vec::new().into_iter(),
        };
        std::iter::zip(refused, keys)
            .map(|(record, key)| match standing.get(&key) {
                Some(standing) => Ok(against(record, standing)),
                None => absent.next().ok_or_else(|| StorageError::Backend {
                    step: "inserting records",
                    source: format!("{key} was not inserted, and nothing is in its way").into(),
                }),
            })
            .collect()
    }
}

#[async_trait]
impl RecordWriter for Writer {
    async fn expect(&mut self, records: u64) -> Result<(), StorageError> {
        if !bulk::is_worth_it(records) {
            return Ok(());
        }
        // What was read so far holds locks, which would be in the way of what copies.
        if let Hand::Statements(transaction, _) = &mut self.hand {
            transaction.renew(BEGIN).await?;
        }
        if let Some(bulk) = Bulk::begin(&self.pool).await? {
            // What was begun before did nothing yet, and nobody else gets as far as a checkpoint.
            self.hand = Hand::Bulk(Box::new(bulk));
            self.is_alone = true;
        } else if let Some((source, alone)) = self.turn.take() {
            self.take_turn(&source, alone).await?;
        }
        Ok(())
    }

    async fn take_turn(
        &mut self,
        source: &SourceDescription,
        alone: bool,
    ) -> Result<(), StorageError> {
        self.turn = Some((source.clone(), alone));
        let step = "waiting for another transfer from this source";
        let turn = if alone { TAKE_TURN_ALONE } else { TAKE_TURN };
        let statement = Statement::writing(step, turn)
            .text(&source.kind)
            .text(&source.name)
            .text(&source.location);
        self.rows(&statement).await?;
        Ok(())
    }

    async fn open_run(&mut self, run: &TransferRun) -> Result<(), StorageError> {
        if let Some(mut bulk) = self.take_bulk() {
            let is_new = bulk.open_run(run).await?;
            self.hand = Hand::Bulk(bulk);
            let id = run.id.to_string();
            return is_new
                .then_some(())
                .ok_or(StorageError::Conflict { what: "run", id });
        }
        let id = run.id.to_string();
        let run = TransferRunRow::from(run.clone());
        let statement = Statement::writing("opening a run", OPEN_RUN)
            .id(run.id.0)
            .text(&run.source_kind)
            .text(&run.source_name)
            .text(&run.source_location)
            .at(run.started_at.0)
            .bind::<Nullable<Instant>, Option<InstantValue>>(run.finished_at)
            .text(&run.status)
            .json(&run.report.0);
        if self.rows(&statement).await?.is_empty() {
            return Err(StorageError::Conflict { what: "run", id });
        }
        Ok(())
    }

    async fn insert_sealed(
        &mut self,
        run: RunId,
        mut records: Vec<Sealed>,
    ) -> Result<Vec<InsertOutcome>, StorageError> {
        let Some(kind) = records.first().map(|first| first.record().kind()) else {
            return Ok(Vec::new());
        };
        if records.iter().any(|sealed| sealed.record().kind() != kind) {
            return Err(mixed());
        }
        let mut outcomes = Vec::new();
        if let Some(mut bulk) = self.take_bulk() {
            outcomes = bulk.insert(run, &records).await?;
            self.hand = Hand::Bulk(bulk);
        }
        let others = records.split_off(outcomes.len());
        if !others.is_empty() {
            outcomes.extend(self.insert_by_statements(run, kind, &others).await?);
        }
        Ok(outcomes)
    }

    async fn fetch(&mut self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>, StorageError> {
        let Some(kind) = keys.first().map(|key| key.kind) else {
            return Ok(Vec::new());
        };
        if keys.iter().any(|key| key.kind != kind) {
            return Err(mixed());
        }
        let standing = self.standing(kind, keys).await?;
        Ok(keys.iter().map(|key| standing.get(key).cloned()).collect())
    }

    async fn read_back(
        &mut self,
        run: RunId,
        kind: RecordKind,
        after: Option<&RecordKey>,
        limit: u32,
    ) -> Result<Vec<(LedgerEntry, Option<Record>)>, StorageError> {
        let limit = self.page_size.limit(kind, limit);
        let mut entries = self.ledger(run, kind, after, limit).await?;
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<RecordKey> = entries.iter().map(|entry| entry.key.clone()).collect();
        let statement = if self.is_alone {
            // Nobody else's are among them, so they come in one go instead of key by key: the run that
            // copied is the only one that brought any.
            page(kind, None, after, limit)
        } else {
            by_keys(kind, &keys)
        };
        let Hand::Statements(transaction, _) = &mut self.hand else {
            return Err(gone());
        };
        let (rows, is_cut) = self.page_size.rows(transaction, &statement).await?;
        let standing = records(kind, statement.step(), &rows)?;
        if is_cut && let Some(last) = standing.last().map(Record::key) {
            // Of what follows it is not known whether it stands.
            let known = entries.partition_point(|entry| entry.key <= last);
            entries.truncate(known);
        }
        let mut standing = by_key(standing);
        let with_record = |entry: LedgerEntry| {
            let record = standing.remove(&entry.key);
            (entry, record)
        };
        Ok(entries.into_iter().map(with_record).collect())
    }

    async fn built_upon(&mut self, run: RunId, limit: u32) -> Result<Vec<RecordKey>, StorageError> {
        let lock = Statement::writing("keeping others from writing", rollback::lock());
        self.run_whole(&lock).await?;
        let step = "looking for what was built upon a run";
        let statement = Statement::reading(step, rollback::built_upon())
            .id(run.0)
            .number(limit.into());
        let rows = self.rows(&statement).await?;
        read::<(Text, Text, Id), (String, String, IdValue)>(statement.step(), &rows)?
            .into_iter()
            .map(|(table, tenant, id)| {
                let kind = table.parse()?;
                Ok(RecordKey {
                    kind,
                    tenant_id: TenantId::new(tenant)?,
                    id: (kind != RecordKind::Tenant).then_some(id.0),
                })
            })
            .collect()
    }

    async fn delete_run(&mut self, run: RunId) -> Result<u64, StorageError> {
        let mut gone = 0;
        let id = run.to_string();
        self.taking_back(&id).await?;
        // What is referred to last: so each record of the ledger goes by its own statement, and is
        // counted.
        for kind in RecordKind::ALL.into_iter().rev() {
            let sql = rollback::delete(kind);
            let statement = Statement::writing("deleting a run's records", sql).id(run.0);
            let rows = self.rows(&statement).await?;
            let counts = read::<(BigInt,), (i64,)>(statement.step(), &rows)?;
            gone += counts
                .into_iter()
                .map(|(count,)| count.unsigned_abs())
                .sum::<u64>();
        }
        self.taking_back("").await?;
        Ok(gone)
    }

    async fn close_run(
        &mut self,
        run: RunId,
        status: RunStatus,
        at: Timestamp,
        report: JsonObject,
    ) -> Result<(), StorageError> {
        let statement = Statement::writing("closing a run", CLOSE_RUN)
            .text(status.as_str())
            .at(at)
            .json(&report)
            .id(run.0);
        if !self.run_whole(&statement).await?.is_empty() {
            return Ok(());
        }
        let (what, id) = ("run", run.to_string());
        match self.run(run).await? {
            Some(_) => Err(StorageError::Conflict { what, id }),
            None => Err(StorageError::NotFound { what, id }),
        }
    }

    async fn run(&mut self, run: RunId) -> Result<Option<TransferRun>, StorageError> {
        let statement = Statement::reading("looking a run up", RUN).id(run.0);
        let rows = self.rows(&statement).await?;
        read::<Runs, TransferRunRow>(statement.step(), &rows)?
            .into_iter()
            .next()
            .map(TransferRun::try_from)
            .transpose()
    }

    async fn unfinished(&mut self) -> Result<Vec<TransferRun>, StorageError> {
        let statement = Statement::reading("looking for unfinished runs", UNFINISHED);
        let rows = self.rows(&statement).await?;
        read::<Runs, TransferRunRow>(statement.step(), &rows)?
            .into_iter()
            .map(TransferRun::try_from)
            .collect()
    }

    async fn checkpoint(
        &mut self,
        run: RunId,
        from: &JsonObject,
        to: &JsonObject,
    ) -> Result<(), StorageError> {
        let statement = Statement::writing("entering a checkpoint", CHECKPOINT)
            .json(to)
            .id(run.0)
            .json(from);
        if self.run_whole(&statement).await?.is_empty() {
            let id = run.to_string();
            return Err(StorageError::Conflict { what: "run", id });
        }
        match &mut self.hand {
            Hand::Statements(transaction, _) => transaction.renew(BEGIN).await,
            Hand::Bulk(_) | Hand::Gone => Err(gone()),
        }
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StorageError> {
        self.make_whole().await?;
        match self.hand {
            Hand::Statements(transaction, _) => transaction.commit().await,
            Hand::Bulk(_) | Hand::Gone => Err(gone()),
        }
    }
}

/// Those of the keys, all of one kind, that stand, in their order.
fn by_keys(kind: RecordKind, keys: &[RecordKey]) -> Statement<'_> {
    let tenants = keys.iter().map(|key| key.tenant_id.as_str()).collect();
    let statement = select_by_key(kind).array::<Text, _>(tenants);
    match kind {
        RecordKind::Tenant => statement,
        _ => statement.array::<Id, _>(keys.iter().map(|key| IdValue(id(key))).collect()),
    }
}

fn by_key(records: Vec<Record>) -> HashMap<RecordKey, Record> {
    records
        .into_iter()
        .map(|record| (record.key(), record))
        .collect()
}

/// What is stored in place of an id for a tenant, which has none beside its name.
fn id(key: &RecordKey) -> Uuid {
    key.id.unwrap_or(Uuid::nil())
}

fn against(record: &Record, standing: &Record) -> InsertOutcome {
    if record == standing {
        return InsertOutcome::AlreadyThere;
    }
    InsertOutcome::Conflict {
        standing: standing.key(),
        reason: "same id, other content".to_owned(),
    }
}

fn mixed() -> StorageError {
    StorageError::Unsupported {
        what: "records of several kinds in one call".to_owned(),
    }
}

fn gone() -> StorageError {
    let reason = "a call failed or was dropped before it ended".to_owned();
    StorageError::WorkAborted { reason }
}
