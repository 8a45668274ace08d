//! What a profile form changes, before anything is written.

use crate::me::Me;
use base::Username;
use serde_json::{Map, Value, json};
use store::attributes;
use web::{
    Submission,
    locale::Locale,
    pages::{Profile, say},
    render::{Message, Notice},
};

/// The names, with the most characters of each.
const NAMES: [(&str, u32); 4] = [("name", 200), ("given_name", 100), ("family_name", 100), ("nickname", 100)];
/// The parts of the address (OpenID Connect Core 1.0, section 5.1.1), with the most characters.
const ADDRESS: [(&str, u32); 5] =
    [("street_address", 300), ("postal_code", 20), ("locality", 100), ("region", 100), ("country", 100)];
/// A person as they would be.
pub(super) struct Draft {
    /// The page with what was typed and what is wrong with it.
    pub(super) page: Profile,
    /// All attributes but the language.
    pub(super) attributes: Map<String, Value>,
    /// Their language.
    pub(super) locale: Option<String>,
    /// A new user name.
    pub(super) username: Option<Username>,
    /// Old and new values of what changes, by name.
    pub(super) changes: Map<String, Value>,
}

/// The page with what is stored.
pub(super) fn stored(me: &Me) -> Profile {
    let address = |part: &str| text_of(me.attributes.get("address"), part);
    Profile {
        name: me.text("name").to_owned(),
        given_name: me.text("given_name").to_owned(),
        family_name: me.text("family_name").to_owned(),
        locale: spoken(me.text("locale")).to_owned(),
        street_address: address("street_address"),
        postal_code: address("postal_code"),
        locality: address("locality"),
        region: address("region"),
        country: address("country"),
        ..Profile::default()
    }
}

fn text_of(address: Option<&Value>, part: &str) -> String {
    address.and_then(|address| address.get(part)?.as_str()).unwrap_or_default().to_owned()
}

/// The choice that stands for a stored language: ours, or that of the browser.
fn spoken(tag: &str) -> &'static str {
    Locale::from_tag(tag).map_or("", Locale::code)
}

impl Draft {
    /// Reads the fields of the form; user names only where accounts may have them.
    pub(super) fn read(me: &Me, form: &Submission, usernames: bool) -> Self {
        let mut attributes = me.attributes.clone();
        let locale = attributes.remove("locale").as_ref().and_then(Value::as_str).map(str::to_owned);
        let mut draft = Self { page: stored(me), attributes, locale, username: None, changes: Map::new() };
        draft.read_names(form);
        draft.read_address(form);
        draft.read_locale(form);
        if usernames {
            draft.read_username(me, form);
        }
        draft
    }

    /// Whether something that was sent cannot be saved.
    pub(super) fn is_refused(&self) -> bool {
        !self.page.errors.is_empty() || self.page.notice.is_some()
    }

    /// With something said of the whole form.
    pub(super) fn refuse(mut self, message: Message) -> Self {
        self.page.notice = Some(Notice::error(message));
        self
    }

    /// The texts by which the person will be found.
    pub(super) fn search_texts(&self, me: &Me) -> Vec<String> {
        let kept = me.identifiers.iter().filter(|row| self.username.is_none() || row.kind != "username");
        let names = kept.map(|row| row.typed.as_str());
        attributes::search_texts(
            names.chain(self.username.as_ref().map(Username::as_typed)),
            &self.attributes,
        )
    }

    fn read_names(&mut self, form: &Submission) {
        for (name, most) in NAMES {
            let Some(text) = self.text(form, (name, most)) else { continue };
            let old = self.attributes.get(name).cloned();
            if old.as_ref().and_then(Value::as_str).unwrap_or_default() != text {
                set(&mut self.attributes, name, &text);
                self.change(name, old.unwrap_or_default(), self.attributes.get(name).cloned());
            }
        }
    }

    /// The parts that the form has not, such as `formatted`, are of the old address and go with it.
    fn read_address(&mut self, form: &Submission) {
        let old = self.attributes.get("address").cloned();
        let mut address = Map::new();
        let mut changed = false;
        for (part, most) in ADDRESS {
            let before = text_of(old.as_ref(), part);
            let text = self.text(form, (part, most)).unwrap_or_else(|| before.clone());
            changed |= text != before;
            set(&mut address, part, &text);
        }
        if !changed {
            return;
        }
        let new = (!address.is_empty()).then_some(Value::Object(address));
        match &new {
            Some(new) => drop(self.attributes.insert("address".to_owned(), new.clone())),
            None => drop(self.attributes.remove("address")),
        }
        self.change("address", old.unwrap_or_default(), new);
    }

    fn read_locale(&mut self, form: &Submission) {
        let chosen = form.get("locale").trim();
        if !form.has("locale") || chosen == spoken(self.locale.as_deref().unwrap_or_default()) {
            return;
        }
        let known = Locale::ALL.into_iter().map(Locale::code).find(|code| *code == chosen);
        if known.is_none() && !chosen.is_empty() {
            self.refused("locale", say::choice_unknown());
            return;
        }
        self.page.locale = chosen.to_owned();
        let new = known.map(str::to_owned);
        let old = std::mem::replace(&mut self.locale, new.clone());
        self.change("locale", json!(old), new.map(Value::String));
    }

    /// An account that has a user name keeps one.
    fn read_username(&mut self, me: &Me, form: &Submission) {
        let typed = form.get("username").trim();
        let old = me.username().map(|row| row.typed.as_str());
        if typed.is_empty() || Some(typed) == old {
            return;
        }
        self.page.username = Some(typed.to_owned());
        match Username::parse(typed) {
            Ok(name) => {
                self.change("username", json!(old), Some(json!(name.as_typed())));
                self.username = Some(name);
            }
            Err(_) => self.refused("username", say::username_invalid()),
        }
    }

    /// The text of a field, if it was sent. It goes back to the page as it was typed.
    fn text(&mut self, form: &Submission, field: (&'static str, u32)) -> Option<String> {
        let (name, most) = field;
        if !form.has(name) {
            return None;
        }
        let text = form.get(name).trim().to_owned();
        let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        if length > most {
            self.refused(name, say::too_long(most));
        } else if text.contains(is_unreadable) {
            self.refused(name, say::unreadable());
        }
        if let Some(shown) = self.shown(name) {
            shown.clone_from(&text);
        }
        Some(text)
    }

    fn shown(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "name" => &mut self.page.name,
            "given_name" => &mut self.page.given_name,
            "family_name" => &mut self.page.family_name,
            "street_address" => &mut self.page.street_address,
            "postal_code" => &mut self.page.postal_code,
            "locality" => &mut self.page.locality,
            "region" => &mut self.page.region,
            "country" => &mut self.page.country,
            _ => return None,
        })
    }

    /// Beside the field where the page shows it, else above all.
    fn refused(&mut self, name: &'static str, message: Message) {
        match self.shown(name) {
            Some(_) => self.page.errors.push((name, message)),
            None if name == "username" => self.page.errors.push((name, message)),
            None => self.page.notice = Some(Notice::error(message)),
        }
    }

    fn change(&mut self, name: &str, old: Value, new: Option<Value>) {
        self.changes.insert(name.to_owned(), json!({ "old": old, "new": new }));
    }
}

fn set(map: &mut Map<String, Value>, name: &str, text: &str) {
    match text.is_empty() {
        true => drop(map.remove(name)),
        false => drop(map.insert(name.to_owned(), text.into())),
    }
}

/// Control characters, and those that turn the direction of what follows.
fn is_unreadable(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
