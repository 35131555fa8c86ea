//! Comparing two stores, record by record.

mod difference;
mod pages;
mod text;

use std::cmp::Ordering;

use memory_domain::{DigestChain, Record, RecordKind, TenantId};
use memory_storage::Storage;
use serde::Serialize;

pub use difference::{Difference, FieldDifference};

use self::pages::Pages;
use crate::progress::Meter;
use crate::text::SHOWN_FINDINGS;
use crate::{MigrateError, OnProgress, Phase};

/// How many records are read at once from either store.
const PAGE: u32 = 1_000;

/// What came of comparing two stores.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyReport {
    /// The first store, without a password.
    pub a: String,
    /// The second store, without a password.
    pub b: String,
    /// Whose records were compared; everybody's if `None`.
    pub tenant: Option<TenantId>,
    /// The tables.
    pub tables: Vec<TableComparison>,
    /// The first differences, in the order of the tables and keys.
    pub differences: Vec<Difference>,
    /// How many there are.
    pub difference_count: u64,
}

/// What came of comparing one table.
#[derive(Debug, Clone, Serialize)]
pub struct TableComparison {
    /// The table.
    pub table: RecordKind,
    /// Records in both, with every field equal.
    pub equal: u64,
    /// Records only in the second store.
    pub missing_in_a: u64,
    /// Records only in the first store.
    pub missing_in_b: u64,
    /// Records in both that differ.
    pub different: u64,
    /// The digest of all records of the first store, in the order of their keys.
    pub digest_a: String,
    /// The digest of all records of the second store.
    pub digest_b: String,
}

impl VerifyReport {
    /// Whether both hold the same.
    pub fn is_equal(&self) -> bool {
        self.difference_count == 0
    }

    /// 0 if both hold the same, else 1.
    pub fn exit_status(&self) -> u8 {
        u8::from(!self.is_equal())
    }
}

/// Compares everything in two stores, or one tenant's part of it, each from a frozen state.
///
/// # Errors
/// `Store` if one of them cannot be read; `UnknownTenant` if neither has the tenant, because then
/// nothing would be compared.
pub async fn verify(
    a: &dyn Storage,
    b: &dyn Storage,
    tenant: Option<&TenantId>,
    progress: OnProgress<'_>,
) -> Result<VerifyReport, MigrateError> {
    let step = "asking a store what it is";
    let mut report = VerifyReport {
        a: a.info().await.map_err(MigrateError::store(step))?.location,
        b: b.info().await.map_err(MigrateError::store(step))?.location,
        tenant: tenant.cloned(),
        tables: Vec::new(),
        differences: Vec::new(),
        difference_count: 0,
    };
    let step = "opening a store for reading";
    let mut reader_a = a.reader().await.map_err(MigrateError::store(step))?;
    let mut reader_b = b.reader().await.map_err(MigrateError::store(step))?;

    if let Some(tenant) = tenant {
        let step = "looking for the tenant";
        let kind = RecordKind::Tenant;
        let in_a = reader_a.count(kind, Some(tenant)).await;
        let in_b = reader_b.count(kind, Some(tenant)).await;
        let in_a = in_a.map_err(MigrateError::store(step))?;
        if in_a + in_b.map_err(MigrateError::store(step))? == 0 {
            return Err(MigrateError::UnknownTenant {
                tenant: tenant.clone(),
                stores: format!("{} and not in {}", report.a, report.b),
            });
        }
    }
    let mut totals = Vec::new();
    for kind in RecordKind::ALL {
        let rows = reader_a.count(kind, tenant).await;
        let rows = rows.map_err(MigrateError::store("counting records"))?;
        totals.push((kind.table().to_owned(), rows));
    }
    let mut meter = Meter::begin(Phase::Verifying, totals, progress);
    for (table, kind) in RecordKind::ALL.into_iter().enumerate() {
        let mut comparison = Comparison::new(kind);
        let mut a = Pages::new(reader_a.as_mut(), kind, tenant, PAGE);
        let mut b = Pages::new(reader_b.as_mut(), kind, tenant, PAGE);
        let mut seen: u64 = 0;
        while comparison.step(&mut a, &mut b, &mut report).await? {
            seen += 1;
            if seen.is_multiple_of(u64::from(PAGE)) {
                meter.add(table, u64::from(PAGE));
            }
        }
        meter.add(table, seen % u64::from(PAGE));
        report.tables.push(comparison.finish());
    }
    Ok(report)
}

/// The comparison of one table under way: both stores give their records in the order of the keys,
/// so the lesser of two keys is missing on the other side.
struct Comparison {
    table: TableComparison,
    chain_a: DigestChain,
    chain_b: DigestChain,
}

impl Comparison {
    fn new(table: RecordKind) -> Comparison {
        Comparison {
            table: TableComparison {
                table,
                equal: 0,
                missing_in_a: 0,
                missing_in_b: 0,
                different: 0,
                digest_a: String::new(),
                digest_b: String::new(),
            },
            chain_a: DigestChain::default(),
            chain_b: DigestChain::default(),
        }
    }

    /// Compares the next record, or pair of records; `false` at the end.
    async fn step(
        &mut self,
        a: &mut Pages<'_>,
        b: &mut Pages<'_>,
        report: &mut VerifyReport,
    ) -> Result<bool, MigrateError> {
        let order = match (a.peek().await?, b.peek().await?) {
            (None, None) => return Ok(false),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.key().cmp(&b.key()),
        };
        let left = if order.is_le() { a.take() } else { None };
        let right = if order.is_ge() { b.take() } else { None };
        self.compare(left.as_ref(), right.as_ref(), report);
        Ok(true)
    }

    fn compare(&mut self, a: Option<&Record>, b: Option<&Record>, report: &mut VerifyReport) {
        let digest_a = a.map(Record::digest);
        let digest_b = b.map(Record::digest);
        if let Some(digest) = digest_a {
            self.chain_a.add(digest);
        }
        if let Some(digest) = digest_b {
            self.chain_b.add(digest);
        }
        let difference = match (a, b) {
            (Some(_), Some(_)) if digest_a == digest_b => {
                self.table.equal += 1;
                return;
            }
            (Some(a), Some(b)) => {
                self.table.different += 1;
                Difference::fields(a, b)
            }
            (Some(a), None) => {
                self.table.missing_in_b += 1;
                Difference::missing_in_b(a)
            }
            (None, Some(b)) => {
                self.table.missing_in_a += 1;
                Difference::missing_in_a(b)
            }
            (None, None) => return,
        };
        report.difference_count += 1;
        if report.differences.len() < SHOWN_FINDINGS {
            report.differences.push(difference);
        }
    }

    fn finish(mut self) -> TableComparison {
        self.table.digest_a = self.chain_a.finish().to_string();
        self.table.digest_b = self.chain_b.finish().to_string();
        self.table
    }
}
