//! A tenant with its keys opened, and an application with its secrets, as they are held in memory.

use crate::{
    EventRow, rotation,
    rows::{
        application::{ApplicationRow, SecretRow},
        key::{KeyRow, KeyState, SIGN},
        person::PersonRow,
        tenant::{Settings, TenantRow},
    },
};
use base::{Aad, Env, Error, Event, Id, SealingKey, Time, id, mac::MacKey};
use bytes::Bytes;
use std::{
    collections::HashMap,
    fmt::Display,
    sync::{Arc, PoisonError, RwLock},
};
use zeroize::Zeroizing;

/// The label under which secrets of applications are sealed.
const SEALED_SECRET: &str = "application_secret.sealed";

/// What an HMAC key of a tenant is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mac {
    /// Client secrets.
    ClientSecret,
    /// One-time codes.
    Code,
    /// Refresh tokens.
    Refresh,
    /// The subjects of attempts.
    Attempt,
    /// CSRF tokens and the device that a sealed request was made for.
    Request,
    /// Subjects that were given once.
    Subject,
}

impl Mac {
    /// Every purpose; a new tenant gets a key for each.
    pub const ALL: [Self; 6] =
        [Self::ClientSecret, Self::Code, Self::Refresh, Self::Attempt, Self::Request, Self::Subject];

    /// As the store writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecret => "client-secret",
            Self::Code => "code",
            Self::Refresh => "refresh",
            Self::Attempt => "attempt",
            Self::Request => "request",
            Self::Subject => "subject",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mac| mac.as_str() == name)
    }
}

/// The public half of a signing key in memory.
pub struct PublicKey {
    /// Where the key stands.
    pub state: KeyState,
    /// Since when.
    pub since: Time,
    /// The key as it is published.
    pub jwk: jose::Jwk,
}

/// What else is stored of a tenant.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) keys: Vec<KeyRow>,
    pub(super) former_issuers: Vec<String>,
    pub(super) catalogue: oauth::Catalogue,
}

/// A tenant with its keys opened.
pub struct Tenant {
    /// Its id.
    pub id: Id<id::Tenant>,
    /// Its short name in addresses.
    pub slug: String,
    /// Its one issuer.
    pub issuer: String,
    /// The issuers that it once had: what they issued is honoured until it expires.
    pub former_issuers: Vec<String>,
    /// Its name for people.
    pub name: String,
    /// What its operator decided.
    pub settings: Settings,
    /// Its resource servers and scopes.
    pub catalogue: Arc<oauth::Catalogue>,
    /// The version that was loaded.
    pub version: i64,
    /// Whether it serves at all.
    pub active: bool,
    /// When it was loaded.
    pub loaded_at: Time,
    /// The key that seals its rows.
    pub key: SealingKey,
    macs: HashMap<Mac, Vec<(i64, MacKey)>>,
    /// Those that sign, by `current`.
    signing: Vec<jose::SigningKey>,
    public: Vec<PublicKey>,
    verifying: jose::Keys,
    applications: RwLock<HashMap<String, Arc<Application>>>,
    documents: RwLock<HashMap<DocumentName, Bytes>>,
}

/// What a prepared document is, and which edition of it.
type DocumentName = (&'static str, usize);

impl Tenant {
    pub(super) fn open(row: TenantRow, kept: Kept, root: &SealingKey, env: &Env) -> Result<Self, Error> {
        let key = root.unwrap_key(Aad::new(&row.id, "tenant.key", &row.id), &row.sealed_key)?;
        let settings = serde_json::from_str(&row.settings)
            .map_err(|error| Error::internal(format!("settings of tenant {}: {error}", row.slug)))?;
        let mut tenant = Self {
            id: row.id,
            slug: row.slug,
            issuer: row.issuer,
            former_issuers: kept.former_issuers,
            name: row.name,
            settings,
            catalogue: Arc::new(kept.catalogue),
            version: row.version,
            active: row.state == "active",
            loaded_at: env.now(),
            key,
            macs: HashMap::new(),
            signing: Vec::new(),
            public: Vec::new(),
            verifying: jose::Keys::default(),
            applications: RwLock::default(),
            documents: RwLock::default(),
        };
        let (signing, macs) = kept.keys.into_iter().partition::<Vec<_>, _>(|row| row.purpose == SIGN);
        for row in macs {
            tenant.add_mac(&row)?;
        }
        tenant.add_signing(&signing)?;
        Ok(tenant)
    }

    fn opened(&self, row: &KeyRow) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(self.key.open(Aad::new(&self.id, "key.sealed", &row.id), &row.sealed)?)
    }

    fn add_mac(&mut self, row: &KeyRow) -> Result<(), Error> {
        if let Some(purpose) = Mac::named(&row.purpose) {
            let plain = self.opened(row)?;
            let bytes: [u8; 32] =
                plain.as_slice().try_into().map_err(|_| Error::internal("an HMAC key of another length"))?;
            let bytes = Zeroizing::new(bytes);
            self.macs.entry(purpose).or_default().push((row.version, MacKey::new(&bytes)));
        }
        Ok(())
    }

    /// Of a key that does not sign only the public half is needed; of one that was taken back nothing.
    fn add_signing(&mut self, rows: &[KeyRow]) -> Result<(), Error> {
        let mut verifying = Vec::new();
        for row in rows.iter().filter(|row| row.state != KeyState::Withdrawn) {
            let wrong = |what: &dyn Display| Error::internal(format!("signing key {}: {what}", row.id));
            let algorithm = row.algorithm.parse().map_err(|_| wrong(&row.algorithm))?;
            if row.state == KeyState::Current {
                let key = jose::SigningKey::from_pkcs8(algorithm, None, &self.opened(row)?);
                self.signing.push(key.map_err(|error| wrong(&error))?);
            }
            let jwk = row.public.as_deref().unwrap_or_default();
            let jwk: jose::Jwk = serde_json::from_str(jwk).map_err(|error| wrong(&error))?;
            let key = jose::VerifyingKey::from_jwk(&jwk, algorithm).map_err(|error| wrong(&error))?;
            verifying.push(key);
            self.public.push(PublicKey { state: row.state, since: row.changed_at, jwk });
        }
        let wrong = |error: jose::Error| Error::internal(format!("keys of tenant {}: {error}", self.slug));
        self.verifying = jose::Keys::new(verifying).map_err(wrong)?;
        Ok(())
    }

    /// Whether this is the tenant's issuer, or one that it once had.
    pub fn is_issuer(&self, issuer: &str) -> bool {
        self.issuer == issuer || self.former_issuers.iter().any(|former| former == issuer)
    }

    /// The issuer that it has, and those that it had.
    #[must_use]
    pub fn issuers(&self) -> Vec<String> {
        std::iter::once(&self.issuer).chain(&self.former_issuers).cloned().collect()
    }

    /// The path below which the tenant lives: empty at the root of a host, else `/t/{slug}`.
    pub fn base_path(&self) -> &str {
        let after_scheme = self.issuer.split_once("://").map_or("", |(_, rest)| rest);
        after_scheme.find('/').and_then(|at| after_scheme.get(at..)).unwrap_or("")
    }

    /// Scheme, host and port of the issuer.
    pub fn origin(&self) -> &str {
        self.issuer.strip_suffix(self.base_path()).unwrap_or(&self.issuer)
    }

    /// Whether browsers get `Secure` cookies: always, but for an http issuer (loopback, `dev`).
    pub fn is_https(&self) -> bool {
        self.issuer.starts_with("https://")
    }

    /// The newest HMAC key of this purpose and its version.
    ///
    /// # Errors
    /// Kind `Internal` if the tenant has none: it was not made by this program.
    pub fn mac(&self, purpose: Mac) -> Result<(i64, &MacKey), Error> {
        let newest = self.macs.get(&purpose).and_then(|keys| keys.last());
        newest.map(|(version, key)| (*version, key)).ok_or_else(|| {
            Error::internal(format!("tenant {} has no key for {}", self.slug, purpose.as_str()))
        })
    }

    /// The HMAC key of this purpose and version, if there is one.
    pub fn mac_of_version(&self, purpose: Mac, version: i64) -> Option<&MacKey> {
        self.macs.get(&purpose)?.iter().find(|(v, _)| *v == version).map(|(_, key)| key)
    }

    /// The key that signs with this algorithm now.
    pub fn signing_key(&self, algorithm: jose::Algorithm) -> Option<&jose::SigningKey> {
        self.signing.iter().rev().find(|key| key.algorithm() == algorithm)
    }

    /// The keys as JWKS shows them at this moment: those that will sign, that sign, and that signed
    /// what may still live.
    pub fn published_keys(&self, now: Time) -> impl Iterator<Item = &PublicKey> {
        self.public
            .iter()
            .filter(move |key| rotation::published_until(key.state, key.since).is_none_or(|end| now < end))
    }

    /// The keys that what this tenant signed is verified with. Some are not published any more: what
    /// they signed has expired, which does not matter for a hint.
    pub fn verifying_keys(&self) -> &jose::Keys {
        &self.verifying
    }

    /// Since when the oldest key that signs does.
    pub(super) fn signs_since(&self) -> Option<Time> {
        self.public.iter().filter(|key| key.state == KeyState::Current).map(|key| key.since).min()
    }

    /// The person's key, opened; none once it was destroyed.
    ///
    /// # Errors
    /// Kind `Internal` if it does not open.
    pub fn person_key(&self, person: &PersonRow) -> Result<Option<SealingKey>, Error> {
        let place = Aad::new(&self.id, "person.key", &person.id);
        let open = |wrapped: &Vec<u8>| self.key.unwrap_key(place, wrapped);
        Ok(person.sealed_key.as_ref().map(open).transpose()?)
    }

    /// The event as it is stored: everything beyond its kind and names is sealed under the
    /// person's key if given, else the tenant's.
    pub fn event(&self, env: &Env, event: Event, person: Option<&SealingKey>) -> EventRow {
        let body = serde_json::json!({ "origin": event.origin, "detail": event.detail });
        let place = Aad::new(&self.id, "event.data", &event.id);
        EventRow {
            tenant: self.id,
            id: event.id,
            kind: event.kind.to_owned(),
            person: event.person,
            actor: event.actor.map(str::to_owned),
            application: event.application,
            session: event.session,
            at: event.at,
            data: person.unwrap_or(&self.key).seal(env.rng(), place, body.to_string().as_bytes()),
        }
    }

    /// A new secret of an application as it is stored: its HMAC, and sealed too if the application
    /// makes assertions with it. It never expires by itself.
    ///
    /// # Errors
    /// Kind `Internal` if the tenant has no key for it.
    pub fn client_secret(
        &self,
        env: &Env,
        application: Id<id::Application>,
        client: &oauth::Client,
        secret: &str,
    ) -> Result<SecretRow, Error> {
        let (key_version, key) = self.mac(Mac::ClientSecret)?;
        let id = env.id();
        let place = Aad::new(&self.id, SEALED_SECRET, &id);
        let needed = client.token_endpoint_auth_method == Some(oauth::AuthMethod::ClientSecretJwt);
        Ok(SecretRow {
            id,
            mac: key.sign(&[application.as_bytes(), secret.as_bytes()]).to_vec(),
            key_version,
            expires_at: None,
            sealed: needed.then(|| self.key.seal(env.rng(), place, secret.as_bytes())),
        })
    }

    /// A document that follows from this version of the tenant and the edition alone: made when it is
    /// asked for first.
    pub fn document(&self, name: (&'static str, usize), make: impl FnOnce() -> Vec<u8>) -> Bytes {
        if let Some(made) = self.documents.read().unwrap_or_else(PoisonError::into_inner).get(&name) {
            return made.clone();
        }
        let made = Bytes::from(make());
        self.documents.write().unwrap_or_else(PoisonError::into_inner).insert(name, made.clone());
        made
    }

    pub(crate) fn remembered_application(&self, client_id: &str) -> Option<Arc<Application>> {
        self.applications.read().unwrap_or_else(PoisonError::into_inner).get(client_id).map(Arc::clone)
    }

    pub(crate) fn remembered_application_id(&self, id: Id<id::Application>) -> Option<Arc<Application>> {
        let applications = self.applications.read().unwrap_or_else(PoisonError::into_inner);
        applications.values().find(|known| known.id == id).map(Arc::clone)
    }

    pub(crate) fn remember_application(&self, application: &Arc<Application>) {
        let mut applications = self.applications.write().unwrap_or_else(PoisonError::into_inner);
        if applications.len() >= super::CAPACITY {
            applications.clear();
        }
        applications.insert(application.client.client_id.as_str().to_owned(), Arc::clone(application));
    }
}

/// An application with its metadata parsed.
pub struct Application {
    /// Its id.
    pub id: Id<id::Application>,
    /// Whether it may be used.
    pub active: bool,
    /// Its version when it was loaded.
    pub version: i64,
    /// Its metadata.
    pub client: oauth::Client,
    /// Its secrets.
    pub secrets: Vec<SecretRow>,
}

impl Application {
    pub(crate) fn open(row: ApplicationRow, secrets: Vec<SecretRow>) -> Result<Self, Error> {
        let client = serde_json::from_str(&row.metadata).map_err(|error| {
            Error::internal(format!("metadata of application {}: {error}", row.client_id))
        })?;
        Ok(Self { id: row.id, active: row.state == "active", version: row.version, client, secrets })
    }

    /// Whether this is one of its secrets, at this moment.
    pub fn accepts_secret(&self, tenant: &Tenant, secret: &str, now: Time) -> bool {
        let fits = |row: &SecretRow| {
            row.expires_at.is_none_or(|end| now < end)
                && tenant
                    .mac_of_version(Mac::ClientSecret, row.key_version)
                    .is_some_and(|key| key.verify(&[self.id.as_bytes(), secret.as_bytes()], &row.mac))
        };
        // All are compared, so that time says nothing about which one fits.
        self.secrets.iter().filter(|row| fits(row)).count() > 0
    }

    /// Its secrets that are sealed and good at this moment, opened.
    ///
    /// # Errors
    /// Kind `Internal` if one does not open.
    pub fn sealed_secrets(&self, tenant: &Tenant, now: Time) -> Result<Vec<Zeroizing<Vec<u8>>>, Error> {
        let good = self.secrets.iter().filter(|row| row.expires_at.is_none_or(|end| now < end));
        let sealed = good.filter_map(|row| Some((row.id, row.sealed.as_ref()?)));
        let open = |(id, sealed): (Id<id::Credential>, &Vec<u8>)| {
            Ok(tenant.key.open(Aad::new(&tenant.id, SEALED_SECRET, &id), sealed)?)
        };
        sealed.map(open).collect()
    }
}
