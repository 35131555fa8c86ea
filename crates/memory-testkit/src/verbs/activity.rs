use memory_domain::{
    AuditEventId, AuditFilter, DecisionFilter, DecisionId, FeedbackFilter, FeedbackId, Limit,
    TenantId, Timestamp,
};
use memory_storage::{MemoryStore, StorageError};

use super::{Given, SECRET, Verb, shown};
use crate::support::{
    at, decision_id, event_id, feedback_id, message_id, new_decision, new_event, new_feedback,
    session_id,
};

/// The feedback, decisions and audit events with which verbs are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenActivity {
    /// Feedback that stands.
    pub feedback: FeedbackId,
    /// A decision that stands.
    pub decision: DecisionId,
    /// An event that stands.
    pub event: AuditEventId,
    /// The feedback to be recorded.
    pub new_feedback: FeedbackId,
    /// The decision to be recorded.
    pub new_decision: DecisionId,
    /// The event to be recorded.
    pub new_event: AuditEventId,
}

impl Default for GivenActivity {
    fn default() -> Self {
        GivenActivity {
            feedback: feedback_id(1),
            decision: decision_id(1),
            event: event_id(1),
            new_feedback: feedback_id(11),
            new_decision: decision_id(11),
            new_event: event_id(11),
        }
    }
}

impl GivenActivity {
    pub(super) fn taken(self) -> GivenActivity {
        GivenActivity {
            new_feedback: self.feedback,
            new_decision: self.decision,
            new_event: self.event,
            ..self
        }
    }

    pub(super) async fn write(&self, store: &dyn MemoryStore, tenant: &TenantId) {
        let feedback = new_feedback(0, 1)
            .with_id(self.feedback)
            .on_session(session_id(1))
            .on_message(message_id(1))
            .with_comment(SECRET);
        let feedback = store.record_feedback(tenant, feedback, at(0)).await;
        feedback.unwrap();
        let decision = new_decision(0, SECRET).with_id(self.decision);
        let decision = store.record_decision(tenant, decision, at(0)).await;
        decision.unwrap();
        let event = new_event(0, SECRET, 0).with_id(self.event);
        let event = store.record_events(tenant, vec![event], at(0)).await;
        event.unwrap();
    }
}

impl Verb {
    pub(super) async fn call_of_activity(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        given: &Given,
        at: Timestamp,
    ) -> Result<String, StorageError> {
        let given = &given.activity;
        Ok(match self {
            Verb::RecordFeedback => {
                let feedback = new_feedback(0, -1).with_id(given.new_feedback);
                shown(store.record_feedback(tenant, feedback, at).await?)
            }
            Verb::Feedback => {
                let any = FeedbackFilter::default();
                shown(store.feedback(tenant, any, Limit::MAX).await?)
            }
            Verb::RecordDecision => {
                let decision = new_decision(0, "new").with_id(given.new_decision);
                shown(store.record_decision(tenant, decision, at).await?)
            }
            Verb::Decisions => {
                let any = DecisionFilter::default();
                shown(store.decisions(tenant, any, Limit::MAX).await?)
            }
            Verb::RecordEvents => {
                let event = new_event(0, "new", 1).with_id(given.new_event);
                shown(store.record_events(tenant, vec![event], at).await?)
            }
            Verb::AuditEvents => {
                let any = AuditFilter::default();
                shown(store.audit_events(tenant, any, Limit::MAX).await?)
            }
            _ => shown(store.decision(tenant, given.decision).await?),
        })
    }
}
