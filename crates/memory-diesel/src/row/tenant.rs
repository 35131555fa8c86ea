use diesel::prelude::*;
use memory_domain::Tenant;
use memory_storage::StorageError;

use super::Place;
use crate::schema::tenants;
use crate::sql_types::{InstantValue, JsonValue};

/// A row of `tenants`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = tenants)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct TenantRow {
    pub id: String,
    pub created_at: InstantValue,
    pub last_active_at: InstantValue,
    pub metadata: JsonValue,
}

impl From<Tenant> for TenantRow {
    fn from(tenant: Tenant) -> TenantRow {
        TenantRow {
            id: tenant.id.into(),
            created_at: InstantValue(tenant.created_at),
            last_active_at: InstantValue(tenant.last_active_at),
            metadata: JsonValue(tenant.metadata),
        }
    }
}

impl TryFrom<TenantRow> for Tenant {
    type Error = StorageError;

    fn try_from(row: TenantRow) -> Result<Tenant, StorageError> {
        let place = Place {
            table: "tenants",
            id: &row.id,
        };
        Ok(Tenant {
            id: place.tenant("id", &row.id)?,
            created_at: row.created_at.0,
            last_active_at: row.last_active_at.0,
            metadata: row.metadata.0,
        })
    }
}
