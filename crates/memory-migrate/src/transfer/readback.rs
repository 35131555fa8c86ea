use memory_domain::{DigestChain, Record, RecordKey, RecordKind};
use memory_storage::{LedgerEntry, RecordWriter, RunId, StorageError};
use tokio::task::{JoinHandle, spawn_blocking};

use super::tally::{Sum, Tally};
use crate::progress::Meter;
use crate::report::{TenantDigest, Verification};
use crate::text::SHOWN_FINDINGS;
use crate::{MigrateError, Mismatch, OnProgress, Phase};

/// How many tables of tenants the report lists with their digests.
const LISTED_DIGESTS: usize = 1_000;

/// Reads back everything that a run inserted, and compares it with the digests of its source.
///
/// The ledger is held to be exactly what was handed over (`tally`), so that a record which the store
/// forgot together with its ledger entry is found too.
///
/// # Errors
/// `Verification` names what differs.
pub(super) async fn read_back(
    writer: &mut dyn RecordWriter,
    run: RunId,
    page: u32,
    tally: &Tally,
    progress: OnProgress<'_>,
) -> Result<Verification, MigrateError> {
    let totals = RecordKind::ALL.map(|kind| (kind.table().to_owned(), tally.of(kind).count));
    let mut reader = ReadBack {
        meter: Meter::begin(Phase::Verifying, totals.to_vec(), progress),
        verification: Verification {
            records: 0,
            digests: Vec::new(),
            not_listed: 0,
        },
        differences: 0,
        findings: Vec::new(),
    };
    for (table, kind) in RecordKind::ALL.into_iter().enumerate() {
        reader
            .read_kind(writer, run, page, table, kind, tally.of(kind))
            .await?;
    }
    if reader.differences > 0 {
        return Err(MigrateError::Verification {
            total: reader.differences,
            findings: reader.findings,
        });
    }
    Ok(reader.verification)
}

struct ReadBack<'a> {
    meter: Meter<'a>,
    verification: Verification,
    differences: u64,
    findings: Vec<Mismatch>,
}

impl ReadBack<'_> {
    async fn read_kind(
        &mut self,
        writer: &mut dyn RecordWriter,
        run: RunId,
        page: u32,
        table: usize,
        kind: RecordKind,
        handed_over: Sum,
    ) -> Result<(), MigrateError> {
        let step = "reading back what was inserted";
        let mut in_ledger = Sum::default();
        let mut tenant: Option<TenantChain> = None;
        let mut after: Option<RecordKey> = None;
        let mut comparing: Option<JoinHandle<Vec<Compared>>> = None;
        loop {
            let entries = writer
                .read_back(run, kind, after.as_ref(), page)
                .await
                .map_err(MigrateError::store(step))?;
            if let Some(before) = comparing.take() {
                let compared = before.await.map_err(|error| MigrateError::Store {
                    step,
                    source: StorageError::Backend {
                        step,
                        source: error.into(),
                    },
                })?;
                let rows = compared.len() as u64;
                for (entry, problem) in compared {
                    in_ledger.add(entry.digest);
                    match problem {
                        Some(problem) => self.differs(entry.key.to_string(), problem.to_owned()),
                        None => self.verification.records += 1,
                    }
                    self.chain(&mut tenant, kind, &entry);
                }
                self.meter.add(table, rows);
            }
            let Some((last, _)) = entries.last() else {
                break;
            };
            after = Some(last.key.clone());
            // While the next are being read.
            comparing = Some(spawn_blocking(move || compare(entries)));
        }
        self.list(tenant, kind);
        if in_ledger != handed_over {
            let problem = format!(
                "the ledger holds {} records that do not add up to the {} that were inserted",
                in_ledger.count, handed_over.count
            );
            self.differs(kind.table().to_owned(), problem);
        }
        Ok(())
    }

    /// Adds an entry to its tenant's digest; a new tenant ends the one before.
    fn chain(&mut self, current: &mut Option<TenantChain>, kind: RecordKind, entry: &LedgerEntry) {
        let name = entry.key.tenant_id.as_str();
        if current.as_ref().is_some_and(|chain| chain.tenant != name) {
            self.list(current.take(), kind);
        }
        let chain = current.get_or_insert_with(|| TenantChain {
            tenant: name.to_owned(),
            records: 0,
            chain: DigestChain::default(),
        });
        chain.records += 1;
        chain.chain.add(entry.digest);
    }

    fn list(&mut self, chain: Option<TenantChain>, table: RecordKind) {
        let Some(chain) = chain else {
            return;
        };
        if self.verification.digests.len() < LISTED_DIGESTS {
            self.verification.digests.push(TenantDigest {
                table,
                tenant: chain.tenant,
                records: chain.records,
                digest: chain.chain.finish().to_string(),
            });
        } else {
            self.verification.not_listed += 1;
        }
    }

    fn differs(&mut self, key: String, problem: String) {
        self.differences += 1;
        if self.findings.len() < SHOWN_FINDINGS {
            self.findings.push(Mismatch { key, problem });
        }
    }
}

/// An entry, with what is wrong about the record that came back.
type Compared = (LedgerEntry, Option<&'static str>);

fn compare(entries: Vec<(LedgerEntry, Option<Record>)>) -> Vec<Compared> {
    let compare = |(entry, record): (LedgerEntry, Option<Record>)| {
        let problem = match record {
            None => Some("it was inserted, but is not there"),
            Some(record) if record.key() != entry.key => Some("another record came back"),
            Some(record) if record.digest() != entry.digest => {
                Some("what came back is not what the source held")
            }
            Some(_) => None,
        };
        (entry, problem)
    };
    entries.into_iter().map(compare).collect()
}

struct TenantChain {
    tenant: String,
    records: u64,
    chain: DigestChain,
}
