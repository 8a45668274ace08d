//! What an operator lists and ends: people, grants, secrets, applications, tenants and events, page
//! by page. Every list goes by a key and reads a bounded number of rows, however many there are.

use crate::{Db, DbError, Expect, Unit, args, dialect, row, statements};
use base::{Id, Time, id};

/// Counts stop here.
pub const MOST_COUNTED: i64 = 1_000;
/// The most events that one page looks through.
pub const WINDOW: i64 = 5_000;
/// Above every text that begins otherwise.
const END: char = '\u{10ffff}';

row! {
    /// A person as a list shows them.
    pub struct ListedPerson {
        /// Their id.
        pub id: Id<id::Person>,
        /// `active` or `suspended`.
        pub state: String,
        /// Their language, if they chose one.
        pub locale: Option<String>,
        /// Plain attributes as JSON.
        pub attributes: String,
        /// Raised at each change.
        pub version: i64,
        /// Since when they are known.
        pub created_at: Time,
        /// When they were last changed.
        pub updated_at: Time,
        /// The text by which they were found; empty where nothing was searched for.
        pub text: String,
    }
}

row! {
    /// A client secret without anything secret.
    pub struct ListedSecret {
        /// Its id.
        pub id: Id<id::Credential>,
        /// Since when.
        pub created_at: Time,
        /// When it stops being accepted.
        pub expires_at: Option<Time>,
    }
}

row! {
    /// An event as the audit trail shows it.
    pub struct ListedEvent {
        /// Its id.
        pub id: Id<id::Event>,
        /// What happened.
        pub kind: String,
        /// Whom it concerns.
        pub person: Option<Id<id::Person>>,
        /// Who did it, where that is not the person.
        pub actor: Option<String>,
        /// Through which application.
        pub application: Option<Id<id::Application>>,
        /// In which session.
        pub session: Option<Id<id::Session>>,
        /// When.
        pub at: Time,
        /// Everything else, sealed.
        pub data: Vec<u8>,
        /// Its place in the chain, once it has one.
        pub number: Option<i64>,
    }
}

/// Which events.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Of this kind.
    pub kind: Option<String>,
    /// About this person.
    pub person: Option<Id<id::Person>>,
    /// Through this application.
    pub application: Option<Id<id::Application>>,
}

statements! {
    const PEOPLE: &str = "SELECT id, state, locale, attributes, version, created_at, updated_at, '' FROM person \
        WHERE tenant = $1 AND id > $2 AND state <> 'deleted' ORDER BY id LIMIT $3";
    const ACTIVE: &str = "SELECT id, state, locale, attributes, version, created_at, updated_at, '' FROM person \
        WHERE tenant = $1 AND id > $2 AND state = 'active' ORDER BY id LIMIT $3";
    const SUSPENDED: &str = "SELECT id, state, locale, attributes, version, created_at, updated_at, '' FROM person \
        WHERE tenant = $1 AND id IN (SELECT id FROM person WHERE tenant = $1 AND id > $2 AND state = 'suspended' \
        ORDER BY id LIMIT $3) ORDER BY id";
    const FOUND: &str = "SELECT p.id, p.state, p.locale, p.attributes, p.version, p.created_at, p.updated_at, s.text \
        FROM search_text s JOIN person p ON p.tenant = s.tenant AND p.id = s.person \
        WHERE s.tenant = $1 AND (s.text, s.person) > ($4, $5) AND s.text < $3 \
        AND p.state <> 'deleted' AND NOT EXISTS (SELECT 1 FROM search_text e WHERE e.tenant = s.tenant \
        AND e.person = s.person AND e.text >= $2 AND e.text < s.text) ORDER BY s.text, s.person LIMIT $6";
    const COUNT: &str = "SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 FROM person \
        WHERE tenant = $1 AND state <> 'deleted' LIMIT 1001) AS counted";
    const COUNT_ACTIVE: &str = "SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 FROM person \
        WHERE tenant = $1 AND state = 'active' LIMIT 1001) AS counted";
    const COUNT_SUSPENDED: &str = "SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 FROM person \
        WHERE tenant = $1 AND state = 'suspended' LIMIT 1001) AS counted";
    const COUNT_FOUND: &str = "SELECT CAST(count(*) AS BIGINT) FROM (SELECT DISTINCT person FROM \
        (SELECT s.person FROM search_text s JOIN person p ON p.tenant = s.tenant AND p.id = s.person \
        WHERE s.tenant = $1 AND s.text >= $2 AND s.text < $3 AND p.state <> 'deleted' LIMIT 4004) AS texts \
        LIMIT 1001) AS counted";
    const EXTERNAL_IDS: &str = "SELECT source, value FROM external_id WHERE tenant = $1 AND person = $2 ORDER BY source, value";
    const GRANTS: &str = "SELECT id FROM oauth_grant WHERE tenant = $1 AND person = $2 AND state = 'active' \
        AND expires_at > $3 ORDER BY id DESC LIMIT 200";
    const END_GRANTS: &str = "UPDATE oauth_grant SET state = 'ended', version = version + 1 \
        WHERE tenant = $1 AND person = $2 AND id = $3 AND state = 'active'";
    const END_SESSIONS: &str = "UPDATE session SET ended_at = $3, version = version + 1 \
        WHERE tenant = $1 AND person = $2 AND ended_at IS NULL";
    const FORGET_ATTEMPTS: &str = "DELETE FROM attempt WHERE tenant = $1 AND subject = $2";
    const EXPIRE_PASSWORD: &str = "UPDATE credential SET state = 'expired', version = version + 1 \
        WHERE tenant = $1 AND person = $2 AND kind = 'password'";
    const APPLICATIONS: &str = "SELECT id FROM application WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3";
    const SECRETS: &str = "SELECT id, created_at, expires_at FROM application_secret \
        WHERE tenant = $1 AND application = $2 ORDER BY id";
    const EXPIRE_SECRETS: &str = "UPDATE application_secret SET expires_at = $3 \
        WHERE tenant = $1 AND application = $2 AND (expires_at IS NULL OR expires_at > $3)";
    const DROP_SECRET: &str = "DELETE FROM application_secret WHERE tenant = $1 AND application = $2 AND id = $3";
    const TENANTS: &str = "SELECT id FROM tenant WHERE id > $1 ORDER BY id LIMIT $2";
    const EVENTS: &str = "SELECT id, kind, person, actor, application, session, at, data, number FROM \
        (SELECT id, kind, person, actor, application, session, at, data, number FROM event \
        WHERE tenant = $1 AND id < $2 AND id >= $3 ORDER BY id DESC LIMIT 5000) AS recent \
        WHERE (kind = $4 OR $4 = '') AND (application = $5 OR $5 IS NULL) ORDER BY id DESC LIMIT $6";
    const EVENTS_OF: &str = "SELECT id, kind, person, actor, application, session, at, data, number FROM \
        (SELECT id, kind, person, actor, application, session, at, data, number FROM event \
        WHERE tenant = $1 AND person = $7 AND id < $2 AND id >= $3 ORDER BY id DESC LIMIT 5000) AS recent \
        WHERE (kind = $4 OR $4 = '') AND (application = $5 OR $5 IS NULL) ORDER BY id DESC LIMIT $6";
    const WINDOW_END: &str = "SELECT id FROM event WHERE tenant = $1 AND id < $2 AND id >= $3 \
        ORDER BY id DESC LIMIT 1 OFFSET 4999";
    const WINDOW_END_OF: &str = "SELECT id FROM event WHERE tenant = $1 AND person = $4 AND id < $2 AND id >= $3 \
        ORDER BY id DESC LIMIT 1 OFFSET 4999";
}

/// People after this one by id, those of one state if it is given. Deleted people are not listed.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn people(
    db: &Db,
    tenant: Id<id::Tenant>,
    state: Option<&str>,
    page: (Id<id::Person>, i64),
) -> Result<Vec<ListedPerson>, DbError> {
    let sql = match state {
        None => PEOPLE,
        Some("active") => ACTIVE,
        Some("suspended") => SUSPENDED,
        Some(_) => return Ok(Vec::new()),
    };
    db.scan(sql, args![tenant, page.0, page.1]).await
}

/// People one of whose names begins with this folded text, each once, by the first such name. A page
/// begins after that text and person.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn people_named(
    db: &Db,
    tenant: Id<id::Tenant>,
    prefix: &str,
    page: (&str, Id<id::Person>, i64),
) -> Result<Vec<ListedPerson>, DbError> {
    let (text, person, limit) = page;
    // One bound from below, so that a late page begins where it begins.
    let text = text.max(prefix);
    db.scan(FOUND, args![tenant, prefix, format!("{prefix}{END}"), text, person, limit]).await
}

/// People, of one state if it is given, one of whose identifiers or names holds this folded text of at least
/// three letters, by the first such name. A text that many share finds some of them only.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn people_holding(
    db: &Db,
    tenant: Id<id::Tenant>,
    infix: &str,
    state: Option<&str>,
    limit: i64,
) -> Result<Vec<ListedPerson>, DbError> {
    let pattern = dialect::infix_pattern(db.engine(), infix);
    let state = state.unwrap_or_default();
    db.scan(dialect::infix(db.engine()), args![tenant, pattern, limit, state]).await
}

/// How many people there are in this state, up to one more than [`MOST_COUNTED`].
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn count(db: &Db, tenant: Id<id::Tenant>, state: Option<&str>) -> Result<i64, DbError> {
    let sql = match state {
        None => COUNT,
        Some("active") => COUNT_ACTIVE,
        Some("suspended") => COUNT_SUSPENDED,
        Some(_) => return Ok(0),
    };
    Ok(db.scan::<i64>(sql, args![tenant]).await?.into_iter().next().unwrap_or(0))
}

/// How many people one of whose names begins so, up to one more than [`MOST_COUNTED`].
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn count_named(db: &Db, tenant: Id<id::Tenant>, prefix: &str) -> Result<i64, DbError> {
    let counted = db.scan::<i64>(COUNT_FOUND, args![tenant, prefix, format!("{prefix}{END}")]).await?;
    Ok(counted.into_iter().next().unwrap_or(0))
}

/// The other systems' names for a person.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn external_ids(
    db: &Db,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
) -> Result<Vec<(String, String)>, DbError> {
    db.many(EXTERNAL_IDS, args![tenant, person]).await
}

/// The person's grants that have neither ended nor expired, the latest first. Whether each lives is
/// still to be asked.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn grants(
    db: &Db,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    now: Time,
) -> Result<Vec<Id<id::Grant>>, DbError> {
    db.many(GRANTS, args![tenant, person, now]).await
}

/// Ends a grant of this person.
pub fn end_grant(unit: &mut Unit, tenant: Id<id::Tenant>, grant: (Id<id::Grant>, Id<id::Person>)) {
    unit.push(END_GRANTS, args![tenant, grant.1, grant.0], Expect::Rows(1));
}

/// Ends all sessions of this person.
pub fn end_sessions(unit: &mut Unit, tenant: Id<id::Tenant>, person: Id<id::Person>, now: Time) {
    unit.push(END_SESSIONS, args![tenant, person, now], Expect::Any);
}

/// Gives back the attempts under this subject, on all devices.
pub fn forget_attempts(unit: &mut Unit, tenant: Id<id::Tenant>, subject: [u8; 32]) {
    unit.push(FORGET_ATTEMPTS, args![tenant, subject], Expect::Any);
}

/// The person's password must be changed at its next use.
pub fn expire_password(unit: &mut Unit, tenant: Id<id::Tenant>, person: Id<id::Person>) {
    unit.push(EXPIRE_PASSWORD, args![tenant, person], Expect::Rows(1));
}

/// The ids of applications after this one.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn applications(
    db: &Db,
    tenant: Id<id::Tenant>,
    page: (Id<id::Application>, i64),
) -> Result<Vec<Id<id::Application>>, DbError> {
    db.scan(APPLICATIONS, args![tenant, page.0, page.1]).await
}

/// The secrets of an application, without their values.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn secrets(
    db: &Db,
    tenant: Id<id::Tenant>,
    application: Id<id::Application>,
) -> Result<Vec<ListedSecret>, DbError> {
    db.many(SECRETS, args![tenant, application]).await
}

/// The secrets that there are stop being accepted at this time, unless they do before.
pub fn expire_secrets(unit: &mut Unit, tenant: Id<id::Tenant>, application: Id<id::Application>, at: Time) {
    unit.push(EXPIRE_SECRETS, args![tenant, application, at], Expect::Any);
}

/// Removes a secret of this application.
pub fn drop_secret(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    secret: (Id<id::Application>, Id<id::Credential>),
) {
    unit.push(DROP_SECRET, args![tenant, secret.0, secret.1], Expect::Rows(1));
}

/// The ids of tenants after this one.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn tenants(db: &Db, page: (Id<id::Tenant>, i64)) -> Result<Vec<Id<id::Tenant>>, DbError> {
    db.scan(TENANTS, args![page.0, page.1]).await
}

/// Events before the first id and not before the second, the latest first. At most [`WINDOW`]
/// events are looked through, so a page may be short without being the last: [`window_end`] tells.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn events(
    db: &Db,
    tenant: Id<id::Tenant>,
    filter: &EventFilter,
    range: (Id<id::Event>, Id<id::Event>),
    limit: i64,
) -> Result<Vec<ListedEvent>, DbError> {
    let kind = filter.kind.as_deref().unwrap_or_default();
    let mut args = args![tenant, range.0, range.1, kind, filter.application, limit];
    match filter.person {
        None => db.scan(EVENTS, args).await,
        Some(person) => {
            args.extend(args![person]);
            db.scan(EVENTS_OF, args).await
        }
    }
}

/// The last event that a page of this range looked through, if there may be more behind it.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn window_end(
    db: &Db,
    tenant: Id<id::Tenant>,
    person: Option<Id<id::Person>>,
    range: (Id<id::Event>, Id<id::Event>),
) -> Result<Option<Id<id::Event>>, DbError> {
    let mut args = args![tenant, range.0, range.1];
    let found = match person {
        None => db.scan(WINDOW_END, args).await?,
        Some(person) => {
            args.extend(args![person]);
            db.scan(WINDOW_END_OF, args).await?
        }
    };
    Ok(found.into_iter().next())
}
