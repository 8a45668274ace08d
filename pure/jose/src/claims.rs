//! The registered claims (RFC 7519 section 4.1) and whether they hold: pure, the time comes in.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::ClaimError;

/// The registered claims of a token, as far as it has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// Audience.
    #[serde(default, skip_serializing_if = "Audience::is_empty")]
    pub aud: Audience,
    /// Expiry: from this second on the token is not valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<NumericDate>,
    /// Not valid before this second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<NumericDate>,
    /// Issued in this second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<NumericDate>,
    /// The token's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
}

/// What a token must say here and now.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The issuer, compared exactly.
    pub issuer: &'a str,
    /// Our names; the token's audience must contain one of them.
    pub audiences: &'a [&'a str],
    /// The time, in seconds since the epoch.
    pub now: i64,
    /// How far clocks may differ, in seconds.
    pub leeway: i64,
    /// The greatest age since `iat`, in seconds; if set, `iat` is required.
    pub max_age: Option<i64>,
}

impl Claims {
    /// Whether issuer, audience and times hold. `exp` is always required.
    ///
    /// # Errors
    /// The first claim that does not hold.
    pub fn validate(&self, expected: &Expected<'_>) -> Result<(), ClaimError> {
        if self.iss.as_deref() != Some(expected.issuer) {
            return Err(ClaimError::Issuer);
        }
        if !expected.audiences.iter().any(|name| self.aud.contains(name)) {
            return Err(ClaimError::Audience);
        }
        self.validate_times(expected)
    }

    fn validate_times(&self, expected: &Expected<'_>) -> Result<(), ClaimError> {
        let earliest = expected.now.saturating_sub(expected.leeway);
        let latest = expected.now.saturating_add(expected.leeway);
        let NumericDate(expiry) = self.exp.ok_or(ClaimError::NoExpiry)?;
        if expiry <= earliest {
            return Err(ClaimError::Expired);
        }
        if self.nbf.is_some_and(|NumericDate(start)| start > latest) {
            return Err(ClaimError::NotYetValid);
        }
        if self.iat.is_some_and(|NumericDate(issued)| issued > latest) {
            return Err(ClaimError::IssuedInFuture);
        }
        if let Some(max_age) = expected.max_age {
            let NumericDate(issued) = self.iat.ok_or(ClaimError::NoIssuedAt)?;
            if issued.saturating_add(max_age) < earliest {
                return Err(ClaimError::TooOld);
            }
        }
        Ok(())
    }
}

/// Seconds since the epoch. JSON may have a fraction, which is cut off (RFC 7519 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NumericDate(pub i64);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Up to here, the year 287396, a double holds every second.
        const LAST: f64 = 9_007_199_254_740_992.0;
        let number = serde_json::Number::deserialize(deserializer)?;
        if let Some(seconds) = number.as_i64() {
            return Ok(Self(seconds));
        }
        let seconds = number.as_f64().map(f64::floor).filter(|seconds| seconds.abs() <= LAST);
        seconds.map(|seconds| Self(seconds as i64)).ok_or_else(|| D::Error::custom("no date"))
    }
}

/// For whom a token is: JSON has one name or a list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OneOrMany", into = "OneOrMany")]
pub struct Audience(Vec<String>);

impl Audience {
    /// Whether a name, compared exactly, is among them.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|own| own == name)
    }

    /// Whether the token is for nobody.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<T: Into<String>> FromIterator<T> for Audience {
    fn from_iter<I: IntoIterator<Item = T>>(names: I) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Audience {
    fn from(names: OneOrMany) -> Self {
        match names {
            OneOrMany::One(name) => Self(vec![name]),
            OneOrMany::Many(names) => Self(names),
        }
    }
}

impl From<Audience> for OneOrMany {
    fn from(Audience(names): Audience) -> Self {
        match <[String; 1]>::try_from(names) {
            Ok([name]) => Self::One(name),
            Err(names) => Self::Many(names),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_800_000_000;

    /// Validates a sound token's claims with some of them replaced (null removes).
    fn validate(changes: Value) -> Result<(), ClaimError> {
        let mut claims = json!({
            "iss": "https://id.example", "aud": "shop", "exp": NOW + 60, "nbf": NOW, "iat": NOW,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let claims: Claims = serde_json::from_value(claims).unwrap();
        let expected = Expected {
            issuer: "https://id.example",
            audiences: &["shop", "https://shop.example"],
            now: NOW,
            leeway: 10,
            max_age: Some(300),
        };
        claims.validate(&expected)
    }

    #[test]
    fn issuer_and_audience_are_compared_exactly() {
        assert_eq!(validate(json!({})), Ok(()));
        assert_eq!(validate(json!({"aud": ["other", "https://shop.example"]})), Ok(()));
        for iss in [json!(null), json!(""), json!("https://id.example/"), json!("HTTPS://id.example")] {
            assert_eq!(validate(json!({"iss": iss})), Err(ClaimError::Issuer), "{iss}");
        }
        for aud in [json!(null), json!([]), json!("Shop"), json!(["other"]), json!("shop2"), json!("")] {
            assert_eq!(validate(json!({"aud": aud})), Err(ClaimError::Audience), "{aud}");
        }
    }

    #[test]
    fn times_hold_up_to_the_leeway_and_not_a_second_longer() {
        assert_eq!(validate(json!({"exp": NOW - 9})), Ok(()));
        assert_eq!(validate(json!({"exp": NOW - 10})), Err(ClaimError::Expired));
        assert_eq!(validate(json!({"exp": null})), Err(ClaimError::NoExpiry));
        assert_eq!(validate(json!({"nbf": NOW + 10})), Ok(()));
        assert_eq!(validate(json!({"nbf": NOW + 11})), Err(ClaimError::NotYetValid));
        assert_eq!(validate(json!({"iat": NOW + 10})), Ok(()));
        assert_eq!(validate(json!({"iat": NOW + 11})), Err(ClaimError::IssuedInFuture));
        assert_eq!(validate(json!({"iat": NOW - 310})), Ok(()));
        assert_eq!(validate(json!({"iat": NOW - 311})), Err(ClaimError::TooOld));
        assert_eq!(validate(json!({"iat": null})), Err(ClaimError::NoIssuedAt));
        assert_eq!(validate(json!({"iat": i64::MIN})), Err(ClaimError::TooOld));
        assert_eq!(validate(json!({"exp": i64::MAX})), Ok(()));
    }

    #[test]
    fn dates_are_numbers_of_any_form_within_reason() {
        let date = |text: &str| serde_json::from_str::<NumericDate>(text).map(|date| date.0).ok();
        assert_eq!(date("1.9"), Some(1));
        assert_eq!(date("-0.5"), Some(-1));
        assert_eq!(date("18e8"), Some(1_800_000_000));
        for text in ["1e300", "-1e300", "18446744073709551615", r#""1800000000""#, "null", "true"] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn one_audience_is_written_as_a_string() {
        let write =
            |names: &[&str]| serde_json::to_value(names.iter().copied().collect::<Audience>()).unwrap();
        assert_eq!(write(&["a"]), json!("a"));
        assert_eq!(write(&["a", "b"]), json!(["a", "b"]));
        assert!(serde_json::from_value::<Audience>(json!([1])).is_err());
    }
}
