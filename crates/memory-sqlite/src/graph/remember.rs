use diesel::sqlite::SqliteConnection;
use memory_domain::{NewNode, NodeId, TenantId, Timestamp};
use memory_storage::StorageError;

use super::nodes::{by_key, insert, one, store};
use crate::error::Failure;
use crate::tenants::touch;

/// One after the other, in the order given. The writer is alone, so what is read does not change
/// before it is written, and merging is the domain's own code.
pub(crate) fn remember(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    nodes: Vec<NewNode>,
    at: Timestamp,
) -> Result<Vec<NodeId>, Failure> {
    let mut changed = false;
    let mut ids = Vec::with_capacity(nodes.len());
    for new in nodes {
        let known = match &new.key {
            Some(key) => by_key(connection, tenant, key)?,
            None => None,
        };
        if let Some(mut node) = known {
            node.merge(new, at)?;
            store(connection, &node)?;
            ids.push(node.id);
            changed = true;
            continue;
        }
        ids.push(new.id);
        match one(connection, tenant, new.id)? {
            Some(stands) if new.is_same_write(&stands) => {}
            Some(stands) => {
                return Err(Failure::Refused(StorageError::Conflict {
                    what: "node",
                    id: stands.id.to_string(),
                }));
            }
            None => {
                if !changed {
                    // Before the first node, which refers to the tenant.
                    touch(connection, tenant, at)?;
                }
                insert(connection, &new.into_node(tenant.clone(), at))?;
                changed = true;
            }
        }
    }
    if changed {
        touch(connection, tenant, at)?;
    }
    Ok(ids)
}
