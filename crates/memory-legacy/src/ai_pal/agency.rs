use std::rc::Rc;

use memory_domain::{
    AgencyMeasures, AgencySnapshot, AgencySnapshotId, InvalidInput, Record, TenantId, label_text,
};
use memory_storage::RawRow;

use super::{tenant, text, user};
use crate::catalog::Place;
use crate::converting::Converted;
use crate::ids::TableIds;
use crate::inverse::SourceValue;
use crate::reading::{Mapped, Reading};
use crate::standing::Rows;

/// Makes agency snapshots of rows.
pub(super) struct Snapshots<'a> {
    reading: &'a Reading<'a>,
    mapped: Mapped<'a>,
    snapshot_id: Place,
    user_id: Place,
    timestamp: Place,
    task_description: Place,
    task_complexity: Place,
    ids: Rc<TableIds>,
}

impl<'a> Snapshots<'a> {
    pub(super) fn new(reading: &'a Reading<'a>, mapped: Mapped<'a>) -> Self {
        let place = |name| mapped.table.place(name);
        Snapshots {
            reading,
            mapped,
            snapshot_id: place("snapshot_id"),
            user_id: place("user_id"),
            timestamp: place("timestamp"),
            task_description: place("task_description"),
            task_complexity: place("task_complexity"),
            ids: reading.converting.ids.table("ari_snapshots"),
        }
    }
}

impl<'a> Rows<'a> for Snapshots<'a> {
    fn reading(&self) -> &'a Reading<'a> {
        self.reading
    }

    fn mapped(&self) -> Mapped<'a> {
        self.mapped
    }

    fn id(&self) -> Place {
        self.snapshot_id
    }

    fn further(&self) -> String {
        "null".to_owned()
    }

    fn convert(&self, raw: &RawRow, _: Option<i64>) -> Result<Converted, InvalidInput> {
        let mut cells = self.reading.cells(raw);
        let mut measure = |name| cells.real(self.mapped.table.place(name));
        let measures = AgencyMeasures {
            decision_quality: measure("decision_quality")?,
            skill_development: measure("skill_development")?,
            ai_reliance: measure("ai_reliance")?,
            bottleneck_resolution: measure("bottleneck_resolution")?,
            user_confidence: measure("user_confidence")?,
            engagement: measure("engagement")?,
            autonomy_perception: measure("autonomy_perception")?,
            autonomy_retention: measure("autonomy_retention")?,
            delta_agency: measure("delta_agency")?,
        };
        let task_complexity = cells.optional_free_text(self.task_complexity)?;
        if let Some(complexity) = &task_complexity {
            label_text(self.task_complexity.name, complexity)?;
        }
        let snapshot = AgencySnapshot {
            tenant_id: tenant(&mut cells, self.user_id, self.reading.converting.unnamed)?,
            id: AgencySnapshotId::from_uuid(cells.uuid(self.snapshot_id, &self.ids)?),
            measures,
            task_description: cells.optional_free_text(self.task_description)?,
            task_complexity,
            taken_at: cells.time(self.timestamp)?,
        };
        Ok(Converted {
            record: Record::AgencySnapshot(snapshot),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }
}

pub(super) fn inverse<'r>(
    snapshot: &'r AgencySnapshot,
    unnamed: &TenantId,
) -> Vec<(&'static str, SourceValue<'r>)> {
    let measures = &snapshot.measures;
    let real = SourceValue::Real;
    vec![
        ("snapshot_id", SourceValue::Uuid(snapshot.id.uuid())),
        ("user_id", user(&snapshot.tenant_id, unnamed)),
        ("timestamp", SourceValue::Time(snapshot.taken_at)),
        ("decision_quality", real(measures.decision_quality)),
        ("skill_development", real(measures.skill_development)),
        ("ai_reliance", real(measures.ai_reliance)),
        (
            "bottleneck_resolution",
            real(measures.bottleneck_resolution),
        ),
        ("user_confidence", real(measures.user_confidence)),
        ("engagement", real(measures.engagement)),
        ("autonomy_perception", real(measures.autonomy_perception)),
        ("autonomy_retention", real(measures.autonomy_retention)),
        ("delta_agency", real(measures.delta_agency)),
        (
            "task_description",
            text(snapshot.task_description.as_deref()),
        ),
        ("task_complexity", text(snapshot.task_complexity.as_deref())),
    ]
}
