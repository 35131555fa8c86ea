use memory_domain::{InvalidInput, Record, Tenant, TenantId};
use memory_storage::{Conversion, RawRow};

use super::aside::Aside;
use crate::cells::{refuse, value};
use crate::converting::Converted;
use crate::inverse::SourceValue;
use crate::reading::{Mapped, Reading, Sink, Stop};
use crate::rules;

/// Hands out the tenants that have a row of their own.
pub(super) fn read(
    reading: &Reading<'_>,
    mapped: Mapped<'_>,
    aside: &Aside<'_>,
    sink: &mut Sink,
) -> Result<(), Stop> {
    let id = mapped.table.place("tenant_id");
    reading.each_row(&mapped, "", "", |_, rowid, raw| {
        let converted = convert(reading, mapped, &raw);
        let mut conversion = reading.conclude(&mapped, &raw, converted);
        if let Ok(name) = reading.cells(&raw).text(id) {
            let is_carried = matches!(conversion, Conversion::Record { .. });
            if !aside.add_tenant(name, is_carried)? && is_carried {
                let problem = "a row before it has the same id; keep one";
                let reason = refuse(id, value(&raw, id), problem).to_string();
                conversion = Conversion::Quarantined { reason };
            }
        }
        sink.push(mapped.source_row(rowid, raw, conversion))
    })
}

fn convert(
    reading: &Reading<'_>,
    mapped: Mapped<'_>,
    raw: &RawRow,
) -> Result<Converted, InvalidInput> {
    let place = |name| mapped.table.place(name);
    let mut cells = reading.cells(raw);
    let name = cells.text(place("tenant_id"))?;
    let created_at = cells.time(place("created_at"))?;
    let last_active = place("last_active");
    let last = cells.optional_time(last_active)?;
    if last.is_none() && last_active.at.is_some() {
        cells.rule(
            rules::NULL_TIME,
            last_active,
            "NULL",
            created_at.to_string(),
        );
    }
    let tenant = Tenant {
        id: TenantId::new(name)
            .map_err(|error| InvalidInput::new("tenant_id", name, error.problem))?,
        created_at,
        last_active_at: last.unwrap_or(created_at),
        metadata: cells.metadata_or_empty(place("metadata"))?,
    };
    Ok(Converted {
        record: Record::Tenant(tenant),
        rules: cells.rules,
        beyond: Vec::new(),
    })
}

pub(super) fn inverse(tenant: &Tenant) -> Vec<(&'static str, SourceValue<'_>)> {
    vec![
        ("tenant_id", SourceValue::Text(tenant.id.as_str())),
        ("created_at", SourceValue::Time(tenant.created_at)),
        ("last_active", SourceValue::Time(tenant.last_active_at)),
        ("metadata", SourceValue::Json(&tenant.metadata)),
    ]
}
