use memory_domain::{InvalidInput, Record, Tenant, TenantId};
use memory_storage::RawRow;
use serde_json::Value;

use crate::catalog::{Place, Table};
use crate::cells::Cells;
use crate::converting::{Converted, Converting};
use crate::inverse::SourceValue;

/// Makes tenants of rows.
pub(crate) struct Threads<'a> {
    converting: &'a Converting<'a>,
    pub(crate) id: Place,
    created_at: Place,
    last_activity: Place,
    /// The columns that go into the metadata.
    in_metadata: Vec<Place>,
    metadata: Place,
}

impl<'a> Threads<'a> {
    pub(crate) fn new(
        converting: &'a Converting<'a>,
        table: &Table,
        tenant: &'static str,
        in_metadata: &[&'static str],
    ) -> Self {
        let place = |name| table.place(name);
        Threads {
            converting,
            id: place(tenant),
            created_at: place("created_at"),
            last_activity: place("last_activity"),
            in_metadata: in_metadata.iter().map(|name| table.place(name)).collect(),
            metadata: place("metadata"),
        }
    }

    pub(crate) fn convert(&self, raw: &RawRow) -> Result<Converted, InvalidInput> {
        let mut cells = self.converting.cells(raw);
        let id = tenant(&cells, self.id)?;
        let mut metadata = cells.metadata_or_empty(self.metadata)?;
        for place in self.in_metadata.iter().copied() {
            if metadata.contains_key(place.name) {
                let problem = format!(
                    "it has a key {} of its own, where the column of that name goes; rename it",
                    place.name
                );
                return Err(InvalidInput::new(self.metadata.name, place.name, problem));
            }
            if let Some(text) = cells.optional_text(place)? {
                metadata.insert(place.name.to_owned(), text.into());
            }
        }
        memory_domain::normalise_json(self.metadata.name, &mut metadata)?;
        let tenant = Tenant {
            id,
            created_at: cells.time(self.created_at)?,
            last_active_at: cells.time(self.last_activity)?,
            metadata,
        };
        Ok(Converted {
            record: Record::Tenant(tenant),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }
}

/// A thread's or user's name as a tenant; an empty one names nobody.
pub(crate) fn tenant(cells: &Cells<'_>, place: Place) -> Result<TenantId, InvalidInput> {
    let name = cells.text(place)?;
    TenantId::new(name).map_err(|error| InvalidInput::new(place.name, name, error.problem))
}

pub(crate) fn inverse<'r>(
    tenant: &'r Tenant,
    in_metadata: &'static [&'static str],
) -> Vec<(&'static str, SourceValue<'r>)> {
    let text = |key: &&'static str| match tenant.metadata.get(*key) {
        Some(Value::String(text)) => (*key, SourceValue::Text(text)),
        _ => (*key, SourceValue::Null),
    };
    let mut values = vec![
        ("thread_id", SourceValue::Text(tenant.id.as_str())),
        ("user_id", SourceValue::Text(tenant.id.as_str())),
        ("created_at", SourceValue::Time(tenant.created_at)),
        ("last_activity", SourceValue::Time(tenant.last_active_at)),
        (
            "metadata",
            SourceValue::JsonWithout(&tenant.metadata, in_metadata),
        ),
    ];
    values.extend(in_metadata.iter().map(text));
    values
}
