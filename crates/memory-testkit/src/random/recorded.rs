//! Random calls of what was recorded.

use memory_domain::{
    AuditCursor, AuditFilter, AuditSeverity, DecisionCursor, DecisionFilter, DecisionId,
    FeedbackCursor, FeedbackFilter, NewAuditEvent, NewDecision, NewFeedback, Record, TenantId,
    Timestamp,
};
use memory_storage::{MemoryStore, StorageError};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::call::{Call, Outcome, one, records, value};
use super::strategy::{json, limit, message, moment, session, text, uuid};
use crate::support::at;

impl Call {
    pub(super) async fn make_recorded(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        at: Timestamp,
    ) -> Result<Outcome, StorageError> {
        let (feedback, decision) = (Record::Feedback, Record::Decision);
        Ok(match self {
            Call::RecordFeedback(new) => {
                one(store.record_feedback(tenant, new, at).await?, feedback)
            }
            Call::Feedback(filter, limit) => {
                records(store.feedback(tenant, filter, limit).await?, feedback)
            }
            Call::RecordDecision(new) => {
                one(store.record_decision(tenant, new, at).await?, decision)
            }
            Call::Decision(id) => records(store.decision(tenant, id).await?, decision),
            Call::Decisions(filter, limit) => {
                records(store.decisions(tenant, filter, limit).await?, decision)
            }
            Call::RecordEvents(batch) => value(store.record_events(tenant, batch, at).await?),
            Call::AuditEvents(filter, limit) => records(
                store.audit_events(tenant, filter, limit).await?,
                Record::AuditEvent,
            ),
            other => unreachable!("{other:?} is handled before"),
        })
    }
}

/// How many ids of each kind are used.
const IDS: usize = 4;

pub(super) fn recorded() -> BoxedStrategy<Call> {
    prop_oneof![
        2 => new_feedback().prop_map(Call::RecordFeedback),
        1 => (feedback_filter(), limit()).prop_map(|(filter, limit)| Call::Feedback(filter, limit)),
        2 => new_decision().prop_map(Call::RecordDecision),
        1 => decision().prop_map(Call::Decision),
        1 => (decision_filter(), limit())
            .prop_map(|(filter, limit)| Call::Decisions(filter, limit)),
        2 => vec(new_event(), 1..4).prop_map(Call::RecordEvents),
        1 => (audit_filter(), limit())
            .prop_map(|(filter, limit)| Call::AuditEvents(filter, limit)),
    ]
    .boxed()
}

fn decision() -> impl Strategy<Value = DecisionId> {
    uuid(IDS).prop_map(DecisionId::from_uuid)
}

/// A session as an application calls it; the empty one is refused.
fn name() -> impl Strategy<Value = String> {
    select(vec!["s", "S", "é", ""]).prop_map(str::to_owned)
}

fn new_feedback() -> impl Strategy<Value = NewFeedback> {
    let about = (option::of(session()), option::of(message()));
    (uuid(IDS), about, -1..2_i64, option::of(text())).prop_map(|(id, about, rating, comment)| {
        NewFeedback {
            id: memory_domain::FeedbackId::from_uuid(id),
            session_id: about.0,
            message_id: about.1,
            rating,
            comment,
            correction: None,
        }
    })
}

fn times() -> impl Strategy<Value = (Option<Timestamp>, Option<Timestamp>)> {
    (option::of(moment()), option::of(moment()))
}

fn feedback_filter() -> impl Strategy<Value = FeedbackFilter> {
    let after = (moment(), uuid(IDS)).prop_map(|(created_at, id)| FeedbackCursor {
        created_at,
        id: memory_domain::FeedbackId::from_uuid(id),
    });
    let about = (option::of(session()), option::of(message()));
    (about, option::of(-1..2_i64), times(), option::of(after)).prop_map(
        |(about, rating, (from, to), after)| FeedbackFilter {
            session: about.0,
            message: about.1,
            rating,
            from,
            to,
            after,
        },
    )
}

fn new_decision() -> impl Strategy<Value = NewDecision> {
    (decision(), option::of(name()), text()).prop_map(|(id, session_id, text)| NewDecision {
        session_id,
        ..NewDecision::new(text).with_id(id)
    })
}

fn decision_filter() -> impl Strategy<Value = DecisionFilter> {
    let after =
        (moment(), decision()).prop_map(|(decided_at, id)| DecisionCursor { decided_at, id });
    (option::of(name()), times(), option::of(after)).prop_map(|(session, (from, to), after)| {
        DecisionFilter {
            session,
            from,
            to,
            after,
        }
    })
}

fn severity() -> impl Strategy<Value = AuditSeverity> {
    select(vec![AuditSeverity::Info, AuditSeverity::Error])
}

fn new_event() -> impl Strategy<Value = NewAuditEvent> {
    let words = (
        select(vec!["login", "Login"]),
        severity(),
        option::of(name()),
    );
    (uuid(IDS), words, 0..3_i64, json()).prop_map(|(id, words, day, details)| NewAuditEvent {
        id: memory_domain::AuditEventId::from_uuid(id),
        session_id: words.2,
        details,
        ..NewAuditEvent::new(words.0, words.1, at(day * 86_400))
    })
}

fn audit_filter() -> impl Strategy<Value = AuditFilter> {
    let after = (moment(), uuid(IDS)).prop_map(|(at, id)| AuditCursor {
        at,
        id: memory_domain::AuditEventId::from_uuid(id),
    });
    let event_type = option::of(Just("login".to_owned()));
    let words = (option::of(severity()), event_type, option::of(name()));
    (words, times(), option::of(after)).prop_map(|(words, (from, to), after)| AuditFilter {
        severity: words.0,
        event_type: words.1,
        session: words.2,
        from,
        to,
        after,
    })
}
