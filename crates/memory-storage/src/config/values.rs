//! How the values of options are written: in a URL, in a variable, and by `info`.

use std::time::Duration;

/// The longest time-out: both databases count milliseconds in 31 bits, which end after 24 days.
pub(super) const TIMEOUT_MAX: Duration = Duration::from_hours(20 * 24);

/// What a time-out must be.
pub(super) const TIMEOUT_RANGE: &str = "give a millisecond to 20 days";

const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads `500ms`, `30s`, `10m`, `1h`, `2d`; without a unit it is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = if unit.is_empty() { "s" } else { unit };
    let millis =
        UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .and_then(|(_, millis)| -> Option<u64> {
                number.parse::<u64>().ok()?.checked_mul(*millis)
            });
    millis.map(Duration::from_millis).ok_or_else(|| {
        "give a time such as 500ms, 30s, 10m, 1h or 2d; without a unit it is seconds".to_owned()
    })
}

/// Reads a time that is not nothing, and not too long for a database.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    if is_timeout(duration) {
        Ok(duration)
    } else {
        Err(TIMEOUT_RANGE.to_owned())
    }
}

/// Whether both databases can count it.
pub(super) fn is_timeout(duration: Duration) -> bool {
    (Duration::from_millis(1)..=TIMEOUT_MAX).contains(&duration)
}

/// Writes a time as [`duration`] reads it, in the largest unit that fits.
pub(super) fn shown(duration: Duration) -> String {
    let millis = duration.as_millis();
    if !duration.subsec_nanos().is_multiple_of(1_000_000) {
        return format!("{duration:?}");
    }
    let unit = UNITS
        .iter()
        .find(|(_, unit)| millis > 0 && millis.is_multiple_of(u128::from(*unit)));
    match unit {
        Some((name, unit)) => format!("{}{name}", millis / u128::from(*unit)),
        None => "0s".to_owned(),
    }
}

/// Reads a count of connections.
pub(super) fn count(text: &str) -> Result<u32, String> {
    text.parse()
        .map_err(|_| "give a whole number of connections".to_owned())
}

/// Reads a switch.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" | "true" | "1" => Ok(true),
        "off" | "false" | "0" => Ok(false),
        _ => Err("give on or off".to_owned()),
    }
}

/// Writes a switch.
pub(super) fn on_off(switch: bool) -> String {
    if switch { "on" } else { "off" }.to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{duration, shown, switch};

    #[test]
    fn a_time_is_read_with_its_unit_and_written_in_the_largest() {
        for (text, millis, written) in [
            ("500ms", 500, "500ms"),
            ("30", 30_000, "30s"),
            ("30s", 30_000, "30s"),
            ("60s", 60_000, "1m"),
            ("10m", 600_000, "10m"),
            ("1h", 3_600_000, "1h"),
            ("48h", 172_800_000, "2d"),
            ("0", 0, "0s"),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
            assert_eq!(shown(Duration::from_millis(millis)), written);
        }
        for text in [
            "",
            "s",
            "-1s",
            "1.5s",
            "1 s",
            "1S",
            "1w",
            "99999999999999999999d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(duration(&format!("{}d", u64::MAX)).is_err());
    }

    #[test]
    fn a_switch_is_on_or_off() {
        assert_eq!(switch("on"), Ok(true));
        assert_eq!(switch("0"), Ok(false));
        assert!(switch("yes").unwrap_err().contains("on or off"));
    }
}
