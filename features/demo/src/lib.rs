//! The demo applications and the mailbox, for `keyward dev` alone: nothing here is fit for the
//! internet.
//!
//! Mounts `/demo` and `/demo/second`, each with `/login`, `/register`, `/callback` and `/logout`
//! below it; `/dev/mail`, `/dev/mail/{id}` and `/dev/mail.json`. The applications are relying
//! parties like anybody's: they learn everything over HTTP and must not look into the store.

mod app;
mod back_channel;
mod failure;
mod mail;
mod protocol;
mod sessions;
mod trace;

use axum::Router;
use base::Secret;
use oauth::{AuthMethod, Client, ClientId, RedirectUri};
use std::net::SocketAddr;
use web::Site;
use work::mail::Mailbox;

/// What the demo applications and the mailbox need.
#[derive(Clone)]
pub struct Demo {
    /// The pages.
    pub site: Site,
    /// Where the server listens, in plain HTTP. The applications talk to it there, whatever its
    /// issuer: a proxy in front may serve that, out of their reach.
    pub listen: SocketAddr,
    /// The secret of the client `demo`.
    pub secret: Secret<String>,
    /// Where mails are caught.
    pub mailbox: Mailbox,
}

/// What an application is registered as.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Registration {
    pub(crate) client_id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) confidential: bool,
}

const SHOP: Registration =
    Registration { client_id: "demo", name: "Demo shop", path: "/demo", confidential: true };
const SECOND: Registration =
    Registration { client_id: "demo-second", name: "Second demo", path: "/demo/second", confidential: false };

/// The routes of both applications and of the mailbox.
pub fn routes(state: Demo) -> Router {
    Router::new()
        .merge(mail::routes(state.site.clone(), state.mailbox.clone()))
        .merge(app::routes(state.clone(), SHOP, SECOND))
        .merge(app::routes(state, SECOND, SHOP))
}

/// The registrations of both applications with this issuer: `demo`, which has a secret, and
/// `demo-second`, which has none. Their addresses follow the issuer, so they are to be registered
/// anew at each start. An issuer that no redirect URI can begin with gives none.
pub fn clients(issuer: &str) -> Vec<Client> {
    [SHOP, SECOND].iter().filter_map(|app| client(issuer, app)).collect()
}

fn client(issuer: &str, app: &Registration) -> Option<Client> {
    let home = format!("{issuer}{}", app.path);
    let callback: RedirectUri = format!("{home}/callback").parse().ok()?;
    let id: ClientId = app.client_id.parse().ok()?;
    let method = if app.confidential { AuthMethod::ClientSecretBasic } else { AuthMethod::None };
    Some(Client {
        name: Some(app.name.to_owned()),
        token_endpoint_auth_method: Some(method),
        redirect_uris: vec![callback],
        post_logout_redirect_uris: vec![home.parse().ok()?],
        require_pkce: true,
        ..Client::new(id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_registrations_are_coherent_and_follow_the_issuer() {
        for issuer in ["http://localhost:8080", "https://id.example.com/t/x"] {
            let [shop, second] = &clients(issuer)[..] else { panic!("two clients") };
            assert_eq!((shop.check(), second.check()), (Ok(()), Ok(())));
            assert!(!shop.is_public() && second.is_public());
            assert_eq!(shop.redirect_uris[0].as_str(), format!("{issuer}/demo/callback"));
            assert_eq!(second.redirect_uris[0].as_str(), format!("{issuer}/demo/second/callback"));
            assert_eq!(shop.post_logout_redirect_uris[0].as_str(), format!("{issuer}/demo"));
        }
    }
}
