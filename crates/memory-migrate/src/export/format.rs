//! The lines of the file that are no records.

use std::collections::BTreeMap;

use memory_domain::{RecordKind, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

/// What the first line calls the format, and the last one ends.
pub(super) const FORMAT: &str = "memory-export";

/// The version that is written; the only one that is read.
pub(super) const VERSION: u32 = 1;

/// The longest line that is read. The longest record has two free texts of 64 MiB, and JSON may
/// spell a byte with six.
pub(super) const LINE_BYTES: u64 = 1024 * 1024 * 1024;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) format: String,
    pub(super) version: u32,
    pub(super) exported_at: Timestamp,
    /// Whose records the file holds; everybody's if `None`.
    pub(super) tenant: Option<TenantId>,
    /// How many records of each table follow, in this order.
    pub(super) records: BTreeMap<String, u64>,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trailer {
    pub(super) end: String,
    /// What came before, by table.
    pub(super) records: BTreeMap<String, Sum>,
}

/// The lines of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// How many there are.
    pub count: u64,
    /// The BLAKE3 digest of their bytes, line feeds included.
    pub digest: String,
}

/// Adds the lines of each table up.
#[derive(Debug, Default)]
pub(super) struct Sums(BTreeMap<RecordKind, (u64, blake3::Hasher)>);

impl Sums {
    /// Adds a line, without its line feed.
    pub(super) fn add(&mut self, kind: RecordKind, line: &[u8]) {
        let (count, hasher) = self.0.entry(kind).or_default();
        *count += 1;
        hasher.update(line);
        hasher.update(b"\n");
    }

    /// What was added, of every kind.
    pub(super) fn finish(&self) -> BTreeMap<String, Sum> {
        let sum = |kind: RecordKind| {
            let (count, hasher) = self.0.get(&kind).cloned().unwrap_or_default();
            let digest = hasher.finalize().to_hex().to_string();
            (kind.table().to_owned(), Sum { count, digest })
        };
        RecordKind::ALL.into_iter().map(sum).collect()
    }
}
