use memory_domain::{
    ContextType, JsonObject, Mission, MissionFilter, MissionStatus, NewMission, Timestamp,
    mission_node_key,
};
use memory_storage::MemoryStore;
use serde_json::json;

use crate::support::{
    ada, assert_refused, at, limit, mission_id, new_mission, new_node, node_id, object, tenant,
};

async fn log(store: &dyn MemoryStore, new: NewMission, seconds: i64) -> Mission {
    store.log_mission(&ada(), new, at(seconds)).await.unwrap()
}

async fn the_mission(store: &dyn MemoryStore, key: &str) -> Mission {
    store.mission(&ada(), key).await.unwrap().unwrap()
}

pub(crate) async fn a_mission_is_logged_whole(store: &dyn MemoryStore) {
    let new = NewMission {
        iterations: Some(i64::MAX),
        files_modified: Some(0),
        ..new_mission(1, "m-1")
            .with_domain("coding")
            .with_cost_usd(1.5)
            .with_duration_seconds(0.1)
            .with_metadata(object(json!({"subject": "é 🦀"})))
    };
    let logged = log(store, new, 7).await;
    let wanted = Mission {
        tenant_id: ada(),
        id: mission_id(1),
        key: "m-1".into(),
        status: MissionStatus::SUCCESS,
        domain: Some("coding".into()),
        cost_usd: Some(1.5),
        iterations: Some(i64::MAX),
        duration_seconds: Some(0.1),
        files_modified: Some(0),
        metadata: object(json!({"subject": "é 🦀"})),
        created_at: at(7),
    };
    assert_eq!(logged, wanted);
    assert_eq!(the_mission(store, "m-1").await, wanted);
    assert_eq!(store.mission(&ada(), "M-1").await.unwrap(), None);
    assert_eq!(store.mission(&tenant("bea"), "m-1").await.unwrap(), None);
}

pub(crate) async fn logging_again_replaces_all_but_id_and_creation(store: &dyn MemoryStore) {
    let first = new_mission(1, "m-1")
        .with_domain("coding")
        .with_cost_usd(1.5);
    log(store, first, 1).await;
    let mut again = new_mission(2, "m-1").with_metadata(object(json!({"a": 1})));
    again.status = MissionStatus::new("paused").unwrap();
    let logged = log(store, again.clone(), 2).await;
    assert_eq!((logged.id, logged.created_at), (mission_id(1), at(1)));
    assert_eq!(logged.status.as_str(), "paused");
    assert_eq!((&logged.domain, logged.cost_usd), (&None, None));
    assert_eq!(logged.metadata, object(json!({"a": 1})));
    assert_eq!(the_mission(store, "m-1").await, logged);
    assert_eq!(log(store, again, 3).await, logged);
    // The id that was not used is free.
    assert_eq!(log(store, new_mission(2, "m-2"), 4).await.id, mission_id(2));
}

pub(crate) async fn a_new_mission_under_a_known_id_is_a_conflict(store: &dyn MemoryStore) {
    let first = log(store, new_mission(1, "m-1"), 0).await;
    let other = new_mission(1, "m-2").with_node(node_id(1));
    assert_refused!(store.log_mission(&ada(), other, at(1)).await, Conflict);
    assert_eq!(the_mission(store, "m-1").await, first);
    assert_eq!(store.mission(&ada(), "m-2").await.unwrap(), None);
    assert_eq!(store.node(&ada(), node_id(1)).await.unwrap(), None);
}

pub(crate) async fn a_mission_gets_its_node_in_the_same_step(store: &dyn MemoryStore) {
    let new = || new_mission(1, "m-1").with_node(node_id(1));
    log(store, new(), 3).await;
    let key = mission_node_key("m-1").unwrap();
    let node = store.node_by_key(&ada(), &key).await.unwrap().unwrap();
    assert_eq!(node.id, node_id(1));
    assert_eq!(node.context_type, ContextType::DomainEntity);
    assert_eq!(node.entity_type.as_ref().unwrap().as_str(), "mission");
    assert_eq!(node.name.as_deref(), Some("m-1"));
    assert_eq!(
        (&node.content, node.created_at, node.access_count),
        (&JsonObject::new(), at(3), 1)
    );
    // The one that is there stays as it is.
    log(store, new_mission(1, "m-1").with_node(node_id(2)), 4).await;
    log(store, new(), 5).await;
    assert_eq!(
        store.node_by_key(&ada(), &key).await.unwrap().unwrap(),
        node
    );
    assert_eq!(store.node(&ada(), node_id(2)).await.unwrap(), None);
}

pub(crate) async fn a_node_id_that_is_taken_is_a_conflict(store: &dyn MemoryStore) {
    store
        .remember(&ada(), vec![new_node(1)], at(0))
        .await
        .unwrap();
    let first = log(store, new_mission(1, "m-1"), 0).await;
    let changed = new_mission(1, "m-1")
        .with_domain("other")
        .with_node(node_id(1));
    assert_refused!(store.log_mission(&ada(), changed, at(1)).await, Conflict);
    assert_eq!(the_mission(store, "m-1").await, first);
    let new = new_mission(2, "m-2").with_node(node_id(1));
    assert_refused!(store.log_mission(&ada(), new, at(1)).await, Conflict);
    assert_eq!(store.mission(&ada(), "m-2").await.unwrap(), None);
}

pub(crate) async fn costs_and_durations_are_kept_to_the_bit(store: &dyn MemoryStore) {
    let numbers = [
        0.1 + 0.2,
        0.000_123_456_789_012_345_6,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
        -1.0,
        0.0,
    ];
    for (id, number) in (1..).zip(numbers) {
        let key = format!("m-{id}");
        let new = new_mission(id, &key)
            .with_cost_usd(number)
            .with_duration_seconds(number);
        log(store, new, 0).await;
        let stored = the_mission(store, &key).await;
        assert_eq!(stored.cost_usd.map(f64::to_bits), Some(number.to_bits()));
        assert_eq!(
            stored.duration_seconds.map(f64::to_bits),
            Some(number.to_bits())
        );
    }
}

async fn pages(store: &dyn MemoryStore, filter: &MissionFilter, rows: u32) -> Vec<u128> {
    let mut filter = filter.clone();
    let mut ids = Vec::new();
    loop {
        let page = store.missions(&ada(), filter.clone(), limit(rows)).await;
        let page = page.unwrap();
        let Some(last) = page.last() else { return ids };
        filter.after = Some(last.cursor());
        ids.extend(page.iter().map(|mission| mission.id.uuid().as_u128()));
        assert!(ids.len() <= 100, "the listing does not end: {ids:?}");
    }
}

pub(crate) async fn missions_are_listed_newest_first_then_the_greater_id(store: &dyn MemoryStore) {
    let missions = [
        (1, "failed", Some("coding"), 10),
        (2, "success", None, 30),
        (3, "failed", Some("writing"), 10),
        (4, "failed", Some("coding"), 20),
        (5, "success", Some("coding"), 10),
    ];
    for (id, status, domain, seconds) in missions {
        let mut new = new_mission(id, &id.to_string());
        new.status = MissionStatus::new(status).unwrap();
        new.domain = domain.map(str::to_owned);
        log(store, new, seconds).await;
    }
    let any = MissionFilter::default();
    let failed = MissionFilter {
        status: Some(MissionStatus::FAILED),
        ..any.clone()
    };
    let coding = MissionFilter {
        domain: Some("coding".into()),
        ..any.clone()
    };
    let both = MissionFilter {
        domain: Some("coding".into()),
        ..failed.clone()
    };
    let early = MissionFilter {
        created_from: Some(at(10)),
        created_to: Some(at(19)),
        ..any.clone()
    };
    for rows in [1, 2, 1_000] {
        assert_eq!(pages(store, &any, rows).await, [2, 4, 5, 3, 1]);
        assert_eq!(pages(store, &failed, rows).await, [4, 3, 1]);
        assert_eq!(pages(store, &coding, rows).await, [4, 5, 1]);
        assert_eq!(pages(store, &both, rows).await, [4, 1]);
        assert_eq!(pages(store, &early, rows).await, [5, 3, 1]);
    }
    let never = MissionFilter {
        created_from: Some(Timestamp::MAX),
        ..any
    };
    assert_eq!(pages(store, &never, 10).await, [0_u128; 0]);
}

pub(crate) async fn a_bad_mission_is_refused(store: &dyn MemoryStore) {
    let long = "x".repeat(513);
    let bad = [
        new_mission(1, ""),
        new_mission(1, &long),
        new_mission(1, "k").with_domain(&long),
        new_mission(1, "k").with_cost_usd(f64::NAN),
        new_mission(1, "k").with_duration_seconds(f64::INFINITY),
        new_mission(1, "k").with_metadata(object(json!({"a": "\u{0}"}))),
    ];
    for new in bad {
        assert_refused!(store.log_mission(&ada(), new, at(0)).await, Invalid);
    }
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
    let longest = "x".repeat(512);
    let good = new_mission(1, &longest)
        .with_domain(&longest)
        .with_node(node_id(1));
    log(store, good, 0).await;
    assert_eq!(the_mission(store, &longest).await.id, mission_id(1));
    assert_refused!(store.mission(&ada(), "").await, Invalid);
}
