//! The mail to a person whose refresh token came twice, queued in the unit that ends the grant.

use crate::{call::Call, person};
use base::Error;
use std::time::Duration;
use store::{
    Application, Unit,
    rows::{identifier, person::PersonRow},
};
use web::{locale::Locale, pages::mails::RefreshReplay, render::mail};
use work::mail::{Message, enqueue};

/// How long the news is worth sending.
const LIFE: Duration = Duration::from_secs(3 * 86_400);

/// Queues the mail, if the person has an address.
pub(super) async fn replay(
    call: &Call,
    person: &PersonRow,
    application: &Application,
    unit: &mut Unit,
) -> Result<(), Error> {
    let identifiers = identifier::of_person(call.db(), call.tenant.id, person.id).await?;
    let Some(email) = person::email(&identifiers) else { return Ok(()) };
    let mut chrome = call.site.chrome(&call.tenant);
    if let Some(locale) = person.locale.as_deref().and_then(Locale::from_tag) {
        chrome.locale = locale;
    }
    let sessions = format!("{}/account/sessions", call.tenant.issuer);
    let page = RefreshReplay {
        application: application.client.display_name().to_owned(),
        at: call.now().micros(),
        sessions: sessions.clone(),
    };
    let rendered = mail::render(&page, &chrome);
    let message = Message {
        to: email.typed.clone(),
        subject: rendered.subject,
        text: rendered.text,
        html: rendered.html,
        code: None,
        links: vec![sessions],
        decoy: false,
    };
    enqueue(unit, &call.tenant, call.env(), &message, call.now().plus(LIFE));
    Ok(())
}
