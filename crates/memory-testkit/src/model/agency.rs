use std::cmp::Reverse;

use async_trait::async_trait;
use memory_domain::{
    AgencyCursor, AgencyFilter, AgencyOrder, AgencySnapshot, Limit, NewAgencySnapshot, TenantId,
    Timestamp,
};
use memory_storage::{AgencyStore, StorageError};

use super::{Model, conflict, page, within};

#[async_trait]
impl AgencyStore for Model {
    async fn record_agency_snapshot(
        &self,
        tenant: &TenantId,
        snapshot: NewAgencySnapshot,
        at: Timestamp,
    ) -> Result<AgencySnapshot, StorageError> {
        let new = snapshot.validated()?;
        self.write(tenant, at, |own| {
            let first = || new.clone().into_snapshot(tenant.clone(), at);
            let stands = own.agency.entry(new.id).or_insert_with(first);
            if new.is_same_write(stands) {
                Ok(stands.clone())
            } else {
                Err(conflict("agency snapshot", new.id))
            }
        })
    }

    async fn latest_agency_snapshot(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<AgencySnapshot>, StorageError> {
        let latest = self.read(tenant, |own| {
            let snapshots = own.agency.values();
            snapshots
                .max_by_key(|snapshot| (snapshot.taken_at, snapshot.id))
                .cloned()
        });
        Ok(latest.flatten())
    }

    async fn agency_snapshots(
        &self,
        tenant: &TenantId,
        filter: AgencyFilter,
        limit: Limit,
    ) -> Result<Vec<AgencySnapshot>, StorageError> {
        let filter = filter.validated()?;
        let meets = |snapshot: &&AgencySnapshot| {
            let delta = snapshot.measures.delta_agency;
            within(snapshot.taken_at, filter.from, filter.to)
                && filter.min_delta.is_none_or(|least| least <= delta)
                && filter.max_delta.is_none_or(|most| delta <= most)
        };
        let place = |place: AgencyCursor| {
            let score = match filter.order {
                AgencyOrder::Newest => Score(0.0),
                AgencyOrder::Score => Score(place.delta_agency),
            };
            (Reverse(score), Reverse(place.taken_at), Reverse(place.id))
        };
        let listed = self.read(tenant, |own| {
            page(
                own.agency.values().filter(meets).cloned(),
                |snapshot| place(snapshot.cursor()),
                filter.after.map(place),
                limit,
            )
        });
        Ok(listed.unwrap_or_default())
    }
}

/// A finite number, by which is sorted.
#[derive(Clone, Copy)]
struct Score(f64);

impl Ord for Score {
    fn cmp(&self, other: &Score) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Score) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Score {
    fn eq(&self, other: &Score) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Score {}
