use memory_domain::{InvalidInput, Record, TenantId};
use memory_storage::{Conversion, RawRow, RuleUse};

use crate::catalog::Table;
use crate::cells::{Cells, NaiveTimes, show, value};
use crate::format::Format;
use crate::ids::SourceIds;
use crate::{LegacyKind, SourceValue};

/// What a row is converted with, wherever it was read from.
pub(crate) struct Converting<'a> {
    pub(crate) kind: LegacyKind,
    pub(crate) format: &'static dyn Format,
    pub(crate) ids: SourceIds,
    pub(crate) naive: NaiveTimes,
    /// The tenant of rows that name none.
    pub(crate) unnamed: &'a TenantId,
}

/// A record made of a row.
pub(crate) struct Converted {
    pub(crate) record: Record,
    pub(crate) rules: Vec<RuleUse>,
    pub(crate) beyond: Vec<Record>,
}

impl Converting<'_> {
    pub(crate) fn cells<'r>(&self, row: &'r RawRow) -> Cells<'r> {
        Cells::new(row, self.naive)
    }

    /// What a row became, held against the source: a record that no rule touched must give back
    /// the very values of the row.
    pub(crate) fn conclude(
        &self,
        table: &Table,
        raw: &RawRow,
        converted: Result<Converted, InvalidInput>,
    ) -> Conversion {
        let quarantined = |error: InvalidInput| Conversion::Quarantined {
            reason: error.to_string(),
        };
        let converted = match converted {
            Ok(converted) => converted,
            Err(error) => return quarantined(error),
        };
        if let Some(column) = self.changed_column(table, raw, &converted) {
            let problem = "the value cannot be had back from the record made of it; this is a \
                defect of the reader, please report it";
            let shown = show(value(raw, table.place(column)));
            return quarantined(InvalidInput::new(column, shown, problem));
        }
        Conversion::Record {
            record: Box::new(converted.record),
            rules: converted.rules,
            beyond: converted.beyond,
        }
    }

    /// The first column that differs although no rule was named for it.
    fn changed_column(
        &self,
        table: &Table,
        raw: &RawRow,
        converted: &Converted,
    ) -> Option<&'static str> {
        let inverse = self.format.inverse(&converted.record, self.unnamed);
        let differs = |(column, own): &(&'static str, SourceValue<'_>)| {
            let place = table.place(column);
            place.at.is_some()
                && !converted.rules.iter().any(|rule| rule.column == *column)
                && !own.is(value(raw, place), self.naive.zone, &self.ids)
        };
        inverse.into_iter().find(differs).map(|(column, _)| column)
    }
}
