//! Feedback: what a person thought of an answer.

use serde::{Deserialize, Serialize};

use crate::{FeedbackId, InvalidInput, MessageId, SessionId, TenantId, Timestamp, free_text};

/// What a person thought of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id, unique within the tenant.
    pub id: FeedbackId,
    /// The session it is about. No reference: feedback may outlive or precede what it names.
    pub session_id: Option<SessionId>,
    /// The message it is about. No reference either.
    pub message_id: Option<MessageId>,
    /// How good it was: −1, 0 and 1, or a scale of the application's own.
    pub rating: i64,
    /// What the person said of it.
    pub comment: Option<String>,
    /// What the answer should have been.
    pub correction: Option<String>,
    /// When it was recorded.
    pub created_at: Timestamp,
}

impl Feedback {
    /// Where a listing goes on after this feedback.
    pub fn cursor(&self) -> FeedbackCursor {
        FeedbackCursor {
            created_at: self.created_at,
            id: self.id,
        }
    }
}

/// Feedback to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct NewFeedback {
    /// Made by the caller, so that a retry is the same feedback and not a second one.
    pub id: FeedbackId,
    /// The session it is about; it need not be there.
    pub session_id: Option<SessionId>,
    /// The message it is about; it need not be there.
    pub message_id: Option<MessageId>,
    /// How good it was: −1, 0 and 1, or a scale of the application's own.
    pub rating: i64,
    /// What the person said of it.
    pub comment: Option<String>,
    /// What the answer should have been.
    pub correction: Option<String>,
}

impl NewFeedback {
    /// A rating with a new id, of nothing in particular.
    pub fn new(rating: i64) -> NewFeedback {
        NewFeedback {
            id: FeedbackId::generate(),
            session_id: None,
            message_id: None,
            rating,
            comment: None,
            correction: None,
        }
    }

    /// Sets the id, for a retry or an import.
    pub fn with_id(mut self, id: FeedbackId) -> NewFeedback {
        self.id = id;
        self
    }

    /// Sets the session it is about.
    pub fn on_session(mut self, session: SessionId) -> NewFeedback {
        self.session_id = Some(session);
        self
    }

    /// Sets the message it is about.
    pub fn on_message(mut self, message: MessageId) -> NewFeedback {
        self.message_id = Some(message);
        self
    }

    /// Sets what the person said.
    pub fn with_comment(mut self, comment: impl Into<String>) -> NewFeedback {
        self.comment = Some(comment.into());
        self
    }

    /// Sets what the answer should have been.
    pub fn with_correction(mut self, correction: impl Into<String>) -> NewFeedback {
        self.correction = Some(correction.into());
        self
    }

    /// Checks every field.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(self) -> Result<NewFeedback, InvalidInput> {
        free_text("comment", self.comment.as_deref().unwrap_or_default())?;
        free_text("correction", self.correction.as_deref().unwrap_or_default())?;
        Ok(self)
    }

    /// Whether `stored` is what recording this feedback gives, at whatever moment.
    pub fn is_same_write(&self, stored: &Feedback) -> bool {
        self.id == stored.id
            && self.session_id == stored.session_id
            && self.message_id == stored.message_id
            && self.rating == stored.rating
            && self.comment == stored.comment
            && self.correction == stored.correction
    }

    /// What is stored when this is recorded.
    pub fn into_feedback(self, tenant_id: TenantId, at: Timestamp) -> Feedback {
        Feedback {
            tenant_id,
            id: self.id,
            session_id: self.session_id,
            message_id: self.message_id,
            rating: self.rating,
            comment: self.comment,
            correction: self.correction,
            created_at: at,
        }
    }
}

/// Which feedback a listing gives: that which meets every condition that is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FeedbackFilter {
    /// Only feedback on this session.
    pub session: Option<SessionId>,
    /// Only feedback on this message.
    pub message: Option<MessageId>,
    /// Only feedback with this rating.
    pub rating: Option<i64>,
    /// Only feedback recorded at this moment or later.
    pub from: Option<Timestamp>,
    /// Only feedback recorded at this moment or earlier.
    pub to: Option<Timestamp>,
    /// Only feedback that comes after this place.
    pub after: Option<FeedbackCursor>,
}

/// A place in the listing of feedback: newest first, then the greater id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedbackCursor {
    /// The last feedback's time.
    pub created_at: Timestamp,
    /// The last feedback's id.
    pub id: FeedbackId,
}
