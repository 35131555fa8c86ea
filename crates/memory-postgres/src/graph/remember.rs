use diesel::sql_types::{BigInt, Double, Integer, Nullable, Text};
use memory_diesel::sql_types::{Id, IdValue, Json, JsonValue, Tags, TagsValue};
use memory_domain::limits::{BATCH_MAX, TAGS};
use memory_domain::{EntityKey, EntityType, InvalidInput, NewNode, NodeId, TenantId, Timestamp};
use memory_storage::StorageError;
use serde_json::Value;

use crate::executor::{Executor, Postgres};
use crate::index::RememberedIndex;
use crate::json::JsonArray;
use crate::statement::Statement;

/// Remembers, takes away what merging replaces of the index, and writes what is new of it. The last
/// waits for the second, which waits for the first, whose lock of the node it needs. A node without
/// a key replaces nothing, and what is there already is indexed already. The answer asks for what is
/// cleared, because nothing else would where nothing new is to be indexed. Where one of several is
/// refused the function still returns those before it, of which nothing is left.
macro_rules! and_index {
    ($remembered:literal) => {
        concat!(
            "with remembered as materialized (",
            $remembered,
            "), cleared as materialized (
                select standing.node_id, standing.created_at
                from (
                    select array_agg(distinct node_id) as ids,
                        array_agg(node_id) filter (where field is not null) as of_nodes,
                        array_agg(field) filter (where field is not null) as fields
                    from remembered
                    left join unnest($14, $15) as gone (place, field) using (place)
                    where not exists (select from remembered where outcome <> 'stands')
                ) as given
                cross join lateral clear_node_fields($1, ids, of_nodes, fields) as standing
            ), indexed as (
                insert into node_chunks (
                    tenant_id, node_id, field, part, place, created_at, text, words, grams
                )
                select $1, cleared.node_id, new.field, new.part, new.in_place,
                    cleared.created_at, new.text, new.words,
                    ($16::integer[])[new.gram_end - new.gram_count + 1 : new.gram_end]
                from unnest($17, $18, $19, $20, $21, $22, $23, $24) as new (
                    place, in_place, field, part, text, words, gram_count, gram_end
                )
                join remembered using (place)
                join cleared using (node_id)
                on conflict do nothing
            )
            select outcome, node_id, tag_count, place from remembered
            where (select count(*) from cleared) >= 0"
        )
    };
}

// By itself, because undoing several needs a subtransaction and one does not.
const REMEMBER_ONE: &str = and_index!(
    "select outcome, node_id, tag_count, 1::bigint as place
    from remember_node($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
);

const REMEMBER: &str = and_index!(
    "select outcome, node_id, tag_count, place
    from remember_nodes($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
);

pub(super) async fn remember<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    nodes: Vec<NewNode>,
    at: Timestamp,
) -> Result<Vec<NodeId>, StorageError> {
    if nodes.len() > BATCH_MAX {
        let problem = format!("remember at most {BATCH_MAX} nodes at once");
        return Err(InvalidInput::new("nodes", nodes.len(), problem).into());
    }
    let nodes = nodes
        .into_iter()
        .map(NewNode::validated)
        .collect::<Result<Vec<_>, _>>()?;
    let indexed = RememberedIndex::of(tenant, &nodes);
    let statement = match nodes.as_slice() {
        [] => return Ok(Vec::new()),
        [node] => one(tenant, node, at),
        nodes => several(tenant, nodes, at),
    };
    let statement = indexed.bind_to(statement);
    let rows = store.load::<RememberedSql, Remembered>(statement).await?;
    let refused = rows.iter().find(|(outcome, ..)| outcome != "stands");
    if let Some((outcome, id, count, _)) = refused {
        return Err(refusal(outcome, *id, *count));
    }
    let mut ids: Vec<NodeId> = nodes.iter().map(|node| node.id).collect();
    for (_, id, _, place) in rows {
        // Places count from 1.
        let place = usize::try_from(place - 1).ok();
        if let Some(slot) = place.and_then(|place| ids.get_mut(place)) {
            *slot = NodeId::from_uuid(id.0);
        }
    }
    Ok(ids)
}

type RememberedSql = (Text, Id, Nullable<Integer>, BigInt);
type Remembered = (String, IdValue, Option<i32>, i64);

fn refusal(outcome: &str, id: IdValue, count: Option<i32>) -> StorageError {
    if outcome == "tags" {
        let problem = format!("a node has at most {TAGS} tags");
        let given = format!("{} tags", count.unwrap_or_default());
        return InvalidInput::new("tags", given, problem).into();
    }
    StorageError::Conflict {
        what: "node",
        id: id.0.to_string(),
    }
}

fn one<'a>(tenant: &'a TenantId, node: &'a NewNode, at: Timestamp) -> Statement<'a> {
    Statement::writing("remembering a node", REMEMBER_ONE)
        .text(tenant.as_str())
        .at(at)
        .id(node.id.uuid())
        .text(node.context_type.as_str())
        .optional_text(node.key.as_ref().map(EntityKey::system))
        .optional_text(node.key.as_ref().map(EntityKey::id))
        .optional_text(node.entity_type.as_ref().map(EntityType::as_str))
        .optional_text(node.name.as_deref())
        .json(&node.content)
        .text(&node.summary)
        .bind::<Tags, _>(TagsValue(node.tags.clone()))
        .json(&node.metadata)
        .double(node.base_relevance)
}

fn several<'a>(tenant: &'a TenantId, nodes: &'a [NewNode], at: Timestamp) -> Statement<'a> {
    let key = |node: &'a NewNode| node.key.as_ref();
    let nodes = || nodes.iter();
    Statement::writing("remembering nodes", REMEMBER)
        .text(tenant.as_str())
        .at(at)
        .array::<Id, _>(nodes().map(|node| IdValue(node.id.uuid())).collect())
        .array::<Text, _>(nodes().map(|node| node.context_type.as_str()).collect())
        .optional_texts(
            nodes()
                .map(|node| key(node).map(EntityKey::system))
                .collect(),
        )
        .optional_texts(nodes().map(|node| key(node).map(EntityKey::id)).collect())
        .optional_texts(
            nodes()
                .map(|node| node.entity_type.as_ref().map(EntityType::as_str))
                .collect(),
        )
        .optional_texts(nodes().map(|node| node.name.as_deref()).collect())
        .array::<Json, _>(
            nodes()
                .map(|node| JsonValue(node.content.clone()))
                .collect(),
        )
        .array::<Text, _>(nodes().map(|node| node.summary.as_str()).collect())
        .array::<Json, _>(
            nodes()
                .map(|node| JsonArray(node.tags.iter().cloned().map(Value::String).collect()))
                .collect(),
        )
        .array::<Json, _>(
            nodes()
                .map(|node| JsonValue(node.metadata.clone()))
                .collect(),
        )
        .array::<Double, _>(nodes().map(|node| node.base_relevance).collect())
}
