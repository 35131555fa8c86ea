use super::{Entity, Kind, keyed};
use crate::canonical::ObjectEncoder;
use crate::{AgencySnapshot, Goal, InvalidInput, finite, key_text, label_text};

impl Kind for Goal {
    const NOUN: &'static str = "goal";
}

impl Entity for Goal {
    keyed!();

    fn check(&self) -> Result<(), InvalidInput> {
        key_text("complexity", &self.complexity)?;
        match self.estimated_value {
            Some(value) => finite("estimated_value", value).map(drop),
            None => Ok(()),
        }
    }

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        out.optional_plain("completed_at", self.completed_at);
        out.text("complexity", &self.complexity);
        out.plain("created_at", self.created_at);
        out.optional_plain("deadline", self.deadline);
        out.text("description", &self.description);
        out.optional_double("estimated_value", self.estimated_value);
        out.plain("id", self.id);
        out.integer("importance", self.importance);
        out.plain("status", self.status);
        out.text("tenant_id", self.tenant_id.as_str());
    }
}

impl Kind for AgencySnapshot {
    const NOUN: &'static str = "agency snapshot";
}

impl Entity for AgencySnapshot {
    keyed!();

    fn check(&self) -> Result<(), InvalidInput> {
        self.measures.validated()?;
        match &self.task_complexity {
            Some(complexity) => label_text("task_complexity", complexity),
            None => Ok(()),
        }
    }

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        let measures = &self.measures;
        out.double("ai_reliance", measures.ai_reliance);
        out.double("autonomy_perception", measures.autonomy_perception);
        out.double("autonomy_retention", measures.autonomy_retention);
        out.double("bottleneck_resolution", measures.bottleneck_resolution);
        out.double("decision_quality", measures.decision_quality);
        out.double("delta_agency", measures.delta_agency);
        out.double("engagement", measures.engagement);
        out.plain("id", self.id);
        out.double("skill_development", measures.skill_development);
        out.plain("taken_at", self.taken_at);
        out.optional_text("task_complexity", self.task_complexity.as_deref());
        out.optional_text("task_description", self.task_description.as_deref());
        out.text("tenant_id", self.tenant_id.as_str());
        out.double("user_confidence", measures.user_confidence);
    }
}
