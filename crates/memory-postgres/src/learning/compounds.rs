use diesel::sql_types::{BigInt, Nullable, Text};
use memory_diesel::CompoundRow;
use memory_diesel::sql_types::{Id, IdValue, Ids, IdsValue, Instant, InstantValue};
use memory_domain::{
    Compound, CompoundFilter, CompoundId, Limit, NewCompound, NodeId, TenantId, Timestamp,
};
use memory_storage::StorageError;

use crate::columns::{Compounds, compound_columns};
use crate::executor::{Executor, Postgres};
use crate::statement::Statement;

const RECORD: &str = "select outcome, compound_id, compound_members, compound_occurrences,
        compound_seen_at
    from record_compound($1, $2, $3, $4, $5)";

const LIST: &str = concat!(
    "select ",
    compound_columns!("c"),
    " from compounds as c where c.tenant_id = $1"
);

const OF_MEMBER: &str = concat!(
    "select ",
    compound_columns!("c"),
    " from compound_members as m
    join compounds as c on c.tenant_id = m.tenant_id and c.id = m.compound_id
    where m.tenant_id = $1 and m.node_id = $2"
);

type RecordedSql = (Text, Id, Nullable<Ids>, Nullable<BigInt>, Nullable<Instant>);
type Recorded = (
    String,
    IdValue,
    Option<IdsValue>,
    Option<i64>,
    Option<InstantValue>,
);

pub(super) async fn record<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    compound: NewCompound,
    at: Timestamp,
) -> Result<Compound, StorageError> {
    let new = compound.validated()?;
    let members = new.members.iter().copied();
    let statement = Statement::writing("recording a compound", RECORD)
        .text(tenant.as_str())
        .at(at)
        .id(new.id.uuid())
        .text(&new.name)
        .bind::<Ids, _>(IdsValue(members.map(NodeId::uuid).collect()));
    match store.first::<RecordedSql, Recorded>(statement).await? {
        Some((_, id, Some(members), Some(occurrences), Some(last_seen_at))) => Ok(Compound {
            tenant_id: tenant.clone(),
            id: CompoundId::from_uuid(id.0),
            name: new.name,
            members: members.0.into_iter().map(NodeId::from_uuid).collect(),
            occurrences,
            last_seen_at: last_seen_at.0,
        }),
        Some((outcome, id, ..)) if outcome == "missing" => Err(StorageError::MissingReference {
            what: "node",
            id: id.0.to_string(),
        }),
        _ => Err(StorageError::Conflict {
            what: "compound",
            id: new.id.to_string(),
        }),
    }
}

/// Only the conditions that are set are in the text: the plan for each combination is its own.
pub(super) async fn list<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    filter: CompoundFilter,
    limit: Limit,
) -> Result<Vec<Compound>, StorageError> {
    let filter = filter.validated()?;
    let sql = match filter.member {
        None => LIST,
        Some(_) => OF_MEMBER,
    };
    let mut statement = Statement::reading("listing compounds", sql).text(tenant.as_str());
    if let Some(member) = filter.member {
        statement = statement.id(member.uuid());
    }
    if let Some(name) = &filter.name {
        statement = statement.then(" and c.name = ").parameter().text(name);
    }
    if let Some(after) = filter.after {
        statement = statement.then(" and (c.occurrences, c.id) < (").parameter();
        statement = statement.number(after.occurrences).then(", ").parameter();
        statement = statement.id(after.id.uuid()).then(")");
    }
    let statement = statement
        .then(" order by c.occurrences desc, c.id desc limit ")
        .parameter()
        .limit(limit);
    store.entities::<Compounds, CompoundRow, _>(statement).await
}
