use std::fmt::{self, Display};
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::InvalidInput;

/// A moment: whole microseconds, UTC, from the year 1 to the year 9999.
///
/// Finer parts are not kept by either database, so they are not representable here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// Microseconds in a day.
const MICROS_PER_DAY: f64 = 86_400e6;

impl Timestamp {
    /// 0001-01-01T00:00:00Z.
    pub const MIN: Timestamp = Timestamp(-62_135_596_800_000_000);
    /// 9999-12-31T23:59:59.999999Z.
    pub const MAX: Timestamp = Timestamp(253_402_300_799_999_999);
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Timestamp = Timestamp(0);

    /// Accepts microseconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// The moment must lie in the years 1 to 9999.
    pub fn from_micros(micros: i64) -> Result<Timestamp, InvalidInput> {
        if (Self::MIN.0..=Self::MAX.0).contains(&micros) {
            Ok(Timestamp(micros))
        } else {
            let problem = "give microseconds since 1970 within the years 1 to 9999";
            Err(InvalidInput::new("timestamp", micros, problem))
        }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The moment that lies `duration` later, at most [`Timestamp::MAX`].
    pub fn after(self, duration: Duration) -> Timestamp {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_add(micros).min(Self::MAX.0))
    }

    /// The moment that lies `duration` earlier, at least [`Timestamp::MIN`].
    pub fn before(self, duration: Duration) -> Timestamp {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_sub(micros).max(Self::MIN.0))
    }

    /// The days from `earlier` to this moment, as a fraction; zero if `earlier` is later.
    #[expect(
        clippy::cast_precision_loss,
        reason = "8,000 years of microseconds fit 58 bits; a day's fraction needs none of the lost ones"
    )]
    pub fn days_since(self, earlier: Timestamp) -> f64 {
        ((self.0 - earlier.0).max(0)) as f64 / MICROS_PER_DAY
    }
}

impl From<DateTime<Utc>> for Timestamp {
    /// Drops what is finer than a microsecond and clamps to the years 1 to 9999.
    fn from(time: DateTime<Utc>) -> Timestamp {
        Timestamp(time.timestamp_micros().clamp(Self::MIN.0, Self::MAX.0))
    }
}

impl Display for Timestamp {
    /// RFC 3339 with six digits: `2026-11-21T03:41:19.000000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::from_timestamp_micros(self.0).expect("years 1 to 9999 are in range");
        f.write_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl FromStr for Timestamp {
    type Err = InvalidInput;

    /// Reads RFC 3339 with any offset. A fraction finer than a microsecond is refused.
    fn from_str(text: &str) -> Result<Timestamp, InvalidInput> {
        let refuse = |problem: &str| InvalidInput::new("timestamp", text, problem);
        let time = DateTime::parse_from_rfc3339(text)
            .map_err(|_| refuse("give RFC 3339, such as 2026-11-21T03:41:19.5Z"))?
            .with_timezone(&Utc);
        if time.timestamp_subsec_nanos() % 1_000 != 0 {
            return Err(refuse("finer than a microsecond: round it first"));
        }
        Timestamp::from_micros(time.timestamp_micros())
    }
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidInput;

    fn try_from(text: String) -> Result<Timestamp, InvalidInput> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> String {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Timestamp;

    #[test]
    fn the_ends_are_the_years_1_and_9999() {
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00.000000Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
        assert!(Timestamp::from_micros(Timestamp::MAX.micros() + 1).is_err());
        assert!(Timestamp::from_micros(Timestamp::MIN.micros() - 1).is_err());
    }

    #[test]
    fn text_with_an_offset_is_that_instant() {
        let time: Timestamp = "2026-02-05T16:17:45.407069+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-02-05T15:17:45.407069Z");
        assert_eq!(time.micros(), 1_770_304_665_407_069);
    }

    #[test]
    fn nanoseconds_are_refused_not_dropped() {
        assert!(
            "2026-02-05T16:17:45.407069123Z"
                .parse::<Timestamp>()
                .is_err()
        );
        assert!("2026-02-05".parse::<Timestamp>().is_err());
    }

    #[test]
    fn arithmetic_stays_in_range() {
        assert_eq!(Timestamp::MAX.after(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.before(Duration::MAX), Timestamp::MIN);
        let day = Timestamp::UNIX_EPOCH.after(Duration::from_hours(36));
        assert!((day.days_since(Timestamp::UNIX_EPOCH) - 1.5).abs() < 1e-12);
        assert!(Timestamp::UNIX_EPOCH.days_since(day) == 0.0);
    }
}
