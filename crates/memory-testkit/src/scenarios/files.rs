use memory_domain::{
    EntityType, FileSnapshot, FileSnapshotCursor, KnowledgeStats, MissionStatus, NewMission,
    NewNode, NewRelationship, Node, RiskyFile,
};
use memory_storage::MemoryStore;
use serde_json::json;

use crate::support::{
    ada, assert_close, assert_refused, at, kind, limit, new_file, new_link, new_mission, new_node,
    new_snapshot, node_id, object, relationship_id, snapshot_id, tenant,
};

pub(crate) async fn a_snapshot_is_recorded_whole(store: &dyn MemoryStore) {
    let new = new_snapshot(1, "src/é.rs")
        .with_mission("m-1")
        .with_size_bytes(5_000_000_000)
        .with_lines_of_code(i64::MAX)
        .with_hash("abc")
        .with_metadata(object(json!({"a": [1]})));
    let recorded = store
        .record_file_snapshot(&ada(), new, at(7))
        .await
        .unwrap();
    let wanted = FileSnapshot {
        tenant_id: ada(),
        id: snapshot_id(1),
        path: "src/é.rs".into(),
        mission_key: Some("m-1".into()),
        size_bytes: Some(5_000_000_000),
        lines_of_code: Some(i64::MAX),
        hash: Some("abc".into()),
        metadata: object(json!({"a": [1]})),
        taken_at: at(7),
    };
    assert_eq!(recorded, wanted);
    let history = store
        .file_history(&ada(), "src/é.rs", limit(10), None)
        .await;
    assert_eq!(history.unwrap(), [wanted]);
}

pub(crate) async fn the_same_snapshot_again_is_the_same_write(store: &dyn MemoryStore) {
    let new = || new_snapshot(1, "a").with_size_bytes(1);
    let first = store.record_file_snapshot(&ada(), new(), at(0)).await;
    let again = store.record_file_snapshot(&ada(), new(), at(9)).await;
    assert_eq!(again.unwrap(), first.unwrap());
    let others = [
        new().with_size_bytes(2),
        new().with_hash("x"),
        new().with_mission("m"),
        new().with_lines_of_code(1),
        new_snapshot(1, "b").with_size_bytes(1),
    ];
    for other in others {
        let result = store.record_file_snapshot(&ada(), other, at(0)).await;
        assert_refused!(result, Conflict);
    }
}

pub(crate) async fn snapshots_come_newest_first_then_the_greater_id(store: &dyn MemoryStore) {
    let snapshots = [
        (1, "a", Some("m"), 10),
        (2, "a", None, 30),
        (3, "a", Some("n"), 10),
        (4, "b", Some("m"), 20),
        (5, "a", Some("m"), 20),
    ];
    for (id, path, mission, seconds) in snapshots {
        let mut new = new_snapshot(id, path);
        new.mission_key = mission.map(str::to_owned);
        let recorded = store.record_file_snapshot(&ada(), new, at(seconds)).await;
        recorded.unwrap();
    }
    for rows in [1, 2, 1_000] {
        let mut after: Option<FileSnapshotCursor> = None;
        let mut ids = Vec::new();
        loop {
            let page = store.file_history(&ada(), "a", limit(rows), after).await;
            let page = page.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.cursor());
            ids.extend(page.iter().map(|one| one.id.uuid().as_u128()));
        }
        assert_eq!(ids, [2, 5, 3, 1]);
        let (mut after, mut ids) = (None, Vec::new());
        loop {
            let page = store
                .mission_snapshots(&ada(), "m", limit(rows), after)
                .await;
            let page = page.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.cursor());
            ids.extend(page.iter().map(|one| one.id.uuid().as_u128()));
        }
        assert_eq!(ids, [5, 4, 1]);
    }
    let nothing = store
        .file_history(&tenant("bea"), "a", limit(9), None)
        .await;
    assert_eq!(nothing.unwrap(), []);
}

pub(crate) async fn a_path_has_up_to_1024_bytes(store: &dyn MemoryStore) {
    let longest = "é".repeat(512);
    let new = new_snapshot(1, &longest);
    store
        .record_file_snapshot(&ada(), new, at(0))
        .await
        .unwrap();
    let found = store.file_history(&ada(), &longest, limit(9), None).await;
    assert_eq!(found.unwrap().len(), 1);
    for bad in [String::new(), "x".repeat(1_025), "a\u{0}".to_owned()] {
        let new = new_snapshot(2, &bad);
        assert_refused!(
            store.record_file_snapshot(&ada(), new, at(0)).await,
            Invalid
        );
        let history = store.file_history(&ada(), &bad, limit(9), None).await;
        assert_refused!(history, Invalid);
    }
    let long = "x".repeat(513);
    let new = new_snapshot(2, "a").with_mission(&long);
    assert_refused!(
        store.record_file_snapshot(&ada(), new, at(0)).await,
        Invalid
    );
    let snapshots = store.mission_snapshots(&ada(), &long, limit(9), None).await;
    assert_refused!(snapshots, Invalid);
}

/// A mission and its node, both with that number.
async fn given_mission(store: &dyn MemoryStore, id: u128, status: MissionStatus) {
    let new = NewMission {
        status,
        ..new_mission(id, &format!("m-{id}")).with_node(node_id(id))
    };
    store.log_mission(&ada(), new, at(0)).await.unwrap();
}

async fn given_nodes(store: &dyn MemoryStore, nodes: Vec<NewNode>) {
    store.remember(&ada(), nodes, at(0)).await.unwrap();
}

async fn given_links(store: &dyn MemoryStore, links: &[(u128, &str, u128)]) {
    for (id, (from, word, to)) in (1..).zip(links) {
        let link = new_link(id, *from, word, *to);
        store.relate(&ada(), link, at(0)).await.unwrap();
    }
}

fn names(nodes: Result<Vec<Node>, memory_storage::StorageError>) -> Vec<String> {
    let nodes = nodes.unwrap().into_iter();
    nodes.map(|node| node.name.unwrap()).collect()
}

pub(crate) async fn who_worked_on_what_is_in_the_graph(store: &dyn MemoryStore) {
    for id in 1..=3 {
        given_mission(store, id, MissionStatus::SUCCESS).await;
    }
    let files = vec![
        new_file(11, "b"),
        new_file(12, "B"),
        new_file(13, "é"),
        new_file(14, "a"),
    ];
    given_nodes(store, files).await;
    given_nodes(store, vec![new_node(20)]).await;
    let links = [
        (1, "worked_on", 11),
        (1, "worked_on", 12),
        (1, "worked_on", 13),
        (2, "worked_on", 11),
        (1, "read", 14),
        (14, "worked_on", 1),
        (1, "worked_on", 20),
        (1, "worked_on", 2),
    ];
    given_links(store, &links).await;
    // A parallel one counts once, and an undirected one whichever end comes first.
    let parallel = new_link(50, 1, "worked_on", 11).with_label("again");
    store.relate(&ada(), parallel, at(0)).await.unwrap();
    for (id, from, to) in [(51, 3, 11), (52, 14, 3)] {
        let link = NewRelationship::new(node_id(from), kind("worked_on"), node_id(to))
            .with_id(relationship_id(id))
            .undirected();
        store.relate(&ada(), link, at(0)).await.unwrap();
    }
    let files = async |key: &str, rows, after: Option<&str>| {
        names(
            store
                .files_of_mission(&ada(), key, limit(rows), after)
                .await,
        )
    };
    assert_eq!(files("m-1", 10, None).await, ["B", "b", "é"]);
    assert_eq!(files("m-1", 2, None).await, ["B", "b"]);
    assert_eq!(files("m-1", 2, Some("b")).await, ["é"]);
    assert_eq!(files("m-3", 10, None).await, ["a", "b"]);
    assert_eq!(files("m-9", 10, None).await, [""; 0]);
    let missions = async |path: &str, rows, after: Option<&str>| {
        names(
            store
                .missions_of_file(&ada(), path, limit(rows), after)
                .await,
        )
    };
    assert_eq!(missions("b", 10, None).await, ["m-1", "m-2", "m-3"]);
    assert_eq!(missions("b", 1, Some("m-1")).await, ["m-2"]);
    assert_eq!(missions("a", 10, None).await, ["m-3"]);
    assert_eq!(missions("c", 10, None).await, [""; 0]);
    let other = store
        .files_of_mission(&tenant("bea"), "m-1", limit(9), None)
        .await;
    assert_eq!(names(other), [""; 0]);
}

fn risky(path: &str, bugs: u64, failed_missions: u64, missions: u64) -> RiskyFile {
    RiskyFile {
        path: path.into(),
        bugs,
        failed_missions,
        missions,
    }
}

/// Four missions, of which two failed, five files and two bugs.
async fn given_risks(store: &dyn MemoryStore) {
    for (id, status) in [
        (1, MissionStatus::FAILED),
        (2, MissionStatus::SUCCESS),
        (3, MissionStatus::ABORTED),
        (4, MissionStatus::FAILED),
    ] {
        given_mission(store, id, status).await;
    }
    let bug = |id, name: &str| {
        let bug = EntityType::new("bug").unwrap();
        NewNode::entity(bug, name).unwrap().with_id(node_id(id))
    };
    let nodes = vec![
        new_file(11, "calm"),
        new_file(12, "buggy"),
        new_file(13, "failing"),
        new_file(14, "Calm"),
        new_file(15, "untouched"),
        bug(21, "1"),
        bug(22, "2"),
    ];
    given_nodes(store, nodes).await;
    let links = [
        (2, "worked_on", 11),
        (3, "worked_on", 14),
        (2, "worked_on", 12),
        (3, "worked_on", 12),
        (1, "worked_on", 13),
        (4, "worked_on", 13),
        (2, "worked_on", 13),
        (3, "caused_bug", 21),
        (3, "caused_bug", 22),
        (2, "fixed_bug", 21),
    ];
    given_links(store, &links).await;
}

pub(crate) async fn risky_files_come_by_score_then_missions_then_path(store: &dyn MemoryStore) {
    given_risks(store).await;
    let wanted = [
        risky("buggy", 2, 0, 2),
        risky("Calm", 2, 0, 1),
        risky("failing", 0, 2, 3),
        risky("calm", 0, 0, 1),
    ];
    let found = store.risky_files(&ada(), limit(10)).await.unwrap();
    assert_eq!(found, wanted);
    let scores: Vec<u64> = found.iter().map(RiskyFile::score).collect();
    assert_eq!(scores, [20, 20, 10, 0]);
    let first = store.risky_files(&ada(), limit(2)).await.unwrap();
    assert_eq!(first, wanted[..2]);
    assert_eq!(store.risky_files(&ada(), limit(0)).await.unwrap(), []);
    let nobody = store.risky_files(&tenant("bea"), limit(9)).await;
    assert_eq!(nobody.unwrap(), []);
}

pub(crate) async fn parallel_relationships_make_no_file_riskier(store: &dyn MemoryStore) {
    given_risks(store).await;
    let before = store.risky_files(&ada(), limit(10)).await.unwrap();
    for (id, from, word, to) in [
        (50, 3, "worked_on", 12),
        (51, 1, "worked_on", 13),
        (52, 3, "caused_bug", 21),
    ] {
        let parallel = new_link(id, from, word, to).with_label("again");
        store.relate(&ada(), parallel, at(0)).await.unwrap();
    }
    let after = store.risky_files(&ada(), limit(10)).await.unwrap();
    assert_eq!(after, before);
    // A bug that two missions caused was caused twice; one in a file is one too.
    for (id, to) in [(60, 21), (61, 12)] {
        let link = new_link(id, 2, "caused_bug", to);
        store.relate(&ada(), link, at(0)).await.unwrap();
    }
    let after = store.risky_files(&ada(), limit(10)).await.unwrap();
    let wanted = [
        risky("buggy", 4, 0, 2),
        risky("failing", 2, 2, 3),
        risky("calm", 2, 0, 1),
        risky("Calm", 2, 0, 1),
    ];
    // 30 for `failing`; `Calm` and `calm` are equal but for the path.
    assert_eq!(after[..2], wanted[..2]);
    assert_eq!(after[2..], [wanted[3].clone(), wanted[2].clone()]);
}

pub(crate) async fn knowledge_of_nothing_is_nothing(store: &dyn MemoryStore) {
    let stats = store.knowledge_stats(&ada()).await.unwrap();
    assert_eq!(stats, KnowledgeStats::default());
    store
        .remember(&ada(), vec![new_node(1)], at(0))
        .await
        .unwrap();
    let stats = store.knowledge_stats(&ada()).await.unwrap();
    assert_eq!(
        stats,
        KnowledgeStats::default(),
        "a node without a type is none"
    );
}

pub(crate) async fn knowledge_stats_count_and_add_up(store: &dyn MemoryStore) {
    given_risks(store).await;
    let numbers = [
        ("m-1", Some(0.1), Some(60.0)),
        ("m-2", Some(0.2), None),
        ("m-3", Some(1_000.05), Some(30.5)),
        ("m-4", None, None),
    ];
    for (key, cost, duration) in numbers {
        let known = store.mission(&ada(), key).await.unwrap().unwrap();
        let mut new = NewMission::new(key, known.status).with_id(known.id);
        (new.cost_usd, new.duration_seconds) = (cost, duration);
        store.log_mission(&ada(), new, at(1)).await.unwrap();
    }
    for (id, path) in [(1, "a"), (2, "a"), (3, "b")] {
        let new = new_snapshot(id, path);
        store
            .record_file_snapshot(&ada(), new, at(0))
            .await
            .unwrap();
    }
    let stats = store.knowledge_stats(&ada()).await.unwrap();
    let entities: Vec<(&str, u64)> = stats
        .entities
        .iter()
        .map(|(of, count)| (of.as_str(), *count))
        .collect();
    assert_eq!(entities, [("bug", 2), ("file", 5), ("mission", 4)]);
    let relationships: Vec<(&str, u64)> = stats
        .relationships
        .iter()
        .map(|(of, count)| (of.as_str(), *count))
        .collect();
    let wanted = [("caused_bug", 2), ("fixed_bug", 1), ("worked_on", 7)];
    assert_eq!(relationships, wanted);
    assert_eq!(
        (
            stats.missions,
            stats.successful_missions,
            stats.failed_missions
        ),
        (4, 1, 2)
    );
    assert_close(stats.cost_usd_total, 1_000.35);
    assert_close(stats.cost_usd_mean.unwrap(), 333.45);
    assert_close(stats.duration_seconds_mean.unwrap(), 45.25);
    assert_eq!(stats.files, 2);
}

pub(crate) async fn sums_of_the_greatest_costs_stay_numbers(store: &dyn MemoryStore) {
    for id in 1..=3 {
        let new = new_mission(id, &id.to_string())
            .with_cost_usd(f64::MAX)
            .with_duration_seconds(f64::MIN);
        store.log_mission(&ada(), new, at(0)).await.unwrap();
    }
    let stats = store.knowledge_stats(&ada()).await.unwrap();
    assert!(stats.cost_usd_total.is_finite());
    assert!(stats.cost_usd_mean.unwrap() > 1e289);
    assert!(stats.duration_seconds_mean.unwrap() < -1e289);
}
