//! OpenID Connect from the side of an application: the code flow with PKCE
//! (OpenID Connect Core section 3.1, RFC 7636), discovery, logout.

use crate::{
    back_channel::{BackChannel, Sent},
    failure::Failure,
    trace,
};
use base::{Env, Secret, Time};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jose::{Algorithm, Claims, Expected, JwkSet, Keys, Typ};
use oauth::{params::encode, pkce::CodeVerifier};
use serde::Deserialize;
use serde_json::{Map, Value};
use web::pages::{DemoRequest, DemoSession};

/// The algorithm of the ID tokens, as registered: the token has no say in it.
const ID_TOKEN_ALGORITHM: Algorithm = Algorithm::Rs256;
/// How far the clocks may differ, in seconds.
const LEEWAY: i64 = 5;

/// An application towards one server.
pub(crate) struct RelyingParty<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) secret: Option<&'a Secret<String>>,
    pub(crate) redirect_uri: String,
}

/// What the server says of itself (OpenID Connect Discovery section 3).
#[derive(Clone, Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    end_session_endpoint: Option<String>,
}

/// A sign-in under way.
#[derive(Clone)]
pub(crate) struct Pending {
    pub(crate) state: String,
    pub(crate) began: Time,
    /// What was said so far.
    pub(crate) requests: Vec<DemoRequest>,
    nonce: String,
    verifier: String,
    metadata: Metadata,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct SignedIn {
    pub(crate) view: DemoSession,
    pub(crate) requests: Vec<DemoRequest>,
    id_token: String,
    end_session_endpoint: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    id_token: String,
}

type Members = Map<String, Value>;

impl RelyingParty<'_> {
    /// Begins a sign-in: what to remember, and where to send the browser. `wishes` are further
    /// parameters of the request.
    pub(crate) async fn begin(
        &self,
        channel: &mut BackChannel,
        env: &Env,
        wishes: &[(&str, &str)],
    ) -> Result<(Pending, String), Failure> {
        let metadata = self.discover(channel).await?;
        let (state, nonce, verifier) = (random(env), random(env), random(env));
        let challenge: String =
            verifier.parse::<CodeVerifier>().map_err(|_| Failure::Malformed)?.challenge().into();
        let own = [
            ("response_type", "code"),
            ("client_id", self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", "openid profile email"),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let query = encode(own.into_iter().chain(wishes.iter().copied()));
        let location = with_query(&metadata.authorization_endpoint, &query);
        channel.requests.push(trace::request("GET", &location, 303, b""));
        let requests = channel.requests.clone();
        Ok((Pending { state, began: env.now(), requests, nonce, verifier, metadata }, location))
    }

    async fn discover(&self, channel: &mut BackChannel) -> Result<Metadata, Failure> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer);
        let metadata: Metadata = channel.send(&url, Sent::Get(None)).await?.json()?;
        if metadata.issuer == self.issuer { Ok(metadata) } else { Err(Failure::OtherServer(metadata.issuer)) }
    }

    /// Exchanges the code and learns who signed in.
    pub(crate) async fn finish(
        &self,
        channel: &mut BackChannel,
        pending: &Pending,
        code: &str,
        now: Time,
    ) -> Result<SignedIn, Failure> {
        let Pending { metadata, nonce, .. } = pending;
        let form = self.token_request(pending, code);
        let answer = channel.send(&metadata.token_endpoint, Sent::Form(form, self.basic())).await?;
        let tokens: Tokens = answer.json()?;
        let keys: JwkSet = channel.send(&metadata.jwks_uri, Sent::Get(None)).await?.json()?;
        let claims = self.id_token(&tokens, &keys, nonce, now).map_err(Failure::IdToken)?;
        let access = Sent::Get(Some(&tokens.access_token));
        let userinfo: Members = channel.send(&metadata.userinfo_endpoint, access).await?.json()?;
        let sub = text(&claims, "sub").unwrap_or_default().to_owned();
        if text(&userinfo, "sub") != Some(&sub) {
            return Err(Failure::OtherSubject);
        }
        let view = DemoSession {
            name: greeting(&claims, &userinfo).unwrap_or(&sub).to_owned(),
            sub,
            id_token_claims: indented(&claims),
            access_token_claims: opened(&tokens.access_token),
            userinfo: indented(&userinfo),
        };
        Ok(SignedIn {
            view,
            requests: channel.requests.clone(),
            id_token: tokens.id_token,
            end_session_endpoint: metadata.end_session_endpoint.clone(),
        })
    }

    fn token_request(&self, pending: &Pending, code: &str) -> String {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &pending.verifier),
        ];
        if self.secret.is_none() {
            form.push(("client_id", self.client_id));
        }
        encode(form)
    }

    /// The `Authorization` header of a client with a secret (RFC 6749 section 2.3.1): both halves
    /// are form-encoded before they are joined.
    fn basic(&self) -> Option<String> {
        let joined = encode([(self.client_id, self.secret?.expose().as_str())]).replacen('=', ":", 1);
        Some(format!("Basic {}", STANDARD.encode(joined)))
    }

    /// The claims of an ID token that holds in every respect (OpenID Connect Core section 3.1.3.7).
    fn id_token(&self, tokens: &Tokens, set: &JwkSet, nonce: &str, now: Time) -> Result<Members, String> {
        let keys = Keys::from_set(set, ID_TOKEN_ALGORITHM).map_err(|error| error.to_string())?;
        let verified =
            jose::verify(&tokens.id_token, &keys, Typ::IdToken).map_err(|error| error.to_string())?;
        let registered: Claims = verified.claims().map_err(|error| error.to_string())?;
        let expected = Expected {
            issuer: self.issuer,
            audiences: &[self.client_id],
            now: now.seconds(),
            leeway: LEEWAY,
            max_age: None,
        };
        registered.validate(&expected).map_err(|error| error.to_string())?;
        let claims: Members = verified.claims().map_err(|error| error.to_string())?;
        if text(&claims, "nonce") != Some(nonce) {
            return Err("its nonce is not the one that was sent".to_owned());
        }
        let azp = text(&claims, "azp");
        if azp.map_or(registered.aud.iter().count() > 1, |azp| azp != self.client_id) {
            return Err("it was issued to another application".to_owned());
        }
        let hash = ID_TOKEN_ALGORITHM.half_hash(&tokens.access_token);
        if claims.contains_key("at_hash") && text(&claims, "at_hash") != Some(&hash) {
            return Err("it belongs to another access token".to_owned());
        }
        if text(&claims, "sub").is_none_or(str::is_empty) {
            return Err("it names no subject".to_owned());
        }
        Ok(claims)
    }
}

impl SignedIn {
    /// Where the browser signs out of the server as well
    /// (OpenID Connect RP-Initiated Logout section 2), if the server knows that.
    pub(crate) fn logout(&self, client_id: &str, back: &str) -> Option<String> {
        let endpoint = self.end_session_endpoint.as_deref()?;
        let query = encode([
            ("id_token_hint", self.id_token.as_str()),
            ("client_id", client_id),
            ("post_logout_redirect_uri", back),
        ]);
        Some(with_query(endpoint, &query))
    }
}

/// A value that nobody guesses; also a proper code verifier (RFC 7636 section 4.1).
pub(crate) fn random(env: &Env) -> String {
    URL_SAFE_NO_PAD.encode(env.bytes::<32>())
}

fn with_query(endpoint: &str, query: &str) -> String {
    let joint = if endpoint.contains('?') { '&' } else { '?' };
    format!("{endpoint}{joint}{query}")
}

fn text<'a>(claims: &'a Members, name: &str) -> Option<&'a str> {
    claims.get(name)?.as_str()
}

/// What to call somebody.
fn greeting<'a>(claims: &'a Members, userinfo: &'a Members) -> Option<&'a str> {
    let find = |name| text(claims, name).or_else(|| text(userinfo, name));
    ["name", "preferred_username", "email"].into_iter().filter_map(find).find(|name| !name.is_empty())
}

/// The claims of an access token, for show: it is not ours to judge, so it is not verified.
fn opened(token: &str) -> String {
    let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    match payload.and_then(|payload| serde_json::from_slice::<Members>(&payload).ok()) {
        Some(claims) => indented(&claims),
        None => "The access token is opaque: only the server can read it.".to_owned(),
    }
}

fn indented(claims: &Members) -> String {
    serde_json::to_string_pretty(claims).unwrap_or_default()
}

#[cfg(test)]
impl Pending {
    pub(crate) fn sample(state: &str, began: Time) -> Self {
        let metadata = serde_json::from_value(serde_json::json!({
            "issuer": "", "authorization_endpoint": "", "token_endpoint": "",
            "userinfo_endpoint": "", "jwks_uri": "",
        }));
        Self {
            state: state.to_owned(),
            began,
            requests: Vec::new(),
            nonce: String::new(),
            verifier: String::new(),
            metadata: metadata.unwrap(),
        }
    }
}
