use std::sync::Arc;

use memory_domain::{
    AuditFilter, CompoundFilter, DecisionFilter, Direction, FeedbackFilter, Limit, MessageRange,
    NodeFilter, Record, RelationshipFilter, SearchQuery, Tenant, TenantId, Timestamp,
    TraverseOptions,
};
use memory_storage::{MemoryStore, Storage, StorageError};

use super::call::of_tenant;
use super::{Call, activity, goals};
use crate::Model;
use crate::support::{everything, limit};

/// Compares everything that can be read of some tenants: their records, and every listing.
pub(crate) async fn compare_everything(
    model: &Model,
    stores: &[Arc<dyn Storage>],
    tenants: &[TenantId],
    now: Timestamp,
) -> Result<(), String> {
    for (place, store) in stores.iter().enumerate() {
        for tenant in tenants {
            compare_tenant(model, &**store, tenant, now)
                .await
                .map_err(|difference| format!("store {place} differs in {difference}"))?;
        }
        compare_listing_of_tenants(model, &**store, tenants)
            .await
            .map_err(|difference| format!("store {place} differs in {difference}"))?;
    }
    Ok(())
}

async fn compare_tenant(
    model: &Model,
    store: &dyn Storage,
    tenant: &TenantId,
    now: Timestamp,
) -> Result<(), String> {
    let wanted = model.records(tenant);
    let found = everything(store, Some(tenant)).await;
    if let (Some(Record::Tenant(found)), Some(Record::Tenant(wanted))) =
        (found.first(), wanted.first())
    {
        let range = wanted.last_active_at..=now;
        if !range.contains(&found.last_active_at) {
            return Err(format!("activity: {found:?} is not within {range:?}"));
        }
    }
    let (found, wanted) = (without_activity(found), without_activity(wanted));
    if found != wanted {
        return Err(format!("records\nit has {found:#?}\nwanted is {wanted:#?}"));
    }
    for call in readings(&wanted) {
        let ours = call.clone().make(model, tenant, now).await;
        let theirs = call.clone().make(store, tenant, now).await;
        match (ours, theirs) {
            (Ok(wanted), Ok(found)) if wanted == found => {}
            (wanted, found) => {
                return Err(format!(
                    "{call:?}\nit gave {found:#?}\nwanted is {wanted:#?}"
                ));
            }
        }
    }
    Ok(())
}

fn without_activity(records: Vec<Record>) -> Vec<Record> {
    let strip = |record| match record {
        Record::Tenant(tenant) => of_tenant(tenant),
        other => other,
    };
    records.into_iter().map(strip).collect()
}

/// Searches for whatever random use may have written.
fn searches() -> impl Iterator<Item = SearchQuery> {
    let words = [
        "x", "y", "é", "🦀", "n", "m", "t", "1", "2", "7", "0.1", "red", "fox", "blue", "deep",
    ];
    let words = words.into_iter().map(SearchQuery::words);
    words.chain([
        SearchQuery::words("x fox"),
        SearchQuery::phrase("red fox"),
        SearchQuery::phrase("fox red"),
        SearchQuery::prefix("é b"),
        SearchQuery::substring("ed fo"),
        SearchQuery::substring("x"),
    ])
}

/// Everything that can be asked of a tenant who has these records.
fn readings(records: &[Record]) -> Vec<Call> {
    let always = MessageRange::between(Timestamp::MIN, Timestamp::MAX);
    let mut calls = vec![
        Call::TenantStats,
        Call::Sessions(Limit::MAX, None),
        Call::MessagesBetween(always, Limit::MAX),
        Call::Nodes(NodeFilter::default(), Limit::MAX),
        Call::Relationships(RelationshipFilter::default(), Limit::MAX),
        Call::Load(Limit::MAX),
        Call::Compounds(CompoundFilter::default(), Limit::MAX),
        Call::Feedback(FeedbackFilter::default(), Limit::MAX),
        Call::Decisions(DecisionFilter::default(), Limit::MAX),
        Call::AuditEvents(AuditFilter::default(), Limit::MAX),
        Call::Recall("N, x and what is named y".to_owned(), Limit::MAX),
        Call::Load(limit(2)),
    ];
    calls.extend(activity::readings());
    calls.extend(goals::readings());
    calls.extend(searches().map(|query| Call::Search(query, Limit::MAX)));
    for record in records {
        match record {
            Record::Tenant(_)
            | Record::Feedback(_)
            | Record::AuditEvent(_)
            | Record::AgencySnapshot(_) => {}
            Record::Session(session) => {
                calls.push(Call::Session(session.id));
                calls.push(Call::History(session.id, Limit::MAX, None));
            }
            Record::Message(message) => calls.push(Call::Message(message.id)),
            Record::Node(node) => {
                calls.push(Call::Node(node.id));
                calls.extend(node.key.clone().map(Call::NodeByKey));
                let filter = CompoundFilter {
                    member: Some(node.id),
                    ..CompoundFilter::default()
                };
                calls.push(Call::Compounds(filter, Limit::MAX));
                for direction in [Direction::Outgoing, Direction::Incoming, Direction::Both] {
                    calls.push(Call::Neighbours(node.id, direction, None, Limit::MAX));
                    let options = TraverseOptions {
                        depth: 3,
                        direction,
                        ..TraverseOptions::default()
                    };
                    calls.push(Call::Traverse(node.id, options));
                }
            }
            Record::Decision(decision) => calls.push(Call::Decision(decision.id)),
            Record::Goal(goal) => calls.push(Call::Goal(goal.id)),
            Record::Relationship(link) => calls.push(Call::Relationship(link.id)),
            Record::Compound(compound) => {
                let filter = CompoundFilter {
                    name: Some(compound.name.clone()),
                    ..CompoundFilter::default()
                };
                calls.push(Call::Compounds(filter, Limit::MAX));
            }
            Record::LearnedTurn(turn) => calls.push(Call::Turn(turn.id)),
            other => calls.extend(activity::readings_of(other)),
        }
    }
    calls
}

/// The listing of tenants has each that there is, in the order of what it says of them.
async fn compare_listing_of_tenants(
    model: &Model,
    store: &dyn Storage,
    tenants: &[TenantId],
) -> Result<(), String> {
    let listed = all_tenants(store).await;
    let listed = listed.map_err(|error| format!("the listing of tenants: {error:?}"))?;
    let order = |tenant: &Tenant| (std::cmp::Reverse(tenant.last_active_at), tenant.id.clone());
    if !listed.is_sorted_by_key(order) {
        return Err(format!("the order of tenants: {listed:#?}"));
    }
    for tenant in tenants {
        let found = listed.iter().filter(|listed| listed.id == *tenant).count();
        let wanted = usize::from(!model.records(tenant).is_empty());
        if found != wanted {
            return Err(format!(
                "tenant {tenant}: listed {found} times, not {wanted}"
            ));
        }
    }
    Ok(())
}

async fn all_tenants(store: &dyn MemoryStore) -> Result<Vec<Tenant>, StorageError> {
    let mut all: Vec<Tenant> = Vec::new();
    loop {
        let after = all.last().map(Tenant::cursor);
        let page = store.tenants(limit(100), after).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}
