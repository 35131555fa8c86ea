use memory_domain::{
    AgencyCursor, AgencyFilter, AgencyMeasures, AgencyOrder, AgencySnapshot, Limit,
    NewAgencySnapshot,
};
use memory_storage::MemoryStore;

use crate::support::{ada, agency_id, assert_refused, at, limit, new_agency, tenant};

async fn record(store: &dyn MemoryStore, new: NewAgencySnapshot, seconds: i64) -> AgencySnapshot {
    let recorded = store.record_agency_snapshot(&ada(), new, at(seconds)).await;
    recorded.unwrap()
}

fn numbers(snapshots: &[AgencySnapshot]) -> Vec<u128> {
    snapshots.iter().map(|it| it.id.uuid().as_u128()).collect()
}

/// The ids of the snapshots that a filter gives.
async fn ids(store: &dyn MemoryStore, filter: AgencyFilter) -> Vec<u128> {
    let found = store.agency_snapshots(&ada(), filter, Limit::MAX).await;
    numbers(&found.unwrap())
}

/// Snapshots 1 to 6, two at a moment, some with the same score.
async fn given_snapshots(store: &dyn MemoryStore) {
    let scores = [0.5, -0.25, 0.1, 0.5, 0.0, -0.25];
    for (id, score) in (1_u8..).zip(scores) {
        let moment = (i64::from(id) + 1) / 2;
        record(store, new_agency(id.into(), score), moment).await;
    }
}

pub(crate) async fn an_agency_snapshot_is_recorded_whole(store: &dyn MemoryStore) {
    let measures = AgencyMeasures {
        decision_quality: 0.1,
        skill_development: -0.2,
        ai_reliance: 0.1 + 0.2,
        bottleneck_resolution: f64::MAX,
        user_confidence: f64::MIN,
        engagement: 5e-324,
        autonomy_perception: 7.0,
        autonomy_retention: 0.8,
        delta_agency: -1e-9,
    };
    let new = NewAgencySnapshot::new(measures)
        .with_id(agency_id(1))
        .with_task_description("write a letter ✉")
        .with_task_complexity("");
    let wanted = AgencySnapshot {
        tenant_id: ada(),
        id: agency_id(1),
        measures: AgencyMeasures {
            ai_reliance: 0.300_000_000_000_000_04,
            ..measures
        },
        task_description: Some("write a letter ✉".into()),
        task_complexity: Some(String::new()),
        taken_at: at(3),
    };
    assert_eq!(record(store, new, 3).await, wanted);
    let found = store.latest_agency_snapshot(&ada()).await.unwrap();
    assert_eq!(found, Some(wanted));
    let bea = tenant("bea");
    assert_eq!(store.latest_agency_snapshot(&bea).await.unwrap(), None);
    let tenant = store.tenant(&ada()).await.unwrap().unwrap();
    assert_eq!(tenant.created_at, at(3));
}

pub(crate) async fn the_same_agency_snapshot_again_is_the_same_write(store: &dyn MemoryStore) {
    let new = || new_agency(1, -0.0).with_task_complexity("easy");
    let first = record(store, new(), 0).await;
    assert_eq!(first.measures.delta_agency.to_bits(), 0);
    assert_eq!(record(store, new(), 99).await, first);
    assert_eq!(ids(store, AgencyFilter::default()).await, [1]);
}

pub(crate) async fn an_agency_snapshot_with_other_content_is_a_conflict(store: &dyn MemoryStore) {
    let first = record(store, new_agency(1, 0.3), 0).await;
    let mut other = new_agency(1, 0.3);
    other.measures.engagement = 5e-324;
    for other in [
        new_agency(1, 0.1 + 0.2),
        other,
        new_agency(1, 0.3).with_task_description(""),
        new_agency(1, 0.3).with_task_complexity(""),
    ] {
        let result = store.record_agency_snapshot(&ada(), other, at(1)).await;
        assert_refused!(result, Conflict);
    }
    let found = store.latest_agency_snapshot(&ada()).await.unwrap();
    assert_eq!(found, Some(first));
}

pub(crate) async fn the_latest_agency_snapshot_is_the_newest(store: &dyn MemoryStore) {
    assert_eq!(store.latest_agency_snapshot(&ada()).await.unwrap(), None);
    for (id, seconds, latest) in [(2, 10, 2), (9, 5, 2), (1, 10, 2), (3, 10, 3), (4, 11, 4)] {
        record(store, new_agency(id, 1.0), seconds).await;
        let found = store.latest_agency_snapshot(&ada()).await.unwrap().unwrap();
        assert_eq!(found.id, agency_id(latest));
    }
}

pub(crate) async fn agency_snapshots_are_listed_by_time_and_by_score(store: &dyn MemoryStore) {
    given_snapshots(store).await;
    let newest = AgencyFilter::default;
    let score = || AgencyFilter {
        order: AgencyOrder::Score,
        ..newest()
    };
    let at_two = |filter| AgencyFilter {
        from: Some(at(2)),
        to: Some(at(2)),
        ..filter
    };
    let middling = |filter| AgencyFilter {
        min_delta: Some(-0.0),
        max_delta: Some(0.1),
        ..filter
    };
    let nothing = |filter| AgencyFilter {
        min_delta: Some(0.2),
        max_delta: Some(0.1),
        ..filter
    };
    let wanted: [(AgencyFilter, &[u128]); 8] = [
        (newest(), &[6, 5, 4, 3, 2, 1]),
        (score(), &[4, 1, 3, 5, 6, 2]),
        (at_two(newest()), &[4, 3]),
        (at_two(score()), &[4, 3]),
        (middling(newest()), &[5, 3]),
        (middling(score()), &[3, 5]),
        (middling(at_two(newest())), &[3]),
        (nothing(score()), &[]),
    ];
    for (filter, wanted) in wanted {
        assert_eq!(ids(store, filter).await, wanted, "{filter:?}");
        for rows in [1, 2, 4] {
            let (mut filter, mut found) = (filter, Vec::new());
            loop {
                let page = store.agency_snapshots(&ada(), filter, limit(rows)).await;
                let page = page.unwrap();
                let Some(last) = page.last() else { break };
                filter.after = Some(last.cursor());
                found.extend(numbers(&page));
            }
            assert_eq!(found, wanted, "{filter:?} by {rows}");
        }
    }
    // A place need not be that of a snapshot, and the lower of two ends holds.
    let place = |delta_agency, seconds, id| AgencyFilter {
        max_delta: Some(0.1),
        after: Some(AgencyCursor {
            delta_agency,
            taken_at: at(seconds),
            id: agency_id(id),
        }),
        ..score()
    };
    assert_eq!(ids(store, place(0.5, 2, 4)).await, [3, 5, 6, 2]);
    assert_eq!(ids(store, place(0.1, 2, 3)).await, [5, 6, 2]);
    assert_eq!(ids(store, place(-0.25, 2, 99)).await, [2]);
}

pub(crate) async fn agency_snapshots_are_listed_by_50_when_nothing_is_said(
    store: &dyn MemoryStore,
) {
    for id in 1..=51 {
        record(store, new_agency(id, 0.5), 0).await;
    }
    for (rows, wanted) in [(Limit::default(), 50), (limit(0), 0), (Limit::MAX, 51)] {
        let any = AgencyFilter::default();
        let found = store.agency_snapshots(&ada(), any, rows).await.unwrap();
        assert_eq!(found.len(), wanted);
    }
}

pub(crate) async fn a_bad_agency_snapshot_is_refused(store: &dyn MemoryStore) {
    let mut endless = new_agency(1, 0.0);
    endless.measures.ai_reliance = f64::INFINITY;
    for bad in [
        new_agency(1, f64::NAN),
        endless,
        new_agency(1, 0.0).with_task_description("\u{0}"),
        new_agency(1, 0.0).with_task_complexity("\u{0}"),
        new_agency(1, 0.0).with_task_complexity("x".repeat(513)),
    ] {
        let result = store.record_agency_snapshot(&ada(), bad, at(0)).await;
        assert_refused!(result, Invalid);
    }
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
    let longest = new_agency(1, 0.0).with_task_complexity("x".repeat(512));
    record(store, longest, 0).await;
    let any = AgencyFilter::default;
    for filter in [
        AgencyFilter {
            min_delta: Some(f64::NAN),
            ..any()
        },
        AgencyFilter {
            max_delta: Some(f64::INFINITY),
            ..any()
        },
    ] {
        let result = store.agency_snapshots(&ada(), filter, Limit::MAX).await;
        assert_refused!(result, Invalid);
    }
}
