use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_diesel::FeedbackRow;
use memory_diesel::schema::feedback;
use memory_diesel::sql_types::IdValue;
use memory_domain::{
    Feedback, FeedbackFilter, FeedbackId, Limit, NewFeedback, TenantId, Timestamp,
};
use memory_storage::{FeedbackStore, StorageError};

use crate::error::Failure;
use crate::executor::{Executor, Reading, Sqlite};
use crate::listing::Newest;
use crate::statement::Statement;
use crate::tenants::{entities, touch};

#[async_trait]
impl<E: Executor> FeedbackStore for Sqlite<E> {
    async fn record_feedback(
        &self,
        tenant: &TenantId,
        feedback: NewFeedback,
        at: Timestamp,
    ) -> Result<Feedback, StorageError> {
        let new = feedback.validated()?;
        let tenant = tenant.clone();
        self.0
            .write("recording feedback", move |connection| {
                record(connection, tenant, new, at)
            })
            .await
    }

    async fn feedback(
        &self,
        tenant: &TenantId,
        filter: FeedbackFilter,
        limit: Limit,
    ) -> Result<Vec<Feedback>, StorageError> {
        let tenant = tenant.clone();
        self.0
            .read(Reading::of("listing feedback"), move |connection| {
                list(connection, &tenant, filter, limit)
            })
            .await
    }
}

fn record(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    new: NewFeedback,
    at: Timestamp,
) -> Result<Feedback, Failure> {
    if let Some(stands) = one(connection, &tenant, new.id)? {
        if new.is_same_write(&stands) {
            return Ok(stands);
        }
        return Err(Failure::Refused(StorageError::Conflict {
            what: "feedback",
            id: new.id.to_string(),
        }));
    }
    touch(connection, &tenant, at)?;
    let recorded = new.into_feedback(tenant, at);
    diesel::insert_into(feedback::table)
        .values(FeedbackRow::from(recorded.clone()))
        .execute(connection)?;
    Ok(recorded)
}

fn one(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: FeedbackId,
) -> Result<Option<Feedback>, Failure> {
    let row: Option<FeedbackRow> = feedback::table
        .find((tenant.as_str(), IdValue(id.uuid())))
        .select(FeedbackRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(Feedback::try_from).transpose()?)
}

fn list(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    filter: FeedbackFilter,
    limit: Limit,
) -> Result<Vec<Feedback>, Failure> {
    // Named, because without statistics SQLite may take the narrower index by time. Of several
    // conditions, the one that leaves the least.
    let index = match filter {
        _ if filter.message.is_some() => "feedback_by_message",
        _ if filter.session.is_some() => "feedback_by_session",
        _ if filter.rating.is_some() => "feedback_by_rating",
        _ => "feedback_by_time",
    };
    let sql = format!("select * from feedback indexed by {index} where tenant_id = ?");
    let mut statement = Statement::new(sql).text(tenant.as_str());
    if let Some(message) = filter.message {
        statement = statement.then(" and message_id = ?").id(message.uuid());
    }
    if let Some(session) = filter.session {
        statement = statement.then(" and session_id = ?").id(session.uuid());
    }
    if let Some(rating) = filter.rating {
        statement = statement.then(" and rating = ?").number(rating);
    }
    let newest = Newest {
        by: "created_at",
        from: filter.from,
        to: filter.to,
        after: filter
            .after
            .map(|place| (place.created_at, place.id.uuid())),
        limit,
    };
    entities(newest.of(statement).load::<FeedbackRow>(connection)?)
}
