use memory_domain::{Record, TenantId};

use crate::catalog::Catalog;
use crate::flux_rag::FluxRag;
use crate::inverse::SourceValue;
use crate::jarvis::Jarvis;
use crate::reading::{Reading, Sink, Stop};
use crate::{LegacyKind, SourceTimezone};

/// What a reader of one system's files must say and do. A further system is a further file with
/// an implementation of it, and a word in [`LegacyKind`].
pub(crate) trait Format: Sync {
    /// The tables that have a place here; what is referred to first.
    fn tables(&self) -> &'static [MappedTable];

    /// The zone in which the system is documented to write times that name none, if it is.
    fn documented_zone(&self) -> Option<SourceTimezone>;

    /// Reads every row of the mapped tables into `sink`, each exactly once.
    fn read(&self, reading: &Reading<'_>, sink: &mut Sink) -> Result<(), Stop>;

    /// The source values that a record stands for, by column of the table that it came from.
    fn inverse<'r>(
        &self,
        record: &'r Record,
        unnamed: &TenantId,
    ) -> Vec<(&'static str, SourceValue<'r>)>;
}

/// A table that has a place here.
pub(crate) struct MappedTable {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [MappedColumn],
}

/// A column that has a place here.
pub(crate) struct MappedColumn {
    pub(crate) name: &'static str,
    /// Where its values go.
    pub(crate) target: &'static str,
    /// Whether a file without it is not one of this system.
    pub(crate) required: bool,
}

impl MappedColumn {
    pub(crate) const fn required(name: &'static str, target: &'static str) -> MappedColumn {
        MappedColumn {
            name,
            target,
            required: true,
        }
    }

    pub(crate) const fn optional(name: &'static str, target: &'static str) -> MappedColumn {
        MappedColumn {
            name,
            target,
            required: false,
        }
    }
}

impl MappedTable {
    /// Where the values of a column go.
    pub(crate) fn target(&self, column: &str) -> Option<String> {
        self.columns
            .iter()
            .find(|mapped| mapped.name.eq_ignore_ascii_case(column))
            .map(|mapped| mapped.target.to_owned())
    }
}

impl LegacyKind {
    /// Its reader.
    pub(crate) fn format(self) -> &'static dyn Format {
        match self {
            LegacyKind::FluxRag => &FluxRag,
            LegacyKind::Jarvis => &Jarvis,
        }
    }

    /// The tables and columns that a file of this system has and this one lacks.
    pub(crate) fn missing(self, catalog: &Catalog) -> Vec<String> {
        let mut missing = Vec::new();
        for mapped in self.format().tables() {
            let Some(table) = catalog.table(mapped.name).filter(|table| !table.is_virtual) else {
                missing.push(format!("the table {}", mapped.name));
                continue;
            };
            let columns = mapped.columns.iter().filter(|column| column.required);
            for column in columns.filter(|column| !table.has(column.name)) {
                missing.push(format!("the column {}.{}", mapped.name, column.name));
            }
        }
        missing
    }
}
