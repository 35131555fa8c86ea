use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};

use memory_domain::Record;

use super::carrier::Pending;

/// Splits rows, keeping their order, so that no two rows of one part have an id or a unique key in
/// common: the second then meets the first in the store, and gets its class from what stands there.
pub(crate) fn split(rows: Vec<Pending>) -> Vec<Vec<Pending>> {
    let mut waves = Vec::new();
    let mut wave = Vec::with_capacity(rows.len());
    let mut seen = HashSet::new();
    for row in rows {
        let keys = unique_keys(row.record());
        if keys.iter().flatten().any(|key| seen.contains(key)) {
            waves.push(std::mem::take(&mut wave));
            seen.clear();
        }
        seen.extend(keys.into_iter().flatten());
        wave.push(row);
    }
    waves.push(wave);
    waves
}

/// The hashes of what is unique in a record: its id, and what else no other record of its tenant may
/// have. Two keys of one hash only make a further part.
fn unique_keys(record: &Record) -> [Option<u64>; 2] {
    let tenant = record.tenant_id();
    let id = hash(&(0, tenant, record.key().id));
    let other = record.unique_key().map(|key| hash(&(1, tenant, key)));
    [Some(id), other]
}

fn hash(value: &impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}

#[cfg(test)]
mod tests {
    use memory_domain::{
        JsonObject, Message, MessageId, Record, Role, SessionId, TenantId, Timestamp,
    };
    use uuid::Uuid;

    use super::super::carrier::Pending;
    use super::split;

    fn message(id: u128, number: i64) -> Pending {
        let record = Record::Message(Message {
            tenant_id: TenantId::new("ada").unwrap(),
            id: MessageId::from_uuid(Uuid::from_u128(id)),
            session_id: SessionId::from_uuid(Uuid::from_u128(9)),
            number,
            role: Role::USER,
            content: String::new(),
            metadata: JsonObject::new(),
            created_at: Timestamp::UNIX_EPOCH,
        });
        Pending::new(0, id.to_string(), record, Vec::new(), Vec::new())
    }

    fn keys(rows: Vec<Pending>) -> Vec<Vec<String>> {
        split(rows)
            .into_iter()
            .map(|wave| wave.into_iter().map(|row| row.key).collect())
            .collect()
    }

    #[test]
    fn rows_without_anything_in_common_stay_together() {
        assert_eq!(keys(vec![message(1, 1), message(2, 2)]), [["1", "2"]]);
    }

    #[test]
    fn a_second_row_of_an_id_or_a_key_comes_later() {
        let by_id = keys(vec![message(1, 1), message(2, 2), message(1, 3)]);
        assert_eq!(by_id, [vec!["1", "2"], vec!["1"]]);
        let by_number = keys(vec![message(1, 1), message(2, 1), message(3, 3)]);
        assert_eq!(by_number, [vec!["1"], vec!["2", "3"]]);
    }
}
