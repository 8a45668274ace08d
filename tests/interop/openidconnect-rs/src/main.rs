//! The `openidconnect` crate as the relying party: lines of JSON out and in.

use std::env;
use std::error::Error;
use std::fs;
use std::io;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
    CoreGrantType, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType, CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AdditionalProviderMetadata, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndSessionUrl, IntrospectionUrl, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PostLogoutRedirectUrl, ProviderMetadata, RedirectUrl, RevocationUrl, Scope, TokenIntrospectionResponse,
    TokenResponse, reqwest, url::Url,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// What the server announces beyond OpenID Connect Discovery.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct More {
    end_session_endpoint: EndSessionUrl,
    introspection_endpoint: IntrospectionUrl,
    revocation_endpoint: RevocationUrl,
}

impl AdditionalProviderMetadata for More {}

type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

fn main() -> Outcome {
    let authority = reqwest::Certificate::from_pem(&fs::read(env::var("CA_FILE")?)?)?;
    let http = reqwest::blocking::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .add_root_certificate(authority)
        .build()?;
    let metadata = Metadata::discover(&IssuerUrl::new(env::var("ISSUER")?)?, &http)?;
    let more = metadata.additional_metadata().clone();
    let secret = ClientSecret::new(env::var("CLIENT_SECRET")?);
    let client =
        CoreClient::from_provider_metadata(metadata, ClientId::new(env::var("CLIENT_ID")?), Some(secret))
            .set_redirect_uri(RedirectUrl::new(env::var("REDIRECT_URI")?)?)
            .set_introspection_url(more.introspection_endpoint)
            .set_revocation_url(more.revocation_endpoint);

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(["email", "profile"].map(|scope| Scope::new(scope.into())))
        .set_pkce_challenge(challenge)
        .url();
    let callback = open(&url)?;
    ensure(parameter(&callback, "state")? == *state.secret(), "another state")?;
    let code = AuthorizationCode::new(parameter(&callback, "code")?);
    let tokens = client.exchange_code(code)?.set_pkce_verifier(verifier).request(&http)?;
    let id_token = tokens.id_token().ok_or("no ID token")?;
    let checks = client.id_token_verifier();
    let claims = id_token.claims(&checks, &nonce)?;
    let hash = AccessTokenHash::from_token(
        tokens.access_token(),
        id_token.signing_alg()?,
        id_token.signing_key(&checks)?,
    )?;
    ensure(claims.access_token_hash() == Some(&hash), "at_hash is of another token")?;
    done("sign-in", claims)?;

    let person: CoreUserInfoClaims =
        client.user_info(tokens.access_token().clone(), Some(claims.subject().clone()))?.request(&http)?;
    done("userinfo", person)?;

    let refresh = tokens.refresh_token().ok_or("no refresh token")?;
    let next = client.exchange_refresh_token(refresh)?.request(&http)?;
    let again = next.id_token().ok_or("no ID token")?.claims(&checks, |_: Option<&Nonce>| Ok(()))?;
    ensure(again.subject() == claims.subject(), "another subject")?;
    done("refresh", json!({ "before": tokens.access_token(), "access_token": next.access_token() }))?;

    let what = client.introspect(next.access_token()).request(&http)?;
    done("introspect", what)?;

    client.revoke_token(next.refresh_token().ok_or("no refresh token")?.into())?.request(&http)?;
    let after = client.introspect(next.access_token()).request(&http)?;
    ensure(!after.active(), "still active")?;
    done("revoke", json!({ "access_token": next.access_token() }))?;

    let gone = PostLogoutRedirectUrl::new(env::var("POST_LOGOUT_URI")?)?;
    let request = LogoutRequest::from(more.end_session_endpoint)
        .set_id_token_hint(id_token)
        .set_post_logout_redirect_uri(gone)
        .set_state(CsrfToken::new("bye".into()));
    let callback = open(&request.http_get_url())?;
    ensure(parameter(&callback, "state")? == "bye", "another state")?;
    done("logout", ())
}

/// Sends the browser to an address; where it came back to.
fn open(url: &Url) -> Outcome<Url> {
    let answer = say(&json!({ "open": url }))?;
    Ok(Url::parse(answer["callback"].as_str().ok_or("no callback")?)?)
}

fn parameter(url: &Url, name: &str) -> Outcome<String> {
    let found = url.query_pairs().find(|(key, _)| key == name);
    Ok(found.ok_or_else(|| format!("no {name} in {url}"))?.1.into_owned())
}

fn ensure(holds: bool, otherwise: &str) -> Outcome {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

fn done(step: &str, answer: impl Serialize) -> Outcome {
    say(&json!({ "step": step, "ok": true, "answer": serde_json::to_value(answer)? })).map(drop)
}

/// Writes a line; the line that answers it.
fn say(line: &Value) -> Outcome<Value> {
    println!("{line}");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}
