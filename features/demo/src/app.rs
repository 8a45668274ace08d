//! The pages of one application: home, the way to the server and back, sign-out.

use crate::{
    Demo, Registration,
    back_channel::BackChannel,
    failure::Failure,
    protocol::{RelyingParty, SignedIn, random},
    sessions::{LIFE, Sessions},
    trace,
};
use axum::{
    Router,
    extract::{FromRef, State},
    response::Response,
    routing::get,
};
use http::{
    HeaderMap, StatusCode,
    header::{self, HOST},
};
use oauth::Params;
use std::sync::Arc;
use web::{
    Site, Visit,
    pages::{DemoApp, DemoRequest},
};

/// The routes of the application `own`, which links to `other`.
pub(crate) fn routes(demo: Demo, own: Registration, other: Registration) -> Router {
    let at = |below: &str| format!("{}{below}", own.path);
    Router::new()
        .route(&at(""), get(home))
        .route(&at("/login"), get(login))
        .route(&at("/register"), get(register))
        .route(&at("/callback"), get(callback))
        .route(&at("/logout"), get(logout))
        .with_state(App(Arc::new(Inner { demo, own, other, sessions: Sessions::default() })))
}

#[derive(Clone)]
struct App(Arc<Inner>);

struct Inner {
    demo: Demo,
    own: Registration,
    other: Registration,
    sessions: Sessions,
}

impl FromRef<App> for Site {
    fn from_ref(App(app): &App) -> Self {
        app.demo.site.clone()
    }
}

async fn home(State(App(app)): State<App>, visit: Visit) -> Response {
    // A cookie of 127.0.0.1 is none of localhost, where answers go to, or the other way round.
    let host = visit.headers.get(HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| is_other_name(host, &visit.tenant.issuer)) {
        return visit.see_other(&format!("{}{}", visit.tenant.issuer, app.own.path));
    }
    app.page(&visit, None, Vec::new())
}

async fn login(State(App(app)): State<App>, visit: Visit) -> Response {
    app.begin(&visit, &[("ui_locales", visit.locale.code())]).await
}

async fn register(State(App(app)): State<App>, visit: Visit) -> Response {
    app.begin(&visit, &[("prompt", "create"), ("ui_locales", visit.locale.code())]).await
}

async fn callback(State(App(app)): State<App>, visit: Visit) -> Response {
    let mut channel = app.channel(&visit);
    match app.finish(&visit, &mut channel).await {
        // Elsewhere, so that reloading the page does not repeat the answer.
        Ok(()) => visit.see_other(&visit.at(app.own.path)),
        Err(failure) => app.page(&visit, Some(&failure), channel.requests),
    }
}

async fn logout(State(App(app)): State<App>, visit: Visit) -> Response {
    let ended = app.session(&visit).and_then(|id| app.sessions.end(&id, visit.now()));
    app.set_cookie(&visit, "", 0);
    let back = format!("{}{}", visit.tenant.issuer, app.own.path);
    let onward = ended.and_then(|signed_in| signed_in.logout(app.own.client_id, &back));
    visit.see_other(&onward.unwrap_or_else(|| visit.at(app.own.path)))
}

impl Inner {
    async fn begin(&self, visit: &Visit, wishes: &[(&str, &str)]) -> Response {
        let mut channel = self.channel(visit);
        match self.party(visit).begin(&mut channel, visit.env(), wishes).await {
            Ok((pending, location)) => {
                let id = self.session(visit).unwrap_or_else(|| random(visit.env()));
                self.sessions.begin(&id, pending, visit.now());
                self.set_cookie(visit, &id, LIFE.as_secs());
                visit.see_other(&location)
            }
            Err(failure) => self.page(visit, Some(&failure), channel.requests),
        }
    }

    async fn finish(&self, visit: &Visit, channel: &mut BackChannel) -> Result<(), Failure> {
        let query = visit.uri.query().unwrap_or_default();
        let params = Params::parse(query.as_bytes()).map_err(|_| Failure::Malformed)?;
        if params.repeated().is_some() {
            return Err(Failure::Malformed);
        }
        let session = self.session(visit).ok_or(Failure::UnknownState)?;
        let state = params.first("state").ok_or(Failure::Malformed)?;
        let pending = self.sessions.take(&session, state, visit.now()).ok_or(Failure::UnknownState)?;
        let party = self.party(visit);
        channel.requests.clone_from(&pending.requests);
        channel.requests.push(trace::request("GET", &format!("{}?{query}", party.redirect_uri), 303, b""));
        if params.first("iss") != Some(party.issuer) {
            return Err(Failure::Issuer);
        }
        if let Some(error) = params.first("error") {
            return Err(Failure::refused(error, params.first("error_description").unwrap_or_default()));
        }
        let code = params.first("code").ok_or(Failure::Malformed)?;
        let signed_in = party.finish(channel, &pending, code, visit.now()).await?;
        let fresh = random(visit.env());
        self.sessions.sign_in(&session, &fresh, signed_in, visit.now());
        self.set_cookie(visit, &fresh, LIFE.as_secs());
        Ok(())
    }

    /// The page, which shows the failure and its requests, or who is signed in and how that came.
    fn page(&self, visit: &Visit, failure: Option<&Failure>, requests: Vec<DemoRequest>) -> Response {
        let own = self.own;
        let session = self.session(visit).and_then(|id| self.sessions.signed_in(&id, visit.now()));
        let (signed_in, learnt) =
            session.map_or((None, Vec::new()), |SignedIn { view, requests, .. }| (Some(view), requests));
        let page = DemoApp {
            name: own.name.to_owned(),
            signed_in,
            requests: if failure.is_some() { requests } else { learnt },
            error: failure.map(ToString::to_string),
            sign_in: visit.at(&format!("{}/login", own.path)),
            register: Some(visit.at(&format!("{}/register", own.path))),
            sign_out: visit.at(&format!("{}/logout", own.path)),
            other: Some((self.other.name.to_owned(), visit.at(self.other.path))),
            account: Some(visit.at("/account")),
            mailbox: Some(visit.at("/dev/mail")),
        };
        let status = failure.map_or(StatusCode::OK, Failure::status);
        visit.page(status, &page, &visit.at(own.path))
    }

    fn party<'a>(&'a self, visit: &'a Visit) -> RelyingParty<'a> {
        RelyingParty {
            issuer: &visit.tenant.issuer,
            client_id: self.own.client_id,
            secret: self.own.confidential.then_some(&self.demo.secret),
            redirect_uri: format!("{}{}/callback", visit.tenant.issuer, self.own.path),
        }
    }

    fn channel(&self, visit: &Visit) -> BackChannel {
        BackChannel::new(self.demo.listen, &visit.tenant.issuer)
    }

    /// The living session that the browser names. It may send several cookies of one name.
    fn session(&self, visit: &Visit) -> Option<String> {
        let lives = |id: &&str| self.sessions.lives(id, visit.now());
        cookies(&visit.headers, self.own.client_id).find(lives).map(str::to_owned)
    }

    fn set_cookie(&self, visit: &Visit, id: &str, seconds: u64) {
        let Registration { client_id, path, .. } = self.own;
        let secure = if visit.tenant.is_https() { "; Secure" } else { "" };
        let path = visit.at(path);
        visit.set_cookie(format!(
            "{client_id}={id}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
        ));
    }
}

fn cookies<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// Whether the host is this machine by another of its names than in the issuer.
fn is_other_name(host: &str, issuer: &str) -> bool {
    let name = |authority: &str| {
        ["localhost", "127.0.0.1", "[::1]"].into_iter().find(|name| {
            authority.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        })
    };
    let of_issuer = issuer.split("://").nth(1).and_then(|rest| name(rest.split('/').next()?));
    of_issuer.is_some_and(|own| name(host).is_some_and(|other| other != own))
}

#[cfg(test)]
mod tests {
    use super::is_other_name;

    #[test]
    fn another_name_of_this_machine_is_told_from_another_machine() {
        for (host, issuer, is_other) in [
            ("localhost:8080", "http://127.0.0.1:8080", true),
            ("127.0.0.1:8080", "http://localhost:8080/t/acme", true),
            ("[::1]:8080", "http://localhost:8080", true),
            ("localhost:8080", "http://localhost:8080", false),
            ("localhost.example:8080", "http://127.0.0.1:8080", false),
            ("127.0.0.1:8080", "https://id.example.com", false),
        ] {
            assert_eq!(is_other_name(host, issuer), is_other, "{host} {issuer}");
        }
    }
}
