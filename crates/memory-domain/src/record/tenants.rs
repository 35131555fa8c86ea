use uuid::Uuid;

use super::{Entity, Kind, RecordKey, RecordKind};
use crate::canonical::ObjectEncoder;
use crate::{Tenant, TenantId};

impl Kind for Tenant {
    const NOUN: &'static str = "tenant";
    const REFERENCES: &'static [(&'static str, RecordKind)] = &[];
}

impl Entity for Tenant {
    fn tenant_id(&self) -> &TenantId {
        &self.id
    }

    fn id(&self) -> Option<Uuid> {
        None
    }

    fn references(&self) -> Vec<RecordKey> {
        Vec::new()
    }

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        out.plain("created_at", self.created_at);
        out.text("id", self.id.as_str());
        out.plain("last_active_at", self.last_active_at);
        out.json("metadata", &self.metadata);
    }
}
