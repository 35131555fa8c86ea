use memory_domain::{Record, TenantId};

use crate::ai_pal::{AiPal, audit};
use crate::catalog::Catalog;
use crate::consultant;
use crate::continuum;
use crate::flux_rag::{FluxRag, feedback};
use crate::inverse::SourceValue;
use crate::jarvis::Jarvis;
use crate::lines::Lines;
use crate::reading::{Reading, Sink, Stop};
use crate::{LegacyKind, SourceTimezone};

/// What a reader of one system's files must say and do. A further system is a further file with
/// an implementation of it, and a word in [`LegacyKind`].
pub(crate) trait Format: Sync {
    /// The tables that have a place here; what is referred to first.
    fn tables(&self) -> &'static [MappedTable];

    /// Whether a file with any one of its tables is of this system; else it needs all that have a
    /// required column.
    fn one_table_is_enough(&self) -> bool {
        false
    }

    /// Which of several shapes of the system's tables it reads, if there are several.
    fn shape(&self) -> Option<&'static str> {
        None
    }

    /// The zone in which the system is documented to write times that name none, if it is.
    fn documented_zone(&self) -> Option<SourceTimezone> {
        None
    }

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
    /// The column that a person knows a row by, which is the first.
    pub(crate) fn key(&self) -> &'static str {
        self.columns.first().map_or("id", |column| column.name)
    }

    /// Whether a file without it is not one of the system: one with a required column.
    pub(crate) fn is_required(&self) -> bool {
        self.columns.iter().any(|column| column.required)
    }

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
            LegacyKind::Continuum => &continuum::LATER,
            LegacyKind::FluxRag => &FluxRag,
            LegacyKind::FluxRagFeedback => feedback::LINES.format,
            LegacyKind::AiPal => &AiPal,
            LegacyKind::AiPalAudit => audit::LINES.format,
            LegacyKind::Jarvis => &Jarvis,
            LegacyKind::Consultant => &consultant::FILE,
        }
    }

    /// Its reader for the shape of a file's tables.
    pub(crate) fn format_for(self, catalog: &Catalog) -> &'static dyn Format {
        match self {
            LegacyKind::Continuum => continuum::shape_of(catalog),
            _ => self.format(),
        }
    }

    /// What its lines are, if its files are JSON Lines.
    pub(crate) fn lines(self) -> Option<&'static Lines> {
        match self {
            LegacyKind::FluxRagFeedback => Some(&feedback::LINES),
            LegacyKind::AiPalAudit => Some(&audit::LINES),
            _ => None,
        }
    }

    /// Its reader for a shape that a run's settings name.
    pub(crate) fn format_of(self, shape: Option<&str>) -> Option<&'static dyn Format> {
        match (self, shape) {
            (_, None) => Some(self.format()),
            (LegacyKind::Continuum, Some(shape)) => {
                let found = continuum::SHAPES
                    .iter()
                    .find(|one| one.shape() == Some(shape))?;
                Some(*found)
            }
            (LegacyKind::Consultant, Some(consultant::SERVER_SHAPE)) => Some(&consultant::SERVER),
            _ => None,
        }
    }
}

impl dyn Format {
    /// The tables and columns that a source of this system has and this one lacks.
    pub(crate) fn missing(&self, catalog: &Catalog) -> Vec<String> {
        let mut missing = Vec::new();
        let is_there = |mapped: &MappedTable| catalog.table(mapped.name).is_some();
        if self.one_table_is_enough() && !self.tables().iter().any(is_there) {
            let names: Vec<&str> = self.tables().iter().map(|mapped| mapped.name).collect();
            missing.push(format!("one of the tables {}", names.join(", ")));
        }
        for mapped in self.tables() {
            let found = catalog.table(mapped.name);
            let Some(table) = found.filter(|table| !table.is_virtual || !mapped.is_required())
            else {
                if mapped.is_required() && !self.one_table_is_enough() {
                    missing.push(format!("the table {}", mapped.name));
                }
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
