use std::collections::BTreeSet;

use memory_domain::{JsonObject, Record, TenantId, Timestamp};
use memory_storage::RawValue;
use serde_json::Value;
use uuid::Uuid;

use crate::cells::exact;
use crate::ids::SourceIds;
use crate::{LegacyKind, SourceTimezone, json, time};

/// What a column of the source holds, had back from a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SourceValue<'r> {
    /// NULL.
    Null,
    /// This text.
    Text(&'r str),
    /// A JSON text of this value, in whatever spelling.
    Json(&'r JsonObject),
    /// A JSON text of this value without these keys, in whatever spelling.
    JsonWithout(&'r JsonObject, &'static [&'static str]),
    /// A JSON text of any value, in whatever spelling.
    JsonValue(&'r Value),
    /// A JSON array of these texts, in their order.
    TextList(&'r [String]),
    /// A JSON array of these texts, each once, in whatever order and spelling.
    Texts(&'r BTreeSet<String>),
    /// This number.
    Number(i64),
    /// This number, by its value.
    Real(f64),
    /// This moment, in the form in which the source writes it.
    Time(Timestamp),
    /// This moment, in seconds since the beginning of 1970.
    Epoch(Timestamp),
    /// The text of this UUID.
    Uuid(Uuid),
    /// The integer of which this UUID was made, in the table that is named.
    Integer(&'static str, Uuid),
    /// Such an integer, or the text of this UUID.
    Id(&'static str, Uuid),
    /// The integer of which this UUID was made, in one of the tables that are named.
    IntegerOfEither([&'static str; 2], Uuid),
    /// The text of which this UUID was made, in the table that is named, or the text of this UUID.
    Name(&'static str, Uuid),
}

/// Gives back the values of the row that a record came from, by column; empty for a record that
/// no row becomes. Columns whose value a named rule changed come back as the rule left them.
///
/// `unnamed` is the tenant of rows that name none. Readers hold every row that no rule touched
/// against this before they hand it out.
pub fn inverse<'r>(
    kind: LegacyKind,
    record: &'r Record,
    unnamed: &TenantId,
) -> Vec<(&'static str, SourceValue<'r>)> {
    kind.format().inverse(record, unnamed)
}

impl SourceValue<'_> {
    /// Whether this is the value that the source holds. `ids` makes a table's ids.
    pub(crate) fn is(&self, raw: &RawValue, zone: SourceTimezone, ids: &SourceIds) -> bool {
        let text = match raw {
            RawValue::Null => return *self == SourceValue::Null,
            RawValue::Integer(integer) => {
                return match self {
                    SourceValue::Integer(table, uuid) | SourceValue::Id(table, uuid) => {
                        ids.table(table).integer(*integer) == *uuid
                    }
                    SourceValue::IntegerOfEither(tables, uuid) => tables
                        .iter()
                        .any(|table| ids.table(table).integer(*integer) == *uuid),
                    SourceValue::Epoch(moment) => {
                        exact(*integer).is_some_and(|seconds| time::is_epoch(*moment, seconds))
                    }
                    SourceValue::Number(number) => number == integer,
                    SourceValue::Real(own) => {
                        exact(*integer).is_some_and(|real| real.to_bits() == own.to_bits())
                    }
                    _ => false,
                };
            }
            RawValue::Real(real) => {
                return match self {
                    SourceValue::Real(own) => own.to_bits() == real.to_bits(),
                    SourceValue::Epoch(moment) => time::is_epoch(*moment, *real),
                    _ => false,
                };
            }
            RawValue::Blob(_) => return false,
            RawValue::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => text,
                Err(_) => return false,
            },
        };
        match self {
            SourceValue::Null
            | SourceValue::Integer(..)
            | SourceValue::IntegerOfEither(..)
            | SourceValue::Number(_)
            | SourceValue::Real(_)
            | SourceValue::Epoch(_) => false,
            SourceValue::Text(own) => *own == text,
            SourceValue::Json(object) => json::holds(text, object),
            SourceValue::JsonWithout(object, keys) => {
                let mut object = (*object).clone();
                object.retain(|key, _| !keys.contains(&key.as_str()));
                json::holds(text, &object)
            }
            SourceValue::JsonValue(value) => json::holds_any(text, value),
            SourceValue::TextList(own) => {
                serde_json::from_str::<Vec<String>>(text).is_ok_and(|texts| texts == *own)
            }
            SourceValue::Texts(own) => {
                serde_json::from_str::<Vec<String>>(text).is_ok_and(|texts| {
                    texts.len() == own.len() && texts.iter().all(|text| own.contains(text))
                })
            }
            SourceValue::Time(moment) => {
                time::spell_like(*moment, text, zone).is_some_and(|spelled| spelled == text)
            }
            SourceValue::Uuid(uuid) | SourceValue::Id(_, uuid) => spells(text, *uuid),
            SourceValue::Name(table, uuid) => {
                spells(text, *uuid) || ids.table(table).id(text) == *uuid
            }
        }
    }
}

/// Whether a text is a UUID as it is written: in lower case, with hyphens.
pub(crate) fn spells(text: &str, uuid: Uuid) -> bool {
    uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use memory_domain::JsonObject;
    use memory_storage::RawValue;
    use uuid::Uuid;

    use super::SourceValue;
    use crate::SourceTimezone;
    use crate::ids::SourceIds;

    fn is(value: SourceValue<'_>, raw: &RawValue) -> bool {
        value.is(raw, SourceTimezone::UTC, &SourceIds::new("jarvis"))
    }

    fn text(text: &str) -> RawValue {
        RawValue::Text(text.into())
    }

    #[test]
    fn only_the_very_value_of_the_source_is_taken_for_it() {
        let object = JsonObject::from_iter([("a".to_owned(), 1.into())]);
        let moment = "2026-02-05T15:17:45.5Z".parse().unwrap();
        let uuid = Uuid::from_u128(0xab);
        let entity = SourceIds::new("jarvis").table("entities").integer(42);
        let written = "00000000-0000-0000-0000-0000000000ab";
        for (value, raw, other) in [
            (SourceValue::Null, RawValue::Null, text("")),
            (SourceValue::Text("a"), text("a"), text("a ")),
            (SourceValue::Text(""), text(""), RawValue::Null),
            (SourceValue::Text("5"), text("5"), RawValue::Integer(5)),
            (
                SourceValue::Text("a"),
                text("a"),
                RawValue::Blob(vec![b'a']),
            ),
            (
                SourceValue::Json(&object),
                text("{\"a\" : 1}"),
                text("{\"a\": 2}"),
            ),
            (
                SourceValue::Json(&object),
                text("{\"a\":1}"),
                text("{\"a\":1.0}"),
            ),
            (
                SourceValue::Time(moment),
                text("2026-02-05 16:17:45.500+01:00"),
                text("2026-02-05 16:17:45.500001+01:00"),
            ),
            (
                SourceValue::Time(moment),
                text("2026-02-05T15:17:45.5"),
                text("2026-02-05T15:17:45"),
            ),
            (
                SourceValue::Uuid(uuid),
                text(written),
                text(&written.to_uppercase()),
            ),
            (
                SourceValue::Integer("entities", entity),
                RawValue::Integer(42),
                RawValue::Integer(43),
            ),
            (
                SourceValue::Integer("entities", entity),
                RawValue::Integer(42),
                text("42"),
            ),
        ] {
            assert!(is(value, &raw), "{value:?} {raw:?}");
            assert!(!is(value, &other), "{value:?} {other:?}");
        }
        let tags = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        for (value, raw, other) in [
            (
                SourceValue::Real(0.0),
                RawValue::Real(0.0),
                RawValue::Real(-0.0),
            ),
            (
                SourceValue::Real(1.0),
                RawValue::Integer(1),
                RawValue::Integer(2),
            ),
            (
                SourceValue::Number(1),
                RawValue::Integer(1),
                RawValue::Real(1.0),
            ),
            (
                SourceValue::Texts(&tags),
                text("[\"b\", \"a\"]"),
                text("[\"a\", \"b\", \"a\"]"),
            ),
            (
                SourceValue::JsonWithout(&object, &["a"]),
                text("{}"),
                text("{\"a\": 1}"),
            ),
            (
                SourceValue::Id("entities", entity),
                RawValue::Integer(42),
                RawValue::Integer(43),
            ),
            (SourceValue::Id("entities", uuid), text(written), text("42")),
        ] {
            assert!(is(value, &raw), "{value:?} {raw:?}");
            assert!(!is(value, &other), "{value:?} {other:?}");
        }
        let relationship = SourceValue::Integer("relationships", entity);
        assert!(!is(relationship, &RawValue::Integer(42)));
    }

    #[test]
    fn seconds_and_names_are_had_back_too() {
        let moment = "2026-02-05T15:17:45.5Z".parse().unwrap();
        let uuid = Uuid::from_u128(0xab);
        let entity = SourceIds::new("jarvis").table("entities").integer(42);
        let written = "00000000-0000-0000-0000-0000000000ab";
        let named = SourceIds::new("jarvis").table("sessions").id("a-1");
        for (value, raw, other) in [
            (
                SourceValue::Epoch(moment),
                RawValue::Real(1_770_304_665.5),
                RawValue::Real(1_770_304_665.500_001),
            ),
            (
                SourceValue::Epoch("2026-02-05T15:17:45Z".parse().unwrap()),
                RawValue::Integer(1_770_304_665),
                RawValue::Integer(1_770_304_666),
            ),
            (
                SourceValue::IntegerOfEither(["messages", "entities"], entity),
                RawValue::Integer(42),
                RawValue::Integer(43),
            ),
            (
                SourceValue::Name("sessions", named),
                text("a-1"),
                text("a-2"),
            ),
            (
                SourceValue::Name("sessions", uuid),
                text(written),
                RawValue::Null,
            ),
        ] {
            assert!(is(value, &raw), "{value:?} {raw:?}");
            assert!(!is(value, &other), "{value:?} {other:?}");
        }
    }
}
