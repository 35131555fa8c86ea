use memory_domain::{InvalidInput, Record, RecordKind, Tenant};
use memory_storage::{InsertOutcome, RuleUse, Sealed, StorageError};

use super::carrier::{Carrier, Pending};
use super::waves;
use crate::MigrateError;

/// How many keys of records beyond rows are remembered, so that memory stays bounded however many
/// tenants there are.
const SEEN_BEYOND: usize = 10_000;

/// The rule by which a tenant that stands keeps its times.
const TENANT_TIMES_KEPT: &str = "standing-tenant-keeps-its-times";

impl Carrier<'_> {
    /// Writes rows of one kind, after what they need beyond themselves, and gives each its class.
    pub(super) async fn write(&mut self, mut rows: Vec<Pending>) -> Result<(), MigrateError> {
        if rows.is_empty() {
            return Ok(());
        }
        // Sessions before their messages are held against them, and messages beyond rows only for
        // those that may be inserted.
        let is_message = |record: &Record| record.kind() == RecordKind::Message;
        self.write_beyond(&mut rows, |record| !is_message(record))
            .await?;
        let mut rows = self.hold_numbering(rows).await?;
        self.write_beyond(&mut rows, is_message).await?;
        for wave in waves::split(rows) {
            self.insert(wave).await?;
        }
        Ok(())
    }

    /// Inserts what is due of what rows need beyond themselves, where it is missing. What stands with other content
    /// is what the rows will refer to.
    async fn write_beyond(
        &mut self,
        rows: &mut [Pending],
        is_due: impl Fn(&Record) -> bool,
    ) -> Result<(), MigrateError> {
        let mut missing: Vec<(usize, Record)> = Vec::new();
        for row in rows {
            for record in row.beyond.extract_if(.., |record| is_due(record)) {
                if self.seen_beyond.len() >= SEEN_BEYOND {
                    self.seen_beyond.clear();
                }
                if self.seen_beyond.insert(record.key()) {
                    missing.push((row.table, record));
                }
            }
        }
        for kind in RecordKind::ALL {
            let (tables, records): (Vec<usize>, Vec<Sealed>) = missing
                .iter()
                .filter(|(_, record)| record.kind() == kind)
                .map(|(table, record)| (*table, Sealed::from(record.clone())))
                .unzip();
            if records.is_empty() {
                continue;
            }
            let digests: Vec<_> = records.iter().map(Sealed::digest).collect();
            let outcomes = match self.insert_records(records).await? {
                Ok(outcomes) => outcomes,
                // Made by the source itself, so no row can be blamed.
                Err(refused) => {
                    return Err(MigrateError::Contract {
                        party: "the source",
                        problem: format!("what it made beyond the rows is refused: {refused}"),
                    });
                }
            };
            for ((table, digest), outcome) in tables.into_iter().zip(digests).zip(outcomes) {
                if outcome == InsertOutcome::Inserted {
                    self.inserted_beyond(table, kind, digest);
                }
            }
        }
        Ok(())
    }

    async fn insert(&mut self, rows: Vec<Pending>) -> Result<(), MigrateError> {
        if rows.is_empty() {
            return Ok(());
        }
        let records = rows.iter().map(|row| row.sealed.clone()).collect();
        match self.insert_records(records).await? {
            Ok(outcomes) => {
                for (row, outcome) in rows.iter().zip(outcomes) {
                    self.class(row, outcome).await?;
                }
                Ok(())
            }
            // One of them breaks a rule of the domain: find it, and carry the others.
            Err(_) => self.insert_one_by_one(rows).await,
        }
    }

    async fn insert_one_by_one(&mut self, rows: Vec<Pending>) -> Result<(), MigrateError> {
        for row in rows {
            match self.insert_records(vec![row.sealed.clone()]).await? {
                Ok(outcomes) => {
                    for outcome in outcomes {
                        self.class(&row, outcome).await?;
                    }
                }
                Err(refused) => {
                    let reason = refused.to_string();
                    self.put_aside(&row, &reason)?;
                }
            }
        }
        Ok(())
    }

    /// Hands records of one kind to the store. What the domain refuses is the inner error: the store
    /// did nothing, and the transaction goes on.
    async fn insert_records(
        &mut self,
        records: Vec<Sealed>,
    ) -> Result<Result<Vec<InsertOutcome>, InvalidInput>, MigrateError> {
        let count = records.len();
        match self.writer.insert_sealed(self.options.run, records).await {
            Ok(outcomes) if outcomes.len() == count => Ok(Ok(outcomes)),
            Ok(outcomes) => Err(MigrateError::Contract {
                party: "the target",
                problem: format!(
                    "it told what became of {} records instead of {count}",
                    outcomes.len()
                ),
            }),
            Err(StorageError::Invalid(refused)) => Ok(Err(refused)),
            Err(source) => Err(MigrateError::Store {
                step: "inserting rows into the target",
                source,
            }),
        }
    }

    async fn class(&mut self, row: &Pending, outcome: InsertOutcome) -> Result<(), MigrateError> {
        match outcome {
            InsertOutcome::Inserted => {
                self.inserted(row);
                Ok(())
            }
            InsertOutcome::AlreadyThere => {
                self.already_there(row);
                Ok(())
            }
            // Not the row stands in another form, but what it belongs to keeps it out: to accept
            // what stands would lose it.
            InsertOutcome::Conflict { standing, reason }
                if standing.kind != row.record().kind() =>
            {
                let reason = format!("{standing}: {reason}");
                self.put_aside(row, &reason)
            }
            InsertOutcome::Conflict { standing, reason } => {
                if self.tenant_stands(row).await? {
                    return Ok(());
                }
                self.conflict(row, &standing, &reason)
            }
            InsertOutcome::MissingReference { reference } => {
                let reason = format!("it refers to {reference}, which is not in the target");
                self.put_aside(row, &reason)
            }
        }
    }

    /// Counts a tenant as merged that stands with the same metadata and other times.
    ///
    /// A tenant's times tell when it wrote to that store, so they differ as soon as either goes on:
    /// two stores of one tenant could not be joined, nor a transfer be done again, without a
    /// conflict that means nothing.
    async fn tenant_stands(&mut self, row: &Pending) -> Result<bool, MigrateError> {
        let Record::Tenant(tenant) = row.record() else {
            return Ok(false);
        };
        let found = self
            .writer
            .fetch(&[row.record().key()])
            .await
            .map_err(MigrateError::store("reading a tenant in the target"))?;
        match found.into_iter().flatten().next() {
            Some(Record::Tenant(standing)) if standing.metadata == tenant.metadata => {
                let times =
                    |tenant: &Tenant| format!("{} to {}", tenant.created_at, tenant.last_active_at);
                let rule = RuleUse {
                    rule: TENANT_TIMES_KEPT,
                    column: "created_at, last_active_at".to_owned(),
                    from: times(tenant),
                    to: times(&standing),
                };
                self.merged(row.table, &row.key, &rule);
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
