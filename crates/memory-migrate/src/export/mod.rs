//! A store, or one tenant of it, as a file of JSON Lines, and back.

mod format;
mod lines;
mod lost;
mod source;

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::io::Write;

use memory_domain::{RecordKey, RecordKind, TenantId, Timestamp};
use memory_storage::{RecordReader, Storage};
use serde::Serialize;

use self::format::{FORMAT, Header, Sums, Trailer, VERSION};
use crate::progress::Meter;
use crate::text::{Table, counted};
use crate::{MigrateError, OnProgress, Phase};

pub use format::Sum;
pub(crate) use lost::lost;
pub use source::{EXPORT_KIND, ExportSource};
pub(crate) use source::{LINE_COLUMN, place, table_of_lines};

/// The most records that are read at once.
const PAGE: u32 = 1_000;

/// What was written to a file.
#[derive(Debug, Clone, Serialize)]
pub struct ExportReport {
    /// The store, without a password.
    pub store: String,
    /// Whose records were written; everybody's if `None`.
    pub tenant: Option<TenantId>,
    /// When it was done.
    pub exported_at: Timestamp,
    /// How many lines were written of each table, with their digest.
    pub records: BTreeMap<String, Sum>,
    /// Bytes in all.
    pub bytes: u64,
}

/// Writes everything of a store, or of one tenant, as JSON Lines: a header, one line per record, a
/// trailer. It reads from one frozen state, in pages, so that memory is bounded whatever the size.
///
/// # Errors
/// `UnknownTenant` if the tenant is not there; `Store` if the store cannot be read; `Output` if the
/// lines cannot be written, and then what was written has no trailer.
pub async fn export(
    storage: &dyn Storage,
    tenant: Option<&TenantId>,
    at: Timestamp,
    out: &mut (dyn Write + Send),
    progress: OnProgress<'_>,
) -> Result<ExportReport, MigrateError> {
    let step = "opening the store for reading";
    let info = storage.info().await.map_err(MigrateError::store(step))?;
    let mut reader = storage.reader().await.map_err(MigrateError::store(step))?;
    let mut counts = BTreeMap::new();
    let mut totals = Vec::new();
    for kind in RecordKind::ALL {
        let count = reader.count(kind, tenant).await;
        let count = count.map_err(MigrateError::store("counting records"))?;
        counts.insert(kind.table().to_owned(), count);
        totals.push((kind.table().to_owned(), count));
    }
    if let Some(tenant) = tenant
        && counts.get(RecordKind::Tenant.table()) == Some(&0)
    {
        return Err(MigrateError::UnknownTenant {
            tenant: tenant.clone(),
            stores: info.location,
        });
    }
    let mut writer = Writer {
        out,
        sums: Sums::default(),
        bytes: 0,
    };
    writer.line(&Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        exported_at: at,
        tenant: tenant.cloned(),
        records: counts,
    })?;
    let mut meter = Meter::begin(Phase::Exporting, totals, progress);
    for (table, kind) in RecordKind::ALL.into_iter().enumerate() {
        writer
            .kind(reader.as_mut(), tenant, kind, table, &mut meter)
            .await?;
    }
    let records = writer.sums.finish();
    writer.line(&Trailer {
        end: FORMAT.to_owned(),
        records: records.clone(),
    })?;
    writer.out.flush().map_err(MigrateError::output)?;
    Ok(ExportReport {
        store: info.location,
        tenant: tenant.cloned(),
        exported_at: at,
        records,
        bytes: writer.bytes,
    })
}

struct Writer<'a> {
    out: &'a mut (dyn Write + Send),
    sums: Sums,
    bytes: u64,
}

impl Writer<'_> {
    /// Writes the records of one kind, in the order of their keys.
    async fn kind(
        &mut self,
        reader: &mut dyn RecordReader,
        tenant: Option<&TenantId>,
        kind: RecordKind,
        table: usize,
        meter: &mut Meter<'_>,
    ) -> Result<(), MigrateError> {
        let mut after: Option<RecordKey> = None;
        loop {
            let records = reader.page(kind, tenant, after.as_ref(), PAGE).await;
            let records = records.map_err(MigrateError::store("reading records"))?;
            let Some(last) = records.last() else {
                return Ok(());
            };
            after = Some(last.key());
            let count = records.len() as u64;
            for record in records {
                let line = encoded(&record)?;
                self.sums.add(kind, &line);
                self.write(&line)?;
            }
            meter.add(table, count);
        }
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), MigrateError> {
        let line = encoded(line)?;
        self.write(&line)
    }

    fn write(&mut self, line: &[u8]) -> Result<(), MigrateError> {
        self.out.write_all(line).map_err(MigrateError::output)?;
        self.out.write_all(b"\n").map_err(MigrateError::output)?;
        self.bytes += line.len() as u64 + 1;
        Ok(())
    }
}

fn encoded(line: &impl Serialize) -> Result<Vec<u8>, MigrateError> {
    serde_json::to_vec(line).map_err(|error| MigrateError::output(error.into()))
}

impl Display for ExportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "from {}", self.store)?;
        if let Some(tenant) = &self.tenant {
            writeln!(f, "of tenant {tenant}")?;
        }
        writeln!(f)?;
        let mut table = Table::new(["table", "records", "digest"]);
        for (name, sum) in &self.records {
            let digest = sum.digest.chars().take(12).collect();
            table.line(vec![name.clone(), sum.count.to_string(), digest]);
        }
        table.print(f, "")?;
        let total = self.records.values().map(|sum| sum.count).sum();
        writeln!(
            f,
            "\n{} in {}",
            counted(total, "record"),
            counted(self.bytes, "byte")
        )
    }
}
