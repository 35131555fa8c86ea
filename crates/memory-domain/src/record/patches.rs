use super::{Entity, Kind, keyed};
use crate::canonical::ObjectEncoder;
use crate::{InvalidInput, PatchRequest, key_text, path_text};

impl Kind for PatchRequest {
    const NOUN: &'static str = "patch request";
}

impl Entity for PatchRequest {
    keyed!();

    fn check(&self) -> Result<(), InvalidInput> {
        path_text("target_file", &self.target_file)?;
        key_text("component", &self.component)?;
        key_text("improvement_type", &self.improvement_type)?;
        for id in &self.feedback_ids {
            key_text("feedback_ids", id)?;
        }
        match &self.reviewed_by {
            Some(reviewer) => key_text("reviewed_by", reviewer),
            None => Ok(()),
        }
    }

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        out.optional_text("application_error", self.application_error.as_deref());
        out.optional_plain("applied_at", self.applied_at);
        out.text("component", &self.component);
        out.double("confidence", self.confidence);
        out.plain("created_at", self.created_at);
        out.text("diff", &self.diff);
        out.texts("feedback_ids", self.feedback_ids.iter().map(String::as_str));
        out.plain("id", self.id);
        out.text("improvement_type", &self.improvement_type);
        out.json("metrics", &self.metrics);
        out.text("new_code", &self.new_code);
        out.text("reasoning", &self.reasoning);
        out.optional_text("review_comment", self.review_comment.as_deref());
        out.optional_plain("reviewed_at", self.reviewed_at);
        out.optional_text("reviewed_by", self.reviewed_by.as_deref());
        out.plain("status", self.status);
        out.text("target_file", &self.target_file);
        out.text("tenant_id", self.tenant_id.as_str());
    }
}
