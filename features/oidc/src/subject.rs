//! The subject under which an application knows a person: the same for all, or another in each
//! sector (OpenID Connect Core section 8).

use base::{Error, Id, id};
use oauth::{Client, client::SubjectType, pairwise};
use store::{Mac, Tenant, rows::person, rows::session};
use web::Visit;

/// The subject of a person for this application, from the one that everybody else sees.
///
/// # Errors
/// Kind `Internal` if the application has no sector, or the tenant no key.
pub(crate) fn of(tenant: &Tenant, client: &Client, public: &str) -> Result<String, Error> {
    if client.subject_type == SubjectType::Public {
        return Ok(public.to_owned());
    }
    let sector = client.sector().map_err(|error| Error::internal(error.to_string()))?;
    // Subjects last for ever, so the first version of the key does.
    let key = tenant.mac_of_version(Mac::Subject, 1).ok_or_else(|| Error::internal("no key for subjects"))?;
    Ok(pairwise::subject(&key.sign(&[b"pairwise"]), &sector, public))
}

/// The subject of a person for this application.
///
/// # Errors
/// Kind `Unavailable` if the store cannot answer.
pub(crate) async fn for_client(
    visit: &Visit,
    client: &Client,
    person: Id<id::Person>,
) -> Result<String, Error> {
    let public = crate::authorize::subject(visit, person).await?;
    of(&visit.tenant, client, &public)
}

/// The person whom the application knows by this subject. A pairwise one cannot be undone: it is
/// looked for among the person of the session that the hint names and those of this browser.
///
/// # Errors
/// Kind `Unavailable` if the store cannot answer.
pub(crate) async fn person(
    visit: &Visit,
    client: &Client,
    subject: &str,
    sid: Option<&str>,
) -> Result<Option<Id<id::Person>>, Error> {
    let (db, tenant) = (visit.db(), visit.tenant.id);
    if client.subject_type == SubjectType::Public {
        return Ok(person::by_subject(db, tenant, subject).await?);
    }
    let mut candidates: Vec<Id<id::Person>> =
        visit.sessions().await?.into_iter().map(|living| living.row.person).collect();
    if let Some(sid) = sid.and_then(|sid| sid.parse().ok())
        && let Some(session) = session::by_id(db, tenant, sid).await?
    {
        candidates.push(session.person);
    }
    for candidate in candidates {
        let public = person::subject(db, tenant, candidate).await?;
        if let Some(public) = public
            && of(&visit.tenant, client, &public)? == subject
        {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}
