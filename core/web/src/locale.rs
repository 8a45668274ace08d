//! Owns the languages: which exist, which one a request gets, and the text of every message.
//! The texts stand in `web/hosted/locales/*.ftl` and are built into the program. A new language
//! is one file and one line in [`Locale::ALL`]; the tests refuse a missing or superfluous key.

use std::borrow::Cow;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use serde::{Serialize, Serializer};
use unic_langid::LanguageIdentifier;

/// A language the pages speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Locale {
    /// English, the fallback.
    #[default]
    En,
    /// German.
    De,
    /// Arabic, written from right to left.
    Ar,
}

/// What a request says about languages, strongest first: the application's wish, the person's
/// stored choice, the browser's cookie, the browser's settings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes<'a> {
    /// `ui_locales` of OpenID Connect: tags separated by spaces, most wanted first.
    pub ui_locales: Option<&'a str>,
    /// The locale stored with the person.
    pub person: Option<&'a str>,
    /// The language chosen earlier in this browser.
    pub cookie: Option<&'a str>,
    /// The `Accept-Language` header (RFC 9110, section 12.5.4).
    pub accept_language: Option<&'a str>,
}

impl Locale {
    /// Every language, in the order in which it is offered.
    pub const ALL: [Self; 3] = [Self::En, Self::De, Self::Ar];

    /// The language the request should get; `fallback` when nothing it names is spoken here.
    pub fn negotiate(wishes: &Wishes<'_>, fallback: Self) -> Self {
        let list = |tags: Option<&str>| tags?.split_whitespace().find_map(Self::from_tag);
        list(wishes.ui_locales)
            .or_else(|| wishes.person.and_then(Self::from_tag))
            .or_else(|| wishes.cookie.and_then(Self::from_tag))
            .or_else(|| wishes.accept_language.and_then(Self::from_accept_language))
            .unwrap_or(fallback)
    }

    /// That a tag names one of the languages here.
    ///
    /// # Errors
    /// What is wrong, to follow the name of the field.
    pub fn check(tag: &str) -> Result<(), String> {
        let known = Self::ALL.map(Self::code).join(", ");
        Self::from_tag(tag).map(drop).ok_or_else(|| format!("must be a language of the pages: {known}"))
    }

    /// The language of a BCP 47 tag: `de-AT` is German, an unknown one is `None`.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|locale| primary.eq_ignore_ascii_case(locale.code()))
    }

    fn from_accept_language(header: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for part in header.split(',').take(20) {
            let mut pieces = part.split(';');
            let Some(locale) = pieces.next().and_then(Self::from_tag) else { continue };
            let quality =
                pieces.find_map(|piece| piece.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            if quality > 0.0 && best.is_none_or(|(highest, _)| quality > highest) {
                best = Some((quality, locale));
            }
        }
        best.map(|(_, locale)| locale)
    }

    /// The BCP 47 tag, for `lang` attributes and for storing.
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Ar => "ar",
        }
    }

    /// The direction of writing, for `dir` attributes.
    pub const fn dir(self) -> &'static str {
        match self {
            Self::En | Self::De => "ltr",
            Self::Ar => "rtl",
        }
    }

    /// The name in English, for operators.
    pub const fn english_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::De => "German",
            Self::Ar => "Arabic",
        }
    }

    /// The name in the language itself, for people who look for it.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::De => "Deutsch",
            Self::Ar => "العربية",
        }
    }

    /// The source of its messages.
    pub const fn source(self) -> &'static str {
        match self {
            Self::En => include_str!("../../../web/hosted/locales/en.ftl"),
            Self::De => include_str!("../../../web/hosted/locales/de.ftl"),
            Self::Ar => include_str!("../../../web/hosted/locales/ar.ftl"),
        }
    }

    fn bundle(self) -> &'static Bundle {
        static EN: LazyLock<Bundle> = LazyLock::new(|| bundle(Locale::En));
        static DE: LazyLock<Bundle> = LazyLock::new(|| bundle(Locale::De));
        static AR: LazyLock<Bundle> = LazyLock::new(|| bundle(Locale::Ar));
        match self {
            Self::En => &EN,
            Self::De => &DE,
            Self::Ar => &AR,
        }
    }
}

impl Serialize for Locale {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

type Bundle = FluentBundle<FluentResource>;

fn bundle(locale: Locale) -> Bundle {
    let id: LanguageIdentifier = locale.code().parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![id]);
    // We isolate ourselves, and only where directions really mix: see `isolate`.
    bundle.set_use_isolating(false);
    let resource = match FluentResource::try_new(locale.source().to_owned()) {
        Ok(resource) => resource,
        Err((rest, errors)) => {
            tracing::error!(locale = locale.code(), ?errors, "a message file has faults");
            rest
        }
    };
    if let Err(errors) = bundle.add_resource(resource) {
        tracing::error!(locale = locale.code(), ?errors, "a message file has doubled keys");
    }
    bundle
}

/// A value in a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Text from outside; it is never read as markup.
    Text(Cow<'a, str>),
    /// A number, which chooses the plural.
    Number(i64),
}

// Stand-ins for `<` and `>` inside values, so that markup counts only where the message has it.
const LESS: char = '\u{e000}';
const GREATER: char = '\u{e001}';

/// The plain text of a message: markup of the message dropped, values as they are.
/// An unknown id gives the id and a line in the log, never a failure.
pub fn t(locale: Locale, id: &str, args: &[(&str, Value<'_>)]) -> String {
    let pattern = format(locale, id, args);
    if !pattern.contains(['<', LESS, GREATER]) {
        return pattern;
    }
    let mut text = String::with_capacity(pattern.len());
    let mut inside = false;
    for character in pattern.chars() {
        match character {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ if inside => {}
            LESS => text.push('<'),
            GREATER => text.push('>'),
            other => text.push(other),
        }
    }
    text
}

/// A message as HTML: values escaped; of markup only `<b>` and `<a>`, whose address is `href`
/// (an `<a>` without one is dropped).
pub fn html(locale: Locale, id: &str, args: &[(&str, Value<'_>)], href: Option<&str>) -> String {
    let pattern = format(locale, id, args);
    let mut out = String::with_capacity(pattern.len() + 32);
    let mut rest = pattern.as_str();
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        escape_into(&mut out, before);
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let (tag, after) = tag.split_at(end);
        match (tag, href) {
            ("<b>" | "</b>", _) | ("</a>", Some(_)) => out.push_str(tag),
            ("<a>", Some(href)) => {
                out.push_str("<a href=\"");
                escape_into(&mut out, href);
                out.push_str("\">");
            }
            _ => {}
        }
        rest = after;
    }
    escape_into(&mut out, rest);
    out
}

/// Text as HTML, good inside elements and quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    escape_into(&mut out, text);
    out
}

fn escape_into(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            LESS | '<' => out.push_str("&lt;"),
            GREATER | '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}

fn format(locale: Locale, id: &str, args: &[(&str, Value<'_>)]) -> String {
    let bundle = locale.bundle();
    let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
        tracing::error!(locale = locale.code(), id, "a message is missing");
        return id.to_owned();
    };
    let mut values = FluentArgs::with_capacity(args.len());
    for (name, value) in args {
        match value {
            Value::Number(number) => values.set(*name, FluentValue::from(*number)),
            Value::Text(text) => values.set(*name, isolate(locale, text)),
        }
    }
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(&values), &mut errors);
    if !errors.is_empty() {
        tracing::error!(locale = locale.code(), id, ?errors, "a message lacks a value");
    }
    text.into_owned()
}

/// Marks a value as a direction of its own (U+2068, U+2069) where it could disturb its
/// surroundings, so that an address in an Arabic sentence keeps its order. Marks that the value
/// brings itself are dropped: they could turn around what follows.
fn isolate(locale: Locale, text: &str) -> String {
    // A value of the sentence's own direction stays bare: the direction of an isolate whose
    // parts are isolates themselves, such as a date, would be guessed wrong.
    let rtl = locale.dir() == "rtl";
    let against = text.chars().any(|c| c.is_alphabetic() && is_right_to_left(c) != rtl);
    let mut value = String::with_capacity(text.len() + 6);
    value.extend(against.then_some('\u{2068}'));
    value.extend(text.chars().filter(|c| !is_direction_mark(*c)).map(|c| match c {
        '<' => LESS,
        '>' => GREATER,
        other => other,
    }));
    value.extend(against.then_some('\u{2069}'));
    value
}

fn is_right_to_left(character: char) -> bool {
    matches!(character, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}')
}

/// Embeddings, overrides and isolates of the bidirectional algorithm (UAX #9).
fn is_direction_mark(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A moment (microseconds since 1970, UTC) as date and time: "24 November 2026, 22:36 UTC".
pub fn date_time(locale: Locale, micros: i64) -> String {
    let seconds = micros.div_euclid(1_000_000);
    let of_day = seconds.rem_euclid(DAY);
    let time = format!("{:02}:{:02}", of_day / HOUR, of_day % HOUR / MINUTE);
    let date = date(locale, micros);
    t(locale, "date-time", &[("date", Value::Text(date.into())), ("time", Value::Text(time.into()))])
}

/// A moment (microseconds since 1970, UTC) as a date: "24 November 2026".
pub fn date(locale: Locale, micros: i64) -> String {
    let (year, month, day) = civil(micros.div_euclid(1_000_000).div_euclid(DAY));
    let month = t(locale, "month", &[("month", Value::Number(month))]);
    let args = [
        ("day", Value::Text(day.to_string().into())),
        ("month", Value::Text(month.into())),
        ("year", Value::Text(year.to_string().into())),
    ];
    t(locale, "date", &args)
}

/// How long ago a moment was, up to a week; then its date.
pub fn ago(locale: Locale, micros: i64, now: i64) -> String {
    let seconds = (now - micros).div_euclid(1_000_000);
    let (id, count) = match seconds {
        ..MINUTE => ("ago-now", 0),
        MINUTE..HOUR => ("ago-minutes", seconds / MINUTE),
        HOUR..DAY => ("ago-hours", seconds / HOUR),
        _ if seconds < 7 * DAY => ("ago-days", seconds / DAY),
        _ => return date(locale, micros),
    };
    t(locale, id, &[("count", Value::Number(count))])
}

/// Year, month and day of the Gregorian calendar from days since 1970-01-01. Years are counted
/// from March, in eras of 400 of them, so that the leap day is always the last.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_application_wins_over_the_person_and_the_browser() {
        let wishes = Wishes {
            ui_locales: Some("fr de-AT"),
            person: Some("ar"),
            cookie: Some("en"),
            accept_language: Some("en"),
        };
        assert_eq!(Locale::negotiate(&wishes, Locale::En), Locale::De);
        let wishes = Wishes { ui_locales: Some("fr"), ..wishes };
        assert_eq!(Locale::negotiate(&wishes, Locale::En), Locale::Ar);
    }

    #[test]
    fn accept_language_is_read_by_quality() {
        let of = |header| {
            let wishes = Wishes { accept_language: Some(header), ..Wishes::default() };
            Locale::negotiate(&wishes, Locale::En)
        };
        assert_eq!(of("fr-FR, en;q=0.5, ar-EG;q=0.8"), Locale::Ar);
        assert_eq!(of("de;q=0, xx"), Locale::En);
        assert_eq!(of("de;q=nonsense"), Locale::De);
        assert_eq!(of(""), Locale::En);
    }

    #[test]
    fn dates_are_written_as_people_write_them() {
        let at = 1_795_559_760_000_000;
        assert_eq!(date_time(Locale::En, at), "24 November 2026, 22:36 UTC");
        assert_eq!(date_time(Locale::De, at), "24. November 2026, 22:36 UTC");
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(-1), (1969, 12, 31));
        assert_eq!(civil(19_782), (2024, 2, 29));
        assert_eq!(civil(19_783), (2024, 3, 1));
    }

    #[test]
    fn time_that_passed_is_told_by_plural_rules() {
        let minutes = |locale, count: i64| ago(locale, 0, count * 60_000_000);
        assert_eq!(minutes(Locale::En, 0), "just now");
        assert_eq!(minutes(Locale::En, 1), "one minute ago");
        assert_eq!(minutes(Locale::En, 3), "3 minutes ago");
        assert_eq!(ago(Locale::En, 0, 8 * DAY * 1_000_000), "1 January 1970");
        let forms: std::collections::BTreeSet<_> = [1, 2, 3, 11]
            .map(|count| minutes(Locale::Ar, count).replace(|c: char| c.is_ascii_digit(), ""))
            .into();
        assert_eq!(forms.len(), 4);
    }

    #[test]
    fn markup_counts_in_messages_and_not_in_values() {
        let args = [("destination", Value::Text("<b>x</b>&".into())), ("minutes", Value::Number(10))];
        let shown = html(Locale::En, "code-sent", &args, None);
        assert!(shown.contains("<b>&lt;b&gt;x&lt;/b&gt;&amp;</b>"), "{shown}");
        assert!(t(Locale::En, "code-sent", &args).contains("<b>x</b>&"));
    }

    #[test]
    fn values_of_another_direction_are_isolated() {
        let args = [("name", Value::Text("Alice".into()))];
        assert!(t(Locale::Ar, "greeting", &args).contains("\u{2068}Alice\u{2069}"));
        assert!(!t(Locale::En, "greeting", &args).contains('\u{2068}'));
        let override_mark = [("name", Value::Text("Al\u{202e}ice".into()))];
        assert!(t(Locale::En, "greeting", &override_mark).contains("Alice"));
        assert!(!date_time(Locale::Ar, 0).contains('\u{2068}'));
        let args = [("name", Value::Text("ليلى".into()))];
        assert!(t(Locale::En, "greeting", &args).contains("\u{2068}ليلى\u{2069}"));
    }
}
