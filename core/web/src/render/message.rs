//! A sentence for a person, kept as id and values until the language is known.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::locale::{self, Locale};

/// A sentence by its stable id, with the values it mentions.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    id: &'static str,
    args: Vec<(&'static str, Arg)>,
}

/// A value mentioned in a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    /// Text from outside, shown as it is.
    Text(String),
    /// A number, which chooses the plural.
    Number(i64),
    /// A moment in microseconds since 1970 (UTC), shown as date and time.
    Time(i64),
}

impl Message {
    /// The message of this id, without values.
    pub const fn new(id: &'static str) -> Self {
        Self { id, args: Vec::new() }
    }

    /// Text that is no message of ours: a name, an address. Shown as it is in every language.
    pub fn verbatim(text: impl Into<String>) -> Self {
        Self::new("verbatim").text_arg("text", text)
    }

    /// Adds a text.
    #[must_use]
    pub fn text_arg(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.args.push((name, Arg::Text(text.into())));
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, name: &'static str, number: impl Into<i64>) -> Self {
        self.args.push((name, Arg::Number(number.into())));
        self
    }

    /// Adds a moment, in microseconds since 1970 (UTC).
    #[must_use]
    pub fn time(mut self, name: &'static str, micros: i64) -> Self {
        self.args.push((name, Arg::Time(micros)));
        self
    }

    /// The stable id.
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// The plain sentence in a language.
    pub fn text(&self, locale: Locale) -> String {
        locale::t(locale, self.id, &self.values(locale))
    }

    /// The sentence as HTML, values escaped; `<a>` of the message leads to `href`.
    pub fn html(&self, locale: Locale, href: Option<&str>) -> String {
        locale::html(locale, self.id, &self.values(locale), href)
    }

    /// `{id, args, text}`, as the JSON form of a page has it.
    pub fn json(&self, locale: Locale) -> serde_json::Value {
        serde_json::json!({ "id": self.id, "args": Args(&self.args), "text": self.text(locale) })
    }

    fn values(&self, locale: Locale) -> Vec<(&'static str, locale::Value<'_>)> {
        let value = |arg: &'_ Arg| match arg {
            Arg::Text(text) => locale::Value::Text(text.clone().into()),
            Arg::Number(number) => locale::Value::Number(*number),
            Arg::Time(micros) => locale::Value::Text(locale::date_time(locale, *micros).into()),
        };
        self.args.iter().map(|(name, arg)| (*name, value(arg))).collect()
    }
}

/// In templates and JSON a message is `{id, args}`; templates turn it into the sentence by `say()`.
impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("id", self.id)?;
        map.serialize_entry("args", &Args(&self.args))?;
        map.end()
    }
}

struct Args<'a>(&'a [(&'static str, Arg)]);

impl Serialize for Args<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, arg) in self.0 {
            match arg {
                Arg::Text(text) => map.serialize_entry(name, text)?,
                Arg::Number(number) => map.serialize_entry(name, number)?,
                Arg::Time(micros) => map.serialize_entry(name, &Moment { time: *micros })?,
            }
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Moment {
    time: i64,
}
