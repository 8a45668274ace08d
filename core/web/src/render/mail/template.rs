//! The names of tenants' templates of mails: `mail-verify-address.html`, in one language
//! `mail-verify-address.de.html`; `mail-layout.html` is for all mails that have none of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{COMMON, HTML, Kind, SUBJECT, TEXT, Variable};
use crate::locale::Locale;
use crate::pages::mails::KINDS;
use crate::render::Chrome;

const LAYOUT: &str = "layout";

/// A piece of a mail with a template of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Subject,
    Text,
    Html,
}

impl Piece {
    const ALL: [Self; 3] = [Self::Subject, Self::Text, Self::Html];

    const fn ending(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Text => "txt",
            Self::Html => "html",
        }
    }

    /// What is used where the tenant has no template; written in the language of the tenants'.
    pub(crate) const fn default(self) -> &'static str {
        match self {
            Self::Subject => SUBJECT,
            Self::Text => TEXT.1,
            Self::Html => HTML.1,
        }
    }
}

/// The templates for a piece of a mail, the most particular first.
pub(super) fn candidates(mail: &str, locale: Locale, piece: Piece) -> impl Iterator<Item = String> {
    let (code, ending) = (locale.code(), piece.ending());
    let named = |of: &str| [format!("mail-{of}.{code}.{ending}"), format!("mail-{of}.{ending}")];
    let layout = if piece == Piece::Subject { Vec::new() } else { named(LAYOUT).to_vec() };
    named(mail).into_iter().chain(layout)
}

/// A template of mails, by its name.
#[derive(Clone, Copy)]
pub(crate) struct MailTemplate {
    /// The mail; none if it is the layout of all.
    kind: Option<&'static Kind>,
    locale: Option<Locale>,
    pub(crate) piece: Piece,
}

impl MailTemplate {
    /// The template of this name, if mails look for one.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix("mail-")?.split('.');
        let (of, second, third) = (parts.next()?, parts.next()?, parts.next());
        let (locale, ending) = match third {
            Some(ending) => (Some(Locale::ALL.into_iter().find(|locale| locale.code() == second)?), ending),
            None => (None, second),
        };
        let piece = Piece::ALL.into_iter().find(|piece| piece.ending() == ending)?;
        let kind = KINDS.iter().find(|kind| kind.name == of);
        let known = kind.is_some() || (of == LAYOUT && piece != Piece::Subject);
        (parts.next().is_none() && known).then_some(Self { kind, locale, piece })
    }

    /// Every template, without a language.
    pub(crate) fn all() -> Vec<(String, Self)> {
        let of = |kind: Option<&'static Kind>| {
            let name = kind.map_or(LAYOUT, |kind| kind.name);
            let pieces =
                Piece::ALL.into_iter().filter(move |piece| kind.is_some() || *piece != Piece::Subject);
            pieces.map(move |piece| {
                (format!("mail-{name}.{}", piece.ending()), Self { kind, locale: None, piece })
            })
        };
        KINDS.iter().map(Some).chain([None]).flat_map(of).collect()
    }

    pub(crate) const fn is_layout(&self) -> bool {
        self.kind.is_none()
    }

    pub(crate) fn about(&self) -> &'static str {
        self.kind.map_or("All mails that have no template of their own.", |kind| kind.about)
    }

    pub(crate) fn variables(&self) -> Vec<Variable> {
        let common =
            COMMON.iter().filter(|variable| self.piece != Piece::Subject || variable.name != "subject");
        self.kind.map_or(&[][..], |kind| kind.variables).iter().chain(common).copied().collect()
    }

    /// The mails that it is for; the first one stands for all in a preview.
    pub(crate) fn kinds(&self) -> &'static [Kind] {
        self.kind.map_or(KINDS, std::slice::from_ref)
    }

    /// The language to show it in, unless another is wished.
    pub(crate) fn language(&self, wished: Option<Locale>, otherwise: Locale) -> Locale {
        self.locale.or(wished).unwrap_or(otherwise)
    }

    /// Draws every sample of the mails that it is for in all of its languages.
    ///
    /// # Errors
    /// What is wrong with the source, and where.
    pub(crate) fn check(&self, name: &str, source: &str) -> Result<(), String> {
        let custom = Arc::new(BTreeMap::from([(name.to_owned(), source.to_owned())]));
        let locales = self.locale.map_or(Locale::ALL.to_vec(), |locale| vec![locale]);
        for locale in locales {
            let tenant_name = "Northwind".to_owned();
            let chrome = Chrome { locale, tenant_name, custom: Arc::clone(&custom), ..Chrome::default() };
            let mut drawn = self.kinds().iter().flat_map(|kind| kind.samples(&chrome));
            if let Some(problem) = drawn.find_map(|drawn| drawn.problems.into_iter().next()) {
                let place = format!("{name}: ");
                return Err(problem.strip_prefix(&place).unwrap_or(&problem).to_owned());
            }
        }
        Ok(())
    }
}
