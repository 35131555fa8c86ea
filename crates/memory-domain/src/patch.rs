//! Patch requests: changes that an assistant proposes to its own code, which a person reviews.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    InvalidInput, JsonObject, PatchId, TenantId, Timestamp, WrongState, finite, free_text,
    key_text, normalise_json, path_text,
};

/// How far a patch request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchStatus {
    /// It waits for a review.
    PendingApproval,
    /// It may be applied.
    Approved,
    /// It was refused.
    Denied,
    /// It was applied.
    Applied,
    /// It was to be applied, and that failed.
    Failed,
}

impl PatchStatus {
    /// Every status, in the order of the definition.
    pub const ALL: [PatchStatus; 5] = [
        PatchStatus::PendingApproval,
        PatchStatus::Approved,
        PatchStatus::Denied,
        PatchStatus::Applied,
        PatchStatus::Failed,
    ];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            PatchStatus::PendingApproval => "pending_approval",
            PatchStatus::Approved => "approved",
            PatchStatus::Denied => "denied",
            PatchStatus::Applied => "applied",
            PatchStatus::Failed => "failed",
        }
    }
}

impl Display for PatchStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PatchStatus {
    type Err = InvalidInput;

    fn from_str(word: &str) -> Result<PatchStatus, InvalidInput> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| {
                let words = Self::ALL.map(PatchStatus::as_str).join(", ");
                InvalidInput::new("status", word, format!("give one of {words}"))
            })
    }
}

/// A change to code that waits for a person, or was reviewed.
///
/// It is pending until it is approved or denied; what is approved is then applied, or fails to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PatchRequest {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id, unique within the tenant.
    pub id: PatchId,
    /// The file that it changes.
    pub target_file: String,
    /// Why it should be made.
    pub reasoning: String,
    /// The change.
    pub diff: String,
    /// The code after the change.
    pub new_code: String,
    /// The part of the system that it belongs to.
    pub component: String,
    /// What kind of improvement it is.
    pub improvement_type: String,
    /// How sure the assistant is of it.
    pub confidence: f64,
    /// How far it is.
    pub status: PatchStatus,
    /// Who reviewed it.
    pub reviewed_by: Option<String>,
    /// What the reviewer said.
    pub review_comment: Option<String>,
    /// Why it could not be applied.
    pub application_error: Option<String>,
    /// The feedback that it answers, as the application names it, in the order given.
    pub feedback_ids: Vec<String>,
    /// The measurements that speak for it.
    pub metrics: JsonObject,
    /// When it was requested.
    pub created_at: Timestamp,
    /// When it was reviewed.
    pub reviewed_at: Option<Timestamp>,
    /// When it was applied.
    pub applied_at: Option<Timestamp>,
}

impl PatchRequest {
    /// Where a listing goes on after this request.
    pub fn cursor(&self) -> PatchCursor {
        PatchCursor {
            created_at: self.created_at,
            id: self.id,
        }
    }

    /// Approves or denies it; says whether anything changed: the same review again is the same
    /// write.
    ///
    /// # Errors
    /// It is not pending.
    pub fn review(&mut self, review: &PatchReview, at: Timestamp) -> Result<bool, WrongState> {
        let verdict = review.verdict();
        if self.status == verdict
            && self.reviewed_by.as_deref() == Some(&*review.reviewer)
            && self.review_comment == review.comment
        {
            return Ok(false);
        }
        self.allow(PatchStatus::PendingApproval, verdict)?;
        self.status = verdict;
        self.reviewed_by = Some(review.reviewer.clone());
        self.review_comment.clone_from(&review.comment);
        self.reviewed_at = Some(at);
        Ok(true)
    }

    /// Notes that it was applied; says whether anything changed.
    ///
    /// # Errors
    /// It is not approved.
    pub fn apply(&mut self, at: Timestamp) -> Result<bool, WrongState> {
        if self.status == PatchStatus::Applied {
            return Ok(false);
        }
        self.allow(PatchStatus::Approved, PatchStatus::Applied)?;
        self.status = PatchStatus::Applied;
        self.applied_at = Some(at);
        Ok(true)
    }

    /// Notes that it could not be applied; says whether anything changed: the same error again is
    /// the same write.
    ///
    /// # Errors
    /// It is not approved.
    pub fn fail(&mut self, error: &str) -> Result<bool, WrongState> {
        if self.status == PatchStatus::Failed && self.application_error.as_deref() == Some(error) {
            return Ok(false);
        }
        self.allow(PatchStatus::Approved, PatchStatus::Failed)?;
        self.status = PatchStatus::Failed;
        self.application_error = Some(error.to_owned());
        Ok(true)
    }

    fn allow(&self, from: PatchStatus, to: PatchStatus) -> Result<(), WrongState> {
        if self.status == from {
            return Ok(());
        }
        Err(WrongState::new("patch request", self.id, self.status, to))
    }
}

/// A patch to be requested.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPatch {
    /// Made by the caller, so that a retry is the same request and not a second one.
    pub id: PatchId,
    /// The file that it changes; 1 to 1,024 bytes.
    pub target_file: String,
    /// Why it should be made.
    pub reasoning: String,
    /// The change.
    pub diff: String,
    /// The code after the change.
    pub new_code: String,
    /// The part of the system that it belongs to; a key text.
    pub component: String,
    /// What kind of improvement it is; a key text.
    pub improvement_type: String,
    /// How sure the assistant is of it.
    pub confidence: f64,
    /// The feedback that it answers; key texts, in an order that is kept.
    pub feedback_ids: Vec<String>,
    /// The measurements that speak for it.
    pub metrics: JsonObject,
}

impl NewPatch {
    /// A request with a new id; reasoning, diff, code, confidence and measurements are empty.
    pub fn new(
        target_file: impl Into<String>,
        component: impl Into<String>,
        improvement_type: impl Into<String>,
    ) -> NewPatch {
        NewPatch {
            id: PatchId::generate(),
            target_file: target_file.into(),
            reasoning: String::new(),
            diff: String::new(),
            new_code: String::new(),
            component: component.into(),
            improvement_type: improvement_type.into(),
            confidence: 0.0,
            feedback_ids: Vec::new(),
            metrics: JsonObject::new(),
        }
    }

    /// Sets the id, for a retry or an import.
    pub fn with_id(mut self, id: PatchId) -> NewPatch {
        self.id = id;
        self
    }

    /// Sets why it should be made.
    pub fn with_reasoning(mut self, reasoning: impl Into<String>) -> NewPatch {
        self.reasoning = reasoning.into();
        self
    }

    /// Sets the change and the code after it.
    pub fn with_change(mut self, diff: impl Into<String>, new_code: impl Into<String>) -> NewPatch {
        self.diff = diff.into();
        self.new_code = new_code.into();
        self
    }

    /// Sets how sure the assistant is of it.
    pub fn with_confidence(mut self, confidence: f64) -> NewPatch {
        self.confidence = confidence;
        self
    }

    /// Adds feedback that it answers.
    pub fn with_feedback(mut self, feedback_id: impl Into<String>) -> NewPatch {
        self.feedback_ids.push(feedback_id.into());
        self
    }

    /// Sets the measurements that speak for it.
    pub fn with_metrics(mut self, metrics: JsonObject) -> NewPatch {
        self.metrics = metrics;
        self
    }

    /// Checks and normalises every field.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(mut self) -> Result<NewPatch, InvalidInput> {
        path_text("target_file", &self.target_file)?;
        free_text("reasoning", &self.reasoning)?;
        free_text("diff", &self.diff)?;
        free_text("new_code", &self.new_code)?;
        key_text("component", &self.component)?;
        key_text("improvement_type", &self.improvement_type)?;
        self.confidence = finite("confidence", self.confidence)?;
        for id in &self.feedback_ids {
            key_text("feedback_ids", id)?;
        }
        normalise_json("metrics", &mut self.metrics)?;
        Ok(self)
    }

    /// Whether `stored` is what requesting this patch gave, however far it is by now.
    pub fn is_same_write(&self, stored: &PatchRequest) -> bool {
        self.id == stored.id
            && self.target_file == stored.target_file
            && self.reasoning == stored.reasoning
            && self.diff == stored.diff
            && self.new_code == stored.new_code
            && self.component == stored.component
            && self.improvement_type == stored.improvement_type
            && self.confidence.to_bits() == stored.confidence.to_bits()
            && self.feedback_ids == stored.feedback_ids
            && self.metrics == stored.metrics
    }

    /// The request that stands when it was made.
    pub fn into_patch(self, tenant_id: TenantId, at: Timestamp) -> PatchRequest {
        PatchRequest {
            tenant_id,
            id: self.id,
            target_file: self.target_file,
            reasoning: self.reasoning,
            diff: self.diff,
            new_code: self.new_code,
            component: self.component,
            improvement_type: self.improvement_type,
            confidence: self.confidence,
            status: PatchStatus::PendingApproval,
            reviewed_by: None,
            review_comment: None,
            application_error: None,
            feedback_ids: self.feedback_ids,
            metrics: self.metrics,
            created_at: at,
            reviewed_at: None,
            applied_at: None,
        }
    }
}

/// What a reviewer says of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchReview {
    /// Whether it may be applied.
    pub approve: bool,
    /// Who says so; a key text.
    pub reviewer: String,
    /// What else there is to say.
    pub comment: Option<String>,
}

impl PatchReview {
    /// An approval without a comment.
    pub fn approval(reviewer: impl Into<String>) -> PatchReview {
        PatchReview {
            approve: true,
            reviewer: reviewer.into(),
            comment: None,
        }
    }

    /// A denial without a comment.
    pub fn denial(reviewer: impl Into<String>) -> PatchReview {
        PatchReview {
            approve: false,
            ..PatchReview::approval(reviewer)
        }
    }

    /// Sets the comment.
    pub fn with_comment(mut self, comment: impl Into<String>) -> PatchReview {
        self.comment = Some(comment.into());
        self
    }

    /// Checks every field.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(self) -> Result<PatchReview, InvalidInput> {
        key_text("reviewer", &self.reviewer)?;
        if let Some(comment) = &self.comment {
            free_text("comment", comment)?;
        }
        Ok(self)
    }

    /// The status that it leads to.
    pub const fn verdict(&self) -> PatchStatus {
        if self.approve {
            PatchStatus::Approved
        } else {
            PatchStatus::Denied
        }
    }
}

/// Which patch requests a listing gives: those that meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatchFilter {
    /// Only requests for this part of the system.
    pub component: Option<String>,
    /// Only requests that are this far.
    pub status: Option<PatchStatus>,
    /// Only requests that come after this place.
    pub after: Option<PatchCursor>,
}

impl PatchFilter {
    /// Checks every condition.
    ///
    /// # Errors
    /// The first condition that is refused.
    pub fn validated(self) -> Result<PatchFilter, InvalidInput> {
        if let Some(component) = &self.component {
            key_text("component", component)?;
        }
        Ok(self)
    }
}

/// A place in the listing of patch requests: newest first, then the greater id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatchCursor {
    /// When the last request was made.
    pub created_at: Timestamp,
    /// The last request's id.
    pub id: PatchId,
}

#[cfg(test)]
mod tests {
    use super::{NewPatch, PatchReview, PatchStatus};
    use crate::{TenantId, Timestamp};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn every_status_reads_back() {
        for status in PatchStatus::ALL {
            assert_eq!(status.as_str().parse::<PatchStatus>().unwrap(), status);
        }
    }

    #[test]
    fn only_what_is_approved_is_applied() {
        let new = NewPatch::new("a.rs", "core", "speed");
        let mut patch = new.into_patch(TenantId::new("ada").unwrap(), NOW);
        let refused = patch.apply(NOW).unwrap_err();
        assert_eq!(
            (&*refused.state, &*refused.wanted),
            ("pending_approval", "applied")
        );
        let approval = PatchReview::approval("eve");
        assert!(patch.review(&approval, NOW).unwrap());
        assert!(!patch.review(&approval, NOW).unwrap());
        assert!(patch.review(&PatchReview::denial("eve"), NOW).is_err());
        assert!(patch.apply(NOW).unwrap());
        assert!(!patch.apply(NOW).unwrap());
        assert!(patch.fail("late").is_err());
    }

    #[test]
    fn a_component_is_a_key_text_and_a_confidence_finite() {
        let refused = |new: NewPatch| new.validated().unwrap_err().field;
        assert_eq!(refused(NewPatch::new("", "c", "t")), "target_file");
        assert_eq!(refused(NewPatch::new("f", "", "t")), "component");
        let long = "x".repeat(513);
        assert_eq!(refused(NewPatch::new("f", "c", long)), "improvement_type");
        let unsure = NewPatch::new("f", "c", "t").with_confidence(f64::NAN);
        assert_eq!(refused(unsure), "confidence");
        let nameless = NewPatch::new("f", "c", "t").with_feedback("");
        assert_eq!(refused(nameless), "feedback_ids");
    }
}
