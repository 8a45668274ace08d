//! `/api/v1/users`: people. An identifier that an operator says is proven counts as proven.

pub(crate) mod belongings;
pub(crate) mod draft;
pub(crate) mod states;

use crate::{
    call::{About, Answer, Call},
    cursor::Page,
    endpoint::{CURSOR, Endpoint, LIMIT, Parameter, ParameterKind, Verb, text},
    refusal::Refusal,
    scope::Permission::{UsersRead, UsersWrite},
    shape::{Shape, shape},
    stamp::Stamp,
};
use base::{Email, Id, IdentifierKind, SealingKey, Username, id};
use serde_json::{Map, Value, json};
use store::{
    attributes,
    rows::{
        credential, identifier,
        listing::{self, ListedPerson, MOST_COUNTED},
        person::{self, PersonRow},
    },
};

shape! {
    /// A person.
    given User {
        /// The id.
        id: Id<id::Person>,
        /// The subject under which applications know them.
        sub: Option<String>,
        /// `active` or `suspended`.
        state: String,
        /// The language that they chose.
        locale: Option<String>,
        /// Addresses and user names.
        identifiers: Vec<UserIdentifier>,
        /// Attributes by the names of their claims.
        attributes: Map<String, Value>,
        /// Other systems' names for them.
        external_ids: Vec<ExternalId>,
        /// Their password, if they have one; never itself.
        password: Option<UserPassword>,
        /// Since when they are known.
        created_at: Stamp,
        /// When they were last changed.
        updated_at: Stamp,
        /// Raised at each change; also the `ETag`.
        version: i64,
    }
}

shape! {
    /// What somebody signs in with.
    given UserIdentifier {
        /// `email` or `username`.
        kind: String,
        /// As it was typed.
        value: String,
        /// Whether it was proven to be theirs. User names need no proof.
        verified: bool,
        /// When.
        verified_at: Option<Stamp>,
    }
}

shape! {
    /// What is known of a password.
    given UserPassword {
        /// `active`, or `expired` where it must be changed at the next sign-in.
        state: String,
        /// When it was last changed.
        changed_at: Stamp,
    }
}

shape! {
    /// Another system's name for a person.
    given ExternalId {
        /// The system.
        source: String,
        /// The name there.
        value: String,
    }
}

shape! {
    /// A person in a list.
    given ListedUser {
        /// The id.
        id: Id<id::Person>,
        /// `active` or `suspended`.
        state: String,
        /// Their name.
        name: Option<String>,
        /// Their first address.
        email: Option<String>,
        /// Whether it was proven.
        email_verified: bool,
        /// Their user name.
        username: Option<String>,
        /// The language that they chose.
        locale: Option<String>,
        /// Since when they are known.
        created_at: Stamp,
        /// When they were last changed.
        updated_at: Stamp,
        /// Raised at each change.
        version: i64,
    }
}

shape! {
    /// A page of people.
    given UserPage {
        /// The people of this page.
        items: Vec<ListedUser>,
        /// The `cursor` of the next page; null on the last one.
        next: Option<String>,
        /// How many there are, where `count=true` asked for it.
        count: Option<Count>,
    }
}

shape! {
    /// A count that stays cheap.
    given Count {
        /// How many, at most 1000.
        value: i64,
        /// Whether there are more.
        more: bool,
    }
}

const STATES: &[&str] = &["active", "suspended"];
const FILTERS: &[Parameter] = &[
    CURSOR,
    LIMIT,
    Parameter { name: "state", kind: ParameterKind::Words(STATES), description: "People in this state." },
    text("email", "Whoever has this address."),
    text("username", "Whoever has this user name."),
    text("q", "People one of whose identifiers or names, or a word of them, begins so."),
    text(
        "infix",
        "People one of whose identifiers or names holds these three letters or more; one page only.",
    ),
    Parameter { name: "count", kind: ParameterKind::Flag, description: "Count them, up to 1000." },
];

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new((Verb::Get, "/users"), ("listUsers", "List people"), UsersRead, |call| {
        Box::pin(list(call))
    })
    .query(FILTERS)
    .gives(UserPage::schema),
    Endpoint::new((Verb::Post, "/users"), ("createUser", "Create a person"), UsersWrite, |call| {
        Box::pin(draft::create(call))
    })
    .takes(draft::NewUser::schema)
    .creates(User::schema),
    Endpoint::new((Verb::Get, "/users/{user}"), ("getUser", "Get a person"), UsersRead, |call| {
        Box::pin(one(call))
    })
    .gives(User::schema),
    Endpoint::new((Verb::Patch, "/users/{user}"), ("updateUser", "Change a person"), UsersWrite, |call| {
        Box::pin(draft::update(call))
    })
    .takes(draft::UserPatch::schema)
    .gives(User::schema)
    .guarded(),
];

/// A person of the path, with their key.
pub(crate) struct Found {
    pub(crate) row: PersonRow,
    pub(crate) key: Option<SealingKey>,
}

impl Found {
    /// The person that the path names, unless deleted.
    pub(crate) async fn of(call: &Call) -> Result<Self, Refusal> {
        let id: Id<id::Person> = call.part("user")?;
        let row = person::by_id(call.db(), call.tenant.id, id).await?;
        let row = row.filter(|row| row.state != "deleted").ok_or_else(Refusal::not_found)?;
        let key = call.tenant.person_key(&row)?;
        Ok(Self { row, key })
    }

    /// The same, for a change: what administrators may do, whoever changes them may too.
    pub(crate) async fn to_change(call: &Call) -> Result<Self, Refusal> {
        let found = Self::of(call).await?;
        call.check_version(found.row.version)?;
        call.holds_person(found.row.id).await?;
        Ok(found)
    }

    /// An event's subject.
    pub(crate) fn about(&self) -> About<'_> {
        About::person(self.row.id, self.key.as_ref())
    }
}

/// The person as they are stored now.
pub(crate) async fn show(call: &Call, id: Id<id::Person>) -> Result<Answer, Refusal> {
    let (db, tenant) = (call.db(), call.tenant.id);
    let row = person::by_id(db, tenant, id).await?.ok_or_else(Refusal::not_found)?;
    let identifiers = identifier::of_person(db, tenant, id).await?;
    let password = credential::of_kind(db, tenant, id, "password").await?;
    let updated_at = row.updated_at;
    let external = listing::external_ids(db, tenant, id).await?;
    let user = User {
        id,
        sub: person::subject(db, tenant, id).await?,
        attributes: attributes::join(&call.tenant, &PersonRow { locale: None, ..row.clone() })?,
        state: row.state,
        locale: row.locale,
        identifiers: identifiers
            .into_iter()
            .map(|row| UserIdentifier {
                verified: row.proof.is_some(),
                kind: row.kind,
                value: row.typed,
                verified_at: row.proven_at.map(Stamp),
            })
            .collect(),
        external_ids: external.into_iter().map(|(source, value)| ExternalId { source, value }).collect(),
        password: password.map(|row| UserPassword { state: row.state, changed_at: Stamp(row.changed_at) }),
        created_at: Stamp(row.created_at),
        updated_at: Stamp(updated_at),
        version: row.version,
    };
    Ok(Answer::of(&user)?.version(row.version))
}

async fn one(call: &Call) -> Result<Answer, Refusal> {
    let found = Found::of(call).await?;
    show(call, found.row.id).await
}

async fn list(call: &Call) -> Result<Answer, Refusal> {
    let page = Page::of(call)?;
    let filters =
        ["email", "username", "q", "infix"].iter().filter(|name| call.asked(name).is_some()).count();
    if filters > 1 {
        return Err(Refusal::field("q", "cannot be combined with email, username or infix; use one of them"));
    }
    let state = call.asked("state");
    let named = match (call.asked("email"), call.asked("username")) {
        (Some(email), _) => {
            Some(Email::parse(email).ok().map(|e| (IdentifierKind::Email, e.normal().to_owned())))
        }
        (_, Some(name)) => {
            Some(Username::parse(name).ok().map(|n| (IdentifierKind::Username, n.normal().to_owned())))
        }
        _ => None,
    };
    let (mut people, count) = match (named, call.asked("q"), call.asked("infix")) {
        (Some(named), _, _) => exact(call, named, state).await?,
        (None, Some(q), _) => search(call, &page, q).await?,
        (None, None, Some(infix)) => (holding(call, &page, infix, state).await?, None),
        (None, None, None) => every(call, &page, state).await?,
    };
    let searched = call.asked("q").or(call.asked("infix")).is_some();
    let next = page.cut(call, &mut people, |person| match searched {
        true => [person.id.as_bytes().as_slice(), person.text.as_bytes()].concat(),
        false => person.id.as_bytes().to_vec(),
    })?;
    if searched {
        people.retain(|person| state.is_none_or(|state| person.state == state));
    }
    let mut items = Vec::with_capacity(people.len());
    for person in people {
        items.push(listed(call, person).await?);
    }
    let count = count.map(|count| Count { value: count.min(MOST_COUNTED), more: count > MOST_COUNTED });
    Answer::of(&UserPage { items, next, count })
}

type Listed = (Vec<ListedPerson>, Option<i64>);

fn counts(call: &Call) -> bool {
    call.asked("count") == Some("true")
}

async fn every(call: &Call, page: &Page, state: Option<&str>) -> Result<Listed, Refusal> {
    let (db, tenant) = (call.db(), call.tenant.id);
    let people = listing::people(db, tenant, state, (page.after_id(), page.limit + 1)).await?;
    let count = if counts(call) { Some(listing::count(db, tenant, state).await?) } else { None };
    Ok((people, count))
}

async fn search(call: &Call, page: &Page, q: &str) -> Result<Listed, Refusal> {
    let (db, tenant) = (call.db(), call.tenant.id);
    let prefix = attributes::fold(q);
    if prefix.is_empty() {
        return Err(Refusal::field("q", "holds nothing to search for"));
    }
    let after = page.after.as_deref().and_then(|key| key.split_first_chunk::<16>());
    let (person, text) =
        after.map_or(([0; 16], ""), |(id, text)| (*id, std::str::from_utf8(text).unwrap_or("")));
    let position = (text, Id::from_bytes(person), page.limit + 1);
    let people = listing::people_named(db, tenant, &prefix, position).await?;
    let count = if counts(call) { Some(listing::count_named(db, tenant, &prefix).await?) } else { None };
    Ok((people, count))
}

/// One page only: the letters in a row are no order to go on by.
async fn holding(
    call: &Call,
    page: &Page,
    infix: &str,
    state: Option<&str>,
) -> Result<Vec<ListedPerson>, Refusal> {
    let infix = attributes::fold(infix);
    if infix.chars().count() < 3 {
        return Err(Refusal::field("infix", "must hold three letters or more"));
    }
    Ok(listing::people_holding(call.db(), call.tenant.id, &infix, state, page.limit).await?)
}

/// Whoever has exactly this identifier.
async fn exact(
    call: &Call,
    named: Option<(IdentifierKind, String)>,
    state: Option<&str>,
) -> Result<Listed, Refusal> {
    let (db, tenant) = (call.db(), call.tenant.id);
    let row = match &named {
        Some((kind, normal)) => identifier::find(db, tenant, *kind, normal).await?,
        None => None,
    };
    let person = match row {
        Some(row) => person::by_id(db, tenant, row.person).await?,
        None => None,
    };
    let fits = |row: &PersonRow| row.state != "deleted" && state.is_none_or(|state| row.state == state);
    let mut people = Vec::new();
    if let Some(row) = person.filter(fits) {
        let PersonRow { id, state, locale, attributes, version, created_at, updated_at, .. } = row;
        let text = String::new();
        people.push(ListedPerson { id, state, locale, attributes, version, created_at, updated_at, text });
    }
    let count = i64::try_from(people.len()).ok().filter(|_| counts(call));
    Ok((people, count))
}

async fn listed(call: &Call, person: ListedPerson) -> Result<ListedUser, Refusal> {
    let identifiers = identifier::of_person(call.db(), call.tenant.id, person.id).await?;
    let plain: Map<String, Value> = serde_json::from_str(&person.attributes).unwrap_or_default();
    let email = identifiers.iter().find(|row| row.kind == "email");
    Ok(ListedUser {
        id: person.id,
        state: person.state,
        name: plain.get("name").and_then(Value::as_str).map(str::to_owned),
        email_verified: email.is_some_and(|row| row.proof.is_some()),
        email: email.map(|row| row.typed.clone()),
        username: identifiers.iter().find(|row| row.kind == "username").map(|row| row.typed.clone()),
        locale: person.locale,
        created_at: Stamp(person.created_at),
        updated_at: Stamp(person.updated_at),
        version: person.version,
    })
}

/// Old and new value of what differs.
pub(crate) fn changed(old: &Map<String, Value>, new: &Map<String, Value>) -> Map<String, Value> {
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    names
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| (name.clone(), json!({ "old": old.get(name), "new": new.get(name) })))
        .collect()
}
