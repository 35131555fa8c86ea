use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use memory_domain::limits::SUMMED_MAX;
use memory_domain::{
    FileSnapshot, FileSnapshotCursor, KnowledgeStats, Limit, MissionStatus, NewFileSnapshot, Node,
    NodeId, RelationshipKind, RiskyFile, TenantId, Timestamp, key_text, path_text,
};
use memory_storage::{FileStore, StorageError};

use super::{Belongings, Model, conflict, page};

#[async_trait]
impl FileStore for Model {
    async fn record_file_snapshot(
        &self,
        tenant: &TenantId,
        snapshot: NewFileSnapshot,
        at: Timestamp,
    ) -> Result<FileSnapshot, StorageError> {
        let new = snapshot.validated()?;
        self.write(tenant, at, |own| {
            let stands = own
                .snapshots
                .entry(new.id)
                .or_insert_with(|| new.clone().into_snapshot(tenant.clone(), at));
            if new.is_same_write(stands) {
                Ok(stands.clone())
            } else {
                Err(conflict("file snapshot", new.id))
            }
        })
    }

    async fn file_history(
        &self,
        tenant: &TenantId,
        path: &str,
        limit: Limit,
        after: Option<FileSnapshotCursor>,
    ) -> Result<Vec<FileSnapshot>, StorageError> {
        path_text("path", path)?;
        Ok(self.snapshots(tenant, limit, after, |snapshot| snapshot.path == path))
    }

    async fn mission_snapshots(
        &self,
        tenant: &TenantId,
        mission_key: &str,
        limit: Limit,
        after: Option<FileSnapshotCursor>,
    ) -> Result<Vec<FileSnapshot>, StorageError> {
        key_text("mission_key", mission_key)?;
        Ok(self.snapshots(tenant, limit, after, |snapshot| {
            snapshot.mission_key.as_deref() == Some(mission_key)
        }))
    }

    async fn files_of_mission(
        &self,
        tenant: &TenantId,
        mission_key: &str,
        limit: Limit,
        after: Option<&str>,
    ) -> Result<Vec<Node>, StorageError> {
        key_text("mission_key", mission_key)?;
        let nodes = self.read(tenant, |own| {
            let worked = worked(own);
            let files = worked
                .iter()
                .filter(|(mission, _)| key_of(mission) == mission_key);
            by_key(files.map(|(_, file)| (*file).clone()), limit, after)
        });
        Ok(nodes.unwrap_or_default())
    }

    async fn missions_of_file(
        &self,
        tenant: &TenantId,
        path: &str,
        limit: Limit,
        after: Option<&str>,
    ) -> Result<Vec<Node>, StorageError> {
        path_text("path", path)?;
        let nodes = self.read(tenant, |own| {
            let worked = worked(own);
            let missions = worked.iter().filter(|(_, file)| key_of(file) == path);
            by_key(
                missions.map(|(mission, _)| (*mission).clone()),
                limit,
                after,
            )
        });
        Ok(nodes.unwrap_or_default())
    }

    async fn risky_files(
        &self,
        tenant: &TenantId,
        limit: Limit,
    ) -> Result<Vec<RiskyFile>, StorageError> {
        let files = self.read(tenant, |own| {
            let caused = joined(own, &RelationshipKind::CAUSED_BUG);
            let mut files: BTreeMap<String, RiskyFile> = BTreeMap::new();
            for (mission, file) in worked(own) {
                let path = key_of(file).to_owned();
                let risky = files.entry(path.clone()).or_insert(RiskyFile {
                    path,
                    bugs: 0,
                    failed_missions: 0,
                    missions: 0,
                });
                let bugs = caused
                    .iter()
                    .filter(|(from, _)| *from == mission.id)
                    .count();
                let failed = own.missions.values().any(|known| {
                    known.key == key_of(mission) && known.status == MissionStatus::FAILED
                });
                risky.bugs += bugs as u64;
                risky.failed_missions += u64::from(failed);
                risky.missions += 1;
            }
            page(
                files.into_values(),
                |file| {
                    (
                        Reverse(file.score()),
                        Reverse(file.missions),
                        file.path.clone(),
                    )
                },
                None,
                limit,
            )
        });
        Ok(files.unwrap_or_default())
    }

    async fn knowledge_stats(&self, tenant: &TenantId) -> Result<KnowledgeStats, StorageError> {
        Ok(self.read(tenant, stats).unwrap_or_default())
    }
}

impl Model {
    fn snapshots(
        &self,
        tenant: &TenantId,
        limit: Limit,
        after: Option<FileSnapshotCursor>,
        is_meant: impl Fn(&FileSnapshot) -> bool,
    ) -> Vec<FileSnapshot> {
        let listed = self.read(tenant, |own| {
            let snapshots = own.snapshots.values();
            page(
                snapshots.filter(|snapshot| is_meant(snapshot)).cloned(),
                |snapshot| (Reverse(snapshot.taken_at), Reverse(snapshot.id)),
                after.map(|after| (Reverse(after.taken_at), Reverse(after.id))),
                limit,
            )
        });
        listed.unwrap_or_default()
    }
}

/// The two ends of relationships of a kind, as they lead; each pair once.
fn joined(own: &Belongings, kind: &RelationshipKind) -> BTreeSet<(NodeId, NodeId)> {
    let mut pairs = BTreeSet::new();
    for link in own.relationships.values().filter(|link| link.kind == *kind) {
        pairs.insert((link.from, link.to));
        if !link.directed {
            pairs.insert((link.to, link.from));
        }
    }
    pairs
}

/// The nodes of missions, each with that of a file on which it worked.
fn worked(own: &Belongings) -> Vec<(&Node, &Node)> {
    let is_of = |node: &Node, system| node.key.as_ref().is_some_and(|key| key.system() == system);
    joined(own, &RelationshipKind::WORKED_ON)
        .into_iter()
        .map(|(from, to)| (&own.nodes[&from], &own.nodes[&to]))
        .filter(|(mission, file)| is_of(mission, "mission") && is_of(file, "file"))
        .collect()
}

fn key_of(node: &Node) -> &str {
    node.key.as_ref().map_or("", |key| key.id())
}

fn by_key(nodes: impl Iterator<Item = Node>, limit: Limit, after: Option<&str>) -> Vec<Node> {
    let after = after.map(str::to_owned);
    page(nodes, |node| key_of(node).to_owned(), after, limit)
}

fn stats(own: &Belongings) -> KnowledgeStats {
    let mut stats = KnowledgeStats::default();
    for entity_type in own
        .nodes
        .values()
        .filter_map(|node| node.entity_type.clone())
    {
        *stats.entities.entry(entity_type).or_default() += 1;
    }
    for link in own.relationships.values() {
        *stats.relationships.entry(link.kind.clone()).or_default() += 1;
    }
    let missions = || own.missions.values();
    let ended = |status| missions().filter(|one| one.status == status).count() as u64;
    stats.missions = own.missions.len() as u64;
    stats.successful_missions = ended(MissionStatus::SUCCESS);
    stats.failed_missions = ended(MissionStatus::FAILED);
    let summed = |number: f64| number.clamp(-SUMMED_MAX, SUMMED_MAX);
    let costs = missions().filter_map(|mission| mission.cost_usd.map(summed));
    let costs: Vec<f64> = costs.collect();
    let durations = missions().filter_map(|one| one.duration_seconds.map(summed));
    let durations: Vec<f64> = durations.collect();
    stats.cost_usd_total = costs.iter().sum::<f64>() + 0.0;
    stats.cost_usd_mean = mean(&costs);
    stats.duration_seconds_mean = mean(&durations);
    let paths: BTreeSet<&str> = own.snapshots.values().map(|one| &*one.path).collect();
    stats.files = paths.len() as u64;
    stats
}

fn mean(numbers: &[f64]) -> Option<f64> {
    let count = u32::try_from(numbers.len()).expect("a model is small");
    (count > 0).then(|| numbers.iter().sum::<f64>() / f64::from(count))
}
