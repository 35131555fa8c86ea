use diesel::dsl::{Desc, Eq, Filter, Limit as LimitDsl, Order, Select, exists};
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_diesel::NodeRow;
use memory_diesel::schema::nodes;
use memory_diesel::sql_types::{IdValue, Tags, TagsValue};
use memory_domain::{
    AgeFrom, EntityKey, EntityType, Limit, Node, NodeFilter, NodeId, NodePatch, Retention,
    TenantId, Timestamp,
};
use memory_storage::StorageError;

use crate::error::Failure;
use crate::index::{index_node, reindex_node};
use crate::statement::Statement;
use crate::tenants::{entities, found, touch};

pub(crate) fn one(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: NodeId,
) -> Result<Option<Node>, Failure> {
    let row: Option<NodeRow> = nodes::table
        .find((tenant.as_str(), IdValue(id.uuid())))
        .select(NodeRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(Node::try_from).transpose()?)
}

pub(super) fn by_key(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    key: &EntityKey,
) -> Result<Option<Node>, Failure> {
    let row: Option<NodeRow> = nodes::table
        .filter(nodes::tenant_id.eq(tenant.as_str()))
        .filter(nodes::key_system.eq(key.system()))
        .filter(nodes::key_id.eq(key.id()))
        .select(NodeRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(Node::try_from).transpose()?)
}

/// Whether a listing may have to look at every node of the tenant: no index knows what a content
/// has in it, nor a combination of conditions.
pub(super) fn scans(filter: &NodeFilter) -> bool {
    let by_index = [
        filter.context_type.is_some(),
        filter.entity_type.is_some(),
        filter.tag.is_some(),
    ];
    filter.metadata_contains.is_some()
        || filter.content_contains.is_some()
        || by_index.into_iter().filter(|&set| set).count() > 1
}

/// Only the conditions that are set are in the text. The index is named, because without
/// statistics SQLite takes the narrowest one that fits, whatever it has to read past.
pub(super) fn list(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    filter: &NodeFilter,
    limit: Limit,
) -> Result<Vec<Node>, Failure> {
    let (mut statement, order) = match &filter.tag {
        None => {
            let index = match (filter.context_type, &filter.entity_type) {
                (_, Some(_)) => "nodes_by_entity_type",
                (Some(_), None) => "nodes_by_context_type",
                (None, None) => "nodes_by_creation",
            };
            let sql =
                format!("select n.* from nodes as n indexed by {index} where n.tenant_id = ?");
            let statement = Statement::new(sql).text(tenant.as_str());
            (statement, ("n.created_at", "n.id"))
        }
        // The tags have the order of the listing, so they come first, which `cross join` holds.
        Some(tag) => (
            Statement::new(
                "select n.* from node_tags as t
                 cross join nodes as n on n.tenant_id = t.tenant_id and n.id = t.node_id
                 where t.tenant_id = ? and t.tag = ?",
            )
            .text(tenant.as_str())
            .text(tag),
            ("t.created_at", "t.node_id"),
        ),
    };
    if let Some(context_type) = filter.context_type {
        statement = statement.then(" and n.context_type = ?");
        statement = statement.text(context_type.as_str());
    }
    if let Some(entity_type) = &filter.entity_type {
        statement = statement.then(" and n.entity_type = ?");
        statement = statement.text(entity_type.as_str());
    }
    if let Some(part) = &filter.metadata_contains {
        statement = statement.then(" and json_contains(n.metadata, ?)");
        statement = statement.json(part.clone());
    }
    if let Some(part) = &filter.content_contains {
        statement = statement.then(" and json_contains(n.content, ?)");
        statement = statement.json(part.clone());
    }
    let (at, id) = order;
    if let Some(from) = filter.created_from {
        statement = statement.then(&format!(" and {at} >= ?")).at(from);
    }
    // One upper bound only, so that the index begins at the right one.
    let after = filter
        .after
        .filter(|place| filter.created_to.is_none_or(|to| place.created_at <= to));
    if let Some(place) = after {
        statement = statement.then(&format!(" and ({at}, {id}) < (?, ?)"));
        statement = statement.at(place.created_at).id(place.id.uuid());
    } else if let Some(to) = filter.created_to {
        statement = statement.then(&format!(" and {at} <= ?")).at(to);
    }
    let rows: Vec<NodeRow> = statement
        .then(&format!(" order by {at} desc, {id} desc limit ?"))
        .number(limit.rows().into())
        .load(connection)?;
    entities(rows)
}

/// `MissingReference`, if the node is not there.
pub(crate) fn require(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: NodeId,
) -> Result<(), Failure> {
    let node = nodes::table.find((tenant.as_str(), IdValue(id.uuid())));
    if diesel::select(exists(node)).get_result(connection)? {
        return Ok(());
    }
    Err(Failure::Refused(StorageError::MissingReference {
        what: "node",
        id: id.to_string(),
    }))
}

type OfTenant<'a> = Filter<nodes::table, Eq<nodes::tenant_id, &'a str>>;
type Newest<'a> =
    LimitDsl<Order<Select<OfTenant<'a>, nodes::id>, (Desc<nodes::created_at>, Desc<nodes::id>)>>;

/// The ids of the newest nodes.
pub(super) fn newest(tenant: &TenantId, limit: Limit) -> Newest<'_> {
    nodes::table
        .filter(nodes::tenant_id.eq(tenant.as_str()))
        .select(nodes::id)
        .order((nodes::created_at.desc(), nodes::id.desc()))
        .limit(limit.rows().into())
}

pub(super) fn update(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: NodeId,
    patch: NodePatch,
    at: Timestamp,
) -> Result<Node, Failure> {
    let mut node = one(connection, tenant, id)?.ok_or_else(|| StorageError::NotFound {
        what: "node",
        id: id.to_string(),
    })?;
    node.apply(patch, at);
    store(connection, &node)?;
    touch(connection, tenant, at)?;
    Ok(node)
}

pub(super) fn insert(connection: &mut SqliteConnection, node: &Node) -> Result<(), Failure> {
    diesel::insert_into(nodes::table)
        .values(NodeRow::from(node.clone()))
        .execute(connection)?;
    Ok(index_node(connection, node)?)
}

/// Writes what an update or a merge may have changed.
pub(super) fn store(connection: &mut SqliteConnection, node: &Node) -> Result<(), Failure> {
    Statement::new(
        "update nodes set context_type = ?, entity_type = ?, name = ?, content = ?, summary = ?,
             tags = ?, metadata = ?, base_relevance = ?, updated_at = ?, update_count = ?
         where tenant_id = ? and id = ?",
    )
    .text(node.context_type.as_str())
    .optional_text(node.entity_type.as_ref().map(EntityType::as_str))
    .optional_text(node.name.as_deref())
    .json(node.content.clone())
    .text(&node.summary)
    .bind::<Tags, _>(TagsValue(node.tags.clone()))
    .json(node.metadata.clone())
    .double(node.base_relevance)
    .at(node.updated_at)
    .number(node.update_count)
    .text(node.tenant_id.as_str())
    .id(node.id.uuid())
    .run(connection)?;
    Ok(reindex_node(connection, node)?)
}

pub(super) fn forget(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: NodeId,
    at: Timestamp,
) -> Result<(), Failure> {
    let changed = diesel::delete(nodes::table.find((tenant.as_str(), IdValue(id.uuid()))))
        .execute(connection)?;
    found("node", &id, changed)?;
    touch(connection, tenant, at)
}

/// The index is named, because without statistics SQLite takes the narrowest one that fits.
pub(super) fn forget_older_than(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    retention: &Retention,
    at: Timestamp,
) -> Result<u64, Failure> {
    let sql = match retention.age_from {
        AgeFrom::LastAccess => {
            "delete from nodes indexed by nodes_by_access
             where tenant_id = ? and last_accessed_at < ?"
        }
        AgeFrom::Creation => {
            "delete from nodes indexed by nodes_by_creation
             where tenant_id = ? and created_at < ?"
        }
    };
    let mut statement = Statement::new(sql)
        .text(tenant.as_str())
        .at(retention.before);
    let mut types = retention.context_types.iter();
    if let Some(first) = types.next() {
        statement = statement.then(" and context_type in (?");
        statement = statement.text(first.as_str());
        for next in types {
            statement = statement.then(", ?").text(next.as_str());
        }
        statement = statement.then(")");
    }
    let gone = statement.run(connection)?;
    if gone > 0 {
        touch(connection, tenant, at)?;
    }
    Ok(gone as u64)
}

pub(super) fn record_access(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: NodeId,
    at: Timestamp,
) -> Result<(), Failure> {
    let changed = Statement::new(
        "update nodes set access_count = access_count + 1,
             last_accessed_at = max(last_accessed_at, ?)
         where tenant_id = ? and id = ?",
    )
    .at(at)
    .text(tenant.as_str())
    .id(id.uuid())
    .run(connection)?;
    found("node", &id, changed)?;
    touch(connection, tenant, at)
}
