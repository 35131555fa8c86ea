use std::fmt::{self, Display};
use std::str::FromStr;

use chrono::{FixedOffset, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use memory_domain::InvalidInput;

/// The zone in which a source wrote the times that name none: `Europe/Berlin`, `UTC`, `+09:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceTimezone {
    /// A zone of the IANA database.
    Named(Tz),
    /// A fixed distance from UTC.
    Fixed(FixedOffset),
}

/// What a local time is in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Local {
    /// One moment, at this offset.
    One(FixedOffset),
    /// Two moments, because the clocks were put back.
    Two(FixedOffset, FixedOffset),
    /// None, because the clocks were put forward.
    None,
}

impl SourceTimezone {
    /// UTC.
    pub const UTC: SourceTimezone = SourceTimezone::Named(Tz::UTC);

    /// The offset, or offsets, at which the zone's clocks showed `local`.
    pub(crate) fn resolve(self, local: NaiveDateTime) -> Local {
        match self {
            SourceTimezone::Fixed(offset) => Local::One(offset),
            SourceTimezone::Named(zone) => match zone.offset_from_local_datetime(&local) {
                MappedLocalTime::Single(offset) => Local::One(offset.fix()),
                MappedLocalTime::Ambiguous(first, second) => Local::Two(first.fix(), second.fix()),
                MappedLocalTime::None => Local::None,
            },
        }
    }
}

impl Display for SourceTimezone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SourceTimezone::Named(zone) => f.write_str(zone.name()),
            SourceTimezone::Fixed(offset) => offset.fmt(f),
        }
    }
}

impl FromStr for SourceTimezone {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<SourceTimezone, InvalidInput> {
        if let Ok(zone) = text.parse() {
            return Ok(SourceTimezone::Named(zone));
        }
        // `FixedOffset` reads more spellings than are meant here, such as `+9`.
        let spelled = matches!(text.as_bytes(), [b'+' | b'-', _, _, b':', _, _]);
        text.parse()
            .ok()
            .filter(|_| spelled)
            .map(SourceTimezone::Fixed)
            .ok_or_else(|| {
                let problem = "give a zone such as Europe/Berlin, UTC, or an offset such as +09:00";
                InvalidInput::new("source-timezone", text, problem)
            })
    }
}

#[cfg(test)]
mod tests {
    use chrono::{FixedOffset, NaiveDate, NaiveDateTime};

    use super::{Local, SourceTimezone};

    fn local(month: u32, day: u32, hour: u32) -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2026, month, day)
            .and_then(|date| date.and_hms_opt(hour, 30, 0))
            .unwrap()
    }

    fn hours(hours: i32) -> FixedOffset {
        FixedOffset::east_opt(hours * 3_600).unwrap()
    }

    #[test]
    fn zones_and_offsets_read_back() {
        for text in ["Europe/Berlin", "UTC", "+09:00", "-03:30"] {
            assert_eq!(text.parse::<SourceTimezone>().unwrap().to_string(), text);
        }
        for text in ["", "Berlin", "+9", "9", "+25:00", "local"] {
            assert!(text.parse::<SourceTimezone>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_change_of_the_clocks_leaves_two_moments_or_none() {
        let berlin: SourceTimezone = "Europe/Berlin".parse().unwrap();
        assert_eq!(berlin.resolve(local(1, 15, 2)), Local::One(hours(1)));
        assert_eq!(berlin.resolve(local(7, 15, 2)), Local::One(hours(2)));
        assert_eq!(berlin.resolve(local(3, 29, 2)), Local::None);
        assert_eq!(
            berlin.resolve(local(10, 25, 2)),
            Local::Two(hours(2), hours(1))
        );
    }
}
