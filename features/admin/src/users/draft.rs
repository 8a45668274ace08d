//! Creating a person, changing their attributes, giving and taking identifiers.

use crate::{
    call::{Answer, Call},
    refusal::{Refusal, WRONG_STATE},
    shape::shape,
    users::{Found, changed, show},
};
use base::{Email, Error, Event, Identifier, Secret, Username};
use passwords::{PhcString, Policy, Prepared};
use serde_json::{Map, Value, json};
use store::{
    Outcome, Tenant, Unit,
    accounts::NewAccount,
    attributes,
    rows::{
        identifier,
        person::{self, PersonRow},
    },
    rules,
};
use work::Priority;

shape! {
    /// A person to be created, with an address or a user name at least.
    sent NewUser {
        /// Their address.
        email: Option<String>,
        /// Whether the address counts as proven.
        email_verified: Option<bool>,
        /// Their user name.
        username: Option<String>,
        /// Their first password. Without one they set it by recovery.
        password: Option<NewPassword>,
        /// In its place the hash that another system made of it.
        password_hash: Option<NewHash>,
        /// Their language.
        locale: Option<String>,
        /// The subject under which applications know them already; a random one without.
        sub: Option<String>,
        /// Attributes by the names of their claims.
        attributes: Option<Map<String, Value>>,
        /// Other systems' names for them, by system.
        external_ids: Option<Map<String, Value>>,
    }
}

shape! {
    /// A merge patch of a person: what is left out stays, what is null is taken away.
    sent UserPatch {
        /// Their language.
        locale: Option<String>,
        /// Attributes by the names of their claims.
        attributes: Option<Map<String, Value>>,
    }
}

shape! {
    /// An address or user name for a person.
    sent NewIdentifier {
        /// The address or user name.
        value: String,
        /// Whether it counts as proven.
        verified: Option<bool>,
    }
}

/// A password on its way to be hashed.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct NewPassword(Secret<String>);

impl crate::shape::Shape for NewPassword {
    fn schema(_: &mut crate::shape::Components) -> Value {
        json!({ "type": "string", "minLength": 1, "maxLength": 256, "writeOnly": true })
    }
}

/// The hash of a password, made by another system.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct NewHash(Secret<String>);

impl crate::shape::Shape for NewHash {
    fn schema(_: &mut crate::shape::Components) -> Value {
        json!({ "type": "string", "pattern": r"^\$argon2id\$v=19\$", "maxLength": 320, "writeOnly": true })
    }
}

/// The most addresses of one person.
const MOST_ADDRESSES: usize = 100;

/// What is wrong, field by field.
#[derive(Default)]
struct Problems(Vec<(String, String)>);

impl Problems {
    fn take<T, E: ToString>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|error| self.0.push((field.to_owned(), error.to_string()))).ok()
    }

    fn attributes(&mut self, attributes: &Map<String, Value>) {
        for (name, value) in attributes {
            if let Err((place, message)) = rules::claim(name, value) {
                self.0.push((format!("attributes.{name}{place}"), message));
            }
        }
        self.whole(attributes);
    }

    fn whole(&mut self, attributes: &Map<String, Value>) {
        let _fits = self.take("attributes", rules::claims(attributes));
    }

    fn end(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::fields(self.0)) }
    }
}

/// An identifier with how it was proven.
type Proven = (Identifier, Option<&'static str>);

/// A new person as they were checked.
struct Draft {
    identifiers: Vec<Proven>,
    external: Vec<(String, String)>,
    password: Option<Prepared>,
    hash: Option<PhcString>,
}

fn check(tenant: &Tenant, new: &NewUser) -> Result<Draft, Refusal> {
    let mut problems = Problems::default();
    let email = new.email.as_deref().and_then(|text| problems.take("email", Email::parse(text)));
    let username = new.username.as_deref().and_then(|text| problems.take("username", Username::parse(text)));
    if new.email.is_none() && new.username.is_none() {
        problems.0.push(("email".to_owned(), "or username must be given".to_owned()));
    }
    let password = new.password.as_ref();
    let password = password.and_then(|password| problems.take("password", prepared(tenant, new, password)));
    let hash = new.password_hash.as_ref();
    let hash = hash.and_then(|hash| problems.take("password_hash", PhcString::import(hash.0.expose())));
    if new.password.is_some() && new.password_hash.is_some() {
        problems.0.push(("password_hash".to_owned(), "stands beside password; send one of them".to_owned()));
    }
    if let Some(locale) = &new.locale {
        problems.take("locale", rules::language(locale));
    }
    if let Some(sub) = &new.sub {
        problems.take("sub", rules::subject(sub));
    }
    problems.attributes(new.attributes.as_ref().unwrap_or(&Map::new()));
    let mut external = Vec::new();
    for (source, value) in new.external_ids.iter().flatten() {
        let read = rules::text(value).and_then(|text| rules::short(text, 255));
        let read = read.and_then(|value| Ok((rules::short(source, 64)?, value)));
        external.extend(problems.take(&format!("external_ids.{source}"), read));
    }
    problems.end()?;
    let proof = new.email_verified.unwrap_or(false).then_some("operator");
    let email = email.map(|email| (Identifier::Email(email), proof));
    let username = username.map(|name| (Identifier::Username(name), None));
    Ok(Draft { identifiers: email.into_iter().chain(username).collect(), external, password, hash })
}

/// The password, if the tenant's rules for new ones allow it.
fn prepared(tenant: &Tenant, new: &NewUser, password: &NewPassword) -> Result<Prepared, String> {
    if password.0.expose().is_empty() {
        return Err("is empty; leave it out for an account without a password".to_owned());
    }
    let prepared = Prepared::new(password.0.expose()).map_err(|error| error.to_string())?;
    let names = ["name", "given_name", "family_name", "nickname"];
    let named = names.iter().filter_map(|name| new.attributes.as_ref()?.get(*name)?.as_str());
    let local = new.email.as_deref().and_then(|email| email.split('@').next());
    let own: Vec<&str> = local.into_iter().chain(new.username.as_deref()).chain(named).collect();
    let policy = Policy::of(&tenant.settings.profile, tenant.settings.password_min);
    policy
        .check(&prepared, &own)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(", and "))?;
    Ok(prepared)
}

/// `POST /users`.
pub(crate) async fn create(call: &Call) -> Result<Answer, Refusal> {
    let new: NewUser = call.sent()?;
    let draft = check(&call.tenant, &new)?;
    taken(call, &draft, new.sub.as_deref()).await?;
    let phc = match draft.password {
        Some(password) => Some(call.admin.pool.hash(password, Priority::Other).await?.to_string()),
        None => draft.hash.as_ref().map(ToString::to_string),
    };
    let (env, tenant) = (call.env(), &call.tenant);
    let attributes = new.attributes.unwrap_or_default();
    let external: Vec<_> =
        draft.external.iter().map(|(source, value)| (source.as_str(), value.as_str())).collect();
    let account = NewAccount {
        identifiers: &draft.identifiers,
        attributes: attributes.clone(),
        locale: new.locale.as_deref(),
        password_phc: phc.as_deref(),
        sub: new.sub.as_deref(),
        external_ids: &external,
    };
    let mut unit = Unit::new(env.id(), Vec::new());
    let created = account.write(&mut unit, tenant, env)?;
    let mut given = changed(&Map::new(), &attributes);
    for (identifier, _) in &draft.identifiers {
        given.insert(identifier.kind().as_str().to_owned(), json!({ "new": identifier.as_typed() }));
    }
    let event = Event {
        id: unit.id(),
        ..Event::new(env, "person.created")
            .actor(call.caller.actor())
            .person(created.person)
            .origin(call.origin.clone())
            .detail(json!({ "by": call.caller.named(), "changed": given }))
    };
    unit.record(tenant.event(env, event, Some(&created.key)));
    let answer = answer(
        call,
        &new.locale,
        (&draft.identifiers, &draft.external),
        (&created, attributes, phc.is_some()),
    )?;
    call.finish(unit, answer).await
}

/// What has an owner already, told field by field.
async fn taken(call: &Call, draft: &Draft, sub: Option<&str>) -> Result<(), Refusal> {
    let (db, tenant, now) = (call.db(), call.tenant.id, call.now());
    for (identifier, _) in &draft.identifiers {
        if identifier::taken(db, tenant, (identifier.kind(), identifier.normal()), now).await? {
            return Err(Refusal::taken(identifier.kind().as_str()));
        }
    }
    for (source, value) in &draft.external {
        if person::by_external(db, tenant, source, value).await?.is_some() {
            return Err(Refusal::taken(&format!("external_ids.{source}")));
        }
    }
    match sub {
        Some(sub) if person::by_subject(db, tenant, sub).await?.is_some() => Err(Refusal::taken("sub")),
        _ => Ok(()),
    }
}

/// The new person as they will be once the unit is committed.
fn answer(
    call: &Call,
    locale: &Option<String>,
    (identifiers, external): (&[Proven], &[(String, String)]),
    (created, attributes, has_password): (&store::accounts::Created, Map<String, Value>, bool),
) -> Result<Answer, Refusal> {
    use crate::{
        stamp::Stamp,
        users::{ExternalId, User, UserIdentifier, UserPassword},
    };
    let now = Stamp(call.now());
    let mut attributes = attributes;
    attributes.retain(|_, value| !value.is_null());
    let user = User {
        id: created.person,
        sub: Some(created.sub.clone()),
        state: "active".to_owned(),
        locale: locale.clone(),
        identifiers: identifiers
            .iter()
            .map(|(identifier, proof)| UserIdentifier {
                kind: identifier.kind().as_str().to_owned(),
                value: identifier.as_typed().to_owned(),
                verified: proof.is_some(),
                verified_at: proof.map(|_| now),
            })
            .collect(),
        attributes,
        external_ids: external
            .iter()
            .map(|(source, value)| ExternalId { source: source.clone(), value: value.clone() })
            .collect(),
        password: has_password.then(|| UserPassword { state: "active".to_owned(), changed_at: now }),
        created_at: now,
        updated_at: now,
        version: 1,
    };
    Ok(Answer::of(&user)?.version(1).at(format!("/users/{}", created.person)))
}

/// `PATCH /users/{user}`.
pub(crate) async fn update(call: &Call) -> Result<Answer, Refusal> {
    let sent = call.object()?;
    let patch: UserPatch = call.sent()?;
    let found = Found::to_change(call).await?;
    let mut problems = Problems::default();
    let patched = patch.attributes.unwrap_or_default();
    problems.attributes(&patched);
    let locale = match patch.locale {
        Some(tag) => problems.take("locale", rules::language(&tag)),
        None => found.row.locale.clone().filter(|_| !sent.contains_key("locale")),
    };
    problems.end()?;
    let old = &found.row;
    let key = found.key.as_ref().ok_or_else(|| Error::internal("a person without a key"))?;
    let before = attributes::join(&call.tenant, &PersonRow { locale: None, ..old.clone() })?;
    let mut after = before.clone();
    rules::merge(&mut after, &patched);
    // Patches of a group add to it, so that it may be too large only now.
    let mut merged = after.clone();
    merged.retain(|name, _| patched.contains_key(name));
    let mut problems = Problems::default();
    problems.attributes(&merged);
    problems.whole(&after);
    problems.end()?;
    let mut differs = changed(&before, &after);
    if locale != old.locale {
        differs.insert("locale".to_owned(), json!({ "old": old.locale, "new": locale }));
    }
    if differs.is_empty() {
        return show(call, old.id).await;
    }
    let identifiers = identifier::of_person(call.db(), call.tenant.id, old.id).await?;
    let texts = attributes::search_texts(identifiers.iter().map(|row| row.typed.as_str()), &after);
    let (plain, sealed) = attributes::columns(call.env(), key, (call.tenant.id, old.id), after);
    let new = PersonRow { locale, attributes: plain, sealed_attributes: sealed, ..old.clone() };
    let mut unit = call.unit("person.updated", found.about(), json!({ "changed": differs }));
    person::update(&mut unit, call.tenant.id, &new, call.now());
    person::index(&mut unit, call.tenant.id, old.id, &texts);
    changed_person(call, unit, &found).await
}

/// `POST /users/{user}/identifiers`.
pub(crate) async fn add_identifier(call: &Call) -> Result<Answer, Refusal> {
    let new: NewIdentifier = call.sent()?;
    let found = Found::to_change(call).await?;
    let identifier = Identifier::parse(&new.value).map_err(|error| Refusal::field("value", error))?;
    let (tenant, now) = (call.tenant.id, call.now());
    let mut texts = identifier::of_person(call.db(), tenant, found.row.id).await?;
    texts.retain(|row| row.kind == identifier.kind().as_str());
    if texts.len() >= MOST_ADDRESSES {
        return Err(Refusal::because(
            WRONG_STATE,
            "The person has a hundred addresses; take one away first.",
        ));
    }
    if !texts.is_empty() && identifier.kind() == base::IdentifierKind::Username {
        return Err(Refusal::because(WRONG_STATE, "The person has a user name; take it away first."));
    }
    if identifier::taken(call.db(), tenant, (identifier.kind(), identifier.normal()), now).await? {
        return Err(Refusal::taken("value"));
    }
    let detail = json!({ "changed": { identifier.kind().as_str(): { "new": identifier.as_typed() } } });
    let mut unit = call.unit("identifier.added", found.about(), detail);
    person::touch(&mut unit, tenant, found.row.id, found.row.version, now);
    let proof = new.verified.unwrap_or(false).then_some("operator");
    identifier::insert(&mut unit, tenant, found.row.id, (&identifier, proof), now);
    index(call, &mut unit, &found, |texts| texts.push(identifier.as_typed().to_owned())).await?;
    changed_person(call, unit, &found).await
}

/// `DELETE /users/{user}/identifiers/{kind}/{value}`.
pub(crate) async fn remove_identifier(call: &Call) -> Result<Answer, Refusal> {
    let found = Found::to_change(call).await?;
    let (tenant, now) = (call.tenant.id, call.now());
    let typed: String = call.part("value")?;
    let identifier = Identifier::parse(&typed).map_err(|_| Refusal::not_found())?;
    let rows = identifier::of_person(call.db(), tenant, found.row.id).await?;
    let kind = identifier.kind().as_str();
    let own = |row: &&identifier::IdentifierRow| row.kind == kind && row.normal == identifier.normal();
    let row = rows.iter().find(own).ok_or_else(Refusal::not_found)?;
    if call.path.get("kind").map(String::as_str) != Some(kind) {
        return Err(Refusal::not_found());
    }
    if rows.len() == 1 {
        return Err(Refusal::because(WRONG_STATE, "It is the last one; give the person another one first."));
    }
    let detail = json!({ "changed": { kind: { "old": row.typed } } });
    let mut unit = call.unit("identifier.removed", found.about(), detail);
    person::touch(&mut unit, tenant, found.row.id, found.row.version, now);
    identifier::remove(&mut unit, tenant, found.row.id, (identifier.kind(), identifier.normal()));
    index(call, &mut unit, &found, |texts| texts.retain(|text| *text != row.typed)).await?;
    changed_person(call, unit, &found).await
}

/// Writes the texts by which the person is found anew.
async fn index(
    call: &Call,
    unit: &mut Unit,
    found: &Found,
    change: impl FnOnce(&mut Vec<String>),
) -> Result<(), Refusal> {
    let rows = identifier::of_person(call.db(), call.tenant.id, found.row.id).await?;
    let mut names: Vec<String> = rows.into_iter().map(|row| row.typed).collect();
    change(&mut names);
    let all = attributes::join(&call.tenant, &found.row)?;
    let texts = attributes::search_texts(names.iter().map(String::as_str), &all);
    person::index(unit, call.tenant.id, found.row.id, &texts);
    Ok(())
}

/// Carries out a change of a person and shows them.
pub(crate) async fn changed_person(call: &Call, unit: Unit, found: &Found) -> Result<Answer, Refusal> {
    match call.db().commit(unit).await? {
        Outcome::Done => show(call, found.row.id).await,
        Outcome::Conflict { .. } => Err(Refusal::Again),
    }
}
