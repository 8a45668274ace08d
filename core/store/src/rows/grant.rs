//! Grants: one authorization each. Codes, refresh tokens and opaque access tokens are handles of
//! this row, and whether any of them is good is asked with one statement.

use super::person::PersonRow;
use crate::{Db, DbError, Expect, FromRow, Row, Unit, args, row, statements};
use base::{Id, Time, id};

row! {
    /// A grant with what its life depends on.
    pub struct GrantRow {
        /// Its id.
        pub id: Id<id::Grant>,
        /// Who authorized.
        pub person: Id<id::Person>,
        /// Whom.
        pub application: Id<id::Application>,
        /// The session that it is bound to; none if it outlives sessions.
        pub session: Option<Id<id::Session>>,
        /// The session in which it was given; none if that was not written down yet.
        pub given_in: Option<Id<id::Session>>,
        /// The person's epoch when it was given.
        pub epoch: i64,
        /// The person's offline epoch when it was given.
        pub offline_epoch: i64,
        /// Scopes, separated by spaces.
        pub scopes: String,
        /// The `claims` parameter as JSON.
        pub claims: String,
        /// The resources that the request asked for, as a JSON list.
        pub resources: Option<String>,
        /// How and when the person proved themselves, as JSON.
        pub facts: String,
        /// `active` or `ended`.
        pub state: String,
        /// Hash of the authorization code.
        pub code: Option<Vec<u8>>,
        /// Until when the code is good.
        pub code_until: Option<Time>,
        /// When the code was redeemed.
        pub code_redeemed_at: Option<Time>,
        /// The redirect URI of the request.
        pub redirect_uri: Option<String>,
        /// The PKCE challenge (S256) of the request.
        pub challenge: Option<String>,
        /// The nonce of the request.
        pub nonce: Option<String>,
        /// How often the refresh token was rotated.
        pub refresh_number: i64,
        /// When it was rotated last.
        pub refreshed_at: Option<Time>,
        /// The version of the HMAC key of the present refresh token.
        pub refresh_key: Option<i64>,
        /// Since when.
        pub created_at: Time,
        /// When it ends in any case.
        pub expires_at: Time,
        /// Raised at each change.
        pub version: i64,
        /// The person's state now.
        pub person_state: String,
        /// The person's epoch now.
        pub person_epoch: i64,
        /// The person's offline epoch now.
        pub person_offline_epoch: i64,
        /// The session's epoch now, if the session is there and has not ended.
        pub session_epoch: Option<i64>,
        /// When the session ends.
        pub session_until: Option<Time>,
        /// The subject under which applications know the person, unless they are erased.
        pub subject: Option<String>,
    }
}

/// A grant with the person who gave it.
#[derive(Debug, Clone)]
pub struct Held {
    /// The grant.
    pub grant: GrantRow,
    /// The person.
    pub person: PersonRow,
}

impl FromRow for Held {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        Ok(Self { grant: GrantRow::from_row(row)?, person: PersonRow::from_row(row)? })
    }
}

impl GrantRow {
    /// Whether anything issued under it is still good.
    pub fn is_alive(&self, now: Time) -> bool {
        let bound = match self.session {
            None => self.offline_epoch == self.person_offline_epoch,
            Some(_) => {
                self.epoch == self.person_epoch
                    && self.session_epoch == Some(self.person_epoch)
                    && self.session_until.is_some_and(|until| now < until)
            }
        };
        self.state == "active" && now < self.expires_at && self.person_state == "active" && bound
    }
}

/// A grant to be written, with its code.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// Its id.
    pub id: Id<id::Grant>,
    /// Who authorizes.
    pub person: Id<id::Person>,
    /// Whom.
    pub application: Id<id::Application>,
    /// The session in which it is given.
    pub session: Id<id::Session>,
    /// Whether it outlives the session.
    pub offline: bool,
    /// The epochs that the person has.
    pub epochs: (i64, i64),
    /// Scopes, separated by spaces.
    pub scopes: String,
    /// The `claims` parameter as JSON.
    pub claims: String,
    /// The resources that the request asks for, as a JSON list.
    pub resources: Option<String>,
    /// How and when the person proved themselves, as JSON.
    pub facts: String,
    /// Hash of the code.
    pub code: [u8; 32],
    /// Until when the code is good.
    pub code_until: Time,
    /// The redirect URI of the request.
    pub redirect_uri: String,
    /// The PKCE challenge.
    pub challenge: Option<String>,
    /// The nonce.
    pub nonce: Option<String>,
    /// When it ends in any case.
    pub expires_at: Time,
}

/// The columns of a grant, and of what else a query wants of it.
macro_rules! of_grant {
    ($more:literal) => {
        concat!(
            "SELECT g.id, g.person, g.application, g.session, g.given_in, g.epoch, g.offline_epoch, g.scopes, ",
            "g.claims, g.resources, g.facts, g.state, g.code, g.code_until, g.code_redeemed_at, g.redirect_uri, ",
            "g.challenge, g.nonce, g.refresh_number, g.refreshed_at, g.refresh_key, g.created_at, g.expires_at, ",
            "g.version, p.state, p.epoch, p.offline_epoch, s.epoch, s.expires_at, ",
            "(SELECT u.sub FROM subject u WHERE u.tenant = g.tenant AND u.person = g.person ",
            "ORDER BY u.created_at LIMIT 1)",
            $more,
            " FROM oauth_grant g JOIN person p ON p.tenant = g.tenant AND p.id = g.person ",
            "LEFT JOIN session s ON s.tenant = g.tenant AND s.id = g.session AND s.ended_at IS NULL ",
            "WHERE g.tenant = $1 AND g.id = $2"
        )
    };
}

statements! {
    const BY_ID: &str = of_grant!("");
    const HELD: &str = of_grant!(", p.id, p.state, p.epoch, p.offline_epoch, p.locale, p.attributes, \
        p.sealed_attributes, p.sealed_key, p.version, p.created_at, p.updated_at");
    const INSERT: &str = "INSERT INTO oauth_grant (tenant, id, person, application, session, epoch, offline_epoch, \
        scopes, claims, facts, state, code, code_until, redirect_uri, challenge, nonce, refresh_number, created_at, \
        expires_at, version, resources, given_in) \
        SELECT p.tenant, $2, p.id, $4, $5, p.epoch, p.offline_epoch, $8, $9, $10, 'active', $11, $12, $13, $14, $15, \
        0, $16, $17, 1, $18, $19 FROM person p \
        WHERE p.tenant = $1 AND p.id = $3 AND p.epoch = $6 AND p.offline_epoch = $7 AND p.state = 'active'";
    const REDEEM: &str = "UPDATE oauth_grant SET code_redeemed_at = $3, refresh_number = $4, refreshed_at = $3, \
        refresh_key = $5, version = version + 1 \
        WHERE tenant = $1 AND id = $2 AND code_redeemed_at IS NULL AND state = 'active' AND code_until > $3 \
        AND EXISTS (SELECT 1 FROM person p WHERE p.tenant = $1 AND p.id = oauth_grant.person AND p.state = 'active' \
        AND ((oauth_grant.session IS NULL AND p.offline_epoch = oauth_grant.offline_epoch) \
        OR (p.epoch = oauth_grant.epoch AND EXISTS (SELECT 1 FROM session s WHERE s.tenant = $1 \
        AND s.id = oauth_grant.session AND s.ended_at IS NULL))))";
    const ROTATE: &str = "UPDATE oauth_grant SET refresh_number = $4, refreshed_at = $5, refresh_key = $6, \
        version = version + 1 WHERE tenant = $1 AND id = $2 AND refresh_number = $3 AND state = 'active' \
        AND EXISTS (SELECT 1 FROM person p WHERE p.tenant = $1 AND p.id = oauth_grant.person AND p.state = 'active' \
        AND ((oauth_grant.session IS NULL AND p.offline_epoch = oauth_grant.offline_epoch) \
        OR (p.epoch = oauth_grant.epoch AND EXISTS (SELECT 1 FROM session s WHERE s.tenant = $1 \
        AND s.id = oauth_grant.session AND s.ended_at IS NULL))))";
    const TOUCH: &str = "UPDATE oauth_grant SET refreshed_at = $3, version = version + 1 \
        WHERE tenant = $1 AND id = $2 AND state = 'active' \
        AND EXISTS (SELECT 1 FROM person p WHERE p.tenant = $1 AND p.id = oauth_grant.person AND p.state = 'active' \
        AND ((oauth_grant.session IS NULL AND p.offline_epoch = oauth_grant.offline_epoch) \
        OR (p.epoch = oauth_grant.epoch AND EXISTS (SELECT 1 FROM session s WHERE s.tenant = $1 \
        AND s.id = oauth_grant.session AND s.ended_at IS NULL))))";
    const END: &str = "UPDATE oauth_grant SET state = 'ended', version = version + 1 \
        WHERE tenant = $1 AND id = $2 AND state = 'active'";
    const END_OF_APPLICATION: &str = "UPDATE oauth_grant SET state = 'ended', version = version + 1 \
        WHERE tenant = $1 AND person = $2 AND application = $3 AND state = 'active'";
    const RESTAMP: &str = "UPDATE oauth_grant SET epoch = $4, version = version + 1 \
        WHERE tenant = $1 AND session = $2 AND epoch = $3 AND state = 'active'";
    const DROP_OF_PERSON: &str = "DELETE FROM oauth_grant WHERE tenant = $1 AND person = $2";
    const REVOKE_TOKEN: &str = "INSERT INTO revoked_token (tenant, jti, expires_at) VALUES ($1, $2, $3) \
        ON CONFLICT (tenant, jti) DO NOTHING";
    const TOKEN_REVOKED: &str = "SELECT expires_at FROM revoked_token WHERE tenant = $1 AND jti = $2";
}

/// The grant with this id, dead or alive.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_id(db: &Db, tenant: Id<id::Tenant>, id: Id<id::Grant>) -> Result<Option<GrantRow>, DbError> {
    db.one(BY_ID, args![tenant, id]).await
}

/// The grant with this id and the person who gave it, dead or alive.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn held(db: &Db, tenant: Id<id::Tenant>, id: Id<id::Grant>) -> Result<Option<Held>, DbError> {
    db.one(HELD, args![tenant, id]).await
}

/// Whether a token without a grant was revoked.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn token_revoked(db: &Db, tenant: Id<id::Tenant>, jti: &str) -> Result<bool, DbError> {
    Ok(db.one::<i64>(TOKEN_REVOKED, args![tenant, jti]).await?.is_some())
}

/// A new grant with its code, if the person is active and of these epochs.
pub fn insert(unit: &mut Unit, tenant: Id<id::Tenant>, grant: &NewGrant, now: Time) {
    let session = (!grant.offline).then_some(grant.session);
    unit.push(
        INSERT,
        args![
            tenant,
            grant.id,
            grant.person,
            grant.application,
            session,
            grant.epochs.0,
            grant.epochs.1,
            &grant.scopes,
            &grant.claims,
            &grant.facts,
            grant.code,
            grant.code_until,
            &grant.redirect_uri,
            grant.challenge.as_deref(),
            grant.nonce.as_deref(),
            now,
            grant.expires_at,
            grant.resources.as_deref(),
            grant.session
        ],
        Expect::Rows(1),
    );
}

/// Redeems the code: once, in time, while the person is active and of the grant's epoch, and the
/// session, if it is bound to one, has not ended. `refresh`
/// holds the number and key version of the first refresh token, if there is one.
pub fn redeem(unit: &mut Unit, tenant: Id<id::Tenant>, id: Id<id::Grant>, refresh: Option<i64>, now: Time) {
    let number = i64::from(refresh.is_some());
    unit.push(REDEEM, args![tenant, id, now, number, refresh], Expect::Rows(1));
}

/// Rotates the refresh token from `number` to the next. Guarded by the number and the epoch.
pub fn rotate(unit: &mut Unit, tenant: Id<id::Tenant>, grant: (Id<id::Grant>, i64), key: i64, now: Time) {
    let (id, number) = grant;
    unit.push(ROTATE, args![tenant, id, number, number + 1, now, key], Expect::Rows(1));
}

/// Notes the use of a refresh token that is not rotated. Guarded by the epoch.
pub fn touch(unit: &mut Unit, tenant: Id<id::Tenant>, id: Id<id::Grant>, now: Time) {
    unit.push(TOUCH, args![tenant, id, now], Expect::Rows(1));
}

/// Ends a grant.
pub fn end(unit: &mut Unit, tenant: Id<id::Tenant>, id: Id<id::Grant>) {
    unit.push(END, args![tenant, id], Expect::Rows(1));
}

/// Ends all grants that the person gave this application.
pub fn end_of_application(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    application: Id<id::Application>,
) {
    unit.push(END_OF_APPLICATION, args![tenant, person, application], Expect::Any);
}

/// Carries the grants of a session over into the person's next epoch.
pub fn restamp(unit: &mut Unit, tenant: Id<id::Tenant>, session: Id<id::Session>, epoch: i64) {
    unit.push(RESTAMP, args![tenant, session, epoch, epoch + 1], Expect::Any);
}

/// Removes all grants of a deleted person.
pub fn drop_of_person(unit: &mut Unit, tenant: Id<id::Tenant>, person: Id<id::Person>) {
    unit.push(DROP_OF_PERSON, args![tenant, person], Expect::Any);
}

/// Revokes a token that has no grant.
pub fn revoke_token(unit: &mut Unit, tenant: Id<id::Tenant>, jti: &str, expires_at: Time) {
    unit.push(REVOKE_TOKEN, args![tenant, jti, expires_at], Expect::Any);
}
