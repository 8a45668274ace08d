//! Owns the pages of every step: one typed struct a page, with what it asks and with samples of
//! every state. Features fill them in; the templates of the same name draw them.
//!
//! Conventions of the forms: the main button has `id="continue"`; small tasks beside it post the
//! hidden fields and `action` (`restart`, `resend`, `another`) alone, without the visible fields.

mod account;
mod dev;
mod ending;
mod gallery;
pub mod mails;
mod portal;
mod register;
pub mod say;
mod signin;

pub use account::{ChangeEmail, ChangePassword, DeleteAccount, Profile};
pub use dev::{CaughtMail, DemoApp, DemoRequest, DemoSession, MailView, Mailbox};
pub use ending::{ErrorPage, FormPost, LinkLanding, LinkPlace, LogoutQuestion, SignedOut};
pub use gallery::{NOW, Sample, gallery, mail_gallery};
pub use portal::{
    AccountHome, Activity, ActivityEntry, Application, Applications, SessionEntry, Sessions, Viewer,
};
pub use register::{NewPassword, RecoverAddress, RegisterAddress, RegisterDetails};
pub use signin::{Account, Chip, ChooseAccount, Code, CodePurpose, Consent, ConsentItem, Identify, Password};

use crate::render::{Notice, Post};

/// Hidden fields as a real page has them, for samples.
fn sample_post() -> Post {
    let hidden = [("csrf", "b3J3aWdzZWNyZXQ"), ("request", "v1.AbCdEf0123")];
    let hidden = hidden.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Post::new("/signin", hidden.to_vec())
}

/// A value that would be markup, a path and a template if anything were not escaped.
const HOSTILE: &str = "<script>alert(1)</script>\"'><b>{{ 7 * 7 }}</b>&amp;";

/// A name as long as names get.
const LONG: &str = "Maximiliane-Theophania von und zu Hohenstein-Wolkenkuckucksheim-Donaudampfschifffahrt";

fn saved() -> Option<Notice> {
    Some(Notice::done(say::saved()))
}
