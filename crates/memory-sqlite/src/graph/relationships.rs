use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_diesel::RelationshipRow;
use memory_diesel::schema::relationships;
use memory_diesel::sql_types::IdValue;
use memory_domain::{
    Limit, NewRelationship, Reinforcement, Relationship, RelationshipFilter, RelationshipId,
    TenantId, Timestamp,
};
use memory_storage::StorageError;

use super::nodes::require;
use crate::error::Failure;
use crate::statement::Statement;
use crate::tenants::{entities, found, touch};

pub(super) fn relate(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    new: NewRelationship,
    at: Timestamp,
) -> Result<Relationship, Failure> {
    let new = new.into_relationship(tenant.clone(), at);
    record(connection, new, at, |connection, stands, new| {
        if stands.id != new.id {
            refuse_taken(connection, &new)?;
        }
        stands.strength = new.strength;
        stands.metadata = new.metadata;
        stands.last_reinforced_at = stands.last_reinforced_at.max(at);
        Ok(())
    })
}

pub(crate) fn reinforce(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    step: &Reinforcement,
    at: Timestamp,
) -> Result<Relationship, Failure> {
    let new = step.clone().into_relationship(tenant.clone(), at);
    record(connection, new, at, |_, stands, _| {
        step.apply(stands, at);
        Ok(())
    })
}

/// Makes a relationship, or changes the one that stands between the same ends.
fn record(
    connection: &mut SqliteConnection,
    new: Relationship,
    at: Timestamp,
    change: impl FnOnce(&mut SqliteConnection, &mut Relationship, Relationship) -> Result<(), Failure>,
) -> Result<Relationship, Failure> {
    let tenant = new.tenant_id.clone();
    let relationship = if let Some(mut stands) = between(connection, &new)? {
        change(connection, &mut stands, new)?;
        store(connection, &stands)?;
        stands
    } else {
        make(connection, &new)?;
        new
    };
    touch(connection, &tenant, at)?;
    Ok(relationship)
}

fn make(connection: &mut SqliteConnection, new: &Relationship) -> Result<(), Failure> {
    for end in [new.from, new.to] {
        require(connection, &new.tenant_id, end)?;
    }
    refuse_taken(connection, new)?;
    diesel::insert_into(relationships::table)
        .values(RelationshipRow::from(new.clone()))
        .execute(connection)?;
    Ok(())
}

/// Refuses an id that stands for another relationship.
fn refuse_taken(connection: &mut SqliteConnection, new: &Relationship) -> Result<(), Failure> {
    match one(connection, &new.tenant_id, new.id)? {
        None => Ok(()),
        Some(_) => Err(Failure::Refused(StorageError::Conflict {
            what: "relationship",
            id: new.id.to_string(),
        })),
    }
}

/// The relationship of the same kind and label between the same ends.
fn between(
    connection: &mut SqliteConnection,
    new: &Relationship,
) -> Result<Option<Relationship>, Failure> {
    let row: Option<RelationshipRow> = relationships::table
        .filter(relationships::tenant_id.eq(new.tenant_id.as_str()))
        .filter(relationships::from_id.eq(IdValue(new.from.uuid())))
        .filter(relationships::to_id.eq(IdValue(new.to.uuid())))
        .filter(relationships::kind.eq(new.kind.as_str()))
        .filter(relationships::label.eq(&new.label))
        .select(RelationshipRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(Relationship::try_from).transpose()?)
}

/// Writes what may have changed.
fn store(connection: &mut SqliteConnection, relationship: &Relationship) -> Result<(), Failure> {
    Statement::new(
        "update relationships set strength = ?, metadata = ?, last_reinforced_at = ?
         where tenant_id = ? and id = ?",
    )
    .double(relationship.strength)
    .json(relationship.metadata.clone())
    .at(relationship.last_reinforced_at)
    .text(relationship.tenant_id.as_str())
    .id(relationship.id.uuid())
    .run(connection)?;
    Ok(())
}

pub(super) fn one(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: RelationshipId,
) -> Result<Option<Relationship>, Failure> {
    let row: Option<RelationshipRow> = relationships::table
        .find((tenant.as_str(), IdValue(id.uuid())))
        .select(RelationshipRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(Relationship::try_from).transpose()?)
}

/// Whether a listing may have to look at every relationship of the tenant, or of a node.
pub(super) fn scans(filter: &RelationshipFilter) -> bool {
    filter.from.is_some() || filter.to.is_some() || filter.min_strength.is_some()
}

/// Only the conditions that are set are in the text. The index is named, because without
/// statistics SQLite takes the narrowest one that fits, whatever it has to read past.
pub(super) fn list(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    filter: &RelationshipFilter,
    limit: Limit,
) -> Result<Vec<Relationship>, Failure> {
    let index = match (filter.from, filter.to, &filter.kind) {
        (Some(_), Some(_), _) => "relationships_by_ends",
        (Some(_), None, _) => "relationships_from",
        (None, Some(_), _) => "relationships_to",
        (None, None, Some(_)) => "relationships_by_kind",
        (None, None, None) => "relationships_by_creation",
    };
    let sql = format!("select * from relationships indexed by {index} where tenant_id = ?");
    let mut statement = Statement::new(sql).text(tenant.as_str());
    if let Some(from) = filter.from {
        statement = statement.then(" and from_id = ?").id(from.uuid());
    }
    if let Some(to) = filter.to {
        statement = statement.then(" and to_id = ?").id(to.uuid());
    }
    if let Some(kind) = &filter.kind {
        statement = statement.then(" and kind = ?").text(kind.as_str());
    }
    if let Some(strength) = filter.min_strength {
        statement = statement.then(" and strength >= ?").double(strength);
    }
    if let Some(place) = filter.after {
        statement = statement.then(" and (created_at, id) < (?, ?)");
        statement = statement.at(place.created_at).id(place.id.uuid());
    }
    let rows: Vec<RelationshipRow> = statement
        .then(" order by created_at desc, id desc limit ?")
        .number(limit.rows().into())
        .load(connection)?;
    entities(rows)
}

pub(super) fn unrelate(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: RelationshipId,
    at: Timestamp,
) -> Result<(), Failure> {
    let changed = diesel::delete(relationships::table.find((tenant.as_str(), IdValue(id.uuid()))))
        .execute(connection)?;
    found("relationship", &id, changed)?;
    touch(connection, tenant, at)
}

pub(super) fn prune(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    min_strength: f64,
    at: Timestamp,
) -> Result<u64, Failure> {
    let gone = diesel::delete(
        relationships::table
            .filter(relationships::tenant_id.eq(tenant.as_str()))
            .filter(relationships::strength.lt(min_strength)),
    )
    .execute(connection)?;
    if gone > 0 {
        touch(connection, tenant, at)?;
    }
    Ok(gone as u64)
}
