//! Agency snapshots: how much somebody decides and can do without the assistant, measured.

use serde::{Deserialize, Serialize};

use crate::{AgencySnapshotId, InvalidInput, TenantId, Timestamp, finite, free_text, label_text};

/// The nine measures of a snapshot. What they mean, and their scale, is the application's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct AgencyMeasures {
    /// How good the person's decisions were.
    pub decision_quality: f64,
    /// How much the person learned.
    pub skill_development: f64,
    /// How much the person relied on the assistant.
    pub ai_reliance: f64,
    /// How far bottlenecks were overcome.
    pub bottleneck_resolution: f64,
    /// How confident the person was.
    pub user_confidence: f64,
    /// How engaged the person was.
    pub engagement: f64,
    /// How independent the person felt.
    pub autonomy_perception: f64,
    /// How much independence was kept.
    pub autonomy_retention: f64,
    /// The change of agency: the score by which snapshots are listed.
    pub delta_agency: f64,
}

impl AgencyMeasures {
    /// Every measure with its name, in the order of the definition.
    pub const fn named(&self) -> [(&'static str, f64); 9] {
        [
            ("decision_quality", self.decision_quality),
            ("skill_development", self.skill_development),
            ("ai_reliance", self.ai_reliance),
            ("bottleneck_resolution", self.bottleneck_resolution),
            ("user_confidence", self.user_confidence),
            ("engagement", self.engagement),
            ("autonomy_perception", self.autonomy_perception),
            ("autonomy_retention", self.autonomy_retention),
            ("delta_agency", self.delta_agency),
        ]
    }

    /// Checks and normalises every measure.
    ///
    /// # Errors
    /// The first measure that is not finite.
    pub fn validated(self) -> Result<AgencyMeasures, InvalidInput> {
        Ok(AgencyMeasures {
            decision_quality: finite("decision_quality", self.decision_quality)?,
            skill_development: finite("skill_development", self.skill_development)?,
            ai_reliance: finite("ai_reliance", self.ai_reliance)?,
            bottleneck_resolution: finite("bottleneck_resolution", self.bottleneck_resolution)?,
            user_confidence: finite("user_confidence", self.user_confidence)?,
            engagement: finite("engagement", self.engagement)?,
            autonomy_perception: finite("autonomy_perception", self.autonomy_perception)?,
            autonomy_retention: finite("autonomy_retention", self.autonomy_retention)?,
            delta_agency: finite("delta_agency", self.delta_agency)?,
        })
    }
}

/// How an assistant affected what somebody decides and can do, at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgencySnapshot {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id, unique within the tenant.
    pub id: AgencySnapshotId,
    /// What was measured.
    #[serde(flatten)]
    pub measures: AgencyMeasures,
    /// What the person was doing.
    pub task_description: Option<String>,
    /// How hard that was, in the application's words.
    pub task_complexity: Option<String>,
    /// When it was taken.
    pub taken_at: Timestamp,
}

impl AgencySnapshot {
    /// Where a listing goes on after this snapshot, in either order.
    pub fn cursor(&self) -> AgencyCursor {
        AgencyCursor {
            delta_agency: self.measures.delta_agency,
            taken_at: self.taken_at,
            id: self.id,
        }
    }
}

/// An agency snapshot to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAgencySnapshot {
    /// Made by the caller, so that a retry is the same snapshot and not a second one.
    pub id: AgencySnapshotId,
    /// What was measured; stored to the bit.
    pub measures: AgencyMeasures,
    /// What the person was doing.
    pub task_description: Option<String>,
    /// How hard that was, in the application's words; up to 512 bytes.
    pub task_complexity: Option<String>,
}

impl NewAgencySnapshot {
    /// A snapshot with a new id and nothing but its measures.
    pub fn new(measures: AgencyMeasures) -> NewAgencySnapshot {
        NewAgencySnapshot {
            id: AgencySnapshotId::generate(),
            measures,
            task_description: None,
            task_complexity: None,
        }
    }

    /// Sets the id, for a retry or an import.
    pub fn with_id(mut self, id: AgencySnapshotId) -> NewAgencySnapshot {
        self.id = id;
        self
    }

    /// Sets what the person was doing.
    pub fn with_task_description(mut self, task: impl Into<String>) -> NewAgencySnapshot {
        self.task_description = Some(task.into());
        self
    }

    /// Sets how hard that was, in the application's words.
    pub fn with_task_complexity(mut self, complexity: impl Into<String>) -> NewAgencySnapshot {
        self.task_complexity = Some(complexity.into());
        self
    }

    /// Checks and normalises every field.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(mut self) -> Result<NewAgencySnapshot, InvalidInput> {
        self.measures = self.measures.validated()?;
        let task = self.task_description.as_deref().unwrap_or_default();
        free_text("task_description", task)?;
        if let Some(complexity) = &self.task_complexity {
            label_text("task_complexity", complexity)?;
        }
        Ok(self)
    }

    /// Whether `stored` is what recording this snapshot gives, at whatever moment.
    pub fn is_same_write(&self, stored: &AgencySnapshot) -> bool {
        let bits = |measures: &AgencyMeasures| measures.named().map(|(_, value)| value.to_bits());
        self.id == stored.id
            && bits(&self.measures) == bits(&stored.measures)
            && self.task_description == stored.task_description
            && self.task_complexity == stored.task_complexity
    }

    /// What is stored when this is recorded.
    pub fn into_snapshot(self, tenant_id: TenantId, at: Timestamp) -> AgencySnapshot {
        AgencySnapshot {
            tenant_id,
            id: self.id,
            measures: self.measures,
            task_description: self.task_description,
            task_complexity: self.task_complexity,
            taken_at: at,
        }
    }
}

/// In which order agency snapshots are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum AgencyOrder {
    /// The newest first, then the greater id.
    #[default]
    Newest,
    /// The greatest change of agency first, then the newest, then the greater id.
    Score,
}

/// Which agency snapshots a listing gives, those that meet every condition that is set, and in
/// which order.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AgencyFilter {
    /// Only snapshots taken at this moment or later.
    pub from: Option<Timestamp>,
    /// Only snapshots taken at this moment or earlier.
    pub to: Option<Timestamp>,
    /// Only snapshots whose change of agency is this or more.
    pub min_delta: Option<f64>,
    /// Only snapshots whose change of agency is this or less.
    pub max_delta: Option<f64>,
    /// Which come first.
    pub order: AgencyOrder,
    /// Only snapshots that come after this place in that order.
    pub after: Option<AgencyCursor>,
}

impl AgencyFilter {
    /// Checks and normalises every condition.
    ///
    /// # Errors
    /// The first condition that is refused.
    pub fn validated(mut self) -> Result<AgencyFilter, InvalidInput> {
        let bound = |field, bound: Option<f64>| bound.map(|bound| finite(field, bound)).transpose();
        self.min_delta = bound("min_delta", self.min_delta)?;
        self.max_delta = bound("max_delta", self.max_delta)?;
        if let Some(after) = &mut self.after {
            after.delta_agency = finite("after", after.delta_agency)?;
        }
        Ok(self)
    }
}

/// A place in the listing of agency snapshots.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AgencyCursor {
    /// The last snapshot's change of agency.
    pub delta_agency: f64,
    /// When the last snapshot was taken.
    pub taken_at: Timestamp,
    /// The last snapshot's id.
    pub id: AgencySnapshotId,
}

#[cfg(test)]
mod tests {
    use super::{AgencyFilter, AgencyMeasures, NewAgencySnapshot};
    use crate::{Record, TenantId, Timestamp};

    const MEASURES: AgencyMeasures = AgencyMeasures {
        decision_quality: 0.1,
        skill_development: 0.2,
        ai_reliance: 0.3,
        bottleneck_resolution: 0.4,
        user_confidence: 0.5,
        engagement: 0.6,
        autonomy_perception: 0.7,
        autonomy_retention: 0.8,
        delta_agency: -0.9,
    };

    #[test]
    fn every_measure_is_finite() {
        let spoil: [fn(&mut AgencyMeasures) -> &mut f64; 9] = [
            |it| &mut it.decision_quality,
            |it| &mut it.skill_development,
            |it| &mut it.ai_reliance,
            |it| &mut it.bottleneck_resolution,
            |it| &mut it.user_confidence,
            |it| &mut it.engagement,
            |it| &mut it.autonomy_perception,
            |it| &mut it.autonomy_retention,
            |it| &mut it.delta_agency,
        ];
        for (place, measure) in spoil.into_iter().enumerate() {
            let mut measures = MEASURES;
            *measure(&mut measures) = f64::NAN;
            let refused = NewAgencySnapshot::new(measures).validated().unwrap_err();
            assert_eq!(refused.field, MEASURES.named()[place].0);
            *measure(&mut measures) = -0.0;
            let normal = NewAgencySnapshot::new(measures).validated().unwrap();
            assert!(normal.measures.named()[place].1.is_sign_positive());
        }
    }

    #[test]
    fn texts_and_bounds_are_checked() {
        let new = || NewAgencySnapshot::new(MEASURES);
        let long = new().with_task_complexity("x".repeat(513)).validated();
        assert_eq!(long.unwrap_err().field, "task_complexity");
        let longest = new().with_task_complexity("x".repeat(512)).validated();
        assert!(longest.is_ok());
        let bad = new().with_task_description("\u{0}").validated();
        assert_eq!(bad.unwrap_err().field, "task_description");
        let filter = AgencyFilter {
            max_delta: Some(f64::NAN),
            ..AgencyFilter::default()
        };
        assert_eq!(filter.validated().unwrap_err().field, "max_delta");
    }

    #[test]
    fn a_record_has_its_measures_beside_its_other_fields() {
        let new = NewAgencySnapshot::new(MEASURES);
        let snapshot = new.into_snapshot(TenantId::new("ada").unwrap(), Timestamp::UNIX_EPOCH);
        let record = Record::from(snapshot);
        let json = serde_json::to_value(&record).unwrap();
        assert_eq!(json["record"], "agency_snapshot");
        assert_eq!(json["delta_agency"], -0.9);
        assert_eq!(serde_json::from_value::<Record>(json).unwrap(), record);
    }
}
