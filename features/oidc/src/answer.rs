//! How requests of the browser end: at the application, or on a page of ours that says why not.

use axum::response::Response;
use base::Error;
use http::StatusCode;
use oauth::{
    PageError,
    authorize::{Answer, RedirectError},
};
use web::{Visit, intent::Ending, pages::ErrorPage};

/// Why a request of the browser goes no further.
pub(crate) enum Stop {
    /// It is wrong, and nobody but the person may be told.
    Page(PageError),
    /// It is refused at the application.
    Refused(Box<RedirectError>),
    /// Something else is in the way.
    Broken(Error),
}

impl From<PageError> for Stop {
    fn from(error: PageError) -> Self {
        Self::Page(error)
    }
}

impl From<RedirectError> for Stop {
    fn from(error: RedirectError) -> Self {
        Self::Refused(Box::new(error))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

impl From<store::DbError> for Stop {
    fn from(error: store::DbError) -> Self {
        Self::Broken(error.into())
    }
}

impl Stop {
    /// The answer.
    pub(crate) fn respond(self, visit: &Visit) -> Response {
        match self {
            Self::Page(error) => page(visit, &error),
            Self::Refused(error) => {
                let (code, reason) = (error.code().as_str(), error.description());
                tracing::debug!(request_id = visit.request_id.0, code, reason, "a request was refused");
                visit.leave(ending(error.answer(&visit.tenant.issuer)), None)
            }
            Self::Broken(error) => visit.error(&error),
        }
    }
}

fn page(visit: &Visit, error: &PageError) -> Response {
    tracing::debug!(request_id = visit.request_id.0, code = error.id(), "a request was refused on a page");
    let page = ErrorPage::bad_request(&visit.request_id.0).detail(error.id(), error.to_string());
    visit.page(StatusCode::BAD_REQUEST, &page, &own(visit))
}

/// The address of this request, for the links to other languages.
pub(crate) fn own(visit: &Visit) -> String {
    visit.at(visit.uri.path_and_query().map_or("/", |path| path.as_str()))
}

/// An answer of the protocol as the end of a flow.
pub(crate) fn ending(answer: Answer) -> Ending {
    match answer {
        Answer::Location(location) => Ending::Location(location),
        Answer::FormPost { action, fields } => Ending::FormPost { action, fields },
    }
}
