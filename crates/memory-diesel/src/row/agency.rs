use diesel::prelude::*;
use memory_domain::{AgencyMeasures, AgencySnapshot, AgencySnapshotId};
use memory_storage::StorageError;

use super::Place;
use crate::schema::agency_snapshots;
use crate::sql_types::{IdValue, InstantValue};

/// A row of `agency_snapshots`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = agency_snapshots)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct AgencySnapshotRow {
    pub tenant_id: String,
    pub id: IdValue,
    pub decision_quality: f64,
    pub skill_development: f64,
    pub ai_reliance: f64,
    pub bottleneck_resolution: f64,
    pub user_confidence: f64,
    pub engagement: f64,
    pub autonomy_perception: f64,
    pub autonomy_retention: f64,
    pub delta_agency: f64,
    pub task_description: Option<String>,
    pub task_complexity: Option<String>,
    pub taken_at: InstantValue,
}

impl From<AgencySnapshot> for AgencySnapshotRow {
    fn from(snapshot: AgencySnapshot) -> AgencySnapshotRow {
        let measures = snapshot.measures;
        AgencySnapshotRow {
            tenant_id: snapshot.tenant_id.into(),
            id: IdValue(snapshot.id.uuid()),
            decision_quality: measures.decision_quality,
            skill_development: measures.skill_development,
            ai_reliance: measures.ai_reliance,
            bottleneck_resolution: measures.bottleneck_resolution,
            user_confidence: measures.user_confidence,
            engagement: measures.engagement,
            autonomy_perception: measures.autonomy_perception,
            autonomy_retention: measures.autonomy_retention,
            delta_agency: measures.delta_agency,
            task_description: snapshot.task_description,
            task_complexity: snapshot.task_complexity,
            taken_at: InstantValue(snapshot.taken_at),
        }
    }
}

impl TryFrom<AgencySnapshotRow> for AgencySnapshot {
    type Error = StorageError;

    fn try_from(row: AgencySnapshotRow) -> Result<AgencySnapshot, StorageError> {
        let place = Place {
            table: "agency_snapshots",
            id: &row.id.0,
        };
        Ok(AgencySnapshot {
            tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
            id: AgencySnapshotId::from_uuid(row.id.0),
            measures: AgencyMeasures {
                decision_quality: row.decision_quality,
                skill_development: row.skill_development,
                ai_reliance: row.ai_reliance,
                bottleneck_resolution: row.bottleneck_resolution,
                user_confidence: row.user_confidence,
                engagement: row.engagement,
                autonomy_perception: row.autonomy_perception,
                autonomy_retention: row.autonomy_retention,
                delta_agency: row.delta_agency,
            },
            task_description: row.task_description,
            task_complexity: row.task_complexity,
            taken_at: row.taken_at.0,
        })
    }
}
