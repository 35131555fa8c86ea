//! Times as texts: what moment is meant, and how that moment is written in the same form.

use chrono::{Datelike, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use memory_domain::Timestamp;

use crate::SourceTimezone;
use crate::cells::exact;
use crate::timezone::Local;

/// What is accepted; for messages.
const FORM: &str = "give a moment such as 2026-02-05T15:17:45.407069+00:00";

/// A moment read from a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) timestamp: Timestamp,
    /// Whether the text is finer than a microsecond.
    pub(crate) rounded: bool,
    /// Whether the text names no zone.
    pub(crate) naive: bool,
}

/// Reads `YYYY-MM-DD HH:MM:SS[.fraction][zone]`: a `T` or a space in the middle, up to nine digits
/// of fraction, `Z` or an offset such as `+01:00`, `+0100` or `+01`. Without a zone it is local
/// time of `zone`.
///
/// A date alone, a number and a leap second are no moments here; which moment they mean would be
/// a guess.
pub(crate) fn read(text: &str, zone: SourceTimezone) -> Result<Moment, String> {
    let written = Written::parse(text).ok_or(FORM)?;
    let offset = written.offset(zone)?;
    let micros = written
        .local
        .and_utc()
        .timestamp()
        .checked_sub(i64::from(offset.local_minus_utc()))
        .and_then(|seconds| seconds.checked_mul(1_000_000))
        .and_then(|micros| micros.checked_add(i64::from(written.nanos + 500) / 1_000))
        .ok_or(FORM)?;
    let timestamp = Timestamp::from_micros(micros).map_err(|error| error.problem)?;
    Ok(Moment {
        timestamp,
        rounded: written.nanos % 1_000 != 0,
        naive: written.zone.is_none(),
    })
}

/// Writes a moment in the form of `like`, at its offset: with equal moments, the text itself.
/// `None` if that form has too few digits for the moment.
pub(crate) fn spell_like(timestamp: Timestamp, like: &str, zone: SourceTimezone) -> Option<String> {
    let form = Written::parse(like)?;
    let offset = form.offset(zone).ok()?;
    let local = chrono::DateTime::from_timestamp_micros(timestamp.micros())?
        .naive_utc()
        .checked_add_signed(TimeDelta::seconds(offset.local_minus_utc().into()))?;
    let mut text = String::with_capacity(like.len());
    // By hand, because chrono's formatter takes ten times as long, once for every row.
    let year = u32::try_from(local.year()).ok()?;
    push_digits(&mut text, year, 4);
    for (mark, number) in [
        ('-', local.month()),
        ('-', local.day()),
        (char::from(form.separator), local.hour()),
        (':', local.minute()),
        (':', local.second()),
    ] {
        text.push(mark);
        push_digits(&mut text, number, 2);
    }
    let mut fraction = String::with_capacity(9);
    push_digits(&mut fraction, local.nanosecond(), 9);
    let finer = fraction.split_off(form.digits);
    if finer.bytes().any(|digit| digit != b'0') {
        return None;
    }
    if form.digits > 0 {
        text.push('.');
        text.push_str(&fraction);
    }
    text.push_str(&like[form.zone_at..]);
    Some(text)
}

/// The moment that lies `seconds` after the beginning of 1970, to the nearest microsecond.
///
/// Milliseconds are refused as far as they would be seconds beyond the years 1 to 9999. Those of
/// moments from 1968-01-12T20:06:43.2Z up to, and not with, 1978-01-11T21:31:40.8Z are seconds of these
/// years too, and nothing tells them apart.
pub(crate) fn from_epoch(seconds: f64) -> Result<Timestamp, &'static str> {
    const PROBLEM: &str =
        "it is no moment of the years 1 to 9999; give the seconds since 1970, not milliseconds";
    let whole = seconds.floor();
    let micros = ((seconds - whole) * 1e6).round();
    if !(-1e12..1e12).contains(&seconds) {
        return Err(PROBLEM);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "both are whole, and far from the ends of 64 bits"
    )]
    let micros = whole as i64 * 1_000_000 + micros as i64;
    Timestamp::from_micros(micros).map_err(|_| PROBLEM)
}

/// Whether a number of seconds since 1970 is the nearest to a moment, and so can be had back from it.
pub(crate) fn is_epoch(moment: Timestamp, seconds: f64) -> bool {
    match exact(moment.micros()) {
        Some(micros) => (micros / 1e6).to_bits() == seconds.to_bits(),
        // Before 1684 and after 2255 doubles are further apart than microseconds.
        None => from_epoch(seconds) == Ok(moment),
    }
}

/// Writes the last `count` digits of a number.
fn push_digits(text: &mut String, number: u32, count: u32) {
    for place in (0..count).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        text.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

/// The parts of a time as they are written.
struct Written {
    /// Whole seconds.
    local: NaiveDateTime,
    nanos: u32,
    separator: u8,
    /// Digits of the fraction.
    digits: usize,
    zone: Option<FixedOffset>,
    /// Where the zone begins.
    zone_at: usize,
}

impl Written {
    fn parse(text: &str) -> Option<Written> {
        let mut scan = Scan { text, at: 0 };
        let year = scan.number(4)?;
        scan.expect(b"-")?;
        let month = scan.number(2)?;
        scan.expect(b"-")?;
        let day = scan.number(2)?;
        let separator = scan.expect(b"T ")?;
        let hour = scan.number(2)?;
        scan.expect(b":")?;
        let minute = scan.number(2)?;
        scan.expect(b":")?;
        let second = scan.number(2)?;
        let (nanos, digits) = scan.fraction()?;
        let zone_at = scan.at;
        let zone = match scan.rest() {
            [] => None,
            _ => Some(scan.zone()?),
        };
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
        Some(Written {
            local: date.and_hms_opt(hour, minute, second)?,
            nanos,
            separator,
            digits,
            zone,
            zone_at,
        })
    }

    fn offset(&self, zone: SourceTimezone) -> Result<FixedOffset, String> {
        if let Some(offset) = self.zone {
            return Ok(offset);
        }
        match zone.resolve(self.local) {
            Local::One(offset) => Ok(offset),
            Local::Two(first, second) => Err(format!(
                "the clocks of {zone} showed it twice, at {first} and at {second}; add the one that is meant"
            )),
            Local::None => Err(format!(
                "the clocks of {zone} never showed it; add the offset that is meant"
            )),
        }
    }
}

/// A place in a text.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl Scan<'_> {
    fn rest(&self) -> &[u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Exactly that many digits.
    fn number(&mut self, digits: usize) -> Option<u32> {
        let number = self
            .rest()
            .get(..digits)?
            .iter()
            .try_fold(0, |sum, digit| {
                digit
                    .is_ascii_digit()
                    .then(|| sum * 10 + u32::from(digit - b'0'))
            })?;
        self.at += digits;
        Some(number)
    }

    /// One of these bytes.
    fn expect(&mut self, bytes: &[u8]) -> Option<u8> {
        let byte = *self.rest().first()?;
        if !bytes.contains(&byte) {
            return None;
        }
        self.at += 1;
        Some(byte)
    }

    /// A fraction of one to nine digits in nanoseconds, with its number of digits; or none.
    fn fraction(&mut self) -> Option<(u32, usize)> {
        if self.expect(b".").is_none() {
            return Some((0, 0));
        }
        let digits = self
            .rest()
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if !(1..=9).contains(&digits) {
            return None;
        }
        let number = self.number(digits)?;
        let scale = 10_u32.pow(u32::try_from(9 - digits).ok()?);
        Some((number * scale, digits))
    }

    /// The zone, up to the end of the text.
    fn zone(&mut self) -> Option<FixedOffset> {
        let zone = match self.rest() {
            [b'Z'] => 0,
            [sign @ (b'+' | b'-'), ..] => {
                let sign = if *sign == b'-' { -1 } else { 1 };
                self.at += 1;
                let hours = self.number(2)?;
                let minutes = match self.rest() {
                    [] => 0,
                    [b':', ..] => {
                        self.at += 1;
                        self.number(2)?
                    }
                    _ => self.number(2)?,
                };
                if hours > 23 || minutes > 59 || !self.rest().is_empty() {
                    return None;
                }
                sign * i32::try_from(hours * 3_600 + minutes * 60).ok()?
            }
            _ => return None,
        };
        FixedOffset::east_opt(zone)
    }
}

#[cfg(test)]
mod tests {
    use super::{from_epoch, is_epoch, read, spell_like};
    use crate::SourceTimezone;
    use crate::cells::exact;

    fn utc(text: &str) -> String {
        read(text, SourceTimezone::UTC)
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .timestamp
            .to_string()
    }

    #[test]
    fn every_form_is_the_moment_that_it_names() {
        for (text, moment) in [
            ("2026-02-05T15:17:45.407069", "2026-02-05T15:17:45.407069Z"),
            ("2026-02-05 15:17:45.407069", "2026-02-05T15:17:45.407069Z"),
            (
                "2026-02-05T15:17:45.407069+00:00",
                "2026-02-05T15:17:45.407069Z",
            ),
            ("2026-02-05T15:17:45Z", "2026-02-05T15:17:45.000000Z"),
            ("2026-02-05T15:17:45.5+0100", "2026-02-05T14:17:45.500000Z"),
            (
                "2026-02-05T15:17:45.000001-03:30",
                "2026-02-05T18:47:45.000001Z",
            ),
            ("2026-02-05T15:17:45+09", "2026-02-05T06:17:45.000000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"),
        ] {
            assert_eq!(utc(text), moment, "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            " ",
            "0",
            "1770304665",
            "1770304665.407",
            "2026-02-05",
            "2026-02-05T15:17",
            "0000-00-00 00:00:00",
            "0000-01-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-02-05T24:00:00Z",
            "2026-02-05T23:59:60Z",
            "2026-02-05T15:17:45.",
            "2026-02-05T15:17:45.1234567890",
            "2026-02-05T15:17:45+24:00",
            "2026-02-05T15:17:45+01:60",
            "2026-02-05T15:17:45 UTC",
            "2026-02-05T15:17:45Z ",
            " 2026-02-05T15:17:45Z",
            "２026-02-05T15:17:45Z",
            "2026-02-05T15:17:45.5é",
            "-2026-02-05T15:17:45Z",
            "10000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59.9999999Z",
        ] {
            assert!(read(text, SourceTimezone::UTC).is_err(), "{text:?}");
        }
    }

    #[test]
    fn nine_digits_go_to_the_nearest_microsecond() {
        for (text, moment, rounded) in [
            (
                "2026-02-05T15:17:45.407069000Z",
                "2026-02-05T15:17:45.407069Z",
                false,
            ),
            (
                "2026-02-05T15:17:45.407069499Z",
                "2026-02-05T15:17:45.407069Z",
                true,
            ),
            (
                "2026-02-05T15:17:45.407069500Z",
                "2026-02-05T15:17:45.407070Z",
                true,
            ),
            (
                "2026-12-31T23:59:59.9999999Z",
                "2027-01-01T00:00:00.000000Z",
                true,
            ),
            (
                "1969-12-31T23:59:59.9999994Z",
                "1969-12-31T23:59:59.999999Z",
                true,
            ),
        ] {
            assert_eq!(utc(text), moment, "{text}");
            let read = read(text, SourceTimezone::UTC).unwrap();
            assert_eq!(read.rounded, rounded, "{text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_local_time_of_the_zone_given() {
        let berlin: SourceTimezone = "Europe/Berlin".parse().unwrap();
        let moment = read("2026-07-05T15:17:45", berlin).unwrap();
        assert_eq!(moment.timestamp.to_string(), "2026-07-05T13:17:45.000000Z");
        assert!(moment.naive);
        let error = read("2026-10-25T02:30:00", berlin).unwrap_err();
        assert!(error.contains("twice, at +02:00 and at +01:00"), "{error}");
        assert!(
            read("2026-03-29T02:30:00", berlin)
                .unwrap_err()
                .contains("never")
        );
        assert!(!read("2026-10-25T02:30:00+01:00", berlin).unwrap().naive);
    }

    #[test]
    fn milliseconds_are_refused_unless_they_are_seconds_of_the_years_1_to_9999_too() {
        // Read as texts, because these moments are what the documents promise.
        let millis = |text| read(text, SourceTimezone::UTC).unwrap().timestamp.micros() / 1_000;
        for (moment, is_refused) in [
            ("1968-01-12T20:06:43.199Z", true),
            ("1968-01-12T20:06:43.2Z", false),
            ("1978-01-11T21:31:40.799Z", false),
            ("1978-01-11T21:31:40.8Z", true),
            ("2025-12-06T10:11:12.5Z", true),
        ] {
            let read = from_epoch(exact(millis(moment)).unwrap());
            assert_eq!(read.is_err(), is_refused, "{moment}");
        }
    }

    #[test]
    fn of_moments_far_away_seconds_can_be_had_back() {
        for (seconds, moment) in [
            (253_402_300_799.0, "9999-12-31T23:59:59.000000Z"),
            (-62_135_596_800.0, "0001-01-01T00:00:00.000000Z"),
            (9_007_199_254.75, "2255-06-05T23:47:34.750000Z"),
            (9_007_199_254.740_993, "2255-06-05T23:47:34.740993Z"),
        ] {
            let read = from_epoch(seconds).unwrap();
            assert_eq!(read.to_string(), moment);
            assert!(is_epoch(read, seconds), "{seconds}");
            assert!(!is_epoch(read, seconds + 1e-4), "{seconds}");
        }
        assert!(!is_epoch(from_epoch(0.0).unwrap(), -0.0));
    }

    #[test]
    fn a_moment_is_written_in_the_form_that_it_was_read_in() {
        let seoul: SourceTimezone = "Asia/Seoul".parse().unwrap();
        for text in [
            "2026-02-05T15:17:45.407069",
            "2026-02-05 15:17:45.407069",
            "2026-02-05T15:17:45Z",
            "2026-02-05T15:17:45.5+0100",
            "2026-02-05T15:17:45.050-03:30",
            "2026-02-05T00:17:45-00:00",
            "2026-02-05T15:17:45.407069000Z",
            "0001-01-01T10:00:00",
        ] {
            let moment = read(text, seoul).unwrap();
            let spelled = spell_like(moment.timestamp, text, seoul);
            assert_eq!(spelled.as_deref(), Some(text));
        }
        let other = read("2026-02-05T15:17:46Z", seoul).unwrap().timestamp;
        let spelled = spell_like(other, "2026-02-05T15:17:45Z", seoul).unwrap();
        assert_eq!(spelled, "2026-02-05T15:17:46Z");
        let finer = read("2026-02-05T15:17:45.50Z", seoul).unwrap().timestamp;
        assert_eq!(spell_like(finer, "2026-02-05T15:17:45Z", seoul), None);
        let spelled = spell_like(finer, "2026-02-05T15:17:45.1Z", seoul).unwrap();
        assert_eq!(spelled, "2026-02-05T15:17:45.5Z");
    }
}
