//! The check table: one row a check, one column an endpoint that takes authorization requests.

use std::str::FromStr;

use super::{Checked, Prompt, ResponseMode};
use crate::{
    Client, ErrorCode, Params, Scopes,
    claims::ClaimsRequest,
    client::GrantType,
    discovery::{RESPONSE_TYPES, Server},
    error::Refusal,
    pkce::{CodeChallenge, METHODS, PkceError},
    scope::OFFLINE_ACCESS,
};

/// An endpoint that takes authorization requests: a column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// The authorization endpoint (RFC 6749 section 3.1).
    Authorize,
    /// The pushed authorization request endpoint (RFC 9126).
    Par,
    /// The device authorization endpoint (RFC 8628).
    Device,
    /// The backchannel authentication endpoint (OpenID Connect CIBA Core 1.0).
    Ciba,
}

/// A row of the table.
#[derive(Debug)]
pub struct Check {
    /// What the check is about.
    pub name: &'static str,
    /// The specification and section that demand it.
    pub rfc: &'static str,
    /// Where it runs.
    pub endpoints: &'static [Endpoint],
    run: fn(&Request<'_>, &mut Checked) -> Result<(), Refusal>,
}

/// What a check looks at.
pub(super) struct Request<'a> {
    pub(super) params: &'a Params,
    pub(super) client: &'a Client,
    pub(super) server: &'a Server,
}

use Endpoint::{Authorize, Ciba, Device, Par};

const ALL: &[Endpoint] = &[Authorize, Par, Device, Ciba];
const BROWSER: &[Endpoint] = &[Authorize, Par];
const PERSON: &[Endpoint] = &[Authorize, Par, Ciba];

/// The table, in the order in which the checks run: a later one may rely on what an earlier found.
#[rustfmt::skip]
pub static CHECKS: &[Check] = &[
    Check { name: "no parameter twice",     rfc: "RFC 6749 3.1",           endpoints: ALL,     run: no_repetition },
    Check { name: "no request object",      rfc: "OIDC Core 3.1.2.6",      endpoints: PERSON,  run: no_request_object },
    Check { name: "no request_uri",         rfc: "OIDC Core 3.1.2.6",      endpoints: BROWSER, run: no_request_uri },
    Check { name: "no registration",        rfc: "OIDC Core 7.2.1",        endpoints: BROWSER, run: no_registration },
    Check { name: "response_type",          rfc: "RFC 6749 3.1.1",         endpoints: BROWSER, run: response_type },
    Check { name: "grant of the client",    rfc: "RFC 6749 4.1.2.1",       endpoints: BROWSER, run: grant },
    Check { name: "response_mode",          rfc: "OAuth Form Post 2",      endpoints: BROWSER, run: response_mode },
    Check { name: "scope",                  rfc: "RFC 6749 3.3",           endpoints: ALL,     run: scope },
    Check { name: "offline_access",         rfc: "OIDC Core 11",           endpoints: ALL,     run: offline_access },
    Check { name: "resource",               rfc: "RFC 8707 2.1",           endpoints: ALL,     run: resource },
    Check { name: "PKCE with S256",         rfc: "RFC 7636 4.4.1",         endpoints: BROWSER, run: pkce },
    Check { name: "nonce",                  rfc: "OIDC Core 3.1.2.1",      endpoints: BROWSER, run: nonce },
    Check { name: "prompt",                 rfc: "OIDC Core 3.1.2.1",      endpoints: BROWSER, run: prompt },
    Check { name: "max_age",                rfc: "OIDC Core 3.1.2.1",      endpoints: BROWSER, run: max_age },
    Check { name: "hints",                  rfc: "OIDC Core 3.1.2.1",      endpoints: PERSON,  run: hints },
    Check { name: "locales",                rfc: "OIDC Core 5.2",          endpoints: BROWSER, run: locales },
    Check { name: "acr_values",             rfc: "OIDC Core 3.1.2.1",      endpoints: PERSON,  run: acr_values },
    Check { name: "claims",                 rfc: "OIDC Core 5.5",          endpoints: BROWSER, run: claims },
];

/// Runs one column.
pub(super) fn run(endpoint: Endpoint, request: &Request<'_>, draft: &mut Checked) -> Result<(), Refusal> {
    let column = CHECKS.iter().filter(|check| check.endpoints.contains(&endpoint));
    column.into_iter().try_for_each(|check| (check.run)(request, draft))
}

fn no_repetition(request: &Request<'_>, _: &mut Checked) -> Result<(), Refusal> {
    request.params.repeated().map_or(Ok(()), |repeated| Err(repeated.into()))
}

fn no_request_object(request: &Request<'_>, _: &mut Checked) -> Result<(), Refusal> {
    request.absent("request", ErrorCode::RequestNotSupported)
}

fn no_request_uri(request: &Request<'_>, _: &mut Checked) -> Result<(), Refusal> {
    request.absent("request_uri", ErrorCode::RequestUriNotSupported)
}

fn no_registration(request: &Request<'_>, _: &mut Checked) -> Result<(), Refusal> {
    request.absent("registration", ErrorCode::RegistrationNotSupported)
}

fn response_type(request: &Request<'_>, _: &mut Checked) -> Result<(), Refusal> {
    match request.value("response_type") {
        None => Err(Refusal::invalid_request("response_type is missing")),
        Some(kind) if RESPONSE_TYPES.contains(&kind) => Ok(()),
        Some(_) => Err(Refusal::new(ErrorCode::UnsupportedResponseType, "response_type must be code")),
    }
}

fn grant(request: &Request<'_>, _: &mut Checked) -> Result<(), Refusal> {
    if request.client.allows(GrantType::AuthorizationCode) {
        return Ok(());
    }
    Err(Refusal::new(
        ErrorCode::UnauthorizedClient,
        "this application is not registered for authorization_code",
    ))
}

/// The mode itself was read when the request was bound, so that this very error knows its way.
fn response_mode(request: &Request<'_>, _: &mut Checked) -> Result<(), Refusal> {
    match request.value("response_mode").map(ResponseMode::from_str) {
        Some(Err(())) => Err(Refusal::invalid_request("response_mode must be query, fragment or form_post")),
        _ => Ok(()),
    }
}

/// Standard scopes that the client may not use are left out, as OpenID Connect Core section 5.4
/// lets us grant less; any other is an error, which a developer notices.
fn scope(request: &Request<'_>, draft: &mut Checked) -> Result<(), Refusal> {
    let refused = |description: &str| Err(Refusal::new(ErrorCode::InvalidScope, description));
    let Some(text) = request.value("scope") else { return refused("scope is missing") };
    let Ok(asked) = text.parse::<Scopes>() else {
        return refused("scope has characters that it must not have");
    };
    let allowed = request.client.allowed_scopes();
    if let Some(scope) = asked.iter().find(|scope| !allowed.contains(scope.as_str()) && !scope.is_standard())
    {
        return refused(&format!("this application may not ask for the scope {}", scope.as_str()));
    }
    draft.scopes = asked;
    draft.scopes.retain(|scope| allowed.contains(scope.as_str()));
    if draft.scopes.is_empty() {
        return refused("this application may ask for none of these scopes");
    }
    Ok(())
}

/// Without refresh tokens the scope means nothing and is ignored.
fn offline_access(request: &Request<'_>, draft: &mut Checked) -> Result<(), Refusal> {
    let refreshes = request.client.allows(GrantType::RefreshToken);
    draft.scopes.retain(|scope| refreshes || scope.as_str() != OFFLINE_ACCESS);
    Ok(())
}

fn resource(request: &Request<'_>, draft: &mut Checked) -> Result<(), Refusal> {
    let (catalogue, issuer) = (&request.server.catalogue, &request.server.issuer);
    draft.resources = catalogue.targets(request.params, request.client, issuer)?;
    Ok(())
}

fn pkce(request: &Request<'_>, draft: &mut Checked) -> Result<(), Refusal> {
    let method = request.value("code_challenge_method");
    let Some(challenge) = request.value("code_challenge") else {
        return match method {
            Some(_) => Err(Refusal::invalid_request("code_challenge_method is given without code_challenge")),
            None if request.client.needs_pkce(&draft.scopes) => {
                Err(Refusal::invalid_request("PKCE is required: code_challenge is missing"))
            }
            None => Ok(()),
        };
    };
    // Without a method the challenge would be plain (RFC 7636 section 4.3).
    if !method.is_some_and(|method| METHODS.contains(&method)) {
        return Err(Refusal::invalid_request("code_challenge_method must be S256"));
    }
    let challenge: Result<CodeChallenge, PkceError> = challenge.parse();
    draft.code_challenge = Some(challenge.map_err(|error| Refusal::invalid_request(&error.to_string()))?);
    Ok(())
}

fn nonce(request: &Request<'_>, draft: &mut Checked) -> Result<(), Refusal> {
    draft.nonce = request.owned("nonce");
    Ok(())
}

fn prompt(request: &Request<'_>, draft: &mut Checked) -> Result<(), Refusal> {
    let asked: Result<_, ()> = request.words("prompt").map(Prompt::from_str).collect();
    draft.prompts = asked.map_err(|()| {
        Refusal::invalid_request("prompt knows none, login, consent, select_account and create only")
    })?;
    if draft.prompts(Prompt::None) && draft.prompts.len() > 1 {
        return Err(Refusal::invalid_request("prompt none excludes every other prompt"));
    }
    Ok(())
}

fn max_age(request: &Request<'_>, draft: &mut Checked) -> Result<(), Refusal> {
    let Some(text) = request.value("max_age") else {
        draft.max_age = request.client.default_max_age.map(i64::from);
        return Ok(());
    };
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let seconds = text.parse::<u32>().ok().filter(|_| digits);
    let seconds = seconds.ok_or_else(|| Refusal::invalid_request("max_age must be a number of seconds"))?;
    draft.max_age = Some(seconds.into());
    Ok(())
}

fn hints(request: &Request<'_>, draft: &mut Checked) -> Result<(), Refusal> {
    draft.login_hint = request.owned("login_hint");
    draft.id_token_hint = request.owned("id_token_hint");
    Ok(())
}

/// Languages that we do not have are no error (OpenID Connect Core section 3.1.2.1).
fn locales(request: &Request<'_>, draft: &mut Checked) -> Result<(), Refusal> {
    draft.ui_locales = request.words("ui_locales").map(str::to_owned).collect();
    draft.claims_locales = request.words("claims_locales").map(str::to_owned).collect();
    Ok(())
}

/// A voluntary wish: contexts that this server does not know are left out. A request without one
/// has the client's (OpenID Connect Registration section 2).
fn acr_values(request: &Request<'_>, draft: &mut Checked) -> Result<(), Refusal> {
    let asked: Vec<&str> = match request.value("acr_values") {
        Some(_) => request.words("acr_values").collect(),
        None => request.client.default_acr_values.iter().map(String::as_str).collect(),
    };
    request.wish_for(asked, draft);
    Ok(())
}

fn claims(request: &Request<'_>, draft: &mut Checked) -> Result<(), Refusal> {
    let Some(json) = request.value("claims") else { return Ok(()) };
    let parsed = ClaimsRequest::parse(json);
    draft.claims =
        parsed.map_err(|_| Refusal::invalid_request("claims is not a JSON object of the defined form"))?;
    draft.claims.limit_to(&request.client.allowed_scopes());
    let asked = draft.claims.authentication_contexts();
    let is_known = |acr: &String| request.server.acr_values.contains(acr);
    // An essential one is a condition, any other a wish, as in `acr_values` and after it.
    if draft.claims.is_context_essential() && !asked.is_empty() && !asked.iter().any(is_known) {
        return Err(Refusal::new(
            ErrorCode::UnmetAuthenticationRequirements,
            "none of the authentication contexts that claims asks for as essential exists here",
        ));
    }
    request.wish_for(asked.iter().map(String::as_str), draft);
    Ok(())
}

impl<'a> Request<'a> {
    /// The value of a parameter; the first row has made sure that there is only one.
    fn value(&self, name: &str) -> Option<&'a str> {
        self.params.first(name)
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.value(name).map(str::to_owned)
    }

    /// The members of a space-delimited list.
    fn words(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.value(name).unwrap_or_default().split(' ').filter(|word| !word.is_empty())
    }

    /// Adds those of the contexts that this server knows.
    fn wish_for<'b>(&self, contexts: impl IntoIterator<Item = &'b str>, draft: &mut Checked) {
        for acr in contexts {
            let known = self.server.acr_values.iter().any(|known| known == acr);
            if known && !draft.acr_values.iter().any(|there| there == acr) {
                draft.acr_values.push(acr.to_owned());
            }
        }
    }

    fn absent(&self, name: &str, code: ErrorCode) -> Result<(), Refusal> {
        match self.value(name) {
            None => Ok(()),
            Some(_) => Err(Refusal::new(code, &format!("the parameter {name} is not supported"))),
        }
    }
}
