//! What the sign-in asks about an application's request, and how its flow ends at the application.

use crate::{
    answer::ending,
    events,
    issue::{Holder, Issued},
    request::{Consent, Request, Wanted},
    session_check,
};
use base::{Error, Id, id};
use journey::{Goal, Reason, Rules};
use oauth::{
    ErrorCode, Scope, Scopes,
    authorize::{Checked, Prompt},
};
use serde_json::Value;
use std::collections::BTreeMap;
use store::{Unit, rows::consent};
use web::{
    Visit,
    intent::{Asking, Boxed, Destination, Ending, Finished},
};

/// The requests of applications, as the sign-in meets them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Requests;

impl Destination for Requests {
    fn rules<'a>(
        &'a self,
        visit: &'a Visit,
        request: &'a Value,
        person: Option<Id<id::Person>>,
        begun_at: i64,
    ) -> Boxed<'a, Result<Rules, Error>> {
        Box::pin(rules(visit, request, person, begun_at))
    }

    fn asking<'a>(&'a self, visit: &'a Visit, request: &'a Value) -> Boxed<'a, Result<Asking, Error>> {
        Box::pin(asking(visit, request))
    }

    fn finish<'a>(
        &'a self,
        visit: &'a Visit,
        request: &'a Value,
        finished: &'a Finished,
        unit: &'a mut Unit,
    ) -> Boxed<'a, Result<Ending, Error>> {
        Box::pin(finish(visit, request, finished, unit))
    }

    fn deny(&self, visit: &Visit, request: &Value, reason: Reason) -> Result<Ending, Error> {
        let description = match reason {
            Reason::Declined => "the customer declined",
            Reason::RegistrationClosed => "the customer has no account and none are created here",
            Reason::NoMethod => "the customer cannot prove enough",
        };
        let error = Request::read(request)?.checked.refuse(ErrorCode::AccessDenied, description);
        Ok(ending(error.answer(&visit.tenant.issuer)))
    }

    fn again(&self, visit: &Visit, request: &Value) -> String {
        let start = || visit.at("/account");
        Request::read(request)
            .map_or_else(|_| start(), |request| format!("{}?{}", visit.at("/authorize"), request.query))
    }
}

async fn rules(
    visit: &Visit,
    request: &Value,
    person: Option<Id<id::Person>>,
    begun_at: i64,
) -> Result<Rules, Error> {
    let request = Request::read(request)?;
    let application = request.application(visit).await?;
    let checked = &request.checked;
    let wanted = Wanted::of(visit, &application.client, checked).await?;
    let wanted = wanted.map_err(|_| Error::internal("a hint of a flow is not ours any more"))?;
    let consent = Consent::of(visit, &application, person, checked).await?;
    let due = consent.due(checked, &application.client);
    Ok(Rules {
        goal: if checked.prompts(Prompt::Create) { Goal::Register } else { Goal::SignIn },
        person: wanted.person,
        fresh_after: fresh_after(checked, begun_at),
        choose: checked.prompts(Prompt::SelectAccount),
        registration: visit.tenant.settings.registration,
        consent: due.iter().map(|scope| scope.as_str().to_owned()).collect(),
        ..Rules::sign_in()
    })
}

/// From when on a proof counts (OpenID Connect Core section 3.1.2.1). The age is taken when the
/// flow begins, so that a proof given in it does not grow old over the pages that follow.
fn fresh_after(checked: &Checked, begun_at: i64) -> i64 {
    let oldest = |max_age: i64| begun_at.saturating_sub(max_age.saturating_mul(1_000_000));
    match checked.max_age {
        _ if checked.prompts(Prompt::Login) => begun_at,
        Some(max_age) => oldest(max_age),
        None => i64::MIN,
    }
}

async fn asking(visit: &Visit, request: &Value) -> Result<Asking, Error> {
    let request = Request::read(request)?;
    let application = request.application(visit).await?;
    let client = &application.client;
    let asked = Consent::of(visit, &application, None, &request.checked).await?.asked;
    Ok(Asking {
        application: application.id,
        name: client.display_name().to_owned(),
        domain: host(request.checked.to.redirect_uri().as_str()).to_owned(),
        scopes: asked.iter().map(|scope| scope.as_str().to_owned()).collect(),
        descriptions: descriptions(visit, &asked),
        logo: client.logo_uri.as_ref().map(ToString::to_string),
        privacy: client.policy_uri.as_ref().map(ToString::to_string),
        terms: client.tos_uri.as_ref().map(ToString::to_string),
    })
}

/// What the tenant says of the scopes, in the language of the page.
fn descriptions(visit: &Visit, scopes: &Scopes) -> BTreeMap<String, String> {
    let language = visit.locale.code();
    let told = |scope: &Scope| {
        let words = visit.tenant.catalogue.description(scope.as_str(), language)?;
        Some((scope.as_str().to_owned(), words.to_owned()))
    };
    scopes.iter().filter_map(told).collect()
}

/// The host of a registered address; of a private scheme the scheme, which is all it has.
fn host(uri: &str) -> &str {
    let (scheme, rest) = uri.split_once(':').unwrap_or((uri, ""));
    let authority = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?']).next());
    authority.filter(|authority| !authority.is_empty()).unwrap_or(scheme)
}

async fn finish(
    visit: &Visit,
    request: &Value,
    finished: &Finished,
    unit: &mut Unit,
) -> Result<Ending, Error> {
    let request = Request::read(request)?;
    let (checked, application) = (&request.checked, request.application(visit).await?);
    let consent = Consent::of(visit, &application, Some(finished.person), checked).await?;
    // The journey does not end before everything that was due is agreed to.
    if !consent.due(checked, &application.client).is_empty() {
        let scopes = consent.given.unwrap_or_default().union(&consent.asked).to_string();
        consent::give(unit, visit.tenant.id, finished.person, (application.id, &scopes), visit.now());
    }
    let holder = Holder {
        person: finished.person,
        session: finished.session,
        epochs: finished.epochs,
        authentication: &finished.authentication,
    };
    let issued = Issued::new(visit, &application, checked, &holder);
    unit.record(events::row(visit, issued.event(visit)).await?);
    issued.write(visit, unit);
    let code = issued.code();
    Ok(ending(session_check::success(visit, checked, &application.client, finished.session, &code)?))
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn the_host_of_an_address_is_shown() {
        for (uri, expected) in [
            ("https://shop.example/cb?x=1", "shop.example"),
            ("http://127.0.0.1:9000/cb", "127.0.0.1:9000"),
            ("com.example.app:/cb", "com.example.app"),
            ("https://shop.example", "shop.example"),
        ] {
            assert_eq!(host(uri), expected);
        }
    }
}
