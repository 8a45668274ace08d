//! Tokens: access tokens (RFC 9068, or opaque), ID tokens (OpenID Connect Core section 2), and the answer
//! that carries them.

use crate::{access_token, call::Call, person, request::ACR, subject};
use base::{Error, Id, id};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jose::{Algorithm, Typ};
use journey::Authentication;
use oauth::{
    Client, Scopes,
    catalogue::{Aim, TokenForm},
    claims::{AccessTokenClaims, ClaimsRequest, IdTokenClaims, id_token_claims},
    client::AccessTokenFormat,
    mapping::Target,
    scope::OPENID,
    token::{TokenError, TokenRequest},
};
use serde::Serialize;
use serde_json::{Map, Value};
use store::{
    Tenant,
    rows::{
        grant::{GrantRow, Held},
        person::PersonRow,
    },
};

/// What a grant of the token endpoint came to.
pub(crate) struct Granted {
    /// Who the tokens are about; nobody where an application acts for itself.
    pub(crate) holder: Option<Holder>,
    /// What the access token is for and allows.
    pub(crate) aim: Aim,
    /// The refresh token, if there is one.
    pub(crate) refresh: Option<String>,
    /// The nonce of the request that the ID token answers.
    pub(crate) nonce: Option<String>,
}

/// A grant with the person who gave it.
pub(crate) struct Holder {
    /// The grant.
    pub(crate) grant: GrantRow,
    /// The person.
    pub(crate) person: PersonRow,
    /// Under which name the application knows the person.
    pub(crate) subject: String,
    asked: ClaimsRequest,
    claims: Map<String, Value>,
}

/// A successful answer (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3).
#[derive(Serialize)]
pub(crate) struct Answer {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

#[derive(Serialize)]
struct IdToken {
    #[serde(flatten)]
    claims: IdTokenClaims,
    at_hash: String,
}

impl Holder {
    /// Reads all that tokens of this grant say, so that nothing is missing once it is used.
    ///
    /// # Errors
    /// Kind `Unavailable` if the store cannot answer.
    pub(crate) async fn load(call: &Call, client: &Client, held: Held) -> Result<Self, Error> {
        let (tenant, Held { grant, person }) = (&call.tenant, held);
        let public = grant.subject.as_deref();
        let public = public.ok_or_else(|| Error::internal("the person of a grant has no subject"))?;
        let subject = subject::of(tenant, client, public)?;
        let asked = claims_request(&grant);
        let granted: Scopes = grant.scopes.parse().unwrap_or_default();
        let mut mappings = tenant.catalogue.mappings(client, &granted);
        let mapped = mappings.any(|(_, map)| map.reads(Target::IdToken) || map.reads(Target::AccessToken));
        let claims = match mapped || client.userinfo_in_id_token || !asked.id_token.is_empty() {
            true => person::claims(call.db(), tenant, &person).await?,
            false => Map::new(),
        };
        Ok(Self { grant, person, subject, asked, claims })
    }

    fn authentication(&self) -> Authentication {
        Authentication::read(&self.grant.facts)
    }

    fn auth_time(&self) -> i64 {
        self.authentication().at().unwrap_or(self.grant.created_at.micros()).div_euclid(1_000_000)
    }

    fn amr(&self) -> Vec<String> {
        self.authentication().amr().into_iter().map(str::to_owned).collect()
    }

    fn sid(&self) -> Option<String> {
        self.grant.given_in.or(self.grant.session).map(|session| session.to_string())
    }
}

/// The `claims` parameter of the request behind a grant.
pub(crate) fn claims_request(grant: &GrantRow) -> ClaimsRequest {
    serde_json::from_str(&grant.claims).unwrap_or_default()
}

/// What the token is for: what the token request asks for, within the grant.
///
/// # Errors
/// `invalid_target`.
pub(crate) fn aim(
    call: &Call,
    client: &Client,
    (scopes, grant): (&Scopes, Option<&GrantRow>),
    asked: &[String],
) -> Result<Aim, TokenError> {
    let granted = grant.and_then(|grant| grant.resources.as_deref());
    let granted: Vec<String> = granted.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    Ok(call.tenant.catalogue.aim((client, &call.tenant.issuer), (scopes, &granted), asked)?)
}

/// The algorithms that the answer to this request needs keys for.
pub(crate) fn algorithms(tenant: &Tenant, client: &Client, request: &TokenRequest) -> Vec<Algorithm> {
    let access = tenant.catalogue.algorithms(client);
    let id_token = match request {
        TokenRequest::ClientCredentials { .. } => None,
        _ => Some(client.id_token_signed_response_alg),
    };
    access.into_iter().chain(id_token).collect()
}

/// Signs the tokens.
///
/// # Errors
/// Kind `Unavailable` if a key is missing.
pub(crate) fn answer(call: &Call, client: &Client, granted: Granted) -> Result<Answer, Error> {
    let now = call.now().seconds();
    let form = call.tenant.catalogue.form(client, &granted.aim.audience);
    let access_token = access_token(call, client, (&granted, form), now)?;
    let id_token = match &granted.holder {
        Some(holder) if granted.aim.scopes.contains(OPENID) => {
            let nonce = granted.nonce.clone();
            Some(id_token(call, client, (holder, nonce, &access_token), (&granted.aim.scopes, now))?)
        }
        _ => None,
    };
    Ok(Answer {
        access_token,
        token_type: "Bearer",
        expires_in: form.lifetime,
        scope: granted.aim.scopes.to_string(),
        refresh_token: granted.refresh,
        id_token,
    })
}

fn access_token(
    call: &Call,
    client: &Client,
    (granted, form): (&Granted, TokenForm),
    now: i64,
) -> Result<String, Error> {
    let (holder, scopes) = (granted.holder.as_ref(), &granted.aim.scopes);
    let nobody = Map::new();
    let person = holder.map_or(&nobody, |holder| &holder.claims);
    let claims = AccessTokenClaims {
        iss: call.tenant.issuer.clone(),
        sub: holder.map_or_else(|| client.client_id.to_string(), |holder| holder.subject.clone()),
        aud: granted.aim.audience.clone(),
        client_id: client.client_id.to_string(),
        scope: scopes.to_string(),
        iat: now,
        exp: now.saturating_add(form.lifetime),
        jti: token_id(holder.map_or_else(|| call.env().id(), |holder| holder.grant.id), call.env().bytes()),
        auth_time: holder.map(Holder::auth_time),
        acr: holder.map(|_| ACR.to_owned()),
        amr: holder.map(Holder::amr).unwrap_or_default(),
        sid: holder.and_then(Holder::sid),
        mapped: call.tenant.catalogue.mapped((client, scopes), Target::AccessToken, person),
    };
    match form.format {
        AccessTokenFormat::Opaque => access_token::seal(call.env(), &call.tenant, &claims),
        AccessTokenFormat::Jwt => sign(&call.tenant, form.algorithm, Typ::AccessToken, &claims),
    }
}

fn id_token(
    call: &Call,
    client: &Client,
    (holder, nonce, access_token): (&Holder, Option<String>, &str),
    (scopes, now): (&Scopes, i64),
) -> Result<String, Error> {
    let algorithm = client.id_token_signed_response_alg;
    let of_scopes = client.userinfo_in_id_token.then_some(scopes);
    let mut person = id_token_claims(&holder.claims, &holder.asked, of_scopes);
    let mut targets = vec![Target::IdToken];
    targets.extend(client.userinfo_in_id_token.then_some(Target::Userinfo));
    for target in targets {
        person.extend(call.tenant.catalogue.mapped((client, scopes), target, &holder.claims));
    }
    let claims = IdTokenClaims {
        iss: call.tenant.issuer.clone(),
        sub: holder.subject.clone(),
        aud: client.client_id.to_string(),
        exp: now.saturating_add(client.lifetimes.id_token),
        iat: now,
        auth_time: holder.auth_time(),
        nonce,
        acr: Some(ACR.to_owned()),
        amr: holder.amr(),
        sid: holder.sid(),
        person,
    };
    let claims = IdToken { claims, at_hash: algorithm.half_hash(access_token) };
    sign(&call.tenant, algorithm, Typ::IdToken, &claims)
}

/// Signs claims as a token of this type.
///
/// # Errors
/// Kind `Unavailable` if the key is missing.
pub(crate) fn sign(
    tenant: &Tenant,
    algorithm: Algorithm,
    typ: Typ,
    claims: &impl Serialize,
) -> Result<String, Error> {
    let missing = || Error::unavailable(format!("no key for {}", algorithm.as_str()));
    let key = tenant.signing_key(algorithm).ok_or_else(missing)?;
    key.sign(typ, claims).map_err(|error| Error::internal(format!("signing: {error}")))
}

/// The `jti` of an access token: the grant's id before eight random bytes.
fn token_id(grant: Id<id::Grant>, random: [u8; 8]) -> String {
    URL_SAFE_NO_PAD.encode([grant.as_bytes().as_slice(), &random].concat())
}

/// The grant that a `jti` begins with.
pub(crate) fn grant_of(token_id: &str) -> Option<Id<id::Grant>> {
    let bytes = URL_SAFE_NO_PAD.decode(token_id).ok()?;
    let (grant, random) = bytes.split_first_chunk::<16>()?;
    (random.len() == 8).then(|| Id::from_bytes(*grant))
}
