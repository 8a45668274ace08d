//! A person's claims, as the store knows them (OpenID Connect Core section 5.1).

use base::Error;
use serde_json::{Map, Value};
use store::{
    Db, Tenant, attributes,
    rows::{
        identifier::{self, IdentifierRow},
        person::PersonRow,
    },
};

/// All claims of a person; which of them an application gets is decided elsewhere.
///
/// # Errors
/// Kind `Unavailable` if the store cannot answer, `Internal` if what is stored does not open.
pub(crate) async fn claims(
    db: &Db,
    tenant: &Tenant,
    person: &PersonRow,
) -> Result<Map<String, Value>, Error> {
    let mut claims = attributes::join(tenant, person)?;
    let identifiers = identifier::of_person(db, tenant.id, person.id).await?;
    // What an identifier says is never taken from an attribute of the same name.
    for name in ["email", "email_verified", "preferred_username", "phone_number_verified"] {
        claims.remove(name);
    }
    if let Some(email) = email(&identifiers) {
        claims.insert("email".into(), email.typed.as_str().into());
        claims.insert("email_verified".into(), email.is_proven_email().into());
    }
    if let Some(name) = identifiers.iter().find(|row| row.kind == "username") {
        claims.insert("preferred_username".into(), name.typed.as_str().into());
    }
    if claims.contains_key("phone_number") {
        claims.insert("phone_number_verified".into(), false.into());
    }
    claims.insert("updated_at".into(), person.updated_at.seconds().into());
    Ok(claims)
}

/// The oldest proven address, else the oldest.
pub(crate) fn email(identifiers: &[IdentifierRow]) -> Option<&IdentifierRow> {
    let proven = identifiers.iter().find(|row| row.is_proven_email());
    proven.or_else(|| identifiers.iter().find(|row| row.kind == "email"))
}
