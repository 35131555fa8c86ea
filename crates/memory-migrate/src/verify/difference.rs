use memory_domain::{Record, RecordKey};
use serde::Serialize;
use serde_json::Value;

use crate::text::shorten;

/// One record that the two stores do not agree on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "difference", rename_all = "snake_case")]
pub enum Difference {
    /// It is only in the second store.
    MissingInA {
        /// Which record.
        key: RecordKey,
    },
    /// It is only in the first store.
    MissingInB {
        /// Which record.
        key: RecordKey,
    },
    /// It is in both, and differs.
    Fields {
        /// Which record.
        key: RecordKey,
        /// Where.
        fields: Vec<FieldDifference>,
    },
}

/// One field with its values in both stores, shortened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldDifference {
    /// The field, with the path into free-form JSON: `metadata.source`.
    pub field: String,
    /// The value in the first store; `None` if the key is not there.
    pub a: Option<String>,
    /// The value in the second store; `None` if the key is not there.
    pub b: Option<String>,
}

impl Difference {
    /// A record that is only in the second store.
    pub(super) fn missing_in_a(record: &Record) -> Difference {
        Difference::MissingInA { key: record.key() }
    }

    /// A record that is only in the first store.
    pub(super) fn missing_in_b(record: &Record) -> Difference {
        Difference::MissingInB { key: record.key() }
    }

    /// A record that differs.
    pub(super) fn fields(a: &Record, b: &Record) -> Difference {
        let key = a.key();
        let mut fields = Vec::new();
        compare(
            String::new(),
            encoded(a).as_ref(),
            encoded(b).as_ref(),
            &mut fields,
        );
        if fields.is_empty() {
            // The canonical encoding tells more apart than JSON's values do; say at least that.
            fields.push(FieldDifference {
                field: "(digest)".to_owned(),
                a: Some(a.digest().to_string()),
                b: Some(b.digest().to_string()),
            });
        }
        Difference::Fields { key, fields }
    }
}

fn encoded(record: &Record) -> Option<Value> {
    serde_json::to_value(record).ok()
}

/// Walks into objects on both sides, and lists what differs below.
fn compare(path: String, a: Option<&Value>, b: Option<&Value>, out: &mut Vec<FieldDifference>) {
    match (a, b) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let path = if path.is_empty() {
                    shorten(key)
                } else {
                    format!("{path}.{}", shorten(key))
                };
                compare(path, a.get(key), b.get(key), out);
            }
        }
        (a, b) if a == b => {}
        (a, b) => out.push(FieldDifference {
            field: path,
            a: a.map(shown),
            b: b.map(shown),
        }),
    }
}

/// As much of a value as shows what it is: texts without quotes.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => shorten(text),
        other => shorten(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use memory_domain::{
        JsonObject, NodeId, Record, Relationship, RelationshipId, RelationshipKind, TenantId,
        Timestamp,
    };
    use uuid::Uuid;

    use super::{Difference, FieldDifference};

    fn relationship() -> Relationship {
        Relationship {
            tenant_id: TenantId::new("ada").unwrap(),
            id: RelationshipId::from_uuid(Uuid::from_u128(1)),
            from: NodeId::from_uuid(Uuid::from_u128(2)),
            to: NodeId::from_uuid(Uuid::from_u128(3)),
            kind: RelationshipKind::DEPENDS_ON,
            label: String::new(),
            directed: true,
            strength: 0.5,
            metadata: JsonObject::from_iter([("a".to_owned(), serde_json::json!({"b": 1}))]),
            created_at: Timestamp::UNIX_EPOCH,
            last_reinforced_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn fields(b: Relationship) -> Vec<FieldDifference> {
        let a = Record::Relationship(relationship());
        match Difference::fields(&a, &Record::Relationship(b)) {
            Difference::Fields { fields, .. } => fields,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn swapped_ends_are_named() {
        let mut b = relationship();
        std::mem::swap(&mut b.from, &mut b.to);
        let names: Vec<_> = fields(b).into_iter().map(|field| field.field).collect();
        assert_eq!(names, ["from", "to"]);
    }

    #[test]
    fn a_microsecond_is_named_with_both_values() {
        let mut b = relationship();
        b.created_at = Timestamp::from_micros(1).unwrap();
        assert_eq!(
            fields(b),
            [FieldDifference {
                field: "created_at".to_owned(),
                a: Some("1970-01-01T00:00:00.000000Z".to_owned()),
                b: Some("1970-01-01T00:00:00.000001Z".to_owned()),
            }]
        );
    }

    #[test]
    fn a_key_that_one_side_lacks_is_named_by_its_path() {
        let mut b = relationship();
        b.metadata
            .insert("a".to_owned(), serde_json::json!({"c": null}));
        let fields = fields(b);
        assert_eq!(fields.len(), 2);
        assert_eq!(fields[0].field, "metadata.a.b");
        assert_eq!(
            (fields[0].a.as_deref(), fields[0].b.as_deref()),
            (Some("1"), None)
        );
        assert_eq!(fields[1].field, "metadata.a.c");
        assert_eq!(
            (fields[1].a.as_deref(), fields[1].b.as_deref()),
            (None, Some("null"))
        );
    }
}
