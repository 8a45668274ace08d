//! Times as the API writes and reads them: RFC 3339, in UTC.

use base::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A moment of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(pub(crate) Time);

impl Stamp {
    /// Reads RFC 3339, section 5.6; an offset is carried over to UTC, a fraction to microseconds.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |from: usize, to: usize| -> Option<i64> {
            let digits = text.get(from..to)?;
            let proper = digits.bytes().all(|b| b.is_ascii_digit());
            if proper { digits.parse().ok() } else { None }
        };
        let signs = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
        if !signs.iter().all(|(at, sign)| bytes.get(*at) == Some(sign))
            || !matches!(bytes.get(10), Some(b'T' | b't' | b' '))
        {
            return None;
        }
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        if !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let rest = text.get(19..)?;
        let zone = rest.find(['Z', 'z', '+', '-'])?;
        let (fraction, zone) = rest.split_at_checked(zone)?;
        let days = days(year, month, day)?;
        let seconds = ((days * 24 + hour) * 60 + minute - offset(zone)?) * 60 + second;
        Some(Self(Time::from_micros(seconds * 1_000_000 + micros(fraction)?)))
    }
}

/// Minutes ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    let number =
        |from: usize, to: usize| zone.get(from..to).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
    match (zone.get(..1)?, zone.len()) {
        ("Z" | "z", 1) => Some(0),
        (sign, 6) if zone.get(3..4) == Some(":") => {
            let (hours, minutes): (i64, i64) = (number(1, 3)?.parse().ok()?, number(4, 6)?.parse().ok()?);
            let ahead = hours * 60 + minutes;
            (hours < 24 && minutes < 60).then_some(if sign == "-" { -ahead } else { ahead })
        }
        _ => None,
    }
}

fn micros(fraction: &str) -> Option<i64> {
    if fraction.is_empty() {
        return Some(0);
    }
    let digits = fraction.strip_prefix('.')?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<6}").get(..6)?.parse().ok()
}

/// Days since 1970 in the proleptic Gregorian calendar, if there is such a date.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let years = if month <= 2 { year - 1 } else { year };
    let era = years.div_euclid(400);
    let of_era = years.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    // A date that does not exist comes back as another one.
    let [y, m, d, ..] = Time::from_seconds(days * 86_400).civil();
    ([y, m, d] == [year, month, day]).then_some(days)
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| D::Error::custom("must be a time such as 2026-11-24T12:00:00Z (RFC 3339)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_rfc_3339_are_read_and_others_refused() {
        for (text, micros) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000),
            ("2026-11-24T22:36:35.25Z", 1_795_559_795_250_000),
            ("2026-11-24T23:36:35+01:00", 1_795_559_795_000_000),
            ("1969-12-31t23:59:59z", -1_000_000),
        ] {
            assert_eq!(Stamp::parse(text), Some(Stamp(Time::from_micros(micros))), "{text}");
        }
        for wrong in [
            "",
            "2026-11-24",
            "2026-11-24T22:36:35",
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24T22:36:35.Z",
            "2026-11-24T22:36:35+1:00",
            "2026-11-24T22:36:35Zx",
            "+026-11-24T22:36:35Z",
            "2026-11-24Té2:36:35Z",
        ] {
            assert_eq!(Stamp::parse(wrong), None, "{wrong}");
        }
    }
}
