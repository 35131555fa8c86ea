//! What the contract leaves open: calls that are refused for two reasons at once, of which a store
//! may name either, and a few whose meaning is not fixed. Random use leaves them out.

use memory_domain::{
    Limit, NewMessage, NewRelationship, Reinforcement, Relationship, RelationshipFilter, SessionId,
    TenantId,
};
use memory_storage::{ConversationStore, GraphStore, StorageError};

use super::Call;
use crate::Model;

/// Whether stores may differ in what they do on this call.
pub(crate) async fn is_left_open(
    model: &Model,
    tenant: &TenantId,
    call: &Call,
) -> Result<bool, StorageError> {
    match call {
        Call::Append(session, batch) => append(model, tenant, *session, batch).await,
        Call::Relate(new) => relate(model, tenant, new.clone()).await,
        Call::Reinforce(step) => reinforce(model, tenant, step.clone()).await,
        // Whether the session was updated.
        Call::ClearSession(id) => {
            let session = model.session(tenant, *id).await?;
            Ok(session.is_some_and(|session| session.message_count == 0))
        }
        _ => Ok(false),
    }
}

/// No such session, and a message that stands elsewhere or differs within the batch.
async fn append(
    model: &Model,
    tenant: &TenantId,
    session: SessionId,
    batch: &[NewMessage],
) -> Result<bool, StorageError> {
    if model.session(tenant, session).await?.is_some() {
        return Ok(false);
    }
    for (place, message) in batch.iter().enumerate() {
        let stands = model.message(tenant, message.id).await?.is_some();
        let before = &batch[..place];
        if stands
            || before
                .iter()
                .any(|other| other.id == message.id && other != message)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The id stands for another relationship, and besides an end is missing.
async fn relate(
    model: &Model,
    tenant: &TenantId,
    new: NewRelationship,
) -> Result<bool, StorageError> {
    let new = new.validated()?;
    let taken = model.relationship(tenant, new.id).await?.is_some();
    Ok(taken && end_is_missing(model, tenant, &new).await?)
}

/// A directed relationship has the place of the undirected one; or the id stands for another
/// relationship, and besides an end is missing.
async fn reinforce(
    model: &Model,
    tenant: &TenantId,
    step: Reinforcement,
) -> Result<bool, StorageError> {
    let step = step.validated()?;
    let directed = |link: &Relationship| {
        link.directed
            && link.label.is_empty()
            && (link.from, link.to, &link.kind) == (step.a, step.b, &step.kind)
    };
    if all(model, tenant).await?.iter().any(directed) {
        return Ok(true);
    }
    let new = NewRelationship::new(step.a, step.kind, step.b);
    let taken = model.relationship(tenant, step.id).await?.is_some();
    Ok(taken && end_is_missing(model, tenant, &new).await?)
}

async fn all(model: &Model, tenant: &TenantId) -> Result<Vec<Relationship>, StorageError> {
    let any = RelationshipFilter::default();
    model.relationships(tenant, any, Limit::MAX).await
}

async fn end_is_missing(
    model: &Model,
    tenant: &TenantId,
    new: &NewRelationship,
) -> Result<bool, StorageError> {
    let from = model.node(tenant, new.from).await?;
    let to = model.node(tenant, new.to).await?;
    Ok(from.is_none() || to.is_none())
}
