use diesel::sql_types::{BigInt, Bool, Nullable};
use memory_diesel::{NodeRow, RelationshipRow};
use memory_domain::{
    Direction, Limit, Neighbour, NewRelationship, NodeId, Reinforcement, Relationship,
    RelationshipFilter, RelationshipId, RelationshipKind, TenantId, Timestamp, unit_interval,
};
use memory_storage::StorageError;

use crate::columns::{Nodes, Relationships, node_columns, relationship_columns};
use crate::executor::{Executor, Postgres};
use crate::statement::Statement;

// The ends are locked first, in the order of their ids: so one that is being forgotten is waited
// for, and missed without an error of the database, which would undo a unit of work.
macro_rules! between_ends {
    () => {
        "with ends as (
            select id from nodes where tenant_id = $1 and id in ($2, $3) order by id for key share
        ), taken as (
            select id from relationships
            where tenant_id = $1 and id = $4
                and (from_id, to_id, kind, label) <> ($2, $3, $5, $6)
        ), "
    };
}

// One row, always: which ends are there, and what stands, if it was written.
macro_rules! outcome {
    () => {
        concat!(
            " select exists (select from ends where id = $2), exists (select from ends where id = $3), ",
            relationship_columns!("w"),
            ", case when w.id is not null then touch_tenant($1, $9) end
            from (values (true)) as one left join written as w on true"
        )
    };
}

const RELATE: &str = concat!(
    between_ends!(),
    "written as (
        insert into relationships as r (
            tenant_id, from_id, to_id, id, kind, label, strength, metadata,
            created_at, last_reinforced_at, directed
        )
        select $1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10
        where exists (select from ends where id = $2) and exists (select from ends where id = $3)
            and not exists (select from taken)
        on conflict (tenant_id, from_id, to_id, kind, label) do update set
            strength = excluded.strength,
            metadata = excluded.metadata,
            last_reinforced_at = greatest(r.last_reinforced_at, excluded.last_reinforced_at)
        returning ",
    relationship_columns!("r"),
    ")",
    outcome!()
);

// The step is that of Reinforcement::apply, in a function that learning a turn calls too. An id that
// is taken matters only where the relationship is new.
const REINFORCE: &str = concat!(
    between_ends!(),
    "written as (
        insert into relationships as r (
            tenant_id, from_id, to_id, id, kind, label, strength, metadata,
            created_at, last_reinforced_at, directed
        )
        select $1, $2, $3, $4, $5, $6, $7, $8, $9, $9, false
        where exists (select from ends where id = $2) and exists (select from ends where id = $3)
            and (
                not exists (select from taken)
                or exists (
                    select from relationships
                    where tenant_id = $1
                        and (from_id, to_id, kind, label) = ($2, $3, $5, $6)
                )
            )
        on conflict (tenant_id, from_id, to_id, kind, label) do update set
            strength = reinforced(
                r.strength, r.last_reinforced_at, excluded.last_reinforced_at, $10, excluded.strength
            ),
            last_reinforced_at = greatest(r.last_reinforced_at, excluded.last_reinforced_at)
        returning ",
    relationship_columns!("r"),
    ")",
    outcome!()
);

const ONE: &str = concat!(
    "select ",
    relationship_columns!("r"),
    " from relationships as r where r.tenant_id = $1 and r.id = $2"
);

const LIST: &str = concat!(
    "select ",
    relationship_columns!("r"),
    " from relationships as r where r.tenant_id = $1"
);

const UNRELATE: &str = "with gone as (
        delete from relationships where tenant_id = $1 and id = $2 returning id
    )
    select touch_tenant($1, $3) from gone";

const PRUNE: &str = "with gone as (
        delete from relationships where tenant_id = $1 and strength < $2 returning id
    )
    select count(*), case when count(*) > 0 then touch_tenant($1, $3) end from gone";

// Each way by its own index, strongest first; no more of either is read than the limit asks.
// One that leads to its own node is found on both ways, and kept on the first.
macro_rules! neighbours {
    ($outgoing:literal, $incoming:literal, $kind:literal, $limit:literal) => {
        concat!(
            "with found as (
                (
                    select r.*, r.to_id as other from relationships as r
                    where r.tenant_id = $1 and r.from_id = $2",
            $outgoing,
            $kind,
            " order by r.strength desc, r.id limit ",
            $limit,
            "
                ) union all (
                    select r.*, r.from_id as other from relationships as r
                    where r.tenant_id = $1 and r.to_id = $2",
            $incoming,
            $kind,
            " order by r.strength desc, r.id limit ",
            $limit,
            "
                )
                order by strength desc, id limit ",
            $limit,
            "
            )
            select ",
            relationship_columns!("r"),
            ", ",
            node_columns!("n"),
            " from found as r join nodes as n on n.tenant_id = $1 and n.id = r.other
            order by r.strength desc, r.id"
        )
    };
}

// Numbered as they are first mentioned: the kind comes before the limit.
macro_rules! ways {
    ($outgoing:literal, $incoming:literal) => {
        [
            neighbours!($outgoing, $incoming, "", "$3"),
            neighbours!($outgoing, $incoming, " and r.kind = $3", "$4"),
        ]
    };
}

const OUTGOING: [&str; 2] = ways!("", " and not r.directed and r.from_id <> r.to_id");
const INCOMING: [&str; 2] = ways!(" and not r.directed and r.from_id <> r.to_id", "");
const BOTH: [&str; 2] = ways!("", " and r.from_id <> r.to_id");

pub(super) async fn relate<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    relationship: NewRelationship,
    at: Timestamp,
) -> Result<Relationship, StorageError> {
    let new = relationship.validated()?;
    let statement = Statement::writing("relating two nodes", RELATE)
        .text(tenant.as_str())
        .id(new.from.uuid())
        .id(new.to.uuid())
        .id(new.id.uuid())
        .text(new.kind.as_str())
        .text(&new.label)
        .double(new.strength)
        .json(&new.metadata)
        .at(at)
        .bind::<Bool, _>(new.directed);
    written(store, statement, new.id, (new.from, new.to)).await
}

pub(super) async fn reinforce<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    reinforcement: Reinforcement,
    at: Timestamp,
) -> Result<Relationship, StorageError> {
    let step = reinforcement.validated()?;
    let decay = step.decay;
    let new = step.into_relationship(tenant.clone(), at);
    let statement = Statement::writing("reinforcing a relationship", REINFORCE)
        .text(tenant.as_str())
        .id(new.from.uuid())
        .id(new.to.uuid())
        .id(new.id.uuid())
        .text(new.kind.as_str())
        .text(&new.label)
        .double(new.strength)
        .json(&new.metadata)
        .at(at)
        .double(decay);
    written(store, statement, new.id, (new.from, new.to)).await
}

type OutcomeSql = (Bool, Bool, Nullable<Relationships>);
type Outcome = (bool, bool, Option<RelationshipRow>);

async fn written<E: Executor>(
    store: &Postgres<E>,
    statement: Statement<'_>,
    id: RelationshipId,
    (from, to): (NodeId, NodeId),
) -> Result<Relationship, StorageError> {
    let missing = |node: NodeId| StorageError::MissingReference {
        what: "node",
        id: node.to_string(),
    };
    match store.first::<OutcomeSql, Outcome>(statement).await? {
        Some((_, _, Some(row))) => row.try_into(),
        Some((false, _, None)) => Err(missing(from)),
        Some((_, false, None)) => Err(missing(to)),
        _ => Err(StorageError::Conflict {
            what: "relationship",
            id: id.to_string(),
        }),
    }
}

pub(super) async fn one<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    id: RelationshipId,
) -> Result<Option<Relationship>, StorageError> {
    let statement = Statement::reading("looking a relationship up", ONE)
        .text(tenant.as_str())
        .id(id.uuid());
    let found = store
        .entities::<Relationships, RelationshipRow, _>(statement)
        .await?;
    Ok(found.into_iter().next())
}

/// Only the conditions that are set are in the text: the plan for each combination is its own.
pub(super) async fn list<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    filter: RelationshipFilter,
    limit: Limit,
) -> Result<Vec<Relationship>, StorageError> {
    let filter = filter.validated()?;
    let mut statement = Statement::reading("listing relationships", LIST).text(tenant.as_str());
    if let Some(from) = filter.from {
        statement = statement.then(" and r.from_id = ").parameter();
        statement = statement.id(from.uuid());
    }
    if let Some(to) = filter.to {
        statement = statement.then(" and r.to_id = ").parameter();
        statement = statement.id(to.uuid());
    }
    if let Some(kind) = &filter.kind {
        statement = statement.then(" and r.kind = ").parameter();
        statement = statement.text(kind.as_str());
    }
    if let Some(strength) = filter.min_strength {
        statement = statement.then(" and r.strength >= ").parameter();
        statement = statement.double(strength);
    }
    if let Some(after) = filter.after {
        statement = statement.then(" and (r.created_at, r.id) < (").parameter();
        statement = statement.at(after.created_at).then(", ").parameter();
        statement = statement.id(after.id.uuid()).then(")");
    }
    let statement = statement
        .then(" order by r.created_at desc, r.id desc limit ")
        .parameter()
        .limit(limit);
    store
        .entities::<Relationships, RelationshipRow, _>(statement)
        .await
}

pub(super) async fn unrelate<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    id: RelationshipId,
    at: Timestamp,
) -> Result<(), StorageError> {
    let statement = Statement::writing("deleting a relationship", UNRELATE)
        .text(tenant.as_str())
        .id(id.uuid())
        .at(at);
    store.changed(statement, "relationship", id).await
}

pub(super) async fn prune<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    min_strength: f64,
    at: Timestamp,
) -> Result<u64, StorageError> {
    let min_strength = unit_interval("min_strength", min_strength)?;
    let statement = Statement::writing("pruning relationships", PRUNE)
        .text(tenant.as_str())
        .double(min_strength)
        .at(at);
    let gone = store.first::<(BigInt,), (i64,)>(statement).await?;
    Ok(gone.map_or(0, |(gone,)| gone.unsigned_abs()))
}

pub(super) async fn neighbours<E: Executor>(
    store: &Postgres<E>,
    tenant: &TenantId,
    node: NodeId,
    direction: Direction,
    kind: Option<RelationshipKind>,
    limit: Limit,
) -> Result<Vec<Neighbour>, StorageError> {
    let [any_kind, of_kind] = match direction {
        Direction::Outgoing => OUTGOING,
        Direction::Incoming => INCOMING,
        Direction::Both => BOTH,
    };
    let sql = if kind.is_some() { of_kind } else { any_kind };
    let mut statement = Statement::reading("listing neighbours", sql)
        .text(tenant.as_str())
        .id(node.uuid());
    if let Some(kind) = &kind {
        statement = statement.text(kind.as_str());
    }
    store
        .load::<(Relationships, Nodes), (RelationshipRow, NodeRow)>(statement.limit(limit))
        .await?
        .into_iter()
        .map(|(relationship, node)| {
            Ok(Neighbour {
                relationship: relationship.try_into()?,
                node: node.try_into()?,
            })
        })
        .collect()
}
