//! From a POST to its GET: a form that another site posts brings no Lax cookie, so `/authorize` and
//! `/logout` read and set none there. They answer with a redirect to themselves that carries the
//! parameters sealed or, where they are long, names the row that holds them.

use crate::answer::Stop;
use axum::{
    body::Bytes,
    extract::rejection::BytesRejection,
    response::{IntoResponse, Response},
};
use base::{Aad, Error, Id, Kind, Time, id};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, StatusCode, header};
use oauth::{PageError, Params, params::encode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::time::Duration;
use store::{Unit, args, rows::flow};
use web::Visit;

/// How long what is carried is good.
const LIFE: Duration = Duration::from_secs(600);
/// The most bytes of parameters that go into an address.
const INLINE: usize = 2 * 1024;
/// The most bytes of parameters at all.
const MOST: usize = 16 * 1024;

/// An endpoint of the browser: its path, and the label under which it seals.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint {
    path: &'static str,
    label: &'static str,
}

/// `/authorize`.
pub(crate) const AUTHORIZE: Endpoint = Endpoint { path: "/authorize", label: "carried.authorize" };
/// `/logout`.
pub(crate) const LOGOUT: Endpoint = Endpoint { path: "/logout", label: "carried.logout" };

#[derive(Serialize, Deserialize)]
struct Carried<T> {
    until: Time,
    what: T,
}

impl Endpoint {
    /// Answers a POST.
    pub(crate) async fn post(self, visit: &Visit, body: Result<Bytes, BytesRejection>) -> Response {
        let mut response = match self.carry(visit, body).await {
            Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
            Err(stop) => stop.respond(visit),
        };
        response.headers_mut().remove(header::SET_COOKIE);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    async fn carry(self, visit: &Visit, body: Result<Bytes, BytesRejection>) -> Result<HeaderValue, Stop> {
        let body = body.map_err(|error| too_large(error.to_string()))?;
        if body.len() > MOST {
            return Err(too_large(format!("{} bytes", body.len())).into());
        }
        let kind = visit.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(unreadable("the POST is no form").into());
        }
        let params = Params::parse(&body).map_err(PageError::from)?;
        let query = params.encode();
        let (name, value) = if query.len() <= INLINE {
            ("sealed", seal(visit, self.label, &query)?)
        } else {
            ("parked", self.park(visit, &query).await?)
        };
        let locales = params.first("ui_locales").map(|locales| ("ui_locales", locales));
        let query = encode([(name, value.as_str())].into_iter().chain(locales));
        let location = format!("{}?{query}", visit.at(self.path));
        Ok(HeaderValue::from_str(&location).map_err(|error| Error::internal(error.to_string()))?)
    }

    async fn park(self, visit: &Visit, query: &str) -> Result<String, Error> {
        let (tenant, id) = (&visit.tenant, visit.env().id::<id::Flow>());
        let body =
            tenant.key.seal(visit.env().rng(), Aad::new(&tenant.id, self.label, &id), query.as_bytes());
        let mut unit = Unit::marked(visit.env().id(), flow::PARK_PROBE, args![tenant.id, id]);
        flow::park(&mut unit, tenant.id, id, &body, visit.now().plus(LIFE));
        if visit.db().commit(unit).await?.done() {
            Ok(id.to_string())
        } else {
            Err(Error::unavailable("a request could not be parked"))
        }
    }

    /// The parameters of a GET: its own, or those of the POST before it.
    ///
    /// # Errors
    /// A page if they cannot be read or are too old.
    pub(crate) async fn params(self, visit: &Visit) -> Result<Params, Stop> {
        let query = visit.uri.query().unwrap_or_default();
        let params = Params::parse(query.as_bytes()).map_err(PageError::from)?;
        let carried = match (params.first("sealed"), params.first("parked")) {
            (Some(sealed), _) => open::<String>(visit, self.label, sealed)?,
            (None, Some(parked)) => self.parked(visit, parked).await?,
            (None, None) => return Ok(params),
        };
        Ok(Params::parse(carried.as_bytes()).map_err(PageError::from)?)
    }

    async fn parked(self, visit: &Visit, id: &str) -> Result<String, Error> {
        let id: Id<id::Flow> = id.parse().map_err(|_| unreadable("no id of a parked request"))?;
        let tenant = &visit.tenant;
        let body = flow::parked(visit.db(), tenant.id, id, visit.now()).await?.ok_or_else(expired)?;
        let plain = tenant.key.open(Aad::new(&tenant.id, self.label, &id), &body);
        let plain = plain.map_err(|_| unreadable("a request parked for another endpoint"))?;
        String::from_utf8(plain.to_vec()).map_err(|_| unreadable("a parked request is no text"))
    }
}

/// Seals what the browser carries to this tenant's next request.
///
/// # Errors
/// Kind `Internal` if it cannot be written.
pub(crate) fn seal<T: Serialize>(visit: &Visit, label: &'static str, what: T) -> Result<String, Error> {
    let carried = Carried { until: visit.now().plus(LIFE), what };
    let plain = serde_json::to_vec(&carried).map_err(|error| Error::internal(error.to_string()))?;
    let tenant = &visit.tenant;
    let place = Aad::new(&tenant.id, label, &tenant.id);
    Ok(URL_SAFE_NO_PAD.encode(tenant.key.seal(visit.env().rng(), place, &plain)))
}

/// Opens what was sealed under this label.
///
/// # Errors
/// Kind `Invalid` if it was not, `Gone` if that was too long ago.
pub(crate) fn open<T: DeserializeOwned>(
    visit: &Visit,
    label: &'static str,
    sealed: &str,
) -> Result<T, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| unreadable("what is sealed is no base64url"))?;
    let tenant = &visit.tenant;
    let plain = tenant.key.open(Aad::new(&tenant.id, label, &tenant.id), &bytes);
    let plain = plain.map_err(|_| unreadable("what is sealed does not open"))?;
    let carried: Carried<T> =
        serde_json::from_slice(&plain).map_err(|_| unreadable("what is sealed is of another version"))?;
    if visit.now() < carried.until { Ok(carried.what) } else { Err(expired()) }
}

fn unreadable(private: &'static str) -> Error {
    Error::new(
        Kind::Invalid,
        "error-request",
        "The request could not be read. Go back to the application and start again.",
    )
    .because(private)
}

fn expired() -> Error {
    Error::new(Kind::Gone, "error-expired", "This took too long. Go back to the application and start again.")
}

fn too_large(private: String) -> Error {
    Error::new(Kind::TooLarge, "error-large", "The request is larger than any that we take.").because(private)
}
