use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_diesel::LearnedTurnRow;
use memory_diesel::schema::turns;
use memory_diesel::sql_types::IdValue;
use memory_domain::{
    LearnedTurn, NewCompound, NewSession, Reinforcement, TenantId, Timestamp, TurnId, TurnPlan,
};
use memory_storage::StorageError;

use super::compounds;
use crate::conversations::{append, create, one_session};
use crate::decisions;
use crate::error::Failure;
use crate::graph::{reinforce, remember};
use crate::tenants::touch;

/// The bodies of the verbs, one after the other: the writer undoes all if one is refused.
pub(super) fn learn(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    plan: &TurnPlan,
    at: Timestamp,
) -> Result<LearnedTurn, Failure> {
    if let Some(stands) = one(connection, tenant, plan.id)? {
        if stands.digest == plan.digest {
            return Ok(stands);
        }
        return Err(Failure::Refused(StorageError::Conflict {
            what: "turn",
            id: plan.id.to_string(),
        }));
    }
    if !plan.messages.is_empty() {
        if one_session(connection, tenant, plan.session)?.is_none() {
            let session = NewSession::new("").with_id(plan.session);
            create(connection, tenant.clone(), session, at)?;
        }
        append(connection, tenant, plan.session, plan.messages.clone(), at)?;
    }
    let concepts = remember(connection, tenant, plan.concepts.clone(), at)?;
    for (a, b, id) in plan.links() {
        let step = Reinforcement {
            id,
            ..Reinforcement::new(concepts[a], concepts[b])
        };
        let step = step.with_step(plan.step).with_decay(plan.decay);
        reinforce(connection, tenant, &step.validated()?, at)?;
    }
    if let Some((id, name)) = plan.compound.clone() {
        let compound = NewCompound::new(name, concepts.iter().copied()).with_id(id);
        compounds::record(connection, tenant, compound.validated()?, at)?;
    }
    for decision in plan.decisions.clone() {
        decisions::record(connection, tenant.clone(), decision, at)?;
    }
    touch(connection, tenant, at)?;
    let learned = plan.learned(tenant.clone(), concepts, at);
    diesel::insert_into(turns::table)
        .values(LearnedTurnRow::from(learned.clone()))
        .execute(connection)?;
    Ok(learned)
}

pub(super) fn one(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: TurnId,
) -> Result<Option<LearnedTurn>, Failure> {
    let row: Option<LearnedTurnRow> = turns::table
        .find((tenant.as_str(), IdValue(id.uuid())))
        .select(LearnedTurnRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(LearnedTurn::try_from).transpose()?)
}
