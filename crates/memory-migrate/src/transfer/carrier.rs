use std::collections::{HashMap, HashSet};
use std::time::Duration;

use memory_domain::{Digest, Record, RecordKey, RecordKind, TenantId};
use memory_storage::{
    Conversion, RawRow, RawValue, RecordWriter, RowContext, RuleUse, Sealed, SourceRow,
};

use super::accounts::Accounts;
use super::course::Course;
use super::messages::Counts;
use super::tally::Tally;
use crate::progress::Meter;
use crate::quarantine::{Entry, EntryClass, Quarantine};
use crate::report::Findings;
use crate::{MigrateError, OnConflict, TransferOptions};

/// A batch is written when it holds this many bytes, though it has room for more rows: so a batch of
/// long texts needs no more memory than one of short ones.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Takes rows from the source, writes them in batches of one kind, and gives each its class.
pub(crate) struct Carrier<'a> {
    pub(super) writer: Box<dyn RecordWriter>,
    pub(super) accounts: Accounts,
    pub(super) quarantine: Quarantine,
    pub(super) conflicts: Findings,
    pub(super) quarantined: Findings,
    pub(super) tally: Tally,
    pub(super) options: &'a TransferOptions,
    /// The last records beyond rows that were seen to; only to ask less often, so it may forget.
    pub(super) seen_beyond: HashSet<RecordKey>,
    /// Tenants that came with rows which were not written.
    tenants_kept: HashMap<TenantId, Record>,
    /// How far a resumable run is.
    pub(super) course: Option<&'a mut Course>,
    /// The message counts of sessions that the run inserted; only to ask less often.
    pub(super) counts: Counts,
    meter: Meter<'a>,
    pending: Vec<Pending>,
    pending_bytes: usize,
}

/// What is left when every row is written.
pub(crate) struct Carried {
    pub(crate) writer: Box<dyn RecordWriter>,
    pub(crate) accounts: Accounts,
    pub(crate) quarantine: Quarantine,
    pub(crate) conflicts: Findings,
    pub(crate) quarantined: Findings,
    pub(crate) tally: Tally,
    pub(crate) carrying: Duration,
    /// Rows that came now.
    pub(crate) rows: u64,
}

/// A converted row that waits to be written.
pub(crate) struct Pending {
    pub(crate) table: usize,
    pub(crate) key: String,
    pub(crate) sealed: Sealed,
    pub(crate) rules: Vec<RuleUse>,
    pub(crate) beyond: Vec<Record>,
    pub(crate) raw: RawRow,
    pub(crate) context: RowContext,
    bytes: usize,
}

impl Pending {
    pub(crate) fn new(
        table: usize,
        key: String,
        record: Record,
        rules: Vec<RuleUse>,
        raw: RawRow,
    ) -> Pending {
        let canonical = record.canonical();
        let bytes = canonical.len() + raw.iter().map(raw_bytes).sum::<usize>();
        Pending {
            table,
            key,
            sealed: Sealed::new(record, &canonical),
            rules,
            beyond: Vec::new(),
            raw,
            context: Vec::new(),
            bytes,
        }
    }

    pub(super) fn record(&self) -> &Record {
        self.sealed.record()
    }
}

fn raw_bytes(value: &RawValue) -> usize {
    match value {
        RawValue::Null | RawValue::Integer(_) | RawValue::Real(_) => 0,
        RawValue::Text(bytes) | RawValue::Blob(bytes) => bytes.len(),
    }
}

impl<'a> Carrier<'a> {
    pub(crate) fn new(
        writer: Box<dyn RecordWriter>,
        accounts: Accounts,
        quarantine: Quarantine,
        meter: Meter<'a>,
        options: &'a TransferOptions,
        course: Option<&'a mut Course>,
    ) -> Carrier<'a> {
        Carrier {
            writer,
            accounts,
            quarantine,
            conflicts: Findings::default(),
            quarantined: Findings::default(),
            tally: Tally::default(),
            options,
            seen_beyond: HashSet::new(),
            tenants_kept: HashMap::new(),
            course,
            counts: Counts::new(),
            meter,
            pending: Vec::new(),
            pending_bytes: 0,
        }
    }

    /// Takes the next rows of the source, in its order.
    pub(crate) async fn take(&mut self, rows: Vec<SourceRow>) -> Result<(), MigrateError> {
        for row in rows {
            let table = row.table;
            if let Some(course) = self.course.as_deref_mut()
                && course.pass(&row)?
            {
                self.keep_tenants(&row);
                self.meter.pass(table, 1);
                continue;
            }
            self.take_row(row).await?;
            let size = self.options.batch_size;
            if self
                .course
                .as_deref()
                .is_some_and(|course| course.is_due(size))
            {
                self.checkpoint().await?;
            }
        }
        Ok(())
    }

    /// Writes what still waits.
    pub(crate) async fn finish(mut self) -> Result<Carried, MigrateError> {
        if let Some(course) = self.course.as_deref() {
            course.check_end()?;
        }
        self.checkpoint().await?;
        Ok(Carried {
            carrying: self.meter.elapsed(),
            rows: self.meter.done_now(),
            writer: self.writer,
            accounts: self.accounts,
            quarantine: self.quarantine,
            conflicts: self.conflicts,
            quarantined: self.quarantined,
            tally: self.tally,
        })
    }

    async fn take_row(&mut self, row: SourceRow) -> Result<(), MigrateError> {
        self.accounts.table(row.table)?;
        if !self.is_selected(&row) {
            self.keep_tenants(&row);
            self.accounts
                .count(row.table, |classes| &mut classes.not_selected);
            self.meter.add(row.table, 1);
            return Ok(());
        }
        match row.conversion {
            Conversion::Record {
                record,
                rules,
                beyond,
            } => {
                let mut pending = Pending::new(row.table, row.key, *record, rules, row.raw);
                pending.beyond = beyond;
                pending.context = row.context;
                if let Some(tenant) = self.tenants_kept.remove(pending.record().tenant_id()) {
                    pending.beyond.insert(0, tenant);
                }
                self.push(pending).await
            }
            Conversion::Merged { into: _, rule } => {
                self.merged(row.table, &row.key, &rule);
                self.meter.add(row.table, 1);
                Ok(())
            }
            Conversion::Quarantined { reason } => {
                self.meter.add(row.table, 1);
                self.accounts
                    .count(row.table, |classes| &mut classes.quarantined);
                let table = self.accounts.table(row.table)?;
                self.quarantined.add(&table.name, &row.key, &reason, None);
                self.quarantine.add(&Entry {
                    class: EntryClass::Quarantined,
                    table,
                    key: &row.key,
                    reason: &reason,
                    standing: None,
                    raw: &row.raw,
                    context: &row.context,
                    record: None,
                })
            }
        }
    }

    /// Keeps the tenants that came with a row which is not written: the next row of theirs needs them.
    fn keep_tenants(&mut self, row: &SourceRow) {
        if let Conversion::Record { beyond, .. } = &row.conversion {
            for record in beyond {
                let tenant = record.tenant_id();
                if record.kind() == RecordKind::Tenant && !self.tenants_kept.contains_key(tenant) {
                    self.tenants_kept.insert(tenant.clone(), record.clone());
                }
            }
        }
    }

    /// Whether a row is of a table and a tenant that are to be carried. A row that became no record
    /// has no tenant, and is not lost sight of.
    fn is_selected(&self, row: &SourceRow) -> bool {
        let tenant: Option<&TenantId> = match &row.conversion {
            Conversion::Record { record, .. } => Some(record.tenant_id()),
            Conversion::Merged { into, .. } => Some(&into.tenant_id),
            Conversion::Quarantined { .. } => None,
        };
        let of_tenant = match (&self.options.tenant, tenant) {
            (Some(wanted), Some(tenant)) => wanted == tenant,
            _ => true,
        };
        of_tenant && self.accounts.is_selected(row.table)
    }

    async fn push(&mut self, row: Pending) -> Result<(), MigrateError> {
        let kind = row.record().kind();
        let other_kind = |waiting: &Pending| waiting.record().kind() != kind;
        if self.pending.first().is_some_and(other_kind) {
            self.flush().await?;
        }
        self.pending_bytes += row.bytes;
        self.pending.push(row);
        let full = self.pending.len() >= self.options.batch_size as usize;
        if full || self.pending_bytes >= BATCH_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    pub(super) async fn flush(&mut self) -> Result<(), MigrateError> {
        let rows = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        let mut done: Vec<(usize, u64)> = Vec::new();
        for row in &rows {
            match done.last_mut() {
                Some((table, rows)) if *table == row.table => *rows += 1,
                _ => done.push((row.table, 1)),
            }
        }
        self.write(rows).await?;
        for (table, rows) in done {
            self.meter.add(table, rows);
        }
        Ok(())
    }

    /// Counts a row that was inserted.
    pub(super) fn inserted(&mut self, row: &Pending) {
        self.tally.add(row.record().kind(), row.sealed.digest());
        self.remember_count(row);
        if row.rules.is_empty() {
            self.accounts
                .count(row.table, |classes| &mut classes.carried);
        } else {
            self.accounts
                .count(row.table, |classes| &mut classes.changed);
        }
        for rule in &row.rules {
            self.accounts.count_rule(row.table, &row.key, rule);
        }
    }

    /// Counts a record that was inserted beyond a row.
    pub(super) fn inserted_beyond(&mut self, table: usize, kind: RecordKind, digest: Digest) {
        self.tally.add(kind, digest);
        self.accounts.count_beyond(table, kind);
    }

    /// Counts a row that became part of another record.
    pub(super) fn merged(&mut self, table: usize, key: &str, rule: &RuleUse) {
        self.accounts.count(table, |classes| &mut classes.merged);
        self.accounts.count_rule(table, key, rule);
    }

    /// Counts a row that stands already.
    pub(super) fn already_there(&mut self, row: &Pending) {
        self.accounts
            .count(row.table, |classes| &mut classes.already_there);
    }

    /// Counts a row in whose place something else stands, and writes it to the quarantine unless
    /// what stands is accepted.
    pub(super) fn conflict(
        &mut self,
        row: &Pending,
        standing: &RecordKey,
        reason: &str,
    ) -> Result<(), MigrateError> {
        self.accounts
            .count(row.table, |classes| &mut classes.conflict);
        let table = self.accounts.table(row.table)?;
        let shown = Some(standing.to_string());
        self.conflicts.add(&table.name, &row.key, reason, shown);
        match self.options.on_conflict {
            OnConflict::Keep => Ok(()),
            OnConflict::Quarantine => self.quarantine.add(&Entry {
                class: EntryClass::Conflict,
                table,
                key: &row.key,
                reason,
                standing: Some(standing),
                raw: &row.raw,
                context: &row.context,
                record: Some(row.record()),
            }),
        }
    }

    /// Counts a row that was converted but cannot be carried, and writes it to the quarantine.
    pub(super) fn put_aside(&mut self, row: &Pending, reason: &str) -> Result<(), MigrateError> {
        self.accounts
            .count(row.table, |classes| &mut classes.quarantined);
        let table = self.accounts.table(row.table)?;
        self.quarantined.add(&table.name, &row.key, reason, None);
        self.quarantine.add(&Entry {
            class: EntryClass::Quarantined,
            table,
            key: &row.key,
            reason,
            standing: None,
            raw: &row.raw,
            context: &row.context,
            record: Some(row.record()),
        })
    }
}
