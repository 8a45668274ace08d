//! Nobody gains by the API what they lack: whoever gives permissions, or changes what holds them (an
//! API key, an administrator, an application that may ask for this API's scopes), has all of them
//! already.

use crate::{
    call::Call,
    caller::reach,
    refusal::{BEYOND_CALLER, Refusal},
    rows::administrator,
    scope::Permissions,
};
use base::{Id, id};

impl Call {
    /// That the caller may do all of this already.
    pub(crate) fn holds(&self, permissions: &Permissions) -> Result<(), Refusal> {
        let beyond = permissions.beyond(self.permissions());
        if beyond.is_empty() {
            return Ok(());
        }
        let beyond: Vec<&str> = beyond.iter().map(|permission| permission.as_str()).collect();
        Err(Refusal::because(BEYOND_CALLER, format!("The caller itself lacks: {}.", beyond.join(", "))))
    }

    /// That the caller may do all that tokens of this application may.
    pub(crate) fn holds_reach(&self, client: &oauth::Client) -> Result<(), Refusal> {
        self.holds(&reach(&self.tenant, client))
    }

    /// That the caller may do all that this person may as administrator.
    pub(crate) async fn holds_person(&self, person: Id<id::Person>) -> Result<(), Refusal> {
        match administrator::find(self.db(), self.tenant.id, person).await? {
            Some(row) => self.holds(&Permissions::stored(&row.scopes)),
            None => Ok(()),
        }
    }
}
