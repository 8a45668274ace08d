//! Owns what our mails say. Links are absolute and come from the issuer.

mod codes;
mod notices;

pub use codes::{AddressChangeCode, DeleteCode, Recover, VerifyAddress};
pub use notices::{AccountDeleted, AddressChanged, NewDevice, PasswordChanged, RefreshReplay};

use crate::render::mail::{Kind, Part, Variable};
use crate::render::{Arg, Message};

/// Every mail that there is.
pub const KINDS: &[Kind] = &[
    Kind::of::<VerifyAddress>(),
    Kind::of::<Recover>(),
    Kind::of::<AddressChangeCode>(),
    Kind::of::<DeleteCode>(),
    Kind::of::<AddressChanged>(),
    Kind::of::<PasswordChanged>(),
    Kind::of::<NewDevice>(),
    Kind::of::<AccountDeleted>(),
    Kind::of::<RefreshReplay>(),
];

const CODE: Variable = Variable::new("code", "The one-time code.");
const CODE_LINK: Variable = Variable::new("link", "The link that does the same as the code.");
const MINUTES: Variable = Variable::new("minutes", "For how many minutes the code is good.");
const TIME: Variable = Variable::new("time", "When it happened, as date and time.");

fn button(label: &'static str, href: &str) -> Part {
    Part::Button { label: Message::new(label), href: href.to_owned() }
}

fn small(id: &'static str) -> Part {
    Part::Small(Message::new(id))
}

fn good_for(minutes: u32) -> Part {
    Part::Text(Message::new("mail-good-for").number("minutes", minutes))
}

fn text(text: &str) -> Option<Arg> {
    Some(Arg::Text(text.to_owned()))
}

fn number(number: impl Into<i64>) -> Option<Arg> {
    Some(Arg::Number(number.into()))
}

const fn time(micros: i64) -> Option<Arg> {
    Some(Arg::Time(micros))
}
