//! Every sentence that a feature says to a person, by name, so that none is misspelt. Each error
//! says what to do next.

use crate::render::Message;

macro_rules! sentences {
    ($($(#[$doc:meta])* $name:ident => $id:literal;)*) => {
        $($(#[$doc])* pub const fn $name() -> Message { Message::new($id) })*
    };
}

sentences! {
    /// Nothing was typed as e-mail address or user name.
    identifier_missing => "error-identifier-missing";
    /// Neither an e-mail address nor a user name.
    identifier_invalid => "error-identifier-invalid";
    /// Nothing was typed as password.
    password_missing => "error-password-missing";
    /// The password does not match, or there is no such account: both read alike.
    wrong_password => "error-password-wrong";
    /// The current password, asked before a change, does not match.
    current_password_wrong => "error-current-password";
    /// The password is on a list of common ones.
    password_common => "error-password-common";
    /// The password is close to the person's own data.
    password_similar => "error-password-similar";
    /// The new password is the old one.
    password_same => "error-password-same";
    /// Nothing was typed as code.
    code_missing => "error-code-missing";
    /// The code is too old or was replaced.
    code_expired => "error-code-expired";
    /// The code was tried too often.
    code_used_up => "error-code-used-up";
    /// Nothing was typed as e-mail address.
    email_missing => "error-email-missing";
    /// Not an e-mail address.
    email_invalid => "error-email-invalid";
    /// A proven address that belongs to another account.
    email_taken => "error-email-taken";
    /// The new address is the current one.
    email_unchanged => "error-email-unchanged";
    /// The user name belongs to somebody.
    username_taken => "error-username-taken";
    /// Not a user name.
    username_invalid => "error-username-invalid";
    /// Signs that cannot be stored or shown.
    unreadable => "error-unreadable";
    /// A choice that is not among those offered.
    choice_unknown => "error-choice";
    /// The request was too old, the flow began anew.
    started_over => "notice-started-over";
    /// The page was made for another browser or had grown old; it has to be sent once more.
    send_once_more => "notice-send-once-more";
    /// Somebody signed in must prove it again before a change.
    prove_again => "notice-prove-again";
    /// A new code is under way.
    code_sent_again => "notice-code-sent";
    /// A code may be sent again only later.
    code_wait => "error-code-wait";
    /// Changes were saved.
    saved => "notice-saved";
    /// The password was changed.
    password_was_changed => "notice-password-changed";
    /// The address was changed.
    email_was_changed => "notice-email-changed";
    /// One session was ended.
    session_ended => "notice-session-ended";
    /// There already was an account for the proven address; the person is signed in to it.
    account_existed => "notice-account-existed";
    /// The password is right, but an operator asks for another one.
    password_expired => "error-password-expired";
    /// What was typed cannot be a code.
    code_malformed => "error-code-form";
    /// A device whose browser and system are not known.
    unknown_device => "device-unknown";
}

/// Too many attempts; it goes on in so many minutes.
pub fn too_many_attempts(minutes: u32) -> Message {
    Message::new("error-too-many").number("minutes", minutes)
}

/// Something else was asked for too often; it goes on in so many minutes.
pub fn wait(minutes: u32) -> Message {
    Message::new("error-wait").number("minutes", minutes)
}

/// A wrong code; so many tries are left.
pub fn code_wrong(tries_left: u32) -> Message {
    Message::new("error-code-wrong").number("count", tries_left)
}

/// A password below the least length, in characters.
pub fn password_too_short(min_length: u32) -> Message {
    Message::new("error-password-short").number("count", min_length)
}

/// A password above the greatest length, in characters.
pub fn password_too_long(max_length: u32) -> Message {
    Message::new("error-password-long").number("count", max_length)
}

/// A text above the greatest length, in characters.
pub fn too_long(max_length: u32) -> Message {
    Message::new("error-too-long").number("count", max_length)
}

/// So many other sessions were ended.
pub fn sessions_ended(count: u32) -> Message {
    Message::new("notice-sessions-ended").number("count", count)
}

/// The access of an application was taken back.
pub fn access_ended(application: &str) -> Message {
    Message::new("notice-access-ended").text_arg("application", application)
}

/// A device by its browser and system: "Firefox on Linux".
pub fn device(browser: &str, system: &str) -> Message {
    Message::new("device").text_arg("browser", browser).text_arg("system", system)
}

/// What can happen in an account, as its owner reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityKind {
    /// The account was created.
    Registered,
    /// Somebody signed in.
    SignedIn,
    /// A sign-in was refused.
    SignInRefused,
    /// Somebody signed out.
    SignedOut,
    /// A session was ended from elsewhere.
    SessionEnded,
    /// All sessions were ended.
    SignedOutEverywhere,
    /// The password was changed.
    PasswordChanged,
    /// A forgotten password was replaced.
    PasswordReset,
    /// Recovery was asked for.
    RecoveryStarted,
    /// The e-mail address was changed.
    EmailChanged,
    /// Name, language or address were changed.
    ProfileChanged,
    /// An application was allowed.
    AccessGiven,
    /// An application's access was taken back.
    AccessEnded,
    /// A refresh token was used twice, its family was ended.
    TokenReplayed,
    /// The account was suspended.
    Suspended,
    /// The account was opened again.
    Resumed,
    /// Anything else.
    Changed,
}

impl ActivityKind {
    /// Every kind.
    pub const ALL: [Self; 17] = [
        Self::Registered,
        Self::SignedIn,
        Self::SignInRefused,
        Self::SignedOut,
        Self::SessionEnded,
        Self::SignedOutEverywhere,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::RecoveryStarted,
        Self::EmailChanged,
        Self::ProfileChanged,
        Self::AccessGiven,
        Self::AccessEnded,
        Self::TokenReplayed,
        Self::Suspended,
        Self::Resumed,
        Self::Changed,
    ];
}

/// What happened, as a sentence.
pub const fn activity(kind: ActivityKind) -> Message {
    Message::new(match kind {
        ActivityKind::Registered => "activity-registered",
        ActivityKind::SignedIn => "activity-signed-in",
        ActivityKind::SignInRefused => "activity-refused",
        ActivityKind::SignedOut => "activity-signed-out",
        ActivityKind::SessionEnded => "activity-session-ended",
        ActivityKind::SignedOutEverywhere => "activity-signed-out-everywhere",
        ActivityKind::PasswordChanged => "activity-password-changed",
        ActivityKind::PasswordReset => "activity-password-reset",
        ActivityKind::RecoveryStarted => "activity-recovery",
        ActivityKind::EmailChanged => "activity-email-changed",
        ActivityKind::ProfileChanged => "activity-profile-changed",
        ActivityKind::AccessGiven => "activity-access-given",
        ActivityKind::AccessEnded => "activity-access-ended",
        ActivityKind::TokenReplayed => "activity-token-replayed",
        ActivityKind::Suspended => "activity-suspended",
        ActivityKind::Resumed => "activity-resumed",
        ActivityKind::Changed => "activity-changed",
    })
}
