use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_diesel::CompoundRow;
use memory_diesel::schema::compounds;
use memory_diesel::sql_types::{IdValue, Ids, IdsValue};
use memory_domain::{Compound, CompoundFilter, Limit, NewCompound, NodeId, TenantId, Timestamp};
use memory_storage::StorageError;

use crate::error::Failure;
use crate::graph::require_node;
use crate::statement::Statement;
use crate::tenants::{entities, touch};

/// The writer is alone, so what is read does not change before it is written.
pub(super) fn record(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    new: NewCompound,
    at: Timestamp,
) -> Result<Compound, Failure> {
    for member in &new.members {
        require_node(connection, tenant, *member)?;
    }
    let compound = if let Some(mut stands) = by_name(connection, tenant, &new.name)? {
        stands.occur(&new.members, at);
        store(connection, &stands)?;
        stands
    } else {
        let taken = compounds::table.find((tenant.as_str(), IdValue(new.id.uuid())));
        if diesel::select(diesel::dsl::exists(taken)).get_result(connection)? {
            return Err(Failure::Refused(StorageError::Conflict {
                what: "compound",
                id: new.id.to_string(),
            }));
        }
        let compound = new.into_compound(tenant.clone(), at);
        diesel::insert_into(compounds::table)
            .values(CompoundRow::from(compound.clone()))
            .execute(connection)?;
        compound
    };
    touch(connection, tenant, at)?;
    Ok(compound)
}

fn by_name(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    name: &str,
) -> Result<Option<Compound>, Failure> {
    let row: Option<CompoundRow> = compounds::table
        .filter(compounds::tenant_id.eq(tenant.as_str()))
        .filter(compounds::name.eq(name))
        .select(CompoundRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(Compound::try_from).transpose()?)
}

/// Writes what one more occurrence may have changed.
fn store(connection: &mut SqliteConnection, compound: &Compound) -> Result<(), Failure> {
    let members = compound.members.iter().copied();
    Statement::new(
        "update compounds set members = ?, occurrences = ?, last_seen_at = ?
         where tenant_id = ? and id = ?",
    )
    .bind::<Ids, _>(IdsValue(members.map(NodeId::uuid).collect()))
    .number(compound.occurrences)
    .at(compound.last_seen_at)
    .text(compound.tenant_id.as_str())
    .id(compound.id.uuid())
    .run(connection)?;
    Ok(())
}

/// Only the conditions that are set are in the text.
pub(super) fn list(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    filter: &CompoundFilter,
    limit: Limit,
) -> Result<Vec<Compound>, Failure> {
    let mut statement = if let Some(member) = filter.member {
        // The member comes first, which `cross join` holds.
        Statement::new(
            "select c.* from compound_members as m
             cross join compounds as c on c.tenant_id = m.tenant_id and c.id = m.compound_id
             where m.tenant_id = ? and m.node_id = ?",
        )
        .text(tenant.as_str())
        .id(member.uuid())
    } else {
        let index = match filter.name {
            Some(_) => "compounds_by_name",
            None => "compounds_by_occurrences",
        };
        let sql =
            format!("select c.* from compounds as c indexed by {index} where c.tenant_id = ?");
        Statement::new(sql).text(tenant.as_str())
    };
    if let Some(name) = &filter.name {
        statement = statement.then(" and c.name = ?").text(name);
    }
    if let Some(place) = filter.after {
        statement = statement.then(" and (c.occurrences, c.id) < (?, ?)");
        statement = statement.number(place.occurrences).id(place.id.uuid());
    }
    let rows: Vec<CompoundRow> = statement
        .then(" order by c.occurrences desc, c.id desc limit ?")
        .number(limit.rows().into())
        .load(connection)?;
    entities(rows)
}
