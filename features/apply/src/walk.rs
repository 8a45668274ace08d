//! The walk over a document: first all of it is compared, so that a mistake changes nothing, then
//! object by object is written.

use crate::{
    Document, Plan, Report, application,
    document::{Problem, TenantEntry},
    report::{Change, Object},
    resource_server, scope, tenant, user,
};
use base::{Error, Kind};
use futures_util::{TryStreamExt as _, future::join_all, stream::FuturesOrdered};
use std::sync::Arc;
pub(crate) use store::rules::merge;
use store::{Directory, Tenant, rows};
use tokio::sync::Semaphore;
use work::HashPool;

/// How often an object is tried anew after somebody else changed it first.
pub(crate) const TRIES: usize = 10;

/// Users of a file who are looked at or written beside each other: their commits are shared.
const BESIDE: usize = 256;

/// What a file would change. Nothing is written.
///
/// `default_issuer` is the issuer of the very first tenant where the file names none.
///
/// # Errors
/// Kind `Invalid` with a line for each place where the file does not fit what is stored;
/// `Unavailable` if the store cannot answer.
pub async fn plan(directory: &Directory, document: &Document, default_issuer: &str) -> Result<Plan, Error> {
    Ok(survey(directory, document, default_issuer).await?.report)
}

/// Compares all of a file with what is stored.
async fn survey<'a>(
    directory: &'a Directory,
    document: &Document,
    default_issuer: &str,
) -> Result<Walk<'a>, Error> {
    let mut walk = Walk { directory, report: Report::default(), users: Vec::new(), problems: Vec::new() };
    let mut origin = tenant::first_origin(directory).await?;
    for entry in &document.tenants {
        let known = fresh(directory, &entry.slug).await?;
        let issuer = entry.issuer.clone().unwrap_or_else(|| match &origin {
            Some(origin) => format!("{origin}/t/{}", entry.slug),
            None => default_issuer.to_owned(),
        });
        let decided = tenant::decide(directory, entry, &issuer).await;
        let name = Change::new(Object::Tenant, &entry.slug, &entry.slug);
        if let Some(decided) = walk.take(&entry.path, name, decided)? {
            walk.report.changes.push(decided.change);
        }
        origin.get_or_insert_with(|| tenant::origin_of(&issuer).to_owned());
        walk.below(entry, known.as_deref()).await?;
    }
    match walk.problems.as_slice() {
        [] => Ok(walk),
        problems => Err(refused(problems)),
    }
}

/// Puts a file in force. Twice changes nothing.
///
/// # Errors
/// As [`plan`], before anything is written; kind `Conflict` if somebody else kept changing the same
/// object. Objects before the one that failed are in force then, and of users some behind it, too.
pub async fn apply(
    directory: &Directory,
    pool: &HashPool,
    document: &Document,
    default_issuer: &str,
) -> Result<Report, Error> {
    let mut planned = survey(directory, document, default_issuer).await?.users.into_iter();
    let mut report = Report { applied: true, ..Report::default() };
    for entry in &document.tenants {
        let (change, tenant) = tenant::apply(directory, entry, default_issuer).await?;
        report.changes.push(change);
        for server in &entry.resource_servers {
            report.changes.push(resource_server::apply(directory, tenant.id, server).await?);
        }
        for scope in &entry.scopes {
            report.changes.push(scope::apply(directory, tenant.id, scope).await?);
        }
        for application in &entry.applications {
            report.changes.push(application::apply(directory, tenant.id, application).await?);
        }
        let tenant = directory.tenant(tenant.id).await?.ok_or_else(Error::not_found)?;
        let import = user::Import { directory, pool, tenant, hashing: Semaphore::new(1) };
        let (mut users, mut written) = (entry.users.iter().zip(planned.by_ref()), FuturesOrdered::new());
        loop {
            while written.len() < BESIDE
                && let Some((user, planned)) = users.next()
            {
                written.push_back(import.apply(user, planned));
            }
            let Some((change, notes)) = written.try_next().await? else { break };
            report.changes.push(change);
            report.notes.extend(notes);
        }
    }
    Ok(report)
}

/// A tenant as it is stored now, whatever is remembered of it.
pub(crate) async fn fresh(directory: &Directory, slug: &str) -> Result<Option<Arc<Tenant>>, Error> {
    let Some(id) = rows::tenant::by_slug(directory.db(), slug).await? else { return Ok(None) };
    directory.forget(id);
    directory.tenant(id).await
}

/// What the file says does not fit what is stored.
pub(crate) fn unfit(path: &str, message: impl std::fmt::Display) -> Error {
    Error::new(Kind::Invalid, UNFIT, format!("{path} {message}"))
}

/// Somebody else kept changing an object.
pub(crate) fn contended(path: &str) -> Error {
    let message = format!(
        "{path} was changed by somebody else again and again, or holds a name or a subject that is taken. \
         Look at what is stored and apply the file again."
    );
    Error::new(Kind::Conflict, "error-apply-contended", message)
}

const UNFIT: &str = "error-document";

/// Several mistakes as one error, a line each.
pub(crate) fn refused(problems: &[Problem]) -> Error {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    Error::new(Kind::Invalid, UNFIT, lines.join("\n"))
}

struct Walk<'a> {
    directory: &'a Directory,
    report: Report,
    /// What becomes of the users, in the order of the file.
    users: Vec<user::Decision>,
    problems: Vec<Problem>,
}

impl Walk<'_> {
    async fn below(&mut self, entry: &TenantEntry, tenant: Option<&Tenant>) -> Result<(), Error> {
        let directory = self.directory;
        for wanted in &entry.resource_servers {
            let name = Change::new(Object::ResourceServer, &entry.slug, &wanted.name);
            let decided = resource_server::decide(directory, tenant, &entry.slug, wanted).await;
            let decided = self.take(&wanted.path, name, decided)?;
            self.report.changes.extend(decided.map(|decision| decision.change));
        }
        for wanted in &entry.scopes {
            let name = Change::new(Object::Scope, &entry.slug, &wanted.name);
            let decided = scope::decide(directory, tenant, &entry.slug, wanted).await;
            let decided = self.take(&wanted.path, name, decided)?;
            self.report.changes.extend(decided.map(|decision| decision.change));
        }
        for wanted in &entry.applications {
            let name = Change::new(Object::Application, &entry.slug, wanted.client_id.as_str());
            let decided = application::decide(directory, tenant, &entry.slug, wanted).await;
            let decided = self.take(&wanted.path, name, decided)?;
            self.report.changes.extend(decided.map(|decision| decision.change));
        }
        for users in entry.users.chunks(BESIDE) {
            let looks = users.iter().map(|wanted| user::decide(directory, tenant, &entry.slug, wanted));
            for (wanted, decided) in users.iter().zip(join_all(looks).await) {
                let name = Change::new(Object::User, &entry.slug, wanted.label());
                if let Some(decision) = self.take(&wanted.path, name, decided)? {
                    self.report.notes.extend(decision.notes.iter().cloned());
                    self.report.changes.push(decision.change.clone());
                    self.users.push(decision);
                }
            }
        }
        Ok(())
    }

    /// What was decided; notes what is wrong with it, and ends the walk at other failures.
    fn take<T>(&mut self, path: &str, name: Change, decided: Result<T, Error>) -> Result<Option<T>, Error> {
        match decided {
            Ok(decided) => Ok(Some(decided)),
            Err(error) if error.code == UNFIT => {
                let (place, message) = error.public.split_once(' ').unwrap_or((path, &error.public));
                self.problems.push(Problem::new(place, message));
                self.report.changes.push(name);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
