use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use memory_diesel::LearnedTurnRow;
use memory_diesel::sql_types::{
    Id, IdValue, Ids, IdsValue, Instant, InstantValue, Json, JsonValue,
};
use memory_domain::limits::{BASE_RELEVANCE_DEFAULT, TAGS};
use memory_domain::{
    EntityKey, EntityType, InvalidInput, LearnedTurn, NewMessage, NodeId, RelationshipKind,
    TenantId, Timestamp, Turn, TurnId, TurnPlan,
};
use memory_storage::StorageError;

use crate::columns::{Turns, turn_columns};
use crate::conversations::distinct;
use crate::executor::{Executor, Postgres};
use crate::index::{MessageChunks, RememberedIndex};
use crate::statement::Statement;

// What the turn makes is indexed as appending and remembering do it; a turn that counts no more
// changes nothing, and what it once wrote may have gone.
const LEARN: &str = "with learned as materialized (
        select outcome, culprit, turn_concepts, turn_learned_at, is_new from learn_turn(
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
            $20, $21, $22, $23, $24, $25, $26
        )
    ), remembered as materialized (
        select concept.node_id, concept.place
        from learned
        cross join unnest(turn_concepts) with ordinality as concept (node_id, place)
        where is_new
    ), cleared as materialized (
        select standing.node_id, standing.created_at
        from (
            select array_agg(distinct node_id) as ids,
                array_agg(node_id) filter (where field is not null) as of_nodes,
                array_agg(field) filter (where field is not null) as fields
            from remembered
            left join unnest($27, $28) as gone (place, field) using (place)
        ) as given
        cross join lateral clear_node_fields($1, ids, of_nodes, fields) as standing
    ), indexed as (
        insert into node_chunks (
            tenant_id, node_id, field, part, place, created_at, text, words, grams
        )
        select $1, cleared.node_id, new.field, new.part, new.in_place, cleared.created_at,
            new.text, new.words,
            ($29::integer[])[new.gram_end - new.gram_count + 1 : new.gram_end]
        from unnest($30, $31, $32, $33, $34, $35, $36, $37) as new (
            place, in_place, field, part, text, words, gram_count, gram_end
        )
        join remembered using (place)
        join cleared using (node_id)
        on conflict do nothing
    ), said as (
        insert into message_chunks (tenant_id, message_id, part, created_at, text, words, grams)
        select $1, new.message_id, new.part, $2, new.text, new.words,
            ($38::integer[])[new.gram_end - new.gram_count + 1 : new.gram_end]
        from unnest($39, $40, $41, $42, $43, $44)
            as new (message_id, part, text, words, gram_count, gram_end)
        where exists (select from learned where is_new)
        on conflict do nothing
    )
    select outcome, culprit, turn_concepts, turn_learned_at from learned
    where (select count(*) from cleared) >= 0";

const ONE: &str = concat!(
    "select ",
    turn_columns!("t"),
    " from turns as t where t.tenant_id = $1 and t.id = $2"
);

type LearnedSql = (Text, Nullable<Text>, Nullable<Ids>, Nullable<Instant>);
type Learned = (
    String,
    Option<String>,
    Option<IdsValue>,
    Option<InstantValue>,
);

pub(super) async fn learn<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    turn: Turn,
    at: Timestamp,
) -> Result<LearnedTurn, StorageError> {
    let plan = turn.plan()?;
    let (messages, _) = distinct(plan.messages.clone())?;
    let nodes = RememberedIndex::of(tenant, &plan.concepts);
    let said = messages
        .iter()
        .map(|one| (one.id.uuid(), one.content.as_str()));
    let said = MessageChunks::of(tenant, said);
    let statement = decided(&plan, statement(tenant, &plan, &messages, at));
    let statement = said.bind_to(nodes.bind_to(statement));
    match store.first::<LearnedSql, Learned>(statement).await? {
        Some((_, _, Some(concepts), Some(learned_at))) => {
            let concepts = concepts.0.into_iter().map(NodeId::from_uuid).collect();
            Ok(plan.learned(tenant.clone(), concepts, learned_at.0))
        }
        Some((outcome, culprit, ..)) => Err(refusal(&outcome, culprit.unwrap_or_default())),
        None => Err(refusal("turn", plan.id.to_string())),
    }
}

pub(super) async fn one<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    id: TurnId,
) -> Result<Option<LearnedTurn>, StorageError> {
    let statement = Statement::reading("looking a turn up", ONE)
        .text(tenant.as_str())
        .id(id.uuid());
    let turns = store
        .entities::<Turns, LearnedTurnRow, _>(statement)
        .await?;
    Ok(turns.into_iter().next())
}

fn statement<'a>(
    tenant: &'a TenantId,
    plan: &'a TurnPlan,
    messages: &'a [NewMessage],
    at: Timestamp,
) -> Statement<'a> {
    let messages = || messages.iter();
    let nodes = || plan.concepts.iter();
    // Places count from 1.
    let place = |place: usize| i64::try_from(place + 1).unwrap_or(i64::MAX);
    let (compound, name) = plan.compound.clone().unzip();
    Statement::writing("learning a turn", LEARN)
        .text(tenant.as_str())
        .at(at)
        .id(plan.id.uuid())
        .bind::<Binary, _>(plan.digest.as_bytes().to_vec())
        .id(plan.session.uuid())
        .array::<Id, _>(messages().map(|one| IdValue(one.id.uuid())).collect())
        .array::<Text, _>(messages().map(|one| one.role.as_str()).collect())
        .array::<Text, _>(messages().map(|one| one.content.as_str()).collect())
        .array::<Json, _>(
            messages()
                .map(|one| JsonValue(one.metadata.clone()))
                .collect(),
        )
        .array::<Id, _>(nodes().map(|node| IdValue(node.id.uuid())).collect())
        .optional_texts(
            nodes()
                .map(|node| node.entity_type.as_ref().map(EntityType::as_str))
                .collect(),
        )
        .optional_texts(
            nodes()
                .map(|node| node.key.as_ref().map(EntityKey::id))
                .collect(),
        )
        .optional_texts(nodes().map(|node| node.name.as_deref()).collect())
        .double(BASE_RELEVANCE_DEFAULT)
        .array::<Id, _>(plan.links().map(|(_, _, id)| IdValue(id.uuid())).collect())
        .bind::<Text, _>(RelationshipKind::ATTENTION.to_string())
        .array::<BigInt, _>(plan.links().map(|(a, ..)| place(a)).collect())
        .array::<BigInt, _>(plan.links().map(|(_, b, _)| place(b)).collect())
        .double(plan.step)
        .double(plan.decay)
        .bind::<Nullable<Id>, _>(compound.map(|id| IdValue(id.uuid())))
        .bind::<Nullable<Text>, _>(name)
}

fn decided<'a>(plan: &'a TurnPlan, statement: Statement<'a>) -> Statement<'a> {
    let decisions = || plan.decisions.iter();
    statement
        .array::<Id, _>(decisions().map(|one| IdValue(one.id.uuid())).collect())
        .array::<Text, _>(decisions().map(|one| one.text.as_str()).collect())
        .optional_texts(decisions().map(|one| one.context.as_deref()).collect())
        .optional_texts(
            decisions()
                .map(|one| one.extracted_from.as_deref())
                .collect(),
        )
}

fn refusal(outcome: &str, culprit: String) -> StorageError {
    let what = match outcome {
        "tags" => {
            let problem = format!("a node has at most {TAGS} tags");
            return InvalidInput::new("tags", format!("{culprit} tags"), problem).into();
        }
        "message" => "message",
        "node" => "node",
        "relationship" => "relationship",
        "compound" => "compound",
        "decision" => "decision",
        _ => "turn",
    };
    StorageError::Conflict { what, id: culprit }
}
