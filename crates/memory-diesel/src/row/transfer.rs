use diesel::prelude::*;
use memory_domain::{RecordKey, RecordKind};
use memory_storage::{LedgerEntry, RunId, RunStatus, StorageError, TransferRun};
use uuid::Uuid;

use super::Place;
use crate::schema::{transfer_ledger, transfer_runs};
use crate::sql_types::{IdValue, InstantValue, JsonValue};

/// A row of `transfer_runs`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = transfer_runs)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct TransferRunRow {
    pub id: IdValue,
    pub source_kind: String,
    pub source_name: String,
    pub source_location: String,
    pub started_at: InstantValue,
    pub finished_at: Option<InstantValue>,
    pub status: String,
    pub report: JsonValue,
}

impl From<TransferRun> for TransferRunRow {
    fn from(run: TransferRun) -> TransferRunRow {
        TransferRunRow {
            id: IdValue(run.id.0),
            source_kind: run.source_kind,
            source_name: run.source_name,
            source_location: run.source_location,
            started_at: InstantValue(run.started_at),
            finished_at: run.finished_at.map(InstantValue),
            status: run.status.as_str().to_owned(),
            report: JsonValue(run.report),
        }
    }
}

impl TryFrom<TransferRunRow> for TransferRun {
    type Error = StorageError;

    fn try_from(row: TransferRunRow) -> Result<TransferRun, StorageError> {
        let place = Place {
            table: "transfer_runs",
            id: &row.id.0,
        };
        let status = RunStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == row.status)
            .ok_or_else(|| format!("unknown status {:?}", row.status));
        Ok(TransferRun {
            id: RunId(row.id.0),
            source_kind: row.source_kind,
            source_name: row.source_name,
            source_location: row.source_location,
            started_at: row.started_at.0,
            finished_at: row.finished_at.map(|value| value.0),
            status: place.check("status", status)?,
            report: row.report.0,
        })
    }
}

/// A row of `transfer_ledger`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = transfer_ledger)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct LedgerRow {
    pub run_id: IdValue,
    pub table_name: String,
    pub tenant_id: String,
    pub record_id: IdValue,
    pub digest: Vec<u8>,
}

impl LedgerRow {
    /// The row that enters a record in a run's ledger.
    pub fn new(run: RunId, entry: LedgerEntry) -> LedgerRow {
        LedgerRow {
            run_id: IdValue(run.0),
            table_name: entry.key.kind.table().to_owned(),
            tenant_id: entry.key.tenant_id.into(),
            record_id: IdValue(entry.key.id.unwrap_or(Uuid::nil())),
            digest: entry.digest.as_bytes().to_vec(),
        }
    }
}

impl TryFrom<LedgerRow> for LedgerEntry {
    type Error = StorageError;

    fn try_from(row: LedgerRow) -> Result<LedgerEntry, StorageError> {
        let place = Place {
            table: "transfer_ledger",
            id: &row.record_id.0,
        };
        let kind: RecordKind = place.check("table_name", row.table_name.parse())?;
        Ok(LedgerEntry {
            key: RecordKey {
                kind,
                tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
                id: (kind != RecordKind::Tenant).then_some(row.record_id.0),
            },
            digest: place.digest("digest", &row.digest)?,
        })
    }
}
