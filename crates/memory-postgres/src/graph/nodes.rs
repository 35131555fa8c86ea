use diesel::sql_types::{BigInt, Bool, Double, Nullable, SmallInt, Text};
use memory_diesel::NodeRow;
use memory_diesel::sql_types::{Json, JsonValue, Tags, TagsValue};
use memory_domain::{
    AgeFrom, ContextType, EntityKey, EntityType, IndexPlace, Indexed, Limit, Node, NodeFilter,
    NodeId, NodePatch, Retention, TenantId, Timestamp,
};
use memory_storage::StorageError;

use crate::columns::{Nodes, node_columns};
use crate::executor::{Executor, Postgres};
use crate::index::NodeChunks;
use crate::statement::Statement;

const ONE: &str = concat!(
    "select ",
    node_columns!("n"),
    " from nodes as n where n.tenant_id = $1 and n.id = $2"
);

const BY_KEY: &str = concat!(
    "select ",
    node_columns!("n"),
    " from nodes as n where n.tenant_id = $1 and n.key_system = $2 and n.key_id = $3"
);

const LIST: &str = concat!(
    "select ",
    node_columns!("n"),
    " from nodes as n where n.tenant_id = $1"
);

// What is null stays; entity type and name can also be taken away, so they have a flag each. What
// the index has in the places that are given goes, once the node's lock is had, and what is new
// comes. The answer asks for what is cleared, because nothing else would where nothing new comes.
const UPDATE: &str = concat!(
    "with written as (
        update nodes as n set
            context_type = coalesce($1, n.context_type),
            entity_type = case when $2 then $3 else n.entity_type end,
            name = case when $4 then $5 else n.name end,
            content = coalesce($6, n.content),
            summary = coalesce($7, n.summary),
            tags = coalesce($8, n.tags),
            metadata = coalesce($9, n.metadata),
            base_relevance = coalesce($10, n.base_relevance),
            updated_at = greatest(n.updated_at, $11),
            update_count = n.update_count + 1
        where n.tenant_id = $12 and n.id = $13
        returning ",
    node_columns!("n"),
    "), cleared as materialized (
        select id, created_at from written where clear_node_places($12, id, $14)
    ), indexed as (
        insert into node_chunks (
            tenant_id, node_id, field, part, place, created_at, text, words, grams
        )
        select $12, cleared.id, new.field, new.part, new.in_place, cleared.created_at, new.text,
            new.words, ($15::integer[])[new.gram_end - new.gram_count + 1 : new.gram_end]
        from cleared
        cross join unnest($16, $17, $18, $19, $20, $21, $22, $23) as new (
            number, in_place, field, part, text, words, gram_count, gram_end
        )
    )
    select ",
    node_columns!("w"),
    ", touch_tenant($12, $11) from written as w
    where (select count(*) from cleared) >= 0"
);

const FORGET: &str = "with gone as (
        delete from nodes where tenant_id = $1 and id = $2 returning id
    )
    select touch_tenant($1, $3) from gone";

macro_rules! forget_older_than {
    ($moment:literal) => {
        concat!(
            "with gone as (
                delete from nodes
                where tenant_id = $1 and ",
            $moment,
            " < $2 and context_type = any($3)
                returning id
            )
            select count(*), case when count(*) > 0 then touch_tenant($1, $4) end from gone"
        )
    };
}

const FORGET_BY_ACCESS: &str = forget_older_than!("last_accessed_at");
const FORGET_BY_CREATION: &str = forget_older_than!("created_at");

const RECORD_ACCESS: &str = "with written as (
        update nodes set
            access_count = access_count + 1,
            last_accessed_at = greatest(last_accessed_at, $1)
        where tenant_id = $2 and id = $3
        returning id
    )
    select touch_tenant($2, $1) from written";

pub(super) async fn one<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    id: NodeId,
) -> Result<Option<Node>, StorageError> {
    let statement = Statement::reading("looking a node up", ONE)
        .text(tenant.as_str())
        .id(id.uuid());
    let nodes = store.entities::<Nodes, NodeRow, _>(statement).await?;
    Ok(nodes.into_iter().next())
}

pub(super) async fn by_key<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    key: &EntityKey,
) -> Result<Option<Node>, StorageError> {
    let statement = Statement::reading("looking a node up by its key", BY_KEY)
        .text(tenant.as_str())
        .text(key.system())
        .text(key.id());
    let nodes = store.entities::<Nodes, NodeRow, _>(statement).await?;
    Ok(nodes.into_iter().next())
}

/// Only the conditions that are set are in the text: the plan for each combination is its own.
pub(super) async fn list<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    filter: NodeFilter,
    limit: Limit,
) -> Result<Vec<Node>, StorageError> {
    let filter = filter.validated()?;
    let mut statement = Statement::reading("listing nodes", LIST).text(tenant.as_str());
    if let Some(context_type) = filter.context_type {
        statement = statement.then(" and n.context_type = ").parameter();
        statement = statement.text(context_type.as_str());
    }
    if let Some(entity_type) = &filter.entity_type {
        statement = statement.then(" and n.entity_type = ").parameter();
        statement = statement.text(entity_type.as_str());
    }
    if let Some(tag) = &filter.tag {
        statement = statement.then(" and n.tags @> array[").parameter();
        statement = statement.text(tag).then("]");
    }
    if let Some(part) = &filter.metadata_contains {
        statement = statement.then(" and n.metadata @> ").parameter();
        statement = statement.json(part);
    }
    if let Some(part) = &filter.content_contains {
        statement = statement.then(" and n.content @> ").parameter();
        statement = statement.json(part);
    }
    if let Some(from) = filter.created_from {
        statement = statement.then(" and n.created_at >= ").parameter();
        statement = statement.at(from);
    }
    if let Some(to) = filter.created_to {
        statement = statement.then(" and n.created_at <= ").parameter();
        statement = statement.at(to);
    }
    if let Some(after) = filter.after {
        statement = statement.then(" and (n.created_at, n.id) < (").parameter();
        statement = statement.at(after.created_at).then(", ").parameter();
        statement = statement.id(after.id.uuid()).then(")");
    }
    let statement = statement
        .then(" order by n.created_at desc, n.id desc limit ")
        .parameter()
        .limit(limit);
    store.entities::<Nodes, NodeRow, _>(statement).await
}

pub(super) async fn update<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    id: NodeId,
    patch: NodePatch,
    at: Timestamp,
) -> Result<Node, StorageError> {
    let patch = patch.validated()?;
    let chunks = NodeChunks::of_one(tenant, Indexed::from(&patch));
    let cleared = replaced_places(&patch);
    let context_type = patch.context_type.map(ContextType::as_str);
    let entity_type = patch.entity_type.as_ref().map(Option::as_ref);
    let name = patch.name.as_ref().map(Option::as_deref);
    let statement = Statement::writing("updating a node", UPDATE)
        .optional_text(context_type)
        .bind::<Bool, _>(entity_type.is_some())
        .optional_text(entity_type.flatten().map(EntityType::as_str))
        .bind::<Bool, _>(name.is_some())
        .optional_text(name.flatten())
        .bind::<Nullable<Json>, _>(patch.content.clone().map(JsonValue))
        .optional_text(patch.summary.as_deref())
        .bind::<Nullable<Tags>, _>(patch.tags.clone().map(TagsValue))
        .bind::<Nullable<Json>, _>(patch.metadata.clone().map(JsonValue))
        .bind::<Nullable<Double>, _>(patch.base_relevance)
        .at(at)
        .text(tenant.as_str())
        .id(id.uuid())
        .array::<SmallInt, _>(cleared);
    let statement = chunks.bind_to(statement);
    let nodes = store.entities::<Nodes, NodeRow, _>(statement).await?;
    nodes.into_iter().next().ok_or_else(|| not_found(id))
}

pub(super) async fn forget<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    id: NodeId,
    at: Timestamp,
) -> Result<(), StorageError> {
    let statement = Statement::writing("forgetting a node", FORGET)
        .text(tenant.as_str())
        .id(id.uuid())
        .at(at);
    store.changed(statement, "node", id).await
}

pub(super) async fn forget_older_than<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    retention: &Retention,
    at: Timestamp,
) -> Result<u64, StorageError> {
    let sql = match retention.age_from {
        AgeFrom::LastAccess => FORGET_BY_ACCESS,
        AgeFrom::Creation => FORGET_BY_CREATION,
    };
    let mut types: Vec<&str> = retention
        .context_types
        .iter()
        .map(|of| of.as_str())
        .collect();
    if types.is_empty() {
        types = ContextType::ALL.map(ContextType::as_str).to_vec();
    }
    let statement = Statement::writing("forgetting old nodes", sql)
        .text(tenant.as_str())
        .at(retention.before)
        .array::<Text, _>(types)
        .at(at);
    let gone = store.first::<(BigInt,), (i64,)>(statement).await?;
    Ok(gone.map_or(0, |(gone,)| gone.unsigned_abs()))
}

pub(super) async fn record_access<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    id: NodeId,
    at: Timestamp,
) -> Result<(), StorageError> {
    let statement = Statement::writing("recording an access", RECORD_ACCESS)
        .at(at)
        .text(tenant.as_str())
        .id(id.uuid());
    store.changed(statement, "node", id).await
}

/// The places whose texts a patch replaces.
fn replaced_places(patch: &NodePatch) -> Vec<i16> {
    [
        (patch.name.is_some(), IndexPlace::Name),
        (patch.summary.is_some(), IndexPlace::Summary),
        (patch.tags.is_some(), IndexPlace::Tags),
        (patch.content.is_some(), IndexPlace::Content),
        (patch.content.is_some(), IndexPlace::EntityData),
    ]
    .into_iter()
    .filter_map(|(given, place)| given.then_some(place.number()))
    .collect()
}

fn not_found(id: NodeId) -> StorageError {
    StorageError::NotFound {
        what: "node",
        id: id.to_string(),
    }
}
