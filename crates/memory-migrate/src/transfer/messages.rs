use std::collections::{BTreeSet, HashMap};

use memory_domain::{Message, Record, RecordKey, RecordKind, SessionId, TenantId};

use super::carrier::{Carrier, Pending};
use crate::MigrateError;

impl Carrier<'_> {
    /// Takes out the messages that would break the numbering of a session that stands.
    ///
    /// A session's message count is the number of its last message, and a transfer never changes
    /// what stands. So a message may only take a free number within the count: the whole of a
    /// session that this run inserted, or a gap that an earlier run left. A message beyond the count
    /// belongs to a session that went on in the source after it was carried; the next append in the
    /// target would get its number a second time. What holds for a row's message holds for those
    /// beyond it, which come of the same row and stay out with it.
    pub(super) async fn hold_numbering(
        &mut self,
        rows: Vec<Pending>,
    ) -> Result<Vec<Pending>, MigrateError> {
        let sessions: BTreeSet<RecordKey> = rows.iter().filter_map(session_key).collect();
        if sessions.is_empty() {
            return Ok(rows);
        }
        let counts = self.message_counts(sessions.into_iter().collect()).await?;
        let (held, rows): (Vec<Pending>, Vec<Pending>) = rows
            .into_iter()
            .partition(|row| beyond_count(row, &counts).is_some());
        if !held.is_empty() {
            self.class_held(held, &counts).await?;
        }
        Ok(rows)
    }

    /// Remembers the message count of a session that the run inserted.
    pub(super) fn remember_count(&mut self, row: &Pending) {
        if let Record::Session(session) = row.record()
            && self.counts.len() < COUNTS
        {
            let key = (session.tenant_id.clone(), session.id);
            self.counts.insert(key, session.message_count);
        }
    }

    async fn message_counts(&mut self, sessions: Vec<RecordKey>) -> Result<Counts, MigrateError> {
        let mut counts = Counts::new();
        let mut others = Vec::new();
        for key in sessions {
            let id = SessionId::from_uuid(key.id.unwrap_or_default());
            match self.counts.get_key_value(&(key.tenant_id.clone(), id)) {
                Some((session, count)) => {
                    counts.insert(session.clone(), *count);
                }
                None => others.push(key),
            }
        }
        if others.is_empty() {
            return Ok(counts);
        }
        let found = self
            .writer
            .fetch(&others)
            .await
            .map_err(MigrateError::store(
                "reading the sessions of messages in the target",
            ))?;
        let found = found
            .into_iter()
            .flatten()
            .filter_map(|record| match record {
                Record::Session(session) => {
                    Some(((session.tenant_id, session.id), session.message_count))
                }
                _ => None,
            });
        counts.extend(found);
        Ok(counts)
    }

    /// A message beyond the count may still be one that stands.
    async fn class_held(
        &mut self,
        rows: Vec<Pending>,
        counts: &Counts,
    ) -> Result<(), MigrateError> {
        let keys: Vec<RecordKey> = rows.iter().map(|row| row.record().key()).collect();
        let standing = self
            .writer
            .fetch(&keys)
            .await
            .map_err(MigrateError::store("reading messages in the target"))?;
        for ((row, key), standing) in rows.iter().zip(&keys).zip(standing) {
            match standing {
                Some(standing) if standing.digest() == row.sealed.digest() => {
                    self.already_there(row);
                }
                Some(_) => self.conflict(row, key, "same id, other content")?,
                None => {
                    let reason = beyond_count(row, counts).unwrap_or_default();
                    self.put_aside(row, &reason)?;
                }
            }
        }
        Ok(())
    }
}

/// The message counts of the sessions that stand.
pub(super) type Counts = HashMap<(TenantId, SessionId), i64>;

/// How many message counts are remembered: of more sessions the target is asked, so that memory
/// stays bounded.
const COUNTS: usize = 250_000;

fn message(row: &Pending) -> Option<&Message> {
    match row.record() {
        Record::Message(message) => Some(message),
        _ => None,
    }
}

fn session_key(row: &Pending) -> Option<RecordKey> {
    let message = message(row)?;
    Some(RecordKey {
        kind: RecordKind::Session,
        tenant_id: message.tenant_id.clone(),
        id: Some(message.session_id.uuid()),
    })
}

/// Why a message may not be inserted; `None` if it may, or its session is not there, which the store
/// says itself.
fn beyond_count(row: &Pending, counts: &Counts) -> Option<String> {
    let message = message(row)?;
    let count = *counts.get(&(message.tenant_id.clone(), message.session_id))?;
    let beyond = row.beyond.iter().filter_map(|record| match record {
        Record::Message(message) => Some(message.number),
        _ => None,
    });
    let number = beyond.fold(message.number, i64::max);
    (number > count).then(|| {
        format!(
            "its number {number} lies beyond the message count {count} of session {}, which stands in the \
             target and is not changed by a transfer",
            message.session_id
        )
    })
}
