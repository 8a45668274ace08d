//! The mailbox of `dev`: pages for people, JSON for programs.

use axum::{
    Json, Router,
    extract::{FromRef, Path, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use base::{Email, Error, mac};
use http::{StatusCode, Uri, header};
use web::{
    Site, Visit,
    pages::{CaughtMail, MailView, Mailbox as Page},
};
use work::mail::{Caught, Mailbox};

/// The routes of the mailbox.
pub(crate) fn routes(site: Site, mailbox: Mailbox) -> Router {
    Router::new()
        .route("/dev/mail", get(list))
        .route("/dev/mail/{id}", get(one))
        .route("/dev/mail.json", get(json))
        .layer(axum::middleware::from_fn_with_state(site.clone(), local_names))
        .with_state(Post { site, mailbox })
}

#[derive(Clone)]
struct Post {
    site: Site,
    mailbox: Mailbox,
}

impl FromRef<Post> for Site {
    fn from_ref(post: &Post) -> Self {
        post.site.clone()
    }
}

/// The mailbox holds everybody's codes, so it answers only to the issuer's name and those of this
/// machine: a page elsewhere whose name was pointed here must not read it (DNS rebinding).
async fn local_names(State(_site): State<Site>, visit: Visit, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = request.uri().host().unwrap_or_else(|| name(host));
    let issuer: Uri = visit.tenant.issuer.parse().unwrap_or_default();
    let own = [issuer.host().unwrap_or_default(), "localhost", "127.0.0.1", "[::1]"];
    if own.iter().any(|own| own.eq_ignore_ascii_case(host)) {
        return next.run(request).await;
    }
    visit.error(&Error::not_found())
}

/// A host without its port.
fn name(host: &str) -> &str {
    match host.rfind(':') {
        Some(at) if !host.ends_with(']') => host.get(..at).unwrap_or(host),
        _ => host,
    }
}

async fn list(State(post): State<Post>, visit: Visit) -> Response {
    let mails = post.mailbox.list(None).into_iter().map(|mail| shown(&visit, mail)).collect();
    visit.page(StatusCode::OK, &Page { mails }, &visit.at("/dev/mail"))
}

async fn one(State(post): State<Post>, Path(wanted): Path<String>, visit: Visit) -> Response {
    let Some(mail) = post.mailbox.list(None).into_iter().find(|mail| id(mail) == wanted) else {
        return visit.error(&Error::not_found());
    };
    let own = visit.at(&format!("/dev/mail/{wanted}"));
    let page = MailView { mail: shown(&visit, mail), back: visit.at("/dev/mail") };
    visit.page(StatusCode::OK, &page, &own)
}

/// The mails to `to`, or all, newest first. Addresses are compared as everywhere, in their normal
/// form.
async fn json(State(post): State<Post>, uri: Uri) -> Response {
    // A plus that nobody encoded arrives as a space, which no address has.
    let to = web::query(&uri, "to").map(|to| normal(&to.trim().replace(' ', "+")));
    let mut mails = post.mailbox.list(None);
    mails.retain(|mail| to.as_ref().is_none_or(|to| normal(&mail.to) == *to));
    ([(header::CACHE_CONTROL, "no-store")], Json(mails)).into_response()
}

fn normal(address: &str) -> String {
    Email::parse(address).map_or_else(|_| address.to_lowercase(), |email| email.normal().to_owned())
}

fn shown(visit: &Visit, mail: Caught) -> CaughtMail {
    CaughtMail {
        href: visit.at(&format!("/dev/mail/{}", id(&mail))),
        sent_at: micros(&mail.sent_at).unwrap_or_default(),
        to: mail.to,
        subject: mail.subject,
        text: mail.text,
        code: mail.code,
        links: mail.links,
    }
}

/// What a mail is called in its address: the same after a restart, and equal only for mails that
/// are equal.
fn id(mail: &Caught) -> String {
    let parts = [&mail.sent_at, &mail.to, &mail.subject, &mail.text];
    mac::sha256(&parts.map(|part| part.as_bytes())).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The moment of an RFC 3339 text as [`base::Time`] writes it.
fn micros(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    // Days in the proleptic Gregorian calendar, in years that begin with March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = year * 365 + leap_days + (month * 153 + 2) / 5 + day - 719_469;
    let seconds = number(11, 13)? * 3_600 + number(14, 16)? * 60 + number(17, 19)?;
    Some((days * 86_400 + seconds) * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Time;

    #[test]
    fn the_written_moment_is_read_again() {
        for seconds in (0..4_102_444_800).step_by(39_916_801).chain([951_782_400, 951_868_799, 1_795_559_795])
        {
            let time = Time::from_seconds(seconds);
            assert_eq!(micros(&time.to_string()), Some(time.micros()), "{time}");
        }
        assert_eq!(micros("soon"), None);
    }
}
