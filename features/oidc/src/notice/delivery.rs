//! The delivery of a logout token to an application (Back-Channel Logout 1.0 section 2.5).

use crate::{
    keys,
    rows::notice::{self, NoticeRow},
};
use base::{Env, Error};
use jose::Typ;
use oauth::{
    Client,
    logout::{Ended, LogoutTokenClaims},
};
use std::time::Duration;
use store::Tenant;
use tokio::{task::JoinSet, time::timeout};
use web::Site;
use work::outbound::{Limits, Outbound};

/// How long a browser waits until all applications were told.
const PATIENCE: Duration = Duration::from_secs(3);
const FIRST_RETRY: Duration = Duration::from_secs(5);
const LONGEST_RETRY: Duration = Duration::from_secs(3_600);

/// Delivers notices. A clone shares everything with its origin.
#[derive(Clone)]
pub(crate) struct Delivery {
    site: Site,
    outbound: Outbound,
}

/// How a delivery ended.
enum Ending {
    /// The application has it.
    Arrived,
    /// Nobody waits for it any more.
    Pointless(&'static str),
    /// Not yet.
    Again(String),
}

impl Delivery {
    /// Deliveries of this site through this client.
    pub(crate) fn new(site: Site, outbound: Outbound) -> Self {
        Self { site, outbound }
    }

    /// Delivers leased notices side by side. Whatever takes longer than a browser should wait goes
    /// on without it.
    pub(crate) async fn at_once(&self, notices: Vec<NoticeRow>) {
        let mut deliveries = JoinSet::new();
        for notice in notices {
            let delivery = self.clone();
            deliveries.spawn(async move { delivery.handle(notice).await });
        }
        let all = async { while deliveries.join_next().await.is_some() {} };
        if timeout(PATIENCE, all).await.is_err() {
            deliveries.detach_all();
        }
    }

    /// Delivers a leased notice and writes down how that ended. If that fails, the notice comes up
    /// again when its lease ends.
    pub(crate) async fn handle(&self, notice: NoticeRow) {
        let begun = self.site.env().now();
        let ending = match self.send(&notice).await {
            Ok(ending) => ending,
            Err(error) => Ending::Again(format!("{error:?}")),
        };
        let (env, id) = (self.site.env(), notice.id);
        let unit = match ending {
            Ending::Arrived => notice::finish(&notice, env.id()),
            Ending::Pointless(why) => {
                tracing::info!(notice = %id, why, "a logout token is not sent any more");
                notice::finish(&notice, env.id())
            }
            Ending::Again(why) => {
                tracing::info!(notice = %id, why, "a logout token could not be delivered yet");
                notice::retry(&notice, env.id(), begun.plus(back_off(notice.tries, env)))
            }
        };
        if let Err(error) = self.site.db().commit(unit).await {
            tracing::warn!(notice = %id, %error, "how the delivery of a logout token ended is not written");
        }
    }

    async fn send(&self, notice: &NoticeRow) -> Result<Ending, Error> {
        let directory = self.site.directory();
        let now = self.site.env().now();
        if notice.expires_at <= now {
            return Ok(Ending::Pointless("the application could not be reached for a day"));
        }
        let Some(tenant) = directory.tenant(notice.tenant).await? else {
            return Ok(Ending::Pointless("its tenant is gone"));
        };
        let application = directory.application_by_id(&tenant, notice.application).await?;
        let Some(application) = application.filter(|application| application.active) else {
            return Ok(Ending::Pointless("the application is not in use"));
        };
        let client = &application.client;
        let Some(uri) = &client.backchannel_logout_uri else {
            return Ok(Ending::Pointless("the application has no address for it"));
        };
        let tenant = keys::ready(&self.site, &tenant, &[client.id_token_signed_response_alg]).await?;
        let token = token(&tenant, client, notice, now.seconds())?;
        let fields = [("logout_token", token.as_str())];
        Ok(match self.outbound.post_form(&uri.to_string(), &fields, Limits::default()).await {
            Ok(answer) if (200..300).contains(&answer.status) => Ending::Arrived,
            Ok(answer) => Ending::Again(format!("the application answers with status {}", answer.status)),
            Err(error) => Ending::Again(error.to_string()),
        })
    }
}

/// The logout token of a notice. Each try has its own times under the same `jti`.
fn token(tenant: &Tenant, client: &Client, notice: &NoticeRow, now: i64) -> Result<String, Error> {
    let session = notice.session.map(|session| session.to_string());
    let subject = &notice.subject;
    let ended = match &session {
        Some(session) => Ended::Session { subject, session },
        None => Ended::Everything { subject },
    };
    let claims = LogoutTokenClaims::new(&tenant.issuer, client, ended, notice.id.to_string(), now);
    let algorithm = client.id_token_signed_response_alg;
    let missing = || Error::unavailable(format!("no key for {}", algorithm.as_str()));
    let key = tenant.signing_key(algorithm).ok_or_else(missing)?;
    key.sign(Typ::LogoutToken, &claims).map_err(|error| Error::internal(format!("signing: {error}")))
}

/// 5 s, 10 s, 20 s … an hour, each up to a quarter shorter, so that applications that were away
/// together are not asked together.
fn back_off(tries: i64, env: &Env) -> Duration {
    let doublings = u32::try_from(tries.clamp(0, 16)).unwrap_or(0);
    let wait = FIRST_RETRY.saturating_mul(1 << doublings).min(LONGEST_RETRY);
    let [random] = env.bytes::<1>();
    wait * (1024 - u32::from(random)) / 1024
}
