//! What a person sees in the account: the summary, sessions, activity, connected applications.

use serde::Serialize;

use super::{HOSTILE, LONG, sample_post, saved, say};
use crate::render::{Action, Form, Message, Notice, Page, Post};

/// Who looks at the account, for the bar at the top.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Viewer {
    /// One or two letters in the circle.
    pub initials: String,
    /// The person's name, if known.
    pub name: Option<String>,
    /// The address or user name.
    pub identifier: String,
    /// Where "Sign out" posts to, with its hidden fields.
    pub sign_out: Post,
}

impl Viewer {
    /// A viewer by name and identifier; `sign_out` is where "Sign out" posts to.
    pub fn new(name: Option<&str>, identifier: &str, sign_out: Post) -> Self {
        Self {
            initials: super::signin::initials(name.unwrap_or(identifier)),
            name: name.map(str::to_owned),
            identifier: identifier.to_owned(),
            sign_out,
        }
    }

    pub(super) fn sample() -> Self {
        Self::new(Some("Alice Example"), "alice@example.com", sample_post())
    }
}

/// The first page of the account: how safe it is, and where everything else is.
#[derive(Clone, Debug, Serialize)]
pub struct AccountHome {
    /// Who looks at it.
    pub viewer: Viewer,
    /// Something to say first.
    pub notice: Option<Notice>,
    /// The e-mail address.
    pub email: Option<String>,
    /// When the password was set, in microseconds since 1970 (UTC); none without one.
    pub password_since: Option<i64>,
    /// How many sessions live.
    pub sessions: u32,
    /// How many applications are connected.
    pub applications: u32,
    /// The last things that happened.
    pub recent: Vec<ActivityEntry>,
}

impl Page for AccountHome {
    const TEMPLATE: &'static str = "account.html";
    const STEP: &'static str = "account";

    fn form(&self) -> Form {
        let name = self.viewer.name.as_ref().unwrap_or(&self.viewer.identifier);
        Form::new(Message::new("greeting").text_arg("name", name)).notice(self.notice.as_ref())
    }

    fn samples() -> Vec<Self> {
        let plain = Self {
            viewer: Viewer::sample(),
            notice: None,
            email: Some("alice@example.com".into()),
            password_since: Some(SAMPLE_NOW - 40 * DAY),
            sessions: 2,
            applications: 1,
            recent: sample_activity(),
        };
        let hostile = Viewer::new(Some(HOSTILE), HOSTILE, sample_post());
        vec![
            plain.clone(),
            Self {
                sessions: 11,
                applications: 0,
                password_since: None,
                notice: saved(),
                recent: Vec::new(),
                ..plain.clone()
            },
            Self { viewer: hostile, email: Some(HOSTILE.into()), ..plain },
        ]
    }
}

const DAY: i64 = 86_400_000_000;
/// The time in samples: 24 November 2026, 22:36 UTC.
pub(super) const SAMPLE_NOW: i64 = 1_795_559_760_000_000;

/// One session.
#[derive(Clone, Debug, Serialize)]
pub struct SessionEntry {
    /// What is posted as `session` to end it.
    pub id: String,
    /// The device as [`say::device`] tells it.
    pub device: Message,
    /// From which network: an address or its prefix.
    pub network: Option<String>,
    /// When it began, in microseconds since 1970 (UTC).
    pub since: i64,
    /// When it was last used, in microseconds since 1970 (UTC).
    pub last_seen: i64,
    /// Whether it is the one looking.
    pub current: bool,
}

/// Where the person is signed in. Forms post `session`: an id, `others` or `all`.
#[derive(Clone, Debug, Serialize)]
pub struct Sessions {
    /// Where the buttons go.
    pub post: Post,
    /// Who looks at it.
    pub viewer: Viewer,
    /// Said after a session was ended.
    pub notice: Option<Notice>,
    /// The sessions, this one first.
    pub sessions: Vec<SessionEntry>,
}

impl Page for Sessions {
    const TEMPLATE: &'static str = "sessions.html";
    const STEP: &'static str = "sessions";

    fn form(&self) -> Form {
        let form = Form::new(Message::new("sessions-title")).post(&self.post).notice(self.notice.as_ref());
        let ids = self.sessions.iter().filter(|session| !session.current).map(|session| session.id.as_str());
        let form = ids.fold(form, |form, id| form.action(button("revoke", "sign-out", "session", id)));
        form.action(button("others", "sign-out-others", "session", "others")).action(button(
            "all",
            "sign-out-everywhere",
            "session",
            "all",
        ))
    }

    fn samples() -> Vec<Self> {
        let here = SessionEntry {
            id: "ses_1".into(),
            device: say::device("Firefox", "Linux"),
            network: Some("203.0.113.0/24".into()),
            since: SAMPLE_NOW - 3 * DAY,
            last_seen: SAMPLE_NOW,
            current: true,
        };
        let phone = SessionEntry {
            id: "ses_2".into(),
            device: say::device("Safari", "iPhone"),
            network: Some("2001:db8:aa::/48".into()),
            since: SAMPLE_NOW - 20 * DAY,
            last_seen: SAMPLE_NOW - DAY / 3,
            current: false,
        };
        let unknown = SessionEntry {
            id: "ses_3".into(),
            device: say::unknown_device(),
            network: None,
            last_seen: SAMPLE_NOW - 2 * DAY,
            ..phone.clone()
        };
        let hostile = SessionEntry {
            device: say::device(HOSTILE, LONG),
            network: Some(HOSTILE.into()),
            ..phone.clone()
        };
        let plain = Self {
            post: sample_post(),
            viewer: Viewer::sample(),
            notice: None,
            sessions: vec![here.clone(), phone, unknown],
        };
        vec![
            plain.clone(),
            Self {
                sessions: vec![here.clone()],
                notice: Some(Notice::done(say::sessions_ended(2))),
                ..plain.clone()
            },
            Self { sessions: vec![here, hostile], ..plain },
        ]
    }
}

fn button(name: &'static str, label: &'static str, field: &'static str, value: &str) -> Action {
    let mut action = Action::choose(name, Message::new(label), field, value);
    action.id = None;
    action
}

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
pub struct ActivityEntry {
    /// What, as [`say::activity`] tells it.
    pub what: Message,
    /// When, in microseconds since 1970 (UTC).
    pub at: i64,
    /// On which device, as [`say::device`] tells it.
    pub device: Option<Message>,
    /// From which network or place.
    pub place: Option<String>,
}

/// What happened in the account lately.
#[derive(Clone, Debug, Serialize)]
pub struct Activity {
    /// Who looks at it.
    pub viewer: Viewer,
    /// The newest first.
    pub entries: Vec<ActivityEntry>,
    /// Where older entries are.
    pub older: Option<String>,
}

impl Page for Activity {
    const TEMPLATE: &'static str = "activity.html";
    const STEP: &'static str = "activity";

    fn form(&self) -> Form {
        let form =
            Form::new(Message::new("activity-title")).link("older", "activity-older", self.older.as_ref());
        self.entries.iter().fold(form, |form, entry| form.notice(Some(&Notice::info(entry.what.clone()))))
    }

    fn samples() -> Vec<Self> {
        let every = say::ActivityKind::ALL.iter().map(|kind| ActivityEntry {
            what: say::activity(*kind),
            at: SAMPLE_NOW - 5 * DAY,
            device: None,
            place: Some(HOSTILE.into()),
        });
        let viewer = Viewer::sample();
        vec![
            Self {
                viewer: viewer.clone(),
                entries: sample_activity(),
                older: Some("/account/activity?before=1".into()),
            },
            Self { viewer: viewer.clone(), entries: every.collect(), older: None },
            Self { viewer, entries: Vec::new(), older: None },
        ]
    }
}

fn sample_activity() -> Vec<ActivityEntry> {
    use say::ActivityKind::{PasswordChanged, SignInRefused, SignedIn};
    let entry = |kind, ago, device: Option<Message>| ActivityEntry {
        what: say::activity(kind),
        at: SAMPLE_NOW - ago,
        device,
        place: Some("203.0.113.0/24".into()),
    };
    vec![
        entry(SignedIn, 60_000_000, Some(say::device("Firefox", "Linux"))),
        entry(SignInRefused, DAY / 8, Some(say::device("Chrome", "Windows"))),
        entry(PasswordChanged, 3 * DAY, None),
        entry(SignedIn, 40 * DAY, Some(say::device("Safari", "iPhone"))),
    ]
}

/// One connected application.
#[derive(Clone, Debug, Serialize)]
pub struct Application {
    /// What is posted as `application` to take its access back.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its domain, if known.
    pub domain: Option<String>,
    /// What it may do, from [`super::ConsentItem::of_scope`].
    pub scopes: Vec<Message>,
    /// Since when, in microseconds since 1970 (UTC).
    pub since: i64,
}

/// The applications that have access to the account.
#[derive(Clone, Debug, Serialize)]
pub struct Applications {
    /// Where the buttons go.
    pub post: Post,
    /// Who looks at it.
    pub viewer: Viewer,
    /// Said after an access was taken back.
    pub notice: Option<Notice>,
    /// The applications.
    pub applications: Vec<Application>,
}

impl Page for Applications {
    const TEMPLATE: &'static str = "applications.html";
    const STEP: &'static str = "applications";

    fn form(&self) -> Form {
        let form =
            Form::new(Message::new("applications-title")).post(&self.post).notice(self.notice.as_ref());
        let ids = self.applications.iter().map(|application| application.id.as_str());
        ids.fold(form, |form, id| form.action(button("revoke", "take-back", "application", id)))
    }

    fn samples() -> Vec<Self> {
        let scope = |name: &str| super::ConsentItem::of_scope(name, None, None).title;
        let partner = Application {
            id: "partner".into(),
            name: "Partner Labs".into(),
            domain: Some("partnerlabs.example".into()),
            scopes: vec![scope("openid"), scope("email"), scope("offline_access")],
            since: SAMPLE_NOW - 90 * DAY,
        };
        let hostile = Application {
            name: HOSTILE.into(),
            domain: None,
            scopes: vec![scope(HOSTILE)],
            ..partner.clone()
        };
        let plain = Self {
            post: sample_post(),
            viewer: Viewer::sample(),
            notice: None,
            applications: vec![partner, hostile],
        };
        vec![
            plain.clone(),
            Self {
                applications: Vec::new(),
                notice: Some(Notice::done(say::access_ended("Partner Labs"))),
                ..plain
            },
        ]
    }
}
