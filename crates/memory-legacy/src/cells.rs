use std::borrow::Cow;

use memory_domain::{InvalidInput, JsonObject, Timestamp, finite, free_text, key_text};
use memory_storage::{RawRow, RawValue, RuleUse};
use serde_json::Value;
use uuid::Uuid;

use crate::catalog::Place;
use crate::ids::TableIds;
use crate::json::{self, Json};
use crate::{SourceTimezone, rules, time};

/// How a format's times without a zone are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NaiveTimes {
    pub(crate) zone: SourceTimezone,
    /// The rule that applies where this is an assumption.
    pub(crate) rule: Option<&'static str>,
}

impl NaiveTimes {
    /// For a system that is documented to write `documented`, or no such times at all.
    pub(crate) fn new(
        given: Option<SourceTimezone>,
        documented: Option<SourceTimezone>,
    ) -> NaiveTimes {
        let zone = given.or(documented).unwrap_or(SourceTimezone::UTC);
        let rule = if Some(zone) == documented {
            None
        } else if zone == SourceTimezone::UTC {
            Some(rules::NAIVE_AS_UTC)
        } else {
            Some(rules::NAIVE_AS_GIVEN)
        };
        NaiveTimes { zone, rule }
    }
}

/// The values of one row while it is converted, with the rules that were needed.
pub(crate) struct Cells<'a> {
    row: &'a RawRow,
    naive: NaiveTimes,
    pub(crate) rules: Vec<RuleUse>,
}

/// A JSON column's value.
pub(crate) enum Metadata {
    /// NULL in the source.
    Null,
    /// An object, or what a rule took for an empty one.
    Object(JsonObject),
}

impl<'a> Cells<'a> {
    pub(crate) fn new(row: &'a RawRow, naive: NaiveTimes) -> Self {
        let rules = Vec::new();
        Cells { row, naive, rules }
    }

    pub(crate) fn value(&self, place: Place) -> &'a RawValue {
        value(self.row, place)
    }

    /// Notes that a rule changed the value in a column.
    pub(crate) fn rule(
        &mut self,
        rule: &'static str,
        place: Place,
        from: impl Into<String>,
        to: impl Into<String>,
    ) {
        self.rules.push(RuleUse {
            rule,
            column: place.name.to_owned(),
            from: from.into(),
            to: to.into(),
        });
    }

    /// A text that must be there.
    pub(crate) fn text(&self, place: Place) -> Result<&'a str, InvalidInput> {
        self.optional_text(place)?
            .ok_or_else(|| refuse(place, &RawValue::Null, "give a text"))
    }

    /// A text or NULL.
    pub(crate) fn optional_text(&self, place: Place) -> Result<Option<&'a str>, InvalidInput> {
        let value = self.value(place);
        match value {
            RawValue::Null => Ok(None),
            RawValue::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(error) => {
                    let at = error.valid_up_to();
                    let problem = format!("it is not UTF-8 from byte {at} on; mend its encoding");
                    Err(refuse(place, value, problem))
                }
            },
            _ => Err(refuse(place, value, "give a text")),
        }
    }

    /// An integer that must be there.
    pub(crate) fn integer(&self, place: Place) -> Result<i64, InvalidInput> {
        match self.value(place) {
            RawValue::Integer(integer) => Ok(*integer),
            other => Err(refuse(place, other, "give an integer")),
        }
    }

    /// An integer or NULL.
    pub(crate) fn optional_integer(&self, place: Place) -> Result<Option<i64>, InvalidInput> {
        match self.value(place) {
            RawValue::Null => Ok(None),
            _ => self.integer(place).map(Some),
        }
    }

    /// A number or NULL; an integer counts where a double holds it exactly.
    pub(crate) fn optional_real(&mut self, place: Place) -> Result<Option<f64>, InvalidInput> {
        match self.value(place) {
            RawValue::Null => Ok(None),
            RawValue::Real(real) if *real == 0.0 && real.is_sign_negative() => {
                self.rule(rules::NEGATIVE_ZERO, place, "-0.0", "0.0");
                Ok(Some(0.0))
            }
            RawValue::Real(real) => Ok(Some(*real)),
            RawValue::Integer(integer) => match exact(*integer) {
                Some(real) => Ok(Some(real)),
                None => Err(refuse(place, self.value(place), "give a smaller number")),
            },
            other => Err(refuse(place, other, "give a number")),
        }
    }

    /// A finite number that must be there.
    pub(crate) fn real(&mut self, place: Place) -> Result<f64, InvalidInput> {
        let real = self.optional_real(place)?;
        let real = real.ok_or_else(|| refuse(place, &RawValue::Null, "give a number"))?;
        finite(place.name, real)
    }

    /// A moment or NULL.
    pub(crate) fn optional_time(
        &mut self,
        place: Place,
    ) -> Result<Option<Timestamp>, InvalidInput> {
        match self.value(place) {
            RawValue::Null => Ok(None),
            _ => self.time(place).map(Some),
        }
    }

    /// A free text or NULL.
    pub(crate) fn optional_free_text(&self, place: Place) -> Result<Option<String>, InvalidInput> {
        let text = self.optional_text(place)?;
        if let Some(text) = text {
            free_text(place.name, text)?;
        }
        Ok(text.map(str::to_owned))
    }

    /// A free text that must be there.
    pub(crate) fn free_text(&self, place: Place) -> Result<String, InvalidInput> {
        let text = self.text(place)?;
        free_text(place.name, text)?;
        Ok(text.to_owned())
    }

    /// A key text that must be there.
    pub(crate) fn key_text(&self, place: Place) -> Result<String, InvalidInput> {
        let text = self.text(place)?;
        key_text(place.name, text)?;
        Ok(text.to_owned())
    }

    /// A key text or NULL.
    pub(crate) fn optional_key_text(&self, place: Place) -> Result<Option<String>, InvalidInput> {
        match self.value(place) {
            RawValue::Null => Ok(None),
            _ => self.key_text(place).map(Some),
        }
    }

    /// A moment that must be there.
    pub(crate) fn time(&mut self, place: Place) -> Result<Timestamp, InvalidInput> {
        let value = self.value(place);
        let text = match value {
            RawValue::Integer(_) | RawValue::Real(_) => {
                let problem = "the unit of the number is not known; give a text such as \
                    2026-02-05T15:17:45.407069+00:00";
                return Err(refuse(place, value, problem));
            }
            _ => self.text(place)?,
        };
        let moment = time::read(text, self.naive.zone)
            .map_err(|problem| InvalidInput::new(place.name, text, problem))?;
        let stored = || moment.timestamp.to_string();
        if let (true, Some(rule)) = (moment.naive, self.naive.rule) {
            let from = format!("{text} ({})", self.naive.zone);
            self.rule(rule, place, from, stored());
        }
        if moment.rounded {
            self.rule(rules::TIME_ROUNDED, place, text, stored());
        }
        Ok(moment.timestamp)
    }

    /// A moment in seconds since the beginning of 1970, UTC, that must be there.
    pub(crate) fn epoch(&mut self, place: Place) -> Result<Timestamp, InvalidInput> {
        let value = self.value(place);
        let seconds = match value {
            RawValue::Real(seconds) => Some(*seconds),
            RawValue::Integer(seconds) => exact(*seconds),
            _ => None,
        };
        let seconds =
            seconds.ok_or_else(|| refuse(place, value, "give the seconds since 1970, a number"))?;
        let moment = time::from_epoch(seconds).map_err(|problem| refuse(place, value, problem))?;
        if seconds == 0.0 && seconds.is_sign_negative() {
            self.rule(rules::NEGATIVE_ZERO, place, "-0.0", "0.0");
        } else if !time::is_epoch(moment, seconds) {
            let from = format!("{seconds:?}");
            self.rule(rules::TIME_ROUNDED, place, from, moment.to_string());
        }
        Ok(moment)
    }

    /// Metadata, of which NULL is none; a column that the file does not have is no change.
    pub(crate) fn metadata_or_empty(&mut self, place: Place) -> Result<JsonObject, InvalidInput> {
        match self.metadata(place)? {
            Metadata::Object(object) => Ok(object),
            Metadata::Null => {
                if place.at.is_some() {
                    self.rule(rules::NULL_METADATA, place, "NULL", "{}");
                }
                Ok(JsonObject::new())
            }
        }
    }

    /// A JSON object, or NULL, or one of the spellings of nothing.
    pub(crate) fn metadata(&mut self, place: Place) -> Result<Metadata, InvalidInput> {
        let Some(text) = self.optional_text(place)? else {
            return Ok(Metadata::Null);
        };
        if text.is_empty() {
            self.rule(rules::EMPTY_METADATA, place, "", "{}");
            return Ok(Metadata::Object(JsonObject::new()));
        }
        match json::read(place.name, text)? {
            Json::Null => {
                self.rule(rules::JSON_NULL_METADATA, place, text, "{}");
                Ok(Metadata::Object(JsonObject::new()))
            }
            Json::Object(object, changes) => {
                for change in changes {
                    self.rule(change.rule, place, change.from, change.to);
                }
                Ok(Metadata::Object(object))
            }
        }
    }

    /// A JSON value of any type, or NULL.
    pub(crate) fn json(&mut self, place: Place) -> Result<Option<Value>, InvalidInput> {
        let Some(text) = self.optional_text(place)? else {
            return Ok(None);
        };
        let (value, changes) = json::read_any(place.name, text)?;
        for change in changes {
            self.rule(change.rule, place, change.from, change.to);
        }
        Ok(Some(value))
    }

    /// An id that should be a UUID: kept if it is one, else made from the text.
    pub(crate) fn uuid(&mut self, place: Place, ids: &TableIds) -> Result<Uuid, InvalidInput> {
        let text = self.text(place)?;
        if text.is_empty() {
            return Err(InvalidInput::new(place.name, text, "give a UUID"));
        }
        let (uuid, rule) = match Uuid::try_parse(text) {
            Ok(uuid) => (uuid, rules::ID_RESPELLED),
            Err(_) => (ids.id(text), rules::ID_HASHED),
        };
        let spelled = uuid.to_string();
        if spelled != text {
            self.rule(rule, place, text, spelled);
        }
        Ok(uuid)
    }
}

/// An integer as the double of the same value, if there is one.
pub(crate) fn exact(integer: i64) -> Option<f64> {
    let high = i32::try_from(integer >> 32).ok()?;
    let low = u32::try_from(integer & 0xffff_ffff).ok()?;
    let real = f64::from(high) * 4_294_967_296.0 + f64::from(low);
    // Beyond 53 bits the sum is rounded, and only some integers survive that.
    (integer.unsigned_abs() <= 1 << 53).then_some(real)
}

/// Refuses a value, shown by its storage class.
pub(crate) fn refuse(place: Place, value: &RawValue, problem: impl Into<String>) -> InvalidInput {
    InvalidInput::new(place.name, show(value), problem)
}

/// The value of a row in a column.
pub(crate) fn value(row: &RawRow, place: Place) -> &RawValue {
    place
        .at
        .and_then(|at| row.get(at))
        .unwrap_or(&RawValue::Null)
}

/// A value for a person: what it is, unless it is a text.
pub(crate) fn show(value: &RawValue) -> Cow<'_, str> {
    match value {
        RawValue::Null => "NULL".into(),
        RawValue::Integer(integer) => format!("the integer {integer}").into(),
        RawValue::Real(real) => format!("the real {real:?}").into(),
        RawValue::Text(bytes) => String::from_utf8_lossy(bytes),
        RawValue::Blob(bytes) => format!("a blob of {} bytes", bytes.len()).into(),
    }
}
