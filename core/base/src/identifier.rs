//! Identifiers and their normal forms: one normaliser before every comparison and every limit.

use precis_profiles::{UsernameCaseMapped, precis_core::profile::PrecisFastInvocation};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// The version of the normal forms below, stored beside each identifier.
pub const NORM_VERSION: i64 = 1;

/// What sort of identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentifierKind {
    /// An e-mail address.
    Email,
    /// A user name.
    Username,
}

impl IdentifierKind {
    /// As the store writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Username => "username",
        }
    }
}

/// Not an identifier: what is wrong, without repeating it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnIdentifier {
    /// No `@` with something on both sides, or a domain that is none.
    #[error("not an e-mail address")]
    Email,
    /// Characters outside RFC 8265, too short, too long, or an `@`.
    #[error("not a user name: use 2 to 64 letters, digits, dots, hyphens or underscores")]
    Username,
}

/// An e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Email {
    typed: String,
    normal: String,
}

impl Email {
    /// Parses an address: NFC, local part folded to lower case, domain as A-label.
    ///
    /// # Errors
    /// [`NotAnIdentifier::Email`] for anything that is not exactly one plain address: lists,
    /// display names, quoted local parts, control characters, more than 254 bytes.
    pub fn parse(text: &str) -> Result<Self, NotAnIdentifier> {
        const WRONG: NotAnIdentifier = NotAnIdentifier::Email;
        let typed: String = text.trim().nfc().collect();
        let (local, domain) = typed.rsplit_once('@').ok_or(WRONG)?;
        let forbidden = |c: char| c.is_whitespace() || c.is_control() || "@,;:<>()[]\\\"\u{ff20}".contains(c);
        if local.is_empty() || local.len() > 64 || local.contains(forbidden) {
            return Err(WRONG);
        }
        if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
            return Err(WRONG);
        }
        let domain =
            idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::URL).map_err(|_| WRONG)?;
        let label = |l: &str| {
            !l.is_empty()
                && l.len() <= 63
                && !l.starts_with('-')
                && !l.ends_with('-')
                && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if !domain.contains('.') || !domain.split('.').all(label) {
            return Err(WRONG);
        }
        let local: String = local.to_lowercase().nfc().collect();
        let normal = format!("{local}@{domain}");
        if normal.len() > 254 || typed.len() > 254 {
            return Err(WRONG);
        }
        Ok(Self { typed, normal })
    }

    /// As it was typed, in NFC.
    pub fn as_typed(&self) -> &str {
        &self.typed
    }

    /// As it is compared.
    pub fn normal(&self) -> &str {
        &self.normal
    }

    /// With all but the edges of the local part hidden: `a•••e@example.com`.
    pub fn masked(&self) -> String {
        mask(&self.typed)
    }
}

/// Hides all but the edges of the local part of an address.
pub fn mask(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let first = local.chars().next().unwrap_or('•');
    let last = if local.chars().count() > 2 { local.chars().next_back() } else { None };
    let last = last.map(String::from).unwrap_or_default();
    format!("{first}•••{last}@{domain}")
}

/// A user name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Username {
    typed: String,
    normal: String,
}

impl Username {
    /// Parses a user name by RFC 8265, section 3.3 (UsernameCaseMapped).
    ///
    /// # Errors
    /// [`NotAnIdentifier::Username`] for characters outside that profile, an `@` (which would make
    /// it an address), fewer than 2 or more than 64 characters.
    pub fn parse(text: &str) -> Result<Self, NotAnIdentifier> {
        const WRONG: NotAnIdentifier = NotAnIdentifier::Username;
        let typed: String = text.trim().nfc().collect();
        if typed.len() > 256 {
            return Err(WRONG);
        }
        let normal = UsernameCaseMapped::enforce(typed.as_str()).map_err(|_| WRONG)?.into_owned();
        let length = normal.chars().count();
        if !(2..=64).contains(&length) || normal.contains('@') || normal.starts_with('+') {
            return Err(WRONG);
        }
        Ok(Self { typed, normal })
    }

    /// As it was typed, in NFC.
    pub fn as_typed(&self) -> &str {
        &self.typed
    }

    /// As it is compared.
    pub fn normal(&self) -> &str {
        &self.normal
    }
}

/// What somebody signs in with.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Identifier {
    /// An e-mail address.
    Email(Email),
    /// A user name.
    Username(Username),
}

impl Identifier {
    /// Parses what was typed: with an `@` an address, else a user name.
    ///
    /// # Errors
    /// [`NotAnIdentifier`] of the kind that it looked like.
    pub fn parse(text: &str) -> Result<Self, NotAnIdentifier> {
        if text.contains('@') {
            Email::parse(text).map(Self::Email)
        } else {
            Username::parse(text).map(Self::Username)
        }
    }

    /// Its kind.
    pub const fn kind(&self) -> IdentifierKind {
        match self {
            Self::Email(_) => IdentifierKind::Email,
            Self::Username(_) => IdentifierKind::Username,
        }
    }

    /// As it is compared.
    pub fn normal(&self) -> &str {
        match self {
            Self::Email(email) => email.normal(),
            Self::Username(name) => name.normal(),
        }
    }

    /// As it was typed.
    pub fn as_typed(&self) -> &str {
        match self {
            Self::Email(email) => email.as_typed(),
            Self::Username(name) => name.as_typed(),
        }
    }

    /// The address, if it is one.
    pub const fn email(&self) -> Option<&Email> {
        match self {
            Self::Email(email) => Some(email),
            Self::Username(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abuse_12_spellings_of_one_address_have_one_normal_form() {
        for spelling in ["Alice@Example.COM", " alice@example.com ", "ALICE@EXAMPLE.com"] {
            assert_eq!(Email::parse(spelling).unwrap().normal(), "alice@example.com");
        }
        assert_eq!(
            Email::parse("jo\u{308}rg@bücher.example").unwrap().normal(),
            "jörg@xn--bcher-kva.example"
        );
        assert_eq!(Username::parse("Ａlice").unwrap().normal(), "alice");
    }

    #[test]
    fn abuse_27_lists_display_names_and_line_breaks_are_no_address() {
        for wrong in [
            "a@example.com,b@example.com",
            "Alice <a@example.com>",
            "a@example.com\r\nBcc: b@example.com",
            "a@b@example.com",
            "a＠example.com",
            "\"a b\"@example.com",
            "a@",
            "@example.com",
            "a@localhost",
            "a@-example.com",
            "a@exa mple.com",
            "<b>x</b>@example.com",
            "a..b@example.com",
        ] {
            assert!(Email::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Username::parse("a＠example").is_err());
        assert!(Username::parse("two words").is_err());
    }

    #[test]
    fn masks_show_only_the_edges() {
        assert_eq!(Email::parse("alice@example.com").unwrap().masked(), "a•••e@example.com");
        assert_eq!(Email::parse("al@example.com").unwrap().masked(), "a•••@example.com");
    }
}
