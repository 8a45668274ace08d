//! `/account/applications`: the applications of others that the person allowed, and taking that back.

use crate::{
    Account,
    me::{Me, form_to},
    visitor::{Done, Posted, Signed, answer},
};
use axum::{extract::State, response::Response};
use base::{Error, Id, id};
use http::{StatusCode, Uri};
use serde_json::json;
use std::sync::Arc;
use store::{
    Unit,
    rows::{
        consent::{self, ConsentRow},
        grant,
    },
};
use web::{
    Submission, Visit,
    pages::{self, Applications, ConsentItem, say},
    query,
    render::Notice,
};

const PATH: &str = "/account/applications";

/// GET `/account/applications`.
pub(crate) async fn page(Signed { visit, me }: Signed) -> Response {
    answer(&visit, show(&visit, &me).await)
}

/// POST `/account/applications` with `application`: that consent and all grants under it end.
pub(crate) async fn take_back(State(account): State<Account>, posted: Posted) -> Response {
    account.perform(posted, revoke).await
}

async fn show(visit: &Visit, me: &Me) -> Result<Response, Error> {
    let mut applications = Vec::new();
    for consent in consent::of_person(visit.db(), visit.tenant.id, me.id()).await? {
        let known = named(visit, consent.application).await?;
        applications.push(entry(visit, &consent, known.as_deref()));
    }
    let page = Applications {
        post: form_to(visit, PATH)?,
        viewer: me.viewer(visit)?,
        notice: notice(visit).await?,
        applications,
    };
    Ok(visit.page(StatusCode::OK, &page, &visit.at(PATH)))
}

async fn named(visit: &Visit, id: Id<id::Application>) -> Result<Option<Arc<store::Application>>, Error> {
    visit.site.directory().application_by_id(&visit.tenant, id).await
}

/// A consent in words. One to an application that is gone can still be taken back.
fn entry(
    visit: &Visit,
    consent: &ConsentRow,
    application: Option<&store::Application>,
) -> pages::Application {
    let description = |scope: &str| visit.tenant.catalogue.description(scope, visit.locale.code());
    let scopes = consent.scopes.split_whitespace();
    let id = consent.application.to_string();
    pages::Application {
        name: application.map_or_else(|| id.clone(), |known| known.client.display_name().to_owned()),
        domain: application.and_then(domain),
        scopes: ConsentItem::of_scopes(scopes, description, |_| None)
            .into_iter()
            .map(|item| item.title)
            .collect(),
        since: consent.given_at.micros(),
        id,
    }
}

/// Where the application lives: the host that answers go to.
fn domain(application: &store::Application) -> Option<String> {
    let uri: Uri = application.client.redirect_uris.first()?.as_str().parse().ok()?;
    uri.host().map(str::to_owned)
}

async fn notice(visit: &Visit) -> Result<Option<Notice>, Error> {
    let ended = query(&visit.uri, "ended").and_then(|id| id.parse().ok());
    let Some(id) = ended else { return Ok(None) };
    let application = named(visit, id).await?;
    Ok(application.map(|known| Notice::done(say::access_ended(known.client.display_name()))))
}

fn revoke<'a>(visit: &'a Visit, me: &'a Me, form: &'a Submission) -> Done<'a> {
    Box::pin(async move {
        let (tenant, person) = (visit.tenant.id, me.id());
        let application = form.get("application").parse().map_err(|_| Error::not_found())?;
        let given = consent::find(visit.db(), tenant, person, application).await?;
        let given = given.ok_or_else(Error::not_found)?;
        let event = me
            .event(visit, "consent.revoked")
            .application(application)
            .detail(json!({ "scopes": given.scopes }));
        let mut unit = Unit::new(event.id, vec![visit.tenant.event(visit.env(), event, Some(&me.key))]);
        consent::revoke(&mut unit, tenant, person, application);
        grant::end_of_application(&mut unit, tenant, person, application);
        let done = visit.db().commit(unit).await?.done();
        Ok(done.then(|| visit.see_other(&visit.at(&format!("{PATH}?ended={application}")))))
    })
}
