//! The site: what every request of every tenant shares.

use crate::{
    render::Chrome,
    theme::{Branding, Theme},
};
use base::{Env, Id, id};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};
use store::{Db, Directory, Tenant};

/// Shared by all pages. Cheap to clone.
#[derive(Clone)]
pub struct Site {
    shared: Arc<Shared>,
}

struct Shared {
    directory: Directory,
    looks: Mutex<HashMap<Id<id::Tenant>, Look>>,
}

/// How a tenant looks, kept until its version changes.
#[derive(Clone)]
struct Look {
    version: i64,
    theme: Arc<Theme>,
    templates: Arc<BTreeMap<String, String>>,
}

impl Site {
    /// The site of these tenants.
    pub fn new(directory: Directory) -> Self {
        Self { shared: Arc::new(Shared { directory, looks: Mutex::default() }) }
    }

    /// The tenants.
    pub fn directory(&self) -> &Directory {
        &self.shared.directory
    }

    /// The database.
    pub fn db(&self) -> &Db {
        self.shared.directory.db()
    }

    /// Clock and randomness.
    pub fn env(&self) -> &Env {
        self.shared.directory.env()
    }

    /// What surrounds a tenant's pages and mails, whatever the request.
    pub fn chrome(&self, tenant: &Tenant) -> Chrome {
        let look = self.look(tenant);
        Chrome {
            locale: crate::locale::Locale::from_tag(&tenant.settings.locale).unwrap_or_default(),
            theme: look.theme,
            tenant_name: tenant.name.clone(),
            base_path: tenant.base_path().to_owned(),
            languages: Vec::new(),
            client: None,
            help: None,
            privacy: tenant.settings.privacy_url.clone(),
            terms: tenant.settings.terms_url.clone(),
            now: self.env().now().micros(),
            custom: look.templates,
        }
    }

    fn look(&self, tenant: &Tenant) -> Look {
        let mut looks = self.shared.looks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(look) = looks.get(&tenant.id).filter(|look| look.version == tenant.version) {
            return look.clone();
        }
        let look = Look {
            version: tenant.version,
            theme: Arc::new(theme(tenant)),
            templates: Arc::new(tenant.settings.templates.clone()),
        };
        if looks.len() > 10_000 {
            looks.clear();
        }
        looks.insert(tenant.id, look.clone());
        look
    }
}

/// The tenant's theme, or the default one where the stored branding cannot be used.
fn theme(tenant: &Tenant) -> Theme {
    let branding = serde_json::Value::Object(tenant.settings.theme.clone());
    let checked = serde_json::from_value::<Branding>(branding)
        .map_err(|error| error.to_string())
        .and_then(|branding| Theme::new(&branding).map_err(|error| error.to_string()));
    checked.unwrap_or_else(|problem| {
        tracing::warn!(tenant = tenant.slug, problem, "the branding cannot be used, the default is shown");
        Theme::default()
    })
}
