use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits::TENANT_ID_BYTES;
use crate::text::bounded;
use crate::{ContextType, InvalidInput, JsonObject, RecordKind, Timestamp};

/// Whose memory it is. Nothing of one tenant is ever seen or changed through another's id.
///
/// 1 to 255 bytes, no control characters. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(Arc<str>);

impl TenantId {
    /// Accepts a tenant's name.
    ///
    /// # Errors
    /// The name must have 1 to 255 bytes and no control characters.
    pub fn new(name: impl AsRef<str>) -> Result<TenantId, InvalidInput> {
        let name = name.as_ref();
        bounded("tenant", name, 1, TENANT_ID_BYTES)?;
        if name.chars().any(char::is_control) {
            return Err(InvalidInput::new(
                "tenant",
                name,
                "remove the control characters",
            ));
        }
        Ok(TenantId(name.into()))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TenantId {
    type Err = InvalidInput;

    fn from_str(name: &str) -> Result<TenantId, InvalidInput> {
        TenantId::new(name)
    }
}

impl TryFrom<String> for TenantId {
    type Error = InvalidInput;

    fn try_from(name: String) -> Result<TenantId, InvalidInput> {
        TenantId::new(name)
    }
}

impl From<TenantId> for String {
    fn from(tenant: TenantId) -> String {
        tenant.0.as_ref().to_owned()
    }
}

/// A tenant that has written something, or was created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tenant {
    /// The tenant's name.
    pub id: TenantId,
    /// When it came into being: with its first write.
    pub created_at: Timestamp,
    /// When it last wrote, to the minute.
    pub last_active_at: Timestamp,
    /// What the application keeps about it.
    pub metadata: JsonObject,
}

impl Tenant {
    /// Where a listing goes on after this tenant.
    pub fn cursor(&self) -> TenantCursor {
        TenantCursor {
            last_active_at: self.last_active_at,
            id: self.id.clone(),
        }
    }
}

/// A place in the listing of tenants: last active first, then by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantCursor {
    /// The last tenant's time.
    pub last_active_at: Timestamp,
    /// The last tenant's id.
    pub id: TenantId,
}

/// How much a tenant has stored, counted when asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantStats {
    /// Nodes of the graph.
    pub nodes: u64,
    /// Nodes that have an entity key.
    pub entities: u64,
    /// Relationships between them.
    pub relationships: u64,
    /// Conversations.
    pub sessions: u64,
    /// Messages in all conversations.
    pub messages: u64,
    /// Nodes by context type; types without nodes are absent.
    pub context_types: BTreeMap<ContextType, u64>,
    /// When the oldest node was created.
    pub earliest_node_at: Option<Timestamp>,
    /// When the newest node was created.
    pub latest_node_at: Option<Timestamp>,
}

/// What the operator sees of a tenant beside the others, counted when asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TenantUsage {
    /// The tenant.
    pub tenant: Tenant,
    /// Nodes of the graph.
    pub nodes: u64,
    /// Nodes that have an entity key, each of which stands for an entity of its own.
    pub entities: u64,
    /// Nodes that were written or accessed since the moment that was asked about.
    pub active_nodes: u64,
    /// Conversations that went on since then.
    pub active_sessions: u64,
}

/// The receipt of an erasure: what went, and that nothing of the tenant is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantErasure {
    /// Who was erased.
    pub tenant_id: TenantId,
    /// Records that went, by kind; kinds of which there were none are absent.
    pub records: BTreeMap<RecordKind, u64>,
    /// Entries of transfers' ledgers that went. A transfer of which some went can still be rolled
    /// back: it has fewer records to take.
    pub ledger_entries: u64,
}

#[cfg(test)]
mod tests {
    use super::TenantId;

    #[test]
    fn a_tenant_id_has_1_to_255_bytes_and_no_control_characters() {
        assert!(TenantId::new("").is_err());
        assert!(TenantId::new("x".repeat(255)).is_ok());
        assert!(TenantId::new("x".repeat(256)).is_err());
        assert!(TenantId::new("a\nb").is_err());
        assert!(TenantId::new("김 家").is_ok());
        assert!(serde_json::from_str::<TenantId>(r#""""#).is_err());
    }
}
