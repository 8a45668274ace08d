//! Every page in every state, for tests and contact sheets.

use super::{
    AccountHome, Activity, Applications, ChangeEmail, ChangePassword, ChooseAccount, Code, Consent,
    DeleteAccount, DemoApp, ErrorPage, FormPost, Identify, LinkLanding, LogoutQuestion, MailView, Mailbox,
    NewPassword, Password, Profile, RecoverAddress, RegisterAddress, RegisterDetails, Sessions, SignedOut,
    mails,
};
use crate::render::mail::{Drawn, Kind, RenderedMail};
use crate::render::{self, Chrome, Page, Rendered};

type Draw<T> = Box<dyn Fn(&Chrome) -> T>;

/// One page in one state.
pub struct Sample {
    /// The step and the number of the state: `password-1`.
    pub name: String,
    /// The step.
    pub step: &'static str,
    /// Its template.
    pub template: &'static str,
    draw: Draw<Rendered>,
    json: Draw<serde_json::Value>,
}

impl Sample {
    /// As HTML.
    pub fn html(&self, chrome: &Chrome) -> Rendered {
        (self.draw)(chrome)
    }

    /// As JSON.
    pub fn json(&self, chrome: &Chrome) -> serde_json::Value {
        (self.json)(chrome)
    }
}

/// The time the samples are made for, as `now` of the chrome.
pub const NOW: i64 = super::portal::SAMPLE_NOW;

/// Every page in every state.
pub fn gallery() -> Vec<Sample> {
    [
        of::<Identify>(),
        of::<Password>(),
        of::<Code>(),
        of::<Consent>(),
        of::<ChooseAccount>(),
        of::<RegisterAddress>(),
        of::<RegisterDetails>(),
        of::<RecoverAddress>(),
        of::<NewPassword>(),
        of::<LinkLanding>(),
        of::<LogoutQuestion>(),
        of::<SignedOut>(),
        of::<ErrorPage>(),
        of::<FormPost>(),
        of::<AccountHome>(),
        of::<Profile>(),
        of::<ChangeEmail>(),
        of::<Sessions>(),
        of::<Activity>(),
        of::<Applications>(),
        of::<ChangePassword>(),
        of::<DeleteAccount>(),
        of::<Mailbox>(),
        of::<MailView>(),
        of::<DemoApp>(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn of<P: Page + Clone + 'static>() -> Vec<Sample> {
    let sample = |(index, page): (usize, P)| {
        let other = page.clone();
        Sample {
            name: format!("{}-{index}", P::STEP),
            step: P::STEP,
            template: P::TEMPLATE,
            draw: Box::new(move |chrome| render::render_reporting(&page, chrome)),
            json: Box::new(move |chrome| render::json(&other, chrome)),
        }
    };
    P::samples().into_iter().enumerate().map(sample).collect()
}

/// Every mail in every state, by name.
pub fn mail_gallery(chrome: &Chrome) -> Vec<(String, RenderedMail)> {
    let of = |kind: &Kind| {
        let named = |(index, drawn): (usize, Drawn)| (format!("{}-{index}", kind.name), drawn.mail);
        kind.samples(chrome).into_iter().enumerate().map(named).collect::<Vec<_>>()
    };
    mails::KINDS.iter().flat_map(of).collect()
}
