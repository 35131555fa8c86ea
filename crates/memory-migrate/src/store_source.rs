use std::collections::BTreeMap;

use async_trait::async_trait;
use memory_domain::{RecordKey, RecordKind, TenantId};
use memory_storage::{
    Conversion, RecordReader, RecordSource, SourceDescription, SourceError, SourceRow, SourceTable,
    Storage,
};

use crate::MigrateError;

/// What [`SourceDescription::kind`] says of a store of ours.
pub const STORE_KIND: &str = "memory";

/// A store of ours as the source of a transfer: all its records, or those of one tenant, from one
/// frozen state. Ids are kept, and no value is changed.
pub struct StoreSource {
    reader: Box<dyn RecordReader>,
    description: SourceDescription,
    tenant: Option<TenantId>,
    page: u32,
    /// The kind at hand, by its place in [`RecordKind::ALL`].
    table: usize,
    after: Option<RecordKey>,
}

impl StoreSource {
    /// Freezes the state of a store, to be read in pages of `page` records.
    ///
    /// # Errors
    /// `Store` if the store cannot be read.
    pub async fn open(
        storage: &dyn Storage,
        tenant: Option<TenantId>,
        page: u32,
    ) -> Result<StoreSource, MigrateError> {
        let step = "opening the source store for reading";
        let info = storage.info().await.map_err(MigrateError::store(step))?;
        let reader = storage.reader().await.map_err(MigrateError::store(step))?;
        Ok(StoreSource {
            reader,
            description: SourceDescription {
                kind: STORE_KIND.to_owned(),
                name: STORE_KIND.to_owned(),
                location: info.location,
                settings: BTreeMap::new(),
            },
            tenant,
            page: page.max(1),
            table: 0,
            after: None,
        })
    }
}

#[async_trait]
impl RecordSource for StoreSource {
    fn description(&self) -> &SourceDescription {
        &self.description
    }

    /// The tables in the order of [`RecordKind::ALL`]. They name no columns: a record is carried
    /// whole, so there is none that could be forgotten.
    async fn tables(&mut self) -> Result<Vec<SourceTable>, SourceError> {
        let mut tables = Vec::with_capacity(RecordKind::ALL.len());
        for kind in RecordKind::ALL {
            tables.push(SourceTable {
                name: kind.table().to_owned(),
                rows: self.reader.count(kind, self.tenant.as_ref()).await?,
                mapped: true,
                columns: Vec::new(),
            });
        }
        Ok(tables)
    }

    async fn next(&mut self) -> Result<Option<Vec<SourceRow>>, SourceError> {
        while let Some(kind) = RecordKind::ALL.get(self.table).copied() {
            let tenant = self.tenant.as_ref();
            let after = self.after.as_ref();
            let records = self.reader.page(kind, tenant, after, self.page).await?;
            let table = self.table;
            let Some(last) = records.last() else {
                self.table += 1;
                self.after = None;
                continue;
            };
            self.after = Some(last.key());
            let rows = records.into_iter().map(|record| SourceRow {
                table,
                key: name(&record.key()),
                conversion: Conversion::Record {
                    record: Box::new(record),
                    rules: Vec::new(),
                    beyond: Vec::new(),
                },
                raw: Vec::new(),
                context: Vec::new(),
            });
            return Ok(Some(rows.collect()));
        }
        Ok(None)
    }
}

/// `ada/0198…`; the table is said beside it.
fn name(key: &RecordKey) -> String {
    match key.id {
        Some(id) => format!("{}/{id}", key.tenant_id),
        None => key.tenant_id.to_string(),
    }
}
